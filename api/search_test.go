package api_test

import (
	"net/url"
	"testing"

	"selo/api"
	"selo/catalog"
	"selo/certificate"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	for query, want := range map[string]int{
		"":                                 3,
		"?q=capacetes":                     3,
		"?q=marca+acao":                    3,
		"?q=brin108":                       1,
		"?numero=FB-BRIN-108%2F17.001":     1,
		"?organismo=WOS":                   0,
		"?organismo=CCB&uf=RJ":             3,
		"?cnpj=12.ABC.345%2F01DE-35":       3,
		"?gtin=7891234567895":              3,
		"?marca=Marca+A%C3%A7%C3%A3o":      3,
		"?situacao=cancelado":              0,
		"?situacao=todas&classe=capacetes": 3,
		"?q=nada+disso":                    0,
	} {
		a := w.ask("GET", "/api/v1/certificados"+query)
		var hits catalog.Hits
		a.into(t, &hits)
		if a.status != 200 || len(hits.Certificates) != want || hits.Publication != 1 {
			t.Errorf("%q finds %d of %d: %s", query, len(hits.Certificates), want, a.body)
		}
	}
	seen := map[string]bool{}
	for cursor := ""; ; {
		var page catalog.Hits
		w.ask("GET", "/api/v1/certificados?q=capacetes&limite=1&cursor="+url.QueryEscape(cursor)).into(t, &page)
		for _, hit := range page.Certificates {
			seen[hit.Number] = true
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(seen) != 3 {
		t.Errorf("the pages show %v", seen)
	}
}

func TestVerification(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	verify := func(query string) (v api.Verification) {
		a := w.ask("GET", "/api/v1/verificacao?"+query)
		if a.status != 200 {
			t.Fatalf("%s gives %d %s", query, a.status, a.body)
		}
		a.into(t, &v)
		return v
	}
	for query, want := range map[string]string{
		"marca=marca+acao&modelo=m100": "sim", "gtin=7891234567895": "sim", "numero=fbbrin10817001": "sim",
		"marca=marca+acao&modelo=m100&cnpj=11222333000181": "sim", "marca=outra&modelo=m100": "nao",
	} {
		v := verify(query)
		if v.Covered != want || v.On.String() != "2026-03-10" || (len(v.Reasons) == 0) != (want == "sim") || (len(v.Certificates) > 0) != (want == "sim") {
			t.Errorf("%s gives %+v", query, v)
		}
	}
	suspended := helmets("2534")
	suspended.Situation = certificate.Suspended
	w.send("CCB", []*certificate.Revision{{ID: plain, Certificate: suspended,
		Justifications: []certificate.Justification{{Fields: []string{"situacao"}, Text: "suspenso"}}}})
	w.publish()
	v := verify("numero=2534")
	if v.Covered != "nao" || len(v.Reasons) != 1 || v.Reasons[0].Code != "verification.certificate.suspended" || v.Reasons[0].Message == "" ||
		len(v.Certificates) != 1 || v.Certificates[0].Covered || v.Certificates[0].Situation != "suspenso" {
		t.Errorf("a suspended certificate gives %+v", v)
	}
}
