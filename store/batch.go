package store

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

const (
	maxBinds    = 32000 // SQLite's limit is 32,766, PostgreSQL's 65,535
	copyFrom    = 64    // rows from which COPY beats its extra round trips
	inMinimum   = 8     // smallest padded size of an IN list
	inMaximum   = 512   // largest
	batchSQLite = 128   // rows of one statement; more gains nothing (see BenchmarkBatchInsert)
	batchPG     = 512
)

// BatchInsert inserts n rows, rows(0) … rows(n-1), each with a value for every
// column, and returns how many were inserted. suffix may hold what follows
// VALUES, such as "ON CONFLICT DO NOTHING". A slice that rows returns may be
// used again by its next call.
//
// It is one statement for many rows, and COPY on PostgreSQL when suffix is
// empty. Errors are those of [Tx.Exec].
func (tx *Tx) BatchInsert(ctx context.Context, table string, columns []string, rows func(i int) []any, n int, suffix string) (int64, error) {
	if n == 0 {
		return 0, nil
	}
	if tx.db.dialect == Postgres && suffix == "" && n >= copyFrom {
		return tx.copyIn(ctx, table, columns, rows, n)
	}
	size := batchSQLite
	if tx.db.dialect == Postgres {
		size = batchPG
	}
	for size > 1 && size*len(columns) > maxBinds {
		size /= 2
	}
	var inserted int64
	args := make([]any, 0, min(size, n)*len(columns))
	text := ""
	for done := 0; done < n; done += size {
		// What is left goes in powers of two, so that few texts are ever prepared.
		for size > n-done {
			size, text = size/2, ""
		}
		if text == "" {
			text = insertText(table, columns, size, suffix)
		}
		args = args[:0]
		for i := done; i < done+size; i++ {
			for _, v := range rows(i) {
				args = append(args, bind(v))
			}
		}
		count, err := tx.Exec(ctx, text, args...)
		if err != nil {
			return 0, err
		}
		inserted += count
	}
	return inserted, nil
}

func insertText(table string, columns []string, rows int, suffix string) string {
	row := "(" + placeholders(len(columns)) + ")"
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES ")
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(row)
	}
	if suffix != "" {
		b.WriteString(" " + suffix)
	}
	return b.String()
}

// copyIn streams the rows with COPY on the connection that holds the transaction.
func (tx *Tx) copyIn(ctx context.Context, table string, columns []string, rows func(i int) []any, n int) (int64, error) {
	if err := tx.ready(ctx, "exec"); err != nil {
		return 0, err
	}
	source := &copySource{rows: rows, n: n}
	var count int64
	err := tx.s.raw(func(c *pgx.Conn) error {
		var err error
		count, err = c.CopyFrom(ctx, strings.Split(table, "."), columns, source)
		return err
	})
	return count, tx.fail(err)
}

// copySource implements pgx.CopyFromSource.
type copySource struct {
	rows func(i int) []any
	n, i int
}

func (s *copySource) Next() bool { s.i++; return s.i <= s.n }
func (s *copySource) Err() error { return nil }
func (s *copySource) Values() ([]any, error) {
	return bindAll(s.rows(s.i - 1)), nil
}

// InChunks calls f for parts of keys with the binds of an IN list and its
// arguments: "… WHERE id IN ("+in+")". Lists come in few lengths, the last one
// filled up by repeating a key, so that statements stay prepared; a query that
// counts rows is right, one that counts keys is not. f stops it with an error.
func InChunks[K any](keys []K, f func(in string, args []any) error) error {
	for len(keys) > 0 {
		size := inMinimum
		for size < len(keys) && size < inMaximum {
			size *= 4
		}
		size = min(size, inMaximum)
		part := keys[:min(size, len(keys))]
		keys = keys[len(part):]
		args := make([]any, size)
		for i := range args {
			args[i] = bind(any(part[min(i, len(part)-1)]))
		}
		if err := f(placeholders(size), args); err != nil {
			return err
		}
	}
	return nil
}

// placeholders is "?,?,…" with n binds.
func placeholders(n int) string {
	return strings.TrimSuffix(strings.Repeat("?,", n), ",")
}
