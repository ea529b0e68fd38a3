package main

import (
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// visited is a site of which a first visit fetches known amounts.
func visited(t *testing.T, sheet string) string {
	t.Helper()
	files := map[string]string{
		"/": `<html><head><link rel="stylesheet" href="/a.css"/><link rel="icon" href="/icon.svg"/><link rel="canonical" href="/elsewhere"/>
			<link rel="preload" href="/f.woff2" as="font"/><script src="/a.js" defer></script></head><body><img src="/p.svg" alt=""/><img alt="" src="/p.svg"/></body></html>`,
		"/a.css": sheet + strings.Repeat("/* air */", 1000), "/a.js": strings.Repeat("x", 70), "/icon.svg": strings.Repeat("i", 11), "/p.svg": strings.Repeat("p", 13),
		"/f.woff2": strings.Repeat("f", 500), "/bg.svg": strings.Repeat("b", 17),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.URL.Path != "/a.css" || r.Header.Get("Accept-Encoding") != "gzip" {
			_, _ = w.Write([]byte(body))
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(body))
		_ = z.Close()
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestWeightOfAFirstVisit(t *testing.T) {
	t.Parallel()
	const face = `@font-face { font-family: X; %src: url("/f.woff2") format("woff2") } `
	const rest = `body { background: url(/bg.svg); cursor: url('data:image/svg+xml,x') }`
	w, err := weigh(t.Context(), visited(t, strings.Replace(face, "%", "font-display:swap;", 1)+rest), "/")
	if err != nil {
		t.Fatal(err)
	}
	if w.Scripts != 70 || w.Pictures != 11+13+17 || w.Fonts != 500 || w.Requests != 7 || !w.Swap || w.Styles == 0 || w.Styles > 400 || w.Page < 250 || w.Headers < 7*50 {
		t.Errorf("%+v", w)
	}
	if w.Total != w.Page+w.Styles+w.Scripts+w.Pictures+w.Fonts+w.Headers {
		t.Errorf("the whole is not the sum of its parts: %+v", w)
	}
	if w, err = weigh(t.Context(), visited(t, strings.Replace(face, "%", "", 1)), "/"); err != nil || w.Swap {
		t.Errorf("text that waits for a font is taken for text that does not: %+v, %v", w, err)
	}
	if _, err = weigh(t.Context(), visited(t, `@font-face { src: url("/missing.woff2") }`), "/"); err == nil || !strings.Contains(err.Error(), "missing.woff2") {
		t.Errorf("a file that is not there weighs nothing: %v", err)
	}
}

func TestClientGoesOnAfterFailures(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Error("it does not take gzip")
		}
		switch r.URL.Path {
		case "/refused":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/cut":
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	a, err := askServer(t.Context(), asking{Addr: server.Listener.Addr().String(), Paths: []string{"/good", "/refused", "/good", "/cut", "/good"},
		At: 2, Passes: 4, Gzip: true, Count: true})
	if err != nil {
		t.Fatal(err)
	}
	if a.Requests != 12 || a.Failed != 8 || asked.Load() != 20 || a.Failure == "" {
		t.Errorf("%+v, %d asked", a, asked.Load())
	}
	both := a.and(answered{Requests: 1, Failed: 1, Failure: "later", P99: a.P99 + 1})
	if both.Requests != 13 || both.Failed != 9 || both.Failure != a.Failure || both.P99 != a.P99+1 {
		t.Errorf("%+v", both)
	}
}

// A newer publication is put there whole, and the time counts until it is shown.
func TestSwapIsTimedUntilTheNodeShowsIt(t *testing.T) {
	t.Parallel()
	at := base{Dir: t.TempDir()}
	folder := at.file("publico")
	for _, dir := range []string{at.file("catalogo"), folder} {
		if err := os.Mkdir(dir, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 2 {
		if err := os.WriteFile(at.snapshot(n+1), []byte("whole"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	second := filepath.Join(folder, "publicacao-000002.sqlite")
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		number := 1
		if data, err := os.ReadFile(second); err == nil && string(data) == "whole" {
			number = 2
		}
		_, _ = w.Write([]byte(`{"publicacao":` + strconv.Itoa(number) + `}`))
	}))
	defer node.Close()
	s := &server{addr: node.Listener.Addr().String()}
	took, err := swapTime(t.Context(), at, folder, s)
	if err != nil || took <= 0 || took > patience {
		t.Errorf("%v, %v", took, err)
	}
	if _, err := swapTime(t.Context(), at, folder, s); err == nil {
		t.Error("a node that shows the second publication already was timed")
	}
}

func TestEverythingIsAsked(t *testing.T) {
	t.Parallel()
	m := mix{Queries: []query{{Text: "a b"}, {Text: "ç"}}, Addresses: []string{"/api/v1/certificados/X/1%2F2"}}
	want := "/api/v1/certificados/X/1%2F2 /certificados/X/1%2F2 /api/v1/certificados?q=a+b /?q=a+b " +
		"/api/v1/certificados/X/1%2F2 /certificados/X/1%2F2 /api/v1/certificados?q=%C3%A7 /?q=%C3%A7"
	if got := strings.Join(m.everything(), " "); got != want {
		t.Errorf("asked are\n%s, want\n%s", got, want)
	}
}
