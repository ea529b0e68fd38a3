package ledger_test

import (
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"selo/ledger"
	"selo/ledger/ledgertest"
)

// BenchmarkAppend1000 is a remessa of 1,000 revisions on a growing log.
func BenchmarkAppend1000(b *testing.B) {
	m := newMemory()
	leaves := ledgertest.Leaves(1000)
	b.ReportAllocs()
	for b.Loop() {
		ledgertest.MustAppend(b, m.db(), leaves)
	}
}

// BenchmarkAppendMillion is one transaction of 1,000,000 entries.
func BenchmarkAppendMillion(b *testing.B) {
	leaves := ledgertest.Leaves(1_000_000)
	b.ReportAllocs()
	for b.Loop() {
		ledgertest.MustAppend(b, newMemory().db(), leaves)
	}
}

func BenchmarkProofAtMillion(b *testing.B) {
	const size = 1_000_000
	m := newMemory()
	head := ledgertest.MustAppend(b, m.db(), ledgertest.Leaves(size))
	b.Run("inclusion", func(b *testing.B) {
		i := int64(0)
		for b.Loop() {
			i = (i + 7919) % size
			mustInclusion(b, m, i, size)
		}
	})
	b.Run("older size", func(b *testing.B) {
		i := int64(0)
		for b.Loop() {
			i = (i + 7919) % size
			mustInclusion(b, m, i/2, i+1)
		}
	})
	b.Run("consistency", func(b *testing.B) {
		i := int64(0)
		for b.Loop() {
			i = (i + 7919) % size
			mustConsistency(b, m, i, size)
		}
	})
	b.Run("check", func(b *testing.B) {
		p, leaf := mustInclusion(b, m, 12_345, size), tlog.Hash(ledgertest.Leaf(12_345))
		for b.Loop() {
			if err := ledger.CheckInclusion(p, leaf, head); err != nil {
				b.Fatal(err)
			}
		}
	})
}
