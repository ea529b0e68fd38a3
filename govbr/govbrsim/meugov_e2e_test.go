package govbrsim_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"selo/brasil"
	"selo/fault"
	"selo/govbr"
)

func (s *service) proofOfLife() *govbr.ProofOfLife {
	s.t.Helper()
	c, err := govbr.NewProofOfLife(s.config(), govbr.Options{Clock: s.clock, Pause: time.Millisecond})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func aProof(who brasil.CPF, reuse time.Duration) govbr.ProofRequest {
	return govbr.ProofRequest{CPF: who, CNPJ: "90000002000173", Agency: "ÓRGÃO FICTÍCIO", Service: "Selo", Reason: "Prova de vida para o teste",
		ExpiresIn: 2 * time.Hour, ReuseWithin: reuse, Success: "Tudo certo.", Failure: "Não deu certo."}
}

// TestClientProvesLife: the client of package govbr sees every way in which the
// citizen's phone ends a request, and those without the citizen.
func TestClientProvesLife(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.proofOfLife()
	for name, tc := range map[string]struct {
		decision, result string
		state            govbr.ProofState
		why              govbr.DenialReason
	}{
		"accepted": {"autorizar", "autorizada", govbr.ProofAuthorised, govbr.NotDenied}, "refused": {"recusar", "", govbr.ProofDenied, govbr.PersonRefused},
		"face": {"autorizar", "face_nao_confere", govbr.ProofDenied, govbr.FaceFailed}, "data": {"autorizar", "biografia_nao_confere", govbr.ProofDenied, govbr.BiographicFailed},
		"both": {"autorizar", "nada_confere", govbr.ProofDenied, govbr.BothFailed}, "interrupted": {"autorizar", "", govbr.ProofPending, govbr.NotDenied},
	} {
		p, err := c.Create(t.Context(), aProof(clara, 0))
		if err != nil || p.State(s.clock.Now()) != govbr.ProofPending || !p.ExpiresAt.Equal(s.clock.Now().Add(2*time.Hour)) {
			t.Fatalf("%s: %+v, %v", name, p, err)
		}
		request := s.url + "/sim/celular/" + string(clara) + "/pedidos/" + string(p.ID)
		s.do(http.MethodPost, request, url.Values{"decisao": {tc.decision}})
		if tc.result != "" {
			s.do(http.MethodPost, request+"/rosto", url.Values{"resultado": {tc.result}})
		}
		p, err = c.Proof(t.Context(), p.ID)
		if err != nil || p.State(s.clock.Now()) != tc.state || p.Answer != nil && p.Answer.Why != tc.why {
			t.Errorf("%s: %+v, %v", name, p.State(s.clock.Now()), err)
		}
	}
	s.clock.Advance(time.Hour)
	if p, err := c.Create(t.Context(), aProof(clara, 2*time.Hour)); err != nil || p.State(s.clock.Now()) != govbr.ProofAutoAuthorised || !p.ReusedAt.Equal(s.clock.Now().Add(-time.Hour)) {
		t.Errorf("reuse: %+v, %v", p, err)
	}
	if p, err := c.Create(t.Context(), aProof("90000001651", 0)); err != nil || p.State(s.clock.Now()) != govbr.ProofImpossible {
		t.Errorf("nobody known: %+v, %v", p, err)
	}
	p, err := c.Create(t.Context(), aProof(bruno, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Cancel(t.Context(), p.ID); err != nil {
		t.Errorf("cancel: %v", err)
	}
	if p, err = c.Proof(t.Context(), p.ID); err != nil || p.State(s.clock.Now()) != govbr.ProofCancelled {
		t.Errorf("cancelled: %+v, %v", p, err)
	}
	if err := c.Cancel(t.Context(), p.ID); !fault.HasKey(err, "govbr.life.refused") {
		t.Errorf("cancelled twice: %v", err)
	}
	late, err := c.Create(t.Context(), aProof(bruno, 0))
	if err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(2*time.Hour + time.Second) // the token ended, too
	if late, err = c.Proof(t.Context(), late.ID); err != nil || late.State(s.clock.Now()) != govbr.ProofExpired {
		t.Errorf("expired: %+v, %v", late, err)
	}
}

// TestClientIsRefusedLife: the refusals of Prova de Vida become the client's faults.
func TestClientIsRefusedLife(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.proofOfLife()
	wrong := aProof(clara, 0)
	wrong.Reason = ""
	if _, err := c.Create(t.Context(), wrong); !fault.HasKey(err, "govbr.life.refused") || len(fault.Of(err).Problems) != 1 || fault.Of(err).Problems[0].Field != "motivo" {
		t.Errorf("no reason: %v", err)
	}
	wrong = aProof(clara, 0)
	wrong.Type = "A"
	if _, err := c.Create(t.Context(), wrong); !fault.HasKey(err, "govbr.life.refused") {
		t.Errorf("type: %v", err)
	}
	if _, err := c.Proof(t.Context(), "0b7c9f4e-5b0e-4d52-9c2e-0a1b2c3d4e5f"); !fault.HasKey(err, "govbr.not_found") {
		t.Errorf("no such transaction: %v", err)
	}
	cfg := s.config()
	cfg.ProofOfLife.Secret = govbr.NewSecret("outro")
	stranger, err := govbr.NewProofOfLife(cfg, govbr.Options{Clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Create(t.Context(), aProof(clara, 0)); !fault.HasKey(err, "govbr.life.credentials") {
		t.Errorf("wrong secret: %v", err)
	}
}

// TestClientSendsMessages: to one person, to all, read and withdrawn.
func TestClientSendsMessages(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.proofOfLife()
	m := govbr.Message{CNPJ: "90000002000173", Agency: "ÓRGÃO FICTÍCIO", Title: "Aviso", Content: "Texto", CPF: clara}
	id, err := c.Send(t.Context(), m, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Message(t.Context(), id); err != nil || got != m {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.DeleteMessage(t.Context(), id); err != nil {
		t.Error(err)
	}
	if _, err := c.Message(t.Context(), id); !fault.HasKey(err, "govbr.not_found") {
		t.Errorf("withdrawn: %v", err)
	}
	m.CPF = ""
	if _, err := c.Send(t.Context(), m, true); err != nil {
		t.Errorf("to all: %v", err)
	}
}
