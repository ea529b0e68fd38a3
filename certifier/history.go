package certifier

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"selo/certificate"
)

// Event is one thing that happened to a record (manual 2.4.3, espelho com log).
// Kind is a message key below "history.": record.created, record.imported,
// draft.saved, draft.discarded, record.approved, record.reopened,
// record.adopted, remessa.prepared, remessa.sent, remessa.cancelled,
// remessa.confirmed, remessa.invalidated.
type Event struct {
	At     time.Time
	Kind   string
	Actor  Actor
	Detail map[string]string
}

// maxHistory is how many audit events of one record a history reads.
const maxHistory = 10_000

// History tells everything that happened to a record, oldest first: who
// created, changed, approved and reopened it and when, and which remessas
// carried it with what result. Fault: NotFound "record.not_found".
func History(ctx context.Context, tx Tx, id certificate.ID) ([]Event, error) {
	rows, err := tx.Rows(ctx, []certificate.ID{id})
	if err != nil {
		return nil, fmt.Errorf("read record %s: %w", id, err)
	}
	row, ok := rows[id]
	if !ok {
		return nil, notFound(id)
	}
	events, err := auditEvents(ctx, tx, row)
	if err != nil {
		return nil, err
	}
	log, err := tx.Log(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read log of %s: %w", id, err)
	}
	for _, e := range log {
		events = append(events, Event{At: e.ApprovedAt, Kind: "record.approved", Actor: e.ApprovedBy,
			Detail: map[string]string{"revisao": number(int64(e.Number)), "hash": e.Hash.String(), "estado": string(e.State)}})
	}
	carried, err := tx.RemessasOf(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read remessas of %s: %w", id, err)
	}
	for _, c := range carried {
		events = append(events, c.events()...)
	}
	slices.SortStableFunc(events, func(a, b Event) int { return a.At.Compare(b.At) })
	return events, nil
}

func auditEvents(ctx context.Context, tx Tx, row Row) ([]Event, error) {
	list, err := tx.ListAudit(ctx, subject(row.Kind, row.ID), maxHistory)
	if err != nil {
		return nil, fmt.Errorf("read audit of %s: %w", row.ID, err)
	}
	slices.Reverse(list)
	var events []Event
	born := false
	for _, e := range list {
		born = born || e.Kind == "record.created" || e.Kind == "record.adopted"
		events = append(events, Event{At: e.At, Kind: e.Kind, Actor: Actor(e.Actor), Detail: e.Detail})
	}
	if !born { // records of a spreadsheet or of the registry's base come without an event each
		events = append([]Event{{At: row.CreatedAt, Kind: "record.imported", Actor: row.CreatedBy}}, events...)
	}
	return events, nil
}

// events tells the journey of a remessa.
func (c Carried) events() []Event {
	facts := map[string]string{"remessa": number(c.Sequence), "revisao": number(int64(c.Number))}
	var events []Event
	add := func(at time.Time, kind string, actor Actor, more ...string) {
		detail := maps.Clone(facts)
		for i := 0; i+1 < len(more); i += 2 {
			detail[more[i]] = more[i+1]
		}
		events = append(events, Event{At: at, Kind: kind, Actor: actor, Detail: detail})
	}
	add(c.PreparedAt, "remessa.prepared", c.PreparedBy)
	if !c.SentAt.IsZero() {
		add(c.SentAt, "remessa.sent", "", "meio", c.How)
	}
	switch c.State {
	case Withdrawn:
		add(c.PreparedAt, "remessa.cancelled", "")
	case Confirmed:
		add(c.ResultAt, "remessa.confirmed", "")
	case Invalidated:
		add(c.ResultAt, "remessa.invalidated", "")
	}
	return events
}
