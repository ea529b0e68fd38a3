package web

import (
	"encoding/json"
	"fmt"

	"selo/catalog"
)

// linkedCertificate says in schema.org's words what a certificate is; its
// names are those of https://schema.org/Certification.
type linkedCertificate struct {
	Context    string        `json:"@context"`
	Type       string        `json:"@type"`
	ID         string        `json:"@id"`
	URL        string        `json:"url"`
	Name       string        `json:"name"`
	Identifier string        `json:"certificationIdentification"`
	Status     string        `json:"certificationStatus"`
	IssuedBy   linkedParty   `json:"issuedBy"`
	IssuedOn   string        `json:"datePublished,omitempty"`
	ValidFrom  string        `json:"validFrom,omitempty"`
	Expires    string        `json:"expires,omitempty"`
	About      *linkedAbout  `json:"about,omitempty"`
	Documents  []linkedWork  `json:"isBasedOn,omitempty"`
	Parties    []linkedParty `json:"mentions,omitempty"`
}

type linkedAbout struct {
	Type string `json:"@type"`
	Name string `json:"name"`
}

type linkedWork struct {
	Type string `json:"@type"`
	Name string `json:"name"`
}

type linkedParty struct {
	Type      string `json:"@type"`
	Name      string `json:"name"`
	Alternate string `json:"alternateName,omitempty"`
	TaxID     string `json:"taxID,omitempty"`
}

// linkedData is a certificate as JSON-LD. It is safe inside a page: "<", ">"
// and "&" are escaped.
func (r *Request) linkedData(c *catalog.Certificate) (string, error) {
	status := "https://schema.org/CertificationInactive"
	if c.Situation == "ativo" && c.Hidden == "" {
		status = "https://schema.org/CertificationActive"
	}
	address := r.public() + c.Path
	data := linkedCertificate{Context: "https://schema.org", Type: "Certification", ID: address, URL: address,
		Name: c.Number + " — " + c.Class.Name, Identifier: c.Number, Status: status,
		IssuedBy: linkedParty{Type: "Organization", Name: c.Body.Name, Alternate: string(c.Body.Sigla)},
		IssuedOn: dayValue(c.IssuedOn), ValidFrom: dayValue(c.IssuedOn), Expires: dayValue(c.ValidUntil)}
	if c.Class.Name != "" {
		data.About = &linkedAbout{"Product", c.Class.Name}
	}
	for _, d := range c.Documents {
		data.Documents = append(data.Documents, linkedWork{"CreativeWork", d.Title})
	}
	for i := range c.Parties {
		p := &c.Parties[i]
		kind := "Organization"
		if p.CPF != "" {
			kind = "Person"
		}
		data.Parties = append(data.Parties, linkedParty{Type: kind, Name: partyName(p), Alternate: p.TradeName, TaxID: string(p.CNPJ)})
	}
	text, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("write certificate as JSON-LD: %w", err)
	}
	return string(text), nil
}
