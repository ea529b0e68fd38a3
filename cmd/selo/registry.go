package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"selo/brasil"
	"selo/certificate"
	"selo/cmd/selo/term"
	"selo/demo"
	"selo/fault"
	"selo/locale"
	"selo/registry"
	"selo/remessa"
)

// registryCmd is the work of the área gestora and its support on the server's own machine.
type registryCmd struct {
	Enrol     registryEnrolCmd     `cmd:"" help:"${help_registry_enrol}"`
	Bodies    registryBodiesCmd    `cmd:"" help:"${help_registry_bodies}"`
	Activate  registryActivateCmd  `cmd:"" help:"${help_registry_activate}"`
	Reference registryReferenceCmd `cmd:"" help:"${help_registry_reference}"`
	Scope     registryScopeCmd     `cmd:"" help:"${help_registry_scope}"`
	Release   registryReleaseCmd   `cmd:"" help:"${help_registry_release}"`
	Deliver   registryDeliverCmd   `cmd:"" help:"${help_registry_deliver}"`
	Process   registryProcessCmd   `cmd:"" help:"${help_registry_process}"`
	Remessas  registryRemessasCmd  `cmd:"" help:"${help_registry_remessas}"`
	Jobs      registryJobsCmd      `cmd:"" help:"${help_registry_jobs}"`
	Person    registryPersonCmd    `cmd:"" help:"${help_registry_person}"`
	Publish   registryPublishCmd   `cmd:"" help:"${help_registry_publish}"`
	Base      registryBaseCmd      `cmd:"" help:"${help_registry_base}"`
}

// onNode opens the base for one command and closes it after.
func onNode(a *app, flags registryFlags, do func(*node) error) error {
	n, err := openNode(a.ctx, flags)
	if err != nil {
		return err
	}
	return errors.Join(do(n), n.close())
}

// write runs one transaction of the área gestora.
func (n *node) write(ctx context.Context, body func(registry.Tx) error) error {
	return n.registry.Store.Write(ctx, body)
}

type registryEnrolCmd struct {
	registryFlags `embed:""`
	Request       string `arg:"" help:"${help_arg_request}" type:"path"`
	Accreditation string `help:"${help_accreditation}" placeholder:"OCP-0000"`
	ReplaceKeys   bool   `help:"${help_replace_keys}"`
	Out           string `help:"${help_out}" type:"path"`
}

// Run enrols a body from the request that its certifier made.
func (c *registryEnrolCmd) Run(a *app) error {
	request, err := readSmall(c.Request)
	if err != nil {
		return err
	}
	enrolment, err := remessa.OpenEnrolment(string(bytes.TrimSpace(request)))
	if err != nil {
		return err
	}
	return onNode(a, c.registryFlags, func(n *node) error {
		var answer string
		err := n.write(a.ctx, func(tx registry.Tx) error {
			enrol := n.registry.Enrol
			if c.ReplaceKeys {
				enrol = n.registry.ReplaceKeys
			}
			answer, err = enrol(a.ctx, tx, enrolment, c.Accreditation, string(a.actor))
			return err
		})
		if err != nil {
			return err
		}
		path := c.Out
		if path == "" {
			path = string(enrolment.Body) + ".registro"
		}
		if err := writeFile(path, []byte(answer+"\n")); err != nil {
			return err
		}
		a.out.Done("cli.registry.enrolled", "organismo", string(enrolment.Body), "arquivo", path)
		a.out.Pairs(term.Pair{Key: "cli.label.fingerprint", Value: enrolment.Keys.Fingerprint()})
		a.out.Note("cli.registry.compare")
		return nil
	})
}

type registryBodiesCmd struct {
	registryFlags `embed:""`
}

// Run lists the bodies.
func (c *registryBodiesCmd) Run(a *app) error {
	return onNode(a, c.registryFlags, func(n *node) error {
		var bodies []registry.Body
		err := n.registry.Store.Read(a.ctx, func(tx registry.Tx) (err error) {
			bodies, err = tx.ListBodies(a.ctx)
			return err
		})
		if err != nil {
			return err
		}
		if len(bodies) == 0 {
			a.out.Note("cli.registry.no_bodies")
			return nil
		}
		rows := make([][]string, 0, len(bodies))
		for _, b := range bodies {
			state := "cli.state.active"
			if !b.Active {
				state = "cli.state.inactive"
			}
			rows = append(rows, []string{string(b.Sigla), b.Name, b.Email, strconv.FormatInt(b.Sequence, 10), locale.Text(a.lang, state, nil)})
		}
		a.out.Table([]term.Column{{Key: "cli.column.body"}, {Key: "cli.column.name"}, {Key: "cli.column.email"},
			{Key: "cli.column.last_remessa"}, {Key: "cli.column.state"}}, rows)
		return nil
	})
}

type registryActivateCmd struct {
	registryFlags `embed:""`
	Body          certificate.Sigla `arg:"" help:"${help_arg_body}"`
	Off           bool              `help:"${help_off}"`
}

// Run lets a body deliver, or stops it.
func (c *registryActivateCmd) Run(a *app) error {
	return onNode(a, c.registryFlags, func(n *node) error {
		err := n.write(a.ctx, func(tx registry.Tx) error {
			return n.registry.SetBodyActive(a.ctx, tx, c.Body, !c.Off, string(a.actor))
		})
		if err != nil {
			return err
		}
		key := "cli.registry.activated"
		if c.Off {
			key = "cli.registry.deactivated"
		}
		a.out.Done(key, "organismo", string(c.Body))
		return nil
	})
}

type registryReferenceCmd struct {
	registryFlags `embed:""`
	File          string `arg:"" optional:"" help:"${help_arg_reference}" type:"path"`
	Sample        bool   `help:"${help_sample}"`
}

// Run adds or replaces entries of the reference lists: those of a JSON file, or
// the classes and Portarias that come with the program.
func (c *registryReferenceCmd) Run(a *app) error {
	tables, err := c.tables()
	if err != nil {
		return err
	}
	return onNode(a, c.registryFlags, func(n *node) error {
		err := n.write(a.ctx, func(tx registry.Tx) error { return n.registry.PutReference(a.ctx, tx, tables, string(a.actor)) })
		if err == nil {
			a.out.Done("cli.registry.reference", "classes", strconv.Itoa(len(tables.Classes)+len(tables.ServiceClasses)),
				"documentos", strconv.Itoa(len(tables.Documents)))
			a.out.Note("cli.registry.release_hint")
		}
		return err
	})
}

func (c *registryReferenceCmd) tables() (certificate.Tables, error) {
	var tables certificate.Tables
	if c.Sample {
		return demo.Tables()
	}
	if c.File == "" {
		return tables, fault.New(fault.Invalid, "reference.what")
	}
	data, err := readSmall(c.File)
	if err != nil {
		return tables, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&tables); err != nil {
		return tables, fault.New(fault.Invalid, "reference.file", "arquivo", c.File, "motivo", err.Error())
	}
	return tables, nil
}

type registryScopeCmd struct {
	registryFlags `embed:""`
	Body          certificate.Sigla            `arg:"" help:"${help_arg_body}"`
	Class         certificate.ClassCode        `help:"${help_class}" xor:"class"`
	ServiceClass  certificate.ServiceClassCode `help:"${help_service_class}" xor:"class"`
	Since         brasil.Date                  `help:"${help_since}"`
	Until         brasil.Date                  `help:"${help_until}"`
}

// Run records an accreditation.
func (c *registryScopeCmd) Run(a *app) error {
	return onNode(a, c.registryFlags, func(n *node) error {
		scope := registry.Scope{Body: c.Body, Class: c.Class, ServiceClass: c.ServiceClass, Period: certificate.Period{From: c.Since, To: c.Until}}
		err := n.write(a.ctx, func(tx registry.Tx) error { return n.registry.PutScope(a.ctx, tx, scope, string(a.actor)) })
		if err == nil {
			a.out.Done("cli.registry.scope", "organismo", string(c.Body), "classe", string(c.Class)+string(c.ServiceClass))
			a.out.Note("cli.registry.release_hint")
		}
		return err
	})
}

type registryReleaseCmd struct {
	registryFlags `embed:""`
	Bodies        []certificate.Sigla `arg:"" optional:"" help:"${help_arg_bodies}"`
	Out           string              `help:"${help_out_folder}" type:"path"`
}

// Run makes the next auxiliary-table releases of the bodies whose tables changed; no body means all.
func (c *registryReleaseCmd) Run(a *app) error {
	return onNode(a, c.registryFlags, func(n *node) error {
		bodies := c.Bodies
		if len(bodies) == 0 {
			err := n.registry.Store.Read(a.ctx, func(tx registry.Tx) error {
				all, err := tx.ListBodies(a.ctx)
				bodies = nil
				for _, b := range all {
					bodies = append(bodies, b.Sigla)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		for _, body := range bodies {
			if err := c.release(a, n, body); err != nil {
				return err
			}
		}
		_, err := n.runner.RunUntilIdle(a.ctx)
		return err
	})
}

func (c *registryReleaseCmd) release(a *app, n *node, body certificate.Sigla) error {
	var release registry.Release
	var fresh bool
	err := n.write(a.ctx, func(tx registry.Tx) (err error) {
		release, fresh, err = n.registry.Release(a.ctx, tx, body, string(a.actor))
		return err
	})
	if err != nil {
		return err
	}
	key := "cli.registry.released"
	if !fresh {
		key = "cli.registry.release_same"
	}
	a.out.Done(key, "organismo", string(body), "numero", strconv.Itoa(release.Number))
	if c.Out == "" {
		return nil
	}
	path := filepath.Join(c.Out, fmt.Sprintf("%s-tabelas-%06d.selo", body, release.Number))
	if err := writeFile(path, []byte(release.Signed)); err != nil {
		return err
	}
	a.out.Line(path)
	return nil
}

type registryBaseCmd struct {
	registryFlags `embed:""`
	Body          certificate.Sigla `arg:"" help:"${help_arg_body}"`
	Out           string            `help:"${help_out}" type:"path"`
}

// Run writes all the registry holds of a body, for restore and reconcile.
func (c *registryBaseCmd) Run(a *app) error {
	return onNode(a, c.registryFlags, func(n *node) error {
		path := c.Out
		if path == "" {
			path = string(c.Body) + ".base"
		}
		var m remessa.Manifest
		err := writeWhole(path, func(w io.Writer) error {
			return n.registry.Store.Read(a.ctx, func(tx registry.Tx) (err error) {
				m, err = n.registry.ExportBase(a.ctx, tx, c.Body, func(h remessa.Head) *remessa.Writer {
					return remessa.NewWriter(w, h, n.registry.Keys.Sign)
				})
				return err
			})
		})
		if err == nil {
			a.out.Done("cli.registry.base", "organismo", string(c.Body), "arquivo", path, "registros", strconv.FormatInt(m.Counts.Total(), 10))
		}
		return err
	})
}

// publicKey is here for the commands that check what the registry signed.
func (n *node) publicKey() ed25519.PublicKey { return n.registry.Keys.Public().Sign }

// maxSmallFile bounds files that people hand over: requests, answers, lists.
const maxSmallFile = 64 << 20

// readSmall reads a whole file of bounded size.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "file.unreadable", "arquivo", path).Because(err)
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	data, err := io.ReadAll(io.LimitReader(f, maxSmallFile+1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "file.unreadable", "arquivo", path).Because(err)
	}
	if len(data) > maxSmallFile {
		return nil, fault.New(fault.Invalid, "file.too_large", "arquivo", path, "limite", strconv.Itoa(maxSmallFile))
	}
	return data, nil
}

// writeFile writes a file whole or not at all.
func writeFile(path string, data []byte) error {
	return writeWhole(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// writeWhole writes a file under another name, syncs it and moves it into place.
func writeWhole(path string, write func(io.Writer) error) error {
	unwritable := func(err error) error {
		return fault.New(fault.Unavailable, "file.unwritable", "arquivo", path).Because(err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return unwritable(err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already when all went well
	if err := write(f); err != nil {
		_ = f.Close() // the first error is the one to tell
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return unwritable(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return unwritable(err)
	}
	return nil
}
