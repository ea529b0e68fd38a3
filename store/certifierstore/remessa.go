package certifierstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"selo/certificate"
	"selo/certifier"
	"selo/fault"
	"selo/store"
)

const remessaColumns = `m.id, m.sequence, m.state, m.scope, m.digest, m.previous, m.file, m.count,
	m.prepared_at, m.prepared_by, m.sent_at, m.how, m.result_at, m.reasons, m.total, m.code`

type remessaScan struct {
	r                certifier.Remessa
	digest, previous []byte
	reasons          string
}

func (s *remessaScan) dest() []any {
	r := &s.r
	return []any{&r.ID, &r.Sequence, &r.State, &r.Scope, &s.digest, &s.previous, &r.File, &r.Count,
		store.ScanTime(&r.PreparedAt), &r.PreparedBy, store.ScanTime(&r.SentAt), &r.How,
		store.ScanTime(&r.ResultAt), &s.reasons, &r.Total, &r.Code}
}

func (s *remessaScan) done() (certifier.Remessa, error) {
	copy(s.r.Digest[:], s.digest)
	copy(s.r.Previous[:], s.previous)
	return s.r, json.Unmarshal([]byte(s.reasons), &s.r.Reasons)
}

// InsertRemessa implements certifier.Tx.
func (tx *Tx) InsertRemessa(ctx context.Context, r certifier.Remessa) (id int64, err error) {
	reasons, err := json.Marshal(r.Reasons)
	if err != nil {
		return 0, fmt.Errorf("encode reasons: %w", err)
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO remessa (sequence, state, scope, digest, previous, file, count,
			prepared_at, prepared_by, sent_at, how, result_at, reasons, total, code)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		r.Sequence, r.State, r.Scope, r.Digest[:], r.Previous[:], r.File, r.Count,
		r.PreparedAt, r.PreparedBy, r.SentAt, r.How, r.ResultAt, string(reasons), r.Total, r.Code).Scan(&id)
	if errors.Is(err, store.ErrUnique) {
		return 0, fault.New(fault.Conflict, "remessa.outstanding",
			"numero", fmt.Sprint(r.Sequence), "estado", string(r.State)).Because(err)
	}
	return id, err
}

// UpdateRemessa implements certifier.Tx.
func (tx *Tx) UpdateRemessa(ctx context.Context, r certifier.Remessa, from certifier.RemessaState) error {
	reasons, err := json.Marshal(r.Reasons)
	if err != nil {
		return fmt.Errorf("encode reasons: %w", err)
	}
	n, err := tx.Exec(ctx, `
		UPDATE remessa SET state = ?, sent_at = ?, how = ?, result_at = ?, reasons = ?, total = ?, code = ?
		WHERE id = ? AND state = ?`,
		r.State, r.SentAt, r.How, r.ResultAt, string(reasons), r.Total, r.Code, r.ID, from)
	if err != nil {
		return err
	}
	if n != 1 {
		return fault.New(fault.Conflict, "remessa.state_changed", "numero", fmt.Sprint(r.Sequence))
	}
	return nil
}

// ListRemessas implements certifier.Tx.
func (tx *Tx) ListRemessas(ctx context.Context, limit int) ([]certifier.Remessa, error) {
	if limit <= 0 {
		limit = -1
	}
	rows, err := tx.Query(ctx, `SELECT `+remessaColumns+` FROM remessa m ORDER BY m.id DESC LIMIT ?`, limit)
	return collect(rows, err, func(rows *store.Rows) (certifier.Remessa, error) {
		var s remessaScan
		if err := rows.Scan(s.dest()...); err != nil {
			return s.r, err
		}
		return s.done()
	})
}

// RemessasOf implements certifier.Tx.
func (tx *Tx) RemessasOf(ctx context.Context, record certificate.ID) ([]certifier.Carried, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+remessaColumns+`, i.number, i.hash FROM remessa_item i JOIN remessa m ON m.id = i.remessa
		WHERE i.record = ? ORDER BY i.remessa`, record)
	return collect(rows, err, func(rows *store.Rows) (certifier.Carried, error) {
		var s remessaScan
		var c certifier.Carried
		var hash []byte
		if err := rows.Scan(append(s.dest(), &c.Number, &hash)...); err != nil {
			return c, err
		}
		copy(c.Hash[:], hash)
		var err error
		c.Remessa, err = s.done()
		return c, err
	})
}
