package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"selo/registry"
	"selo/remessa"
	"selo/store"
	"selo/store/registrystore"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // reads the base that was filled
	_ "modernc.org/sqlite"             // both
)

// bareInto names the filled base and the fresh one that its rows are put into.
type bareInto struct {
	From, To string // URLs
}

type bare struct {
	Seconds float64
	Rows    int64
}

var (
	revisionColumns = []string{"remessa_id", "position", "record_id", "kind", "number", "hash", "content"}
	recordColumns   = []string{"id", "body", "kind", "record_key", "number", "hash", "remessa_id", "position", "imported"}
)

// barePage is how many rows are read, unmeasured, before they are put, measured.
const barePage = 20_000

// insertBare puts the rows of the first remessa into tables of the same shape,
// indexes and constraints, with neither rules nor ledger: several rows a
// statement on SQLite, COPY on PostgreSQL, one transaction. Reading does not count.
func insertBare(ctx context.Context, b bareInto) (result bare, err error) {
	id, err := prepareBare(ctx, b.To)
	if err != nil {
		return bare{}, err
	}
	from, err := openPlain(b.From)
	if err != nil {
		return bare{}, err
	}
	defer func() { _ = from.Close() }() // read only
	to, err := openBare(ctx, b.To)
	if err != nil {
		return bare{}, err
	}
	defer func() { err = errors.Join(err, to.close(ctx)) }()
	for {
		revisions, records, err := readBare(ctx, from, id, result.Rows)
		if err != nil {
			return bare{}, err
		}
		if len(revisions) == 0 {
			break
		}
		start := time.Now()
		if err := to.put(ctx, "revision", revisionColumns, revisions); err != nil {
			return bare{}, err
		}
		if err := to.put(ctx, "record", recordColumns, records); err != nil {
			return bare{}, err
		}
		result.Seconds += time.Since(start).Seconds()
		result.Rows += int64(len(revisions))
	}
	start := time.Now()
	if err := to.commit(ctx); err != nil {
		return bare{}, err
	}
	result.Seconds += time.Since(start).Seconds()
	return result, nil
}

// prepareBare makes the tables and what the rows refer to.
func prepareBare(ctx context.Context, database string) (remessaID int64, err error) {
	keys, err := remessa.NewKeys()
	if err != nil {
		return 0, err
	}
	s, err := registrystore.Open(ctx, database, store.Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = s.Write(ctx, func(tx registry.Tx) error {
		if err := tx.PutBody(ctx, registry.Body{Sigla: benchBody, Name: "Piso", Email: "piso@carga.example", Keys: keys.Public(), EnrolledAt: tx.Now()}); err != nil {
			return err
		}
		remessaID, err = tx.InsertRemessa(ctx, registry.Remessa{Body: benchBody, Sequence: 1, Scope: remessa.Partial,
			State: registry.Received, ReceivedAt: tx.Now()})
		return err
	})
	return remessaID, err
}

// readBare reads one page of rows as they are in the filled base, under the
// remessa of the fresh one.
func readBare(ctx context.Context, from *sql.DB, remessaID, at int64) (revisions, records [][]any, err error) {
	rows, err := from.QueryContext(ctx, `
		SELECT v.position, v.record_id, v.kind, v.number, v.hash, v.content, c.record_key, c.imported
		FROM revision v JOIN record c ON c.id = v.record_id JOIN remessa m ON m.id = v.remessa_id
		WHERE m.body = $1 AND m.sequence = 1 AND v.position >= $2 AND v.position < $3 ORDER BY v.position`,
		string(benchBody), at, at+barePage)
	if err != nil {
		return nil, nil, fmt.Errorf("read rows: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var position, number, imported int64
		var id, kind string
		var hash, content, key []byte
		if err := rows.Scan(&position, &id, &kind, &number, &hash, &content, &key, &imported); err != nil {
			return nil, nil, fmt.Errorf("read rows: %w", err)
		}
		revisions = append(revisions, []any{remessaID, position, id, kind, number, hash, content})
		records = append(records, []any{id, string(benchBody), kind, key, number, hash, remessaID, position, imported})
	}
	return revisions, records, rows.Err()
}

// openPlain opens a base below everything this program puts on top of one.
func openPlain(database string) (*sql.DB, error) {
	driver, source := "pgx", database
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, source = "sqlite", plainFile(path, "busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)",
			"foreign_keys(1)", "cache_size(-65536)", "journal_size_limit(67108864)")
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, fmt.Errorf("open base: %w", err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// plainFile names a SQLite file to the driver.
func plainFile(path string, pragmas ...string) string {
	return "file://" + (&url.URL{Path: path}).EscapedPath() + "?" + url.Values{"_pragma": pragmas}.Encode()
}

// bareBase is a transaction on a fresh base.
type bareBase interface {
	put(ctx context.Context, table string, columns []string, rows [][]any) error
	commit(ctx context.Context) error
	close(ctx context.Context) error
}

func openBare(ctx context.Context, database string) (bareBase, error) {
	if !strings.HasPrefix(database, "sqlite:") {
		conn, err := pgx.Connect(ctx, database)
		if err != nil {
			return nil, fmt.Errorf("open base: %w", err)
		}
		_, err = conn.Exec(ctx, "BEGIN")
		return &barePostgres{conn}, err
	}
	db, err := openPlain(database)
	if err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("begin: %w", err), db.Close())
	}
	return &bareSQLite{db: db, tx: tx, statements: map[string]*sql.Stmt{}}, nil
}

type barePostgres struct{ conn *pgx.Conn }

func (b *barePostgres) put(ctx context.Context, table string, columns []string, rows [][]any) error {
	_, err := b.conn.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
	return err
}

func (b *barePostgres) commit(ctx context.Context) error {
	_, err := b.conn.Exec(ctx, "COMMIT")
	return err
}

func (b *barePostgres) close(ctx context.Context) error { return b.conn.Close(ctx) }

type bareSQLite struct {
	db         *sql.DB
	tx         *sql.Tx
	statements map[string]*sql.Stmt
}

// bareRows is how many rows one statement puts: more gains nothing.
const bareRows = 128

func (b *bareSQLite) put(ctx context.Context, table string, columns []string, rows [][]any) error {
	for len(rows) > 0 {
		n := min(bareRows, len(rows))
		place := "(" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + ")"
		text := "INSERT INTO " + table + " (" + strings.Join(columns, ",") + ") VALUES " + //nolint:gosec // fixed names
			strings.TrimSuffix(strings.Repeat(place+",", n), ",")
		st := b.statements[text]
		if st == nil {
			var err error
			if st, err = b.tx.PrepareContext(ctx, text); err != nil {
				return fmt.Errorf("prepare %s: %w", table, err)
			}
			b.statements[text] = st
		}
		args := make([]any, 0, n*len(columns))
		for _, row := range rows[:n] {
			args = append(args, row...)
		}
		if _, err := st.ExecContext(ctx, args...); err != nil {
			return fmt.Errorf("insert %s: %w", table, err)
		}
		rows = rows[n:]
	}
	return nil
}

func (b *bareSQLite) commit(context.Context) error { return b.tx.Commit() }

func (b *bareSQLite) close(context.Context) error {
	for _, st := range b.statements {
		_ = st.Close() // its work is committed or given up
	}
	_ = b.tx.Rollback() // nothing to undo after a commit
	return b.db.Close()
}
