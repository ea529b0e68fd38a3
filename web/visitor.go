package web

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"selo/account"
	"selo/fault"
	"selo/locale"
)

// The cookies of a browser. Over TLS their names have the prefix __Host-, so
// that no neighbouring site can plant one.
const (
	sessionCookie  = "selo-sessao"  // the token of a session
	beforeCookie   = "selo-entrada" // binds a sign-in under way to its browser
	languageCookie = "selo-idioma"  // the language to come back from gov.br in, which knows one address
)

// abroad is how long the way to gov.br and back may take before the language is
// forgotten, in seconds.
const abroad = 60 * 60

func (s *Server) secureCookies() bool { return strings.HasPrefix(s.deps.URL, "https://") }

func (s *Server) cookieName(name string) string {
	if s.secureCookies() {
		return "__Host-" + name
	}
	return name
}

// newCookie makes a cookie that lasts until the browser is closed, or age
// seconds; a negative age removes it. Lax: the return from gov.br must bring it.
func (s *Server) newCookie(name, value string, age int) *http.Cookie {
	//nolint:gosec // Secure follows the public address: a site without TLS would otherwise lose it
	return &http.Cookie{Name: s.cookieName(name), Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secureCookies()}
}

// token reads a cookie that holds a token; none, strange and doubled ones are "".
func (s *Server) token(r *http.Request, name string) account.Token {
	cookies := r.CookiesNamed(s.cookieName(name))
	if len(cookies) != 1 {
		return ""
	}
	t, ok := account.ParseToken(cookies[0].Value)
	if !ok {
		return ""
	}
	return t
}

// leaving notes the language in which the visitor leaves for gov.br.
func (s *Server) leaving(r *Request) *http.Cookie {
	return s.newCookie(languageCookie, string(r.Lang), abroad)
}

// returning is the language in which the visitor left; else the request's.
func (s *Server) returning(r *Request) locale.Lang {
	for _, c := range r.HTTP.CookiesNamed(s.cookieName(languageCookie)) {
		if lang := locale.Lang(c.Value); slices.Contains(locale.Langs(), lang) {
			return lang
		}
	}
	return r.Lang
}

// withCookies is an answer that leaves cookies.
type withCookies struct {
	Answer
	cookies []*http.Cookie
}

func (a withCookies) write(r *Request, w http.ResponseWriter) error {
	for _, c := range a.cookies {
		http.SetCookie(w, c)
	}
	return a.Answer.write(r, w)
}

// leave answers with an address of gov.br, which configuration gives.
type leave struct{ to string }

func (l leave) write(r *Request, w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Cache-Control", noStore)
	h.Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r.HTTP, l.to, http.StatusSeeOther)
	return nil
}

// admit finds out who asks, for routes that are not [Public], and gives an
// answer when the visitor must sign in first. Fault: NotFound
// "web.signin.elsewhere" on a node without accounts.
func (s *Server) admit(r *Request, w http.ResponseWriter) (Answer, error) {
	if r.route.Power == Public {
		return nil, nil //nolint:nilnil // nothing to say: the handler answers
	}
	if s.deps.Accounts == nil {
		return nil, fault.New(fault.NotFound, "web.signin.elsewhere")
	}
	w.Header()["Content-Security-Policy"] = s.policy
	if err := s.recognise(r); err != nil {
		return nil, err
	}
	if r.route.Power == Visitor || r.Person != nil {
		return nil, nil //nolint:nilnil // as above
	}
	query := url.Values{"volta": {r.relative(r.path)}}
	if r.HTTP.Method != http.MethodGet && r.HTTP.Method != http.MethodHead {
		query.Set("volta", r.Link(accountPath))
	}
	if len(r.HTTP.CookiesNamed(s.cookieName(sessionCookie))) == 0 {
		return Redirect{To: r.Link(signInPath) + "?" + query.Encode()}, nil
	}
	query.Set("motivo", reasonSession)
	return withCookies{Redirect{To: r.Link(signInPath) + "?" + query.Encode()}, []*http.Cookie{s.newCookie(sessionCookie, "", -1)}}, nil
}

// recognise fills in the person and the session, if there is a living one.
func (s *Server) recognise(r *Request) error {
	token := s.token(r.HTTP, sessionCookie)
	if token == "" {
		return nil
	}
	ctx := r.HTTP.Context()
	var c account.Current
	var ok bool
	err := s.deps.Accounts.Read(ctx, func(tx account.Tx) (err error) {
		c, ok, err = account.FindCurrent(ctx, tx, token, s.deps.Sessions)
		return err
	})
	if err != nil || !ok {
		return err
	}
	if c.Session.Due(r.Now(), s.deps.Sessions) {
		err := s.deps.Accounts.Write(ctx, func(tx account.Tx) error { return account.Touch(ctx, tx, c.Session.ID, s.deps.Sessions) })
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	r.Session, r.Person = &c.Session, &c.Person
	return nil
}

// device is what is kept of the visitor's browser.
func (s *Server) device(r *http.Request) account.Device {
	var addr netip.Addr
	if s.deps.Client != nil {
		addr = s.deps.Client(r)
	} else if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		addr = at.Addr()
	}
	return account.DeviceOf(r.UserAgent(), addr)
}

// policyWith is the Content-Security-Policy of pages whose forms lead to gov.br:
// browsers that follow CSP to the letter hold redirects of a form to it too.
func policyWith(addresses ...string) []string {
	own := "form-action 'self'"
	allowed := own
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			continue
		}
		if origin := " " + u.Scheme + "://" + u.Host; !strings.Contains(allowed+" ", origin+" ") {
			allowed += origin
		}
	}
	return []string{strings.Replace(secure["Content-Security-Policy"][0], own, allowed, 1)}
}
