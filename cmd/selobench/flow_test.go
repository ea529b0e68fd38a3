package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestWholeFlowOnASmallBase runs every part that the table is made of, in this
// process, without judging any time.
func TestWholeFlowOnASmallBase(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	b := base{Dir: dir, Database: "sqlite:" + filepath.Join(dir, "registro.db"), Products: 1000, Changes: 100}
	if _, err := makeBundles(ctx, b); err != nil {
		t.Fatal(err)
	}
	p, err := processBundle(ctx, remessaOf{b, 1})
	if err != nil {
		t.Fatal(err)
	}
	floor, err := insertBare(ctx, bareInto{b.Database, "sqlite:" + filepath.Join(dir, "piso.db")})
	if err != nil {
		t.Fatal(err)
	}
	if p.Revisions < 1200 || floor.Rows != p.Revisions {
		t.Errorf("processed %d revisions, %d rows in the floor", p.Revisions, floor.Rows)
	}
	public, err := publish(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	if public.Changed.Revisions != 100 || public.Bytes == 0 {
		t.Errorf("%+v", public)
	}
	m, err := makeQueries(ctx, asked{Snapshot: b.snapshot(2), Numbers: 100})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Queries) < 200 || len(m.Addresses) < 100 {
		t.Errorf("%d queries, %d addresses", len(m.Queries), len(m.Addresses))
	}
	found, err := searchInProcess(ctx, asked{Snapshot: b.snapshot(2), Queries: m.Queries, Passes: 1})
	if err != nil {
		t.Fatal(err)
	}
	if found.Queries != len(m.Queries) || found.Hits == 0 || found.Kinds["GTIN"] == [2]float64{} {
		t.Errorf("%+v", found)
	}
	for _, left := range []string{"piso.sqlite", "copia.sqlite", "piso.sqlite.palavras"} {
		if _, err := os.Stat(filepath.Join(dir, left)); err == nil {
			t.Errorf("%s was left", left)
		}
	}
}
