package web

import (
	"bytes"
	"net/http"

	"github.com/a-h/templ"
)

// View is the typed data of one page, and how it looks. A view is drawn whole
// into memory before anything is sent, so drawing may fail.
type View interface {
	// Head says what the layout needs to know of the page.
	Head(*Request) Head
	// Body draws what stands inside <main>, its <h1> first.
	Body(*Request) templ.Component
}

// Head is what a page tells the layout and those who share its address.
type Head struct {
	Title       string // of the page alone, in its language; first words first
	Description string // a sentence for search engines and shared links
	Crumbs      []Crumb
	Image       string // path of a picture for shared links; empty: none
	Type        string // of Open Graph; empty: "website"
	NoIndex     bool   // search engines shall leave the page out
	Enhanced    bool   // the page uses htmx
	Feeds       []Feed // news that the page is about
}

// Crumb is one page on the way from the first page to this one. The layout
// adds the first page and this page itself.
type Crumb struct {
	Name string
	Path string // of Portuguese, escaped
}

// Answer is what a handler gives back: [Page], [Redirect] or [Content].
type Answer interface {
	write(*Request, http.ResponseWriter) error
}

// Page answers with a view.
type Page struct {
	View   View
	Status int // zero: 200; 422 when a form is drawn again with its mistakes
}

func (p Page) write(r *Request, w http.ResponseWriter) error {
	var out bytes.Buffer
	if err := layout(r, p.View.Head(r), p.View.Body(r)).Render(r.HTTP.Context(), &out); err != nil {
		return err
	}
	status := p.Status
	if status == 0 {
		status = http.StatusOK
	}
	h := w.Header()
	h["Content-Language"] = []string{r.languageTag()}
	if status != http.StatusOK {
		h.Set("Cache-Control", noStore)
		h.Del("Etag")
		h.Del("Last-Modified")
	} else if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", r.keep())
	}
	return send(r, w, status, "text/html; charset=utf-8", out.Bytes(), nil)
}

// Redirect answers with another address of this site.
type Redirect struct {
	To     string // with its language: see [Request.Link]
	Status int    // zero: 303
}

func (d Redirect) write(r *Request, w http.ResponseWriter) error {
	status := d.Status
	if status == 0 {
		status = http.StatusSeeOther
	}
	w.Header().Set("Cache-Control", noStore)
	http.Redirect(w, r.HTTP, d.To, status)
	return nil
}

// Content answers with something that is no page: a picture, a stylesheet.
type Content struct {
	Type    string // media type
	Body    []byte
	Gzip    []byte      // Body compressed, where it was made before
	Headers http.Header // more headers; Cache-Control wins over the route's
}

func (c Content) write(r *Request, w http.ResponseWriter) error {
	h := w.Header()
	for name, values := range c.Headers {
		h[name] = values
	}
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", r.keep())
	}
	return send(r, w, http.StatusOK, c.Type, c.Body, c.Gzip)
}
