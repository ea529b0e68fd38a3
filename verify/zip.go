package verify

import (
	"archive/zip"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
)

// Entries of a bundle and the limits of reading one.
const (
	entryRevisions = "revisoes.ndjson"
	entryManifest  = "manifest.json"
	entrySignature = "assinatura"

	maxEntry = 1 << 20   // bytes of manifest and of signature
	maxLine  = 256 << 20 // bytes of one revision
)

// manifest is manifest.json as far as it is compared.
type manifest struct {
	Previous string `json:"anterior"`
	Counts   struct {
		Certificates int64 `json:"certificados"`
		Companies    int64 `json:"empresas"`
		Products     int64 `json:"produtos"`
	} `json:"contagens"`
	Scope    string `json:"escopo"`
	Format   int    `json:"formato"`
	Body     string `json:"organismo"`
	Content  string `json:"revisoes_sha256"`
	Sequence int64  `json:"sequencia"`
	Size     int64  `json:"tamanho"`
}

func (m *manifest) counts() [4]int64 {
	var n [4]int64
	n[kindOrder[kindCertificate]], n[kindOrder[kindCompany]], n[kindOrder[kindProduct]] =
		m.Counts.Certificates, m.Counts.Companies, m.Counts.Products
	return n
}

// bundleFile is a bundle taken apart.
type bundleFile struct {
	raw       []byte // manifest.json as it is
	manifest  manifest
	signature string
	content   *zip.File
}

// openBundle reads the outer form of a bundle; ok=false when it is none.
func openBundle(r io.ReaderAt, size int64) (b *bundleFile, ok bool) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, false
	}
	entries := map[string]*zip.File{}
	for _, f := range z.File {
		entries[f.Name] = f
	}
	if len(z.File) != 3 || entries[entryRevisions] == nil || entries[entryManifest] == nil || entries[entrySignature] == nil {
		return nil, false
	}
	raw, err := readEntry(entries[entryManifest])
	if err != nil {
		return nil, false
	}
	signature, err := readEntry(entries[entrySignature])
	if err != nil {
		return nil, false
	}
	b = &bundleFile{raw: raw, signature: string(signature), content: entries[entryRevisions]}
	return b, json.Unmarshal(raw, &b.manifest) == nil
}

func readEntry(f *zip.File) ([]byte, error) {
	in, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // read only: nothing to lose
	return io.ReadAll(io.LimitReader(in, maxEntry))
}

// errBroken is a bundle whose content ends in the middle.
var errBroken = errors.New("content is cut or damaged")

// lines hands over every line of the content. The content is sound when it is
// whole and has the digest and the size that the manifest declares; err is fn's.
func (b *bundleFile) lines(fn func(content []byte) error) (sound bool, err error) {
	content, err := b.content.Open()
	if err != nil {
		return false, nil //nolint:nilerr // it is not sound: that is the answer
	}
	defer func() { _ = content.Close() }() // read only: nothing to lose
	sum := sha256.New()
	var counted counter
	in := bufio.NewReaderSize(io.TeeReader(io.LimitReader(content, b.manifest.Size+1), io.MultiWriter(sum, &counted)), 256<<10)
	var line []byte
	for {
		line, err = readLine(in, line[:0])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, nil //nolint:nilerr // it is not sound: that is the answer
		}
		if err := fn(line); err != nil {
			return false, err
		}
	}
	return int64(counted) == b.manifest.Size && hex.EncodeToString(sum.Sum(nil)) == b.manifest.Content, nil
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// readLine appends one line without its end to buf; io.EOF after the last.
func readLine(in *bufio.Reader, buf []byte) ([]byte, error) {
	for {
		part, err := in.ReadSlice('\n')
		buf = append(buf, part...)
		switch {
		case err == nil:
			return buf[:len(buf)-1], nil
		case errors.Is(err, bufio.ErrBufferFull) && len(buf) <= maxLine:
		case errors.Is(err, io.EOF) && len(buf) == 0:
			return buf, io.EOF
		default:
			return buf, errBroken
		}
	}
}
