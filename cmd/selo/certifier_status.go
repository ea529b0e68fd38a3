package main

import (
	"context"
	"errors"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/certifier"
	"selo/cmd/selo/term"
	"selo/fault"
	"selo/locale"
)

type certifierStatusCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
}

// overview is where a body's work stands.
type overview struct {
	Body        certifier.Body `json:"organismo"`
	Registry    string         `json:"registro,omitempty"`
	URL         string         `json:"endereco_registro,omitempty"`
	Tables      int            `json:"tabelas_auxiliares"` // number of the release; 0: none
	Incomplete  int            `json:"certificados_incompletos"`
	Ready       int            `json:"certificados_prontos"`
	Changed     int            `json:"empresas_e_produtos_em_rascunho"`
	Approved    int            `json:"registros_aprovados"`
	Outstanding *remessaDoc    `json:"remessa_pendente,omitempty"`
	Last        *remessaDoc    `json:"ultima_remessa,omitempty"` // the newest that has its result
	Next        string         `json:"proximo_passo"`            // in words
	next        string         // its key
	nextArgs    []string
}

// Run tells where the work stands and what comes next.
func (c *certifierStatusCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var o *overview
		err := d.store.Read(a.ctx, func(tx certifier.Tx) (err error) {
			o, err = overviewOf(a, tx)
			return err
		})
		if err != nil {
			return err
		}
		o.next, o.nextArgs = o.step()
		o.Next = locale.Text(a.lang, o.next, fault.Pairs(o.nextArgs...))
		if c.JSON {
			return a.json(o)
		}
		o.print(a)
		return nil
	})
}

func overviewOf(a *app, tx certifier.Tx) (o *overview, err error) {
	o = &overview{}
	if o.Body, err = certifier.CurrentBody(a.ctx, tx); err != nil {
		return nil, err
	}
	reg, err := certifier.CurrentRegistry(a.ctx, tx)
	if err != nil && !fault.HasKey(err, "enrolment.missing") {
		return nil, err
	}
	o.Registry, o.URL = reg.Name, reg.URL
	if o.Tables, _, err = tx.FindTables(a.ctx); err != nil {
		return nil, err
	}
	type count struct {
		into  *int
		kind  certificate.Kind
		state certifier.ListState
	}
	for _, n := range []count{
		{&o.Incomplete, certificate.KindCertificate, certifier.HasPending},
		{&o.Ready, certificate.KindCertificate, certifier.HasReady},
		{&o.Changed, certificate.KindCompany, certifier.HasDraft},
		{&o.Changed, certificate.KindProduct, certifier.HasDraft},
		{&o.Approved, "", certifier.HasApproved},
	} {
		found, err := countRecords(a.ctx, tx, certifier.Query{Kind: n.kind, State: n.state})
		if err != nil {
			return nil, err
		}
		*n.into += found
	}
	list, err := certifier.ListRemessas(a.ctx, tx, 0)
	if err != nil {
		return nil, err
	}
	for i := range list {
		switch r := &list[i]; {
		case r.State.Outstanding():
			o.Outstanding = remessaDocOf(a.lang, r)
		case r.State != certifier.Withdrawn && o.Last == nil:
			o.Last = remessaDocOf(a.lang, r)
		}
	}
	return o, nil
}

// eachItem visits every record that q finds; q's limit and cursor do not matter.
func eachItem(ctx context.Context, tx certifier.Tx, q certifier.Query, visit func(certifier.Item) error) error {
	q.Limit, q.Cursor = 500, ""
	for {
		page, err := certifier.List(ctx, tx, q)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			if err := visit(item); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.Cursor = page.Next
	}
}

// maxCount is how far an overview counts.
const maxCount = 100_000

var errEnough = errors.New("counted enough")

// countRecords counts what q finds, up to maxCount.
func countRecords(ctx context.Context, tx certifier.Tx, q certifier.Query) (n int, err error) {
	err = eachItem(ctx, tx, q, func(certifier.Item) error {
		if n++; n >= maxCount {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return n, err
}

// step chooses what the person does next, following the cycle of the manual (2.1, figure 3).
func (o *overview) step() (key string, args []string) {
	switch out := o.Outstanding; {
	case o.Registry == "":
		return "cli.next.enrol", []string{"arquivo", string(o.Body.Sigla) + ".inscricao"}
	case out != nil && out.State == certifier.Prepared:
		return "cli.next.send", []string{"numero", out.number()}
	case out != nil:
		return "cli.next.result", []string{"numero", out.number()}
	case o.Tables == 0:
		return "cli.next.tables", nil
	case o.Last != nil && o.Last.State == certifier.Invalidated:
		return "cli.next.correct", []string{"numero", o.Last.number()}
	case o.Ready > 0:
		return "cli.next.approve", nil
	case o.Approved > 0:
		return "cli.next.prepare", nil
	case o.Incomplete > 0:
		return "cli.next.complete", nil
	case o.Changed > 0:
		return "cli.next.changed", nil
	}
	return "cli.next.nothing", nil
}

func (o *overview) print(a *app) {
	number := func(n int) string {
		s := locale.Number(a.lang, int64(n))
		if n >= maxCount {
			s += "+"
		}
		return s
	}
	registry := locale.Text(a.lang, "cli.status.not_enrolled", nil)
	if o.Registry != "" {
		registry = o.Registry
	}
	tables := locale.Text(a.lang, "cli.status.no_tables", nil)
	if o.Tables > 0 {
		tables = number(o.Tables)
	}
	outstanding := locale.Text(a.lang, "cli.status.none", nil)
	if o.Outstanding != nil {
		outstanding = o.Outstanding.oneLine(a.lang)
	}
	pairs := []term.Pair{
		{Key: "cli.label.registry", Value: registry},
		{Key: "cli.label.tables", Value: tables},
		{Key: "cli.label.incomplete", Value: number(o.Incomplete)},
		{Key: "cli.label.ready", Value: number(o.Ready)},
		{Key: "cli.label.changed", Value: number(o.Changed)},
		{Key: "cli.label.approved", Value: number(o.Approved)},
		{Key: "cli.label.outstanding", Value: outstanding},
	}
	if o.Last != nil {
		pairs = append(pairs, term.Pair{Key: "cli.label.last_remessa", Value: o.Last.oneLine(a.lang)})
	}
	a.out.Heading("cli.status.heading", "organismo", string(o.Body.Sigla), "nome", o.Body.Name)
	a.out.Pairs(pairs...)
	a.out.Blank()
	a.out.Note(o.next, o.nextArgs...)
}

// moment writes a time as the office sees it; nothing for none.
func moment(lang locale.Lang, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return locale.Moment(lang, t.In(brasil.Location()))
}
