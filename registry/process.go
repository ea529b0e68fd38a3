package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"selo/audit"
	"selo/brasil"
	"selo/certificate"
	"selo/fault"
	"selo/ledger"
	"selo/remessa"

	"golang.org/x/mod/sumdb/tlog"
)

// maxReasons is how many broken rules a result names.
const maxReasons = 1000

// errRefused rolls a transaction back whose remessa broke a rule.
var errRefused = errors.New("remessa refused")

// Process processes a received remessa: all of it is applied and logged, or
// none and every reason is named. done is called in the transaction that ends
// it, to complete the job. Processing a remessa again changes nothing.
func (r *Registry) Process(ctx context.Context, args ProcessArgs, done func(Tx) error) error {
	var reasons []fault.Problem
	var total int64
	err := r.Store.Write(ctx, func(tx Tx) error {
		reasons, total = nil, 0
		body, rem, err := outstanding(ctx, tx, args)
		if err != nil || rem.State != Received {
			return errors.Join(err, skipped(tx, err, done))
		}
		a, err := r.newApplier(ctx, tx, rem)
		if err != nil {
			return err
		}
		if err := a.run(ctx); err != nil {
			return err
		}
		if reasons, total = a.reasons, a.total; total > 0 {
			return errRefused
		}
		rem.Applied = a.position
		if rem.FirstIndex, err = r.appendToLedger(ctx, tx, rem); err != nil {
			return err
		}
		return r.finish(ctx, tx, body, rem, Confirmed, done)
	})
	if !errors.Is(err, errRefused) {
		return err
	}
	return r.Store.Write(ctx, func(tx Tx) error {
		body, rem, err := outstanding(ctx, tx, args)
		if err != nil || rem.State != Received {
			return errors.Join(err, skipped(tx, err, done))
		}
		rem.Reasons, rem.Total = reasons, total
		// The tables it was judged by go along: the body may not have them yet.
		if _, _, err := r.Release(ctx, tx, rem.Body, "system"); err != nil {
			return err
		}
		return r.finish(ctx, tx, body, rem, Invalidated, done)
	})
}

// skipped completes the job of a remessa that somebody else has finished.
func skipped(tx Tx, err error, done func(Tx) error) error {
	if err != nil {
		return nil
	}
	return done(tx)
}

// outstanding locks the body and gives the remessa as it stands behind that lock.
func outstanding(ctx context.Context, tx Tx, args ProcessArgs) (Body, Remessa, error) {
	body, err := tx.LockBody(ctx, args.Body)
	if err != nil {
		return Body{}, Remessa{}, err
	}
	rem, found, err := tx.FindRemessa(ctx, args.Body, args.Sequence)
	if err != nil {
		return Body{}, Remessa{}, err
	}
	if !found {
		return Body{}, Remessa{}, fault.New(fault.NotFound, "remessa.unknown", "organismo", string(args.Body),
			"sequencia", strconv.FormatInt(args.Sequence, 10))
	}
	return body, rem, nil
}

// appendToLedger takes the sequencer lock as late as possible: until here
// several bodies are processed at the same time.
func (r *Registry) appendToLedger(ctx context.Context, tx Tx, rem Remessa) (first int64, err error) {
	appender, err := ledger.NewAppender(ctx, tx)
	if err != nil {
		return 0, fmt.Errorf("begin ledger append of %s: %w", subject(rem), err)
	}
	first = -1
	err = tx.EachHash(ctx, rem.ID, func(h certificate.Hash) error {
		index, err := appender.Add(ctx, tlog.Hash(h))
		if first < 0 {
			first = index
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("append %s to ledger: %w", subject(rem), err)
	}
	head, err := appender.Close(ctx)
	if err != nil {
		return 0, fmt.Errorf("end ledger append of %s: %w", subject(rem), err)
	}
	if first < 0 { // a full remessa that brought nothing new
		first = head.Size
	}
	return first, nil
}

// finish records the outcome, moves the body on and tells it, in one transaction.
func (r *Registry) finish(ctx context.Context, tx Tx, body Body, rem Remessa, to State, done func(Tx) error) error {
	if !slices.Contains(stateMoves[rem.State], to) {
		return fault.New(fault.Conflict, "remessa.state_changed")
	}
	rem.State, rem.ProcessedAt = to, tx.Now()
	if err := tx.FinishRemessa(ctx, rem); err != nil {
		return err
	}
	body.Sequence, body.Digest = rem.Sequence, rem.Digest
	if err := tx.PutBody(ctx, body); err != nil {
		return err
	}
	if err := r.mailResult(ctx, tx, body, rem); err != nil {
		return err
	}
	kind := map[State]string{Confirmed: "remessa.confirmed", Invalidated: "remessa.invalidated"}[rem.State]
	if err := tx.AppendAudit(ctx, audit.Event{Kind: kind, Subject: subject(rem), Actor: "system", Detail: map[string]string{
		"aplicadas": strconv.FormatInt(rem.Applied, 10), "motivos": strconv.FormatInt(rem.Total, 10)}}); err != nil {
		return err
	}
	return done(tx)
}

// applier checks and applies the revisions of one remessa in batches.
type applier struct {
	registry *Registry
	tx       Tx
	rem      Remessa
	rules    *certificate.Rules
	today    brasil.Date
	lastKind certificate.Kind
	position int64 // of the next applied revision
	seen     int64
	reasons  []fault.Problem
	total    int64
	// What failed is still there to be referred to, so that one mistake gives one reason.
	failedCompanies map[certificate.ID]*certificate.Company
	failedProducts  map[certificate.ID]bool
	companies       map[certificate.ID]*certificate.Company // look-ups kept between batches
}

func (r *Registry) newApplier(ctx context.Context, tx Tx, rem Remessa) (*applier, error) {
	tables, err := tablesOf(ctx, tx, rem.Body)
	if err != nil {
		return nil, err
	}
	return &applier{registry: r, tx: tx, rem: rem, rules: certificate.NewRules(tables), today: brasil.Today(tx.Now()),
		failedCompanies: map[certificate.ID]*certificate.Company{}, failedProducts: map[certificate.ID]bool{},
		companies: map[certificate.ID]*certificate.Company{}}, nil
}

// run decodes ahead in a second goroutine, with a read transaction of its own,
// while this one checks and writes.
func (a *applier) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan []item, 4)
	failed := make(chan error, 1)
	go func() {
		defer close(batches)
		failed <- a.registry.Store.Read(ctx, func(tx Tx) error { return readItems(ctx, tx, a.rem, a.registry.Limits, batches) })
	}()
	for batch := range batches {
		if err := a.batch(ctx, batch); err != nil {
			return err
		}
		a.seen += int64(len(batch))
		if a.registry.Progress != nil {
			a.registry.Progress(a.seen, a.rem.Counts.Total())
		}
		if a.total >= maxReasons {
			a.reasons = append(a.reasons, fault.Problem{Code: "remessa.more_reasons", Args: fault.Pairs("limite", strconv.Itoa(maxReasons))})
			return nil
		}
	}
	err := <-failed
	if f := fault.Of(err); f != nil && f.Kind == fault.Invalid {
		a.refuse(fault.Problem{Record: remessa.FileName(a.rem.Body, a.rem.Sequence), Code: f.Key, Args: f.Args})
		return nil
	}
	return err
}

func (a *applier) refuse(problems ...fault.Problem) {
	a.total += int64(len(problems))
	if room := maxReasons - len(a.reasons); len(problems) > room {
		problems = problems[:max(room, 0)]
	}
	a.reasons = append(a.reasons, problems...)
}
