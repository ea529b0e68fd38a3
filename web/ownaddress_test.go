package web

import (
	"net/url"
	"strings"
	"testing"
)

func TestOwnAddress(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"/", "/en/", "/sobre", "/en/sobre?a=1&b=%20x", "/minha-conta/sessoes", "/?q=caf%C3%A9&situacao=todas",
		"/certificados/DEMO/DEMO-BRIN-108%2F25.001", "/en/certificados/DEMO/A%2F%2FB", "/empresas/12.345.678/0001-95", "/?q=//x", "/?q=http://x.example"} {
		if !ownAddress(good) {
			t.Errorf("%q is not taken", good)
		}
	}
	for _, bad := range []string{"", "sobre", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/%5Cevil.example", "/%5c%5cevil.example",
		"/%2Fevil.example", "/%2f%2fevil.example", "/%252F%252Fevil.example", "/./", "/../x", "/.//evil.example", "/..//evil.example", "/%2e%2e/evil", "/%2E/%2Fevil",
		"/a//evil.example", "/sobre/..%2f..%2f/x", "https://evil.example", "https:/evil.example", "https:evil.example", "javascript:alert(1)", "/\tevil.example", "/a\r\nSet-Cookie: x=y",
		"/%0d%0aSet-Cookie:%20x=y", "/a%00b", " /sobre", "/ sobre", "/sobre#x", "/@evil.example", "/:80@evil.example", "//user@evil.example/", "/é", "/sobre\\..\\x", "/a/%5C/b",
		"/certificados/%2e%2e/x", "/%zz", "/entrar", "/entrar/retorno?code=1", "/en/entrar", "/sair", "/es/sair?x=1", "/api/v1/certificados", "/aparencia", "/estatico/x",
		"/" + strings.Repeat("a", maxOwnAddress), "/en//evil.example", "/en/%2Fevil.example", "/en/\\evil.example"} {
		if ownAddress(bad) {
			t.Errorf("%q is taken for an address of this site", bad)
		}
	}
}

// FuzzOwnAddress holds that whatever is taken leads to this site, as a browser resolves it.
func FuzzOwnAddress(f *testing.F) {
	for _, seed := range []string{"/", "//x", "/en/sobre?a=1", "/%2f%2fx", "/..//x", "/\\x"} {
		f.Add(seed)
	}
	base, err := url.Parse("https://selo.example/entrar/retorno")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !ownAddress(s) {
			return
		}
		u, err := base.Parse(s)
		if err != nil || u.Host != "selo.example" || u.Scheme != "https" || u.User != nil || strings.HasPrefix(u.EscapedPath(), "//") || strings.ContainsAny(u.String(), "\\\r\n\t ") {
			t.Errorf("%q leads to %v (%v)", s, u, err)
		}
	})
}

func TestPolicyNamesWhereFormsLead(t *testing.T) {
	t.Parallel()
	got := policyWith("https://sso.example/authorize?x=1", "https://sso.example/logout", "", "/relative", "http://127.0.0.1:8082/x")[0]
	if !strings.Contains(got, "form-action 'self' https://sso.example http://127.0.0.1:8082; base-uri") {
		t.Error(got)
	}
}
