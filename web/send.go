package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"selo/brasil"
	"selo/catalog"
)

// How answers are kept. A public page is the same for everybody and may be old
// by a minute, as the API's answers may.
const (
	noStore    = "no-store"
	keepPublic = "public, max-age=60"
	keepEver   = "public, max-age=31536000, immutable"
	keepOwn    = "private, no-cache"
)

// secure are the headers of every answer; the slices are shared and never
// written to. Nothing inline is allowed, so no hash or nonce is needed.
var secure = map[string][]string{
	"Content-Security-Policy": {"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
	"X-Content-Type-Options":       {"nosniff"},
	"Referrer-Policy":              {"strict-origin-when-cross-origin"},
	"Cross-Origin-Opener-Policy":   {"same-origin"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Permissions-Policy":           {"camera=(), geolocation=(), microphone=(), payment=()"},
}

// camera is the Permissions-Policy of a page that scans codes.
var camera = []string{"camera=(self), geolocation=(), microphone=(), payment=()"}

var transport = []string{"max-age=31536000"}

// keep is the Cache-Control of an answer that says nothing else.
func (r *Request) keep() string {
	if r.route != nil && r.route.Power == Public && r.route.Method == http.MethodGet {
		return keepPublic
	}
	return noStore
}

// edition is what every answer out of one snapshot shares on one day. The day
// belongs to it because certificates expire without a new publication.
type edition struct {
	catalog *catalog.Catalog
	day     brasil.Date
	tag     string
}

// notModified sets the validator of an answer from the catalog and tells
// whether the visitor has it already. The validator covers publication, day,
// program and looks; the address covers the rest, the language among it.
func (s *Server) notModified(r *Request, w http.ResponseWriter) bool {
	day := r.Today()
	e := s.edition.Load()
	if e == nil || e.catalog != r.Catalog || e.day != day {
		p := r.Catalog.Publication()
		e = &edition{catalog: r.Catalog, day: day, tag: tagOf([]byte(fmt.Sprint(r.Catalog.Seal().Content, "\n", day, "\n", s.deps.Version,
			"\n", assets().sum, "\n", p.At.Format(time.RFC3339Nano))))}
		s.edition.Store(e)
	}
	h := w.Header()
	h["Etag"], h["Cache-Control"] = []string{e.tag}, []string{r.keep()}
	return holdsTag(r.HTTP.Header["If-None-Match"], e.tag)
}

// tagOf is a weak validator: the answer may travel compressed or not.
func tagOf(content []byte) string {
	sum := sha256.Sum256(content)
	return `W/"` + hex.EncodeToString(sum[:12]) + `"`
}

// holdsTag compares weakly: "W/" does not count.
func holdsTag(headers []string, tag string) bool {
	for _, header := range headers {
		for held := range strings.SplitSeq(header, ",") {
			held = strings.TrimSpace(held)
			if held == "*" || strings.TrimPrefix(held, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}

// worthPacking is the smallest answer that is compressed, in bytes.
const worthPacking = 1 << 10

var packers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// send writes a whole answer, compressed where the visitor takes it. Answers
// that may be kept get a validator of their content, if they have none.
func send(r *Request, w http.ResponseWriter, status int, contentType string, body, packed []byte) error {
	h := w.Header()
	h["Content-Type"] = []string{contentType}
	h.Add("Vary", "Accept-Encoding")
	if h.Get("Etag") == "" && status == http.StatusOK && h.Get("Cache-Control") != noStore {
		tag := tagOf(body)
		h["Etag"] = []string{tag}
		if holdsTag(r.HTTP.Header["If-None-Match"], tag) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	if takesGzip(r.HTTP) && compressible(contentType) && len(body) >= worthPacking {
		if packed == nil {
			packed = pack(body)
		}
		h["Content-Encoding"] = []string{"gzip"}
		body = packed
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	if r.HTTP.Method != http.MethodHead {
		_, _ = w.Write(body) // a visitor that has gone reads nothing
	}
	return nil
}

func pack(body []byte) []byte {
	var out bytes.Buffer
	z := packers.Get().(*gzip.Writer) //nolint:forcetypeassert // the pool makes nothing else
	defer packers.Put(z)
	z.Reset(&out)
	_, _ = z.Write(body) // a bytes.Buffer takes everything
	_ = z.Close()
	return out.Bytes()
}

func compressible(contentType string) bool {
	for _, kind := range []string{"text/", "image/svg", atomType, jsonFeedType} {
		if strings.HasPrefix(contentType, kind) {
			return true
		}
	}
	return false
}

// takesGzip reads Accept-Encoding; "gzip;q=0" is a refusal.
func takesGzip(r *http.Request) bool {
	for _, header := range r.Header["Accept-Encoding"] {
		for part := range strings.SplitSeq(header, ",") {
			name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
			if name != "gzip" && name != "*" {
				continue
			}
			q, weighed := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
			if value, err := strconv.ParseFloat(q, 64); !weighed || err == nil && value > 0 {
				return true
			}
		}
	}
	return false
}
