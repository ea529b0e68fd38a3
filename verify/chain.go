package verify

import (
	"bytes"
	"database/sql"
	"time"

	"selo/brasil"
	"selo/store"
)

// chainPage is how many revisions one query of the chain pass gives.
const chainPage = 1000

// revisionRow is one revision with what stands around it.
type revisionRow struct {
	id        string
	number    int64
	kind      string
	remessa   int64
	position  int64
	content   []byte
	body      sql.NullString // of the remessa; null: there is none
	first     sql.NullInt64
	processed sql.NullInt64
	record    recordRow
}

// recordRow is the row of table record; everything is null when there is none.
type recordRow struct {
	body     sql.NullString
	kind     sql.NullString
	key      []byte
	number   sql.NullInt64
	hash     []byte
	remessa  sql.NullInt64
	position sql.NullInt64
	imported sql.NullInt64
}

const chainQuery = `
	SELECT v.record_id, v.number, v.kind, v.remessa_id, v.position, v.content, m.body, m.first_index, m.processed_at,
		c.body, c.kind, c.record_key, c.number, c.hash, c.remessa_id, c.position, c.imported
	FROM (SELECT record_id, number, kind, remessa_id, position, content FROM revision
		WHERE (record_id, number) > (?, ?) ORDER BY record_id, number LIMIT ?) v
	LEFT JOIN remessa m ON m.id = v.remessa_id
	LEFT JOIN record c ON c.id = v.record_id
	ORDER BY v.record_id, v.number`

func (v *revisionRow) fields() []any {
	c := &v.record
	return []any{&v.id, &v.number, &v.kind, &v.remessa, &v.position, &v.content, &v.body, &v.first, &v.processed,
		&c.body, &c.kind, &c.key, &c.number, &c.hash, &c.remessa, &c.position, &c.imported}
}

func (v *revisionRow) index() int64 { return v.first.Int64 + v.position }

// chainPass goes over the revisions record by record.
type chainPass struct {
	*run
	chain   *Check
	records *Check
	rules   *Check
	links   *Check
	last    revisionRow // the revision before; its content is let go
	hash    hash        // of that content
	doc     *document   // of that content; nil when it could not be read
	wanted  []reference
}

// chains checks each record's chain, the row that says where it stands, and the
// rules that hold between a revision and the one before. Links are looked up
// for the newest revision of each certificate.
func (r *run) chains() error {
	p := &chainPass{run: r, chain: r.check("chains"), records: r.check("records"), rules: r.check("rules"), links: r.check("links")}
	next := func() []any { return []any{p.last.id, p.last.number} }
	err := r.pages(chainPage, chainQuery, next, func(row *store.Rows) error {
		var v revisionRow
		if err := row.Scan(v.fields()...); err != nil {
			return err
		}
		if err := p.revision(v); err != nil {
			return err
		}
		if len(p.wanted) >= maxWanted {
			return errEnough
		}
		return nil
	}, func() error { return p.lookUp(maxWanted) })
	if err != nil {
		return err
	}
	p.newest()
	return p.lookUp(0)
}

// revision checks one revision against the one before.
func (p *chainPass) revision(v revisionRow) error {
	p.chain.Checked++
	p.advance(1)
	begins := v.id != p.last.id || p.chain.Checked == 1
	if begins {
		p.newest()
		p.last, p.hash, p.doc = revisionRow{}, hash{}, nil
	}
	name := revisionName(v.id, v.number)
	doc := parse(v.content)
	p.place(&v, name)
	if doc == nil {
		p.chain.find("verify.chain.malformed", name)
	} else {
		p.identity(&v, doc, name)
		p.issued(&v, doc, name)
		if p.doc != nil {
			p.change(doc, name)
		}
	}
	p.hash, p.doc = leafHash(v.content), doc
	v.content = nil
	p.last = v
	return nil
}

// place checks where a revision stands: numbers from 1 without gap, accepted in
// their order, in a remessa of the record's body.
func (p *chainPass) place(v *revisionRow, name string) {
	if v.number != p.last.number+1 {
		p.chain.find("verify.chain.gap", name, "esperada", text(p.last.number+1))
	}
	if !v.body.Valid {
		p.chain.find("verify.chain.orphan", name, "remessa", text(v.remessa))
		return
	}
	if p.last.id != "" && p.last.first.Valid && v.first.Valid && v.index() <= p.last.index() {
		p.chain.find("verify.chain.order", name, "indice", text(v.index()), "anterior", text(p.last.index()))
	}
}

// identity compares what the content says of itself with the columns and the chain.
func (p *chainPass) identity(v *revisionRow, doc *document, name string) {
	previous := ""
	if p.last.id != "" {
		previous = p.hash.String()
	}
	if doc.Previous != previous {
		p.chain.find("verify.chain.previous", name, "anterior", excerptHash(doc.Previous), "esperado", excerptHash(previous))
	}
	if doc.ID != v.id || doc.Number != v.number || doc.kind() != v.kind || v.body.Valid && doc.Body != v.body.String {
		p.chain.find("verify.chain.identity", name, "nome", excerpt(doc.name()))
	}
	if p.doc != nil && (p.doc.kind() != doc.kind() || p.doc.Body != doc.Body) {
		p.chain.find("verify.chain.other_record", name, "nome", excerpt(doc.name()))
	}
}

func excerptHash(s string) string { return s[:min(len(s), 16)] }

// issued: no certificate is issued after the day its first revision was accepted.
func (p *chainPass) issued(v *revisionRow, doc *document, name string) {
	if doc.Certificate == nil || !v.processed.Valid {
		return
	}
	day := time.UnixMicro(v.processed.Int64).In(brasil.Location()).Format(time.DateOnly)
	if doc.Certificate.IssuedOn > day {
		p.rules.find("verify.rule.issued_later", name, "nome", excerpt(doc.name()),
			"emissao", excerpt(doc.Certificate.IssuedOn), "aceita_em", day)
	}
}

// change checks what no revision may change against the one before: frozen
// fields (FAQ 3.13 to 3.16) and the lines of a certificate, which stay for
// ever while their situations make legal moves only (manual 2.2.1.3).
func (p *chainPass) change(doc *document, name string) {
	p.rules.Checked++
	before, now := p.doc.frozen(), doc.frozen()
	for field, was := range before {
		if is, ok := now[field]; ok && is != was {
			p.rules.find("verify.rule.frozen", name, "nome", excerpt(doc.name()), "campo", field, "de", excerpt(was), "para", excerpt(is))
		}
	}
	if p.doc.Certificate == nil || doc.Certificate == nil {
		return
	}
	situations := map[string]string{}
	doc.Certificate.eachLink(func(identity, situation string) { situations[identity] = situation })
	p.moved(name, doc, "certificado", p.doc.Certificate.Situation, doc.Certificate.Situation)
	p.doc.Certificate.eachLink(func(identity, was string) {
		is, ok := situations[identity]
		if !ok {
			p.rules.find("verify.rule.removed", name, "nome", excerpt(doc.name()), "item", excerpt(identity))
			return
		}
		p.moved(name, doc, identity, was, is)
	})
}

// moved: what is cancelled cannot be suspended, it can only be reactivated.
func (p *chainPass) moved(name string, doc *document, what, from, to string) {
	if from == situationCancelled && to == situationSuspended {
		p.rules.find("verify.rule.move", name, "nome", excerpt(doc.name()), "item", excerpt(what), "de", from, "para", to)
	}
}

// newest checks the row of the record that has just ended against its last revision.
func (p *chainPass) newest() {
	v := &p.last
	if v.number == 0 {
		return
	}
	p.records.Checked++
	name := "registro " + v.id
	c := &v.record
	if !c.body.Valid {
		p.records.find("verify.record.missing", name)
		return
	}
	if c.number.Int64 != v.number || !bytes.Equal(c.hash, p.hash[:]) || c.remessa.Int64 != v.remessa || c.position.Int64 != v.position {
		p.records.find("verify.record.newest", name, "revisao", text(c.number.Int64), "esperada", text(v.number))
	}
	if p.doc == nil {
		return
	}
	imported := p.doc.Product != nil && p.doc.Product.Imported
	if c.body.String != p.doc.Body || c.kind.String != p.doc.kind() || (c.imported.Int64 == 1) != imported {
		p.records.find("verify.record.columns", name, "nome", excerpt(p.doc.name()))
	}
	if key := p.doc.key(); !bytes.Equal(c.key, key[:]) {
		p.records.find("verify.record.key", name, "nome", excerpt(p.doc.name()))
	}
	if p.doc.Certificate != nil {
		p.certificate(name)
	}
}

// strays finds rows that the chains did not lead to: records without any
// revision, and keys that two records of one body share, which would be one
// number, or one brand, model and origin, twice (manual 2.2.1.1, FAQ 3.15).
func (r *run) strays() error {
	c := r.check("unique")
	err := r.each(func(row *store.Rows) error {
		var id string
		if err := row.Scan(&id); err != nil {
			return err
		}
		c.find("verify.record.empty", "registro "+id)
		return nil
	}, `SELECT c.id FROM record c WHERE NOT EXISTS (SELECT 1 FROM revision v WHERE v.record_id = c.id) ORDER BY c.id`)
	if err != nil {
		return err
	}
	if c.Checked, err = r.count(`SELECT COUNT(*) FROM record`); err != nil {
		return err
	}
	err = r.each(func(row *store.Rows) error {
		var body, kind, id string
		var n int64
		if err := row.Scan(&body, &kind, &id, &n); err != nil {
			return err
		}
		c.find("verify.record.twice", kind+" "+id, "organismo", body, "vezes", text(n))
		return nil
	}, `SELECT body, kind, MIN(id), COUNT(*) FROM record GROUP BY body, kind, record_key HAVING COUNT(*) > 1`)
	if err != nil {
		return err
	}
	return r.each(func(row *store.Rows) error {
		var d delivered
		var n int64
		if err := row.Scan(append(d.fields(), &n)...); err != nil {
			return err
		}
		c.find("verify.remessa.left_revisions", d.name(), "estado", d.state, "revisoes", text(n))
		return nil
	}, `SELECT `+deliveredColumns+`, (SELECT COUNT(*) FROM revision v WHERE v.remessa_id = m.id) FROM remessa m
		WHERE m.state <> 'confirmada' AND EXISTS (SELECT 1 FROM revision v WHERE v.remessa_id = m.id) ORDER BY m.id`)
}
