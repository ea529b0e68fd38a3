package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// row is one line of the table.
type row struct {
	What     string
	Base     string // engine and size, or empty
	Target   string
	Measured string
	Floor    string
	Ratio    string // measured to floor: of throughput, or of time
	Met      verdict
	Why      string // of a miss
}

// verdict tells whether a target is reached; rows without a target have none.
type verdict string

const (
	met    verdict = "yes"
	missed verdict = "no"
	noted  verdict = "—"
)

func judge(ok bool) verdict {
	if ok {
		return met
	}
	return missed
}

var headers = []string{"what", "base", "target", "measured", "floor", "ratio", "met"}

func (r row) cells() []string {
	cells := []string{r.What, r.Base, r.Target, r.Measured, r.Floor, r.Ratio, string(r.Met)}
	for i, c := range cells {
		if c == "" {
			cells[i] = "—"
		}
	}
	return cells
}

// writeTable writes the rows aligned, for a terminal.
func writeTable(w io.Writer, m machine, rows []row) {
	lines := [][]string{headers}
	for _, r := range rows {
		lines = append(lines, r.cells())
	}
	widths := make([]int, len(headers))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	fmt.Fprintf(w, "\n%s\n\n", strings.Join(m.facts(), "\n"))
	for n, line := range lines {
		for i, cell := range line {
			fmt.Fprint(w, cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		fmt.Fprintln(w)
		if n == 0 {
			for _, width := range widths {
				fmt.Fprint(w, strings.Repeat("─", width), "  ")
			}
			fmt.Fprintln(w)
			continue
		}
		if why := rows[n-1].Why; why != "" {
			fmt.Fprintf(w, "  → %s\n", why)
		}
	}
	fmt.Fprintln(w)
}

// The marks in the document between which the table stands.
const (
	tableBegins = "<!-- selobench: begin -->"
	tableEnds   = "<!-- selobench: end -->"
)

// rewriteDocument puts the table into the document, between the marks.
func rewriteDocument(path string, m machine, rows []row) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	before, rest, begins := strings.Cut(string(content), tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return fmt.Errorf("%s has no marks %s and %s", path, tableBegins, tableEnds)
	}
	text := before + tableBegins + "\n" + markdown(m, rows) + tableEnds + after
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // a document for everybody
		return fmt.Errorf("write document: %w", err)
	}
	return nil
}

func markdown(m machine, rows []row) string {
	var b strings.Builder
	for _, fact := range m.facts() {
		b.WriteString("- " + fact + "\n")
	}
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	b.WriteString("\n")
	line(headers)
	line([]string{"---", "---", "---", "--:", "--:", "--:", "---"})
	misses := 0
	for _, r := range rows {
		cells := r.cells()
		if r.Met == missed {
			misses++
			cells[len(cells)-1] = fmt.Sprintf("**no** (%d)", misses)
		}
		line(cells)
	}
	n := 0
	for _, r := range rows {
		if r.Met == missed {
			if n++; n == 1 {
				b.WriteString("\n")
			}
			why := r.Why
			if why == "" {
				why = "not explained yet"
			}
			fmt.Fprintf(&b, "%d. %s, %s: %s.\n", n, r.What, orDash(r.Base), why)
		}
	}
	return b.String()
}

func orDash(text string) string {
	if text == "" {
		return "—"
	}
	return text
}
