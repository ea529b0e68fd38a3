package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"selo/api"
	"selo/catalog"
	"selo/clock"
	"selo/fault"
	"selo/remessa"
	"selo/replica"
	"selo/web"

	"golang.org/x/sync/errgroup"
)

// catalogServeCmd is a public node: pages and API out of a published snapshot
// alone. Any number of equal ones may stand behind a balancer or a CDN.
type catalogServeCmd struct {
	limitFlags  `embed:""`
	Addr        string        `help:"${help_addr}" env:"SELO_ADDR" default:"127.0.0.1:8080"`
	Data        string        `help:"${help_data}" env:"SELO_DATA" default:"data" type:"path"`
	Snapshot    string        `help:"${help_snapshot_serve}" env:"SELO_SNAPSHOT" type:"path" placeholder:"FILE|DIR"`
	From        string        `help:"${help_source}" env:"SELO_FROM_URL" placeholder:"URL"`
	Key         string        `help:"${help_key_public}" env:"SELO_PUBLIC_KEY" type:"path" placeholder:"FILE"`
	Poll        time.Duration `help:"${help_poll}" env:"SELO_POLL" default:"1m"`
	Keep        int           `help:"${help_keep}" env:"SELO_KEEP" default:"8"`
	MaxSnapshot int64         `help:"${help_max_snapshot}" env:"SELO_MAX_SNAPSHOT" default:"32"`
	URL         string        `help:"${help_url}" env:"SELO_URL"`
}

// Run serves until it is told to stop.
func (c *catalogServeCmd) Run(a *app) error {
	limiter, err := c.limiter(clock.System{})
	if err != nil {
		return err
	}
	n, err := c.follow(a.ctx)
	if err != nil {
		return err
	}
	listener, err := listen(c.Addr)
	if err != nil {
		return err
	}
	address := c.URL
	if address == "" {
		address = "http://" + listener.Addr().String()
	}
	deps := api.Deps{Catalog: n.holder, Clock: clock.System{}, Log: slog.Default(), Version: version, URL: address, Temp: n.temp,
		Shelf: n.shelf, Replica: n.replica, Limiter: limiter, CheckDigests: n.checkDigests}
	n.api = api.New(deps)
	rate, burst := limiter.Limit()
	// What people keep, QR codes above all, leads to the registry's own address
	// where this node has no public one.
	lasting := address
	if c.URL == "" && c.From != "" {
		lasting = strings.TrimRight(c.From, "/")
	}
	pages := web.New(web.Deps{Catalog: n.holder, Clock: clock.System{}, Log: slog.Default(), Version: version, URL: lasting, Answered: n.api.Observe,
		OpenData: n.api.OpenData, Document: n.api.Document(), Rate: rate, Burst: burst})
	a.out.Done("cli.serve.catalog", "endereco", address, "origem", n.origin)
	return n.serve(a.ctx, listener, &front{api: n.api, web: pages, limiter: limiter})
}

// publicNode is one process that shows published snapshots.
type publicNode struct {
	origin  string // where the publications come from, for people
	temp    string
	holder  *catalog.Holder
	shelf   *catalog.Shelf
	replica *replica.Replica
	api     *api.Server
	// checkDigests refuses digests of open data that the registry has not signed;
	// nil without its key.
	checkDigests func(text []byte, signature string) error
}

// follow makes the node and shows what is there already. Faults: Invalid
// "replica.source", "replica.key"; of a file or folder on this machine those of
// its first look, because somebody has just named it.
func (c *catalogServeCmd) follow(ctx context.Context) (*publicNode, error) {
	if (c.Snapshot == "") == (c.From == "") {
		return nil, fault.New(fault.Invalid, "replica.source")
	}
	check, checkDigests, err := c.checks()
	if err != nil {
		return nil, err
	}
	n := &publicNode{holder: &catalog.Holder{}, checkDigests: checkDigests}
	options := replica.Options{Holder: n.holder, Clock: clock.System{}, Check: check, CheckDigests: checkDigests, Poll: c.Poll,
		Prepare: func(ctx context.Context) error { return n.api.Prepare(ctx) }}
	if c.Snapshot != "" {
		n.origin = c.Snapshot
		n.shelf = &catalog.Shelf{Dir: c.Snapshot, Check: check, Foreign: true}
		if info, err := os.Stat(c.Snapshot); err == nil && !info.IsDir() {
			n.shelf.Dir, n.shelf.Only = filepath.Dir(c.Snapshot), filepath.Base(c.Snapshot)
		}
		options.Source = &replica.Local{Path: c.Snapshot, Check: check}
		n.replica = replica.New(options)
		if _, err := n.replica.Look(ctx); err != nil {
			return nil, err
		}
		return n, nil
	}
	n.origin, n.temp = c.From, c.Data
	n.shelf = &catalog.Shelf{Dir: filepath.Join(c.Data, "catalogo"), Keep: max(c.Keep, 1), Check: check}
	if err := os.MkdirAll(n.shelf.Dir, 0o750); err != nil {
		return nil, fault.New(fault.Unavailable, "data.folder", "pasta", c.Data).Because(err)
	}
	options.Source, err = replica.NewRemote(c.From, n.shelf, replica.RemoteOptions{Check: check, MaxBytes: c.MaxSnapshot << 30, Agent: "selo/" + version})
	if err != nil {
		return nil, err
	}
	options.Shelf = n.shelf
	n.replica = replica.New(options)
	if _, err := n.replica.Resume(ctx); err != nil {
		slog.WarnContext(ctx, "snapshot of an earlier run not shown", "error", err)
	}
	return n, nil
}

// checks refuse seals and digests of others than the registry whose key is
// given. What comes over a network needs one; of a file on this machine its
// owner may do without.
func (c *catalogServeCmd) checks() (seal, digests func(text []byte, signature string) error, err error) {
	if c.Key == "" {
		if c.From != "" {
			return nil, nil, fault.New(fault.Invalid, "replica.key")
		}
		return nil, nil, nil // none: any seal is accepted, and no digests
	}
	key, err := readPublicKey(c.Key)
	if err != nil {
		return nil, nil, err
	}
	return func(text []byte, signature string) error { return remessa.CheckSnapshot(text, signature, key) },
		func(text []byte, signature string) error { return remessa.CheckDigests(text, signature, key) }, nil
}

// serve answers and follows until ctx ends.
func (n *publicNode) serve(ctx context.Context, listener net.Listener, handler *front) error {
	group, ctx := errgroup.WithContext(ctx)
	server := newHTTPServer(handler)
	// Nothing large is sent here, and downloads set deadlines of their own.
	server.ReadTimeout, server.WriteTimeout = 30*time.Second, time.Minute
	serveUntil(ctx, group, server, listener)
	group.Go(func() error { n.replica.Run(ctx); return nil })
	err := group.Wait()
	n.holder.Swap(nil)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
