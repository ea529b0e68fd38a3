package certificate

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"selo/brasil"
	"selo/fault"
)

// Longest texts, in runes. They only keep absurd input out; the old program's
// limit of 250 on the brand was a bug (FAQ 3.12).
const (
	maxNumber  = 80      // certificate number
	maxCode    = 100     // codes of auxiliary tables
	maxShort   = 500     // a name, a line of an address
	maxLine    = 2_000   // laboratory, signatories, lot, serial number
	maxRemarks = 20_000  // remarks, justification
	maxText    = 100_000 // brand, model, description
	maxEmail   = 254     // RFC 5321
)

// problems collects the broken rules of one record; [problems.named] puts the
// record's name on them at the end, so that no label is made when all is well.
type problems []fault.Problem

func (p *problems) add(field, code string, args ...string) {
	*p = append(*p, fault.Problem{Field: field, Code: code, Args: fault.Pairs(args...)})
}

// parsed adds what a parser of package brasil says, under its own key.
func (p *problems) parsed(field string, err error) {
	if f := fault.Of(err); f != nil {
		*p = append(*p, fault.Problem{Field: field, Code: f.Key, Args: f.Args})
	}
}

func (p problems) named(label func() string) []fault.Problem {
	if len(p) == 0 {
		return nil
	}
	name := label()
	for i := range p {
		p[i].Record = name
	}
	return p
}

// element is the JSON path of an element of a list: "produtos[3]".
func element(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// path is the JSON path of a field of such an element: "produtos[3].lote".
func path(list string, i int, field string) string { return element(list, i) + "." + field }

// text adds a problem unless s is valid UTF-8 of at most limit runes without
// control characters. Line breaks pass only in multiline text.
func (p *problems) text(field, s string, limit int) { p.checkText(field, s, limit, false) }

func (p *problems) multiline(field, s string, limit int) { p.checkText(field, s, limit, true) }

// linkText is text for an element of a list; it makes no path when all is well.
func (p *problems) linkText(list string, i int, field, s string, limit int) {
	if len(s) <= limit && isPlain(s) {
		return
	}
	p.text(path(list, i, field), s, limit)
}

func (p *problems) checkText(field, s string, limit int, lines bool) {
	if !utf8.ValidString(s) {
		p.add(field, "text.encoding")
		return
	}
	if len(s) > limit {
		if n := utf8.RuneCountInString(s); n > limit {
			p.add(field, "text.long", "tamanho", strconv.Itoa(n), "limite", strconv.Itoa(limit))
		}
	}
	if isPlain(s) {
		return
	}
	for _, r := range s {
		if r == '\n' && lines {
			continue
		}
		if isForbidden(r) {
			p.add(field, "text.control", "caractere", fmt.Sprintf("U+%04X", r))
			return
		}
	}
}

// isPlain tells whether s is printable ASCII, which most text is.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// isForbidden tells the characters that no text may hold: control characters,
// the two line breaks that JSON and JavaScript disagree about, those that turn
// the direction of writing and so can make a number read as another one, and
// the invisible ones, with which two texts that look the same would differ.
func isForbidden(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r > unicode.MaxASCII && unicode.Is(unicode.Cf, r)
}

// isInvisible tells the characters that come along with pasted text and mean
// nothing: zero-width spaces and joiners, soft hyphens, byte-order marks.
func isInvisible(r rune) bool {
	turns := r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
	return r > unicode.MaxASCII && !turns && unicode.Is(unicode.Cf, r)
}

// visible returns s without the invisible characters.
func visible(s string) string {
	if isPlain(s) || strings.IndexFunc(s, isInvisible) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return -1
		}
		return r
	}, s)
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// Valid tells whether the ID is a UUID in its 36-character lower-case form.
func (id ID) Valid() bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// Clean brings what people typed or pasted into the form that is kept: NFC,
// without invisible characters, no white space at the ends and single spaces
// inside (line breaks stay in the remarks), and Active for a situation that was not given. Nothing is sorted
// or dropped; values that are wrong stay for the rules to name.
func (c *Certificate) Clean() {
	squeeze(&c.Number, &c.Laboratory, &c.ReportNumber, &c.Signatories)
	squeeze((*string)(&c.Class), (*string)(&c.Type), (*string)(&c.Model))
	c.Remarks = squeezeLines(c.Remarks)
	activate(&c.Situation)
	cleanDocuments(c.Documents)
	for i := range c.Companies {
		activate(&c.Companies[i].Situation)
	}
	for i := range c.Products {
		l := &c.Products[i]
		squeeze(&l.ImportLicence, &l.Lot, &l.Serial)
		activate(&l.Situation)
	}
	for i := range c.Services {
		l := &c.Services[i]
		squeeze(&l.Description)
		activate(&l.Situation)
		cleanDocuments(l.Documents)
	}
}

// Clean brings a company into the form that is kept: texts as
// [Certificate.Clean], numbers without masks, codes in upper case. A number
// that cannot be read stays as it was typed.
func (c *Company) Clean() {
	squeeze(&c.District, &c.City, &c.Complement, &c.Email, &c.Street, &c.Fax,
		&c.TradeName, &c.Number, &c.Name, &c.Phone)
	squeeze((*string)(&c.Country), (*string)(&c.CNPJ), (*string)(&c.CPF), (*string)(&c.CEP), (*string)(&c.UF))
	c.Country = CountryCode(strings.ToUpper(string(c.Country)))
	if n, err := brasil.ParseCNPJ(string(c.CNPJ)); err == nil {
		c.CNPJ = n
	}
	if n, err := brasil.ParseCPF(string(c.CPF)); err == nil {
		c.CPF = n
	}
	if c.Country != Brazil {
		return // a foreign postal code or province may look like one of ours
	}
	if n, err := brasil.ParseCEP(string(c.CEP)); err == nil {
		c.CEP = n
	}
	if n, err := brasil.ParseUF(string(c.UF)); err == nil {
		c.UF = n
	}
}

// Clean brings a product into the form that is kept, as [Certificate.Clean].
func (p *Product) Clean() {
	squeeze(&p.Brand, &p.Model, &p.Description, &p.CommercialName, &p.Family)
	for i, g := range p.GTINs {
		if n, err := brasil.ParseGTIN(string(g)); err == nil {
			p.GTINs[i] = n
		}
	}
}

// Clean brings the texts of a revision that is about to be approved into the form that is kept.
func (r *Revision) Clean() {
	r.Body = Sigla(strings.ToUpper(brasil.Squeeze(string(r.Body))))
	if r.Certificate != nil {
		r.Certificate.Clean()
	}
	if r.Company != nil {
		r.Company.Clean()
	}
	if r.Product != nil {
		r.Product.Clean()
	}
	for i := range r.Justifications {
		r.Justifications[i].Text = squeezeLines(r.Justifications[i].Text)
	}
}

func cleanDocuments(links []DocumentLink) {
	for i := range links {
		activate(&links[i].Situation)
	}
}

func activate(s *Situation) {
	if *s == "" {
		*s = Active
	}
}

func squeeze(texts ...*string) {
	for _, s := range texts {
		*s = brasil.Squeeze(visible(*s))
	}
}

// squeezeLines squeezes each line and drops empty lines at both ends.
func squeezeLines(s string) string {
	s = visible(s)
	if !strings.ContainsAny(s, "\r\n\u0085\u2028\u2029") {
		return brasil.Squeeze(s)
	}
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = brasil.Squeeze(line)
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
