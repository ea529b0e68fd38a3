package locale

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"selo/brasil"
	"selo/fault"
)

// fill replaces each {place} by its argument. A place without an argument
// shows "…": a person should not read the program's words.
//
// A place may say how its argument reads: {x:number} parts thousands, {x:bytes}
// is a size, {x:word} a code in words ("ativo"), {x:field} the name of a field
// (see [Field]), {x:record} a record's label. Days and moments read as the
// language writes them, without being asked.
func fill(lang Lang, text string, args fault.Args) string {
	if !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	for {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(text[open:], '}')
		if end < 0 {
			break
		}
		b.WriteString(text[:open])
		name, format, _ := strings.Cut(text[open+1:open+end], ":")
		if v, ok := args[name]; ok {
			v = show(lang, name, format, v)
			if format == "record" && b.Len() == 0 {
				v = capital(v)
			}
			b.WriteString(v)
		} else {
			b.WriteString("…")
		}
		text = text[open+end+1:]
	}
	b.WriteString(text)
	return b.String()
}

// show writes one argument. What cannot be read in the asked way stays as it is.
func show(lang Lang, name, format, v string) string {
	switch format {
	case "number", "bytes":
		n, err := strconv.ParseInt(v, 10, 64)
		switch {
		case err != nil:
			return v
		case format == "bytes":
			return Bytes(lang, n)
		}
		return Number(lang, n)
	case "word":
		return Word(lang, v)
	case "field":
		return Field(lang, v)
	case "record":
		return Record(lang, v)
	}
	switch name {
	case "valor", "numero", "registro": // as they were typed: they may look like a day and be none
		return v
	}
	return date(lang, v)
}

// date writes "2025-03-01", "01/03/2025" and RFC 3339 as lang does, and leaves the rest.
func date(lang Lang, v string) string {
	switch {
	case len(v) == len("2025-03-01") && (v[4] == '-' && v[7] == '-' || v[2] == '/' && v[5] == '/'):
		if d, err := brasil.ParseDate(v); err == nil {
			return Date(lang, d)
		}
	case len(v) >= len("2025-03-01T22:05:00Z") && v[10] == 'T':
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			return Moment(lang, t)
		}
	}
	return v
}

// Word is a code of the program as people say it: "ativo" is "active" in
// English. A code without a word is shown as it is.
func Word(lang Lang, code string) string {
	if e, ok := catalog(lang)["word."+code]; ok {
		return e.Text
	}
	return code
}

// Record is a record's label, "certificado 2534", with its first word in lang.
func Record(lang Lang, label string) string {
	if lang == PT || lang == "" {
		return label
	}
	kind, name, found := strings.Cut(label, " ")
	if !found {
		return label
	}
	return Word(lang, kind) + " " + name
}

// capital writes the first letter large.
func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}
