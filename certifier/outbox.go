package certifier

import (
	"bufio"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"selo/certificate"
	"selo/fault"
	"selo/remessa"
)

// Outbox is the folder in which the body's bundles wait: at most one, because
// an old file that is sent by mistake only does harm (FAQ 3.18).
type Outbox struct{ Dir string }

// fileSuffix is that of remessa.FileName.
const fileSuffix = ".remessa"

// Path is where a bundle of that name lies.
func (o Outbox) Path(name string) string { return filepath.Join(o.Dir, filepath.Base(name)) }

// write makes the bundle with the revisions that fill adds. The file has its
// name only when it is complete and durable.
func (o Outbox) write(name string, head remessa.Head, key ed25519.PrivateKey, fill func(*remessa.Writer) error) (remessa.Manifest, remessa.Digest, error) {
	var manifest remessa.Manifest
	var digest remessa.Digest
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return manifest, digest, fault.New(fault.Unavailable, "remessa.folder", "pasta", o.Dir).Because(err)
	}
	tmp, err := fillTemp(o.Dir, func(f *os.File) error {
		buffered := bufio.NewWriterSize(f, 1<<20)
		w := remessa.NewWriter(buffered, head, key)
		if err := fill(w); err != nil {
			return err
		}
		var err error
		if manifest, digest, err = w.Close(); err != nil {
			return err
		}
		return buffered.Flush()
	})
	if err != nil {
		return manifest, digest, o.explain(err)
	}
	if err := os.Rename(tmp, o.Path(name)); err != nil {
		_ = os.Remove(tmp) // the rename's error is the one to report
		return manifest, digest, o.explain(err)
	}
	return manifest, digest, syncDir(o.Dir)
}

// explain makes a fault of what the file system refuses; other errors pass.
func (o Outbox) explain(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	if errors.As(err, &path) || errors.As(err, &link) {
		return fault.New(fault.Unavailable, "remessa.folder", "pasta", o.Dir).Because(err)
	}
	return err
}

// digestOf reads which remessa a file is; fs.ErrNotExist when there is none.
// The content is read too: a cut or damaged file is an error, and so is one
// that was signed with another key.
func (o Outbox) digestOf(name string, key ed25519.PublicKey) (certificate.Hash, error) {
	f, err := os.Open(o.Path(name))
	if err != nil {
		return certificate.Hash{}, err
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	info, err := f.Stat()
	if err != nil {
		return certificate.Hash{}, err
	}
	b, err := remessa.Open(f, info.Size(), remessa.Limits{})
	if err != nil {
		return certificate.Hash{}, err
	}
	if err := b.Verify(key); err != nil {
		return certificate.Hash{}, err
	}
	err = b.Each(func(int64, []byte) error { return nil })
	return b.Digest, err
}

// copyTo writes a durable copy of the bundle into another folder.
func (o Outbox) copyTo(name, dir string) (path string, err error) {
	if same(o.Dir, dir) {
		return "", fault.New(fault.Invalid, "remessa.export_folder", "pasta", dir)
	}
	src, err := os.Open(o.Path(name))
	if err != nil {
		return "", fault.New(fault.Unavailable, "remessa.file_missing", "arquivo", o.Path(name)).Because(err)
	}
	defer func() { _ = src.Close() }() // read only: nothing to lose
	to := Outbox{Dir: dir}
	tmp, err := fillTemp(dir, func(f *os.File) error {
		_, err := io.Copy(f, src)
		return err
	})
	if err != nil {
		return "", fault.New(fault.Unavailable, "remessa.folder", "pasta", dir).Because(err)
	}
	if err := os.Rename(tmp, to.Path(name)); err != nil {
		_ = os.Remove(tmp) // the rename's error is the one to report
		return "", to.explain(err)
	}
	return to.Path(name), syncDir(dir)
}

func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// sweep removes unfinished files and every bundle but keep. A missing folder is empty.
func (o Outbox) sweep(keep string) (removed []string, err error) {
	entries, err := os.ReadDir(o.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		temp, _ := filepath.Match(tempPattern, name)
		if e.IsDir() || name == keep || !temp && !strings.HasSuffix(name, fileSuffix) {
			continue
		}
		if err := os.Remove(o.Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, fmt.Errorf("remove %s: %w", name, err)
		}
		removed = append(removed, name)
	}
	return removed, nil
}
