package govbr

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"selo/brasil"
	"selo/fault"
)

const (
	maxLifeAnswer = 256 << 10
	lifeMargin    = 30 * time.Second // a token that ends so soon is not used any more
)

// ProofOfLife is the client of Prova de Vida: an agency asks, the citizen proves
// in the gov.br app to be alive, the agency polls; nobody calls back. It is safe
// for concurrent use. Its methods may return the faults of asking that [Client]
// names, and Unavailable govbr.life.credentials.
type ProofOfLife struct {
	cfg    Config
	opts   Options
	caller *caller

	turn    chan struct{} // holds one: who has it may fetch a token
	mu      sync.Mutex
	token   Secret
	expires time.Time
}

// NewProofOfLife makes a client of Prova de Vida. Fault: Invalid "govbr.config".
func NewProofOfLife(cfg Config, opts Options) (*ProofOfLife, error) {
	cfg = cfg.filled()
	if err := cfg.need(map[string]string{"enderecos.prova_de_vida": cfg.Endpoints.ProofOfLife,
		"prova_de_vida.id": cfg.ProofOfLife.ID, "prova_de_vida.segredo": cfg.ProofOfLife.Secret.Reveal()}); err != nil {
		return nil, err
	}
	opts = opts.filled(cfg)
	return &ProofOfLife{cfg: cfg, opts: opts, caller: newCaller(cfg, opts, serviceProofOfLife), turn: make(chan struct{}, 1)}, nil
}

// bearer returns the agency's token, fetched when there is none that lasts.
// refused is one that was just refused.
func (p *ProofOfLife) bearer(ctx context.Context, refused Secret) (Secret, error) {
	if t := p.kept(refused); !t.Empty() {
		return t, nil
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return Secret{}, context.Cause(ctx)
	}
	if t := p.kept(refused); !t.Empty() {
		return t, nil
	}
	asked := p.opts.Clock.Now()
	a, err := p.caller.do(ctx, request{service: serviceProofOfLife, name: "token", method: http.MethodPost, repeat: true,
		url:   p.cfg.Endpoints.ProofOfLife + "/auth/oauth/token?grant_type=client_credentials",
		basic: &p.cfg.ProofOfLife, accept: []string{jsonMedia}, limit: maxLifeAnswer})
	switch {
	case err != nil:
		return Secret{}, err
	case a.status == http.StatusUnauthorized, a.status == http.StatusBadRequest, a.status == http.StatusForbidden:
		return Secret{}, fault.New(fault.Unavailable, "govbr.life.credentials").Because(refusalCause(a))
	case !a.ok():
		return Secret{}, strange(serviceProofOfLife, "token: status %d", a.status)
	}
	var t struct {
		Token string   `json:"access_token"`
		Life  flexible `json:"expires_in"`
	}
	if err := json.Unmarshal(a.body, &t); err != nil || t.Token == "" || strings.ContainsAny(t.Token, "\r\n") {
		return Secret{}, strange(serviceProofOfLife, "token: no token in the answer")
	}
	seconds, err := strconv.Atoi(string(t.Life))
	if err != nil || seconds < 0 || seconds > 3600 {
		seconds = 900 // as documented
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token, p.expires = NewSecret(t.Token), asked.Add(time.Duration(seconds)*time.Second)
	return p.token, nil
}

func (p *ProofOfLife) kept(refused Secret) Secret {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.token == refused || !p.opts.Clock.Now().Add(lifeMargin).Before(p.expires) {
		return Secret{}
	}
	return p.token
}

// ask sends a request with the agency's token, once more with a new one when it
// is refused as a token: then nothing has happened.
func (p *ProofOfLife) ask(ctx context.Context, q request) (*answer, error) {
	q.service, q.limit = serviceProofOfLife, maxLifeAnswer
	var refused Secret
	for range 2 {
		token, err := p.bearer(ctx, refused)
		if err != nil {
			return nil, err
		}
		q.bearer = token
		a, err := p.caller.do(ctx, q)
		if err != nil || a.status != http.StatusUnauthorized {
			return a, err
		}
		refused = token
	}
	return nil, fault.New(fault.Unavailable, "govbr.life.credentials")
}

// ProofID names a transaction or a message: a UUID.
type ProofID string

var uuid = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)

func (id ProofID) check() error {
	if len(id) != 36 || uuid.FindString(string(id)) != string(id) {
		return fault.New(fault.Invalid, "govbr.life.id")
	}
	return nil
}

// ProofRequest asks one person for a proof of life.
type ProofRequest struct {
	CPF     brasil.CPF
	CNPJ    brasil.CNPJ // of the agency
	Agency  string
	Service string
	Reason  string // shown to the citizen, in plain language
	// ExpiresIn is how long the citizen has, in whole minutes; at least one.
	ExpiresIn time.Duration
	// ReuseWithin accepts a facial validation made that long ago; zero asks for a new one.
	ReuseWithin time.Duration
	Success     string // shown when it succeeds
	Failure     string // shown when it fails
	Type        string // "B" (biometric), the zero value too, or "C"
	Other       bool   // category OU instead of PV
}

// proofBody has minutes as strings and the CNPJ masked, as in the sample (PV).
type proofBody struct {
	CPF       brasil.CPF `json:"cpf"`
	Requester struct {
		CNPJ    string `json:"cnpj"`
		Name    string `json:"nome"`
		Service string `json:"servico"`
	} `json:"solicitante"`
	Reason   string `json:"motivo"`
	Type     string `json:"tipo"`
	Expires  string `json:"expiracao_em"`
	Reuse    string `json:"selogovbr_reuso_em,omitempty"`
	Success  string `json:"mensagem_sucesso"`
	Failure  string `json:"mensagem_falha"`
	Category string `json:"categoria"`
}

// Create opens a transaction and tells the citizen. It is sent once: when the
// answer is lost, the transaction may exist all the same.
//
// Faults: Invalid govbr.life.refused with the service's reasons; those of [ProofOfLife].
func (p *ProofOfLife) Create(ctx context.Context, r ProofRequest) (Proof, error) {
	cpf, err := brasil.ParseCPF(string(r.CPF))
	if err != nil {
		return Proof{}, err
	}
	cnpj, err := brasil.ParseCNPJ(string(r.CNPJ))
	if err != nil {
		return Proof{}, err
	}
	if r.ExpiresIn < time.Minute {
		return Proof{}, fault.New(fault.Invalid, "govbr.life.expires")
	}
	body := proofBody{CPF: cpf, Reason: r.Reason, Type: "B", Expires: minutes(r.ExpiresIn), Success: r.Success, Failure: r.Failure, Category: "PV"}
	body.Requester.CNPJ, body.Requester.Name, body.Requester.Service = cnpj.Masked(), r.Agency, r.Service
	if r.Type != "" {
		body.Type = r.Type
	}
	if r.ReuseWithin > 0 {
		body.Reuse = minutes(r.ReuseWithin)
	}
	if r.Other {
		body.Category = "OU"
	}
	a, err := p.ask(ctx, request{name: "criar", method: http.MethodPost, url: p.cfg.Endpoints.ProofOfLife + "/api/vbeta4/transacoes",
		accept: []string{jsonMedia}, json: body})
	if err != nil {
		return Proof{}, err
	}
	proof, err := readProof(a)
	if err == nil && proof.CPF != cpf {
		return Proof{}, strange(serviceProofOfLife, "criar: it is another person's")
	}
	return proof, err
}

func minutes(d time.Duration) string { return strconv.Itoa(int((d + time.Minute - 1) / time.Minute)) }

// Proof reads a transaction, to see how it stands.
//
// Faults: NotFound govbr.not_found; Invalid govbr.life.id; those of [ProofOfLife].
func (p *ProofOfLife) Proof(ctx context.Context, id ProofID) (Proof, error) {
	if err := id.check(); err != nil {
		return Proof{}, err
	}
	a, err := p.ask(ctx, request{name: "ler", method: http.MethodGet, repeat: true, accept: []string{jsonMedia},
		url: p.cfg.Endpoints.ProofOfLife + "/api/vbeta4/transacoes/" + url.PathEscape(string(id))})
	if err != nil {
		return Proof{}, err
	}
	proof, err := readProof(a)
	if err == nil && !strings.EqualFold(string(proof.ID), string(id)) {
		return Proof{}, strange(serviceProofOfLife, "ler: it is another transaction")
	}
	return proof, err
}

// Cancel withdraws a transaction that waits. Doing it again is the service's to refuse.
//
// Faults: as [ProofOfLife.Proof], and Invalid govbr.life.refused.
func (p *ProofOfLife) Cancel(ctx context.Context, id ProofID) error {
	if err := id.check(); err != nil {
		return err
	}
	a, err := p.ask(ctx, request{name: "cancelar", method: http.MethodPut,
		url: p.cfg.Endpoints.ProofOfLife + "/api/vbeta4/transacoes/" + url.PathEscape(string(id)) + "/cancelar"})
	if err != nil {
		return err
	}
	if !a.ok() {
		return refusedLife(a)
	}
	return nil
}

var longNumber = regexp.MustCompile(`[0-9][0-9.\-/]{6,}[0-9]`)

// refusedLife reads the errors (PV). The service's words go to the person,
// without numbers in them that might be somebody's.
func refusedLife(a *answer) error {
	cause := refusalCause(a)
	switch a.status {
	case http.StatusNotFound:
		return fault.New(fault.NotFound, "govbr.not_found", "servico", string(serviceProofOfLife)).Because(cause)
	case http.StatusForbidden:
		return fault.New(fault.Unavailable, "govbr.life.credentials").Because(cause)
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusConflict:
	default:
		return strange(serviceProofOfLife, "status %d", a.status)
	}
	var body struct {
		Message flexible                   `json:"message"`
		Errors  map[string]json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(a.body, &body) != nil {
		body.Errors = nil // what cannot be read has no details
	}
	f := fault.New(fault.Invalid, "govbr.life.refused", "mensagem", cmp.Or(anonymous(string(body.Message)), strconv.Itoa(a.status))).Because(cause)
	for field, raw := range body.Errors {
		var text flexible
		if len(f.Problems) < 20 && json.Unmarshal(raw, &text) == nil {
			f.Problems = append(f.Problems, fault.Problem{Record: "Prova de Vida", Field: printable(field, 60), Code: "govbr.life.field",
				Args: fault.Pairs("mensagem", anonymous(string(text)))})
		}
	}
	return f
}

func anonymous(s string) string { return longNumber.ReplaceAllString(printable(s, 300), "…") }

// LogValue keeps the person out of logs.
func (r ProofRequest) LogValue() slog.Value { return slog.StringValue("proof of life") }
