package main

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"

	"selo/fault"
	"selo/govbr"
	"selo/locale"
	"selo/refusal"
)

//go:embed estatico paginas.html
var files embed.FS

var pages = template.Must(template.ParseFS(files, "paginas.html"))

// page is what a template shows; each page uses some of it.
type page struct {
	Name, Title string
	Who         *govbr.Identity // nil: nobody is signed in
	Back        string          // where to go after signing in

	Signed *signed

	State govbr.ProofState
	Why   int    // govbr.DenialReason
	Until string // Brasília's time
	Phone string // of the simulator

	Failure locale.Failure
	StepUp  string // where the level is raised
}

// action answers one request of one visit.
type action func(http.ResponseWriter, *http.Request, *visit) error

// open lets anybody in.
func (a *app) open(do action) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		v := a.find(r)
		v.Lock()
		defer v.Unlock()
		err := do(w, r, v)
		if err != nil {
			err = a.refuse(w, v, err)
		}
		if err != nil {
			slog.Error("page not shown", "path", r.URL.Path, "error", err)
		}
	})
}

// signedIn asks whoever is not signed in to do so first.
func (a *app) signedIn(do action) http.Handler {
	return a.open(func(w http.ResponseWriter, r *http.Request, v *visit) error {
		if v.who == nil {
			return a.show(w, v, http.StatusForbidden, page{Name: "entrar", Title: "Entre primeiro", Back: r.URL.Path})
		}
		return do(w, r, v)
	})
}

// show draws a page whole before any of it is sent.
func (a *app) show(w http.ResponseWriter, v *visit, status int, p page) error {
	if v.who != nil {
		p.Who = &v.who.Identity
	}
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, p.Name, p); err != nil {
		return fmt.Errorf("draw %s: %w", p.Name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := b.WriteTo(w)
	return err
}

// refuse says what went wrong and what to do. Faults of the clients are for
// people: their words are in package locale. Others are for the log.
func (a *app) refuse(w http.ResponseWriter, v *visit, err error) error {
	p, status := page{Name: "recusa"}, http.StatusInternalServerError
	if f := fault.Of(err); f != nil {
		p.Failure, status = locale.Fault(locale.PT, f), refusal.StatusOf[f.Kind]
	} else {
		id := rand.Text()
		p.Failure = locale.Internal(locale.PT, id)
		slog.Error("not answered", "id", id, "error", err)
	}
	if fault.Is(err, fault.Unavailable) {
		slog.Warn("gov.br", "error", err) // holds nothing personal
	}
	if fault.HasKey(err, "govbr.sign.level") {
		p.StepUp = a.login.StepUpURL(govbr.AnyOf(govbr.Silver, govbr.Gold))
	}
	p.Title = p.Failure.Title
	return a.show(w, v, status, p)
}
