package catalog

import (
	"fmt"

	"selo/brasil"
	"selo/fault"
)

// Values of [Search.Imported].
const (
	ImportedYes = "sim"
	ImportedNo  = "nao"
)

// Values of [Search.Validity].
const (
	ValidEnded   = "vencida" // before today
	ValidMonth   = "30-dias" // ends within 30 days, today included
	ValidQuarter = "90-dias"
	ValidYear    = "1-ano"
	ValidLonger  = "mais-de-1-ano"
	ValidOpen    = "sem-data"
)

// Validities are the values of [Search.Validity] in the order of time.
var Validities = []string{ValidEnded, ValidMonth, ValidQuarter, ValidYear, ValidLonger, ValidOpen}

// Values of [Search.Order].
const (
	OrderRecent    = "recentes"   // the most recently accepted first
	OrderRelevance = "relevancia" // whole words of brand, model and number first, then names, then anything
	OrderValidity  = "validade"   // what ends first first, no date last
	OrderNumber    = "numero"
)

// Orders are the values of [Search.Order].
var Orders = []string{OrderRelevance, OrderRecent, OrderValidity, OrderNumber}

const (
	openEnd  = 99999999 // after every day
	monthly  = 30       // days
	quarter  = 90
	yearDays = 365
)

// readFilters checks the filters that are one of a few words.
func (q *question) readFilters() error {
	if q.Imported != "" && q.Imported != ImportedYes && q.Imported != ImportedNo {
		return fault.New(fault.Invalid, "search.imported", "valor", fmt.Sprintf("%.40s", q.Imported))
	}
	switch q.Order {
	case "":
		q.Order = OrderRecent
	case OrderRecent, OrderRelevance, OrderValidity, OrderNumber:
	default:
		return fault.New(fault.Invalid, "search.order", "valor", fmt.Sprintf("%.40s", q.Order))
	}
	if q.Validity == "" {
		return nil
	}
	days, ok := validDays(q.Validity, q.today)
	if !ok {
		return fault.New(fault.Invalid, "search.validity", "valor", fmt.Sprintf("%.40s", q.Validity))
	}
	q.valid = days
	return nil
}

// validDays are the first and the last day, YYYYMMDD, of a validity as asked on
// a day. No date is 0.
func validDays(validity string, today brasil.Date) ([2]int64, bool) {
	in := func(days int) int64 { return dayNumber(today.AddDays(days)) }
	switch validity {
	case ValidEnded:
		return [2]int64{1, in(-1)}, true
	case ValidMonth:
		return [2]int64{in(0), in(monthly)}, true
	case ValidQuarter:
		return [2]int64{in(0), in(quarter)}, true
	case ValidYear:
		return [2]int64{in(0), in(yearDays)}, true
	case ValidLonger:
		return [2]int64{in(yearDays + 1), openEnd}, true
	case ValidOpen:
		return [2]int64{0, 0}, true
	}
	return [2]int64{}, false
}

func (q *question) isValidWithin(day int64) bool { return q.valid[0] <= day && day <= q.valid[1] }

// isNarrowed tells whether anything but text, body, class and situation is asked for.
func (q *question) isNarrowed() bool {
	return q.cnpj != "" || q.uf != "" || q.Country != "" || q.Role != "" || q.Type != "" || q.Imported != ""
}

// narrow asks the index for the filters that certificates have marks for.
func (q *question) narrow(m *matcher) {
	if q.uf != "" {
		m.mark(markUF(string(q.uf)))
	}
	if q.Country != "" {
		m.mark(markCountry(q.Country))
	}
	switch {
	case q.Role != "" && q.cnpj != "":
		m.mark(markOfCompany(q.cnpj, q.Role))
	case q.Role != "":
		m.mark(markOfRole(q.Role))
	}
	if q.Type != "" {
		m.mark(markType(q.Type))
	}
	if q.Imported != "" {
		m.mark(markOrigin(q.Imported == ImportedYes))
	}
}
