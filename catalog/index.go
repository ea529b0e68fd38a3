package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// The index is merged once at the end; FTS5 would otherwise merge time and
// again. Pieces of 2 MB still fit the processor's cache: larger ones are slower.
const indexTuning = `
INSERT INTO busca (busca, rank) VALUES ('hashsize', 2000000);
INSERT INTO busca (busca, rank) VALUES ('automerge', 0);
INSERT INTO busca (busca, rank) VALUES ('crisismerge', 1000);`

// writeIndex makes the text index in a file of its own, so that it goes on
// beside the rows. In one file with them each statement of several rows would
// also open a savepoint, at which FTS5 writes out all it gathered.
func writeIndex(ctx context.Context, path string, batches <-chan batch) (err error) {
	db, err := openForWriting(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := db.Close(); err == nil && e != nil {
			err = fmt.Errorf("close index: %w", e)
		}
	}()
	if _, err := db.ExecContext(ctx, indexSchema+indexTuning); err != nil {
		return fmt.Errorf("create index: %w", err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin index: %w", err)
	}
	defer tx.Rollback()
	var insert statements
	defer insert.close()
	query := insertSQL(tableIndex, 1)
	for b := range batches {
		for row := range slices.Chunk(b.args, len(tableIndex.columns)) {
			if err := insert.exec(ctx, tx, query, row...); err != nil {
				return fmt.Errorf("index: %w", err)
			}
		}
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO busca (busca) VALUES ('optimize')"); err != nil {
		return fmt.Errorf("merge index: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit index: %w", err)
	}
	return nil
}

// adoptIndex copies the index out of its own file: the rows of its four tables,
// which the empty index of the snapshot has too. The configuration stays that
// of the snapshot.
func adoptIndex(ctx context.Context, db *sql.DB, path string) error {
	dsn, err := dataSource(path, "mode=ro")
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "ATTACH DATABASE ? AS palavras", dsn); err != nil {
		return fmt.Errorf("attach index: %w", err)
	}
	for _, statement := range []string{
		"BEGIN",
		"DELETE FROM main.busca_data",
		"INSERT INTO main.busca_data (id, block) SELECT id, block FROM palavras.busca_data ORDER BY id",
		"INSERT INTO main.busca_idx (segid, term, pgno) SELECT segid, term, pgno FROM palavras.busca_idx ORDER BY segid, term",
		"INSERT INTO main.busca_docsize (id, sz, origin) SELECT id, sz, origin FROM palavras.busca_docsize ORDER BY id",
		"COMMIT",
		"DETACH DATABASE palavras",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("adopt index: %.40s: %w", statement, err)
		}
	}
	return nil
}
