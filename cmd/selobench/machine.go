package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// machine is where, when and how the numbers came about.
type machine struct {
	Processor string
	Memory    string
	System    string
	Postgres  string // its version and how it writes
	Load      string // of the last minute when the run began: others at work
	LoadEnd   string
	Commit    string
	Command   string
	At        time.Time
	Took      time.Duration
}

func thisMachine(ctx context.Context, root string) machine {
	m := machine{Processor: fmt.Sprintf("%s, %d cores", firstField("/proc/cpuinfo", "model name"), runtime.NumCPU()),
		Memory: firstField("/proc/meminfo", "MemTotal"), System: runtime.GOOS + "/" + runtime.GOARCH + ", " + runtime.Version(),
		Load: loadAverage(), At: time.Now(), Command: "go run ./cmd/selobench " + strings.Join(os.Args[1:], " "), Commit: "unknown"}
	var kib int64
	if _, err := fmt.Sscan(m.Memory, &kib); err == nil {
		m.Memory = fmt.Sprintf("%.0f GiB", float64(kib)/(1<<20))
	}
	cmd := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=10")
	cmd.Dir = root
	if out, err := cmd.Output(); err == nil {
		m.Commit = strings.TrimSpace(string(out))
	}
	return m
}

// asksPostgres notes which server is measured.
func (m *machine) asksPostgres(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("reach PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }() // only asked
	var version, fsync, synchronous, buffers string
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version'), current_setting('fsync'),
		current_setting('synchronous_commit'), current_setting('shared_buffers')`).Scan(&version, &fsync, &synchronous, &buffers)
	if err != nil {
		return fmt.Errorf("ask PostgreSQL for its settings: %w", err)
	}
	m.Postgres = fmt.Sprintf("PostgreSQL %s, fsync %s, synchronous_commit %s, shared_buffers %s", version, fsync, synchronous, buffers)
	return nil
}

func (m machine) facts() []string {
	facts := []string{
		"Machine: " + m.Processor + ", " + m.Memory + ", " + m.System,
		"Databases: SQLite in the program (WAL, synchronous=FULL)",
		fmt.Sprintf("Run: %s, commit %s, %s; load average %s at the start, %s at the end", m.At.UTC().Format("2006-01-02 15:04 MST"),
			m.Commit, m.Took.Round(time.Second), orDash(m.Load), orDash(m.LoadEnd)),
		"Command: `" + strings.TrimSpace(m.Command) + "`",
	}
	if m.Postgres != "" {
		facts[1] += "; " + m.Postgres
	}
	return facts
}

// firstField reads "name : value" out of a file of /proc.
func firstField(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer func() { _ = f.Close() }() // read only
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(data), " ")
	return first
}
