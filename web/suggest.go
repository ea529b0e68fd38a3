package web

import (
	"selo/catalog"

	"github.com/a-h/templ"
)

// suggestion is one line below the search box.
type suggestion struct{ text, kind, link string }

var suggestionKinds = map[string]string{
	catalog.SuggestNumber: "web.search.kind.number", catalog.SuggestCompany: "web.search.kind.company", catalog.SuggestClass: "web.search.kind.class",
	catalog.SuggestBrand: "web.search.kind.brand", catalog.SuggestModel: "web.search.kind.model",
}

// situationTexts explain the situations on the first page.
var situationTexts = []struct{ code, key string }{
	{"ativo", "web.search.means.active"}, {"suspenso", "web.search.means.suspended"},
	{"cancelado", "web.search.means.cancelled"}, {"expirado", "web.search.means.expired"},
}

// spellingSituation is where a proposed text is looked for: it may be found in
// any situation.
const spellingSituation = catalog.AnySituation

// getSuggestions lists how to go on from what was typed. The search box takes the
// list out of this page; without script nothing asks for it.
func (s *Server) getSuggestions(r *Request) (Answer, error) {
	found, err := r.Catalog.Suggest(r.HTTP.Context(), searchQueryOf(r)[paramText])
	if err != nil {
		return nil, err
	}
	list := make([]suggestion, 0, len(found))
	for _, f := range found {
		one := suggestion{text: f.Text, kind: r.Text(suggestionKinds[f.Kind])}
		switch {
		case f.Kind == catalog.SuggestNumber:
			one.kind += " · " + string(f.Body)
			one.link = r.Link(f.Path)
		case f.Kind == catalog.SuggestClass:
			one.link = searchQuery{paramClass: f.Value}.with(r)
		case f.Kind == catalog.SuggestCompany && f.Value != "":
			one.link = searchQuery{paramCompany: f.Value}.with(r)
		default:
			one.link = searchQuery{paramText: f.Text}.with(r)
		}
		list = append(list, one)
	}
	return Page{View: suggestionsView{searchQueryOf(r)[paramText], list}}, nil
}

// suggestionsView is a page that the search box takes the list from.
type suggestionsView struct {
	typed string
	list  []suggestion
}

// Head implements [View].
func (v suggestionsView) Head(r *Request) Head {
	return Head{Title: r.Text("web.search.suggestions"), NoIndex: true}
}

// Body implements [View].
func (v suggestionsView) Body(r *Request) templ.Component { return suggestionsBody(r, v) }
