package verify

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// document is a revision's content as far as invariants speak of it.
type document struct {
	Previous    string       `json:"anterior"`
	Certificate *certificate `json:"certificado"`
	Company     *company     `json:"empresa"`
	ID          string       `json:"id"`
	Body        string       `json:"organismo"`
	Product     *product     `json:"produto"`
	Number      int64        `json:"revisao"`
}

type company struct {
	CNPJ    string `json:"cnpj"`
	CPF     string `json:"cpf"`
	Country string `json:"pais"`
	Name    string `json:"razao_social"`
	Person  string `json:"tipo_pessoa"`
}

type product struct {
	Imported bool   `json:"importado"`
	Brand    string `json:"marca"`
	Model    string `json:"modelo"`
}

type certificate struct {
	Class     string  `json:"classe"`
	IssuedOn  string  `json:"data_emissao"` // 2025-03-01
	Documents []entry `json:"documentos"`
	Companies []entry `json:"empresas"`
	Number    string  `json:"numero"`
	Products  []entry `json:"produtos"`
	Services  []entry `json:"servicos"`
	Situation string  `json:"situacao"`
	Type      string  `json:"tipo"`
}

// entry is one line of any list of a certificate.
type entry struct {
	Document  string  `json:"documento"`
	Documents []entry `json:"documentos"`
	Company   string  `json:"empresa"`
	ID        string  `json:"id"`
	Role      string  `json:"papel"`
	Product   string  `json:"produto"`
	Situation string  `json:"situacao"`
}

// The kinds of record and the situations, as stored.
const (
	kindCompany     = "empresa"
	kindProduct     = "produto"
	kindCertificate = "certificado"

	personNatural = "fisica"

	situationActive    = "ativo"
	situationSuspended = "suspenso"
	situationCancelled = "cancelado"
)

// kindOrder is the order of a bundle: what is referred to comes first.
var kindOrder = map[string]int{kindCompany: 1, kindProduct: 2, kindCertificate: 3}

// kind tells what the document is; empty unless it is exactly one thing.
func (d *document) kind() string {
	kind, n := "", 0
	if d.Company != nil {
		kind, n = kindCompany, n+1
	}
	if d.Product != nil {
		kind, n = kindProduct, n+1
	}
	if d.Certificate != nil {
		kind, n = kindCertificate, n+1
	}
	if n != 1 {
		return ""
	}
	return kind
}

// parse decodes a revision; nil when it is not one.
func parse(content []byte) *document {
	var d document
	if json.Unmarshal(content, &d) != nil || d.kind() == "" {
		return nil
	}
	return &d
}

// name is how people name the record.
func (d *document) name() string {
	switch d.kind() {
	case kindCertificate:
		return "certificado " + d.Certificate.Number
	case kindCompany:
		return "empresa " + d.Company.Name
	case kindProduct:
		origin := ""
		if d.Product.Imported {
			origin = " (importado)"
		}
		return "produto " + d.Product.Brand + " / " + d.Product.Model + origin
	}
	return "registro " + d.ID
}

// key derives what a record's uniqueness in its body rests on: certificates by
// number without regard to case, companies by country, CNPJ, CPF and name,
// products by brand, model and imported, letter case included (manual 2.2.1.1
// steps 3.1 and 7, FAQ 3.15). White space never counts.
func (d *document) key() hash {
	kind := d.kind()
	var parts []string
	switch kind {
	case kindCertificate:
		parts = []string{strings.ToUpper(squeeze(d.Certificate.Number))}
	case kindCompany:
		parts = []string{d.Company.Country, d.Company.CNPJ, d.Company.CPF, strings.ToUpper(squeeze(d.Company.Name))}
	case kindProduct:
		origin := "nacional"
		if d.Product.Imported {
			origin = "importado"
		}
		parts = []string{squeeze(d.Product.Brand), squeeze(d.Product.Model), origin}
	}
	s := sha256.New()
	s.Write([]byte(kind))
	for _, part := range parts {
		var length [binary.MaxVarintLen64]byte
		s.Write(length[:binary.PutUvarint(length[:], uint64(len(part)))])
		s.Write([]byte(part))
	}
	return hash(s.Sum(nil))
}

// squeeze is NFC with single spaces inside and none at the ends.
func squeeze(s string) string { return strings.Join(strings.Fields(norm.NFC.String(s)), " ") }

// frozen are the fields that no later revision may change (FAQ 3.13 to 3.16).
func (d *document) frozen() map[string]string {
	switch d.kind() {
	case kindCertificate:
		c := d.Certificate
		return map[string]string{"numero": c.Number, "data_emissao": c.IssuedOn, "tipo": c.Type, "classe": c.Class}
	case kindCompany:
		c := d.Company
		return map[string]string{"pais": c.Country, "cnpj": c.CNPJ, "cpf": c.CPF, "razao_social": c.Name}
	case kindProduct:
		p := d.Product
		return map[string]string{"marca": p.Brand, "modelo": p.Model, "importado": fmt.Sprint(p.Imported)}
	}
	return nil
}

// eachLink visits every line of every list with an identity that is unique in
// the certificate: "produto <id>", "empresa <id> papel <role>".
func (c *certificate) eachLink(visit func(identity, situation string)) {
	for _, l := range c.Documents {
		visit("documento "+l.Document, l.Situation)
	}
	for _, l := range c.Companies {
		visit("empresa "+l.Company+" papel "+l.Role, l.Situation)
	}
	for _, l := range c.Products {
		visit("produto "+l.Product, l.Situation)
	}
	for _, l := range c.Services {
		visit("servico "+l.ID, l.Situation)
		for _, d := range l.Documents {
			visit("servico "+l.ID+" documento "+d.Document, d.Situation)
		}
	}
}

// maxExcerpt is the length, in runes, of the longest text a finding repeats.
const maxExcerpt = 120

// excerpt cuts s and blots out what must not reach a terminal.
func excerpt(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s { // a broken byte arrives as U+FFFD
		if n == maxExcerpt {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
