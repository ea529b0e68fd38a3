// Package storetest runs one suite of tests on both engines and breaks bases on purpose.
//
// PostgreSQL is never skipped: the tests start it themselves (scripts/postgres.sh),
// and a machine where that is impossible fails them with the reason.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"selo/store"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // makes and drops the schemas
)

// Engine is one fresh base of one engine: a file in a folder with an accent,
// spaces and parentheses, or a PostgreSQL schema of its own.
type Engine struct {
	Dialect store.Dialect
	URL     string
	schema  string
}

// Run runs f as the sub-tests "sqlite" and "postgres", in parallel, each with a base of its own.
func Run(t *testing.T, f func(t *testing.T, e *Engine)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, NewSQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, NewPostgres(t))
	})
}

// NewSQLite returns a base that does not exist yet.
func NewSQLite(tb testing.TB) *Engine {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "São João (1) base")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	return &Engine{Dialect: store.SQLite, URL: "sqlite:" + filepath.Join(dir, "selo.db")}
}

// NewPostgres returns an empty schema that is dropped when the test ends.
func NewPostgres(tb testing.TB) *Engine {
	tb.Helper()
	e := &Engine{Dialect: store.Postgres, URL: Postgres(tb), schema: "t_" + strings.ToLower(rand.Text())}
	tb.Cleanup(func() {
		db, err := sql.Open("pgx", e.URL)
		if err != nil {
			tb.Fatal(err)
		}
		defer db.Close()
		drop := "DROP SCHEMA IF EXISTS " + pgx.Identifier{e.schema}.Sanitize() + " CASCADE"
		if _, err := db.ExecContext(context.Background(), drop); err != nil {
			tb.Errorf("drop schema: %v", err)
		}
	})
	return e
}

// Open opens the base with these rooms' schemas; it is closed when the test
// ends. Opening again opens the same base, as another process would.
func (e *Engine) Open(tb testing.TB, sets ...store.MigrationSet) *store.DB {
	tb.Helper()
	return e.OpenWith(tb, store.Options{Migrations: sets})
}

// OpenWith is Open with all options; Schema is the engine's own.
func (e *Engine) OpenWith(tb testing.TB, o store.Options) *store.DB {
	tb.Helper()
	db, err := store.Open(context.Background(), e.URL, e.Options(o))
	if err != nil {
		tb.Fatalf("open %s: %v", e.Dialect, err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close %s: %v", e.Dialect, err)
		}
	})
	return db
}

// Options completes o for store.Open by hand, for tests of what Open refuses.
func (e *Engine) Options(o store.Options) store.Options {
	o.Schema = e.schema
	return o
}

// ServerURL is the base as a flag of a command names it: without Options, so
// the schema of PostgreSQL is made here and stands in the address.
func (e *Engine) ServerURL(tb testing.TB) string {
	tb.Helper()
	if e.Dialect != store.Postgres {
		return e.URL
	}
	db := e.Raw(tb)
	if _, err := db.ExecContext(context.Background(), "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{e.schema}.Sanitize()); err != nil {
		tb.Fatal(err)
	}
	u, err := url.Parse(e.URL)
	if err != nil {
		tb.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", e.schema)
	u.RawQuery = q.Encode()
	return u.String()
}

// Raw opens a plain connection beside the store, to prepare damage; closed when the test ends.
func (e *Engine) Raw(tb testing.TB) *sql.DB {
	tb.Helper()
	driver, dsn := "sqlite", ""
	if e.Dialect == store.Postgres {
		u, err := url.Parse(e.URL)
		if err != nil {
			tb.Fatal(err)
		}
		q := u.Query()
		q.Set("search_path", e.schema)
		u.RawQuery = q.Encode()
		driver, dsn = "pgx", u.String()
	} else {
		dsn = (&url.URL{Scheme: "file", Path: e.Path()}).String()
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// Path is the file of a SQLite base.
func (e *Engine) Path() string { return strings.TrimPrefix(e.URL, "sqlite:") }

var postgres struct {
	once sync.Once
	url  string
	err  error
}

// Postgres returns the URL of the machine's test server, starting it when it is
// not running. SELO_TEST_POSTGRES names another server. The server outlives
// the tests; "scripts/postgres.sh stop" ends it.
func Postgres(tb testing.TB) string {
	tb.Helper()
	postgres.once.Do(func() { postgres.url, postgres.err = startPostgres() })
	if postgres.err != nil {
		tb.Fatalf("these tests need PostgreSQL: %v", postgres.err)
	}
	return postgres.url
}

func startPostgres() (string, error) {
	if u := os.Getenv("SELO_TEST_POSTGRES"); u != "" {
		return u, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		return "", errors.New("no go.mod above the test's folder: cannot find scripts/postgres.sh")
	}
	cmd := exec.Command(filepath.Join(dir, "scripts", "postgres.sh"), "start")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("scripts/postgres.sh start: %w: %s", err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// ErrInjected is what [Failer] returns.
var ErrInjected = errors.New("injected failure")

// Failer counts the calls of a base and fails one of them.
type Failer struct {
	at    atomic.Int64
	calls atomic.Int64
}

// FailAt returns a Failer whose n-th call from now fails with [ErrInjected];
// with n = 0 it only counts.
func FailAt(n int) *Failer {
	f := &Failer{}
	f.at.Store(int64(n))
	return f
}

// Intercept is for store.Options.
func (f *Failer) Intercept(_ context.Context, op string) error {
	if n := f.calls.Add(1); n == f.at.Load() {
		return fmt.Errorf("%w: %s, call %d", ErrInjected, op, n)
	}
	return nil
}

// Calls is how many calls were made since the start or the last Reset.
func (f *Failer) Calls() int { return int(f.calls.Load()) }

// Reset counts from zero again and fails the n-th call from now.
func (f *Failer) Reset(n int) {
	f.at.Store(int64(n))
	f.calls.Store(0)
}
