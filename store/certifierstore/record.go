package certifierstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/certifier"
	"selo/fault"
	"selo/store"
)

const rowColumns = `r.id, r.kind, r.key, r.version, r.imported, r.situation, r.class, r.issued_on, r.valid_until,
	r.created_at, r.created_by, r.changed_at, r.changed_by, r.label, r.folded`

type rowScan struct {
	row        certifier.Row
	key        []byte
	issued     string
	validUntil string
}

func (s *rowScan) dest() []any {
	r := &s.row
	return []any{&r.ID, &r.Kind, &s.key, &r.Version, &r.Imported, &r.Situation, &r.Class, &s.issued, &s.validUntil,
		store.ScanTime(&r.CreatedAt), &r.CreatedBy, store.ScanTime(&r.ChangedAt), &r.ChangedBy, &r.Label, &r.Folded}
}

func (s *rowScan) done() (certifier.Row, error) {
	copy(s.row.Key[:], s.key)
	var err error
	if s.row.IssuedOn, err = parseDate(s.issued); err == nil {
		s.row.ValidUntil, err = parseDate(s.validUntil)
	}
	return s.row, err
}

func parseDate(s string) (brasil.Date, error) {
	if s == "" {
		return brasil.Date{}, nil
	}
	return brasil.ParseISODate(s)
}

func dateText(d brasil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// keyBind is NULL for a record that nothing identifies.
func keyBind(k certificate.Key) any {
	if k == (certificate.Key{}) {
		return nil
	}
	return k[:]
}

// Rows implements certifier.Tx.
func (tx *Tx) Rows(ctx context.Context, ids []certificate.ID) (map[certificate.ID]certifier.Row, error) {
	found := make(map[certificate.ID]certifier.Row, len(ids))
	err := store.InChunks(ids, func(in string, args []any) error {
		rows, err := tx.Query(ctx, `SELECT `+rowColumns+` FROM record r WHERE r.id IN (`+in+`)`, args...)
		list, err := collect(rows, err, func(rows *store.Rows) (certifier.Row, error) {
			var s rowScan
			if err := rows.Scan(s.dest()...); err != nil {
				return s.row, err
			}
			return s.done()
		})
		for _, r := range list {
			found[r.ID] = r
		}
		return err
	})
	return found, err
}

// FindKeys implements certifier.Tx.
func (tx *Tx) FindKeys(ctx context.Context, kind certificate.Kind, keys []certificate.Key) (map[certificate.Key]certificate.ID, error) {
	found := map[certificate.Key]certificate.ID{}
	binds := make([][]byte, len(keys))
	for i := range keys {
		binds[i] = keys[i][:]
	}
	type hit struct {
		key []byte
		id  certificate.ID
	}
	err := store.InChunks(binds, func(in string, args []any) error {
		rows, err := tx.Query(ctx, `
			SELECT key, id FROM record WHERE kind = ? AND key IS NOT NULL AND key IN (`+in+`)`,
			append([]any{kind}, args...)...)
		list, err := collect(rows, err, func(rows *store.Rows) (hit, error) {
			var h hit
			return h, rows.Scan(&h.key, &h.id)
		})
		for _, h := range list {
			found[certificate.Key(h.key)] = h.id
		}
		return err
	})
	return found, err
}

// InsertRows implements certifier.Tx.
func (tx *Tx) InsertRows(ctx context.Context, rows []certifier.Row) error {
	_, err := tx.BatchInsert(ctx, "record", []string{"id", "kind", "key", "version", "imported", "situation", "class",
		"issued_on", "valid_until", "created_at", "created_by", "changed_at", "changed_by", "label", "folded"},
		func(i int) []any {
			r := &rows[i]
			return []any{r.ID, r.Kind, keyBind(r.Key), r.Version, r.Imported, r.Situation, r.Class,
				dateText(r.IssuedOn), dateText(r.ValidUntil), r.CreatedAt, r.CreatedBy, r.ChangedAt, r.ChangedBy, r.Label, r.Folded}
		}, len(rows), "")
	return taken(err)
}

// taken makes a fault of a broken unique rule.
func taken(err error) error {
	if errors.Is(err, store.ErrUnique) {
		return fault.New(fault.Conflict, "record.taken").Because(err)
	}
	return err
}

// UpdateRow implements certifier.Tx.
func (tx *Tx) UpdateRow(ctx context.Context, r certifier.Row) error {
	n, err := tx.Exec(ctx, `
		UPDATE record SET key = ?, version = ?, imported = ?, situation = ?, class = ?, issued_on = ?, valid_until = ?,
			changed_at = ?, changed_by = ?, label = ?, folded = ?
		WHERE id = ? AND version = ?`,
		keyBind(r.Key), r.Version, r.Imported, r.Situation, r.Class, dateText(r.IssuedOn), dateText(r.ValidUntil),
		r.ChangedAt, r.ChangedBy, r.Label, r.Folded, r.ID, r.Version-1)
	if err != nil {
		return taken(err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "record.changed", "registro", r.Label, "por", "")
	}
	return nil
}

// TouchRows implements certifier.Tx.
func (tx *Tx) TouchRows(ctx context.Context, ids []certificate.ID, by certifier.Actor) error {
	// IN lists repeat an ID to fill up; a set does not count it twice.
	return store.InChunks(ids, func(in string, args []any) error {
		_, err := tx.Exec(ctx, `
			UPDATE record SET version = version + 1, changed_at = ?, changed_by = ? WHERE id IN (`+in+`)`,
			append([]any{tx.Now(), by}, args...)...)
		return err
	})
}

// DeleteRow implements certifier.Tx.
func (tx *Tx) DeleteRow(ctx context.Context, id certificate.ID) error {
	for _, statement := range []string{
		`DELETE FROM draft WHERE record = ?`,
		`DELETE FROM link WHERE certificate = ?`,
		`DELETE FROM record WHERE id = ?`,
	} {
		if _, err := tx.Exec(ctx, statement, id); err != nil {
			return fmt.Errorf("delete record %s: %w", id, err)
		}
	}
	return nil
}

// Origins implements certifier.Tx. Both sides of the join are read in the order
// of their IDs, from indexes alone.
func (tx *Tx) Origins(ctx context.Context, of certificate.ID, frozen bool) (map[certificate.ID]bool, error) {
	text := `SELECT r.id, r.imported FROM link l CROSS JOIN record r ON r.id = l.target AND r.kind = 'produto'
		WHERE l.certificate = ?`
	if frozen {
		for i, state := range []string{"aprovada", "em_remessa", "aceita"} {
			text += [2]string{" AND (", " OR "}[min(i, 1)] + `EXISTS (SELECT 1 FROM revision v
				WHERE v.kind = 'produto' AND v.record = l.target AND v.state = '` + state + `')`
		}
		text += `)`
	}
	rows, err := tx.Query(ctx, text, of)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	found := map[certificate.ID]bool{}
	for rows.Next() {
		var id certificate.ID
		var imported bool
		if err := rows.Scan(&id, &imported); err != nil {
			return nil, fmt.Errorf("scan product: %w", err)
		}
		found[id] = imported
	}
	return found, rows.Err()
}

// ListRows implements certifier.Tx.
func (tx *Tx) ListRows(ctx context.Context, q certifier.Query) ([]certifier.Item, error) {
	var where []string
	var args []any
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	add("r.key IS NOT NULL OR d.record IS NOT NULL") // retired records are history
	if q.Kind != "" {
		add("r.kind = ?", q.Kind)
	}
	if q.Situation != "" {
		add("r.situation = ?", q.Situation)
	}
	if q.Class != "" {
		add("r.class = ?", q.Class)
	}
	if q.LinkedTo != "" {
		add("r.id IN (SELECT certificate FROM link WHERE target = ?)", q.LinkedTo)
	}
	if condition := states[q.State]; condition != "" {
		add(condition)
	}
	for _, w := range q.Words {
		add("instr(r.folded, ?) > 0", w)
	}
	if q.After != (certifier.After{}) {
		add("(r.label, r.id) > (?, ?)", q.After.Label, q.After.ID)
	}
	rows, err := tx.Query(ctx, `
		SELECT `+rowColumns+`, d.pending, d.saved_at, a.record IS NOT NULL, t.record IS NOT NULL, c.record IS NOT NULL
		FROM record r
		LEFT JOIN draft d ON d.record = r.id
		LEFT JOIN revision a ON a.kind = r.kind AND a.record = r.id AND a.state = 'aprovada'
		LEFT JOIN revision t ON t.kind = r.kind AND t.record = r.id AND t.state = 'em_remessa'
		LEFT JOIN revision c ON c.kind = r.kind AND c.record = r.id AND c.state = 'aceita'
		WHERE (`+strings.Join(where, ") AND (")+`)
		ORDER BY r.label, r.id LIMIT ?`, append(args, q.Limit)...)
	return collect(rows, err, scanItem)
}

var states = map[certifier.ListState]string{
	certifier.HasDraft:      `d.record IS NOT NULL`,
	certifier.HasPending:    `r.kind = 'certificado' AND d.pending > 0`,
	certifier.HasReady:      `r.kind = 'certificado' AND d.pending = 0`,
	certifier.HasApproved:   `a.record IS NOT NULL`,
	certifier.HasTravelling: `t.record IS NOT NULL`,
	certifier.HasAccepted:   `c.record IS NOT NULL`,
}

func scanItem(rows *store.Rows) (certifier.Item, error) {
	var s rowScan
	var item certifier.Item
	var pending *int
	var saved time.Time
	dest := append(s.dest(), &pending, store.ScanTime(&saved), &item.Approved, &item.Travelling, &item.Accepted)
	if err := rows.Scan(dest...); err != nil {
		return item, err
	}
	if pending != nil {
		item.Draft, item.Pending, item.DraftAt = true, *pending, saved.Format(time.RFC3339)
	}
	var err error
	item.Row, err = s.done()
	return item, err
}
