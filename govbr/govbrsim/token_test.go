package govbrsim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"selo/brasil"
)

// exchange posts to /token with the given credentials in the way given.
func (s *sim) exchange(id, secret, way string, form url.Values) answer {
	s.t.Helper()
	if way == "post" {
		form.Set("client_id", id)
		form.Set("client_secret", secret)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.at("/token"), strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if way == "basic" {
		r.SetBasicAuth(id, secret)
	}
	return s.do(r)
}

// TestTokenErrors keeps every refusal of /token byte by byte.
func TestTokenErrors(t *testing.T) {
	t.Parallel()
	s := start(t)
	code := s.direct(ana, nil)
	const bad = `{"error":"unauthorized","error_description":"Bad credentials"}`
	const full = `{"error":"unauthorized","error_description":"Full authentication is required to access this resource"}`
	for name, c := range map[string]struct {
		id, secret, way string
		form            url.Values
		status          int
		body            string
	}{
		"wrong secret":         {exampleID, "x", "basic", url.Values{"grant_type": {"authorization_code"}}, 401, bad},
		"secret with line end": {exampleID, exampleSecret + "\n", "basic", url.Values{}, 401, bad},
		"unknown client":       {"x", exampleSecret, "basic", url.Values{}, 401, bad},
		"wrong by post":        {exampleID, "x", "post", url.Values{}, 401, bad},
		"another's secret":     {exampleID, "segredo-simples", "basic", url.Values{}, 401, bad},
		"no credentials":       {"", "", "none", url.Values{"grant_type": {"authorization_code"}}, 401, full},
		"no secret":            {exampleID, "", "post", url.Values{}, 401, full},
		"no grant":             {exampleID, exampleSecret, "basic", url.Values{}, 400, `{"error":"invalid_request","error_description":"Missing grant type"}`},
		"refresh":              {exampleID, exampleSecret, "basic", url.Values{"grant_type": {"refresh_token"}}, 400, `{"error":"unsupported_grant_type","error_description":"Unsupported grant type: refresh_token"}`},
		"client_credentials": {"h-simples.teste.gov.br", "segredo-simples", "basic", url.Values{"grant_type": {"client_credentials"}}, 400,
			`{"error":"invalid_scope","error_description":"Empty scope (either the client or the user is not allowed the requested scopes)","scope":"openid email profile"}`},
		"client_credentials, wrong secret": {exampleID, "x", "basic", url.Values{"grant_type": {"client_credentials"}}, 401, bad},
		"no code":                          {exampleID, exampleSecret, "basic", url.Values{"grant_type": {"authorization_code"}}, 400, `{"error":"invalid_request","error_description":"An authorization code must be supplied."}`},
		"unknown code":                     {exampleID, exampleSecret, "post", url.Values{"grant_type": {"authorization_code"}, "code": {"<x>&"}}, 400, `{"error":"invalid_grant","error_description":"Invalid authorization code: <x>&"}`},
		"two codes":                        {exampleID, exampleSecret, "basic", url.Values{"grant_type": {"authorization_code"}, "code": {code, "x"}}, 400, `{"error":"invalid_request","error_description":"Parameter must not be repeated: code"}`},
	} {
		a := s.exchange(c.id, c.secret, c.way, c.form)
		if a.StatusCode != c.status || a.text != c.body || a.Header.Get("Content-Type") != "application/json;charset=UTF-8" {
			t.Errorf("%s: %d %s\n%s", name, a.StatusCode, a.Header.Get("Content-Type"), a.text)
		}
	}
	for name, c := range map[string]struct {
		pairs []string
		body  string
	}{
		"other address":  {[]string{"redirect_uri", "http://127.0.0.1:3000/retorno"}, `{"error":"invalid_grant","error_description":"Redirect URI mismatch."}`},
		"no address":     {[]string{"redirect_uri", ""}, `{"error":"invalid_grant","error_description":"Redirect URI mismatch."}`},
		"other verifier": {[]string{"code_verifier", strings.Repeat("a", 43)}, `{"error":"invalid_grant","error_description":"Invalid code verifier"}`},
		"short verifier": {[]string{"code_verifier", "LUnico"}, `{"error":"invalid_grant","error_description":"Invalid code verifier"}`},
		"long verifier":  {[]string{"code_verifier", strings.Repeat("a", 129)}, `{"error":"invalid_grant","error_description":"Invalid code verifier"}`},
		"no verifier":    {[]string{"code_verifier", ""}, `{"error":"invalid_grant","error_description":"Invalid code verifier"}`},
	} {
		code := s.direct(ana, nil)
		if a := s.redeem(code, c.pairs...); a.StatusCode != 400 || a.text != c.body {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.text)
		}
		// What was tried once is used up.
		if a := s.redeem(code); a.StatusCode != 400 || a.text != `{"error":"invalid_grant","error_description":"Invalid authorization code: `+code+`"}` {
			t.Errorf("%s, again: %d %s", name, a.StatusCode, a.text)
		}
	}
	if a := s.request(http.MethodPost, "/token", `{}`, "Content-Type", "application/json"); a.StatusCode != 400 || !strings.Contains(a.text, "invalid_request") {
		t.Errorf("JSON: %d %s", a.StatusCode, a.text)
	}
	if a := s.get("/token"); a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "POST" || a.text != `{"error":"405","erro_description":"Method Not Allowed"}` {
		t.Errorf("GET: %d %s", a.StatusCode, a.text)
	}
}

func TestCodeIsGoodOnceAndNotForLong(t *testing.T) {
	t.Parallel()
	s := start(t)
	code := s.direct(ana, nil)
	if a := s.redeem(code); a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	if a := s.redeem(code); a.StatusCode != http.StatusBadRequest {
		t.Errorf("replay: %d", a.StatusCode)
	}
	code = s.direct(ana, nil)
	s.clock.Advance(grantLife)
	if a := s.redeem(code); a.StatusCode != http.StatusBadRequest {
		t.Errorf("late: %d", a.StatusCode)
	}
	code = s.direct(ana, nil)
	if a := s.exchange("h-simples.teste.gov.br", "segredo-simples", "basic", url.Values{"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {exampleBack}, "code_verifier": {verifier}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.text, "invalid_grant") {
		t.Errorf("another client's code: %d %s", a.StatusCode, a.text)
	}
	// Basic with encoded credentials (RFC 6749, 2.3.1) and the form are both taken.
	for _, way := range []string{"basic", "post"} {
		form := url.Values{"grant_type": {"authorization_code"}, "code": {s.direct(ana, nil)}, "redirect_uri": {exampleBack}, "code_verifier": {verifier}}
		if a := s.exchange(exampleID, exampleSecret, way, form); a.StatusCode != http.StatusOK || strings.Contains(a.text, "refresh_token") {
			t.Errorf("%s: %d %s", way, a.StatusCode, a.text)
		}
	}
}

// TestFlaws: each switch makes the id_token wrong in its way, and only there.
func TestFlaws(t *testing.T) {
	t.Parallel()
	s := start(t)
	now := float64(begin.Unix())
	for flaw, wrong := range map[Flaw]func(header string, c map[string]any) bool{
		FlawExpired:   func(_ string, c map[string]any) bool { return c["exp"].(float64) < now },
		FlawFuture:    func(_ string, c map[string]any) bool { return c["iat"].(float64) > now },
		FlawNonce:     func(_ string, c map[string]any) bool { return c["nonce"] != "nonce-de-teste" },
		FlawAudience:  func(_ string, c map[string]any) bool { return c["aud"] != exampleID },
		FlawIssuer:    func(_ string, c map[string]any) bool { return c["iss"] != s.url+"/" },
		FlawHyphen:    func(_ string, c map[string]any) bool { return c["sub"] == "529982247-25" },
		FlawLong:      func(_ string, c map[string]any) bool { return c["exp"].(float64)-c["iat"].(float64) == 600 },
		FlawNone:      func(h string, _ map[string]any) bool { return strings.Contains(h, `"none"`) },
		FlawHS256:     func(h string, _ map[string]any) bool { return strings.Contains(h, `"HS256"`) },
		FlawSignature: func(h string, _ map[string]any) bool { return h == tokenHeader },
	} {
		s.set(map[string]any{"defeitos_id_token": []Flaw{flaw}})
		tokens := s.tokens(ana, nil)
		if !wrong(string(part(t, tokens.IDToken, 0)), claims(t, tokens.IDToken)) {
			t.Errorf("%s: %s", flaw, part(t, tokens.IDToken, 1))
		}
		var c idClaims
		sound := s.server.open(tokens.IDToken, &c) == nil
		if unsigned := flaw == FlawSignature || flaw == FlawNone || flaw == FlawHS256; sound == unsigned {
			t.Errorf("%s: signature sound is %v", flaw, sound)
		}
		if a := s.get("/userinfo", "Authorization", "Bearer "+tokens.AccessToken); a.StatusCode != http.StatusOK {
			t.Errorf("%s: the access token is wrong too: %d", flaw, a.StatusCode)
		}
	}
	if n := len(flaws()); n != 10 {
		t.Errorf("%d flaws, 10 of them tested", n)
	}
}

func TestSwitches(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.set(map[string]any{"amr_extra": []string{"desconhecido"}, "desvio_relogio": "-5m", "sub_pareado": true})
	c := claims(t, s.tokens(ana, nil).IDToken)
	amr := c["amr"].([]any)
	if amr[len(amr)-1] != "desconhecido" || c["iat"].(float64) != float64(begin.Add(-5*time.Minute).Unix()) {
		t.Errorf("%v", c)
	}
	if sub := c["sub"].(string); len(sub) != 32 || c["preferred_username"] != string(ana) {
		t.Errorf("pairwise sub %q", sub)
	}
	tokens := s.tokens(ana, nil)
	if a := s.get("/userinfo", "Authorization", "Bearer "+tokens.AccessToken); a.StatusCode != http.StatusOK {
		t.Errorf("a token of a skewed clock: %d", a.StatusCode)
	}

	s.set(map[string]any{"escopos_recusados": []string{"govbr_confiabilidades_idtoken"}})
	if to := s.authorize().Header.Get("Location"); !strings.HasSuffix(to, "?error=invalid_scope&error_description=Invalid%20scope:%20%5Bgovbr_confiabilidades_idtoken%5D&state=estado-de-teste") {
		t.Errorf("refused scope: %s", to)
	}
	s.set(map[string]any{"token_401_vazio": true})
	if a := s.exchange(exampleID, "x", "basic", url.Values{}); a.StatusCode != http.StatusUnauthorized || a.text != "" {
		t.Errorf("empty 401: %d %q", a.StatusCode, a.text)
	}
	s.set(map[string]any{"conexao_interrompida": []string{"/jwk"}})
	if res, err := http.Get(s.url + "/jwk"); err == nil {
		res.Body.Close()
		t.Error("the connection is not reset")
	}
	s.set(map[string]any{"consentimento": "nunca"})
	if q := s.returned(s.signIn(s.authorize(), clara)); !q.Has("code") {
		t.Errorf("consent never: %v", q)
	}
	s.set(map[string]any{"consentimento": "sempre"})
	for range 2 {
		page := s.follow(s.authorize())
		if !strings.Contains(page.text, "Autorização de uso de dados") {
			t.Fatal("consent always: no screen")
		}
		s.returned(s.fill(page, "/login/autorizacao", "decisao", "autorizar"))
	}
	// A person's switch stands over the client's, and that over the world's.
	s.set(map[string]any{"foto": "bruta"})
	s.admin(http.MethodPut, "/clientes/"+exampleID+"/interruptores", map[string]any{"foto": "404"}, nil)
	s.admin(http.MethodPut, "/pessoas/"+string(ana)+"/interruptores", map[string]any{"foto": "base64"}, nil)
	for cpf, want := range map[brasil.CPF]int{ana: http.StatusOK, bruno: http.StatusNotFound} {
		if a := s.get("/userinfo/picture", "Authorization", "Bearer "+s.tokens(cpf, nil).AccessToken); a.StatusCode != want {
			t.Errorf("picture of %s: %d", cpf, a.StatusCode)
		}
	}
	if a := s.admin(http.MethodPut, "/interruptores", map[string]any{"foto": "oval"}, nil); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("unknown value: %d", a.StatusCode)
	}
	if a := s.admin(http.MethodPut, "/interruptores", map[string]any{"nada": true}, nil); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("unknown switch: %d", a.StatusCode)
	}
}

// TestTokensEnd: an access token is good for an hour, until a reset, in its own
// world, and an id_token is none.
func TestTokensEnd(t *testing.T) {
	t.Parallel()
	s := start(t)
	tokens := s.tokens(ana, nil)
	status := func(s *sim, token string) int {
		return s.get("/userinfo/", "Authorization", "Bearer "+token).StatusCode
	}
	if got := status(s, tokens.IDToken); got != http.StatusUnauthorized {
		t.Errorf("id_token as access token: %d", got)
	}
	if got := status(s.inWorld("outro"), tokens.AccessToken); got != http.StatusUnauthorized {
		t.Errorf("in another world: %d", got)
	}
	s.clock.Advance(accessLife - time.Second)
	if got := status(s, tokens.AccessToken); got != http.StatusOK {
		t.Errorf("after 3599 s: %d", got)
	}
	s.clock.Advance(time.Second)
	if got := status(s, tokens.AccessToken); got != http.StatusUnauthorized {
		t.Errorf("after 3600 s: %d", got)
	}
	tokens = s.tokens(ana, nil)
	s.clock.Advance(time.Second)
	if a := s.admin(http.MethodPost, "/reinicio", nil, nil); a.StatusCode != http.StatusNoContent {
		t.Fatalf("reset: %d %s", a.StatusCode, a.text)
	}
	if got := status(s, tokens.AccessToken); got != http.StatusUnauthorized {
		t.Errorf("after a reset: %d", got)
	}
	for _, header := range []string{"", "Bearer", "Bearer x", "Bearer a.b.c", "Basic abc", "Bearer " + strings.Repeat("a", maxToken+1)} {
		a := s.get("/userinfo", "Authorization", header)
		var body map[string]string
		if a.StatusCode != http.StatusUnauthorized || json.Unmarshal([]byte(a.text), &body) != nil || body["error"] != "invalid_token" {
			t.Errorf("%.20q: %d %s", header, a.StatusCode, a.text)
		}
	}
}
