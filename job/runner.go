package job

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	mathrand "math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"selo/fault"
)

// Handler does one job. An error means: try again later. The context ends when
// the lease is lost or the program cannot wait any longer.
type Handler func(ctx context.Context, run *Run) error

// Run is one attempt at a job.
type Run struct {
	Claim
	completed atomic.Bool
}

// Decode reads the job's arguments into v. Arguments that do not fit give up.
func (r *Run) Decode(v any) error {
	if err := json.Unmarshal(r.Job.Args, v); err != nil {
		return fmt.Errorf("decode arguments of job %s %d: %w: %w", r.Job.Kind, r.ID, ErrGiveUp, err)
	}
	return nil
}

// Complete marks the job done in the handler's own transaction, so that its
// effects and its end commit together. It returns fault.Conflict
// "job.lease_lost" when another runner took the job: the transaction must
// then be left with that error.
func (r *Run) Complete(ctx context.Context, tx interface {
	CompleteJob(ctx context.Context, id ID, token string) error
}) error {
	r.completed.Store(true)
	return tx.CompleteJob(ctx, r.ID, r.Token)
}

// Options of [NewRunner]. Only Handlers is needed.
type Options struct {
	Handlers  map[string]Handler
	Schedules map[string]Schedule // kinds, among Handlers, that run by the clock
	// Workers is how many jobs [Runner.Run] does at a time; zero is 2.
	Workers int
	// Lease is how long a silent runner keeps a job; zero is 5 min. It is
	// renewed every third of it.
	Lease time.Duration
	// Poll is the longest wait between looks; zero is 1 s.
	Poll time.Duration
	// MaxAttempts is after how many the job is failed; zero is 12 (about 6 h).
	MaxAttempts int
	// Backoff is the wait after the n-th failed attempt; nil is [Backoff].
	Backoff func(attempt int) time.Duration
	// Grace is how long Run lets running handlers finish; zero is 30 s.
	Grace time.Duration
	// Log receives failed attempts; nil is slog.Default.
	Log *slog.Logger
}

// Runner claims jobs of one base and runs their handlers.
type Runner struct {
	db    DB
	o     Options
	kinds []string
	wake  chan struct{}

	mu      sync.Mutex
	working map[ID]bool
}

// NewRunner returns a runner that does nothing yet. It panics on a schedule
// without a handler and on a runner without handlers.
func NewRunner(db DB, o Options) *Runner {
	o.Workers = cmp.Or(o.Workers, 2)
	o.Lease = cmp.Or(o.Lease, 5*time.Minute)
	o.Poll = cmp.Or(o.Poll, time.Second)
	o.MaxAttempts = cmp.Or(o.MaxAttempts, 12)
	o.Grace = cmp.Or(o.Grace, 30*time.Second)
	if o.Backoff == nil {
		o.Backoff = Backoff
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	kinds := slices.Sorted(maps.Keys(o.Handlers))
	if len(kinds) == 0 {
		panic("job: runner without handlers")
	}
	for kind := range o.Schedules {
		if o.Handlers[kind] == nil {
			panic("job: schedule without handler: " + kind)
		}
	}
	return &Runner{db: db, o: o, kinds: kinds, wake: make(chan struct{}, 1), working: map[ID]bool{}}
}

// Backoff doubles from 10 s to 1 h, give or take a fifth.
func Backoff(attempt int) time.Duration {
	d := min(10*time.Second<<min(attempt-1, 10), time.Hour)
	return d*4/5 + mathrand.N(d*2/5) //nolint:gosec // spreads retries, keeps no secret
}

// Wake makes Run look at once. It never blocks.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default: // a look is already due
	}
}

// RunUntilIdle does what is due, one job after the other in the order of their
// time, until nothing is, and returns how many attempts it made. A failed
// attempt is recorded with its job, not returned.
func (r *Runner) RunUntilIdle(ctx context.Context) (int, error) {
	if err := r.enqueueSchedules(ctx); err != nil {
		return 0, err
	}
	for n := 0; ; n++ {
		claims, err := r.claim(ctx, 1)
		if err != nil {
			return n, err
		}
		if len(claims) == 0 {
			return n, nil
		}
		if err := r.work(ctx, claims[0]); err != nil {
			return n + 1, err
		}
	}
}

// Run does jobs until ctx ends, then lets the running ones finish within the
// grace time. It returns nil.
func (r *Runner) Run(ctx context.Context) error {
	workCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	scheduled := false
	for ctx.Err() == nil {
		if !scheduled {
			err := r.enqueueSchedules(ctx)
			scheduled = err == nil
			r.logError(ctx, "enqueue schedules", err)
		}
		free := r.o.Workers - len(r.current())
		var claims []Claim
		if free > 0 {
			var err error
			claims, err = r.claim(ctx, free)
			r.logError(ctx, "claim jobs", err)
		}
		for _, c := range claims {
			wg.Go(func() {
				r.logError(workCtx, "end job", r.work(workCtx, c))
				r.Wake() // a place is free
			})
		}
		r.pause(ctx)
	}
	r.finish(&wg, stop)
	return nil
}

// finish lets the handlers come to their end, and cuts them short after the grace time.
func (r *Runner) finish(wg *sync.WaitGroup, stop context.CancelFunc) {
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	t := time.NewTimer(r.o.Grace)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
		stop()
		<-done
	}
}

func (r *Runner) pause(ctx context.Context) {
	t := time.NewTimer(r.o.Poll)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-r.wake:
	case <-t.C:
	}
}

func (r *Runner) logError(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		r.o.Log.ErrorContext(ctx, what, "error", err)
	}
}

func (r *Runner) enqueueSchedules(ctx context.Context) error {
	if len(r.o.Schedules) == 0 {
		return nil
	}
	return r.db.WriteJobs(ctx, func(tx Tx) error {
		for _, kind := range r.kinds {
			if s := r.o.Schedules[kind]; s != nil {
				if err := EnqueueNext(ctx, tx, kind, s); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// current lists the jobs this runner is at work on.
func (r *Runner) current() []ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.working))
}

// claim looks before it writes: an idle runner never takes SQLite's writer.
func (r *Runner) claim(ctx context.Context, limit int) ([]Claim, error) {
	var due bool
	err := r.db.ReadJobs(ctx, func(tx Tx) error {
		at, err := tx.NextJobAt(ctx, r.kinds)
		due = !at.IsZero() && !at.After(tx.Now())
		return err
	})
	if err != nil || !due {
		return nil, err
	}
	var claims []Claim
	err = r.db.WriteJobs(ctx, func(tx Tx) error {
		var err error
		claims, err = tx.ClaimJobs(ctx, Want{
			Kinds: r.kinds, Except: r.current(), Token: rand.Text(),
			Until: tx.Now().Add(r.o.Lease), Limit: limit,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range claims {
		r.working[c.ID] = true
	}
	return claims, nil
}

// work makes one attempt and records its end. The error is that of recording.
func (r *Runner) work(ctx context.Context, c Claim) error {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.working, c.ID)
	}()
	run := &Run{Claim: c}
	err := r.prepare(ctx, c)
	if err == nil {
		handlerCtx, cancel := context.WithCancelCause(ctx)
		var beats sync.WaitGroup
		beats.Go(func() { r.heartbeat(handlerCtx, run, cancel) })
		err = r.call(handlerCtx, run)
		cancel(nil)
		beats.Wait()
	}
	return r.end(context.WithoutCancel(ctx), run, err)
}

// prepare makes sure of the next scheduled run and refuses jobs that have
// taken down the process at every attempt.
func (r *Runner) prepare(ctx context.Context, c Claim) error {
	if s := r.o.Schedules[c.Job.Kind]; s != nil {
		next := func(tx Tx) error { return EnqueueNext(ctx, tx, c.Job.Kind, s) }
		if err := r.db.WriteJobs(ctx, next); err != nil {
			return fmt.Errorf("enqueue next run: %w", err)
		}
	}
	if c.Attempt > r.o.MaxAttempts {
		return fmt.Errorf("%w: no attempt came to an end; last error: %s", ErrGiveUp, c.LastError)
	}
	return nil
}

func (r *Runner) call(ctx context.Context, run *Run) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return r.o.Handlers[run.Job.Kind](ctx, run)
}

// heartbeat renews the lease until ctx ends. A base that is busy or away is no
// reason to stop the handler: the lease decides, and it is checked at the end.
func (r *Runner) heartbeat(ctx context.Context, run *Run, cancel context.CancelCauseFunc) {
	t := time.NewTicker(r.o.Lease / 3)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := r.beat(ctx, run); fault.HasKey(err, "job.lease_lost") {
			if !run.completed.Load() {
				cancel(err)
			}
			return
		} else if err != nil {
			r.logError(ctx, "renew lease", err)
		}
	}
}

func (r *Runner) beat(ctx context.Context, run *Run) error {
	return r.db.WriteJobs(ctx, func(tx Tx) error {
		return tx.KeepJob(ctx, run.ID, run.Token, tx.Now().Add(r.o.Lease))
	})
}

// end records how the attempt went.
func (r *Runner) end(ctx context.Context, run *Run, cause error) error {
	if cause != nil {
		r.o.Log.WarnContext(ctx, "job attempt failed", "kind", run.Job.Kind, "job", run.ID,
			"attempt", run.Attempt, "error", cause)
	}
	err := r.db.WriteJobs(ctx, func(tx Tx) error {
		switch {
		case cause == nil:
			return tx.CompleteJob(ctx, run.ID, run.Token)
		case errors.Is(cause, ErrGiveUp), run.Attempt >= r.o.MaxAttempts:
			return tx.FailJob(ctx, run.ID, run.Token, cause.Error())
		}
		at := tx.Now().Add(r.o.Backoff(run.Attempt))
		return tx.RetryJob(ctx, run.ID, run.Token, at, cause.Error())
	})
	if fault.HasKey(err, "job.lease_lost") {
		// Completed by the handler itself, or another runner's now: either way not ours to end.
		return nil
	}
	if err != nil {
		return fmt.Errorf("end job %s %d: %w", run.Job.Kind, run.ID, err)
	}
	return nil
}
