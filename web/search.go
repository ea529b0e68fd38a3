package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"selo/catalog"
	"selo/fault"
	"selo/locale"

	"github.com/a-h/templ"
)

const (
	shownHits    = 20  // a page of results
	shownLatest  = 6   // certificates on the first page
	maxAskedText = 256 // characters; the catalog reads no more
	emptyPages   = 4   // pages without a hit that are passed over at a time
)

// The parameters of a search's address, in the order in which filters are shown.
const (
	paramText      = "q"
	paramSituation = "situacao"
	paramBody      = "organismo"
	paramClass     = "classe"
	paramType      = "tipo"
	paramRole      = "papel"
	paramCompany   = "cnpj"
	paramUF        = "uf"
	paramCountry   = "pais"
	paramImported  = "importado"
	paramValidity  = "validade"
	paramOrder     = "ordem"
	paramLook      = "vista"
	paramCursor    = "cursor"
)

var filterParams = []string{paramSituation, paramBody, paramClass, paramType, paramRole, paramCompany, paramUF, paramCountry, paramImported, paramValidity}

const lookTable = "tabela" // the value of paramLook that is no list

// searchQuery is a search as its address says it, without empty parameters.
type searchQuery map[string]string

func searchQueryOf(r *Request) searchQuery {
	q := searchQuery{}
	for _, name := range append([]string{paramText, paramOrder, paramLook, paramCursor}, filterParams...) {
		if v := cut(strings.ToValidUTF8(r.Value(name), " "), maxAskedText); v != "" {
			q[name] = v
		}
	}
	return q
}

// with is the address of this search with parameters changed, from its first
// page; pairs are names and values, an empty value drops the parameter.
func (q searchQuery) with(r *Request, pairs ...string) string {
	values := url.Values{}
	for name, value := range q {
		if name != paramCursor {
			values.Set(name, value)
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Del(pairs[i])
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	if len(values) == 0 {
		return r.Link("/")
	}
	return r.Link("/") + "?" + values.Encode()
}

// isAsked tells whether the visitor looks for something.
func (q searchQuery) isAsked() bool {
	for _, name := range append([]string{paramText, paramCursor}, filterParams...) {
		if q[name] != "" {
			return true
		}
	}
	return false
}

// isNarrowed tells whether a filter beside the situation is chosen.
func (q searchQuery) isNarrowed() bool {
	for _, name := range filterParams {
		if name != paramSituation && q[name] != "" {
			return true
		}
	}
	return false
}

// order is the order that is in force.
func (q searchQuery) order() string {
	if q[paramOrder] == "" && q[paramText] != "" {
		return catalog.OrderRelevance
	}
	if q[paramOrder] == "" {
		return catalog.OrderRecent
	}
	return q[paramOrder]
}

func (q searchQuery) situation() string {
	if q[paramSituation] == "" {
		return "ativo"
	}
	return q[paramSituation]
}

func (q searchQuery) search() catalog.Search {
	return catalog.Search{Text: q[paramText], Body: q[paramBody], Class: q[paramClass], CNPJ: q[paramCompany], Situation: q[paramSituation], UF: q[paramUF],
		Country: q[paramCountry], Role: q[paramRole], Type: q[paramType], Imported: q[paramImported], Validity: q[paramValidity],
		Order: q.order(), Limit: shownHits, Cursor: q[paramCursor]}
}

// searchView is the first page: the box, and what was found.
type searchView struct {
	query       searchQuery
	publication catalog.Publication
	hits        *catalog.Hits   // found; the latest where nothing was asked
	facets      *catalog.Facets // nil where nothing was asked
	names       map[string]string
	spellings   []string
	problem     *locale.Failure // what was asked cannot be looked for
}

// getHome searches. What cannot be looked for is said in the page, with 422.
func (s *Server) getHome(r *Request) (Answer, error) {
	v := &searchView{query: searchQueryOf(r), publication: r.Catalog.Publication()}
	err := v.find(r.HTTP.Context(), r.Catalog)
	if known := fault.Of(err); known != nil && known.Kind == fault.Invalid {
		failure := locale.Fault(r.Lang, known)
		v.problem, v.hits, v.facets = &failure, nil, nil
		return Page{View: v, Status: http.StatusUnprocessableEntity}, nil
	}
	if err != nil {
		return nil, err
	}
	return Page{View: v}, nil
}

// find asks the catalog.
func (v *searchView) find(ctx context.Context, c *catalog.Catalog) error {
	ask := v.query.search()
	var err error
	if !v.query.isAsked() {
		v.hits, err = c.Search(ctx, catalog.Search{Limit: shownLatest})
		return err
	}
	if v.names, err = namesOf(ctx, c, v.query); err != nil {
		return err
	}
	for range emptyPages {
		if v.hits, err = c.Search(ctx, ask); err != nil {
			return err
		}
		if ask.Cursor = v.hits.Next; len(v.hits.Certificates) > 0 || ask.Cursor == "" {
			break
		}
	}
	if v.facets, err = c.Facets(ctx, ask); err != nil {
		return err
	}
	if v.isEmpty() && ask.Text != "" {
		v.spellings, err = c.Spelling(ctx, ask)
	}
	return err
}

// isEmpty tells whether the search found nothing at all.
func (v *searchView) isEmpty() bool {
	return v.facets != nil && len(v.hits.Certificates) == 0 && v.hits.Next == "" && v.query[paramCursor] == ""
}

// namesOf gives the names of the chosen filters' values, by parameter.
func namesOf(ctx context.Context, c *catalog.Catalog, q searchQuery) (map[string]string, error) {
	names := map[string]string{}
	for param, name := range map[string]func(string) string{paramBody: c.BodyName, paramClass: c.ClassName, paramType: c.TypeName,
		paramRole: c.RoleName, paramCountry: c.CountryName} {
		if q[param] != "" {
			names[param] = name(q[param])
		}
	}
	var err error
	if q[paramCompany] != "" {
		names[paramCompany], err = c.CompanyName(ctx, q[paramCompany])
	}
	return names, err
}

// Head implements [View].
func (v *searchView) Head(r *Request) Head {
	h := Head{Title: r.Text("web.search.title"), Description: r.Text("web.search.description"), Enhanced: true, NoIndex: v.query.isAsked()}
	if !h.NoIndex {
		h.Feeds = newsFeeds(r.Text("web.news.title"), nil)
	}
	if text := v.query[paramText]; text != "" {
		h.Title = r.Text("web.search.title.of", "texto", text)
	}
	return h
}

// Body implements [View].
func (v *searchView) Body(r *Request) templ.Component { return searchBody(r, v) }
