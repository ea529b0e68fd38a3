// Package brasil holds the small words of Brazilian paperwork: CPF, CNPJ
// (numeric and alphanumeric), CEP, UF, NCM, GTIN, the calendar day, Brasília
// time, national holidays, and the folding of text for search and keys.
//
// Every identifier is a string type that holds the bare characters, without a
// mask. A value that came out of a Parse or Make function is well formed and
// its check digits are right; a plain conversion such as CNPJ("x") checks
// nothing, so whoever decodes a value from outside parses it again. The zero
// value "" means "none".
//
// Parse functions return a *fault.Fault of kind fault.Invalid whose argument
// "valor" repeats what was typed, cut to 40 characters. What a person pastes
// is forgiven (masks, spaces, lower case); what would have to be guessed is not.
//
// The package asks no outside service: a well-formed CNPJ need not exist.
// It never reads the wall clock.
package brasil

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"selo/fault"
)

// maxValue is the length, in runes, of the longest "valor" a fault repeats.
const maxValue = 40

// invalid makes the fault of a value that cannot be parsed; args are more pairs.
func invalid(key, value string, args ...string) *fault.Fault {
	return fault.New(fault.Invalid, key, append(args, "valor", excerpt(value))...)
}

// excerpt cuts s to maxValue runes, the last of them an ellipsis, and makes it valid UTF-8.
func excerpt(s string) string {
	runes, cut := 0, 0
	for i := range s {
		if runes == maxValue-1 {
			cut = i
		}
		runes++
		if runes > maxValue {
			return strings.ToValidUTF8(s[:cut], "\uFFFD") + "…"
		}
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// unmask writes the digits and letters of s to dst, letters in upper case, and
// leaves out the punctuation of masks. It returns how many it found, which may
// be more than dst holds, and false at any other character.
func unmask(dst []byte, s string) (int, bool) {
	n := 0
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9', 'A' <= r && r <= 'Z':
		case 'a' <= r && r <= 'z':
			r -= 'a' - 'A'
		case isMask(r):
			continue
		default:
			return n, false
		}
		if n < len(dst) {
			dst[n] = byte(r)
		}
		n++
	}
	return n, true
}

// isMask tells whether people or word processors put r between the digits of a
// number: dot, slash, any dash or space, and invisible formatting characters.
func isMask(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '.' || r == '/' || r == '-' || unicode.IsSpace(r)
	}
	return unicode.IsSpace(r) || unicode.In(r, unicode.Pd, unicode.Cf)
}

// digits parses a masked number of len(dst) digits into dst; family begins the fault keys.
func digits(dst []byte, s, family string) error {
	n, ok := unmask(dst, s)
	switch {
	case !ok || !allDigits(dst[:min(n, len(dst))]):
		return invalid(family+".characters", s)
	case n != len(dst):
		return invalid(family+".length", s)
	}
	return nil
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// repeated tells whether b is one character over and over.
func repeated(b []byte) bool {
	for _, c := range b[1:] {
		if c != b[0] {
			return false
		}
	}
	return true
}

// text returns b as a string: s itself, without a copy, when they are equal.
func text(b []byte, s string) string {
	if string(b) == s {
		return s
	}
	return string(b)
}
