package certifier

import (
	"context"
	"fmt"

	"selo/audit"
	"selo/certificate"
	"selo/fault"
	"selo/remessa"
)

// FindOutstanding returns the remessa that is prepared or sent, or nil.
func FindOutstanding(ctx context.Context, tx Tx) (*Remessa, error) {
	all, err := tx.ListRemessas(ctx, 0)
	if err != nil {
		return nil, fmt.Errorf("list remessas: %w", err)
	}
	for i := range all {
		if all[i].State.Outstanding() {
			return &all[i], nil
		}
	}
	return nil, nil //nolint:nilnil // a Find function: none is an answer
}

// Prepare makes the next remessa of what is approved and its file in the
// outbox (manual 2.2.3): revisions are re-linked on top of the accepted ones,
// so an invalidation or a gap in between does not matter. A full remessa repeats
// every accepted revision too, for a registry that lacks some (FAQ 3.23).
//
// The file is complete and durable before the transaction commits; [Resume]
// puts right what a crash in between leaves.
//
// Faults: Conflict "remessa.outstanding", "remessa.empty" when there is
// nothing to carry, "tables.missing", "body.missing"; Invalid "remessa.problems" when
// new auxiliary tables or reopened records made something unfit to be sent, with
// every problem; Unavailable "remessa.folder".
func Prepare(ctx context.Context, tx Tx, actor Actor, keys remessa.Keys, out Outbox, scope remessa.Scope) (*Remessa, error) {
	if scope != remessa.Partial && scope != remessa.Full {
		return nil, fault.New(fault.Invalid, "remessa.scope", "escopo", fmt.Sprintf("%.20s", string(scope)))
	}
	body, err := CurrentBody(ctx, tx)
	if err != nil {
		return nil, err
	}
	r, err := nextRemessa(ctx, tx)
	if err != nil {
		return nil, err
	}
	c, err := newChecker(ctx, tx, true)
	if err != nil {
		return nil, err
	}
	r.State, r.Scope, r.PreparedAt, r.PreparedBy = Prepared, scope, tx.Now(), actor
	r.File = remessa.FileName(body.Sigla, r.Sequence)
	p := &packer{checker: c, full: scope == remessa.Full}
	if err := p.relink(ctx); err != nil {
		return nil, err
	}
	manifest, digest, err := out.write(r.File, head(body, r), keys.Sign, func(w *remessa.Writer) error {
		return p.eachWaiting(ctx, func(kind certificate.Kind, e Waiting) error { return w.Add(kind, e.Content) })
	})
	if err != nil {
		return nil, err
	}
	r.Digest, r.Count = digest, manifest.Counts.Total()
	if r.ID, err = tx.InsertRemessa(ctx, *r); err != nil {
		return nil, err
	}
	if err := tx.Depart(ctx, r.ID, p.full); err != nil {
		return nil, fmt.Errorf("move revisions to remessa %d: %w", r.Sequence, err)
	}
	return r, logRemessa(ctx, tx, actor, "remessa.prepared", r, map[string]string{
		"escopo": string(scope), "revisoes": number(r.Count), "digest": digest.String()})
}

func head(body Body, r *Remessa) remessa.Head {
	return remessa.Head{Body: body.Sigla, Sequence: r.Sequence, Scope: r.Scope, Previous: r.Previous, PreparedAt: r.PreparedAt}
}

// nextRemessa numbers the next remessa after the last that was not withdrawn.
func nextRemessa(ctx context.Context, tx Tx) (*Remessa, error) {
	all, err := tx.ListRemessas(ctx, 0)
	if err != nil {
		return nil, fmt.Errorf("list remessas: %w", err)
	}
	r := &Remessa{Sequence: 1}
	for _, old := range all {
		if old.State.Outstanding() {
			return nil, outstanding(&old)
		}
		if old.State != Withdrawn && old.Sequence >= r.Sequence {
			r.Sequence, r.Previous = old.Sequence+1, old.Digest
		}
	}
	return r, nil
}

func outstanding(r *Remessa) error {
	return fault.New(fault.Conflict, "remessa.outstanding", "numero", number(r.Sequence), "estado", string(r.State))
}

func logRemessa(ctx context.Context, tx Tx, actor Actor, kind string, r *Remessa, detail map[string]string) error {
	return tx.AppendAudit(ctx, audit.Event{Kind: kind, Subject: "remessa:" + number(r.Sequence), Actor: string(actor), Detail: detail})
}

// packer goes through what a remessa carries.
type packer struct {
	*checker
	full     bool
	problems []fault.Problem
	total    int
	found    int // revisions to carry
}

// eachWaiting visits what the remessa carries: companies, products, certificates, each by ID.
func (p *packer) eachWaiting(ctx context.Context, visit func(certificate.Kind, Waiting) error) error {
	for _, kind := range kinds {
		size := pageSizeOf(kind)
		for after := certificate.ID(""); ; {
			page, err := p.tx.PageWaiting(ctx, kind, p.full, after, size)
			if err != nil {
				return fmt.Errorf("list approved revisions: %w", err)
			}
			if len(page) == 0 {
				break
			}
			for _, w := range page {
				if err := visit(kind, w); err != nil {
					return err
				}
			}
			after = page[len(page)-1].Record
		}
	}
	return nil
}

// relink checks every approved revision as the registry will and puts it on
// top of the accepted one.
func (p *packer) relink(ctx context.Context) error {
	err := p.eachWaiting(ctx, func(_ certificate.Kind, w Waiting) error {
		p.found++
		if w.State != Approved {
			return nil
		}
		return p.relinkOne(ctx, w)
	})
	if err != nil {
		return err
	}
	if p.total > 0 {
		return &fault.Fault{Kind: fault.Invalid, Key: "remessa.problems",
			Args: fault.Pairs("total", number(int64(p.total))), Problems: p.problems}
	}
	if p.found == 0 {
		return fault.New(fault.Conflict, "remessa.empty")
	}
	return nil
}

func (p *packer) relinkOne(ctx context.Context, w Waiting) error {
	next, err := decode(w.Content)
	if err != nil {
		return fmt.Errorf("decode revision of %s: %w", w.Record, err)
	}
	var on []*Frozen
	var base *Frozen
	if w.Base != nil {
		rev, err := decode(w.Base.Content)
		if err != nil {
			return fmt.Errorf("decode revision of %s: %w", w.Record, err)
		}
		base = &Frozen{Entry: *w.Base, Revision: rev}
		on = append(on, base)
	}
	explain(&Record{}, next, on, "")
	found, err := p.checker.problems(ctx, next, on)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		p.total += len(found)
		p.problems = append(p.problems, found[:min(len(found), max(0, maxProblems-len(p.problems)))]...)
		return nil
	}
	link(next, base, p.tx.Now())
	e, err := seal(next, w.Record, w.ApprovedBy, p.tx)
	if err != nil {
		return err
	}
	e.Sequence = w.Sequence
	if e.Hash == w.Hash {
		return nil
	}
	if err := p.tx.Relink(ctx, *e); err != nil {
		return fmt.Errorf("relink revision of %s: %w", w.Record, err)
	}
	return nil
}
