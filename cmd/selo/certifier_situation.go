package main

import (
	"selo/certificate"
	"selo/certifier"
	"selo/fault"
)

// certifierSituationCmd suspends, cancels and reactivates certificates and what
// is in them (manual 2.2.1.3, 2.2.1.4). It takes effect with a remessa.
type certifierSituationCmd struct {
	Suspend    situationSuspendCmd    `cmd:"" help:"${help_situation_suspend}"`
	Cancel     situationCancelCmd     `cmd:"" help:"${help_situation_cancel}"`
	Reactivate situationReactivateCmd `cmd:"" help:"${help_situation_reactivate}"`
}

// situationFlags say of what: the certificate, or one product, service or company in it.
type situationFlags struct {
	certifierFlags `embed:""`
	Number         string               `arg:"" help:"${help_arg_certificate}"`
	Product        string               `help:"${help_situation_product}" placeholder:"MARCA|MODELO" xor:"what"`
	Service        certificate.ID       `help:"${help_situation_service}" placeholder:"ID" xor:"what"`
	Company        string               `help:"${help_situation_company}" placeholder:"CNPJ" xor:"what"`
	Document       string               `help:"${help_situation_document}" placeholder:"portaria-302-2021"`
	Role           certificate.RoleCode `help:"${help_role}"`
	TransferTo     string               `help:"${help_transfer_to}" placeholder:"CNPJ" xor:"how"`
	Propagate      bool                 `help:"${help_propagate}" xor:"how"`
	Justification  string               `required:"" help:"${help_justification}"`
}

type situationSuspendCmd struct {
	situationFlags `embed:""`
}

// Run suspends.
func (c *situationSuspendCmd) Run(a *app) error { return c.move(a, certificate.Suspended) }

type situationCancelCmd struct {
	situationFlags `embed:""`
}

// Run cancels.
func (c *situationCancelCmd) Run(a *app) error { return c.move(a, certificate.Cancelled) }

type situationReactivateCmd struct {
	situationFlags `embed:""`
}

// Run makes active again.
func (c *situationReactivateCmd) Run(a *app) error { return c.move(a, certificate.Active) }

func (c *situationFlags) move(a *app, to certificate.Situation) error {
	if c.Company == "" && (c.Role != "" || c.TransferTo != "" || c.Propagate) {
		return fault.New(fault.Invalid, "cli.situation.company_only")
	}
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var r *certifier.Record
		err := d.store.Write(a.ctx, func(tx certifier.Tx) (err error) {
			r, err = c.apply(finder{ctx: a.ctx, tx: tx}, d.actor, to)
			return err
		})
		if err != nil {
			return err
		}
		what := joined(c.Product, string(c.Service), c.Company, c.Document)
		if what == "" {
			a.out.Done("cli.situation.done", "registro", r.Label, "situacao", situation(a.lang, to))
		} else {
			a.out.Done("cli.situation.inside", "registro", r.Label, "item", what, "situacao", situation(a.lang, to))
		}
		a.out.Note("cli.situation.next")
		return nil
	})
}

func (c *situationFlags) apply(f finder, actor certifier.Actor, to certificate.Situation) (*certifier.Record, error) {
	r, err := f.certificate(c.Number)
	if err != nil {
		return nil, err
	}
	newest := r.Newest()
	switch {
	case newest == nil || newest.Certificate == nil:
		return nil, fault.New(fault.Invalid, "draft.kind", "registro", r.Label)
	case c.Document != "":
		return certifier.ChangeCertificate(f.ctx, f.tx, actor, r.ID, c.Justification, func(x *certificate.Certificate) error {
			if c.Service != "" {
				return certificate.SetServiceDocumentSituation(x, c.Service, certificate.DocumentCode(c.Document), to)
			}
			return certificate.SetDocumentSituation(x, certificate.DocumentCode(c.Document), to)
		})
	case c.Product != "":
		id, err := f.inside(newest.Certificate, certificate.KindProduct, c.Product)
		if err != nil {
			return nil, err
		}
		return certifier.SetProductSituation(f.ctx, f.tx, actor, r.ID, id, to, c.Justification)
	case c.Service != "":
		return certifier.SetServiceSituation(f.ctx, f.tx, actor, r.ID, c.Service, to, c.Justification)
	case c.Company != "":
		id, err := f.inside(newest.Certificate, certificate.KindCompany, c.Company)
		if err != nil {
			return nil, err
		}
		how := certificate.Transfer{Propagate: c.Propagate}
		if c.TransferTo != "" {
			if how.To, err = f.inside(newest.Certificate, certificate.KindCompany, c.TransferTo); err != nil {
				return nil, err
			}
		}
		return certifier.SetCompanySituation(f.ctx, f.tx, actor, r.ID, id, c.Role, to, how, c.Justification)
	}
	return certifier.SetSituation(f.ctx, f.tx, actor, r.ID, to, c.Justification)
}

type certifierReplaceCmd struct {
	certifierFlags `embed:""`
	Wrong          string `arg:"" help:"${help_arg_wrong}"`
	Right          string `arg:"" help:"${help_arg_right}"`
	Justification  string `required:"" help:"${help_justification}"`
}

// Run puts the right company in the place of the wrong one, in every certificate (FAQ 3.15).
func (c *certifierReplaceCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var labels []string
		err := d.store.Write(a.ctx, func(tx certifier.Tx) error {
			labels = nil
			f := finder{ctx: a.ctx, tx: tx}
			wrong, err := f.find(certificate.KindCompany, c.Wrong)
			if err != nil {
				return err
			}
			right, err := f.find(certificate.KindCompany, c.Right)
			if err != nil {
				return err
			}
			ids, err := certifier.ReplaceCompany(a.ctx, tx, d.actor, wrong, right, c.Justification)
			if err != nil {
				return err
			}
			labels, err = labelsOf(a, tx, ids)
			return err
		})
		if err != nil {
			return err
		}
		for _, label := range labels {
			a.out.Done("cli.replaced", "registro", label)
		}
		if len(labels) == 0 {
			a.out.Note("cli.replace.nothing")
			return nil
		}
		a.out.Note("cli.situation.next")
		return nil
	})
}
