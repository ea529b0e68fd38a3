package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"path/filepath"

	"selo/certifier"
	"selo/cmd/selo/term"
	"selo/fault"
	"selo/locale"
	"selo/remessa"
	"selo/store"
	"selo/store/certifierstore"
	"selo/verify"
)

// verifyCmd re-derives every invariant of the bases it is given.
type verifyCmd struct {
	jsonFlag  `embed:""`
	Database  string   `help:"${help_database}" env:"SELO_DATABASE" placeholder:"sqlite:PATH"`
	Certifier string   `help:"${help_verify_certifier}" type:"path" placeholder:"DIR"`
	Snapshot  string   `help:"${help_snapshot}" type:"path" placeholder:"FILE"`
	Key       string   `help:"${help_verify_key}" type:"path" placeholder:"FILE"`
	Digests   string   `help:"${help_verify_digests}" type:"path" placeholder:"FILE"`
	Files     []string `arg:"" optional:"" type:"path" help:"${help_verify_files}"`
}

// verified is the report on one base, or on two beside each other.
type verified struct {
	What   string `json:"base"`
	Total  int64  `json:"achados"`
	Report any    `json:"relatorio"`
	report verify.Report
	args   []string
}

// Run checks each base, and those that belong together against each other. It
// ends with exit code 2 when anything does not agree.
func (c *verifyCmd) Run(a *app) error {
	if c.Database == "" && c.Certifier == "" && c.Snapshot == "" && c.Digests == "" || (len(c.Files) > 0) != (c.Digests != "") {
		return fault.New(fault.Invalid, "cli.verify.what")
	}
	key, err := c.key(a)
	if err != nil {
		return err
	}
	if c.Digests != "" {
		return c.files(a, key)
	}
	results, err := c.all(a, verify.Options{Key: key})
	if err != nil {
		return err
	}
	var total int64
	for i := range results {
		results[i].Total = results[i].report.Total()
		total += results[i].Total
	}
	if c.JSON {
		err = a.json(results)
	} else {
		for _, r := range results {
			r.print(a)
		}
	}
	if err == nil && total > 0 {
		return errSaid
	}
	return err
}

func (c *verifyCmd) all(a *app, opts verify.Options) (results []verified, err error) {
	desk := filepath.Join(c.Certifier, deskFile)
	add := func(what string, check func(verify.Options) (verify.Report, error), args ...string) {
		if err != nil {
			return
		}
		own := opts
		own.Progress = term.Func(a.err.Progress(), "cli.progress.verify")
		var report verify.Report
		if report, err = check(own); err == nil {
			results = append(results, verified{What: what, Report: report, report: report, args: args})
		}
	}
	if c.Database != "" {
		add("registro", func(o verify.Options) (verify.Report, error) { return verify.Registry(a.ctx, c.Database, o) })
	}
	if c.Certifier != "" {
		add("certificador", func(o verify.Options) (verify.Report, error) {
			o.Outbox = filepath.Join(c.Certifier, "saida")
			return verify.Certifier(a.ctx, desk, o)
		}, "base", c.Certifier)
	}
	if c.Certifier != "" && c.Database != "" {
		add("par", func(o verify.Options) (verify.Report, error) { return verify.Pair(a.ctx, c.Database, desk, o) }, "base", c.Certifier)
	}
	if c.Snapshot != "" {
		add("catalogo", func(o verify.Options) (verify.Report, error) {
			if c.Database != "" {
				return verify.SnapshotAgainst(a.ctx, c.Snapshot, c.Database, o)
			}
			return verify.Snapshot(a.ctx, c.Snapshot, o)
		}, "base", c.Snapshot)
	}
	return results, err
}

// key is the registry's public signing key: of --key, else the one that the
// body's base has enrolled, else none.
func (c *verifyCmd) key(a *app) (ed25519.PublicKey, error) {
	if c.Key != "" {
		return readPublicKey(c.Key)
	}
	if c.Certifier == "" {
		return nil, nil
	}
	base, err := certifierstore.Open(a.ctx, filepath.Join(c.Certifier, deskFile), store.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	var key ed25519.PublicKey
	err = base.Read(a.ctx, func(tx certifier.Tx) error {
		reg, err := certifier.CurrentRegistry(a.ctx, tx)
		if fault.HasKey(err, "enrolment.missing") {
			return nil
		}
		key = reg.Keys.Sign
		return err
	})
	return key, errors.Join(err, base.Close())
}

// readPublicKey reads the registry's key from any file that holds it: its answer
// to an enrolment, or the JSON of GET /api/v1/registro or of the keys alone.
func readPublicKey(path string) (ed25519.PublicKey, error) {
	data, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimSpace(data)
	if reg, err := remessa.OpenRegistry(string(data)); err == nil {
		return reg.Keys.Sign, nil
	}
	var whole struct {
		Keys *remessa.PublicKeys `json:"chaves"`
	}
	if err := json.Unmarshal(data, &whole); err == nil && whole.Keys != nil {
		return whole.Keys.Sign, nil
	}
	var keys remessa.PublicKeys
	if err := json.Unmarshal(data, &keys); err != nil || len(keys.Sign) != ed25519.PublicKeySize {
		return nil, fault.New(fault.Invalid, "cli.verify.key", "arquivo", path).Because(err)
	}
	return keys.Sign, nil
}

func (v *verified) print(a *app) {
	a.out.Heading("cli.verify.base."+v.What, v.args...)
	_ = showReport(a, v.report) // Run ends with it after the last base
}

// showReport prints each check with its count and findings, and gives errSaid
// when there are any.
func showReport(a *app, report verify.Report) error {
	for _, check := range report.Checks {
		showCheck(a, check)
	}
	if total := report.Total(); total > 0 {
		a.out.Failed("cli.verify.unsound", "achados", locale.Number(a.lang, total))
		return errSaid
	}
	a.out.Done("cli.verify.sound", "verificados", locale.Number(a.lang, report.Checked()))
	return nil
}

func showCheck(a *app, check *verify.Check) {
	name, checked := locale.Text(a.lang, check.Name, nil), locale.Number(a.lang, check.Checked)
	switch {
	case check.Total > 0:
		a.out.Failed("cli.verify.failed", "nome", name, "verificados", checked, "achados", locale.Number(a.lang, check.Total))
	case check.Skipped > 0:
		a.out.Done("cli.verify.ok_skipped", "nome", name, "verificados", checked, "pulados", locale.Number(a.lang, check.Skipped))
	default:
		a.out.Done("cli.verify.ok", "nome", name, "verificados", checked)
	}
	if len(check.Findings) == 0 {
		return
	}
	rows := make([][]string, len(check.Findings))
	for i, f := range check.Findings {
		rows[i] = []string{f.Subject, locale.Text(a.lang, f.Code, f.Args)}
	}
	a.out.Table([]term.Column{{Key: "cli.column.subject"}, {Key: "cli.column.finding"}}, rows)
	if more := check.Total - int64(len(check.Findings)); more > 0 {
		a.out.Note("cli.verify.more", "total", locale.Number(a.lang, more))
	}
	a.out.Blank()
}
