package verify_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"selo/certificate"
	"selo/fault"
	"selo/remessa"
	"selo/store"
	"selo/store/storetest"
	"selo/verify"
)

// check verifies the base and returns how often each code was found.
func (b *base) check(tb testing.TB) (verify.Report, map[string]int64) {
	tb.Helper()
	o := b.engine.Options(store.Options{})
	report, err := verify.Registry(context.Background(), b.engine.URL, verify.Options{Key: b.reg.Keys.Public().Sign, Schema: o.Schema})
	must(tb, err)
	return report, codes(report)
}

func codes(report verify.Report) map[string]int64 {
	found := map[string]int64{}
	for _, c := range report.Checks {
		for _, f := range c.Findings {
			found[f.Code]++
		}
	}
	return found
}

func TestSoundBaseHasNoFindings(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		b := newBase(t, e)
		if report, _ := b.check(t); report.Total() != 0 {
			t.Errorf("empty base: %+v", findings(report))
		}
		story(t, b)
		report, _ := b.check(t)
		if report.Total() != 0 {
			t.Errorf("findings: %+v", findings(report))
		}
		for _, c := range report.Checks {
			if c.Checked == 0 {
				t.Errorf("%s looked at nothing", c.Name)
			}
			if c.Skipped != 0 {
				t.Errorf("%s skipped %d", c.Name, c.Skipped)
			}
		}
	})
}

func findings(r verify.Report) []verify.Finding {
	var all []verify.Finding
	for _, c := range r.Checks {
		all = append(all, c.Findings...)
	}
	return all
}

// TestReplacedKeys: what a former key of the body signed cannot be checked any more.
func TestReplacedKeys(t *testing.T) {
	t.Parallel()
	b := newBase(t, storetest.NewSQLite(t))
	story(t, b)
	b.enrol(t, "CCB")
	report, _ := b.check(t)
	if report.Total() != 0 {
		t.Errorf("findings: %+v", findings(report))
	}
	if got := skipped(report); got != 6 {
		t.Errorf("%d skipped, want the 6 remessas of the body", got)
	}
}

// TestBadLines puts a bundle into the base whose lines are out of order or no revisions.
func TestBadLines(t *testing.T) {
	t.Parallel()
	b := newBase(t, storetest.NewSQLite(t))
	ccb, _ := story(t, b)
	raw := b.engine.Raw(t)
	var file bytes.Buffer
	w := remessa.NewWriter(&file, remessa.Head{Body: "CCB", Sequence: 3, Scope: remessa.Partial, PreparedAt: b.clock.Now()}, ccb.keys.Sign)
	rows, err := raw.Query(`SELECT kind, content FROM revision WHERE remessa_id = ` + thirdOfCCB + ` ORDER BY position DESC`)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var kind certificate.Kind
		var content []byte
		must(t, rows.Scan(&kind, &content))
		must(t, w.Add(kind, content))
	}
	must(t, rows.Err())
	must(t, w.Add(certificate.KindProduct, []byte(`{"produto":1}`)))
	_, _, err = w.Close()
	must(t, err)
	_, err = raw.Exec(`UPDATE remessa_piece SET data = ? WHERE remessa_id = `+thirdOfCCB, file.Bytes())
	must(t, err)
	_, err = raw.Exec(`UPDATE remessa SET size = ? WHERE id = `+thirdOfCCB, file.Len())
	must(t, err)
	compare(t, b, b.engine, []string{"verify.line.order", "verify.line.malformed", "verify.line.foreign", "verify.line.not_applied"},
		[]string{"verify.bundle.digest", "verify.bundle.manifest", "verify.bundle.content"})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	b := newBase(t, storetest.NewSQLite(t))
	story(t, b)
	raw := b.engine.Raw(t)
	run(`UPDATE record SET record_key = randomblob(32) WHERE kind = 'produto'`)(t, raw)
	var last, total int64
	report, err := verify.Registry(context.Background(), b.engine.URL, verify.Options{Keep: 3, Progress: func(done, of int64) {
		if done < last || done > of {
			t.Errorf("progress %d of %d after %d", done, of, last)
		}
		last, total = done, of
	}})
	must(t, err)
	if report.Total() != 302 || len(findings(report)) != 3 {
		t.Errorf("%d findings, %d kept", report.Total(), len(findings(report)))
	}
	if skipped(report) != 4+2 { // four checkpoints, two releases
		t.Errorf("%d skipped without a key", skipped(report))
	}
	if last == 0 || last != total {
		t.Errorf("progress ended at %d of %d", last, total)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := verify.Registry(ctx, b.engine.URL, verify.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := verify.Registry(context.Background(), "ftp://x", verify.Options{}); !fault.HasKey(err, "store.url") {
		t.Errorf("no base: %v", err)
	}
}
