package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"selo/fault"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// errAborted is PostgreSQL's silent answer to the COMMIT of a failed transaction.
var errAborted = errors.New("store: the server rolled back instead of committing")

// openPostgres opens one pool of connections for readers and writers alike.
func (db *DB) openPostgres(ctx context.Context, url string) error {
	db.dialect, db.name = Postgres, "postgres"
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return fault.New(fault.Invalid, "store.url", "esquema", "postgres").Because(err)
	}
	db.name = fmt.Sprintf("%s:%d/%s", cfg.Host, cfg.Port, cfg.Database)
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "selo"
	}
	if cfg.RuntimeParams["plan_cache_mode"] == "" {
		// A plan made while a table was empty reads all of it once it is full:
		// a bulk load would get slower with each batch (seen: 12 times).
		cfg.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
	}
	if db.opts.Schema != "" {
		cfg.RuntimeParams["search_path"] = pgx.Identifier{db.opts.Schema}.Sanitize()
	}
	conns := db.opts.MaxConns
	if conns == 0 {
		conns = 16
	}
	conns = max(conns, 2) // the migration lock holds one
	pdb := stdlib.OpenDB(*cfg)
	pdb.SetConnMaxIdleTime(5 * time.Minute)
	db.readers = newPool(pdb, conns, false)
	if err := pdb.PingContext(ctx); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if db.opts.ReadOnly {
		return db.checkVersions(ctx, pdb)
	}
	db.writers = db.readers
	return db.withMigrationLock(ctx, pdb, func() error { return db.migrate(ctx, pdb) })
}

// withMigrationLock lets one process at a time change the schema of this base.
func (db *DB) withMigrationLock(ctx context.Context, pdb *sql.DB, f func() error) error {
	conn, err := pdb.Conn(ctx)
	if err != nil {
		return fmt.Errorf("lock migrations: %w", err)
	}
	defer conn.Close()
	const key = `hashtextextended('selo/schema/' || current_database() || '/' || ?::text, 0)`
	lock := db.rebind(`SELECT pg_advisory_lock(` + key + `)`)
	if _, err := conn.ExecContext(ctx, lock, db.opts.Schema); err != nil {
		return fmt.Errorf("lock migrations: %w", err)
	}
	defer func() {
		unlock := db.rebind(`SELECT pg_advisory_unlock(` + key + `)`)
		// A connection that cannot unlock is lost, and its lock with it.
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), unlock, db.opts.Schema)
	}()
	if db.opts.Schema != "" {
		create := "CREATE SCHEMA IF NOT EXISTS " + pgx.Identifier{db.opts.Schema}.Sanitize() //nolint:gosec // a quoted identifier; names cannot be bound
		if _, err := conn.ExecContext(ctx, create); err != nil {
			return fmt.Errorf("create schema: %w", err)
		}
	}
	return f()
}

func (s *session) beginPostgres(ctx context.Context, write bool) error {
	text := "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	if write {
		text = "BEGIN ISOLATION LEVEL READ COMMITTED"
	}
	_, err := s.conn.ExecContext(ctx, text)
	return err
}

// commitPostgres reads the answer's tag: the server answers COMMIT of a failed
// transaction with ROLLBACK and no error.
func (s *session) commitPostgres(ctx context.Context) error {
	return s.raw(func(c *pgx.Conn) error {
		tag, err := c.Exec(ctx, "COMMIT")
		if err == nil && tag.String() != "COMMIT" {
			err = errAborted
		}
		return err
	})
}

// raw lends the pgx connection below the session.
func (s *session) raw(f func(*pgx.Conn) error) error {
	return s.conn.Raw(func(dc any) error {
		c, ok := dc.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("store: connection is a %T", dc)
		}
		return f(c.Conn())
	})
}
