package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"selo/store"
)

// hash is a SHA-256.
type hash [sha256.Size]byte

func (h hash) String() string { return hex.EncodeToString(h[:]) }

// short is a hash as findings show it.
func short(b []byte) string { return hex.EncodeToString(b[:min(len(b), 8)]) }

// leafHash is MTH({d}) of RFC 6962, section 2.1: SHA-256(0x00 || d).
func leafHash(d []byte) hash {
	s := sha256.New()
	s.Write([]byte{0x00})
	s.Write(d)
	return hash(s.Sum(nil))
}

// nodeHash is SHA-256(0x01 || left || right).
func nodeHash(left, right hash) hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = 0x01
	copy(b[1:], left[:])
	copy(b[1+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}

const (
	tileHeight = 8 // levels of the tree that one stored tile spans
	tileWidth  = 1 << tileHeight
)

// tile is what ledger_tile must hold: hashes of complete subtrees of height 8·level.
type tile struct {
	level int
	n     int64
	data  []byte
}

// tree grows leaf by leaf. subtrees[i] is the root of the complete subtree of
// 2^i leaves that the binary form of size has at bit i.
type tree struct {
	size     int64
	subtrees []hash
	edge     []tile // the unfinished tile of each level
	full     []tile // finished tiles not yet taken
}

// add appends a leaf.
func (t *tree) add(leaf hash) {
	h, i := leaf, 0
	t.tiled(0, h)
	for ; t.size>>i&1 == 1; i++ {
		h = nodeHash(t.subtrees[i], h)
		if (i+1)%tileHeight == 0 {
			t.tiled((i+1)/tileHeight, h)
		}
	}
	if i == len(t.subtrees) {
		t.subtrees = append(t.subtrees, h)
	} else {
		t.subtrees[i] = h
	}
	t.size++
}

// tiled puts the hash of a complete subtree of height 8·level into its tile.
func (t *tree) tiled(level int, h hash) {
	if level == len(t.edge) {
		t.edge = append(t.edge, tile{level: level})
	}
	e := &t.edge[level]
	e.data = append(e.data, h[:]...)
	if len(e.data) == tileWidth*len(h) {
		t.full = append(t.full, *e)
		*e = tile{level: level, n: e.n + 1}
	}
}

// root is the Merkle tree hash of the leaves so far; SHA-256 of nothing without any.
func (t *tree) root() hash {
	var root hash
	found := false
	for i, h := range t.subtrees {
		switch {
		case t.size>>i&1 == 0:
		case !found:
			root, found = h, true
		default:
			root = nodeHash(h, root)
		}
	}
	if !found {
		return sha256.Sum256(nil)
	}
	return root
}

// compareTiles checks tiles against the stored ones.
func (r *run) compareTiles(c *Check, tiles []tile) error {
	for _, want := range tiles {
		if len(want.data) == 0 {
			continue
		}
		c.Checked++
		var got []byte
		err := r.each(func(row *store.Rows) error { return row.Scan(&got) },
			`SELECT data FROM ledger_tile WHERE level = ? AND n = ?`, want.level, want.n)
		if err != nil {
			return err
		}
		name := tileName(want.level, want.n)
		switch {
		case got == nil:
			c.find("verify.tile.missing", name)
		case !bytes.Equal(got, want.data):
			c.find("verify.tile.content", name)
		}
	}
	return nil
}

func tileName(level int, n int64) string {
	return "ladrilho " + strconv.Itoa(level) + "/" + strconv.FormatInt(n, 10)
}
