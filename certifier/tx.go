package certifier

import (
	"context"
	"time"

	"selo/audit"
	"selo/brasil"
	"selo/certificate"
	"selo/fault"
	"selo/remessa"
)

// Actor is who acts: the name a person works under, or "sistema".
type Actor string

// System is the actor of what the program does by itself.
const System Actor = "sistema"

// Row is what the base keeps of a record beside its draft and revisions. All
// but the ID, the kind and the version follow from the record's newest content.
type Row struct {
	ID         certificate.ID
	Kind       certificate.Kind
	Key        certificate.Key // zero: retired, its name is free again
	Label      string          // as people name it: "certificado 2534"
	Folded     string          // what the search reads
	Situation  certificate.Situation
	Class      certificate.ClassCode
	IssuedOn   brasil.Date
	ValidUntil brasil.Date
	Imported   bool // of a product
	Version    int64
	CreatedAt  time.Time
	CreatedBy  Actor
	ChangedAt  time.Time
	ChangedBy  Actor
}

// Draft is content that is being edited. Content is a [certificate.Revision]
// without number, link and time, in its canonical form.
type Draft struct {
	Record  certificate.ID
	Kind    certificate.Kind
	Content []byte
	Pending int // open items (manual 2.4.1); of a certificate only
	SavedAt time.Time
	SavedBy Actor
}

// Entry is one revision in the body's own log.
type Entry struct {
	Sequence   int64 // place in the log, given by the store
	Record     certificate.ID
	Kind       certificate.Kind
	Number     int
	Hash       certificate.Hash
	State      State
	Content    []byte // canonical
	ApprovedAt time.Time
	ApprovedBy Actor
}

// Remessa is one remessa in the body's own log.
type Remessa struct {
	ID         int64 // given by the store
	Sequence   int64
	State      RemessaState
	Scope      remessa.Scope
	Digest     certificate.Hash
	Previous   certificate.Hash
	File       string // name in the outbox; empty when it was learnt from the registry
	Count      int64  // revisions carried
	PreparedAt time.Time
	PreparedBy Actor
	SentAt     time.Time // zero: not sent
	How        string    // "https", "arquivo"
	ResultAt   time.Time // zero: no result yet
	Reasons    []fault.Problem
	Total      int64 // reasons found by the registry; Reasons may hold fewer
	Code       string
}

// Waiting is a record's revision for the next remessa with the accepted one it goes on top of.
type Waiting struct {
	Entry
	Base *Entry // nil on the first
}

// Tx is what this room needs of a transaction on its base. Lists of IDs may be
// long; the store cuts them as the engine needs. Look-ups by IDs leave out
// what does not exist.
type Tx interface {
	Now() time.Time // fixed when the transaction began
	AppendAudit(ctx context.Context, e audit.Event) error
	ListAudit(ctx context.Context, subject string, limit int) ([]audit.Event, error)

	// FindSetting returns nil when the setting was never stored.
	FindSetting(ctx context.Context, name string) ([]byte, error)
	SetSetting(ctx context.Context, name string, value []byte) error
	// FindTables returns the newest release's number and content, or 0 and nil.
	FindTables(ctx context.Context) (number int, content []byte, err error)
	InsertTables(ctx context.Context, number int, content []byte) error

	recordTx
	revisionTx
	remessaTx
}

type recordTx interface {
	Rows(ctx context.Context, ids []certificate.ID) (map[certificate.ID]Row, error)
	FindKeys(ctx context.Context, kind certificate.Kind, keys []certificate.Key) (map[certificate.Key]certificate.ID, error)
	// InsertRows returns fault.Conflict "record.taken" when a key is in use.
	InsertRows(ctx context.Context, rows []Row) error
	// UpdateRow writes r when the stored version is r.Version-1, else it returns
	// fault.Conflict "record.changed"; a key in use gives "record.taken".
	UpdateRow(ctx context.Context, r Row) error
	// DeleteRow removes a record that has no revision, with its draft and links.
	DeleteRow(ctx context.Context, id certificate.ID) error
	ListRows(ctx context.Context, q Query) ([]Item, error)

	// TouchRows counts the version of each up.
	TouchRows(ctx context.Context, ids []certificate.ID, by Actor) error

	// Origins tells of each product that a certificate links to whether it is
	// imported; with frozen, only of those that have a live revision.
	Origins(ctx context.Context, of certificate.ID, frozen bool) (map[certificate.ID]bool, error)

	Drafts(ctx context.Context, ids []certificate.ID) (map[certificate.ID]Draft, error)
	// HavingDraft returns those of the records that have a draft, in no order.
	HavingDraft(ctx context.Context, ids []certificate.ID) ([]certificate.ID, error)
	// PageDrafts lists the records of a kind that have a draft, by ID, after the given one.
	PageDrafts(ctx context.Context, kind certificate.Kind, after certificate.ID, limit int) ([]certificate.ID, error)
	PutDrafts(ctx context.Context, drafts []Draft) error
	DeleteDrafts(ctx context.Context, ids []certificate.ID) error

	// Links lists what a certificate's newest or waiting content refers to.
	Links(ctx context.Context, of certificate.ID) (map[certificate.ID]bool, error)
	AddLinks(ctx context.Context, of certificate.ID, to []certificate.ID) error
	RemoveLinks(ctx context.Context, of certificate.ID, to []certificate.ID) error
	// Linking lists the certificates that link to a record, by ID.
	Linking(ctx context.Context, to certificate.ID) ([]certificate.ID, error)
}

type revisionTx interface {
	// Live returns the approved, travelling and accepted revisions of the records.
	Live(ctx context.Context, ids []certificate.ID) ([]Entry, error)
	// Log returns every revision of one record, oldest first.
	Log(ctx context.Context, id certificate.ID) ([]Entry, error)
	// Stranded lists the records of a kind that are not retired and yet have
	// neither draft nor live revision: only damage makes such.
	Stranded(ctx context.Context, kind certificate.Kind) ([]certificate.ID, error)
	InsertEntries(ctx context.Context, entries []Entry) error
	// MoveEntries changes the state of the records' revisions that stand in from.
	// It returns how many there were.
	MoveEntries(ctx context.Context, ids []certificate.ID, from, to State) (int64, error)
	// Relink replaces number, hash and content of an approved revision.
	Relink(ctx context.Context, e Entry) error

	// PageWaiting lists, by record ID after the given one, what a remessa carries
	// of a kind: the approved revisions and, in a full one, the accepted revisions
	// of the records that have none.
	PageWaiting(ctx context.Context, kind certificate.Kind, full bool, after certificate.ID, limit int) ([]Waiting, error)
	// PageTravelling lists by record ID what the remessa carries of a kind.
	PageTravelling(ctx context.Context, kind certificate.Kind, remessa int64, after certificate.ID, limit int) ([]Entry, error)
	// PageAccepted lists by record ID the accepted revisions of a kind.
	PageAccepted(ctx context.Context, kind certificate.Kind, after certificate.ID, limit int) ([]Entry, error)

	// Depart moves every approved revision to travelling and writes down what
	// the remessa carries; with full, the accepted ones of other records too.
	Depart(ctx context.Context, remessa int64, full bool) error
	// Settle ends the journey: accepted (the former accepted ones are replaced),
	// or not (approved again, superseded where a newer approval waits).
	Settle(ctx context.Context, accepted bool) error
}

type remessaTx interface {
	// InsertRemessa returns fault.Conflict "remessa.outstanding" when there is one.
	InsertRemessa(ctx context.Context, r Remessa) (id int64, err error)
	// UpdateRemessa writes r when the stored state is from, else it returns
	// fault.Conflict "remessa.state_changed".
	UpdateRemessa(ctx context.Context, r Remessa, from RemessaState) error
	// ListRemessas returns them newest first; limit 0 is all.
	ListRemessas(ctx context.Context, limit int) ([]Remessa, error)
	// RemessasOf returns the remessas that carried a record, oldest first.
	RemessasOf(ctx context.Context, record certificate.ID) ([]Carried, error)
}

// Carried says that a remessa took a revision of a record.
type Carried struct {
	Remessa
	Number int
	Hash   certificate.Hash
}
