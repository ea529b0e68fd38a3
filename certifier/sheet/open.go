package sheet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"selo/brasil"
	"selo/fault"
)

// Options say how to read a file. The zero value detects everything and uses
// the default limits; [Mapping.Options] makes it of a mapping file.
type Options struct {
	Limits     Limits
	Sheet      string    // of a workbook, found by brasil.Fold; "": the first visible one
	HeaderLine int       // line of the column names, from 1; 0: the first line with content
	Separator  Separator // of CSV; 0: detected
	Encoding   Encoding  // of CSV; "": detected
}

// Format is the kind of a file.
type Format string

// The formats that [Open] reads.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// Row is one line with content.
//
// Cells are at least as many as the header's; missing ones are "". In XLSX a
// date is "2025-03-14" (with a time "2025-03-14T10:30:00"), a number has
// neither exponent nor trailing zeros and a point before its decimals, and
// true and false are "sim" and "não". In CSV cells are as written.
//
// Problems tell what is wrong with this line alone: sheet.ragged,
// sheet.cell_error, sheet.formula_empty, sheet.character_lost. Their Field is
// the name of the column, or "" when it is the whole line.
type Row struct {
	Line     int // in the file, from 1: of a CSV where the row begins, of a workbook the row's number
	Cells    []string
	Problems []fault.Problem
}

// source is one format's reader. It returns rows without padding, blank ones
// included, and io.EOF at the end; flaws name the cell by its index.
type source interface {
	next() (rawRow, error)
	close() error
}

type rawRow struct {
	line  int
	cells []string
	flaws []flaw
}

// flaw is what is wrong with one cell.
type flaw struct {
	column int // from 0
	code   string
	value  string
}

// Reader gives the rows of one open file. It serves one goroutine. Next stops
// with the context's error when the context given to [Open] ends.
type Reader struct {
	format     Format
	header     []string
	headerLine int
	limits     Limits
	rows       int
	sheets     []string
	source     source
	file       io.Closer // nil when the caller owns it
	err        error
}

// Format is what the file is, by its content, whatever its name.
func (r *Reader) Format() Format { return r.format }

// Header is the names of the columns, squeezed; a column may have none.
func (r *Reader) Header() []string { return slices.Clone(r.header) }

// HeaderLine is the line of the file where the header stands, from 1.
func (r *Reader) HeaderLine() int { return r.headerLine }

// Sheets is the names of the visible sheets of a workbook; none for CSV.
func (r *Reader) Sheets() []string { return slices.Clone(r.sheets) }

// Close frees the file and what was put aside for it.
func (r *Reader) Close() error {
	err := r.source.close()
	if r.file != nil {
		err = errors.Join(err, r.file.Close())
	}
	return err
}

// Open opens the file at path. The caller closes the reader.
//
// It returns fault.NotFound sheet.not_found, fault.Forbidden sheet.forbidden,
// or fault.Invalid: sheet.not_a_file (a folder, a device), sheet.too_large,
// sheet.empty, sheet.format (with what the file is), sheet.binary, sheet.encrypted, sheet.truncated, sheet.encoding,
// sheet.missing, sheet.header and the faults of [Reader.Next].
func Open(ctx context.Context, path string, o Options) (*Reader, error) {
	name := filepath.Base(path)
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.New(fault.NotFound, "sheet.not_found", "arquivo", path).Because(err)
	case errors.Is(err, fs.ErrPermission):
		return nil, fault.New(fault.Forbidden, "sheet.forbidden", "arquivo", path).Because(err)
	case err != nil:
		return nil, fmt.Errorf("open sheet %s: %w", name, err)
	}
	r, err := openFile(ctx, file, name, o)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	r.file = file
	return r, nil
}

func openFile(ctx context.Context, file *os.File, name string, o Options) (*Reader, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat sheet %s: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, invalid("sheet.not_a_file", "arquivo", name)
	}
	return OpenAt(ctx, file, info.Size(), name, o)
}

// OpenAt is [Open] for content that is not a file of its own; name is for
// messages. r must stay readable until the reader is closed.
func OpenAt(ctx context.Context, r io.ReaderAt, size int64, name string, o Options) (*Reader, error) {
	o.Limits = o.Limits.withDefaults()
	if size > o.Limits.Bytes {
		return nil, invalid("sheet.too_large", "arquivo", name, "tamanho", number(size), "limite", number(o.Limits.Bytes))
	}
	content := &input{ctx: ctx, r: r, size: size, name: name}
	format, err := content.sniff()
	if err != nil {
		return nil, err
	}
	reader := &Reader{format: format, limits: o.Limits}
	if format == XLSX {
		err = reader.openWorkbook(content, o)
	} else {
		reader.source, err = openCSV(content, o)
	}
	if err != nil {
		return nil, err
	}
	if err := reader.readHeader(name, o); err != nil {
		return nil, errors.Join(err, reader.source.close())
	}
	return reader, nil
}

func (r *Reader) openWorkbook(content *input, o Options) error {
	book, err := openXLSX(content, o)
	if err != nil {
		return err
	}
	r.source, r.sheets = book, book.visible()
	return nil
}

// readHeader takes the first row with content, or that of o.HeaderLine.
func (r *Reader) readHeader(name string, o Options) error {
	for {
		row, err := r.source.next()
		switch {
		case errors.Is(err, io.EOF):
			if o.HeaderLine > 0 {
				return invalid("sheet.header", "arquivo", name, "linha", number(o.HeaderLine))
			}
			return invalid("sheet.empty", "arquivo", name)
		case err != nil:
			return err
		case row.line < o.HeaderLine:
			continue
		case o.HeaderLine > 0 && (row.line > o.HeaderLine || isBlank(row.cells)):
			return invalid("sheet.header", "arquivo", name, "linha", number(o.HeaderLine))
		case isBlank(row.cells):
			continue
		}
		for _, cell := range row.cells {
			r.header = append(r.header, brasil.Squeeze(cell))
		}
		for r.header[len(r.header)-1] == "" {
			r.header = r.header[:len(r.header)-1]
		}
		r.headerLine = row.line
		return nil
	}
}

// Next returns the next row with content, or io.EOF after the last one. Any
// error but io.EOF means that the rest of the file cannot be read; it comes
// again at every further call.
//
// Faults: sheet.too_many_rows, sheet.too_many_columns, sheet.cell_too_long,
// sheet.text_too_long, sheet.unzipped, sheet.quote, sheet.quote_open, sheet.truncated.
func (r *Reader) Next() (Row, error) {
	for r.err == nil {
		var raw rawRow
		if raw, r.err = r.source.next(); r.err != nil {
			break
		}
		if isBlank(raw.cells) && len(raw.flaws) == 0 {
			continue
		}
		if r.rows++; r.rows > r.limits.Rows {
			r.err = invalid("sheet.too_many_rows", "limite", number(r.limits.Rows))
			break
		}
		return r.row(raw), nil
	}
	return Row{}, r.err
}

// row pads the row to the header and says what is wrong with it.
func (r *Reader) row(raw rawRow) Row {
	row := Row{Line: raw.line, Cells: raw.cells}
	// In a workbook cells beside the table are notes, and empty ones are not
	// written. In a CSV another number of cells means a shift.
	if r.format == CSV && (len(row.Cells) < len(r.header) || !isBlank(row.Cells[len(r.header):])) {
		row.add("", "sheet.ragged", "celulas", number(len(row.Cells)), "esperadas", number(len(r.header)))
	}
	for len(row.Cells) < len(r.header) {
		row.Cells = append(row.Cells, "")
	}
	for _, f := range raw.flaws {
		row.add(r.column(f.column), f.code, "valor", f.value)
	}
	for i, cell := range row.Cells {
		if strings.ContainsRune(cell, utf8.RuneError) {
			row.add(r.column(i), "sheet.character_lost", "valor", excerpt(cell))
		}
	}
	return row
}

func (row *Row) add(column, code string, args ...string) {
	args = append(args, "linha", number(row.Line))
	if column != "" {
		args = append(args, "coluna", column)
	}
	row.Problems = append(row.Problems, fault.Problem{
		Record: rowName(row.Line), Field: column, Code: code, Args: fault.Pairs(args...),
	})
}

// rowName is how people name a row in a problem.
func rowName(line int) string { return "linha " + number(line) }

// column is the name of column i, or its letters where the header has none.
func (r *Reader) column(i int) string {
	if i < len(r.header) && r.header[i] != "" {
		return r.header[i]
	}
	return columnLetters(i)
}

// columnLetters is the name of column i (from 0) in a spreadsheet: "A", "AB".
func columnLetters(i int) string {
	var b []byte
	for i++; i > 0; i = (i - 1) / 26 {
		b = append(b, byte('A'+(i-1)%26))
	}
	slices.Reverse(b)
	return string(b)
}

func isBlank(cells []string) bool {
	for _, cell := range cells {
		if strings.TrimFunc(cell, unicode.IsSpace) != "" {
			return false
		}
	}
	return true
}

// excerpt cuts s to 60 runes for a message.
func excerpt(s string) string {
	runes := 0
	for i := range s {
		if runes == 59 && utf8.RuneCountInString(s[i:]) > 1 {
			return s[:i] + "…"
		}
		runes++
	}
	return s
}
