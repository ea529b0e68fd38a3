package web

import (
	"net/http"
	"net/url"
	"strconv"

	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/fault"
	"selo/locale"

	"github.com/a-h/templ"
)

const companiesPath = "/empresas"

const (
	paramPage = "pagina"
	brazil    = "BR" // whose companies need no name of the country
)

// companyPath is the page of a company, of Portuguese; key is its CNPJ or ID.
func companyPath(key string) string { return companiesPath + "/" + url.PathEscape(key) }

// companiesView finds companies.
type companiesView struct {
	typed string
	list  *catalog.CompanyList
}

// getCompanies lists companies, or those whose name or CNPJ begins with what
// was typed. A whole CNPJ leads to its page.
func (s *Server) getCompanies(r *Request) (Answer, error) {
	v := &companiesView{typed: typedText(r)}
	if cnpj, err := brasil.ParseCNPJ(v.typed); err == nil {
		return Redirect{To: r.Link(companyPath(string(cnpj)))}, nil
	}
	page, err := strconv.Atoi(r.Value(paramPage))
	if err != nil {
		page = 1
	}
	v.list, err = r.Catalog.Companies(r.HTTP.Context(), catalog.CompanyQuery{Text: v.typed, Page: page})
	if err != nil {
		return nil, err
	}
	return Page{View: v}, nil
}

// page is the address of a page of the list.
func (v *companiesView) page(r *Request, number int) string {
	values := url.Values{}
	if v.typed != "" {
		values.Set(paramText, v.typed)
	}
	if number > 1 {
		values.Set(paramPage, strconv.Itoa(number))
	}
	return r.Link(withQuery(companiesPath, values))
}

// count says how many companies there are.
func (v *companiesView) count(r *Request) string {
	if v.list.Total == 1 {
		return r.Text("web.companies.count.one")
	}
	return r.Text("web.companies.count", "numero", r.amountOf(v.list.Total))
}

// Head implements [View].
func (v *companiesView) Head(r *Request) Head {
	return Head{Title: r.Text("web.companies.title"), Description: r.Text("web.companies.lead"), NoIndex: v.typed != "" || v.list.Page > 1}
}

// Body implements [View].
func (v *companiesView) Body(r *Request) templ.Component { return companiesBody(r, v) }

// companyView is the page of one company.
type companyView struct {
	*catalog.Company
	news happened
}

// companyAbsentView says why there is no page of a company.
type companyAbsentView struct {
	locale.Failure
	asked  string // in an address of a company
	places []catalog.CompanyView
}

// getCompany shows a company by its CNPJ, however it is written, or by its ID.
// One that there is nothing to show of gets a page with 404.
func (s *Server) getCompany(r *Request) (Answer, error) {
	asked := r.HTTP.PathValue("empresa")
	if asked == "" {
		return Redirect{To: r.Link(companiesPath), Status: http.StatusPermanentRedirect}, nil
	}
	found, err := r.Catalog.Company(r.HTTP.Context(), asked)
	if known := fault.Of(err); known != nil && known.Kind == fault.NotFound {
		return absentCompany(r, known, asked)
	}
	if err != nil {
		return nil, err
	}
	if key := found.Key(); asked != key {
		return Redirect{To: r.Link(companyPath(key)), Status: http.StatusPermanentRedirect}, nil
	}
	v := &companyView{Company: found}
	ask, query := catalog.EventQuery{Company: string(found.ID)}, url.Values{"empresa": {string(found.ID)}}
	if found.CNPJ != "" {
		ask, query = catalog.EventQuery{CNPJ: string(found.CNPJ)}, url.Values{paramCompany: {string(found.CNPJ)}}
	}
	if v.news, err = newsOf(r, ask, query); err != nil {
		return nil, err
	}
	return Page{View: v}, nil
}

func absentCompany(r *Request, known *fault.Fault, asked string) (Answer, error) {
	v := &companyAbsentView{Failure: locale.Fault(r.Lang, known)}
	if cnpj, err := brasil.ParseCNPJ(asked); err == nil {
		v.asked = cnpj.Masked()
		if v.places, err = r.Catalog.Places(r.HTTP.Context(), cnpj); err != nil {
			return nil, err
		}
	}
	return Page{View: v, Status: http.StatusNotFound}, nil
}

// Head implements [View].
func (v *companyAbsentView) Head(r *Request) Head {
	return Head{Title: v.Title, Crumbs: []Crumb{{r.Text("web.companies.title"), companiesPath}}, NoIndex: true}
}

// Body implements [View].
func (v *companyAbsentView) Body(r *Request) templ.Component { return companyAbsentBody(r, v) }

// shownName is what the company is called.
func shownName(c *catalog.CompanyView) string {
	if c.Name == "" {
		return c.TradeName
	}
	return c.Name
}

// Head implements [View].
func (v *companyView) Head(r *Request) Head {
	name := shownName(&v.CompanyView)
	return Head{
		Title:       name,
		Description: r.Text("web.company.description", "nome", name, "ativos", r.amountOf(v.Tally.Active)),
		Crumbs:      []Crumb{{r.Text("web.companies.title"), companiesPath}},
		NoIndex:     v.Tally.Total() == 0,
		Feeds:       newsFeeds(r.Text("web.company.feed", "nome", name), v.news.query),
	}
}

// Body implements [View].
func (v *companyView) Body(r *Request) templ.Component { return companyBody(r, v) }

// search is a search among the company's certificates; one without a CNPJ is
// looked for by its name.
func (v *companyView) search(pairs ...string) searchQuery {
	q := filterOf(paramCompany, string(v.CNPJ))
	if v.CNPJ == "" {
		q = filterOf(paramText, shownName(&v.CompanyView))
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		q[pairs[i]] = pairs[i+1]
	}
	return q
}

// counts gives links to counted certificates, nil where a search would not
// find just those.
func (v *companyView) counts(r *Request) func(situation string) string {
	if v.CNPJ == "" {
		return nil
	}
	return func(situation string) string { return v.search().of(r, situation) }
}

// brand is a search for a brand of the company's certificates.
func (v *companyView) brand(r *Request, name string) string {
	if v.CNPJ == "" {
		return searchQuery{paramText: name}.with(r)
	}
	return v.search(paramText, name).with(r)
}

// companyLink is the page of a company of a certificate; empty for a natural
// person, who has none.
func companyLink(r *Request, c *catalog.CompanyView) string {
	if c.CPF != "" || c.Person == certificate.Natural {
		return ""
	}
	return r.Link(companyPath(c.Key()))
}

// town is where a company is, in short.
func town(c *catalog.CompanyView) string {
	where := joined("/", c.City, string(c.UF))
	if c.Country.Code == brazil {
		return where
	}
	return joined(" · ", where, c.Country.Name)
}
