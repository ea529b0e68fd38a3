package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"selo/web/webtest"
)

func newAsk(t *testing.T, method, path string) (*httptest.ResponseRecorder, *http.Request) {
	t.Helper()
	return httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), method, path, nil)
}

// TestTooManyIsAPage refuses in every language, whatever was asked.
func TestTooManyIsAPage(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for _, tt := range []struct {
		method, path, lang, title, wait string
	}{
		{"GET", "/sobre", "pt-BR", "Pedidos demais", "Espere 7 s"},
		{"GET", "/en/?q=" + strings.Repeat("x", 10_000), "en", "Too many requests", "7"},
		{"GET", "/es/nada/que/exista", "es", "Demasiadas solicitudes", "7"},
		{"POST", "/aparencia", "pt-BR", "Pedidos demais", "7"},
		{"PURGE", "/%3Cscript%3E", "pt-BR", "Pedidos demais", "7"},
	} {
		rec, req := newAsk(t, tt.method, tt.path)
		site.Server.TooMany(rec, req, 7)
		body, header := rec.Body.String(), rec.Header()
		if rec.Code != http.StatusTooManyRequests || header.Get("Retry-After") != "7" || header.Get("Cache-Control") != "no-store" ||
			header.Get("Content-Security-Policy") == "" || header.Get("Etag") != "" || !strings.HasPrefix(header.Get("Content-Type"), "text/html") {
			t.Errorf("%s %.40s gives %d %v", tt.method, tt.path, rec.Code, header)
		}
		for _, want := range []string{`<html lang="` + tt.lang + `"`, tt.title, tt.wait, `content="noindex"`, "<h1"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s %.40s lacks %q:\n%s", tt.method, tt.path, want, body)
			}
		}
		if strings.Contains(body, "<script>") || number(body) == "" {
			t.Errorf("%s %.40s: %s", tt.method, tt.path, body)
		}
	}
}

// number is that of a request, as its page shows it.
func number(body string) string {
	_, rest, _ := strings.Cut(body, "<code>")
	id, _, _ := strings.Cut(rest, "</code>")
	return id
}

// A HEAD has the header alone.
func TestTooManyOfAHead(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	rec, req := newAsk(t, http.MethodHead, "/")
	site.Server.TooMany(rec, req, 60)
	if rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") != "60" || rec.Body.Len() > 0 {
		t.Errorf("%d %v %d bytes", rec.Code, rec.Header(), rec.Body.Len())
	}
}
