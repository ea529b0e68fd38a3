package govbrsim

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"selo/clock"
)

// still is a simulator without a listener, for fuzzing.
func still(f testing.TB) *Server {
	f.Helper()
	s, err := New(Options{URL: "http://simulador.invalid:8082", Clock: clock.NewManual(begin), Key: testKey()})
	if err != nil {
		f.Fatal(err)
	}
	return s
}

// FuzzAuthorize: whatever is asked, the browser is sent to the login page or to
// a registered address, and nowhere else.
func FuzzAuthorize(f *testing.F) {
	s := still(f)
	for _, q := range []url.Values{asked(), asked("scope", "openid nada"), asked("redirect_uri", "//x"), asked("state", "\r\nX: y"), asked("nonce", "")} {
		f.Add(q.Encode())
	}
	f.Add("client_id=" + exampleID + "&redirect_uri=" + exampleBack + "%00")
	f.Add("a=%zz;b")
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, "/authorize", nil)
		r.URL.RawQuery = query
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		to := rec.Header().Get("Location")
		switch {
		case rec.Code == http.StatusFound && strings.HasPrefix(to, "http://simulador.invalid:8082/login?"):
		case rec.Code == http.StatusFound && registered(s, to):
		case rec.Code >= 400 && rec.Code < 500 && to == "":
		default:
			t.Errorf("%q: %d %q", query, rec.Code, to)
		}
		if strings.ContainsAny(to, "\r\n\x00 <>\"") {
			t.Errorf("%q: %q", query, to)
		}
	})
}

func registered(s *Server, to string) bool {
	address, _, _ := strings.Cut(to, "?")
	for _, c := range s.worlds[DefaultWorld].clients {
		for _, r := range c.Redirects {
			if r == address {
				return true
			}
		}
	}
	return false
}

// FuzzToken: whatever form comes, there is a JSON refusal and no token.
func FuzzToken(f *testing.F) {
	s := still(f)
	f.Add("grant_type=authorization_code&code=x&redirect_uri=y&code_verifier=z", exampleID+":"+exampleSecret)
	f.Add("grant_type=client_credentials&client_id="+exampleID+"&client_secret="+exampleSecret, "")
	f.Add("%zz&;=", "a:b")
	f.Fuzz(func(t *testing.T, form, credentials string) {
		r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if id, secret, found := strings.Cut(credentials, ":"); found {
			r.SetBasicAuth(id, secret)
		}
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		if body := rec.Body.String(); rec.Code != 400 && rec.Code != 401 || !strings.HasPrefix(body, `{"error":"`) || strings.Contains(body, "access_token") {
			t.Errorf("%q: %d %s", form, rec.Code, body)
		}
	})
}

// FuzzOpen: only what was signed here is read, whatever the token looks like.
func FuzzOpen(f *testing.F) {
	s := still(f)
	good, err := s.sign(accessClaims{Sub: "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Add("")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		var c accessClaims
		if err := s.open(token, &c); err == nil && token != good {
			t.Errorf("%q is taken", token)
		}
	})
}

// FuzzForms: no form of the screens ends in an internal error.
func FuzzForms(f *testing.F) {
	s := still(f)
	f.Add("/login/cpf", "authorization_id=1&client_id=2&cpf=3")
	f.Add("/login/senha", "senha=%00")
	f.Add("/sim/confiabilidades/obter", "selo=701&pedido=%25zz")
	f.Fuzz(func(t *testing.T, path, form string) {
		if !strings.HasPrefix(path, "/") {
			return
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form))
		r.URL = &url.URL{Path: path}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		if rec.Code >= 500 {
			t.Errorf("%s %q: %d", path, form, rec.Code)
		}
	})
}

// FuzzPeople: a file of personas is taken whole and right, or refused.
func FuzzPeople(f *testing.F) {
	f.Add(`{"pessoas":[{"cpf":"52998224725","nome":"Ana","senha":"x","selos":[]}]}`)
	f.Add(`{"empresas":[{"cnpj":"12ABC34501DE35","razao_social":"X","participantes":[{"cpf":"52998224725"}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ReadPeople(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, person := range p.People {
			if err := person.check(); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
