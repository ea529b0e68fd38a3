package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"

	"selo/api"
	"selo/fault"
	"selo/web"

	"golang.org/x/sync/errgroup"
)

// serveCmd is Inmetro's server: registry, public answers, API. Any number of
// equal ones may share one PostgreSQL base.
type serveCmd struct {
	registryFlags `embed:""`
	limitFlags    `embed:""`
	govbrFlags    `embed:""`
	Addr          string `help:"${help_addr}" env:"SELO_ADDR" default:"127.0.0.1:8080"`
	Keep          int    `help:"${help_keep}" env:"SELO_KEEP" default:"8"`
}

// Run serves until it is told to stop, and then lets what is under way finish.
func (c *serveCmd) Run(a *app) error {
	listener, err := listen(c.Addr)
	if err != nil {
		return err
	}
	return onNode(a, c.registryFlags, func(n *node) error {
		if n.limiter, err = c.limiter(n.clock); err != nil {
			return err
		}
		if n.govbr, err = c.client(publicAddress(c.registryFlags, listener.Addr().String())); err != nil {
			return err
		}
		n.follower.shelf.Keep = max(c.Keep, 1)
		a.out.Done("cli.serve.ready", "endereco", publicAddress(c.registryFlags, listener.Addr().String()), "base", n.store.Name())
		return n.serve(a.ctx, listener)
	})
}

func listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "serve.address", "endereco", addr).Because(err)
	}
	return listener, nil
}

// serve answers requests, runs jobs and follows publications until ctx ends.
func (n *node) serve(ctx context.Context, listener net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	// Deliveries may take long; the API bounds everything else itself.
	serveUntil(ctx, group, newHTTPServer(n.handler("http://"+listener.Addr().String())), listener)
	group.Go(func() error { return n.runner.Run(ctx) })
	group.Go(func() error { n.follower.run(ctx); return nil })
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (n *node) handler(address string) http.Handler {
	if n.flags.URL != "" {
		address = n.flags.URL
	}
	server := api.New(api.Deps{Registry: n.registry, Catalog: n.holder, Clock: n.clock, Log: slog.Default(),
		Version: version, URL: address, Temp: n.flags.Data, Shelf: n.follower.shelf, Limiter: n.limiter})
	n.follower.prepare = server.Prepare
	rate, burst := n.limiter.Limit()
	deps := web.Deps{Registry: n.registry, Catalog: n.holder, Clock: n.clock, Log: slog.Default(), Version: version, URL: address,
		Accounts: n.accounts(), GovBR: n.govbr,
		Answered: server.Observe, OpenData: server.OpenData, Document: server.Document(), Rate: rate, Burst: burst}
	if n.limiter != nil {
		deps.Client = n.limiter.Client
	}
	return &front{api: server, web: web.New(deps), limiter: n.limiter}
}
