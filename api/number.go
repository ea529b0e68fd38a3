package api

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// certificatesPath is where certificates have their addresses.
const certificatesPath = "/api/v1/certificados/"

// maxNumber is the longest number, in bytes, that an address may hold.
const maxNumber = 2000

// proofSegment, as the last of several segments, asks for the certificate's proof.
const proofSegment = "prova"

// address is what a path below [certificatesPath] names.
type address struct {
	Body   string
	Number string
	Proof  bool
}

// parseAddress reads "{organismo}/{numero}" and "{organismo}/{numero}/prova"
// from an escaped path without the prefix. The number may be one encoded
// segment ("FB-BRIN-108%2F17.001") or hold its slashes as they are. A last
// segment written "prova" is the proof's unless it is the whole number; the
// certificate numbered "X/prova" therefore has the address "X%2Fprova". One
// slash at the end is ignored. It does no cleaning: "//" and ".." are parts of
// a number like any other.
func parseAddress(escaped string) (a address, ok bool) {
	body, rest, found := strings.Cut(escaped, "/")
	if !found || body == "" {
		return address{}, false
	}
	if len(rest) > 1 {
		rest = strings.TrimSuffix(rest, "/")
	}
	if head, tail, several := cutLast(rest); several && tail == proofSegment && head != "" {
		rest, a.Proof = head, true
	}
	var err error
	if a.Body, err = url.PathUnescape(body); err != nil {
		return address{}, false
	}
	if a.Number, err = url.PathUnescape(rest); err != nil {
		return address{}, false
	}
	if a.Number == "" || len(a.Number) > maxNumber || !utf8.ValidString(a.Number) || !utf8.ValidString(a.Body) {
		return address{}, false
	}
	return a, true
}

// cutLast parts s at its last slash.
func cutLast(s string) (head, tail string, found bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// path is the address's canonical escaped path: body and number are one segment each.
func (a address) path() string {
	p := certificatesPath + escapeSegment(a.Body) + "/" + escapeSegment(a.Number)
	if a.Proof {
		p += "/" + proofSegment
	}
	return p
}

// escapeSegment is url.PathEscape that also hides "." and "..", which clients
// would take for steps in the path.
func escapeSegment(s string) string {
	if s == "." || s == ".." {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}
