package verify

import (
	"bytes"
	"encoding/json"

	"selo/store"
)

// enrolled is a row of table body.
type enrolled struct {
	sigla    string
	signKey  []byte
	sequence int64
	digest   []byte
}

// bodies loads the bodies: there are a few hundred at most.
func (r *run) bodies() ([]enrolled, error) {
	var list []enrolled
	err := r.each(func(row *store.Rows) error {
		var b enrolled
		if err := row.Scan(&b.sigla, &b.signKey, &b.sequence, &b.digest); err != nil {
			return err
		}
		list = append(list, b)
		return nil
	}, `SELECT sigla, sign_key, sequence, digest FROM body ORDER BY sigla`)
	return list, err
}

// remessas checks each body's remessas against each other and against the body
// (manual 1.4): numbers without gap, each on top of the one before whatever its
// outcome, at most one open and only the last, the body where the last left it.
func (r *run) remessas() error {
	c := r.check("remessas")
	bodies, err := r.bodies()
	if err != nil {
		return err
	}
	for _, b := range bodies {
		if err := r.remessasOf(c, b); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) remessasOf(c *Check, b enrolled) error {
	c.Checked++
	zero := make([]byte, len(hash{}))
	before := delivered{digest: zero} // the remessa before, of whatever state
	settled := before                 // the last processed one
	err := r.each(func(row *store.Rows) error {
		var d delivered
		var reasons string
		var total int64
		if err := row.Scan(append(d.fields(), &reasons, &total)...); err != nil {
			return err
		}
		c.Checked++
		if d.sequence != before.sequence+1 {
			c.find("verify.remessa.gap", d.name(), "esperada", text(before.sequence+1))
		}
		if !bytes.Equal(d.previous, before.digest) {
			c.find("verify.remessa.previous", d.name(), "anterior", short(d.previous), "esperado", short(before.digest))
		}
		if before.state == stateReceived {
			c.find("verify.remessa.open", before.name(), "seguinte", d.name())
		}
		checkOutcome(c, &d, reasons, total)
		before = d
		if d.state != stateReceived {
			settled = before
		}
		return nil
	}, `SELECT `+deliveredColumns+`, m.reasons, m.total_reasons FROM remessa m WHERE m.body = ? ORDER BY m.sequence`, b.sigla)
	if err != nil {
		return err
	}
	if b.sequence != settled.sequence || !bytes.Equal(b.digest, settled.digest) {
		c.find("verify.remessa.body", "organismo "+b.sigla, "sequencia", text(b.sequence), "esperada", text(settled.sequence))
	}
	return nil
}

// checkOutcome holds the columns of one remessa against its state.
func checkOutcome(c *Check, d *delivered, reasons string, total int64) {
	var list []json.RawMessage
	if json.Unmarshal([]byte(reasons), &list) != nil {
		c.find("verify.remessa.reasons", d.name())
	}
	sound := false
	switch d.state {
	case stateReceived:
		sound = !d.processed.Valid && !d.first.Valid && d.applied == 0 && total == 0
	case stateConfirmed:
		sound = d.processed.Valid && d.first.Valid && d.applied >= 0 && d.applied <= d.total() && total == 0
	case stateInvalidated:
		sound = d.processed.Valid && !d.first.Valid && d.applied == 0 && total > 0 && len(list) > 0
	}
	if !sound {
		c.find("verify.remessa.state", d.name(), "estado", d.state)
	}
}

// traces checks what processing leaves beside the data: one event for the
// arrival and one for the outcome, the job that processes and the mail that
// tells, each once. Old finished jobs may have been cleared away.
func (r *run) traces() error {
	events, jobs := r.check("audit"), r.check("jobs")
	err := r.each(func(row *store.Rows) error {
		var body, state string
		var sequence, received, confirmed, invalidated, waiting, processing, mails int64
		if err := row.Scan(&body, &sequence, &state, &received, &confirmed, &invalidated, &waiting, &processing, &mails); err != nil {
			return err
		}
		name := remessaName(body, sequence)
		events.Checked++
		jobs.Checked++
		if received != 1 {
			events.find("verify.audit.received", name, "eventos", text(received))
		}
		want := map[string][2]int64{stateConfirmed: {1, 0}, stateInvalidated: {0, 1}}[state]
		if got := [2]int64{confirmed, invalidated}; got != want {
			events.find("verify.audit.outcome", name, "estado", state, "confirmacoes", text(confirmed), "invalidacoes", text(invalidated))
		}
		open := state == stateReceived
		switch {
		case open && waiting != 1:
			jobs.find("verify.job.missing", name)
		case !open && waiting != 0:
			jobs.find("verify.job.unfinished", name)
		}
		if open && mails > 0 || mails > 1 || !open && mails == 0 && processing > 0 {
			jobs.find("verify.job.mail", name, "mensagens", text(mails))
		}
		return nil
	}, tracesQuery)
	if err != nil {
		return err
	}
	// What an event names must be there: a remessa cut off at the end leaves no other trace.
	return r.each(func(row *store.Rows) error {
		var subject string
		if err := row.Scan(&subject); err != nil {
			return err
		}
		events.find("verify.audit.remessa_lost", subject)
		return nil
	}, `SELECT a.subject FROM audit_event a
		LEFT JOIN (SELECT 'remessa:' || body || '/' || CAST(sequence AS TEXT) AS subject FROM remessa) m ON m.subject = a.subject
		WHERE a.kind = 'remessa.received' AND m.subject IS NULL ORDER BY a.id`)
}

// tracesQuery counts, in one pass over each table, what belongs to each remessa.
const tracesQuery = `
	SELECT m.body, m.sequence, m.state, COALESCE(a.received, 0), COALESCE(a.confirmed, 0), COALESCE(a.invalidated, 0),
		COALESCE(p.waiting, 0), COALESCE(p.n, 0), COALESCE(n.n, 0)
	FROM (SELECT body, sequence, state, 'remessa:' || body || '/' || CAST(sequence AS TEXT) AS subject,
			'mail:resultado-' || body || '-' || CAST(sequence AS TEXT) AS mail FROM remessa) m
	LEFT JOIN (SELECT subject,
			SUM(CASE WHEN kind = 'remessa.received' THEN 1 ELSE 0 END) AS received,
			SUM(CASE WHEN kind = 'remessa.confirmed' THEN 1 ELSE 0 END) AS confirmed,
			SUM(CASE WHEN kind = 'remessa.invalidated' THEN 1 ELSE 0 END) AS invalidated
		FROM audit_event WHERE subject LIKE 'remessa:%' GROUP BY subject) a ON a.subject = m.subject
	LEFT JOIN (SELECT job_key, COUNT(*) AS n, SUM(CASE WHEN state IN ('queued', 'running') THEN 1 ELSE 0 END) AS waiting
		FROM job WHERE kind = 'remessa.process' GROUP BY job_key) p ON p.job_key = m.subject
	LEFT JOIN (SELECT job_key, COUNT(*) AS n FROM job WHERE kind = 'mail' GROUP BY job_key) n ON n.job_key = m.mail
	ORDER BY m.body, m.sequence`
