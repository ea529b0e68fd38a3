package replica_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"selo/catalog"
	"selo/fault"
	"selo/remessa"
)

// stated is what the registry would state about a file of its own.
func (s *scene) stated(path string, keys remessa.Keys) *catalog.Digests {
	s.Helper()
	seal, err := catalog.ReadSeal(path, nil)
	s.must(err)
	f, err := os.Open(path)
	s.must(err)
	defer f.Close()
	sum, size, err := catalog.DigestOf(f)
	s.must(err)
	d := catalog.NewDigests(seal, "1.2.3")
	for _, format := range catalog.Formats {
		name := catalog.DataName(d.Publication, format)
		d.Put(catalog.FileDigest{Name: name, Format: format, Bytes: size, SHA256: sum})
	}
	d.Signature, err = remessa.SignDigests(d.Text(), keys)
	s.must(err)
	return d
}

// answers makes the source answer for digests with what is given.
func (s *scene) answers(status int, d *catalog.Digests) {
	s.meddle(func(h http.Handler, w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/resumos") {
			h.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(d)
	})
}

func TestANodeFetchesTheSignedDigests(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	if fresh, err := s.node.LookForDigests(t.Context()); fresh || err != nil {
		t.Errorf("before the first publication: %t, %v", fresh, err)
	}
	path := s.publish(1)
	s.looks(1)
	good := s.stated(path, s.keys)
	other, err := remessa.NewKeys()
	s.must(err)
	strange := *good
	strange.Files = append([]catalog.FileDigest(nil), good.Files...)
	strange.Files[3].SHA256 = strings.Repeat("0", 64)
	strange.Signature, err = remessa.SignDigests(strange.Text(), s.keys)
	s.must(err)
	unsigned := *good
	unsigned.Signature = ""
	wait := time.Millisecond
	for name, it := range map[string]*catalog.Digests{"digests.signature": s.stated(path, other), "digests.unsigned": &unsigned, "": &strange, "digests.malformed": {}} {
		s.answers(200, it)
		wait *= 2
		s.clock.Advance(wait)
		if fresh, err := s.node.LookForDigests(t.Context()); fresh || err == nil || name != "" && !fault.HasKey(err, name) {
			t.Errorf("%s: %t, %v", name, fresh, err)
		}
		kept, err := s.shelf.Find(1)
		s.must(err)
		if kept.Digests() != nil {
			t.Errorf("%s: kept", name)
		}
		if fresh, err := s.node.LookForDigests(t.Context()); fresh || err != nil {
			t.Errorf("%s: asked again at once: %t, %v", name, fresh, err)
		}
	}
	s.answers(404, good)
	s.clock.Advance(time.Hour)
	if fresh, err := s.node.LookForDigests(t.Context()); fresh || !fault.HasKey(err, "replica.strange") {
		t.Errorf("a source of before: %t, %v", fresh, err)
	}
	s.answers(200, good)
	s.clock.Advance(time.Hour)
	if fresh, err := s.node.LookForDigests(t.Context()); !fresh || err != nil {
		t.Fatalf("a good statement: %t, %v", fresh, err)
	}
	kept, err := s.shelf.Find(1)
	s.must(err)
	if d := kept.Digests(); d == nil || d.Signature != good.Signature {
		t.Errorf("kept is %+v", d)
	}
	s.restart() // it lies there: nobody asks again
	s.looks(1)
	s.answers(500, nil)
	s.clock.Advance(time.Hour)
	if fresh, err := s.node.LookForDigests(t.Context()); fresh || err != nil {
		t.Errorf("after a restart: %t, %v", fresh, err)
	}
}
