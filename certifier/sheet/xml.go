package sheet

import (
	"bufio"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"selo/fault"
)

const (
	maxToken = 4 << 20 // bytes of one tag or text
	maxDepth = 64      // elements inside each other
)

var (
	errToken = errors.New("one tag or text of the XML is too long")
	errDepth = errors.New("the XML is too deep")
)

// budget is what the parts of one workbook may still unpack to, in bytes.
type budget struct {
	left, limit int64
}

// xmlPart reads the tokens of one part of a workbook. It is the byte reader of
// its own decoder, so that it sees every byte as it is needed.
type xmlPart struct {
	ctx    context.Context // that of the whole reading
	name   string
	file   io.Closer
	in     *bufio.Reader
	dec    *xml.Decoder
	budget *budget
	token  int // bytes since the last token
	depth  int
}

func newXMLPart(ctx context.Context, name string, content io.ReadCloser, b *budget) *xmlPart {
	p := &xmlPart{ctx: ctx, name: name, file: content, in: bufio.NewReaderSize(content, 64<<10), budget: b}
	p.dec = xml.NewDecoder(p)
	return p
}

// Read completes io.Reader; the decoder uses ReadByte.
func (p *xmlPart) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c, err := p.ReadByte()
	if err != nil {
		return 0, err
	}
	b[0] = c
	return 1, nil
}

// ReadByte reads one byte within the limits.
func (p *xmlPart) ReadByte() (byte, error) {
	if p.token++; p.token > maxToken {
		return 0, errToken
	}
	p.budget.left--
	switch {
	case p.budget.left < 0:
		return 0, unzipped(p.budget.limit)
	case p.budget.left&0xffff == 0 && p.ctx.Err() != nil:
		return 0, p.ctx.Err()
	}
	return p.in.ReadByte()
}

// next returns the next token, or io.EOF at the end of a well-formed part. The
// token is good until the next call. Faults: sheet.truncated, sheet.unzipped, sheet.text_too_long.
func (p *xmlPart) next() (xml.Token, error) {
	p.token = 0
	token, err := p.dec.Token()
	switch token.(type) {
	case xml.StartElement:
		if p.depth++; p.depth > maxDepth {
			return nil, damaged(p.name, errDepth)
		}
	case xml.EndElement:
		p.depth--
	}
	return token, p.failed(err)
}

func (p *xmlPart) failed(err error) error {
	switch {
	case err == nil, err == io.EOF: //nolint:errorlint // the decoder gives io.EOF itself, and a wrapped one is no end
		return err
	case fault.Of(err) != nil:
		return err
	case p.ctx.Err() != nil:
		return fmt.Errorf("read part %s: %w", p.name, p.ctx.Err())
	case errors.Is(err, errToken):
		return invalid("sheet.text_too_long", "parte", p.name, "limite", number(maxToken)).Because(err)
	default:
		return damaged(p.name, err)
	}
}

// close drops the error: the part was only read, and an unpacker repeats here
// what reading it has told already.
func (p *xmlPart) close() { _ = p.file.Close() }

func unzipped(limit int64) error {
	return invalid("sheet.unzipped", "limite", number(limit))
}

// attr is the value of the attribute with that local name, or "".
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// relID is the r:id attribute; its namespace differs between the two kinds of OOXML.
func relID(e xml.StartElement) string {
	for _, a := range e.Attr {
		if a.Name.Local == "id" && a.Name.Space != "" {
			return a.Value
		}
	}
	return ""
}
