package brasil

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold returns s as search and keys see it: lower case, without accents
// (NFKD), every run of other characters than letters and digits one space,
// none at the ends. "Nº 12 – AÇÃO" becomes "no 12 acao". Folding twice
// changes nothing.
//
// The signs ™ and ℠ count as punctuation like ®, or "Marca™" would be another
// brand than "Marca"; invisible formatting characters vanish; letters that
// NFKD leaves alone are spelled out ("Ø" is "o", "ß" is "ss").
func Fold(s string) string { return fold(s, true) }

// Compact returns Fold(s) without its spaces: "FB-BRIN-108/17.001" becomes
// "fbbrin10817001".
func Compact(s string) string { return fold(s, false) }

// Squeeze returns s as it is kept: NFC, no white space at the ends, every run
// of white space inside one space. Case and punctuation stay.
func Squeeze(s string) string {
	if isSqueezed(s) {
		return s
	}
	return strings.Join(strings.Fields(norm.NFC.String(s)), " ")
}

// What [foldRune] answers for a rune that becomes no letter or digit.
const (
	gap       rune = 0  // punctuation, white space, symbols
	vanish    rune = -1 // leaves no trace: an accent, an invisible character
	decompose rune = -2 // NFKD makes several characters of it
)

// latin holds what each rune of the blocks from ASCII to Latin Extended-A
// becomes, accents included, so that most text needs no NFKD.
var latin = func() (table [0x180]rune) {
	for r := range rune(len(table)) {
		table[r] = vanish
		for _, part := range norm.NFKD.String(string(r)) {
			switch folded := foldDecomposed(part); {
			case folded == vanish:
			case table[r] == vanish:
				table[r] = folded
			default:
				table[r] = decompose
			}
		}
	}
	return table
}()

// spelled holds the letters whose marks Unicode does not decompose.
var spelled = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d",
	'ł': "l", 'ħ': "h", 'ŧ': "t", 'þ': "th", 'ı': "i", 'ς': "σ",
}

func fold(s string, spaces bool) string {
	if isFolded(s, spaces) {
		return s
	}
	if needsNFKD(s) {
		s = norm.NFKD.String(strings.Map(signToGap, s))
	}
	var stack [96]byte
	out, pending := stack[:0], false
	for _, r := range s {
		r = foldRune(r)
		switch r {
		case vanish:
			continue
		case gap:
			pending = spaces && len(out) > 0
			continue
		}
		if pending {
			out, pending = append(out, ' '), false
		}
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
		} else if letters, ok := spelled[r]; ok {
			out = append(out, letters...)
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return string(out)
}

// foldRune returns the lower case of a letter or digit without its accent,
// vanish, or gap. Outside the table it wants the rune decomposed.
func foldRune(r rune) rune {
	if int(r) < len(latin) {
		return latin[r]
	}
	return foldDecomposed(r)
}

// foldDecomposed is foldRune for what NFKD leaves.
func foldDecomposed(r rune) rune {
	switch {
	case unicode.In(r, unicode.M, unicode.Cf):
		return vanish
	case !unicode.In(r, unicode.L, unicode.N):
		return gap
	}
	return unicode.ToLower(r)
}

// needsNFKD tells whether s holds anything but runes of the table latin that
// stay one, and the dashes and quotation marks of U+2010 to U+201F, gaps all.
func needsNFKD(s string) bool {
	for _, r := range s {
		switch {
		case int(r) < len(latin) && latin[r] != decompose:
		case '\u2010' <= r && r <= '\u201F':
		default:
			return true
		}
	}
	return false
}

// signToGap keeps ™ and ℠ from decomposing into letters.
func signToGap(r rune) rune {
	if r == '™' || r == '℠' {
		return ' '
	}
	return r
}

// isFolded tells whether s is ASCII and folding would not change it.
func isFolded(s string, spaces bool) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case !spaces || !isInnerSpace(s, i):
			return false
		}
	}
	return true
}

// isSqueezed tells whether s is printable ASCII that squeezing would not change.
func isSqueezed(s string) bool {
	for i := range len(s) {
		ok := s[i] > ' ' && s[i] < utf8.RuneSelf || isInnerSpace(s, i)
		if !ok {
			return false
		}
	}
	return true
}

// isInnerSpace tells whether s[i] is a single space between other characters.
func isInnerSpace(s string, i int) bool {
	return s[i] == ' ' && i > 0 && i < len(s)-1 && s[i-1] != ' '
}
