package certifier_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/certifier"
	"selo/clock"
	"selo/fault"
	"selo/remessa"
	"selo/store"
	"selo/store/certifierstore"
)

// start is the moment at which the tests' clock stands.
var start = time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)

// base is a body's base with an enrolled registry, whose side the test plays.
type base struct {
	t        testing.TB
	ctx      context.Context
	dir      string
	db       *certifierstore.DB
	clock    *clock.Manual
	keys     remessa.Keys // the body's
	registry remessa.Keys
	out      certifier.Outbox
	tables   *certificate.Tables
}

const ana certifier.Actor = "ana"

// newBase makes a base of the body DEMO with its first auxiliary tables.
func newBase(t testing.TB, opts ...store.Options) *base {
	t.Helper()
	b := bareBase(t, filepath.Join(t.TempDir(), "base de (açúcar).db"), opts...)
	b.enrol()
	b.tables = demoTables(1)
	b.write(func(tx certifier.Tx) error {
		_, err := certifier.ApplyRelease(b.ctx, tx, ana, b.sign(b.tables))
		return err
	})
	return b
}

func bareBase(t testing.TB, path string, opts ...store.Options) *base {
	t.Helper()
	b := &base{t: t, ctx: t.Context(), dir: filepath.Dir(path), clock: clock.NewManual(start)}
	o := store.Options{}
	if len(opts) > 0 {
		o = opts[0]
	}
	o.Clock = b.clock
	var err error
	if b.db, err = certifierstore.Open(b.ctx, path, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.db.Close(); err != nil {
			t.Error(err)
		}
	})
	if b.keys, err = remessa.NewKeys(); err != nil {
		t.Fatal(err)
	}
	if b.registry, err = remessa.NewKeys(); err != nil {
		t.Fatal(err)
	}
	b.out = certifier.Outbox{Dir: filepath.Join(b.dir, "remessas")}
	return b
}

func (b *base) enrol() {
	b.t.Helper()
	signed, err := remessa.Registry{Name: "Registro", URL: "https://registro.example", Body: "DEMO"}.Sign(b.registry)
	if err != nil {
		b.t.Fatal(err)
	}
	b.write(func(tx certifier.Tx) error {
		if err := certifier.SetBody(b.ctx, tx, ana, certifier.Body{Sigla: "demo", Name: "Organismo de Demonstração"}); err != nil {
			return err
		}
		_, err := certifier.Enrol(b.ctx, tx, ana, signed)
		return err
	})
}

func (b *base) sign(t *certificate.Tables) string {
	b.t.Helper()
	signed, err := remessa.SignRelease(t, b.registry)
	if err != nil {
		b.t.Fatal(err)
	}
	return signed
}

// write runs f and fails the test on an error.
func (b *base) write(f func(tx certifier.Tx) error) {
	b.t.Helper()
	if err := b.db.Write(b.ctx, f); err != nil {
		b.t.Fatalf("unexpected error: %v", err)
	}
}

// fails runs f and wants a fault with that key.
func (b *base) fails(key string, f func(tx certifier.Tx) error) {
	b.t.Helper()
	_ = b.failure(key, f) // it has checked the key
}

// failure is fails for those who look closer at the fault.
func (b *base) failure(key string, f func(tx certifier.Tx) error) *fault.Fault {
	b.t.Helper()
	err := b.db.Write(b.ctx, f)
	if !fault.HasKey(err, key) {
		b.t.Fatalf("got %v, want fault %s", err, key)
	}
	return fault.Of(err)
}

func day(s string) brasil.Date {
	d, err := brasil.ParseISODate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// demoTables are small auxiliary tables of the body DEMO.
func demoTables(number int) *certificate.Tables {
	always := []certificate.Period{{From: day("2010-01-01")}}
	offer := []certificate.Offer{{Class: "brinquedos", Type: certificate.TypeCompulsory, Period: always[0]}}
	return &certificate.Tables{
		Number: number, Body: "DEMO",
		Classes: []certificate.Class{{Code: "brinquedos", Name: "Brinquedos", Scopes: always,
			Required: []certificate.RoleCode{certificate.Applicant}}},
		Documents: []certificate.Document{{Code: "portaria-302-2021", Title: "Portaria Inmetro nº 302/2021", Kind: "Portaria", Offers: offer}},
		Countries: []certificate.Country{{Code: "BR", Name: "Brasil"}, {Code: "AR", Name: "Argentina"}, {Code: "US", Name: "Estados Unidos"}},
		Roles: []certificate.Role{{Code: certificate.Applicant, Name: "Solicitante"}, {Code: certificate.Manufacturer, Name: "Fabricante"},
			{Code: certificate.Importer, Name: "Importador"}},
		Types: []certificate.CertificateType{{Code: certificate.TypeCompulsory, Name: "Portaria compulsório"},
			{Code: certificate.TypeStandard, Name: "Norma"}},
	}
}

func company(i int) *certificate.Revision {
	cnpj, err := brasil.MakeCNPJ(fmt.Sprintf("%08d0001", 12345678+i))
	if err != nil {
		panic(err)
	}
	return &certificate.Revision{Company: &certificate.Company{Person: certificate.Legal, Country: "BR", CNPJ: cnpj,
		Name: fmt.Sprintf("Fábrica de Invenções %d Ltda", i), City: "São Paulo", UF: "SP"}}
}

func product(i int) *certificate.Revision {
	return &certificate.Revision{Product: &certificate.Product{Brand: "Marca Açaí", Model: fmt.Sprintf("M-%04d", i), Description: "boneca"}}
}

// toys is a complete certificate over one company and any number of products.
func toys(numero string, maker certificate.ID, products ...certificate.ID) *certificate.Revision {
	on := day("2026-03-01")
	c := &certificate.Certificate{
		Number: numero, IssuedOn: on, ValidUntil: day("2028-03-01"), Type: certificate.TypeCompulsory, Class: "brinquedos",
		Model: "5", Situation: certificate.Active,
		Documents: []certificate.DocumentLink{{Document: "portaria-302-2021", EnteredOn: on, Situation: certificate.Active}},
		Companies: []certificate.CompanyLink{{Company: maker, Role: certificate.Applicant, EnteredOn: on, Situation: certificate.Active}},
	}
	for _, p := range products {
		c.Products = append(c.Products, certificate.ProductLink{Product: p, Company: maker, EnteredOn: on,
			Modality: certificate.ByType, Situation: certificate.Active})
	}
	return &certificate.Revision{Certificate: c}
}

func (b *base) save(e certifier.Edit) *certifier.Record {
	b.t.Helper()
	var r *certifier.Record
	b.write(func(tx certifier.Tx) error {
		var err error
		r, err = certifier.SaveDraft(b.ctx, tx, ana, e)
		return err
	})
	return r
}

func (b *base) new(content *certificate.Revision) certificate.ID {
	b.t.Helper()
	return b.save(certifier.Edit{Content: content}).ID
}

func (b *base) find(id certificate.ID) *certifier.Record {
	b.t.Helper()
	var r *certifier.Record
	err := b.db.Read(b.ctx, func(tx certifier.Tx) error {
		var err error
		r, err = certifier.Find(b.ctx, tx, id)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// edit changes a certificate's newest state.
func (b *base) edit(id certificate.ID, why string, fn func(c *certificate.Certificate)) {
	b.t.Helper()
	b.write(func(tx certifier.Tx) error {
		_, err := certifier.ChangeCertificate(b.ctx, tx, ana, id, why, func(c *certificate.Certificate) error { fn(c); return nil })
		return err
	})
}

func (b *base) approve(ids ...certificate.ID) certifier.Approval {
	b.t.Helper()
	var a certifier.Approval
	b.write(func(tx certifier.Tx) error {
		var err error
		a, err = certifier.Approve(b.ctx, tx, ana, ids, "")
		return err
	})
	return a
}

func (b *base) prepare(scope remessa.Scope) *certifier.Remessa {
	b.t.Helper()
	var r *certifier.Remessa
	b.write(func(tx certifier.Tx) error {
		var err error
		r, err = certifier.Prepare(b.ctx, tx, ana, b.keys, b.out, scope)
		return err
	})
	return r
}

func (b *base) sent() {
	b.t.Helper()
	b.write(func(tx certifier.Tx) error {
		_, err := certifier.MarkSent(b.ctx, tx, ana, certifier.ByHTTPS)
		return err
	})
}

// result is what the registry answers to r.
func (b *base) result(r *certifier.Remessa, o remessa.Outcome, reasons ...fault.Problem) remessa.Result {
	b.t.Helper()
	return remessa.Result{Body: "DEMO", Sequence: r.Sequence, Digest: r.Digest, Outcome: o, Reasons: reasons,
		Total: int64(len(reasons)), Code: b.code(r, o).String(), ProcessedAt: b.clock.Now()}
}

func (b *base) code(r *certifier.Remessa, o remessa.Outcome) remessa.Code {
	b.t.Helper()
	secret, err := remessa.SharedSecret(b.registry.Agree, b.keys.Public().Agree)
	if err != nil {
		b.t.Fatal(err)
	}
	return remessa.UnlockCode(secret, "DEMO", r.Sequence, r.Digest, o)
}

func (b *base) apply(r *certifier.Remessa, o remessa.Outcome, reasons ...fault.Problem) certifier.Answer {
	b.t.Helper()
	var a certifier.Answer
	b.write(func(tx certifier.Tx) error {
		var err error
		a, err = certifier.ApplyResult(b.ctx, tx, ana, b.keys, b.result(r, o, reasons...))
		return err
	})
	return a
}

// cycle sends everything approved and has it confirmed.
func (b *base) cycle() *certifier.Remessa {
	b.t.Helper()
	r := b.prepare(remessa.Partial)
	b.sent()
	b.apply(r, remessa.Confirmed)
	return r
}

func number(prefix string, n int) string { return fmt.Sprintf("%s%d", prefix, n) }
