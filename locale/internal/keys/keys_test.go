package keys

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestScanFindsKeysThroughHelpers(t *testing.T) {
	t.Parallel()
	u, err := Scan("testdata/mod", "mod")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]Use{}
	for _, use := range u.Uses {
		if len(use.Args) >= len(found[use.Key].Args) { // room.empty is given twice
			found[use.Key] = use
		}
	}
	want := map[string]string{ // key → places, "?" when they are not known
		"title.page":  "",
		"room.number": "?",
		"room.closed": "numero data",
		"room.loose":  "?",
		"room.frozen": "",
		"room.first":  "valor",
		"room.second": "valor",
		"room.noted":  "?",
		"room.listed": "valor",
		"room.empty":  "valor",
		"cnpj.length": "?",
		"room.one":    "",
		"room.two":    "",
		"room.added":  "celulas linha",
	}
	for key, args := range want {
		use, ok := found[key]
		if !ok {
			t.Errorf("%s not found", key)
			continue
		}
		got := strings.Join(use.Args, " ")
		if !use.Known {
			got = "?"
		}
		if got != args {
			t.Errorf("%s: places %q, want %q", key, got, args)
		}
	}
	for key := range found {
		if _, ok := want[key]; !ok {
			t.Errorf("%s found at %s, but it is not used as a key", key, found[key].At)
		}
	}
	if got := found["room.closed"].At; !strings.HasPrefix(got, "room/room.go:") {
		t.Errorf("position %q", got)
	}
	if got := slices.Sorted(maps.Keys(u.Patterns)); !slices.Equal(got, []string{"room.kind.*"}) {
		t.Errorf("patterns %q", got)
	}
	for key, want := range map[string]bool{
		"room.mentioned": true, "room.kind.lot": false, "room.only_in_test": false, "room.number": true,
	} {
		if u.Mentions(key) != want {
			t.Errorf("Mentions(%s) = %v", key, !want)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	three := func(text string) map[string]Entry {
		return map[string]Entry{"pt": {Text: text}, "en": {Text: text}, "es": {Text: text}}
	}
	tests := map[string]struct {
		add     Addition
		replace bool
		wrong   string // part of what must be reported
	}{
		"new key":            {add: Addition{"b.new": three("{n} itens")}},
		"same again":         {add: Addition{"a.old": three("antigo")}},
		"replace":            {add: Addition{"a.old": three("novo")}, replace: true},
		"change refused":     {add: Addition{"a.old": three("novo")}, wrong: "already has another text"},
		"shape":              {add: Addition{"Nope": three("x")}, wrong: "not a key"},
		"language missing":   {add: Addition{"a.b": {"pt": {Text: "x"}, "en": {Text: "x"}}}, wrong: "es is missing"},
		"language unknown":   {add: Addition{"a.b": {"fr": {Text: "x"}}}, wrong: `unknown language "fr"`},
		"empty":              {add: Addition{"a.b": three("")}, wrong: "has no text"},
		"places differ":      {add: Addition{"a.b": {"pt": {Text: "{a}"}, "en": {Text: "{a}"}, "es": {Text: "{b}"}}}, wrong: "places of the text differ"},
		"formats differ":     {add: Addition{"a.b": {"pt": {Text: "{n:number}"}, "en": {Text: "{n}"}, "es": {Text: "{n:number}"}}}, wrong: "do not read the same way"},
		"unknown format":     {add: Addition{"a.b": three("{n:roman}")}, wrong: "unknown format: {n:roman}"},
		"action in one only": {add: Addition{"a.b": {"pt": {Text: "x", Action: "y"}, "en": {Text: "x"}, "es": {Text: "x"}}}, wrong: "only"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old := Entry{Text: "antigo"}
			catalogs := map[string]Catalog{"pt": {"a.old": old}, "en": {"a.old": old}, "es": {"a.old": old}}
			wrong := strings.Join(Merge(catalogs, tt.add, tt.replace), "\n")
			if tt.wrong == "" && wrong != "" || !strings.Contains(wrong, tt.wrong) {
				t.Fatalf("reported %q, want %q", wrong, tt.wrong)
			}
			for key, entries := range tt.add {
				for l, e := range entries {
					if changed := catalogs[l][key] == e && e != (Entry{}); changed != (tt.wrong == "") {
						t.Errorf("%s %s is %+v", key, l, catalogs[l][key])
					}
				}
			}
		})
	}
}

func TestParseCatalogRefusesUnknownMembers(t *testing.T) {
	t.Parallel()
	if _, err := ParseCatalog([]byte(`{"a.b":{"text":"x"}}`)); err == nil {
		t.Fatal("a misspelt member was read")
	}
	if _, err := ParseAddition([]byte(`{"a.b":{"pt":{"text":"x"}}}`)); err == nil {
		t.Fatal("a misspelt member was read")
	}
}

func TestBuilt(t *testing.T) {
	t.Parallel()
	if got := Built("mail.*.text"); !slices.Equal(got, []string{"mail.confirmada.text", "mail.invalidada.text"}) {
		t.Errorf("built %q", got)
	}
	if got := Built("nobody.*"); got != nil {
		t.Errorf("built %q of nothing", got)
	}
	for _, pattern := range BuiltPatterns() {
		for _, key := range Built(pattern) {
			if !Valid(key) {
				t.Errorf("%s gives %q, which is no key", pattern, key)
			}
		}
	}
}
