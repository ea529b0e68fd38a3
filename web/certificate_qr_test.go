package web

import (
	"strings"
	"testing"

	"selo/catalog"
)

// TestHasQR holds the bound against the library that draws.
func TestHasQR(t *testing.T) {
	t.Parallel()
	r := &Request{server: bare(Deps{URL: "https://selo.example"})}
	for _, length := range []int{40, maxQR - 1, maxQR, maxQR + 1} {
		c := &catalog.Certificate{}
		c.Path = "/certificados/d/" + strings.Repeat("x", length-len("https://selo.example/certificados/d/"))
		_, err := r.qrOf(c)
		if drawn := err == nil; drawn != r.hasQR(c) {
			t.Errorf("an address of %d bytes: drawn %v, said %v", length, drawn, r.hasQR(c))
		}
	}
}
