// Package verify re-derives every invariant of the three bases from the bytes
// that are stored: chains, ledger, publications, bundles and their signatures,
// remessas and their traces, the business rules that must hold for ever, the
// body's own base and the public snapshot.
//
// It shares no code with the rooms that write those bytes: it reads plain rows,
// hashes them by RFC 6962 as written here, decodes JSON into structs of its own
// and checks signatures with the standard library. A mistake in the write path
// is therefore not repeated in the check; a test proves that it stays so.
//
// It promises to change nothing, to look at one unchanging picture of a base
// while others go on writing, and to need memory that does not grow with the
// base: the largest single certificate and a page of rows bound it.
//
// It repairs nothing. A finding says what does not agree; what to do about it
// is for people to decide.
package verify

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"selo/fault"
	"selo/store"
)

// Finding is one invariant that does not hold.
type Finding struct {
	Code    string     `json:"codigo"`  // message key: "verify.content.hash"
	Subject string     `json:"assunto"` // what it is about: "remessa CCB/42"
	Args    fault.Args `json:"argumentos,omitempty"`
}

// Check is one group of invariants and what came of it.
type Check struct {
	Name     string    `json:"nome"`        // message key: "verify.check.content"
	Checked  int64     `json:"verificados"` // things looked at
	Skipped  int64     `json:"sem_como_verificar,omitempty"`
	Total    int64     `json:"total"` // findings, those that are not kept too
	Findings []Finding `json:"achados"`

	keep int
}

// Report is the outcome of a verification.
type Report struct {
	Checks []*Check `json:"verificacoes"`
}

// Total is the number of findings of all checks; 0 is a sound base.
func (r Report) Total() int64 {
	var n int64
	for _, c := range r.Checks {
		n += c.Total
	}
	return n
}

// Checked is the number of things looked at.
func (r Report) Checked() int64 {
	var n int64
	for _, c := range r.Checks {
		n += c.Checked
	}
	return n
}

// Options of a verification. The zero value is usable.
type Options struct {
	// Key is the registry's public signing key; without it the signatures of
	// checkpoints and releases are looked at for form only, and counted as Skipped.
	Key ed25519.PublicKey
	// Schema is the PostgreSQL schema of the base, as in store.Options.
	Schema string
	// Outbox is the folder of the bundles of a body; empty: the waiting one is not looked at.
	Outbox string
	// Keep is how many findings of each check are kept; zero is 100. All are counted.
	Keep int
	// Progress, when set, is told how many rows of how many are done.
	Progress func(done, total int64)
}

// defaultKeep bounds the memory of a report on a base where nothing is right.
const defaultKeep = 100

// find records a finding; args are pairs of place and value.
func (c *Check) find(code, subject string, args ...string) {
	c.Total++
	if len(c.Findings) < c.keep {
		c.Findings = append(c.Findings, Finding{Code: code, Subject: excerpt(subject), Args: fault.Pairs(args...)})
	}
}

// run is one verification at work on one transaction.
type run struct {
	ctx    context.Context // of the call: a run does not outlive it
	tx     *store.Tx
	opts   Options
	report *Report
	done   int64
	total  int64
}

// check adds a group of invariants to the report.
func (r *run) check(name string) *Check {
	keep := r.opts.Keep
	if keep == 0 {
		keep = defaultKeep
	}
	c := &Check{Name: "verify.check." + name, Findings: []Finding{}, keep: keep}
	r.report.Checks = append(r.report.Checks, c)
	return c
}

// progressStep is how many rows are done between two calls of Progress.
const progressStep = 1000

// advance counts rows for Progress.
func (r *run) advance(n int64) {
	before := r.done
	r.done += n
	if r.opts.Progress != nil && before/progressStep != r.done/progressStep {
		r.opts.Progress(r.done, max(r.done, r.total))
	}
}

// finish tells Progress that all is done.
func (r *run) finish() {
	if r.opts.Progress != nil {
		r.opts.Progress(r.done, r.done)
	}
}

// open runs steps on one unchanging picture of the base at url.
func open(ctx context.Context, url string, opts Options, steps func(r *run) error) (Report, error) {
	var report Report
	db, err := store.Open(ctx, url, store.Options{ReadOnly: true, Schema: opts.Schema})
	if err != nil {
		return report, err
	}
	defer func() { _ = db.Close() }() // read only: nothing to lose
	err = db.Read(ctx, func(tx *store.Tx) error {
		report = Report{}
		r := &run{ctx: ctx, tx: tx, opts: opts, report: &report}
		if err := steps(r); err != nil {
			return err
		}
		r.finish()
		return nil
	})
	if err != nil {
		return report, fmt.Errorf("verify base %s: %w", db.Name(), err)
	}
	return report, nil
}

// errEnough ends a query before its last row.
var errEnough = errors.New("enough rows")

// each runs a query and hands every row to fn, which may end it with errEnough.
func (r *run) each(fn func(row *store.Rows) error, query string, args ...any) error {
	rows, err := r.tx.Query(r.ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// pages runs a query that ends in LIMIT ? again and again: next gives the binds
// that continue after the last row, fn is told each row and may end a page
// early with errEnough, after is called between pages, when the transaction is free.
func (r *run) pages(size int, query string, next func() []any, fn func(row *store.Rows) error, after func() error) error {
	for {
		n, cut := 0, false
		err := r.each(func(row *store.Rows) error {
			n++
			return fn(row)
		}, query, append(next(), size)...)
		if errors.Is(err, errEnough) {
			cut, err = true, nil
		}
		if err != nil {
			return err
		}
		if after != nil {
			if err := after(); err != nil {
				return err
			}
		}
		if n < size && !cut {
			return nil
		}
	}
}

// count runs a query that gives one number.
func (r *run) count(query string, args ...any) (n int64, err error) {
	err = r.tx.QueryRow(r.ctx, query, args...).Scan(&n)
	return n, err
}
