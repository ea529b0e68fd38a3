package web

import (
	"net/url"
	"strings"
	"unicode"

	"selo/catalog"
)

// The kinds of text that a QR code may hold, seen from the register.
const (
	scannedOurs  = "nosso"  // the address of a certificate's page at this site
	scannedPage  = "pagina" // another page of this site
	scannedOther = "outro"  // an address somewhere else
	scannedText  = "texto"  // no address
)

// scanned is what a QR code says. The number is looked up whoever wrote it, so
// that a visitor learns both: whether the code is the register's, and whether
// what it claims exists.
type scanned struct {
	kind         string
	text         string // as scanned
	host         string // of an address
	body, number string // of a certificate; empty when there is none
}

// scanned reads the text of a QR code. It is never followed: what leads
// elsewhere is only told.
func (r *Request) scanned(text string) *scanned {
	s := &scanned{kind: scannedText, text: text}
	address, err := url.Parse(text)
	if err != nil || address.Host == "" || !strings.EqualFold(address.Scheme, "http") && !strings.EqualFold(address.Scheme, "https") {
		if numberLike(text) {
			s.number = text
		}
		return s
	}
	s.kind, s.host = scannedOther, address.Host
	ours := r.isOurs(address)
	if ours {
		s.kind = scannedPage
	}
	_, path := splitLanguage(address.EscapedPath())
	rest, below := strings.CutPrefix(path, certificatesPath)
	if !below {
		return s
	}
	a, ok := catalog.ParseAddress(rest, r.server.tails...)
	if !ok {
		return s
	}
	s.body, s.number = a.Body, a.Number
	if ours {
		s.kind = scannedOurs
	}
	return s
}

// isOurs tells whether an address is of this site. Scheme and letter case do
// not count; a name before an "@" is no host.
func (r *Request) isOurs(address *url.URL) bool {
	own, err := url.Parse(r.public())
	return err == nil && address.User == nil && strings.EqualFold(hostPort(own), hostPort(address))
}

// hostPort is the host, with the port where it is not the scheme's own.
func hostPort(u *url.URL) string {
	switch port := u.Port(); port {
	case "", "80", "443":
		return u.Hostname()
	default:
		return u.Hostname() + ":" + port
	}
}

// numberLike tells whether a text may be a certificate's number: short, on one
// line, with a digit.
func numberLike(text string) bool {
	return len(text) <= maxVerifyNumber && strings.ContainsAny(text, "0123456789") && strings.IndexFunc(text, unicode.IsControl) < 0
}

// publicHost is where a certificate's QR code leads.
func (r *Request) publicHost() string {
	if own, err := url.Parse(r.public()); err == nil {
		return own.Host
	}
	return r.HTTP.Host
}
