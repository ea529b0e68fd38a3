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

// TestRecordStates does random acts to a certificate and compares what it
// holds with the table in docs/architecture.md, written down once more as a model.
func TestRecordStates(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		maker, toy := b.new(company(round)), b.new(product(round))
		id := b.new(toys(number("N", round), maker, toy))
		m := &model{draft: -1} // the first content has no report number
		var r *certifier.Remessa
		do := func(key string, f func(tx certifier.Tx) error) bool {
			err := b.db.Write(b.ctx, f)
			if key == "" && err != nil || key != "" && !fault.HasKey(err, key) {
				rt.Fatalf("got %v, want fault %q; model %+v", err, key, m)
			}
			return err == nil
		}
		rt.Repeat(map[string]func(*rapid.T){
			"edit": func(*rapid.T) {
				m.edits++
				if do("", func(tx certifier.Tx) error {
					_, err := certifier.ChangeCertificate(b.ctx, tx, ana, id, "novo laudo", func(c *certificate.Certificate) error {
						c.ReportNumber = number("", m.edits)
						return nil
					})
					return err
				}) {
					m.draft = m.edits
				}
			},
			"approve": func(*rapid.T) {
				do("", func(tx certifier.Tx) error {
					_, err := certifier.Approve(b.ctx, tx, ana, []certificate.ID{id}, "")
					return err
				})
				if m.draft != 0 {
					m.approved, m.draft = m.draft, 0
				}
			},
			"discard": func(rt *rapid.T) {
				if m.draft != 0 && m.approved+m.travelling+m.accepted == 0 {
					rt.Skip("it would vanish")
				}
				key := ""
				if m.draft == 0 {
					key = "draft.none"
				}
				do(key, func(tx certifier.Tx) error { return certifier.DiscardDraft(b.ctx, tx, ana, id, 0) })
				m.draft = 0
			},
			"reopen": func(*rapid.T) {
				key := ""
				switch {
				case m.approved != 0:
				case m.travelling != 0:
					key = "record.travelling"
				default:
					key = "record.not_approved"
				}
				if do(key, func(tx certifier.Tx) error { _, err := certifier.Reopen(b.ctx, tx, ana, id, "engano"); return err }) {
					if m.draft == 0 {
						m.draft = m.approved
					}
					m.approved = 0
				}
			},
			"prepare": func(*rapid.T) {
				key := ""
				switch {
				case m.out != "":
					key = "remessa.outstanding"
				case m.approved == 0 && !b.waiting():
					key = "remessa.empty"
				}
				if do(key, func(tx certifier.Tx) error {
					made, err := certifier.Prepare(b.ctx, tx, ana, b.keys, b.out, remessa.Partial)
					if err == nil {
						r = made
					}
					return err
				}) {
					m.out, m.travelling, m.approved = certifier.Prepared, m.approved, 0
				}
			},
			"cancel": func(*rapid.T) {
				key := map[certifier.RemessaState]string{"": "remessa.none", certifier.Sent: "remessa.sent"}[m.out]
				if do(key, func(tx certifier.Tx) error { _, err := certifier.Cancel(b.ctx, tx, ana, b.out); return err }) {
					m.settle(false)
				}
			},
			"send": func(*rapid.T) {
				key := ""
				if m.out == "" {
					key = "remessa.none"
				}
				if do(key, func(tx certifier.Tx) error {
					_, err := certifier.MarkSent(b.ctx, tx, ana, certifier.ByHTTPS)
					return err
				}) {
					m.out = certifier.Sent
				}
			},
			"result": func(rt *rapid.T) {
				if m.out == "" {
					rt.Skip("nothing outstanding")
				}
				outcome := rapid.SampledFrom([]remessa.Outcome{remessa.Confirmed, remessa.Invalidated}).Draw(rt, "outcome")
				do("", func(tx certifier.Tx) error {
					_, err := certifier.Unlock(b.ctx, tx, ana, b.keys, b.code(r, outcome).String())
					return err
				})
				m.settle(outcome == remessa.Confirmed)
			},
			"": func(rt *rapid.T) { m.compare(rt, b.find(id)) },
		})
		if m.out != "" { // the next round begins without a remessa
			b.apply(r, remessa.Invalidated)
		}
	})
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
