// Package certifier is the Módulo Certificador: where a certification body
// writes its certificates, companies and products, approves them, and
// exchanges them with Inmetro.
//
// It works offline on one file of its own. Everything is written first as a
// draft; approval checks it with the same rules as the registry and freezes it
// as a revision; a remessa carries what is approved; the result of the remessa
// makes it the accepted state or gives it back. A record therefore holds up to
// four things at once: a draft, an approved revision that waits, a travelling
// one in the outstanding remessa, and the accepted one (manual 2.2).
//
// Several people and programs may work on one base at the same time (unlike
// FAQ 3.1): every function runs in a transaction that the caller opens, and
// every change is guarded by the state or version that it was decided on.
//
// The package does no networking: delivering a bundle and fetching results,
// releases and the base belong to the commands. It never deletes what was
// approved; only a draft that was never approved may vanish.
package certifier
