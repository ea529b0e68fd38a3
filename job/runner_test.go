package job_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"selo/clock"
	"selo/job"
	"selo/store"
	"selo/store/storetest"
)

// Two runners, as two replicas, do each job exactly once.
func TestTwoRunners(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		const jobs = 500
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		db := e.Open(t)
		var mu sync.Mutex
		seen := map[job.ID]int{}
		var done atomic.Int64
		handler := func(ctx context.Context, run *job.Run) error {
			mu.Lock()
			seen[run.ID]++
			mu.Unlock()
			if done.Add(1) == jobs {
				stop()
			}
			return nil
		}
		must(t, db.Write(ctx, func(tx *store.Tx) error {
			for range jobs {
				must(t, tx.EnqueueJob(ctx, job.Job{Kind: "mail"}))
			}
			return nil
		}))
		var wg sync.WaitGroup
		for range 2 {
			own := e.Open(t)
			r := job.NewRunner(own, job.Options{Workers: 4, Handlers: handle(handler)})
			wg.Go(func() {
				if err := r.Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(seen) != jobs {
			t.Errorf("%d jobs ran, want %d", len(seen), jobs)
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("job %d ran %d times", id, n)
			}
		}
		if n := len(office{DB: db}.list(t, job.Done)); n != jobs {
			t.Errorf("%d jobs done, want %d: a stop must let handlers end", n, jobs)
		}
	})
}

// An enqueued job starts by the wake-up, long before the next look.
func TestWakeAndGracefulStop(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		db := e.Open(t)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		started, release, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
		r := job.NewRunner(db, job.Options{Poll: time.Hour, Handlers: handle(func(ctx context.Context, _ *job.Run) error {
			close(started)
			<-release
			return ctx.Err() // a stop does not cancel within the grace time
		})})
		db.OnEnqueue(r.Wake)
		go func() {
			defer close(ended)
			if err := r.Run(ctx); err != nil {
				t.Error(err)
			}
		}()
		office{DB: db}.enqueue(t, job.Job{Kind: "mail"})
		<-started
		stop()
		select {
		case <-ended:
			t.Error("Run did not wait for its handler")
		default:
		}
		close(release)
		<-ended
		if n := len(office{DB: db}.list(t, job.Done)); n != 1 {
			t.Errorf("%d jobs done", n)
		}
	})
}

// After the grace time handlers are told to stop, and the job is tried again later.
func TestGraceEnds(t *testing.T) {
	t.Parallel()
	o := open(t, storetest.NewSQLite(t))
	ctx, stop := context.WithCancel(t.Context())
	r := job.NewRunner(o, job.Options{Grace: time.Nanosecond, Log: quiet,
		Handlers: handle(func(ctx context.Context, _ *job.Run) error {
			stop()
			<-ctx.Done()
			return ctx.Err()
		})})
	o.enqueue(t, job.Job{Kind: "mail"})
	must(t, r.Run(ctx))
	if q := o.list(t, job.Queued); len(q) != 1 || q[0].Attempts != 1 {
		t.Errorf("queued: %+v", q)
	}
}

// Whatever call of the base fails, the job is neither lost nor left half done.
func TestEveryFailureIsSurvived(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		now, failer := clock.NewManual(start), storetest.FailAt(0)
		o := office{e.OpenWith(t, store.Options{Clock: now, Intercept: failer.Intercept}), now}
		r := job.NewRunner(o, job.Options{Lease: time.Minute, Backoff: minute, MaxAttempts: 1000, Log: quiet,
			Handlers: handle(func(ctx context.Context, run *job.Run) error {
				return o.Write(ctx, func(tx *store.Tx) error {
					if err := tx.EnqueueJob(ctx, job.Job{Kind: "effect"}); err != nil {
						return err
					}
					return run.Complete(ctx, tx)
				})
			})})
		round, at := 0, 0
		for at = 1; ; at++ {
			failer.Reset(0)
			o.enqueue(t, job.Job{Kind: "mail"})
			round++
			failer.Reset(at)
			_, _ = r.RunUntilIdle(t.Context()) // a failure is what is asked for
			failed := failer.Calls() >= at
			failer.Reset(0)
			o.now.Advance(time.Hour)
			_, err := r.RunUntilIdle(t.Context())
			must(t, err)
			if effects := len(o.list(t, job.Queued)); effects != round {
				t.Fatalf("failing call %d: %d effects of %d jobs", at, effects, round)
			}
			if !failed {
				break
			}
		}
		if at < 12 {
			t.Errorf("only %d places to fail were found", at)
		}
	})
}
