package catalog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"selo/brasil"
	"selo/fault"
)

// exportSQL streams what lookupSQL finds one by one.
const exportSQL = `SELECT c.id, c.numero, c.situacao, c.validade, c.motivo, f.dados, p.papel, p.entrada, e.dados
	FROM certificado c CROSS JOIN ficha f ON f.id = c.id
	LEFT JOIN participante p ON p.certificado = c.id AND p.situacao = 1
	LEFT JOIN empresa e ON e.id = p.empresa
	WHERE c.motivo = '' ORDER BY c.id, p.seq`

// eachPublic calls fn with the JSON of every public certificate, as of the
// publication's day, in the order of acceptance.
func (c *Catalog) eachPublic(ctx context.Context, fn func(c *Catalog, id int64, data []byte) error) error {
	// An export reads on two connections of its own: slow readers must not hold
	// those that searches need, nor wait for each other.
	s, err := sealOf(c.path, nil)
	if err != nil {
		return err
	}
	if *s != *c.seal {
		return fault.New(fault.Unavailable, "snapshot.replaced", "arquivo", c.path)
	}
	db, err := openForReading(c.path, 2)
	if err != nil {
		return err
	}
	c = &Catalog{path: c.path, seal: c.seal, db: db, clock: c.clock, names: c.names}
	defer func() { _ = c.Close() }() // only read
	rows, err := c.query(ctx, exportSQL)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer rows.Close()
	day := brasil.Today(c.seal.Publication.At)
	var current *found
	for rows.Next() {
		f, err := c.readFound(rows, current)
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		if current != nil && f != current {
			if err := fn(c, current.id, c.assemble(current, day)); err != nil {
				return err
			}
		}
		current = f
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if current == nil {
		return nil
	}
	return fn(c, current.id, c.assemble(current, day))
}

// eachExportRow calls fn with every row of the tables; the row is lent.
func (c *Catalog) eachExportRow(ctx context.Context, fn func(*exportRow) error) error {
	return c.eachPublic(ctx, func(c *Catalog, id int64, data []byte) error {
		var view Certificate
		if err := json.Unmarshal(data, &view); err != nil {
			return fmt.Errorf("export certificate %d: %w", id, err)
		}
		row := &exportRow{cert: &view}
		if view.Products == 0 {
			return fn(row)
		}
		return c.eachProduct(ctx, id, -1, func(_ int64, p *ProductView) (bool, error) {
			row.product = p
			return true, fn(row)
		})
	})
}

// ExportCSV writes the open data as CSV (RFC 4180: comma, CRLF; UTF-8 without
// BOM). A text that a spreadsheet would take for a formula, because it begins
// with = + - @ or a control character, gets an apostrophe in front; the other
// formats hold it unchanged.
func (c *Catalog) ExportCSV(ctx context.Context, w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	record := make([]string, len(Columns))
	for i := range Columns {
		record[i] = Columns[i].Name
	}
	if err := out.Write(record); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	err := c.eachExportRow(ctx, func(r *exportRow) error {
		for i := range Columns {
			if record[i] = Columns[i].value(r); Columns[i].Type == "texto" {
				record[i] = guardFormula(record[i])
			}
		}
		if err := out.Write(record); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// guardFormula keeps a cell from being calculated when the file is opened.
func guardFormula(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20", []rune(text[:min(len(text), 4)])[0]) {
		return "'" + text
	}
	return text
}

// ExportJSONL writes a certificate a line: the JSON of [Catalog.Certificate]
// with all its products.
func (c *Catalog) ExportJSONL(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<16)
	err := c.eachPublic(ctx, func(c *Catalog, id int64, data []byte) error {
		out.Write(bytes.TrimSuffix(data, []byte{'}'})) //nolint:errcheck // bufio keeps the error for Flush
		out.WriteString(`,"produtos":[`)               //nolint:errcheck // as above
		first := true
		err := c.eachProduct(ctx, id, -1, func(_ int64, p *ProductView) (bool, error) {
			if !first {
				out.WriteByte(',') //nolint:errcheck // as above
			}
			first = false
			data, err := encode(p)
			if err != nil {
				return false, err
			}
			_, err = out.Write(data)
			return true, err
		})
		if err != nil {
			return err
		}
		_, err = out.WriteString("]}\n")
		return err
	})
	if err != nil {
		return fmt.Errorf("write JSONL: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write JSONL: %w", err)
	}
	return nil
}

// ExportXLSX writes the open data as a workbook: worksheets "Dicionário" with
// the meaning of the columns, and "Certificados", "Certificados 2" and so on.
// Cells are typed as text, so none is calculated; one holds 32,767 characters
// at most, the rest of a longer text is in the other formats. Rows pass through
// one by one; the same snapshot gives the same bytes.
func (c *Catalog) ExportXLSX(ctx context.Context, w io.Writer) error {
	return c.exportXLSX(ctx, w, maxSheetRows)
}

func (c *Catalog) exportXLSX(ctx context.Context, w io.Writer, perSheet int) error {
	x, err := newWorkbook(w, c.seal.Publication.At, perSheet)
	if err == nil {
		err = writeDictionary(x)
	}
	if err == nil {
		err = c.writeRows(ctx, x)
	}
	if err == nil {
		err = x.close(1)
	}
	if err != nil {
		return fmt.Errorf("write XLSX: %w", err)
	}
	return nil
}

func writeDictionary(x *workbook) error {
	if err := x.begin("Dicionário", []string{"coluna", "tipo", "significado", "exemplo", "fonte"}); err != nil {
		return err
	}
	for _, c := range Columns {
		if _, err := x.add([]any{c.Name, c.Type, c.Meaning, c.Example, c.Source}); err != nil {
			return err
		}
	}
	return nil
}

// writeRows writes the certificates on as many worksheets as they need.
func (c *Catalog) writeRows(ctx context.Context, x *workbook) error {
	header := make([]string, len(Columns))
	for i := range Columns {
		header[i] = Columns[i].Name
	}
	sheets, full, cells := 1, false, make([]any, len(Columns))
	if err := x.begin("Certificados", header); err != nil {
		return err
	}
	return c.eachExportRow(ctx, func(r *exportRow) (err error) {
		if full {
			sheets++
			if err := x.begin("Certificados "+strconv.Itoa(sheets), header); err != nil {
				return err
			}
		}
		for i := range Columns {
			value := Columns[i].value(r)
			cells[i] = value
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && Columns[i].Type == "inteiro" {
				cells[i] = n
			}
		}
		full, err = x.add(cells)
		return err
	})
}
