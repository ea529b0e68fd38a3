package sheet

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Encoding is how the letters of a CSV are written. The zero value is detected:
// by its mark (BOM), else UTF-8 when every byte of the file fits, else Windows-1252.
type Encoding string

// The encodings. Latin-1 is read as Windows-1252, which contains it.
const (
	UTF8        Encoding = "utf-8"
	UTF16LE     Encoding = "utf-16le"
	UTF16BE     Encoding = "utf-16be"
	Windows1252 Encoding = "windows-1252"
	CodePage850 Encoding = "cp850" // DOS; never detected, only named
)

// encodingNames are the ways people write them in a mapping file, in lower case.
var encodingNames = map[string]Encoding{
	"utf-8": UTF8, "utf8": UTF8,
	"utf-16le": UTF16LE, "utf-16be": UTF16BE,
	"windows-1252": Windows1252, "cp1252": Windows1252, "ansi": Windows1252,
	"latin-1": Windows1252, "latin1": Windows1252, "iso-8859-1": Windows1252,
	"cp850": CodePage850,
}

// ParseEncoding reads an encoding's name. Fault: mapping.encoding.
func ParseEncoding(s string) (Encoding, error) {
	e, ok := encodingNames[strings.ToLower(strings.TrimSpace(s))]
	if !ok {
		return "", invalid("mapping.encoding", "valor", excerpt(s))
	}
	return e, nil
}

func (e Encoding) decoder() *encoding.Decoder {
	switch e {
	case UTF16LE:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	case UTF16BE:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	case Windows1252:
		return charmap.Windows1252.NewDecoder()
	case CodePage850:
		return charmap.CodePage850.NewDecoder()
	default:
		return encoding.Nop.NewDecoder()
	}
}

// marks are the BOMs.
var marks = []struct {
	mark     string
	encoding Encoding
}{
	{"\xef\xbb\xbf", UTF8},
	{"\xff\xfe", UTF16LE},
	{"\xfe\xff", UTF16BE},
}

// textFile is the content with its encoding settled; its mark is skipped.
type textFile struct {
	in       *input
	encoding Encoding
	skip     int64
}

// reader decodes the content to UTF-8, from its beginning.
func (t textFile) reader() io.Reader {
	raw := io.NewSectionReader(t.in, t.skip, t.in.size-t.skip)
	if t.encoding == UTF8 {
		return raw
	}
	return transform.NewReader(raw, t.encoding.decoder())
}

// settle finds the encoding by reading the whole file once. A mark wins over
// the encoding that the mapping names.
//
// Faults: sheet.binary (bytes that no text has), sheet.encoding (the file is
// meant as UTF-8 or Windows-1252 and breaks its rules; linha says where).
func (in *input) settle(named Encoding) (textFile, error) {
	t := textFile{in: in, encoding: named}
	begin := make([]byte, 3)
	n, err := in.ReadAt(begin, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return t, fmt.Errorf("read sheet %s: %w", in.name, err)
	}
	for _, m := range marks {
		if strings.HasPrefix(string(begin[:n]), m.mark) {
			t.encoding, t.skip = m.encoding, int64(len(m.mark))
		}
	}
	if t.encoding == UTF16LE || t.encoding == UTF16BE {
		if (in.size-t.skip)%2 != 0 {
			return t, damaged(string(t.encoding), nil)
		}
		return t, nil
	}
	found, err := in.survey(t.skip)
	if err != nil {
		return t, err
	}
	return t, t.judge(found)
}

// judge completes the encoding by what the survey found.
func (t *textFile) judge(found survey) error {
	if found.zeros {
		return invalid("sheet.binary", "arquivo", t.in.name)
	}
	if t.encoding == "" {
		t.encoding = UTF8
		// Letters of Windows-1252 hardly ever make a valid UTF-8 sequence: a
		// file with more valid than broken ones is UTF-8 that was damaged.
		if found.broken > found.valid {
			t.encoding = Windows1252
		}
	}
	line := 0
	switch t.encoding {
	case UTF8:
		line = found.brokenLine
	case Windows1252:
		line = found.unusedLine
	}
	if line > 0 {
		return invalid("sheet.encoding", "arquivo", t.in.name, "linha", number(line), "codificacao", string(t.encoding))
	}
	return nil
}

// survey is what the bytes of a file look like, read as UTF-8.
type survey struct {
	valid      int  // sequences of several bytes that are right
	broken     int  // bytes that belong to no sequence
	brokenLine int  // of the first, from 1; 0: none
	unusedLine int  // of the first broken byte that Windows-1252 does not use either
	zeros      bool // there are zero bytes
	line       int
}

func (in *input) survey(skip int64) (survey, error) {
	found := survey{line: 1}
	content := io.NewSectionReader(in, skip, in.size-skip)
	buf := make([]byte, 64<<10)
	kept := 0
	for {
		n, err := content.Read(buf[kept:])
		if err != nil && !errors.Is(err, io.EOF) {
			return found, fmt.Errorf("read sheet %s: %w", in.name, err)
		}
		end := errors.Is(err, io.EOF)
		rest := found.add(buf[:kept+n], end)
		if end || found.zeros {
			return found, nil
		}
		kept = copy(buf, rest)
	}
}

// add looks at more bytes; it returns those of a sequence that is not whole yet.
func (s *survey) add(b []byte, end bool) []byte {
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if c == '\n' {
				s.line++
			}
			s.zeros = s.zeros || c == 0
			i++
			continue
		}
		if !end && !utf8.FullRune(b[i:]) {
			return b[i:]
		}
		r, size := utf8.DecodeRune(b[i:])
		i += size
		if r != utf8.RuneError || size > 1 {
			s.valid++
			continue
		}
		s.broken++
		if s.brokenLine == 0 {
			s.brokenLine = s.line
		}
		if s.unusedLine == 0 && (c == 0x81 || c == 0x8d || c == 0x8f || c == 0x90 || c == 0x9d) {
			s.unusedLine = s.line
		}
	}
	return nil
}
