package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of [Catalog.Spelling].
const (
	maxSpellings   = 3  // texts that are proposed
	maxMisspelled  = 4  // unknown words of a text that are looked at
	maxNeighbours  = 12 // words near one that are asked for in the index
	minCode        = 4  // letters and digits; a shorter number is near to anything
	maxCodeLetters = 20 // a longer model or number is not varied
	shortWord      = 4  // letters: up to here one mistake, beyond two
	maxEnding      = 4  // letters that a known word may have more, as a plural does
)

// Spelling proposes texts near to what was typed, each of which finds
// something, the likeliest first; none where what was typed finds something
// itself. Neighbours that are one word somewhere are read as one, and a word
// that no certificate has is replaced: one of letters by a known word at most
// two mistakes away (one in a short word), a number or model by one that differs
// in one letter or digit, any by two known words. A mistake is a letter too
// many, missing, wrong, or two exchanged. Words are left out where nothing else
// helps, first those that say least: that nearly all certificates have.
//
// Filters of s narrow what the texts must find; the situation does not.
func (c *Catalog) Spelling(ctx context.Context, s Search) ([]string, error) {
	s.Situation, s.Limit, s.Cursor, s.Order = AnySituation, 1, "", ""
	q, err := c.question(ctx, s)
	if err != nil || len(q.words) == 0 {
		return nil, err
	}
	if page, err := c.Search(ctx, s); err != nil || len(page.Certificates) > 0 {
		return nil, err
	}
	list, total, err := c.readings(ctx, q.words)
	if err != nil {
		return nil, err
	}
	return c.finding(ctx, s, list, total)
}

// finding keeps the texts that find something, up to maxSpellings. One that
// leaves words out stands only where no other was found.
func (c *Catalog) finding(ctx context.Context, s Search, list []reading, total float64) ([]string, error) {
	var found []string
	out, tried := 0, 0
	for _, r := range list {
		s.Text = strings.Join(trimFillers(r), " ")
		switch {
		case r.cost > maxLoss*total, tried == maxTried, len(found) > 0 && tried >= maxMore, len(found) == maxSpellings:
			return found, nil
		case len(found) > 0 && r.leftOut > out, slices.Contains(found, s.Text):
			continue
		case !slices.ContainsFunc(r.words, func(word string) bool { return len(word) >= minSpelled }):
			continue // what is left says nothing
		}
		tried++
		page, err := c.Search(ctx, s)
		if err != nil {
			return nil, err
		}
		if len(page.Certificates) > 0 {
			found, out = append(found, s.Text), r.leftOut
		}
	}
	return found, nil
}

// trimFillers drops the fillers that words left out have left at the ends.
func trimFillers(r reading) []string {
	list := r.words
	for r.leftOut > 0 && len(list) > 0 && fillers[list[0]] {
		list = list[1:]
	}
	for r.leftOut > 0 && len(list) > 0 && fillers[list[len(list)-1]] {
		list = list[:len(list)-1]
	}
	return list
}

// isKnown tells whether a certificate has the word, or one that begins so.
func (c *Catalog) isKnown(ctx context.Context, word string, beginning bool) (bool, error) {
	expression := quoted(word)
	if beginning && utf8.RuneCountInString(word) >= shortBeginning {
		m := &matcher{catalog: c, ctx: ctx}
		if expression = m.loose([]string{word}); m.err != nil {
			return false, m.err
		}
	} else if parts := meeting(word); parts != nil {
		expression = "(" + expression + " OR " + (&matcher{}).whole(parts) + ")"
	}
	known, err := c.any(ctx, "SELECT 1 FROM busca WHERE busca MATCH ? LIMIT 1", "- filtros : "+expression)
	if err != nil {
		return false, fmt.Errorf("look up word: %w", err)
	}
	return known, nil
}

// neighbour is a word near to one that was typed.
type neighbour struct {
	word     string
	mistakes int
	count    int
}

// neighbours are the words near to one, the likeliest first, that certificates have.
func (c *Catalog) neighbours(ctx context.Context, word string) ([]neighbour, error) {
	var near []neighbour
	var err error
	if isSpelled(word) {
		near, err = c.nearWords(ctx, word)
	} else if strings.ContainsAny(word, "0123456789") && len(word) >= minCode && len(word) <= maxCodeLetters && isASCII(word) {
		near, err = c.nearCodes(ctx, word)
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(near, func(a, b neighbour) int {
		return cmp.Or(a.mistakes-b.mistakes, sameBeginning(b.word, word)-sameBeginning(a.word, word), b.count-a.count, strings.Compare(a.word, b.word))
	})
	var list []neighbour
	for _, n := range near[:min(len(near), maxNeighbours)] {
		known, err := c.isKnown(ctx, n.word, false)
		if err != nil {
			return nil, err
		}
		if known {
			list = append(list, n)
		}
	}
	return list, nil
}

// sameBeginning is 1 when both begin with the same letter: few mistakes are there.
func sameBeginning(a, b string) int {
	if a[0] == b[0] {
		return 1
	}
	return 0
}

// nearWords looks through the vocabulary.
func (c *Catalog) nearWords(ctx context.Context, word string) ([]neighbour, error) {
	typed := []rune(word)
	most := 2
	if len(typed) <= shortWord {
		most = 1
	}
	var near []neighbour
	var d distance
	sounded := []rune(sound(word))
	err := readVocabulary(ctx, c.db, len(typed)-most, len(typed)+maxEnding, func(known string, count int) {
		mistakes := d.between(typed, known, most)
		if n := utf8.RuneCountInString(known); mistakes > most && most > 1 && n > len(typed) { // the ending of a plural
			mistakes = d.between(typed, string([]rune(known)[:len(typed)]), most-1) + 1
		}
		if mistakes > 1 && (mistakes <= most || most == 1) && d.between(sounded, sound(known), 0) == 0 {
			mistakes = 1
		}
		if mistakes <= most {
			near = append(near, neighbour{known, mistakes, count})
		}
	})
	return near, err
}

// sounds are the letters that Brazilians take for one another, and what stands
// for them.
var sounds = strings.NewReplacer("ch", "x", "sh", "x", "ph", "f", "qu", "k", "ck", "k", "ss", "s", "sc", "s", "ce", "se", "ci", "si", "ge", "je", "gi", "ji",
	"c", "k", "z", "s", "y", "i", "w", "v", "h", "", "ll", "l", "rr", "r", "tt", "t", "nn", "n", "mp", "np", "mb", "nb")

// sound is how a folded word sounds: the same for "chaleira" and "xaleira".
func sound(word string) string { return sounds.Replace(word) }

// nearCodes varies a number or model in one place and asks the index for each.
func (c *Catalog) nearCodes(ctx context.Context, word string) ([]neighbour, error) {
	var near []neighbour
	for _, variant := range variants(word) {
		known, err := c.any(ctx, "SELECT 1 FROM busca_termo WHERE term = ? LIMIT 1", variant)
		if err != nil {
			return nil, fmt.Errorf("look up word: %w", err)
		}
		if known {
			near = append(near, neighbour{variant, 1, 0})
		}
		if len(near) == maxNeighbours {
			break
		}
	}
	return near, nil
}

// variants are the words that differ from an ASCII word in one place, likely
// mistakes first: exchanged, missing and doubled letters, then another digit for
// a digit and another letter for a letter.
func variants(word string) []string {
	const digits, letters = "0123456789", "abcdefghijklmnopqrstuvwxyz"
	seen := map[string]bool{word: true}
	var list []string
	add := func(v string) {
		if v != "" && !seen[v] {
			seen[v] = true
			list = append(list, v)
		}
	}
	for i := range len(word) - 1 {
		add(word[:i] + word[i+1:i+2] + word[i:i+1] + word[i+2:])
	}
	for i := range len(word) {
		add(word[:i] + word[i+1:])
	}
	for i := range len(word) {
		if other, ok := confused[word[i]]; ok {
			add(word[:i] + other + word[i+1:])
		}
		set := letters
		if word[i] <= '9' {
			set = digits
		}
		for _, r := range set {
			add(word[:i] + string(r) + word[i+1:])
		}
	}
	for i := range len(word) + 1 {
		set := letters
		if i > 0 && word[i-1] <= '9' || i < len(word) && word[i] <= '9' {
			set = digits
		}
		for _, r := range set {
			add(word[:i] + string(r) + word[i:])
		}
	}
	return list
}

// confused are letters and digits that look alike.
var confused = map[byte]string{'0': "o", 'o': "0", '1': "l", 'l': "1", 'i': "1", '5': "s", 's': "5", '8': "b", 'b': "8", '2': "z", 'z': "2"}

// distance counts mistakes; it keeps its rows between words.
type distance struct{ before, last, now []int }

// between is the number of mistakes between two words (optimal string
// alignment), or more than most.
func (d *distance) between(typed []rune, known string, most int) int {
	n := len(typed)
	if len(d.now) < n+1 {
		d.before, d.last, d.now = make([]int, n+1), make([]int, n+1), make([]int, n+1)
	}
	for j := range n + 1 {
		d.now[j] = j
	}
	row, previous := 0, rune(0)
	for _, r := range known {
		row++
		d.before, d.last, d.now = d.last, d.now, d.before
		d.now[0] = row
		best := row
		for j := 1; j <= n; j++ {
			cost := 1
			if typed[j-1] == r {
				cost = 0
			}
			m := min(d.last[j]+1, d.now[j-1]+1, d.last[j-1]+cost)
			if row > 1 && j > 1 && typed[j-2] == r && typed[j-1] == previous {
				m = min(m, d.before[j-2]+1)
			}
			d.now[j] = m
			best = min(best, m)
		}
		if best > most {
			return best
		}
		previous = r
	}
	return d.now[n]
}

// isASCII tells whether a word can be varied byte by byte.
func isASCII(word string) bool {
	return !strings.ContainsFunc(word, func(r rune) bool { return r > unicode.MaxASCII })
}
