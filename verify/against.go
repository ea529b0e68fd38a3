package verify

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"selo/store"
)

// SnapshotAgainst verifies a snapshot and then compares it with the official
// base at url: it shows a publication of that base, and its companies, products
// and certificates are the newest ones below the published size, no more and no
// fewer, each with the facts that the public relies on; what moved, and how much
// there is of each body, follows from all revisions.
func SnapshotAgainst(ctx context.Context, path, url string, opts Options) (Report, error) {
	return openSnapshot(ctx, path, opts, func(here *run, s *seal) error {
		quiet := opts
		quiet.Progress = nil // the snapshot's side tells
		_, err := open(ctx, url, quiet, func(there *run) error {
			p := &againstPass{here: here, there: there, seal: s, check: here.check("snapshot_registry")}
			return p.compare()
		})
		return err
	})
}

// againstPass compares one snapshot with the official base.
type againstPass struct {
	here, there *run
	seal        *seal
	check       *Check
}

func (p *againstPass) compare() error {
	if err := p.publication(); err != nil {
		return err
	}
	for _, kind := range []string{kindCompany, kindProduct, kindCertificate} {
		if err := p.kind(kind); err != nil {
			return err
		}
	}
	if err := p.events(); err != nil {
		return err
	}
	return p.coverage()
}

// publication looks for the shown publication in the base.
func (p *againstPass) publication() error {
	s := &p.seal.Publication
	found := false
	err := p.there.each(func(row *store.Rows) error {
		var at, size int64
		var root []byte
		var checkpoint string
		if err := row.Scan(&at, &size, &root, &checkpoint); err != nil {
			return err
		}
		found = size == s.Size && at == s.At.UnixMicro() && hex.EncodeToString(root) == s.Root && checkpoint == s.Checkpoint
		return nil
	}, `SELECT at, size, root, checkpoint FROM publication WHERE number = ?`, s.Number)
	if err == nil && !found {
		p.check.find("verify.snapshot.publication", "publicação "+text(s.Number))
	}
	return err
}

// factsQuery gives, by ledger index, what a snapshot shows of the records of a kind.
var factsQuery = map[string]string{
	kindCompany: `SELECT id, organismo, cnpj FROM empresa ORDER BY id`,
	kindProduct: `SELECT id, organismo, importado || ' ' || marca || ' / ' || modelo FROM produto ORDER BY id`,
	kindCertificate: `SELECT id, organismo, situacao || ' ' || emissao || ' ' || tipo || ' ' || classe || ' ' || produtos || ' ' || numero
		FROM certificado ORDER BY id`,
}

// facts are the same, made of the revision.
func (d *document) facts() string {
	switch d.kind() {
	case kindCompany:
		if d.Company.Person == personNatural {
			return "" // of a person only the hidden CPF is shown (Lei 13.709/2018)
		}
		return d.Company.CNPJ
	case kindProduct:
		imported := 0
		if d.Product.Imported {
			imported = 1
		}
		return fmt.Sprintf("%d %s / %s", imported, d.Product.Brand, d.Product.Model)
	case kindCertificate:
		c := d.Certificate
		active := 0
		for _, l := range c.Products {
			if l.Situation == situationActive {
				active++
			}
		}
		day, _ := strconv.Atoi(strings.ReplaceAll(c.IssuedOn, "-", "")) // 0: no date, as in the snapshot
		return fmt.Sprintf("%d %d %s %s %d %s", situationNumbers[c.Situation], day, c.Type, c.Class, active, c.Number)
	}
	return ""
}

// exhibit is a row of the snapshot.
type exhibit struct {
	index int64 // in the ledger
	body  string
	facts string
}

// exhibits reads the snapshot's rows of a kind one after the other.
type exhibits struct {
	rows *store.Rows
	row  *exhibit // nil at the end
}

func (e *exhibits) next() error {
	e.row = nil
	if !e.rows.Next() {
		return e.rows.Err()
	}
	e.row = &exhibit{}
	return e.rows.Scan(&e.row.index, &e.row.body, &e.row.facts)
}

// kind compares the records of one kind in the order of the ledger, in which
// both sides give them.
func (p *againstPass) kind(kind string) error {
	rows, err := p.here.tx.Query(p.here.ctx, factsQuery[kind])
	if err != nil {
		return err
	}
	e := &exhibits{rows: rows}
	defer func() { _ = rows.Close() }() // next tells
	if err := e.next(); err != nil {
		return err
	}
	err = p.there.eachConfirmed(func(d delivered) error {
		if d.first.Int64 >= p.seal.Publication.Size {
			return nil
		}
		return p.remessa(kind, d, e)
	})
	for err == nil && e.row != nil {
		p.check.find("verify.snapshot.extra", kind+" "+text(e.row.index), "organismo", e.row.body)
		err = e.next()
	}
	return err
}

// newestBelow gives the revisions of a kind in one remessa that are their
// record's newest below the published size.
const newestBelow = `
	SELECT v.position, v.content FROM revision v
	WHERE v.remessa_id = ? AND v.kind = ? AND v.position >= ? AND v.position < ? AND NOT EXISTS (
		SELECT 1 FROM revision w JOIN remessa m ON m.id = w.remessa_id
		WHERE w.record_id = v.record_id AND w.number = v.number + 1 AND m.first_index + w.position < ?)
	ORDER BY v.position LIMIT ?`

func (p *againstPass) remessa(kind string, d delivered, e *exhibits) error {
	size := p.seal.Publication.Size
	after := int64(0)
	next := func() []any { return []any{d.id, kind, after, size - d.first.Int64, size} }
	return p.there.pages(contentPage, newestBelow, next, func(row *store.Rows) error {
		var position int64
		var content []byte
		if err := row.Scan(&position, &content); err != nil {
			return err
		}
		after = position + 1
		doc := parse(content)
		if doc == nil {
			p.check.find("verify.chain.malformed", d.name()+" posição "+text(position))
			return nil
		}
		return p.record(d.first.Int64+position, d.body, doc, e)
	}, nil)
}

// record compares one record with what is shown of it.
func (p *againstPass) record(index int64, body string, doc *document, e *exhibits) error {
	p.check.Checked++
	p.here.advance(1)
	for e.row != nil && e.row.index < index {
		p.check.find("verify.snapshot.extra", doc.kind()+" "+text(e.row.index), "organismo", e.row.body)
		if err := e.next(); err != nil {
			return err
		}
	}
	if e.row == nil || e.row.index > index {
		p.check.find("verify.snapshot.missing", doc.name(), "organismo", body, "indice", text(index))
		return nil
	}
	if want := doc.facts(); e.row.body != body || e.row.facts != want {
		p.check.find("verify.snapshot.facts", doc.name(), "mostra", excerpt(e.row.facts), "esperado", excerpt(want))
	}
	return e.next()
}
