package brasil_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"selo/brasil"
)

func TestFoldAndCompact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, fold, compact string }{
		{"", "", ""},
		{" -./ ", "", ""},
		{"pneu aro 15", "pneu aro 15", "pneuaro15"},
		{"Pneu  Aro 15 ", "pneu aro 15", "pneuaro15"},
		{"FB-BRIN-108/17.001", "fb brin 108 17 001", "fbbrin10817001"},
		{"AÇÃO", "acao", "acao"},
		{"AC\u0327A\u0303O", "acao", "acao"}, // the same, decomposed
		{"Nº 12 – Ação", "no 12 acao", "no12acao"},
		{"TÜV 19.0456 X", "tuv 19 0456 x", "tuv190456x"},
		{"Caixa d’água", "caixa d agua", "caixadagua"},
		{"Marca™ e Outra®", "marca e outra", "marcaeoutra"},
		{"2,5 mm²", "2 5 mm2", "25mm2"},
		{"Ørsted Straße Łódź", "orsted strasse lodz", "orstedstrasselodz"},
		{"in\u00advers\u200bor", "inversor", "inversor"}, // soft hyphen, zero-width space
		{"a\u00a0b", "a b", "ab"},
		{"ＡＢＣ１２", "abc12", "abc12"},
		{"上海 电机", "上海 电机", "上海电机"},
		{"½ ŉa Ŀ ´ a´b", "1 2 ʼna l a b", "12ʼnalab"},
		{"x\xffy", "x y", "xy"},
		{"a\x00b", "a b", "ab"},
		{strings.Repeat("É ", 100) + "É", strings.Repeat("e ", 100) + "e", strings.Repeat("e", 101)},
	} {
		if got := brasil.Fold(c.in); got != c.fold {
			t.Errorf("fold %q: got %q, want %q", c.in, got, c.fold)
		}
		if got := brasil.Compact(c.in); got != c.compact {
			t.Errorf("compact %q: got %q, want %q", c.in, got, c.compact)
		}
	}
}

// TestFoldTableAgreesWithNFKD folds every rune alone, and beside one outside
// the table that makes the whole text go through NFKD: the answer is the same.
func TestFoldTableAgreesWithNFKD(t *testing.T) {
	t.Parallel()
	for r := rune(1); r <= 0x2030; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		alone := brasil.Fold("x" + string(r) + "y")
		beside := brasil.Fold("x" + string(r) + "y 上")
		if alone+" 上" != beside {
			t.Errorf("%U: alone %q, beside %q", r, alone, beside)
		}
	}
}

func TestSqueeze(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                       "",
		"Aço inox":               "Aço inox",
		"  Ac\u0327o \t\n inox ": "Aço inox",
		"ABC  def":               "ABC def",
		" x":                     "x",
		"x ":                     "x",
		"a\u00a0\u3000b":         "a b",
		"Modelo-X/1.5":           "Modelo-X/1.5",
	} {
		if got := brasil.Squeeze(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Nº 12 – AÇÃO", "a  b", "Ŀ ŉ İ ẞ ™ ½", "ΟΔΟΣ", "한국", "\xff", "\u0345", "x\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := brasil.Fold(s)
		if again := brasil.Fold(folded); again != folded {
			t.Fatalf("%q folds to %q and then to %q", s, folded, again)
		}
		if strings.HasPrefix(folded, " ") || strings.HasSuffix(folded, " ") || strings.Contains(folded, "  ") {
			t.Fatalf("%q folds to %q", s, folded)
		}
		if got := brasil.Compact(s); got != strings.ReplaceAll(folded, " ", "") {
			t.Fatalf("%q: compact %q, folded %q", s, got, folded)
		}
		if got := brasil.Fold(brasil.Squeeze(s)); got != folded {
			t.Fatalf("%q: squeezed and folded %q, folded %q", s, got, folded)
		}
		squeezed := brasil.Squeeze(s)
		if again := brasil.Squeeze(squeezed); again != squeezed || strings.TrimFunc(squeezed, unicode.IsSpace) != squeezed {
			t.Fatalf("%q: squeezed %q, again %q", s, squeezed, again)
		}
	})
}

func BenchmarkFold(b *testing.B) {
	for name, s := range map[string]string{
		"folded": "pneu radial aro 15",
		"ascii":  "Pneu Radial, Aro 15",
		"accent": "Aço inoxidável – Nº 15",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = brasil.Fold(s)
			}
		})
	}
}
