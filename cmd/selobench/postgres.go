package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
)

// postgres is the server under measure.
type postgres struct {
	url    string
	script string   // ends the server, when this run started it
	made   []string // databases to drop
}

// startPostgres takes the server that SELO_BENCH_POSTGRES names, or starts one
// that writes to the disk for real (scripts/postgres.sh).
func startPostgres(ctx context.Context, root string) (*postgres, error) {
	if url := os.Getenv("SELO_BENCH_POSTGRES"); url != "" {
		return &postgres{url: url}, nil
	}
	script := filepath.Join(root, "scripts", "postgres.sh")
	p := &postgres{script: script}
	if out, err := runScript(ctx, script, "url"); err == nil {
		p.script, p.url = "", out // somebody's: it goes on
		return p, nil
	}
	out, err := runScript(ctx, script, "start")
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	p.url = out
	return p, nil
}

func runScript(ctx context.Context, script, command string) (string, error) {
	cmd := exec.CommandContext(ctx, script, command) //nolint:gosec // our own script
	cmd.Env = append(os.Environ(), "SELO_POSTGRES_FSYNC=on")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", filepath.Base(script), command, err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// database makes an empty database and gives its URL.
func (p *postgres) database(ctx context.Context) (string, error) {
	name := "selobench_" + strings.ToLower(rand.Text())
	if err := p.exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", err
	}
	p.made = append(p.made, name)
	u, err := url.Parse(p.url)
	if err != nil {
		return "", fmt.Errorf("read URL of PostgreSQL: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// clear drops the databases made so far.
func (p *postgres) clear(ctx context.Context) error {
	var errs []error
	for _, name := range p.made {
		errs = append(errs, p.exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"))
	}
	p.made = nil
	return errors.Join(errs...)
}

func (p *postgres) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, p.url)
	if err != nil {
		return fmt.Errorf("reach PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }() // the statement told
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%.60s: %w", statement, err)
	}
	return nil
}

// stop drops what was made, also after an interrupt, and ends a server that this run started.
func (p *postgres) stop() error {
	ctx := context.Background()
	err := p.clear(ctx)
	if p.script == "" {
		return err
	}
	_, stopErr := runScript(ctx, p.script, "stop")
	return errors.Join(err, stopErr)
}
