package certificate

import (
	"strconv"
	"unicode/utf8"

	"selo/brasil"
	"selo/fault"
)

// minJustification is the fewest characters that can explain anything (manual 2.2.1.2).
const minJustification = 5

// CheckCompanyChange holds what froze when a certificate with the company was
// approved: country, CNPJ, CPF and name (FAQ 3.14). The way out is FAQ 3.15,
// registering the company again. Code "company.frozen".
func CheckCompanyChange(prev, next *Company) []fault.Problem {
	var p problems
	p.frozen("company.frozen", "pais", string(prev.Country), string(next.Country))
	p.frozen("company.frozen", "cnpj", string(prev.CNPJ), string(next.CNPJ))
	p.frozen("company.frozen", "cpf", string(prev.CPF), string(next.CPF))
	p.frozen("company.frozen", "razao_social", prev.Name, next.Name)
	return p.named(prev.label)
}

// CheckProductChange holds what froze when a certificate with the product was
// approved: brand, model and imported (FAQ 3.16). The way out is a new product
// in the place of the cancelled one. Codes "product.frozen", "product.frozen.imported".
func CheckProductChange(prev, next *Product) []fault.Problem {
	var p problems
	p.frozen("product.frozen", "marca", prev.Brand, next.Brand)
	p.frozen("product.frozen", "modelo", prev.Model, next.Model)
	if prev.Imported != next.Imported {
		p.add("importado", "product.frozen.imported")
	}
	return p.named(prev.label)
}

// CheckCertificateChange holds what may no longer change in an approved
// certificate: number, issue date, type and class (FAQ 3.13); documents,
// companies, products and services stay for ever, only their situation moves
// (2.2.1.3); every other change carries a justification (2.2.1.2).
//
// The tab of a product freezes too. The manual does not say so, because its
// program has no button for it: taking a product from a lot to a type would
// widen one evaluated batch to all production.
func CheckCertificateChange(prev, next *Certificate, j []Justification) []fault.Problem {
	var p problems
	p.certificateChange(prev, next, j)
	return p.named(prev.label)
}

func (p *problems) certificateChange(prev, next *Certificate, j []Justification) {
	p.frozen("certificate.frozen", "numero", prev.Number, next.Number)
	p.frozenDate("certificate.frozen", "data_emissao", prev.IssuedOn, next.IssuedOn)
	p.frozen("certificate.frozen", "tipo", string(prev.Type), string(next.Type))
	p.frozen("certificate.frozen", "classe", string(prev.Class), string(next.Class))
	p.moved("situacao", prev.Situation, next.Situation)
	p.documentChanges("", prev.Documents, next.Documents)
	p.companyChanges(prev.Companies, next.Companies)
	p.productChanges(prev.Products, next.Products)
	p.serviceChanges(prev.Services, next.Services)
	p.justified(Diff(prev, next), j)
}

func (p *problems) frozen(code, field, from, to string) {
	if from != to {
		p.add(field, code, "de", excerpt(from), "para", excerpt(to))
	}
}

func (p *problems) frozenDate(code, field string, from, to brasil.Date) {
	if from != to {
		p.add(field, code, "de", dateText(from), "para", dateText(to))
	}
}

// moved refuses a move that is not drawn in docs/situations.md.
func (p *problems) moved(field string, from, to Situation) {
	if from != to && !CanMove(from, to) {
		p.add(field, "situation.move", "de", excerpt(string(from)), "para", excerpt(string(to)))
	}
}

func (p *problems) documentChanges(prefix string, prev, next []DocumentLink) {
	list := prefix + "documentos"
	m := matchDocuments(prev, next)
	for _, i := range m.removed {
		name := excerpt(documentName(&prev[i]))
		p.add(list+"["+name+"]", "certificate.document.removed", "documento", name)
	}
	for j, i := range m.from {
		if i >= 0 && prev[i].Situation != next[j].Situation {
			p.moved(path(list, j, "situacao"), prev[i].Situation, next[j].Situation)
		}
	}
}

func (p *problems) companyChanges(prev, next []CompanyLink) {
	m := matchCompanies(prev, next)
	for _, i := range m.removed {
		l := &prev[i]
		p.add("empresas["+excerpt(companyName(l))+"]", "certificate.company.removed",
			"empresa", excerpt(string(l.Company)), "papel", excerpt(string(l.Role)))
	}
	for j, i := range m.from {
		if i >= 0 && prev[i].Situation != next[j].Situation {
			p.moved(path("empresas", j, "situacao"), prev[i].Situation, next[j].Situation)
		}
	}
}

func (p *problems) productChanges(prev, next []ProductLink) {
	m := matchProducts(prev, next)
	for _, i := range m.removed {
		name := excerpt(productName(&prev[i]))
		p.add("produtos["+name+"]", "certificate.product.removed", "produto", name)
	}
	for j, i := range m.from {
		if i < 0 || prev[i] == next[j] {
			continue
		}
		was, is := &prev[i], &next[j]
		if was.Modality != is.Modality {
			p.add(path("produtos", j, "modalidade"), "certificate.product.modality",
				"de", excerpt(string(was.Modality)), "para", excerpt(string(is.Modality)))
		}
		if was.Situation != is.Situation {
			p.moved(path("produtos", j, "situacao"), was.Situation, is.Situation)
		}
	}
}

// serviceChanges also keeps the class of a service, which is its scope, as
// the class of a certificate is.
func (p *problems) serviceChanges(prev, next []ServiceLink) {
	m := matchServices(prev, next)
	for _, i := range m.removed {
		name := excerpt(serviceName(&prev[i]))
		p.add("servicos["+name+"]", "certificate.service.removed",
			"servico", name, "classe", excerpt(string(prev[i].Class)))
	}
	for j, i := range m.from {
		if i < 0 {
			continue
		}
		was, is := &prev[i], &next[j]
		p.frozen("service.frozen", path("servicos", j, "classe"), string(was.Class), string(is.Class))
		p.moved(path("servicos", j, "situacao"), was.Situation, is.Situation)
		p.documentChanges(element("servicos", j)+".", was.Documents, is.Documents)
	}
}

// justified demands that an entry of j covers every change (manual 2.2.1.2).
// One problem for each field of the certificate, however many elements of a
// list changed.
func (p *problems) justified(changes []Change, j []Justification) {
	if len(changes) == 0 {
		return
	}
	covered := map[string]bool{}
	for i := range j {
		for _, field := range j[i].Fields {
			covered[field] = true
		}
	}
	missing := map[string]int{}
	var order []string
	for i := range changes {
		top, ok := "", false
		for at := range parents(changes[i].Field) {
			top, ok = at, ok || covered[at]
		}
		if ok {
			continue
		}
		if missing[top]++; missing[top] == 1 {
			order = append(order, top)
		}
	}
	for _, top := range order {
		p.add(top, "certificate.justification.required", "campo", top, "mudancas", strconv.Itoa(missing[top]))
	}
}

// justifications looks at the entries themselves: a blank text made the old
// remessa impossible to process (manual 2.2.1.2).
func (p *problems) justifications(j []Justification) {
	fields := 0
	const list = "justificativas"
	for i := range j {
		if utf8.RuneCountInString(brasil.Squeeze(j[i].Text)) < minJustification {
			p.add(path(list, i, "texto"), "certificate.justification.short", "minimo", strconv.Itoa(minJustification))
		}
		p.multiline(path(list, i, "texto"), j[i].Text, maxRemarks)
		if len(j[i].Fields) == 0 {
			p.add(path(list, i, "campos"), "certificate.justification.fields")
		}
		for k, field := range j[i].Fields {
			if len(field) > maxShort || !isPlain(field) {
				p.text(element(path(list, i, "campos"), k), field, maxShort)
			}
		}
		fields += len(j[i].Fields)
	}
	p.most(list, fields, maxProducts)
}
