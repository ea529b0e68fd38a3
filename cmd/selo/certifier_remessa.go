package main

import (
	"strconv"
	"strings"
	"time"

	"selo/certificate"
	"selo/certifier"
	"selo/cmd/selo/term"
	"selo/fault"
	"selo/locale"
	"selo/remessa"
)

// certifierRemessaCmd is the Controle de Remessas (manual 2.2.3 to 2.2.5).
type certifierRemessaCmd struct {
	Prepare remessaPrepareCmd `cmd:"" help:"${help_remessa_prepare}"`
	Cancel  remessaCancelCmd  `cmd:"" help:"${help_remessa_cancel}"`
	Send    remessaSendCmd    `cmd:"" help:"${help_remessa_send}"`
	Result  remessaResultCmd  `cmd:"" help:"${help_remessa_result}"`
	Unlock  remessaUnlockCmd  `cmd:"" help:"${help_remessa_unlock}"`
	List    remessaListCmd    `cmd:"" help:"${help_remessa_list}"`
	Show    remessaShowCmd    `cmd:"" help:"${help_remessa_show}"`
}

// remessaDoc is a remessa for programs and people.
type remessaDoc struct {
	Sequence   int64                  `json:"sequencia"`
	State      certifier.RemessaState `json:"estado"`
	Scope      remessa.Scope          `json:"escopo"`
	Count      int64                  `json:"registros"`
	Digest     certificate.Hash       `json:"digest"`
	Previous   certificate.Hash       `json:"anterior,omitzero"`
	File       string                 `json:"arquivo,omitempty"`
	PreparedAt time.Time              `json:"preparada_em"`
	PreparedBy certifier.Actor        `json:"preparada_por,omitempty"`
	SentAt     time.Time              `json:"enviada_em,omitzero"`
	How        string                 `json:"meio,omitempty"`
	ResultAt   time.Time              `json:"resultado_em,omitzero"`
	Code       string                 `json:"senha_desbloqueio,omitempty"`
	Total      int64                  `json:"total_motivos,omitempty"`
	Reasons    []locale.Rendered      `json:"motivos,omitempty"`
}

func remessaDocOf(lang locale.Lang, r *certifier.Remessa) *remessaDoc {
	return &remessaDoc{Sequence: r.Sequence, State: r.State, Scope: r.Scope, Count: r.Count, Digest: r.Digest, Previous: r.Previous,
		File: r.File, PreparedAt: r.PreparedAt, PreparedBy: r.PreparedBy, SentAt: r.SentAt, How: r.How, ResultAt: r.ResultAt,
		Code: r.Code, Total: r.Total, Reasons: rendered(lang, r.Reasons)}
}

func (r *remessaDoc) number() string { return strconv.FormatInt(r.Sequence, 10) }

func (r *remessaDoc) oneLine(lang locale.Lang) string {
	return locale.Text(lang, "cli.remessa.line", fault.Pairs("numero", r.number(), "estado", remessaState(lang, r.State)))
}

func remessaState(lang locale.Lang, s certifier.RemessaState) string {
	return locale.Text(lang, "cli.remessa.state."+string(s), nil)
}

type remessaPrepareCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	Full           bool `help:"${help_full}"`
}

// Run makes the next remessa of everything approved.
func (c *remessaPrepareCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		scope := remessa.Partial
		if c.Full {
			scope = remessa.Full
		}
		r, err := d.prepare(a.ctx, scope)
		if err != nil {
			return err
		}
		doc := remessaDocOf(a.lang, r)
		if c.JSON {
			return a.json(doc)
		}
		a.out.Done("cli.remessa.prepared", "numero", doc.number(), "registros", locale.Number(a.lang, r.Count))
		a.out.Line(d.outbox.Path(r.File))
		a.out.Note("cli.next.send", "numero", doc.number())
		return nil
	})
}

type remessaCancelCmd struct {
	certifierFlags `embed:""`
}

// Run withdraws the prepared remessa.
func (c *remessaCancelCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var r *certifier.Remessa
		err := d.store.Write(a.ctx, func(tx certifier.Tx) (err error) {
			r, err = certifier.Cancel(a.ctx, tx, d.actor, d.outbox)
			return err
		})
		if err == nil {
			a.out.Done("cli.remessa.cancelled", "numero", strconv.FormatInt(r.Sequence, 10))
		}
		return err
	})
}

type remessaSendCmd struct {
	certifierFlags `embed:""`
	To             string `help:"${help_send_to}" type:"existingdir" placeholder:"FOLDER"`
}

// Run delivers the outstanding remessa, or copies it to be carried by hand.
func (c *remessaSendCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		if c.To != "" {
			return c.export(a, d)
		}
		r, err := d.send(a.ctx, term.Func(a.err.Progress(), "cli.progress.send"))
		if err != nil {
			return err
		}
		number := strconv.FormatInt(r.Sequence, 10)
		a.out.Done("cli.remessa.sent", "numero", number)
		a.out.Note("cli.next.result", "numero", number)
		return nil
	})
}

func (c *remessaSendCmd) export(a *app, d *desk) error {
	var path string
	err := d.store.Write(a.ctx, func(tx certifier.Tx) (err error) {
		if _, err = certifier.Resume(a.ctx, tx, d.keys, d.outbox); err != nil {
			return err
		}
		path, err = certifier.Export(a.ctx, tx, d.actor, d.outbox, c.To)
		return err
	})
	if err != nil {
		return err
	}
	a.out.Done("cli.remessa.exported")
	a.out.Line(path)
	a.out.Note("cli.remessa.carry")
	return nil
}

type remessaResultCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
}

// Run asks the registry for the result of the sent remessa and applies it.
func (c *remessaResultCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		answer, ok, err := d.fetchResult(a.ctx)
		if err != nil {
			return err
		}
		if !ok {
			r, err := d.outstanding(a)
			if err != nil {
				return err
			}
			if c.JSON {
				return a.json(remessaDocOf(a.lang, r))
			}
			a.out.Note("cli.remessa.not_processed", "numero", strconv.FormatInt(r.Sequence, 10))
			return nil
		}
		return answered(a, answer, c.JSON)
	})
}

func (d *desk) outstanding(a *app) (r *certifier.Remessa, err error) {
	err = d.store.Read(a.ctx, func(tx certifier.Tx) error {
		r, err = certifier.Outstanding(a.ctx, tx)
		return err
	})
	return r, err
}

type remessaUnlockCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	Code           []string `arg:"" help:"${help_arg_code}"`
}

// Run takes a senha de desbloqueio as it stands in the e-mail; no network is needed.
func (c *remessaUnlockCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var answer certifier.Answer
		err := d.store.Write(a.ctx, func(tx certifier.Tx) (err error) {
			answer, err = certifier.Unlock(a.ctx, tx, d.actor, d.keys, strings.Join(c.Code, " "))
			return err
		})
		if err != nil {
			return err
		}
		return answered(a, answer, c.JSON)
	})
}

// answered tells what a result or a code did.
func answered(a *app, answer certifier.Answer, asJSON bool) error {
	doc := remessaDocOf(a.lang, answer.Remessa)
	if asJSON {
		return a.json(doc)
	}
	if answer.Outcome == remessa.Confirmed {
		a.out.Done("cli.remessa.confirmed", "numero", doc.number())
		a.out.Note("cli.remessa.cycle_done")
		return nil
	}
	a.out.Failed("cli.remessa.invalidated", "numero", doc.number())
	if len(doc.Reasons) > 0 {
		a.out.Problems(doc.Reasons, "selo certifier remessa show --json "+doc.number())
	}
	a.out.Note("cli.next.correct", "numero", doc.number())
	return nil
}

type remessaListCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	Limit          int `help:"${help_limit}" default:"20"`
}

// Run lists the body's remessas, newest first.
func (c *remessaListCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		docs := []*remessaDoc{}
		err := d.store.Read(a.ctx, func(tx certifier.Tx) error {
			docs = docs[:0]
			list, err := certifier.ListRemessas(a.ctx, tx, max(c.Limit, 0))
			for i := range list {
				docs = append(docs, remessaDocOf(a.lang, &list[i]))
			}
			return err
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(docs)
		}
		rows := make([][]string, len(docs))
		for i, r := range docs {
			rows[i] = []string{r.number(), remessaState(a.lang, r.State), moment(a.lang, r.PreparedAt), moment(a.lang, r.SentAt),
				moment(a.lang, r.ResultAt), locale.Number(a.lang, r.Count)}
		}
		a.out.Table([]term.Column{{Key: "cli.column.sequence", Right: true}, {Key: "cli.column.state"}, {Key: "cli.column.prepared"},
			{Key: "cli.column.sent"}, {Key: "cli.column.result"}, {Key: "cli.column.records", Right: true}}, rows)
		return nil
	})
}

type remessaShowCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	Sequence       int64 `arg:"" help:"${help_arg_sequence}"`
}

// Run shows one remessa: its journey and, of an invalidated one, every reason.
func (c *remessaShowCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var doc *remessaDoc
		err := d.store.Read(a.ctx, func(tx certifier.Tx) error {
			list, err := certifier.ListRemessas(a.ctx, tx, 0)
			if err != nil {
				return err
			}
			doc = nil
			for i := range list { // newest first; a withdrawn one shares its number with its successor
				if list[i].Sequence == c.Sequence && (doc == nil || doc.State == certifier.Withdrawn) {
					doc = remessaDocOf(a.lang, &list[i])
				}
			}
			if doc == nil {
				return fault.New(fault.NotFound, "remessa.not_found", "numero", strconv.FormatInt(c.Sequence, 10))
			}
			return nil
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(doc)
		}
		doc.print(a)
		return nil
	})
}

func (r *remessaDoc) print(a *app) {
	a.out.Heading("cli.remessa.heading", "numero", r.number())
	pairs := []term.Pair{
		{Key: "cli.label.state", Value: remessaState(a.lang, r.State)},
		{Key: "cli.label.scope", Value: locale.Text(a.lang, "cli.remessa.scope."+string(r.Scope), nil)},
		{Key: "cli.label.records", Value: locale.Number(a.lang, r.Count)},
		{Key: "cli.label.digest", Value: r.Digest.String()},
		{Key: "cli.label.prepared", Value: joined(moment(a.lang, r.PreparedAt), string(r.PreparedBy))},
		{Key: "cli.label.sent", Value: joined(moment(a.lang, r.SentAt), r.How)},
		{Key: "cli.label.result", Value: moment(a.lang, r.ResultAt)},
		{Key: "cli.label.unlock_code", Value: r.Code},
		{Key: "cli.label.file", Value: r.File},
	}
	a.out.Pairs(filled(pairs)...)
	if len(r.Reasons) > 0 {
		a.out.Blank()
		a.out.Problems(r.Reasons, "selo certifier remessa show --json "+r.number())
	}
}

// joined puts the parts that say something beside each other.
func joined(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " · ")
}
