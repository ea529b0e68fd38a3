package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/fault"
	"selo/registry"
)

// names are the words for codes, of one publication.
type names struct {
	publication int64
	bodies      map[certificate.Sigla]string
	classes     map[certificate.ClassCode]certificate.Class
	services    map[certificate.ServiceClassCode]certificate.ServiceClass
	documents   map[certificate.DocumentCode]certificate.Document
	types       map[certificate.TypeCode]string
	roles       map[certificate.RoleCode]string
	countries   map[certificate.CountryCode]string
}

// namesOf gives the words of a publication; they are read once for each.
func (s *Server) namesOf(p registry.Publication) (*names, error) {
	if n := s.names.Load(); n != nil && n.publication == p.Number {
		return n, nil
	}
	var ref catalog.Reference
	if err := json.Unmarshal(p.Reference, &ref); err != nil {
		return nil, fmt.Errorf("read reference of publication %d: %w", p.Number, err)
	}
	n := &names{publication: p.Number, bodies: ref.Bodies,
		classes: map[certificate.ClassCode]certificate.Class{}, services: map[certificate.ServiceClassCode]certificate.ServiceClass{},
		documents: map[certificate.DocumentCode]certificate.Document{}, types: map[certificate.TypeCode]string{},
		roles: map[certificate.RoleCode]string{}, countries: map[certificate.CountryCode]string{}}
	for _, c := range ref.Tables.Classes {
		n.classes[c.Code] = c
	}
	for _, c := range ref.Tables.ServiceClasses {
		n.services[c.Code] = c
	}
	for _, d := range ref.Tables.Documents {
		n.documents[d.Code] = d
	}
	for _, t := range ref.Tables.Types {
		n.types[t.Code] = t.Name
	}
	for _, r := range ref.Tables.Roles {
		n.roles[r.Code] = r.Name
	}
	for _, c := range ref.Tables.Countries {
		n.countries[c.Code] = c.Name
	}
	s.names.Store(n)
	return n, nil
}

// named is a code with its word; a code without a word is its own.
func named[K ~string](code K, word string) catalog.Named {
	if word == "" {
		word = string(code)
	}
	return catalog.Named{Code: string(code), Name: word}
}

// certificateAt answers with a certificate as it stood when a day ended in
// Brasília, in the form and with the omissions of the catalog's view of today:
// only active companies, products and services, nothing private. Words for
// codes are today's.
func (s *Server) certificateAt(ctx context.Context, body certificate.Sigla, number string, day brasil.Date, q catalog.ProductQuery) (*Certificate, error) {
	if day.After(brasil.Today(s.deps.Clock.Now())) {
		return nil, fault.New(fault.Invalid, "api.future", "data", day.Brazilian())
	}
	after, err := readPlace(q.Cursor)
	if err != nil {
		return nil, err
	}
	if q.Text != "" {
		return nil, fault.WithProblems("api.parameters", []fault.Problem{
			{Field: "q", Code: "api.parameter.value", Args: fault.Pairs("parametro", "q")}})
	}
	if q.Limit == 0 {
		q.Limit = catalog.DefaultProducts
	}
	var out *Certificate
	err = s.read(ctx, func(tx registry.Tx) error {
		p, err := published(ctx, tx)
		if err != nil {
			return err
		}
		words, err := s.namesOf(p)
		if err != nil {
			return err
		}
		view, err := registry.CertificateAt(ctx, tx, body, number, day, p.Head.Size)
		if err != nil {
			return err
		}
		out = words.certificate(view, day)
		out.Publication = p.Number
		links, next := activePage(view.Revision.Certificate.Products, after, q.Limit)
		products, err := view.Products(ctx, tx, links)
		if err != nil {
			return err
		}
		out.Listed, out.Next = words.products(view, links, products), next
		return nil
	})
	return out, err
}

// readPlace reads the cursor of a past certificate's products: how many links are behind.
func readPlace(cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(cursor)
	if err != nil || n < 1 || strconv.Itoa(n) != cursor {
		return 0, fault.New(fault.Invalid, "search.cursor")
	}
	return n, nil
}

// activePage takes up to limit active links from a place on, and the cursor of the rest.
func activePage(all []certificate.ProductLink, after, limit int) (page []certificate.ProductLink, next string) {
	for i := after; i < len(all); i++ {
		if all[i].Situation != certificate.Active {
			continue
		}
		if len(page) == limit {
			return page, strconv.Itoa(i)
		}
		page = append(page, all[i])
	}
	return page, ""
}

// certificate makes the public view but for the products.
func (n *names) certificate(v registry.View, day brasil.Date) *Certificate {
	r, c := v.Revision, v.Revision.Certificate
	out := &Certificate{At: day, Listed: []catalog.ProductView{}}
	out.Situation = string(c.Situation)
	if c.Situation == certificate.Active && c.Expired(day) {
		out.Situation = "expirado"
	}
	out.Sheet = catalog.Sheet{
		ID: r.ID, Body: catalog.BodyView{Sigla: r.Body, Name: named(r.Body, n.bodies[r.Body]).Name}, Number: c.Number,
		Type: named(c.Type, n.types[c.Type]), Class: named(c.Class, n.classes[c.Class].Name), Model: c.Model,
		IssuedOn: c.IssuedOn, ValidUntil: c.ValidUntil, Signatories: c.Signatories, Laboratory: c.Laboratory,
		ReportNumber: c.ReportNumber, Remarks: c.Remarks, Documents: n.documentViews(c.Documents),
		Services: n.serviceViews(c.Services), Path: catalog.Path(r.Body, c.Number),
		Revision: catalog.RevisionView{Number: r.Number, ApprovedAt: r.ApprovedAt, AcceptedAt: v.Accepted.AcceptedAt.UTC(),
			Index: v.Accepted.Index, Hash: v.Accepted.Hash},
	}
	out.Parties = []catalog.PartyView{}
	for _, l := range c.Companies {
		if l.Situation == certificate.Active {
			out.Parties = append(out.Parties, catalog.PartyView{Role: named(l.Role, n.roles[l.Role]), EnteredOn: l.EnteredOn,
				CompanyView: n.company(l.Company, v.Companies[l.Company])})
		}
	}
	for _, l := range c.Products {
		if l.Situation == certificate.Active {
			out.Products++
		}
	}
	if class := n.classes[c.Class]; class.Disabled != "" {
		out.Hidden = class.Disabled
	}
	return out
}

// company drops what the public does not see (Lei 13.709/2018).
func (n *names) company(id certificate.ID, c *certificate.Company) catalog.CompanyView {
	if c == nil {
		return catalog.CompanyView{ID: id}
	}
	view := catalog.CompanyView{ID: id, Person: c.Person, Name: c.Name, TradeName: c.TradeName, City: c.City, UF: c.UF,
		Country: named(c.Country, n.countries[c.Country])}
	if c.Person == certificate.Natural {
		view.CPF = c.CPF.Hidden()
		return view
	}
	view.CNPJ, view.Street, view.Number, view.Complement = c.CNPJ, c.Street, c.Number, c.Complement
	view.District, view.CEP = c.District, c.CEP
	return view
}

func (n *names) documentViews(links []certificate.DocumentLink) []catalog.DocumentView {
	views := make([]catalog.DocumentView, 0, len(links))
	for _, l := range links {
		d := n.documents[l.Document]
		views = append(views, catalog.DocumentView{Code: l.Document, Title: named(l.Document, d.Title).Name, Kind: d.Kind,
			Situation: l.Situation, EnteredOn: l.EnteredOn})
	}
	return views
}

func (n *names) serviceViews(links []certificate.ServiceLink) []catalog.ServiceView {
	views := []catalog.ServiceView{}
	for _, l := range links {
		class := n.services[l.Class]
		if l.Situation == certificate.Active && class.Disabled == "" {
			views = append(views, catalog.ServiceView{Class: named(l.Class, class.Name), Description: l.Description,
				EnteredOn: l.EnteredOn, Company: l.Company, Documents: n.documentViews(l.Documents)})
		}
	}
	return views
}

func (n *names) products(v registry.View, links []certificate.ProductLink, products map[certificate.ID]*certificate.Product) []catalog.ProductView {
	views := make([]catalog.ProductView, 0, len(links))
	for _, l := range links {
		p := products[l.Product]
		if p == nil {
			p = &certificate.Product{}
		}
		view := catalog.ProductView{Brand: p.Brand, Model: p.Model, Imported: p.Imported, CommercialName: p.CommercialName,
			Family: p.Family, Description: p.Description, Modality: l.Modality, Lot: l.Lot, Quantity: l.Quantity,
			Serial: l.Serial, ImportLicence: l.ImportLicence, EnteredOn: l.EnteredOn}
		for _, g := range p.GTINs {
			view.GTINs = append(view.GTINs, string(g))
		}
		company := n.company(l.Company, v.Companies[l.Company])
		view.Company = catalog.CompanyName{ID: company.ID, CNPJ: company.CNPJ, Name: company.Name}
		if view.Company.Name == "" {
			view.Company.Name = company.TradeName
		}
		views = append(views, view)
	}
	return views
}
