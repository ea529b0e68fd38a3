package sheet

import (
	"strings"

	"selo/brasil"
)

// partSeparator parts a template, and joins what is left of it.
const partSeparator = "; "

// template is a parsed [Source].Template.
type template []templatePart

// templatePart is what stands between two separators: texts and columns in turn.
type templatePart []templatePiece

// templatePiece is a text, or a column: its name, and once bound its index.
type templatePiece struct {
	text   string
	column string
	index  int
}

// parseTemplate reads a template. Fault mapping.template: a brace without its
// pair, or no name inside.
func parseTemplate(s string) (template, error) {
	t := template{{}}
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			t[len(t)-1] = append(t[len(t)-1], templatePiece{text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		rest := s[i:]
		switch {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			text.WriteByte(s[i])
			i++
		case strings.HasPrefix(rest, partSeparator):
			flush()
			t = append(t, templatePart{})
			i += len(partSeparator) - 1
		case s[i] == '{':
			end := strings.IndexAny(rest[1:], "{}")
			if end < 0 || rest[1+end] == '{' || brasil.Squeeze(rest[1:1+end]) == "" {
				return nil, invalid("mapping.template", "valor", excerpt(s))
			}
			flush()
			t[len(t)-1] = append(t[len(t)-1], templatePiece{column: brasil.Squeeze(rest[1 : 1+end])})
			i += end + 1
		case s[i] == '}':
			return nil, invalid("mapping.template", "valor", excerpt(s))
		default:
			text.WriteByte(s[i])
		}
	}
	flush()
	return t, nil
}

// fill writes the template with the cells of a row.
func (t template) fill(cells []string) string {
	var parts []string
	for _, part := range t {
		if text := part.fill(cells); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, partSeparator)
}

// fill is "" for a part whose columns are all empty.
func (p templatePart) fill(cells []string) string {
	var b strings.Builder
	columns, filled := 0, 0
	for _, piece := range p {
		if piece.column == "" {
			b.WriteString(piece.text)
			continue
		}
		columns++
		value := clean(cells[piece.index])
		if value != "" {
			filled++
		}
		b.WriteString(value)
	}
	if columns > 0 && filled == 0 {
		return ""
	}
	return clean(b.String())
}

// clean is a cell as records hold it: NFC, one line, single spaces.
func clean(s string) string { return brasil.Squeeze(s) }
