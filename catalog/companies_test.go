package catalog

import (
	"slices"
	"strings"
	"testing"

	"selo/certificate"
	"selo/fault"
)

// market is the shop with companies of another body, of abroad, and of the same root.
func market(tb testing.TB) *memSource {
	tb.Helper()
	src := shop(tb)
	legal := func(name, trade, cnpj string) certificate.Company {
		return certificate.Company{Name: name, TradeName: trade, CNPJ: mustCNPJ(tb, cnpj), Country: "BR", UF: "SP", City: "Sorocaba", Person: certificate.Legal}
	}
	again := legal("FOGOES S. JOAO LTDA - ME", "Chama", "12ABC34501DE") // the same CNPJ as the shop's first
	src.accept(tb, "UL", testID('e', 11), again)
	src.accept(tb, "UL", testID('e', 12), legal("Fogões São João Filial", "", "12ABC3450002"))
	src.accept(tb, "UL", testID('e', 13), certificate.Company{Name: "Guangdong Fogo Co., Ltd", Country: "CN", City: "Foshan", Person: certificate.Legal})
	src.accept(tb, "UL", testID('e', 14), legal("Sem Certificado S.A.", "", "111111110001"))
	src.accept(tb, "UL", testID('p', 20), certificate.Product{Brand: "Fogaréu", Model: "F 1"})
	put := func(n int, number string, s certificate.Situation, companies ...certificate.CompanyLink) {
		src.accept(tb, "UL", testID('c', n), certificate.Certificate{Number: number, Class: "fogao", Situation: s, Type: certificate.TypeCompulsory,
			IssuedOn: day(tb, "2025-02-01"), ValidUntil: day(tb, "2030-01-01"), Companies: companies,
			Products: []certificate.ProductLink{{Company: testID('e', 13), Product: testID('p', 20), Modality: certificate.ByType, Situation: certificate.Active}}})
	}
	in := func(company int, role certificate.RoleCode) certificate.CompanyLink {
		return certificate.CompanyLink{Company: testID('e', company), Role: role, Situation: certificate.Active}
	}
	put(20, "UL-1", certificate.Active, in(11, certificate.Applicant), in(11, certificate.Importer), in(13, certificate.Manufacturer))
	put(21, "UL-2", certificate.Suspended, in(12, certificate.Applicant), in(13, certificate.Manufacturer))
	return src
}

func TestCompanies(t *testing.T) {
	t.Parallel()
	src := market(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	const first, branch, abroad = "FOGOES S. JOAO LTDA - ME", "Fogões São João Filial", "Guangdong Fogo Co., Ltd"
	all := []string{first, branch, abroad} // neither a person, nor who is suspended in every certificate, nor who is in none
	for text, want := range map[string][]string{
		"": all, "fogo": {first, branch, abroad}, "guang": {abroad}, "JOÃO": {first, branch}, "são joão filial": {branch}, "sao-joao": {first, branch}, "chama": {first},
		"12ABC34501DE35": {first}, "12.abc.345": {first, branch}, "12abc": {first, branch}, "maria": nil, "fora": nil, "certificado": nil, "oao": nil,
		"!!": nil, "zzzz": nil, "' OR 1=1": nil, strings.Repeat("fogo ", 4000): {first, branch, abroad},
	} {
		list, err := c.Companies(t.Context(), CompanyQuery{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for i := range list.Companies {
			names = append(names, list.Companies[i].Name)
		}
		if !slices.Equal(names, want) || list.Total != len(want) || list.Pages != 1 {
			t.Errorf("%.20q finds %q of %d", text, names, list.Total)
		}
	}
	page, err := c.Companies(t.Context(), CompanyQuery{Page: 2, Limit: 2})
	if err != nil || len(page.Companies) != 1 || page.Companies[0].Name != abroad || page.Pages != 2 || page.Total != 3 {
		t.Errorf("the second page: %+v, %v", page, err)
	}
	if page.Companies[0].Certificates != 2 || page.Companies[0].Key() != string(testID('e', 13)) {
		t.Errorf("%+v", page.Companies[0])
	}
	if far, err := c.Companies(t.Context(), CompanyQuery{Page: 1 << 40}); err != nil || far.Page != 1 {
		t.Errorf("a page too far: %+v, %v", far, err)
	}
	joint, err := c.Companies(t.Context(), CompanyQuery{Text: "12ABC34501DE35"})
	if err != nil || joint.Companies[0].Certificates != 7 { // six of CCB on the Web, one of UL
		t.Errorf("certificates of both bodies: %+v, %v", joint, err)
	}
}

func TestCompany(t *testing.T) {
	t.Parallel()
	src := market(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	got, err := c.Company(t.Context(), "12.abc.345/01de-35")
	if err != nil {
		t.Fatal(err)
	}
	total := Tally{Active: 4, Suspended: 1, Cancelled: 1, Expired: 1}
	if got.Name != "FOGOES S. JOAO LTDA - ME" || got.Tally != total || got.More || got.Key() != "12ABC34501DE35" {
		t.Errorf("%+v", got)
	}
	if want := []Tallied{{"solicitante", "Solicitante", total}, {"importador", "importador", Tally{Active: 1}}}; !slices.Equal(got.Roles, want) {
		t.Errorf("roles %+v", got.Roles)
	}
	if len(got.Bodies) != 2 || got.Bodies[0].Code != "CCB" || got.Bodies[1].Tally != (Tally{Active: 1}) || len(got.Classes) != 3 || got.Classes[0].Code != "fogao" {
		t.Errorf("bodies %+v, classes %+v", got.Bodies, got.Classes)
	}
	if want := []string{"Fogaréu", "=cmd()", "Coca-Cola", "Açaí"}; !slices.Equal(got.Brands, want) {
		t.Errorf("brands %q", got.Brands) // not "Suspensa": no active product of an active certificate
	}
	if len(got.Newest) != newestOf || got.Newest[0].Number != "UL-1" || got.Newest[1].Number != "S-1" {
		t.Errorf("newest %+v", got.Newest)
	}
	if len(got.Places) != 1 || got.Places[0].Name != "Fogões São João Filial" {
		t.Errorf("places %+v", got.Places)
	}
	abroad, err := c.Company(t.Context(), string(testID('e', 13)))
	if err != nil || abroad.Tally != (Tally{Active: 1, Suspended: 1}) || abroad.Country.Name != "China" || len(abroad.Places) != 0 {
		t.Errorf("%+v, %v", abroad, err)
	}
	idle, err := c.Company(t.Context(), string(mustCNPJ(t, "111111110001")))
	if err != nil || idle.Tally.Total() != 0 || idle.Newest != nil || idle.Brands != nil {
		t.Errorf("a company without certificates: %+v, %v", idle, err)
	}
	for key, want := range map[string]string{string(testID('e', 2)): "company.private", string(testID('e', 99)): "company.unpublished", "12345678000195": "company.unpublished",
		"": "company.unpublished", "52998224725": "company.unpublished", "%": "company.unpublished", "\x00": "company.unpublished", strings.Repeat("1", 9000): "company.unpublished"} {
		if _, err := c.Company(t.Context(), key); fault.Of(err) == nil || fault.Of(err).Key != want || fault.Of(err).Kind != fault.NotFound {
			t.Errorf("%.20q gives %v", key, err)
		}
	}
}

func BenchmarkCompanies(b *testing.B) {
	c, src := benchCatalog(b)
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.listCompanies(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, text := range []string{"", "falcao", "industria ltda", "zzzz", "12345"} {
		b.Run("find/"+text, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.Companies(b.Context(), CompanyQuery{Text: text}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("one", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := c.Company(b.Context(), string(testID('e', i*7919%src.companies()))); err != nil {
				b.Fatal(err)
			}
		}
	})
}
