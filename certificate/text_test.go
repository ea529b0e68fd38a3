package certificate

import (
	"reflect"
	"testing"

	"selo/brasil"

	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	t.Parallel()
	c := &Certificate{
		Number: "  FB  108 ", Remarks: "\r\n Um  dois \r\ntrês\u2028 quatro \n\n", Signatories: "Jose\u0301",
		Type: " norma ", Documents: []DocumentLink{{}}, Companies: []CompanyLink{{Situation: Cancelled}},
		Products: []ProductLink{{Lot: " L  1 "}}, Services: []ServiceLink{{Documents: []DocumentLink{{}}}},
	}
	c.Clean()
	want := &Certificate{
		Number: "FB 108", Remarks: "Um dois\ntrês\nquatro", Signatories: "José", Type: "norma", Situation: Active,
		Documents: []DocumentLink{{Situation: Active}}, Companies: []CompanyLink{{Situation: Cancelled}},
		Products: []ProductLink{{Lot: "L 1", Situation: Active}},
		Services: []ServiceLink{{Situation: Active, Documents: []DocumentLink{{Situation: Active}}}},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("certificate\n got %+v\nwant %+v", c, want)
	}

	firm := &Company{Country: " br", CNPJ: "12.abc.345/01de-35", CEP: "20000-000", UF: "rio de janeiro", Name: " A  B "}
	firm.Clean()
	if wantFirm := (&Company{Country: Brazil, CNPJ: "12ABC34501DE35", CEP: "20000000", UF: "RJ", Name: "A B"}); !reflect.DeepEqual(firm, wantFirm) {
		t.Errorf("company %+v, want %+v", firm, wantFirm)
	}
	foreign := &Company{Country: "us", CEP: "20000-000", UF: "sp", CPF: "529.982.247-25", CNPJ: " 1 "}
	foreign.Clean()
	if wantForeign := (&Company{Country: "US", CEP: "20000-000", UF: "sp", CPF: "52998224725", CNPJ: "1"}); !reflect.DeepEqual(foreign, wantForeign) {
		t.Errorf("foreign company %+v, want %+v", foreign, wantForeign)
	}

	r := &Revision{Body: " demo", Product: &Product{Brand: "A\tB", GTINs: []brasil.GTIN{" 96385074 ", "x "}},
		Justifications: []Justification{{Fields: []string{"a"}, Text: " Um \n dois "}}}
	r.Clean()
	if r.Body != "DEMO" || r.Product.Brand != "A B" || r.Product.GTINs[0] != "96385074" || r.Product.GTINs[1] != "x " ||
		r.Justifications[0].Text != "Um\ndois" {
		t.Errorf("revision %+v %+v", r, r.Product)
	}
}

// TestCleanKeeps: cleaning twice changes nothing, and what the rules accept
// they accept cleaned, under the same key.
func TestCleanKeeps(t *testing.T) {
	t.Parallel()
	rules := NewRules(fixtureTables())
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRevision(rt)
		key, problems := r.Key(), rules.CheckDraft(r, today)
		r.Clean()
		once := clone(r)
		once.Clean()
		if !reflect.DeepEqual(once, r) {
			rt.Fatalf("cleaned once %+v, twice %+v", r, once)
		}
		if len(problems) == 0 && r.Company == nil && r.Key() != key { // a company's numbers lose their masks
			rt.Fatal("cleaning changed the key")
		}
		if again := rules.CheckDraft(r, today); len(problems) == 0 && len(again) > 0 {
			rt.Fatalf("cleaning made %v", again)
		}
	})
}

// Two brands that look the same are the same: what nobody sees is taken out of
// what is typed and refused in what another program sends.
func TestInvisibleCharacters(t *testing.T) {
	t.Parallel()
	rules := NewRules(fixtureTables())
	for _, hidden := range []string{"\u200b", "\u200d", "\u00ad", "\ufeff", "\u2060", "\u200e", "\U000e0041"} {
		product := fixtureProduct()
		want := product.Brand
		product.Brand = want[:1] + hidden + want[1:]
		r := revisionOf(product)
		if problems := rules.CheckDraft(r, today); len(problems) != 1 || problems[0].Code != "text.control" {
			t.Errorf("%+q: %v", hidden, problems)
		}
		if r.Clean(); r.Product.Brand != want {
			t.Errorf("%+q: cleaned brand is %+q", hidden, r.Product.Brand)
		}
	}
}
