package certifier

import (
	"context"
	"fmt"
	"time"

	"selo/audit"
	"selo/certificate"
	"selo/fault"
	"selo/remessa"
)

// RestoreFromBase fills a new base with everything the registry holds of the
// body: the signed bundle of scope "base". What was never accepted is not in
// it. It returns how many revisions were written.
//
// Faults: Conflict "rebase.not_empty" when there are records already (see
// [Reconcile]), "rebase.other_body", "enrolment.missing"; Invalid
// "rebase.scope", "rebase.content" and those of [remessa.Bundle].
func RestoreFromBase(ctx context.Context, tx Tx, actor Actor, b *remessa.Bundle) (int64, error) {
	body, err := openBase(ctx, tx, b)
	if err != nil {
		return 0, err
	}
	have, err := tx.ListRows(ctx, Query{Limit: 1})
	if err != nil {
		return 0, fmt.Errorf("look for records: %w", err)
	}
	if len(have) > 0 {
		return 0, fault.New(fault.Conflict, "rebase.not_empty")
	}
	f := &filler{tx: tx, actor: actor, body: body, seen: map[certificate.ID]bool{}}
	if err := b.Each(func(_ int64, canonical []byte) error { return f.add(ctx, canonical) }); err != nil {
		return 0, err
	}
	if err := f.flush(ctx); err != nil {
		return 0, err
	}
	if b.Manifest.Sequence > 0 {
		if err := learn(ctx, tx, Remessa{Sequence: b.Manifest.Sequence, State: Confirmed, Scope: remessa.Partial,
			Digest: b.Manifest.Previous, PreparedAt: b.Manifest.PreparedAt, ResultAt: b.Manifest.PreparedAt}); err != nil {
			return 0, err
		}
	}
	return f.count, tx.AppendAudit(ctx, audit.Event{Kind: "base.restored", Subject: "organismo", Actor: string(actor),
		Detail: map[string]string{"revisoes": number(f.count), "remessa": number(b.Manifest.Sequence)}})
}

// openBase checks that the bundle is the registry's base of this body.
func openBase(ctx context.Context, tx Tx, b *remessa.Bundle) (Body, error) {
	body, err := CurrentBody(ctx, tx)
	if err != nil {
		return body, err
	}
	reg, err := CurrentRegistry(ctx, tx)
	if err != nil {
		return body, err
	}
	if b.Manifest.Scope != remessa.Base {
		return body, fault.New(fault.Invalid, "rebase.scope", "escopo", fmt.Sprintf("%.20s", string(b.Manifest.Scope)))
	}
	if b.Manifest.Body != body.Sigla {
		return body, fault.New(fault.Conflict, "rebase.other_body",
			"organismo", fmt.Sprintf("%.8s", string(b.Manifest.Body)), "esperado", string(body.Sigla))
	}
	return body, b.Verify(reg.Keys.Sign)
}

// learn writes down a remessa that this base did not make.
func learn(ctx context.Context, tx Tx, r Remessa) error {
	r.PreparedBy = System
	if _, err := tx.InsertRemessa(ctx, r); err != nil {
		return fmt.Errorf("write remessa %d: %w", r.Sequence, err)
	}
	return nil
}

// filler writes accepted revisions of records that are new here.
type filler struct {
	tx      Tx
	actor   Actor
	body    Body
	seen    map[certificate.ID]bool
	rows    []Row
	entries []Entry
	certs   []*certificate.Revision
	count   int64
}

func (f *filler) add(ctx context.Context, canonical []byte) error {
	rev, err := certificate.DecodeRevision(canonical)
	if err != nil {
		return err
	}
	if rev.Body != f.body.Sigla {
		return fault.New(fault.Invalid, "rebase.content", "registro", rev.Label())
	}
	f.count++
	if f.seen[rev.ID] { // a base may hold earlier revisions too: the later one counts
		if err := f.flush(ctx); err != nil {
			return err
		}
		return f.replace(ctx, rev, canonical)
	}
	f.seen[rev.ID] = true
	f.rows = append(f.rows, adoptedRow(rev, f.tx.Now(), f.actor))
	f.entries = append(f.entries, adoptedEntry(rev, canonical, f.actor))
	if rev.Certificate != nil {
		f.certs = append(f.certs, rev)
	}
	if len(f.rows) >= pageSizeOf(rev.Kind()) {
		return f.flush(ctx)
	}
	return nil
}

func adoptedRow(rev *certificate.Revision, now time.Time, actor Actor) Row {
	row := Row{ID: rev.ID, Version: 1, CreatedAt: now, CreatedBy: actor, ChangedAt: now, ChangedBy: actor}
	describe(&row, rev)
	return row
}

func adoptedEntry(rev *certificate.Revision, canonical []byte, actor Actor) Entry {
	content := append([]byte(nil), canonical...)
	return Entry{Record: rev.ID, Kind: rev.Kind(), Number: rev.Number, Hash: certificate.HashOf(content), State: Accepted,
		Content: content, ApprovedAt: rev.ApprovedAt, ApprovedBy: actor}
}

func (f *filler) flush(ctx context.Context) error {
	if err := f.tx.InsertRows(ctx, f.rows); err != nil {
		return err
	}
	if err := f.tx.InsertEntries(ctx, f.entries); err != nil {
		return fmt.Errorf("write revisions: %w", err)
	}
	for _, rev := range f.certs {
		if err := f.tx.AddLinks(ctx, rev.ID, linksOf(rev)); err != nil {
			return fmt.Errorf("link %s: %w", rev.ID, err)
		}
	}
	f.rows, f.entries, f.certs = f.rows[:0], f.entries[:0], f.certs[:0]
	return nil
}

func (f *filler) replace(ctx context.Context, rev *certificate.Revision, canonical []byte) error {
	r, err := Find(ctx, f.tx, rev.ID)
	if err != nil {
		return err
	}
	if r.Accepted == nil || r.Accepted.Number >= rev.Number || r.Kind != rev.Kind() {
		return fault.New(fault.Invalid, "rebase.content", "registro", rev.Label())
	}
	return succeed(ctx, f.tx, f.actor, r, rev, canonical, Replaced)
}

// succeed makes rev the accepted revision of a record, in place of the one
// that was, whose state becomes old. A draft keeps describing the record.
func succeed(ctx context.Context, tx Tx, actor Actor, r *Record, rev *certificate.Revision, canonical []byte, old State) error {
	if _, err := tx.MoveEntries(ctx, []certificate.ID{r.ID}, Accepted, old); err != nil {
		return fmt.Errorf("replace revision of %s: %w", r.ID, err)
	}
	if err := tx.InsertEntries(ctx, []Entry{adoptedEntry(rev, canonical, actor)}); err != nil {
		return fmt.Errorf("write revision of %s: %w", r.ID, err)
	}
	r.Accepted = &Frozen{Entry: adoptedEntry(rev, canonical, actor), Revision: rev}
	describe(&r.Row, r.Newest())
	touch(&r.Row, tx.Now(), actor)
	if err := tx.UpdateRow(ctx, r.Row); err != nil {
		return err
	}
	return syncLinks(ctx, tx, r.Newest(), r.Approved == nil && r.Travelling == nil)
}

// IndexOf makes the registry's index of its base bundle, for a reconciliation
// without network. The bundle must have been opened for this body.
// Faults: those of [RestoreFromBase].
func IndexOf(ctx context.Context, tx Tx, b *remessa.Bundle) ([]IndexEntry, error) {
	if _, err := openBase(ctx, tx, b); err != nil {
		return nil, err
	}
	newest := map[certificate.ID]int{}
	var index []IndexEntry
	err := b.Each(func(_ int64, canonical []byte) error {
		rev, err := certificate.DecodeRevision(canonical)
		if err != nil {
			return err
		}
		e := IndexEntry{Kind: rev.Kind(), ID: rev.ID, Number: rev.Number, Hash: certificate.HashOf(canonical)}
		if i, known := newest[rev.ID]; known {
			index[i] = e
			return nil
		}
		newest[rev.ID] = len(index)
		index = append(index, e)
		return nil
	})
	return index, err
}

// FetchFrom reads revisions out of a base bundle.
func FetchFrom(b *remessa.Bundle, index []IndexEntry) Fetch {
	wanted := map[certificate.Hash]certificate.ID{}
	for _, e := range index {
		wanted[e.Hash] = e.ID
	}
	return func(_ context.Context, ids []certificate.ID, visit func([]byte) error) error {
		set := make(map[certificate.ID]bool, len(ids))
		for _, id := range ids {
			set[id] = true
		}
		return b.Each(func(_ int64, canonical []byte) error {
			if id, newest := wanted[certificate.HashOf(canonical)]; !newest || !set[id] {
				return nil
			}
			return visit(canonical)
		})
	}
}
