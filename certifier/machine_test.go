package certifier_test

import (
	"testing"

	"selo/certificate"
	"selo/certifier"
	"selo/fault"
	"selo/remessa"
	"selo/store"

	"pgregory.net/rapid"
)

// model is what a person may believe about one certificate and the exchange.
// Contents are told apart by the report number that each edit sets.
type model struct {
	draft, approved, travelling, accepted int // content; 0: none
	out                                   certifier.RemessaState
	edits                                 int
}

// machine does acts to one certificate and keeps the model beside it.
type machine struct {
	*base
	m   *model
	id  certificate.ID
	out *certifier.Remessa
}

// TestRecordStates does random acts to a certificate and compares what it
// holds with the table in docs/architecture.md, written down once more as a model.
func TestRecordStates(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		maker, toy := b.new(company(round)), b.new(product(round))
		x := &machine{base: b, id: b.new(toys(number("N", round), maker, toy)), m: &model{draft: -1}} // the first content has no report number
		rt.Repeat(map[string]func(*rapid.T){
			"edit": x.doEdit, "approve": x.doApprove, "discard": x.doDiscard, "reopen": x.doReopen,
			"prepare": x.doPrepare, "cancel": x.doCancel, "send": x.doSend, "result": x.doResult,
			"": func(rt *rapid.T) { x.m.compare(rt, b.find(x.id)) },
		})
		if x.m.out != "" { // the next round begins without a remessa
			b.apply(x.out, remessa.Invalidated)
		}
	})
}

// try wants the fault key, or success for "", and tells whether it succeeded.
func (x *machine) try(rt *rapid.T, key string, f func(tx certifier.Tx) error) bool {
	err := x.db.Write(x.ctx, f)
	if key == "" && err != nil || key != "" && !fault.HasKey(err, key) {
		rt.Fatalf("got %v, want fault %q; model %+v", err, key, x.m)
	}
	return err == nil
}

func (x *machine) doEdit(rt *rapid.T) {
	x.m.edits++
	x.try(rt, "", func(tx certifier.Tx) error {
		_, err := certifier.ChangeCertificate(x.ctx, tx, ana, x.id, "novo laudo", func(c *certificate.Certificate) error {
			c.ReportNumber = number("", x.m.edits)
			return nil
		})
		return err
	})
	x.m.draft = x.m.edits
}

func (x *machine) doApprove(rt *rapid.T) {
	x.try(rt, "", func(tx certifier.Tx) error {
		_, err := certifier.Approve(x.ctx, tx, ana, []certificate.ID{x.id}, "")
		return err
	})
	if x.m.draft != 0 {
		x.m.approved, x.m.draft = x.m.draft, 0
	}
}

func (x *machine) doDiscard(rt *rapid.T) {
	if x.m.draft != 0 && x.m.approved == 0 && x.m.travelling == 0 && x.m.accepted == 0 {
		rt.Skip("it would vanish")
	}
	key := ""
	if x.m.draft == 0 {
		key = "draft.none"
	}
	x.try(rt, key, func(tx certifier.Tx) error { return certifier.DiscardDraft(x.ctx, tx, ana, x.id, 0) })
	x.m.draft = 0
}

func (x *machine) doReopen(rt *rapid.T) {
	key := ""
	switch {
	case x.m.approved != 0:
	case x.m.travelling != 0:
		key = "record.travelling"
	default:
		key = "record.not_approved"
	}
	if x.try(rt, key, func(tx certifier.Tx) error {
		_, err := certifier.Reopen(x.ctx, tx, ana, x.id, "engano")
		return err
	}) {
		if x.m.draft == 0 {
			x.m.draft = x.m.approved
		}
		x.m.approved = 0
	}
}

func (x *machine) doPrepare(rt *rapid.T) {
	key := ""
	switch {
	case x.m.out != "":
		key = "remessa.outstanding"
	case x.m.approved == 0 && !x.waiting():
		key = "remessa.empty"
	}
	if x.try(rt, key, func(tx certifier.Tx) error {
		made, err := certifier.Prepare(x.ctx, tx, ana, x.keys, x.base.out, remessa.Partial)
		if err == nil {
			x.out = made
		}
		return err
	}) {
		x.m.out, x.m.travelling, x.m.approved = certifier.Prepared, x.m.approved, 0
	}
}

func (x *machine) doCancel(rt *rapid.T) {
	key := map[certifier.RemessaState]string{"": "remessa.none", certifier.Sent: "remessa.sent"}[x.m.out]
	if x.try(rt, key, func(tx certifier.Tx) error {
		_, err := certifier.Cancel(x.ctx, tx, ana, x.base.out)
		return err
	}) {
		x.m.settle(false)
	}
}

func (x *machine) doSend(rt *rapid.T) {
	key := ""
	if x.m.out == "" {
		key = "remessa.none"
	}
	if x.try(rt, key, func(tx certifier.Tx) error {
		_, err := certifier.MarkSent(x.ctx, tx, ana, certifier.ByHTTPS)
		return err
	}) {
		x.m.out = certifier.Sent
	}
}

func (x *machine) doResult(rt *rapid.T) {
	if x.m.out == "" {
		rt.Skip("nothing outstanding")
	}
	outcome := rapid.SampledFrom([]remessa.Outcome{remessa.Confirmed, remessa.Invalidated}).Draw(rt, "outcome")
	x.try(rt, "", func(tx certifier.Tx) error {
		_, err := certifier.Unlock(x.ctx, tx, ana, x.keys, x.code(x.out, outcome).String())
		return err
	})
	x.m.settle(outcome == remessa.Confirmed)
}

// waiting tells whether any record of earlier rounds waits for a remessa.
func (b *base) waiting() bool {
	b.t.Helper()
	items, err := b.list(certifier.Query{State: certifier.HasApproved, Limit: 1})
	if err != nil {
		b.t.Fatal(err)
	}
	return len(items) > 0
}

func (m *model) settle(accepted bool) {
	m.out = ""
	switch {
	case accepted && m.travelling != 0:
		m.accepted = m.travelling
	case !accepted && m.approved == 0:
		m.approved = m.travelling
	}
	m.travelling = 0
}

func (m *model) compare(rt *rapid.T, r *certifier.Record) {
	of := func(f *certifier.Frozen) int {
		if f == nil {
			return 0
		}
		return content(f.Revision)
	}
	draft := 0
	if r.Draft != nil {
		draft = content(r.Draft.Revision)
	}
	got := model{draft: draft, approved: of(r.Approved), travelling: of(r.Travelling), accepted: of(r.Accepted), out: m.out, edits: m.edits}
	if got != *m {
		rt.Fatalf("record %+v, model %+v", got, *m)
	}
}

func content(r *certificate.Revision) int {
	if r.Certificate.ReportNumber == "" {
		return -1
	}
	n := 0
	for _, c := range r.Certificate.ReportNumber {
		n = n*10 + int(c-'0')
	}
	return n
}

// TestTransitionsAreThoseOfTheBase tries every move on the base itself: what
// the code does not allow, the schema refuses too.
func TestTransitionsAreThoseOfTheBase(t *testing.T) {
	t.Parallel()
	states := []certifier.State{certifier.Approved, certifier.Travelling, certifier.Accepted,
		certifier.Replaced, certifier.Superseded, certifier.Reopened}
	// How to bring a fresh approved revision to each state.
	paths := map[certifier.State][]certifier.State{
		certifier.Approved: nil, certifier.Travelling: {certifier.Travelling},
		certifier.Accepted:   {certifier.Travelling, certifier.Accepted},
		certifier.Replaced:   {certifier.Travelling, certifier.Accepted, certifier.Replaced},
		certifier.Superseded: {certifier.Superseded}, certifier.Reopened: {certifier.Reopened},
	}
	b := newBase(t)
	i := 0
	for _, from := range states {
		for _, to := range states {
			i++
			id := b.new(company(i))
			b.approve(id)
			at := certifier.Approved
			for _, next := range paths[from] {
				b.write(func(tx certifier.Tx) error {
					_, err := tx.MoveEntries(b.ctx, []certificate.ID{id}, at, next)
					return err
				})
				at = next
			}
			err := b.db.Write(b.ctx, func(tx certifier.Tx) error {
				n, err := tx.MoveEntries(b.ctx, []certificate.ID{id}, from, to)
				if err == nil && n != 1 {
					t.Errorf("%s to %s moved %d revisions", from, to, n)
				}
				return err
			})
			if certifier.CanMove(from, to) != (err == nil) {
				t.Errorf("%s to %s: allowed %v, base says %v", from, to, certifier.CanMove(from, to), err)
			}
		}
	}
	err := b.db.DB.Write(b.ctx, func(tx *store.Tx) error { _, err := tx.Exec(b.ctx, `DELETE FROM revision`); return err })
	if err == nil {
		t.Error("revisions could be deleted")
	}
}
