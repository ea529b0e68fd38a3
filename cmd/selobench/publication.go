package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"selo/catalog"
	"selo/registry"
	"selo/remessa"
	"selo/store/registrystore"
)

// published is how a base was published, whole and after a change.
type published struct {
	Full, FullBare     float64 // seconds: the snapshot, and its rows merely put into a file
	Update, UpdateBare float64 // seconds: the snapshot out of the one before, and a synced copy of it
	FullCPU, UpdateCPU float64 // seconds of this process's processor time
	FullPeak           memory
	UpdatePeak         memory
	Bytes              int64 // of the snapshot
	Changed            processed
}

// publish publishes a filled base, takes in its second remessa and publishes
// again. A publication begins in the registry and ends with a sealed, synced
// snapshot in its place.
func publish(ctx context.Context, b base) (p published, err error) {
	r, s, err := b.open(ctx)
	if err != nil {
		return p, err
	}
	defer func() { _ = s.Close() }() // what is in it was committed
	if err := os.MkdirAll(b.file("catalogo"), 0o750); err != nil {
		return p, fmt.Errorf("make snapshot folder: %w", err)
	}
	if err := timedPublication(ctx, b, r, s, 1, &p.Full, &p.FullCPU, &p.FullPeak); err != nil {
		return p, err
	}
	info, err := os.Stat(b.snapshot(1))
	if err != nil {
		return p, fmt.Errorf("read snapshot: %w", err)
	}
	p.Bytes = info.Size()
	if p.FullBare, err = writeBareSnapshot(ctx, b.snapshot(1), b.file("piso.sqlite")); err != nil {
		return p, err
	}
	if p.Changed, err = process(ctx, r, b.bundle(2)); err != nil {
		return p, err
	}
	if err := timedPublication(ctx, b, r, s, 2, &p.Update, &p.UpdateCPU, &p.UpdatePeak); err != nil {
		return p, err
	}
	p.UpdateBare, err = copyBare(b.snapshot(1), b.file("copia.sqlite"))
	return p, err
}

// timedPublication makes the next publication and its snapshot: whole when it is the first.
func timedPublication(ctx context.Context, b base, r *registry.Registry, s registrystore.Store, number int, took, cpu *float64, peak *memory) error {
	stop, spent, start := watch(), processorTime("self"), time.Now()
	defer func() { *took, *cpu, *peak = time.Since(start).Seconds(), processorTime("self")-spent, stop() }()
	var p registry.Publication
	err := r.Store.Write(ctx, func(tx registry.Tx) error {
		var err error
		p, _, err = r.Publish(ctx, tx, "selobench")
		return err
	})
	if err != nil {
		return err
	}
	src := registrystore.Source{Store: s, Publication: p}
	options := catalog.Options{Progress: progress("cli.progress.publish"),
		Sign: func(text []byte) (string, error) { return remessa.SignSnapshot(text, r.Keys) }}
	return profiled(fmt.Sprintf("publish-%d-%d-%d", b.Products, number, os.Getpid()), func() error {
		if number == 1 {
			return catalog.Build(ctx, src, src.Snapshot(), b.snapshot(number), options)
		}
		return catalog.Update(ctx, src, b.snapshot(number-1), src.Snapshot(), b.snapshot(number), options)
	})
}

// writeBareSnapshot is the floor of a full publication: the same rows, indexes
// and words put into a fresh file by SQLite itself, in one transaction, without
// reading, decoding or rendering a revision. The words are made ready, unmeasured.
func writeBareSnapshot(ctx context.Context, snapshot, path string) (seconds float64, err error) {
	db, err := sql.Open("sqlite", plainFile(path, "page_size(8192)", "journal_mode(off)", "synchronous(off)",
		"cache_size(-65536)", "temp_store(memory)"))
	if err != nil {
		return 0, fmt.Errorf("open floor: %w", err)
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close(), os.Remove(path)) }()
	words := path + ".palavras"
	defer func() { err = errors.Join(err, os.Remove(words)) }()
	for _, attach := range [][2]string{{snapshot, "s"}, {words, "w"}} {
		if _, err := db.ExecContext(ctx, "ATTACH DATABASE ? AS "+attach[1], plainFile(attach[0])); err != nil {
			return 0, fmt.Errorf("attach %s: %w", attach[0], err)
		}
	}
	if _, err := db.ExecContext(ctx, bareWords); err != nil {
		return 0, fmt.Errorf("make words: %w", err)
	}
	script, err := bareScript(ctx, db)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	for _, statement := range script {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return 0, fmt.Errorf("floor: %.60s: %w", statement, err)
		}
	}
	if err := syncFile(path); err != nil {
		return 0, err
	}
	return time.Since(start).Seconds(), nil
}

// bareWords makes what the text index is fed with: a row for each certificate.
const bareWords = `
CREATE TABLE w.palavras AS
SELECT c.id, c.numero, c.organismo, c.classe, '' AS documentos, c.solicitante AS empresas,
	group_concat(p.marca, ' ') AS marcas, group_concat(p.modelo, ' ') AS modelos, 'sativo o' || c.organismo || ' c' || c.classe AS filtros
FROM s.certificado c LEFT JOIN s.vinculo v ON v.certificado = c.id LEFT JOIN s.produto p ON p.id = v.produto
GROUP BY c.id ORDER BY c.id`

// bareScript copies every table of the snapshot "s", then makes its indexes and
// fills its text index from the words "w".
func bareScript(ctx context.Context, db *sql.DB) ([]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT type, name, sql FROM s.sqlite_master
		WHERE sql IS NOT NULL AND (name = 'busca' OR name NOT LIKE 'busca%') ORDER BY type = 'index', rowid`)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	defer rows.Close()
	script := []string{"BEGIN"}
	for rows.Next() {
		var kind, name, text string
		if err := rows.Scan(&kind, &name, &text); err != nil {
			return nil, fmt.Errorf("read schema: %w", err)
		}
		script = append(script, text)
		switch {
		case name == "busca":
			script = append(script, `INSERT INTO main.busca (rowid, numero, organismo, classe, documentos, empresas, marcas, modelos, filtros)
				SELECT id, numero, organismo, classe, documentos, empresas, marcas, modelos, filtros FROM w.palavras ORDER BY id`)
		case kind == "table":
			script = append(script, "INSERT INTO main."+name+" SELECT * FROM s."+name)
		}
	}
	if !strings.Contains(strings.Join(script, "\n"), "w.palavras") {
		return nil, errors.New("the snapshot has no text index")
	}
	return append(script, "COMMIT"), rows.Err()
}

// copyBare is the floor of a publication after a change: the previous snapshot
// copied, digested and synced, for a snapshot never changes in place.
func copyBare(from, to string) (seconds float64, err error) {
	start := time.Now()
	in, err := os.Open(from)
	if err != nil {
		return 0, fmt.Errorf("copy snapshot: %w", err)
	}
	defer func() { _ = in.Close() }() // read only
	out, err := os.Create(to)
	if err != nil {
		return 0, fmt.Errorf("copy snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(to)) }()
	_, err = io.Copy(io.MultiWriter(out, sha256.New()), in)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return 0, fmt.Errorf("copy snapshot: %w", err)
	}
	return time.Since(start).Seconds(), nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return errors.Join(f.Sync(), f.Close())
}
