package registry_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"selo/certificate"
	"selo/fault"
	"selo/job"
	"selo/registry"
	"selo/remessa"
	"selo/store"
	"selo/store/registrystore"
	"selo/store/storetest"
)

// A remessa of more companies than are remembered between batches is no reason
// to forget those that its certificates name.
func TestManyCompaniesInOneRemessa(t *testing.T) {
	t.Parallel()
	r := openSQLite(t)
	s := newSender(t, r, "TEST")
	first := newSet("1")
	revisions := []*certificate.Revision{s.next(first.maker), s.next(first.applicant)}
	for i := range 20_600 {
		revisions = append(revisions, s.next(certificate.Revision{ID: certificate.NewID(), Company: &certificate.Company{
			Country: "CN", Person: certificate.Legal, Name: fmt.Sprintf("Fábrica %d", i)}}))
	}
	second := newSet("2")
	second.certificate.Certificate.Companies = first.certificate.Certificate.Companies
	second.certificate.Certificate.Products[0].Company = first.applicant.ID
	revisions = append(revisions, s.next(first.product), s.next(second.product), s.next(first.certificate), s.next(second.certificate))
	if rem := s.send(revisions...); rem.State != registry.Confirmed {
		t.Errorf("remessa is %s: %+v", rem.State, rem.Reasons)
	}
}

func openSQLite(t *testing.T) (r *registry.Registry) {
	t.Helper()
	dir := t.TempDir()
	base, err := registrystore.Open(context.Background(), "sqlite:"+dir+"/registro.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = base.Close() }) // the folder goes with it
	keys, err := remessa.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	return &registry.Registry{Store: base, Keys: keys, Origin: "selo.example/registro", Name: "Registro de teste"}
}

// Whatever a bundle holds where IDs belong, the remessa comes to an end.
func TestIDsThatNoBaseTakes(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		r, _ := newRegistry(t, e, nil)
		s := newSender(t, r, "TEST")
		own, linked := newSet("1"), newSet("2")
		own.product.ID = "\x00"
		linked.certificate.Certificate.Companies[0].Company = "a\x00b"
		linked.certificate.Certificate.Products[0].Product = "\x00"
		rem := s.send(merge([]*certificate.Revision{s.next(linked.maker)},
			[]*certificate.Revision{s.next(own.product), s.next(linked.certificate)})...)
		if rem.State != registry.Invalidated {
			t.Fatalf("remessa is %s", rem.State)
		}
		named := map[string]bool{}
		for _, p := range rem.Reasons {
			named[p.Field] = named[p.Field] || p.Code == "revision.id"
		}
		for _, field := range []string{"id", "empresas[0].empresa", "produtos[0].produto"} {
			if !named[field] {
				t.Errorf("no reason names %s: %+v", field, rem.Reasons)
			}
		}
	})
}

// A body that nobody enrolled is unknown, however its name is written.
func TestNamesThatNoBaseTakes(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx := context.Background()
		r, _ := newRegistry(t, e, nil)
		for _, sigla := range []certificate.Sigla{"\x00", "A\x00B", "\xff"} {
			err := r.Store.Read(ctx, func(tx registry.Tx) error { _, err := tx.Body(ctx, sigla); return err })
			if !fault.HasKey(err, "body.unknown") {
				t.Errorf("Body(%q): %v", sigla, err)
			}
		}
	})
}

// When the job of a remessa was given up, sending the file again is the way on.
func TestDeliveringAgainProcessesAgain(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx := context.Background()
		r, _ := newRegistry(t, e, nil)
		s := newSender(t, r, "TEST")
		file := s.bundle(nil, s.chained(newSet("1"))...)
		if _, err := s.deliver(file); err != nil {
			t.Fatal(err)
		}
		db := r.Store.(registrystore.Store).DB
		broken := job.NewRunner(db, job.Options{Handlers: map[string]job.Handler{
			registry.ProcessKind: func(context.Context, *job.Run) error { return fmt.Errorf("disk gone: %w", job.ErrGiveUp) }}})
		if n, err := broken.RunUntilIdle(ctx); n != 1 || err != nil {
			t.Fatalf("ran %d jobs, %v", n, err)
		}
		for range 2 {
			if _, fresh, err := r.Deliver(ctx, bytes.NewReader(file), int64(len(file)), "TEST"); fresh || err != nil {
				t.Fatalf("delivered again: fresh=%v, %v", fresh, err)
			}
		}
		drain(t, r)
		if rem, err := s.find(1); err != nil || rem.State != registry.Confirmed {
			t.Errorf("remessa is %s, %v", rem.State, err)
		}
	})
}

// What the registry has it does not deny, or the body would take it back.
func TestInactiveBodyAsksForWhatItDelivered(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx := context.Background()
		r, _ := newRegistry(t, e, nil)
		s := newSender(t, r, "TEST")
		file := s.bundle(nil, s.chained(newSet("1"))...)
		if _, err := s.deliver(file); err != nil {
			t.Fatal(err)
		}
		err := r.Store.Write(ctx, func(tx registry.Tx) error { return r.SetBodyActive(ctx, tx, "TEST", false, "teste") })
		if err != nil {
			t.Fatal(err)
		}
		if rem, err := s.deliver(file); err != nil || rem.State != registry.Received {
			t.Errorf("delivered again: %+v, %v", rem, err)
		}
	})
}
