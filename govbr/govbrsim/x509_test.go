package govbrsim

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"selo/brasil"
	"selo/icpbrasil"
)

// startDoor is a simulator with a listener for certificates.
func startDoor(t *testing.T, change ...func(*Options)) *sim {
	t.Helper()
	door := httptest.NewUnstartedServer(nil)
	s := start(t, append(change, func(o *Options) { o.CertificateURL = "https://" + door.Listener.Addr().String() })...)
	secure, err := s.server.CertificateTLS()
	if err != nil {
		t.Fatal(err)
	}
	secure.Time = s.clock.Now
	door.TLS, door.Config.Handler = secure, s.server.CertificateHandler()
	door.StartTLS()
	t.Cleanup(door.Close)
	return s
}

// withCertificate is the same browser with the certificate of a PEM, or none. It
// trusts the listener's certificate and presents its own to whoever asks.
func (s *sim) withCertificate(content string) *sim {
	s.t.Helper()
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM([]byte(s.get(s.server.URL() + "/sim/certificados/servidor.pem").text)) {
		s.t.Fatal("no certificate of the listener")
	}
	config := &tls.Config{RootCAs: trusted, Time: s.clock.Now}
	if content != "" {
		pair, err := tls.X509KeyPair([]byte(content), []byte(content))
		if err != nil {
			s.t.Fatal(err)
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	transport := &http.Transport{TLSClientConfig: config}
	s.t.Cleanup(transport.CloseIdleConnections)
	c := *s
	client := *s.client
	client.Transport = transport
	c.client = &client
	return &c
}

// door goes from the first screen to the listener with a certificate and back.
func (s *sim) door(login answer, content string) answer {
	s.t.Helper()
	form := hidden(login.text)
	return s.doorOf(form.Get("authorization_id"), form.Get("client_id"), content)
}

func (s *sim) doorOf(id, client, content string) answer {
	s.t.Helper()
	to := s.get("/login/certificado?" + url.Values{"authorization_id": {id}, "client_id": {client}}.Encode()).Header.Get("Location")
	if !strings.HasPrefix(to, s.server.options.CertificateURL) {
		s.t.Fatalf("not at the listener: %q", to)
	}
	return s.follow(s.withCertificate(content).get(to))
}

func (s *sim) testPEM(path string) string {
	s.t.Helper()
	a := s.get("/sim/certificados/" + path)
	if a.StatusCode != http.StatusOK || !strings.Contains(a.Header.Get("Content-Disposition"), ".pem") {
		s.t.Fatalf("%s: %d %s", path, a.StatusCode, a.text)
	}
	return a.text
}

const consentTitle = "Autorização de uso de dados pessoais"

// tokensOf ends an entry at the consent or past it.
func (s *sim) tokensOf(page answer) tokenAnswer {
	s.t.Helper()
	if strings.Contains(page.text, consentTitle) {
		page = s.fill(page, "/login/autorizacao", "decisao", "autorizar")
	}
	a := s.redeem(s.returned(page).Get("code"))
	var out tokenAnswer
	if err := json.Unmarshal([]byte(a.text), &out); err != nil || a.StatusCode != http.StatusOK {
		s.t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	return out
}

// TestEntryWithECPF signs a person in by mutual TLS: amr and the selo say so.
func TestEntryWithECPF(t *testing.T) {
	t.Parallel()
	s := startDoor(t)
	out := s.tokensOf(s.door(s.follow(s.authorize()), s.testPEM("e-cpf/"+string(bruno))))
	c := claims(t, out.IDToken)
	if amr, _ := json.Marshal(c["amr"]); string(amr) != `["x509","x509_token"]` || c["sub"] != string(bruno) || c["cnpj"] != nil {
		t.Errorf("%v", c)
	}
	if info, _ := json.Marshal(c["reliability_info"]); !strings.Contains(string(info), `"801"`) || !strings.Contains(string(info), `"gold"`) {
		t.Errorf("%s", info)
	}
}

// TestEntryWithECNPJ gives the claims of the company and links the person, in a
// world of its own.
func TestEntryWithECNPJ(t *testing.T) {
	t.Parallel()
	root := startDoor(t)
	s := root.inWorld("empresa")
	c, m := s.unlinked()
	before := len(s.server.worlds["empresa"].people[m.CPF].Selos)
	out := s.tokensOf(s.door(s.follow(s.authorize()), s.testPEM("e-cnpj/"+string(c.CNPJ)+"/"+string(m.CPF))))
	id, access := claims(t, out.IDToken), claims(t, out.AccessToken)
	if id["cnpj"] != c.CNPJ.Masked() || id["cnpj_certificate_name"] != c.Name || access["cnpj"] != c.CNPJ.Masked() || id["sub"] != string(m.CPF) {
		t.Errorf("%v %v", id, access)
	}
	linked := s.server.worlds["empresa"].companies[c.CNPJ].member(m.CPF)
	if linked == nil || !linked.Linked || !linked.Registrar {
		t.Errorf("%+v", linked)
	}
	if now := len(s.server.worlds["empresa"].people[m.CPF].Selos); now != before {
		t.Errorf("an e-CNPJ gave the person a selo: %d, %d before", now, before)
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// unlinked is a company with somebody in the Receita Federal's base who has not
// linked the account yet.
func (s *sim) unlinked() (*Company, Member) {
	s.t.Helper()
	w, err := s.server.World(strings.TrimPrefix(strings.TrimPrefix(s.url, s.server.URL()), worldPath))
	if err != nil {
		w, _ = s.server.World(DefaultWorld)
	}
	for _, c := range sorted(w.companies) {
		for _, m := range c.Members {
			if m.Acting != Contributor && w.people[m.CPF] != nil && w.people[m.CPF].Situation != Deceased {
				if err := w.changeCompany(c.CNPJ, func(c *Company) { at := c.member(m.CPF); at.Linked, at.Registrar = false, false }); err != nil {
					s.t.Fatal(err)
				}
				return c, m
			}
		}
	}
	s.t.Fatal("no such company")
	return nil, Member{}
}

// TestCertificatesThatDoNotDo end at a plain page, and sign nobody in.
func TestCertificatesThatDoNotDo(t *testing.T) {
	t.Parallel()
	s := startDoor(t)
	for flaw, text := range map[string]string{"vencido": "venceu", "revogado": "revogado", "outra-ac": "autoridade", "sem-cpf": "CPF", "sem-uso": "", "": "Nenhum certificado digital"} {
		b := s.newBrowser()
		content := ""
		if flaw != "" {
			content = b.testPEM("e-cpf/" + string(bruno) + "?defeito=" + flaw)
		}
		a := b.door(b.follow(b.authorize()), content)
		if a.StatusCode != http.StatusForbidden || !strings.Contains(a.text, "<h1>Certificado não aceito</h1>") || !strings.Contains(a.text, text) || !strings.Contains(a.text, "Tentar de novo") {
			t.Errorf("%s: %d %s", flaw, a.StatusCode, a.text)
		}
		if again := b.get("/sim/confiabilidades/?niveis=1"); !strings.Contains(again.Header.Get("Location"), "/login?") {
			t.Errorf("%s signed somebody in", flaw)
		}
	}
	for _, path := range []string{"e-cpf/" + string(bruno) + "?defeito=nenhum", "e-cpf/" + string(bruno) + "?defeito=equipamento"} {
		if a := s.get("/sim/certificados/" + path); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
}

// TestACertificateBelongsToItsBrowser: neither the way there nor the way back can
// be put under another browser's entry.
func TestACertificateBelongsToItsBrowser(t *testing.T) {
	t.Parallel()
	s := startDoor(t)
	login := hidden(s.follow(s.authorize()).text)
	q := url.Values{"authorization_id": {login.Get("authorization_id")}, "client_id": {login.Get("client_id")}}
	other := s.newBrowser()
	if a := other.get("/login/certificado?" + q.Encode()); a.StatusCode != http.StatusNotFound {
		t.Errorf("another browser gets a ticket: %d", a.StatusCode)
	}
	to := s.get("/login/certificado?" + q.Encode()).Header.Get("Location")
	content := s.testPEM("e-cpf/" + string(clara))
	forged, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	bad := forged.Query()
	bad.Set("bilhete", strings.Repeat("0", 32))
	forged.RawQuery = bad.Encode()
	if back := s.withCertificate(content).get(forged.String()).Header.Get("Location"); strings.Contains(back, "prova=") {
		t.Errorf("a wrong ticket is taken: %s", back)
	}
	back := s.withCertificate(content).get(to).Header.Get("Location")
	if a := other.get(back); a.StatusCode != http.StatusNotFound {
		t.Errorf("another browser enters with the proof: %d %s", a.StatusCode, a.Header.Get("Location"))
	}
	if a := s.follow(s.get(back)); !strings.Contains(a.text, consentTitle) {
		t.Errorf("the right browser does not enter: %s", a.text)
	}
	if a := s.withCertificate(content).get(to); strings.Contains(a.Header.Get("Location"), "prova=") {
		t.Error("a ticket is good twice")
	}
	if a := s.withCertificate(content).get(s.server.options.CertificateURL + "/outra"); a.Header.Get("Location") != s.server.URL()+"/sim/certificados" {
		t.Errorf("elsewhere: %s", a.Header.Get("Location"))
	}
}

// TestACertificateMakesAnAccount of somebody who has none, at the last step.
func TestACertificateMakesAnAccount(t *testing.T) {
	t.Parallel()
	s := startDoor(t)
	born, _ := brasil.NewDate(1970, 5, 7)
	if a := s.admin(http.MethodPost, "/pessoas", Person{CPF: newcomer, Name: "ZULMIRA NOVA", Born: born, Email: "z@p.invalid", Password: "x"}, nil); a.StatusCode != http.StatusCreated {
		t.Fatal(a.text)
	}
	content := s.testPEM("e-cpf/" + string(newcomer))
	s.admin(http.MethodDelete, "/pessoas/"+string(newcomer), nil, nil)
	page := s.door(s.follow(s.authorize()), content)
	if !strings.Contains(page.text, "Falta só a senha da conta") {
		t.Fatalf("%s", page.text)
	}
	page = s.fill(page, "/login/cadastro/senha", "senha", goodPassword, "repetida", goodPassword)
	out := s.tokensOf(page)
	if c := claims(t, out.IDToken); c["name"] != "ZULMIRA NOVA" || !strings.Contains(toJSON(t, c["amr"]), "x509_token") {
		t.Errorf("%v", c)
	}
	if p := s.server.worlds[DefaultWorld].people[newcomer]; p.Born != born || !p.hasSelo("801") || p.EmailVerified {
		t.Errorf("%+v", p)
	}
}

// TestCloudCertificate chooses a provider, and the code of its app lets in.
func TestCloudCertificate(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := s.follow(s.authorize())
	if strings.Contains(page.text, "/login/certificado") {
		t.Error("a listener is offered that is not there")
	}
	form := hidden(page.text)
	page = s.follow(s.get("/login/nuvem?" + form.Encode()))
	if a := s.fill(page, "/login/nuvem", "cpf", "1"); !strings.Contains(a.text, `id="errado-cpf"`) || !strings.Contains(a.text, `id="errado-provedor"`) {
		t.Errorf("%s", a.text)
	}
	page = s.fill(page, "/login/nuvem", "cpf", clara.Masked(), "provedor", "neoid")
	if !strings.Contains(page.text, "NeoID (Serpro)") {
		t.Fatalf("%s", page.text)
	}
	if a := s.fill(page, "/login/nuvem/codigo", "certificado", "e-cpf", "codigo", "0"); !strings.Contains(a.text, "Código incorreto") {
		t.Errorf("%s", a.text)
	}
	if a := s.fill(page, "/login/nuvem/codigo", "certificado", "11222333000181x", "codigo", s.lastMessage().Code); !strings.Contains(a.text, "Escolha um dos certificados") {
		t.Errorf("%s", a.text)
	}
	out := s.tokensOf(s.fill(page, "/login/nuvem/codigo", "certificado", "e-cpf", "codigo", s.lastMessage().Code))
	if amr := toJSON(t, claims(t, out.IDToken)["amr"]); amr != `["x509","x509_neoid"]` {
		t.Errorf("%s", amr)
	}
}

// TestTheAuthorityIsKept: a certificate of before a restart is still good, and a
// revoked one still is not.
func TestTheAuthorityIsKept(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "estado.json")
	keep := func(o *Options) { o.State = state }
	s := startDoor(t, keep)
	good, bad := s.testPEM("e-cpf/"+string(bruno)), s.testPEM("e-cpf/"+string(bruno)+"?defeito=revogado")
	if err := s.server.Save(); err != nil {
		t.Fatal(err)
	}
	s = startDoor(t, keep)
	if a := s.door(s.follow(s.authorize()), good); !strings.Contains(a.text, consentTitle) {
		t.Errorf("%s", a.text)
	}
	b := s.newBrowser()
	if a := b.door(b.follow(b.authorize()), bad); a.StatusCode != http.StatusForbidden {
		t.Errorf("revoked: %d", a.StatusCode)
	}
}

// TestTheAuthorityIsPublished: its certificates and lists are where those that it
// issued say.
func TestTheAuthorityIsPublished(t *testing.T) {
	t.Parallel()
	s := start(t)
	block, _ := pem.Decode([]byte(s.testPEM("e-cpf/" + string(clara))))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range append(cert.CRLDistributionPoints, strings.Replace(cert.CRLDistributionPoints[0], "ac.crl", "raiz.crl", 1)) {
		if _, err := icpbrasil.ParseCRL([]byte(s.get(at).text)); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
	for _, at := range append(cert.IssuingCertificateURL, strings.Replace(cert.IssuingCertificateURL[0], "ac.cer", "raiz.cer", 1)) {
		if _, err := x509.ParseCertificate([]byte(s.get(at).text)); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
	for _, path := range []string{"/sim/icp/lcr/x.crl", "/sim/icp/lcr3/ac.crl", "/sim/icp/x.cer"} {
		if a := s.get(path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
	if id, err := icpbrasil.Parse(cert); err != nil || id.Person.CPF != clara || !strings.Contains(cert.Subject.CommonName, "TESTE SEM VALOR") {
		t.Errorf("%v %v", id, err)
	}
	if page := s.get("/sim/certificados"); !strings.Contains(page.text, "e-cpf-"+string(clara)+".pem") || !strings.Contains(page.text, "openssl pkcs12") {
		t.Errorf("%s", page.text)
	}
}
