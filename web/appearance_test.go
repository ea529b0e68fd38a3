package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"selo/web"
	"selo/web/webtest"
)

func TestAppearanceIsKeptInACookie(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for _, step := range []struct{ cookie, field, value, want string }{
		{"", "contraste", "contraste", "contraste.0"},
		{"contraste.0", "letra", "maior", "contraste.1"},
		{"contraste.3", "letra", "maior", "contraste.3"},
		{"contraste.3", "contraste", "claro", "claro.3"},
		{"claro.2", "letra", "menor", "claro.1"},
		{"claro.0", "letra", "menor", "claro.0"},
		{"claro.2", "letra", "normal", "claro.0"},
		{".2", "letra", "menor", ".1"},
		{"</style>.1", "letra", "maior", ".1"},
		{"contraste.9", "letra", "maior", ".1"},
		{"contraste.-1", "letra", "normal", ".0"},
	} {
		got := site.Post("/en/aparencia", url.Values{step.field: {step.value}, "volta": {"/en/sobre?a=1"}}, "Cookie", "aparencia="+step.cookie)
		if got.Status != http.StatusSeeOther || got.Header.Get("Location") != "/en/sobre?a=1" {
			t.Fatalf("%+v gives %d to %s", step, got.Status, got.Header.Get("Location"))
		}
		cookie, err := http.ParseSetCookie(got.Header.Get("Set-Cookie"))
		if err != nil || cookie.Value != step.want || !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
			t.Errorf("%+v leaves %s", step, got.Header.Get("Set-Cookie"))
		}
	}
	for _, form := range []url.Values{{"contraste": {"azul"}}, {"letra": {"enorme"}}} {
		if got := site.Post("/aparencia", form); got.Status != http.StatusUnprocessableEntity || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%v gives %d", form, got.Status)
		}
	}
}

func TestAppearanceNeverLeadsAway(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for _, away := range []string{"https://other.example/", "//other.example", `/\other.example`, "javascript:alert(1)", "sobre", "", "/a\r\nb", "/%zz"} {
		got := site.Post("/es/aparencia", url.Values{"letra": {"maior"}, "volta": {away}})
		if got.Status != http.StatusSeeOther || got.Header.Get("Location") != "/es/" {
			t.Errorf("%q leads to %d %q", away, got.Status, got.Header.Get("Location"))
		}
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	form := url.Values{"letra": {"maior"}}
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://other.example"}} {
		if got := site.Post("/aparencia", form, header...); got.Status != http.StatusForbidden || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%v gives %d", header, got.Status)
		}
	}
	for _, header := range [][]string{{"Sec-Fetch-Site", "same-origin"}, {"Origin", "https://selo.example", "Sec-Fetch-Site", "cross-site"}, nil} {
		if got := site.Post("/aparencia", form, header...); got.Status != http.StatusSeeOther {
			t.Errorf("%v gives %d", header, got.Status)
		}
	}
	if got := site.Post("/aparencia", url.Values{"letra": {strings.Repeat("x", 100<<10)}}); got.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of 100 KB gives %d", got.Status)
	}
}

func TestOnlyTheVisitorsStylesheetDependsOnTheCookie(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	plain, chosen := site.Get("/sobre"), site.Get("/sobre", "Cookie", "aparencia=contraste.3")
	if plain.Body != chosen.Body || plain.Header.Get("Etag") != chosen.Header.Get("Etag") || strings.Contains(plain.Header.Get("Vary"), "Cookie") {
		t.Error("the page depends on the visitor")
	}
	sheets := map[string]bool{}
	for _, cookie := range []string{"", "contraste.0", "claro.0", ".3", "contraste.3"} {
		got := site.Get("/aparencia.css", "Cookie", "aparencia="+cookie)
		if got.Status != 200 || got.Header.Get("Content-Type") != "text/css; charset=utf-8" ||
			got.Header.Get("Cache-Control") != "private, no-cache" || !strings.Contains(strings.Join(got.Header["Vary"], ", "), "Cookie") {
			t.Errorf("%s: %d %v", cookie, got.Status, got.Header)
		}
		if sheets[got.Body] {
			t.Errorf("%q looks like another", cookie)
		}
		sheets[got.Body] = true
		if again := site.Get("/aparencia.css", "Cookie", "aparencia="+cookie, "If-None-Match", got.Header.Get("Etag")); again.Status != http.StatusNotModified {
			t.Errorf("%s asked again gives %d", cookie, again.Status)
		}
	}
	if got := site.Get("/aparencia.css", "Cookie", "aparencia=.3"); !strings.Contains(got.Body, "font-size:150%") {
		t.Errorf("the largest text is %s", got.Body)
	}
	insecure := webtest.Start(t, func(d *web.Deps) { d.URL = "" })
	if got := insecure.Post("/aparencia", url.Values{"letra": {"maior"}}); strings.Contains(got.Header.Get("Set-Cookie"), "Secure") {
		t.Error("a site without TLS asks for a secure cookie")
	}
}
