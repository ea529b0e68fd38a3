// Package icpbrasil reads e-CPF and e-CNPJ, the certificates of ICP-Brasil, and
// tells whether they may be trusted.
//
// [Parse] says who a certificate names and trusts nothing; [Verify] says whether
// it leads to a root of the caller's trust store and may be used to sign in;
// [Path.CheckRevocation] looks it up in the lists the caller has. A person or a
// company is signed in only when all of them agree.
//
// Who the holder is comes from the subject alternative name alone (DOC-ICP-04
// v8.1, 7.1.2.3 and 7.1.2.4). The common name is free text: it is shown, never
// compared. The package asks no network and reads no clock. Its faults hold no
// personal data.
//
// Certificates of the gov.br chain (policy arc 2.16.76.3) are not of ICP-Brasil.
package icpbrasil

import (
	"crypto/x509"
	"encoding/asn1"
	"log/slog"
	"slices"

	"selo/brasil"
	"selo/fault"
)

// Kind says what a certificate was issued to.
type Kind string

const (
	Natural   Kind = "pf"          // e-CPF: a natural person
	Legal     Kind = "pj"          // e-CNPJ: a company, through the person responsible
	Equipment Kind = "equipamento" // a company's machine or program: nobody acts through it
)

// RG is an identity document. The zero value is none.
type RG struct {
	Number string    `json:"numero,omitempty"` // without the zeros it is padded with
	Issuer string    `json:"orgao,omitempty"`  // "SSP"
	UF     brasil.UF `json:"uf,omitempty"`
}

// Person is the holder of an e-CPF, or the person responsible for the company
// of an e-CNPJ. What the certificate gives as zeros is absent here.
type Person struct {
	CPF   brasil.CPF  `json:"cpf,omitempty"`
	Name  string      `json:"nome,omitempty"` // of an e-CPF from the common name: for display only
	Birth brasil.Date `json:"nascimento,omitzero"`
	NIS   string      `json:"nis,omitempty"` // PIS, PASEP or CI, 11 digits
	RG    RG          `json:"rg,omitzero"`
}

// Company is who an e-CNPJ was issued to.
type Company struct {
	CNPJ brasil.CNPJ `json:"cnpj,omitempty"`
	Name string      `json:"nome,omitempty"` // from the common name: for display only
}

// Identity is whom a certificate names. It is personal data: its String and its
// log value hide the CPF and leave out everything else about the person.
type Identity struct {
	Kind    Kind     `json:"tipo"`
	Person  Person   `json:"pessoa"`
	Company *Company `json:"empresa,omitempty"` // nil for an e-CPF
	Email   string   `json:"email,omitempty"`   // rfc822Name; nobody has confirmed it
	Policy  Policy   `json:"politica,omitzero"`
}

// ActingCPF returns the CPF of the person who acts: the holder of an e-CPF, the
// person responsible of an e-CNPJ.
//
// Faults: icpbrasil.equipment, icpbrasil.cpf.absent.
func (id *Identity) ActingCPF() (brasil.CPF, error) {
	switch {
	case id.Kind == Equipment:
		return "", fault.New(fault.Forbidden, "icpbrasil.equipment")
	case id.Person.CPF == "":
		return "", fault.New(fault.Forbidden, "icpbrasil.cpf.absent")
	}
	return id.Person.CPF, nil
}

// ActingCNPJ returns the CNPJ of the company for which the person acts.
//
// Faults: icpbrasil.equipment, icpbrasil.cnpj.absent.
func (id *Identity) ActingCNPJ() (brasil.CNPJ, error) {
	switch {
	case id.Kind == Equipment:
		return "", fault.New(fault.Forbidden, "icpbrasil.equipment")
	case id.Company == nil || id.Company.CNPJ == "":
		return "", fault.New(fault.Forbidden, "icpbrasil.cnpj.absent")
	}
	return id.Company.CNPJ, nil
}

// String is for logs: "pj 12.ABC.345/01DE-35 ***.982.247-**".
func (id Identity) String() string {
	s := string(id.Kind)
	if id.Company != nil {
		s += " " + id.Company.CNPJ.Masked()
	}
	return s + " " + id.Person.CPF.Hidden()
}

// LogValue keeps personal data out of structured logs.
func (id Identity) LogValue() slog.Value { return slog.StringValue(id.String()) }

// Policy is the certificate policy under which a certificate was issued. The
// zero value is none of ICP-Brasil.
type Policy struct {
	OID  string `json:"oid"`            // "2.16.76.1.2.1.23"
	Type string `json:"tipo,omitempty"` // "A1"; "" for a type this package does not know
}

// policyArc holds all certificate policies of ICP-Brasil; the next component is
// the type and the last one whose policy it is.
var policyArc = asn1.ObjectIdentifier{2, 16, 76, 1, 2}

// types are the certificate types by their component below policyArc. The
// types SE and AE of Resolution CG ICP-Brasil 211/2024 have no known number yet.
var types = map[int]string{
	1: "A1", 2: "A2", 3: "A3", 4: "A4",
	101: "S1", 102: "S2", 103: "S3", 104: "S4",
	303: "T3", 304: "T4",
	500: "A CF-e-SAT", 550: "OM-BR",
}

// policyOf returns the first policy of ICP-Brasil that the certificate names.
func policyOf(cert *x509.Certificate) Policy {
	for _, oid := range cert.PolicyIdentifiers {
		if len(oid) > len(policyArc)+1 && slices.Equal(oid[:len(policyArc)], policyArc) {
			return Policy{OID: oid.String(), Type: types[oid[len(policyArc)]]}
		}
	}
	return Policy{}
}
