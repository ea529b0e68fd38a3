package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"selo/certificate"
	"selo/certifier"
	"selo/courier"
	"selo/fault"
	"selo/remessa"
	"selo/store"
	"selo/store/certifierstore"
)

// desk is one body's own module on this machine: its base, its keys, its outbox
// and the way to the registry. It joins what package certifier decides with
// what package client carries.
type desk struct {
	dir    string
	store  *certifierstore.DB
	keys   remessa.Keys
	outbox certifier.Outbox
	actor  certifier.Actor
	lang   string
}

// deskFile is the body's base in its folder.
const deskFile = "certificador.db"

// openDesk opens the body's base. Fault: NotFound "desk.missing" before init.
func openDesk(ctx context.Context, a *app, dir string) (*desk, error) {
	if _, err := os.Stat(filepath.Join(dir, deskFile)); errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "desk.missing", "pasta", dir)
	}
	keys, err := certifier.LoadKeys(dir)
	if err != nil {
		return nil, err
	}
	base, err := certifierstore.Open(ctx, filepath.Join(dir, deskFile), store.Options{})
	if err != nil {
		return nil, err
	}
	return &desk{dir: dir, store: base, keys: keys, outbox: certifier.Outbox{Dir: filepath.Join(dir, "saida")},
		actor: a.actor, lang: string(a.lang)}, nil
}

// initDesk makes the folder, the keys and the base of a body, and the request
// to be enrolled that Inmetro needs. Doing it again changes no keys.
func initDesk(ctx context.Context, a *app, dir string, body certifier.Body) (d *desk, request string, err error) {
	body.Sigla = certificate.Sigla(strings.ToUpper(strings.TrimSpace(string(body.Sigla))))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, "", fault.New(fault.Unavailable, "data.folder", "pasta", dir).Because(err)
	}
	if _, err := certifier.CreateKeys(dir); err != nil && !fault.HasKey(err, "keys.exist") {
		return nil, "", err
	}
	base, err := certifierstore.Open(ctx, filepath.Join(dir, deskFile), store.Options{})
	if err != nil {
		return nil, "", err
	}
	err = base.Write(ctx, func(tx certifier.Tx) error { return certifier.SetBody(ctx, tx, a.actor, body) })
	if err = errors.Join(err, base.Close()); err != nil {
		return nil, "", err
	}
	if d, err = openDesk(ctx, a, dir); err != nil {
		return nil, "", err
	}
	request, err = remessa.Enrolment{Body: body.Sigla, Name: body.Name, Email: body.Email}.Sign(d.keys)
	return d, request, err
}

func (d *desk) close() error { return d.store.Close() }

// registry is the way to the enrolled registry.
func (d *desk) registry(ctx context.Context) (c *courier.Client, err error) {
	err = d.store.Read(ctx, func(tx certifier.Tx) error {
		body, err := certifier.CurrentBody(ctx, tx)
		if err != nil {
			return err
		}
		known, err := certifier.CurrentRegistry(ctx, tx)
		if err != nil {
			return err
		}
		if known.URL == "" {
			return fault.New(fault.Conflict, "enrolment.no_address")
		}
		c, err = courier.New(known.URL, body.Sigla, d.keys, courier.Options{Lang: d.lang, Agent: "selo/" + version})
		return err
	})
	return c, err
}

// prepare makes the next remessa.
func (d *desk) prepare(ctx context.Context, scope remessa.Scope) (r *certifier.Remessa, err error) {
	err = d.store.Write(ctx, func(tx certifier.Tx) error {
		if _, err := certifier.Resume(ctx, tx, d.keys, d.outbox); err != nil {
			return err
		}
		r, err = certifier.Prepare(ctx, tx, d.actor, d.keys, d.outbox, scope)
		return err
	})
	return r, err
}

// send delivers the outstanding remessa. It counts as sent before the first byte
// leaves: whatever happens on the way, it cannot be cancelled any more unless
// the registry itself says that it did not take it.
func (d *desk) send(ctx context.Context, progress func(sent, total int64)) (r *certifier.Remessa, err error) {
	c, err := d.registry(ctx)
	if err != nil {
		return nil, err
	}
	err = d.store.Write(ctx, func(tx certifier.Tx) error {
		if _, err := certifier.Resume(ctx, tx, d.keys, d.outbox); err != nil {
			return err
		}
		r, err = certifier.MarkSent(ctx, tx, d.actor, certifier.ByHTTPS)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = d.deliver(ctx, c, r, progress)
	if f := fault.Of(err); f != nil && f.Kind != fault.Unavailable {
		refused := d.store.Write(ctx, func(tx certifier.Tx) error { return certifier.MarkRefused(ctx, tx, d.actor, r.Sequence) })
		return nil, errors.Join(err, refused)
	}
	return r, err
}

func (d *desk) deliver(ctx context.Context, c *courier.Client, r *certifier.Remessa, progress func(sent, total int64)) error {
	f, err := os.Open(d.outbox.Path(r.File))
	if err != nil {
		return fault.New(fault.Unavailable, "remessa.file_missing", "arquivo", r.File).Because(err)
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("look at %s: %w", r.File, err)
	}
	_, _, err = c.Deliver(ctx, f, info.Size(), progress)
	return err
}

// fetchResult asks for the result of the outstanding remessa and applies it;
// ok=false while the registry has not processed it.
func (d *desk) fetchResult(ctx context.Context) (answer certifier.Answer, ok bool, err error) {
	var r *certifier.Remessa
	err = d.store.Read(ctx, func(tx certifier.Tx) error {
		r, err = certifier.Outstanding(ctx, tx)
		return err
	})
	if err != nil {
		return answer, false, err
	}
	c, err := d.registry(ctx)
	if err != nil {
		return answer, false, err
	}
	status, err := c.Result(ctx, r.Sequence)
	if err != nil || status.Result == nil {
		return answer, false, err
	}
	err = d.store.Write(ctx, func(tx certifier.Tx) error {
		answer, err = certifier.ApplyResult(ctx, tx, d.actor, d.keys, *status.Result)
		return err
	})
	return answer, err == nil, err
}

// fetchTables fetches the newest release of the auxiliary tables and applies it.
func (d *desk) fetchTables(ctx context.Context) (applied certifier.Applied, err error) {
	c, err := d.registry(ctx)
	if err != nil {
		return applied, err
	}
	signed, _, err := c.Release(ctx)
	if err != nil {
		return applied, err
	}
	return d.applyTables(ctx, signed)
}

func (d *desk) applyTables(ctx context.Context, signed string) (applied certifier.Applied, err error) {
	err = d.store.Write(ctx, func(tx certifier.Tx) error {
		applied, err = certifier.ApplyRelease(ctx, tx, d.actor, signed)
		return err
	})
	return applied, err
}

// findCertificate finds a certificate by its number as people type it.
func (d *desk) findCertificate(ctx context.Context, number string) (id certificate.ID, err error) {
	err = d.store.Read(ctx, func(tx certifier.Tx) error {
		id, err = certifier.FindByKey(ctx, tx, &certificate.Revision{Certificate: &certificate.Certificate{Number: number}})
		return err
	})
	if err == nil && id == "" {
		err = fault.New(fault.NotFound, "certificate.not_found", "numero", number)
	}
	return id, err
}
