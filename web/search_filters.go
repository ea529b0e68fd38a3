package web

import (
	"selo/brasil"
	"selo/catalog"
)

// filterGroup is one filter with its values.
type filterGroup struct {
	param  string
	title  string
	values []filterValue
}

// filterValue is one value: choosing it, or, when it is chosen, dropping it.
type filterValue struct {
	label  string
	count  int  // -1: not counted
	chosen bool // link drops it
	link   string
}

// filterTitles are the names of the filters by parameter.
var filterTitles = map[string]string{
	paramSituation: "web.search.filter.situation", paramBody: "web.search.filter.body", paramClass: "web.search.filter.class",
	paramType: "web.search.filter.type", paramRole: "web.search.filter.role", paramCompany: "web.search.filter.company",
	paramUF: "web.search.filter.uf", paramCountry: "web.search.filter.country", paramImported: "web.search.filter.imported",
	paramValidity: "web.search.filter.validity",
}

// valueTexts are the words for values that are no codes of the registry.
var valueTexts = map[string]string{
	catalog.AnySituation: "web.search.situation.any",
	catalog.ImportedYes:  "web.search.imported.yes", catalog.ImportedNo: "web.search.imported.no",
	catalog.ValidEnded: "web.search.valid.ended", catalog.ValidMonth: "web.search.valid.month", catalog.ValidQuarter: "web.search.valid.quarter",
	catalog.ValidYear: "web.search.valid.year", catalog.ValidLonger: "web.search.valid.longer", catalog.ValidOpen: "web.search.valid.open",
}

var orderTexts = map[string]string{
	catalog.OrderRelevance: "web.search.order.relevance", catalog.OrderRecent: "web.search.order.recent",
	catalog.OrderValidity: "web.search.order.validity", catalog.OrderNumber: "web.search.order.number",
}

// facetsOf are the counts of a filter.
func facetsOf(f *catalog.Facets, param string) []catalog.Facet {
	switch param {
	case paramSituation:
		return f.Situations
	case paramBody:
		return f.Bodies
	case paramClass:
		return f.Classes
	case paramType:
		return f.Types
	case paramRole:
		return f.Roles
	case paramCompany:
		return f.Companies
	case paramUF:
		return f.UFs
	case paramCountry:
		return f.Countries
	case paramImported:
		return f.Imported
	}
	return f.Validities
}

// label is how a value of a filter is shown.
func (v *searchView) label(r *Request, param, value, name string) string {
	if key := valueTexts[value]; key != "" {
		return r.Text(key)
	}
	switch {
	case param == paramSituation:
		return capital(r.Word(value))
	case name != "":
		return name
	case v.names[param] != "":
		return v.names[param]
	}
	return value
}

// groups are the filters that can still narrow the search. Of a filter with a
// chosen value only that one is shown, but for the situation.
func (v *searchView) groups(r *Request) []filterGroup {
	var groups []filterGroup
	for _, param := range filterParams {
		g := filterGroup{param: param, title: r.Text(filterTitles[param])}
		chosen := v.query[param]
		switch {
		case param == paramSituation:
			g.values = v.situations(r)
		case chosen != "":
			g.values = []filterValue{{label: v.label(r, param, chosen, ""), count: -1, chosen: true, link: v.query.with(r, param, "")}}
		default:
			for _, f := range facetsOf(v.facets, param) {
				g.values = append(g.values, filterValue{label: v.label(r, param, f.Value, f.Name), count: f.Count, link: v.query.with(r, param, f.Value)})
			}
		}
		if len(g.values) > 1 || len(g.values) == 1 && (g.values[0].chosen || g.values[0].count < v.facets.Total) {
			groups = append(groups, g)
		}
	}
	return groups
}

// situations are the situations that occur and all together.
func (v *searchView) situations(r *Request) []filterValue {
	asked, all, shown := v.query.situation(), 0, false
	var list []filterValue
	for _, f := range v.facets.Situations {
		all += f.Count
		value := f.Value
		if value == "ativo" {
			value = "" // the rule
		}
		shown = shown || f.Value == asked
		list = append(list, filterValue{label: v.label(r, paramSituation, f.Value, ""), count: f.Count, chosen: f.Value == asked, link: v.query.with(r, paramSituation, value)})
	}
	if !shown && asked != catalog.AnySituation {
		list = append(list, filterValue{label: v.label(r, paramSituation, asked, ""), chosen: true, link: v.query.with(r)})
	}
	return append(list, filterValue{label: v.label(r, paramSituation, catalog.AnySituation, ""), count: all,
		chosen: asked == catalog.AnySituation, link: v.query.with(r, paramSituation, catalog.AnySituation)})
}

// chosen are the filters in force, the usual situation left out.
func (v *searchView) chosen(r *Request) []filterValue {
	var list []filterValue
	for _, param := range filterParams {
		if value := v.query[param]; value != "" && (param != paramSituation || value != "ativo") {
			list = append(list, filterValue{label: r.Text(filterTitles[param]) + ": " + v.label(r, param, value, ""), chosen: true, link: v.query.with(r, param, "")})
		}
	}
	return list
}

// count says how many certificates match.
func (v *searchView) count(r *Request) string {
	n := r.Number(int64(v.facets.Total))
	switch {
	case v.facets.More:
		return r.Text("web.search.count.more", "numero", n)
	case v.facets.Total == 1:
		return r.Text("web.search.count.one")
	}
	return r.Text("web.search.count", "numero", n)
}

// amount says how many there are of a value.
func (v *searchView) amount(r *Request, n int) string {
	if v.facets.More {
		return r.Number(int64(n)) + "+"
	}
	return r.Number(int64(n))
}

// orders are the orders to choose from.
func (v *searchView) orders() []string {
	if v.query[paramText] == "" {
		return catalog.Orders[1:]
	}
	return catalog.Orders
}

// orderLink is the address of the results in another order.
func (v *searchView) orderLink(r *Request, order string) string {
	if usual := (searchQuery{paramText: v.query[paramText]}).order(); order == usual {
		order = ""
	}
	return v.query.with(r, paramOrder, order)
}

// productCount says how many products a certificate has.
func productCount(r *Request, n int) string {
	switch n {
	case 0:
		return r.Text("web.search.products.none")
	case 1:
		return r.Text("web.search.products.one")
	}
	return r.Text("web.search.products", "numero", r.Number(int64(n)))
}

// validity says until when a certificate is valid.
func validity(r *Request, until brasil.Date) string {
	if until.IsZero() {
		return r.Text("web.search.valid.open")
	}
	return r.Text("web.search.until", "data", r.Date(until))
}

// otherSituations are the situations in which something matches, but the one asked for.
func (v *searchView) otherSituations(r *Request) []filterValue {
	var list []filterValue
	for _, value := range v.situations(r) {
		if !value.chosen && value.count > 0 && value.label != r.Text(valueTexts[catalog.AnySituation]) {
			list = append(list, value)
		}
	}
	return list
}

// examples are searches to try: words of the registry, the same in every language.
var examples = []string{"capacete", "brinquedos", "inversor fotovoltaico", "Portaria 302/2021"}
