package load

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"selo/brasil"
	"selo/certificate"
	"selo/demo"
	"selo/registry"
	"selo/remessa"
)

// Enrol makes an invented body known to the registry, accredited for every
// class of product, and gives the maker of its remessas.
func Enrol(ctx context.Context, r *registry.Registry, sigla certificate.Sigla, seed uint64) (*Body, error) {
	keys, err := remessa.NewKeys()
	if err != nil {
		return nil, err
	}
	var b *Body
	err = r.Store.Write(ctx, func(tx registry.Tx) error {
		enrolment := remessa.Enrolment{Body: sigla, Name: "Organismo Fictício " + string(sigla), Email: "recebe@" + string(sigla) + ".example", Keys: keys.Public()}
		if _, err := r.Enrol(ctx, tx, enrolment, "", "load"); err != nil {
			return err
		}
		tables, err := accredit(ctx, r, tx, sigla)
		if err != nil {
			return err
		}
		b = NewBody(sigla, keys, tables, brasil.Today(tx.Now()), seed)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("enrol %s: %w", sigla, err)
	}
	return b, nil
}

func accredit(ctx context.Context, r *registry.Registry, tx registry.Tx, sigla certificate.Sigla) (*certificate.Tables, error) {
	tables, err := demo.Tables()
	if err != nil {
		return nil, err
	}
	if err := r.PutReference(ctx, tx, tables, "load"); err != nil {
		return nil, err
	}
	for _, c := range tables.Classes {
		if c.Service {
			continue
		}
		if err := tx.PutScope(ctx, registry.Scope{Body: sigla, Class: c.Code}); err != nil {
			return nil, err
		}
	}
	release, _, err := r.Release(ctx, tx, sigla, "load")
	if err != nil {
		return nil, err
	}
	return remessa.OpenRelease(release.Signed, r.Keys.Public().Sign, sigla)
}

// Deliver makes the body's next remessa in memory and hands it in.
func (b *Body) Deliver(ctx context.Context, r *registry.Registry, write func(io.Writer) (remessa.Manifest, error)) (registry.Remessa, error) {
	var file bytes.Buffer
	if _, err := write(&file); err != nil {
		return registry.Remessa{}, err
	}
	rem, _, err := r.Deliver(ctx, bytes.NewReader(file.Bytes()), int64(file.Len()), b.Sigla)
	return rem, err
}

// Send makes, delivers and processes a remessa, and wants it confirmed.
func (b *Body) Send(ctx context.Context, r *registry.Registry, write func(io.Writer) (remessa.Manifest, error)) (registry.Remessa, error) {
	rem, err := b.Deliver(ctx, r, write)
	if err != nil {
		return rem, err
	}
	if err := r.Process(ctx, registry.ProcessArgs{Body: rem.Body, Sequence: rem.Sequence}, func(registry.Tx) error { return nil }); err != nil {
		return rem, err
	}
	err = r.Store.Read(ctx, func(tx registry.Tx) error {
		rem, _, err = tx.FindRemessa(ctx, rem.Body, rem.Sequence)
		return err
	})
	if err == nil && rem.State != registry.Confirmed {
		return rem, fmt.Errorf("remessa %s %d: %s, first reason %v", rem.Body, rem.Sequence, rem.State, rem.Reasons[0])
	}
	return rem, err
}
