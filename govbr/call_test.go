package govbr

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"selo/fault"
)

// TestReadsAreTriedAgain until the attempts are used up; what is refused is not.
func TestReadsAreTriedAgain(t *testing.T) {
	t.Parallel()
	const route = "GET /api/confiabilidades/v3/contas/" + aCPF + "/niveis"
	f := newFake(t)
	f.on(route, func(w http.ResponseWriter, r *http.Request) {
		if f.count(route) < 3 {
			answerJSON(503, `{}`)(w, r)
			return
		}
		answerJSON(200, `[{"id":"3 (Ouro)","dataAtualizacao":"2025-08-19 16:41:24"}]`)(w, r)
	})
	level, err := f.client().Level(t.Context(), access())
	if err != nil || level != Gold || f.count(route) != 3 {
		t.Errorf("%v, %v after %d attempts", level, err, f.count(route))
	}
	f.on(route, answerJSON(503, `{}`))
	_, err = f.client().Level(t.Context(), access())
	wantFault(t, err, fault.Unavailable, "govbr.down")
	if n := f.count(route); n != 6 {
		t.Errorf("%d attempts", n-3)
	}
	f.on(route, answerJSON(404, `{}`))
	_, err = f.client().Level(t.Context(), access())
	wantFault(t, err, fault.NotFound, "govbr.not_found")
	if n := f.count(route); n != 7 {
		t.Errorf("%d attempts for a refusal", n-6)
	}
}

// failing is a transport that gives one error and counts.
type failing struct {
	err error
	n   int
}

func (f *failing) RoundTrip(*http.Request) (*http.Response, error) {
	f.n++
	return nil, f.err
}

// TestOnlyTheUnsentIsSentAgain: a code that may have arrived is not sent twice.
func TestOnlyTheUnsentIsSentAgain(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	refusing := httptest.NewServer(nil)
	refusing.Close() // nothing listens there any more: the dial fails
	cfg := f.config()
	cfg.Endpoints.SSO = refusing.URL
	opts := f.options()
	transport := newTransport(true)
	count := 0
	opts.HTTP = roundTrip(func(r *http.Request) (*http.Response, error) { count++; return transport.RoundTrip(r) })
	c, err := New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Finish(t.Context(), pending(), goodReturn())
	wantFault(t, err, fault.Unavailable, "govbr.unreachable")
	if count != 3 {
		t.Errorf("%d attempts without a connection", count)
	}
	broken := &failing{err: io.ErrUnexpectedEOF}
	opts.HTTP = broken
	if c, err = New(cfg, opts); err != nil {
		t.Fatal(err)
	}
	_, err = c.Finish(t.Context(), pending(), goodReturn())
	wantFault(t, err, fault.Unavailable, "govbr.unreachable")
	if broken.n != 1 {
		t.Errorf("%d attempts after the connection broke", broken.n)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestSlow gives up at the deadline of one attempt, before and inside an answer.
func TestSlow(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]bool{"no answer": false, "half an answer": true} {
		f := newFake(t)
		f.on("GET /userinfo/", func(w http.ResponseWriter, r *http.Request) {
			if begin {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"sub":`)
				_ = http.NewResponseController(w).Flush() // a recorder would not come here
			}
			<-r.Context().Done()
		})
		cfg, opts := f.config(), f.options()
		cfg.Timeout, opts.Attempts = Duration(50*time.Millisecond), 2
		transport, tried := newTransport(true), 0
		opts.HTTP = roundTrip(func(r *http.Request) (*http.Response, error) { tried++; return transport.RoundTrip(r) })
		c, err := New(cfg, opts)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.UserInfo(t.Context(), access())
		wantFault(t, err, fault.Unavailable, "govbr.timeout")
		if tried != 2 {
			t.Errorf("%s: %d attempts", name, tried)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		cancel(gone)
		if _, err = c.UserInfo(ctx, access()); !errors.Is(err, gone) || fault.Of(err) != nil {
			t.Errorf("%s: who goes away gets %v", name, err)
		}
	}
}

// TestBreaker leaves a service alone after failures in a row, lets one request
// try after the rest, and is not moved by refusals or by callers who go away.
func TestBreaker(t *testing.T) {
	t.Parallel()
	const route = "GET /userinfo/"
	f := newFake(t)
	opts := f.options()
	opts.Trip, opts.Rest, opts.Attempts = 3, 30*time.Second, 1
	c, err := New(f.config(), opts)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error { _, err := c.UserInfo(t.Context(), access()); return err }
	for range 5 {
		wantFault(t, ask(), fault.NotFound, "govbr.not_found")
	}
	f.on(route, answerJSON(500, `{}`))
	for range 3 {
		wantFault(t, ask(), fault.Unavailable, "govbr.down")
	}
	err = ask()
	wantFault(t, err, fault.Unavailable, "govbr.paused")
	if got := fault.Of(err).Args["segundos"]; got != "31" {
		t.Errorf("wait %s s", got)
	}
	if n := f.count(route); n != 8 {
		t.Errorf("asked %d times", n)
	}
	f.clock.Advance(31 * time.Second)
	wantFault(t, ask(), fault.Unavailable, "govbr.down") // the probe
	wantFault(t, ask(), fault.Unavailable, "govbr.paused")
	f.clock.Advance(31 * time.Second)
	f.on(route, answerJSON(200, golden(t, "userinfo.json")))
	for range 2 {
		if err := ask(); err != nil {
			t.Error(err)
		}
	}
}

func TestBreakerLetsOneTry(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	b := &breaker{clock: f.clock, trip: 1, rest: time.Second}
	if !b.leave(sick) {
		t.Error("it did not open")
	}
	f.clock.Advance(2 * time.Second)
	if _, ok := b.enter(); !ok {
		t.Fatal("no probe")
	}
	if _, ok := b.enter(); ok {
		t.Error("two probes")
	}
	b.leave(unknown) // the one who tried went away
	if _, ok := b.enter(); !ok {
		t.Error("nobody may try any more")
	}
	b.leave(healthy)
	for range 3 {
		if _, ok := b.enter(); !ok {
			t.Error("still closed")
		}
	}
}

// TestUnknownCertificate: a server that cannot prove who it is gets nothing.
func TestUnknownCertificate(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var asked atomic.Bool
	other := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Store(true) }))
	other.Config.ErrorLog = log.New(io.Discard, "", 0)
	other.StartTLS()
	t.Cleanup(other.Close)
	cfg := f.config()
	cfg.Endpoints.SSO = other.URL
	c, err := New(cfg, f.options())
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Finish(t.Context(), pending(), goodReturn())
	wantFault(t, err, fault.Unavailable, "govbr.tls")
	if asked.Load() {
		t.Error("it asked all the same")
	}
}

// TestGuard refuses to connect to addresses no service has, whatever a name leads to.
func TestGuard(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{"169.254.169.254:80": false, "127.0.0.1:80": false, "[::1]:443": false, "[::ffff:127.0.0.1]:443": false,
		"0.0.0.0:80": false, "[fe80::1]:80": false, "[::]:80": false, "224.0.0.1:80": false, "[::ffff:169.254.169.254]:80": false,
		"189.9.1.1:443": true, "10.1.2.3:443": true, "[2801:80::1]:443": true, "nome:443": false, "sem porta": false} {
		if err := guard(false)("tcp", address); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	if guard(true)("tcp", "127.0.0.1:80") != nil || guard(true)("tcp", "169.254.169.254:80") == nil {
		t.Error("local")
	}
	f := newFake(t)
	opts := f.options()
	opts.HTTP, opts.Attempts = newTransport(false), 1
	c, err := New(f.config(), opts)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.UserInfo(t.Context(), access())
	wantFault(t, err, fault.Unavailable, "govbr.unreachable")
	if f.count("GET /userinfo/") != 0 {
		t.Error("it connected to this machine")
	}
}

// TestPlain takes addresses and values out of errors.
func TestPlain(t *testing.T) {
	t.Parallel()
	err := plain(&url.Error{Op: "Get", URL: "https://x/contas/" + aCPF + "/niveis", Err: errors.New("broken")})
	clean(t, err.Error())
	_, parse := time.Parse(time.RFC3339, aCPF)
	clean(t, plain(parse).Error())
	if plain(nil) != nil {
		t.Error("an error of none")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	cases := []struct {
		status int
		body   string
		kind   fault.Kind
		key    string
	}{
		{401, `{"errors":[{"status":401,"code":"ACCESSTOKEN_MUSTBEVALID","title":"x"}]}`, fault.Forbidden, "govbr.token_refused"},
		{401, ``, fault.Forbidden, "govbr.token_refused"},
		{403, `{"errors":[{"status":403,"code":"ACCESSTOKEN_MUSTBEVALID"}]}`, fault.Forbidden, "govbr.token_refused"},
		{401, `{"errors":[{"status":401,"code":"ACCESSTOKEN_SCOPE_MUSTCONTAINSEXPECTEDSCOPE","title":"Escopo requerido não encontrado."}]}`, fault.Forbidden, "govbr.scope_missing"},
		{403, `{"errors":[{"status":403,"code":"REQUEST_X"}]}`, fault.Forbidden, "govbr.forbidden"},
		{403, `{"errors":[{"code":"<script>` + aCPF + `"}]}`, fault.Forbidden, "govbr.forbidden"},
		{400, `{"error":"400","erro_description":"` + aCPF + `"}`, fault.Invalid, "govbr.refused"},
		{404, `<html>`, fault.NotFound, "govbr.not_found"},
		{418, `[]`, fault.Unavailable, "govbr.strange"},
	}
	for _, tc := range cases {
		err := refused(serviceAPI, &answer{status: tc.status, body: []byte(tc.body)})
		wantFault(t, err, tc.kind, tc.key)
		if strings.Contains(err.Error(), "script") {
			t.Error(err)
		}
	}
}
