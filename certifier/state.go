package certifier

import "slices"

// State is where a revision stands in the body's own log. The zero value is
// not a state. A draft is not a revision yet and has none.
type State string

// The states of a revision. A record has at most one in each of the first three.
const (
	Approved   State = "aprovada"    // frozen, waits for a remessa
	Travelling State = "em_remessa"  // in the outstanding remessa
	Accepted   State = "aceita"      // what the registry has
	Replaced   State = "substituida" // was accepted; a newer one was accepted since
	Superseded State = "superada"    // never accepted; a newer approval took its place
	Reopened   State = "reaberta"    // given back to the draft, with a reason
)

// transitions holds every legal move; a pair that is missing does not exist.
// Accepted to Superseded happens only when a reconciliation finds that the
// registry does not have the revision.
var transitions = map[State][]State{
	Approved:   {Travelling, Superseded, Reopened},
	Travelling: {Accepted, Approved, Superseded},
	Accepted:   {Replaced, Superseded},
}

// CanMove tells whether a revision may go from one state to another.
func CanMove(from, to State) bool { return slices.Contains(transitions[from], to) }

// RemessaState is where a remessa stands. The zero value is not a state.
type RemessaState string

// The states of a remessa (manual 2.2.3 to 2.2.5).
const (
	Prepared    RemessaState = "preparada"  // the file exists; may be cancelled
	Sent        RemessaState = "enviada"    // delivered or handed over; the result is awaited
	Confirmed   RemessaState = "confirmada" // the registry accepted all of it
	Invalidated RemessaState = "invalidada" // the registry accepted nothing of it
	Withdrawn   RemessaState = "cancelada"  // withdrawn before it was sent; its number is used again
)

// remessaTransitions holds every legal move. A prepared remessa may get its
// result directly: someone may have carried the file without telling the program.
// A sent one is withdrawn only by a reconciliation that finds that the registry
// has another remessa of its number, an ended one when the registry has lost it.
var remessaTransitions = map[RemessaState][]RemessaState{
	Prepared:    {Sent, Withdrawn, Confirmed, Invalidated},
	Sent:        {Confirmed, Invalidated, Withdrawn},
	Confirmed:   {Withdrawn},
	Invalidated: {Withdrawn},
}

// CanMove tells whether a remessa may go to another state.
func (s RemessaState) CanMove(to RemessaState) bool {
	return slices.Contains(remessaTransitions[s], to)
}

// Outstanding tells whether the remessa keeps the next one from being prepared.
func (s RemessaState) Outstanding() bool { return s == Prepared || s == Sent }
