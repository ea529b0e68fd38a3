package govbrsim

import "github.com/a-h/templ"

// adminEntryView asks for the token of the administration.
type adminEntryView struct {
	Next  string
	Wrong string
}

type peoplePageView struct {
	People []*Person
	More   int // that are not listed
	Notice string
}

type clientsPageView struct {
	Clients []*Client
	Notice  string
}

// recordView is a person or a client in forms.
type recordView struct {
	Heading, Key   string
	Action         string // where the forms go; below it "/interruptores" and "/excluir"
	List, ListName string
	Notice, Wrong  string
	Rows, Switches []recordRow
	Exists         bool
}

// worldPageView is the world: its clock and its switches.
type worldPageView struct {
	Name, Now, Typed string
	Still            bool
	Notice, Wrong    string
	Switches         []recordRow
}

func (adminEntryView) Title() string  { return "Administração" }
func (peoplePageView) Title() string  { return "Pessoas" }
func (clientsPageView) Title() string { return "Clientes" }
func (v recordView) Title() string    { return v.Heading }
func (worldPageView) Title() string   { return "Mundo" }

func (v adminEntryView) Body(x *Exchange) templ.Component  { return v.body(x) }
func (v peoplePageView) Body(x *Exchange) templ.Component  { return v.body(x) }
func (v clientsPageView) Body(x *Exchange) templ.Component { return v.body(x) }
func (v recordView) Body(x *Exchange) templ.Component      { return v.body(x) }
func (v worldPageView) Body(x *Exchange) templ.Component   { return v.body(x) }

// clockSteps are how far the page's buttons move the clock.
var clockSteps = []struct{ By, Text string }{
	{"1m", "1 minuto"}, {"10m", "10 minutos"}, {"1h", "1 hora"}, {"24h", "1 dia"}, {"720h", "30 dias"}, {"8760h", "365 dias"},
}
