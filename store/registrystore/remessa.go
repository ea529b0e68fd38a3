package registrystore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"

	"selo/certificate"
	"selo/fault"
	"selo/registry"
	"selo/store"
)

const remessaColumns = `id, body, sequence, digest, previous, scope, certificates, companies, products, size,
	state, received_at, processed_at, applied, first_index, reasons, total_reasons`

// FindRemessa implements registry.Tx.
func (tx *Tx) FindRemessa(ctx context.Context, sigla certificate.Sigla, sequence int64) (registry.Remessa, bool, error) {
	r, err := scanRemessa(tx.QueryRow(ctx, `
		SELECT `+remessaColumns+` FROM remessa WHERE body = ? AND sequence = ?`, string(sigla), sequence))
	return r, err == nil, absent(err, fmt.Sprintf("find remessa %s %d", sigla, sequence))
}

// ListRemessas implements registry.Tx: the newest first, below a sequence when before > 0.
func (tx *Tx) ListRemessas(ctx context.Context, sigla certificate.Sigla, before int64, limit int) ([]registry.Remessa, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	rows, err := tx.Query(ctx, `
		SELECT `+remessaColumns+` FROM remessa WHERE body = ? AND sequence < ?
		ORDER BY sequence DESC LIMIT ?`, string(sigla), before, limit)
	return collect(rows, err, "list remessas", scanRemessa)
}

func scanRemessa(row scanner) (registry.Remessa, error) {
	var r registry.Remessa
	var digest, previous, reasons []byte
	var first sql.NullInt64
	err := row.Scan(&r.ID, &r.Body, &r.Sequence, &digest, &previous, &r.Scope, &r.Counts.Certificates,
		&r.Counts.Companies, &r.Counts.Products, &r.Size, &r.State, store.ScanTime(&r.ReceivedAt),
		store.ScanTime(&r.ProcessedAt), &r.Applied, &first, &reasons, &r.Total)
	if err != nil {
		return r, err
	}
	copy(r.Digest[:], digest)
	copy(r.Previous[:], previous)
	r.FirstIndex = first.Int64
	return r, json.Unmarshal(reasons, &r.Reasons)
}

// InsertRemessa implements registry.Tx.
func (tx *Tx) InsertRemessa(ctx context.Context, r registry.Remessa) (id int64, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO remessa (body, sequence, digest, previous, scope, certificates, companies, products, size, state, received_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		string(r.Body), r.Sequence, r.Digest[:], r.Previous[:], string(r.Scope), r.Counts.Certificates,
		r.Counts.Companies, r.Counts.Products, r.Size, string(r.State), r.ReceivedAt).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("insert remessa %s %d: %w", r.Body, r.Sequence, err)
	}
	return id, nil
}

// FinishRemessa implements registry.Tx.
func (tx *Tx) FinishRemessa(ctx context.Context, r registry.Remessa) error {
	reasons := []byte("[]")
	if len(r.Reasons) > 0 {
		var err error
		if reasons, err = json.Marshal(r.Reasons); err != nil {
			return fmt.Errorf("encode reasons of remessa %s %d: %w", r.Body, r.Sequence, err)
		}
	}
	first := sql.NullInt64{Int64: r.FirstIndex, Valid: r.State == registry.Confirmed}
	n, err := tx.Exec(ctx, `
		UPDATE remessa SET state = ?, processed_at = ?, applied = ?, first_index = ?, reasons = ?, total_reasons = ?
		WHERE id = ? AND state = ?`, string(r.State), r.ProcessedAt, r.Applied, first, string(reasons), r.Total,
		r.ID, string(registry.Received))
	if err != nil {
		return fmt.Errorf("finish remessa %s %d: %w", r.Body, r.Sequence, err)
	}
	if n != 1 {
		return fault.New(fault.Conflict, "remessa.state_changed")
	}
	return tx.tellPlanner(ctx, r.Applied)
}

// manyRows is how many new rows make old statistics worthless.
const manyRows = 10_000

// tellPlanner lets PostgreSQL know at once how large the tables have become: the
// publication that follows would be planned as if they were as before.
func (tx *Tx) tellPlanner(ctx context.Context, applied int64) error {
	if tx.Dialect() != store.Postgres || applied < manyRows {
		return nil
	}
	for _, table := range []string{"revision", "record"} {
		if _, err := tx.Exec(ctx, "ANALYZE "+table); err != nil {
			return fmt.Errorf("analyse %s: %w", table, err)
		}
	}
	return nil
}

// InsertPiece implements registry.Tx.
func (tx *Tx) InsertPiece(ctx context.Context, remessaID int64, n int, data []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO remessa_piece (remessa_id, n, data) VALUES (?, ?, ?)`, remessaID, n, data)
	if err != nil {
		return fmt.Errorf("insert piece %d of remessa %d: %w", n, remessaID, err)
	}
	return nil
}

// Piece implements registry.Tx.
func (tx *Tx) Piece(ctx context.Context, remessaID int64, n int) (data []byte, err error) {
	err = tx.QueryRow(ctx, `SELECT data FROM remessa_piece WHERE remessa_id = ? AND n = ?`, remessaID, n).Scan(&data)
	if err != nil {
		return nil, fmt.Errorf("read piece %d of remessa %d: %w", n, remessaID, err)
	}
	return data, nil
}

// CountRemessas implements registry.Tx.
func (tx *Tx) CountRemessas(ctx context.Context) (map[registry.State]int64, error) {
	counts := map[registry.State]int64{}
	rows, err := tx.Query(ctx, `SELECT state, count(*) FROM remessa GROUP BY state`)
	err = each(rows, err, func() error {
		var state registry.State
		var n int64
		if err := rows.Scan(&state, &n); err != nil {
			return err
		}
		counts[state] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count remessas: %w", err)
	}
	return counts, nil
}

// CountJobs implements registry.Tx.
func (tx *Tx) CountJobs(ctx context.Context) (n int64, err error) {
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM job WHERE state IN ('queued', 'running')`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count jobs: %w", err)
	}
	return n, nil
}
