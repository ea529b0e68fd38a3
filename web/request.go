package web

import (
	"net/http"
	"strings"
	"time"

	"selo/account"
	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/fault"
	"selo/locale"
)

// Request is one request on its way, and the words and links of its language.
// Handlers and views get nothing else.
type Request struct {
	HTTP    *http.Request
	Lang    locale.Lang
	Catalog *catalog.Catalog // of routes FromCatalog; held until the answer is written
	// Person and Session are who asks; nil on [Public] routes, which depend on
	// nobody, and for visitors who are not signed in.
	Person  *account.Person
	Session *account.Session

	server *Server
	route  *Route
	path   string // escaped, without the language
	id     string // what an error page shows and the log holds
}

// Text is the message of key in the request's language; args are pairs of
// place and value.
func (r *Request) Text(key string, args ...string) string {
	return locale.Text(r.Lang, key, fault.Pairs(args...))
}

// Value is the path's or, where the path has none, the query's or form's
// parameter of that name, without space around it.
func (r *Request) Value(name string) string {
	if v := r.HTTP.PathValue(name); v != "" {
		return v
	}
	return strings.TrimSpace(r.HTTP.FormValue(name))
}

// Now is the moment of the request, UTC.
func (r *Request) Now() time.Time { return r.server.deps.Clock.Now() }

// Today is the day of the request in Brasília.
func (r *Request) Today() brasil.Date { return brasil.Today(r.Now()) }

// Number writes n as the language does.
func (r *Request) Number(n int64) string { return locale.Number(r.Lang, n) }

// Date writes a day as the language does; no day is "".
func (r *Request) Date(d brasil.Date) string { return locale.Date(r.Lang, d) }

// Moment writes a day and time in Brasília as the language does.
func (r *Request) Moment(t time.Time) string { return locale.Moment(r.Lang, t) }

// Word is a code of the program as people say it: "ativo" is "active".
func (r *Request) Word(code string) string { return locale.Word(r.Lang, code) }

// Field is a JSON path as people read it: "produtos[3].marca" is "Produtos, linha 4: Marca".
func (r *Request) Field(path string) string { return locale.Field(r.Lang, path) }

func (r *Request) languageTag() string         { return languageTags[r.Lang] }
func (r *Request) asset(name string) string    { return assets().href(name) }
func (r *Request) absolute(path string) string { return r.server.deps.URL + path }

// Link is the address of a page of this site in the request's language; path
// is the page's Portuguese one, escaped: Link("/sobre").
func (r *Request) Link(path string) string { return prefixes[r.Lang] + path }

// CertificateLink is the address of a certificate's page, or of what lies
// below it: CertificateLink("CCB", "FB-BRIN-108/17.001", "qr").
func (r *Request) CertificateLink(body certificate.Sigla, number, tail string) string {
	return r.Link(certificatesPath + catalog.Address{Body: string(body), Number: number, Tail: tail}.Escaped())
}

// relative is Link with the request's query.
func (r *Request) relative(path string) string { return r.in(r.Lang, path) }

// in is the address of a path in another language, with the request's query.
func (r *Request) in(lang locale.Lang, path string) string {
	if path == "" {
		path = "/"
	}
	if q := r.HTTP.URL.RawQuery; q != "" {
		path += "?" + q
	}
	return prefixes[lang] + path
}
