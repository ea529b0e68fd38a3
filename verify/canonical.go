package verify

import (
	"bytes"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// isCanonical tells whether b is one JSON value in the canonical form of RFC
// 8785. What this program writes is judged here, in one pass; a text with other
// numbers than whole ones below 10^15, or with escapes in names, goes through jcs.
func isCanonical(b []byte) bool {
	s := scanner{b: b}
	if !s.value(0) || s.at != len(b) {
		return false
	}
	if !s.unsure {
		return true
	}
	again, err := jcs.Transform(b)
	return err == nil && bytes.Equal(again, b)
}

// maxDepth is deeper than anything this program writes.
const maxDepth = 100

// scanner walks over a JSON text; its methods tell whether the text is canonical so far.
type scanner struct {
	b      []byte
	at     int
	unsure bool // a number or a name needs the slow way
}

func (s *scanner) peek() byte {
	if s.at < len(s.b) {
		return s.b[s.at]
	}
	return 0
}

func (s *scanner) skip(text string) bool {
	if !bytes.HasPrefix(s.b[s.at:], []byte(text)) {
		return false
	}
	s.at += len(text)
	return true
}

func (s *scanner) value(depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch s.peek() {
	case '{':
		return s.object(depth)
	case '[':
		return s.array(depth)
	case '"':
		_, ok := s.text()
		return ok
	case 't':
		return s.skip("true")
	case 'f':
		return s.skip("false")
	case 'n':
		return s.skip("null")
	}
	return s.number()
}

func (s *scanner) object(depth int) bool {
	s.at++
	if s.skip("}") {
		return true
	}
	var last []byte
	for first := true; ; first = false {
		name, ok := s.text()
		escaped := bytes.IndexByte(name, '\\') >= 0
		s.unsure = s.unsure || escaped
		if !ok || !first && !escaped && !before(last, name) || !s.skip(":") || !s.value(depth+1) {
			return false
		}
		last = name
		if s.skip("}") {
			return true
		}
		if !s.skip(",") {
			return false
		}
	}
}

// before tells whether name a sorts before b and is another: by UTF-16 code
// units (RFC 8785, 3.2.3). A name that holds an escape takes the slow way.
func before(a, b []byte) bool {
	for i := range min(len(a), len(b)) {
		if a[i] >= utf8.RuneSelf || b[i] >= utf8.RuneSelf {
			x, y := utf16.Encode([]rune(string(a))), utf16.Encode([]rune(string(b)))
			return slices.Compare(x, y) < 0
		}
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return len(a) < len(b)
}

func (s *scanner) array(depth int) bool {
	s.at++
	if s.skip("]") {
		return true
	}
	for {
		if !s.value(depth + 1) {
			return false
		}
		if s.skip("]") {
			return true
		}
		if !s.skip(",") {
			return false
		}
	}
}

// text walks over a string and returns what stands between its quotes.
func (s *scanner) text() ([]byte, bool) {
	if !s.skip(`"`) {
		return nil, false
	}
	from := s.at
	for s.at < len(s.b) {
		c := s.b[s.at]
		switch {
		case c == '"':
			s.at++
			return s.b[from : s.at-1], true
		case c < ' ':
			return nil, false
		case c == '\\':
			if !s.escape() {
				return nil, false
			}
		case c < utf8.RuneSelf:
			s.at++
		default:
			r, n := utf8.DecodeRune(s.b[s.at:])
			if r == utf8.RuneError && n == 1 {
				return nil, false
			}
			s.at += n
		}
	}
	return nil, false
}

// escape allows exactly the escapes that RFC 8785, 3.2.2.2, demands: \b \t \n
// \f \r \" \\ and \u00xx, lower case, of the other control characters.
func (s *scanner) escape() bool {
	if s.at+1 >= len(s.b) {
		return false
	}
	if bytes.IndexByte([]byte(`btnfr"\`), s.b[s.at+1]) >= 0 {
		s.at += 2
		return true
	}
	if !s.skip(`\u00`) || s.at+2 > len(s.b) {
		return false
	}
	high, low := s.b[s.at], s.b[s.at+1]
	s.at += 2
	if high != '0' && high != '1' {
		return false
	}
	digit := bytes.IndexByte([]byte("0123456789abcdef"), low)
	if digit < 0 {
		return false
	}
	value := digit + 16*int(high-'0')
	return bytes.IndexByte([]byte{'\b', '\t', '\n', '\f', '\r'}, byte(value)) < 0
}

// maxDigits is how many digits a whole number may have to be the same as a
// double's shortest form without looking closer.
const maxDigits = 15

func (s *scanner) number() bool {
	from := s.at
	negative := s.skip("-")
	digits := s.at
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.at++
	}
	n := s.at - digits
	if n == 0 || n > 1 && s.b[digits] == '0' || n == 1 && negative && s.b[digits] == '0' {
		return false
	}
	if c := s.peek(); n > maxDigits || c == '.' || c == 'e' || c == 'E' {
		s.unsure = true
		for bytes.IndexByte([]byte("0123456789.eE+-"), s.peek()) >= 0 && s.at < len(s.b) {
			s.at++
		}
	}
	return s.at > from
}
