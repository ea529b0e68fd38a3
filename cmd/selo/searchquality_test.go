package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"sync"
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

// asked is a search as typed, and the certificate that answers it; an entry with
// a note alone tells about its file.
type asked struct {
	Note   string `json:"nota"`
	Base   string `json:"base"`
	Text   string `json:"busca"`
	Expect string `json:"espera"`

	file string
}

// leastHeld is how many in a hundred searches of each file must hold. The blind
// file's is what it showed when first asked; of all together [leastOfAll] must.
var leastHeld = map[string]int{"queries.json": 95, "queries-stranger.json": 95, "queries-blind.json": 90}

const leastOfAll = 95

// TestSearchQuality asks what people ask; see catalog/testdata/README.md.
func TestSearchQuality(t *testing.T) {
	t.Parallel()
	all := readSearches(t)
	var (
		mu            sync.Mutex
		total, missed = map[string]int{}, map[string]int{}
	)
	t.Run("bases", func(t *testing.T) {
		for base, open := range map[string]func(*testing.T) *catalog.Catalog{"inversores": openInverters, "demonstracao": openDemo} {
			t.Run(base, func(t *testing.T) {
				t.Parallel()
				c := open(t)
				for _, a := range all {
					if a.Base != base {
						continue
					}
					got := firstAnswers(t, c, a.Text)
					mu.Lock()
					total[a.file]++
					if !slices.Contains(got, a.Expect) {
						missed[a.file]++
						t.Logf("%s: %q: %q, want %q", a.file, a.Text, got, a.Expect)
					}
					mu.Unlock()
				}
			})
		}
	})
	asked, answered := 0, 0
	for file, n := range total {
		held := n - missed[file]
		asked, answered = asked+n, answered+held
		t.Logf("%s: %d of %d hold, %.1f %%", file, held, n, 100*float64(held)/float64(n))
		if least := leastHeld[file]; least == 0 || 100*held < least*n {
			t.Errorf("%s: %d of %d searches hold, want %d %%", file, held, n, least)
		}
	}
	if 100*answered < leastOfAll*asked {
		t.Errorf("%d of all %d searches hold, want %d %%", answered, asked, leastOfAll)
	}
	if len(total) != len(leastHeld) {
		t.Errorf("searches of %d files were asked, want %d", len(total), len(leastHeld))
	}
}

// readSearches reads every file of searches.
func readSearches(t *testing.T) []asked {
	t.Helper()
	files, err := filepath.Glob("../../catalog/testdata/queries*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("%q, %v", files, err)
	}
	var all []asked
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var list []asked
		if err := json.Unmarshal(data, &list); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		list = slices.DeleteFunc(list, func(a asked) bool { return a.Note != "" && a.Text == "" })
		if len(list) < 60 {
			t.Fatalf("%s: only %d searches", file, len(list))
		}
		for _, a := range list {
			a.file = filepath.Base(file)
			if a.Base == "" || a.Text == "" || a.Expect == "" {
				t.Fatalf("%s: %+v says too little", file, a)
			}
			all = append(all, a)
		}
	}
	return all
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
