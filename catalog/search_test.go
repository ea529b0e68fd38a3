package catalog

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/clock"
	"selo/fault"
)

func open(tb testing.TB, path string, now time.Time) *Catalog {
	tb.Helper()
	c, err := Open(tb.Context(), path, OpenOptions{Clock: clock.NewManual(now)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// shop is a small base with one certificate of every kind that matters.
func shop(tb testing.TB) *memSource {
	tb.Helper()
	src := &memSource{ref: testReference()}
	cpf, err := brasil.MakeCPF("529982247")
	if err != nil {
		tb.Fatal(err)
	}
	src.accept(tb, "CCB", testID('e', 1), certificate.Company{Name: "Fogões São João Ltda", TradeName: "São-João", CNPJ: "12ABC34501DE35", Country: "BR",
		UF: "SP", City: "São Paulo", Street: "Rua Um", Person: certificate.Legal, Email: "segredo@example.com", Phone: "11 5555-0000"})
	src.accept(tb, "CCB", testID('e', 2), certificate.Company{Name: "Maria da Silva", CPF: cpf, Country: "BR", UF: "RJ", City: "Niterói", Street: "Rua Particular", Person: certificate.Natural})
	src.accept(tb, "CCB", testID('e', 3), certificate.Company{Name: "Fora Indústria", CNPJ: mustCNPJ(tb, "987654320001"), Country: "BR", UF: "AC", Person: certificate.Legal})
	for i, p := range []certificate.Product{
		{Brand: "Coca-Cola", Model: "SUN2000-33KTL-A", GTINs: []brasil.GTIN{"7891234567895"}, Description: "Fogão de mesa"},
		{Brand: "Açaí", Model: "X 1", Imported: true}, {Brand: "Açaí", Model: "X 1"}, {Brand: "Suspensa", Model: "S9"}, {Brand: "=cmd()", Model: "F1"},
	} {
		src.accept(tb, "CCB", testID('p', i), p)
	}
	link := func(p int, company int, s certificate.Situation) certificate.ProductLink {
		return certificate.ProductLink{Company: testID('e', company), Product: testID('p', p), Modality: certificate.ByType, Situation: s}
	}
	put := func(n int, number string, class certificate.ClassCode, s certificate.Situation, until string, products ...certificate.ProductLink) {
		c := certificate.Certificate{Number: number, Class: class, Situation: s, Type: certificate.TypeCompulsory, IssuedOn: day(tb, "2020-01-01"), ValidUntil: day(tb, until),
			Documents: []certificate.DocumentLink{{Document: "p400", Situation: certificate.Active}},
			Companies: []certificate.CompanyLink{{Company: testID('e', 2), Role: certificate.Manufacturer, Situation: certificate.Active},
				{Company: testID('e', 1), Role: certificate.Applicant, Situation: certificate.Active},
				{Company: testID('e', 3), Role: certificate.Importer, Situation: certificate.Suspended}}, Products: products}
		src.accept(tb, "CCB", testID('c', n), c)
	}
	put(1, "FB-BRIN-108/17.001", "fogao", certificate.Active, "2030-01-01", link(0, 1, certificate.Active), link(1, 2, certificate.Active), link(2, 2, certificate.Suspended), link(3, 1, certificate.Suspended))
	put(2, "2534", "tubo", certificate.Suspended, "2030-01-01", link(2, 1, certificate.Active))
	put(3, "2535", "tubo", certificate.Cancelled, "2030-01-01", link(3, 1, certificate.Active))
	put(4, "2536", "fogao", certificate.Active, "2026-03-10", link(4, 1, certificate.Active))
	put(5, "2537", "velha", certificate.Active, "2030-01-01", link(0, 1, certificate.Active))
	put(6, "2538 X", "fogao", certificate.Active, "2026-01-01", link(3, 1, certificate.Active))
	src.accept(tb, "CCB", testID('c', 7), certificate.Certificate{Number: "S-1", Class: "servico", Situation: certificate.Active, Type: certificate.TypeCompulsory,
		Companies: []certificate.CompanyLink{{Company: testID('e', 1), Role: certificate.Applicant, Situation: certificate.Active}},
		Services: []certificate.ServiceLink{{Class: "gnv", Company: testID('e', 1), ID: testID('s', 1), Situation: certificate.Active, Description: "Oficina credenciada"},
			{Class: "gnv", Company: testID('e', 1), ID: testID('s', 2), Situation: certificate.Cancelled, Description: "Desaparecida"}}})
	src.accept(tb, "CCB", testID('c', 8), certificate.Certificate{Number: "S-2", Class: "servico", Situation: certificate.Active, Type: certificate.TypeCompulsory,
		Services: []certificate.ServiceLink{{Class: "extinta", Company: testID('e', 1), ID: testID('s', 3), Situation: certificate.Active}}})
	return src
}

func numbers(tb testing.TB, c *Catalog, s Search) []string {
	tb.Helper()
	page, err := c.Search(tb.Context(), s)
	if err != nil {
		tb.Fatalf("%+v: %v", s, err)
	}
	list := []string{}
	for _, h := range page.Certificates {
		list = append(list, h.Number)
	}
	return list
}

func TestSearch(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt) // 10 March 2026 in Brasília
	brin := []string{"FB-BRIN-108/17.001"}
	for name, test := range map[string]struct {
		ask  Search
		want []string
	}{
		"all active":                {Search{}, []string{"S-1", "2536", "FB-BRIN-108/17.001"}},
		"space for hyphen":          {Search{Text: "BRIN 108"}, brin},
		"two parts in one":          {Search{Text: "brin108"}, brin},
		"all as typed":              {Search{Text: "FB-BRIN-108/17.001"}, brin},
		"all in one":                {Search{Text: "fbbrin10817001"}, brin},
		"part of the number":        {Search{Number: "108"}, brin},
		"parts not at its end":      {Search{Text: "brin108 acai"}, brin},
		"brand without accents":     {Search{Text: "acai"}, brin},
		"brand with other accents":  {Search{Brand: "AÇAI"}, brin},
		"brand in one word":         {Search{Brand: "cocacola"}, brin},
		"brand in two words":        {Search{Text: "coca cola"}, brin},
		"model, compact beginning":  {Search{Model: "sun200033ktl"}, brin},
		"brand and model apart":     {Search{Brand: "Coca-Cola", Model: "X 1"}, []string{}},
		"brand and model together":  {Search{Brand: "acai", Model: "x1"}, brin},
		"suspended product":         {Search{Text: "suspensa"}, []string{}},
		"suspended company":         {Search{Text: "fora industria"}, []string{}},
		"suspended company's CNPJ":  {Search{CNPJ: string(mustCNPJ(t, "987654320001"))}, []string{}},
		"CNPJ with letters, masked": {Search{CNPJ: "12.abc.345/01de-35"}, []string{"S-1", "2536", "FB-BRIN-108/17.001"}},
		"CNPJ as text":              {Search{Text: "12.ABC.345/01DE-35 coca"}, brin},
		"GTIN":                      {Search{GTIN: "07891234567895"}, brin},
		"GTIN as text":              {Search{Text: "7891234567895"}, brin},
		"GTIN in groups":            {Search{Text: "7 891234 567895"}, brin},
		"GTIN and word":             {Search{Text: "7891234567895 cola"}, brin},
		"GTIN and another's word":   {Search{Text: "7891234567895 cmd"}, []string{}},
		"class":                     {Search{Class: "fogao"}, []string{"2536", "FB-BRIN-108/17.001"}},
		"class name":                {Search{Text: "fogoes gas"}, []string{"2536", "FB-BRIN-108/17.001"}},
		"body":                      {Search{Body: "ccb", Class: "fogao"}, []string{"2536", "FB-BRIN-108/17.001"}},
		"other body":                {Search{Body: "UL"}, []string{}},
		"UF":                        {Search{UF: "rj"}, []string{"2536", "FB-BRIN-108/17.001"}},
		"UF of suspended company":   {Search{UF: "AC"}, []string{}},
		"document":                  {Search{Text: "portaria 400"}, []string{"2536", "FB-BRIN-108/17.001"}},
		"service":                   {Search{Text: "oficina"}, []string{"S-1"}},
		"cancelled service":         {Search{Text: "desaparecida"}, []string{}},
		"disabled class":            {Search{Text: "2537", Situation: AnySituation}, []string{}},
		"disabled class's name":     {Search{Text: "brinquedos", Situation: AnySituation}, []string{}},
		"disabled service class":    {Search{Text: "S-2", Situation: AnySituation}, []string{}},
		"suspended":                 {Search{Situation: "suspenso"}, []string{"2534"}},
		"cancelled":                 {Search{Situation: "cancelado"}, []string{"2535"}},
		"expired":                   {Search{Situation: "expirado"}, []string{"2538 X"}},
		"any":                       {Search{Situation: "todas", Text: "2534"}, []string{"2534"}},
		"number's beginning first":  {Search{Situation: "todas", Text: "253"}, []string{"2534", "2535", "2536", "2538 X"}},
		"CPF is not searchable":     {Search{Text: "52998224725"}, []string{}},
		"operators are words":       {Search{Text: `coca AND OR NOT NEAR("x") * : ^ - + { } "`}, []string{}},
		"a column's name":           {Search{Text: "filtros:sativo"}, []string{}},
		"marks are not words":       {Search{Text: "sativo"}, []string{}},
		"only punctuation":          {Search{Text: "!!! ---"}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := numbers(t, c, test.ask); !slices.Equal(got, test.want) {
				t.Errorf("found %q, want %q", got, test.want)
			}
		})
	}
}

// Validity is judged on the day of the question: the last day still counts.
func TestSearchExpiryFollowsTheDay(t *testing.T) {
	t.Parallel()
	src := shop(t)
	pub := src.publication(1, publishedAt)
	before := openBuilt(t, src, pub, publishedAt)
	after := openBuilt(t, src, pub, publishedAt.AddDate(0, 0, 1))
	if got := numbers(t, before, Search{Number: "2536"}); !slices.Equal(got, []string{"2536"}) {
		t.Errorf("on its last day it is not active: %v", got)
	}
	if got := numbers(t, after, Search{Number: "2536"}); len(got) != 0 {
		t.Errorf("a day later it is still active: %v", got)
	}
	if got := numbers(t, after, Search{Situation: "expirado"}); !slices.Equal(got, []string{"2538 X", "2536"}) {
		t.Errorf("expired a day later: %v", got)
	}
}

func TestSearchFaults(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	page, err := c.Search(t.Context(), Search{Limit: 1})
	if err != nil || page.Next == "" {
		t.Fatalf("no second page: %v, %v", page, err)
	}
	for key, asks := range map[string][]Search{
		"search.situation": {{Situation: "vigente"}},
		"search.limit":     {{Limit: 101}, {Limit: -1}},
		"search.cursor": {{Cursor: "x"}, {Cursor: page.Next}, {Limit: 1, Text: "coca", Cursor: page.Next},
			{Limit: 1, Cursor: page.Next[:len(page.Next)-1] + "!"}, {Limit: 1, Cursor: "A" + page.Next[1:len(page.Next)-1] + "B"}},
		"cnpj.length":     {{CNPJ: "123"}},
		"gtin.characters": {{GTIN: "abc"}},
		"uf.unknown":      {{UF: "XX"}},
	} {
		for _, ask := range asks {
			if _, err := c.Search(t.Context(), ask); !fault.HasKey(err, key) {
				t.Errorf("%+v: %v, want %s", ask, err, key)
			}
		}
	}
}

// Pages neither repeat nor lose, whatever their size.
func TestSearchPages(t *testing.T) {
	t.Parallel()
	src := &memSource{ref: testReference()}
	src.accept(t, "CCB", testID('e', 1), certificate.Company{Name: "Empresa", Country: "BR", Person: certificate.Legal})
	src.accept(t, "CCB", testID('p', 1), certificate.Product{Brand: "Única", Model: "A1"})
	want := []string{}
	for i := range 57 {
		number := fmt.Sprintf("%d/26", 10+i)
		src.accept(t, "CCB", testID('c', i), certificate.Certificate{Number: number, Class: "fogao", Situation: certificate.Active,
			Companies: []certificate.CompanyLink{{Company: testID('e', 1), Role: certificate.Applicant, Situation: certificate.Active}},
			Products:  []certificate.ProductLink{{Company: testID('e', 1), Product: testID('p', 1), Modality: certificate.ByType, Situation: certificate.Active}}})
		want = append(want, number)
	}
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	slices.Sort(want)
	for _, ask := range []Search{{}, {Text: "26"}, {Brand: "unica", Model: "a1"}, {Text: "unica"}} {
		for _, limit := range []int{1, 7, 19, 57, 100} {
			ask.Limit, ask.Cursor = limit, ""
			got := []string{}
			for pages := 0; pages < 70; pages++ {
				page, err := c.Search(t.Context(), ask)
				if err != nil {
					t.Fatal(err)
				}
				if len(page.Certificates) > limit {
					t.Fatalf("%d hits, asked for %d", len(page.Certificates), limit)
				}
				for _, h := range page.Certificates {
					got = append(got, h.Number)
				}
				if ask.Cursor = page.Next; page.Next == "" {
					break
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%+v: %d certificates, want %d", ask, len(got), len(want))
			}
		}
	}
}
