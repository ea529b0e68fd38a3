package sheet

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	errRowOrder = errors.New("the rows are not in order")
	errCellName = errors.New("a cell has an impossible name")
)

// sheetRows streams the rows of one worksheet.
type sheetRows struct {
	book   *workbook
	part   *xmlPart
	limits Limits
	line   int
	done   bool
}

// cell is a <c> that is being read.
type cell struct {
	column  int // from 0
	kind    string
	style   int
	value   []byte
	inValue bool
	hasV    bool
	formula bool
	text    richText // of an inline string
}

// next returns the next <row>, or io.EOF once the whole part has been read, so
// that its checksum has been compared.
func (s *sheetRows) next() (rawRow, error) {
	for {
		token, err := s.part.next()
		if err != nil {
			return rawRow{}, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch {
			case e.Name.Local == "row" && !s.done:
				return s.row(e)
			}
		case xml.EndElement:
			s.done = s.done || e.Name.Local == "sheetData"
		}
	}
}

func (s *sheetRows) row(start xml.StartElement) (rawRow, error) {
	line := s.line + 1
	if r := attr(start, "r"); r != "" {
		n, err := strconv.Atoi(r)
		if err != nil || n < line {
			return rawRow{}, damaged(s.part.name, errRowOrder)
		}
		line = n
	}
	s.line = line
	row := rawRow{line: line}
	column := -1
	for {
		token, err := s.part.next()
		if err != nil {
			return rawRow{}, s.cut(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if e.Name.Local != "c" {
				continue
			}
			c, err := s.cell(e, column)
			if err != nil {
				return rawRow{}, err
			}
			column = c.column
			if err := s.put(&row, c); err != nil {
				return rawRow{}, err
			}
		case xml.EndElement:
			if e.Name.Local == "row" {
				return row, nil
			}
		}
	}
}

// cut makes an end inside a row the damage it is.
func (s *sheetRows) cut(err error) error {
	if errors.Is(err, io.EOF) {
		return damaged(s.part.name, io.ErrUnexpectedEOF)
	}
	return err
}

// cell reads to the end of a <c>; before is the column of the one before it.
func (s *sheetRows) cell(start xml.StartElement, before int) (cell, error) {
	c := cell{column: before + 1, kind: attr(start, "t")}
	if name := attr(start, "r"); name != "" {
		column, ok := cellColumn(name)
		if !ok {
			return c, damaged(s.part.name, errCellName)
		}
		c.column = column
	}
	if style := attr(start, "s"); style != "" {
		c.style, _ = strconv.Atoi(style) // an unknown style is no style
	}
	for {
		token, err := s.part.next()
		if err != nil {
			return c, s.cut(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			c.text.start(e.Name.Local)
			switch e.Name.Local {
			case "v":
				c.inValue, c.hasV = true, true
			case "f":
				c.formula = true
			}
		case xml.EndElement:
			c.text.end(e.Name.Local)
			switch e.Name.Local {
			case "v":
				c.inValue = false
			case "c":
				return c, nil
			}
		case xml.CharData:
			if c.inValue {
				c.value = append(c.value, e...)
			}
			c.text.add(e)
		}
		if len(c.value) > maxToken || len(c.text.text) > maxToken {
			return c, cellTooLong(s.line, s.limits)
		}
	}
}

// put writes the cell's text into the row.
func (s *sheetRows) put(row *rawRow, c cell) error {
	text, code, err := s.text(c)
	if err != nil {
		return s.part.failed(err)
	}
	if text == "" && code == "" {
		return nil
	}
	if c.column >= s.limits.Columns {
		return tooManyColumns(s.line, s.limits)
	}
	if len(text) > s.limits.Cell && utf8.RuneCountInString(text) > s.limits.Cell {
		return cellTooLong(s.line, s.limits)
	}
	if code != "" {
		row.flaws = append(row.flaws, flaw{column: c.column, code: code, value: excerpt(text)})
	}
	if n := c.column + 1 - len(row.cells); n > 0 {
		row.cells = append(slices.Grow(row.cells, n), make([]string, n)...)
	}
	row.cells[c.column] = text
	return nil
}

// text is what a cell says (ECMA-376-1, 18.18.11), and the code of what is wrong with it.
func (s *sheetRows) text(c cell) (text, code string, err error) {
	if c.formula && !c.hasV {
		return "", "sheet.formula_empty", nil
	}
	switch c.kind {
	case "s":
		if len(c.value) == 0 {
			return "", "", nil
		}
		text, err = s.book.strings.at(c.value)
		return text, "", err
	case "inlineStr":
		return string(unescape(c.text.text)), "", nil
	case "str":
		return string(unescape(c.value)), "", nil
	case "b":
		if isTrue(string(c.value)) {
			return "sim", "", nil
		}
		return "não", "", nil
	case "e":
		return string(c.value), "sheet.cell_error", nil
	case "d":
		return strings.TrimSuffix(string(c.value), "T00:00:00"), "", nil
	}
	return s.book.numberText(string(c.value), c.style), "", nil
}

// cellColumn reads the column of a cell's name, from 0: "AB12" is 27.
func cellColumn(name string) (int, bool) {
	n := 0
	for i := range len(name) {
		c := name[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			return n - 1, i > 0
		}
		if n = n*26 + int(c-'A') + 1; n > 1<<20 {
			return 0, false
		}
	}
	return n - 1, n > 0
}
