package brasil

// CNPJ is the number of a legal entity: 14 characters without mask, twelve
// digits or upper-case letters and two check digits. Numbers given out before
// July 2026 have digits only; both kinds are valid for ever (IN RFB
// 2.229/2024). Never keep it as an integer. The zero value is no number.
type CNPJ string

const (
	cnpjBase = 12
	cnpjSize = 14
)

// ParseCNPJ reads a CNPJ with or without its mask, in upper or lower case.
//
// The check digits catch most single wrong characters, not all: those whose
// values differ by eleven, such as 6, A, L and W, may always stand for each other.
//
// Faults: cnpj.characters, cnpj.length, cnpj.repeated (one digit fourteen
// times passes the arithmetic, and is never given out), cnpj.check_digits.
func ParseCNPJ(s string) (CNPJ, error) {
	var b [cnpjSize]byte
	n, ok := unmask(b[:], s)
	switch {
	case !ok:
		return "", invalid("cnpj.characters", s)
	case n != cnpjSize:
		return "", invalid("cnpj.length", s)
	case !allDigits(b[cnpjBase:]):
		return "", invalid("cnpj.characters", s)
	case repeated(b[:]):
		return "", invalid("cnpj.repeated", s)
	}
	if d1, d2 := cnpjCheck(b[:cnpjBase]); b[12] != d1 || b[13] != d2 {
		return "", invalid("cnpj.check_digits", s)
	}
	return CNPJ(text(b[:], s)), nil
}

// MakeCNPJ adds the check digits to the first twelve characters; it serves
// invented data. Faults: cnpj.characters, cnpj.base_length, cnpj.repeated.
func MakeCNPJ(base12 string) (CNPJ, error) {
	var b [cnpjSize]byte
	n, ok := unmask(b[:cnpjBase], base12)
	switch {
	case !ok:
		return "", invalid("cnpj.characters", base12)
	case n != cnpjBase:
		return "", invalid("cnpj.base_length", base12)
	}
	b[12], b[13] = cnpjCheck(b[:cnpjBase])
	if repeated(b[:]) {
		return "", invalid("cnpj.repeated", base12)
	}
	return CNPJ(b[:]), nil
}

// Masked returns "12.ABC.345/01DE-35"; a value of another length comes back as it is.
func (c CNPJ) Masked() string {
	if len(c) != cnpjSize {
		return string(c)
	}
	s := string(c)
	return s[:2] + "." + s[2:5] + "." + s[5:8] + "/" + s[8:12] + "-" + s[12:]
}

// cnpjCheck computes both check digits of twelve upper-case characters. The
// value of a character is its ASCII code less 48, so digits keep their value and
// A is 17. The weights run 2 to 9, over and over, from right to left (Nota
// Técnica Conjunta COCAD/SUARA/RFB 49/2024).
func cnpjCheck(base []byte) (d1, d2 byte) {
	sum1, sum2 := 0, 0
	for i, c := range base {
		value := int(c - '0')
		sum1 += value * (2 + (cnpjBase-1-i)%8)
		sum2 += value * (2 + (cnpjBase-i)%8)
	}
	d1 = mod11(sum1)
	return d1, mod11(sum2 + 2*int(d1-'0'))
}

// mod11 turns a weighted sum into its check digit, as CPF and CNPJ both do.
func mod11(sum int) byte {
	if r := sum % 11; r >= 2 {
		return byte('0' + 11 - r)
	}
	return '0'
}
