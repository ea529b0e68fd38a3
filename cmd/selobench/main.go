// Command selobench measures Selo against the targets of docs/performance.md
// and prints the table that is kept there. Every measure of speed stands beside
// its floor, taken in the same run on the same machine: what the database or
// the HTTP server can do when nothing of ours is on top.
//
//	go run ./cmd/selobench                        10⁴ and 10⁶ products, both databases
//	go run ./cmd/selobench --products 10000       the quick one
//	go run ./cmd/selobench --only search,lookup   some rows
//	go run ./cmd/selobench --markdown             also writes docs/performance.md
//
// It builds the program and measures that; it invents its data, works in a
// temporary folder and removes it. It is no test: nothing passes or fails by time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"selo/cmd/selo/term"
	"selo/locale"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "selobench:", err)
		os.Exit(1)
	}
}

// groups are what --only takes, in the order of measuring.
var groups = []string{"binary", "demo", "remessa", "publication", "start", "lookup", "search", "page", "node", "signin"}

// settings are the command line.
type settings struct {
	sizes    []int
	engines  []string
	only     []string
	markdown bool
	profile  string
}

func readFlags(args []string) (s settings, err error) {
	flags := flag.NewFlagSet("selobench", flag.ContinueOnError)
	products := flags.String("products", "10000,1000000", "sizes of the bases, in products")
	engines := flags.String("engines", "sqlite,postgres", "databases to measure on")
	only := flags.String("only", strings.Join(groups, ","), "rows to measure")
	flags.BoolVar(&s.markdown, "markdown", false, "write the table into docs/performance.md")
	flags.StringVar(&s.profile, "profile", "", "folder for CPU profiles of the measured parts")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	for _, text := range strings.Split(*products, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1000 {
			return s, fmt.Errorf("--products %s: whole numbers from 1000", *products)
		}
		s.sizes = append(s.sizes, n)
	}
	s.engines, s.only = strings.Split(*engines, ","), strings.Split(*only, ",")
	for _, e := range s.engines {
		if e != "sqlite" && e != "postgres" {
			return s, fmt.Errorf("--engines %s: sqlite, postgres", *engines)
		}
	}
	for _, g := range s.only {
		if !slices.Contains(groups, g) {
			return s, fmt.Errorf("--only %s: %s", *only, strings.Join(groups, ", "))
		}
	}
	if s.profile != "" {
		if s.profile, err = filepath.Abs(s.profile); err == nil {
			err = os.MkdirAll(s.profile, 0o750)
		}
	}
	return s, err
}

// bench is one run.
type bench struct {
	settings
	root     string // of the sources
	temp     string
	program  string // selo, built
	postgres *postgres
	machine  machine
	say      *term.Printer // what is going on
	rows     []row
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) == 2 && args[0] == "child" {
		return runChild(ctx, args[1])
	}
	s, err := readFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	b := &bench{settings: s, say: term.ForFile(os.Stderr, locale.EN, os.Getenv)}
	if b.root, err = sourceRoot(); err != nil {
		return err
	}
	if b.temp, err = os.MkdirTemp("", "selobench-"); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.temp)) }()
	if b.profile != "" {
		if err := os.Setenv(profileVar, b.profile); err != nil {
			return fmt.Errorf("ask for profiles: %w", err)
		}
	}
	b.machine = thisMachine(ctx, b.root)
	err = b.measure(ctx)
	b.machine.Took, b.machine.LoadEnd = time.Since(b.machine.At), loadAverage()
	writeTable(os.Stdout, b.machine, b.rows) // what was measured until an error too
	if err != nil || !b.markdown {
		return err
	}
	return rewriteDocument(filepath.Join(b.root, "docs", "performance.md"), b.machine, b.rows)
}

// sourceRoot is the folder of go.mod, here or above.
func sourceRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find sources: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("run it inside the sources: no go.mod here or above")
		}
		dir = parent
	}
}

func (b *bench) wants(group ...string) bool {
	return slices.ContainsFunc(group, func(g string) bool { return slices.Contains(b.only, g) })
}

func (b *bench) measure(ctx context.Context) (err error) {
	if b.wants("binary", "demo", "start", "lookup", "search", "page", "node", "signin") {
		if err := b.programRows(ctx); err != nil {
			return err
		}
	}
	if !b.wants("remessa", "publication", "start", "lookup", "search", "page", "node", "signin") {
		return nil
	}
	if slices.Contains(b.engines, "postgres") {
		if b.postgres, err = startPostgres(ctx, b.root); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.postgres.stop()) }()
		if err := b.machine.asksPostgres(ctx, b.postgres.url); err != nil {
			return err
		}
	}
	for _, engine := range b.engines {
		for _, products := range b.sizes {
			if err := b.baseRows(ctx, engine, products); err != nil {
				return fmt.Errorf("%s, %d products: %w", engine, products, err)
			}
		}
	}
	return nil
}

// step says what comes now.
func (b *bench) step(format string, args ...any) { b.say.Line("· " + fmt.Sprintf(format, args...)) }
