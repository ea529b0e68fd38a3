package remessa

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"selo/certificate"
	"selo/fault"
)

// Limits bound what a bundle may hold; the zero value means [DefaultLimits].
type Limits struct {
	Content int64 // bytes of revisoes.ndjson
	Line    int   // bytes of one revision
	Ratio   int64 // content bytes per compressed byte
}

// DefaultLimits allow about five million products and certificates of 200,000 links.
var DefaultLimits = Limits{Content: 4 << 30, Line: 64 << 20, Ratio: 200}

const (
	maxManifest  = 64 << 10
	maxSignature = 128 << 10
	maxDirectory = 256 << 10 // read to find three entries; each claimed one would take memory
)

// directoryReader bounds what the reading of an archive's directory may read.
type directoryReader struct {
	io.ReaderAt
	left int
	done bool
}

// ReadAt implements io.ReaderAt.
func (d *directoryReader) ReadAt(p []byte, at int64) (int, error) {
	if !d.done {
		if d.left -= len(p); d.left < 0 {
			return 0, errors.New("the archive's directory is too long")
		}
	}
	return d.ReaderAt.ReadAt(p, at)
}

// Bundle is an opened bundle. Nothing in it may be trusted before [Bundle.Verify].
type Bundle struct {
	Manifest  Manifest
	Digest    Digest
	raw       []byte // manifest.json as received
	signature string
	revisions *zip.File
	limits    Limits
}

// Open reads the outer form of a bundle: entries, manifest, sizes. Faults are
// Invalid: "bundle.not_zip", "bundle.entries", "bundle.manifest",
// "bundle.format", "bundle.too_large", "bundle.bomb".
func Open(r io.ReaderAt, size int64, limits Limits) (*Bundle, error) {
	if limits == (Limits{}) {
		limits = DefaultLimits
	}
	directory := &directoryReader{ReaderAt: r, left: maxDirectory}
	z, err := zip.NewReader(directory, size)
	if err != nil {
		return nil, fault.New(fault.Invalid, "bundle.not_zip").Because(err)
	}
	directory.done = true
	entries := map[string]*zip.File{}
	for _, f := range z.File {
		entries[f.Name] = f
	}
	for _, name := range []string{revisionsName, manifestName, signatureName} {
		if entries[name] == nil || len(z.File) != 3 {
			return nil, fault.New(fault.Invalid, "bundle.entries", "falta", name)
		}
	}
	b := &Bundle{revisions: entries[revisionsName], limits: limits}
	if b.raw, err = readSmall(entries[manifestName], maxManifest); err != nil {
		return nil, err
	}
	signature, err := readSmall(entries[signatureName], maxSignature)
	if err != nil {
		return nil, err
	}
	b.signature = string(signature)
	return b, b.readManifest()
}

func (b *Bundle) readManifest() error {
	if err := json.Unmarshal(b.raw, &b.Manifest); err != nil {
		return fault.New(fault.Invalid, "bundle.manifest").Because(err)
	}
	m := &b.Manifest
	if m.Format != FormatVersion {
		return fault.New(fault.Invalid, "bundle.format",
			"formato", strconv.Itoa(m.Format), "conhecido", strconv.Itoa(FormatVersion))
	}
	again, digest, err := m.Encode()
	if err != nil || !bytes.Equal(again, b.raw) {
		return fault.New(fault.Invalid, "bundle.manifest").Because(err)
	}
	b.Digest = digest
	if m.Body == "" || m.Sequence < 0 || m.Counts.Certificates < 0 || m.Counts.Companies < 0 || m.Counts.Products < 0 {
		return fault.New(fault.Invalid, "bundle.manifest")
	}
	if m.Size > b.limits.Content {
		return fault.New(fault.Invalid, "bundle.too_large",
			"bytes", strconv.FormatInt(m.Size, 10), "limite", strconv.FormatInt(b.limits.Content, 10))
	}
	declared, packed := b.revisions.UncompressedSize64, b.revisions.CompressedSize64
	if m.Size < 0 || declared != uint64(m.Size) || declared > (packed+1024)*uint64(b.limits.Ratio) {
		return fault.New(fault.Invalid, "bundle.bomb",
			"declarado", strconv.FormatInt(m.Size, 10), "encontrado", strconv.FormatUint(declared, 10))
	}
	return nil
}

// Verify checks that key signed this very manifest for this purpose (remessa or base).
func (b *Bundle) Verify(key ed25519.PublicKey) error {
	typ := typeRemessa
	if b.Manifest.Scope == Base {
		typ = typeBase
	} else if b.Manifest.Scope != Partial && b.Manifest.Scope != Full {
		return fault.New(fault.Invalid, "bundle.scope", "escopo", fmt.Sprintf("%.20s", b.Manifest.Scope))
	}
	payload, err := verify(typ, b.signature, key)
	if err != nil {
		return err
	}
	if !bytes.Equal(payload, b.raw) {
		return fault.New(fault.Invalid, "signature.wrong")
	}
	return nil
}

// Each hands over every line of revisoes.ndjson in order, then checks the
// content against the manifest: what fn was given counts only if Each returns
// nil. The slice is valid during the call. Faults are Invalid: "bundle.truncated",
// "bundle.line_too_long", "bundle.content".
func (b *Bundle) Each(fn func(position int64, canonical []byte) error) error {
	f, err := b.revisions.Open()
	if err != nil {
		return fault.New(fault.Invalid, "bundle.truncated").Because(err)
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	sum := sha256.New()
	// One byte more than declared is enough to see that there is more.
	in := bufio.NewReaderSize(io.TeeReader(io.LimitReader(f, b.Manifest.Size+1), sum), 256<<10)
	var line []byte
	for position := int64(0); ; position++ {
		if line, err = readLine(in, line[:0], b.limits.Line); errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if position >= b.Manifest.Counts.Total() {
			return fault.New(fault.Invalid, "bundle.content")
		}
		if err := fn(position, line); err != nil {
			return err
		}
	}
	if Digest(sum.Sum(nil)) != b.Manifest.Content {
		return fault.New(fault.Invalid, "bundle.content")
	}
	return nil
}

// readLine appends one line without its end to buf; io.EOF after the last.
func readLine(in *bufio.Reader, buf []byte, limit int) ([]byte, error) {
	for {
		part, err := in.ReadSlice('\n')
		buf = append(buf, part...)
		switch {
		case len(buf) > limit:
			return buf, fault.New(fault.Invalid, "bundle.line_too_long", "limite", strconv.Itoa(limit))
		case err == nil:
			return buf[:len(buf)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(buf) == 0:
			return buf, io.EOF
		default: // a last line without end, a broken stream, a wrong CRC
			return buf, fault.New(fault.Invalid, "bundle.truncated").Because(err)
		}
	}
}

func readSmall(f *zip.File, limit int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fault.New(fault.Invalid, "bundle.truncated").Because(err)
	}
	defer func() { _ = r.Close() }() // read only: nothing to lose
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "bundle.truncated").Because(err)
	}
	if int64(len(data)) > limit {
		return nil, fault.New(fault.Invalid, "bundle.entries", "falta", f.Name)
	}
	return data, nil
}

// CheckOrder refuses kinds out of order: previous is the kind before, empty at the start.
func CheckOrder(previous, kind certificate.Kind) error {
	rank := map[certificate.Kind]int{"": 0, certificate.KindCompany: 1, certificate.KindProduct: 2, certificate.KindCertificate: 3}
	if rank[kind] < rank[previous] {
		return fault.New(fault.Invalid, "bundle.order")
	}
	return nil
}
