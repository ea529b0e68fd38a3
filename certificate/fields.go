package certificate

import (
	"slices"
	"strconv"

	"selo/brasil"
	"selo/fault"
)

// Longest lists.
const (
	maxDocuments = 1_000
	maxCompanies = 10_000
	maxProducts  = 200_000
	maxServices  = 10_000
	maxGTINs     = 1_000
)

// maxQuantity is 2^53 - 1, the largest integer that RFC 8785 writes exactly.
const maxQuantity = 1<<53 - 1

// models are the certification models of the RGCP (Portaria Inmetro 200/2021).
var models = []Model{"1a", "1b", "2", "3", "4", "5", "6"}

// CheckDraft names what a record may not hold even while it is being edited:
// texts and numbers that are malformed, elements twice in a list, dates that
// cannot be. What is only missing still, and what depends on the auxiliary
// tables, is said at approval by [Rules.Check] and before it by [Rules.Pending].
// The revision's number, link and time are not looked at.
func (r *Rules) CheckDraft(next *Revision, today brasil.Date) []fault.Problem {
	var p problems
	p.identity(next)
	p.content(next, today)
	return p.named(next.Label)
}

// identity checks what names the record.
func (p *problems) identity(next *Revision) {
	if !next.ID.Valid() {
		p.add("id", "revision.id", "valor", excerpt(string(next.ID)))
	}
	if next.Kind() == "" {
		p.add("", "revision.malformed")
	}
	p.justifications(next.Justifications)
}

// content checks the fields of whatever the revision holds, one by one.
func (p *problems) content(next *Revision, today brasil.Date) {
	switch next.Kind() {
	case KindCertificate:
		p.certificate(next.Certificate, today)
	case KindCompany:
		p.company(next.Company)
	case KindProduct:
		p.product(next.Product)
	}
}

func (p *problems) certificate(c *Certificate, today brasil.Date) {
	p.text("numero", c.Number, maxNumber)
	p.text("laboratorio", c.Laboratory, maxLine)
	p.text("numero_relatorio", c.ReportNumber, maxLine)
	p.text("signatarios", c.Signatories, maxLine)
	p.multiline("observacoes", c.Remarks, maxRemarks)
	p.text("tipo", string(c.Type), maxCode)
	p.text("classe", string(c.Class), maxCode)
	if c.Model != "" && !slices.Contains(models, c.Model) {
		p.add("modelo_certificacao", "certificate.model.unknown", "valor", excerpt(string(c.Model)))
	}
	if c.IssuedOn.After(today) {
		p.add("data_emissao", "certificate.issued.future", "data", c.IssuedOn.String(), "hoje", today.String())
	}
	if !c.ValidUntil.IsZero() && c.ValidUntil.Before(c.IssuedOn) {
		p.add("data_validade", "certificate.valid_until.early",
			"validade", c.ValidUntil.String(), "emissao", c.IssuedOn.String())
	}
	if !isSituation(c.Situation) {
		p.add("situacao", "situation.unknown", "valor", excerpt(string(c.Situation)))
	}
	p.documents("", c.Documents, today)
	p.companies(c.Companies, today)
	p.products(c.Products, today)
	p.services(c.Services, today)
}

func (p *problems) documents(prefix string, links []DocumentLink, today brasil.Date) {
	list := "documentos"
	if prefix != "" {
		list = prefix + list
	}
	p.most(list, len(links), maxDocuments)
	seen := make(map[DocumentCode]bool, len(links))
	for i := range links {
		l := &links[i]
		p.linkText(list, i, "documento", string(l.Document), maxCode)
		if seen[l.Document] && l.Document != "" {
			p.add(path(list, i, "documento"), "certificate.document.repeated", "documento", excerpt(string(l.Document)))
		}
		seen[l.Document] = true
		p.link(list, i, l.Situation, l.EnteredOn, today)
	}
}

func (p *problems) companies(links []CompanyLink, today brasil.Date) {
	type row struct {
		company ID
		role    RoleCode
	}
	const list = "empresas"
	p.most(list, len(links), maxCompanies)
	seen := make(map[row]bool, len(links))
	for i := range links {
		l := &links[i]
		p.linkID(list, i, "empresa", l.Company)
		p.linkText(list, i, "papel", string(l.Role), maxCode)
		k := row{l.Company, l.Role}
		if seen[k] {
			p.add(element(list, i), "certificate.company.repeated",
				"empresa", excerpt(string(l.Company)), "papel", excerpt(string(l.Role)))
		}
		seen[k] = true
		p.link(list, i, l.Situation, l.EnteredOn, today)
	}
}

func (p *problems) products(links []ProductLink, today brasil.Date) {
	const list = "produtos"
	p.most(list, len(links), maxProducts)
	seen := make(map[ID]struct{}, min(len(links), maxProducts))
	for i := range links {
		l := &links[i]
		p.linkID(list, i, "empresa", l.Company)
		p.linkID(list, i, "produto", l.Product)
		p.linkText(list, i, "lote", l.Lot, maxLine)
		p.linkText(list, i, "licenca_importacao", l.ImportLicence, maxLine)
		p.linkText(list, i, "numero_serie", l.Serial, maxLine)
		switch l.Modality {
		case "", ByType, ByLot, ByUnit:
		default:
			p.add(path(list, i, "modalidade"), "product.modality.unknown", "valor", excerpt(string(l.Modality)))
		}
		if l.Quantity < 0 || l.Quantity > maxQuantity {
			p.add(path(list, i, "quantidade"), "product.quantity.range", "valor", strconv.FormatInt(l.Quantity, 10))
		}
		before := len(seen)
		if seen[l.Product] = struct{}{}; len(seen) == before && l.Product != "" {
			p.add(path(list, i, "produto"), "certificate.product.repeated", "produto", excerpt(string(l.Product)))
		}
		p.link(list, i, l.Situation, l.EnteredOn, today)
	}
}

// services counts a class once a company, cancelled ones apart: a transfer can
// bring two together (manual 2.2.1.4), and cancelling one must be a way out.
func (p *problems) services(links []ServiceLink, today brasil.Date) {
	type scope struct {
		class   ServiceClassCode
		company ID
	}
	const list = "servicos"
	p.most(list, len(links), maxServices)
	ids := make(map[ID]bool, len(links))
	scopes := make(map[scope]bool, len(links))
	for i := range links {
		l := &links[i]
		p.linkID(list, i, "id", l.ID)
		p.linkID(list, i, "empresa", l.Company)
		p.linkText(list, i, "classe", string(l.Class), maxCode)
		p.linkText(list, i, "descricao", l.Description, maxText)
		k := scope{l.Class, l.Company}
		counts := l.Class != "" && l.Situation != Cancelled
		if ids[l.ID] || counts && scopes[k] {
			p.add(element(list, i), "certificate.service.repeated",
				"classe", excerpt(string(l.Class)), "empresa", excerpt(string(l.Company)))
		}
		ids[l.ID], scopes[k] = true, scopes[k] || counts
		p.link(list, i, l.Situation, l.EnteredOn, today)
		p.documents(element(list, i)+".", l.Documents, today)
	}
}

// link checks what every element of every list has.
func (p *problems) link(list string, i int, s Situation, entered, today brasil.Date) {
	if !isSituation(s) {
		p.add(path(list, i, "situacao"), "situation.unknown", "valor", excerpt(string(s)))
	}
	if entered.After(today) {
		p.add(path(list, i, "data_entrada"), "certificate.entered.future",
			"data", entered.String(), "hoje", today.String())
	}
}

func (p *problems) linkID(list string, i int, field string, id ID) {
	if id != "" && !id.Valid() {
		p.add(path(list, i, field), "revision.id", "valor", excerpt(string(id)))
	}
}

// most refuses a list that is longer than limit.
func (p *problems) most(list string, n, limit int) {
	if n > limit {
		p.add(list, "list.long", "quantidade", strconv.Itoa(n), "limite", strconv.Itoa(limit))
	}
}

// isSituation takes "not given" too, which [Rules.Pending] names.
func isSituation(s Situation) bool {
	return s == "" || s == Active || s == Suspended || s == Cancelled
}
