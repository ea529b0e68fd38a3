package sheet

import (
	"slices"
	"strings"

	"selo/certificate"
)

// Target is a field that a column may fill, by its name in mapping files:
// "numero", "marca", "solicitante_cnpj" ([CompanyTarget]).
type Target string

// Targets of the certificate. Type, Class and Document take a code or a name
// of the auxiliary tables; Document several, parted by semicolons.
const (
	Number       Target = "numero"
	Type         Target = "tipo"
	Class        Target = "classe"
	IssuedOn     Target = "data_emissao"
	ValidUntil   Target = "data_validade"
	Model        Target = "modelo_certificacao"
	Document     Target = "documento"
	Signatories  Target = "signatarios"
	Laboratory   Target = "laboratorio"
	ReportNumber Target = "numero_relatorio"
	Remarks      Target = "observacoes" // the only one that keeps its line breaks
)

// Targets of the product and of its place in the certificate.
const (
	Brand          Target = "marca"
	ProductModel   Target = "modelo"
	Description    Target = "descricao"
	CommercialName Target = "designacao_comercial"
	Family         Target = "familia"
	Imported       Target = "importado"
	GTIN           Target = "gtin" // several, parted by semicolons
	Modality       Target = "modalidade"
	Lot            Target = "lote"
	Quantity       Target = "quantidade"
	ImportLicence  Target = "licenca_importacao"
	Serial         Target = "numero_serie"
	EnteredOn      Target = "data_entrada"
)

// CompanyField is a field of a company, in any role.
type CompanyField string

// The fields of a company.
const (
	CompanyCNPJ       CompanyField = "cnpj"
	CompanyCPF        CompanyField = "cpf"
	CompanyName       CompanyField = "razao_social"
	CompanyTradeName  CompanyField = "nome_fantasia"
	CompanyCountry    CompanyField = "pais"
	CompanyStreet     CompanyField = "endereco"
	CompanyNumber     CompanyField = "numero"
	CompanyComplement CompanyField = "complemento"
	CompanyDistrict   CompanyField = "bairro"
	CompanyCity       CompanyField = "cidade"
	CompanyUF         CompanyField = "uf"
	CompanyCEP        CompanyField = "cep"
	CompanyPhone      CompanyField = "telefone"
	CompanyEmail      CompanyField = "email"
)

// CompanyTarget names a field of the company in a role: "fabricante_pais".
func CompanyTarget(role certificate.RoleCode, field CompanyField) Target {
	return Target(string(role) + "_" + string(field))
}

var (
	productTargets = []Target{
		Brand, ProductModel, Imported, Description, CommercialName, Family, GTIN,
		Modality, Lot, Quantity, ImportLicence, Serial, EnteredOn,
	}
	certificateTargets = []Target{
		Number, Type, Class, IssuedOn, ValidUntil, Model, Document,
		Signatories, Laboratory, ReportNumber, Remarks,
	}
	roles = []certificate.RoleCode{
		certificate.Applicant, certificate.Manufacturer, certificate.Importer,
		certificate.Packer, certificate.Supplier,
	}
	companyFields = []CompanyField{
		CompanyCNPJ, CompanyCPF, CompanyName, CompanyTradeName, CompanyCountry,
		CompanyStreet, CompanyNumber, CompanyComplement, CompanyDistrict, CompanyCity,
		CompanyUF, CompanyCEP, CompanyPhone, CompanyEmail,
	}
	targets = allTargets()
)

// Targets lists every target in the order in which mapping files show them.
func Targets() []Target { return slices.Clone(targets) }

// Roles lists the roles whose companies a sheet can hold.
func Roles() []certificate.RoleCode { return slices.Clone(roles) }

// CompanyFields lists the fields of a company in the order of mapping files.
func CompanyFields() []CompanyField { return slices.Clone(companyFields) }

func allTargets() []Target {
	all := slices.Clone(certificateTargets)
	for _, role := range roles {
		for _, field := range companyFields {
			all = append(all, CompanyTarget(role, field))
		}
	}
	return append(all, productTargets...)
}

// quoteList writes names for a message: “a”, “b”. Long lists are cut.
func quoteList(names []string) string {
	const most = 20
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == most {
			b.WriteString("…")
			break
		}
		b.WriteString("“" + excerpt(name) + "”")
	}
	return b.String()
}
