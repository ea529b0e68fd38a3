package certificate

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode"

	"selo/brasil"
)

// Key is a record's uniqueness inside its body: SHA-256 over the identifying
// fields, so that a brand of 100,000 characters is indexed like a short one
// (FAQ 3.12). Keys of different kinds never meet.
type Key [sha256.Size]byte

// String is lower-case hexadecimal, 64 characters.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Key is made of the number; spaces and letter case do not count (manual 2.2.1.1 step 3.1).
func (c *Certificate) Key() Key {
	return keyOf(KindCertificate, strings.ToUpper(brasil.Squeeze(c.Number)))
}

// Key is made of country, CNPJ, CPF and name. All are in it because a company
// with a wrong name is corrected by registering it again (FAQ 3.15). Numbers
// count as they are kept, so [Company.Clean] comes first.
func (c *Company) Key() Key {
	return keyOf(KindCompany, string(c.Country), string(c.CNPJ), string(c.CPF),
		strings.ToUpper(brasil.Squeeze(c.Name)))
}

// Key is made of brand, model and imported. Letter case counts: models that
// differ in it only do exist (manual 2.2.1.1 step 7).
func (p *Product) Key() Key {
	origin := "nacional"
	if p.Imported {
		origin = "importado"
	}
	return keyOf(KindProduct, brasil.Squeeze(p.Brand), brasil.Squeeze(p.Model), origin)
}

// Key is the key of what the revision holds; zero when it is malformed.
func (r *Revision) Key() Key {
	switch r.Kind() {
	case KindCertificate:
		return r.Certificate.Key()
	case KindCompany:
		return r.Company.Key()
	case KindProduct:
		return r.Product.Key()
	}
	return Key{}
}

// keyOf hashes kind and parts, each with its length in front, so that moving a
// character from one part to the next gives another key.
func keyOf(kind Kind, parts ...string) Key {
	var stack [256]byte
	b := append(stack[:0], kind...)
	for _, s := range parts {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return sha256.Sum256(b)
}

// Label is how people name the record in fault.Problem.Record: "certificado
// 2534", "empresa 12.ABC.345/01DE-35 / Nome", "produto Marca / Modelo
// (importado)". Long names are cut; a record without a name shows its ID.
func (r *Revision) Label() string {
	var label string
	kind := r.Kind()
	switch kind {
	case KindCertificate:
		label = r.Certificate.label()
	case KindCompany:
		label = r.Company.label()
	case KindProduct:
		label = r.Product.label()
	default:
		return excerpt(string(r.ID))
	}
	if label == string(kind) {
		return label + " " + excerpt(string(r.ID))
	}
	return label
}

func (c *Certificate) label() string {
	return strings.TrimSpace("certificado " + excerpt(c.Number))
}

// label hides the middle of a CPF: labels reach logs and reports (Lei 13.709/2018).
func (c *Company) label() string {
	number := c.CNPJ.Masked()
	if c.CPF != "" {
		number = c.CPF.Hidden()
	}
	name := c.Name
	if strings.TrimSpace(name) == "" {
		name = c.TradeName
	}
	return joinLabel("empresa", excerpt(number), excerpt(name))
}

func (p *Product) label() string {
	label := joinLabel("produto", excerpt(p.Brand), excerpt(p.Model))
	if p.Imported {
		label += " (importado)"
	}
	return label
}

func joinLabel(kind, a, b string) string {
	if a != "" && b != "" {
		a += " / "
	}
	return strings.TrimSpace(kind + " " + a + b)
}

// labelSize is the length, in runes, of the longest name that a label or an argument repeats.
const labelSize = 80

// excerpt cuts s to labelSize runes, the last of them an ellipsis, and blots
// out what must not reach a terminal: control characters and broken UTF-8.
func excerpt(s string) string {
	if len(s) <= labelSize && isPlain(s) {
		return s
	}
	runes := make([]rune, 0, labelSize)
	for _, r := range s { // a broken byte arrives as U+FFFD
		if len(runes) == labelSize {
			runes[labelSize-1] = '…'
			break
		}
		if isForbidden(r) {
			r = unicode.ReplacementChar
		}
		runes = append(runes, r)
	}
	return string(runes)
}
