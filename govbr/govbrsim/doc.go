// Package govbrsim is a simulator of the services of gov.br's digital identity
// in one process: Login Único, confiabilidades and their catálogo, Empresas,
// Procuração, Assinatura Eletrônica and Prova de Vida. Teams develop and test
// against it while they wait for credentials.
//
// It promises the documented behaviour byte by byte where it is documented
// (servicosgovbr/manual-roteiro-integracao-login-unico), and where it is not, a
// choice that docs/govbr-sim.md lists with the mark of how sure it is. Nothing
// of it is gov.br: every page says so, and [New] refuses addresses of the real
// services.
//
// # Hosts and worlds
//
// The real services have a host each; here each is a path of one address: the
// SSO at the root, the others below "/sim/". All of it exists once more in each
// world, below "/mundo/{nome}": people, clients, switches, clock, inbox and
// issuer of its own, so that tests that run at the same time do not meet. The
// root is the world [DefaultWorld].
//
// # Where things are
//
//   - routes.go is the route table; server.go serves it, world.go is the state.
//   - person.go, company.go, client.go, switches.go are the records, check.go
//     their rules, seed.go and seed/ the ones that every world begins with.
//   - authorize.go, login.go, consent.go, token.go, claims.go, userinfo.go and
//     logout.go are Login Único; confiabilidades.go, empresas.go and
//     procuracoes.go the APIs; admin*.go the administration that tests use.
//   - cas*.go, signature*.go and gov_ca.go are Assinatura: the screens that
//     authorise, the CMS, the authority of its certificates. meugov*.go are
//     Prova de Vida and the citizen's phone.
//   - register*.go make accounts; x509*.go are the entry with certificates, of a
//     device on a listener of its own and of the cloud; area*.go are Minha área;
//     adminpage*.go are the pages that edit a world.
//   - *.templ are the screens, page.go what surrounds them.
//
// # What it is not
//
// It guards nothing: passwords are kept and shown in the clear, everybody who
// reaches it may administer it unless a token is set, and one mutex per world is
// all the concurrency it has. Nobody's real data belongs in it.
package govbrsim

//go:generate go tool templ generate
