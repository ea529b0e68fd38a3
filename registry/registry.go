// Package registry is Módulo Inmetro: the bodies and their scopes, the
// normative documents, the processing of remessas into the official base, the
// ledger's growth and publication (manual 1.1, 1.4, 1.5, 2.3).
//
// It promises that a remessa is accepted whole or not at all, once, and in
// order; that every reason for a refusal is named; that nothing accepted is
// ever changed or deleted; and that state, audit event, mail and jobs commit
// together. It edits no certificate: only the body can (FAQ 3.22 C).
package registry

import (
	"context"
	"time"

	"selo/audit"
	"selo/certificate"
	"selo/job"
	"selo/ledger"
	"selo/remessa"
)

// Registry is the use cases on one official base. Its fields are set once, before use.
type Registry struct {
	Store  Store
	Keys   remessa.Keys // sign releases, results and checkpoints
	Origin string       // name of the ledger in checkpoints: "selo.inmetro.example/registro"
	Name   string       // how mails and enrolments name the registry
	URL    string       // public address, for mails; may be empty
	Limits remessa.Limits
	// Progress, when set, is told how many revisions of how many are processed.
	Progress func(done, total int64)
}

// Store is where the official base is. A Write's body may run twice.
type Store interface {
	Write(ctx context.Context, body func(Tx) error) error
	Read(ctx context.Context, body func(Tx) error) error
}

// Tx is what the registry needs of one transaction.
type Tx interface {
	ledger.Tx
	ledger.Reader
	Now() time.Time
	AppendAudit(ctx context.Context, e audit.Event) error
	EnqueueJob(ctx context.Context, j job.Job) error
	CompleteJob(ctx context.Context, id job.ID, token string) error

	// PinIdentity writes down whose base this is; later calls with anything else
	// are fault.Conflict "registry.other_identity".
	PinIdentity(ctx context.Context, origin string, keys remessa.PublicKeys) error

	// Body must exist: fault.NotFound "body.unknown". LockBody also keeps others
	// from processing its remessas until the transaction ends.
	Body(ctx context.Context, sigla certificate.Sigla) (Body, error)
	LockBody(ctx context.Context, sigla certificate.Sigla) (Body, error)
	ListBodies(ctx context.Context) ([]Body, error)
	PutBody(ctx context.Context, b Body) error

	PutReference(ctx context.Context, r ReferenceRow) error
	ListReference(ctx context.Context) ([]ReferenceRow, error)
	PutScope(ctx context.Context, s Scope) error
	ListScopes(ctx context.Context, sigla certificate.Sigla) ([]Scope, error)
	InsertRelease(ctx context.Context, r Release) error
	// FindRelease gives the newest release; ok=false when there is none.
	FindRelease(ctx context.Context, sigla certificate.Sigla) (r Release, ok bool, err error)

	// FindRemessa gives one remessa; ok=false when it never arrived.
	FindRemessa(ctx context.Context, sigla certificate.Sigla, sequence int64) (r Remessa, ok bool, err error)
	CountRemessas(ctx context.Context) (map[State]int64, error)
	// CountJobs counts the jobs that are not finished.
	CountJobs(ctx context.Context) (int64, error)
	ListRemessas(ctx context.Context, sigla certificate.Sigla, before int64, limit int) ([]Remessa, error)
	InsertRemessa(ctx context.Context, r Remessa) (id int64, err error)
	// FinishRemessa moves a received remessa to its outcome; fault.Conflict when it is not received any more.
	FinishRemessa(ctx context.Context, r Remessa) error
	InsertPiece(ctx context.Context, remessaID int64, n int, data []byte) error
	Piece(ctx context.Context, remessaID int64, n int) ([]byte, error)

	// FindRecords gives the newest accepted state of those ids that exist, of whatever body.
	FindRecords(ctx context.Context, ids []certificate.ID) (map[certificate.ID]Record, error)
	FindContents(ctx context.Context, sigla certificate.Sigla, ids []certificate.ID) (map[certificate.ID][]byte, error)
	FindKeys(ctx context.Context, sigla certificate.Sigla, kind certificate.Kind, keys []certificate.Key) (map[certificate.Key]certificate.ID, error)
	// Apply inserts the revisions and moves their records, all of one remessa.
	Apply(ctx context.Context, sigla certificate.Sigla, remessaID int64, revisions []Applied) error
	EachHash(ctx context.Context, remessaID int64, fn func(certificate.Hash) error) error
	// EachNewest hands over the newest accepted revisions of a body, companies, products, certificates.
	EachNewest(ctx context.Context, sigla certificate.Sigla, fn func(kind certificate.Kind, canonical []byte) error) error
	// History gives the accepted revisions of a record below a ledger index, the first one first.
	History(ctx context.Context, sigla certificate.Sigla, id certificate.ID, below int64) ([]Accepted, error)

	InsertPublication(ctx context.Context, p Publication) error
	FindPublication(ctx context.Context) (p Publication, ok bool, err error)
	// ListPublications gives those numbered below before, the newest first and
	// without their Reference; before 0 means from the newest on.
	ListPublications(ctx context.Context, before int64, limit int) ([]Publication, error)
}

// Record is where a record stands: its newest accepted revision.
type Record struct {
	Body     certificate.Sigla
	Kind     certificate.Kind
	Number   int
	Hash     certificate.Hash
	Remessa  int64 // id of the remessa that brought it
	Imported bool  // of a product
}

// Applied is one revision to insert. Position counts the applied ones of a
// remessa from 0; the ledger index is the remessa's first index plus it.
type Applied struct {
	Position  int64
	ID        certificate.ID
	Kind      certificate.Kind
	Key       certificate.Key
	Number    int
	Hash      certificate.Hash
	Imported  bool
	Canonical []byte
}

// Accepted is one revision of the official base.
type Accepted struct {
	Index      int64 // in the ledger
	Hash       certificate.Hash
	AcceptedAt time.Time
	Canonical  []byte
}
