package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func someRows() []row {
	return []row{
		{What: "fast", Target: "≤ 1 s", Measured: "0.50 s", Met: met, Why: "never shown"},
		{What: "slow", Base: "SQLite, 10", Target: "≤ 1 s", Measured: "2.00 s", Floor: "1.00 s", Ratio: "2.00", Met: missed, Why: "the disk"},
	}
}

func TestDocumentKeepsWhatIsAroundTheTable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "performance.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# Before\n" + tableBegins + "\nold\n" + tableEnds + "\nafter\n")
	for range 2 { // writing again changes nothing
		if err := rewriteDocument(path, machine{Processor: "a processor"}, someRows()); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := string(content)
	for _, want := range []string{"# Before\n" + tableBegins + "\n- Machine: a processor", "| fast | — | ≤ 1 s | 0.50 s | — | — | yes |\n",
		"| slow | SQLite, 10 | ≤ 1 s | 2.00 s | 1.00 s | 2.00 | **no** (1) |\n", "\n1. slow, SQLite, 10: the disk.\n" + tableEnds + "\nafter\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the document lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "old") || strings.Contains(got, "never shown") || strings.Count(got, tableBegins) != 1 {
		t.Errorf("the document:\n%s", got)
	}
	write("no marks")
	if err := rewriteDocument(path, machine{}, someRows()); err == nil {
		t.Error("a document without marks was rewritten")
	}
}

func TestTableIsAligned(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	writeTable(&out, machine{}, someRows())
	lines := strings.Split(out.String(), "\n")
	var met []int
	for _, line := range lines {
		for _, mark := range []string{"met  ", "yes  ", "no   "} {
			if strings.HasSuffix(line, mark) {
				met = append(met, len([]rune(line)))
			}
		}
	}
	if len(met) != 3 || met[0] != met[1] || met[1] != met[2] {
		t.Errorf("widths %v in\n%s", met, out.String())
	}
	if !strings.Contains(out.String(), "  → the disk\n") {
		t.Errorf("no reason in\n%s", out.String())
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	s, err := readFlags([]string{"--products", "1000,20000", "--engines", "sqlite", "--only", "search,lookup"})
	if err != nil || len(s.sizes) != 2 || s.sizes[1] != 20000 || s.markdown {
		t.Errorf("%+v, %v", s, err)
	}
	for _, args := range [][]string{{"--products", "10"}, {"--products", "x"}, {"--engines", "oracle"}, {"--only", "everything"}} {
		if _, err := readFlags(args); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %s", n, got)
		}
	}
	if megabytes(0) != "—" || megabytes(45_600_000) != "45.6 MB" {
		t.Error(megabytes(0), megabytes(45_600_000))
	}
}
