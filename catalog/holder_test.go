package catalog

import (
	"path/filepath"
	"sync"
	"testing"

	"selo/clock"
)

// Readers that hold an old snapshot go on with it; it closes after them.
func TestHolderSwapsUnderReaders(t *testing.T) {
	t.Parallel()
	src := shop(t)
	dir := t.TempDir()
	load := func(number int64) *Catalog {
		path := filepath.Join(dir, FileName(number))
		if err := Build(t.Context(), src, src.publication(number, publishedAt), path, Options{}); err != nil {
			t.Fatal(err)
		}
		c, err := Open(t.Context(), path, OpenOptions{Clock: clock.NewManual(publishedAt)})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	var h Holder
	if _, _, ok := h.Acquire(); ok {
		t.Fatal("an empty holder holds something")
	}
	var all []*Catalog
	for number := range int64(4) {
		all = append(all, load(number+1))
	}
	h.Swap(all[0])
	first, release, _ := h.Acquire()
	var readers sync.WaitGroup
	started := make(chan struct{}, 4)
	for range 4 {
		readers.Go(func() {
			last := int64(0)
			for i := range 50 {
				c, done, ok := h.Acquire()
				if !ok {
					t.Error("nothing held")
					return
				}
				page, err := c.Search(t.Context(), Search{Text: "fogao"})
				if err != nil || page.Publication != c.Publication().Number || page.Publication < last {
					t.Errorf("publication %v after %d: %v", page, last, err)
				}
				last = c.Publication().Number
				done()
				done() // giving back twice is giving back once
				if i == 0 {
					started <- struct{}{}
				}
			}
		})
	}
	for range 4 {
		<-started
	}
	for _, next := range all[1:] {
		h.Swap(next)
	}
	readers.Wait()
	if _, err := first.Search(t.Context(), Search{}); err != nil {
		t.Errorf("the first snapshot closed under its reader: %v", err)
	}
	release()
	for i, c := range all[:3] {
		if err := c.db.PingContext(t.Context()); err == nil {
			t.Errorf("snapshot %d is still open", i+1)
		}
	}
	h.Swap(nil)
	if err := all[3].db.PingContext(t.Context()); err == nil {
		t.Error("the last snapshot is still open")
	}
}
