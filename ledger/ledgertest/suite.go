package ledgertest

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"selo/fault"
	"selo/ledger"
)

// DB is a database with an empty ledger.
type DB struct {
	// Write runs fn in a transaction: committed when fn returns nil, else
	// rolled back. It may run fn again when the database asks for it.
	Write func(ctx context.Context, fn func(ledger.Tx) error) error
	// Read runs fn on what is committed, also while a transaction is open.
	Read func(ctx context.Context, fn func(ledger.Reader) error) error
}

// Run checks a storage of the ledger; open gives a fresh one each time.
func Run(t *testing.T, open func(t *testing.T) DB) {
	for _, c := range []struct {
		name string
		test func(*testing.T, DB)
	}{
		{"Empty", testEmpty},
		{"Batches", testBatches},
		{"Large", testLarge},
		{"Rollback", testRollback},
		{"Uncommitted", testUncommitted},
		{"HeadGuard", testHeadGuard},
		{"TilesOnlyGrow", testTilesOnlyGrow},
		{"TileOrder", testTileOrder},
		{"MissingTile", testMissingTile},
		{"Slices", testSlices},
		{"ConcurrentWriters", testConcurrentWriters},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

// MustAppend adds the entries in one transaction and returns the new head.
func MustAppend(t testing.TB, db DB, entries []tlog.Hash) ledger.Head {
	t.Helper()
	var head ledger.Head
	err := db.Write(t.Context(), func(tx ledger.Tx) (err error) {
		head, err = appendAll(t.Context(), tx, entries)
		return err
	})
	if err != nil {
		t.Fatalf("append %d entries: %v", len(entries), err)
	}
	return head
}

func appendAll(ctx context.Context, tx ledger.Tx, entries []tlog.Hash) (ledger.Head, error) {
	a, err := ledger.NewAppender(ctx, tx)
	if err != nil {
		return ledger.Head{}, err
	}
	for _, h := range entries {
		if _, err := a.Add(ctx, h); err != nil {
			return ledger.Head{}, err
		}
	}
	return a.Close(ctx)
}

// MustHead returns the committed head.
func MustHead(t testing.TB, db DB) ledger.Head {
	t.Helper()
	var head ledger.Head
	err := db.Read(t.Context(), func(r ledger.Reader) (err error) {
		head, err = r.LedgerHead(t.Context())
		return err
	})
	if err != nil {
		t.Fatalf("read head: %v", err)
	}
	return head
}

func put(t *testing.T, db DB, tiles ...ledger.TileData) error {
	t.Helper()
	return db.Write(t.Context(), func(tx ledger.Tx) error { return tx.PutLedgerTiles(t.Context(), tiles) })
}

func read(t *testing.T, db DB, ids ...ledger.TileID) (data [][]byte, err error) {
	t.Helper()
	err = db.Read(t.Context(), func(r ledger.Reader) (err error) {
		data, err = r.LedgerTiles(t.Context(), ids)
		return err
	})
	return data, err
}

// hashes returns n·32 bytes that depend on seed; a longer one begins with a shorter one.
func hashes(seed int64, n int) []byte {
	var data []byte
	for i := range n {
		h := Leaf(seed<<16 + int64(i))
		data = append(data, h[:]...)
	}
	return data
}

func testEmpty(t *testing.T, db DB) {
	if got := MustHead(t, db); got != ledger.Empty() {
		t.Fatalf("head of a new ledger: %s", got)
	}
	if got := MustAppend(t, db, nil); got != ledger.Empty() {
		t.Fatalf("head after adding nothing: %s", got)
	}
	err := db.Read(t.Context(), func(r ledger.Reader) error {
		_, err := ledger.ProveInclusion(t.Context(), r, 0, 0)
		return err
	})
	if !fault.HasKey(err, "ledger.entry.absent") {
		t.Errorf("prove entry 0 of nothing: %v", err)
	}
}

func testBatches(t *testing.T, db DB) {
	leaves := Leaves(1200)
	var size int
	for _, n := range []int{1, 1, 2, 0, 251, 1, 1, 255, 256, 300, 132} {
		head := MustAppend(t, db, leaves[size:size+n])
		size += n
		want := ledger.Head{Size: int64(size), Root: Root(leaves[:size])}
		if head != want || MustHead(t, db) != want {
			t.Fatalf("at %d: closed with %s, stored %s, want %s", size, head, MustHead(t, db), want)
		}
	}
	for _, at := range []struct{ index, size int }{{0, 1}, {0, 1200}, {255, 256}, {256, 257}, {700, 701}, {1199, 1200}} {
		checkProofs(t, db, leaves, at.index, at.size)
	}
}

// checkProofs compares both proofs with the definition: that entry index is
// in the tree of that size, and that this tree begins with the one of index+1.
func checkProofs(t *testing.T, db DB, leaves []tlog.Hash, index, size int) {
	t.Helper()
	var in ledger.Inclusion
	var con ledger.Consistency
	err := db.Read(t.Context(), func(r ledger.Reader) (err error) {
		if in, err = ledger.ProveInclusion(t.Context(), r, int64(index), int64(size)); err != nil {
			return err
		}
		con, err = ledger.ProveConsistency(t.Context(), r, int64(index)+1, int64(size))
		return err
	})
	if err != nil {
		t.Fatalf("prove %d at %d: %v", index, size, err)
	}
	head := ledger.Head{Size: int64(size), Root: Root(leaves[:size])}
	older := ledger.Head{Size: int64(index) + 1, Root: Root(leaves[:index+1])}
	if want := hexAll(InclusionPath(index, leaves[:size])); !slices.Equal(in.Caminho, want) {
		t.Errorf("path of %d at %d: %v, want %v", index, size, in.Caminho, want)
	}
	if want := hexAll(ConsistencyPath(index+1, leaves[:size])); !slices.Equal(con.Caminho, want) {
		t.Errorf("consistency of %d and %d: %v, want %v", index+1, size, con.Caminho, want)
	}
	if err := ledger.CheckInclusion(in, leaves[index], head); err != nil {
		t.Errorf("check inclusion of %d at %d: %v", index, size, err)
	}
	if err := ledger.CheckConsistency(con, older, head); err != nil {
		t.Errorf("check consistency of %d and %d: %v", index+1, size, err)
	}
}

func hexAll(hashes []tlog.Hash) []string {
	out := []string{}
	for _, h := range hashes {
		out = append(out, hex.EncodeToString(h[:]))
	}
	return out
}

// testLarge reaches level 2 and writes full tiles before the end.
func testLarge(t *testing.T, db DB) {
	leaves := Leaves(70_000)
	MustAppend(t, db, leaves[:100])
	if head, want := MustAppend(t, db, leaves[100:]), Root(leaves); head.Root != want || head.Size != 70_000 {
		t.Fatalf("head %s, want root %x", head, want[:])
	}
	for _, at := range []struct{ index, size int }{{0, 70_000}, {65_535, 65_536}, {65_536, 70_000}, {99, 100}} {
		checkProofs(t, db, leaves, at.index, at.size)
	}
}

func testRollback(t *testing.T, db DB) {
	leaves := Leaves(400)
	before := MustAppend(t, db, leaves[:200])
	stop := errors.New("stop")
	err := db.Write(t.Context(), func(tx ledger.Tx) error {
		if _, err := appendAll(t.Context(), tx, Leaves(900)[500:]); err != nil {
			return err
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatalf("write returned %v, want the error of its body", err)
	}
	if got := MustHead(t, db); got != before {
		t.Fatalf("head after rollback %s, want %s", got, before)
	}
	if head, want := MustAppend(t, db, leaves[200:]), Root(leaves); head.Root != want {
		t.Fatalf("root after rollback and append %s, want %x", head, want[:])
	}
}

func testUncommitted(t *testing.T, db DB) {
	before := MustAppend(t, db, Leaves(10))
	err := db.Write(t.Context(), func(tx ledger.Tx) error {
		head, err := appendAll(t.Context(), tx, Leaves(30)[10:])
		if err != nil {
			return err
		}
		if again, err := tx.LockLedger(t.Context()); err != nil || again != head {
			t.Errorf("the transaction sees %s, %v; it wrote %s", again, err, head)
		}
		if got := MustHead(t, db); got != before {
			t.Errorf("others see %s before the commit", got)
		}
		checkProofs(t, db, Leaves(10), 3, 10)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := MustHead(t, db); got.Size != 30 {
		t.Errorf("after the commit: %s", got)
	}
}

func testHeadGuard(t *testing.T, db DB) {
	head := MustAppend(t, db, Leaves(5))
	next := ledger.Head{Size: 6, Root: Root(Leaves(6))}
	for name, from := range map[string]ledger.Head{
		"older":      {Size: 4, Root: Root(Leaves(4))},
		"empty":      ledger.Empty(),
		"other root": {Size: 5, Root: Leaf(77)},
	} {
		err := db.Write(t.Context(), func(tx ledger.Tx) error { return tx.SetLedgerHead(t.Context(), from, next) })
		if err == nil {
			t.Errorf("head moved from %s, which is not the current one", name)
		}
	}
	if got := MustHead(t, db); got != head {
		t.Errorf("head is %s, want %s", got, head)
	}
}

func testTilesOnlyGrow(t *testing.T, db DB) {
	id := ledger.TileID{Level: 1, N: 7}
	for _, width := range []int{3, 4, 255, 256} {
		if err := put(t, db, ledger.TileData{TileID: id, Data: hashes(1, width)}); err != nil {
			t.Fatalf("widen to %d: %v", width, err)
		}
		other := append(hashes(2, 1), hashes(1, 256)[tlog.HashSize:]...)
		for name, data := range map[string][]byte{
			"same": hashes(1, width), "narrower": hashes(1, width-1), "other beginning": other,
		} {
			if err := put(t, db, ledger.TileData{TileID: id, Data: data}); err == nil {
				t.Errorf("at width %d: %s data was accepted", width, name)
			}
		}
		got, err := read(t, db, id)
		if err != nil || len(got) != 1 || !bytes.Equal(got[0], hashes(1, width)) {
			t.Fatalf("at width %d: stored tile changed (%v)", width, err)
		}
	}
}

// testTileOrder asks for more tiles than a statement takes parameters, out of
// order and one of them twice.
func testTileOrder(t *testing.T, db DB) {
	var tiles []ledger.TileData
	var ids []ledger.TileID
	const far = int64(1) << 39
	for i := range int64(700) {
		id := ledger.TileID{Level: int(i % 3), N: far - i*997%700}
		tiles = append(tiles, ledger.TileData{TileID: id, Data: hashes(i, int(i%5)+1)})
		ids = append(ids, id)
	}
	if err := put(t, db, tiles...); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(ids)
	ids = append(ids, ids[0])
	got, err := read(t, db, ids...)
	if err != nil || len(got) != len(ids) {
		t.Fatalf("%d tiles for %d: %v", len(got), len(ids), err)
	}
	for i, id := range ids {
		want := tiles[(2*len(tiles)-1-i)%len(tiles)]
		if want.TileID != id || !bytes.Equal(got[i], want.Data) {
			t.Fatalf("place %d holds the wrong tile, want %s", i, id)
		}
	}
	if got, err := read(t, db); err != nil || len(got) != 0 {
		t.Errorf("no tiles asked for: %d, %v", len(got), err)
	}
}

func testMissingTile(t *testing.T, db DB) {
	MustAppend(t, db, Leaves(300))
	for _, id := range []ledger.TileID{{Level: 0, N: 2}, {Level: 2, N: 0}, {Level: 1, N: 1}} {
		if data, err := read(t, db, ledger.TileID{}, id); err == nil {
			t.Errorf("tile %s does not exist, yet there are %d", id, len(data))
		}
	}
}

// testSlices checks that neither side keeps what belongs to the other.
func testSlices(t *testing.T, db DB) {
	id := ledger.TileID{Level: 0, N: 0}
	data := hashes(9, 2)
	err := db.Write(t.Context(), func(tx ledger.Tx) error {
		mine := bytes.Clone(data)
		if err := tx.PutLedgerTiles(t.Context(), []ledger.TileData{{TileID: id, Data: mine}}); err != nil {
			return err
		}
		clear(mine)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := read(t, db, id)
		if err != nil || !bytes.Equal(got[0], data) {
			t.Fatalf("stored tile changed with a caller's slice (%v)", err)
		}
		clear(got[0])
	}
}

// testConcurrentWriters checks that the lock gives every entry its own place.
func testConcurrentWriters(t *testing.T, db DB) {
	const writers, rounds, each = 4, 8, 9
	indexes := make([][]int64, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for round := range rounds {
				var got []int64
				err := db.Write(t.Context(), func(tx ledger.Tx) (err error) {
					got, err = addNumbered(t.Context(), tx, int64(w*rounds*each+round*each), each)
					return err
				})
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				indexes[w] = append(indexes[w], got...)
			}
		})
	}
	wg.Wait()
	leaves := make([]tlog.Hash, writers*rounds*each)
	for w := range writers {
		for i, index := range indexes[w] {
			if index < 0 || index >= int64(len(leaves)) || leaves[index] != (tlog.Hash{}) {
				t.Fatalf("index %d given twice or out of range", index)
			}
			leaves[index] = Leaf(int64(w*rounds*each + i))
		}
	}
	if head, want := MustHead(t, db), Root(leaves); head.Size != int64(len(leaves)) || head.Root != want {
		t.Errorf("head %s, want root %x", head, want[:])
	}
}

func addNumbered(ctx context.Context, tx ledger.Tx, first, n int64) ([]int64, error) {
	a, err := ledger.NewAppender(ctx, tx)
	if err != nil {
		return nil, err
	}
	var indexes []int64
	for i := range n {
		index, err := a.Add(ctx, Leaf(first+i))
		if err != nil {
			return nil, err
		}
		indexes = append(indexes, index)
	}
	_, err = a.Close(ctx)
	return indexes, err
}
