package catalog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

// An event is a revision that made a certificate known or moved its situation
// (manual 2.2.1.3). The table "evento" has a row for each: its id is the
// revision's ledger index, so rows come in the order of the ledger, and since
// number and class are frozen (FAQ 3.13) a row depends on its revision and on
// the situation before it, and never changes.
//
// A first revision is "novo" whatever its situation; situacao says which.
// Expiring is no event: it follows from the date and stands in no revision.
// What moves inside a certificate (a company, a product) is none either.

// The kinds of event.
const (
	EventNew         = "novo"      // the first accepted revision
	EventSuspended   = "suspenso"  // became suspended
	EventCancelled   = "cancelado" // became cancelled
	EventReactivated = "reativado" // became active again
)

// eventKinds in the order in which they are listed.
var eventKinds = []string{EventNew, EventSuspended, EventCancelled, EventReactivated}

// EventKinds lists the kinds of event.
func EventKinds() []string { return slices.Clone(eventKinds) }

// eventOf is the kind of event that one revision after another makes; prev is
// nil for the first one. Empty: none.
func eventOf(prev, next *certificate.Certificate) string {
	switch {
	case prev == nil:
		return EventNew
	case prev.Situation == next.Situation:
		return ""
	case next.Situation == certificate.Suspended:
		return EventSuspended
	case next.Situation == certificate.Cancelled:
		return EventCancelled
	}
	return EventReactivated
}

// putEvent renders an event; no kind, no row.
func (r *renderer) putEvent(e Entry, kind string, c *certificate.Certificate) error {
	if kind == "" {
		return nil
	}
	return r.out.put(tableEvent, []any{e.Index, string(e.Body), c.Number, string(c.Class), kind, situationNumber(c.Situation), e.AcceptedAt.UTC().UnixMicro()})
}

// Limits of [Catalog.Events].
const (
	DefaultEvents = 50
	MaxEvents     = 200

	// maxEventPages is how often one question reads on where certificates off
	// the Web stand between those that are shown.
	maxEventPages = 20
)

// Event is what happened to a certificate.
type Event struct {
	Index      int64     // of the revision in the ledger; identifies the event for ever
	Kind       string    // one of [EventKinds]
	At         time.Time // UTC; the revision was accepted
	Body       BodyView
	Number     string
	Class      Named
	Became     string // situation that the revision gave: ativo, suspenso, cancelado
	Situation  string // as shown today: those, and expirado
	ValidUntil brasil.Date
	Applicant  string                      // today's
	Reasons    []certificate.Justification // of the move; none of what is new
	Path       string                      // of the certificate's page, percent-encoded
}

// EventQuery chooses events. The zero value means the newest of all.
type EventQuery struct {
	Body    string // sigla
	Class   string // code
	CNPJ    string // of a company that is active in the certificate, in any form
	Company string // the same by the company's ID
	Kinds   []string
	Limit   int   // 0: DefaultEvents; at most MaxEvents
	Before  int64 // ledger index; only older events. 0: the newest
}

// Events is a page of events, the newest first.
type Events struct {
	List []Event
	Next int64 // Before of the page that follows; 0: there is none
}

// Events lists what happened to certificates that the Web shows. A company is
// known by CNPJ or ID; a natural person has no list (Lei 13.709/2018). A page
// may be short and still have a Next.
//
// Faults (Invalid): search.limit, events.kind, and those of brasil for CNPJ.
func (c *Catalog) Events(ctx context.Context, q EventQuery) (*Events, error) {
	ask, err := askOf(q)
	if err != nil {
		return nil, err
	}
	out := &Events{List: []Event{}}
	for range maxEventPages {
		rows, err := c.eventRows(ctx, ask)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			event, shown, err := c.event(ctx, &rows[i])
			if err != nil {
				return nil, err
			}
			if shown && len(out.List) == ask.limit {
				out.Next = out.List[ask.limit-1].Index
				return out, nil
			}
			if shown {
				out.List = append(out.List, *event)
			}
		}
		if len(rows) <= ask.limit {
			return out, nil
		}
		ask.before = rows[len(rows)-1].id
	}
	out.Next = ask.before
	return out, nil
}

// eventAsk is a question made ready.
type eventAsk struct {
	body, class   string
	cnpj, company string // at most one of them
	kinds         []string
	limit         int
	before        int64
}

func askOf(q EventQuery) (*eventAsk, error) {
	ask := &eventAsk{body: q.Body, class: q.Class, company: q.Company, limit: q.Limit, before: q.Before}
	if ask.limit == 0 {
		ask.limit = DefaultEvents
	}
	if ask.limit < 1 || ask.limit > MaxEvents {
		return nil, fault.New(fault.Invalid, "search.limit", "maximo", strconv.Itoa(MaxEvents))
	}
	if ask.before <= 0 {
		ask.before = math.MaxInt64
	}
	for _, kind := range q.Kinds {
		if !slices.Contains(eventKinds, kind) {
			return nil, fault.New(fault.Invalid, "events.kind", "valor", fmt.Sprintf("%.40s", kind))
		}
	}
	for _, kind := range eventKinds {
		if len(q.Kinds) == 0 || slices.Contains(q.Kinds, kind) {
			ask.kinds = append(ask.kinds, kind)
		}
	}
	if q.CNPJ != "" {
		cnpj, err := brasil.ParseCNPJ(q.CNPJ)
		if err != nil {
			return nil, err
		}
		ask.cnpj, ask.company = string(cnpj), ""
	}
	return ask, nil
}

// eventRow is a row of the table evento.
type eventRow struct {
	id, situation, at         int64
	body, number, class, kind string
}

func (e *eventRow) places() []any {
	return []any{&e.id, &e.body, &e.number, &e.class, &e.kind, &e.situation, &e.at}
}

const eventColumns = "e.id, e.organismo, e.numero, e.classe, e.tipo, e.situacao, e.aceita"

// One query a kind, but for a company: each reads an index in the order of the ledger and stops
// when it has enough, however many events there are.
const (
	eventsOfAll = `SELECT ` + eventColumns + ` FROM evento e INDEXED BY evento_tipo
		WHERE e.tipo = ? AND e.id < ? ORDER BY e.id DESC LIMIT ?`
	eventsOfBody = `SELECT ` + eventColumns + ` FROM evento e INDEXED BY evento_organismo
		WHERE e.tipo = ? AND e.id < ? AND e.organismo = ? ORDER BY e.id DESC LIMIT ?`
	eventsOfClass = `SELECT ` + eventColumns + ` FROM evento e INDEXED BY evento_classe
		WHERE e.tipo = ? AND e.id < ? AND e.classe = ? AND (? = '' OR e.organismo = ?) ORDER BY e.id DESC LIMIT ?`

	// A company's certificates that the Web shows are read, the newest so many,
	// and then all their events: their order is not that of the certificates.
	eventsOfCompany = `WITH alvo AS MATERIALIZED (SELECT c.organismo, c.numero FROM empresa x
			CROSS JOIN participante p ON p.empresa = x.id AND p.situacao = 1 CROSS JOIN certificado c ON c.id = p.certificado AND c.motivo = ''
			WHERE x.%s = ? AND json_extract(x.dados, '$.tipo_pessoa') IS NOT '` + string(certificate.Natural) + `'
			GROUP BY c.id ORDER BY c.id DESC LIMIT ?)
		SELECT ` + eventColumns + ` FROM alvo CROSS JOIN evento e INDEXED BY evento_numero ON e.organismo = alvo.organismo AND e.numero = alvo.numero
		WHERE e.tipo IN (?, ?, ?, ?) AND e.id < ? AND (? = '' OR e.organismo = ?) AND (? = '' OR e.classe = ?) ORDER BY e.id DESC LIMIT ?`
)

var (
	eventsOfCNPJ      = fmt.Sprintf(eventsOfCompany, "cnpj <> '' AND x.cnpj")
	eventsOfCompanyID = fmt.Sprintf(eventsOfCompany, "uuid")
)

// eventRows reads the newest rows asked for, one more than the limit if there
// are so many.
func (c *Catalog) eventRows(ctx context.Context, ask *eventAsk) ([]eventRow, error) {
	var list []eventRow
	read := func(query string, args []any) error {
		var e eventRow
		err := c.scanAll(ctx, query, args, func() error {
			list = append(list, e)
			return nil
		}, e.places()...)
		if err != nil {
			return fmt.Errorf("list events: %w", err)
		}
		return nil
	}
	switch {
	case ask.cnpj != "":
		err := read(eventsOfCNPJ, ask.ofCompany(ask.cnpj))
		return list, err
	case ask.company != "":
		err := read(eventsOfCompanyID, ask.ofCompany(idBytes(certificate.ID(ask.company))))
		return list, err
	}
	for _, kind := range ask.kinds {
		if err := read(ask.query(kind)); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b eventRow) int { return cmp.Compare(b.id, a.id) })
	return list[:min(len(list), ask.limit+1)], nil
}

// ofCompany are the arguments of the query of a company, all kinds at once.
func (ask *eventAsk) ofCompany(key any) []any {
	args := []any{key, maxOfCompany}
	for i := range eventKinds {
		args = append(args, ask.kinds[min(i, len(ask.kinds)-1)])
	}
	return append(args, ask.before, ask.body, ask.body, ask.class, ask.class, ask.limit+1)
}

func (ask *eventAsk) query(kind string) (query string, args []any) {
	most := ask.limit + 1
	switch {
	case ask.class != "":
		return eventsOfClass, []any{kind, ask.before, ask.class, ask.body, ask.body, most}
	case ask.body != "":
		return eventsOfBody, []any{kind, ask.before, ask.body, most}
	}
	return eventsOfAll, []any{kind, ask.before, most}
}

// event makes the view of a row; not shown when the certificate is off the Web.
func (c *Catalog) event(ctx context.Context, row *eventRow) (event *Event, shown bool, err error) {
	if class, known := c.names.classes[certificate.ClassCode(row.class)]; !known || class.Disabled != "" {
		return nil, false, nil
	}
	body := certificate.Sigla(row.body)
	event = &Event{Index: row.id, Kind: row.kind, At: time.UnixMicro(row.at).UTC(), Body: BodyView{body, c.names.body(body)}, Number: row.number,
		Class: Named{row.class, c.ClassName(row.class)}, Became: string(situationOf(row.situation)), Path: Path(body, row.number)}
	var id, situation, valid int64
	var reason, applicant string
	err = c.scanAll(ctx, `SELECT id, situacao, validade, motivo, solicitante FROM certificado WHERE compacto = ? AND organismo = ? AND numero = ?`,
		[]any{compactNumber(row.number), row.body, row.number}, func() error {
			shown = reason == ""
			event.Situation, event.ValidUntil, event.Applicant = shownSituation(situation, valid, c.today()), dayOf(valid), applicant
			return nil
		}, &id, &situation, &valid, &reason, &applicant)
	if err != nil || !shown || row.kind == EventNew {
		return event, shown, err
	}
	event.Reasons, err = c.eventReasons(ctx, row, id)
	return event, shown, err
}

// eventReasons are the justifications of the move that an event's revision
// made; the past keeps them with the revision before.
func (c *Catalog) eventReasons(ctx context.Context, row *eventRow, current int64) (list []certificate.Justification, err error) {
	var id, text string
	if err := c.scanAll(ctx, "SELECT coalesce(json_extract(dados, '$.id'), '') FROM ficha WHERE id = ?", []any{current},
		func() error { return nil }, &id); err != nil {
		return nil, err
	}
	err = c.scanAll(ctx, `SELECT coalesce(json_extract(dados, '$.s.j'), '') FROM passado WHERE uuid = ? AND organismo = ? AND id < ? ORDER BY id DESC LIMIT 1`,
		[]any{idBytes(certificate.ID(id)), row.body, row.id}, func() error {
			if text == "" {
				return nil
			}
			return json.Unmarshal([]byte(text), &list)
		}, &text)
	if err != nil {
		return nil, fmt.Errorf("read reasons of event %d: %w", row.id, err)
	}
	return slices.DeleteFunc(list, func(j certificate.Justification) bool {
		return !slices.ContainsFunc(j.Fields, func(field string) bool { return strings.TrimSpace(field) == "situacao" })
	}), nil
}
