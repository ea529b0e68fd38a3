package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"selo/catalog"
	"selo/certificate"
	"selo/clock"
	"selo/cmd/selo/term"
	"selo/fault"
	"selo/locale"
)

// catalogCmd asks a published snapshot, a file of its own that needs no server.
type catalogCmd struct {
	Search catalogSearchCmd `cmd:"" help:"${help_catalog_search}"`
	Show   catalogShowCmd   `cmd:"" help:"${help_catalog_show}"`
	Check  catalogCheckCmd  `cmd:"" help:"${help_catalog_check}"`
	Export catalogExportCmd `cmd:"" help:"${help_catalog_export}"`
	Serve  catalogServeCmd  `cmd:"" help:"${help_catalog_serve}"`
}

// catalogFlags say which snapshot.
type catalogFlags struct {
	Data     string `help:"${help_data}" env:"SELO_DATA" default:"data" type:"path"`
	Snapshot string `help:"${help_snapshot}" env:"SELO_SNAPSHOT" type:"path" placeholder:"FILE"`
}

// file is --snapshot, else the newest in the data folder. Fault: NotFound
// "snapshot.none" when nothing was published there.
func (f *catalogFlags) file() (string, error) {
	if f.Snapshot != "" {
		return f.Snapshot, nil
	}
	shelf := f.shelf()
	if list := shelf.List(); len(list) > 0 {
		return list[0].File, nil
	}
	if err := shelf.Refused(); err != nil {
		return "", err
	}
	return "", fault.New(fault.NotFound, "snapshot.none", "pasta", f.Data)
}

// shelf is where a server on the data folder keeps its snapshots.
func (f *catalogFlags) shelf() *catalog.Shelf {
	return &catalog.Shelf{Dir: filepath.Join(f.Data, "catalogo")}
}

// onCatalog opens the snapshot for one command and closes it after.
func onCatalog(a *app, flags catalogFlags, do func(context.Context, *catalog.Catalog) error) error {
	path, err := flags.file()
	if err != nil {
		return err
	}
	c, err := catalog.Open(a.ctx, path, catalog.OpenOptions{Clock: clock.System{}})
	if err != nil {
		return err
	}
	return errors.Join(do(a.ctx, c), c.Close())
}

type catalogSearchCmd struct {
	catalogFlags `embed:""`
	jsonFlag     `embed:""`
	Text         string `arg:"" optional:"" help:"${help_arg_text}"`
	Number       string `help:"${help_number}"`
	Body         string `help:"${help_body}" placeholder:"SIGLA"`
	Class        string `help:"${help_class}"`
	CNPJ         string `name:"cnpj" help:"${help_cnpj}"`
	Brand        string `help:"${help_brand}"`
	Model        string `help:"${help_model}"`
	GTIN         string `name:"gtin" help:"${help_gtin}"`
	Situation    string `help:"${help_public_situation}" placeholder:"todas"`
	UF           string `name:"uf" help:"${help_uf}"`
	Limit        int    `help:"${help_limit}" default:"30"`
	Cursor       string `help:"${help_cursor}"`
}

// Run searches as the public does; accents, case and punctuation do not count.
func (c *catalogSearchCmd) Run(a *app) error {
	return onCatalog(a, c.catalogFlags, func(ctx context.Context, cat *catalog.Catalog) error {
		hits, err := cat.Search(ctx, catalog.Search{Text: c.Text, Number: c.Number, Body: strings.ToUpper(c.Body), Class: c.Class, CNPJ: c.CNPJ,
			Brand: c.Brand, Model: c.Model, GTIN: c.GTIN, Situation: c.Situation, UF: c.UF, Limit: c.Limit, Cursor: c.Cursor})
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(hits)
		}
		printHits(a, hits.Certificates)
		if hits.Next != "" {
			a.out.Note("cli.list.more", "cursor", hits.Next)
		}
		return nil
	})
}

func printHits(a *app, hits []catalog.Hit) {
	rows := make([][]string, len(hits))
	for i, h := range hits {
		rows[i] = []string{string(h.Body.Sigla), h.Number, publicSituation(a.lang, h.Situation), h.Class.Name, h.Applicant,
			locale.Date(a.lang, h.ValidUntil), locale.Number(a.lang, int64(h.Products))}
	}
	a.out.Table([]term.Column{{Key: "cli.column.body"}, {Key: "cli.column.certificate"}, {Key: "cli.column.situation"}, {Key: "cli.column.class"},
		{Key: "cli.column.applicant"}, {Key: "cli.column.valid_until"}, {Key: "cli.column.products", Right: true}}, rows)
}

// publicSituation knows "expirado" too, which no revision holds.
func publicSituation(lang locale.Lang, s string) string {
	return locale.Text(lang, "cli.situation."+s, nil)
}

type catalogShowCmd struct {
	catalogFlags `embed:""`
	jsonFlag     `embed:""`
	Body         string `arg:"" help:"${help_arg_body}"`
	Number       string `arg:"" help:"${help_arg_certificate}"`
	Products     string `help:"${help_show_products}" placeholder:"TEXT"`
}

// maxShown is how many products a person is shown.
const maxShown = 200

// Run shows one certificate with its products.
func (c *catalogShowCmd) Run(a *app) error {
	return onCatalog(a, c.catalogFlags, func(ctx context.Context, cat *catalog.Catalog) error {
		body := certificate.Sigla(strings.ToUpper(c.Body))
		shown, err := cat.Certificate(ctx, body, c.Number)
		if err != nil {
			return err
		}
		products, more, err := c.products(ctx, cat, body)
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(struct {
				*catalog.Certificate
				List []catalog.ProductView `json:"lista_produtos"`
			}{shown, products})
		}
		printPublic(a, shown, products)
		if more {
			a.out.Note("cli.catalog.more_products", "total", locale.Number(a.lang, int64(shown.Products)))
		}
		return nil
	})
}

// products reads the pages: all of them for programs, some for people.
func (c *catalogShowCmd) products(ctx context.Context, cat *catalog.Catalog, body certificate.Sigla) (list []catalog.ProductView, more bool, err error) {
	list = []catalog.ProductView{}
	q := catalog.ProductQuery{Text: c.Products, Limit: maxShown}
	for {
		page, err := cat.Products(ctx, body, c.Number, q)
		if err != nil {
			return nil, false, err
		}
		list = append(list, page.Products...)
		if page.Next == "" || !c.JSON && len(list) >= maxShown {
			return list, page.Next != "", nil
		}
		q.Cursor = page.Next
	}
}

func printPublic(a *app, c *catalog.Certificate, products []catalog.ProductView) {
	a.out.Heading("cli.mirror.heading", "organismo", string(c.Body.Sigla), "numero", c.Number)
	if c.Hidden != "" {
		a.out.Note("cli.catalog.hidden", "motivo", c.Hidden)
	}
	a.out.Pairs(term.Pair{Key: "cli.label.situation", Value: publicSituation(a.lang, c.Situation)},
		term.Pair{Key: "cli.label.body", Value: c.Body.Name},
		term.Pair{Key: "cli.label.type", Value: c.Type.Name}, term.Pair{Key: "cli.label.class", Value: c.Class.Name},
		term.Pair{Key: "cli.label.issued_on", Value: locale.Date(a.lang, c.IssuedOn)},
		term.Pair{Key: "cli.label.valid_until", Value: locale.Date(a.lang, c.ValidUntil)},
		term.Pair{Key: "cli.label.published", Value: locale.Number(a.lang, c.Publication)},
		term.Pair{Key: "cli.label.address", Value: c.Path})
	rows := make([][]string, len(c.Documents))
	for i, d := range c.Documents {
		rows[i] = []string{d.Title, d.Kind, publicSituation(a.lang, string(d.Situation))}
	}
	a.out.Section("cli.mirror.documents")
	a.out.Table([]term.Column{{Key: "cli.column.title"}, {Key: "cli.column.kind"}, {Key: "cli.column.situation"}}, rows)
	rows = make([][]string, len(c.Parties))
	for i, p := range c.Parties {
		rows[i] = []string{p.Role.Name, p.Name, joined(p.CNPJ.Masked(), p.CPF), joined(p.City, string(p.UF), p.Country.Name)}
	}
	a.out.Section("cli.mirror.companies")
	a.out.Table([]term.Column{{Key: "cli.column.role"}, {Key: "cli.column.company"}, {Key: "cli.column.tax_id"}, {Key: "cli.column.place"}}, rows)
	if len(c.Services) > 0 {
		rows = make([][]string, len(c.Services))
		for i, s := range c.Services {
			rows[i] = []string{s.Class.Name, s.Description, locale.Date(a.lang, s.EnteredOn)}
		}
		a.out.Section("cli.mirror.services")
		a.out.Table([]term.Column{{Key: "cli.column.class"}, {Key: "cli.column.details"}, {Key: "cli.column.entered"}}, rows)
	}
	if len(products) > 0 {
		a.out.Section("cli.catalog.products")
		printProductViews(a, products)
	}
}

func printProductViews(a *app, products []catalog.ProductView) {
	rows := make([][]string, len(products))
	for i, p := range products {
		rows[i] = []string{p.Brand, p.Model, yesNo(a.lang, p.Imported), joined(p.Description, strings.Join(p.GTINs, "; "), p.Lot, p.Serial), p.Company.Name}
	}
	a.out.Table([]term.Column{{Key: "cli.column.brand"}, {Key: "cli.column.model"}, {Key: "cli.column.imported"},
		{Key: "cli.column.details"}, {Key: "cli.column.company"}}, rows)
}

type catalogCheckCmd struct {
	catalogFlags `embed:""`
	jsonFlag     `embed:""`
	Brand        string `help:"${help_brand}"`
	Model        string `help:"${help_model}"`
	GTIN         string `name:"gtin" help:"${help_gtin}"`
	Number       string `help:"${help_number}"`
	CNPJ         string `name:"cnpj" help:"${help_cnpj}"`
}

// Run answers whether a model is covered now, and why not. It ends with exit
// code 2 when it is not covered, or in part only.
func (c *catalogCheckCmd) Run(a *app) error {
	return onCatalog(a, c.catalogFlags, func(ctx context.Context, cat *catalog.Catalog) error {
		v, err := cat.Verify(ctx, catalog.Query{Brand: c.Brand, Model: c.Model, GTIN: c.GTIN, Number: c.Number, CNPJ: c.CNPJ})
		if err != nil {
			return err
		}
		if c.JSON {
			err = a.json(v)
		} else {
			printVerification(a, v)
		}
		if err == nil && v.Covered != catalog.Covered {
			return errSaid
		}
		return err
	})
}

func printVerification(a *app, v *catalog.Verification) {
	on := locale.Date(a.lang, v.On)
	switch v.Covered {
	case catalog.Covered:
		a.out.Done("cli.catalog.covered", "data", on)
	case catalog.PartCovers:
		a.out.Failed("cli.catalog.part", "data", on)
	default:
		a.out.Failed("cli.catalog.not_covered", "data", on)
	}
	for _, r := range v.Reasons {
		a.out.Note("cli.catalog.reason", "motivo", locale.Text(a.lang, r.Code, r.Args))
	}
	for _, found := range v.Certificates {
		a.out.Section("cli.catalog.certificate", "organismo", string(found.Body.Sigla), "numero", found.Number,
			"situacao", publicSituation(a.lang, found.Situation))
		if found.Product != nil {
			printProductViews(a, []catalog.ProductView{*found.Product})
		}
		for _, r := range found.Reasons {
			a.out.Note("cli.catalog.reason", "motivo", locale.Text(a.lang, r.Code, r.Args))
		}
	}
}
