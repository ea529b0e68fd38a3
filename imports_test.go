// Package selo_test holds the rules of the house that no compiler knows: which
// room may import which, who may read the clock, and that the list of rooms in
// docs/architecture.md is complete. It reads sources only, so it sees files of
// every platform and build tag.
package selo_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "selo"

// maxLines is the longest a file written by hand may be.
const maxLines = 500

// layer says where a room stands: imports go to the same or a lower layer only.
type layer int

const (
	words  layer = iota // small shared words: standard library only
	facts               // facts of Brazil
	domain              // what the product is about
	ground              // what the domain stands on outside itself: SQL, remote services, data
	faces               // what people and programs see
	start               // commands: know every room
)

// layers holds every top-level room there is or will be; a new one must be placed here.
var layers = map[string]layer{
	"fault": words, "clock": words, "audit": words,
	"brasil": facts,

	"certificate": domain, "remessa": domain, "certifier": domain, "registry": domain,
	"catalog": domain, "ledger": domain, "job": domain, "notify": domain, "locale": domain,
	"document": domain, "process": domain, "service": domain, "account": domain,

	"refusal": ground, "store": ground, "courier": ground, "throttle": ground, "replica": ground, "client": domain, "govbr": ground, "icpbrasil": ground,
	"verify": ground, "demo": ground, "load": ground, "cycletest": start,

	"web": faces, "api": faces,
	"cmd": start,
}

// outside are the imports that no domain room may have: a prefix, and why.
var outside = map[string]string{
	"database/sql":                "storage is declared by the room and implemented by store",
	"modernc.org/sqlite":          "storage is declared by the room and implemented by store",
	"github.com/jackc/pgx":        "storage is declared by the room and implemented by store",
	"net/http":                    "requests come in through web and api and go out through courier",
	module + "/store":             "storage is declared by the room and implemented by store",
	module + "/web":               "imports point down",
	module + "/api":               "imports point down",
	"github.com/wneessen/go-mail": "only notify sends mail",
}

// exceptions are the imports of outside that a room may have, with the reason.
var exceptions = map[[2]string]string{
	{"catalog", "database/sql"}:               "a snapshot is a SQLite file that the catalog writes and reads itself",
	{"catalog", "modernc.org/sqlite"}:         "a snapshot is a SQLite file that the catalog writes and reads itself",
	{"notify", "github.com/wneessen/go-mail"}: "it is the room that sends mail",
}

// strangers are rooms of one layer that must not know each other.
var strangers = map[string][]string{
	"certificate": {"certifier", "registry", "catalog", "remessa"},
	"process":     {"service", "certificate", "certifier", "registry", "catalog", "remessa", "account"},
}

// badNames say nothing about what is inside.
var badNames = []string{"util", "utils", "common", "models", "types", "helpers", "pkg", "misc", "shared"}

// source is one parsed Go file.
type source struct {
	path    string // with slashes, from the module's root
	dir     string
	test    bool
	made    bool // generated
	content []byte
	file    *ast.File
	set     *token.FileSet
}

// room is the first part of the file's folder.
func (s source) room() string {
	room, _, _ := strings.Cut(s.dir, "/")
	return room
}

// imports returns the import paths with their positions.
func (s source) imports() map[string]token.Position {
	found := map[string]token.Position{}
	for _, spec := range s.file.Imports {
		if name, err := strconv.Unquote(spec.Path.Value); err == nil {
			found[name] = s.set.Position(spec.Pos())
		}
	}
	return found
}

// sources parses every Go file of the module, the tests among them.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(name)
		if entry.IsDir() {
			return skipped(slashed)
		}
		if path.Ext(slashed) != ".go" {
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, slashed, content, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{
			path: slashed, dir: path.Dir(slashed), test: strings.HasSuffix(slashed, "_test.go"),
			made: ast.IsGenerated(file), content: content, file: file, set: set,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 2 {
		t.Fatalf("only %d Go files found: the test does not run in the module's root", len(all))
	}
	return all
}

// skipped leaves out folders that hold no source of ours, as the go command does.
func skipped(dir string) error {
	name := path.Base(dir)
	hidden := dir != "." && (name[0] == '.' || name[0] == '_')
	if hidden || name == "testdata" || name == "node_modules" || slices.Contains([]string{"bin", "data", "tmp"}, dir) {
		return filepath.SkipDir
	}
	return nil
}

// within tells whether an import path is prefix or lies below it.
func within(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// inModule returns the room that an import path names, or "".
func inModule(name string) string {
	rest, ok := strings.CutPrefix(name, module+"/")
	if !ok {
		return ""
	}
	room, _, _ := strings.Cut(rest, "/")
	return room
}

func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.dir == "." {
			continue
		}
		own, known := layers[s.room()]
		if !known {
			t.Errorf("%s: room %s has no layer: add it to layers", s.path, s.room())
			continue
		}
		for name, at := range s.imports() {
			room := inModule(name)
			if room == "" || room == s.room() {
				continue
			}
			if room == "cmd" {
				t.Errorf("%s imports %s: nobody imports a command", at, name)
			}
			if s.test {
				continue // a test may stand a room on the real store
			}
			if layers[room] > own {
				t.Errorf("%s: %s imports %s, which is above it", at, s.room(), name)
			}
			if slices.Contains(strangers[s.room()], room) {
				t.Errorf("%s: %s does not know %s", at, s.room(), room)
			}
		}
	}
}

func TestDomainKnowsNoOutside(t *testing.T) {
	t.Parallel()
	used := map[[2]string]bool{}
	for _, s := range sources(t) {
		if s.dir == "." || s.test || layers[s.room()] > domain {
			continue
		}
		for name, at := range s.imports() {
			for prefix, why := range outside {
				if !within(name, prefix) {
					continue
				}
				key := [2]string{s.room(), prefix}
				if exceptions[key] == "" {
					t.Errorf("%s: %s imports %s: %s", at, s.room(), name, why)
				}
				used[key] = true
			}
		}
	}
	for key, why := range exceptions {
		if _, err := os.Stat(key[0]); err == nil && !used[key] {
			t.Errorf("%s no longer imports %s: remove the exception (%s)", key[0], key[1], why)
		}
	}
}

func TestWordsNeedOnlyTheStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.dir == "." || s.test || layers[s.room()] != words {
			continue
		}
		for name, at := range s.imports() {
			first, _, _ := strings.Cut(name, "/")
			if strings.Contains(first, ".") || first == module && layers[inModule(name)] != words {
				t.Errorf("%s: %s imports %s: the standard library only", at, s.room(), name)
			}
		}
	}
}

func TestOnlyTheClockReadsTheTime(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.test || s.room() == "clock" || s.room() == "cmd" {
			continue
		}
		local := localName(s.file, "time")
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Now", "Since", "Until"}, sel.Sel.Name) {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); ok && local != "" && id.Name == local {
				t.Errorf("%s: time.%s outside clock and cmd: take a clock.Clock", s.set.Position(sel.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
}

// localName returns the name under which a file knows a package of the standard library, or "".
func localName(file *ast.File, pkg string) string {
	for _, spec := range file.Imports {
		if spec.Path.Value != strconv.Quote(pkg) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(pkg)
	}
	return ""
}

func TestPackages(t *testing.T) {
	t.Parallel()
	described := map[string]bool{}
	for _, s := range sources(t) {
		name := s.file.Name.Name
		if slices.Contains(badNames, strings.TrimSuffix(name, "_test")) || slices.Contains(badNames, path.Base(s.dir)) {
			t.Errorf("%s: package %s in %s says nothing about what is inside", s.path, name, s.dir)
		}
		if s.test {
			continue
		}
		described[s.dir] = described[s.dir] || s.file.Doc != nil && !s.made
		if lines := strings.Count(string(s.content), "\n"); lines > maxLines && !s.made {
			t.Errorf("%s has %d lines; at most %d", s.path, lines, maxLines)
		}
	}
	for dir, ok := range described {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

// TestRoomsAreListed compares docs/architecture.md with the folders that hold
// Go code. A listed room covers what lies below it.
func TestRoomsAreListed(t *testing.T) {
	t.Parallel()
	rooms := listedRooms(t)
	filled := map[string]bool{}
	for _, s := range sources(t) {
		if s.dir == "." || s.test {
			continue
		}
		nearest := ""
		for room := range rooms {
			if (s.dir == room || strings.HasPrefix(s.dir, room+"/")) && len(room) > len(nearest) {
				nearest = room
			}
		}
		if nearest == "" {
			t.Errorf("%s: docs/architecture.md lists no room for %s", s.path, s.dir)
		}
		filled[nearest] = true
	}
	for _, room := range slices.Sorted(maps.Keys(rooms)) {
		if !filled[room] {
			t.Errorf("docs/architecture.md lists %s, which holds no code", room)
		}
		if top, _, _ := strings.Cut(room, "/"); !hasLayer(top) {
			t.Errorf("docs/architecture.md lists %s, which has no layer in this test", room)
		}
	}
}

func hasLayer(room string) bool {
	_, ok := layers[room]
	return ok
}

// listedRooms reads the block "rooms" of docs/architecture.md: "name — text" on each line.
func listedRooms(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n```rooms\n")
	block, _, closed := strings.Cut(block, "\n```")
	if !found || !closed {
		t.Fatal("docs/architecture.md has no block ```rooms")
	}
	rooms := map[string]string{}
	for line := range strings.Lines(block) {
		name, text, ok := strings.Cut(strings.TrimSpace(line), " — ")
		if !ok || name == "" || text == "" || rooms[name] != "" {
			t.Errorf("docs/architecture.md: %q is not «name — text», or stands twice", strings.TrimSpace(line))
			continue
		}
		rooms[name] = text
	}
	return rooms
}
