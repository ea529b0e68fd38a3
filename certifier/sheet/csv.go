package sheet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Separator stands between the cells of a CSV. The zero value is detected.
type Separator byte

// The separators.
const (
	Comma     Separator = ','
	Semicolon Separator = ';'
	Tab       Separator = '\t'
	Bar       Separator = '|'
)

// ParseSeparator reads a separator as a mapping file writes it: the character
// itself, or "tab". Fault: mapping.separator.
func ParseSeparator(s string) (Separator, error) {
	switch s {
	case ",", ";", "\t", "|":
		return Separator(s[0]), nil
	case "tab", `\t`:
		return Tab, nil
	}
	return 0, invalid("mapping.separator", "valor", excerpt(s))
}

// candidates in order of preference: texts hold commas, and hardly ever tabs.
var candidates = []Separator{Tab, Semicolon, Bar, Comma}

const (
	sampleBytes = 64 << 10
	sampleRows  = 20
)

// csvFile reads CSV as in RFC 4180, with any separator and any line end (CR LF,
// LF, CR). A quotation mark inside a cell that does not begin with one is a
// character like others; after a closing mark nothing but a separator or the
// end of the line may come.
type csvFile struct {
	in        *bufio.Reader
	name      string
	separator byte
	limits    Limits
	line      int // where the next byte stands
	began     int // where the cell in work began
	cell      []byte
}

func openCSV(in *input, o Options) (*csvFile, error) {
	text, err := in.settle(o.Encoding)
	if err != nil {
		return nil, err
	}
	f := &csvFile{in: bufio.NewReaderSize(text.reader(), sampleBytes), name: in.name, limits: o.Limits, line: 1}
	sample, err := f.in.Peek(sampleBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read sheet %s: %w", in.name, err)
	}
	sep, named := namedSeparator(sample)
	switch {
	case named: // "sep=;" in the first line, as Excel writes and reads it
		if _, err := f.next(); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	case o.Separator != 0:
		sep = o.Separator
	default:
		sep = detectSeparator(string(sample), o.Limits)
	}
	f.separator = byte(sep)
	return f, nil
}

// namedSeparator reads a first line "sep=;".
func namedSeparator(sample []byte) (Separator, bool) {
	rest, ok := strings.CutPrefix(strings.ToLower(string(sample[:min(len(sample), 8)])), "sep=")
	if !ok || len(rest) == 0 || len(rest) > 1 && rest[1] != '\r' && rest[1] != '\n' {
		return 0, false
	}
	sep, err := ParseSeparator(rest[:1])
	return sep, err == nil
}

// detectSeparator tries each candidate on the beginning of the file: the one
// that cuts most rows into as many cells as the first, and then into most
// cells, wins. A file of one column has a semicolon.
func detectSeparator(sample string, l Limits) Separator {
	best, bestRows, bestCells := Semicolon, 0, 1
	for _, sep := range candidates {
		rows, cells := agreement(sample, sep, l)
		if cells < 2 {
			continue
		}
		if rows > bestRows || rows == bestRows && cells > bestCells {
			best, bestRows, bestCells = sep, rows, cells
		}
	}
	return best
}

// agreement counts the sampled rows that have as many cells as the first one.
func agreement(sample string, sep Separator, l Limits) (rows, cells int) {
	f := &csvFile{in: bufio.NewReader(strings.NewReader(sample)), separator: byte(sep), limits: l, line: 1}
	for seen := 0; seen < sampleRows; {
		row, err := f.next()
		if err != nil {
			break // the end of the sample may cut a row
		}
		if isBlank(row.cells) {
			continue
		}
		if seen++; seen == 1 {
			cells = len(row.cells)
		}
		if len(row.cells) == cells {
			rows++
		}
	}
	return rows, cells
}

// ending is what ended a cell.
type ending int

const (
	bySeparator ending = iota
	byLine
	byFile
)

func (f *csvFile) close() error { return nil }

func (f *csvFile) next() (rawRow, error) {
	if _, err := f.in.Peek(1); err != nil {
		return rawRow{}, f.failed(err)
	}
	row := rawRow{line: f.line}
	for {
		cell, end, err := f.field()
		if err != nil {
			return rawRow{}, err
		}
		if row.cells = append(row.cells, cell); len(row.cells) > f.limits.Columns {
			return rawRow{}, tooManyColumns(row.line, f.limits)
		}
		if end != bySeparator {
			return row, nil
		}
	}
}

// failed keeps io.EOF and names the file in any other error.
func (f *csvFile) failed(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return fmt.Errorf("read sheet %s: %w", f.name, err)
}

// field reads one cell and what ends it.
func (f *csvFile) field() (string, ending, error) {
	f.cell, f.began = f.cell[:0], f.line
	for first := true; ; first = false {
		c, err := f.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return f.text(byFile)
		case err != nil:
			return "", 0, f.failed(err)
		case first && c == '"':
			return f.quoted()
		case c == f.separator:
			return f.text(bySeparator)
		case c == '\n' || c == '\r':
			f.newline(c)
			return f.text(byLine)
		}
		if !f.add(c) {
			return "", 0, cellTooLong(f.began, f.limits)
		}
	}
}

// quoted reads the rest of a cell that begins with a quotation mark. Line
// breaks inside become "\n".
func (f *csvFile) quoted() (string, ending, error) {
	for {
		c, err := f.in.ReadByte()
		if err == nil && c != '"' {
			if c == '\r' || c == '\n' {
				f.newline(c)
				c = '\n'
			}
			if !f.add(c) {
				return "", 0, invalid("sheet.quote_open", "linha", number(f.began))
			}
			continue
		}
		if errors.Is(err, io.EOF) {
			return "", 0, invalid("sheet.quote_open", "linha", number(f.began))
		}
		if err == nil {
			c, err = f.in.ReadByte() // after a closing mark, or the second of a pair
		}
		switch {
		case errors.Is(err, io.EOF):
			return f.text(byFile)
		case err != nil:
			return "", 0, f.failed(err)
		case c == f.separator:
			return f.text(bySeparator)
		case c == '\n' || c == '\r':
			f.newline(c)
			return f.text(byLine)
		case c != '"':
			return "", 0, invalid("sheet.quote", "linha", number(f.line))
		}
		if !f.add(c) {
			return "", 0, invalid("sheet.quote_open", "linha", number(f.began))
		}
	}
}

// newline counts the line that c ends; CR LF is one.
func (f *csvFile) newline(c byte) {
	f.line++
	if c == '\r' {
		if next, err := f.in.Peek(1); err == nil && next[0] == '\n' {
			_, _ = f.in.Discard(1) // the byte was just seen
		}
	}
}

// add tells whether the cell may take c: its bytes are bounded here, its runes in text.
func (f *csvFile) add(c byte) bool {
	f.cell = append(f.cell, c)
	return len(f.cell) <= f.limits.Cell*utf8.UTFMax
}

func (f *csvFile) text(end ending) (string, ending, error) {
	if len(f.cell) > f.limits.Cell && utf8.RuneCount(f.cell) > f.limits.Cell {
		return "", 0, cellTooLong(f.began, f.limits)
	}
	return string(f.cell), end, nil
}
