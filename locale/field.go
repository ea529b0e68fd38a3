package locale

import (
	"strconv"
	"strings"

	"selo/fault"
)

// Field is a JSON path as people read it: "produtos[3].marca" is "Produtos,
// linha 4: Marca". The words are those of the manual, in the messages "field.…";
// where a list gives a name another meaning, "field.<list>.<name>" wins. What is
// no path of a record, such as the column of a sheet, comes back as it is.
func Field(lang Lang, path string) string {
	var parts []string
	parent := ""
	for rest := path; rest != ""; {
		name, item, after, ok := step(rest)
		label := fieldName(lang, parent, name)
		if !ok || label == "" {
			if len(parts) == 0 {
				return path
			}
			label, after = rest, ""
		}
		switch line, err := strconv.Atoi(item); {
		case item == "" || label == rest:
			parts = append(parts, label)
		case err == nil:
			parts = append(parts, Text(lang, "locale.field.line", fault.Pairs("lista", label, "linha", strconv.Itoa(line+1))))
		default: // what was taken out is named, not numbered
			parts = append(parts, label+", "+item)
		}
		parent, rest = name, after
	}
	return strings.Join(parts, ": ")
}

// step cuts the first name off a path, with what stands in brackets behind it.
// A name in brackets may hold anything; it ends the path.
func step(path string) (name, item, rest string, ok bool) {
	end := strings.IndexAny(path, ".[")
	switch {
	case end < 0:
		return path, "", "", true
	case path[end] == '.':
		return path[:end], "", path[end+1:], end+1 < len(path)
	}
	name, path = path[:end], path[end+1:]
	digits := 0
	for digits < len(path) && path[digits] >= '0' && path[digits] <= '9' {
		digits++
	}
	if digits > 0 && digits <= 9 && digits < len(path) && path[digits] == ']' {
		item, rest = path[:digits], path[digits+1:]
		switch {
		case rest == "":
			return name, item, "", true
		case rest[0] == '.' && len(rest) > 1:
			return name, item, rest[1:], true
		}
	}
	item, ok = strings.CutSuffix(path, "]")
	return name, item, "", ok && item != ""
}

// fieldName finds the words for one name; "" when there are none.
func fieldName(lang Lang, parent, name string) string {
	texts := catalog(lang)
	if e, ok := texts["field."+parent+"."+name]; ok {
		return e.Text
	}
	if e, ok := texts["field."+name]; ok {
		return e.Text
	}
	// "fabricante_cnpj" of an import: the role and the field of its company.
	role, field, found := strings.Cut(name, "_")
	words, known := texts["word."+role]
	if e, ok := texts["field."+field]; found && known && ok {
		return capital(words.Text) + ": " + e.Text
	}
	return ""
}
