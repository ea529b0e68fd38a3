// Package ledger is the append-only Merkle log of accepted revisions.
//
// Entry i of the log is the canonical JSON of one accepted revision; the log
// keeps its record hash, tlog.RecordHash(data) = SHA-256(0x00 || data), which
// is also the hash that the next revision of the same record names. Trees and
// proofs are those of RFC 6962, section 2.1; checkpoints are those of
// https://c2sp.org/tlog-checkpoint, so that tools made for other transparency
// logs can read them.
//
// Promises:
//   - An entry never changes and never leaves: [Appender] only adds, storage
//     refuses a tile that does not begin with what it already holds, and the
//     head moves by a guarded update under one row lock.
//   - Memory is bounded: an append keeps one partial tile a level and a batch
//     of full ones, however many entries it adds.
//   - What a proof is made of is checked against the stored root before it is
//     given out: a damaged tile is an error, never a wrong proof.
//
// The package does not keep the revisions themselves, does not decide who may
// append, and stores nothing by itself: it works on the [Tx] and the [Reader]
// of its caller.
package ledger

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// TileHeight is the number of tree levels that one tile spans.
	TileHeight = 8
	// TileWidth is the number of hashes of a full tile.
	TileWidth = 1 << TileHeight
	// TileBytes is the length in bytes of a full tile's data.
	TileBytes = TileWidth * tlog.HashSize
	// MaxSize is the most entries a log may have. It is far above any real
	// log and far below 2^62, where tlog's arithmetic would overflow; sizes
	// from outside are held to it before tlog sees them.
	MaxSize = 1 << 48
)

// Head names one state of the log: the number of entries and their root hash.
// The zero value is not a head; the head of a log without entries is [Empty].
type Head struct {
	Size int64     // entries, 0 to MaxSize
	Root tlog.Hash // RFC 6962 Merkle tree hash of the first Size entries
}

// Empty returns the head of a log without entries; its root is the SHA-256 of
// no bytes at all (RFC 6962, section 2.1).
func Empty() Head {
	root, err := tlog.TreeHash(0, nil)
	if err != nil { // tlog reads nothing for an empty tree
		panic(err)
	}
	return Head{Root: root}
}

// String shows a head in logs and test failures.
func (h Head) String() string { return fmt.Sprintf("%d %x", h.Size, h.Root[:]) }

// check returns an error when no log can have this head.
func (h Head) check() error {
	switch {
	case h.Size < 0 || h.Size > MaxSize:
		return fmt.Errorf("ledger size %d is not between 0 and %d", h.Size, int64(MaxSize))
	case h.Size == 0 && h != Empty():
		return fmt.Errorf("ledger of size 0 has root %x", h.Root[:])
	}
	return nil
}

// TileID names a tile: the N-th of its Level. Its hashes are those of the
// complete subtrees of height 8·Level that begin at subtree N·256.
type TileID struct {
	Level int   // 0 holds record hashes; at most 6, given MaxSize
	N     int64 // from 0
}

// String shows a tile in logs and test failures.
func (id TileID) String() string { return fmt.Sprintf("%d/%d", id.Level, id.N) }

// TileData is a tile and what it holds so far: 1 to [TileWidth] hashes of 32
// bytes. A tile only ever grows at its end.
type TileData struct {
	TileID
	Data []byte
}

// Tx is what an append needs of the caller's transaction. Everything done
// through it commits together with the revisions, or not at all.
type Tx interface {
	// LockLedger takes the row lock that puts writers in one sequence, held
	// until the transaction ends, and returns the head; [Empty] at first.
	LockLedger(ctx context.Context) (Head, error)

	// SetLedgerHead replaces the head, provided that it is still from (size
	// and root); an error otherwise.
	SetLedgerHead(ctx context.Context, from, to Head) error

	// LedgerTiles returns the data of each tile, in the order asked for; an
	// error if one is missing. The slices belong to the caller.
	LedgerTiles(ctx context.Context, ids []TileID) ([][]byte, error)

	// PutLedgerTiles inserts each tile or widens it. It returns an error when
	// the data does not begin with what is stored or is not longer. It must
	// not keep the slices after it returns.
	PutLedgerTiles(ctx context.Context, tiles []TileData) error
}

// Reader is what proofs need. The head and the tiles need not come from one
// snapshot: tiles only grow, so those read after the head serve it too.
type Reader interface {
	// LedgerHead returns the newest committed head, without a lock.
	LedgerHead(ctx context.Context) (Head, error)

	// LedgerTiles is the same as in [Tx].
	LedgerTiles(ctx context.Context, ids []TileID) ([][]byte, error)
}

// subtreeHash returns the RFC 6962 hash of the complete subtree whose hashes,
// a power of two of them and at most TileWidth, are in data.
func subtreeHash(data []byte) tlog.Hash {
	const size = tlog.HashSize
	var buf [TileBytes]byte
	n := copy(buf[:], data) / size
	for ; n > 1; n /= 2 {
		for i := range n / 2 {
			pair := buf[2*i*size:]
			h := tlog.NodeHash(tlog.Hash(pair[:size]), tlog.Hash(pair[size:2*size]))
			copy(buf[i*size:], h[:])
		}
	}
	return tlog.Hash(buf[:size])
}

// rootOfEdge returns the root of the tree whose partial tiles, level by level
// from 0, are edge. The widths of the tiles are the base-256 digits of the
// size, so they hold, between them, every complete subtree of the tree's
// right edge.
func rootOfEdge(edge [][]byte) tlog.Hash {
	var root tlog.Hash
	empty := true
	for _, data := range edge {
		for subtree := tlog.HashSize; len(data) > 0; subtree *= 2 {
			if len(data)&subtree == 0 {
				continue
			}
			h := subtreeHash(data[len(data)-subtree:])
			data = data[:len(data)-subtree]
			if empty {
				root, empty = h, false
				continue
			}
			root = tlog.NodeHash(h, root)
		}
	}
	if empty {
		return Empty().Root
	}
	return root
}
