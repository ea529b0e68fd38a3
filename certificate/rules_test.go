package certificate

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"selo/brasil"
)

func certificateScene() *scene { return newScene(fixtureCertificate()) }
func serviceScene() *scene     { return newScene(fixtureService()) }
func companyScene() *scene     { return newScene(fixtureCompany()) }
func productScene() *scene     { return newScene(fixtureProduct()) }
func lotScene() *scene         { return fixtureScenes()["lot certificate"] }

func TestWhatIsInOrder(t *testing.T) {
	t.Parallel()
	for name, s := range fixtureScenes() {
		wantProblems(t, s.check(), s.next.Label(), nil)
		s.prev = clone(s.next)
		if got := s.check(); got != nil {
			t.Errorf("%s, again without change: %v", name, got)
		}
		if got := NewRules(s.tables).CheckDraft(s.next, today); got != nil {
			t.Errorf("%s as a draft: %v", name, got)
		}
	}
}

// cert makes a case out of something that spoils the certificate alone.
func cert(name string, spoil func(*Certificate), want ...string) ruleCase {
	return ruleCase{name, func(s *scene) { spoil(s.next.Certificate) }, want}
}

var envelopeCases = []ruleCase{
	{"id", func(s *scene) { s.next.ID = "42" }, []string{"id revision.id"}},
	{"upper-case id", func(s *scene) { s.next.ID = ID(strings.ToUpper(string(record))) }, []string{"id revision.id"}},
	{"other body", func(s *scene) { s.next.Body = "CCB" }, []string{"organismo revision.body"}},
	{"nothing in it", func(s *scene) { s.next.Certificate = nil }, []string{" revision.malformed"}},
	{"two in it", func(s *scene) { s.next.Product = fixtureProduct() }, []string{" revision.malformed"}},
	{"another record before", func(s *scene) { s.prev = clone(s.next); s.prev.ID = nobody },
		[]string{"id revision.other_record"}},
	{"another kind before", func(s *scene) { s.prev = revisionOf(fixtureProduct()) },
		[]string{"id revision.other_record"}},
	{"short justification", func(s *scene) {
		s.next.Justifications = []Justification{{Fields: []string{"numero"}, Text: "  oi \n "}}
	}, []string{"justificativas[0].texto certificate.justification.short"}},
	{"justification of nothing", func(s *scene) {
		s.next.Justifications = []Justification{{Text: "Correção de informação"}}
	}, []string{"justificativas[0].campos certificate.justification.fields"}},
	{"justification of a broken path", func(s *scene) {
		s.next.Justifications = []Justification{{Fields: []string{"a\x00"}, Text: "Correção de informação"}}
	}, []string{"justificativas[0].campos[0] text.control"}},
}

var generalCases = []ruleCase{
	cert("number", func(c *Certificate) { c.Number = " " }, "numero certificate.number.required"),
	cert("issue date", func(c *Certificate) { c.IssuedOn = brasil.Date{} }, "data_emissao certificate.issued.required"),
	cert("validity", func(c *Certificate) { c.ValidUntil = brasil.Date{} },
		"data_validade certificate.valid_until.required"),
	cert("type", func(c *Certificate) { c.Type = "" }, "tipo certificate.type.required"),
	cert("class", func(c *Certificate) { c.Class = "" }, "classe certificate.class.required"),
	cert("situation", func(c *Certificate) { c.Situation = "" }, "situacao situation.required"),
	cert("documents", func(c *Certificate) { c.Documents = nil }, "documentos certificate.documents.required"),
	cert("companies", func(c *Certificate) { c.Companies = nil },
		"empresas certificate.companies.required", "produtos[0].empresa product.company.absent"),
	cert("products", func(c *Certificate) { c.Products = nil }, "produtos certificate.content.required"),
	cert("issued tomorrow", func(c *Certificate) { c.IssuedOn = today.AddDays(1) },
		"data_emissao certificate.issued.future"),
	cert("issued today", func(c *Certificate) { c.IssuedOn = today }),
	cert("valid before issue", func(c *Certificate) { c.ValidUntil = c.IssuedOn.AddDays(-1) },
		"data_validade certificate.valid_until.early"),
	cert("valid for one day", func(c *Certificate) { c.ValidUntil = c.IssuedOn }),
	cert("already expired", func(c *Certificate) { c.ValidUntil = today.AddDays(-1) }),
	cert("unknown model", func(c *Certificate) { c.Model = "7" }, "modelo_certificacao certificate.model.unknown"),
	cert("no model", func(c *Certificate) { c.Model = "" }),
	cert("unknown situation", func(c *Certificate) { c.Situation = "expirado" }, "situacao situation.unknown"),
	cert("long number", func(c *Certificate) { c.Number = strings.Repeat("1", 81) }, "numero text.long"),
	cert("longest number", func(c *Certificate) { c.Number = strings.Repeat("é", 80) }),
	cert("line break in a line", func(c *Certificate) { c.Laboratory = "a\nb" }, "laboratorio text.control"),
	cert("line separator", func(c *Certificate) { c.Remarks = "a\u2028b" }, "observacoes text.control"),
	cert("turned writing", func(c *Certificate) { c.Signatories = "a\u202eb" }, "signatarios text.control"),
	cert("tab in the remarks", func(c *Certificate) { c.Remarks = "a\tb" }, "observacoes text.control"),
	cert("broken UTF-8", func(c *Certificate) { c.ReportNumber = "N\xe3o" }, "numero_relatorio text.encoding"),
	cert("longest remarks", func(c *Certificate) { c.Remarks = strings.Repeat("ç", 20_000) }),
}

var tableCases = []ruleCase{
	cert("unknown type", func(c *Certificate) { c.Type = "x" },
		"tipo certificate.type.unknown", "documentos[0].documento certificate.document.other_type"),
	cert("unknown class", func(c *Certificate) { c.Class = "x" },
		"classe certificate.class.unknown", "documentos[0].documento certificate.document.not_offered"),
	cert("before accreditation", func(c *Certificate) { c.IssuedOn = mustDate("2014-12-31") },
		"classe certificate.class.not_accredited"),
	{"accreditation taken back", func(s *scene) { s.tables.Classes[0].Scopes = nil },
		[]string{"classe certificate.class.not_accredited"}},
	cert("unknown role", func(c *Certificate) {
		c.Companies = append(c.Companies, CompanyLink{EnteredOn: today, Company: third, Role: "x", Situation: Active})
	}, "empresas[2].papel certificate.role.unknown"),
	cert("unknown document", func(c *Certificate) { c.Documents[0].Document = "x" },
		"documentos[0].documento certificate.document.unknown"),
	cert("document of another type", func(c *Certificate) { c.Documents[0].Document = "norma-1" },
		"documentos[0].documento certificate.document.other_type"),
	cert("document of another class", func(c *Certificate) { c.Documents[0].Document = "portaria-58" },
		"documentos[0].documento certificate.document.not_offered"),
	cert("revoked document", func(c *Certificate) { c.Documents[0].Document = "portaria-456" },
		"documentos[0].documento certificate.document.period"),
	cert("old document beside the new one", func(c *Certificate) {
		c.Documents = append(c.Documents,
			DocumentLink{EnteredOn: mustDate("2023-06-01"), Document: "portaria-456", Situation: Active})
	}),
	cert("product in the class of services", func(c *Certificate) {
		c.Class, c.Documents[0].Document = "servico", "portaria-58"
	}, "produtos certificate.products.in_service_class",
		"documentos[0].documento certificate.document.not_offered"),
	cert("missing role", func(c *Certificate) { c.Companies[1].Role = Importer }, "empresas certificate.role.missing"),
	cert("cancelled role", func(c *Certificate) { c.Companies[1].Situation = Cancelled },
		"empresas certificate.role.missing"),
	cert("suspended role", func(c *Certificate) { c.Companies[1].Situation = Suspended }),
	cert("everything cancelled", func(c *Certificate) {
		c.Situation, c.Companies[0].Situation, c.Companies[1].Situation = Cancelled, Cancelled, Cancelled
		c.Products[0].Situation = Cancelled
	}),
}

var linkCases = []ruleCase{
	cert("document missing", func(c *Certificate) { c.Documents[0].Document = "" },
		"documentos[0].documento certificate.document.required"),
	cert("document without entry", func(c *Certificate) { c.Documents[0].EnteredOn = brasil.Date{} },
		"documentos[0].data_entrada certificate.entered.required"),
	cert("entered tomorrow", func(c *Certificate) { c.Products[0].EnteredOn = today.AddDays(1) },
		"produtos[0].data_entrada certificate.entered.future"),
	cert("document twice", func(c *Certificate) { c.Documents = append(c.Documents, c.Documents[0]) },
		"documentos[1].documento certificate.document.repeated"),
	cert("company missing", func(c *Certificate) { c.Companies[1].Company = "" },
		"empresas[1].empresa certificate.company.required"),
	cert("role missing", func(c *Certificate) { c.Companies[1].Role = "" },
		"empresas[1].papel certificate.role.required", "empresas certificate.role.missing"),
	cert("company twice", func(c *Certificate) { c.Companies = append(c.Companies, c.Companies[1]) },
		"empresas[2] certificate.company.repeated"),
	cert("company in two roles", func(c *Certificate) {
		c.Companies = append(c.Companies, CompanyLink{EnteredOn: today, Company: seller, Role: Importer, Situation: Active})
	}),
	cert("company without record", func(c *Certificate) { c.Companies[1].Company = nobody },
		"empresas[1].empresa certificate.company.unknown"),
	cert("company that is no id", func(c *Certificate) { c.Companies[1].Company = "x" },
		"empresas[1].empresa revision.id", "empresas[1].empresa certificate.company.unknown"),
	cert("link situation", func(c *Certificate) { c.Companies[1].Situation = "x" }, "empresas[1].situacao situation.unknown"),
	cert("no link situation", func(c *Certificate) { c.Products[0].Situation = "" }, "produtos[0].situacao situation.required"),
	cert("product missing", func(c *Certificate) { c.Products[0].Product = "" }, "produtos[0].produto product.required"),
	cert("product without record", func(c *Certificate) { c.Products[0].Product = nobody },
		"produtos[0].produto product.unknown"),
	cert("product twice", func(c *Certificate) { c.Products = append(c.Products, c.Products[0]) },
		"produtos[1].produto certificate.product.repeated"),
	cert("product without company", func(c *Certificate) { c.Products[0].Company = "" },
		"produtos[0].empresa product.company.required"),
	cert("product under a stranger", func(c *Certificate) { c.Products[0].Company = third },
		"produtos[0].empresa product.company.absent"),
	cert("active product under a suspended company", func(c *Certificate) { c.Companies[0].Situation = Suspended },
		"produtos[0].empresa product.company.inactive"),
	cert("suspended product under a suspended company", func(c *Certificate) {
		c.Companies[0].Situation, c.Products[0].Situation = Suspended, Suspended
	}),
	cert("no tab", func(c *Certificate) { c.Products[0].Modality = "" }, "produtos[0].modalidade product.modality.required"),
	cert("unknown tab", func(c *Certificate) { c.Products[0].Modality = "x" }, "produtos[0].modalidade product.modality.unknown"),
	cert("by unit", func(c *Certificate) { c.Products[0].Modality = ByUnit }, "produtos[0].numero_serie product.serial.required"),
	cert("by unit with serial", func(c *Certificate) { c.Products[0].Modality, c.Products[0].Serial = ByUnit, "7" }),
	cert("negative quantity", func(c *Certificate) { c.Products[0].Quantity = -1 },
		"produtos[0].quantidade product.quantity.range"),
	cert("quantity beyond JSON", func(c *Certificate) { c.Products[0].Quantity = 1 << 53 },
		"produtos[0].quantidade product.quantity.range"),
	cert("too many companies", func(c *Certificate) {
		for range maxCompanies - 1 {
			c.Companies = append(c.Companies, c.Companies[1])
		}
	}, append(repeated(2, maxCompanies+1), "empresas list.long")...),
}

// repeated is what is said of the rows of a company that is there already.
func repeated(from, to int) []string {
	var want []string
	for i := from; i < to; i++ {
		want = append(want, element("empresas", i)+" certificate.company.repeated")
	}
	return want
}

var lotCases = []ruleCase{
	cert("without a lot number", func(c *Certificate) { c.Products[0].Lot = " " }, "produtos[0].lote product.lot.required"),
	cert("without quantity", func(c *Certificate) { c.Products[0].Quantity = 0 },
		"produtos[0].quantidade product.quantity.required"),
	cert("with the old date of ten years", func(c *Certificate) { c.ValidUntil = c.IssuedOn.AddYears(10) }),
	cert("without import licence", func(c *Certificate) { c.Products[0].ImportLicence = "" },
		"produtos[0].licenca_importacao product.import_licence.required"),
	cert("national, without import licence", func(c *Certificate) {
		c.Products[0].ImportLicence, c.Products[0].Product = "", helmet
	}),
	cert("cancelled, without import licence", func(c *Certificate) {
		c.Products[0].ImportLicence, c.Products[0].Situation = "", Cancelled
	}),
	cert("issued before the RGCP of 2021", func(c *Certificate) {
		c.Products[0].ImportLicence, c.IssuedOn = "", mustDate("2021-05-31")
	}),
	cert("issued with the RGCP of 2021", func(c *Certificate) {
		c.Products[0].ImportLicence, c.IssuedOn = "", mustDate("2021-06-01")
	}, "produtos[0].licenca_importacao product.import_licence.required"),
	cert("lots without a model", func(c *Certificate) { c.Products[0].ImportLicence, c.Model = "", "" },
		"produtos[0].licenca_importacao product.import_licence.required"),
	cert("lots of model 5", func(c *Certificate) { c.Products[0].ImportLicence, c.Model = "", "5" }),
	cert("lot and type of model 1b", func(c *Certificate) {
		c.Products = append(c.Products, fixtureCertificate().Products[0])
	}, "data_validade certificate.valid_until.required"),
	cert("lot and type without a model", func(c *Certificate) {
		c.Model = ""
		c.Products = append(c.Products, fixtureCertificate().Products[0])
	}, "data_validade certificate.valid_until.required"),
}

var serviceCases = []ruleCase{
	cert("in a product class", func(c *Certificate) { c.Class = "capacetes" },
		"servicos certificate.services.in_product_class"),
	cert("without documents", func(c *Certificate) { c.Services[0].Documents = nil },
		"servicos[0].documentos service.documents.required", "documentos certificate.documents.required"),
	cert("without class", func(c *Certificate) { c.Services[0].Class = "" }, "servicos[0].classe service.class.required"),
	cert("of unknown class", func(c *Certificate) { c.Services[0].Class = "x" },
		"servicos[0].classe service.class.unknown",
		"servicos[0].documentos[0].documento certificate.document.not_offered"),
	{"not accredited", func(s *scene) { s.tables.ServiceClasses[0].Scopes[0].To = mustDate("2024-05-05") },
		[]string{"classe certificate.class.not_accredited", "servicos[0].classe service.class.not_accredited"}},
	cert("without company", func(c *Certificate) { c.Services[0].Company = "" },
		"servicos[0].empresa service.company.required"),
	cert("under a stranger", func(c *Certificate) { c.Services[0].Company = third },
		"servicos[0].empresa service.company.absent"),
	cert("under a cancelled company", func(c *Certificate) { c.Companies[1].Situation = Cancelled },
		"servicos[0].empresa service.company.inactive"),
	cert("without id", func(c *Certificate) { c.Services[0].ID = "" }, "servicos[0].id service.id.required"),
	cert("twice", func(c *Certificate) {
		twin := c.Services[0]
		twin.ID = nobody
		c.Services = append(c.Services, twin)
	}, "servicos[1] certificate.service.repeated"),
	cert("twice, one of them cancelled", func(c *Certificate) {
		twin := c.Services[0]
		twin.ID, twin.Situation = nobody, Cancelled
		c.Services = []ServiceLink{twin, c.Services[0]}
	}),
	cert("one id twice", func(c *Certificate) {
		twin := c.Services[0]
		twin.Class, twin.Documents = "gnv", nil
		c.Services = append(c.Services, twin)
	}, "servicos[1] certificate.service.repeated", "servicos[1].documentos service.documents.required"),
	cert("document without entry", func(c *Certificate) { c.Services[0].Documents[0].EnteredOn = brasil.Date{} },
		"servicos[0].documentos[0].data_entrada certificate.entered.required"),
	cert("document that expired", func(c *Certificate) { c.Services[0].Documents[0].EnteredOn = mustDate("2022-02-28") },
		"servicos[0].documentos[0].documento certificate.document.period"),
}

func TestRules(t *testing.T) {
	t.Parallel()
	runCases(t, certificateScene, envelopeCases)
	runCases(t, certificateScene, generalCases)
	runCases(t, certificateScene, tableCases)
	runCases(t, lotScene, lotCases)
	runCases(t, serviceScene, serviceCases)
	runCases(t, companyScene, companyCases)
	runCases(t, productScene, productCases)
	runCases(t, approvedScene, changeCases)
	runCases(t, approvedServiceScene, serviceChangeCases)
	runCases(t, approvedCompanyScene, companyChangeCases)
	runCases(t, approvedProductScene, productChangeCases)
	runCases(t, certificateScene, linkCases)
}

// keyShape finds what can only be a problem's code.
var keyShape = regexp.MustCompile(`^(certificate|company|product|service|situation|revision|text|list)\.[a-z_.]+$`)

// notProblems are keys of faults and reasons, tested where they are given.
var notProblems = map[string]bool{
	"revision.hash": true, "revision.not_canonical": true, "product.unlinked": true, "service.unlinked": true,
	"company.unlinked": true, "company.dependants": true, "company.transfer": true,
	"revision.number": true, "revision.previous": true, "revision.approved_at": true,
	HiddenClass: true, HiddenCancelled: true, HiddenSuspended: true, HiddenExpired: true,
}

// TestEveryRuleHasACase reads the sources: a rule without a case fails here.
func TestEveryRuleHasACase(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{}
	for _, cases := range [][]ruleCase{envelopeCases, generalCases, tableCases, linkCases, lotCases, serviceCases,
		companyCases, productCases, changeCases, serviceChangeCases, companyChangeCases, productChangeCases} {
		for _, c := range cases {
			for _, want := range c.want {
				_, code, _ := strings.Cut(want, " ")
				tested[code] = true
			}
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			if key, _ := strconv.Unquote(lit.Value); keyShape.MatchString(key) && !tested[key] && !notProblems[key] {
				t.Errorf("%s: no case for %s", name, key)
			}
			return true
		})
	}
}
