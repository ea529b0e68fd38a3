package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/web/webtest"
)

const (
	otherBody = "ÓRG/2"
	foreignID = "01900000-0000-7000-8000-00000000e001"
	personID  = "01900000-0000-7000-8000-00000000e002"
	branchID  = "01900000-0000-7000-8000-00000000e003"
	personal  = "Fulana <de> Tal"
	foreign   = "Ásia & Cia <Ltd>"
)

// startLists runs a site with a second body, a foreign company, a natural
// person, a class off the Web and documents with periods.
func startLists(t *testing.T) *webtest.Site {
	t.Helper()
	day := func(text string) brasil.Date {
		d, err := brasil.ParseDate(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	cnpj, err := brasil.MakeCNPJ("999000100002") // another place of the first company
	if err != nil {
		t.Fatal(err)
	}
	cpf, err := brasil.MakeCPF("529982247")
	if err != nil {
		t.Fatal(err)
	}
	company := func(id certificate.ID, c certificate.Company) certificate.Revision {
		return certificate.Revision{ID: id, Body: otherBody, Company: &c}
	}
	in := func(id certificate.ID, role certificate.RoleCode) certificate.CompanyLink {
		return certificate.CompanyLink{Company: id, Role: role, Situation: certificate.Active}
	}
	cert := func(id certificate.ID, number string, class certificate.ClassCode) certificate.Revision {
		return certificate.Revision{ID: id, Body: otherBody, Certificate: &certificate.Certificate{Number: number, Class: class, Type: certificate.TypeCompulsory,
			IssuedOn: day("2025-05-05"), ValidUntil: day("2029-05-05"), Situation: certificate.Active,
			Companies: []certificate.CompanyLink{in(branchID, certificate.Applicant), in(foreignID, certificate.Manufacturer), in(personID, certificate.Importer)},
			Products:  []certificate.ProductLink{{Product: "01900000-0000-7000-8000-00000000e010", Company: foreignID, Modality: certificate.ByType, Situation: certificate.Active}}}}
	}
	site := webtest.StartEmpty(t)
	site.PublishAlso([]certificate.Revision{
		company(foreignID, certificate.Company{Name: foreign, Country: "CN", City: "Foshan", Person: certificate.Legal}),
		company(personID, certificate.Company{Name: personal, CPF: cpf, Country: "BR", City: "Niterói", UF: "RJ", Person: certificate.Natural}),
		company(branchID, certificate.Company{Name: "Companhia Fictícia de Brinquedos Filial", CNPJ: cnpj, Country: "BR", City: "Manaus", UF: "AM", Person: certificate.Legal}),
		{ID: "01900000-0000-7000-8000-00000000e010", Body: otherBody, Product: &certificate.Product{Brand: "Bração <b>", Model: "B-1", Imported: true}},
		cert("01900000-0000-7000-8000-00000000e020", "O-1", "brinquedos"),
		cert("01900000-0000-7000-8000-00000000e021", "O-2", "antiga"),
	}, func(ref *catalog.Reference) {
		ref.Bodies[otherBody] = "Órgão <Segundo>"
		ref.Tables.Classes = append(ref.Tables.Classes, certificate.Class{Code: "antiga", Name: "Classe <antiga>", Disabled: "portaria & revogada"})
		offer := func(from, to string) []certificate.Offer {
			var p certificate.Period
			if from != "" {
				p.From = day(from)
			}
			if to != "" {
				p.To = day(to)
			}
			return []certificate.Offer{{Class: "brinquedos", Type: certificate.TypeCompulsory, Period: p}}
		}
		ref.Tables.Documents = append(ref.Tables.Documents,
			certificate.Document{Code: "velho", Title: "Portaria Velha nº 1", Kind: "Portaria", Offers: offer("", "2020-12-31")},
			certificate.Document{Code: "meio", Title: "Portaria do Meio nº 2", Kind: "Portaria", Offers: offer("2021-01-01", "2026-03-10")},
			certificate.Document{Code: "novo", Title: "Portaria Nova nº 3", Kind: "Portaria", Offers: offer("2027-01-01", "")})
	})
	return site
}

// held checks what a page has and has not.
func held(t *testing.T, site *webtest.Site, path string, status int, want, not []string) {
	t.Helper()
	got := site.Get(path)
	if got.Status != status {
		t.Errorf("%s gives %d", path, got.Status)
	}
	for _, text := range want {
		if !strings.Contains(got.Body, text) {
			t.Errorf("%s does not hold %q", path, text)
		}
	}
	for _, text := range not {
		if strings.Contains(got.Body, text) {
			t.Errorf("%s holds %q", path, text)
		}
	}
}

func TestBodiesPages(t *testing.T) {
	t.Parallel()
	site := startLists(t)
	second := "/organismos/" + url.PathEscape(otherBody)
	for name, test := range map[string]struct {
		path   string
		status int
		want   []string
		not    []string
	}{
		"list": {"/organismos", 200, []string{"2 organismos, com os seus", `href="/organismos/DEMO"`, `href="` + second + `"`, "Órgão &lt;Segundo&gt;", "Há 5 dias", "Há 20 dias",
			`aria-current="page"`}, []string{"<Segundo>", "noindex"}},
		"filtered":    {"/organismos?q=orgao", 200, []string{"1 de 2 organismos", "noindex", "Ver todos os organismos"}, []string{`href="/organismos/DEMO"`}},
		"none":        {"/organismos?q=zzz", 200, []string{"Nenhum organismo com essas palavras", "Ver todos os organismos"}, []string{"<table"}},
		"punctuation": {"/organismos?q=%21%21", 200, []string{"Nenhum organismo"}, nil},
		"in English":  {"/en/organismos", 200, []string{"Certification bodies", "5 days ago", `href="/en/organismos/DEMO"`}, nil},
		"in Spanish":  {"/es/organismos", 200, []string{"Hace 5 días", `href="/es/organismos/DEMO"`}, nil},
		"one": {"/organismos/DEMO", 200, []string{webtest.BodyName, "3</span>", `href="/?organismo=DEMO"`, "situacao=suspenso", `name="organismo" value="DEMO"`, `href="/classes/brinquedos"`,
			"Última remessa com novidades", "Há 5 dias", "Revisões aceitas", "Número 7", webtest.Suspended, "Falha na avaliação de manutenção &lt;da fábrica&gt;",
			`type="application/atom+xml"`, "organismo=DEMO"}, []string{"noindex", "O-1"}},
		"with a slash":       {second, 200, []string{"Órgão &lt;Segundo&gt;", "O-1", "Há 20 dias"}, []string{"O-2", "&lt;antiga"}},
		"one in English":     {"/en/organismos/DEMO", 200, []string{"Product certification body", "Classes it certifies", `href="/en/classes/brinquedos"`}, nil},
		"unknown":            {"/organismos/NADA", 404, []string{"sigla “NADA”", "lista de organismos"}, nil},
		"unknown and markup": {"/organismos/%3Cscript%3E", 404, []string{"&lt;script&gt;"}, []string{"“<script>"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			held(t, site, test.path, test.status, test.want, test.not)
		})
	}
	if got := site.Get("/es/organismos/demo"); got.Status != 308 || got.Header.Get("Location") != "/es/organismos/DEMO" {
		t.Errorf("small letters give %d to %q", got.Status, got.Header.Get("Location"))
	}
}

func TestClassesPages(t *testing.T) {
	t.Parallel()
	site := startLists(t)
	for name, test := range map[string]struct {
		path   string
		status int
		want   []string
		not    []string
	}{
		"list":     {"/classes", 200, []string{`href="/classes/brinquedos"`, "Classes fora da consulta pública", "Classe &lt;antiga&gt;", "portaria &amp; revogada"}, []string{"<antiga>"}},
		"filtered": {"/classes?q=brinq", 200, []string{"1 de 54 classes", `href="/classes/brinquedos"`}, []string{`href="/classes/cachaca"`, "Classes fora"}},
		"none":     {"/classes?q=zzz", 200, []string{"Nenhuma classe com essas palavras", `href="/?q=zzz"`}, []string{"<table"}},
		"one": {"/classes/brinquedos", 200, []string{"Documentos em vigor", "Em vigor em 10/03/2026", "Portaria do Meio nº 2", "01/01/2021", "Anteriores (1)", "Portaria Velha nº 1", "31/12/2020",
			"Ainda por vigorar (1)", "Portaria Nova nº 3", "sem data", `href="/organismos/DEMO"`, "O-1", `type="application/feed+json"`}, []string{"noindex"}},
		"tomorrow":   {"/classes/brinquedos?em=2026-03-11", 200, []string{"Em vigor em 11/03/2026", "Anteriores (2)", "Voltar para hoje", "noindex"}, nil},
		"far ahead":  {"/classes/brinquedos?em=01/06/2030", 200, []string{"Em vigor em 01/06/2030", "Portaria Nova nº 3"}, []string{"Ainda por vigorar"}},
		"no date":    {"/classes/brinquedos?em=ontem", 422, []string{"não foi entendida", "01/03/2025", "Em vigor em 10/03/2026"}, nil},
		"empty":      {"/classes/cachaca", 200, []string{"Ainda não há certificados desta classe", "Nenhum certificado novo"}, []string{`name="classe"`}},
		"off":        {"/classes/antiga", 200, []string{"Esta classe está fora da consulta pública", "portaria &amp; revogada"}, []string{"O-2", "O que mudou", `class="tally"`}},
		"services":   {"/classes/servico", 200, []string{"Classe dos certificados de serviços", "Instalação de sistemas de GNV", "Portaria Inmetro nº 130/2022"}, nil},
		"in English": {"/en/classes/brinquedos?em=2026-03-11", 200, []string{"Documents in force on 2026-03-11", "Earlier ones (2)", "Back to today"}, nil},
		"in Spanish": {"/es/classes/brinquedos", 200, []string{"Documentos vigentes", "Organismos que certifican"}, nil},
		"unknown":    {"/classes/nada", 404, []string{"código “nada”", "lista de classes"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			held(t, site, test.path, test.status, test.want, test.not)
		})
	}
}

func TestCompaniesPages(t *testing.T) {
	t.Parallel()
	site := startLists(t)
	thirdPlace, err := brasil.MakeCNPJ("999000100003") // which nobody has recorded
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		path   string
		status int
		want   []string
		not    []string
	}{
		"list":                 {"/empresas", 200, []string{"4 empresas", "Ásia &amp; Cia &lt;Ltd&gt;", `href="/empresas/` + foreignID + `"`, "Foshan · China", "99.900.010/0002-21"}, []string{"Fulana", personID, "rel=\"next\""}},
		"by name":              {"/empresas?q=ficticia+brinq", 200, []string{"2 empresas", "Filial"}, []string{"Ásia"}},
		"by part of a CNPJ":    {"/empresas?q=99.900.010", 200, []string{"2 empresas"}, nil},
		"a person":             {"/empresas?q=fulana", 200, []string{"Nenhuma empresa encontrada", "Pessoas físicas", `href="/?q=fulana"`, "Ver todas as empresas"}, []string{"Fulana", "<table"}},
		"no such page":         {"/empresas?pagina=999999999999999999999", 200, []string{"4 empresas"}, nil},
		"one":                  {"/empresas/99900010000140", 200, []string{"Papéis nos certificados", "99.900.010/0001-40", "Fabricante", "Fictoy", "cnpj=99900010000140", "Outros estabelecimentos", "99.900.010/0002-21", `href="/organismos/DEMO"`, "O que mudou"}, []string{"noindex"}},
		"foreign":              {"/empresas/" + foreignID, 200, []string{"Ásia &amp; Cia &lt;Ltd&gt;", "Foshan · China", "Bração &lt;b&gt;", "O-1", "Fabricante", "empresa=" + foreignID}, []string{"<Ltd>", "O-2", "Fulana", `name="cnpj"`}},
		"natural person":       {"/empresas/" + personID, 404, []string{"Pessoas físicas não têm página", "Procurar uma empresa"}, []string{"Fulana", "Niterói"}},
		"without certificates": {"/empresas/99900011000195", 200, []string{"Nenhum certificado publicado traz esta empresa hoje", "noindex"}, []string{"Papéis"}},
		"unknown place":        {"/empresas/" + string(thirdPlace), 404, []string{"não consta", thirdPlace.Masked(), "Outros estabelecimentos", "Companhia Fictícia de Brinquedos Filial"}, nil},
		"unknown":              {"/empresas/nada", 404, []string{"não consta", "Procurar uma empresa"}, nil},
		"too many parts":       {"/empresas/a/b/c", 404, []string{"não consta"}, nil},
		"in English":           {"/en/empresas/99900010000140", 200, []string{"Roles in certificates", `href="/en/organismos/DEMO"`}, nil},
		"in Spanish":           {"/es/empresas", 200, []string{"Buscar una empresa"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			held(t, site, test.path, test.status, test.want, test.not)
		})
	}
	for from, to := range map[string]string{
		"/empresas/99.900.010/0001-40":                   "/empresas/99900010000140",
		"/en/empresas/99.900.010%2F0001-40":              "/en/empresas/99900010000140",
		"/empresas/" + strings.ToUpper(foreignID):        "/empresas/" + foreignID,
		"/empresas?q=99.900.010/0001-40":                 "/empresas/99900010000140",
		"/empresas/01900000-0000-7000-8000-00000000e003": "/empresas/99900010000221",
		"/es/empresas/":                                  "/es/empresas",
	} {
		if got := site.Get(from); got.Status/100 != 3 || got.Header.Get("Location") != to {
			t.Errorf("%s gives %d to %q", from, got.Status, got.Header.Get("Location"))
		}
	}
}

// Names in certificates and hits lead to the pages of what they name.
func TestNamesLeadToTheirPages(t *testing.T) {
	t.Parallel()
	site := startLists(t)
	held(t, site, "/en/certificados/"+url.PathEscape(otherBody)+"/O-1", 200, []string{`href="/en/organismos/` + url.PathEscape(otherBody) + `"`, `href="/en/classes/brinquedos"`,
		`href="/en/empresas/` + foreignID + `"`, `href="/en/empresas/99900010000221"`, "Fulana &lt;de&gt; Tal"}, []string{personID})
	held(t, site, "/?q=O-1", 200, []string{`href="/classes/brinquedos"`, `href="/organismos/` + url.PathEscape(otherBody) + `"`}, nil)
}

// Whatever is typed gives a page, its text escaped, and no error inside.
func TestListsTakeAnything(t *testing.T) {
	t.Parallel()
	site := startLists(t)
	for _, text := range []string{strings.Repeat("a ", 3500), strings.Repeat("ç", 1000), "\x00\x01\x1b[31m", `" OR * NOT (NEAR`, "😀😀😀", "%", "%25%00", "_", "' OR 1=1; DROP TABLE empresa; --",
		"<script>alert(1)</script>", "\xff\xfe", "../../etc/passwd", "\u202e\u200b", "ſ İ ﬁ", strings.Repeat("1", 300), "\r\nSet-Cookie: x=1"} {
		for _, path := range []string{"/organismos?q=", "/classes?q=", "/empresas?q=", "/empresas?pagina=", "/classes/brinquedos?em=", "/organismos/", "/classes/", "/empresas/"} {
			ask := path + url.QueryEscape(text)
			if !strings.Contains(path, "?") {
				ask = path + url.PathEscape(text)
			}
			got := site.Get(ask)
			if got.Status >= 500 || strings.Contains(got.Body, "<script>alert") || strings.Contains(got.Body, "\x1b") {
				t.Errorf("%.60q gives %d", ask, got.Status)
			}
		}
	}
	if log := site.Log.String(); strings.Contains(log, "level=ERROR") {
		t.Error(log)
	}
}

// What a page says of a day changes with the day, without a new publication.
func TestListsFollowTheDay(t *testing.T) {
	t.Parallel()
	site := startLists(t)
	before := site.Get("/organismos/DEMO")
	site.Clock.Advance(60 * 24 * time.Hour)
	after := site.Get("/organismos/DEMO", "If-None-Match", before.Header.Get("Etag"))
	if after.Status != 200 || !strings.Contains(after.Body, "Há 2 meses") {
		t.Errorf("two months later: %d", after.Status)
	}
	if again := site.Get("/organismos/DEMO", "If-None-Match", after.Header.Get("Etag")); again.Status != 304 {
		t.Errorf("the same day gives %d", again.Status)
	}
}
