package catalog

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"selo/brasil"
)

// Limits of what a question may hold.
const (
	maxQueryRunes = 256
	maxQueryWords = 16
	maxWordBytes  = 64   // longer words are cut to a beginning
	maxBeginnings = 2000 // words that one beginning may stand for
	maxRemembered = 10000
)

// Lengths, in letters, for which the index keeps beginnings ready (schema.go: prefix).
// One letter less is cheap too; a single letter counts as a word only.
const (
	shortBeginning = 3
	longBeginning  = 5
)

// matcher builds one FTS5 expression. Words come out of brasil.Fold and are
// quoted, so that nothing typed can be an operator.
type matcher struct {
	catalog *Catalog
	ctx     context.Context
	parts   []string // joined by AND
	err     error
}

// queryWords folds text as typed into at most maxQueryWords words.
func queryWords(q string) []string {
	if utf8.RuneCountInString(q) > maxQueryRunes {
		q = string([]rune(q)[:maxQueryRunes])
	}
	list := strings.Fields(brasil.Fold(strings.ToValidUTF8(q, " ")))
	return list[:min(len(list), maxQueryWords)]
}

// column asks for all words of text in one column; the last is a beginning. The
// words in one ("cocacola") do as well as apart.
func (m *matcher) column(name, text string) {
	list := queryWords(text)
	if len(list) == 0 {
		return
	}
	expression := m.all(list)
	if j := strings.Join(list, ""); len(list) > 1 && len(j) <= maxJoined {
		expression = "(" + expression + " OR " + m.beginning(j) + ")"
	}
	m.parts = append(m.parts, name+" : ("+expression+")")
}

// anywhere asks for all words in any column but the marks.
func (m *matcher) anywhere(list []string) {
	if len(list) == 0 {
		return
	}
	m.parts = append(m.parts, "- filtros : ("+m.loose(list)+")")
}

// exactly asks for one word in a column.
func (m *matcher) exactly(column, word string) {
	m.parts = append(m.parts, column+` : `+quoted(word))
}

// mark asks for one of some marks.
func (m *matcher) mark(marks ...string) {
	for i, word := range marks {
		marks[i] = quoted(word)
	}
	m.parts = append(m.parts, "filtros : ("+strings.Join(marks, " OR ")+")")
}

func (m *matcher) expression() string { return strings.Join(m.parts, " AND ") }

func (m *matcher) all(list []string) string {
	terms := make([]string, len(list))
	for i, word := range list {
		if i == len(list)-1 || len(word) > maxWordBytes {
			terms[i] = m.beginning(word)
		} else {
			terms[i] = quoted(word)
		}
	}
	return "(" + strings.Join(terms, " AND ") + ")"
}

// beginning stands for the words that begin so. When too many do, it counts by
// its first letters only: more is found than asked for, never less, and a
// search costs the same whatever is in the base.
func (m *matcher) beginning(word string) string {
	if len(word) > maxWordBytes {
		cut := maxWordBytes
		for !utf8.RuneStart(word[cut]) {
			cut--
		}
		word = word[:cut]
	}
	runes := utf8.RuneCountInString(word)
	switch {
	case runes == 1:
		return quoted(word)
	case runes > longBeginning && m.isCrowded(word):
		word = string([]rune(word)[:longBeginning])
	}
	return quoted(word) + " *"
}

// isCrowded tells whether more words than maxBeginnings begin so. Snapshots do
// not change, so answers are kept, up to a number: strangers type anything.
func (m *matcher) isCrowded(word string) bool {
	if m.catalog == nil || m.err != nil {
		return false
	}
	if known, ok := m.catalog.crowded.Load(word); ok {
		return known == true
	}
	crowded, err := m.catalog.any(m.ctx, `SELECT 1 FROM busca_termo WHERE term >= ? AND term <= ? LIMIT 1 OFFSET `+
		strconv.Itoa(maxBeginnings), word, word+"\U0010FFFF")
	if err != nil {
		m.err = fmt.Errorf("count words: %w", err)
		return false
	}
	if m.catalog.asked.Add(1) <= maxRemembered {
		m.catalog.crowded.Store(word, crowded)
	}
	return crowded
}

func quoted(word string) string { return `"` + strings.ReplaceAll(word, `"`, `""`) + `"` }
