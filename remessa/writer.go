package remessa

import (
	"archive/zip"
	"compress/flate"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"time"

	"selo/certificate"
)

// Names of the three entries of a bundle.
const (
	revisionsName = "revisoes.ndjson"
	manifestName  = "manifest.json"
	signatureName = "assinatura"
)

// Writer writes one bundle as a stream; its memory does not grow with the content.
type Writer struct {
	zip      *zip.Writer
	lines    io.Writer
	sum      hash.Hash
	manifest Manifest
	key      ed25519.PrivateKey
	err      error
}

// NewWriter begins a bundle on w, to be signed with key.
func NewWriter(w io.Writer, head Head, key ed25519.PrivateKey) *Writer {
	z := zip.NewWriter(w)
	// Revisions repeat themselves so much that the fastest level compresses well.
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestSpeed)
	})
	lines, err := z.CreateHeader(&zip.FileHeader{Name: revisionsName, Method: zip.Deflate})
	return &Writer{
		zip: z, lines: lines, sum: sha256.New(), key: key, err: err,
		manifest: Manifest{
			Previous: head.Previous, Scope: head.Scope, Format: FormatVersion, Body: head.Body,
			PreparedAt: head.PreparedAt.UTC().Truncate(time.Second), Sequence: head.Sequence,
		},
	}
}

// Add writes one revision's canonical JSON. Companies come first, then
// products, then certificates: what is referred to before what refers to it.
func (w *Writer) Add(kind certificate.Kind, canonical []byte) error {
	if w.err != nil {
		return w.err
	}
	w.manifest.Counts.Add(kind, 1)
	w.manifest.Size += int64(len(canonical)) + 1
	for _, part := range [][]byte{canonical, {'\n'}} {
		w.sum.Write(part)
		if _, w.err = w.lines.Write(part); w.err != nil {
			w.err = fmt.Errorf("write revision to bundle: %w", w.err)
			return w.err
		}
	}
	return nil
}

// Close writes manifest and signature and returns the digest that identifies the bundle.
// It does not close the underlying writer.
func (w *Writer) Close() (Manifest, Digest, error) {
	if w.err != nil {
		return Manifest{}, Digest{}, w.err
	}
	w.manifest.Content = Digest(w.sum.Sum(nil))
	data, digest, err := w.manifest.Encode()
	if err != nil {
		return Manifest{}, Digest{}, err
	}
	typ := typeRemessa
	if w.manifest.Scope == Base {
		typ = typeBase
	}
	signature, err := sign(typ, data, w.key)
	if err != nil {
		return Manifest{}, Digest{}, err
	}
	for _, e := range []struct {
		name string
		data []byte
	}{{manifestName, data}, {signatureName, []byte(signature)}} {
		f, err := w.zip.CreateHeader(&zip.FileHeader{Name: e.name, Method: zip.Store})
		if err == nil {
			_, err = f.Write(e.data)
		}
		if err != nil {
			return Manifest{}, Digest{}, fmt.Errorf("write %s to bundle: %w", e.name, err)
		}
	}
	if err := w.zip.Close(); err != nil {
		return Manifest{}, Digest{}, fmt.Errorf("finish bundle: %w", err)
	}
	return w.manifest, digest, nil
}
