package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"selo/certificate"
	"selo/certifier"
	"selo/certifier/sheet"
	"selo/cmd/selo/term"
	"selo/fault"
	"selo/locale"
)

type certifierImportCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	File           string `arg:"" help:"${help_arg_sheet}" type:"path"`
	Mapping        string `help:"${help_mapping}" type:"path" placeholder:"FILE.json"`
	Sheet          string `help:"${help_sheet}"`
	DryRun         bool   `help:"${help_dry_run}"`
	Whole          bool   `help:"${help_whole}"`
	Report         string `help:"${help_report}" type:"path" placeholder:"FILE.csv"`
	Guess          bool   `help:"${help_guess}"`
	Justification  string `help:"${help_justification}"`
}

// importDoc tells what an import did.
type importDoc struct {
	DryRun              bool     `json:"simulacao"`
	Rows                int      `json:"linhas"`
	Created             int      `json:"criadas"`
	Merged              int      `json:"mescladas"`
	Present             int      `json:"existentes"`
	Refused             int      `json:"recusadas"`
	NewCertificates     int      `json:"certificados_novos"`
	ChangedCertificates int      `json:"certificados_alterados"`
	NewCompanies        int      `json:"empresas_novas"`
	KnownCompanies      int      `json:"empresas_conhecidas"`
	NewProducts         int      `json:"produtos_novos"`
	KnownProducts       int      `json:"produtos_conhecidos"`
	Details             []rowDoc `json:"detalhes"`
}

type rowDoc struct {
	Line        int               `json:"linha"`
	Outcome     certifier.Outcome `json:"resultado"`
	Into        int               `json:"mesclada_em,omitempty"`
	Certificate certificate.ID    `json:"certificado,omitempty"`
	Product     certificate.ID    `json:"produto,omitempty"`
	Problems    []locale.Rendered `json:"motivos,omitempty"`
}

// Run makes drafts of a spreadsheet's rows and tells what became of each. With
// refused rows it ends with exit code 2; the others are in, unless --whole.
func (c *certifierImportCmd) Run(a *app) error {
	mapping, err := c.mapping()
	if err != nil {
		return err
	}
	if c.Guess {
		return c.propose(a)
	}
	s, err := c.read(a, mapping)
	if err != nil {
		return err
	}
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var report *certifier.ImportReport
		write := d.store.Write
		if c.DryRun {
			write = d.store.Read
		}
		progress := a.err.Progress()
		progress.Start("cli.progress.import", 0)
		err := write(a.ctx, func(tx certifier.Tx) (err error) {
			report, err = certifier.Import(a.ctx, tx, d.actor, s, certifier.ImportOptions{DryRun: c.DryRun, Whole: c.Whole, Justification: c.Justification})
			return err
		})
		if report != nil {
			progress.Add(int64(len(report.Rows)))
			progress.Done()
		}
		if err != nil && !fault.HasKey(err, "import.refused") {
			return err
		}
		doc := importDocOf(a.lang, report)
		if err := c.save(doc); err != nil {
			return err
		}
		if c.JSON {
			if err := a.json(doc); err != nil {
				return err
			}
		} else {
			c.print(a, doc)
		}
		if report.Refused > 0 {
			return errSaid
		}
		return nil
	})
}

// mapping reads the mapping file, or returns nil to have the columns guessed.
func (c *certifierImportCmd) mapping() (*sheet.Mapping, error) {
	m := &sheet.Mapping{}
	if c.Mapping != "" {
		f, err := os.Open(c.Mapping)
		if err != nil {
			return nil, fault.New(fault.Invalid, "file.unreadable", "arquivo", c.Mapping).Because(err)
		}
		defer func() { _ = f.Close() }() // read only: nothing to lose
		if m, err = sheet.LoadMapping(f); err != nil {
			return nil, err
		}
	}
	if c.Sheet != "" {
		m.Sheet = c.Sheet
	}
	return m, nil
}

func (c *certifierImportCmd) open(a *app, m *sheet.Mapping) (*sheet.Reader, error) {
	return sheet.Open(a.ctx, c.File, m.Options(sheet.Limits{}))
}

// propose prints a mapping to edit.
func (c *certifierImportCmd) propose(a *app) error {
	m, err := c.mapping()
	if err != nil {
		return err
	}
	r, err := c.open(a, m)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // read only: nothing to lose
	guess, err := sheet.Guess(r.Header())
	if err != nil {
		return err
	}
	guess.Sheet = m.Sheet
	return sheet.WriteMapping(a.raw, guess)
}

func (c *certifierImportCmd) read(a *app, m *sheet.Mapping) (*certifier.Spreadsheet, error) {
	r, err := c.open(a, m)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // read only: nothing to lose
	if c.Mapping == "" {
		if m, err = sheet.Guess(r.Header()); err != nil {
			return nil, err
		}
		a.err.Note("cli.import.guessed", "colunas", strconv.Itoa(len(m.Columns)))
	}
	a.err.Note("cli.import.reading", "arquivo", filepath.Base(c.File))
	return certifier.ReadSpreadsheet(a.ctx, r, m, filepath.Base(c.File))
}

func importDocOf(lang locale.Lang, r *certifier.ImportReport) *importDoc {
	doc := &importDoc{DryRun: r.DryRun, Rows: len(r.Rows), Created: r.Created, Merged: r.Merged, Present: r.Present, Refused: r.Refused,
		NewCertificates: r.NewCertificates, ChangedCertificates: r.ChangedCertificates, NewCompanies: r.NewCompanies,
		KnownCompanies: r.KnownCompanies, NewProducts: r.NewProducts, KnownProducts: r.KnownProducts, Details: make([]rowDoc, len(r.Rows))}
	for i, row := range r.Rows {
		doc.Details[i] = rowDoc{Line: row.Line, Outcome: row.Outcome, Into: row.Into, Certificate: row.Certificate,
			Product: row.Product, Problems: rendered(lang, row.Problems)}
	}
	return doc
}

// save writes the report file: every row, a line for each reason of a refused one.
func (c *certifierImportCmd) save(doc *importDoc) error {
	if c.Report == "" {
		return nil
	}
	return writeWhole(c.Report, func(w io.Writer) error {
		// The mark makes spreadsheet programs read UTF-8; they want semicolons in Brazil.
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		out := csv.NewWriter(w)
		out.Comma = ';'
		_ = out.Write([]string{"linha", "resultado", "mesclada_em", "certificado", "produto", "campo", "codigo", "motivo", "acao"}) // Error tells
		for _, row := range doc.Details {
			into := ""
			if row.Into > 0 {
				into = strconv.Itoa(row.Into)
			}
			cells := []string{strconv.Itoa(row.Line), string(row.Outcome), into, string(row.Certificate), string(row.Product)}
			if len(row.Problems) == 0 {
				_ = out.Write(append(cells, "", "", "", ""))
			}
			for _, p := range row.Problems {
				_ = out.Write(append(cells[:5:5], inert(p.Field), p.Code, inert(p.Message), inert(p.Action)))
			}
		}
		out.Flush()
		return out.Error()
	})
}

// inert keeps spreadsheet programs from running a text as a formula.
func inert(s string) string {
	if strings.HasPrefix(s, "=") || strings.HasPrefix(s, "+") || strings.HasPrefix(s, "-") || strings.HasPrefix(s, "@") {
		return "'" + s
	}
	return s
}

// shownRows is how many refused or merged rows are shown; the report file has all.
const shownRows = 20

func (c *certifierImportCmd) print(a *app, doc *importDoc) {
	number := func(n int) string { return locale.Number(a.lang, int64(n)) }
	switch {
	case doc.DryRun:
		a.out.Heading("cli.import.dry_run", "arquivo", filepath.Base(c.File))
	case c.Whole && doc.Refused > 0:
		a.out.Heading("cli.import.nothing", "arquivo", filepath.Base(c.File))
	default:
		a.out.Heading("cli.import.heading", "arquivo", filepath.Base(c.File))
	}
	a.out.Pairs(
		term.Pair{Key: "cli.label.rows", Value: number(doc.Rows)},
		term.Pair{Key: "cli.label.rows_created", Value: number(doc.Created)},
		term.Pair{Key: "cli.label.rows_merged", Value: number(doc.Merged)},
		term.Pair{Key: "cli.label.rows_present", Value: number(doc.Present)},
		term.Pair{Key: "cli.label.rows_refused", Value: number(doc.Refused)},
		term.Pair{Key: "cli.label.new_certificates", Value: number(doc.NewCertificates)},
		term.Pair{Key: "cli.label.changed_certificates", Value: number(doc.ChangedCertificates)},
		term.Pair{Key: "cli.label.new_companies", Value: number(doc.NewCompanies)},
		term.Pair{Key: "cli.label.known_companies", Value: number(doc.KnownCompanies)},
		term.Pair{Key: "cli.label.new_products", Value: number(doc.NewProducts)},
		term.Pair{Key: "cli.label.known_products", Value: number(doc.KnownProducts)},
	)
	var merged, refused [][]string
	for _, row := range doc.Details {
		if row.Outcome == certifier.RowMerged {
			merged = append(merged, []string{strconv.Itoa(row.Line), strconv.Itoa(row.Into)})
		}
		for _, p := range row.Problems {
			refused = append(refused, []string{strconv.Itoa(row.Line), p.Field, joined(p.Message, p.Action)})
		}
	}
	c.printRows(a, "cli.import.merged", []term.Column{{Key: "cli.column.line", Right: true}, {Key: "cli.column.into", Right: true}}, merged)
	c.printRows(a, "cli.import.refused_rows", []term.Column{{Key: "cli.column.line", Right: true}, {Key: "cli.column.field"}, {Key: "cli.column.reason"}}, refused)
	if c.Report != "" {
		a.out.Blank()
		a.out.Done("cli.import.report", "arquivo", c.Report)
	}
	if !doc.DryRun && doc.Created > 0 && (!c.Whole || doc.Refused == 0) {
		a.out.Note("cli.import.next")
	}
}

func (c *certifierImportCmd) printRows(a *app, key string, columns []term.Column, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	a.out.Section(key)
	a.out.Table(columns, rows[:min(len(rows), shownRows)])
	if more := len(rows) - shownRows; more > 0 {
		a.out.Note("cli.import.more", "total", locale.Number(a.lang, int64(more)))
	}
}
