package web

import (
	"strconv"
	"strings"
)

// apiStatuses are the statuses of problems, with their words.
var apiStatuses = []struct{ code, key string }{
	{"400", "web.apidoc.status.400"},
	{"401", "web.apidoc.status.401"},
	{"403", "web.apidoc.status.403"},
	{"404", "web.apidoc.status.404"},
	{"405", "web.apidoc.status.405"},
	{"409", "web.apidoc.status.409"},
	{"413", "web.apidoc.status.413"},
	{"414", "web.apidoc.status.414"},
	{"415", "web.apidoc.status.415"},
	{"422", "web.apidoc.status.422"},
	{"429", "web.apidoc.status.429"},
	{"500", "web.apidoc.status.500"},
	{"503", "web.apidoc.status.503"},
}

// plainTypes are the types of JSON and of the columns, in words.
var plainTypes = map[string]string{
	"string": "web.apidoc.type.string", "integer": "web.apidoc.type.integer", "number": "web.apidoc.type.number",
	"boolean": "web.apidoc.type.boolean", "object": "web.apidoc.type.object",
	"string date": "web.apidoc.type.date", "string date-time": "web.apidoc.type.moment",
}

func plainType(r *Request, t apiType) string {
	if key, ok := plainTypes[t.Plain+" "+t.Format]; ok {
		return r.Text(key)
	}
	if key, ok := plainTypes[t.Plain]; ok {
		return r.Text(key)
	}
	return t.Plain
}

// columnTypes are the types of the columns, in words.
var columnTypes = map[string]string{"texto": "web.apidoc.type.string", "data": "web.dictionary.type.date", "inteiro": "web.apidoc.type.integer", "sim/nao": "web.dictionary.type.yesno"}

func columnType(r *Request, name string) string { return r.Text(columnTypes[name]) }

// limits says what bounds a value.
func (t apiType) limits(r *Request) []string {
	var list []string
	if len(t.Enum) > 0 {
		list = append(list, strings.Join(t.Enum, " · "))
	}
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	switch {
	case t.Minimum != nil && t.Maximum != nil:
		list = append(list, r.Text("web.apidoc.between", "minimo", number(*t.Minimum), "maximo", number(*t.Maximum)))
	case t.Minimum != nil:
		list = append(list, r.Text("web.apidoc.least", "minimo", number(*t.Minimum)))
	}
	if t.MaxLength != nil {
		list = append(list, r.Text("web.apidoc.longest", "maximo", strconv.Itoa(*t.MaxLength)))
	}
	if t.Default != "" {
		list = append(list, r.Text("web.apidoc.default", "valor", t.Default))
	}
	return list
}

// backticks splits a text at its backticks: text, code, text, …
func backticks(text string) []string { return strings.Split(text, "`") }
