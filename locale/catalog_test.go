package locale

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"selo/locale/internal/keys"
)

// TestCatalogsAgree checks the three files against each other: the same keys,
// no empty text, the same places, the same rules and actions present.
func TestCatalogsAgree(t *testing.T) {
	t.Parallel()
	all := map[string]bool{}
	for _, l := range Langs() {
		for key := range catalog(l) {
			all[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !keys.Valid(key) {
			t.Errorf("%s: not a key: lower-case words parted by dots", key)
		}
		entries := map[string]keys.Entry{}
		for _, l := range Langs() {
			e, ok := catalog(l)[key]
			if !ok {
				t.Errorf("%s: not in %s.json", key, l)
				continue
			}
			entries[string(l)] = e
			for _, text := range []string{e.Text, e.Action, e.Rule} {
				if text != strings.TrimSpace(text) {
					t.Errorf("%s: %s has space at an end: %q", key, l, text)
				}
			}
			whole := regexp.MustCompile(`^\{[a-z]+\}$`) // an action that came from elsewhere
			if e.Action != "" && !strings.HasSuffix(e.Action, ".") && !whole.MatchString(e.Action) {
				t.Errorf("%s: %s: the action is not a sentence: %q", key, l, e.Action)
			}
		}
		for _, wrong := range keys.Differences(key, entries) {
			t.Error(wrong)
		}
	}
}

// TestCatalogsAreCanonical checks that the files are sorted, without repeated
// keys, and written as addkeys writes them.
func TestCatalogsAreCanonical(t *testing.T) {
	t.Parallel()
	for _, l := range Langs() {
		name := "messages/" + string(l) + ".json"
		data, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := catalog(l).Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if string(data) != string(want) {
			t.Errorf("%s is not in canonical form: use go run ./locale/internal/addkeys", name)
		}
	}
}

// TestSourcesAndCatalogsAgree checks that every key the sources use has a
// text, that every {place} of a text is given, and that no text is unused.
func TestSourcesAndCatalogsAgree(t *testing.T) {
	t.Parallel()
	usage, err := keys.Scan("..", "selo")
	if err != nil {
		t.Fatal(err)
	}
	if len(usage.Uses) < 5 {
		t.Fatalf("only %d uses of keys were found: the scan is broken", len(usage.Uses))
	}
	absent := map[string]bool{}
	for _, use := range usage.Uses {
		e, ok := catalog(PT)[use.Key]
		if !ok {
			if !absent[use.Key] {
				t.Errorf("%s: %q has no text (see go run ./locale/internal/addkeys -missing)", use.At, use.Key)
			}
			absent[use.Key] = true
			continue
		}
		if !use.Known {
			continue
		}
		for _, place := range keys.Places(e.Text + e.Action) {
			if !slices.Contains(use.Args, place) {
				t.Errorf("%s: %q does not get {%s}", use.At, use.Key, place)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(catalog(PT))) {
		family, _, _ := strings.Cut(key, ".")
		if family != "field" && family != "word" && !usage.Mentions(key) { // those have tests of their own
			t.Errorf("%s: no source uses this text", key)
		}
	}
}

// TestBuiltKeys holds the keys that the running program puts together against
// the list of what they come to, both ways, and against the catalog.
func TestBuiltKeys(t *testing.T) {
	t.Parallel()
	usage, err := keys.Scan("..", "selo")
	if err != nil {
		t.Fatal(err)
	}
	for pattern, at := range usage.Patterns {
		if len(keys.Built(pattern)) == 0 {
			t.Errorf("%s: list what %q comes to in locale/internal/keys/built.go", at, pattern)
		}
	}
	for _, pattern := range keys.BuiltPatterns() {
		if _, ok := usage.Patterns[pattern]; !ok {
			t.Errorf("no source puts %q together", pattern)
		}
		for _, key := range keys.Built(pattern) {
			if !Known(key) {
				t.Errorf("%s has no text (pattern %s)", key, pattern)
			}
		}
	}
}
