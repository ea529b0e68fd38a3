package ledger_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"

	"selo/ledger"
	"selo/ledger/ledgertest"
)

// memory is a ledger's storage without a database. One writer at a time;
// readers see what is committed.
type memory struct {
	writing sync.Mutex

	mu    sync.RWMutex // guards what is committed
	head  ledger.Head
	tiles map[ledger.TileID][]byte

	batch int // the most tiles that were put at once
}

func newMemory() *memory {
	return &memory{head: ledger.Empty(), tiles: map[ledger.TileID][]byte{}}
}

func (m *memory) db() ledgertest.DB { return ledgertest.DB{Write: m.write, Read: m.read} }

func (m *memory) write(_ context.Context, fn func(ledger.Tx) error) error {
	m.writing.Lock()
	defer m.writing.Unlock()
	tx := &memoryTx{memory: m, head: m.head, put: map[ledger.TileID][]byte{}}
	if err := fn(tx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.head = tx.head
	maps.Copy(m.tiles, tx.put)
	return nil
}

func (m *memory) read(_ context.Context, fn func(ledger.Reader) error) error { return fn(m) }

func (m *memory) LedgerHead(ctx context.Context) (ledger.Head, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.head, ctx.Err()
}

func (m *memory) LedgerTiles(_ context.Context, ids []ledger.TileID) ([][]byte, error) {
	return find(ids, m.tile)
}

func (m *memory) tile(id ledger.TileID) ([]byte, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	data, ok := m.tiles[id]
	return data, ok
}

func find(ids []ledger.TileID, tile func(ledger.TileID) ([]byte, bool)) ([][]byte, error) {
	out := make([][]byte, len(ids))
	for i, id := range ids {
		data, ok := tile(id)
		if !ok {
			return nil, fmt.Errorf("ledger tile %s is missing", id)
		}
		out[i] = bytes.Clone(data)
	}
	return out, nil
}

type memoryTx struct {
	memory *memory
	head   ledger.Head
	put    map[ledger.TileID][]byte
}

func (tx *memoryTx) LockLedger(ctx context.Context) (ledger.Head, error) { return tx.head, ctx.Err() }

func (tx *memoryTx) SetLedgerHead(_ context.Context, from, to ledger.Head) error {
	if tx.head != from {
		return fmt.Errorf("ledger head is %s, not %s", tx.head, from)
	}
	tx.head = to
	return nil
}

func (tx *memoryTx) LedgerTiles(_ context.Context, ids []ledger.TileID) ([][]byte, error) {
	return find(ids, tx.tile)
}

func (tx *memoryTx) tile(id ledger.TileID) ([]byte, bool) {
	if data, ok := tx.put[id]; ok {
		return data, true
	}
	return tx.memory.tile(id)
}

func (tx *memoryTx) PutLedgerTiles(ctx context.Context, tiles []ledger.TileData) error {
	tx.memory.batch = max(tx.memory.batch, len(tiles))
	for _, t := range tiles {
		stored, _ := tx.tile(t.TileID)
		if len(t.Data) <= len(stored) || !bytes.HasPrefix(t.Data, stored) {
			return fmt.Errorf("ledger tile %s does not grow", t.TileID)
		}
		tx.put[t.TileID] = bytes.Clone(t.Data)
	}
	return ctx.Err()
}

func TestMemory(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(*testing.T) ledgertest.DB { return newMemory().db() })
}
