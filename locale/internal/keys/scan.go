package keys

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Use is one place in the sources where a message key is given.
type Use struct {
	Key   string
	At    string // "certificate/freeze.go:41"
	Args  []string
	Known bool // Args is complete; false when they come from a variable
}

// Usage is what the sources of a module say about message keys.
type Usage struct {
	Uses      []Use           // keys given where a key is expected
	Mentioned map[string]bool // every string literal shaped like a key
	// Patterns are keys of which only the running program knows one part, "*":
	// "mail.*.subject". [Built] lists what each comes to. The value is a position.
	Patterns map[string]string
}

// Mentions tells whether key is in the sources, whole or as one of the keys
// that [Built] lists for a pattern of theirs.
func (u *Usage) Mentions(key string) bool {
	if u.Mentioned[key] {
		return true
	}
	for pattern := range u.Patterns {
		if slices.Contains(Built(pattern), key) {
			return true
		}
	}
	return false
}

// Scan reads every Go file of the module at root, except tests and testdata,
// and finds where message keys are given.
//
// It starts from the known places (fault.New, fault.WithProblems, locale.Text,
// the fields in seedFields) and follows functions that hand one of their
// parameters on to such a place, whole or with a literal before or after it,
// so that helpers and methods count too, and functions that return keys and
// tables of them. It works on syntax alone: a key kept in a struct field of
// another type is seen as mentioned only.
func Scan(root, module string) (*Usage, error) {
	s := &scanner{
		root: root, module: module, fset: token.NewFileSet(),
		packages: map[string][]*ast.File{},
		sinks: map[string][]sink{
			module + "/fault.WithProblems": {{index: 0}},
			module + "/locale.Text":        {{index: 1}},
		},
		consts:  map[string]string{},
		tables:  map[string]*ast.CompositeLit{},
		returns: map[string][]string{},
		usage:   &Usage{Mentioned: map[string]bool{}, Patterns: map[string]string{}},
	}
	if err := s.parse(); err != nil {
		return nil, err
	}
	s.eachFile(s.collect)
	for learnt := true; learnt; {
		before := s.learnt
		s.eachFile(func(pkg string, f *ast.File) { s.walk(pkg, f, false) })
		learnt = s.learnt > before
	}
	s.eachFile(func(pkg string, f *ast.File) { s.walk(pkg, f, true) })
	slices.SortFunc(s.usage.Uses, func(a, b Use) int { return strings.Compare(a.Key+a.At, b.Key+b.At) })
	return s.usage, nil
}

// seedFields are the struct fields that hold a message key.
var seedFields = map[string]string{
	"fault.Problem":        "Code",
	"fault.Fault":          "Key",
	"api.refusal":          "title",
	"catalog.Reason":       "Code",
	"certifier/sheet.flaw": "code",
	"cmd/selo/term.Column": "Key",
	"cmd/selo/term.Pair":   "Key",
	"verify.Check":         "Name",
	"verify.Finding":       "Code",
}

// wholeFamilies are beginnings of keys that nothing else begins with: every
// literal of theirs counts as a use, wherever it stands.
var wholeFamilies = []string{"certificate.hidden.", "verification.", "verify."}

// filledLater are those of seedFields that do not hold the values of the places.
var filledLater = map[string]bool{"certifier/sheet.flaw": true}

// sink is a function that takes a message key, or the middle of one.
type sink struct {
	index         int    // of the key among its parameters
	pairs         bool   // the next parameter is "args ...string", pairs of place and value
	before, after string // what the function puts around it
	extra         string // places, with a space after each, that it adds to "args"
}

type scanner struct {
	root, module string
	fset         *token.FileSet
	packages     map[string][]*ast.File       // by import path
	sinks        map[string][]sink            // "selo/fault.New", "selo/cmd/selo/term#Done" (a method)
	learnt       int                          // how many sinks were found
	consts       map[string]string            // "selo/job.keyLost" → value
	tables       map[string]*ast.CompositeLit // "selo/registry.existsCode"
	returns      map[string][]string          // "selo/brasil.dateFault" → keys it returns
	usage        *Usage
}

func (s *scanner) parse() error {
	return filepath.WalkDir(s.root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			hidden := strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")
			if name != s.root && (hidden || base == "testdata" || base == "node_modules" || base == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(s.fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parse source: %w", err)
		}
		dir, err := filepath.Rel(s.root, filepath.Dir(name))
		if err != nil {
			return err
		}
		pkg := path.Join(s.module, filepath.ToSlash(dir))
		s.packages[pkg] = append(s.packages[pkg], f)
		return nil
	})
}

func (s *scanner) eachFile(do func(pkg string, f *ast.File)) {
	for pkg, list := range s.packages {
		for _, f := range list {
			do(pkg, f)
		}
	}
}

// collect finds the constants and tables of a file and the keys that its functions return.
func (s *scanner) collect(pkg string, f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			for _, sp := range d.Specs {
				if v, ok := sp.(*ast.ValueSpec); ok {
					s.collectValues(pkg, v, d.Tok)
				}
			}
		case *ast.FuncDecl:
			if d.Body != nil {
				s.collectReturns(funcName(pkg, d), d.Body)
			}
		}
	}
}

func (s *scanner) collectValues(pkg string, v *ast.ValueSpec, tok token.Token) {
	for i, n := range v.Names {
		if i >= len(v.Values) {
			break
		}
		if text, ok := literal(v.Values[i]); ok && tok == token.CONST {
			s.consts[pkg+"."+n.Name] = text
		}
		if table, ok := v.Values[i].(*ast.CompositeLit); ok {
			s.tables[pkg+"."+n.Name] = table
		}
	}
}

func (s *scanner) collectReturns(name string, body ast.Node) {
	ast.Inspect(body, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok {
			for _, e := range r.Results {
				if text, ok := literal(e); ok && Valid(text) {
					s.returns[name] = append(s.returns[name], text)
				}
			}
		}
		return true
	})
}

// funcName names a function or, with "#", a method.
func funcName(pkg string, d *ast.FuncDecl) string {
	if d.Recv != nil {
		return pkg + "#" + d.Name.Name
	}
	return pkg + "." + d.Name.Name
}

// literal returns the value of a string literal.
func literal(e ast.Expr) (string, bool) {
	b, ok := e.(*ast.BasicLit)
	if !ok || b.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(b.Value)
	return text, err == nil
}

// at names a position relative to the module's root.
func (s *scanner) at(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	if rel, err := filepath.Rel(s.root, p.Filename); err == nil {
		p.Filename = filepath.ToSlash(rel)
	}
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}
