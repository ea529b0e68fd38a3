package certifier

import (
	"context"
	"fmt"
	"slices"

	"selo/certificate"
	"selo/fault"
)

// Approval is what an approval did.
type Approval struct {
	Certificates, Companies, Products int // approved
	Unchanged                         int // asked for, but with nothing to approve
}

// Total is the number of records approved.
func (a Approval) Total() int { return a.Certificates + a.Companies + a.Products }

const (
	pageSize        = 1000 // companies and products handled at a time
	certificatePage = 16   // certificates may be large
	maxProblems     = 1000 // problems a fault lists; its argument "total" counts the rest
)

// Approve freezes drafts as revisions for the next remessa (manual 2.2.2). With
// a certificate go the drafts of its companies and products; a company or a
// product may also be approved alone (FAQ 3.17). justification, when not blank,
// explains the changes of approved certificates that nothing explains yet.
//
// All are approved or none: fault.Invalid "approve.problems" lists every broken
// rule of every record. Other faults: NotFound "record.not_found", Conflict
// "tables.missing", "body.missing". Approving what has no draft changes nothing.
func Approve(ctx context.Context, tx Tx, actor Actor, ids []certificate.ID, justification string) (Approval, error) {
	c, err := newChecker(ctx, tx, false)
	if err != nil {
		return Approval{}, err
	}
	a := &approver{checker: c, actor: actor, justification: justification}
	return a.approve(ctx, ids)
}

func (a *approver) approve(ctx context.Context, ids []certificate.ID) (Approval, error) {
	groups, err := a.expand(ctx, ids)
	if err != nil {
		return Approval{}, err
	}
	for _, kind := range kinds {
		size := pageSizeOf(kind)
		for page := range slices.Chunk(groups[kind], size) {
			if err := a.approvePage(ctx, kind, page); err != nil {
				return Approval{}, err
			}
		}
	}
	if a.total > 0 {
		return Approval{}, &fault.Fault{Kind: fault.Invalid, Key: "approve.problems",
			Args: fault.Pairs("total", number(int64(a.total))), Problems: a.problems}
	}
	return a.result, nil
}

// kinds in the order in which they are approved and sent: what is referred to first.
var kinds = []certificate.Kind{certificate.KindCompany, certificate.KindProduct, certificate.KindCertificate}

type approver struct {
	*checker
	actor         Actor
	justification string
	sound         map[certificate.ID][]fault.Problem // what an examiner has said already
	problems      []fault.Problem
	total         int
	result        Approval
}

// expand sorts the records by kind and adds the drafts that certificates link to.
func (a *approver) expand(ctx context.Context, ids []certificate.ID) (map[certificate.Kind][]certificate.ID, error) {
	groups := map[certificate.Kind][]certificate.ID{}
	seen := map[certificate.ID]bool{}
	for page := range slices.Chunk(ids, pageSize) {
		rows, err := a.tx.Rows(ctx, page)
		if err != nil {
			return nil, fmt.Errorf("read records: %w", err)
		}
		for _, id := range page {
			row, ok := rows[id]
			if !ok {
				return nil, notFound(id)
			}
			if !seen[id] {
				seen[id] = true
				groups[row.Kind] = append(groups[row.Kind], id)
			}
		}
	}
	for _, id := range groups[certificate.KindCertificate] {
		linked, err := draftsUnder(ctx, a.tx, id)
		if err != nil {
			return nil, err
		}
		for _, row := range linked {
			if !seen[row.ID] {
				seen[row.ID] = true
				groups[row.Kind] = append(groups[row.Kind], row.ID)
			}
		}
	}
	return groups, nil
}

// draftsUnder lists the records with a draft that a certificate's draft links to.
func draftsUnder(ctx context.Context, tx Tx, id certificate.ID) ([]Row, error) {
	drafts, err := tx.Drafts(ctx, []certificate.ID{id})
	if err != nil {
		return nil, fmt.Errorf("read draft of %s: %w", id, err)
	}
	d, ok := drafts[id]
	if !ok {
		return nil, nil
	}
	rev, err := decode(d.Content)
	if err != nil {
		return nil, fmt.Errorf("decode draft of %s: %w", id, err)
	}
	having, err := tx.HavingDraft(ctx, linksOf(rev))
	if err != nil {
		return nil, fmt.Errorf("read drafts under %s: %w", id, err)
	}
	rows, err := tx.Rows(ctx, having)
	if err != nil {
		return nil, fmt.Errorf("read records under %s: %w", id, err)
	}
	list := make([]Row, 0, len(rows))
	for _, row := range rows {
		list = append(list, row)
	}
	slices.SortFunc(list, func(x, y Row) int { return compareIDs(x.ID, y.ID) })
	return list, nil
}

func (a *approver) approvePage(ctx context.Context, kind certificate.Kind, ids []certificate.ID) error {
	records, err := load(ctx, a.tx, ids)
	if err != nil {
		return err
	}
	var entries []Entry
	var done, superseded []certificate.ID
	for _, id := range ids {
		r := records[id]
		if r.Draft == nil {
			a.result.Unchanged++
			continue
		}
		e, err := a.freeze(ctx, r)
		if err != nil {
			return err
		}
		if e == nil || a.total > 0 {
			continue // nothing will be committed: only look for more problems
		}
		entries, done = append(entries, *e), append(done, id)
		if r.Approved != nil {
			superseded = append(superseded, id)
		}
	}
	switch kind {
	case certificate.KindCompany:
		a.result.Companies += len(done)
	case certificate.KindProduct:
		a.result.Products += len(done)
	case certificate.KindCertificate:
		a.result.Certificates += len(done)
	}
	return a.write(ctx, entries, done, superseded, records)
}

// freeze makes the revision of a record's draft; nil when it breaks a rule.
func (a *approver) freeze(ctx context.Context, r *Record) (*Entry, error) {
	on := bases(r)
	next := r.Draft.Revision
	explain(r, next, on, a.justification)
	next.Clean()
	found, examined := a.sound[r.ID]
	if !examined {
		var err error
		if found, err = a.checker.problems(ctx, next, on); err != nil {
			return nil, err
		}
	}
	if len(found) > 0 {
		a.total += len(found)
		room := max(0, maxProblems-len(a.problems))
		a.problems = append(a.problems, found[:min(room, len(found))]...)
		return nil, nil //nolint:nilnil // the problems are in a
	}
	base := r.Accepted
	if r.Travelling != nil {
		base = r.Travelling
	}
	link(next, base, a.tx.Now())
	return seal(next, r.ID, a.actor, a.tx)
}

// explain gathers the justifications of everything the revision may have to
// explain: its own, and those of waiting revisions whose place it takes.
func explain(r *Record, next *certificate.Revision, on []*Frozen, text string) {
	if next.Certificate == nil || len(on) == 0 {
		next.Justifications = nil
		return
	}
	list := next.Justifications
	if r.Approved != nil {
		list = joinJustifications(r.Approved.Revision.Justifications, list)
	}
	if r.Travelling != nil {
		list = joinJustifications(r.Travelling.Revision.Justifications, list)
	}
	var changes []certificate.Change
	for _, base := range on {
		changes = append(changes, certificate.Diff(base.Revision.Certificate, next.Certificate)...)
	}
	list = addJustification(list, uncovered(list, changes), text)
	next.Justifications = trimJustifications(list, changes)
}

// seal encodes a linked revision as an approved entry of the log.
func seal(next *certificate.Revision, id certificate.ID, actor Actor, tx Tx) (*Entry, error) {
	content, err := next.Encode()
	if err != nil {
		return nil, fmt.Errorf("encode revision of %s: %w", id, err)
	}
	return &Entry{
		Record: id, Kind: next.Kind(), Number: next.Number, Hash: certificate.HashOf(content), State: Approved,
		Content: content, ApprovedAt: tx.Now(), ApprovedBy: actor,
	}, nil
}

func (a *approver) write(ctx context.Context, entries []Entry, done, superseded []certificate.ID, records map[certificate.ID]*Record) error {
	if len(entries) == 0 {
		return nil
	}
	if _, err := a.tx.MoveEntries(ctx, superseded, Approved, Superseded); err != nil {
		return fmt.Errorf("supersede revisions: %w", err)
	}
	if err := a.tx.InsertEntries(ctx, entries); err != nil {
		return fmt.Errorf("write revisions: %w", err)
	}
	if err := a.tx.DeleteDrafts(ctx, done); err != nil {
		return fmt.Errorf("delete drafts: %w", err)
	}
	if err := a.tx.TouchRows(ctx, done, a.actor); err != nil {
		return fmt.Errorf("update records: %w", err)
	}
	for _, id := range done {
		if r := records[id]; r.Kind == certificate.KindCertificate {
			if err := syncLinks(ctx, a.tx, r.Draft.Revision, true); err != nil {
				return err
			}
		}
	}
	return nil // the log of revisions itself tells who approved what, and when
}
