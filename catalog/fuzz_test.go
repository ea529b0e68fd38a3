package catalog

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"selo/fault"
)

// TestMain keeps the property test short: each case builds four snapshots. An
// explicit -rapid.checks still counts.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", "20"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// Whatever is typed is words: the index never complains about syntax.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{"BRIN 108", `"`, `a" OR "b`, "NEAR(a b, 2)", "*", "a*", "-x", "marcas : x", "{a b}:c", "^a", "\x00", "é\u0301 ﷺ ½ ⅷ",
		"日本語 テスト", "a AND", "12.ABC.345/01DE-35", "7891234567895 x", "ＡＢ＝１", "\xff\xfe", "ǆ ﬁ ß İ"} {
		f.Add(s, s, s, s)
	}
	src := shop(f)
	c := openBuilt(f, src, src.publication(1, publishedAt), publishedAt)
	f.Fuzz(func(t *testing.T, text, number, brand, model string) {
		for _, ask := range []Search{{Text: text, Number: number, Brand: brand, Model: model}, {Text: text}, {Number: number}, {Brand: brand}, {Model: model},
			{Text: text, Situation: AnySituation}, {Body: brand, Class: model}} {
			if _, err := c.Search(t.Context(), ask); err != nil {
				t.Fatalf("%#v: %v", ask, err)
			}
		}
		if _, err := c.Spelling(t.Context(), Search{Text: text}); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if _, err := c.Verify(t.Context(), Query{Brand: brand, Model: model, Number: number}); err != nil && !fault.HasKey(err, "verification.incomplete") {
			t.Fatal(err)
		}
		if _, err := c.Certificate(t.Context(), "CCB", number); err != nil && !fault.HasKey(err, "certificate.not_found") {
			t.Fatal(err)
		}
		if _, err := c.Products(t.Context(), "CCB", "2534", ProductQuery{Text: text}); err != nil {
			t.Fatal(err)
		}
	})
}

// A cursor comes back as it went out, and nothing else comes in.
func FuzzCursor(f *testing.F) {
	f.Add("question", int64(7), "AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("", int64(0), "")
	f.Fuzz(func(t *testing.T, question string, place int64, foreign string) {
		if place >= 0 {
			if got, err := readCursor(question, makeCursor(question, place), -1); err != nil || got != place {
				t.Fatalf("%d came back as %d, %v", place, got, err)
			}
		}
		if got, err := readCursor(question, foreign, -1); err == nil && foreign != "" && makeCursor(question, got) != foreign {
			t.Fatalf("%q is taken for %d", foreign, got)
		}
	})
}

// FuzzReadDigests reads statements of digests as they come over a network:
// what is taken is sound, and says the same when it is written and read again.
func FuzzReadDigests(f *testing.F) {
	hash := strings.Repeat("ab", 32)
	f.Add([]byte(`{"publicacao":7,"arquivos":[{"nome":"selo-certificados-7.csv","formato":"csv","bytes":1,"sha256":"` + hash + `"}],"raiz":"` + hash +
		`","conteudo":"` + hash + `","programa":"1.2.3","assinatura":"a.b.c"}`))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ReadDigests(data)
		if err != nil {
			return
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		read, err := ReadDigests(again)
		if err != nil || !bytes.Equal(read.Text(), d.Text()) {
			t.Fatalf("%s comes back as %s, %v", data, again, err)
		}
		if lines := bytes.Count(d.Text(), []byte{'\n'}); lines != 5+len(d.Files) {
			t.Fatalf("%d lines are signed for %d files", lines, len(d.Files))
		}
	})
}
