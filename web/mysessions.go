package web

import (
	"selo/account"
	"selo/fault"

	"github.com/a-h/templ"
)

// sessionsView lists a person's living sessions.
type sessionsView struct {
	here account.SessionID
	list []account.Session
	done string // what was just done: one of sessionsDone, or ""
}

// sessionsDone are the words of the query "feito" that the page knows.
var sessionsDone = map[string]string{"uma": "web.sessions.done.one", "outras": "web.sessions.done.others"}

func (s *Server) getSessions(r *Request) (Answer, error) {
	v := sessionsView{here: r.Session.ID, done: sessionsDone[r.HTTP.URL.Query().Get("feito")]}
	ctx := r.HTTP.Context()
	err := s.deps.Accounts.Read(ctx, func(tx account.Tx) (err error) {
		v.list, err = account.Sessions(ctx, tx, r.Person.ID, s.deps.Sessions)
		return err
	})
	return Page{View: v}, err
}

// Head implements [View].
func (v sessionsView) Head(r *Request) Head {
	return Head{Title: r.Text("web.sessions.title"), NoIndex: true, Crumbs: []Crumb{{r.Text("web.account.title"), accountPath}}}
}

// Body implements [View].
func (v sessionsView) Body(r *Request) templ.Component { return sessionsBody(r, v) }

// postSessions ends one session, the others, or all of the person's. Faults:
// Invalid "web.form", NotFound "account.session.unknown".
func (s *Server) postSessions(r *Request) (Answer, error) {
	if err := r.HTTP.ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "web.form").Because(err)
	}
	ctx, form := r.HTTP.Context(), r.HTTP.PostForm
	all := func(except account.SessionID) error {
		return s.deps.Accounts.Write(ctx, func(tx account.Tx) error {
			_, err := account.RevokeAll(ctx, tx, r.Person.ID, except)
			return err
		})
	}
	one := account.SessionID(form.Get("sessao"))
	switch {
	case one == r.Session.ID:
		return s.postSignOut(r)
	case one != "":
		err := s.deps.Accounts.Write(ctx, func(tx account.Tx) error { return account.Revoke(ctx, tx, r.Person.ID, one) })
		return Redirect{To: r.Link(sessionsPath) + "?feito=uma"}, err
	case form.Get("quais") == "outras":
		return Redirect{To: r.Link(sessionsPath) + "?feito=outras"}, all(r.Session.ID)
	case form.Get("quais") == "todas":
		return s.signedOut(r), all("")
	}
	return nil, fault.New(fault.Invalid, "web.form")
}
