package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"selo/audit"
	"selo/certificate"
	"selo/fault"
	"selo/job"
	"selo/remessa"
)

// ProcessKind is the job that processes a received remessa; its arguments are [ProcessArgs].
const ProcessKind = "remessa.process"

// ProcessArgs name the remessa to process.
type ProcessArgs struct {
	Body     certificate.Sigla `json:"organismo"`
	Sequence int64             `json:"sequencia"`
}

// State is where a remessa stands at the registry.
type State string

// The states; the two outcomes are final.
const (
	Received    State = "recebida"
	Confirmed   State = State(remessa.Confirmed)
	Invalidated State = State(remessa.Invalidated)
)

// stateMoves holds every legal move; a pair that is missing does not exist.
var stateMoves = map[State][]State{
	Received: {Confirmed, Invalidated},
}

// Remessa is a delivered remessa.
type Remessa struct {
	ID          int64
	Body        certificate.Sigla
	Sequence    int64
	Digest      remessa.Digest
	Previous    remessa.Digest
	Scope       remessa.Scope
	Counts      remessa.Counts
	Size        int64 // bytes of the bundle
	State       State
	ReceivedAt  time.Time
	ProcessedAt time.Time
	Applied     int64 // revisions that changed something
	FirstIndex  int64 // ledger index of the first applied revision; of a confirmed one
	Reasons     []fault.Problem
	Total       int64 // reasons found, those beyond the kept ones too
}

// pieceSize is how the bundle is cut in the base.
const pieceSize = 1 << 20

// Deliver takes in a bundle: it checks form, signature and content, keeps it
// and enqueues its processing, in one transaction. Delivering the same bundle
// again changes nothing and tells where it stands (fresh=false); where the job
// that processes it was given up, there is a new one.
//
// Faults: Invalid "bundle.…", "signature.…"; NotFound "body.unknown"; Forbidden
// "body.inactive", "remessa.other_body" when sender is not the bundle's body
// (empty sender: whoever carries the file; the signature proves its origin);
// Conflict "remessa.sequence_used", "remessa.sequence_skipped",
// "remessa.previous", "remessa.outstanding".
func (r *Registry) Deliver(ctx context.Context, file io.ReaderAt, size int64, sender certificate.Sigla) (rem Remessa, fresh bool, err error) {
	bundle, err := remessa.Open(file, size, r.Limits)
	if err != nil {
		return Remessa{}, false, err
	}
	m := bundle.Manifest
	if sender != "" && sender != m.Body {
		return Remessa{}, false, fault.New(fault.Forbidden, "remessa.other_body", "organismo", string(m.Body), "remetente", string(sender))
	}
	var body Body
	err = r.Store.Read(ctx, func(tx Tx) error {
		body, err = tx.Body(ctx, m.Body)
		return err
	})
	if err != nil {
		return Remessa{}, false, err
	}
	if err := checkBundle(bundle, body); err != nil {
		return Remessa{}, false, err
	}
	err = r.Store.Write(ctx, func(tx Tx) error {
		rem, fresh, err = r.receive(ctx, tx, bundle, file, size)
		return err
	})
	return rem, fresh, err
}

// checkBundle reads the whole bundle once, so that a broken transfer is refused
// at the door, where sending the right file again is all it takes.
func checkBundle(bundle *remessa.Bundle, body Body) error {
	m := bundle.Manifest
	if m.Scope == remessa.Base {
		return fault.New(fault.Invalid, "bundle.scope", "escopo", string(m.Scope))
	}
	if err := bundle.Verify(body.Keys.Sign); err != nil {
		return err
	}
	if m.Sequence < 1 {
		return fault.New(fault.Invalid, "bundle.manifest")
	}
	if m.Counts.Total() == 0 {
		return fault.New(fault.Invalid, "remessa.empty")
	}
	return bundle.Each(func(int64, []byte) error { return nil })
}

func (r *Registry) receive(ctx context.Context, tx Tx, bundle *remessa.Bundle, file io.ReaderAt, size int64) (Remessa, bool, error) {
	m := bundle.Manifest
	body, err := tx.LockBody(ctx, m.Body)
	if err != nil {
		return Remessa{}, false, err
	}
	known, found, err := tx.FindRemessa(ctx, m.Body, m.Sequence)
	if err != nil {
		return Remessa{}, false, err
	}
	if found && known.Digest == bundle.Digest {
		if known.State == Received { // its job may have been given up; an unfinished one is not doubled
			err = enqueueProcess(ctx, tx, known)
		}
		return known, false, err
	}
	if !body.Active {
		return Remessa{}, false, fault.New(fault.Forbidden, "body.inactive", "organismo", string(m.Body))
	}
	if err := checkSequence(ctx, tx, body, m, found); err != nil {
		return Remessa{}, false, err
	}
	rem := Remessa{Body: m.Body, Sequence: m.Sequence, Digest: bundle.Digest, Previous: m.Previous, Scope: m.Scope,
		Counts: m.Counts, Size: size, State: Received, ReceivedAt: tx.Now()}
	if rem.ID, err = tx.InsertRemessa(ctx, rem); err != nil {
		return Remessa{}, false, err
	}
	buf := make([]byte, pieceSize)
	for n, at := 0, int64(0); at < size; n, at = n+1, at+pieceSize {
		got, err := file.ReadAt(buf[:min(pieceSize, size-at)], at)
		if err != nil && (!errors.Is(err, io.EOF) || at+int64(got) < size) {
			return Remessa{}, false, fmt.Errorf("read bundle %s %d: %w", m.Body, m.Sequence, err)
		}
		if err := tx.InsertPiece(ctx, rem.ID, n, buf[:got]); err != nil {
			return Remessa{}, false, err
		}
	}
	if err := enqueueProcess(ctx, tx, rem); err != nil {
		return Remessa{}, false, err
	}
	return rem, true, tx.AppendAudit(ctx, audit.Event{Kind: "remessa.received", Subject: subject(rem), Actor: string(m.Body),
		Detail: map[string]string{"digest": rem.Digest.String(), "registros": strconv.FormatInt(m.Counts.Total(), 10)}})
}

func checkSequence(ctx context.Context, tx Tx, body Body, m remessa.Manifest, found bool) error {
	sequence, expected := strconv.FormatInt(m.Sequence, 10), strconv.FormatInt(body.Sequence+1, 10)
	if found || m.Sequence <= body.Sequence {
		return fault.New(fault.Conflict, "remessa.sequence_used", "sequencia", sequence, "esperada", expected)
	}
	_, waiting, err := tx.FindRemessa(ctx, m.Body, body.Sequence+1)
	if err != nil {
		return err
	}
	if waiting {
		return fault.New(fault.Conflict, "remessa.outstanding", "sequencia", expected)
	}
	if m.Sequence != body.Sequence+1 {
		return fault.New(fault.Conflict, "remessa.sequence_skipped", "sequencia", sequence, "esperada", expected)
	}
	if m.Previous != body.Digest {
		return fault.New(fault.Conflict, "remessa.previous", "sequencia", sequence,
			"anterior", m.Previous.String()[:12], "esperado", body.Digest.String()[:12])
	}
	return nil
}

func enqueueProcess(ctx context.Context, tx Tx, rem Remessa) error {
	args, err := json.Marshal(ProcessArgs{Body: rem.Body, Sequence: rem.Sequence})
	if err != nil {
		return fmt.Errorf("encode job of %s: %w", subject(rem), err)
	}
	return tx.EnqueueJob(ctx, job.Job{Kind: ProcessKind, Key: subject(rem), Args: args, RunAt: tx.Now()})
}

func subject(rem Remessa) string {
	return fmt.Sprintf("remessa:%s/%d", rem.Body, rem.Sequence)
}

// pieces reads a kept bundle as one file. It is for one goroutine.
type pieces struct {
	ctx  context.Context
	tx   Tx
	id   int64
	size int64
	n    int // of the piece in data; -1 at first
	data []byte
	err  error // the base's, if it failed: not the bundle's fault
}

// ReadAt implements io.ReaderAt.
func (p *pieces) ReadAt(buf []byte, at int64) (int, error) {
	read := 0
	for read < len(buf) && at < p.size {
		if n := int(at / pieceSize); n != p.n {
			data, err := p.tx.Piece(p.ctx, p.id, n)
			if err != nil {
				p.err = fmt.Errorf("read piece %d of remessa %d: %w", n, p.id, err)
				return read, p.err
			}
			p.n, p.data = n, data
		}
		got := copy(buf[read:], p.data[min(at%pieceSize, int64(len(p.data))):])
		if got == 0 {
			return read, io.ErrUnexpectedEOF
		}
		read, at = read+got, at+int64(got)
	}
	if read < len(buf) {
		return read, io.EOF
	}
	return read, nil
}
