package govbr

import (
	"sync"
	"time"

	"selo/clock"
)

// breaker leaves a service alone after trip failures in a row. When rest has
// passed, one request tries; its outcome decides for all. It is safe for
// concurrent use.
//
// It is our own because it is shorter than the use of a library, and takes the
// time from a clock.Clock.
type breaker struct {
	clock clock.Clock
	trip  int
	rest  time.Duration

	mu      sync.Mutex
	failed  int       // in a row
	until   time.Time // closed to all before then
	probing bool      // one request tries
}

// outcome is what a request says of the health of its service.
type outcome int

const (
	healthy outcome = iota // it answered, whatever it said
	sick                   // it gave no answer, or 5xx
	unknown                // the caller went away first
)

// enter asks whether a request may go out; if not, how long to wait.
func (b *breaker) enter() (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed < b.trip {
		return 0, true
	}
	if wait := b.until.Sub(b.clock.Now()); wait > 0 {
		return wait, false
	}
	if b.probing {
		return time.Second, false
	}
	b.probing = true
	return 0, true
}

// leave tells how the request ended. opened is true when it closed the way.
func (b *breaker) leave(o outcome) (opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	switch o {
	case healthy:
		b.failed = 0
	case sick:
		b.failed++
		if b.failed >= b.trip {
			opened = b.failed == b.trip
			b.until = b.clock.Now().Add(b.rest)
		}
	case unknown:
	}
	return opened
}
