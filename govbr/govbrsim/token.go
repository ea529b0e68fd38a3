package govbrsim

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"selo/brasil"
)

// tokenAnswer is what /token answers (Login Único manual): scope is text here, a list in the
// tokens, and there is never a refresh_token.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	Type        string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
	IDToken     string `json:"id_token"`
}

// tokenError is what /token refuses with. Scope comes with invalid_scope only.
type tokenError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Scope       string `json:"scope,omitempty"`
}

func refuseToken(status int, code, description string) Answer {
	a := Wire{Status: status, Body: tokenError{Error: code, Description: description}}
	if status == http.StatusUnauthorized {
		a.Headers = map[string]string{"Www-Authenticate": `Basic realm="gov.br simulado"`}
	}
	return a
}

// verifierPattern is a code_verifier (RFC 7636, 4.1).
var verifierPattern = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// postToken is POST /token (LU, Passo 6).
func (s *Server) postToken(x *Exchange) (Answer, error) {
	form, err := x.form()
	if err != nil {
		return refuseToken(http.StatusBadRequest, "invalid_request", "Content-Type must be application/x-www-form-urlencoded"), nil
	}
	i, refusal := s.redeem(x, form)
	if refusal != nil {
		return refusal, nil
	}
	// Signing takes most of the time, and needs no lock.
	access, err := s.sign(i.access(s.jti()))
	if err != nil {
		return nil, err
	}
	id, err := s.signWrong(i.id(s.jti()), i.switches)
	if err != nil {
		return nil, err
	}
	return Wire{Body: tokenAnswer{AccessToken: access, Type: "Bearer", ExpiresIn: expiresIn, Scope: strings.Join(i.grant.scopes, " "), IDToken: id},
		Headers: map[string]string{"Pragma": "no-cache"}}, nil
}

// redeem checks everything and uses the code up.
func (s *Server) redeem(x *Exchange, form url.Values) (*issue, Answer) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	client, refusal := w.authenticate(x.Request, form)
	if refusal != nil {
		return nil, refusal
	}
	if name := repeated(form); name != "" {
		return nil, refuseToken(http.StatusBadRequest, "invalid_request", "Parameter must not be repeated: "+cut(name))
	}
	switch kind := form.Get("grant_type"); kind {
	case "authorization_code":
	case "":
		return nil, refuseToken(http.StatusBadRequest, "invalid_request", "Missing grant type")
	case "client_credentials":
		// A way to try a secret without a browser (observed).
		return nil, Wire{Status: http.StatusBadRequest, Body: tokenError{Error: "invalid_scope",
			Description: "Empty scope (either the client or the user is not allowed the requested scopes)", Scope: strings.Join(client.Scopes, " ")}}
	default:
		return nil, refuseToken(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type: "+cut(kind))
	}
	return w.useCode(client, form)
}

// authenticate finds the client by Basic or by the form. The caller locks.
func (w *World) authenticate(r *http.Request, form url.Values) (*Client, Answer) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	client := w.clients[id]
	if client == nil && basic { // RFC 6749 2.3.1: some clients encode id and secret
		if plain, err := url.QueryUnescape(id); err == nil {
			client = w.clients[plain]
		}
	}
	empty := is(w.switchesFor(client, nil).EmptyUnauthorized, false)
	switch {
	case empty && (client == nil || !sameSecret(client.Secret, secret, basic)):
		return nil, Wire{Status: http.StatusUnauthorized}
	case id == "" || secret == "":
		return nil, refuseToken(http.StatusUnauthorized, "unauthorized", "Full authentication is required to access this resource")
	case client == nil || !sameSecret(client.Secret, secret, basic):
		return nil, refuseToken(http.StatusUnauthorized, "unauthorized", "Bad credentials")
	}
	return client, nil
}

func sameSecret(want, got string, encoded bool) bool {
	if subtle.ConstantTimeCompare([]byte(want), []byte(got)) == 1 {
		return true
	}
	plain, err := url.QueryUnescape(got)
	return encoded && err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(plain)) == 1
}

// useCode takes the code away, whatever comes of it, and checks that it is this
// client's, of this address and of this verifier. The caller locks.
func (w *World) useCode(client *Client, form url.Values) (*issue, Answer) {
	code := form.Get("code")
	if code == "" {
		return nil, refuseToken(http.StatusBadRequest, "invalid_request", "An authorization code must be supplied.")
	}
	g, ok := w.codes.take(code)
	if !ok || !w.now().Before(g.expires) {
		return nil, refuseToken(http.StatusBadRequest, "invalid_grant", "Invalid authorization code: "+cutCode(code))
	}
	if g.client != client.ID {
		return nil, refuseToken(http.StatusBadRequest, "invalid_grant", "Client ID mismatch")
	}
	if form.Get("redirect_uri") != g.redirect {
		return nil, refuseToken(http.StatusBadRequest, "invalid_grant", "Redirect URI mismatch.")
	}
	verifier := form.Get("code_verifier")
	sum := sha256.Sum256([]byte(verifier))
	if !verifierPattern.MatchString(verifier) || b64(sum[:]) != g.challenge {
		return nil, refuseToken(http.StatusBadRequest, "invalid_grant", "Invalid code verifier")
	}
	p := w.people[g.session.cpf]
	if p == nil {
		return nil, refuseToken(http.StatusBadRequest, "invalid_grant", "Invalid authorization code: "+cutCode(code))
	}
	return &issue{grant: g, person: p, client: client, switches: w.switchesFor(client, p), now: w.now(), issuer: w.issuer(), base: w.base,
		grantor: w.grantorOf(p, client.ID)}, nil
}

// cutCode bounds what an error repeats of a code.
func cutCode(code string) string {
	const limit = 2000
	if len(code) > limit {
		code = code[:limit]
	}
	return strings.ToValidUTF8(code, "�")
}

// grantorOf is whom the person acts for at a client: the chosen grantor, while
// there is a procuração that covers it. The caller locks.
func (w *World) grantorOf(p *Person, client string) (grantor brasil.CPF) {
	if p.ActsFor == "" {
		return ""
	}
	for _, power := range w.powers {
		if power.Agent == p.CPF && power.Grantor == p.ActsFor && power.status(w.now()) == "ACTIVE" &&
			slices.ContainsFunc(power.Services, func(s PowerService) bool { return s.ClientID == client }) {
			return p.ActsFor
		}
	}
	return ""
}

// bearer reads the access_token of a request. The last result is false when
// there is none, or when it is none of this world's that still holds. The caller locks.
func (s *Server) bearer(x *Exchange) (claims accessClaims, person *Person, ok bool) {
	token, found := strings.CutPrefix(x.Request.Header.Get("Authorization"), "Bearer ")
	if !found || s.open(strings.TrimSpace(token), &claims) != nil {
		return accessClaims{}, nil, false
	}
	w := x.World
	person = w.people[brasil.CPF(claims.Username)]
	client := w.clients[claims.Aud]
	skew := time.Duration(is(w.switchesFor(client, person).Skew, 0))
	now := w.now().Add(skew)
	if claims.Nonce != "" || claims.Iss != w.issuer() || person == nil || client == nil || now.Unix() >= claims.Exp ||
		time.Unix(claims.Iat, 0).Before(w.resetAt.Add(skew)) {
		return accessClaims{}, nil, false
	}
	return claims, person, true
}
