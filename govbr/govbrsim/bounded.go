package govbrsim

// bounded is a map that forgets its oldest entries beyond a limit. The zero
// value holds nothing; make one with newBounded. Its owner locks.
type bounded[V any] struct {
	limit   int
	entries map[string]V
	order   []string // oldest first; may name entries that are gone
}

func newBounded[V any](limit int) *bounded[V] {
	return &bounded[V]{limit: limit, entries: map[string]V{}}
}

func (b *bounded[V]) get(key string) (V, bool) {
	v, ok := b.entries[key]
	return v, ok
}

func (b *bounded[V]) put(key string, value V) {
	if _, there := b.entries[key]; !there {
		b.order = append(b.order, key)
	}
	b.entries[key] = value
	for len(b.entries) > b.limit {
		delete(b.entries, b.order[0])
		b.order = b.order[1:]
	}
	if len(b.order) > 2*b.limit+16 {
		kept, seen := make([]string, 0, len(b.entries)), map[string]bool{}
		for _, k := range b.order {
			if _, there := b.entries[k]; there && !seen[k] {
				kept, seen[k] = append(kept, k), true
			}
		}
		b.order = kept
	}
}

// take removes an entry and returns it.
func (b *bounded[V]) take(key string) (V, bool) {
	v, ok := b.entries[key]
	delete(b.entries, key)
	return v, ok
}

// drop removes the entries that match.
func (b *bounded[V]) drop(match func(V) bool) {
	for k, v := range b.entries {
		if match(v) {
			delete(b.entries, k)
		}
	}
}
