// Package clock is the only room that reads the wall clock.
//
// Every other room receives a [Clock], so that tests choose the time and a
// transaction sees one moment only. Times are UTC; package brasil shows them
// in Brasília time.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time in UTC, to the microsecond (what both databases keep).
type Clock interface{ Now() time.Time }

// System is the machine's clock.
type System struct{}

// Now returns the present moment.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Manual is a clock that a test moves by hand. It is safe for concurrent use.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// NewManual returns a clock that stands still at t.
func NewManual(t time.Time) *Manual {
	return &Manual{now: t.UTC().Truncate(time.Microsecond)}
}

// Now returns the moment the clock stands at.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock by d.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}
