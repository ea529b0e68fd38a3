package catalog

import (
	"cmp"
	"slices"
	"strings"

	"selo/certificate"
)

// InForce says that a normative document may be entered in certificates of one
// product class and of one type on the days of a period.
type InForce struct {
	Code   certificate.DocumentCode
	Title  string // "Portaria Inmetro nº 302/2021"
	Kind   string // "Portaria", "Norma", "Outros"
	Type   Named  // of certificate
	Period certificate.Period
}

// DocumentsOf lists all offers of documents to a product class, past and future
// ones too, by title, type and beginning: Period.Holds tells which are in force
// on a day. Several documents of one class are in force side by side.
func (c *Catalog) DocumentsOf(class string) []InForce {
	return c.offers(func(o *certificate.Offer) bool { return o.Class == certificate.ClassCode(class) && o.Class != "" })
}

// offers lists the chosen offers of all documents.
func (c *Catalog) offers(chosen func(*certificate.Offer) bool) []InForce {
	list := []InForce{}
	for _, d := range c.names.documents {
		for i := range d.Offers {
			if o := &d.Offers[i]; chosen(o) {
				list = append(list, InForce{Code: d.Code, Title: orCode(d.Title, string(d.Code)), Kind: d.Kind,
					Type: Named{string(o.Type), c.names.kind(o.Type)}, Period: o.Period})
			}
		}
	}
	slices.SortFunc(list, func(a, b InForce) int {
		return cmp.Or(strings.Compare(a.Title, b.Title), strings.Compare(string(a.Code), string(b.Code)), strings.Compare(a.Type.Code, b.Type.Code),
			a.Period.From.Compare(b.Period.From), a.Period.To.Compare(b.Period.To))
	})
	return list
}

// sortedOffers is a document's list of offers in an order of its own; nil when
// there are none.
func sortedOffers(offers []certificate.Offer) []certificate.Offer {
	if len(offers) == 0 {
		return nil
	}
	list := slices.SortedFunc(slices.Values(offers), func(a, b certificate.Offer) int {
		return cmp.Or(strings.Compare(string(a.Class), string(b.Class)), strings.Compare(string(a.ServiceClass), string(b.ServiceClass)),
			strings.Compare(string(a.Type), string(b.Type)), a.From.Compare(b.From), a.To.Compare(b.To))
	})
	return slices.Compact(list)
}
