package govbrsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
)

// signTokenAnswer is what the CAS's /token answers (Assinatura manual).
type signTokenAnswer struct {
	AccessToken string `json:"access_token"`
	Type        string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
}

const pathToken = "/oauth2.0/token"

// postSignToken is POST /oauth2.0/token (Assinatura manual). The parameters come in the body or,
// as the official PHP sample sends them, in the address.
func (s *Server) postSignToken(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return signInvalidRequest(), nil
	}
	if form, err := x.form(); err == nil {
		for name, values := range form {
			q[name] = append(q[name], values...)
		}
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	if repeated(q) != "" || q.Get("grant_type") != "authorization_code" {
		return signInvalidRequest(), nil
	}
	g, refusal := w.useSignCode(q)
	if refusal != nil {
		return refusal, nil
	}
	left := 1
	if g.batch {
		left = maxHashes
	}
	token := s.signingToken()
	w.signature.tokens.put(token, &signingToken{client: g.client, cpf: g.cpf, provider: g.provider, left: left, expires: w.now().Add(signingLife)})
	return Wire{Body: signTokenAnswer{AccessToken: token, Type: "bearer", ExpiresIn: int(signingLife.Seconds())}}, nil
}

// signInvalidRequest is the plain text with 400.
func signInvalidRequest() Answer {
	return Bytes{Status: http.StatusBadRequest, Type: plainText, Body: []byte("error=invalid_request")}
}

// useSignCode checks the parameters and takes the code away. A wrong client_id,
// secret or redirect_uri is 401, a code that is none or was used 400. The caller locks.
func (w *World) useSignCode(q url.Values) (*casGrant, Answer) {
	client := w.signature.clients[q.Get("client_id")]
	if client == nil || subtle.ConstantTimeCompare([]byte(client.Secret), []byte(q.Get("client_secret"))) != 1 ||
		!slices.Contains(client.Redirects, q.Get("redirect_uri")) {
		return nil, w.refuseSpring(http.StatusUnauthorized, "", pathToken)
	}
	g, ok := w.signature.codes.take(q.Get("code"))
	if !ok || g.client != client.ID || !w.now().Before(g.expires) || w.people[g.cpf] == nil {
		return nil, signInvalidRequest()
	}
	if g.redirect != q.Get("redirect_uri") {
		return nil, w.refuseSpring(http.StatusUnauthorized, "", pathToken)
	}
	return g, nil
}

// The headers of the token, as decoded from the manual's sample: a JWS around a JWE.
const (
	jwsHeader = `{"alg":"HS256"}`
	jweHeader = `{"zip":"DEF","enc":"A128CBC-HS256","alg":"dir"}`
)

// signingToken makes a token as the real ones look. To clients it is opaque, and
// what it holds here is of no meaning to anybody: the world knows it whole.
func (s *Server) signingToken() string {
	inner := b64([]byte(jweHeader)) + ".." + b64(s.bytes(16)) + "." + b64(s.bytes(22*16)) + "." + b64(s.bytes(16))
	signed := b64([]byte(jwsHeader)) + "." + b64([]byte(inner))
	mac := hmac.New(sha256.New, s.seal)
	mac.Write([]byte(signed))
	return signed + "." + b64(mac.Sum(nil))
}
