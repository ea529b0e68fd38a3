package web_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"

	"selo/web/webtest"
)

// BenchmarkSignIn is a whole sign-in over HTTP on a SQLite base: the button, a
// code of the simulated gov.br, the return with its exchange of the code, the
// two tokens, the list of companies, account and session. The simulator signs
// two tokens in the same process: see BenchmarkSignature for that floor.
func BenchmarkSignIn(b *testing.B) {
	p := webtest.StartWithPeople(b)
	for b.Loop() {
		if a := p.NewBrowser().SignIn(webtest.Bruno); a.Header.Get("Location") != "/minha-conta" {
			b.Fatalf("%d to %q", a.Status, a.Header.Get("Location"))
		}
	}
}

// BenchmarkSessionLookup is a page of one's own, whose session is looked up.
func BenchmarkSessionLookup(b *testing.B) {
	p := webtest.StartWithPeople(b)
	browser := p.NewBrowser()
	browser.SignIn(webtest.Bruno)
	for b.Loop() {
		if a := browser.Get("/sair"); a.Status != 200 {
			b.Fatal(a.Status)
		}
	}
}

// BenchmarkSignature is one RSA-2048 signature, the floor of a token.
func BenchmarkSignature(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("token"))
	for b.Loop() {
		if _, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:]); err != nil {
			b.Fatal(err)
		}
	}
}
