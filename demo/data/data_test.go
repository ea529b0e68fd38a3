package data_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"selo/brasil"
	"selo/demo/data"
)

// read fails the test when a file does not parse.
func read[T any](t *testing.T, list func() ([]T, error)) []T {
	t.Helper()
	rows, err := list()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestClasses(t *testing.T) {
	t.Parallel()
	kinds := []data.Kind{data.Compulsory, data.Voluntary, data.Anvisa, data.Declaration, data.EnergyLabel, data.Standard}
	titles := map[string]string{}
	seen := map[string]bool{}
	services := 0
	for _, c := range read(t, data.Classes) {
		if c.Code == "" || c.Name == "" || seen[c.Code] || seen[c.Name] || !slices.Contains(kinds, c.Kind) {
			t.Errorf("class %q %q of kind %q: empty, repeated or of an unknown kind", c.Code, c.Name, c.Kind)
		}
		seen[c.Code], seen[c.Name] = true, true
		if c.Service {
			services++
		}
		current := 0
		for _, d := range c.Documents {
			if d.Current {
				current++
			}
			if old, ok := titles[d.Code]; ok && old != d.Title {
				t.Errorf("document %s has two titles: %q and %q", d.Code, old, d.Title)
			}
			titles[d.Code] = d.Title
			if d.Kind == "Portaria" && d.Code != "portaria-"+strings.ReplaceAll(strings.TrimPrefix(d.Title, "Portaria Inmetro nº "), "/", "-") {
				t.Errorf("document %s does not match its title %q", d.Code, d.Title)
			}
		}
		if current == 0 && c.Kind != data.Standard {
			t.Errorf("class %s has no current document", c.Code)
		}
	}
	if services != 4 || len(titles) < 80 {
		t.Errorf("%d services and %d documents; want 4 and at least 80", services, len(titles))
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	classes := classNames(t)
	bodies := read(t, data.Bodies)
	if len(bodies) != 3 {
		t.Errorf("%d bodies; want 3", len(bodies))
	}
	for _, b := range bodies {
		if cnpj, err := brasil.ParseCNPJ(b.CNPJ); err != nil || string(cnpj) != b.CNPJ {
			t.Errorf("body %s: CNPJ %q: %v", b.Sigla, b.CNPJ, err)
		}
		if _, err := brasil.ParseUF(b.UF); err != nil {
			t.Errorf("body %s: UF: %v", b.Sigla, err)
		}
		if len(b.Sigla) == 0 || len(b.Sigla) > 8 || !strings.HasSuffix(b.Email, ".example") {
			t.Errorf("body %+v: sigla is not 1 to 8 characters or the mail address is not reserved", b)
		}
		for _, code := range b.Classes {
			if classes[code] == "" {
				t.Errorf("body %s is accredited for the unknown class %q", b.Sigla, code)
			}
		}
	}
}

func TestCompanies(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	letters, foreign := 0, 0
	for _, c := range read(t, data.Companies) {
		if seen[c.Code] || seen[c.Name] || c.Code == "" || c.Name == "" || !strings.HasSuffix(c.Email, ".example") {
			t.Errorf("company %q %q: empty, repeated, or its mail address is not reserved", c.Code, c.Name)
		}
		seen[c.Code], seen[c.Name] = true, true
		if c.Country != "BR" {
			foreign++
			if c.CNPJ != "" || c.UF != "" || c.CEP != "" {
				t.Errorf("foreign company %s has a CNPJ, UF or CEP", c.Code)
			}
			continue
		}
		if cnpj, err := brasil.ParseCNPJ(c.CNPJ); err != nil || string(cnpj) != c.CNPJ || seen[c.CNPJ] {
			t.Errorf("company %s: CNPJ %q is wrong or repeated: %v", c.Code, c.CNPJ, err)
		}
		seen[c.CNPJ] = true
		if strings.ContainsFunc(c.CNPJ, func(r rune) bool { return r >= 'A' }) {
			letters++
		}
		if _, err := brasil.ParseUF(c.UF); err != nil {
			t.Errorf("company %s: %v", c.Code, err)
		}
		if _, err := brasil.ParseCEP(c.CEP); err != nil {
			t.Errorf("company %s: %v", c.Code, err)
		}
		if slices.Contains([]string{c.Street, c.Number, c.District, c.City, c.Phone, c.TradeName}, "") {
			t.Errorf("company %s: incomplete address: %+v", c.Code, c)
		}
	}
	if letters < 8 || foreign != 4 {
		t.Errorf("%d companies with an alphanumeric CNPJ and %d foreign ones; want at least 8, and 4", letters, foreign)
	}
}

// TestCertificates checks the spreadsheet against the other files, field by field.
func TestCertificates(t *testing.T) {
	t.Parallel()
	rows := sheet(t)
	checks := references(t)
	products, numbers, gtins, heads := map[string]bool{}, map[string]bool{}, map[brasil.GTIN]bool{}, map[string]string{}
	for i, row := range rows {
		line := i + 2
		for field, check := range checks {
			if problem := check(row[field]); problem != "" {
				t.Errorf("line %d: %s %q: %s", line, field, row[field], problem)
			}
		}
		key := row["marca"] + "\x00" + row["modelo"] + "\x00" + row["importado"]
		if products[key] {
			t.Errorf("line %d: brand, model and imported stand twice: %q", line, key)
		}
		products[key] = true
		number := row["certificado"]
		numbers[number] = true
		head := row["tipo"] + row["classe"] + row["data_emissao"] + row["data_validade"] + row["solicitante_cnpj"]
		if old, ok := heads[number]; ok && old != head {
			t.Errorf("line %d: certificate %s has two sets of general data", line, number)
		}
		heads[number] = head
		checkPeriod(t, line, row)
		list, err := brasil.ParseGTINList(row["gtin"])
		if err != nil {
			t.Errorf("line %d: %v", line, err)
		}
		for _, g := range list {
			if gtins[g] || g[0] != '2' {
				t.Errorf("line %d: GTIN %s stands twice or has no restricted prefix", line, g)
			}
			gtins[g] = true
		}
		lot := row["modelo_certificacao"] == "1b"
		if lot != (row["lote"] != "") || lot != (row["quantidade"] != "") || lot != (row["licenca_importacao"] != "") {
			t.Errorf("line %d: lot, quantity and import licence belong to model 1b", line)
		}
		if (row["importado"] == "sim") != (row["importador_cnpj"] != "") || (row["importado"] == "sim") == (row["fabricante_pais"] == "Brasil") && row["importador_cnpj"] != "" {
			t.Errorf("line %d: imported product without importer or of a Brazilian maker", line)
		}
	}
	if len(rows) != 40 || len(numbers) != 13 {
		t.Errorf("%d products in %d certificates; want 40 in 13", len(rows), len(numbers))
	}
}

// checkPeriod wants real days in order, and ten years for a lot certificate (manual 3.11).
func checkPeriod(t *testing.T, line int, row map[string]string) {
	t.Helper()
	issued, err1 := brasil.ParseDate(row["data_emissao"])
	valid, err2 := brasil.ParseDate(row["data_validade"])
	if err1 != nil || err2 != nil || !issued.Before(valid) {
		t.Errorf("line %d: dates %q to %q: %v, %v", line, row["data_emissao"], row["data_validade"], err1, err2)
	}
	if row["modelo_certificacao"] == "1b" && valid.Before(issued.AddYears(10)) {
		t.Errorf("line %d: a lot certificate is valid for ten years or more", line)
	}
}

// sheet reads the spreadsheet into one map a line, by column.
func sheet(t *testing.T) []map[string]string {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(data.CertificatesCSV))
	r.Comma = ';'
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	const columns = "certificado tipo classe data_emissao data_validade modelo_certificacao portaria solicitante_cnpj " +
		"fabricante fabricante_pais importador_cnpj marca modelo descricao importado gtin lote quantidade licenca_importacao"
	if got := strings.Join(lines[0], " "); got != columns {
		t.Fatalf("columns are %s", got)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// references returns, for each column that names something, a check that it exists.
func references(t *testing.T) map[string]func(string) string {
	t.Helper()
	oneOf := func(known map[string]bool, what string) func(string) string {
		return func(value string) string {
			if known[value] {
				return ""
			}
			return "not a known " + what
		}
	}
	classes, portarias, names, cnpjs := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	accredited := read(t, data.Bodies)[0].Classes
	for _, c := range read(t, data.Classes) {
		classes[c.Name] = slices.Contains(accredited, c.Code)
		for _, d := range c.Documents {
			portarias[strings.TrimPrefix(d.Title, "Portaria Inmetro nº ")] = true
		}
	}
	for _, c := range read(t, data.Companies) {
		names[c.Name] = true
		cnpjs[brasil.CNPJ(c.CNPJ).Masked()] = c.CNPJ != ""
	}
	cnpjs[""] = false
	importers := map[string]bool{"": true}
	for cnpj, ok := range cnpjs {
		importers[cnpj] = ok || cnpj == ""
	}
	return map[string]func(string) string{
		"classe":           oneOf(classes, "class of body DEMO"),
		"portaria":         oneOf(portarias, "Portaria"),
		"fabricante":       oneOf(names, "company"),
		"solicitante_cnpj": oneOf(cnpjs, "CNPJ"),
		"importador_cnpj":  oneOf(importers, "CNPJ"),
		"fabricante_pais":  oneOf(map[string]bool{"Brasil": true, "China": true, "Alemanha": true, "Portugal": true}, "country"),
		"importado":        oneOf(map[string]bool{"sim": true, "não": true}, "answer"),
		"tipo": oneOf(map[string]bool{
			"Certificado de conformidade à Portaria Inmetro Compulsório": true,
			"Certificado de conformidade à Portaria Inmetro Voluntário":  true,
		}, "certificate type"),
	}
}

// classNames returns the names of the classes by code.
func classNames(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	for _, c := range read(t, data.Classes) {
		names[c.Code] = c.Name
	}
	return names
}
