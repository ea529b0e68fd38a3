package replica_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"selo/api"
	"selo/catalog"
	"selo/certificate"
	"selo/clock"
	"selo/fault"
	"selo/remessa"
	"selo/replica"
)

var start = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// names is a source without certificates; its names make the file large enough
// to be cut in the middle.
type names struct{}

func (names) EachRevision(context.Context, certificate.Kind, int64, int64, bool, func(catalog.Entry) error) error {
	return nil
}

func (names) Reference(context.Context) (catalog.Reference, error) {
	ref := catalog.Reference{Bodies: map[certificate.Sigla]string{}}
	for i := range 5000 {
		ref.Bodies[certificate.Sigla("OCP"+strconv.Itoa(i))] = "Organismo de nome comprido número " + strconv.Itoa(i)
	}
	return ref, nil
}

// scene is a node that has publications, what lies between, and a node that follows.
type scene struct {
	*testing.T
	keys   remessa.Keys
	clock  *clock.Manual
	origin *catalog.Shelf // of the node that is followed
	server *httptest.Server
	log    *bytes.Buffer

	mu      sync.Mutex
	between func(http.Handler, http.ResponseWriter, *http.Request) // guarded by mu
	asked   []string                                               // guarded by mu: path, range
	sent    int64                                                  // guarded by mu: bytes of files

	holder *catalog.Holder
	shelf  *catalog.Shelf // of the node that follows
	node   *replica.Replica
}

func newScene(t *testing.T) *scene {
	t.Helper()
	keys, err := remessa.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{T: t, keys: keys, clock: clock.NewManual(start), origin: &catalog.Shelf{Dir: t.TempDir()}, log: &bytes.Buffer{},
		shelf: &catalog.Shelf{Dir: filepath.Join(t.TempDir(), "catalogo"), Keep: 2}}
	s.shelf.Check = s.check
	handler := api.New(api.Deps{Catalog: &catalog.Holder{}, Clock: s.clock, Shelf: s.origin})
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, strings.TrimSpace(filepath.Base(r.URL.Path)+" "+r.Header.Get("Range")))
		between := s.between
		s.mu.Unlock()
		if strings.HasSuffix(r.URL.Path, ".sqlite") {
			w = &counted{w, s}
		}
		if between != nil {
			between(handler, w, r)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.server.Close)
	s.restart()
	return s
}

// restart begins the following node anew, with what lies on its disk.
func (s *scene) restart() {
	s.Helper()
	if s.holder != nil {
		s.holder.Swap(nil)
	}
	s.holder = &catalog.Holder{}
	s.Cleanup(func() { s.holder.Swap(nil) })
	source, err := replica.NewRemote(s.server.URL, s.shelf, replica.RemoteOptions{Check: s.check, Clock: s.clock, Pause: time.Millisecond})
	s.must(err)
	s.node = s.replica(source)
}

func (s *scene) replica(source replica.Source) *replica.Replica {
	return replica.New(replica.Options{Source: source, Holder: s.holder, Clock: s.clock, Check: s.check, Shelf: s.shelf, Poll: time.Millisecond,
		CheckDigests: func(text []byte, signature string) error {
			return remessa.CheckDigests(text, signature, s.keys.Public().Sign)
		},
		Log: slog.New(slog.NewTextHandler(s.log, nil))})
}

func (s *scene) check(text []byte, signature string) error {
	return remessa.CheckSnapshot(text, signature, s.keys.Public().Sign)
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// publish puts a publication on the origin's shelf and gives its path.
func (s *scene) publish(number int64) string {
	s.Helper()
	return s.build(s.origin.Dir, number, s.keys)
}

func (s *scene) build(dir string, number int64, keys remessa.Keys) string {
	s.Helper()
	path := filepath.Join(dir, catalog.FileName(number))
	s.must(catalog.Build(s.Context(), names{}, catalog.Publication{Number: number, At: start}, path,
		catalog.Options{Sign: func(text []byte) (string, error) { return remessa.SignSnapshot(text, keys) }}))
	return path
}

// meddle sets what lies between the nodes; nil: nothing.
func (s *scene) meddle(between func(http.Handler, http.ResponseWriter, *http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.between, s.asked, s.sent = between, nil, 0
}

// files are the questions for files since the last meddling, and the bytes sent.
func (s *scene) files() (asked []string, sent int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if strings.HasPrefix(a, "catalogo.sqlite") {
			asked = append(asked, a)
		}
	}
	return asked, s.sent
}

// shows checks what the node shows and that it can be asked.
func (s *scene) shows(number int64) {
	s.Helper()
	c, release, ok := s.holder.Acquire()
	if !ok {
		if number != 0 {
			s.Fatalf("shows nothing, want %d: %s", number, s.log)
		}
		return
	}
	defer release()
	if _, err := c.Search(s.Context(), catalog.Search{Text: "capacete"}); err != nil || c.Publication().Number != number {
		s.Fatalf("shows %d (%v), want %d: %s", c.Publication().Number, err, number, s.log)
	}
}

// looks makes the node look once and show a publication.
func (s *scene) looks(number int64) {
	s.Helper()
	if _, err := s.node.Look(s.Context()); err != nil {
		s.Fatalf("%v: %s", err, s.log)
	}
	s.shows(number)
	if st := s.node.Status(); st.Trouble != nil || st.Shown != number || st.Looked.IsZero() {
		s.Fatalf("%+v", st)
	}
}

// refuses makes the node look once, refuse with a key, and go on showing.
func (s *scene) refuses(key string, refused bool, number int64) {
	s.Helper()
	changed, err := s.node.Look(s.Context())
	st := s.node.Status()
	if changed || !fault.HasKey(err, key) || st.Trouble == nil || st.Trouble.Key != key || st.Refused != refused || st.Since.IsZero() {
		s.Fatalf("%t, %v, %+v: want %s", changed, err, st, key)
	}
	s.shows(number)
	if left, _ := filepath.Glob(filepath.Join(s.shelf.Dir, "catalogo-*")); refused && len(left) > int(number) {
		s.Fatalf("left on the shelf: %v", left)
	}
}

type counted struct {
	http.ResponseWriter
	s *scene
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.s.mu.Lock()
	c.s.sent += int64(n)
	c.s.mu.Unlock()
	return n, err
}

// cut ends the connection after some bytes of the body.
type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(p []byte) (int, error) {
	if len(p) > c.left {
		_, _ = c.ResponseWriter.Write(p[:c.left])
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	c.left -= len(p)
	return c.ResponseWriter.Write(p)
}

func (c *cut) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// swapped answers questions for the file with another file's bytes.
func swapped(path string) func(http.Handler, http.ResponseWriter, *http.Request) {
	return func(h http.Handler, w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, ".sqlite") {
			h.ServeHTTP(w, r)
			return
		}
		f, err := os.Open(path)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer f.Close()
		w.Header().Set("Etag", `"0123456789abcdef"`)
		http.ServeContent(w, r, "", time.Time{}, f)
	}
}

// copyOf is a copy of a file, changed.
func (s *scene) copyOf(path string, change func([]byte) []byte) string {
	s.Helper()
	data, err := os.ReadFile(path)
	s.must(err)
	out := filepath.Join(s.TempDir(), filepath.Base(path))
	s.must(os.WriteFile(out, change(bytes.Clone(data)), 0o600))
	return out
}

func discard(w http.ResponseWriter, text string) { _, _ = io.WriteString(w, text) }
