package govbrsim

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"selo/brasil"

	"github.com/go-jose/go-jose/v4"
)

// part decodes one part of a compact token.
func part(t *testing.T, token string, i int) []byte {
	t.Helper()
	parts := strings.Split(token, ".")
	if i >= len(parts) {
		t.Fatalf("token %q has no part %d", token, i)
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSignInGoldens signs in through the screens and keeps every answer byte by
// byte: redirects, tokens, /userinfo and the APIs.
func TestSignInGoldens(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.authorize()
	login := regexp.MustCompile(`^` + regexp.QuoteMeta(s.url) + `/login\?client_id=h-exemplo\.teste\.gov\.br&authorization_id=[0-9a-f]{11}$`)
	if to := a.Header.Get("Location"); a.StatusCode != http.StatusFound || !login.MatchString(to) {
		t.Fatalf("authorize: %d %s", a.StatusCode, to)
	}
	page := s.signIn(a, clara)
	for _, text := range []string{"Autorização de uso de dados pessoais", "Serviço de exemplo", "Endereço de e-mail", "Simulação — não é o gov.br"} {
		if !strings.Contains(page.text, text) {
			t.Errorf("consent lacks %q", text)
		}
	}
	q := s.returned(s.fill(page, "/login/autorizacao", "decisao", "autorizar"))
	if q.Get("state") != "estado-de-teste" {
		t.Errorf("state %q", q.Get("state"))
	}
	code := q.Get("code")
	if header := string(part(t, code, 0)); header != codeHeader || strings.Split(code, ".")[1] != "" || len(strings.Split(code, ".")) != 5 || len(code) < 250 {
		t.Errorf("code %s is no JWE like the manual's", code)
	}
	a = s.redeem(code)
	var tokens tokenAnswer
	if err := json.Unmarshal([]byte(a.text), &tokens); err != nil || a.StatusCode != http.StatusOK {
		t.Fatalf("token: %d %s", a.StatusCode, a.text)
	}
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Error("tokens may be kept")
	}
	for _, token := range []string{tokens.AccessToken, tokens.IDToken} {
		if header := string(part(t, token, 0)); header != `{"kid":"rsa1","alg":"RS256"}` {
			t.Errorf("header %s", header)
		}
		parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parsed.Verify(s.keys()); err != nil {
			t.Error(err)
		}
	}
	s.golden("ouro-access.json", string(part(t, tokens.AccessToken, 1)))
	s.golden("ouro-id.json", string(part(t, tokens.IDToken, 1)))
	shown := strings.NewReplacer(tokens.AccessToken, "ACCESS", tokens.IDToken, "ID").Replace(a.text)
	s.golden("token.json", shown)
	auth := "Bearer " + tokens.AccessToken
	s.golden("userinfo.json", s.get("/userinfo/", "Authorization", auth).text)
	if without := s.get("/userinfo", "Authorization", auth); without.text != s.get("/userinfo/", "Authorization", auth).text {
		t.Errorf("/userinfo without a slash: %s", without.text)
	}
	s.golden("niveis.json", s.get("/sim/api/confiabilidades/v3/contas/12345678909/niveis?response-type=ids", "Authorization", auth).text)
	s.golden("confiabilidades.json", s.get("/sim/api/confiabilidades/v3/contas/12345678909/confiabilidades?response-type=ids", "Authorization", auth).text)
	s.golden("categorias.json", s.get("/sim/api/confiabilidades/v3/contas/12345678909/categorias?response-type=ids", "Authorization", auth).text)
	s.golden("discovery.json", s.get("/.well-known/openid-configuration").text)
	s.golden("jwk.json", s.get("/jwk").text)
	if posted := s.post("/jwk", nil); posted.text != s.get("/jwk").text {
		t.Errorf("POST /jwk: %s", posted.text)
	}
}

// keys reads /jwk as a client does.
func (s *sim) keys() *jose.JSONWebKey {
	s.t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(s.get("/jwk").text), &set); err != nil || len(set.Keys) != 1 || set.Keys[0].KeyID != "rsa1" || set.Keys[0].Use != "" {
		s.t.Fatalf("keys %+v: %v", set, err)
	}
	return &set.Keys[0]
}

// jtis are the random parts of tokens.
var jtis = regexp.MustCompile(`"jti":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"`)

// TestPersonas keeps both tokens of every kind of person.
func TestPersonas(t *testing.T) {
	t.Parallel()
	s := start(t)
	contact := []string{"openid", "profile", "email", "phone"}
	for name, c := range map[string]struct {
		cpf  brasil.CPF
		more map[string]any
	}{
		"bronze":       {ana, nil},
		"dois-fatores": {davi, nil},
		"sem-contato":  {fabio, map[string]any{"escopos": contact}},
		"com-contato":  {bruno, map[string]any{"escopos": contact}},
		"nome-social":  {gil, nil},
		"ecnpj":        {helena, map[string]any{"cnpj": "11222333000181", "escopos": allScopes()}},
		"ecnpj-letras": {nina, map[string]any{"cnpj": "12ABC34501DE35"}},
		"ecnpj-nuvem":  {ivo, map[string]any{"cnpj": "90000001000129"}},
		"procuradora":  {paula, nil},
		"so-o-minimo":  {clara, map[string]any{"escopos": []string{"openid"}}},
		"amr-de-banco": {clara, map[string]any{"amr": []string{"bank", "bank001"}}},
	} {
		tokens := s.tokens(c.cpf, c.more)
		s.golden(name+"-access.json", jtis.ReplaceAllString(string(part(t, tokens.AccessToken, 1)), `"jti":"JTI"`))
		s.golden(name+"-id.json", jtis.ReplaceAllString(string(part(t, tokens.IDToken, 1)), `"jti":"JTI"`))
	}
}

func allScopes() []string {
	all := make([]string, len(scopes))
	for i, known := range scopes {
		all[i] = known.name
	}
	return all
}

// TestSessionSkipsScreens: a second client request in the same browser needs no
// password, and auth_time stays that of the first.
func TestSessionSkipsScreens(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.enter(bruno)
	s.clock.Advance(10 * time.Minute)
	q := s.returned(s.authorize())
	a := s.redeem(q.Get("code"))
	var tokens tokenAnswer
	if err := json.Unmarshal([]byte(a.text), &tokens); err != nil {
		t.Fatal(err)
	}
	c := claims(t, tokens.IDToken)
	if c["auth_time"].(float64) != float64(begin.Unix()) || c["iat"].(float64) != float64(begin.Add(10*time.Minute).Unix()) {
		t.Errorf("auth_time %v, iat %v", c["auth_time"], c["iat"])
	}
	if life := c["exp"].(float64) - c["iat"].(float64); life != 60 {
		t.Errorf("id_token lives %v s", life)
	}
	// A scope that was not consented to brings the screen back.
	page := s.follow(s.authorize("scope", "openid govbr_empresa"))
	if !strings.Contains(page.text, "Empresas vinculadas") {
		t.Errorf("no consent for a new scope: %s", page.text)
	}
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	s := start(t)
	for cpf, factor := range map[brasil.CPF]string{davi: "otp_offline", elisa: "otp"} {
		s = s.newBrowser()
		page := s.signIn(s.authorize(), cpf)
		if !strings.Contains(page.text, "Verificação em duas etapas") {
			t.Fatalf("no second factor: %s", page.text)
		}
		var inbox struct {
			Messages []Message `json:"mensagens"`
		}
		s.admin(http.MethodGet, "/caixa?cpf="+string(cpf), nil, &inbox)
		if len(inbox.Messages) != 1 || !regexp.MustCompile(`^\d{6}$`).MatchString(inbox.Messages[0].Code) {
			t.Fatalf("inbox %+v", inbox)
		}
		if !strings.Contains(s.get("/sim/caixa").text, inbox.Messages[0].Code) {
			t.Error("the page of the inbox lacks the code")
		}
		bad := s.fill(page, "/login/codigo", "codigo", "000000x")
		if bad.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(bad.text, "Código incorreto") {
			t.Errorf("wrong code: %d", bad.StatusCode)
		}
		page = s.fill(page, "/login/codigo", "codigo", inbox.Messages[0].Code)
		q := s.returned(s.fill(page, "/login/autorizacao", "decisao", "autorizar"))
		var tokens tokenAnswer
		if err := json.Unmarshal([]byte(s.redeem(q.Get("code")).text), &tokens); err != nil {
			t.Fatal(err)
		}
		if amr := claims(t, tokens.IDToken)["amr"].([]any); len(amr) != 4 || amr[2] != "mfa" || amr[3] != factor {
			t.Errorf("amr %v", amr)
		}
	}
}

// TestPhoneIsDemanded: the scope phone makes the screens ask for a verified number.
func TestPhoneIsDemanded(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := s.signIn(s.authorize("scope", "openid phone"), fabio)
	page = s.fill(page, "/login/telefone", "telefone", "(61) 98765-4321")
	if !strings.Contains(page.text, "(61) 9****-**21") {
		t.Fatalf("no masked number: %s", page.text)
	}
	var inbox struct {
		Messages []Message `json:"mensagens"`
	}
	s.admin(http.MethodGet, "/caixa", nil, &inbox)
	page = s.fill(page, "/login/telefone/codigo", "codigo", inbox.Messages[0].Code)
	q := s.returned(s.fill(page, "/login/autorizacao", "decisao", "autorizar"))
	var tokens tokenAnswer
	if err := json.Unmarshal([]byte(s.redeem(q.Get("code")).text), &tokens); err != nil {
		t.Fatal(err)
	}
	if c := claims(t, tokens.IDToken); c["phone_number"] != "61987654321" || c["phone_number_verified"] != "true" {
		t.Errorf("claims %v", c)
	}
}

func TestRefusedConsentAndCancel(t *testing.T) {
	t.Parallel()
	s := start(t)
	q := s.returned(s.fill(s.signIn(s.authorize(), ana), "/login/autorizacao", "decisao", "negar"))
	if q.Get("error") != "access_denied" || q.Get("state") != "estado-de-teste" || q.Has("code") {
		t.Errorf("refused: %v", q)
	}
	s = s.newBrowser()
	q = s.returned(s.fill(s.follow(s.authorize()), "/login/cancelar"))
	if q.Get("error") != "access_denied" {
		t.Errorf("cancelled: %v", q)
	}
	s.set(map[string]any{"usuario_cancela": true})
	if q = s.returned(s.authorize()); q.Get("error") != "access_denied" {
		t.Errorf("switch: %v", q)
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.enter(ana)
	const home = "http://localhost:3000/"
	a := s.get("/logout?" + url.Values{"post_logout_redirect_uri": {"https://outro.invalid/"}}.Encode())
	if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" || !strings.Contains(a.text, "não está cadastrado") {
		t.Errorf("unknown address: %d %s", a.StatusCode, a.Header.Get("Location"))
	}
	for _, trick := range []string{home + "x", home + "#x", home + "?x", "http://localhost:3000", "HTTP://localhost:3000/", "http://localhost:3000@outro.invalid/",
		`http://localhost:3000\@outro.invalid/`, "http://localhost:3000%2f", "//outro.invalid/", "javascript:alert(1)", "/", " " + home} {
		if a := s.get("/logout?" + url.Values{"post_logout_redirect_uri": {trick}}.Encode()); a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" {
			t.Errorf("%s: %d %s", trick, a.StatusCode, a.Header.Get("Location"))
		}
	}
	if a := s.get("/logout?" + url.Values{"post_logout_redirect_uri": {home, home}}.Encode()); a.StatusCode != http.StatusBadRequest {
		t.Errorf("two addresses: %d", a.StatusCode)
	}
	s.enter(ana)
	a = s.get("/logout?" + url.Values{"post_logout_redirect_uri": {home}}.Encode())
	if a.StatusCode != http.StatusFound || a.Header.Get("Location") != home {
		t.Errorf("logout: %d %s", a.StatusCode, a.Header.Get("Location"))
	}
	if page := s.follow(s.authorize()); !strings.Contains(page.text, "Número do CPF") {
		t.Error("the session outlived the logout")
	}
	s.enter(ana)
	a = s.follow(s.post("/logout", url.Values{"post_logout_redirect_uri": {home}}))
	if a.Header.Get("Location") != home {
		t.Errorf("POST logout: %d", a.StatusCode)
	}
	if a = s.get("/logout"); a.StatusCode != http.StatusOK || !strings.Contains(a.text, "Você saiu") {
		t.Errorf("logout without an address: %d", a.StatusCode)
	}
	s.set(map[string]any{"logout_desconhecido": true})
	if a = s.get("/logout?" + url.Values{"post_logout_redirect_uri": {home}}.Encode()); a.StatusCode != http.StatusBadRequest {
		t.Errorf("switch: %d", a.StatusCode)
	}
}
