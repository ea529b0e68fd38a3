package sheet

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"selo/brasil"
)

// maxDirectory bounds the list of files inside a workbook, in bytes: some
// ten thousand files.
const maxDirectory = 4 << 20

var errDirectory = errors.New("the list of files inside is too long")

// workbook is an open XLSX: its parts by name and what the sheets need.
type workbook struct {
	in      *input
	parts   map[string]*zip.File
	budget  *budget
	main    string // name of the workbook part
	sheets  []sheetEntry
	formats []cellFormat // by index of the cell's style
	epoch   epoch
	strings *stringTable
	rows    *sheetRows
}

type sheetEntry struct {
	name   string
	rel    string
	hidden bool
}

// openXLSX opens the sheet that o names, or the first visible one.
//
// Faults: sheet.truncated, sheet.format, sheet.encrypted, sheet.unzipped, sheet.missing.
func openXLSX(in *input, o Options) (*workbook, error) {
	limit := min(o.Limits.Unzipped, max(minUnzipped, maxRatio*in.size))
	b := &workbook{in: in, budget: &budget{left: limit, limit: limit}, strings: &stringTable{}}
	if err := b.load(o); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *workbook) load(o Options) error {
	if err := b.list(); err != nil {
		return err
	}
	rels, err := b.relations("")
	if err != nil {
		return err
	}
	b.main = rels.first("/officeDocument", "xl/workbook.xml")
	if err := b.checkKind(); err != nil {
		return err
	}
	if err := b.readWorkbook(); err != nil {
		return err
	}
	if rels, err = b.relations(b.main); err != nil {
		return err
	}
	part, err := b.choose(o.Sheet, rels)
	if err != nil {
		return err
	}
	if err := b.readStyles(rels.first("/styles", "")); err != nil {
		return err
	}
	if err := b.readStrings(rels.first("/sharedStrings", "")); err != nil {
		return err
	}
	content, err := b.open(part)
	if err != nil {
		return err
	}
	b.rows = &sheetRows{book: b, part: content, limits: o.Limits}
	return nil
}

// list reads the directory of the ZIP.
func (b *workbook) list() error {
	counted := &countedReader{in: b.in, left: maxDirectory}
	z, err := zip.NewReader(counted, b.in.size)
	switch {
	case err == nil:
	case b.in.ctx.Err() != nil:
		return fmt.Errorf("read sheet %s: %w", b.in.name, b.in.ctx.Err())
	default:
		return damaged("ZIP", err)
	}
	counted.open = true
	b.parts = make(map[string]*zip.File, len(z.File))
	for _, f := range z.File {
		if f.Flags&1 != 0 {
			return invalid("sheet.encrypted", "arquivo", b.in.name)
		}
		b.parts[partName(f.Name)] = f
	}
	return nil
}

// partName is the key of a part: names compare without case (ECMA-376-2, 6.2.2.3).
func partName(s string) string {
	return strings.ToLower(strings.TrimLeft(strings.ReplaceAll(s, `\`, "/"), "/"))
}

// countedReader bounds what the directory of a ZIP may take to read, until it is open.
type countedReader struct {
	in   *input
	left int
	open bool
}

func (r *countedReader) ReadAt(p []byte, off int64) (int, error) {
	if !r.open {
		if r.left -= len(p); r.left < 0 {
			return 0, errDirectory
		}
	}
	return r.in.ReadAt(p, off)
}

// checkKind tells other ZIP files from an XLSX.
func (b *workbook) checkKind() error {
	if _, ok := b.parts[partName(b.main)]; ok && strings.HasSuffix(strings.ToLower(b.main), ".xml") &&
		!strings.HasPrefix(b.main, "word/") && !strings.HasPrefix(b.main, "ppt/") {
		return nil
	}
	has := func(name string) bool { _, ok := b.parts[name]; return ok }
	format := "ZIP"
	switch {
	case has("xl/workbook.bin"):
		format = "XLSB"
	case has("word/document.xml"):
		format = "DOCX"
	case has("ppt/presentation.xml"):
		format = "PPTX"
	case has("mimetype") && has("content.xml"):
		format = "ODS"
	}
	return b.in.otherFormat(format)
}

// open opens a part for reading. A part that says it is larger than what may
// still be unpacked is refused unread.
func (b *workbook) open(name string) (*xmlPart, error) {
	f, ok := b.parts[partName(name)]
	if !ok {
		return nil, damaged(name, errors.New("the part is missing"))
	}
	if f.UncompressedSize64 > uint64(max(b.budget.left, 0)) {
		return nil, unzipped(b.budget.limit)
	}
	content, err := f.Open()
	switch {
	case err == nil:
	case b.in.ctx.Err() != nil:
		return nil, fmt.Errorf("open part %s: %w", name, b.in.ctx.Err())
	default:
		return nil, damaged(name, err)
	}
	return newXMLPart(b.in.ctx, name, content, b.budget), nil
}

// each calls visit for every start tag of a part, with the name of its parent.
func (b *workbook) each(name string, visit func(parent string, e xml.StartElement)) error {
	part, err := b.open(name)
	if err != nil {
		return err
	}
	defer part.close()
	var path []string
	for {
		token, err := part.next()
		if err == io.EOF { //nolint:errorlint // as part.next says
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			parent := ""
			if len(path) > 0 {
				parent = path[len(path)-1]
			}
			visit(parent, e)
			path = append(path, e.Name.Local)
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
}

// relation is one entry of a .rels part.
type relation struct{ id, kind, target string }

type relations []relation

// first is the target of the first relation whose type ends so, or otherwise.
func (r relations) first(kind, otherwise string) string {
	for _, rel := range r {
		if strings.HasSuffix(rel.kind, kind) {
			return rel.target
		}
	}
	return otherwise
}

// relations reads those of a part; "" is the package. A missing .rels part has none.
func (b *workbook) relations(of string) (relations, error) {
	dir, base := path.Split(of)
	name := dir + "_rels/" + base + ".rels"
	if _, ok := b.parts[partName(name)]; !ok {
		return nil, nil // no relations is a list like others
	}
	var found relations
	err := b.each(name, func(_ string, e xml.StartElement) {
		if e.Name.Local != "Relationship" || strings.EqualFold(attr(e, "TargetMode"), "External") {
			return
		}
		target := attr(e, "Target")
		if !strings.HasPrefix(target, "/") {
			target = path.Join(dir, target)
		}
		found = append(found, relation{id: attr(e, "Id"), kind: attr(e, "Type"), target: strings.TrimLeft(target, "/")})
	})
	return found, err
}

func (b *workbook) readWorkbook() error {
	return b.each(b.main, func(parent string, e xml.StartElement) {
		switch {
		case e.Name.Local == "workbookPr":
			if isTrue(attr(e, "date1904")) {
				b.epoch = epoch1904
			}
		case e.Name.Local == "sheet" && parent == "sheets":
			state := attr(e, "state")
			b.sheets = append(b.sheets, sheetEntry{
				name: attr(e, "name"), rel: relID(e), hidden: state == "hidden" || state == "veryHidden",
			})
		}
	})
}

func isTrue(s string) bool { return s == "1" || s == "true" }

// choose finds the part of the sheet with that name.
func (b *workbook) choose(name string, rels relations) (string, error) {
	worksheets := map[string]string{}
	for _, rel := range rels {
		if strings.HasSuffix(rel.kind, "/worksheet") {
			worksheets[rel.id] = rel.target
		}
	}
	for _, s := range b.sheets {
		part, ok := worksheets[s.rel]
		if ok && (name == "" && !s.hidden || name != "" && sameName(s.name, name)) {
			return part, nil
		}
	}
	if name == "" {
		return "", invalid("sheet.empty", "arquivo", b.in.name)
	}
	return "", invalid("sheet.missing", "planilha", name, "existentes", quoteList(b.visible()))
}

// sameName compares names as people type them: accents, case and punctuation
// do not count, unless nothing else is there.
func sameName(a, b string) bool {
	if x, y := brasil.Fold(a), brasil.Fold(b); x != "" || y != "" {
		return x == y
	}
	return brasil.Squeeze(a) == brasil.Squeeze(b)
}

func (b *workbook) visible() []string {
	var names []string
	for _, s := range b.sheets {
		if !s.hidden {
			names = append(names, s.name)
		}
	}
	return names
}

func (b *workbook) next() (rawRow, error) { return b.rows.next() }

func (b *workbook) close() error {
	if b.rows != nil {
		b.rows.part.close()
	}
	return b.strings.close()
}
