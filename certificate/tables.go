package certificate

import "selo/brasil"

// Tables are the auxiliary tables as one body sees them (manual 1.5, 2.3): the
// classes it is accredited for, their documents, and the lists to choose from.
// They come only from the registry, signed and numbered, each release complete.
type Tables struct {
	Classes        []Class           `json:"classes"`
	ServiceClasses []ServiceClass    `json:"classes_servico"`
	Documents      []Document        `json:"documentos"`
	Number         int               `json:"numero"` // of the release: 1, 2, 3 …
	Body           Sigla             `json:"organismo"`
	Countries      []Country         `json:"paises"`
	Roles          []Role            `json:"papeis"`
	Types          []CertificateType `json:"tipos"`
}

// Period is a span of days, both ends included; a zero end is open.
type Period struct {
	From brasil.Date `json:"de,omitzero"`
	To   brasil.Date `json:"ate,omitzero"`
}

// Holds tells whether day lies in the period.
func (p Period) Holds(day brasil.Date) bool {
	return (p.From.IsZero() || !day.Before(p.From)) && (p.To.IsZero() || !day.After(p.To))
}

// Class is a Classe de Produto: one scope of certification.
type Class struct {
	Code     ClassCode  `json:"codigo"`
	Name     string     `json:"nome"`
	Service  bool       `json:"servico,omitempty"`             // the class "Serviço" (FAQ 3.9)
	Required []RoleCode `json:"papeis_obrigatorios,omitempty"` // RGCP: solicitante and fabricante
	Scopes   []Period   `json:"acreditacao"`                   // when this body is or was accredited
	Disabled string     `json:"desabilitada,omitempty"`        // why it is off the Web (FAQ 3.22 D); empty: shown
}

// ServiceClass is a Classe de Serviço, chosen per service (manual 2.2.1.1 step 8.4).
type ServiceClass struct {
	Code     ServiceClassCode `json:"codigo"`
	Name     string           `json:"nome"`
	Scopes   []Period         `json:"acreditacao"`
	Disabled string           `json:"desabilitada,omitempty"`
}

// Document is a Documento Normativo with where it may be used.
type Document struct {
	Code   DocumentCode `json:"codigo"`
	Title  string       `json:"titulo"`         // "Portaria Inmetro nº 302/2021"
	Kind   string       `json:"tipo_documento"` // "Portaria", "Norma", "Outros"
	Offers []Offer      `json:"ofertas"`
}

// Offer says that a document may be entered in certificates of one type and
// class (or service class) on the days of the period. Several documents of one
// class are valid side by side for years (consolidated Portarias).
type Offer struct {
	Class        ClassCode        `json:"classe,omitempty"`
	ServiceClass ServiceClassCode `json:"classe_servico,omitempty"`
	Type         TypeCode         `json:"tipo_certificado"`
	Period
}

// CertificateType is a Tipo de Certificado.
type CertificateType struct {
	Code TypeCode `json:"codigo"`
	Name string   `json:"nome"`
}

// Role is a Papel na Certificação.
type Role struct {
	Code RoleCode `json:"codigo"`
	Name string   `json:"nome"`
}

// Country is a País.
type Country struct {
	Code CountryCode `json:"codigo"`
	Name string      `json:"nome"`
}

// Roles that rules and demo data name; the list itself is an auxiliary table.
const (
	Applicant    RoleCode = "solicitante"
	Manufacturer RoleCode = "fabricante"
	Importer     RoleCode = "importador"
	Packer       RoleCode = "empacotador"
	Supplier     RoleCode = "fornecedor"
)

// The three types of the manual (2.2.1.1 step 3.4).
const (
	TypeStandard   TypeCode = "norma"
	TypeCompulsory TypeCode = "portaria-compulsorio"
	TypeVoluntary  TypeCode = "portaria-voluntario"
)
