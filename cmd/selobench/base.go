package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"selo/certificate"
	"selo/cmd/selo/term"
	"selo/load"
	"selo/locale"
	"selo/registry"
	"selo/remessa"
	"selo/store"
	"selo/store/registrystore"
)

// base is one official base under measure, laid out as `selo serve` expects it.
type base struct {
	Dir      string // the data folder
	Database string // URL
	Products int
	Changes  int // products that the second remessa changes
}

const (
	benchBody   = certificate.Sigla("CARGA")
	benchOrigin = "selo.localhost/registro" // the default of `selo serve`
)

func (b base) file(name string) string { return filepath.Join(b.Dir, name) }

// bundle is the path of the remessa of a sequence: 1 brings everything, 2 changes some.
func (b base) bundle(sequence int) string { return b.file(fmt.Sprintf("carga-%d.remessa", sequence)) }

// snapshot is the path of a publication, as `selo serve` looks for it.
func (b base) snapshot(number int) string {
	return b.file(filepath.Join("catalogo", fmt.Sprintf("publicacao-%06d.sqlite", number)))
}

// open opens the base with the keys in its data folder.
func (b base) open(ctx context.Context) (*registry.Registry, registrystore.Store, error) {
	var keys remessa.Keys
	data, err := os.ReadFile(b.file("registro.chave"))
	if err == nil {
		err = json.Unmarshal(data, &keys)
	}
	if err != nil {
		return nil, registrystore.Store{}, fmt.Errorf("read keys: %w", err)
	}
	s, err := registrystore.Open(ctx, b.Database, store.Options{})
	if err != nil {
		return nil, s, err
	}
	return &registry.Registry{Store: s, Keys: keys, Origin: benchOrigin, Name: "Registro de medição"}, s, nil
}

// progress shows long work on the terminal, and every ten seconds elsewhere.
func progress(key string) func(done, total int64) {
	return term.Func(term.ForFile(os.Stderr, locale.EN, os.Getenv).Progress(), key)
}

type made struct {
	Seconds float64
	Bytes   int64 // of the first bundle
}

// makeBundles makes keys, an empty base with one body, and its two remessas.
func makeBundles(ctx context.Context, b base) (made, error) {
	keys, err := remessa.NewKeys()
	if err != nil {
		return made{}, err
	}
	data, err := json.MarshalIndent(keys, "", "  ")
	if err == nil {
		err = os.WriteFile(b.file("registro.chave"), append(data, '\n'), 0o600)
	}
	if err != nil {
		return made{}, fmt.Errorf("write keys: %w", err)
	}
	r, s, err := b.open(ctx)
	if err != nil {
		return made{}, err
	}
	defer func() { _ = s.Close() }() // what is in it was committed
	err = s.Write(ctx, func(tx registry.Tx) error { return tx.PinIdentity(ctx, benchOrigin, keys.Public()) })
	if err != nil {
		return made{}, err
	}
	body, err := load.Enrol(ctx, r, benchBody, 1)
	if err != nil {
		return made{}, err
	}
	start := time.Now()
	err = writeBundle(b.bundle(1), func(w io.Writer) (remessa.Manifest, error) {
		return body.Write(w, load.Size{Products: b.Products})
	})
	if err == nil {
		err = writeBundle(b.bundle(2), func(w io.Writer) (remessa.Manifest, error) { return body.WriteChanges(w, b.Changes) })
	}
	if err != nil {
		return made{}, err
	}
	info, err := os.Stat(b.bundle(1))
	if err != nil {
		return made{}, fmt.Errorf("read bundle: %w", err)
	}
	return made{Seconds: time.Since(start).Seconds(), Bytes: info.Size()}, nil
}

func writeBundle(path string, write func(io.Writer) (remessa.Manifest, error)) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("make bundle: %w", err)
	}
	_, err = write(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("make bundle: %w", err)
	}
	return nil
}

// processed is how the registry took one remessa.
type processed struct {
	Deliver   float64 // seconds: checked at the door and kept
	Process   float64 // seconds: validated, applied, logged, committed
	CPU       float64 // seconds of this process's processor time in Process; more than one core works
	Revisions int64
	Early     int64  // bytes resident when half was processed
	Peak      memory // while processing
}

// remessaOf says which bundle of a base a child processes.
type remessaOf struct {
	base
	Sequence int
}

// processBundle delivers and processes one remessa.
func processBundle(ctx context.Context, b remessaOf) (processed, error) {
	r, s, err := b.open(ctx)
	if err != nil {
		return processed{}, err
	}
	defer func() { _ = s.Close() }() // what is in it was committed
	return process(ctx, r, b.bundle(b.Sequence))
}

func process(ctx context.Context, r *registry.Registry, bundle string) (p processed, err error) {
	f, err := os.Open(bundle)
	if err != nil {
		return p, fmt.Errorf("open bundle: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	info, err := f.Stat()
	if err != nil {
		return p, fmt.Errorf("open bundle: %w", err)
	}
	start := time.Now()
	rem, _, err := r.Deliver(ctx, f, info.Size(), benchBody)
	if err != nil {
		return p, err
	}
	p.Deliver = time.Since(start).Seconds()
	show := progress("cli.progress.process")
	r.Progress = func(done, total int64) {
		if p.Early == 0 && done*2 >= total {
			p.Early = processMemory("self").Now
		}
		show(done, total)
	}
	stop, spent := watch(), processorTime("self")
	start = time.Now()
	err = profiled(fmt.Sprintf("process-%d-%d", rem.Counts.Products, os.Getpid()), func() error {
		return r.Process(ctx, registry.ProcessArgs{Body: rem.Body, Sequence: rem.Sequence}, func(registry.Tx) error { return nil })
	})
	p.Process, p.Peak, p.CPU = time.Since(start).Seconds(), stop(), processorTime("self")-spent
	if err != nil {
		return p, err
	}
	err = r.Store.Read(ctx, func(tx registry.Tx) error {
		rem, _, err = tx.FindRemessa(ctx, rem.Body, rem.Sequence)
		return err
	})
	if err == nil && rem.State != registry.Confirmed {
		err = fmt.Errorf("remessa %d was not confirmed: %v", rem.Sequence, rem.Reasons)
	}
	p.Revisions = rem.Applied
	return p, err
}
