package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"selo/store"
)

// States of revisions and remessas in the body's own base, as stored.
const (
	revisionApproved   = "aprovada"
	revisionTravelling = "em_remessa"
	revisionAccepted   = "aceita"
	revisionReplaced   = "substituida"

	remessaPrepared  = "preparada"
	remessaSent      = "enviada"
	remessaWithdrawn = "cancelada"
)

// Certifier verifies a body's own base, the SQLite file at path, and with
// Options.Outbox the bundle that waits there. Faults are those of store.Open.
func Certifier(ctx context.Context, path string, opts Options) (Report, error) {
	return open(ctx, "sqlite:"+path, opts, func(r *run) error {
		var err error
		if r.total, err = r.count(`SELECT (SELECT COUNT(*) FROM revision) + (SELECT COUNT(*) FROM record)`); err != nil {
			return err
		}
		p := &certifierPass{run: r}
		if err := p.body(); err != nil {
			return err
		}
		for _, step := range []func() error{p.log, p.standings, p.names, p.exchanges, p.carried, p.bundleFile, p.events} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
}

// certifierPass goes over a body's own base.
type certifierPass struct {
	*run
	sigla string
}

// body reads whose base it is; empty before it was set up.
func (p *certifierPass) body() error {
	return p.each(func(row *store.Rows) error {
		var value []byte
		if err := row.Scan(&value); err != nil {
			return err
		}
		var body struct {
			Sigla string `json:"sigla"`
		}
		_ = json.Unmarshal(value, &body) // an unreadable setting leaves no body, which each revision then tells
		p.sigla = body.Sigla
		return nil
	}, `SELECT value FROM setting WHERE name = 'organismo'`)
}

// logged is one revision of the body's log.
type logged struct {
	record  string
	number  int64
	state   string
	hash    hash
	content []byte
	stored  []byte
	kind    string
}

// log checks every revision of the log by itself, and against what the
// registry accepted before it: that history is a chain wherever two neighbours
// are known (a restored base knows the newest only), and what travels goes on
// top of what is accepted.
func (p *certifierPass) log() error {
	c := p.check("log")
	var record string
	var accepted map[int64]logged // of the record at hand, by number; without contents
	err := p.each(func(row *store.Rows) error {
		var v logged
		if err := row.Scan(&v.record, &v.kind, &v.number, &v.stored, &v.state, &v.content); err != nil {
			return err
		}
		c.Checked++
		p.advance(1)
		if v.record != record {
			record, accepted = v.record, map[int64]logged{}
		}
		p.logged(c, &v, accepted)
		return nil
	}, `SELECT record, kind, number, hash, state, content FROM revision
		ORDER BY record, CASE state WHEN 'em_remessa' THEN 1 WHEN 'aceita' THEN 0 WHEN 'substituida' THEN 0 ELSE 2 END, number, sequence`)
	return err
}

func (p *certifierPass) logged(c *Check, v *logged, accepted map[int64]logged) {
	name := revisionName(v.record, v.number)
	v.hash = leafHash(v.content)
	if !bytes.Equal(v.hash[:], v.stored) {
		c.find("verify.content.hash", name, "guardado", short(v.stored), "calculado", short(v.hash[:]))
	}
	if !isCanonical(v.content) {
		c.find("verify.content.canonical", name)
	}
	doc := parse(v.content)
	v.content = nil
	if doc == nil {
		c.find("verify.chain.malformed", name)
		return
	}
	if doc.ID != v.record || doc.Number != v.number || doc.kind() != v.kind || doc.Body != p.sigla {
		c.find("verify.chain.identity", name, "nome", excerpt(doc.name()))
	}
	switch v.state {
	case revisionAccepted, revisionReplaced:
		if _, twice := accepted[v.number]; twice {
			c.find("verify.certifier.accepted_twice", name)
		}
		before, known := accepted[v.number-1]
		if (known || v.number == 1) && doc.Previous != hexOrNone(before.hash[:]) {
			c.find("verify.chain.previous", name, "anterior", excerptHash(doc.Previous), "esperado", excerptHash(hexOrNone(before.hash[:])))
		}
		for _, other := range accepted {
			if other.state == revisionAccepted { // they come by number: an earlier one cannot be the accepted
				c.find("verify.certifier.not_newest", revisionName(v.record, other.number), "substituida", text(v.number))
			}
		}
		accepted[v.number] = *v
	case revisionTravelling:
		var base logged
		for _, other := range accepted {
			if other.state == revisionAccepted {
				base = other
			}
		}
		if v.number != base.number+1 || doc.Previous != hexOrNone(base.hash[:]) {
			c.find("verify.certifier.travels_on", name, "aceita", text(base.number))
		}
	}
}

// standings checks that a record has at most one revision of each live state,
// and that none was taken out of the log.
func (p *certifierPass) standings() error {
	c := p.check("standings")
	var err error
	if c.Checked, err = p.count(`SELECT COUNT(*) FROM record`); err != nil {
		return err
	}
	err = p.each(func(row *store.Rows) error {
		var record, state string
		var n int64
		if err := row.Scan(&record, &state, &n); err != nil {
			return err
		}
		c.find("verify.certifier.twice", "registro "+record, "estado", state, "vezes", text(n))
		return nil
	}, `SELECT record, state, COUNT(*) FROM revision WHERE state IN ('aprovada', 'em_remessa', 'aceita')
		GROUP BY record, state HAVING COUNT(*) > 1 ORDER BY record`)
	if err != nil {
		return err
	}
	// AUTOINCREMENT never gives a number twice and a rolled back one comes again.
	for _, table := range []string{"revision", "remessa", "audit_event"} {
		c.Checked++
		given, err := p.count(`SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = ?`, table)
		if err != nil {
			return err
		}
		have, err := p.count(`SELECT COUNT(*) FROM ` + table)
		if err != nil {
			return err
		}
		if given != have {
			c.find("verify.certifier.log_gap", "tabela "+table, "linhas", text(have), "esperadas", text(given))
		}
	}
	return nil
}

// names checks each record's key against its newest content; a key is missing
// exactly where nothing names the record.
func (p *certifierPass) names() error {
	c := p.check("records")
	err := p.each(func(row *store.Rows) error {
		var id, kind string
		var key, content []byte
		var drafted bool
		if err := row.Scan(&id, &kind, &key, &content, &drafted); err != nil {
			return err
		}
		c.Checked++
		p.advance(1)
		name := "registro " + id
		if content == nil {
			if key != nil {
				c.find("verify.record.empty", name)
			}
			return nil
		}
		doc := parse(content)
		if doc == nil || doc.ID != id || doc.kind() != kind {
			if drafted {
				c.find("verify.certifier.draft", name)
			}
			return nil // a bad revision is found in the log
		}
		var want []byte
		if doc.named() {
			k := doc.key()
			want = k[:]
		}
		if !bytes.Equal(key, want) {
			c.find("verify.record.key", name, "nome", excerpt(doc.name()))
		}
		return nil
	}, `SELECT id, kind, key, COALESCE(
			(SELECT content FROM draft d WHERE d.record = c.id),
			(SELECT content FROM revision v WHERE v.record = c.id AND v.kind = c.kind AND v.state = 'aprovada'),
			(SELECT content FROM revision v WHERE v.record = c.id AND v.kind = c.kind AND v.state = 'em_remessa'),
			(SELECT content FROM revision v WHERE v.record = c.id AND v.kind = c.kind AND v.state = 'aceita')),
			EXISTS (SELECT 1 FROM draft d WHERE d.record = c.id)
		FROM record c ORDER BY id`)
	if err != nil {
		return err
	}
	return p.each(func(row *store.Rows) error {
		var kind, id string
		var n int64
		if err := row.Scan(&kind, &id, &n); err != nil {
			return err
		}
		c.find("verify.record.twice", kind+" "+id, "organismo", p.sigla, "vezes", text(n))
		return nil
	}, `SELECT kind, MIN(id), COUNT(*) FROM record WHERE key IS NOT NULL GROUP BY kind, key HAVING COUNT(*) > 1`)
}

// named tells whether anything identifies the content yet.
func (d *document) named() bool {
	switch d.kind() {
	case kindCertificate:
		return squeeze(d.Certificate.Number) != ""
	case kindCompany:
		return d.Company.CNPJ != "" || d.Company.CPF != "" || squeeze(d.Company.Name) != ""
	case kindProduct:
		return squeeze(d.Product.Brand+d.Product.Model) != ""
	}
	return false
}

// bundleFile checks the file of the outstanding remessa in the outbox.
func (p *certifierPass) bundleFile() error {
	c := p.check("outbox")
	var file string
	var digest []byte
	var sequence int64
	err := p.each(func(row *store.Rows) error { return row.Scan(&file, &digest, &sequence) },
		`SELECT file, digest, sequence FROM remessa WHERE state IN ('preparada', 'enviada') AND file <> ''`)
	if err != nil || file == "" {
		return err
	}
	c.Checked++
	if p.opts.Outbox == "" {
		c.Skipped++
		return nil
	}
	name := remessaName(p.sigla, sequence)
	f, err := os.Open(filepath.Join(p.opts.Outbox, filepath.Base(file)))
	if errors.Is(err, fs.ErrNotExist) {
		c.find("verify.certifier.file_missing", name, "arquivo", excerpt(file))
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	info, err := f.Stat()
	if err != nil {
		return err
	}
	b, ok := openBundle(f, info.Size())
	if !ok {
		c.find("verify.bundle.form", name)
		return nil
	}
	if sum := sha256.Sum256(b.raw); !bytes.Equal(sum[:], digest) {
		c.find("verify.bundle.digest", name, "guardado", short(digest), "calculado", short(sum[:]))
	}
	var counts [4]int64
	sound, err := b.lines(func(content []byte) error {
		if doc := parse(content); doc != nil {
			counts[kindOrder[doc.kind()]]++
		}
		return nil
	})
	if err == nil && (!sound || counts != b.manifest.counts()) {
		c.find("verify.bundle.content", name)
	}
	return err
}

// sent is a row of the body's own remessas.
type sent struct {
	sequence int64
	state    string
	digest   []byte
	previous []byte
	file     string // empty: learnt from the registry
	count    int64
	items    int64
	sentAt   sql.NullInt64
	resultAt sql.NullInt64
	reasons  string
}
