package registry_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/clock"
	"selo/load"
	"selo/registry"
	"selo/remessa"
	"selo/store"
	"selo/store/registrystore"
	"selo/store/storetest"
)

var testTime = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)

// newRegistry opens a registry on a fresh base with a clock that stands still.
func newRegistry(tb testing.TB, e *storetest.Engine, intercept func(context.Context, string) error) (*registry.Registry, *clock.Manual) {
	tb.Helper()
	now := clock.NewManual(testTime)
	db := e.OpenWith(tb, store.Options{Clock: now, Migrations: []store.MigrationSet{registrystore.Migrations()}, Intercept: intercept})
	keys, err := remessa.NewKeys()
	if err != nil {
		tb.Fatal(err)
	}
	return &registry.Registry{Store: registrystore.Store{DB: db}, Keys: keys, Origin: "selo.example/registro", Name: "Registro de teste"}, now
}

// sender is a body that writes whatever revisions a test asks for.
type sender struct {
	tb       testing.TB
	r        *registry.Registry
	sigla    certificate.Sigla
	keys     remessa.Keys
	sequence int64
	digest   remessa.Digest
	heads    map[certificate.ID]link
}

type link struct {
	number int
	hash   certificate.Hash
}

func newSender(tb testing.TB, r *registry.Registry, sigla certificate.Sigla) *sender {
	tb.Helper()
	b, err := load.Enrol(context.Background(), r, sigla, 1)
	if err != nil {
		tb.Fatal(err)
	}
	return &sender{tb: tb, r: r, sigla: sigla, keys: b.Keys, heads: map[certificate.ID]link{}}
}

// next continues the chain of a record; the head moves when the remessa is confirmed.
func (s *sender) next(rev certificate.Revision) *certificate.Revision {
	head := s.heads[rev.ID]
	rev.Number, rev.Previous = head.number+1, head.hash
	rev.Body, rev.ApprovedAt = s.sigla, testTime
	return &rev
}

// bundle writes a remessa; change may spoil the head.
func (s *sender) bundle(change func(*remessa.Head), revisions ...*certificate.Revision) []byte {
	s.tb.Helper()
	head := remessa.Head{Body: s.sigla, Sequence: s.sequence + 1, Scope: remessa.Partial, Previous: s.digest, PreparedAt: testTime}
	if change != nil {
		change(&head)
	}
	var file bytes.Buffer
	w := remessa.NewWriter(&file, head, s.keys.Sign)
	for _, rev := range revisions {
		canonical, err := rev.Encode()
		if err == nil {
			err = w.Add(rev.Kind(), canonical)
		}
		if err != nil {
			s.tb.Fatal(err)
		}
	}
	if _, _, err := w.Close(); err != nil {
		s.tb.Fatal(err)
	}
	return file.Bytes()
}

func (s *sender) deliver(file []byte) (registry.Remessa, error) {
	rem, _, err := s.r.Deliver(context.Background(), bytes.NewReader(file), int64(len(file)), s.sigla)
	return rem, err
}

// send delivers and processes, and gives the remessa as it ended.
func (s *sender) send(revisions ...*certificate.Revision) registry.Remessa {
	s.tb.Helper()
	ctx := context.Background()
	rem, err := s.deliver(s.bundle(nil, revisions...))
	if err == nil {
		err = s.r.Process(ctx, registry.ProcessArgs{Body: s.sigla, Sequence: rem.Sequence}, func(registry.Tx) error { return nil })
	}
	if err == nil {
		rem, err = s.find(rem.Sequence)
	}
	if err != nil {
		s.tb.Fatal(err)
	}
	s.sequence, s.digest = rem.Sequence, rem.Digest
	if rem.State == registry.Confirmed {
		for _, rev := range revisions {
			canonical, err := rev.Encode()
			if err != nil {
				s.tb.Fatal(err)
			}
			s.heads[rev.ID] = link{rev.Number, certificate.HashOf(canonical)}
		}
	}
	return rem
}

func (s *sender) find(sequence int64) (rem registry.Remessa, err error) {
	ctx := context.Background()
	err = s.r.Store.Read(ctx, func(tx registry.Tx) error {
		rem, _, err = tx.FindRemessa(ctx, s.sigla, sequence)
		return err
	})
	return rem, err
}

// set is one certificate with its two companies and one product.
type set struct {
	maker, applicant, product, certificate certificate.Revision
}

func newSet(number string) set {
	day := brasil.Today(testTime).AddDays(-10)
	maker, applicant, product := certificate.NewID(), certificate.NewID(), certificate.NewID()
	link := func(id certificate.ID, role certificate.RoleCode) certificate.CompanyLink {
		return certificate.CompanyLink{Company: id, Role: role, EnteredOn: day, Situation: certificate.Active}
	}
	return set{
		maker: certificate.Revision{ID: maker, Company: &certificate.Company{Country: "CN", Person: certificate.Legal,
			Name: "Imaginary Toys " + number}},
		applicant: certificate.Revision{ID: applicant, Company: &certificate.Company{Country: "PT", Person: certificate.Legal,
			Name: "Brinquedos Fictícios " + number}},
		product: certificate.Revision{ID: product, Product: &certificate.Product{Brand: "Fictoy", Model: "FT-" + number}},
		certificate: certificate.Revision{ID: certificate.NewID(), Certificate: &certificate.Certificate{
			Number: number, IssuedOn: day, ValidUntil: day.AddYears(4), Type: certificate.TypeCompulsory, Class: "brinquedos",
			Situation: certificate.Active,
			Documents: []certificate.DocumentLink{{Document: "portaria-302-2021", EnteredOn: day, Situation: certificate.Active}},
			Companies: []certificate.CompanyLink{link(applicant, certificate.Applicant), link(maker, certificate.Manufacturer)},
			Products: []certificate.ProductLink{{Product: product, Company: applicant, Modality: certificate.ByType,
				EnteredOn: day, Situation: certificate.Active}},
		}},
	}
}

// chained continues all four records of the set.
func (s *sender) chained(t set) []*certificate.Revision {
	return []*certificate.Revision{s.next(t.maker), s.next(t.applicant), s.next(t.product), s.next(t.certificate)}
}
