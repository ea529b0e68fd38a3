package demo

import (
	"selo/brasil"
	"selo/certificate"
	"selo/demo/data"
)

// Companies returns the invented companies as records of the Tabela de Empresas.
func Companies() ([]certificate.Company, error) {
	list, err := data.Companies()
	if err != nil {
		return nil, err
	}
	out := make([]certificate.Company, 0, len(list))
	for _, c := range list {
		out = append(out, certificate.Company{
			Country: certificate.CountryCode(c.Country), Person: certificate.PersonKind(c.Person), CNPJ: brasil.CNPJ(c.CNPJ),
			Name: c.Name, TradeName: c.TradeName, Street: c.Street, Number: c.Number, Complement: c.Complement,
			District: c.District, City: c.City, UF: brasil.UF(c.UF), CEP: brasil.CEP(c.CEP), Phone: c.Phone, Email: c.Email})
	}
	return out, nil
}

// Incomplete is a certificate that still lacks documents and products.
func Incomplete(today brasil.Date, applicant certificate.ID) certificate.Certificate {
	return certificate.Certificate{
		Number: "DEMO-BRIN-200/26.001", Class: "brinquedos", Type: certificate.TypeCompulsory, Model: "5",
		IssuedOn: today.AddDays(-5), ValidUntil: today.AddDays(-5).AddYears(4), Situation: certificate.Active,
		Companies: []certificate.CompanyLink{{Company: applicant, Role: certificate.Applicant, EnteredOn: today.AddDays(-5), Situation: certificate.Active}},
	}
}

// Completion fills what [Incomplete] lacks: a maker, a Portaria and a product.
func Completion(c *certificate.Certificate, maker, product certificate.ID) {
	applicant := c.Companies[0].Company
	c.Companies = append(c.Companies, certificate.CompanyLink{Company: maker, Role: certificate.Manufacturer, EnteredOn: c.IssuedOn, Situation: certificate.Active})
	c.Documents = []certificate.DocumentLink{{Document: "portaria-302-2021", EnteredOn: c.IssuedOn, Situation: certificate.Active}}
	c.Products = []certificate.ProductLink{{Product: product, Company: applicant, Modality: certificate.ByType, EnteredOn: c.IssuedOn, Situation: certificate.Active}}
}

// Helmet is a certificate whose issue date was mistyped: on that day the body is
// no longer accredited for the class.
func Helmet(issued brasil.Date, applicant, maker, product certificate.ID) certificate.Certificate {
	active := certificate.Active
	return certificate.Certificate{
		Number: "DEMO-CAP-3400", Class: "capacetes-motociclistas", Type: certificate.TypeCompulsory, Model: "5",
		IssuedOn: issued, ValidUntil: issued.AddYears(4), Situation: active,
		Documents: []certificate.DocumentLink{{Document: "portaria-231-2021", EnteredOn: issued, Situation: active}},
		Companies: []certificate.CompanyLink{
			{Company: applicant, Role: certificate.Applicant, EnteredOn: issued, Situation: active},
			{Company: maker, Role: certificate.Manufacturer, EnteredOn: issued, Situation: active}},
		Products: []certificate.ProductLink{{Product: product, Company: applicant, Modality: certificate.ByType, EnteredOn: issued, Situation: active}},
	}
}
