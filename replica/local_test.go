package replica_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"selo/catalog"
	"selo/remessa"
	"selo/replica"
)

// put moves a file into place whole, as an operator should.
func (s *scene) put(from, to string) {
	s.Helper()
	data, err := os.ReadFile(from)
	s.must(err)
	tmp := filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+".tmp")
	s.must(os.WriteFile(tmp, data, 0o600))
	s.must(os.Rename(tmp, to))
}

func TestAFileIsWatched(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.shelf = nil
	path := filepath.Join(t.TempDir(), "atual.sqlite")
	s.node = s.replica(&replica.Local{Path: path, Check: s.check})
	s.refuses2("snapshot.missing")
	one, two := s.publish(1), s.publish(2)
	s.put(one, path)
	s.looks(1)
	s.put(two, path)
	s.looks(2)
	s.put(one, path)
	s.refuses2("replica.older")
	s.shows(2)
	s.put(s.copyOf(s.publish(3), func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), path)
	s.refuses2("snapshot.tampered")
	s.shows(2)
	s.put(filepath.Join(s.origin.Dir, catalog.FileName(3)), path)
	s.looks(3)
}

// refuses2 is refuses for a node without a shelf.
func (s *scene) refuses2(key string) {
	s.Helper()
	if _, err := s.node.Look(s.Context()); err == nil || s.node.Status().Trouble == nil || s.node.Status().Trouble.Key != key {
		s.Fatalf("%v, want %s", err, key)
	}
}

func TestAFolderIsWatched(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	other, err := remessa.NewKeys()
	s.must(err)
	s.shelf = nil
	s.node = s.replica(&replica.Local{Path: s.origin.Dir, Check: s.check})
	s.refuses2("snapshot.none")
	s.publish(1)
	s.publish(2)
	s.looks(2)
	broken := filepath.Join(s.origin.Dir, "catalogo-000003.sqlite")
	s.put(s.copyOf(s.build(t.TempDir(), 3, s.keys), func(b []byte) []byte { return b[:len(b)-1000] }), broken)
	s.refuses2("snapshot.truncated")
	s.shows(2)
	s.put(s.build(t.TempDir(), 3, other), broken)
	s.refuses2("snapshot.signature")
	s.shows(2)
	s.put(s.copyOf(s.build(t.TempDir(), 3, s.keys), func(b []byte) []byte { b[63] = 1; return b }), broken)
	s.refuses2("snapshot.version")
	s.shows(2)
	s.must(os.Remove(broken))
	s.looks(2)
	s.publish(4)
	s.looks(4)
	s.must(os.WriteFile(filepath.Join(s.origin.Dir, "leia-me.txt"), []byte("x"), 0o600))
	s.looks(4)
}

// However often the snapshot changes under them, readers never find none, and
// never an earlier one.
func TestReadersAreNeverDropped(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.publish(1)
	s.looks(1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var running sync.WaitGroup
	running.Go(func() { s.node.Run(ctx) })
	var reads atomic.Int64
	for range 3 {
		running.Go(func() {
			for last := int64(1); ctx.Err() == nil; reads.Add(1) {
				c, release, ok := s.holder.Acquire()
				if !ok {
					t.Error("nothing is shown")
					return
				}
				_, err := c.Search(context.Background(), catalog.Search{Text: "x"})
				if number := c.Publication().Number; err != nil || number < last {
					t.Errorf("publication %d after %d: %v", number, last, err)
				} else {
					last = number
				}
				release()
			}
		})
	}
	for number := int64(2); number <= 6; number++ {
		s.publish(number)
		for s.node.Status().Shown < number && ctx.Err() == nil {
			if _, err := s.node.Look(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	stop()
	running.Wait()
	if reads.Load() == 0 {
		t.Error("nobody read")
	}
}

// What is derived from a snapshot may take long; neither the next publication
// nor the end of the program waits for it.
func TestNothingWaitsForThePreparation(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	begun, finish := make(chan int64, 10), make(chan struct{})
	defer close(finish)
	source, err := replica.NewRemote(s.server.URL, s.shelf, replica.RemoteOptions{Check: s.check, Clock: s.clock})
	s.must(err)
	node := replica.New(replica.Options{Source: source, Holder: s.holder, Clock: s.clock, Check: s.check, Shelf: s.shelf, Poll: 1,
		Prepare: func(context.Context) error {
			begun <- 1
			<-finish
			return nil
		}})
	s.publish(1)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		node.Run(ctx)
		close(ended)
	}()
	<-begun
	s.publish(2)
	for node.Status().Shown < 2 {
		runtime.Gosched()
	}
	stop()
	<-ended
	if len(begun) != 0 {
		t.Error("two preparations at once")
	}
}
