package web_test

import (
	"encoding/json"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"selo/web/webtest"
)

// certificatePath is the stable address of one of the snapshot's certificates.
func certificatePath(number string) string {
	return "/certificados/" + string(webtest.Body) + "/" + url.PathEscape(number)
}

func wantWords(t *testing.T, where, body string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(body, w) {
			t.Errorf("%s does not say %q", where, w)
		}
	}
}

func TestCertificateSaysItsSituation(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	for number, words := range map[string][]string{
		webtest.Toy:       {"Ativo", "#check-circle", "Este certificado está em vigor", webtest.Model, webtest.GTIN, webtest.BodyName, "dias restantes"},
		webtest.Suspended: {"Suspenso", "#exclamation-triangle", "está suspenso", "falabr.cgu.gov.br"},
		webtest.Cancelled: {"Cancelado", "#ban", "foi cancelado"},
		webtest.Expired:   {"Expirado", "#times-circle", "A validade deste certificado terminou"},
		webtest.Tricky:    {"A//B ../ç+#?&amp;%", "Prova no registro público"},
	} {
		a := s.Get(certificatePath(number))
		if a.Status != http.StatusOK {
			t.Errorf("%s: status %d", number, a.Status)
		}
		wantWords(t, number, a.Body, words...)
	}
	for lang, word := range map[string]string{"/en": "This certificate is in force", "/es": "Este certificado está en vigor"} {
		wantWords(t, lang, s.Get(lang+certificatePath(webtest.Toy)).Body, word)
	}
}

func TestCertificateHasOneAddress(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	for _, asked := range []string{"/certificados/demo/demo%20brin%20108%2025.001", "/certificados/DEMO/demo-brin-108%2F25.001"} {
		a := s.Get(asked + "?em=2026-01-01")
		if a.Status != http.StatusPermanentRedirect || a.Header.Get("Location") != certificatePath(webtest.Toy)+"?em=2026-01-01" {
			t.Errorf("%s: %d to %q", asked, a.Status, a.Header.Get("Location"))
		}
	}
	// A server in between that decodes the slash must not send visitors round and round.
	if a := s.Get("/certificados/DEMO/" + webtest.Toy); a.Status != http.StatusOK {
		t.Errorf("with a bare slash: %d", a.Status)
	}
	if a := s.Get("/certificados/DEMO/nada"); a.Status != http.StatusNotFound || !strings.Contains(a.Body, "Não há certificado") {
		t.Errorf("no such number: %d", a.Status)
	}
	if a := s.Get("/en" + certificatePath(webtest.Toy) + "/qr.svg"); a.Status != http.StatusNotFound {
		t.Errorf("a picture in no language: %d", a.Status)
	}
}

func TestCertificateListsProductsInPages(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	seen, next, pages := map[string]bool{}, certificatePath(webtest.Large), 0
	for next != "" {
		a := s.Get(next)
		if a.Status != http.StatusOK {
			t.Fatalf("%s: %d", next, a.Status)
		}
		pages++
		for _, part := range strings.Split(a.Body, `data-label="Modelo">`)[1:] {
			name, _, _ := strings.Cut(part, "<")
			seen[strings.TrimSpace(name)] = true
		}
		_, rest, more := strings.Cut(a.Body, `rel="next" href="`)
		if !more {
			break
		}
		next, _, _ = strings.Cut(strings.ReplaceAll(rest, "&amp;", "&"), "#")
	}
	if len(seen) != webtest.LargeProducts || pages != 5 {
		t.Errorf("%d products on %d pages", len(seen), pages)
	}
	one := s.Get(certificatePath(webtest.Large) + "?q=modelo+137")
	wantWords(t, "a search", one.Body, "Modelo 137", "Mostrar todos os produtos")
	if strings.Contains(one.Body, "Modelo 136") {
		t.Error("a search shows what does not match")
	}
	wantWords(t, "a search for nothing", s.Get(certificatePath(webtest.Large)+"?q=xyzzy").Body, "Nenhum produto ativo deste certificado combina")
	if a := s.Get(certificatePath(webtest.Large) + "?cursor=xyz"); a.Status != http.StatusUnprocessableEntity {
		t.Errorf("a mangled cursor: %d", a.Status)
	}
}

func TestCertificateShowsTheDayAskedFor(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	path := certificatePath(webtest.Toy)
	past := s.Get(path + "?em=2026-03-10")
	wantWords(t, "today", past.Body, "Você está vendo como o certificado estava em 10/03/2026", "Ver como está hoje", `content="noindex"`, webtest.Model)
	wantWords(t, "before it was there", s.Get(path+"?em=1990-01-01").Body, "ainda não estava no registro", webtest.Model)
	for _, wrong := range []string{"2030-01-01", "ontem", "2026-13-45", "%00", "9999999999999999"} {
		if a := s.Get(path + "?em=" + wrong); a.Status != http.StatusUnprocessableEntity {
			t.Errorf("em=%s: %d", wrong, a.Status)
		}
	}
}

// Whatever is asked, the answer is a page that runs nothing of it.
func TestCertificateWithHostileInput(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	path := certificatePath(webtest.Large)
	for _, text := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "'; DROP TABLE produto; --", "NEAR(a b)", `a" OR "b`, "*", "%", "\x00\x01\x7f",
		"😀🦺", "\u202egnp.exe", strings.Repeat("a", 5000), strings.Repeat("é ", 1000), "javascript:alert(1)"} {
		for _, name := range []string{"q", "em", "cursor", "historico", "nada"} {
			a := s.Get(path + "?" + url.Values{name: {text}}.Encode())
			if a.Status >= http.StatusInternalServerError {
				t.Errorf("%s=%.20q: %d", name, text, a.Status)
			}
			if strings.Contains(a.Body, "<script>alert") || strings.Contains(a.Body, "<img src=x") {
				t.Errorf("%s=%.20q comes back as markup", name, text)
			}
		}
		a := s.Get("/certificados/DEMO/" + url.PathEscape(text))
		if a.Status != http.StatusNotFound && a.Status != http.StatusRequestURITooLong {
			t.Errorf("number %.20q: %d", text, a.Status)
		}
	}
	if a := s.Get(path + "?q=" + strings.Repeat("a", 10<<10)); a.Status != http.StatusRequestURITooLong {
		t.Errorf("10 KB: %d", a.Status)
	}
}

func TestCertificateAsLinkedData(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	path := certificatePath(webtest.Toy)
	a := s.Get(path + "/dados.jsonld")
	var data map[string]any
	if err := json.Unmarshal([]byte(a.Body), &data); err != nil {
		t.Fatal(err)
	}
	if data["@type"] != "Certification" || data["url"] != "https://selo.example"+path || data["certificationStatus"] != "https://schema.org/CertificationActive" {
		t.Errorf("linked data %v", data)
	}
	if a.Header.Get("Content-Type") != "application/ld+json" {
		t.Errorf("media type %q", a.Header.Get("Content-Type"))
	}
	page := s.Get(path).Body
	wantWords(t, "the page", page, `<script type="application/ld+json">`+a.Body+`</script>`,
		`<meta property="og:image" content="https://selo.example`+path+`/qr.png"`, `<link rel="canonical" href="https://selo.example`+path+`"`)
}

func TestCertificateQR(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	for _, number := range []string{webtest.Toy, webtest.Tricky} {
		svg := s.Get(certificatePath(number) + "/qr.svg")
		if svg.Header.Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(svg.Body, "<svg ") {
			t.Errorf("%s: %s", number, svg.Header.Get("Content-Type"))
		}
		picture, err := png.Decode(strings.NewReader(s.Get(certificatePath(number) + "/qr.png").Body))
		if err != nil {
			t.Fatal(err)
		}
		if side := picture.Bounds().Dx(); side < 640 || side != picture.Bounds().Dy() {
			t.Errorf("%s: %v", number, picture.Bounds())
		}
	}
}

func TestCertificateIsTheSameForEverybody(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	for _, tail := range []string{"", "/espelho.pdf", "/qr.svg", "/qr.png", "/dados.jsonld"} {
		path := certificatePath(webtest.Toy) + tail
		first, second := s.Get(path), s.Get(path, "Cookie", "aparencia=contraste.2", "Accept-Language", "en")
		if first.Body != second.Body || first.Header.Get("Cache-Control") != "public, max-age=60" {
			t.Errorf("%s differs, or may not be kept: %q", path, first.Header.Get("Cache-Control"))
		}
		if again := s.Get(path, "If-None-Match", first.Header.Get("Etag")); again.Status != http.StatusNotModified {
			t.Errorf("%s: %d", path, again.Status)
		}
	}
}

func TestCertificateTellsItsHistory(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	path := certificatePath(webtest.Suspended)
	page := s.Get(path).Body
	wantWords(t, "the history", page, "Revisão 2", "Revisão 1", "Falha na avaliação de manutenção &lt;da fábrica&gt;", "O certificado entrou no registro",
		"05/03/2026", `href="`+path+`?em=2026-03-05"`)
	then := s.Get(path + "?em=2026-03-04").Body
	wantWords(t, "the day before", then, "Você está vendo como o certificado estava em 04/03/2026", "#check-circle")
	if strings.Contains(then, "#exclamation-triangle") {
		t.Error("the day before shows the suspension")
	}
	if first := s.Get(path + "?em=2026-02-01").Body; !strings.Contains(first, "ainda não estava no registro") {
		t.Error("a day before the certificate was there shows something")
	}
}
