package verify

import (
	"bytes"
	"database/sql"

	"selo/store"
)

// contentPage is how many revisions one query of the ledger pass gives.
const contentPage = 2000

// published is a row of table publication without its lists.
type published struct {
	number     int64
	at         int64
	size       int64
	root       []byte
	checkpoint string
}

func (p *published) name() string { return "publicação " + text(p.number) }

// ledgerPass goes over all accepted revisions in the order of the ledger.
type ledgerPass struct {
	*run
	content *Check
	order   *Check
	tiles   *Check
	public  *Check
	tree    tree
	waiting []published // whose sizes are still to come, the smallest first
}

// ledger re-derives the ledger out of the contents alone: each content's hash
// and form, the place of every confirmed remessa, the tiles, the head, and the
// root at the size of each publication. Old roots and new ones come out of one
// sequence of leaves here, which is what a consistency proof proves.
func (r *run) ledger() error {
	p := &ledgerPass{run: r, content: r.check("content"), order: r.check("order"), tiles: r.check("tiles"), public: r.check("publications")}
	if err := p.loadPublications(); err != nil {
		return err
	}
	p.reach()
	if err := p.eachConfirmed(p.remessa); err != nil {
		return err
	}
	return p.end()
}

// eachConfirmed visits the confirmed remessas by their place in the ledger; an
// empty one stands before the one that begins at the same place.
func (r *run) eachConfirmed(visit func(d delivered) error) error {
	var page []delivered
	last := delivered{first: sql.NullInt64{Int64: -1}, applied: -1}
	next := func() []any {
		return []any{last.first.Int64, last.applied, last.id}
	}
	return r.pages(200, `
		SELECT `+deliveredColumns+` FROM remessa m
		WHERE m.state = 'confirmada' AND (COALESCE(m.first_index, 0), m.applied, m.id) > (?, ?, ?)
		ORDER BY COALESCE(m.first_index, 0), m.applied, m.id LIMIT ?`, next,
		func(row *store.Rows) error {
			var d delivered
			if err := row.Scan(d.fields()...); err != nil {
				return err
			}
			last = d
			page = append(page, last)
			return nil
		},
		func() error {
			for _, d := range page {
				if err := visit(d); err != nil {
					return err
				}
			}
			page = page[:0]
			return nil
		})
}

// remessa adds one confirmed remessa's revisions.
func (p *ledgerPass) remessa(d delivered) error {
	p.order.Checked++
	if d.first.Int64 != p.tree.size {
		p.order.find("verify.order.index", d.name(), "indice", text(d.first.Int64), "esperado", text(p.tree.size))
	}
	seen, expected := int64(0), int64(0)
	next := func() []any { return []any{d.id, expected} }
	err := p.pages(contentPage, `
		SELECT v.position, v.hash, v.content, v.record_id, v.number FROM revision v
		WHERE v.remessa_id = ? AND v.position >= ? ORDER BY v.position LIMIT ?`, next,
		func(row *store.Rows) error {
			var position, number int64
			var stored, content []byte
			var id string
			if err := row.Scan(&position, &stored, &content, &id, &number); err != nil {
				return err
			}
			if position != expected {
				p.order.find("verify.order.position", d.name(), "posicao", text(position), "esperada", text(expected))
			}
			expected = position + 1
			seen++
			p.leaf(stored, content, revisionName(id, number))
			return nil
		},
		p.takeTiles)
	if err != nil {
		return err
	}
	if seen != d.applied {
		p.order.find("verify.order.applied", d.name(), "aplicadas", text(d.applied), "encontradas", text(seen))
	}
	return nil
}

func revisionName(id string, number int64) string {
	return "registro " + id + " revisão " + text(number)
}

// leaf checks one content and adds it to the tree.
func (p *ledgerPass) leaf(stored, content []byte, name string) {
	p.content.Checked++
	p.advance(1)
	h := leafHash(content)
	if !bytes.Equal(h[:], stored) {
		p.content.find("verify.content.hash", name, "guardado", short(stored), "calculado", short(h[:]))
	}
	if !isCanonical(content) {
		p.content.find("verify.content.canonical", name)
	}
	p.tree.add(h)
	p.reach()
}

// takeTiles compares the tiles that have filled up meanwhile.
func (p *ledgerPass) takeTiles() error {
	full := p.tree.full
	p.tree.full = nil
	return p.compareTiles(p.tiles, full)
}

// end compares what only the whole ledger can tell.
func (p *ledgerPass) end() error {
	if err := p.compareTiles(p.tiles, append(p.tree.full, p.tree.edge...)); err != nil {
		return err
	}
	if err := p.extraTiles(); err != nil {
		return err
	}
	heads := 0
	root := p.tree.root()
	err := p.each(func(row *store.Rows) error {
		var size int64
		var stored []byte
		if err := row.Scan(&size, &stored); err != nil {
			return err
		}
		heads++
		p.tiles.Checked++
		if size != p.tree.size {
			p.tiles.find("verify.head.size", "livro", "tamanho", text(size), "esperado", text(p.tree.size))
		}
		if !bytes.Equal(stored, root[:]) {
			p.tiles.find("verify.head.root", "livro", "guardada", short(stored), "calculada", short(root[:]))
		}
		return nil
	}, `SELECT size, root FROM ledger_head`)
	if err == nil && heads != 1 {
		p.tiles.find("verify.head.size", "livro", "tamanho", "-", "esperado", text(p.tree.size))
	}
	for i := range p.waiting {
		p.public.find("verify.publication.size", p.waiting[i].name(), "tamanho", text(p.waiting[i].size), "livro", text(p.tree.size))
	}
	return err
}

// extraTiles finds tiles beyond the end of the ledger.
func (p *ledgerPass) extraTiles() error {
	for level := range 7 {
		unit := int64(1) << (tileHeight * level)
		tiles := (p.tree.size/unit + tileWidth - 1) / tileWidth
		err := p.each(func(row *store.Rows) error {
			var n int64
			if err := row.Scan(&n); err != nil {
				return err
			}
			p.tiles.find("verify.tile.extra", tileName(level, n))
			return nil
		}, `SELECT n FROM ledger_tile WHERE level = ? AND (n < 0 OR n >= ?) ORDER BY n`, level, tiles)
		if err != nil {
			return err
		}
	}
	return p.each(func(row *store.Rows) error {
		var level int
		var n int64
		if err := row.Scan(&level, &n); err != nil {
			return err
		}
		p.tiles.find("verify.tile.extra", tileName(level, n))
		return nil
	}, `SELECT level, n FROM ledger_tile WHERE level < 0 OR level >= 7 ORDER BY level, n`)
}
