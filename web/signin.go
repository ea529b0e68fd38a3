package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"selo/account"
	"selo/fault"
	"selo/govbr"
	"selo/locale"

	"github.com/a-h/templ"
)

// The addresses of sign-in, of Portuguese. gov.br knows the return and the
// address after signing out exactly as they stand here.
const (
	signInPath  = "/entrar"
	returnPath  = "/entrar/retorno"
	signOutPath = "/sair"
)

// Why a visitor stands before the page of sign-in.
const (
	reasonSession = "sessao"       // the session has ended
	reasonDenied  = "recusada"     // the person did not let gov.br tell
	reasonGone    = "vencida"      // the sign-in was used, ran out or began elsewhere
	reasonDown    = "indisponivel" // gov.br does not answer
	reasonFailed  = "falhou"       // gov.br's answer was not right
	reasonLevel   = "nivel"        // back from where levels are raised
)

// reasons are the kinds of message that each reason is shown with.
var reasons = map[string]string{reasonSession: messageInfo, reasonDenied: messageWarning, reasonGone: messageWarning,
	reasonDown: messageDanger, reasonFailed: messageDanger, reasonLevel: messageInfo}

// aside is how long what a sign-in can do without may take: companies, photo.
const aside = 4 * time.Second

// signInView is the page of sign-in.
type signInView struct {
	offered bool   // sign-in is configured here
	reason  string // one of reasons, or ""
	back    string // where to go afterwards
}

// getSignIn shows the page of sign-in. Who is signed in already goes on, but
// for a new sign-in that shows a new level.
func (s *Server) getSignIn(r *Request) (Answer, error) {
	query := r.HTTP.URL.Query()
	view := signInView{offered: s.deps.GovBR != nil, back: r.returnTo(query.Get("volta"))}
	if reason := query.Get("motivo"); reasons[reason] != "" {
		view.reason = reason
	}
	if r.Person != nil && view.reason != reasonLevel {
		return Redirect{To: view.back}, nil
	}
	return Page{View: view}, nil
}

// Head implements [View].
func (v signInView) Head(r *Request) Head {
	return Head{Title: r.Text("web.signin.title"), Description: r.Text("web.signin.lead"), NoIndex: true}
}

// Body implements [View].
func (v signInView) Body(r *Request) templ.Component { return signInBody(r, v) }

// postSignIn sends the browser to gov.br. Faults: Unavailable "web.signin.none"
// when sign-in is not configured; those of the base.
func (s *Server) postSignIn(r *Request) (Answer, error) {
	if s.deps.GovBR == nil {
		return nil, fault.New(fault.Unavailable, "web.signin.none")
	}
	if err := r.HTTP.ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "web.form").Because(err)
	}
	begun, address := s.deps.GovBR.Start(govbr.StartOptions{})
	pending := account.Pending{State: account.HashOf(begun.State), Nonce: begun.Nonce, Verifier: begun.Verifier,
		Return: r.returnTo(r.HTTP.PostForm.Get("volta")), Network: s.device(r.HTTP).Network}
	held := s.token(r.HTTP, beforeCookie)
	var browser account.Token
	ctx := r.HTTP.Context()
	err := s.deps.Accounts.Write(ctx, func(tx account.Tx) error {
		browser = held
		// Several tabs may sign in side by side; a token that waits for nothing was
		// not given out here, or long ago.
		if known, err := account.Awaited(ctx, tx, held); err != nil {
			return err
		} else if held == "" || !known {
			browser = account.NewToken()
		}
		pending.Browser = browser.Hash()
		return account.Begin(ctx, tx, pending, s.deps.Sessions)
	})
	if err != nil {
		return nil, err
	}
	age := int(s.deps.Sessions.Full().Pending / time.Second)
	return withCookies{leave{address}, []*http.Cookie{s.newCookie(beforeCookie, string(browser), age), s.leaving(r)}}, nil
}

// getReturn is where gov.br sends the browser back to. It always answers with
// another address, so that the code stays in no address bar.
func (s *Server) getReturn(r *Request) (Answer, error) {
	if s.deps.GovBR == nil {
		return nil, fault.New(fault.Unavailable, "web.signin.none")
	}
	r.Lang = s.returning(r)
	query := r.HTTP.URL.Query()
	if !query.Has("state") && !query.Has("code") && !query.Has("error") {
		// The catálogo de confiabilidades comes back so: a new sign-in tells the level.
		return Redirect{To: r.Link(signInPath) + "?motivo=" + reasonLevel}, nil
	}
	ctx := r.HTTP.Context()
	browser, state := s.token(r.HTTP, beforeCookie), query.Get("state")
	var pending account.Pending
	err := s.deps.Accounts.Write(ctx, func(tx account.Tx) (err error) {
		pending, err = account.Claim(ctx, tx, state, browser)
		return err
	})
	if err != nil {
		return s.turnedAway(r, err, "")
	}
	limits := s.deps.Sessions.Full()
	found, err := s.deps.GovBR.Finish(ctx, govbr.Pending{State: state, Nonce: pending.Nonce, Verifier: pending.Verifier,
		StartedAt: pending.Until.Add(-limits.Pending)}, query)
	if err != nil {
		return s.turnedAway(r, err, pending.Return)
	}
	entered, waits, err := s.enter(r, found, browser)
	if err != nil { // a Conflict: the session was ended from elsewhere at this moment
		return s.turnedAway(r, err, pending.Return)
	}
	cookies := []*http.Cookie{s.newCookie(sessionCookie, string(entered.Token), 0)}
	if !waits {
		cookies = append(cookies, s.newCookie(beforeCookie, "", -1))
	}
	return withCookies{Redirect{To: pending.Return}, cookies}, nil
}

// enter makes the session of who has signed in at gov.br, and tells whether
// browser waits for another sign-in, of another tab.
func (s *Server) enter(r *Request, found govbr.Session, browser account.Token) (entered account.Entered, waits bool, err error) {
	ctx := r.HTTP.Context()
	who := s.identity(ctx, found)
	var photo bool
	before, device := s.token(r.HTTP, sessionCookie), s.device(r.HTTP)
	err = s.deps.Accounts.Write(ctx, func(tx account.Tx) (err error) {
		if waits, err = account.Awaited(ctx, tx, browser); err != nil {
			return err
		}
		if entered, err = account.SignIn(ctx, tx, who, before, device, s.deps.Sessions); err != nil {
			return err
		}
		photo, err = account.Consented(ctx, tx, entered.Person.ID, account.ConsentPhoto)
		return err
	})
	if err == nil && photo && found.Identity.Picture {
		s.fetchPhoto(ctx, entered.Person.ID, found)
	}
	return entered, waits, err
}

// fetchPhoto brings the photo up to date; without it one can sign in as well.
func (s *Server) fetchPhoto(ctx context.Context, person account.ID, found govbr.Session) {
	ctx, cancel := context.WithTimeout(ctx, aside)
	defer cancel()
	picture, ok, err := s.deps.GovBR.Picture(ctx, found.Access)
	if err == nil && ok {
		err = s.deps.Accounts.Write(ctx, func(tx account.Tx) error {
			return account.KeepPhoto(ctx, tx, person, account.Photo{Type: picture.Media, Data: picture.Data})
		})
	}
	if err != nil {
		s.log.Warn("photo not kept", "error", err)
	}
}

// turnedAway sends the visitor back to the page of sign-in with the reason, for
// errors of this server too: a page drawn here would leave the code in the
// address bar. What is not the visitor's doing is logged; it holds nothing
// personal.
func (s *Server) turnedAway(r *Request, err error, back string) (Answer, error) {
	reason := reasonFailed
	switch {
	case errors.Is(err, context.Canceled):
		return nil, err
	case errors.Is(err, context.DeadlineExceeded), fault.Is(err, fault.Unavailable):
		reason = reasonDown
	case fault.HasKey(err, "govbr.login.denied"):
		reason = reasonDenied
	case fault.Is(err, fault.Conflict), fault.HasKey(err, "govbr.login.state"):
		reason = reasonGone
	}
	switch {
	case reason == reasonFailed && fault.Of(err) == nil: // this server's own
		s.log.Error("sign-in failed", "id", r.id, "reason", reason, "error", err)
	case reason == reasonDown, reason == reasonFailed:
		s.log.Warn("sign-in failed", "id", r.id, "reason", reason, "error", err)
	}
	query := url.Values{"motivo": {reason}}
	if back != "" {
		query.Set("volta", back)
	}
	return Redirect{To: r.Link(signInPath) + "?" + query.Encode()}, nil
}

// signedOutView tells that the session has ended, or lets one end it.
type signedOutView struct{ person bool }

// getSignOut is where gov.br sends the browser after signing out.
func (s *Server) getSignOut(r *Request) (Answer, error) {
	if lang := s.returning(r); r.Person == nil && r.Lang == locale.PT && lang != r.Lang {
		// Once: the visitor may want the page in Portuguese after all.
		return withCookies{Redirect{To: prefixes[lang] + signOutPath}, []*http.Cookie{s.newCookie(languageCookie, "", -1)}}, nil
	}
	return Page{View: signedOutView{r.Person != nil}}, nil
}

// Head implements [View].
func (v signedOutView) Head(r *Request) Head {
	if v.person {
		return Head{Title: r.Text("web.signout.title"), NoIndex: true}
	}
	return Head{Title: r.Text("web.signout.done"), NoIndex: true}
}

// Body implements [View].
func (v signedOutView) Body(r *Request) templ.Component { return signedOutBody(r, v) }

// postSignOut ends the session here and then at gov.br, which only the browser
// can do: one that was left open would sign the next person in.
func (s *Server) postSignOut(r *Request) (Answer, error) {
	if token := s.token(r.HTTP, sessionCookie); token != "" {
		ctx := r.HTTP.Context()
		if err := s.deps.Accounts.Write(ctx, func(tx account.Tx) error { return account.SignOut(ctx, tx, token) }); err != nil {
			return nil, err
		}
	}
	return s.signedOut(r), nil
}

// signedOut forgets the session's cookie and goes to gov.br's sign-out.
func (s *Server) signedOut(r *Request) Answer {
	var to Answer = Redirect{To: r.Link(signOutPath)}
	if s.deps.GovBR != nil {
		to = leave{s.deps.GovBR.LogoutURL()}
	}
	return withCookies{to, []*http.Cookie{s.newCookie(sessionCookie, "", -1), s.leaving(r)}}
}
