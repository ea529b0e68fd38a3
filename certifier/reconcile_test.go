package certifier_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"selo/certificate"
	"selo/certifier"
	"selo/fault"
	"selo/remessa"
	"selo/store"
	"selo/store/certifierstore"
)

// registry is the other side as far as a reconciliation sees it: every
// accepted revision, in order, and the results.
type registry struct {
	t       testing.TB
	chain   map[certificate.ID][][]byte
	results []remessa.Result
}

// process accepts a remessa after checking its chains, and returns the result.
func (g *registry) process(b *base, r *certifier.Remessa) remessa.Result {
	g.t.Helper()
	for _, rev := range b.read(r) {
		canonical, err := rev.Encode()
		if err != nil {
			g.t.Fatal(err)
		}
		chain := g.chain[rev.ID]
		if n := len(chain); n > 0 && bytes.Equal(chain[n-1], canonical) {
			continue // repeated by a full remessa
		}
		var prev *certificate.Revision
		var hash certificate.Hash
		if n := len(chain); n > 0 {
			if prev, err = certificate.DecodeRevision(chain[n-1]); err != nil {
				g.t.Fatal(err)
			}
			hash = certificate.HashOf(chain[n-1])
		}
		if p := rev.CheckChain(prev, hash); len(p) > 0 {
			g.t.Fatalf("the registry refuses %s: %v", rev.Label(), p)
		}
		g.chain[rev.ID] = append(chain, canonical)
	}
	res := b.result(r, remessa.Confirmed)
	g.results = append(g.results, res)
	return res
}

func (g *registry) official() certifier.Official {
	o := certifier.Official{Results: g.results}
	for id, chain := range g.chain {
		last := chain[len(chain)-1]
		rev, err := certificate.DecodeRevision(last)
		if err != nil {
			g.t.Fatal(err)
		}
		o.Index = append(o.Index, certifier.IndexEntry{Kind: rev.Kind(), ID: id, Number: rev.Number, Hash: certificate.HashOf(last)})
	}
	return o
}

func (g *registry) fetch(_ context.Context, ids []certificate.ID, visit func([]byte) error) error {
	for _, id := range ids {
		chain := g.chain[id]
		if err := visit(chain[len(chain)-1]); err != nil {
			return err
		}
	}
	return nil
}

// bundle is the registry's base of the body.
func (g *registry) bundle(b *base) *remessa.Bundle {
	g.t.Helper()
	var buf bytes.Buffer
	head := remessa.Head{Body: "DEMO", Scope: remessa.Base, PreparedAt: b.clock.Now()}
	if n := len(g.results); n > 0 {
		head.Sequence, head.Previous = g.results[n-1].Sequence, g.results[n-1].Digest
	}
	w := remessa.NewWriter(&buf, head, b.registry.Sign)
	for _, kind := range []certificate.Kind{certificate.KindCompany, certificate.KindProduct, certificate.KindCertificate} {
		for _, chain := range g.chain {
			rev, err := certificate.DecodeRevision(chain[0])
			if err != nil {
				g.t.Fatal(err)
			}
			for _, canonical := range chain {
				if rev.Kind() != kind {
					break
				}
				if err := w.Add(kind, canonical); err != nil {
					g.t.Fatal(err)
				}
			}
		}
	}
	if _, _, err := w.Close(); err != nil {
		g.t.Fatal(err)
	}
	bundle, err := remessa.Open(bytes.NewReader(buf.Bytes()), int64(buf.Len()), remessa.Limits{})
	if err != nil {
		g.t.Fatal(err)
	}
	return bundle
}

func (b *base) reconcile(g *registry) []certifier.Difference {
	b.t.Helper()
	var found []certifier.Difference
	b.write(func(tx certifier.Tx) error {
		var err error
		found, err = certifier.Reconcile(b.ctx, tx, ana, b.keys, g.official(), g.fetch)
		return err
	})
	return found
}

// equal wants exactly the registry's revisions to be the accepted ones here.
func (b *base) equal(g *registry) {
	b.t.Helper()
	have := map[certificate.ID]certificate.Hash{}
	err := b.db.Read(b.ctx, func(tx certifier.Tx) error {
		for _, kind := range []certificate.Kind{certificate.KindCompany, certificate.KindProduct, certificate.KindCertificate} {
			page, err := tx.PageAccepted(b.ctx, kind, "", 10_000)
			if err != nil {
				return err
			}
			for _, e := range page {
				have[e.Record] = e.Hash
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range g.official().Index {
		if have[e.ID] != e.Hash {
			b.t.Errorf("%s %s is %s here, %s there", e.Kind, e.ID, have[e.ID], e.Hash)
		}
		delete(have, e.ID)
	}
	for id := range have {
		b.t.Errorf("%s is accepted here and unknown there", id)
	}
}

// work makes some changes and approves them: new certificates and edits of old ones.
func (b *base) work(rnd *mrand.Rand, step int, known []certificate.ID) []certificate.ID {
	b.t.Helper()
	maker, toy := b.new(company(1000+step)), b.new(product(1000+step))
	known = append(known, b.new(toys(number("N", step), maker, toy)))
	for _, id := range known {
		if rnd.IntN(2) == 0 {
			b.edit(id, "novo laudo "+number("", step), func(c *certificate.Certificate) { c.ReportNumber = number("L", step) })
		}
	}
	b.write(func(tx certifier.Tx) error {
		_, open, err := certifier.ApproveReady(b.ctx, tx, ana)
		if len(open) > 0 {
			b.t.Fatalf("not ready: %v", open[0].Problems)
		}
		return err
	})
	return known
}

func TestReconcileAfterRandomDamage(t *testing.T) {
	t.Parallel()
	for range 12 {
		var seed [8]byte
		if _, err := rand.Read(seed[:]); err != nil {
			t.Fatal(err)
		}
		n := binary.LittleEndian.Uint64(seed[:])
		t.Run("", func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", n)
			damaged(t, mrand.New(mrand.NewPCG(n, 1)))
		})
	}
}

func damaged(t *testing.T, rnd *mrand.Rand) {
	b := newBase(t)
	g := &registry{t: t, chain: map[certificate.ID][][]byte{}}
	var known []certificate.ID
	for step := range 4 {
		known = b.work(rnd, step, known)
		r := b.prepare(remessa.Partial)
		b.sent()
		res := g.process(b, r)
		if step == 3 && rnd.IntN(2) == 0 {
			break // the last result never arrived
		}
		b.write(func(tx certifier.Tx) error { _, err := certifier.ApplyResult(b.ctx, tx, ana, b.keys, res); return err })
	}
	if rnd.IntN(2) == 0 {
		known = b.work(rnd, 9, known) // approved, not sent
	}
	b.edit(known[0], "rascunho", func(c *certificate.Certificate) { c.Laboratory = "só no rascunho" })
	b.damage(rnd, g)
	b.reconcile(g)
	b.equal(g)
	if again := b.reconcile(g); len(again) != 0 {
		t.Errorf("a second reconciliation still finds %+v", again)
	}
	if got := b.find(known[0]).Newest().Certificate.Laboratory; got != "só no rascunho" {
		t.Errorf("the draft says %q now", got)
	}
	// What was approved again can be sent, and ends in a base that is equal once more.
	var r *certifier.Remessa
	err := b.db.Write(b.ctx, func(tx certifier.Tx) error {
		var err error
		r, err = certifier.Prepare(b.ctx, tx, ana, b.keys, b.out, remessa.Partial)
		return err
	})
	if fault.HasKey(err, "remessa.empty") {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	res := g.process(b, r)
	b.write(func(tx certifier.Tx) error { _, err := certifier.ApplyResult(b.ctx, tx, ana, b.keys, res); return err })
	b.equal(g)
}

// damage makes base and registry differ: either side went back, lost a record,
// or has something that the other never saw.
func (b *base) damage(rnd *mrand.Rand, g *registry) {
	b.t.Helper()
	for id, chain := range g.chain {
		switch rnd.IntN(6) {
		case 0: // the registry went back
			if len(chain) > 1 {
				g.chain[id] = chain[:len(chain)-1]
			}
		case 1: // the base lost the acceptance
			err := b.db.DB.Write(b.ctx, func(tx *store.Tx) error {
				_, err := tx.Exec(b.ctx, `UPDATE revision SET state = 'superada' WHERE record = ? AND state = 'aceita'`, id)
				return err
			})
			if err != nil {
				b.t.Fatal(err)
			}
		case 2: // another copy of the base sent something newer
			rev, err := certificate.DecodeRevision(chain[len(chain)-1])
			if err != nil {
				b.t.Fatal(err)
			}
			if rev.Product != nil {
				rev.Product.Description = "de outra cópia"
				rev.Number, rev.Previous = rev.Number+1, certificate.HashOf(chain[len(chain)-1])
				canonical, err := rev.Encode()
				if err != nil {
					b.t.Fatal(err)
				}
				g.chain[id] = append(chain, canonical)
			}
		}
	}
	for id := range g.chain { // the registry lost a record
		if rnd.IntN(8) == 0 {
			delete(g.chain, id)
		}
	}
}

func TestBackupRestoredAfterLaterRemessas(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	rnd := mrand.New(mrand.NewPCG(1, 2))
	g := &registry{t: t, chain: map[certificate.ID][][]byte{}}
	known := b.work(rnd, 1, nil)
	res := g.process(b, b.prepare(remessa.Partial))
	b.write(func(tx certifier.Tx) error { _, err := certifier.ApplyResult(b.ctx, tx, ana, b.keys, res); return err })
	copied := filepath.Join(t.TempDir(), "cópia (1).db")
	if err := certifierstore.Backup(b.ctx, b.db.Name(), copied); err != nil {
		t.Fatal(err)
	}
	if err := certifierstore.Backup(b.ctx, b.db.Name(), copied); !fault.HasKey(err, "backup.exists") {
		t.Errorf("a backup was overwritten: %v", err)
	}
	known = b.work(rnd, 2, known)
	res = g.process(b, b.prepare(remessa.Partial))
	b.write(func(tx certifier.Tx) error { _, err := certifier.ApplyResult(b.ctx, tx, ana, b.keys, res); return err })

	if _, err := certifierstore.Restore(b.ctx, copied, b.db.Name(), start); !fault.HasKey(err, "backup.in_use") {
		t.Fatalf("a base in use was replaced: %v", err)
	}
	old := &base{t: t, ctx: b.ctx, clock: b.clock, keys: b.keys, registry: b.registry, dir: t.TempDir()}
	old.out = certifier.Outbox{Dir: filepath.Join(old.dir, "remessas")}
	path := filepath.Join(old.dir, "base.db")
	if _, err := certifierstore.Restore(b.ctx, copied, path, start); err != nil {
		t.Fatal(err)
	}
	var err error
	if old.db, err = certifierstore.Open(b.ctx, path, store.Options{Clock: b.clock}); err != nil {
		t.Fatal(err)
	}
	// Before anybody thinks of reconciling, the lost certificate is typed again …
	maker, toy := old.new(company(1002)), old.new(product(1002))
	again := old.new(toys(number("N", 2), maker, toy))
	found := old.reconcile(g)
	old.equal(g)
	if kinds := count(found); kinds[certifier.RemessaLearnt] != 1 || kinds[certifier.MergedRecord] != 3 {
		t.Errorf("differences %v", kinds)
	}
	// … and is one certificate with the registry's now, not two.
	if items, err := old.list(certifier.Query{Text: "N2", Kind: certificate.KindCertificate}); err != nil || len(items) != 1 || items[0].ID != known[1] || items[0].ID == again {
		t.Errorf("certificate N2: %+v, %v", items, err)
	}
	old.work(rnd, 3, known)
	r := old.prepare(remessa.Partial)
	if r.Sequence != 3 || r.Previous != res.Digest {
		t.Errorf("the next remessa is %d after %s", r.Sequence, r.Previous)
	}
	g.process(old, r)
	if err := old.db.Close(); err != nil {
		t.Fatal(err)
	}
	aside, err := certifierstore.Restore(b.ctx, copied, path, start)
	if err != nil || filepath.Base(aside) != "base.db.antes-20260310-150000" {
		t.Fatalf("restored over a closed base: %q, %v", aside, err)
	}
	changedBackup(t, copied)
}

func count(found []certifier.Difference) map[certifier.DifferenceKind]int {
	kinds := map[certifier.DifferenceKind]int{}
	for _, d := range found {
		kinds[d.Kind]++
	}
	return kinds
}

// changedBackup wants a backup to be refused after one bit of it was turned.
func changedBackup(t *testing.T, copied string) {
	t.Helper()
	data, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(copied, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := certifierstore.CheckBackup(t.Context(), copied); !fault.HasKey(err, "backup.digest") {
		t.Errorf("a changed backup passed: %v", err)
	}
}

func TestRestoreFromTheRegistrysBase(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	rnd := mrand.New(mrand.NewPCG(3, 4))
	g := &registry{t: t, chain: map[certificate.ID][][]byte{}}
	var known []certificate.ID
	for step := range 3 {
		known = b.work(rnd, step, known)
		res := g.process(b, b.prepare(remessa.Partial))
		b.write(func(tx certifier.Tx) error { _, err := certifier.ApplyResult(b.ctx, tx, ana, b.keys, res); return err })
	}
	fresh := bareBase(t, filepath.Join(t.TempDir(), "nova.db"))
	fresh.keys, fresh.registry = b.keys, b.registry
	fresh.enrol()
	restore := func(tx certifier.Tx) error {
		_, err := certifier.RestoreFromBase(b.ctx, tx, ana, g.bundle(b))
		return err
	}
	fresh.write(restore)
	fresh.equal(g)
	fresh.fails("rebase.not_empty", restore)
	fresh.write(func(tx certifier.Tx) error {
		_, err := certifier.ApplyRelease(b.ctx, tx, ana, fresh.sign(demoTables(1)))
		return err
	})
	fresh.work(rnd, 7, known)
	if r := fresh.prepare(remessa.Partial); r.Sequence != 4 {
		t.Errorf("the next remessa is %d", r.Sequence)
	}
	// A base file serves a reconciliation without network too.
	b.write(func(tx certifier.Tx) error {
		bundle := g.bundle(b)
		index, err := certifier.IndexOf(b.ctx, tx, bundle)
		if err != nil {
			return err
		}
		found, err := certifier.Reconcile(b.ctx, tx, ana, b.keys, certifier.Official{Index: index}, certifier.FetchFrom(bundle, index))
		if len(found) != 0 {
			t.Errorf("differences %+v", found)
		}
		return err
	})
}
