package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"selo/brasil"
	"selo/clock"
	"selo/fault"
)

// OpenOptions say how a snapshot is read. Clock is needed; the rest may be zero.
type OpenOptions struct {
	Clock       clock.Clock                               // tells the day on which validity is judged
	Connections int                                       // readers at a time; 0 means 8
	Check       func(text []byte, signature string) error // refuses a seal; nil accepts any
}

// Catalog answers from one open snapshot. It is safe for concurrent use.
type Catalog struct {
	path  string
	seal  *Seal
	db    *sql.DB
	clock clock.Clock
	names *names

	stmts     statements
	lookers   *lookers // for look-ups by key
	companies companyTexts
	summaries kept[brasil.Date, *Summary]
	listed    kept[struct{}, *directory]
	changes   kept[struct{}, []Changes]
	crowded   sync.Map     // whether too many words begin so: string to bool
	asked     atomic.Int64 // how often that was found out

	mu      sync.Mutex
	readers int  // guarded by mu
	retired bool // guarded by mu: closes with its last reader
}

// Open opens a sealed snapshot for reading. It checks format, length, the
// seal's signature and the description inside, but not every byte: that is
// [CheckFile]. A file that another node still copies is refused as truncated.
//
// All connections are opened at once: should another file take the path later,
// none of them reads it. Still, give every snapshot a name of its own
// ([FileName]); Windows does not replace open files, and exports open anew.
//
// Faults: snapshot.missing, snapshot.format, snapshot.version,
// snapshot.truncated, snapshot.tampered, snapshot.signature.
func Open(ctx context.Context, path string, opt OpenOptions) (*Catalog, error) {
	s, err := sealOf(path, opt.Check)
	if err != nil {
		return nil, err
	}
	connections := opt.Connections
	if connections <= 0 {
		connections = 8
	}
	db, err := openForReading(path, connections)
	if err != nil {
		return nil, err
	}
	c := &Catalog{path: path, seal: s, db: db, clock: opt.Clock}
	if err = openAll(ctx, db, connections); err == nil {
		c.lookers, err = openLookers(db, path)
	}
	if err == nil {
		err = c.prepare(ctx)
	}
	if err != nil {
		_ = c.Close() // the error that matters is err
		return nil, err
	}
	return c, nil
}

// sealOf reads and checks the seal of a file.
func sealOf(path string, check func([]byte, string) error) (*Seal, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "snapshot.missing", "arquivo", path).Because(err)
	}
	if err != nil {
		return nil, fmt.Errorf("open snapshot: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	s, err := readSeal(f)
	if err != nil {
		return nil, err
	}
	if check != nil {
		if err := check(s.Text(), s.Signature); err != nil {
			return nil, fault.New(fault.Invalid, "snapshot.signature", "arquivo", path).Because(err)
		}
	}
	return s, nil
}

// readerCache is the page cache in KiB of a connection that searches.
const readerCache = 2 << 10

// readingSource names a file that nobody writes any more. It is not mapped into
// memory: that answers no faster, and every connection would map it anew.
func readingSource(path string, cache int) (string, error) {
	return dataSource(path, "mode=ro", "immutable=1", "_pragma=query_only(1)", fmt.Sprintf("_pragma=cache_size(-%d)", cache),
		"_pragma=mmap_size(0)")
}

func openForReading(path string, connections int) (*sql.DB, error) {
	dsn, err := readingSource(path, readerCache)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open snapshot: %w", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// openAll opens every connection of the pool.
func openAll(ctx context.Context, db *sql.DB, connections int) error {
	for range connections {
		conn, err := db.Conn(ctx)
		if err != nil {
			return fmt.Errorf("open snapshot: %w", err)
		}
		defer func() { _ = conn.Close() }() // back to the pool, after all are open
	}
	return nil
}

// FileName is a name for the snapshot of a publication: "catalogo-000042.sqlite".
func FileName(publication int64) string { return fmt.Sprintf("catalogo-%06d.sqlite", publication) }

// prepare reads the description inside the file, which must be the seal's.
func (c *Catalog) prepare(ctx context.Context) error {
	meta, err := readMeta(ctx, c.db)
	if err != nil {
		return fault.New(fault.Invalid, "snapshot.tampered", "arquivo", c.path).Because(err)
	}
	if meta.content != c.seal.Content || meta.publication != c.seal.Publication {
		return fault.New(fault.Invalid, "snapshot.tampered", "arquivo", c.path)
	}
	c.names = meta.names
	return nil
}

// Close closes the file at once, readers or not; a [Holder] waits for them.
func (c *Catalog) Close() error {
	c.stmts.close()
	var err error
	if c.lookers != nil {
		err = c.lookers.close()
	}
	if err := errors.Join(err, c.db.Close()); err != nil {
		return fmt.Errorf("close snapshot: %w", err)
	}
	return nil
}

// query asks by a prepared statement; query is one of few texts.
func (c *Catalog) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := c.stmts.get(ctx, c.db, query)
	if err != nil {
		return nil, err
	}
	return st.stmt.QueryContext(ctx, args...)
}

// any tells whether a query has a row.
func (c *Catalog) any(ctx context.Context, query string, args ...any) (bool, error) {
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	return rows.Next(), rows.Err()
}

// Publication tells what the snapshot shows.
func (c *Catalog) Publication() Publication { return c.seal.Publication }

// Seal returns the file's seal.
func (c *Catalog) Seal() Seal { return *c.seal }

// File is the snapshot's path, for the SQLite export.
func (c *Catalog) File() string { return c.path }

func (c *Catalog) today() brasil.Date { return brasil.Today(c.clock.Now()) }

// metadata is the table meta.
type metadata struct {
	publication Publication
	names       *names
	content     string
	sum         contentSum
	updates     int
}

// querier is a database, a transaction or an updater.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func readMeta(ctx context.Context, q querier) (*metadata, error) {
	rows, err := q.QueryContext(ctx, "SELECT chave, valor FROM meta")
	if err != nil {
		return nil, fmt.Errorf("read meta: %w", err)
	}
	defer rows.Close()
	values := map[string]string{}
	for rows.Next() {
		var k, v string
		if err := rows.Scan(&k, &v); err != nil {
			return nil, fmt.Errorf("read meta: %w", err)
		}
		values[k] = v
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read meta: %w", err)
	}
	m := &metadata{content: values["conteudo"]}
	if err := json.Unmarshal([]byte(values["publicacao"]), &m.publication); err != nil {
		return nil, fmt.Errorf("read publication: %w", err)
	}
	var ref Reference
	if err := json.Unmarshal([]byte(values["referencia"]), &ref); err != nil {
		return nil, fmt.Errorf("read reference: %w", err)
	}
	if m.names, err = newNames(ref); err != nil {
		return nil, err
	}
	var ok bool
	if m.sum, ok = parseContentSum(values["soma"]); !ok {
		return nil, fmt.Errorf("read sum %q", values["soma"])
	}
	if _, err := fmt.Sscan(values["atualizacoes"], &m.updates); err != nil {
		return nil, fmt.Errorf("read updates: %w", err)
	}
	return m, nil
}

// CheckFile reads a snapshot whole: the digest of every byte, the content
// digest out of the rows, and that nothing refers to what is not there. The
// faults are those of [Open].
func CheckFile(ctx context.Context, path string, check func(text []byte, signature string) error) error {
	s, err := sealOf(path, check)
	if err != nil {
		return err
	}
	tampered := fault.New(fault.Invalid, "snapshot.tampered", "arquivo", path)
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open snapshot: %w", err)
	}
	digest, err := fileDigest(ctx, f, s.Bytes, nil)
	_ = f.Close() // only read
	if err != nil {
		return err
	}
	if digest != s.Digest {
		return tampered
	}
	db, err := openForReading(path, 1)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // only read
	meta, err := readMeta(ctx, db)
	if err != nil {
		return tampered.Because(err)
	}
	sum, err := sumRows(ctx, db)
	if err != nil {
		return tampered.Because(err)
	}
	if meta.publication != s.Publication || meta.content != s.Content || sum != meta.sum || contentDigest(meta.names, sum) != s.Content {
		return tampered
	}
	return checkLinks(ctx, db, s.Publication.Size, tampered)
}

// sumRows computes the content sum out of the rows.
func sumRows(ctx context.Context, q querier) (contentSum, error) {
	var sum contentSum
	for _, t := range contentTables {
		err := eachRow(ctx, q, t, "", func(row []any) error {
			sum.add(rowSum(t, row))
			return nil
		})
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// eachRow calls fn with the rows of a table that a condition chooses, in no
// order. The row is fn's to keep.
func eachRow(ctx context.Context, q querier, t *table, where string, fn func(row []any) error, args ...any) error {
	rows, err := q.QueryContext(ctx, selectSQL(t)+" "+where, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.name, err)
	}
	defer rows.Close()
	for rows.Next() {
		row, places := make([]any, len(t.columns)), make([]any, len(t.columns))
		for i := range row {
			places[i] = &row[i]
		}
		if err := rows.Scan(places...); err != nil {
			return fmt.Errorf("read %s: %w", t.name, err)
		}
		for _, field := range row {
			switch field.(type) {
			case int64, string, []byte:
			default:
				return fmt.Errorf("read %s: a field is %T", t.name, field)
			}
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", t.name, err)
	}
	return nil
}

// checkLinks finds rows that refer to none, index rows without a certificate,
// certificates without a beginning, and revisions that no body covers.
func checkLinks(ctx context.Context, db *sql.DB, size int64, tampered error) error {
	for _, query := range []string{
		`SELECT count(*) FROM vinculo v WHERE NOT EXISTS (SELECT 1 FROM produto p WHERE p.id = v.produto)`,
		`SELECT count(*) FROM vinculo v WHERE NOT EXISTS (SELECT 1 FROM certificado c WHERE c.id = v.certificado)`,
		`SELECT count(*) FROM participante p WHERE NOT EXISTS (SELECT 1 FROM empresa e WHERE e.id = p.empresa)`,
		`SELECT count(*) FROM certificado c WHERE NOT EXISTS (SELECT 1 FROM ficha f WHERE f.id = c.id)`,
		`SELECT count(*) FROM certificado c WHERE NOT EXISTS (SELECT 1 FROM busca b WHERE b.rowid = c.id)`,
		`SELECT abs((SELECT count(*) FROM certificado) - (SELECT count(*) FROM busca_docsize))`,
		`SELECT count(*) FROM certificado c WHERE NOT EXISTS (SELECT 1 FROM evento e WHERE e.organismo = c.organismo AND e.numero = c.numero AND e.tipo = 'novo')`,
		`SELECT abs((SELECT count(*) FROM certificado) - (SELECT count(*) FROM evento WHERE tipo = 'novo'))`,
		fmt.Sprintf(`SELECT abs(coalesce(sum(revisoes), 0) - %d) FROM cobertura`, size),
	} {
		var n int64
		if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil {
			return fmt.Errorf("check snapshot: %w", err)
		}
		if n != 0 {
			return tampered
		}
	}
	return nil
}
