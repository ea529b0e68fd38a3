package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"selo/api"
	"selo/catalog"
	"selo/certificate"
	"selo/fault"
	"selo/remessa"
)

// republish changes a certificate and publishes again.
func (w *world) republish(situation certificate.Situation) {
	w.t.Helper()
	changed := helmets("2534")
	changed.Situation = situation
	w.send("CCB", []*certificate.Revision{{ID: plain, Certificate: changed,
		Justifications: []certificate.Justification{{Fields: []string{"situacao"}, Text: "mudou"}}}})
	w.publish()
}

var extensions = []string{"csv", "xlsx", "jsonl", "sqlite"}

func TestOpenDataOfEarlierPublications(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	before := map[string][]byte{}
	for _, ext := range extensions {
		before[ext] = w.ask("GET", "/api/v1/dados/certificados."+ext).body
	}
	w.republish(certificate.Cancelled)
	for _, ext := range extensions {
		path := "/api/v1/dados/1/certificados." + ext
		a := w.ask("GET", path)
		if a.status != 200 || !bytes.Equal(a.body, before[ext]) {
			t.Errorf("%s of publication 1: %d, %d bytes instead of %d", ext, a.status, len(a.body), len(before[ext]))
		}
		if !strings.Contains(a.header.Get("Content-Disposition"), "selo-certificados-1."+ext) || a.header.Get("Cache-Control") != "public, max-age=86400" {
			t.Errorf("headers are %v", a.header)
		}
		if same := w.ask("GET", path, "If-None-Match", a.header.Get("ETag")); same.status != 304 {
			t.Errorf("the same again gives %d", same.status)
		}
		part := w.ask("GET", path, "Range", "bytes=5-14", "If-Range", a.header.Get("ETag"))
		if part.status != 206 || !bytes.Equal(part.body, a.body[5:15]) {
			t.Errorf("a part gives %d %q", part.status, part.body)
		}
		fresh, _ := w.publicNode()
		if same := fresh.ask("GET", path, "If-None-Match", a.header.Get("ETag")); same.status != 304 || fresh.api.KeptDataFiles() != 0 {
			t.Errorf("whoever has %s gets %d, and %d files are made", ext, same.status, fresh.api.KeptDataFiles())
		}
		now := w.ask("GET", "/api/v1/dados/2/certificados."+ext)
		if now.status != 200 || bytes.Equal(now.body, before[ext]) || !bytes.Equal(now.body, w.ask("GET", "/api/v1/dados/certificados."+ext).body) {
			t.Errorf("%s of the current publication by its number: %d", ext, now.status)
		}
	}
	for _, strange := range []string{"3", "0", "-1", "abc", "99999999999999999999", "%2F", "1%00"} {
		for _, tail := range []string{"certificados.csv", "resumos", "SHA256SUMS"} {
			if a := w.ask("GET", "/api/v1/dados/"+strange+"/"+tail); a.status != 404 {
				t.Errorf("%s of publication %s: %d", tail, strange, a.status)
			}
		}
	}
	p := w.ask("GET", "/api/v1/dados/3/certificados.csv").problem(t, 404, "publication.not_kept")
	if !strings.Contains(p.Action, "/api/v1/publicacoes") || !strings.Contains(p.Action, "catalog export") {
		t.Errorf("what to do is %q", p.Action)
	}
}

// TestFewFilesOfEarlierPublicationsAreKept asks from many sides for every form
// of many publications: no more open files stay than is said.
func TestFewFilesOfEarlierPublicationsAreKept(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	w.shelf.Keep = 100
	for i := range 8 {
		w.republish([]certificate.Situation{certificate.Cancelled, certificate.Active}[i%2])
	}
	var group sync.WaitGroup
	for _, number := range []string{"1", "2", "3", "4"} {
		for _, ext := range extensions {
			group.Go(func() {
				a := w.ask("GET", "/api/v1/dados/"+number+"/certificados."+ext)
				if a.status != 200 && a.status != 503 { // too many at once are told to come back
					t.Errorf("%s of %s: %d %s", ext, number, a.status, a.body)
				}
				if a.status == 503 && (a.header.Get("Retry-After") == "" || !bytes.Contains(a.body, []byte("api.busy"))) {
					t.Errorf("a refusal is %v %s", a.header, a.body)
				}
			})
		}
	}
	group.Wait()
	for range 2 { // and none is lost: each can be had, again and again
		for _, number := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"} {
			for _, ext := range extensions {
				if a := w.ask("GET", "/api/v1/dados/"+number+"/certificados."+ext); a.status != 200 {
					t.Errorf("%s of publication %s: %d", ext, number, a.status)
				}
			}
		}
	}
	if kept := w.api.KeptDataFiles(); kept != 3*(catalog.DefaultKept-1)+3 {
		t.Errorf("%d files are kept", kept)
	}
}

// TestForgottenDigestsAreWholeAgain: the digests of a publication give way to
// those of others while its files stay.
func TestForgottenDigestsAreWholeAgain(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	n, _ := w.publicNode()
	before, _ := n.digestsOf("1")
	made := n.api.KeptDataFiles()
	n.api.NoteStrangers(64)
	if known := n.api.KnownDigests(); known != 64 {
		t.Fatalf("%d publications are remembered", known)
	}
	after, raw := n.digestsOf("1")
	if len(after.Files) != 4 || !slices.Equal(after.Files, before.Files) || n.api.KeptDataFiles() != made {
		t.Errorf("after others came: %s", raw)
	}
	n.api.NoteStrangers(60) // of those that were asked for the longest ago, one at a time
	if known := n.api.KnownDigests(); known != 64 {
		t.Errorf("%d publications are remembered", known)
	}
	if list := n.api.OpenData(); list[0].Digests == nil {
		t.Error("what was asked for lately is forgotten")
	}
}

// TestDigestsDoNotWaitForEver: neither who has left waits for the file of an
// earlier publication, nor more than a few.
func TestDigestsDoNotWaitForEver(t *testing.T) {
	t.Parallel()
	w := filled(t, func(d *api.Deps) { d.Heavy = 1 })
	w.republish(certificate.Cancelled)
	for _, ext := range extensions[:3] { // there is only the snapshot itself to read
		if a := w.ask("GET", "/api/v1/dados/1/certificados."+ext); a.status != 200 {
			t.Fatalf("%s: %d", ext, a.status)
		}
	}
	release := w.api.HoldEarlierTurn()
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		r := httptest.NewRequestWithContext(ctx, "GET", "/api/v1/dados/1/resumos", nil)
		w.api.ServeHTTP(httptest.NewRecorder(), r)
	}()
	for w.api.WaitingForEarlier() == 0 {
		runtime.Gosched()
	}
	if a := w.ask("GET", "/api/v1/dados/1/resumos"); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("one too many gets %d", a.status)
	}
	leave()
	<-gone
	if n := w.api.WaitingForEarlier(); n != 0 {
		t.Errorf("%d still wait", n)
	}
	release()
	if d, raw := w.digestsOf("1"); !d.Signed || len(d.Files) != 4 {
		t.Errorf("afterwards %s", raw)
	}
}

// digestsOf asks for the statement of a publication.
func (w *world) digestsOf(number string) (api.DataDigests, []byte) {
	w.t.Helper()
	var d api.DataDigests
	a := w.ask("GET", "/api/v1/dados/"+number+"/resumos")
	if a.status != 200 {
		w.t.Fatalf("digests: %d %s", a.status, a.body)
	}
	a.into(w.t, &d)
	return d, a.body
}

func TestDigestsAreSignedByTheRegistry(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	w.republish(certificate.Cancelled)
	key := w.registry.Keys.Public().Sign
	check := func(text []byte, signature string) error { return remessa.CheckDigests(text, signature, key) }
	for _, number := range []string{"2", "1"} {
		said, raw := w.digestsOf(number)
		if !said.Signed || said.Notice != "" || said.CheckSigned(check) != nil || len(said.Files) != 4 || said.Program != "1.2.3" {
			t.Fatalf("the statement is %s", raw)
		}
		var sums strings.Builder
		for i, ext := range extensions {
			body := w.ask("GET", "/api/v1/dados/"+number+"/certificados."+ext).body
			sum := sha256.Sum256(body)
			want := catalog.FileDigest{Name: "selo-certificados-" + number + "." + ext, Format: ext, Bytes: int64(len(body)), SHA256: hex.EncodeToString(sum[:])}
			if said.Files[i] != want {
				t.Errorf("publication %s says %+v, is %+v", number, said.Files[i], want)
			}
			sums.WriteString(want.SHA256 + "  " + want.Name + "\n")
		}
		a := w.ask("GET", "/api/v1/dados/"+number+"/SHA256SUMS")
		if string(a.body) != sums.String() || !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
			t.Errorf("SHA256SUMS is %q", a.body)
		}
		if read, err := catalog.ReadDigests(raw); err != nil || read.CheckSigned(check) != nil {
			t.Errorf("read back: %v", err)
		}
		seal, err := w.shelf.Find(int64(number[0] - '0'))
		w.must(err)
		if err := check(seal.Text(), said.Signature); err == nil {
			t.Error("the signature passes for that of a seal")
		}
		if err := remessa.CheckSnapshot(said.Text(), said.Signature, key); !fault.HasKey(err, "signature.purpose") {
			t.Errorf("digests pass for a snapshot: %v", err)
		}
	}
}

func TestTamperedDigestsAreRefused(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	key := w.registry.Keys.Public().Sign
	check := func(text []byte, signature string) error { return remessa.CheckDigests(text, signature, key) }
	for name, change := range map[string]func(*catalog.Digests){
		"digests.signature": func(d *catalog.Digests) {
			d.Files[0].SHA256 = strings.Repeat("0", 64)
		},
		"digests.unsigned": func(d *catalog.Digests) { d.Signature = "" },
		"digests.malformed": func(d *catalog.Digests) {
			d.Files[1].Name = "../../etc/passwd"
		},
	} {
		said, _ := w.digestsOf("1")
		change(&said.Digests)
		data, err := json.Marshal(said.Digests)
		w.must(err)
		read, err := catalog.ReadDigests(data)
		if err == nil {
			err = read.CheckSigned(check)
		}
		if !fault.HasKey(err, name) {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	for _, change := range []func(*catalog.Digests){
		func(d *catalog.Digests) { d.Publication = 2 }, func(d *catalog.Digests) { d.Program = "1.2.4" },
		func(d *catalog.Digests) { d.Content = strings.Repeat("1", 64) }, func(d *catalog.Digests) { d.Root = strings.Repeat("1", 64) },
		func(d *catalog.Digests) { d.Files[2].Name = d.Files[1].Name }, func(d *catalog.Digests) { d.Files = d.Files[:3] },
	} {
		said, _ := w.digestsOf("1")
		change(&said.Digests)
		if said.CheckSigned(check) == nil {
			t.Errorf("%+v passes", said.Digests)
		}
	}
	for _, junk := range []string{"", "null", "[]", "{}", `{"publicacao":1}`, strings.Repeat(" ", 100_000)} {
		if _, err := catalog.ReadDigests([]byte(junk)); !fault.HasKey(err, "digests.malformed") {
			t.Errorf("%.20q: %v", junk, err)
		}
	}
}

// publicNode is a node without the base on a folder with a copy of what the
// registry's shelf holds.
func (w *world) publicNode() (*world, *bytes.Buffer) {
	w.t.Helper()
	dir := w.t.TempDir()
	entries, err := os.ReadDir(w.shelf.Dir)
	w.must(err)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(w.shelf.Dir, e.Name()))
		w.must(err)
		w.must(os.WriteFile(filepath.Join(dir, e.Name()), data, 0o600))
	}
	n := &world{t: w.t, ctx: w.ctx, clock: w.clock, holder: &catalog.Holder{}, shelf: &catalog.Shelf{Dir: dir}, log: &bytes.Buffer{}}
	c, err := n.shelf.Newest(w.ctx, catalog.OpenOptions{Clock: w.clock})
	w.must(err)
	n.holder.Swap(c)
	key := w.registry.Keys.Public().Sign
	n.api = api.New(api.Deps{Catalog: n.holder, Clock: w.clock, Version: "1.2.3", Temp: w.t.TempDir(), Shelf: n.shelf, Log: logTo(n.log),
		CheckDigests: func(text []byte, signature string) error { return remessa.CheckDigests(text, signature, key) }})
	n.server = httptest.NewServer(n.api)
	w.t.Cleanup(func() {
		n.server.Close()
		n.holder.Swap(nil)
	})
	return n, n.log
}

func TestPublicNodePassesOnTheSignedDigests(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	unsigned, _ := w.publicNode()
	d, raw := unsigned.digestsOf("1")
	if d.Signed || d.Signature != "" || !strings.Contains(d.Notice, "Sem assinatura") || len(d.Files) != 4 {
		t.Errorf("a node without the statement says %s", raw)
	}
	if a := unsigned.ask("GET", "/api/v1/dados/1/resumos", "Accept-Language", "en"); !bytes.Contains(a.body, []byte("Not signed")) {
		t.Errorf("in English %s", a.body)
	}
	w.must(w.api.Prepare(w.ctx)) // states the digests, beside the snapshot
	want, _ := w.digestsOf("1")
	n, log := w.publicNode()
	if got, raw := n.digestsOf("1"); !got.Signed || got.Signature != want.Signature || n.api.KeptDataFiles() != 0 {
		t.Errorf("passed on %s with %d files made", raw, n.api.KeptDataFiles())
	}
	w.must(n.api.Prepare(n.ctx))
	if got, raw := n.digestsOf("1"); !got.Signed {
		t.Errorf("after making the files: %s\n%s", raw, log)
	}
	list := n.api.OpenData()
	if len(list) != 1 || !list[0].Signed || !list[0].Current || list[0].Digests == nil || list[0].Files[0].Bytes == 0 {
		t.Errorf("the page is told %+v", list)
	}
}

// TestPublicNodeDoesNotPassOnWhatIsNotTrue: what its own files contradict, and
// what was tampered with on its disk.
func TestPublicNodeDoesNotPassOnWhatIsNotTrue(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	w.must(w.api.Prepare(w.ctx))
	said, _ := w.digestsOf("1")
	wrong := said.Digests
	wrong.Files = append([]catalog.FileDigest(nil), wrong.Files...)
	wrong.Files[2].SHA256 = strings.Repeat("a", 64)
	tampered := wrong
	var err error
	wrong.Signature, err = remessa.SignDigests(wrong.Text(), w.registry.Keys)
	w.must(err)

	n, _ := w.publicNode()
	w.must(n.shelf.KeepDigests(&tampered))
	if got, raw := n.digestsOf("1"); got.Signed || got.Files[2].SHA256 != said.Files[2].SHA256 {
		t.Errorf("a tampered statement is passed on: %s", raw)
	}

	n, log := w.publicNode()
	w.must(n.shelf.KeepDigests(&wrong))
	if got, _ := n.digestsOf("1"); !got.Signed {
		t.Fatal("what nothing contradicts yet is not passed on")
	}
	w.must(n.api.Prepare(n.ctx))
	if got, raw := n.digestsOf("1"); got.Signed || got.Files[2].SHA256 != said.Files[2].SHA256 || !strings.Contains(log.String(), "differs from its signed digests") {
		t.Errorf("after making the files: %s\n%s", raw, log)
	}
	if it, err := n.shelf.Find(1); err != nil || it.Digests() != nil {
		t.Errorf("the wrong statement is still there, %v", err)
	}
	other := said.Digests
	other.Content = strings.Repeat("0", 64)
	if err := n.shelf.KeepDigests(&other); !fault.HasKey(err, "digests.other") {
		t.Errorf("digests of other contents: %v", err)
	}
}

// TestDigestsGoWithTheirSnapshot: cleaning the shelf leaves none behind.
func TestDigestsGoWithTheirSnapshot(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	w.must(w.api.Prepare(w.ctx))
	w.republish(certificate.Cancelled)
	w.shelf.Keep = 1
	w.must(w.shelf.Clean())
	left, err := filepath.Glob(filepath.Join(w.shelf.Dir, "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func logTo(b *bytes.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }
