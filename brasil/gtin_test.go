package brasil_test

import (
	"slices"
	"strings"
	"testing"

	"selo/brasil"
	"selo/fault"
)

func TestParseGTIN(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"96385074",       // GTIN-8
		"036000291452",   // GTIN-12, the usual UPC-A example
		"4006381333931",  // GTIN-13, the usual EAN-13 example
		"7891000315507",  // Brazilian prefix 789
		"10614141000415", // GTIN-14
	} {
		if got, err := brasil.ParseGTIN(" " + s + "\t"); err != nil || string(got) != s {
			t.Errorf("%q: got %q, %v", s, got, err)
		}
	}
	for input, key := range map[string]string{
		"":                "gtin.length",
		"9638507":         "gtin.length",
		"40063813339":     "gtin.length",
		"106141410004150": "gtin.length",
		"4006381333932":   "gtin.check_digit",
		"4006381333913":   "gtin.check_digit",
		"400638133393X":   "gtin.characters",
		"400638-1333931":  "gtin.characters",
		"00000000":        "gtin.zeros",
		"0000000000000":   "gtin.zeros",
	} {
		_, err := brasil.ParseGTIN(input)
		wantKey(t, input, err, key)
	}
}

func TestParseGTINList(t *testing.T) {
	t.Parallel()
	for input, want := range map[string][]brasil.GTIN{
		"":                              nil,
		" ; ,\n":                        nil,
		"4006381333931":                 {"4006381333931"},
		"4006381333931;96385074":        {"4006381333931", "96385074"},
		"96385074, 4006381333931;":      {"96385074", "4006381333931"},
		"96385074\r\n96385074 96385074": {"96385074"},
		"036000291452;0036000291452":    {"036000291452"}, // UPC-A and the same as EAN-13
	} {
		if got, err := brasil.ParseGTINList(input); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v, want %q", input, got, err, want)
		}
	}
	input := "4006381333931;123;4006381333932"
	list, err := brasil.ParseGTINList(input)
	wantKey(t, input, err, "gtin.list")
	problems := fault.Of(err).Problems
	if list != nil || len(problems) != 2 ||
		problems[0].Code != "gtin.length" || problems[0].Args["valor"] != "123" ||
		problems[1].Code != "gtin.check_digit" || problems[1].Args["valor"] != "4006381333932" {
		t.Errorf("got %q, %v", list, problems)
	}
}

func TestGTINPadded(t *testing.T) {
	t.Parallel()
	for g, want := range map[brasil.GTIN]brasil.GTIN{
		"96385074": "00000096385074", "10614141000415": "10614141000415", "": "",
	} {
		if got := g.Padded(); got != want {
			t.Errorf("%q: got %q, want %q", g, got, want)
		}
	}
}

func FuzzGTIN(f *testing.F) {
	for _, s := range []string{"4006381333931", "96385074;036000291452", "1;2,3 4\n5", "00000000", "\xff;", "\u200b96385074"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if g, err := brasil.ParseGTIN(s); err == nil {
			if back, err := brasil.ParseGTIN(string(g)); err != nil || back != g {
				t.Fatalf("%q: %q came back as %q, %v", s, g, back, err)
			}
			if _, err := brasil.ParseGTIN(string(g.Padded())); err != nil {
				t.Fatalf("%q: padded %q: %v", s, g.Padded(), err)
			}
		}
		list, err := brasil.ParseGTINList(s)
		if err != nil {
			if list != nil || len(fault.Of(err).Problems) == 0 {
				t.Fatalf("%q: %q with %v", s, list, err)
			}
			return
		}
		texts := make([]string, len(list))
		for i, g := range list {
			texts[i] = string(g)
		}
		back, err := brasil.ParseGTINList(strings.Join(texts, ";"))
		if err != nil || !slices.Equal(back, list) {
			t.Fatalf("%q: %q came back as %q, %v", s, list, back, err)
		}
	})
}
