package catalog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"selo/fault"
)

// A sealed snapshot is a SQLite database followed by its seal: the seal's JSON
// and a footer of 16 bytes, magic and the JSON's length. SQLite goes by the page
// count in its header and ignores what follows.
const (
	footerMagic = "SELOCAT1"
	footerSize  = 16
	maxSeal     = 1 << 20
	pieceSize   = 4 << 20 // of the file digest
)

// Seal vouches for a snapshot file.
type Seal struct {
	Format      int         `json:"formato"`
	Publication Publication `json:"publicacao"`
	Content     string      `json:"conteudo"`             // digest of the rows: the same however the file was built
	Bytes       int64       `json:"bytes"`                // of the database, without the seal
	Digest      string      `json:"sha256"`               // of the database: SHA-256 over the SHA-256 of each 4 MiB
	Signature   string      `json:"assinatura,omitempty"` // over Text
}

// Text is what the signature covers: a line each of name and format,
// publication number, time (Unix seconds), ledger size, root, content digest,
// bytes and file digest.
func (s *Seal) Text() []byte {
	p := &s.Publication
	return fmt.Appendf(nil, "selo catalogo %d\n%d\n%d\n%d\n%s\n%s\n%d\n%s\n",
		s.Format, p.Number, p.At.Unix(), p.Size, p.Root, s.Content, s.Bytes, s.Digest)
}

// contentDigest is the digest of rows and names.
func contentDigest(n *names, sum contentSum) string {
	d := sha256.Sum256([]byte("selo catalogo " + strconv.Itoa(formatVersion) + "\n" + n.text + "\n" + sum.text()))
	return hex.EncodeToString(d[:])
}

// seal appends the seal to a finished database, syncs it and moves it into place.
func seal(tmp, path string, pub Publication, content string, opt Options) error {
	f, err := os.OpenFile(tmp, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open to seal: %w", err)
	}
	defer func() { _ = f.Close() }() // closed below, unless something fails
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("stat to seal: %w", err)
	}
	s := Seal{Format: formatVersion, Publication: pub, Content: content, Bytes: info.Size()}
	flushed := flush(tmp) // beside the hashing; the seal itself is synced below
	s.Digest, err = fileDigest(context.Background(), f, s.Bytes, nil)
	if err := errors.Join(err, <-flushed); err != nil {
		return err
	}
	if opt.Sign != nil {
		if s.Signature, err = opt.Sign(s.Text()); err != nil {
			return fmt.Errorf("sign snapshot: %w", err)
		}
	}
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode seal: %w", err)
	}
	footer := binary.BigEndian.AppendUint64([]byte(footerMagic), uint64(len(text)))
	if _, err := f.WriteAt(append(text, footer...), s.Bytes); err != nil {
		return fmt.Errorf("write seal: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync snapshot: %w", err)
	}
	if err := f.Close(); err != nil { // Windows renames closed files only
		return fmt.Errorf("close snapshot: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("move snapshot into place: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// flush syncs what is in a file so far, beside other work, so that a later sync
// has little left to write.
func flush(path string) <-chan error {
	done := make(chan error, 1)
	go func() {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err == nil {
			err = errors.Join(f.Sync(), f.Close())
		}
		if err != nil {
			err = fmt.Errorf("flush snapshot: %w", err)
		}
		done <- err
	}()
	return done
}

// syncDir makes a rename last. Windows has no such call and needs none.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	defer func() { _ = d.Close() }() // only synced
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

// fileDigest hashes the first size bytes in pieces, two at a time, and writes
// them to copyTo unless it is nil.
func fileDigest(ctx context.Context, f io.ReaderAt, size int64, copyTo io.WriterAt) (string, error) {
	sums := make([][32]byte, (size+pieceSize-1)/pieceSize)
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for worker := range errs {
		wg.Go(func() {
			buf := make([]byte, pieceSize)
			for i := worker; i < len(sums); i += len(errs) {
				piece := buf[:min(pieceSize, size-int64(i)*pieceSize)]
				if _, err := f.ReadAt(piece, int64(i)*pieceSize); err != nil && !errors.Is(err, io.EOF) {
					errs[worker] = fmt.Errorf("read snapshot: %w", err)
					return
				}
				if errs[worker] = ctx.Err(); errs[worker] != nil {
					return
				}
				sums[i] = sha256.Sum256(piece)
				if copyTo == nil {
					continue
				}
				if _, err := copyTo.WriteAt(piece, int64(i)*pieceSize); err != nil {
					errs[worker] = fmt.Errorf("copy snapshot: %w", err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	h := sha256.New()
	for i := range sums {
		h.Write(sums[i][:])
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// readSeal checks everything about a file that needs no reading of its rows:
// that it is a snapshot of this format, whole, and what its seal says.
//
// Faults: snapshot.missing, snapshot.format (not a snapshot, or of another
// version), snapshot.truncated, snapshot.tampered.
func readSeal(f *os.File) (*Seal, error) {
	name := f.Name()
	header := make([]byte, 100)
	n, err := f.ReadAt(header, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if n < len(header) || !bytes.HasPrefix(header, []byte("SQLite format 3\x00")) ||
		binary.BigEndian.Uint32(header[68:]) != applicationID {
		if n < len(header) && bytes.HasPrefix([]byte("SQLite format 3\x00"), header[:min(n, 16)]) {
			return nil, fault.New(fault.Invalid, "snapshot.truncated", "arquivo", name)
		}
		return nil, fault.New(fault.Invalid, "snapshot.format", "arquivo", name)
	}
	if v := binary.BigEndian.Uint32(header[60:]); v != formatVersion {
		return nil, fault.New(fault.Invalid, "snapshot.version", "arquivo", name,
			"versao", strconv.FormatUint(uint64(v), 10), "esperada", strconv.Itoa(formatVersion))
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat %s: %w", name, err)
	}
	truncated := fault.New(fault.Invalid, "snapshot.truncated", "arquivo", name)
	footer := make([]byte, footerSize)
	if _, err := f.ReadAt(footer, info.Size()-footerSize); err != nil {
		return nil, truncated.Because(err)
	}
	length := binary.BigEndian.Uint64(footer[8:])
	if string(footer[:8]) != footerMagic || length > maxSeal || int64(length)+footerSize > info.Size() {
		return nil, truncated
	}
	text := make([]byte, length)
	if _, err := f.ReadAt(text, info.Size()-footerSize-int64(length)); err != nil {
		return nil, truncated.Because(err)
	}
	var s Seal
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fault.New(fault.Invalid, "snapshot.tampered", "arquivo", name).Because(err)
	}
	pageSize := int64(binary.BigEndian.Uint16(header[16:]))
	pages := int64(binary.BigEndian.Uint32(header[28:]))
	if s.Bytes+int64(length)+footerSize != info.Size() || pageSize*pages != s.Bytes {
		return nil, fault.New(fault.Invalid, "snapshot.tampered", "arquivo", name)
	}
	return &s, nil
}
