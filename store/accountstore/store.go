// Package accountstore keeps people, their sessions and consents in the
// registry's base, on SQLite or PostgreSQL: it is account.Store.
package accountstore

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"selo/account"
	"selo/store"
)

//go:embed migrations
var files embed.FS

// Migrations is the schema of accounts, for store.Options.
func Migrations() store.MigrationSet {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return store.MigrationSet{Name: "account", FS: sub}
}

// Store is an open base with the schema of accounts.
type Store struct{ *store.DB }

var _ account.Store = Store{}

// Write implements account.Store.
func (s Store) Write(ctx context.Context, body func(account.Tx) error) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error { return body(&Tx{Tx: tx}) })
}

// Read implements account.Store.
func (s Store) Read(ctx context.Context, body func(account.Tx) error) error {
	return s.DB.Read(ctx, func(tx *store.Tx) error { return body(&Tx{Tx: tx}) })
}

// Tx is one transaction on accounts.
type Tx struct{ *store.Tx }

// lock is what makes a SELECT hold its row; SQLite's write transactions are alone anyway.
func (tx *Tx) lock() string {
	if tx.Dialect() == store.Postgres {
		return " FOR UPDATE"
	}
	return ""
}

func boolean(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

type scanner interface{ Scan(dest ...any) error }

// collect reads all rows of a query.
func collect[T any](rows *store.Rows, err error, what string, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer func() { _ = rows.Close() }() // Err below tells
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return list, nil
}

// exec runs a statement and tells how many rows it changed.
func (tx *Tx) exec(ctx context.Context, what, query string, args ...any) (int64, error) {
	n, err := tx.Exec(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return n, nil
}
