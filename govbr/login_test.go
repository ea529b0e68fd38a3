package govbr

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"selo/fault"
)

// TestChallengeOfTheManual is the vector of Passo 3.
func TestChallengeOfTheManual(t *testing.T) {
	t.Parallel()
	if got := Challenge("LUnicoAplicacaoCodeVerifierTamanhoComMinimo"); got != "J7rD2y0WG26mzgvdEizXMOdDPbB_Z5wpPULzv1KmVEg" {
		t.Errorf("challenge %s", got)
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client()
	p, address := c.Start(StartOptions{})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(address, f.server.URL+"/authorize?") {
		t.Errorf("address %s", address)
	}
	want := url.Values{"response_type": {"code"}, "client_id": {aClient}, "redirect_uri": {aReturn}, "nonce": {p.Nonce},
		"scope": {"openid email profile govbr_confiabilidades govbr_confiabilidades_idtoken govbr_empresa"}, "state": {p.State},
		"code_challenge": {Challenge(p.Verifier)}, "code_challenge_method": {"S256"}}
	if got := u.Query(); !reflect.DeepEqual(got, want) {
		t.Errorf("query %v, want %v", got, want)
	}
	if !strings.Contains(address, "scope=openid+email+profile+govbr_confiabilidades") {
		t.Errorf("scopes are not parted by +: %s", address)
	}
	for _, secret := range []string{p.State, p.Nonce, p.Verifier} {
		if len(secret) < 43 || len(secret) > 128 {
			t.Errorf("%d characters", len(secret))
		}
	}
	again, _ := c.Start(StartOptions{})
	if again.State == p.State || again.Nonce == p.Nonce || again.Verifier == p.Verifier || p.State == p.Nonce || p.State == p.Verifier {
		t.Error("secrets repeat")
	}
	if strings.Contains(p.String()+p.LogValue().String(), p.State) {
		t.Error("a pending sign-in shows its secrets")
	}
	_, address = c.Start(StartOptions{Scopes: []Scope{ScopeOpenID}})
	if !strings.Contains(address, "scope=openid&") {
		t.Errorf("own scopes: %s", address)
	}
}

func TestStartWithCertificate(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	cfg := f.config()
	cfg.Endpoints.CertificateSSO = "https://certificado.sso.exemplo.gov.br"
	c, err := New(cfg, f.options())
	if err != nil {
		t.Fatal(err)
	}
	if _, address := c.Start(StartOptions{Certificate: true}); !strings.HasPrefix(address, "https://certificado.sso.exemplo.gov.br/authorize?") {
		t.Errorf("address %s", address)
	}
	if _, address := f.client().Start(StartOptions{Certificate: true}); !strings.HasPrefix(address, f.server.URL+"/authorize?") {
		t.Errorf("without such an address: %s", address)
	}
}

func TestFinish(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.goodTokens(nil, nil)
	s, err := f.client().Finish(t.Context(), pending(), goodReturn())
	if err != nil {
		t.Fatal(err)
	}
	want := Identity{CPF: aCPF, Name: "Nome Cidadão", SocialName: "Nome Social Cidadão", Email: "email@email.com", EmailVerified: true,
		Phone: "99999999999", PhoneVerified: true, Level: Gold, AMR: Methods{"passwd", "captcha", "mfa", "otp_offline"},
		Selos:   []Selo{{"601", time.Date(2025, 7, 2, 17, 17, 16, 1e6, time.UTC)}, {"901", time.Date(2025, 8, 19, 19, 41, 24, 853e6, time.UTC)}},
		Picture: true, AuthTime: time.Unix(1755801679, 0).UTC(), IssuedAt: time.Unix(1755806806, 0).UTC()}
	if !reflect.DeepEqual(s.Identity, want) {
		t.Errorf("identity %#v\nwant %#v", s.Identity, want)
	}
	if s.Identity.DisplayName() != "Nome Social Cidadão" || !s.Identity.AMR.TwoFactor() || s.Identity.ByCompanyCertificate() {
		t.Errorf("identity %+v", s.Identity)
	}
	if s.Access.CPF != aCPF || !s.Access.Has(ScopeEmail) || s.Access.Has(ScopeCompanies) || !s.Access.ExpiresAt.Equal(time.Unix(1755810406, 0)) {
		t.Errorf("access %+v", s.Access)
	}
	clean(t, s.Identity.String()+s.Access.String()+s.Access.LogValue().String()+s.Identity.LogValue().String())
	if n := f.count("POST /token"); n != 1 {
		t.Errorf("the code was sent %d times", n)
	}
}

// TestExchangeRequest looks at the bytes of the token request (LU, passo 6).
func TestExchangeRequest(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client()
	f.on("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if id, secret, ok := r.BasicAuth(); !ok || id != aClient || secret != aSecret {
			t.Errorf("basic auth %q", id)
		}
		if got := r.Header.Get("Content-Type"); got != "application/x-www-form-urlencoded" {
			t.Errorf("content type %s", got)
		}
		answerJSON(400, `{"error":"invalid_grant"}`)(w, r)
	})
	_, err := c.Finish(t.Context(), pending(), goodReturn())
	wantFault(t, err, fault.Conflict, "govbr.login.code")
	_, body, _ := f.last()
	got, err := url.ParseQuery(body)
	want := url.Values{"grant_type": {"authorization_code"}, "code": {aCode}, "redirect_uri": {aReturn}, "code_verifier": {pending().Verifier}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("form %v, want %v", got, want)
	}
}

// TestReturn walks what may come back to the redirect address (LU, passo 3) and the
// tricks played with it; none of them reaches the token endpoint.
func TestReturn(t *testing.T) {
	t.Parallel()
	const state = "estado-do-teste"
	cases := map[string]struct {
		query url.Values
		kind  fault.Kind
		key   string
	}{
		"other state":     {url.Values{"code": {aCode}, "state": {"de-outra-pessoa"}}, fault.Forbidden, "govbr.login.state"},
		"no state":        {url.Values{"code": {aCode}}, fault.Forbidden, "govbr.login.state"},
		"two states":      {url.Values{"code": {aCode}, "state": {state, "outro"}}, fault.Forbidden, "govbr.login.state"},
		"two codes":       {url.Values{"code": {aCode, "outro"}, "state": {state}}, fault.Forbidden, "govbr.login.state"},
		"other issuer":    {url.Values{"code": {aCode}, "state": {state}, "iss": {"https://outro/"}}, fault.Forbidden, "govbr.login.state"},
		"refused":         {url.Values{"error": {"access_denied"}, "state": {state}}, fault.Forbidden, "govbr.login.denied"},
		"refused, forged": {url.Values{"error": {"access_denied"}, "state": {"outro"}}, fault.Forbidden, "govbr.login.state"},
		"error and code":  {url.Values{"error": {"access_denied"}, "code": {aCode}, "state": {state}}, fault.Forbidden, "govbr.login.denied"},
		"other error":     {url.Values{"error": {"server_error"}, "state": {state}}, fault.Unavailable, "govbr.login.refused"},
		"hostile error":   {url.Values{"error": {"<script>"}, "state": {state}}, fault.Unavailable, "govbr.login.refused"},
		"nothing":         {url.Values{"state": {state}}, fault.Unavailable, "govbr.login.refused"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			_, err := f.client().Finish(t.Context(), pending(), tc.query)
			wantFault(t, err, tc.kind, tc.key)
			if strings.Contains(err.Error(), "script") {
				t.Errorf("a stranger's words in %v", err)
			}
			if f.count("POST /token") != 0 {
				t.Error("the token endpoint was asked")
			}
		})
	}
}

func TestReturnNamesTheScopes(t *testing.T) {
	t.Parallel()
	q, err := url.ParseQuery("error=invalid_scope&error_description=Invalid%20scope:%20%5Bgovbr_confiabilidades_idtoken%5D&state=s")
	if err != nil {
		t.Fatal(err)
	}
	_, err = readReturn(q, "s", "")
	wantFault(t, err, fault.Unavailable, "govbr.login.scope")
	if got := fault.Of(err).Args["escopos"]; got != "govbr_confiabilidades_idtoken" {
		t.Errorf("scopes %q", got)
	}
}

func TestPendingServesNotForEver(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.clock.Advance(pendingLife + time.Second)
	_, err := f.client().Finish(t.Context(), pending(), goodReturn())
	wantFault(t, err, fault.Conflict, "govbr.login.stale")
	_, err = f.client().Finish(t.Context(), Pending{}, url.Values{"code": {"x"}, "state": {""}})
	wantFault(t, err, fault.Conflict, "govbr.login.stale")
}

// TestCodeReplay sends one return twice: gov.br refuses the second, and the
// person is told to begin again.
func TestCodeReplay(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.goodTokens(nil, nil)
	good := f.routes["POST /token"]
	f.on("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if f.count("POST /token") > 1 {
			answerJSON(400, `{"error":"invalid_grant","error_description":"Invalid authorization code: `+aCode+`"}`)(w, r)
			return
		}
		good(w, r)
	})
	c := f.client()
	if _, err := c.Finish(t.Context(), pending(), goodReturn()); err != nil {
		t.Fatal(err)
	}
	_, err := c.Finish(t.Context(), pending(), goodReturn())
	wantFault(t, err, fault.Conflict, "govbr.login.code")
}

// TestTokenErrors walks the refusals of the token endpoint (LU, passo 6). None is tried
// again: a code serves once.
func TestTokenErrors(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		answer http.HandlerFunc
		kind   fault.Kind
		key    string
	}{
		"bad credentials":   {answerJSON(401, `{"error":"unauthorized","error_description":"Bad credentials"}`), fault.Unavailable, "govbr.login.credentials"},
		"401 without words": {answerAs(401, "", ""), fault.Unavailable, "govbr.login.credentials"},
		"redirect differs":  {answerJSON(400, `{"error":"invalid_grant","error_description":"Redirect URI mismatch."}`), fault.Conflict, "govbr.login.code"},
		"bad grant":         {answerJSON(400, `{"error":"unsupported_grant_type","erro_description":"x"}`), fault.Unavailable, "govbr.login.refused"},
		"manual's spelling": {answerJSON(400, `{"error":"400","erro_description":"x"}`), fault.Unavailable, "govbr.login.refused"},
		"5xx":               {answerJSON(503, `{}`), fault.Unavailable, "govbr.down"},
		"too many":          {answerJSON(429, `{}`), fault.Unavailable, "govbr.busy"},
		"a page":            {answerAs(200, "text/html", "<html>"), fault.Unavailable, "govbr.strange"},
		"no JSON":           {answerJSON(200, "eyJhbGciOi"), fault.Unavailable, "govbr.strange"},
		"half an answer":    {answerJSON(200, `{"access_token":"eyJhbGciOi","token_type":"Bearer"}`), fault.Unavailable, "govbr.strange"},
		"no bearer":         {answerJSON(200, `{"access_token":"a","token_type":"mac","id_token":"b"}`), fault.Unavailable, "govbr.strange"},
		"too large":         {answerJSON(200, `{"access_token":"`+strings.Repeat("a", maxTokenAnswer)+`"}`), fault.Unavailable, "govbr.strange"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, fault.Unavailable, "govbr.strange"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.on("POST /token", tc.answer)
			_, err := f.client().Finish(t.Context(), pending(), goodReturn())
			wantFault(t, err, tc.kind, tc.key)
			if n := f.count("POST /token"); n != 1 {
				t.Errorf("asked %d times", n)
			}
			if f.count("GET /elsewhere")+f.count("POST /elsewhere") != 0 {
				t.Error("it followed a redirect")
			}
		})
	}
}

// TestTokensRefused attacks the id_token and the access_token.
func TestTokensRefused(t *testing.T) {
	t.Parallel()
	other := newKey()
	id := func(change map[string]any) string { return changed(t, "id_token.json", change) }
	good := func(change map[string]any) string { return sign(goodHeader, id(change), signingKey()) }
	b64 := base64.RawURLEncoding.EncodeToString
	unsigned := b64([]byte(`{"kid":"rsa1","alg":"none"}`)) + "." + b64([]byte(id(nil))) + "."
	cases := map[string]string{
		"alg none":           unsigned,
		"alg None":           strings.Replace(unsigned, b64([]byte(`{"kid":"rsa1","alg":"none"}`)), b64([]byte(`{"kid":"rsa1","alg":"None"}`)), 1),
		"HS256, public key":  hs256(`{"kid":"rsa1","alg":"HS256"}`, id(nil), signingKey().N.Bytes()),
		"HS256, PEM":         hs256(`{"kid":"rsa1","alg":"HS256"}`, id(nil), publicPEM(t)),
		"RS256 said twice":   sign(`{"kid":"rsa1","alg":"none","alg":"RS256"}`, id(nil), signingKey()),
		"other key":          sign(goodHeader, id(nil), other),
		"key in the header":  sign(`{"alg":"RS256","kid":"mine","jwk":`+strings.TrimSuffix(strings.TrimPrefix(jwkSet("mine", &other.PublicKey), `{"keys":[`), `]}`)+`}`, id(nil), other),
		"key's address":      sign(`{"alg":"RS256","kid":"mine","jku":"https://mau.exemplo/jwk"}`, id(nil), other),
		"unknown key":        sign(`{"kid":"rsa2","alg":"RS256"}`, id(nil), signingKey()),
		"no kid":             sign(`{"alg":"RS256"}`, id(nil), signingKey()),
		"crit":               sign(`{"kid":"rsa1","alg":"RS256","crit":["b64"],"b64":false}`, id(nil), signingKey()),
		"other aud":          good(map[string]any{"aud": "h-outro.gov.br"}),
		"aud a list":         good(map[string]any{"aud": []string{aClient}}),
		"aud a list of two":  good(map[string]any{"aud": []string{aClient, "h-outro.gov.br"}}),
		"no aud":             good(map[string]any{"aud": nil}),
		"other iss":          good(map[string]any{"iss": "https://sso.acesso.gov.br/"}),
		"iss without slash":  good(map[string]any{"iss": "https://sso.staging.acesso.gov.br"}),
		"expired":            good(map[string]any{"exp": now.Unix() - 31}),
		"no exp":             good(map[string]any{"exp": nil}),
		"exp a string":       good(map[string]any{"exp": "1755806866"}),
		"exp out of range":   good(map[string]any{"exp": 1e300}),
		"from the future":    good(map[string]any{"iat": now.Unix() + 31}),
		"not yet":            good(map[string]any{"nbf": now.Unix() + 31}),
		"no iat":             good(map[string]any{"iat": nil}),
		"an old one":         good(map[string]any{"iat": now.Unix() - 4000}),
		"other nonce":        good(map[string]any{"nonce": "de outra entrada"}),
		"no nonce":           good(map[string]any{"nonce": nil}),
		"sub twice":          sign(goodHeader, strings.Replace(id(nil), "{", `{"sub":"11144477735",`, 1), signingKey()),
		"SUB beside sub":     sign(goodHeader, strings.Replace(id(nil), "{", `{"SUB":"11144477735",`, 1), signingKey()),
		"twice further in":   sign(goodHeader, strings.Replace(id(nil), `"level":"gold"`, `"level":"bronze","level":"gold"`, 1), signingKey()),
		"two people":         good(map[string]any{"preferred_username": "11144477735"}),
		"another's":          good(map[string]any{"sub": "11144477735", "preferred_username": "11144477735"}),
		"wrong check digits": good(map[string]any{"sub": "52998224724", "preferred_username": nil}),
		"name a number":      good(map[string]any{"name": 7}),
		"name without end":   good(map[string]any{"name": strings.Repeat("a", 5000)}),
		"too large":          good(map[string]any{"x": strings.Repeat("a", maxToken)}),
		"too deep":           good(map[string]any{"x": [][][][][][][][][]int{{{{{{{{{1}}}}}}}}}}),
		"a company's":        good(map[string]any{"cnpj": "11.222.333/0001-81"}),
		"cnpj wrong":         good(map[string]any{"cnpj": "11.222.333/0001-80"}),
		"level a list":       good(map[string]any{"reliability_info": []int{1}}),
		"too many selos":     good(map[string]any{"reliability_info": map[string]any{"level": "gold", "reliabilities": make([]map[string]any, 300)}}),
		"claims a list":      sign(goodHeader, "[]", signingKey()),
		"claims null":        sign(goodHeader, "null", signingKey()),
		"JSON serialization": `{"payload":"` + b64([]byte(id(nil))) + `","protected":"` + b64([]byte(goodHeader)) + `","signature":"AA"}`,
		"four parts":         good(nil) + ".AA",
		"signature cut":      good(nil)[:len(good(nil))-8],
		"text":               "eyJhbGciOi",
		"the access token":   sign(goodHeader, golden(t, "access_token.json"), signingKey()),
	}
	for name, token := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.on("POST /token", tokens(token, sign(goodHeader, golden(t, "access_token.json"), signingKey())))
			_, err := f.client().Finish(t.Context(), pending(), goodReturn())
			wantFaultOneOf(t, err, "govbr.login.token", "govbr.login.pairwise")
		})
	}
	for name, change := range map[string]map[string]any{
		"of another":        {"sub": "11144477735", "preferred_username": "11144477735"},
		"for another":       {"aud": "h-outro.gov.br"},
		"expired":           {"exp": now.Unix() - 31},
		"with a company":    {"cnpj": "11.222.333/0001-81"},
		"agent for whom":    {"agent": true},
		"grantor, no agent": {"grantor_account": "11144477735"},
		"odd grantor":       {"agent": true, "grantor_account": "alguem"},
	} {
		t.Run("access token "+name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.goodTokens(nil, change)
			_, err := f.client().Finish(t.Context(), pending(), goodReturn())
			wantFault(t, err, fault.Forbidden, "govbr.login.token")
		})
	}
}

func wantFaultOneOf(t *testing.T, err error, keys ...string) {
	t.Helper()
	if f := fault.Of(err); f == nil || !slices.Contains(keys, f.Key) {
		t.Errorf("error %v, want one of %v", err, keys)
		return
	}
	clean(t, err.Error())
}

// TestLeeway lets the clocks differ by half a minute, and no more.
func TestLeeway(t *testing.T) {
	t.Parallel()
	for _, change := range []map[string]any{{"exp": now.Unix() - 29}, {"iat": now.Unix() + 30, "exp": now.Unix() + 90}} {
		f := newFake(t)
		f.goodTokens(change, nil)
		if _, err := f.client().Finish(t.Context(), pending(), goodReturn()); err != nil {
			t.Errorf("%v: %v", change, err)
		}
	}
}

// TestPairwise tells the administrator instead of the person.
func TestPairwise(t *testing.T) {
	t.Parallel()
	for _, sub := range []string{"b3f5c1d2-9d3e-4a8f-8c7b-000000000000", "12345", ""} {
		f := newFake(t)
		f.goodTokens(map[string]any{"sub": sub}, nil)
		_, err := f.client().Finish(t.Context(), pending(), goodReturn())
		wantFault(t, err, fault.Unavailable, "govbr.login.pairwise")
	}
}

// TestTraps are the odd forms of claims, each of which signs in.
func TestTraps(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		id, access map[string]any
		holds      func(Session) bool
	}{
		"flags as booleans": {id: map[string]any{"email_verified": true, "phone_number_verified": true},
			holds: func(s Session) bool { return s.Identity.EmailVerified && s.Identity.PhoneVerified }},
		"flags false": {id: map[string]any{"email_verified": "false", "phone_number_verified": false},
			holds: func(s Session) bool { return !s.Identity.EmailVerified && !s.Identity.PhoneVerified }},
		"nothing verified": {id: map[string]any{"email_verified": "false", "email": nil, "phone_number": nil, "phone_number_verified": nil},
			holds: func(s Session) bool { return s.Identity.Email == "" && s.Identity.Phone == "" }},
		"verified without address": {id: map[string]any{"email": nil},
			holds: func(s Session) bool { return !s.Identity.EmailVerified }},
		"hostile address": {id: map[string]any{"email": "a@b.c\r\nBcc: x@y.z"},
			holds: func(s Session) bool { return s.Identity.Email == "" && !s.Identity.EmailVerified }},
		"little known": {id: map[string]any{"social_name": nil, "picture": nil, "auth_time": nil, "amr": nil},
			holds: func(s Session) bool {
				return s.Identity.DisplayName() == "Nome Cidadão" && !s.Identity.Picture && s.Identity.AuthTime.IsZero()
			}},
		"nulls": {id: map[string]any{"social_name": nil, "x": "y"},
			holds: func(s Session) bool { return s.Identity.SocialName == "" }},
		"e-CNPJ, masked": {id: map[string]any{"cnpj": "12.ABC.345/01DE-35", "cnpj_certificate_name": "EMPRESA LTDA", "amr": []string{"x509", "x509_token"}},
			access: map[string]any{"cnpj": "12.abc.345/01DE-35"},
			holds: func(s Session) bool {
				return s.Identity.CNPJ == "12ABC34501DE35" && s.Identity.CompanyName == "EMPRESA LTDA" && s.Identity.ByCompanyCertificate() && s.Access.CNPJ == s.Identity.CNPJ
			}},
		"company name alone": {id: map[string]any{"cnpj_certificate_name": "EMPRESA LTDA"},
			holds: func(s Session) bool { return s.Identity.CompanyName == "" && !s.Identity.ByCompanyCertificate() }},
		"new amr, new selo, new level": {id: map[string]any{"amr": []string{"passkey", "x509", "x509_novo"}, "reliability_info": map[string]any{"level": "diamond",
			"reliabilities": []map[string]any{{"id": 999, "updatedAt": "ontem"}, {"id": "x"}, {"id": nil}, {"id": "801 (certificado_digital)", "updatedAt": "2025-07-02 14:17:16"}}}},
			holds: func(s Session) bool {
				return s.Identity.Level == UnknownLevel && s.Identity.AMR.CloudProvider() == "novo" && len(s.Identity.Selos) == 2 &&
					s.Identity.Selos[0] == Selo{ID: "999"} && s.Identity.Selos[1].Name() == "certificado_digital" &&
					s.Identity.Selos[1].UpdatedAt.Equal(time.Date(2025, 7, 2, 17, 17, 16, 0, time.UTC))
			}},
		"amr one word": {id: map[string]any{"amr": "passwd"}, holds: func(s Session) bool { return slices.Equal(s.Identity.AMR, Methods{"passwd"}) }},
		"agent": {access: map[string]any{"agent": true, "grantor_account": "111.444.777-35"},
			holds: func(s Session) bool {
				return s.Access.Agent && s.Access.Grantor == "11144477735" && s.Access.CPF == aCPF
			}},
		"ten minutes, as in the sample": {id: map[string]any{"exp": 1755807406}, holds: func(Session) bool { return true }},
		"times with fractions":          {id: map[string]any{"exp": 1755806866.25}, holds: func(Session) bool { return true }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.goodTokens(tc.id, tc.access)
			s, err := f.client().Finish(t.Context(), pending(), goodReturn())
			if err != nil {
				t.Fatal(err)
			}
			if !tc.holds(s) {
				t.Errorf("%#v", s)
			}
		})
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	if m := (Methods{"bank", "bank104"}); m.Bank() != "104" || m.TwoFactor() || m.Certificate() || m.App() {
		t.Error(m)
	}
	if m := (Methods{"app", "app_qrcode", "mfa", "otp"}); !m.App() || !m.TwoFactor() || m.Bank() != "" {
		t.Error(m)
	}
	if m := (Methods{"x509", "x509_token"}); !m.Certificate() || m.CloudProvider() != "" {
		t.Error(m)
	}
	if m := (Methods{"x509", "x509_birdid"}); m.CloudProvider() != "birdid" {
		t.Error(m)
	}
	if (Methods{"bankrupt"}).Bank() != "" {
		t.Error("no bank")
	}
}

// TestAccessAgain reads a kept access token once more.
func TestAccessAgain(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client()
	raw := sign(goodHeader, golden(t, "access_token.json"), signingKey())
	a, err := c.Access(t.Context(), NewSecret(raw))
	if err != nil || a.CPF != aCPF || a.Token.Reveal() != raw {
		t.Errorf("%v, %v", a, err)
	}
	f.clock.Advance(2 * time.Hour)
	_, err = c.Access(t.Context(), NewSecret(raw))
	wantFault(t, err, fault.Forbidden, "govbr.token_refused")
	_, err = c.Level(t.Context(), a)
	wantFault(t, err, fault.Forbidden, "govbr.token_refused")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = newFake(t).client().Finish(cancelled, pending(), goodReturn())
	if err == nil || fault.Of(err) != nil {
		t.Errorf("who goes away gets no fault: %v", err)
	}
}

func TestLogoutURL(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	if got, want := f.client().LogoutURL(), f.server.URL+"/logout?post_logout_redirect_uri=https%3A%2F%2Fselo.exemplo.gov.br%2Fsaiu"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	cfg := f.config()
	cfg.LogoutRedirect = ""
	c, err := New(cfg, f.options())
	if err != nil {
		t.Fatal(err)
	}
	if got := c.LogoutURL(); got != f.server.URL+"/logout" {
		t.Error(got)
	}
}
