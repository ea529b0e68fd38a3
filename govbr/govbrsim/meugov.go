package govbrsim

import (
	"crypto/subtle"
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"selo/brasil"
	"selo/fault"
)

// Bounds of what a world remembers of Prova de Vida.
const (
	maxProofs   = 5000
	maxNotices  = 5000
	maxLongText = 1000 // characters of a reason or a message
)

// lifeToken is how long a token lives.
const lifeToken = 900 * time.Second

// life is what a world knows of Prova de Vida.
type life struct {
	clients map[string]*AgencyClient
	proofs  map[string]*Proof  // by id
	notices map[string]*Notice // by id
	faces   map[brasil.CPF]time.Time
	order   []string // ids of proofs and notices, oldest first
}

func newLife(clients []*AgencyClient) life {
	l := life{clients: map[string]*AgencyClient{}, proofs: map[string]*Proof{}, notices: map[string]*Notice{}, faces: map[brasil.CPF]time.Time{}}
	for _, c := range clients {
		l.clients[c.ID] = c.clone()
	}
	return l
}

// remember keeps the order and forgets what is oldest beyond the bounds.
func (l *life) remember(id string) {
	l.order = append(l.order, id)
	for len(l.proofs) > maxProofs || len(l.notices) > maxNotices {
		delete(l.proofs, l.order[0])
		delete(l.notices, l.order[0])
		l.order = l.order[1:]
	}
	if len(l.order) > 2*(maxProofs+maxNotices) {
		var kept []string
		for _, known := range l.order {
			if l.proofs[known] != nil || l.notices[known] != nil {
				kept = append(kept, known)
			}
		}
		l.order = kept
	}
}

// savedLife is Prova de Vida as the state file keeps it.
type savedLife struct {
	Proofs  []*Proof                 `json:"transacoes,omitempty"`
	Notices []*Notice                `json:"mensagens,omitempty"`
	Faces   map[brasil.CPF]time.Time `json:"validacoes_faciais,omitempty"`
}

func (l *life) saved() savedLife {
	out := savedLife{Faces: maps.Clone(l.faces)}
	for _, id := range l.order {
		if p := l.proofs[id]; p != nil {
			out.Proofs = append(out.Proofs, p)
		}
		if n := l.notices[id]; n != nil {
			out.Notices = append(out.Notices, n)
		}
	}
	return out
}

// restore takes over what was saved. Fault: Invalid "govbrsim.json" for an entry
// that is none.
func (l *life) restore(from savedLife) error {
	for i, p := range from.Proofs {
		if p == nil || p.ID == "" {
			return emptyEntry("transacoes", i)
		}
		l.proofs[p.ID] = p
		l.remember(p.ID)
	}
	for i, n := range from.Notices {
		if n == nil || n.ID == "" {
			return emptyEntry("mensagens", i)
		}
		l.notices[n.ID] = n
		l.remember(n.ID)
	}
	if from.Faces != nil {
		l.faces = from.Faces
	}
	return nil
}

// meugovRoutes are Prova de Vida and the citizen's phone.
func (s *Server) meugovRoutes() []Route {
	return []Route{
		{http.MethodPost, "/sim/meugov/auth/oauth/token", Service, s.postLifeToken},
		{http.MethodPost, "/sim/meugov/api/vbeta4/transacoes", Service, s.postProof},
		{http.MethodGet, "/sim/meugov/api/vbeta4/transacoes/{id}", Service, s.getProof},
		{http.MethodPut, "/sim/meugov/api/vbeta4/transacoes/{id}/cancelar", Service, s.putProofCancel},
		{http.MethodPost, "/sim/meugov/api/vbeta1/mensagens", Service, s.postNotice},
		{http.MethodGet, "/sim/meugov/api/vbeta1/mensagens/{id}", Service, s.getNotice},
		{http.MethodDelete, "/sim/meugov/api/vbeta1/mensagens/{id}", Service, s.deleteNotice},

		{http.MethodGet, "/sim/celular", Screen, s.getPhones},
		{http.MethodGet, "/sim/celular/{cpf}", Screen, s.getPhone},
		{http.MethodGet, "/sim/celular/{cpf}/pedidos/{id}", Screen, s.getPhoneRequest},
		{http.MethodPost, "/sim/celular/{cpf}/pedidos/{id}", Screen, s.postPhoneRequest},
		{http.MethodGet, "/sim/celular/{cpf}/pedidos/{id}/rosto", Screen, s.getPhoneFace},
		{http.MethodPost, "/sim/celular/{cpf}/pedidos/{id}/rosto", Screen, s.postPhoneFace},
		{http.MethodGet, "/sim/celular/{cpf}/mensagens/{id}", Screen, s.getPhoneNotice},
	}
}

// lifeClaims are those of an agency's token. To agencies it is opaque.
type lifeClaims struct {
	Service string   `json:"servico"` // never another token's
	World   string   `json:"mundo"`
	Client  string   `json:"client_id"`
	Scope   []string `json:"scope"`
	Exp     int64    `json:"exp"`
	Iat     int64    `json:"iat"`
	JTI     string   `json:"jti"`
}

const lifeService = "prova-de-vida"

// lifeTokenAnswer is what /auth/oauth/token answers (Prova de Vida manual), in the manual's order.
type lifeTokenAnswer struct {
	AccessToken string   `json:"access_token"`
	Type        string   `json:"token_type"`
	ExpiresIn   int      `json:"expires_in"`
	Scope       string   `json:"scope"`
	JTI         string   `json:"jti"`
	CNPJ        string   `json:"cnpj"`
	Agency      string   `json:"nome_orgao"`
	Services    []string `json:"servicos"` // null
}

// postLifeToken is POST /auth/oauth/token?grant_type=client_credentials.
func (s *Server) postLifeToken(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return refuseToken(http.StatusBadRequest, "invalid_request", "The address cannot be read"), nil
	}
	kind := q.Get("grant_type")
	if form, err := x.form(); err == nil && kind == "" {
		kind = form.Get("grant_type")
	}
	id, secret, basic := x.Request.BasicAuth()
	w := x.World
	w.mu.Lock()
	client, now, world := w.life.clients[id], w.now(), w.name
	w.mu.Unlock()
	switch {
	case !basic:
		return refuseToken(http.StatusUnauthorized, "unauthorized", "Full authentication is required to access this resource"), nil
	case client == nil || subtle.ConstantTimeCompare([]byte(client.Secret), []byte(secret)) != 1:
		return refuseToken(http.StatusUnauthorized, "unauthorized", "Bad credentials"), nil
	case kind == "":
		return refuseToken(http.StatusBadRequest, "invalid_request", "Missing grant type"), nil
	case kind != "client_credentials":
		return refuseToken(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type: "+cut(kind)), nil
	}
	jti := s.jti()
	token, err := s.sign(lifeClaims{Service: lifeService, World: world, Client: client.ID, Scope: []string{"*"},
		Exp: now.Add(lifeToken).Unix(), Iat: now.Unix(), JTI: jti})
	if err != nil {
		return nil, err
	}
	return Wire{Body: lifeTokenAnswer{AccessToken: token, Type: "bearer", ExpiresIn: int(lifeToken.Seconds()), Scope: "*", JTI: jti,
		CNPJ: string(client.CNPJ), Agency: client.Name}}, nil
}

// agency reads the token of a request. The answer is nil when it holds. The
// body of 401 is this simulator's choice. The caller locks.
func (s *Server) agency(x *Exchange) (*AgencyClient, Answer) {
	w := x.World
	var claims lifeClaims
	token, found := strings.CutPrefix(x.Request.Header.Get("Authorization"), "Bearer ")
	if found && s.open(strings.TrimSpace(token), &claims) == nil && claims.Service == lifeService && claims.World == w.name &&
		w.now().Unix() < claims.Exp && !time.Unix(claims.Iat, 0).Before(w.resetAt) {
		if client := w.life.clients[claims.Client]; client != nil {
			return client, nil
		}
	}
	return nil, refuseToken(http.StatusUnauthorized, "invalid_token", "Access token invalid or expired")
}

// lifeInvalid is the body of 400 (Prova de Vida manual).
type lifeInvalid struct {
	Status  string            `json:"status"`
	Message string            `json:"message"`
	Errors  map[string]string `json:"errors"`
}

func refuseArguments(errors map[string]string) Answer {
	return Wire{Status: http.StatusBadRequest, Body: lifeInvalid{"BAD_REQUEST", "Argumentos não válidos", errors}}
}

// lifeUnprocessable is the body of 422 (Prova de Vida manual), and of 404, which is not documented.
type lifeUnprocessable struct {
	Timestamp string `json:"timestamp"`
	Status    int    `json:"status"`
	Error     string `json:"error"`
	Message   string `json:"message"`
	Path      string `json:"path"`
}

// refuseLife answers with that body. The path has no "/api", as in the manual's
// sample. The caller locks.
func (w *World) refuseLife(x *Exchange, status int, message string) Answer {
	_, path, _ := strings.Cut(x.Request.URL.Path, "/sim/meugov/api")
	return Wire{Status: status, Body: lifeUnprocessable{w.now().UTC().Format("2006-01-02T15:04:05.000-07:00"), status, http.StatusText(status), message, path}}
}

// orAnswer is the first refusal of two.
func orAnswer(first, second Answer) Answer {
	if first != nil {
		return first
	}
	return second
}

// lifeBody reads the JSON of a request; names that are not known are let pass.
// It waits for the sender, so the caller does not lock.
func (x *Exchange) lifeBody(into any) Answer {
	media, _, err := mime.ParseMediaType(x.Request.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return Wire{Status: http.StatusUnsupportedMediaType, Body: generalError{"415", "Content type must be application/json"}}
	}
	if err := json.NewDecoder(x.Request.Body).Decode(into); err != nil {
		return refuseArguments(map[string]string{"corpo": "JSON que não pode ser lido"})
	}
	return nil
}

// arguments collects what is wrong with a body, in the words of Bean Validation.
type arguments map[string]string

func (a arguments) text(field, value string, required bool) {
	odd := func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f }
	switch {
	case required && strings.TrimSpace(value) == "":
		a[field] = "não deve estar em branco"
	case utf8.RuneCountInString(value) > maxLongText:
		a[field] = "tamanho deve ser entre 0 e " + itoa(maxLongText)
	case strings.ContainsFunc(value, odd):
		a[field] = "tem caracteres que não são aceitos"
	}
}

func (a arguments) cpf(field, value string) brasil.CPF {
	cpf, err := brasil.ParseCPF(value)
	if err != nil {
		a[field] = "número do registro de contribuinte individual brasileiro (CPF) inválido"
	}
	return cpf
}

func (a arguments) cnpj(field, value string) brasil.CNPJ {
	cnpj, err := brasil.ParseCNPJ(value)
	if err != nil {
		a[field] = "número do registro de contribuinte corporativo brasileiro (CNPJ) inválido"
	}
	return cnpj
}

// flexible is text that JSON may hold as text or as a number.
type flexible string

// UnmarshalJSON reads "120" and 120. Fault: Invalid "govbrsim.json".
func (f *flexible) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*f = flexible(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(data, &number); err != nil {
		return fault.New(fault.Invalid, "govbrsim.json", "motivo", cut(err.Error()))
	}
	*f = flexible(number)
	return nil
}

// MarshalJSON writes text.
func (f flexible) MarshalJSON() ([]byte, error) { return json.Marshal(string(f)) }
