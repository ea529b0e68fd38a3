package web

import "strings"

// menuItem is one entry of the main menu.
type menuItem struct {
	path string // of Portuguese
	name string
}

// menu lists the main menu in its order. What few people look for stands in
// the footer only.
func (r *Request) menu() []menuItem {
	return []menuItem{
		{"/", r.Text("web.menu.search")},
		{verifyPath, r.Text("web.menu.verify")},
		{bodiesPath, r.Text("web.menu.bodies")},
		{classesPath, r.Text("web.menu.classes")},
		{companiesPath, r.Text("web.menu.companies")},
		{dataPath, r.Text("web.menu.data")},
		{newsPath, r.Text("web.menu.news")},
	}
}

// mark is the aria-current of a menu entry: "page" when it is the page that is
// shown, "true" when that page lies below it, else empty.
func (r *Request) mark(path string) string {
	switch {
	case r.path == path:
		return "page"
	case strings.HasPrefix(r.path, path+"/"):
		return "true"
	}
	return ""
}
