package web_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"selo/web/webtest"
)

var newsLinks = regexp.MustCompile(`<p class="news-what"><span class="br-tag [a-z]+">.*?</svg>\s?([^<]+)</span> <a href="([^"]+)">([^<]+)</a>`)

// newsIn are the news of a page: what happened and to which certificate.
func newsIn(body string) []string {
	list := []string{}
	for _, m := range newsLinks.FindAllStringSubmatch(body, -1) {
		list = append(list, m[1]+" "+m[3])
	}
	return list
}

func newsAt(path string, pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return path + "?" + values.Encode()
}

func TestNewsPage(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	const page = "/novidades"
	tricky := "Novo A//B ../ç+#?&amp;%"
	all := []string{"Suspenso " + webtest.Suspended, tricky, "Novo " + webtest.Large, "Novo " + webtest.Expired, "Novo " + webtest.Cancelled,
		"Novo " + webtest.Suspended, "Novo " + webtest.Toy}
	for name, test := range map[string]struct {
		path string
		want []string // news; nil: any
		has  []string
		not  []string
	}{
		"all": {page, all, []string{`<time datetime="2026-03-05">05/03/2026</time>`, `<time datetime="2026-02-18">18/02/2026</time>`, "12:00",
			"Falha na avaliação de manutenção &lt;da fábrica&gt;", "Entrou no registro já na situação “cancelado”", "Situação hoje:",
			`type="application/atom+xml"`, `/?ordem=validade&amp;validade=30-dias`, "/?situacao=expirado"}, []string{"noindex", `rel="next"`}},
		"in English": {"/en" + page, nil, []string{"Suspended", "2026-03-05", `href="/en/certificados/`, `href="/en/novidades.atom"`}, []string{"Suspenso<"}},
		"in Spanish": {"/es" + page, nil, []string{"Suspendido", `href="/es/novidades.json"`}, nil},
		"a kind": {newsAt(page, "tipo", "suspenso"), all[:1], []string{"Novidades: Suspenso", "noindex", `value="suspenso" checked`,
			`href="/novidades.atom?tipo=suspenso"`}, nil},
		"kinds":                {newsAt(page, "tipo", "novo", "tipo", "SUSPENSO"), all, []string{"tipo=novo&amp;tipo=suspenso"}, nil},
		"kinds with a comma":   {newsAt(page, "tipo", "cancelado,suspenso"), all[:1], nil, nil},
		"a class":              {newsAt(page, "classe", "capacetes-motociclistas"), []string{all[0], all[3], all[4], all[5]}, []string{"Novidades: Capacetes"}, nil},
		"a body in any case":   {newsAt(page, "organismo", "demo"), all, []string{"organismo=DEMO", "Novidades: Organismo de Demonstração"}, nil},
		"nothing":              {newsAt(page, "tipo", "reativado"), []string{}, []string{"Nenhuma novidade", "Retire um dos filtros", `href="/novidades"`}, nil},
		"unknown body":         {newsAt(page, "organismo", "XYZ"), []string{}, []string{"Nenhuma novidade", "XYZ"}, nil},
		"unknown class":        {newsAt(page, "classe", "zzz"), []string{}, []string{"Nenhuma novidade"}, nil},
		"unknown company":      {newsAt(page, "empresa", "zzz"), []string{}, []string{"Nenhuma novidade", `name="empresa" value="zzz"`}, nil},
		"below all":            {newsAt(page, "antes", "1"), []string{}, []string{"Não há novidades mais antigas", "Mais recentes"}, nil},
		"wrong kind":           {newsAt(page, "tipo", "expirado"), []string{}, []string{"Não foi possível escolher", "Use um destes: novo"}, nil},
		"wrong CNPJ":           {newsAt(page, "cnpj", "12"), []string{}, []string{"Não foi possível escolher", `value="12"`}, nil},
		"wrong place":          {newsAt(page, "antes", "-1"), []string{}, []string{"Não foi possível escolher", "“-1”"}, nil},
		"wrong far place":      {newsAt(page, "antes", "9223372036854775807"), []string{}, []string{"Não foi possível escolher"}, nil},
		"wrong place in words": {newsAt(page, "antes", "<b>agora</b>"), []string{}, []string{"“&lt;b&gt;agora&lt;/b&gt;”"}, []string{"<b>agora"}},
		"wrong and markup":     {newsAt(page, "tipo", `"><script>alert(1)</script>`), []string{}, []string{"&lt;script&gt;"}, []string{"<script>alert"}},
		"markup in a filter":   {newsAt(page, "classe", `"><img src=x>`), []string{}, nil, []string{"<img src=x"}},
		"SQL":                  {newsAt(page, "organismo", "' OR 1=1 --", "classe", "%"), []string{}, []string{"Nenhuma novidade"}, nil},
		"control characters":   {newsAt(page, "classe", "a\x00b\x1b[2J\xff", "empresa", "\u202e😀"), []string{}, []string{"Nenhuma novidade"}, []string{"\x1b"}},
		"a long query":         {newsAt(page, "classe", strings.Repeat("x", 7000)), []string{}, []string{"Nenhuma novidade", "Novidades: " + strings.Repeat("x", 256)}, []string{"Novidades: " + strings.Repeat("x", 257)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := site.Get(test.path)
			if wrong := strings.HasPrefix(name, "wrong"); wrong != (got.Status == 422) || !wrong && got.Status != 200 {
				t.Errorf("%.200s gives %d", test.path, got.Status)
			}
			if list := newsIn(got.Body); test.want != nil && !slices.Equal(list, test.want) {
				t.Errorf("%.200s tells %q", test.path, list)
			}
			for _, text := range test.has {
				if !strings.Contains(got.Body, text) {
					t.Errorf("%.200s does not hold %q", test.path, text)
				}
			}
			for _, text := range test.not {
				if strings.Contains(got.Body, text) {
					t.Errorf("%.200s holds %q", test.path, text)
				}
			}
		})
	}
}

// A company's news are found by its CNPJ in any form, and its name is shown.
func TestNewsOfACompany(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	cnpj := regexp.MustCompile(`/empresas/([0-9A-Z]{14})"`).FindStringSubmatch(site.Get("/empresas").Body)
	if cnpj == nil {
		t.Fatal("no company is listed")
	}
	name := regexp.MustCompile(`<h1[^>]*>([^<]+)</h1>`).FindStringSubmatch(site.Get("/empresas/" + cnpj[1]).Body)
	if name == nil {
		t.Fatal("the company has no page")
	}
	c := cnpj[1]
	masked := c[:2] + "." + c[2:5] + "." + c[5:8] + "/" + c[8:12] + "-" + c[12:]
	got := site.Get(newsAt("/novidades", "cnpj", masked))
	if list := newsIn(got.Body); len(list) == 0 || !strings.Contains(got.Body, "Novidades: "+name[1]) || !strings.Contains(got.Body, "cnpj="+c) {
		t.Errorf("news of %s %s: %d %q", masked, name[1], got.Status, list)
	}
}

// atomDocument is what RFC 4287 asks of a feed, read by a parser of its own.
type atomDocument struct {
	XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	Lang    string   `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Author  string   `xml:"author>name"`
	Links   []struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr"`
		Href string `xml:"href,attr"`
	} `xml:"link"`
	Entries []struct {
		ID      string `xml:"id"`
		Title   string `xml:"title"`
		Updated string `xml:"updated"`
		Author  string `xml:"author>name"`
		Summary string `xml:"summary"`
		Content struct {
			Type string `xml:"type,attr"`
			Text string `xml:",chardata"`
		} `xml:"content"`
		Link struct {
			Rel  string `xml:"rel,attr"`
			Href string `xml:"href,attr"`
		} `xml:"link"`
		Categories []struct {
			Term string `xml:"term,attr"`
		} `xml:"category"`
	} `xml:"entry"`
}

func (d *atomDocument) link(rel string) string {
	for _, l := range d.Links {
		if l.Rel == rel {
			return l.Href
		}
	}
	return ""
}

func atomOf(t *testing.T, site *webtest.Site, path string) *atomDocument {
	t.Helper()
	got := site.Get(path)
	if got.Status != 200 || got.Header.Get("Content-Type") != "application/atom+xml; charset=utf-8" {
		t.Fatalf("%s gives %d, %s", path, got.Status, got.Header.Get("Content-Type"))
	}
	var d atomDocument
	parser := xml.NewDecoder(strings.NewReader(strings.TrimSpace(got.Body)))
	if err := parser.Decode(&d); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if _, err := parser.Token(); !errors.Is(err, io.EOF) {
		t.Fatalf("%s goes on after its end: %v", path, err)
	}
	return &d
}

func TestAtomFeed(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	if home := site.Get("/es/"); !strings.Contains(home.Body, `<link rel="alternate" type="application/atom+xml" title="Novedades (Atom)" href="/es/novidades.atom">`) {
		t.Error("the first page does not announce the news")
	}
	d := atomOf(t, site, "/novidades.atom")
	updated, err := time.Parse(time.RFC3339, d.Updated)
	if err != nil || !updated.Equal(webtest.Revisited) {
		t.Errorf("updated %q: %v", d.Updated, err)
	}
	if d.ID != "tag:selo.example,2026:novidades" || d.Lang != "pt-BR" || d.Title == "" || d.Author != "Inmetro" || d.link("next") != "" ||
		d.link("self") != "https://selo.example/novidades.atom" || d.link("alternate") != "https://selo.example/novidades" {
		t.Errorf("feed %+v", d)
	}
	if len(d.Entries) != 7 {
		t.Fatalf("%d entries", len(d.Entries))
	}
	seen := map[string]bool{}
	for _, e := range d.Entries {
		at, err := time.Parse(time.RFC3339, e.Updated)
		if err != nil || at.After(updated) || seen[e.ID] || !strings.HasPrefix(e.ID, "tag:selo.example,2026:livro/") || e.Title == "" ||
			e.Summary == "" || e.Link.Rel != "alternate" || len(e.Categories) != 2 || e.Author != webtest.BodyName || e.Content.Type != "html" {
			t.Errorf("entry %+v: %v", e, err)
		}
		seen[e.ID] = true
		path, ok := strings.CutPrefix(e.Link.Href, "https://selo.example")
		if target := site.Get(path); !ok || target.Status != 200 {
			t.Errorf("entry %s leads to %s, which gives %d", e.ID, e.Link.Href, target.Status)
		}
	}
	first := d.Entries[0]
	if first.Title != "Certificado suspenso: "+webtest.Suspended+" (DEMO)" || first.Categories[0].Term != "suspenso" ||
		!strings.Contains(first.Summary, "05/03/2026 12:00") || !strings.Contains(first.Summary, webtest.Reason) ||
		!strings.Contains(first.Summary, webtest.BodyName) || !strings.Contains(first.Content.Text, "&lt;da fábrica&gt;") ||
		!strings.Contains(first.Content.Text, `href="https://selo.example/certificados/DEMO/`+webtest.Suspended+`"`) {
		t.Errorf("suspended: %+v", first)
	}

	// Filters and language are the page's; the entries keep their names.
	some := atomOf(t, site, "/es/novidades.atom?tipo=suspenso&outra=coisa&organismo=demo")
	if some.Lang != "es" || len(some.Entries) != 1 || some.Entries[0].ID != first.ID || some.link("self") != "https://selo.example/es/novidades.atom?organismo=DEMO&tipo=suspenso" ||
		some.ID != "tag:selo.example,2026:es/novidades?organismo=DEMO&tipo=suspenso" || !strings.Contains(some.Entries[0].Title, "suspendido") {
		t.Errorf("filtered: %+v", some)
	}
	if none := atomOf(t, site, "/novidades.atom?classe=zzz"); len(none.Entries) != 0 || none.Updated == "" {
		t.Errorf("empty: %+v", none)
	}
}

// Feeds are kept and compressed as pages are, and stay the same on another day.
func TestFeedsAreCacheable(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for _, path := range []string{"/novidades.atom", "/en/novidades.json?tipo=novo"} {
		got := site.Get(path)
		if got.Header.Get("Access-Control-Allow-Origin") != "*" || got.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s has the headers %v", path, got.Header)
		}
		tag := got.Header.Get("Etag")
		if again := site.Get(path, "If-None-Match", tag); again.Status != 304 || tag == "" {
			t.Errorf("%s again gives %d", path, again.Status)
		}
		if packed := site.Get(path, "Accept-Encoding", "gzip"); packed.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s is not compressed", path)
		}
		site.Clock.Advance(5 * 365 * 24 * time.Hour) // everything has expired
		if later := site.Get(path); later.Body != got.Body {
			t.Errorf("%s changes with the day", path)
		}
	}
}

func TestFeedsRefuseWhatThePageRefuses(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for _, query := range []string{"tipo=expirado", "cnpj=12", "antes=x"} {
		for _, path := range []string{"/novidades.atom?", "/novidades.json?"} {
			if got := site.Get(path + query); got.Status != 422 || got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s%s gives %d", path, query, got.Status)
			}
		}
	}
	for _, query := range []string{"classe=%00%1b%EF%BF%BE%ff", "empresa=%F0%9F%98%80%E2%80%AE", "organismo=" + url.QueryEscape(`]]></feed><script>"&`)} {
		if d := atomOf(t, site, "/novidades.atom?"+query); len(d.Entries) != 0 {
			t.Errorf("%s has entries", query)
		}
	}
}

func TestJSONFeed(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	got := site.Get("/novidades.json")
	if got.Header.Get("Content-Type") != "application/feed+json; charset=utf-8" {
		t.Errorf("type %s", got.Header.Get("Content-Type"))
	}
	var d struct {
		Version, Title, Description, Language string
		Home                                  string `json:"home_page_url"`
		Self                                  string `json:"feed_url"`
		Next                                  string `json:"next_url"`
		Authors                               []struct{ Name string }
		Items                                 []struct {
			ID, URL, Title string
			Text           string `json:"content_text"`
			HTML           string `json:"content_html"`
			Published      string `json:"date_published"`
			Tags           []string
			Selo           struct {
				Tipo, Organismo, Numero, Situacao string
				Justificativas                    []string
			} `json:"_selo"`
		}
	}
	if err := json.Unmarshal([]byte(got.Body), &d); err != nil {
		t.Fatal(err)
	}
	if d.Version != "https://jsonfeed.org/version/1.1" || d.Title == "" || d.Language != "pt-BR" || d.Home != "https://selo.example/novidades" ||
		d.Self != "https://selo.example/novidades.json" || len(d.Authors) != 1 || len(d.Items) != 7 {
		t.Errorf("feed %+v", d)
	}
	atom := atomOf(t, site, "/novidades.atom")
	for i, item := range d.Items {
		if _, err := time.Parse(time.RFC3339, item.Published); err != nil || item.ID != atom.Entries[i].ID || item.URL != atom.Entries[i].Link.Href ||
			item.Text != atom.Entries[i].Summary || item.HTML != atom.Entries[i].Content.Text || len(item.Tags) != 2 {
			t.Errorf("item %+v: %v", item, err)
		}
	}
	first := d.Items[0].Selo
	if first.Tipo != "suspenso" || first.Organismo != "DEMO" || first.Numero != webtest.Suspended || first.Situacao != "suspenso" ||
		!slices.Equal(first.Justificativas, []string{webtest.Reason}) {
		t.Errorf("event %+v", first)
	}
	if none := site.Get("/novidades.json?classe=zzz"); !strings.Contains(none.Body, `"items": []`) {
		t.Error("an empty feed has no list of items")
	}
}
