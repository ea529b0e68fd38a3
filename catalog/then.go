package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"selo/brasil"
	"selo/certificate"
)

// renderPast makes the public view of a certificate of the past.
func (c *Catalog) renderPast(ctx context.Context, view *Certificate, cert *certificate.Certificate, revision RevisionView, day brasil.Date, until time.Time, page pastPage) (*Past, error) {
	r := &renderer{names: c.names}
	entry := Entry{Index: revision.Index, Hash: revision.Hash, Body: view.Body.Sigla, AcceptedAt: revision.AcceptedAt}
	sheet, reason := r.sheet(entry, &certificate.Revision{ID: view.ID, Number: revision.Number, ApprovedAt: revision.ApprovedAt,
		Body: view.Body.Sigla, Certificate: cert})
	past := &Past{On: day, Certificate: Certificate{Sheet: *sheet, Hidden: reason, Parties: []PartyView{},
		Publication: c.seal.Publication.Number, Situation: shownSituation(situationNumber(cert.Situation), dayNumber(cert.ValidUntil), day)}}
	then := &thenReader{c: c, body: view.Body.Sigla, until: until.UTC().UnixMicro(), companies: map[certificate.ID]*CompanyView{}}
	for _, link := range cert.Companies {
		if link.Situation != certificate.Active {
			continue
		}
		company, err := then.company(ctx, link.Company)
		if err != nil {
			return nil, err
		}
		past.Parties = append(past.Parties, PartyView{Role: Named{string(link.Role), c.names.role(link.Role)}, EnteredOn: link.EnteredOn, CompanyView: *company})
	}
	past.ProductsPage.Products = []ProductView{}
	for i := range cert.Products {
		link := &cert.Products[i]
		if link.Situation != certificate.Active {
			continue
		}
		past.Sheet.Products++
		switch {
		case i < page.place:
		case len(past.ProductsPage.Products) < page.limit:
			p, err := then.product(ctx, link)
			if err != nil {
				return nil, err
			}
			past.ProductsPage.Products = append(past.ProductsPage.Products, *p)
		case past.Next == "":
			past.Next = makeCursor(page.identity, int64(i))
		}
	}
	return past, nil
}

// thenReader reads companies and products as they stood at a moment.
type thenReader struct {
	c         *Catalog
	body      certificate.Sigla
	until     int64 // Unix microseconds; what was accepted at or after it does not count
	companies map[certificate.ID]*CompanyView
}

// revisionThen finds the ledger index of a record's revision as of then: of
// those that followed another the last one accepted before, else the first.
const revisionThen = `SELECT coalesce(
	(SELECT max(id) FROM desde WHERE uuid = ?1 AND organismo = ?2 AND aceita < ?3),
	(SELECT min(id) FROM passado WHERE uuid = ?1 AND organismo = ?2), -1)`

// past gives the data of a superseded revision; found is false when the current one holds.
func (t *thenReader) past(ctx context.Context, id certificate.ID) (data []byte, found bool, err error) {
	index := int64(-1)
	if err := t.c.scanAll(ctx, revisionThen, []any{idBytes(id), string(t.body), t.until}, func() error { return nil }, &index); err != nil {
		return nil, false, err
	}
	if index < 0 {
		return nil, false, nil
	}
	err = t.c.scanAll(ctx, "SELECT dados FROM passado WHERE id = ?", []any{index}, func() error {
		found = true
		return nil
	}, &data)
	return data, found, err
}

func (t *thenReader) company(ctx context.Context, id certificate.ID) (*CompanyView, error) {
	if known := t.companies[id]; known != nil {
		return known, nil
	}
	data, found, err := t.past(ctx, id)
	if err == nil && !found {
		err = t.c.scanAll(ctx, "SELECT dados FROM empresa WHERE uuid = ? AND organismo = ?", []any{idBytes(id), string(t.body)}, func() error { return nil }, &data)
	}
	if err != nil {
		return nil, err
	}
	view := &CompanyView{}
	if err := json.Unmarshal(data, view); err != nil {
		return nil, fmt.Errorf("read company %s of the past: %w", id, err)
	}
	t.companies[id] = view
	return view, nil
}

func (t *thenReader) product(ctx context.Context, link *certificate.ProductLink) (*ProductView, error) {
	data, found, err := t.past(ctx, link.Product)
	if err != nil {
		return nil, err
	}
	var p pastProduct
	if found {
		if err := json.Unmarshal(data, &p); err != nil {
			return nil, fmt.Errorf("read product %s of the past: %w", link.Product, err)
		}
	} else if err := t.c.scanAll(ctx, `SELECT marca, modelo, importado, designacao, familia, descricao, gtins FROM produto WHERE uuid = ? AND organismo = ?`,
		[]any{idBytes(link.Product), string(t.body)}, func() error { return nil },
		&p.Brand, &p.Model, &p.Imported, &p.CommercialName, &p.Family, &p.Description, &p.GTINs); err != nil {
		return nil, err
	}
	company, err := t.company(ctx, link.Company)
	if err != nil {
		return nil, err
	}
	view := &ProductView{Brand: p.Brand, Model: p.Model, Imported: p.Imported, CommercialName: p.CommercialName, Family: p.Family,
		Description: p.Description, Modality: link.Modality, Lot: link.Lot, Quantity: link.Quantity, Serial: link.Serial,
		ImportLicence: link.ImportLicence, EnteredOn: link.EnteredOn, Company: company.companyName()}
	if p.GTINs != "" {
		view.GTINs = strings.Split(p.GTINs, ";")
	}
	return view, nil
}
