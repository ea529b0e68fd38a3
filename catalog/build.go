package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"selo/brasil"
	"selo/certificate"

	"golang.org/x/sync/errgroup"
)

// Options of [Build] and [Update]. The zero value is usable.
type Options struct {
	// Progress is told now and then how many of total ledger entries are
	// behind; from one goroutine at a time, never after the call returned.
	Progress func(done, total int64)

	// Sign signs the text that [Seal.Text] gives, in whatever form the checker
	// of [OpenOptions] understands; nil leaves the snapshot unsigned.
	Sign func(text []byte) (signature string, err error)
}

// Rows travel from the decoding goroutine to the writing one in batches.
const (
	batchRows    = 100
	batchesAhead = 64
)

// wordsSuffix names the file in which the text index is made.
const wordsSuffix = ".busca"

// batch is rows of one table, flattened.
type batch struct {
	table *table
	args  []any
}

// Build writes the snapshot of a publication to path, whole. The file appears
// there complete, sealed and synced, or not at all; path+".tmp" is used on the
// way. Memory stays flat but for some 16 bytes a company and product.
//
// Errors are the source's, the context's or the file system's.
func Build(ctx context.Context, src Source, pub Publication, path string, opt Options) error {
	ref, err := src.Reference(ctx)
	if err != nil {
		return fmt.Errorf("read reference: %w", err)
	}
	n, err := newNames(ref)
	if err != nil {
		return err
	}
	tmp := path + ".tmp"
	for _, old := range []string{tmp, tmp + wordsSuffix} { // of a build that was cut off
		if err := os.Remove(old); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("remove old %s: %w", old, err)
		}
	}
	content, err := buildRows(ctx, src, pub, n, tmp, opt)
	if err == nil {
		err = seal(tmp, path, pub, content, opt)
	}
	if err != nil {
		_ = os.Remove(tmp) // the error that matters is err
		return fmt.Errorf("build snapshot %d: %w", pub.Number, err)
	}
	return nil
}

// openForWriting opens a file that nobody else sees yet: no journal, no syncs;
// seal syncs it as a whole.
func openForWriting(path string) (*sql.DB, error) {
	dsn, err := dataSource(path, "_pragma=page_size(8192)", "_pragma=journal_mode(off)", "_pragma=synchronous(off)",
		"_pragma=locking_mode(exclusive)", "_pragma=cache_size(-65536)", "_pragma=temp_store(memory)", "_pragma=mmap_size(0)")
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// buildRows fills the file and returns its content digest.
func buildRows(ctx context.Context, src Source, pub Publication, n *names, tmp string, opt Options) (content string, err error) {
	db, err := openForWriting(tmp)
	if err != nil {
		return "", err
	}
	defer func() {
		if e := db.Close(); err == nil && e != nil {
			err = fmt.Errorf("close %s: %w", tmp, e)
		}
	}()
	if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d; %s%s",
		applicationID, formatVersion, schema, indexSchema)); err != nil {
		return "", fmt.Errorf("create tables: %w", err)
	}
	words := tmp + wordsSuffix
	defer func() { _ = os.Remove(words) }() // absent when it never came to that
	sum, known, err := stream(ctx, src, pub, n, tmp, words, db, opt)
	if err != nil {
		return "", err
	}
	if err := adoptIndex(ctx, db, words); err != nil {
		return "", err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return "", fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback()
	if err := known.write(ctx, tx); err != nil {
		return "", err
	}
	if content, err = writeMeta(ctx, tx, pub, n, sum, 0); err != nil {
		return "", err
	}
	if err := tx.Commit(); err != nil {
		return "", fmt.Errorf("commit: %w", err)
	}
	return content, nil
}

// stream runs three goroutines: one decodes and renders, one writes rows, one
// writes the text index to a file of its own.
func stream(ctx context.Context, src Source, pub Publication, n *names, tmp, words string, db *sql.DB, opt Options) (contentSum, vocabulary, error) {
	group, ctx := errgroup.WithContext(ctx)
	b := &batcher{ctx: ctx, rows: make(chan batch, batchesAhead), index: make(chan batch, batchesAhead), open: map[*table][]any{}, words: vocabulary{}}
	group.Go(func() error {
		defer close(b.rows)
		defer close(b.index)
		if err := produce(ctx, src, pub, n, tmp, b, opt.Progress); err != nil {
			return err
		}
		return b.flush()
	})
	group.Go(func() error { return writeBatches(ctx, db, b.rows) })
	group.Go(func() error { return writeIndex(ctx, words, b.index) })
	if err := group.Wait(); err != nil {
		return contentSum{}, nil, err
	}
	return b.sum, b.words, nil
}

// produce renders everything: what is referred to comes first.
func produce(ctx context.Context, src Source, pub Publication, n *names, tmp string, out sink, progress func(done, total int64)) error {
	sp, err := newSpool(tmp)
	if err != nil {
		return err
	}
	defer sp.close()
	r := &renderer{names: n, today: dayNumber(brasil.Today(pub.At)), out: out, refs: sp, covered: coverage{}}
	total, seen, newest := pub.Size, int64(0), newRevisionSet(0, pub.Size)
	each := func(kind certificate.Kind, fn func(Entry) error) error {
		return src.EachRevision(ctx, kind, 0, pub.Size, true, func(e Entry) error {
			if seen++; progress != nil && seen%4096 == 0 {
				progress(min(seen, total), total)
			}
			newest.add(e.Index)
			r.covered.add(e)
			return fn(e)
		})
	}
	err = each(certificate.KindCompany, func(e Entry) error {
		id, c, err := r.putCompany(e)
		if err != nil {
			return err
		}
		return sp.put(spoolKey(certificate.KindCompany, e.Body, id), c.id, c.name, c.words, c.marks, c.place)
	})
	if err == nil {
		err = each(certificate.KindProduct, func(e Entry) error {
			id, p, err := r.putProduct(e)
			if err != nil {
				return err
			}
			return sp.put(spoolKey(certificate.KindProduct, e.Body, id), p.id, p.brand, p.model, p.details, p.shown, p.mark)
		})
	}
	if err == nil {
		err = each(certificate.KindCertificate, r.putCertificate)
	}
	if err == nil {
		err = r.putPasts(ctx, src, 0, pub.Size, newest, nil)
	}
	if err == nil {
		err = r.putCoverage()
	}
	if err == nil && progress != nil {
		progress(total, total)
	}
	return err
}

// batcher gathers rows into batches and sums them up.
type batcher struct {
	ctx         context.Context
	rows, index chan batch
	open        map[*table][]any
	sum         contentSum
	words       vocabulary
}

func (b *batcher) put(t *table, row []any) error {
	if t != tableIndex {
		b.sum.add(rowSum(t, row))
	} else {
		b.words.add(row)
	}
	args := b.open[t]
	if args == nil {
		args = make([]any, 0, batchRows*len(t.columns))
	}
	args = append(args, row...)
	if len(args) == cap(args) {
		b.open[t] = nil
		return b.send(batch{t, args})
	}
	b.open[t] = args
	return nil
}

func (b *batcher) flush() error {
	for t, args := range b.open {
		if len(args) > 0 {
			if err := b.send(batch{t, args}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *batcher) send(next batch) error {
	out := b.rows
	if next.table == tableIndex {
		out = b.index
	}
	select {
	case out <- next:
		return nil
	case <-b.ctx.Done():
		return b.ctx.Err()
	}
}

// writeBatches inserts batches of rows, each as one statement, and makes the
// indexes, in one transaction.
func writeBatches(ctx context.Context, db *sql.DB, batches <-chan batch) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback()
	var full statements
	defer full.close()
	for b := range batches {
		rows := len(b.args) / len(b.table.columns)
		if rows == batchRows {
			err = full.exec(ctx, tx, insertSQL(b.table, rows), b.args...)
		} else {
			_, err = tx.ExecContext(ctx, insertSQL(b.table, rows), b.args...)
		}
		if err != nil {
			return fmt.Errorf("insert into %s: %w", b.table.name, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err // the rows stopped coming
	}
	for _, index := range indexes {
		if _, err := tx.ExecContext(ctx, index); err != nil {
			return fmt.Errorf("create index: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit rows: %w", err)
	}
	return nil
}

// insertSQL inserts a number of rows; names come from the tables of schema.go only.
func insertSQL(t *table, rows int) string {
	one := "(?" + strings.Repeat(",?", len(t.columns)-1) + ")"
	return "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ",") + ") VALUES " + one + strings.Repeat(","+one, rows-1)
}

// writeMeta describes the snapshot inside itself and returns the content digest.
func writeMeta(ctx context.Context, tx *sql.Tx, pub Publication, n *names, sum contentSum, updates int) (string, error) {
	text, err := json.Marshal(pub)
	if err != nil {
		return "", fmt.Errorf("encode publication: %w", err)
	}
	content := contentDigest(n, sum)
	for _, pair := range [][2]string{
		{"formato", strconv.Itoa(formatVersion)}, {"publicacao", string(text)}, {"referencia", n.text},
		{"conteudo", content}, {"soma", sum.text()}, {"atualizacoes", strconv.Itoa(updates)},
	} {
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO meta (chave, valor) VALUES (?, ?)", pair[0], pair[1]); err != nil {
			return "", fmt.Errorf("write meta %s: %w", pair[0], err)
		}
	}
	return content, nil
}
