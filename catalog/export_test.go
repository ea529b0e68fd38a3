package catalog

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// exported is what the open data of the shop is: number, situation, brand, model a row.
var exported = []string{
	"FB-BRIN-108/17.001 ativo Coca-Cola SUN2000-33KTL-A", "FB-BRIN-108/17.001 ativo Açaí X 1",
	"2534 suspenso Açaí X 1", "2535 cancelado Suspensa S9", "2536 ativo =cmd() F1", "2538 X expirado Suspensa S9", "S-1 ativo  ",
}

func rowsOf(tb testing.TB, records [][]string) (rows []string) {
	tb.Helper()
	header := records[0]
	at := func(record []string, name string) string {
		if i := slices.Index(header, name); i < len(record) {
			return record[i]
		}
		return "" // a worksheet leaves out empty cells at the end
	}
	for _, r := range records[1:] {
		rows = append(rows, strings.Join([]string{at(r, "numero"), at(r, "situacao"), at(r, "marca"), at(r, "modelo")}, " "))
	}
	return rows
}

func TestExportCSV(t *testing.T) {
	t.Parallel()
	src := shop(t)
	// A later day changes nothing: the data are those of the publication.
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt.AddDate(0, 0, 30))
	var b bytes.Buffer
	if err := c.ExportCSV(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b.Bytes(), []byte("organismo,organismo_nome,numero,")) || !bytes.Contains(b.Bytes(), []byte("\r\n")) {
		t.Errorf("begins with %.60q", b.Bytes())
	}
	records, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(exported)
	want[4] = "2536 ativo '=cmd() F1"
	if got := rowsOf(t, records); !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
	if got := records[1][slices.Index(records[0], "empresas")]; got != "Fabricante: Maria da Silva (***.982.247-**); Solicitante: Fogões São João Ltda (12ABC34501DE35)" {
		t.Errorf("parties %q", got)
	}
}

func TestExportJSONL(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	var b bytes.Buffer
	if err := c.ExportJSONL(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(b.String()) {
		var view struct {
			Certificate
			Products []ProductView `json:"produtos"`
		}
		if err := json.Unmarshal([]byte(line), &view); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		for _, key := range []string{`"produtos":`, `"total_produtos":`} {
			if strings.Count(line, key) != 1 {
				t.Errorf("%s is not once in %s", key, line)
			}
		}
		if len(view.Products) == 0 {
			view.Products = []ProductView{{}}
		}
		for _, p := range view.Products {
			got = append(got, strings.Join([]string{view.Number, view.Situation, p.Brand, p.Model}, " "))
		}
	}
	if !slices.Equal(got, exported) {
		t.Errorf("rows %q, want %q", got, exported)
	}
}

func TestExportXLSX(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	var b bytes.Buffer
	if err := c.exportXLSX(t.Context(), &b, 5); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	if got := book.GetSheetList(); !slices.Equal(got, []string{"Dicionário", "Certificados", "Certificados 2"}) {
		t.Errorf("worksheets %v", got)
	}
	var got []string
	for _, sheet := range []string{"Certificados", "Certificados 2"} {
		records, err := book.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rowsOf(t, records)...)
	}
	if !slices.Equal(got, exported) {
		t.Errorf("rows %q, want %q", got, exported)
	}
	if front := book.GetActiveSheetIndex(); front != 1 {
		t.Errorf("worksheet %d is in front", front)
	}
	if kind, err := book.GetCellType("Certificados", "Q6"); err != nil || kind == excelize.CellTypeFormula {
		t.Errorf("the cell of =cmd() is %v, %v", kind, err)
	}
}

// The same snapshot gives the same bytes, whichever file it was built into and
// whenever it is asked.
func TestExportsAreAlwaysTheSame(t *testing.T) {
	t.Parallel()
	src := shop(t)
	exports := map[string]func(*Catalog, context.Context, io.Writer) error{"csv": (*Catalog).ExportCSV, "jsonl": (*Catalog).ExportJSONL,
		"xlsx": func(c *Catalog, ctx context.Context, w io.Writer) error { return c.exportXLSX(ctx, w, 4) }}
	first := map[string][]byte{}
	for day := range 3 {
		c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt.AddDate(0, 0, 40*day))
		for name, export := range exports {
			var b bytes.Buffer
			if err := export(c, t.Context(), &b); err != nil {
				t.Fatal(err)
			}
			if first[name] == nil {
				first[name] = b.Bytes()
			} else if !bytes.Equal(first[name], b.Bytes()) {
				t.Errorf("%s differs the %d. time", name, day+1)
			}
		}
	}
}

func TestWorkbookHoldsAnyText(t *testing.T) {
	t.Parallel()
	texts := []string{`<b>"A & B's"</b>`, "linha 1\nlinha 2\t|\r|", " espaço ", "_x0041_ é literal", "日本 😀", "=1+1", "12345678901234567890"}
	long := strings.Repeat("é", 40000)
	var b bytes.Buffer
	x, err := newWorkbook(&b, publishedAt, maxSheetRows)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.begin("Textos", []string{"texto", "numero"}); err != nil {
		t.Fatal(err)
	}
	for _, text := range append(slices.Clone(texts), "\x00\x1f\uFFFE", long) {
		if _, err := x.add([]any{text, int64(len(text))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.close(0); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	rows, err := book.GetRows("Textos")
	if err != nil || len(rows) != len(texts)+3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, want := range texts {
		if got := rows[i+1]; got[0] != want || got[1] != strconv.Itoa(len(want)) {
			t.Errorf("%q comes back as %q", want, got)
		}
	}
	if got := rows[len(rows)-2][0]; got != "\uFFFD\uFFFD\uFFFD" {
		t.Errorf("what XML forbids comes back as %q", got)
	}
	if got := rows[len(rows)-1][0]; got != strings.Repeat("é", maxCellUnits) {
		t.Errorf("a long text comes back with %d bytes", len(got))
	}
	if got := []string{columnName(0), columnName(25), columnName(26), columnName(701), columnName(702)}; !slices.Equal(got, []string{"A", "Z", "AA", "ZZ", "AAA"}) {
		t.Errorf("columns %v", got)
	}
	if got := cutUnits("a😀b", 2); got != "a" {
		t.Errorf("half a character is kept: %q", got)
	}
}

func TestGuardFormula(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "a=b": "a=b", "=1": "'=1", "-": "'-", "+5 W": "'+5 W", "@x": "'@x", "\tx": "'\tx", "＝1": "'＝1", "Ação": "Ação", "日": "日"} {
		if got := guardFormula(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
