package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"selo/fault"
	"selo/job"
)

// maxReason bounds the kept text of an error, in bytes.
const maxReason = 4000

var (
	_ job.DB = (*DB)(nil)
	_ job.Tx = (*Tx)(nil)
)

// WriteJobs is [DB.Write] for package job.
func (db *DB) WriteJobs(ctx context.Context, body func(job.Tx) error) error {
	return db.Write(ctx, func(tx *Tx) error { return body(tx) })
}

// ReadJobs is [DB.Read] for package job.
func (db *DB) ReadJobs(ctx context.Context, body func(job.Tx) error) error {
	return db.Read(ctx, func(tx *Tx) error { return body(tx) })
}

// EnqueueJob adds a job that exists when the transaction commits. A job whose
// key is taken by an unfinished one of its kind is left out.
func (tx *Tx) EnqueueJob(ctx context.Context, j job.Job) error {
	args := j.Args
	if args == nil {
		args = []byte("{}")
	}
	if !json.Valid(args) {
		return fmt.Errorf("enqueue job %s %s: arguments are not JSON", j.Kind, j.Key)
	}
	at := j.RunAt
	if at.IsZero() {
		at = tx.now
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO job (kind, job_key, args, state, run_at, created_at, updated_at)
		VALUES (?, ?, ?, 'queued', ?, ?, ?)
		ON CONFLICT (kind, job_key) WHERE job_key <> '' AND state IN ('queued', 'running') DO NOTHING`,
		j.Kind, j.Key, string(args), at, tx.now, tx.now)
	if err != nil {
		return fmt.Errorf("enqueue job %s %s: %w", j.Kind, j.Key, err)
	}
	tx.enqueued = true
	return nil
}

// NextJobAt is when the next job of these kinds may be claimed; zero is never.
func (tx *Tx) NextJobAt(ctx context.Context, kinds []string) (time.Time, error) {
	var next time.Time
	for _, query := range []string{
		`SELECT run_at FROM job WHERE state = 'queued' AND kind IN (` + placeholders(len(kinds)) + `)
		 ORDER BY run_at, id LIMIT 1`,
		`SELECT lease_until FROM job WHERE state = 'running' AND kind IN (` + placeholders(len(kinds)) + `)
		 ORDER BY lease_until, id LIMIT 1`,
	} {
		var at time.Time
		err := tx.QueryRow(ctx, query, anys(kinds)...).Scan(ScanTime(&at))
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return time.Time{}, fmt.Errorf("find next job: %w", err)
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next, nil
}

// ClaimJobs leases up to w.Limit jobs: those whose lease ran out, then those due.
func (tx *Tx) ClaimJobs(ctx context.Context, w job.Want) ([]job.Claim, error) {
	expired := `state = 'running' AND lease_until <= ?`
	args := []any{tx.now}
	if len(w.Except) > 0 {
		expired += ` AND id NOT IN (` + placeholders(len(w.Except)) + `)`
		args = append(args, anys(w.Except)...)
	}
	claims, err := tx.claimWhere(ctx, w, expired, "lease_until", args, w.Limit)
	if err == nil && len(claims) < w.Limit {
		var due []job.Claim
		due, err = tx.claimWhere(ctx, w, `state = 'queued' AND run_at <= ?`, "run_at", []any{tx.now}, w.Limit-len(claims))
		claims = append(claims, due...)
	}
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	return claims, nil
}

func (tx *Tx) claimWhere(ctx context.Context, w job.Want, where, order string, args []any, limit int) ([]job.Claim, error) {
	where += ` AND kind IN (` + placeholders(len(w.Kinds)) + `)`
	args = append([]any{w.Token, w.Until, tx.now}, args...)
	args = append(append(args, anys(w.Kinds)...), limit)
	text := claimSQLite(where, order)
	if tx.db.dialect == Postgres {
		text = claimPostgres(where, order)
	}
	rows, err := tx.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var claims []job.Claim
	for rows.Next() {
		c := job.Claim{Token: w.Token}
		var data string
		err := rows.Scan(&c.ID, &c.Job.Kind, &c.Job.Key, &data, ScanTime(&c.Job.RunAt), &c.Attempt, &c.LastError)
		if err != nil {
			return nil, err
		}
		c.Job.Args = []byte(data)
		claims = append(claims, c)
	}
	slices.SortFunc(claims, func(a, b job.Claim) int {
		return cmp.Or(a.Job.RunAt.Compare(b.Job.RunAt), cmp.Compare(a.ID, b.ID))
	})
	return claims, rows.Err()
}

// claimSQLite needs no row locks: its transaction is the only writer.
func claimSQLite(where, order string) string {
	return `
		UPDATE job SET state = 'running', token = ?, lease_until = ?, attempts = attempts + 1, updated_at = ?
		WHERE id IN (SELECT id FROM job WHERE ` + where + ` ORDER BY ` + order + `, id LIMIT ?)
		RETURNING id, kind, job_key, args, run_at, attempts, last_error`
}

// claimPostgres passes by the rows that other runners are claiming. The binds
// come in the order of claimSQLite.
func claimPostgres(where, order string) string {
	return `
		WITH terms AS (SELECT ?::text AS token, ?::bigint AS lease_until, ?::bigint AS updated_at),
		due AS MATERIALIZED (
			SELECT id FROM job WHERE ` + where + ` ORDER BY ` + order + `, id LIMIT ?
			FOR UPDATE SKIP LOCKED)
		UPDATE job SET state = 'running', token = terms.token, lease_until = terms.lease_until,
			attempts = attempts + 1, updated_at = terms.updated_at
		FROM terms, due WHERE job.id = due.id
		RETURNING job.id, kind, job_key, args, run_at, attempts, last_error`
}

// KeepJob renews the lease.
func (tx *Tx) KeepJob(ctx context.Context, id job.ID, token string, until time.Time) error {
	return tx.moveJob(ctx, id, token, "keep", `lease_until = ?`, until)
}

// CompleteJob ends the job as done.
func (tx *Tx) CompleteJob(ctx context.Context, id job.ID, token string) error {
	return tx.moveJob(ctx, id, token, "complete", `state = 'done', lease_until = NULL`)
}

// RetryJob queues the job again for the time at; reason is for people to read.
func (tx *Tx) RetryJob(ctx context.Context, id job.ID, token string, at time.Time, reason string) error {
	return tx.moveJob(ctx, id, token, "retry",
		`state = 'queued', lease_until = NULL, run_at = ?, last_error = ?`, at, cleanReason(reason))
}

// FailJob gives the job up.
func (tx *Tx) FailJob(ctx context.Context, id job.ID, token string, reason string) error {
	return tx.moveJob(ctx, id, token, "fail",
		`state = 'failed', lease_until = NULL, last_error = ?`, cleanReason(reason))
}

// moveJob changes a job that is still running under the token.
func (tx *Tx) moveJob(ctx context.Context, id job.ID, token, verb, set string, args ...any) error {
	args = append(args, tx.now, id, token)
	n, err := tx.Exec(ctx, `UPDATE job SET `+set+`, updated_at = ?
		WHERE id = ? AND token = ? AND state = 'running'`, args...)
	if err != nil {
		return fmt.Errorf("%s job %d: %w", verb, id, err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "job.lease_lost")
	}
	return nil
}

// ListJobs returns at most limit jobs in the state, the latest changed first.
func (tx *Tx) ListJobs(ctx context.Context, s job.State, limit int) ([]job.Record, error) {
	rows, err := tx.Query(ctx, `
		SELECT id, kind, job_key, args, run_at, state, attempts, last_error, created_at, updated_at
		FROM job WHERE state = ? ORDER BY updated_at DESC, id DESC LIMIT ?`, s, limit)
	if err != nil {
		return nil, fmt.Errorf("list %s jobs: %w", s, err)
	}
	defer rows.Close()
	var records []job.Record
	for rows.Next() {
		var r job.Record
		var args string
		err := rows.Scan(&r.ID, &r.Kind, &r.Key, &args, ScanTime(&r.RunAt), &r.State, &r.Attempts,
			&r.LastError, ScanTime(&r.CreatedAt), ScanTime(&r.UpdatedAt))
		if err != nil {
			return nil, fmt.Errorf("list %s jobs: %w", s, err)
		}
		r.Args = []byte(args)
		records = append(records, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list %s jobs: %w", s, err)
	}
	return records, nil
}

// RequeueJob gives a failed job a new series of attempts, starting now. It
// returns fault.Conflict "job.not_failed" when the job is not failed, or
// "job.key_taken" when an unfinished job has its key.
func (tx *Tx) RequeueJob(ctx context.Context, id job.ID) error {
	var taken int
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*) FROM job AS other JOIN job AS this
			ON other.kind = this.kind AND other.job_key = this.job_key AND other.id <> this.id
		WHERE this.id = ? AND this.job_key <> '' AND other.state IN ('queued', 'running')`, id).Scan(&taken)
	if err != nil {
		return fmt.Errorf("requeue job %d: %w", id, err)
	}
	if taken > 0 {
		return fault.New(fault.Conflict, "job.key_taken")
	}
	n, err := tx.Exec(ctx, `
		UPDATE job SET state = 'queued', attempts = 0, run_at = ?, updated_at = ?
		WHERE id = ? AND state = 'failed'`, tx.now, tx.now, id)
	if errors.Is(err, ErrUnique) {
		return fault.New(fault.Conflict, "job.key_taken").Because(err)
	}
	if err != nil {
		return fmt.Errorf("requeue job %d: %w", id, err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "job.not_failed")
	}
	tx.enqueued = true
	return nil
}

// PruneJobs forgets the done jobs that ended before the moment and returns how many.
func (tx *Tx) PruneJobs(ctx context.Context, before time.Time) (int64, error) {
	n, err := tx.Exec(ctx, `DELETE FROM job WHERE state = 'done' AND updated_at < ?`, before)
	if err != nil {
		return 0, fmt.Errorf("prune jobs: %w", err)
	}
	return n, nil
}

// cleanReason makes any text fit for both engines: valid UTF-8, no NUL, bounded.
func cleanReason(s string) string {
	s = s[:min(len(s), maxReason)]
	return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
}

func anys[T any](in []T) []any {
	out := make([]any, len(in))
	for i, v := range in {
		out[i] = v
	}
	return out
}
