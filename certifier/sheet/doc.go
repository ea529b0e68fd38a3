// Package sheet reads the spreadsheets that people send: CSV as any program
// writes it, and XLSX.
//
// [Open] gives the header and then one [Row] after the other with the line it
// stands on; a [Mapping], a small file that people edit, says which column
// fills which field of a certificate, company or product, and [Mapping.Bind]
// turns rows into a [Record] of texts by [Target]. What the texts mean (dates,
// numbers, codes of the auxiliary tables) is the importer's business.
//
// The files come from outside, so the package promises:
//   - memory does not grow with the file: rows are streamed, and the shared
//     strings of a workbook move to a temporary file when they are many;
//   - every size has a limit ([Limits]), a zip bomb's included, and the context
//     given to [Open] ends the reading at any point;
//   - a damaged file never looks like a shorter one: what cannot be read whole
//     ends in a fault or in a problem of its row, which names the line.
//
// XLSX (ECMA-376) is read by own code over archive/zip and encoding/xml.
// A general library gives rows as displayed text, in which a date depends on
// the reader's country and a long bar code is rounded, holds the whole file in
// memory, and takes malformed XML for the end of the sheet.
//
// The package does not read XLS, XLSB and ODS, passwords, charts or hidden
// sheets (unless named), does not calculate formulas (the value saved with the
// file counts), and does not spread merged cells: the first one has the value.
package sheet

import (
	"strconv"

	"selo/fault"
)

// Limits bound what one file may take. A zero field means its default.
type Limits struct {
	Bytes    int64 // size of the file; default 100 MB (100,000,000)
	Rows     int   // rows with content, header not counted; default 2,000,000
	Columns  int   // default 500
	Cell     int   // runes in one cell; default 100,000
	Unzipped int64 // bytes of XML inside an XLSX; default 4 GiB, and never more than 200 times the file or 64 MiB, whichever is larger
}

const (
	defaultBytes    = 100_000_000
	defaultRows     = 2_000_000
	defaultColumns  = 500
	defaultCell     = 100_000
	defaultUnzipped = 4 << 30

	// Real workbooks shrink to a fifth or a tenth, repetitive ones to a
	// fiftieth; bombs to a thousandth.
	maxRatio    = 200
	minUnzipped = 64 << 20
)

func (l Limits) withDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = defaultBytes
	}
	if l.Rows <= 0 {
		l.Rows = defaultRows
	}
	if l.Columns <= 0 {
		l.Columns = defaultColumns
	}
	if l.Cell <= 0 {
		l.Cell = defaultCell
	}
	if l.Unzipped <= 0 {
		l.Unzipped = defaultUnzipped
	}
	return l
}

// invalid is short for a fault of the file's content.
func invalid(key string, args ...string) *fault.Fault {
	return fault.New(fault.Invalid, key, args...)
}

func number[T ~int | ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }

// tooManyColumns, cellTooLong and damaged are told by both formats.
func tooManyColumns(line int, l Limits) error {
	return invalid("sheet.too_many_columns", "linha", number(line), "limite", number(l.Columns))
}

func cellTooLong(line int, l Limits) error {
	return invalid("sheet.cell_too_long", "linha", number(line), "limite", number(l.Cell))
}

func damaged(part string, cause error) error {
	return invalid("sheet.truncated", "parte", part).Because(cause)
}
