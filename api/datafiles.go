package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"sync"

	"selo/catalog"
	"selo/fault"
)

// keptEarlier is how many files of earlier publications stay made: all of those
// that a shelf keeps by default. Of more, the one that was not asked for the
// longest goes first. Those of the current one all stay.
const keptEarlier = 3 * (catalog.DefaultKept - 1)

// dataKey is one form of one publication's contents.
type dataKey struct{ content, extension string }

// dataFile is a finished file of one form. It is closed, and its space free,
// when it is not kept any more and its last reader is done.
type dataFile struct {
	file    *scratch
	size    int64
	digest  catalog.FileDigest
	readers int   // and one for being kept
	asked   int64 // when it was asked for last, by dataFiles.asked
}

// dataFiles keeps the files that were made. The zero value is empty.
type dataFiles struct {
	mu      sync.Mutex
	current string // content of the publication that was asked for as the current one last
	kept    map[dataKey]*dataFile
	making  map[dataKey]chan struct{} // closed when the making has ended, well or not
	asked   int64
	// One file of the current publication and one of an earlier one are made at
	// a time; whoever wants another waits, but not too many. Who is in the
	// channel has the turn.
	currentTurn, earlierTurn chan struct{}
	waiting                  int // for earlier ones
}

// of gives the file of a form, made now if need be: once, the others wait. What
// was begun is finished even when its asker leaves. Fault: Unavailable
// "api.busy" when too many wait for files of earlier publications.
func (d *dataFiles) of(ctx context.Context, s *Server, e *dataEdition, f format) (*dataFile, func(), error) {
	key := dataKey{e.seal.Content, f.extension}
	for {
		file, busy, err := d.find(key, e, s.deps.Heavy)
		if err != nil {
			return nil, nil, err
		}
		if file != nil {
			return file, sync.OnceFunc(func() { d.release(file) }), nil
		}
		if busy == nil {
			if err := d.make(context.WithoutCancel(ctx), s, e, f, key); err != nil {
				return nil, nil, err
			}
			continue
		}
		select {
		case <-busy:
			d.waited(e)
		case <-ctx.Done():
			d.waited(e)
			return nil, nil, ctx.Err()
		}
	}
}

// find gives the file, or what to wait for; neither when the caller is to make it.
func (d *dataFiles) find(key dataKey, e *dataEdition, most int) (*dataFile, chan struct{}, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept == nil {
		d.kept, d.making = map[dataKey]*dataFile{}, map[dataKey]chan struct{}{}
	}
	if e.current {
		d.current = key.content
	}
	if file := d.kept[key]; file != nil {
		d.asked++
		file.asked = d.asked
		file.readers++
		return file, nil, nil
	}
	if err := d.count(e, most); err != nil {
		return nil, nil, err
	}
	if busy := d.making[key]; busy != nil {
		return nil, busy, nil
	}
	d.making[key] = make(chan struct{})
	return nil, nil, nil
}

// count begins a wait, which waited ends; the caller holds the lock.
func (d *dataFiles) count(e *dataEdition, most int) error {
	if e.current {
		return nil
	}
	if d.waiting >= most {
		return fault.New(fault.Unavailable, "api.busy")
	}
	d.waiting++
	return nil
}

// turn is what one file of an edition is made under at a time.
func (d *dataFiles) turn(e *dataEdition) chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.currentTurn == nil {
		d.currentTurn, d.earlierTurn = make(chan struct{}, 1), make(chan struct{}, 1)
	}
	if e.current {
		return d.currentTurn
	}
	return d.earlierTurn
}

// enter waits for the turn, as long as ctx lasts; leave gives it back. Fault:
// Unavailable "api.busy" when too many wait for those of earlier publications.
func (d *dataFiles) enter(ctx context.Context, e *dataEdition, most int) (leave func(), err error) {
	d.mu.Lock()
	err = d.count(e, most)
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	turn := d.turn(e)
	select {
	case turn <- struct{}{}:
		return func() {
			<-turn
			d.waited(e)
		}, nil
	case <-ctx.Done():
		d.waited(e)
		return nil, ctx.Err()
	}
}

// waited ends a wait that was counted.
func (d *dataFiles) waited(e *dataEdition) {
	if !e.current {
		d.mu.Lock()
		d.waiting--
		d.mu.Unlock()
	}
}

// make writes the file and keeps it. Whatever happens, those who wait go on.
func (d *dataFiles) make(ctx context.Context, s *Server, e *dataEdition, f format, key dataKey) error {
	var made *dataFile
	defer func() {
		d.waited(e)
		d.finish(key, made)
	}()
	turn := d.turn(e)
	turn <- struct{}{} // what was begun is finished
	defer func() { <-turn }()
	ctx, cancel := context.WithTimeout(ctx, exportLimit)
	defer cancel()
	file, err := s.newScratch("dados")
	if err != nil {
		return err
	}
	sum := sha256.New()
	if err := e.write(ctx, s, f, io.MultiWriter(file, sum)); err != nil {
		file.discard()
		return fmt.Errorf("make open data: %w", err)
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		file.discard()
		return fmt.Errorf("measure open data: %w", err)
	}
	made = &dataFile{file: file, size: size, readers: 1, digest: catalog.FileDigest{Name: catalog.DataName(e.seal.Publication.Number, f.extension),
		Format: f.extension, Bytes: size, SHA256: hex.EncodeToString(sum.Sum(nil))}}
	s.noteDigest(e, made.digest)
	return nil
}

// finish ends a making; made is nil when it failed.
func (d *dataFiles) finish(key dataKey, made *dataFile) {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.making[key])
	delete(d.making, key)
	if made == nil {
		return
	}
	d.asked++
	made.asked = d.asked
	d.kept[key] = made
	d.evict()
}

// evict drops files of earlier publications that are too many; the caller holds the lock.
func (d *dataFiles) evict() {
	for {
		var oldest dataKey
		earlier := 0
		for key, file := range d.kept {
			if key.content == d.current {
				continue
			}
			if earlier++; earlier == 1 || file.asked < d.kept[oldest].asked {
				oldest = key
			}
		}
		if earlier <= keptEarlier {
			return
		}
		d.drop(d.kept[oldest])
		delete(d.kept, oldest)
	}
}

func (d *dataFiles) release(file *dataFile) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(file)
}

// drop ends one reader; the caller holds the lock.
func (d *dataFiles) drop(file *dataFile) {
	file.readers--
	if file.readers == 0 {
		file.file.discard()
	}
}
