package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"selo/clock"
	"selo/fault"
	"selo/job"
	"selo/store"
	"selo/store/storetest"
)

var start = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)

var quiet = slog.New(slog.DiscardHandler)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// office is a base with a clock that stands still.
type office struct {
	*store.DB
	now *clock.Manual
}

func open(t *testing.T, e *storetest.Engine) office {
	t.Helper()
	now := clock.NewManual(start)
	return office{e.OpenWith(t, store.Options{Clock: now}), now}
}

func (o office) enqueue(t *testing.T, jobs ...job.Job) {
	t.Helper()
	must(t, o.Write(t.Context(), func(tx *store.Tx) error {
		for _, j := range jobs {
			if err := tx.EnqueueJob(t.Context(), j); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (o office) list(t *testing.T, s job.State) (records []job.Record) {
	t.Helper()
	must(t, o.Read(t.Context(), func(tx *store.Tx) error {
		var err error
		records, err = tx.ListJobs(t.Context(), s, 10_000)
		return err
	}))
	return records
}

func (o office) drain(t *testing.T, r *job.Runner, want int) {
	t.Helper()
	n, err := r.RunUntilIdle(t.Context())
	if err != nil || n != want {
		t.Fatalf("RunUntilIdle made %d attempts, %v; want %d", n, err, want)
	}
}

func minute(int) time.Duration { return time.Minute }

func handle(h job.Handler) map[string]job.Handler { return map[string]job.Handler{"mail": h} }

func TestRunsDueJobsInOrder(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		o := open(t, e)
		var ran []string
		r := job.NewRunner(o, job.Options{Handlers: handle(func(_ context.Context, run *job.Run) error {
			var args struct{ Nome string }
			must(t, run.Decode(&args))
			ran = append(ran, args.Nome)
			return nil
		})})
		named := func(name string, after time.Duration) job.Job {
			return job.Job{Kind: "mail", Args: fmt.Appendf(nil, `{"nome":%q}`, name), RunAt: start.Add(after)}
		}
		o.enqueue(t, named("later", time.Hour), named("second", 0), named("first", -time.Minute),
			job.Job{Kind: "unknown"}, named("third", 0))
		o.drain(t, r, 3)
		o.now.Advance(time.Hour)
		o.drain(t, r, 1)
		if want := []string{"first", "second", "third", "later"}; !slices.Equal(ran, want) {
			t.Errorf("ran %v, want %v", ran, want)
		}
		if n := len(o.list(t, job.Done)); n != 4 {
			t.Errorf("%d jobs done, want 4", n)
		}
		if left := o.list(t, job.Queued); len(left) != 1 || left[0].Kind != "unknown" {
			t.Errorf("left: %+v", left)
		}
	})
}

func TestKeyIsUniqueWhileUnfinished(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		o := open(t, e)
		keyed := job.Job{Kind: "mail", Key: "remessa 42"}
		ran := 0
		r := job.NewRunner(o, job.Options{Handlers: handle(func(context.Context, *job.Run) error {
			ran++
			o.enqueue(t, keyed) // running still holds the key
			return nil
		})})
		o.enqueue(t, keyed, keyed, job.Job{Kind: "mail"}, job.Job{Kind: "mail"})
		o.enqueue(t, keyed)
		// The first job without a key enqueues the keyed one again, which by then is done.
		o.drain(t, r, 4)
		if ran != 4 {
			t.Errorf("ran %d times, want 4", ran)
		}
	})
}

func TestRefusesArgumentsThatAreNotJSON(t *testing.T) {
	t.Parallel()
	o := open(t, storetest.NewSQLite(t))
	err := o.Write(t.Context(), func(tx *store.Tx) error {
		return tx.EnqueueJob(t.Context(), job.Job{Kind: "mail", Args: []byte("{")})
	})
	if err == nil {
		t.Error("bad arguments were taken")
	}
	o.enqueue(t, job.Job{Kind: "mail", Args: json.RawMessage(`[1]`)})
	r := job.NewRunner(o, job.Options{Log: quiet, Handlers: handle(func(_ context.Context, run *job.Run) error {
		return run.Decode(&struct{ A int }{})
	})})
	o.drain(t, r, 1)
	if f := o.list(t, job.Failed); len(f) != 1 {
		t.Errorf("arguments of another shape must give up: %+v", f)
	}
}

func TestRetriesThenGivesUp(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		o := open(t, e)
		attempts := 0
		r := job.NewRunner(o, job.Options{Log: quiet, MaxAttempts: 3, Backoff: minute,
			Handlers: handle(func(_ context.Context, run *job.Run) error {
				attempts++
				if run.Attempt != attempts {
					t.Errorf("attempt %d, want %d", run.Attempt, attempts)
				}
				if attempts == 2 {
					panic("broken \x00 handler")
				}
				return fmt.Errorf("mail server says %d", attempts)
			})})
		o.enqueue(t, job.Job{Kind: "mail"})
		o.drain(t, r, 1)
		o.drain(t, r, 0) // not before the backoff
		o.now.Advance(time.Minute)
		o.drain(t, r, 1)
		if q := o.list(t, job.Queued); len(q) != 1 || !strings.Contains(q[0].LastError, "panic: broken ? handler") {
			t.Errorf("after the panic: %+v", q)
		}
		o.now.Advance(time.Minute)
		o.drain(t, r, 1)
		o.now.Advance(24 * time.Hour)
		o.drain(t, r, 0)
		failed := o.list(t, job.Failed)
		if len(failed) != 1 || failed[0].Attempts != 3 || failed[0].LastError != "mail server says 3" {
			t.Fatalf("failed: %+v", failed)
		}
		requeue := func(tx *store.Tx) error { return tx.RequeueJob(t.Context(), failed[0].ID) }
		must(t, o.Write(t.Context(), requeue))
		if err := o.Write(t.Context(), requeue); !fault.HasKey(err, "job.not_failed") {
			t.Errorf("requeued twice: %v", err)
		}
		attempts = 0
		o.drain(t, r, 1)
	})
}

func TestGiveUpAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		o := open(t, e)
		r := job.NewRunner(o, job.Options{Log: quiet, Handlers: handle(func(context.Context, *job.Run) error {
			return fmt.Errorf("no such address: %w", job.ErrGiveUp)
		})})
		keyed := job.Job{Kind: "mail", Key: "k"}
		o.enqueue(t, keyed)
		o.drain(t, r, 1)
		failed := o.list(t, job.Failed)
		if len(failed) != 1 {
			t.Fatalf("failed: %+v", failed)
		}
		o.enqueue(t, keyed) // a failed job frees its key, and then cannot have it back
		err := o.Write(t.Context(), func(tx *store.Tx) error { return tx.RequeueJob(t.Context(), failed[0].ID) })
		if !fault.HasKey(err, "job.key_taken") {
			t.Errorf("got %v", err)
		}
	})
}

// The handler's effect and the end of the job are one commit.
func TestCompleteInOwnTransaction(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		o := open(t, e)
		ctx := t.Context()
		crash := errors.New("crash before commit")
		attempts := 0
		r := job.NewRunner(o, job.Options{Log: quiet, Backoff: minute, Handlers: map[string]job.Handler{
			"mail": func(ctx context.Context, run *job.Run) error {
				attempts++
				err := o.Write(ctx, func(tx *store.Tx) error {
					must(t, tx.EnqueueJob(ctx, job.Job{Kind: "effect"}))
					must(t, run.Complete(ctx, tx))
					if attempts == 1 {
						return crash
					}
					return nil
				})
				if err != nil {
					return err
				}
				err = o.Write(ctx, func(tx *store.Tx) error { return run.Complete(ctx, tx) })
				if !fault.HasKey(err, "job.lease_lost") || !fault.Is(err, fault.Conflict) {
					t.Errorf("completed twice: %v", err)
				}
				return nil
			},
		}})
		o.enqueue(t, job.Job{Kind: "mail"})
		o.drain(t, r, 1)
		if n := len(o.list(t, job.Queued)); n != 1 {
			t.Fatalf("%d jobs queued after the crash, want the job alone", n)
		}
		o.now.Advance(time.Minute)
		o.drain(t, r, 1)
		if q := o.list(t, job.Queued); len(q) != 1 || q[0].Kind != "effect" {
			t.Errorf("queued: %+v", q)
		}
		must(t, o.Write(ctx, func(tx *store.Tx) error {
			n, err := tx.PruneJobs(ctx, start.Add(time.Hour))
			if n != 1 {
				t.Errorf("pruned %d jobs, want 1", n)
			}
			return err
		}))
	})
}

// A runner dies with a job in its hands: after the lease another one does it,
// and the dead one, should it come back, cannot end it.
func TestCrashedRunnerLosesItsLease(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		o := open(t, e)
		ctx := t.Context()
		ran := 0
		options := job.Options{Lease: time.Minute, Log: quiet, MaxAttempts: 3,
			Handlers: handle(func(context.Context, *job.Run) error { ran++; return nil })}
		dead, alive := job.NewRunner(o, options), job.NewRunner(o, options)
		o.enqueue(t, job.Job{Kind: "mail"})
		claims, err := job.ClaimOne(dead, ctx, 1)
		must(t, err)
		if len(claims) != 1 {
			t.Fatalf("claims: %+v", claims)
		}
		o.drain(t, alive, 0)
		o.now.Advance(40 * time.Second)
		must(t, job.Beat(dead, ctx, &job.Run{Claim: claims[0]}))
		o.now.Advance(40 * time.Second)
		o.drain(t, alive, 0) // the lease was renewed
		o.now.Advance(20 * time.Second)
		o.drain(t, alive, 1)
		if ran != 1 {
			t.Errorf("ran %d times", ran)
		}
		err = o.Write(ctx, func(tx *store.Tx) error { return (&job.Run{Claim: claims[0]}).Complete(ctx, tx) })
		if !fault.HasKey(err, "job.lease_lost") {
			t.Errorf("the dead runner completed the job: %v", err)
		}
		if err := job.Beat(dead, ctx, &job.Run{Claim: claims[0]}); !fault.HasKey(err, "job.lease_lost") {
			t.Errorf("the dead runner renewed its lease: %v", err)
		}
	})
}

// A runner does not steal from itself while its own long transaction keeps the
// heartbeat waiting.
func TestOwnExpiredLeaseIsNotClaimed(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		o := open(t, e)
		r := job.NewRunner(o, job.Options{Lease: time.Minute, Handlers: handle(nil)})
		o.enqueue(t, job.Job{Kind: "mail"})
		if first, err := job.ClaimOne(r, t.Context(), 1); err != nil || len(first) != 1 {
			t.Fatalf("claim: %v %v", first, err)
		}
		o.now.Advance(time.Hour)
		if again, err := job.ClaimOne(r, t.Context(), 1); err != nil || len(again) != 0 {
			t.Errorf("claimed its own job again: %v %v", again, err)
		}
	})
}

// A job that takes the process down each time must not do so for ever.
func TestPoisonedJobIsGivenUp(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		o := open(t, e)
		options := job.Options{Lease: time.Minute, MaxAttempts: 3, Log: quiet,
			Handlers: handle(func(context.Context, *job.Run) error { t.Error("ran"); return nil })}
		o.enqueue(t, job.Job{Kind: "mail"})
		for range 3 {
			claims, err := job.ClaimOne(job.NewRunner(o, options), t.Context(), 1)
			if err != nil || len(claims) != 1 {
				t.Fatalf("claim: %v %v", claims, err)
			}
			o.now.Advance(2 * time.Minute)
		}
		o.drain(t, job.NewRunner(o, options), 1)
		if n := len(o.list(t, job.Failed)); n != 1 {
			t.Errorf("%d jobs failed, want 1", n)
		}
	})
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		o := open(t, e)
		var ran []time.Time
		options := job.Options{Handlers: handle(func(_ context.Context, run *job.Run) error {
			ran = append(ran, run.Job.RunAt)
			return nil
		})}
		options.Schedules = map[string]job.Schedule{"mail": job.Every(time.Hour)}
		replica := job.NewRunner(o, options)
		r := job.NewRunner(o, options)
		o.drain(t, r, 0)
		o.drain(t, replica, 0)
		for range 3 {
			o.now.Advance(time.Hour)
			o.drain(t, r, 1)
			o.drain(t, replica, 0)
		}
		o.now.Advance(5 * time.Hour) // nobody at work: one late run, then on the hour again
		o.drain(t, replica, 1)
		o.now.Advance(time.Hour)
		o.drain(t, r, 1)
		want := []int{13, 14, 15, 16, 21}
		for i, at := range ran {
			if i >= len(want) || at.Hour() != want[i] || at.Minute() != 0 {
				t.Errorf("ran at %v, want hours %v", ran, want)
			}
		}
	})
}

func TestDaily(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("Brasília", -3*60*60)
	next := job.Daily(22, 0, zone)
	at := next(start) // 09:00 in Brasília
	if want := time.Date(2025, 3, 2, 1, 0, 0, 0, time.UTC); !at.Equal(want) {
		t.Errorf("next is %v, want %v", at, want)
	}
	if again := next(at); !again.Equal(at.Add(24 * time.Hour)) {
		t.Errorf("after %v comes %v", at, again)
	}
}

func TestBackoffGrowsAndIsBounded(t *testing.T) {
	t.Parallel()
	for attempt := 1; attempt < 100; attempt++ {
		want := min(10*time.Second<<min(attempt-1, 10), time.Hour)
		if d := job.Backoff(attempt); d < want*4/5 || d > want*6/5 {
			t.Errorf("attempt %d waits %v, want about %v", attempt, d, want)
		}
	}
}
