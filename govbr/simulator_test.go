package govbr_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"selo/brasil"
	"selo/clock"
	"selo/fault"
	"selo/govbr"
	"selo/govbr/govbrsim"
)

// The people of the simulator's seed.
const (
	ana    = brasil.CPF("52998224725") // bronze
	bruno  = brasil.CPF("11144477735") // prata
	clara  = brasil.CPF("12345678909") // ouro
	davi   = brasil.CPF("90000000175") // ouro, two factors
	fabio  = brasil.CPF("90000000337") // nothing verified
	gil    = brasil.CPF("90000000418") // social name
	helena = brasil.CPF("90000000507") // sócia
	joana  = brasil.CPF("90000000760") // not acting
	kelvin = brasil.CPF("90000000841") // colaborador
	nina   = brasil.CPF("90000001147") // sócia of a company with letters
	otavio = brasil.CPF("90000001228") // accountant
	paula  = brasil.CPF("90000001309") // agent of clara

	bakery = brasil.CNPJ("11222333000181")
	letter = brasil.CNPJ("12ABC34501DE35")
)

// sim is the simulator, which knows these clients by the wire alone.
type sim struct {
	t     *testing.T
	url   string
	clock *clock.Manual
}

func startSim(t *testing.T) *sim {
	t.Helper()
	s := &sim{t: t, clock: clock.NewManual(time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC))}
	var server *govbrsim.Server
	listener := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { server.ServeHTTP(w, r) }))
	s.url = "http://" + listener.Listener.Addr().String()
	server, err := govbrsim.New(govbrsim.Options{URL: s.url, Clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	listener.Start()
	t.Cleanup(listener.Close)
	return s
}

func (s *sim) config() govbr.Config {
	return govbr.Config{
		Environment: govbr.Simulated, Local: true,
		Endpoints: govbr.Endpoints{SSO: s.url, API: s.url + "/sim/api", Catalogue: s.url + "/sim/confiabilidades"},
		Login:     govbr.Credential{ID: "h-exemplo.teste.gov.br", Secret: govbr.NewSecret("segredo-de-exemplo")},
		Timeout:   govbr.Duration(2 * time.Minute), // the simulator makes keys
		Redirect:  "http://localhost:3000/retorno", LogoutRedirect: "http://localhost:3000/",
		Scopes: append(govbr.DefaultScopes(), govbr.ScopePhone, govbr.ScopeCompanies, govbr.ScopeX509, govbr.ScopePOAList, govbr.ScopePOARegister),
	}
}

func (s *sim) client(change ...func(*govbr.Config)) *govbr.Client {
	s.t.Helper()
	cfg := s.config()
	for _, c := range change {
		c(&cfg)
	}
	var seen bytes.Buffer
	c, err := govbr.New(cfg, govbr.Options{Clock: s.clock, Pause: time.Millisecond,
		Log: slog.New(slog.NewTextHandler(&seen, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		for _, personal := range []string{string(ana), string(clara), string(helena), "Fictíci", "@pessoa.invalid", "eyJ", "segredo"} {
			if strings.Contains(seen.String(), personal) {
				s.t.Errorf("%s stands in the log", personal)
			}
		}
	})
	return c
}

// admin asks the simulator's administration.
func (s *sim) admin(method, path string, in any) map[string]any {
	s.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/sim/admin"+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	var out map[string]any
	if err != nil || res.StatusCode >= 300 || len(text) > 0 && json.Unmarshal(text, &out) != nil {
		s.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, text)
	}
	return out
}

// visit is the browser's part: from the address of Start to the query of the return.
func (s *sim) visit(address string, who brasil.CPF, with map[string]any) url.Values {
	s.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		s.t.Fatal(err)
	}
	q := u.Query()
	order := map[string]any{"cpf": who, "client_id": q.Get("client_id"), "redirect_uri": q.Get("redirect_uri"),
		"escopos": strings.Fields(q.Get("scope")), "state": q.Get("state"), "nonce": q.Get("nonce"), "code_challenge": q.Get("code_challenge")}
	for k, v := range with {
		order[k] = v
	}
	back, err := url.Parse(s.admin(http.MethodPost, "/autorizacoes", order)["endereco"].(string))
	if err != nil {
		s.t.Fatal(err)
	}
	return back.Query()
}

func (s *sim) signIn(c *govbr.Client, who brasil.CPF, with map[string]any) (govbr.Session, error) {
	s.t.Helper()
	p, address := c.Start(govbr.StartOptions{})
	return c.Finish(s.t.Context(), p, s.visit(address, who, with))
}

// TestSimulatorPeople signs in as everybody of the seed that stands for a case.
func TestSimulatorPeople(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	c := s.client()
	for who, holds := range map[brasil.CPF]func(govbr.Identity) bool{
		ana: func(id govbr.Identity) bool { return id.Level == govbr.Bronze && id.EmailVerified && id.Picture },
		bruno: func(id govbr.Identity) bool {
			return id.Level == govbr.Silver && len(id.Selos) == 2 && !id.Selos[0].UpdatedAt.IsZero()
		},
		clara: func(id govbr.Identity) bool {
			return id.Level == govbr.Gold && !id.AMR.TwoFactor() && id.Phone == "61990000003"
		},
		davi:  func(id govbr.Identity) bool { return id.Level == govbr.Gold && id.AMR.TwoFactor() },
		fabio: func(id govbr.Identity) bool { return id.Email == "" && id.Phone == "" && !id.EmailVerified },
		gil: func(id govbr.Identity) bool {
			return id.DisplayName() == "Gilda Nome Social Fictícia" && id.Name == "Gilberto Nome Civil Fictício"
		},
	} {
		got, err := s.signIn(c, who, nil)
		if err != nil || got.Identity.CPF != who || !holds(got.Identity) {
			t.Errorf("%s: %+v, %v", who.Hidden(), got.Identity, err)
			continue
		}
		info, err := c.UserInfo(t.Context(), got.Access)
		if err != nil || info.CPF != who || info.Email != got.Identity.Email || info.EmailVerified != got.Identity.EmailVerified || info.Phone != got.Identity.Phone {
			t.Errorf("userinfo %+v, %v", info, err)
		}
		if level, err := c.Level(t.Context(), got.Access); err != nil || level != got.Identity.Level {
			t.Errorf("level %v, %v", level, err)
		}
		selos, err := c.Selos(t.Context(), got.Access)
		if err != nil || !slices.Equal(selos, got.Identity.Selos) {
			t.Errorf("selos %v and %v, %v", selos, got.Identity.Selos, err)
		}
		if p, ok, err := c.Picture(t.Context(), got.Access); err != nil || ok != got.Identity.Picture || ok && !strings.HasPrefix(p.Media, "image/") {
			t.Errorf("picture %s %v, %v", p.Media, ok, err)
		}
	}
}

// TestSimulatorStanding goes the whole way: with and without the company's e-CNPJ.
func TestSimulatorStanding(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	c := s.client()
	for _, tc := range []struct {
		who  brasil.CPF
		cnpj brasil.CNPJ
		with map[string]any
		want govbr.Standing
	}{
		{helena, bakery, map[string]any{"cnpj": bakery}, govbr.Represents},
		{helena, bakery, nil, govbr.NeedsCertificate},
		{joana, bakery, map[string]any{"cnpj": bakery}, govbr.HoldsCertificate},
		{kelvin, bakery, nil, govbr.Collaborates},
		{nina, letter, map[string]any{"cnpj": letter}, govbr.Represents},
	} {
		got, err := s.signIn(c, tc.who, tc.with)
		if err != nil {
			t.Fatal(err)
		}
		if tc.with != nil {
			if got.Identity.CNPJ != tc.cnpj || got.Identity.CompanyName == "" || !got.Identity.ByCompanyCertificate() {
				t.Errorf("e-CNPJ: %+v", got.Identity)
			}
			if info, err := c.CertificateInfo(t.Context(), got.Access); err != nil || info.Type != "device" {
				t.Errorf("x509: %+v, %v", info, err)
			}
		}
		list, err := c.Companies(t.Context(), got.Access)
		if err != nil || !slices.ContainsFunc(list, func(l govbr.CompanyLink) bool { return l.CNPJ == tc.cnpj && l.Name != "" }) {
			t.Errorf("companies %v, %v", list, err)
		}
		p, err := c.Participation(t.Context(), got.Access, tc.cnpj)
		if err != nil {
			t.Errorf("%s: %v", tc.want, err)
			continue
		}
		if standing := govbr.StandingOf(got, p, s.clock.Now()); standing != tc.want {
			t.Errorf("%+v: %s, want %s", p, standing, tc.want)
		}
	}
	got, err := s.signIn(c, clara, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.Participation(t.Context(), got.Access, bakery); !fault.HasKey(err, "govbr.not_found") {
		t.Errorf("a stranger to the company: %v", err)
	}
}

// TestSimulatorPOA lets an agent use a service for the grantor, and registers it.
func TestSimulatorPOA(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	c := s.client()
	got, err := s.signIn(c, paula, nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.POAs(t.Context(), got.Access, clara)
	if err != nil || len(list) != 1 || !list[0].Covers("h-exemplo.teste.gov.br", 3124, s.clock.Now()) {
		t.Fatalf("%v, %v", list, err)
	}
	if id, err := c.RegisterAccess(t.Context(), got.Access, list[0].ID, 3124, s.clock.Now()); err != nil || id <= 0 {
		t.Errorf("%d, %v", id, err)
	}
	if _, err := c.RegisterAccess(t.Context(), got.Access, list[0].ID, 1, s.clock.Now()); !fault.HasKey(err, "govbr.poa.not_covered") {
		t.Errorf("another service: %v", err)
	}
}

// TestSimulatorFlaws turns the simulator's switches, each of which a client must
// see through or bear.
func TestSimulatorFlaws(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		switches map[string]any
		key      string // "" signs in
	}{
		"expired":         {map[string]any{"defeitos_id_token": []string{"expirado"}}, "govbr.login.token"},
		"from the future": {map[string]any{"defeitos_id_token": []string{"futuro"}}, "govbr.login.token"},
		"nonce":           {map[string]any{"defeitos_id_token": []string{"nonce"}}, "govbr.login.token"},
		"aud":             {map[string]any{"defeitos_id_token": []string{"aud"}}, "govbr.login.token"},
		"iss":             {map[string]any{"defeitos_id_token": []string{"iss"}}, "govbr.login.token"},
		"signature":       {map[string]any{"defeitos_id_token": []string{"assinatura"}}, "govbr.login.token"},
		"alg none":        {map[string]any{"defeitos_id_token": []string{"alg_none"}}, "govbr.login.token"},
		"alg HS256":       {map[string]any{"defeitos_id_token": []string{"alg_hs256"}}, "govbr.login.token"},
		"hyphen":          {map[string]any{"defeitos_id_token": []string{"sub_hifen"}}, ""},
		"ten minutes":     {map[string]any{"defeitos_id_token": []string{"id_token_600"}}, ""},
		"pairwise":        {map[string]any{"sub_pareado": true}, "govbr.login.pairwise"},
		"clock, a little": {map[string]any{"desvio_relogio": "20s"}, ""},
		"clock, far off":  {map[string]any{"desvio_relogio": "10m"}, "govbr.login.token"},
		"unknown amr":     {map[string]any{"amr_extra": []string{"telepatia"}}, ""},
		"reset":           {map[string]any{"conexao_interrompida": []string{"/token"}}, "govbr.unreachable"},
		"manual's shapes": {map[string]any{"confiabilidades_como_no_manual": true, "foto": "base64", "x509_em_lista": true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startSim(t)
			c := s.client()
			s.admin(http.MethodPut, "/interruptores", tc.switches)
			got, err := s.signIn(c, helena, map[string]any{"cnpj": bakery})
			if tc.key != "" {
				if !fault.HasKey(err, tc.key) {
					t.Errorf("%v, want %s", err, tc.key)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			level, err := c.Level(t.Context(), got.Access)
			if err != nil || level != govbr.Gold {
				t.Errorf("level %v, %v", level, err)
			}
			if selos, err := c.Selos(t.Context(), got.Access); err != nil || len(selos) < 2 || selos[0].UpdatedAt.IsZero() {
				t.Errorf("selos %v, %v", selos, err)
			}
			if _, _, err := c.Picture(t.Context(), got.Access); err != nil {
				t.Errorf("picture: %v", err)
			}
			if info, err := c.CertificateInfo(t.Context(), got.Access); err != nil || info.Name == "" {
				t.Errorf("x509: %+v, %v", info, err)
			}
		})
	}
}

// TestSimulatorRefusals are the ways in which a sign-in does not come about.
func TestSimulatorRefusals(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	c := s.client()
	p, address := c.Start(govbr.StartOptions{})
	back := s.visit(address, clara, nil)
	other, _ := c.Start(govbr.StartOptions{})
	if _, err := c.Finish(t.Context(), other, back); !fault.HasKey(err, "govbr.login.state") {
		t.Errorf("another's return: %v", err)
	}
	mixed := other
	mixed.State = p.State
	if _, err := c.Finish(t.Context(), mixed, back); !fault.HasKey(err, "govbr.login.code") {
		t.Errorf("another's verifier: %v", err)
	}
	p, address = c.Start(govbr.StartOptions{})
	back = s.visit(address, clara, nil)
	mixed = p
	mixed.Nonce = other.Nonce
	if _, err := c.Finish(t.Context(), mixed, back); !fault.HasKey(err, "govbr.login.token") {
		t.Errorf("another's nonce: %v", err)
	}
	if _, err := c.Finish(t.Context(), p, back); !fault.HasKey(err, "govbr.login.code") {
		t.Errorf("replay: %v", err)
	}
	wrong := s.client(func(cfg *govbr.Config) { cfg.Login.Secret = govbr.NewSecret("outro") })
	if _, err := s.signIn(wrong, clara, nil); !fault.HasKey(err, "govbr.login.credentials") {
		t.Errorf("wrong secret: %v", err)
	}
	got, err := s.signIn(c, clara, nil)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := c.Access(t.Context(), govbr.NewSecret(got.Access.Token.Reveal()))
	if err != nil || kept.CPF != clara || !kept.Has(govbr.ScopeCompanies) {
		t.Errorf("kept token: %v, %v", kept, err)
	}
	s.clock.Advance(2 * time.Hour)
	if _, err := c.Companies(t.Context(), got.Access); !fault.HasKey(err, "govbr.token_refused") {
		t.Errorf("old token: %v", err)
	}
}

// TestSimulatorLogout is answered with a redirect to the registered address.
func TestSimulatorLogout(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, tc := range []struct{ address, want string }{{s.client().LogoutURL(), "http://localhost:3000/"},
		{s.client().StepUpURL(govbr.AnyOf(govbr.Silver, govbr.Gold)), "/login"}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tc.address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("Location"); res.StatusCode/100 != 3 || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %d %s, want %s", tc.address, res.StatusCode, got, tc.want)
		}
	}
}
