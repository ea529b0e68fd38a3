package sheet

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"selo/fault"
)

// book makes a workbook with excelize.
func book(t testing.TB, fill func(f *excelize.File), options ...excelize.Options) []byte {
	t.Helper()
	f := excelize.NewFile()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b, options...); err != nil {
		t.Fatalf("write workbook: %v", err)
	}
	return b.Bytes()
}

func set(t testing.TB, f *excelize.File, sheet, cell string, value any) {
	t.Helper()
	if err := f.SetCellValue(sheet, cell, value); err != nil {
		t.Fatalf("set %s: %v", cell, err)
	}
}

func style(t testing.TB, f *excelize.File, sheet, cell, format string, builtIn int) {
	t.Helper()
	s := &excelize.Style{NumFmt: builtIn}
	if format != "" {
		s.CustomNumFmt = &format
	}
	id, err := f.NewStyle(s)
	if err == nil {
		err = f.SetCellStyle(sheet, cell, cell, id)
	}
	if err != nil {
		t.Fatalf("style %s: %v", cell, err)
	}
}

func TestWorkbookValues(t *testing.T) {
	t.Parallel()
	cases := []struct {
		value   any
		format  string
		builtIn int
		want    string
	}{
		{"Ação  ", "", 0, "Ação  "},
		{7891234567895, "", 0, "7891234567895"},
		{7891234567895.0, "#,##0.00", 0, "7891234567895"},
		{1e21, "", 0, "1000000000000000000000"},
		{0.1 + 0.2, "", 0, "0.3"},
		{12.50, "0.00", 0, "12.5"},
		{-3, "", 0, "-3"},
		{123456000190, "00000000000000", 0, "00123456000190"},
		{123456000190, `00\.000\.000\/0000\-00`, 0, "00123456000190"},
		{0.75, "", 9, "0.75"},
		{true, "", 0, "sim"},
		{false, "", 0, "não"},
		{time.Date(2025, 3, 14, 0, 0, 0, 0, time.UTC), "", 14, "2025-03-14"},
		{45730, `dd/mm/yyyy`, 0, "2025-03-14"},
		{45730, `[$-416]d" de "mmmm" de "yyyy;@`, 0, "2025-03-14"},
		{45730.4375, "dd/mm/yyyy hh:mm", 0, "2025-03-14T10:30:00"},
		{45730.4375, "dd/mm/yyyy", 0, "2025-03-14"},
		{45730, "", 22, "2025-03-14"},
		{0.4375, "h:mm", 0, "10:30:00"},
		{1.5, "[h]:mm", 0, "1.5"},
		{1, "yyyy-mm-dd", 0, "1900-01-01"},
		{59, "yyyy-mm-dd", 0, "1900-02-28"},
		{60, "yyyy-mm-dd", 0, "1900-02-29"},
		{61, "yyyy-mm-dd", 0, "1900-03-01"},
		{-5, "yyyy-mm-dd", 0, "-5"},
		{99999999, "yyyy-mm-dd", 0, "99999999"},
		{45730, `#,##0 "dias"`, 0, "45730"},
		{45730, `[Red]0.0`, 0, "45730"},
	}
	content := book(t, func(f *excelize.File) {
		set(t, f, "Sheet1", "A1", "valor")
		for i, c := range cases {
			at := fmt.Sprintf("A%d", i+2)
			set(t, f, "Sheet1", at, c.value)
			if c.format != "" || c.builtIn != 0 {
				style(t, f, "Sheet1", at, c.format, c.builtIn)
			}
		}
	})
	_, rows, err := read(t, content, Options{})
	if err != nil || len(rows) != len(cases) {
		t.Fatalf("%d rows, want %d; error %v", len(rows), len(cases), err)
	}
	for i, c := range cases {
		if got := rows[i].Cells[0]; got != c.want || rows[i].Line != i+2 {
			t.Errorf("%v as %q: got %q in line %d, want %q", c.value, c.format, got, rows[i].Line, c.want)
		}
	}
}

func TestWorkbookOf1904(t *testing.T) {
	t.Parallel()
	yes := true
	content := book(t, func(f *excelize.File) {
		if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}); err != nil {
			t.Fatal(err)
		}
		set(t, f, "Sheet1", "A1", "data")
		for i, serial := range []float64{0, 44268} {
			at := fmt.Sprintf("A%d", i+2)
			set(t, f, "Sheet1", at, serial)
			style(t, f, "Sheet1", at, "dd/mm/yyyy", 0)
		}
	})
	_, rows, err := read(t, content, Options{})
	if want := [][]string{{"1904-01-01"}, {"2025-03-14"}}; err != nil || !equalGrid(grid(rows), want) {
		t.Errorf("got %q, want %q; error %v", grid(rows), want, err)
	}
}

// Gaps, notes beside the table, several sheets, hidden ones, errors and
// formulas that nobody calculated.
func TestWorkbookShape(t *testing.T) {
	t.Parallel()
	content := book(t, func(f *excelize.File) {
		if _, err := f.NewSheet("Produção 2025"); err != nil {
			t.Fatal(err)
		}
		set(t, f, "Sheet1", "A1", "escondida")
		f.SetActiveSheet(1)
		if err := f.SetSheetVisible("Sheet1", false); err != nil {
			t.Fatal(err)
		}
		for at, v := range map[string]any{"B3": "marca", "D3": "modelo", "B5": "X", "D5": "Y", "F5": "nota", "B9": "Z"} {
			set(t, f, "Produção 2025", at, v)
		}
		if err := f.SetCellFormula("Produção 2025", "D9", "A1&B1"); err != nil {
			t.Fatal(err)
		}
		if err := f.SetCellRichText("Produção 2025", "D10", []excelize.RichTextRun{{Text: "ne"}, {Text: "grito", Font: &excelize.Font{Bold: true}}}); err != nil {
			t.Fatal(err)
		}
	})
	for _, name := range []string{"", "PRODUCAO 2025"} {
		header, rows, err := read(t, content, Options{Sheet: name})
		if err != nil || !slices.Equal(header, []string{"", "marca", "", "modelo"}) || len(rows) != 3 {
			t.Fatalf("sheet %q: header %q, rows %+v, error %v", name, header, rows, err)
		}
		if rows[0].Line != 5 || !slices.Equal(rows[0].Cells, []string{"", "X", "", "Y", "", "nota"}) || len(rows[0].Problems) != 0 {
			t.Errorf("first row %+v", rows[0])
		}
		if rows[1].Line != 9 || len(rows[1].Problems) != 1 || rows[1].Problems[0].Code != "sheet.formula_empty" || rows[1].Problems[0].Field != "modelo" {
			t.Errorf("second row %+v", rows[1])
		}
		if rows[2].Cells[3] != "negrito" {
			t.Errorf("rich text %+v", rows[2])
		}
	}
	if header, _, err := read(t, content, Options{Sheet: "sheet1"}); err != nil || header[0] != "escondida" {
		t.Errorf("a hidden sheet by its name: %q, %v", header, err)
	}
	_, _, err := read(t, content, Options{Sheet: "Plan1"})
	if f := fault.Of(err); f == nil || f.Key != "sheet.missing" || f.Args["existentes"] != "“Produção 2025”" {
		t.Errorf("missing sheet: %v", err)
	}
}

// parts makes a ZIP of these files.
func parts(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range files {
		part, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(part, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// minimal is the parts of a workbook of one sheet.
func minimal(sheetData string) map[string]string {
	const rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	return map[string]string{
		"_rels/.rels":                `<Relationships><Relationship Id="r" Type="` + rel + `/officeDocument" Target="/xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<workbook xmlns:r="` + rel + `"><sheets><sheet name="Plan1" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r1" Type="` + rel + `/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="` + rel + `/sharedStrings" Target="sharedStrings.xml"/></Relationships>`,
		"xl/sharedStrings.xml":       `<sst><si><t>marca</t></si><si><r><t>a_x000A_</t></r><r><t>b_x005F_x000D_</t></r><rPh><t>fonética</t></rPh></si></sst>`,
		"xl/worksheets/sheet1.xml":   `<worksheet><sheetData>` + sheetData + `</sheetData></worksheet>`,
	}
}

func TestWorkbookByHand(t *testing.T) {
	t.Parallel()
	content := parts(t, minimal(`<row><c t="s"><v>0</v></c><c t="inlineStr"><is><t>modelo</t></is></c><c t="str"><v>outro</v></c></row>`+
		`<row r="4"><c r="A4" t="s"><v>1</v></c><c r="B4" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="C4" t="d"><v>2025-03-14T00:00:00</v></c></row>`+
		`<row r="5"><c r="A5"><v>7.891234567895E+12</v></c><c r="ZZ5" s="7"/></row>`))
	_, rows, err := read(t, content, Options{})
	want := [][]string{{"a\nb_x000D_", "#DIV/0!", "2025-03-14"}, {"7891234567895", "", ""}}
	if err != nil || !equalGrid(grid(rows), want) {
		t.Fatalf("rows %q, want %q; error %v", grid(rows), want, err)
	}
	if p := rows[0].Problems; len(p) != 1 || p[0].Code != "sheet.cell_error" || p[0].Field != "modelo" || p[0].Args["linha"] != "4" {
		t.Errorf("problems %v", p)
	}
}

// spoil changes bytes in the middle of a packed part.
func spoil(t testing.TB, content []byte, name string) []byte {
	t.Helper()
	content = bytes.Clone(content)
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if f.Name != name {
			continue
		}
		at, err := f.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		for i := range int64(20) {
			content[at+int64(f.CompressedSize64)/2+i] ^= 0x55
		}
		return content
	}
	t.Fatalf("no part %s", name)
	return nil
}

func TestWorkbookFaults(t *testing.T) {
	t.Parallel()
	header := `<row><c t="s"><v>0</v></c></row>`
	without := func(name string) map[string]string {
		files := minimal(header)
		delete(files, name)
		return files
	}
	good := book(t, func(f *excelize.File) {
		set(t, f, "Sheet1", "A1", "marca")
		for i := range 500 {
			set(t, f, "Sheet1", fmt.Sprintf("A%d", i+2), fmt.Sprintf("texto %d", i*i))
		}
	})
	spoilt := spoil(t, good, "xl/worksheets/sheet1.xml")
	encrypted := book(t, func(f *excelize.File) { set(t, f, "Sheet1", "A1", "marca") }, excelize.Options{Password: "segredo"})
	cases := []struct {
		name    string
		content []byte
		o       Options
		key     string
		format  string
	}{
		{"encrypted", encrypted, Options{}, "sheet.encrypted", ""},
		{"cut in the middle", good[:len(good)/2], Options{}, "sheet.truncated", ""},
		{"cut at the end", good[:len(good)-10], Options{}, "sheet.truncated", ""},
		{"spoilt bytes", spoilt, Options{}, "sheet.truncated", ""},
		{"no rows", parts(t, minimal("")), Options{}, "sheet.empty", ""},
		{"no sheet part", parts(t, without("xl/worksheets/sheet1.xml")), Options{}, "sheet.truncated", ""},
		{"no strings part", parts(t, without("xl/sharedStrings.xml")), Options{}, "sheet.truncated", ""},
		{"open document", parts(t, map[string]string{"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"}), Options{}, "sheet.format", "ODS"},
		{"binary workbook", parts(t, map[string]string{"xl/workbook.bin": "x"}), Options{}, "sheet.format", "XLSB"},
		{"document", parts(t, map[string]string{"word/document.xml": "<x/>"}), Options{}, "sheet.format", "DOCX"},
		{"other zip", parts(t, map[string]string{"a.txt": "x"}), Options{}, "sheet.format", "ZIP"},
		{"empty zip", parts(t, nil), Options{}, "sheet.format", "ZIP"},
		{"xml cut inside a row", parts(t, map[string]string{
			"_rels/.rels": minimal("")["_rels/.rels"], "xl/workbook.xml": minimal("")["xl/workbook.xml"],
			"xl/_rels/workbook.xml.rels": minimal("")["xl/_rels/workbook.xml.rels"], "xl/sharedStrings.xml": minimal("")["xl/sharedStrings.xml"],
			"xl/worksheets/sheet1.xml": `<worksheet><sheetData>` + header + `<row><c t="s"><v>0</v></c>`,
		}), Options{}, "sheet.truncated", ""},
		{"rows out of order", parts(t, minimal(`<row r="5"><c t="s"><v>0</v></c></row><row r="4"/>`)), Options{}, "sheet.truncated", ""},
		{"unknown string", parts(t, minimal(`<row><c t="s"><v>9</v></c></row>`)), Options{}, "sheet.truncated", ""},
		{"impossible cell", parts(t, minimal(`<row><c r="12"><v>9</v></c></row>`)), Options{}, "sheet.truncated", ""},
		{"deep", parts(t, minimal(strings.Repeat("<a>", 100)+strings.Repeat("</a>", 100))), Options{}, "sheet.truncated", ""},
		{"many columns", parts(t, minimal(header+`<row><c r="XFD2"><v>9</v></c></row>`)), Options{}, "sheet.too_many_columns", ""},
		{"long cell", parts(t, minimal(header+`<row><c><v>12345678901</v></c></row>`)), Options{Limits: Limits{Cell: 10}}, "sheet.cell_too_long", ""},
		{"endless text", parts(t, minimal(header+`<row><c t="str"><v>`+strings.Repeat("x", maxToken+1)+`</v></c></row>`)), Options{}, "sheet.text_too_long", ""},
		{"many rows", good, Options{Limits: Limits{Rows: 100}}, "sheet.too_many_rows", ""},
		{"too large", good, Options{Limits: Limits{Bytes: 1000}}, "sheet.too_large", ""},
		{"entities", parts(t, minimal(`<row><c t="str"><v>&lol;</v></c></row>`)), Options{}, "sheet.truncated", ""},
	}
	for _, c := range cases {
		_, _, err := read(t, c.content, c.o)
		f := fault.Of(err)
		if f == nil || f.Key != c.key || f.Args["formato"] != c.format {
			t.Errorf("%s: got %v, want %s %s", c.name, err, c.key, c.format)
		}
	}
}

// bomb is a workbook whose sheet unpacks to size zeros; it declares declared bytes.
func bomb(t *testing.T, size int64, declared uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range minimal("") {
		if name == "xl/worksheets/sheet1.xml" {
			continue
		}
		part, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(part, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var packed bytes.Buffer
	deflate, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	spaces := bytes.Repeat([]byte(" "), 1<<20)
	for written := int64(0); written < size; written += int64(len(spaces)) {
		if _, err := deflate.Write(spaces); err != nil {
			t.Fatal(err)
		}
	}
	if err := deflate.Close(); err != nil {
		t.Fatal(err)
	}
	part, err := w.CreateRaw(&zip.FileHeader{
		Name: "xl/worksheets/sheet1.xml", Method: zip.Deflate,
		CompressedSize64: uint64(packed.Len()), UncompressedSize64: declared,
	})
	if err == nil {
		_, err = part.Write(packed.Bytes())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A gigabyte in a few megabytes is refused unread; one that lies about its
// size is cut off. Neither takes memory.
func TestZipBomb(t *testing.T) { // it measures memory
	const gigabyte = 1 << 30
	honest, lying := bomb(t, gigabyte, gigabyte), bomb(t, 128<<20, 1000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, err := read(t, honest, Options{Limits: Limits{Unzipped: 512 << 20}}); !fault.HasKey(err, "sheet.unzipped") {
		t.Errorf("honest bomb of %d bytes: %v", len(honest), err)
	}
	if _, _, err := read(t, lying, Options{}); fault.Of(err) == nil {
		t.Errorf("lying bomb: %v", err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d bytes were allocated", used)
	}
}

// Many shared strings go to a file, which vanishes.
func TestSharedStringsSpill(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var table stringTable
	long := strings.Repeat("texto ", 50_000) // 300 kB
	for i := range 150 {
		if err := table.add([]byte(long + number(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.finish(); err != nil {
		t.Fatal(err)
	}
	if table.file == nil || table.memory != nil {
		t.Fatal("still in memory")
	}
	for _, i := range []int{0, 77, 149} {
		if s, err := table.at([]byte(number(i))); err != nil || s != long+number(i) {
			t.Errorf("string %d: %d bytes, error %v", i, len(s), err)
		}
	}
	if err := table.close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "selo-sheet-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWorkbookContextEnds(t *testing.T) {
	t.Parallel()
	content := parts(t, minimal(`<row><c t="s"><v>0</v></c></row>`+strings.Repeat(`<row><c><v>1</v></c></row>`, 50_000)))
	ctx, cancel := context.WithCancel(t.Context())
	r, err := OpenAt(ctx, bytes.NewReader(content), int64(len(content)), "x.xlsx", Options{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil {
		_, err = r.Next()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func FuzzWorkbook(f *testing.F) {
	f.Add(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`)
	f.Add(`<row><c r="B1" t="inlineStr"><is><t>x</t></is></c></row><row><c t="b"><v>1</v></c><c s="3"><f>A1</f></c></row>`)
	f.Fuzz(func(t *testing.T, data string) {
		_, rows, err := read(t, parts(t, minimal(data)), Options{})
		if err != nil && fault.Of(err) == nil {
			t.Fatalf("not a fault: %v", err)
		}
		for i := 1; i < len(rows); i++ {
			if rows[i].Line <= rows[i-1].Line {
				t.Fatalf("line %d after %d", rows[i].Line, rows[i-1].Line)
			}
		}
	})
}
