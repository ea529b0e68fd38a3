package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"selo/catalog"
	"selo/clock"
	"selo/fault"
	"selo/refusal"

	"github.com/a-h/templ"
)

// stage is a server with the routes of a test.
func stage(routes ...Route) (*Server, *bytes.Buffer) {
	log := &bytes.Buffer{}
	s := bare(Deps{Catalog: &catalog.Holder{}, Clock: clock.NewManual(time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)), Log: slog.New(slog.NewTextHandler(log, nil))})
	s.routes = routes
	s.mount()
	return s, log
}

func ask(s *Server, method, path string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequest(method, path, nil))
	return rec
}

var number = regexp.MustCompile(`<code>([0-9a-f-]{36})</code>`)

const secret = "password of table users"

// brokenView fails while it is drawn.
type brokenView struct{}

func (brokenView) Head(*Request) Head { return Head{Title: "broken"} }
func (brokenView) Body(*Request) templ.Component {
	return templ.ComponentFunc(func(context.Context, io.Writer) error { return errors.New(secret) })
}

func TestEveryFailureIsAPage(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer Answer
		err    error
		status int
		want   []string
		logged bool
	}{
		"invalid": {err: &fault.Fault{Kind: fault.Invalid, Key: "web.appearance", Problems: []fault.Problem{
			{Record: "certificado 2534", Field: "produtos[3].marca", Code: "product.brand.required"}}}, status: 422,
			want: []string{"There is no such look.", "certificate 2534 · Products, line 4: Brand", "What needs attention"}},
		"not found":   {err: fault.New(fault.NotFound, "web.not_found"), status: 404, want: []string{"There is no page", "Check that the address"}},
		"conflict":    {err: fault.New(fault.Conflict, "web.appearance"), status: 409},
		"forbidden":   {err: fault.New(fault.Forbidden, "web.other_site").Because(errors.New(secret)), status: 403, logged: true},
		"too many":    {err: refusal.New(429, "web.timeout").With("Retry-After", "7"), status: 429, want: []string{"Too many requests"}},
		"unavailable": {err: fmt.Errorf("read: %w", fault.New(fault.Unavailable, "web.no_publication")), status: 503, want: []string{"no publication"}},
		"timeout":     {err: fmt.Errorf("search: %w", context.DeadlineExceeded), status: 503, want: []string{"longer than allowed"}},
		"internal":    {err: errors.New(secret), status: 500, want: []string{"could not answer", "Try again"}, logged: true},
		"drawing":     {answer: Page{View: brokenView{}}, status: 500, want: []string{"could not answer"}, logged: true},
	} {
		s, log := stage(Route{Method: "GET", Path: "/x", Power: Public, Handle: func(*Request) (Answer, error) { return tt.answer, tt.err }})
		got := ask(s, "GET", "/en/x")
		body := got.Body.String()
		if got.Code != tt.status || got.Header().Get("Cache-Control") != "no-store" || got.Header().Get("Etag") != "" {
			t.Errorf("%s gives %d %v", name, got.Code, got.Header())
		}
		if strings.Contains(body, secret) || !strings.Contains(body, `<html lang="en">`) || !strings.Contains(body, "What to do") || !strings.Contains(body, `content="noindex"`) {
			t.Errorf("%s: %s", name, body)
		}
		for _, want := range tt.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q: %s", name, want, body)
			}
		}
		id := number.FindStringSubmatch(body)
		if id == nil {
			t.Fatalf("%s shows no number", name)
		}
		if tt.logged && (!strings.Contains(log.String(), id[1]) || !strings.Contains(log.String(), secret)) {
			t.Errorf("%s: the log does not say why: %s", name, log)
		}
		if waits := got.Header().Get("Retry-After") != ""; waits != (tt.status == 503 || tt.status == 429) {
			t.Errorf("%s: Retry-After %q", name, got.Header().Get("Retry-After"))
		}
	}
}

func TestPanicIsAPage(t *testing.T) {
	t.Parallel()
	s, log := stage(Route{Method: "GET", Path: "/x", Power: Public, Handle: func(*Request) (Answer, error) { panic(secret) }})
	got := ask(s, "GET", "/x")
	if got.Code != 500 || strings.Contains(got.Body.String(), secret) || !strings.Contains(log.String(), secret) || !strings.Contains(log.String(), "errors_test.go") {
		t.Errorf("%d %s\n%s", got.Code, got.Body, log)
	}
	s, _ = stage(Route{Method: "GET", Path: "/x", Power: Public, Handle: func(*Request) (Answer, error) { panic(http.ErrAbortHandler) }})
	defer func() {
		if recover() != http.ErrAbortHandler { //nolint:errorlint // recover gives the very value
			t.Error("the server is not told to cut the connection")
		}
	}()
	ask(s, "GET", "/x")
}

func TestRouteFromCatalogNeedsAPublication(t *testing.T) {
	t.Parallel()
	s, _ := stage(Route{Method: "GET", Path: "/x", Power: Public, FromCatalog: true, Handle: func(*Request) (Answer, error) { panic("asked without a catalog") }})
	if got := ask(s, "GET", "/x"); got.Code != 503 || !strings.Contains(got.Body.String(), "Ainda não há uma publicação") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// TestCertificateAddresses holds that every number reaches its page, whatever
// it is made of, in every language, and that its link leads there.
func TestCertificateAddresses(t *testing.T) {
	t.Parallel()
	var got string
	note := func(tail string) func(*Request) (Answer, error) {
		return func(r *Request) (Answer, error) {
			got = strings.Join([]string{string(r.Lang), r.Value("organismo"), r.HTTP.PathValue("numero"), tail}, "|")
			return Content{Type: "text/plain", Body: []byte("x")}, nil
		}
	}
	s, _ := stage(Route{Method: "GET", Path: certificatePattern, Power: Public, Handle: note("")},
		Route{Method: "GET", Path: certificatePattern + "/qr", Power: Public, Handle: note("qr")},
		Route{Method: "GET", Path: "/", Power: Public, Handle: note("home")})
	for path, want := range map[string]string{
		"/certificados/CCB/2534":                         "pt|CCB|2534|",
		"/en/certificados/CCB/FB-BRIN-108%2F17.001":      "en|CCB|FB-BRIN-108/17.001|",
		"/es/certificados/CCB/FB-BRIN-108/17.001/qr":     "es|CCB|FB-BRIN-108/17.001|qr",
		"/certificados/CCB/a//b":                         "pt|CCB|a//b|",
		"/certificados/CCB/..%2F..%2Fetc":                "pt|CCB|../../etc|",
		"/certificados/CCB/X%2Fqr":                       "pt|CCB|X/qr|",
		"/certificados/CCB/T%C3%9CV%2019.0456%20X%3F%23": "pt|CCB|TÜV 19.0456 X?#|",
	} {
		got = ""
		if rec := ask(s, "GET", path); rec.Code != 200 || got != want {
			t.Errorf("%s gives %d %s, want %s", path, rec.Code, got, want)
		}
	}
	for _, path := range []string{"/certificados/", "/certificados/CCB", "/certificados/CCB/", "/certificados//1"} {
		if rec := ask(s, "GET", path); rec.Code == 200 {
			t.Errorf("%s gives %d", path, rec.Code)
		}
	}
	if rec := ask(s, "POST", "/certificados/CCB/2534"); rec.Code != 405 || rec.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST gives %d, Allow %q", rec.Code, rec.Header().Get("Allow"))
	}
	for _, n := range []string{"2534", "qr", "X/qr", "..", "a//b", "+ #?%2F", "é\x00"} {
		r := &Request{Lang: "en"}
		got = ""
		if ask(s, "GET", r.CertificateLink("CCB", n, "")); got != "en|CCB|"+n+"|" {
			t.Errorf("the link of %q leads to %q", n, got)
		}
	}
}
