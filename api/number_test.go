package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"selo/catalog"
	"selo/clock"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for escaped, want := range map[string]address{
		"CCB/2534":                     {"CCB", "2534", false},
		"CCB/2534/":                    {"CCB", "2534", false},
		"CCB/2534/prova":               {"CCB", "2534", true},
		"CCB/2534/prova/":              {"CCB", "2534", true},
		"CCB/prova":                    {"CCB", "prova", false},
		"CCB/prova/prova":              {"CCB", "prova", true},
		"CCB/X%2Fprova":                {"CCB", "X/prova", false},
		"CCB/X/%70rova":                {"CCB", "X/prova", false},
		"CCB/FB-BRIN-108%2F17.001":     {"CCB", "FB-BRIN-108/17.001", false},
		"CCB/FB-BRIN-108/17.001/prova": {"CCB", "FB-BRIN-108/17.001", true},
		"CCB/T%C3%9CV%2019.0456%20X":   {"CCB", "TÜV 19.0456 X", false},
		"CCB/a+b":                      {"CCB", "a+b", false},
		"CCB/a//b":                     {"CCB", "a//b", false},
		"CCB/../../etc":                {"CCB", "../../etc", false},
		"CCB//":                        {"CCB", "/", false},
		"CCB/%2E%2E":                   {"CCB", "..", false},
		"C%43B/%23%3F":                 {"CCB", "#?", false},
	} {
		if got, ok := parseAddress(escaped); !ok || got != want {
			t.Errorf("%s gives %+v, %t", escaped, got, ok)
		}
	}
	for _, escaped := range []string{"", "CCB", "CCB/", "/2534", "CCB/%", "CCB/%zz", "%zz/1", "CCB/%FF", "%FF/1", "CCB/" + strings.Repeat("1", maxNumber+1)} {
		if got, ok := parseAddress(escaped); ok {
			t.Errorf("%s gives %+v", escaped, got)
		}
	}
}

// FuzzAddress holds that every body and number has an address that leads back
// to them, and that no path whatever makes the server fail.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"2534", "FB-BRIN-108/17.001", "prova", "X/prova", "a//b", "..", "%2F", "+ #?", "é", "/", "\x00"} {
		f.Add("CCB", seed, false)
		f.Add("CCB", seed, true)
	}
	server := New(Deps{Catalog: &catalog.Holder{}, Clock: clock.System{}})
	f.Fuzz(func(t *testing.T, body, number string, proof bool) {
		if _, ok := parseAddress(body + "/" + number); ok && len(number) > 3*maxNumber+10 {
			t.Errorf("a path of %d bytes is an address", len(number))
		}
		a := address{Body: body, Number: number, Proof: proof}
		valid := body != "" && number != "" && len(number) <= maxNumber && utf8.ValidString(body) && utf8.ValidString(number)
		path := a.path()
		got, ok := parseAddress(strings.TrimPrefix(path, certificatesPath))
		if valid && (!ok || got != a) {
			t.Fatalf("%q gives %+v, %t, want %+v", path, got, ok, a)
		}
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return // what no request can ask
		}
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, &http.Request{Method: "GET", URL: u, RequestURI: path, Header: http.Header{}})
		if rec.Code != 404 && rec.Code != 503 && rec.Code != 414 {
			t.Errorf("%q gives %d", path, rec.Code)
		}
	})
}
