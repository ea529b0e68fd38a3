package certifier

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"selo/certificate"
	"selo/fault"
)

// Incomplete is a draft certificate that cannot be approved yet, with why.
type Incomplete struct {
	Row
	SavedAt  string // RFC 3339, UTC
	SavedBy  Actor
	Problems []fault.Problem
}

// ApproveReady approves all that is complete: every certificate whose draft,
// with the drafts it links to, breaks no rule, and changed companies and
// products that were approved before. It returns what was approved and the
// certificates, companies and products that are not ready, each with its
// problems. A new company or product waits for a certificate that needs it.
//
// Faults: Conflict "tables.missing", "body.missing".
func ApproveReady(ctx context.Context, tx Tx, actor Actor) (Approval, []Incomplete, error) {
	c, err := newChecker(ctx, tx, false)
	if err != nil {
		return Approval{}, nil, err
	}
	x := examiner{checker: c, done: map[certificate.ID][]fault.Problem{}}
	var ready []certificate.ID
	var open []Incomplete
	for _, kind := range []certificate.Kind{certificate.KindCertificate, certificate.KindCompany, certificate.KindProduct} {
		err := eachDraft(ctx, tx, kind, func(r *Record) error {
			if kind != certificate.KindCertificate && r.newestFrozen() == nil {
				return nil
			}
			found, err := x.group(ctx, r)
			if err != nil {
				return err
			}
			if len(found) > 0 {
				open = append(open, incomplete(r, found))
				return nil
			}
			ready = append(ready, r.ID)
			return nil
		})
		if err != nil {
			return Approval{}, nil, err
		}
	}
	a := &approver{checker: c, actor: actor, sound: x.done}
	approval, err := a.approve(ctx, ready)
	return approval, open, err
}

func incomplete(r *Record, found []fault.Problem) Incomplete {
	return Incomplete{Row: r.Row, SavedAt: stamp(r.Draft.SavedAt), SavedBy: r.Draft.SavedBy, Problems: found}
}

// eachDraft visits the records of a kind that have a draft, by ID.
func eachDraft(ctx context.Context, tx Tx, kind certificate.Kind, visit func(*Record) error) error {
	size := pageSizeOf(kind)
	for after := certificate.ID(""); ; {
		ids, err := tx.PageDrafts(ctx, kind, after, size)
		if err != nil {
			return fmt.Errorf("list drafts: %w", err)
		}
		if len(ids) == 0 {
			return nil
		}
		records, err := load(ctx, tx, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := visit(records[id]); err != nil {
				return err
			}
		}
		after = ids[len(ids)-1]
	}
}

// examiner checks drafts without writing, each record once.
type examiner struct {
	*checker
	done map[certificate.ID][]fault.Problem
}

// group lists the problems of a record's draft and of the drafts it links to.
func (x *examiner) group(ctx context.Context, r *Record) ([]fault.Problem, error) {
	linked, err := x.tx.HavingDraft(ctx, linksOf(r.Draft.Revision))
	if err != nil {
		return nil, fmt.Errorf("read drafts under %s: %w", r.ID, err)
	}
	slices.SortFunc(linked, compareIDs)
	var all []fault.Problem
	for page := range slices.Chunk(linked, pageSize) {
		fresh := slices.DeleteFunc(slices.Clone(page), func(id certificate.ID) bool { _, known := x.done[id]; return known })
		records, err := load(ctx, x.tx, fresh)
		if err != nil {
			return nil, err
		}
		for id, other := range records {
			if x.done[id], err = x.one(ctx, other); err != nil {
				return nil, err
			}
		}
		for _, id := range page {
			all = append(all, x.done[id]...)
		}
	}
	own, known := x.done[r.ID]
	if !known {
		if own, err = x.one(ctx, r); err != nil {
			return nil, err
		}
		x.done[r.ID] = own
	}
	return append(all, own...), nil
}

// one checks a copy, because checking links and explains the content.
func (x *examiner) one(ctx context.Context, r *Record) ([]fault.Problem, error) {
	next := *r.Draft.Revision
	on := bases(r)
	explain(r, &next, on, "")
	return x.problems(ctx, &next, on)
}

func compareIDs(a, b certificate.ID) int { return strings.Compare(string(a), string(b)) }
