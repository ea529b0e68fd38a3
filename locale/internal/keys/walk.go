package keys

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
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
	locals map[string][]ast.Expr // variable → what is assigned to it
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
				w.inside(function{funcName(w.pkg, n), n.Type, assigned(n.Body)}, n.Body)
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
		case *ast.Field:
			w.helpTag(n)
		case *ast.BasicLit:
			if text, ok := literal(n); ok && w.record && Valid(text) {
				w.usage.Mentioned[text] = true
				if slices.ContainsFunc(wholeFamilies, func(f string) bool { return strings.HasPrefix(text, f) }) {
					w.usage.Uses = append(w.usage.Uses, Use{Key: text, At: w.at(n)})
				}
			}
		}
		return true
	})
}

// helpText is a text of the command line in a struct tag: help:"${help_x_y}" is key "help.x.y".
var helpText = regexp.MustCompile(`\$\{(help_[a-z_]+)\}`)

func (w *fileWalk) helpTag(f *ast.Field) {
	if f.Tag == nil || !w.record {
		return
	}
	for _, found := range helpText.FindAllStringSubmatch(f.Tag.Value, -1) {
		key := strings.ReplaceAll(found[1], "_", ".")
		w.usage.Uses = append(w.usage.Uses, Use{Key: key, At: w.at(f.Tag), Known: true})
		w.usage.Mentioned[key] = true
	}
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

// assigned collects what a function assigns to its variables.
func assigned(body ast.Node) map[string][]ast.Expr {
	locals := map[string][]ast.Expr{}
	ast.Inspect(body, func(n ast.Node) bool {
		if r, ok := n.(*ast.RangeStmt); ok {
			list, isList := r.X.(*ast.CompositeLit)
			id, isVar := r.Value.(*ast.Ident)
			if isList && isVar {
				locals[id.Name] = append(locals[id.Name], list.Elts...)
			}
		}
		a, ok := n.(*ast.AssignStmt)
		if !ok {
			return true
		}
		for i, l := range a.Lhs {
			if id, ok := l.(*ast.Ident); ok {
				locals[id.Name] = append(locals[id.Name], a.Rhs[min(i, len(a.Rhs)-1)])
			}
		}
		return true
	})
	return locals
}

func (w *fileWalk) call(c *ast.CallExpr) {
	for _, name := range w.calledNames(c.Fun) {
		for _, k := range w.sinks[name] {
			if k.index < len(c.Args) {
				w.give(c, k)
			}
		}
	}
}

// give deals with the key of a call to a function that takes one.
func (w *fileWalk) give(c *ast.CallExpr, k sink) {
	g := given{before: k.before, after: k.after}
	rest := c.Args[k.index+1:]
	switch {
	case k.pairs && c.Ellipsis == token.NoPos:
		g.args, g.known = pairNames(rest)
		g.args = append(g.args, strings.Fields(k.extra)...)
	case !k.pairs && len(rest) > 0:
		g.args, g.known = w.argNames(rest[0])
	}
	w.key(c.Args[k.index], g)
}

// calledNames returns what may be called: a function of this package, one of
// another package of the module, or a method of this or an imported package.
func (w *fileWalk) calledNames(fun ast.Expr) []string {
	switch f := fun.(type) {
	case *ast.Ident:
		return []string{w.pkg + "." + f.Name}
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			if p, ok := w.imports[x.Name]; ok {
				return []string{p + "." + f.Sel.Name}
			}
		}
		names := []string{w.pkg + "#" + f.Sel.Name}
		for _, p := range w.imports {
			names = append(names, p+"#"+f.Sel.Name)
		}
		return names
	}
	return nil
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
	g := given{known: !filledLater[typ]}
	for i, e := range c.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			if field != "" && i == 0 && typ != "fault.Problem" && typ != "fault.Fault" {
				key = e // term.Pair{"key", value}
				g.known = false
			}
			w.node(e, element)
			continue
		}
		if id, ok := kv.Key.(*ast.Ident); ok && field != "" {
			switch id.Name {
			case field:
				key = kv.Value
			case "Args":
				g.args, g.known = w.argNames(kv.Value)
			}
		} else {
			w.node(kv.Key, "")
		}
		w.node(kv.Value, element)
	}
	if key != nil {
		w.key(key, g)
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

// given is what is known of a message key at the place where it is given.
type given struct {
	before, after string // literals around the expression
	args          []string
	known         bool
	depth         int      // of variables followed
	from          ast.Node // where the key as a whole stands
}

// key deals with an expression that stands where a message key is expected.
func (w *fileWalk) key(e ast.Expr, g given) {
	if g.from == nil {
		g.from = e
	}
	found := func(text string) {
		if w.record && text != "" {
			key := g.before + text + g.after
			w.usage.Uses = append(w.usage.Uses, Use{Key: key, At: w.at(e), Args: g.args, Known: g.known})
			w.usage.Mentioned[key] = true
		}
	}
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, ok := literal(e); ok {
			found(text)
		}
	case *ast.BinaryExpr:
		if text, ok := literal(e.X); ok {
			g.before += text
			w.key(e.Y, g)
		} else if text, ok := literal(e.Y); ok {
			g.after = text + g.after
			w.key(e.X, g)
		}
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			if text := w.consts[w.imports[x.Name]+"."+e.Sel.Name]; text != "" {
				found(text)
				return
			}
		}
		w.unknownMiddle(g)
	case *ast.IndexExpr:
		table := w.table(e.X)
		if table == nil {
			w.unknownMiddle(g)
			return
		}
		for _, entry := range table.Elts {
			if kv, ok := entry.(*ast.KeyValueExpr); ok {
				entry = kv.Value
			}
			w.key(entry, g)
		}
	case *ast.CallExpr:
		if id, ok := e.Fun.(*ast.Ident); ok && id.Name == "string" && len(e.Args) == 1 && w.isLocal(e.Args[0]) {
			w.key(e.Args[0], g)
			return
		}
		for _, name := range w.calledNames(e.Fun) {
			for _, text := range w.returns[name] {
				found(text)
			}
		}
		w.unknownMiddle(g)
	case *ast.Ident:
		if !w.keyVariable(e.Name, g) {
			found(w.consts[w.pkg+"."+e.Name])
		}
	}
}

// table finds the literal behind a table of keys: itself, a local variable or
// one of the package.
func (w *fileWalk) table(e ast.Expr) *ast.CompositeLit {
	switch e := e.(type) {
	case *ast.CompositeLit:
		return e
	case *ast.Ident:
		for i := len(w.funcs) - 1; i >= 0; i-- {
			for _, value := range w.funcs[i].locals[e.Name] {
				if lit, ok := value.(*ast.CompositeLit); ok {
					return lit
				}
			}
		}
		return w.tables[w.pkg+"."+e.Name]
	}
	return nil
}

// isLocal tells whether e is a parameter or variable of an enclosing function.
func (w *fileWalk) isLocal(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && slices.ContainsFunc(w.funcs, func(f function) bool {
		_, _, found := parameter(f.kind, id.Name)
		return found || len(f.locals[id.Name]) > 0
	})
}

// unknownMiddle notes the literals around what is known at run time only.
func (w *fileWalk) unknownMiddle(g given) {
	if w.record && g.before+g.after != "" {
		w.usage.Patterns[g.before+"*"+g.after] = w.at(g.from)
	}
}

// keyVariable deals with a key held by a parameter or a local variable, and
// tells whether name is one.
func (w *fileWalk) keyVariable(name string, g given) bool {
	for i := len(w.funcs) - 1; i >= 0; i-- {
		f := w.funcs[i]
		index, pairs, ok := parameter(f.kind, name)
		if ok {
			w.learn(f.name, sink{index, pairs, g.before, g.after, added(f, pairs)}, g.from)
		}
		values := f.locals[name]
		if g.depth < 3 { // a variable may be assigned from itself
			g.depth++
			for _, e := range values {
				w.key(e, g)
			}
		}
		if ok || len(values) > 0 {
			return true
		}
	}
	return false
}

// learn notes that a function takes a key. Functions that nobody can call by
// name, or that put too much around a key, are known at run time only.
func (w *fileWalk) learn(name string, k sink, from ast.Node) {
	if name == "" || len(k.before)+len(k.after) > 80 {
		w.unknownMiddle(given{before: k.before, after: k.after, from: from})
		return
	}
	if !slices.Contains(w.sinks[name], k) {
		w.sinks[name] = append(w.sinks[name], k)
		w.learnt++
	}
}

// added lists the places that a function appends to its own "args ...string".
func added(f function, pairs bool) (extra string) {
	if !pairs {
		return ""
	}
	last := f.kind.Params.List[len(f.kind.Params.List)-1]
	args := last.Names[len(last.Names)-1].Name
	for _, value := range f.locals[args] {
		c, ok := value.(*ast.CallExpr)
		if !ok || len(c.Args) < 2 {
			continue
		}
		fun, isFun := c.Fun.(*ast.Ident)
		first, isFirst := c.Args[0].(*ast.Ident)
		if !isFun || !isFirst || fun.Name != "append" || first.Name != args {
			continue
		}
		if names, ok := pairNames(c.Args[1:]); ok {
			extra += strings.Join(names, " ") + " "
		}
	}
	return extra
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
