package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"selo/fault"
)

// maxAttempts bounds how often a transaction that lost a race is run again.
const maxAttempts = 10

var errOpenRows = errors.New("store: the rows of an earlier query are still open")

// Tx is a transaction. It belongs to one goroutine and ends with the function
// it was given to. On both engines a failed statement ends it: later calls give
// the same error and nothing is committed, even when the error was dropped.
type Tx struct {
	db       *DB
	s        *session
	now      time.Time
	write    bool
	failed   error // first failure of the engine
	rows     *Rows // open result
	enqueued bool
}

// Write runs body in a read-write transaction and commits when it returns nil.
//
// The body may run again from the start when it loses a race with another
// transaction, so it must touch nothing but tx. On SQLite writers take turns;
// on PostgreSQL they run side by side in READ COMMITTED.
//
// It returns body's error, or the faults of [Open], "store.read_only",
// "store.full" or "store.disk". A commit whose answer was lost holds
// [ErrOutcomeUnknown].
func (db *DB) Write(ctx context.Context, body func(tx *Tx) error) error {
	if db.writers == nil {
		return db.unavailable("store.read_only", nil)
	}
	return db.run(ctx, true, body)
}

// Read runs body on one unchanging picture of the base, beside any writer.
// It should not last minutes: SQLite's log cannot be folded meanwhile.
func (db *DB) Read(ctx context.Context, body func(tx *Tx) error) error {
	return db.run(ctx, false, body)
}

func (db *DB) run(ctx context.Context, write bool, body func(tx *Tx) error) error {
	for attempt := 1; ; attempt++ {
		tx := &Tx{db: db, write: write}
		err := tx.once(ctx, body)
		if err == nil {
			if tx.enqueued {
				db.wake()
			}
			return nil
		}
		limit := retryLimit(tx.failed)
		if attempt >= limit || !pause(ctx, attempt) {
			return err
		}
	}
}

// pause waits 1, 2, 4 … at most 128 ms, give or take half, and tells whether to go on.
func pause(ctx context.Context, attempt int) bool {
	d := time.Millisecond << min(attempt-1, 7)
	d = d/2 + rand.N(d) //nolint:gosec // spreads retries, keeps no secret
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (db *DB) wake() {
	db.hooksMu.RLock()
	defer db.hooksMu.RUnlock()
	for _, f := range db.hooks {
		f()
	}
}

// once runs the transaction one time. tx.failed tells what the engine said.
func (tx *Tx) once(ctx context.Context, body func(tx *Tx) error) error {
	p := tx.db.readers
	if tx.write {
		p = tx.db.writers
	}
	s, err := p.acquire(ctx)
	if err != nil {
		return tx.fail(err)
	}
	tx.s = s
	done := false
	defer func() {
		broken := false
		if !done {
			broken = tx.rollback(ctx)
		}
		p.release(s, broken)
		tx.s = nil
	}()
	if err := tx.begin(ctx); err != nil {
		return err
	}
	tx.now = tx.db.clock.Now()
	if err := body(tx); err != nil {
		return err
	}
	if err := tx.commit(ctx); err != nil {
		return err
	}
	done = true
	return nil
}

func (tx *Tx) begin(ctx context.Context) error {
	err := tx.db.intercept(ctx, "begin")
	if err == nil {
		if tx.db.dialect == Postgres {
			err = tx.s.beginPostgres(ctx, tx.write)
		} else {
			err = tx.s.beginSQLite(ctx, tx.write)
		}
	}
	return tx.fail(err)
}

func (tx *Tx) commit(ctx context.Context) error {
	if tx.failed != nil {
		return tx.fail(tx.failed)
	}
	if tx.rows != nil {
		return errOpenRows
	}
	if err := ctx.Err(); err != nil {
		return err // nobody waits for the answer any more: nothing is changed
	}
	if err := tx.db.intercept(ctx, "commit"); err != nil {
		return tx.fail(err)
	}
	// Once sent, a commit is not cancelled: its outcome would be unknown for nothing.
	ctx = context.WithoutCancel(ctx)
	if tx.db.dialect == SQLite {
		return tx.fail(tx.s.commitSQLite(ctx))
	}
	err := tx.s.commitPostgres(ctx)
	if err != nil && tx.write && connectionLost(err) {
		err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	return tx.fail(err)
}

// rollback tells whether the connection must be thrown away.
func (tx *Tx) rollback(ctx context.Context) (broken bool) {
	if tx.rows != nil {
		_ = tx.rows.Close() // its error cannot matter to what is undone
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, err := tx.s.exec(ctx, "ROLLBACK", nil)
	if err != nil && tx.db.dialect == SQLite && sqliteCode(err) == sqliteError {
		// "no transaction is active": the engine has rolled back by itself.
		return false
	}
	return err != nil
}

// fail remembers the engine's first error and gives what the caller sees.
func (tx *Tx) fail(err error) error {
	if err == nil {
		return nil
	}
	if tx.failed == nil {
		tx.failed = err
	}
	return tx.db.translate(err)
}

// Now is the time of the transaction: the same for all it does.
func (tx *Tx) Now() time.Time { return tx.now }

// Dialect tells the engine, for the few statements that truly differ.
func (tx *Tx) Dialect() Dialect { return tx.db.dialect }

// Exec runs a statement with ? binds and returns the number of rows it changed.
// A time.Time is bound as a [Time]. A broken unique rule is [ErrUnique]. A
// cancelled ctx ends the transaction, in SQLite's writer after the statement at work.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := tx.ready(ctx, "exec"); err != nil {
		return 0, err
	}
	res, err := tx.s.exec(tx.during(ctx), tx.db.rebind(query), bindAll(args))
	if err != nil {
		return 0, tx.fail(err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, tx.fail(err)
	}
	return n, nil
}

// Query runs a statement that gives rows. They must be read to the end or
// closed before the transaction is used again.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	if err := tx.ready(ctx, "query"); err != nil {
		return nil, err
	}
	rows, err := tx.s.query(tx.during(ctx), tx.db.rebind(query), bindAll(args)) //nolint:rowserrcheck // the caller reads them: Rows.Err
	if err != nil {
		return nil, tx.fail(err)
	}
	tx.rows = &Rows{rows: rows, tx: tx}
	return tx.rows, nil
}

// QueryRow runs a statement for its first row; errors wait for Scan.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *Row {
	rows, err := tx.Query(ctx, query, args...)
	return &Row{rows: rows, err: err}
}

// ready is asked before each statement.
func (tx *Tx) ready(ctx context.Context, op string) error {
	switch {
	case tx.s == nil:
		return sql.ErrTxDone
	case tx.failed != nil:
		return tx.fail(tx.failed)
	case tx.rows != nil:
		return errOpenRows
	}
	err := ctx.Err()
	if err == nil {
		err = tx.db.intercept(ctx, op)
	}
	return tx.fail(err)
}

// during is the context of one statement. A SQLite writer looks at ctx between
// statements only: watching it costs as much as inserting a row.
func (tx *Tx) during(ctx context.Context) context.Context {
	if tx.write && tx.db.dialect == SQLite {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// Rows is the result of [Tx.Query].
type Rows struct {
	rows *sql.Rows
	tx   *Tx
}

// Next goes to the next row; after the last it closes the result.
func (r *Rows) Next() bool {
	if r.rows.Next() {
		return true
	}
	_ = r.Close() // Err tells
	return false
}

// Scan copies the columns of the row; see [ScanTime] for times.
func (r *Rows) Scan(dest ...any) error { return r.rows.Scan(dest...) }

// Err is the error that ended the result early, if any.
func (r *Rows) Err() error { return r.tx.fail(r.rows.Err()) }

// Close ends the result. Closing twice is no error.
func (r *Rows) Close() error {
	if r.tx.rows == r {
		r.tx.rows = nil
	}
	return r.rows.Close()
}

// Row is the result of [Tx.QueryRow].
type Row struct {
	rows *Rows
	err  error
}

// Scan copies the first row, or returns an error that holds sql.ErrNoRows.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	return r.rows.Close()
}

// unavailable makes the fault of a base that cannot serve now.
func (db *DB) unavailable(key string, cause error) error {
	return fault.New(fault.Unavailable, key, "base", db.name).Because(cause)
}
