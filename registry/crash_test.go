package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"selo/catalog"
	"selo/certificate"
	"selo/job"
	"selo/ledger"
	"selo/ledger/ledgertest"
	"selo/notify"
	"selo/registry"
	"selo/store"
	"selo/store/registrystore"
	"selo/store/storetest"

	"golang.org/x/mod/sumdb/tlog"
)

// Each database call of delivery, processing and publication fails once; what
// was stopped is done again; in the end everything is there exactly once.
func TestEveryDatabaseCallMayFail(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx := context.Background()
		failer := storetest.FailAt(0)
		r, _ := newRegistry(t, e, failer.Intercept)
		s := newSender(t, r, "TEST")
		round, calls := 0, 1
		for failing := 1; failing <= calls; failing++ {
			round++
			revisions := s.chained(newSet(fmt.Sprint(round)))
			file := s.bundle(nil, revisions...)
			sequence := s.sequence + 1
			failer.Reset(failing)
			steps := []func() error{
				func() error { _, err := s.deliver(file); return err },
				func() error {
					return r.Process(ctx, registry.ProcessArgs{Body: s.sigla, Sequence: sequence}, func(registry.Tx) error { return nil })
				},
				func() error {
					return r.Store.Write(ctx, func(tx registry.Tx) error { _, _, err := r.Publish(ctx, tx, "test"); return err })
				},
			}
			for i, step := range steps {
				if step() != nil {
					if err := step(); err != nil {
						t.Fatalf("call %d, step %d again: %v", failing, i, err)
					}
				}
			}
			calls = max(calls, failer.Calls())
			failer.Reset(0)
			s.settle(sequence, revisions)
			if want := (state{records: 4 * int64(round), ledger: 4 * int64(round), sequence: int64(round)}); s.state() != want {
				t.Fatalf("call %d: %+v, want %+v", failing, s.state(), want)
			}
		}
		if calls < 30 {
			t.Fatalf("only %d calls were made to fail", calls)
		}
		checkLedger(t, r)
	})
}

// settle moves the sender on after a remessa that must have been confirmed.
func (s *sender) settle(sequence int64, revisions []*certificate.Revision) {
	s.tb.Helper()
	rem, err := s.find(sequence)
	if err != nil || rem.State != registry.Confirmed {
		s.tb.Fatalf("remessa %d: %s %v %v", sequence, rem.State, rem.Reasons, err)
	}
	s.sequence, s.digest = rem.Sequence, rem.Digest
	for _, rev := range revisions {
		canonical, err := rev.Encode()
		if err != nil {
			s.tb.Fatal(err)
		}
		s.heads[rev.ID] = link{rev.Number, certificate.HashOf(canonical)}
	}
}

// checkLedger recomputes the root from the contents with the suite's own RFC 6962.
func checkLedger(tb testing.TB, r *registry.Registry) {
	tb.Helper()
	ctx := context.Background()
	var head ledger.Head
	err := r.Store.Read(ctx, func(tx registry.Tx) (err error) {
		head, err = tx.LedgerHead(ctx)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	source := registrystore.Source{Store: r.Store.(registrystore.Store)}
	leaves := collectLeaves(tb, source, head.Size)
	if root := ledgertest.Root(leaves); root != head.Root {
		tb.Errorf("root of %d entries is %x, stored %x", head.Size, root, head.Root)
	}
}

func handlers(r *registry.Registry) map[string]job.Handler {
	return map[string]job.Handler{
		registry.ProcessKind: func(ctx context.Context, run *job.Run) error {
			var args registry.ProcessArgs
			if err := json.Unmarshal(run.Job.Args, &args); err != nil {
				return err
			}
			return r.Process(ctx, args, func(tx registry.Tx) error { return run.Complete(ctx, tx) })
		},
		notify.Kind: func(context.Context, *job.Run) error { return nil },
	}
}

// Two processes on one base take in and process the remessas of several bodies
// at once: none is lost or done twice.
func TestTwoProcessesOnOneBase(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		const bodies, remessas = 5, 6
		one, now := newRegistry(t, e, nil)
		second := e.OpenWith(t, store.Options{Clock: now, Migrations: []store.MigrationSet{registrystore.Migrations()}})
		two := &registry.Registry{Store: registrystore.Store{DB: second}, Keys: one.Keys, Origin: one.Origin, Name: one.Name}
		nodes := []*registry.Registry{one, two}
		senders := make([]*sender, bodies)
		for i := range senders {
			senders[i] = newSender(t, one, certificate.Sigla(fmt.Sprintf("T%d", i)))
		}
		for n := range remessas {
			var wg sync.WaitGroup
			sent := make([][]*certificate.Revision, bodies)
			for i, s := range senders {
				sent[i] = s.chained(newSet(fmt.Sprint(n)))
				file := s.bundle(nil, sent[i]...)
				// Every bundle arrives at both processes at the same time.
				for _, node := range nodes {
					wg.Go(func() { deliverTo(t, node, file) })
				}
			}
			wg.Wait()
			for _, node := range nodes {
				wg.Go(func() { drain(t, node) })
			}
			wg.Wait()
			for _, s := range senders {
				if rem, err := s.find(int64(n + 1)); err == nil && rem.State == registry.Received {
					drain(t, one) // the other process still held it when the first looked
				}
			}
			for i, s := range senders {
				s.settle(int64(n+1), sent[i])
			}
		}
		head := senders[0].state().ledger
		if want := int64(4 * bodies * remessas); head != want {
			t.Errorf("ledger holds %d entries, want %d", head, want)
		}
		checkLedger(t, one)
	})
}

func deliverTo(t *testing.T, r *registry.Registry, file []byte) {
	t.Helper()
	if _, _, err := r.Deliver(context.Background(), bytes.NewReader(file), int64(len(file)), ""); err != nil {
		t.Errorf("deliver: %v", err)
	}
}

func drain(t *testing.T, r *registry.Registry) {
	t.Helper()
	runner := job.NewRunner(r.Store.(registrystore.Store).DB, job.Options{Handlers: handlers(r)})
	if _, err := runner.RunUntilIdle(context.Background()); err != nil {
		t.Errorf("run jobs: %v", err)
	}
}

// collectLeaves reads the ledger's entries in order.
func collectLeaves(tb testing.TB, source registrystore.Source, size int64) (leaves []tlog.Hash) {
	tb.Helper()
	next := int64(0)
	err := source.EachRevision(context.Background(), "", 0, size, false, func(e catalog.Entry) error {
		if e.Index != next {
			tb.Errorf("entry %d follows entry %d", e.Index, next-1)
		}
		next++
		if got := certificate.HashOf(e.Canonical); got != e.Hash {
			tb.Errorf("entry %d: hash %s, content %s", e.Index, e.Hash, got)
		}
		leaves = append(leaves, tlog.Hash(e.Hash))
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	if next != size {
		tb.Errorf("ledger of %d entries gave %d", size, next)
	}
	return leaves
}
