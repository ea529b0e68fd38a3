package registry_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"selo/certificate"
	"selo/fault"
	"selo/registry"
	"selo/remessa"
	"selo/store/storetest"
)

// state is what must not change when something is refused.
type state struct {
	records, ledger int64
	sequence        int64
}

func (s *sender) state() (got state) {
	s.tb.Helper()
	ctx := context.Background()
	err := s.r.Store.Read(ctx, func(tx registry.Tx) error {
		head, err := tx.LedgerHead(ctx)
		if err != nil {
			return err
		}
		body, err := tx.Body(ctx, s.sigla)
		if err != nil {
			return err
		}
		got = state{ledger: head.Size, sequence: body.Sequence}
		return tx.EachNewest(ctx, s.sigla, func(certificate.Kind, []byte) error { got.records++; return nil })
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	return got
}

// What is refused at the door changes nothing and may be sent again.
func TestDeliveryRefusals(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		r, _ := newRegistry(t, e, nil)
		s, other := newSender(t, r, "TEST"), newSender(t, r, "OUTRO")
		first := newSet("1")
		s.send(s.chained(first)...)
		revisions := s.chained(newSet("2"))
		good := s.bundle(nil, revisions...)
		forged := *s
		forged.keys = other.keys
		stranger := *s
		stranger.sigla = "NINGUEM"
		for _, c := range []struct {
			name string
			file []byte
			kind fault.Kind
			key  string
		}{
			{"signed with another body's key", forged.bundle(nil, revisions...), fault.Invalid, "signature.wrong"},
			{"unknown body", stranger.bundle(nil, revisions...), fault.Forbidden, "remessa.other_body"},
			{"truncated", good[:len(good)-30], fault.Invalid, "bundle.not_zip"},
			{"repeated sequence", s.bundle(func(h *remessa.Head) { h.Sequence = 1 }, revisions...), fault.Conflict, "remessa.sequence_used"},
			{"skipped sequence", s.bundle(func(h *remessa.Head) { h.Sequence = 3 }, revisions...), fault.Conflict, "remessa.sequence_skipped"},
			{"other predecessor", s.bundle(func(h *remessa.Head) { h.Previous[0]++ }, revisions...), fault.Conflict, "remessa.previous"},
			{"empty", s.bundle(nil), fault.Invalid, "remessa.empty"},
			{"base instead of remessa", s.bundle(func(h *remessa.Head) { h.Scope = remessa.Base }, revisions...), fault.Invalid, "bundle.scope"},
			{"unknown scope", s.bundle(func(h *remessa.Head) { h.Scope = "outra" }, revisions...), fault.Invalid, "bundle.scope"},
		} {
			before := s.state()
			if _, err := s.deliver(c.file); !fault.Is(err, c.kind) || !fault.HasKey(err, c.key) {
				t.Errorf("%s: err = %v, want %s", c.name, err, c.key)
			}
			if after := s.state(); after != before {
				t.Errorf("%s: %+v became %+v", c.name, before, after)
			}
		}
		if rem, err := s.deliver(good); err != nil || rem.State != registry.Received {
			t.Fatalf("the good one after all: %+v, %v", rem, err)
		}
	})
}

func TestDeliveryIsIdempotent(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx := context.Background()
		r, _ := newRegistry(t, e, nil)
		s := newSender(t, r, "TEST")
		revisions := s.chained(newSet("1"))
		file := s.bundle(nil, revisions...)
		for i := range 3 {
			_, fresh, err := r.Deliver(ctx, bytes.NewReader(file), int64(len(file)), "TEST")
			if err != nil || fresh != (i == 0) {
				t.Fatalf("delivery %d: fresh %t, %v", i, fresh, err)
			}
		}
		// Another bundle while the first waits.
		s.sequence = 0
		another := s.bundle(nil, s.chained(newSet("2"))...)
		if _, err := s.deliver(another); !fault.HasKey(err, "remessa.sequence_used") {
			t.Errorf("another with the same number: %v", err)
		}
		args := registry.ProcessArgs{Body: "TEST", Sequence: 1}
		for range 3 {
			if err := r.Process(ctx, args, func(registry.Tx) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.state(); got != (state{records: 4, ledger: 4, sequence: 1}) {
			t.Errorf("state = %+v", got)
		}
		rem, fresh, err := r.Deliver(ctx, bytes.NewReader(file), int64(len(file)), "TEST")
		if err != nil || fresh || rem.State != registry.Confirmed {
			t.Errorf("after processing: %+v %t %v", rem, fresh, err)
		}
	})
}

// spoiled is a remessa with one thing wrong and the reason it must be given.
type spoiled struct {
	name string
	send func(s *sender, accepted set) []*certificate.Revision
	code string
}

var spoiledRemessas = []spoiled{
	{"class the body is not accredited for", func(s *sender, _ set) []*certificate.Revision {
		x := newSet("9")
		x.certificate.Certificate.Class = "servico"
		return s.chained(x)
	}, "certificate.class.unknown"},
	{"document of another class", func(s *sender, _ set) []*certificate.Revision {
		x := newSet("9")
		x.certificate.Certificate.Documents[0].Document = "portaria-90-2022"
		return s.chained(x)
	}, "certificate.document.not_offered"},
	{"issued tomorrow", func(s *sender, _ set) []*certificate.Revision {
		x := newSet("9")
		x.certificate.Certificate.IssuedOn = x.certificate.Certificate.IssuedOn.AddDays(11)
		return s.chained(x)
	}, "certificate.issued.future"},
	{"product of nobody", func(s *sender, _ set) []*certificate.Revision {
		x := newSet("9")
		return []*certificate.Revision{s.next(x.maker), s.next(x.applicant), s.next(x.certificate)}
	}, "product.unknown"},
	{"frozen number", func(s *sender, a set) []*certificate.Revision {
		a.certificate.Certificate.Number = "1-B"
		a.certificate.Justifications = []certificate.Justification{{Fields: []string{"numero"}, Text: "Número digitado errado"}}
		return []*certificate.Revision{s.next(a.certificate)}
	}, "certificate.frozen"},
	{"frozen model", func(s *sender, a set) []*certificate.Revision {
		a.product.Product.Model = "FT-OUTRO"
		return []*certificate.Revision{s.next(a.product)}
	}, "product.frozen"},
	{"frozen company name", func(s *sender, a set) []*certificate.Revision {
		a.maker.Company.Name = "Outro Nome"
		return []*certificate.Revision{s.next(a.maker)}
	}, "company.frozen"},
	{"product taken out", func(s *sender, a set) []*certificate.Revision {
		x := newSet("9")
		a.certificate.Certificate.Products = x.certificate.Certificate.Products
		a.certificate.Certificate.Products[0].Company = a.applicant.ID
		a.certificate.Justifications = []certificate.Justification{{Fields: []string{"produtos"}, Text: "Troca de produto"}}
		return []*certificate.Revision{s.next(x.product), s.next(a.certificate)}
	}, "certificate.product.removed"},
	{"change without justification", func(s *sender, a set) []*certificate.Revision {
		a.certificate.Certificate.Remarks = "Nova observação"
		return []*certificate.Revision{s.next(a.certificate)}
	}, "certificate.justification.required"},
	{"same brand, model and imported", func(s *sender, a set) []*certificate.Revision {
		x := newSet("9")
		*x.product.Product = *a.product.Product
		return s.chained(x)
	}, "product.exists"},
	{"same product twice in one remessa", func(s *sender, _ set) []*certificate.Revision {
		x, y := newSet("9"), newSet("9")
		return []*certificate.Revision{s.next(x.product), s.next(y.product)}
	}, "product.exists"},
	{"same certificate number", func(s *sender, a set) []*certificate.Revision {
		x := newSet("9")
		x.certificate.Certificate.Number = a.certificate.Certificate.Number
		return s.chained(x)
	}, "certificate.exists"},
	{"gap in the chain", func(s *sender, a set) []*certificate.Revision {
		rev := s.next(a.product)
		rev.Number++
		return []*certificate.Revision{rev}
	}, "revision.number"},
	{"other predecessor in the chain", func(s *sender, a set) []*certificate.Revision {
		rev := s.next(a.product)
		rev.Previous[3]++
		return []*certificate.Revision{rev}
	}, "revision.previous"},
	{"one record twice", func(s *sender, a set) []*certificate.Revision {
		one := s.next(a.product)
		one.Product = &certificate.Product{Brand: a.product.Product.Brand, Model: a.product.Product.Model, Description: "Nova"}
		return []*certificate.Revision{one, one}
	}, "revision.repeated"},
	{"certificates before products", func(s *sender, _ set) []*certificate.Revision {
		x := newSet("9")
		r := s.chained(x)
		slices.Reverse(r)
		return r
	}, "bundle.order"},
	{"record of another body", func(s *sender, _ set) []*certificate.Revision {
		other := newSender(s.tb, s.r, "OUTRO")
		x := newSet("9")
		other.send(other.chained(x)...)
		rev := *s.next(x.product)
		rev.Number, rev.Previous = 2, other.heads[x.product.ID].hash
		return []*certificate.Revision{&rev}
	}, "revision.body"},
	{"spaces around a name", func(s *sender, _ set) []*certificate.Revision {
		x := newSet("9")
		x.product.Product.Brand = "Fictoy\u0007"
		return s.chained(x)
	}, "text.control"},
}

// One broken rule invalidates the whole remessa, is named, and changes nothing
// but the sequence; the next remessa goes through.
func TestProcessingRefusals(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		r, _ := newRegistry(t, e, nil)
		for i, c := range spoiledRemessas {
			s := newSender(t, r, certificate.Sigla("TEST"+string(rune('A'+i))))
			accepted := newSet("1")
			if rem := s.send(s.chained(accepted)...); rem.State != registry.Confirmed {
				t.Fatalf("%s: first remessa %+v", c.name, rem)
			}
			before := s.ownRecords()
			good := s.chained(newSet("good"))
			spoilt := c.send(s, accepted)
			if c.code != "bundle.order" {
				spoilt = merge(spoilt, good)
			}
			rem := s.send(spoilt...)
			if rem.State != registry.Invalidated || !slices.ContainsFunc(rem.Reasons, func(p fault.Problem) bool { return p.Code == c.code }) {
				t.Errorf("%s: %s, reasons %v; want %s", c.name, rem.State, rem.Reasons, c.code)
			}
			for _, p := range rem.Reasons {
				if p.Record == "" {
					t.Errorf("%s: reason %s names no record", c.name, p.Code)
				}
			}
			if after := s.ownRecords(); after != before {
				t.Errorf("%s: %d records became %d", c.name, before, after)
			}
			if rem := s.send(s.chained(newSet("after"))...); rem.State != registry.Confirmed {
				t.Errorf("%s: the next remessa: %s %v", c.name, rem.State, rem.Reasons)
			}
		}
	})
}

func (s *sender) ownRecords() int64 { return s.state().records }

// merge keeps the order of kinds.
func merge(a, b []*certificate.Revision) []*certificate.Revision {
	all := append(slices.Clone(a), b...)
	rank := map[certificate.Kind]int{certificate.KindProduct: 1, certificate.KindCertificate: 2}
	slices.SortStableFunc(all, func(x, y *certificate.Revision) int { return rank[x.Kind()] - rank[y.Kind()] })
	return all
}

// A full remessa repeats what is accepted and brings what lacks (FAQ 3.23).
func TestFullRemessaRepeatsWithoutDoubling(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx := context.Background()
		r, _ := newRegistry(t, e, nil)
		s := newSender(t, r, "TEST")
		old := s.chained(newSet("1"))
		s.send(old...)
		fresh := s.chained(newSet("2"))
		file := s.bundle(func(h *remessa.Head) { h.Scope = remessa.Full }, merge(old, fresh)...)
		if _, err := s.deliver(file); err != nil {
			t.Fatal(err)
		}
		if err := r.Process(ctx, registry.ProcessArgs{Body: "TEST", Sequence: 2}, func(registry.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
		rem, err := s.find(2)
		if err != nil || rem.State != registry.Confirmed || rem.Applied != 4 || rem.FirstIndex != 4 {
			t.Fatalf("remessa = %+v, %v", rem, err)
		}
		if got := s.state(); got != (state{records: 8, ledger: 8, sequence: 2}) {
			t.Errorf("state = %+v", got)
		}
	})
}
