package certificate

import (
	"strconv"
	"strings"

	"selo/brasil"
	"selo/fault"
)

// importLicenceSince is the day from which a 1b certificate carries the number
// of the LI or LPCO of an imported lot (RGCP, Portaria Inmetro 200/2021, in force on it).
var importLicenceSince = mustDate("2021-06-01")

// Refs resolves what a certificate links to; ok is false when there is no such record.
type Refs interface {
	Company(ID) (*Company, bool)
	Product(ID) (imported bool, ok bool)
}

// Rules are the rules of the manual over one release of the auxiliary tables.
// A Rules is immutable and safe for concurrent use; its Tables must not change.
type Rules struct {
	Tables *Tables

	classes        map[ClassCode]*Class
	serviceClasses map[ServiceClassCode]*ServiceClass
	documents      map[DocumentCode]*Document
	types          map[TypeCode]string
	roles          map[RoleCode]string
	countries      map[CountryCode]bool
	offers         map[offerKey][]*Document
}

// offerKey is where a document may be entered; one of the classes is empty.
type offerKey struct {
	kind    TypeCode
	class   ClassCode
	service ServiceClassCode
}

// NewRules indexes the tables.
func NewRules(t *Tables) *Rules {
	r := &Rules{
		Tables:         t,
		classes:        make(map[ClassCode]*Class, len(t.Classes)),
		serviceClasses: make(map[ServiceClassCode]*ServiceClass, len(t.ServiceClasses)),
		documents:      make(map[DocumentCode]*Document, len(t.Documents)),
		types:          make(map[TypeCode]string, len(t.Types)),
		roles:          make(map[RoleCode]string, len(t.Roles)),
		countries:      make(map[CountryCode]bool, len(t.Countries)),
		offers:         map[offerKey][]*Document{},
	}
	for i := range t.Classes {
		r.classes[t.Classes[i].Code] = &t.Classes[i]
	}
	for i := range t.ServiceClasses {
		r.serviceClasses[t.ServiceClasses[i].Code] = &t.ServiceClasses[i]
	}
	for i := range t.Documents {
		d := &t.Documents[i]
		r.documents[d.Code] = d
		for _, o := range d.Offers {
			k := offerKey{o.Type, o.Class, o.ServiceClass}
			if n := len(r.offers[k]); n == 0 || r.offers[k][n-1] != d {
				r.offers[k] = append(r.offers[k], d)
			}
		}
	}
	for _, t := range t.Types {
		r.types[t.Code] = t.Name
	}
	for _, role := range t.Roles {
		r.roles[role.Code] = role.Name
	}
	for _, country := range t.Countries {
		r.countries[country.Code] = true
	}
	return r
}

// Class returns a Classe de Produto of the tables, or nil.
func (r *Rules) Class(code ClassCode) *Class { return r.classes[code] }

// Documents lists, in the order of the tables, what may be entered on day in a
// certificate of that type and class (manual 2.2.1.1 step 5).
func (r *Rules) Documents(t TypeCode, c ClassCode, day brasil.Date) []Document {
	return r.offered(offerKey{kind: t, class: c}, day)
}

// ServiceDocuments is the same for a service of a certificate (step 8.6).
func (r *Rules) ServiceDocuments(t TypeCode, s ServiceClassCode, day brasil.Date) []Document {
	return r.offered(offerKey{kind: t, service: s}, day)
}

// TypesFor lists the types of certificate that have documents for the class on
// day, so that nobody has to try them one after the other (FAQ 3.7).
func (r *Rules) TypesFor(c ClassCode, day brasil.Date) []CertificateType {
	var types []CertificateType
	for _, t := range r.Tables.Types {
		if len(r.Documents(t.Code, c, day)) > 0 {
			types = append(types, t)
		}
	}
	return types
}

func (r *Rules) offered(k offerKey, day brasil.Date) []Document {
	var list []Document
	for _, d := range r.offers[k] {
		if d.offeredOn(k, day) {
			list = append(list, *d)
		}
	}
	return list
}

func (d *Document) offeredOn(k offerKey, day brasil.Date) bool {
	for i := range d.Offers {
		o := &d.Offers[i]
		if (offerKey{o.Type, o.Class, o.ServiceClass}) == k && o.Holds(day) {
			return true
		}
	}
	return false
}

// Check names every rule that stands between a revision and its approval, and
// between a remessa and the official base: both sides call it and nothing else.
// prev is the state that froze, nil when there is none; refs may be nil for
// companies and products. The result is empty when all is well.
//
// What the auxiliary tables say is asked of what is new or changed against
// prev only: a class that was lost or a document that is offered no more
// does not block the certificates that have it.
//
// It does not look at Number, Previous and ApprovedAt, which approval fills in
// afterwards: see [Revision.CheckChain].
func (r *Rules) Check(next, prev *Revision, refs Refs, today brasil.Date) []fault.Problem {
	var p problems
	p.identity(next)
	if next.Body != r.Tables.Body {
		p.add("organismo", "revision.body", "organismo", excerpt(string(next.Body)), "esperado", string(r.Tables.Body))
	}
	if prev != nil && (prev.ID != next.ID || prev.Body != next.Body || prev.Kind() != next.Kind()) {
		p.add("id", "revision.other_record", "anterior", prev.Label())
		return p.named(next.Label)
	}
	p.content(next, today)
	switch next.Kind() {
	case KindCertificate:
		r.checkCertificate(&p, next, prev, refs)
	case KindCompany:
		r.checkCompany(&p, next, prev)
	case KindProduct:
		p.productMissing(next.Product)
		if prev != nil {
			p = append(p, CheckProductChange(prev.Product, next.Product)...)
		}
	}
	return p.named(next.Label)
}

func (r *Rules) checkCompany(p *problems, next, prev *Revision) {
	c := next.Company
	p.companyMissing(c)
	changed := prev == nil || prev.Company.Country != c.Country
	if changed && isCountryCode(c.Country) && !r.countries[c.Country] {
		p.add("pais", "company.country.unknown", "pais", string(c.Country))
	}
	if prev != nil {
		*p = append(*p, CheckCompanyChange(prev.Company, c)...)
	}
}

func (r *Rules) checkCertificate(p *problems, next, prev *Revision, refs Refs) {
	c := next.Certificate
	r.pending(p, c)
	var was *Certificate
	if prev != nil {
		was = prev.Certificate
	}
	r.checkTables(p, c, was)
	r.checkContent(p, c)
	checkLinks(p, c, refs)
	if was != nil {
		p.certificateChange(was, c, next.Justifications)
	}
}

// CheckChain names what is wrong with the revision's place in its chain: its
// number, the hash of the revision before it (zero when prev is nil) and the
// time of approval, which is in whole seconds UTC.
func (r *Revision) CheckChain(prev *Revision, prevHash Hash) []fault.Problem {
	var p problems
	number := 1
	if prev != nil {
		number = prev.Number + 1
	}
	if r.Number != number {
		p.add("revisao", "revision.number", "numero", strconv.Itoa(r.Number), "esperado", strconv.Itoa(number))
	}
	if r.Previous != prevHash {
		p.add("anterior", "revision.previous", "anterior", r.Previous.String(), "esperado", prevHash.String())
	}
	if _, offset := r.ApprovedAt.Zone(); r.ApprovedAt.IsZero() || r.ApprovedAt.Nanosecond() != 0 || offset != 0 {
		p.add("aprovada_em", "revision.approved_at")
	}
	return p.named(r.Label)
}

func (r *Rules) typeName(t TypeCode) string { return nameOr(r.types[t], string(t)) }

func (r *Rules) roleName(role RoleCode) string { return nameOr(r.roles[role], string(role)) }

func nameOr(name, code string) string {
	if name == "" {
		return excerpt(code)
	}
	return name
}

// typesOffering names the types of certificate in which the document may be
// entered on day for the class of k (FAQ 3.7).
func (r *Rules) typesOffering(d *Document, k offerKey, day brasil.Date) string {
	var names []string
	for _, t := range r.Tables.Types {
		if k.kind = t.Code; d.offeredOn(k, day) {
			names = append(names, r.typeName(t.Code))
		}
	}
	return strings.Join(names, "; ")
}

func mustDate(s string) brasil.Date {
	d, err := brasil.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}
