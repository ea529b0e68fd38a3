package govbrsim

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// BenchmarkSignIn is what one sign-in costs the simulator: /authorize with a
// session, and /token. Compare it with BenchmarkRSA: a sign-in makes two.
func BenchmarkSignIn(b *testing.B) {
	s := still(b)
	w := s.worlds[DefaultWorld]
	w.sessions.put("sessao", &session{cpf: clara, authTime: begin, amr: []string{"passwd"}})
	never := ConsentNever
	w.switches.Consent = &never
	address := "/authorize?" + asked().Encode()
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, address, nil)
		r.AddCookie(&http.Cookie{Name: "govbrsim_sessao_padrao", Value: "sessao"})
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		to, err := url.Parse(rec.Header().Get("Location"))
		if err != nil {
			b.Fatal(err)
		}
		form := url.Values{"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "redirect_uri": {exampleBack}, "code_verifier": {verifier}}
		r = httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(exampleID, exampleSecret)
		rec = httptest.NewRecorder()
		if s.ServeHTTP(rec, r); rec.Code != http.StatusOK {
			b.Fatal(rec.Code, rec.Body)
		}
	}
	b.ReportMetric(float64(time.Second)/float64(b.Elapsed())*float64(b.N), "sign-ins/s")
}

// BenchmarkRSA is the floor: one signature of RSA-2048.
func BenchmarkRSA(b *testing.B) {
	sum := sha256.Sum256([]byte("x"))
	for b.Loop() {
		if _, err := rsa.SignPKCS1v15(nil, testKey(), crypto.SHA256, sum[:]); err != nil {
			b.Fatal(err)
		}
	}
}
