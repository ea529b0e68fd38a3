package govbrsim

import (
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// formOf are the fields of one form of a page as a browser would send them.
func formOf(t *testing.T, page, action string) url.Values {
	t.Helper()
	_, rest, found := strings.Cut(page, `action="`+action+`"`)
	if !found {
		t.Fatalf("no form %s in %s", action, page)
	}
	text, _, _ := strings.Cut(rest, "</form>")
	form := url.Values{}
	unescape := strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&#43;", "+", "&amp;", "&")
	for _, m := range regexp.MustCompile(`<input([^>]*)>`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(` name="([^"]*)"`).FindStringSubmatch(m[1])
		value := regexp.MustCompile(` value="([^"]*)"`).FindStringSubmatch(m[1])
		if name == nil || strings.Contains(m[1], `type="checkbox"`) && !strings.Contains(m[1], " checked") {
			continue
		}
		form.Add(name[1], unescape.Replace(value[1]))
	}
	for _, m := range regexp.MustCompile(`(?s)<textarea[^>]* name="([^"]*)"[^>]*>(.*?)</textarea>`).FindAllStringSubmatch(text, -1) {
		form.Set(m[1], unescape.Replace(m[2]))
	}
	for _, m := range regexp.MustCompile(`(?s)<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>`).FindAllStringSubmatch(text, -1) {
		value := ""
		if chosen := regexp.MustCompile(`value="([^"]*)" selected`).FindStringSubmatch(m[2]); chosen != nil {
			value = chosen[1]
		}
		form.Set(m[1], value)
	}
	return form
}

// TestEveryPersonAndClientIsSavedAsItIs: the forms hold all that they change, so
// that saving a page unchanged changes nothing.
func TestEveryPersonAndClientIsSavedAsItIs(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := s.server.worlds[DefaultWorld]
	for cpf, before := range w.people {
		path := "/sim/pessoas/" + string(cpf)
		page := s.get(path)
		if a := s.post(path, formOf(t, page.text, path)); a.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", cpf, a.StatusCode, a.text)
		}
		if a := s.post(path+"/interruptores", formOf(t, page.text, path+"/interruptores")); a.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", cpf, a.StatusCode, a.text)
		}
		if after := w.people[cpf]; toJSON(t, after) != toJSON(t, before) {
			t.Errorf("person:\n%s\n%s", toJSON(t, before), toJSON(t, after))
		}
	}
	for id, before := range w.clients {
		path := clientPath(id)
		page := s.get(path)
		if a := s.post(path, formOf(t, page.text, path)); a.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", id, a.StatusCode, a.text)
		}
		after := w.clients[id].clone()
		want := before.clone()
		slices.Sort(after.Scopes) // a form lists them in the order of the page
		slices.Sort(want.Scopes)
		if toJSON(t, after) != toJSON(t, want) {
			t.Errorf("client:\n%s\n%s", toJSON(t, want), toJSON(t, after))
		}
	}
}

// TestPeopleAreEdited: made, changed, named when wrong, and taken away.
func TestPeopleAreEdited(t *testing.T) {
	t.Parallel()
	s := start(t)
	form := formOf(t, s.get("/sim/pessoas/nova").text, "/sim/pessoas/nova")
	if a := s.post("/sim/pessoas/nova", form); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text, `id="errado-cpf"`) || !strings.Contains(a.text, `id="errado-nome"`) {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
	form.Set("cpf", newcomer.Masked())
	form.Set("nome", `<b>"Nova"</b>`)
	form.Set("nascimento", "31/02/1980")
	form.Set("selos", "602 ontem\n")
	if a := s.post("/sim/pessoas/nova", form); !strings.Contains(a.text, "Informe a data como") || !strings.Contains(a.text, "Data que não se lê: ontem") || strings.Contains(a.text, "<b>") {
		t.Errorf("%s", a.text)
	}
	form.Set("nascimento", "29/02/1980")
	form.Set("selos", "602\n701 2025-07-02T17:17:16Z")
	if a := s.follow(s.post("/sim/pessoas/nova", form)); !strings.Contains(a.text, "Salvo.") || !strings.Contains(a.text, "701 2025-07-02T17:17:16Z") {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
	if a := s.post("/sim/pessoas/nova", form); !strings.Contains(a.text, "98765432100") && !strings.Contains(a.text, "Já") {
		t.Errorf("twice: %s", a.text)
	}
	path := "/sim/pessoas/" + string(newcomer)
	if a := s.post(path+"/interruptores", url.Values{"desvio_relogio": {"muito"}, "consentimento": {"as vezes"}}); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text, "Informe a duração") {
		t.Errorf("%s", a.text)
	}
	if a := s.post(path+"/interruptores", url.Values{"consentimento": {"as vezes"}}); !strings.Contains(a.text, `id="errado-i-consentimento"`) {
		t.Errorf("%s", a.text)
	}
	s.post(path+"/interruptores", url.Values{"desvio_relogio": {"90s"}, "usuario_cancela": {"sim"}, "defeitos_id_token": {"nonce", "aud"}, "amr_extra": {"novo\r\n"}})
	got := s.server.worlds[DefaultWorld].people[newcomer]
	if sw := got.Switches; time.Duration(*sw.Skew) != 90*time.Second || !*sw.Cancels || len(sw.Flaws) != 2 || sw.ExtraAMR[0] != "novo" || sw.Pairwise != nil {
		t.Errorf("%+v", sw)
	}
	if a := s.follow(s.post(path+"/excluir", url.Values{})); !strings.Contains(a.text, "Excluído.") || strings.Contains(a.text, "Nova") && strings.Contains(a.text, newcomer.Masked()) {
		t.Errorf("%s", a.text)
	}
	if a := s.get(path); a.StatusCode != http.StatusNotFound {
		t.Errorf("%d", a.StatusCode)
	}
}

// TestClientsAreEdited, with the rules of registration.
func TestClientsAreEdited(t *testing.T) {
	t.Parallel()
	s := start(t)
	form := formOf(t, s.get("/sim/clientes/novo").text, "/sim/clientes/novo")
	form.Set("client_id", "h-da pagina")
	form.Set("nome", "Da página")
	form.Set("client_secret", "s")
	form.Set("ambiente", "producao")
	form.Set("urls_retorno", "http://localhost:9/volta")
	form.Set("urls_logout", "http://localhost:3000/")
	if a := s.post("/sim/clientes/novo", form); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text, `id="errado-urls_retorno"`) || !strings.Contains(a.text, "http://localhost:9/volta") {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
	form.Set("client_id", "h-da-pagina")
	form.Set("ambiente", "homologacao")
	if a := s.post("/sim/clientes/novo", form); !strings.Contains(a.text, `id="errado-urls_logout"`) {
		t.Errorf("another client's logout address: %s", a.text)
	}
	form.Del("urls_logout")
	if a := s.follow(s.post("/sim/clientes/novo", form)); !strings.Contains(a.text, "Salvo.") {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
	if a := s.authorize("client_id", "h-da-pagina", "redirect_uri", "http://localhost:9/volta", "scope", "openid"); a.StatusCode != http.StatusFound {
		t.Errorf("%d", a.StatusCode)
	}
	if a := s.follow(s.post("/sim/clientes/h-da-pagina/excluir", url.Values{})); strings.Contains(a.text, "h-da-pagina") {
		t.Errorf("%s", a.text)
	}
}

// TestTheWorldIsEdited: clock, switches, a new beginning; worlds of their own.
func TestTheWorldIsEdited(t *testing.T) {
	t.Parallel()
	root := start(t)
	s := root.inWorld("editado")
	w, _ := root.server.World("editado")
	if a := s.follow(s.post("/sim/mundo/relogio", url.Values{"avancar": {"24h"}})); !strings.Contains(a.text, "21/11/2026 12:00:00") {
		t.Errorf("%s", a.text)
	}
	if a := s.follow(s.post("/sim/mundo/relogio", url.Values{"agora": {"01/02/2030 03:04:05"}, "parado": {"sim"}})); !strings.Contains(a.text, "01/02/2030 03:04:05") || !strings.Contains(a.text, "está parado") {
		t.Errorf("%s", a.text)
	}
	for _, wrong := range []url.Values{{"agora": {"amanhã"}}, {"avancar": {"100000h"}}, {"avancar": {"x"}}} {
		if a := s.post("/sim/mundo/relogio", wrong); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", wrong, a.StatusCode)
		}
	}
	s.post("/sim/mundo/interruptores", url.Values{"consentimento": {"nunca"}, "conexao_interrompida": {"/token"}})
	if *w.switches.Consent != ConsentNever || !slices.Equal(w.switches.Reset, []string{"/token"}) {
		t.Errorf("%+v", w.switches)
	}
	if a := s.get("/sim/mundo"); !strings.Contains(a.text, `<option value="nunca" selected`) {
		t.Errorf("%s", a.text)
	}
	s.post("/sim/mundo/reinicio", url.Values{})
	if w.switches.Consent != nil || w.Now().Year() != 2026 {
		t.Error("not reset")
	}
	if root.server.worlds[DefaultWorld].Now().Year() != 2026 {
		t.Error("the other world moved")
	}
}

// TestEverySwitchIsOnThePage.
func TestEverySwitchIsOnThePage(t *testing.T) {
	t.Parallel()
	var names []string
	for _, f := range switchFields() {
		names = append(names, f.Name)
	}
	kind := reflect.TypeFor[Switches]()
	for i := range kind.NumField() {
		if name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ","); !slices.Contains(names, name) {
			t.Errorf("%s is not on the page", name)
		}
	}
}

// TestEditorAsksForTheToken, once in a browser, and leads nowhere else.
func TestEditorAsksForTheToken(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *Options) { o.AdminToken = "segredo" })
	for _, path := range []string{"/sim/pessoas", "/sim/clientes", "/sim/mundo", "/sim/pessoas/" + string(ana)} {
		if a := s.get(path); a.StatusCode != http.StatusSeeOther || !strings.Contains(a.Header.Get("Location"), "/sim/administrar?") {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
	if a := s.post("/sim/mundo/reinicio", url.Values{}); a.StatusCode != http.StatusForbidden {
		t.Errorf("without token: %d", a.StatusCode)
	}
	if a := s.post("/sim/administrar", url.Values{"token": {"errado"}}); a.StatusCode != http.StatusUnprocessableEntity || a.Header.Get("Set-Cookie") != "" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	for _, to := range []string{"//outro.invalid/", "https://outro.invalid/", "/sim/\\outro", "/sim//outro", "/token"} {
		if a := s.newBrowser().post("/sim/administrar", url.Values{"token": {"segredo"}, "depois": {to}}); a.Header.Get("Location") != s.url+"/sim/mundo" {
			t.Errorf("%s leads to %s", to, a.Header.Get("Location"))
		}
	}
	a := s.post("/sim/administrar", url.Values{"token": {"segredo"}, "depois": {"/sim/pessoas"}})
	if strings.Contains(a.Header.Get("Set-Cookie"), "segredo") {
		t.Error("the token is in the cookie")
	}
	if page := s.follow(a); !strings.Contains(page.text, "<h1>Pessoas</h1>") {
		t.Errorf("%s", page.text)
	}
	r := s.request(http.MethodPost, "/sim/mundo/reinicio", "", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site")
	if r.StatusCode != http.StatusForbidden {
		t.Errorf("another site's form: %d", r.StatusCode)
	}
}
