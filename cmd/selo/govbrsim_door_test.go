package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestDoorURL is the name that browsers know, and the second listener's port.
func TestDoorURL(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"http://127.0.0.1:8082", "127.0.0.1:8083", "https://127.0.0.1:8083"},
		{"http://govbr-sim:8082", "0.0.0.0:8083", "https://govbr-sim:8083"},
		{"http://[::1]:8082", "[::1]:8083", "https://[::1]:8083"},
	} {
		if got := doorURL(c[0], c[1]); got != c[2] {
			t.Errorf("%s and %s: %s", c[0], c[1], got)
		}
	}
}

// TestTheDoorListens: the certificate that is published is the second
// listener's, which sends whoever has no business there to a page.
func TestTheDoorListens(t *testing.T) {
	t.Parallel()
	o := &office{T: t, dir: t.TempDir()}
	p := o.background("govbr-sim")
	defer p.stop()
	_, _, page := p.get("/sim/certificados")
	door := regexp.MustCompile(`https://127\.0\.0\.1:\d+`).FindString(string(page))
	_, _, pem := p.get("/sim/certificados/servidor.pem")
	trusted := x509.NewCertPool()
	if door == "" || !trusted.AppendCertsFromPEM(pem) {
		t.Fatalf("%q %s", door, page)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	answer, err := client.Get(door + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if to := answer.Header.Get("Location"); !strings.HasSuffix(to, "/sim/certificados") {
		t.Errorf("%d %s", answer.StatusCode, to)
	}
}
