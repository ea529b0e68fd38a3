package main

import (
	"strconv"
	"strings"

	"selo/brasil"
	"selo/certificate"
	"selo/certifier"
	"selo/cmd/selo/term"
	"selo/locale"
)

// certifierReportCmd are the reports of the manual (2.4).
type certifierReportCmd struct {
	Incomplete reportIncompleteCmd `cmd:"" help:"${help_report_incomplete}"`
	Ready      reportReadyCmd      `cmd:"" help:"${help_report_ready}"`
	Mirror     reportMirrorCmd     `cmd:"" help:"${help_report_mirror}"`
	List       reportListCmd       `cmd:"" help:"${help_report_list}"`
}

type reportIncompleteCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
}

// Run is Certificados incompletos (manual 2.4.1).
func (c *reportIncompleteCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var list []certifier.Incomplete
		err := d.store.Read(a.ctx, func(tx certifier.Tx) (err error) {
			list, err = certifier.ListIncomplete(a.ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(checkDocs(a.lang, list))
		}
		a.out.Heading("cli.report.incomplete", "total", strconv.Itoa(len(list)))
		rows := make([][]string, len(list))
		for i, r := range list {
			var pending []string
			for _, p := range rendered(a.lang, r.Problems) {
				pending = append(pending, p.Message)
			}
			rows[i] = reportRow(a, r, strings.Join(pending, " "))
		}
		a.out.Table(append(reportColumns(), term.Column{Key: "cli.column.pending"}), rows)
		return nil
	})
}

func checkDocs(lang locale.Lang, list []certifier.Incomplete) []checkDoc {
	docs := make([]checkDoc, len(list))
	for i, r := range list {
		docs[i] = checkDocOf(lang, r)
	}
	return docs
}

// reportColumns are those of the manual's picture (2.4.1).
func reportColumns() []term.Column {
	return []term.Column{{Key: "cli.column.certificate"}, {Key: "cli.column.class"}, {Key: "cli.column.changed_by"}, {Key: "cli.column.changed_at"}}
}

func reportRow(a *app, r certifier.Incomplete, last ...string) []string {
	return append([]string{strings.TrimPrefix(r.Label, "certificado "), string(r.Class), string(r.ChangedBy), moment(a.lang, r.ChangedAt)}, last...)
}

type reportReadyCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
}

// Run is Certificados prontos para aprovação (manual 2.4.2).
func (c *reportReadyCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var list []certifier.Ready
		err := d.store.Read(a.ctx, func(tx certifier.Tx) (err error) {
			list, err = certifier.ListReady(a.ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(checkDocs(a.lang, list))
		}
		a.out.Heading("cli.report.ready", "total", strconv.Itoa(len(list)))
		rows := make([][]string, len(list))
		for i, r := range list {
			objections := ""
			for _, p := range rendered(a.lang, r.Problems) {
				objections = strings.TrimSpace(objections + " " + p.Message)
			}
			rows[i] = reportRow(a, r, objections)
		}
		a.out.Table(append(reportColumns(), term.Column{Key: "cli.column.objections"}), rows)
		return nil
	})
}

type reportListCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	queryFlags     `embed:""`
}

// Run is Lista dos certificados (manual 2.4.3): all that the query finds.
func (c *reportListCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var items []certifier.Item
		err := d.store.Read(a.ctx, func(tx certifier.Tx) error {
			items = nil
			return eachItem(a.ctx, tx, c.query(certificate.KindCertificate), func(i certifier.Item) error {
				items = append(items, i)
				return nil
			})
		})
		if err != nil {
			return err
		}
		if c.JSON {
			docs := make([]itemDoc, len(items))
			for i, item := range items {
				docs[i] = itemDocOf(item)
			}
			return a.json(docs)
		}
		a.out.Heading("cli.report.list", "total", strconv.Itoa(len(items)))
		printItems(a, items, string(certificate.KindCertificate))
		return nil
	})
}

type reportMirrorCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	queryFlags     `embed:""`
	Numbers        []string `arg:"" optional:"" help:"${help_arg_certificates}"`
	Log            bool     `help:"${help_mirror_log}"`
}

// Run is the Espelho do certificado, with --log the Espelho com log (manual
// 2.4.3), of the certificates named or of all that the query finds.
func (c *reportMirrorCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var mirrors []*certifier.Mirror
		err := d.store.Read(a.ctx, func(tx certifier.Tx) error {
			mirrors = nil
			keep := func(m *certifier.Mirror) error {
				mirrors = append(mirrors, m)
				return nil
			}
			if len(c.Numbers) == 0 {
				return certifier.EachMirror(a.ctx, tx, c.query(certificate.KindCertificate), c.Log, keep)
			}
			ids, err := finder{ctx: a.ctx, tx: tx}.certificates(c.Numbers)
			for _, id := range ids {
				var m *certifier.Mirror
				if m, err = certifier.MirrorOf(a.ctx, tx, id, c.Log); err != nil {
					return err
				}
				_ = keep(m) // it only appends
			}
			return err
		})
		if err != nil {
			return err
		}
		if c.JSON {
			docs := make([]mirrorDoc, len(mirrors))
			for i, m := range mirrors {
				docs[i] = mirrorDocOf(m)
			}
			return a.json(docs)
		}
		if len(mirrors) == 0 {
			a.out.Note("cli.report.none")
		}
		for _, m := range mirrors {
			printMirror(a, m)
		}
		return nil
	})
}

// taxID is a company's CNPJ or CPF as people write it.
func taxID(c *certificate.Company) string {
	switch {
	case c.CNPJ != "":
		return c.CNPJ.Masked()
	case c.CPF != "":
		return c.CPF.Masked()
	}
	return ""
}

func address(c *certificate.Company) string {
	street := c.Street
	if c.Number != "" {
		street += ", " + c.Number
	}
	city := c.City
	if c.UF != "" {
		city += "/" + string(c.UF)
	}
	cep := ""
	if c.CEP != "" {
		cep = "CEP " + c.CEP.Masked()
	}
	return joined(strings.TrimPrefix(street, ", "), c.Complement, c.District, strings.TrimPrefix(city, "/"), cep)
}

func gtins(list []brasil.GTIN) string {
	texts := make([]string, len(list))
	for i, g := range list {
		texts[i] = string(g)
	}
	return strings.Join(texts, "; ")
}
