package remessa

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"selo/certificate"
	"selo/fault"
)

// Keys are one side's private keys. They never leave the machine that made them.
type Keys struct {
	Sign  ed25519.PrivateKey
	Agree *ecdh.PrivateKey // X25519
}

// PublicKeys are what the other side enrols.
type PublicKeys struct {
	Sign  ed25519.PublicKey
	Agree *ecdh.PublicKey
}

// NewKeys makes a fresh pair of keys.
func NewKeys() (Keys, error) {
	_, sign, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Keys{}, fmt.Errorf("make signing key: %w", err)
	}
	agree, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return Keys{}, fmt.Errorf("make agreement key: %w", err)
	}
	return Keys{Sign: sign, Agree: agree}, nil
}

// Public returns the halves that may be shown.
func (k Keys) Public() PublicKeys {
	return PublicKeys{Sign: k.Sign.Public().(ed25519.PublicKey), Agree: k.Agree.PublicKey()}
}

// Equal tells whether both keys are the same.
func (p PublicKeys) Equal(o PublicKeys) bool {
	return p.Sign.Equal(o.Sign) && p.Agree != nil && o.Agree != nil && p.Agree.Equal(o.Agree)
}

// Fingerprint is short enough to be read out on the telephone: 80 bits of
// SHA-256 over both keys, in groups of four hexadecimal digits.
func (p PublicKeys) Fingerprint() string {
	sum := sha256.Sum256(append(slices.Clone(p.Sign), p.Agree.Bytes()...))
	digits := strings.ToUpper(hex.EncodeToString(sum[:10]))
	groups := make([]string, 0, 5)
	for i := 0; i < len(digits); i += 4 {
		groups = append(groups, digits[i:i+4])
	}
	return strings.Join(groups, " ")
}

type keysJSON struct {
	Sign  []byte `json:"chave_assinatura"`
	Agree []byte `json:"chave_acordo"`
}

// MarshalJSON writes both public keys in base 64.
func (p PublicKeys) MarshalJSON() ([]byte, error) {
	return json.Marshal(keysJSON{Sign: p.Sign, Agree: p.Agree.Bytes()})
}

// UnmarshalJSON reads both public keys. Fault: Invalid "keys.malformed".
func (p *PublicKeys) UnmarshalJSON(data []byte) error {
	var j keysJSON
	if err := json.Unmarshal(data, &j); err != nil || len(j.Sign) != ed25519.PublicKeySize {
		return fault.New(fault.Invalid, "keys.malformed").Because(err)
	}
	agree, err := ecdh.X25519().NewPublicKey(j.Agree)
	if err != nil {
		return fault.New(fault.Invalid, "keys.malformed").Because(err)
	}
	p.Sign, p.Agree = j.Sign, agree
	return nil
}

// MarshalJSON writes both private keys: for the owner's key file only.
func (k Keys) MarshalJSON() ([]byte, error) {
	return json.Marshal(keysJSON{Sign: k.Sign.Seed(), Agree: k.Agree.Bytes()})
}

// UnmarshalJSON reads a key file. Fault: Invalid "keys.malformed".
func (k *Keys) UnmarshalJSON(data []byte) error {
	var j keysJSON
	if err := json.Unmarshal(data, &j); err != nil || len(j.Sign) != ed25519.SeedSize {
		return fault.New(fault.Invalid, "keys.malformed").Because(err)
	}
	agree, err := ecdh.X25519().NewPrivateKey(j.Agree)
	if err != nil {
		return fault.New(fault.Invalid, "keys.malformed").Because(err)
	}
	k.Sign, k.Agree = ed25519.NewKeyFromSeed(j.Sign), agree
	return nil
}

// Enrolment is a body's request to be enrolled: who it is and its public keys,
// signed with the very key it enrols.
type Enrolment struct {
	Body  certificate.Sigla `json:"organismo"`
	Name  string            `json:"nome"`
	Email string            `json:"email"`
	Keys  PublicKeys        `json:"chaves"`
}

// Sign makes the file that the body hands to Inmetro.
func (e Enrolment) Sign(keys Keys) (string, error) {
	e.Keys = keys.Public()
	return signJSON(typeEnrolment, e, keys.Sign)
}

// OpenEnrolment reads and checks such a file.
func OpenEnrolment(signed string) (Enrolment, error) {
	return openSelfSigned(typeEnrolment, signed, func(e Enrolment) ed25519.PublicKey { return e.Keys.Sign })
}

// Registry is what a body must know of the registry: the answer to its enrolment.
type Registry struct {
	Name string            `json:"nome"`
	URL  string            `json:"endereco,omitempty"`
	Body certificate.Sigla `json:"organismo"` // whom the answer is for
	Keys PublicKeys        `json:"chaves"`
}

// Sign makes the file that Inmetro hands to the body.
func (r Registry) Sign(keys Keys) (string, error) {
	r.Keys = keys.Public()
	return signJSON(typeRegistry, r, keys.Sign)
}

// OpenRegistry reads and checks such a file.
func OpenRegistry(signed string) (Registry, error) {
	return openSelfSigned(typeRegistry, signed, func(r Registry) ed25519.PublicKey { return r.Keys.Sign })
}

// SignRelease signs an auxiliary-table release with the registry's key.
func SignRelease(t *certificate.Tables, keys Keys) (string, error) {
	return signJSON(typeRelease, t, keys.Sign)
}

// OpenRelease checks a release against the registry's enrolled key and the body
// it is for. Faults: Invalid "signature.…", "tables.malformed", "tables.other_body".
func OpenRelease(signed string, registry ed25519.PublicKey, body certificate.Sigla) (*certificate.Tables, error) {
	payload, err := verify(typeRelease, signed, registry)
	if err != nil {
		return nil, err
	}
	var t certificate.Tables
	if err := json.Unmarshal(payload, &t); err != nil || t.Number < 1 {
		return nil, fault.New(fault.Invalid, "tables.malformed").Because(err)
	}
	if t.Body != body {
		return nil, fault.New(fault.Invalid, "tables.other_body", "organismo", string(t.Body), "esperado", string(body))
	}
	return &t, nil
}

// SignSnapshot signs the sealing text of a published snapshot.
func SignSnapshot(text []byte, keys Keys) (string, error) { return sign(typeSnapshot, text, keys.Sign) }

// CheckSnapshot tells whether registry sealed text. Faults: Invalid "signature.…".
func CheckSnapshot(text []byte, signature string, registry ed25519.PublicKey) error {
	return checkText(typeSnapshot, text, signature, registry)
}

// SignDigests signs the text that states the digests of a publication's open data.
func SignDigests(text []byte, keys Keys) (string, error) { return sign(typeDigests, text, keys.Sign) }

// CheckDigests tells whether registry stated text. Faults: Invalid "signature.…".
func CheckDigests(text []byte, signature string, registry ed25519.PublicKey) error {
	return checkText(typeDigests, text, signature, registry)
}

func checkText(typ string, text []byte, signature string, registry ed25519.PublicKey) error {
	payload, err := verify(typ, signature, registry)
	if err == nil && !bytes.Equal(payload, text) {
		err = fault.New(fault.Invalid, "signature.wrong")
	}
	return err
}

// tokenLife is how long a request may take from signing to arrival, clock differences included.
const tokenLife = 5 * time.Minute

type token struct {
	Body   certificate.Sigla `json:"organismo"`
	Method string            `json:"metodo"`
	Path   string            `json:"caminho"`
	At     int64             `json:"em"` // Unix seconds
}

// SignToken proves to the registry that a request comes from the body. It is
// good for one method and path, for five minutes.
func SignToken(body certificate.Sigla, method, path string, now time.Time, keys Keys) (string, error) {
	return signJSON(typeToken, token{Body: body, Method: method, Path: path, At: now.Unix()}, keys.Sign)
}

// CheckToken checks such a proof; keyOf finds the enrolled key of the body that
// the token claims. Faults: Forbidden "token.…".
func CheckToken(signed, method, path string, now time.Time, keyOf func(certificate.Sigla) (ed25519.PublicKey, error)) (certificate.Sigla, error) {
	jws, err := parse(typeToken, signed)
	if err != nil {
		return "", fault.New(fault.Forbidden, "token.malformed").Because(err)
	}
	var claim token
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &claim); err != nil {
		return "", fault.New(fault.Forbidden, "token.malformed").Because(err)
	}
	key, err := keyOf(claim.Body)
	if err != nil {
		return "", fault.New(fault.Forbidden, "token.body", "organismo", fmt.Sprintf("%.8s", claim.Body)).Because(err)
	}
	if _, err := verify(typeToken, signed, key); err != nil {
		return "", fault.New(fault.Forbidden, "token.signature").Because(err)
	}
	age := now.Sub(time.Unix(claim.At, 0))
	if claim.Method != method || claim.Path != path {
		return "", fault.New(fault.Forbidden, "token.other_request")
	}
	if age > tokenLife || age < -tokenLife {
		return "", fault.New(fault.Forbidden, "token.expired")
	}
	return claim.Body, nil
}

func signJSON(typ string, v any, key ed25519.PrivateKey) (string, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", typ, err)
	}
	return sign(typ, payload, key)
}

// openSelfSigned reads a statement that is signed with a key it contains.
func openSelfSigned[T any](typ, signed string, keyOf func(T) ed25519.PublicKey) (T, error) {
	var v T
	jws, err := parse(typ, signed)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &v); err != nil {
		return v, fault.New(fault.Invalid, "keys.malformed").Because(err)
	}
	if key := keyOf(v); len(key) != ed25519.PublicKeySize {
		return v, fault.New(fault.Invalid, "keys.malformed")
	} else if _, err := verify(typ, signed, key); err != nil {
		return v, err
	}
	return v, nil
}
