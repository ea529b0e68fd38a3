package certificate

import (
	"selo/brasil"
	"selo/fault"
)

// Pending names what a certificate still lacks to be complete (manual 2.4.1,
// 2.4.2): the mandatory general fields, a normative document, a company, a
// product or service, what each of them needs, and the roles that its class
// demands (RGCP; Portaria 118/2015 named Fabricante and Solicitante).
//
// Links count whatever their situation, since none is ever taken out; a role
// is filled by a company that is not cancelled, except in a cancelled certificate.
func (r *Rules) Pending(c *Certificate) []fault.Problem {
	var p problems
	r.pending(&p, c)
	return p.named(c.label)
}

func (r *Rules) pending(p *problems, c *Certificate) {
	p.generalMissing(c)
	p.documentsMissing("documentos", c.Documents)
	for i := range c.Companies {
		p.companyLinkMissing(i, &c.Companies[i])
	}
	for i := range c.Products {
		p.productLinkMissing(i, &c.Products[i])
	}
	for i := range c.Services {
		p.serviceLinkMissing(i, &c.Services[i])
	}
	r.rolesMissing(p, c)
}

// generalMissing checks Dados Gerais and that each tab has something (2.4.2).
// A service certificate's documents are those of its services (2.2.1.1 step 8.6).
func (p *problems) generalMissing(c *Certificate) {
	if blank(c.Number) {
		p.add("numero", "certificate.number.required")
	}
	if c.IssuedOn.IsZero() {
		p.add("data_emissao", "certificate.issued.required")
	}
	if c.ValidUntil.IsZero() && !c.IsLot() {
		p.add("data_validade", "certificate.valid_until.required")
	}
	if c.Type == "" {
		p.add("tipo", "certificate.type.required")
	}
	if c.Class == "" {
		p.add("classe", "certificate.class.required")
	}
	if c.Situation == "" {
		p.add("situacao", "situation.required")
	}
	documents := len(c.Documents)
	for i := range c.Services {
		documents += len(c.Services[i].Documents)
	}
	if documents == 0 {
		p.add("documentos", "certificate.documents.required")
	}
	if len(c.Companies) == 0 {
		p.add("empresas", "certificate.companies.required")
	}
	if len(c.Products)+len(c.Services) == 0 {
		p.add("produtos", "certificate.content.required")
	}
}

func (p *problems) documentsMissing(list string, links []DocumentLink) {
	for i := range links {
		if links[i].Document == "" {
			p.add(path(list, i, "documento"), "certificate.document.required")
		}
		p.linkMissing(list, i, links[i].Situation, links[i].EnteredOn)
	}
}

func (p *problems) companyLinkMissing(i int, l *CompanyLink) {
	const list = "empresas"
	if l.Company == "" {
		p.add(path(list, i, "empresa"), "certificate.company.required")
	}
	if l.Role == "" {
		p.add(path(list, i, "papel"), "certificate.role.required")
	}
	p.linkMissing(list, i, l.Situation, l.EnteredOn)
}

// productLinkMissing checks the mandatory fields of each tab (2.2.1.1 step 7.4).
func (p *problems) productLinkMissing(i int, l *ProductLink) {
	const list = "produtos"
	if l.Product == "" {
		p.add(path(list, i, "produto"), "product.required")
	}
	if l.Company == "" {
		p.add(path(list, i, "empresa"), "product.company.required")
	}
	switch l.Modality {
	case "":
		p.add(path(list, i, "modalidade"), "product.modality.required")
	case ByLot:
		if blank(l.Lot) {
			p.add(path(list, i, "lote"), "product.lot.required")
		}
		if l.Quantity == 0 {
			p.add(path(list, i, "quantidade"), "product.quantity.required")
		}
	case ByUnit:
		if blank(l.Serial) {
			p.add(path(list, i, "numero_serie"), "product.serial.required")
		}
	}
	p.linkMissing(list, i, l.Situation, l.EnteredOn)
}

// serviceLinkMissing checks the tab Serviços (2.2.1.1 step 8).
func (p *problems) serviceLinkMissing(i int, l *ServiceLink) {
	const list = "servicos"
	if l.ID == "" {
		p.add(path(list, i, "id"), "service.id.required")
	}
	if l.Class == "" {
		p.add(path(list, i, "classe"), "service.class.required")
	}
	if l.Company == "" {
		p.add(path(list, i, "empresa"), "service.company.required")
	}
	if len(l.Documents) == 0 {
		p.add(path(list, i, "documentos"), "service.documents.required")
	}
	p.documentsMissing(path(list, i, "documentos"), l.Documents)
	p.linkMissing(list, i, l.Situation, l.EnteredOn)
}

func (p *problems) linkMissing(list string, i int, s Situation, entered brasil.Date) {
	if s == "" {
		p.add(path(list, i, "situacao"), "situation.required")
	}
	if entered.IsZero() {
		p.add(path(list, i, "data_entrada"), "certificate.entered.required")
	}
}

// rolesMissing checks the roles that the class demands.
func (r *Rules) rolesMissing(p *problems, c *Certificate) {
	class := r.classes[c.Class]
	if class == nil || c.Situation == Cancelled || len(c.Companies) == 0 {
		return
	}
	for _, role := range class.Required {
		filled := false
		for i := range c.Companies {
			l := &c.Companies[i]
			filled = filled || l.Role == role && l.Situation != Cancelled
		}
		if !filled {
			p.add("empresas", "certificate.role.missing", "papel", r.roleName(role))
		}
	}
}
