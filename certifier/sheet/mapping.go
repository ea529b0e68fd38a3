package sheet

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"selo/brasil"
	"selo/fault"
)

// Repeated says what to do with a row whose brand, model and origin stood in
// another row already (manual 2.2.1.1 step 7: they are unique).
type Repeated string

// The choices. A mapping file that says nothing refuses.
const (
	Merge  Repeated = "mesclar"
	Refuse Repeated = "recusar"
)

// Mapping is a mapping file: which column fills which field.
//
//	{
//	  "planilha": "Sheet1",
//	  "cabecalho": 3,
//	  "separador": ";",
//	  "codificacao": "windows-1252",
//	  "repetidos": "mesclar",
//	  "colunas": {
//	    "marca": {"coluna": "manufacturer"},
//	    "importado": {"valor": "sim"},
//	    "descricao": {"modelo": "Potência {power} W; tensão {volts} V"}
//	  },
//	  "certificado_por": ["manufacturer"]
//	}
//
// Only "colunas" must be there.
type Mapping struct {
	Sheet         string
	HeaderLine    int // from 1; 0: the first line with content
	Separator     Separator
	Encoding      Encoding
	Repeated      Repeated
	Columns       map[Target]Source
	CertificateBy []string // columns whose values together name a certificate; none: the target numero
}

// Source fills a target; exactly one field is set.
//
// A Template is text with names of columns in braces. A semicolon followed by
// a space parts it: a part that names columns, all of them empty in a row, is
// left out of that row; parts without columns stay. "{{" and "}}" are braces.
type Source struct {
	Column   string
	Value    string
	Template string
}

// Options says how to open the sheet that the mapping is for.
func (m *Mapping) Options(l Limits) Options {
	return Options{Limits: l, Sheet: m.Sheet, HeaderLine: m.HeaderLine, Separator: m.Separator, Encoding: m.Encoding}
}

const (
	maxMapping    = 1 << 20 // bytes of a mapping file
	maxHeaderLine = 1000
)

// LoadMapping reads a mapping file, strictly: nothing in it is ignored.
//
// It returns fault.Invalid mapping.syntax (with linha), or mapping.invalid with
// a problem for each thing that is wrong: mapping.unknown_key,
// mapping.repeated_key, mapping.unknown_target(_near), mapping.type, mapping.source,
// mapping.template, mapping.separator, mapping.encoding, mapping.repeated,
// mapping.header_line, mapping.certificate_by, mapping.no_columns. A file of
// more than 1 MiB is mapping.too_large.
func LoadMapping(r io.Reader) (*Mapping, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxMapping+1))
	switch {
	case err != nil:
		return nil, err // the reader is the caller's
	case len(data) > maxMapping:
		return nil, invalid("mapping.too_large", "limite", number(maxMapping))
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if err := checkJSON(data); err != nil {
		return nil, err
	}
	d := mappingDecoder{m: &Mapping{Repeated: Refuse, Columns: map[Target]Source{}}}
	d.file(data)
	if err := fault.WithProblems("mapping.invalid", d.problems); err != nil {
		return nil, err
	}
	return d.m, nil
}

// checkJSON tells the line of what is no JSON in UTF-8.
func checkJSON(data []byte) error {
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return syntaxFault(data, at, nil)
		}
		at += size
	}
	var whole json.RawMessage
	err := json.Unmarshal(data, &whole)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return syntaxFault(data, int(syntax.Offset), err)
	}
	if err != nil {
		return syntaxFault(data, 0, err)
	}
	return nil
}

func syntaxFault(data []byte, at int, cause error) error {
	line := 1 + bytes.Count(data[:min(at, len(data))], []byte("\n"))
	f := invalid("mapping.syntax", "linha", number(line))
	if cause != nil {
		f = f.Because(cause)
	}
	return f
}

// mappingDecoder reads well-formed JSON into m and collects what is wrong.
type mappingDecoder struct {
	m        *Mapping
	problems []fault.Problem
}

func (d *mappingDecoder) add(field, code string, args ...string) {
	d.problems = append(d.problems, fault.Problem{Field: field, Code: code, Args: fault.Pairs(args...)})
}

// parsed adds a parser's fault as a problem.
func (d *mappingDecoder) parsed(field string, err error) {
	if f := fault.Of(err); f != nil {
		d.problems = append(d.problems, fault.Problem{Field: field, Code: f.Key, Args: f.Args})
	}
}

// members calls each for every member of an object, in order; a repeated or
// wrongly typed one is a problem.
func (d *mappingDecoder) members(field string, data []byte, each func(key string, value json.RawMessage)) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		d.add(field, "mapping.type", "tipo", "{ }")
		return
	}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		key, ok := token.(string)
		var value json.RawMessage
		if err != nil || !ok || dec.Decode(&value) != nil {
			d.add(field, "mapping.type", "tipo", "{ }")
			return
		}
		if seen[key] {
			d.add(joinField(field, key), "mapping.repeated_key", "chave", excerpt(key))
			continue
		}
		seen[key] = true
		each(key, value)
	}
}

func joinField(parent, key string) string {
	if parent == "" {
		return excerpt(key)
	}
	return parent + "." + excerpt(key)
}

// text reads a string.
func (d *mappingDecoder) text(field string, value json.RawMessage) string {
	var s *string
	if err := json.Unmarshal(value, &s); err != nil || s == nil {
		d.add(field, "mapping.type", "tipo", "\" \"")
		return ""
	}
	return *s
}

func (d *mappingDecoder) file(data []byte) {
	d.members("", data, func(key string, value json.RawMessage) {
		var err error
		switch key {
		case "planilha":
			d.m.Sheet = strings.TrimSpace(d.text(key, value))
		case "cabecalho":
			if json.Unmarshal(value, &d.m.HeaderLine) != nil || d.m.HeaderLine < 1 || d.m.HeaderLine > maxHeaderLine {
				d.add(key, "mapping.header_line", "limite", number(maxHeaderLine))
			}
		case "separador":
			if s := d.text(key, value); s != "" {
				d.m.Separator, err = ParseSeparator(s)
			}
		case "codificacao":
			if s := d.text(key, value); s != "" {
				d.m.Encoding, err = ParseEncoding(s)
			}
		case "repetidos":
			d.m.Repeated = Repeated(d.text(key, value))
			if d.m.Repeated != Merge && d.m.Repeated != Refuse {
				d.add(key, "mapping.repeated", "valor", excerpt(string(d.m.Repeated)))
			}
		case "colunas":
			d.columns(key, value)
		case "certificado_por":
			d.certificateBy(key, value)
		default:
			d.add(excerpt(key), "mapping.unknown_key", "chave", excerpt(key))
		}
		d.parsed(key, err)
	})
	if len(d.m.Columns) == 0 && len(d.problems) == 0 {
		d.add("colunas", "mapping.no_columns")
	}
}

func (d *mappingDecoder) columns(field string, data []byte) {
	d.members(field, data, func(key string, value json.RawMessage) {
		path := joinField(field, key)
		if !slices.Contains(targets, Target(key)) {
			d.unknownTarget(path, key)
			return
		}
		d.m.Columns[Target(key)] = d.source(path, value)
	})
}

func (d *mappingDecoder) unknownTarget(path, key string) {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = string(t)
	}
	if likely := near(key, names); len(likely) > 0 {
		d.add(path, "mapping.unknown_target_near", "chave", excerpt(key), "proximos", quoteList(likely))
		return
	}
	d.add(path, "mapping.unknown_target", "chave", excerpt(key))
}

func (d *mappingDecoder) source(path string, data []byte) Source {
	var s Source
	filled, given := 0, 0
	d.members(path, data, func(key string, value json.RawMessage) {
		given++
		var place *string
		switch key {
		case "coluna":
			place = &s.Column
		case "valor":
			place = &s.Value
		case "modelo":
			place = &s.Template
		default:
			d.add(joinField(path, key), "mapping.unknown_key", "chave", excerpt(key))
			return
		}
		if *place = strings.TrimSpace(d.text(joinField(path, key), value)); *place != "" {
			filled++
		}
	})
	if filled != 1 || given != 1 {
		d.add(path, "mapping.source")
	}
	if _, err := parseTemplate(s.Template); err != nil {
		d.parsed(path+".modelo", err)
	}
	return s
}

func (d *mappingDecoder) certificateBy(field string, data []byte) {
	var names []string
	if err := json.Unmarshal(data, &names); err != nil {
		d.add(field, "mapping.type", "tipo", "[ \" \" ]")
		return
	}
	for _, name := range names {
		if name = brasil.Squeeze(name); name == "" || slices.Contains(d.m.CertificateBy, name) {
			d.add(field, "mapping.certificate_by", "valor", excerpt(name))
			continue
		}
		d.m.CertificateBy = append(d.m.CertificateBy, name)
	}
}
