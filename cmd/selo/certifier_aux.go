package main

import (
	"strconv"

	"selo/brasil"
	"selo/certificate"
	"selo/certifier"
	"selo/cmd/selo/term"
	"selo/fault"
	"selo/locale"
)

// certifierAuxCmd is the work with the auxiliary tables (manual 2.3).
type certifierAuxCmd struct {
	Fetch auxFetchCmd `cmd:"" help:"${help_aux_fetch}"`
	Apply auxApplyCmd `cmd:"" help:"${help_aux_apply}"`
	Show  auxShowCmd  `cmd:"" help:"${help_aux_show}"`
}

type auxFetchCmd struct {
	certifierFlags `embed:""`
}

// Run fetches the newest release from the registry and applies it.
func (c *auxFetchCmd) Run(a *app) error {
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		applied, err := d.fetchTables(a.ctx)
		if err == nil {
			tellApplied(a, applied)
		}
		return err
	})
}

type auxApplyCmd struct {
	certifierFlags `embed:""`
	File           string `arg:"" help:"${help_arg_tables}" type:"path"`
}

// Run applies a release that came as a file.
func (c *auxApplyCmd) Run(a *app) error {
	signed, err := readSmall(c.File)
	if err != nil {
		return err
	}
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		applied, err := d.applyTables(a.ctx, string(signed))
		if err == nil {
			tellApplied(a, applied)
		}
		return err
	})
}

func tellApplied(a *app, applied certifier.Applied) {
	key := "cli.aux.applied"
	if applied.Already {
		key = "cli.aux.already"
	}
	a.out.Done(key, "numero", strconv.Itoa(applied.Tables.Number), "classes", strconv.Itoa(len(applied.Tables.Classes)),
		"documentos", strconv.Itoa(len(applied.Tables.Documents)))
}

type auxShowCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	Class          certificate.ClassCode        `help:"${help_class}" xor:"class"`
	ServiceClass   certificate.ServiceClassCode `help:"${help_service_class}" xor:"class"`
	Type           certificate.TypeCode         `help:"${help_type}"`
	On             string                       `help:"${help_on}" placeholder:"DD/MM/AAAA"`
}

// classDoc is a class of the tables on a day.
type classDoc struct {
	Code       string `json:"codigo"`
	Name       string `json:"nome"`
	Service    bool   `json:"servico"`
	Accredited bool   `json:"acreditado"`
	Disabled   string `json:"desabilitada,omitempty"`
}

// documentDoc is a document that may be entered on that day.
type documentDoc struct {
	Type  certificate.TypeCode     `json:"tipo_certificado"`
	Code  certificate.DocumentCode `json:"codigo"`
	Title string                   `json:"titulo"`
	Kind  string                   `json:"tipo_documento"`
}

// tablesDoc is what the tables say on a day.
type tablesDoc struct {
	Number    int                           `json:"numero"`
	On        brasil.Date                   `json:"em"`
	Types     []certificate.CertificateType `json:"tipos"`
	Classes   []classDoc                    `json:"classes"`
	Documents []documentDoc                 `json:"documentos,omitempty"`
}

// Run shows the classes of a day, and of one class the documents by type.
func (c *auxShowCmd) Run(a *app) error {
	var on brasil.Date
	if c.On != "" {
		var err error
		if on, err = brasil.ParseDate(c.On); err != nil {
			return err
		}
	}
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var doc *tablesDoc
		err := d.store.Read(a.ctx, func(tx certifier.Tx) error {
			t, err := certifier.CurrentTables(a.ctx, tx)
			if err != nil {
				return err
			}
			if c.On == "" {
				on = brasil.Today(tx.Now())
			}
			doc, err = c.find(certificate.NewRules(t), on)
			return err
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(doc)
		}
		c.print(a, doc)
		return nil
	})
}

func (c *auxShowCmd) find(rules *certificate.Rules, on brasil.Date) (*tablesDoc, error) {
	t := rules.Tables
	doc := &tablesDoc{Number: t.Number, On: on, Types: t.Types, Classes: []classDoc{}}
	accredited := func(scopes []certificate.Period) bool {
		for _, p := range scopes {
			if p.Holds(on) {
				return true
			}
		}
		return false
	}
	for _, class := range t.Classes {
		if c.Class == "" && c.ServiceClass == "" || class.Code == c.Class {
			doc.Classes = append(doc.Classes, classDoc{Code: string(class.Code), Name: class.Name,
				Accredited: accredited(class.Scopes), Disabled: class.Disabled})
		}
	}
	for _, class := range t.ServiceClasses {
		if c.Class == "" && c.ServiceClass == "" || class.Code == c.ServiceClass {
			doc.Classes = append(doc.Classes, classDoc{Code: string(class.Code), Name: class.Name, Service: true,
				Accredited: accredited(class.Scopes), Disabled: class.Disabled})
		}
	}
	if len(doc.Classes) == 0 && (c.Class != "" || c.ServiceClass != "") {
		return nil, fault.New(fault.NotFound, "tables.class_unknown", "classe", joined(string(c.Class), string(c.ServiceClass)))
	}
	for _, kind := range t.Types {
		if c.Type != "" && kind.Code != c.Type {
			continue
		}
		var found []certificate.Document
		switch {
		case c.Class != "":
			found = rules.Documents(kind.Code, c.Class, on)
		case c.ServiceClass != "":
			found = rules.ServiceDocuments(kind.Code, c.ServiceClass, on)
		}
		for _, d := range found {
			doc.Documents = append(doc.Documents, documentDoc{Type: kind.Code, Code: d.Code, Title: d.Title, Kind: d.Kind})
		}
	}
	return doc, nil
}

func (c *auxShowCmd) print(a *app, doc *tablesDoc) {
	a.out.Heading("cli.aux.heading", "numero", strconv.Itoa(doc.Number), "data", locale.Date(a.lang, doc.On))
	rows := make([][]string, len(doc.Classes))
	for i, class := range doc.Classes {
		rows[i] = []string{class.Code, class.Name, yesNo(a.lang, class.Service), yesNo(a.lang, class.Accredited), class.Disabled}
	}
	a.out.Table([]term.Column{{Key: "cli.column.class"}, {Key: "cli.column.name"}, {Key: "cli.column.service"},
		{Key: "cli.column.accredited"}, {Key: "cli.column.disabled"}}, rows)
	if c.Class == "" && c.ServiceClass == "" {
		a.out.Blank()
		a.out.Note("cli.aux.class_hint")
		return
	}
	a.out.Section("cli.aux.documents")
	rows = make([][]string, len(doc.Documents))
	for i, d := range doc.Documents {
		rows[i] = []string{string(d.Type), string(d.Code), d.Title, d.Kind}
	}
	a.out.Table([]term.Column{{Key: "cli.column.type"}, {Key: "cli.column.code"}, {Key: "cli.column.title"}, {Key: "cli.column.kind"}}, rows)
}
