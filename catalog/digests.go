package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"selo/fault"
)

// Formats are the forms of the open data, by the ending of their files. The
// last one is the snapshot itself; the others are made out of it.
var Formats = []string{"csv", "xlsx", "jsonl", FormatSQLite}

// FormatSQLite is the form that is the snapshot itself.
const FormatSQLite = "sqlite"

// DataName is the name under which a form of a publication is downloaded:
// "selo-certificados-42.csv".
func DataName(publication int64, format string) string {
	return fmt.Sprintf("selo-certificados-%d.%s", publication, format)
}

// Digests says what the files of a publication's open data are, so that who has
// got one, wherever from, can check it. CSV, XLSX and JSON Lines follow from the
// rows and the program that makes them: every node of one version makes the same
// bytes. The SQLite file is a node's own and is covered by its [Seal] too.
type Digests struct {
	Publication int64        `json:"publicacao"`
	Files       []FileDigest `json:"arquivos"`
	Root        string       `json:"raiz"`                 // of the ledger at that publication, hexadecimal
	Content     string       `json:"conteudo"`             // as in the seal
	Program     string       `json:"programa"`             // version that made the files
	Signature   string       `json:"assinatura,omitempty"` // over Text, by the registry
}

// FileDigest is one file.
type FileDigest struct {
	Name   string `json:"nome"`
	Format string `json:"formato"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// maxDigests is the most bytes a statement of digests may have.
const maxDigests = 64 << 10

var (
	hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)
	fileName  = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,99}$`)
	oneLine   = regexp.MustCompile(`^[!-~]{1,100}$`)
)

// Text is what the signature covers: a line each of what it is, publication
// number, root, content digest and program, and then the lines of [Digests.Sums].
// Its first line keeps it apart from the text of a [Seal].
func (d *Digests) Text() []byte {
	return append(fmt.Appendf(nil, "selo resumos 1\n%d\n%s\n%s\n%s\n", d.Publication, d.Root, d.Content, d.Program), d.Sums()...)
}

// Sums are the digests as `sha256sum -c` reads them.
func (d *Digests) Sums() []byte {
	var b []byte
	for _, f := range d.Files {
		b = fmt.Appendf(b, "%s  %s\n", f.SHA256, f.Name)
	}
	return b
}

// File finds the digest of a form.
func (d *Digests) File(format string) (FileDigest, bool) {
	for _, f := range d.Files {
		if f.Format == format {
			return f, true
		}
	}
	return FileDigest{}, false
}

// Put adds the digest of a form, in the order of [Formats], or replaces it.
func (d *Digests) Put(f FileDigest) {
	var list []FileDigest
	for _, format := range Formats {
		if format == f.Format {
			list = append(list, f)
		} else if old, ok := d.File(format); ok {
			list = append(list, old)
		}
	}
	d.Files = list
}

// IsComplete tells whether every form is there.
func (d *Digests) IsComplete() bool { return len(d.Files) == len(Formats) }

// ReadDigests reads a statement of digests and checks its form, not its
// signature. Fault: Invalid "digests.malformed".
func ReadDigests(data []byte) (*Digests, error) {
	var d Digests
	err := json.Unmarshal(data, &d)
	ok := err == nil && len(data) <= maxDigests && d.Publication > 0 && hexDigest.MatchString(d.Root) && hexDigest.MatchString(d.Content) &&
		oneLine.MatchString(d.Program) && len(d.Files) <= len(Formats)
	for i, f := range d.Files {
		first, _ := d.File(f.Format)
		ok = ok && f.Name == DataName(d.Publication, f.Format) && fileName.MatchString(f.Name) && f.Bytes >= 0 && hexDigest.MatchString(f.SHA256) && first == d.Files[i]
	}
	if !ok {
		return nil, fault.New(fault.Invalid, "digests.malformed").Because(err)
	}
	return &d, nil
}

// CheckSigned tells whether the registry has stated these digests, all of them.
// Faults: Invalid "digests.unsigned", "digests.signature".
func (d *Digests) CheckSigned(check func(text []byte, signature string) error) error {
	if d.Signature == "" || !d.IsComplete() {
		return fault.New(fault.Invalid, "digests.unsigned")
	}
	if err := check(d.Text(), d.Signature); err != nil {
		return fault.New(fault.Invalid, "digests.signature").Because(err)
	}
	return nil
}

// DigestOf reads a file to its end.
func DigestOf(r io.Reader) (sha string, size int64, err error) {
	sum := sha256.New()
	size, err = io.Copy(sum, r)
	if err != nil {
		return "", 0, fmt.Errorf("digest file: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), size, nil
}

// digestsSuffix is what the name of the file of digests has in the place of
// the snapshot's ".sqlite".
const digestsSuffix = ".resumos.json"

// digestsPath is where the digests of a snapshot's open data lie: beside it.
func digestsPath(snapshot string) string {
	return strings.TrimSuffix(snapshot, ".sqlite") + digestsSuffix
}

// Digests gives what is known beside a snapshot about its open data; nil when
// nothing is, or what is there is about other contents.
func (it *Shelved) Digests() *Digests {
	f, err := os.Open(digestsPath(it.File))
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxDigests+1))
	if err != nil {
		return nil
	}
	d, err := ReadDigests(data)
	if err != nil || !d.isOf(&it.Seal) {
		return nil
	}
	return d
}

// isOf tells whether digests are about the contents of a snapshot.
func (d *Digests) isOf(s *Seal) bool {
	return d.Publication == s.Publication.Number && d.Content == s.Content && d.Root == s.Publication.Root.String()
}

// NewDigests begins a statement about a snapshot, still without files.
func NewDigests(s *Seal, program string) *Digests {
	return &Digests{Publication: s.Publication.Number, Root: s.Publication.Root.String(), Content: s.Content, Program: program}
}

// KeepDigests writes digests beside their snapshot, whole or not at all. A
// shelf that somebody else fills keeps none: then nothing happens. Fault:
// NotFound "publication.not_kept"; Invalid "digests.other" when they are about
// other contents.
func (s *Shelf) KeepDigests(d *Digests) error {
	if s.Foreign {
		return nil
	}
	it, err := s.Find(d.Publication)
	if err != nil {
		return err
	}
	if !d.isOf(&it.Seal) {
		return fault.New(fault.Invalid, "digests.other", "numero", fmt.Sprint(d.Publication))
	}
	data, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode digests: %w", err)
	}
	path := digestsPath(it.File)
	f, err := os.CreateTemp(filepath.Dir(path), ".resumos-*")
	if err != nil {
		return fmt.Errorf("keep digests: %w", err)
	}
	_, err = io.Copy(f, bytes.NewReader(append(data, '\n')))
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the error that matters is err
		return fmt.Errorf("keep digests: %w", err)
	}
	return nil
}

// DropDigests removes the digests beside a snapshot that have proved wrong.
func (s *Shelf) DropDigests(number int64) {
	if it, err := s.Find(number); err == nil && !s.Foreign {
		_ = os.Remove(digestsPath(it.File)) // often there are none
	}
}

// OpenData is what a server has of the open data of one publication.
type OpenData struct {
	Publication Publication
	Current     bool
	Files       []DataFile // in the order of [Formats]
	Digests     *Digests   // nil until every form is known
	Signed      bool       // Digests are the registry's own statement
}

// DataFile is one form of it.
type DataFile struct {
	Format string
	Bytes  int64  // 0: not made yet
	SHA256 string // "": not known yet
}
