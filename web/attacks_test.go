package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"selo/account"
	"selo/store"
	"selo/store/storetest"
	"selo/web"
	"selo/web/webtest"
)

const (
	sessionCookie = "__Host-selo-sessao"
	beforeCookie  = "__Host-selo-entrada"
)

// gone tells whether a return was turned away as used, late or foreign.
func gone(a webtest.Answer) bool {
	return a.Status == http.StatusSeeOther && strings.HasPrefix(a.Header.Get("Location"), "/entrar?motivo=vencida")
}

// TestSessionFixation plants session cookies in a victim's browser: the id after
// the sign-in is another one, and the planted one opens nothing.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	storetest.Run(t, sessionFixation)
}

func sessionFixation(t *testing.T, e *storetest.Engine) {
	p := webtest.StartWithPeopleOn(t, e)
	attacker := p.NewBrowser()
	attacker.SignIn(webtest.Bruno)
	for name, planted := range map[string]string{"made up": string(account.NewToken()), "the attacker's own": attacker.Cookies[sessionCookie]} {
		victim := p.NewBrowser()
		victim.Cookies[sessionCookie] = planted
		victim.SignIn(webtest.Ana)
		if victim.Cookies[sessionCookie] == planted {
			t.Errorf("%s: the id stayed", name)
		}
		thief := p.NewBrowser()
		thief.Cookies[sessionCookie] = planted
		if a := thief.Get("/minha-conta"); a.Status != http.StatusSeeOther {
			t.Errorf("%s: the planted id opens %d\n%s", name, a.Status, a.Body)
		}
		lacks(t, victim.Get("/minha-conta").Body, "Ana Bronze Fictícia")
	}
}

// TestPlantedSignIn gives the victim's browser a token that this site never gave
// out: it is replaced, so the attacker cannot finish a sign-in there.
func TestPlantedSignIn(t *testing.T) {
	t.Parallel()
	p := webtest.StartWithPeople(t)
	victim := p.NewBrowser()
	planted := string(account.NewToken())
	victim.Cookies[beforeCookie] = planted
	victim.Begin("/minha-conta")
	if victim.Cookies[beforeCookie] == planted {
		t.Error("a token that nobody gave out was taken")
	}
	first := victim.Cookies[beforeCookie]
	victim.Begin("/minha-conta")
	if victim.Cookies[beforeCookie] != first {
		t.Error("a second tab throws out the first")
	}
	p.Clock.Advance(61 * time.Minute)
	victim.Begin("/minha-conta")
	if victim.Cookies[beforeCookie] == first {
		t.Error("a token outlived its sign-ins")
	}
}

func TestSwappedAndReplayedReturns(t *testing.T) {
	t.Parallel()
	storetest.Run(t, swappedAndReplayedReturns)
}

func swappedAndReplayedReturns(t *testing.T, e *storetest.Engine) {
	p := webtest.StartWithPeopleOn(t, e)
	victim, attacker, nobody := p.NewBrowser(), p.NewBrowser(), p.NewBrowser()
	mine := p.Authorized(victim.Begin("/minha-conta"), webtest.Ana, nil)
	theirs := p.Authorized(attacker.Begin("/minha-conta"), webtest.Bruno, nil)
	for name, a := range map[string]webtest.Answer{
		"the attacker's return in the victim's browser": victim.Get(theirs), // would sign the victim in as the attacker
		"the victim's return in the attacker's browser": attacker.Get(mine),
		"a return in a browser that began nothing":      nobody.Get(mine),
	} {
		if !gone(a) {
			t.Errorf("%s: %d to %q", name, a.Status, a.Header.Get("Location"))
		}
	}
	// The state of one with the code of another.
	query := func(path, name string) string {
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		return u.Query().Get(name)
	}
	swapped := "/entrar/retorno?" + url.Values{"state": {query(mine, "state")}, "code": {query(theirs, "code")}}.Encode()
	if a := victim.Get(swapped); !strings.HasPrefix(a.Header.Get("Location"), "/entrar?motivo=") || victim.Cookies[sessionCookie] != "" {
		t.Errorf("the attacker's code: %d to %q", a.Status, a.Header.Get("Location"))
	}
	again := p.Authorized(victim.Begin("/minha-conta"), webtest.Ana, nil)
	beforeReturn := victim.Copy()
	if a := victim.Get(again); a.Header.Get("Location") != "/minha-conta" {
		t.Errorf("the victim's own return: %d to %q", a.Status, a.Header.Get("Location"))
	}
	for name, b := range map[string]*webtest.Browser{"afterwards": victim, "with the cookies from before": beforeReturn} {
		if a := b.Get(again); !gone(a) {
			t.Errorf("replayed %s: %d to %q", name, a.Status, a.Header.Get("Location"))
		}
	}
	lacks(t, victim.Get("/minha-conta").Body, "Ana Bronze Fictícia")
	late := p.Authorized(victim.Begin("/minha-conta"), webtest.Ana, nil)
	p.Clock.Advance(time.Hour)
	if a := victim.Get(late); !gone(a) {
		t.Errorf("after an hour: %d to %q", a.Status, a.Header.Get("Location"))
	}
}

// TestOtherSitesCannotAct sends every form as another site's page would.
func TestOtherSitesCannotAct(t *testing.T) {
	t.Parallel()
	p := webtest.StartWithPeople(t)
	b := p.NewBrowser()
	b.SignIn(webtest.Ana)
	tried := 0
	for _, rt := range p.Server.Routes() {
		if rt.Method != http.MethodPost {
			continue
		}
		for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			tried++
			if a := b.Post(rt.Path, url.Values{"quais": {"todas"}}, header...); a.Status != http.StatusForbidden || a.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s with %v gives %d", rt.Path, header, a.Status)
			}
		}
		// Old browsers say nothing of the origin, but keep Lax cookies from other sites' forms.
	}
	if a := b.Get("/minha-conta"); tried < 20 || a.Status != http.StatusOK {
		t.Errorf("%d tries; afterwards the session gives %d", tried, a.Status)
	}
}

func TestReturnLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	p := webtest.StartWithPeople(t)
	for _, bad := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "/%5Cevil.example", "/%2F%2Fevil.example", "/%2Fevil.example", "javascript:alert(1)",
		"/x\r\nSet-Cookie: a=b", "/..//evil.example", "https:evil.example", "/entrar/retorno?code=x", strings.Repeat("/a", 4000), "\x00", "%"} {
		b := p.NewBrowser()
		if page := b.Get("/entrar?" + url.Values{"volta": {bad}}.Encode()); page.Status == http.StatusOK && !strings.Contains(page.Body, `name="volta" value="/minha-conta"`) {
			t.Errorf("%.40q: the form would lead there", bad)
		}
		a := b.Get(p.Authorized(b.Begin(bad), webtest.Ana, nil))
		if a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/minha-conta" {
			t.Errorf("%.40q: %d to %q", bad, a.Status, a.Header.Get("Location"))
		}
		if a := b.Get("/entrar?" + url.Values{"volta": {bad}}.Encode()); a.Status == http.StatusSeeOther && a.Header.Get("Location") != "/minha-conta" {
			t.Errorf("%.40q: signed in, leads to %q", bad, a.Header.Get("Location"))
		}
	}
}

func TestHostileParameters(t *testing.T) {
	t.Parallel()
	p := webtest.StartWithPeople(t)
	b := p.NewBrowser()
	long := strings.Repeat("A", 7000)
	for _, query := range []string{"state=" + long + "&code=x", "state=x&code=" + long, "state=&code=", "error=" + long[:2000], "state=a&state=b&code=c", "state=%00&code=%FF",
		"state=x&error=%3Cscript%3Ealert(1)%3C/script%3E", "code=x", "state=x", "error=access_denied", "%zz", "state=%zz"} {
		asked := b.Begin("/minha-conta")
		for _, q := range []string{query, strings.ReplaceAll(query, "state=x", "state="+asked.Get("state"))} {
			a := b.Get("/entrar/retorno?" + q)
			if a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/entrar?motivo=") || strings.Contains(a.Body+a.Header.Get("Location"), "script") {
				t.Errorf("%.60q: %d to %.80q", q, a.Status, a.Header.Get("Location"))
			}
		}
	}
	if a := b.Get("/entrar/retorno?state=" + strings.Repeat("A", 9000)); a.Status != http.StatusRequestURITooLong {
		t.Errorf("an address too long gives %d", a.Status)
	}
	if a := b.Post("/entrar", url.Values{"volta": {strings.Repeat("/a", 40<<10)}}); a.Status != http.StatusRequestEntityTooLarge && a.Status != http.StatusUnprocessableEntity {
		t.Errorf("a form too large gives %d", a.Status)
	}
	b.Cookies = map[string]string{sessionCookie: strings.Repeat("x", 8000)}
	if a := b.Get("/minha-conta"); a.Status != http.StatusSeeOther {
		t.Errorf("a cookie too large gives %d", a.Status)
	}
	b.SignIn(webtest.Ana)
	for name, value := range map[string]string{"motivo": "<script>", "feito": "uma'\"><script>"} {
		if page := b.Get("/minha-conta/sessoes?" + url.Values{name: {value}}.Encode()); page.Status != http.StatusOK || strings.Contains(page.Body, "\"><script>") {
			t.Errorf("%s=%s: %d", name, value, page.Status)
		}
	}
	if a := b.Get("/minha-conta", "Cookie", sessionCookie+"="+string(account.NewToken())); a.Status != http.StatusSeeOther {
		t.Errorf("two session cookies give %d", a.Status)
	}
}

// TestTenThousandSignInsUnderWay floods the site: what is kept is bounded, and
// somebody from elsewhere can still finish.
func TestTenThousandSignInsUnderWay(t *testing.T) {
	t.Parallel()
	p := webtest.StartWithPeople(t, func(d *web.Deps) { d.Sessions = account.Limits{PendingAll: 400, PendingNetwork: 100} })
	b := p.NewBrowser()
	path := p.Authorized(b.Begin("/minha-conta"), webtest.Ana, nil)
	err := p.Accounts.Write(t.Context(), func(tx account.Tx) error {
		for i := range 10_000 {
			pending := account.Pending{State: account.HashOf(fmt.Sprint(i)), Browser: account.NewToken().Hash(), Return: "/", Network: fmt.Sprintf("203.0.%d.0/24", i%3)}
			if err := account.Begin(t.Context(), tx, pending, account.Limits{PendingAll: 400, PendingNetwork: 100}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	if err := p.Base.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM sign_in`).Scan(&kept)
	}); err != nil || kept != 301 {
		t.Errorf("%d sign-ins are kept (%v)", kept, err)
	}
	if a := b.Get(path); a.Header.Get("Location") != "/minha-conta" {
		t.Errorf("somebody from elsewhere: %d to %q", a.Status, a.Header.Get("Location"))
	}
}

func TestIdleSessionEnds(t *testing.T) {
	t.Parallel()
	p := webtest.StartWithPeople(t)
	b := p.NewBrowser()
	b.SignIn(webtest.Ana)
	for range 3 {
		p.Clock.Advance(29 * time.Minute)
		if a := b.Get("/minha-conta/sessoes"); a.Status != http.StatusOK {
			t.Fatalf("a session in use gives %d", a.Status)
		}
	}
	p.Clock.Advance(30 * time.Minute)
	a := b.Get("/en/minha-conta/sessoes?feito=uma")
	if a.Header.Get("Location") != "/en/entrar?motivo=sessao&volta=%2Fen%2Fminha-conta%2Fsessoes%3Ffeito%3Duma" || b.Cookies[sessionCookie] != "" {
		t.Errorf("an idle session gives %d to %q", a.Status, a.Header.Get("Location"))
	}
	lacks(t, b.Get(a.Header.Get("Location")).Body, "Your session has ended.", `value="/en/minha-conta/sessoes?feito=uma"`)
}
