package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"selo/brasil"
	"selo/cmd/selo/term"
	"selo/fault"

	"golang.org/x/sync/errgroup"
)

// demoCmd is everything on this machine: an official base, a body's own base
// and the public answers, filled through the real cycle over HTTP.
type demoCmd struct {
	Once bool   `help:"${help_demo_once}"`
	Addr string `help:"${help_addr}" env:"SELO_ADDR" default:"127.0.0.1:8080"`
	Data string `help:"${help_demo_data}" type:"path"`
}

// demoRun is one run of the demonstration.
type demoRun struct {
	*app
	dir   string
	url   string
	node  *node
	desk  *desk
	door  *demoSignIn // nil: nobody signs in
	today brasil.Date
}

// Run fills an empty base and narrates it; with --once it stops there, else it
// goes on serving.
func (c *demoCmd) Run(a *app) (err error) {
	dir := c.Data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "selo-demo-"); err != nil {
			return fmt.Errorf("make demo folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	addr := c.Addr
	if c.Once {
		addr = "127.0.0.1:0" // nobody visits: any free port
	}
	listener, err := listen(addr)
	if err != nil {
		return err
	}
	return c.on(a, dir, listener)
}

func (c *demoCmd) on(a *app, dir string, listener net.Listener) error {
	url := "http://" + listener.Addr().String()
	flags := registryFlags{Data: filepath.Join(dir, "inmetro"), URL: url, Name: "Registro de demonstração",
		Origin: "selo.example/demonstracao", From: "Selo <selo@inmetro.example>"}
	if _, err := os.Stat(filepath.Join(flags.Data, "registro.db")); err == nil {
		return fault.New(fault.Conflict, "demo.not_empty", "pasta", dir)
	}
	return onNode(a, flags, func(n *node) error {
		ctx, stop := context.WithCancel(a.ctx)
		defer stop()
		group, ctx := errgroup.WithContext(ctx)
		inner := *a
		inner.ctx = ctx
		d := &demoRun{app: &inner, dir: dir, url: url, node: n, today: brasil.Today(n.clock.Now())}
		if err := d.openDoor(group, listener.Addr(), c.Once); err != nil {
			return err
		}
		group.Go(func() error { return n.serve(ctx, listener) })
		err := d.cycle()
		if err == nil && !c.Once {
			d.addresses(c.Data != "")
			<-ctx.Done()
		}
		stop()
		if served := group.Wait(); err == nil {
			err = served
		}
		return err
	})
}

func (d *demoRun) addresses(kept bool) {
	d.out.Heading("demo.serving")
	pairs := []term.Pair{{Key: "demo.address.site", Value: d.url + "/"},
		{Key: "demo.address.search", Value: d.url + "/api/v1/certificados?q=brinquedo"},
		{Key: "demo.address.certificate", Value: d.url + "/api/v1/certificados/DEMO/DEMO-BRIN-108%2F25.001"},
		{Key: "demo.address.check", Value: d.url + "/api/v1/verificacao?marca=Fictoy&modelo=Trenzinho+FT-10"},
		{Key: "demo.address.openapi", Value: d.url + "/api/openapi.json"},
		{Key: "demo.address.data", Value: d.dir}}
	if d.door != nil {
		d.out.Pairs(append(pairs, d.door.pairs(d.url)...)...)
		d.out.Note("demo.signin")
	} else {
		d.out.Pairs(pairs...)
	}
	if kept {
		d.out.Note("demo.stop.kept")
		return
	}
	d.out.Note("demo.stop")
}
