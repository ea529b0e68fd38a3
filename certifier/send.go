package certifier

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"selo/certificate"
	"selo/fault"
	"selo/remessa"
)

// Cancel withdraws the prepared remessa: its revisions are approved again and
// its number is used by the next (manual 2.2.3). Faults: Conflict
// "remessa.none", and "remessa.sent" once it was sent.
func Cancel(ctx context.Context, tx Tx, actor Actor, out Outbox) (*Remessa, error) {
	r, err := Outstanding(ctx, tx)
	if err != nil {
		return nil, err
	}
	if r.State != Prepared {
		return nil, fault.New(fault.Conflict, "remessa.sent", "numero", number(r.Sequence))
	}
	if err := withdraw(ctx, tx, actor, r); err != nil {
		return nil, err
	}
	_, err = out.sweep("") // if the commit fails, Resume writes the file again
	return r, err
}

func withdraw(ctx context.Context, tx Tx, actor Actor, r *Remessa) error {
	from := r.State
	r.State = Withdrawn
	if err := tx.UpdateRemessa(ctx, *r, from); err != nil {
		return err
	}
	if err := tx.Settle(ctx, false); err != nil {
		return fmt.Errorf("take back remessa %d: %w", r.Sequence, err)
	}
	return logRemessa(ctx, tx, actor, "remessa.cancelled", r, nil)
}

// Outstanding returns the remessa that is prepared or sent, or fault.Conflict "remessa.none".
func Outstanding(ctx context.Context, tx Tx) (*Remessa, error) {
	r, err := FindOutstanding(ctx, tx)
	if err == nil && r == nil {
		err = fault.New(fault.Conflict, "remessa.none")
	}
	return r, err
}

// The ways in which a remessa leaves.
const (
	ByHTTPS = "https"
	ByFile  = "arquivo"
)

// MarkSent writes down that the outstanding remessa has left. From here on only
// a result ends it. Doing it again changes nothing. Fault: Conflict "remessa.none".
func MarkSent(ctx context.Context, tx Tx, actor Actor, how string) (*Remessa, error) {
	r, err := Outstanding(ctx, tx)
	if err != nil || r.State == Sent {
		return r, err
	}
	r.State, r.SentAt, r.How = Sent, tx.Now(), how
	if err := tx.UpdateRemessa(ctx, *r, Prepared); err != nil {
		return nil, err
	}
	return r, logRemessa(ctx, tx, actor, "remessa.sent", r, map[string]string{"meio": how})
}

// MarkRefused takes back [MarkSent] when the registry itself said that it did
// not take the remessa: it is prepared again, and may be cancelled. Fault:
// Conflict "remessa.none".
func MarkRefused(ctx context.Context, tx Tx, actor Actor, sequence int64) error {
	r, err := Outstanding(ctx, tx)
	if err != nil {
		return err
	}
	if r.State != Sent || r.Sequence != sequence || r.How != ByHTTPS {
		return nil
	}
	r.State, r.SentAt, r.How = Prepared, time.Time{}, ""
	if err := tx.UpdateRemessa(ctx, *r, Sent); err != nil {
		return err
	}
	return logRemessa(ctx, tx, actor, "remessa.refused", r, nil)
}

// Export copies the outstanding remessa's file into a folder, to be handed over
// by hand, and counts it as sent: nobody can tell what happens to it there. It
// returns the copy's path. Faults: Conflict "remessa.none"; Invalid
// "remessa.export_folder" for the outbox itself; Unavailable "remessa.folder",
// "remessa.file_missing" (see [Resume]).
func Export(ctx context.Context, tx Tx, actor Actor, out Outbox, dir string) (string, error) {
	r, err := Outstanding(ctx, tx)
	if err != nil {
		return "", err
	}
	path, err := out.copyTo(r.File, dir)
	if err != nil {
		return "", err
	}
	_, err = MarkSent(ctx, tx, actor, ByFile)
	return path, err
}

// Repair is one thing that [Resume] put right.
type Repair struct {
	Kind string // "file.rewritten", "file.removed", "remessa.withdrawn", "file.lost"
	File string
}

// Resume brings the outbox and the base together after a crash, a full disk or
// a curious hand. Call it in a read-write transaction before using the outbox. A missing or damaged file of
// the outstanding remessa is written again, the same but for its signature when
// the body has new keys; where that is not possible a prepared remessa is
// withdrawn, and a sent one waits for its result without a file. Any other
// bundle is removed.
func Resume(ctx context.Context, tx Tx, keys remessa.Keys, out Outbox) ([]Repair, error) {
	r, err := FindOutstanding(ctx, tx)
	if err != nil {
		return nil, err
	}
	var repairs []Repair
	keep := ""
	if r != nil && r.File != "" {
		keep = r.File
		have, err := out.digestOf(r.File, keys.Public().Sign)
		if err != nil || have != r.Digest {
			if err != nil && fault.Of(err) == nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("read %s: %w", r.File, err)
			}
			repair, err := rewrite(ctx, tx, keys, out, r)
			if err != nil {
				return nil, err
			}
			repairs = append(repairs, repair)
			if r.State == Withdrawn {
				keep = ""
			}
		}
	}
	removed, err := out.sweep(keep)
	for _, name := range removed {
		repairs = append(repairs, Repair{Kind: "file.removed", File: name})
	}
	return repairs, err
}

// rewrite makes the file of a remessa again from what travels.
func rewrite(ctx context.Context, tx Tx, keys remessa.Keys, out Outbox, r *Remessa) (Repair, error) {
	body, err := CurrentBody(ctx, tx)
	if err != nil {
		return Repair{}, err
	}
	_, digest, err := out.write(r.File, head(body, r), keys.Sign, func(w *remessa.Writer) error {
		return eachTravelling(ctx, tx, r.ID, w.Add)
	})
	if err != nil {
		return Repair{}, err
	}
	if digest == r.Digest {
		return Repair{Kind: "file.rewritten", File: r.File}, nil
	}
	if r.State == Prepared {
		return Repair{Kind: "remessa.withdrawn", File: r.File}, withdraw(ctx, tx, System, r)
	}
	_, err = out.sweep("")
	return Repair{Kind: "file.lost", File: r.File}, err
}

func eachTravelling(ctx context.Context, tx Tx, id int64, visit func(certificate.Kind, []byte) error) error {
	for _, kind := range kinds {
		size := pageSizeOf(kind)
		for after := certificate.ID(""); ; {
			page, err := tx.PageTravelling(ctx, kind, id, after, size)
			if err != nil {
				return fmt.Errorf("list travelling revisions: %w", err)
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				if err := visit(kind, e.Content); err != nil {
					return err
				}
			}
			after = page[len(page)-1].Record
		}
	}
	return nil
}
