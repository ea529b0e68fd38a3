package replica_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selo/fault"
	"selo/remessa"
	"selo/replica"
)

func TestANodeFollowsAnother(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.looks(0) // nothing is published yet: no trouble
	for number := int64(1); number <= 4; number++ {
		s.publish(number)
		s.looks(number)
		s.looks(number)
	}
	if asked, _ := s.files(); len(asked) != 4 {
		t.Errorf("the files were asked for: %v", asked)
	}
	if kept := s.shelf.List(); len(kept) != 2 || kept[0].Publication.Number != 4 || kept[1].Publication.Number != 3 {
		t.Errorf("kept: %+v", kept)
	}
	// A lagging node behind the same balancer takes nothing back.
	for _, number := range []int64{3, 4} {
		s.must(os.Remove(filepath.Join(s.origin.Dir, fmt.Sprintf("catalogo-%06d.sqlite", number))))
	}
	s.looks(4)
	// The source may stay away for a whole restart.
	s.server.Close()
	s.restart()
	if ok, err := s.node.Resume(t.Context()); !ok || err != nil {
		t.Fatal(ok, err)
	}
	s.shows(4)
	s.refuses("replica.unreachable", false, 4)
	if st := s.node.Status(); st.Refusals != 0 || !st.Looked.IsZero() {
		t.Errorf("%+v", st)
	}
}

// A line that breaks again and again costs each byte once, even when the
// program ends in between.
func TestADownloadGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	info, err := os.Stat(s.publish(1))
	s.must(err)
	piece := int(info.Size()/6 + 1)
	s.meddle(func(h http.Handler, w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".sqlite") {
			w = &cut{w, piece}
		}
		h.ServeHTTP(w, r)
	})
	s.refuses("replica.unreachable", false, 0)
	s.restart()
	s.looks(1)
	asked, sent := s.files()
	if len(asked) != 6 || asked[0] != "catalogo.sqlite" || sent != info.Size() {
		t.Fatalf("%d of %d bytes sent for %q", sent, info.Size(), asked)
	}
	for i, a := range asked[1:] {
		if want := fmt.Sprintf("catalogo.sqlite bytes=%d-", (i+1)*piece); a != want {
			t.Errorf("question %d is %q, want %q", i+1, a, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(s.shelf.Dir, "*.parte")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// What was begun under another validator, or of an earlier publication, is not
// gone on with.
func TestPiecesOfDifferentFilesAreNotPutTogether(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.publish(2)
	s.must(os.MkdirAll(s.shelf.Dir, 0o755))
	for _, name := range []string{"baixando-1-0123456789abcdef.parte", "baixando-2-0123456789abcdef.parte", "baixando-2-.parte"} {
		s.must(os.WriteFile(filepath.Join(s.shelf.Dir, name), []byte("SQLite format 3\x00 of something else"), 0o600))
	}
	s.looks(2)
	if left, _ := filepath.Glob(filepath.Join(s.shelf.Dir, "*.parte")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	// Longer than the file, under its own validator.
	kept := s.origin.List()[0]
	s.must(os.RemoveAll(s.shelf.Dir))
	s.must(os.MkdirAll(s.shelf.Dir, 0o755))
	s.must(os.WriteFile(filepath.Join(s.shelf.Dir, "baixando-2-"+kept.Digest+".parte"), make([]byte, kept.Size+1), 0o600))
	s.restart()
	s.looks(2)
}

// A node behind the same balancer may have other bytes for the same content.
func TestAnotherNodesBytesAreAsGood(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.publish(1)
	s.meddle(swapped(s.build(t.TempDir(), 1, s.keys)))
	s.looks(1)
}

func TestWhatMustNotBeShownIsRefused(t *testing.T) {
	t.Parallel()
	other, err := remessa.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key  string
		file func(s *scene, path string) string
	}{
		"a byte changed in a row":     {"snapshot.tampered", flip(func(n int) int { return n / 2 })},
		"a byte changed at the start": {"snapshot.tampered", flip(func(int) int { return 28 })},
		"a byte changed in the seal":  {"snapshot.", flip(func(n int) int { return n - 300 })},
		"cut in the middle": {"snapshot.truncated", func(s *scene, path string) string {
			return s.copyOf(path, func(b []byte) []byte { return b[:len(b)/2] })
		}},
		"cut in the seal": {"snapshot.truncated", func(s *scene, path string) string {
			return s.copyOf(path, func(b []byte) []byte { return b[:len(b)-5] })
		}},
		"no snapshot": {"snapshot.format", func(s *scene, path string) string {
			return s.copyOf(path, func(b []byte) []byte { return []byte(strings.Repeat("<html>", len(b)/6)) })
		}},
		"of another format": {"snapshot.version", func(s *scene, path string) string {
			return s.copyOf(path, func(b []byte) []byte { b[63] = 1; return b })
		}},
		"sealed by somebody else": {"snapshot.signature", func(s *scene, _ string) string { return s.build(s.TempDir(), 2, other) }},
		"another publication":     {"snapshot.tampered", func(s *scene, _ string) string { return s.build(s.TempDir(), 3, s.keys) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.publish(1)
			s.looks(1)
			path := s.publish(2)
			s.meddle(swapped(c.file(s, path)))
			_, err := s.node.Look(t.Context())
			key := fault.Of(err)
			if key == nil || !strings.HasPrefix(key.Key, c.key) {
				t.Fatalf("%v, want %s", err, c.key)
			}
			s.refuses(key.Key, true, 1)
			if asked, _ := s.files(); len(asked) != 1 {
				t.Errorf("asked for again at once: %q", asked)
			}
			if st := s.node.Status(); st.Refusals != 1 || st.Number != 2 {
				t.Errorf("%+v", st)
			}
			if n := strings.Count(s.log.String(), `msg="snapshot refused`); n != 1 {
				t.Errorf("told %d times in the log:\n%s", n, s.log)
			}
			// Once it is put right it is shown; the refusal is over.
			s.meddle(nil)
			s.clock.Advance(time.Hour)
			s.looks(2)
		})
	}
}

func flip(at func(length int) int) func(*scene, string) string {
	return func(s *scene, path string) string {
		return s.copyOf(path, func(b []byte) []byte { b[at(len(b))] ^= 0x40; return b })
	}
}

// What the list says is enough to refuse some things without fetching them.
func TestWhatTheListGivesAwayIsNotFetched(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key     string
		refused bool
		change  func(file, seal map[string]any)
	}{
		"old format":       {"snapshot.version", true, func(_, seal map[string]any) { seal["formato"] = 1 }},
		"newer format":     {"snapshot.version", true, func(_, seal map[string]any) { seal["formato"] = 99 }},
		"other content":    {"snapshot.signature", true, func(_, seal map[string]any) { seal["conteudo"] = strings.Repeat("0", 64) }},
		"no signature":     {"snapshot.signature", true, func(_, seal map[string]any) { delete(seal, "assinatura") }},
		"too large":        {"replica.too_large", true, func(file, _ map[string]any) { file["bytes"] = int64(1) << 60 }},
		"no size":          {"snapshot.tampered", true, func(file, _ map[string]any) { file["bytes"] = 0 }},
		"on another host":  {"replica.strange", false, func(file, _ map[string]any) { file["endereco"] = "http://192.0.2.1/x" }},
		"on another place": {"replica.strange", false, func(file, _ map[string]any) { file["endereco"] = "file:///etc/passwd" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.publish(1)
			s.looks(1)
			s.publish(2)
			s.meddle(func(h http.Handler, w http.ResponseWriter, r *http.Request) {
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, r)
				var list map[string][]map[string]any
				if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil {
					t.Error(err)
				}
				file := list["publicacoes"][0]["arquivo"].(map[string]any)
				c.change(file, file["selo"].(map[string]any))
				_ = json.NewEncoder(w).Encode(list)
			})
			s.refuses(c.key, c.refused, 1)
			if asked, _ := s.files(); len(asked) != 0 {
				t.Errorf("fetched: %q", asked)
			}
		})
	}
}

func TestStrangersAreNotFollowed(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"a page":     func(w http.ResponseWriter, _ *http.Request) { discard(w, "<html>Entre na rede</html>") },
		"other JSON": func(w http.ResponseWriter, _ *http.Request) { discard(w, `{"ok":true}`) },
		"null":       func(w http.ResponseWriter, _ *http.Request) { discard(w, `null`) },
		"a failure":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"without end": func(w http.ResponseWriter, _ *http.Request) {
			discard(w, `{"publicacoes":[`+strings.Repeat(" ", 5<<20))
		},
		"another place": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.publish(1)
			s.looks(1)
			s.meddle(func(_ http.Handler, w http.ResponseWriter, r *http.Request) { answer(w, r) })
			s.refuses("replica.strange", false, 1)
		})
	}
	for _, address := range []string{"", "selo.example", "ftp://selo.example", "https://a:b@selo.example", "https://selo.example/?x=1", "https://", "http://\x00"} {
		if _, err := replica.NewRemote(address, nil, replica.RemoteOptions{Check: func([]byte, string) error { return nil }}); !fault.HasKey(err, "courier.url") {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := replica.NewRemote("https://selo.example", nil, replica.RemoteOptions{}); err == nil {
		t.Error("follows without a key")
	}
}
