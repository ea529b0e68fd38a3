package registrystore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"selo/certificate"
	"selo/registry"
	"selo/store"
)

// FindRecords implements registry.Tx.
func (tx *Tx) FindRecords(ctx context.Context, ids []certificate.ID) (map[certificate.ID]registry.Record, error) {
	found := make(map[certificate.ID]registry.Record, len(ids))
	err := store.InChunks(texts(ids), func(in string, args []any) error {
		rows, err := tx.Query(ctx, `
			SELECT id, body, kind, number, hash, remessa_id, imported FROM record
			WHERE id IN (`+in+`)`, args...)
		return each(rows, err, func() error {
			var id certificate.ID
			var r registry.Record
			var hash []byte
			if err := rows.Scan(&id, &r.Body, &r.Kind, &r.Number, &hash, &r.Remessa, &r.Imported); err != nil {
				return err
			}
			copy(r.Hash[:], hash)
			found[id] = r
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("find records: %w", err)
	}
	return found, nil
}

// FindContents implements registry.Tx.
func (tx *Tx) FindContents(ctx context.Context, sigla certificate.Sigla, ids []certificate.ID) (map[certificate.ID][]byte, error) {
	found := make(map[certificate.ID][]byte, len(ids))
	err := store.InChunks(texts(ids), func(in string, args []any) error {
		// The body is compared here: asked for it too, SQLite takes the index that
		// begins with it and reads all of the body's records for each part.
		rows, err := tx.Query(ctx, `
			SELECT c.id, c.body, v.content FROM record c
			JOIN revision v ON v.remessa_id = c.remessa_id AND v.position = c.position
			WHERE c.id IN (`+in+`)`, args...)
		return each(rows, err, func() error {
			var id certificate.ID
			var body certificate.Sigla
			var content []byte
			if err := rows.Scan(&id, &body, &content); err != nil {
				return err
			}
			if body == sigla {
				found[id] = content
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("find contents: %w", err)
	}
	return found, nil
}

// FindKeys implements registry.Tx.
func (tx *Tx) FindKeys(ctx context.Context, sigla certificate.Sigla, kind certificate.Kind, keys []certificate.Key) (map[certificate.Key]certificate.ID, error) {
	found := map[certificate.Key]certificate.ID{}
	binds := make([][]byte, len(keys))
	for i := range keys {
		binds[i] = keys[i][:]
	}
	// One look into the index for each key. Asked with IN, PostgreSQL without
	// fresh statistics, as in the first large remessa, reads all of the body's
	// records each time: it takes the body and kind to be rare.
	bind := "(?)"
	if tx.Dialect() == store.Postgres {
		bind = "(?::bytea)"
	}
	err := store.InChunks(binds, func(in string, args []any) error {
		rows, err := tx.Query(ctx, `
			SELECT k.column1, (SELECT id FROM record WHERE body = ? AND kind = ? AND record_key = k.column1)
			FROM (VALUES `+strings.ReplaceAll(in, "?", bind)+`) AS k`, append([]any{string(sigla), string(kind)}, args...)...)
		return each(rows, err, func() error {
			var key []byte
			var id sql.NullString
			if err := rows.Scan(&key, &id); err != nil {
				return err
			}
			if id.Valid {
				found[certificate.Key(key)] = certificate.ID(id.String)
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("find keys: %w", err)
	}
	return found, nil
}

// Apply implements registry.Tx.
func (tx *Tx) Apply(ctx context.Context, sigla certificate.Sigla, remessaID int64, list []registry.Applied) error {
	_, err := tx.BatchInsert(ctx, "revision",
		[]string{"remessa_id", "position", "record_id", "kind", "number", "hash", "content"},
		func(i int) []any {
			a := &list[i]
			return []any{remessaID, a.Position, string(a.ID), string(a.Kind), a.Number, a.Hash[:], a.Canonical}
		}, len(list), "")
	if err != nil {
		return fmt.Errorf("insert revisions: %w", err)
	}
	// Two inserts instead of one upsert: COPY takes the new ones, by far the most.
	var fresh, known []*registry.Applied
	for i := range list {
		if list[i].Number == 1 {
			fresh = append(fresh, &list[i])
		} else {
			known = append(known, &list[i])
		}
	}
	if err := tx.putRecords(ctx, sigla, remessaID, fresh, ""); err != nil {
		return err
	}
	return tx.putRecords(ctx, sigla, remessaID, known, `
		ON CONFLICT (id) DO UPDATE SET number = excluded.number, hash = excluded.hash,
			remessa_id = excluded.remessa_id, position = excluded.position
		WHERE record.number = excluded.number - 1`)
}

func (tx *Tx) putRecords(ctx context.Context, sigla certificate.Sigla, remessaID int64, list []*registry.Applied, suffix string) error {
	n, err := tx.BatchInsert(ctx, "record",
		[]string{"id", "body", "kind", "record_key", "number", "hash", "remessa_id", "position", "imported"},
		func(i int) []any {
			a := list[i]
			return []any{string(a.ID), string(sigla), string(a.Kind), a.Key[:], a.Number, a.Hash[:], remessaID, a.Position, boolean(a.Imported)}
		}, len(list), suffix)
	if err != nil {
		return fmt.Errorf("put records: %w", err)
	}
	if n != int64(len(list)) {
		return fmt.Errorf("put records: %d of %d moved", n, len(list))
	}
	return nil
}

// pageSize is how many rows are read before they are handed over: while a
// result is open the transaction can do nothing else.
//
// Revisions are read by ranges of positions, which have no gaps. With LIMIT
// instead, PostgreSQL without fresh statistics reads and sorts all that is
// left of a remessa for every page.
const pageSize = 2000

// EachHash implements registry.Tx.
func (tx *Tx) EachHash(ctx context.Context, remessaID int64, fn func(certificate.Hash) error) error {
	for next := int64(0); ; next += pageSize {
		hashes := make([]certificate.Hash, 0, pageSize)
		rows, err := tx.Query(ctx, `
			SELECT hash FROM revision WHERE remessa_id = ? AND position >= ? AND position < ?
			ORDER BY position`, remessaID, next, next+pageSize)
		err = each(rows, err, func() error {
			var hash []byte
			if err := rows.Scan(&hash); err != nil {
				return err
			}
			hashes = append(hashes, certificate.Hash(hash))
			return nil
		})
		if err != nil {
			return fmt.Errorf("read hashes of remessa %d: %w", remessaID, err)
		}
		for _, h := range hashes {
			if err := fn(h); err != nil {
				return err
			}
		}
		if len(hashes) < pageSize {
			return nil
		}
	}
}

// EachNewest implements registry.Tx.
func (tx *Tx) EachNewest(ctx context.Context, sigla certificate.Sigla, fn func(certificate.Kind, []byte) error) error {
	for _, kind := range []certificate.Kind{certificate.KindCompany, certificate.KindProduct, certificate.KindCertificate} {
		for after := []byte{}; ; {
			contents := make([][]byte, 0, pageSize)
			rows, err := tx.Query(ctx, `
				SELECT c.record_key, v.content FROM record c
				JOIN revision v ON v.remessa_id = c.remessa_id AND v.position = c.position
				WHERE c.body = ? AND c.kind = ? AND c.record_key > ?
				ORDER BY c.record_key LIMIT ?`, string(sigla), string(kind), after, pageSize)
			err = each(rows, err, func() error {
				var key, content []byte
				if err := rows.Scan(&key, &content); err != nil {
					return err
				}
				after, contents = key, append(contents, content)
				return nil
			})
			if err != nil {
				return fmt.Errorf("read base of %s: %w", sigla, err)
			}
			for _, content := range contents {
				if err := fn(kind, content); err != nil {
					return err
				}
			}
			if len(contents) < pageSize {
				break
			}
		}
	}
	return nil
}

// History implements registry.Tx.
func (tx *Tx) History(ctx context.Context, sigla certificate.Sigla, id certificate.ID, below int64) ([]registry.Accepted, error) {
	rows, err := tx.Query(ctx, `
		SELECT m.first_index + v.position, v.hash, m.processed_at, v.content FROM revision v
		JOIN remessa m ON m.id = v.remessa_id
		WHERE v.record_id = ? AND m.body = ? AND m.first_index + v.position < ?
		ORDER BY v.number`, string(id), string(sigla), below)
	return collect(rows, err, "read history of "+string(id), func(row scanner) (a registry.Accepted, err error) {
		var hash []byte
		err = row.Scan(&a.Index, &hash, store.ScanTime(&a.AcceptedAt), &a.Canonical)
		copy(a.Hash[:], hash)
		return a, err
	})
}

func texts(ids []certificate.ID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}

// each calls fn for every row and closes the result.
func each(rows *store.Rows, err error, fn func() error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	for rows.Next() {
		if err := fn(); err != nil {
			return err
		}
	}
	return rows.Err()
}
