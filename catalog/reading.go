package catalog

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// What another reading of a text costs, against 1 for leaving out a word that
// no certificate has. A known word costs less to leave out the more certificates
// have it.
const (
	costJoin    = 0.05 // "solar edge" as "solaredge"
	costSplit   = 0.10 // "mentirexam2p" as "mentirex am2p"
	costZeros   = 0.05 // "0017" as "17"
	costMistake = 0.25 // each
	costRank    = 0.01 // for each likelier word
	costFiller  = 0.01
	costSpelled = 0.10 // more for a word of letters: a name says more than a measure

	maxLoss     = 0.65 // of all words' cost; a reading that costs more says something else
	maxJoins    = 4    // neighbours that are read as one
	minSplit    = 5    // letters of a word that is parted
	minPart     = 2    // letters of its parts
	minFirst    = 3    // letters of the longer part
	minName     = 5    // letters of a name that is parted from a model that nobody has
	maxReadings = 48   // readings kept at each word
	maxTried    = 10   // readings that are asked for
	maxMore     = 5    // of them where one has found something
)

// option is one way to read some words of a text, beginning at one.
type option struct {
	span    int // words as typed
	words   []string
	cost    float64
	leftOut int
}

// reading is a way to read a text.
type reading struct {
	words   []string
	cost    float64
	leftOut int
}

// readings lists other ways to read the words, the nearest first, and what it
// would cost to leave all of them out.
func (c *Catalog) readings(ctx context.Context, list []string) ([]reading, float64, error) {
	best := make([][]reading, len(list)+1) // the ways to read the first words
	best[0] = []reading{{}}
	total, misspelled := 0.0, 0
	for i, word := range list {
		known, err := c.isKnown(ctx, word, i == len(list)-1)
		if err != nil {
			return nil, 0, err
		}
		known = known || fillers[word] // whether or not anybody has it
		loss, err := c.loss(ctx, word, known)
		if err != nil {
			return nil, 0, err
		}
		total += loss
		options := []option{{1, nil, loss, 1}}
		if known {
			options = append(options, option{1, []string{word}, 0, 0})
		} else if misspelled++; misspelled <= maxMisspelled {
			more, err := c.corrections(ctx, word, i == len(list)-1)
			if err != nil {
				return nil, 0, err
			}
			options = append(options, more...)
		}
		joins, err := c.joins(ctx, list, i)
		if err != nil {
			return nil, 0, err
		}
		for _, o := range append(options, joins...) {
			for _, before := range best[i] {
				best[i+o.span] = append(best[i+o.span], reading{slices.Concat(before.words, o.words), before.cost + o.cost, before.leftOut + o.leftOut})
			}
		}
		slices.SortStableFunc(best[i+1], func(a, b reading) int { return cmp.Compare(a.cost, b.cost) })
		best[i+1] = best[i+1][:min(len(best[i+1]), maxReadings)]
	}
	return best[len(list)], total, nil
}

// loss is what leaving out a word costs: 1 where no certificate has it, next to
// nothing where very many do.
func (c *Catalog) loss(ctx context.Context, word string, known bool) (float64, error) {
	if fillers[word] {
		return costFiller, nil
	}
	if !known {
		return 1, nil
	}
	var have, all float64
	err := c.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM (SELECT 1 FROM busca WHERE busca MATCH ? LIMIT ?)),
		(SELECT count(*) FROM (SELECT 1 FROM certificado LIMIT ?))`, "- filtros : "+(&matcher{}).term(word, false), commonWord, 10*commonWord).Scan(&have, &all)
	if err != nil {
		return 0, fmt.Errorf("count word: %w", err)
	}
	loss := math.Log2(1+all/max(have, 1)) / math.Log2(3+2*all)
	if isSpelled(word) {
		loss += costSpelled
	}
	return loss, nil
}

// joins reads a word and its next neighbours as one word that is known.
func (c *Catalog) joins(ctx context.Context, list []string, i int) ([]option, error) {
	var options []option
	for n := 2; n <= maxJoins && i+n <= len(list); n++ {
		word := strings.Join(list[i:i+n], "")
		if len(word) > maxJoined {
			break
		}
		if isDigits(word) {
			continue // numbers side by side are numbers
		}
		known, err := c.hasTerm(ctx, word, i+n == len(list))
		if err != nil {
			return nil, err
		}
		if known {
			options = append(options, option{n, []string{word}, costJoin, 0})
		}
	}
	return options, nil
}

// corrections reads a word that no certificate has as one or two that some have.
func (c *Catalog) corrections(ctx context.Context, word string, last bool) ([]option, error) {
	var options []option
	if short := strings.TrimLeft(word, "0"); short != word && short != "" && isDigits(word) {
		known, err := c.isKnown(ctx, short, last)
		if err != nil {
			return nil, err
		}
		if known {
			options = append(options, option{1, []string{short}, costZeros, 0})
		}
	}
	near, err := c.neighbours(ctx, word)
	if err != nil {
		return nil, err
	}
	for i, n := range near[:min(len(near), maxSpellings)] {
		options = append(options, option{1, []string{n.word}, costMistake*float64(n.mistakes) + costRank*float64(i), 0})
	}
	parts, err := c.splits(ctx, word, last)
	return append(options, parts...), err
}

// splits reads a word as two that are known, or as a name that is known and a
// model that is not, which is left out.
func (c *Catalog) splits(ctx context.Context, word string, last bool) ([]option, error) {
	if len(word) < minSplit || len(word) > maxJoined || !isASCII(word) || isDigits(word) {
		return nil, nil
	}
	var options []option
	for cut := minPart; cut <= len(word)-minPart; cut++ {
		a, b := word[:cut], word[cut:]
		known, err := c.hasTerm(ctx, a, false)
		if err != nil {
			return nil, err
		}
		if !known || max(len(a), len(b)) < minFirst {
			continue
		}
		if known, err = c.isKnown(ctx, b, last); err != nil {
			return nil, err
		}
		switch uneven := math.Abs(float64(len(a)-len(b))) / float64(len(word)); {
		case known: // the more even the parts, the less by chance
			options = append(options, option{1, []string{a, b}, costSplit + costMistake*uneven, 0})
		case len(a) >= minName && isSpelled(a) && strings.ContainsAny(b, "0123456789"):
			options = append(options, option{1, []string{a}, costSplit + float64(len(b))/float64(len(word)), 1})
		}
	}
	return options, nil
}

// hasTerm tells whether the index has a word, or one that begins so.
func (c *Catalog) hasTerm(ctx context.Context, word string, beginning bool) (bool, error) {
	end := word
	if beginning {
		end += "\U0010FFFF"
	}
	known, err := c.any(ctx, "SELECT 1 FROM busca_termo WHERE term >= ? AND term <= ? LIMIT 1", word, end)
	if err != nil {
		return false, fmt.Errorf("look up word: %w", err)
	}
	return known, nil
}
