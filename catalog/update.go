package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

// When an update would be slower than starting again, or leave the index in too many pieces.
const (
	maxUpdates = 200 // in a row
	maxShare   = 4   // a change of more than 1/maxShare of the ledger is built whole
)

// Update writes the snapshot of pub to path out of the one at prev, which may
// be the same path: a copy with the revisions since applied. Its rows and its
// content digest are those of [Build]. Where names changed, or much did, or prev
// is missing, damaged or no earlier publication's snapshot, it builds whole.
//
// Errors are those of Build.
func Update(ctx context.Context, src Source, prev string, pub Publication, path string, opt Options) error {
	ref, err := src.Reference(ctx)
	if err != nil {
		return fmt.Errorf("read reference: %w", err)
	}
	n, err := newNames(ref)
	if err != nil {
		return err
	}
	tmp := path + ".tmp"
	err = updateRows(ctx, src, prev, pub, n, path, opt)
	if errors.Is(err, errWhole) {
		return Build(ctx, src, pub, path, opt)
	}
	if err != nil {
		_ = os.Remove(tmp) // the error that matters is err
		return fmt.Errorf("update snapshot to %d: %w", pub.Number, err)
	}
	return nil
}

// errWhole asks for a full build.
var errWhole = errors.New("build whole")

func updateRows(ctx context.Context, src Source, prev string, pub Publication, n *names, path string, opt Options) error {
	s, err := sealOf(prev, nil)
	if fault.Of(err) != nil {
		return errWhole // missing, damaged or of another version
	}
	if err != nil {
		return err
	}
	since := s.Publication.Size
	if pub.Size < since || (pub.Size-since)*maxShare > pub.Size || pub.At.Before(s.Publication.At) {
		return errWhole
	}
	tmp := path + ".tmp"
	if err := copyDatabase(ctx, prev, tmp, s); err != nil {
		return err
	}
	flushed := flush(tmp) // the copy reaches the disk while the changes are applied
	content, err := applyChanges(ctx, src, s, pub, n, tmp, opt)
	if e := <-flushed; err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return seal(tmp, path, pub, content, opt)
}

// copyDatabase copies a snapshot without its seal, and checks what it reads
// against the seal: damage must not get a new seal. It returns errWhole then.
func copyDatabase(ctx context.Context, from, to string, s *Seal) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("open previous snapshot: %w", err)
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("create copy: %w", err)
	}
	defer func() {
		if e := out.Close(); err == nil && e != nil {
			err = fmt.Errorf("close copy: %w", e)
		}
	}()
	digest, err := fileDigest(ctx, in, s.Bytes, out)
	if err == nil && digest != s.Digest {
		err = errWhole
	}
	return err
}

func applyChanges(ctx context.Context, src Source, s *Seal, pub Publication, n *names, tmp string, opt Options) (content string, err error) {
	db, err := openForWriting(tmp)
	if err != nil {
		return "", err
	}
	defer func() {
		if e := db.Close(); err == nil && e != nil {
			err = fmt.Errorf("close copy: %w", e)
		}
	}()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return "", fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback()
	meta, err := readMeta(ctx, tx)
	if err != nil {
		return "", err
	}
	if meta.publication != s.Publication || meta.updates >= maxUpdates || !n.extends(meta.names) {
		return "", errWhole
	}
	u := newUpdater(ctx, tx, n, meta.sum, dayNumber(brasil.Today(pub.At)))
	defer u.stmts.close()
	if err := u.run(src, s.Publication, pub, opt.Progress); err != nil {
		return "", err
	}
	if err := readVocabulary(ctx, tx, 0, maxSpelled, func(word string, count int) { u.words[word] += count }); err != nil {
		return "", err
	}
	if err := u.words.write(ctx, tx); err != nil {
		return "", err
	}
	if content, err = writeMeta(ctx, tx, pub, n, u.sum, meta.updates+1); err != nil {
		return "", err
	}
	if err := tx.Commit(); err != nil {
		return "", fmt.Errorf("commit: %w", err)
	}
	return content, nil
}

// updater applies revisions to the rows of an earlier publication.
type updater struct {
	ctx   context.Context
	tx    *sql.Tx
	sum   contentSum
	words vocabulary
	stmts statements
	r     *renderer
	dirty map[int64]bool // certificates whose index row must be made again
	stale map[int64]bool // certificates whose ready answer must be

	earlier map[string]int64 // certificates that changed, with their revision before
}

func newUpdater(ctx context.Context, tx *sql.Tx, n *names, sum contentSum, today int64) *updater {
	u := &updater{ctx: ctx, tx: tx, sum: sum, words: vocabulary{}, dirty: map[int64]bool{}, stale: map[int64]bool{}, earlier: map[string]int64{}}
	u.r = &renderer{names: n, today: today, out: u, refs: u, covered: coverage{}}
	return u
}

func (u *updater) run(src Source, old, pub Publication, progress func(done, total int64)) error {
	done, newest := int64(0), newRevisionSet(old.Size, pub.Size)
	for _, step := range []struct {
		kind certificate.Kind
		fn   func(Entry) error
	}{{certificate.KindCompany, u.companyChanged}, {certificate.KindProduct, u.productChanged}, {certificate.KindCertificate, u.certificateChanged}} {
		err := src.EachRevision(u.ctx, step.kind, old.Size, pub.Size, true, func(e Entry) error {
			if done++; progress != nil && done%1024 == 0 {
				progress(old.Size+min(done, pub.Size-old.Size), pub.Size)
			}
			newest.add(e.Index)
			u.r.covered.add(e)
			return step.fn(e)
		})
		if err != nil {
			return err
		}
	}
	if err := u.r.putPasts(u.ctx, src, old.Size, pub.Size, newest, u.earlier); err != nil {
		return err
	}
	if err := u.cover(); err != nil {
		return err
	}
	if err := u.expire(); err != nil {
		return err
	}
	for id := range u.dirty {
		if err := u.reindex(id); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(u.stale)) {
		if err := u.makeReady(id); err != nil {
			return err
		}
	}
	if progress != nil {
		progress(pub.Size, pub.Size)
	}
	return nil
}

func (u *updater) exec(query string, args ...any) error {
	return u.stmts.exec(u.ctx, u.tx, query, args...)
}

// QueryContext runs on the kept statements, for eachRow.
func (u *updater) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := u.stmts.get(ctx, u.tx, query)
	if err != nil {
		return nil, err
	}
	return st.stmt.QueryContext(ctx, args...)
}

// one reads the only row of a query.
func (u *updater) one(query string, arg []any, places ...any) error {
	st, err := u.stmts.get(u.ctx, u.tx, query)
	if err != nil {
		return err
	}
	return st.stmt.QueryRowContext(u.ctx, arg...).Scan(places...)
}

// put inserts a row.
func (u *updater) put(t *table, row []any) error {
	if t != tableIndex {
		u.sum.add(rowSum(t, row))
	} else {
		u.words.add(row)
	}
	return u.exec(insertSQL(t, 1), row...)
}

// take reads the rows of a condition and removes them from the sum.
func (u *updater) take(t *table, where string, args ...any) ([][]any, error) {
	var list [][]any
	err := eachRow(u.ctx, u, t, where, func(row []any) error {
		u.sum.remove(rowSum(t, row))
		list = append(list, row)
		return nil
	}, args...)
	return list, err
}

// drop deletes the rows of a condition and returns them.
func (u *updater) drop(t *table, where string, args ...any) ([][]any, error) {
	list, err := u.take(t, where, args...)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list, u.exec("DELETE FROM "+t.name+" "+where, args...)
}

// change sets one column of the rows of a condition and returns their certificates.
func (u *updater) change(t *table, column, where string, value any, args ...any) ([]int64, error) {
	list, err := u.take(t, where, args...)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	place := 0
	for t.columns[place] != column {
		place++
	}
	owners := make([]int64, 0, len(list))
	for _, row := range list {
		row[place] = value
		u.sum.add(rowSum(t, row))
		if owner, ok := row[0].(int64); ok {
			owners = append(owners, owner)
		}
	}
	return owners, u.exec("UPDATE "+t.name+" SET "+column+" = ? "+where, append([]any{value}, args...)...)
}

// cover adds what was read of each body to what was there.
func (u *updater) cover() error {
	for body, b := range u.r.covered {
		old, err := u.drop(tableCoverage, "WHERE organismo = ?", string(body))
		if err != nil {
			return err
		}
		for _, row := range old {
			b.join(row)
		}
	}
	return u.r.putCoverage()
}

// companyChanged replaces a company's row and moves what refers to it.
func (u *updater) companyChanged(e Entry) error {
	rev, err := decode(e)
	if err != nil {
		return err
	}
	old, err := u.drop(tableCompany, "WHERE uuid = ? AND organismo = ?", idBytes(rev.ID), string(e.Body))
	if err != nil {
		return err
	}
	_, next, err := u.r.putCompany(e)
	if err != nil || len(old) == 0 {
		return err
	}
	var view CompanyView
	if err := json.Unmarshal([]byte(text(old[0][4])), &view); err != nil {
		return fmt.Errorf("read company at %d: %w", old[0][0], err)
	}
	oldID := number(old[0][0])
	if err := u.r.putPast(oldID, idBytes(rev.ID), e.Body, []byte(text(old[0][4]))); err != nil {
		return err
	}
	before := view.ref(oldID)
	owners, err := u.change(tableParticipant, "empresa", "WHERE empresa = ?", next.id, oldID)
	if err != nil {
		return err
	}
	seen := map[int64]bool{}
	for _, owner := range owners {
		if seen[owner] {
			continue
		}
		seen[owner], u.stale[owner] = true, true
		if _, err := u.change(tableLink, "empresa", "WHERE certificado = ? AND empresa = ?", next.id, owner, oldID); err != nil {
			return err
		}
		if before.words != next.words || before.marks != next.marks || before.place != next.place || before.name != next.name {
			u.dirty[owner] = true
		}
	}
	return nil
}

// productChanged replaces a product's rows and moves the links to it. Only
// new words touch the index: brand and model are frozen (FAQ 3.16).
func (u *updater) productChanged(e Entry) error {
	rev, err := decode(e)
	if err != nil {
		return err
	}
	old, err := u.drop(tableProduct, "WHERE uuid = ? AND organismo = ?", idBytes(rev.ID), string(e.Body))
	if err != nil {
		return err
	}
	_, next, err := u.r.putProduct(e)
	if err != nil || len(old) == 0 {
		return err
	}
	row := old[0]
	if err := u.r.putPastProduct(row); err != nil {
		return err
	}
	if _, err := u.drop(tableGTIN, "WHERE produto = ?", row[0]); err != nil {
		return err
	}
	owners, err := u.change(tableLink, "produto", "WHERE produto = ?", next.id, row[0])
	if err != nil {
		return err
	}
	for _, owner := range owners {
		u.stale[owner] = true
	}
	brand, model := productWords(text(row[3]), text(row[4]), text(row[6]), text(row[7]))
	if brand != next.brand || model != next.model || detailWords(text(row[8])) != next.details {
		for _, owner := range owners {
			u.dirty[owner] = true
		}
	}
	return nil
}

// certificateChanged replaces a certificate with everything below it.
func (u *updater) certificateChanged(e Entry) error {
	rev, err := decode(e)
	if err != nil {
		return err
	}
	if rev.Certificate == nil {
		return fmt.Errorf("revision %d is not of a certificate", e.Index)
	}
	old, err := u.findCertificate(rev.ID, e.Body, rev.Certificate.Number)
	if err != nil {
		return err
	}
	if old != 0 {
		u.earlier[spoolKey(certificate.KindCertificate, e.Body, rev.ID)] = old
		for _, t := range []*table{tableCertificate, tableSheet} {
			if _, err := u.drop(t, "WHERE id = ?", old); err != nil {
				return err
			}
		}
		for _, t := range []*table{tableParticipant, tableLink} {
			if _, err := u.drop(t, "WHERE certificado = ?", old); err != nil {
				return err
			}
		}
		if err := u.exec("DELETE FROM busca WHERE rowid = ?", old); err != nil {
			return err
		}
		delete(u.dirty, old)
		delete(u.stale, old)
	}
	return u.r.putCertificate(e)
}

// findCertificate finds the row of a certificate by its ID: the number is
// frozen, so it is among those with the same number.
func (u *updater) findCertificate(id certificate.ID, body certificate.Sigla, num string) (int64, error) {
	found := int64(0)
	rows, err := u.QueryContext(u.ctx, `SELECT c.id, f.dados FROM certificado c JOIN ficha f ON f.id = c.id
		WHERE c.compacto = ? AND c.organismo = ?`, compactNumber(num), string(body))
	if err != nil {
		return 0, fmt.Errorf("find certificate %s: %w", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		var row int64
		var data string
		if err := rows.Scan(&row, &data); err != nil {
			return 0, fmt.Errorf("find certificate %s: %w", id, err)
		}
		if strings.HasPrefix(data, `{"id":`+strconv.Quote(string(id))+`,`) {
			found = row
		}
	}
	if err := rows.Err(); err != nil {
		return 0, fmt.Errorf("find certificate %s: %w", id, err)
	}
	return found, nil
}

func number(field any) int64 { n, _ := field.(int64); return n }
func text(field any) string  { s, _ := field.(string); return s }
