package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"selo/api"
	"selo/catalog"
	"selo/certificate"
	"selo/clock"
	"selo/remessa"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// path fills a route's path with the scene's body.
func path(route api.RouteInfo) string {
	return strings.NewReplacer("{organismo}", "CCB", "{numero}", "2534", "{sequencia}", "1", "{publicacao}", "1").Replace(route.Path)
}

// TestEveryRouteStandsInTheTable compares the table with the document and with
// what the server answers: nothing is served that the table does not name, and
// each row answers.
func TestEveryRouteStandsInTheTable(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string                `json:"operationId"`
			Security    []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	w.ask("GET", "/api/openapi.json").into(t, &doc)
	documented := 0
	for _, item := range doc.Paths {
		documented += len(item)
	}
	routes := w.api.Routes()
	if documented != len(routes) {
		t.Errorf("the document has %d operations, the table %d", documented, len(routes))
	}
	seen := map[string]bool{}
	for _, route := range routes {
		op, ok := doc.Paths[route.Path][strings.ToLower(route.Method)]
		if !ok || op.OperationID != route.Operation || seen[route.Operation] {
			t.Errorf("%+v is not once in the document", route)
		}
		seen[route.Operation] = true
		if !slices.Contains([]api.Power{api.Public, api.Either, api.Own}, route.Power) {
			t.Errorf("%+v has no power", route)
		}
		if want := map[api.Power]int{api.Public: 0, api.Own: 1, api.Either: 2}[route.Power]; len(op.Security) != want {
			t.Errorf("%+v has the security %v in the document", route, op.Security)
		}
		if a := w.ask(route.Method, path(route)); a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed {
			t.Errorf("%+v answers %d %s", route, a.status, a.body)
		}
		if !api.Owns(path(route)) {
			t.Errorf("%s is not the API's own", route.Path)
		}
	}
	for _, target := range []string{"/", "/api/", "/api/v1", "/api/v1/certificados/", "/api/v2/certificados", "/docs", "/openapi.json", "/schemas/Problema.json", "/api/v1/organismos/CCB"} {
		w.ask("GET", target).problem(t, 404, "api.route")
	}
}

// TestTokens crosses every route that takes a token with every wrong one.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	stranger, err := remessa.NewKeys()
	w.must(err)
	sign := func(body certificate.Sigla, method, path string, at time.Time, keys remessa.Keys) string {
		signed, err := remessa.SignToken(body, method, path, at, keys)
		w.must(err)
		return "Bearer " + signed
	}
	protected := 0
	for _, route := range w.api.Routes() {
		if route.Power == api.Public {
			continue
		}
		protected++
		path, now := path(route), w.clock.Now()
		if a := w.ask(route.Method, path); route.Power == api.Own {
			a.problem(t, 401, "api.token.missing")
			if a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s does not say how to sign in", path)
			}
		}
		for name, c := range map[string]struct{ token, code string }{
			"other path":    {sign("CCB", route.Method, path+"x", now, w.keys["CCB"]), "token.other_request"},
			"other method":  {sign("CCB", "PUT", path, now, w.keys["CCB"]), "token.other_request"},
			"expired":       {sign("CCB", route.Method, path, now.Add(-6*time.Minute), w.keys["CCB"]), "token.expired"},
			"of the future": {sign("CCB", route.Method, path, now.Add(6*time.Minute), w.keys["CCB"]), "token.expired"},
			"other key":     {sign("CCB", route.Method, path, now, w.keys["WOS"]), "token.signature"},
			"stranger":      {sign("XYZ", route.Method, path, now, stranger), "token.body"},
			"no token":      {"Bearer", "token.malformed"},
			"other scheme":  {"Basic Q0NCOng=", "token.malformed"},
			"noise":         {"Bearer a.b.c", "token.malformed"},
			"long":          {"Bearer " + strings.Repeat("a", 5000), "token.malformed"},
		} {
			p := w.ask(route.Method, path, "Authorization", c.token).problem(t, 403, c.code)
			if t.Failed() {
				t.Fatalf("%s with the token %q: %+v", path, name, p)
			}
		}
		if strings.Contains(route.Path, "{organismo}") {
			w.ask(route.Method, path, "Authorization", w.token("WOS", route.Method, path)).problem(t, 403, "api.token.other_body")
			if a := w.ask(route.Method, path, "Authorization", w.token("CCB", route.Method, path)); a.status != 200 {
				t.Errorf("%s with the body's token gives %d %s", path, a.status, a.body)
			}
		}
	}
	if protected != 3 {
		t.Errorf("%d routes take a token, want 3", protected)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	a := w.ask("DELETE", "/api/v1/certificados/CCB/2534")
	a.problem(t, 405, "api.method")
	if a.header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("Allow is %q", a.header.Get("Allow"))
	}
	w.ask("GET", "/api/v1/remessas").problem(t, 405, "api.method")
	w.ask("POST", "/api/v1/registro").problem(t, 405, "api.method")
	w.ask("GET", "/api/v1/registro?"+strings.Repeat("x", 9000)).problem(t, 414, "api.uri_too_long")
	p := w.ask("GET", "/api/v1/certificados?limite=abc&situaçao=x&uf=SP").problem(t, 422, "api.parameters")
	if len(p.Errors) != 1 || p.Errors[0].Field != "situaçao" || p.Errors[0].Code != "api.parameter.unknown" {
		t.Errorf("got %+v", p.Errors)
	}
	for target, field := range map[string]string{
		"/api/v1/certificados?limite=abc":                     "limite",
		"/api/v1/certificados?limite=101":                     "limite",
		"/api/v1/certificados?situacao=morto":                 "situacao",
		"/api/v1/remessas/CCB/0":                              "sequencia",
		"/api/v1/remessas/CCB/x":                              "sequencia",
		"/api/v1/consistencia?de=-1":                          "de",
		"/api/v1/certificados?q=" + strings.Repeat("a", 1001): "q",
	} {
		p := w.ask("GET", target).problem(t, 422, "api.parameters")
		if len(p.Errors) != 1 || p.Errors[0].Field != field || p.Errors[0].Message == "" {
			t.Errorf("%s gives %+v", target, p.Errors)
		}
	}
	w.ask("GET", "/api/v1/verificacao").problem(t, 422, "verification.incomplete")
	w.ask("GET", "/api/v1/certificados?cnpj=123").problem(t, 422, "cnpj.length")
	w.ask("GET", "/api/v1/certificados?cursor=zzz").problem(t, 422, "search.cursor")
	w.ask("GET", "/api/v1/tabelas-auxiliares/NADA").problem(t, 404, "body.unknown")
	w.ask("GET", "/api/v1/remessas/CCB/7").problem(t, 404, "remessa.unknown")
}

func TestProblemsSpeakThreeLanguages(t *testing.T) {
	t.Parallel()
	w := newWorldSQLite(t)
	titles := map[string]string{}
	for header, want := range map[string]string{"": "pt-BR", "en": "en", "es-AR,es;q=0.9": "es", "fr, en;q=0.5, es;q=0.7": "es", "de": "pt-BR", "en;q=x": "pt-BR", "*": "pt-BR"} {
		a := w.ask("GET", "/api/v1/certificados", "Accept-Language", header)
		p := a.problem(t, 503, "api.no_publication")
		if got := a.header.Get("Content-Language"); got != want || a.header.Get("Retry-After") == "" {
			t.Errorf("%q gives %q, header %v", header, got, a.header)
		}
		titles[want] = p.Title
	}
	if len(titles) != 3 || titles["pt-BR"] == titles["en"] || titles["en"] == titles["es"] {
		t.Errorf("titles are %v", titles)
	}
}

func TestInternalErrorsAreLoggedAndNotShown(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	w.must(w.store.Close())
	a := w.ask("GET", "/api/v1/registro")
	if a.status < 500 || bytes.Contains(a.body, []byte("sql")) || bytes.Contains(a.body, []byte("closed")) {
		t.Errorf("got %d %s", a.status, a.body)
	}
	var p api.Problem
	a.into(t, &p)
	if p.Instance == "" || !strings.Contains(w.log.String(), p.Instance) {
		t.Errorf("the log does not know %s: %s", p.Instance, w.log)
	}
	if a := w.ask("GET", "/pronto"); a.status != 503 {
		t.Errorf("/pronto gives %d without a base", a.status)
	}
	if a := w.ask("GET", "/saude"); a.status != 200 {
		t.Errorf("/saude gives %d without a base", a.status)
	}
	if a := w.ask("GET", "/api/v1/certificados/CCB/2534"); a.status != 200 {
		t.Errorf("the public certificate needs the base: %d %s", a.status, a.body)
	}
	if a := w.ask("GET", "/metrics"); !bytes.Contains(a.body, []byte("selo_base_up 0")) {
		t.Errorf("measures do not tell that the base is gone")
	}
}

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	const target = "/api/v1/certificados/CCB/2534"
	a := w.ask("GET", target)
	tag, modified := a.header.Get("ETag"), a.header.Get("Last-Modified")
	if tag == "" || modified != "Tue, 10 Mar 2026 15:00:00 GMT" || !strings.HasPrefix(a.header.Get("Cache-Control"), "public") {
		t.Fatalf("headers are %v", a.header)
	}
	for _, header := range [][]string{{"If-None-Match", tag}, {"If-None-Match", `"x", W/` + tag}, {"If-None-Match", "*"},
		{"If-Modified-Since", modified}, {"If-None-Match", tag, "If-Modified-Since", "Mon, 09 Mar 2026 15:00:00 GMT"}} {
		if a := w.ask("GET", target, header...); a.status != 304 || len(a.body) != 0 || a.header.Get("ETag") != tag {
			t.Errorf("%v gives %d %s", header, a.status, a.body)
		}
	}
	for _, header := range [][]string{{"If-None-Match", `"x"`}, {"If-Modified-Since", "Tue, 10 Mar 2026 14:59:59 GMT"},
		{"If-Modified-Since", "yesterday"}, {"If-None-Match", `"x"`, "If-Modified-Since", modified}} {
		if a := w.ask("GET", target, header...); a.status != 200 {
			t.Errorf("%v gives %d", header, a.status)
		}
	}
	missing := w.ask("GET", "/api/v1/certificados/CCB/9999")
	missing.problem(t, 404, "certificate.not_found")
	if missing.header.Get("ETag") != "" || missing.header.Get("Last-Modified") != "" {
		t.Errorf("a refusal has validators: %v", missing.header)
	}
	w.clock.Advance(12*time.Hour + time.Minute) // past midnight in Brasília: certificates may have expired
	next := w.ask("GET", target, "If-None-Match", tag)
	if next.status != 200 || next.header.Get("Last-Modified") != "Wed, 11 Mar 2026 03:00:00 GMT" {
		t.Errorf("the next day gives %d %v", next.status, next.header)
	}
	head := w.ask("HEAD", target)
	if head.status != 200 || len(head.body) != 0 || head.header.Get("Content-Length") != fmt.Sprint(len(next.body)) {
		t.Errorf("HEAD gives %d %v", head.status, head.header)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	a := w.ask("GET", "/api/v1/certificados/CCB/2534", "Origin", "https://loja.example")
	for name, want := range map[string]string{"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff",
		"Content-Type": "application/json; charset=utf-8", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := w.ask("GET", "/api/v1/remessas/CCB/1", "Origin", "https://loja.example").header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("a route with tokens is open to other sites: %q", got)
	}
	for target, open := range map[string]bool{"/api/v1/certificados": true, "/api/v1/certificados/CCB/2534": true, "/api/v1/remessas": false, "/api/v1/organismos/CCB/base": false} {
		a := w.ask("OPTIONS", target, "Origin", "https://loja.example", "Access-Control-Request-Method", "GET")
		if a.status != 204 || (a.header.Get("Access-Control-Allow-Origin") == "*") != open || a.header.Get("Allow") == "" {
			t.Errorf("OPTIONS %s gives %d %v", target, a.status, a.header)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	w.ask("GET", "/api/v1/certificados/CCB/2534")
	w.ask("GET", "/nada/12345")
	w.ask("INVENTADO", "/nada")
	w.clock.Advance(time.Minute)
	text := string(w.ask("GET", "/metrics").body)
	for _, want := range []string{"selo_ledger_size 8", `selo_remessas{state="confirmada"} 1`, `selo_remessas{state="recebida"} 0`,
		"selo_publication_number 1", "selo_publication_age_seconds 60", "selo_snapshot_publication_number 1", "selo_jobs_waiting ", "selo_base_up 1",
		`selo_http_request_duration_seconds_count{method="GET",route="/api/v1/certificados/{organismo}/{numero}",status="200"} 1`,
		`selo_http_request_duration_seconds_count{method="GET",route="outra",status="404"} 1`,
		`selo_http_request_duration_seconds_count{method="outra",route="outra",status="404"} 1`} {
		if !strings.Contains(text, want) {
			t.Errorf("measures lack %s", want)
		}
	}
}

// TestNodeWithoutBase serves a snapshot only.
func TestNodeWithoutBase(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	w.api = api.New(api.Deps{Catalog: w.holder, Clock: w.clock, Temp: t.TempDir()})
	w.server.Config.Handler = w.api
	for _, target := range []string{"/saude", "/pronto", "/metrics", "/api/openapi.json", "/api/v1/certificados?q=capacetes", "/api/v1/certificados/CCB/2534"} {
		if a := w.ask("GET", target); a.status != 200 {
			t.Errorf("%s gives %d %s", target, a.status, a.body)
		}
	}
	for _, target := range []string{"/api/v1/certificados/CCB/2534/prova", "/api/v1/certificados/CCB/2534?em=2026-03-10", "/api/v1/registro",
		"/api/v1/remessas/CCB/1", "/api/v1/tabelas-auxiliares/CCB", "/api/v1/consistencia?de=1"} {
		w.ask("GET", target).problem(t, 404, "api.not_here")
	}
	w.ask("POST", "/api/v1/remessas").problem(t, 404, "api.not_here")
	w.ask("GET", "/api/v1/organismos/CCB/base", "Authorization", w.token("CCB", "GET", "/api/v1/organismos/CCB/base")).problem(t, 404, "api.not_here")
}

// TestDocument compares the document with its golden, resolves every reference
// and finds what has no words.
func TestDocument(t *testing.T) {
	t.Parallel()
	server := api.New(api.Deps{Catalog: &catalog.Holder{}, Clock: clock.System{}, Version: "1.2.3", URL: "https://selo.example"})
	raw := documentOf(t, server)
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	pretty, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	pretty = append(pretty, '\n')
	const golden = "testdata/openapi.json"
	if *update {
		if err := os.WriteFile(golden, pretty, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pretty, want) {
		t.Errorf("the document differs from %s: go test ./api -run TestDocument -update, then read the difference", golden)
	}
	root := doc.(map[string]any)
	if version := root["openapi"].(string); !strings.HasPrefix(version, "3.1") {
		t.Errorf("version is %s", version)
	}
	named := map[string]bool{"Location": true} // the header of a delivery's answer
	walk(doc, "#", func(at string, node map[string]any) {
		if ref, ok := node["$ref"].(string); ok && !resolves(root, ref) {
			t.Errorf("%s: %s leads nowhere", at, ref)
		}
		if _, ok := node["operationId"]; ok && (node["summary"] == nil || node["description"] == nil || node["responses"] == nil || node["tags"] == nil) {
			t.Errorf("%s: an operation lacks words", at)
		}
		if in, ok := node["in"].(string); ok && node["name"] != nil {
			named[node["name"].(string)] = true
			if node["description"] == nil || node["schema"] == nil {
				t.Errorf("%s: parameter %s in %s lacks words", at, node["name"], in)
			}
		}
		properties, ok := node["properties"].(map[string]any)
		if !ok {
			return
		}
		for name, property := range properties {
			named[name] = true
			if p := property.(map[string]any); p["description"] == nil && p["$ref"] == nil {
				t.Errorf("%s: property %s lacks words", at, name)
			}
		}
	})
	var words map[string]string
	data, err := os.ReadFile("glossario.json")
	if err == nil {
		err = json.Unmarshal(data, &words)
	}
	if err != nil {
		t.Fatal(err)
	}
	for word := range words {
		if !named[word[strings.LastIndexByte(word, '.')+1:]] {
			t.Errorf("glossario.json: nothing is called %s", word)
		}
	}
}

func walk(node any, at string, visit func(at string, node map[string]any)) {
	switch node := node.(type) {
	case map[string]any:
		visit(at, node)
		for name, child := range node {
			walk(child, at+"/"+name, visit)
		}
	case []any:
		for i, child := range node {
			walk(child, fmt.Sprint(at, "/", i), visit)
		}
	}
}

func resolves(root map[string]any, ref string) bool {
	rest, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return false
	}
	var node any = root
	for part := range strings.SplitSeq(rest, "/") {
		m, ok := node.(map[string]any)
		if !ok || m[part] == nil {
			return false
		}
		node = m[part]
	}
	return true
}
