package govbr

import (
	"context"
	"crypto/rsa"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"selo/brasil"
)

const maxToken = 16 << 10 // bytes of one token

// errKey says that no key of gov.br made the signature.
var errKey = errors.New("no key of the issuer fits the signature")

// verifier checks the tokens of one client_id (LU, passo 7).
type verifier struct {
	issuer   string // exact, with its slash
	audience string
	leeway   time.Duration
	keys     *keySet
	now      func() time.Time
}

// verify returns the claims of a token that this gov.br signed for this client
// and that is in force. Its errors hold no claim's value; faults among them are
// those of fetching the keys.
func (v *verifier) verify(ctx context.Context, token string) (claims, error) {
	if len(token) > maxToken {
		return nil, errors.New("token is too large")
	}
	if err := checkHeader(token); err != nil {
		return nil, err
	}
	// Only RS256 is read at all: neither "none" nor an HMAC with the public key.
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, errors.New("token is no JWS signed by RS256")
	}
	payload, err := v.open(ctx, jws)
	if err != nil {
		return nil, err
	}
	c, err := parseClaims(payload)
	if err != nil {
		return nil, err
	}
	return c, v.check(c)
}

// checkHeader looks at the header by itself, before any library does.
func checkHeader(token string) error {
	first, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil {
		return errors.New("header is no base64url")
	}
	header, err := parseClaims(raw)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	alg, err := header.text("alg")
	if err != nil || alg != string(jose.RS256) {
		return errors.New("header: alg is not RS256")
	}
	kid, err := header.text("kid")
	if err != nil || kid == "" || len(kid) > 200 {
		return errors.New("header: kid is absent or odd")
	}
	if !absent(header["crit"]) {
		return errors.New("header: crit")
	}
	return nil
}

func (v *verifier) open(ctx context.Context, jws *jose.JSONWebSignature) ([]byte, error) {
	kid := jws.Signatures[0].Header.KeyID
	var refused *rsa.PublicKey
	for range 2 {
		key, err := v.keys.key(ctx, kid, refused)
		if err != nil {
			return nil, err
		}
		if key == nil || refused != nil && key.Equal(refused) {
			break
		}
		if payload, err := jws.Verify(key); err == nil {
			return payload, nil
		}
		refused = key // perhaps the name has a new key
	}
	return nil, errKey
}

// check looks at iss, aud and the times. aud is a plain string (LU, passo 7); a list is
// not what this gov.br makes.
func (v *verifier) check(c claims) error {
	iss, err := c.text("iss")
	if err != nil || iss != v.issuer {
		return errors.New("iss is not the issuer")
	}
	aud, err := c.text("aud")
	if err != nil || aud != v.audience {
		return errors.New("aud is not this client")
	}
	exp, err := c.moment("exp")
	if err != nil || exp.IsZero() {
		return errors.New("exp is absent or odd")
	}
	iat, err := c.moment("iat")
	if err != nil || iat.IsZero() {
		return errors.New("iat is absent or odd")
	}
	nbf, err := c.moment("nbf")
	if err != nil {
		return err
	}
	now := v.now()
	switch {
	case !now.Before(exp.Add(v.leeway)):
		return errors.New("it has expired")
	case iat.After(now.Add(v.leeway)):
		return errors.New("iat is in the future")
	case nbf.After(now.Add(v.leeway)):
		return errors.New("nbf is in the future")
	}
	return nil
}

func checkNonce(c claims, nonce string) error {
	got, err := c.text("nonce")
	if err != nil || nonce == "" || subtle.ConstantTimeCompare([]byte(got), []byte(nonce)) != 1 {
		return errors.New("nonce is not that of this sign-in")
	}
	return nil
}

// errPairwise says that sub is a pseudonym.
var errPairwise = errors.New("sub is no CPF")

// subject returns the CPF of a token's person. The manual shows it as
// 123456789-00 in one place. preferred_username is the CPF by its definition; a
// sub that is none means that the credential was set up with pairwise
// pseudonyms, which no other service of gov.br understands (LU, access_token).
func (c claims) subject() (brasil.CPF, error) {
	sub, err := c.text("sub")
	if err != nil {
		return "", err
	}
	fromSub, isCPF := readCPF(sub)
	if !isCPF {
		return "", errPairwise
	}
	name, err := c.text("preferred_username")
	if err != nil {
		return "", err
	}
	if name == "" {
		return fromSub, nil
	}
	cpf, isCPF := readCPF(name)
	switch {
	case !isCPF:
		return "", errors.New("preferred_username is no CPF")
	case cpf != fromSub:
		return "", errors.New("sub and preferred_username are two people")
	}
	return cpf, nil
}

// readCPF takes digits, dots, hyphens and spaces: "52998224725", "529982247-25".
func readCPF(s string) (brasil.CPF, bool) {
	if len(s) > 20 || strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789.- ", r) }) {
		return "", false
	}
	digits := strings.NewReplacer(".", "", "-", "", " ", "").Replace(s)
	if len(digits) != 11 {
		return "", false
	}
	cpf, err := brasil.ParseCPF(digits)
	return cpf, err == nil
}

// company returns the CNPJ of a sign-in with an e-CNPJ, "" without one. The
// claim comes with its mask (LU, access_token).
func (c claims) company() (brasil.CNPJ, error) {
	text, err := c.text("cnpj")
	if err != nil || text == "" {
		return "", err
	}
	cnpj, err := brasil.ParseCNPJ(text)
	if err != nil {
		return "", errors.New("claim cnpj is no CNPJ")
	}
	return cnpj, nil
}

// AccessToken opens the resource APIs for an hour. gov.br gives no refresh
// token: when it has expired, the person signs in again. It stays on the server.
type AccessToken struct {
	Token     Secret
	CPF       brasil.CPF  // who signed in
	CNPJ      brasil.CNPJ // by whose e-CNPJ; "" without
	AMR       Methods
	Scopes    []Scope // that the person granted
	ExpiresAt time.Time
	// Agent and Grantor are set when the person acts under a Procuração
	// Eletrônica: for the CPF in Grantor, not for themselves (LU, Procuração Eletrônica).
	Agent   bool
	Grantor brasil.CPF
}

// Has tells whether the person granted a scope.
func (a AccessToken) Has(s Scope) bool { return slices.Contains(a.Scopes, s) }

// LogValue keeps personal data out of structured logs.
func (a AccessToken) LogValue() slog.Value {
	return slog.GroupValue(slog.Time("expires", a.ExpiresAt), slog.Bool("agent", a.Agent), slog.Any("scopes", a.Scopes))
}

// String is for logs and tests.
func (a AccessToken) String() string { return "access token until " + a.ExpiresAt.Format(time.RFC3339) }

// readAccess takes only what an access token's own claims say.
func readAccess(token string, c claims) (AccessToken, error) {
	a := AccessToken{Token: NewSecret(token), Agent: c.flag("agent")}
	var err error
	if a.CPF, err = c.subject(); err != nil {
		return AccessToken{}, err
	}
	if a.CNPJ, err = c.company(); err != nil {
		return AccessToken{}, err
	}
	if a.ExpiresAt, err = c.moment("exp"); err != nil {
		return AccessToken{}, err
	}
	if a.AMR, err = readMethods(c); err != nil {
		return AccessToken{}, err
	}
	words, err := c.list("scope")
	if err != nil {
		return AccessToken{}, err
	}
	for _, w := range words {
		a.Scopes = append(a.Scopes, Scope(w))
	}
	grantor, err := c.text("grantor_account")
	if err != nil {
		return AccessToken{}, err
	}
	var ok bool
	if a.Grantor, ok = readCPF(grantor); grantor != "" && !ok || a.Agent != (grantor != "") {
		// Who acts for whom must be beyond doubt.
		return AccessToken{}, errors.New("agent and grantor_account do not say who acts for whom")
	}
	return a, nil
}

// readMethods reads amr, which is an open list: unknown values are kept.
func readMethods(c claims) (Methods, error) {
	words, err := c.list("amr")
	if err != nil {
		return nil, err
	}
	var m Methods
	for _, w := range words {
		if len(w) <= 60 {
			m = append(m, printable(w, 60))
		}
	}
	return m, nil
}

// readReliability reads reliability_info; absent it gives UnknownLevel.
func readReliability(c claims) (Level, []Selo, error) {
	if absent(c["reliability_info"]) {
		return UnknownLevel, nil, nil
	}
	var info struct {
		Level         flexible  `json:"level"`
		Reliabilities []rawSelo `json:"reliabilities"`
	}
	if err := json.Unmarshal(c["reliability_info"], &info); err != nil {
		return UnknownLevel, nil, errors.New("claim reliability_info is odd")
	}
	selos, err := readSelos(info.Reliabilities)
	return parseLevel(string(info.Level)), selos, err
}
