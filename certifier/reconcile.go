package certifier

import (
	"context"
	"fmt"
	"slices"

	"selo/audit"
	"selo/certificate"
	"selo/fault"
	"selo/remessa"
)

// IndexEntry names the newest revision that the registry holds of a record.
type IndexEntry struct {
	Kind   certificate.Kind
	ID     certificate.ID
	Number int
	Hash   certificate.Hash
}

// Official is what the registry says of the body.
type Official struct {
	Index   []IndexEntry     // one for each record
	Results []remessa.Result // of processed remessas, in order; at least the newest one
	// Head is that of the registry's base: the last remessa it processed, and when
	// the base was made. Nil: the last of Results tells.
	Head *remessa.Head
}

// Fetch visits the newest canonical revision of each of the records, in any order.
type Fetch func(ctx context.Context, ids []certificate.ID, visit func(canonical []byte) error) error

// Difference is one thing in which base and registry differed, and so was changed.
type Difference struct {
	Kind        DifferenceKind
	Record      certificate.ID // empty when it is about a remessa
	Label       string
	Here, There int // revision numbers, or the number of the remessa; 0: none
}

// DifferenceKind names a difference; as message keys they stand below "reconcile.".
type DifferenceKind string

// The differences and what is done about them.
const (
	MissingHere      DifferenceKind = "missing_here"      // adopted
	MissingThere     DifferenceKind = "missing_there"     // approved again, for the next remessa
	NewerThere       DifferenceKind = "newer_there"       // adopted
	OlderThere       DifferenceKind = "older_there"       // adopted; ours is approved again on top
	DifferentThere   DifferenceKind = "different_there"   // adopted
	MergedRecord     DifferenceKind = "merged"            // a record made here twice became the draft of the registry's
	BackToDraft      DifferenceKind = "back_to_draft"     // what waited was made on another state: look at it again
	RemessaApplied   DifferenceKind = "remessa_applied"   // its result had not arrived
	RemessaLearnt    DifferenceKind = "remessa_learnt"    // it was made on another copy of the base
	RemessaWithdrawn DifferenceKind = "remessa_withdrawn" // the registry has another of that number
	RemessaLost      DifferenceKind = "remessa_lost"      // the registry went back to a state before it
)

// Reconcile makes the accepted state of this base equal to what the registry
// holds (FAQ 3.23 and 3.26, a restored backup of either, a copy used on two computers),
// and returns what differed. No draft and no content is lost: what the
// registry lacks goes with the next remessa, and what cannot be sent as it is
// becomes a draft again.
//
// Faults: those of fetch and of [ApplyResult]; Invalid "reconcile.content" when
// what was fetched is not what the index names; Conflict "reconcile.stale" when
// the base was made before the last result was applied here, "reconcile.travelling"
// when a record of the same identity is in a remessa that waits for its result.
func Reconcile(ctx context.Context, tx Tx, actor Actor, keys remessa.Keys, official Official, fetch Fetch) ([]Difference, error) {
	body, err := CurrentBody(ctx, tx)
	if err != nil {
		return nil, err
	}
	rc := &reconciling{tx: tx, actor: actor, keys: keys, body: body, fetch: fetch,
		there: make(map[certificate.ID]IndexEntry, len(official.Index))}
	for _, e := range official.Index {
		rc.there[e.ID] = e
	}
	if err := rc.rewind(ctx, official.head()); err != nil {
		return nil, err
	}
	if err := rc.remessas(ctx, official.Results); err != nil {
		return nil, err
	}
	if err := rc.infer(ctx); err != nil {
		return nil, err
	}
	if rc.check, err = newChecker(ctx, tx, false); err != nil && !fault.HasKey(err, "tables.missing") {
		return nil, err
	}
	for _, kind := range kinds {
		if err := rc.records(ctx, kind); err != nil {
			return nil, err
		}
	}
	if len(rc.found) == 0 {
		return nil, nil
	}
	return rc.found, tx.AppendAudit(ctx, audit.Event{Kind: "base.reconciled", Subject: "organismo", Actor: string(actor),
		Detail: map[string]string{"diferencas": number(int64(len(rc.found)))}})
}

type reconciling struct {
	tx    Tx
	actor Actor
	keys  remessa.Keys
	body  Body
	fetch Fetch
	check *checker // nil without auxiliary tables
	there map[certificate.ID]IndexEntry
	found []Difference
}

func (rc *reconciling) note(kind DifferenceKind, r Row, here, there int) {
	rc.found = append(rc.found, Difference{Kind: kind, Record: r.ID, Label: r.Label, Here: here, There: there})
}

// remessas applies results that did not arrive and learns of remessas that
// this base did not make.
func (rc *reconciling) remessas(ctx context.Context, results []remessa.Result) error {
	_, secret, err := unlocking(ctx, rc.tx, rc.keys)
	if err != nil {
		return err
	}
	for _, res := range results {
		if res.Body != rc.body.Sigla || stateOf(res.Outcome) == "" {
			return fault.New(fault.Invalid, "reconcile.content", "registro", "remessa "+number(res.Sequence))
		}
		mine, err := rc.ofSequence(ctx, res)
		if err != nil {
			return err
		}
		difference := Difference{Here: int(res.Sequence), There: int(res.Sequence)}
		switch {
		case mine != nil && mine.Digest == res.Digest:
			answer, err := ApplyResult(ctx, rc.tx, rc.actor, rc.keys, res)
			if err != nil {
				return err
			}
			if !answer.Already {
				difference.Kind = RemessaApplied
				rc.found = append(rc.found, difference)
			}
			continue
		case mine != nil:
			continue // settled here under another digest: both stay in their logs
		}
		code, err := remessa.ParseCode(res.Code)
		if outcome, ok := remessa.CheckCode(secret, res.Body, res.Sequence, res.Digest, code); err != nil || !ok || outcome != res.Outcome {
			return fault.New(fault.Invalid, "result.code", "numero", number(res.Sequence))
		}
		if err := learn(ctx, rc.tx, Remessa{Sequence: res.Sequence, State: stateOf(res.Outcome), Scope: remessa.Partial,
			Digest: res.Digest, PreparedAt: res.ProcessedAt, ResultAt: res.ProcessedAt, Reasons: res.Reasons,
			Total: res.Total, Code: res.Code}); err != nil {
			return err
		}
		difference.Kind = RemessaLearnt
		rc.found = append(rc.found, difference)
	}
	return nil
}

// ofSequence finds this base's remessa of the result's number. One that is
// outstanding and can never get a result any more is withdrawn.
func (rc *reconciling) ofSequence(ctx context.Context, res remessa.Result) (*Remessa, error) {
	all, err := rc.tx.ListRemessas(ctx, 0)
	if err != nil {
		return nil, fmt.Errorf("list remessas: %w", err)
	}
	var mine *Remessa
	for i := range all {
		r := &all[i]
		switch {
		case r.State == Withdrawn || r.Sequence > res.Sequence:
		case r.State.Outstanding() && (r.Sequence < res.Sequence || r.Digest != res.Digest):
			if err := withdraw(ctx, rc.tx, rc.actor, r); err != nil {
				return nil, err
			}
			rc.found = append(rc.found, Difference{Kind: RemessaWithdrawn, Here: int(r.Sequence), There: int(res.Sequence)})
		case r.Sequence == res.Sequence:
			mine = r
		}
	}
	return mine, nil
}

// infer sees that the outstanding remessa was accepted when the registry holds
// a revision that only it carried: all of it or nothing is accepted.
func (rc *reconciling) infer(ctx context.Context) error {
	r, err := FindOutstanding(ctx, rc.tx)
	if err != nil || r == nil {
		return err
	}
	accepted := false
	for _, kind := range kinds {
		for after := certificate.ID(""); !accepted; {
			page, err := rc.tx.PageTravelling(ctx, kind, r.ID, after, pageSizeOf(kind))
			if err != nil {
				return fmt.Errorf("list travelling revisions: %w", err)
			}
			if len(page) == 0 {
				break
			}
			accepted = slices.ContainsFunc(page, func(e Entry) bool {
				return e.State == Travelling && rc.there[e.Record].Hash == e.Hash
			})
			after = page[len(page)-1].Record
		}
	}
	if !accepted {
		return nil
	}
	from := r.State
	r.State, r.ResultAt = Confirmed, rc.tx.Now()
	if err := rc.tx.UpdateRemessa(ctx, *r, from); err != nil {
		return err
	}
	if err := rc.tx.Settle(ctx, true); err != nil {
		return fmt.Errorf("settle remessa %d: %w", r.Sequence, err)
	}
	rc.found = append(rc.found, Difference{Kind: RemessaApplied, Here: int(r.Sequence), There: int(r.Sequence)})
	return logRemessa(ctx, rc.tx, rc.actor, "remessa.confirmed", r, nil)
}

func pageSizeOf(kind certificate.Kind) int {
	if kind == certificate.KindCertificate {
		return certificatePage
	}
	return pageSize
}

// records compares the accepted revisions of a kind and makes them equal.
func (rc *reconciling) records(ctx context.Context, kind certificate.Kind) error {
	var wanted, resend []certificate.ID
	here := map[certificate.ID]bool{}
	for after := certificate.ID(""); ; {
		page, err := rc.tx.PageAccepted(ctx, kind, after, pageSizeOf(kind))
		if err != nil {
			return fmt.Errorf("list accepted revisions: %w", err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			here[e.Record] = true
			there, known := rc.there[e.Record]
			switch {
			case !known:
				resend = append(resend, e.Record)
			case there.Hash != e.Hash:
				wanted = append(wanted, e.Record)
			}
		}
		after = page[len(page)-1].Record
	}
	for id, e := range rc.there {
		if e.Kind == kind && !here[id] {
			wanted = append(wanted, id)
		}
	}
	slices.SortFunc(wanted, compareIDs)
	for _, id := range resend {
		if err := rc.missingThere(ctx, id); err != nil {
			return err
		}
	}
	for page := range slices.Chunk(wanted, pageSizeOf(kind)) {
		if err := rc.adoptPage(ctx, page); err != nil {
			return err
		}
	}
	return rc.stranded(ctx, kind)
}

// adoptPage fetches revisions and makes them the accepted ones. They are
// collected first: a fetch may be in the middle of an answer.
func (rc *reconciling) adoptPage(ctx context.Context, ids []certificate.ID) error {
	got := map[certificate.ID][]byte{}
	revs := map[certificate.ID]*certificate.Revision{}
	err := rc.fetch(ctx, ids, func(canonical []byte) error {
		rev, err := certificate.DecodeRevision(canonical)
		if err != nil {
			return err
		}
		revs[rev.ID], got[rev.ID] = rev, slices.Clone(canonical)
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		e, rev := rc.there[id], revs[id]
		if rev == nil || certificate.HashOf(got[id]) != e.Hash || rev.Number != e.Number ||
			rev.Kind() != e.Kind || rev.Body != rc.body.Sigla {
			return fault.New(fault.Invalid, "reconcile.content", "registro", string(id))
		}
		if err := rc.adopt(ctx, rev, got[id]); err != nil {
			return err
		}
	}
	return nil
}
