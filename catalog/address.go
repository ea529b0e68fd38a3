package catalog

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxNumber is the longest certificate number, in bytes, that an address may hold.
const MaxNumber = 2000

// Address names a certificate, or what lies below it, in the path of a page or
// of the API.
type Address struct {
	Body   string
	Number string
	Tail   string // a fixed last segment, such as "prova"; empty: the certificate itself
}

// ParseAddress reads "{organismo}/{numero}" and "{organismo}/{numero}/{tail}"
// from an escaped path without what stands before. The number may be one
// encoded segment ("FB-BRIN-108%2F17.001") or hold its slashes as they are. A
// last segment written like one of tails is the tail unless it is the whole
// number; the certificate numbered "X/prova" therefore has the address
// "X%2Fprova". One slash at the end is ignored. It does no cleaning: "//" and
// ".." are parts of a number like any other.
func ParseAddress(escaped string, tails ...string) (a Address, ok bool) {
	body, rest, found := strings.Cut(escaped, "/")
	if !found || body == "" {
		return Address{}, false
	}
	if len(rest) > 1 {
		rest = strings.TrimSuffix(rest, "/")
	}
	if i := strings.LastIndexByte(rest, '/'); i > 0 && slices.Contains(tails, rest[i+1:]) {
		rest, a.Tail = rest[:i], rest[i+1:]
	}
	var err error
	if a.Body, err = url.PathUnescape(body); err != nil {
		return Address{}, false
	}
	if a.Number, err = url.PathUnescape(rest); err != nil {
		return Address{}, false
	}
	if a.Number == "" || len(a.Number) > MaxNumber || !utf8.ValidString(a.Number) || !utf8.ValidString(a.Body) {
		return Address{}, false
	}
	return a, true
}

// Escaped is the address as it stands in a path: body and number are one
// segment each.
func (a Address) Escaped() string {
	path := escapeSegment(a.Body) + "/" + escapeSegment(a.Number)
	if a.Tail != "" {
		path += "/" + a.Tail
	}
	return path
}

// escapeSegment is url.PathEscape that also hides "." and "..", which browsers
// and other clients would take for steps in the path.
func escapeSegment(s string) string {
	if s == "." || s == ".." {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}
