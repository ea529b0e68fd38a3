package ledger_test

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"selo/ledger"
	"selo/ledger/ledgertest"
)

// TestKnownRoots uses the vectors of the Certificate Transparency project
// (merkle_tree_test), which no code of ours produced.
func TestKnownRoots(t *testing.T) {
	t.Parallel()
	entries := []string{
		"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
	}
	roots := []string{
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
	m := newMemory()
	for i, entry := range entries {
		data, err := hex.DecodeString(entry)
		if err != nil {
			t.Fatal(err)
		}
		head := ledgertest.MustAppend(t, m.db(), []tlog.Hash{tlog.RecordHash(data)})
		if got := hex.EncodeToString(head.Root[:]); got != roots[i] || head.Size != int64(i+1) {
			t.Errorf("root of %d entries is %s, want %s", i+1, got, roots[i])
		}
	}
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if root := ledger.Empty().Root; hex.EncodeToString(root[:]) != empty {
		t.Errorf("root of nothing is %x, want %s", root, empty)
	}
}

// TestAnySplit appends the same entries in transactions of any size, and
// compares root and proofs with the definition.
func TestAnySplit(t *testing.T) {
	t.Parallel()
	leaves := ledgertest.Leaves(3000)
	rapid.Check(t, func(rt *rapid.T) {
		m := newMemory()
		size := 0
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 600), 1, 5).Draw(rt, "batches") {
			head := ledgertest.MustAppend(t, m.db(), leaves[size:size+n])
			size += n
			if want := ledgertest.Root(leaves[:size]); head.Size != int64(size) || head.Root != want {
				rt.Fatalf("head %s, want %d %x", head, size, want)
			}
		}
		if size == 0 {
			return
		}
		at := rapid.IntRange(1, size).Draw(rt, "at")
		index := rapid.IntRange(0, at-1).Draw(rt, "index")
		p, err := ledger.ProveInclusion(t.Context(), m, int64(index), int64(at))
		if err != nil {
			rt.Fatal(err)
		}
		head := ledger.Head{Size: int64(at), Root: ledgertest.Root(leaves[:at])}
		if err := ledger.CheckInclusion(p, leaves[index], head); err != nil {
			rt.Fatalf("entry %d at %d: %v", index, at, err)
		}
		c, err := ledger.ProveConsistency(t.Context(), m, int64(index), int64(at))
		if err != nil {
			rt.Fatal(err)
		}
		older := ledger.Head{Size: int64(index), Root: ledgertest.Root(leaves[:index])}
		if err := ledger.CheckConsistency(c, older, head); err != nil {
			rt.Fatalf("%d to %d: %v", index, at, err)
		}
	})
}

// TestTilesAreTlogs compares every tile with the one that tlog makes of its
// own hash storage, so that another implementation can read ours.
func TestTilesAreTlogs(t *testing.T) {
	t.Parallel()
	const size = 66_000
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	leaves := ledgertest.Leaves(size)
	for i, leaf := range leaves {
		more, err := tlog.StoredHashesForRecordHash(int64(i), leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
	}
	m := newMemory()
	head := ledgertest.MustAppend(t, m.db(), leaves)
	if want, err := tlog.TreeHash(size, reader); err != nil || head.Root != want {
		t.Fatalf("root %x, tlog has %x, %v", head.Root, want, err)
	}
	tiles := tlog.NewTiles(ledger.TileHeight, 0, size)
	if len(tiles) != len(m.tiles) {
		t.Errorf("%d tiles, tlog has %d", len(m.tiles), len(tiles))
	}
	for _, tile := range tiles {
		want, err := tlog.ReadTileData(tile, reader)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.tiles[ledger.TileID{Level: tile.L, N: tile.N}]; string(got) != string(want) {
			t.Errorf("%s differs from tlog's", tile.Path())
		}
	}
}

// TestBatchIsBounded appends more than one batch holds and looks at the
// largest number of tiles that were ever waiting.
func TestBatchIsBounded(t *testing.T) {
	t.Parallel()
	m := newMemory()
	ledgertest.MustAppend(t, m.db(), ledgertest.Leaves(200_000))
	if m.batch > 300 {
		t.Errorf("%d tiles written at once", m.batch)
	}
}

func TestAddGivesIndexes(t *testing.T) {
	t.Parallel()
	m := newMemory()
	ledgertest.MustAppend(t, m.db(), ledgertest.Leaves(254))
	err := m.write(t.Context(), func(tx ledger.Tx) error {
		a, err := ledger.NewAppender(t.Context(), tx)
		if err != nil {
			return err
		}
		for want := int64(254); want < 520; want++ {
			if got, err := a.Add(t.Context(), ledgertest.Leaf(want)); err != nil || got != want {
				t.Fatalf("entry %d got index %d, %v", want, got, err)
			}
		}
		if _, err := a.Close(t.Context()); err != nil {
			return err
		}
		if _, err := a.Add(t.Context(), ledgertest.Leaf(0)); err == nil {
			t.Error("a closed appender took an entry")
		}
		if _, err := a.Close(t.Context()); err == nil {
			t.Error("a closed appender closed again")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTwoAppendersInOneTransaction is a remessa processed after another
// without a commit between them.
func TestTwoAppendersInOneTransaction(t *testing.T) {
	t.Parallel()
	m := newMemory()
	leaves := ledgertest.Leaves(700)
	err := m.write(t.Context(), func(tx ledger.Tx) error {
		for _, part := range [][]tlog.Hash{leaves[:300], leaves[300:]} {
			a, err := ledger.NewAppender(t.Context(), tx)
			if err != nil {
				return err
			}
			for _, h := range part {
				if _, err := a.Add(t.Context(), h); err != nil {
					return err
				}
			}
			if _, err := a.Close(t.Context()); err != nil {
				return err
			}
		}
		return nil
	})
	if want := ledgertest.Root(leaves); err != nil || m.head.Root != want {
		t.Errorf("root %x, want %x, %v", m.head.Root, want, err)
	}
}

// TestDamagedEdge checks that nothing is added to a log whose right edge is
// not what its head says.
func TestDamagedEdge(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(*memory){
		"bit flipped":     func(m *memory) { m.tiles[ledger.TileID{N: 2}][40] ^= 1 },
		"level 1 flipped": func(m *memory) { m.tiles[ledger.TileID{Level: 1}][0] ^= 1 },
		"tile too wide": func(m *memory) {
			m.tiles[ledger.TileID{N: 2}] = append(m.tiles[ledger.TileID{N: 2}], make([]byte, 32)...)
		},
		"tile too narrow": func(m *memory) { m.tiles[ledger.TileID{N: 2}] = m.tiles[ledger.TileID{N: 2}][:32] },
		"tile lost":       func(m *memory) { delete(m.tiles, ledger.TileID{N: 2}) },
		"head size":       func(m *memory) { m.head.Size-- },
		"head negative":   func(m *memory) { m.head.Size = -1 },
		"head enormous":   func(m *memory) { m.head.Size = 1 << 62 },
		"head root":       func(m *memory) { m.head.Root[31] ^= 1 },
		"head forgotten":  func(m *memory) { m.head.Size = 0 },
	} {
		m := newMemory()
		ledgertest.MustAppend(t, m.db(), ledgertest.Leaves(600))
		damage(m)
		err := m.write(t.Context(), func(tx ledger.Tx) error {
			_, err := ledger.NewAppender(t.Context(), tx)
			return err
		})
		if err == nil {
			t.Errorf("%s: the log still takes entries", name)
		}
	}
}

// failing breaks one step of the transaction.
type failing struct {
	ledger.Tx
	lock, tiles, put, head error
}

func (f failing) LockLedger(ctx context.Context) (ledger.Head, error) {
	if f.lock != nil {
		return ledger.Head{}, f.lock
	}
	return f.Tx.LockLedger(ctx)
}

func (f failing) LedgerTiles(ctx context.Context, ids []ledger.TileID) ([][]byte, error) {
	if f.tiles != nil {
		return nil, f.tiles
	}
	return f.Tx.LedgerTiles(ctx, ids)
}

func (f failing) PutLedgerTiles(ctx context.Context, tiles []ledger.TileData) error {
	if f.put != nil {
		return f.put
	}
	return f.Tx.PutLedgerTiles(ctx, tiles)
}

func (f failing) SetLedgerHead(ctx context.Context, from, to ledger.Head) error {
	if f.head != nil {
		return f.head
	}
	return f.Tx.SetLedgerHead(ctx, from, to)
}

// TestStorageFailures breaks each step in turn: the cause reaches the caller,
// and what is committed stays as it was.
func TestStorageFailures(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	for name, f := range map[string]failing{
		"lock": {lock: broken}, "tiles": {tiles: broken}, "put": {put: broken}, "head": {head: broken},
	} {
		m := newMemory()
		before := ledgertest.MustAppend(t, m.db(), ledgertest.Leaves(300))
		err := m.write(t.Context(), func(tx ledger.Tx) error {
			f.Tx = tx
			a, err := ledger.NewAppender(t.Context(), f)
			if err != nil {
				return err
			}
			for i := range int64(66_000) { // enough for one batch before the end
				if _, err := a.Add(t.Context(), ledgertest.Leaf(i)); err != nil {
					if _, again := a.Close(t.Context()); !errors.Is(again, broken) {
						t.Errorf("%s: close after the failure returned %v", name, again)
					}
					return err
				}
			}
			_, err = a.Close(t.Context())
			return err
		})
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "ledger") {
			t.Errorf("%s: got %v", name, err)
		}
		if m.head != before {
			t.Errorf("%s: head moved to %s", name, m.head)
		}
	}
}
