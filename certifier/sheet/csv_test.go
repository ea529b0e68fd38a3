package sheet

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"selo/fault"
)

// read opens content and reads all of it.
func read(t testing.TB, content []byte, o Options) (header []string, rows []Row, err error) {
	t.Helper()
	r, err := OpenAt(t.Context(), bytes.NewReader(content), int64(len(content)), "planilha", o)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Header(), rows, nil
		}
		if err != nil {
			return r.Header(), rows, err
		}
		rows = append(rows, row)
	}
}

// grid is the cells of rows.
func grid(rows []Row) [][]string {
	var cells [][]string
	for _, row := range rows {
		cells = append(cells, row.Cells)
	}
	return cells
}

func equalGrid(a, b [][]string) bool { return slices.EqualFunc(a, b, slices.Equal) }

func encode(t testing.TB, s string, e Encoding) []byte {
	t.Helper()
	var b []byte
	var err error
	switch e {
	case Windows1252:
		b, err = charmap.Windows1252.NewEncoder().Bytes([]byte(s))
	case CodePage850:
		b, err = charmap.CodePage850.NewEncoder().Bytes([]byte(s))
	case UTF16LE:
		b, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(s))
	case UTF16BE:
		b, err = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(s))
	default:
		b = []byte(s)
	}
	if err != nil {
		t.Fatalf("encode as %s: %v", e, err)
	}
	return b
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	text := "marca;descrição;importado\r\nAção;“Pião” – nº 1;Não\r\n"
	plain := "marca;descrição;importado\r\nAção;Pião nº 1;Não\r\n"
	cases := []struct {
		name    string
		content []byte
		o       Options
		cell    string
	}{
		{"utf-8", []byte(text), Options{}, "“Pião” – nº 1"},
		{"utf-8 with its mark", []byte("\ufeff" + text), Options{}, "“Pião” – nº 1"},
		{"windows-1252", encode(t, text, Windows1252), Options{}, "“Pião” – nº 1"},
		{"latin-1", encode(t, plain, Windows1252), Options{}, "Pião nº 1"},
		{"utf-16le", encode(t, text, UTF16LE), Options{}, "“Pião” – nº 1"},
		{"utf-16be", encode(t, text, UTF16BE), Options{}, "“Pião” – nº 1"},
		{"cp850 named", encode(t, plain, CodePage850), Options{Encoding: CodePage850}, "Pião nº 1"},
		{"mark wins over the name", encode(t, text, UTF16LE), Options{Encoding: UTF8}, "“Pião” – nº 1"},
	}
	for _, c := range cases {
		header, rows, err := read(t, c.content, c.o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if want := []string{"marca", "descrição", "importado"}; !slices.Equal(header, want) {
			t.Errorf("%s: header %q", c.name, header)
		}
		if want := [][]string{{"Ação", c.cell, "Não"}}; !equalGrid(grid(rows), want) {
			t.Errorf("%s: rows %q, want %q", c.name, grid(rows), want)
		}
	}
}

// A sequence of UTF-8 that is cut by the reading buffer is not broken.
func TestEncodingAcrossBuffers(t *testing.T) {
	t.Parallel()
	for shift := range 4 {
		content := "a;b\n" + strings.Repeat("x", 64<<10-6+shift) + "€;Não\n"
		_, rows, err := read(t, []byte(content), Options{})
		if err != nil {
			t.Fatalf("shift %d: %v", shift, err)
		}
		if cell := rows[0].Cells[0]; !strings.HasSuffix(cell, "x€") || rows[0].Cells[1] != "Não" {
			t.Errorf("shift %d: cell ends in %q", shift, cell[len(cell)-5:])
		}
	}
}

func TestCSVFaults(t *testing.T) {
	t.Parallel()
	utf8WithOneBrokenByte := append([]byte("marca;modelo\nAção;Pião\nLâmpada;Fog"), []byte("\xe3o\nMaçã;x\n")...)
	small := Limits{Bytes: 1000, Rows: 3, Columns: 4, Cell: 10}
	cases := []struct {
		name    string
		content string
		o       Options
		key     string
		args    fault.Args
	}{
		{"empty", "", Options{}, "sheet.empty", nil},
		{"only a mark", "\ufeff", Options{}, "sheet.empty", nil},
		{"only separators", ";;;\n;;\n", Options{}, "sheet.empty", nil},
		{"damaged utf-8", string(utf8WithOneBrokenByte), Options{}, "sheet.encoding", fault.Args{"linha": "3", "codificacao": "utf-8"}},
		{"not the utf-8 it is said to be", "a;b\nN\xe3o;1\n", Options{Encoding: UTF8}, "sheet.encoding", fault.Args{"linha": "2"}},
		{"no letter of windows-1252", "a;b\nN\x81o;1\n", Options{}, "sheet.encoding", fault.Args{"linha": "2", "codificacao": "windows-1252"}},
		{"half a character of utf-16", "\xff\xfea\x00;\x00b", Options{}, "sheet.truncated", nil},
		{"bytes", "a;b\n\x00\x01\x02", Options{}, "sheet.binary", nil},
		{"old excel", oleMagic + strings.Repeat("\x00", 600), Options{}, "sheet.format", fault.Args{"formato": "XLS"}},
		{"encrypted", oleMagic + strings.Repeat("\x00", 70000) + "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00", Options{}, "sheet.encrypted", nil},
		{"page of the web", " <HTML><table>", Options{}, "sheet.format", fault.Args{"formato": "HTML"}},
		{"pdf", "%PDF-1.7", Options{}, "sheet.format", fault.Args{"formato": "PDF"}},
		{"too large", strings.Repeat("a;b\n", 300), Options{Limits: small}, "sheet.too_large", fault.Args{"tamanho": "1200", "limite": "1000"}},
		{"too many rows", "a;b\n1;2\n\n1;2\n1;2\n1;2\n", Options{Limits: small}, "sheet.too_many_rows", fault.Args{"limite": "3"}},
		{"too many columns", "a;b\n1;2;3;4;5\n", Options{Limits: small}, "sheet.too_many_columns", fault.Args{"linha": "2", "limite": "4"}},
		{"long cell", "a;b\n1;áéíóúáéíóúá\n", Options{Limits: small}, "sheet.cell_too_long", fault.Args{"linha": "2", "limite": "10"}},
		{"open quote", "a;b\n1;\"2\n3;4\n", Options{}, "sheet.quote_open", fault.Args{"linha": "2"}},
		{"open quote in a long file", "a;b\n1;\"2\n" + strings.Repeat("3;4\n", 50), Options{Limits: small}, "sheet.quote_open", fault.Args{"linha": "2"}},
		{"text after a quote", "a;b\n1;2\n\"15\" LCD\";4\n", Options{}, "sheet.quote", fault.Args{"linha": "3"}},
		{"no such header line", "a;b\n1;2\n", Options{HeaderLine: 9}, "sheet.header", fault.Args{"linha": "9"}},
		{"blank header line", "a;b\n;\n1;2\n", Options{HeaderLine: 2}, "sheet.header", fault.Args{"linha": "2"}},
	}
	for _, c := range cases {
		_, _, err := read(t, []byte(c.content), c.o)
		f := fault.Of(err)
		if f == nil || f.Key != c.key || f.Kind != fault.Invalid {
			t.Errorf("%s: got %v, want %s", c.name, err, c.key)
			continue
		}
		for k, v := range c.args {
			if f.Args[k] != v {
				t.Errorf("%s: argument %s is %q, want %q", c.name, k, f.Args[k], v)
			}
		}
	}
}

func TestCellOfExactlyTheLimit(t *testing.T) {
	t.Parallel()
	_, rows, err := read(t, []byte("a;b\n\"áéíóúáéíóú\";áéíóúáéíóú\n"), Options{Limits: Limits{Cell: 10}})
	if err != nil || len(rows) != 1 {
		t.Fatalf("rows %v, error %v", rows, err)
	}
}

func TestSeparators(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, content string
		o             Options
		want          [][]string
	}{
		{"semicolon with decimal commas", "a;b\n1,5;2,5\n3,5;4,5\n", Options{}, [][]string{{"1,5", "2,5"}, {"3,5", "4,5"}}},
		{"comma with semicolons in text", "a,b\n\"x;y\",2\nz;w,4\n", Options{}, [][]string{{"x;y", "2"}, {"z;w", "4"}}},
		{"tab", "a\tb, c\n1\t2,3\n", Options{}, [][]string{{"1", "2,3"}}},
		{"bar", "a|b\n1|2\n", Options{}, [][]string{{"1", "2"}}},
		{"one column", "a\n1\n2\n", Options{}, [][]string{{"1"}, {"2"}}},
		{"first line names it", "sep=,\r\na,b;c\r\n1,2\r\n", Options{}, [][]string{{"1", "2"}}},
		{"given", "a;b,c\n1;2,3\n", Options{Separator: Comma}, [][]string{{"1;2", "3"}}},
		{"old macintosh", "a;b\r1;2\r3;4", Options{}, [][]string{{"1", "2"}, {"3", "4"}}},
		{"header further down", "Relatório de produtos\n\na;b\n1;2\n", Options{HeaderLine: 3}, [][]string{{"1", "2"}}},
	}
	for _, c := range cases {
		_, rows, err := read(t, []byte(c.content), c.o)
		if err != nil || !equalGrid(grid(rows), c.want) {
			t.Errorf("%s: rows %q, want %q; error %v", c.name, grid(rows), c.want, err)
		}
	}
}

// Rows carry the line where they begin, whatever stands inside the cells.
func TestLinesAndRaggedRows(t *testing.T) {
	t.Parallel()
	content := "a;b\r\n\"duas\r\nlinhas\";\"com \"\"aspas\"\"\"\r\n\r\n;\r\nTV 15\" LCD;2\r\n1\r\n1;2;3\r\n1;2;;\r\n�;2\r\n"
	_, rows, err := read(t, []byte(content), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		line    int
		cells   []string
		problem string
	}{
		{2, []string{"duas\nlinhas", `com "aspas"`}, ""},
		{6, []string{`TV 15" LCD`, "2"}, ""},
		{7, []string{"1", ""}, `linha 7  sheet.ragged celulas="1" esperadas="2" linha="7"`},
		{8, []string{"1", "2", "3"}, `linha 8  sheet.ragged celulas="3" esperadas="2" linha="8"`},
		{9, []string{"1", "2", "", ""}, ""},
		{10, []string{"\ufffd", "2"}, `linha 10 a sheet.character_lost coluna="a" linha="10" valor="�"`},
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d: %q", len(rows), len(want), grid(rows))
	}
	for i, w := range want {
		problem := ""
		if len(rows[i].Problems) > 0 {
			problem = rows[i].Problems[0].String()
		}
		if rows[i].Line != w.line || !slices.Equal(rows[i].Cells, w.cells) || problem != w.problem {
			t.Errorf("row %d: line %d, cells %q, problem %s; want %+v", i, rows[i].Line, rows[i].Cells, problem, w)
		}
	}
}

// What encoding/csv writes is read back the same, with every separator.
func TestCSVAgreesWithStandardLibrary(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	letters := []rune("ab;,\t|\"\n é€")
	for round := range 300 {
		columns := 2 + random.IntN(4)
		want := [][]string{{}}
		for i := range columns {
			want[0] = append(want[0], fmt.Sprintf("c%d", i))
		}
		for range 1 + random.IntN(6) {
			row := []string{"x"} // never blank
			for len(row) < columns {
				cell := make([]rune, random.IntN(6))
				for i := range cell {
					cell[i] = letters[random.IntN(len(letters))]
				}
				row = append(row, string(cell))
			}
			want = append(want, row)
		}
		sep := candidates[random.IntN(len(candidates))]
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma, w.UseCRLF = rune(sep), random.IntN(2) == 0
		if err := w.WriteAll(want); err != nil {
			t.Fatal(err)
		}
		header, rows, err := read(t, b.Bytes(), Options{Separator: sep})
		got := append([][]string{header}, grid(rows)...)
		if err != nil || !equalGrid(got, want) {
			t.Fatalf("round %d: %q: got %q, want %q, error %v", round, b.String(), got, want, err)
		}
	}
}

func TestOpenPath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Open(t.Context(), filepath.Join(dir, "nada.csv"), Options{}); !fault.HasKey(err, "sheet.not_found") || !fault.Is(err, fault.NotFound) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Open(t.Context(), dir, Options{}); !fault.HasKey(err, "sheet.not_a_file") {
		t.Errorf("folder: %v", err)
	}
	path := filepath.Join(dir, "nome.xlsx") // the content counts, not the name
	if err := os.WriteFile(path, []byte("a;b\n1;2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(t.Context(), path, Options{})
	if err != nil || r.Format() != CSV || r.HeaderLine() != 1 {
		t.Fatalf("reader %+v, error %v", r, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// An error comes again; the end of the context ends the reading.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	content := "a;b\n" + strings.Repeat("1;2\n", 100_000)
	r, err := OpenAt(ctx, strings.NewReader(content), int64(len(content)), "x.csv", Options{})
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
	if _, again := r.Next(); !errors.Is(again, err) {
		t.Errorf("second call: %v", again)
	}
}

func FuzzCSV(f *testing.F) {
	for _, e := range []Encoding{UTF8, Windows1252, UTF16LE, UTF16BE} {
		f.Add(encode(f, "marca;descrição\r\n\"Ação\r\n1\";Não\r\n", e))
	}
	f.Add([]byte("sep=,\na,b\n1,2"))
	f.Add([]byte("a\tb\r1\t\"2\"\r"))
	f.Add([]byte("\xff\xfea\x00\x00\xd8"))
	f.Fuzz(func(t *testing.T, content []byte) {
		header, rows, err := read(t, content, Options{Limits: Limits{Cell: 1000, Rows: 1000, Columns: 20}})
		if err != nil && fault.Of(err) == nil {
			t.Fatalf("not a fault: %v", err)
		}
		line := 0
		for _, row := range rows {
			if row.Line <= line || len(row.Cells) < len(header) || len(row.Cells) > 20 {
				t.Fatalf("row %+v after line %d, header %q", row, line, header)
			}
			line = row.Line
			for _, cell := range row.Cells {
				if !utf8.ValidString(cell) || utf8.RuneCountInString(cell) > 1000 {
					t.Fatalf("cell %q", cell)
				}
			}
		}
	})
}
