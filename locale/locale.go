// Package locale holds every text that people read, in three languages.
//
// Domain code names a message by its key ("remessa.outstanding") and gives the
// facts that fill its {places}; this package makes the words. Portuguese is
// the source; English and Spanish say the same. A message has three parts: the
// text (what happened), the rule behind it, if there is one, and the next step.
//
// Wording is free of plurals ("produtos: 3"), so that one text serves every
// count. A key that is missing shows itself in brackets and never panics.
//
// A place may say how its value reads: {n:number}, {n:bytes}, {code:word},
// {path:field}, {label:record}. Days read as the language writes them.
//
// The package formats numbers, sizes, durations and dates as each language
// writes them, and names the fields of records in the manual's words. It does not negotiate HTTP languages and holds no page layout.
package locale

import (
	"strings"

	"selo/fault"
)

// Lang is one of the three languages. The zero value reads as Portuguese.
type Lang string

// The languages of Selo.
const (
	PT Lang = "pt" // the source
	EN Lang = "en"
	ES Lang = "es"
)

// Langs returns the languages, the source first.
func Langs() []Lang { return []Lang{PT, EN, ES} }

// Pick chooses the language of a command: the flag if it is given, else the
// environment's LANG when it is one of the three ("pt_BR.UTF-8"), else
// Portuguese.
//
// It returns fault.Invalid "lang.unknown" for a flag that is none of the three;
// the language it returns along with the fault is the one the environment asks for.
func Pick(flag, env string) (Lang, error) {
	fallback := PT
	if l, ok := parse(env); ok {
		fallback = l
	}
	if flag == "" {
		return fallback, nil
	}
	if l, ok := parse(flag); ok {
		return l, nil
	}
	return fallback, fault.New(fault.Invalid, "lang.unknown", "valor", flag)
}

// parse reads "pt", "pt-BR" and "pt_BR.UTF-8" alike.
func parse(s string) (Lang, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if i := strings.IndexAny(s, "_-.@"); i >= 0 {
		s = s[:i]
	}
	switch l := Lang(s); l {
	case PT, EN, ES:
		return l, true
	}
	return "", false
}

// Text returns the message of key with its places filled from args.
// A key that no catalog knows comes back in brackets: "[some.key]".
func Text(lang Lang, key string, args fault.Args) string {
	e, ok := catalog(lang)[key]
	if !ok {
		return missing(key)
	}
	return fill(lang, e.Text, args)
}

// Known tells whether the catalogs hold key.
func Known(key string) bool {
	_, ok := catalog(PT)[key]
	return ok
}

// Rendered is one broken rule in words. Its JSON names are those of "erros[]"
// in an application/problem+json answer.
type Rendered struct {
	// Subject is record and field in words: "certificado 2534 · Produtos, linha 4:
	// Marca". It is for people; programs get the two apart, as they are.
	Subject string `json:"-"`
	Record  string `json:"registro,omitempty"` // as people name it: "certificado 2534"
	Field   string `json:"campo,omitempty"`    // JSON path: "produtos[3].marca"
	Code    string `json:"codigo"`             // message key
	Message string `json:"mensagem"`           // what is wrong
	Rule    string `json:"regra,omitempty"`    // where it is written: "manual 3.13"
	Action  string `json:"acao,omitempty"`     // what to do next
}

// Problem puts one problem into words.
func Problem(lang Lang, p fault.Problem) Rendered {
	e, ok := catalog(lang)[p.Code]
	if !ok {
		e.Text = missing(p.Code)
	}
	return Rendered{
		Subject: subject(Record(lang, p.Record), Field(lang, p.Field)),
		Record:  p.Record,
		Field:   p.Field,
		Code:    p.Code,
		Message: fill(lang, e.Text, p.Args),
		Rule:    e.Rule,
		Action:  fill(lang, e.Action, p.Args),
	}
}

func subject(record, field string) string {
	if record == "" || field == "" {
		return record + field
	}
	return record + " · " + field
}

// Failure is a whole fault in words. Its JSON names are those of RFC 9457 and
// its Selo extensions.
type Failure struct {
	Title    string     `json:"title"`           // the kind of failure
	Detail   string     `json:"detail"`          // what happened
	Code     string     `json:"codigo"`          // message key of the whole
	Rule     string     `json:"regra,omitempty"` // where it is written
	Action   string     `json:"acao,omitempty"`  // what to do next
	Problems []Rendered `json:"erros,omitempty"`
}

// titles holds the message key of each kind's title.
var titles = map[fault.Kind]string{
	fault.Invalid:     "fault.title.invalid",
	fault.NotFound:    "fault.title.not_found",
	fault.Conflict:    "fault.title.conflict",
	fault.Forbidden:   "fault.title.forbidden",
	fault.Unavailable: "fault.title.unavailable",
}

// Fault puts a fault and all its problems into words. Its cause is for the
// log only and never shows.
func Fault(lang Lang, f *fault.Fault) Failure {
	whole := Problem(lang, fault.Problem{Code: f.Key, Args: f.Args})
	title, ok := titles[f.Kind]
	if !ok {
		title = "fault.title.internal"
	}
	out := Failure{
		Title:  Text(lang, title, nil),
		Detail: whole.Message,
		Code:   whole.Code,
		Rule:   whole.Rule,
		Action: whole.Action,
	}
	for _, p := range f.Problems {
		out.Problems = append(out.Problems, Problem(lang, p))
	}
	return out
}

// Internal is what people see of an error that is not a fault: its id, to be
// found in the log, and a next step.
func Internal(lang Lang, id string) Failure {
	f := Fault(lang, &fault.Fault{Key: "fault.internal", Args: fault.Pairs("id", id)})
	f.Title = Text(lang, "fault.title.internal", nil)
	return f
}

func missing(key string) string { return "[" + key + "]" }
