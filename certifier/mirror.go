package certifier

import (
	"context"
	"fmt"
	"slices"

	"selo/certificate"
	"selo/fault"
)

// Mirror is the Espelho do certificado (manual 2.4.3): a certificate with all
// its details, names instead of codes, ready to be printed.
type Mirror struct {
	Body        Body
	Record      *Record
	Certificate *certificate.Certificate // the newest content
	Type, Class string                   // names; the code where the tables have none
	Companies   []MirrorCompany
	Products    []MirrorProduct
	Services    []MirrorService
	Documents   []MirrorDocument
	History     []Event // with log only
}

// MirrorCompany is a company in one role. Company is nil when the link leads nowhere.
type MirrorCompany struct {
	certificate.CompanyLink
	Company *certificate.Company
	Country string // name
	Role    string // name
}

// MirrorProduct is a product. Product is nil when the link leads nowhere.
type MirrorProduct struct {
	certificate.ProductLink
	Product *certificate.Product
	Company string // name
}

// MirrorService is a service with its documents.
type MirrorService struct {
	certificate.ServiceLink
	Class     string // name
	Company   string // name
	Documents []MirrorDocument
}

// MirrorDocument is a normative document.
type MirrorDocument struct {
	certificate.DocumentLink
	Title, Kind string
}

// MirrorOf makes the mirror of one certificate, with its log if asked for.
// Faults: NotFound "record.not_found", Invalid "draft.kind" for another kind of record.
func MirrorOf(ctx context.Context, tx Tx, id certificate.ID, withLog bool) (*Mirror, error) {
	r, err := Find(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if r.Newest() == nil || r.Newest().Certificate == nil {
		return nil, fault.New(fault.Invalid, "draft.kind", "registro", r.Label)
	}
	body, err := CurrentBody(ctx, tx)
	if err != nil {
		return nil, err
	}
	names, err := namesOf(ctx, tx)
	if err != nil {
		return nil, err
	}
	c := r.Newest().Certificate
	m := &Mirror{Body: body, Record: r, Certificate: c, Type: names.of("tipo", string(c.Type)),
		Class: names.of("classe", string(c.Class)), Documents: names.documents(c.Documents)}
	if err := m.link(ctx, tx, names); err != nil {
		return nil, err
	}
	if withLog {
		m.History, err = History(ctx, tx, id)
	}
	return m, err
}

// EachMirror visits the mirrors of all certificates that q finds, in the order
// of the list; q's limit and cursor do not matter.
func EachMirror(ctx context.Context, tx Tx, q Query, withLog bool, visit func(*Mirror) error) error {
	q.Kind, q.Limit, q.Cursor = certificate.KindCertificate, maxLimit, ""
	for {
		page, err := List(ctx, tx, q)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			m, err := MirrorOf(ctx, tx, item.ID, withLog)
			if err != nil {
				return fmt.Errorf("mirror of %s: %w", item.ID, err)
			}
			if err := visit(m); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.Cursor = page.Next
	}
}

// link reads the companies and products.
func (m *Mirror) link(ctx context.Context, tx Tx, names names) error {
	c := m.Certificate
	contents := map[certificate.ID]*certificate.Revision{}
	for page := range slices.Chunk(linksOf(&certificate.Revision{Certificate: c}), pageSize) {
		records, err := load(ctx, tx, page)
		if err != nil {
			return err
		}
		for id, r := range records {
			if newest := r.Newest(); newest != nil {
				contents[id] = newest
			}
		}
	}
	company := func(id certificate.ID) *certificate.Company {
		if r := contents[id]; r != nil {
			return r.Company
		}
		return nil
	}
	nameOf := func(id certificate.ID) string {
		if c := company(id); c != nil {
			return c.Name
		}
		return ""
	}
	for _, l := range c.Companies {
		row := MirrorCompany{CompanyLink: l, Company: company(l.Company), Role: names.of("papel", string(l.Role))}
		if row.Company != nil {
			row.Country = names.of("pais", string(row.Company.Country))
		}
		m.Companies = append(m.Companies, row)
	}
	for _, l := range c.Products {
		row := MirrorProduct{ProductLink: l, Company: nameOf(l.Company)}
		if r := contents[l.Product]; r != nil {
			row.Product = r.Product
		}
		m.Products = append(m.Products, row)
	}
	for _, l := range c.Services {
		m.Services = append(m.Services, MirrorService{ServiceLink: l, Class: names.of("classe_servico", string(l.Class)),
			Company: nameOf(l.Company), Documents: names.documents(l.Documents)})
	}
	return nil
}

// names turns codes of the auxiliary tables into names.
type names struct {
	byCode map[[2]string]string
	kinds  map[certificate.DocumentCode]string
}

func namesOf(ctx context.Context, tx Tx) (names, error) {
	n := names{byCode: map[[2]string]string{}, kinds: map[certificate.DocumentCode]string{}}
	rules, err := findRules(ctx, tx)
	if err != nil || rules == nil {
		return n, err
	}
	t := rules.Tables
	for _, v := range t.Types {
		n.byCode[[2]string{"tipo", string(v.Code)}] = v.Name
	}
	for _, v := range t.Classes {
		n.byCode[[2]string{"classe", string(v.Code)}] = v.Name
	}
	for _, v := range t.ServiceClasses {
		n.byCode[[2]string{"classe_servico", string(v.Code)}] = v.Name
	}
	for _, v := range t.Roles {
		n.byCode[[2]string{"papel", string(v.Code)}] = v.Name
	}
	for _, v := range t.Countries {
		n.byCode[[2]string{"pais", string(v.Code)}] = v.Name
	}
	for _, v := range t.Documents {
		n.byCode[[2]string{"documento", string(v.Code)}] = v.Title
		n.kinds[v.Code] = v.Kind
	}
	return n, nil
}

func (n names) of(table, code string) string {
	if name := n.byCode[[2]string{table, code}]; name != "" {
		return name
	}
	return code
}

func (n names) documents(links []certificate.DocumentLink) []MirrorDocument {
	var list []MirrorDocument
	for _, l := range links {
		list = append(list, MirrorDocument{DocumentLink: l, Title: n.of("documento", string(l.Document)), Kind: n.kinds[l.Document]})
	}
	return list
}
