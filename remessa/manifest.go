// Package remessa is the exchange between a certification body and Inmetro's
// registry: the bundle and its signature, the result and its unlock code, the
// auxiliary-table release, and the keys both sides enrol (manual 1.4, 1.5, 2.2).
//
// It promises that what one side writes the other reads or refuses whole, with
// a fault that says why; that reading is bounded in size; and that a signature
// made for one purpose is worthless for another (each carries its own "typ").
// It holds no state and does no database or network work.
package remessa

import (
	"crypto/sha256"
	"fmt"
	"time"

	"selo/certificate"
)

// FormatVersion is the bundle format this program writes and the only one it reads.
const FormatVersion = 1

// Scope says what a bundle carries.
type Scope string

// The scopes. A full remessa repeats every accepted revision beside the new
// ones, so that the registry can fill what it lacks; a base goes the other way.
const (
	Partial Scope = "parcial"
	Full    Scope = "completa"
	Base    Scope = "base" // registry → body: everything the registry holds of it
)

// Digest identifies a remessa: SHA-256 of its canonical manifest.
type Digest = certificate.Hash

// Head is what is known of a bundle before its first revision is written.
type Head struct {
	Body       certificate.Sigla
	Sequence   int64 // 1, 2, 3 … per body; of a base, the last one processed
	Scope      Scope
	Previous   Digest // of the remessa processed before; of a base, of the last one processed
	PreparedAt time.Time
}

// Counts are the revisions of each kind.
type Counts struct {
	Certificates int64 `json:"certificados"`
	Companies    int64 `json:"empresas"`
	Products     int64 `json:"produtos"`
}

// Total is the number of revisions.
func (c Counts) Total() int64 { return c.Certificates + c.Companies + c.Products }

// Add counts n more revisions of a kind.
func (c *Counts) Add(kind certificate.Kind, n int64) {
	switch kind {
	case certificate.KindCertificate:
		c.Certificates += n
	case certificate.KindCompany:
		c.Companies += n
	case certificate.KindProduct:
		c.Products += n
	}
}

// Manifest is manifest.json: what is signed. Its JSON names are in
// alphabetical order, so that encoding it gives canonical JSON.
type Manifest struct {
	Previous   Digest            `json:"anterior,omitzero"`
	Counts     Counts            `json:"contagens"`
	Scope      Scope             `json:"escopo"`
	Format     int               `json:"formato"`
	Body       certificate.Sigla `json:"organismo"`
	PreparedAt time.Time         `json:"preparada_em"` // UTC, whole seconds
	Content    Digest            `json:"revisoes_sha256"`
	Sequence   int64             `json:"sequencia"`
	Size       int64             `json:"tamanho"` // bytes of revisoes.ndjson
}

// Encode returns the canonical JSON and the digest that identifies the bundle.
func (m *Manifest) Encode() ([]byte, Digest, error) {
	data, err := certificate.Canonical(m)
	if err != nil {
		return nil, Digest{}, fmt.Errorf("encode manifest: %w", err)
	}
	return data, sha256.Sum256(data), nil
}

// FileName is how a remessa is named wherever it is a file: "CCB-000042.remessa".
func FileName(body certificate.Sigla, sequence int64) string {
	return fmt.Sprintf("%s-%06d.remessa", body, sequence)
}
