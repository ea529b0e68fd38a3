package catalog

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/clock"
	"selo/fault"

	"pgregory.net/rapid"
)

// eventful is a certificate that had four revisions, with a company and a
// product that changed in between: days 1 to 6 of February.
func eventful(tb testing.TB) (src *memSource, states []certificate.Certificate) {
	tb.Helper()
	src = &memSource{ref: testReference()}
	on := func(d int) { src.at = time.Date(2026, 2, d, 12, 0, 0, 0, time.UTC) }
	maker, first, second, id := testID('e', 1), testID('p', 1), testID('p', 2), testID('c', 1)
	company := certificate.Company{Name: "Fábrica de Panelas", City: "Itu", Country: "BR", UF: "SP", Person: certificate.Legal,
		CNPJ: mustCNPJ(tb, "123456780001"), Phone: "11 4000-0000", Email: "alguem@example.com"}
	product := certificate.Product{Brand: "Brasa", Model: "F-1", Description: "Fogão de 4 bocas"}
	on(1)
	src.accept(tb, "CCB", maker, company)
	src.accept(tb, "CCB", first, product)
	src.accept(tb, "CCB", second, certificate.Product{Brand: "Brasa", Model: "F-2"})
	link := func(p certificate.ID, s certificate.Situation) certificate.ProductLink {
		return certificate.ProductLink{Company: maker, Product: p, Modality: certificate.ByType, Situation: s}
	}
	c := certificate.Certificate{Number: "FOG-1/26", Class: "fogao", Type: certificate.TypeCompulsory, Situation: certificate.Active,
		IssuedOn: day(tb, "2026-01-20"), ValidUntil: day(tb, "2030-01-20"),
		Documents: []certificate.DocumentLink{{Document: "p400", Situation: certificate.Active}},
		Companies: []certificate.CompanyLink{{Company: maker, Role: certificate.Applicant, Situation: certificate.Active}},
		Products:  []certificate.ProductLink{link(first, certificate.Active)}}
	next := func(d int, change func()) {
		on(d)
		change()
		states = append(states, c)
		src.accept(tb, "CCB", id, c)
	}
	next(1, func() {})
	next(2, func() {
		c.Products = []certificate.ProductLink{link(first, certificate.Active), link(second, certificate.Active)}
	})
	on(3)
	company.City, product.Description = "Salto", "Fogão de 5 bocas"
	src.accept(tb, "CCB", maker, company)
	src.accept(tb, "CCB", first, product)
	next(4, func() { c.Situation, c.Remarks = certificate.Suspended, "Ensaio de manutenção em atraso" })
	next(6, func() {
		c.Situation, c.Remarks = certificate.Active, ""
		c.Products = []certificate.ProductLink{link(second, certificate.Active), link(first, certificate.Cancelled)}
	})
	return src, states
}

func TestHistorySaysWhatChangedWhen(t *testing.T) {
	t.Parallel()
	src, _ := eventful(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	h, err := c.History(t.Context(), "ccb", "fog 1 26")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range h.Steps {
		line := fmt.Sprint(s.Number, " ", s.AcceptedAt.Format(time.DateOnly))
		for _, change := range s.Changes {
			line += " " + change.Field
		}
		got = append(got, line)
	}
	first := "produtos[" + string(testID('p', 1)) + "]"
	want := []string{"4 2026-02-06 observacoes situacao " + first + ".situacao", "3 2026-02-04 observacoes situacao",
		"2 2026-02-02 produtos[" + string(testID('p', 2)) + "]", "1 2026-02-01"}
	if !slices.Equal(got, want) {
		t.Errorf("history\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if name := h.Names[string(testID('p', 1))]; name != "Brasa F-1" || h.More {
		t.Errorf("name of the product %q, more %v", name, h.More)
	}
	if _, err := c.History(t.Context(), "CCB", "none"); fault.Of(err) == nil || fault.Of(err).Key != "certificate.not_found" {
		t.Errorf("history of nothing: %v", err)
	}
}

func TestAtShowsCompaniesAndProductsOfThen(t *testing.T) {
	t.Parallel()
	src, _ := eventful(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	for _, want := range []struct{ day, situation, city, products string }{
		{"2026-02-01", "ativo", "Itu", "F-1 Fogão de 4 bocas"},
		{"2026-02-02", "ativo", "Itu", "F-1 Fogão de 4 bocas, F-2 "},
		{"2026-02-03", "ativo", "Salto", "F-1 Fogão de 5 bocas, F-2 "},
		{"2026-02-05", "suspenso", "Salto", "F-1 Fogão de 5 bocas, F-2 "},
		{"2026-02-06", "ativo", "Salto", "F-2 "},
		{"2026-03-01", "ativo", "Salto", "F-2 "},
		{"2031-01-01", "expirado", "Salto", "F-2 "},
	} {
		past, err := c.At(t.Context(), "CCB", "FOG-1/26", day(t, want.day), ProductQuery{})
		if err != nil {
			t.Fatal(want.day, err)
		}
		var products []string
		for _, p := range past.ProductsPage.Products {
			products = append(products, p.Model+" "+p.Description)
		}
		if past.Situation != want.situation || past.Parties[0].City != want.city || strings.Join(products, ", ") != want.products || past.Sheet.Products != len(products) {
			t.Errorf("%s: %s, %s, %q", want.day, past.Situation, past.Parties[0].City, products)
		}
	}
	_, err := c.At(t.Context(), "CCB", "FOG-1/26", day(t, "2026-01-31"), ProductQuery{})
	if f := fault.Of(err); f == nil || f.Key != "certificate.not_then" {
		t.Errorf("before it was there: %v", err)
	}
}

func TestAtGivesProductsInPages(t *testing.T) {
	t.Parallel()
	src, _ := eventful(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	var got []string
	q := ProductQuery{Limit: 1}
	for {
		past, err := c.At(t.Context(), "CCB", "FOG-1/26", day(t, "2026-02-05"), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range past.ProductsPage.Products {
			got = append(got, p.Model)
		}
		if q.Cursor = past.Next; q.Cursor == "" {
			break
		}
	}
	if !slices.Equal(got, []string{"F-1", "F-2"}) {
		t.Errorf("pages hold %v", got)
	}
	q.Cursor = "x"
	if _, err := c.At(t.Context(), "CCB", "FOG-1/26", day(t, "2026-02-05"), q); fault.Of(err) == nil {
		t.Errorf("a mangled cursor: %v", err)
	}
}

// The file holds nothing of the past that the public pages would not show.
func TestPastHoldsNothingPrivate(t *testing.T) {
	t.Parallel()
	src, _ := eventful(t)
	path := filepath.Join(t.TempDir(), FileName(1))
	if err := Build(t.Context(), src, src.publication(1, publishedAt), path, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, line := range dump(t, path) {
		if strings.Contains(line, "4000-0000") || strings.Contains(line, "alguem@") {
			t.Errorf("the file holds %s", line)
		}
	}
}

// Whatever happened, every revision comes back as it was.
func TestAtGoesBackToEveryRevision(t *testing.T) {
	t.Parallel()
	dir, run := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		w := &world{tb: t, src: &memSource{ref: testReference()}, productNames: map[certificate.ID]certificate.Product{}, certificates: map[certificate.ID]certificate.Certificate{}}
		start := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
		for i := range rapid.IntRange(15, 60).Draw(rt, "steps") {
			w.src.at = start.AddDate(0, 0, i)
			w.step(rt)
		}
		path := filepath.Join(dir, FileName(int64(run)))
		if err := Build(t.Context(), w.src, w.src.publication(1, publishedAt), path, Options{}); err != nil {
			rt.Fatal(err)
		}
		c, err := Open(t.Context(), path, OpenOptions{Clock: clock.NewManual(publishedAt)})
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		for _, e := range w.src.entries {
			if e.kind == certificate.KindCertificate {
				sameThen(rt, c, e)
			}
		}
	})
}

func sameThen(rt *rapid.T, c *Catalog, e memEntry) {
	var rev certificate.Revision
	if err := json.Unmarshal(e.Canonical, &rev); err != nil {
		rt.Fatal(err)
	}
	view, err := c.Certificate(rt.Context(), e.Body, rev.Certificate.Number)
	if err != nil {
		rt.Fatal(err)
	}
	day := brasil.Today(e.AcceptedAt)
	then, revision, err := c.certificateAt(rt.Context(), view, day.AddDays(1).Time(brasil.Location()))
	if err != nil {
		rt.Fatal(err)
	}
	r := &renderer{names: c.names}
	want, got := mustJSON(rt, r.publicPart(rev.Certificate)), mustJSON(rt, then)
	if got != want || revision.Number != rev.Number || revision.Hash != e.Hash {
		rt.Fatalf("revision %d of %s comes back as %d\n%s\nwant\n%s", rev.Number, rev.ID, revision.Number, got, want)
	}
}

func mustJSON(rt *rapid.T, v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		rt.Fatal(err)
	}
	return string(data)
}
