package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"selo/api"
	"selo/fault"
	"selo/web"

	"golang.org/x/sync/errgroup"
)

// serveCmd is Inmetro's server: registry, public answers, API. Any number of
// equal ones may share one PostgreSQL base.
type serveCmd struct {
	registryFlags `embed:""`
	Addr          string `help:"${help_addr}" env:"SELO_ADDR" default:"127.0.0.1:8080"`
}

// Run serves until it is told to stop, and then lets what is under way finish.
func (c *serveCmd) Run(a *app) error {
	listener, err := listen(c.Addr)
	if err != nil {
		return err
	}
	return onNode(a, c.registryFlags, func(n *node) error {
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

// grace is how long requests may take to finish once the server is told to stop.
const grace = 15 * time.Second

// serve answers requests, runs jobs and follows publications until ctx ends.
func (n *node) serve(ctx context.Context, listener net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	server := &http.Server{
		Handler: n.handler("http://" + listener.Addr().String()),
		// Deliveries may take long; the API bounds everything else itself.
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		return server.Shutdown(stop)
	})
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
		Version: version, URL: address, Temp: n.flags.Data})
	n.follower.prepare = server.Prepare
	site := web.New(web.Deps{Registry: n.registry, Catalog: n.holder, Clock: n.clock, Log: slog.Default(), Version: version, URL: address})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if api.Owns(r.URL.Path) {
			server.ServeHTTP(w, r)
			return
		}
		site.ServeHTTP(w, r)
	})
}
