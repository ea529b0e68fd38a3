package govbrsim

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// problem is what the administration refuses with.
type problem struct {
	Status   int    `json:"status"`
	Title    string `json:"title"`
	Detail   string `json:"detail"`
	Code     string `json:"codigo"`
	Problems []struct {
		Field   string `json:"campo"`
		Code    string `json:"codigo"`
		Message string `json:"mensagem"`
	} `json:"erros"`
}

// TestWorldsDoNotMeet: people, clocks, switches, inboxes, codes, cookies and
// tokens of one world are nothing in another, also when tests run at once.
func TestWorldsDoNotMeet(t *testing.T) {
	t.Parallel()
	s := start(t)
	var first, second worldInfo
	s.admin(http.MethodPost, "/mundos", map[string]any{"nome": "teste-1"}, &first)
	s.admin(http.MethodPost, "/mundos", map[string]any{}, &second)
	if first.Issuer != s.url+"/mundo/teste-1/" || second.Name == "" || second.Name == first.Name {
		t.Fatalf("%+v %+v", first, second)
	}
	var group sync.WaitGroup
	for i, info := range []worldInfo{first, second} {
		group.Go(func() {
			w := s.newBrowser()
			w.url = info.URL
			level := []Level{Prata, Ouro}[i]
			w.admin(http.MethodPut, "/pessoas/"+string(ana)+"/nivel", map[string]any{"nivel": level}, nil)
			w.admin(http.MethodPost, "/relogio", map[string]any{"avancar": "24h"}, nil)
			q := w.enter(ana)
			var tokens tokenAnswer
			if err := json.Unmarshal([]byte(w.redeem(q.Get("code")).text), &tokens); err != nil {
				t.Error(err)
				return
			}
			c := claims(t, tokens.IDToken)
			if c["iss"] != info.Issuer || c["reliability_info"].(map[string]any)["level"] != level.claim() || c["iat"].(float64) != float64(begin.Add(24*time.Hour).Unix()) {
				t.Errorf("%s: %v", info.Name, c)
			}
			if a := s.get("/userinfo", "Authorization", "Bearer "+tokens.AccessToken); a.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s: its token is good at the root", info.Name)
			}
			if a := s.redeem(w.direct(ana, nil)); a.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: its code is good at the root", info.Name)
			}
			if page := w.get("/sim/"); !strings.Contains(page.text, "Mundo "+info.Name) || !strings.Contains(page.text, info.URL+"/authorize") {
				t.Errorf("%s: page without its name", info.Name)
			}
		})
	}
	group.Wait()
	var person Person
	s.admin(http.MethodGet, "/pessoas/"+string(ana), nil, &person)
	if person.EffectiveLevel() != Bronze || !s.server.worlds[DefaultWorld].Now().Equal(begin) {
		t.Errorf("the root changed: %+v", person)
	}
	var list struct {
		Worlds []worldInfo `json:"mundos"`
	}
	s.admin(http.MethodGet, "/mundos", nil, &list)
	if len(list.Worlds) != 3 {
		t.Errorf("%+v", list)
	}
	for path, want := range map[string]int{"teste-1": 204, "teste-2": 404, DefaultWorld: 409} {
		if a := s.admin(http.MethodDelete, "/mundos/"+path, nil, nil); a.StatusCode != want {
			t.Errorf("delete %s: %d", path, a.StatusCode)
		}
	}
	if a := s.get("/mundo/teste-1/sim/"); a.StatusCode != http.StatusNotFound {
		t.Errorf("a deleted world answers: %d", a.StatusCode)
	}
	for name, want := range map[string]int{"a b": 422, "Maiúscula": 422, "-x": 422, strings.Repeat("a", 41): 422, second.Name: 409} {
		if a := s.admin(http.MethodPost, "/mundos", map[string]any{"nome": name}, nil); a.StatusCode != want {
			t.Errorf("world %q: %d", name, a.StatusCode)
		}
	}
}

func TestPeopleAreKept(t *testing.T) {
	t.Parallel()
	s := start(t)
	made := map[string]any{"cpf": "900.000.016-51", "nome": "Zélia Nova Fictícia", "senha": "outra", "email": "zelia@pessoa.invalid", "email_verificado": true}
	var p Person
	if a := s.admin(http.MethodPost, "/pessoas", made, &p); a.StatusCode != http.StatusCreated || p.CPF != "90000001651" || p.EffectiveLevel() != Bronze {
		t.Fatalf("%d %+v", a.StatusCode, p)
	}
	if a := s.admin(http.MethodPost, "/pessoas", made, nil); a.StatusCode != http.StatusConflict {
		t.Errorf("twice: %d", a.StatusCode)
	}
	if a := s.admin(http.MethodPatch, "/pessoas/90000001651", map[string]any{"nome_social": "Zé", "cpf": "52998224725"}, &p); a.StatusCode != http.StatusOK || p.SocialName != "Zé" || p.Email == "" || p.CPF != "90000001651" {
		t.Errorf("patch: %d %+v", a.StatusCode, p)
	}
	for _, c := range []struct {
		in    map[string]any
		level Level
		selos string
	}{
		{map[string]any{"nivel": "ouro"}, Ouro, "701"}, {map[string]any{"nivel": "prata"}, Prata, "602"},
		{map[string]any{"selo": "801"}, Ouro, "602 801"}, {map[string]any{"nivel": "bronze"}, Bronze, "201"},
	} {
		s.admin(http.MethodPut, "/pessoas/90000001651/nivel", c.in, &p)
		var ids []string
		for _, selo := range p.Selos {
			ids = append(ids, selo.ID)
		}
		if p.EffectiveLevel() != c.level || strings.Join(ids, " ") != c.selos {
			t.Errorf("%v: %s %v", c.in, p.EffectiveLevel(), ids)
		}
	}
	if a := s.admin(http.MethodDelete, "/pessoas/90000001651", nil, nil); a.StatusCode != http.StatusNoContent {
		t.Errorf("delete: %d", a.StatusCode)
	}
	if a := s.admin(http.MethodGet, "/pessoas/90000001651", nil, nil); a.StatusCode != http.StatusNotFound {
		t.Errorf("gone: %d", a.StatusCode)
	}
}

// TestPatchesTouchOneRecord: what is changed in one world stays in it, down to
// the last switch.
func TestPatchesTouchOneRecord(t *testing.T) {
	t.Parallel()
	file := defaultPeople()
	form := PictureBase64
	file.People[0].Switches.Picture = &form
	s := start(t, func(o *Options) { o.People = file })
	path := "/pessoas/" + string(file.People[0].CPF)
	first, second := s.inWorld("um"), s.inWorld("dois")
	first.admin(http.MethodPatch, path, map[string]any{"interruptores": map[string]any{"foto": "404"}, "selos": []any{map[string]any{"id": "901", "atualizado_em": begin}}}, nil)
	var p Person
	if first.admin(http.MethodGet, path, nil, &p); *p.Switches.Picture != PictureNone || len(p.Selos) != 1 || p.Selos[0].ID != "901" {
		t.Errorf("%+v", p)
	}
	p = Person{}
	if second.admin(http.MethodGet, path, nil, &p); *p.Switches.Picture != PictureBase64 || p.Selos[0].ID != "201" {
		t.Errorf("the other world has %s, %v", *p.Switches.Picture, p.Selos)
	}
	if form != PictureBase64 {
		t.Error("the seed changed")
	}
}

// TestRecordsAreChecked: each wrong field is named, with a text in Portuguese.
func TestRecordsAreChecked(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, c := range map[string]struct {
		method, path string
		in           any
		fields       string
	}{
		"person": {http.MethodPost, "/pessoas", map[string]any{"cpf": "1", "nome": "", "senha": "x", "email": "x", "telefone": "1", "segundo_fator": "sms", "nivel": "platina",
			"selos": []any{map[string]any{"id": "x"}}, "situacao_cpf": "?", "foto": []byte("GIF89a"), "interruptores": map[string]any{"foto": "oval"}},
			"cpf email foto interruptores.foto nivel nome segundo_fator selos[0].id situacao_cpf telefone"},
		"client": {http.MethodPost, "/clientes", map[string]any{"client_id": "a b", "client_secret": " x", "nome": strings.Repeat("a", 51), "ambiente": "producao",
			"urls_retorno": []string{"http://a.invalid/", "javascript:alert(1)", "https://a@b.invalid/", `https://a.invalid\@b/`, "https://a.invalid/#x", "/x", "https://a.invalid/ x"}, "escopos": []string{"tudo"}},
			"ambiente? client_id client_secret escopos[0] nome urls_retorno[0] urls_retorno[1] urls_retorno[2] urls_retorno[3] urls_retorno[4] urls_retorno[5] urls_retorno[6]"},
		"logout of another": {http.MethodPost, "/clientes", map[string]any{"client_id": "h-novo", "client_secret": "x", "nome": "Novo", "urls_logout": []string{"http://localhost:3000/"}}, "urls_logout[0]"},
		"company": {http.MethodPost, "/empresas", map[string]any{"cnpj": "1", "razao_social": "", "participantes": []any{map[string]any{"cpf": "2", "atuacao": "DONO"}}},
			"cnpj participantes[0].atuacao participantes[0].cpf razao_social"},
		"power": {http.MethodPost, "/procuracoes", map[string]any{"outorgante": "1", "procurador": "2", "situacao": "?"}, "outorgante procurador situacao"},
		"direct": {http.MethodPost, "/autorizacoes", map[string]any{"cpf": ana, "client_id": exampleID, "redirect_uri": "x", "code_challenge": "y", "escopos": []string{"z"}},
			"code_challenge escopos nonce redirect_uri"},
	} {
		var p problem
		a := s.admin(c.method, c.path, c.in, &p)
		if a.StatusCode != http.StatusUnprocessableEntity || a.Header.Get("Content-Type") != "application/problem+json" || p.Status != 422 || p.Title == "" {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.text)
		}
		found := map[string]bool{}
		for _, e := range p.Problems {
			found[e.Field] = true
			if e.Message == "" || strings.HasPrefix(e.Message, "[") {
				t.Errorf("%s: %s has no text: %q", name, e.Code, e.Message)
			}
		}
		for field := range strings.FieldsSeq(c.fields) {
			if !strings.HasSuffix(field, "?") && !found[field] {
				t.Errorf("%s: nothing on %s in %s", name, field, a.text)
			}
		}
	}
	for body, code := range map[string]string{"": "govbrsim.json", "{": "govbrsim.json", `{"x":1}`: "govbrsim.json", `{"nome":"x"} {}`: "govbrsim.json.more"} {
		a := s.request(http.MethodPost, "/sim/admin/mundos", body, "Content-Type", "application/json")
		if a.StatusCode != 422 || !strings.Contains(a.text, `"codigo":"`+code+`"`) {
			t.Errorf("%q: %d %s", body, a.StatusCode, a.text)
		}
	}
	if a := s.request(http.MethodPost, "/sim/admin/mundos", "{}", "Content-Type", "text/plain"); !strings.Contains(a.text, "govbrsim.media_type") {
		t.Errorf("text: %d", a.StatusCode)
	}
}

func TestClientsAndCompanies(t *testing.T) {
	t.Parallel()
	s := start(t)
	var c Client
	a := s.admin(http.MethodPost, "/clientes", map[string]any{"client_id": "h-novo.teste.gov.br", "client_secret": "x", "nome": "Novo", "urls_retorno": []string{"http://localhost:9/volta"}}, &c)
	if a.StatusCode != http.StatusCreated || c.Environment != Homologacao || len(c.Scopes) != len(DefaultScopes()) {
		t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	if to := s.authorize("client_id", c.ID, "redirect_uri", "http://localhost:9/volta").Header.Get("Location"); !strings.Contains(to, "/login?") {
		t.Errorf("a new client: %s", to)
	}
	if a := s.admin(http.MethodPatch, "/clientes/"+c.ID, map[string]any{"ambiente": "producao"}, nil); a.StatusCode != 422 || !strings.Contains(a.text, "url_https") {
		t.Errorf("production with http: %d %s", a.StatusCode, a.text)
	}
	if a := s.admin(http.MethodDelete, "/clientes/"+c.ID, nil, nil); a.StatusCode != http.StatusNoContent {
		t.Errorf("delete: %d", a.StatusCode)
	}
	if a := s.authorize("client_id", c.ID, "redirect_uri", "http://localhost:9/volta"); !strings.Contains(a.text, "invalid_client") {
		t.Errorf("a deleted client: %d", a.StatusCode)
	}
	var company Company
	path := "/empresas/11222333000181/participantes/" + string(bruno)
	a = s.admin(http.MethodPut, path, map[string]any{"cadastrador": false, "cpf_cadastrador": helena, "expira_em": begin.AddDate(0, 1, 0)}, &company)
	if m := company.member(bruno); a.StatusCode != http.StatusOK || m == nil || !m.Linked || m.Acting != Contributor || m.AddedBy != helena {
		t.Errorf("link: %d %s", a.StatusCode, a.text)
	}
	if a = s.admin(http.MethodDelete, path, nil, nil); a.StatusCode != http.StatusNoContent || s.server.worlds[DefaultWorld].companies["11222333000181"].member(bruno) != nil {
		t.Errorf("unlink: %d", a.StatusCode)
	}
	if a = s.admin(http.MethodDelete, "/empresas/11222333000181", nil, nil); a.StatusCode != http.StatusNoContent {
		t.Errorf("delete company: %d", a.StatusCode)
	}
	if a = s.admin(http.MethodPut, path, map[string]any{}, nil); a.StatusCode != http.StatusNotFound {
		t.Errorf("no company: %d", a.StatusCode)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	s := start(t)
	var c clockInfo
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	s.admin(http.MethodPost, "/relogio", map[string]any{"agora": at, "parado": true}, &c)
	s.clock.Advance(time.Hour)
	if s.admin(http.MethodGet, "/relogio", nil, &c); !c.Still || !c.Now.Equal(at) {
		t.Errorf("still: %+v", c)
	}
	s.admin(http.MethodPost, "/relogio", map[string]any{"avancar": "90s"}, &c)
	if !c.Now.Equal(at.Add(90 * time.Second)) {
		t.Errorf("moved: %+v", c)
	}
	s.admin(http.MethodPost, "/relogio", map[string]any{"parado": false}, &c)
	s.clock.Advance(time.Hour)
	if s.admin(http.MethodGet, "/relogio", nil, &c); c.Still || !c.Now.Equal(at.Add(90*time.Second+time.Hour)) {
		t.Errorf("running: %+v", c)
	}
	for _, in := range []map[string]any{{"avancar": "x"}, {"avancar": "1000000h"}, {"agora": "0001-01-01T00:00:00Z"}} {
		if a := s.admin(http.MethodPost, "/relogio", in, nil); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", in, a.StatusCode)
		}
	}
}

// TestStateIsKept: a simulator that begins again goes on with the same people,
// worlds, consents, clock and key.
func TestStateIsKept(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "estado.json")
	var options Options
	s := start(t, func(o *Options) { o.State = file }, func(o *Options) { options = *o })
	w := s.inWorld("guardado")
	w.admin(http.MethodPut, "/pessoas/"+string(ana)+"/nivel", map[string]any{"nivel": "ouro"}, nil)
	w.admin(http.MethodPost, "/relogio", map[string]any{"avancar": "1h"}, nil)
	w.set(map[string]any{"amr_extra": []string{"novo"}, "foto": "base64"})
	w.enter(ana)
	token := w.tokens(ana, nil).AccessToken
	if err := s.server.Save(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	options.URL, options.Key = s.url, nil
	again, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	if !again.key.Equal(s.server.key) {
		t.Error("another key")
	}
	kept := again.worlds["guardado"]
	if kept.people[ana].EffectiveLevel() != Ouro || !kept.Now().Equal(begin.Add(time.Hour)) || kept.switches.ExtraAMR[0] != "novo" {
		t.Errorf("%+v", kept.people[ana])
	}
	if granted, _ := kept.consents.get(consentKey(ana, exampleID)); len(granted) != len(DefaultScopes()) {
		t.Errorf("consent %v", granted)
	}
	var c accessClaims
	if err := again.open(token, &c); err != nil {
		t.Errorf("a token of before: %v", err)
	}
	if err := again.Save(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the file changed by itself: %v", err)
	}
	if err := again.DeleteWorld("guardado"); err != nil {
		t.Fatal(err)
	}
	if err := again.Save(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(file); err != nil || strings.Contains(string(after), "guardado") {
		t.Errorf("the deleted world is kept: %v", err)
	}
	for _, bad := range []string{"", "{}", `{"formato":9}`, `{"formato":1,"chave":"AAAA","mundos":[]}`, strings.Replace(string(before), string(ana), "52998224724", 1),
		strings.Replace(string(before), `"nome": "guardado"`, `"nome": "a/b"`, 1)} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(options); err == nil {
			t.Errorf("%.40q is taken", bad)
		}
	}
}

// TestSeedsAreAsPromised: the personas of every kind exist, and files are read
// with the same rules.
func TestSeedsAreAsPromised(t *testing.T) {
	t.Parallel()
	people := map[Level]int{}
	var twoFactors, noMail, social, dead int
	for _, p := range defaultPeople().People {
		people[p.EffectiveLevel()]++
		if p.SecondFactor != "" {
			twoFactors++
		}
		if !p.EmailVerified {
			noMail++
		}
		if p.SocialName != "" {
			social++
		}
		if p.Situation == Deceased {
			dead++
		}
		if !strings.Contains(p.Name, "Fictíci") || !strings.HasSuffix(p.Email, ".invalid") {
			t.Errorf("%s could be taken for somebody", p.Name)
		}
	}
	if people[Bronze] == 0 || people[Prata] == 0 || people[Ouro] == 0 || twoFactors < 2 || noMail == 0 || social == 0 || dead == 0 {
		t.Errorf("levels %v, two factors %d, no mail %d, social %d, dead %d", people, twoFactors, noMail, social, dead)
	}
	for text, ok := range map[string]bool{`{"pessoas":[]}`: true, `{"pessoas":[null]}`: false, `{"empresas":[null]}`: false, `{"procuracoes":[null]}`: false,
		`[]`: false, `{"gente":[]}`: false, `{"pessoas":[{"cpf":"1"}]}`: false} {
		if _, err := ReadPeople(strings.NewReader(text)); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, ok := range map[string]bool{`{"clientes":[]}`: true, `{"clientes":[null]}`: false, `{"clientes":[{}]}`: false,
		`{"clientes":[{"client_id":"a","client_secret":"x","nome":"A","urls_logout":["http://a.invalid/"]},{"client_id":"b","client_secret":"x","nome":"B","urls_logout":["http://a.invalid/"]}]}`: false} {
		if _, err := ReadClients(strings.NewReader(text)); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, o := range []Options{{People: &People{People: []*Person{{CPF: "1"}}}}, {Clients: &ClientList{Clients: []*Client{nil}}}} {
		o.URL, o.Key = "http://127.0.0.1:1", testKey()
		if _, err := New(o); err == nil {
			t.Errorf("wrong records are taken: %+v", o)
		}
	}
}
