package web

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"selo/catalog"

	"github.com/a-h/templ"
)

const (
	chartsPath  = dataPath + "/graficos"
	shownBars   = 15 // bodies or classes; the rest are one bar
	shownMonths = 36
	leastMonths = 12
)

// chartsView draws the summary of all certificates.
type chartsView struct {
	summary     *catalog.Summary
	changes     []catalog.Changes // the last months
	publication catalog.Publication
}

func (s *Server) getCharts(r *Request) (Answer, error) {
	summary, err := r.Catalog.Summary(r.HTTP.Context())
	if err != nil {
		return nil, err
	}
	changes, err := r.Catalog.Changes(r.HTTP.Context())
	if err != nil {
		return nil, err
	}
	return Page{View: &chartsView{summary, lastMonths(changes), r.Catalog.Publication()}}, nil
}

// lastMonths are the months of changes that are drawn, at least a year: before
// the first change there was none.
func lastMonths(changes []catalog.Changes) []catalog.Changes {
	changes = changes[max(0, len(changes)-shownMonths):]
	if len(changes) == 0 || len(changes) >= leastMonths {
		return changes
	}
	first := 12*changes[0].Year + int(changes[0].Month) - 1
	var list []catalog.Changes
	for n := first - leastMonths + len(changes); n < first; n++ {
		list = append(list, catalog.Changes{Year: n / 12, Month: time.Month(n%12 + 1)})
	}
	return append(list, changes...)
}

// Head implements [View].
func (v *chartsView) Head(r *Request) Head {
	return Head{Title: r.Text("web.charts.title"), Description: r.Text("web.charts.lead"), Crumbs: []Crumb{{r.Text("web.data.title"), dataPath}}}
}

// Body implements [View].
func (v *chartsView) Body(r *Request) templ.Component { return chartsBody(r, v) }

// bar is one thing that is counted: a part drawn full, the rest hatched.
type bar struct {
	name       string
	full, rest int
	label      string // the numbers in words, beside the name
	link       string // of the table; empty: none
	tally      *catalog.Tally
}

// chart is one drawing and the table that says the same.
type chart struct {
	id, title, text string
	bars            []bar
	hatched         bool // some bars have a rest
	unit            string
}

func (c *chart) most() int {
	most := 1
	for _, b := range c.bars {
		most = max(most, b.full+b.rest)
	}
	return most
}

// What a bar chart is drawn with, in the height of a letter: every row has a
// line of text with its bar below. Widths are shares of the drawing's, so that
// the letters stay readable on a small screen.
const (
	rowHeight = 3.2
	textLine  = 1.15
	barTop    = 1.55
	barHeight = 1.0
)

func em(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) + "em" }

func share(n, of int) string {
	return strconv.FormatFloat(100*float64(n)/float64(of), 'f', 2, 64) + "%"
}

func (c *chart) height() string { return em(rowHeight * float64(len(c.bars))) }

// shortened cuts a text and says so.
func shortened(text string, most int) string {
	if short := cut(text, most-1); short != text && cut(text, most) != text {
		return short + "…"
	}
	return text
}

func (c *chart) line(i int) string  { return em(rowHeight*float64(i) + textLine) }
func (c *chart) place(i int) string { return em(rowHeight*float64(i) + barTop) }
func (c *chart) foot(i int) string  { return em(rowHeight*float64(i) + barTop + barHeight) }

// bySituation counts all certificates.
func (v *chartsView) bySituation(r *Request) *chart {
	c := &chart{id: "situacao", title: r.Text("web.charts.situation"), unit: r.Text("web.charts.unit.situation")}
	total := v.summary.Total.Total()
	for _, s := range situationsOf(v.summary.Total) {
		c.bars = append(c.bars, bar{name: r.Text(s.key), full: s.n, label: r.amountOf(s.n), link: searchQuery{}.of(r, s.situation)})
	}
	c.text = r.Text("web.charts.situation.desc", "total", r.amountOf(total), "ativos", r.amountOf(v.summary.Total.Active))
	return c
}

// largest are the bars of the most certificates; the others are one bar.
func (r *Request) largest(c *chart, list []catalog.Tallied, others, empty string, link func(code string) string) *chart {
	list = slices.DeleteFunc(slices.Clone(list), func(t catalog.Tallied) bool { return t.Total() == 0 })
	slices.SortStableFunc(list, func(a, b catalog.Tallied) int { return cmp.Compare(b.Total(), a.Total()) })
	c.hatched, c.text = true, empty
	var rest catalog.Tally
	for i, t := range list {
		if i < shownBars {
			c.bars = append(c.bars, bar{name: cmp.Or(t.Name, t.Code), full: t.Active, rest: t.Total() - t.Active, label: r.activeOf(t.Tally), link: link(t.Code), tally: &t.Tally})
			continue
		}
		rest.Active += t.Active
		rest.Suspended += t.Suspended
		rest.Cancelled += t.Cancelled
		rest.Expired += t.Expired
	}
	if len(list) > shownBars {
		c.bars = append(c.bars, bar{name: r.Text(others, "numero", r.amountOf(len(list)-shownBars)), full: rest.Active, rest: rest.Total() - rest.Active,
			label: r.activeOf(rest), tally: &rest})
	}
	if len(c.bars) > 0 {
		c.text = r.Text("web.charts.largest.desc", "nome", c.bars[0].name, "numeros", c.bars[0].label)
	}
	return c
}

// activeOf says how many certificates there are, and how many are active.
func (r *Request) activeOf(t catalog.Tally) string {
	return r.Text("web.charts.active", "ativos", r.amountOf(t.Active), "total", r.amountOf(t.Total()))
}

func (v *chartsView) byClass(r *Request) *chart {
	c := &chart{id: "classe", title: r.Text("web.charts.class"), unit: r.Field("classe")}
	return r.largest(c, v.summary.Classes, "web.charts.class.others", r.Text("web.charts.empty"), func(code string) string { return r.Link(classPath(code)) })
}

func (v *chartsView) byBody(r *Request) *chart {
	c := &chart{id: "organismo", title: r.Text("web.charts.body"), unit: r.Field("organismo")}
	return r.largest(c, v.summary.Bodies, "web.charts.body.others", r.Text("web.charts.empty"), func(code string) string { return r.Link(bodyPath(code)) })
}

// monthColumn is one month.
type monthColumn struct {
	year  int
	month time.Month
	count int
}

// name is the month as the table says it.
func (c monthColumn) name() string { return fmt.Sprintf("%02d/%d", c.month, c.year) }

func (c monthColumn) yearText() string { return strconv.Itoa(c.year) }

// monthColumns are months side by side.
type monthColumns struct {
	id, title, text string
	months          []monthColumn
}

// byIssue counts certificates by the month of their issue, those of the last
// years, months without any among them.
func (v *chartsView) byIssue(r *Request) *monthColumns {
	c := &monthColumns{id: "emissao", title: r.Text("web.charts.issued", "meses", r.amountOf(shownMonths))}
	counts := map[int]int{}
	for _, m := range v.summary.Months {
		counts[12*m.Year+int(m.Month)-1] += m.Total()
	}
	on := v.summary.On.Time(time.UTC)
	for n := 12*on.Year() + int(on.Month()) - shownMonths; n < 12*on.Year()+int(on.Month()); n++ {
		c.months = append(c.months, monthColumn{n / 12, time.Month(n%12 + 1), counts[n]})
	}
	return c.described(r)
}

// byChange counts what was accepted each month.
func (v *chartsView) byChange(r *Request, kind int) *monthColumns {
	titles := []string{"web.charts.new", "web.charts.suspended", "web.charts.cancelled"}
	c := &monthColumns{id: "mudanca-" + strconv.Itoa(kind+1), title: r.Text(titles[kind])}
	for _, m := range v.changes {
		c.months = append(c.months, monthColumn{m.Year, m.Month, []int{m.New, m.Suspended, m.Cancelled}[kind]})
	}
	return c.described(r)
}

// described says in words what the drawing shows.
func (c *monthColumns) described(r *Request) *monthColumns {
	var top monthColumn
	total, most := 0, -1
	for _, m := range c.months {
		total += m.count
		if m.count > most {
			top, most = m, m.count
		}
	}
	if total == 0 {
		c.months, c.text = nil, r.Text("web.charts.months.none")
		return c
	}
	c.text = r.Text("web.charts.months.desc", "total", r.amountOf(total), "mes", top.name(), "numero", r.amountOf(most))
	return c
}

func (c *monthColumns) most() int {
	most := 1
	for _, m := range c.months {
		most = max(most, m.count)
	}
	return most
}

// What a drawing of months is made with: an axis of so many letters' height,
// below the line of its highest value and above that of the years.
const (
	axisTop    = 1.6
	axisHeight = 11.0
)

func (c *monthColumns) x(i int) string { return share(2*i+1, 2*len(c.months)+1) }
func (c *monthColumns) width() string  { return share(3, 2*(2*len(c.months)+1)) }

func (c *monthColumns) tall(i int) float64 {
	return axisHeight * float64(c.months[i].count) / float64(c.most())
}
func (c *monthColumns) top(i int) string   { return em(axisTop + axisHeight - c.tall(i)) }
func (c *monthColumns) reach(i int) string { return em(c.tall(i)) }

// marks are the columns with a year below: each January, and the first where
// it is far from one.
func (c *monthColumns) marks(i int) bool {
	return c.months[i].month == time.January || i == 0 && c.months[i].month < time.September
}
