//go:build race

package cycletest_test

// The race detector makes SQLite ten times slower, and what it looks for does
// not depend on which call fails.
const (
	stories   = 2
	callsStep = 7
)
