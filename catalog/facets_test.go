package catalog

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"selo/certificate"
	"selo/fault"
)

func facetText(list []Facet) string {
	var parts []string
	for _, f := range list {
		parts = append(parts, fmt.Sprintf("%s=%d", f.Value, f.Count))
	}
	return strings.Join(parts, " ")
}

func TestFacets(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	f, err := c.Facets(t.Context(), Search{Text: "fogoes", Situation: "ativo"})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		got  []Facet
		want string
	}{
		"situations": {f.Situations, "ativo=3 suspenso=1 cancelado=1 expirado=1"},
		"bodies":     {f.Bodies, "CCB=3"},
		"classes":    {f.Classes, "fogao=2 servico=1"},
		"roles":      {f.Roles, "solicitante=3 fabricante=2"},
		"companies":  {f.Companies, "12ABC34501DE35=3"},
		"UFs":        {f.UFs, "SP=3 RJ=2"},
		"countries":  {f.Countries, "BR=3"},
		"imported":   {f.Imported, "sim=1 nao=2"},
		"validities": {f.Validities, "30-dias=1 mais-de-1-ano=1 sem-data=1"},
	} {
		if got := facetText(test.got); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	if f.Total != 3 || f.More {
		t.Errorf("total %d, more %t", f.Total, f.More)
	}
	if f.Companies[0].Name != "Fogões São João Ltda" || f.Classes[0].Name != "Fogões e fornos a gás" {
		t.Errorf("names: %+v %+v", f.Companies[0], f.Classes[0])
	}
	if len(f.Hidden) != 1 || f.Hidden[0].Class.Code != "velha" || f.Hidden[0].Reason != "portaria revogada" {
		t.Errorf("hidden: %+v", f.Hidden)
	}
	if f, err = c.Facets(t.Context(), Search{Text: "2537"}); err != nil || len(f.Hidden) != 1 || len(f.Hidden[0].Named) != 1 || f.Hidden[0].Named[0].Path != "/certificados/CCB/2537" {
		t.Errorf("hidden by its number: %+v, %v", f, err)
	}
}

// Every facet's count is what the search finds when narrowed by it.
func TestFacetsCountWhatSearchFinds(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	for _, ask := range []Search{{Text: "fogoes", Situation: AnySituation}, {Situation: AnySituation}, {CNPJ: "12ABC34501DE35"}, {UF: "RJ"}, {Text: "2537"}} {
		f, err := c.Facets(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		check := func(list []Facet, set func(s *Search, value string)) {
			for _, facet := range list {
				narrow := ask
				set(&narrow, facet.Value)
				if got := len(numbers(t, c, narrow)); got != facet.Count {
					t.Errorf("%+v: found %d, counted %d", narrow, got, facet.Count)
				}
			}
		}
		check(f.Situations, func(s *Search, v string) { s.Situation = v })
		check(f.Bodies, func(s *Search, v string) { s.Body = v })
		check(f.Classes, func(s *Search, v string) { s.Class = v })
		check(f.Types, func(s *Search, v string) { s.Type = v })
		check(f.Roles, func(s *Search, v string) { s.Role = v })
		if ask.UF == "" { // a certificate may be of several
			check(f.UFs, func(s *Search, v string) { s.UF = v })
		}
		check(f.Countries, func(s *Search, v string) { s.Country = v })
		check(f.Imported, func(s *Search, v string) { s.Imported = v })
		check(f.Validities, func(s *Search, v string) { s.Validity = v })
		check(f.Companies, func(s *Search, v string) { s.CNPJ = v })
	}
}

func TestSearchOrders(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	for order, want := range map[string][]string{
		OrderNumber:    {"2534", "2535", "2536", "2538 X", "FB-BRIN-108/17.001", "S-1"},
		OrderValidity:  {"2538 X", "2536", "2535", "2534", "FB-BRIN-108/17.001", "S-1"},
		OrderRecent:    {"S-1", "2538 X", "2536", "2535", "2534", "FB-BRIN-108/17.001"},
		OrderRelevance: {"S-1", "2538 X", "2536", "2535", "2534", "FB-BRIN-108/17.001"},
	} {
		for _, limit := range []int{1, 2, 6, 30} {
			got, ask := []string{}, Search{Situation: AnySituation, Order: order, Limit: limit}
			for range 8 {
				page, err := c.Search(t.Context(), ask)
				if err != nil {
					t.Fatal(err)
				}
				for _, h := range page.Certificates {
					got = append(got, h.Number)
				}
				if ask.Cursor = page.Next; ask.Cursor == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, %d a page: %q, want %q", order, limit, got, want)
			}
		}
	}
}

// What is called as typed comes before what only mentions it.
func TestSearchRelevance(t *testing.T) {
	t.Parallel()
	src := &memSource{ref: testReference()}
	src.accept(t, "CCB", testID('e', 1), certificate.Company{Name: "Açaí Comércio", Country: "BR", Person: certificate.Legal})
	src.accept(t, "CCB", testID('e', 2), certificate.Company{Name: "Outra", Country: "BR", Person: certificate.Legal})
	for i, brand := range []string{"Açaí", "Açaizeiro", "Zênite", "Zênite"} {
		src.accept(t, "CCB", testID('p', i), certificate.Product{Brand: brand, Model: fmt.Sprint("M", i)})
	}
	put := func(n, company, product int) {
		src.accept(t, "CCB", testID('c', n), certificate.Certificate{Number: fmt.Sprint("N-", n), Class: "fogao", Situation: certificate.Active,
			Companies: []certificate.CompanyLink{{Company: testID('e', company), Role: certificate.Applicant, Situation: certificate.Active}},
			Products:  []certificate.ProductLink{{Company: testID('e', company), Product: testID('p', product), Modality: certificate.ByType, Situation: certificate.Active}}})
	}
	put(1, 2, 0)
	put(2, 2, 1)
	put(3, 1, 2)
	put(4, 2, 3)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	want := []string{"N-1", "N-3", "N-2"}
	for _, limit := range []int{1, 2, 3, 30} {
		got, ask := []string{}, Search{Text: "açaí", Order: OrderRelevance, Limit: limit}
		for range 5 {
			page, err := c.Search(t.Context(), ask)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range page.Certificates {
				got = append(got, h.Number)
			}
			if ask.Cursor = page.Next; ask.Cursor == "" {
				break
			}
		}
		slices.Sort(got[1:])
		if len(got) != len(want) || got[0] != want[0] {
			t.Errorf("%d a page: %q", limit, got)
		}
	}
}

func TestSpelling(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	for typed, want := range map[string][]string{
		"fogoes":            nil, // known
		"fogeos":            {"fogoes"},
		"coca coal":         {"coca cola"},
		"suspenza":          {"suspensa"}, // in an expired certificate
		"aca":               nil,          // begins a known word
		"acia":              {"acai"},
		"sun2000-33ktl-b":   {"sun2000 33ktl"},
		"SUN2001":           {"sun2000"},
		"brimquedos":        nil, // of a class that is off the Web
		"2354":              {"2534"},
		"xyzw qqqq":         nil,
		"panela coca":       {"coca"}, // nothing is near to the first word
		"brimquedos coca":   {"coca"},
		"' OR 1=1 --":       nil,
		"fogeos portaria":   {"fogoes portaria"},
		"portria 400":       {"portaria 400"},
		"🔥🔥":                nil,
		"centor ceramico":   {"centro ceramico"},
		"maria da silav":    {"maria da silva"},
		"%":                 nil,
		"fornos\x00 a gaas": {"fornos a gas"},
	} {
		got, err := c.Spelling(t.Context(), Search{Text: typed})
		if err != nil {
			t.Errorf("%q: %v", typed, err)
		}
		if len(got) > 0 && len(want) > 0 {
			got = got[:1]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	for typed, want := range map[string][]string{
		"25":        {"numero 2534", "numero 2535", "numero 2536"},
		"coc":       {"marca Coca-Cola"},
		"sun2000":   {"modelo Coca-Cola SUN2000-33KTL-A"},
		"fog":       {"classe Fogões e fornos a gás", "empresa Fogões São João Ltda"},
		"12.ABC":    {"empresa Fogões São João Ltda"},
		"f":         nil,
		"":          nil,
		"brinq":     nil,                // a disabled class
		"suspensa":  {"marca Suspensa"}, // of an expired certificate
		"fora":      nil,                // a suspended company
		"529982247": nil,                // a CPF
		"\" OR *":   nil,
	} {
		got, err := c.Suggest(t.Context(), typed)
		if err != nil {
			t.Errorf("%q: %v", typed, err)
		}
		var list []string
		for _, s := range got {
			list = append(list, s.Kind+" "+s.Text)
		}
		if !slices.Equal(list, want) {
			t.Errorf("%q: %q, want %q", typed, list, want)
		}
	}
}

func TestNarrowingFaults(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	for key, ask := range map[string]Search{"search.imported": {Imported: "talvez"}, "search.validity": {Validity: "sempre"}, "search.order": {Order: "acaso"}} {
		if _, err := c.Facets(t.Context(), ask); key != "search.order" && !fault.HasKey(err, key) {
			t.Errorf("%s: %v", key, err)
		}
		if _, err := c.Search(t.Context(), ask); !fault.HasKey(err, key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// An update knows the words that came with it.
func TestUpdateLearnsWords(t *testing.T) {
	t.Parallel()
	src := shop(t)
	dir := t.TempDir()
	old, now := filepath.Join(dir, "1.sqlite"), filepath.Join(dir, "2.sqlite")
	if err := Build(t.Context(), src, src.publication(1, publishedAt), old, Options{}); err != nil {
		t.Fatal(err)
	}
	src.accept(t, "CCB", testID('p', 9), certificate.Product{Brand: "Turmalina", Model: "T1"})
	src.accept(t, "CCB", testID('c', 9), certificate.Certificate{Number: "T-9", Class: "fogao", Situation: certificate.Active,
		Products: []certificate.ProductLink{{Company: testID('e', 1), Product: testID('p', 9), Modality: certificate.ByType, Situation: certificate.Active}}})
	if err := Update(t.Context(), src, old, src.publication(2, publishedAt), now, Options{}); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, now, publishedAt).Spelling(t.Context(), Search{Text: "turmalnia"})
	if err != nil || !slices.Equal(got, []string{"turmalina"}) {
		t.Errorf("%q, %v", got, err)
	}
}
