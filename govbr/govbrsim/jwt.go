package govbrsim

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// Tokens are written here and not by a library because their bytes are part of
// what is simulated: the order of names in headers and claims, and nothing else
// in the header. The tests read them with libraries.

// keyID is the kid of every token.
const keyID = "rsa1"

// tokenHeader is the header of every JWT, exactly.
const tokenHeader = `{"kid":"rsa1","alg":"RS256"}`

// codeHeader is that of the codes, as in the manual's sample.
const codeHeader = `{"kid":"codeCryptography","alg":"dir","enc":"A256GCM"}`

// maxToken bounds the tokens that are read, in bytes.
const maxToken = 8 << 10

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sign makes a JWT of claims.
func (s *Server) sign(claims any) (string, error) {
	return s.signAs(tokenHeader, claims, s.rs256)
}

func (s *Server) signAs(header string, claims any, sign func(signed []byte) ([]byte, error)) (string, error) {
	body, err := encode(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	signed := b64([]byte(header)) + "." + b64(body)
	signature, err := sign([]byte(signed))
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed + "." + b64(signature), nil
}

func (s *Server) rs256(signed []byte) ([]byte, error) {
	sum := sha256.Sum256(signed)
	return rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, sum[:])
}

// signWrong makes an id_token with a flaw of the header or signature, or a
// right one when there is none.
func (s *Server) signWrong(claims any, sw Switches) (string, error) {
	switch {
	case sw.has(FlawNone):
		return s.signAs(`{"kid":"rsa1","alg":"none"}`, claims, func([]byte) ([]byte, error) { return nil, nil })
	case sw.has(FlawHS256):
		return s.signAs(`{"kid":"rsa1","alg":"HS256"}`, claims, func(signed []byte) ([]byte, error) {
			mac := hmac.New(sha256.New, s.publicPEM())
			mac.Write(signed)
			return mac.Sum(nil), nil
		})
	case sw.has(FlawSignature):
		return s.signAs(tokenHeader, claims, func(signed []byte) ([]byte, error) {
			signature, err := s.rs256(signed)
			if err == nil {
				signature[len(signature)/2] ^= 1
			}
			return signature, err
		})
	}
	return s.sign(claims)
}

// publicPEM is the public key as attackers use it for HS256.
func (s *Server) publicPEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	if err != nil {
		panic("govbrsim: " + err.Error()) // an RSA key always marshals
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

var errToken = errors.New("not a token of this simulator")

// open checks a JWT's form and signature and reads its claims.
func (s *Server) open(token string, claims any) error {
	if len(token) > maxToken {
		return errToken
	}
	header, rest, _ := strings.Cut(token, ".")
	body, tail, found := strings.Cut(rest, ".")
	if !found || header != b64([]byte(tokenHeader)) {
		return errToken
	}
	strict := base64.RawURLEncoding.Strict()
	signature, err := strict.DecodeString(tail)
	if err != nil {
		return errToken
	}
	sum := sha256.Sum256([]byte(header + "." + body))
	if rsa.VerifyPKCS1v15(&s.key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return errToken
	}
	content, err := strict.DecodeString(body)
	if err != nil {
		return errToken
	}
	return json.NewDecoder(bytes.NewReader(content)).Decode(claims)
}

// sealedCode makes an authorisation code as the real ones look: a compact JWE
// with a key agreed beforehand, so its second part is empty. What it holds is
// of no meaning to anybody; it only makes the code as long as the real one.
func (s *Server) sealedCode() string {
	header := b64([]byte(codeHeader))
	block, err := aes.NewCipher(s.seal)
	if err != nil {
		panic("govbrsim: " + err.Error()) // 32 bytes are a key
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic("govbrsim: " + err.Error()) // AES has the right block
	}
	iv, content := s.bytes(12), s.bytes(120)
	sealed := gcm.Seal(nil, iv, content, []byte(header))
	cut := len(sealed) - gcm.Overhead()
	return header + ".." + b64(iv) + "." + b64(sealed[:cut]) + "." + b64(sealed[cut:])
}

// jti is a random UUID.
func (s *Server) jti() string {
	b := s.bytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// keySet is the body of /jwk; it has no "use", as observed.
type keySet struct {
	Keys []publicKey `json:"keys"`
}

type publicKey struct {
	Type string `json:"kty"`
	E    string `json:"e"`
	ID   string `json:"kid"`
	Alg  string `json:"alg"`
	N    string `json:"n"`
}

// getKeys is GET and POST /jwk (Login Único manual).
func (s *Server) getKeys(*Exchange) (Answer, error) {
	public := s.key.PublicKey
	return Wire{Body: keySet{Keys: []publicKey{{Type: "RSA", E: b64(big.NewInt(int64(public.E)).Bytes()), ID: keyID, Alg: "RS256", N: b64(public.N.Bytes())}}}}, nil
}

// discovery is what was observed of the real one: no end_session_endpoint, no
// code_challenge_methods_supported, no prompt_values_supported. Its other names
// are not verified.
type discovery struct {
	Issuer        string   `json:"issuer"`
	Authorize     string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	UserInfo      string   `json:"userinfo_endpoint"`
	Keys          string   `json:"jwks_uri"`
	Scopes        []string `json:"scopes_supported"`
	ResponseTypes []string `json:"response_types_supported"`
	Grants        []string `json:"grant_types_supported"`
	Subjects      []string `json:"subject_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Auth          []string `json:"token_endpoint_auth_methods_supported"`
	Claims        []string `json:"claims_supported"`
}

func (s *Server) getDiscovery(x *Exchange) (Answer, error) {
	base := x.World.base
	names := make([]string, len(scopes))
	for i, known := range scopes {
		names[i] = known.name
	}
	return Wire{Body: discovery{
		Issuer: x.World.issuer(), Authorize: base + "/authorize", Token: base + "/token", UserInfo: base + "/userinfo", Keys: base + "/jwk",
		Scopes: names, ResponseTypes: []string{"code"}, Grants: []string{"authorization_code"}, Subjects: []string{"public", "pairwise"},
		Algorithms: []string{"RS256"}, Auth: []string{"client_secret_basic", "client_secret_post"},
		Claims: []string{"sub", "name", "social_name", "profile", "picture", "email", "email_verified", "phone_number", "phone_number_verified",
			"preferred_username", "amr", "reliability_info", "cnpj", "cnpj_certificate_name"},
	}}, nil
}
