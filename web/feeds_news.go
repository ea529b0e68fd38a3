package web

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"selo/catalog"
)

// The feeds hold the same news as the page, each in the language of its path:
// Atom (RFC 4287, older pages by RFC 5005) and JSON Feed 1.1. An entry says
// what an event was and nothing of today, so it never changes; its ID is made
// of the ledger's name and the event's place in it, so it is the same on every
// node and in every language.

const (
	fedNews  = 50 // events of a feed
	tagYear  = "2026"
	jsonFeed = "https://jsonfeed.org/version/1.1"
)

// feed is one page of news for programs.
type feed struct {
	id, title, subtitle string
	page, self, next    string // absolute addresses; next is empty on the last page
	updated             time.Time
	entries             []feedEntry
}

// feedEntry is one event.
type feedEntry struct {
	id, link, title, text, html string
	event                       *catalog.Event
}

// feedOf finds the news that an address asks for; path is the feed's own.
//
// Faults: web.news.before and those of catalog.Events.
func feedOf(r *Request, path string) (*feed, error) {
	q := newsQueryOf(r)
	filters, err := q.filters(r)
	if err != nil {
		return nil, err
	}
	events, err := q.events(r.HTTP.Context(), r.Catalog, fedNews)
	if err != nil {
		return nil, err
	}
	publication := r.Catalog.Publication()
	authority := tagAuthority(publication.Checkpoint, r.server.deps.URL)
	f := &feed{id: tagURI(authority, r.Link(q.path(newsPath))), title: r.Text("web.site") + ": " + newsTitle(r, filters), subtitle: r.Text("web.news.lead"),
		page: r.absolute(r.Link(q.path(newsPath))), self: r.absolute(r.Link(q.path(path))), updated: publication.At}
	if events.Next != 0 {
		f.next = r.absolute(r.Link(q.older(path, events.Next)))
	}
	for i := range events.List {
		e := &events.List[i]
		if i == 0 {
			f.updated = e.At
		}
		var html bytes.Buffer
		if err := newsEntryHTML(r, e).Render(r.HTTP.Context(), &html); err != nil {
			return nil, err
		}
		f.entries = append(f.entries, feedEntry{id: tagURI(authority, "/livro/"+strconv.FormatInt(e.Index, 10)), link: r.absolute(r.Link(e.Path)),
			title: r.Text(newsTexts[e.Kind].title, "numero", e.Number, "organismo", string(e.Body.Sigla)),
			text:  strings.Join(newsLines(r, e), "\n"), html: html.String(), event: e})
	}
	return f, nil
}

// tagURI is a name for ever (RFC 4151).
func tagURI(authority, path string) string {
	return "tag:" + authority + "," + tagYear + ":" + path[1:]
}

// tagAuthority is the host in the ledger's name, which begins the checkpoint;
// where it has none, that of the site.
func tagAuthority(checkpoint, site string) string {
	origin, _, _ := strings.Cut(checkpoint, "\n")
	host, _, _ := strings.Cut(origin, "/")
	if isHost(host) {
		return strings.ToLower(host)
	}
	if u, err := url.Parse(site); err == nil && isHost(u.Hostname()) {
		return strings.ToLower(u.Hostname())
	}
	return "selo.invalid"
}

func isHost(name string) bool {
	return strings.Contains(name, ".") && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789.-") == "" &&
		!strings.HasPrefix(name, ".") && !strings.HasSuffix(name, ".")
}

type atomFeed struct {
	XMLName   xml.Name     `xml:"http://www.w3.org/2005/Atom feed"`
	Lang      string       `xml:"xml:lang,attr"`
	ID        string       `xml:"id"`
	Title     string       `xml:"title"`
	Subtitle  string       `xml:"subtitle"`
	Updated   string       `xml:"updated"`
	Author    atomPerson   `xml:"author"`
	Generator atomMaker    `xml:"generator"`
	Links     []atomLink   `xml:"link"`
	Entries   []*atomEntry `xml:"entry"`
}

type atomPerson struct {
	Name string `xml:"name"`
	URI  string `xml:"uri,omitempty"`
}

type atomMaker struct {
	Version string `xml:"version,attr,omitempty"`
	Name    string `xml:",chardata"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type atomText struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

type atomCategory struct {
	Term  string `xml:"term,attr"`
	Label string `xml:"label,attr"`
}

type atomEntry struct {
	ID         string         `xml:"id"`
	Title      string         `xml:"title"`
	Updated    string         `xml:"updated"`
	Published  string         `xml:"published"`
	Author     atomPerson     `xml:"author"`
	Link       atomLink       `xml:"link"`
	Categories []atomCategory `xml:"category"`
	Summary    atomText       `xml:"summary"`
	Content    atomText       `xml:"content"`
}

// getNewsAtom gives the news as Atom.
func (s *Server) getNewsAtom(r *Request) (Answer, error) {
	f, err := feedOf(r, newsAtomPath)
	if err != nil {
		return nil, err
	}
	doc := &atomFeed{Lang: r.languageTag(), ID: f.id, Title: f.title, Subtitle: f.subtitle, Updated: f.updated.Format(time.RFC3339),
		Author: atomPerson{Name: "Inmetro"}, Generator: atomMaker{Version: s.deps.Version, Name: "Selo"},
		Links: []atomLink{{"self", atomType, f.self}, {"alternate", "text/html", f.page}}}
	if f.next != "" {
		doc.Links = append(doc.Links, atomLink{"next", atomType, f.next})
	}
	for i := range f.entries {
		e := &f.entries[i]
		at := e.event.At.Format(time.RFC3339)
		doc.Entries = append(doc.Entries, &atomEntry{ID: e.id, Title: e.title, Updated: at, Published: at,
			Author: atomPerson{e.event.Body.Name, r.absolute(r.Link(bodyPath(string(e.event.Body.Sigla))))}, Link: atomLink{"alternate", "text/html", e.link},
			Categories: []atomCategory{{e.event.Kind, r.Text(eventKinds[e.event.Kind].key)}, {e.event.Class.Code, e.event.Class.Name}},
			Summary:    atomText{"text", e.text}, Content: atomText{"html", e.html}})
	}
	body, err := xml.MarshalIndent(doc, "", " ")
	if err != nil {
		return nil, err
	}
	return Content{Type: atomType + "; charset=utf-8", Body: append([]byte(xml.Header), append(body, '\n')...), Headers: r.feedHeaders()}, nil
}

type jsonFeedDoc struct {
	Version     string         `json:"version"`
	Title       string         `json:"title"`
	HomePage    string         `json:"home_page_url"`
	Self        string         `json:"feed_url"`
	Next        string         `json:"next_url,omitempty"`
	Description string         `json:"description"`
	Language    string         `json:"language"`
	Authors     []jsonAuthor   `json:"authors"`
	Items       []jsonFeedItem `json:"items"`
}

type jsonAuthor struct {
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

type jsonFeedItem struct {
	ID        string       `json:"id"`
	URL       string       `json:"url"`
	Title     string       `json:"title"`
	HTML      string       `json:"content_html"`
	Text      string       `json:"content_text"`
	Published string       `json:"date_published"`
	Authors   []jsonAuthor `json:"authors"`
	Tags      []string     `json:"tags"`
	Selo      jsonEvent    `json:"_selo"`
}

// jsonEvent is the event for programs: an extension of JSON Feed, whose names
// begin with an underscore.
type jsonEvent struct {
	Index     int64         `json:"indice"` // in the ledger
	Kind      string        `json:"tipo"`
	Body      string        `json:"organismo"`
	Number    string        `json:"numero"`
	Class     catalog.Named `json:"classe"`
	Situation string        `json:"situacao"` // that the event gave
	Reasons   []string      `json:"justificativas"`
}

// getNewsJSON gives the news as JSON Feed.
func (s *Server) getNewsJSON(r *Request) (Answer, error) {
	f, err := feedOf(r, newsJSONPath)
	if err != nil {
		return nil, err
	}
	doc := jsonFeedDoc{Version: jsonFeed, Title: f.title, HomePage: f.page, Self: f.self, Next: f.next, Description: f.subtitle, Language: r.languageTag(),
		Authors: []jsonAuthor{{Name: "Inmetro"}}, Items: []jsonFeedItem{}}
	for i := range f.entries {
		e := &f.entries[i]
		event := jsonEvent{Index: e.event.Index, Kind: e.event.Kind, Body: string(e.event.Body.Sigla), Number: e.event.Number, Class: e.event.Class,
			Situation: e.event.Became, Reasons: []string{}}
		for _, j := range e.event.Reasons {
			event.Reasons = append(event.Reasons, j.Text)
		}
		doc.Items = append(doc.Items, jsonFeedItem{ID: e.id, URL: e.link, Title: e.title, HTML: e.html, Text: e.text, Published: e.event.At.Format(time.RFC3339),
			Authors: []jsonAuthor{{e.event.Body.Name, r.absolute(r.Link(bodyPath(string(e.event.Body.Sigla))))}},
			Tags:    []string{r.Text(eventKinds[e.event.Kind].key), e.event.Class.Name}, Selo: event})
	}
	body, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		return nil, err
	}
	return Content{Type: jsonFeedType + "; charset=utf-8", Body: append(body, '\n'), Headers: r.feedHeaders()}, nil
}

// feedHeaders let readers that run in a browser, at another site, have a feed.
func (r *Request) feedHeaders() http.Header {
	return http.Header{"Content-Language": {r.languageTag()}, "Access-Control-Allow-Origin": {"*"}, "Cross-Origin-Resource-Policy": {"cross-origin"}}
}
