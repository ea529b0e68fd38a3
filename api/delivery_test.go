package api_test

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"

	"selo/api"
	"selo/certificate"
	"selo/courier"
	"selo/fault"
	"selo/registry"
	"selo/remessa"
	"selo/store/storetest"
)

func TestDeliveryIsIdempotent(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		w := newWorld(t, e, nil)
		data := w.bundle("CCB", first())
		deliver := func(header ...string) answer {
			return w.askBody("POST", "/api/v1/remessas", bytes.NewReader(data), header...)
		}
		for i, want := range []int{202, 200, 200} { // without a token: whoever carries the file
			a := deliver("Content-Type", "application/octet-stream")
			var d api.Delivery
			a.into(t, &d)
			if a.status != want || a.header.Get("Location") != "/api/v1/remessas/CCB/1" || d.State != registry.Received || d.Counts.Total() != 8 {
				t.Fatalf("delivery %d gives %d %v %s", i, a.status, a.header, a.body)
			}
		}
		if a := deliver("Authorization", w.token("CCB", "POST", "/api/v1/remessas")); a.status != 200 {
			t.Errorf("with the body's token: %d %s", a.status, a.body)
		}
		deliver("Authorization", w.token("WOS", "POST", "/api/v1/remessas")).problem(t, 403, "remessa.other_body")
		status, err := w.client("CCB").Result(w.ctx, 1)
		if err != nil || status.State != registry.Received || status.Result != nil {
			t.Errorf("before processing: %+v, %v", status, err)
		}
		if a := w.ask("GET", "/api/v1/remessas/CCB/1"); a.header.Get("Retry-After") == "" {
			t.Errorf("an unprocessed remessa does not say when to ask again: %v", a.header)
		}
		w.process("CCB")
		if a := deliver(); a.status != 200 || !bytes.Contains(a.body, []byte(`"confirmada"`)) {
			t.Errorf("after processing: %d %s", a.status, a.body)
		}
	})
}

func TestResultShowsTheBodyMore(t *testing.T) {
	t.Parallel()
	w := newWorldSQLite(t)
	records := first()
	records[0].Company.CNPJ = "12ABC34501DE36" // wrong check digit
	data := w.bundle("CCB", records)
	_, _, err := w.client("CCB").Deliver(w.ctx, bytes.NewReader(data), int64(len(data)), nil)
	w.must(err)
	w.process("CCB")
	a := w.ask("GET", "/api/v1/remessas/CCB/1")
	for _, secret := range []string{"senha", "motivos", "cnpj"} {
		if bytes.Contains(a.body, []byte(secret)) {
			t.Errorf("everybody sees %s: %s", secret, a.body)
		}
	}
	var public api.Delivery
	a.into(t, &public)
	if public.State != registry.Invalidated || public.ProcessedAt.IsZero() || public.Result != nil || a.header.Get("Retry-After") != "" {
		t.Errorf("everybody sees %+v", public)
	}
	status, err := w.client("CCB").Result(w.ctx, 1)
	w.must(err)
	if status.Result == nil || status.Result.Outcome != remessa.Invalidated || len(status.Result.Reasons) == 0 {
		t.Fatalf("the body sees %+v", status)
	}
	secret, err := remessa.SharedSecret(w.keys["CCB"].Agree, w.registry.Keys.Public().Agree)
	w.must(err)
	code, err := remessa.ParseCode(status.Result.Code)
	w.must(err)
	if outcome, ok := remessa.CheckCode(secret, "CCB", 1, w.digest["CCB"], code); !ok || outcome != remessa.Invalidated {
		t.Errorf("the code proves %q, %t", outcome, ok)
	}
}

func TestRefusedDeliveries(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	w := newWorld(t, storetest.NewSQLite(t), func(d *api.Deps) { d.MaxBundle, d.Temp = 5000, temp })
	send := func(body io.Reader, header ...string) answer {
		return w.askBody("POST", "/api/v1/remessas", body, header...)
	}
	send(strings.NewReader("not a zip")).problem(t, 422, "bundle.not_zip")
	send(strings.NewReader("")).problem(t, 422, "bundle.not_zip")
	send(strings.NewReader("a=b"), "Content-Type", "application/x-www-form-urlencoded").problem(t, 415, "api.media_type")
	send(strings.NewReader("{}"), "Content-Type", "application/json").problem(t, 415, "api.media_type")
	send(strings.NewReader(strings.Repeat("x", 5001))).problem(t, 413, "api.too_large")
	send(struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 5001))}).problem(t, 413, "api.too_large") // without a length
	data := w.bundle("CCB", first()[:1])
	w.keys["CCB"] = w.keys["WOS"]
	w.sequence["CCB"] = 0
	forged := w.bundle("CCB", first()[:1])
	send(bytes.NewReader(forged)).problem(t, 422, "signature.wrong")
	if a := send(bytes.NewReader(data)); a.status != 202 {
		t.Errorf("the right one gives %d %s", a.status, a.body)
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) != 0 {
		t.Errorf("files left behind: %v, %v", left, err)
	}
}

// TestInterruptedDelivery breaks the line in the middle, then delivers again.
func TestInterruptedDelivery(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	w := newWorld(t, storetest.NewSQLite(t), func(d *api.Deps) { d.Temp, d.Heavy = temp, 1 })
	u, err := url.Parse(w.server.URL)
	w.must(err)
	conn, err := net.Dial("tcp", u.Host)
	w.must(err)
	_, err = io.WriteString(conn, "POST /api/v1/remessas HTTP/1.1\r\nHost: selo.example\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
	w.must(err)
	begun := make([]byte, 25)
	_, err = io.ReadFull(conn, begun) // "HTTP/1.1 100 Continue\r\n\r\n": the delivery has its place
	if err != nil || !bytes.HasPrefix(begun, []byte("HTTP/1.1 100")) {
		t.Fatalf("got %q, %v", begun, err)
	}
	data := w.bundle("CCB", first())
	a := w.askBody("POST", "/api/v1/remessas", bytes.NewReader(data))
	a.problem(t, 503, "api.busy")
	if a.header.Get("Retry-After") == "" {
		t.Error("a busy server does not say when to come back")
	}
	// A body with its token is not kept out by strangers who take their time.
	known, err := courier.New(w.server.URL, "CCB", w.keys["CCB"], courier.Options{Clock: w.clock, Attempts: 1})
	w.must(err)
	if _, fresh, err := known.Deliver(w.ctx, bytes.NewReader(data), int64(len(data)), nil); err != nil || !fresh {
		t.Errorf("delivering beside a stranger: fresh %t, %v", fresh, err)
	}
	_, err = io.WriteString(conn, "half of it")
	w.must(err)
	w.must(conn.(*net.TCPConn).CloseWrite())
	rest, err := io.ReadAll(conn)
	if err != nil || !bytes.Contains(rest, []byte("api.interrupted")) {
		t.Errorf("the broken delivery ends with %q, %v", rest, err)
	}
	if a := w.askBody("POST", "/api/v1/remessas", bytes.NewReader(data)); a.status != 200 {
		t.Errorf("delivering again: %d %s", a.status, a.body)
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) != 0 {
		t.Errorf("files left behind: %v, %v", left, err)
	}
}

func TestReleaseAndBaseAndRegistry(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		w := newWorld(t, e, nil)
		w.send("CCB", first())
		c := w.client("CCB")
		info, err := c.Registry(w.ctx)
		w.must(err)
		if !info.Keys.Equal(w.registry.Keys.Public()) || info.Name != "Registro de teste" || info.Publication != nil {
			t.Errorf("the registry is %+v", info)
		}
		signed, number, err := c.Release(w.ctx)
		w.must(err)
		tables, err := remessa.OpenRelease(signed, info.Keys.Sign, "CCB")
		if err != nil || tables.Number != number || len(tables.Classes) != 1 {
			t.Errorf("release %d is %+v, %v", number, tables, err)
		}
		var base bytes.Buffer
		w.must(c.Base(w.ctx, &base))
		bundle, err := remessa.Open(bytes.NewReader(base.Bytes()), int64(base.Len()), remessa.Limits{})
		w.must(err)
		w.must(bundle.Verify(info.Keys.Sign))
		got := map[certificate.ID]bool{}
		w.must(bundle.Each(func(_ int64, canonical []byte) error {
			r, err := certificate.DecodeRevision(canonical)
			if err == nil {
				got[r.ID] = true
			}
			return err
		}))
		if bundle.Manifest.Body != "CCB" || bundle.Manifest.Sequence != 1 || len(got) != 8 || !got[slashed] {
			t.Errorf("base is %+v with %v", bundle.Manifest, got)
		}
		wrong, err := courier.New(w.server.URL, "CCB", w.keys["WOS"], courier.Options{Clock: w.clock})
		w.must(err)
		if err := wrong.Base(w.ctx, io.Discard); !fault.Is(err, fault.Forbidden) || fault.Of(err).Args["codigo"] != "token.signature" {
			t.Errorf("another's key gives %v", err)
		}
	})
}
