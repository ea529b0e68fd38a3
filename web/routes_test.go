package web_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"selo/account"
	"selo/api"
	"selo/web"
	"selo/web/webtest"
)

var prefixes = []string{"", "/en", "/es"}

// role is somebody who may ask, and what answers may be given for each power.
type role struct {
	name    string
	ask     func(method, path string) webtest.Answer
	allowed map[web.Power]func(webtest.Answer) bool
}

// served is any answer of the route itself.
func served(a webtest.Answer) bool {
	return (a.Status < 400 || a.Status == 404 || a.Status == 422) && !toSignIn(a)
}

// toSignIn is an answer that asks to sign in first.
func toSignIn(a webtest.Answer) bool {
	return a.Status == http.StatusSeeOther && strings.Contains(a.Header.Get("Location"), "/entrar?") && !strings.Contains(a.Header.Get("Location"), "motivo=nivel")
}

func absent(a webtest.Answer) bool {
	return a.Status == http.StatusNotFound && strings.Contains(a.Body, "<h1>")
}

// roles are everybody there is: visitors of a node without accounts, visitors,
// those whose session has ended, and those who are signed in.
func roles(t *testing.T) []role {
	t.Helper()
	node, p := webtest.Start(t), webtest.StartWithPeople(t)
	asking := func(b *webtest.Browser) func(method, path string) webtest.Answer {
		return func(method, path string) webtest.Answer { return b.Do(method, path, nil) }
	}
	ended := p.NewBrowser()
	ended.SignIn(webtest.Bruno)
	token := ended.Cookies["__Host-selo-sessao"]
	ended.Post("/sair", nil)
	signedIn := func(cookie string) func(method, path string) webtest.Answer {
		return func(method, path string) webtest.Answer {
			b := p.NewBrowser()
			if b.Cookies["__Host-selo-sessao"] = cookie; cookie == "" {
				b.SignIn(webtest.Ana) // anew each time: some routes end the session
			}
			return b.Do(method, path, nil)
		}
	}
	outside := map[web.Power]func(webtest.Answer) bool{web.Public: served, web.Visitor: served, web.Signed: toSignIn}
	return []role{
		{"visitor of a public node", func(method, path string) webtest.Answer { return node.Do(method, path, nil) },
			map[web.Power]func(webtest.Answer) bool{web.Public: served, web.Visitor: absent, web.Signed: absent}},
		{"visitor", asking(p.NewBrowser()), outside},
		{"visitor with a session that ended", signedIn(token), outside},
		{"visitor with a token of nobody", signedIn(string(account.NewToken())), outside},
		{"visitor with a strange cookie", signedIn("' OR 1=1--"), outside},
		{"person", signedIn(""), map[web.Power]func(webtest.Answer) bool{web.Public: served, web.Visitor: served, web.Signed: served}},
	}
}

// samples fill the patterns of the table.
var samples = strings.NewReplacer("{organismo}", "DEMO", "{numero}", "DEMO-BRIN-108%2F25.001", "{arquivo}", "nenhum.css",
	"{classe}", "brinquedos", "{empresa...}", "99900010000140")

// TestEveryRouteHasAPower crosses the table with everybody who may ask. What is
// not in the table must not be there in any language.
func TestEveryRouteHasAPower(t *testing.T) {
	t.Parallel()
	routes := webtest.Start(t).Server.Routes()
	everybody := roles(t)
	seen := map[string]bool{}
	for _, rt := range routes {
		name := rt.Method + " " + rt.Path
		if rt.Handle == nil || seen[name] || rt.FromCatalog && rt.Power != web.Public {
			t.Fatalf("%s: no handler, twice in the table, or what everybody shares for somebody", name)
		}
		seen[name] = true
		path := samples.Replace(rt.Path)
		if strings.Contains(path, "{") {
			t.Fatalf("%s: give %s a sample", name, path)
		}
		for _, who := range everybody {
			allowed := who.allowed[rt.Power]
			if allowed == nil {
				t.Fatalf("%s: power %q is unknown", name, rt.Power)
			}
			for i, prefix := range prefixes {
				home := prefix + path
				got := who.ask(rt.Method, home)
				switch {
				case rt.Plain && i > 0 && got.Status != http.StatusNotFound:
					t.Errorf("%s %s gives %d, but is in no language", rt.Method, home, got.Status)
				case (!rt.Plain || i == 0) && !allowed(got):
					t.Errorf("%s %s gives a %s %d to %q\n%.2000s", rt.Method, home, who.name, got.Status, got.Header.Get("Location"), got.Body)
				}
			}
		}
	}
}

func TestOtherMethodsAreRefusedWithWhatIsTaken(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	taken := map[string][]string{}
	for _, rt := range site.Server.Routes() {
		taken[rt.Path] = append(taken[rt.Path], rt.Method)
	}
	for pattern, methods := range taken {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
			if slices.Contains(methods, method) {
				continue
			}
			got := site.Do(method, samples.Replace(pattern), nil)
			if got.Status != http.StatusMethodNotAllowed || !strings.Contains(got.Header.Get("Allow"), methods[0]) {
				t.Errorf("%s %s gives %d, Allow %q", method, pattern, got.Status, got.Header.Get("Allow"))
			}
		}
	}
}

var (
	inline    = regexp.MustCompile(`<style|<script>|<script [^>]*>[^<]|\s(style|on[a-z]+)="`)
	ids       = regexp.MustCompile(`\sid="([^"]*)"`)
	fragments = regexp.MustCompile(`href="#([^"]*)"`)
	brackets  = regexp.MustCompile(`\[[a-z_]+\.[a-z_.]+\]`)
	links     = regexp.MustCompile(`(?:href|src|action)="(/[^"#]*)`)
)

// TestPagesAreWellMade reads every page without parameters in every language,
// and follows each of its links into this site.
func TestPagesAreWellMade(t *testing.T) {
	t.Parallel()
	people := webtest.StartWithPeople(t)
	site := people.NewBrowser()
	followed := map[string]bool{}
	for _, rt := range people.Server.Routes() {
		if rt.Power == web.Signed && len(site.Cookies) == 0 {
			site.SignIn(webtest.Ana)
		}
		if rt.Method != http.MethodGet || rt.Plain || strings.Contains(rt.Path, "{") {
			continue
		}
		for i, prefix := range prefixes {
			path := prefix + rt.Path
			got := site.Get(path)
			if got.Status == http.StatusSeeOther || got.Status == http.StatusOK && !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
				continue // no page
			}
			lang := []string{"pt-BR", "en", "es"}[i]
			if got.Status != http.StatusOK || !strings.HasPrefix(got.Body, `<!doctype html><html lang="`+lang+`">`) || got.Header.Get("Content-Language") != lang {
				t.Errorf("%s gives %d in %q", path, got.Status, got.Header.Get("Content-Language"))
			}
			if found := inline.FindString(got.Body); found != "" {
				t.Errorf("%s holds %q, which its policy forbids", path, found)
			}
			if found := brackets.FindString(got.Body); found != "" {
				t.Errorf("%s lacks a text: %s", path, found)
			}
			wholeIDs(t, path, got.Body)
			for _, link := range links.FindAllStringSubmatch(got.Body, -1) {
				if followed[link[1]] || api.Owns(link[1]) || link[1] == "/aparencia" || strings.HasSuffix(link[1], "/aparencia") {
					continue
				}
				followed[link[1]] = true
				if target := site.Get(strings.ReplaceAll(link[1], "&amp;", "&")); target.Status >= 400 && target.Status != http.StatusMethodNotAllowed {
					t.Errorf("%s links to %s, which gives %d", path, link[1], target.Status)
				}
			}
		}
	}
}

// wholeIDs checks that ids are used once and that fragments lead somewhere.
func wholeIDs(t *testing.T, path, body string) {
	t.Helper()
	known := map[string]bool{}
	for _, id := range ids.FindAllStringSubmatch(body, -1) {
		if known[id[1]] {
			t.Errorf("%s has the id %q twice", path, id[1])
		}
		known[id[1]] = true
	}
	for _, f := range fragments.FindAllStringSubmatch(body, -1) {
		if !known[f[1]] {
			t.Errorf("%s leads to #%s, which is not there", path, f[1])
		}
	}
}

func TestLayoutNamesThePageForOthers(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	body := site.Get("/en/sobre?a=1&b=2").Body
	for _, want := range []string{
		`<title>About Selo — Selo</title>`,
		`<link rel="canonical" href="https://selo.example/en/sobre?a=1&amp;b=2">`,
		`hreflang="pt-BR" href="https://selo.example/sobre?a=1&amp;b=2"`,
		`hreflang="es" href="https://selo.example/es/sobre?a=1&amp;b=2"`,
		`<meta property="og:title" content="About Selo">`,
		`<meta property="og:locale" content="en_US">`,
		`<span aria-current="page">About Selo</span>`,
		`<a href="/es/sobre?a=1&amp;b=2" lang="es" hreflang="es">Español</a>`,
		`name="volta" value="/en/sobre?a=1&amp;b=2"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(body, "htmx") {
		t.Error("a page that does not use htmx loads it")
	}
}

func TestStrangeAddresses(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for path, want := range map[string]struct {
		status   int
		location string
	}{
		"/en":                             {307, "/en/"},
		"/en?a=1":                         {307, "/en/?a=1"},
		"/sobre/":                         {308, "/sobre"},
		"/es/sobre/?a=1":                  {308, "/es/sobre?a=1"},
		"/english":                        {404, ""},
		"/en/nada":                        {404, ""},
		"/en/en/sobre":                    {404, ""},
		"/sobre%2F":                       {404, ""},
		"/%00":                            {404, ""},
		"/%FF":                            {404, ""},
		"/" + strings.Repeat("a", 9<<10):  {414, ""},
		"/estatico/selo.css":              {404, ""}, // only hashed names
		"/estatico/LICENSE":               {404, ""},
		"/estatico/..%2Fserver.go":        {404, ""},
		"/%2F%2Fother.example/sobre/":     {308, "/%2F%2Fother.example/sobre"}, // still a path of this site
		"/certificados/DEMO/nao-existe-1": {404, ""},
	} {
		got := site.Get(path)
		if got.Status != want.status || got.Header.Get("Location") != want.location {
			t.Errorf("%.60s gives %d to %q, want %d to %q", path, got.Status, got.Header.Get("Location"), want.status, want.location)
		}
		if got.Status >= 400 && (got.Header.Get("Cache-Control") != "no-store" || !strings.Contains(got.Body, "<h1>")) {
			t.Errorf("%.60s: %s\n%s", path, got.Header.Get("Cache-Control"), got.Body)
		}
	}
	if got := site.Get("//other.example/sobre/"); strings.HasPrefix(got.Header.Get("Location"), "//") {
		t.Errorf("leads away to %s", got.Header.Get("Location"))
	}
}
