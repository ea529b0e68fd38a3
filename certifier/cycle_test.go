package certifier_test

import (
	"bytes"
	"os"
	"slices"
	"testing"
	"time"

	"selo/certificate"
	"selo/certifier"
	"selo/fault"
	"selo/remessa"
)

// read opens the outstanding remessa's file as the registry does.
func (b *base) read(r *certifier.Remessa) []*certificate.Revision {
	b.t.Helper()
	data, err := os.ReadFile(b.out.Path(r.File))
	if err != nil {
		b.t.Fatal(err)
	}
	bundle, err := remessa.Open(bytes.NewReader(data), int64(len(data)), remessa.Limits{})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := bundle.Verify(b.keys.Public().Sign); err != nil {
		b.t.Fatal(err)
	}
	var revs []*certificate.Revision
	var last certificate.Kind
	err = bundle.Each(func(_ int64, canonical []byte) error {
		rev, err := certificate.DecodeRevision(canonical)
		if err != nil {
			return err
		}
		revs = append(revs, rev)
		err = remessa.CheckOrder(last, rev.Kind())
		last = rev.Kind()
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if bundle.Digest != r.Digest || int64(len(revs)) != r.Count {
		b.t.Fatalf("file is remessa %s with %d revisions, state says %s with %d", bundle.Digest, len(revs), r.Digest, r.Count)
	}
	return revs
}

func TestCycle(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	maker, toy := b.new(company(1)), b.new(product(1))
	id := b.new(toys("FB-BRIN-108/17.001", maker, toy))
	if a := b.approve(id); a.Certificates != 1 || a.Companies != 1 || a.Products != 1 {
		t.Fatalf("approval %+v: a certificate brings its company and product along", a)
	}
	if a := b.approve(id); a.Total() != 0 || a.Unchanged != 1 {
		t.Fatalf("approving again gave %+v", a)
	}
	r := b.prepare(remessa.Partial)
	if r.File != "DEMO-000001.remessa" || r.Sequence != 1 {
		t.Fatalf("remessa %+v", r)
	}
	revs := b.read(r)
	if len(revs) != 3 || revs[0].ID != maker || revs[1].ID != toy || revs[2].ID != id || revs[2].Number != 1 {
		t.Fatalf("bundle holds %v", revs)
	}
	b.sent()
	if a := b.apply(r, remessa.Confirmed); a.Already {
		t.Fatal("the first result was taken for a repeated one")
	}
	if a := b.apply(r, remessa.Confirmed); !a.Already {
		t.Fatal("the repeated result was taken for a new one")
	}
	got := b.find(id)
	if got.Accepted == nil || got.Approved != nil || got.Travelling != nil || got.Draft != nil {
		t.Fatalf("after confirmation: %+v", got)
	}
}

func TestInvalidationBringsOldAndNewTogether(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	maker, toy := b.new(company(1)), b.new(product(1))
	id := b.new(toys("1", maker, toy))
	b.approve(id)
	first := b.cycle()
	b.edit(id, "prorrogação do prazo", func(c *certificate.Certificate) { c.ValidUntil = day("2029-03-01") })
	b.approve(id)
	r := b.prepare(remessa.Partial)
	if r.Previous != first.Digest || r.Sequence != 2 {
		t.Fatalf("remessa 2 does not follow remessa 1: %+v", r)
	}
	b.sent()
	// While the remessa travels, another field is changed and approved.
	b.edit(id, "novo laboratório", func(c *certificate.Certificate) { c.Laboratory = "Lab" })
	b.approve(id)
	reason := fault.Problem{Record: "certificado 1", Field: "data_validade", Code: "certificate.valid.before_issue"}
	b.apply(r, remessa.Invalidated, reason)
	got := b.find(id)
	if len(got.Reasons) != 1 || got.Reasons[0].Code != reason.Code {
		t.Fatalf("reasons at the record: %v", got.Reasons)
	}
	if got.Approved == nil || got.Travelling != nil || got.Approved.Revision.Certificate.Laboratory != "Lab" {
		t.Fatalf("the newer approval must wait: %+v", got)
	}
	next := b.prepare(remessa.Partial)
	revs := b.read(next)
	if len(revs) != 1 {
		t.Fatalf("bundle holds %d revisions", len(revs))
	}
	rev := revs[0]
	if rev.Number != 2 || rev.Previous != got.Accepted.Hash {
		t.Errorf("revision %d on %s, want 2 on the accepted one", rev.Number, rev.Previous)
	}
	if rev.Certificate.ValidUntil != day("2029-03-01") || rev.Certificate.Laboratory != "Lab" {
		t.Errorf("old and new change must travel together: %+v", rev.Certificate)
	}
	var texts []string
	for _, j := range rev.Justifications {
		texts = append(texts, j.Text)
	}
	if !slices.Equal(texts, []string{"prorrogação do prazo", "novo laboratório"}) {
		t.Errorf("justifications %q", texts)
	}
	b.sent()
	b.apply(next, remessa.Confirmed)
	if got := b.find(id); len(got.Reasons) != 0 || got.Accepted.Number != 2 {
		t.Errorf("after confirmation: reasons %v, revision %d", got.Reasons, got.Accepted.Number)
	}
}

func TestReopenFreesWhatWasNeverAccepted(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	maker, toy := b.new(company(1)), b.new(product(1))
	id := b.new(toys("nº errado", maker, toy))
	b.approve(id)
	r := b.prepare(remessa.Partial)
	b.sent()
	b.fails("record.travelling", func(tx certifier.Tx) error {
		_, err := certifier.Reopen(b.ctx, tx, ana, id, "número errado")
		return err
	})
	b.apply(r, remessa.Invalidated)
	b.edit(id, "número certo", func(c *certificate.Certificate) { c.Number = "nº certo" })
	b.fails("approve.problems", func(tx certifier.Tx) error {
		_, err := certifier.Approve(b.ctx, tx, ana, []certificate.ID{id}, "")
		return err
	})
	b.fails("reopen.reason", func(tx certifier.Tx) error {
		_, err := certifier.Reopen(b.ctx, tx, ana, id, " ")
		return err
	})
	b.write(func(tx certifier.Tx) error {
		_, err := certifier.Reopen(b.ctx, tx, ana, id, "número errado")
		return err
	})
	b.approve(id)
	next := b.prepare(remessa.Partial)
	revs := b.read(next)
	if len(revs) != 3 || revs[2].Certificate.Number != "nº certo" || revs[2].Number != 1 {
		t.Fatalf("bundle holds %+v", revs)
	}
}

func TestReopenProductTakesCertificateAlong(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	maker, toy := b.new(company(1)), b.new(product(1))
	id := b.new(toys("1", maker, toy))
	b.approve(id)
	var reopened []certificate.ID
	b.write(func(tx certifier.Tx) error {
		var err error
		reopened, err = certifier.Reopen(b.ctx, tx, ana, toy, "modelo errado")
		return err
	})
	if !slices.Equal(reopened, []certificate.ID{toy, id}) {
		t.Fatalf("reopened %v, want the product and its certificate", reopened)
	}
	other := product(2)
	b.save(certifier.Edit{ID: toy, Content: other})
	b.approve(id)
	if revs := b.read(b.prepare(remessa.Partial)); revs[1].Product.Model != "M-0002" {
		t.Fatalf("product %+v", revs[1].Product)
	}
}

func TestOneRemessaAtATime(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	prepare := func(tx certifier.Tx) error {
		_, err := certifier.Prepare(b.ctx, tx, ana, b.keys, b.out, remessa.Partial)
		return err
	}
	b.fails("remessa.empty", prepare)
	b.fails("remessa.empty", func(tx certifier.Tx) error {
		_, err := certifier.Prepare(b.ctx, tx, ana, b.keys, b.out, remessa.Full)
		return err
	})
	id := b.new(toys("1", b.new(company(1)), b.new(product(1))))
	b.approve(id)
	r := b.prepare(remessa.Partial)
	b.fails("remessa.outstanding", prepare)
	b.write(func(tx certifier.Tx) error { _, err := certifier.Cancel(b.ctx, tx, ana, b.out); return err })
	b.fails("unlock.withdrawn", func(tx certifier.Tx) error {
		_, err := certifier.Unlock(b.ctx, tx, ana, b.keys, b.code(r, remessa.Confirmed).String())
		return err
	})
	if _, err := os.Stat(b.out.Path(r.File)); !os.IsNotExist(err) {
		t.Errorf("the withdrawn remessa's file is still there: %v", err)
	}
	if got := b.find(id); got.Approved == nil || got.Travelling != nil {
		t.Fatalf("after cancelling: %+v", got)
	}
	b.clock.Advance(time.Minute)
	r = b.prepare(remessa.Partial)
	if r.Sequence != 1 {
		t.Errorf("the number of a withdrawn remessa is used again, got %d", r.Sequence)
	}
	dir := t.TempDir()
	b.write(func(tx certifier.Tx) error { _, err := certifier.Export(b.ctx, tx, ana, b.out, dir); return err })
	b.fails("remessa.sent", func(tx certifier.Tx) error { _, err := certifier.Cancel(b.ctx, tx, ana, b.out); return err })
	b.fails("tables.awaiting_result", func(tx certifier.Tx) error {
		_, err := certifier.ApplyRelease(b.ctx, tx, ana, b.sign(demoTables(2)))
		return err
	})
	b.apply(r, remessa.Confirmed)
	b.fails("remessa.empty", prepare)
	full := b.prepare(remessa.Full)
	if revs := b.read(full); len(revs) != 3 || revs[2].Number != 1 {
		t.Errorf("a full remessa repeats what is accepted: %+v", revs)
	}
	b.sent()
	b.apply(full, remessa.Confirmed)
	if got := b.find(id); got.Accepted == nil || got.Accepted.Number != 1 {
		t.Errorf("after a full remessa: %+v", got)
	}
}

func TestUnlock(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	unlock := func(code string) func(tx certifier.Tx) error {
		return func(tx certifier.Tx) error {
			_, err := certifier.Unlock(b.ctx, tx, ana, b.keys, code)
			return err
		}
	}
	id := b.new(toys("1", b.new(company(1)), b.new(product(1))))
	b.approve(id)
	b.fails("unlock.none", unlock("AAAAA-AAAAA-AAAAA-AAAAA"))
	b.fails("unlock.format", unlock("AAAAA"))
	first := b.prepare(remessa.Partial)
	b.sent()
	b.fails("unlock.wrong", unlock("AAAAA-AAAAA-AAAAA-AAAAA"))
	b.write(unlock(" " + b.code(first, remessa.Invalidated).String() + "\n"))
	b.write(unlock(b.code(first, remessa.Invalidated).String())) // once more: nothing happens
	b.fails("result.contradicts", unlock(b.code(first, remessa.Confirmed).String()))
	if a := b.apply(first, remessa.Invalidated, fault.Problem{Record: "certificado 1", Code: "x"}); !a.Already {
		t.Error("the result of a remessa that a code has ended is not a new one")
	}
	if got := b.find(id); len(got.Reasons) != 1 {
		t.Errorf("the reasons came after the code, but stand nowhere: %v", got.Reasons)
	}
	second := b.prepare(remessa.Partial)
	b.sent()
	f := b.failure("unlock.other_remessa", unlock(b.code(first, remessa.Invalidated).String()))
	if f.Args["numero"] != "1" || f.Args["esperado"] != "2" {
		t.Errorf("args %v", f.Args)
	}
	b.write(unlock(b.code(second, remessa.Confirmed).String()))
	if got := b.find(id); got.Accepted == nil {
		t.Fatalf("after unlocking: %+v", got)
	}
	bad := b.result(second, remessa.Invalidated)
	bad.Code = b.code(second, remessa.Confirmed).String()
	b.fails("result.code", func(tx certifier.Tx) error {
		_, err := certifier.ApplyResult(b.ctx, tx, ana, b.keys, bad)
		return err
	})
}

func TestReleases(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	apply := func(n int) (certifier.Applied, error) {
		var a certifier.Applied
		err := b.db.Write(b.ctx, func(tx certifier.Tx) error {
			var err error
			a, err = certifier.ApplyRelease(b.ctx, tx, ana, b.sign(demoTables(n)))
			return err
		})
		return a, err
	}
	if a, err := apply(1); err != nil || !a.Already {
		t.Errorf("the same release again: %+v, %v", a, err)
	}
	if a, err := apply(7); err != nil || a.Already {
		t.Errorf("a gap in the numbers: %+v, %v", a, err)
	}
	if _, err := apply(3); !fault.HasKey(err, "tables.older") {
		t.Errorf("an older release: %v", err)
	}
	again := demoTables(7)
	again.Roles = append(again.Roles, certificate.Role{Code: "novo", Name: "Novo papel"})
	b.write(func(tx certifier.Tx) error {
		if a, err := certifier.ApplyRelease(b.ctx, tx, ana, b.sign(again)); err != nil || a.Already {
			t.Errorf("another release of the same number: %+v, %v", a, err)
		}
		t7, err := certifier.CurrentTables(b.ctx, tx)
		if err == nil && len(t7.Roles) != len(again.Roles) {
			t.Errorf("%d roles in use, want those of the later release: %d", len(t7.Roles), len(again.Roles))
		}
		return err
	})
	other := demoTables(8)
	other.Body = "OUTRO"
	b.fails("tables.other_body", func(tx certifier.Tx) error {
		_, err := certifier.ApplyRelease(b.ctx, tx, ana, b.sign(other))
		return err
	})
}
