package brasil_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"selo/brasil"
	"selo/fault"
)

// wantKey fails unless err is an Invalid fault with that key that repeats the input.
func wantKey(t *testing.T, input string, err error, key string) {
	t.Helper()
	f := fault.Of(err)
	if f == nil || f.Kind != fault.Invalid || f.Key != key {
		t.Fatalf("%q: got %v, want invalid %s", input, err, key)
	}
	if valor, ok := f.Args["valor"]; !ok || len(input) < 40 && valor != input {
		t.Errorf("%q: argument valor is %q", input, valor)
	}
}

func TestParseCNPJ(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]brasil.CNPJ{
		"12.ABC.345/01DE-35":                 "12ABC34501DE35", // example of Nota Técnica 49/2024
		"12abc34501de35":                     "12ABC34501DE35",
		"12ABC345000188":                     "12ABC345000188",
		"11.222.333/0001-81":                 "11222333000181",
		"11222333000262":                     "11222333000262",
		" 00.489.828/0074-00\n":              "00489828007400",
		"00000000000191":                     "00000000000191", // Banco do Brasil
		"11\u00a0222\u00a0333/0001–81\u200b": "11222333000181", // pasted from a page
	} {
		got, err := brasil.ParseCNPJ(input)
		if err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", input, got, err, want)
		}
	}
	for input, key := range map[string]string{
		"":                       "cnpj.length",
		"1122233300018":          "cnpj.length",
		"112223330001811":        "cnpj.length",
		strings.Repeat("1", 999): "cnpj.length",
		"11222333000182":         "cnpj.check_digits",
		"11222333000191":         "cnpj.check_digits",
		"21222333000181":         "cnpj.check_digits",
		"12ABC34501DE3A":         "cnpj.characters",
		"11222333O00181x":        "cnpj.length",
		"11.222.333/0001_81":     "cnpj.characters",
		"１１222333000181":         "cnpj.characters",
		"11222333000é81":         "cnpj.characters",
		"00000000000000":         "cnpj.repeated",
		"99.999.999/9999-99":     "cnpj.repeated",
	} {
		_, err := brasil.ParseCNPJ(input)
		wantKey(t, input, err, key)
	}
}

func TestMakeCNPJ(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]brasil.CNPJ{
		"12ABC34501DE":    "12ABC34501DE35",
		"12.abc.345/01de": "12ABC34501DE35",
		"112223330001":    "11222333000181",
	} {
		if got, err := brasil.MakeCNPJ(base); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", base, got, err, want)
		}
	}
	for base, key := range map[string]string{
		"1122233300018": "cnpj.base_length",
		"":              "cnpj.base_length",
		"11222333000_":  "cnpj.characters",
		"000000000000":  "cnpj.repeated",
	} {
		_, err := brasil.MakeCNPJ(base)
		wantKey(t, base, err, key)
	}
}

func TestCNPJMasked(t *testing.T) {
	t.Parallel()
	for c, want := range map[brasil.CNPJ]string{
		"12ABC34501DE35": "12.ABC.345/01DE-35", "": "", "123": "123",
	} {
		if got := c.Masked(); got != want {
			t.Errorf("%q: got %q, want %q", c, got, want)
		}
	}
}

// plainCheck computes check digits from written-out weights, apart from the code under test.
func plainCheck(base string, weights1, weights2 []int) string {
	digit := func(s string, weights []int) string {
		sum := 0
		for i := range s {
			sum += int(s[i]-48) * weights[i]
		}
		if sum%11 < 2 {
			return "0"
		}
		return string(rune('0' + 11 - sum%11))
	}
	d1 := digit(base, weights1)
	return d1 + digit(base+d1, weights2)
}

var (
	cnpjWeights1 = []int{5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2}
	cnpjWeights2 = []int{6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2}
	cpfWeights1  = []int{10, 9, 8, 7, 6, 5, 4, 3, 2}
	cpfWeights2  = []int{11, 10, 9, 8, 7, 6, 5, 4, 3, 2}
)

func TestCNPJProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.StringMatching(`[0-9]{12}|[0-9A-Z]{12}`).Draw(t, "base")
		c, err := brasil.MakeCNPJ(base)
		if fault.HasKey(err, "cnpj.repeated") {
			return
		}
		if err != nil || string(c) != base+plainCheck(base, cnpjWeights1, cnpjWeights2) {
			t.Fatalf("make %q: %q, %v", base, c, err)
		}
		for _, form := range []string{string(c), c.Masked(), strings.ToLower(c.Masked())} {
			if back, err := brasil.ParseCNPJ(form); err != nil || back != c {
				t.Fatalf("parse %q: %q, %v", form, back, err)
			}
		}

		wrong := []byte(c)
		i := rapid.IntRange(0, len(wrong)-1).Draw(t, "place")
		wrong[i] = rapid.SampledFrom([]byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")).Draw(t, "character")
		s := string(wrong)
		_, err = brasil.ParseCNPJ(s)
		right := plainCheck(s[:12], cnpjWeights1, cnpjWeights2) == s[12:]
		if (err == nil) != (right && strings.Trim(s, s[:1]) != "") {
			t.Fatalf("%q: check digits right: %v, parsed: %v", s, right, err)
		}
	})
}

func FuzzCNPJ(f *testing.F) {
	for _, s := range []string{"12.ABC.345/01DE-35", "11222333000181", "00000000000000", "", "1-2/3. 4", "\xff", "ａ1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := brasil.ParseCNPJ(s)
		if err != nil {
			if c != "" || !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %q with %v", s, c, err)
			}
			return
		}
		if back, err := brasil.ParseCNPJ(c.Masked()); err != nil || back != c {
			t.Fatalf("%q: %q came back as %q, %v", s, c, back, err)
		}
		if made, err := brasil.MakeCNPJ(string(c[:12])); err != nil || made != c {
			t.Fatalf("%q: made %q, %v", s, made, err)
		}
	})
}

func TestParseCNPJDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { _, _ = brasil.ParseCNPJ("12ABC34501DE35") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParseCNPJ(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := brasil.ParseCNPJ("12ABC34501DE35"); err != nil {
			b.Fatal(err)
		}
	}
}
