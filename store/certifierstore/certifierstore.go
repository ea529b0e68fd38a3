// Package certifierstore keeps the certifier's base: one SQLite file, which
// several programs may have open at the same time.
//
// The schema repeats the invariants of package certifier as unique rules,
// checks and triggers, so that no other program can break them either. There
// is no PostgreSQL variant: the base belongs to one body and works offline.
package certifierstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"selo/certifier"
	"selo/store"
)

//go:embed migrations
var files embed.FS

// Migrations is the room's schema, for [store.Options].
func Migrations() store.MigrationSet {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return store.MigrationSet{Name: "certifier", FS: sub}
}

// DB is an open certifier base.
type DB struct{ *store.DB }

// Open opens or makes the base in the SQLite file at path. opts.Migrations is
// not looked at. Faults: those of [store.Open].
func Open(ctx context.Context, path string, opts store.Options) (*DB, error) {
	opts.Migrations = []store.MigrationSet{Migrations()}
	db, err := store.Open(ctx, "sqlite:"+path, opts)
	if err != nil {
		return nil, err
	}
	return &DB{DB: db}, nil
}

// Write runs body in a read-write transaction; see [store.DB.Write].
func (db *DB) Write(ctx context.Context, body func(tx certifier.Tx) error) error {
	return db.DB.Write(ctx, func(tx *store.Tx) error { return body(&Tx{Tx: tx}) })
}

// Read runs body on an unchanging picture of the base; see [store.DB.Read].
func (db *DB) Read(ctx context.Context, body func(tx certifier.Tx) error) error {
	return db.DB.Read(ctx, func(tx *store.Tx) error { return body(&Tx{Tx: tx}) })
}

// Tx implements certifier.Tx on a transaction of package store.
type Tx struct{ *store.Tx }

var _ certifier.Tx = (*Tx)(nil)

// FindSetting implements certifier.Tx.
func (tx *Tx) FindSetting(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := tx.QueryRow(ctx, `SELECT value FROM setting WHERE name = ?`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return value, err
}

// SetSetting implements certifier.Tx.
func (tx *Tx) SetSetting(ctx context.Context, name string, value []byte) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO setting (name, value) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// FindTables implements certifier.Tx.
func (tx *Tx) FindTables(ctx context.Context) (number int, content []byte, err error) {
	err = tx.QueryRow(ctx, `
		SELECT number, content FROM auxiliary_tables ORDER BY number DESC LIMIT 1`).Scan(&number, &content)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil, nil
	}
	return number, content, err
}

// InsertTables implements certifier.Tx.
func (tx *Tx) InsertTables(ctx context.Context, number int, content []byte) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO auxiliary_tables (number, content, applied_at) VALUES (?, ?, ?)
		ON CONFLICT (number) DO UPDATE SET content = excluded.content, applied_at = excluded.applied_at`, number, content, tx.Now())
	return err
}

// collect reads every row of a query with scan.
func collect[T any](rows *store.Rows, err error, scan func(*store.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("scan row: %w", err)
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
