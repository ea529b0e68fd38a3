package certifier

import (
	"context"
	"fmt"
	"slices"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

// ChangeCertificate makes a draft of a certificate's newest state, changed by
// fn, with a justification (manual 2.2.1.2). Faults: those of [SaveDraft], what
// fn returns, and Invalid "draft.kind" for a record of another kind.
func ChangeCertificate(ctx context.Context, tx Tx, actor Actor, id certificate.ID, justification string, fn func(*certificate.Certificate) error) (*Record, error) {
	r, err := Find(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if r.Kind != certificate.KindCertificate || r.Newest() == nil {
		return nil, fault.New(fault.Invalid, "draft.kind", "registro", r.Label)
	}
	next, err := clone(r.Newest())
	if err != nil {
		return nil, err
	}
	if err := fn(next.Certificate); err != nil {
		return nil, err
	}
	return SaveDraft(ctx, tx, actor, Edit{ID: id, Version: r.Version, Content: next, Justification: justification})
}

// SetSituation suspends, cancels or reactivates a certificate (manual 2.2.1.3).
// The justification is required; the change takes effect with a remessa.
// Faults: Invalid "justification.required", those of [ChangeCertificate] and of
// [certificate.SetSituation].
func SetSituation(ctx context.Context, tx Tx, actor Actor, id certificate.ID, to certificate.Situation, justification string) (*Record, error) {
	return setSituation(ctx, tx, actor, id, justification, func(c *certificate.Certificate) error {
		return certificate.SetSituation(c, to)
	})
}

// SetProductSituation does the same to a product inside a certificate.
func SetProductSituation(ctx context.Context, tx Tx, actor Actor, id, product certificate.ID, to certificate.Situation, justification string) (*Record, error) {
	return setSituation(ctx, tx, actor, id, justification, func(c *certificate.Certificate) error {
		return certificate.SetProductSituation(c, product, to)
	})
}

// SetServiceSituation does the same to a service inside a certificate.
func SetServiceSituation(ctx context.Context, tx Tx, actor Actor, id, service certificate.ID, to certificate.Situation, justification string) (*Record, error) {
	return setSituation(ctx, tx, actor, id, justification, func(c *certificate.Certificate) error {
		return certificate.SetServiceSituation(c, service, to)
	})
}

// SetCompanySituation does the same to a company inside a certificate: what
// depends on it moves to another company or is suspended with it, as how says
// (manual 2.2.1.4). role empty means all its roles.
func SetCompanySituation(ctx context.Context, tx Tx, actor Actor, id, company certificate.ID, role certificate.RoleCode, to certificate.Situation, how certificate.Transfer, justification string) (*Record, error) {
	return setSituation(ctx, tx, actor, id, justification, func(c *certificate.Certificate) error {
		return certificate.SetCompanySituation(c, company, role, to, how)
	})
}

func setSituation(ctx context.Context, tx Tx, actor Actor, id certificate.ID, justification string, fn func(*certificate.Certificate) error) (*Record, error) {
	if err := requireJustification(justification); err != nil {
		return nil, err
	}
	return ChangeCertificate(ctx, tx, actor, id, justification, fn)
}

// ReplaceCompany corrects what cannot be edited in a company (FAQ 3.15) in one
// step: in every certificate that has the wrong company active, the right one
// is entered today in the same roles, takes over products and services, and the
// wrong one is cancelled. It returns the certificates whose drafts it changed.
//
// Faults: Invalid "justification.required", "company.replace_self", "draft.kind";
// NotFound "record.not_found".
func ReplaceCompany(ctx context.Context, tx Tx, actor Actor, wrong, right certificate.ID, justification string) ([]certificate.ID, error) {
	if err := requireJustification(justification); err != nil {
		return nil, err
	}
	if wrong == right {
		return nil, fault.New(fault.Invalid, "company.replace_self")
	}
	records, err := load(ctx, tx, []certificate.ID{wrong, right})
	if err != nil {
		return nil, err
	}
	for _, id := range []certificate.ID{wrong, right} {
		if records[id] == nil {
			return nil, notFound(id)
		}
		if records[id].Kind != certificate.KindCompany {
			return nil, fault.New(fault.Invalid, "draft.kind", "registro", records[id].Label)
		}
	}
	users, err := tx.Linking(ctx, wrong)
	if err != nil {
		return nil, fmt.Errorf("look for links to %s: %w", wrong, err)
	}
	var changed []certificate.ID
	for _, id := range users {
		did := false
		_, err := ChangeCertificate(ctx, tx, actor, id, justification, func(c *certificate.Certificate) error {
			did = enterInstead(c, wrong, right, tx)
			if !did {
				return nil
			}
			return certificate.SetCompanySituation(c, wrong, "", certificate.Cancelled, certificate.Transfer{To: right})
		})
		if err != nil {
			return nil, err
		}
		if did {
			changed = append(changed, id)
		}
	}
	return changed, nil
}

func requireJustification(text string) error {
	if blank(text) {
		return fault.New(fault.Invalid, "justification.required")
	}
	return nil
}

// enterInstead gives right every role that wrong still has; false when wrong has none.
func enterInstead(c *certificate.Certificate, wrong, right certificate.ID, tx Tx) bool {
	did := false
	for _, l := range c.Companies {
		if l.Company != wrong || l.Situation == certificate.Cancelled {
			continue
		}
		did = true
		i := slices.IndexFunc(c.Companies, func(o certificate.CompanyLink) bool { return o.Company == right && o.Role == l.Role })
		if i >= 0 {
			c.Companies[i].Situation = certificate.Active
			continue
		}
		c.Companies = append(c.Companies, certificate.CompanyLink{Company: right, Role: l.Role,
			EnteredOn: brasil.Today(tx.Now()), Situation: certificate.Active})
	}
	return did
}

func blank(s string) bool { return brasil.Squeeze(s) == "" }
