package web

import (
	"net/http"
	"net/url"
	"strings"

	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/fault"

	"github.com/a-h/templ"
)

const bodiesPath = "/organismos"

// bodyPath is the page of a body, of Portuguese.
func bodyPath(sigla string) string { return bodiesPath + "/" + url.PathEscape(sigla) }

// bodyRow is a body in the list.
type bodyRow struct {
	catalog.Tallied
	fresh *catalog.Coverage // nil before its first accepted remessa
}

// bodiesView lists the certification bodies.
type bodiesView struct {
	typed       string
	list        []bodyRow
	total       int // bodies, chosen or not
	publication catalog.Publication
}

// getBodies lists the bodies, or those whose sigla or name has the words typed.
func (s *Server) getBodies(r *Request) (Answer, error) {
	summary, err := r.Catalog.Summary(r.HTTP.Context())
	if err != nil {
		return nil, err
	}
	fresh, err := coverageOf(r)
	if err != nil {
		return nil, err
	}
	v := &bodiesView{typed: typedText(r), total: len(summary.Bodies), publication: r.Catalog.Publication()}
	for _, b := range summary.Bodies {
		if matches(b.Code+" "+b.Name, v.typed) {
			v.list = append(v.list, bodyRow{b, fresh[certificate.Sigla(b.Code)]})
		}
	}
	return Page{View: v}, nil
}

// coverageOf gives what is known of each body's remessas.
func coverageOf(r *Request) (map[certificate.Sigla]*catalog.Coverage, error) {
	list, err := r.Catalog.Coverage(r.HTTP.Context())
	if err != nil {
		return nil, err
	}
	fresh := map[certificate.Sigla]*catalog.Coverage{}
	for i := range list {
		fresh[list[i].Body.Sigla] = &list[i]
	}
	return fresh, nil
}

// typedText is what a list is narrowed by.
func typedText(r *Request) string { return plainText(r.Value(paramText)) }

// matches tells whether each word typed begins a word of a text; accents, case
// and punctuation do not count. Nothing typed matches all.
func matches(text, typed string) bool {
	words := " " + brasil.Fold(text)
	for word := range strings.FieldsSeq(brasil.Fold(typed)) {
		if !strings.Contains(words, " "+word) {
			return false
		}
	}
	return strings.TrimSpace(typed) == "" || brasil.Fold(typed) != ""
}

// Head implements [View].
func (v *bodiesView) Head(r *Request) Head {
	return Head{Title: r.Text("web.bodies.title"), Description: r.Text("web.bodies.lead"), NoIndex: v.typed != ""}
}

// Body implements [View].
func (v *bodiesView) Body(r *Request) templ.Component { return bodiesBody(r, v) }

// bodyView is the page of one certification body.
type bodyView struct {
	body        catalog.BodyView
	tally       catalog.Tally
	classes     []catalog.Tallied
	newest      []catalog.Hit
	fresh       *catalog.Coverage // nil before its first accepted remessa
	news        happened
	publication catalog.Publication
}

// getBody shows a certification body. Fault: web.body.unknown.
func (s *Server) getBody(r *Request) (Answer, error) {
	asked := r.HTTP.PathValue("organismo")
	body, ok := r.Catalog.FindBody(asked)
	if !ok {
		return nil, fault.New(fault.NotFound, "web.body.unknown", "sigla", cut(plainText(asked), maxFind))
	}
	sigla := string(body.Sigla)
	if asked != sigla {
		return Redirect{To: r.Link(bodyPath(sigla)), Status: http.StatusPermanentRedirect}, nil
	}
	summary, err := r.Catalog.Summary(r.HTTP.Context())
	if err != nil {
		return nil, err
	}
	v := &bodyView{body: body, classes: summary.ClassesOf(body.Sigla), publication: r.Catalog.Publication()}
	for _, b := range summary.Bodies {
		if b.Code == sigla {
			v.tally = b.Tally
		}
	}
	fresh, err := coverageOf(r)
	if err != nil {
		return nil, err
	}
	v.fresh = fresh[body.Sigla]
	if v.newest, err = newestOf(r, catalog.Search{Body: sigla}); err != nil {
		return nil, err
	}
	if v.news, err = newsOf(r, catalog.EventQuery{Body: sigla}, url.Values{paramBody: {sigla}}); err != nil {
		return nil, err
	}
	return Page{View: v}, nil
}

// Head implements [View].
func (v *bodyView) Head(r *Request) Head {
	sigla := string(v.body.Sigla)
	return Head{
		Title:       r.Text("web.body.title", "sigla", sigla),
		Description: r.Text("web.body.description", "nome", v.body.Name, "ativos", r.amountOf(v.tally.Active)),
		Crumbs:      []Crumb{{r.Text("web.bodies.title"), bodiesPath}},
		Feeds:       newsFeeds(r.Text("web.body.feed", "sigla", sigla), v.news.query),
	}
}

// Body implements [View].
func (v *bodyView) Body(r *Request) templ.Component { return bodyBody(r, v) }

// all is the address of a search in the body.
func (v *bodyView) search(pairs ...string) searchQuery {
	q := filterOf(paramBody, string(v.body.Sigla))
	for i := 0; i+1 < len(pairs); i += 2 {
		q[pairs[i]] = pairs[i+1]
	}
	return q
}
