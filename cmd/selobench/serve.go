package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// patience is how long a program may take to become ready.
const patience = 5 * time.Minute

// buildSelo builds the program as it is shipped.
func buildSelo(ctx context.Context, root, into string) (path string, size int64, err error) {
	path = filepath.Join(into, "selo")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/selo") //nolint:gosec // fixed but for our own folder
	cmd.Dir, cmd.Stderr = root, os.Stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := cmd.Run(); err != nil {
		return "", 0, fmt.Errorf("build selo: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, fmt.Errorf("build selo: %w", err)
	}
	return path, info.Size(), nil
}

// server is a program that answers HTTP.
type server struct {
	cmd   *exec.Cmd
	addr  string
	stdin io.Closer // its end stops what has no signals for that
	said  *bytes.Buffer
	ready time.Duration // from its start to its first good answer
}

// startSelo starts `selo serve` on a base and waits until it answers /pronto.
func startSelo(ctx context.Context, program string, b base) (*server, error) {
	return startProgram(ctx, program, b.Dir, "serve", "--data", b.Dir, "--database", b.Database)
}

// startProgram starts a command of selo that serves without limit, and waits
// until it answers /pronto. What it leaves goes with the folder.
func startProgram(ctx context.Context, program, dir string, args ...string) (*server, error) {
	addr, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	return startAt(ctx, program, addr, "/pronto", []string{"TMPDIR=" + dir}, append(args, "--rate", "0")...)
}

// startAt starts a command of selo at an address, with more variables of the
// environment, and waits until a path answers.
func startAt(ctx context.Context, program, addr, path string, env []string, args ...string) (*server, error) {
	s := &server{addr: addr, said: &bytes.Buffer{}}
	s.cmd = exec.CommandContext(ctx, program, append(args, "--addr", addr)...) //nolint:gosec // built here
	s.cmd.Stdout, s.cmd.Stderr = s.said, s.said
	s.cmd.Env = append(os.Environ(), env...)
	start := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start selo: %w", err)
	}
	for {
		if ready(ctx, "http://"+addr+path) {
			s.ready = time.Since(start)
			return s, nil
		}
		if time.Since(start) > patience || ctx.Err() != nil {
			return nil, fmt.Errorf("selo %s did not become ready: %w: %s", args[0], s.stop(), s.said)
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

func ready(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false // not listening yet
	}
	_ = response.Body.Close() // the status is all
	return response.StatusCode == http.StatusOK
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// startEmpty starts a server whose handler does nothing.
func startEmpty(ctx context.Context) (*server, error) {
	cmd, err := childCommand(ctx, "empty")
	if err != nil {
		return nil, err
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start empty server: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start empty server: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start empty server: %w", err)
	}
	s := &server{cmd: cmd, stdin: stdin}
	if _, err := io.WriteString(stdin, "{}\n"); err != nil {
		return nil, errors.Join(fmt.Errorf("start empty server: %w", err), s.stop())
	}
	if err := json.NewDecoder(stdout).Decode(&s.addr); err != nil {
		return nil, errors.Join(fmt.Errorf("start empty server: %w", err), s.stop())
	}
	return s, nil
}

// kill ends the server without asking: what it has under way does not count.
func (s *server) kill() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill %s: %w", s.addr, err)
	}
	_ = s.cmd.Wait() // it was killed, as that says
	return nil
}

// settle waits until the server, asked nothing, has hardly anything to do, and
// gives the processor time that took, in seconds, and the time since its start.
func (s *server) settle(ctx context.Context) (spent float64, took time.Duration, err error) {
	pid := strconv.Itoa(s.cmd.Process.Pid)
	start := time.Now()
	for quiet := 0; quiet < 3 && time.Since(start) < patience; {
		before := processorTime(pid)
		if err := pause(ctx, time.Second); err != nil {
			return 0, 0, err
		}
		if processorTime(pid)-before < 0.05 {
			quiet++
		} else {
			quiet, took = 0, s.ready+time.Since(start)
		}
	}
	return processorTime(pid), max(took, s.ready), nil
}

// memory is what the server holds now and held at its worst.
func (s *server) memory() residence { return processMemory(strconv.Itoa(s.cmd.Process.Pid)) }

// stop asks the server to end and waits for it.
func (s *server) stop() error {
	if s.stdin != nil {
		_ = s.stdin.Close() // the empty server ends at that
	} else if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		_ = s.cmd.Process.Kill() // systems without that signal
	}
	return s.cmd.Wait()
}

// freeAddress finds a port that is free now.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// demoOnce is the time of `selo demo --once`: the whole cycle.
func demoOnce(ctx context.Context, program string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, program, "demo", "--once")
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("selo demo --once: %w: %s", err, out)
	}
	return time.Since(start), nil
}

// demoReady is the time from the start of `selo demo` to the addresses it prints
// once everything is filled and answers.
func demoReady(ctx context.Context, program, dir string) (took time.Duration, err error) {
	addr, err := freeAddress(ctx)
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, program, "demo", "--addr", addr, "--data", filepath.Join(dir, "demo")) //nolint:gosec // built here
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, fmt.Errorf("start selo demo: %w", err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start selo demo: %w", err)
	}
	last := "/api/openapi.json"
	end := sync.OnceFunc(func() { _ = cmd.Process.Signal(os.Interrupt) }) // it may have ended already
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if took == 0 && strings.Contains(lines.Text(), last) {
			took = time.Since(start)
			end()
		}
	}
	if err := cmd.Wait(); err != nil && took == 0 {
		return 0, fmt.Errorf("selo demo: %w", err)
	}
	if took == 0 {
		return 0, errors.New("selo demo ended without printing its addresses")
	}
	return took, nil
}
