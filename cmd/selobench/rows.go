package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// The targets; docs/performance.md says what each means.
const (
	maxBinary       = 45_000_000 // bytes
	maxDemo         = 10 * time.Second
	minSQLite       = 20_000 // products a second
	minPostgres     = 10_000
	maxFull         = 30 * time.Second // for 10⁶ products
	maxUpdate       = 2 * time.Second
	maxStart        = time.Second
	maxResident     = 150_000_000 // bytes
	minLookUp       = 0.5         // of the empty handler's throughput
	maxSearch       = 50 * time.Millisecond
	maxSearchRatio  = 2.0 // of the bare query's time
	maxMemoryGrowth = 1.5 // of the worst to when half was processed
	large           = 1_000_000
)

// add keeps a row, and shows it at once: the table comes late.
func (b *bench) add(r row) {
	b.rows = append(b.rows, r)
	line := "  " + r.What + ": " + r.Measured
	if r.Floor != "" {
		line += "; floor " + r.Floor + "; ratio " + r.Ratio
	}
	b.say.Line(line)
}

// programRows are those of the program itself; it is built in any case.
func (b *bench) programRows(ctx context.Context) error {
	b.step("building selo")
	program, size, err := buildSelo(ctx, b.root, b.temp)
	if err != nil {
		return err
	}
	b.program = program
	if b.wants("binary") {
		b.add(row{What: "binary", Target: "≤ 45 MB", Measured: megabytes(size), Met: judge(size <= maxBinary), Why: whyBinary})
	}
	if !b.wants("demo") {
		return nil
	}
	b.step("selo demo")
	once, err := demoOnce(ctx, program)
	if err != nil {
		return err
	}
	took, err := demoReady(ctx, program, b.temp)
	if err != nil {
		return err
	}
	b.add(row{What: "`selo demo` ready", Target: "≤ 10 s", Measured: seconds(took.Seconds()), Met: judge(took <= maxDemo)})
	b.add(row{What: "`selo demo --once`, whole", Measured: seconds(once.Seconds()), Met: noted})
	return nil
}

// baseRows makes one base and measures everything on it.
func (b *bench) baseRows(ctx context.Context, engine string, products int) (err error) {
	name := fmt.Sprintf("%s, %s", map[string]string{"sqlite": "SQLite", "postgres": "PostgreSQL"}[engine], grouped(int64(products)))
	dir := filepath.Join(b.temp, engine+strconv.Itoa(products))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	at := base{Dir: dir, Database: "sqlite:" + filepath.Join(dir, "registro.db"), Products: products, Changes: min(10_000, products/10)}
	floor := "sqlite:" + filepath.Join(dir, "piso.db")
	if engine == "postgres" {
		defer func() { err = errors.Join(err, b.postgres.clear(context.WithoutCancel(ctx))) }()
		if at.Database, err = b.postgres.database(ctx); err != nil {
			return err
		}
		if floor, err = b.postgres.database(ctx); err != nil {
			return err
		}
	}
	b.step("%s: making bundles", name)
	if _, err := call[made](ctx, "make", at); err != nil {
		return err
	}
	b.step("%s: remessa", name)
	p, err := call[processed](ctx, "process", remessaOf{at, 1})
	if err != nil {
		return err
	}
	if b.wants("remessa") {
		bareResult, err := call[bare](ctx, "floor", bareInto{at.Database, floor})
		if err != nil {
			return err
		}
		b.remessaRow(name, engine, products, p, bareResult)
		b.memoryRow(name, p)
	}
	if b.wants("publication", "start", "lookup", "search", "page", "node", "signin") {
		err = b.publicRows(ctx, name, engine, at)
	}
	return err
}

func (b *bench) remessaRow(name, engine string, products int, p processed, floor bare) {
	rate, bareRate := float64(products)/p.Process, float64(products)/floor.Seconds
	target, why := minSQLite, whyRemessaSQLite
	if engine == "postgres" {
		target, why = minPostgres, whyRemessaPostgres
	}
	b.add(row{What: "remessa: validated, applied, logged", Base: name, Target: fmt.Sprintf("≥ %s products/s", grouped(int64(target))),
		Measured: fmt.Sprintf("%s/s: %.1f s, %.1f s of processor", grouped(int64(rate)), p.Process, p.CPU), Floor: grouped(int64(bareRate)) + "/s, rows alone", Ratio: ratio(rate / bareRate),
		Met: judge(rate >= float64(target)), Why: why})
	b.add(row{What: "remessa: checked at the door and kept", Base: name, Measured: grouped(int64(float64(products)/p.Deliver)) + "/s", Met: noted})
}

// memoryRow tells whether memory grows with what is processed: it is taken when half
// is done, and at its worst.
func (b *bench) memoryRow(name string, p processed) {
	if p.Early == 0 {
		return
	}
	growth := float64(p.Peak.Resident) / float64(p.Early)
	r := row{What: "remessa: memory at half → at its worst", Base: name, Ratio: ratio(growth), Met: noted,
		Measured: fmt.Sprintf("%s → %s, heap %s", megabytes(p.Early), megabytes(p.Peak.Resident), megabytes(p.Peak.Heap))}
	if p.Revisions > large { // a small one is over before anything settles
		r.Target, r.Met, r.Why = "flat: ≤ 1.5 of half way", judge(growth <= maxMemoryGrowth), whyMemory
	}
	b.add(r)
}

// publicRows measures publishing, starting and answering on a filled base.
func (b *bench) publicRows(ctx context.Context, name, engine string, at base) error {
	b.step("%s: publication", name)
	p, err := call[published](ctx, "publish", at)
	if err != nil {
		return err
	}
	if b.wants("publication") {
		b.publicationRows(name, at, p)
	}
	sameElsewhere := engine != "sqlite" && len(b.engines) > 1 // the snapshot is the same whatever the base
	if b.wants("start", "lookup", "search", "page") {
		if err := b.serveRows(ctx, name, at, sameElsewhere); err != nil {
			return err
		}
	}
	if b.wants("node") && !sameElsewhere {
		if err := b.nodeRows(ctx, at); err != nil {
			return err
		}
	}
	if b.wants("signin") && at.Products == b.sizes[0] { // what the base holds does not matter to it
		return b.signInRows(ctx, name, at, engine != b.engines[0])
	}
	return nil
}

// serveRows measures `selo serve` on a published base; its answers only where
// they are not measured elsewhere.
func (b *bench) serveRows(ctx context.Context, name string, at base, startOnly bool) error {
	b.step("%s: selo serve", name)
	starts := []time.Duration{}
	for range 2 { // a cold program and a warm one; the third goes on below
		s, err := startSelo(ctx, b.program, at)
		if err != nil {
			return err
		}
		starts = append(starts, s.ready)
		if err := s.kill(); err != nil {
			return err
		}
	}
	s, err := startSelo(ctx, b.program, at)
	if err != nil {
		return err
	}
	starts = append(starts, s.ready)
	slices.Sort(starts)
	if b.wants("start") {
		b.startRow(name, starts[1], s.memory())
	}
	if startOnly {
		return s.kill()
	}
	if err := b.quietRow(ctx, name, s); err != nil {
		return errors.Join(err, s.kill())
	}
	return errors.Join(b.answerRows(ctx, at, s), s.stop())
}

// quietRow waits until the server has done what it does after its start.
func (b *bench) quietRow(ctx context.Context, name string, s *server) error {
	b.step("%s: waiting until selo serve is quiet", name)
	cpu, took, err := s.settle(ctx)
	if err != nil || !b.wants("start") {
		return err
	}
	b.add(row{What: "`selo serve` quiet: open data files made", Base: name, Met: noted,
		Measured: fmt.Sprintf("%s; %s at its worst", spent(took.Seconds(), cpu), megabytes(s.memory().Peak))})
	return nil
}

func (b *bench) publicationRows(name string, at base, p published) {
	full := row{What: "publication, whole", Base: name, Measured: spent(p.Full, p.FullCPU), Floor: seconds(p.FullBare) + ", rows alone",
		Ratio: ratio(p.Full / p.FullBare), Met: noted}
	update := row{What: fmt.Sprintf("publication of %s changed products", grouped(int64(at.Changes))), Base: name, Measured: spent(p.Update, p.UpdateCPU),
		Floor: seconds(p.UpdateBare) + ", file copied", Ratio: ratio(p.Update / p.UpdateBare), Met: noted}
	if at.Products >= large {
		full.Target, full.Met, full.Why = "≤ 30 s", judge(p.Full <= maxFull.Seconds()), whyFull
		update.Target, update.Met, update.Why = "≤ 2 s", judge(p.Update <= maxUpdate.Seconds()), whyUpdate
	}
	b.add(full)
	b.add(row{What: fmt.Sprintf("remessa of %s changed products", grouped(int64(at.Changes))), Base: name, Met: noted,
		Measured: grouped(int64(float64(at.Changes)/p.Changed.Process)) + "/s"})
	b.add(update)
	b.add(row{What: "publication: memory, snapshot", Base: name, Met: noted,
		Measured: fmt.Sprintf("%s whole, %s after a change; file %s", megabytes(p.FullPeak.Resident), megabytes(p.UpdatePeak.Resident), megabytes(p.Bytes))})
}

func (b *bench) startRow(name string, took time.Duration, r residence) {
	b.add(row{What: "`selo serve` answers `/pronto`", Base: name, Target: "≤ 1 s", Measured: seconds(took.Seconds()), Met: judge(took <= maxStart), Why: whyStart})
	b.add(residentRow("`selo serve` in memory, started", name, r))
}

// residentRow tells what a process holds, held against the target.
func residentRow(what, name string, r residence) row {
	verdict := judge(r.Now <= maxResident)
	if r.Now == 0 {
		verdict = noted
	}
	return row{What: what, Base: name, Target: "≤ 150 MB", Met: verdict, Why: whyResident,
		Measured: fmt.Sprintf("%s, %s its own; %s at its worst", megabytes(r.Now), megabytes(r.Own), megabytes(r.Peak))}
}
