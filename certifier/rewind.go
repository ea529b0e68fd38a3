package certifier

import (
	"context"
	"fmt"

	"selo/fault"
	"selo/remessa"
)

// head is the last remessa that the registry processed; nil when that is not known.
func (o Official) head() *remessa.Head {
	if o.Head != nil || len(o.Results) == 0 {
		return o.Head
	}
	last := o.Results[len(o.Results)-1]
	return &remessa.Head{Sequence: last.Sequence, Previous: last.Digest}
}

// rewind follows a registry that went back to a backup of its base: what ended
// here and is unknown there is withdrawn, because the registry expects those
// numbers again, and what was prepared on top of it can never arrive. The
// records themselves go with the next remessa, see [reconciling.missingThere].
//
// A base that was made before a result was applied here is only out of date:
// fault.Conflict "reconcile.stale".
func (rc *reconciling) rewind(ctx context.Context, head *remessa.Head) error {
	if head == nil {
		return nil
	}
	all, err := rc.tx.ListRemessas(ctx, 0)
	if err != nil {
		return fmt.Errorf("list remessas: %w", err)
	}
	var lost []*Remessa
	for i := range all {
		r := &all[i]
		switch {
		case r.State == Withdrawn:
		case r.State.Outstanding():
			if r.Sequence > head.Sequence+1 || r.Sequence == head.Sequence+1 && r.Previous != head.Previous {
				lost = append(lost, r)
			}
		case r.Sequence > head.Sequence || r.Sequence == head.Sequence && r.Digest != head.Previous:
			if !head.PreparedAt.IsZero() && r.ResultAt.After(head.PreparedAt) {
				return fault.New(fault.Conflict, "reconcile.stale", "numero", number(r.Sequence))
			}
			lost = append(lost, r)
		}
	}
	for _, r := range lost {
		if err := rc.undo(ctx, r); err != nil {
			return err
		}
		rc.found = append(rc.found, Difference{Kind: RemessaLost, Here: int(r.Sequence), There: int(r.Sequence)})
	}
	return nil
}

// undo withdraws a remessa in whatever state.
func (rc *reconciling) undo(ctx context.Context, r *Remessa) error {
	if r.State.Outstanding() {
		return withdraw(ctx, rc.tx, rc.actor, r)
	}
	from := r.State
	r.State = Withdrawn
	if err := rc.tx.UpdateRemessa(ctx, *r, from); err != nil {
		return err
	}
	if r.File == "" {
		return nil // it was learnt, and no event told of it
	}
	return logRemessa(ctx, rc.tx, rc.actor, "remessa.undone", r, map[string]string{"estado": string(from)})
}
