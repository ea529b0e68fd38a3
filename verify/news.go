package verify

import (
	"fmt"

	"selo/store"
)

// certificatesBelow gives all revisions of certificates in one remessa.
const certificatesBelow = `
	SELECT v.position, v.content FROM revision v
	WHERE v.remessa_id = ? AND v.kind = ? AND v.position >= ? AND v.position < ? ORDER BY v.position LIMIT ?`

// situationNumbers are the situations as a snapshot keeps them.
var situationNumbers = map[string]int{situationActive: 1, situationSuspended: 2, situationCancelled: 3}

// moved names what a certificate's revision made known: that it is there, or
// that its situation is another one than before. Empty: nothing.
func moved(before string, known bool, now string) string {
	names := map[string]string{situationActive: "reativado", situationSuspended: "suspenso", situationCancelled: "cancelado"}
	if !known {
		return "novo"
	}
	if before == now {
		return ""
	}
	return names[now]
}

// events goes along the situations of every certificate up to the published
// size and compares what moved with the snapshot's list of it.
func (p *againstPass) events() error {
	rows, err := p.here.tx.Query(p.here.ctx, `SELECT id, organismo,
		tipo || ' ' || situacao || ' ' || aceita || ' ' || classe || ' ' || numero FROM evento ORDER BY id`)
	if err != nil {
		return err
	}
	e := &exhibits{rows: rows}
	defer func() { _ = rows.Close() }() // next tells
	if err := e.next(); err != nil {
		return err
	}
	situations := map[string]string{} // by body and record
	err = p.there.eachConfirmed(func(d delivered) error {
		if d.first.Int64 >= p.seal.Publication.Size {
			return nil
		}
		return p.eventsOf(d, situations, e)
	})
	for err == nil && e.row != nil {
		p.event(e.row.index, e.row.body, e.row.facts, "")
		err = e.next()
	}
	return err
}

func (p *againstPass) eventsOf(d delivered, situations map[string]string, e *exhibits) error {
	after := int64(0)
	next := func() []any { return []any{d.id, kindCertificate, after, p.seal.Publication.Size - d.first.Int64} }
	return p.there.pages(contentPage, certificatesBelow, next, func(row *store.Rows) error {
		var position int64
		var content []byte
		if err := row.Scan(&position, &content); err != nil {
			return err
		}
		after = position + 1
		doc := parse(content)
		if doc == nil || doc.Certificate == nil {
			return nil // found where the newest are compared, or by the base's own checks
		}
		p.check.Checked++
		key, c := d.body+" "+doc.ID, doc.Certificate
		before, known := situations[key]
		situations[key] = c.Situation
		want := ""
		if kind := moved(before, known, c.Situation); kind != "" {
			want = fmt.Sprintf("%s %d %d %s %s", kind, situationNumbers[c.Situation], d.processed.Int64, c.Class, c.Number)
		}
		return p.sameEvent(d.first.Int64+position, d.body, want, e)
	}, nil)
}

// sameEvent compares what is expected at a ledger index, "" for nothing, with
// the snapshot's rows up to there.
func (p *againstPass) sameEvent(index int64, body, want string, e *exhibits) error {
	for e.row != nil && e.row.index < index {
		p.event(e.row.index, e.row.body, e.row.facts, "")
		if err := e.next(); err != nil {
			return err
		}
	}
	if e.row == nil || e.row.index > index {
		if want != "" {
			p.event(index, body, "", want)
		}
		return nil
	}
	if e.row.body != body || e.row.facts != want {
		p.event(index, body, e.row.facts, want)
	}
	return e.next()
}

// event tells of an event that the snapshot lists wrongly, lacks or invents.
func (p *againstPass) event(index int64, body, shows, want string) {
	p.check.find("verify.snapshot.event", "indice "+text(index), "organismo", body, "mostra", told(shows), "esperado", told(want))
}

func told(fact string) string {
	if fact == "" {
		return "–"
	}
	return excerpt(fact)
}

// coverage compares how many revisions of each body the snapshot says it holds,
// and since when and until when, with the confirmed remessas.
func (p *againstPass) coverage() error {
	want := map[string]string{}
	err := p.there.each(func(row *store.Rows) error {
		var body string
		var revisions, first, last int64
		if err := row.Scan(&body, &revisions, &first, &last); err != nil {
			return err
		}
		want[body] = fmt.Sprintf("%d %d %d", revisions, first, last)
		return nil
	}, `SELECT body, CAST(SUM(applied) AS BIGINT), MIN(processed_at), MAX(processed_at) FROM remessa
		WHERE state = 'confirmada' AND applied > 0 AND first_index < ? GROUP BY body ORDER BY body`, p.seal.Publication.Size)
	if err != nil {
		return err
	}
	err = p.here.each(func(row *store.Rows) error {
		var body, shows string
		if err := row.Scan(&body, &shows); err != nil {
			return err
		}
		p.check.Checked++
		if want[body] != shows {
			p.check.find("verify.snapshot.coverage", "organismo "+body, "mostra", told(shows), "esperado", told(want[body]))
		}
		delete(want, body)
		return nil
	}, `SELECT organismo, revisoes || ' ' || primeira || ' ' || ultima FROM cobertura ORDER BY organismo`)
	for body, facts := range want {
		p.check.find("verify.snapshot.coverage", "organismo "+body, "mostra", told(""), "esperado", told(facts))
	}
	return err
}
