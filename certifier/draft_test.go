package certifier_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"selo/certificate"
	"selo/certifier"
	"selo/fault"
	"selo/remessa"
	"selo/store"
	"selo/store/certifierstore"
)

func TestIdentitiesAreUnique(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	maker, toy := b.new(company(1)), b.new(product(1))
	b.new(toys("FB-BRIN-108/17.001", maker, toy))
	for key, content := range map[string]*certificate.Revision{
		"company.exists": company(1), "product.exists": product(1), "certificate.exists": toys("fb-brin-108/17.001 ", maker, toy),
	} {
		f := b.failure(key, func(tx certifier.Tx) error {
			_, err := certifier.SaveDraft(b.ctx, tx, ana, certifier.Edit{Content: content})
			return err
		})
		if f.Args["registro"] == "" || b.find(certificate.ID(f.Args["id"])) == nil {
			t.Errorf("%s names no record: %v", key, f.Args)
		}
	}
	imported := product(1)
	imported.Product.Imported = true
	b.new(imported) // the imported one is another product
	one, two := &certificate.Revision{Certificate: &certificate.Certificate{}}, &certificate.Revision{Certificate: &certificate.Certificate{}}
	b.new(one)
	b.new(two) // drafts without a number do not stand in each other's way
}

func TestTwoEditorsCannotOverwriteEachOther(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	id := b.new(product(1))
	seen := b.find(id).Version
	first, second := product(1), product(1)
	first.Product.Description, second.Product.Description = "primeira", "segunda"
	b.save(certifier.Edit{ID: id, Version: seen, Content: first})
	b.fails("record.changed", func(tx certifier.Tx) error {
		_, err := certifier.SaveDraft(b.ctx, tx, "beto", certifier.Edit{ID: id, Version: seen, Content: second})
		return err
	})
	if got := b.find(id).Newest().Product.Description; got != "primeira" {
		t.Errorf("description %q", got)
	}
}

func TestTwoProgramsPrepareOneRemessa(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.approve(b.new(toys("1", b.new(company(1)), b.new(product(1)))))
	other, err := certifierstore.Open(b.ctx, b.db.Name(), store.Options{Clock: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, db := range []*certifierstore.DB{b.db, other} {
		wg.Go(func() {
			errs[i] = db.Write(b.ctx, func(tx certifier.Tx) error {
				_, err := certifier.Prepare(b.ctx, tx, ana, b.keys, b.out, remessa.Partial)
				return err
			})
		})
	}
	wg.Wait()
	slices.SortFunc(errs, func(x, y error) int {
		if x == nil {
			return -1
		}
		return 1
	})
	if errs[0] != nil || !fault.HasKey(errs[1], "remessa.outstanding") {
		t.Errorf("got %v and %v, want one remessa", errs[0], errs[1])
	}
}

func TestDiscard(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	maker, toy := b.new(company(1)), b.new(product(1))
	id := b.new(toys("1", maker, toy))
	discard := func(id certificate.ID) func(certifier.Tx) error {
		return func(tx certifier.Tx) error { return certifier.DiscardDraft(b.ctx, tx, ana, id, 0) }
	}
	f := b.failure("record.in_use", discard(toy))
	if f.Args["certificados"] != "certificado 1" {
		t.Errorf("args %v", f.Args)
	}
	b.approve(id)
	b.edit(id, "engano", func(c *certificate.Certificate) { c.Remarks = "engano" })
	b.write(discard(id))
	if got := b.find(id); got.Draft != nil || got.Newest().Certificate.Remarks != "" {
		t.Errorf("after undoing: %+v", got)
	}
	b.fails("draft.none", discard(id))
	b.write(func(tx certifier.Tx) error { _, err := certifier.Reopen(b.ctx, tx, ana, id, "engano"); return err })
	b.write(discard(id)) // never accepted: retired
	if items, err := b.list(certifier.Query{Kind: certificate.KindCertificate}); err != nil || len(items) != 0 {
		t.Errorf("retired records are listed: %+v, %v", items, err)
	}
	b.new(toys("1", maker, toy)) // its number is free again
	lone := b.new(product(7))
	b.write(discard(lone))
	b.fails("record.not_found", discard(lone))
}

func TestApprovalIsAllOrNothing(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	maker, toy := b.new(company(1)), b.new(product(1))
	good := b.new(toys("1", maker, toy))
	incomplete := toys("2", maker)
	incomplete.Certificate.Documents = nil
	bad := b.new(incomplete)
	f := b.failure("approve.problems", func(tx certifier.Tx) error {
		_, err := certifier.Approve(b.ctx, tx, ana, []certificate.ID{good, bad}, "")
		return err
	})
	if len(f.Problems) != 2 || f.Problems[0].Record != "certificado 2" {
		t.Errorf("problems %v", f.Problems)
	}
	if got := b.find(good); got.Approved != nil || got.Draft == nil {
		t.Error("the good one was approved along with a bad one")
	}
	var a certifier.Approval
	var open []certifier.Incomplete
	b.write(func(tx certifier.Tx) error {
		pending, err := certifier.ListIncomplete(b.ctx, tx)
		if err != nil || len(pending) != 1 || pending[0].ID != bad {
			t.Errorf("incomplete %+v, %v", pending, err)
		}
		ready, err := certifier.ListReady(b.ctx, tx)
		if err != nil || len(ready) != 1 || ready[0].ID != good || len(ready[0].Problems) != 0 {
			t.Errorf("ready %+v, %v", ready, err)
		}
		a, open, err = certifier.ApproveReady(b.ctx, tx, ana)
		return err
	})
	if a.Certificates != 1 || a.Products != 1 || len(open) != 1 || open[0].ID != bad {
		t.Errorf("approved %+v, open %+v", a, open)
	}
	if items, err := b.list(certifier.Query{State: certifier.HasPending}); err != nil || len(items) != 1 || items[0].Pending != 2 {
		t.Errorf("list of incomplete ones %+v, %v", items, err)
	}
}

func TestJustificationAndFreezing(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	maker, toy := b.new(company(1)), b.new(product(1))
	id := b.new(toys("1", maker, toy))
	b.approve(id)
	b.cycle()
	approve := func(why string) func(certifier.Tx) error {
		return func(tx certifier.Tx) error {
			_, err := certifier.Approve(b.ctx, tx, ana, []certificate.ID{id}, why)
			return err
		}
	}
	b.edit(id, "", func(c *certificate.Certificate) { c.Remarks = "nova" })
	b.fails("approve.problems", approve(""))
	b.write(approve("observação corrigida"))
	if got := b.find(id).Approved.Revision.Justifications; len(got) != 1 || got[0].Text != "observação corrigida" {
		t.Errorf("justifications %+v", got)
	}
	b.edit(id, "outro número", func(c *certificate.Certificate) { c.Number = "2" })
	b.fails("approve.problems", approve(""))
	// A product's description travels alone, without justification (FAQ 3.17).
	next := product(1)
	next.Product.Description = "boneca de pano"
	b.save(certifier.Edit{ID: toy, Content: next})
	if a := b.approve(toy); a.Products != 1 {
		t.Errorf("approval %+v", a)
	}
	next.Product.Model = "outro"
	b.save(certifier.Edit{ID: toy, Content: next})
	b.fails("approve.problems", func(tx certifier.Tx) error {
		_, err := certifier.Approve(b.ctx, tx, ana, []certificate.ID{toy}, "modelo")
		return err
	})
}

func TestSituationsAndReplacedCompany(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	maker, toy := b.new(company(1)), b.new(product(1))
	one, two := b.new(toys("1", maker, toy)), b.new(toys("2", maker, b.new(product(2))))
	b.approve(one, two)
	b.cycle()
	b.fails("justification.required", func(tx certifier.Tx) error {
		_, err := certifier.SetSituation(b.ctx, tx, ana, one, certificate.Suspended, "")
		return err
	})
	b.write(func(tx certifier.Tx) error {
		_, err := certifier.SetProductSituation(b.ctx, tx, ana, one, toy, certificate.Suspended, "não conforme")
		return err
	})
	b.fails("company.dependants", func(tx certifier.Tx) error {
		_, err := certifier.SetCompanySituation(b.ctx, tx, ana, two, maker, "", certificate.Suspended, certificate.Transfer{}, "pedido da empresa")
		return err
	})
	right := b.new(company(2))
	var changed []certificate.ID
	b.write(func(tx certifier.Tx) error {
		var err error
		changed, err = certifier.ReplaceCompany(b.ctx, tx, ana, maker, right, "razão social errada")
		return err
	})
	if !slices.Equal(changed, []certificate.ID{one, two}) {
		t.Fatalf("changed %v", changed)
	}
	b.approve(one, two)
	for _, id := range changed {
		c := b.find(id).Newest().Certificate
		if len(c.Companies) != 2 || c.Companies[0].Situation != certificate.Cancelled || c.Companies[1].Company != right ||
			c.Products[0].Company != right {
			t.Errorf("certificate %s: %+v", c.Number, c)
		}
	}
	if got := b.find(one).Newest().Certificate.Products[0].Situation; got != certificate.Suspended {
		t.Errorf("the suspended product is %s now", got)
	}
}

func TestSearchForgivesSpelling(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	maker, toy := b.new(company(1)), b.new(product(1))
	id := b.new(toys("FB-BRIN-108/17.001", maker, toy))
	for text, want := range map[string]certificate.ID{
		"108": id, "BRIN 108": id, "brin108": id, "fb.brin-108/17": id, "brin 109": "",
		"acai m 0001": toy, "AÇAÍ": toy, "fabrica de invencoes": maker, company(1).Company.CNPJ.Masked(): maker, "são paulo": maker,
	} {
		items, err := b.list(certifier.Query{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && len(items) > 0 || want != "" && (len(items) != 1 || items[0].ID != want) {
			t.Errorf("%q finds %+v", text, items)
		}
	}
	if items, err := b.list(certifier.Query{LinkedTo: toy}); err != nil || len(items) != 1 || items[0].ID != id {
		t.Errorf("certificates of the product: %+v, %v", items, err)
	}
	for i := range 25 {
		b.new(product(100 + i))
	}
	seen := map[certificate.ID]bool{}
	q := certifier.Query{Kind: certificate.KindProduct, Limit: 10}
	for pages := 1; ; pages++ {
		var page certifier.Page
		b.write(func(tx certifier.Tx) error {
			var err error
			page, err = certifier.List(b.ctx, tx, q)
			return err
		})
		for _, item := range page.Items {
			seen[item.ID] = true
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			if pages != 3 || len(seen) != 26 {
				t.Errorf("%d pages, %d products", pages, len(seen))
			}
			break
		}
	}
	b.fails("list.cursor", func(tx certifier.Tx) error {
		_, err := certifier.List(b.ctx, tx, certifier.Query{Cursor: "x"})
		return err
	})
}

func TestMirrorWithLog(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	maker, toy := b.new(company(1)), b.new(product(1))
	id := b.new(toys("1", maker, toy))
	b.approve(id)
	b.cycle()
	b.edit(id, "novo laudo", func(c *certificate.Certificate) { c.ReportNumber = "L-2" })
	var mirrors []*certifier.Mirror
	b.write(func(tx certifier.Tx) error {
		mirrors = nil
		return certifier.EachMirror(b.ctx, tx, certifier.Query{Text: "1"}, true, func(m *certifier.Mirror) error {
			mirrors = append(mirrors, m)
			return nil
		})
	})
	if len(mirrors) != 1 {
		t.Fatalf("%d mirrors", len(mirrors))
	}
	m := mirrors[0]
	if m.Class != "Brinquedos" || m.Companies[0].Role != "Solicitante" || m.Companies[0].Country != "Brasil" ||
		m.Products[0].Product.Model != "M-0001" || m.Documents[0].Title != "Portaria Inmetro nº 302/2021" || m.Certificate.ReportNumber != "L-2" {
		t.Errorf("mirror %+v", m)
	}
	var kinds []string
	for _, e := range m.History {
		kinds = append(kinds, e.Kind)
	}
	want := []string{"record.created", "draft.saved", "record.approved", "remessa.prepared", "remessa.sent", "remessa.confirmed"}
	slices.Sort(kinds) // the test's clock stands still
	slices.Sort(want)
	if !slices.Equal(kinds, want) {
		t.Errorf("history %v", kinds)
	}
}

func TestKeysStayWithTheOwner(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "chaves do organismo")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := certifier.LoadKeys(dir); !fault.HasKey(err, "keys.missing") {
		t.Errorf("no keys: %v", err)
	}
	made, err := certifier.CreateKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := certifier.CreateKeys(dir); !fault.HasKey(err, "keys.exist") {
		t.Errorf("keys were made again: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, certifier.KeyFile))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	read, err := certifier.LoadKeys(dir)
	if err != nil || !read.Public().Equal(made.Public()) {
		t.Errorf("read other keys: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, certifier.KeyFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := certifier.LoadKeys(dir); !fault.HasKey(err, "keys.malformed") {
		t.Errorf("half a key file: %v", err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("files %v, %v", names, err)
	}
}

func TestBodyAndEnrolment(t *testing.T) {
	t.Parallel()
	b := bareBase(t, filepath.Join(t.TempDir(), "base.db"))
	b.fails("body.missing", func(tx certifier.Tx) error {
		_, err := certifier.SaveDraft(b.ctx, tx, ana, certifier.Edit{Content: product(1)})
		return err
	})
	for _, wrong := range []string{"", "LONGA DEMAIS", "ÇÃO", "../X"} {
		b.fails("body.sigla", func(tx certifier.Tx) error {
			return certifier.SetBody(b.ctx, tx, ana, certifier.Body{Sigla: certificate.Sigla(wrong)})
		})
	}
	b.enrol()
	b.fails("tables.missing", func(tx certifier.Tx) error {
		_, err := certifier.CurrentTables(b.ctx, tx)
		return err
	})
	// Drafts need no tables; approval does.
	id := b.new(product(1))
	b.fails("tables.missing", func(tx certifier.Tx) error {
		_, err := certifier.Approve(b.ctx, tx, ana, []certificate.ID{id}, "")
		return err
	})
	b.fails("body.fixed", func(tx certifier.Tx) error {
		return certifier.SetBody(b.ctx, tx, ana, certifier.Body{Sigla: "OUTRO"})
	})
	signed, err := remessa.Registry{Name: "Registro", Body: "OUTRO"}.Sign(b.registry)
	if err != nil {
		t.Fatal(err)
	}
	b.fails("enrolment.other_body", func(tx certifier.Tx) error {
		_, err := certifier.Enrol(b.ctx, tx, ana, signed)
		return err
	})
	long := product(2)
	long.Product.Brand = strings.Repeat("marca ", 100) // FAQ 3.12
	b.new(long)
}
