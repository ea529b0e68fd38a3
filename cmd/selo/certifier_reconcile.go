package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"selo/certificate"
	"selo/certifier"
	"selo/cmd/selo/term"
	"selo/fault"
	"selo/locale"
	"selo/remessa"
)

type certifierReconcileCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	Base           string `help:"${help_reconcile_base}" type:"path" placeholder:"FILE"`
}

// differenceDoc is a difference that was found and settled.
type differenceDoc struct {
	Kind   certifier.DifferenceKind `json:"diferenca"`
	Record certificate.ID           `json:"id,omitempty"`
	Label  string                   `json:"registro,omitempty"`
	Here   int                      `json:"aqui"`
	There  int                      `json:"no_registro"`
	Text   string                   `json:"mensagem"`
}

// Run makes the accepted state of this base equal to what the registry holds
// (FAQ 3.23, 3.26) and tells what differed. Drafts stay.
func (c *certifierReconcileCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var found []certifier.Difference
		err := d.withBase(a, c.Base, func(b *remessa.Bundle) error {
			o, err := readOfficial(a, d, b)
			if err != nil {
				return err
			}
			defer o.close()
			if c.Base == "" {
				if o.Results, err = d.results(a, b.Manifest.Sequence); err != nil {
					return err
				}
			}
			return d.store.Write(a.ctx, func(tx certifier.Tx) (err error) {
				official := o.Official
				if c.Base != "" {
					if official.Results, err = d.inferredResults(a, tx, b); err != nil {
						return err
					}
				}
				found, err = certifier.Reconcile(a.ctx, tx, d.actor, d.keys, official, o.fetch)
				return err
			})
		})
		if err != nil {
			return err
		}
		return tellDifferences(a, found, c.JSON)
	})
}

func tellDifferences(a *app, found []certifier.Difference, asJSON bool) error {
	docs := make([]differenceDoc, len(found))
	rows := make([][]string, len(found))
	for i, f := range found {
		text := locale.Text(a.lang, "reconcile."+string(f.Kind), nil)
		label := f.Label
		if f.Record == "" {
			label = locale.Text(a.lang, "cli.reconcile.remessa", fault.Pairs("numero", strconv.Itoa(f.There)))
		}
		docs[i] = differenceDoc{Kind: f.Kind, Record: f.Record, Label: f.Label, Here: f.Here, There: f.There, Text: text}
		rows[i] = []string{label, text}
	}
	if asJSON {
		return a.json(docs)
	}
	if len(found) == 0 {
		a.out.Done("cli.reconcile.equal")
		return nil
	}
	a.out.Heading("cli.reconcile.heading", "total", locale.Number(a.lang, int64(len(found))))
	a.out.Table([]term.Column{{Key: "cli.column.record"}, {Key: "cli.column.difference"}}, rows)
	a.out.Blank()
	a.out.Done("cli.reconcile.done")
	return nil
}

// officialBase is what the registry holds of the body, laid out in a file so
// that single revisions can be read while the base is open.
type officialBase struct {
	certifier.Official
	file   *os.File
	places map[certificate.ID]place
}

// place is where a revision lies in the file, in bytes.
type place struct {
	offset int64
	size   int
}

// readOfficial checks the bundle with the enrolled key and reads all of it.
// Faults: those of [remessa.Bundle], Conflict "rebase.other_body", Invalid "rebase.scope".
func readOfficial(a *app, d *desk, b *remessa.Bundle) (o *officialBase, err error) {
	if err := d.trust(a, b); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(d.dir, "base-*.parcial")
	if err != nil {
		return nil, fault.New(fault.Unavailable, "data.folder", "pasta", d.dir).Because(err)
	}
	o = &officialBase{file: f, places: map[certificate.ID]place{}}
	m := b.Manifest
	o.Head = &remessa.Head{Body: m.Body, Sequence: m.Sequence, Scope: m.Scope, Previous: m.Previous, PreparedAt: m.PreparedAt}
	newest := map[certificate.ID]int{}
	var offset int64
	err = b.Each(func(_ int64, canonical []byte) error {
		rev, err := certificate.DecodeRevision(canonical)
		if err != nil {
			return err
		}
		if _, err := f.Write(canonical); err != nil {
			return fmt.Errorf("write temporary base: %w", err)
		}
		e := certifier.IndexEntry{Kind: rev.Kind(), ID: rev.ID, Number: rev.Number, Hash: certificate.HashOf(canonical)}
		if i, known := newest[rev.ID]; known {
			o.Index[i] = e // a base may hold earlier revisions too: the later one counts
		} else {
			newest[rev.ID] = len(o.Index)
			o.Index = append(o.Index, e)
		}
		o.places[rev.ID] = place{offset: offset, size: len(canonical)}
		offset += int64(len(canonical))
		return nil
	})
	if err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

func (o *officialBase) close() {
	_ = o.file.Close()           // temporary
	_ = os.Remove(o.file.Name()) // likewise
}

// fetch implements [certifier.Fetch].
func (o *officialBase) fetch(_ context.Context, ids []certificate.ID, visit func(canonical []byte) error) error {
	for _, id := range ids {
		p, ok := o.places[id]
		if !ok {
			continue // the caller sees that it is missing
		}
		canonical := make([]byte, p.size)
		if _, err := o.file.ReadAt(canonical, p.offset); err != nil {
			return fmt.Errorf("read temporary base: %w", err)
		}
		if err := visit(canonical); err != nil {
			return err
		}
	}
	return nil
}

// trust checks that the bundle is the enrolled registry's base of this body.
func (d *desk) trust(a *app, b *remessa.Bundle) error {
	return d.store.Read(a.ctx, func(tx certifier.Tx) error {
		body, err := certifier.CurrentBody(a.ctx, tx)
		if err != nil {
			return err
		}
		reg, err := certifier.CurrentRegistry(a.ctx, tx)
		if err != nil {
			return err
		}
		if b.Manifest.Scope != remessa.Base {
			return fault.New(fault.Invalid, "rebase.scope", "escopo", fmt.Sprintf("%.20s", string(b.Manifest.Scope)))
		}
		if b.Manifest.Body != body.Sigla {
			return fault.New(fault.Conflict, "rebase.other_body",
				"organismo", fmt.Sprintf("%.8s", string(b.Manifest.Body)), "esperado", string(body.Sigla))
		}
		return b.Verify(reg.Keys.Sign)
	})
}

// maxResults is how many results a reconciliation asks for, the newest ones.
const maxResults = 100

// results asks the registry for those that this base may not have, up to the
// last remessa that is in the official base.
func (d *desk) results(a *app, last int64) (list []remessa.Result, err error) {
	first := int64(1)
	err = d.store.Read(a.ctx, func(tx certifier.Tx) error {
		known, err := certifier.ListRemessas(a.ctx, tx, 0)
		for _, r := range known { // newest first
			if r.State == certifier.Confirmed || r.State == certifier.Invalidated {
				first = r.Sequence
				break
			}
		}
		return err
	})
	if err != nil || last == 0 {
		return nil, err
	}
	c, err := d.registry(a.ctx)
	if err != nil {
		return nil, err
	}
	for sequence := max(min(first, last), last-maxResults+1, 1); sequence <= last; sequence++ {
		status, err := c.Result(a.ctx, sequence)
		if err != nil {
			return nil, err
		}
		if status.Result != nil {
			list = append(list, *status.Result)
		}
	}
	return list, nil
}

// inferredResults makes up for the registry's answers where there is no
// network: the signed base names the last remessa that was processed. When this
// base does not know it, its number must be learnt, or the next remessa would be
// refused. The outcome of one that it knows comes with its unlock code.
func (d *desk) inferredResults(a *app, tx certifier.Tx, b *remessa.Bundle) ([]remessa.Result, error) {
	m := b.Manifest
	known, err := certifier.ListRemessas(a.ctx, tx, 0)
	if err != nil || m.Sequence == 0 {
		return nil, err
	}
	for _, r := range known {
		if r.State != certifier.Withdrawn && r.Digest == m.Previous {
			return nil, nil
		}
	}
	reg, err := certifier.CurrentRegistry(a.ctx, tx)
	if err != nil {
		return nil, err
	}
	secret, err := remessa.SharedSecret(d.keys.Agree, reg.Keys.Agree)
	if err != nil {
		return nil, err
	}
	code := remessa.UnlockCode(secret, m.Body, m.Sequence, m.Previous, remessa.Confirmed)
	return []remessa.Result{{Body: m.Body, Sequence: m.Sequence, Digest: m.Previous, Outcome: remessa.Confirmed,
		Code: code.String(), ProcessedAt: m.PreparedAt}}, nil
}
