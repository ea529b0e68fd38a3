package web

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// maxOwnAddress bounds an address to go back to, in bytes.
const maxOwnAddress = 2 << 10

var (
	printableASCII = regexp.MustCompile(`^[!-~]+$`)
	plainSegment   = regexp.MustCompile(`^[a-z0-9._-]*$`)
)

// notToReturn are first segments that nobody wants to come back to after a sign-in.
var notToReturn = map[string]bool{"entrar": true, "sair": true, "aparencia": true, "estatico": true, "api": true}

// ownAddress tells whether s, which somebody else may have written, is the
// address of a page of this site: a path with its query that no browser and no
// server in front of this one can read as leading away, also when it decodes or
// cleans it. Only segments after the first may hold encoded slashes, because
// numbers of certificates do.
func ownAddress(s string) bool {
	if len(s) > maxOwnAddress || !printableASCII.MatchString(s) || s[0] != '/' || strings.ContainsAny(s, `\#`) {
		return false
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return false
	}
	segments := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	for i, escaped := range segments {
		segment, err := url.PathUnescape(escaped)
		last := i == len(segments)-1
		switch {
		case err != nil, segment == "" && !last, strings.ContainsFunc(segment, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }),
			slices.ContainsFunc(strings.Split(segment, "/"), func(part string) bool { return part == "." || part == ".." }):
			return false
		}
	}
	_, rest := splitLanguage(u.EscapedPath())
	first, _, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	return plainSegment.MatchString(segments[0]) && plainSegment.MatchString(first) && !notToReturn[first]
}

// returnTo is the address to go to after a sign-in: s if it is one, else the
// person's own page.
func (r *Request) returnTo(s string) string {
	if ownAddress(s) {
		return s
	}
	return r.Link(accountPath)
}
