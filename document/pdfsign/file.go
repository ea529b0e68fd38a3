package pdfsign

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"selo/fault"
)

const (
	maxSections = 1000    // cross-reference sections, one for each update
	maxObjects  = 1 << 20 // entries of all sections
	maxInflated = 64 << 20
	maxRead     = 2 * MaxSize // bytes, of objects that are read again and again
	tail        = 2048        // bytes at the end among which startxref stands
)

// entry says where an object is: at an offset, or inside an object stream.
type entry struct {
	kind   byte // 0 free, 1 at an offset, 2 in a stream
	offset int  // or the stream's number
	gen    int
}

// file is a PDF that is read as far as needed.
type file struct {
	data    []byte
	entries map[int]entry
	trailer *dict // the newest
	size    int   // one more than the highest object number
	start   int   // offset of the newest section
	streams bool  // the newest section is a stream

	inflated int            // bytes, against bombs
	read     int            // bytes, against objects that lead to each other
	packed   map[int]packed // object streams that were opened
}

// packed is an opened object stream: where in data each object begins.
type packed struct {
	data []byte
	at   map[int]int
}

// damaged is the fault of a PDF that cannot be read.
func damaged(format string, args ...any) error {
	return fault.New(fault.Invalid, "pdfsign.damaged").Because(fmt.Errorf(format, args...))
}

// open reads the cross-reference of a PDF.
func open(data []byte) (*file, error) {
	if len(data) > MaxSize {
		return nil, fault.New(fault.Invalid, "pdfsign.size", "limite", fmt.Sprint(MaxSize))
	}
	if !bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")) {
		return nil, fault.New(fault.Invalid, "pdfsign.not_pdf")
	}
	f := &file{data: data, entries: map[int]entry{}, packed: map[int]packed{}}
	from := max(0, len(data)-tail)
	at := bytes.LastIndex(data[from:], []byte("startxref"))
	if at < 0 {
		return nil, damaged("no startxref")
	}
	l := &lexer{data: data, pos: from + at + len("startxref")}
	start, err := l.number()
	if err != nil {
		return nil, damaged("startxref names no offset")
	}
	f.start = start
	if err := f.sections(start); err != nil {
		return nil, err
	}
	if f.trailer.get("Encrypt") != nil {
		return nil, fault.New(fault.Invalid, "pdfsign.encrypted")
	}
	size, ok := integer(f.trailer.get("Size"))
	if !ok || size < 1 || size > 8*maxObjects {
		return nil, damaged("trailer has no size")
	}
	f.size = size
	for n := range f.entries {
		f.size = max(f.size, n+1) // some writers count wrong
	}
	return f, nil
}

// sections reads the newest section and all before it. What is newer counts.
func (f *file) sections(start int) error {
	seen := map[int]bool{}
	for next := start; ; {
		if seen[next] || len(seen) > maxSections {
			return damaged("cross-reference sections go round")
		}
		seen[next] = true
		trailer, stream, err := f.section(next)
		if err != nil {
			return err
		}
		if f.trailer == nil {
			f.trailer, f.streams = trailer, stream
		}
		if hybrid, ok := integer(trailer.get("XRefStm")); ok && !stream && !seen[hybrid] {
			seen[hybrid] = true
			if _, _, err := f.section(hybrid); err != nil {
				return err
			}
		}
		prev, ok := integer(trailer.get("Prev"))
		if !ok {
			return nil
		}
		next = prev
	}
}

// section reads one section, a table or a stream.
func (f *file) section(offset int) (trailer *dict, stream bool, err error) {
	if offset < 0 || offset >= len(f.data) {
		return nil, false, damaged("section lies outside")
	}
	l := &lexer{data: f.data, pos: offset}
	if l.keyword("xref") {
		trailer, err = f.table(l)
		return trailer, false, err
	}
	d, data, err := f.streamAt(l, -1)
	if err != nil {
		return nil, false, err
	}
	if d.get("Type") != name("XRef") {
		return nil, false, damaged("no cross-reference where one should be")
	}
	return d, true, f.xrefStream(d, data)
}

func (f *file) table(l *lexer) (*dict, error) {
	for !l.keyword("trailer") {
		first, err1 := l.number()
		count, err2 := l.number()
		if err1 != nil || err2 != nil || count > maxObjects || first > maxObjects {
			return nil, damaged("cross-reference table")
		}
		for i := range count {
			offset, err1 := l.number()
			gen, err2 := l.number()
			l.space()
			kind := l.word()
			if err1 != nil || err2 != nil || kind != "n" && kind != "f" {
				return nil, damaged("entry of a cross-reference table")
			}
			e := entry{offset: offset, gen: gen}
			if kind == "n" {
				e.kind = 1
			}
			if err := f.add(first+i, e); err != nil {
				return nil, err
			}
		}
	}
	o, err := l.object(0)
	d, ok := o.(*dict)
	if err != nil || !ok {
		return nil, damaged("no trailer")
	}
	return d, nil
}

// add takes an entry unless a newer one is there.
func (f *file) add(num int, e entry) error {
	if _, newer := f.entries[num]; newer {
		return nil
	}
	if len(f.entries) >= maxObjects {
		return damaged("too many objects")
	}
	f.entries[num] = e
	return nil
}

// xrefStream reads the entries of a cross-reference stream (7.5.8).
func (f *file) xrefStream(d *dict, data []byte) error {
	widths, ok := integers(d.get("W"))
	size, okSize := integer(d.get("Size"))
	if !ok || !okSize || len(widths) != 3 || widths[0] > 4 || widths[1] > 8 || widths[2] > 8 {
		return damaged("cross-reference stream")
	}
	index, ok := integers(d.get("Index"))
	if !ok {
		index = []int{0, size}
	}
	width := widths[0] + widths[1] + widths[2]
	if width == 0 || len(index)%2 != 0 {
		return damaged("cross-reference stream")
	}
	for i := 0; i < len(index); i += 2 {
		if index[i] > maxObjects || index[i+1] > maxObjects {
			return damaged("cross-reference stream")
		}
		for n := range index[i+1] {
			if len(data) < width {
				return damaged("cross-reference stream is too short")
			}
			e := entry{kind: 1}
			if widths[0] > 0 {
				kind := number(data[:widths[0]])
				if kind < 0 || kind > 2 {
					kind = 0 // to be taken for an absent object
				}
				e.kind = byte(kind)
			}
			e.offset = number(data[widths[0] : widths[0]+widths[1]])
			e.gen = number(data[widths[0]+widths[1] : width])
			if e.kind == 2 {
				e.gen = 0 // there it is the index, which is not needed
			}
			if err := f.add(index[i]+n, e); err != nil {
				return err
			}
			data = data[width:]
		}
	}
	return nil
}

// number reads a big-endian number; one that is too large for an offset is -1.
func number(b []byte) int {
	n := 0
	for _, c := range b {
		if n > MaxSize {
			return -1
		}
		n = n<<8 | int(c)
	}
	return n
}

func integers(o object) ([]int, bool) {
	list, ok := o.(array)
	var out []int
	for _, v := range list {
		n, isInt := integer(v)
		if !isInt || n < 0 {
			return nil, false
		}
		out = append(out, n)
	}
	return out, ok
}

// streamAt reads the indirect object at l, which must be a stream, and inflates it.
func (f *file) streamAt(l *lexer, want int) (*dict, []byte, error) {
	o, _, err := f.indirect(l, want)
	d, ok := o.(*dict)
	if err != nil || !ok || !l.keyword("stream") {
		return nil, nil, damaged("no stream where one should be")
	}
	if l.has("\r\n") {
		l.pos += 2
	} else if l.has("\n") {
		l.pos++
	}
	length, err := f.resolve(d.get("Length"))
	if err != nil {
		return nil, nil, err
	}
	n, ok := integer(length)
	if !ok || n < 0 || n > len(l.data)-l.pos {
		return nil, nil, damaged("stream without length")
	}
	data, err := f.inflate(d, l.data[l.pos:l.pos+n])
	return d, data, err
}

// indirect reads "12 0 obj" and the object; want -1 takes any number.
func (f *file) indirect(l *lexer, want int) (object, int, error) {
	num, err1 := l.number()
	gen, err2 := l.number()
	if err1 != nil || err2 != nil || !l.keyword("obj") || want >= 0 && num != want {
		return nil, 0, damaged("no object %d where it should be", want)
	}
	o, err := f.object(l)
	if err != nil {
		return nil, 0, damaged("object %d: %w", num, err)
	}
	return o, gen, nil
}

// object reads an object and counts what that took.
func (f *file) object(l *lexer) (object, error) {
	from := l.pos
	o, err := l.object(0)
	if f.read += l.pos - from; err == nil && f.read > maxRead {
		err = errSyntax
	}
	return o, err
}

// inflate undoes FlateDecode and its predictors, which is what structures are
// packed with; the contents of pages are never looked at.
func (f *file) inflate(d *dict, raw []byte) ([]byte, error) {
	filter, parms := d.get("Filter"), d.get("DecodeParms")
	if list, ok := filter.(array); ok {
		if len(list) > 1 {
			return nil, damaged("a structure is packed twice")
		}
		filter = nil
		if len(list) == 1 {
			filter = list[0]
		}
		if p, ok := parms.(array); ok && len(p) > 0 {
			parms = p[0]
		}
	}
	if filter == nil {
		return raw, nil
	}
	if filter != name("FlateDecode") && filter != name("Fl") {
		return nil, damaged("a structure is packed in an unusual way")
	}
	z, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, damaged("a structure cannot be unpacked")
	}
	data, err := io.ReadAll(io.LimitReader(z, int64(maxInflated-f.inflated)+1))
	f.inflated += len(data)
	if f.inflated > maxInflated {
		return nil, damaged("structures are too large")
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, zlib.ErrChecksum) {
		return nil, damaged("a structure cannot be unpacked")
	}
	p, ok := parms.(*dict)
	if !ok {
		return data, nil
	}
	return unpredict(p, data)
}
