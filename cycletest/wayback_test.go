package cycletest_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"selo/certificate"
	"selo/certifier"
	"selo/registry"
	"selo/remessa"
	"selo/store/certifierstore"
)

// backup is a copy of a body's base with what the model said then.
type backup struct {
	path string
	*state
}

func (s *teller) backup() {
	b := s.b
	path := filepath.Join(b.dir, fmt.Sprintf("cópia %d.db", len(b.copies)))
	b.must(certifierstore.Backup(b.ctx, b.path(), path))
	b.copies = append(b.copies, &backup{path, b.state.clone()})
}

// restore brings an old copy back. Nobody reconciles: that may come later.
func (s *teller) restore() {
	b := s.b
	if len(b.copies) == 0 {
		s.notNow()
	}
	c := b.copies[draw(s.T, 0, len(b.copies)-1, "copy")]
	b.must(b.db.Close())
	_, err := certifierstore.Restore(b.ctx, c.path, b.path(), b.clock.Now())
	b.must(err)
	b.clock.Advance(time.Second)
	b.open()
	b.must(b.db.Write(b.ctx, b.resume))
	b.state = c.state.clone()
	b.outbox()
}

// reconcile makes the body's base equal to the registry's and returns how many
// differences there were.
func (s *teller) reconcile() int {
	b := s.b
	bundle := s.fetchBase()
	var o certifier.Official
	for _, e := range b.there.ended {
		res, err := b.result(e.sequence)
		b.must(err)
		o.Results = append(o.Results, *res)
	}
	before, _ := b.read()
	log := b.countLog()
	found := 0
	s.write("", "reconcile", func(tx certifier.Tx) error {
		var err error
		if o.Index, err = certifier.IndexOf(b.ctx, tx, bundle); err != nil {
			return err
		}
		differences, err := certifier.Reconcile(b.ctx, tx, ana, b.keys, o, certifier.FetchFrom(bundle, o.Index))
		found = len(differences)
		return err
	})
	b.must(b.db.Write(b.ctx, b.resume))
	s.nothingLost(before)
	if now := b.countLog(); now < log {
		b.Fatalf("%s: reconciling left %d of %d revisions in the log", b.sigla, now, log)
	}
	b.learn()
	return found
}

// fetchBase gets the registry's bundle of the body.
func (s *teller) fetchBase() *remessa.Bundle {
	b := s.b
	var file bytes.Buffer
	if b.server != nil {
		b.must(b.client().Base(b.ctx, &file))
	} else {
		b.must(b.base.Read(b.ctx, func(tx registry.Tx) error {
			file.Reset()
			_, err := b.registry.ExportBase(b.ctx, tx, b.sigla, func(h remessa.Head) *remessa.Writer {
				return remessa.NewWriter(io.Writer(&file), h, b.world.keys.Sign)
			})
			return err
		}))
	}
	bundle, err := remessa.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), remessa.Limits{})
	b.must(err)
	return bundle
}

// nothingLost wants every draft and everything that waited before a
// reconciliation to be there still: as draft, in the log, or at the registry.
func (s *teller) nothingLost(before map[certificate.ID]*held) {
	b := s.b
	after, _ := b.read()
	for id, was := range before {
		is := after[id]
		if is == nil || is.newest() == "" {
			b.merged(id, was)
			continue
		}
		if turned(was, after) {
			continue
		}
		if was.draft != "" && is.draft != was.draft {
			b.Fatalf("%s: the draft of %s %s changed in a reconciliation:\n%s\n%s", b.sigla, was.kind, id, was.draft, is.draft)
		}
		chain := b.there.chains[id]
		official := func(c content) bool {
			return slices.ContainsFunc(chain, func(a accepted) bool { return a.content == c })
		}
		if was.approved != "" && is.approved != was.approved && is.draft == "" && !official(was.approved) {
			b.Fatalf("%s: what waited of %s %s neither waits nor is a draft: %+v", b.sigla, was.kind, id, is.record)
		}
		if len(chain) > 0 && is.travelling == "" && (is.number != len(chain) || is.accepted != chain[len(chain)-1].content) {
			b.Fatalf("%s: %s %s is revision %d after reconciling, the registry has %d", b.sigla, was.kind, id, is.number, len(chain))
		}
	}
	for id := range b.there.chains {
		if after[id] == nil || after[id].accepted == "" {
			b.Fatalf("%s: %s is at the registry and not here after reconciling", b.sigla, id)
		}
	}
}

// merged wants the record to be gone because the registry has one of that name.
func (b *body) merged(id certificate.ID, was *held) {
	b.Helper()
	if was.newest() == "" {
		return // it was retired before
	}
	var heir certificate.ID
	b.must(b.db.Read(b.ctx, func(tx certifier.Tx) (err error) {
		heir, err = certifier.FindByKey(b.ctx, tx, was.revision())
		return err
	}))
	if heir == id || len(b.there.chains[heir]) == 0 {
		b.Fatalf("%s: %s %s vanished in a reconciliation; its name is that of %q", b.sigla, was.kind, id, heir)
	}
}

// turned tells whether a certificate links to a record that was merged into another.
func turned(was *held, after map[certificate.ID]*held) bool {
	if was.kind != certificate.KindCertificate || was.newest() == "" {
		return false
	}
	return slices.ContainsFunc(linksOf(was.certificate()), func(id certificate.ID) bool {
		return after[id] == nil || after[id].newest() == ""
	})
}

func (b *body) countLog() int64 {
	b.Helper()
	var n int64
	b.must(b.db.Read(b.ctx, func(tx certifier.Tx) error {
		return tx.(*certifierstore.Tx).QueryRow(b.ctx, `SELECT COUNT(*) FROM revision`).Scan(&n)
	}))
	return n
}

// learn takes over into the model what a reconciliation made of the base.
func (b *body) learn() {
	b.Helper()
	found, remessas := b.read()
	s := newState()
	s.tables, s.accredited, s.names = b.tables, b.accredited, b.given
	for _, id := range slices.Sorted(maps.Keys(found)) {
		r := found[id].record
		if r.newest() == "" {
			continue
		}
		s.records[id] = &r
		was := b.records[id]
		if r.kind == certificate.KindCertificate && r.draft != "" && (b.unsure[id] || was == nil || was.draft != r.draft || was.accepted != r.accepted) {
			s.unsure[id] = true
		}
	}
	for _, r := range remessas {
		ship := &shipment{sequence: r.Sequence, digest: r.Digest, previous: r.Previous, at: r.State}
		for _, old := range b.old {
			if old.digest == r.Digest {
				ship.file, ship.carried = old.file, old.carried
			}
		}
		s.remessas = append(s.remessas, ship)
	}
	b.state = s
}
