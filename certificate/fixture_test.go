package certificate

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"selo/brasil"
	"selo/fault"
)

// IDs of the records that the fixtures link to.
const (
	maker    ID = "01900000-0000-7000-8000-000000000001"
	seller   ID = "01900000-0000-7000-8000-000000000002"
	third    ID = "01900000-0000-7000-8000-000000000003" // exists, linked nowhere
	helmet   ID = "01900000-0000-7000-8000-000000000011"
	imported ID = "01900000-0000-7000-8000-000000000012"
	spare    ID = "01900000-0000-7000-8000-000000000013" // exists, linked nowhere
	nobody   ID = "01900000-0000-7000-8000-0000000000ff"
	record   ID = "01900000-0000-7000-8000-0000000000a1"
	overhaul ID = "01900000-0000-7000-8000-0000000000b1"
)

var today = mustDate("2026-03-10")

// scene is one call of Check: the state, the frozen state and the world around them.
type scene struct {
	tables *Tables
	next   *Revision
	prev   *Revision
	refs   records
	today  brasil.Date
}

func (s *scene) check() []fault.Problem {
	return NewRules(s.tables).Check(s.next, s.prev, s.refs, s.today)
}

// records are the companies and products that exist.
type records struct {
	companies map[ID]*Company
	products  map[ID]bool // imported
}

func (r records) Company(id ID) (*Company, bool) { c, ok := r.companies[id]; return c, ok }
func (r records) Product(id ID) (imported, ok bool) {
	imported, ok = r.products[id]
	return imported, ok
}

func fixtureRecords() records {
	return records{
		companies: map[ID]*Company{maker: fixtureCompany(), seller: {Name: "Loja Ltda"}, third: {Name: "Outra Ltda"}},
		products:  map[ID]bool{helmet: false, imported: true, spare: false},
	}
}

func fixtureTables() *Tables {
	since := []Period{{From: mustDate("2015-01-01"), To: mustDate("2030-12-31")}}
	offer := func(t TypeCode, c ClassCode, from, to string) Offer {
		o := Offer{Type: t, Class: c, Period: Period{From: mustDate(from)}}
		if to != "" {
			o.To = mustDate(to)
		}
		return o
	}
	return &Tables{
		Body: "DEMO", Number: 1,
		Classes: []Class{
			{Code: "capacetes", Name: "Capacetes", Required: []RoleCode{Applicant, Manufacturer}, Scopes: since},
			{Code: "servico", Name: "Serviço", Service: true, Scopes: since},
			{Code: "tubos", Name: "Tubos", Scopes: since, Disabled: "portaria revogada"},
		},
		ServiceClasses: []ServiceClass{
			{Code: "extintores", Name: "Manutenção de extintores", Scopes: since},
			{Code: "gnv", Name: "Instalação de GNV", Scopes: since},
		},
		Documents: []Document{
			{Code: "portaria-231", Title: "Portaria Inmetro nº 231/2021", Kind: "Portaria", Offers: []Offer{
				offer(TypeCompulsory, "capacetes", "2021-06-01", "")}},
			{Code: "portaria-456", Title: "Portaria Inmetro nº 456/2010", Kind: "Portaria", Offers: []Offer{
				offer(TypeCompulsory, "capacetes", "2010-12-01", "2023-06-01")}},
			{Code: "norma-1", Title: "ABNT NBR 1", Kind: "Norma", Offers: []Offer{
				offer(TypeStandard, "capacetes", "2000-01-01", "")}},
			{Code: "portaria-58", Title: "Portaria Inmetro nº 58/2022", Kind: "Portaria", Offers: []Offer{
				{Type: TypeCompulsory, ServiceClass: "extintores", Period: Period{From: mustDate("2022-03-01")}}}},
		},
		Countries: []Country{{Brazil, "Brasil"}, {"CN", "China"}},
		Roles: []Role{{Applicant, "Solicitante"}, {Manufacturer, "Fabricante"}, {Importer, "Importador"},
			{Supplier, "Fornecedor"}},
		Types: []CertificateType{
			{TypeStandard, "Certificado de Conformidade à Norma"},
			{TypeCompulsory, "Certificado de Conformidade à Portaria Inmetro Compulsório"},
			{TypeVoluntary, "Certificado de Conformidade à Portaria Inmetro Voluntário"},
		},
	}
}

// fixtureCertificate is complete: two companies, one product by type.
func fixtureCertificate() *Certificate {
	day := mustDate("2024-05-06")
	return &Certificate{
		Class: "capacetes", IssuedOn: day, ValidUntil: mustDate("2028-05-06"), Model: "5",
		Number: "FB-BRIN-108/17.001", Situation: Active, Type: TypeCompulsory,
		Signatories: "Ana Paula – Superintendente", Remarks: "Linha um\nLinha dois",
		Documents: []DocumentLink{{EnteredOn: day, Document: "portaria-231", Situation: Active}},
		Companies: []CompanyLink{
			{EnteredOn: day, Company: maker, Role: Manufacturer, Situation: Active},
			{EnteredOn: day, Company: seller, Role: Applicant, Situation: Active},
		},
		Products: []ProductLink{{EnteredOn: day, Company: maker, Modality: ByType, Product: helmet, Situation: Active}},
	}
}

// fixtureService is a complete service certificate.
func fixtureService() *Certificate {
	c := fixtureCertificate()
	day := c.IssuedOn
	c.Class, c.Documents, c.Products = "servico", nil, nil
	c.Services = []ServiceLink{{
		Class: "extintores", EnteredOn: day, Company: seller, ID: overhaul, Situation: Active,
		Documents: []DocumentLink{{EnteredOn: day, Document: "portaria-58", Situation: Active}},
	}}
	return c
}

func fixtureCompany() *Company {
	return &Company{
		CNPJ: "12ABC34501DE35", Country: Brazil, Name: "Fábrica Fictícia Ltda", Person: Legal,
		CEP: "20000000", UF: "RJ", City: "Rio de Janeiro", Email: "contato@fabrica.example.org",
	}
}

func fixtureProduct() *Product {
	return &Product{Brand: "Marca", Model: "M-100", GTINs: []brasil.GTIN{"7891234567895"}, Description: "Capacete"}
}

func revisionOf(content any) *Revision {
	r := &Revision{ID: record, Body: "DEMO", Number: 1, ApprovedAt: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)}
	switch content := content.(type) {
	case *Certificate:
		r.Certificate = content
	case *Company:
		r.Company = content
	case *Product:
		r.Product = content
	}
	return r
}

func newScene(content any) *scene {
	return &scene{tables: fixtureTables(), next: revisionOf(content), refs: fixtureRecords(), today: today}
}

// fixtureScenes has one first revision of each kind and shape.
func fixtureScenes() map[string]*scene {
	lot := fixtureCertificate()
	lot.Model, lot.ValidUntil = ModelLot, brasil.Date{}
	lot.Products[0] = ProductLink{EnteredOn: lot.IssuedOn, Company: maker, Modality: ByLot, Product: imported,
		Lot: "L-1", Quantity: 500, ImportLicence: "24/1234567-8", Situation: Active}
	process := fixtureProduct()
	process.Model, process.Description, process.GTINs = "não aplicável", "", nil
	foreign := &Company{Country: "CN", Name: "Helmets Co.", Person: Legal, UF: "Guangdong", CEP: "510000"}
	person := &Company{Country: Brazil, CPF: "52998224725", Name: "Fulano de Tal", Person: Natural}
	return map[string]*scene{
		"certificate": newScene(fixtureCertificate()), "service certificate": newScene(fixtureService()),
		"lot certificate": newScene(lot), "company": newScene(fixtureCompany()), "foreign company": newScene(foreign),
		"person": newScene(person), "product": newScene(fixtureProduct()), "process (FAQ 3.8)": newScene(process),
	}
}

// ruleCase breaks something in a scene that is in order and says what must be
// found, as "field code", no more and no less.
type ruleCase struct {
	name  string
	spoil func(*scene)
	want  []string
}

func runCases(t *testing.T, open func() *scene, cases []ruleCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open()
			c.spoil(s)
			wantProblems(t, s.check(), s.next.Label(), c.want)
		})
	}
}

func wantProblems(t *testing.T, got []fault.Problem, record string, want []string) {
	t.Helper()
	var found []string
	for _, p := range got {
		found = append(found, p.Field+" "+p.Code)
		if p.Record != record {
			t.Errorf("%s %s: record %q, want %q", p.Field, p.Code, p.Record, record)
		}
	}
	slices.Sort(found)
	slices.Sort(want)
	if !slices.Equal(found, want) {
		t.Errorf("problems:\n got %q\nwant %q", found, want)
	}
}

// clone copies deeply by the codec, so that a test may spoil the copy.
func clone(r *Revision) *Revision {
	b, err := r.Encode()
	if err != nil {
		panic(fmt.Sprint("encode fixture: ", err))
	}
	again, err := DecodeRevision(b)
	if err != nil {
		panic(fmt.Sprint("decode fixture: ", err, string(b)))
	}
	return again
}
