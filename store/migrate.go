package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"

	"selo/fault"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations
var baseFS embed.FS

// baseSet holds what every base has: audit events and jobs.
func baseSet() (MigrationSet, error) {
	sub, err := fs.Sub(baseFS, "migrations")
	return MigrationSet{Name: "base", FS: sub}, err
}

var setName = regexp.MustCompile(`^[a-z][a-z_]*$`)

func (m MigrationSet) table() string { return "schema_" + m.Name }

// newest is the highest number among the set's files for the engine.
func (m MigrationSet) newest(d Dialect) (int64, error) {
	if !setName.MatchString(m.Name) {
		return 0, fmt.Errorf("migration set %q: not a lower-case word", m.Name)
	}
	files, err := fs.Glob(m.FS, string(d)+"/*.sql")
	if err != nil {
		return 0, fmt.Errorf("migration set %s: %w", m.Name, err)
	}
	var newest int64
	for _, f := range files {
		n, err := goose.NumericComponent(f)
		if err != nil {
			return 0, fmt.Errorf("migration set %s: %w", m.Name, err)
		}
		newest = max(newest, n)
	}
	if newest == 0 {
		return 0, fmt.Errorf("migration set %s: no files for %s", m.Name, d)
	}
	return newest, nil
}

// migrate brings the store's own tables and then every set up to date.
func (db *DB) migrate(ctx context.Context, sqlDB *sql.DB) error {
	base, err := baseSet()
	if err != nil {
		return err
	}
	for _, set := range append([]MigrationSet{base}, db.opts.Migrations...) {
		if err := db.migrateSet(ctx, sqlDB, set); err != nil {
			return err
		}
	}
	return nil
}

// migrateSet applies what is pending. Two processes may do it at once on one
// SQLite file: each migration is one transaction that also records its number,
// and a number cannot be recorded twice, so the loser changes nothing, looks
// again and goes on from there.
func (db *DB) migrateSet(ctx context.Context, sqlDB *sql.DB, set MigrationSet) error {
	newest, err := set.newest(db.dialect)
	if err != nil {
		return err
	}
	last := int64(-1)
	for {
		have, err := db.version(ctx, sqlDB, set)
		if err != nil {
			return fmt.Errorf("read schema version of %s: %w", set.Name, err)
		}
		switch {
		case have > newest:
			return db.newer(set, have, newest)
		case have == newest:
			return nil
		}
		err = db.apply(ctx, sqlDB, set)
		if err != nil && have == last {
			return fmt.Errorf("migrate %s from %d: %w", set.Name, have, err)
		}
		last = have
	}
}

func (db *DB) apply(ctx context.Context, sqlDB *sql.DB, set MigrationSet) error {
	sub, err := fs.Sub(set.FS, string(db.dialect))
	if err != nil {
		return err
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	dialect := goose.DialectPostgres
	if db.dialect == SQLite {
		history, err := database.NewStoreFromQuerier(set.table(), sqliteHistory{})
		if err != nil {
			return err
		}
		dialect = goose.DialectCustom
		options = append(options, goose.WithStore(history))
	} else {
		options = append(options, goose.WithTableName(set.table()))
	}
	provider, err := goose.NewProvider(dialect, sqlDB, sub, options...)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// checkVersions is the look of a read-only opening: it changes nothing. The
// store's own tables may be missing, since nothing is written.
func (db *DB) checkVersions(ctx context.Context, sqlDB *sql.DB) error {
	base, err := baseSet()
	if err != nil {
		return err
	}
	for i, set := range append([]MigrationSet{base}, db.opts.Migrations...) {
		newest, err := set.newest(db.dialect)
		if err != nil {
			return err
		}
		have, err := db.version(ctx, sqlDB, set)
		if err != nil {
			return fmt.Errorf("read schema version of %s: %w", set.Name, err)
		}
		if have > newest {
			return db.newer(set, have, newest)
		}
		if have < newest && i > 0 {
			return fault.New(fault.Conflict, "store.older", "base", db.name,
				"tem", strconv.FormatInt(have, 10), "precisa", strconv.FormatInt(newest, 10))
		}
	}
	return nil
}

func (db *DB) newer(set MigrationSet, have, newest int64) error {
	cause := fmt.Errorf("schema %s is at %d, this program knows %d", set.Name, have, newest)
	return fault.New(fault.Conflict, "store.newer", "base", db.name).Because(cause)
}

// version is the number of the set's last applied migration; 0 is none.
func (db *DB) version(ctx context.Context, sqlDB *sql.DB, set MigrationSet) (int64, error) {
	var n int64
	err := sqlDB.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+set.table()).Scan(&n)
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "42P01" || sqliteCode(err) == sqliteError {
		return 0, nil // no such table: nothing was applied yet
	}
	return n, err
}

// sqliteHistory is goose's table of applied migrations with the one rule that
// goose leaves out: a number is recorded once.
type sqliteHistory struct{}

func (sqliteHistory) CreateTable(table string) string {
	return `CREATE TABLE ` + table + ` (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL UNIQUE,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	)`
}

func (sqliteHistory) InsertVersion(table string) string {
	return `INSERT INTO ` + table + ` (version_id, is_applied) VALUES (?, ?)`
}

func (sqliteHistory) DeleteVersion(table string) string {
	return `DELETE FROM ` + table + ` WHERE version_id = ?`
}

func (sqliteHistory) GetMigrationByVersion(table string) string {
	return `SELECT tstamp, is_applied FROM ` + table + ` WHERE version_id = ? ORDER BY tstamp DESC LIMIT 1`
}

func (sqliteHistory) ListMigrations(table string) string {
	return `SELECT version_id, is_applied FROM ` + table + ` ORDER BY id DESC`
}

func (sqliteHistory) GetLatestVersion(table string) string {
	return `SELECT MAX(version_id) FROM ` + table
}
