// Package cycletest_test drives certifiers and the registry together through
// random work, crashes, repetitions and late deliveries, and compares both
// bases with a model that was written from the manual, not from the code.
package cycletest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"selo/api"
	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/certifier"
	"selo/clock"
	"selo/courier"
	"selo/fault"
	"selo/ledger"
	"selo/registry"
	"selo/remessa"
	"selo/store"
	"selo/store/certifierstore"
	"selo/store/registrystore"
	"selo/store/storetest"
)

const ana certifier.Actor = "ana"

// failer is the part of testing.T and rapid.T that the world needs.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// world is one registry and the bodies that work with it.
type world struct {
	failer
	t        *testing.T
	ctx      context.Context
	engine   *storetest.Engine
	dir      string
	clock    *clock.Manual
	keys     remessa.Keys
	base     registrystore.Store
	registry *registry.Registry
	faults   *storetest.Failer
	crash    func() crash // what happens to the next act
	last     crashKind    // what happened to the last act of the registry
	handler  atomic.Pointer[api.Server]
	server   *httptest.Server // nil: everything in process
	heads    []ledger.Head    // of the ledger, every one that was ever seen
	bodies   []*body
	closers  []func()
}

// newWorld makes a registry on the engine and two enrolled bodies.
func newWorld(t *testing.T, f failer, e *storetest.Engine, overHTTP bool) *world {
	dir, err := os.MkdirTemp("", "ciclo (açúcar) ")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{failer: f, t: t, ctx: context.Background(), engine: e, dir: dir, faults: storetest.FailAt(0),
		clock: clock.NewManual(time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)), crash: func() crash { return crash{} }}
	w.closers = append(w.closers, func() { _ = os.RemoveAll(dir) })
	if w.keys, err = remessa.NewKeys(); err != nil {
		t.Fatal(err)
	}
	if overHTTP {
		w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.handler.Load().ServeHTTP(rw, r) }))
		w.closers = append(w.closers, w.server.Close)
	}
	w.open()
	w.must(w.base.Write(w.ctx, func(tx registry.Tx) error { return w.registry.PutReference(w.ctx, tx, lists(), "teste") }))
	for _, sigla := range []certificate.Sigla{"UM", "DOIS"} {
		w.bodies = append(w.bodies, newBody(w, sigla))
	}
	return w
}

func (w *world) close() {
	for _, b := range w.bodies {
		w.must(b.db.Close())
	}
	w.must(w.base.Close())
	for i := len(w.closers) - 1; i >= 0; i-- {
		w.closers[i]()
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected error: %+v", err)
	}
}

// open opens the registry's base, as a process that starts does.
func (w *world) open() {
	var err error
	w.base, err = registrystore.Open(w.ctx, w.engine.URL, w.engine.Options(store.Options{Clock: w.clock, Intercept: w.faults.Intercept}))
	w.must(err)
	w.registry = &registry.Registry{Store: w.base, Keys: w.keys, Origin: "selo.example/registro", Name: "Registro de teste"}
	if w.server != nil {
		w.registry.URL = w.server.URL
		w.handler.Store(api.New(api.Deps{Registry: w.registry, Catalog: &catalog.Holder{}, Clock: w.clock, Temp: w.dir, Log: slog.New(slog.DiscardHandler)}))
	}
}

// reopen drops every handle on the registry's base and starts again.
func (w *world) reopen() {
	w.must(w.base.Close())
	w.open()
}

// act does one act of the registry with whatever crash is planned for it. The
// act must be one that may be repeated.
func (w *world) act(f func() error) error {
	w.Helper()
	plan := w.crash()
	w.last = plan.kind
	switch plan.kind {
	case failingCall:
		w.faults.Reset(plan.call)
		err := f()
		fired := w.faults.Calls() >= plan.call
		w.faults.Reset(0)
		if !fired {
			return err
		}
		if err == nil {
			w.Fatalf("call %d failed and nobody was told", plan.call)
		}
		w.reopen()
		w.compareAll()
	case afterwards:
		if err := f(); err != nil {
			return err
		}
		w.reopen()
	case nothing, pulled:
	}
	return f()
}

// crash is what happens to an act.
type crash struct {
	kind crashKind
	call int // of failingCall: which database call
}

type crashKind int

const (
	nothing     crashKind = iota
	failingCall           // a database call fails, then the process starts again
	pulled                // the plug is pulled inside the transaction
	afterwards            // the process dies after the commit, and the person does it again
)

var errPulled = errors.New("the plug was pulled")

// body is one certification body with its own base.
type body struct {
	*world
	*state
	sigla  certificate.Sigla
	dir    string
	keys   remessa.Keys
	db     *certifierstore.DB
	faults *storetest.Failer
	out    certifier.Outbox
	there  *official
	copies []*backup
	given  int         // names that were ever given
	old    []*shipment // every remessa ever made, those withdrawn and forgotten too
}

func newBody(w *world, sigla certificate.Sigla) *body {
	w.Helper()
	b := &body{world: w, sigla: sigla, dir: filepath.Join(w.dir, string(sigla)), faults: storetest.FailAt(0),
		state: newState(), there: newOfficial()}
	w.must(os.MkdirAll(b.dir, 0o700))
	b.out = certifier.Outbox{Dir: filepath.Join(b.dir, "saída")}
	var err error
	b.keys, err = remessa.NewKeys()
	w.must(err)
	b.open()
	var signed string
	w.must(w.base.Write(w.ctx, func(tx registry.Tx) error {
		enrolment := remessa.Enrolment{Body: sigla, Name: "Organismo " + string(sigla), Email: "ocp@organismo.example", Keys: b.keys.Public()}
		if signed, err = w.registry.Enrol(w.ctx, tx, enrolment, "", "teste"); err != nil {
			return err
		}
		return w.registry.PutScope(w.ctx, tx, registry.Scope{Body: sigla, Class: classAlways, Period: certificate.Period{From: day("2010-01-01")}}, "teste")
	}))
	b.grant(true)
	b.release()
	w.must(b.db.Write(w.ctx, func(tx certifier.Tx) error {
		if err := certifier.SetBody(w.ctx, tx, ana, certifier.Body{Sigla: sigla, Name: "Organismo " + string(sigla)}); err != nil {
			return err
		}
		if _, err := certifier.Enrol(w.ctx, tx, ana, signed); err != nil {
			return err
		}
		_, err := certifier.ApplyRelease(w.ctx, tx, ana, b.there.releases[0].signed)
		return err
	}))
	b.tables, b.accredited = 1, true
	return b
}

func (b *body) path() string { return filepath.Join(b.dir, "base.db") }

func (b *body) open() {
	var err error
	b.db, err = certifierstore.Open(b.ctx, b.path(), store.Options{Clock: b.clock, Intercept: b.faults.Intercept})
	b.must(err)
}

// reopen drops every handle on the body's base and starts again, as the
// commands do: with the outbox and the base brought together.
func (b *body) reopen() {
	b.must(b.db.Close())
	b.open()
	b.must(b.db.Write(b.ctx, b.resume))
}

func (b *body) resume(tx certifier.Tx) error {
	_, err := certifier.Resume(b.ctx, tx, b.keys, b.out)
	return err
}

// act runs one transaction of the body with whatever crash is planned for it.
// again are the faults with which a repeated act may say that it was done.
func (b *body) act(op func(tx certifier.Tx) error, again ...string) error {
	b.Helper()
	plan := b.crash()
	switch plan.kind {
	case failingCall:
		b.faults.Reset(plan.call)
		err := b.db.Write(b.ctx, op)
		fired := b.faults.Calls() >= plan.call
		b.faults.Reset(0)
		if !fired {
			return err
		}
		if !errors.Is(err, storetest.ErrInjected) {
			b.Fatalf("call %d failed and the answer was %v", plan.call, err)
		}
		b.reopen()
		b.compare()
	case pulled:
		if err := b.pull(op); !errors.Is(err, errPulled) {
			return err
		}
		b.reopen()
		b.compare()
	case afterwards:
		if err := b.db.Write(b.ctx, op); err != nil {
			return err
		}
		b.reopen()
		err := b.db.Write(b.ctx, op)
		for _, key := range again {
			if fault.HasKey(err, key) {
				return nil
			}
		}
		return err
	case nothing:
	}
	return b.db.Write(b.ctx, op)
}

// pull does everything and dies before the commit.
func (b *body) pull(op func(tx certifier.Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if p != any(errPulled) {
				panic(p)
			}
			err = errPulled
		}
	}()
	return b.db.Write(b.ctx, func(tx certifier.Tx) error {
		if err := op(tx); err != nil {
			return err
		}
		panic(errPulled)
	})
}

// client is the body's way to the registry over HTTP.
func (b *body) client() *courier.Client {
	c, err := courier.New(b.server.URL, b.sigla, b.keys, courier.Options{Clock: b.clock, Attempts: 1, Pause: time.Millisecond})
	b.must(err)
	return c
}

// deliver hands a file to the registry on one of the two ways. The key is that
// of the registry's own fault.
func (b *body) deliver(file []byte) (fresh bool, key string, err error) {
	if b.server != nil {
		_, fresh, err = b.client().Deliver(b.ctx, bytes.NewReader(file), int64(len(file)), nil)
		if f := fault.Of(err); f != nil && f.Key == "registry.refused" {
			return false, fmt.Sprint(f.Args["codigo"]), err
		}
	} else {
		_, fresh, err = b.registry.Deliver(b.ctx, bytes.NewReader(file), int64(len(file)), b.sigla)
	}
	if f := fault.Of(err); f != nil {
		key = f.Key
	}
	return fresh, key, err
}

// result asks the registry how a remessa ended; nil while it waits.
func (b *body) result(sequence int64) (*remessa.Result, error) {
	if b.server != nil {
		status, err := b.client().Result(b.ctx, sequence)
		return status.Result, err
	}
	var res remessa.Result
	var done bool
	err := b.base.Read(b.ctx, func(tx registry.Tx) (err error) {
		res, done, err = b.registry.Result(b.ctx, tx, b.sigla, sequence)
		return err
	})
	if err != nil || !done {
		return nil, err
	}
	return &res, nil
}

func day(s string) brasil.Date {
	d, err := brasil.ParseISODate(s)
	if err != nil {
		panic(err)
	}
	return d
}

const (
	classAlways    certificate.ClassCode = "brinquedos"
	classSometimes certificate.ClassCode = "capacetes" // the accreditation comes and goes
)

// lists are the registry's reference lists.
func lists() certificate.Tables {
	offer := func(c certificate.ClassCode) certificate.Offer {
		return certificate.Offer{Class: c, Type: certificate.TypeCompulsory}
	}
	return certificate.Tables{
		Classes: []certificate.Class{{Code: classAlways, Name: "Brinquedos"}, {Code: classSometimes, Name: "Capacetes"}},
		Documents: []certificate.Document{{Code: "portaria", Title: "Portaria Inmetro nº 302/2021", Kind: "Portaria",
			Offers: []certificate.Offer{offer(classAlways), offer(classSometimes)}}},
		Types:     []certificate.CertificateType{{Code: certificate.TypeCompulsory, Name: "Portaria compulsório"}},
		Roles:     []certificate.Role{{Code: certificate.Applicant, Name: "Solicitante"}, {Code: certificate.Manufacturer, Name: "Fabricante"}},
		Countries: []certificate.Country{{Code: certificate.Brazil, Name: "Brasil"}},
	}
}
