package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selo/clock"
	"selo/document/pdfsign"
	"selo/govbr/govbrsim"
)

const (
	ana   = "52998224725" // bronze
	clara = "12345678909" // ouro
)

// site is the example beside a simulator, and one browser at it.
type site struct {
	t        *testing.T
	sim, url string
	browser  *http.Client
}

func startSite(t *testing.T) *site {
	t.Helper()
	var sim *govbrsim.Server
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sim.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	var err error
	if sim, err = govbrsim.New(govbrsim.Options{URL: server.URL, Clock: clock.System{}}); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "govbr.json")
	if err := os.WriteFile(config, bytes.ReplaceAll(simulator, []byte("http://127.0.0.1:8082"), []byte(server.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := start(t.Context(), config, "")
	if err != nil {
		t.Fatal(err)
	}
	here := httptest.NewServer(a.routes())
	t.Cleanup(here.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &site{t: t, sim: server.URL, url: here.URL, browser: &http.Client{Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// ask gives the status, the page and where it leads to. A form is posted.
func (s *site) ask(path string, form url.Values, header ...string) (status int, text, to string) {
	s.t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := s.browser.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(body), res.Header.Get("Location")
}

// comeBack has the simulator decide what its screens would have, and gives the
// path that the browser comes back to.
func (s *site) comeBack(admin, cpf, asked string) string {
	s.t.Helper()
	u, err := url.Parse(asked)
	if err != nil {
		s.t.Fatal(err)
	}
	q := u.Query()
	in := map[string]any{"cpf": cpf, "client_id": q.Get("client_id"), "redirect_uri": q.Get("redirect_uri"), "state": q.Get("state")}
	if admin == "/autorizacoes" {
		in["nonce"], in["code_challenge"] = q.Get("nonce"), q.Get("code_challenge")
	} else {
		in["scope"] = q.Get("scope")
	}
	back, err := url.Parse(s.admin(http.MethodPost, admin, in)["endereco"].(string))
	if err != nil {
		s.t.Fatal(err)
	}
	return back.RequestURI()
}

func (s *site) admin(method, path string, in any) map[string]any {
	s.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.sim+"/sim/admin"+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	var out map[string]any
	if res.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode >= 300 {
		s.t.Fatalf("%s: %s %v %v", path, res.Status, out, err)
	}
	return out
}

func (s *site) enter(cpf string) {
	s.t.Helper()
	_, _, asked := s.ask("/entrar", url.Values{"volta": {"//outro.invalid"}})
	if status, text, to := s.ask(s.comeBack("/autorizacoes", cpf, asked), nil); status != http.StatusSeeOther || to != "/" {
		s.t.Fatalf("%d %s %s", status, to, text)
	}
}

// has checks what a page answers and says.
func (s *site) has(path string, form url.Values, status int, text string) {
	s.t.Helper()
	if got, page, _ := s.ask(path, form); got != status || !strings.Contains(page, text) {
		s.t.Errorf("%s: %d, want %d with %q:\n%s", path, got, status, text, page)
	}
}

// TestSigns: nobody and bronze are stopped, gold signs twice, files hold.
func TestSigns(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	for _, path := range []string{"/assinar", "/assinado", "/assinado/assinado.pdf", "/assinatura/retorno?code=x&state=", "/prova-de-vida"} {
		s.has(path, nil, http.StatusForbidden, "Entre primeiro")
	}
	s.has("/retorno?code=x&state=", nil, http.StatusConflict, "Entrar com GOV.BR") // nothing was begun
	sample := url.Values{"exemplo": {"1"}}
	s.enter(ana)
	s.has("/", nil, http.StatusOK, "bronze")
	s.has("/assinar", sample, http.StatusForbidden, s.sim+"/sim/confiabilidades/?")
	if status, _, to := s.ask("/retorno", nil); status != http.StatusSeeOther || !strings.HasPrefix(to, s.sim+"/authorize?") {
		t.Errorf("back from the catálogo: %d %s", status, to)
	}
	s.enter(clara)
	s.has("/assinatura/retorno?code=x&state=", nil, http.StatusConflict, "de novo") // nothing was begun
	s.has("/assinar", url.Values{"x": {"1"}}, http.StatusUnprocessableEntity, "não é um PDF")
	if status, _, _ := s.ask("/assinar", sample, "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("another site's form: %d", status)
	}
	_, _, asked := s.ask("/assinar", sample)
	back := s.comeBack("/assinatura/autorizacoes", clara, asked)
	s.has(strings.Replace(back, "state=", "state=x", 1), nil, http.StatusForbidden, "não é da entrada")
	_, _, asked = s.ask("/assinar", sample)
	if status, text, to := s.ask(s.comeBack("/assinatura/autorizacoes", clara, asked), nil); status != http.StatusSeeOther || to != "/assinado" {
		t.Fatalf("%d %s %s", status, to, text)
	}
	s.has("/assinado", nil, http.StatusOK, "O CPF do certificado é o de quem entrou")
	s.has("/assinado/outro", nil, http.StatusNotFound, "")
	_, pdf, _ := s.ask("/assinado/assinado.pdf", nil)
	found, err := pdfsign.Signatures([]byte(pdf))
	if err != nil || len(found) != 1 || !found[0].Whole {
		t.Errorf("%+v, %v", found, err)
	}
	if _, original, _ := s.ask("/assinado/documento.pdf", nil); original != string(declaration) || !strings.HasPrefix(pdf, original) {
		t.Error("the document was changed")
	}
	s.enter(ana)
	s.has("/assinado/assinado.pdf", nil, http.StatusNotFound, "") // another person's
	if status, _, to := s.ask("/sair", url.Values{}); status != http.StatusSeeOther || !strings.HasPrefix(to, s.sim+"/logout") {
		t.Errorf("leaving: %d %s", status, to)
	}
	s.has("/assinar", nil, http.StatusForbidden, "Entre primeiro")
}

// TestProvesLife brings a proof of life into each state that the page knows.
func TestProvesLife(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.enter(clara)
	s.has("/prova-de-vida", nil, http.StatusOK, "Fazer a prova de vida")
	for outcome, text := range map[string]string{"pendente": "Aguardando você", "autorizada": "Prova de vida aceita", "recusada": "Você não autorizou.", "face_nao_confere": "O rosto não conferiu.",
		"biografia_nao_confere": "Os dados não conferiram.", "nada_confere": "O rosto e os dados não conferiram.", "sem_biometria": "não há biometria", "expirada": "expirada"} {
		s.admin(http.MethodPut, "/interruptores", map[string]any{"prova_de_vida": outcome})
		if status, page, to := s.ask("/prova-de-vida", url.Values{}); status != http.StatusSeeOther || to != "/prova-de-vida" {
			t.Errorf("%s: %d %s", outcome, status, page)
		}
		s.has("/prova-de-vida", nil, http.StatusOK, text)
	}
	s.admin(http.MethodPut, "/interruptores", map[string]any{})
	s.ask("/prova-de-vida", url.Values{})
	s.ask("/prova-de-vida/cancelar", url.Values{})
	s.has("/prova-de-vida", nil, http.StatusOK, "Pedido cancelado")
	s.admin(http.MethodPost, "/reinicio", map[string]any{})
	s.has("/prova-de-vida", nil, http.StatusNotFound, "Voltar ao início")
	s.has("/prova-de-vida", nil, http.StatusOK, "Fazer a prova de vida")
}
