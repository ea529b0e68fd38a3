package certificate

import "selo/brasil"

// checkTables holds next against the auxiliary tables, wherever it is new or
// changed against prev (nil: everything is new).
func (r *Rules) checkTables(p *problems, next, prev *Certificate) {
	if prev == nil {
		prev = &Certificate{}
	}
	if next.Type != prev.Type && next.Type != "" {
		if _, ok := r.types[next.Type]; !ok {
			p.add("tipo", "certificate.type.unknown", "tipo", excerpt(string(next.Type)))
		}
	}
	if next.Class != prev.Class && next.Class != "" {
		r.checkClass(p, next)
	}
	r.checkDocuments(p, "", offerKey{kind: next.Type, class: next.Class}, prev.Documents, next.Documents)
	m := matchCompanies(prev.Companies, next.Companies)
	for j, i := range m.from {
		role := next.Companies[j].Role
		if role == "" || i >= 0 && prev.Companies[i].Role == role {
			continue
		}
		if _, ok := r.roles[role]; !ok {
			p.add(path("empresas", j, "papel"), "certificate.role.unknown", "papel", excerpt(string(role)))
		}
	}
	r.checkServices(p, next, prev)
}

// checkClass demands that the body was accredited for the class on the day of
// issue (FAQ 3.10).
func (r *Rules) checkClass(p *problems, c *Certificate) {
	class := r.classes[c.Class]
	if class == nil {
		p.add("classe", "certificate.class.unknown", "classe", excerpt(string(c.Class)))
		return
	}
	if !c.IssuedOn.IsZero() && !accredited(class.Scopes, c.IssuedOn) {
		p.add("classe", "certificate.class.not_accredited", "classe", class.Name, "data", c.IssuedOn.String())
	}
}

// checkServices does for services what checkClass and checkDocuments do for
// the certificate; the day that counts is the service's entry.
func (r *Rules) checkServices(p *problems, next, prev *Certificate) {
	m := matchServices(prev.Services, next.Services)
	for j, i := range m.from {
		l := &next.Services[j]
		was := &ServiceLink{}
		if i >= 0 {
			was = &prev.Services[i]
		}
		if l.Class != "" && (l.Class != was.Class || l.EnteredOn != was.EnteredOn) {
			class := r.serviceClasses[l.Class]
			switch {
			case class == nil:
				p.add(path("servicos", j, "classe"), "service.class.unknown", "classe", excerpt(string(l.Class)))
			case !l.EnteredOn.IsZero() && !accredited(class.Scopes, l.EnteredOn):
				p.add(path("servicos", j, "classe"), "service.class.not_accredited",
					"classe", class.Name, "data", l.EnteredOn.String())
			}
		}
		r.checkDocuments(p, element("servicos", j)+".", offerKey{kind: next.Type, service: l.Class},
			was.Documents, l.Documents)
	}
}

// checkDocuments demands that each document is offered for type and class on
// the day of its entry (manual 2.2.1.1 step 5, FAQ 3.7), and says which of
// the three does not fit.
func (r *Rules) checkDocuments(p *problems, prefix string, k offerKey, prev, next []DocumentLink) {
	if k.kind == "" || k.class == "" && k.service == "" {
		return // that is pending, and until then nothing fits
	}
	m := matchDocuments(prev, next)
	for j, i := range m.from {
		l := &next[j]
		if l.Document == "" || l.EnteredOn.IsZero() || i >= 0 && prev[i].EnteredOn == l.EnteredOn {
			continue
		}
		field := path(prefix+"documentos", j, "documento")
		d := r.documents[l.Document]
		if d == nil {
			p.add(field, "certificate.document.unknown", "documento", excerpt(string(l.Document)))
			continue
		}
		if d.offeredOn(k, l.EnteredOn) {
			continue
		}
		if d.offeredEver(k) {
			p.add(field, "certificate.document.period", "documento", d.Title, "data", l.EnteredOn.String())
		} else if types := r.typesOffering(d, k, l.EnteredOn); types != "" {
			p.add(field, "certificate.document.other_type",
				"documento", d.Title, "tipo", r.typeName(k.kind), "tipos", types)
		} else {
			p.add(field, "certificate.document.not_offered", "documento", d.Title)
		}
	}
}

func (d *Document) offeredEver(k offerKey) bool {
	for i := range d.Offers {
		if o := &d.Offers[i]; (offerKey{o.Type, o.Class, o.ServiceClass}) == k {
			return true
		}
	}
	return false
}

// checkContent keeps services in the class "Serviço" and products in the
// others (FAQ 3.9).
func (r *Rules) checkContent(p *problems, c *Certificate) {
	class := r.classes[c.Class]
	switch {
	case class == nil:
	case class.Service && len(c.Products) > 0:
		p.add("produtos", "certificate.products.in_service_class", "classe", class.Name)
	case !class.Service && len(c.Services) > 0:
		p.add("servicos", "certificate.services.in_product_class", "classe", class.Name)
	}
}

// checkLinks holds the certificate's links against each other and against the
// records they stand for: every company and product exists, everything hangs
// on a company of this certificate, active things on an active one (manual 2.2.1.4).
func checkLinks(p *problems, c *Certificate, refs Refs) {
	if refs == nil {
		refs = noRefs{}
	}
	owners := checkCompanies(p, c.Companies, refs)
	licence := c.needsImportLicence()
	for i := range c.Products {
		l := &c.Products[i]
		if l.Product != "" {
			imported, ok := refs.Product(l.Product)
			if !ok {
				p.add(path("produtos", i, "produto"), "product.unknown", "produto", excerpt(string(l.Product)))
			}
			if licence && imported && l.Modality == ByLot && l.Situation != Cancelled && blank(l.ImportLicence) {
				p.add(path("produtos", i, "licenca_importacao"), "product.import_licence.required")
			}
		}
		o, listed := owners[l.Company]
		switch {
		case l.Company == "":
		case !listed:
			p.add(path("produtos", i, "empresa"), "product.company.absent", "empresa", excerpt(string(l.Company)))
		case l.Situation == Active && !o.active:
			p.add(path("produtos", i, "empresa"), "product.company.inactive", "empresa", o.name)
		}
	}
	for i := range c.Services {
		l := &c.Services[i]
		o, listed := owners[l.Company]
		switch {
		case l.Company == "":
		case !listed:
			p.add(path("servicos", i, "empresa"), "service.company.absent", "empresa", excerpt(string(l.Company)))
		case l.Situation == Active && !o.active:
			p.add(path("servicos", i, "empresa"), "service.company.inactive", "empresa", o.name)
		}
	}
}

// owner is what a product or service needs to know of a company of its certificate.
type owner struct {
	name   string // its ID when the record is missing
	active bool   // in any role
}

func checkCompanies(p *problems, links []CompanyLink, refs Refs) map[ID]owner {
	owners := make(map[ID]owner, len(links))
	for i := range links {
		l := &links[i]
		if l.Company == "" {
			continue
		}
		o, seen := owners[l.Company]
		if !seen {
			o.name = excerpt(string(l.Company))
			if company, ok := refs.Company(l.Company); ok {
				o.name = excerpt(company.Name)
			} else {
				p.add(path("empresas", i, "empresa"), "certificate.company.unknown", "empresa", o.name)
			}
		}
		o.active = o.active || l.Situation == Active
		owners[l.Company] = o
	}
	return owners
}

// needsImportLicence tells whether imported lots carry an LI or LPCO number.
// Where no model was recorded, a certificate of lots only counts as 1b.
func (c *Certificate) needsImportLicence() bool {
	return (c.Model == ModelLot || c.Model == "" && c.IsLot()) &&
		!c.IssuedOn.IsZero() && !c.IssuedOn.Before(importLicenceSince)
}

func accredited(scopes []Period, day brasil.Date) bool {
	for _, s := range scopes {
		if s.Holds(day) {
			return true
		}
	}
	return false
}

// noRefs is a world without records.
type noRefs struct{}

func (noRefs) Company(ID) (*Company, bool)    { return nil, false }
func (noRefs) Product(ID) (imported, ok bool) { return false, false }
