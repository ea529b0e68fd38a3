package govbrsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"selo/brasil"
)

const (
	agencyID     = "prova-de-vida.teste.gov.br"
	agencySecret = "segredo-de-prova-de-vida"
	proofs       = "/sim/meugov/api/vbeta4/transacoes"
	notices      = "/sim/meugov/api/vbeta1/mensagens"
)

// lifeToken fetches an agency's token.
func (s *sim) lifeToken() string {
	s.t.Helper()
	a := s.lifeTokenAs(agencyID, agencySecret, "?grant_type=client_credentials")
	var out map[string]any
	if err := json.Unmarshal([]byte(a.text), &out); err != nil || a.StatusCode != http.StatusOK {
		s.t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	return out["access_token"].(string)
}

func (s *sim) lifeTokenAs(id, secret, query string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.at("/sim/meugov/auth/oauth/token"+query), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if id != "" {
		r.SetBasicAuth(id, secret)
	}
	return s.do(r)
}

// life sends a request to Prova de Vida with a token.
func (s *sim) life(method, path, token string, body any) answer {
	s.t.Helper()
	text := ""
	if body != nil {
		content, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		text = string(content)
	}
	return s.request(method, path, text, "Content-Type", "application/json", "Authorization", "Bearer "+token)
}

// proofAsked is a right body as in the manual; pairs change it, nil takes away.
func proofAsked(pairs ...any) map[string]any {
	body := map[string]any{"cpf": string(clara), "solicitante": map[string]any{"cnpj": "90.000.002/0001-73", "nome": "ÓRGÃO FICTÍCIO", "servico": "Benefício"},
		"motivo": "Prova de vida para o benefício", "tipo": "B", "expiracao_em": "120", "mensagem_sucesso": "Tudo certo.", "mensagem_falha": "Não deu certo.", "categoria": "PV"}
	for i := 0; i+1 < len(pairs); i += 2 {
		if body[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
			delete(body, pairs[i].(string))
		}
	}
	return body
}

// prove opens a transaction and returns its id and body.
func (s *sim) prove(token string, pairs ...any) (id, text string) {
	s.t.Helper()
	a := s.life(http.MethodPost, proofs, token, proofAsked(pairs...))
	var out struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(a.text), &out); err != nil || a.StatusCode != http.StatusCreated {
		s.t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	return out.ID, a.text
}

var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

// TestProofGoldens keeps every answer of Prova de Vida byte by byte: the token,
// the transaction in every state, and the refusals.
func TestProofGoldens(t *testing.T) {
	t.Parallel()
	s := start(t)
	keep := func(name, text string) { s.golden("pv-"+name, uuids.ReplaceAllString(text, "UUID")) }
	a := s.lifeTokenAs(agencyID, agencySecret, "?grant_type=client_credentials")
	token := s.lifeToken()
	keep("token.json", regexp.MustCompile(`"access_token":"[^"]+"`).ReplaceAllString(a.text, `"access_token":"TOKEN"`))
	id, text := s.prove(token)
	keep("pendente.json", text)
	for _, outcome := range proofOutcomes() {
		if a := s.admin(http.MethodPut, "/prova-de-vida/transacoes/"+id+"/resultado", map[string]any{"resultado": outcome}, nil); a.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", outcome, a.StatusCode, a.text)
		}
		a := s.life(http.MethodGet, proofs+"/"+id, token, nil)
		if a.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", outcome, a.StatusCode)
		}
		keep(string(outcome)+".json", a.text)
	}
	_, text = s.prove(token, "selogovbr_reuso_em", "120")
	keep("reuso.json", text)
	_, text = s.prove(token, "cpf", "90000001651")
	keep("sem-conta.json", text)
	keep("400.json", s.life(http.MethodPost, proofs, token, proofAsked("cpf", "12345678900", "motivo", "")).text)
	keep("422.json", s.life(http.MethodPost, proofs, token, proofAsked("tipo", "A")).text)
	keep("404.json", s.life(http.MethodGet, proofs+"/nada", token, nil).text)
	keep("401.json", s.life(http.MethodGet, proofs+"/nada", "x", nil).text)
	made := s.life(http.MethodPost, notices, token, noticeAsked())
	keep("mensagem-201.txt", made.text)
	keep("mensagem.json", s.life(http.MethodGet, notices+"/"+uuids.FindString(made.text), token, nil).text)
}

func noticeAsked(pairs ...any) map[string]any {
	body := map[string]any{"remetente": map[string]any{"cnpj": "90.000.002/0001-73", "nome": "ÓRGÃO FICTÍCIO"}, "titulo": "Aviso", "conteudo": "Uma linha.\nOutra.", "tipo": "D", "cpf": string(clara)}
	for i := 0; i+1 < len(pairs); i += 2 {
		if body[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
			delete(body, pairs[i].(string))
		}
	}
	return body
}

// TestProofToken: agencies' tokens are of this service and world only, and end.
func TestProofToken(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, c := range map[string]struct {
		a      answer
		status int
		code   string
	}{
		"none":   {s.lifeTokenAs("", "", "?grant_type=client_credentials"), 401, "unauthorized"},
		"secret": {s.lifeTokenAs(agencyID, "x", "?grant_type=client_credentials"), 401, "unauthorized"},
		"client": {s.lifeTokenAs(signID, signSecret, "?grant_type=client_credentials"), 401, "unauthorized"},
		"grant":  {s.lifeTokenAs(agencyID, agencySecret, "?grant_type=password"), 400, "unsupported_grant_type"},
		"empty":  {s.lifeTokenAs(agencyID, agencySecret, ""), 400, "invalid_request"},
	} {
		if c.a.StatusCode != c.status || !strings.Contains(c.a.text, `{"error":"`+c.code+`"`) {
			t.Errorf("%s: %d %s", name, c.a.StatusCode, c.a.text)
		}
	}
	token := s.lifeToken()
	id, _ := s.prove(token)
	other := s.inWorld("outro")
	for name, a := range map[string]answer{
		"none": s.get(proofs + "/" + id), "access token": s.life(http.MethodGet, proofs+"/"+id, s.tokens(clara, nil).AccessToken, nil),
		"other world": other.life(http.MethodGet, proofs+"/"+id, token, nil), "to Login Único": s.get("/userinfo", "Authorization", "Bearer "+token),
		"create": s.life(http.MethodPost, proofs, "x", proofAsked()), "cancel": s.life(http.MethodPut, proofs+"/"+id+"/cancelar", "x", nil), "message": s.life(http.MethodPost, notices, "x", noticeAsked()),
	} {
		if a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.text)
		}
	}
	second := map[string]any{"client_id": "outro-orgao", "client_secret": "outro", "nome": "OUTRO ÓRGÃO FICTÍCIO", "cnpj": "11222333000181"}
	if a := s.admin(http.MethodPost, "/clientes-prova-de-vida", second, nil); a.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	var foreign struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(s.lifeTokenAs("outro-orgao", "outro", "?grant_type=client_credentials").text), &foreign); err != nil {
		t.Fatal(err)
	}
	for method, path := range map[string]string{http.MethodGet: "", http.MethodPut: "/cancelar"} {
		if a := s.life(method, proofs+"/"+id+path, foreign.Token, nil); a.StatusCode != http.StatusNotFound {
			t.Errorf("another agency's %s: %d", method, a.StatusCode)
		}
	}
	s.clock.Advance(lifeToken)
	if a := s.life(http.MethodGet, proofs+"/"+id, token, nil); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("after 900 s: %d", a.StatusCode)
	}
}

// TestProofArguments: what is wrong is named, what is missing gets its default.
func TestProofArguments(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.lifeToken()
	for _, c := range []struct {
		pairs  []any
		status int
		part   string
	}{
		{[]any{"cpf", "12345678900"}, 400, `"errors":{"cpf":"número do registro de contribuinte individual brasileiro (CPF) inválido"}`},
		{[]any{"cpf", nil}, 400, `"cpf"`},
		{[]any{"solicitante", nil}, 400, `"solicitante.cnpj":"número do registro de contribuinte corporativo brasileiro (CNPJ) inválido"`},
		{[]any{"motivo", " "}, 400, `"motivo":"não deve estar em branco"`},
		{[]any{"motivo", strings.Repeat("á", maxLongText+1)}, 400, `"motivo":"tamanho deve ser entre 0 e 1000"`},
		{[]any{"motivo", "a\u0000b"}, 400, `"motivo"`},
		{[]any{"expiracao_em", nil}, 400, `"expiracao_em":"deve ser maior que 0"`},
		{[]any{"expiracao_em", "0"}, 400, `"expiracao_em"`},
		{[]any{"expiracao_em", "-5"}, 400, `"expiracao_em"`},
		{[]any{"expiracao_em", "9999999999"}, 400, `"expiracao_em"`},
		{[]any{"expiracao_em", true}, 400, `"corpo"`},
		{[]any{"selogovbr_reuso_em", "x"}, 400, `"selogovbr_reuso_em"`},
		{[]any{"tipo", "A"}, 422, `"status":422,"error":"Unprocessable Entity","message":"A não é um tipo válido [B,C]","path":"/vbeta4/transacoes"`},
		{[]any{"categoria", "X"}, 422, `X não é uma categoria válida [PV,OU]`},
		{[]any{"tipo", nil}, 201, `"tipo":"B"`},
		{[]any{"tipo", "C", "categoria", "OU"}, 201, `"categoria":"OU"`},
		{[]any{"expiracao_em", 120}, 201, `"expiracao_em":"2026-11-20T14:00:00.001000000-03:00"`},
		{[]any{"outro", "campo"}, 201, `"selogovbr":{"disponivel":false,"usado":false}`},
	} {
		if a := s.life(http.MethodPost, proofs, token, proofAsked(c.pairs...)); a.StatusCode != c.status || !strings.Contains(a.text, c.part) {
			t.Errorf("%.60v: %d %s", c.pairs, a.StatusCode, a.text)
		}
	}
	for _, body := range []string{"", "[]", "{", "null x"} {
		if a := s.request(http.MethodPost, proofs, body, "Content-Type", "application/json", "Authorization", "Bearer "+token); a.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d", body, a.StatusCode)
		}
	}
	if a := s.post(proofs, url.Values{}, "Authorization", "Bearer "+token); a.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("form: %d", a.StatusCode)
	}
}

// TestProofReuse: a facial validation that is recent enough answers by itself.
func TestProofReuse(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.lifeToken()
	reused := func(cpf brasil.CPF, minutes any) bool {
		_, text := s.prove(token, "cpf", string(cpf), "selogovbr_reuso_em", minutes)
		auto := strings.Contains(text, `"disponivel":true`) && strings.Contains(text, `"usado":true`) && strings.Contains(text, `"resposta":{"autorizado":true`)
		if auto == strings.Contains(text, `"usado":false`) {
			t.Errorf("neither one nor the other: %s", text)
		}
		return auto
	}
	if reused(clara, "120") || reused(bruno, "120") {
		t.Error("an old validation, or none, is reused")
	}
	s.admin(http.MethodPut, "/pessoas/"+string(bruno)+"/validacao-facial", map[string]any{"em": begin.Add(-119 * time.Minute)}, nil)
	if !reused(bruno, "120") || reused(bruno, "118") || reused(bruno, nil) {
		t.Error("120 minutes, 118 minutes, no reuse")
	}
	s.admin(http.MethodPut, "/pessoas/"+string(bruno)+"/validacao-facial", map[string]any{}, nil)
	if reused(bruno, "120") {
		t.Error("a validation that was taken away is reused")
	}
	s.admin(http.MethodPut, "/pessoas/"+string(bruno)+"/nivel", map[string]any{"selo": "401"}, nil)
	if !reused(bruno, "5") {
		t.Error("the validation of a selo is not reused")
	}
}

// TestPhone: the citizen accepts, refuses, fails, is too late; messages come in.
func TestPhone(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.lifeToken()
	for result, want := range map[string]string{
		"autorizada": `"resposta":{"autorizado":true`, "face_nao_confere": `"motivo_negacao":2`, "biografia_nao_confere": `"motivo_negacao":3`, "nada_confere": `"motivo_negacao":4`,
	} {
		id, _ := s.prove(token)
		home := s.get("/sim/celular/" + string(clara))
		request := "/sim/celular/" + string(clara) + "/pedidos/" + id
		if !strings.Contains(home.text, request) || !strings.Contains(home.text, "Esperando por você") {
			t.Fatalf("the phone shows nothing: %s", home.text)
		}
		if a := s.fill(home, request+"/rosto", "resultado", result); !strings.Contains(a.text, "Esperando por você") {
			t.Errorf("a face check before accepting: %s", a.text)
		}
		face := s.fill(s.get(request), request, "decisao", "autorizar")
		if !strings.Contains(face.text, "<h1>Validação facial</h1>") {
			t.Fatalf("no face check: %s", face.text)
		}
		// Whoever stops here finds the request again.
		if a := s.life(http.MethodGet, proofs+"/"+id, token, nil); strings.Contains(a.text, "resposta") {
			t.Errorf("answered by accepting: %s", a.text)
		}
		end := s.fill(face, request+"/rosto", "resultado", result)
		message := map[bool]string{true: "Tudo certo.", false: "Não deu certo."}[result == "autorizada"]
		if !strings.Contains(end.text, message) {
			t.Errorf("%s: no %q in %s", result, message, end.text)
		}
		if a := s.life(http.MethodGet, proofs+"/"+id, token, nil); !strings.Contains(a.text, want) {
			t.Errorf("%s: %s", result, a.text)
		}
		if a := s.fill(end, request, "decisao", "recusar"); a.StatusCode != http.StatusConflict {
			t.Errorf("answered twice: %d", a.StatusCode)
		}
		if a := s.life(http.MethodPut, proofs+"/"+id+"/cancelar", token, nil); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("cancelled after the answer: %d", a.StatusCode)
		}
	}
	id, _ := s.prove(token)
	request := "/sim/celular/" + string(clara) + "/pedidos/" + id
	s.fill(s.get(request), request, "decisao", "recusar")
	if a := s.life(http.MethodGet, proofs+"/"+id, token, nil); !strings.Contains(a.text, `"autorizado":false`) || !strings.Contains(a.text, `"motivo_negacao":1`) {
		t.Errorf("refused: %s", a.text)
	}
	if m := s.lastCode(clara); m.Kind != "aplicativo" || m.Link != s.url+request {
		t.Errorf("notification %+v", m)
	}
}

// TestPhoneEnds: nobody answers what was cancelled or is too old, or another's.
func TestPhoneEnds(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.lifeToken()
	cancelled, _ := s.prove(token)
	if a := s.life(http.MethodPut, proofs+"/"+cancelled+"/cancelar", token, nil); a.StatusCode != http.StatusOK || a.text != "" {
		t.Errorf("cancel: %d %q", a.StatusCode, a.text)
	}
	old, _ := s.prove(token, "expiracao_em", "5")
	s.clock.Advance(5*time.Minute + time.Second)
	for id, text := range map[string]string{cancelled: "Cancelada por quem pediu", old: "O prazo terminou"} {
		request := "/sim/celular/" + string(clara) + "/pedidos/" + id
		if page := s.get(request); !strings.Contains(page.text, text) || strings.Contains(page.text, "Recusar</button>") {
			t.Errorf("%s: %s", text, page.text)
		}
		if a := s.post(request, url.Values{"decisao": {"autorizar"}}); a.StatusCode != http.StatusConflict {
			t.Errorf("%s: answered with %d", text, a.StatusCode)
		}
		if a := s.get(strings.Replace(request, string(clara), string(bruno), 1)); a.StatusCode != http.StatusNotFound {
			t.Errorf("on another phone: %d", a.StatusCode)
		}
	}
	if a := s.life(http.MethodGet, proofs+"/"+old, token, nil); strings.Contains(a.text, "resposta") || strings.Contains(a.text, "cancelamento") {
		t.Errorf("expired: %s", a.text)
	}
	for _, path := range []string{"/sim/celular/12345678900", "/sim/celular/x", "/sim/celular/" + string(clara) + "/mensagens/x", "/sim/celular/" + string(clara) + "/pedidos/x"} {
		if a := s.get(path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
	if a := s.get("/sim/celular"); !strings.Contains(a.text, "/sim/celular/"+string(bruno)) {
		t.Errorf("list: %s", a.text)
	}
}

// TestProofSwitches ends transactions at once, for a person or everybody.
func TestProofSwitches(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.lifeToken()
	s.set(map[string]any{"prova_de_vida": "face_nao_confere"})
	s.admin(http.MethodPut, "/pessoas/"+string(bruno)+"/interruptores", map[string]any{"prova_de_vida": "sem_biometria"}, nil)
	if _, text := s.prove(token); !strings.Contains(text, `"motivo_negacao":2`) {
		t.Errorf("world: %s", text)
	}
	if _, text := s.prove(token, "cpf", string(bruno)); !strings.Contains(text, `"codigo":"SEMBIOM","motivo":"Dados biográficos inexistentes para o cpf informado"`) {
		t.Errorf("person: %s", text)
	}
	if a := s.admin(http.MethodPut, "/interruptores", map[string]any{"prova_de_vida": "talvez"}, nil); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("unknown outcome: %d", a.StatusCode)
	}
}

// TestProofMessages: direct and to all, read, withdrawn.
func TestProofMessages(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.lifeToken()
	send := func(pairs ...any) string {
		a := s.life(http.MethodPost, notices, token, noticeAsked(pairs...))
		if a.StatusCode != http.StatusCreated || a.text != `{"`+uuids.FindString(a.text)+`"}` {
			t.Fatalf("%d %s", a.StatusCode, a.text)
		}
		return uuids.FindString(a.text)
	}
	direct, all := send(), send("tipo", "B", "cpf", nil, "titulo", "Para todos")
	if home := s.get("/sim/celular/" + string(clara)); !strings.Contains(home.text, "Aviso") || !strings.Contains(home.text, "Para todos") {
		t.Errorf("phone: %s", home.text)
	}
	if home := s.get("/sim/celular/" + string(bruno)); strings.Contains(home.text, direct) || !strings.Contains(home.text, all) {
		t.Errorf("another's phone: %s", home.text)
	}
	if a := s.get("/sim/celular/" + string(bruno) + "/mensagens/" + direct); a.StatusCode != http.StatusNotFound {
		t.Errorf("another's message: %d", a.StatusCode)
	}
	if a := s.get("/sim/celular/" + string(clara) + "/mensagens/" + direct); !strings.Contains(a.text, "Uma linha.\nOutra.") {
		t.Errorf("message: %s", a.text)
	}
	for _, want := range []int{200, 404} {
		if a := s.life(http.MethodDelete, notices+"/"+direct, token, nil); a.StatusCode != want {
			t.Errorf("delete: %d", a.StatusCode)
		}
	}
	for _, c := range []struct {
		pairs  []any
		status int
	}{{[]any{"tipo", "X"}, 422}, {[]any{"cpf", nil}, 400}, {[]any{"tipo", "B"}, 400}, {[]any{"titulo", ""}, 400}, {[]any{"remetente", nil}, 400}, {[]any{"conteudo", nil}, 400}} {
		if a := s.life(http.MethodPost, notices, token, noticeAsked(c.pairs...)); a.StatusCode != c.status {
			t.Errorf("%v: %d %s", c.pairs, a.StatusCode, a.text)
		}
	}
}

// TestSeededProofs: tests put a transaction into any state.
func TestSeededProofs(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.lifeToken()
	seed := map[string]any{"cpf": clara, "motivo": "semente", "client_id": agencyID}
	for _, outcome := range proofOutcomes() {
		in := maps.Clone(seed)
		in["resultado"] = outcome
		var p Proof
		if a := s.admin(http.MethodPost, "/prova-de-vida/transacoes", in, &p); a.StatusCode != http.StatusCreated || p.outcome(begin) != outcome {
			t.Errorf("%s: %d %s", outcome, a.StatusCode, a.text)
		}
		if a := s.life(http.MethodGet, proofs+"/"+p.ID, token, nil); a.StatusCode != http.StatusOK {
			t.Errorf("%s: the agency gets %d", outcome, a.StatusCode)
		}
	}
	var list struct {
		Proofs []Proof `json:"transacoes"`
	}
	s.admin(http.MethodGet, "/prova-de-vida/transacoes?cpf="+string(clara), nil, &list)
	if len(list.Proofs) != len(proofOutcomes()) {
		t.Errorf("%d transactions", len(list.Proofs))
	}
	for name, in := range map[string]map[string]any{"client": {"client_id": "nada"}, "cpf": {"cpf": "1"}, "outcome": {"resultado": "talvez"}, "type": {"tipo": "A"}, "name": {"outro": 1}} {
		bad := maps.Clone(seed)
		maps.Copy(bad, in)
		if a := s.admin(http.MethodPost, "/prova-de-vida/transacoes", bad, nil); a.StatusCode != http.StatusUnprocessableEntity && a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.text)
		}
	}
	if a := s.admin(http.MethodPut, "/prova-de-vida/transacoes/x/resultado", map[string]any{"resultado": "expirada"}, nil); a.StatusCode != http.StatusNotFound {
		t.Errorf("no such transaction: %d", a.StatusCode)
	}
}
