//go:build !race

package cycletest_test

const (
	stories   = 12 // of each engine, in a usual run
	callsStep = 1  // every call fails once
)
