package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"selo/clock"
	"selo/govbr"
	"selo/govbr/govbrsim"
)

// TestSignInsAreReal brings people through the simulator's screens to their
// tokens, and no further than a code goes.
func TestSignInsAreReal(t *testing.T) {
	t.Parallel()
	var sim *govbrsim.Server
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sim.ServeHTTP(w, r) }))
	defer server.Close()
	var err error
	if sim, err = govbrsim.New(govbrsim.Options{URL: server.URL, Clock: clock.System{}}); err != nil {
		t.Fatal(err)
	}
	g := &gate{sim: server.URL, site: "http://127.0.0.1:1", transport: server.Client().Transport}
	if err := g.arrange(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(g.browsers) != people {
		t.Errorf("%d people are signed in", len(g.browsers))
	}
	a, err := measured(func(worker, n int) (bool, error) {
		if n == 2 {
			return false, nil
		}
		back, _, err := follow(t.Context(), g.browsers[worker], http.MethodGet, g.authorize(), nil)
		if err != nil {
			return false, err
		}
		code := back.Query().Get("code")
		if err := g.redeem(t.Context(), code); err != nil {
			return false, err
		}
		if g.redeem(t.Context(), code) == nil {
			t.Error("a code was good twice")
		}
		return true, nil
	})
	if err != nil || a.Requests != 2*connections || a.P99 <= 0 {
		t.Errorf("%+v, %v", a, err)
	}
	path, err := g.configure(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if cfg, err := govbr.ParseConfig(text, nil); err != nil || cfg.Redirect != g.site+signInReturn || cfg.Login.Secret.Reveal() != g.secret {
		t.Errorf("%v, %v", cfg.Redirect, err)
	}
}

// TestSignatureTime is about a millisecond, or is not known.
func TestSignatureTime(t *testing.T) {
	t.Parallel()
	took, err := signatureTime(0.1)
	if err != nil || took < 0 || took > 1 {
		t.Errorf("%v s, %v", took, err)
	}
}
