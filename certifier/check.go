package certifier

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

// findRules returns the rules over the newest auxiliary tables, or nil before the first release.
func findRules(ctx context.Context, tx Tx) (*certificate.Rules, error) {
	_, content, err := tx.FindTables(ctx)
	if err != nil {
		return nil, fmt.Errorf("read auxiliary tables: %w", err)
	}
	if content == nil {
		return nil, nil //nolint:nilnil // a find function: none is an answer
	}
	var t certificate.Tables
	if err := json.Unmarshal(content, &t); err != nil {
		return nil, fmt.Errorf("decode auxiliary tables: %w", err)
	}
	return certificate.NewRules(&t), nil
}

// pendingOf lists what a draft certificate still lacks (manual 2.4.1). Without
// auxiliary tables nothing can be complete.
func pendingOf(rules *certificate.Rules, r *certificate.Revision) []fault.Problem {
	if rules == nil {
		return []fault.Problem{{Record: r.Label(), Code: "tables.missing"}}
	}
	return rules.Pending(r.Certificate)
}

// checker tells whether content may be approved or sent, as the registry will see it.
type checker struct {
	tx     Tx
	rules  *certificate.Rules
	today  brasil.Date
	frozen bool // refer to frozen content only, as a remessa does
}

// newChecker returns fault.Conflict "tables.missing" before the first auxiliary-table release.
func newChecker(ctx context.Context, tx Tx, frozen bool) (*checker, error) {
	rules, err := findRules(ctx, tx)
	if err != nil {
		return nil, err
	}
	if rules == nil {
		return nil, fault.New(fault.Conflict, "tables.missing")
	}
	return &checker{tx: tx, rules: rules, today: brasil.Today(tx.Now()), frozen: frozen}, nil
}

// bases are the revisions that next may come to stand on, whichever way the
// outstanding remessa ends: it must be a legal change of each. A waiting
// approval freezes too; one that was reopened does not.
func bases(r *Record) []*Frozen {
	var list []*Frozen
	for _, f := range []*Frozen{r.Accepted, r.Travelling} {
		if f != nil {
			list = append(list, f)
		}
	}
	if len(list) == 0 && r.Approved != nil {
		list = append(list, r.Approved)
	}
	return list
}

// problems lists every rule that next breaks against each of its bases, each once.
func (c *checker) problems(ctx context.Context, next *certificate.Revision, on []*Frozen) ([]fault.Problem, error) {
	refs, err := c.refs(ctx, next)
	if err != nil {
		return nil, err
	}
	if len(on) == 0 {
		link(next, nil, c.tx.Now())
		return c.rules.Check(next, nil, refs, c.today), nil
	}
	var all []fault.Problem
	for _, base := range on {
		link(next, base, c.tx.Now())
		found := c.rules.Check(next, base.Revision, refs, c.today)
		if all == nil {
			all = found
			continue
		}
		for _, p := range found {
			if !slices.ContainsFunc(all, func(q fault.Problem) bool { return p.Field == q.Field && p.Code == q.Code }) {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// link puts a revision on top of another.
func link(next *certificate.Revision, base *Frozen, now time.Time) {
	next.Number, next.Previous = 1, certificate.Hash{}
	if base != nil {
		next.Number, next.Previous = base.Number+1, base.Hash
	}
	if next.ApprovedAt.IsZero() {
		next.ApprovedAt = now.UTC().Truncate(time.Second)
	}
}

// references implements certificate.Refs over what was read beforehand.
type references struct {
	companies map[certificate.ID]*certificate.Company
	imported  map[certificate.ID]bool
}

// Company implements certificate.Refs.
func (r references) Company(id certificate.ID) (*certificate.Company, bool) {
	c, ok := r.companies[id]
	return c, ok
}

// Product implements certificate.Refs.
func (r references) Product(id certificate.ID) (imported, ok bool) {
	imported, ok = r.imported[id]
	return imported, ok
}

func (c *checker) refs(ctx context.Context, r *certificate.Revision) (references, error) {
	refs := references{companies: map[certificate.ID]*certificate.Company{}}
	if r.Certificate == nil {
		return refs, nil
	}
	var err error
	if refs.imported, err = c.tx.Origins(ctx, r.ID, c.frozen); err != nil {
		return refs, fmt.Errorf("read products: %w", err)
	}
	ids := linksOf(&certificate.Revision{Certificate: &certificate.Certificate{
		Companies: r.Certificate.Companies, Services: r.Certificate.Services}})
	companies, err := load(ctx, c.tx, ids)
	if err != nil {
		return refs, err
	}
	for id, company := range companies {
		content := company.newestFrozen()
		if !c.frozen {
			content = company.Newest()
		}
		if content != nil && content.Company != nil {
			refs.companies[id] = content.Company
		}
	}
	return refs, nil
}

// Check tells what approval would say of a record's draft now, with the drafts
// of the companies and products it links to: nil means that it may be approved.
// Faults: NotFound "record.not_found", Conflict "draft.none", "tables.missing".
func Check(ctx context.Context, tx Tx, id certificate.ID) ([]fault.Problem, error) {
	r, err := Find(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if r.Draft == nil {
		return nil, fault.New(fault.Conflict, "draft.none", "registro", r.Label)
	}
	c, err := newChecker(ctx, tx, false)
	if err != nil {
		return nil, err
	}
	x := examiner{checker: c, done: map[certificate.ID][]fault.Problem{}}
	return x.group(ctx, r)
}
