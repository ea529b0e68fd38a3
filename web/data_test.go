package web_test

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"selo/catalog"
	"selo/fault"
	"selo/locale"
	"selo/web"
	"selo/web/webtest"
)

func TestOpenDataPageMakesNothing(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	for range 2 {
		page := s.Get("/dados")
		wantWords(t, "/dados", page.Body, "Arquivos da publicação 7, a atual", "feito no primeiro pedido", `href="/api/v1/dados/7/certificados.csv"`,
			`href="/api/v1/dados/7/resumos"`, "Os resumos ainda não foram calculados", "não declara nenhuma", "Este servidor não limita os pedidos", "sha256sum -c",
			`href="/dados/dicionario"`, `href="/dados/graficos"`, `href="/dados/api"`, `href="/novidades"`, "não guarda publicações anteriores")
		if page.Header.Get("Cache-Control") != "public, max-age=60" || s.Get("/dados", "If-None-Match", page.Header.Get("Etag")).Status != http.StatusNotModified {
			t.Errorf("headers are %v", page.Header)
		}
	}
	for lang, word := range map[string]string{"/en": "Files of publication 7, the current one", "/es": "Archivos de la publicación 7, la actual"} {
		wantWords(t, lang, s.Get(lang+"/dados").Body, word)
	}
}

// published is what a server says of three publications.
func published(signed bool) []catalog.OpenData {
	digest := strings.Repeat("ab", 32)
	var list []catalog.OpenData
	for i, number := range []int64{7, 6, 4} {
		d := catalog.OpenData{Publication: catalog.Publication{Number: number, At: webtest.Moment.AddDate(0, 0, -i), Size: 100}, Current: i == 0}
		for _, format := range catalog.Formats {
			file := catalog.DataFile{Format: format}
			if i == 0 {
				file.Bytes, file.SHA256 = 123_456_789, digest
			}
			d.Files = append(d.Files, file)
		}
		if i == 0 {
			d.Digests, d.Signed = &catalog.Digests{}, signed
		}
		list = append(list, d)
	}
	return list
}

func TestOpenDataPageSaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	for signed, words := range map[bool][]string{true: {"O registro assina a lista", "selo verify --digests"}, false: {"Estes resumos não estão assinados"}} {
		s := webtest.Start(t, func(d *web.Deps) {
			d.OpenData = func() []catalog.OpenData { return published(signed) }
			d.Rate, d.Burst = 12.5, 300
		})
		body := s.Get("/dados").Body
		wantWords(t, "the page", body, append(words, "123 MB", strings.Repeat("ab", 32), "12,5 por segundo", "até 300 de uma vez", `href="/api/v1/dados/4/certificados.xlsx"`,
			`href="/api/v1/dados/6/SHA256SUMS"`, "selo catalog export csv --publication NÚMERO")...)
		if strings.Contains(body, `href="/api/v1/dados/5/`) {
			t.Error("a publication that is not kept is offered")
		}
	}
	empty := webtest.StartEmpty(t)
	wantWords(t, "before the first publication", empty.Get("/dados").Body, "Ainda não há publicação")
	if got := empty.Get("/dados/graficos"); got.Status != http.StatusServiceUnavailable {
		t.Errorf("charts before the first publication: %d", got.Status)
	}
	if got := empty.Get("/dados/api"); got.Status != http.StatusOK {
		t.Errorf("the API's documentation before the first publication: %d", got.Status)
	}
	bare := webtest.Start(t, func(d *web.Deps) { d.OpenData, d.Document = nil, nil })
	wantWords(t, "a server without an API", bare.Get("/dados").Body, "Arquivos da publicação 7")
	wantWords(t, "its dictionary", bare.Get("/dados/dicionario").Body, "Tabelas do SQLite")
	if got := bare.Get("/dados/api"); got.Status != http.StatusNotFound || !strings.Contains(got.Body, "não explica a API") {
		t.Errorf("its documentation: %d", got.Status)
	}
}

// Every column and table has words in every language, those of the columns in
// Portuguese are the ones inside the files.
func TestDictionaryIsComplete(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	for lang, prefix := range map[locale.Lang]string{locale.PT: "", locale.EN: "/en", locale.ES: "/es"} {
		body := s.Get(prefix + "/dados/dicionario").Body
		for _, c := range catalog.Columns {
			meaning := locale.Text(lang, "web.dictionary.column."+c.Name, nil)
			if lang == locale.PT && meaning != c.Meaning || c.Example == "" {
				t.Errorf("%s is %q on the page, %q in the files, for example %q", c.Name, meaning, c.Meaning, c.Example)
			}
			wantWords(t, prefix+" "+c.Name, body, "<code>"+c.Name+"</code>")
		}
		for _, l := range catalog.Layouts() {
			wantWords(t, prefix+" "+l.Table, body, `id="tabela-`+l.Table+`"`)
		}
		if found := brackets.FindString(body); found != "" {
			t.Errorf("%s lacks %s", prefix, found)
		}
	}
	if n := len(catalog.Layouts()); n != 12 {
		t.Errorf("%d tables are described: say what the new one is", n)
	}
}

func TestAPIPageExplainsEveryOperation(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	var document []byte
	webtest.Start(t, func(d *web.Deps) { document = d.Document })
	var doc struct {
		Paths map[string]map[string]struct {
			ID         string `json:"operationId"`
			Parameters []struct{ Name string }
		}
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		t.Fatal(err)
	}
	for _, prefix := range prefixes {
		body := s.Get(prefix + "/dados/api").Body
		wholeIDs(t, prefix+"/dados/api", body)
		for path, methods := range doc.Paths {
			for method, op := range methods {
				wantWords(t, path, body, `<h3 id="`+op.ID+`"`, "<code>"+strings.ToUpper(method)+" "+path+"</code>")
				for _, p := range op.Parameters {
					wantWords(t, path, body, "<code>"+p.Name+"</code>")
				}
			}
		}
		for name := range doc.Components.Schemas {
			wantWords(t, name, body, `id="esquema-`+name+`"`)
		}
		wantWords(t, "examples", body, "curl &#39;https://selo.example/api/v1/certificados/DEMO/", "curl -OJ", "--data-binary", "/api/openapi.json")
	}
	wantWords(t, "the footer", s.Get("/es/sobre").Body, `href="/es/dados/api"`)
}

var drawing = regexp.MustCompile(`(?s)<figure class="chart">\s*(<svg role="img".*?</svg>)`)

// Each chart is sound XML without styles, has a name and a description, and its
// numbers stand in a table too.
func TestChartsAreDrawn(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	for _, prefix := range prefixes {
		got := s.Get(prefix + "/dados/graficos")
		found := drawing.FindAllStringSubmatch(got.Body, -1)
		if len(found) != 6 { // none was cancelled after its first revision
			t.Fatalf("%s has %d drawings", prefix, len(found))
		}
		for _, m := range found {
			var svg struct {
				Title string `xml:"title"`
				Desc  string `xml:"desc"`
				Rects []struct {
					Width  string `xml:"width,attr"`
					Height string `xml:"height,attr"`
				} `xml:"rect"`
			}
			if err := xml.Unmarshal([]byte(m[1]), &svg); err != nil {
				t.Fatalf("%v: %s", err, m[1])
			}
			if svg.Title == "" || svg.Desc == "" || len(svg.Rects) == 0 {
				t.Errorf("%s: %+v", prefix, svg)
			}
			for _, r := range svg.Rects {
				if !regexp.MustCompile(`^\d{1,3}\.\d\d%$`).MatchString(r.Width) || !regexp.MustCompile(`^\d+\.\d\dem$`).MatchString(r.Height) {
					t.Errorf("a bar is %+v", r)
				}
			}
		}
		if tables := strings.Count(got.Body, "<details>"); tables < len(found) {
			t.Errorf("%s has %d tables", prefix, tables)
		}
	}
	wantWords(t, "the charts", s.Get("/dados/graficos").Body, "6 certificados ao todo", "Brinquedos · 3 (ativos: 3)", `href="/classes/brinquedos"`, `href="/organismos/DEMO"`,
		"Nenhum no período", "na situação de 10/03/2026")
	if again := s.Get("/dados/graficos", "If-None-Match", s.Get("/dados/graficos").Header.Get("Etag")); again.Status != http.StatusNotModified {
		t.Errorf("the same again: %d", again.Status)
	}
}

// Nothing that is asked of these pages changes them.
func TestDataPagesWithHostileInput(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	for _, path := range []string{"/dados", "/dados/dicionario", "/dados/api", "/dados/graficos"} {
		plain := s.Get(path)
		for _, query := range []string{"?q=%3Cscript%3Ealert(1)%3C/script%3E", "?%00=%ff", "?publicacao=-1", "?" + strings.Repeat("a", 7000)} {
			if got := s.Get(path + query); got.Status != http.StatusOK || strings.Contains(got.Body, "<script>alert") {
				t.Errorf("%s%.30s: %d", path, query, got.Status)
			}
		}
		if got := s.Get(path + "?" + strings.Repeat("a", 10<<10)); got.Status != http.StatusRequestURITooLong {
			t.Errorf("%s with 10 KB: %d", path, got.Status)
		}
		if again := s.Get(path, "Cookie", "aparencia=contraste.2", "Accept-Language", "en"); again.Body != plain.Body {
			t.Errorf("%s is not the same for everybody", path)
		}
	}
	if got := s.Get("/dados/nada"); got.Status != http.StatusNotFound {
		t.Errorf("no such page: %d", got.Status)
	}
	if words := locale.Fault(locale.PT, fault.New(fault.NotFound, "web.apidoc.none")); words.Action == "" {
		t.Error("a server without an API does not say where to go")
	}
}
