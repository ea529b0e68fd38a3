package account

import (
	"context"
	"time"

	"selo/audit"
	"selo/brasil"
)

// Store is where accounts are: the registry's base. A Write's body may run twice.
type Store interface {
	Write(ctx context.Context, body func(Tx) error) error
	Read(ctx context.Context, body func(Tx) error) error
}

// Tx is what accounts need of one transaction.
type Tx interface {
	Now() time.Time
	AppendAudit(ctx context.Context, e audit.Event) error
	// ListAudit gives the newest events of a subject.
	ListAudit(ctx context.Context, subject string, limit int) ([]audit.Event, error)

	// OpenPerson gives the person of a CPF, made under id when there is none, and
	// keeps others from changing it until the transaction ends.
	OpenPerson(ctx context.Context, cpf brasil.CPF, id ID) (p Person, created bool, err error)
	// Person and LockPerson must find one: fault.NotFound "account.unknown".
	// LockPerson also keeps others from changing it.
	Person(ctx context.Context, id ID) (Person, error)
	LockPerson(ctx context.Context, id ID) (Person, error)
	FindPersonByCPF(ctx context.Context, cpf brasil.CPF) (p Person, ok bool, err error)
	// UpdatePerson writes p whole over the revision that was read, and counts it
	// up; fault.Conflict "account.changed" when there is another by now.
	UpdatePerson(ctx context.Context, p *Person) error

	InsertSession(ctx context.Context, s Session) error
	// FindSession gives the session of a token, in whatever state.
	FindSession(ctx context.Context, token TokenHash) (s Session, ok bool, err error)
	// ListSessions gives the active sessions of a person last used after a
	// moment, the latest used first.
	ListSessions(ctx context.Context, person ID, usedAfter time.Time) ([]Session, error)
	// RenewSession writes a session over the active one with the token before;
	// fault.Conflict "account.session.ended" when it is active no more.
	RenewSession(ctx context.Context, before TokenHash, s Session) error
	// TouchSession notes the use of an active session, if it was last used after
	// usedAfter and signed in after signedInAfter; one that has ended stays so.
	TouchSession(ctx context.Context, id SessionID, at, usedAfter, signedInAfter time.Time) error
	// EndSession moves a session between two states; false when it was not in the first.
	EndSession(ctx context.Context, person ID, id SessionID, from, to SessionState) (bool, error)
	// DeleteSessions forgets those that were last used before a moment.
	DeleteSessions(ctx context.Context, usedBefore time.Time) (int64, error)

	InsertPending(ctx context.Context, p Pending) error
	// TakePending removes and gives the sign-in that browser began with state; ok
	// is false when there is none.
	TakePending(ctx context.Context, state, browser TokenHash) (p Pending, ok bool, err error)
	// HasPending tells whether browser has a sign-in under way that ends after a moment.
	HasPending(ctx context.Context, browser TokenHash, after time.Time) (bool, error)
	// TrimPending removes the oldest beyond keep, of one network or, with "", of all.
	TrimPending(ctx context.Context, network string, keep int) error
	DeletePending(ctx context.Context, endedBefore time.Time) (int64, error)

	// InsertConsent fails with fault.Conflict "account.consent.given" when one of that kind holds.
	InsertConsent(ctx context.Context, person ID, c Consent) error
	// WithdrawConsent ends the consent that holds; false when none does.
	WithdrawConsent(ctx context.Context, person ID, what ConsentKind) (bool, error)
	// ListConsents gives them, the newest first.
	ListConsents(ctx context.Context, person ID) ([]Consent, error)

	PutPhoto(ctx context.Context, person ID, p Photo) error
	FindPhoto(ctx context.Context, person ID) (p Photo, ok bool, err error)
	DeletePhoto(ctx context.Context, person ID) error

	InsertAccess(ctx context.Context, person ID, a Access) error
	// ListAccesses gives the newest first.
	ListAccesses(ctx context.Context, person ID, limit int) ([]Access, error)
}
