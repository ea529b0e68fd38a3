package main

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"time"

	"selo/account"
	"selo/brasil"
	"selo/cmd/selo/term"
	"selo/fault"
	"selo/govbr"
	"selo/job"
	"selo/locale"
	"selo/store"
	"selo/store/accountstore"
)

// The paths that gov.br must know of a server that people sign in to.
const (
	signInReturn  = "/entrar/retorno"
	signOutReturn = "/sair"
)

// govbrFlags say with which credential people sign in.
type govbrFlags struct {
	GovBR string `name:"govbr" help:"${help_serve_govbr}" env:"SELO_GOVBR" type:"path" placeholder:"FILE"`
}

// client makes gov.br's client for a server at address; nil when nothing is
// configured. Faults: Invalid "govbr.config" and "serve.govbr_return" when
// gov.br would send people to another address; those of reading the file.
func (f *govbrFlags) client(address string) (*govbr.Client, error) {
	var data []byte
	var err error
	switch {
	case f.GovBR != "":
		if data, err = readSmall(f.GovBR); err != nil {
			return nil, err
		}
	case os.Getenv("SELO_GOVBR_LOGIN_ID") == "":
		return nil, nil //nolint:nilnil // no sign-in here
	}
	cfg, err := govbr.ParseConfig(data, os.Getenv)
	if err != nil {
		return nil, err
	}
	address = strings.TrimSuffix(address, "/")
	for _, p := range []struct{ field, have, want string }{{"retorno", cfg.Redirect, address + signInReturn}, {"retorno_saida", cfg.LogoutRedirect, address + signOutReturn}} {
		if p.have != p.want && (p.have != "" || p.field == "retorno") {
			return nil, fault.New(fault.Invalid, "serve.govbr_return", "campo", p.field, "tem", p.have, "precisa", p.want)
		}
	}
	return govbr.New(cfg, govbr.Options{Log: slog.Default(), Agent: "selo/" + version})
}

// cleanKind is the job that forgets sign-ins that ran out and old sessions.
const cleanKind = "account.clean"

func cleanSchedule() job.Schedule { return job.Every(time.Hour) }

func (n *node) clean(ctx context.Context, run *job.Run) error {
	return n.store.DB.Write(ctx, func(tx *store.Tx) error {
		if err := account.Clean(ctx, &accountstore.Tx{Tx: tx}, account.Limits{}); err != nil {
			return err
		}
		return run.Complete(ctx, tx)
	})
}

// accounts are the people of the node's base.
func (n *node) accounts() accountstore.Store { return accountstore.Store{DB: n.store.DB} }

// registryPersonCmd shows a person's account to the support, who must say why.
// The person reads who looked and for what.
type registryPersonCmd struct {
	registryFlags `embed:""`
	CPF           string `arg:"" help:"${help_arg_cpf}"`
	Purpose       string `help:"${help_purpose}" required:""`
}

// Run shows the account. Faults: those of brasil.ParseCPF and account.Look.
func (c *registryPersonCmd) Run(a *app) error {
	cpf, err := brasil.ParseCPF(c.CPF)
	if err != nil {
		return err
	}
	return onNode(a, c.registryFlags, func(n *node) error {
		var p account.Person
		err := n.accounts().Write(a.ctx, func(tx account.Tx) (err error) {
			p, err = account.Look(a.ctx, tx, account.Viewer{Actor: string(a.actor), Purpose: c.Purpose}, cpf)
			return err
		})
		if err != nil {
			return err
		}
		pairs := []term.Pair{{Key: "web.account.cpf", Value: p.CPF.Masked()}}
		for _, f := range account.Fields() {
			if fact, _, ok := p.Fact(f); ok {
				pairs = append(pairs, term.Pair{Key: "web.account.field." + string(f), Value: fact.Value})
			}
		}
		if p.Level.Known() {
			pairs = append(pairs, term.Pair{Key: "web.account.level", Value: locale.Text(a.lang, "web.account.level."+string(p.Level), nil)})
		}
		for _, company := range p.Companies {
			pairs = append(pairs, term.Pair{Key: "web.account.company", Value: company.CNPJ.Masked() + " " + company.Name})
		}
		a.out.Pairs(append(pairs, term.Pair{Key: "web.account.created", Value: locale.Moment(a.lang, p.CreatedAt)})...)
		a.out.Note("cli.person.noted")
		return nil
	})
}
