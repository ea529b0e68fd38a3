package govbrsim_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"selo/brasil"
	"selo/clock"
	"selo/document/pdfsign"
	"selo/fault"
	"selo/govbr"
	"selo/govbr/govbrsim"

	"codeberg.org/go-pdf/fpdf"
)

const (
	bruno = brasil.CPF("11144477735") // prata
	clara = brasil.CPF("12345678909") // ouro
	ivo   = brasil.CPF("90000000680") // certificate in the cloud
	ana   = brasil.CPF("52998224725") // bronze
	mario = brasil.CPF("90000001066") // deceased
)

// service is the simulator as the clients of package govbr know it: by its
// addresses alone.
type service struct {
	t     *testing.T
	url   string
	clock *clock.Manual
	http  *http.Client // a person's browser
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{t: t, clock: clock.NewManual(time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC))}
	var server *govbrsim.Server
	listener := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { server.ServeHTTP(w, r) }))
	s.url = "http://" + listener.Listener.Addr().String()
	server, err := govbrsim.New(govbrsim.Options{URL: s.url, Clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	listener.Start()
	t.Cleanup(listener.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.http = &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), s.url+"/") {
			return http.ErrUseLastResponse // the client's address: nobody listens there
		}
		return nil
	}}
	return s
}

func (s *service) config() govbr.Config {
	return govbr.Config{Environment: govbr.Simulated, Local: true,
		Endpoints: govbr.Endpoints{SSO: s.url, API: s.url + "/sim/api", Catalogue: s.url + "/sim/confiabilidades", CAS: s.url + "/sim/cas",
			Signature: s.url + "/sim/assinatura", ProofOfLife: s.url + "/sim/meugov"},
		Signing: govbr.Credential{ID: "assinatura.teste.gov.br", Secret: govbr.NewSecret("segredo-de-assinatura")}, SignRedirect: "http://localhost:3000/assinatura/retorno",
		ProofOfLife: govbr.Credential{ID: "prova-de-vida.teste.gov.br", Secret: govbr.NewSecret("segredo-de-prova-de-vida")}}
}

// do sends a request of the browser, and gives where it is led and what it is shown.
func (s *service) do(method, address string, form url.Values) (location, page string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := s.http.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.Header.Get("Location"), string(body)
}

var field = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)"`)

// fill sends the page's form with further fields.
func (s *service) fill(page, path string, pairs ...string) (location, next string) {
	s.t.Helper()
	form := url.Values{}
	for _, m := range field.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], m[2])
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return s.do(http.MethodPost, s.url+path, form)
}

// authorise goes through the screens as a person does, and gives the query of the return.
func (s *service) authorise(address string, who brasil.CPF, provider string) url.Values {
	s.t.Helper()
	_, page := s.do(http.MethodGet, address, nil)
	if strings.Contains(page, "Número do CPF") {
		_, page = s.fill(page, "/login/cpf", "cpf", who.Masked())
		_, page = s.fill(page, "/login/senha", "senha", "simulado")
	}
	if provider != "" {
		_, page = s.fill(page, "/sim/cas/certificado", "certificado", provider)
	}
	if !strings.Contains(page, "Autorização de assinatura") {
		s.t.Fatalf("no screen: %s", page)
	}
	to, text := s.fill(page, "/sim/cas/autorizacao", "decisao", "autorizar", "codigo", "12345")
	back, err := url.Parse(to)
	if err != nil || to == "" {
		s.t.Fatalf("%q, %v: %s", to, err, text)
	}
	return back.Query()
}

// roots reads the first certificate of a chain that the simulator offers.
func (s *service) roots(path string) (*x509.CertPool, string) {
	s.t.Helper()
	_, text := s.do(http.MethodGet, s.url+path, nil)
	end := strings.Index(text, "-----END CERTIFICATE-----\n") + len("-----END CERTIFICATE-----\n")
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(text[:end])) {
		s.t.Fatal("no root")
	}
	return pool, text[:end]
}

func (s *service) signing(path string) *govbr.Signing {
	s.t.Helper()
	pool, _ := s.roots(path)
	c, err := govbr.NewSigning(s.config(), pool, nil, govbr.Options{Clock: s.clock, Pause: time.Millisecond})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// leave begins an authorisation and ends it.
func (s *service) leave(c *govbr.Signing, kind govbr.SigningKind, batch bool, who brasil.CPF, provider string) *govbr.SigningToken {
	s.t.Helper()
	pending, address, err := c.Start(govbr.Gold, kind, batch)
	if err != nil {
		s.t.Fatal(err)
	}
	token, err := c.Finish(s.t.Context(), pending, s.authorise(address, who, provider))
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// TestClientSigns: the client of package govbr has documents signed through the
// screens, by gov.br's certificate and by one of ICP-Brasil's.
func TestClientSigns(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.signing("/sim/assinatura/cadeia.pem")
	if _, _, err := c.Start(govbr.Bronze, govbr.Advanced, false); !fault.HasKey(err, "govbr.sign.level") {
		t.Errorf("bronze: %v", err)
	}
	token := s.leave(c, govbr.Advanced, false, bruno, "")
	me := govbr.Signatory{CPF: bruno, Name: "Bruno Prata Fictício"}
	cert, err := c.Certificate(t.Context(), token)
	if err != nil || cert.Subject.CommonName != me.Name {
		t.Fatalf("certificate: %v", err)
	}
	digest := sha256.Sum256([]byte("documento"))
	signed, err := c.Sign(t.Context(), token, digest, me)
	if err != nil || signed.Person != govbr.MatchCPF || !signed.Signer.Equal(cert) || !signed.SignedAt.Equal(s.clock.Now()) {
		t.Fatalf("%+v, %v", signed, err)
	}
	if _, err := c.Sign(t.Context(), token, digest, me); !fault.HasKey(err, "govbr.sign.used") {
		t.Errorf("twice: %v", err)
	}
	batch := s.leave(c, govbr.Advanced, true, bruno, "")
	for i := range 3 {
		if _, err := c.Sign(t.Context(), batch, sha256.Sum256([]byte{byte(i)}), me); err != nil {
			t.Errorf("%d of a batch: %v", i, err)
		}
	}
	if _, err := c.Sign(t.Context(), batch, digest, govbr.Signatory{CPF: clara, Name: "Clara"}); !fault.HasKey(err, "govbr.sign.person") {
		t.Errorf("another person: %v", err)
	}
	other := newService(t)
	q := other.signing("/sim/assinatura/cadeia-icp.pem")
	signed, err = q.Sign(t.Context(), other.leave(q, govbr.AnyKind, false, ivo, "vidaas"), digest, govbr.Signatory{CPF: ivo})
	if err != nil || signed.Person != govbr.MatchCPF {
		t.Errorf("qualified: %+v, %v", signed, err)
	}
}

// TestClientIsRefused: each refusal and each flaw becomes the client's fault.
func TestClientIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.signing("/sim/assinatura/cadeia.pem")
	direct := func(who brasil.CPF) *govbr.SigningToken {
		pending, address, err := c.Start(govbr.Gold, govbr.Advanced, false)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		out := s.admin(http.MethodPost, "/assinatura/autorizacoes", map[string]any{"cpf": who, "client_id": u.Query().Get("client_id"),
			"redirect_uri": u.Query().Get("redirect_uri"), "scope": u.Query().Get("scope"), "state": pending.State})
		back, err := url.Parse(out["endereco"].(string))
		if err != nil {
			t.Fatal(err)
		}
		token, err := c.Finish(t.Context(), pending, back.Query())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Finish(t.Context(), pending, back.Query()); !fault.HasKey(err, "govbr.sign.code") {
			t.Errorf("replay: %v", err)
		}
		return token
	}
	digest := sha256.Sum256(nil)
	for who, key := range map[brasil.CPF]string{ana: "govbr.sign.level", mario: "govbr.sign.cpf"} {
		token := direct(who)
		if _, err := c.Certificate(t.Context(), token); !fault.HasKey(err, key) {
			t.Errorf("certificate: %v, want %s", err, key)
		}
		if _, err := c.Sign(t.Context(), token, digest, govbr.Signatory{CPF: who}); !fault.HasKey(err, key) {
			t.Errorf("sign: %v, want %s", err, key)
		}
	}
	me := govbr.Signatory{CPF: clara, Name: "Clara Ouro Fictícia"}
	for flaw, want := range map[string]string{"resumo": "cms.digest", "assinatura": "cms.signature", "anexada": "cms.attached", "outra_pessoa": "govbr.sign.person",
		"outra_ac": "cms.untrusted", "vencido": "cms.untrusted", "sem_cadeia": "cms.untrusted", "cpf_no_cn": "cpf", "sem_cpf": "nome"} {
		s.admin(http.MethodPut, "/interruptores", map[string]any{"defeitos_assinatura": []string{flaw}})
		signed, err := c.Sign(t.Context(), direct(clara), digest, me)
		if strings.Contains(want, ".") && !fault.HasKey(err, want) || !strings.Contains(want, ".") && string(signed.Person) != want {
			t.Errorf("%s: %v %v, want %s", flaw, signed.Person, err, want)
		}
	}
	s.admin(http.MethodPut, "/interruptores", map[string]any{})
	late := direct(clara)
	s.clock.Advance(600 * time.Second)
	if _, err := c.Sign(t.Context(), late, digest, me); !fault.HasKey(err, "govbr.sign.used") {
		t.Errorf("late: %v", err)
	}
}

// admin asks the simulator's administration.
func (s *service) admin(method, path string, in any) map[string]any {
	s.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/sim/admin"+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	out := map[string]any{}
	if res.StatusCode == http.StatusNoContent {
		return out
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %v", method, path, res.StatusCode, out)
	}
	return out
}

// TestClientSignsPDF: a PDF that goes through the screens is found good by the
// client, by pdfsig and, up to the root, by openssl.
func TestClientSignsPDF(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.signing("/sim/assinatura/cadeia.pem")
	doc := fpdf.New("P", "mm", "A4", "")
	doc.AddPage()
	var plain bytes.Buffer
	if err := doc.Output(&plain); err != nil {
		t.Fatal(err)
	}
	me := govbr.Signatory{CPF: clara, Name: "Clara Ouro Fictícia"}
	room, err := pdfsign.Prepare(plain.Bytes(), pdfsign.Options{Name: me.Name, Reason: "Teste"})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := c.Sign(t.Context(), s.leave(c, govbr.Advanced, false, clara, ""), room.Digest(), me)
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := room.Embed(signed.CMS)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pdfsign.Signatures(pdf)
	if err != nil || len(found) != 1 || !found[0].Whole {
		t.Fatalf("%v, %v", found, err)
	}
	if again, err := c.Check(found[0].CMS, found[0].Digest, me); err != nil || again.Person != govbr.MatchCPF {
		t.Errorf("%v", err)
	}
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sig := exec.CommandContext(t.Context(), "pdfsig", "-nocert", file("a.pdf", pdf))
	sig.Env = append(os.Environ(), "HOME="+dir, "LC_ALL=C") // it must not open the user's own key store
	out, err := sig.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Signature is Valid") || !strings.Contains(string(out), "Clara Ouro") || !strings.Contains(string(out), "Total document signed") {
		t.Errorf("pdfsig: %v: %s", err, out)
	}
	covered := room.ByteRange()
	content := append(bytes.Clone(pdf[covered[0]:covered[0]+covered[1]]), pdf[covered[2]:covered[2]+covered[3]]...)
	_, root := s.roots("/sim/assinatura/cadeia.pem")
	out, err = exec.CommandContext(t.Context(), "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", file("a.p7s", found[0].CMS), "-content", file("a.bin", content),
		"-CAfile", file("raiz.pem", []byte(root)), "-attime", "1795186800", "-out", os.DevNull).CombinedOutput()
	if err != nil {
		t.Errorf("openssl: %v: %s", err, out)
	}
}
