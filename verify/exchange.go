package verify

import (
	"bytes"
	"encoding/json"

	"selo/store"
)

// exchanges checks the body's own remessas against each other: numbers without
// gap and each on top of the one before, as far as this base made them itself;
// at most one outstanding and only the last; columns as the state demands.
func (p *certifierPass) exchanges() error {
	c := p.check("remessas")
	var before sent
	begun := false
	return p.each(func(row *store.Rows) error {
		var s sent
		if err := row.Scan(&s.sequence, &s.state, &s.digest, &s.previous, &s.file, &s.count, &s.sentAt, &s.resultAt,
			&s.reasons, &s.items); err != nil {
			return err
		}
		c.Checked++
		name := remessaName(p.sigla, s.sequence)
		p.exchange(c, &s, name)
		if s.state == remessaWithdrawn {
			return nil
		}
		own := s.file != ""
		if own && begun && s.sequence != before.sequence+1 || own && !begun && s.sequence != 1 {
			c.find("verify.remessa.gap", name, "esperada", text(before.sequence+1))
		}
		if expected := hexOrNone(before.digest); own && hexOrNone(s.previous) != expected && (begun || s.sequence == 1) {
			c.find("verify.remessa.previous", name, "anterior", short(s.previous), "esperado", short(before.digest))
		}
		if outstanding(before.state) {
			c.find("verify.remessa.open", remessaName(p.sigla, before.sequence), "seguinte", name)
		}
		before, begun = s, true
		return nil
	}, `SELECT sequence, state, digest, previous, file, count, sent_at, result_at, reasons,
			(SELECT COUNT(*) FROM remessa_item i WHERE i.remessa = m.id)
		FROM remessa m ORDER BY sequence, id`)
}

func outstanding(state string) bool { return state == remessaPrepared || state == remessaSent }

// exchange holds the columns of one remessa against its state.
func (p *certifierPass) exchange(c *Check, s *sent, name string) {
	ended := s.state == stateConfirmed || s.state == stateInvalidated
	undone := s.state == remessaWithdrawn && s.resultAt.Valid // it had ended before the registry lost it
	if ended != s.resultAt.Valid && !undone || s.state == remessaSent && !s.sentAt.Valid || s.state == remessaPrepared && s.sentAt.Valid {
		c.find("verify.remessa.state", name, "estado", s.state)
	}
	if !json.Valid([]byte(s.reasons)) {
		c.find("verify.remessa.reasons", name)
	}
	if s.file != "" && s.items != s.count {
		c.find("verify.certifier.items", name, "itens", text(s.items), "esperados", text(s.count))
	}
	if len(bytes.Trim(s.digest, "\x00")) == 0 {
		c.find("verify.certifier.no_digest", name)
	}
}

// carriedQueries find what a remessa and the log do not agree on.
var carriedQueries = []struct{ code, query string }{
	// What travels stands in the outstanding remessa.
	{"verify.certifier.travels_alone", `SELECT v.record, v.number FROM revision v WHERE v.state = 'em_remessa' AND NOT EXISTS (
		SELECT 1 FROM remessa_item i JOIN remessa m ON m.id = i.remessa WHERE m.state IN ('preparada', 'enviada')
			AND i.record = v.record AND i.kind = v.kind AND i.number = v.number AND i.hash = v.hash)`},
	// What the outstanding remessa carries travels, or was accepted before (a full one).
	{"verify.certifier.item_not_live", `SELECT i.record, i.number FROM remessa_item i JOIN remessa m ON m.id = i.remessa
		WHERE m.state IN ('preparada', 'enviada') AND NOT EXISTS (SELECT 1 FROM revision v
			WHERE v.record = i.record AND v.number = i.number AND v.hash = i.hash AND v.state IN ('em_remessa', 'aceita'))`},
	// What was confirmed stays in the log for ever.
	{"verify.certifier.item_lost", `SELECT i.record, i.number FROM remessa_item i JOIN remessa m ON m.id = i.remessa
		WHERE m.state = 'confirmada' AND NOT EXISTS (SELECT 1 FROM revision v
			WHERE v.record = i.record AND v.number = i.number AND v.hash = i.hash AND v.state IN ('aceita', 'substituida', 'superada'))`},
}

// carried checks the remessas' lists against the log.
func (p *certifierPass) carried() error {
	c := p.check("carried")
	var err error
	if c.Checked, err = p.count(`SELECT COUNT(*) FROM remessa_item`); err != nil {
		return err
	}
	for _, q := range carriedQueries {
		err := p.each(func(row *store.Rows) error {
			var record string
			var number int64
			if err := row.Scan(&record, &number); err != nil {
				return err
			}
			c.find(q.code, revisionName(record, number))
			return nil
		}, q.query)
		if err != nil {
			return err
		}
	}
	return nil
}

// events checks that the body's own audit tells of every remessa it made: one
// preparation each, one withdrawal of those withdrawn, one result of those ended.
// "remessa.undone" takes a result back that a registry restored from a backup lost.
func (p *certifierPass) events() error {
	c := p.check("audit")
	return p.each(func(row *store.Rows) error {
		var sequence int64
		var rows, events [4]int64 // prepared, withdrawn, confirmed, invalidated
		if err := row.Scan(&sequence, &rows[0], &rows[1], &rows[2], &rows[3], &events[0], &events[1], &events[2], &events[3]); err != nil {
			return err
		}
		c.Checked++
		for i, code := range []string{"verify.certifier.not_prepared", "verify.certifier.not_withdrawn", "verify.certifier.outcome", "verify.certifier.outcome"} {
			if rows[i] != events[i] {
				c.find(code, remessaName(p.sigla, sequence), "eventos", text(events[i]), "esperados", text(rows[i]))
			}
		}
		return nil
	}, `SELECT m.sequence, COUNT(*), SUM(m.state = 'cancelada'), SUM(m.state = 'confirmada'), SUM(m.state = 'invalidada'),
			COALESCE(a.prepared, 0), COALESCE(a.withdrawn, 0), COALESCE(a.confirmed, 0), COALESCE(a.invalidated, 0)
		FROM remessa m LEFT JOIN (SELECT subject, SUM(kind = 'remessa.prepared') AS prepared,
				SUM(kind IN ('remessa.cancelled', 'remessa.undone')) AS withdrawn,
				SUM((kind = 'remessa.confirmed') - (kind = 'remessa.undone' AND json_extract(detail, '$.estado') = 'confirmada')) AS confirmed,
				SUM((kind = 'remessa.invalidated') - (kind = 'remessa.undone' AND json_extract(detail, '$.estado') = 'invalidada')) AS invalidated
			FROM audit_event WHERE subject LIKE 'remessa:%' GROUP BY subject) a ON a.subject = 'remessa:' || m.sequence
		WHERE m.file <> '' GROUP BY m.sequence ORDER BY m.sequence`)
}
