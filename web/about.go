package web

import (
	"selo/catalog"

	"github.com/a-h/templ"
)

// aboutView says what Selo is, for visitors.
type aboutView struct {
	publication *catalog.Publication // what this node shows; nil before the first
}

func (s *Server) getAbout(*Request) (Answer, error) {
	view := aboutView{}
	if current, release, ok := s.deps.Catalog.Acquire(); ok {
		defer release()
		p := current.Publication()
		view.publication = &p
	}
	return Page{View: view}, nil
}

// Head implements [View].
func (v aboutView) Head(r *Request) Head {
	return Head{Title: r.Text("web.about.title"), Description: r.Text("web.about.lead")}
}

// Body implements [View].
func (v aboutView) Body(r *Request) templ.Component { return aboutBody(r, v) }

// accessibilityView says what the site does for everybody to use it.
type accessibilityView struct{}

func (s *Server) getAccessibility(*Request) (Answer, error) {
	return Page{View: accessibilityView{}}, nil
}

// Head implements [View].
func (v accessibilityView) Head(r *Request) Head {
	return Head{Title: r.Text("web.access.title"), Description: r.Text("web.access.lead")}
}

// Body implements [View].
func (v accessibilityView) Body(r *Request) templ.Component { return accessibilityBody(r) }
