package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/certifier"
	"selo/cmd/selo/term"
	"selo/fault"
	"selo/locale"
)

// draftDoc is a draft in a document.
type draftDoc struct {
	Pending int             `json:"pendencias"`
	SavedAt time.Time       `json:"salvo_em"`
	SavedBy certifier.Actor `json:"salvo_por"`
}

// revisionDoc is a revision of the body's log.
type revisionDoc struct {
	Number     int              `json:"revisao"`
	Hash       certificate.Hash `json:"hash"`
	ApprovedAt time.Time        `json:"aprovada_em"`
	ApprovedBy certifier.Actor  `json:"aprovada_por"`
}

func revisionDocOf(f *certifier.Frozen) *revisionDoc {
	if f == nil {
		return nil
	}
	return &revisionDoc{Number: f.Number, Hash: f.Hash, ApprovedAt: f.ApprovedAt, ApprovedBy: f.ApprovedBy}
}

func recordDocOf(lang locale.Lang, r *certifier.Record) recordDoc {
	doc := recordDoc{ID: r.ID, Version: r.Version, State: &stateDoc{Label: r.Label, Approved: revisionDocOf(r.Approved),
		Travelling: revisionDocOf(r.Travelling), Accepted: revisionDocOf(r.Accepted), Reasons: rendered(lang, r.Reasons)}}
	if r.Draft != nil {
		doc.State.Draft = &draftDoc{Pending: r.Draft.Pending, SavedAt: r.Draft.SavedAt, SavedBy: r.Draft.SavedBy}
	}
	if newest := r.Newest(); newest != nil {
		doc.Certificate, doc.Company, doc.Product = newest.Certificate, newest.Company, newest.Product
	}
	return doc
}

// kindArg is a kind of record on the command line.
type kindArg struct {
	Kind string `arg:"" enum:"certificado,empresa,produto" help:"${help_arg_kind}"`
}

type certifierGetCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	kindArg        `embed:""`
	Key            string `arg:"" help:"${help_arg_record}"`
}

// Run shows one record as it is now; its JSON may be edited and put back.
func (c *certifierGetCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var r *certifier.Record
		var m *certifier.Mirror
		err := d.store.Read(a.ctx, func(tx certifier.Tx) error {
			id, err := finder{ctx: a.ctx, tx: tx}.find(certificate.Kind(c.Kind), c.Key)
			if err != nil {
				return err
			}
			if r, err = certifier.Find(a.ctx, tx, id); err != nil || c.JSON || r.Kind != certificate.KindCertificate {
				return err
			}
			m, err = certifier.MirrorOf(a.ctx, tx, id, false)
			return err
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(recordDocOf(a.lang, r))
		}
		if m != nil {
			printMirror(a, m)
			return nil
		}
		printRecord(a, r)
		return nil
	})
}

func printRecord(a *app, r *certifier.Record) {
	a.out.Heading("cli.record.heading", "registro", r.Label)
	pairs := []term.Pair{{Key: "cli.label.id", Value: string(r.ID)}, {Key: "cli.label.holds", Value: holds(a.lang, certifier.Item{
		Draft: r.Draft != nil, Approved: r.Approved != nil, Travelling: r.Travelling != nil, Accepted: r.Accepted != nil})}}
	if newest := r.Newest(); newest != nil && newest.Company != nil {
		pairs = append(pairs, companyPairs(newest.Company)...)
	} else if newest != nil && newest.Product != nil {
		pairs = append(pairs, productPairs(a.lang, newest.Product)...)
	}
	a.out.Pairs(filled(pairs)...)
	if len(r.Reasons) > 0 {
		a.out.Blank()
		a.out.Problems(rendered(a.lang, r.Reasons), "")
	}
}

// filled leaves out what says nothing.
func filled(pairs []term.Pair) []term.Pair {
	return slices.DeleteFunc(pairs, func(p term.Pair) bool { return p.Value == "" })
}

func companyPairs(c *certificate.Company) []term.Pair {
	return []term.Pair{
		{Key: "cli.label.name", Value: c.Name}, {Key: "cli.label.trade_name", Value: c.TradeName},
		{Key: "cli.label.tax_id", Value: taxID(c)}, {Key: "cli.label.country", Value: string(c.Country)},
		{Key: "cli.label.address", Value: address(c)},
		{Key: "cli.label.phone", Value: c.Phone}, {Key: "cli.label.email", Value: c.Email},
	}
}

func productPairs(lang locale.Lang, p *certificate.Product) []term.Pair {
	return []term.Pair{
		{Key: "cli.label.brand", Value: p.Brand}, {Key: "cli.label.model", Value: p.Model},
		{Key: "cli.label.imported", Value: yesNo(lang, p.Imported)}, {Key: "cli.label.description", Value: p.Description},
		{Key: "cli.label.commercial_name", Value: p.CommercialName}, {Key: "cli.label.family", Value: p.Family},
		{Key: "cli.label.gtin", Value: gtins(p.GTINs)},
	}
}

type certifierListCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	queryFlags     `embed:""`
	Kind           string `help:"${help_kind}" enum:",certificado,empresa,produto" default:""`
	Limit          int    `help:"${help_limit}" default:"50"`
	Cursor         string `help:"${help_cursor}"`
}

// queryFlags choose records.
type queryFlags struct {
	Text      string `help:"${help_text}"`
	State     string `help:"${help_state}" enum:",rascunho,incompleto,pronto,aprovado,em_remessa,aceito" default:""`
	Situation string `help:"${help_situation}" enum:",ativo,suspenso,cancelado" default:""`
	Class     string `help:"${help_class}"`
}

func (q queryFlags) query(kind certificate.Kind) certifier.Query {
	return certifier.Query{Kind: kind, Text: q.Text, State: certifier.ListState(q.State),
		Situation: certificate.Situation(q.Situation), Class: certificate.ClassCode(q.Class)}
}

// itemDoc is a row of a list for programs.
type itemDoc struct {
	ID         certificate.ID        `json:"id"`
	Kind       certificate.Kind      `json:"tipo_registro"`
	Label      string                `json:"registro"`
	Version    int64                 `json:"versao"`
	Situation  certificate.Situation `json:"situacao,omitempty"`
	Class      certificate.ClassCode `json:"classe,omitempty"`
	IssuedOn   brasil.Date           `json:"data_emissao,omitzero"`
	ValidUntil brasil.Date           `json:"data_validade,omitzero"`
	Draft      bool                  `json:"rascunho"`
	Approved   bool                  `json:"aprovado"`
	Travelling bool                  `json:"em_remessa"`
	Accepted   bool                  `json:"aceito"`
	Pending    int                   `json:"pendencias"`
	ChangedAt  time.Time             `json:"alterado_em"`
	ChangedBy  certifier.Actor       `json:"alterado_por"`
}

func itemDocOf(i certifier.Item) itemDoc {
	return itemDoc{ID: i.ID, Kind: i.Kind, Label: i.Label, Version: i.Version, Situation: i.Situation, Class: i.Class,
		IssuedOn: i.IssuedOn, ValidUntil: i.ValidUntil, Draft: i.Draft, Approved: i.Approved, Travelling: i.Travelling,
		Accepted: i.Accepted, Pending: i.Pending, ChangedAt: i.ChangedAt, ChangedBy: i.ChangedBy}
}

// Run lists records by what people remember of them; accents, case and punctuation do not count.
func (c *certifierListCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var page certifier.Page
		err := d.store.Read(a.ctx, func(tx certifier.Tx) (err error) {
			q := c.query(certificate.Kind(c.Kind))
			q.Limit, q.Cursor = c.Limit, c.Cursor
			page, err = certifier.List(a.ctx, tx, q)
			return err
		})
		if err != nil {
			return err
		}
		if c.JSON {
			docs := make([]itemDoc, len(page.Items))
			for i, item := range page.Items {
				docs[i] = itemDocOf(item)
			}
			return a.json(struct {
				Items []itemDoc `json:"registros"`
				Next  string    `json:"proximo,omitempty"`
			}{docs, page.Next})
		}
		printItems(a, page.Items, c.Kind)
		if page.Next != "" {
			a.out.Note("cli.list.more", "cursor", page.Next)
		}
		return nil
	})
}

// printItems writes records as rows; a kind that all have is not repeated in each.
func printItems(a *app, items []certifier.Item, kind string) {
	columns := []term.Column{{Key: "cli.column.record"}, {Key: "cli.column.situation"}, {Key: "cli.column.class"},
		{Key: "cli.column.valid_until"}, {Key: "cli.column.holds"}}
	if slices.ContainsFunc(items, func(i certifier.Item) bool { return i.Pending > 0 }) {
		columns = append(columns, term.Column{Key: "cli.column.pending", Right: true})
	}
	rows := make([][]string, len(items))
	for i, item := range items {
		pending := ""
		if item.Pending > 0 {
			pending = strconv.Itoa(item.Pending)
		}
		rows[i] = []string{strings.TrimPrefix(item.Label, kind+" "), situation(a.lang, item.Situation), string(item.Class), locale.Date(a.lang, item.ValidUntil),
			holds(a.lang, item), pending}
	}
	a.out.Table(columns, rows)
}

// holds names what a record holds at once.
func holds(lang locale.Lang, i certifier.Item) string {
	var parts []string
	if i.Draft {
		parts = append(parts, locale.Text(lang, "cli.holds.draft", nil))
	}
	if i.Approved {
		parts = append(parts, locale.Text(lang, "cli.holds.approved", nil))
	}
	if i.Travelling {
		parts = append(parts, locale.Text(lang, "cli.holds.travelling", nil))
	}
	if i.Accepted {
		parts = append(parts, locale.Text(lang, "cli.holds.accepted", nil))
	}
	return joined(parts...)
}

func situation(lang locale.Lang, s certificate.Situation) string {
	if s == "" {
		return ""
	}
	return locale.Text(lang, "cli.situation."+string(s), nil)
}

func yesNo(lang locale.Lang, yes bool) string {
	if yes {
		return locale.Text(lang, "cli.yes", nil)
	}
	return locale.Text(lang, "cli.no", nil)
}

type certifierDiscardCmd struct {
	certifierFlags `embed:""`
	kindArg        `embed:""`
	Key            string `arg:"" help:"${help_arg_record}"`
}

// Run undoes everything since the record's last approval.
func (c *certifierDiscardCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var label string
		err := d.store.Write(a.ctx, func(tx certifier.Tx) error {
			id, err := finder{ctx: a.ctx, tx: tx}.find(certificate.Kind(c.Kind), c.Key)
			if err != nil {
				return err
			}
			r, err := certifier.Find(a.ctx, tx, id)
			if err != nil {
				return err
			}
			if r.Kind == "" {
				return fault.New(fault.Conflict, "draft.none", "registro", c.Key)
			}
			label = r.Label
			return certifier.DiscardDraft(a.ctx, tx, d.actor, id, r.Version)
		})
		if err == nil {
			a.out.Done("cli.discarded", "registro", label)
		}
		return err
	})
}
