package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sheetHeader = "certificado;tipo;classe;data_emissao;data_validade;documento;solicitante_cnpj;solicitante_razao_social;marca;modelo;importado;descricao\n"

const mappingJSON = `{"separador": ";", "codificacao": "utf-8", "colunas": {
  "numero": {"coluna": "certificado"}, "tipo": {"coluna": "tipo"}, "classe": {"coluna": "classe"},
  "data_emissao": {"coluna": "data_emissao"}, "data_validade": {"coluna": "data_validade"}, "documento": {"coluna": "documento"},
  "solicitante_cnpj": {"coluna": "solicitante_cnpj"}, "solicitante_razao_social": {"coluna": "solicitante_razao_social"},
  "marca": {"coluna": "marca"}, "modelo": {"coluna": "modelo"}, "importado": {"coluna": "importado"}, "descricao": {"coluna": "descricao"}}}`

func sheetRow(model string) string {
	return "FB-BRIN-111;portaria-compulsorio;brinquedos;14/03/2025;14/03/2029;portaria-302-2021;12.ABC.345/01DE-35;Companhia Fictícia de Brinquedos Ltda;Fictoy;" + model + ";não;Peça\n"
}

func TestBadSpreadsheetsAreRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	mapping := o.write("mapa (colunas).json", mappingJSON)
	in := func(file string, more ...string) []string {
		return o.certArgs(append([]string{"import", file, "--mapping", mapping}, more...)...)
	}
	huge := o.path("planilha gigante.csv")
	f, err := os.Create(huge)
	o.check(err)
	o.check(f.Truncate(200_000_000)) // sparse: it takes no room
	o.check(f.Close())
	latin := strings.NewReplacer("í", "\xed", "ã", "\xe3", "ç", "\xe7").Replace(sheetHeader + sheetRow("Corda"))
	o.unchanged(func() {
		o.refuses("sheet.too_large", in(huge)...)
		o.refuses("sheet.unzipped", in(o.xlsxBomb())...)
		o.refuses("sheet.encoding", in(o.write("latin1.csv", latin))...)
		o.refuses("sheet.empty", in(o.write("vazia.csv", ""))...)
		o.refuses("sheet.not_found", in(o.path("não há.csv"))...)
		o.refuses("sheet.columns", in(o.write("outras colunas.csv", "a;b;c\n1;2;3\n"))...)
		o.refuses("mapping.unknown_target", o.certArgs("import", huge, "--mapping", o.write("mapa errado.json", `{"colunas": {"mraca!": {"valor": "x"}}}`))...)
		o.refuses("sheet.binary", in(o.write("programa.csv", "\x7f\x00\x01\x02\x00\x03"))...)
		o.refuses("sheet.format", in(o.write("imagem.csv", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"))...)
	})
	mixed := o.write("mista (2 linhas).csv", sheetHeader+sheetRow("Corda")+strings.Replace(sheetRow("Bola"), "14/03/2025", "30/02/2025", 1))
	o.unchanged(func() {
		o.refuses("date.impossible", in(mixed, "--whole")...)
		o.refuses("date.impossible", in(mixed, "--dry-run", "--report", o.path("relatório.csv"))...)
	})
	report, err := os.ReadFile(o.path("relatório.csv"))
	o.check(err)
	if text := string(report); !strings.HasPrefix(text, "\ufefflinha;") || !strings.Contains(text, "\n2;criada;") || !strings.Contains(text, "\n3;recusada;") {
		t.Errorf("report:\n%s", text)
	}
	o.refuses("date.impossible", in(mixed)...) // the good row is in, the other one named
	if found := o.cert("list", "--text", "BRIN 111"); !strings.Contains(found, "FB-BRIN-111") {
		t.Errorf("the good row is not in:\n%s", found)
	}
}

// xlsxBomb is a small workbook that would fill the memory.
func (o *office) xlsxBomb() string {
	o.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name, content string, tail int64) {
		w, err := z.Create(name)
		o.check(err)
		_, err = w.Write([]byte(content))
		o.check(err)
		spaces := bytes.Repeat([]byte(" "), 1<<20)
		for ; tail > 0; tail -= int64(len(spaces)) {
			_, err := w.Write(spaces)
			o.check(err)
		}
	}
	add("[Content_Types].xml", `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`, 0)
	add("_rels/.rels", `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`, 0)
	add("xl/workbook.xml", `<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Plan1" sheetId="1" r:id="r1"/></sheets></workbook>`, 0)
	add("xl/_rels/workbook.xml.rels", `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`, 0)
	add("xl/worksheets/sheet1.xml", `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>certificado</t></is></c></row>`, 100<<20)
	o.check(z.Close())
	path := o.path("bomba (planilha).xlsx")
	o.check(os.WriteFile(path, b.Bytes(), 0o600))
	if filepath.Ext(path) != ".xlsx" || b.Len() > 1<<20 {
		o.Fatalf("the bomb has %d bytes", b.Len())
	}
	return path
}
