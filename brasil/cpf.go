package brasil

// CPF is the number of a natural person: 11 digits without mask, the last two
// of them check digits. The zero value is no number.
type CPF string

const (
	cpfBase = 9
	cpfSize = 11
)

// ParseCPF reads a CPF with or without its mask. The check digits catch nearly
// every single wrong digit, not all: 03124660307 and 13124660307 are both right.
//
// Faults: cpf.characters, cpf.length, cpf.repeated (one digit eleven times
// passes the arithmetic, and is never given out), cpf.check_digits.
func ParseCPF(s string) (CPF, error) {
	var b [cpfSize]byte
	if err := digits(b[:], s, "cpf"); err != nil {
		return "", err
	}
	if repeated(b[:]) {
		return "", invalid("cpf.repeated", s)
	}
	if d1, d2 := cpfCheck(b[:cpfBase]); b[9] != d1 || b[10] != d2 {
		return "", invalid("cpf.check_digits", s)
	}
	return CPF(text(b[:], s)), nil
}

// MakeCPF adds the check digits to the first nine digits; it serves invented
// data. Faults: cpf.characters, cpf.base_length, cpf.repeated.
func MakeCPF(base9 string) (CPF, error) {
	var b [cpfSize]byte
	n, ok := unmask(b[:cpfBase], base9)
	switch {
	case !ok || !allDigits(b[:min(n, cpfBase)]):
		return "", invalid("cpf.characters", base9)
	case n != cpfBase:
		return "", invalid("cpf.base_length", base9)
	}
	b[9], b[10] = cpfCheck(b[:cpfBase])
	if repeated(b[:]) {
		return "", invalid("cpf.repeated", base9)
	}
	return CPF(b[:]), nil
}

// Masked returns "529.982.247-25"; a value of another length comes back as it is.
func (c CPF) Masked() string {
	if len(c) != cpfSize {
		return string(c)
	}
	s := string(c)
	return s[:3] + "." + s[3:6] + "." + s[6:9] + "-" + s[9:]
}

// Hidden returns "***.982.247-**", the form federal public sites show: the CPF
// is personal data (Lei 13.709/2018). A value of another length is hidden whole.
func (c CPF) Hidden() string {
	switch len(c) {
	case 0:
		return ""
	case cpfSize:
		return "***." + string(c[3:6]) + "." + string(c[6:9]) + "-**"
	}
	return "***.***.***-**"
}

// cpfCheck computes both check digits of nine digits: weights 10 to 2, then 11
// to 2 with the first check digit included.
func cpfCheck(base []byte) (d1, d2 byte) {
	sum1, sum2 := 0, 0
	for i, c := range base {
		value := int(c - '0')
		sum1 += value * (10 - i)
		sum2 += value * (11 - i)
	}
	d1 = mod11(sum1)
	return d1, mod11(sum2 + 2*int(d1-'0'))
}
