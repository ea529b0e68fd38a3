package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"selo/certificate"
	"selo/certifier"
	"selo/cmd/selo/term"
	"selo/locale"
)

// printMirror writes a certificate with everything in it, to be read or printed.
func printMirror(a *app, m *certifier.Mirror) {
	c := m.Certificate
	a.out.Heading("cli.mirror.heading", "organismo", string(m.Body.Sigla), "numero", c.Number)
	pairs := []term.Pair{
		{Key: "cli.label.situation", Value: situation(a.lang, c.Situation)},
		{Key: "cli.label.holds", Value: holds(a.lang, certifier.Item{Draft: m.Record.Draft != nil, Approved: m.Record.Approved != nil,
			Travelling: m.Record.Travelling != nil, Accepted: m.Record.Accepted != nil})},
		{Key: "cli.label.issued_on", Value: locale.Date(a.lang, c.IssuedOn)},
		{Key: "cli.label.valid_until", Value: locale.Date(a.lang, c.ValidUntil)},
		{Key: "cli.label.type", Value: m.Type},
		{Key: "cli.label.class", Value: m.Class},
		{Key: "cli.label.certification_model", Value: string(c.Model)}, {Key: "cli.label.signatories", Value: c.Signatories},
		{Key: "cli.label.laboratory", Value: c.Laboratory}, {Key: "cli.label.report_number", Value: c.ReportNumber},
		{Key: "cli.label.remarks", Value: c.Remarks}, {Key: "cli.label.id", Value: string(m.Record.ID)},
	}
	a.out.Pairs(filled(pairs)...)
	printDocuments(a, "cli.mirror.documents", m.Documents)
	printParties(a, m.Companies)
	printProducts(a, m.Products)
	printServices(a, m.Services)
	if len(m.Record.Reasons) > 0 {
		a.out.Section("cli.mirror.reasons")
		a.out.Problems(rendered(a.lang, m.Record.Reasons), "")
	}
	if len(m.History) > 0 {
		printHistory(a, m.History)
	}
}

func printDocuments(a *app, key string, list []certifier.MirrorDocument) {
	if len(list) == 0 {
		return
	}
	a.out.Section(key)
	rows := make([][]string, len(list))
	for i, d := range list {
		rows[i] = []string{d.Title, d.Kind, locale.Date(a.lang, d.EnteredOn), situation(a.lang, d.Situation)}
	}
	a.out.Table([]term.Column{{Key: "cli.column.title"}, {Key: "cli.column.kind"}, {Key: "cli.column.entered"}, {Key: "cli.column.situation"}}, rows)
}

func printParties(a *app, list []certifier.MirrorCompany) {
	if len(list) == 0 {
		return
	}
	a.out.Section("cli.mirror.companies")
	rows := make([][]string, len(list))
	for i, l := range list {
		c := l.Company
		if c == nil {
			c = &certificate.Company{Name: string(l.CompanyLink.Company)}
		}
		rows[i] = []string{l.Role, joined(c.Name, c.TradeName), joined(taxID(c), address(c), l.Country),
			locale.Date(a.lang, l.EnteredOn), situation(a.lang, l.Situation)}
	}
	a.out.Table([]term.Column{{Key: "cli.column.role"}, {Key: "cli.column.company"}, {Key: "cli.column.address"},
		{Key: "cli.column.entered"}, {Key: "cli.column.situation"}}, rows)
}

func printProducts(a *app, list []certifier.MirrorProduct) {
	for _, tab := range []struct {
		key      string
		modality certificate.Modality
	}{{"cli.mirror.by_type", certificate.ByType}, {"cli.mirror.by_lot", certificate.ByLot}, {"cli.mirror.by_unit", certificate.ByUnit}} {
		var rows [][]string
		for _, l := range list {
			if l.Modality == tab.modality {
				rows = append(rows, productRow(a.lang, l))
			}
		}
		if len(rows) == 0 {
			continue
		}
		a.out.Section(tab.key)
		a.out.Table([]term.Column{{Key: "cli.column.brand"}, {Key: "cli.column.model"}, {Key: "cli.column.imported"},
			{Key: "cli.column.details"}, {Key: "cli.column.situation"}}, rows)
	}
}

func productRow(lang locale.Lang, l certifier.MirrorProduct) []string {
	p := l.Product
	if p == nil {
		p = &certificate.Product{Model: string(l.ProductLink.Product)}
	}
	said := func(key, value string) string {
		if value == "" {
			return ""
		}
		return locale.Text(lang, key, nil) + " " + value
	}
	quantity := ""
	if l.Quantity > 0 {
		quantity = locale.Number(lang, l.Quantity)
	}
	details := joined(p.Description, said("cli.detail.commercial_name", p.CommercialName), said("cli.detail.family", p.Family),
		said("cli.detail.gtin", gtins(p.GTINs)), said("cli.detail.lot", l.Lot), said("cli.detail.quantity", quantity),
		said("cli.detail.licence", l.ImportLicence), said("cli.detail.serial", l.Serial), said("cli.detail.company", l.Company),
		said("cli.detail.entered", locale.Date(lang, l.EnteredOn)))
	return []string{p.Brand, p.Model, yesNo(lang, p.Imported), details, situation(lang, l.Situation)}
}

func printServices(a *app, list []certifier.MirrorService) {
	if len(list) == 0 {
		return
	}
	a.out.Section("cli.mirror.services")
	rows := make([][]string, len(list))
	for i, s := range list {
		documents := make([]string, len(s.Documents))
		for j, d := range s.Documents {
			documents[j] = d.Title
		}
		rows[i] = []string{s.Class, s.Description, s.Company, strings.Join(documents, "; "),
			locale.Date(a.lang, s.EnteredOn), situation(a.lang, s.Situation)}
	}
	a.out.Table([]term.Column{{Key: "cli.column.class"}, {Key: "cli.column.details"}, {Key: "cli.column.company"},
		{Key: "cli.column.documents"}, {Key: "cli.column.entered"}, {Key: "cli.column.situation"}}, rows)
}

func printHistory(a *app, events []certifier.Event) {
	a.out.Section("cli.mirror.history")
	rows := make([][]string, len(events))
	for i, e := range events {
		rows[i] = []string{moment(a.lang, e.At), string(e.Actor), locale.Text(a.lang, "history."+e.Kind, nil), details(e.Detail)}
	}
	a.out.Table([]term.Column{{Key: "cli.column.when"}, {Key: "cli.column.who"}, {Key: "cli.column.event"}, {Key: "cli.column.details"}}, rows)
}

// details lists the facts of an event; a hash helps nobody who reads it.
func details(facts map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		if name != "hash" && facts[name] != "" {
			parts = append(parts, name+": "+facts[name])
		}
	}
	return strings.Join(parts, "; ")
}

// mirrorDoc is a mirror for programs.
type mirrorDoc struct {
	Body      certifier.Body     `json:"organismo"`
	ID        certificate.ID     `json:"id"`
	Number    string             `json:"numero"`
	Situation string             `json:"situacao"`
	Type      namedDoc           `json:"tipo"`
	Class     namedDoc           `json:"classe"`
	General   generalDoc         `json:"dados_gerais"`
	Documents []mirrorDocument   `json:"documentos"`
	Companies []mirrorCompanyDoc `json:"empresas"`
	Products  []mirrorProductDoc `json:"produtos"`
	Services  []mirrorServiceDoc `json:"servicos"`
	History   []eventDoc         `json:"historico,omitempty"`
}

type namedDoc struct {
	Code string `json:"codigo"`
	Name string `json:"nome"`
}

type generalDoc struct {
	IssuedOn     string            `json:"data_emissao,omitempty"`
	ValidUntil   string            `json:"data_validade,omitempty"`
	Model        certificate.Model `json:"modelo_certificacao,omitempty"`
	Signatories  string            `json:"signatarios,omitempty"`
	Laboratory   string            `json:"laboratorio,omitempty"`
	ReportNumber string            `json:"numero_relatorio,omitempty"`
	Remarks      string            `json:"observacoes,omitempty"`
}

type mirrorDocument struct {
	certificate.DocumentLink
	Title string `json:"titulo"`
	Kind  string `json:"tipo_documento,omitempty"`
}

type mirrorCompanyDoc struct {
	certificate.CompanyLink
	Role    string               `json:"nome_papel"`
	Country string               `json:"nome_pais,omitempty"`
	Company *certificate.Company `json:"cadastro,omitempty"`
}

type mirrorProductDoc struct {
	certificate.ProductLink
	Company string               `json:"nome_empresa,omitempty"`
	Product *certificate.Product `json:"cadastro,omitempty"`
}

type mirrorServiceDoc struct {
	ID          certificate.ID        `json:"id"`
	Class       namedDoc              `json:"classe"`
	Description string                `json:"descricao,omitempty"`
	Company     string                `json:"nome_empresa,omitempty"`
	EnteredOn   string                `json:"data_entrada,omitempty"`
	Situation   certificate.Situation `json:"situacao"`
	Documents   []mirrorDocument      `json:"documentos"`
}

type eventDoc struct {
	At     time.Time         `json:"em"`
	Kind   string            `json:"evento"`
	Actor  certifier.Actor   `json:"por,omitempty"`
	Detail map[string]string `json:"detalhes,omitempty"`
}

func mirrorDocOf(m *certifier.Mirror) mirrorDoc {
	c := m.Certificate
	doc := mirrorDoc{Body: m.Body, ID: m.Record.ID, Number: c.Number, Situation: string(c.Situation),
		Type: namedDoc{string(c.Type), m.Type}, Class: namedDoc{string(c.Class), m.Class},
		General: generalDoc{IssuedOn: c.IssuedOn.String(), ValidUntil: c.ValidUntil.String(), Model: c.Model, Signatories: c.Signatories,
			Laboratory: c.Laboratory, ReportNumber: c.ReportNumber, Remarks: c.Remarks},
		Documents: mirrorDocuments(m.Documents), Companies: []mirrorCompanyDoc{}, Products: []mirrorProductDoc{}, Services: []mirrorServiceDoc{}}
	for _, l := range m.Companies {
		doc.Companies = append(doc.Companies, mirrorCompanyDoc{CompanyLink: l.CompanyLink, Role: l.Role, Country: l.Country, Company: l.Company})
	}
	for _, l := range m.Products {
		doc.Products = append(doc.Products, mirrorProductDoc{ProductLink: l.ProductLink, Company: l.Company, Product: l.Product})
	}
	for _, l := range m.Services {
		doc.Services = append(doc.Services, mirrorServiceDoc{ID: l.ID, Class: namedDoc{string(l.ServiceLink.Class), l.Class}, Description: l.Description,
			Company: l.Company, EnteredOn: l.EnteredOn.String(), Situation: l.Situation, Documents: mirrorDocuments(l.Documents)})
	}
	for _, e := range m.History {
		doc.History = append(doc.History, eventDoc{At: e.At, Kind: e.Kind, Actor: e.Actor, Detail: e.Detail})
	}
	return doc
}

func mirrorDocuments(list []certifier.MirrorDocument) []mirrorDocument {
	docs := make([]mirrorDocument, len(list))
	for i, d := range list {
		docs[i] = mirrorDocument{DocumentLink: d.DocumentLink, Title: d.Title, Kind: d.Kind}
	}
	return docs
}
