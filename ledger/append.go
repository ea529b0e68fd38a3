package ledger

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// flushTiles is how many full tiles wait before they are written together:
// 2 MB of memory, and 65,000 entries for one statement.
const flushTiles = 256

var errClosed = errors.New("append to ledger: already closed")

// Appender adds entries to the log within one transaction. Once [Appender.Add]
// has been called, the transaction must either see [Appender.Close] succeed or
// roll back. It is not safe for concurrent use.
type Appender struct {
	tx   Tx
	old  Head
	size int64
	edge [][]byte   // by level: the hashes of its partial tile, less than TileBytes
	full []TileData // full tiles not yet written
	err  error      // what stopped the appender: the first failure, or errClosed
}

// NewAppender locks the log until the transaction ends and reads its right
// edge. It returns an error when the stored tiles do not give the stored root:
// nothing is ever added to a damaged log.
func NewAppender(ctx context.Context, tx Tx) (*Appender, error) {
	head, err := tx.LockLedger(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock ledger: %w", err)
	}
	if err := head.check(); err != nil {
		return nil, err
	}
	edge, err := readEdge(ctx, tx, head.Size)
	if err != nil {
		return nil, err
	}
	if root := rootOfEdge(edge); root != head.Root {
		return nil, fmt.Errorf("open ledger of size %d: tiles give root %x, head says %x", head.Size, root[:], head.Root[:])
	}
	return &Appender{tx: tx, old: head, size: head.Size, edge: edge}, nil
}

// readEdge returns the partial tile of each level of the log of that size;
// empty where a level has none.
func readEdge(ctx context.Context, tx Tx, size int64) ([][]byte, error) {
	var edge [][]byte
	var ids []TileID
	for n := size; n > 0; n >>= TileHeight {
		level := len(edge)
		edge = append(edge, nil)
		if n%TileWidth > 0 {
			ids = append(ids, TileID{Level: level, N: n >> TileHeight})
		}
	}
	if len(ids) == 0 {
		return edge, nil
	}
	data, err := tx.LedgerTiles(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read edge of ledger: %w", err)
	}
	if len(data) != len(ids) {
		return nil, fmt.Errorf("read edge of ledger: %d tiles for %d", len(data), len(ids))
	}
	for i, id := range ids {
		want := int(size >> (TileHeight * id.Level) % TileWidth * tlog.HashSize)
		if len(data[i]) != want {
			return nil, fmt.Errorf("read ledger tile %s: %d bytes, want %d at size %d", id, len(data[i]), want, size)
		}
		edge[id.Level] = append(make([]byte, 0, TileBytes), data[i]...)
	}
	return edge, nil
}

// Add appends one entry by its record hash and returns its index, from 0. Every
// 65,536 entries it writes what is complete. After an error it only returns
// that error again.
func (a *Appender) Add(ctx context.Context, recordHash tlog.Hash) (int64, error) {
	if a.err != nil {
		return 0, a.err
	}
	if a.size >= MaxSize {
		a.err = fmt.Errorf("append to ledger: full at %d entries", a.size)
		return 0, a.err
	}
	index := a.size
	a.size++
	a.push(recordHash)
	if len(a.full) >= flushTiles {
		if err := a.flush(ctx, a.full); err != nil {
			return 0, err
		}
		clear(a.full)
		a.full = a.full[:0]
	}
	return index, nil
}

// push adds the hash to level 0; a tile that fills up is set aside and its own
// hash goes to the level above.
func (a *Appender) push(h tlog.Hash) {
	for level := 0; ; level++ {
		if level == len(a.edge) {
			a.edge = append(a.edge, nil)
		}
		data := append(a.edge[level], h[:]...)
		if len(data) < TileBytes {
			a.edge[level] = data
			return
		}
		id := TileID{Level: level, N: a.size>>(TileHeight*(level+1)) - 1}
		a.full = append(a.full, TileData{TileID: id, Data: data})
		a.edge[level] = make([]byte, 0, TileBytes)
		h = subtreeHash(data)
	}
}

func (a *Appender) flush(ctx context.Context, tiles []TileData) error {
	if len(tiles) == 0 {
		return nil
	}
	if err := a.tx.PutLedgerTiles(ctx, tiles); err != nil {
		a.err = fmt.Errorf("write %d ledger tiles: %w", len(tiles), err)
		return a.err
	}
	return nil
}

// Close writes what is left, at most one partial tile a level, and the new
// head, which it returns. Without entries it writes nothing and returns the
// head as it was. The appender is of no use afterwards.
func (a *Appender) Close(ctx context.Context) (Head, error) {
	if a.err != nil {
		return Head{}, a.err
	}
	if a.size == a.old.Size {
		a.err = errClosed
		return a.old, nil
	}
	tiles := a.full
	for level, data := range a.edge {
		shift := TileHeight * level
		if len(data) > 0 && a.size>>shift != a.old.Size>>shift {
			id := TileID{Level: level, N: a.size >> shift >> TileHeight}
			tiles = append(tiles, TileData{TileID: id, Data: data})
		}
	}
	if err := a.flush(ctx, tiles); err != nil {
		return Head{}, err
	}
	head := Head{Size: a.size, Root: rootOfEdge(a.edge)}
	if err := a.tx.SetLedgerHead(ctx, a.old, head); err != nil {
		a.err = fmt.Errorf("set ledger head %s: %w", head, err)
		return Head{}, a.err
	}
	a.err = errClosed
	return head, nil
}
