// Package keys reads and writes message catalogs and finds the message keys
// that Go sources use.
//
// It serves package locale at run time (reading) and its tests and the
// addkeys command at development time (finding, merging, writing).
package keys

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Entry is one message in one language.
type Entry struct {
	Text   string `json:"texto"`           // what happened, with {places}
	Rule   string `json:"regra,omitempty"` // where the rule is written: "manual 3.13"
	Action string `json:"acao,omitempty"`  // what to do next, with {places}
}

// Catalog holds the messages of one language by key.
type Catalog map[string]Entry

// pattern is the shape of a key: lower-case words parted by dots, two at least.
var pattern = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$`)

// Valid tells whether s has the shape of a message key.
func Valid(s string) bool { return pattern.MatchString(s) }

var place = regexp.MustCompile(`\{[^}]*\}`)

// Places returns the sorted names of the {places} in text, each once, without
// the way in which they read ("{limite:bytes}" is limite).
func Places(text string) []string {
	set := map[string]bool{}
	for _, p := range place.FindAllString(text, -1) {
		name, _, _ := strings.Cut(p[1:len(p)-1], ":")
		set[name] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// Formats are the ways in which a place may read: "{limite:bytes}". Package
// locale says what they do.
var Formats = []string{"number", "bytes", "word", "field", "record"}

// formats returns the sorted places of text with their formats.
func formats(text string) []string {
	found := place.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// ParseCatalog reads a catalog file. Unknown members are errors.
func ParseCatalog(data []byte) (Catalog, error) {
	var c Catalog
	if err := decode(data, &c); err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	return c, nil
}

// Bytes writes the catalog in its one canonical form: keys sorted, two spaces
// of indent, a line end at the close.
func (c Catalog) Bytes() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(c); err != nil { // encoding/json sorts map keys
		return nil, fmt.Errorf("write catalog: %w", err)
	}
	return b.Bytes(), nil
}

// Addition is a file of new messages: key → language → entry.
type Addition map[string]map[string]Entry

// ParseAddition reads a file of new messages.
func ParseAddition(data []byte) (Addition, error) {
	var a Addition
	if err := decode(data, &a); err != nil {
		return nil, fmt.Errorf("read new messages: %w", err)
	}
	return a, nil
}

func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// Merge puts the additions into the catalogs (language → catalog) and returns
// everything that is wrong with them; when it returns anything, it has changed
// nothing. An existing key may change only when replace is set.
func Merge(catalogs map[string]Catalog, add Addition, replace bool) (wrong []string) {
	languages := slices.Sorted(maps.Keys(catalogs))
	for _, key := range slices.Sorted(maps.Keys(add)) {
		wrong = append(wrong, checkAddition(key, add[key], languages)...)
		for _, l := range languages {
			old, exists := catalogs[l][key]
			if exists && old != add[key][l] && !replace {
				wrong = append(wrong, fmt.Sprintf("%s: %s already has another text (use -replace): %q", key, l, old.Text))
			}
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	for key, entries := range add {
		for _, l := range languages {
			catalogs[l][key] = entries[l]
		}
	}
	return nil
}

func checkAddition(key string, entries map[string]Entry, languages []string) (wrong []string) {
	if !Valid(key) {
		wrong = append(wrong, fmt.Sprintf("%s: not a key: lower-case words parted by dots", key))
	}
	for l := range entries {
		if !slices.Contains(languages, l) {
			wrong = append(wrong, fmt.Sprintf("%s: unknown language %q", key, l))
		}
	}
	for _, l := range languages {
		if _, ok := entries[l]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s: %s is missing", key, l))
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return Differences(key, entries)
}

// Differences returns what is empty, or not the same in all languages of one
// message: texts, places and their formats, and whether there is a rule and an
// action.
func Differences(key string, entries map[string]Entry) (wrong []string) {
	languages := slices.Sorted(maps.Keys(entries))
	if len(languages) == 0 {
		return nil
	}
	first := entries[languages[0]]
	for _, l := range languages {
		e := entries[l]
		if e.Text == "" {
			wrong = append(wrong, fmt.Sprintf("%s: %s has no text", key, l))
		}
		if !slices.Equal(Places(e.Text), Places(first.Text)) {
			wrong = append(wrong, fmt.Sprintf("%s: places of the text differ: %s %v, %s %v",
				key, languages[0], Places(first.Text), l, Places(e.Text)))
		}
		if !slices.Equal(Places(e.Action), Places(first.Action)) {
			wrong = append(wrong, fmt.Sprintf("%s: places of the action differ: %s %v, %s %v",
				key, languages[0], Places(first.Action), l, Places(e.Action)))
		}
		if !slices.Equal(formats(e.Text+e.Action), formats(first.Text+first.Action)) {
			wrong = append(wrong, fmt.Sprintf("%s: places do not read the same way in %s and %s", key, languages[0], l))
		}
		for _, p := range formats(e.Text + e.Action) {
			if _, format, given := strings.Cut(strings.Trim(p, "{}"), ":"); given && !slices.Contains(Formats, format) {
				wrong = append(wrong, fmt.Sprintf("%s: %s has a place with an unknown format: %s", key, l, p))
			}
		}
		if (e.Rule == "") != (first.Rule == "") || (e.Action == "") != (first.Action == "") {
			wrong = append(wrong, fmt.Sprintf("%s: rule or action given in %s or %s only", key, languages[0], l))
		}
	}
	return wrong
}
