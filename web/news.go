package web

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/fault"
	"selo/locale"

	"github.com/a-h/templ"
)

const (
	shownNews = 30 // events of a page
	maxKinds  = 8  // values of "tipo" that are looked at
)

// The parameters of the news' address beside those of a search: "tipo" may
// stand several times, or hold kinds with commas between them.
const (
	paramKind      = "tipo"
	paramCompanyID = "empresa" // of a company without a CNPJ
	paramBefore    = "antes"   // ledger index; older events only
)

// newsQuery is what an address of news asks for, without empty parameters.
type newsQuery struct {
	kinds                      []string
	body, class, cnpj, company string
	before                     string
}

// newsQueryOf reads the address. Codes that are known are written as the
// registry writes them, so that one question has one address.
func newsQueryOf(r *Request) newsQuery {
	value := func(name string) string { return plainText(r.Value(name)) }
	q := newsQuery{body: value(paramBody), class: value(paramClass), cnpj: value(paramCompany), company: value(paramCompanyID), before: value(paramBefore)}
	for _, text := range r.HTTP.URL.Query()[paramKind] {
		for kind := range strings.SplitSeq(plainText(text), ",") {
			if kind = strings.ToLower(strings.TrimSpace(kind)); kind != "" && len(q.kinds) < maxKinds && !slices.Contains(q.kinds, kind) {
				q.kinds = append(q.kinds, kind)
			}
		}
	}
	slices.SortFunc(q.kinds, func(a, b string) int { return kindPlace(a) - kindPlace(b) })
	if body, ok := r.Catalog.FindBody(q.body); ok {
		q.body = string(body.Sigla)
	}
	if cnpj, err := brasil.ParseCNPJ(q.cnpj); err == nil {
		q.cnpj, q.company = string(cnpj), ""
	}
	return q
}

// plainText is what was asked for, no longer than a search reads; what nobody
// sees, such as control characters, is blotted out.
func plainText(text string) string {
	return cut(strings.Map(func(c rune) rune {
		if unicode.IsGraphic(c) {
			return c
		}
		return unicode.ReplacementChar
	}, strings.TrimSpace(text)), maxAskedText)
}

// kindPlace puts the kinds in their order, unknown ones last.
func kindPlace(kind string) int {
	if at := slices.Index(catalog.EventKinds(), kind); at >= 0 {
		return at
	}
	return len(catalog.EventKinds())
}

// values are the parameters that choose news; the place in the list is none.
func (q newsQuery) values() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{paramBody: q.body, paramClass: q.class, paramCompany: q.cnpj, paramCompanyID: q.company} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(q.kinds) > 0 {
		values[paramKind] = q.kinds
	}
	return values
}

// older is the page of a path that goes on before a ledger index.
func (q newsQuery) older(path string, before int64) string {
	values := q.values()
	values.Set(paramBefore, strconv.FormatInt(before, 10))
	return withQuery(path, values)
}

// path is the address of a page, of Portuguese, as this query asks for it.
func (q newsQuery) path(path string) string {
	values := q.values()
	if q.before != "" {
		values.Set(paramBefore, q.before)
	}
	return withQuery(path, values)
}

// without is the query without one filter, or without one kind of event.
func (q newsQuery) without(param, value string) newsQuery {
	q.before, q.kinds = "", slices.Clone(q.kinds)
	switch param {
	case paramKind:
		q.kinds = slices.DeleteFunc(q.kinds, func(kind string) bool { return kind == value })
	case paramBody:
		q.body = ""
	case paramClass:
		q.class = ""
	default:
		q.cnpj, q.company = "", ""
	}
	return q
}

// isNarrowed tells whether anything is chosen.
func (q newsQuery) isNarrowed() bool { return len(q.values()) > 0 }

// events asks the catalog. Faults: web.news.before and those of Events.
func (q newsQuery) events(ctx context.Context, c *catalog.Catalog, limit int) (*catalog.Events, error) {
	ask := catalog.EventQuery{Body: q.body, Class: q.class, CNPJ: q.cnpj, Company: q.company, Kinds: q.kinds, Limit: limit}
	if q.before != "" {
		var err error
		if ask.Before, err = strconv.ParseInt(q.before, 10, 64); err != nil || ask.Before < 1 || ask.Before == math.MaxInt64 {
			return nil, fault.New(fault.Invalid, "web.news.before", "valor", cut(q.before, maxFindShown))
		}
	}
	return c.Events(ctx, ask)
}

// maxFindShown is how much of a wrong value an answer repeats, in characters.
const maxFindShown = 40

// newsFilter is a filter that is chosen.
type newsFilter struct{ label, link string }

// filters names what is chosen, each with the address without it.
func (q newsQuery) filters(r *Request) ([]newsFilter, error) {
	var list []newsFilter
	chosen := func(label, param, value string) {
		list = append(list, newsFilter{label, r.Link(withQuery(newsPath, q.without(param, value).values()))})
	}
	for _, kind := range q.kinds {
		label := kind
		if known, ok := eventKinds[kind]; ok {
			label = r.Text(known.key)
		}
		chosen(label, paramKind, kind)
	}
	if q.body != "" {
		chosen(r.Catalog.BodyName(q.body), paramBody, "")
	}
	if q.class != "" {
		chosen(r.Catalog.ClassName(q.class), paramClass, "")
	}
	if key := q.cnpj + q.company; key != "" {
		view, ok, err := r.Catalog.FindCompany(r.HTTP.Context(), key)
		if err != nil {
			return nil, err
		}
		label := key
		if ok {
			label = shownName(&view)
		}
		chosen(label, paramCompany, "")
	}
	return list, nil
}

// newsTitle is the title of news that filters choose.
func newsTitle(r *Request, filters []newsFilter) string {
	if len(filters) == 0 {
		return r.Text("web.news.title")
	}
	labels := make([]string, len(filters))
	for i, f := range filters {
		labels[i] = f.label
	}
	return r.Text("web.news.title.of", "filtro", strings.Join(labels, ", "))
}

// newsDay is the news of one day in Brasília.
type newsDay struct {
	day  brasil.Date
	list []catalog.Event
}

// newsView is the page of news.
type newsView struct {
	query       newsQuery
	filters     []newsFilter
	days        []newsDay
	next        int64 // where older news go on; 0: there are none
	bodies      []catalog.Tallied
	classes     []catalog.Tallied
	publication catalog.Publication
	problem     *locale.Failure // what was asked cannot be looked for
}

// getNews lists what happened to certificates, the newest first. What cannot
// be looked for is said in the page, with 422.
func (s *Server) getNews(r *Request) (Answer, error) {
	v := &newsView{query: newsQueryOf(r), publication: r.Catalog.Publication()}
	var err error
	if v.filters, err = v.query.filters(r); err != nil {
		return nil, err
	}
	summary, err := r.Catalog.Summary(r.HTTP.Context())
	if err != nil {
		return nil, err
	}
	v.bodies, v.classes = certified(summary.Bodies, v.query.body), certified(summary.Classes, v.query.class)
	events, err := v.query.events(r.HTTP.Context(), r.Catalog, shownNews)
	if known := fault.Of(err); known != nil && known.Kind == fault.Invalid {
		failure := locale.Fault(r.Lang, known)
		v.problem = &failure
		return Page{View: v, Status: http.StatusUnprocessableEntity}, nil
	}
	if err != nil {
		return nil, err
	}
	v.next = events.Next
	for _, e := range events.List {
		day := dayIn(e.At)
		if n := len(v.days); n == 0 || v.days[n-1].day != day {
			v.days = append(v.days, newsDay{day: day})
		}
		last := &v.days[len(v.days)-1]
		last.list = append(last.list, e)
	}
	return Page{View: v}, nil
}

// certified leaves out what no certificate has, but for the one that is chosen.
func certified(list []catalog.Tallied, chosen string) []catalog.Tallied {
	return slices.DeleteFunc(slices.Clone(list), func(t catalog.Tallied) bool { return t.Total() == 0 && t.Code != chosen })
}

// Head implements [View].
func (v *newsView) Head(r *Request) Head {
	title := newsTitle(r, v.filters)
	return Head{Title: title, Description: r.Text("web.news.lead"), NoIndex: r.HTTP.URL.RawQuery != "",
		Feeds: newsFeeds(title, v.query.values())}
}

// Body implements [View].
func (v *newsView) Body(r *Request) templ.Component { return newsBody(r, v) }

// clockTime is the time of day in Brasília.
func clockTime(t time.Time) string { return t.In(brasil.Location()).Format("15:04") }

// isElsewhere tells whether a certificate is in another situation today than
// the event gave it.
func isElsewhere(e *catalog.Event) bool { return e.Situation != e.Became }

// cameOtherwise tells whether a certificate was not active when it came.
func cameOtherwise(e *catalog.Event) bool {
	return e.Kind == catalog.EventNew && e.Became != string(certificate.Active)
}

func (q newsQuery) has(kind string) bool { return slices.Contains(q.kinds, kind) }

// expiring is a search for certificates whose validity ends soon, or has ended
// when validity is "", among those that the news are of.
func (v *newsView) expiring(r *Request, validity string) string {
	q := searchQuery{paramBody: v.query.body, paramClass: v.query.class, paramCompany: v.query.cnpj, paramValidity: validity, paramOrder: catalog.OrderValidity}
	if validity == "" {
		q[paramSituation] = "expirado"
		q[paramOrder] = ""
	}
	for name, value := range q {
		if value == "" {
			delete(q, name)
		}
	}
	return q.with(r)
}

// newsTexts are what happened, as a title and as a sentence, by kind.
var newsTexts = map[string]struct{ title, sentence string }{
	catalog.EventNew:         {"web.news.entry.new", "web.news.sentence.new"},
	catalog.EventSuspended:   {"web.news.entry.suspended", "web.news.sentence.suspended"},
	catalog.EventCancelled:   {"web.news.entry.cancelled", "web.news.sentence.cancelled"},
	catalog.EventReactivated: {"web.news.entry.reactivated", "web.news.sentence.reactivated"},
}

// newsLines say what happened to which certificate, since when and why.
func newsLines(r *Request, e *catalog.Event) []string {
	lines := []string{r.Text(newsTexts[e.Kind].sentence, "numero", e.Number, "em", r.Moment(e.At))}
	if cameOtherwise(e) {
		lines = append(lines, r.Text("web.news.became", "situacao", r.Word(e.Became)))
	}
	for _, j := range e.Reasons {
		lines = append(lines, r.Text("web.certificate.step.reason")+" "+j.Text)
	}
	return append(lines, r.Field("classe")+": "+e.Class.Name, r.Text("web.certificate.body")+": "+e.Body.Name+" ("+string(e.Body.Sigla)+")")
}
