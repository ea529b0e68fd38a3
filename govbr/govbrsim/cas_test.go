package govbrsim

import (
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"selo/brasil"
)

const (
	signID     = "assinatura.teste.gov.br"
	signSecret = "segredo-de-assinatura"
	signBack   = "http://localhost:3000/assinatura/retorno"
	mario      = brasil.CPF("90000001066")
)

// someKeys are made once for all tests: keys are slow to make.
var someKeys = sync.OnceValue(func() (keys [4]*rsa.PrivateKey) {
	for i := range keys {
		key, err := newRSAKey()
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// quick lets the simulator's authorities and people share a few keys.
func quick(s *sim) *sim {
	var n atomic.Int64
	s.server.newKey = func() (*rsa.PrivateKey, error) { return someKeys()[n.Add(1)%4], nil }
	return s
}

// askedToSign are the parameters of a right request; pairs change them, an empty
// value takes one away.
func askedToSign(pairs ...string) string {
	q := url.Values{"response_type": {"code"}, "client_id": {signID}, "redirect_uri": {signBack}, "scope": {"sign govbr"}, "state": {"estado"}, "nonce": {"n"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	return "/sim/cas/oauth2.0/authorize?" + q.Encode()
}

// signReturn is the query of the redirect to the signing client.
func (s *sim) signReturn(a answer) url.Values {
	s.t.Helper()
	to := a.Header.Get("Location")
	if !strings.HasPrefix(to, signBack+"?") || a.StatusCode != http.StatusFound {
		s.t.Fatalf("no return to the client: %d %s %s", a.StatusCode, to, a.text)
	}
	u, err := url.Parse(to)
	if err != nil {
		s.t.Fatal(err)
	}
	return u.Query()
}

// signParameters are those of a right token request.
func signParameters(code string, pairs ...string) url.Values {
	form := url.Values{"code": {code}, "client_id": {signID}, "client_secret": {signSecret}, "grant_type": {"authorization_code"}, "redirect_uri": {signBack}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// signCode makes a code of the CAS without screens.
func (s *sim) signCode(cpf brasil.CPF, scope, provider string) string {
	s.t.Helper()
	var out directAnswer
	a := s.admin(http.MethodPost, "/assinatura/autorizacoes", map[string]any{"cpf": cpf, "client_id": signID, "redirect_uri": signBack, "scope": scope, "state": "e", "provedor": provider}, &out)
	if a.StatusCode != http.StatusCreated || out.Address != signBack+"?code="+out.Code+"&state=e" {
		s.t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	return out.Code
}

// signToken makes a token of the CAS without screens.
func (s *sim) signToken(cpf brasil.CPF, scope, provider string) string {
	s.t.Helper()
	return s.signTokenOf(s.post("/sim/cas/oauth2.0/token", signParameters(s.signCode(cpf, scope, provider))))
}

func (s *sim) signTokenOf(a answer) string {
	s.t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(a.text), &out); err != nil || a.StatusCode != http.StatusOK || len(out) != 3 || out["token_type"] != "bearer" || out["expires_in"] != 600.0 {
		s.t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	return out["access_token"].(string)
}

// lastCode is the newest code sent to a person.
func (s *sim) lastCode(cpf brasil.CPF) Message {
	s.t.Helper()
	var inbox struct {
		Messages []Message `json:"mensagens"`
	}
	s.admin(http.MethodGet, "/caixa?cpf="+string(cpf), nil, &inbox)
	if len(inbox.Messages) == 0 {
		s.t.Fatal("nothing was sent")
	}
	return inbox.Messages[len(inbox.Messages)-1]
}

// TestSignScreens authorises one signature: sign-in at Login Único, the code of
// the SMS, the way back. The token looks like the manual's sample.
func TestSignScreens(t *testing.T) {
	t.Parallel()
	s := quick(start(t))
	page := s.signIn(s.get(askedToSign()), bruno)
	for _, text := range []string{"<h1>Autorização de assinatura</h1>", "Serviço de exemplo", "1 documento", "Bruno Prata", "certificado gov.br (assinatura avançada)", "12345"} {
		if !strings.Contains(page.text, text) {
			t.Errorf("the screen lacks %q", text)
		}
	}
	m := s.lastCode(bruno)
	if m.Kind != "sms" || m.To != "61990000002" || !regexp.MustCompile(`^\d{5}$`).MatchString(m.Code) {
		t.Errorf("message %+v", m)
	}
	if phone := s.get("/sim/celular/" + string(bruno)); !strings.Contains(phone.text, m.Code) {
		t.Error("the phone does not show the code")
	}
	if bad := s.fill(page, "/sim/cas/autorizacao", "decisao", "autorizar", "codigo", "x"+m.Code); bad.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(bad.text, "Código incorreto") {
		t.Errorf("wrong code: %d", bad.StatusCode)
	}
	q := s.signReturn(s.fill(page, "/sim/cas/autorizacao", "decisao", "autorizar", "codigo", " "+m.Code+" "))
	if q.Get("state") != "estado" || !strings.HasPrefix(q.Get("code"), "OC-1-") {
		t.Errorf("return %v", q)
	}
	if a := s.fill(page, "/sim/cas/autorizacao", "decisao", "autorizar", "codigo", m.Code); a.StatusCode != http.StatusNotFound {
		t.Errorf("the request answers twice: %d", a.StatusCode)
	}
	token := s.signTokenOf(s.post("/sim/cas/oauth2.0/token", signParameters(q.Get("code"))))
	if got := string(part(t, token, 0)); got != `{"alg":"HS256"}` {
		t.Errorf("header %s", got)
	}
	if got := string(part(t, string(part(t, token, 1)), 0)); got != `{"zip":"DEF","enc":"A128CBC-HS256","alg":"dir"}` {
		t.Errorf("inner header %s", got)
	}
	// The session of Login Único holds: no password, and the fixed code.
	page = s.follow(s.get(askedToSign("scope", "signature_session")))
	if !strings.Contains(page.text, "até 100 documentos") {
		t.Errorf("no batch: %s", page.text)
	}
	s.signReturn(s.fill(page, "/sim/cas/autorizacao", "decisao", "autorizar", "codigo", "12345"))
	page = s.follow(s.get(askedToSign()))
	if q = s.signReturn(s.fill(page, "/sim/cas/autorizacao", "decisao", "recusar")); q.Get("error") != "access_denied" || q.Get("state") != "estado" || q.Has("code") {
		t.Errorf("refused: %v", q)
	}
	page = s.follow(s.get(askedToSign()))
	page = s.fill(s.fill(page, "/sim/cas/outro"), "/login/cpf", "cpf", string(clara))
	if page = s.fill(page, "/login/senha", "senha", "simulado"); !strings.Contains(page.text, "Clara Ouro") {
		t.Errorf("another person: %s", page.text)
	}
}

// TestSignCertificates: by the scopes the person chooses gov.br's certificate or
// one of ICP-Brasil's in the cloud, where there is one.
func TestSignCertificates(t *testing.T) {
	t.Parallel()
	s := quick(start(t))
	page := s.signIn(s.get(askedToSign("scope", "sign icp_brasil")), ivo)
	if !strings.Contains(page.text, "Escolha o certificado") || strings.Contains(page.text, `value="govbr"`) {
		t.Fatalf("no choice of providers: %s", page.text)
	}
	for _, wrong := range []string{"neoid", "govbr", "", "<script>"} {
		if a := s.fill(page, "/sim/cas/certificado", "certificado", wrong); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", wrong, a.StatusCode)
		}
	}
	if a := s.fill(page, "/sim/cas/autorizacao", "decisao", "autorizar", "codigo", "12345"); !strings.Contains(a.text, "Escolha o certificado") {
		t.Error("authorised without a certificate")
	}
	page = s.fill(page, "/sim/cas/certificado", "certificado", "vidaas")
	if !strings.Contains(page.text, "VIDaaS (assinatura qualificada)") {
		t.Fatalf("no code screen: %s", page.text)
	}
	code := s.signReturn(s.fill(page, "/sim/cas/autorizacao", "decisao", "autorizar", "codigo", "12345")).Get("code")
	s.signTokenOf(s.post("/sim/cas/oauth2.0/token", signParameters(code)))
	page = s.follow(s.get(askedToSign("scope", "signature_session govbr icp_brasil")))
	if !strings.Contains(page.text, `value="govbr"`) || !strings.Contains(page.text, `value="vidaas"`) {
		t.Fatalf("not both: %s", page.text)
	}
	if page = s.fill(page, "/sim/cas/certificado", "certificado", "govbr"); !strings.Contains(page.text, "assinatura avançada") {
		t.Errorf("gov.br's: %s", page.text)
	}
}

// TestSignErrors: pages with 401, and what goes back to the client.
func TestSignErrors(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, a := range map[string]answer{
		"client": s.get(askedToSign("client_id", exampleID)), "no client": s.get(askedToSign("client_id", "")),
		"address": s.get(askedToSign("redirect_uri", signBack+"/")), "no address": s.get(askedToSign("redirect_uri", "")),
		"other": s.get(askedToSign("redirect_uri", "https://outro.invalid/")), "tricky": s.get(askedToSign("redirect_uri", signBack+"@outro.invalid")),
		"twice": s.get(askedToSign() + "&redirect_uri=" + url.QueryEscape(signBack)),
	} {
		if a.StatusCode != http.StatusUnauthorized || a.Header.Get("Location") != "" || !strings.Contains(a.text, "Simulação — não é o gov.br") {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.Header.Get("Location"))
		}
	}
	for scope, want := range map[string]string{"": "invalid_scope", "sign signature_session": "invalid_scope", "govbr": "invalid_scope", "sign openid": "invalid_scope",
		"sign sign": ""} {
		a := s.get(askedToSign("scope", scope))
		if want == "" {
			if !strings.Contains(a.Header.Get("Location"), "/sim/cas/autorizacao?pedido=") {
				t.Errorf("%q: %s", scope, a.Header.Get("Location"))
			}
			continue
		}
		if q := s.signReturn(a); q.Get("error") != want || q.Get("state") != "estado" {
			t.Errorf("%q: %v", scope, q)
		}
	}
	for _, pairs := range [][]string{{"response_type", "token"}, {"response_type", ""}, {"state", strings.Repeat("a", maxParameter+1)}} {
		if q := s.signReturn(s.get(askedToSign(pairs...))); q.Get("error") == "" {
			t.Errorf("%v: %v", pairs, q)
		}
	}
	if q := s.signReturn(s.get(askedToSign() + "&state=outro")); q.Get("error") != "invalid_request" {
		t.Errorf("repeated: %v", q)
	}
}

// TestSignTokenErrors: the bodies of 4.3, byte by byte.
func TestSignTokenErrors(t *testing.T) {
	t.Parallel()
	s := start(t)
	const unauthorized = `{"timestamp":1795186800001,"status":401,"error":"Unauthorized","message":"No message available","path":"/oauth2.0/token"}`
	for _, pairs := range [][]string{{"client_id", exampleID}, {"client_id", ""}, {"client_secret", signSecret + "\n"}, {"client_secret", ""}, {"redirect_uri", exampleBack}} {
		a := s.post("/sim/cas/oauth2.0/token", signParameters(s.signCode(clara, "sign", ""), pairs...))
		if a.StatusCode != http.StatusUnauthorized || a.text != unauthorized || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%v: %d %s", pairs, a.StatusCode, a.text)
		}
	}
	other := signParameters(s.signCode(clara, "sign", ""), "redirect_uri", "http://127.0.0.1:3000/assinatura/retorno")
	for _, want := range []int{401, 400} { // another registered address; and the code is gone
		if a := s.post("/sim/cas/oauth2.0/token", other); a.StatusCode != want {
			t.Errorf("other address: %d", a.StatusCode)
		}
	}
	bad := map[string]url.Values{"none": signParameters("OC-9-x"), "grant": signParameters(s.signCode(clara, "sign", ""), "grant_type", "password")}
	used := signParameters(s.signCode(clara, "sign", ""))
	s.signTokenOf(s.post("/sim/cas/oauth2.0/token", used))
	bad["used"] = used
	late := signParameters(s.signCode(clara, "sign", ""))
	s.clock.Advance(grantLife)
	bad["late"] = late
	bad["twice"] = signParameters(s.signCode(clara, "sign", ""))
	bad["twice"].Add("code", "x")
	for name, form := range bad {
		if a := s.post("/sim/cas/oauth2.0/token", form); a.StatusCode != http.StatusBadRequest || a.text != "error=invalid_request" || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.text)
		}
	}
	// As the official PHP sample does: everything in the address, no body.
	s.signTokenOf(s.request(http.MethodPost, "/sim/cas/oauth2.0/token?"+signParameters(s.signCode(clara, "sign", "")).Encode(), ""))
	s.signTokenOf(s.request(http.MethodPost, "/sim/cas/oauth2.0/token?"+signParameters(s.signCode(clara, "sign", "")).Encode(), "", "Content-Type", "application/x-www-form-urlencoded"))
	if a := s.get("/sim/cas/oauth2.0/token?" + signParameters(s.signCode(clara, "sign", "")).Encode()); a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", a.StatusCode)
	}
}

// TestSignCodeIsGuarded: five wrong codes lock, an old code is none, production
// takes no fixed code and writes to the app.
func TestSignCodeIsGuarded(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := s.signIn(s.get(askedToSign()), clara)
	s.clock.Advance(codeLife)
	if a := s.fill(page, "/sim/cas/autorizacao", "decisao", "autorizar", "codigo", s.lastCode(clara).Code); !strings.Contains(a.text, "O código venceu") {
		t.Errorf("old code: %s", a.text)
	}
	old := s.lastCode(clara)
	page = s.fill(page, "/sim/cas/codigo")
	if s.lastCode(clara).ID == old.ID {
		t.Error("no other code was sent")
	}
	for range lockAfter {
		s.fill(page, "/sim/cas/autorizacao", "decisao", "autorizar", "codigo", "0000x")
	}
	for _, code := range []string{s.lastCode(clara).Code, "12345"} {
		if a := s.fill(page, "/sim/cas/autorizacao", "decisao", "autorizar", "codigo", code); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text, "Conta bloqueada") {
			t.Errorf("after the lock: %d %s", a.StatusCode, a.Header.Get("Location"))
		}
	}
	s = s.inWorld("producao")
	const back = "https://servico.exemplo.gov.br.invalid/assinatura/retorno"
	page = s.signIn(s.get(askedToSign("client_id", "assinatura.producao.teste.gov.br", "redirect_uri", back)), clara)
	if m := s.lastCode(clara); m.Kind != "aplicativo" || strings.Contains(page.text, "código fixo") {
		t.Errorf("production: %+v", m)
	}
	if a := s.fill(page, "/sim/cas/autorizacao", "decisao", "autorizar", "codigo", "12345"); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("fixed code: %d", a.StatusCode)
	}
	if a := s.fill(page, "/sim/cas/autorizacao", "decisao", "autorizar", "codigo", s.lastCode(clara).Code); !strings.HasPrefix(a.Header.Get("Location"), back+"?code=OC-") {
		t.Errorf("its own code: %d", a.StatusCode)
	}
}

// TestSignRequestsBelongToABrowser and to the person who is signed in there.
func TestSignRequestsBelongToABrowser(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := s.signIn(s.get(askedToSign()), clara)
	form := hidden(page.text)
	form.Set("decisao", "autorizar")
	form.Set("codigo", "12345")
	thief := s.newBrowser()
	thief.signIn(thief.get(askedToSign()), bruno)
	for _, path := range []string{"/sim/cas/autorizacao", "/sim/cas/codigo", "/sim/cas/certificado", "/sim/cas/outro"} {
		if a := thief.post(path, form); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s by another browser: %d", path, a.StatusCode)
		}
	}
	if a := thief.get("/sim/cas/autorizacao?pedido=" + form.Get("pedido")); a.StatusCode != http.StatusNotFound {
		t.Errorf("screen in another browser: %d", a.StatusCode)
	}
	s.get("/logout")
	if a := s.follow(s.post("/sim/cas/autorizacao", form)); !strings.Contains(a.text, "Número do CPF") {
		t.Errorf("authorised by nobody: %d %s", a.StatusCode, a.Header.Get("Location"))
	}
	s.signIn(s.get("/sim/cas/autorizacao?pedido="+form.Get("pedido")), bruno)
	if a := s.get("/sim/cas/autorizacao?pedido=" + form.Get("pedido")); !strings.Contains(a.text, "Bruno Prata") || strings.Contains(a.text, "Clara") {
		t.Errorf("the other person's request: %s", a.text)
	}
	s.clock.Advance(authorizationLife + time.Second)
	if a := s.get("/sim/cas/autorizacao?pedido=" + form.Get("pedido")); a.StatusCode != http.StatusNotFound {
		t.Errorf("an old request: %d", a.StatusCode)
	}
}
