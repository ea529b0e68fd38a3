package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"selo/catalog"
	"selo/clock"
	"selo/fault"
	"selo/govbr"
	"selo/job"
	"selo/notify"
	"selo/registry"
	"selo/remessa"
	"selo/store"
	"selo/store/accountstore"
	"selo/store/registrystore"
	"selo/throttle"
)

// registryFlags say which official base, with which keys; all registry commands and serve take them.
type registryFlags struct {
	Data     string `help:"${help_data}" env:"SELO_DATA" default:"data" type:"path"`
	Database string `help:"${help_database}" env:"SELO_DATABASE" placeholder:"sqlite:PATH"`
	Key      string `help:"${help_key}" env:"SELO_KEY" type:"path" placeholder:"FILE"`
	Origin   string `help:"${help_origin}" env:"SELO_ORIGIN" default:"selo.localhost/registro"`
	Name     string `help:"${help_name}" env:"SELO_NAME" default:"Registro nacional de conformidade"`
	URL      string `help:"${help_url}" env:"SELO_URL"`
	Mail     string `help:"${help_mail}" env:"SELO_MAIL" placeholder:"folder:DIR"`
	From     string `help:"${help_from}" env:"SELO_FROM" default:"Selo <selo@localhost>"`
}

// database is where the base is: --database, else a file in the data folder.
func (f *registryFlags) database() string {
	if f.Database != "" {
		return f.Database
	}
	return "sqlite:" + filepath.Join(f.Data, "registro.db")
}

// node is one process's hold on the official base. Several may share one base.
type node struct {
	flags    registryFlags
	store    registrystore.Store
	registry *registry.Registry
	runner   *job.Runner
	holder   *catalog.Holder
	follower *follower
	limiter  *throttle.Limiter // nil: no limit
	govbr    *govbr.Client     // nil: nobody signs in
	clock    clock.Clock
}

// openNode opens the base, making it and the registry's keys when they are new.
func openNode(ctx context.Context, flags registryFlags) (*node, error) {
	if err := os.MkdirAll(flags.Data, 0o750); err != nil {
		return nil, fault.New(fault.Unavailable, "data.folder", "pasta", flags.Data).Because(err)
	}
	keyFile := flags.Key
	if keyFile == "" {
		keyFile = filepath.Join(flags.Data, "registro.chave")
	}
	keys, err := loadOrMakeKeys(keyFile)
	if err != nil {
		return nil, err
	}
	mail := flags.Mail
	if mail == "" {
		mail = "folder:" + filepath.Join(flags.Data, "correio")
	}
	sender, err := notify.Open(mail, notify.Options{From: flags.From})
	if err != nil {
		return nil, err
	}
	base, err := registrystore.Open(ctx, flags.database(), store.Options{Migrations: []store.MigrationSet{accountstore.Migrations()}})
	if err != nil {
		return nil, err
	}
	r := &registry.Registry{Store: base, Keys: keys, Origin: flags.Origin, Name: flags.Name, URL: flags.URL}
	n := &node{flags: flags, store: base, registry: r, holder: &catalog.Holder{}, clock: clock.System{}}
	n.follower = newFollower(base, filepath.Join(flags.Data, "catalogo"), n.holder, keys, n.clock)
	// A minute: after a crash of the only server a body must not wait longer.
	n.runner = job.NewRunner(base.DB, job.Options{Handlers: n.handlers(sender), Lease: time.Minute,
		Schedules: map[string]job.Schedule{registry.PublishKind: registry.PublishSchedule(), cleanKind: cleanSchedule()}})
	base.OnEnqueue(n.runner.Wake)
	err = base.Write(ctx, func(tx registry.Tx) error { return tx.PinIdentity(ctx, flags.Origin, keys.Public()) })
	if err != nil {
		return nil, errors.Join(err, base.Close())
	}
	return n, nil
}

// close ends the node's hold; what is under way has stopped before.
func (n *node) close() error { return n.store.Close() }

func (n *node) handlers(sender notify.Sender) map[string]job.Handler {
	send := notify.Handler(sender)
	return map[string]job.Handler{
		registry.ProcessKind: func(ctx context.Context, run *job.Run) error {
			var args registry.ProcessArgs
			if err := run.Decode(&args); err != nil {
				return err
			}
			return n.registry.Process(ctx, args, func(tx registry.Tx) error { return run.Complete(ctx, tx) })
		},
		registry.PublishKind: func(ctx context.Context, run *job.Run) error {
			defer n.follower.poke()
			return n.registry.PublishDaily(ctx, func(tx registry.Tx) error { return run.Complete(ctx, tx) })
		},
		cleanKind:   n.clean,
		notify.Kind: func(ctx context.Context, run *job.Run) error { return send(ctx, run.Job.Args) },
	}
}

// loadOrMakeKeys reads the registry's private keys, making them on the first
// start. The file is for its owner only.
func loadOrMakeKeys(path string) (remessa.Keys, error) {
	data, err := os.ReadFile(path)
	if err == nil {
		var keys remessa.Keys
		if err := json.Unmarshal(data, &keys); err != nil {
			return remessa.Keys{}, fault.New(fault.Invalid, "keys.file", "arquivo", path).Because(err)
		}
		return keys, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return remessa.Keys{}, fault.New(fault.Unavailable, "keys.unreadable", "arquivo", path).Because(err)
	}
	keys, err := remessa.NewKeys()
	if err != nil {
		return remessa.Keys{}, err
	}
	if data, err = json.MarshalIndent(keys, "", "  "); err != nil {
		return remessa.Keys{}, fmt.Errorf("encode keys: %w", err)
	}
	unwritable := func(err error) (remessa.Keys, error) {
		return remessa.Keys{}, fault.New(fault.Unavailable, "keys.unwritable", "arquivo", path).Because(err)
	}
	// Written whole under another name, then linked: half a key file would end the
	// registry, and of two first starts at once the second must read the first's.
	whole := path + ".novo-" + strconv.Itoa(os.Getpid())
	if err := writeFile(whole, append(data, '\n')); err != nil {
		return unwritable(err)
	}
	defer func() { _ = os.Remove(whole) }() // the link keeps the content
	switch err := os.Link(whole, path); {
	case errors.Is(err, fs.ErrExist):
		return loadOrMakeKeys(path)
	case err != nil: // a file system without links
		if err := os.Rename(whole, path); err != nil {
			return unwritable(err)
		}
	}
	slog.Info("registry keys made", "file", filepath.Base(path))
	return keys, nil
}

// publicAddress is how others reach a server that listens on addr.
func publicAddress(flags registryFlags, addr string) string {
	if flags.URL != "" {
		return strings.TrimSuffix(flags.URL, "/")
	}
	return "http://" + addr
}
