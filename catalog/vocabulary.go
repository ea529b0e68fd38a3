package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of the words that spellings are looked for among.
const (
	minSpelled    = 3 // letters; shorter words have too many neighbours
	maxSpelled    = 24
	maxVocabulary = 60_000 // words kept, the most frequent ones
	maxGathered   = 4 * maxVocabulary
)

// vocabulary counts the words, of letters only, that names in certificates
// hold, each once a certificate. It is a hint: in a snapshot that [Update] made
// counts only grow and words stay that no certificate has any more, so it is
// outside the digest and [Catalog.Spelling] asks the index before it proposes a word.
type vocabulary map[string]int

// spelledColumns are the places in a row of the index whose words are spelled:
// body, class, documents, companies, brands, models, descriptions.
var spelledColumns = []int{2, 3, 4, 5, 6, 7, 8}

// add takes the words of one index row.
func (v vocabulary) add(row []any) {
	if marks := " " + text(row[len(row)-1]) + " "; strings.Contains(marks, " "+markHidden+" ") {
		return // of a class that is off the Web
	}
	for _, column := range spelledColumns {
		for word := range strings.SplitSeq(text(row[column]), " ") {
			if _, known := v[word]; known || len(v) < maxGathered && isSpelled(word) {
				v[word]++
			}
		}
	}
}

// isSpelled tells whether a folded word is of letters only, and neither short nor long.
func isSpelled(word string) bool {
	if len(word) < minSpelled || len(word) > utf8.UTFMax*maxSpelled {
		return false
	}
	n := 0
	for _, r := range word {
		if n++; r < 'a' || r > 'z' && (r < utf8.RuneSelf || !unicode.IsLetter(r)) {
			return false
		}
	}
	return n >= minSpelled && n <= maxSpelled
}

// write replaces the table: a row for each length, its words parted by spaces,
// each with its count: "cola 12 pato 3".
func (v vocabulary) write(ctx context.Context, tx *sql.Tx) error {
	list := slices.SortedFunc(maps.Keys(v), func(a, b string) int {
		if v[a] != v[b] {
			return v[b] - v[a]
		}
		return strings.Compare(a, b)
	})
	rows := map[int][]byte{}
	for _, word := range list[:min(len(list), maxVocabulary)] {
		n := utf8.RuneCountInString(word)
		rows[n] = strconv.AppendInt(append(append(rows[n], word...), ' '), int64(v[word]), 10)
		rows[n] = append(rows[n], ' ')
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM vocabulario"); err != nil {
		return fmt.Errorf("clear vocabulary: %w", err)
	}
	for n, words := range rows {
		if _, err := tx.ExecContext(ctx, "INSERT INTO vocabulario (letras, palavras) VALUES (?, ?)", n, string(words)); err != nil {
			return fmt.Errorf("write vocabulary: %w", err)
		}
	}
	return nil
}

// readVocabulary calls fn with the words of from to to letters.
func readVocabulary(ctx context.Context, q querier, from, to int, fn func(word string, count int)) error {
	rows, err := q.QueryContext(ctx, "SELECT palavras FROM vocabulario WHERE letras BETWEEN ? AND ?", from, to)
	if err != nil {
		return fmt.Errorf("read vocabulary: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var words string
		if err := rows.Scan(&words); err != nil {
			return fmt.Errorf("read vocabulary: %w", err)
		}
		for words != "" {
			var word, count string
			word, words, _ = strings.Cut(words, " ")
			count, words, _ = strings.Cut(words, " ")
			n, err := strconv.Atoi(count)
			if err != nil {
				return fmt.Errorf("read vocabulary: %w", err)
			}
			fn(word, n)
		}
	}
	return rows.Err()
}
