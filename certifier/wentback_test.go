package certifier_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"selo/certificate"
	"selo/certifier"
	"selo/fault"
	"selo/remessa"
	"selo/verify"
)

// The registry was restored from a backup: it has lost the last two remessas,
// and expects their numbers again. So does the body, once it has reconciled.
func TestReconcileAfterTheRegistryWentBack(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	g := &registry{t: t, chain: map[certificate.ID][][]byte{}}
	known := b.work(rnd, 1, nil)
	apply := func(res remessa.Result) {
		b.write(func(tx certifier.Tx) error { _, err := certifier.ApplyResult(b.ctx, tx, ana, b.keys, res); return err })
	}
	first := g.process(b, b.prepare(remessa.Partial))
	apply(first)
	old := &registry{t: t, results: g.results[:1:1], chain: map[certificate.ID][][]byte{}}
	for id, chain := range g.chain {
		old.chain[id] = chain[:len(chain):len(chain)]
	}
	for step := 2; step <= 3; step++ {
		known = b.work(rnd, step, known)
		apply(g.process(b, b.prepare(remessa.Partial)))
	}
	found := b.reconcile(old)
	b.equal(old)
	if n := count(found)[certifier.RemessaLost]; n != 2 {
		t.Errorf("%d remessas lost: %+v", n, found)
	}
	if again := b.reconcile(old); len(again) != 0 {
		t.Errorf("a second reconciliation finds %+v", again)
	}
	report, err := verify.Certifier(b.ctx, b.db.Name(), verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Checks {
		for _, p := range c.Findings {
			t.Errorf("verify says %v", p)
		}
	}
	r := b.prepare(remessa.Partial)
	if r.Sequence != 2 || r.Previous != first.Digest {
		t.Errorf("the next remessa is %d after %s", r.Sequence, r.Previous)
	}
	apply(old.process(b, r))
	b.equal(old)
	if len(old.chain) != len(g.chain) {
		t.Errorf("%d records arrived again, want %d", len(old.chain), len(g.chain))
	}
}

// A base that was fetched before the last result came says nothing about it.
func TestReconcileWithABaseOutOfDate(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	rnd := rand.New(rand.NewPCG(5, 6))
	g := &registry{t: t, chain: map[certificate.ID][][]byte{}}
	known := b.work(rnd, 1, nil)
	g.process(b, b.prepare(remessa.Partial))
	b.reconcile(g) // brings the result
	official := g.official()
	official.Head = &remessa.Head{Sequence: 1, Previous: g.results[0].Digest, PreparedAt: b.clock.Now()}
	b.clock.Advance(time.Minute)
	b.work(rnd, 2, known)
	b.prepare(remessa.Partial)
	write := func(tx certifier.Tx) error {
		_, err := certifier.Reconcile(b.ctx, tx, ana, b.keys, official, g.fetch)
		return err
	}
	b.write(write) // the second is only prepared: nothing contradicts the base
	r := b.outstanding()
	b.apply(r, remessa.Confirmed)
	if f := b.failure("reconcile.stale", write); f.Kind != fault.Conflict {
		t.Errorf("a base out of date is %v", f)
	}
}

func (b *base) outstanding() (r *certifier.Remessa) {
	b.t.Helper()
	b.write(func(tx certifier.Tx) (err error) { r, err = certifier.Outstanding(b.ctx, tx); return err })
	return r
}

// Under new keys the remessa that waits is signed anew, or the registry, which
// has enrolled them, would refuse it for ever.
func TestResumeSignsWithNewKeys(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.work(rand.New(rand.NewPCG(7, 8)), 1, nil)
	r := b.prepare(remessa.Partial)
	fresh, err := remessa.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	b.keys = fresh
	b.write(func(tx certifier.Tx) error {
		repairs, err := certifier.Resume(b.ctx, tx, b.keys, b.out)
		if len(repairs) != 1 || repairs[0].Kind != "file.rewritten" {
			t.Errorf("repairs %+v", repairs)
		}
		return err
	})
	file, err := os.ReadFile(b.out.Path(r.File))
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := remessa.Open(bytes.NewReader(file), int64(len(file)), remessa.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := bundle.Verify(fresh.Public().Sign); err != nil || bundle.Digest != r.Digest {
		t.Errorf("the file is %s, %v", bundle.Digest, err)
	}
}
