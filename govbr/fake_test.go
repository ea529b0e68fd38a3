package govbr

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"selo/clock"
	"selo/fault"
)

// The person of the manual's samples, with a CPF whose check digits are right.
const (
	aClient = "h-client.teste.gov.br"
	aSecret = "segredo-da-credencial"
	aCPF    = "52998224725"
	aCode   = "eyJraWQiOiJjb2RlQ3J5cHRvZ3JhcGh5IiwiYWxnIjoiZGlyIiwiZW5jIjoiQTI1NkdDTSJ9..iv.cipher.tag"
	aReturn = "https://selo.exemplo.gov.br/entrar/retorno"
)

// now is four seconds after the manual's sample tokens were made.
var now = time.Unix(1755806810, 0).UTC()

// personal are the texts that neither faults nor log lines may hold.
var personal = []string{aCPF, "529.982.247-25", "529982247-25", "11144477735", "Nome Cidad", "Nome Social", "email@email.com",
	"email@acesso.gov.br", "99999999999", aCode, aSecret, "eyJhbGciOi", "eyJraWQi", "nonce_teste_login"}

// clean fails when an error says who somebody is, or repeats a secret.
func clean(t *testing.T, text string) {
	t.Helper()
	for _, p := range personal {
		if strings.Contains(text, p) {
			t.Errorf("%q stands in %q", p, text)
		}
	}
}

// wantFault fails unless err is a fault of that kind and key that names nobody.
func wantFault(t *testing.T, err error, kind fault.Kind, key string) {
	t.Helper()
	f := fault.Of(err)
	if f == nil || f.Kind != kind || f.Key != key {
		t.Errorf("error %v, want %s %s", err, kind, key)
	}
	if err != nil {
		clean(t, err.Error())
	}
}

// nosy is a log handler that fails on personal data, at every level.
type nosy struct{ t *testing.T }

func (nosy) Enabled(context.Context, slog.Level) bool { return true }
func (n nosy) WithAttrs([]slog.Attr) slog.Handler     { return n }
func (n nosy) WithGroup(string) slog.Handler          { return n }
func (n nosy) Handle(ctx context.Context, r slog.Record) error {
	var b strings.Builder
	if err := slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}).Handle(ctx, r); err != nil {
		return err
	}
	clean(n.t, b.String())
	return nil
}

var signingKey = sync.OnceValue(func() *rsa.PrivateKey { return newKey() })

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// fake is a gov.br that answers with documented bytes.
type fake struct {
	t      *testing.T
	server *httptest.Server
	clock  *clock.Manual

	mu      sync.Mutex
	routes  map[string]http.HandlerFunc // "POST /token"
	asked   map[string]int
	headers http.Header // of the last request
	body    string      // of the last request
	query   url.Values  // of the last request
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{t: t, clock: clock.NewManual(now), routes: map[string]http.HandlerFunc{}, asked: map[string]int{}}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	f.on("GET /jwk", answerJSON(200, jwkSet("rsa1", &signingKey().PublicKey)))
	return f
}

// ServeHTTP implements http.Handler.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.Method + " " + r.URL.Path
	body, _ := io.ReadAll(r.Body) // what a test sends is small and whole
	f.mu.Lock()
	f.asked[name]++
	f.headers, f.body, f.query = r.Header, string(body), r.URL.Query()
	h := f.routes[name]
	f.mu.Unlock()
	if h == nil {
		http.Error(w, "no such route "+name, http.StatusNotFound)
		return
	}
	h(w, r)
}

func (f *fake) on(route string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.routes[route] = h
}

func (f *fake) count(route string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[route]
}

func (f *fake) last() (http.Header, string, url.Values) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.headers, f.body, f.query
}

func (f *fake) config() Config {
	base := f.server.URL
	return Config{
		Environment: Simulated, Local: true,
		Endpoints: Endpoints{SSO: base, Issuer: "https://sso.staging.acesso.gov.br/", API: base + "/api", Catalogue: base + "/confiabilidades",
			CAS: base + "/cas", Signature: base + "/assinatura", ProofOfLife: base + "/meugov"},
		Login: Credential{aClient, NewSecret(aSecret)}, Redirect: aReturn, LogoutRedirect: "https://selo.exemplo.gov.br/saiu",
		Signing: Credential{"assina", NewSecret(aSecret)}, SignRedirect: "https://selo.exemplo.gov.br/assinar/retorno",
		ProofOfLife: Credential{"vida", NewSecret(aSecret)},
		Scopes:      append(DefaultScopes(), ScopeCompanies),
		Timeout:     Duration(time.Minute), // of a machine that does much else
	}
}

func (f *fake) options() Options {
	return Options{Clock: f.clock, Log: slog.New(nosy{f.t}), Pause: time.Millisecond, Trip: 1000}
}

func (f *fake) client() *Client {
	f.t.Helper()
	c, err := New(f.config(), f.options())
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func answerJSON(status int, body string) http.HandlerFunc {
	return answerAs(status, "application/json;charset=UTF-8", body)
}

func answerAs(status int, media, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // the client may have gone
	}
}

func golden(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func object(t testing.TB, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// jwkSet writes a key as the manual shows it: without "use".
func jwkSet(kid string, key *rsa.PublicKey) string {
	return fmt.Sprintf(`{"keys":[{"kty":"RSA","e":"AQAB","kid":%q,"alg":"RS256","n":%q}]}`, kid,
		base64.RawURLEncoding.EncodeToString(key.N.Bytes()))
}

const goodHeader = `{"kid":"rsa1","alg":"RS256"}`

// sign makes a token by hand, so that header and claims have the bytes wanted.
func sign(header, payload string, key *rsa.PrivateKey) string {
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	sum := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// changed returns the golden claims with some replaced; nil takes one out.
func changed(t testing.TB, name string, change map[string]any) string {
	t.Helper()
	m := object(t, golden(t, name))
	maps.Copy(m, change)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// tokens answers /token with these two, in the manual's words.
func tokens(id, access string) http.HandlerFunc {
	return answerJSON(200, fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":3599,`+
		`"scope":"phone openid email govbr_confiabilidades_idtoken profile","id_token":%q}`, access, id))
}

// goodTokens answers /token with the manual's samples, changed.
func (f *fake) goodTokens(id, access map[string]any) {
	f.t.Helper()
	f.on("POST /token", tokens(sign(goodHeader, changed(f.t, "id_token.json", id), signingKey()),
		sign(goodHeader, changed(f.t, "access_token.json", access), signingKey())))
}

// pending is a sign-in that fits the manual's samples.
func pending() Pending {
	return Pending{State: "estado-do-teste", Nonce: "nonce_teste_login", Verifier: "LUnicoAplicacaoCodeVerifierTamanhoComMinimo", StartedAt: now}
}

func goodReturn() url.Values {
	return url.Values{"code": {aCode}, "state": {"estado-do-teste"}}
}

// access is a token of the sample person that has every scope.
func access() AccessToken {
	return AccessToken{Token: NewSecret("eyJhbGciOi.token"), CPF: aCPF, ExpiresAt: now.Add(time.Hour),
		Scopes: []Scope{ScopeReliability, ScopeCompanies, ScopeX509, ScopePOAList, ScopePOARegister}}
}
