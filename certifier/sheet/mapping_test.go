package sheet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

func load(t testing.TB, s string) *Mapping {
	t.Helper()
	m, err := LoadMapping(strings.NewReader(s))
	if err != nil {
		t.Fatalf("load mapping: %v", err)
	}
	return m
}

func TestLoadMapping(t *testing.T) {
	t.Parallel()
	m := load(t, `{"planilha": "Produção", "cabecalho": 3, "separador": "tab", "codificacao": "Latin-1", "repetidos": "mesclar",
		"colunas": {"marca": {"coluna": " maker "}, "importado": {"valor": "sim"}, "descricao": {"modelo": "P {p} W; T {t} V"}},
		"certificado_por": ["maker", "ano"]}`)
	want := &Mapping{
		Sheet: "Produção", HeaderLine: 3, Separator: Tab, Encoding: Windows1252, Repeated: Merge,
		Columns:       map[Target]Source{Brand: {Column: "maker"}, Imported: {Value: "sim"}, Description: {Template: "P {p} W; T {t} V"}},
		CertificateBy: []string{"maker", "ano"},
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v, want %+v", m, want)
	}
	if m := load(t, "\ufeff"+`{"colunas": {"marca": {"coluna": "x"}}}`); m.Repeated != Refuse || m.CertificateBy != nil {
		t.Errorf("defaults %+v", m)
	}
}

func TestMappingProblems(t *testing.T) {
	t.Parallel()
	const columns = `"colunas": {"marca": {"coluna": "x"}}`
	cases := []struct{ file, field, code, arg string }{
		{`{"coluna": {}, ` + columns + `}`, "coluna", "mapping.unknown_key", "coluna"},
		{`{` + columns + `, ` + columns + `}`, "colunas", "mapping.repeated_key", "colunas"},
		{`{"colunas": {"marcas": {"coluna": "x"}}}`, "colunas.marcas", "mapping.unknown_target_near", "marcas"},
		{`{"colunas": {"qqqqqqqq": {"coluna": "x"}}}`, "colunas.qqqqqqqq", "mapping.unknown_target", "qqqqqqqq"},
		{`{"colunas": {"marca": "x"}}`, "colunas.marca", "mapping.type", ""},
		{`{"colunas": {"marca": {"coluna": 7}}}`, "colunas.marca.coluna", "mapping.type", ""},
		{`{"colunas": {"marca": {"coluna": null}}}`, "colunas.marca.coluna", "mapping.type", ""},
		{`{"colunas": {"marca": {"colunna": "x"}}}`, "colunas.marca.colunna", "mapping.unknown_key", "colunna"},
		{`{"colunas": {"marca": {"coluna": "x", "valor": "y"}}}`, "colunas.marca", "mapping.source", ""},
		{`{"colunas": {"marca": {}}}`, "colunas.marca", "mapping.source", ""},
		{`{"colunas": {"marca": {"modelo": "a {b"}}}`, "colunas.marca.modelo", "mapping.template", ""},
		{`{"colunas": {}}`, "colunas", "mapping.no_columns", ""},
		{`{}`, "colunas", "mapping.no_columns", ""},
		{`[]`, "", "mapping.type", ""},
		{`{"separador": "x", ` + columns + `}`, "separador", "mapping.separator", ""},
		{`{"codificacao": "ebcdic", ` + columns + `}`, "codificacao", "mapping.encoding", ""},
		{`{"repetidos": "talvez", ` + columns + `}`, "repetidos", "mapping.repeated", ""},
		{`{"cabecalho": 0, ` + columns + `}`, "cabecalho", "mapping.header_line", ""},
		{`{"cabecalho": "1", ` + columns + `}`, "cabecalho", "mapping.header_line", ""},
		{`{"certificado_por": "x", ` + columns + `}`, "certificado_por", "mapping.type", ""},
		{`{"certificado_por": ["x", "x"], ` + columns + `}`, "certificado_por", "mapping.certificate_by", ""},
	}
	for _, c := range cases {
		_, err := LoadMapping(strings.NewReader(c.file))
		f := fault.Of(err)
		if f == nil || f.Key != "mapping.invalid" {
			t.Errorf("%s: got %v", c.file, err)
			continue
		}
		i := slices.IndexFunc(f.Problems, func(p fault.Problem) bool { return p.Field == c.field && p.Code == c.code })
		if i < 0 || c.arg != "" && f.Problems[i].Args["chave"] != c.arg {
			t.Errorf("%s: got %v, want %s at %q", c.file, err, c.code, c.field)
		}
	}
}

func TestMappingSyntax(t *testing.T) {
	t.Parallel()
	for file, line := range map[string]string{
		"":                             "1",
		"{\n\"colunas\": {,}\n}":       "2",
		"{\n\n\"a\": \"\xff\"}":        "3",
		"{\"colunas\": {}\n}\n{}":      "3",
		"{\"a\": 1,\n\"b\": 2,\n\n\n}": "5",
	} {
		_, err := LoadMapping(strings.NewReader(file))
		if f := fault.Of(err); f == nil || f.Key != "mapping.syntax" || f.Args["linha"] != line {
			t.Errorf("%q: got %v, want line %s", file, err, line)
		}
	}
	big := strings.NewReader(strings.Repeat(" ", maxMapping+1))
	if _, err := LoadMapping(big); !fault.HasKey(err, "mapping.too_large") {
		t.Errorf("large file: %v", err)
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	cells := map[string]string{"p": "250", "v": "", "w": " ", "n": "ABB  Ltda", "low": "30", "high": ""}
	cases := map[string]string{
		"Potência {p} W; tensão {v} V":   "Potência 250 W",
		"tensão {v} V; corrente {w} A":   "",
		"Inversor; tensão {v} V":         "Inversor",
		"MPPT de {low} a {high} V; {n}":  "MPPT de 30 a V; ABB Ltda",
		"INV-{n}":                        "INV-ABB Ltda",
		"{p}{p};{n}":                     "250250;ABB Ltda",
		"{{{p}}} e {{}}":                 "{250} e {}",
		"só texto":                       "só texto",
		"; {p}; ":                        "250",
		"a; b":                           "a; b",
		"{ p }":                          "250",
		"{p} W (máx.; em uso); {v} fim ": "250 W (máx.; em uso)",
	}
	header := slices.Sorted(maps.Keys(cells))
	row := Row{Line: 2}
	for _, name := range header {
		row.Cells = append(row.Cells, cells[name])
	}
	for text, want := range cases {
		m := &Mapping{Columns: map[Target]Source{Description: {Template: text}}}
		record, problems := m.Apply(header, row)
		if record[Description] != want || len(problems) > 0 {
			t.Errorf("%q: got %q, want %q; problems %v", text, record[Description], want, problems)
		}
	}
	for _, text := range []string{"{", "}", "{p", "p}", "{}", "{ }", "{a{b}}", "{a; b"} {
		if _, err := parseTemplate(text); !fault.HasKey(err, "mapping.template") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestBindNames(t *testing.T) {
	t.Parallel()
	m := &Mapping{Columns: map[Target]Source{
		IssuedOn:     {Column: "data de emissao"},
		ProductModel: {Column: "Modelo"},
		GTIN:         {Column: "R$"},
	}}
	header := []string{"DATA DE  EMISSÃO", "MODELO", "Modelo", "R$"}
	record, problems := m.Apply(header, Row{Cells: []string{"14/03/2025", "a", " b  c ", "1"}})
	want := Record{IssuedOn: "14/03/2025", ProductModel: "b c", GTIN: "1"}
	if !maps.Equal(record, want) || len(problems) > 0 {
		t.Errorf("got %v, want %v, problems %v", record, want, problems)
	}
}

func TestBindProblems(t *testing.T) {
	t.Parallel()
	m := &Mapping{
		Columns: map[Target]Source{
			Brand:        {Column: "marka"},
			ProductModel: {Column: "modelo"},
			Description:  {Template: "{xyzxyz}"},
		},
		CertificateBy: []string{"certificado"},
	}
	_, err := m.Bind([]string{"Marca", "MODELO", "Mod-elo", "módelo", "", "Nº do certificado"})
	f := fault.Of(err)
	if f == nil || f.Key != "sheet.columns" || f.Kind != fault.Invalid || len(f.Problems) != 4 {
		t.Fatalf("got %v", err)
	}
	want := []string{
		`colunas.marca sheet.column_missing_near coluna="marka" proximas="“Marca”"`,
		`colunas.modelo sheet.column_repeated coluna="modelo" posicoes="B, D"`,
		`colunas.descricao sheet.column_missing coluna="xyzxyz" existentes="“Marca”, “MODELO”, “Mod-elo”, “módelo”, “Nº do certificado”"`,
		`certificado_por sheet.column_missing_near coluna="certificado" proximas="“Nº do certificado”"`,
	}
	got := map[string]bool{}
	for _, p := range f.Problems {
		got[p.String()] = true
	}
	for _, w := range want {
		if !got[w] {
			t.Errorf("missing problem %s; got %v", w, f.Problems)
		}
	}
}

// Only the problems of columns in use, or of the whole row, reach the record.
func TestApplyProblems(t *testing.T) {
	t.Parallel()
	row := Row{Line: 4, Cells: []string{"X", "#N/A", "linha 1 \r\n\n linha  2\n"}}
	row.add("outra", "sheet.cell_error", "valor", "#N/A")
	row.add("marca", "sheet.character_lost", "valor", "X")
	row.add("", "sheet.ragged", "celulas", "3", "esperadas", "4")
	m := &Mapping{Columns: map[Target]Source{Brand: {Column: "marca"}, Remarks: {Column: "obs"}}}
	record, problems := m.Apply([]string{"marca", "outra", "obs"}, row)
	if want := (Record{Brand: "X", Remarks: "linha 1\n\nlinha 2"}); !maps.Equal(record, want) {
		t.Errorf("record %q", record)
	}
	if len(problems) != 2 || problems[0].Field != "marca" || problems[1].Code != "sheet.ragged" || problems[1].Record != "linha 4" {
		t.Errorf("problems %v", problems)
	}
}

func TestGuess(t *testing.T) {
	t.Parallel()
	m, err := Guess([]string{
		"Nº do Certificado", "Tipo de Certificado", "Classe", "Data de Emissão", "Validade", "Portaria", "CNPJ do Solicitante",
		"Fabricante", "País do fabricante", "Importador CNPJ", "Brand", "MODEL", "Descrição", "Produto importado?", "Código EAN/UPC", "Coluna 7", "Marca",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[Target]string{
		Number: "Nº do Certificado", Type: "Tipo de Certificado", Class: "Classe", IssuedOn: "Data de Emissão", ValidUntil: "Validade",
		Document: "Portaria", "solicitante_cnpj": "CNPJ do Solicitante", "fabricante_razao_social": "Fabricante",
		"fabricante_pais": "País do fabricante", "importador_cnpj": "Importador CNPJ", Brand: "Brand", ProductModel: "MODEL",
		Description: "Descrição", Imported: "Produto importado?", GTIN: "Código EAN/UPC",
	}
	got := map[Target]string{}
	for target, source := range m.Columns {
		got[target] = source.Column
	}
	if !maps.Equal(got, want) || !slices.Equal(m.CertificateBy, []string{"Nº do Certificado"}) {
		t.Errorf("got %v by %q, want %v", got, m.CertificateBy, want)
	}
	if _, err := Guess([]string{"x", "y"}); !fault.HasKey(err, "sheet.no_guess") {
		t.Errorf("nothing known: %v", err)
	}
}

// Every name stands for one target only, and is written as it is compared.
func TestCommonNames(t *testing.T) {
	t.Parallel()
	meaning := map[string]Target{}
	for target, names := range commonNames {
		for _, name := range names {
			if name != canonical(name) {
				t.Errorf("%s: %q should be %q", target, name, canonical(name))
			}
			if other, taken := meaning[name]; taken {
				t.Errorf("%q is %s and %s", name, target, other)
			}
			meaning[name] = target
		}
	}
	for name, target := range meaning {
		if got := namesOf()[name]; got != target {
			t.Errorf("%q is %s, not %s", name, got, target)
		}
	}
	for target := range commonNames {
		if !slices.Contains(targets, target) {
			t.Errorf("%q is no target", target)
		}
	}
	if want := 11 + 13 + 5*14; len(Targets()) != want {
		t.Errorf("%d targets, want %d", len(Targets()), want)
	}
	if t1 := CompanyTarget(certificate.Importer, CompanyCNPJ); t1 != "importador_cnpj" {
		t.Errorf("got %s", t1)
	}
}

// Names of columns are written into JSON as people see them.
func TestWriteMapping(t *testing.T) {
	t.Parallel()
	m, err := Guess([]string{"Certificado <nº> & \"série\"", "Marca", "Modelo\ndo produto"})
	if err != nil {
		t.Fatal(err)
	}
	m.Columns[Number] = Source{Column: "Certificado <nº> & \"série\""}
	m.Sheet, m.HeaderLine, m.Separator, m.Encoding = "Plan1", 2, Tab, UTF16LE
	m.Columns[Description] = Source{Template: "{x}; y"}
	m.Columns[Imported] = Source{Value: "não"}
	var b bytes.Buffer
	if err := WriteMapping(&b, m); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(b.Bytes()) || !strings.Contains(b.String(), `"numero": {"coluna": "Certificado <nº> & \"série\""}`) {
		t.Errorf("wrote %s", b.String())
	}
	if again := load(t, b.String()); !reflect.DeepEqual(again, m) {
		t.Errorf("read back %+v, wrote %+v", again, m)
	}
}

// sheetWith reads a real file with a mapping of testdata.
func sheetWith(t *testing.T, mapping, path string) (*Binding, []Row) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", mapping))
	if err != nil {
		t.Fatal(err)
	}
	m := load(t, string(file))
	r, err := Open(t.Context(), filepath.FromSlash(path), m.Options(Limits{}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	b, err := m.Bind(r.Header())
	if err != nil {
		t.Fatal(err)
	}
	var rows []Row
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return b, rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}

func TestInverterList(t *testing.T) {
	t.Parallel()
	b, rows := sheetWith(t, "inversores.json", "../../testdata/pv-inverters/pv-inverters.csv")
	groups, pairs := map[string]bool{}, map[string]bool{}
	var first Record
	for _, row := range rows {
		record, problems := b.Apply(row)
		if len(problems) > 0 || record[Brand] == "" || record[ProductModel] == "" || record[Imported] != "sim" || record[Description] == "" {
			t.Fatalf("line %d: %v, problems %v", row.Line, record, problems)
		}
		if first == nil {
			first = record
		}
		groups[fmt.Sprint(b.Group(row))] = true
		pairs[record[Brand]+"\x00"+record[ProductModel]] = true
	}
	if len(rows) != 3264 || len(groups) != 177 || len(pairs) != 2204 || rows[3263].Line != 3265 {
		t.Errorf("%d rows, %d makers, %d pairs, last line %d", len(rows), len(groups), len(pairs), rows[len(rows)-1].Line)
	}
	want := "Inversor fotovoltaico; potência 250 W; tensão CA 208 V; tensão CC máxima 50 V; MPPT de 30 a 50 V"
	if first[Number] != "INV-ABB" || first[Description] != want {
		t.Errorf("first record %v", first)
	}
}

func TestDemonstrationSheet(t *testing.T) {
	t.Parallel()
	b, rows := sheetWith(t, "demonstracao.json", "../../demo/data/certificates.csv")
	groups, gtins := map[string]bool{}, 0
	for _, row := range rows {
		record, problems := b.Apply(row)
		if len(problems) > 0 {
			t.Fatalf("line %d: %v", row.Line, problems)
		}
		if _, err := brasil.ParseDate(record[IssuedOn]); err != nil {
			t.Errorf("line %d: %v", row.Line, err)
		}
		if list, err := brasil.ParseGTINList(record[GTIN]); err != nil || len(list) > 1 {
			gtins++
		}
		groups[b.Group(row)[0]] = true
	}
	if len(rows) != 40 || len(groups) != 13 || gtins == 0 {
		t.Errorf("%d rows, %d certificates, %d rows of several bar codes", len(rows), len(groups), gtins)
	}
}

func FuzzMapping(f *testing.F) {
	for _, name := range []string{"inversores.json", "demonstracao.json"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"planilha": "é\u0000", "cabecalho": 2, "separador": "tab", "colunas": {"marca": {"valor": "\ud800"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := LoadMapping(bytes.NewReader(data))
		if err != nil {
			if fault.Of(err) == nil {
				t.Fatalf("not a fault: %v", err)
			}
			return
		}
		var b bytes.Buffer
		if err := WriteMapping(&b, m); err != nil {
			t.Fatal(err)
		}
		again, err := LoadMapping(&b)
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("wrote %+v, read back %+v, error %v", m, again, err)
		}
		if _, err := m.Bind([]string{"marca", "modelo"}); err != nil && !fault.HasKey(err, "sheet.columns") {
			t.Fatalf("bind: %v", err)
		}
	})
}

func FuzzTemplate(f *testing.F) {
	f.Add("Potência {p} W; tensão {v} V", "250", "")
	f.Add("{{{p}}}; {v}", "; ", "{p}")
	f.Fuzz(func(t *testing.T, text, p, v string) {
		parsed, err := parseTemplate(text)
		if err != nil {
			if !fault.HasKey(err, "mapping.template") {
				t.Fatalf("got %v", err)
			}
			return
		}
		constant := template{} // the parts that stay when every cell is empty
		for _, part := range parsed {
			columns := 0
			for i := range part {
				if part[i].column != "" {
					columns++
					part[i].index = i % 2
				}
			}
			if columns == 0 {
				constant = append(constant, part)
			}
		}
		full, empty := parsed.fill([]string{p, v}), parsed.fill([]string{"", " "})
		if want := constant.fill(nil); empty != want {
			t.Fatalf("%q with empty cells gave %q, want %q", text, empty, want)
		}
		if len(constant) == len(parsed) && full != empty {
			t.Fatalf("%q has no columns and gave %q and %q", text, full, empty)
		}
	})
}
