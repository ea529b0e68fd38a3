package web_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"selo/web/webtest"
)

// pagesOf counts the pages of a PDF.
func pagesOf(pdf string) int {
	return len(regexp.MustCompile(`/Type /Page\b[^s]`).FindAllString(pdf, -1))
}

// drawn is what the pages of a PDF draw, uncompressed.
func drawn(t *testing.T, pdf string) string {
	t.Helper()
	var all strings.Builder
	for _, part := range strings.Split(pdf, "stream\n")[1:] {
		reader, err := zlib.NewReader(bytes.NewReader([]byte(part)))
		if err != nil {
			continue // not compressed, or what lies between two streams
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			continue
		}
		all.Write(content)
	}
	return all.String()
}

// wide is a text as the PDF's fonts write it: UTF-16, big-endian.
func wide(text string) string {
	var b strings.Builder
	for _, c := range text {
		b.WriteByte(byte(c >> 8))
		b.WriteByte(byte(c))
	}
	return b.String()
}

func TestMirrorIsAPDF(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	for number, pages := range map[string]int{webtest.Toy: 1, webtest.Large: 0, webtest.Tricky: 1, webtest.Cancelled: 1, webtest.Expired: 1} {
		a := s.Get(certificatePath(number) + "/espelho.pdf")
		if a.Status != http.StatusOK || a.Header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(a.Body, "%PDF-") {
			t.Fatalf("%s: %d %s", number, a.Status, a.Header.Get("Content-Type"))
		}
		n := pagesOf(a.Body)
		if pages != 0 && n != pages {
			t.Errorf("%s has %d pages", number, n)
		}
		text := drawn(t, a.Body)
		if !strings.Contains(text, wide(fmt.Sprintf("Página %d de %d", n, n))) {
			t.Errorf("%s does not number its %d pages", number, n)
		}
		if heads := strings.Count(text, wide("EAN/UPC")); heads != n {
			t.Errorf("%s repeats the head of the table %d times on %d pages", number, heads, n)
		}
	}
}

func TestMirrorIsInTheLanguageAsked(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t)
	text := drawn(t, s.Get("/en"+certificatePath(webtest.Toy)+"/espelho.pdf").Body)
	if !strings.Contains(text, wide("How to check")) || !strings.Contains(text, wide("ACTIVE")) {
		t.Error("the PDF below /en is not English")
	}
}
