package account

import (
	"context"
	"fmt"
	"time"

	"selo/fault"
)

// ConsentKind is what a person may allow or not. Only what is no part of the
// service asks for consent; an account itself does not.
type ConsentKind string

// ConsentPhoto allows Selo to keep the photo of the person's gov.br account.
const ConsentPhoto ConsentKind = "foto"

// consentTexts are the texts in force: a changed text is a new version, and a
// consent is to the version that was read.
var consentTexts = map[ConsentKind]string{ConsentPhoto: "foto_1"}

// ConsentKinds lists what may be consented to.
func ConsentKinds() []ConsentKind { return []ConsentKind{ConsentPhoto} }

// ConsentText is the version of the text that people read now; the words are
// the message "account.consent.VERSION".
func ConsentText(what ConsentKind) string { return consentTexts[what] }

// Consent is one consent of a person, from giving to withdrawal.
type Consent struct {
	What        ConsentKind
	Text        string // version that was read
	GivenAt     time.Time
	WithdrawnAt time.Time // zero: it holds
}

// Holds tells whether the consent has not been withdrawn.
func (c *Consent) Holds() bool { return c.WithdrawnAt.IsZero() }

// GiveConsent notes that a person allows what the version text says.
//
// Faults: Invalid "account.consent.unknown"; Conflict "account.consent.text"
// when another version is in force by now, or "account.consent.given".
func GiveConsent(ctx context.Context, tx Tx, person ID, what ConsentKind, text string) error {
	current, known := consentTexts[what]
	switch {
	case !known:
		return fault.New(fault.Invalid, "account.consent.unknown")
	case text != current:
		return fault.New(fault.Conflict, "account.consent.text")
	}
	if _, err := tx.LockPerson(ctx, person); err != nil {
		return err
	}
	if err := tx.InsertConsent(ctx, person, Consent{What: what, Text: text, GivenAt: tx.Now()}); err != nil {
		return err
	}
	return note(ctx, tx, person, "account.consent_given", "consentimento", string(what), "texto", text)
}

// WithdrawConsent ends a consent and deletes at once what was kept under it.
// Faults: Invalid "account.consent.unknown", Conflict "account.consent.none".
func WithdrawConsent(ctx context.Context, tx Tx, person ID, what ConsentKind) error {
	if consentTexts[what] == "" {
		return fault.New(fault.Invalid, "account.consent.unknown")
	}
	if _, err := tx.LockPerson(ctx, person); err != nil {
		return err
	}
	withdrawn, err := tx.WithdrawConsent(ctx, person, what)
	if err != nil {
		return err
	}
	if !withdrawn {
		return fault.New(fault.Conflict, "account.consent.none")
	}
	if err := tx.DeletePhoto(ctx, person); err != nil {
		return err
	}
	return note(ctx, tx, person, "account.consent_withdrawn", "consentimento", string(what))
}

// Consented tells whether a consent holds now.
func Consented(ctx context.Context, tx Tx, person ID, what ConsentKind) (bool, error) {
	list, err := tx.ListConsents(ctx, person)
	if err != nil {
		return false, err
	}
	for _, c := range list {
		if c.What == what && c.Holds() {
			return true, nil
		}
	}
	return false, nil
}

// MaxPhoto is the largest photo that is kept, in bytes.
const MaxPhoto = 2 << 20

// Photo is the picture of a gov.br account.
type Photo struct {
	Type string // image/jpeg or image/png
	Data []byte
	At   time.Time // when it was fetched
}

var photoTypes = map[string]bool{"image/jpeg": true, "image/png": true}

// KeepPhoto keeps a person's photo while the consent holds. Faults: Forbidden
// "account.photo.consent"; Invalid "account.photo.form" for what is no picture
// of a known kind and size.
func KeepPhoto(ctx context.Context, tx Tx, person ID, p Photo) error {
	if !photoTypes[p.Type] || len(p.Data) == 0 || len(p.Data) > MaxPhoto {
		return fault.New(fault.Invalid, "account.photo.form").Because(fmt.Errorf("%d bytes of %.40q", len(p.Data), p.Type))
	}
	// The lock keeps a withdrawal from slipping between question and writing.
	if _, err := tx.LockPerson(ctx, person); err != nil {
		return err
	}
	allowed, err := Consented(ctx, tx, person, ConsentPhoto)
	if err != nil {
		return err
	}
	if !allowed {
		return fault.New(fault.Forbidden, "account.photo.consent")
	}
	p.At = tx.Now()
	if err := tx.PutPhoto(ctx, person, p); err != nil {
		return err
	}
	return note(ctx, tx, person, "account.photo_kept")
}
