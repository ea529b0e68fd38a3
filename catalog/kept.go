package catalog

import (
	"context"
	"sync"
	"time"
)

// keptLimit is how long a kept answer may be worked on; over 200,000
// certificates none takes a second.
const keptLimit = time.Minute

// kept is an answer out of the whole snapshot that is worked out at its first
// question and then kept, for the last key asked for. The zero value is ready;
// it is safe for concurrent use.
type kept[K comparable, T any] struct {
	mu     sync.Mutex
	latest *working[K, T] // guarded by mu; under way or done
}

// working is one answer; value and err are set when done is closed.
type working[K comparable, T any] struct {
	key   K
	done  chan struct{}
	value T
	err   error
}

// get gives the answer for a key. Who asks while it is worked out waits for it;
// one who goes away does not stop it for the others. An error is not kept.
func (k *kept[K, T]) get(ctx context.Context, c *Catalog, key K, work func(context.Context) (T, error)) (T, error) {
	w := k.begin(ctx, c, key, work)
	select {
	case <-w.done:
		return w.value, w.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// begin returns the work on a key, which it starts when nobody has.
func (k *kept[K, T]) begin(ctx context.Context, c *Catalog, key K, work func(context.Context) (T, error)) *working[K, T] {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.latest != nil && k.latest.key == key {
		return k.latest
	}
	w := &working[K, T]{key: key, done: make(chan struct{})}
	k.latest = w
	c.mu.Lock()
	c.readers++ // the work goes on when its askers are gone
	c.mu.Unlock()
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), keptLimit)
	go func() {
		defer close(w.done)
		defer c.release()
		defer cancel()
		if w.value, w.err = work(own); w.err != nil {
			k.forget(w) // the next one asks anew
		}
	}()
	return w
}

func (k *kept[K, T]) forget(w *working[K, T]) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.latest == w {
		k.latest = nil
	}
}
