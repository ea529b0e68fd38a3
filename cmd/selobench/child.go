package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
)

// children are the parts that run in a process of their own, so that the memory
// measured is theirs alone. Each reads its settings from standard input as JSON
// and writes its result to standard output as JSON.
var children = map[string]func(ctx context.Context, settings []byte) (any, error){
	"make":    child(makeBundles),
	"process": child(processBundle),
	"floor":   child(insertBare),
	"publish": child(publish),
	"search":  child(searchInProcess),
	"queries": child(makeQueries),
	"client":  child(askServer),
	"empty":   child(serveNothing),
}

// child adapts a part to plain bytes.
func child[S, R any](part func(context.Context, S) (R, error)) func(context.Context, []byte) (any, error) {
	return func(ctx context.Context, raw []byte) (any, error) {
		var settings S
		if err := json.Unmarshal(raw, &settings); err != nil {
			return nil, fmt.Errorf("read settings: %w", err)
		}
		return part(ctx, settings)
	}
}

// runChild is the whole of a child process.
func runChild(ctx context.Context, name string) error {
	part, ok := children[name]
	if !ok {
		return fmt.Errorf("no part %q", name)
	}
	var settings json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&settings); err != nil {
		return fmt.Errorf("read settings of %s: %w", name, err)
	}
	result, err := part(ctx, settings)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// profileVar names the folder for CPU profiles to the children; empty means none.
const profileVar = "SELOBENCH_PROFILE"

// profiled runs what is measured, under a CPU profile when one was asked for.
func profiled(name string, measured func() error) error {
	dir := os.Getenv(profileVar)
	if dir == "" {
		return measured()
	}
	f, err := os.Create(filepath.Join(dir, name+".prof")) //nolint:gosec // the person names the folder
	if err != nil {
		return fmt.Errorf("make profile: %w", err)
	}
	defer func() { _ = f.Close() }() // a lost profile is no wrong measure
	if err := pprof.StartCPUProfile(f); err != nil {
		return fmt.Errorf("start profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	return measured()
}

// call runs a part in a child process and gives its result.
func call[R any](ctx context.Context, name string, settings any) (result R, err error) {
	cmd, err := childCommand(ctx, name)
	if err != nil {
		return result, err
	}
	in, err := json.Marshal(settings)
	if err != nil {
		return result, fmt.Errorf("encode settings of %s: %w", name, err)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return result, fmt.Errorf("start %s: %w", name, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return result, fmt.Errorf("start %s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return result, fmt.Errorf("start %s: %w", name, err)
	}
	_, writeErr := stdin.Write(in)
	_ = stdin.Close() // the settings are complete; a child that died says so itself
	decodeErr := json.NewDecoder(stdout).Decode(&result)
	if err := cmd.Wait(); err != nil {
		return result, fmt.Errorf("part %s: %w", name, err)
	}
	if writeErr != nil {
		return result, fmt.Errorf("part %s: %w", name, writeErr)
	}
	if decodeErr != nil {
		return result, fmt.Errorf("read result of %s: %w", name, decodeErr)
	}
	return result, nil
}

func childCommand(ctx context.Context, name string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "child", name) //nolint:gosec // this program itself
	cmd.Stderr = os.Stderr
	return cmd, nil
}
