package keys

import (
	"go/ast"
	"go/token"
	"path"
	"strconv"
	"strings"
)

// fileWalk goes through one file, once to learn functions that take keys and
// once more to record the keys.
type fileWalk struct {
	*scanner
	pkg     string
	imports map[string]string // local name → import path, of this module's packages
	record  bool
	funcs   []function // enclosing functions, the innermost last
}

// function is an enclosing function: how it is called and what it takes.
type function struct {
	name   string // sink name: "selo/fault.New", "selo/x#method", "selo/x.closure"; empty when it has none
	kind   *ast.FuncType
	locals map[string][]string // variable → string literals assigned to it
}

func (s *scanner) walk(pkg string, f *ast.File, record bool) {
	w := &fileWalk{scanner: s, pkg: pkg, imports: map[string]string{}, record: record}
	for _, im := range f.Imports {
		p, err := strconv.Unquote(im.Path.Value)
		if err != nil || (p != s.module && !strings.HasPrefix(p, s.module+"/")) {
			continue
		}
		name := path.Base(p)
		if im.Name != nil {
			name = im.Name.Name
		}
		w.imports[name] = p
	}
	for _, d := range f.Decls {
		w.node(d, "")
	}
}

// node walks n; typ is the element type that composite literals without a type of their own have.
func (w *fileWalk) node(n ast.Node, typ string) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Body != nil {
				name := w.pkg + "." + n.Name.Name
				if n.Recv != nil {
					name = w.pkg + "#" + n.Name.Name
				}
				w.inside(function{name, n.Type, assigned(n.Body)}, n.Body)
			}
			return false
		case *ast.AssignStmt:
			return w.assign(n)
		case *ast.FuncLit:
			w.inside(function{"", n.Type, assigned(n.Body)}, n.Body)
			return false
		case *ast.CallExpr:
			w.call(n)
		case *ast.CompositeLit:
			w.composite(n, typ)
			return false
		case *ast.BasicLit:
			if text, ok := literal(n); ok && w.record && Valid(text) {
				w.usage.Mentioned[text] = true
			}
		}
		return true
	})
}

func (w *fileWalk) inside(f function, body ast.Node) {
	w.funcs = append(w.funcs, f)
	w.node(body, "")
	w.funcs = w.funcs[:len(w.funcs)-1]
}

// assign gives function literals the name of the variable they are assigned to.
func (w *fileWalk) assign(a *ast.AssignStmt) bool {
	if len(a.Lhs) != 1 || len(a.Rhs) != 1 {
		return true
	}
	name, okName := a.Lhs[0].(*ast.Ident)
	lit, okLit := a.Rhs[0].(*ast.FuncLit)
	if !okName || !okLit {
		return true
	}
	w.inside(function{w.pkg + "." + name.Name, lit.Type, assigned(lit.Body)}, lit.Body)
	return false
}

// assigned collects the string literals that a function assigns to its variables.
func assigned(body ast.Node) map[string][]string {
	locals := map[string][]string{}
	ast.Inspect(body, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != len(a.Rhs) {
			return true
		}
		for i, l := range a.Lhs {
			if id, ok := l.(*ast.Ident); ok {
				if text, ok := literal(a.Rhs[i]); ok {
					locals[id.Name] = append(locals[id.Name], text)
				}
			}
		}
		return true
	})
	return locals
}

func (w *fileWalk) call(c *ast.CallExpr) {
	k, ok := w.sinkOf(c.Fun)
	if !ok || k.index >= len(c.Args) {
		return
	}
	var args []string
	known := false
	rest := c.Args[k.index+1:]
	if k.pairs {
		if args, known = pairNames(rest); c.Ellipsis != token.NoPos {
			known = false
		}
	} else if len(rest) > 0 {
		args, known = w.argNames(rest[0])
	}
	w.key(c.Args[k.index], args, known)
}

// sinkOf finds what is called: a function of this package, one of another
// package of the module, or a method of this or an imported package.
func (w *fileWalk) sinkOf(fun ast.Expr) (sink, bool) {
	switch f := fun.(type) {
	case *ast.Ident:
		k, ok := w.sinks[w.pkg+"."+f.Name]
		return k, ok
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			if p, ok := w.imports[x.Name]; ok {
				k, ok := w.sinks[p+"."+f.Sel.Name]
				return k, ok
			}
		}
		if k, ok := w.sinks[w.pkg+"#"+f.Sel.Name]; ok {
			return k, true
		}
		for _, p := range w.imports {
			if k, ok := w.sinks[p+"#"+f.Sel.Name]; ok {
				return k, true
			}
		}
	}
	return sink{}, false
}

func (w *fileWalk) composite(c *ast.CompositeLit, inherited string) {
	typ, element := inherited, ""
	switch t := c.Type.(type) {
	case *ast.Ident, *ast.SelectorExpr:
		typ = w.typeName(t)
	case *ast.ArrayType:
		typ, element = "", w.typeName(t.Elt)
	case *ast.MapType:
		typ, element = "", w.typeName(t.Value)
	}
	field := seedFields[typ]
	var key ast.Expr
	var args []string
	known := true
	for i, e := range c.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			if field != "" && i == 0 && typ != "fault.Problem" && typ != "fault.Fault" {
				key = e // term.Pair{"key", value}
				known = false
			}
			w.node(e, element)
			continue
		}
		if id, ok := kv.Key.(*ast.Ident); ok && field != "" {
			switch id.Name {
			case field:
				key = kv.Value
			case "Args":
				args, known = w.argNames(kv.Value)
			}
		} else {
			w.node(kv.Key, "")
		}
		w.node(kv.Value, element)
	}
	if key != nil {
		w.key(key, args, known)
	}
}

// typeName returns "fault.Problem" for a type of this module, by its path in it.
func (w *fileWalk) typeName(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.StarExpr:
		return w.typeName(t.X)
	case *ast.Ident:
		return strings.TrimPrefix(w.pkg+"."+t.Name, w.module+"/")
	case *ast.SelectorExpr:
		if x, ok := t.X.(*ast.Ident); ok {
			return strings.TrimPrefix(w.imports[x.Name]+"."+t.Sel.Name, w.module+"/")
		}
	}
	return ""
}

// key deals with an expression that stands where a message key is expected.
func (w *fileWalk) key(e ast.Expr, args []string, known bool) {
	found := func(text string) {
		if w.record && text != "" {
			w.usage.Uses = append(w.usage.Uses, Use{Key: text, At: w.at(e), Args: args, Known: known})
		}
	}
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, ok := literal(e); ok {
			found(text)
		}
	case *ast.BinaryExpr:
		if prefix, ok := literal(e.X); ok && w.record {
			w.usage.Prefixes = append(w.usage.Prefixes, prefix)
		}
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			found(w.consts[w.imports[x.Name]+"."+e.Sel.Name])
		}
	case *ast.Ident:
		w.keyVariable(e.Name, found)
	}
}

// keyVariable deals with a key held by a parameter, a local variable or a constant.
func (w *fileWalk) keyVariable(name string, found func(string)) {
	for i := len(w.funcs) - 1; i >= 0; i-- {
		f := w.funcs[i]
		if index, pairs, ok := parameter(f.kind, name); ok {
			if f.name != "" {
				w.sinks[f.name] = sink{index, pairs}
			}
			return
		}
		if texts := f.locals[name]; len(texts) > 0 {
			for _, t := range texts {
				found(t)
			}
			return
		}
	}
	found(w.consts[w.pkg+"."+name])
}

// parameter finds a parameter by name, and whether "args ...string" follows it.
func parameter(t *ast.FuncType, name string) (index int, pairs, ok bool) {
	index = -1
	at := 0
	for _, field := range t.Params.List {
		for _, n := range field.Names {
			if n.Name == name {
				index = at
			}
			at++
		}
	}
	if index < 0 {
		return 0, false, false
	}
	last := t.Params.List[len(t.Params.List)-1]
	if v, isVariadic := last.Type.(*ast.Ellipsis); isVariadic && index == at-2 {
		elem, isIdent := v.Elt.(*ast.Ident)
		pairs = isIdent && elem.Name == "string"
	}
	return index, pairs, true
}

// argNames reads the places out of nil, fault.Pairs("a", x) and fault.Args{"a": x}.
func (w *fileWalk) argNames(e ast.Expr) ([]string, bool) {
	switch e := e.(type) {
	case *ast.Ident:
		return nil, e.Name == "nil"
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Pairs" && e.Ellipsis == token.NoPos {
			return pairNames(e.Args)
		}
	case *ast.CompositeLit:
		var names []string
		for _, el := range e.Elts {
			kv, ok := el.(*ast.KeyValueExpr)
			if !ok {
				return nil, false
			}
			name, ok := literal(kv.Key)
			if !ok {
				return nil, false
			}
			names = append(names, name)
		}
		return names, true
	}
	return nil, false
}

// pairNames reads the names out of alternating names and values.
func pairNames(args []ast.Expr) ([]string, bool) {
	var names []string
	for i := 0; i < len(args); i += 2 {
		name, ok := literal(args[i])
		if !ok {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}
