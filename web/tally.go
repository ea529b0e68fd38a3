package web

import (
	"net/url"
	"time"

	"selo/catalog"
)

const (
	shownEvents = 6 // of a body, class or company
	shownNewest = 5 // certificates of a body or class
)

// counted is one situation of a tally.
type counted struct {
	situation, key string // key of its plural
	n              int
}

// situationsOf are the parts of a tally in their order.
func situationsOf(t catalog.Tally) []counted {
	return []counted{
		{"ativo", "web.tally.active", t.Active},
		{"suspenso", "web.tally.suspended", t.Suspended},
		{"cancelado", "web.tally.cancelled", t.Cancelled},
		{"expirado", "web.tally.expired", t.Expired},
	}
}

// of is the address of a search in one situation.
func (q searchQuery) of(r *Request, situation string) string {
	if situation == "ativo" {
		situation = "" // the rule
	}
	return q.with(r, paramSituation, situation)
}

// filterOf is a search by one filter.
func filterOf(param, value string) searchQuery { return searchQuery{param: value} }

// amountOf writes a count.
func (r *Request) amountOf(n int) string { return r.Number(int64(n)) }

// since says how long ago a moment was, in days of Brasília.
func (r *Request) since(t time.Time) string {
	days := dayIn(t).DaysUntil(r.Today())
	switch {
	case days <= 0:
		return r.Text("web.since.today")
	case days == 1:
		return r.Text("web.since.yesterday")
	case days < 60:
		return r.Text("web.since.days", "numero", r.amountOf(days))
	case days < 730:
		return r.Text("web.since.months", "numero", r.amountOf(days/30))
	}
	return r.Text("web.since.years", "numero", r.amountOf(days/365))
}

// eventKind is how a kind of event looks and is called.
type eventKind struct{ tag, icon, key string }

var eventKinds = map[string]eventKind{
	catalog.EventNew:         {messageInfo, "check-circle", "web.events.new"},
	catalog.EventSuspended:   {messageWarning, "exclamation-triangle", "web.events.suspended"},
	catalog.EventCancelled:   {messageDanger, "ban", "web.events.cancelled"},
	catalog.EventReactivated: {messageSuccess, "check-circle", "web.events.reactivated"},
}

// happened are the newest events of a page's subject, and its feeds.
type happened struct {
	list  []catalog.Event
	query url.Values // of the page of news
	more  bool       // older ones follow there
}

// newsOf finds the newest events; query is that of the page of news.
func newsOf(r *Request, ask catalog.EventQuery, query url.Values) (happened, error) {
	ask.Limit = shownEvents
	events, err := r.Catalog.Events(r.HTTP.Context(), ask)
	if err != nil {
		return happened{}, err
	}
	return happened{events.List, query, events.Next != 0}, nil
}

// newestOf lists the certificates accepted last, in every situation.
func newestOf(r *Request, s catalog.Search) ([]catalog.Hit, error) {
	s.Situation, s.Limit = catalog.AnySituation, shownNewest
	hits, err := r.Catalog.Search(r.HTTP.Context(), s)
	if err != nil {
		return nil, err
	}
	return hits.Certificates, nil
}

// certificateCount says how many certificates there are.
func certificateCount(r *Request, n int) string {
	if n == 1 {
		return r.Text("web.search.count.one")
	}
	return r.Text("web.search.count", "numero", r.amountOf(n))
}
