package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"selo/fault"
	"selo/ledger"
	"selo/ledger/ledgertest"
)

// mustLog returns a log of n entries and the head of each size up to n.
func mustLog(t testing.TB, n int64) (*memory, []ledger.Head) {
	t.Helper()
	m := newMemory()
	leaves := ledgertest.Leaves(n)
	ledgertest.MustAppend(t, m.db(), leaves)
	heads := make([]ledger.Head, n+1)
	for size := range heads {
		heads[size] = ledger.Head{Size: int64(size), Root: ledgertest.Root(leaves[:size])}
	}
	return m, heads
}

func mustInclusion(t testing.TB, r ledger.Reader, index, size int64) ledger.Inclusion {
	t.Helper()
	p, err := ledger.ProveInclusion(t.Context(), r, index, size)
	if err != nil {
		t.Fatalf("prove %d at %d: %v", index, size, err)
	}
	return p
}

func mustConsistency(t testing.TB, r ledger.Reader, older, newer int64) ledger.Consistency {
	t.Helper()
	p, err := ledger.ProveConsistency(t.Context(), r, older, newer)
	if err != nil {
		t.Fatalf("prove %d to %d: %v", older, newer, err)
	}
	return p
}

// TestEverySmallProof walks every index and size up to 40: each proof holds
// for its own entry and tree, and for no other.
func TestEverySmallProof(t *testing.T) {
	t.Parallel()
	const n = 40
	m, heads := mustLog(t, n)
	for size := int64(1); size <= n; size++ {
		for index := range size {
			p := mustInclusion(t, m, index, size)
			for other := range int64(n) {
				err := ledger.CheckInclusion(p, ledgertest.Leaf(other), heads[size])
				if (err == nil) != (other == index) {
					t.Errorf("proof of %d at %d, entry %d: %v", index, size, other, err)
				}
				moved := p
				moved.Indice = other
				err = ledger.CheckInclusion(moved, ledgertest.Leaf(index), heads[size])
				if (err == nil) != (other == index) {
					t.Errorf("proof of %d at %d, moved to %d: %v", index, size, other, err)
				}
				err = ledger.CheckInclusion(p, ledgertest.Leaf(index), heads[other+1])
				if (err == nil) != (other+1 == size) {
					t.Errorf("proof of %d at %d, tree of %d: %v", index, size, other+1, err)
				}
			}
		}
	}
}

func TestEverySmallConsistency(t *testing.T) {
	t.Parallel()
	const n = 40
	m, heads := mustLog(t, n)
	for newer := int64(0); newer <= n; newer++ {
		for older := int64(0); older <= newer; older++ {
			p := mustConsistency(t, m, older, newer)
			for other := int64(0); other <= n; other++ {
				if err := ledger.CheckConsistency(p, heads[other], heads[newer]); (err == nil) != (other == older) {
					t.Errorf("proof %d to %d, from %d: %v", older, newer, other, err)
				}
				if err := ledger.CheckConsistency(p, heads[older], heads[other]); (err == nil) != (other == newer) {
					t.Errorf("proof %d to %d, to %d: %v", older, newer, other, err)
				}
			}
		}
	}
}

// eachTampered calls check with text once for every byte, changed to another.
func eachTampered(text string, check func(changed string)) {
	for i := range len(text) {
		for _, flip := range []byte{0x01, 0x20, 0x80} {
			b := []byte(text)
			b[i] ^= flip
			check(string(b))
		}
	}
}

// TestTamperedInclusion changes every byte of every hash, and the shape.
func TestTamperedInclusion(t *testing.T) {
	t.Parallel()
	m, heads := mustLog(t, 600)
	p, head, leaf := mustInclusion(t, m, 300, 599), heads[599], ledgertest.Leaf(300)
	refused := func(what string, p ledger.Inclusion) {
		t.Helper()
		if err := ledger.CheckInclusion(p, leaf, head); !fault.HasKey(err, "ledger.proof.invalid") || !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	change := func(what string, f func(*ledger.Inclusion)) {
		t.Helper()
		q := p
		q.Caminho = slices.Clone(p.Caminho)
		f(&q)
		refused(what, q)
	}
	for i, hash := range p.Caminho {
		eachTampered(hash, func(s string) {
			change("path", func(q *ledger.Inclusion) { q.Caminho[i] = s })
		})
	}
	eachTampered(p.HashFolha, func(s string) { change("leaf", func(q *ledger.Inclusion) { q.HashFolha = s }) })
	eachTampered(p.Raiz, func(s string) { change("root", func(q *ledger.Inclusion) { q.Raiz = s }) })
	last := len(p.Caminho) - 1
	change("path without its end", func(q *ledger.Inclusion) { q.Caminho = q.Caminho[:last] })
	change("path without its beginning", func(q *ledger.Inclusion) { q.Caminho = q.Caminho[1:] })
	change("no path", func(q *ledger.Inclusion) { q.Caminho = nil })
	change("longer path", func(q *ledger.Inclusion) { q.Caminho = append(q.Caminho, q.Caminho[0]) })
	change("path reversed", func(q *ledger.Inclusion) { slices.Reverse(q.Caminho) })
	change("upper case", func(q *ledger.Inclusion) { q.Caminho[0] = strings.ToUpper(q.Caminho[0]) })
	change("short hash", func(q *ledger.Inclusion) { q.Caminho[0] = q.Caminho[0][:62] })
	for _, index := range []int64{-1, 0, 299, 301, 598, 599, 1 << 62} {
		change("index", func(q *ledger.Inclusion) { q.Indice = index })
	}
	for _, size := range []int64{-1, 0, 300, 598, 600, 1<<63 - 1} {
		change("size", func(q *ledger.Inclusion) { q.Tamanho = size })
	}
	if err := ledger.CheckInclusion(p, leaf, head); err != nil {
		t.Errorf("the proof itself: %v", err)
	}
}

func TestTamperedConsistency(t *testing.T) {
	t.Parallel()
	m, heads := mustLog(t, 600)
	p := mustConsistency(t, m, 300, 599)
	change := func(what string, f func(*ledger.Consistency)) {
		t.Helper()
		q := p
		q.Caminho = slices.Clone(p.Caminho)
		f(&q)
		if err := ledger.CheckConsistency(q, heads[300], heads[599]); !fault.HasKey(err, "ledger.proof.invalid") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i, hash := range p.Caminho {
		eachTampered(hash, func(s string) { change("path", func(q *ledger.Consistency) { q.Caminho[i] = s }) })
	}
	eachTampered(p.RaizAntiga, func(s string) { change("old root", func(q *ledger.Consistency) { q.RaizAntiga = s }) })
	eachTampered(p.RaizNova, func(s string) { change("new root", func(q *ledger.Consistency) { q.RaizNova = s }) })
	change("no path", func(q *ledger.Consistency) { q.Caminho = nil })
	change("longer path", func(q *ledger.Consistency) { q.Caminho = append(q.Caminho, q.Caminho[0]) })
	change("old size", func(q *ledger.Consistency) { q.TamanhoAntigo++ })
	change("new size", func(q *ledger.Consistency) { q.TamanhoNovo++ })

	fromNothing := mustConsistency(t, m, 0, 599)
	fromNothing.Caminho = p.Caminho
	if err := ledger.CheckConsistency(fromNothing, heads[0], heads[599]); err == nil {
		t.Error("a path was accepted for the empty tree")
	}
}

// TestEnormousSizes: above 2^62 tlog would count for ever, so a head of such
// a size must be refused before it sees it.
func TestEnormousSizes(t *testing.T) {
	t.Parallel()
	m, heads := mustLog(t, 3)
	for _, size := range []int64{-1, ledger.MaxSize + 1, 1 << 62, 1<<63 - 1} {
		head := ledger.Head{Size: size, Root: heads[3].Root}
		in := mustInclusion(t, m, 1, 3)
		in.Tamanho = size
		if err := ledger.CheckInclusion(in, ledgertest.Leaf(1), head); !fault.HasKey(err, "ledger.proof.invalid") {
			t.Errorf("inclusion at size %d: %v", size, err)
		}
		con := mustConsistency(t, m, 2, 3)
		con.TamanhoNovo = size
		if err := ledger.CheckConsistency(con, heads[2], head); !fault.HasKey(err, "ledger.proof.invalid") {
			t.Errorf("consistency to size %d: %v", size, err)
		}
	}
}

func TestProofsOutOfRange(t *testing.T) {
	t.Parallel()
	m, heads := mustLog(t, 10)
	for _, c := range []struct {
		index, size int64
		key         string
	}{
		{10, 10, "ledger.entry.absent"}, {5, 5, "ledger.entry.absent"}, {-1, 10, "ledger.entry.absent"},
		{0, 0, "ledger.entry.absent"}, {0, 11, "ledger.size.absent"}, {0, -1, "ledger.size.absent"},
		{1 << 62, 1<<63 - 1, "ledger.size.absent"},
	} {
		_, err := ledger.ProveInclusion(t.Context(), m, c.index, c.size)
		if !fault.HasKey(err, c.key) || !fault.Is(err, fault.NotFound) {
			t.Errorf("entry %d at %d: %v, want %s", c.index, c.size, err, c.key)
		}
	}
	for _, c := range []struct {
		older, newer int64
		key          string
	}{{6, 5, "ledger.size.order"}, {-1, 5, "ledger.size.order"}, {5, 11, "ledger.size.absent"}, {0, -1, "ledger.size.absent"}} {
		if _, err := ledger.ProveConsistency(t.Context(), m, c.older, c.newer); !fault.HasKey(err, c.key) {
			t.Errorf("%d to %d: %v, want %s", c.older, c.newer, err, c.key)
		}
	}
	for size := range int64(11) {
		if head, err := ledger.HeadAt(t.Context(), m, size); err != nil || head != heads[size] {
			t.Errorf("head at %d: %s, %v", size, head, err)
		}
	}
	if _, err := ledger.HeadAt(t.Context(), m, 11); !fault.HasKey(err, "ledger.size.absent") {
		t.Errorf("head at 11: %v", err)
	}
}

// TestDamagedTileGivesNoProof flips one bit of any tile that a proof reads.
func TestDamagedTileGivesNoProof(t *testing.T) {
	t.Parallel()
	for _, id := range []ledger.TileID{{N: 0}, {N: 2}, {Level: 1}} {
		m, _ := mustLog(t, 600)
		m.tiles[id][33] ^= 4
		_, err := ledger.ProveInclusion(t.Context(), m, 5, 400)
		if err == nil || fault.Of(err) != nil {
			t.Errorf("tile %s damaged: %v, want an internal error", id, err)
		}
		delete(m.tiles, id)
		if _, err := ledger.ProveInclusion(t.Context(), m, 5, 400); err == nil {
			t.Errorf("tile %s lost: a proof came out", id)
		}
		m.tiles[id] = make([]byte, 32)
		if _, err := ledger.ProveInclusion(t.Context(), m, 5, 400); err == nil {
			t.Errorf("tile %s cut: a proof came out", id)
		}
	}
}

// growing appends to the log between the reading of its head and its tiles.
type growing struct {
	*memory
	grow func()
}

func (g growing) LedgerTiles(ctx context.Context, ids []ledger.TileID) ([][]byte, error) {
	g.grow()
	return g.memory.LedgerTiles(ctx, ids)
}

// TestProofWhileTheLogGrows: tiles read after the head may be wider than it.
func TestProofWhileTheLogGrows(t *testing.T) {
	t.Parallel()
	m, heads := mustLog(t, 300)
	next := int64(300)
	r := growing{memory: m, grow: func() {
		ledgertest.MustAppend(t, m.db(), ledgertest.Leaves(next + 70)[next:])
		next += 70
	}}
	p := mustInclusion(t, r, 299, 300)
	if err := ledger.CheckInclusion(p, ledgertest.Leaf(299), heads[300]); err != nil {
		t.Error(err)
	}
	if next == 300 {
		t.Error("the log did not grow")
	}
}

func TestReaderFailure(t *testing.T) {
	t.Parallel()
	m, _ := mustLog(t, 300)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ledger.ProveInclusion(ctx, m, 1, 300); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	m.head.Size = 1 << 62
	if _, err := ledger.HeadAt(t.Context(), m, 3); err == nil || fault.Of(err) != nil {
		t.Errorf("impossible head: %v, want an internal error", err)
	}
}

// TestProofJSON pins the names and shapes that other programs read.
func TestProofJSON(t *testing.T) {
	t.Parallel()
	m := newMemory()
	ledgertest.MustAppend(t, m.db(), []tlog.Hash{tlog.RecordHash(nil), tlog.RecordHash([]byte{0})})
	in, err := json.Marshal(mustInclusion(t, m, 1, 2))
	const wantIn = `{"indice":1,"tamanho":2,` +
		`"hash_folha":"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",` +
		`"caminho":["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"],` +
		`"raiz":"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125","checkpoint":""}`
	if err != nil || string(in) != wantIn {
		t.Errorf("inclusion is\n%s, want\n%s (%v)", in, wantIn, err)
	}
	con, err := json.Marshal(mustConsistency(t, m, 0, 1))
	const wantCon = `{"tamanho_antigo":0,"tamanho_novo":1,` +
		`"raiz_antiga":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",` +
		`"raiz_nova":"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d","caminho":[]}`
	if err != nil || string(con) != wantCon {
		t.Errorf("consistency is\n%s, want\n%s (%v)", con, wantCon, err)
	}
}
