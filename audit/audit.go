// Package audit names what happened: who did what to which subject.
//
// An event is appended in the transaction that made the change, so there is
// never one without the other. Events are never changed or deleted. They are
// not log lines: they are shown to people (manual 2.4.3, espelho com log).
package audit

import "time"

// Event is one act. Subject and Kind are stable words ("certificado:ID",
// "certificate.approved"); Detail holds facts, never secrets.
type Event struct {
	At      time.Time // set by the store to the transaction's time
	Kind    string
	Subject string
	Actor   string // login, body acronym or "system"
	Detail  map[string]string
}
