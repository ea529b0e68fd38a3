// Package catalog is Módulo Web's data (manual 1.1): a snapshot of everything
// accepted, in one SQLite file, and what the public asks of it: search, one
// certificate, verification, open data.
//
// A snapshot is a projection. Any node builds the same one from the ledger up
// to a publication, whole ([Build]) or out of the previous one ([Update]);
// both ways give the same rows and the same content digest. Once sealed it
// never changes: readers open it read-only, any number of nodes may copy it.
//
// What is shown (manual 1.2, 2.2.1.3, FAQ 3.22):
//   - certificates of enabled classes, in every situation; searches show the
//     active, unexpired ones unless another situation is asked for. Validity
//     is judged on the day of the question, not on the day of publication;
//   - certificates of disabled classes only by their exact address, with the reason;
//   - companies, products and services only while active in the certificate.
//     Inactive ones stay in the file so that [Catalog.Verify] can say why a
//     product is not covered.
//
// Personal data (Lei 13.709/2018): a natural person appears with name, city,
// UF and the CPF as brasil.CPF.Hidden gives it. Telephones, fax numbers and
// e-mail addresses of companies are not in the file, nor is anything of a
// company's revision that the public pages do not show.
//
// The package does not talk HTTP, does not know the registry and keeps no
// state beside the file.
package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"selo/certificate"
)

// Publication is what a snapshot shows: the ledger's first Size revisions, made
// public at At (UTC).
type Publication struct {
	Number     int64            `json:"numero"` // 1, 2, 3 …
	At         time.Time        `json:"em"`
	Size       int64            `json:"tamanho"` // revisions in the ledger
	Root       certificate.Hash `json:"raiz"`    // RFC 6962 root of those
	Checkpoint string           `json:"checkpoint"`
}

// Entry is one accepted revision at its place in the ledger. Canonical belongs
// to the source and is read only during the call that hands it over.
type Entry struct {
	Index      int64
	Hash       certificate.Hash
	Body       certificate.Sigla
	AcceptedAt time.Time // UTC; its remessa was processed
	Canonical  []byte    // the revision's canonical JSON
}

// Source gives the accepted revisions. The registry's store implements it.
type Source interface {
	// EachRevision streams the revisions with from <= ledger index < to in
	// ledger order; with newest only those that are their record's newest
	// below to. The kind "" means all. An error of fn ends it and is returned.
	EachRevision(ctx context.Context, kind certificate.Kind, from, to int64, newest bool, fn func(Entry) error) error

	// Reference returns the names to show. A code that a revision below the
	// published size uses is never missing.
	Reference(ctx context.Context) (Reference, error)
}

// Reference holds the names of what certificates refer to by code. Its JSON is
// that of the registry's publications. The periods in which bodies may certify
// are not used here; those of documents are (see [Catalog.DocumentsOf]).
type Reference struct {
	Bodies map[certificate.Sigla]string `json:"organismos"`
	Tables certificate.Tables           `json:"tabelas"`
}

// names finds the entries of a reference by code.
type names struct {
	bodies    map[certificate.Sigla]string
	classes   map[certificate.ClassCode]certificate.Class
	services  map[certificate.ServiceClassCode]certificate.ServiceClass
	documents map[certificate.DocumentCode]certificate.Document
	types     map[certificate.TypeCode]string
	roles     map[certificate.RoleCode]string
	countries map[certificate.CountryCode]string
	text      string // canonical JSON of what is used
}

// newNames indexes a reference; text does not depend on the order of its lists.
func newNames(ref Reference) (*names, error) {
	n := &names{bodies: ref.Bodies}
	var t certificate.Tables
	for _, c := range ref.Tables.Classes {
		t.Classes = append(t.Classes, certificate.Class{Code: c.Code, Name: c.Name, Service: c.Service, Disabled: c.Disabled})
	}
	for _, c := range ref.Tables.ServiceClasses {
		t.ServiceClasses = append(t.ServiceClasses, certificate.ServiceClass{Code: c.Code, Name: c.Name, Disabled: c.Disabled})
	}
	for _, d := range ref.Tables.Documents {
		t.Documents = append(t.Documents, certificate.Document{Code: d.Code, Title: d.Title, Kind: d.Kind, Offers: sortedOffers(d.Offers)})
	}
	t.Types, t.Roles, t.Countries = slices.Clone(ref.Tables.Types), slices.Clone(ref.Tables.Roles), slices.Clone(ref.Tables.Countries)
	n.classes = index(t.Classes, func(c certificate.Class) certificate.ClassCode { return c.Code })
	n.services = index(t.ServiceClasses, func(c certificate.ServiceClass) certificate.ServiceClassCode { return c.Code })
	n.documents = index(t.Documents, func(d certificate.Document) certificate.DocumentCode { return d.Code })
	n.types, n.roles, n.countries = map[certificate.TypeCode]string{}, map[certificate.RoleCode]string{}, map[certificate.CountryCode]string{}
	slices.SortFunc(t.Types, func(a, b certificate.CertificateType) int { return strings.Compare(string(a.Code), string(b.Code)) })
	slices.SortFunc(t.Roles, func(a, b certificate.Role) int { return strings.Compare(string(a.Code), string(b.Code)) })
	slices.SortFunc(t.Countries, func(a, b certificate.Country) int { return strings.Compare(string(a.Code), string(b.Code)) })
	for _, x := range t.Types {
		n.types[x.Code] = x.Name
	}
	for _, x := range t.Roles {
		n.roles[x.Code] = x.Name
	}
	for _, x := range t.Countries {
		n.countries[x.Code] = x.Name
	}
	text, err := json.Marshal(Reference{Bodies: ref.Bodies, Tables: t})
	if err != nil {
		return nil, fmt.Errorf("encode reference: %w", err)
	}
	n.text = string(text)
	return n, nil
}

// index sorts rows by code and returns them by code.
func index[K ~string, T any](rows []T, code func(T) K) map[K]T {
	slices.SortFunc(rows, func(a, b T) int { return strings.Compare(string(code(a)), string(code(b))) })
	m := make(map[K]T, len(rows))
	for _, r := range rows {
		m[code(r)] = r
	}
	return m
}

// extends tells whether n names everything that old names in the same words,
// so that rows made with old are still right. No row depends on the offers of
// documents.
func (n *names) extends(old *names) bool {
	same := true
	for code, name := range old.bodies {
		now, ok := n.bodies[code]
		same = same && ok && now == name
	}
	for code, c := range old.classes {
		now, ok := n.classes[code]
		same = same && ok && now.Name == c.Name && now.Disabled == c.Disabled && now.Service == c.Service
	}
	for code, c := range old.services {
		now, ok := n.services[code]
		same = same && ok && now.Name == c.Name && now.Disabled == c.Disabled
	}
	for code, d := range old.documents {
		now, ok := n.documents[code]
		same = same && ok && now.Title == d.Title && now.Kind == d.Kind
	}
	return same && holds(n.types, old.types) && holds(n.roles, old.roles) && holds(n.countries, old.countries)
}

// holds tells whether now has every pair of old.
func holds[K comparable](now, old map[K]string) bool {
	for code, name := range old {
		if got, ok := now[code]; !ok || got != name {
			return false
		}
	}
	return true
}

// body, class and the like give the shown name, or the code where there is none.
func (n *names) body(s certificate.Sigla) string { return orCode(n.bodies[s], string(s)) }
func (n *names) class(c certificate.ClassCode) string {
	return orCode(n.classes[c].Name, string(c))
}
func (n *names) service(c certificate.ServiceClassCode) string {
	return orCode(n.services[c].Name, string(c))
}
func (n *names) kind(c certificate.TypeCode) string       { return orCode(n.types[c], string(c)) }
func (n *names) role(c certificate.RoleCode) string       { return orCode(n.roles[c], string(c)) }
func (n *names) country(c certificate.CountryCode) string { return orCode(n.countries[c], string(c)) }

func orCode(name, code string) string {
	if name == "" {
		return code
	}
	return name
}
