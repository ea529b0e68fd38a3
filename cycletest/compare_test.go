package cycletest_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"selo/catalog"
	"selo/certificate"
	"selo/certifier"
	"selo/ledger"
	"selo/registry"
	"selo/remessa"
	"selo/store"
	"selo/store/registrystore"
	"selo/verify"
)

// held is what a base holds of a record.
type held struct {
	record
	entries []certifier.Entry
}

// read reads all that the body's base holds.
func (b *body) read() (map[certificate.ID]*held, []certifier.Remessa) {
	b.Helper()
	found := map[certificate.ID]*held{}
	var remessas []certifier.Remessa
	b.must(b.db.Read(b.ctx, func(tx certifier.Tx) error {
		clear(found)
		items, err := tx.ListRows(b.ctx, certifier.Query{Limit: 10_000})
		if err != nil {
			return err
		}
		var ids []certificate.ID
		for _, item := range items {
			ids = append(ids, item.ID)
			found[item.ID] = &held{record: record{kind: item.Kind}}
		}
		drafts, err := tx.Drafts(b.ctx, ids)
		if err != nil {
			return err
		}
		for id, d := range drafts {
			found[id].draft = b.decode(d.Content)
		}
		live, err := tx.Live(b.ctx, ids)
		if err != nil {
			return err
		}
		for _, e := range live {
			h := found[e.Record]
			h.entries = append(h.entries, e)
			switch e.State {
			case certifier.Approved:
				h.approved = b.decode(e.Content)
			case certifier.Travelling:
				h.travelling = b.decode(e.Content)
			default:
				h.accepted, h.number = b.decode(e.Content), e.Number
			}
		}
		remessas, err = certifier.ListRemessas(b.ctx, tx, 0)
		return err
	}))
	slices.Reverse(remessas)
	return found, remessas
}

func (b *body) decode(canonical []byte) content {
	b.Helper()
	rev, err := certificate.DecodeRevision(canonical)
	b.must(err)
	return contentOf(rev)
}

// compare wants the base to hold what the model says, and nothing that the
// registry does not have to be held as accepted.
func (b *body) compare() {
	b.Helper()
	found, remessas := b.read()
	for id, want := range b.records {
		if got := found[id]; got == nil || got.record != *want {
			b.Fatalf("%s: %s %s holds\n%+v, want\n%+v", b.sigla, want.kind, id, got, *want)
		}
	}
	open, listed := 0, 0
	for id, got := range found {
		if b.records[id] == nil && got.newest() != "" {
			b.Fatalf("%s: %s %s should not exist: %+v", b.sigla, got.kind, id, got.record)
		}
		chain := b.there.chains[id]
		if got.accepted != "" && (len(chain) < got.number || chain[got.number-1].content != got.accepted) {
			b.Fatalf("%s: %s %s holds revision %d as accepted, which the registry does not have", b.sigla, got.kind, id, got.number)
		}
	}
	for _, r := range remessas {
		if r.State.Outstanding() {
			open++
		}
		if listed >= len(b.remessas) || b.remessas[listed].sequence != r.Sequence || b.remessas[listed].at != r.State || b.remessas[listed].digest != r.Digest {
			b.Fatalf("%s: remessa %d is %s; the model has %d remessas", b.sigla, r.Sequence, r.State, len(b.remessas))
		}
		listed++
	}
	if open > 1 || listed != len(b.remessas) {
		b.Fatalf("%s: %d remessas are outstanding, %d of %d are there", b.sigla, open, listed, len(b.remessas))
	}
}

// compareOfficial compares what the registry holds of a body with the model, revision by revision.
func (b *body) compareOfficial() {
	b.Helper()
	b.must(b.base.Read(b.ctx, func(tx registry.Tx) error {
		o, err := tx.Body(b.ctx, b.sigla)
		if err != nil {
			return err
		}
		if o.Sequence != b.there.sequence || o.Digest != b.there.digest {
			b.Fatalf("registry: last remessa of %s is %d, want %d", b.sigla, o.Sequence, b.there.sequence)
		}
		newest := map[certificate.ID]bool{}
		err = tx.EachNewest(b.ctx, b.sigla, func(_ certificate.Kind, canonical []byte) error {
			rev, err := certificate.DecodeRevision(canonical)
			if err != nil {
				return err
			}
			chain := b.there.chains[rev.ID]
			if rev.Number != len(chain) || contentOf(rev) != chain[len(chain)-1].content {
				b.Fatalf("registry: newest revision of %s is number %d, want %d:\n%s", rev.Label(), rev.Number, len(chain), canonical)
			}
			newest[rev.ID] = true
			return nil
		})
		if err == nil && len(newest) != len(b.there.chains) {
			b.Fatalf("registry: holds %d records of %s, want %d", len(newest), b.sigla, len(b.there.chains))
		}
		return err
	}))
}

func (w *world) compareAll() {
	w.Helper()
	size := 0
	for _, b := range w.bodies {
		b.compare()
		b.compareOfficial()
		size += b.there.size()
	}
	w.compareLedger(size)
}

// compareLedger wants the ledger to hold exactly the accepted revisions, and to
// have only grown since every head that was seen.
func (w *world) compareLedger(size int) {
	w.Helper()
	w.must(w.base.Read(w.ctx, func(tx registry.Tx) error {
		head, err := tx.LedgerHead(w.ctx)
		if err != nil {
			return err
		}
		if head.Size != int64(size) {
			w.Fatalf("ledger holds %d revisions, %d were accepted", head.Size, size)
		}
		if n := len(w.heads); n > 0 && w.heads[n-1] == head {
			return nil
		}
		for _, older := range w.heads {
			proof, err := ledger.ProveConsistency(w.ctx, tx, older.Size, head.Size)
			if err != nil {
				return err
			}
			if err := ledger.CheckConsistency(proof, older, head); err != nil {
				w.Fatalf("ledger of %d does not continue that of %d: %v", head.Size, older.Size, err)
			}
		}
		w.heads = append(w.heads, head)
		return nil
	}))
}

// sound runs the verification, which shares no code with the rooms, on every base.
func (w *world) sound() {
	w.Helper()
	opts := w.verifyOptions()
	report, err := verify.Registry(w.ctx, w.engine.URL, opts)
	w.clean("registry", report, err)
	for _, b := range w.bodies {
		report, err := verify.Certifier(w.ctx, b.path(), verify.Options{Outbox: b.out.Dir})
		w.clean("certifier "+string(b.sigla), report, err)
		report, err = verify.Pair(w.ctx, w.engine.URL, b.path(), opts)
		w.clean("pair "+string(b.sigla), report, err)
	}
}

func (w *world) verifyOptions() verify.Options {
	return verify.Options{Key: w.keys.Public().Sign, Schema: w.engine.Options(store.Options{}).Schema}
}

func (w *world) clean(what string, report verify.Report, err error) {
	w.Helper()
	w.must(err)
	for _, c := range report.Checks {
		for _, f := range c.Findings {
			w.Logf("%s: %s: %s %s %v", what, c.Name, f.Code, f.Subject, f.Args)
		}
	}
	if report.Total() > 0 {
		w.Fatalf("%s: verification has %d findings", what, report.Total())
	}
}

// snapshot publishes, builds the snapshot and wants it to show every accepted certificate.
func (w *world) snapshot() {
	w.Helper()
	var p registry.Publication
	w.must(w.base.Write(w.ctx, func(tx registry.Tx) (err error) {
		p, _, err = w.registry.Publish(w.ctx, tx, "teste")
		return err
	}))
	src := registrystore.Source{Store: w.base, Publication: p}
	path := filepath.Join(w.dir, "publicação.sqlite")
	w.must(catalog.Build(w.ctx, src, src.Snapshot(), path, catalog.Options{
		Sign: func(text []byte) (string, error) { return remessa.SignSnapshot(text, w.keys) }}))
	c, err := catalog.Open(w.ctx, path, catalog.OpenOptions{Clock: w.clock, Check: func(text []byte, signature string) error {
		return remessa.CheckSnapshot(text, signature, w.keys.Public().Sign)
	}})
	w.must(err)
	defer func() { w.must(c.Close()) }()
	report, err := verify.SnapshotAgainst(w.ctx, path, w.engine.URL, w.verifyOptions())
	w.clean("snapshot", report, err)
	for _, b := range w.bodies {
		for _, id := range slices.Sorted(maps.Keys(b.there.chains)) {
			chain := b.there.chains[id]
			if chain[0].kind != certificate.KindCertificate {
				continue
			}
			want := revisionOf(certificate.KindCertificate, chain[len(chain)-1].content).Certificate
			active := 0
			for _, l := range want.Products {
				if l.Situation == certificate.Active {
					active++
				}
			}
			got, err := c.Certificate(context.Background(), b.sigla, want.Number)
			w.must(err)
			if got.Situation != string(want.Situation) || got.Products != active {
				w.Fatalf("snapshot shows %s as %s with %d products, want %s with %d", want.Number, got.Situation, got.Products, want.Situation, active)
			}
		}
	}
}

// outbox wants exactly the file of the outstanding remessa in the outbox.
func (b *body) outbox() {
	b.Helper()
	entries, err := os.ReadDir(b.out.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.Fatalf("read outbox: %v", err)
	}
	want := 0
	if b.outstanding() != nil {
		want = 1
	}
	if len(entries) != want {
		b.Fatalf("%s: %d files in the outbox, want %d", b.sigla, len(entries), want)
	}
}
