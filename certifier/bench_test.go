package certifier_test

import (
	"testing"

	"selo/certificate"
	"selo/certifier"
	"selo/remessa"
)

// BenchmarkCycle approves, prepares and settles 10,000 products in 100
// certificates per round; the custom metrics are products per second of each step.
func BenchmarkCycle(b *testing.B) {
	const certificates, each = 100, 100
	for range b.N {
		x := newBase(b)
		maker := x.new(company(1))
		x.write(func(tx certifier.Tx) error {
			for i := range certificates {
				var ids []certificate.ID
				for j := range each {
					r, err := certifier.SaveDraft(x.ctx, tx, ana, certifier.Edit{Content: product(i*each + j)})
					if err != nil {
						return err
					}
					ids = append(ids, r.ID)
				}
				if _, err := certifier.SaveDraft(x.ctx, tx, ana, certifier.Edit{Content: toys(number("N", i), maker, ids...)}); err != nil {
					return err
				}
			}
			return nil
		})
		b.ResetTimer()
		begin := b.Elapsed()
		lap := func(name string) {
			b.ReportMetric(certificates*each/(b.Elapsed()-begin).Seconds(), name+"-products/s")
			begin = b.Elapsed()
		}
		x.write(func(tx certifier.Tx) error { _, _, err := certifier.ApproveReady(x.ctx, tx, ana); return err })
		lap("approve")
		r := x.prepare(remessa.Partial)
		lap("prepare")
		x.apply(r, remessa.Confirmed)
		lap("settle")
		b.StopTimer()
	}
}
