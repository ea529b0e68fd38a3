package govbrsim

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"selo/brasil"
	"selo/clock"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// begin is when the tests' clock starts.
var begin = time.Date(2026, 11, 20, 15, 0, 0, 1e6, time.UTC)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	content, err := os.ReadFile("testdata/chave-de-teste.pem")
	if err != nil {
		panic(err)
	}
	block, _ := pem.Decode(content)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	return key
})

// sim is a simulator whose answers are the same each time, on a real listener.
type sim struct {
	t      *testing.T
	server *Server
	clock  *clock.Manual
	url    string // the world's
	client *http.Client
}

// start runs a simulator; change may alter its options.
func start(t *testing.T, change ...func(*Options)) *sim {
	t.Helper()
	var seed [32]byte
	o := Options{Clock: clock.NewManual(begin), Key: testKey(), Random: rand.NewChaCha8(seed)}
	for _, c := range change {
		c(&o)
	}
	var server *Server
	listener := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { server.ServeHTTP(w, r) }))
	o.URL = "http://" + listener.Listener.Addr().String()
	server, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	listener.Start()
	t.Cleanup(listener.Close)
	manual, _ := o.Clock.(*clock.Manual)
	return (&sim{t: t, server: server, clock: manual, url: o.URL}).newBrowser()
}

// newBrowser is the same simulator seen by a browser without cookies.
func (s *sim) newBrowser() *sim {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	c := *s
	c.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &c
}

// inWorld is the same simulator in a world of its own.
func (s *sim) inWorld(name string) *sim {
	w, err := s.server.CreateWorld(name)
	if err != nil {
		s.t.Fatal(err)
	}
	c := *s
	c.url = w.base
	return c.newBrowser()
}

// answer is a response that was read whole.
type answer struct {
	*http.Response
	text string
}

func (s *sim) do(r *http.Request) answer {
	s.t.Helper()
	res, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{res, string(body)}
}

// at makes an address of a path; whole addresses stay.
func (s *sim) at(path string) string {
	if strings.HasPrefix(path, "http") {
		return path
	}
	return s.url + path
}

func (s *sim) get(path string, headers ...string) answer {
	s.t.Helper()
	return s.request(http.MethodGet, path, "", headers...)
}

func (s *sim) request(method, path, body string, headers ...string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.at(path), strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return s.do(r)
}

func (s *sim) post(path string, form url.Values, headers ...string) answer {
	s.t.Helper()
	return s.request(http.MethodPost, path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

// admin sends JSON to the administration and reads the answer into out.
func (s *sim) admin(method, path string, in, out any) answer {
	s.t.Helper()
	body := ""
	if in != nil {
		content, err := json.Marshal(in)
		if err != nil {
			s.t.Fatal(err)
		}
		body = string(content)
	}
	a := s.request(method, "/sim/admin"+path, body, "Content-Type", "application/json")
	if out != nil {
		if err := json.Unmarshal([]byte(a.text), out); err != nil {
			s.t.Fatalf("%s %s: %v in %q", method, path, err, a.text)
		}
	}
	return a
}

// set sets the world's switches.
func (s *sim) set(switches map[string]any) {
	s.t.Helper()
	if a := s.admin(http.MethodPut, "/interruptores", switches, nil); a.StatusCode != http.StatusOK {
		s.t.Fatalf("switches: %d %s", a.StatusCode, a.text)
	}
}

const (
	exampleID     = "h-exemplo.teste.gov.br"
	exampleSecret = "segredo-de-exemplo"
	exampleBack   = "http://localhost:3000/retorno"
	verifier      = "LUnicoAplicacaoCodeVerifierTamanhoComMinimo"
	challenge     = "J7rD2y0WG26mzgvdEizXMOdDPbB_Z5wpPULzv1KmVEg"

	ana    = brasil.CPF("52998224725")
	bruno  = brasil.CPF("11144477735")
	clara  = brasil.CPF("12345678909")
	davi   = brasil.CPF("90000000175")
	elisa  = brasil.CPF("90000000256")
	fabio  = brasil.CPF("90000000337")
	gil    = brasil.CPF("90000000418")
	helena = brasil.CPF("90000000507")
	ivo    = brasil.CPF("90000000680")
	joana  = brasil.CPF("90000000760")
	kelvin = brasil.CPF("90000000841")
	nina   = brasil.CPF("90000001147")
	paula  = brasil.CPF("90000001309")
)

// asked are the parameters of a right request; pairs change them, an empty
// value takes one away.
func asked(pairs ...string) url.Values {
	q := url.Values{"response_type": {"code"}, "client_id": {exampleID}, "redirect_uri": {exampleBack}, "scope": {strings.Join(DefaultScopes(), " ")},
		"nonce": {"nonce-de-teste"}, "state": {"estado-de-teste"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	return q
}

func (s *sim) authorize(pairs ...string) answer {
	s.t.Helper()
	return s.get("/authorize?" + asked(pairs...).Encode())
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)"`)

// hidden are the hidden fields of the first form of a page.
func hidden(page string) url.Values {
	form := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], strings.ReplaceAll(m[2], "&amp;", "&"))
	}
	return form
}

// fill sends the page's form with further fields and follows it within the
// simulator: the answer is a page, or a redirect elsewhere.
func (s *sim) fill(page answer, path string, pairs ...string) answer {
	s.t.Helper()
	form := hidden(page.text)
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return s.follow(s.post(path, form))
}

func (s *sim) follow(a answer) answer {
	s.t.Helper()
	for range 10 {
		to := a.Header.Get("Location")
		if to == "" || !strings.HasPrefix(to, s.url+"/") {
			return a
		}
		a = s.get(to)
	}
	s.t.Fatal("too many redirects")
	return a
}

// signIn goes through CPF and password and stops at what comes then.
func (s *sim) signIn(a answer, cpf brasil.CPF) answer {
	s.t.Helper()
	page := s.follow(a)
	page = s.fill(page, "/login/cpf", "cpf", cpf.Masked())
	return s.fill(page, "/login/senha", "senha", "simulado")
}

// enter goes through every screen of a person without second factor and returns
// the parameters that the client gets.
func (s *sim) enter(cpf brasil.CPF, pairs ...string) url.Values {
	s.t.Helper()
	a := s.signIn(s.authorize(pairs...), cpf)
	if strings.Contains(a.text, "Autorização de uso de dados pessoais") {
		a = s.fill(a, "/login/autorizacao", "decisao", "autorizar")
	}
	return s.returned(a)
}

// returned reads what the client gets.
func (s *sim) returned(a answer) url.Values {
	s.t.Helper()
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.StatusCode != http.StatusFound || !strings.HasPrefix(u.String(), "http://localhost:3000/") {
		s.t.Fatalf("not back at the client: %d %q %s", a.StatusCode, a.Header.Get("Location"), a.text)
	}
	return u.Query()
}

// redeem exchanges a code; pairs change the form.
func (s *sim) redeem(code string, pairs ...string) answer {
	s.t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {exampleBack}, "code_verifier": {verifier}}
	for i := 0; i+1 < len(pairs); i += 2 {
		if form.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			form.Del(pairs[i])
		}
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.at("/token"), strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(exampleID, exampleSecret)
	return s.do(r)
}

// direct makes a code without screens.
func (s *sim) direct(cpf brasil.CPF, more map[string]any) string {
	s.t.Helper()
	in := map[string]any{"cpf": cpf, "client_id": exampleID, "redirect_uri": exampleBack, "nonce": "nonce-de-teste", "code_challenge": challenge,
		"state": "estado-de-teste"}
	for k, v := range more {
		in[k] = v
	}
	var out directAnswer
	if a := s.admin(http.MethodPost, "/autorizacoes", in, &out); a.StatusCode != http.StatusCreated {
		s.t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	return out.Code
}

// tokens signs a person in without screens.
func (s *sim) tokens(cpf brasil.CPF, more map[string]any) tokenAnswer {
	s.t.Helper()
	a := s.redeem(s.direct(cpf, more))
	var out tokenAnswer
	if err := json.Unmarshal([]byte(a.text), &out); err != nil || a.StatusCode != http.StatusOK {
		s.t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	return out
}

// claims reads the second part of a token.
func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	var c map[string]any
	if err := json.Unmarshal(part(t, token, 1), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// golden compares with a file of testdata, in which SIM is the address.
func (s *sim) golden(name, got string) {
	s.t.Helper()
	got = strings.ReplaceAll(got, s.url, "SIM")
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if got != string(want) {
		s.t.Errorf("%s:\n got %s\nwant %s", name, got, want)
	}
}

func TestManualVector(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte(verifier))
	if got := b64(sum[:]); got != challenge {
		t.Errorf("challenge %s", got)
	}
}
