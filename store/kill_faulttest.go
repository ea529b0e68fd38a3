//go:build faulttest

package store

import (
	"fmt"
	"os"
	"strconv"
	"sync"
)

// killer counts the database calls of all bases of the process.
//
// SELO_KILL_AT=n kills the process right before the n-th call, without a
// chance to clean up; migrations are not counted. SELO_KILL_COUNT_FILE=path keeps the number of calls so
// far in that file, so that a first run tells how many places there are to die.
var killer struct {
	once sync.Once
	mu   sync.Mutex
	n    int64
	at   int64
	file *os.File
}

func killPoint() {
	killer.once.Do(readKillEnv)
	killer.mu.Lock()
	defer killer.mu.Unlock()
	killer.n++
	if killer.file != nil {
		if _, err := killer.file.WriteAt(fmt.Appendf(nil, "%020d\n", killer.n), 0); err != nil {
			panic(fmt.Sprintf("store: write SELO_KILL_COUNT_FILE: %v", err))
		}
	}
	if killer.n == killer.at {
		p, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = p.Kill()
		}
		if err != nil {
			panic(fmt.Sprintf("store: kill own process: %v", err))
		}
		select {} // the signal is on its way
	}
}

// readKillEnv panics on a mistake: a fault test must not pass because of a typing error.
func readKillEnv() {
	if v := os.Getenv("SELO_KILL_AT"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			panic(fmt.Sprintf("store: SELO_KILL_AT: %v", err))
		}
		killer.at = n
	}
	if path := os.Getenv("SELO_KILL_COUNT_FILE"); path != "" {
		f, err := os.Create(path) //nolint:gosec // the test that starts the process names the file
		if err != nil {
			panic(fmt.Sprintf("store: SELO_KILL_COUNT_FILE: %v", err))
		}
		killer.file = f
	}
}
