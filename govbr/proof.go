package govbr

import (
	"encoding/json"
	"log/slog"
	"time"

	"selo/brasil"
)

// Proof is a transaction of Prova de Vida as the service last told it.
type Proof struct {
	ID        ProofID
	CPF       brasil.CPF
	Type      string
	Reason    string
	Category  string // "PV" or "OU"
	CreatedAt time.Time
	ExpiresAt time.Time

	Answer *ProofAnswer // nil while there is none
	Cancel *ProofCancel // nil unless cancelled
	// Reused tells that an earlier facial validation answered it, at ReusedAt.
	Reused   bool
	ReusedAt time.Time
}

// ProofAnswer is the citizen's.
type ProofAnswer struct {
	Authorised bool
	At         time.Time
	Why        DenialReason // when not authorised
}

// ProofCancel says who or what ended a transaction.
type ProofCancel struct {
	Code CancelCode
	At   time.Time
}

// DenialReason says why a proof failed (motivo_negacao).
type DenialReason int

const (
	NotDenied        DenialReason = 0
	PersonRefused    DenialReason = 1
	FaceFailed       DenialReason = 2
	BiographicFailed DenialReason = 3
	BothFailed       DenialReason = 4
	// OtherDenial stands for reasons that the manual does not name.
	OtherDenial DenialReason = -1
)

// CancelCode says why a transaction was cancelled; the list is open.
type CancelCode string

const (
	CancelledByAgency CancelCode = "CLIENTE"
	NoBiometricData   CancelCode = "SEMBIOM" // there are no data of this CPF to compare with
)

// ProofState is where a transaction stands.
type ProofState string

const (
	ProofPending        ProofState = "pendente"
	ProofAutoAuthorised ProofState = "autorizada_por_reuso"
	ProofAuthorised     ProofState = "autorizada"
	ProofDenied         ProofState = "negada"
	ProofCancelled      ProofState = "cancelada"     // by the agency
	ProofImpossible     ProofState = "sem_biometria" // cancelled: nothing to compare with
	ProofExpired        ProofState = "expirada"
)

// State tells where the transaction stands at that moment. That it has expired
// is concluded from its end: how the service marks it is not documented.
func (p Proof) State(at time.Time) ProofState {
	switch {
	case p.Cancel != nil && p.Cancel.Code == NoBiometricData:
		return ProofImpossible
	case p.Cancel != nil:
		return ProofCancelled
	case p.Answer != nil && p.Answer.Authorised && p.Reused:
		return ProofAutoAuthorised
	case p.Answer != nil && p.Answer.Authorised:
		return ProofAuthorised
	case p.Answer != nil:
		return ProofDenied
	case !p.ExpiresAt.IsZero() && at.After(p.ExpiresAt):
		return ProofExpired
	}
	return ProofPending
}

// Final tells whether a state will not change any more: polling may end.
func (s ProofState) Final() bool { return s != ProofPending && s != "" }

// LogValue keeps the person out of logs.
func (p Proof) LogValue() slog.Value { return slog.StringValue(string(p.ID)) }

// readProof reads the object that creating and reading answer with (PV).
func readProof(a *answer) (Proof, error) {
	if !a.ok() {
		return Proof{}, refusedLife(a)
	}
	var raw struct {
		ID       ProofID `json:"id"`
		CPF      string  `json:"cpf"`
		Type     string  `json:"tipo"`
		Reason   string  `json:"motivo"`
		Category string  `json:"categoria"`
		Created  stamp   `json:"criado_em"`
		Expires  stamp   `json:"expiracao_em"`
		Reuse    struct {
			Used json.RawMessage `json:"usado"`
			At   stamp           `json:"data"`
		} `json:"selogovbr"`
		Answer *struct {
			Authorised json.RawMessage `json:"autorizado"`
			At         stamp           `json:"data"`
			Why        flexible        `json:"motivo_negacao"`
		} `json:"resposta"`
		Cancel *struct {
			Code flexible `json:"codigo"`
			At   stamp    `json:"cancelada_em"`
		} `json:"cancelamento"`
	}
	if err := json.Unmarshal(a.body, &raw); err != nil {
		return Proof{}, strange(serviceProofOfLife, "transacao: %v", plain(err))
	}
	cpf, ok := readCPF(raw.CPF)
	if !ok || raw.ID.check() != nil {
		return Proof{}, strange(serviceProofOfLife, "transacao: id or cpf is none")
	}
	p := Proof{ID: raw.ID, CPF: cpf, Type: printable(raw.Type, 10), Reason: printable(raw.Reason, 1000), Category: printable(raw.Category, 10),
		CreatedAt: raw.Created.Time, ExpiresAt: raw.Expires.Time, Reused: isTrue(raw.Reuse.Used), ReusedAt: raw.Reuse.At.Time}
	if raw.Answer != nil {
		p.Answer = &ProofAnswer{Authorised: isTrue(raw.Answer.Authorised), At: raw.Answer.At.Time}
		if !p.Answer.Authorised {
			p.Answer.Why = denial(string(raw.Answer.Why))
		}
	}
	if raw.Cancel != nil {
		p.Cancel = &ProofCancel{Code: CancelCode(printable(string(raw.Cancel.Code), 30)), At: raw.Cancel.At.Time}
	}
	return p, nil
}

func denial(code string) DenialReason {
	switch digitsOf(code) {
	case "1":
		return PersonRefused
	case "2":
		return FaceFailed
	case "3":
		return BiographicFailed
	case "4":
		return BothFailed
	}
	return OtherDenial
}
