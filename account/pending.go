package account

import (
	"context"
	"time"

	"selo/fault"
)

// Pending is a sign-in under way: its browser is at gov.br. It is used once and
// only by the browser that began it, which holds a token of its own for that.
type Pending struct {
	State   TokenHash // of the state that goes to gov.br and back
	Browser TokenHash // of the token in the browser's cookie before the sign-in
	// Nonce and Verifier bind gov.br's answer to this sign-in (OpenID Connect, RFC 7636).
	Nonce    string
	Verifier string
	Return   string // own path to go to afterwards
	Network  string // where it was asked for, to bound how many
	Until    time.Time
}

// maxReturn bounds what is kept of an address, in bytes.
const maxReturn = 2 << 10

// Begin keeps a sign-in under way; the caller has made its state, nonce and
// verifier and checked that Return is a path of the site. Those that ran out
// are forgotten, and where too many are under way the oldest give way, so that a
// flood of them does not fill the base. One from a single network pushes out its
// own only; one from many networks pushes out the oldest of all, whose people
// must begin anew.
func Begin(ctx context.Context, tx Tx, p Pending, l Limits) error {
	l = l.Full()
	if len(p.Return) > maxReturn {
		p.Return = ""
	}
	p.Until = tx.Now().Add(l.Pending)
	if _, err := tx.DeletePending(ctx, tx.Now()); err != nil {
		return err
	}
	if p.Network != "" {
		if err := tx.TrimPending(ctx, p.Network, l.PendingNetwork-1); err != nil {
			return err
		}
	}
	if err := tx.TrimPending(ctx, "", l.PendingAll-1); err != nil {
		return err
	}
	return tx.InsertPending(ctx, p)
}

// Claim takes the sign-in that browser began with state, so that no answer is
// used twice. Fault: Conflict "account.signin.gone" when there is none: it was
// used, has run out, or began in another browser. Which of them is not told,
// because the one who asks may not be the one who began.
func Claim(ctx context.Context, tx Tx, state string, browser Token) (Pending, error) {
	p, ok, err := tx.TakePending(ctx, HashOf(state), browser.Hash())
	if err != nil {
		return Pending{}, err
	}
	if !ok || !tx.Now().Before(p.Until) {
		return Pending{}, fault.New(fault.Conflict, "account.signin.gone")
	}
	return p, nil
}

// Awaited tells whether a browser has a sign-in under way: only then is its
// token one that this site has given out.
func Awaited(ctx context.Context, tx Tx, browser Token) (bool, error) {
	return tx.HasPending(ctx, browser.Hash(), tx.Now())
}

// Clean forgets sign-ins that ran out and sessions long unused.
func Clean(ctx context.Context, tx Tx, l Limits) error {
	if _, err := tx.DeletePending(ctx, tx.Now()); err != nil {
		return err
	}
	_, err := tx.DeleteSessions(ctx, tx.Now().Add(-l.Full().Keep))
	return err
}
