package catalog

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"
	"unicode/utf16"
)

// What a worksheet can hold (ECMA-376, and Excel's own limits).
const (
	maxSheetRows = 1 << 20
	maxCellUnits = 32767 // UTF-16 code units of a cell's text
	// maxSheetBytes keeps a worksheet below the 4 GiB from which on a ZIP entry
	// needs sizes of 64 bits, which spreadsheet programs do not read everywhere.
	maxSheetBytes = 3 << 30
)

// workbook writes an XLSX file (ECMA-376, ISO/IEC 29500) as it comes: nothing
// but the row in hand is in memory, and the same rows give the same bytes.
type workbook struct {
	zip      *zip.Writer
	at       time.Time // of every entry
	perSheet int       // rows, with the header
	names    []string  // of the worksheets so far
	sheet    *bufio.Writer
	counted  *measured
	row      int // the last written
	columns  []string
	cell     []byte
}

// measured counts the bytes that pass.
type measured struct {
	w io.Writer
	n int64
}

func (c *measured) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

const (
	xmlHead     = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	mainSchema  = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	relations   = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packageRels = "http://schemas.openxmlformats.org/package/2006/relationships"
	mediaPrefix = "application/vnd.openxmlformats-officedocument.spreadsheetml."
)

// The parts that do not depend on the rows.
var (
	rootPart = xmlHead + `<Relationships xmlns="` + packageRels + `"><Relationship Id="rId1" Type="` + relations +
		`/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	// Style 1 is a header: bold. Style 0 is everything else.
	stylesPart = xmlHead + `<styleSheet xmlns="` + mainSchema + `"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>` +
		`<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border/></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
		`<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs></styleSheet>`
)

// newWorkbook begins a file whose entries bear one moment.
func newWorkbook(w io.Writer, at time.Time, perSheet int) (*workbook, error) {
	x := &workbook{zip: zip.NewWriter(w), at: at.UTC().Truncate(time.Second), perSheet: perSheet}
	// The fastest level makes files a sixth larger and takes two thirds of the time.
	x.zip.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
	for _, part := range [][2]string{{"_rels/.rels", rootPart}, {"xl/styles.xml", stylesPart}} {
		if err := x.part(part[0], part[1]); err != nil {
			return nil, err
		}
	}
	return x, nil
}

func (x *workbook) create(name string) (io.Writer, error) {
	return x.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: x.at})
}

func (x *workbook) part(name, text string) error {
	out, err := x.create(name)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, text)
	return err
}

// begin ends the worksheet in hand and begins another with a header, which
// stays in sight when the rows are scrolled.
func (x *workbook) begin(name string, header []string) error {
	if err := x.end(); err != nil {
		return err
	}
	x.names = append(x.names, name)
	out, err := x.create("xl/worksheets/sheet" + strconv.Itoa(len(x.names)) + ".xml")
	if err != nil {
		return err
	}
	x.counted = &measured{w: out}
	x.sheet, x.row = bufio.NewWriterSize(x.counted, 1<<16), 0
	x.columns = x.columns[:0]
	for i := range header {
		x.columns = append(x.columns, columnName(i))
	}
	x.sheet.WriteString(xmlHead + `<worksheet xmlns="` + mainSchema + `"><sheetViews><sheetView workbookViewId="0">` + //nolint:errcheck // bufio keeps the error for Flush
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>` +
		`<cols><col min="1" max="` + strconv.Itoa(len(header)) + `" width="22" customWidth="1"/></cols><sheetData>`)
	cells := make([]any, len(header))
	for i, text := range header {
		cells[i] = text
	}
	return x.write(cells, ` s="1"`)
}

// add writes a row of texts and int64 numbers, and reports whether the
// worksheet is full after it.
func (x *workbook) add(cells []any) (full bool, err error) {
	if err := x.write(cells, ""); err != nil {
		return false, err
	}
	return x.row >= x.perSheet || x.counted.n >= maxSheetBytes, nil
}

func (x *workbook) write(cells []any, style string) error {
	x.row++
	row := strconv.Itoa(x.row)
	b := append(x.cell[:0], `<row r="`...)
	b = append(append(b, row...), `">`...)
	for i, value := range cells {
		if value == "" {
			continue
		}
		b = append(b, `<c r="`...)
		b = append(append(b, x.columns[i]...), row...)
		b = append(append(b, '"'), style...)
		if n, isNumber := value.(int64); isNumber {
			b = append(b, `><v>`...)
			b = append(strconv.AppendInt(b, n, 10), `</v></c>`...)
			continue
		}
		text, _ := value.(string) // cells are texts and numbers
		b = append(b, ` t="inlineStr"><is><t xml:space="preserve">`...)
		b = append(appendCellText(b, text), `</t></is></c>`...)
	}
	x.cell = append(b, `</row>`...)
	_, err := x.sheet.Write(x.cell)
	return err
}

// escapeLike is what a spreadsheet program would read as a coded character.
var escapeLike = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

// appendCellText writes a text as XML, no longer than a cell can hold.
// Characters that XML forbids become U+FFFD.
func appendCellText(b []byte, text string) []byte {
	if len(text) > maxCellUnits {
		text = cutUnits(text, maxCellUnits)
	}
	if escapeLike.MatchString(text) {
		text = escapeLike.ReplaceAllString(text, "_x005F$0")
	}
	if isPlain(text) {
		return append(b, text...)
	}
	out := sliceWriter{b}
	_ = xml.EscapeText(&out, []byte(text)) // a slice takes everything
	return out.b
}

// sliceWriter appends what is written.
type sliceWriter struct{ b []byte }

func (s *sliceWriter) Write(p []byte) (int, error) {
	s.b = append(s.b, p...)
	return len(p), nil
}

// isPlain tells whether a text is XML as it is.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' {
			return false
		}
	}
	return true
}

// cutUnits cuts a text to so many UTF-16 code units, at a character.
func cutUnits(text string, units int) string {
	for at, r := range text {
		if units -= max(utf16.RuneLen(r), 1); units < 0 {
			return text[:at]
		}
	}
	return text
}

// columnName is "A" for 0, "Z" for 25, "AA" for 26.
func columnName(i int) string {
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('A'+(i-1)%26)) + name
	}
	return name
}

func (x *workbook) end() error {
	if x.sheet == nil {
		return nil
	}
	x.sheet.WriteString(`</sheetData></worksheet>`) //nolint:errcheck // bufio keeps the error for Flush
	return x.sheet.Flush()
}

// close ends the file; the worksheet of that place, from 0, is in front when
// the file is opened.
func (x *workbook) close(front int) error {
	if err := x.end(); err != nil {
		return err
	}
	book := xmlHead + `<workbook xmlns="` + mainSchema + `" xmlns:r="` + relations + `"><bookViews><workbookView activeTab="` +
		strconv.Itoa(front) + `"/></bookViews><sheets>`
	rels := xmlHead + `<Relationships xmlns="` + packageRels + `">`
	types := xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="` + mediaPrefix + `sheet.main+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="` + mediaPrefix + `styles+xml"/>`
	for i, name := range x.names {
		n := strconv.Itoa(i + 1)
		book += `<sheet name="` + name + `" sheetId="` + n + `" r:id="rId` + n + `"/>`
		rels += `<Relationship Id="rId` + n + `" Type="` + relations + `/worksheet" Target="worksheets/sheet` + n + `.xml"/>`
		types += `<Override PartName="/xl/worksheets/sheet` + n + `.xml" ContentType="` + mediaPrefix + `worksheet+xml"/>`
	}
	rels += fmt.Sprintf(`<Relationship Id="rId%d" Type="%s/styles" Target="styles.xml"/></Relationships>`, len(x.names)+1, relations)
	for _, part := range [][2]string{{"xl/workbook.xml", book + `</sheets></workbook>`}, {"xl/_rels/workbook.xml.rels", rels}, {"[Content_Types].xml", types + `</Types>`}} {
		if err := x.part(part[0], part[1]); err != nil {
			return err
		}
	}
	return x.zip.Close()
}
