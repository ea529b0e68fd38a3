package verify

import (
	"bytes"
	"cmp"
	"context"

	"selo/store"
)

// Pair compares both bases of a body: what its certifier at path holds as
// accepted is exactly what the registry at url holds of it, no revision lost,
// doubled or reordered, and both tell the same of every remessa.
//
// What is only under way is no finding and counted as Skipped: a result that
// the body has not fetched yet, and the older history of a body's base that was
// restored from the registry, which knows newest states only.
func Pair(ctx context.Context, url, path string, opts Options) (Report, error) {
	// The body's picture is taken first: what the registry accepts in between
	// is then under way here, never unknown there.
	return open(ctx, "sqlite:"+path, opts, func(here *run) error {
		p := &pairPass{here: here}
		if err := p.body(); err != nil {
			return err
		}
		quiet := opts
		quiet.Progress = nil // the body's side tells
		_, err := open(ctx, url, quiet, func(there *run) error {
			p.there = there
			return p.compare()
		})
		return err
	})
}

// pairPass compares two bases, each on one unchanging picture.
type pairPass struct {
	here, there *run
	sigla       string
	restored    bool // the body's base was filled from the registry at some time
}

// body reads whose base it is and where it comes from.
func (p *pairPass) body() error {
	own := &certifierPass{run: p.here}
	if err := own.body(); err != nil {
		return err
	}
	p.sigla = own.sigla
	n, err := p.here.count(`SELECT COUNT(*) FROM audit_event WHERE kind IN ('base.restored', 'base.reconciled')`)
	if err != nil {
		return err
	}
	p.restored = n > 0
	return nil
}

func (p *pairPass) compare() (err error) {
	if p.here.total, err = p.there.count(`SELECT COUNT(*) FROM record WHERE body = ?`, p.sigla); err != nil {
		return err
	}
	if err := p.revisions(); err != nil {
		return err
	}
	return p.remessas()
}

// pairRow is a row of either side: of revisions by record and number, of
// remessas by sequence alone.
type pairRow struct {
	record string
	number int64
	kind   string
	hash   []byte
	state  string
	newest int64 // at the registry
}

func (a *pairRow) order(b *pairRow) int {
	return cmp.Or(cmp.Compare(a.record, b.record), cmp.Compare(a.number, b.number))
}

// side reads one base's rows one after the other.
type side struct {
	rows *store.Rows
	scan func(rows *store.Rows, r *pairRow) error
	row  *pairRow // nil at the end
}

func (s *side) next() error {
	s.row = nil
	if !s.rows.Next() {
		return s.rows.Err()
	}
	s.row = &pairRow{}
	return s.scan(s.rows, s.row)
}

// merge walks through both sides in their common order; the side that lacks a row gives nil.
func merge(here, there *side, visit func(here, there *pairRow)) error {
	for _, s := range []*side{here, there} {
		if err := s.next(); err != nil {
			return err
		}
	}
	for here.row != nil || there.row != nil {
		a, b := here.row, there.row
		if a != nil && b != nil {
			switch order := a.order(b); {
			case order < 0:
				b = nil
			case order > 0:
				a = nil
			}
		}
		visit(a, b)
		if a != nil {
			if err := here.next(); err != nil {
				return err
			}
		}
		if b != nil {
			if err := there.next(); err != nil {
				return err
			}
		}
	}
	return nil
}

// revisions compares the accepted histories.
func (p *pairPass) revisions() error {
	c := p.here.check("pair")
	collate := "" // both sides must sort by bytes
	if p.there.tx.Dialect() == store.Postgres {
		collate = ` COLLATE "C"`
	}
	theirs, err := p.there.tx.Query(p.there.ctx, `
		SELECT v.record_id, v.number, v.kind, v.hash, COALESCE(r.number, 0) FROM revision v
		JOIN remessa m ON m.id = v.remessa_id LEFT JOIN record r ON r.id = v.record_id
		WHERE m.body = ? ORDER BY v.record_id`+collate+`, v.number`, p.sigla)
	if err != nil {
		return err
	}
	defer func() { _ = theirs.Close() }() // merge tells
	ours, err := p.here.tx.Query(p.here.ctx, `
		SELECT record, number, kind, hash, state FROM revision WHERE state IN ('aceita', 'substituida', 'em_remessa')
		ORDER BY record, number, sequence`)
	if err != nil {
		return err
	}
	defer func() { _ = ours.Close() }() // merge tells
	var last pairRow
	return merge(
		&side{rows: ours, scan: func(rows *store.Rows, r *pairRow) error {
			return rows.Scan(&r.record, &r.number, &r.kind, &r.hash, &r.state)
		}},
		&side{rows: theirs, scan: func(rows *store.Rows, r *pairRow) error {
			return rows.Scan(&r.record, &r.number, &r.kind, &r.hash, &r.newest)
		}},
		func(here, there *pairRow) {
			c.Checked++
			p.here.advance(1)
			if here != nil {
				if here.order(&last) == 0 {
					c.find("verify.pair.doubled", revisionName(here.record, here.number))
				}
				last = *here
			}
			p.revision(c, here, there)
		})
}

func (p *pairPass) revision(c *Check, here, there *pairRow) {
	switch {
	case there == nil:
		if here.state != revisionTravelling {
			c.find("verify.pair.unknown_there", revisionName(here.record, here.number), "estado", here.state)
		}
		return
	case here == nil && there.number == there.newest:
		c.find("verify.pair.missing_here", revisionName(there.record, there.number))
		return
	case here == nil && p.restored:
		c.Skipped++
		return
	case here == nil:
		c.find("verify.pair.lost_here", revisionName(there.record, there.number))
		return
	}
	name := revisionName(here.record, here.number)
	if !bytes.Equal(here.hash, there.hash) || here.kind != there.kind {
		c.find("verify.pair.different", name, "aqui", short(here.hash), "registro", short(there.hash))
	}
	newest := there.number == there.newest
	switch {
	case newest && here.state == revisionTravelling:
		c.Skipped++ // accepted there, its result is not applied here yet
	case newest && here.state != revisionAccepted, !newest && here.state == revisionTravelling:
		c.find("verify.pair.state", name, "estado", here.state)
	}
}

// remessas compares what both sides tell of each remessa.
func (p *pairPass) remessas() error {
	c := p.here.check("pair_remessas")
	theirs, err := p.there.tx.Query(p.there.ctx, `SELECT sequence, digest, state FROM remessa WHERE body = ? ORDER BY sequence`, p.sigla)
	if err != nil {
		return err
	}
	defer func() { _ = theirs.Close() }() // merge tells
	ours, err := p.here.tx.Query(p.here.ctx, `SELECT sequence, digest, state FROM remessa WHERE state <> 'cancelada' ORDER BY sequence`)
	if err != nil {
		return err
	}
	defer func() { _ = ours.Close() }() // merge tells
	scan := func(rows *store.Rows, r *pairRow) error { return rows.Scan(&r.number, &r.hash, &r.state) }
	return merge(&side{rows: ours, scan: scan}, &side{rows: theirs, scan: scan}, func(here, there *pairRow) {
		c.Checked++
		p.remessa(c, here, there)
	})
}

func (p *pairPass) remessa(c *Check, here, there *pairRow) {
	switch {
	case there == nil:
		if !outstanding(here.state) {
			c.find("verify.pair.remessa_unknown_there", remessaName(p.sigla, here.number), "estado", here.state)
		}
	case here == nil && p.restored:
		c.Skipped++
	case here == nil:
		c.find("verify.pair.remessa_unknown_here", remessaName(p.sigla, there.number), "estado", there.state)
	case !bytes.Equal(here.hash, there.hash):
		c.find("verify.pair.remessa_different", remessaName(p.sigla, here.number), "aqui", short(here.hash), "registro", short(there.hash))
	case here.state == there.state:
	case outstanding(here.state) && there.state == stateReceived:
	case outstanding(here.state):
		c.Skipped++ // the result is not applied here yet
	default:
		c.find("verify.pair.remessa_state", remessaName(p.sigla, here.number), "aqui", here.state, "registro", there.state)
	}
}
