package catalog

import (
	"strings"

	"selo/brasil"
	"selo/certificate"
)

// Limits of what goes into the index.
const (
	maxJoined      = 40 // bytes: a longer compact form helps nobody
	maxRun         = 96 // bytes of a number's parts in one
	maxNumberWords = 6  // words of a text that are also read as one
)

// Marks of the situations in the column filtros; the publication's day decides on expiry.
const (
	markHidden = "oculto"
	markPrefix = "s" // followed by the shown situation
)

// words collects the distinct words of one column.
type words struct {
	seen map[string]struct{}
	text []byte
}

func (w *words) reset() {
	clear(w.seen)
	w.text = w.text[:0]
}

// add takes folded text and keeps the words not yet there: the index does not rank, so once is enough.
func (w *words) add(folded string) {
	for word := range strings.SplitSeq(folded, " ") {
		if word == "" {
			continue
		}
		if _, ok := w.seen[word]; ok {
			continue
		}
		if w.seen == nil {
			w.seen = map[string]struct{}{}
		}
		w.seen[word] = struct{}{}
		if len(w.text) > 0 {
			w.text = append(w.text, ' ')
		}
		w.text = append(w.text, word...)
	}
}

// indexText makes the index row of one certificate. The zero value is ready.
type indexText struct {
	number, body, class, documents, companies, brands, models, details, filter words
	lots                                                                       words // with details one column
	facet                                                                      words // marks that searches count; the index has them too
}

func (t *indexText) columns() []*words {
	return []*words{&t.number, &t.body, &t.class, &t.documents, &t.companies, &t.brands, &t.models, &t.details, &t.filter}
}

func (t *indexText) reset() {
	for _, w := range t.columns() {
		w.reset()
	}
	t.facet.reset()
	t.lots.reset()
}

func (t *indexText) row(id int64) []any {
	row := []any{id}
	for _, w := range t.columns() {
		if w == &t.details {
			row = append(row, t.newDetails())
			continue
		}
		row = append(row, string(w.text))
	}
	return row
}

// sheet takes what the ready-made part holds.
func (t *indexText) sheet(s *Sheet) {
	t.number.add(numberWords(s.Number))
	t.body.add(brasil.Fold(string(s.Body.Sigla)))
	t.body.add(brasil.Fold(s.Body.Name))
	t.class.add(brasil.Fold(s.Class.Name))
	for i := range s.Documents {
		t.documents.add(brasil.Fold(s.Documents[i].Title))
	}
	for i := range s.Services {
		service := &s.Services[i]
		t.class.add(brasil.Fold(service.Class.Name))
		t.class.add(brasil.Fold(service.Description))
		for j := range service.Documents {
			t.documents.add(brasil.Fold(service.Documents[j].Title))
		}
	}
}

func (t *indexText) company(c companyRef, role certificate.RoleCode) {
	t.companies.add(c.words)
	t.lots.add(c.place)
	t.facet.add(markOfRole(string(role)))
	for mark := range strings.SplitSeq(c.marks, " ") {
		if strings.HasPrefix(mark, prefixCompany) {
			mark += companyRoleSign + brasil.Compact(string(role))
		}
		t.facet.add(mark)
	}
}

func (t *indexText) product(p productRef) {
	t.brands.add(p.brand)
	t.models.add(p.model)
	if len(t.details.seen) < maxDetails {
		t.details.add(p.details)
	}
	t.facet.add(p.mark)
}

// filters takes the marks that narrow a search before rows are read.
func (t *indexText) filters(c *certificateRow) {
	t.filter.add(markBody(c.body))
	t.filter.add(markClass(c.class))
	t.filter.add(markType(c.kind))
	t.filter.add(string(t.facet.text))
	switch {
	case c.reason != "":
		t.filter.add(markHidden)
	case c.expired != 0:
		t.filter.add(markPrefix + expired)
	default:
		t.filter.add(markPrefix + string(situations[c.situation]))
	}
}

// The marks that facets count; each kind has a beginning of its own.
const (
	prefixUF        = "uf"
	prefixCountry   = "p"
	prefixRole      = "r"
	prefixCompany   = "j" // CNPJ, then companyRoleSign and the role
	companyRoleSign = "x"
	markForeign     = "i1" // an active product is imported
	markDomestic    = "i0" // an active product is not
)

func markUF(uf string) string           { return prefixUF + strings.ToLower(uf) }
func markCountry(country string) string { return prefixCountry + brasil.Compact(country) }
func markOfRole(role string) string     { return prefixRole + brasil.Compact(role) }
func markType(kind string) string       { return "t" + brasil.Compact(kind) }
func markOfCompany(cnpj brasil.CNPJ, role string) string {
	return prefixCompany + strings.ToLower(string(cnpj)) + companyRoleSign + brasil.Compact(role)
}
func markOrigin(imported bool) string {
	if imported {
		return markForeign
	}
	return markDomestic
}

// companyMarks are those of one company, but for its role.
func companyMarks(c *CompanyView) string {
	var marks []string
	if c.UF != "" {
		marks = append(marks, markUF(string(c.UF)))
	}
	if c.Country.Code != "" {
		marks = append(marks, markCountry(c.Country.Code))
	}
	if c.CNPJ != "" {
		marks = append(marks, prefixCompany+strings.ToLower(string(c.CNPJ)))
	}
	return strings.Join(marks, " ")
}

func markBody(sigla string) string  { return "o" + brasil.Compact(sigla) }
func markClass(class string) string { return "c" + brasil.Compact(class) }

// companyWords are the words a company is found by: names and CNPJ, never a CPF.
func companyWords(c *CompanyView) string {
	trade := brasil.Fold(c.TradeName)
	return strings.Join([]string{brasil.Fold(c.Name), trade, joined(trade), strings.ToLower(string(c.CNPJ))}, " ")
}

// productWords are the words a product is found by.
func productWords(brand, model, commercial, family string) (brands, models string) {
	b, m := brasil.Fold(brand), brasil.Fold(model)
	brands, models = b, m
	if j := joined(b); j != "" {
		brands += " " + j
	}
	if j := joined(m); j != "" {
		models += " " + j
	}
	for _, extra := range []string{commercial, family} {
		if extra != "" {
			models += " " + brasil.Fold(extra)
		}
	}
	return brands, models
}

// joined is folded text in one word, when it has several and is short: "cocacola".
func joined(folded string) string {
	if len(folded) > maxJoined+8 || !strings.Contains(folded, " ") {
		return ""
	}
	if j := strings.ReplaceAll(folded, " ", ""); len(j) <= maxJoined {
		return j
	}
	return ""
}

// numberWords are the words of a certificate's number and their runs to its end
// in one word, so that "BRIN 108", "brin108" and "fbbrin10817001" all find
// "FB-BRIN-108/17.001" (manual 2.2.1.2): what is typed last is a beginning, and
// what is typed before is parted where letters and digits meet. Parts of digits
// are kept without their leading zeros too.
func numberWords(number string) string {
	folded := brasil.Fold(number)
	parts := strings.Fields(folded)
	var b strings.Builder
	b.WriteString(folded)
	for i := range parts {
		if run := strings.Join(parts[i:], ""); i < len(parts)-1 && len(run) <= maxRun {
			writeWord(&b, run)
		}
		if short := strings.TrimLeft(parts[i], "0"); short != parts[i] && isDigits(parts[i]) && short != "" {
			writeWord(&b, short)
		}
	}
	return b.String()
}
