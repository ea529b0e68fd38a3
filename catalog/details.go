package catalog

import (
	"strings"

	"selo/brasil"
)

// Limits of a certificate's column descricoes.
const (
	maxDetails = 256 // words of descriptions; no description is begun beyond
	maxLots    = 256 // words of lots, serial numbers, licences and countries
	maxUnit    = 3   // letters of a unit: 4 kg, 30 cm, 60 Hz
)

// homeCountry is where nearly every certificate has a company: its name would
// find everything.
const homeCountry = "BR"

// fillers are words that say nothing in a description. They are not kept of
// one, and a search does not insist on them.
var fillers = map[string]bool{"a": true, "as": true, "ao": true, "com": true, "da": true, "das": true, "de": true, "do": true, "dos": true, "e": true,
	"em": true, "na": true, "no": true, "o": true, "os": true, "ou": true, "para": true, "por": true, "um": true, "uma": true}

// isLongFiller tells whether a filler is no unit or letter of a model either.
func isLongFiller(word string) bool { return len(word) > 1 && fillers[word] }

// detailWords are the words a product's description is found by. A number and
// the unit behind it are one word, and the number stands alone only where it has
// one digit: "1,7 L, 220 V" is "1 7 7l 220v", in which "220" is a beginning.
// Single letters do not stand alone.
func detailWords(description string) string {
	if description == "" {
		return ""
	}
	var b strings.Builder
	number := "" // the word before, where it is a number that is not written yet
	for word := range strings.SplitSeq(brasil.Fold(description), " ") {
		if number != "" && len(word) <= maxUnit && isLetters(word) && (!fillers[word] || word == "a") { // ampere
			if len(number) == 1 {
				writeWord(&b, number)
			}
			writeWord(&b, number+word)
			number = ""
			continue
		}
		if number != "" {
			writeWord(&b, number)
			number = ""
		}
		switch {
		case isDigits(word):
			number = word
		case len(word) > 1 && !fillers[word]:
			writeWord(&b, word)
		}
	}
	if number != "" {
		writeWord(&b, number)
	}
	return b.String()
}

func writeWord(b *strings.Builder, word string) {
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(word)
}

// isLetters tells whether a folded word is of ASCII letters only.
func isLetters(word string) bool {
	for i := range len(word) {
		if word[i] < 'a' || word[i] > 'z' {
			return false
		}
	}
	return word != ""
}

// isDigits tells whether a word is of ASCII digits only.
func isDigits(word string) bool {
	for i := range len(word) {
		if !isDigit(word[i]) {
			return false
		}
	}
	return word != ""
}

// placeWords are the words of the country of a company abroad.
func placeWords(c *CompanyView) string {
	if c.Country.Code == "" || c.Country.Code == homeCountry {
		return ""
	}
	return brasil.Fold(c.Country.Name)
}

// link takes what a product's link to the certificate is found by: lot, serial
// number and import licence, each as one word.
func (t *indexText) link(identifiers ...string) {
	for _, identifier := range identifiers {
		if identifier == "" || len(t.lots.seen) >= maxLots {
			continue
		}
		if word := brasil.Compact(identifier); len(word) <= maxWordBytes {
			t.lots.add(word)
		}
	}
}

// newDetails is the column descricoes: the words of descriptions, lots and
// countries that no other column has. The index is asked for words in any
// column, so once is enough.
func (t *indexText) newDetails() string {
	var b strings.Builder
	for _, from := range []*words{&t.lots, &t.details} {
	next:
		for word := range strings.SplitSeq(string(from.text), " ") {
			if from == &t.details && t.lots.has(word) {
				continue
			}
			for _, w := range []*words{&t.models, &t.brands, &t.class, &t.companies, &t.documents, &t.body, &t.number} {
				if w.has(word) {
					continue next
				}
			}
			writeWord(&b, word)
		}
	}
	return b.String()
}

// has tells whether a word was added. The empty one always was.
func (w *words) has(word string) bool {
	_, ok := w.seen[word]
	return ok || word == ""
}
