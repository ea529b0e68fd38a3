package certifierstore

import (
	"context"

	"selo/certificate"
	"selo/certifier"
	"selo/store"
)

// Drafts implements certifier.Tx.
func (tx *Tx) Drafts(ctx context.Context, ids []certificate.ID) (map[certificate.ID]certifier.Draft, error) {
	found := map[certificate.ID]certifier.Draft{}
	err := store.InChunks(ids, func(in string, args []any) error {
		rows, err := tx.Query(ctx, `
			SELECT record, kind, pending, saved_at, saved_by, content FROM draft WHERE record IN (`+in+`)`, args...)
		list, err := collect(rows, err, func(rows *store.Rows) (certifier.Draft, error) {
			var d certifier.Draft
			return d, rows.Scan(&d.Record, &d.Kind, &d.Pending, store.ScanTime(&d.SavedAt), &d.SavedBy, &d.Content)
		})
		for _, d := range list {
			found[d.Record] = d
		}
		return err
	})
	return found, err
}

// HavingDraft implements certifier.Tx.
func (tx *Tx) HavingDraft(ctx context.Context, ids []certificate.ID) ([]certificate.ID, error) {
	var found []certificate.ID
	err := store.InChunks(ids, func(in string, args []any) error {
		rows, err := tx.Query(ctx, `SELECT record FROM draft WHERE record IN (`+in+`)`, args...)
		list, err := collect(rows, err, scanID)
		found = append(found, list...)
		return err
	})
	return found, err
}

func scanID(rows *store.Rows) (id certificate.ID, err error) { return id, rows.Scan(&id) }

// PageDrafts implements certifier.Tx.
func (tx *Tx) PageDrafts(ctx context.Context, kind certificate.Kind, after certificate.ID, limit int) ([]certificate.ID, error) {
	rows, err := tx.Query(ctx, `
		SELECT record FROM draft WHERE kind = ? AND record > ? ORDER BY record LIMIT ?`, kind, after, limit)
	return collect(rows, err, scanID)
}

// PutDrafts implements certifier.Tx.
func (tx *Tx) PutDrafts(ctx context.Context, drafts []certifier.Draft) error {
	_, err := tx.BatchInsert(ctx, "draft", []string{"record", "kind", "pending", "saved_at", "saved_by", "content"},
		func(i int) []any {
			d := &drafts[i]
			return []any{d.Record, d.Kind, d.Pending, d.SavedAt, d.SavedBy, d.Content}
		}, len(drafts), `ON CONFLICT (record) DO UPDATE SET
			pending = excluded.pending, saved_at = excluded.saved_at, saved_by = excluded.saved_by, content = excluded.content`)
	return err
}

// DeleteDrafts implements certifier.Tx.
func (tx *Tx) DeleteDrafts(ctx context.Context, ids []certificate.ID) error {
	return store.InChunks(ids, func(in string, args []any) error {
		_, err := tx.Exec(ctx, `DELETE FROM draft WHERE record IN (`+in+`)`, args...)
		return err
	})
}

// Links implements certifier.Tx.
func (tx *Tx) Links(ctx context.Context, of certificate.ID) (map[certificate.ID]bool, error) {
	rows, err := tx.Query(ctx, `SELECT target FROM link WHERE certificate = ?`, of)
	list, err := collect(rows, err, scanID)
	found := make(map[certificate.ID]bool, len(list))
	for _, id := range list {
		found[id] = true
	}
	return found, err
}

// AddLinks implements certifier.Tx.
func (tx *Tx) AddLinks(ctx context.Context, of certificate.ID, to []certificate.ID) error {
	_, err := tx.BatchInsert(ctx, "link", []string{"certificate", "target"},
		func(i int) []any { return []any{of, to[i]} }, len(to), "ON CONFLICT DO NOTHING")
	return err
}

// RemoveLinks implements certifier.Tx.
func (tx *Tx) RemoveLinks(ctx context.Context, of certificate.ID, to []certificate.ID) error {
	return store.InChunks(to, func(in string, args []any) error {
		_, err := tx.Exec(ctx, `DELETE FROM link WHERE certificate = ? AND target IN (`+in+`)`, append([]any{of}, args...)...)
		return err
	})
}

// Linking implements certifier.Tx.
func (tx *Tx) Linking(ctx context.Context, to certificate.ID) ([]certificate.ID, error) {
	rows, err := tx.Query(ctx, `SELECT certificate FROM link WHERE target = ? ORDER BY certificate`, to)
	return collect(rows, err, scanID)
}
