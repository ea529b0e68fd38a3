package term

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Width returns how many columns s takes: combining marks take none, wide
// East Asian characters two.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// clean shows control characters as "·", so that a value cannot move the
// cursor, change colours or reorder text. Line ends and tabs become spaces.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError:
			return '·'
		}
		return r
	}, s)
}

// wrap breaks text into lines of at most the given columns, at spaces. A word
// that is longer is broken too when hard is set, and else stands on a line of
// its own, so that an address can be copied. There is always one line at least.
func wrap(text string, columns int, hard bool) []string {
	columns = max(columns, 1)
	var lines []string
	line, used := "", 0
	flush := func() {
		lines = append(lines, line)
		line, used = "", 0
	}
	for _, word := range strings.Fields(text) {
		w := Width(word)
		if used > 0 && used+1+w <= columns {
			line += " " + word
			used += 1 + w
			continue
		}
		if used > 0 {
			flush()
		}
		for hard && w > columns {
			head := cut(word, columns)
			lines = append(lines, head)
			word = word[len(head):]
			w = Width(word)
		}
		line, used = word, w
	}
	if used > 0 || len(lines) == 0 {
		flush()
	}
	return lines
}

// cut returns the longest start of s that fits, one rune at least.
func cut(s string, columns int) string {
	n := 0
	for i, r := range s {
		n += runeWidth(r)
		if n > columns && i > 0 {
			return s[:i]
		}
	}
	return s
}

// at returns lines[i], or "" beyond the end.
func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
