package pdfsign

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The objects of a PDF (ISO 32000-1, 7.3). What this package does not look into stays as the
// bytes that it was, so that a dictionary is written back as it was read.
type (
	object any // name, literal, reference, array, *dict

	name      string // without its slash, escapes undone
	literal   string // a number, a string, true, false, null: as it stands in the file
	array     []object
	reference struct{ num, gen int }
)

// dict keeps its keys in their order. Of a key that stands twice, the last counts.
type dict struct {
	keys   []name
	values map[name]object
}

func newDict() *dict { return &dict{values: map[name]object{}} }

func (d *dict) set(k name, v object) *dict {
	if _, there := d.values[k]; !there {
		d.keys = append(d.keys, k)
	}
	d.values[k] = v
	return d
}

func (d *dict) get(k name) object {
	if d == nil {
		return nil
	}
	return d.values[k]
}

func (d *dict) clone() *dict {
	c := newDict()
	if d != nil {
		for _, k := range d.keys {
			c.set(k, d.values[k])
		}
	}
	return c
}

// integer reads a number without fraction.
func integer(o object) (int, bool) {
	l, ok := o.(literal)
	if !ok || len(l) > 12 {
		return 0, false
	}
	n, err := strconv.Atoi(string(l))
	return n, err == nil
}

const (
	maxDepth  = 64
	maxValues = 1 << 20 // inside one object
)

var errSyntax = errors.New("this is no PDF syntax")

// lexer reads objects from data, beginning at pos.
type lexer struct {
	data   []byte
	pos    int
	values int // how many were read
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}
func isDelimiter(c byte) bool { return strings.IndexByte("()<>[]{}/%", c) >= 0 }

// space skips white space and comments.
func (l *lexer) space() {
	for l.pos < len(l.data) {
		switch c := l.data[l.pos]; {
		case isSpace(c):
			l.pos++
		case c == '%':
			for l.pos < len(l.data) && l.data[l.pos] != '\n' && l.data[l.pos] != '\r' {
				l.pos++
			}
		default:
			return
		}
	}
}

func (l *lexer) has(s string) bool {
	return l.pos <= len(l.data) && bytes.HasPrefix(l.data[l.pos:], []byte(s))
}

// word takes the regular characters from here on.
func (l *lexer) word() string {
	start := l.pos
	for l.pos < len(l.data) && !isSpace(l.data[l.pos]) && !isDelimiter(l.data[l.pos]) {
		l.pos++
	}
	return string(l.data[start:l.pos])
}

// keyword takes one word if it stands here.
func (l *lexer) keyword(want string) bool {
	l.space()
	at := l.pos
	if l.word() == want {
		return true
	}
	l.pos = at
	return false
}

// number takes a whole number.
func (l *lexer) number() (int, error) {
	l.space()
	w := l.word()
	if len(w) == 0 || len(w) > 12 {
		return 0, errSyntax
	}
	n, err := strconv.Atoi(w)
	if err != nil || n < 0 {
		return 0, errSyntax
	}
	return n, nil
}

// object takes the next object.
func (l *lexer) object(depth int) (object, error) {
	l.space()
	l.values++
	if depth > maxDepth || l.values > maxValues || l.pos >= len(l.data) {
		return nil, errSyntax
	}
	switch c := l.data[l.pos]; {
	case l.has("<<"):
		l.pos += 2
		return l.dict(depth)
	case c == '[':
		l.pos++
		return l.array(depth)
	case c == '/':
		l.pos++
		return l.name()
	case c == '(':
		return l.stringLiteral()
	case c == '<':
		end := bytes.IndexByte(l.data[l.pos:], '>')
		if end < 0 {
			return nil, errSyntax
		}
		start := l.pos
		l.pos += end + 1
		return literal(l.data[start:l.pos]), nil
	case isDelimiter(c):
		return nil, errSyntax
	}
	return l.wordOrReference()
}

func (l *lexer) wordOrReference() (object, error) {
	w := l.word()
	switch w {
	case "true", "false", "null":
		return literal(w), nil
	}
	if strings.Trim(w, "0123456789+-.") != "" || w == "" {
		return nil, errSyntax
	}
	at := l.pos
	if num, err := strconv.Atoi(w); err == nil && num >= 0 {
		if gen, err := l.number(); err == nil && l.keyword("R") {
			return reference{num, gen}, nil
		}
		l.pos = at
	}
	return literal(w), nil
}

func (l *lexer) dict(depth int) (object, error) {
	d := newDict()
	for {
		l.space()
		if l.has(">>") {
			l.pos += 2
			return d, nil
		}
		if !l.has("/") {
			return nil, errSyntax
		}
		l.pos++
		key, err := l.name()
		if err != nil {
			return nil, err
		}
		value, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		d.set(key, value)
	}
}

func (l *lexer) array(depth int) (object, error) {
	list := array{}
	for {
		l.space()
		if l.has("]") {
			l.pos++
			return list, nil
		}
		value, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
}

func (l *lexer) name() (name, error) {
	w := l.word()
	if !strings.Contains(w, "#") {
		return name(w), nil
	}
	var b strings.Builder
	for i := 0; i < len(w); i++ {
		if w[i] != '#' || i+2 >= len(w) {
			b.WriteByte(w[i])
			continue
		}
		n, err := strconv.ParseUint(w[i+1:i+3], 16, 8)
		if err != nil {
			return "", errSyntax
		}
		b.WriteByte(byte(n))
		i += 2
	}
	return name(b.String()), nil
}

func (l *lexer) stringLiteral() (object, error) {
	start, open := l.pos, 0
	for ; l.pos < len(l.data); l.pos++ {
		switch l.data[l.pos] {
		case '\\':
			l.pos++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				l.pos++
				return literal(l.data[start:l.pos]), nil
			}
		}
	}
	return nil, errSyntax
}

// write appends an object as PDF.
func write(b *bytes.Buffer, o object) {
	switch o := o.(type) {
	case name:
		b.WriteByte('/')
		for _, c := range []byte(o) {
			if c <= ' ' || c > '~' || c == '#' || isDelimiter(c) {
				fmt.Fprintf(b, "#%02X", c)
			} else {
				b.WriteByte(c)
			}
		}
	case literal:
		b.WriteString(string(o))
	case reference:
		fmt.Fprintf(b, "%d %d R", o.num, o.gen)
	case array:
		b.WriteByte('[')
		for i, v := range o {
			if i > 0 {
				b.WriteByte(' ')
			}
			write(b, v)
		}
		b.WriteByte(']')
	case *dict:
		b.WriteString("<<")
		for _, k := range o.keys {
			write(b, k)
			b.WriteByte(' ')
			write(b, o.values[k])
		}
		b.WriteString(">>")
	}
}
