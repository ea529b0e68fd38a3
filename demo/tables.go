// Package demo makes the data of the demonstration: the registry's lists from
// the real classes and Portarias, and bodies, companies and certificates that
// are invented and look it. package load makes the same at any size.
package demo

import (
	"fmt"

	"selo/certificate"
	"selo/demo/data"
	"selo/registry"
)

// ServiceClass is the class that certificates of services have (FAQ 3.9).
const ServiceClass certificate.ClassCode = "servico"

// Tables returns the registry's lists: every class with a source, its Portarias
// old and new side by side, the three types, the roles and the countries.
func Tables() (certificate.Tables, error) {
	t := certificate.Tables{
		Types: []certificate.CertificateType{
			{Code: certificate.TypeStandard, Name: "Certificado de Conformidade à Norma"},
			{Code: certificate.TypeCompulsory, Name: "Certificado de Conformidade à Portaria Inmetro Compulsório"},
			{Code: certificate.TypeVoluntary, Name: "Certificado de Conformidade à Portaria Inmetro Voluntário"},
		},
		Roles: []certificate.Role{
			{Code: certificate.Applicant, Name: "Solicitante"},
			{Code: certificate.Manufacturer, Name: "Fabricante"},
			{Code: certificate.Importer, Name: "Importador"},
			{Code: certificate.Packer, Name: "Empacotador"},
			{Code: certificate.Supplier, Name: "Fornecedor"},
		},
		Classes: []certificate.Class{{Code: ServiceClass, Name: "Serviço", Service: true, Required: []certificate.RoleCode{certificate.Applicant}}},
	}
	countries, err := data.Countries()
	if err != nil {
		return t, err
	}
	for _, c := range countries {
		t.Countries = append(t.Countries, certificate.Country{Code: certificate.CountryCode(c.Code), Name: c.Name})
	}
	classes, err := data.Classes()
	if err != nil {
		return t, err
	}
	for _, c := range classes {
		addClass(&t, c)
	}
	return t, nil
}

func addClass(t *certificate.Tables, c data.Class) {
	if c.Service {
		t.ServiceClasses = append(t.ServiceClasses, certificate.ServiceClass{Code: certificate.ServiceClassCode(c.Code), Name: c.Name})
	} else {
		t.Classes = append(t.Classes, certificate.Class{Code: certificate.ClassCode(c.Code), Name: c.Name, Required: requiredRoles(c)})
	}
	for _, d := range c.Documents {
		var offers []certificate.Offer
		for _, kind := range typesOf(c.Kind) {
			o := certificate.Offer{Type: kind}
			if c.Service {
				o.ServiceClass = certificate.ServiceClassCode(c.Code)
			} else {
				o.Class = certificate.ClassCode(c.Code)
			}
			offers = append(offers, o)
		}
		addDocument(t, certificate.Document{Code: certificate.DocumentCode(d.Code), Title: d.Title, Kind: d.Kind, Offers: offers})
	}
}

// addDocument joins the offers of a Portaria that several classes share.
func addDocument(t *certificate.Tables, d certificate.Document) {
	for i := range t.Documents {
		if t.Documents[i].Code == d.Code {
			t.Documents[i].Offers = append(t.Documents[i].Offers, d.Offers...)
			return
		}
	}
	t.Documents = append(t.Documents, d)
}

// requiredRoles: Solicitante and Fabricante by the RGCP; a food-basket process
// has an Empacotador instead (FAQ 3.8).
func requiredRoles(c data.Class) []certificate.RoleCode {
	if c.Code == "cestas-alimentos" {
		return []certificate.RoleCode{certificate.Packer}
	}
	return []certificate.RoleCode{certificate.Applicant, certificate.Manufacturer}
}

// typesOf are the types of certificate under which a class is offered. Anvisa
// decides what is compulsory for its objects, so both are offered there.
func typesOf(kind data.Kind) []certificate.TypeCode {
	switch kind {
	case data.Voluntary:
		return []certificate.TypeCode{certificate.TypeVoluntary}
	case data.Standard:
		return []certificate.TypeCode{certificate.TypeStandard}
	case data.Anvisa:
		return []certificate.TypeCode{certificate.TypeCompulsory, certificate.TypeVoluntary}
	}
	return []certificate.TypeCode{certificate.TypeCompulsory}
}

// Scopes returns the accreditations of an invented body, open at both ends.
func Scopes(b data.Body) ([]registry.Scope, error) {
	classes, err := data.Classes()
	if err != nil {
		return nil, err
	}
	service := map[string]bool{}
	for _, c := range classes {
		service[c.Code] = c.Service
	}
	var scopes []registry.Scope
	for _, code := range b.Classes {
		isService, known := service[code]
		if !known {
			return nil, fmt.Errorf("body %s: no class %s", b.Sigla, code)
		}
		s := registry.Scope{Body: certificate.Sigla(b.Sigla)}
		if isService {
			s.ServiceClass = certificate.ServiceClassCode(code)
		} else {
			s.Class = certificate.ClassCode(code)
		}
		scopes = append(scopes, s)
	}
	return scopes, nil
}
