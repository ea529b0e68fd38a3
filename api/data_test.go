package api_test

import (
	"bytes"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"selo/api"
	"selo/catalog"
	"selo/certificate"

	"github.com/xuri/excelize/v2"
)

func TestOpenData(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	w := filled(t, func(d *api.Deps) { d.Temp = temp })
	const rows = 6 // three certificates of two products
	a := w.ask("GET", "/api/v1/dados/certificados.csv")
	records, err := csv.NewReader(bytes.NewReader(a.body)).ReadAll()
	if err != nil || len(records) != 1+rows || len(records[0]) != len(catalog.Columns) {
		t.Errorf("CSV has %d rows, %v", len(records), err)
	}
	if a.header.Get("ETag") == "" || !strings.Contains(a.header.Get("Content-Disposition"), "selo-certificados-1.csv") ||
		!strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") || a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("headers are %v", a.header)
	}
	part := w.ask("GET", "/api/v1/dados/certificados.csv", "Range", "bytes=5-14")
	if part.status != 206 || !bytes.Equal(part.body, a.body[5:15]) {
		t.Errorf("a part gives %d %q", part.status, part.body)
	}
	if same := w.ask("GET", "/api/v1/dados/certificados.csv", "If-None-Match", a.header.Get("ETag")); same.status != 304 {
		t.Errorf("the same again gives %d", same.status)
	}
	if head := w.ask("HEAD", "/api/v1/dados/certificados.csv"); head.status != 200 || len(head.body) != 0 {
		t.Errorf("HEAD gives %d with %d bytes", head.status, len(head.body))
	}
	book, err := excelize.OpenReader(bytes.NewReader(w.ask("GET", "/api/v1/dados/certificados.xlsx").body))
	w.must(err)
	cells, err := book.GetRows("Certificados")
	if err != nil || len(cells) != 1+rows {
		t.Errorf("the workbook has %d rows, %v", len(cells), err)
	}
	lines := bytes.Split(bytes.TrimSpace(w.ask("GET", "/api/v1/dados/certificados.jsonl").body), []byte{'\n'})
	for _, line := range lines {
		if !json.Valid(line) {
			t.Errorf("a line is no JSON: %s", line)
		}
	}
	if len(lines) != 3 {
		t.Errorf("JSONL has %d lines", len(lines))
	}
	file := filepath.Join(t.TempDir(), "dados.sqlite")
	w.must(os.WriteFile(file, w.ask("GET", "/api/v1/dados/certificados.sqlite").body, 0o600))
	db, err := sql.Open("sqlite", file)
	w.must(err)
	defer func() { w.must(db.Close()) }()
	var n int
	if err := db.QueryRow("SELECT count(*) FROM certificado").Scan(&n); err != nil || n != 3 {
		t.Errorf("the SQLite file has %d certificates, %v", n, err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("files with names are left: %v, %v", left, err)
	}
}

// TestOpenDataFollowsThePublication asks from many sides while it changes.
func TestOpenDataFollowsThePublication(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	w.must(w.api.Prepare(w.ctx))
	before := w.ask("GET", "/api/v1/dados/certificados.jsonl")
	changed := helmets("2534")
	changed.Situation = certificate.Cancelled
	w.send("CCB", []*certificate.Revision{{ID: plain, Certificate: changed,
		Justifications: []certificate.Justification{{Fields: []string{"situacao"}, Text: "cancelado"}}}})
	w.publish()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			a := w.ask("GET", "/api/v1/dados/certificados.jsonl", "If-None-Match", before.header.Get("ETag"))
			if a.status != 200 || bytes.Count(a.body, []byte(`"situacao":"cancelado"`)) != 1 {
				t.Errorf("after the publication: %d %s", a.status, a.body)
			}
		})
	}
	group.Wait()
}
