package cycletest_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selo/certificate"
	"selo/certifier"
	"selo/certifier/sheet"
	"selo/registry"
	"selo/remessa"
	"selo/store/certifierstore"
	"selo/store/storetest"
	"selo/verify"
)

// everyCall fails each database call of an act of the body once. What failed
// must have changed nothing at all, and after a new start the same act must
// succeed and leave a sound base. ready makes the situation, for each call anew.
func everyCall(t *testing.T, ready func(round int) (*body, func(tx certifier.Tx) error, func())) {
	t.Helper()
	for call := 1; ; call += callsStep {
		b, op, check := ready(call)
		before := b.dump()
		b.faults.Reset(call)
		err := b.db.Write(b.ctx, op)
		fired := b.faults.Calls() >= call
		b.faults.Reset(0)
		if fired {
			if !errors.Is(err, storetest.ErrInjected) {
				t.Fatalf("call %d failed, the answer was %v", call, err)
			}
			if after := b.dump(); after != before {
				t.Fatalf("call %d failed and left something:\n%s\nwas\n%s", call, after, before)
			}
			b.reopen()
			b.must(b.db.Write(b.ctx, op))
		} else {
			b.must(err)
		}
		check()
		b.must(b.db.Write(b.ctx, b.resume))
		report, err := verify.Certifier(b.ctx, b.path(), verify.Options{Outbox: b.out.Dir})
		b.clean(fmt.Sprintf("after call %d", call), report, err)
		if !fired {
			if call < 3 {
				t.Fatalf("only %d calls were made to fail", call-1)
			}
			return
		}
	}
}

// dump is everything in the body's base, row by row.
func (b *body) dump() string {
	b.Helper()
	var out strings.Builder
	b.must(b.db.Read(b.ctx, func(tx certifier.Tx) error {
		out.Reset()
		st := tx.(*certifierstore.Tx)
		for _, table := range []string{"setting", "auxiliary_tables", "record", "draft", "link", "revision", "remessa", "remessa_item", "audit_event"} {
			rows, err := st.Query(b.ctx, `SELECT json_array(`+b.columns(st, table)+`) FROM `+table+` ORDER BY 1`)
			if err != nil {
				return err
			}
			for rows.Next() {
				var row string
				if err := rows.Scan(&row); err != nil {
					return err
				}
				fmt.Fprintln(&out, table, row)
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
		return nil
	}))
	return out.String()
}

// columns lists a table's columns; binary ones in hexadecimal, which JSON can hold.
func (b *body) columns(tx *certifierstore.Tx, table string) string {
	b.Helper()
	rows, err := tx.Query(b.ctx, `SELECT name FROM pragma_table_info(?)`, table)
	b.must(err)
	var list []string
	for rows.Next() {
		var name string
		b.must(rows.Scan(&name))
		list = append(list, `CASE typeof(`+name+`) WHEN 'blob' THEN hex(`+name+`) ELSE `+name+` END`)
	}
	b.must(rows.Err())
	if len(list) == 0 {
		b.Fatalf("the base has no table %s", table)
	}
	return strings.Join(list, ", ")
}

// scene is a world in which one body works and the registry does as it is asked.
func scene(t *testing.T) *body {
	t.Helper()
	w := newWorld(t, t, storetest.NewSQLite(t), false)
	t.Cleanup(w.close)
	return w.bodies[0]
}

// draft makes a complete draft certificate with a new company and product.
func (b *body) draft(n int) certificate.ID {
	b.Helper()
	var id certificate.ID
	b.must(b.db.Write(b.ctx, func(tx certifier.Tx) error {
		c, err := certifier.SaveDraft(b.ctx, tx, ana, certifier.Edit{Content: company(n)})
		if err != nil {
			return err
		}
		p, err := certifier.SaveDraft(b.ctx, tx, ana, certifier.Edit{Content: product(n)})
		if err != nil {
			return err
		}
		r, err := certifier.SaveDraft(b.ctx, tx, ana, certifier.Edit{Content: sheet1(n, c.ID, p.ID)})
		if err == nil {
			id = r.ID
		}
		return err
	}))
	return id
}

func sheet1(n int, company, product certificate.ID) *certificate.Revision {
	return sheetOf(fmt.Sprintf("N/%d", n), classAlways, company, company, []certificate.ID{product})
}

func (b *body) run(op func(tx certifier.Tx) error) {
	b.Helper()
	b.must(b.db.Write(b.ctx, op))
}

// The acts, each as the commands do it.

func (b *body) approving(id certificate.ID) func(tx certifier.Tx) error {
	return func(tx certifier.Tx) error {
		_, err := certifier.Approve(b.ctx, tx, ana, []certificate.ID{id}, why)
		return err
	}
}

func (b *body) preparing(scope remessa.Scope) func(tx certifier.Tx) error {
	return func(tx certifier.Tx) error {
		if err := b.resume(tx); err != nil {
			return err
		}
		_, err := certifier.Prepare(b.ctx, tx, ana, b.keys, b.out, scope)
		return err
	}
}

func (b *body) sending(tx certifier.Tx) error {
	if err := b.resume(tx); err != nil {
		return err
	}
	_, err := certifier.MarkSent(b.ctx, tx, ana, certifier.ByHTTPS)
	return err
}

// processed delivers the outstanding remessa, has it processed and returns the result.
func (b *body) processed() remessa.Result {
	b.Helper()
	var r *certifier.Remessa
	b.must(b.db.Read(b.ctx, func(tx certifier.Tx) (err error) {
		r, err = certifier.Outstanding(b.ctx, tx)
		return err
	}))
	file, err := os.ReadFile(b.out.Path(r.File))
	b.must(err)
	_, _, err = b.deliver(file)
	b.must(err)
	b.must(b.processOnce(r.Sequence))
	res, err := b.result(r.Sequence)
	b.must(err)
	return *res
}

// cycle takes a certificate from its draft to its acceptance.
func (b *body) cycle(n int) certificate.ID {
	b.Helper()
	id := b.draft(n)
	b.run(b.approving(id))
	b.run(b.preparing(remessa.Partial))
	b.run(b.sending)
	b.run(b.applying(b.processed()))
	return id
}

func (b *body) applying(res remessa.Result) func(tx certifier.Tx) error {
	return func(tx certifier.Tx) error {
		_, err := certifier.ApplyResult(b.ctx, tx, ana, b.keys, res)
		return err
	}
}

func (b *body) find(id certificate.ID) *certifier.Record {
	b.Helper()
	var r *certifier.Record
	b.must(b.db.Read(b.ctx, func(tx certifier.Tx) (err error) {
		r, err = certifier.Find(b.ctx, tx, id)
		return err
	}))
	return r
}

// pair wants both bases to tell the same.
func (b *body) pair() {
	b.Helper()
	report, err := verify.Pair(b.ctx, b.engine.URL, b.path(), b.verifyOptions())
	b.clean("pair", report, err)
}

func TestEveryCallOfTheBodysWork(t *testing.T) {
	t.Parallel()
	acts := map[string]func(b *body, n int) (func(tx certifier.Tx) error, func()){
		"approve": func(b *body, n int) (func(tx certifier.Tx) error, func()) {
			id := b.draft(n)
			return b.approving(id), func() { b.want(id, "approved") }
		},
		"situation": func(b *body, n int) (func(tx certifier.Tx) error, func()) {
			id := b.cycle(n)
			return func(tx certifier.Tx) error {
				_, err := certifier.SetSituation(b.ctx, tx, ana, id, certificate.Suspended, why)
				return err
			}, func() { b.want(id, "draft accepted") }
		},
		"reopen": func(b *body, n int) (func(tx certifier.Tx) error, func()) {
			id := b.draft(n)
			b.run(b.approving(id))
			return func(tx certifier.Tx) error {
				_, err := certifier.Reopen(b.ctx, tx, ana, id, why)
				return err
			}, func() { b.want(id, "draft") }
		},
		"prepare": func(b *body, n int) (func(tx certifier.Tx) error, func()) {
			id := b.draft(n)
			b.run(b.approving(id))
			return b.preparing(remessa.Partial), func() {
				b.want(id, "travelling")
				b.run(b.sending)
				b.run(b.applying(b.processed()))
				b.want(id, "accepted")
				b.pair()
			}
		},
		"prepare full": func(b *body, n int) (func(tx certifier.Tx) error, func()) {
			id := b.draft(n)
			b.run(b.approving(id))
			return b.preparing(remessa.Full), func() {
				b.run(b.sending)
				b.run(b.applying(b.processed()))
				b.want(id, "accepted")
				b.pair()
			}
		},
		"cancel": func(b *body, n int) (func(tx certifier.Tx) error, func()) {
			id := b.draft(n)
			b.run(b.approving(id))
			b.run(b.preparing(remessa.Partial))
			return func(tx certifier.Tx) error {
				_, err := certifier.Cancel(b.ctx, tx, ana, b.out)
				return err
			}, func() { b.want(id, "approved") }
		},
		"send": func(b *body, n int) (func(tx certifier.Tx) error, func()) {
			id := b.draft(n)
			b.run(b.approving(id))
			b.run(b.preparing(remessa.Partial))
			return b.sending, func() {
				b.run(b.applying(b.processed()))
				b.want(id, "accepted")
				b.pair()
			}
		},
		"confirmed": func(b *body, n int) (func(tx certifier.Tx) error, func()) {
			id := b.draft(n)
			b.run(b.approving(id))
			b.run(b.preparing(remessa.Partial))
			b.run(b.sending)
			return b.applying(b.processed()), func() { b.want(id, "accepted"); b.pair() }
		},
		"invalidated": func(b *body, n int) (func(tx certifier.Tx) error, func()) {
			id := b.refused(n)
			res := b.processed()
			return b.applying(res), func() {
				b.want(id, "approved")
				if len(b.find(id).Reasons) == 0 {
					b.Fatalf("no reason stands at the record")
				}
				b.pair()
				b.run(func(tx certifier.Tx) error { _, err := certifier.Reopen(b.ctx, tx, ana, id, why); return err })
			}
		},
		"unlock": func(b *body, n int) (func(tx certifier.Tx) error, func()) {
			id := b.draft(n)
			b.run(b.approving(id))
			b.run(b.preparing(remessa.Partial))
			b.run(b.sending)
			res := b.processed()
			return func(tx certifier.Tx) error {
				_, err := certifier.Unlock(b.ctx, tx, ana, b.keys, strings.ToLower(res.Code))
				return err
			}, func() { b.want(id, "accepted"); b.pair() }
		},
		"tables": func(b *body, n int) (func(tx certifier.Tx) error, func()) {
			b.draft(n)
			b.grant(!b.there.granted)
			b.release()
			newest := b.there.releases[len(b.there.releases)-1]
			return func(tx certifier.Tx) error {
				_, err := certifier.ApplyRelease(b.ctx, tx, ana, newest.signed)
				return err
			}, func() {}
		},
		"import": importing,
	}
	for name, act := range acts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := scene(t)
			everyCall(t, func(round int) (*body, func(tx certifier.Tx) error, func()) {
				op, check := act(b, round)
				return b, op, check
			})
		})
	}
}

// refused sends a remessa that the registry will not take, because the body has
// lost an accreditation that its tables still tell of.
func (b *body) refused(n int) certificate.ID {
	b.Helper()
	b.grant(false)
	id := b.draft(n)
	b.run(func(tx certifier.Tx) error {
		_, err := certifier.ChangeCertificate(b.ctx, tx, ana, id, "", func(c *certificate.Certificate) error {
			c.Class = classSometimes
			return nil
		})
		return err
	})
	b.run(b.approving(id))
	b.run(b.preparing(remessa.Partial))
	b.run(b.sending)
	return id
}

// want tells what a record must hold, and nothing else.
func (b *body) want(id certificate.ID, states string) {
	b.Helper()
	r := b.find(id)
	var got []string
	for _, s := range []struct {
		name string
		has  bool
	}{{"draft", r.Draft != nil}, {"approved", r.Approved != nil}, {"travelling", r.Travelling != nil}, {"accepted", r.Accepted != nil}} {
		if s.has {
			got = append(got, s.name)
		}
	}
	if strings.Join(got, " ") != states {
		b.Fatalf("%s holds %v, want %s", r.Label, got, states)
	}
}

func importing(b *body, n int) (func(tx certifier.Tx) error, func()) {
	text := "certificado;tipo;classe;data_emissao;data_validade;documento;solicitante_cnpj;solicitante;marca;modelo;importado\n"
	for i := range 3 {
		text += fmt.Sprintf("I-%d;portaria-compulsorio;brinquedos;2026-03-01;2030-03-01;portaria;%s;Companhia;Planilha;M-%d-%d;não\n",
			n, company(n).Company.CNPJ, n, i)
	}
	mapping, err := sheet.LoadMapping(strings.NewReader(`{"colunas": {"numero": {"coluna": "certificado"}, "tipo": {"coluna": "tipo"},
		"classe": {"coluna": "classe"}, "data_emissao": {"coluna": "data_emissao"}, "data_validade": {"coluna": "data_validade"},
		"documento": {"coluna": "documento"}, "solicitante_cnpj": {"coluna": "solicitante_cnpj"}, "solicitante_razao_social": {"coluna": "solicitante"},
		"marca": {"coluna": "marca"}, "modelo": {"coluna": "modelo"}, "importado": {"coluna": "importado"}}, "certificado_por": ["certificado"]}`))
	b.must(err)
	reader, err := sheet.OpenAt(b.ctx, bytes.NewReader([]byte(text)), int64(len(text)), "planilha.csv", mapping.Options(sheet.Limits{}))
	b.must(err)
	spreadsheet, err := certifier.ReadSpreadsheet(b.ctx, reader, mapping, "planilha.csv")
	b.must(err)
	b.must(reader.Close())
	var report *certifier.ImportReport
	return func(tx certifier.Tx) (err error) {
			report, err = certifier.Import(b.ctx, tx, ana, spreadsheet, certifier.ImportOptions{})
			return err
		}, func() {
			if report.Created != 3 || report.NewCertificates != 1 || report.Refused != 0 {
				b.Fatalf("import: %+v", report)
			}
		}
}

// TestEveryCallOfTheWayBack fails each call of a reconciliation and of a
// restoration from the registry, with everything that may differ.
func TestEveryCallOfTheWayBack(t *testing.T) {
	t.Parallel()
	t.Run("reconcile", func(t *testing.T) {
		t.Parallel()
		b := scene(t)
		known := b.cycle(1)
		waiting := b.draft(2)
		b.run(b.approving(waiting))
		copied := filepath.Join(b.dir, "cópia.db")
		b.must(certifierstore.Backup(b.ctx, b.path(), copied))
		b.run(func(tx certifier.Tx) error { // what the copy does not know of
			_, err := certifier.SetSituation(b.ctx, tx, ana, known, certificate.Suspended, why)
			return err
		})
		b.run(b.approving(known))
		b.cycle(3)
		everyCall(t, func(round int) (*body, func(tx certifier.Tx) error, func()) {
			b.must(b.db.Close())
			_, err := certifierstore.Restore(b.ctx, copied, b.path(), b.clock.Now().AddDate(0, 0, round))
			b.must(err)
			b.open()
			b.run(b.resume)
			b.draft(3) // typed once more: the registry has records of these names
			return b, b.reconciling(), func() {
				b.want(known, "accepted")
				b.want(waiting, "accepted")
				b.pair()
			}
		})
	})
	t.Run("restore", func(t *testing.T) {
		t.Parallel()
		b := scene(t)
		known := b.cycle(1)
		b.cycle(2)
		var bundle *remessa.Bundle
		everyCall(t, func(round int) (*body, func(tx certifier.Tx) error, func()) {
			other := b.emptyCopy(round)
			bundle = (&teller{world: b.world, b: b}).fetchBase()
			return other, func(tx certifier.Tx) error {
					_, err := certifier.RestoreFromBase(b.ctx, tx, ana, bundle)
					return err
				}, func() {
					other.want(known, "accepted")
					other.pair()
				}
		})
	})
}

// reconciling reconciles with what the registry says now.
func (b *body) reconciling() func(tx certifier.Tx) error {
	b.Helper()
	bundle := (&teller{world: b.world, b: b}).fetchBase()
	var o certifier.Official
	b.must(b.base.Read(b.ctx, func(tx registry.Tx) error {
		o.Results = nil
		list, err := tx.ListRemessas(b.ctx, b.sigla, 0, 100)
		for i := len(list) - 1; err == nil && i >= 0; i-- {
			var res remessa.Result
			res, _, err = b.registry.Result(b.ctx, tx, b.sigla, list[i].Sequence)
			o.Results = append(o.Results, res)
		}
		return err
	}))
	return func(tx certifier.Tx) (err error) {
		if o.Index, err = certifier.IndexOf(b.ctx, tx, bundle); err != nil {
			return err
		}
		_, err = certifier.Reconcile(b.ctx, tx, ana, b.keys, o, certifier.FetchFrom(bundle, o.Index))
		return err
	}
}

// emptyCopy is the same body on a new computer, with its keys and the answer to its enrolment.
func (b *body) emptyCopy(n int) *body {
	b.Helper()
	other := *b
	other.dir = filepath.Join(b.dir, fmt.Sprint("novo", n))
	other.faults = storetest.FailAt(0)
	other.out = certifier.Outbox{Dir: filepath.Join(other.dir, "saída")}
	b.must(os.MkdirAll(other.dir, 0o700))
	other.open()
	b.t.Cleanup(func() { b.must(other.db.Close()) })
	signed, err := remessa.Registry{Name: "Registro de teste", Body: b.sigla}.Sign(b.world.keys)
	b.must(err)
	other.run(func(tx certifier.Tx) error {
		if err := certifier.SetBody(b.ctx, tx, ana, certifier.Body{Sigla: b.sigla, Name: "Organismo"}); err != nil {
			return err
		}
		_, err := certifier.Enrol(b.ctx, tx, ana, signed)
		return err
	})
	return &other
}
