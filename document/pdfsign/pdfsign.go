// Package pdfsign puts a signature into a PDF, and finds those that are in it.
//
// Prepare appends an incremental update (ISO 32000-1, 7.5.6) with a signature
// dictionary and room for a CMS; the bytes that were there stay as they are, so
// signatures that are there go on holding. The caller has the digest signed,
// wherever that is, and Embed puts the CMS in its room. The same PDF and options
// give the same bytes each time: nothing need be kept while a person is away to
// authorise the signature.
//
// It reads any PDF with a sound cross-reference, in tables, streams or both, and
// refuses with a clear fault what is encrypted or damaged; it mends nothing. It
// draws nothing: the signature is invisible on the page. It signs nothing and
// trusts nobody: see package cms.
//
// The reader is our own, of what a signature needs: catalogue, form and first
// page. pdfcpu reads PDFs too, but checks and mends whole documents, brings
// eight modules and some 5 MB, and writes a configuration folder into its user's home.
package pdfsign

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"selo/fault"
)

const (
	// MaxSize is the largest PDF, in bytes, that is read.
	MaxSize = 64 << 20
	// Reserve is the usual room for a CMS, in bytes: that of the gov.br manual's
	// sample, 18,944 hexadecimal digits.
	Reserve = 9472

	maxReserve = 64 << 10
)

// Options say how a signature stands in the PDF; the zero value is good.
type Options struct {
	Name   string // of the signer, for readers to show
	Reason string // why, in plain language
	Place  string
	// Reserve is the room for the CMS in bytes; zero is [Reserve], at most 64 KiB.
	Reserve int
	// Allow is what may be done after the first signature without breaking it
	// (DocMDP): 1 nothing, 2 fill in forms and sign, 3 annotate as well. Zero is
	// 2. Signatures after the first have none.
	Allow int
}

// Prepared is a PDF with room for one signature.
type Prepared struct {
	pdf      []byte
	from, to int // the room, with its angle brackets
}

// Prepare makes room for a signature in a PDF.
//
// Faults: Invalid pdfsign.size, pdfsign.not_pdf, pdfsign.encrypted,
// pdfsign.damaged, pdfsign.options; Conflict pdfsign.locked when an earlier
// signature allows no more.
func Prepare(pdf []byte, o Options) (*Prepared, error) {
	if o.Reserve == 0 {
		o.Reserve = Reserve
	}
	if o.Allow == 0 {
		o.Allow = 2
	}
	if o.Reserve < 0 || o.Reserve > maxReserve || o.Allow < 1 || o.Allow > 3 {
		return nil, fault.New(fault.Invalid, "pdfsign.options")
	}
	f, err := open(pdf)
	if err != nil {
		return nil, err
	}
	u := &update{file: f, next: f.size}
	if err := u.sign(o); err != nil {
		return nil, err
	}
	return u.finish()
}

// ByteRange returns what the signature covers: offset and length, twice.
func (p *Prepared) ByteRange() [4]int { return [4]int{0, p.from, p.to, len(p.pdf) - p.to} }

// Digest is the SHA-256 of what the signature covers: what is to be signed.
func (p *Prepared) Digest() [32]byte { return digest(p.pdf, p.from, p.to) }

func digest(pdf []byte, from, to int) [32]byte {
	h := sha256.New()
	h.Write(pdf[:from])
	h.Write(pdf[to:])
	return [32]byte(h.Sum(nil))
}

// Embed returns the signed PDF. It does not look into the CMS.
//
// Fault: Invalid pdfsign.space when it does not fit.
func (p *Prepared) Embed(cms []byte) ([]byte, error) {
	room := p.to - p.from - 2
	if hex.EncodedLen(len(cms)) > room || len(cms) == 0 {
		return nil, fault.New(fault.Invalid, "pdfsign.space", "bytes", fmt.Sprint(len(cms)), "limite", fmt.Sprint(room/2))
	}
	out := bytes.Clone(p.pdf)
	hex.Encode(out[p.from+1:], cms) // the rest of the room stays zeros
	return out, nil
}
