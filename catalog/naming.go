package catalog

import (
	"context"

	"selo/brasil"
	"selo/certificate"
)

// ClassName and the like are the names shown for codes; a code that the
// reference does not have is its own name.
func (c *Catalog) ClassName(code string) string {
	return c.names.class(certificate.ClassCode(code))
}

// BodyName is the name of a certification body.
func (c *Catalog) BodyName(sigla string) string { return c.names.body(certificate.Sigla(sigla)) }

// TypeName is the name of a type of certificate.
func (c *Catalog) TypeName(code string) string { return c.names.kind(certificate.TypeCode(code)) }

// RoleName is the name of a company's role.
func (c *Catalog) RoleName(code string) string { return c.names.role(certificate.RoleCode(code)) }

// CountryName is the name of a country.
func (c *Catalog) CountryName(code string) string {
	return c.names.country(certificate.CountryCode(code))
}

// CompanyName is the name of the company with a CNPJ, masked or not; the CNPJ
// itself where none is known.
func (c *Catalog) CompanyName(ctx context.Context, cnpj string) (string, error) {
	parsed, err := brasil.ParseCNPJ(cnpj)
	if err != nil {
		return cnpj, nil //nolint:nilerr // what is no CNPJ names no company; the search says so
	}
	return c.companyName(ctx, string(parsed))
}
