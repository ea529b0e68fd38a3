package catalog

import "sync"

// Holder keeps the current catalog of a process. Readers that began on an old
// snapshot finish on it; it closes after the last of them. The zero value
// holds none.
type Holder struct {
	mu      sync.Mutex
	current *Catalog
}

// Acquire returns the current catalog and the call that gives it back, which
// must happen once; nil, nil and false when there is none yet.
func (h *Holder) Acquire() (c *Catalog, release func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == nil {
		return nil, nil, false
	}
	c = h.current
	c.mu.Lock()
	c.readers++
	c.mu.Unlock()
	return c, sync.OnceFunc(c.release), true
}

// Swap makes next the current catalog; nil holds none. The old one closes when
// its last reader is done, at once when there is none.
func (h *Holder) Swap(next *Catalog) {
	h.mu.Lock()
	old := h.current
	h.current = next
	h.mu.Unlock()
	if old == nil || old == next {
		return
	}
	old.mu.Lock()
	old.retired = true
	idle := old.readers == 0
	old.mu.Unlock()
	if idle {
		_ = old.Close() // read-only: nothing can be lost
	}
}

// release ends one reader.
func (c *Catalog) release() {
	c.mu.Lock()
	c.readers--
	last := c.retired && c.readers == 0
	c.mu.Unlock()
	if last {
		_ = c.Close() // read-only: nothing can be lost
	}
}
