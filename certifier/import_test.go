package certifier_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"selo/certificate"
	"selo/certifier"
	"selo/certifier/sheet"
	"selo/fault"
	"selo/remessa"
)

// readSheet reads a CSV text with a mapping.
func (b *base) readSheet(csv, mapping string) *certifier.Spreadsheet {
	b.t.Helper()
	m, err := sheet.LoadMapping(strings.NewReader(mapping))
	if err != nil {
		b.t.Fatal(err)
	}
	r, err := sheet.OpenAt(b.ctx, bytes.NewReader([]byte(csv)), int64(len(csv)), "lista.csv", m.Options(sheet.Limits{}))
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	s, err := certifier.ReadSpreadsheet(b.ctx, r, m, "lista.csv")
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *base) imports(s *certifier.Spreadsheet, o certifier.ImportOptions) *certifier.ImportReport {
	b.t.Helper()
	var report *certifier.ImportReport
	b.write(func(tx certifier.Tx) error {
		var err error
		report, err = certifier.Import(b.ctx, tx, ana, s, o)
		return err
	})
	if sum := report.Created + report.Merged + report.Present + report.Refused; sum != len(report.Rows) {
		b.t.Fatalf("counts add up to %d of %d rows", sum, len(report.Rows))
	}
	return report
}

const toyMapping = `{
	"repetidos": "mesclar",
	"colunas": {
		"numero": {"coluna": "certificado"}, "tipo": {"valor": "portaria-compulsorio"}, "classe": {"valor": "Brinquedos"},
		"data_emissao": {"coluna": "emissao"}, "data_validade": {"valor": "01/03/2028"}, "documento": {"valor": "Portaria Inmetro nº 302/2021"},
		"solicitante_cnpj": {"coluna": "cnpj"}, "solicitante_razao_social": {"coluna": "empresa"},
		"marca": {"coluna": "marca"}, "modelo": {"coluna": "modelo"}, "descricao": {"coluna": "descricao"}, "importado": {"coluna": "importado"}
	}
}`

func TestImportTellsEveryRow(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	cnpj := company(1).Company.CNPJ.Masked()
	csv := "certificado;emissao;cnpj;empresa;marca;modelo;descricao;importado\n" +
		"BR 1;01/03/2026;" + cnpj + ";Brinquedos Ltda;Açaí;A1;boneca;não\n" + // 2: created
		"BR 1;01/03/2026;" + cnpj + ";Brinquedos Ltda;Açaí;A1;boneca azul;não\n" + // 3: merged into 2
		"BR 1;01/03/2026;" + cnpj + ";Brinquedos Ltda;Açaí;A1;boneca;sim\n" + // 4: the imported one is another product
		"BR 1;02/03/2026;" + cnpj + ";Brinquedos Ltda;Açaí;A2;boneca;não\n" + // 5: another issue date
		"BR 2;31/02/2026;" + cnpj + ";Brinquedos Ltda;Açaí;A3;boneca;não\n" + // 6: no such day
		"BR 2;01/03/2026;11.111.111/1111-11;Outra;Açaí;A4;boneca;não\n" + // 7: no such CNPJ
		"BR 2;01/03/2026;" + cnpj + ";Outro Nome;Açaí;A5;boneca;não\n" + // 8: the CNPJ has another name
		";01/03/2026;" + cnpj + ";Brinquedos Ltda;Açaí;A6;boneca;não\n" + // 9: no certificate
		"BR 2;01/03/2026;" + cnpj + ";Brinquedos Ltda;;A7;boneca;talvez\n" // 10: no brand, no answer
	s := b.readSheet(csv, toyMapping)
	dry := b.imports(s, certifier.ImportOptions{DryRun: true})
	if rows, err := b.list(certifier.Query{}); err != nil || len(rows) != 0 {
		t.Fatalf("a dry run wrote %d records: %v", len(rows), err)
	}
	report := b.imports(s, certifier.ImportOptions{})
	if report.Created != 2 || report.Merged != 1 || report.Refused != 6 || report.NewCertificates != 1 ||
		report.NewCompanies != 1 || report.NewProducts != 2 {
		t.Fatalf("report %+v", report)
	}
	want := map[int]string{5: "import.differs", 6: "date.impossible", 7: "cnpj.repeated", 8: "import.company_differs",
		9: "import.no_group", 10: "import.required"}
	for i, row := range report.Rows {
		if row.Line != i+2 || dry.Rows[i].Outcome != row.Outcome {
			t.Errorf("row %d stands at line %d, dry run said %s, import %s", i, row.Line, dry.Rows[i].Outcome, row.Outcome)
		}
		switch {
		case row.Outcome != certifier.RowRefused && want[row.Line] != "":
			t.Errorf("line %d was not refused", row.Line)
		case row.Outcome == certifier.RowRefused && !hasCode(row.Problems, want[row.Line]):
			t.Errorf("line %d: %v, want %s", row.Line, row.Problems, want[row.Line])
		}
	}
	if report.Rows[1].Into != 2 {
		t.Errorf("line 3 went into %d", report.Rows[1].Into)
	}
	if got := b.find(report.Rows[0].Product).Newest().Product; got.Description != "boneca | boneca azul" {
		t.Errorf("merged description %q", got.Description)
	}
	b.fails("import.refused", func(tx certifier.Tx) error {
		_, err := certifier.Import(b.ctx, tx, ana, s, certifier.ImportOptions{Whole: true})
		return err
	})
	if a := b.approve(report.Rows[0].Certificate); a.Certificates != 1 || a.Products != 2 || a.Companies != 1 {
		t.Errorf("approval %+v", a)
	}
	// The corrected file is imported once more: what is there stays, what was wrong comes in.
	fixed := strings.Replace(csv, "BR 1;02/03/2026", "BR 1;01/03/2026", 1)
	again := b.imports(b.readSheet(fixed, toyMapping), certifier.ImportOptions{Justification: "faltava um modelo"})
	if again.Created != 1 || again.ChangedCertificates != 1 || again.NewCertificates != 0 || again.NewCompanies != 0 {
		t.Fatalf("second report %+v", again)
	}
	b.approve(report.Rows[0].Certificate)
	if n := len(b.read(b.prepare(remessa.Partial))); n != 5 {
		t.Errorf("remessa carries %d revisions, want company, 3 products, certificate", n)
	}
}

func hasCode(problems []fault.Problem, code string) bool {
	return slices.ContainsFunc(problems, func(p fault.Problem) bool { return p.Code == code })
}

func (b *base) list(q certifier.Query) ([]certifier.Item, error) {
	var page certifier.Page
	err := b.db.Read(b.ctx, func(tx certifier.Tx) error {
		var err error
		page, err = certifier.List(b.ctx, tx, q)
		return err
	})
	return page.Items, err
}

const inverterMapping = `{
	"repetidos": "mesclar",
	"colunas": {
		"numero": {"modelo": "INV-{manufacturer}"}, "tipo": {"valor": "portaria-compulsorio"}, "classe": {"valor": "inversores"},
		"data_emissao": {"valor": "01/03/2026"}, "data_validade": {"valor": "01/03/2028"}, "documento": {"valor": "portaria-140-2022"},
		"modelo_certificacao": {"valor": "5"},
		"solicitante_cnpj": {"valor": "CNPJ"}, "solicitante_razao_social": {"valor": "Importadora Fictícia Ltda"},
		"fabricante_razao_social": {"coluna": "manufacturer"}, "fabricante_pais": {"valor": "Estados Unidos"},
		"marca": {"coluna": "manufacturer"}, "modelo": {"coluna": "model"}, "importado": {"valor": "sim"},
		"descricao": {"modelo": "Potência {ac_power_w} W; tensão {ac_volts} V; listado em {listed_on}"}
	},
	"certificado_por": ["manufacturer"]
}`

func TestImportOfAPublicList(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.tables = demoTables(2)
	always := certificate.Period{From: day("2010-01-01")}
	b.tables.Classes = append(b.tables.Classes, certificate.Class{Code: "inversores", Name: "Inversores fotovoltaicos",
		Scopes: []certificate.Period{always}, Required: []certificate.RoleCode{certificate.Applicant, certificate.Manufacturer}})
	b.tables.Documents = append(b.tables.Documents, certificate.Document{Code: "portaria-140-2022", Title: "Portaria Inmetro nº 140/2022", Kind: "Portaria",
		Offers: []certificate.Offer{{Class: "inversores", Type: certificate.TypeCompulsory, Period: always}}})
	b.write(func(tx certifier.Tx) error {
		_, err := certifier.ApplyRelease(b.ctx, tx, ana, b.sign(b.tables))
		return err
	})
	m, err := sheet.LoadMapping(strings.NewReader(strings.Replace(inverterMapping, "CNPJ", string(company(1).Company.CNPJ), 1)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := sheet.Open(b.ctx, "../testdata/pv-inverters/pv-inverters.csv", m.Options(sheet.Limits{}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	s, err := certifier.ReadSpreadsheet(b.ctx, r, m, "pv-inverters.csv")
	if err != nil {
		t.Fatal(err)
	}
	report := b.imports(s, certifier.ImportOptions{})
	if len(report.Rows) != 3264 || report.Refused != 0 || report.Created != 2204 || report.Merged != 1060 {
		for _, row := range report.Rows {
			if row.Outcome == certifier.RowRefused {
				t.Log(row.Line, row.Problems)
				break
			}
		}
		t.Fatalf("rows %d: created %d, merged %d, refused %d", len(report.Rows), report.Created, report.Merged, report.Refused)
	}
	if report.NewCertificates != 177 || report.NewProducts != 2204 || report.NewCompanies != 178 {
		t.Fatalf("certificates %d, products %d, companies %d", report.NewCertificates, report.NewProducts, report.NewCompanies)
	}
	var a certifier.Approval
	b.write(func(tx certifier.Tx) error {
		var open []certifier.Incomplete
		var err error
		a, open, err = certifier.ApproveReady(b.ctx, tx, ana)
		if len(open) > 0 {
			t.Errorf("not ready: %s: %v", open[0].Label, open[0].Problems)
		}
		return err
	})
	if a.Certificates != 177 || a.Products != 2204 || a.Companies != 178 {
		t.Fatalf("approval %+v", a)
	}
	if rem := b.prepare(remessa.Partial); rem.Count != 177+2204+178 {
		t.Errorf("remessa carries %d revisions", rem.Count)
	}
}
