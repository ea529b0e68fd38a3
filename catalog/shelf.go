package catalog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"selo/fault"
)

// Format is the version of the snapshots that this program writes and reads.
const Format = formatVersion

// DefaultKept is how many snapshots stay on a shelf: the current one, which the
// next is made from, and those of a week before it, for who wants their data.
const DefaultKept = 8

// Shelf is a folder of sealed snapshots, one for each publication that is kept.
// Files may come and go while it is used; what is open stays readable. It is
// safe for concurrent use. Dir is needed.
type Shelf struct {
	Dir   string
	Only  string                                    // the one file name that counts; empty: every "*.sqlite"
	Keep  int                                       // how many snapshots Clean leaves; 0 is [DefaultKept]
	Check func(text []byte, signature string) error // refuses a seal; nil accepts any
	// Foreign says that somebody else fills the folder: nothing is written there.
	Foreign bool

	mu    sync.Mutex
	known map[string]shelved // by file name: what is not read again while the file is the same
}

// Shelved is one snapshot on a shelf.
type Shelved struct {
	Seal
	File string // path
	Size int64  // bytes of the whole file, its seal included
}

// shelved is what was found out about a file as it was.
type shelved struct {
	Shelved
	changed time.Time
	err     error // why it is no sound snapshot
}

// List gives the sound snapshots, the newest publication first. A file that is
// no snapshot, incomplete, of another format or sealed by somebody else is left
// out. Of two files of one publication the last by name counts.
func (s *Shelf) List() []Shelved {
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return nil // not made yet
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := map[string]shelved{}
	byNumber := map[int64]Shelved{}
	for _, e := range entries { // sorted by name
		if s.Only == "" && !strings.HasSuffix(e.Name(), ".sqlite") || s.Only != "" && s.Only != e.Name() {
			continue
		}
		info, err := os.Stat(filepath.Join(s.Dir, e.Name())) // what a link leads to
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		it, ok := s.known[e.Name()]
		if !ok || it.Size != info.Size() || !it.changed.Equal(info.ModTime()) {
			it = s.look(filepath.Join(s.Dir, e.Name()), info)
		}
		now[e.Name()] = it
		if it.err == nil {
			byNumber[it.Publication.Number] = it.Shelved
		}
	}
	s.known = now
	list := make([]Shelved, 0, len(byNumber))
	for _, it := range byNumber {
		list = append(list, it)
	}
	slices.SortFunc(list, func(a, b Shelved) int { return int(b.Publication.Number - a.Publication.Number) })
	return list
}

func (s *Shelf) look(path string, info os.FileInfo) shelved {
	it := shelved{Shelved: Shelved{File: path, Size: info.Size()}, changed: info.ModTime()}
	seal, err := sealOf(path, s.Check)
	if err != nil {
		it.err = err
		return it
	}
	it.Seal = *seal
	return it
}

// Refused says why the last file that [Shelf.List] left out is no sound
// snapshot; nil when the newest file on the shelf is sound.
func (s *Shelf) Refused() error {
	s.List()
	s.mu.Lock()
	defer s.mu.Unlock()
	var last shelved
	for _, it := range s.known {
		if last.File == "" || it.changed.After(last.changed) {
			last = it
		}
	}
	return last.err
}

// Find finds the snapshot of a publication. Fault: NotFound
// "publication.not_kept".
func (s *Shelf) Find(number int64) (Shelved, error) {
	for _, it := range s.List() {
		if it.Publication.Number == number {
			return it, nil
		}
	}
	return Shelved{}, notKept(number)
}

func notKept(number int64) error {
	return fault.New(fault.NotFound, "publication.not_kept", "numero", fmt.Sprint(number))
}

// Open opens the snapshot of a publication for copying. Fault: NotFound
// "publication.not_kept".
func (s *Shelf) Open(number int64) (*os.File, Shelved, error) {
	it, err := s.Find(number)
	if err != nil {
		return nil, Shelved{}, err
	}
	f, err := os.Open(it.File)
	if errors.Is(err, os.ErrNotExist) {
		return nil, Shelved{}, notKept(number) // taken away just now
	}
	if err != nil {
		return nil, Shelved{}, fmt.Errorf("open snapshot: %w", err)
	}
	// The file under the name may be another one by now: its own seal counts.
	seal, err := readSeal(f)
	if err != nil || seal.Digest != it.Digest {
		_ = f.Close() // only read
		return nil, Shelved{}, notKept(number)
	}
	return f, it, nil
}

// Clean removes all but the newest snapshots, and what is no sound snapshot (of
// another format, say) and older than the newest; it gives the first failure.
// Whoever has a file open keeps it.
func (s *Shelf) Clean() error {
	keep := s.Keep
	if keep <= 0 {
		keep = DefaultKept
	}
	list := s.List()
	if len(list) == 0 {
		return nil
	}
	var first error
	remove := func(path string) {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) && first == nil {
			first = fmt.Errorf("remove old snapshot: %w", err)
		}
		_ = os.Remove(digestsPath(path)) // worth nothing without it; often there is none
	}
	for _, it := range list[min(keep, len(list)):] {
		remove(it.File)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := s.known[filepath.Base(list[0].File)].changed
	for _, it := range s.known {
		if it.err != nil && it.changed.Before(newest) {
			remove(it.File)
		}
	}
	return first
}

// Newest opens the newest snapshot that can be opened. Fault: NotFound
// "snapshot.none" when there is none.
func (s *Shelf) Newest(ctx context.Context, opt OpenOptions) (*Catalog, error) {
	var last error = fault.New(fault.NotFound, "snapshot.none", "pasta", s.Dir)
	for _, it := range s.List() {
		c, err := Open(ctx, it.File, opt)
		if err == nil {
			return c, nil
		}
		last = err
	}
	return nil, last
}

// OpenFile opens the catalog's own file for copying. Fault: Unavailable
// "snapshot.replaced" when another file has taken its path.
func (c *Catalog) OpenFile() (*os.File, error) {
	f, err := os.Open(c.path)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "snapshot.replaced", "arquivo", filepath.Base(c.path)).Because(err)
	}
	if s, err := readSeal(f); err != nil || *s != *c.seal {
		_ = f.Close() // only read
		return nil, fault.New(fault.Unavailable, "snapshot.replaced", "arquivo", filepath.Base(c.path)).Because(err)
	}
	return f, nil
}

// ReadSeal reads and checks the seal of a snapshot file, and nothing of its
// rows. The faults are those of [Open].
func ReadSeal(path string, check func(text []byte, signature string) error) (*Seal, error) {
	return sealOf(path, check)
}

// CheckBytes reads a snapshot file whole: it must be of this format and have
// the length, the digest and the signature of its seal. What it does not do is
// to derive the content digest from the rows again: that is [CheckFile], and
// says nothing new of a file whose every byte the registry has signed. The
// faults are those of [Open].
func CheckBytes(ctx context.Context, path string, check func(text []byte, signature string) error) (*Seal, error) {
	s, err := sealOf(path, check)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open snapshot: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	digest, err := fileDigest(ctx, f, s.Bytes, nil)
	if err != nil {
		return nil, err
	}
	if digest != s.Digest {
		return nil, fault.New(fault.Invalid, "snapshot.tampered", "arquivo", path)
	}
	return s, nil
}
