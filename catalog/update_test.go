package catalog

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"selo/brasil"
	"selo/certificate"
	"selo/clock"

	"pgregory.net/rapid"
)

// dump lists all rows of a snapshot, and every word of its index with where it
// stands, in an order of their own.
func dump(tb testing.TB, path string) []string {
	tb.Helper()
	db, err := openForReading(path, 1)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var lines []string
	for _, t := range contentTables {
		err := eachRow(tb.Context(), db, t, "", func(row []any) error {
			lines = append(lines, fmt.Sprint(t.name, row))
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	rows, err := db.Query("SELECT term, doc, col FROM temp.palavra")
	if err != nil {
		if _, err = db.Exec("PRAGMA query_only = 0; CREATE VIRTUAL TABLE temp.palavra USING fts5vocab(main, busca, instance)"); err != nil {
			tb.Fatal(err)
		}
		if rows, err = db.Query("SELECT term, doc, col FROM temp.palavra"); err != nil {
			tb.Fatal(err)
		}
	}
	defer rows.Close()
	for rows.Next() {
		var term, column string
		var doc int64
		if err := rows.Scan(&term, &doc, &column); err != nil {
			tb.Fatal(err)
		}
		lines = append(lines, fmt.Sprint("palavra ", term, " ", doc, " ", column))
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

// world draws revisions that stay consistent, as the registry would accept them.
type world struct {
	tb                  testing.TB
	src                 *memSource
	companies, products []certificate.ID
	productNames        map[certificate.ID]certificate.Product
	certificates        map[certificate.ID]certificate.Certificate
	order               []certificate.ID
}

var drawnSituations = []certificate.Situation{certificate.Active, certificate.Active, certificate.Suspended, certificate.Cancelled}

func (w *world) step(t *rapid.T) {
	switch kind := rapid.IntRange(0, 5).Draw(t, "kind"); {
	case kind == 0 || len(w.companies) == 0:
		id := testID('e', len(w.companies))
		if n := len(w.companies); n > 2 {
			id = w.companies[rapid.IntRange(0, n-1).Draw(t, "company")]
		} else {
			w.companies = append(w.companies, id)
		}
		c := certificate.Company{Name: "Empresa " + string(id[len(id)-1:]), TradeName: rapid.SampledFrom([]string{"Casa Açaí", "Coca-Cola", ""}).Draw(t, "trade"),
			Country: rapid.SampledFrom([]certificate.CountryCode{"BR", "CN"}).Draw(t, "country"), UF: rapid.SampledFrom([]brasil.UF{"SP", "RJ"}).Draw(t, "uf"), Person: certificate.Legal, CNPJ: mustCNPJ(w.tb, "1234567800"+string(id[len(id)-2:]))}
		w.src.accept(w.tb, "CCB", id, c)
		if rapid.IntRange(0, 3).Draw(t, "other body") == 0 {
			w.src.accept(w.tb, "UL", id, c)
		}
	case kind <= 2 || len(w.products) < 2:
		id := testID('p', len(w.products))
		p := certificate.Product{Brand: "Marca " + rapid.SampledFrom([]string{"Á", "B"}).Draw(t, "brand"), Model: "M-" + fmt.Sprint(len(w.products)), Imported: rapid.Bool().Draw(t, "imported")}
		if n := len(w.products); n > 0 && rapid.Bool().Draw(t, "again") {
			id = w.products[rapid.IntRange(0, n-1).Draw(t, "product")]
			p = w.productNames[id]
		} else {
			w.products = append(w.products, id)
		}
		p.Description, p.Family = rapid.StringMatching(`[a-c ]{0,5}( [1-3] (kg|v|a)|marca)?`).Draw(t, "description"), rapid.SampledFrom([]string{"", "Família X"}).Draw(t, "family")
		p.GTINs = rapid.SampledFrom([][]brasil.GTIN{nil, {"7891234567895"}, {"7891234567895", "96385074"}}).Draw(t, "gtins")
		w.productNames[id] = p
		w.src.accept(w.tb, "CCB", id, p)
	default:
		w.certificate(t)
	}
}

func (w *world) certificate(t *rapid.T) {
	id := testID('c', len(w.order))
	c := certificate.Certificate{Number: fmt.Sprintf("FB-BRIN-%d/17.001", 100+len(w.order)), Type: certificate.TypeCompulsory,
		Class: rapid.SampledFrom([]certificate.ClassCode{"fogao", "tubo", "velha"}).Draw(t, "class"), IssuedOn: day(w.tb, "2025-01-01"),
		Documents: []certificate.DocumentLink{{Document: "p400", Situation: certificate.Active}}}
	if n := len(w.order); n > 0 && rapid.Bool().Draw(t, "again") {
		id = w.order[rapid.IntRange(0, n-1).Draw(t, "certificate")]
		c = w.certificates[id]
	} else {
		w.order = append(w.order, id)
	}
	c.ValidUntil = day(w.tb, rapid.SampledFrom([]string{"2026-03-09", "2026-03-10", "2026-03-11", "2030-01-01"}).Draw(t, "valid"))
	c.Situation = rapid.SampledFrom(drawnSituations).Draw(t, "situation")
	c.Companies, c.Products = nil, nil
	for i, company := range w.companies {
		c.Companies = append(c.Companies, certificate.CompanyLink{Company: company, Role: []certificate.RoleCode{certificate.Manufacturer, certificate.Applicant}[i%2],
			Situation: rapid.SampledFrom(drawnSituations).Draw(t, "party")})
	}
	for _, product := range w.products {
		if rapid.Bool().Draw(t, "link") {
			c.Products = append(c.Products, certificate.ProductLink{Company: rapid.SampledFrom(w.companies).Draw(t, "maker"), Product: product,
				Modality: certificate.ByType, Situation: rapid.SampledFrom(drawnSituations).Draw(t, "link situation"),
				Lot: rapid.SampledFrom([]string{"", "L-1", "L-2"}).Draw(t, "lot"), ImportLicence: rapid.SampledFrom([]string{"", "25/1"}).Draw(t, "licence")})
		}
	}
	w.certificates[id] = c
	w.src.accept(w.tb, "CCB", id, c)
}

// A chain of updates gives the rows, the words and the digest of one full build.
func TestUpdateGivesWhatBuildGives(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		w := &world{tb: t, src: &memSource{ref: testReference()}, productNames: map[certificate.ID]certificate.Product{}, certificates: map[certificate.ID]certificate.Certificate{}}
		for range rapid.IntRange(12, 40).Draw(rt, "first") {
			w.src.at = publishedAt.AddDate(0, -2, rapid.IntRange(0, 30).Draw(rt, "accepted"))
			w.step(rt)
		}
		updated := filepath.Join(dir, fmt.Sprintf("%d-a.sqlite", run))
		at := publishedAt.AddDate(0, 0, -1)
		if err := Build(t.Context(), w.src, w.src.publication(1, at), updated, Options{}); err != nil {
			rt.Fatal(err)
		}
		for number := int64(2); number < 4; number++ {
			for range rapid.IntRange(0, len(w.src.entries)/5).Draw(rt, "steps") {
				w.src.at = publishedAt.AddDate(0, -1, rapid.IntRange(-30, 30).Draw(rt, "accepted"))
				w.step(rt)
			}
			at = at.AddDate(0, 0, rapid.IntRange(0, 1).Draw(rt, "days"))
			u := w.src.publication(number, at)
			n, err := newNames(w.src.ref)
			if err != nil {
				rt.Fatal(err)
			}
			// updateRows, not Update: falling back to a full build would prove nothing.
			if err := updateRows(t.Context(), w.src, updated, u, n, updated, Options{}); err != nil {
				rt.Fatal(err)
			}
		}
		whole := filepath.Join(dir, fmt.Sprintf("%d-b.sqlite", run))
		if err := Build(t.Context(), w.src, w.src.publication(3, at), whole, Options{}); err != nil {
			rt.Fatal(err)
		}
		compare(rt, t, updated, whole)
		checkNews(rt, t, w.src, updated)
	})
}

func compare(rt *rapid.T, t *testing.T, updated, whole string) {
	a, b := dump(t, updated), dump(t, whole)
	if !slices.Equal(a, b) {
		rt.Fatalf("rows differ\nonly updated: %s\nonly whole: %s", strings.Join(without(a, b), "\n"), strings.Join(without(b, a), "\n"))
	}
	for _, path := range []string{updated, whole} {
		if err := CheckFile(t.Context(), path, nil); err != nil {
			rt.Fatalf("%s: %v", path, err)
		}
		if _, err := readyAnswers(t.Context(), path, clock.NewManual(publishedAt)); err != nil {
			rt.Fatalf("%s: %v", path, err)
		}
	}
	s1, err := sealOf(updated, nil)
	if err != nil {
		rt.Fatal(err)
	}
	s2, err := sealOf(whole, nil)
	if err != nil {
		rt.Fatal(err)
	}
	if s1.Content != s2.Content {
		rt.Fatalf("content digests differ: %s, %s", s1.Content, s2.Content)
	}
}

func without(a, b []string) (list []string) {
	for _, line := range a {
		if !slices.Contains(b, line) {
			list = append(list, line)
		}
	}
	return list
}

// A new name in the reference reaches every certificate.
func TestUpdateAfterRename(t *testing.T) {
	t.Parallel()
	src := shop(t)
	path := filepath.Join(t.TempDir(), FileName(1))
	if err := Build(t.Context(), src, src.publication(1, publishedAt), path, Options{}); err != nil {
		t.Fatal(err)
	}
	src.ref = testReference()
	src.ref.Tables.Classes[0].Name = "Aquecedores"
	if err := Update(t.Context(), src, path, src.publication(2, publishedAt), path, Options{}); err != nil {
		t.Fatal(err)
	}
	c := open(t, path, publishedAt)
	if got := numbers(t, c, Search{Text: "aquecedores"}); len(got) == 0 {
		t.Error("the new name of the class finds nothing")
	}
	if got := numbers(t, c, Search{Text: "fornos"}); len(got) != 0 {
		t.Errorf("the old name of the class still finds %v", got)
	}
}

// Update from something that is no snapshot builds whole.
func TestUpdateFromNothing(t *testing.T) {
	t.Parallel()
	src := shop(t)
	path := filepath.Join(t.TempDir(), FileName(1))
	if err := Update(t.Context(), src, path, src.publication(1, publishedAt), path, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := CheckFile(t.Context(), path, nil); err != nil {
		t.Fatal(err)
	}
}
