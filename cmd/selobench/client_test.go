package main

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestClientCountsEveryAnswer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("palavra ", 4000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.EscapedPath() {
		case "/empty":
		case "/chunked%2Fpath":
			_, _ = w.Write([]byte(long[:100]))
			w.(http.Flusher).Flush()
			_, _ = w.Write([]byte(long[100:]))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	addr := server.Listener.Addr().String()
	a, err := askServer(t.Context(), asking{Addr: addr, Paths: []string{"/empty", "/chunked%2Fpath", "/empty"}, At: 2, Passes: 4})
	if err != nil {
		t.Fatal(err)
	}
	if a.Requests != 12 || a.Bytes != int64(4*len(long)) || a.P99 < a.P50 || a.P50 <= 0 || a.Seconds <= 0 {
		t.Errorf("%+v", a)
	}
	if _, err := askServer(t.Context(), asking{Addr: addr, Paths: []string{"/unknown"}, At: 1, Passes: 1}); err == nil {
		t.Error("a 404 was counted as an answer")
	}
}

func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"} {
		if _, err := readAnswer(bufio.NewReader(strings.NewReader(text))); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestQuantiles(t *testing.T) {
	t.Parallel()
	var took []time.Duration
	for i := range 100 {
		took = append(took, time.Duration(100-i)*time.Millisecond)
	}
	if p50, p99 := quantiles(took); p50 != 51 || p99 != 100 {
		t.Errorf("p50 %v, p99 %v", p50, p99)
	}
	if p50, p99 := quantiles(took[:1]); p50 != 1 || p99 != 1 {
		t.Errorf("of one: p50 %v, p99 %v", p50, p99)
	}
}

func TestBareExpressionAsksForTheSame(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"FB-BRIN-108/17": `"fb" AND "brin" AND "108" AND "17" *`,
		"Ação":           `"acao" *`,
		"x":              `"x"`,
		`" OR "`:         `"or" *`,
	} {
		if got := bareExpression(text); got != want {
			t.Errorf("bareExpression(%q) = %s, want %s", text, got, want)
		}
	}
}
