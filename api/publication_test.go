package api_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selo/api"
	"selo/catalog"
	"selo/certificate"
)

// change makes something new to publish.
func (w *world) change(remarks string) {
	w.t.Helper()
	r := *w.last[plain]
	c := *r.Certificate
	c.Remarks, r.Certificate = remarks, &c
	r.Justifications = []certificate.Justification{{Fields: []string{"observacoes"}, Text: "Correção de um texto"}}
	w.send("CCB", []*certificate.Revision{&r})
}

func TestPublicationsAreListedAndTheirFilesServed(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	for i := range 3 {
		w.change(fmt.Sprint("Observação ", i))
		w.publish()
	}
	w.shelf.Keep = 2
	w.must(w.shelf.Clean())
	a := w.ask("GET", "/api/v1/publicacoes")
	var all api.Publications
	a.into(t, &all)
	if len(all.List) != 4 || all.Next != "" || a.header.Get("Cache-Control") != "public, max-age=10" {
		t.Fatalf("%+v, %v", all, a.header)
	}
	for i, p := range all.List {
		if p.Number != int64(4-i) || p.Checkpoint == "" || len(p.Root) != 64 || p.Size == 0 || (p.File != nil) != (i < 2) {
			t.Errorf("publication %d: %+v", i, p)
		}
	}
	if b := w.ask("GET", "/api/v1/publicacoes", "If-None-Match", a.header.Get("Etag")); b.status != 304 || len(b.body) != 0 {
		t.Errorf("asked again: %d %s", b.status, b.body)
	}
	var page api.Publications
	w.ask("GET", "/api/v1/publicacoes?limite=3").into(t, &page)
	if len(page.List) != 3 || page.Next != "2" {
		t.Fatalf("a page: %+v", page)
	}
	w.ask("GET", "/api/v1/publicacoes?limite=3&cursor="+page.Next).into(t, &page)
	if len(page.List) != 1 || page.List[0].Number != 1 {
		t.Errorf("the last page: %+v", page)
	}
	file := all.List[0].File
	got := w.ask("GET", file.Address)
	if got.status != 200 || int64(len(got.body)) != file.Bytes || got.header.Get("Etag") != `"`+file.Seal.Digest+`"` ||
		got.header.Get("Cache-Control") != "public, max-age=86400" || !strings.Contains(got.header.Get("Content-Disposition"), "catalogo-000004.sqlite") {
		t.Fatalf("%d, %d of %d bytes, %v", got.status, len(got.body), file.Bytes, got.header)
	}
	path := filepath.Join(t.TempDir(), "cópia.sqlite")
	w.must(os.WriteFile(path, got.body, 0o600))
	w.must(catalog.CheckFile(w.ctx, path, nil))
	part := w.ask("GET", file.Address, "Range", "bytes=1000-", "If-Range", got.header.Get("Etag"))
	if part.status != 206 || sha256.Sum256(part.body) != sha256.Sum256(got.body[1000:]) {
		t.Errorf("the rest: %d, %d bytes", part.status, len(part.body))
	}
	if other := w.ask("GET", file.Address, "Range", "bytes=1000-", "If-Range", `"outro"`); other.status != 200 || !bytes.Equal(other.body, got.body) {
		t.Errorf("a part of another file: %d", other.status)
	}
	if head := w.ask("HEAD", file.Address); head.status != 200 || len(head.body) != 0 || head.header.Get("Content-Length") != fmt.Sprint(file.Bytes) {
		t.Errorf("HEAD: %d %v", head.status, head.header)
	}
	if same := w.ask("GET", file.Address, "If-None-Match", got.header.Get("Etag")); same.status != 304 {
		t.Errorf("with the file in hand: %d", same.status)
	}
}

func TestPublicationsRefuseWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	for _, query := range []string{"limite=0", "limite=101", "limite=x", "cursor=0", "cursor=%00", "cursor=9999999999999999999", "pagina=2",
		strings.Repeat("a", 2000) + "=1", "limite=1%27%20OR%201=1"} {
		w.ask("GET", "/api/v1/publicacoes?"+query).problem(t, 422, "api.parameters")
	}
	for _, number := range []string{"2", "0", "-1", "x", "1e3", "99999999999999999999", "%2e%2e%2f1", strings.Repeat("9", 3000)} {
		w.ask("GET", "/api/v1/publicacoes/"+number+"/catalogo.sqlite").problem(t, 404, "publication.not_kept")
	}
	// A file that was changed after it was listed is not given out for what it was.
	w.must(os.WriteFile(filepath.Join(w.shelf.Dir, "publicação-1.sqlite"), []byte("SQLite format 3\x00"), 0o600))
	w.ask("GET", "/api/v1/publicacoes/1/catalogo.sqlite").problem(t, 404, "publication.not_kept")
	w.ask("GET", "/api/v1/dados/certificados.sqlite").problem(t, 503, "snapshot.replaced")
}

// A node without the base lists what it keeps.
func TestPublicationsOfANodeWithoutTheBase(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	w.change("Outra")
	w.publish()
	node := api.New(api.Deps{Catalog: w.holder, Clock: w.clock, Shelf: w.shelf})
	rec := httptest.NewRecorder()
	node.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/api/v1/publicacoes?limite=1", nil))
	var page api.Publications
	answer{rec.Code, rec.Header(), rec.Body.Bytes()}.into(t, &page)
	if len(page.List) != 1 || page.List[0].Number != 2 || page.List[0].File == nil || page.Next != "2" {
		t.Errorf("%s", rec.Body)
	}
}

func TestTooManyIsAProblem(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	rec := httptest.NewRecorder()
	w.api.TooMany(rec, httptest.NewRequest(http.MethodGet, "/api/v1/certificados", nil), 7)
	a := answer{rec.Code, rec.Header(), rec.Body.Bytes()}
	p := a.problem(t, 429, "api.too_many")
	if a.header.Get("Retry-After") != "7" || !strings.Contains(p.Action, "7 s") || p.Title != "Pedidos demais" {
		t.Errorf("%v %s", a.header, a.body)
	}
}
