package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"selo/fault"
	"selo/store"
	"selo/store/storetest"
)

func openFails(t *testing.T, kind fault.Kind, key, url string, o store.Options) {
	t.Helper()
	db, err := store.Open(t.Context(), url, o)
	if err == nil {
		db.Close()
	}
	wantKey(t, err, kind, key)
}

func TestLocked(t *testing.T) {
	t.Parallel()
	e := storetest.NewSQLite(t)
	db := e.OpenWith(t, store.Options{BusyTimeout: time.Millisecond, Migrations: []store.MigrationSet{counterSet}})
	holder := e.Open(t, counterSet)
	must(t, holder.Write(t.Context(), func(*store.Tx) error {
		err := db.Write(t.Context(), func(*store.Tx) error { t.Error("two writers at once"); return nil })
		wantKey(t, err, fault.Unavailable, "store.locked")
		return nil
	}))
	must(t, db.Write(t.Context(), func(tx *store.Tx) error { return insertModel(t.Context(), tx, 1, "a", "b") }))
}

func TestFull(t *testing.T) {
	t.Parallel()
	e := storetest.NewSQLite(t)
	ctx, db := t.Context(), e.Open(t, counterSet)
	must(t, db.Write(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `PRAGMA max_page_count = 40`).Scan(new(int))
	}))
	err := db.Write(ctx, func(tx *store.Tx) error {
		for i := range 1000 {
			if err := insertModel(ctx, tx, i, strings.Repeat("x", 1000), fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	})
	wantKey(t, err, fault.Unavailable, "store.full")
	if n := countModels(t, db); n != 0 {
		t.Errorf("%d rows were kept", n)
	}
	must(t, db.Write(ctx, func(tx *store.Tx) error { return insertModel(ctx, tx, 1, "a", "b") }))
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx := t.Context()
		older := e.Options(store.Options{ReadOnly: true, Migrations: []store.MigrationSet{counterSet}})
		e.Open(t) // without the counter's tables
		openFails(t, fault.Conflict, "store.older", e.URL, older)
		must(t, e.Open(t, counterSet).Write(ctx, func(tx *store.Tx) error { return insertModel(ctx, tx, 1, "a", "b") }))
		db := e.OpenWith(t, store.Options{ReadOnly: true, Migrations: []store.MigrationSet{counterSet}})
		if n := countModels(t, db); n != 1 {
			t.Errorf("%d rows", n)
		}
		err := db.Write(ctx, func(tx *store.Tx) error { return nil })
		wantKey(t, err, fault.Unavailable, "store.read_only")
	})
}

func TestReadOnlyDoesNotMakeAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "missing.db")
	openFails(t, fault.Unavailable, "store.cannot_open", "sqlite:"+path, store.Options{ReadOnly: true})
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("file: %v", err)
	}
	openFails(t, fault.Unavailable, "store.cannot_open", "sqlite:"+filepath.Join(path, "x.db"), store.Options{})
}

func TestGarbageFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "garbage.db")
	must(t, os.WriteFile(path, bytes.Repeat([]byte("This is no base. "), 1000), 0o644))
	openFails(t, fault.Unavailable, "store.corrupt", "sqlite:"+path, store.Options{})
	after, err := os.ReadFile(path)
	must(t, err)
	if !bytes.HasPrefix(after, []byte("This is no base.")) {
		t.Error("the file was changed")
	}
}

func TestCorruptPages(t *testing.T) {
	t.Parallel()
	e := storetest.NewSQLite(t)
	ctx, db := t.Context(), e.Open(t, counterSet)
	must(t, db.Write(ctx, func(tx *store.Tx) error {
		for i := range 500 {
			must(t, insertModel(ctx, tx, i, strings.Repeat("x", 200), fmt.Sprint(i)))
		}
		return nil
	}))
	must(t, db.Close())
	data, err := os.ReadFile(e.Path())
	must(t, err)
	for i := len(data) / 3; i < len(data); i++ {
		data[i] = 0xA5
	}
	must(t, os.WriteFile(e.Path(), data, 0o644))
	db, err = store.Open(ctx, e.URL, store.Options{Migrations: []store.MigrationSet{counterSet}})
	if err == nil {
		defer db.Close()
		err = db.Read(ctx, func(tx *store.Tx) error {
			return tx.QueryRow(ctx, `SELECT COUNT(*), SUM(length(brand)) FROM model`).Scan(new(int), new(int))
		})
	}
	wantKey(t, err, fault.Unavailable, "store.corrupt")
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		files := fstest.MapFS{}
		for name, file := range counterSet.FS.(fstest.MapFS) {
			files[name] = file
			files[strings.Replace(name, "00001_begin", "00002_more", 1)] =
				&fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE more (id INTEGER PRIMARY KEY);\n")}
		}
		e.Open(t, store.MigrationSet{Name: counterSet.Name, FS: files})
		for _, readOnly := range []bool{false, true} {
			o := e.Options(store.Options{ReadOnly: readOnly, Migrations: []store.MigrationSet{counterSet}})
			openFails(t, fault.Conflict, "store.newer", e.URL, o)
		}
	})
}

func TestWrongURL(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "sqlite:", "mysql://x", "/a/path", "sqlite::memory:", "postgres://h:port/x"} {
		openFails(t, fault.Invalid, "store.url", u, store.Options{})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := listener.Addr().String()
	must(t, listener.Close())
	secret := "postgres://ana:segredo@" + addr + "/x?sslmode=disable"
	_, err = store.Open(t.Context(), secret, store.Options{})
	wantKey(t, err, fault.Unavailable, "store.unreachable")
	if strings.Contains(err.Error(), "segredo") {
		t.Errorf("the error shows the password: %v", err)
	}
}

func TestUnknownDatabase(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(storetest.Postgres(t))
	must(t, err)
	u.Path = "/no_such_database"
	openFails(t, fault.Unavailable, "store.denied", u.String(), store.Options{})
}

// The server drops the connection in the middle of a transaction: it runs again
// on another one.
func TestLostConnectionRunsAgain(t *testing.T) {
	t.Parallel()
	e := storetest.NewPostgres(t)
	ctx, db := t.Context(), e.Open(t, counterSet)
	killer := e.Raw(t)
	runs := 0
	must(t, db.Write(ctx, func(tx *store.Tx) error {
		runs++
		var pid int
		must(t, tx.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&pid))
		if runs == 1 {
			_, err := killer.ExecContext(ctx, `SELECT pg_terminate_backend($1)`, pid)
			must(t, err)
		}
		return insertModel(ctx, tx, 1, "a", "b")
	}))
	if runs != 2 || countModels(t, db) != 1 {
		t.Errorf("%d runs, %d rows", runs, countModels(t, db))
	}
}

// A connection lost at COMMIT leaves a doubt, which must not be resolved by
// doing the work twice.
func TestLostCommitIsNotRepeated(t *testing.T) {
	t.Parallel()
	e := storetest.NewPostgres(t)
	ctx, killer := t.Context(), e.Raw(t)
	var pid int
	o := store.Options{Migrations: []store.MigrationSet{counterSet}}
	o.Intercept = func(_ context.Context, op string) error {
		if op == "commit" && pid != 0 {
			_, err := killer.ExecContext(ctx, `SELECT pg_terminate_backend($1)`, pid)
			return err
		}
		return nil
	}
	db := e.OpenWith(t, o)
	runs := 0
	err := db.Write(ctx, func(tx *store.Tx) error {
		runs++
		return tx.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&pid)
	})
	wantKey(t, err, fault.Unavailable, "store.unreachable")
	if !errors.Is(err, store.ErrOutcomeUnknown) || runs != 1 {
		t.Errorf("%d runs, %v", runs, err)
	}
}
