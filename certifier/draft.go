package certifier

import (
	"context"
	"fmt"
	"strings"
	"time"

	"selo/audit"
	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

// Edit is one change of a draft.
type Edit struct {
	ID certificate.ID // empty: a new record
	// Version is that of the record the editor saw, so that two people cannot
	// overwrite each other; 0 asks for no such check.
	Version int64
	// Content is the record as it shall be; only the certificate, company or product in it counts.
	Content *certificate.Revision
	// Justification explains what changed against the state before (manual
	// 2.2.1.2). It may be blank here, but not at approval.
	Justification string
}

// SaveDraft writes a record's draft and returns the record. A draft may be
// incomplete; what is missing is counted, not refused. Approved and accepted
// revisions stay as they are. Saving what is there already changes nothing.
//
// Faults: Invalid "draft.invalid" with what no draft may hold, "draft.kind";
// NotFound "record.not_found"; Conflict "record.changed" when someone else saved
// meanwhile, "certificate.exists", "company.exists" or "product.exists" naming
// the record of the same identity, "body.missing".
func SaveDraft(ctx context.Context, tx Tx, actor Actor, e Edit) (*Record, error) {
	rev, err := prepareContent(ctx, tx, e.ID, e.Content)
	if err != nil {
		return nil, err
	}
	if e.ID == "" {
		return create(ctx, tx, actor, rev)
	}
	r, err := Find(ctx, tx, e.ID)
	if err != nil {
		return nil, err
	}
	if e.Version != 0 && e.Version != r.Version {
		return nil, fault.New(fault.Conflict, "record.changed", "registro", r.Label, "por", string(r.ChangedBy))
	}
	if r.Kind != rev.Kind() {
		return nil, fault.New(fault.Invalid, "draft.kind", "registro", r.Label)
	}
	return change(ctx, tx, actor, r, rev, e.Justification)
}

// prepareContent copies and cleans what a person or program hands in.
func prepareContent(ctx context.Context, tx Tx, id certificate.ID, content *certificate.Revision) (*certificate.Revision, error) {
	if content == nil || content.Kind() == "" {
		return nil, fault.New(fault.Invalid, "draft.kind", "registro", "")
	}
	body, err := CurrentBody(ctx, tx)
	if err != nil {
		return nil, err
	}
	if id == "" {
		id = certificate.NewID()
	}
	rev, err := clone(&certificate.Revision{
		ID: id, Body: body.Sigla, Certificate: content.Certificate, Company: content.Company, Product: content.Product,
	})
	if err != nil {
		return nil, err
	}
	rev.Clean()
	return rev, nil
}

// checkDraft refuses what no draft may hold.
func checkDraft(tx Tx, rev *certificate.Revision) error {
	var rules certificate.Rules // what a draft may hold does not depend on the tables
	return fault.WithProblems("draft.invalid", rules.CheckDraft(rev, brasil.Today(tx.Now())))
}

// clone copies through JSON, so that nothing is shared with the caller.
func clone(r *certificate.Revision) (*certificate.Revision, error) {
	data, err := r.Encode()
	if err != nil {
		return nil, fmt.Errorf("copy revision: %w", err)
	}
	return decode(data)
}

func create(ctx context.Context, tx Tx, actor Actor, rev *certificate.Revision) (*Record, error) {
	if err := checkDraft(tx, rev); err != nil {
		return nil, err
	}
	records, err := createAll(ctx, tx, actor, []*certificate.Revision{rev})
	if err != nil {
		return nil, err
	}
	r := records[0]
	return r, tx.AppendAudit(ctx, audit.Event{Kind: "record.created", Subject: subject(r.Kind, r.ID), Actor: string(actor),
		Detail: map[string]string{"registro": r.Label}})
}

// createAll makes new records with drafts; their identities must be free.
func createAll(ctx context.Context, tx Tx, actor Actor, revs []*certificate.Revision) ([]*Record, error) {
	now := tx.Now()
	rows := make([]Row, len(revs))
	for i, rev := range revs {
		rows[i] = Row{ID: rev.ID, Version: 1, CreatedAt: now, CreatedBy: actor, ChangedAt: now, ChangedBy: actor}
		describe(&rows[i], rev)
	}
	if err := checkFree(ctx, tx, rows...); err != nil {
		return nil, err
	}
	if err := tx.InsertRows(ctx, rows); err != nil {
		return nil, err
	}
	drafts, err := putDrafts(ctx, tx, actor, revs)
	if err != nil {
		return nil, err
	}
	records := make([]*Record, len(revs))
	for i, rev := range revs {
		records[i] = &Record{Row: rows[i], Draft: drafts[i]}
		if err := tx.AddLinks(ctx, rev.ID, linksOf(rev)); err != nil {
			return nil, fmt.Errorf("link %s: %w", rev.ID, err)
		}
	}
	return records, nil
}

func change(ctx context.Context, tx Tx, actor Actor, r *Record, rev *certificate.Revision, justification string) (*Record, error) {
	old := r.Newest()
	rev.ID = r.ID
	changes, err := diff(old, rev)
	if err != nil {
		return nil, err
	}
	if r.Draft != nil {
		rev.Justifications = r.Draft.Revision.Justifications
	}
	if len(changes) == 0 && old != nil {
		if changes, err = unexplained(r, rev, justification); err != nil || len(changes) == 0 {
			return r, err
		}
	}
	if r.newestFrozen() != nil || len(rev.Justifications) > 0 {
		rev.Justifications = addJustification(rev.Justifications, changes, justification)
	}
	if err := checkDraft(tx, rev); err != nil {
		return nil, err
	}
	describe(&r.Row, rev)
	touch(&r.Row, tx.Now(), actor)
	if err := checkFree(ctx, tx, r.Row); err != nil {
		return nil, err
	}
	if err := tx.UpdateRow(ctx, r.Row); err != nil {
		return nil, err
	}
	if r.Draft, err = putDraft(ctx, tx, actor, rev); err != nil {
		return nil, err
	}
	if err := syncLinks(ctx, tx, rev, r.Approved == nil && r.Travelling == nil); err != nil {
		return nil, err
	}
	detail := map[string]string{"campos": strings.Join(topFields(changes), ", ")}
	if j := brasil.Squeeze(justification); j != "" {
		detail["justificativa"] = j
	}
	return r, tx.AppendAudit(ctx, audit.Event{Kind: "draft.saved", Subject: subject(r.Kind, r.ID),
		Actor: string(actor), Detail: detail})
}

// unexplained lists the draft's changes that a justification given afterwards
// would be the first to explain.
func unexplained(r *Record, rev *certificate.Revision, justification string) ([]certificate.Change, error) {
	base := r.newestFrozen()
	if brasil.Squeeze(justification) == "" || r.Draft == nil || base == nil || rev.Certificate == nil {
		return nil, nil
	}
	changes, err := diff(base, rev)
	return uncovered(rev.Justifications, changes), err
}

func touch(row *Row, now time.Time, actor Actor) {
	row.Version++
	row.ChangedAt, row.ChangedBy = now, actor
}

// putDraft stores one draft.
func putDraft(ctx context.Context, tx Tx, actor Actor, rev *certificate.Revision) (*Drafted, error) {
	drafts, err := putDrafts(ctx, tx, actor, []*certificate.Revision{rev})
	if err != nil {
		return nil, err
	}
	return drafts[0], nil
}

// putDrafts counts what is pending and stores the drafts.
func putDrafts(ctx context.Context, tx Tx, actor Actor, revs []*certificate.Revision) ([]*Drafted, error) {
	var rules *certificate.Rules
	for _, rev := range revs {
		if rev.Certificate == nil {
			continue
		}
		var err error
		if rules, err = findRules(ctx, tx); err != nil {
			return nil, err
		}
		break
	}
	drafts := make([]Draft, len(revs))
	list := make([]*Drafted, len(revs))
	for i, rev := range revs {
		content, err := rev.Encode()
		if err != nil {
			return nil, fmt.Errorf("encode draft of %s: %w", rev.ID, err)
		}
		drafts[i] = Draft{Record: rev.ID, Kind: rev.Kind(), Content: content, SavedAt: tx.Now(), SavedBy: actor}
		if rev.Certificate != nil {
			drafts[i].Pending = len(pendingOf(rules, rev))
		}
		list[i] = &Drafted{Draft: drafts[i], Revision: rev}
	}
	if err := tx.PutDrafts(ctx, drafts); err != nil {
		return nil, fmt.Errorf("write drafts: %w", err)
	}
	return list, nil
}

// syncLinks brings a certificate's links up to its content. Links that only a
// waiting or travelling revision has stay until drop.
func syncLinks(ctx context.Context, tx Tx, rev *certificate.Revision, drop bool) error {
	if rev.Certificate == nil {
		return nil
	}
	have, err := tx.Links(ctx, rev.ID)
	if err != nil {
		return fmt.Errorf("read links of %s: %w", rev.ID, err)
	}
	var missing, stale []certificate.ID
	for _, id := range linksOf(rev) {
		if !have[id] {
			missing = append(missing, id)
		}
		delete(have, id)
	}
	if err := tx.AddLinks(ctx, rev.ID, missing); err != nil {
		return fmt.Errorf("link %s: %w", rev.ID, err)
	}
	if !drop || len(have) == 0 {
		return nil
	}
	for id := range have {
		stale = append(stale, id)
	}
	if err := tx.RemoveLinks(ctx, rev.ID, stale); err != nil {
		return fmt.Errorf("unlink %s: %w", rev.ID, err)
	}
	return nil
}

// checkFree refuses identities that other records have (manual 2.2.1.1, steps 6
// and 7). The rows are of one kind.
func checkFree(ctx context.Context, tx Tx, rows ...Row) error {
	keys := make([]certificate.Key, 0, len(rows))
	for _, row := range rows {
		if row.Key != (certificate.Key{}) {
			keys = append(keys, row.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	found, err := tx.FindKeys(ctx, rows[0].Kind, keys)
	if err != nil {
		return fmt.Errorf("look for the same record: %w", err)
	}
	for _, row := range rows {
		if other, taken := found[row.Key]; taken && other != row.ID {
			return exists(row, other)
		}
	}
	return nil
}

func exists(row Row, other certificate.ID) error {
	keys := map[certificate.Kind]string{
		certificate.KindCertificate: "certificate.exists",
		certificate.KindCompany:     "company.exists",
		certificate.KindProduct:     "product.exists",
	}
	return fault.New(fault.Conflict, keys[row.Kind], "registro", row.Label, "id", string(other))
}

// DiscardDraft undoes everything since the last approval. A record that was
// never approved vanishes; one whose only revision was reopened is retired: it
// stays in the log and its name is free again.
//
// Faults: NotFound "record.not_found"; Conflict "draft.none", "record.changed",
// "record.in_use" when certificates link to a record that would vanish, and
// "….exists" when its former name was taken meanwhile.
func DiscardDraft(ctx context.Context, tx Tx, actor Actor, id certificate.ID, version int64) error {
	r, err := Find(ctx, tx, id)
	if err != nil {
		return err
	}
	if version != 0 && version != r.Version {
		return fault.New(fault.Conflict, "record.changed", "registro", r.Label, "por", string(r.ChangedBy))
	}
	if r.Draft == nil {
		return fault.New(fault.Conflict, "draft.none", "registro", r.Label)
	}
	label := r.Label
	if back := r.newestFrozen(); back != nil {
		err = restore(ctx, tx, actor, r, back)
	} else {
		err = vanish(ctx, tx, actor, r)
	}
	if err != nil {
		return err
	}
	return tx.AppendAudit(ctx, audit.Event{Kind: "draft.discarded", Subject: subject(r.Kind, id), Actor: string(actor),
		Detail: map[string]string{"registro": label}})
}

// restore makes back the record's newest content again.
func restore(ctx context.Context, tx Tx, actor Actor, r *Record, back *certificate.Revision) error {
	describe(&r.Row, back)
	touch(&r.Row, tx.Now(), actor)
	if err := checkFree(ctx, tx, r.Row); err != nil {
		return err
	}
	if err := tx.UpdateRow(ctx, r.Row); err != nil {
		return err
	}
	if err := tx.DeleteDrafts(ctx, []certificate.ID{r.ID}); err != nil {
		return fmt.Errorf("delete draft of %s: %w", r.ID, err)
	}
	return syncLinks(ctx, tx, back, true)
}

// vanish takes a record without live revision out of the tables.
func vanish(ctx context.Context, tx Tx, actor Actor, r *Record) error {
	users, err := tx.Linking(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("look for links to %s: %w", r.ID, err)
	}
	if len(users) > 0 {
		return inUse(ctx, tx, r, users)
	}
	log, err := tx.Log(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read log of %s: %w", r.ID, err)
	}
	if len(log) == 0 {
		return tx.DeleteRow(ctx, r.ID)
	}
	r.Key, r.Folded = certificate.Key{}, ""
	touch(&r.Row, tx.Now(), actor)
	if err := tx.UpdateRow(ctx, r.Row); err != nil {
		return err
	}
	if err := tx.DeleteDrafts(ctx, []certificate.ID{r.ID}); err != nil {
		return fmt.Errorf("delete draft of %s: %w", r.ID, err)
	}
	return syncLinks(ctx, tx, &certificate.Revision{ID: r.ID, Certificate: &certificate.Certificate{}}, true)
}

func inUse(ctx context.Context, tx Tx, r *Record, users []certificate.ID) error {
	rows, err := tx.Rows(ctx, users[:min(len(users), 3)])
	if err != nil {
		return fmt.Errorf("read records: %w", err)
	}
	var labels []string
	for _, row := range rows {
		labels = append(labels, row.Label)
	}
	return fault.New(fault.Conflict, "record.in_use", "registro", r.Label,
		"certificados", strings.Join(labels, ", "), "total", number(int64(len(users))))
}
