// Package job runs durable jobs: work that a transaction asks for and that
// happens after its commit, also when the process dies in between.
//
// A job is enqueued in the transaction that needs it, so there is never one
// without the other. It runs at least once; a handler that calls [Run.Complete]
// in its own transaction has its effects exactly once. Mail, files and calls to
// other systems belong in handlers, never in a transaction's body.
//
// The package does not keep the jobs (package store does, on both engines), does
// not order jobs of different keys, and is no message bus.
//
// States: queued → running (leased) → done, or back to queued with a later
// time, or failed after the last attempt. An expired lease counts as queued.
package job

import (
	"context"
	"errors"
	"time"
)

// State is where a job stands. The zero value is not a state.
type State string

// The states.
const (
	Queued  State = "queued"  // waits for its time
	Running State = "running" // leased by a runner until a moment
	Done    State = "done"    // final
	Failed  State = "failed"  // given up; a person may requeue it
)

// ID identifies a job of one base.
type ID int64

// ErrGiveUp, held by a handler's error, fails the job at once: trying again
// would give the same error.
var ErrGiveUp = errors.New("job cannot succeed")

// Job is what is asked for.
type Job struct {
	Kind string // handler: "notice.mail"
	// Key, when not empty, is unique among the unfinished jobs of the kind:
	// enqueueing it again changes nothing.
	Key   string
	Args  []byte    // JSON; nil is {}
	RunAt time.Time // not before; zero is at once
}

// Record is a job as kept.
type Record struct {
	Job
	ID        ID
	State     State
	Attempts  int
	LastError string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Claim is a job leased by a runner. The token proves the lease.
type Claim struct {
	ID        ID
	Job       Job
	Attempt   int // this one; the first is 1
	Token     string
	LastError string
}

// Want says which jobs to claim and on what terms.
type Want struct {
	Kinds  []string // at least one
	Except []ID     // jobs that the asking runner is at work on
	Token  string   // new for each claim
	Until  time.Time
	Limit  int
}

// Tx is what the runner needs of a transaction. Rooms that only enqueue declare
// EnqueueJob alone.
//
// KeepJob, CompleteJob, RetryJob and FailJob return fault.Conflict
// "job.lease_lost" when the job is no longer running under the token.
type Tx interface {
	Now() time.Time
	// EnqueueJob adds the job, or nothing when its key is taken.
	EnqueueJob(ctx context.Context, j Job) error
	// NextJobAt is when the next job of these kinds may be claimed; zero is never.
	NextJobAt(ctx context.Context, kinds []string) (time.Time, error)
	// ClaimJobs leases due jobs and those whose lease ran out, the oldest first.
	ClaimJobs(ctx context.Context, w Want) ([]Claim, error)
	KeepJob(ctx context.Context, id ID, token string, until time.Time) error
	CompleteJob(ctx context.Context, id ID, token string) error
	RetryJob(ctx context.Context, id ID, token string, at time.Time, reason string) error
	FailJob(ctx context.Context, id ID, token string, reason string) error
}

// DB opens the transactions of the runner; *store.DB is one.
type DB interface {
	WriteJobs(ctx context.Context, body func(Tx) error) error
	ReadJobs(ctx context.Context, body func(Tx) error) error
}

// Schedule gives the next moment strictly after t.
type Schedule func(t time.Time) time.Time

// Every is a schedule of fixed steps counted from the zero time in UTC, so that
// all replicas agree on the moments. d must be positive.
func Every(d time.Duration) Schedule {
	return func(t time.Time) time.Time { return t.UTC().Truncate(d).Add(d) }
}

// Daily is a schedule of one moment a day on the clocks of zone.
func Daily(hour, minute int, zone *time.Location) Schedule {
	return func(t time.Time) time.Time {
		y, m, d := t.In(zone).Date()
		next := time.Date(y, m, d, hour, minute, 0, 0, zone)
		if !next.After(t) {
			next = time.Date(y, m, d+1, hour, minute, 0, 0, zone)
		}
		return next.UTC()
	}
}

// EnqueueNext enqueues the next run of kind. The key is the moment, so that any
// number of replicas asking makes one run; it is called at start and by each run.
func EnqueueNext(ctx context.Context, tx Tx, kind string, s Schedule) error {
	next := s(tx.Now())
	return tx.EnqueueJob(ctx, Job{Kind: kind, Key: next.Format(time.RFC3339Nano), RunAt: next})
}
