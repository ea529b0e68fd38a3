package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"selo/account"
	"selo/store/storetest"
	"selo/web"
	"selo/web/webtest"
)

func lacks(t *testing.T, body string, wanted ...string) {
	t.Helper()
	for _, w := range wanted {
		if !strings.Contains(body, w) {
			t.Errorf("the page lacks %q", w)
		}
	}
}

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	storetest.Run(t, signInAndOut)
}

func signInAndOut(t *testing.T, e *storetest.Engine) {
	p := webtest.StartWithPeopleOn(t, e)
	b := p.NewBrowser()
	page := b.Get("/en/entrar?volta=/en/sobre%3Fa%3D1")
	lacks(t, page.Body, `class="br-sign-in primary"`, `<strong>GOV.BR</strong>`, `name="volta" value="/en/sobre?a=1"`, "What gov.br is asked for, and why", "No gov.br account?")
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' "+p.SimURL+";") || page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s, %s", csp, page.Header.Get("Cache-Control"))
	}

	a := b.Post("/en/entrar", url.Values{"volta": {"/en/sobre?a=1"}})
	cookie := a.Header.Get("Set-Cookie")
	for _, want := range []string{"__Host-selo-entrada=", "; Path=/", "; Max-Age=3600", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %q", cookie, want)
		}
	}
	if a.Header.Get("Referrer-Policy") != "no-referrer" || strings.Contains(strings.ToLower(cookie), "domain") {
		t.Errorf("%v", a.Header)
	}
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	a = b.Get(p.Authorized(to.Query(), webtest.Bruno, nil))
	if a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/en/sobre?a=1" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the return gives %d to %q", a.Status, a.Header.Get("Location"))
	}
	token := b.Cookies["__Host-selo-sessao"]
	if _, ok := account.ParseToken(token); !ok || b.Cookies["__Host-selo-entrada"] != "" || strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), "\n"), "__Host-selo-sessao="+token+"; Path=/; Max-Age") {
		t.Errorf("cookies %v", b.Cookies)
	}

	page = b.Get("/minha-conta")
	lacks(t, page.Body, "Bruno Prata Fictício", "111.444.777-35", "bruno@pessoa.invalid", "Verificado.", ">Prata<", "Banco: Banco do Brasil", "Receita Federal", "Aumentar o nível no gov.br",
		p.SimURL+"/sim/confiabilidades/?client_id=h-selo.teste.gov.br&amp;niveis=3&amp;", `<form method="post" action="/sair">`)
	if page.Header.Get("Cache-Control") != "no-store" || page.Header.Get("Etag") != "" {
		t.Errorf("a person's page may be kept: %v", page.Header)
	}
	if a = b.Get("/entrar?volta=/sobre"); a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/sobre" {
		t.Errorf("signed in, /entrar gives %d to %q", a.Status, a.Header.Get("Location"))
	}

	thief := b.Copy()
	a = b.Post("/sair", url.Values{})
	if a.Status != http.StatusSeeOther || a.Header.Get("Location") != p.SimURL+"/logout?post_logout_redirect_uri="+url.QueryEscape("https://selo.example/sair") || b.Cookies["__Host-selo-sessao"] != "" {
		t.Errorf("signing out gives %d to %q, cookies %v", a.Status, a.Header.Get("Location"), b.Cookies)
	}
	lacks(t, b.Get("/sair").Body, "Você não está conectado")
	if a = thief.Get("/minha-conta"); a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/entrar?motivo=sessao&volta=%2Fminha-conta" {
		t.Errorf("a cookie stolen before gives %d to %q after signing out", a.Status, a.Header.Get("Location"))
	}
	for _, secret := range []string{token, "11144477735", "bruno@pessoa.invalid", "Bruno", to.Query().Get("state"), to.Query().Get("nonce")} {
		if strings.Contains(p.Log.String(), secret) {
			t.Errorf("the log holds %q\n%s", secret, p.Log)
		}
	}
}

// gov.br knows one address for each way back; the language comes along.
func TestLanguageComesBack(t *testing.T) {
	t.Parallel()
	p := webtest.StartWithPeople(t)
	b := p.NewBrowser()
	leads := func(a webtest.Answer, to string) {
		t.Helper()
		if a.Status != http.StatusSeeOther || a.Header.Get("Location") != to {
			t.Errorf("%d to %q, want %q", a.Status, a.Header.Get("Location"), to)
		}
	}
	b.Post("/es/entrar", url.Values{})
	leads(b.Get("/entrar/retorno?state=x&code=y"), "/es/entrar?motivo=vencida")
	b.SignIn(webtest.Ana)
	b.Get("/en/minha-conta") // shows where the level is raised
	leads(b.Get("/entrar/retorno"), "/en/entrar?motivo=nivel")
	b.Post("/es/sair", nil)
	leads(b.Get("/sair"), "/es/sair")
	lacks(t, b.Get("/es/sair").Body, "Usted no está conectado")
	lacks(t, b.Get("/sair").Body, "Você não está conectado") // chosen
	b.Cookies["__Host-selo-idioma"] = "//evil.example"
	lacks(t, b.Get("/sair").Body, "Você não está conectado")
}

// TestPublicPagesAreTheSameForEverybody compares the bytes.
func TestPublicPagesAreTheSameForEverybody(t *testing.T) {
	t.Parallel()
	p := webtest.StartWithPeople(t)
	b := p.NewBrowser()
	b.SignIn(webtest.Ana)
	for _, rt := range p.Server.Routes() {
		if rt.Power != web.Public || rt.Method != http.MethodGet || rt.Path == "/aparencia.css" {
			continue
		}
		path := samples.Replace(rt.Path)
		signed, nobody := b.Get(path), p.Get(path)
		requestID := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
		if requestID.ReplaceAllString(signed.Body, "") != requestID.ReplaceAllString(nobody.Body, "") || signed.Header.Get("Etag") != nobody.Header.Get("Etag") || signed.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s differs for who is signed in", path)
		}
	}
	lacks(t, p.Get("/sobre").Body, `<a class="enter" href="/entrar">`)
}

func TestLevelRisesWithANewSession(t *testing.T) {
	t.Parallel()
	storetest.Run(t, levelRisesWithANewSession)
}

func levelRisesWithANewSession(t *testing.T, e *storetest.Engine) {
	p := webtest.StartWithPeopleOn(t, e)
	b := p.NewBrowser()
	b.SignIn(webtest.Ana)
	before := b.Copy()
	lacks(t, b.Get("/minha-conta").Body, ">Bronze<", "&amp;niveis=(2/3)&amp;redirect_uri=")
	p.Admin(http.MethodPut, "/pessoas/"+string(webtest.Ana)+"/nivel", map[string]string{"nivel": "prata"}, nil)
	a := b.Get("/entrar/retorno") // the catálogo sends the browser back so
	if a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/entrar?motivo=nivel" {
		t.Errorf("back from the catálogo: %d to %q", a.Status, a.Header.Get("Location"))
	}
	lacks(t, b.Get("/entrar?motivo=nivel").Body, "Falta só um passo", "br-sign-in")
	b.SignIn(webtest.Ana)
	lacks(t, b.Get("/minha-conta").Body, ">Prata<")
	if a = before.Get("/minha-conta"); a.Status != http.StatusSeeOther {
		t.Errorf("the id from before the level rose gives %d", a.Status)
	}
	if sessions := strings.Count(b.Get("/minha-conta/sessoes").Body, `<li class="br-card">`); sessions != 1 {
		t.Errorf("%d sessions of one browser", sessions)
	}
}

func TestCompanyOfTheCertificate(t *testing.T) {
	t.Parallel()
	p := webtest.StartWithPeople(t)
	var registered struct {
		Companies []struct {
			CNPJ string `json:"cnpj"`
			Name string `json:"razao_social"`
		} `json:"empresas"`
	}
	p.Admin(http.MethodGet, "/empresas", nil, &registered)
	companies := registered.Companies
	b := p.NewBrowser()
	a := b.Get(p.Authorized(b.Begin("/minha-conta"), webtest.Clara, map[string]any{"cnpj": companies[0].CNPJ}))
	if a.Header.Get("Location") != "/minha-conta" {
		t.Fatalf("%d to %q", a.Status, a.Header.Get("Location"))
	}
	lacks(t, b.Get("/minha-conta").Body, companies[0].Name, "Entrada com o e-CNPJ")
	if ties := p.Person(webtest.Clara).Companies; len(ties) == 0 || ties[0].How != account.ByCertificate && ties[len(ties)-1].How != account.ByCertificate {
		t.Errorf("%+v", ties)
	}
}

func TestCompaniesOfTheAccount(t *testing.T) {
	t.Parallel()
	p := webtest.StartWithPeople(t)
	const cnpj = "99900010000140"
	company := func(role, until string) {
		p.Admin(http.MethodPost, "/empresas", map[string]any{"cnpj": cnpj, "razao_social": "Empresa <Inventada> & Cia"}, nil)
		member := map[string]any{"cadastrador": false}
		if role != "" {
			member["atuacao"] = role
		}
		if until != "" {
			member["expira_em"] = until
		}
		p.Admin(http.MethodPut, "/empresas/"+cnpj+"/participantes/"+string(webtest.Ana), member, nil)
	}
	b := p.NewBrowser()
	company("SOCIO", "")
	b.SignIn(webtest.Ana)
	lacks(t, b.Get("/minha-conta").Body, "Empresa &lt;Inventada&gt; &amp; Cia", "99.900.010/0001-40", "Sócio", "Lista do gov.br")
	// The list is away for a moment: what was known stays.
	p.Admin(http.MethodPut, "/interruptores", map[string]any{"conexao_interrompida": []string{"/sim/api/empresas/v2/empresas"}}, nil)
	if a := b.SignIn(webtest.Ana); a.Header.Get("Location") != "/minha-conta" {
		t.Errorf("without the list: %d to %q", a.Status, a.Header.Get("Location"))
	}
	lacks(t, b.Get("/minha-conta").Body, "Sócio")
	for _, secret := range []string{string(webtest.Ana), cnpj, "Inventada"} {
		if !strings.Contains(p.Log.String(), "companies not told") || strings.Contains(p.Log.String(), secret) {
			t.Errorf("the log holds %q, or nothing of the failure\n%s", secret, p.Log)
		}
	}
}

func TestSignInThatFails(t *testing.T) {
	t.Parallel()
	p := webtest.StartWithPeople(t)
	flaw := func(switches map[string]any) {
		p.Admin(http.MethodPut, "/interruptores", switches, nil)
	}
	reason := func(name, want string, a webtest.Answer, b *webtest.Browser) {
		t.Helper()
		to, err := url.Parse(a.Header.Get("Location"))
		if err != nil || a.Status != http.StatusSeeOther || to.Path != "/en/entrar" || to.Query().Get("motivo") != want || to.Query().Get("volta") != "/en/minha-conta" || b.Cookies["__Host-selo-sessao"] != "" {
			t.Errorf("%s: %d to %q, cookies %v", name, a.Status, to, b.Cookies)
		}
		if page := b.Get(a.Header.Get("Location")); page.Status != http.StatusOK || !strings.Contains(page.Body, "br-message") {
			t.Errorf("%s: %d\n%s", name, page.Status, page.Body)
		}
	}
	b := p.NewBrowser()
	asked := b.Begin("/en/minha-conta")
	reason("refused consent", "recusada", b.Get("/entrar/retorno?error=access_denied&state="+asked.Get("state")), b)
	asked = b.Begin("/en/minha-conta")
	reason("scope refused", "indisponivel", b.Get("/entrar/retorno?error=invalid_scope&error_description=Invalid%20scope:%20%5Bx%5D&state="+asked.Get("state")), b)
	asked = b.Begin("/en/minha-conta")
	reason("strange code", "vencida", b.Get("/entrar/retorno?code=nada&state="+asked.Get("state")), b)
	for _, f := range []string{"expirado", "futuro", "nonce", "aud", "iss", "assinatura", "alg_none", "alg_hs256"} {
		flaw(map[string]any{"defeitos_id_token": []string{f}})
		reason(f, "falhou", b.Get(p.Authorized(b.Begin("/en/minha-conta"), webtest.Ana, nil)), b)
	}
	flaw(map[string]any{"conexao_interrompida": []string{"/token"}})
	reason("gov.br down", "indisponivel", b.Get(p.Authorized(b.Begin("/en/minha-conta"), webtest.Ana, nil)), b)
	flaw(map[string]any{})
	if a := b.SignIn(webtest.Ana); a.Header.Get("Location") != "/minha-conta" {
		t.Errorf("afterwards: %d to %q\n%s", a.Status, a.Header.Get("Location"), p.Log)
	}
}

// TestTwoTabsSignIn: what one tab finishes does not break the other.
func TestTwoTabsSignIn(t *testing.T) {
	t.Parallel()
	p := webtest.StartWithPeople(t)
	b := p.NewBrowser()
	first := p.Authorized(b.Begin("/minha-conta"), webtest.Ana, nil)
	second := p.Authorized(b.Begin("/minha-conta/sessoes"), webtest.Ana, nil)
	if a := b.Get(first); a.Header.Get("Location") != "/minha-conta" || b.Cookies["__Host-selo-entrada"] == "" {
		t.Errorf("the first tab: %d to %q, cookies %v", a.Status, a.Header.Get("Location"), b.Cookies)
	}
	if a := b.Get(second); a.Header.Get("Location") != "/minha-conta/sessoes" || b.Cookies["__Host-selo-entrada"] != "" {
		t.Errorf("the second tab: %d to %q, cookies %v", a.Status, a.Header.Get("Location"), b.Cookies)
	}
}

func TestSessionsPage(t *testing.T) {
	t.Parallel()
	storetest.Run(t, sessionsPage)
}

func sessionsPage(t *testing.T, e *storetest.Engine) {
	p := webtest.StartWithPeopleOn(t, e)
	here, there, stranger := p.NewBrowser(), p.NewBrowser(), p.NewBrowser()
	here.SignIn(webtest.Ana)
	there.SignIn(webtest.Ana)
	stranger.SignIn(webtest.Bruno)
	ids := regexp.MustCompile(`name="sessao" value="([^"]+)"`)
	page := here.Get("/minha-conta/sessoes").Body
	if found := ids.FindAllStringSubmatch(page, -1); len(found) != 2 || strings.Count(page, "Esta sessão") != 1 {
		t.Fatalf("%d sessions\n%s", len(found), page)
	}
	foreign := ids.FindStringSubmatch(stranger.Get("/minha-conta/sessoes").Body)[1]
	if a := here.Post("/minha-conta/sessoes", url.Values{"sessao": {foreign}}); a.Status != http.StatusNotFound {
		t.Errorf("ending somebody else's session gives %d", a.Status)
	}
	if a := stranger.Get("/minha-conta"); a.Status != http.StatusOK {
		t.Errorf("the stranger's session gives %d", a.Status)
	}
	if a := here.Post("/minha-conta/sessoes", url.Values{"quais": {"outras"}}); a.Header.Get("Location") != "/minha-conta/sessoes?feito=outras" {
		t.Errorf("%d to %q", a.Status, a.Header.Get("Location"))
	}
	if a := there.Get("/minha-conta"); a.Status != http.StatusSeeOther {
		t.Errorf("the other session still gives %d", a.Status)
	}
	there.SignIn(webtest.Ana)
	other := ids.FindStringSubmatch(there.Get("/minha-conta/sessoes").Body)[1]
	if a := here.Post("/minha-conta/sessoes", url.Values{"sessao": {other}}); a.Status != http.StatusSeeOther {
		t.Errorf("%d", a.Status)
	}
	if a := there.Get("/minha-conta"); a.Status != http.StatusSeeOther {
		t.Errorf("a session that was ended gives %d", a.Status)
	}
	there.SignIn(webtest.Ana)
	if a := here.Post("/minha-conta/sessoes", url.Values{"quais": {"todas"}}); !strings.HasPrefix(a.Header.Get("Location"), p.SimURL+"/logout") {
		t.Errorf("%d to %q", a.Status, a.Header.Get("Location"))
	}
	for _, b := range []*webtest.Browser{here, there} {
		if a := b.Get("/minha-conta"); a.Status != http.StatusSeeOther {
			t.Errorf("after ending all: %d", a.Status)
		}
	}
	if a := here.Post("/minha-conta/sessoes", url.Values{}); a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/entrar?volta=%2Fminha-conta" {
		t.Errorf("a form of nobody gives %d to %q", a.Status, a.Header.Get("Location"))
	}
}

func TestPrivacyPage(t *testing.T) {
	t.Parallel()
	storetest.Run(t, privacyPage)
}

func privacyPage(t *testing.T, e *storetest.Engine) {
	p := webtest.StartWithPeopleOn(t, e)
	b := p.NewBrowser()
	b.SignIn(webtest.Ana)
	lacks(t, b.Get("/minha-conta/privacidade").Body, "Não permitido.", "Ninguém além de você", "Conta criada na primeira entrada", `download>`)
	if a := b.Get("/minha-conta/foto"); a.Status != http.StatusNotFound {
		t.Errorf("a photo without consent: %d", a.Status)
	}
	consent := func(decision string) webtest.Answer {
		return b.Post("/minha-conta/privacidade/consentimento", url.Values{"consentimento": {"foto"}, "texto": {account.ConsentText(account.ConsentPhoto)}, "decisao": {decision}})
	}
	if a := consent("dar"); a.Header.Get("Location") != "/minha-conta/privacidade?feito=consentido" {
		t.Fatalf("%d to %q\n%s", a.Status, a.Header.Get("Location"), a.Body)
	}
	b.SignIn(webtest.Ana)
	if a := b.Get("/minha-conta/foto"); a.Status != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "image/") || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the photo: %d %v\n%s", a.Status, a.Header, p.Log)
	}
	lacks(t, b.Get("/minha-conta").Body, `class="own-photo"`)
	consent("retirar")
	if a := b.Get("/minha-conta/foto"); a.Status != http.StatusNotFound {
		t.Errorf("a photo after the withdrawal: %d", a.Status)
	}
	if a := consent("talvez"); a.Status != http.StatusUnprocessableEntity {
		t.Errorf("a decision that is none: %d", a.Status)
	}

	revision := regexp.MustCompile(`name="revisao" value="(\d+)"`)
	correct := func(email string) webtest.Answer {
		return b.Post("/minha-conta/privacidade/correcao", url.Values{"revisao": {revision.FindStringSubmatch(b.Get("/minha-conta/privacidade").Body)[1]},
			"email": {email}, "telefone": {""}, "nome_social": {`<b>"Aninha"</b>`}})
	}
	wrong := correct("sem arroba")
	if wrong.Status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong e-mail gives %d", wrong.Status)
	}
	lacks(t, wrong.Body, `value="sem arroba"`, `aria-invalid="true"`, `id="email-erro"`, "Escreva um endereço completo", `href="#email"`, "&lt;b&gt;")
	if a := correct("outra@exemplo.example"); a.Header.Get("Location") != "/minha-conta/privacidade?feito=corrigido" {
		t.Errorf("%d to %q", a.Status, a.Header.Get("Location"))
	}
	page := b.Get("/minha-conta").Body
	lacks(t, page, "outra@exemplo.example", "No gov.br: ana@pessoa.invalid", "&lt;b&gt;&#34;Aninha&#34;&lt;/b&gt;")
	if strings.Contains(page, "<b>") {
		t.Error("a name is taken for HTML")
	}
	again := b.Post("/minha-conta/privacidade/correcao", url.Values{"revisao": {"1"}, "email": {"sem arroba"}})
	lacks(t, again.Body, `name="revisao" value="1"`)
	stale := b.Post("/minha-conta/privacidade/correcao", url.Values{"revisao": {"1"}, "email": {"x@exemplo.example"}})
	if stale.Status != http.StatusConflict {
		t.Errorf("over another revision: %d", stale.Status)
	}

	p.Clock.Advance(time.Minute)
	file := b.Get("/minha-conta/dados.json")
	var export account.Export
	if err := json.Unmarshal([]byte(file.Body), &export); err != nil || export.Person.CPF != "529.982.247-25" || len(export.Consents) != 1 || len(export.Sessions) != 1 {
		t.Errorf("%v\n%s", err, file.Body)
	}
	if !strings.HasPrefix(file.Header.Get("Content-Disposition"), "attachment;") || file.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", file.Header)
	}
	lacks(t, b.Get("/minha-conta/privacidade").Body, "Cópia dos dados baixada", "Dados corrigidos por você", "Permissão retirada")
}

func TestSignInNotConfigured(t *testing.T) {
	t.Parallel()
	p := webtest.StartWithPeople(t, func(d *web.Deps) { d.GovBR = nil })
	page := p.Get("/entrar")
	lacks(t, page.Body, "não está configurada")
	if page.Status != http.StatusOK || strings.Contains(page.Body, "br-sign-in") {
		t.Errorf("%d", page.Status)
	}
	for _, a := range []webtest.Answer{p.Post("/entrar", url.Values{}), p.Get("/entrar/retorno?code=a&state=b")} {
		if a.Status != http.StatusServiceUnavailable {
			t.Errorf("%d", a.Status)
		}
	}
}

func TestNoSignInWithoutTheBase(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	page := site.Get("/entrar")
	lacks(t, page.Body, "Este servidor só mostra certificados publicados")
	if page.Status != http.StatusNotFound || strings.Contains(site.Get("/").Body, `href="/entrar"`) {
		t.Errorf("%d", page.Status)
	}
}
