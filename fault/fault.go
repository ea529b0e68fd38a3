// Package fault holds the failures a person can act on.
//
// A [Fault] says what went wrong by key, never by finished text: the words
// are in package locale, in three languages. Every other error is internal,
// wrapped as "verb noun id: %w", and never shown to a user.
//
// The package uses the standard library only, so that every room may import it.
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind tells callers how to answer; each maps to one HTTP status and one exit code.
type Kind string

const (
	Invalid     Kind = "invalid"     // the input breaks a rule: 422, exit 2
	NotFound    Kind = "not_found"   // no such thing: 404, exit 2
	Conflict    Kind = "conflict"    // the state does not allow it now: 409, exit 2
	Forbidden   Kind = "forbidden"   // the actor may not: 403, exit 2
	Unavailable Kind = "unavailable" // try again later: 503, exit 2
)

// Args fill the {places} of a message. Values are facts (numbers, names), never sentences.
type Args map[string]string

// Problem is one broken rule of one record. Code is a message key whose text
// says what is wrong, which rule it is and what to do.
type Problem struct {
	Record string `json:"registro,omitempty"` // as people name it: "certificado 2534"
	Field  string `json:"campo,omitempty"`    // JSON path: "produtos[3].marca"
	Code   string `json:"codigo"`             // message key: "certificate.number.required"
	Args   Args   `json:"argumentos,omitempty"`
}

// Fault is an error that a person can act on. The zero value is not a fault.
type Fault struct {
	Kind     Kind
	Key      string // message key of the whole: "remessa.outstanding"
	Args     Args
	Problems []Problem
	Cause    error // for the log only
}

// New returns a fault; args are pairs of place and value.
func New(kind Kind, key string, args ...string) *Fault {
	return &Fault{Kind: kind, Key: key, Args: Pairs(args...)}
}

// WithProblems returns an Invalid fault made of broken rules, or nil when there are none.
func WithProblems(key string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &Fault{Kind: Invalid, Key: key, Problems: problems}
}

// Because attaches the internal cause and returns the fault itself.
func (f *Fault) Because(cause error) *Fault {
	f.Cause = cause
	return f
}

// Error is for logs and tests; people read the text that locale makes of the key.
func (f *Fault) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", f.Kind, f.Key)
	for _, k := range sortedKeys(f.Args) {
		fmt.Fprintf(&b, " %s=%q", k, f.Args[k])
	}
	for i, p := range f.Problems {
		if i == 5 {
			fmt.Fprintf(&b, "; and %d more", len(f.Problems)-i)
			break
		}
		fmt.Fprintf(&b, "; %s", p)
	}
	if f.Cause != nil {
		fmt.Fprintf(&b, ": %v", f.Cause)
	}
	return b.String()
}

// Unwrap gives the internal cause, so that errors.Is sees context cancellation and the like.
func (f *Fault) Unwrap() error { return f.Cause }

// String is for logs and tests.
func (p Problem) String() string {
	s := strings.TrimSpace(p.Record + " " + p.Field + " " + p.Code)
	for _, k := range sortedKeys(p.Args) {
		s += fmt.Sprintf(" %s=%q", k, p.Args[k])
	}
	return s
}

// Of returns the fault inside err, or nil.
func Of(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return nil
}

// Is tells whether err holds a fault of that kind.
func Is(err error, kind Kind) bool {
	f := Of(err)
	return f != nil && f.Kind == kind
}

// HasKey tells whether err holds a fault with that key.
func HasKey(err error, key string) bool {
	f := Of(err)
	return f != nil && f.Key == key
}

// Pairs makes Args of alternating places and values.
func Pairs(pairs ...string) Args {
	if len(pairs)%2 != 0 {
		panic("fault: odd number of argument pairs")
	}
	if len(pairs) == 0 {
		return nil
	}
	args := Args{}
	for i := 0; i < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	return args
}

func sortedKeys(m Args) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
