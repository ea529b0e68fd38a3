// Package web is what people see of Selo in a browser: pages in three languages
// over the same rooms that the API serves.
//
// It promises that every page works without script, in every width from 320
// px, with a keyboard and with a screen reader (WCAG 2.2 AA); that every route
// stands in one table with the power it needs (see [Server.Routes]); that
// public pages are the same bytes for every visitor, so that shared caches may
// keep them; and that a failure is a plain page that says what happened, what
// to do and the number of the request, and nothing from inside.
//
// # Where things are
//
//   - routes.go is the route table, menu.go the menu.
//   - A page is a typed [View]: about.go (handler, Head) and about.templ (Body).
//   - layout.templ is what surrounds every page, parts.templ what pages share.
//   - errors.go turns errors into pages; nothing else writes one.
//   - answered.go tells whoever measures how an answer went.
//   - visitor.go finds out who asks, where a route's power needs it; signin.go
//     leads to gov.br and back, my*.go and privacy.go are the pages of one's own.
//   - ownaddress.go tells addresses of this site from tricks.
//   - appearance.go keeps contrast and text size; language.go the languages.
//   - static/ holds what browsers load; assets.go gives it hashed names.
//
// # Languages
//
// The language is in the path: "/sobre" is Portuguese, "/en/sobre" English,
// "/es/sobre" Spanish. Nothing depends on Accept-Language or on a cookie.
//
// # Contrast and text size
//
// They are the visitor's own and live in a cookie that only /aparencia.css
// reads: a small stylesheet that every page loads last and that no shared
// cache keeps. The pages themselves never depend on it.
//
// # Enhancement
//
// Where htmx speeds a page up, it asks for the whole page at the same address
// and takes a part of it (hx-select), so there is one answer for one address.
//
// The package holds no rules of certificates, no SQL and no JSON for programs.
package web

//go:generate go tool templ generate
