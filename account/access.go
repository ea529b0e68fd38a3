package account

import (
	"context"
	"strings"
	"time"

	"selo/brasil"
	"selo/fault"
)

// Access is one look of somebody at a person's data. It is shown to the person.
type Access struct {
	At      time.Time
	Actor   string // who looked, as the person may know it
	Purpose string // why, in the words of who looked
	What    string // what was seen: a stable word such as "conta"
}

// Viewer is somebody who is about to look at another person's data, and why.
type Viewer struct {
	Actor   string
	Purpose string
}

// LookAtAccount is what [Look] shows.
const LookAtAccount = "conta"

const minPurpose = 10 // characters

// Look gives a person's account to somebody else and writes down that it did:
// there is no other way to read one that is not one's own. Faults: Invalid
// "account.look.purpose" without a purpose of some words, NotFound
// "account.unknown".
func Look(ctx context.Context, tx Tx, v Viewer, cpf brasil.CPF) (Person, error) {
	v = Viewer{Actor: line(v.Actor), Purpose: line(v.Purpose)}
	if len([]rune(v.Purpose)) < minPurpose || !strings.Contains(v.Purpose, " ") {
		return Person{}, fault.New(fault.Invalid, "account.look.purpose")
	}
	p, ok, err := tx.FindPersonByCPF(ctx, cpf)
	if err != nil {
		return Person{}, err
	}
	if !ok {
		return Person{}, fault.New(fault.NotFound, "account.unknown")
	}
	if err := tx.InsertAccess(ctx, p.ID, Access{At: tx.Now(), Actor: v.Actor, Purpose: v.Purpose, What: LookAtAccount}); err != nil {
		return Person{}, err
	}
	return p, noteBy(ctx, tx, p.ID, v.Actor, "account.looked_at", "o_que", LookAtAccount)
}
