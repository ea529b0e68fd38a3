package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"selo/catalog"
	"selo/certifier"
	"selo/clock"
	"selo/cmd/selo/term"
	"selo/locale"
	"selo/remessa"
)

// shownFirst is how many answers a visitor is sure to see.
const shownFirst = 3

// asked is a search as typed, and the certificate that answers it.
type asked struct {
	Base   string `json:"base"`
	Text   string `json:"busca"`
	Expect string `json:"espera"`
}

// TestSearchQuality asks what people ask; see catalog/testdata/README.md.
func TestSearchQuality(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../catalog/testdata/queries.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []asked
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 150 {
		t.Fatalf("only %d searches", len(all))
	}
	for base, open := range map[string]func(*testing.T) *catalog.Catalog{"inversores": openInverters, "demonstracao": openDemo} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			c := open(t)
			total, missed := 0, 0
			for _, a := range all {
				if a.Base != base {
					continue
				}
				total++
				if got := firstAnswers(t, c, a.Text); !slices.Contains(got, a.Expect) {
					missed++
					t.Logf("%q: %q, want %q", a.Text, got, a.Expect)
				}
			}
			if total == 0 || missed*20 > total {
				t.Errorf("%d of %d searches are missed", missed, total)
			}
		})
	}
}

// firstAnswers are the numbers that the search page shows first, its first
// spelling followed where nothing is found.
func firstAnswers(t *testing.T, c *catalog.Catalog, text string) []string {
	t.Helper()
	ask := catalog.Search{Text: text, Order: catalog.OrderRelevance, Limit: shownFirst}
	page, err := c.Search(t.Context(), ask)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if len(page.Certificates) == 0 {
		spellings, err := c.Spelling(t.Context(), ask)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if len(spellings) > 0 {
			ask.Text, ask.Situation = spellings[0], catalog.AnySituation
			if page, err = c.Search(t.Context(), ask); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
	}
	var numbers []string
	for _, hit := range page.Certificates {
		numbers = append(numbers, hit.Number)
	}
	return numbers
}

// openInverters takes the list of inverters through the cycle.
func openInverters(t *testing.T) *catalog.Catalog {
	t.Helper()
	x := newExchange(t, "", "fotovoltaicos")
	x.importInverters()
	x.must(x.desk.store.Write(x.app.ctx, func(tx certifier.Tx) error {
		_, _, err := certifier.ApproveReady(x.app.ctx, tx, "teste")
		return err
	}))
	if answer := x.exchange(); answer.Outcome != remessa.Confirmed {
		t.Fatalf("remessa: %s, %v", answer.Outcome, answer.Remessa.Reasons)
	}
	_, _, err := x.node.publish(x.app)
	x.must(err)
	current, release, ok := x.node.holder.Acquire()
	if !ok {
		t.Fatal("nothing is published")
	}
	t.Cleanup(release)
	return current
}

// openDemo runs the demonstration to its end and opens what it published last.
func openDemo(t *testing.T) *catalog.Catalog {
	t.Helper()
	dir := t.TempDir()
	quiet := term.New(devNull(t), term.Options{Lang: locale.PT})
	a := &app{ctx: context.WithoutCancel(t.Context()), lang: locale.PT, out: quiet, err: quiet, actor: "teste"}
	if err := (&demoCmd{Once: true, Data: dir}).Run(a); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "inmetro", "catalogo", "*.sqlite"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no snapshot: %v", err)
	}
	c, err := catalog.Open(t.Context(), slices.Max(files), catalog.OpenOptions{Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func devNull(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}
