package govbr

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"selo/fault"
)

// pendingLife is how long a person may take at gov.br: to make an account, to
// wait for a message.
const pendingLife = time.Hour

const (
	maxTokenAnswer = 64 << 10
	maxTokenAge    = 15 * time.Minute // of an id_token that was asked for this moment
	levelPatience  = 5 * time.Second
)

// Client signs people in by Login Único and asks the resource APIs in their
// name. It is safe for concurrent use.
//
// Every method that asks gov.br may return these faults: Unavailable
// govbr.unreachable, govbr.timeout, govbr.tls, govbr.paused, govbr.busy,
// govbr.down and govbr.strange; those that use an access token also Forbidden
// govbr.token_refused (sign in again), govbr.scope_missing and govbr.forbidden.
type Client struct {
	cfg    Config
	opts   Options
	caller *caller
	verify *verifier
}

// New makes a client of Login Único and the resource APIs.
//
// Fault: Invalid "govbr.config".
func New(cfg Config, opts Options) (*Client, error) {
	cfg = cfg.filled()
	if err := cfg.need(map[string]string{"enderecos.sso": cfg.Endpoints.SSO, "enderecos.api": cfg.Endpoints.API,
		"enderecos.confiabilidades": cfg.Endpoints.Catalogue, "login.id": cfg.Login.ID,
		"login.segredo": cfg.Login.Secret.Reveal(), "retorno": cfg.Redirect}); err != nil {
		return nil, err
	}
	opts = opts.filled(cfg)
	c := &Client{cfg: cfg, opts: opts, caller: newCaller(cfg, opts, serviceLogin, serviceAPI)}
	c.verify = &verifier{issuer: cfg.Endpoints.Issuer, audience: cfg.Login.ID, leeway: time.Duration(cfg.Leeway),
		keys: newKeySet(cfg.Endpoints.SSO+"/jwk", c.caller), now: opts.Clock.Now}
	return c, nil
}

// Pending is a sign-in that has begun. Keep it with the browser's session, on
// the server, and take it out of there before [Client.Finish], so that it serves once.
type Pending struct {
	State     string    `json:"state"`
	Nonce     string    `json:"nonce"`
	Verifier  string    `json:"verifier"`
	StartedAt time.Time `json:"em"`
}

// LogValue keeps the secrets out of logs.
func (p Pending) LogValue() slog.Value { return slog.TimeValue(p.StartedAt) }

// String keeps the secrets out of logs.
func (p Pending) String() string { return "sign-in begun " + p.StartedAt.Format(time.RFC3339) }

// StartOptions change one sign-in; the zero value is the usual one.
type StartOptions struct {
	Scopes []Scope // instead of the configuration's
	// Certificate begins where gov.br takes a certificate at once, when the
	// configuration has such an address [O]. The person may choose otherwise:
	// see [Identity.ByCompanyCertificate].
	Certificate bool
}

// Start begins a sign-in: keep the Pending, send the browser to the address.
func (c *Client) Start(o StartOptions) (Pending, string) {
	p := Pending{State: random(), Nonce: random(), Verifier: random(), StartedAt: c.opts.Clock.Now()}
	base := c.cfg.Endpoints.SSO
	if o.Certificate && c.cfg.Endpoints.CertificateSSO != "" {
		base = c.cfg.Endpoints.CertificateSSO
	}
	scopes := o.Scopes
	if len(scopes) == 0 {
		scopes = c.cfg.Scopes
	}
	q := url.Values{
		"response_type":         {"code"},
		"client_id":             {c.cfg.Login.ID},
		"scope":                 {joinScopes(scopes)},
		"redirect_uri":          {c.cfg.Redirect},
		"nonce":                 {p.Nonce},
		"state":                 {p.State},
		"code_challenge":        {Challenge(p.Verifier)},
		"code_challenge_method": {"S256"},
	}
	return p, base + "/authorize?" + q.Encode()
}

// Challenge is the S256 code_challenge of a code_verifier (RFC 7636).
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// random is 256 bits in 43 characters, the least a code_verifier may have.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: the program would end
	return base64.RawURLEncoding.EncodeToString(b)
}

func joinScopes(scopes []Scope) string {
	var words []string
	for _, s := range scopes {
		words = append(words, string(s))
	}
	return strings.Join(words, " ")
}

// Session is what a sign-in brings.
type Session struct {
	Identity Identity
	Access   AccessToken
}

// Finish ends the sign-in that p began, with the query of gov.br's return to
// the redirect address. It sends the code once and checks the tokens at once:
// an id_token lives for a minute. When the token does not say the level, the
// confiabilidades API is asked; when that fails, the level stays unknown.
//
// Answer the return with a redirect to another page, so that the code does not
// stay in the address.
//
// Faults: Conflict govbr.login.stale, govbr.login.code (begin again); Forbidden
// govbr.login.state, govbr.login.denied (the person said no), govbr.login.token;
// Unavailable govbr.login.scope, govbr.login.refused, govbr.login.credentials,
// govbr.login.pairwise (the credential must be corrected); and those of [Client].
func (c *Client) Finish(ctx context.Context, p Pending, query url.Values) (Session, error) {
	now := c.opts.Clock.Now()
	if p.Verifier == "" || p.Nonce == "" || now.Sub(p.StartedAt) > pendingLife {
		return Session{}, fault.New(fault.Conflict, "govbr.login.stale")
	}
	code, err := readReturn(query, p.State, c.cfg.Endpoints.Issuer)
	if err != nil {
		return Session{}, err
	}
	tokens, err := c.exchange(ctx, code, p.Verifier)
	if err != nil {
		return Session{}, err
	}
	s, err := c.open(ctx, tokens, p.Nonce)
	if err != nil {
		return Session{}, c.badToken(ctx, err)
	}
	if s.Identity.Level == UnknownLevel && s.Access.Has(ScopeReliability) {
		s.Identity.Level = c.levelNow(ctx, s.Access)
	}
	return s, nil
}

// levelNow asks the API for the level, but not for long: nobody is kept out, or
// waiting, because an obsolete API is away.
func (c *Client) levelNow(ctx context.Context, access AccessToken) Level {
	ctx, cancel := context.WithTimeout(ctx, levelPatience)
	defer cancel()
	level, err := c.Level(ctx, access)
	if err != nil {
		c.opts.Log.WarnContext(ctx, "gov.br: level unknown", "error", err)
	}
	return level
}

// readReturn checks the query of a return and takes the code out of it. The
// state goes before all else: without it nobody knows whose answer this is.
func readReturn(query url.Values, state, issuer string) (code string, err error) {
	for _, name := range []string{"state", "code", "error", "iss"} {
		if len(query[name]) > 1 {
			return "", fault.New(fault.Forbidden, "govbr.login.state")
		}
	}
	if state == "" || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(state)) != 1 {
		return "", fault.New(fault.Forbidden, "govbr.login.state")
	}
	if query.Has("iss") && issuer != "" && query.Get("iss") != issuer { // RFC 9207
		return "", fault.New(fault.Forbidden, "govbr.login.state")
	}
	if query.Has("error") {
		return "", returnError(query)
	}
	if code = query.Get("code"); code == "" {
		return "", fault.New(fault.Unavailable, "govbr.login.refused", "codigo", "code")
	}
	return code, nil
}

var scopeList = regexp.MustCompile(`\[[A-Za-z0-9_, -]{1,300}\]`)

// returnError names the error parameters of a return (LU, erros comuns).
func returnError(query url.Values) error {
	word := query.Get("error")
	switch word {
	case "access_denied":
		return fault.New(fault.Forbidden, "govbr.login.denied")
	case "invalid_scope":
		which := strings.Trim(scopeList.FindString(query.Get("error_description")), "[]")
		return fault.New(fault.Unavailable, "govbr.login.scope", "escopos", which)
	}
	if !oauthCode.MatchString(word) {
		word = "error"
	}
	return fault.New(fault.Unavailable, "govbr.login.refused", "codigo", word)
}

// tokenAnswer is the token endpoint's (LU, passo 6). There is no refresh token.
type tokenAnswer struct {
	Access string   `json:"access_token"`
	Type   string   `json:"token_type"`
	ID     string   `json:"id_token"`
	Life   flexible `json:"expires_in"`
}

// exchange sends the code, once: a second time would be a replay.
func (c *Client) exchange(ctx context.Context, code, verifier string) (tokenAnswer, error) {
	a, err := c.caller.do(ctx, request{service: serviceLogin, name: "token", method: http.MethodPost,
		url: c.cfg.Endpoints.SSO + "/token", basic: &c.cfg.Login, accept: []string{jsonMedia}, limit: maxTokenAnswer,
		form: url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.cfg.Redirect},
			"code_verifier": {verifier}}})
	if err != nil {
		return tokenAnswer{}, err
	}
	if !a.ok() {
		return tokenAnswer{}, refusedToken(a)
	}
	var t tokenAnswer
	if err := json.Unmarshal(a.body, &t); err != nil {
		return tokenAnswer{}, strange(serviceLogin, "token: %v", plain(err))
	}
	if t.Access == "" || t.ID == "" || !strings.EqualFold(t.Type, "Bearer") {
		return tokenAnswer{}, strange(serviceLogin, "token: something is missing in the answer")
	}
	return t, nil
}

func refusedToken(a *answer) error {
	r := readRefusal(a)
	switch {
	case a.status == http.StatusUnauthorized, r.Error == "invalid_client", r.Error == "unauthorized":
		return fault.New(fault.Unavailable, "govbr.login.credentials").Because(refusalCause(a))
	case r.Error == "invalid_grant":
		return fault.New(fault.Conflict, "govbr.login.code").Because(refusalCause(a))
	}
	return fault.New(fault.Unavailable, "govbr.login.refused", "codigo", cmp.Or(r.Error, strconv.Itoa(a.status))).Because(refusalCause(a))
}

// open checks both tokens and that they speak of one person.
func (c *Client) open(ctx context.Context, t tokenAnswer, nonce string) (Session, error) {
	idClaims, err := c.verify.verify(ctx, t.ID)
	if err != nil {
		return Session{}, err
	}
	if err := checkNonce(idClaims, nonce); err != nil {
		return Session{}, err
	}
	id, err := readIdentity(idClaims)
	if err != nil {
		return Session{}, err
	}
	if c.opts.Clock.Now().Sub(id.IssuedAt) > maxTokenAge {
		return Session{}, errors.New("id_token is not of this moment")
	}
	access, err := c.openAccess(ctx, t.Access)
	if err != nil {
		return Session{}, err
	}
	if access.CPF != id.CPF || access.CNPJ != id.CNPJ {
		return Session{}, errors.New("id_token and access_token speak of two people or companies")
	}
	return Session{Identity: id, Access: access}, nil
}

func (c *Client) openAccess(ctx context.Context, raw string) (AccessToken, error) {
	own, err := c.verify.verify(ctx, raw)
	if err != nil {
		return AccessToken{}, err
	}
	return readAccess(raw, own)
}

// Access checks an access token that was kept and reads it anew.
//
// Faults: Forbidden govbr.token_refused when it is no longer in force or never
// was a token; those of [Client].
func (c *Client) Access(ctx context.Context, kept Secret) (AccessToken, error) {
	a, err := c.openAccess(ctx, kept.Reveal())
	if err != nil && fault.Of(err) == nil && ctx.Err() == nil {
		err = fault.New(fault.Forbidden, "govbr.token_refused", "servico", string(serviceLogin)).Because(err)
	}
	return a, err
}

// badToken names why a token was refused. Whoever administers must hear of it.
func (c *Client) badToken(ctx context.Context, err error) error {
	if fault.Of(err) != nil || ctx.Err() != nil {
		return err
	}
	c.opts.Log.ErrorContext(ctx, "gov.br: token refused", "error", err)
	if errors.Is(err, errPairwise) {
		return fault.New(fault.Unavailable, "govbr.login.pairwise").Because(err)
	}
	return fault.New(fault.Forbidden, "govbr.login.token").Because(err)
}

// LogoutURL is where the browser must be sent to end the session at gov.br, for
// every service in that browser (LU, logout). End the program's own session first.
// Without a registered address gov.br keeps the person on a page of its own.
func (c *Client) LogoutURL() string {
	address := c.cfg.Endpoints.SSO + "/logout"
	if c.cfg.LogoutRedirect != "" {
		address += "?post_logout_redirect_uri=" + url.QueryEscape(c.cfg.LogoutRedirect)
	}
	return address
}
