//go:build faulttest

package store_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"selo/store"
)

// victimEnv names the base that this test binary, run again, works on.
const victimEnv = "SELO_TEST_VICTIM"

// TestFaultKillPoints dies before each call of two transactions and finds every time
// either all of a transaction or nothing of it.
func TestFaultKillPoints(t *testing.T) {
	if url := os.Getenv(victimEnv); url != "" {
		victim(t, url)
		return
	}
	t.Parallel()
	dir := t.TempDir()
	calls := filepath.Join(dir, "calls")
	if out, err := again(t, filepath.Join(dir, "whole"), "SELO_KILL_COUNT_FILE="+calls); err != nil {
		t.Fatalf("undisturbed run: %v\n%s", err, out)
	}
	text, err := os.ReadFile(calls)
	must(t, err)
	total, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(t, err)
	if total != 8 {
		t.Fatalf("%d calls, want 8", total)
	}
	for at := 1; at <= total; at++ {
		path := filepath.Join(dir, fmt.Sprint("killed", at))
		if out, err := again(t, path, fmt.Sprint("SELO_KILL_AT=", at)); err == nil {
			t.Fatalf("call %d: the process lived\n%s", at, out)
		}
		// Killed before call 1 to 4 nothing is kept, before 5 to 8 the first transaction.
		want := (at - 1) / 4 * 2
		db, err := store.Open(t.Context(), "sqlite:"+path, store.Options{ReadOnly: true})
		must(t, err)
		if n := countModels(t, db); n != want {
			t.Errorf("killed at %d: %d rows, want %d", at, n, want)
		}
		must(t, db.Close())
	}
}

func again(t *testing.T, path string, env string) ([]byte, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaultKillPoints$")
	cmd.Env = append(os.Environ(), victimEnv+"=sqlite:"+path, env)
	return cmd.CombinedOutput()
}

func victim(t *testing.T, url string) {
	db, err := store.Open(t.Context(), url, store.Options{Migrations: []store.MigrationSet{counterSet}})
	must(t, err)
	for i := range 2 {
		must(t, db.Write(t.Context(), func(tx *store.Tx) error {
			must(t, insertModel(t.Context(), tx, 2*i, "a", fmt.Sprint(2*i)))
			return insertModel(t.Context(), tx, 2*i+1, "a", fmt.Sprint(2*i+1))
		}))
	}
	must(t, db.Close())
}
