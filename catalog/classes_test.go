package catalog

import (
	"testing"

	"selo/certificate"
)

func TestClasses(t *testing.T) {
	t.Parallel()
	src := shop(t)
	src.ref.Tables.Documents = append(src.ref.Tables.Documents, certificate.Document{Code: "p130", Title: "Portaria Inmetro nº 130/2022", Kind: "Portaria",
		Offers: []certificate.Offer{{ServiceClass: "gnv", Type: certificate.TypeCompulsory, Period: certificate.Period{From: day(t, "2022-01-01")}}}})
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	var names []string
	for _, class := range c.Classes() {
		names = append(names, class.Name)
	}
	if len(names) != 4 || names[0] != "Brinquedos antigos" || names[2] != "Serviço" {
		t.Errorf("classes %q", names)
	}
	if off, ok := c.FindClass("velha"); !ok || off.Disabled != "portaria revogada" || off.Service {
		t.Errorf("a class off the Web: %+v, %t", off, ok)
	}
	if _, ok := c.FindClass("VELHA"); ok {
		t.Error("codes are told apart by their capitals")
	}
	services := c.ServiceClasses()
	if len(services) != 2 || services[0].Disabled != "escopo duplicado" || len(services[0].Documents) != 0 || len(services[1].Documents) != 1 {
		t.Fatalf("service classes %+v", services)
	}
	if d := services[1].Documents[0]; d.Title != "Portaria Inmetro nº 130/2022" || d.Type.Name != "Compulsório" || !d.Period.Holds(day(t, "2026-01-01")) || d.Period.Holds(day(t, "2021-12-31")) {
		t.Errorf("%+v", d)
	}
}

func TestFindBody(t *testing.T) {
	t.Parallel()
	src := shop(t)
	src.ref.Bodies["Ab"], src.ref.Bodies["aB"] = "One", "Two"
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	for asked, want := range map[string]certificate.Sigla{"CCB": "CCB", "ccb": "CCB", "uL": "UL", "Ab": "Ab", "aB": "aB", "ab": "", "C.C.B": "", "": ""} {
		if got, ok := c.FindBody(asked); ok != (want != "") || ok && (got.Sigla != want || got.Name == "") {
			t.Errorf("%q finds %+v, %t", asked, got, ok)
		}
	}
}
