package govbrsim

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"selo/brasil"
)

// TestFormsOfOtherSites: no page elsewhere can act for the person.
func TestFormsOfOtherSites(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := s.signIn(s.authorize(), clara)
	form := hidden(page.text)
	form.Set("decisao", "autorizar")
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://outro.invalid"}, {"Origin", "null"}, {"Sec-Fetch-Site", "same-site"}} {
		for _, rt := range s.server.Routes() {
			if rt.Guard == Service || rt.Method == http.MethodGet || rt.Method == "" {
				continue
			}
			path := strings.NewReplacer("{cpf}", string(ana), "{cnpj}", "11222333000181", "{id}", exampleID, "{nome}", "x").Replace(rt.Path)
			a := s.request(rt.Method, path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
			if a.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s with %v: %d", rt.Method, path, header, a.StatusCode)
			}
		}
	}
	if a := s.post("/login/autorizacao", form, "Origin", s.url, "Sec-Fetch-Site", "same-origin"); a.StatusCode != http.StatusFound {
		t.Errorf("the page's own form: %d", a.StatusCode)
	}
}

// TestAuthorizationsBelongToABrowser: the address of somebody else's login page,
// which can be guessed, is of no use, before the password and after it.
func TestAuthorizationsBelongToABrowser(t *testing.T) {
	t.Parallel()
	s := start(t)
	first := s.authorize()
	login := first.Header.Get("Location")
	thief := s.newBrowser()
	if a := thief.get(login); a.StatusCode != http.StatusNotFound {
		t.Errorf("login page of another browser: %d", a.StatusCode)
	}
	page := s.signIn(first, clara)
	form := hidden(page.text)
	form.Set("decisao", "autorizar")
	if a := thief.post("/login/autorizacao", form); a.StatusCode != http.StatusNotFound {
		t.Errorf("consent by another browser: %d", a.StatusCode)
	}
	thief.authorize() // it has a cookie of its own now
	if a := thief.post("/login/autorizacao", form); a.StatusCode != http.StatusNotFound {
		t.Errorf("consent by another browser with a cookie: %d", a.StatusCode)
	}
	form.Set("client_id", "h-simples.teste.gov.br")
	if a := s.post("/login/autorizacao", form); a.StatusCode != http.StatusNotFound {
		t.Errorf("consent for another client: %d", a.StatusCode)
	}
	// Consent cannot be given before the password.
	other := s.newBrowser()
	form = hidden(other.follow(other.authorize()).text)
	form.Set("decisao", "autorizar")
	if a := other.follow(other.post("/login/autorizacao", form)); !strings.Contains(a.text, "Número do CPF") {
		t.Errorf("consent without a person: %d %s", a.StatusCode, a.Header.Get("Location"))
	}
	form.Set("codigo", "123456")
	if a := other.follow(other.post("/login/codigo", form)); !strings.Contains(a.text, "Número do CPF") {
		t.Errorf("a code before the password: %d", a.StatusCode)
	}
}

// TestManyAtOnce: browsers that sign in at the same moment to the same client
// each get their own person, state and nonce.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	people := []brasil.CPF{ana, bruno, clara, gil, helena, ivo, joana, kelvin, nina, paula}
	var group sync.WaitGroup
	for i := range 2 * len(people) {
		cpf, mark := people[i%len(people)], strconv.Itoa(i)
		group.Go(func() {
			b := s.newBrowser()
			q := b.enter(cpf, "state", "estado-"+mark, "nonce", "nonce-"+mark)
			var tokens tokenAnswer
			if err := json.Unmarshal([]byte(b.redeem(q.Get("code")).text), &tokens); err != nil {
				t.Error(err)
				return
			}
			if c := claims(t, tokens.IDToken); q.Get("state") != "estado-"+mark || c["nonce"] != "nonce-"+mark || c["sub"] != string(cpf) {
				t.Errorf("browser %s got %v with %v", mark, c, q)
			}
		})
	}
	group.Wait()
}

// TestSessionFixation: a cookie that somebody planted is not the session after
// signing in, and signing out ends it on the server.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	s := start(t)
	root, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	s.client.Jar.SetCookies(root, []*http.Cookie{{Name: "govbrsim_sessao_padrao", Value: "plantada", Path: "/"}})
	s.enter(ana)
	session := ""
	for _, c := range s.client.Jar.Cookies(root) {
		if c.Name == "govbrsim_sessao_padrao" {
			session = c.Value
		}
	}
	if session == "" || session == "plantada" {
		t.Fatalf("session %q", session)
	}
	s.get("/logout")
	other := s.newBrowser()
	other.client.Jar.SetCookies(root, []*http.Cookie{{Name: "govbrsim_sessao_padrao", Value: session, Path: "/"}})
	if page := other.follow(other.authorize()); !strings.Contains(page.text, "Número do CPF") {
		t.Error("the session lives on after logout")
	}
}

// TestNamesAreText: what people are called never becomes markup.
func TestNamesAreText(t *testing.T) {
	t.Parallel()
	s := start(t)
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	made := map[string]any{"cpf": "90000001651", "nome": evil, "nome_social": evil, "senha": "simulado", "descricao": evil, "segundo_fator": "otp"}
	if a := s.admin(http.MethodPost, "/pessoas", made, nil); a.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	s.admin(http.MethodPatch, "/clientes/"+exampleID, map[string]any{"nome": evil[:45]}, nil)
	page := s.signIn(s.authorize(), "90000001651")
	pages := []answer{page, s.get("/sim/"), s.get("/sim/caixa"), s.authorize("client_id", evil), s.authorize("redirect_uri", evil),
		s.get("/logout?post_logout_redirect_uri=" + url.QueryEscape(evil)), s.get("/sim/confiabilidades/?niveis=" + url.QueryEscape(evil)),
		s.get("/" + url.PathEscape(evil)), s.fill(page, "/login/codigo", "codigo", evil)}
	for i, p := range pages {
		if strings.Contains(p.text, "<script") || strings.Contains(p.text, "<img") || strings.Contains(p.text, `"'>`) {
			t.Errorf("page %d: %s", i, p.text)
		}
		if policy := p.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'self'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
			t.Errorf("page %d: %s", i, policy)
		}
	}
}

// TestEveryPageSaysWhatItIs, and none can be framed or kept.
func TestEveryPageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.enter(ana)
	for _, path := range []string{"/sim/", "/sim/caixa", "/login", "/logout", "/nada", "/sim/confiabilidades/", "/authorize", "/mundo/nenhum/sim/"} {
		a := s.follow(s.get(path))
		if !strings.Contains(a.text, "Simulação — não é o gov.br") || !strings.Contains(a.text, "simulação, não é o gov.br</title>") || strings.Count(a.text, "<h1") != 1 {
			t.Errorf("%s: %s", path, a.text)
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(a.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
}

// TestHostHeaderIsNotBelieved: what a request calls the simulator changes no
// address that it gives out, and does not open the administration.
func TestHostHeaderIsNotBelieved(t *testing.T) {
	t.Parallel()
	s := start(t)
	ask := func(path string) answer {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "sso.acesso.gov.br"
		r.Header.Set("X-Forwarded-Host", "sso.acesso.gov.br")
		return s.do(r)
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/authorize?" + asked().Encode(), "/sim/", "/sim"} {
		if a := ask(path); strings.Contains(a.text+a.Header.Get("Location"), "sso.acesso.gov.br") {
			t.Errorf("%s: %s %s", path, a.Header.Get("Location"), a.text)
		}
	}
	if a := ask("/sim/admin/pessoas"); a.StatusCode != http.StatusForbidden {
		t.Errorf("administration: %d", a.StatusCode)
	}
}

// TestOwnNameOpensNoAdministration: a simulator that others know by a name is
// administered without a token from its own machine only.
func TestOwnNameOpensNoAdministration(t *testing.T) {
	t.Parallel()
	server, err := New(Options{URL: "http://simulador.invalid:8082", Key: testKey()})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{"simulador.invalid:8082": 403, "SIMULADOR.invalid:8082": 403, "127.0.0.1:8082": 200, "[::1]:8082": 200, "localhost": 200} {
		for _, path := range []string{"/sim/admin/pessoas", "/sim/mundo"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.Host = host
			w := httptest.NewRecorder()
			if server.ServeHTTP(w, r); w.Code != want {
				t.Errorf("%s at %s: %d", path, host, w.Code)
			}
		}
	}
}

func TestAdminToken(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *Options) { o.AdminToken = "senha-da-administracao" })
	for header, want := range map[string]int{"": 403, "Bearer errada": 403, "Bearer senha-da-administracao": 200} {
		if a := s.get("/sim/admin/pessoas", "Authorization", header); a.StatusCode != want {
			t.Errorf("%q: %d", header, a.StatusCode)
		}
	}
	if page := s.get("/sim/").text; strings.Contains(page, exampleSecret) || strings.Contains(page, signSecret) || strings.Contains(page, agencySecret) {
		t.Error("the first page shows secrets to everybody")
	}
}

// TestOddPaths: no path makes the simulator redirect elsewhere or leave its world.
func TestOddPaths(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, path := range []string{"//outro.invalid/", "/%2f%2foutro.invalid", "/..//outro.invalid", "/sim/../../x", "/mundo/", "/mundo/padrao/sim/",
		"/mundo/../sim/", "/mundo/x/../../sim/", "/./sim/", "/sim//", "/%2e%2e/sim/", "/\\outro.invalid", "/mundo/%2e%2e/", "/estatico/../x"} {
		a := s.get(path)
		if a.StatusCode != http.StatusNotFound || a.Header.Get("Location") != "" {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.Header.Get("Location"))
		}
	}
	if a := s.get("/sim/estatico/nada.css"); a.StatusCode != http.StatusNotFound {
		t.Errorf("asset: %d", a.StatusCode)
	}
}

// TestBounds: what is too large is refused, and what is kept does not grow.
func TestBounds(t *testing.T) {
	t.Parallel()
	s := start(t)
	if a := s.post("/token", url.Values{"code": {strings.Repeat("a", maxBody)}}); a.StatusCode != http.StatusBadRequest && a.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("large form: %d", a.StatusCode)
	}
	if a := s.admin(http.MethodPost, "/pessoas", map[string]any{"nome": strings.Repeat("a", maxBody)}, nil); a.StatusCode < 400 {
		t.Errorf("large JSON: %d", a.StatusCode)
	}
	if a := s.get("/authorize?state=" + strings.Repeat("a", maxURI)); a.StatusCode != http.StatusNotFound {
		t.Errorf("long address: %d", a.StatusCode)
	}
	w := s.server.worlds[DefaultWorld]
	for range maxPending + 50 {
		w.mu.Lock()
		s.server.keep(w, &authorization{started: w.now()})
		s.server.grantCode(w, &grant{})
		w.send(Message{})
		w.mu.Unlock()
	}
	if n := len(w.pending.entries); n != maxPending {
		t.Errorf("%d pending", n)
	}
	if n := len(w.codes.entries); n != maxCodes {
		t.Errorf("%d codes", n)
	}
	if len(w.inbox) != maxInbox || len(w.pending.order) > 2*maxPending+16 {
		t.Errorf("%d messages, %d in order", len(w.inbox), len(w.pending.order))
	}
	for range 3 * maxPending { // entries that come and go leave nothing behind
		w.pending.put("x", nil)
		w.pending.take("x")
	}
	if n := len(w.pending.order); n > 2*maxPending+17 {
		t.Errorf("%d names kept of what is gone", n)
	}
}

func TestRealHostsAreRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"https://sso.acesso.gov.br", "https://sso.staging.acesso.gov.br", "https://acesso.gov.br", "http://ACESSO.GOV.BR.", "https://cas.iti.br",
		"https://assinatura-api.staging.iti.br", "https://h.meugov.np.estaleiro.serpro.gov.br", "https://www.gov.br", "https://gov.br:8443", "https://servicos.staging.acesso.gov.br"} {
		if _, err := New(Options{URL: address, Key: testKey()}); err == nil || !strings.Contains(err.Error(), "govbrsim.host") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"", "127.0.0.1:8082", "ftp://x", "http://a@b", "http://x/y", "http://x?y", "//x", "http://", "http://x#y"} {
		if _, err := New(Options{URL: address, Key: testKey()}); err == nil || !strings.Contains(err.Error(), "govbrsim.address") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"http://127.0.0.1:8082", "https://simulador.orgao.gov.br", "http://localhost:1/", "http://sso-acesso.gov.br.exemplo.invalid"} {
		if _, err := New(Options{URL: address, Key: testKey()}); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}
