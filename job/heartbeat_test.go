package job_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"selo/fault"
	"selo/job"
	"selo/store"
	"selo/store/storetest"
)

// busyDB is a base whose writer can be out of reach for a while.
type busyDB struct {
	job.DB
	busy   atomic.Bool
	beaten chan struct{} // one per write, while somebody waits for it
}

func (b *busyDB) WriteJobs(ctx context.Context, body func(job.Tx) error) error {
	defer func() {
		select {
		case b.beaten <- struct{}{}:
		default:
		}
	}()
	if b.busy.Load() {
		return fault.New(fault.Unavailable, "store.locked")
	}
	return b.DB.WriteJobs(ctx, body)
}

// While the base is busy the handler goes on, and the lease is renewed later.
func TestHeartbeatWaitsForABusyBase(t *testing.T) {
	t.Parallel()
	o := open(t, storetest.NewSQLite(t))
	db := &busyDB{DB: o, beaten: make(chan struct{})}
	var before, after time.Time
	leaseUntil := func() (until time.Time) {
		must(t, o.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT lease_until FROM job`).Scan(store.ScanTime(&until))
		}))
		return until
	}
	r := job.NewRunner(db, job.Options{Lease: 3 * time.Millisecond, Log: quiet,
		Handlers: handle(func(ctx context.Context, _ *job.Run) error {
			db.busy.Store(true)
			for range 3 {
				<-db.beaten
			}
			before = leaseUntil()
			o.now.Advance(time.Hour)
			db.busy.Store(false)
			for range 3 {
				<-db.beaten
			}
			after = leaseUntil()
			return ctx.Err()
		})})
	o.enqueue(t, job.Job{Kind: "mail"})
	o.drain(t, r, 1)
	if after.Sub(before) < time.Hour {
		t.Errorf("the lease went from %v to %v", before, after)
	}
	if n := len(o.list(t, job.Done)); n != 1 {
		t.Errorf("%d jobs done", n)
	}
}

// A handler whose job was taken over is told to stop.
func TestLostLeaseCancelsTheHandler(t *testing.T) {
	t.Parallel()
	o := open(t, storetest.NewSQLite(t))
	db := &busyDB{DB: o, beaten: make(chan struct{})}
	var cause error
	slow := job.NewRunner(db, job.Options{Lease: 3 * time.Millisecond, Log: quiet,
		Handlers: handle(func(ctx context.Context, run *job.Run) error {
			db.busy.Store(true)
			o.now.Advance(time.Hour)
			other := job.NewRunner(o, job.Options{Handlers: handle(func(context.Context, *job.Run) error { return nil })})
			o.drain(t, other, 1)
			db.busy.Store(false)
			<-ctx.Done()
			cause = context.Cause(ctx)
			return errors.New("stopped half way")
		})})
	o.enqueue(t, job.Job{Kind: "mail"})
	o.drain(t, slow, 1)
	if !fault.HasKey(cause, "job.lease_lost") {
		t.Errorf("stopped because of %v", cause)
	}
	if done := o.list(t, job.Done); len(done) != 1 || done[0].LastError != "" {
		t.Errorf("the other's result was overwritten: %+v", done)
	}
}
