package main

import (
	"net/http"
	"slices"

	"selo/govbr"
)

// getHome shows the three buttons, and who is signed in.
func (a *app) getHome(w http.ResponseWriter, _ *http.Request, v *visit) error {
	return a.show(w, v, http.StatusOK, page{Name: "inicio", Title: "Serviços"})
}

// postEnter sends the browser to gov.br.
func (a *app) postEnter(w http.ResponseWriter, r *http.Request, v *visit) error {
	v.back = "/"
	if back := r.PostFormValue("volta"); slices.Contains([]string{"/assinar", "/prova-de-vida"}, back) {
		v.back = back
	}
	return a.enter(w, r, v)
}

func (a *app) enter(w http.ResponseWriter, r *http.Request, v *visit) error {
	pending, address := a.login.Start(govbr.StartOptions{})
	v.entering = pending
	a.rename(w, v)
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// getReturn is where gov.br sends the browser back to. Once signed in, it leads
// on to another address, so that the code does not stay in this one.
func (a *app) getReturn(w http.ResponseWriter, r *http.Request, v *visit) error {
	query := r.URL.Query()
	if len(query) == 0 && v.who != nil {
		return a.enter(w, r, v) // from where levels are raised: only a new sign-in tells the new one
	}
	pending := v.entering
	v.entering = govbr.Pending{} // it is good once
	session, err := a.login.Finish(r.Context(), pending, query)
	if err != nil {
		return err
	}
	// Another person may have been signed in here: nothing of theirs stays.
	v.held = held{back: v.back, who: &session}
	a.rename(w, v)
	http.Redirect(w, r, v.back, http.StatusSeeOther)
	return nil
}

// postLeave ends the session here, then at gov.br.
func (a *app) postLeave(w http.ResponseWriter, r *http.Request, v *visit) error {
	a.forget(w, v)
	http.Redirect(w, r, a.login.LogoutURL(), http.StatusSeeOther)
	return nil
}
