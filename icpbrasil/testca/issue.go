package testca

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"selo/icpbrasil"
)

// Order says which certificate to issue. Only Person is needed: it makes an e-CPF
// A1 in force for a year. A zero in Person or Company is written as the norm
// writes a missing value: all zeros, and no issuer where there is no RG.
type Order struct {
	Person  icpbrasil.Person
	Company *icpbrasil.Company // makes an e-CNPJ; Person is then the one responsible
	Email   string
	Type    string        // "A1", "A3", …; "" is A1
	Key     crypto.Signer // the holder's; nil has one made
	From    time.Time     // zero: an hour ago
	Until   time.Time     // zero: a year after From

	// What is odd, and yet seen.
	Expired      bool // ended an hour ago
	NoClientAuth bool // e-mail protection only
	NoSignature  bool // key usage without digitalSignature
	Equipment    bool // a company's machine: the company's name in 2.16.76.1.3.8
	StringTag    int  // asn1.Tag… of the values; zero is OCTET STRING
	Nested       bool // each value once more inside an OCTET STRING
	OldLength    bool // issuer and UF of the RG in six positions, as until 2014
	Reversed     bool // the names in the wrong order

	// Edit changes the names before they are written, to make what no switch makes.
	Edit func([]Name) []Name
}

// Name is one otherName of the subject alternative name.
type Name struct {
	OID    string
	Text   string
	Tag    int // asn1.Tag…
	Nested bool
}

// Issued is a certificate and the key that belongs to it.
type Issued struct {
	Chain []*x509.Certificate // the holder's and the intermediate, as a server gets them
	Key   crypto.Signer
}

// PEM returns the chain and the key (PKCS #8), as tls.X509KeyPair takes them.
func (i *Issued) PEM() (chain, key []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(i.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("write key: %w", err)
	}
	return encode(i.Chain...), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// policies are the numbers of the types in the policy arc.
var policies = map[string]int{
	"A1": 1, "A2": 2, "A3": 3, "A4": 4, "S1": 101, "S2": 102, "S3": 103, "S4": 104, "T3": 303, "T4": 304,
	"A CF-e-SAT": 500, "OM-BR": 550,
}

// Issue makes a certificate. An order with an unknown type is an error.
func (a *Authority) Issue(o Order) (*Issued, error) {
	if o.Type == "" {
		o.Type = "A1"
	}
	policy, ok := policies[o.Type]
	if !ok {
		return nil, fmt.Errorf("issue certificate: unknown type %q", o.Type)
	}
	names, err := o.subjectAltName()
	if err != nil {
		return nil, fmt.Errorf("issue certificate: %w", err)
	}
	oid, err := x509.OIDFromInts([]uint64{2, 16, 76, 1, 2, uint64(policy), Issuer})
	if err != nil {
		return nil, fmt.Errorf("issue certificate: %w", err)
	}
	key := o.Key
	if key == nil {
		if key, err = NewKey(); err != nil {
			return nil, err
		}
	}
	template := &x509.Certificate{
		RawSubject:      o.subject(),
		KeyUsage:        x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection},
		Policies:        []x509.OID{oid},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: names}},
	}
	template.NotBefore, template.NotAfter = o.period(a.now())
	if o.NoClientAuth {
		template.ExtKeyUsage = template.ExtKeyUsage[1:]
	}
	if o.NoSignature {
		template.KeyUsage &^= x509.KeyUsageDigitalSignature
	}
	a.pointTo(template, "ac")
	cert, err := sign(template, a.Intermediate, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("issue certificate: %w", err)
	}
	return &Issued{Chain: []*x509.Certificate{cert, a.Intermediate}, Key: key}, nil
}

func (o *Order) period(now time.Time) (from, until time.Time) {
	from, until = o.From, o.Until
	if from.IsZero() {
		from = now.Add(-time.Hour)
	}
	if until.IsZero() {
		until = from.AddDate(1, 0, 0)
	}
	if o.Expired {
		from, until = now.AddDate(-1, 0, 0), now.Add(-time.Hour)
	}
	return from, until
}

// subject is the name as the profile of the Receita Federal writes it, with Mark.
func (o *Order) subject() []byte {
	name, number, profile := o.Person.Name, string(o.Person.CPF), "e-CPF"
	if o.Company != nil {
		name, number, profile = o.Company.Name, string(o.Company.CNPJ), "e-CNPJ"
	}
	if number != "" {
		number = ":" + number
	}
	const longest = 64 // RFC 5280, ub-common-name
	name = cut(Mark+" "+name, longest-len(number))
	return subject(name+number, "AC "+Mark, "11222333000181", "videoconferencia", "RFB "+profile+" "+o.Type)
}

// cut shortens s to at most limit bytes, never inside a character.
func cut(s string, limit int) string {
	if limit = max(limit, 0); len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return strings.TrimSpace(s[:limit])
}

// subjectAltName writes the extension: the names of the order, edited, and the e-mail.
func (o *Order) subjectAltName() ([]byte, error) {
	names := o.names()
	if o.Edit != nil {
		names = o.Edit(names)
	}
	var list []asn1.RawValue
	for _, n := range names {
		value, err := n.otherName()
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	if o.Email != "" {
		list = append(list, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, Bytes: []byte(o.Email)})
	}
	return asn1.Marshal(list)
}

// names are those the norm asks for, in its order.
func (o *Order) names() []Name {
	text := [][2]string{{"2.16.76.1.3.1", o.person()}, {"2.16.76.1.3.6", zeros("", 12)}, {"2.16.76.1.3.5", zeros("", 19)}}
	if o.Company != nil {
		text = [][2]string{
			{"2.16.76.1.3.4", o.person()},
			{"2.16.76.1.3.2", o.Person.Name},
			{"2.16.76.1.3.3", zeros(string(o.Company.CNPJ), 14)},
			{"2.16.76.1.3.7", zeros("", 12)},
		}
	}
	if o.Company != nil && o.Equipment {
		text[3] = [2]string{"2.16.76.1.3.8", o.Company.Name}
	}
	tag := o.StringTag
	if tag == 0 {
		tag = asn1.TagOctetString
	}
	var names []Name
	for _, t := range text {
		names = append(names, Name{OID: t[0], Text: t[1], Tag: tag, Nested: o.Nested})
	}
	if o.Reversed {
		slices.Reverse(names)
	}
	return names
}

// person is the value of 2.16.76.1.3.1 and 2.16.76.1.3.4: 45 to 55 characters.
func (o *Order) person() string {
	p, birth := o.Person, ""
	if !p.Birth.IsZero() {
		birth = strings.ReplaceAll(p.Birth.Brazilian(), "/", "")
	}
	issuer := ""
	if p.RG.Number != "" {
		issuer = p.RG.Issuer + string(p.RG.UF)
	}
	if o.OldLength {
		issuer = fmt.Sprintf("%-6.6s", issuer)
	}
	return zeros(birth, 8) + zeros(string(p.CPF), 11) + zeros(p.NIS, 11) + zeros(p.RG.Number, 15) + issuer
}

// zeros fills s with zeros from the left to size characters.
func zeros(s string, size int) string {
	return strings.Repeat("0", max(0, size-len(s))) + s
}

// otherName writes [0] { type-id, [0] EXPLICIT value } (RFC 5280, 4.2.1.6).
func (n Name) otherName() (asn1.RawValue, error) {
	oid, err := x509.ParseOID(n.OID)
	if err != nil {
		return asn1.RawValue{}, fmt.Errorf("name %q: %w", n.OID, err)
	}
	id, err := oid.MarshalBinary()
	if err != nil {
		return asn1.RawValue{}, fmt.Errorf("name %q: %w", n.OID, err)
	}
	value := wrap(asn1.ClassUniversal, n.Tag, []byte(n.Text))
	if n.Nested {
		value = wrap(asn1.ClassUniversal, asn1.TagOctetString, value)
	}
	content := append(wrap(asn1.ClassUniversal, asn1.TagOID, id), wrap(asn1.ClassContextSpecific, 0, value)...)
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: content}, nil
}

// wrap puts a tag and a length before content.
func wrap(class, tag int, content []byte) []byte {
	der, err := asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: class == asn1.ClassContextSpecific, Bytes: content})
	if err != nil {
		panic("testca: " + err.Error()) // bytes under a tag are always written
	}
	return der
}
