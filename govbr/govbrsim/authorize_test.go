package govbrsim

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestAuthorizeErrorPages: a request that cannot be trusted never leaves the
// simulator.
func TestAuthorizeErrorPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, c := range map[string]struct {
		pairs []string
		code  string
	}{
		"unknown client":         {[]string{"client_id", "outro"}, "invalid_client"},
		"client with a line end": {[]string{"client_id", exampleID + "\n"}, "invalid_client"},
		"no client":              {[]string{"client_id", ""}, "invalid_client"},
		"unregistered address":   {[]string{"redirect_uri", "http://localhost:3000/outro"}, "invalid_grant"},
		"no address":             {[]string{"redirect_uri", ""}, "invalid_grant"},
		"longer path":            {[]string{"redirect_uri", exampleBack + "/../x"}, "invalid_grant"},
		"with a query":           {[]string{"redirect_uri", exampleBack + "?a=1"}, "invalid_grant"},
		"user name":              {[]string{"redirect_uri", "http://localhost:3000@outro.invalid/retorno"}, "invalid_grant"},
		"backslash":              {[]string{"redirect_uri", `http://localhost:3000\@outro.invalid/retorno`}, "invalid_grant"},
		"encoded slash":          {[]string{"redirect_uri", "http://localhost:3000%2fretorno"}, "invalid_grant"},
		"encoded twice":          {[]string{"redirect_uri", "http%3A%2F%2Flocalhost%3A3000%2Fretorno"}, "invalid_grant"},
		"other case":             {[]string{"redirect_uri", "HTTP://localhost:3000/retorno"}, "invalid_grant"},
		"other scheme":           {[]string{"redirect_uri", "javascript:alert(1)"}, "invalid_grant"},
		"another client's":       {[]string{"redirect_uri", "http://localhost:3001/retorno"}, "invalid_grant"},
		"fragment":               {[]string{"redirect_uri", exampleBack + "#x"}, "invalid_grant"},
	} {
		a := s.authorize(c.pairs...)
		if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" || !strings.Contains(a.text, c.code) {
			t.Errorf("%s: %d %q without %s", name, a.StatusCode, a.Header.Get("Location"), c.code)
		}
	}
	for _, name := range []string{"client_id", "redirect_uri"} {
		q := asked()
		q.Add(name, q.Get(name))
		if a := s.get("/authorize?" + q.Encode()); a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" {
			t.Errorf("two of %s: %d", name, a.StatusCode)
		}
	}
	if a := s.get("/authorize?client_id=%zz"); a.StatusCode != http.StatusUnprocessableEntity && a.StatusCode != http.StatusBadRequest {
		t.Errorf("unreadable query: %d", a.StatusCode)
	}
}

// TestAuthorizeErrorsGoBack keeps the addresses that the client is sent, byte by
// byte: that of a refused scope is the one that was observed (issue 44 of the Login Único manual).
func TestAuthorizeErrorsGoBack(t *testing.T) {
	t.Parallel()
	s := start(t)
	const back, state = exampleBack + "?", "&state=estado-de-teste"
	for name, c := range map[string]struct {
		pairs []string
		want  string
	}{
		"token":        {[]string{"response_type", "token"}, back + "error=unsupported_response_type&error_description=Unsupported%20response%20types:%20%5Btoken%5D" + state},
		"no type":      {[]string{"response_type", ""}, back + "error=invalid_request&error_description=Missing%20parameter:%20response_type" + state},
		"no nonce":     {[]string{"nonce", ""}, back + "error=invalid_request&error_description=Missing%20parameter:%20nonce" + state},
		"no state":     {[]string{"state", ""}, back + "error=invalid_request&error_description=Missing%20parameter:%20state"},
		"no challenge": {[]string{"code_challenge", ""}, back + "error=invalid_request&error_description=Missing%20parameter:%20code_challenge" + state},
		"no method":    {[]string{"code_challenge_method", ""}, back + "error=invalid_request&error_description=Missing%20parameter:%20code_challenge_method" + state},
		"plain":        {[]string{"code_challenge_method", "plain"}, back + "error=invalid_request&error_description=Unsupported%20code_challenge_method:%20only%20S256" + state},
		"short":        {[]string{"code_challenge", "abc"}, back + "error=invalid_request&error_description=Invalid%20code_challenge" + state},
		"no scope": {[]string{"scope", ""},
			back + "error=invalid_scope&error_description=Empty%20scope%20%28either%20the%20client%20or%20the%20user%20is%20not%20allowed%20the%20requested%20scopes%29" + state},
		"no openid":     {[]string{"scope", "email"}, back + "error=invalid_scope&error_description=Missing%20scope:%20openid" + state},
		"unknown scope": {[]string{"scope", "openid nada"}, back + "error=invalid_scope&error_description=Invalid%20scope:%20%5Bnada%5D" + state},
		"long state":    {[]string{"state", strings.Repeat("a", maxParameter+1)}, back + "error=invalid_request&error_description=Parameter%20too%20long:%20state&state=" + strings.Repeat("a", maxParameter+1)},
	} {
		a := s.authorize(c.pairs...)
		if a.StatusCode != http.StatusFound || a.Header.Get("Location") != c.want {
			t.Errorf("%s: %d\n got %s\nwant %s", name, a.StatusCode, a.Header.Get("Location"), c.want)
		}
	}
	a := s.authorize("client_id", "h-simples.teste.gov.br", "redirect_uri", "http://localhost:3001/retorno", "scope", "openid govbr_confiabilidades_idtoken")
	if want := "http://localhost:3001/retorno?error=invalid_scope&error_description=Invalid%20scope:%20%5Bgovbr_confiabilidades_idtoken%5D&state=estado-de-teste"; a.Header.Get("Location") != want {
		t.Errorf("scope of the credential: %s", a.Header.Get("Location"))
	}
	q := asked()
	q.Add("nonce", "outro")
	if to := s.get("/authorize?" + q.Encode()).Header.Get("Location"); !strings.Contains(to, "error=invalid_request") {
		t.Errorf("two nonces: %s", to)
	}
}

// TestTolerated: what clients send beyond the manual changes nothing (issue 44 of the Login Único manual).
func TestTolerated(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.authorize("prompt", "unspecified", "max_age", "0", "login_hint", "x", "acr_values", "y")
	if page := s.follow(a); !strings.Contains(page.text, "Número do CPF") {
		t.Errorf("%d %s", a.StatusCode, a.Header.Get("Location"))
	}
	plus := strings.ReplaceAll(asked().Encode(), "%20", "+")
	if page := s.follow(s.get("/authorize?" + plus)); !strings.Contains(page.text, "Número do CPF") {
		t.Error("scopes parted by + are not read")
	}
}

// TestStateComesBackAsItWas with everything that a query must encode.
func TestStateComesBackAsItWas(t *testing.T) {
	t.Parallel()
	s := start(t)
	const state = "a b+c%20&error=x#é\"<>'/?;="
	q := s.enter(ana, "state", state)
	if q.Get("state") != state || q.Has("error") {
		t.Errorf("state %q, %v", q.Get("state"), url.Values(q))
	}
}

// TestScreensRefuse: wrong CPF, wrong password, unknown person, and the lock.
func TestScreensRefuse(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := s.follow(s.authorize())
	for cpf, text := range map[string]string{"123": "CPF inválido", "52998224724": "CPF inválido", "90000001651": "Não há conta"} {
		if a := s.fill(page, "/login/cpf", "cpf", cpf); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text, text) {
			t.Errorf("cpf %s: %d", cpf, a.StatusCode)
		}
	}
	page = s.fill(page, "/login/cpf", "cpf", string(ana))
	for i := range 4 {
		if a := s.fill(page, "/login/senha", "senha", "errada"); !strings.Contains(a.text, "Senha incorreta") {
			t.Fatalf("attempt %d: %d", i, a.StatusCode)
		}
	}
	if a := s.fill(page, "/login/senha", "senha", "errada"); !strings.Contains(a.text, "Conta bloqueada") {
		t.Fatal("the fifth wrong password does not lock")
	}
	if a := s.fill(page, "/login/senha", "senha", "simulado"); !strings.Contains(a.text, "Conta bloqueada") {
		t.Fatal("the right password opens a locked account")
	}
	// Another browser is locked out too, another person is not.
	other := s.newBrowser()
	if a := other.signIn(other.authorize(), ana); !strings.Contains(a.text, "Conta bloqueada") {
		t.Error("the lock is of one browser only")
	}
	other = s.newBrowser()
	if a := other.signIn(other.authorize(), bruno); strings.Contains(a.text, "bloqueada") {
		t.Error("the lock is of another person too")
	}
	s.clock.Advance(lockDuration)
	if a := s.fill(page, "/login/senha", "senha", "simulado"); !strings.Contains(a.text, "Autorização de uso") {
		t.Errorf("the lock does not end: %s", a.text)
	}
}

// TestCodeIsGuarded: a second factor cannot be tried without end, nor late, nor
// twice.
func TestCodeIsGuarded(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := s.signIn(s.authorize(), davi)
	s.clock.Advance(codeLife)
	var inbox struct {
		Messages []Message `json:"mensagens"`
	}
	s.admin(http.MethodGet, "/caixa", nil, &inbox)
	if a := s.fill(page, "/login/codigo", "codigo", inbox.Messages[0].Code); !strings.Contains(a.text, "O código venceu") {
		t.Error("a late code is taken")
	}
	page = s.fill(page, "/login/outro")
	page = s.fill(page, "/login/cpf", "cpf", string(davi))
	page = s.fill(page, "/login/senha", "senha", "simulado")
	for range 5 {
		s.fill(page, "/login/codigo", "codigo", "abc")
	}
	s.admin(http.MethodGet, "/caixa", nil, &inbox)
	if a := s.fill(page, "/login/codigo", "codigo", inbox.Messages[1].Code); !strings.Contains(a.text, "Conta bloqueada") {
		t.Error("the code can be guessed without end")
	}
}
