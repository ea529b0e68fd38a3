package brasil

// NCM is a code of the Mercosur nomenclature of goods: 8 digits without mask,
// "40111000" for new tyres of passenger cars. The zero value is none.
type NCM string

const ncmSize = 8

// ParseNCM reads a code with or without its mask. It knows the shape only, not
// which codes are in force: the nomenclature changes every year.
//
// Faults: ncm.characters, ncm.length, ncm.chapter (there is no chapter 00).
func ParseNCM(s string) (NCM, error) {
	var b [ncmSize]byte
	if err := digits(b[:], s, "ncm"); err != nil {
		return "", err
	}
	if b[0] == '0' && b[1] == '0' {
		return "", invalid("ncm.chapter", s)
	}
	return NCM(text(b[:], s)), nil
}

// Masked returns "4011.10.00"; a value of another length comes back as it is.
func (n NCM) Masked() string {
	if len(n) != ncmSize {
		return string(n)
	}
	return string(n[:4]) + "." + string(n[4:6]) + "." + string(n[6:])
}
