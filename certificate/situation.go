package certificate

import "slices"

// Situation is the status of a certificate or of one of its companies,
// products, services and documents (manual 2.2.1.3). The zero value is not a
// situation. "Expirado" is not one either: it follows from the date.
type Situation string

// The three situations.
const (
	Active    Situation = "ativo"
	Suspended Situation = "suspenso"
	Cancelled Situation = "cancelado"
)

// transitions holds every legal move; a pair that is missing does not exist.
// A cancelled certificate may be reactivated (manual 2.2.1.3).
var transitions = map[Situation][]Situation{
	Active:    {Suspended, Cancelled},
	Suspended: {Active, Cancelled},
	Cancelled: {Active},
}

// CanMove tells whether a record may go from one situation to another.
func CanMove(from, to Situation) bool { return slices.Contains(transitions[from], to) }
