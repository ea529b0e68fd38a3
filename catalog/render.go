package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"selo/brasil"
	"selo/certificate"

	"github.com/google/uuid"
)

// sink takes finished rows.
type sink interface {
	put(t *table, row []any) error
}

// resolver finds what a certificate links to, of the same body.
type resolver interface {
	company(body certificate.Sigla, id certificate.ID) (companyRef, error)
	product(body certificate.Sigla, id certificate.ID) (productRef, error)
}

// companyRef and productRef are what a certificate's rows need of the records it links to.
type companyRef struct {
	id    int64  // ledger index
	name  string // as shown
	words string // for the index
	marks string // for the facets: UF, country, CNPJ (see companyMarks)
	place string // words of the country for the index, of companies abroad
}

type productRef struct {
	id           int64
	brand, model string // words for the index
	details      string // words of the description for the index
	shown        string // as shownProduct gives it
	mark         string // for the facets: made in Brazil or imported
}

// renderer turns revisions into rows. It is used by one goroutine.
type renderer struct {
	names *names
	today int64 // the publication's day, YYYYMMDD
	out   sink
	refs  resolver
	text  indexText
	ready readyText

	covered coverage // what was read of each body
}

// decode reads an accepted revision; what the registry accepted is canonical.
func decode(e Entry) (*certificate.Revision, error) {
	var r certificate.Revision
	if err := json.Unmarshal(e.Canonical, &r); err != nil {
		return nil, fmt.Errorf("decode revision %d: %w", e.Index, err)
	}
	return &r, nil
}

// putCompany renders a company.
func (r *renderer) putCompany(e Entry) (certificate.ID, companyRef, error) {
	rev, err := decode(e)
	if err != nil {
		return "", companyRef{}, err
	}
	if rev.Company == nil {
		return "", companyRef{}, fmt.Errorf("revision %d is not of a company", e.Index)
	}
	view := r.companyView(rev.ID, rev.Company)
	data, err := encode(view)
	if err != nil {
		return "", companyRef{}, err
	}
	row := []any{e.Index, idBytes(rev.ID), string(e.Body), string(view.CNPJ), string(data)}
	if err := r.putSince(e, rev); err != nil {
		return "", companyRef{}, err
	}
	return rev.ID, view.ref(e.Index), r.out.put(tableCompany, row)
}

// companyView drops what the public does not see.
func (r *renderer) companyView(id certificate.ID, c *certificate.Company) *CompanyView {
	v := &CompanyView{ID: id, Person: c.Person, Name: c.Name, TradeName: c.TradeName, City: c.City, UF: c.UF,
		Country: Named{string(c.Country), r.names.country(c.Country)}}
	if c.Person == certificate.Natural {
		v.CPF = c.CPF.Hidden()
		return v
	}
	v.CNPJ, v.Street, v.Number, v.Complement, v.District, v.CEP = c.CNPJ, c.Street, c.Number, c.Complement, c.District, c.CEP
	return v
}

func (c *CompanyView) ref(index int64) companyRef {
	return companyRef{id: index, name: c.shownName(), words: companyWords(c), marks: companyMarks(c), place: placeWords(c)}
}

// putProduct renders a product and its GTINs.
func (r *renderer) putProduct(e Entry) (certificate.ID, productRef, error) {
	rev, err := decode(e)
	if err != nil {
		return "", productRef{}, err
	}
	if rev.Product == nil {
		return "", productRef{}, fmt.Errorf("revision %d is not of a product", e.Index)
	}
	p := rev.Product
	if err := r.putSince(e, rev); err != nil {
		return "", productRef{}, err
	}
	for _, g := range p.GTINs {
		n, err := strconv.ParseInt(string(g), 10, 64)
		if err != nil {
			continue // an old code that is no number can be read, not looked up
		}
		if err := r.out.put(tableGTIN, []any{e.Index, n}); err != nil {
			return "", productRef{}, err
		}
	}
	row := productRow(e, rev)
	codes := text(row[9])
	ref := productRef{id: e.Index, mark: markOrigin(p.Imported), shown: shownProduct(p.Brand, p.Model, p.Imported, p.CommercialName, p.Family, p.Description, codes)}
	ref.brand, ref.model = productWords(p.Brand, p.Model, p.CommercialName, p.Family)
	ref.details = detailWords(p.Description)
	return rev.ID, ref, r.out.put(tableProduct, row)
}

// productRow is a product's row in the table produto.
func productRow(e Entry, rev *certificate.Revision) []any {
	p := rev.Product
	imported := int64(0)
	if p.Imported {
		imported = 1
	}
	gtins := make([]string, len(p.GTINs))
	for i, g := range p.GTINs {
		gtins[i] = string(g)
	}
	return []any{e.Index, idBytes(rev.ID), string(e.Body), p.Brand, p.Model, imported, p.CommercialName, p.Family,
		p.Description, strings.Join(gtins, ";"), productKey(p.Brand, p.Model)}
}

// putCertificate renders a certificate, its links and its index row.
func (r *renderer) putCertificate(e Entry) error {
	rev, err := decode(e)
	if err != nil {
		return err
	}
	c := rev.Certificate
	if c == nil {
		return fmt.Errorf("revision %d is not of a certificate", e.Index)
	}
	sheet, reason := r.sheet(e, rev)
	t := &r.text
	t.reset()
	r.ready.begin(situationNumber(c.Situation), dayNumber(c.ValidUntil), reason)
	applicant, err := r.putParties(e, c)
	if err != nil {
		return err
	}
	r.ready.endParties()
	if sheet.Products, err = r.putLinks(e, c); err != nil {
		return err
	}
	data, err := encode(sheet)
	if err != nil {
		return err
	}
	if err := r.out.put(tableSheet, []any{e.Index, string(data), r.ready.end(rev.ID)}); err != nil {
		return err
	}
	row := certificateRow{id: e.Index, body: string(e.Body), number: c.Number, situation: situationNumber(c.Situation),
		issued: dayNumber(c.IssuedOn), valid: dayNumber(c.ValidUntil), kind: string(c.Type), class: string(c.Class),
		reason: reason, applicant: applicant, products: int64(sheet.Products)}
	row.expired = row.isExpired(r.today)
	row.facets = string(t.facet.text)
	if rev.Number < 2 { // of the others their chain tells: see putChain
		if err := r.putEvent(e, eventOf(nil, c), c); err != nil {
			return err
		}
	}
	if err := r.out.put(tableCertificate, row.fields()); err != nil {
		return err
	}
	t.sheet(sheet)
	t.filters(&row)
	return r.out.put(tableIndex, t.row(e.Index))
}

// putParties renders the companies of a certificate and returns the applicant's
// name: the active solicitante, else the first active company.
func (r *renderer) putParties(e Entry, c *certificate.Certificate) (string, error) {
	var p partyNames
	for i, link := range c.Companies {
		ref, err := r.refs.company(e.Body, link.Company)
		if err != nil {
			return "", fmt.Errorf("certificate at %d: %w", e.Index, err)
		}
		row := []any{e.Index, int64(i), ref.id, string(link.Role), situationNumber(link.Situation), dayNumber(link.EnteredOn)}
		if err := r.out.put(tableParticipant, row); err != nil {
			return "", err
		}
		if link.Situation == certificate.Active {
			p.add(ref.name, link.Role)
			r.text.company(ref, link.Role)
			r.ready.party(link.Role, r.names.role(link.Role), dayNumber(link.EnteredOn), ref.id)
		}
	}
	return p.applicant(), nil
}

// partyNames chooses the applicant among active companies.
type partyNames struct{ first, chosen string }

func (p *partyNames) add(name string, role certificate.RoleCode) {
	if p.first == "" {
		p.first = name
	}
	if p.chosen == "" && role == certificate.Applicant {
		p.chosen = name
	}
}

func (p *partyNames) applicant() string { return orCode(p.chosen, p.first) }

// putLinks renders the products of a certificate and counts the active ones.
func (r *renderer) putLinks(e Entry, c *certificate.Certificate) (int, error) {
	active := 0
	var company companyRef
	for i := range c.Products {
		link := &c.Products[i]
		product, err := r.refs.product(e.Body, link.Product)
		if err != nil {
			return 0, fmt.Errorf("certificate at %d: %w", e.Index, err)
		}
		if i == 0 || link.Company != c.Products[i-1].Company { // runs of one company are the rule
			if company, err = r.refs.company(e.Body, link.Company); err != nil {
				return 0, fmt.Errorf("certificate at %d: %w", e.Index, err)
			}
		}
		row := []any{e.Index, int64(i), product.id, company.id, situationNumber(link.Situation), string(link.Modality),
			link.Lot, link.Quantity, link.Serial, link.ImportLicence, dayNumber(link.EnteredOn)}
		if err := r.out.put(tableLink, row); err != nil {
			return 0, err
		}
		if link.Situation == certificate.Active {
			active++
			r.text.product(product)
			r.text.link(link.Lot, link.Serial, link.ImportLicence)
			r.ready.product(int64(i), product.shown, linkText{company: company.id, modality: string(link.Modality), lot: link.Lot,
				quantity: link.Quantity, serial: link.Serial, licence: link.ImportLicence, entered: dayNumber(link.EnteredOn)})
		}
	}
	return active, nil
}

// sheet renders the ready-made part, and the reason why the certificate is off
// the Web: its class is disabled, or each of its services' classes is (FAQ 3.22 D).
func (r *renderer) sheet(e Entry, rev *certificate.Revision) (*Sheet, string) {
	c := rev.Certificate
	s := &Sheet{
		ID: rev.ID, Body: BodyView{e.Body, r.names.body(e.Body)}, Number: c.Number,
		Type: Named{string(c.Type), r.names.kind(c.Type)}, Class: Named{string(c.Class), r.names.class(c.Class)},
		Model: c.Model, IssuedOn: c.IssuedOn, ValidUntil: c.ValidUntil, Signatories: c.Signatories,
		Laboratory: c.Laboratory, ReportNumber: c.ReportNumber, Remarks: c.Remarks,
		Documents: r.documents(c.Documents), Services: []ServiceView{}, Path: Path(e.Body, c.Number),
		Revision: RevisionView{rev.Number, rev.ApprovedAt, e.AcceptedAt.UTC(), e.Index, e.Hash},
	}
	class, known := r.names.classes[c.Class]
	reason := class.Disabled
	if !known {
		reason = string(c.Class)
	}
	off := ""
	for i := range c.Services {
		link := &c.Services[i]
		switch disabled := r.names.services[link.Class].Disabled; {
		case disabled != "":
			off = disabled
		case link.Situation == certificate.Active:
			s.Services = append(s.Services, ServiceView{Class: Named{string(link.Class), r.names.service(link.Class)},
				Description: link.Description, EnteredOn: link.EnteredOn, Company: link.Company, Documents: r.documents(link.Documents)})
		}
	}
	if reason == "" && len(s.Services) == 0 && len(c.Products) == 0 {
		reason = off
	}
	return s, reason
}

func (r *renderer) documents(links []certificate.DocumentLink) []DocumentView {
	views := make([]DocumentView, 0, len(links))
	for _, l := range links {
		d := r.names.documents[l.Document]
		views = append(views, DocumentView{l.Document, orCode(d.Title, string(l.Document)), d.Kind, l.Situation, l.EnteredOn})
	}
	return views
}

// certificateRow is a row of the table certificado.
type certificateRow struct {
	id                                int64
	body, number                      string
	situation, expired, issued, valid int64
	kind, class, reason, applicant    string
	products                          int64
	facets                            string // only where they are written
}

func (c *certificateRow) fields() []any {
	return []any{c.id, c.body, c.number, compactNumber(c.number), c.situation, c.expired, c.issued, c.valid,
		c.kind, c.class, c.reason, c.applicant, c.products, c.facets}
}

// isExpired is 1 when an active certificate's validity ended before the day.
func (c *certificateRow) isExpired(day int64) int64 {
	if c.situation == activeNumber && c.valid != 0 && c.valid < day {
		return 1
	}
	return 0
}

// Path is the page of a certificate: "/certificados/CCB/FB-BRIN-108%2F17.001".
func Path(body certificate.Sigla, number string) string {
	return "/certificados/" + url.PathEscape(string(body)) + "/" + url.PathEscape(number)
}

// idBytes is how rows keep an ID: the 16 bytes of a UUID; the SHA-256 of anything else.
func idBytes(id certificate.ID) []byte {
	if u, err := uuid.Parse(string(id)); err == nil && u.String() == string(id) {
		return u[:]
	}
	sum := sha256.Sum256([]byte(id))
	return sum[:]
}

// compactNumber is a certificate's number as it is looked up: letter case,
// accents and punctuation do not count; a number of punctuation only stays.
func compactNumber(number string) string {
	return orCode(brasil.Compact(number), strings.ToLower(brasil.Squeeze(number)))
}

// productKey finds products by brand and model whatever their case, accents
// and punctuation: 64 bits of a SHA-256; whoever finds compares the words.
func productKey(brand, model string) int64 {
	sum := sha256.Sum256([]byte(compactNumber(brand) + "\x00" + compactNumber(model)))
	var n uint64
	for _, b := range sum[:8] {
		n = n<<8 | uint64(b)
	}
	return int64(n)
}

// encode writes JSON for the wire; the API sets its own content type, so HTML is not escaped.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode public view: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}
