package govbrsim

import (
	"bytes"
	"encoding/base64"
	"image/jpeg"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// api asks an API with a person's token.
func (s *sim) api(token, path string) answer {
	s.t.Helper()
	return s.get("/sim/api"+path, "Authorization", "Bearer "+token)
}

// TestCompanies keeps the bodies of Empresas v1 and v2 for every kind of link.
func TestCompanies(t *testing.T) {
	t.Parallel()
	s := start(t)
	scope := map[string]any{"escopos": []string{"openid", "govbr_empresa"}}
	for name, c := range map[string]struct {
		token, path string
	}{
		"empresas-socia":           {s.tokens(helena, scope).AccessToken, "/empresas/v2/empresas?filtrar-por-participante=90000000507"},
		"participante-socia":       {s.tokens(helena, scope).AccessToken, "/empresas/v2/empresas/11222333000181/participantes/90000000507"},
		"participante-nao-atuante": {s.tokens(joana, scope).AccessToken, "/empresas/v2/empresas/11222333000181/participantes/90000000760"},
		"participante-colaborador": {s.tokens(kelvin, scope).AccessToken, "/empresas/v2/empresas/11222333000181/participantes/90000000841"},
		"empresas-letras":          {s.tokens(nina, scope).AccessToken, "/empresas/v2/empresas?filtrar-por-participante=90000001147"},
		"empresas-nenhuma":         {s.tokens(ana, scope).AccessToken, "/empresas/v2/empresas?filtrar-por-participante=52998224725"},
		"empresas-v1":              {s.tokens(helena, scope).AccessToken, "/empresas/v1/representantes/90000000507/empresas?visao=simples"},
		"empresa-v1":               {s.tokens(kelvin, scope).AccessToken, "/empresas/v1/representantes/90000000841/empresas/11222333000181"},
	} {
		a := s.api(c.token, c.path)
		if a.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.text)
		}
		s.golden(name+".json", a.text)
	}
	// Clara is a partner at the Receita Federal who never used an e-CNPJ: no link yet.
	token := s.tokens(clara, scope).AccessToken
	const list = "/empresas/v2/empresas?filtrar-por-participante=12345678909"
	if a := s.api(token, list); a.text != "[]" {
		t.Errorf("before e-CNPJ: %s", a.text)
	}
	s.direct(clara, map[string]any{"cnpj": "90000001000129"})
	if a := s.api(token, "/empresas/v2/empresas/90000001000129/participantes/12345678909"); !strings.Contains(a.text, `"atuacao":"SOCIO","cadastrador":"true"`) {
		t.Errorf("after e-CNPJ: %s", a.text)
	}
	// Whoever has no role becomes NAO_ATUANTE.
	s.direct(ana, map[string]any{"cnpj": "90000001000129"})
	a := s.api(s.tokens(ana, scope).AccessToken, "/empresas/v2/empresas/90000001000129/participantes/52998224725")
	if !strings.Contains(a.text, `"atuacao":"NAO_ATUANTE","cadastrador":"true"`) {
		t.Errorf("without a role: %s", a.text)
	}
}

// TestAPIRefusals keeps the envelope of every refusal (Login Único manual).
func TestAPIRefusals(t *testing.T) {
	t.Parallel()
	s := start(t)
	few := s.tokens(ana, map[string]any{"escopos": []string{"openid", "email"}}).AccessToken
	all := s.tokens(ana, map[string]any{"escopos": allScopes()}).AccessToken
	const levelsOf = "/confiabilidades/v3/contas/"
	for name, c := range map[string]struct {
		token, path string
		status      int
		body        string
	}{
		"no token":    {"", levelsOf + "52998224725/niveis", 401, `{"errors":[{"status":401,"code":"ACCESSTOKEN_MUSTBEVALID","title":"Access token inválido."}]}`},
		"id_token":    {s.tokens(ana, nil).IDToken, levelsOf + "52998224725/niveis", 401, `{"errors":[{"status":401,"code":"ACCESSTOKEN_MUSTBEVALID","title":"Access token inválido."}]}`},
		"no scope":    {few, levelsOf + "52998224725/niveis", 401, `{"errors":[{"status":401,"code":"ACCESSTOKEN_SCOPE_MUSTCONTAINSEXPECTEDSCOPE","title":"Escopo requerido não encontrado. Valor esperado: 'govbr_confiabilidades', valor recebido: 'openid email'."}]}`},
		"other CPF":   {all, levelsOf + "11144477735/niveis", 403, `{"errors":[{"status":403,"code":"REQUEST_CPF_MUSTMATCHACCESSTOKENSUB","title":"O CPF da requisição deve coincidir com o do access token."}]}`},
		"masked CPF":  {all, levelsOf + "529.982.247-25/niveis", 403, `{"errors":[{"status":403,"code":"REQUEST_CPF_MUSTMATCHACCESSTOKENSUB","title":"O CPF da requisição deve coincidir com o do access token."}]}`},
		"not linked":  {all, "/empresas/v2/empresas/11222333000181/participantes/52998224725", 404, `{"errors":[{"status":404,"code":"RESOURCE_NOTFOUND","title":"Participante não encontrado."}]}`},
		"no company":  {all, "/empresas/v2/empresas/00000000000191/participantes/52998224725", 404, `{"errors":[{"status":404,"code":"RESOURCE_NOTFOUND","title":"Participante não encontrado."}]}`},
		"poa, client": {all, "/procuracoes/v2/procuracoes?filtrar-por-procurador=52998224725&filtrar-por-clientid=outro", 403, `{"errors":[{"status":403,"code":"REQUEST_CLIENTID_MUSTMATCHREQUESTACCESSTOKENAUD","title":"O identificador do sistema deve coincidir com o sistema do access token."}]}`},
		"poa, agent":  {all, "/procuracoes/v2/procuracoes?filtrar-por-procurador=11144477735&filtrar-por-clientid=" + exampleID, 403, `{"errors":[{"status":403,"code":"REQUEST_POA_AGENT_MUSTMATCHREQUESTACCESSTOKENSUB","title":"O procurador deve coincidir com o titular do access token."}]}`},
	} {
		if a := s.api(c.token, c.path); a.StatusCode != c.status || a.text != c.body {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.text)
		}
	}
	s.set(map[string]any{"confiabilidades_como_no_manual": true})
	if a := s.api(all, levelsOf+"52998224725/niveis?response-type=ids"); a.text != `[{"id":"1 (Bronze)","dataAtualizacao":"2025-03-10 09:00:00"}]` {
		t.Errorf("as in the manual: %s", a.text)
	}
}

func TestPowers(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.tokens(paula, map[string]any{"escopos": allScopes()}).AccessToken
	query := url.Values{"filtrar-por-outorgante": {string(clara)}, "filtrar-por-procurador": {string(paula)},
		"filtrar-por-clientid": {exampleID}, "filtrar-por-situacao": {"ativo"}}.Encode()
	s.golden("procuracoes.json", s.api(token, "/procuracoes/v2/procuracoes?"+query).text)
	// The agent may read what is the grantor's.
	if a := s.api(token, "/confiabilidades/v3/contas/12345678909/niveis"); !strings.Contains(a.text, `"id":"3"`) {
		t.Errorf("grantor's level: %s", a.text)
	}
	use := func(id, body string) answer {
		return s.request(http.MethodPost, "/sim/api/procuracoes/v2/procuracoes/"+id+"/historico-acessos", body, "Authorization", "Bearer "+token, "Content-Type", "application/json")
	}
	body := func(client, service, at string) string {
		return `{"poaAccessHistory":{"clientId":"` + client + `","serviceId":` + service + `,"instanteEvento":"` + at + `"}}`
	}
	const at = "2026-10-05T10:11:47.000"
	if a := use("8743", body(exampleID, "3124", at)); a.StatusCode != http.StatusCreated || a.text != `{"id":1}` {
		t.Errorf("use: %d %s", a.StatusCode, a.text)
	}
	if a := use("8743", body("outro", "3124", at)); a.text != `{"errors":[{"status":403,"code":"REQUEST_POAACCESSHISTORY_CLIENTID_MUSTMATCHREQUESTACCESSTOKENAUD","title":"O identificador do sistema deve coincidir com o sistema do access token."}]}` {
		t.Errorf("other client: %s", a.text)
	}
	if a := use("8743", body(exampleID, "10", at)); a.StatusCode != http.StatusForbidden || !strings.Contains(a.text, "CLIENTIDANDSERVICEID_MUSTMATCH") {
		t.Errorf("other service: %s", a.text)
	}
	for _, bad := range []string{"", "[]", body(exampleID, "3124", "ontem"), `{"poaAccessHistory":`} {
		if a := use("8743", bad); a.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d", bad, a.StatusCode)
		}
	}
	for _, id := range []string{"1", "x", "99999999999999999999"} {
		if a := use(id, body(exampleID, "3124", at)); a.StatusCode != http.StatusNotFound {
			t.Errorf("procuração %s: %d", id, a.StatusCode)
		}
	}
	if a := s.admin(http.MethodGet, "/procuracoes/usos", nil, nil); !strings.Contains(a.text, `"instante":"2026-10-05T13:11:47Z"`) {
		t.Errorf("uses: %s", a.text)
	}
	// Ended, it is no longer listed as active, nor acted on.
	s.admin(http.MethodPost, "/procuracoes", map[string]any{"id": 8743, "outorgante": clara, "procurador": paula, "situacao": "REVOKED",
		"criada_em": begin, "expira_em": begin.AddDate(1, 0, 0), "encerrada_em": begin,
		"servicos": []map[string]any{{"client_id": exampleID, "id": 3124, "nome": "Serviço de exemplo"}}}, nil)
	if a := s.api(token, "/procuracoes/v2/procuracoes?"+query); a.text != `{"poas":[]}` {
		t.Errorf("revoked: %s", a.text)
	}
	if c := claims(t, s.tokens(paula, nil).AccessToken); c["agent"] != nil {
		t.Errorf("still an agent: %v", c)
	}
}

func TestPictureAndCertificate(t *testing.T) {
	t.Parallel()
	s := start(t)
	auth := "Bearer " + s.tokens(ana, nil).AccessToken
	raw := s.get("/userinfo/picture", "Authorization", auth)
	if _, err := jpeg.Decode(strings.NewReader(raw.text)); err != nil || raw.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("raw: %s %v", raw.Header.Get("Content-Type"), err)
	}
	s.set(map[string]any{"foto": "base64"})
	text := s.get("/userinfo/picture", "Authorization", auth).text
	if b, err := base64.StdEncoding.DecodeString(text); err != nil || !bytes.Equal(b, []byte(raw.text)) {
		t.Errorf("base64: %v", err)
	}
	s.set(map[string]any{"foto": "404"})
	if a := s.get("/userinfo/picture", "Authorization", auth); a.StatusCode != http.StatusNotFound || a.text != "" {
		t.Errorf("none: %d", a.StatusCode)
	}
	if a := s.get("/userinfo/picture", "Authorization", "Bearer "+s.tokens(fabio, nil).AccessToken); a.StatusCode != http.StatusNotFound {
		t.Errorf("a person without a picture: %d", a.StatusCode)
	}
	for name, c := range map[string]struct {
		token string
		code  int
		body  string
	}{
		"device":   {s.tokens(helena, map[string]any{"cnpj": "11222333000181", "escopos": allScopes()}).AccessToken, 200, `{"amr":["x509"],"certificate":"PADARIA FICTÍCIA LTDA:11222333000181","type":"device"}`},
		"cloud":    {s.tokens(ivo, map[string]any{"cnpj": "90000001000129", "escopos": allScopes()}).AccessToken, 200, `{"provider":"vidaas","amr":["x509"],"certificate":"INDÚSTRIA INVENTADA S.A.:90000001000129","type":"cloud"}`},
		"e-CPF":    {s.tokens(clara, map[string]any{"amr": []string{"x509", "x509_token"}, "escopos": allScopes()}).AccessToken, 200, `{"amr":["x509"],"certificate":"Clara Ouro Fictícia:12345678909","type":"device"}`},
		"password": {s.tokens(ana, map[string]any{"escopos": allScopes()}).AccessToken, 404, `{"error":"404","erro_description":"Not Found"}`},
		"no scope": {s.tokens(ana, nil).AccessToken, 403, `{"error":"insufficient_scope","error_description":"Insufficient scope for this resource","scope":"govbr_recupera_certificadox509"}`},
	} {
		if a := s.get("/api/x509/info", "Authorization", "Bearer "+c.token); a.StatusCode != c.code || a.text != c.body {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.text)
		}
	}
	s.set(map[string]any{"x509_em_lista": true})
	a := s.get("/api/x509/info", "Authorization", "Bearer "+s.tokens(helena, map[string]any{"cnpj": "11222333000181", "escopos": allScopes()}).AccessToken)
	if a.text != `[{"amr":["x509"],"certificate":"PADARIA FICTÍCIA LTDA:11222333000181","type":"device"}]` {
		t.Errorf("in a list: %s", a.text)
	}
}

// TestStepUp: a bronze person is asked for a selo, gets one, goes back, and the
// next tokens tell the new level while the old ones stay.
func TestStepUp(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.enter(ana)
	to := "/sim/confiabilidades/?" + url.Values{"client_id": {exampleID}, "niveis": {"(2/3)"}, "redirect_uri": {exampleBack}}.Encode()
	page := s.get(to)
	if !strings.Contains(page.text, "pede pelo menos o nível Prata") {
		t.Fatalf("%d %s", page.StatusCode, page.text)
	}
	back := s.fill(page, "/sim/confiabilidades/obter", "selo", "602")
	if back.Header.Get("Location") != exampleBack {
		t.Fatalf("not back: %d %s", back.StatusCode, back.Header.Get("Location"))
	}
	q := s.returned(s.authorize())
	if a := s.redeem(q.Get("code")); !strings.Contains(string(part(t, strings.Split(a.text, `"id_token":"`)[1], 1)), `"level":"silver"`) {
		t.Error("the new token has the old level")
	}
	if a := s.get(to); a.Header.Get("Location") != exampleBack {
		t.Errorf("enough already: %d", a.StatusCode)
	}
	if a := s.follow(s.post("/sim/confiabilidades/", url.Values{"client_id": {exampleID}, "niveis": {"3"}, "redirect_uri": {exampleBack}})); !strings.Contains(a.text, "nível Ouro") {
		t.Errorf("POST: %d", a.StatusCode)
	}
	for query, want := range map[string]int{"niveis=4": 422, "niveis=(2": 422, "niveis=,": 422, "client_id=x&redirect_uri=y": 400,
		"client_id=" + exampleID + "&redirect_uri=https://outro.invalid/": 400, "": 200} {
		if a := s.get("/sim/confiabilidades/?" + query); a.StatusCode != want || a.Header.Get("Location") != "" {
			t.Errorf("%q: %d %s", query, a.StatusCode, a.Header.Get("Location"))
		}
	}
	// Nobody signed in: sign in first, and come back to the question.
	other := s.newBrowser()
	if page := other.signIn(other.get(to), gil); page.Header.Get("Location") != exampleBack {
		t.Errorf("sign in on the way: %d %s", page.StatusCode, page.text)
	}
}

func TestWanted(t *testing.T) {
	t.Parallel()
	for expression, missing := range map[string][3]Level{ // for bronze, prata, ouro
		"":      {"", "", ""},
		"1":     {"", "", ""},
		"2":     {Prata, "", ""},
		"2,3":   {Ouro, Ouro, ""},
		"(2/3)": {Prata, "", ""},
		`(2\3)`: {Prata, "", ""},
		"(3)":   {Ouro, Ouro, ""},
	} {
		all, err := parseWanted(expression)
		if err != nil {
			t.Errorf("%q: %v", expression, err)
		}
		for i, have := range []Level{Bronze, Prata, Ouro} {
			if got := all.missing(have); got != missing[i] {
				t.Errorf("%q for %s: %q", expression, have, got)
			}
		}
	}
}
