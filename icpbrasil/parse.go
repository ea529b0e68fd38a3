package icpbrasil

import (
	"crypto/x509"
	"strconv"
	"strings"

	"selo/brasil"
	"selo/fault"
)

// Positions of the fields that describe a person: birth ddmmaaaa, CPF, NIS, RG
// and its issuer with UF (DOC-ICP-04 v8.1, 7.1.2.3). The last one takes what it
// needs of ten positions, none when there is no RG; until 2014 it took six, filled
// with spaces.
const (
	birthEnd  = 8
	cpfEnd    = 19
	nisEnd    = 30
	rgEnd     = 45
	personEnd = 55

	cnpjSize = 14
)

// Parse reads whom an e-CPF or e-CNPJ names. It checks form only: whoever calls
// it before [Verify] holds a claim, not a fact. A company is told from a person by
// its CNPJ field, 2.16.76.1.3.3.
//
// Faults: icpbrasil.certificate.absent for nil, icpbrasil.certificate.other when
// none of the fields is there, and icpbrasil.certificate.invalid with every broken
// rule; the field of each problem is the OID it stands in.
func Parse(cert *x509.Certificate) (*Identity, error) {
	if cert == nil {
		return nil, absent()
	}
	f := readFields(cert)
	switch {
	case f.flawed(""):
		return nil, f.fault()
	case len(f.text) == 0:
		return nil, fault.New(fault.Invalid, "icpbrasil.certificate.other")
	}
	shown, _, _ := strings.Cut(cert.Subject.CommonName, ":")
	id := &Identity{Kind: Natural, Policy: policyOf(cert)}
	if len(cert.EmailAddresses) > 0 {
		id.Email = display(cert.EmailAddresses[0])
	}
	switch {
	case !f.has(oidCNPJ) && f.has(oidPerson):
		id.Person = f.person(oidPerson)
		id.Person.Name = display(shown)
	case f.has(oidPerson):
		f.wrong(oidPerson, "icpbrasil.field.mixed")
	default:
		id.Kind = Legal
		id.Person = f.person(oidResponsible)
		id.Person.Name = display(f.required(oidName))
		id.Company = &Company{CNPJ: f.cnpj(), Name: display(shown)}
		if f.has(oidEquipment) {
			id.Kind, id.Company.Name = Equipment, display(f.text[oidEquipment])
		}
	}
	if err := f.fault(); err != nil {
		return nil, err
	}
	return id, nil
}

func (f *fields) fault() error {
	return fault.WithProblems("icpbrasil.certificate.invalid", f.problems)
}

func absent() error { return fault.New(fault.Invalid, "icpbrasil.certificate.absent") }

// required returns a field that must be there; a field that could not be read has
// its problem already.
func (f *fields) required(oid string) string {
	if !f.has(oid) {
		f.wrong(oid, "icpbrasil.field.missing")
	}
	return f.text[oid]
}

// fixed returns a required field of fixed positions, from least to most
// characters of printable ASCII. It returns "" when it noted what is wrong.
func (f *fields) fixed(oid string, least, most int) string {
	s := f.required(oid)
	if f.flawed(oid) {
		return ""
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			f.wrong(oid, "icpbrasil.field.characters")
			return ""
		}
	}
	if len(s) < least || len(s) > most {
		f.wrong(oid, "icpbrasil.field.length",
			"tamanho", strconv.Itoa(len(s)), "minimo", strconv.Itoa(least), "maximo", strconv.Itoa(most))
		return ""
	}
	return s
}

// flawed tells whether something is wrong with the field already; "" is the whole
// subject alternative name.
func (f *fields) flawed(oid string) bool {
	for _, p := range f.problems {
		if p.Field == oid {
			return true
		}
	}
	return false
}

func (f *fields) person(oid string) Person {
	s := f.fixed(oid, rgEnd, personEnd)
	if s == "" {
		return Person{}
	}
	var p Person
	if v := s[:birthEnd]; !unset(v) {
		var err error
		if p.Birth, err = brasil.ParseISODate(v[4:] + "-" + v[2:4] + "-" + v[:2]); err != nil {
			f.wrong(oid, "icpbrasil.birth")
		}
	}
	if v := s[birthEnd:cpfEnd]; !unset(v) {
		var err error
		if p.CPF, err = brasil.ParseCPF(v); err != nil {
			f.wrong(oid, "icpbrasil.cpf")
		}
	}
	if v := s[cpfEnd:nisEnd]; !unset(v) {
		if p.NIS = v; strings.Trim(v, "0123456789") != "" {
			f.wrong(oid, "icpbrasil.nis")
		}
	}
	p.RG = parseRG(s[nisEnd:rgEnd], s[rgEnd:])
	return p
}

func (f *fields) cnpj() brasil.CNPJ {
	s := f.fixed(oidCNPJ, cnpjSize, cnpjSize)
	if s == "" || unset(s) {
		return ""
	}
	cnpj, err := brasil.ParseCNPJ(s)
	if err != nil {
		f.wrong(oidCNPJ, "icpbrasil.cnpj")
	}
	return cnpj
}

// parseRG reads the number and the issuer with UF, "SSPSP": the UF is the last two
// letters. Without a number there is no document.
func parseRG(number, issuer string) RG {
	if unset(number) {
		return RG{}
	}
	rg := RG{Number: strings.TrimLeft(strings.TrimSpace(number), "0"), Issuer: strings.Trim(issuer, " 0")}
	if cut := len(rg.Issuer) - 2; cut >= 0 {
		if uf, err := brasil.ParseUF(rg.Issuer[cut:]); err == nil {
			rg.Issuer, rg.UF = strings.TrimRight(rg.Issuer[:cut], " /-"), uf
		}
	}
	return rg
}

// unset tells whether a field says that its value is missing or does not apply:
// zeros, in the norm; spaces in certificates of old.
func unset(s string) bool { return strings.Trim(s, " 0") == "" }
