package registrystore

import (
	"context"
	"errors"
	"fmt"
	"math"

	"selo/ledger"
	"selo/registry"
	"selo/store"
)

// LockLedger implements ledger.Tx.
func (tx *Tx) LockLedger(ctx context.Context) (ledger.Head, error) {
	return tx.head(ctx, tx.lock())
}

// LedgerHead implements ledger.Reader.
func (tx *Tx) LedgerHead(ctx context.Context) (ledger.Head, error) {
	return tx.head(ctx, "")
}

func (tx *Tx) head(ctx context.Context, lock string) (h ledger.Head, err error) {
	var root []byte
	if err := tx.QueryRow(ctx, `SELECT size, root FROM ledger_head WHERE id = 1`+lock).Scan(&h.Size, &root); err != nil {
		return h, fmt.Errorf("read ledger head: %w", err)
	}
	copy(h.Root[:], root)
	return h, nil
}

// SetLedgerHead implements ledger.Tx.
func (tx *Tx) SetLedgerHead(ctx context.Context, from, to ledger.Head) error {
	n, err := tx.Exec(ctx, `UPDATE ledger_head SET size = ?, root = ? WHERE id = 1 AND size = ? AND root = ?`,
		to.Size, to.Root[:], from.Size, from.Root[:])
	if err != nil {
		return fmt.Errorf("set ledger head %d: %w", to.Size, err)
	}
	if n != 1 {
		return fmt.Errorf("set ledger head %d: it is not at %d any more", to.Size, from.Size)
	}
	return nil
}

// LedgerTiles implements ledger.Tx and ledger.Reader.
func (tx *Tx) LedgerTiles(ctx context.Context, ids []ledger.TileID) ([][]byte, error) {
	byLevel := map[int][]int64{}
	for _, id := range ids {
		byLevel[int(id.Level)] = append(byLevel[int(id.Level)], id.N)
	}
	found := map[ledger.TileID][]byte{}
	for level, numbers := range byLevel {
		err := store.InChunks(numbers, func(in string, args []any) error {
			rows, err := tx.Query(ctx, `SELECT n, data FROM ledger_tile WHERE level = ? AND n IN (`+in+`)`,
				append([]any{level}, args...)...)
			return each(rows, err, func() error {
				var n int64
				var data []byte
				if err := rows.Scan(&n, &data); err != nil {
					return err
				}
				found[ledger.TileID{Level: level, N: n}] = data
				return nil
			})
		})
		if err != nil {
			return nil, fmt.Errorf("read ledger tiles: %w", err)
		}
	}
	tiles := make([][]byte, len(ids))
	for i, id := range ids {
		data, ok := found[id]
		if !ok {
			return nil, fmt.Errorf("read ledger tile %v: there is none", id)
		}
		tiles[i] = append([]byte(nil), data...)
	}
	return tiles, nil
}

// PutLedgerTiles implements ledger.Tx.
func (tx *Tx) PutLedgerTiles(ctx context.Context, tiles []ledger.TileData) error {
	n, err := tx.BatchInsert(ctx, "ledger_tile", []string{"level", "n", "data"},
		func(i int) []any { return []any{tiles[i].Level, tiles[i].N, tiles[i].Data} }, len(tiles), `
		ON CONFLICT (level, n) DO UPDATE SET data = excluded.data
		WHERE length(excluded.data) > length(ledger_tile.data)
			AND substr(excluded.data, 1, length(ledger_tile.data)) = ledger_tile.data`)
	if err != nil {
		return fmt.Errorf("put ledger tiles: %w", err)
	}
	if n != int64(len(tiles)) {
		return errors.New("put ledger tiles: a tile would not grow at its end")
	}
	return nil
}

const publicationColumns = `number, at, size, root, checkpoint, reference`

// InsertPublication implements registry.Tx.
func (tx *Tx) InsertPublication(ctx context.Context, p registry.Publication) error {
	_, err := tx.Exec(ctx, `INSERT INTO publication (`+publicationColumns+`) VALUES (?, ?, ?, ?, ?, ?)`,
		p.Number, p.At, p.Head.Size, p.Head.Root[:], p.Checkpoint, string(p.Reference))
	if err != nil {
		return fmt.Errorf("insert publication %d: %w", p.Number, err)
	}
	return nil
}

// FindPublication implements registry.Tx: the newest one.
func (tx *Tx) FindPublication(ctx context.Context) (p registry.Publication, ok bool, err error) {
	var root []byte
	err = tx.QueryRow(ctx, `SELECT `+publicationColumns+` FROM publication ORDER BY number DESC LIMIT 1`).
		Scan(&p.Number, store.ScanTime(&p.At), &p.Head.Size, &root, &p.Checkpoint, &p.Reference)
	copy(p.Head.Root[:], root)
	return p, err == nil, absent(err, "find publication")
}

// ListPublications implements registry.Tx.
func (tx *Tx) ListPublications(ctx context.Context, before int64, limit int) ([]registry.Publication, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	list := []registry.Publication{}
	rows, err := tx.Query(ctx, `SELECT number, at, size, root, checkpoint FROM publication
		WHERE number < ? ORDER BY number DESC LIMIT ?`, before, limit)
	err = each(rows, err, func() error {
		var p registry.Publication
		var root []byte
		if err := rows.Scan(&p.Number, store.ScanTime(&p.At), &p.Head.Size, &root, &p.Checkpoint); err != nil {
			return err
		}
		copy(p.Head.Root[:], root)
		list = append(list, p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list publications: %w", err)
	}
	return list, nil
}
