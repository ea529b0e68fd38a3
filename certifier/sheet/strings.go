package sheet

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxInMemory = 32 << 20 // bytes of shared strings before they move to a file
	maxStrings  = 16 << 20
)

var (
	errStrings   = errors.New("too many shared strings")
	errNoString  = errors.New("a cell names a shared string that does not exist")
	errBadString = errors.New("a cell names a shared string without a number")
)

// stringTable holds the shared strings of a workbook: few in memory, many in a
// temporary file.
type stringTable struct {
	ends   []int64 // where each string ends, in bytes
	memory []byte
	file   *os.File
	out    *bufio.Writer
}

func (t *stringTable) add(s []byte) error {
	if len(t.ends) == maxStrings {
		return errStrings
	}
	end := int64(len(s))
	if n := len(t.ends); n > 0 {
		end += t.ends[n-1]
	}
	t.ends = append(t.ends, end)
	if t.file == nil && len(t.memory)+len(s) <= maxInMemory {
		t.memory = append(t.memory, s...)
		return nil
	}
	if t.file == nil {
		if err := t.spill(); err != nil {
			return err
		}
	}
	if _, err := t.out.Write(s); err != nil {
		return fmt.Errorf("write shared strings: %w", err)
	}
	return nil
}

// spill moves what is in memory to a temporary file.
func (t *stringTable) spill() error {
	file, err := os.CreateTemp("", "selo-sheet-*")
	if err != nil {
		return fmt.Errorf("create file of shared strings: %w", err)
	}
	t.file, t.out = file, bufio.NewWriterSize(file, 256<<10)
	if _, err := t.out.Write(t.memory); err != nil {
		return fmt.Errorf("write shared strings: %w", err)
	}
	t.memory = nil
	return nil
}

// finish ends the adding.
func (t *stringTable) finish() error {
	if t.out == nil {
		return nil
	}
	if err := t.out.Flush(); err != nil {
		return fmt.Errorf("write shared strings: %w", err)
	}
	return nil
}

// at is string number i, as a cell writes the number.
func (t *stringTable) at(index []byte) (string, error) {
	i, err := strconv.Atoi(string(index))
	if err != nil {
		return "", errBadString
	}
	if i < 0 || i >= len(t.ends) {
		return "", errNoString
	}
	begin := int64(0)
	if i > 0 {
		begin = t.ends[i-1]
	}
	if t.file == nil {
		return string(t.memory[begin:t.ends[i]]), nil
	}
	b := make([]byte, t.ends[i]-begin)
	if _, err := t.file.ReadAt(b, begin); err != nil {
		return "", fmt.Errorf("read shared strings: %w", err)
	}
	return string(b), nil
}

func (t *stringTable) close() error {
	if t.file == nil {
		return nil
	}
	return errors.Join(t.file.Close(), os.Remove(t.file.Name()))
}

// readStrings reads the shared strings; a workbook need not have any.
func (b *workbook) readStrings(name string) error {
	if name == "" {
		return nil
	}
	part, err := b.open(name)
	if err != nil {
		return err
	}
	defer part.close()
	var text richText
	for {
		token, err := part.next()
		if err == io.EOF { //nolint:errorlint // as part.next says
			return b.strings.finish()
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			if e.Name.Local == "si" {
				text = richText{text: text.text[:0]}
			}
			text.start(e.Name.Local)
		case xml.EndElement:
			text.end(e.Name.Local)
			if e.Name.Local == "si" {
				if err := b.strings.add(unescape(text.text)); err != nil {
					return part.failed(err)
				}
			}
		case xml.CharData:
			text.add(e)
		}
	}
}

// richText collects the texts of a string item: all of its runs, but not the
// phonetic ones (ECMA-376-1, 18.4.8).
type richText struct {
	text     []byte
	inText   bool
	phonetic bool
}

func (t *richText) start(name string) {
	switch name {
	case "rPh":
		t.phonetic = true
	case "t":
		t.inText = true
	}
}

func (t *richText) end(name string) {
	switch name {
	case "rPh":
		t.phonetic = false
	case "t":
		t.inText = false
	}
}

func (t *richText) add(data []byte) {
	if t.inText && !t.phonetic {
		t.text = append(t.text, data...)
	}
}

// unescape resolves the escapes of ST_Xstring (ECMA-376-1, 22.9.2.19):
// "_x000D_" is a carriage return.
func unescape(b []byte) []byte {
	s := string(b)
	if !strings.Contains(s, "_x") {
		return b
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		if i+7 <= len(s) && s[i] == '_' && s[i+1] == 'x' && s[i+6] == '_' {
			if code, err := strconv.ParseUint(s[i+2:i+6], 16, 16); err == nil {
				out = utf8.AppendRune(out, rune(code))
				i += 7
				continue
			}
		}
		out = append(out, s[i])
		i++
	}
	return out
}
