package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"selo/web/webtest"
)

func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for _, path := range []string{"/sobre", "/nada", "/aparencia.css", "/estatico/nada"} {
		h := site.Get(path).Header
		policy := h.Get("Content-Security-Policy")
		if strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none'; ") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || h.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
}

func TestPublicPagesCanBeKept(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	first := site.Get("/sobre")
	tag := first.Header.Get("Etag")
	if first.Header.Get("Cache-Control") != "public, max-age=60" || !strings.HasPrefix(tag, `W/"`) {
		t.Fatalf("headers %v", first.Header)
	}
	if got := site.Get("/sobre", "If-None-Match", `"x", `+tag); got.Status != http.StatusNotModified || got.Body != "" || got.Header.Get("Etag") != tag {
		t.Errorf("asked again it gives %d", got.Status)
	}
	if got := site.Get("/en/sobre", "If-None-Match", tag); got.Status != http.StatusOK {
		t.Errorf("another language gives %d", got.Status)
	}
	head := site.Do(http.MethodHead, "/sobre", nil)
	if head.Status != 200 || head.Body != "" || head.Header.Get("Content-Length") == "" || head.Header.Get("Etag") != tag {
		t.Errorf("HEAD gives %d %v", head.Status, head.Header)
	}
}

func TestPagesTravelCompressed(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	plain := site.Get("/sobre", "Accept-Encoding", "identity")
	packed := site.Get("/sobre", "Accept-Encoding", "br, gzip;q=0.8")
	if plain.Header.Get("Content-Encoding") != "" || packed.Header.Get("Content-Encoding") != "gzip" || packed.Header.Get("Vary") != "Accept-Encoding" {
		t.Fatalf("encodings %q and %q", plain.Header.Get("Content-Encoding"), packed.Header.Get("Content-Encoding"))
	}
	z, err := gzip.NewReader(strings.NewReader(packed.Body))
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(z); err != nil || string(unpacked) != plain.Body {
		t.Errorf("unpacked it is another page (%v)", err)
	}
	if refused := site.Get("/sobre", "Accept-Encoding", "gzip;q=0"); refused.Header.Get("Content-Encoding") != "" {
		t.Error("a refusal of gzip is overlooked")
	}
}

func TestAssetsAreKeptForEver(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	found := 0
	for _, link := range links.FindAllStringSubmatch(site.Get("/sobre").Body, -1) {
		if !strings.HasPrefix(link[1], "/estatico/") {
			continue
		}
		found++
		for _, encoding := range []string{"identity", "gzip"} {
			got := site.Get(link[1], "Accept-Encoding", encoding)
			if got.Status != 200 || got.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || got.Body == "" {
				t.Errorf("%s gives %d %v", link[1], got.Status, got.Header)
			}
		}
	}
	if found < 4 {
		t.Errorf("the page links to %d assets", found)
	}
}

func TestBeforeTheFirstPublication(t *testing.T) {
	t.Parallel()
	site := webtest.StartEmpty(t)
	got := site.Get("/sobre")
	if got.Status != 200 || strings.Contains(got.Body, "Publicação mostrada agora") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	site.Publish()
	if got := site.Get("/sobre"); !strings.Contains(got.Body, "Publicação mostrada agora") || !strings.Contains(got.Body, "09/03/2026 22:00") {
		t.Errorf("after it: %s", got.Body)
	}
}
