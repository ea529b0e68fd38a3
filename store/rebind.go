package store

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// maxRebound bounds the cache: texts made at run time must not fill the memory.
const maxRebound = 4096

type rebinder struct {
	texts sync.Map // string -> string
	n     atomic.Int64
}

// rebind gives the engine's text of query: each ? becomes $1, $2… on PostgreSQL.
func (db *DB) rebind(query string) string {
	if db.dialect != Postgres {
		return query
	}
	if text, ok := db.rebound.texts.Load(query); ok {
		return text.(string)
	}
	text := numberBinds(query)
	if db.rebound.n.Add(1) <= maxRebound {
		db.rebound.texts.Store(query, text)
	}
	return text
}

// numberBinds replaces the ? outside literals, quoted names and comments.
// PostgreSQL operators that hold a ? cannot be written; use their functions.
func numberBinds(query string) string {
	var b strings.Builder
	b.Grow(len(query) + 16)
	n := 0
	for i := 0; i < len(query); {
		if end := skipQuoted(query[i:]); end > 0 {
			b.WriteString(query[i : i+end])
			i += end
			continue
		}
		if query[i] == '?' {
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		} else {
			b.WriteByte(query[i])
		}
		i++
	}
	return b.String()
}

// skipQuoted returns the length of the literal, quoted name or comment that s
// begins with, or 0. A doubled quote reads as two literals side by side, which
// is the same text.
func skipQuoted(s string) int {
	var closing string
	from := 1
	switch {
	case s[0] == '\'', s[0] == '"':
		closing = s[:1]
	case strings.HasPrefix(s, "--"):
		closing, from = "\n", 2
	case strings.HasPrefix(s, "/*"):
		closing, from = "*/", 2
	default:
		return 0
	}
	end := strings.Index(s[from:], closing)
	if end < 0 {
		return len(s)
	}
	return from + end + len(closing)
}
