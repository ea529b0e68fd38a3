package web

// menuItem is one entry of the main menu.
type menuItem struct {
	path string // of Portuguese
	name string
}

// menu lists the main menu in its order.
func (r *Request) menu() []menuItem {
	return []menuItem{
		{"/", r.Text("web.menu.search")},
		{"/sobre", r.Text("web.menu.about")},
		{"/acessibilidade", r.Text("web.menu.accessibility")},
	}
}

// current tells whether a menu entry is the page that is shown, for aria-current.
func (r *Request) current(path string) bool { return r.path == path }
