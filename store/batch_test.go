package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"

	"selo/store"
	"selo/store/storetest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

var modelColumns = []string{"id", "brand", "name", "imported", "at"}

// modelRow uses one slice again and again, as callers may.
func modelRow() func(i int) []any {
	row := make([]any, 5)
	return func(i int) []any {
		row[0], row[1], row[2], row[3], row[4] = i, "marca", fmt.Sprint("modelo ", i), i%2 == 0, start
		return row
	}
}

func TestBatchInsert(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx, db := t.Context(), e.Open(t, counterSet)
		for _, n := range []int{0, 1, 2, 63, 64, 65, 513, 3001} {
			for _, suffix := range []string{"", "ON CONFLICT DO NOTHING"} {
				must(t, db.Write(ctx, func(tx *store.Tx) error {
					_, err := tx.Exec(ctx, `DELETE FROM model`)
					must(t, err)
					if n > 2 && suffix != "" {
						must(t, insertModel(ctx, tx, 2, "outra", "x"))
					}
					got, err := tx.BatchInsert(ctx, "model", modelColumns, modelRow(), n, suffix)
					want := int64(n)
					if n > 2 && suffix != "" {
						want--
					}
					if got != want {
						t.Errorf("n=%d %s: inserted %d, want %d", n, suffix, got, want)
					}
					return err
				}))
				if got := countModels(t, db); got != n {
					t.Errorf("n=%d %s: %d rows", n, suffix, got)
				}
			}
		}
		must(t, db.Read(ctx, func(tx *store.Tx) error {
			var name string
			err := tx.QueryRow(ctx, `SELECT name FROM model WHERE id = 2999 AND NOT imported AND at = ?`, start).Scan(&name)
			if name != "modelo 2999" {
				t.Errorf("name is %q", name)
			}
			return err
		}))
	})
}

func TestBatchInsertIsPartOfTheTransaction(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx, db := t.Context(), e.Open(t, counterSet)
		err := db.Write(ctx, func(tx *store.Tx) error {
			must(t, insertModel(ctx, tx, 150, "outra", "x"))
			_, err := tx.BatchInsert(ctx, "model", modelColumns, modelRow(), 300, "")
			return err
		})
		if !errors.Is(err, store.ErrUnique) {
			t.Errorf("got %v, want ErrUnique", err)
		}
		if n := countModels(t, db); n != 0 {
			t.Errorf("%d rows were kept", n)
		}
	})
}

func TestInChunks(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx, db := t.Context(), e.Open(t, counterSet)
		must(t, db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.BatchInsert(ctx, "model", modelColumns, modelRow(), 1500, "")
			return err
		}))
		for _, n := range []int{0, 1, 7, 8, 9, 512, 513, 1300} {
			keys := make([]int, n)
			for i := range keys {
				keys[i] = i
			}
			var found []int
			must(t, db.Read(ctx, func(tx *store.Tx) error {
				return store.InChunks(keys, func(in string, args []any) error {
					rows, err := tx.Query(ctx, `SELECT id FROM model WHERE id IN (`+in+`)`, args...)
					if err != nil {
						return err
					}
					defer rows.Close()
					for rows.Next() {
						var id int
						must(t, rows.Scan(&id))
						found = append(found, id)
					}
					return rows.Err()
				})
			}))
			slices.Sort(found)
			if !slices.Equal(found, keys) {
				t.Errorf("%d keys: found %d", n, len(found))
			}
		}
	})
	stop := errors.New("stop")
	if err := store.InChunks([]string{"a"}, func(string, []any) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

const benchRows = 20_000

const insertModelText = `INSERT INTO model (id, brand, name, imported, at) VALUES ($1, $2, $3, $4, $5)`

// BenchmarkBatchInsert shows rows per second, beside a loop of inserts and
// beside the bare driver: a prepared loop on SQLite, COPY on PostgreSQL.
func BenchmarkBatchInsert(b *testing.B) {
	for _, e := range []*storetest.Engine{storetest.NewSQLite(b), storetest.NewPostgres(b)} {
		db, raw := e.Open(b, counterSet), e.Raw(b)
		ctx, cancel := context.WithCancel(context.Background()) // as a request's
		defer cancel()
		bench := func(name string, body func() error) {
			b.Run(string(e.Dialect)+"/"+name, func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					_, err := raw.ExecContext(ctx, `DELETE FROM model`)
					must(b, err)
					b.StartTimer()
					must(b, body())
				}
				b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
		bare := bareLoop
		if e.Dialect == store.Postgres {
			bare = bareCopy
		}
		bench("bare", func() error { return bare(ctx, raw) })
		bench("loop", func() error {
			return db.Write(ctx, func(tx *store.Tx) error {
				row := modelRow()
				for i := range benchRows {
					_, err := tx.Exec(ctx, `INSERT INTO model (id, brand, name, imported, at) VALUES (?, ?, ?, ?, ?)`, row(i)...)
					if err != nil {
						return err
					}
				}
				return nil
			})
		})
		for name, suffix := range map[string]string{"batch": "", "batch on conflict": "ON CONFLICT DO NOTHING"} {
			bench(name, func() error {
				return db.Write(ctx, func(tx *store.Tx) error {
					_, err := tx.BatchInsert(ctx, "model", modelColumns, modelRow(), benchRows, suffix)
					return err
				})
			})
		}
	}
}

func bareLoop(ctx context.Context, raw *sql.DB) error {
	tx, err := raw.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	st, err := tx.PrepareContext(ctx, insertModelText)
	if err != nil {
		return err
	}
	defer st.Close()
	for i := range benchRows {
		if _, err := st.ExecContext(ctx, i, "marca", fmt.Sprint("modelo ", i), i%2 == 0, start.UnixMicro()); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func bareCopy(ctx context.Context, raw *sql.DB) error {
	conn, err := raw.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(dc any) error {
		source := pgx.CopyFromSlice(benchRows, func(i int) ([]any, error) {
			return []any{i, "marca", fmt.Sprint("modelo ", i), i%2 == 0, start.UnixMicro()}, nil
		})
		_, err := dc.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{"model"}, modelColumns, source)
		return err
	})
}
