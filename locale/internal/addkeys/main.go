// Command addkeys merges new messages into the three catalogs.
//
//	go run ./locale/internal/addkeys FILE.json...
//	go run ./locale/internal/addkeys -replace FILE.json...
//	go run ./locale/internal/addkeys -remove KEY...
//	go run ./locale/internal/addkeys -missing
//
// A file holds {"some.key": {"pt": {"texto": "…", "regra": "…", "acao": "…"},
// "en": {…}, "es": {…}}}. All files are checked before anything is written;
// texts already there change only with -replace. Several people may run it at
// the same time. A place may say how it reads, {limite:bytes}: see keys.Formats.
//
// With -missing it prints a skeleton of the keys that the sources use and no
// catalog has, ready to be filled in. Keys that the running program puts
// together are listed in keys/built.go. Run it at the root of the module.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"selo/locale/internal/keys"
)

func main() {
	dir := flag.String("dir", "locale/messages", "folder of the catalogs")
	replace := flag.Bool("replace", false, "let existing texts change")
	remove := flag.Bool("remove", false, "take the named keys out of the catalogs")
	missing := flag.Bool("missing", false, "print the keys that no catalog has")
	flag.Parse()
	var err error
	switch {
	case *missing:
		err = printMissing(*dir)
	case *remove:
		err = change(*dir, flag.Args(), removeKeys)
	default:
		err = change(*dir, flag.Args(), func(catalogs map[string]keys.Catalog, names []string) error {
			return addFiles(catalogs, names, *replace)
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "addkeys:", err)
		os.Exit(1)
	}
}

// change reads the catalogs, does something to them and writes them, while
// nobody else does.
func change(dir string, names []string, do func(map[string]keys.Catalog, []string) error) error {
	if len(names) == 0 {
		return errors.New("name at least one file of new messages, or one key with -remove")
	}
	unlock, err := lock(filepath.Join(dir, ".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	catalogs, err := read(dir)
	if err != nil {
		return err
	}
	if err := do(catalogs, names); err != nil {
		return err
	}
	return write(dir, catalogs)
}

func addFiles(catalogs map[string]keys.Catalog, names []string, replace bool) error {
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		add, err := keys.ParseAddition(data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if wrong := keys.Merge(catalogs, add, replace); len(wrong) > 0 {
			for _, w := range wrong {
				fmt.Fprintln(os.Stderr, w)
			}
			return fmt.Errorf("%s: %d mistakes, nothing written", name, len(wrong))
		}
		fmt.Printf("%s: %d keys\n", name, len(add))
	}
	return nil
}

func removeKeys(catalogs map[string]keys.Catalog, names []string) error {
	for _, key := range names {
		for l, c := range catalogs {
			if _, ok := c[key]; !ok {
				return fmt.Errorf("%s.json has no key %q, nothing written", l, key)
			}
			delete(c, key)
		}
	}
	return nil
}

var languages = []string{"pt", "en", "es"}

func read(dir string) (map[string]keys.Catalog, error) {
	catalogs := map[string]keys.Catalog{}
	for _, l := range languages {
		data, err := os.ReadFile(filepath.Join(dir, l+".json"))
		if err != nil {
			return nil, err
		}
		if catalogs[l], err = keys.ParseCatalog(data); err != nil {
			return nil, fmt.Errorf("%s.json: %w", l, err)
		}
	}
	return catalogs, nil
}

// write replaces each catalog by a whole new file, so that a reader never sees half of one.
func write(dir string, catalogs map[string]keys.Catalog) error {
	for l, c := range catalogs {
		data, err := c.Bytes()
		if err != nil {
			return err
		}
		final := filepath.Join(dir, l+".json")
		if err := os.WriteFile(final+".new", data, 0o644); err != nil { //nolint:gosec // source code, read by all
			return err
		}
		if err := os.Rename(final+".new", final); err != nil {
			return err
		}
	}
	return nil
}

// lock waits up to ten seconds for the file to be free and takes it.
func lock(name string) (unlock func(), err error) {
	for range 100 {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			return func() { _ = os.Remove(name) }, f.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		<-time.After(100 * time.Millisecond) // the file system tells nobody when a file goes
	}
	return nil, fmt.Errorf("%s is still there: remove it if nobody else is adding keys", name)
}

// skeleton gathers the keys that a catalog lacks: key → language → empty entry.
type skeleton struct {
	catalogs map[string]keys.Catalog
	absent   map[string]map[string]keys.Entry
}

func (s skeleton) note(key, at string, places []string) {
	text := ""
	for _, p := range places {
		text += "{" + p + "} "
	}
	for _, l := range languages {
		if _, ok := s.catalogs[l][key]; ok {
			continue
		}
		if s.absent[key] == nil {
			s.absent[key] = map[string]keys.Entry{}
		}
		s.absent[key][l] = keys.Entry{Text: text}
	}
	if s.absent[key] != nil {
		fmt.Fprintf(os.Stderr, "%s: %s\n", at, key)
	}
}

func printMissing(dir string) error {
	catalogs, err := read(dir)
	if err != nil {
		return err
	}
	usage, err := keys.Scan(".", "selo")
	if err != nil {
		return err
	}
	s := skeleton{catalogs, map[string]map[string]keys.Entry{}}
	for _, use := range usage.Uses {
		s.note(use.Key, use.At, use.Args)
	}
	for pattern, at := range usage.Patterns {
		built := keys.Built(pattern)
		if len(built) == 0 {
			fmt.Fprintf(os.Stderr, "%s: list what %q comes to in locale/internal/keys/built.go\n", at, pattern)
		}
		for _, key := range built {
			s.note(key, at, nil)
		}
	}
	e := json.NewEncoder(os.Stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(s.absent)
}
