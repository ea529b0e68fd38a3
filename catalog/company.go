package catalog

import (
	"context"
	"encoding/json"
	"fmt"

	"selo/certificate"
)

// companyByCNPJ finds the newest row with a bare CNPJ; not ok where there is none.
func (c *Catalog) companyByCNPJ(ctx context.Context, cnpj string) (view CompanyView, ok bool, err error) {
	list, err := c.companiesBetween(ctx, cnpj, cnpj, 1)
	if err != nil || len(list) == 0 {
		return CompanyView{}, false, err
	}
	return list[0], true, nil
}

// FindCompany is a company by CNPJ, in any form, or by ID, as its newest
// revision shows it; not ok where there is none, and of a natural person, who
// has no page (Lei 13.709/2018).
func (c *Catalog) FindCompany(ctx context.Context, key string) (view CompanyView, ok bool, err error) {
	rows, err := c.companyRows(ctx, key)
	if err != nil || len(rows) == 0 || rows[0].view.Person == certificate.Natural {
		return CompanyView{}, false, err
	}
	return rows[0].view, true, nil
}

// companiesBetween lists companies by bare CNPJ from and to, both included.
func (c *Catalog) companiesBetween(ctx context.Context, from, to string, most int) ([]CompanyView, error) {
	return c.readCompanies(ctx, "SELECT dados FROM empresa WHERE cnpj <> '' AND cnpj >= ? AND cnpj <= ? ORDER BY cnpj, id DESC LIMIT ?", from, to, most)
}

// readCompanies reads the views that a query gives.
func (c *Catalog) readCompanies(ctx context.Context, query string, args ...any) ([]CompanyView, error) {
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("find companies: %w", err)
	}
	defer rows.Close()
	var list []CompanyView
	for rows.Next() {
		var data string
		if err := rows.Scan(&data); err != nil {
			return nil, fmt.Errorf("find companies: %w", err)
		}
		var view CompanyView
		if err := json.Unmarshal([]byte(data), &view); err != nil {
			return nil, fmt.Errorf("read company: %w", err)
		}
		list = append(list, view)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("find companies: %w", err)
	}
	return list, nil
}

// suggestParties are the active companies of a certificate.
func (c *Catalog) suggestParties(ctx context.Context, id int64) ([]CompanyView, error) {
	return c.readCompanies(ctx, `SELECT e.dados FROM participante p JOIN empresa e ON e.id = p.empresa
		WHERE p.certificado = ? AND p.situacao = 1 ORDER BY p.seq LIMIT ?`, id, suggestedFrom)
}
