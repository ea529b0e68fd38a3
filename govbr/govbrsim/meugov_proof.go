package govbrsim

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"selo/brasil"
)

// Proof is a transaction of Prova de Vida: an agency asks one person to prove to
// be alive. The records are replaced, never changed.
type Proof struct {
	ID        string       `json:"id"` // UUID
	ClientID  string       `json:"client_id"`
	CPF       brasil.CPF   `json:"cpf"`
	Requester Requester    `json:"solicitante"`
	Reason    string       `json:"motivo"`
	Type      string       `json:"tipo"`
	Category  string       `json:"categoria"`
	Success   string       `json:"mensagem_sucesso,omitempty"`
	Failure   string       `json:"mensagem_falha,omitempty"`
	CreatedAt time.Time    `json:"criado_em"`
	ExpiresAt time.Time    `json:"expira_em"`
	ReuseFrom time.Time    `json:"reuso_a_partir_de,omitzero"` // zero: none is reused
	FaceAt    time.Time    `json:"validacao_facial,omitzero"`  // of a validation that can be reused
	Reused    bool         `json:"reusada,omitzero"`
	Accepted  bool         `json:"aceita,omitzero"` // the face check has begun
	Answer    *ProofAnswer `json:"resposta,omitempty"`
	Cancel    *ProofCancel `json:"cancelamento,omitempty"`
}

// Requester is who asks, as the agency said it.
type Requester struct {
	CNPJ    string `json:"cnpj"`
	Name    string `json:"nome"`
	Service string `json:"servico"`
}

// ProofAnswer is the citizen's.
type ProofAnswer struct {
	Authorised bool      `json:"autorizado"`
	At         time.Time `json:"data"`
	Why        int       `json:"motivo_negacao,omitempty"` // 1 to 4 when denied
}

// ProofCancel says why a transaction ended without an answer.
type ProofCancel struct {
	Code string    `json:"codigo"`
	Why  string    `json:"motivo"`
	At   time.Time `json:"cancelada_em"`
}

// ProofOutcome is how a transaction ends, or that it waits.
type ProofOutcome string

// The outcomes. Reuse is no outcome to force: it follows from a validation that
// was made before.
const (
	OutcomePending     ProofOutcome = "pendente"
	OutcomeAuthorised  ProofOutcome = "autorizada"
	OutcomeRefused     ProofOutcome = "recusada"              // 1
	OutcomeFace        ProofOutcome = "face_nao_confere"      // 2
	OutcomeBiographic  ProofOutcome = "biografia_nao_confere" // 3
	OutcomeBoth        ProofOutcome = "nada_confere"          // 4
	OutcomeNoBiometric ProofOutcome = "sem_biometria"         // cancelled, SEMBIOM
	OutcomeCancelled   ProofOutcome = "cancelada"             // by the agency, CLIENTE
	OutcomeExpired     ProofOutcome = "expirada"
)

func proofOutcomes() []ProofOutcome {
	return []ProofOutcome{OutcomePending, OutcomeAuthorised, OutcomeRefused, OutcomeFace, OutcomeBiographic, OutcomeBoth, OutcomeNoBiometric, OutcomeCancelled, OutcomeExpired}
}

// denials are the numbers of motivo_negacao.
var denials = map[ProofOutcome]int{OutcomeRefused: 1, OutcomeFace: 2, OutcomeBiographic: 3, OutcomeBoth: 4}

// open tells whether the citizen may still answer.
func (p *Proof) open(now time.Time) bool {
	return p.Answer == nil && p.Cancel == nil && !now.After(p.ExpiresAt)
}

// outcome is where the transaction stands.
func (p *Proof) outcome(now time.Time) ProofOutcome {
	switch {
	case p.Cancel != nil && p.Cancel.Code == "SEMBIOM":
		return OutcomeNoBiometric
	case p.Cancel != nil:
		return OutcomeCancelled
	case p.Answer != nil && p.Answer.Authorised:
		return OutcomeAuthorised
	case p.Answer != nil:
		for outcome, why := range denials {
			if why == p.Answer.Why {
				return outcome
			}
		}
		return OutcomeRefused
	case now.After(p.ExpiresAt):
		return OutcomeExpired
	}
	return OutcomePending
}

// settle gives a copy of the transaction an outcome and keeps it. The caller locks.
func (w *World) settle(p *Proof, outcome ProofOutcome) *Proof {
	c, now := *p, w.now()
	c.Answer, c.Cancel, c.Reused = nil, nil, false
	switch outcome {
	case OutcomePending:
		if !now.Before(c.ExpiresAt) {
			c.ExpiresAt = now.Add(2 * time.Hour)
		}
	case OutcomeAuthorised:
		c.Answer = &ProofAnswer{Authorised: true, At: now}
		w.life.faces[c.CPF] = now
	case OutcomeRefused, OutcomeFace, OutcomeBiographic, OutcomeBoth:
		c.Answer = &ProofAnswer{At: now, Why: denials[outcome]}
	case OutcomeNoBiometric:
		c.Cancel = &ProofCancel{"SEMBIOM", "Dados biográficos inexistentes para o cpf informado", now}
	case OutcomeCancelled:
		c.Cancel = &ProofCancel{"CLIENTE", "Cliente solicitou o cancelamento", now}
	case OutcomeExpired:
		c.ExpiresAt = now.Add(-time.Second)
	}
	w.life.proofs[c.ID] = &c
	w.changed++
	return &c
}

// faceSelos are those that a facial validation gives.
var faceSelos = []string{"401", "701", "901"}

// lastFace is when the person's face was last validated: in a proof of life, or
// for a selo. Zero is never. The caller locks.
func (w *World) lastFace(p *Person) time.Time {
	last := w.life.faces[p.CPF]
	for _, s := range p.Selos {
		if slices.Contains(faceSelos, s.ID) && s.UpdatedAt.After(last) {
			last = s.UpdatedAt
		}
	}
	return last
}

// proofInput is the body of a creation (Prova de Vida manual).
type proofInput struct {
	CPF       string    `json:"cpf"`
	Requester Requester `json:"solicitante"`
	Reason    string    `json:"motivo"`
	Type      string    `json:"tipo"`
	Expires   flexible  `json:"expiracao_em"`       // minutes
	Reuse     flexible  `json:"selogovbr_reuso_em"` // minutes
	Success   string    `json:"mensagem_sucesso"`
	Failure   string    `json:"mensagem_falha"`
	Category  string    `json:"categoria"`
}

const maxProofMinutes = 366 * 24 * 60

// read makes a transaction of the body, or says what is wrong with it: fields
// with 400, a value that is none of a list with 422.
func (in proofInput) read(now time.Time) (p *Proof, wrong arguments, unprocessable string) {
	wrong = arguments{}
	p = &Proof{CPF: wrong.cpf("cpf", in.CPF), Requester: in.Requester, Reason: in.Reason, Type: orElse(in.Type, "B"),
		Category: orElse(in.Category, "PV"), Success: in.Success, Failure: in.Failure, CreatedAt: now}
	wrong.cnpj("solicitante.cnpj", in.Requester.CNPJ)
	wrong.text("solicitante.nome", in.Requester.Name, true)
	wrong.text("solicitante.servico", in.Requester.Service, false)
	wrong.text("motivo", in.Reason, true)
	wrong.text("mensagem_sucesso", in.Success, false)
	wrong.text("mensagem_falha", in.Failure, false)
	expires := wrong.minutes("expiracao_em", in.Expires)
	p.ExpiresAt = now.Add(expires)
	if in.Reuse != "" {
		p.ReuseFrom = now.Add(-wrong.minutes("selogovbr_reuso_em", in.Reuse))
	}
	switch {
	case p.Type != "B" && p.Type != "C":
		unprocessable = cut(p.Type) + " não é um tipo válido [B,C]"
	case p.Category != "PV" && p.Category != "OU":
		unprocessable = cut(p.Category) + " não é uma categoria válida [PV,OU]"
	}
	return p, wrong, unprocessable
}

func (a arguments) minutes(field string, value flexible) time.Duration {
	n, err := strconv.Atoi(string(value))
	switch {
	case err != nil || n < 1:
		a[field] = "deve ser maior que 0"
	case n > maxProofMinutes:
		a[field] = "deve ser menor que ou igual à " + itoa(maxProofMinutes)
	}
	return time.Duration(n) * time.Minute
}

// postProof is POST /api/vbeta4/transacoes.
func (s *Server) postProof(x *Exchange) (Answer, error) {
	var in proofInput
	unread := x.lifeBody(&in)
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	client, refusal := s.agency(x)
	if refusal = orAnswer(refusal, unread); refusal != nil {
		return refusal, nil
	}
	p, wrong, unprocessable := in.read(w.now())
	switch {
	case len(wrong) > 0:
		return refuseArguments(wrong), nil
	case unprocessable != "":
		return w.refuseLife(x, http.StatusUnprocessableEntity, unprocessable), nil
	}
	p = s.openProof(w, p, client)
	return Wire{Status: http.StatusCreated, Body: p.body()}, nil
}

// openProof keeps a new transaction, answers it when that is settled from the
// start, and else tells the citizen. The caller locks.
func (s *Server) openProof(w *World, p *Proof, client *AgencyClient) *Proof {
	p.ID, p.ClientID = s.jti(), client.ID
	w.life.proofs[p.ID] = p
	w.life.remember(p.ID)
	w.changed++
	person := w.people[p.CPF]
	if person == nil { // nobody to compare with
		return w.settle(p, OutcomeNoBiometric)
	}
	if last := w.lastFace(person); !p.ReuseFrom.IsZero() && !last.IsZero() && !last.Before(p.ReuseFrom) {
		c := *p
		c.FaceAt, c.Reused, c.Answer = last, true, &ProofAnswer{Authorised: true, At: w.now()}
		w.life.proofs[c.ID] = &c
		return &c
	}
	forced := is(w.switches.over(client.Switches).over(person.Switches).ProofOfLife, OutcomePending)
	if forced != OutcomePending {
		return w.settle(p, forced)
	}
	w.send(Message{Kind: "aplicativo", CPF: p.CPF, To: "aplicativo gov.br de " + person.displayName(), Link: w.base + p.path(),
		Text: p.Requester.Name + " pede a sua prova de vida: " + p.Reason})
	return p
}

// path is the transaction's page on the citizen's phone.
func (p *Proof) path() string { return "/sim/celular/" + string(p.CPF) + "/pedidos/" + p.ID }

// proofOf finds the transaction of the path: the agency's own ones only. The caller locks.
func (s *Server) proofOf(x *Exchange) (*Proof, Answer) {
	client, refusal := s.agency(x)
	if refusal != nil {
		return nil, refusal
	}
	p := x.World.life.proofs[x.Request.PathValue("id")]
	if p == nil || p.ClientID != client.ID {
		return nil, x.World.refuseLife(x, http.StatusNotFound, "Transação não encontrada")
	}
	return p, nil
}

func (s *Server) getProof(x *Exchange) (Answer, error) {
	x.World.mu.Lock()
	defer x.World.mu.Unlock()
	p, refusal := s.proofOf(x)
	if refusal != nil {
		return refusal, nil
	}
	return Wire{Body: p.body()}, nil
}

// putProofCancel is PUT …/cancelar: 200 without a body. One that has ended is
// refused with 422, which is this simulator's choice.
func (s *Server) putProofCancel(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	p, refusal := s.proofOf(x)
	if refusal != nil {
		return refusal, nil
	}
	if !p.open(w.now()) {
		return w.refuseLife(x, http.StatusUnprocessableEntity, "A transação já terminou e não pode ser cancelada"), nil
	}
	w.settle(p, OutcomeCancelled)
	return Wire{}, nil
}

// proofBody is a transaction on the wire, in the manual's order.
type proofBody struct {
	ID        string      `json:"id"`
	Type      string      `json:"tipo"`
	Requester Requester   `json:"solicitante"`
	CPF       brasil.CPF  `json:"cpf"`
	Reason    string      `json:"motivo"`
	CreatedAt string      `json:"criado_em"`
	Category  string      `json:"categoria"`
	Reuse     reuseBody   `json:"selogovbr"`
	Answer    *answerBody `json:"resposta,omitempty"`
	Cancel    *cancelBody `json:"cancelamento,omitempty"`
	ExpiresAt string      `json:"expiracao_em"`
}

type reuseBody struct {
	From      string `json:"reusar_apartir,omitempty"`
	Available bool   `json:"disponivel"`
	At        string `json:"data,omitempty"`
	Used      bool   `json:"usado"`
}

type answerBody struct {
	Authorised bool   `json:"autorizado"`
	At         string `json:"data"`
	Why        int    `json:"motivo_negacao,omitempty"`
}

type cancelBody struct {
	Code string `json:"codigo"`
	Why  string `json:"motivo"`
	At   string `json:"cancelada_em"`
}

// nanoStamp writes a moment in Brasília with nanoseconds and a colon in the offset.
func nanoStamp(t time.Time) string {
	return t.In(brasil.Location()).Format("2006-01-02T15:04:05.000000000-07:00")
}

func (p *Proof) body() proofBody {
	b := proofBody{ID: p.ID, Type: p.Type, Requester: p.Requester, CPF: p.CPF, Reason: p.Reason, CreatedAt: nanoStamp(p.CreatedAt),
		Category: p.Category, Reuse: reuseBody{Available: p.Reused, Used: p.Reused}, ExpiresAt: nanoStamp(p.ExpiresAt)}
	if !p.ReuseFrom.IsZero() {
		b.Reuse.From = nanoStamp(p.ReuseFrom)
	}
	if p.Reused {
		b.Reuse.At = nanoStamp(p.FaceAt)
	}
	if p.Answer != nil {
		b.Answer = &answerBody{p.Answer.Authorised, nanoStamp(p.Answer.At), p.Answer.Why}
	}
	if p.Cancel != nil {
		b.Cancel = &cancelBody{p.Cancel.Code, p.Cancel.Why, nanoStamp(p.Cancel.At)}
	}
	return b
}
