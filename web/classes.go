package web

import (
	"net/http"
	"net/url"

	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/fault"
	"selo/locale"

	"github.com/a-h/templ"
)

const classesPath = "/classes"

// classPath is the page of a class, of Portuguese.
func classPath(code string) string { return classesPath + "/" + url.PathEscape(code) }

// classRow is a class in the list.
type classRow struct {
	catalog.ClassView
	tally  catalog.Tally
	bodies int // that have certificates of it
}

// classesView lists the classes of product.
type classesView struct {
	typed string
	list  []classRow // shown on the Web
	off   []classRow // not
	total int        // classes, chosen or not
}

// getClasses lists the classes, or those whose name has the words typed.
func (s *Server) getClasses(r *Request) (Answer, error) {
	summary, err := r.Catalog.Summary(r.HTTP.Context())
	if err != nil {
		return nil, err
	}
	tallies := map[string]catalog.Tally{}
	for _, c := range summary.Classes {
		tallies[c.Code] = c.Tally
	}
	v := &classesView{typed: typedText(r)}
	for _, c := range r.Catalog.Classes() {
		v.total++
		switch {
		case !matches(c.Name, v.typed):
		case c.Disabled != "":
			v.off = append(v.off, classRow{ClassView: c})
		default:
			v.list = append(v.list, classRow{c, tallies[string(c.Code)], len(summary.BodiesOf(c.Code))})
		}
	}
	return Page{View: v}, nil
}

// Head implements [View].
func (v *classesView) Head(r *Request) Head {
	return Head{Title: r.Text("web.classes.title"), Description: r.Text("web.classes.lead"), NoIndex: v.typed != ""}
}

// Body implements [View].
func (v *classesView) Body(r *Request) templ.Component { return classesBody(r, v) }

// classView is the page of one class.
type classView struct {
	class     catalog.ClassView
	tally     catalog.Tally
	bodies    []catalog.Tallied
	documents documents
	services  []serviceDocuments // of the class of services
	newest    []catalog.Hit
	news      happened
	on        brasil.Date     // day of the documents
	asked     bool            // another day than today was asked for
	problem   *locale.Failure // the day cannot be read
}

// documents are those of a class, parted by a day.
type documents struct {
	now, before, after []catalog.InForce
}

func documentsOn(list []catalog.InForce, day brasil.Date) documents {
	var d documents
	for _, doc := range list {
		switch {
		case doc.Period.Holds(day):
			d.now = append(d.now, doc)
		case !doc.Period.To.IsZero() && doc.Period.To.Before(day):
			d.before = append(d.before, doc)
		default:
			d.after = append(d.after, doc)
		}
	}
	return d
}

// serviceDocuments are those of one class of service.
type serviceDocuments struct {
	catalog.ServiceClass
	documents
}

// getClass shows a class of product. Fault: web.class.unknown. A day that
// cannot be read is said in the page, with 422.
func (s *Server) getClass(r *Request) (Answer, error) {
	asked := r.HTTP.PathValue("classe")
	class, ok := r.Catalog.FindClass(asked)
	if !ok {
		return nil, fault.New(fault.NotFound, "web.class.unknown", "codigo", cut(plainText(asked), maxFind))
	}
	summary, err := r.Catalog.Summary(r.HTTP.Context())
	if err != nil {
		return nil, err
	}
	v := &classView{class: class, on: r.Today(), bodies: summary.BodiesOf(class.Code)}
	status := v.readDay(r)
	v.documents = documentsOn(r.Catalog.DocumentsOf(asked), v.on)
	if class.Service {
		for _, service := range r.Catalog.ServiceClasses() {
			v.services = append(v.services, serviceDocuments{service, documentsOn(service.Documents, v.on)})
		}
	}
	for _, c := range summary.Classes {
		if c.Code == asked {
			v.tally = c.Tally
		}
	}
	if v.tally.Total() > 0 {
		if v.newest, err = newestOf(r, catalog.Search{Class: asked}); err != nil {
			return nil, err
		}
	}
	if v.news, err = newsOf(r, catalog.EventQuery{Class: asked}, url.Values{paramClass: {asked}}); err != nil {
		return nil, err
	}
	return Page{View: v, Status: status}, nil
}

// readDay reads the day of the documents; past and future may be asked for.
func (v *classView) readDay(r *Request) (status int) {
	text := r.Value("em")
	if text == "" {
		return http.StatusOK
	}
	day, err := brasil.ParseDate(cut(text, maxFind))
	if err != nil {
		failure := locale.Fault(r.Lang, fault.New(fault.Invalid, "web.class.date"))
		v.problem = &failure
		return http.StatusUnprocessableEntity
	}
	v.on, v.asked = day, day != r.Today()
	return http.StatusOK
}

// Head implements [View].
func (v *classView) Head(r *Request) Head {
	return Head{
		Title:       v.class.Name,
		Description: r.Text("web.class.description", "nome", v.class.Name, "ativos", r.amountOf(v.tally.Active)),
		Crumbs:      []Crumb{{r.Text("web.classes.title"), classesPath}},
		NoIndex:     v.asked,
		Feeds:       newsFeeds(r.Text("web.class.feed", "nome", v.class.Name), v.news.query),
	}
}

// Body implements [View].
func (v *classView) Body(r *Request) templ.Component { return classBody(r, v) }

// search is a search in the class.
func (v *classView) search(pairs ...string) searchQuery {
	q := filterOf(paramClass, string(v.class.Code))
	for i := 0; i+1 < len(pairs); i += 2 {
		q[pairs[i]] = pairs[i+1]
	}
	return q
}

// beginning says from when a document may be used.
func beginning(r *Request, p certificate.Period) string {
	if p.From.IsZero() {
		return r.Text("web.class.from.open")
	}
	return r.Date(p.From)
}

// ending says up to when a document may be used.
func ending(r *Request, p certificate.Period) string {
	if p.To.IsZero() {
		return r.Text("web.class.until.open")
	}
	return r.Date(p.To)
}
