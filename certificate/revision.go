package certificate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"selo/fault"

	"github.com/gowebpki/jcs"
)

// Revision is one approved state of one record, frozen. Exactly one of
// Certificate, Company and Product is set. It names no person: who approved
// stands in the body's own audit, because revisions are public for ever (LGPD).
type Revision struct {
	Previous       Hash            `json:"anterior,omitzero"` // of revision Number-1; zero on the first
	ApprovedAt     time.Time       `json:"aprovada_em"`       // UTC, whole seconds
	Certificate    *Certificate    `json:"certificado,omitempty"`
	Company        *Company        `json:"empresa,omitempty"`
	ID             ID              `json:"id"`
	Justifications []Justification `json:"justificativas,omitempty"`
	Body           Sigla           `json:"organismo"`
	Product        *Product        `json:"produto,omitempty"`
	Number         int             `json:"revisao"` // 1, 2, 3 …
}

// Justification explains changed fields of an approved certificate (manual 2.2.1.2).
// Fields are paths as [Diff] gives them; an entry covers what lies below it too.
type Justification struct {
	Fields []string `json:"campos"`
	Text   string   `json:"texto"`
}

// Hash is the RFC 6962 leaf hash, SHA-256(0x00 || canonical JSON), of a
// revision: its link in the chain and its leaf in the ledger are one value.
type Hash [sha256.Size]byte

// HashOf returns the hash of a revision's canonical JSON.
func HashOf(canonical []byte) Hash {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(canonical)
	return Hash(h.Sum(nil))
}

// String is lower-case hexadecimal, 64 characters.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero tells whether there is no hash.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText writes hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 lower-case hexadecimal characters.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != 2*len(h) {
		return fault.New(fault.Invalid, "revision.hash", "valor", fmt.Sprintf("%.80s", text))
	}
	if _, err := hex.Decode(h[:], text); err != nil {
		return fault.New(fault.Invalid, "revision.hash", "valor", string(text)).Because(err)
	}
	return nil
}

// Kind tells what the revision is of; empty when the revision is malformed.
func (r *Revision) Kind() Kind {
	switch {
	case r.Certificate != nil && r.Company == nil && r.Product == nil:
		return KindCertificate
	case r.Company != nil && r.Certificate == nil && r.Product == nil:
		return KindCompany
	case r.Product != nil && r.Certificate == nil && r.Company == nil:
		return KindProduct
	}
	return ""
}

// Encode returns the revision's canonical JSON (RFC 8785).
func (r *Revision) Encode() ([]byte, error) { return Canonical(r) }

// Canonical encodes v, whose structs list their JSON names in alphabetical
// order, as RFC 8785. Numbers must be integers below 2^53.
func Canonical(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode canonical JSON: %w", err)
	}
	out := bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
	// encoding/json escapes U+2028 and U+2029, RFC 8785 does not: rare enough for the slow way.
	if bytes.Contains(out, []byte(`\u202`)) {
		slow, err := jcs.Transform(out)
		if err != nil {
			return nil, fmt.Errorf("transform canonical JSON: %w", err)
		}
		return slow, nil
	}
	return out, nil
}

// maxObjects is how many JSON objects a revision may hold, about five times what
// its longest lists need: "{}," is three bytes to send and fifty times as many to read.
const maxObjects = 1_000_000

// DecodeRevision reads one revision and refuses anything that is not exactly
// canonical: unknown or repeated fields, other order, spaces, trailing bytes.
// It returns fault.Invalid with the key "revision.malformed" or "revision.not_canonical".
func DecodeRevision(canonical []byte) (*Revision, error) {
	var r Revision
	if bytes.Count(canonical, []byte("{")) > maxObjects {
		return nil, fault.New(fault.Invalid, "revision.malformed")
	}
	if err := json.Unmarshal(canonical, &r); err != nil {
		return nil, fault.New(fault.Invalid, "revision.malformed").Because(err)
	}
	again, err := r.Encode()
	if err != nil {
		return nil, fault.New(fault.Invalid, "revision.malformed").Because(err)
	}
	if !bytes.Equal(again, canonical) {
		return nil, fault.New(fault.Invalid, "revision.not_canonical")
	}
	if r.Kind() == "" {
		return nil, fault.New(fault.Invalid, "revision.malformed")
	}
	return &r, nil
}
