package main

import (
	"strconv"

	"selo/certificate"
	"selo/certifier"
	"selo/fault"
	"selo/locale"
)

type certifierCheckCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	Numbers        []string `arg:"" optional:"" help:"${help_arg_certificates}"`
}

// checkDoc tells what stands between one record and its approval.
type checkDoc struct {
	ID       certificate.ID    `json:"id"`
	Label    string            `json:"registro"`
	Ready    bool              `json:"pronto"`
	SavedAt  string            `json:"salvo_em,omitempty"`
	SavedBy  certifier.Actor   `json:"salvo_por,omitempty"`
	Problems []locale.Rendered `json:"pendencias"`
}

func checkDocOf(lang locale.Lang, i certifier.Incomplete) checkDoc {
	return checkDoc{ID: i.ID, Label: i.Label, Ready: len(i.Problems) == 0, SavedAt: i.SavedAt, SavedBy: i.SavedBy,
		Problems: rendered(lang, i.Problems)}
}

// Run names everything that approval would object to, of the certificates named
// or of every draft. It ends with exit code 2 when there is anything.
func (c *certifierCheckCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var found []certifier.Incomplete
		err := d.store.Read(a.ctx, func(tx certifier.Tx) (err error) {
			found, err = c.find(a, tx)
			return err
		})
		if err != nil {
			return err
		}
		docs, open := make([]checkDoc, len(found)), 0
		for i, f := range found {
			docs[i] = checkDocOf(a.lang, f)
			open += min(1, len(f.Problems))
		}
		if c.JSON {
			err = a.json(docs)
		} else {
			printChecks(a, docs)
		}
		if err == nil && open > 0 {
			return errSaid
		}
		return err
	})
}

func (c *certifierCheckCmd) find(a *app, tx certifier.Tx) ([]certifier.Incomplete, error) {
	if len(c.Numbers) == 0 {
		open, err := certifier.ListIncomplete(a.ctx, tx)
		if err != nil {
			return nil, err
		}
		ready, err := certifier.ListReady(a.ctx, tx)
		return append(open, ready...), err
	}
	f := finder{ctx: a.ctx, tx: tx}
	var found []certifier.Incomplete
	for _, number := range c.Numbers {
		r, err := f.certificate(number)
		if err != nil {
			return nil, err
		}
		problems, err := certifier.Check(a.ctx, tx, r.ID)
		if err != nil {
			return nil, err
		}
		found = append(found, certifier.Incomplete{Row: r.Row, SavedBy: r.Draft.SavedBy, Problems: problems,
			SavedAt: r.Draft.SavedAt.UTC().Format("2006-01-02T15:04:05Z07:00")})
	}
	return found, nil
}

func printChecks(a *app, docs []checkDoc) {
	if len(docs) == 0 {
		a.out.Note("cli.check.nothing")
		return
	}
	for _, doc := range docs {
		if doc.Ready {
			a.out.Done("cli.check.ready", "registro", doc.Label)
			continue
		}
		a.out.Failed("cli.check.open", "registro", doc.Label, "pendencias", strconv.Itoa(len(doc.Problems)))
		a.out.Problems(doc.Problems, "selo certifier check --json")
		a.out.Blank()
	}
}

type certifierApproveCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	Numbers        []string `arg:"" optional:"" help:"${help_arg_certificates}"`
	Ready          bool     `help:"${help_approve_ready}" xor:"what"`
	Products       bool     `help:"${help_approve_products}" xor:"what"`
	Justification  string   `help:"${help_justification}"`
}

// approvalDoc is what an approval did.
type approvalDoc struct {
	Certificates int        `json:"certificados"`
	Companies    int        `json:"empresas"`
	Products     int        `json:"produtos"`
	Unchanged    int        `json:"sem_alteracao"`
	Open         []checkDoc `json:"nao_prontos,omitempty"`
}

// Run freezes drafts for the next remessa.
func (c *certifierApproveCmd) Run(a *app) error {
	if (len(c.Numbers) > 0) == (c.Ready || c.Products) {
		return fault.New(fault.Invalid, "cli.approve.what")
	}
	if c.Ready && c.Justification != "" {
		return fault.New(fault.Invalid, "cli.approve.justification")
	}
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var approval certifier.Approval
		var open []certifier.Incomplete
		err := d.store.Write(a.ctx, func(tx certifier.Tx) (err error) {
			open = nil
			if c.Ready {
				approval, open, err = certifier.ApproveReady(a.ctx, tx, d.actor)
				return err
			}
			ids, err := c.ids(a, tx)
			if err != nil {
				return err
			}
			approval, err = certifier.Approve(a.ctx, tx, d.actor, ids, c.Justification)
			return err
		})
		if err != nil {
			return err
		}
		return c.tell(a, approval, open)
	})
}

// ids are the certificates named, or the companies and products that changed
// since they were approved; new ones go along with their certificate.
func (c *certifierApproveCmd) ids(a *app, tx certifier.Tx) (ids []certificate.ID, err error) {
	if !c.Products {
		return finder{ctx: a.ctx, tx: tx}.certificates(c.Numbers)
	}
	for _, kind := range []certificate.Kind{certificate.KindCompany, certificate.KindProduct} {
		err = eachItem(a.ctx, tx, certifier.Query{Kind: kind, State: certifier.HasDraft}, func(i certifier.Item) error {
			if i.Approved || i.Travelling || i.Accepted {
				ids = append(ids, i.ID)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func (c *certifierApproveCmd) tell(a *app, did certifier.Approval, open []certifier.Incomplete) error {
	doc := approvalDoc{Certificates: did.Certificates, Companies: did.Companies, Products: did.Products, Unchanged: did.Unchanged}
	for _, i := range open {
		doc.Open = append(doc.Open, checkDocOf(a.lang, i))
	}
	if c.JSON {
		return a.json(doc)
	}
	number := func(n int) string { return locale.Number(a.lang, int64(n)) }
	if did.Total() == 0 {
		a.out.Note("cli.approve.nothing")
	} else {
		a.out.Done("cli.approve.done", "certificados", number(did.Certificates), "empresas", number(did.Companies), "produtos", number(did.Products))
		a.out.Note("cli.next.prepare")
	}
	if len(open) > 0 {
		a.out.Section("cli.approve.open", "total", number(len(open)))
		printChecks(a, doc.Open)
	}
	return nil
}

type certifierReopenCmd struct {
	certifierFlags `embed:""`
	Number         string `arg:"" help:"${help_arg_reopen}"`
	Kind           string `help:"${help_kind}" enum:"certificado,empresa,produto" default:"certificado"`
	Reason         string `required:"" help:"${help_reason}"`
}

// Run gives what waits for a remessa back to the draft, to be corrected.
func (c *certifierReopenCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var labels []string
		err := d.store.Write(a.ctx, func(tx certifier.Tx) error {
			labels = nil
			id, err := finder{ctx: a.ctx, tx: tx}.find(certificate.Kind(c.Kind), c.Number)
			if err != nil {
				return err
			}
			ids, err := certifier.Reopen(a.ctx, tx, d.actor, id, c.Reason)
			if err != nil {
				return err
			}
			labels, err = labelsOf(a, tx, ids)
			return err
		})
		for _, label := range labels {
			a.out.Done("cli.reopened", "registro", label)
		}
		return err
	})
}

func labelsOf(a *app, tx certifier.Tx, ids []certificate.ID) ([]string, error) {
	rows, err := tx.Rows(a.ctx, ids)
	if err != nil {
		return nil, err
	}
	labels := make([]string, len(ids))
	for i, id := range ids {
		labels[i] = rows[id].Label
	}
	return labels, nil
}
