package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"selo/brasil"
	"selo/certificate"
	"selo/certifier"
	"selo/cmd/selo/term"
	"selo/remessa"
)

// certifierCmd is the certification body's own module (Módulo Certificador),
// working on one folder of this machine, with or without a network.
type certifierCmd struct {
	Init      certifierInitCmd      `cmd:"" help:"${help_certifier_init}"`
	Enrol     certifierEnrolCmd     `cmd:"" help:"${help_certifier_enrol}"`
	Status    certifierStatusCmd    `cmd:"" help:"${help_certifier_status}"`
	Import    certifierImportCmd    `cmd:"" help:"${help_certifier_import}"`
	Put       certifierPutCmd       `cmd:"" help:"${help_certifier_put}"`
	Get       certifierGetCmd       `cmd:"" help:"${help_certifier_get}"`
	List      certifierListCmd      `cmd:"" help:"${help_certifier_list}"`
	Discard   certifierDiscardCmd   `cmd:"" help:"${help_certifier_discard}"`
	Check     certifierCheckCmd     `cmd:"" help:"${help_certifier_check}"`
	Approve   certifierApproveCmd   `cmd:"" help:"${help_certifier_approve}"`
	Reopen    certifierReopenCmd    `cmd:"" help:"${help_certifier_reopen}"`
	Situation certifierSituationCmd `cmd:"" help:"${help_certifier_situation}"`
	Replace   certifierReplaceCmd   `cmd:"" help:"${help_certifier_replace}"`
	Remessa   certifierRemessaCmd   `cmd:"" help:"${help_certifier_remessa}"`
	Aux       certifierAuxCmd       `cmd:"" help:"${help_certifier_aux}"`
	Report    certifierReportCmd    `cmd:"" help:"${help_certifier_report}"`
	Backup    certifierBackupCmd    `cmd:"" help:"${help_certifier_backup}"`
	Restore   certifierRestoreCmd   `cmd:"" help:"${help_certifier_restore}"`
	Reconcile certifierReconcileCmd `cmd:"" help:"${help_certifier_reconcile}"`
}

// certifierFlags say whose base; all certifier commands take them.
type certifierFlags struct {
	Data string `help:"${help_desk_data}" env:"SELO_DATA" default:"certificador" type:"path"`
}

// jsonFlag asks for data instead of a page; the names in it are stable.
type jsonFlag struct {
	JSON bool `name:"json" help:"${help_json}"`
}

// onDesk opens the body's base for one command and closes it after.
func onDesk(a *app, flags certifierFlags, do func(*desk) error) error {
	d, err := openDesk(a.ctx, a, flags.Data)
	if err != nil {
		return err
	}
	return errors.Join(do(d), d.close())
}

// json writes data for other programs.
func (a *app) json(v any) error {
	e := json.NewEncoder(a.raw)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

type certifierInitCmd struct {
	certifierFlags `embed:""`
	Sigla          string `required:"" help:"${help_sigla}" placeholder:"CCB"`
	Name           string `required:"" help:"${help_body_name}"`
	Email          string `required:"" help:"${help_body_email}"`
	Out            string `help:"${help_out}" type:"path"`
}

// Run makes the folder, the base and the keys of a body, and the request to be
// enrolled that goes to Inmetro. Doing it again makes the same request anew.
func (c *certifierInitCmd) Run(a *app) error {
	body := certifier.Body{Sigla: certificate.Sigla(strings.ToUpper(brasil.Squeeze(c.Sigla))), Name: brasil.Squeeze(c.Name), Email: brasil.Squeeze(c.Email)}
	d, request, err := initDesk(a.ctx, a, c.Data, body)
	if err != nil {
		return err
	}
	defer func() { _ = d.close() }() // nothing is written after this
	path := c.Out
	if path == "" {
		path = enrolmentFile(c.Data, body.Sigla)
	}
	if err := writeFile(path, []byte(request+"\n")); err != nil {
		return err
	}
	a.out.Done("cli.certifier.ready", "organismo", string(body.Sigla), "pasta", c.Data)
	a.out.Line(path)
	a.out.Pairs(term.Pair{Key: "cli.label.fingerprint", Value: d.keys.Public().Fingerprint()})
	a.out.Note("cli.certifier.hand_over", "arquivo", filepath.Base(path))
	a.out.Note("cli.certifier.keep_keys", "arquivo", filepath.Join(c.Data, certifier.KeyFile))
	return nil
}

// enrolmentFile is the body's request to be enrolled, in its folder.
func enrolmentFile(dir string, body certificate.Sigla) string {
	return filepath.Join(dir, string(body)+".inscricao")
}

type certifierEnrolCmd struct {
	certifierFlags `embed:""`
	File           string `arg:"" help:"${help_arg_registration}" type:"path"`
}

// Run takes the registry's answer: its keys and address.
func (c *certifierEnrolCmd) Run(a *app) error {
	answer, err := readSmall(c.File)
	if err != nil {
		return err
	}
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var reg remessa.Registry
		err := d.store.Write(a.ctx, func(tx certifier.Tx) (err error) {
			reg, err = certifier.Enrol(a.ctx, tx, d.actor, string(answer))
			return err
		})
		if err != nil {
			return err
		}
		if reg.URL == "" {
			a.out.Done("cli.certifier.enrolled_offline", "registro", reg.Name)
			a.out.Note("cli.certifier.apply_tables")
			return nil
		}
		a.out.Done("cli.certifier.enrolled", "registro", reg.Name, "endereco", reg.URL)
		a.out.Note("cli.certifier.fetch_tables")
		return nil
	})
}
