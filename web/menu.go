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

// within tells whether the page that is shown lies below a menu entry.
func (r *Request) within(path string) bool { return strings.HasPrefix(r.path, path+"/") }
