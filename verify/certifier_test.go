package verify_test

import (
	"bytes"
	"context"
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"selo/certificate"
	"selo/certifier"
	"selo/registry"
	"selo/remessa"
	"selo/store"
	"selo/store/certifierstore"
	"selo/store/storetest"
	"selo/verify"
)

// office is a body's own base, made by the real certifier, enrolled at a real registry.
type office struct {
	*base
	dir  string
	own  *certifierstore.DB
	keys remessa.Keys
	out  certifier.Outbox
}

const ana certifier.Actor = "ana"

func (o *office) path() string { return filepath.Join(o.dir, "base.db") }

func newOffice(t *testing.T, e *storetest.Engine) *office {
	t.Helper()
	ctx := context.Background()
	o := &office{base: newBase(t, e), dir: t.TempDir()}
	o.out = certifier.Outbox{Dir: filepath.Join(o.dir, "remessas")}
	var err error
	o.own, err = certifierstore.Open(ctx, o.path(), store.Options{Clock: o.clock})
	must(t, err)
	t.Cleanup(func() { _ = o.own.Close() })
	o.keys, err = remessa.NewKeys()
	must(t, err)
	var answer string
	var release registry.Release
	o.write(t, func(tx registry.Tx) error {
		if answer, err = o.reg.Enrol(ctx, tx, remessa.Enrolment{Body: "CCB", Name: "Organismo Fictício", Email: "ocp@ficticio.example",
			Keys: o.keys.Public()}, "OCP-0000", "teste"); err != nil {
			return err
		}
		if err := o.reg.PutScope(ctx, tx, registry.Scope{Body: "CCB", Class: "brinquedos"}, "teste"); err != nil {
			return err
		}
		release, _, err = o.reg.Release(ctx, tx, "CCB", "teste")
		return err
	})
	o.do(t, func(tx certifier.Tx) error {
		if err := certifier.SetBody(ctx, tx, ana, certifier.Body{Sigla: "CCB", Name: "Organismo Fictício"}); err != nil {
			return err
		}
		if _, err := certifier.Enrol(ctx, tx, ana, answer); err != nil {
			return err
		}
		_, err := certifier.ApplyRelease(ctx, tx, ana, release.Signed)
		return err
	})
	return o
}

func (o *office) do(t *testing.T, f func(tx certifier.Tx) error) {
	t.Helper()
	must(t, o.own.Write(context.Background(), f))
}

func (o *office) save(t *testing.T, content *certificate.Revision) (id certificate.ID) {
	t.Helper()
	o.do(t, func(tx certifier.Tx) error {
		r, err := certifier.SaveDraft(context.Background(), tx, ana, certifier.Edit{ID: content.ID, Content: content})
		if err == nil {
			id = r.ID
		}
		return err
	})
	return id
}

func (o *office) approve(t *testing.T, ids ...certificate.ID) {
	t.Helper()
	o.do(t, func(tx certifier.Tx) error {
		_, err := certifier.Approve(context.Background(), tx, ana, ids, "porque mudou")
		return err
	})
}

func (o *office) prepare(t *testing.T, scope remessa.Scope) (r *certifier.Remessa) {
	t.Helper()
	o.do(t, func(tx certifier.Tx) (err error) {
		r, err = certifier.Prepare(context.Background(), tx, ana, o.keys, o.out, scope)
		return err
	})
	return r
}

// deliver hands the prepared file to the registry, which processes it.
func (o *office) deliver(t *testing.T, r *certifier.Remessa) {
	t.Helper()
	ctx := context.Background()
	file, err := os.ReadFile(o.out.Path(r.File))
	must(t, err)
	o.do(t, func(tx certifier.Tx) error {
		_, err := certifier.MarkSent(ctx, tx, ana, certifier.ByHTTPS)
		return err
	})
	rem, _, err := o.reg.Deliver(ctx, bytes.NewReader(file), int64(len(file)), "CCB")
	must(t, err)
	must(t, o.reg.Process(ctx, registry.ProcessArgs{Body: rem.Body, Sequence: rem.Sequence}, func(registry.Tx) error { return nil }))
}

// fetch applies the registry's result and wants that outcome.
func (o *office) fetch(t *testing.T, r *certifier.Remessa, want remessa.Outcome) {
	t.Helper()
	ctx := context.Background()
	var result remessa.Result
	must(t, o.reg.Store.Read(ctx, func(tx registry.Tx) (err error) {
		result, _, err = o.reg.Result(ctx, tx, "CCB", r.Sequence)
		return err
	}))
	if result.Outcome != want {
		t.Fatalf("remessa %d: %s, want %s: %v", r.Sequence, result.Outcome, want, result.Reasons)
	}
	o.do(t, func(tx certifier.Tx) error {
		_, err := certifier.ApplyResult(ctx, tx, ana, o.keys, result)
		return err
	})
}

// cycle lives through everything: confirmed, withdrawn, invalidated, full and waiting remessas.
func (o *office) cycle(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	maker := o.save(t, companyOf(t, 1))
	products := []certificate.ID{o.save(t, productOf(1)), o.save(t, productOf(2)), o.save(t, productOf(3))}
	sheet := o.save(t, certificateOf(t, "CCB-1", maker, maker, products...))
	o.approve(t, sheet)
	o.prepare(t, remessa.Partial)
	o.do(t, func(tx certifier.Tx) error { _, err := certifier.Cancel(ctx, tx, ana, o.out); return err })
	first := o.prepare(t, remessa.Partial)
	o.deliver(t, first)
	o.fetch(t, first, remessa.Confirmed)

	change := productOf(2)
	change.ID, change.Product.Description = products[1], "Bola maior"
	o.save(t, change)
	o.approve(t, products[1])
	// The scope is lost meanwhile: the registry refuses a new certificate.
	other := o.save(t, certificateOf(t, "CCB-2", maker, maker, products[0]))
	o.approve(t, other)
	second := o.prepare(t, remessa.Partial)
	o.setScope(t, "2026-02-15")
	o.deliver(t, second)
	o.fetch(t, second, remessa.Invalidated)
	o.setScope(t, "")
	third := o.prepare(t, remessa.Full)
	o.deliver(t, third)
	o.fetch(t, third, remessa.Confirmed)

	o.save(t, productOf(70)) // a draft
	again := productOf(3)
	again.ID, again.Product.Description = products[2], "Bola menor"
	o.save(t, again)
	o.approve(t, products[2])
}

// setScope moves the beginning of the accreditation.
func (o *office) setScope(t *testing.T, since string) {
	t.Helper()
	raw := o.engine.Raw(t)
	_, err := raw.Exec(`UPDATE scope SET since = '` + since + `'`)
	must(t, err)
	must(t, raw.Close())
}

func (o *office) check(t *testing.T, path string) (verify.Report, map[string]int64) {
	t.Helper()
	report, err := verify.Certifier(context.Background(), path, verify.Options{Outbox: o.out.Dir})
	must(t, err)
	return report, codes(report)
}

func (o *office) pair(t *testing.T, path string) (verify.Report, map[string]int64) {
	t.Helper()
	report, err := verify.Pair(context.Background(), o.engine.URL, path, verify.Options{Schema: o.engine.Options(store.Options{}).Schema})
	must(t, err)
	return report, codes(report)
}

func skipped(r verify.Report) (n int64) {
	for _, c := range r.Checks {
		n += c.Skipped
	}
	return n
}

func TestSoundPairHasNoFindings(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		o := newOffice(t, e)
		sound := func(when string, skip int64) {
			t.Helper()
			own, _ := o.check(t, o.path())
			both, _ := o.pair(t, o.path())
			if own.Total()+both.Total() != 0 {
				t.Errorf("%s: %+v %+v", when, findings(own), findings(both))
			}
			if got := skipped(own) + skipped(both); got != skip {
				t.Errorf("%s: %d skipped, want %d", when, got, skip)
			}
		}
		sound("empty", 0)
		o.cycle(t)
		sound("before the remessa", 0)
		r := o.prepare(t, remessa.Partial)
		sound("prepared", 0)
		o.deliver(t, r)
		sound("delivered, result not fetched", 2)
		o.fetch(t, r, remessa.Confirmed)
		sound("confirmed", 0)
		report, found := o.base.check(t) // this test does not end the jobs
		wantCodes(t, found, []string{"verify.job.unfinished"}, nil, findings(report))
	})
}

// ownDamages break one thing of the body's base; codes of Pair begin with "pair:".
var ownDamages = []damage{
	{name: "a content changes", do: run(`UPDATE revision SET content = CAST(replace(CAST(content AS TEXT), 'maior', 'menor') AS BLOB) WHERE number = 2 AND state = 'aceita'`),
		want: []string{"verify.content.hash"}},
	{name: "a content is not canonical", do: run(`UPDATE revision SET content = CAST(content || ' ' AS BLOB) WHERE number = 2 AND state = 'aceita'`),
		want: []string{"verify.content.canonical", "verify.content.hash"}},
	{name: "a content is no JSON", do: run(`UPDATE revision SET content = x'7b' WHERE number = 2 AND state = 'aceita'`),
		want: []string{"verify.content.canonical", "verify.content.hash", "verify.chain.malformed"}},
	{name: "a number changes", do: run(`UPDATE revision SET number = 3 WHERE number = 2 AND state = 'aceita'`),
		want: []string{"verify.chain.identity", "pair:verify.pair.missing_here", "pair:verify.pair.unknown_there"}, may: []string{"verify.certifier.item_lost"}},
	{name: "the chain is broken", do: run(`UPDATE revision SET content = CAST(replace(CAST(content AS TEXT), '"anterior":"', '"anterior":"0') AS BLOB) WHERE number = 2 AND state = 'aceita'`),
		want: []string{"verify.chain.previous", "verify.content.hash"}},
	{name: "what travels is on nothing", do: run(`UPDATE revision SET state = 'substituida' WHERE state = 'aceita' AND record =
		(SELECT record FROM revision WHERE state = 'em_remessa')`), want: []string{"verify.certifier.travels_on", "pair:verify.pair.state"}},
	{name: "an older one is accepted", do: run(`UPDATE revision SET state = 'x' WHERE number = 2 AND state = 'aceita'`,
		`UPDATE revision SET state = 'aceita' WHERE state = 'substituida'`, `UPDATE revision SET state = 'substituida' WHERE state = 'x'`),
		want: []string{"verify.certifier.not_newest", "pair:verify.pair.state"}},
	{name: "two are accepted", do: run(`DROP INDEX revision_accepted`, `UPDATE revision SET state = 'aceita' WHERE state = 'substituida'`),
		want: []string{"verify.certifier.twice", "verify.certifier.not_newest"}},
	{name: "one is there twice", do: run(`INSERT INTO revision (record, kind, number, hash, state, approved_at, approved_by, content)
		SELECT record, kind, number, hash, 'substituida', approved_at, approved_by, content FROM revision WHERE state = 'substituida'`),
		want: []string{"verify.certifier.accepted_twice", "pair:verify.pair.doubled"}, may: []string{"pair:verify.pair.unknown_there"}},
	{name: "a replaced revision is lost", do: run(`DELETE FROM revision WHERE state = 'substituida'`),
		want: []string{"verify.certifier.log_gap", "verify.certifier.item_lost", "pair:verify.pair.lost_here"}},
	{name: "an accepted revision is lost", do: run(`DELETE FROM revision WHERE state = 'aceita' AND number = 2`),
		want: []string{"verify.certifier.log_gap", "verify.certifier.item_lost", "pair:verify.pair.missing_here", "verify.record.empty"}, may: []string{"verify.certifier.not_newest"}},
	{name: "an accepted revision is another", do: run(`UPDATE revision SET hash = zeroblob(32) WHERE state = 'aceita' AND number = 2`),
		want: []string{"verify.content.hash", "verify.certifier.item_lost", "pair:verify.pair.different"}},
	{name: "an unknown revision is accepted", do: run(`UPDATE revision SET state = 'substituida' WHERE state = 'aceita' AND record = (SELECT record FROM revision WHERE state = 'em_remessa')`,
		`UPDATE revision SET state = 'aceita' WHERE state = 'em_remessa'`), want: []string{"pair:verify.pair.unknown_there", "pair:verify.pair.state"}},
	{name: "a key is wrong", do: run(`UPDATE record SET key = zeroblob(32) WHERE kind = 'certificado' AND label LIKE '%1'`), want: []string{"verify.record.key"}},
	{name: "two records have one key", do: run(`DROP INDEX record_key`, `UPDATE record SET key = (SELECT key FROM record WHERE kind = 'certificado' ORDER BY id LIMIT 1) WHERE kind = 'certificado'`),
		want: []string{"verify.record.key", "verify.record.twice"}},
	{name: "a draft is no JSON", do: run(`UPDATE draft SET content = x'7b'`), want: []string{"verify.certifier.draft"}},
	{name: "a remessa is lost", do: run(`DELETE FROM remessa_item WHERE remessa = (SELECT id FROM remessa WHERE state = 'invalidada')`, `DELETE FROM remessa WHERE state = 'invalidada'`),
		want: []string{"verify.remessa.gap", "verify.remessa.previous", "verify.certifier.log_gap", "pair:verify.pair.remessa_unknown_here"}},
	{name: "a remessa's digest changes", do: run(`UPDATE remessa SET digest = zeroblob(32) WHERE state = 'invalidada'`),
		want: []string{"verify.remessa.previous", "verify.certifier.no_digest", "pair:verify.pair.remessa_different"}},
	{name: "another outcome", do: run(`UPDATE remessa SET state = 'confirmada' WHERE state = 'invalidada'`),
		want: []string{"verify.certifier.outcome", "pair:verify.pair.remessa_state"}, may: []string{"verify.certifier.item_lost"}},
	{name: "two remessas are open", do: run(`DROP INDEX remessa_outstanding`, `UPDATE remessa SET state = 'enviada', result_at = NULL WHERE state = 'invalidada'`),
		want: []string{"verify.remessa.open", "verify.certifier.outcome"}, may: []string{"verify.certifier.item_not_live", "verify.bundle.digest"}},
	{name: "a result without its time", do: run(`UPDATE remessa SET result_at = NULL WHERE state = 'invalidada'`), want: []string{"verify.remessa.state"}},
	{name: "a result that nobody gave", do: run(`UPDATE remessa SET state = 'confirmada', result_at = 1 WHERE state = 'preparada'`),
		want: []string{"verify.certifier.outcome", "verify.certifier.travels_alone", "verify.certifier.item_lost", "pair:verify.pair.remessa_unknown_there"}},
	{name: "reasons are no JSON", do: run(`UPDATE remessa SET reasons = '[' WHERE state = 'invalidada'`), want: []string{"verify.remessa.reasons"}},
	{name: "an item is lost", do: run(`DELETE FROM remessa_item WHERE remessa = (SELECT MAX(id) FROM remessa)`),
		want: []string{"verify.certifier.items", "verify.certifier.travels_alone"}},
	{name: "an item is not what travels", do: run(`UPDATE remessa_item SET hash = zeroblob(32) WHERE remessa = (SELECT MAX(id) FROM remessa)`),
		want: []string{"verify.certifier.item_not_live", "verify.certifier.travels_alone"}},
	{name: "a preparation is not in the audit", do: run(`DROP TRIGGER audit_event_no_delete`, `DELETE FROM audit_event WHERE kind = 'remessa.prepared' AND subject = 'remessa:2'`),
		want: []string{"verify.certifier.not_prepared", "verify.certifier.log_gap"}},
	{name: "a withdrawal is not in the audit", do: run(`DROP TRIGGER audit_event_no_delete`, `DELETE FROM audit_event WHERE kind = 'remessa.cancelled'`),
		want: []string{"verify.certifier.not_withdrawn", "verify.certifier.log_gap"}},
	{name: "the body is another", do: run(`UPDATE setting SET value = CAST(replace(CAST(value AS TEXT), 'CCB', 'XXX') AS BLOB) WHERE name = 'organismo'`),
		want: []string{"verify.chain.identity", "pair:verify.pair.unknown_there", "pair:verify.pair.remessa_unknown_there"}},
}

// TestRestoredPair fills a new base from the registry: it knows the newest states only.
func TestRestoredPair(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	o := newOffice(t, storetest.NewSQLite(t))
	o.cycle(t)
	var file bytes.Buffer
	must(t, o.reg.Store.Read(ctx, func(tx registry.Tx) error {
		_, err := o.reg.ExportBase(ctx, tx, "CCB", func(head remessa.Head) *remessa.Writer {
			return remessa.NewWriter(&file, head, o.reg.Keys.Sign)
		})
		return err
	}))
	bundle, err := remessa.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), remessa.Limits{})
	must(t, err)
	answer, err := remessa.Registry{Name: "Registro", Body: "CCB"}.Sign(o.reg.Keys)
	must(t, err)
	path := filepath.Join(t.TempDir(), "nova.db")
	fresh, err := certifierstore.Open(ctx, path, store.Options{Clock: o.clock})
	must(t, err)
	must(t, fresh.Write(ctx, func(tx certifier.Tx) error {
		if err := certifier.SetBody(ctx, tx, ana, certifier.Body{Sigla: "CCB", Name: "Organismo Fictício"}); err != nil {
			return err
		}
		if _, err := certifier.Enrol(ctx, tx, ana, answer); err != nil {
			return err
		}
		_, err := certifier.RestoreFromBase(ctx, tx, ana, bundle)
		return err
	}))
	must(t, fresh.Close())
	own, _ := o.check(t, path)
	both, _ := o.pair(t, path)
	if own.Total()+both.Total() != 0 {
		t.Errorf("findings: %+v %+v", findings(own), findings(both))
	}
	// One product has an older revision; two remessas are older than the last.
	if got := skipped(both); got != 3 {
		t.Errorf("%d skipped, want 3", got)
	}
}

func TestEveryDamageOfABodyIsFound(t *testing.T) {
	t.Parallel()
	o := newOffice(t, storetest.NewSQLite(t))
	o.cycle(t)
	r := o.prepare(t, remessa.Partial)
	must(t, o.own.Close())
	file, err := os.ReadFile(o.path())
	must(t, err)
	copied := func(t *testing.T) (string, *sql.DB) {
		e := &storetest.Engine{Dialect: store.SQLite, URL: "sqlite:" + filepath.Join(t.TempDir(), "base.db")}
		must(t, os.WriteFile(e.Path(), file, 0o600))
		raw := e.Raw(t)
		raw.SetMaxOpenConns(1)
		for _, s := range []string{"PRAGMA ignore_check_constraints = 1", "DROP TRIGGER revision_no_delete", "DROP TRIGGER revision_frozen", "DROP TRIGGER revision_moves"} {
			_, err := raw.Exec(s)
			must(t, err)
		}
		return e.Path(), raw
	}
	for _, d := range ownDamages {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			path, raw := copied(t)
			d.do(t, raw)
			must(t, raw.Close())
			own, found := o.check(t, path)
			both, pair := o.pair(t, path)
			for code, n := range pair {
				found["pair:"+code] = n
			}
			wantCodes(t, found, d.want, d.may, append(findings(own), findings(both)...))
		})
	}
	t.Run("the file", func(t *testing.T) {
		name := o.out.Path(r.File)
		bundle, err := os.ReadFile(name)
		must(t, err)
		for _, c := range []struct {
			code    string
			content []byte
		}{
			{"verify.bundle.form", bundle[:len(bundle)/2]},
			{"verify.bundle.content", append(append(slices.Clone(bundle[:60]), bundle[60]^0xff), bundle[61:]...)},
			{"verify.bundle.digest", bytes.Replace(bundle, []byte(`"sequencia":4`), []byte(`"sequencia":5`), 1)},
		} {
			must(t, os.WriteFile(name, c.content, 0o600))
			report, found := o.check(t, o.path())
			// A changed manifest breaks the ZIP's own checksum: both are the same finding.
			wantCodes(t, found, nil, []string{c.code, "verify.bundle.form"}, findings(report))
			if report.Total() == 0 {
				t.Errorf("%s was not found", c.code)
			}
		}
		must(t, os.Remove(name))
		report, found := o.check(t, o.path())
		wantCodes(t, found, []string{"verify.certifier.file_missing"}, nil, findings(report))
		must(t, os.WriteFile(name, bundle, 0o600)) // the parallel tests come after this one
	})
}

func wantCodes(t *testing.T, found map[string]int64, want, may []string, all []verify.Finding) {
	t.Helper()
	for _, code := range want {
		if found[code] == 0 {
			t.Errorf("%s was not found, only %v", code, slices.Sorted(maps.Keys(found)))
		}
	}
	for code := range found {
		if !slices.Contains(want, code) && !slices.Contains(may, code) {
			t.Errorf("%s was found too: %+v", code, all)
		}
	}
}
