// Package registrystore keeps the official base in SQLite or PostgreSQL: it is
// registry.Store, ledger.Tx and the source that snapshots are built from.
package registrystore

import (
	"context"
	"embed"
	"io/fs"

	"selo/registry"
	"selo/store"
)

//go:embed migrations
var files embed.FS

// Migrations is the registry's schema, for store.Options.
func Migrations() store.MigrationSet {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return store.MigrationSet{Name: "registry", FS: sub}
}

// Open opens the official base at url with the registry's schema.
func Open(ctx context.Context, url string, opts store.Options) (Store, error) {
	opts.Migrations = append([]store.MigrationSet{Migrations()}, opts.Migrations...)
	db, err := store.Open(ctx, url, opts)
	return Store{DB: db}, err
}

// Store is an open official base.
type Store struct{ *store.DB }

// Write implements registry.Store.
func (s Store) Write(ctx context.Context, body func(registry.Tx) error) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error { return body(&Tx{Tx: tx}) })
}

// Read implements registry.Store.
func (s Store) Read(ctx context.Context, body func(registry.Tx) error) error {
	return s.DB.Read(ctx, func(tx *store.Tx) error { return body(&Tx{Tx: tx}) })
}

// Tx is one transaction on the official base.
type Tx struct{ *store.Tx }

var _ registry.Tx = (*Tx)(nil)

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
