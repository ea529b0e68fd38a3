package verify_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"selo/catalog"
	"selo/certificate"
	"selo/registry"
	"selo/remessa"
	"selo/store"
	"selo/store/registrystore"
	"selo/store/storetest"
	"selo/verify"
)

// snapshot builds the newest publication's snapshot as the server does.
func (b *base) snapshot(t *testing.T) string {
	t.Helper()
	ctx := context.Background()
	var p registry.Publication
	must(t, b.reg.Store.Read(ctx, func(tx registry.Tx) (err error) {
		p, _, err = tx.FindPublication(ctx)
		return err
	}))
	src := registrystore.Source{Store: registrystore.Store{DB: b.db}, Publication: p}
	path := filepath.Join(t.TempDir(), "publicação (1).sqlite")
	must(t, catalog.Build(ctx, src, src.Snapshot(), path, catalog.Options{Sign: func(text []byte) (string, error) {
		return remessa.SignSnapshot(text, b.reg.Keys)
	}}))
	return path
}

func (b *base) against(t *testing.T, path string) (verify.Report, map[string]int64) {
	t.Helper()
	report, err := verify.SnapshotAgainst(context.Background(), path, b.engine.URL,
		verify.Options{Key: b.reg.Keys.Public().Sign, Schema: b.engine.Options(store.Options{}).Schema})
	must(t, err)
	return report, codes(report)
}

// moves suspends, cancels and reactivates a certificate of a body, a minute
// apart, and publishes.
func moves(t *testing.T, b *base, o *body) {
	t.Helper()
	at := slices.IndexFunc(o.order, func(id certificate.ID) bool { return o.newest[id].Certificate != nil })
	for _, situation := range []certificate.Situation{certificate.Suspended, certificate.Cancelled, certificate.Active} {
		moved := again(t, o.newest[o.order[at]])
		moved.Certificate.Situation = situation
		moved.Justifications = []certificate.Justification{{Fields: []string{"situacao"}, Text: "decisão do organismo"}}
		b.clock.Advance(time.Minute)
		next := o.link(moved, b.clock.Now())
		rem := b.deliver(t, o, remessa.Partial, next)
		must(t, b.reg.Process(context.Background(), registry.ProcessArgs{Body: o.sigla, Sequence: rem.Sequence}, func(registry.Tx) error { return nil }))
		canonical, err := next.Encode()
		must(t, err)
		o.newest[next.ID], o.hashes[next.ID] = next, certificate.HashOf(canonical)
	}
	b.publish(t)
}

func TestSoundSnapshotHasNoFindings(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		b := newBase(t, e)
		ccb, doc := story(t, b)
		moves(t, b, doc)
		path := b.snapshot(t)
		// What is accepted after the publication is not shown yet.
		waiting := registry.ProcessArgs{Body: "CCB", Sequence: ccb.sequence}
		must(t, b.reg.Process(context.Background(), waiting, func(registry.Tx) error { return nil }))
		for _, r := range ccb.newest {
			if r.Certificate == nil {
				continue
			}
			next := again(t, r)
			next.Certificate.Laboratory = "Laboratório Fictício"
			next.Justifications = []certificate.Justification{{Fields: []string{"laboratorio"}, Text: "troca de laboratório"}}
			ccb.link(next, b.clock.Now())
			rem := b.deliver(t, ccb, remessa.Partial, next)
			must(t, b.reg.Process(context.Background(), registry.ProcessArgs{Body: "CCB", Sequence: rem.Sequence}, func(registry.Tx) error { return nil }))
			break
		}
		report, _ := b.against(t, path)
		if report.Total() != 0 || skipped(report) != 0 {
			t.Errorf("findings: %+v", findings(report))
		}
		for _, c := range report.Checks {
			if c.Checked == 0 {
				t.Errorf("%s looked at nothing", c.Name)
			}
		}
		own, err := verify.Snapshot(context.Background(), path, verify.Options{})
		must(t, err)
		if own.Total() != 0 || skipped(own) != 2 {
			t.Errorf("without the key: %d skipped, %+v", skipped(own), findings(own))
		}
	})
}

func TestEveryDamageOfASnapshotIsFound(t *testing.T) {
	t.Parallel()
	b := newBase(t, storetest.NewSQLite(t))
	_, doc := story(t, b)
	moves(t, b, doc)
	file, err := os.ReadFile(b.snapshot(t))
	must(t, err)
	cut := len(file) - 16 - int(binary.BigEndian.Uint64(file[len(file)-8:]))
	base, seal := file[:cut], file[cut:]
	changed := []string{"verify.snapshot.digest", "verify.snapshot.rows"}
	for _, d := range []struct {
		name string
		sql  string
		seal func([]byte) []byte
		want []string
	}{
		{name: "a row changes", sql: `UPDATE produto SET descricao = 'x' WHERE id = (SELECT MIN(id) FROM produto)`, want: changed},
		{name: "a situation changes", sql: `UPDATE certificado SET situacao = 3 WHERE organismo = 'DOC'`, want: append(changed, "verify.snapshot.facts")},
		{name: "a count changes", sql: `UPDATE certificado SET produtos = produtos + 1`, want: append(changed, "verify.snapshot.facts")},
		{name: "a body changes", sql: `UPDATE produto SET organismo = 'XXX' WHERE organismo = 'DOC'`, want: append(changed, "verify.snapshot.facts")},
		{name: "a certificate is lost", sql: `DELETE FROM certificado WHERE organismo = 'DOC'`, want: append(changed, "verify.snapshot.missing")},
		{name: "a certificate is too many", sql: `INSERT INTO certificado SELECT 5, organismo, numero, compacto, situacao, expirado, emissao, validade,
			tipo, classe, motivo, solicitante, produtos, facetas FROM certificado WHERE organismo = 'DOC'`, want: append(changed, "verify.snapshot.extra")},
		{name: "the last is too many", sql: `INSERT INTO empresa SELECT 100000, uuid, organismo, cnpj, dados FROM empresa WHERE organismo = 'DOC'`,
			want: append(changed, "verify.snapshot.extra")},
		{name: "an event is lost", sql: `DELETE FROM evento WHERE tipo = 'reativado'`, want: append(changed, "verify.snapshot.event")},
		{name: "an event becomes another", sql: `UPDATE evento SET tipo = 'cancelado' WHERE tipo = 'suspenso'`, want: append(changed, "verify.snapshot.event")},
		{name: "an event comes at another time", sql: `UPDATE evento SET aceita = aceita + 1 WHERE organismo = 'DOC'`, want: append(changed, "verify.snapshot.event")},
		{name: "an event is too many", sql: `INSERT INTO evento SELECT 5, organismo, numero, classe, tipo, situacao, aceita FROM evento WHERE tipo = 'reativado'`,
			want: append(changed, "verify.snapshot.event")},
		{name: "the last event is too many", sql: `INSERT INTO evento SELECT 100000, organismo, numero, classe, tipo, situacao, aceita FROM evento WHERE tipo = 'reativado'`,
			want: append(changed, "verify.snapshot.event")},
		{name: "a body seems fresher", sql: `UPDATE cobertura SET ultima = ultima + 1 WHERE organismo = 'CCB'`, want: append(changed, "verify.snapshot.coverage")},
		{name: "a body is not covered", sql: `DELETE FROM cobertura WHERE organismo = 'CCB'`, want: append(changed, "verify.snapshot.coverage")},
		{name: "a body is covered that sent nothing", sql: `INSERT INTO cobertura VALUES ('XXX', 1, 1, 1)`, want: append(changed, "verify.snapshot.coverage")},
		{name: "the sum is made to fit", sql: `UPDATE meta SET valor = '0.0.0.0' WHERE chave = 'soma'`, want: append(changed, "verify.snapshot.content")},
		{name: "the names change", sql: `UPDATE meta SET valor = replace(valor, 'Brinquedos', 'Brincadeiras') WHERE chave = 'referencia'`,
			want: []string{"verify.snapshot.digest", "verify.snapshot.content"}},
		{name: "the seal is cut", seal: func(s []byte) []byte { return s[:len(s)-1] }, want: []string{"verify.snapshot.truncated"}},
		{name: "there is no seal", seal: func([]byte) []byte { return nil }, want: []string{"verify.snapshot.truncated"}},
		{name: "the seal is of another format", seal: func(s []byte) []byte { return bytes.Replace(s, []byte(`"formato":6`), []byte(`"formato":5`), 1) },
			want: []string{"verify.snapshot.seal"}},
		{name: "the seal says another publication", seal: func(s []byte) []byte { return bytes.Replace(s, []byte(`"numero":5`), []byte(`"numero":3`), 1) },
			want: []string{"verify.snapshot.signature", "verify.snapshot.content", "verify.snapshot.publication"}},
		{name: "the checkpoint is of another root", seal: func(s []byte) []byte {
			at := bytes.Index(s, []byte(`"raiz":"`)) + len(`"raiz":"`)
			out := bytes.Clone(s)
			copy(out[at:], "00000000")
			return out
		}, want: []string{"verify.checkpoint.head", "verify.snapshot.signature", "verify.snapshot.content", "verify.snapshot.publication"}},
	} {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			e := &storetest.Engine{Dialect: store.SQLite, URL: "sqlite:" + filepath.Join(t.TempDir(), "x.sqlite")}
			must(t, os.WriteFile(e.Path(), base, 0o600))
			if d.sql != "" {
				raw := e.Raw(t)
				run(d.sql)(t, raw)
				must(t, raw.Close())
			}
			damaged, err := os.ReadFile(e.Path())
			must(t, err)
			if len(damaged) != len(base) {
				t.Fatalf("the file has grown: this damage needs another row")
			}
			end := seal
			if d.seal != nil {
				end = d.seal(seal)
			}
			must(t, os.WriteFile(e.Path(), append(damaged, end...), 0o600))
			report, found := b.against(t, e.Path())
			wantCodes(t, found, d.want, nil, findings(report))
		})
	}
}
