package govbr

import (
	"errors"
	"log/slog"
	"net/mail"
	"slices"
	"strings"
	"time"

	"selo/brasil"
)

// Identity is who signed in, as the id_token says. It is personal data: its
// String and its log value leave it out.
type Identity struct {
	CPF        brasil.CPF
	Name       string // as at the Receita Federal
	SocialName string // by which the person wants to be called; "" without

	// Email and Phone are there when gov.br has verified them and the person
	// agreed; the flags repeat what gov.br says.
	Email         string
	EmailVerified bool
	Phone         string // digits, with the area code
	PhoneVerified bool

	Level Level
	Selos []Selo
	AMR   Methods

	// CNPJ and CompanyName are there when the person signed in with an e-CNPJ.
	CNPJ        brasil.CNPJ
	CompanyName string

	// Picture tells that there is a photo to be fetched with [Client.Picture].
	Picture bool
	// AuthTime is when the person signed in at gov.br, perhaps for another
	// service and long before this sign-in; zero when gov.br does not say.
	AuthTime time.Time
	IssuedAt time.Time // of the id_token
}

// DisplayName is how to call the person: by the social name when there is one
// (Decreto 8.727/2016).
func (id Identity) DisplayName() string {
	if id.SocialName != "" {
		return id.SocialName
	}
	return id.Name
}

// ByCompanyCertificate tells whether the person signed in with an e-CNPJ.
func (id Identity) ByCompanyCertificate() bool { return id.CNPJ != "" && id.AMR.Certificate() }

// String is for logs: "***.982.247-**, ouro".
func (id Identity) String() string { return id.CPF.Hidden() + ", " + id.Level.String() }

// LogValue keeps personal data out of structured logs.
func (id Identity) LogValue() slog.Value {
	return slog.GroupValue(slog.String("level", id.Level.String()), slog.Bool("company", id.CNPJ != ""),
		slog.Any("amr", []string(id.AMR)))
}

// Methods says how a person signed in (amr). The list is open: unknown values
// stand in it as they came.
type Methods []string

// TwoFactor tells whether there was a second factor (LU:presenca2faautenticacao).
func (m Methods) TwoFactor() bool { return slices.Contains(m, "mfa") }

// Certificate tells whether it was by a digital certificate.
func (m Methods) Certificate() bool { return slices.Contains(m, "x509") }

// CloudProvider returns the provider of a certificate in the cloud: "neoid",
// "safeid", "birdid", "serasa", "vidaas", "remoteid" or a newer one; "" for a
// certificate in a device and for every other way.
func (m Methods) CloudProvider() string {
	for _, v := range m {
		if name, ok := strings.CutPrefix(v, "x509_"); ok && name != "token" {
			return name
		}
	}
	return ""
}

// Bank returns the number of the bank whose account opened the door, "001", or "".
func (m Methods) Bank() string {
	for _, v := range m {
		if n, ok := strings.CutPrefix(v, "bank"); ok && len(n) == 3 && digitsOf(n) == n {
			return n
		}
	}
	return ""
}

// App tells whether it was by the QR code of the gov.br app.
func (m Methods) App() bool { return slices.Contains(m, "app") }

// errOddClaims says that a claim is longer than any name or address.
var errOddClaims = errors.New("a claim is too long")

// readIdentity takes what an id_token says of the person. Absent claims stay
// zero: e-mail and telephone are absent while they are not verified (LU, id_token).
func readIdentity(c claims) (Identity, error) {
	var id Identity
	var err error
	if id.CPF, err = c.subject(); err != nil {
		return Identity{}, err
	}
	if id.CNPJ, err = c.company(); err != nil {
		return Identity{}, err
	}
	var picture string
	for _, t := range []struct {
		claim string
		into  *string
		most  int
	}{{"name", &id.Name, 300}, {"social_name", &id.SocialName, 300}, {"cnpj_certificate_name", &id.CompanyName, 300},
		{"email", &id.Email, 254}, {"phone_number", &id.Phone, 30}, {"picture", &picture, 2000}} {
		text, err := c.text(t.claim)
		if err != nil {
			return Identity{}, err
		}
		if len(text) > t.most*4 {
			return Identity{}, errOddClaims
		}
		*t.into = brasil.Squeeze(printable(text, t.most*4))
	}
	id.Picture = picture != ""
	id.EmailVerified = c.flag("email_verified") && goodAddress(id.Email)
	if !goodAddress(id.Email) {
		id.Email = ""
	}
	id.PhoneVerified = c.flag("phone_number_verified") && id.Phone != ""
	if id.CNPJ == "" {
		id.CompanyName = ""
	}
	if id.Level, id.Selos, err = readReliability(c); err != nil {
		return Identity{}, err
	}
	if id.AMR, err = readMethods(c); err != nil {
		return Identity{}, err
	}
	if id.AuthTime, err = c.moment("auth_time"); err != nil {
		return Identity{}, err
	}
	id.IssuedAt, err = c.moment("iat")
	return id, err
}

// goodAddress keeps out what is no plain e-mail address: it will stand in mail headers.
func goodAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}
