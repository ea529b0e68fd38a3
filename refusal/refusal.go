// Package refusal is a failure of HTTP itself, with a status that no
// [fault.Kind] has, and the status of each kind: the API and the pages refuse
// alike, each in its own form. It writes no answer.
package refusal

import (
	"net/http"
	"strconv"

	"selo/fault"
)

// Refusal is an error with the status and headers of its answer.
type Refusal struct {
	Status int
	Fault  *fault.Fault
	Header http.Header
}

// New makes a refusal; key and args name its text, its status its title.
func New(status int, key string, args ...string) *Refusal {
	return &Refusal{Status: status, Fault: fault.New(fault.Invalid, key, args...), Header: http.Header{}}
}

// With adds a header to the answer.
func (r *Refusal) With(name, value string) *Refusal {
	r.Header.Set(name, value)
	return r
}

// Error implements error; it is for logs.
func (r *Refusal) Error() string { return strconv.Itoa(r.Status) + " " + r.Fault.Error() }

// Unwrap gives the fault.
func (r *Refusal) Unwrap() error { return r.Fault }

// StatusOf is the status of each kind of fault.
var StatusOf = map[fault.Kind]int{
	fault.Invalid:     http.StatusUnprocessableEntity,
	fault.NotFound:    http.StatusNotFound,
	fault.Conflict:    http.StatusConflict,
	fault.Forbidden:   http.StatusForbidden,
	fault.Unavailable: http.StatusServiceUnavailable,
}
