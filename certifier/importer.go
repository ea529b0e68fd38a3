package certifier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"selo/audit"
	"selo/certificate"
	"selo/certifier/sheet"
	"selo/fault"
)

// Spreadsheet is a sheet that was read whole and joined to a mapping. It is
// read before the transaction, which may have to run twice.
type Spreadsheet struct {
	Name     string // of the file, for the record's history
	Repeated sheet.Repeated
	rows     []sheetRow
}

type sheetRow struct {
	line     int
	group    string // rows with the same make one certificate; empty: the row does not say
	record   sheet.Record
	problems []fault.Problem
}

// ReadSpreadsheet reads every row. Faults: those of [sheet.Mapping.Bind] and [sheet.Reader.Next].
func ReadSpreadsheet(ctx context.Context, r *sheet.Reader, m *sheet.Mapping, name string) (*Spreadsheet, error) {
	binding, err := m.Bind(r.Header())
	if err != nil {
		return nil, err
	}
	s := &Spreadsheet{Name: name, Repeated: m.Repeated}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read spreadsheet: %w", err)
		}
		record, problems := binding.Apply(row)
		group := binding.Group(row)
		key := ""
		if slices.ContainsFunc(group, func(part string) bool { return part != "" }) {
			key = strings.Join(group, "\x00")
		}
		s.rows = append(s.rows, sheetRow{line: row.Line, group: key, record: record, problems: problems})
	}
}

// Outcome is what became of a row.
type Outcome string

// The outcomes. Every row has exactly one.
const (
	RowCreated Outcome = "criada"    // its product is new in the certificate
	RowMerged  Outcome = "mesclada"  // it repeats a product; what it adds was joined to the first row's
	RowPresent Outcome = "existente" // the certificate had the product already: nothing to do
	RowRefused Outcome = "recusada"  // its problems say why
)

// ImportedRow tells what became of one row.
type ImportedRow struct {
	Line        int
	Outcome     Outcome
	Into        int            // line of the row it was merged into
	Certificate certificate.ID // empty when refused
	Product     certificate.ID // empty when refused
	Problems    []fault.Problem
}

// ImportReport tells what an import did. Created, Merged, Present and Refused
// add up to the number of rows.
type ImportReport struct {
	Rows                              []ImportedRow // in the order of the file
	Created, Merged, Present, Refused int
	NewCertificates                   int // made
	ChangedCertificates               int // that existed and got more products
	NewCompanies, KnownCompanies      int
	NewProducts, KnownProducts        int
	DryRun                            bool // nothing was written
}

// ImportOptions choose how strict an import is.
type ImportOptions struct {
	DryRun bool // only tell what would happen
	Whole  bool // all rows or none
	// Justification explains the products that certificates get which were
	// approved before; blank leaves it to the approval.
	Justification string
}

// Import makes drafts of a spreadsheet's rows: one certificate for each group
// of rows, with the companies and products they name. What the tables hold
// already is used, not made again; a certificate of that number gets the
// products it lacks, so that a corrected file may be imported once more. Rows
// that break a rule are refused, each with its line and reason, and the rest is
// imported, unless opts.Whole asks for all or nothing. No row is lost silently.
//
// Faults: Invalid "import.refused" with every problem (opts.Whole), Conflict
// "tables.missing", "body.missing".
func Import(ctx context.Context, tx Tx, actor Actor, s *Spreadsheet, opts ImportOptions) (*ImportReport, error) {
	body, err := CurrentBody(ctx, tx)
	if err != nil {
		return nil, err
	}
	rules, err := findRules(ctx, tx)
	if err != nil {
		return nil, err
	}
	if rules == nil {
		return nil, fault.New(fault.Conflict, "tables.missing")
	}
	im := newImport(tx, actor, s, body, rules, opts.Justification)
	if err := im.plan(ctx); err != nil {
		return nil, err
	}
	report := im.report()
	report.DryRun = opts.DryRun
	if opts.Whole && report.Refused > 0 {
		return report, refusedFault(report)
	}
	if opts.DryRun {
		return report, nil
	}
	if err := im.write(ctx); err != nil {
		return nil, err
	}
	return report, tx.AppendAudit(ctx, audit.Event{Kind: "sheet.imported", Subject: "planilha", Actor: string(actor),
		Detail: map[string]string{"arquivo": s.Name, "linhas": number(int64(len(report.Rows))),
			"criadas": number(int64(report.Created)), "mescladas": number(int64(report.Merged)),
			"existentes": number(int64(report.Present)), "recusadas": number(int64(report.Refused))}})
}

func refusedFault(report *ImportReport) error {
	f := &fault.Fault{Kind: fault.Invalid, Key: "import.refused",
		Args: fault.Pairs("linhas", number(int64(report.Refused)), "total", number(int64(len(report.Rows))))}
	for _, r := range report.Rows {
		f.Problems = append(f.Problems, r.Problems...)
		if len(f.Problems) > maxProblems {
			break
		}
	}
	return f
}

// report counts what became of the rows.
func (im *importing) report() *ImportReport {
	r := &ImportReport{}
	certificates := map[*importedCertificate]bool{}
	known := map[certificate.ID]bool{}
	for _, row := range im.rows {
		out := ImportedRow{Line: row.src.line, Outcome: row.outcome, Problems: row.problems}
		switch row.outcome {
		case RowCreated:
			r.Created++
			certificates[row.cert] = true
		case RowMerged:
			r.Merged++
			out.Into = row.into
		case RowPresent:
			r.Present++
		case RowRefused:
			r.Refused++
			r.Rows = append(r.Rows, out)
			continue
		}
		out.Certificate, out.Product = row.cert.rev.ID, row.product.rev.ID
		if !row.product.isNew && !known[out.Product] {
			known[out.Product] = true
			r.KnownProducts++
		}
		for _, c := range row.companies {
			if c.company.isNew || known[c.company.rev.ID] {
				continue
			}
			known[c.company.rev.ID] = true
			r.KnownCompanies++
		}
		r.Rows = append(r.Rows, out)
	}
	for c := range certificates {
		if c.isNew {
			r.NewCertificates++
		} else {
			r.ChangedCertificates++
		}
	}
	r.NewCompanies, r.NewProducts = len(im.newOf(certificate.KindCompany)), len(im.newOf(certificate.KindProduct))
	return r
}
