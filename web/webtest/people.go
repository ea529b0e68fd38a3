package webtest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"selo/account"
	"selo/brasil"
	"selo/govbr"
	"selo/govbr/govbrsim"
	"selo/store"
	"selo/store/accountstore"
	"selo/store/storetest"
	"selo/web"
)

// Invented people of the simulator (govbr/govbrsim/seed).
const (
	Ana   brasil.CPF = "52998224725" // bronze
	Bruno brasil.CPF = "11144477735" // prata
	Clara brasil.CPF = "12345678909" // ouro
)

const (
	clientID     = "h-selo.teste.gov.br"
	clientSecret = "segredo-do-teste" //nolint:gosec // of a simulator
	siteURL      = "https://selo.example"
)

// People is a site that people sign in to: accounts on a fresh base, and a
// simulator of gov.br of its own.
type People struct {
	*Site
	Base     *store.DB
	Accounts accountstore.Store
	SimURL   string
}

// simKey is one key for all simulators: making one takes long.
var simKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// StartWithPeople is [Start] with accounts, on SQLite, and sign-in.
func StartWithPeople(t testing.TB, change ...func(*web.Deps)) *People {
	t.Helper()
	return StartWithPeopleOn(t, storetest.NewSQLite(t), change...)
}

// StartWithPeopleOn is [StartWithPeople] with the accounts on a given engine.
func StartWithPeopleOn(t testing.TB, e *storetest.Engine, change ...func(*web.Deps)) *People {
	t.Helper()
	p := &People{}
	p.Site = Start(t, append([]func(*web.Deps){func(d *web.Deps) { p.arrange(t, e, d) }}, change...)...)
	return p
}

func (p *People) arrange(t testing.TB, e *storetest.Engine, d *web.Deps) {
	t.Helper()
	p.Base = e.OpenWith(t, store.Options{Clock: d.Clock, Migrations: []store.MigrationSet{accountstore.Migrations()}})
	p.Accounts = accountstore.Store{DB: p.Base}
	key, err := simKey()
	if err != nil {
		t.Fatal(err)
	}
	var sim *govbrsim.Server
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sim.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	p.SimURL = server.URL
	scopes := append(govbrsim.DefaultScopes(), "phone", "govbr_empresa")
	clients, err := json.Marshal(govbrsim.ClientList{Clients: []*govbrsim.Client{{ID: clientID, Secret: clientSecret, Name: "Selo", Environment: govbrsim.Producao,
		Redirects: []string{siteURL + "/entrar/retorno"}, Logouts: []string{siteURL + "/sair"}, Scopes: scopes}}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := govbrsim.ReadClients(bytes.NewReader(clients))
	if err != nil {
		t.Fatal(err)
	}
	if sim, err = govbrsim.New(govbrsim.Options{URL: server.URL, Clients: list, Clock: d.Clock, Key: key}); err != nil {
		t.Fatal(err)
	}
	cfg := govbr.Config{Environment: govbr.Simulated, Local: true, Redirect: siteURL + "/entrar/retorno", LogoutRedirect: siteURL + "/sair",
		Endpoints: govbr.Endpoints{SSO: server.URL, API: server.URL + "/sim/api", Catalogue: server.URL + "/sim/confiabilidades"},
		Login:     govbr.Credential{ID: clientID, Secret: govbr.NewSecret(clientSecret)}}
	for _, s := range scopes {
		cfg.Scopes = append(cfg.Scopes, govbr.Scope(s))
	}
	client, err := govbr.New(cfg, govbr.Options{Clock: d.Clock, Log: d.Log})
	if err != nil {
		t.Fatal(err)
	}
	d.Accounts, d.GovBR = p.Accounts, client
}

// Admin asks the simulator's administration.
func (p *People) Admin(method, path string, in, out any) {
	p.t.Helper()
	body, err := json.Marshal(in)
	p.must(err)
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.SimURL+"/sim/admin"+path, bytes.NewReader(body))
	p.must(err)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultTransport.RoundTrip(req)
	p.must(err)
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		p.t.Fatalf("%s %s gives %d", method, path, res.StatusCode)
	}
	if out != nil {
		p.must(json.NewDecoder(res.Body).Decode(out))
	}
}

// Browser keeps the site's cookies.
type Browser struct {
	People  *People
	Cookies map[string]string
}

// NewBrowser is one without cookies.
func (p *People) NewBrowser() *Browser { return &Browser{p, map[string]string{}} }

// Copy is a browser with the same cookies, as a thief would have.
func (b *Browser) Copy() *Browser {
	c := b.People.NewBrowser()
	for name, value := range b.Cookies {
		c.Cookies[name] = value
	}
	return c
}

// Get asks for a path, not following redirects.
func (b *Browser) Get(path string, header ...string) Answer {
	b.People.t.Helper()
	return b.Do(http.MethodGet, path, nil, header...)
}

// Post sends a form.
func (b *Browser) Post(path string, form url.Values, header ...string) Answer {
	b.People.t.Helper()
	return b.Do(http.MethodPost, path, form, header...)
}

// Do sends a request with the browser's cookies and keeps those of the answer.
func (b *Browser) Do(method, path string, form url.Values, header ...string) Answer {
	b.People.t.Helper()
	for name, value := range b.Cookies {
		header = append(header, "Cookie", name+"="+value)
	}
	a := b.People.Do(method, path, form, header...)
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.MaxAge < 0 {
			delete(b.Cookies, c.Name)
		} else {
			b.Cookies[c.Name] = c.Value
		}
	}
	return a
}

// Begin presses "Entrar com GOV.BR" in the language of back and gives what
// gov.br is asked.
func (b *Browser) Begin(back string) url.Values {
	b.People.t.Helper()
	path := "/entrar"
	if strings.HasPrefix(back, "/en/") || strings.HasPrefix(back, "/es/") {
		path = back[:3] + path
	}
	a := b.Post(path, url.Values{"volta": {back}})
	to, err := url.Parse(a.Header.Get("Location"))
	b.People.must(err)
	if a.Status != http.StatusSeeOther || !strings.HasPrefix(to.String(), b.People.SimURL+"/authorize?") {
		b.People.t.Fatalf("signing in gives %d to %q\n%s", a.Status, to, a.Body)
	}
	return to.Query()
}

// Authorized is the path of the return from gov.br for somebody who has signed
// in there; more are further members of the simulator's request.
func (p *People) Authorized(asked url.Values, cpf brasil.CPF, more map[string]any) string {
	p.t.Helper()
	in := map[string]any{"cpf": cpf, "client_id": asked.Get("client_id"), "redirect_uri": asked.Get("redirect_uri"), "state": asked.Get("state"),
		"nonce": asked.Get("nonce"), "code_challenge": asked.Get("code_challenge"), "escopos": strings.Fields(asked.Get("scope"))}
	for name, value := range more {
		in[name] = value
	}
	var out struct {
		Address string `json:"endereco"`
	}
	p.Admin(http.MethodPost, "/autorizacoes", in, &out)
	path, ok := strings.CutPrefix(out.Address, siteURL)
	if !ok {
		p.t.Fatalf("gov.br sends the browser to %q", out.Address)
	}
	return path
}

// SignIn signs somebody in and gives the answer of the return.
func (b *Browser) SignIn(cpf brasil.CPF) Answer {
	b.People.t.Helper()
	return b.Get(b.People.Authorized(b.Begin("/minha-conta"), cpf, nil))
}

// Person is the account of a CPF.
func (p *People) Person(cpf brasil.CPF) (person account.Person) {
	p.t.Helper()
	p.must(p.Accounts.Read(p.t.Context(), func(tx account.Tx) error {
		found, ok, err := tx.FindPersonByCPF(p.t.Context(), cpf)
		if !ok {
			p.t.Errorf("no account of %s", cpf.Hidden())
		}
		person = found
		return err
	}))
	return person
}
