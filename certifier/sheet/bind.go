package sheet

import (
	"slices"
	"strings"

	"selo/brasil"
	"selo/fault"
)

// Record is one row by targets. Targets without text are missing. Texts are in
// NFC on one line with single spaces; only those of [Remarks] keep their line breaks.
type Record map[Target]string

// Binding is a mapping joined to the columns of one sheet.
type Binding struct {
	fields []boundField
	by     []int
	number bool // by is empty: the target numero names the certificate
	used   map[string]bool
}

// boundField is one target with where its text comes from.
type boundField struct {
	target   Target
	column   int // from 0; -1: value or template
	value    string
	template template
}

// Bind finds the mapping's columns in a header. Names match without regard to
// accents, case and punctuation; among several that match so, the one written
// exactly alike wins.
//
// It returns fault.Invalid sheet.columns with a problem for each name that is
// missing (sheet.column_missing, or sheet.column_missing_near where similar
// ones exist) or stands there several times (sheet.column_repeated).
func (m *Mapping) Bind(header []string) (*Binding, error) {
	j := joiner{header: header, b: &Binding{used: map[string]bool{}, number: len(m.CertificateBy) == 0}}
	for _, target := range targets {
		source, ok := m.Columns[target]
		if !ok {
			continue
		}
		j.field(target, source)
	}
	for _, name := range m.CertificateBy {
		j.b.by = append(j.b.by, j.find("certificado_por", name))
	}
	if err := fault.WithProblems("sheet.columns", j.problems); err != nil {
		return nil, err
	}
	return j.b, nil
}

// Apply is [Mapping.Bind] and [Binding.Apply] in one, for a single row. What
// Bind finds wrong comes as problems.
func (m *Mapping) Apply(header []string, row Row) (Record, []fault.Problem) {
	b, err := m.Bind(header)
	if f := fault.Of(err); f != nil {
		return nil, f.Problems
	}
	return b.Apply(row)
}

// joiner collects the problems of a binding.
type joiner struct {
	header   []string
	b        *Binding
	problems []fault.Problem
}

func (j *joiner) field(target Target, source Source) {
	field := boundField{target: target, column: -1, value: clean(source.Value)}
	path := "colunas." + string(target)
	switch {
	case source.Column != "":
		field.column = j.find(path, source.Column)
	case source.Template != "":
		t, err := parseTemplate(source.Template)
		if f := fault.Of(err); f != nil {
			j.problems = append(j.problems, fault.Problem{Field: path, Code: f.Key, Args: f.Args})
			return
		}
		for _, part := range t {
			for i := range part {
				if part[i].column != "" {
					part[i].index = j.find(path, part[i].column)
				}
			}
		}
		field.template = t
	}
	j.b.fields = append(j.b.fields, field)
}

// find is the index of the column with that name; 0 and a problem when there is none.
func (j *joiner) find(path, name string) int {
	var alike, same []int
	for i, h := range j.header {
		if sameName(h, name) {
			alike = append(alike, i)
		}
		if brasil.Squeeze(h) == brasil.Squeeze(name) {
			same = append(same, i)
		}
	}
	if len(same) > 0 {
		alike = same
	}
	add := func(code string, args ...string) {
		args = append(args, "coluna", excerpt(name))
		j.problems = append(j.problems, fault.Problem{Field: path, Code: code, Args: fault.Pairs(args...)})
	}
	switch len(alike) {
	case 1:
		j.b.used[j.header[alike[0]]] = true
		return alike[0]
	case 0:
		if likely := near(name, j.header); len(likely) > 0 {
			add("sheet.column_missing_near", "proximas", quoteList(likely))
		} else {
			add("sheet.column_missing", "existentes", quoteList(named(j.header)))
		}
	default:
		var letters []string
		for _, i := range alike {
			letters = append(letters, columnLetters(i))
		}
		add("sheet.column_repeated", "posicoes", strings.Join(letters, ", "))
	}
	return 0
}

func named(header []string) []string {
	return slices.DeleteFunc(slices.Clone(header), func(s string) bool { return s == "" })
}

// Apply turns a row into a record. The problems are those of the row that
// touch a column in use, or the whole row; the record is then what could be read.
func (b *Binding) Apply(row Row) (Record, []fault.Problem) {
	record := make(Record, len(b.fields))
	for _, f := range b.fields {
		text := f.value
		switch {
		case f.column >= 0 && f.target == Remarks:
			text = cleanLines(cellAt(row, f.column))
		case f.column >= 0:
			text = clean(cellAt(row, f.column))
		case f.template != nil:
			text = f.template.fill(row.Cells)
		}
		if text != "" {
			record[f.target] = text
		}
	}
	var problems []fault.Problem
	for _, p := range row.Problems {
		if p.Field == "" || b.used[p.Field] {
			problems = append(problems, p)
		}
	}
	return record, problems
}

// Group is what the row has in the columns of certificado_por: rows with equal
// groups belong to one certificate. Without certificado_por it is the target
// numero alone. All empty means that the row does not say.
func (b *Binding) Group(row Row) []string {
	if b.number {
		record, _ := b.Apply(row)
		return []string{record[Number]}
	}
	group := make([]string, len(b.by))
	for i, column := range b.by {
		group[i] = clean(cellAt(row, column))
	}
	return group
}

// cellAt forgives rows that did not come from the reader.
func cellAt(row Row, i int) string {
	if i < len(row.Cells) {
		return row.Cells[i]
	}
	return ""
}

// cleanLines cleans each line and keeps the breaks, without empty lines at the ends.
func cleanLines(s string) string {
	lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"), "\n")
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// near lists up to three names that somebody who wrote name may have meant.
func near(name string, names []string) []string {
	folded := []rune(brasil.Compact(name))
	const longest = 80 // runes; longer names are not typing mistakes
	if len(folded) == 0 || len(folded) > longest {
		return nil
	}
	type likely struct {
		name     string
		distance int
	}
	var found []likely
	for _, other := range names {
		candidate := []rune(brasil.Compact(other))
		if len(candidate) == 0 || len(candidate) > longest {
			continue
		}
		d := distance(folded, candidate)
		if inside := strings.Contains(string(candidate), string(folded)) || strings.Contains(string(folded), string(candidate)); inside && min(len(folded), len(candidate)) > 2 {
			d = min(d, 2)
		}
		if d <= max(1, len(folded)/3) || d <= 2 && len(folded) > 2 {
			found = append(found, likely{other, d})
		}
	}
	slices.SortStableFunc(found, func(a, b likely) int { return a.distance - b.distance })
	var result []string
	for _, l := range found[:min(len(found), 3)] {
		result = append(result, l.name)
	}
	return result
}

// distance is the number of letters to insert, drop or change (Levenshtein).
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for i := range row {
		row[i] = i
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			cost := diagonal
			if x != y {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
