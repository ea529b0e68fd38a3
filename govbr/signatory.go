package govbr

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"

	"selo/brasil"
	"selo/fault"
)

// Signatory is the person who must have signed: the one who is signed in.
type Signatory struct {
	CPF  brasil.CPF
	Name string
}

// PersonMatch says how a certificate was found to be a person's.
type PersonMatch string

const (
	// MatchCPF: the certificate holds the person's CPF.
	MatchCPF PersonMatch = "cpf"
	// MatchName: it holds no CPF where one was looked for, and the person's name.
	MatchName PersonMatch = "nome"
	// NoMatch: it holds no CPF where one was looked for, and another name. That
	// proves nothing: a social name, a name cut short.
	NoMatch PersonMatch = "nao_verificado"
)

// match compares a certificate with the person. Where gov.br's certificates hold
// the CPF is contradictory in public code (AE): it is looked for in the
// otherName fields of ICP-Brasil (2.16.76.1.3.1, and .4 of an e-CNPJ) and at the
// end of the common name, "NAME:CPF". One that is found and is another's is a
// fault; none is no proof either way.
//
// Fault: Forbidden govbr.sign.person.
func (p Signatory) match(cert *x509.Certificate) (PersonMatch, error) {
	found := append(cpfsOfNames(cert), cpfOfCommonName(cert)...)
	for _, cpf := range found {
		if cpf != p.CPF {
			return "", fault.New(fault.Forbidden, "govbr.sign.person")
		}
	}
	name, _, _ := strings.Cut(cert.Subject.CommonName, ":")
	switch {
	case len(found) > 0:
		return MatchCPF, nil
	case p.Name != "" && brasil.Fold(name) == brasil.Fold(p.Name):
		return MatchName, nil
	}
	return NoMatch, nil
}

func cpfOfCommonName(cert *x509.Certificate) []brasil.CPF {
	_, number, ok := strings.Cut(cert.Subject.CommonName, ":")
	if cpf, isCPF := readCPF(number); ok && isCPF {
		return []brasil.CPF{cpf}
	}
	return nil
}

var (
	oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidPersonFields   = asn1.ObjectIdentifier{2, 16, 76, 1, 3, 1}
	oidActingFields   = asn1.ObjectIdentifier{2, 16, 76, 1, 3, 4}
)

// cpfsOfNames looks at positions 8 to 19 of the fields (DOC-ICP-04, 7.1.2.3). icpbrasil reads such
// certificates whole and refuses those that miss a mandatory field; gov.br's may.
func cpfsOfNames(cert *x509.Certificate) []brasil.CPF {
	var found []brasil.CPF
	for _, ext := range cert.Extensions {
		var names []asn1.RawValue
		if !ext.Id.Equal(oidSubjectAltName) {
			continue
		}
		if rest, err := asn1.Unmarshal(ext.Value, &names); err != nil || len(rest) > 0 {
			continue
		}
		for _, n := range names {
			var other struct {
				ID    asn1.ObjectIdentifier
				Value asn1.RawValue // the [0] around the value itself
			}
			if n.Class != asn1.ClassContextSpecific || n.Tag != 0 {
				continue
			}
			if _, err := asn1.UnmarshalWithParams(n.FullBytes, &other, "tag:0"); err != nil ||
				!other.ID.Equal(oidPersonFields) && !other.ID.Equal(oidActingFields) {
				continue
			}
			text := innerText(other.Value)
			if len(text) < 19 || strings.Trim(text[8:19], "0") == "" { // zeros: not known
				continue
			}
			if cpf, ok := readCPF(text[8:19]); ok {
				found = append(found, cpf)
			}
		}
	}
	return found
}

// innerText unwraps a value, and a string that stands inside an OCTET STRING.
func innerText(wrapped asn1.RawValue) string {
	var v, inner asn1.RawValue
	if _, err := asn1.Unmarshal(wrapped.Bytes, &v); err != nil {
		return ""
	}
	if v.Tag == asn1.TagOctetString {
		if rest, err := asn1.Unmarshal(v.Bytes, &inner); err == nil && len(rest) == 0 && inner.Class == asn1.ClassUniversal && !inner.IsCompound {
			return string(inner.Bytes)
		}
	}
	return string(v.Bytes)
}
