package store_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"selo/audit"
	"selo/clock"
	"selo/fault"
	"selo/store"
	"selo/store/storetest"
)

var start = time.Date(2025, 3, 1, 12, 0, 0, 123456000, time.UTC)

// counterSet is a small room: a counter and a table with a two-column rule.
var counterSet = store.MigrationSet{Name: "contador", FS: fstest.MapFS{
	"sqlite/00001_begin.sql":   {Data: []byte(strings.ReplaceAll(counterSchema, "BIGINT", "INTEGER"))},
	"postgres/00001_begin.sql": {Data: []byte(counterSchema)},
}}

const counterSchema = `-- +goose Up
CREATE TABLE counter (id BIGINT PRIMARY KEY, n BIGINT NOT NULL);
CREATE TABLE model (
	id BIGINT PRIMARY KEY, brand TEXT NOT NULL, name TEXT NOT NULL,
	imported BOOLEAN NOT NULL, at BIGINT);
CREATE UNIQUE INDEX model_brand_name ON model (brand, name);
CREATE UNIQUE INDEX model_lower ON model (lower(brand)) WHERE name = 'linha';
`

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKey(t *testing.T, err error, kind fault.Kind, key string) {
	t.Helper()
	if !fault.HasKey(err, key) || !fault.Is(err, kind) {
		t.Fatalf("error is %v, want %s %s", err, kind, key)
	}
}

func insertModel(ctx context.Context, tx *store.Tx, id int, brand, name string) error {
	_, err := tx.Exec(ctx, `INSERT INTO model (id, brand, name, imported, at) VALUES (?, ?, ?, ?, ?)`,
		id, brand, name, true, tx.Now())
	return err
}

func countModels(t *testing.T, db *store.DB) (n int) {
	t.Helper()
	must(t, db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM model`).Scan(&n)
	}))
	return n
}

func TestWriteThenRead(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx, now := t.Context(), clock.NewManual(start)
		db := e.OpenWith(t, store.Options{Clock: now, Migrations: []store.MigrationSet{counterSet}})
		must(t, db.Write(ctx, func(tx *store.Tx) error {
			now.Advance(time.Hour) // the transaction's time stands still
			if !tx.Now().Equal(start) {
				t.Errorf("transaction's time is %v, want %v", tx.Now(), start)
			}
			return insertModel(ctx, tx, 1, "Lâmpada d'água", `é "isto"?`)
		}))
		must(t, db.Read(ctx, func(tx *store.Tx) error {
			var name string
			var imported bool
			var at time.Time
			err := tx.QueryRow(ctx, `SELECT name, imported, at FROM model WHERE brand = ? AND name <> '?' -- why?
				AND at = ? /* ? */`, "Lâmpada d'água", start).Scan(&name, &imported, store.ScanTime(&at))
			if name != `é "isto"?` || !imported || !at.Equal(start) || at.Location() != time.UTC {
				t.Errorf("got %q %v %v", name, imported, at)
			}
			return err
		}))
		err := db.Read(ctx, func(tx *store.Tx) error {
			return tx.QueryRow(ctx, `SELECT id FROM model WHERE id = ?`, 99).Scan(new(int))
		})
		if !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("missing row: %v, want sql.ErrNoRows", err)
		}
	})
}

func TestZeroTimeIsNull(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx, db := t.Context(), e.Open(t, counterSet)
		must(t, db.Write(ctx, func(tx *store.Tx) error {
			args := []any{1, "a", "b", false, time.Time{}}
			_, err := tx.Exec(ctx, `INSERT INTO model (id, brand, name, imported, at) VALUES (?, ?, ?, ?, ?)`, args...)
			if _, ok := args[4].(time.Time); !ok {
				t.Error("the caller's arguments were changed")
			}
			return err
		}))
		must(t, db.Read(ctx, func(tx *store.Tx) error {
			at := store.Time{Time: start}
			err := tx.QueryRow(ctx, `SELECT at FROM model WHERE at IS NULL`).Scan(&at)
			if !at.IsZero() {
				t.Errorf("at = %v, want the zero time", at)
			}
			return err
		}))
	})
}

func TestErrorRollsBack(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx, db := t.Context(), e.Open(t, counterSet)
		refused := errors.New("refused")
		err := db.Write(ctx, func(tx *store.Tx) error {
			must(t, insertModel(ctx, tx, 1, "a", "b"))
			return refused
		})
		if !errors.Is(err, refused) {
			t.Fatalf("got %v", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = db.Write(ctx, func(tx *store.Tx) error {
				must(t, insertModel(ctx, tx, 1, "a", "b"))
				panic("broken body")
			})
		}()
		cancelled, cancel := context.WithCancel(ctx)
		err = db.Write(cancelled, func(tx *store.Tx) error {
			must(t, insertModel(ctx, tx, 1, "a", "b"))
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("cancelled: %v", err)
		}
		if n := countModels(t, db); n != 0 {
			t.Fatalf("%d rows were kept", n)
		}
	})
}

// A body that drops the error of a statement must not commit on one engine and
// be rolled back on the other.
func TestFailedStatementEndsTheTransaction(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx, db := t.Context(), e.Open(t, counterSet)
		err := db.Write(ctx, func(tx *store.Tx) error {
			must(t, insertModel(ctx, tx, 1, "a", "b"))
			_ = insertModel(ctx, tx, 2, "a", "b")
			if err := insertModel(ctx, tx, 3, "c", "d"); !errors.Is(err, store.ErrUnique) {
				t.Errorf("statement after a failed one: %v", err)
			}
			return nil
		})
		if !errors.Is(err, store.ErrUnique) {
			t.Errorf("commit after a failed statement: %v", err)
		}
		if n := countModels(t, db); n != 0 {
			t.Errorf("%d rows were kept", n)
		}
	})
}

func TestUniqueError(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx, db := t.Context(), e.Open(t, counterSet)
		must(t, db.Write(ctx, func(tx *store.Tx) error {
			must(t, insertModel(ctx, tx, 1, "a", "b"))
			return insertModel(ctx, tx, 10, "Q", "linha")
		}))
		for _, c := range []struct {
			id               int
			brand, name      string
			table, columns   string
			sqliteConstraint string
		}{
			{1, "x", "y", "model", "id", ""},
			{2, "a", "b", "model", "brand,name", ""},
			{3, "q", "linha", "", "", "model_lower"},
		} {
			err := db.Write(ctx, func(tx *store.Tx) error { return insertModel(ctx, tx, c.id, c.brand, c.name) })
			var u *store.UniqueError
			if !errors.As(err, &u) || !errors.Is(err, store.ErrUnique) {
				t.Fatalf("got %v", err)
			}
			columns := strings.Join(u.Columns, ",")
			if c.columns == "" {
				if u.Constraint != c.sqliteConstraint {
					t.Errorf("constraint %q, want %q", u.Constraint, c.sqliteConstraint)
				}
			} else if u.Table != c.table || columns != c.columns {
				t.Errorf("got %s(%s), want %s(%s)", u.Table, columns, c.table, c.columns)
			}
		}
	})
}

func TestOpenRowsBlockTheTransaction(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx, db := t.Context(), e.Open(t, counterSet)
		must(t, db.Write(ctx, func(tx *store.Tx) error {
			must(t, insertModel(ctx, tx, 1, "a", "b"))
			return insertModel(ctx, tx, 2, "c", "d")
		}))
		must(t, db.Read(ctx, func(tx *store.Tx) error {
			rows, err := tx.Query(ctx, `SELECT id FROM model ORDER BY id`)
			must(t, err)
			if !rows.Next() {
				t.Fatal("no rows")
			}
			if _, err := tx.Query(ctx, `SELECT id FROM model`); err == nil {
				t.Error("a second query beside open rows was let through")
			}
			must(t, rows.Close())
			return tx.QueryRow(ctx, `SELECT id FROM model ORDER BY id`).Scan(new(int))
		}))
	})
}

func TestReadIsOnePicture(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx, db := t.Context(), e.Open(t, counterSet)
		count := func(tx *store.Tx) (n int) {
			must(t, tx.QueryRow(ctx, `SELECT COUNT(*) FROM model`).Scan(&n))
			return n
		}
		must(t, db.Read(ctx, func(tx *store.Tx) error {
			before := count(tx)
			must(t, db.Write(ctx, func(w *store.Tx) error { return insertModel(ctx, w, 1, "a", "b") }))
			if after := count(tx); after != before {
				t.Errorf("the picture changed from %d to %d rows", before, after)
			}
			return nil
		}))
		err := db.Read(ctx, func(tx *store.Tx) error { return insertModel(ctx, tx, 2, "c", "d") })
		wantKey(t, err, fault.Unavailable, "store.read_only")
	})
}

// Deferred transactions that read and then write lose most of these.
func TestReadThenWriteWithoutLoss(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		const workers, each = 8, 200
		ctx, db := t.Context(), e.Open(t, counterSet)
		other := e.Open(t, counterSet) // as another process would
		must(t, db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO counter (id, n) VALUES (1, 0)`)
			return err
		}))
		var wg sync.WaitGroup
		for w := range workers {
			mine := db
			if w%2 == 1 {
				mine = other
			}
			wg.Go(func() {
				for range each {
					if err := increment(ctx, mine); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		must(t, db.Read(ctx, func(tx *store.Tx) error {
			var n int
			err := tx.QueryRow(ctx, `SELECT n FROM counter WHERE id = 1`).Scan(&n)
			if n != workers*each {
				t.Errorf("counter is %d, want %d", n, workers*each)
			}
			return err
		}))
	})
}

// increment is a guarded update after a read; on PostgreSQL a lost race shows
// as no row changed, and is tried again.
func increment(ctx context.Context, db *store.DB) error {
	for {
		var changed int64
		err := db.Write(ctx, func(tx *store.Tx) error {
			var n int64
			if err := tx.QueryRow(ctx, `SELECT n FROM counter WHERE id = 1`).Scan(&n); err != nil {
				return err
			}
			var err error
			changed, err = tx.Exec(ctx, `UPDATE counter SET n = ? WHERE id = 1 AND n = ?`, n+1, n)
			return err
		})
		if err != nil || changed == 1 {
			return err
		}
	}
}

// Two transactions that take two rows in opposite orders: PostgreSQL kills one,
// which then runs again.
func TestDeadlockRunsAgain(t *testing.T) {
	t.Parallel()
	e := storetest.NewPostgres(t)
	ctx, db := t.Context(), e.Open(t, counterSet)
	must(t, db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO counter (id, n) VALUES (1, 0), (2, 0)`)
		return err
	}))
	var wg sync.WaitGroup
	var met sync.WaitGroup
	met.Add(2)
	var runs [2]int
	for i := range 2 {
		wg.Go(func() {
			err := db.Write(ctx, func(tx *store.Tx) error {
				runs[i]++
				for step, id := range []int{i + 1, 2 - i} {
					if _, err := tx.Exec(ctx, `UPDATE counter SET n = n + 1 WHERE id = ?`, id); err != nil {
						return err
					}
					if step == 0 && runs[i] == 1 {
						met.Done()
						met.Wait()
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if runs[0]+runs[1] != 3 {
		t.Errorf("bodies ran %v times, want one of them twice", runs)
	}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx := t.Context()
		db := e.OpenWith(t, store.Options{Clock: clock.NewManual(start)})
		must(t, db.Write(ctx, func(tx *store.Tx) error {
			for _, kind := range []string{"certificate.created", "certificate.approved", "certificate.sent"} {
				event := audit.Event{Kind: kind, Subject: "certificado:1", Actor: "ana", Detail: map[string]string{"nota": "é"}}
				must(t, tx.AppendAudit(ctx, event))
			}
			return tx.AppendAudit(ctx, audit.Event{Kind: "other", Subject: "certificado:2", Actor: "system"})
		}))
		must(t, db.Read(ctx, func(tx *store.Tx) error {
			events, err := tx.ListAudit(ctx, "certificado:1", 2)
			if len(events) != 2 || events[0].Kind != "certificate.sent" || events[1].Kind != "certificate.approved" {
				t.Fatalf("got %+v", events)
			}
			if ev := events[0]; !ev.At.Equal(start) || ev.Actor != "ana" || ev.Detail["nota"] != "é" {
				t.Errorf("got %+v", ev)
			}
			return err
		}))
		for _, text := range []string{`UPDATE audit_event SET actor = 'x'`, `DELETE FROM audit_event`} {
			err := db.Write(ctx, func(tx *store.Tx) error { _, err := tx.Exec(ctx, text); return err })
			if err == nil || !strings.Contains(err.Error(), "never") {
				t.Errorf("%s: %v, want a refusal", text, err)
			}
		}
	})
}

// Each place where a transaction can fail leaves nothing behind.
func TestInterceptedFailuresLeaveNothing(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx, failer := t.Context(), storetest.FailAt(0)
		db := e.OpenWith(t, store.Options{Migrations: []store.MigrationSet{counterSet}, Intercept: failer.Intercept})
		insertTwo := func(tx *store.Tx) error {
			if err := insertModel(ctx, tx, 1, "a", "b"); err != nil {
				return err
			}
			var n int
			if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM model`).Scan(&n); err != nil {
				return err
			}
			return insertModel(ctx, tx, 1+n, "c", "d")
		}
		const calls = 5 // begin, exec, query, exec, commit
		for at := 1; at <= calls; at++ {
			failer.Reset(at)
			if err := db.Write(ctx, insertTwo); !errors.Is(err, storetest.ErrInjected) {
				t.Errorf("call %d: %v", at, err)
			}
			if n := countModels(t, db); n != 0 {
				t.Errorf("call %d left %d rows", at, n)
			}
		}
		failer.Reset(0)
		must(t, db.Write(ctx, insertTwo))
		if failer.Calls() != calls {
			t.Errorf("%d calls, want %d", failer.Calls(), calls)
		}
	})
}

func TestAnyPath(t *testing.T) {
	t.Parallel()
	names := []string{"São João", "a b (1)", "100%", "50%25", "que?", "nº#1", "x&y=z;w", "café+☕.db", "aspas'\""}
	if runtime.GOOS == "windows" {
		names = []string{"São João", "a b (1)", "100%", "nº#1", "x&y=z;w"}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), name)
			must(t, os.Mkdir(dir, 0o755))
			path := filepath.Join(dir, name)
			db, err := store.Open(t.Context(), "sqlite:"+path, store.Options{Migrations: []store.MigrationSet{counterSet}})
			must(t, err)
			must(t, db.Write(t.Context(), func(tx *store.Tx) error { return insertModel(t.Context(), tx, 1, "a", "b") }))
			if n := countModels(t, db); n != 1 {
				t.Errorf("%d rows", n)
			}
			must(t, db.Close())
			must(t, db.Close())
			entries, err := os.ReadDir(dir)
			must(t, err)
			if len(entries) != 1 || entries[0].Name() != name {
				t.Errorf("folder holds %v, want only %q", entries, name)
			}
		})
	}
}

func TestOnEnqueue(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx, db := t.Context(), e.Open(t)
		woken := 0
		db.OnEnqueue(func() { woken++ })
		enqueue := func(end error) func(tx *store.Tx) error {
			return func(tx *store.Tx) error {
				must(t, tx.EnqueueJob(ctx, jobOf("mail", "")))
				return end
			}
		}
		must(t, db.Write(ctx, enqueue(nil)))
		_ = db.Write(ctx, enqueue(errors.New("rolled back")))
		must(t, db.Write(ctx, func(*store.Tx) error { return nil }))
		if woken != 1 {
			t.Errorf("woken %d times, want once", woken)
		}
	})
}

func TestBackupTo(t *testing.T) {
	t.Parallel()
	e := storetest.NewSQLite(t)
	ctx, db := t.Context(), e.Open(t, counterSet)
	must(t, db.Write(ctx, func(tx *store.Tx) error { return insertModel(ctx, tx, 1, "a", "b") }))
	path := filepath.Join(t.TempDir(), "cópia ? (1).db")
	must(t, db.Write(ctx, func(tx *store.Tx) error {
		must(t, insertModel(ctx, tx, 2, "c", "d")) // not committed yet: not in the copy
		return db.BackupTo(ctx, path)
	}))
	if err := db.BackupTo(ctx, path); err == nil {
		t.Error("a backup was overwritten")
	}
	backup, err := store.Open(ctx, "sqlite:"+path, store.Options{Migrations: []store.MigrationSet{counterSet}})
	must(t, err)
	defer backup.Close()
	if n := countModels(t, backup); n != 1 {
		t.Errorf("%d rows in the copy, want 1", n)
	}
}
