package govbrsim

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"selo/brasil"
)

// inAreaOf is Minha área of somebody who signed in for it.
func (s *sim) inAreaOf(cpf brasil.CPF) answer {
	s.t.Helper()
	page := s.signIn(s.get("/sim/servicos/"), cpf)
	if !strings.Contains(page.text, "<h1>Minha área</h1>") {
		s.t.Fatalf("%d %s", page.StatusCode, page.text)
	}
	return page
}

// TestAreaRaisesTheLevel: bank, face and refusal, each in two steps, and the
// account's level follows.
func TestAreaRaisesTheLevel(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := s.inAreaOf(ana)
	for _, text := range []string{"529.982.247-25", "Nível Bronze", "A sessão expira em: <strong>8 h 0 min", "Cadastro"} {
		if text != "Cadastro" && !strings.Contains(page.text, text) {
			t.Errorf("no %q in %s", text, page.text)
		}
	}
	s.clock.Advance(90 * time.Minute)
	if a := s.get("/sim/servicos/confiabilidade"); !strings.Contains(a.text, "6 h 30 min") || !strings.Contains(a.text, "/sim/servicos/confiabilidade/banco") {
		t.Errorf("%s", a.text)
	}
	if a := s.get("/sim/servicos/confiabilidade/banco?selo=801"); !strings.Contains(a.text, "Escolha uma das opções.") {
		t.Errorf("a bank gives another selo: %s", a.text)
	}
	step := s.get("/sim/servicos/confiabilidade/banco?selo=602")
	if a := s.fill(step, "/sim/servicos/confiabilidade/banco", "resultado", "nao"); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text, "O banco não confirmou") {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
	if a := s.fill(step, "/sim/servicos/confiabilidade/banco", "resultado", "sim"); !strings.Contains(a.text, "Selo obtido: Banco do Brasil. O nível da sua conta é Prata.") {
		t.Errorf("%s", a.text)
	}
	step = s.get("/sim/servicos/confiabilidade/cin")
	if a := s.fill(step, "/sim/servicos/confiabilidade/cin", "resultado", "sim"); !strings.Contains(a.text, "Nível Ouro") {
		t.Errorf("%s", a.text)
	}
	if a := s.get("/sim/servicos/confiabilidade/nada"); a.StatusCode != http.StatusNotFound {
		t.Errorf("%d", a.StatusCode)
	}
}

// TestAreaSwitchesTheSecondFactor, with the password only.
func TestAreaSwitchesTheSecondFactor(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.inAreaOf(bruno)
	if a := s.post("/sim/servicos/segundo-fator", url.Values{"fator": {"otp"}, "senha": {"errada"}}); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text, "Senha incorreta.") {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
	if a := s.post("/sim/servicos/segundo-fator", url.Values{"fator": {"sms"}, "senha": {"simulado"}}); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("%d", a.StatusCode)
	}
	s.follow(s.post("/sim/servicos/segundo-fator", url.Values{"fator": {"otp_offline"}, "senha": {"simulado"}}))
	b := s.newBrowser()
	page := b.signIn(b.authorize(), bruno)
	if !strings.Contains(page.text, "Verificação em duas etapas") {
		t.Fatalf("%s", page.text)
	}
	s.follow(s.post("/sim/servicos/segundo-fator", url.Values{"fator": {""}, "senha": {"simulado"}}))
	b = s.newBrowser()
	if page = b.signIn(b.authorize(), bruno); !strings.Contains(page.text, consentTitle) {
		t.Errorf("%s", page.text)
	}
}

// TestAreaRevokesConsent: the screen comes again at the next entry.
func TestAreaRevokesConsent(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.enter(clara)
	page := s.get("/sim/servicos/")
	if !strings.Contains(page.text, "Serviço de exemplo") || !strings.Contains(page.text, "Endereço de e-mail") {
		t.Fatalf("%s", page.text)
	}
	if a := s.follow(s.authorize()); strings.Contains(a.text, consentTitle) {
		t.Error("asked twice")
	}
	s.post("/sim/servicos/autorizacoes", url.Values{"client_id": {exampleID}})
	if a := s.post("/sim/servicos/autorizacoes", url.Values{"client_id": {exampleID}}); a.StatusCode != http.StatusNotFound {
		t.Errorf("revoked twice: %d", a.StatusCode)
	}
	if a := s.follow(s.authorize()); !strings.Contains(a.text, consentTitle) {
		t.Errorf("%s", a.text)
	}
	if a := s.post("/sim/servicos/sair", url.Values{}); !strings.Contains(a.text, "Você saiu") {
		t.Errorf("%s", a.text)
	}
	if a := s.get("/sim/servicos/"); !strings.Contains(a.Header.Get("Location"), "/login?") {
		t.Error("still signed in")
	}
}

// TestAreaLinksACompany with its e-CNPJ, and the registrar adds and removes a
// colaborador; others may not.
func TestAreaLinksACompany(t *testing.T) {
	t.Parallel()
	s := startDoor(t)
	c, m := s.unlinked()
	if s.server.worlds[DefaultWorld].people[m.CPF].SecondFactor != "" {
		s.admin(http.MethodPatch, "/pessoas/"+string(m.CPF), map[string]any{"segundo_fator": ""}, nil)
	}
	s.inAreaOf(m.CPF)
	show := func(purpose, file string) answer {
		to := s.get("/sim/servicos/certificado?para=" + purpose).Header.Get("Location")
		for !strings.HasPrefix(to, s.server.options.CertificateURL) {
			to = s.get(to).Header.Get("Location")
		}
		return s.follow(s.withCertificate(s.testPEM(file)).get(to))
	}
	for what, a := range map[string]answer{
		"de outra pessoa": show("selo", "e-cpf/"+string(ana)), "pede um e-CPF": show("selo", "e-cnpj/"+string(c.CNPJ)+"/"+string(m.CPF)),
		"preciso o e-CNPJ": show("empresa", "e-cpf/"+string(m.CPF)),
	} {
		if a.StatusCode != http.StatusForbidden || !strings.Contains(a.text, what) {
			t.Errorf("%s: %d %s", what, a.StatusCode, a.text)
		}
	}
	company := "/sim/servicos/empresas/" + string(c.CNPJ)
	if a := s.get(company); a.StatusCode != http.StatusNotFound {
		t.Errorf("not linked: %d", a.StatusCode)
	}
	if a := show("empresa", "e-cnpj/"+string(c.CNPJ)+"/"+string(m.CPF)); !strings.Contains(a.text, "A empresa foi vinculada") || !strings.Contains(a.text, c.CNPJ.Masked()) {
		t.Fatalf("%s", a.text)
	}
	if a := s.post(company+"/colaboradores", url.Values{"cpf": {"1"}, "expira": {"2020-01-01"}}); !strings.Contains(a.text, `id="errado-cpf"`) || !strings.Contains(a.text, "de hoje até daqui") {
		t.Errorf("%s", a.text)
	}
	joins := davi
	if at := c.member(davi); at != nil {
		joins = nina
	}
	if a := s.follow(s.post(company+"/colaboradores", url.Values{"cpf": {joins.Masked()}, "expira": {"20/11/2026"}})); !strings.Contains(a.text, joins.Hidden()) || !strings.Contains(a.text, "até 21/11/2026 00:00:00") {
		t.Errorf("%s", a.text)
	}
	s.clock.Advance(7 * time.Hour)
	s.server.worlds[DefaultWorld].Advance(24 * time.Hour)
	s.inAreaOf(m.CPF)
	if a := s.get(company); !strings.Contains(a.text, "expirou em 21/11/2026 00:00:00") {
		t.Errorf("%s", a.text)
	}
	if a := s.follow(s.post(company+"/remover", url.Values{"cpf": {string(joins)}})); strings.Contains(a.text, joins.Hidden()) {
		t.Errorf("%s", a.text)
	}
	if a := s.post(company+"/remover", url.Values{"cpf": {string(m.CPF)}}); a.StatusCode != http.StatusNotFound {
		t.Errorf("removes who is no colaborador: %d", a.StatusCode)
	}
	w := s.server.worlds[DefaultWorld]
	if err := w.changeCompany(c.CNPJ, func(c *Company) { c.member(m.CPF).Registrar = false }); err != nil {
		t.Fatal(err)
	}
	if a := s.post(company+"/colaboradores", url.Values{"cpf": {string(joins)}, "expira": {"2027-01-01"}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("who is no registrar adds: %d", a.StatusCode)
	}
}

// TestAreaTakesAnECPF for the selo, from a device and from the cloud.
func TestAreaTakesAnECPF(t *testing.T) {
	t.Parallel()
	s := startDoor(t)
	s.inAreaOf(ana)
	page := s.follow(s.get("/sim/servicos/certificado?para=selo&como=nuvem"))
	if a := s.fill(page, "/login/nuvem", "cpf", clara.Masked(), "provedor", "birdid"); !strings.Contains(a.text, "O certificado tem de ser da pessoa que entrou") {
		t.Errorf("%s", a.text)
	}
	page = s.fill(page, "/login/nuvem", "cpf", ana.Masked(), "provedor", "birdid")
	page = s.fill(page, "/login/nuvem/codigo", "certificado", "e-cpf", "codigo", s.lastMessage().Code)
	if !strings.Contains(page.text, "Selo obtido: Certificado digital. O nível da sua conta é Ouro.") {
		t.Errorf("%s", page.text)
	}
	b := s.newBrowser()
	b.inAreaOf(bruno)
	back := b.fill(b.follow(b.get("/sim/servicos/certificado?para=empresa&como=nuvem")), "/login/nuvem/voltar")
	if !strings.Contains(back.text, "<h1>Minha área</h1>") {
		t.Errorf("%s", back.text)
	}
}
