package certifier

import (
	"context"
	"fmt"
	"slices"

	"selo/audit"
	"selo/certificate"
	"selo/fault"
)

// adopt makes a revision of the registry the accepted one here.
func (rc *reconciling) adopt(ctx context.Context, rev *certificate.Revision, canonical []byte) error {
	records, err := load(ctx, rc.tx, []certificate.ID{rev.ID})
	if err != nil {
		return err
	}
	r := records[rev.ID]
	twin, err := rc.retireTwin(ctx, rev, r)
	if err != nil {
		return err
	}
	if r == nil {
		row := adoptedRow(rev, rc.tx.Now(), rc.actor)
		f := &filler{tx: rc.tx, actor: rc.actor, rows: []Row{row}, entries: []Entry{adoptedEntry(rev, canonical, rc.actor)}}
		if rev.Certificate != nil {
			f.certs = append(f.certs, rev)
		}
		if err := f.flush(ctx); err != nil {
			return err
		}
		rc.note(MissingHere, row, 0, rev.Number)
	} else if err := rc.adoptOver(ctx, r, rev, canonical); err != nil {
		return err
	}
	err = rc.tx.AppendAudit(ctx, audit.Event{Kind: "record.adopted", Subject: subject(rev.Kind(), rev.ID), Actor: string(rc.actor),
		Detail: map[string]string{"revisao": number(int64(rev.Number)), "hash": certificate.HashOf(canonical).String()}})
	if err != nil || twin == nil {
		return err
	}
	return rc.takeOver(ctx, twin, rev)
}

// adoptOver adopts a revision of a record that is known here.
func (rc *reconciling) adoptOver(ctx context.Context, r *Record, rev *certificate.Revision, canonical []byte) error {
	kind, here, old := MissingHere, 0, Replaced
	mine := r.Accepted
	if mine != nil {
		here = mine.Number
		switch {
		case rev.Number > mine.Number:
			kind = NewerThere
		case rev.Number < mine.Number:
			kind, old = OlderThere, Superseded
		default:
			kind, old = DifferentThere, Superseded
		}
	}
	rc.note(kind, r.Row, here, rev.Number)
	if kind != OlderThere {
		if err := rc.backToDraft(ctx, r, rev); err != nil {
			return err
		}
	}
	if err := succeed(ctx, rc.tx, rc.actor, r, rev, canonical, old); err != nil {
		return err
	}
	if kind != OlderThere {
		return nil
	}
	return rc.resend(ctx, r, mine, rev.Number)
}

// backToDraft gives a waiting revision back: it was made without knowing what
// the registry has, and would undo it.
func (rc *reconciling) backToDraft(ctx context.Context, r *Record, rev *certificate.Revision) error {
	if r.Approved == nil {
		return nil
	}
	changes, err := diff(r.Approved.Revision, rev)
	if err != nil {
		return err
	}
	if len(changes) == 0 && r.Draft == nil {
		r.Approved = nil
		_, err := rc.tx.MoveEntries(ctx, []certificate.ID{r.ID}, Approved, Superseded)
		return err
	}
	rc.note(BackToDraft, r.Row, r.Approved.Number, rev.Number)
	return reopen(ctx, rc.tx, rc.actor, r, "base.reconciled")
}

// missingThere takes back what the registry does not hold, for the next remessa.
func (rc *reconciling) missingThere(ctx context.Context, id certificate.ID) error {
	r, err := Find(ctx, rc.tx, id)
	if err != nil {
		return err
	}
	mine := r.Accepted
	rc.note(MissingThere, r.Row, mine.Number, 0)
	if _, err := rc.tx.MoveEntries(ctx, []certificate.ID{id}, Accepted, Superseded); err != nil {
		return fmt.Errorf("take back revision of %s: %w", id, err)
	}
	r.Accepted = nil
	return rc.resend(ctx, r, mine, 0)
}

// stranded takes back from the log what a damaged base holds nowhere else and
// the registry does not hold either.
func (rc *reconciling) stranded(ctx context.Context, kind certificate.Kind) error {
	ids, err := rc.tx.Stranded(ctx, kind)
	if err != nil {
		return fmt.Errorf("look for stranded records: %w", err)
	}
	for _, id := range ids {
		log, err := rc.tx.Log(ctx, id)
		if err != nil {
			return fmt.Errorf("read log of %s: %w", id, err)
		}
		r, err := Find(ctx, rc.tx, id)
		if err != nil {
			return err
		}
		if len(log) == 0 {
			continue
		}
		last := log[len(log)-1]
		rev, err := decode(last.Content)
		if err != nil {
			return fmt.Errorf("decode revision of %s: %w", id, err)
		}
		rc.note(MissingThere, r.Row, last.Number, 0)
		if err := rc.resend(ctx, r, &Frozen{Entry: last, Revision: rev}, 0); err != nil {
			return err
		}
	}
	return nil
}

// resend approves mine again on top of what is accepted now, revision number
// there, with all that was explained since. Where a newer approval waits, that
// one goes instead; what cannot be approved as it is becomes a draft.
func (rc *reconciling) resend(ctx context.Context, r *Record, mine *Frozen, there int) error {
	log, err := rc.tx.Log(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read log of %s: %w", r.ID, err)
	}
	next := thaw(mine.Revision)
	next.Justifications = nil
	for _, e := range log {
		if e.Number <= there || e.State == Reopened {
			continue
		}
		rev, err := decode(e.Content)
		if err != nil {
			return fmt.Errorf("decode revision of %s: %w", r.ID, err)
		}
		next.Justifications = joinJustifications(next.Justifications, rev.Justifications)
	}
	if r.Travelling != nil {
		return nil // it carries more than mine; its result decides
	}
	if r.Approved != nil {
		waiting := *r.Approved.Revision
		waiting.Justifications = joinJustifications(next.Justifications, waiting.Justifications)
		e, err := seal(&waiting, r.ID, r.Approved.ApprovedBy, rc.tx)
		if err != nil {
			return err
		}
		e.Sequence = r.Approved.Sequence
		return rc.tx.Relink(ctx, *e)
	}
	return rc.approveAgain(ctx, r, next)
}

func (rc *reconciling) approveAgain(ctx context.Context, r *Record, next *certificate.Revision) error {
	found := []fault.Problem{{Code: "tables.missing"}}
	draft := *next
	if rc.check != nil {
		if err := syncLinks(ctx, rc.tx, next, false); err != nil {
			return err
		}
		on := bases(r)
		explain(r, next, on, "")
		var err error
		if found, err = rc.check.problems(ctx, next, on); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		link(next, r.Accepted, rc.tx.Now())
		e, err := seal(next, r.ID, rc.actor, rc.tx)
		if err != nil {
			return err
		}
		if err := rc.tx.InsertEntries(ctx, []Entry{*e}); err != nil {
			return fmt.Errorf("approve %s again: %w", r.ID, err)
		}
		r.Approved = &Frozen{Entry: *e, Revision: next}
		return rc.redescribe(ctx, r)
	}
	if r.Draft != nil {
		return nil // a person's newer content stands; mine stays in the log
	}
	rc.note(BackToDraft, r.Row, draft.Number, 0)
	var err error
	if r.Draft, err = putDraft(ctx, rc.tx, rc.actor, &draft); err != nil {
		return err
	}
	return rc.redescribe(ctx, r)
}

func (rc *reconciling) redescribe(ctx context.Context, r *Record) error {
	describe(&r.Row, r.Newest())
	touch(&r.Row, rc.tx.Now(), rc.actor)
	if err := rc.tx.UpdateRow(ctx, r.Row); err != nil {
		return err
	}
	return syncLinks(ctx, rc.tx, r.Newest(), false)
}

// retireTwin frees the identity of a revision that a record of another ID has
// here: somebody typed the same thing again on this copy of the base.
func (rc *reconciling) retireTwin(ctx context.Context, rev *certificate.Revision, r *Record) (*Record, error) {
	if r != nil && r.Newest() != nil && keyOf(r.Newest()) == rev.Key() {
		return nil, nil //nolint:nilnil // the record has its identity itself
	}
	id, err := FindByKey(ctx, rc.tx, rev)
	if err != nil || id == "" || id == rev.ID {
		return nil, err
	}
	twin, err := Find(ctx, rc.tx, id)
	if err != nil {
		return nil, err
	}
	if twin.Travelling != nil {
		return nil, fault.New(fault.Conflict, "reconcile.travelling", "registro", twin.Label)
	}
	for _, state := range []State{Approved, Accepted} {
		if _, err := rc.tx.MoveEntries(ctx, []certificate.ID{id}, state, Superseded); err != nil {
			return nil, fmt.Errorf("retire %s: %w", id, err)
		}
	}
	if err := rc.tx.DeleteDrafts(ctx, []certificate.ID{id}); err != nil {
		return nil, fmt.Errorf("retire %s: %w", id, err)
	}
	row := twin.Row
	row.Key, row.Folded = certificate.Key{}, ""
	touch(&row, rc.tx.Now(), rc.actor)
	if err := rc.tx.UpdateRow(ctx, row); err != nil {
		return nil, err
	}
	return twin, syncLinks(ctx, rc.tx, &certificate.Revision{ID: id, Certificate: &certificate.Certificate{}}, true)
}

// takeOver makes the twin's content the draft of the registry's record, and
// turns to it the certificates that refer to the twin.
func (rc *reconciling) takeOver(ctx context.Context, twin *Record, rev *certificate.Revision) error {
	rc.note(MergedRecord, twin.Row, 0, rev.Number)
	r, err := Find(ctx, rc.tx, rev.ID)
	if err != nil {
		return err
	}
	content := thaw(twin.Newest())
	content.ID = rev.ID
	changes, err := diff(r.Newest(), content)
	if err != nil {
		return err
	}
	switch {
	case len(changes) == 0:
	case r.Draft != nil: // one draft has room: the other stays readable in the history
		data, err := content.Encode()
		if err != nil {
			return fmt.Errorf("encode draft of %s: %w", twin.ID, err)
		}
		err = rc.tx.AppendAudit(ctx, audit.Event{Kind: "draft.merged", Subject: subject(r.Kind, r.ID), Actor: string(rc.actor),
			Detail: map[string]string{"de": string(twin.ID), "conteudo": string(data)}})
		if err != nil {
			return err
		}
	default:
		if r.Draft, err = putDraft(ctx, rc.tx, rc.actor, content); err != nil {
			return err
		}
		if err := rc.redescribe(ctx, r); err != nil {
			return err
		}
	}
	users, err := rc.tx.Linking(ctx, twin.ID)
	if err != nil {
		return fmt.Errorf("look for links to %s: %w", twin.ID, err)
	}
	for _, id := range users {
		if err := rc.turn(ctx, id, twin.ID, rev.ID); err != nil {
			return err
		}
	}
	return nil
}

// turn makes a certificate refer to another company or product, as a draft.
func (rc *reconciling) turn(ctx context.Context, id, from, to certificate.ID) error {
	r, err := Find(ctx, rc.tx, id)
	if err != nil {
		return err
	}
	if r.Approved != nil {
		rc.note(BackToDraft, r.Row, r.Approved.Number, 0)
		if err := reopen(ctx, rc.tx, rc.actor, r, "base.reconciled"); err != nil {
			return err
		}
	}
	newest := r.Newest()
	if newest == nil || !slices.Contains(linksOf(newest), from) {
		return nil
	}
	next, err := clone(newest)
	if err != nil {
		return err
	}
	next = thaw(next)
	turnLinks(next.Certificate, from, to)
	if r.Draft, err = putDraft(ctx, rc.tx, rc.actor, next); err != nil {
		return err
	}
	touch(&r.Row, rc.tx.Now(), rc.actor)
	if err := rc.tx.UpdateRow(ctx, r.Row); err != nil {
		return err
	}
	return syncLinks(ctx, rc.tx, next, true)
}

func turnLinks(c *certificate.Certificate, from, to certificate.ID) {
	swap := func(id *certificate.ID) {
		if *id == from {
			*id = to
		}
	}
	for i := range c.Companies {
		swap(&c.Companies[i].Company)
	}
	for i := range c.Products {
		swap(&c.Products[i].Product)
		swap(&c.Products[i].Company)
	}
	for i := range c.Services {
		swap(&c.Services[i].Company)
	}
}
