package sheet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// input is the bytes of one file, with the context that may end the reading.
type input struct {
	ctx  context.Context // one reading from open to close has one context
	r    io.ReaderAt
	size int64
	name string
}

// ReadAt serves archive/zip.
func (in *input) ReadAt(p []byte, off int64) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, fmt.Errorf("read sheet %s: %w", in.name, err)
	}
	return in.r.ReadAt(p, off)
}

// bytes reads the content from its beginning.
func (in *input) bytes() *io.SectionReader { return io.NewSectionReader(in, 0, in.size) }

// Beginnings of files that people send under the name of a spreadsheet.
var magics = []struct{ begin, format string }{
	{"%PDF", "PDF"},
	{"\x1f\x8b", "GZIP"},
	{"Rar!", "RAR"},
	{"7z\xbc\xaf", "7z"},
	{"\x89PNG", "PNG"},
	{"\xff\xd8\xff", "JPEG"},
	{"{\\rtf", "RTF"},
	{"SQLite format 3", "SQLite"},
	{"\x00\x01\x00\x00Standard", "Access"},
}

// Beginnings of text, in lower case, after white space.
var markups = []struct{ begin, format string }{
	{"<!doctype html", "HTML"},
	{"<html", "HTML"},
	{"<table", "HTML"},
	{"<head", "HTML"},
	{"<meta", "HTML"},
	{"<?xml", "XML"},
}

const (
	zipMagic = "PK\x03\x04"
	zipEmpty = "PK\x05\x06"
	oleMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" // compound file: XLS, or an encrypted XLSX
)

// sniff tells the format by the first bytes; the name says nothing.
func (in *input) sniff() (Format, error) {
	begin := make([]byte, 512)
	n, err := io.ReadFull(in.bytes(), begin)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("read sheet %s: %w", in.name, err)
	}
	begin = begin[:n]
	switch {
	case len(bytes.TrimLeft(begin, " \t\r\n\ufeff")) == 0 && in.size <= int64(len(begin)):
		return "", invalid("sheet.empty", "arquivo", in.name)
	case bytes.HasPrefix(begin, []byte(zipMagic)):
		return XLSX, nil
	case bytes.HasPrefix(begin, []byte(zipEmpty)):
		return "", in.otherFormat("ZIP")
	case bytes.HasPrefix(begin, []byte(oleMagic)):
		return "", in.compoundFile()
	}
	for _, m := range magics {
		if bytes.HasPrefix(begin, []byte(m.begin)) {
			return "", in.otherFormat(m.format)
		}
	}
	text := strings.ToLower(string(bytes.TrimLeft(begin, " \t\r\n\ufeff")))
	for _, m := range markups {
		if strings.HasPrefix(text, m.begin) {
			return "", in.otherFormat(m.format)
		}
	}
	return CSV, nil
}

func (in *input) otherFormat(format string) error {
	return invalid("sheet.format", "arquivo", in.name, "formato", format)
}

// compoundFile tells an encrypted workbook from an old XLS: the first holds a
// stream named EncryptedPackage (MS-OFFCRYPTO 2.3.4.4), in UTF-16.
func (in *input) compoundFile() error {
	var name []byte
	for _, c := range []byte("EncryptedPackage") {
		name = append(name, c, 0)
	}
	content := in.bytes()
	buf := make([]byte, 64<<10)
	kept := 0
	for {
		n, err := content.Read(buf[kept:])
		if bytes.Contains(buf[:kept+n], name) {
			return invalid("sheet.encrypted", "arquivo", in.name)
		}
		if errors.Is(err, io.EOF) {
			return in.otherFormat("XLS")
		}
		if err != nil {
			return fmt.Errorf("read sheet %s: %w", in.name, err)
		}
		end := kept + n
		kept = min(end, len(name)-1)
		copy(buf, buf[end-kept:end])
	}
}
