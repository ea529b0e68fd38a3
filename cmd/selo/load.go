package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"selo/certificate"
	"selo/cmd/selo/term"
	"selo/load"
	"selo/locale"
	"selo/registry"
	"selo/remessa"
)

// loadCmd fills a base through the real cycle: invented bodies, real bundles,
// real processing, a publication.
type loadCmd struct {
	registryFlags `embed:""`
	Products      int  `help:"${help_load_products}" default:"10000"`
	Per           int  `help:"${help_load_per}" default:"5"`
	Bodies        int  `help:"${help_load_bodies}" default:"4"`
	Batch         int  `help:"${help_load_batch}" default:"100000"`
	Publish       bool `help:"${help_load_publish}" default:"true" negatable:""`
}

// Run makes the base, a remessa of at most Batch products at a time.
func (c *loadCmd) Run(a *app) error {
	return onNode(a, c.registryFlags, func(n *node) error {
		progress := a.err.Progress()
		progress.Start("cli.progress.load", int64(c.Products))
		bodies := max(c.Bodies, 1)
		left := c.Products
		for i := range bodies {
			share := left / (bodies - i)
			left -= share
			body, err := load.Enrol(a.ctx, n.registry, certificate.Sigla(fmt.Sprintf("CARGA%d", i+1)), uint64(i+1))
			if err != nil {
				return err
			}
			if err := c.fill(a, n, body, share, progress); err != nil {
				return err
			}
		}
		progress.Done()
		if !c.Publish {
			return nil
		}
		p, _, err := n.publish(a)
		if err == nil {
			a.out.Done("cli.load.done", "produtos", locale.Number(a.lang, int64(c.Products)), "registros", locale.Number(a.lang, p.Head.Size))
		}
		return err
	})
}

func (c *loadCmd) fill(a *app, n *node, body *load.Body, products int, progress term.Progress) error {
	for products > 0 {
		part := min(products, max(c.Batch, 1))
		products -= part
		err := sendLarge(a, n, body, func(w io.Writer) (remessa.Manifest, error) {
			return body.Write(w, load.Size{Products: part, PerCertificate: c.Per})
		})
		if err != nil {
			return err
		}
		progress.Add(int64(part))
	}
	return nil
}

// sendLarge makes a remessa in a file, so that its size does not count in memory.
func sendLarge(a *app, n *node, body *load.Body, write func(io.Writer) (remessa.Manifest, error)) (err error) {
	f, err := os.CreateTemp(n.flags.Data, "carga-*.remessa")
	if err != nil {
		return fmt.Errorf("make bundle file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	m, err := write(f)
	if err != nil {
		return fmt.Errorf("make bundle: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("make bundle: %w", err)
	}
	if _, _, err := n.registry.Deliver(a.ctx, f, info.Size(), m.Body); err != nil {
		return err
	}
	if _, err := n.runner.RunUntilIdle(a.ctx); err != nil {
		return err
	}
	return n.registry.Store.Read(a.ctx, func(tx registry.Tx) error {
		result, ok, err := n.registry.Result(a.ctx, tx, m.Body, m.Sequence)
		if err == nil && (!ok || result.Outcome != remessa.Confirmed) {
			return fmt.Errorf("remessa %s of %s: %s: %v", strconv.FormatInt(m.Sequence, 10), m.Body, result.Outcome, result.Reasons)
		}
		return err
	})
}
