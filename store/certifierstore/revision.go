package certifierstore

import (
	"context"
	"fmt"

	"selo/certificate"
	"selo/certifier"
	"selo/fault"
	"selo/store"
)

const entryColumns = `v.sequence, v.record, v.kind, v.number, v.hash, v.state, v.approved_at, v.approved_by, v.content`

func scanEntry(rows *store.Rows) (certifier.Entry, error) {
	var e certifier.Entry
	var hash []byte
	err := rows.Scan(&e.Sequence, &e.Record, &e.Kind, &e.Number, &hash, &e.State,
		store.ScanTime(&e.ApprovedAt), &e.ApprovedBy, &e.Content)
	copy(e.Hash[:], hash)
	return e, err
}

// Live implements certifier.Tx.
func (tx *Tx) Live(ctx context.Context, ids []certificate.ID) ([]certifier.Entry, error) {
	var all []certifier.Entry
	err := store.InChunks(ids, func(in string, args []any) error {
		rows, err := tx.Query(ctx, `
			SELECT `+entryColumns+` FROM revision v
			WHERE v.record IN (`+in+`) AND v.state IN ('aprovada', 'em_remessa', 'aceita')`, args...)
		list, err := collect(rows, err, scanEntry)
		all = append(all, list...)
		return err
	})
	return all, err
}

// Log implements certifier.Tx.
func (tx *Tx) Log(ctx context.Context, id certificate.ID) ([]certifier.Entry, error) {
	rows, err := tx.Query(ctx, `SELECT `+entryColumns+` FROM revision v WHERE v.record = ? ORDER BY v.sequence`, id)
	return collect(rows, err, scanEntry)
}

// Stranded implements certifier.Tx.
func (tx *Tx) Stranded(ctx context.Context, kind certificate.Kind) ([]certificate.ID, error) {
	rows, err := tx.Query(ctx, `
		SELECT r.id FROM record r
		WHERE r.kind = ? AND r.key IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM draft d WHERE d.record = r.id)
			AND NOT EXISTS (SELECT 1 FROM revision v WHERE v.record = r.id
				AND v.state IN ('aprovada', 'em_remessa', 'aceita'))
		ORDER BY r.id`, kind)
	return collect(rows, err, scanID)
}

// InsertEntries implements certifier.Tx.
func (tx *Tx) InsertEntries(ctx context.Context, entries []certifier.Entry) error {
	_, err := tx.BatchInsert(ctx, "revision",
		[]string{"record", "kind", "number", "hash", "state", "approved_at", "approved_by", "content"},
		func(i int) []any {
			e := &entries[i]
			return []any{e.Record, e.Kind, e.Number, e.Hash[:], e.State, e.ApprovedAt, e.ApprovedBy, e.Content}
		}, len(entries), "")
	return err
}

// MoveEntries implements certifier.Tx.
func (tx *Tx) MoveEntries(ctx context.Context, ids []certificate.ID, from, to certifier.State) (int64, error) {
	var moved int64
	err := store.InChunks(ids, func(in string, args []any) error {
		n, err := tx.Exec(ctx, `UPDATE revision SET state = ? WHERE state = ? AND record IN (`+in+`)`,
			append([]any{to, from}, args...)...)
		moved += n
		return err
	})
	return moved, err
}

// Relink implements certifier.Tx.
func (tx *Tx) Relink(ctx context.Context, e certifier.Entry) error {
	n, err := tx.Exec(ctx, `
		UPDATE revision SET number = ?, hash = ?, content = ? WHERE sequence = ? AND state = 'aprovada'`,
		e.Number, e.Hash[:], e.Content, e.Sequence)
	if err != nil {
		return err
	}
	if n != 1 {
		return fault.New(fault.Conflict, "record.changed", "registro", string(e.Record), "por", "")
	}
	return nil
}

// PageWaiting implements certifier.Tx.
func (tx *Tx) PageWaiting(ctx context.Context, kind certificate.Kind, full bool, after certificate.ID, limit int) ([]certifier.Waiting, error) {
	approved, err := tx.page(ctx, `v.state = 'aprovada'`, kind, after, limit)
	if err != nil {
		return nil, err
	}
	var accepted []certifier.Entry
	if full {
		if accepted, err = tx.page(ctx, `v.state = 'aceita'`, kind, after, limit); err != nil {
			return nil, err
		}
	}
	page := merge(approved, accepted, limit)
	var ids []certificate.ID
	for _, w := range page {
		if w.State == certifier.Approved {
			ids = append(ids, w.Record)
		}
	}
	bases := map[certificate.ID]*certifier.Entry{}
	err = store.InChunks(ids, func(in string, args []any) error {
		rows, err := tx.Query(ctx, `
			SELECT `+entryColumns+` FROM revision v WHERE v.kind = ? AND v.state = 'aceita' AND v.record IN (`+in+`)`,
			append([]any{kind}, args...)...)
		list, err := collect(rows, err, scanEntry)
		for i := range list {
			bases[list[i].Record] = &list[i]
		}
		return err
	})
	for i := range page {
		if page[i].State == certifier.Approved {
			page[i].Base = bases[page[i].Record]
		}
	}
	return page, err
}

// page lists by record the revisions of a kind in one state; condition names
// the state literally, so that SQLite uses its partial index.
func (tx *Tx) page(ctx context.Context, condition string, kind certificate.Kind, after certificate.ID, limit int) ([]certifier.Entry, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+entryColumns+` FROM revision v
		WHERE `+condition+` AND v.kind = ? AND v.record > ? ORDER BY v.record LIMIT ?`, kind, after, limit)
	return collect(rows, err, scanEntry)
}

// merge gives for each record the approved revision, else the accepted one.
func merge(approved, accepted []certifier.Entry, limit int) []certifier.Waiting {
	var page []certifier.Waiting
	for len(page) < limit && len(approved)+len(accepted) > 0 {
		var next certifier.Entry
		switch {
		case len(accepted) == 0 || len(approved) > 0 && approved[0].Record <= accepted[0].Record:
			next = approved[0]
			if len(accepted) > 0 && accepted[0].Record == next.Record {
				accepted = accepted[1:]
			}
			approved = approved[1:]
		default:
			next = accepted[0]
			accepted = accepted[1:]
		}
		page = append(page, certifier.Waiting{Entry: next})
	}
	return page
}

// PageTravelling implements certifier.Tx.
func (tx *Tx) PageTravelling(ctx context.Context, kind certificate.Kind, remessa int64, after certificate.ID, limit int) ([]certifier.Entry, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+entryColumns+` FROM remessa_item i
		JOIN revision v ON v.record = i.record AND v.hash = i.hash AND v.state IN ('em_remessa', 'aceita')
		WHERE i.remessa = ? AND i.kind = ? AND i.record > ? ORDER BY i.record LIMIT ?`, remessa, kind, after, limit)
	return collect(rows, err, scanEntry)
}

// PageAccepted implements certifier.Tx.
func (tx *Tx) PageAccepted(ctx context.Context, kind certificate.Kind, after certificate.ID, limit int) ([]certifier.Entry, error) {
	return tx.page(ctx, `v.state = 'aceita'`, kind, after, limit)
}

// Depart implements certifier.Tx.
func (tx *Tx) Depart(ctx context.Context, remessa int64, full bool) error {
	if full {
		_, err := tx.Exec(ctx, `
			INSERT INTO remessa_item (remessa, kind, record, number, hash)
			SELECT ?, v.kind, v.record, v.number, v.hash FROM revision v
			WHERE v.state = 'aceita' AND NOT EXISTS (
				SELECT 1 FROM revision a WHERE a.kind = v.kind AND a.record = v.record AND a.state = 'aprovada')`, remessa)
		if err != nil {
			return fmt.Errorf("list accepted revisions: %w", err)
		}
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO remessa_item (remessa, kind, record, number, hash)
		SELECT ?, kind, record, number, hash FROM revision WHERE state = 'aprovada'`, remessa)
	if err != nil {
		return fmt.Errorf("list approved revisions: %w", err)
	}
	_, err = tx.Exec(ctx, `UPDATE revision SET state = 'em_remessa' WHERE state = 'aprovada'`)
	return err
}

// Settle implements certifier.Tx.
func (tx *Tx) Settle(ctx context.Context, accepted bool) error {
	// CROSS JOIN keeps SQLite from starting at the larger side.
	other, to := `aprovada`, [2]string{`UPDATE revision SET state = 'superada' WHERE sequence IN (
		SELECT t.sequence FROM revision t CROSS JOIN revision o`,
		`UPDATE revision SET state = 'aprovada' WHERE state = 'em_remessa'`}
	if accepted {
		other, to = `aceita`, [2]string{`UPDATE revision SET state = 'substituida' WHERE sequence IN (
			SELECT o.sequence FROM revision t CROSS JOIN revision o`,
			`UPDATE revision SET state = 'aceita' WHERE state = 'em_remessa'`}
	}
	if _, err := tx.Exec(ctx, to[0]+`
		WHERE t.state = 'em_remessa' AND o.kind = t.kind AND o.record = t.record AND o.state = '`+other+`')`); err != nil {
		return fmt.Errorf("make room: %w", err)
	}
	_, err := tx.Exec(ctx, to[1])
	return err
}
