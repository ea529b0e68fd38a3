package store

import (
	"context"
	"encoding/json"
	"fmt"

	"selo/audit"
)

// AppendAudit appends the event at the time of the transaction; e.At is ignored.
func (tx *Tx) AppendAudit(ctx context.Context, e audit.Event) error {
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		return fmt.Errorf("append audit event %s: %w", e.Kind, err)
	}
	if len(e.Detail) == 0 {
		detail = []byte("{}")
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO audit_event (at, kind, subject, actor, detail)
		VALUES (?, ?, ?, ?, ?)`, tx.now, e.Kind, e.Subject, e.Actor, string(detail))
	if err != nil {
		return fmt.Errorf("append audit event %s: %w", e.Kind, err)
	}
	return nil
}

// ListAudit returns at most limit events of the subject, the newest first.
func (tx *Tx) ListAudit(ctx context.Context, subject string, limit int) ([]audit.Event, error) {
	rows, err := tx.Query(ctx, `
		SELECT at, kind, subject, actor, detail FROM audit_event
		WHERE subject = ? ORDER BY id DESC LIMIT ?`, subject, limit)
	if err != nil {
		return nil, fmt.Errorf("list audit of %s: %w", subject, err)
	}
	defer rows.Close()
	var events []audit.Event
	for rows.Next() {
		var e audit.Event
		var detail string
		if err := rows.Scan(ScanTime(&e.At), &e.Kind, &e.Subject, &e.Actor, &detail); err != nil {
			return nil, fmt.Errorf("list audit of %s: %w", subject, err)
		}
		if err := json.Unmarshal([]byte(detail), &e.Detail); err != nil {
			return nil, fmt.Errorf("list audit of %s: %w", subject, err)
		}
		events = append(events, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list audit of %s: %w", subject, err)
	}
	return events, nil
}
