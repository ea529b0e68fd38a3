package certifier

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"selo/audit"
	"selo/certificate"
	"selo/fault"
	"selo/remessa"
)

// Applied says what a release of the auxiliary tables did.
type Applied struct {
	Tables  *certificate.Tables
	Already bool // this very number was applied before: nothing changed
}

// ApplyRelease takes a signed release of the auxiliary tables (manual 2.3) and
// counts anew what each draft certificate lacks. The same number again changes
// nothing; a gap in the numbers is no matter, since each release is complete.
//
// Faults: Conflict "tables.awaiting_result" while a sent remessa waits for its
// result (FAQ 3.21), "tables.older", "body.missing", "enrolment.missing"; those
// of [remessa.OpenRelease].
func ApplyRelease(ctx context.Context, tx Tx, actor Actor, signed string) (Applied, error) {
	body, err := CurrentBody(ctx, tx)
	if err != nil {
		return Applied{}, err
	}
	reg, err := CurrentRegistry(ctx, tx)
	if err != nil {
		return Applied{}, err
	}
	t, err := remessa.OpenRelease(strings.TrimSpace(signed), reg.Keys.Sign, body.Sigla)
	if err != nil {
		return Applied{}, err
	}
	content, err := json.Marshal(t)
	if err != nil {
		return Applied{}, fmt.Errorf("encode auxiliary tables: %w", err)
	}
	have, held, err := tx.FindTables(ctx)
	if err != nil {
		return Applied{}, fmt.Errorf("read auxiliary tables: %w", err)
	}
	// Another release of the same number: the registry was restored from a copy
	// and counts again. Its present word holds.
	if t.Number == have && bytes.Equal(content, held) {
		return Applied{Tables: t, Already: true}, nil
	}
	if t.Number < have {
		return Applied{}, fault.New(fault.Conflict, "tables.older",
			"numero", number(int64(t.Number)), "atual", number(int64(have)))
	}
	r, err := FindOutstanding(ctx, tx)
	if err != nil {
		return Applied{}, err
	}
	if r != nil && r.State == Sent {
		return Applied{}, fault.New(fault.Conflict, "tables.awaiting_result", "numero", number(r.Sequence))
	}
	if err := tx.InsertTables(ctx, t.Number, content); err != nil {
		return Applied{}, fmt.Errorf("write auxiliary tables: %w", err)
	}
	if err := recount(ctx, tx, certificate.NewRules(t)); err != nil {
		return Applied{}, err
	}
	return Applied{Tables: t}, tx.AppendAudit(ctx, audit.Event{Kind: "tables.applied", Subject: "tabelas", Actor: string(actor),
		Detail: map[string]string{"numero": number(int64(t.Number)), "anterior": number(int64(have))}})
}

// recount counts the open items of every draft certificate under new tables.
func recount(ctx context.Context, tx Tx, rules *certificate.Rules) error {
	return eachDraft(ctx, tx, certificate.KindCertificate, func(r *Record) error {
		n := len(pendingOf(rules, r.Draft.Revision))
		if n == r.Draft.Pending {
			return nil
		}
		r.Draft.Pending = n
		if err := tx.PutDrafts(ctx, []Draft{r.Draft.Draft}); err != nil {
			return fmt.Errorf("write draft of %s: %w", r.ID, err)
		}
		return nil
	})
}

// CurrentTables returns the newest auxiliary tables; fault.Conflict "tables.missing" before the first.
func CurrentTables(ctx context.Context, tx Tx) (*certificate.Tables, error) {
	rules, err := findRules(ctx, tx)
	if err != nil {
		return nil, err
	}
	if rules == nil {
		return nil, fault.New(fault.Conflict, "tables.missing")
	}
	return rules.Tables, nil
}
