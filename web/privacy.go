package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"selo/account"
	"selo/audit"
	"selo/fault"
	"selo/locale"

	"github.com/a-h/templ"
)

// How much of each list the page of privacy shows; the export holds more.
const (
	shownAccesses = 100
	shownActs     = 50
)

// consentView is one thing that may be consented to.
type consentView struct {
	what  account.ConsentKind
	text  string           // version that is read now
	given *account.Consent // nil: it does not hold
}

// privacyView is what a person may ask and decide about their data.
type privacyView struct {
	consents []consentView
	accesses []account.Access
	events   []audit.Event
	done     string // what was just done: a message key, or ""

	person   *account.Person
	revision int64                    // that the form of correction was read at
	values   map[account.Field]string // of the form of correction
	mistakes map[account.Field]string // words beside a field that is wrong
}

// privacyDone are the words of the query "feito" that the page knows.
var privacyDone = map[string]string{"consentido": "web.privacy.done.given", "retirado": "web.privacy.done.withdrawn", "corrigido": "web.privacy.done.corrected"}

func (s *Server) getPrivacy(r *Request) (Answer, error) {
	v, err := s.privacy(r)
	v.done = privacyDone[r.HTTP.URL.Query().Get("feito")]
	return Page{View: v}, err
}

func (s *Server) privacy(r *Request) (privacyView, error) {
	v := privacyView{person: r.Person, revision: r.Person.Revision, values: map[account.Field]string{}, mistakes: map[account.Field]string{}}
	for _, f := range account.Correctable() {
		v.values[f] = r.Person.Own[f].Value
	}
	ctx := r.HTTP.Context()
	var consents []account.Consent
	err := s.deps.Accounts.Read(ctx, func(tx account.Tx) (err error) {
		if consents, err = tx.ListConsents(ctx, r.Person.ID); err != nil {
			return err
		}
		if v.accesses, err = tx.ListAccesses(ctx, r.Person.ID, shownAccesses); err != nil {
			return err
		}
		v.events, err = account.History(ctx, tx, r.Person.ID, shownActs)
		return err
	})
	for _, what := range account.ConsentKinds() {
		c := consentView{what: what, text: account.ConsentText(what)}
		for i := range consents {
			if consents[i].What == what && consents[i].Holds() {
				c.given = &consents[i]
			}
		}
		v.consents = append(v.consents, c)
	}
	return v, err
}

// Head implements [View].
func (v privacyView) Head(r *Request) Head {
	return Head{Title: r.Text("web.privacy.title"), NoIndex: true, Crumbs: []Crumb{{r.Text("web.account.title"), accountPath}}}
}

// Body implements [View].
func (v privacyView) Body(r *Request) templ.Component { return privacyBody(r, v) }

// How browsers and phones help with each field of the form of correction.
var (
	autocompletes = map[account.Field]string{account.SocialName: "nickname", account.Email: "email", account.Phone: "tel"}
	inputModes    = map[account.Field]string{account.SocialName: "text", account.Email: "email", account.Phone: "tel"}
)

// eventName is what an act on an account is called.
func (r *Request) eventName(e audit.Event) string {
	if key := "web.privacy.event." + e.Kind; locale.Known(key) {
		return r.Text(key)
	}
	return e.Kind
}

// postConsent gives or withdraws a consent. Faults: Invalid "web.form" and those
// of account.GiveConsent and account.WithdrawConsent.
func (s *Server) postConsent(r *Request) (Answer, error) {
	if err := r.HTTP.ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "web.form").Because(err)
	}
	ctx, form := r.HTTP.Context(), r.HTTP.PostForm
	what := account.ConsentKind(form.Get("consentimento"))
	done := "consentido"
	act := func(tx account.Tx) error { return account.GiveConsent(ctx, tx, r.Person.ID, what, form.Get("texto")) }
	switch form.Get("decisao") {
	case "dar":
	case "retirar":
		done = "retirado"
		act = func(tx account.Tx) error { return account.WithdrawConsent(ctx, tx, r.Person.ID, what) }
	default:
		return nil, fault.New(fault.Invalid, "web.form")
	}
	if err := s.deps.Accounts.Write(ctx, act); err != nil {
		return nil, err
	}
	return Redirect{To: r.Link(privacyPath) + "?feito=" + done}, nil
}

// postCorrection writes what the person corrects, or draws the form again with
// what is wrong. Faults: Invalid "web.form", Conflict "account.changed".
func (s *Server) postCorrection(r *Request) (Answer, error) {
	if err := r.HTTP.ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "web.form").Because(err)
	}
	ctx, form := r.HTTP.Context(), r.HTTP.PostForm
	revision, err := strconv.ParseInt(form.Get("revisao"), 10, 64)
	if err != nil {
		return nil, fault.New(fault.Invalid, "web.form").Because(err)
	}
	own := map[account.Field]string{}
	for _, f := range account.Correctable() {
		own[f] = form.Get(string(f))
	}
	err = s.deps.Accounts.Write(ctx, func(tx account.Tx) error {
		_, err := account.Correct(ctx, tx, r.Person.ID, revision, own)
		return err
	})
	if fault.HasKey(err, "account.correction") {
		v, readErr := s.privacy(r)
		v.values, v.revision = own, revision // what others wrote meanwhile is still not seen
		for _, p := range fault.Of(err).Problems {
			v.mistakes[account.Field(p.Field)] = r.Text(p.Code)
		}
		return Page{View: v, Status: http.StatusUnprocessableEntity}, readErr
	}
	if err != nil {
		return nil, err
	}
	return Redirect{To: r.Link(privacyPath) + "?feito=corrigido"}, nil
}

// getOwnData gives the person everything that is kept of them, as a file.
func (s *Server) getOwnData(r *Request) (Answer, error) {
	ctx := r.HTTP.Context()
	var e account.Export
	err := s.deps.Accounts.Write(ctx, func(tx account.Tx) (err error) {
		e, err = account.ExportOf(ctx, tx, r.Person.ID, s.deps.Sessions)
		return err
	})
	if err != nil {
		return nil, err
	}
	body, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode data of a person: %w", err)
	}
	return Content{Type: "application/json; charset=utf-8", Body: append(body, '\n'),
		Headers: http.Header{"Content-Disposition": {`attachment; filename="meus-dados-selo.json"`}}}, nil
}
