package govbr

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"selo/fault"
)

func TestParseConfig(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"SELO_GOVBR_LOGIN_SEGREDO": "  " + aSecret + "\n", "SELO_GOVBR_CAS": "https://cas.exemplo.gov.br/"}
	cfg, err := ParseConfig([]byte(`{"ambiente":"homologacao","login":{"id":" h-client\n","segredo":"do arquivo"},
		"retorno":"http://local.selo.gov.br/entrar","folga":"1m","escopos":["openid"]}`), func(k string) string { return vars[k] })
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Login.ID != "h-client" || cfg.Login.Secret.Reveal() != aSecret {
		t.Errorf("credential %q", cfg.Login.ID)
	}
	if cfg.Endpoints.SSO != "https://sso.staging.acesso.gov.br" || cfg.Endpoints.Issuer != "https://sso.staging.acesso.gov.br/" ||
		cfg.Endpoints.CAS != "https://cas.exemplo.gov.br" || time.Duration(cfg.Leeway) != time.Minute || time.Duration(cfg.Timeout) != 10*time.Second {
		t.Errorf("%+v", cfg)
	}
	if cfg.CatalogueURL() != "https://confiabilidades.staging.acesso.gov.br/" {
		t.Error(cfg.CatalogueURL())
	}
	written, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	clean(t, string(written)+fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg))
	if !strings.Contains(string(written), `"folga":"1m0s"`) {
		t.Errorf("%s", written)
	}
}

// TestProductionGuessesNothing: hosts that no manual names must be given.
func TestProductionGuessesNothing(t *testing.T) {
	t.Parallel()
	cfg, err := ParseConfig([]byte(`{"ambiente":"producao"}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if e := cfg.Endpoints; e.SSO != "https://sso.acesso.gov.br" || e.CAS+e.Signature+e.ProofOfLife+e.CertificateSSO != "" {
		t.Errorf("%+v", e)
	}
}

func TestConfigMistakes(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{`{`, `[]`, `{"ambiente":"homologacao","senha":1}`, `{"folga":"x"}`, `{} {}`} {
		_, err := ParseConfig([]byte(bad), nil)
		wantFault(t, err, fault.Invalid, "govbr.config.file")
	}
	_, err := ParseConfig([]byte(`{"ambiente":"teste","retorno":"selo","folga":"1h","espera":"-1s","escopos":["email","a b"],
		"enderecos":{"sso":"ftp://x","api":"http://api.exemplo.gov.br"}}`), nil)
	wantFault(t, err, fault.Invalid, "govbr.config")
	var codes []string
	for _, p := range fault.Of(err).Problems {
		codes = append(codes, p.Field+" "+p.Code)
	}
	want := []string{"ambiente govbr.config.environment", "enderecos.sso govbr.config.url", "enderecos.api govbr.config.https",
		"retorno govbr.config.redirect", "escopos govbr.config.openid", "escopos govbr.config.scope",
		"folga govbr.config.duration", "espera govbr.config.duration"}
	if !slices.Equal(codes, want) {
		t.Errorf("%q\nwant %q", codes, want)
	}
	_, err = New(Config{Environment: Staging}, Options{})
	wantFault(t, err, fault.Invalid, "govbr.config")
	if n := len(fault.Of(err).Problems); n != 3 { // id, secret, redirect
		t.Errorf("%v", err)
	}
}

// TestEndpointTricks are addresses that must not be asked (SSRF).
func TestEndpointTricks(t *testing.T) {
	t.Parallel()
	cases := map[string]bool{
		"https://sso.acesso.gov.br":                 true,
		"https://sso.acesso.gov.br:8443/caminho":    true,
		"https://gov.br@mau.exemplo":                false,
		"https://u:s@sso.acesso.gov.br":             false,
		"https://sso.acesso.gov.br/?a=b":            false,
		"https://sso.acesso.gov.br?":                false,
		"https://sso.acesso.gov.br/#x":              false,
		"https://sso.acesso.gov.br\\@mau.exemplo":   false,
		"https://sso.acesso.gov.br/\r\nHost: x":     false,
		"https://":                                  false,
		"https:sso.acesso.gov.br":                   false,
		"//sso.acesso.gov.br":                       false,
		"file:///etc/passwd":                        false,
		"gopher://x":                                false,
		"http://sso.acesso.gov.br":                  false,
		"http://127.0.0.1:8080":                     false,
		"https://127.0.0.1":                         false,
		"https://localhost":                         false,
		"https://[::1]":                             false,
		"https://169.254.169.254":                   false,
		"https://[::ffff:169.254.169.254]":          false,
		"https://[fe80::1]":                         false,
		"https://0.0.0.0":                           false,
		"https://sso.acesso.gov.br/caminho com esp": false,
	}
	for address, ok := range cases {
		err := Config{Environment: Production, Endpoints: Endpoints{SSO: address}}.Check()
		if (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	local := Config{Environment: Simulated, Local: true, Endpoints: Endpoints{SSO: "http://127.0.0.1:8080", API: "http://localhost:1/sim", CAS: "http://[::1]:1"}}
	if err := local.Check(); err != nil {
		t.Error(err)
	}
	local.Endpoints.SSO = "http://sso.exemplo.gov.br"
	wantFault(t, local.Check(), fault.Invalid, "govbr.config")
	for redirect, ok := range map[string]bool{"https://selo.gov.br/x": true, "http://selo.gov.br/x": false, "https://a@b/": false, "/x": false, "https://b/#x": false} {
		if err := (Config{Environment: Production, Redirect: redirect}).Check(); (err == nil) != ok {
			t.Errorf("redirect %s: %v", redirect, err)
		}
	}
}

// TestSecret never shows itself.
func TestSecret(t *testing.T) {
	t.Parallel()
	s := struct{ S Secret }{NewSecret(aSecret)}
	written, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	clean(t, string(written)+fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s, s.S, s.S, s.S)+s.S.LogValue().String())
	if !(Secret{}).Empty() || s.S.Empty() || s.S.Reveal() != aSecret {
		t.Error("a secret must still serve")
	}
}

// TestZeroOptions is what a program gets that sets nothing.
func TestZeroOptions(t *testing.T) {
	t.Parallel()
	o := Options{}.filled(Config{})
	if o.Attempts != 3 || o.Trip != 5 || o.Clock == nil || o.Log == nil || o.Agent != "selo" {
		t.Errorf("%+v", o)
	}
	tr, ok := o.HTTP.(*http.Transport)
	if !ok || tr.TLSClientConfig.MinVersion < 0x0303 || tr.TLSClientConfig.InsecureSkipVerify {
		t.Error("transport")
	}
}

// TestDocumentedConfigs takes every example of docs/govbr.md, and sets every
// variable that stands there.
func TestDocumentedConfigs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/govbr.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```json\n")[1:]
	if len(blocks) < 2 {
		t.Fatal("no examples")
	}
	for _, b := range blocks {
		example, _, _ := strings.Cut(b, "```")
		cfg, err := ParseConfig([]byte(example), func(name string) string {
			return map[string]string{"SELO_GOVBR_LOGIN_SEGREDO": aSecret}[name]
		})
		if err != nil {
			t.Errorf("%v in %s", err, example)
		}
		if _, err := New(cfg, Options{}); err != nil {
			t.Errorf("%v in %s", err, example)
		}
	}
	var asked []string
	_, _ = ParseConfig(nil, func(name string) string { asked = append(asked, name); return "" }) // what it asks for is all that counts
	for _, name := range asked {
		if !strings.Contains(string(text), "`"+strings.TrimPrefix(name, "SELO_GOVBR_")+"`") {
			t.Errorf("%s is not documented", name)
		}
	}
}
