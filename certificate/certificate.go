// Package certificate is the heart of Selo: what a certificate, a company and
// a product are, and every rule of the manual about them.
//
// Both sides of the exchange, the body's certifier and Inmetro's registry, run
// this code and no other, so that what one accepts the other accepts. The
// package knows neither of them, does no I/O and reads no clock.
//
// Three kinds of record move between the sides, each frozen as a chain of
// [Revision]: the certificate, the company and the product. A certificate
// links to companies and products by [ID]; their situation inside it (active,
// suspended, cancelled) belongs to the link, as in the manual (2.2.1.3).
//
// JSON names are Portuguese, in alphabetical order in every struct of a
// revision: encoding one therefore gives canonical JSON (RFC 8785) directly.
// A test keeps it so.
package certificate

import (
	"selo/brasil"

	"github.com/google/uuid"
)

// ID names one record for ever: a UUIDv7 in its 36-character lower-case form.
type ID string

// NewID returns a fresh ID; later ones sort after earlier ones.
func NewID() ID { return ID(uuid.Must(uuid.NewV7()).String()) }

// Sigla is a certification body's acronym, up to 8 characters, upper case: "CCB".
type Sigla string

// Kind is what a record is.
type Kind string

// The kinds, in the order in which a remessa carries them: what is referred to comes first.
const (
	KindCompany     Kind = "empresa"
	KindProduct     Kind = "produto"
	KindCertificate Kind = "certificado"
)

// Codes of the auxiliary tables.
type (
	TypeCode         string // Tipo de Certificado
	ClassCode        string // Classe de Produto
	ServiceClassCode string // Classe de Serviço
	DocumentCode     string // Documento Normativo
	RoleCode         string // Papel na Certificação
	CountryCode      string // País, ISO 3166-1 alpha-2
)

// Brazil is the country whose companies need a CNPJ or CPF.
const Brazil CountryCode = "BR"

// Model is the certification model of the RGCP: "1a", "1b", "2" … "6"; empty when not recorded.
type Model string

// ModelLot is model 1b, certification of a lot (older name: Sistema 7).
const ModelLot Model = "1b"

// Modality is the tab a product stands in (manual 2.2.1.1, step 7).
type Modality string

// The three tabs of products.
const (
	ByType Modality = "tipo"
	ByLot  Modality = "lote"
	ByUnit Modality = "unidade"
)

// Certificate is one certificate with everything its tabs hold (manual 2.2.1.1).
// The zero dates mean "not filled"; ValidUntil may stay zero on lot certificates.
type Certificate struct {
	Class        ClassCode      `json:"classe,omitempty"`
	IssuedOn     brasil.Date    `json:"data_emissao,omitzero"`
	ValidUntil   brasil.Date    `json:"data_validade,omitzero"`
	Documents    []DocumentLink `json:"documentos,omitempty"`
	Companies    []CompanyLink  `json:"empresas,omitempty"`
	Laboratory   string         `json:"laboratorio,omitempty"`
	Model        Model          `json:"modelo_certificacao,omitempty"`
	Number       string         `json:"numero,omitempty"`
	ReportNumber string         `json:"numero_relatorio,omitempty"`
	Remarks      string         `json:"observacoes,omitempty"`
	Products     []ProductLink  `json:"produtos,omitempty"`
	Services     []ServiceLink  `json:"servicos,omitempty"`
	Signatories  string         `json:"signatarios,omitempty"`
	Situation    Situation      `json:"situacao,omitempty"`
	Type         TypeCode       `json:"tipo,omitempty"`
}

// DocumentLink is a normative document of a certificate or service. Document is its identity in the list.
type DocumentLink struct {
	EnteredOn brasil.Date  `json:"data_entrada,omitzero"`
	Document  DocumentCode `json:"documento"`
	Situation Situation    `json:"situacao"`
}

// CompanyLink is a company in one role. Company and Role together are its identity in the list.
type CompanyLink struct {
	EnteredOn brasil.Date `json:"data_entrada,omitzero"`
	Company   ID          `json:"empresa"`
	Role      RoleCode    `json:"papel"`
	Situation Situation   `json:"situacao"`
}

// ProductLink is a product under a company of the same certificate. Product is
// its identity in the list. Lot, Quantity and ImportLicence (LI or LPCO number)
// belong to [ByLot], Serial to [ByUnit].
type ProductLink struct {
	EnteredOn     brasil.Date `json:"data_entrada,omitzero"`
	Company       ID          `json:"empresa"`
	ImportLicence string      `json:"licenca_importacao,omitempty"`
	Lot           string      `json:"lote,omitempty"`
	Modality      Modality    `json:"modalidade"`
	Serial        string      `json:"numero_serie,omitempty"`
	Product       ID          `json:"produto"`
	Quantity      int64       `json:"quantidade,omitempty"` // pieces
	Situation     Situation   `json:"situacao"`
}

// ServiceLink is a certified service with its own documents. ID is its identity in the list.
type ServiceLink struct {
	Class       ServiceClassCode `json:"classe"`
	EnteredOn   brasil.Date      `json:"data_entrada,omitzero"`
	Description string           `json:"descricao,omitempty"`
	Documents   []DocumentLink   `json:"documentos,omitempty"`
	Company     ID               `json:"empresa"`
	ID          ID               `json:"id"`
	Situation   Situation        `json:"situacao"`
}

// PersonKind is Tipo Pessoa.
type PersonKind string

// The two kinds of person.
const (
	Legal   PersonKind = "juridica"
	Natural PersonKind = "fisica"
)

// Company is a row of the Tabela de Empresas (manual 2.2.1.1, step 6.6).
// Country, CNPJ, CPF and Name freeze once approved in a certificate (FAQ 3.14).
type Company struct {
	District   string      `json:"bairro,omitempty"`
	CEP        brasil.CEP  `json:"cep,omitempty"`
	City       string      `json:"cidade,omitempty"`
	CNPJ       brasil.CNPJ `json:"cnpj,omitempty"`
	Complement string      `json:"complemento,omitempty"`
	CPF        brasil.CPF  `json:"cpf,omitempty"`
	Email      string      `json:"email,omitempty"`
	Street     string      `json:"endereco,omitempty"`
	Fax        string      `json:"fax,omitempty"`
	TradeName  string      `json:"nome_fantasia,omitempty"`
	Number     string      `json:"numero,omitempty"`
	Country    CountryCode `json:"pais,omitempty"`
	Name       string      `json:"razao_social,omitempty"`
	Phone      string      `json:"telefone,omitempty"`
	Person     PersonKind  `json:"tipo_pessoa,omitempty"`
	UF         brasil.UF   `json:"uf,omitempty"`
}

// Product is a row of the Tabela de Produtos. Brand, Model and Imported are
// unique together in a body and freeze at approval (manual 2.2.1.1 step 7, FAQ 3.16).
type Product struct {
	GTINs          []brasil.GTIN `json:"codigos_gtin,omitempty"`
	Description    string        `json:"descricao,omitempty"`
	CommercialName string        `json:"designacao_comercial,omitempty"`
	Family         string        `json:"familia,omitempty"`
	Imported       bool          `json:"importado"`
	Brand          string        `json:"marca"`
	Model          string        `json:"modelo"`
}
