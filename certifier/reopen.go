package certifier

import (
	"context"
	"fmt"
	"time"

	"selo/audit"
	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

// Reopen gives an approved revision that waits back to the draft, so that it
// can be corrected. What was never accepted thaws with it, frozen fields
// included: that is how the cause of an invalidation is removed. A draft that
// exists already stays as it is. Certificates that wait and need a company or
// product which was never accepted are reopened along; all that were reopened
// are returned.
//
// Faults: Invalid "reopen.reason" when reason is blank; NotFound
// "record.not_found"; Conflict "record.travelling" while only a remessa holds
// it, "record.not_approved" when nothing waits.
func Reopen(ctx context.Context, tx Tx, actor Actor, id certificate.ID, reason string) ([]certificate.ID, error) {
	if brasil.Squeeze(reason) == "" {
		return nil, fault.New(fault.Invalid, "reopen.reason")
	}
	r, err := Find(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if r.Approved == nil {
		key := "record.not_approved"
		if r.Travelling != nil {
			key = "record.travelling"
		}
		return nil, fault.New(fault.Conflict, key, "registro", r.Label)
	}
	if err := reopen(ctx, tx, actor, r, reason); err != nil {
		return nil, err
	}
	reopened := []certificate.ID{id}
	if r.Kind == certificate.KindCertificate || r.Accepted != nil || r.Travelling != nil {
		return reopened, nil
	}
	users, err := tx.Linking(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("look for links to %s: %w", id, err)
	}
	for _, user := range users {
		u, err := Find(ctx, tx, user)
		if err != nil {
			return nil, err
		}
		if u.Approved == nil {
			continue
		}
		if err := reopen(ctx, tx, actor, u, reason); err != nil {
			return nil, err
		}
		reopened = append(reopened, user)
	}
	return reopened, nil
}

func reopen(ctx context.Context, tx Tx, actor Actor, r *Record, reason string) error {
	n, err := tx.MoveEntries(ctx, []certificate.ID{r.ID}, Approved, Reopened)
	if err != nil {
		return fmt.Errorf("reopen %s: %w", r.ID, err)
	}
	if n != 1 {
		return fault.New(fault.Conflict, "record.changed", "registro", r.Label, "por", string(r.ChangedBy))
	}
	waiting := r.Approved.Revision
	draft := thaw(waiting)
	if r.Draft != nil {
		draft = r.Draft.Revision
		draft.Justifications = joinJustifications(waiting.Justifications, draft.Justifications)
	}
	if r.Draft, err = putDraft(ctx, tx, actor, draft); err != nil {
		return err
	}
	r.Approved = nil
	touch(&r.Row, tx.Now(), actor)
	if err := tx.UpdateRow(ctx, r.Row); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, audit.Event{Kind: "record.reopened", Subject: subject(r.Kind, r.ID), Actor: string(actor),
		Detail: map[string]string{"motivo": brasil.Squeeze(reason)}})
}

// thaw makes draft content of a revision.
func thaw(r *certificate.Revision) *certificate.Revision {
	draft := *r
	draft.Number, draft.Previous, draft.ApprovedAt = 0, certificate.Hash{}, time.Time{}
	return &draft
}
