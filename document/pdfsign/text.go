package pdfsign

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// text writes a text string: PDFDocEncoding where ASCII is enough, else UTF-16.
func text(s string) literal {
	plain := true
	for _, r := range s {
		plain = plain && r >= ' ' && r <= '~'
	}
	if plain {
		return literal("(" + strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(s) + ")")
	}
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", unit)
	}
	return literal(b.String() + ">")
}

// readText reads a text string (7.9.2.2) for people to see; control characters
// are left out. What PDFDocEncoding has beyond Latin-1 is not told apart.
func readText(l literal) string {
	raw := unescape(string(l))
	var s string
	switch {
	case strings.HasPrefix(raw, "\xfe\xff"):
		var units []uint16
		for raw = raw[2:]; len(raw) > 1; raw = raw[2:] {
			units = append(units, uint16(raw[0])<<8|uint16(raw[1]))
		}
		s = string(utf16.Decode(units))
	case strings.HasPrefix(raw, "\xef\xbb\xbf") && utf8.ValidString(raw):
		s = raw[3:]
	default:
		runes := make([]rune, 0, len(raw))
		for _, c := range []byte(raw) {
			runes = append(runes, rune(c))
		}
		s = string(runes)
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

// unescape returns the bytes of a string object (7.3.4).
func unescape(l string) string {
	if len(l) < 2 {
		return ""
	}
	inner := l[1 : len(l)-1]
	if l[0] == '<' {
		inner = strings.Map(func(r rune) rune {
			if r < 0x80 && isSpace(byte(r)) {
				return -1
			}
			return r
		}, inner)
		if len(inner)%2 == 1 {
			inner += "0"
		}
		raw, err := hex.DecodeString(inner)
		if err != nil {
			return ""
		}
		return string(raw)
	}
	if l[0] != '(' {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' || i+1 == len(inner) {
			b.WriteByte(inner[i])
			continue
		}
		i++
		c := inner[i]
		if c >= '0' && c <= '7' {
			end := i + 1
			for end < len(inner) && end < i+3 && inner[end] >= '0' && inner[end] <= '7' {
				end++
			}
			n, err := strconv.ParseUint(inner[i:end], 8, 16)
			if err == nil {
				b.WriteByte(byte(n)) // a high bit too many is dropped, as 7.3.4.2 says
			}
			i = end - 1
			continue
		}
		if at := strings.IndexByte("nrtbf", c); at >= 0 {
			b.WriteByte("\n\r\t\b\f"[at])
			continue
		}
		if c != '\n' && c != '\r' { // a line that goes on
			b.WriteByte(c)
		}
	}
	return b.String()
}
