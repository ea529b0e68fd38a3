package govbrsim

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// TestLook: the pages load the design system's files where they are given, with
// addresses that exist and may be kept, and do without them.
func TestLook(t *testing.T) {
	t.Parallel()
	given := fstest.MapFS{
		"static/vendor/core-tokens.min.css": {Data: []byte(":root{--token:1}")},
		"static/claro.css":                  {Data: []byte(":root{--claro:1}")},
		"static/contraste.css":              {Data: []byte(":root{--contraste:1}")},
		"static/selo.css":                   {Data: []byte(`@font-face{src:url("letra.woff2")}`)},
		"static/vendor/letra.woff2":         {Data: []byte("letra")},
		"static/vendor/LICENSE":             {Data: []byte("licença")},
	}
	for name, s := range map[string]*sim{"plain": start(t), "rich": start(t, func(o *Options) { o.Look = given }),
		"in a world": start(t, func(o *Options) { o.Look = given }).inWorld("vista")} {
		link := regexp.MustCompile(`<link rel="stylesheet" href="([^"]+)"`).FindStringSubmatch(s.get("/sim/").text)
		if link == nil {
			t.Fatalf("%s: no stylesheet", name)
		}
		root := *s
		root.url = s.server.URL()
		sheet := root.get(link[1])
		if sheet.StatusCode != http.StatusOK || sheet.Header.Get("Content-Type") != cssType || !strings.Contains(sheet.Header.Get("Cache-Control"), "immutable") || !strings.Contains(sheet.text, ".sim-bar") {
			t.Errorf("%s: %d %v", name, sheet.StatusCode, sheet.Header)
		}
		if name == "plain" {
			if !strings.Contains(sheet.text, "--page: #fff") {
				t.Errorf("plain: no palette in %s", sheet.text)
			}
			continue
		}
		font := regexp.MustCompile(`url\("(letra\.[0-9a-f]{12}\.woff2)"\)`).FindStringSubmatch(sheet.text)
		if font == nil || !strings.HasPrefix(sheet.text, ":root{--token:1}") || strings.Contains(sheet.text, "--page: #fff") {
			t.Fatalf("%s: %s", name, sheet.text)
		}
		if a := s.get("/sim/estatico/" + font[1]); a.text != "letra" || a.Header.Get("Content-Type") != "font/woff2" {
			t.Errorf("%s: font %d %q", name, a.StatusCode, a.text)
		}
	}
}
