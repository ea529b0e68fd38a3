package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"selo/brasil"
	"selo/certificate"
)

func TestDetailWords(t *testing.T) {
	t.Parallel()
	for description, want := range map[string]string{
		"":                                    "",
		"Boneca de pano, 30 cm":               "boneca pano 30cm",
		"Chaleira elétrica de 1,7 L, 1 850 W": "chaleira eletrica 1 7 7l 1 850w",
		"Tomada 10 A / 250 V":                 "tomada 10a 250v",
		"de 12 a 36 meses":                    "12a 36 meses",
		"2 e 3":                               "2 3",
		"a e o":                               "",
		"pó ABC, 4 kg":                        "po abc 4 4kg",
		"60W":                                 "60w",
	} {
		if got := detailWords(description); got != want {
			t.Errorf("%q: %q, want %q", description, got, want)
		}
	}
}

// detailed is a base whose certificates differ in what their descriptions, lots
// and companies say.
func detailed(tb testing.TB) *memSource {
	tb.Helper()
	src := &memSource{ref: testReference()}
	src.accept(tb, "CCB", testID('e', 1), certificate.Company{Name: "Nacional Ltda", CNPJ: "12ABC34501DE35", Country: "BR", Person: certificate.Legal})
	src.accept(tb, "CCB", testID('e', 2), certificate.Company{Name: "Longe Co", Country: "CN", Person: certificate.Legal})
	many := make([]string, 2*maxDetails)
	for i := range many {
		many[i] = fmt.Sprint("palavra", i)
	}
	for i, p := range []certificate.Product{
		{Brand: "SolarEdge", Model: "SE-7600", Description: "Chaleira elétrica de 1,7 L", GTINs: []brasil.GTIN{"7891234567895"}},
		{Brand: "Mentirex", Model: "AM-2P", Description: "Boneca de pano, 30 cm"},
		{Brand: "Chaleira", Model: "IQ7PLUS-72", Description: strings.Join(many, " ")},
		{Brand: "Calada", Model: "Z9", Description: "Jogo de pescaria"},
		{Brand: "Calada", Model: "Z8", Description: "palavra700"},
	} {
		src.accept(tb, "CCB", testID('p', i), p)
	}
	link := func(product, company int, s certificate.Situation, lot, licence string) certificate.ProductLink {
		return certificate.ProductLink{Company: testID('e', company), Product: testID('p', product), Modality: certificate.ByType, Situation: s, Lot: lot, ImportLicence: licence}
	}
	for n, products := range [][]certificate.ProductLink{
		{link(0, 1, certificate.Active, "", ""), link(3, 1, certificate.Suspended, "", "")},
		{link(1, 2, certificate.Active, "SZ-2504-B", "25/9999999-0")},
		{link(2, 1, certificate.Active, "", ""), link(4, 1, certificate.Active, "", "")},
	} {
		src.accept(tb, "CCB", testID('c', n), certificate.Certificate{Number: fmt.Sprintf("EXT-%04d/2023", 17+n), Class: "fogao", Situation: certificate.Active,
			Companies: []certificate.CompanyLink{{Company: products[0].Company, Role: certificate.Applicant, Situation: certificate.Active}}, Products: products})
	}
	return src
}

func TestSearchFindsDetails(t *testing.T) {
	t.Parallel()
	src := detailed(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	first, second, third := "EXT-0017/2023", "EXT-0018/2023", "EXT-0019/2023"
	for typed, want := range map[string][]string{
		"boneca de pano":        {second},
		"boneca com pano":       {second}, // fillers do not count
		"pano 30cm":             {second},
		"pano 30 cm":            {second},
		"chaleira":              {third, first}, // a brand before a description
		"chaleira 1.7l":         {first},
		"chaleira 1,7 L":        {first},
		"pescaria":              {}, // of a suspended product
		"china":                 {second},
		"china pano":            {second},
		"25/9999999-0":          {second},
		"sz2504b":               {second},
		"EXT-17/2023":           {first},
		"ext 0017":              {first},
		"ext18":                 {second},
		"789123456789":          {first}, // the check digit is missing
		"7 891234 56789":        {first},
		"palavra0":              {third},
		"palavra511":            {third}, // one description is read to its end
		"palavra700":            {},      // beyond what a certificate keeps
		"iq 7 plus":             {third},
		"de":                    {},
		"solaredge de chaleira": {first},
	} {
		if got := numbers(t, c, Search{Text: typed, Order: OrderRelevance}); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}
