package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"selo/audit"
	"selo/brasil"
	"selo/job"
	"selo/ledger"
)

// PublishKind is the job that publishes; it takes no arguments.
const PublishKind = "publish"

// The daily publication: 22:00, Brasília time (manual 1.1).
const (
	publishHour   = 22
	publishMinute = 0
)

// Publication is the fact that the base, as it stood at a size of the ledger, is
// public. Snapshots are its projections.
type Publication struct {
	Number     int64
	At         time.Time
	Head       ledger.Head
	Checkpoint string // signed note over Head
	Reference  []byte // JSON of the lists and bodies, to name things in the snapshot
}

// ReferenceNames are the names a snapshot shows.
type ReferenceNames struct {
	Bodies map[string]string `json:"organismos"`
	Tables json.RawMessage   `json:"tabelas"`
}

// Publish makes what is accepted by now public: the daily job calls it, and the
// área gestora may at any time. When nothing changed since the last publication
// it returns that one and fresh=false.
func (r *Registry) Publish(ctx context.Context, tx Tx, actor string) (p Publication, fresh bool, err error) {
	head, err := tx.LockLedger(ctx) // also keeps two publications from taking one number
	if err != nil {
		return Publication{}, false, err
	}
	last, found, err := tx.FindPublication(ctx)
	if err != nil {
		return Publication{}, false, err
	}
	names, err := referenceNames(ctx, tx)
	if err != nil {
		return Publication{}, false, err
	}
	if found && last.Head == head && string(last.Reference) == string(names) {
		return last, false, nil
	}
	p = Publication{Number: last.Number + 1, At: tx.Now(), Head: head, Reference: names}
	if p.Checkpoint, err = ledger.SignCheckpoint(head, r.Origin, r.Keys.Sign); err != nil {
		return Publication{}, false, fmt.Errorf("sign checkpoint %d: %w", head.Size, err)
	}
	if err := tx.InsertPublication(ctx, p); err != nil {
		return Publication{}, false, err
	}
	return p, true, tx.AppendAudit(ctx, audit.Event{Kind: "publication.made", Subject: "publicacao:" + strconv.FormatInt(p.Number, 10),
		Actor: actor, Detail: map[string]string{"tamanho": strconv.FormatInt(head.Size, 10)}})
}

func referenceNames(ctx context.Context, tx Tx) ([]byte, error) {
	tables, err := Reference(ctx, tx)
	if err != nil {
		return nil, err
	}
	bodies, err := tx.ListBodies(ctx)
	if err != nil {
		return nil, err
	}
	names := ReferenceNames{Bodies: map[string]string{}}
	for _, b := range bodies {
		names.Bodies[string(b.Sigla)] = b.Name
	}
	if names.Tables, err = json.Marshal(tables); err != nil {
		return nil, fmt.Errorf("encode tables: %w", err)
	}
	out, err := json.Marshal(names)
	if err != nil {
		return nil, fmt.Errorf("encode reference names: %w", err)
	}
	return out, nil
}

// PublishSchedule is when the job runs: every day at 22:00, Brasília time.
func PublishSchedule() job.Schedule { return job.Daily(publishHour, publishMinute, brasil.Location()) }

// PublishDaily is the job: it publishes and completes itself, together.
func (r *Registry) PublishDaily(ctx context.Context, done func(Tx) error) error {
	return r.Store.Write(ctx, func(tx Tx) error {
		if _, _, err := r.Publish(ctx, tx, "system"); err != nil {
			return err
		}
		return done(tx)
	})
}
