package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// A relevance search reads the index in tiers, one expression each, best first;
// a cursor's place is the tier and the ledger index below which to go on.
const (
	tierShift = 56
	tierStart = 1<<tierShift - 1

	// maxSorted is how many matches, the newest, are put in an order that the
	// index does not have.
	maxSorted = 4000

	// commonWord is how many certificates a word may be in for a search to look
	// for it in certain columns first: those lists are read whole.
	commonWord = 20_000
)

// The columns of the first two tiers.
const (
	columnsExact = "{numero marcas modelos}"
	columnsNames = "{numero marcas modelos empresas}"
)

// tiers makes the expressions of a question, best first; they have no
// certificate in common. None means that nothing can match.
func (c *Catalog) tiers(ctx context.Context, q *question) ([]string, error) {
	all, err := c.expression(ctx, q)
	if err != nil || all == "" {
		return nil, err
	}
	if q.Order != OrderRelevance || len(q.words) == 0 {
		return []string{all}, nil
	}
	rare, err := c.hasRare(ctx, q.words)
	if err != nil {
		return nil, err
	}
	if !rare {
		return []string{all}, nil
	}
	m := &matcher{catalog: c, ctx: ctx}
	exact := columnsExact + " : " + m.whole(q.words)
	names := columnsNames + " : " + m.loose(q.words)
	if m.err != nil {
		return nil, m.err
	}
	best, err := c.expression(ctx, q, exact)
	if err != nil {
		return nil, err
	}
	good, err := c.expression(ctx, q, names)
	if err != nil {
		return nil, err
	}
	return []string{best, "(" + good + ") NOT (" + exact + ")", "(" + all + ") NOT (" + names + ")"}, nil
}

// whole asks for all words as they are, or for them in one.
func (m *matcher) whole(list []string) string {
	terms := make([]string, len(list))
	for i, word := range list {
		terms[i] = quoted(word)
	}
	expression := "(" + strings.Join(terms, " AND ") + ")"
	if len(list) > 2 && len(list) <= maxPaired {
		for i := range len(list) - 1 { // "sun power spr" is "SunPower SPR"
			if !meet(list[i], list[i+1]) && len(list[i])+len(list[i+1]) <= maxJoined {
				expression += " OR " + m.all(slices.Replace(slices.Clone(list), i, i+2, list[i]+list[i+1]))
			}
		}
		expression = "(" + expression + ")"
	}
	if j := strings.Join(list, ""); len(list) > 1 && len(j) <= maxJoined {
		expression = "(" + expression + " OR " + quoted(j) + ")"
	}
	return expression
}

// loose asks for all words but fillers, the last as a beginning, or for them in
// one. Where letters and digits meet, together and apart are the same: "FT12"
// is "FT-12".
func (m *matcher) loose(list []string) string {
	var terms []string
	for i := 0; i < len(list); i++ {
		word, rest := list[i], list[i+1:]
		last := len(rest) == 0
		switch {
		case !last && arePaired(word, rest[0]):
			if len(rest) > 1 && isDigits(rest[0]) && len(rest[1]) <= maxUnit && arePaired(rest[0], rest[1]) { // "pano 30 cm"
				terms = append(terms, "("+m.pair(word, rest[0])+" AND "+m.term(rest[1], true)+" OR "+m.term(word, false)+" AND "+m.pair(rest[0], rest[1])+")")
				i += 2
				continue
			}
			i++
			terms = append(terms, m.pair(word, rest[0]))
		case !fillers[word] || last && len(terms) == 0:
			terms = append(terms, m.term(word, last))
		}
	}
	expression := "(" + strings.Join(terms, " AND ") + ")"
	if j := strings.Join(list, ""); len(list) > 1 && len(list) <= maxNumberWords && len(j) <= maxJoined {
		expression = "(" + expression + " OR " + m.beginning(j) + ")"
	}
	return expression
}

// arePaired tells whether two neighbours may be one word elsewhere.
func arePaired(a, b string) bool {
	return meet(a, b) && !isLongFiller(a) && !isLongFiller(b) && len(a)+len(b) <= maxJoined
}

// pair asks for two words, or for both in one, each time the last as a beginning.
func (m *matcher) pair(a, b string) string {
	return "(" + m.term(a, false) + " AND " + m.term(b, true) + " OR " + m.beginning(a+b) + ")"
}

// term asks for one word, or for its parts where letters and digits meet.
func (m *matcher) term(word string, beginning bool) string {
	one := quoted(word)
	if beginning || len(word) > maxWordBytes {
		one = m.beginning(word)
	}
	if parts := meeting(word); parts != nil {
		one = "(" + one + " OR " + m.all(parts) + ")"
	}
	return one
}

// maxPaired is up to how many words each pair of neighbours is also read as one.
const maxPaired = 4

// maxMeeting is how many letters and digits a word may have to be read as two
// or three: longer ones are whole numbers.
const maxMeeting = 12

// meet tells whether one word ends with a letter and the next begins with a
// digit, or the other way round.
func meet(a, b string) bool {
	return isDigit(a[len(a)-1]) != isDigit(b[0])
}

// meeting parts a word where letters and digits meet: "ft12" is "ft" and "12".
// None for a word that is long, or of one piece, or of more than three.
func meeting(word string) []string {
	if len(word) > maxMeeting {
		return nil
	}
	var parts []string
	start := 0
	for i := 1; i < len(word); i++ {
		if isDigit(word[i-1]) != isDigit(word[i]) {
			parts = append(parts, word[start:i])
			start = i
		}
	}
	if len(parts) == 0 || len(parts) > 2 {
		return nil
	}
	return append(parts, word[start:])
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// hasRare tells whether one of the words is in few certificates, or in none.
func (c *Catalog) hasRare(ctx context.Context, list []string) (bool, error) {
	for _, word := range list {
		common, err := c.isCommon(ctx, word)
		if err != nil || !common {
			return !common, err
		}
	}
	return false, nil
}

// isCommon tells whether a word is in more certificates than commonWord. What
// is found is kept, up to a number: strangers type anything.
func (c *Catalog) isCommon(ctx context.Context, word string) (bool, error) {
	key := word + " " // no word of the other questions kept in crowded
	if known, ok := c.crowded.Load(key); ok {
		return known == true, nil
	}
	common, err := c.any(ctx, "SELECT 1 FROM busca WHERE busca MATCH ? LIMIT 1 OFFSET ?", "- filtros : "+quoted(word), commonWord)
	if err != nil {
		return false, fmt.Errorf("count word: %w", err)
	}
	if c.asked.Add(1) <= maxRemembered {
		c.crowded.Store(key, common)
	}
	return common, nil
}

// scanTiers fills the page tier by tier and returns the place to go on from, 0
// at the end.
func (c *Catalog) scanTiers(ctx context.Context, q *question, tiers []string, place int64, skip map[int64]bool, page *Hits) (int64, error) {
	first := int(place >> tierShift)
	if first >= len(tiers) {
		return 0, nil // the words became common with a later publication
	}
	below := place & tierStart
	for tier := first; tier < len(tiers); tier++ {
		if len(page.Certificates) == q.Limit { // is there more?
			list, next, err := c.candidates(ctx, q, tiers[tier], tierStart, 1)
			if err != nil {
				return 0, err
			}
			if len(list) > 0 || next > 0 {
				return int64(tier)<<tierShift | tierStart, nil
			}
			continue
		}
		next, err := c.scan(ctx, q, tiers[tier], below, skip, page)
		if err != nil {
			return 0, err
		}
		if next > 0 {
			return int64(tier)<<tierShift | next, nil
		}
		below = tierStart
	}
	return 0, nil
}

func (q *question) isSorted() bool { return q.Order == OrderValidity || q.Order == OrderNumber }

// searchSorted puts the newest matches in order. A cursor's place is how many
// were shown.
func (c *Catalog) searchSorted(ctx context.Context, q *question) (*Hits, error) {
	start, err := readCursor(q.identity, q.Cursor, 0)
	if err != nil {
		return nil, err
	}
	page := &Hits{Certificates: []Hit{}, Publication: c.seal.Publication.Number}
	expression, err := c.expression(ctx, q)
	if err != nil || expression == "" {
		return page, err
	}
	list, next, err := c.candidates(ctx, q, expression, tierStart, maxSorted)
	if err != nil {
		return nil, err
	}
	page.Partial = next > 0
	slices.SortStableFunc(list, func(a, b certificateRow) int {
		if q.Order == OrderNumber {
			return cmp.Or(strings.Compare(compactNumber(a.number), compactNumber(b.number)), strings.Compare(a.body, b.body))
		}
		return cmp.Compare(orderedDay(a.valid), orderedDay(b.valid))
	})
	at := int(min(start, int64(len(list))))
	for ; at < len(list) && len(page.Certificates) < q.Limit; at++ {
		ok, err := c.hasProduct(ctx, q, list[at].id)
		if err != nil {
			return nil, err
		}
		if ok {
			page.Certificates = append(page.Certificates, c.hit(&list[at], q.today))
		}
	}
	if at < len(list) {
		page.Next = makeCursor(q.identity, int64(at))
	}
	return page, nil
}

func orderedDay(day int64) int64 {
	if day == 0 {
		return openEnd
	}
	return day
}
