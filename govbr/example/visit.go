package main

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"time"

	"selo/govbr"
)

// visit is one browser's session. It stays on the server: the browser has a
// random name only. Tokens, and what waits for gov.br's return, are in here.
type visit struct {
	sync.Mutex // one request of a browser at a time

	name  string
	until time.Time
	held
}

// held is what a visit holds.
type held struct {
	entering govbr.Pending  // a sign-in that has begun
	back     string         // where to go after it
	who      *govbr.Session // who is signed in; nil: nobody

	signing  govbr.SigningPending // an authorisation to sign that has begun
	document []byte               // what is to be signed
	signed   *signed              // what was

	proof govbr.ProofID // the proof of life that was asked for
}

// stay is how long a visit lasts: as long as gov.br's access token.
const stay = time.Hour

const cookieName = "visita"

// visits are all that there are, in memory.
type visits struct {
	mu  sync.Mutex
	all map[string]*visit
}

// find gives a browser's visit; one without gets an empty one, which is not kept.
func (a *app) find(r *http.Request) *visit {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return &visit{}
	}
	a.visits.mu.Lock()
	defer a.visits.mu.Unlock()
	if v := a.visits.all[c.Value]; v != nil && a.clock.Now().Before(v.until) {
		return v
	}
	return &visit{}
}

// rename keeps a visit under a new name and tells the browser: at each sign-in,
// so that nobody can plant a name that they know. Visits that ended are forgotten.
func (a *app) rename(w http.ResponseWriter, v *visit) {
	a.visits.mu.Lock()
	defer a.visits.mu.Unlock()
	delete(a.visits.all, v.name)
	for name, other := range a.visits.all {
		if !a.clock.Now().Before(other.until) {
			delete(a.visits.all, name)
		}
	}
	v.name, v.until = rand.Text(), a.clock.Now().Add(stay)
	a.visits.all[v.name] = v
	a.cookie(w, v.name, int(stay/time.Second))
}

// forget ends a visit.
func (a *app) forget(w http.ResponseWriter, v *visit) {
	a.visits.mu.Lock()
	defer a.visits.mu.Unlock()
	delete(a.visits.all, v.name)
	v.held = held{}
	a.cookie(w, "", -1)
}

func (a *app) cookie(w http.ResponseWriter, value string, age int) {
	// Lax, not Strict: the browser comes back from gov.br, another site.
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: value, Path: "/", MaxAge: age, HttpOnly: true, //nolint:gosec // Secure wherever there is https
		Secure: strings.HasPrefix(a.cfg.Redirect, "https:"), SameSite: http.SameSiteLaxMode})
}
