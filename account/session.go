package account

import (
	"context"
	"fmt"
	"slices"
	"time"

	"selo/audit"
	"selo/brasil"
	"selo/fault"

	"github.com/google/uuid"
)

// SessionID names a session in lists. It opens nothing: only a [Token] does.
type SessionID string

// SessionState is where a session stands. Expiry is no state: it follows from
// the clock and [Limits]. The zero value is not a state.
type SessionState string

// The states of a session.
const (
	SessionActive   SessionState = "ativa"
	SessionOut      SessionState = "encerrada"   // the person signed out in it
	SessionRevoked  SessionState = "revogada"    // the person ended it from another
	SessionReplaced SessionState = "substituida" // somebody signed in over it, or newer ones crowded it out
)

// SessionMoves holds every legal move; what has ended never comes back.
var SessionMoves = map[SessionState][]SessionState{
	SessionActive: {SessionOut, SessionRevoked, SessionReplaced},
}

// Limits bound sessions and sign-ins under way. A zero field is its default.
type Limits struct {
	Idle     time.Duration // a session unused for longer has ended; 30 minutes
	Absolute time.Duration // a session older than this has ended; 12 hours
	Touch    time.Duration // how exactly use is noted, to spare writing; 1 minute
	Keep     time.Duration // how long ended sessions are kept after their last use; 30 days
	Sessions int           // of one person at a time; 20
	Pending  time.Duration // a sign-in must return within; 1 hour: some make their account at gov.br first
	// PendingAll and PendingNetwork bound the sign-ins under way, of all and of one
	// network; beyond them the oldest gives way. 10,000 and 500.
	PendingAll, PendingNetwork int
}

// Full is l with its defaults filled in.
func (l Limits) Full() Limits {
	fill(&l.Idle, 30*time.Minute)
	fill(&l.Absolute, 12*time.Hour)
	fill(&l.Touch, time.Minute)
	fill(&l.Keep, 30*24*time.Hour)
	fill(&l.Sessions, 20)
	fill(&l.Pending, time.Hour)
	fill(&l.PendingAll, 10_000)
	fill(&l.PendingNetwork, 500)
	return l
}

func fill[T int | time.Duration](field *T, otherwise T) {
	if *field <= 0 {
		*field = otherwise
	}
}

// Session is one browser of one person, from sign-in to end.
type Session struct {
	ID         SessionID
	Person     ID
	Token      TokenHash
	State      SessionState
	CreatedAt  time.Time // first sign-in in this browser; later ones of the same person renew it
	SignedInAt time.Time // the absolute limit counts from here
	UsedAt     time.Time // as exact as Limits.Touch
	EndedAt    time.Time // zero while State is SessionActive
	Device     Device
	// What the sign-in has proved, which later changes of the account do not alter.
	Level     Level
	TwoFactor bool        // gov.br asked for a second factor
	CNPJ      brasil.CNPJ // company whose e-CNPJ was used; empty: none
}

// Alive tells whether the session may be used at a moment. It may be one before
// its sign-in: the clocks of two servers differ a little.
func (s *Session) Alive(now time.Time, l Limits) bool {
	l = l.Full()
	return s.State == SessionActive && now.Sub(s.UsedAt) < l.Idle && now.Sub(s.SignedInAt) < l.Absolute
}

// Due tells whether a use at a moment is to be noted by [Touch].
func (s *Session) Due(now time.Time, l Limits) bool { return now.Sub(s.UsedAt) >= l.Full().Touch }

// Current is who asks: a living session and its person.
type Current struct {
	Session Session
	Person  Person
}

// FindCurrent gives the living session of a token; ok is false when it never
// was, has ended or has expired.
func FindCurrent(ctx context.Context, tx Tx, token Token, l Limits) (c Current, ok bool, err error) {
	if c.Session, ok, err = tx.FindSession(ctx, token.Hash()); err != nil || !ok {
		return Current{}, false, err
	}
	if !c.Session.Alive(tx.Now(), l) {
		return Current{}, false, nil
	}
	if c.Person, err = tx.Person(ctx, c.Session.Person); err != nil {
		return Current{}, false, err
	}
	return c, true, nil
}

// Touch notes that a session is in use, which starts its idle time anew; one
// that has ended or expired by now stays so. It is no act that an audit event
// tells of.
func Touch(ctx context.Context, tx Tx, id SessionID, l Limits) error {
	l = l.Full()
	now := tx.Now()
	return tx.TouchSession(ctx, id, now, now.Add(-l.Idle), now.Add(-l.Absolute))
}

// Sessions lists the living sessions of a person, the latest used first.
func Sessions(ctx context.Context, tx Tx, person ID, l Limits) ([]Session, error) {
	l = l.Full()
	now := tx.Now()
	list, err := tx.ListSessions(ctx, person, now.Add(-l.Idle))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(s Session) bool { return !s.Alive(now, l) }), nil
}

// SignOut ends the session of a token, if it is active; a person who is out
// already may sign out again.
func SignOut(ctx context.Context, tx Tx, token Token) error {
	s, ok, err := tx.FindSession(ctx, token.Hash())
	if err != nil || !ok {
		return err
	}
	_, err = end(ctx, tx, s, SessionOut)
	return err
}

// Revoke ends one session of the person from another one. Fault: NotFound
// "account.session.unknown", also for sessions of others.
func Revoke(ctx context.Context, tx Tx, person ID, id SessionID) error {
	ended, err := end(ctx, tx, Session{ID: id, Person: person}, SessionRevoked)
	if err == nil && !ended {
		err = fault.New(fault.NotFound, "account.session.unknown")
	}
	return err
}

// RevokeAll ends every session of the person that has not ended, also those
// that have expired, but except, which may be empty, and tells how many. Another
// server's clock or limits may differ, and there none of them must go on.
func RevokeAll(ctx context.Context, tx Tx, person ID, except SessionID) (int, error) {
	list, err := tx.ListSessions(ctx, person, time.Unix(0, 0)) // whenever it was used
	if err != nil {
		return 0, err
	}
	n := 0
	for _, s := range list {
		if s.ID == except {
			continue
		}
		ended, err := end(ctx, tx, s, SessionRevoked)
		if err != nil {
			return n, err
		}
		if ended {
			n++
		}
	}
	return n, nil
}

var endKinds = map[SessionState]string{
	SessionOut: "account.signed_out", SessionRevoked: "account.session_revoked", SessionReplaced: "account.session_replaced",
}

// end moves an active session on; false when it is active no more.
func end(ctx context.Context, tx Tx, s Session, to SessionState) (bool, error) {
	if !slices.Contains(SessionMoves[SessionActive], to) {
		return false, fmt.Errorf("end session %s: no move to %q", s.ID, to)
	}
	ended, err := tx.EndSession(ctx, s.Person, s.ID, SessionActive, to)
	if err != nil || !ended {
		return false, err
	}
	actor := s.Person.subject()
	if to == SessionReplaced {
		actor = "system" // not the person's own act: perhaps somebody else's browser now
	}
	return true, noteBy(ctx, tx, s.Person, actor, endKinds[to], "sessao", string(s.ID))
}

// crowd makes room for one more session of a person: beyond the limit, those
// used longest ago end.
func crowd(ctx context.Context, tx Tx, person ID, l Limits) error {
	list, err := Sessions(ctx, tx, person, l)
	if err != nil {
		return err
	}
	for i := max(l.Full().Sessions-1, 0); i < len(list); i++ {
		if _, err := end(ctx, tx, list[i], SessionReplaced); err != nil {
			return err
		}
	}
	return nil
}

func newSessionID() SessionID { return SessionID(uuid.Must(uuid.NewV7()).String()) }

// note appends an audit event about a person, done by that person; detail is
// pairs of name and value.
func note(ctx context.Context, tx Tx, person ID, kind string, detail ...string) error {
	return noteBy(ctx, tx, person, person.subject(), kind, detail...)
}

func noteBy(ctx context.Context, tx Tx, person ID, actor, kind string, detail ...string) error {
	return tx.AppendAudit(ctx, audit.Event{Kind: kind, Subject: person.subject(), Actor: actor, Detail: fault.Pairs(detail...)})
}
