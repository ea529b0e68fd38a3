// Package ledgertest holds the suite that every storage of the ledger passes,
// and RFC 6962 written a second time, for tests to compare with.
package ledgertest

import (
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"
)

// Leaf returns the record hash of entry i of a made-up log: that of the eight
// bytes of i, big-endian.
func Leaf(i int64) tlog.Hash {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte{0}, uint64(i)))
}

// Leaves returns the record hashes of the first n entries of that log.
func Leaves(n int64) []tlog.Hash {
	leaves := make([]tlog.Hash, n)
	for i := range leaves {
		leaves[i] = Leaf(int64(i))
	}
	return leaves
}

// Root is MTH of RFC 6962, section 2.1, by its definition and with nothing
// remembered: time grows with the number of leaves.
func Root(leaves []tlog.Hash) tlog.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := split(len(leaves))
	return node(Root(leaves[:k]), Root(leaves[k:]))
}

// InclusionPath is PATH of RFC 6962, section 2.1.1.
func InclusionPath(m int, leaves []tlog.Hash) []tlog.Hash {
	if len(leaves) <= 1 {
		return nil
	}
	k := split(len(leaves))
	if m < k {
		return append(InclusionPath(m, leaves[:k]), Root(leaves[k:]))
	}
	return append(InclusionPath(m-k, leaves[k:]), Root(leaves[:k]))
}

// ConsistencyPath is PROOF of RFC 6962, section 2.1.2, with m > 0.
func ConsistencyPath(m int, leaves []tlog.Hash) []tlog.Hash {
	return subproof(m, leaves, true)
}

func subproof(m int, leaves []tlog.Hash, whole bool) []tlog.Hash {
	if m == len(leaves) {
		if whole {
			return nil
		}
		return []tlog.Hash{Root(leaves)}
	}
	k := split(len(leaves))
	if m <= k {
		return append(subproof(m, leaves[:k], whole), Root(leaves[k:]))
	}
	return append(subproof(m-k, leaves[k:], false), Root(leaves[:k]))
}

// split returns the largest power of two smaller than n, which is at least 2.
func split(n int) int {
	k := 1
	for k*2 < n {
		k *= 2
	}
	return k
}

func node(left, right tlog.Hash) tlog.Hash {
	data := append([]byte{1}, left[:]...)
	return sha256.Sum256(append(data, right[:]...))
}
