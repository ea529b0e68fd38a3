// Package govbr holds the clients of Brazil's digital identity: Login Único
// (OpenID Connect), the level of an account, Empresas, Procuração Eletrônica,
// Assinatura Eletrônica Avançada and Prova de Vida.
//
// What it promises: where it asks is configuration, never code; an answer is
// bounded in size and time, and a redirect is not followed; what may be
// repeated is repeated, with jitter, and what may not is sent once; a service
// that fails again and again is left alone for a while. A failure that a person
// can act on is a fault whose key begins with "govbr."; neither faults nor log
// lines hold a CPF, an address, a name or a token.
//
// What it does not do: it keeps no session and no pending sign-in, it decides
// about no right, and it does not use the discovery document, which lacks what
// is needed. Tokens stay on the server: whoever calls keeps [AccessToken] with
// the session and never in a cookie.
//
// The norm is the integration manuals: LU of Login Único
// (https://acesso.gov.br/roteiro-tecnico/), AE of Assinatura Eletrônica
// (https://manual-integracao-assinatura-eletronica.servicos.gov.br/), PV of Prova de
// Vida (github.com/servicosgovbr/manual-integracao-prova-de-vida). Comments mark
// what they state as [D], what others have observed as [O], and what is concluded
// as [I]; the last two are unverified.
package govbr

import (
	"log/slog"
	"net/http"
	"time"

	"selo/clock"
)

// Options are what a client takes from the program; all may be zero.
type Options struct {
	Clock clock.Clock       // nil is the machine's
	HTTP  http.RoundTripper // nil is a transport with guards and timeouts of its own
	Log   *slog.Logger      // nil is silent
	Agent string            // User-Agent; empty is "selo"

	// Attempts is how often a read is tried; zero is 3. What changes something
	// is tried again only when no connection came about.
	Attempts int
	// Pause is how long to wait before the second attempt; each later wait is
	// twice as long, give or take half, at most five seconds. Zero is 200 ms.
	Pause time.Duration
	// Trip is after how many failures in a row a service is left alone, and
	// Rest for how long; then one request tries. Zeros are 5 and 30 s.
	Trip int
	Rest time.Duration
	// KeyFloor is the shortest time between two fetches of the signing keys,
	// however many tokens name an unknown one. Zero is a minute.
	KeyFloor time.Duration
}

func (o Options) filled(cfg Config) Options {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.HTTP == nil {
		o.HTTP = newTransport(cfg.Local)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Agent == "" {
		o.Agent = "selo"
	}
	if o.Attempts <= 0 {
		o.Attempts = 3
	}
	if o.Pause <= 0 {
		o.Pause = 200 * time.Millisecond
	}
	if o.Trip <= 0 {
		o.Trip = 5
	}
	if o.Rest <= 0 {
		o.Rest = 30 * time.Second
	}
	if o.KeyFloor <= 0 {
		o.KeyFloor = time.Minute
	}
	return o
}

// Secret is a text that logs, errors and JSON never show: a token, a client's
// secret. The zero value is none.
type Secret struct{ value string }

const hidden = "[oculto]"

// NewSecret hides s.
func NewSecret(s string) Secret { return Secret{s} }

// Reveal returns the text itself, for sending it or keeping it sealed.
func (s Secret) Reveal() string { return s.value }

// Empty tells whether there is none.
func (s Secret) Empty() bool { return s.value == "" }

// String hides the text.
func (s Secret) String() string { return hidden }

// GoString hides the text from %#v.
func (s Secret) GoString() string { return hidden }

// LogValue hides the text from structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the text: a secret is never written by accident.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// UnmarshalText reads a secret of a configuration file.
func (s *Secret) UnmarshalText(text []byte) error {
	s.value = string(text)
	return nil
}
