package catalog

import (
	"regexp"
	"strings"
)

// Layout is one table of a snapshot, for those who read the SQLite file.
type Layout struct {
	Table   string
	Columns []LayoutColumn
	Key     string // columns of the primary key
}

// LayoutColumn is one of its columns.
type LayoutColumn struct {
	Name string
	Type string // of SQLite: INTEGER, TEXT, BLOB
}

var (
	createTable  = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\)( WITHOUT ROWID)?;`)
	createColumn = regexp.MustCompile(`^(\w+) (INTEGER|TEXT|BLOB)\b`)
	tableKey     = regexp.MustCompile(`,\s*PRIMARY KEY \(([^)]*)\)`)
)

// Layouts describes the tables of a snapshot as its schema makes them. Those of
// the text index are left out: they hold no more than the others, in a form
// that only the search reads.
func Layouts() []Layout {
	var list []Layout
	for statement := range strings.SplitAfterSeq(schema, ";") {
		m := createTable.FindStringSubmatch(statement)
		if m == nil || m[1] == "vocabulario" {
			continue
		}
		l := Layout{Table: m[1]}
		inside := statement[strings.IndexByte(statement, '(')+1:]
		if key := tableKey.FindStringSubmatch(inside); key != nil {
			l.Key, inside = key[1], strings.Replace(inside, key[0], "", 1)
		}
		for part := range strings.SplitSeq(inside, ",") {
			part = strings.TrimSpace(part)
			if c := createColumn.FindStringSubmatch(part); c != nil {
				l.Columns = append(l.Columns, LayoutColumn{c[1], c[2]})
				if strings.Contains(part, "PRIMARY KEY") {
					l.Key = c[1]
				}
			}
		}
		list = append(list, l)
	}
	return list
}
