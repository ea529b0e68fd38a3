package store_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"selo/job"
	"selo/store"
	"selo/store/storetest"
)

func jobOf(kind, key string) job.Job { return job.Job{Kind: kind, Key: key} }

// Several processes start at once on an empty base. Each migration adds a row,
// so one that ran twice shows.
func TestMigrationsRunOnce(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		const migrations = 6
		files := fstest.MapFS{}
		for i := 1; i <= migrations; i++ {
			text := "-- +goose Up\n"
			if i == 1 {
				text += "CREATE TABLE mark (n INTEGER);\n"
			}
			text += fmt.Sprintf("INSERT INTO mark (n) VALUES (%d);\n", i)
			for _, d := range []string{"sqlite", "postgres"} {
				files[fmt.Sprintf("%s/%05d_step.sql", d, i)] = &fstest.MapFile{Data: []byte(text)}
			}
		}
		set := store.MigrationSet{Name: "marcas", FS: files}
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				db, err := store.Open(t.Context(), e.URL, e.Options(store.Options{Migrations: []store.MigrationSet{set}}))
				if err != nil {
					t.Error(err)
					return
				}
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		db := e.Open(t, set)
		must(t, db.Read(t.Context(), func(tx *store.Tx) error {
			var n, sum int
			err := tx.QueryRow(t.Context(), `SELECT COUNT(*), SUM(n) FROM mark`).Scan(&n, &sum)
			if n != migrations || sum != migrations*(migrations+1)/2 {
				t.Errorf("%d marks with sum %d", n, sum)
			}
			return err
		}))
	})
}

func TestBrokenMigrationIsReported(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		bad := &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE half (n INTEGER);\nINSERT INTO nowhere (n) VALUES (1);\n")}
		set := store.MigrationSet{Name: "quebrada", FS: fstest.MapFS{"sqlite/1_bad.sql": bad, "postgres/1_bad.sql": bad}}
		_, err := store.Open(t.Context(), e.URL, e.Options(store.Options{Migrations: []store.MigrationSet{set}}))
		if err == nil || !strings.Contains(err.Error(), "nowhere") {
			t.Fatalf("got %v", err)
		}
		db := e.Open(t) // half was undone
		err = db.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM half`).Scan(new(int))
		})
		if err == nil {
			t.Error("a broken migration left its table")
		}
	})
}

func TestMigrationSetMistakes(t *testing.T) {
	t.Parallel()
	e := storetest.NewSQLite(t)
	for _, set := range []store.MigrationSet{
		{Name: "x; DROP", FS: counterSet.FS},
		{Name: "vazia", FS: fstest.MapFS{}},
	} {
		if _, err := store.Open(t.Context(), e.URL, store.Options{Migrations: []store.MigrationSet{set}}); err == nil {
			t.Errorf("set %q was taken", set.Name)
		}
	}
}
