package catalog

import (
	"slices"
	"strings"
	"testing"

	"selo/brasil"

	"pgregory.net/rapid"
)

func TestReadings(t *testing.T) {
	t.Parallel()
	src := detailed(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	for typed, want := range map[string]string{
		"solar edge chaleira":   "solaredge chaleira",
		"chaleira iq 7 plus 72": "chaleira iq7plus72",
		"boneca iq":             "boneca",
		"mentirexam2p":          "mentirex am2p",
		"mentirexzz9":           "mentirex", // nobody has the model
		"mentirexzzz":           "",         // no model
		"EXT-00017/2023":        "ext 17 2023",
		"boneca de oano":        "boneca de pano",
		"xaleira":               "chaleira",
		"boneca mentirex 2019":  "boneca mentirex",
		"boneca solaredge":      "boneca", // of two certificates
		"SZ-2504-B boneca":      "sz2504b boneca",
		"aaaa bbbb cccc pano":   "", // what is left says too little
	} {
		got, err := c.Spelling(t.Context(), Search{Text: typed})
		if err != nil {
			t.Fatal(err)
		}
		if first := strings.Join(got[:min(len(got), 1)], ""); first != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

// What is proposed finds something, and only where the text typed does not.
func TestProposalsFindSomething(t *testing.T) {
	t.Parallel()
	src := detailed(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	known := []string{"solaredge", "solar", "edge", "mentirex", "am2p", "chaleira", "boneca", "de", "pano", "30", "cm", "0017", "ext", "china", "zzz", "x", "7600", "calada"}
	rapid.Check(t, func(rt *rapid.T) {
		list := rapid.SliceOfN(rapid.SampledFrom(known), 1, 6).Draw(rt, "words")
		typed := strings.Join(list, rapid.SampledFrom([]string{" ", "", "-"}).Draw(rt, "between"))
		ask := Search{Text: typed, Situation: AnySituation}
		got, err := c.Spelling(t.Context(), ask)
		if err != nil {
			rt.Fatal(err)
		}
		if len(numbers(t, c, ask)) > 0 && len(got) > 0 {
			rt.Fatalf("%q finds something, and %q is proposed", typed, got)
		}
		for _, text := range got {
			if len(numbers(t, c, Search{Text: text, Situation: AnySituation})) == 0 {
				rt.Fatalf("%q: %q finds nothing", typed, text)
			}
			if slices.Contains(strings.Split(text, " "), "") || brasil.Fold(text) != text {
				rt.Fatalf("%q: %q is not made of words", typed, text)
			}
		}
	})
}

func TestSound(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"chaleira", "xaleira"}, {"capacete", "kapasete"}, {"quilo", "kilo"}, {"phillips", "filips"}, {"cesta", "sesta"}, {"horizonte", "orisonte"}} {
		if a, b := sound(pair[0]), sound(pair[1]); a != b {
			t.Errorf("%q sounds %q, %q %q", pair[0], a, pair[1], b)
		}
	}
	if sound("madeira") == sound("chaleira") {
		t.Error("madeira sounds like chaleira")
	}
}
