package certifier

import (
	"context"
	"time"

	"selo/certificate"
	"selo/fault"
)

// stamp is a time as reports carry it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// ListIncomplete is the report Certificados incompletos (manual 2.4.1): every
// draft certificate that lacks something, by ID, with what it lacks.
func ListIncomplete(ctx context.Context, tx Tx) ([]Incomplete, error) {
	rules, err := findRules(ctx, tx)
	if err != nil {
		return nil, err
	}
	var list []Incomplete
	err = eachDraft(ctx, tx, certificate.KindCertificate, func(r *Record) error {
		if found := pendingOf(rules, r.Draft.Revision); len(found) > 0 {
			list = append(list, incomplete(r, found))
		}
		return nil
	})
	return list, err
}

// Ready is a complete draft certificate. Problems lists what approval would
// still object to, such as a date that has become impossible; usually nothing.
type Ready = Incomplete

// ListReady is the report Certificados prontos para aprovação (manual 2.4.2):
// every draft certificate that lacks nothing, by ID. Fault: Conflict "tables.missing".
func ListReady(ctx context.Context, tx Tx) ([]Ready, error) {
	c, err := newChecker(ctx, tx, false)
	if err != nil {
		return nil, err
	}
	x := examiner{checker: c, done: map[certificate.ID][]fault.Problem{}}
	var list []Ready
	err = eachDraft(ctx, tx, certificate.KindCertificate, func(r *Record) error {
		if len(pendingOf(c.rules, r.Draft.Revision)) > 0 {
			return nil
		}
		found, err := x.group(ctx, r)
		if err != nil {
			return err
		}
		list = append(list, incomplete(r, found))
		return nil
	})
	return list, err
}
