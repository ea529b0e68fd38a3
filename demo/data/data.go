// Package data holds what the demonstration is filled with: the real classes
// and Portarias of the conformity programmes, and invented bodies, companies
// and certificates. README.md beside the files says where each comes from.
//
// The package only hands out the files; it keeps no rule and reads no clock.
package data

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed classes.json
var classesJSON []byte

//go:embed bodies.json
var bodiesJSON []byte

//go:embed companies.json
var companiesJSON []byte

//go:embed countries.json
var countriesJSON []byte

// CertificatesCSV is the spreadsheet of body DEMO: UTF-8, a header line, fields
// parted by semicolons and quoted where needed, dates as dd/mm/yyyy.
//
//go:embed certificates.csv
var CertificatesCSV []byte

// MappingJSON says which column of the spreadsheet is what, for certifier import.
//
//go:embed mapping.json
var MappingJSON []byte

// Kind says how a class is assessed; the letters are those of README.md.
type Kind string

// The six kinds.
const (
	Compulsory  Kind = "C" // compulsory certification
	Voluntary   Kind = "V" // voluntary certification
	Anvisa      Kind = "A" // certified by Inmetro's rules where Anvisa obliges
	Declaration Kind = "D" // supplier's declaration
	EnergyLabel Kind = "E" // energy label (ENCE)
	Standard    Kind = "N" // certificate of conformity to a standard
)

// Class is a class of product, or of service when Service is set.
type Class struct {
	Code       string     `json:"codigo"` // stable: "brinquedos"
	Name       string     `json:"nome"`
	Service    bool       `json:"servico"`
	Kind       Kind       `json:"tipo"`
	Documents  []Document `json:"documentos"`
	Remark     string     `json:"observacao,omitempty"`
	Unverified string     `json:"nao_verificado,omitempty"` // what no source confirms; empty when all is confirmed
}

// Document is a normative document of a class. Older ones stay, because
// certificates issued under them do.
type Document struct {
	Code    string `json:"codigo"` // "portaria-302-2021"
	Title   string `json:"titulo"`
	Kind    string `json:"tipo_documento"` // "Portaria" or "Norma"
	Current bool   `json:"atual"`
}

// Body is an invented certification body.
type Body struct {
	Sigla     string   `json:"sigla"`
	Number    string   `json:"numero"` // of accreditation: "OCP-9901"
	Name      string   `json:"razao_social"`
	TradeName string   `json:"nome_fantasia"`
	CNPJ      string   `json:"cnpj"` // 14 characters, no mask
	Email     string   `json:"email"`
	City      string   `json:"cidade"`
	UF        string   `json:"uf"`
	Classes   []string `json:"classes"` // codes of the classes it is accredited for
}

// Company is an invented company; a foreign one has no CNPJ, CEP or UF.
type Company struct {
	Code       string `json:"codigo"` // stable: "brinquedos-companhia"
	Country    string `json:"pais"`   // ISO 3166-1 alpha-2
	Person     string `json:"tipo_pessoa"`
	CNPJ       string `json:"cnpj,omitempty"` // 14 characters, no mask
	Name       string `json:"razao_social"`
	TradeName  string `json:"nome_fantasia"`
	Street     string `json:"endereco"`
	Number     string `json:"numero,omitempty"`
	Complement string `json:"complemento,omitempty"`
	District   string `json:"bairro,omitempty"`
	City       string `json:"cidade"`
	UF         string `json:"uf,omitempty"`
	CEP        string `json:"cep,omitempty"` // 8 digits, no mask
	Phone      string `json:"telefone,omitempty"`
	Email      string `json:"email"`
}

// Classes returns the classes in the order of the file.
func Classes() ([]Class, error) { return decode[Class]("classes.json", classesJSON) }

// Bodies returns the certification bodies in the order of the file.
func Bodies() ([]Body, error) { return decode[Body]("bodies.json", bodiesJSON) }

// Companies returns the companies in the order of the file, the foreign ones last.
func Companies() ([]Company, error) { return decode[Company]("companies.json", companiesJSON) }

// decode reads a list and refuses fields that its type does not know.
func decode[T any](name string, content []byte) ([]T, error) {
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	var list []T
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("read demo data %s: %w", name, err)
	}
	return list, nil
}

// Country is a country or territory of ISO 3166-1.
type Country struct {
	Code string `json:"codigo"`
	Name string `json:"nome"` // Portuguese, as the Unicode CLDR has it
}

// Countries returns all countries in the order of their codes.
func Countries() ([]Country, error) { return decode[Country]("countries.json", countriesJSON) }
