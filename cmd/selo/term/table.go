package term

import "strings"

// Column is a column of a table.
type Column struct {
	Key   string // message key of the header
	Right bool   // numbers: align to the right
}

const (
	gap       = 2 // columns between cells
	minColumn = 6 // a narrower column is unreadable: the table becomes blocks
)

// Table writes rows under headers. Long cells wrap; where the terminal is too
// narrow for the columns, each row becomes a block of labels and values.
func (p *Printer) Table(columns []Column, rows [][]string) {
	if len(rows) == 0 {
		p.Note("term.empty")
		return
	}
	headers := make([]string, len(columns))
	for i, c := range columns {
		headers[i] = p.text(c.Key)
	}
	cells := make([][]string, len(rows))
	for r, row := range rows {
		cells[r] = make([]string, len(columns))
		for i := range columns {
			cells[r][i] = clean(at(row, i))
		}
	}
	widths, fits := p.fit(headers, cells)
	if !fits {
		p.blocks(columns, cells)
		return
	}
	var b strings.Builder
	p.tableRow(&b, columns, widths, headers, bold)
	rule := make([]string, len(columns))
	for i, w := range widths {
		rule[i] = strings.Repeat("─", w)
	}
	p.tableRow(&b, columns, widths, rule, dim)
	for _, row := range cells {
		p.tableRow(&b, columns, widths, row, "")
	}
	p.write(b.String())
}

// fit finds the width of each column: as wide as its content, then the widest
// shrink until the table fits.
func (p *Printer) fit(headers []string, cells [][]string) (widths []int, fits bool) {
	widths = make([]int, len(headers))
	total := gap * (len(headers) - 1)
	for i, h := range headers {
		widths[i] = max(Width(h), 1)
		for _, row := range cells {
			widths[i] = max(widths[i], Width(row[i]))
		}
		total += widths[i]
	}
	for total > p.width {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= minColumn {
			return nil, false
		}
		widths[widest]--
		total--
	}
	return widths, true
}

func (p *Printer) tableRow(b *strings.Builder, columns []Column, widths []int, row []string, s style) {
	wrapped := make([][]string, len(row))
	height := 0
	for i, cell := range row {
		wrapped[i] = wrap(cell, widths[i], true)
		height = max(height, len(wrapped[i]))
	}
	for n := range height {
		line, pending := "", 0 // pending: spaces owed before the next text
		for i, c := range columns {
			cell := at(wrapped[i], n)
			pad := widths[i] - Width(cell)
			if c.Right {
				pending, pad = pending+pad, 0
			}
			if cell != "" {
				line += strings.Repeat(" ", pending) + p.paint(s, cell)
				pending = 0
			}
			pending += pad + gap
		}
		b.WriteString(line + "\n")
	}
}

// blocks writes each row as labels and values.
func (p *Printer) blocks(columns []Column, cells [][]string) {
	for r, row := range cells {
		if r > 0 {
			p.Blank()
		}
		pairs := make([]Pair, len(columns))
		for i, c := range columns {
			pairs[i] = Pair{Key: c.Key, Value: row[i]}
		}
		p.Pairs(pairs...)
	}
}
