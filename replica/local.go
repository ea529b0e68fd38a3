package replica

import (
	"context"
	"errors"
	"os"
	"strconv"
	"time"

	"selo/catalog"
	"selo/fault"
)

// Local watches snapshots that somebody else puts on this machine: one file
// that is replaced, or a folder where each publication is a file of its own.
// Replace files by renaming a finished copy over them.
type Local struct {
	Path  string
	Check func(text []byte, signature string) error // of a seal; nil accepts any

	shelf *catalog.Shelf
	// What was already read whole and refused, so that it is not read at every look.
	refused map[version]*Refusal
}

// version is a file as it was.
type version struct {
	path    string
	size    int64
	changed time.Time
}

// Newest implements [Source]. Faults: NotFound "snapshot.missing" and
// "snapshot.none"; refusals are the faults of catalog.Open and Conflict
// "replica.older".
func (l *Local) Newest(ctx context.Context, after int64) (string, error) {
	info, err := os.Stat(l.Path)
	if errors.Is(err, os.ErrNotExist) {
		return "", fault.New(fault.NotFound, "snapshot.missing", "arquivo", l.Path).Because(err)
	}
	if err != nil {
		return "", fault.New(fault.Unavailable, "replica.failed").Because(err)
	}
	if !info.IsDir() {
		return l.file(ctx, l.Path, after)
	}
	if l.shelf == nil {
		l.shelf = &catalog.Shelf{Dir: l.Path, Check: l.Check}
	}
	list := l.shelf.List()
	var refusal error
	for _, it := range list {
		if it.Publication.Number <= after {
			break
		}
		path, err := l.file(ctx, it.File, after)
		if err == nil {
			return path, nil
		}
		if refusal == nil {
			refusal = err
		}
	}
	if refusal == nil {
		if f := fault.Of(l.shelf.Refused()); f != nil {
			refusal = &Refusal{Fault: f}
		}
	}
	if refusal == nil && len(list) == 0 {
		refusal = fault.New(fault.NotFound, "snapshot.none", "pasta", l.Path)
	}
	return "", refusal
}

// file checks one file that may be new.
func (l *Local) file(ctx context.Context, path string, after int64) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fault.New(fault.NotFound, "snapshot.missing", "arquivo", path).Because(err)
	}
	v := version{path: path, size: info.Size(), changed: info.ModTime()}
	if r := l.refused[v]; r != nil {
		return "", r
	}
	seal, err := catalog.ReadSeal(path, l.Check)
	if err == nil {
		switch number := seal.Publication.Number; {
		case number == after:
			return "", nil
		case number < after:
			err = fault.New(fault.Conflict, "replica.older", "arquivo", path,
				"numero", strconv.FormatInt(number, 10), "mostrada", strconv.FormatInt(after, 10))
		default:
			_, err = catalog.CheckBytes(ctx, path, l.Check)
		}
	}
	if err == nil {
		return path, nil
	}
	f := fault.Of(err)
	if f == nil || ctx.Err() != nil {
		return "", err
	}
	r := &Refusal{Fault: f}
	if seal != nil {
		r.Publication = seal.Publication.Number
	}
	if len(l.refused) > 100 {
		l.refused = nil
	}
	if l.refused == nil {
		l.refused = map[version]*Refusal{}
	}
	l.refused[v] = r
	return "", r
}
