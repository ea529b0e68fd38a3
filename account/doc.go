// Package account is the people who sign in to Selo: who they are, the sessions
// of their browsers, what they have consented to and who looked at their data.
//
// gov.br says who somebody is ([Identity]); Selo runs sessions of its own and
// never uses gov.br's tokens as one. An account begins with the first sign-in,
// and each later one brings it up to date.
//
// It promises that the base holds no secret of a session, only its hash; that a
// session's id is new after each sign-in and ends everywhere the moment it is
// revoked; that a sign-in under way is used once, by the browser that began it;
// that a photo is kept only while its consent holds; and that state and audit
// event commit together. Audit events are for ever, so they name fields and
// never hold what stands in them (Lei 13.709/2018: least data).
//
// It speaks to no network and holds no text that people read. Who may act for a
// company is no question of this room: it keeps only what gov.br has said.
package account
