// Package store keeps the bases in SQLite or PostgreSQL: one SQL text, two engines.
//
// A base is opened with [Open]; everything happens inside a transaction made by
// [DB.Write] or [DB.Read]. One [*Tx] satisfies the narrow Tx interfaces of all
// domain rooms, so that a certificate change, its audit event and its jobs
// commit together or not at all.
//
// The package promises that a committed transaction survives a crash of the
// process or of the machine (SQLite: WAL with synchronous=FULL; PostgreSQL: its
// own defaults), that both engines behave alike where this package can make
// them (a failed statement ends its transaction on both), and that engine
// errors a person can act on come out as faults.
//
// It does not build SQL, map structs or hide the engines where they truly differ.
package store

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"selo/clock"
	"selo/fault"
)

// Dialect names the engine of a base.
type Dialect string

// The two engines.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// MigrationSet is the schema of one room: FS holds the folders "sqlite" and
// "postgres" with numbered goose SQL files. Name is a lower-case word; the
// set's history is kept in the table schema_<name>.
type MigrationSet struct {
	Name string
	FS   fs.FS
}

// Options of [Open]. The zero value is usable.
type Options struct {
	// Clock gives the time of each transaction; nil is the machine's clock.
	Clock clock.Clock
	// Migrations are applied at opening, in order, after the store's own tables.
	Migrations []MigrationSet
	// Schema is the PostgreSQL schema that holds the base, made when missing;
	// empty is the server's search_path. SQLite ignores it.
	Schema string
	// ReadOnly opens without migrating and refuses [DB.Write].
	ReadOnly bool
	// Intercept, when set, is called before every "begin", "exec", "query" and
	// "commit"; an error takes the place of the call. It exists to test faults.
	Intercept func(ctx context.Context, op string) error
	// BusyTimeout is how long SQLite waits for another process's lock; zero is 10 s.
	BusyTimeout time.Duration
	// MaxConns bounds the PostgreSQL connections, and the SQLite readers; zero is 16 and 8.
	MaxConns int
}

// DB is an open base. It is safe for concurrent use.
type DB struct {
	dialect Dialect
	name    string // path, or host and database: never a password
	opts    Options
	clock   clock.Clock
	writers *pool // nil when read-only
	readers *pool
	rebound rebinder

	hooksMu sync.RWMutex
	hooks   []func() // called after a commit that enqueued jobs
}

// Open opens or makes the base at url, "sqlite:PATH" or "postgres://…", and
// applies the pending migrations. The folder of PATH must exist; PATH may hold
// any character.
//
// It returns fault.Invalid "store.url", fault.Conflict "store.newer" when a newer
// program has changed the schema, "store.older" when read-only and not
// migrated yet, and the Unavailable faults "store.cannot_open", "store.corrupt",
// "store.locked", "store.unreachable" and "store.denied".
func Open(ctx context.Context, url string, opts Options) (*DB, error) {
	db := &DB{opts: opts, clock: opts.Clock}
	if db.clock == nil {
		db.clock = clock.System{}
	}
	var err error
	switch {
	case strings.HasPrefix(url, "sqlite:") && len(url) > len("sqlite:"):
		err = db.openSQLite(ctx, strings.TrimPrefix(url, "sqlite:"))
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		err = db.openPostgres(ctx, url)
	default:
		scheme, _, _ := strings.Cut(url, ":")
		return nil, fault.New(fault.Invalid, "store.url", "esquema", scheme)
	}
	if err != nil {
		_ = db.Close() // the opening error is the one to report
		return nil, fmt.Errorf("open base %s: %w", db.name, db.translate(err))
	}
	return db, nil
}

// Close waits for the running transactions and closes the base. Closing twice is no error.
func (db *DB) Close() error {
	err := db.readers.close()
	// The writer goes last: the last SQLite connection folds the WAL into the file.
	if werr := db.writers.close(); err == nil {
		err = werr
	}
	return err
}

// Dialect tells the engine.
func (db *DB) Dialect() Dialect { return db.dialect }

// Name is the path, or the host and database: fit for logs, without a password.
func (db *DB) Name() string { return db.name }

// Clock is the clock that transactions take their time from.
func (db *DB) Clock() clock.Clock { return db.clock }

// OnEnqueue registers f to be called, shortly and from any goroutine, after each
// commit of this process that enqueued a job: usually a runner's Wake.
func (db *DB) OnEnqueue(f func()) {
	db.hooksMu.Lock()
	defer db.hooksMu.Unlock()
	db.hooks = append(db.hooks, f)
}

// intercept runs before each begin, exec, query and commit.
func (db *DB) intercept(ctx context.Context, op string) error {
	killPoint()
	if db.opts.Intercept == nil {
		return nil
	}
	return db.opts.Intercept(ctx, op)
}
