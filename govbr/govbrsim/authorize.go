package govbrsim

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"selo/brasil"
)

// authorization is one request to sign in on its way through the screens. It
// belongs to the browser that made it. The world's lock guards it.
type authorization struct {
	id      string
	browser string // cookie of the browser that asked
	started time.Time

	// What the client asked; all empty when a page of the simulator asks.
	client                            string
	redirect, state, nonce, challenge string
	scopes                            []string
	next                              string // path of the simulator's page that asks

	step     step
	cpf      brasil.CPF // as typed, or of the session
	session  *session   // who it is, once that is known
	code     string     // of the second factor or the phone
	codeEnds time.Time
	phone    string // to be verified

	draft   *registration  // of an account in the making
	try     certificateTry // of an entry with certificate
	cloud   cloudTry       // of an entry with a certificate in the cloud
	before  step           // the screen that the cloud was chosen at
	purpose purpose        // of a certificate that Minha área asks for
}

// step is the screen that an authorization waits at.
type step string

const (
	stepCPF       step = "cpf"
	stepPassword  step = "senha"
	stepCode      step = "codigo"
	stepPhone     step = "telefone"
	stepPhoneCode step = "telefone/codigo"
	stepConsent   step = "autorizacao"
)

const (
	authorizationLife = 30 * time.Minute
	maxParameter      = 4 << 10 // bytes of nonce, state and scope
)

// challengePattern is an S256 challenge: 32 bytes in base64url.
var challengePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// refusedRequest is an authorisation error that goes back to the client.
type refusedRequest struct{ code, description string }

// getAuthorize is GET /authorize (LU, Passo 3). An unknown client or an
// address that is not registered is an error page; every other mistake goes
// back to the client.
func (s *Server) getAuthorize(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	client := w.clients[q.Get("client_id")]
	if client == nil || len(q["client_id"]) != 1 {
		return x.errorPage(errorView{Code: "invalid_client", Text: "O sistema que pediu a entrada não é conhecido.",
			Hint: fmt.Sprintf("client_id recebido: %q. Ele precisa estar cadastrado neste simulador, sem espaço nem quebra de linha.", cutLong(q.Get("client_id")))}), nil
	}
	redirect := q.Get("redirect_uri")
	if !slices.Contains(client.Redirects, redirect) || len(q["redirect_uri"]) != 1 {
		return x.errorPage(errorView{Code: "invalid_grant", Text: "O endereço de retorno não está cadastrado para este sistema.",
			Hint: fmt.Sprintf("redirect_uri recebido: %q. Cadastrados, e comparados letra por letra: %s", cutLong(redirect), strings.Join(client.Redirects, " · "))}), nil
	}
	state := q.Get("state")
	if refused := checkRequest(q); refused != nil {
		return backToClient(redirect, state, refused), nil
	}
	asked := strings.Fields(q.Get("scope"))
	switches := w.switchesFor(client, nil)
	if refused := checkScopes(client, asked, switches.RefusedScopes); refused != nil {
		return backToClient(redirect, state, refused), nil
	}
	a := &authorization{browser: s.browser(x), started: w.now(), client: client.ID, redirect: redirect, state: state,
		nonce: q.Get("nonce"), challenge: q.Get("code_challenge"), scopes: asked, step: stepCPF}
	s.keep(w, a)
	if is(switches.Cancels, false) {
		return s.deny(w, a), nil
	}
	return s.resume(x, a), nil
}

// checkRequest checks what does not depend on the client.
func checkRequest(q url.Values) *refusedRequest {
	invalid := func(text string) *refusedRequest { return &refusedRequest{"invalid_request", text} }
	if name := repeated(q); name != "" {
		return invalid("Parameter must not be repeated: " + cut(name))
	}
	if kind := q.Get("response_type"); kind != "code" {
		if kind == "" {
			return invalid("Missing parameter: response_type")
		}
		return &refusedRequest{"unsupported_response_type", "Unsupported response types: [" + cut(kind) + "]"}
	}
	for _, name := range []string{"nonce", "state", "code_challenge", "code_challenge_method"} {
		switch value := q.Get(name); {
		case value == "":
			return invalid("Missing parameter: " + name)
		case len(value) > maxParameter:
			return invalid("Parameter too long: " + name)
		}
	}
	if q.Get("code_challenge_method") != "S256" {
		return invalid("Unsupported code_challenge_method: only S256")
	}
	if !challengePattern.MatchString(q.Get("code_challenge")) {
		return invalid("Invalid code_challenge")
	}
	return nil
}

// checkScopes refuses what the credential may not have, as observed: the list
// in brackets (issue 44 of the Login Único manual).
func checkScopes(client *Client, asked, off []string) *refusedRequest {
	if len(asked) == 0 || len(asked) > len(scopes) {
		return &refusedRequest{"invalid_scope", "Empty scope (either the client or the user is not allowed the requested scopes)"}
	}
	refused := client.refused(asked)
	for _, name := range asked {
		if slices.Contains(off, name) && !slices.Contains(refused, name) {
			refused = append(refused, name)
		}
	}
	if len(refused) == 0 && !slices.Contains(asked, scopeOpenID) {
		return &refusedRequest{"invalid_scope", "Missing scope: openid"}
	}
	if len(refused) > 0 {
		return &refusedRequest{"invalid_scope", "Invalid scope: [" + cutLong(strings.Join(refused, ", ")) + "]"}
	}
	return nil
}

// backToClient sends an error to the client's registered address.
func backToClient(redirect, state string, refused *refusedRequest) Answer {
	return toClient(redirect, "error", refused.code, "error_description", refused.description, "state", state)
}

// toClient is the redirect to the client with parameters, pairs of name and
// value, in that order; empty ones are left out. Spaces are %20, as observed.
func toClient(redirect string, pairs ...string) Answer {
	var out strings.Builder
	out.WriteString(redirect)
	separator := "?"
	if strings.Contains(redirect, "?") {
		separator = "&"
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		out.WriteString(separator + pairs[i] + "=" + encodeValue(pairs[i+1]))
		separator = "&"
	}
	return Redirect{To: out.String(), Status: http.StatusFound}
}

func encodeValue(s string) string {
	return strings.NewReplacer("+", "%20", "%3A", ":").Replace(url.QueryEscape(s))
}

// browser is the cookie that binds authorizations to one browser.
func (s *Server) browser(x *Exchange) string {
	if value := x.cookieValue("navegador"); len(value) == 32 {
		return value
	}
	value := fmt.Sprintf("%x", s.bytes(16))
	x.setCookie("navegador", value)
	return value
}

// keep gives an authorization its id, which looks like the real one: the time
// in milliseconds, in hexadecimal. Nothing relies on its being a secret. The
// caller locks.
func (s *Server) keep(w *World, a *authorization) {
	for at := w.now().UnixMilli(); ; at++ {
		a.id = strconv.FormatInt(at, 16)
		if _, taken := w.pending.get(a.id); !taken {
			break
		}
	}
	w.pending.put(a.id, a)
}

// resume goes on with the browser's session, or asks who it is. The caller locks.
func (s *Server) resume(x *Exchange, a *authorization) Answer {
	if found := x.session(); found != nil {
		a.session, a.cpf = found, found.cpf
		return s.proceed(x, a)
	}
	return loginPage(a)
}

func loginPage(a *authorization) Answer {
	to := "/login?"
	if a.client != "" {
		to += "client_id=" + url.QueryEscape(a.client) + "&"
	}
	return Redirect{To: to + "authorization_id=" + a.id, Status: http.StatusFound}
}

// deny ends an authorization that the person refused.
func (s *Server) deny(w *World, a *authorization) Answer {
	w.pending.take(a.id)
	if a.client == "" {
		return Redirect{To: "/sim/"}
	}
	return toClient(a.redirect, "error", "access_denied", "error_description", "User denied access", "state", a.state)
}
