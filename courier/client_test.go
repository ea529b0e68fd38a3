package courier_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"selo/certificate"
	"selo/clock"
	"selo/courier"
	"selo/fault"
	"selo/registry"
	"selo/remessa"
)

var noon = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)

// newClient returns a client of a server that runs handler, quick to try again.
func newClient(t *testing.T, handler http.HandlerFunc, change func(*courier.Options)) (*courier.Client, remessa.Keys) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	keys, err := remessa.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	opts := courier.Options{Clock: clock.NewManual(noon), Pause: time.Millisecond, HTTP: server.Client().Transport}
	if change != nil {
		change(&opts)
	}
	c, err := courier.New(server.URL+"/", "CCB", keys, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c, keys
}

func TestNewRefusesWhatIsNoAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "selo.example", "ftp://selo.example", "http://", "https://selo.example/?a=1", "https://u:p@selo.example", "http://[", "https://selo.example/#x"} {
		if _, err := courier.New(address, "CCB", remessa.Keys{}, courier.Options{}); !fault.HasKey(err, "courier.url") {
			t.Errorf("New(%q) gives %v", address, err)
		}
	}
	for _, address := range []string{"http://127.0.0.1:8080", "https://selo.example/", " https://selo.example/base/ "} {
		if _, err := courier.New(address, "CCB", remessa.Keys{}, courier.Options{}); err != nil {
			t.Errorf("New(%q) gives %v", address, err)
		}
	}
}

func TestDeliverTriesAgainWithTheWholeFile(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("remessa "), 100_000)
	var attempts atomic.Int32
	var public ed25519.PublicKey
	c, keys := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(got, content) || r.ContentLength != int64(len(content)) {
			t.Errorf("attempt brought %d bytes of %d, %v", len(got), len(content), err)
		}
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		body, err := remessa.CheckToken(token, "POST", "/api/v1/remessas", noon,
			func(certificate.Sigla) (ed25519.PublicKey, error) { return public, nil })
		if err != nil || body != "CCB" {
			t.Errorf("token of %q: %v", body, err)
		}
		switch attempts.Add(1) {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 2:
			panic(http.ErrAbortHandler) // the line breaks
		default:
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"organismo":"CCB","sequencia":42,"estado":"recebida"}`)
		}
	}, nil)
	public = keys.Public().Sign
	var mu sync.Mutex
	var last int64
	status, fresh, err := c.Deliver(t.Context(), bytes.NewReader(content), int64(len(content)), func(sent, total int64) {
		mu.Lock()
		defer mu.Unlock()
		if total != int64(len(content)) || sent > total {
			t.Errorf("progress %d of %d", sent, total)
		}
		last = sent
	})
	if err != nil || !fresh || status.Sequence != 42 || status.State != registry.Received {
		t.Fatalf("got %+v, %t, %v", status, fresh, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if last != int64(len(content)) || attempts.Load() != 3 {
		t.Errorf("progress ended at %d after %d attempts", last, attempts.Load())
	}
}

func TestRefusalKeepsTheRegistrysWords(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	c, _ := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"title":"Não é possível agora","detail":"A remessa 41 ainda espera.","codigo":"remessa.outstanding",
			"acao":"Aguarde.","instance":"urn:uuid:1","erros":[{"registro":"certificado 2534","campo":"numero","codigo":"x.y","mensagem":"Falta.","acao":"Preencha."}]}`)
	}, nil)
	_, _, err := c.Deliver(t.Context(), strings.NewReader("x"), 1, nil)
	f := fault.Of(err)
	if f == nil || f.Kind != fault.Conflict || f.Key != "registry.refused" {
		t.Fatalf("got %v", err)
	}
	for name, want := range map[string]string{"titulo": "Não é possível agora", "detalhe": "A remessa 41 ainda espera.",
		"codigo": "remessa.outstanding", "acao": "Aguarde.", "ocorrencia": "urn:uuid:1"} {
		if f.Args[name] != want {
			t.Errorf("%s is %q, want %q", name, f.Args[name], want)
		}
	}
	if len(f.Problems) != 1 || f.Problems[0].Record != "certificado 2534" || f.Problems[0].Args["mensagem"] != "Falta." {
		t.Errorf("problems are %v", f.Problems)
	}
	if asked.Load() != 1 {
		t.Errorf("a refusal was asked for %d times", asked.Load())
	}
}

func TestKindsOfRefusals(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]fault.Kind{401: fault.Forbidden, 403: fault.Forbidden, 404: fault.NotFound, 413: fault.Invalid,
		415: fault.Invalid, 422: fault.Invalid, 429: fault.Unavailable, 503: fault.Unavailable, 500: fault.Unavailable} {
		c, _ := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"title":"T","detail":"D","codigo":"a.b"}`)
		}, func(o *courier.Options) { o.Attempts = 2 })
		if _, err := c.Result(t.Context(), 1); !fault.Is(err, want) || !fault.HasKey(err, "registry.refused") {
			t.Errorf("status %d gives %v", status, err)
		}
	}
}

func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"a proxy's page": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusForbidden) },
		"a page":         func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>hello") },
		"a redirect":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) },
		"another result": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"organismo":"WOS","sequencia":1}`)
		},
	} {
		c, _ := newClient(t, handler, nil)
		if _, err := c.Result(t.Context(), 1); !fault.HasKey(err, "registry.strange") {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.URL
	server.Close()
	c, err := courier.New(address, "CCB", remessa.Keys{}, courier.Options{Pause: time.Millisecond, Attempts: 3})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Registry(t.Context())
	if f := fault.Of(err); f == nil || f.Kind != fault.Unavailable || f.Key != "registry.unreachable" || !strings.Contains(address, f.Args["servidor"]) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Registry(ctx); !errors.Is(err, context.Canceled) || fault.Of(err) != nil {
		t.Errorf("a cancelled request gives %v", err)
	}
}

func TestUntrustedCertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake is meant to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	c, err := courier.New(server.URL, "CCB", remessa.Keys{}, courier.Options{Pause: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Registry(t.Context()); !fault.HasKey(err, "registry.certificate") {
		t.Errorf("got %v", err)
	}
}

func TestStalledAnswerEnds(t *testing.T) {
	t.Parallel()
	free := make(chan struct{})
	t.Cleanup(func() { close(free) })
	c, _ := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "the beginning")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-free:
		case <-r.Context().Done():
		}
	}, func(o *courier.Options) { o.Stall, o.Timeout, o.Attempts = 50*time.Millisecond, 50*time.Millisecond, 2 })
	if _, err := c.Registry(t.Context()); !fault.HasKey(err, "registry.unreachable") {
		t.Errorf("a stalled answer gives %v", err)
	}
	var out bytes.Buffer
	if err := c.Base(t.Context(), &out); !fault.HasKey(err, "registry.unreachable") {
		t.Errorf("a stalled base gives %v", err)
	}
	if out.String() != "the beginning" {
		t.Errorf("the base was begun again after %q", out.String())
	}
}

func TestBase(t *testing.T) {
	t.Parallel()
	var attempts atomic.Int32
	answer := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/organismos/CCB/base" || r.Header.Get("Authorization") == "" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		if attempts.Add(1) == 1 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "0123456789")
	}
	c, _ := newClient(t, answer, nil)
	var out bytes.Buffer
	if err := c.Base(t.Context(), &out); err != nil || out.String() != "0123456789" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	small, _ := newClient(t, answer, func(o *courier.Options) { o.MaxBase = 9 })
	if err := small.Base(t.Context(), io.Discard); !fault.HasKey(err, "courier.base_too_large") {
		t.Errorf("a base above the limit gives %v", err)
	}
	failure := errors.New("disk full")
	if err := c.Base(t.Context(), brokenWriter{failure}); !errors.Is(err, failure) || fault.Of(err) != nil {
		t.Errorf("a full disk gives %v", err)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }
