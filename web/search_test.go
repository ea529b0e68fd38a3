package web_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"selo/web/webtest"
)

var (
	hitLinks = regexp.MustCompile(`<h3><a href="([^"]+)">([^<]+)</a></h3>`)
	nextLink = regexp.MustCompile(`rel="next" href="([^"]+)"`)
)

// found are the numbers in a page of results.
func found(body string) []string {
	var list []string
	for _, m := range hitLinks.FindAllStringSubmatch(body, -1) {
		list = append(list, m[2])
	}
	return list
}

func askFor(pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return "/?" + values.Encode()
}

func TestSearchPage(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for name, test := range map[string]struct {
		path string
		want []string // in the page
		not  []string
	}{
		"nothing asked":   {"/", []string{"Este produto é certificado?", "Aceitos há pouco", webtest.Toy}, []string{`rel="next"`, "noindex"}},
		"by number":       {askFor("q", "brin 108"), []string{webtest.Toy, "noindex"}, []string{webtest.Suspended}},
		"by brand":        {askFor("q", "fictoy"), []string{"3 certificados", webtest.Toy, webtest.Large, "Filtrar por"}, []string{webtest.Suspended}},
		"in English":      {"/en" + askFor("q", "fictoy"), []string{"3 certificates", "Filter by", `href="/en/certificados/`}, []string{"certificados</h2>"}},
		"in Spanish":      {"/es" + askFor("q", "fictoy"), []string{"3 certificados", "Filtrar por", `href="/es/certificados/`}, nil},
		"bar code":        {askFor("q", webtest.GTIN), []string{webtest.Toy}, nil},
		"as a table":      {askFor("q", "fictoy", "vista", "tabela"), []string{"<caption", `<th scope="col">Situação`, `<th scope="row"><a href=`}, []string{`class="hits"`}},
		"suspended":       {askFor("q", "fictoy", "situacao", "suspenso"), []string{webtest.Suspended, "1 certificado"}, []string{webtest.Toy}},
		"elsewhere":       {askFor("q", webtest.Suspended), []string{"Nenhum certificado encontrado", "Há certificados em outra situação", "Suspenso: 1", "situacao=suspenso"}, nil},
		"misspelled":      {askFor("q", "fictoi"), []string{"Você quis dizer", "<strong>fictoy</strong>", "q=fictoy"}, nil},
		"with filters":    {askFor("q", "fictoy", "classe", "brinquedos", "uf", "AC"), []string{"Nenhum certificado", "Buscar sem eles", "Retirar o filtro", "Classe: Brinquedos"}, nil},
		"why nothing":     {askFor("q", "zzzz"), []string{"Por que pode não aparecer", "22 h de Brasília", "falabr"}, []string{"Você quis dizer"}},
		"unknown filter":  {askFor("situacao", "quem sabe"), []string{"Esta busca não pôde ser feita", "Buscar sem filtros", "quem sabe"}, nil},
		"unknown order":   {askFor("q", "fictoy", "ordem", "acaso"), []string{"Esta busca não pôde ser feita"}, nil},
		"not a CNPJ":      {askFor("cnpj", "123"), []string{"Esta busca não pôde ser feita"}, nil},
		"not a cursor":    {askFor("q", "fictoy", "cursor", "!!"), []string{"Esta busca não pôde ser feita"}, nil},
		"suggestions":     {"/sugestoes?q=fict", []string{"marca", "q=Fictoy"}, nil},
		"no suggestions":  {"/sugestoes?q=zzzz", []string{"Ir para a consulta"}, []string{"<li><a href=\"/?q"}},
		"filters go on":   {askFor("q", "fictoy", "classe", "brinquedos"), []string{`<input type="hidden" name="classe" value="brinquedos">`}, nil},
		"markup is text":  {askFor("q", `<script>alert(1)</script>"'&`), []string{"&lt;script&gt;alert(1)"}, []string{"<script>alert"}},
		"markup suggests": {"/sugestoes?" + url.Values{"q": {`"><img src=x>`}}.Encode(), nil, []string{"<img src=x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := site.Get(test.path)
			wrong := strings.Contains(name, "unknown") || strings.HasPrefix(name, "not a")
			if wrong != (got.Status == 422) || !wrong && got.Status != 200 {
				t.Errorf("%s gives %d", test.path, got.Status)
			}
			for _, text := range test.want {
				if !strings.Contains(got.Body, text) {
					t.Errorf("%s does not hold %q", test.path, text)
				}
			}
			for _, text := range test.not {
				if strings.Contains(got.Body, text) {
					t.Errorf("%s holds %q", test.path, text)
				}
			}
		})
	}
}

// Whatever is typed gives a page, its text escaped, and no error inside.
func TestSearchTakesAnything(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for _, text := range []string{
		strings.Repeat("a ", 1500), strings.Repeat("ç", 1000), "\x00\x01\x1b[31m", `" OR * NOT (NEAR`, `marcas : fictoy`, "fictoy*", "^fictoy", "-fictoy", "{numero} : 1",
		"😀😀😀", "%", "%25%00", "_", "' OR 1=1; DROP TABLE certificado; --", "<script>alert(1)</script>", "\xff\xfe", "../../etc/passwd", "\u202e\u200b", "a' AND '1'='1", "ſ İ ﬁ",
		strings.Repeat("1", 300), "((((((((((", "NOT", "AND OR", "\r\nSet-Cookie: x=1",
	} {
		for _, path := range []string{"/?q=", "/sugestoes?q=", "/?classe=", "/?papel=", "/?pais=", "/?tipo=", "/?organismo=", "/?uf=", "/?vista="} {
			got := site.Get(path + url.QueryEscape(text))
			if got.Status != 200 && got.Status != 422 && got.Status != 414 {
				t.Errorf("%s%q gives %d", path, text, got.Status)
			}
			if strings.Contains(got.Body, "<script>alert") || strings.Contains(got.Body, "DROP TABLE certificado; --\">") && !strings.Contains(got.Body, "&#39;") || got.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s%q gets through", path, text)
			}
		}
	}
	if got := site.Get("/?q=" + strings.Repeat("a", 10<<10)); got.Status != 414 {
		t.Errorf("10 KB give %d", got.Status)
	}
	if log := site.Log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("errors are logged: %s", log)
	}
}

// Every filter that a page offers leads to as many certificates as it says.
func TestFiltersLeadWhereTheySay(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	filter := regexp.MustCompile(`<li><a href="([^"]+)"><span class="label">[^<]+</span> <span class="count">(\d+)</span></a></li>`)
	body := site.Get(askFor("q", "fictoy")).Body
	links := filter.FindAllStringSubmatch(body, -1)
	if len(links) < 6 {
		t.Fatalf("%d filters", len(links))
	}
	for _, m := range links {
		got := site.Get(strings.ReplaceAll(m[1], "&amp;", "&"))
		want := m[2] + " certificado"
		if !strings.Contains(got.Body, ">"+want) {
			t.Errorf("%s: not %s", m[1], want)
		}
	}
}

// Orders show the same certificates; a page's address alone gives the page again.
func TestOrdersAndPages(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for order, first := range map[string]string{"numero": webtest.Tricky, "validade": webtest.Expired, "relevancia": "", "recentes": ""} {
		got := found(site.Get(askFor("q", "fictoy", "situacao", "todas", "ordem", order)).Body)
		if len(got) != 6 || first != "" && got[0] != strings.ReplaceAll(first, "&", "&amp;") {
			t.Errorf("%s: %q", order, got)
		}
	}
	one, two := site.Get(askFor("q", "fictoy")), site.Get(askFor("q", "fictoy"), "Cookie", "aparencia=contraste.2")
	if one.Body != two.Body || one.Header.Get("Etag") == "" || !strings.Contains(one.Header.Get("Cache-Control"), "public") {
		t.Errorf("visitors get different pages, or none that may be kept: %v", one.Header)
	}
	if again := site.Get(askFor("q", "fictoy"), "If-None-Match", one.Header.Get("Etag")); again.Status != 304 {
		t.Errorf("the same page again gives %d", again.Status)
	}
	if next := nextLink.FindString(one.Body); next != "" {
		t.Errorf("one page of three has a next one: %s", next)
	}
}
