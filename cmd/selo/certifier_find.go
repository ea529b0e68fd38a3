package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"selo/brasil"
	"selo/certificate"
	"selo/certifier"
	"selo/fault"
)

// finder finds records as people name them: by ID, a certificate by its number,
// a company by CNPJ, CPF or name, a product by "brand|model" with "|importado"
// after it for the imported one.
type finder struct {
	ctx context.Context
	tx  certifier.Tx
}

// find returns the record's ID. Faults: NotFound "certificate.not_found",
// "company.not_found", "product.not_found"; Conflict "company.ambiguous",
// "product.ambiguous" with the IDs to choose from.
func (f finder) find(kind certificate.Kind, text string) (certificate.ID, error) {
	text = brasil.Squeeze(text)
	if id := certificate.ID(strings.ToLower(text)); id.Valid() {
		r, err := certifier.Find(f.ctx, f.tx, id)
		if err != nil {
			return "", err
		}
		if r.Kind != kind {
			return "", fault.New(fault.Invalid, "draft.kind", "registro", r.Label)
		}
		return id, nil
	}
	switch kind {
	case certificate.KindCertificate:
		id, err := certifier.FindByKey(f.ctx, f.tx, &certificate.Revision{Certificate: &certificate.Certificate{Number: text}})
		if err == nil && id == "" {
			err = fault.New(fault.NotFound, "certificate.not_found", "numero", text)
		}
		return id, err
	case certificate.KindCompany:
		ids, err := f.companies(text)
		return only(ids, err, "company.not_found", "company.ambiguous", text)
	default:
		ids, err := f.products(text)
		return only(ids, err, "product.not_found", "product.ambiguous", text)
	}
}

func only(ids []certificate.ID, err error, none, several, text string) (certificate.ID, error) {
	if err != nil {
		return "", err
	}
	switch len(ids) {
	case 0:
		return "", fault.New(fault.NotFound, none, "valor", text)
	case 1:
		return ids[0], nil
	}
	return "", fault.New(fault.Conflict, several, "valor", text, "ids", joinIDs(ids))
}

func joinIDs(ids []certificate.ID) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = string(id)
	}
	return strings.Join(names, ", ")
}

// companies lists those of that CNPJ, CPF or name; there may be several, since
// a wrong name is corrected by registering again (FAQ 3.15).
func (f finder) companies(text string) ([]certificate.ID, error) {
	query, fits := text, func(c *certificate.Company) bool {
		return brasil.Compact(c.Name) == brasil.Compact(text)
	}
	if cnpj, err := brasil.ParseCNPJ(text); err == nil {
		query, fits = string(cnpj), func(c *certificate.Company) bool { return c.CNPJ == cnpj }
	} else if cpf, err := brasil.ParseCPF(text); err == nil {
		query, fits = string(cpf), func(c *certificate.Company) bool { return c.CPF == cpf }
	}
	var ids []certificate.ID
	err := eachItem(f.ctx, f.tx, certifier.Query{Kind: certificate.KindCompany, Text: query}, func(item certifier.Item) error {
		r, err := certifier.Find(f.ctx, f.tx, item.ID)
		if err != nil {
			return fmt.Errorf("read %s: %w", item.ID, err)
		}
		if newest := r.Newest(); newest != nil && fits(newest.Company) {
			ids = append(ids, item.ID)
		}
		return nil
	})
	return ids, err
}

// products finds "brand|model" among national and imported ones, or only one of these.
func (f finder) products(text string) ([]certificate.ID, error) {
	parts := strings.Split(text, "|")
	origins := []bool{false, true}
	if last := brasil.Fold(parts[len(parts)-1]); len(parts) > 2 && (last == "importado" || last == "nacional") {
		origins, parts = []bool{last == "importado"}, parts[:len(parts)-1]
	}
	if len(parts) != 2 {
		return nil, fault.New(fault.Invalid, "product.reference", "valor", text)
	}
	var ids []certificate.ID
	for _, imported := range origins {
		product := &certificate.Product{Brand: parts[0], Model: parts[1], Imported: imported}
		product.Clean()
		id, err := certifier.FindByKey(f.ctx, f.tx, &certificate.Revision{Product: product})
		if err != nil {
			return nil, err
		}
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// inside is find, among the companies or products of one certificate first: what
// is ambiguous in the whole base seldom is there.
func (f finder) inside(c *certificate.Certificate, kind certificate.Kind, text string) (certificate.ID, error) {
	text = brasil.Squeeze(text)
	if certificate.ID(strings.ToLower(text)).Valid() {
		return f.find(kind, text)
	}
	var ids []certificate.ID
	var err error
	none, several := "company.not_found", "company.ambiguous"
	if kind == certificate.KindCompany {
		if ids, err = f.companies(text); err == nil {
			ids = slices.DeleteFunc(ids, func(id certificate.ID) bool {
				return !slices.ContainsFunc(c.Companies, func(l certificate.CompanyLink) bool { return l.Company == id })
			})
		}
	} else {
		none, several = "product.not_found", "product.ambiguous"
		if ids, err = f.products(text); err == nil {
			ids = slices.DeleteFunc(ids, func(id certificate.ID) bool {
				return !slices.ContainsFunc(c.Products, func(l certificate.ProductLink) bool { return l.Product == id })
			})
		}
	}
	return only(ids, err, none, several, text)
}

// certificate returns the certificate of that number or ID with all it holds.
func (f finder) certificate(number string) (*certifier.Record, error) {
	id, err := f.find(certificate.KindCertificate, number)
	if err != nil {
		return nil, err
	}
	return certifier.Find(f.ctx, f.tx, id)
}

// certificates returns the IDs of certificates by their numbers or IDs.
func (f finder) certificates(numbers []string) ([]certificate.ID, error) {
	ids := make([]certificate.ID, 0, len(numbers))
	for _, n := range numbers {
		id, err := f.find(certificate.KindCertificate, n)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}
