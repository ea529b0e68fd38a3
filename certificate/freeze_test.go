package certificate

import (
	"strings"
	"testing"

	"selo/brasil"
)

// approved puts an equal frozen state behind the scene and one justification for all.
func approved(s *scene, fields ...string) *scene {
	s.prev = clone(s.next)
	s.next.Justifications = []Justification{{Fields: fields, Text: "Correção de informação"}}
	if len(fields) == 0 {
		s.next.Justifications = nil
	}
	return s
}

// everything covers whatever the manual lets change.
var everything = []string{"classe", "data_emissao", "data_validade", "documentos", "empresas", "laboratorio",
	"modelo_certificacao", "numero", "numero_relatorio", "observacoes", "produtos", "servicos", "signatarios",
	"situacao", "tipo"}

func approvedScene() *scene        { return approved(certificateScene(), everything...) }
func approvedServiceScene() *scene { return approved(serviceScene(), everything...) }
func approvedCompanyScene() *scene { return approved(companyScene()) }
func approvedProductScene() *scene { return approved(productScene()) }

var changeCases = []ruleCase{
	cert("number", func(c *Certificate) { c.Number = "1" }, "numero certificate.frozen"),
	cert("issue date", func(c *Certificate) { c.IssuedOn = c.IssuedOn.AddDays(1) }, "data_emissao certificate.frozen"),
	cert("type", func(c *Certificate) { c.Type = TypeVoluntary }, "tipo certificate.frozen"),
	cert("class", func(c *Certificate) { c.Class = "tubos" }, "classe certificate.frozen"),
	cert("what may change", func(c *Certificate) {
		c.ValidUntil, c.Laboratory, c.Model = c.ValidUntil.AddYears(4), "Lab", "4"
		c.ReportNumber, c.Remarks, c.Signatories = "9", "Nova", "Outra"
	}),
	cert("document taken out", func(c *Certificate) {
		c.Documents = []DocumentLink{{EnteredOn: mustDate("2022-01-01"), Document: "portaria-456", Situation: Active}}
	}, "documentos[portaria-231] certificate.document.removed"),
	cert("company taken out", func(c *Certificate) {
		c.Companies[1] = CompanyLink{EnteredOn: today, Company: third, Role: Applicant, Situation: Active}
	}, "empresas["+string(seller)+"/solicitante] certificate.company.removed"),
	cert("role edited (FAQ 3.23)", func(c *Certificate) {
		c.Companies[1].Role = Importer
		c.Companies = append(c.Companies, CompanyLink{EnteredOn: today, Company: third, Role: Applicant, Situation: Active})
	}),
	cert("product taken out", func(c *Certificate) { c.Products[0].Product = spare },
		"produtos["+string(helmet)+"] certificate.product.removed"),
	cert("product to another tab", func(c *Certificate) { c.Products[0].Modality, c.Products[0].Serial = ByUnit, "1" },
		"produtos[0].modalidade certificate.product.modality"),
	cert("product to another company", func(c *Certificate) { c.Products[0].Company = seller }),
	cert("product added", func(c *Certificate) {
		c.Products = append(c.Products,
			ProductLink{EnteredOn: today, Company: maker, Modality: ByType, Product: spare, Situation: Active})
	}),
	{"illegal move", func(s *scene) {
		s.prev.Certificate.Situation, s.next.Certificate.Situation = Cancelled, Suspended
		s.prev.Certificate.Products[0].Situation, s.next.Certificate.Products[0].Situation = Cancelled, Suspended
		s.prev.Certificate.Companies[0].Situation, s.next.Certificate.Companies[0].Situation = Cancelled, Suspended
		s.prev.Certificate.Documents[0].Situation, s.next.Certificate.Documents[0].Situation = Cancelled, Suspended
	}, []string{"situacao situation.move", "produtos[0].situacao situation.move",
		"empresas[0].situacao situation.move", "documentos[0].situacao situation.move"}},
	{"offer that ended meanwhile", func(s *scene) {
		s.tables.Documents[0].Offers[0].To = mustDate("2022-01-01")
		s.next.Certificate.ValidUntil = s.next.Certificate.ValidUntil.AddYears(1)
	}, nil},
	{"entry moved out of the offer", func(s *scene) {
		s.next.Certificate.Documents[0].EnteredOn = mustDate("2021-05-31")
	}, []string{"documentos[0].documento certificate.document.period"}},
	{"class lost meanwhile", func(s *scene) { s.tables.Classes, s.tables.Roles = nil, nil }, nil},
	{"without justification", func(s *scene) {
		s.next.Justifications = nil
		s.next.Certificate.Situation, s.next.Certificate.Products[0].Situation = Suspended, Suspended
		s.next.Certificate.Products[0].Company = seller
	}, []string{"situacao certificate.justification.required", "produtos certificate.justification.required"}},
	{"justification of another field", func(s *scene) {
		s.next.Justifications[0].Fields = []string{"produtos[" + string(spare) + "]", "data"}
		s.next.Certificate.ValidUntil = today
		s.next.Certificate.Products[0].Situation = Suspended
	}, []string{"data_validade certificate.justification.required", "produtos certificate.justification.required"}},
	{"justification of the very field", func(s *scene) {
		s.next.Justifications[0].Fields = []string{"produtos[" + string(helmet) + "].situacao"}
		s.next.Certificate.Products[0].Situation = Suspended
	}, nil},
}

var serviceChangeCases = []ruleCase{
	cert("service taken out", func(c *Certificate) { c.Services[0].ID = nobody },
		"servicos["+string(overhaul)+"] certificate.service.removed"),
	cert("class of the service", func(c *Certificate) { c.Services[0].Class = "gnv" },
		"servicos[0].classe service.frozen"),
	cert("description", func(c *Certificate) { c.Services[0].Description = "Nova" }),
	cert("document of the service taken out", func(c *Certificate) { c.Services[0].Documents = nil },
		"servicos[0].documentos[portaria-58] certificate.document.removed",
		"servicos[0].documentos service.documents.required", "documentos certificate.documents.required"),
	cert("document of the service suspended", func(c *Certificate) { c.Services[0].Documents[0].Situation = Suspended }),
}

func comp(name string, spoil func(*Company), want ...string) ruleCase {
	return ruleCase{name, func(s *scene) { spoil(s.next.Company) }, want}
}

var companyCases = []ruleCase{
	comp("kind of person", func(c *Company) { c.Person = "" }, "tipo_pessoa company.person.required"),
	comp("unknown kind of person", func(c *Company) { c.Person = "x" }, "tipo_pessoa company.person.unknown"),
	comp("country", func(c *Company) { c.Country = "" }, "pais company.country.required"),
	comp("country that is no code", func(c *Company) { c.Country = "br" }, "pais company.country.format"),
	comp("country outside the table", func(c *Company) { c.Country = "ZZ" }, "pais company.country.unknown"),
	comp("CNPJ missing", func(c *Company) { c.CNPJ = "" }, "cnpj company.cnpj.required"),
	comp("CNPJ missing abroad", func(c *Company) { c.CNPJ, c.Country = "", "CN" }),
	comp("CNPJ with wrong check digits", func(c *Company) { c.CNPJ = "12ABC34501DE36" }, "cnpj cnpj.check_digits"),
	comp("CNPJ with mask", func(c *Company) { c.CNPJ = "12.ABC.345/01DE-35" }, "cnpj text.form"),
	comp("CPF of a firm", func(c *Company) { c.CPF = "52998224725" }, "cpf company.cpf.unexpected"),
	comp("CNPJ of a person", func(c *Company) { c.Person, c.CPF = Natural, "52998224725" }, "cnpj company.cnpj.unexpected"),
	comp("CPF missing", func(c *Company) { c.Person, c.CNPJ = Natural, "" }, "cpf company.cpf.required"),
	comp("wrong CPF", func(c *Company) { c.Person, c.CNPJ, c.CPF = Natural, "", "52998224726" }, "cpf cpf.check_digits"),
	comp("name", func(c *Company) { c.Name = " " }, "razao_social company.name.required"),
	comp("name abroad", func(c *Company) { c.Name, c.Country = "", "CN" }, "razao_social company.name.required"),
	comp("CEP", func(c *Company) { c.CEP = "2000" }, "cep cep.length"),
	comp("UF", func(c *Company) { c.UF = "XX" }, "uf uf.unknown"),
	comp("UF in full", func(c *Company) { c.UF = "rj" }, "uf text.form"),
	comp("UF and CEP abroad", func(c *Company) { c.Country, c.UF, c.CEP = "CN", "Guangdong", "X-1" }),
	comp("no e-mail", func(c *Company) { c.Email = "" }),
	comp("two e-mails", func(c *Company) { c.Email = "a@b.example;c@d.example" }, "email company.email.format"),
	comp("control character", func(c *Company) { c.City = "Rio\x00" }, "cidade text.control"),
}

func prod(name string, spoil func(*Product), want ...string) ruleCase {
	return ruleCase{name, func(s *scene) { spoil(s.next.Product) }, want}
}

var productCases = []ruleCase{
	prod("brand", func(p *Product) { p.Brand = "" }, "marca product.brand.required"),
	prod("model", func(p *Product) { p.Model = " " }, "modelo product.model.required"),
	prod("brand beyond the old 250", func(p *Product) { p.Brand = strings.Repeat("Marca ", 5000) }),
	prod("absurd brand", func(p *Product) { p.Brand = strings.Repeat("x", 100_001) }, "marca text.long"),
	prod("GTIN", func(p *Product) { p.GTINs[0] = "7891234567890" }, "codigos_gtin[0] gtin.check_digit"),
	prod("GTIN with space", func(p *Product) { p.GTINs[0] = " 7891234567895" }, "codigos_gtin[0] text.form"),
	prod("GTIN twice", func(p *Product) { p.GTINs = append(p.GTINs, "07891234567895") },
		"codigos_gtin[1] product.gtin.repeated"),
	prod("more than the old 70 characters of GTIN", func(p *Product) {
		p.GTINs = []brasil.GTIN{"7891234567895", "96385074", "036000291452", "4006381333931", "5901234123457", "9780306406157"}
	}),
	prod("too many GTIN", func(p *Product) { p.GTINs = make([]brasil.GTIN, 1001) }, "codigos_gtin list.long"),
}

var companyChangeCases = []ruleCase{
	comp("country", func(c *Company) { c.Country = "CN" }, "pais company.frozen"),
	comp("CNPJ", func(c *Company) { c.CNPJ = "11222333000181" }, "cnpj company.frozen"),
	comp("CPF", func(c *Company) { c.CPF = "52998224725" }, "cpf company.frozen", "cpf company.cpf.unexpected"),
	comp("name", func(c *Company) { c.Name = "Outra" }, "razao_social company.frozen"),
	comp("the rest, unjustified", func(c *Company) {
		c.TradeName, c.Street, c.Number, c.City, c.UF, c.CEP = "Nova", "Rua", "1", "Santos", "SP", "11010000"
		c.District, c.Complement, c.Phone, c.Fax, c.Email = "Centro", "Fundos", "1", "2", "x@y.example"
	}),
	{"country that left the table", func(s *scene) { s.tables.Countries = nil }, nil},
}

var productChangeCases = []ruleCase{
	prod("brand", func(p *Product) { p.Brand = "Outra" }, "marca product.frozen"),
	prod("model", func(p *Product) { p.Model = "m-100" }, "modelo product.frozen"),
	prod("imported", func(p *Product) { p.Imported = true }, "importado product.frozen.imported"),
	prod("the rest, unjustified (FAQ 3.17)", func(p *Product) {
		p.Description, p.Family, p.CommercialName, p.GTINs = "Nova", "F", "C", nil
	}),
}

// TestChangeLabels keeps the name people know when the number itself was changed.
func TestChangeLabels(t *testing.T) {
	t.Parallel()
	prev, next := fixtureCertificate(), fixtureCertificate()
	next.Number = "novo"
	got := CheckCertificateChange(prev, next, []Justification{{Fields: []string{"numero"}, Text: "Engano"}})
	wantProblems(t, got, "certificado FB-BRIN-108/17.001", []string{"numero certificate.frozen"})
	if got[0].Args["de"] != prev.Number || got[0].Args["para"] != "novo" {
		t.Errorf("arguments %v", got[0].Args)
	}
	wantProblems(t, CheckCompanyChange(fixtureCompany(), &Company{}), "empresa 12.ABC.345/01DE-35 / Fábrica Fictícia Ltda",
		[]string{"pais company.frozen", "cnpj company.frozen", "razao_social company.frozen"})
	wantProblems(t, CheckProductChange(fixtureProduct(), &Product{Brand: "Marca", Imported: true}), "produto Marca / M-100",
		[]string{"modelo product.frozen", "importado product.frozen.imported"})
}
