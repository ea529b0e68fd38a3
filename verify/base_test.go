package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/clock"
	"selo/job"
	"selo/registry"
	"selo/remessa"
	"selo/store"
	"selo/store/registrystore"
	"selo/store/storetest"
)

// base is an official base made by the real registry.
type base struct {
	engine *storetest.Engine
	db     *store.DB
	reg    *registry.Registry
	clock  *clock.Manual
}

// body is a certification body that makes real bundles.
type body struct {
	sigla    certificate.Sigla
	keys     remessa.Keys
	sequence int64
	digest   remessa.Digest
	newest   map[certificate.ID]*certificate.Revision // accepted
	hashes   map[certificate.ID]certificate.Hash
	order    []certificate.ID
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// newBase makes an empty base of one class.
func newBase(tb testing.TB, e *storetest.Engine) *base {
	tb.Helper()
	keys, err := remessa.NewKeys()
	must(tb, err)
	b := &base{engine: e, clock: clock.NewManual(time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC))}
	b.db = e.OpenWith(tb, store.Options{Migrations: []store.MigrationSet{registrystore.Migrations()}, Clock: b.clock})
	b.reg = &registry.Registry{Store: registrystore.Store{DB: b.db}, Keys: keys, Origin: "selo.example/registro", Name: "Registro de teste"}
	b.write(tb, func(tx registry.Tx) error {
		return b.reg.PutReference(context.Background(), tx, certificate.Tables{
			Classes: []certificate.Class{{Code: "brinquedos", Name: "Brinquedos"}},
			Documents: []certificate.Document{{Code: "portaria-302-2021", Title: "Portaria Inmetro nº 302/2021", Kind: "Portaria",
				Offers: []certificate.Offer{{Class: "brinquedos", Type: certificate.TypeCompulsory}}}},
			Types:     []certificate.CertificateType{{Code: certificate.TypeCompulsory, Name: "Portaria Compulsório"}},
			Roles:     []certificate.Role{{Code: certificate.Applicant, Name: "Solicitante"}, {Code: certificate.Manufacturer, Name: "Fabricante"}},
			Countries: []certificate.Country{{Code: certificate.Brazil, Name: "Brasil"}},
		}, "teste")
	})
	return b
}

func (b *base) write(tb testing.TB, f func(tx registry.Tx) error) {
	tb.Helper()
	must(tb, b.reg.Store.Write(context.Background(), f))
}

func (b *base) enrol(tb testing.TB, sigla certificate.Sigla) *body {
	tb.Helper()
	keys, err := remessa.NewKeys()
	must(tb, err)
	o := &body{sigla: sigla, keys: keys, newest: map[certificate.ID]*certificate.Revision{}, hashes: map[certificate.ID]certificate.Hash{}}
	b.write(tb, func(tx registry.Tx) error {
		ctx := context.Background()
		e := remessa.Enrolment{Body: sigla, Name: "Organismo Fictício " + string(sigla), Email: "ocp@ficticio.example", Keys: keys.Public()}
		if _, err := b.reg.ReplaceKeys(ctx, tx, e, "OCP-0000", "teste"); err != nil {
			return err
		}
		if err := b.reg.PutScope(ctx, tx, registry.Scope{Body: sigla, Class: "brinquedos"}, "teste"); err != nil {
			return err
		}
		_, _, err := b.reg.Release(ctx, tx, sigla, "teste")
		return err
	})
	return o
}

func (b *base) publish(tb testing.TB) {
	tb.Helper()
	b.write(tb, func(tx registry.Tx) error {
		_, _, err := b.reg.Publish(context.Background(), tx, "teste")
		return err
	})
}

// link puts a revision on top of what is accepted of its record.
func (o *body) link(r *certificate.Revision, now time.Time) *certificate.Revision {
	if r.ID == "" {
		r.ID = certificate.NewID()
	}
	r.Body, r.ApprovedAt, r.Number, r.Previous = o.sigla, now.Truncate(time.Second), 1, certificate.Hash{}
	if prev := o.newest[r.ID]; prev != nil {
		r.Number, r.Previous = prev.Number+1, o.hashes[r.ID]
	}
	return r
}

// bundle makes the body's next remessa.
func (b *base) bundle(tb testing.TB, o *body, scope remessa.Scope, revisions ...*certificate.Revision) []byte {
	tb.Helper()
	var file bytes.Buffer
	w := remessa.NewWriter(&file, remessa.Head{Body: o.sigla, Sequence: o.sequence + 1, Scope: scope, Previous: o.digest,
		PreparedAt: b.clock.Now()}, o.keys.Sign)
	for _, kind := range []certificate.Kind{certificate.KindCompany, certificate.KindProduct, certificate.KindCertificate} {
		for _, r := range revisions {
			if r.Kind() != kind {
				continue
			}
			canonical, err := r.Encode()
			must(tb, err)
			must(tb, w.Add(kind, canonical))
		}
	}
	m, digest, err := w.Close()
	must(tb, err)
	o.sequence, o.digest = m.Sequence, digest
	return file.Bytes()
}

func (b *base) deliver(tb testing.TB, o *body, scope remessa.Scope, revisions ...*certificate.Revision) registry.Remessa {
	tb.Helper()
	file := b.bundle(tb, o, scope, revisions...)
	rem, _, err := b.reg.Deliver(context.Background(), bytes.NewReader(file), int64(len(file)), o.sigla)
	must(tb, err)
	return rem
}

// send delivers and processes a remessa as the job runner does, and wants that outcome.
func (b *base) send(tb testing.TB, o *body, want registry.State, scope remessa.Scope, revisions ...*certificate.Revision) {
	tb.Helper()
	ctx := context.Background()
	rem := b.deliver(tb, o, scope, revisions...)
	b.clock.Advance(time.Minute)
	var claims []job.Claim
	must(tb, b.db.Write(ctx, func(tx *store.Tx) (err error) {
		claims, err = tx.ClaimJobs(ctx, job.Want{Kinds: []string{registry.ProcessKind}, Token: "t" + rem.Digest.String(),
			Until: tx.Now().Add(time.Hour), Limit: 1})
		return err
	}))
	if len(claims) != 1 {
		tb.Fatalf("%d jobs to process remessa %s %d", len(claims), rem.Body, rem.Sequence)
	}
	var args registry.ProcessArgs
	must(tb, json.Unmarshal(claims[0].Job.Args, &args))
	must(tb, b.reg.Process(ctx, args, func(tx registry.Tx) error {
		return tx.(*registrystore.Tx).CompleteJob(ctx, claims[0].ID, claims[0].Token)
	}))
	must(tb, b.reg.Store.Read(ctx, func(tx registry.Tx) (err error) {
		rem, _, err = tx.FindRemessa(ctx, o.sigla, rem.Sequence)
		return err
	}))
	if rem.State != want {
		tb.Fatalf("remessa %s %d: %s, want %s: %.500s", rem.Body, rem.Sequence, rem.State, want, fmt.Sprint(rem.Reasons))
	}
	if want != registry.Confirmed {
		return
	}
	for _, r := range revisions {
		canonical, err := r.Encode()
		must(tb, err)
		if o.newest[r.ID] == nil {
			o.order = append(o.order, r.ID)
		}
		o.newest[r.ID], o.hashes[r.ID] = r, certificate.HashOf(canonical)
	}
}

func day(tb testing.TB, s string) brasil.Date {
	tb.Helper()
	d, err := brasil.ParseISODate(s)
	must(tb, err)
	return d
}

func companyOf(tb testing.TB, n int) *certificate.Revision {
	tb.Helper()
	cnpj, err := brasil.MakeCNPJ(fmt.Sprintf("FC%06d0001", n))
	must(tb, err)
	return &certificate.Revision{Company: &certificate.Company{City: "Campinas", CNPJ: cnpj, Country: certificate.Brazil, UF: "SP",
		Name: fmt.Sprintf("Companhia  Fictícia %d Ltda", n), Street: "Rua dos Exemplos", Number: "1", Person: certificate.Legal}}
}

func productOf(n int) *certificate.Revision {
	return &certificate.Revision{Product: &certificate.Product{Brand: "Imaginária", Model: fmt.Sprintf("Utopia \"%d\"/ç", n),
		Description: "Bola de \\plástico", Imported: n%3 == 0}}
}

func certificateOf(tb testing.TB, number string, applicant, maker certificate.ID, products ...certificate.ID) *certificate.Revision {
	tb.Helper()
	entered := day(tb, "2026-02-01")
	c := &certificate.Certificate{Class: "brinquedos", IssuedOn: entered, ValidUntil: day(tb, "2030-02-01"), Model: "5", Number: number,
		Situation: certificate.Active, Type: certificate.TypeCompulsory,
		Documents: []certificate.DocumentLink{{Document: "portaria-302-2021", EnteredOn: entered, Situation: certificate.Active}},
		Companies: []certificate.CompanyLink{
			{Company: applicant, Role: certificate.Applicant, EnteredOn: entered, Situation: certificate.Active},
			{Company: maker, Role: certificate.Manufacturer, EnteredOn: entered, Situation: certificate.Active}}}
	for _, p := range products {
		c.Products = append(c.Products, certificate.ProductLink{EnteredOn: entered, Company: applicant, Modality: certificate.ByType,
			Product: p, Situation: certificate.Active})
	}
	return &certificate.Revision{Certificate: c}
}

// again is a deep copy, to be changed into the next revision.
func again(tb testing.TB, r *certificate.Revision) *certificate.Revision {
	tb.Helper()
	data, err := json.Marshal(r)
	must(tb, err)
	var c certificate.Revision
	must(tb, json.Unmarshal(data, &c))
	return &c
}

// story fills the base with everything that may happen: two bodies, remessas
// that are confirmed, invalidated, full without much news and still waiting,
// publications in between, new keys.
func story(tb testing.TB, b *base) (ccb, doc *body) {
	tb.Helper()
	b.publish(tb) // of an empty ledger
	ccb, doc = b.enrol(tb, "CCB"), b.enrol(tb, "DOC")
	first := []*certificate.Revision{ccb.link(companyOf(tb, 1), b.clock.Now()), ccb.link(companyOf(tb, 2), b.clock.Now())}
	var products []certificate.ID
	for n := range 300 {
		p := ccb.link(productOf(n), b.clock.Now())
		products, first = append(products, p.ID), append(first, p)
	}
	one := ccb.link(certificateOf(tb, "CCB-BRIN 001/26.001", first[0].ID, first[1].ID, products[:200]...), b.clock.Now())
	two := ccb.link(certificateOf(tb, "CCB-BRIN 002/26.001", first[1].ID, first[0].ID, products[200:]...), b.clock.Now())
	first = append(first, one, two)
	b.send(tb, ccb, registry.Confirmed, remessa.Partial, first...)
	b.publish(tb)

	bad := ccb.link(certificateOf(tb, "CCB-BRIN 003/26.001", first[1].ID, first[0].ID, certificate.NewID()), b.clock.Now())
	b.send(tb, ccb, registry.Invalidated, remessa.Partial, bad)

	owner := doc.link(companyOf(tb, 1), b.clock.Now())
	ball := doc.link(productOf(1), b.clock.Now())
	sheet := doc.link(certificateOf(tb, "DOC/1", owner.ID, owner.ID, ball.ID), b.clock.Now())
	b.send(tb, doc, registry.Confirmed, remessa.Partial, owner, ball, sheet)
	b.clock.Advance(24 * time.Hour)
	b.publish(tb)

	changed := again(tb, ccb.newest[products[7]])
	changed.Product.Description = "Bola de borracha"
	suspended := again(tb, ccb.newest[one.ID])
	suspended.Certificate.Products[3].Situation = certificate.Suspended
	suspended.Justifications = []certificate.Justification{{Fields: []string{"produtos"}, Text: "ensaio reprovado"}}
	b.send(tb, ccb, registry.Confirmed, remessa.Partial, ccb.link(changed, b.clock.Now()), ccb.link(suspended, b.clock.Now()))

	full := []*certificate.Revision{ccb.link(productOf(900), b.clock.Now())}
	for _, id := range ccb.order {
		full = append(full, ccb.newest[id])
	}
	b.send(tb, ccb, registry.Confirmed, remessa.Full, full...)
	same := make([]*certificate.Revision, 0, len(ccb.order))
	for _, id := range ccb.order {
		same = append(same, ccb.newest[id])
	}
	b.send(tb, ccb, registry.Confirmed, remessa.Full, same...) // brings nothing new
	b.publish(tb)
	b.deliver(tb, ccb, remessa.Partial, ccb.link(productOf(901), b.clock.Now())) // waits
	return ccb, doc
}
