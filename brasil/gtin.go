package brasil

import (
	"strings"
	"unicode"

	"selo/fault"
)

// GTIN is the number below a bar code (EAN or UPC): 8, 12, 13 or 14 digits as
// written, the last of them a check digit (GS1 General Specifications). Two
// ways of writing one number differ; compare by [GTIN.Padded]. The zero value
// is no number.
type GTIN string

// ParseGTIN reads one GTIN; space around it is ignored, and nothing inside it.
//
// Faults: gtin.characters, gtin.length, gtin.zeros (only zeros pass the
// arithmetic, and name nothing), gtin.check_digit.
func ParseGTIN(s string) (GTIN, error) {
	g := strings.TrimFunc(s, isGap)
	sum, weight := 0, 1
	for i := len(g) - 1; i >= 0; i-- {
		if g[i] < '0' || g[i] > '9' {
			return "", invalid("gtin.characters", s)
		}
		sum += int(g[i]-'0') * weight
		weight = 4 - weight // from right to left 1, 3, 1, 3, …
	}
	switch len(g) {
	case 8, 12, 13, 14:
	default:
		return "", invalid("gtin.length", s)
	}
	switch {
	case sum == 0:
		return "", invalid("gtin.zeros", s)
	case sum%10 != 0:
		return "", invalid("gtin.check_digit", s)
	}
	return GTIN(g), nil
}

// ParseGTINList reads numbers separated by semicolons, commas, spaces or new
// lines (the field Código EAN/UPC of a product). A number that was already
// listed, in whatever length, is dropped; empty text gives an empty list.
//
// It returns fault gtin.list with one problem for each number that
// [ParseGTIN] refuses, and then no list.
func ParseGTINList(s string) ([]GTIN, error) {
	var list []GTIN
	var problems []fault.Problem
	seen := map[GTIN]bool{}
	for field := range strings.FieldsFuncSeq(s, isGap) {
		g, err := ParseGTIN(field)
		if f := fault.Of(err); f != nil {
			problems = append(problems, fault.Problem{Code: f.Key, Args: f.Args})
			continue
		}
		if key := g.Padded(); !seen[key] {
			seen[key] = true
			list = append(list, g)
		}
	}
	if len(problems) > 0 {
		f := invalid("gtin.list", s)
		f.Problems = problems
		return nil, f
	}
	return list, nil
}

// Padded returns the number in 14 digits, with zeros in front: the same for
// every way of writing it. The zero value stays empty.
func (g GTIN) Padded() GTIN {
	const zeros = "00000000000000"
	if len(g) == 0 || len(g) >= len(zeros) {
		return g
	}
	return GTIN(zeros[len(g):]) + g
}

// isGap tells whether r separates bar codes: punctuation of lists, spaces and
// the invisible characters that spreadsheets leave behind.
func isGap(r rune) bool {
	return r == ';' || r == ',' || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
}
