// Package api is the JSON API over HTTP: the public questions to the catalog,
// proofs from the ledger, and the bodies' delivery of remessas.
//
// It promises that every route stands in one table with the power it needs
// (see [Server.Routes]); that every failure is an application/problem+json of
// RFC 9457 in the caller's language, with "erros[]" for broken rules; that what
// is internal goes to the log with an id and never to the caller; and that
// certificate numbers, which hold slashes, dots and spaces
// ("FB-BRIN-108/17.001"), work in paths both percent-encoded and as they are.
//
// The OpenAPI 3.1 document at /api/openapi.json is made from the same table.
// JSON routes are read and checked by huma; the look-up of one certificate,
// downloads and deliveries are written by hand, because they are too hot or too
// large for it.
//
// The package holds no rules of certificates or remessas, no pages and no
// sessions: a body proves who it is with a signed token on each request.
package api
