package brasil

import "strings"

// CEP is a postal code: 8 digits without mask. The zero value is no code.
type CEP string

const cepSize = 8

// ParseCEP reads a postal code with or without its mask. It does not know
// which codes exist, only that none begins with two zeros: the lowest is
// 01000-000, in São Paulo.
//
// Faults: cep.characters, cep.length, cep.range.
func ParseCEP(s string) (CEP, error) {
	var b [cepSize]byte
	if err := digits(b[:], s, "cep"); err != nil {
		return "", err
	}
	if b[0] == '0' && b[1] == '0' {
		return "", invalid("cep.range", s)
	}
	return CEP(text(b[:], s)), nil
}

// Masked returns "20000-000"; a value of another length comes back as it is.
func (c CEP) Masked() string {
	if len(c) != cepSize {
		return string(c)
	}
	return string(c[:5]) + "-" + string(c[5:])
}

// UF is the two-letter code of a state or of the Distrito Federal, in upper
// case. The zero value is none; an address abroad has none.
type UF string

// states holds the 27 units in the order of their codes.
var states = [...]struct {
	code UF
	name string
}{
	{"AC", "Acre"}, {"AL", "Alagoas"}, {"AM", "Amazonas"}, {"AP", "Amapá"},
	{"BA", "Bahia"}, {"CE", "Ceará"}, {"DF", "Distrito Federal"}, {"ES", "Espírito Santo"},
	{"GO", "Goiás"}, {"MA", "Maranhão"}, {"MG", "Minas Gerais"}, {"MS", "Mato Grosso do Sul"},
	{"MT", "Mato Grosso"}, {"PA", "Pará"}, {"PB", "Paraíba"}, {"PE", "Pernambuco"},
	{"PI", "Piauí"}, {"PR", "Paraná"}, {"RJ", "Rio de Janeiro"}, {"RN", "Rio Grande do Norte"},
	{"RO", "Rondônia"}, {"RR", "Roraima"}, {"RS", "Rio Grande do Sul"}, {"SC", "Santa Catarina"},
	{"SE", "Sergipe"}, {"SP", "São Paulo"}, {"TO", "Tocantins"},
}

// stateByKey finds a unit by its folded code or name.
var stateByKey = func() map[string]UF {
	m := make(map[string]UF, 2*len(states))
	for _, s := range states {
		m[strings.ToLower(string(s.code))] = s.code
		m[Fold(s.name)] = s.code
	}
	return m
}()

// ParseUF reads a code or a full name, whatever its case and accents: "sp",
// "São Paulo". Fault: uf.unknown.
func ParseUF(s string) (UF, error) {
	uf, ok := stateByKey[Fold(s)]
	if !ok {
		return "", invalid("uf.unknown", s)
	}
	return uf, nil
}

// Name returns the unit's name, "São Paulo", or "" for a code that is none.
func (u UF) Name() string {
	for _, s := range states {
		if s.code == u {
			return s.name
		}
	}
	return ""
}

// UFs returns the 27 codes in alphabetical order, for lists to choose from.
func UFs() []UF {
	codes := make([]UF, len(states))
	for i, s := range states {
		codes[i] = s.code
	}
	return codes
}
