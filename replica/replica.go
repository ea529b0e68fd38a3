// Package replica keeps a node that has no official base at the newest
// publication: it fetches snapshots from a registry or from another node, or
// watches a file or a folder where they are put, checks them and shows them.
//
// It promises that nothing is shown before every byte of it was checked under
// the registry's signature; that what is shown never goes back to an earlier
// publication; that a snapshot which is truncated, tampered, signed by somebody
// else or of another format is refused, said and shown in [Status], while the
// one before goes on answering; that no request is dropped when a snapshot is
// swapped; and that an interrupted download goes on where it stopped.
//
// It does not serve: packages web and api do, from the same catalog.Holder.
package replica

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"selo/catalog"
	"selo/clock"
	"selo/fault"
)

// DefaultPoll is how often a source is asked for a newer publication.
const DefaultPoll = time.Minute

// Source finds snapshots. [Remote] and [Local] are the two there are.
type Source interface {
	// Newest makes sure that the newest publication after the given one lies in
	// a file of this machine whose bytes are checked, and gives its path; empty
	// when there is none. A snapshot that must not be shown is a *Refusal.
	Newest(ctx context.Context, after int64) (path string, err error)
}

// Refusal is why a snapshot that was found is not shown.
type Refusal struct {
	Publication int64 // zero when it cannot be told
	Fault       *fault.Fault
}

// Error implements error.
func (r *Refusal) Error() string { return "snapshot refused: " + r.Fault.Error() }

// Unwrap gives the fault.
func (r *Refusal) Unwrap() error { return r.Fault }

// Status is how a node stands to its source.
type Status struct {
	Shown    int64        // number of the publication; zero for none
	Looked   time.Time    // when the source last said what it has, UTC; zero: never yet
	Refusals int64        // snapshots refused since the start, each counted once
	Trouble  *fault.Fault // what is wrong since the last good look; nil for nothing
	Refused  bool         // Trouble is about a snapshot, not about reaching the source
	Number   int64        // publication that Trouble is about; zero for none
	Since    time.Time    // when Trouble was first met, UTC
}

// Options of a replica. Source, Holder and Clock are needed.
type Options struct {
	Source Source
	Holder *catalog.Holder
	Clock  clock.Clock
	Check  func(text []byte, signature string) error // of a seal; nil accepts any
	// CheckDigests refuses digests of open data that the registry has not signed;
	// nil: they are not asked for.
	CheckDigests func(text []byte, signature string) error
	Poll         time.Duration // zero is [DefaultPoll]
	Log          *slog.Logger  // nil is the default
	// Prepare readies what is derived from a new snapshot, in the background;
	// it is told to stop when a newer one is shown. It may be nil.
	Prepare func(context.Context) error
	// Shelf is where earlier snapshots lie and are cleaned away; nil: nowhere.
	Shelf *catalog.Shelf
}

// Replica shows the newest publication there is. It is safe for concurrent use.
type Replica struct {
	opts   Options
	step   sync.Mutex // one look at a time
	asking asking     // of LookForDigests, which only one goroutine calls

	mu     sync.Mutex
	status Status // guarded by mu
}

// New makes a replica; it shows nothing yet.
func New(o Options) *Replica {
	if o.Poll <= 0 {
		o.Poll = DefaultPoll
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Replica{opts: o}
}

// Status tells how the replica stands.
func (r *Replica) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Resume shows the newest snapshot that lies on the shelf from an earlier run,
// so that a node answers at once and without its source. What lies there was
// checked whole before it came there; its seal is checked again.
func (r *Replica) Resume(ctx context.Context) (bool, error) {
	if r.opts.Shelf == nil || len(r.opts.Shelf.List()) == 0 {
		return false, nil
	}
	c, err := r.opts.Shelf.Newest(ctx, catalog.OpenOptions{Clock: r.opts.Clock, Check: r.opts.Check})
	if err != nil {
		return false, err
	}
	r.show(ctx, c)
	return true, nil
}

// Look asks the source once and shows what is new. Changed tells whether
// something was shown.
func (r *Replica) Look(ctx context.Context) (changed bool, err error) {
	r.step.Lock()
	defer r.step.Unlock()
	shown := r.Status().Shown
	path, err := r.opts.Source.Newest(ctx, shown)
	if err != nil {
		r.trouble(ctx, err)
		return false, err
	}
	if path != "" {
		c, err := catalog.Open(ctx, path, catalog.OpenOptions{Clock: r.opts.Clock, Check: r.opts.Check})
		if err != nil {
			if f := fault.Of(err); f != nil {
				err = &Refusal{Fault: f}
			}
			r.trouble(ctx, err)
			return false, err
		}
		r.show(ctx, c)
		changed = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Looked = r.opts.Clock.Now().UTC()
	r.status.Trouble, r.status.Refused, r.status.Number, r.status.Since = nil, false, 0, time.Time{}
	return changed, nil
}

func (r *Replica) show(ctx context.Context, c *catalog.Catalog) {
	p := c.Publication()
	r.opts.Holder.Swap(c)
	r.mu.Lock()
	r.status.Shown = p.Number
	r.mu.Unlock()
	r.opts.Log.InfoContext(ctx, "publication shown", "number", p.Number, "size", p.Size)
	if r.opts.Shelf != nil {
		if err := r.opts.Shelf.Clean(); err != nil {
			r.opts.Log.WarnContext(ctx, "old snapshot not removed", "error", err)
		}
	}
}

// trouble remembers what went wrong. The log gets it when it is new, so that a
// source that stays away does not fill the disk.
func (r *Replica) trouble(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // told to stop: nobody's failure
	}
	f := fault.Of(err)
	if f == nil {
		f = fault.New(fault.Unavailable, "replica.failed").Because(err)
	}
	var refusal *Refusal
	refused := errors.As(err, &refusal)
	var number int64
	if refused {
		number = refusal.Publication
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.status
	again := s.Trouble != nil && s.Trouble.Key == f.Key && s.Number == number
	if refused {
		s.Looked = r.opts.Clock.Now().UTC() // the source is there
	}
	s.Trouble, s.Refused, s.Number = f, refused, number
	if again {
		return
	}
	s.Since = r.opts.Clock.Now().UTC()
	switch {
	case refused:
		s.Refusals++
		r.opts.Log.ErrorContext(ctx, "snapshot refused; the one before stays", "publication", number, "shown", s.Shown, "reason", f.Key, "error", err)
	default:
		r.opts.Log.WarnContext(ctx, "source of publications not followed; trying again", "shown", s.Shown, "error", err)
	}
}

// Run looks again and again until the context ends. Looks are never exactly
// apart, so that many nodes do not ask at the same moment.
func (r *Replica) Run(ctx context.Context) {
	// What was shown before is not new: it is readied when somebody asks.
	preparing := preparation{number: r.Status().Shown, cancel: func() {}}
	defer func() { preparing.cancel() }() // what is being made belongs to nobody any more: it is not waited for
	for {
		_, _ = r.Look(ctx) // Status and log say what failed
		if _, err := r.LookForDigests(ctx); err != nil && ctx.Err() == nil {
			r.opts.Log.InfoContext(ctx, "no signed digests of the open data yet", "error", err)
		}
		if r.opts.Prepare != nil {
			preparing.begin(ctx, r)
		}
		timer := time.NewTimer(r.opts.Poll*3/4 + rand.N(r.opts.Poll/2+1)) //nolint:gosec // spreads questions, guards nothing
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// preparation readies what is derived from one publication at a time.
type preparation struct {
	number int64
	cancel context.CancelFunc
	done   chan struct{} // closed when the last one has ended; nil before the first
}

// begin starts on the publication that is shown, unless it has been; what
// belongs to the one before is not wanted any more. It never waits.
func (p *preparation) begin(ctx context.Context, r *Replica) {
	shown := r.Status().Shown
	if shown == p.number {
		return
	}
	p.cancel()
	ctx, p.cancel = context.WithCancel(ctx)
	before, done := p.done, make(chan struct{})
	p.number, p.done = shown, done
	go func() {
		defer close(done)
		if before != nil {
			<-before
		}
		if ctx.Err() != nil {
			return
		}
		if err := r.opts.Prepare(ctx); err != nil && ctx.Err() == nil {
			r.opts.Log.ErrorContext(ctx, "open data not prepared", "error", err)
		}
	}()
}
