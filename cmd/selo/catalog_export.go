package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"selo/catalog"
	"selo/cmd/selo/term"
	"selo/fault"
	"selo/locale"
	"selo/store"
	"selo/store/registrystore"
)

type catalogExportCmd struct {
	catalogFlags `embed:""`
	Format       string `arg:"" enum:"csv,xlsx,jsonl,sqlite" help:"${help_arg_format}"`
	Out          string `help:"${help_out}" type:"path"`
	Publication  int64  `help:"${help_export_publication}" placeholder:"N"`
	Database     string `help:"${help_database}" env:"SELO_DATABASE" placeholder:"sqlite:PATH"`
}

// Run writes the open data to a file, or with --out - to the standard output.
func (c *catalogExportCmd) Run(a *app) (err error) {
	export := func(ctx context.Context, cat *catalog.Catalog) error {
		write := func(w io.Writer) error { return c.write(ctx, cat, w) }
		if filepath.Base(c.Out) == "-" {
			return write(a.raw)
		}
		path := c.Out
		if path == "" {
			path = "certificados." + c.Format
		}
		if err := writeWhole(path, write); err != nil {
			return err
		}
		a.out.Done("cli.catalog.exported", "arquivo", path, "publicacao", locale.Number(a.lang, cat.Publication().Number))
		return nil
	}
	if c.Publication == 0 || c.Snapshot != "" {
		return onCatalog(a, c.catalogFlags, export)
	}
	if it, err := c.shelf().Find(c.Publication); err == nil {
		c.Snapshot = it.File
		return onCatalog(a, c.catalogFlags, export)
	}
	dir, err := os.MkdirTemp("", "selo-publicacao-")
	if err != nil {
		return fmt.Errorf("make folder for the publication: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if c.Snapshot, err = c.build(a, dir); err != nil {
		return err
	}
	return onCatalog(a, c.catalogFlags, export)
}

// build makes the snapshot of an earlier publication out of the official base,
// as it was published: revisions of its size of the ledger, names of its day.
// Nobody has signed it. Fault: NotFound "publication.unknown".
func (c *catalogExportCmd) build(a *app, dir string) (path string, err error) {
	place := (&registryFlags{Data: c.Data, Database: c.Database}).database()
	base, err := registrystore.Open(a.ctx, place, store.Options{ReadOnly: true})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, base.Close()) }()
	src, found, err := registrystore.SourceOf(a.ctx, base, c.Publication)
	if err != nil {
		return "", err
	}
	if !found {
		return "", fault.New(fault.NotFound, "publication.unknown", "numero", strconv.FormatInt(c.Publication, 10))
	}
	path = filepath.Join(dir, catalog.FileName(c.Publication))
	progress := term.Func(a.err.Progress(), "cli.progress.publish")
	return path, catalog.Build(a.ctx, src, src.Snapshot(), path, catalog.Options{Progress: progress})
}

func (c *catalogExportCmd) write(ctx context.Context, cat *catalog.Catalog, w io.Writer) error {
	switch c.Format {
	case "csv":
		return cat.ExportCSV(ctx, w)
	case "xlsx":
		return cat.ExportXLSX(ctx, w)
	case "jsonl":
		return cat.ExportJSONL(ctx, w)
	}
	f, err := os.Open(cat.File())
	if err != nil {
		return fmt.Errorf("open snapshot: %w", err)
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	_, err = io.Copy(w, f)
	return err
}
