package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"selo/certificate"
	"selo/fault"
)

func TestCertificate(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(3, publishedAt), publishedAt)
	view, err := c.Certificate(t.Context(), "ccb", "fb brin 108/17.001")
	if err != nil {
		t.Fatal(err)
	}
	if view.Number != "FB-BRIN-108/17.001" || view.Situation != "ativo" || view.Hidden != "" || view.Publication != 3 ||
		view.Class != (Named{"fogao", "Fogões e fornos a gás"}) || view.Products != 2 || view.Path != "/certificados/CCB/FB-BRIN-108%2F17.001" {
		t.Errorf("general data: %+v", view)
	}
	if len(view.Documents) != 1 || view.Documents[0].Title != "Portaria Inmetro nº 400/2012" {
		t.Errorf("documents: %+v", view.Documents)
	}
	if len(view.Parties) != 2 || view.Parties[0].Role.Name != "Fabricante" || view.Parties[0].CPF != "***.982.247-**" || view.Parties[0].Street != "" ||
		view.Parties[1].CNPJ != "12ABC34501DE35" || view.Parties[1].Street != "Rua Um" {
		t.Errorf("parties: %+v", view.Parties)
	}
	if int64(view.Revision.Index) != 8 || view.Revision.Hash != src.entries[8].Hash {
		t.Errorf("revision: %+v", view.Revision)
	}
	again, err := encode(view)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := c.CertificateJSON(t.Context(), "CCB", "FB-BRIN-108/17.001"); err != nil || !bytes.Equal(data, again) {
		t.Errorf("the ready-made JSON is another: %v\n%s\n%s", err, data, again)
	}
}

// What an exact address shows of each certificate (manual 1.2, 2.2.1.3, FAQ 3.22).
func TestCertificateVisibility(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	for number, want := range map[string]struct{ situation, hidden string }{
		"FB-BRIN-108/17.001": {"ativo", ""}, "2534": {"suspenso", ""}, "2535": {"cancelado", ""}, "2536": {"ativo", ""},
		"2537": {"ativo", "portaria revogada"}, "2538 X": {"expirado", ""}, "S-1": {"ativo", ""}, "S-2": {"ativo", "escopo duplicado"},
	} {
		view, err := c.Certificate(t.Context(), "CCB", number)
		if err != nil {
			t.Errorf("%s: %v", number, err)
			continue
		}
		if view.Situation != want.situation || view.Hidden != want.hidden {
			t.Errorf("%s: %s %q, want %s %q", number, view.Situation, view.Hidden, want.situation, want.hidden)
		}
	}
	view, err := c.Certificate(t.Context(), "CCB", "S-1")
	if err != nil || len(view.Services) != 1 || view.Services[0].Description != "Oficina credenciada" {
		t.Errorf("services: %+v, %v", view, err)
	}
	for _, miss := range [][2]string{{"CCB", "9999"}, {"UL", "2534"}, {"CCB", ""}, {"CCB", "253"}} {
		if _, err := c.Certificate(t.Context(), certificate.Sigla(miss[0]), miss[1]); !fault.HasKey(err, "certificate.not_found") {
			t.Errorf("%v: %v", miss, err)
		}
	}
}

// Two numbers that differ in punctuation only are two certificates.
func TestCertificateNumbersApart(t *testing.T) {
	t.Parallel()
	src := &memSource{ref: testReference()}
	for i, number := range []string{"1.23", "12.3"} {
		src.accept(t, "CCB", testID('c', i), certificate.Certificate{Number: number, Class: "fogao", Situation: certificate.Active})
	}
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	for _, number := range []string{"1.23", "12.3"} {
		if view, err := c.Certificate(t.Context(), "CCB", number); err != nil || view.Number != number {
			t.Errorf("%s: %+v, %v", number, view, err)
		}
	}
	if _, err := c.Certificate(t.Context(), "CCB", "123"); !fault.HasKey(err, "certificate.not_found") {
		t.Errorf("123 names either of two: %v", err)
	}
}

func TestProducts(t *testing.T) {
	t.Parallel()
	src := &memSource{ref: testReference()}
	src.accept(t, "CCB", testID('e', 1), certificate.Company{Name: "Empresa", Country: "BR", Person: certificate.Legal})
	cert := certificate.Certificate{Number: "1/2", Class: "fogao", Situation: certificate.Active,
		Companies: []certificate.CompanyLink{{Company: testID('e', 1), Role: certificate.Applicant, Situation: certificate.Active}}}
	for i := range 250 {
		src.accept(t, "CCB", testID('p', i), certificate.Product{Brand: "Marca", Model: fmt.Sprintf("Ç-%d", i)})
		s := certificate.Active
		if i%10 == 0 {
			s = certificate.Cancelled
		}
		cert.Products = append(cert.Products, certificate.ProductLink{Company: testID('e', 1), Product: testID('p', i), Modality: certificate.ByLot, Quantity: 7, Situation: s})
	}
	src.accept(t, "CCB", testID('c', 1), cert)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	read := func(q ProductQuery) (models []string) {
		for {
			page, err := c.Products(t.Context(), "CCB", "1/2", q)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.Products {
				models = append(models, p.Model)
			}
			if q.Cursor = page.Next; page.Next == "" {
				return models
			}
		}
	}
	if got := read(ProductQuery{}); len(got) != 225 || got[0] != "Ç-1" || got[224] != "Ç-249" {
		t.Errorf("%d products", len(got))
	}
	if got := read(ProductQuery{Text: "ç24", Limit: 2}); strings.Join(got, " ") != "Ç-24 Ç-241 Ç-242 Ç-243 Ç-244 Ç-245 Ç-246 Ç-247 Ç-248 Ç-249" {
		t.Errorf("products with 24: %v", got)
	}
	if got := read(ProductQuery{Text: "ç249", Examine: 50}); !slices.Equal(got, []string{"Ç-249"}) {
		t.Errorf("by pages of few rows: %v", got)
	}
	if page, err := c.Products(t.Context(), "CCB", "1/2", ProductQuery{Text: "ç249", Examine: 50}); err != nil || page.Examined != 50 || page.Next == "" || len(page.Products) != 0 {
		t.Errorf("a page of few rows: %+v, %v", page, err)
	}
	if _, err := c.Products(t.Context(), "CCB", "1/2", ProductQuery{Cursor: "AAAA"}); !fault.HasKey(err, "search.cursor") {
		t.Errorf("a foreign cursor: %v", err)
	}
	if _, err := c.Products(t.Context(), "CCB", "1/2", ProductQuery{Limit: 1001}); !fault.HasKey(err, "search.limit") {
		t.Errorf("too many: %v", err)
	}
}

// Nothing that the public must not see is anywhere in the file.
func TestSnapshotHoldsNoPersonalData(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	data := fileBytes(t, c.File())
	for _, secret := range []string{"52998224725", "segredo@example.com", "5555-0000", "Rua Particular"} {
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("the snapshot holds %q", secret)
		}
	}
	if !bytes.Contains(data, []byte("Rua Um")) {
		t.Error("the test looks at the wrong bytes")
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	for name, test := range map[string]struct {
		ask     Query
		covered string
		reasons string
		listed  string
	}{
		"covered, folded":           {Query{Brand: "COCA COLA", Model: "sun2000 33ktl a"}, Covered, "", "2537 FB-BRIN-108/17.001"},
		"by GTIN":                   {Query{GTIN: "7891234567895"}, Covered, "", "2537 FB-BRIN-108/17.001"},
		"imported yes, national no": {Query{Brand: "acai", Model: "x1"}, PartCovers, "verification.certificate.suspended verification.product.suspended", "2534 FB-BRIN-108/17.001 FB-BRIN-108/17.001"},
		"suspended, cancelled, expired": {Query{Brand: "Suspensa", Model: "S9"}, NotCovered,
			"verification.certificate.expired verification.certificate.cancelled verification.product.suspended", "2538 X 2535 FB-BRIN-108/17.001"},
		"product in one certificate": {Query{Brand: "Suspensa", Model: "S9", Number: "2535"}, NotCovered, "verification.certificate.cancelled", "2535"},
		"nothing":                    {Query{Brand: "Nada", Model: "N"}, NotCovered, "verification.not_found", ""},
		"GTIN of nobody":             {Query{GTIN: "96385074"}, NotCovered, "verification.not_found", ""},
		"number":                     {Query{Number: "2536"}, Covered, "", "2536"},
		"number, some products not":  {Query{Number: "fb-brin-108 17 001"}, PartCovers, "verification.product.some", "FB-BRIN-108/17.001"},
		"number, suspended":          {Query{Number: "2534"}, NotCovered, "verification.certificate.suspended", "2534"},
		"number, disabled class":     {Query{Number: "2537"}, NotCovered, "verification.class.disabled", "2537"},
		"number of a service":        {Query{Number: "S-1"}, Covered, "", "S-1"},
		"number of its body":         {Query{Number: "2536", Body: "ccb"}, Covered, "", "2536"},
		"number of another body":     {Query{Number: "2536", Body: "NONE"}, NotCovered, "verification.not_found", ""},
		"product of another body":    {Query{GTIN: "7891234567895", Body: "NONE"}, NotCovered, "verification.not_found", ""},
		"with its company":           {Query{Number: "2536", CNPJ: "12.ABC.345/01DE-35"}, Covered, "", "2536"},
		"with a suspended company":   {Query{Number: "2536", CNPJ: string(mustCNPJ(t, "987654320001"))}, NotCovered, "verification.company.suspended", "2536"},
		"with a stranger":            {Query{Number: "2536", CNPJ: string(mustCNPJ(t, "111111110001"))}, NotCovered, "verification.company.absent", "2536"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := c.Verify(t.Context(), test.ask)
			if err != nil {
				t.Fatal(err)
			}
			var reasons, listed []string
			for _, r := range a.Reasons {
				reasons = append(reasons, r.Code)
			}
			for _, v := range a.Certificates {
				listed = append(listed, v.Number)
			}
			if a.Covered != test.covered || strings.Join(reasons, " ") != test.reasons || strings.Join(listed, " ") != test.listed {
				t.Errorf("%s %v %v, want %s [%s] [%s]", a.Covered, reasons, listed, test.covered, test.reasons, test.listed)
			}
			if data, err := json.Marshal(a); err != nil || bytes.Contains(data, []byte("null")) {
				t.Errorf("JSON %s, %v", data, err)
			}
		})
	}
	for _, ask := range []Query{{}, {Brand: "x"}, {Model: "x"}, {CNPJ: "12ABC34501DE35"}, {Brand: "x", Number: "1"}} {
		if _, err := c.Verify(t.Context(), ask); !fault.HasKey(err, "verification.incomplete") {
			t.Errorf("%+v: %v", ask, err)
		}
	}
}

// What covers is found however many newer certificates do not: by product, by
// number, and with the company that is asked for.
func TestVerifyFindsWhatCoversAmongMany(t *testing.T) {
	t.Parallel()
	src := &memSource{ref: testReference()}
	asked, other := mustCNPJ(t, "123456780001"), mustCNPJ(t, "987654320001")
	src.accept(t, "CCB", testID('e', 1), certificate.Company{Name: "Empresa", CNPJ: asked, Country: "BR", UF: "SP", Person: certificate.Legal})
	src.accept(t, "CCB", testID('e', 2), certificate.Company{Name: "Outra", CNPJ: other, Country: "BR", UF: "SP", Person: certificate.Legal})
	src.accept(t, "CCB", testID('p', 1), certificate.Product{Brand: "Marca", Model: "M1"})
	put := func(n, company int, certified, link certificate.Situation) {
		src.accept(t, "CCB", testID('c', n), certificate.Certificate{Number: "7" + strings.Repeat("-", n), Class: "fogao", Situation: certified, ValidUntil: day(t, "2030-01-01"),
			Companies: []certificate.CompanyLink{{Company: testID('e', company), Role: certificate.Applicant, Situation: certificate.Active}},
			Products:  []certificate.ProductLink{{Company: testID('e', company), Product: testID('p', 1), Modality: certificate.ByType, Situation: link}}})
	}
	put(0, 1, certificate.Active, certificate.Active)
	put(1, 2, certificate.Active, certificate.Active)
	for n := range maxVerified + 1 {
		switch n % 3 {
		case 0:
			put(n+2, 1, certificate.Cancelled, certificate.Active)
		case 1:
			put(n+2, 1, certificate.Active, certificate.Cancelled)
		case 2:
			put(n+2, 1, certificate.Suspended, certificate.Cancelled)
		}
	}
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	for _, test := range []struct {
		ask  Query
		want []string // the certificates that cover, the newest first
	}{
		{Query{Brand: "Marca", Model: "M1"}, []string{"7-", "7"}},
		{Query{Brand: "Marca", Model: "M1", CNPJ: string(asked)}, []string{"7"}},
		{Query{Brand: "Marca", Model: "M1", CNPJ: string(other)}, []string{"7-"}},
		{Query{Number: "7"}, []string{"7-", "7"}},
		{Query{Number: "7", CNPJ: string(other)}, []string{"7-"}},
	} {
		a, err := c.Verify(t.Context(), test.ask)
		if err != nil {
			t.Fatal(err)
		}
		var covering []string
		for i, v := range a.Certificates {
			if v.Covered {
				covering = append(covering, v.Number)
			}
			if i > 0 && len(v.Number) > len(a.Certificates[i-1].Number) {
				t.Errorf("%+v: %q stands after %q", test.ask, v.Number, a.Certificates[i-1].Number)
			}
		}
		if a.Covered == NotCovered || !slices.Equal(covering, test.want) || len(a.Certificates) > maxVerified {
			t.Errorf("%+v: %s, by %q of %d", test.ask, a.Covered, covering, len(a.Certificates))
		}
	}
}
