package govbr_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"selo/brasil"
	"selo/document/pdfsign"
	"selo/fault"
	"selo/govbr"
)

// signing makes a client of the simulator's CAS and signature service that trusts
// the roots found at these paths.
func (s *sim) signing(chains ...string) *govbr.Signing {
	s.t.Helper()
	roots := x509.NewCertPool()
	var between []*x509.Certificate
	for _, path := range chains {
		for rest := s.get(path); ; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				s.t.Fatal(err)
			}
			if bytes.Equal(cert.RawIssuer, cert.RawSubject) {
				roots.AddCert(cert)
			} else {
				between = append(between, cert)
			}
		}
	}
	cfg := s.config()
	cfg.Endpoints.CAS, cfg.Endpoints.Signature = s.url+"/sim/cas", s.url+"/sim/assinatura"
	cfg.Signing = govbr.Credential{ID: "assinatura.teste.gov.br", Secret: govbr.NewSecret("segredo-de-assinatura")}
	cfg.SignRedirect = "http://localhost:3000/assinatura/retorno"
	c, err := govbr.NewSigning(cfg, roots, between, govbr.Options{Clock: s.clock, Pause: time.Millisecond})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *sim) get(path string) []byte {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d %v", path, res.StatusCode, err)
	}
	return body
}

// authorise is the browser's part at the CAS.
func (s *sim) authorise(c *govbr.Signing, who brasil.CPF, kind govbr.SigningKind, batch bool, provider string) *govbr.SigningToken {
	s.t.Helper()
	p, address, err := c.Start(govbr.Gold, kind, batch)
	if err != nil {
		s.t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, s.url+"/sim/cas/oauth2.0/authorize?") {
		s.t.Fatal(address, err)
	}
	q := u.Query()
	back, err := url.Parse(s.admin(http.MethodPost, "/assinatura/autorizacoes", map[string]any{"cpf": who, "client_id": q.Get("client_id"),
		"redirect_uri": q.Get("redirect_uri"), "scope": q.Get("scope"), "state": q.Get("state"), "provedor": provider})["endereco"].(string))
	if err != nil {
		s.t.Fatal(err)
	}
	token, err := c.Finish(s.t.Context(), p, back.Query())
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// TestSimulatorSignsPDF signs a PDF twice, by two people, and has poppler judge.
func TestSimulatorSignsPDF(t *testing.T) {
	t.Parallel()
	pdfsig, err := exec.LookPath("pdfsig")
	if err != nil {
		t.Fatal("pdfsig is needed: see scripts/setup.sh")
	}
	s := startSim(t)
	c := s.signing("/sim/assinatura/cadeia.pem")
	doc := fpdf.New("P", "mm", "A4", "")
	doc.AddPage()
	var b bytes.Buffer
	if err := doc.Output(&b); err != nil {
		t.Fatal(err)
	}
	pdf := b.Bytes()
	people := []govbr.Signatory{{CPF: clara, Name: "Clara Ouro Fictícia"}, {CPF: bruno, Name: "Bruno Prata Fictício"}}
	for _, who := range people {
		room, err := pdfsign.Prepare(pdf, pdfsign.Options{Name: who.Name})
		if err != nil {
			t.Fatal(err)
		}
		token := s.authorise(c, who.CPF, govbr.Advanced, false, "")
		cert, err := c.Certificate(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := c.Sign(t.Context(), token, room.Digest(), who)
		if err != nil {
			t.Fatal(err)
		}
		if !sig.Signer.Equal(cert) || sig.Person != govbr.MatchCPF {
			t.Errorf("%s signed, found by %s", sig.Signer.Subject, sig.Person)
		}
		if pdf, err = room.Embed(sig.CMS); err != nil {
			t.Fatal(err)
		}
	}
	found, err := pdfsign.Signatures(pdf)
	if err != nil || len(found) != 2 {
		t.Fatal(found, err)
	}
	for i, f := range found {
		if _, err := c.Check(f.CMS, f.Digest, people[i]); err != nil {
			t.Error(err)
		}
		if _, err := c.Check(f.CMS, f.Digest, people[1-i]); !fault.HasKey(err, "govbr.sign.person") {
			t.Errorf("another's: %v", err)
		}
	}
	name := filepath.Join(t.TempDir(), "assinado.pdf")
	if err := os.WriteFile(name, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), pdfsig, "-nocert", name).CombinedOutput()
	if err != nil || strings.Count(string(out), "Signature is Valid.") != 2 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSimulatorSigningRules: a token's uses, levels, the CPF's situation, ICP-Brasil.
func TestSimulatorSigningRules(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	c := s.signing("/sim/assinatura/cadeia.pem", "/sim/assinatura/cadeia-icp.pem")
	digest := sha256.Sum256([]byte("um documento"))
	me := govbr.Signatory{CPF: clara, Name: "Clara Ouro Fictícia"}
	batch := s.authorise(c, clara, govbr.Advanced, true, "")
	for n := range 3 {
		if _, err := c.Sign(t.Context(), batch, sha256.Sum256([]byte{byte(n)}), me); err != nil {
			t.Errorf("document %d of a batch: %v", n, err)
		}
	}
	qualified := s.authorise(c, clara, govbr.Qualified, false, "birdid")
	if sig, err := c.Sign(t.Context(), qualified, digest, me); err != nil || sig.Person != govbr.MatchCPF {
		t.Errorf("ICP-Brasil: %v %v", sig.Person, err)
	}
	for who, key := range map[brasil.CPF]string{ana: "govbr.sign.level", "90000001066": "govbr.sign.cpf"} {
		token := s.authorise(c, who, govbr.Advanced, true, "")
		if _, err := c.Certificate(t.Context(), token); !fault.HasKey(err, key) {
			t.Errorf("certificate: %v, want %s", err, key)
		}
		if _, err := c.Sign(t.Context(), token, digest, govbr.Signatory{CPF: who}); !fault.HasKey(err, key) {
			t.Errorf("sign: %v, want %s", err, key)
		}
	}
	late := s.authorise(c, clara, govbr.Advanced, true, "")
	s.clock.Advance(601 * time.Second)
	if _, err := c.Sign(t.Context(), late, digest, me); !fault.HasKey(err, "govbr.sign.used") {
		t.Errorf("late: %v", err)
	}
}

// TestSimulatorSignatureFlaws turns the switches that make wrong signatures.
func TestSimulatorSignatureFlaws(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	c := s.signing("/sim/assinatura/cadeia.pem")
	digest := sha256.Sum256([]byte("um documento"))
	me := govbr.Signatory{CPF: clara, Name: "Clara Ouro Fictícia"}
	for flaw, want := range map[string]string{"resumo": "cms.digest", "assinatura": "cms.signature", "anexada": "cms.attached", "outra_pessoa": "govbr.sign.person",
		"outra_ac": "cms.untrusted", "vencido": "cms.untrusted", "sem_cadeia": "", "cpf_no_cn": "cpf", "sem_cpf": "nome"} {
		s.admin(http.MethodPut, "/interruptores", map[string]any{"defeitos_assinatura": []string{flaw}})
		sig, err := c.Sign(t.Context(), s.authorise(c, clara, govbr.Advanced, false, ""), digest, me)
		switch {
		case strings.Contains(want, "."):
			if !fault.HasKey(err, want) {
				t.Errorf("%s: %v, want %s", flaw, err, want)
			}
		case err != nil || want != "" && string(sig.Person) != want:
			t.Errorf("%s: found by %q, %v, want %q", flaw, sig.Person, err, want)
		}
	}
}

// life makes a client of the simulator's Prova de Vida.
func (s *sim) life() *govbr.ProofOfLife {
	s.t.Helper()
	cfg := s.config()
	cfg.Endpoints.ProofOfLife = s.url + "/sim/meugov"
	cfg.ProofOfLife = govbr.Credential{ID: "prova-de-vida.teste.gov.br", Secret: govbr.NewSecret("segredo-de-prova-de-vida")}
	p, err := govbr.NewProofOfLife(cfg, govbr.Options{Clock: s.clock, Pause: time.Millisecond})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// TestSimulatorProofOfLife brings a transaction into every state there is.
func TestSimulatorProofOfLife(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	p := s.life()
	asked := govbr.ProofRequest{CPF: clara, CNPJ: "00489828007400", Agency: "Órgão", Service: "Selo", Reason: "Prova de vida para o Selo",
		ExpiresIn: 2 * time.Hour, Success: "Tudo certo.", Failure: "Não deu certo."}
	for outcome, want := range map[string]govbr.ProofState{"": govbr.ProofPending, "autorizada": govbr.ProofAuthorised, "recusada": govbr.ProofDenied,
		"face_nao_confere": govbr.ProofDenied, "biografia_nao_confere": govbr.ProofDenied, "nada_confere": govbr.ProofDenied,
		"sem_biometria": govbr.ProofImpossible, "cancelada": govbr.ProofCancelled, "expirada": govbr.ProofExpired} {
		made, err := p.Create(t.Context(), asked)
		if err != nil || made.State(s.clock.Now()) != govbr.ProofPending {
			t.Fatalf("%s: %v, %v", outcome, made.State(s.clock.Now()), err)
		}
		if outcome != "" {
			s.admin(http.MethodPut, "/prova-de-vida/transacoes/"+string(made.ID)+"/resultado", map[string]any{"resultado": outcome})
		}
		got, err := p.Proof(t.Context(), made.ID)
		if err != nil || got.State(s.clock.Now().Add(time.Second)) != want {
			t.Errorf("%s: %s, %v", outcome, got.State(s.clock.Now()), err)
		}
		why := map[string]govbr.DenialReason{"recusada": govbr.PersonRefused, "face_nao_confere": govbr.FaceFailed,
			"biografia_nao_confere": govbr.BiographicFailed, "nada_confere": govbr.BothFailed}[outcome]
		if want == govbr.ProofDenied && (got.Answer == nil || got.Answer.Why != why) {
			t.Errorf("%s: %+v", outcome, got.Answer)
		}
	}
	made, err := p.Create(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Cancel(t.Context(), made.ID); err != nil {
		t.Error(err)
	}
	if got, err := p.Proof(t.Context(), made.ID); err != nil || got.State(s.clock.Now()) != govbr.ProofCancelled {
		t.Errorf("%v %v", got.State(s.clock.Now()), err)
	}
	s.admin(http.MethodPut, "/pessoas/"+string(bruno)+"/validacao-facial", map[string]any{"em": s.clock.Now().Add(-time.Minute)})
	asked.CPF, asked.ReuseWithin = bruno, time.Hour
	if got, err := p.Create(t.Context(), asked); err != nil || got.State(s.clock.Now()) != govbr.ProofAutoAuthorised {
		t.Errorf("reuse: %+v %v", got, err)
	}
	asked.Type = "A"
	if _, err := p.Create(t.Context(), asked); !fault.HasKey(err, "govbr.life.refused") || fault.Of(err).Args["mensagem"] != "A não é um tipo válido [B,C]" {
		t.Errorf("type: %v", err)
	}
	if _, err := p.Proof(t.Context(), "0b7c9f4e-5b0e-4d52-9c2e-0a1b2c3d4e5f"); !fault.HasKey(err, "govbr.not_found") {
		t.Errorf("no such transaction: %v", err)
	}
	s.clock.Advance(time.Hour) // the token has ended: another is fetched
	if got, err := p.Proof(t.Context(), made.ID); err != nil || got.ID != made.ID {
		t.Errorf("an hour later: %v", err)
	}
}

// TestSimulatorMessages sends, reads and withdraws a message.
func TestSimulatorMessages(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	p := s.life()
	m := govbr.Message{CNPJ: "00489828007400", Agency: "Órgão", Title: "Aviso", Content: "Texto", CPF: clara}
	id, err := p.Send(t.Context(), m, false)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := p.Message(t.Context(), id); err != nil || back != m {
		t.Errorf("%+v %v", back, err)
	}
	if err := p.DeleteMessage(t.Context(), id); err != nil {
		t.Error(err)
	}
	if _, err := p.Message(t.Context(), id); !fault.HasKey(err, "govbr.not_found") {
		t.Errorf("withdrawn: %v", err)
	}
}
