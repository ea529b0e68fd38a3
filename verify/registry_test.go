package verify_test

import (
	"context"
	"testing"

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
