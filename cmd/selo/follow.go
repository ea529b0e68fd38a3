package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"selo/catalog"
	"selo/clock"
	"selo/registry"
	"selo/remessa"
	"selo/store/registrystore"
)

// follower keeps this node's snapshot at the newest publication. Nodes of one
// base do it each for itself: a snapshot is a projection of what is in the base.
type follower struct {
	store   registrystore.Store
	shelf   *catalog.Shelf
	holder  *catalog.Holder
	keys    remessa.Keys
	clock   clock.Clock
	wake    chan struct{}
	prepare func(context.Context) error // makes the open-data files of what is shown; nil: on demand

	mu    sync.Mutex // one step at a time: a command may publish while the server follows
	shown int64      // number of the publication in holder
}

// newFollower makes a follower whose snapshots lie in dir.
func newFollower(base registrystore.Store, dir string, holder *catalog.Holder, keys remessa.Keys, now clock.Clock) *follower {
	public := keys.Public().Sign
	return &follower{store: base, holder: holder, keys: keys, clock: now, wake: make(chan struct{}, 1),
		shelf: &catalog.Shelf{Dir: dir, Check: func(text []byte, signature string) error {
			return remessa.CheckSnapshot(text, signature, public)
		}}}
}

// pollPublications is how long another node's publication may go unseen.
const pollPublications = 5 * time.Second

// building is the prefix of folders of snapshots under construction.
const building = "em-construcao-"

// poke makes run look at once. It never blocks.
func (f *follower) poke() {
	select {
	case f.wake <- struct{}{}:
	default: // a look is already due
	}
}

// run follows until the context ends.
func (f *follower) run(ctx context.Context) {
	ticker := time.NewTicker(pollPublications)
	defer ticker.Stop()
	stop := func() {}
	var prepared int64 // number of the publication whose files are made, or left to who asks
	for first := true; ; first = false {
		if _, err := f.step(ctx, nil); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "snapshot not made; trying again", "error", err)
		}
		shown := f.showing()
		if first { // at a start nothing is new: the files are made when somebody asks
			prepared = shown
		}
		if shown != prepared && f.prepare != nil {
			prepared = shown
			stop() // the files of the last publication are not wanted any more
			var current context.Context
			current, stop = context.WithCancel(ctx)
			go func() { // not waited for at the end: it may take minutes and leaves nothing behind
				if err := f.prepare(current); err != nil && current.Err() == nil {
					slog.ErrorContext(current, "open data not prepared", "error", err)
				}
			}()
		}
		select {
		case <-ctx.Done():
			stop()
			return
		case <-ticker.C:
		case <-f.wake:
		}
	}
}

// step shows the newest publication, building its snapshot when this node has
// none yet, and tells whether there was a new one.
func (f *follower) step(ctx context.Context, progress func(done, total int64)) (changed bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var p registry.Publication
	var found bool
	err = f.store.Read(ctx, func(tx registry.Tx) error {
		p, found, err = tx.FindPublication(ctx)
		return err
	})
	if err != nil || !found || p.Number == f.shown {
		return false, err
	}
	next, err := f.open(ctx, f.path(p.Number))
	if err != nil {
		if next, err = f.make(ctx, p, progress); err != nil {
			return false, err
		}
	}
	f.holder.Swap(next)
	f.shown = p.Number
	f.poke() // who called may not be run, which prepares what is shown
	f.clean()
	slog.InfoContext(ctx, "publication shown", "number", p.Number, "size", p.Head.Size)
	return true, nil
}

// showing is the number of the publication that is shown; 0 before the first.
func (f *follower) showing() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shown
}

func (f *follower) path(number int64) string {
	return filepath.Join(f.shelf.Dir, fmt.Sprintf("publicacao-%06d.sqlite", number))
}

func (f *follower) open(ctx context.Context, path string) (*catalog.Catalog, error) {
	return catalog.Open(ctx, path, catalog.OpenOptions{Clock: f.clock, Check: f.shelf.Check})
}

// make builds the snapshot in a folder of its own, so that two processes on one
// data folder cannot spoil each other's, and moves it into place whole.
func (f *follower) make(ctx context.Context, p registry.Publication, progress func(done, total int64)) (*catalog.Catalog, error) {
	if err := os.MkdirAll(f.shelf.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("make snapshot folder: %w", err)
	}
	dir, err := os.MkdirTemp(f.shelf.Dir, building)
	if err != nil {
		return nil, fmt.Errorf("make snapshot folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left is cleaned at the next start
	src := registrystore.Source{Store: f.store, Publication: p}
	path := filepath.Join(dir, filepath.Base(f.path(p.Number)))
	options := catalog.Options{Progress: progress, Sign: func(text []byte) (string, error) { return remessa.SignSnapshot(text, f.keys) }}
	if prev := f.previous(ctx); prev != "" {
		if err = catalog.Update(ctx, src, prev, src.Snapshot(), path, options); err != nil {
			slog.WarnContext(ctx, "snapshot not updated from the last one; building it whole", "error", err)
		}
	}
	if _, missing := os.Stat(path); missing != nil {
		if err := catalog.Build(ctx, src, src.Snapshot(), path, options); err != nil {
			return nil, err
		}
	}
	if err := os.Rename(path, f.path(p.Number)); err != nil {
		return nil, fmt.Errorf("move snapshot into place: %w", err)
	}
	return f.open(ctx, f.path(p.Number))
}

// previous is the newest sound snapshot on disk; empty when there is none.
func (f *follower) previous(ctx context.Context) string {
	c, err := f.shelf.Newest(ctx, catalog.OpenOptions{Clock: f.clock, Check: f.shelf.Check, Connections: 1})
	if err != nil {
		return ""
	}
	_ = c.Close() // it was only looked at
	return c.File()
}

// clean removes old snapshots and what a killed process left half built.
// Readers keep what they have open.
func (f *follower) clean() {
	if err := f.shelf.Clean(); err != nil {
		slog.Warn("old snapshot not removed", "error", err)
	}
	entries, err := os.ReadDir(f.shelf.Dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && e.IsDir() && strings.HasPrefix(e.Name(), building) && f.clock.Now().Sub(info.ModTime()) > 24*time.Hour {
			_ = os.RemoveAll(filepath.Join(f.shelf.Dir, e.Name())) // tried again the next time
		}
	}
}
