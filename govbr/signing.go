package govbr

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"selo/brasil"
	"selo/document/cms"
	"selo/fault"
)

const (
	// signingLife is how long a signing token lives at most (AE).
	signingLife = 10 * time.Minute
	// MaxBatch is how many documents one authorisation of a batch signs (AE).
	MaxBatch = 100

	maxSigningAnswer = 64 << 10
)

// Signing is the client of Assinatura Eletrônica Avançada: ITI's CAS and
// signature service. It is safe for concurrent use. Its methods may return the
// faults of asking that [Client] names.
type Signing struct {
	cfg    Config
	opts   Options
	caller *caller
	trust  cms.Trust
}

// NewSigning makes a client of Assinatura. Signatures are believed when they lead
// to one of roots; intermediates, which may be nil, are for signatures that do
// not bring theirs: whether gov.br's do is unverified.
//
// Fault: Invalid "govbr.config".
func NewSigning(cfg Config, roots *x509.CertPool, intermediates []*x509.Certificate, opts Options) (*Signing, error) {
	cfg = cfg.filled()
	trusted := ""
	if roots != nil {
		trusted = "sim"
	}
	if err := cfg.need(map[string]string{"enderecos.cas": cfg.Endpoints.CAS, "enderecos.assinatura": cfg.Endpoints.Signature,
		"enderecos.confiabilidades": cfg.Endpoints.Catalogue, "assinatura.id": cfg.Signing.ID,
		"assinatura.segredo": cfg.Signing.Secret.Reveal(), "retorno_assinatura": cfg.SignRedirect, "raizes": trusted}); err != nil {
		return nil, err
	}
	opts = opts.filled(cfg)
	return &Signing{cfg: cfg, opts: opts, caller: newCaller(cfg, opts, serviceSigning),
		trust: cms.Trust{Roots: roots, Intermediates: intermediates}}, nil
}

// SigningKind says by which certificate a person may sign.
type SigningKind string

const (
	Advanced  SigningKind = "avancada"    // gov.br's certificate; the zero value means it too
	Qualified SigningKind = "qualificada" // of ICP-Brasil, in the cloud
	AnyKind   SigningKind = "qualquer"    // the person chooses
)

// SigningPending is an authorisation that has begun. Keep it like [Pending].
type SigningPending struct {
	State     string    `json:"state"`
	Batch     bool      `json:"lote"`
	StartedAt time.Time `json:"em"`
}

// LogValue keeps the secret out of logs.
func (p SigningPending) LogValue() slog.Value { return slog.TimeValue(p.StartedAt) }

// String keeps the secret out of logs.
func (p SigningPending) String() string {
	return "signing begun " + p.StartedAt.Format(time.RFC3339)
}

// Start begins an authorisation to sign one document, or a batch of up to
// [MaxBatch]: keep the SigningPending, send the browser to the address. level is that
// of this person's sign-in: whoever is bronze must never see ITI's screen (AE).
//
// Faults: Forbidden govbr.sign.level with the address where the level is raised.
func (s *Signing) Start(level Level, kind SigningKind, batch bool) (SigningPending, string, error) {
	if !level.SignsAdvanced() {
		return SigningPending{}, "", fault.New(fault.Forbidden, "govbr.sign.level", "endereco", s.cfg.CatalogueURL())
	}
	scope := "sign"
	if batch {
		scope = "signature_session"
	}
	switch kind {
	case Qualified:
		scope += " icp_brasil"
	case AnyKind:
		scope += " govbr icp_brasil"
	default:
		scope += " govbr"
	}
	p := SigningPending{State: random(), Batch: batch, StartedAt: s.opts.Clock.Now()}
	q := url.Values{"response_type": {"code"}, "client_id": {s.cfg.Signing.ID}, "scope": {scope},
		"redirect_uri": {s.cfg.SignRedirect}, "state": {p.State}, "nonce": {random()}}
	return p, s.cfg.Endpoints.CAS + "/oauth2.0/authorize?" + q.Encode(), nil
}

// SigningToken is a person's leave to sign: one document, or the documents of a
// batch, within ten minutes. Use it at once, in the process that got it. It is
// safe for concurrent use.
type SigningToken struct {
	token   Secret
	expires time.Time

	mu   sync.Mutex
	left int
}

// Left tells how many documents it may still sign.
func (t *SigningToken) Left() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.left
}

// ExpiresAt is when it ends, in UTC.
func (t *SigningToken) ExpiresAt() time.Time { return t.expires }

// String keeps the secret out of logs.
func (t *SigningToken) String() string {
	return "signing token until " + t.expires.Format(time.RFC3339)
}

// LogValue keeps the secret out of logs.
func (t *SigningToken) LogValue() slog.Value { return slog.TimeValue(t.expires) }

// take uses one signature up, before it is asked for: a signature whose answer
// was lost has been given.
func (t *SigningToken) take(now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left == 0 || !now.Before(t.expires) {
		return fault.New(fault.Conflict, "govbr.sign.used")
	}
	t.left--
	return nil
}

// Finish ends the authorisation with the query of CAS's return.
//
// Faults: Conflict govbr.sign.code (begin again); Forbidden govbr.login.state,
// govbr.sign.denied; Unavailable govbr.sign.credentials, govbr.login.refused,
// govbr.login.scope.
func (s *Signing) Finish(ctx context.Context, p SigningPending, query url.Values) (*SigningToken, error) {
	if s.opts.Clock.Now().Sub(p.StartedAt) > pendingLife {
		return nil, fault.New(fault.Conflict, "govbr.sign.code")
	}
	code, err := readReturn(query, p.State, "")
	if err != nil {
		if fault.HasKey(err, "govbr.login.denied") {
			err = fault.New(fault.Forbidden, "govbr.sign.denied")
		}
		return nil, err
	}
	asked := s.opts.Clock.Now()
	// The manual's sample sends these in the address; there they would end up in logs.
	a, err := s.caller.do(ctx, request{service: serviceSigning, name: "token", method: http.MethodPost,
		url: s.cfg.Endpoints.CAS + "/oauth2.0/token", limit: maxSigningAnswer,
		form: url.Values{"code": {code}, "client_id": {s.cfg.Signing.ID}, "client_secret": {s.cfg.Signing.Secret.Reveal()},
			"grant_type": {"authorization_code"}, "redirect_uri": {s.cfg.SignRedirect}}})
	switch {
	case err != nil:
		return nil, err
	case a.status == http.StatusUnauthorized:
		return nil, fault.New(fault.Unavailable, "govbr.sign.credentials").Because(refusalCause(a))
	case a.status == http.StatusBadRequest:
		return nil, fault.New(fault.Conflict, "govbr.sign.code").Because(refusalCause(a))
	case !a.ok():
		return nil, strange(serviceSigning, "token: status %d", a.status)
	}
	return readSigningToken(a.body, p.Batch, asked)
}

func readSigningToken(body []byte, batch bool, asked time.Time) (*SigningToken, error) {
	var t struct {
		Token string   `json:"access_token"`
		Type  string   `json:"token_type"`
		Life  flexible `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &t); err != nil {
		return nil, strange(serviceSigning, "token: %v", plain(err))
	}
	if t.Token == "" || t.Type != "" && !strings.EqualFold(t.Type, "bearer") || strings.ContainsAny(t.Token, "\r\n") {
		return nil, strange(serviceSigning, "token: something is missing in the answer")
	}
	life := signingLife
	if n, err := strconv.Atoi(string(t.Life)); err == nil && n > 0 && n < int(signingLife/time.Second) {
		life = time.Duration(n) * time.Second
	}
	token := &SigningToken{token: NewSecret(t.Token), expires: asked.Add(life), left: 1}
	if batch {
		token.left = MaxBatch
	}
	return token, nil
}

// Certificate fetches the certificate with which the person will sign. It does
// not use the token up.
//
// Faults: Forbidden govbr.sign.level, govbr.sign.cpf; Conflict govbr.sign.used;
// those of [Signing].
func (s *Signing) Certificate(ctx context.Context, t *SigningToken) (*x509.Certificate, error) {
	if !s.opts.Clock.Now().Before(t.expires) {
		return nil, fault.New(fault.Conflict, "govbr.sign.used")
	}
	a, err := s.caller.do(ctx, request{service: serviceSigning, name: "certificadoPublico", method: http.MethodGet,
		url: s.cfg.Endpoints.Signature + "/externo/v2/certificadoPublico", bearer: t.token, limit: maxSigningAnswer, repeat: true})
	if err != nil {
		return nil, err
	}
	if !a.ok() {
		return nil, s.refused(a)
	}
	block, _ := pem.Decode(a.body)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, strange(serviceSigning, "certificadoPublico: no PEM certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, strange(serviceSigning, "certificadoPublico: no certificate")
	}
	return cert, nil
}

// Signature is one that gov.br gave and that was checked.
type Signature struct {
	CMS    []byte // DER: the contents of a .p7s file, or of a PDF's /Contents
	Signer *x509.Certificate
	// Person says how far it was found that the signer is the person who asked.
	Person PersonMatch
	// SignedAt is when the signature says it was made, zero when it does not say.
	SignedAt time.Time
}

// LogValue keeps the person out of logs.
func (g Signature) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("bytes", len(g.CMS)), slog.String("person", string(g.Person)))
}

// Sign has gov.br sign a document's SHA-256, and checks what comes back: a
// detached CMS over exactly this digest, by a certificate that leads to a trusted
// root and that is not somebody else's than the person's. It uses the
// token up, and asks once: a signature that may have been given is not asked for again.
//
// Faults: Forbidden govbr.sign.level, govbr.sign.cpf (the Receita Federal's
// situation of the CPF), govbr.sign.person; Conflict govbr.sign.used; those of
// [cms.Check], and of [Signing].
func (s *Signing) Sign(ctx context.Context, t *SigningToken, digest [32]byte, person Signatory) (Signature, error) {
	if err := t.take(s.opts.Clock.Now()); err != nil {
		return Signature{}, err
	}
	a, err := s.caller.do(ctx, request{service: serviceSigning, name: "assinarPKCS7", method: http.MethodPost,
		url: s.cfg.Endpoints.Signature + "/externo/v2/assinarPKCS7", bearer: t.token, limit: cms.MaxSize,
		json: map[string]string{"hashBase64": base64.StdEncoding.EncodeToString(digest[:])}})
	if err != nil {
		return Signature{}, err
	}
	if !a.ok() {
		return Signature{}, s.refused(a)
	}
	return s.Check(a.body, digest, person)
}

// Check checks a signature that was given earlier, as of now, as [Signing.Sign] does.
func (s *Signing) Check(der []byte, digest [32]byte, person Signatory) (Signature, error) {
	trust := s.trust
	trust.At = s.opts.Clock.Now()
	checked, err := cms.Check(der, digest, trust)
	if err != nil {
		return Signature{}, err
	}
	match, err := person.match(checked.Signer)
	if err != nil {
		return Signature{}, err
	}
	return Signature{CMS: der, Signer: checked.Signer, Person: match, SignedAt: checked.SignedAt}, nil
}

// The texts of 403 (AE), folded, up to where they tell themselves apart.
const (
	textLevel = "cidadao nao possui a identidade"
	textCPF   = "cpf com situacao cancelada nula ou falecido"
)

// refused judges an answer of the signature service. Its 403 are plain texts;
// in which encoding is unverified. What a second use of a token is answered with is, too.
func (s *Signing) refused(a *answer) error {
	text := brasil.Fold(fromAnyEncoding(a.body))
	cause := refusalCause(a)
	switch {
	case a.status == http.StatusForbidden && strings.Contains(text, textLevel):
		return fault.New(fault.Forbidden, "govbr.sign.level", "endereco", s.cfg.CatalogueURL()).Because(cause)
	case a.status == http.StatusForbidden && strings.Contains(text, textCPF):
		return fault.New(fault.Forbidden, "govbr.sign.cpf").Because(cause)
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden, a.status == http.StatusBadRequest:
		return fault.New(fault.Conflict, "govbr.sign.used").Because(cause)
	}
	return strange(serviceSigning, "status %d", a.status)
}

// fromAnyEncoding reads UTF-8, else ISO 8859-1.
func fromAnyEncoding(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}
