package govbrsim

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"selo/brasil"
)

const (
	accessLife = 3600 * time.Second
	// expiresIn is what /token says of it: one second less, as in the manual.
	expiresIn   = 3599
	idTokenLife = 60 * time.Second
	stampLayout = "2006-01-02T15:04:05.000-0700"
)

// stamp writes a moment in Brasília as tokens and APIs do: no colon in the offset.
func stamp(t time.Time) string { return t.In(brasil.Location()).Format(stampLayout) }

// accessClaims are those of the access_token, in the manual's order (Login Único manual).
type accessClaims struct {
	Aud      string   `json:"aud"`
	Sub      string   `json:"sub"`
	Scope    []string `json:"scope"`
	AMR      []string `json:"amr"`
	Iss      string   `json:"iss"`
	Exp      int64    `json:"exp"`
	Iat      int64    `json:"iat"`
	Username string   `json:"preferred_username"`
	JTI      string   `json:"jti"`
	CNPJ     string   `json:"cnpj,omitempty"` // masked
	Agent    bool     `json:"agent,omitempty"`
	Grantor  string   `json:"grantor_account,omitempty"`

	// Nonce is never written: an id_token has it, and is no access_token.
	Nonce string `json:"nonce,omitempty"`
}

// idClaims are those of the id_token, in the manual's order (Login Único manual). Its verified
// flags are text; what is not known is left out.
type idClaims struct {
	Sub             string           `json:"sub"`
	SocialName      string           `json:"social_name,omitempty"`
	EmailVerified   string           `json:"email_verified,omitempty"`
	AMR             []string         `json:"amr"`
	Profile         string           `json:"profile,omitempty"`
	KeyID           string           `json:"kid"`
	Iss             string           `json:"iss"`
	PhoneVerified   string           `json:"phone_number_verified,omitempty"`
	Username        string           `json:"preferred_username"`
	Nonce           string           `json:"nonce"`
	Picture         string           `json:"picture,omitempty"`
	Reliability     *reliabilityInfo `json:"reliability_info,omitempty"`
	Aud             string           `json:"aud"`
	AuthTime        int64            `json:"auth_time"`
	Scope           []string         `json:"scope"`
	Name            string           `json:"name,omitempty"`
	Phone           string           `json:"phone_number,omitempty"`
	Exp             int64            `json:"exp"`
	Iat             int64            `json:"iat"`
	JTI             string           `json:"jti"`
	Email           string           `json:"email,omitempty"`
	CNPJ            string           `json:"cnpj,omitempty"` // masked
	CertificateName string           `json:"cnpj_certificate_name,omitempty"`
}

type reliabilityInfo struct {
	Level         string        `json:"level"`
	Reliabilities []reliability `json:"reliabilities"`
}

type reliability struct {
	ID        string `json:"id"`
	UpdatedAt string `json:"updatedAt"`
}

// userClaims are the body of /userinfo (Login Único manual). Its verified flags are booleans.
type userClaims struct {
	Sub           string `json:"sub"`
	Name          string `json:"name,omitempty"`
	SocialName    string `json:"social_name,omitempty"`
	Profile       string `json:"profile,omitempty"`
	Picture       string `json:"picture,omitempty"`
	Email         string `json:"email,omitempty"`
	EmailVerified *bool  `json:"email_verified,omitempty"`
	Phone         string `json:"phone_number,omitempty"`
	PhoneVerified *bool  `json:"phone_number_verified,omitempty"`
}

// issue is all that tokens are made of, read under the world's lock.
type issue struct {
	grant    *grant
	person   *Person
	client   *Client
	switches Switches
	now      time.Time
	issuer   string
	base     string
	grantor  brasil.CPF
}

// subject is the sub: the CPF, or a number that only this client gets.
func subject(cpf brasil.CPF, client string, pairwise bool) string {
	if !pairwise {
		return string(cpf)
	}
	sum := sha256.Sum256([]byte("govbrsim sub\x00" + client + "\x00" + string(cpf)))
	return hex.EncodeToString(sum[:16])
}

func (i *issue) iat() int64 { return i.now.Add(time.Duration(is(i.switches.Skew, 0))).Unix() }

func (i *issue) amr() []string {
	return append(slices.Clone(i.grant.session.amr), i.switches.ExtraAMR...)
}

func (i *issue) access(jti string) accessClaims {
	iat := i.iat()
	c := accessClaims{Aud: i.client.ID, Sub: subject(i.person.CPF, i.client.ID, is(i.switches.Pairwise, false)), Scope: i.grant.scopes, AMR: i.amr(),
		Iss: i.issuer, Exp: iat + int64(accessLife/time.Second), Iat: iat, Username: string(i.person.CPF), JTI: jti, CNPJ: i.grant.session.cnpj.Masked()}
	if i.grantor != "" {
		c.Agent, c.Grantor = true, string(i.grantor)
	}
	return c
}

func (i *issue) id(jti string) idClaims {
	g, p := i.grant, i.person
	iat := i.iat()
	c := idClaims{Sub: subject(p.CPF, i.client.ID, is(i.switches.Pairwise, false)), AMR: i.amr(), KeyID: keyID, Iss: i.issuer, Username: string(p.CPF),
		Nonce: g.nonce, Aud: i.client.ID, AuthTime: g.session.authTime.Add(time.Duration(is(i.switches.Skew, 0))).Unix(), Scope: g.scopes,
		Exp: iat + int64(idTokenLife/time.Second), Iat: iat, JTI: jti, CNPJ: g.session.cnpj.Masked(), CertificateName: g.session.company}
	u := userOf(p, g.scopes, i.base, is(i.switches.Picture, PictureRaw))
	c.Name, c.SocialName, c.Profile, c.Picture, c.Email, c.Phone = u.Name, u.SocialName, u.Profile, u.Picture, u.Email, u.Phone
	c.EmailVerified, c.PhoneVerified = flagText(u.EmailVerified), flagText(u.PhoneVerified)
	if slices.Contains(g.scopes, scopeInIDToken) {
		info := &reliabilityInfo{Level: p.EffectiveLevel().claim(), Reliabilities: []reliability{}}
		for _, s := range p.Selos {
			info.Reliabilities = append(info.Reliabilities, reliability{ID: s.ID, UpdatedAt: stamp(s.UpdatedAt)})
		}
		c.Reliability = info
	}
	i.spoil(&c)
	return c
}

// spoil puts the flaws of claims in.
func (i *issue) spoil(c *idClaims) {
	sw := i.switches
	if sw.has(FlawLong) {
		c.Exp = c.Iat + 600
	}
	if sw.has(FlawExpired) {
		c.Iat, c.Exp = c.Iat-7200, c.Exp-7200
	}
	if sw.has(FlawFuture) {
		c.Iat, c.Exp = c.Iat+7200, c.Exp+7200
	}
	if sw.has(FlawNonce) {
		c.Nonce = "outro-" + c.Nonce
	}
	if sw.has(FlawAudience) {
		c.Aud = "outro." + c.Aud
	}
	if sw.has(FlawIssuer) {
		c.Iss = "https://outro.invalid/"
	}
	if sw.has(FlawHyphen) && len(c.Sub) == 11 {
		c.Sub = c.Sub[:9] + "-" + c.Sub[9:]
	}
}

func flagText(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "true"
	}
	return "false"
}

// userOf is what the scopes let a client know of a person. An address or number
// that is not verified is left out, the picture where there is none.
func userOf(p *Person, granted []string, base string, form PictureForm) userClaims {
	u := userClaims{}
	if slices.Contains(granted, scopeProfile) {
		u.Name, u.SocialName, u.Profile = p.Name, p.SocialName, base+"/sim/servicos/"
		if form != PictureNone && (len(p.Picture) > 0 || p.Drawn) {
			u.Picture = base + "/userinfo/picture"
		}
	}
	if slices.Contains(granted, scopeEmail) {
		u.EmailVerified = &p.EmailVerified
		if p.EmailVerified {
			u.Email = p.Email
		}
	}
	if slices.Contains(granted, scopePhone) {
		u.PhoneVerified = &p.PhoneVerified
		if p.PhoneVerified {
			u.Phone = p.Phone
		}
	}
	return u
}
