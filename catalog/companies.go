package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"selo/brasil"
	"selo/certificate"
)

// Limits of [Catalog.Companies].
const (
	DefaultCompanies = 25
	MaxCompanies     = 100
)

// CompanyQuery chooses companies. The zero value asks for the first page of all.
type CompanyQuery struct {
	Text  string // beginnings of words of the name, or the beginning of a CNPJ; accents and case do not count
	Page  int    // from 1; 0 is 1
	Limit int    // companies; 0 is DefaultCompanies, at most MaxCompanies
}

// CompanyHit is a company in a list.
type CompanyHit struct {
	CompanyView
	Certificates int // of every situation, in which it stands
}

// Key is the company in addresses: its CNPJ, bare, else its ID.
func (c *CompanyView) Key() string { return orCode(string(c.CNPJ), string(c.ID)) }

// CompanyList is a page of companies in the order of their names; those whose
// name begins with what was typed come first.
type CompanyList struct {
	Companies []CompanyHit
	Total     int // of all pages
	Page      int
	Pages     int
}

// Companies lists the companies that stand in certificates shown on the Web.
// Natural persons are in no list (Lei 13.709/2018). All companies of the
// snapshot are gone over in memory: a millisecond for 50,000.
func (c *Catalog) Companies(ctx context.Context, q CompanyQuery) (*CompanyList, error) {
	d, err := c.listed.get(ctx, c, struct{}{}, c.listCompanies)
	if err != nil {
		return nil, fmt.Errorf("list companies: %w", err)
	}
	if q.Limit <= 0 {
		q.Limit = DefaultCompanies
	}
	q.Limit = min(q.Limit, MaxCompanies)
	found := d.find(q.Text)
	list := &CompanyList{Companies: []CompanyHit{}, Total: len(found), Pages: max(1, (len(found)+q.Limit-1)/q.Limit)}
	list.Page = min(max(q.Page, 1), list.Pages)
	for _, company := range found[min((list.Page-1)*q.Limit, len(found)):min(list.Page*q.Limit, len(found))] {
		views, err := c.readCompanies(ctx, companySQL, company.row)
		if err != nil {
			return nil, err
		}
		for i := range views {
			list.Companies = append(list.Companies, CompanyHit{views[i], company.certificates})
		}
	}
	return list, nil
}

// directory is what a list of companies is chosen from, by name.
type directory struct{ companies []*listedCompany }

// listedCompany is one company, whichever body recorded it.
type listedCompany struct {
	key          string // as [CompanyView.Key]
	name         string // folded
	row          int64  // its newest row
	words        string // folded names of all rows, a space before each word
	certificates int
}

// find chooses companies: those whose name begins with the text first.
func (d *directory) find(text string) []*listedCompany {
	words := queryWords(text)
	if len(words) == 0 {
		if strings.TrimSpace(text) != "" {
			return nil // only punctuation: nothing is called so
		}
		return d.companies
	}
	start, compact := strings.Join(words, " "), strings.ToUpper(strings.Join(words, ""))
	if len(compact) < suggestedCNPJ || len(compact) > 14 || !strings.ContainsAny(compact, "0123456789") {
		compact = ""
	}
	var first, others []*listedCompany
	for _, company := range d.companies {
		switch {
		case compact != "" && strings.HasPrefix(company.key, compact) || strings.HasPrefix(company.name, start):
			first = append(first, company)
		case company.begins(words):
			others = append(others, company)
		}
	}
	return append(first, others...)
}

// begins tells whether each word begins one of the company's.
func (l *listedCompany) begins(words []string) bool {
	for _, word := range words {
		if !strings.Contains(l.words, " "+word) {
			return false
		}
	}
	return true
}

// listCompanies reads all companies that certificates name.
func (c *Catalog) listCompanies(ctx context.Context) (*directory, error) {
	counts, err := c.countMentions(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := c.query(ctx, "SELECT id, dados FROM empresa ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	byKey := map[string]*listedCompany{}
	for rows.Next() {
		var id int64
		var data string
		if err := rows.Scan(&id, &data); err != nil {
			return nil, err
		}
		if counts[id].certificates == 0 {
			continue
		}
		var view struct {
			ID        certificate.ID         `json:"id"`
			Person    certificate.PersonKind `json:"tipo_pessoa"`
			CNPJ      brasil.CNPJ            `json:"cnpj"`
			Name      string                 `json:"razao_social"`
			TradeName string                 `json:"nome_fantasia"`
		}
		if err := json.Unmarshal([]byte(data), &view); err != nil {
			return nil, fmt.Errorf("read company %d: %w", id, err)
		}
		if view.Person == certificate.Natural {
			continue
		}
		key := orCode(string(view.CNPJ), string(view.ID))
		if byKey[key] == nil {
			byKey[key] = &listedCompany{key: key}
		}
		byKey[key].take(id, counts[id].certificates, orCode(view.Name, view.TradeName), view.TradeName)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	d := &directory{companies: make([]*listedCompany, 0, len(byKey))}
	for _, company := range byKey {
		d.companies = append(d.companies, company)
	}
	slices.SortFunc(d.companies, func(a, b *listedCompany) int {
		if n := strings.Compare(a.name, b.name); n != 0 {
			return n
		}
		return strings.Compare(a.key, b.key)
	})
	return d, nil
}

// take adds a row; rows come the oldest first.
func (l *listedCompany) take(row int64, certificates int, name, trade string) {
	l.row, l.name = row, brasil.Fold(name)
	l.certificates += certificates
	for _, text := range []string{l.name, brasil.Fold(trade)} {
		if text != "" && !strings.Contains(l.words+" ", " "+text+" ") {
			l.words += " " + text
		}
	}
}

// mentions count the certificates that name a company's row.
type mentions struct {
	certificates int
	last         int64 // the certificate counted last: a company may have two roles
}

// countMentions counts them for every row, of certificates on the Web.
func (c *Catalog) countMentions(ctx context.Context) (map[int64]mentions, error) {
	rows, err := c.query(ctx, `SELECT p.empresa, p.certificado FROM participante p CROSS JOIN certificado c ON c.id = p.certificado
		WHERE p.situacao = 1 AND c.motivo = '' ORDER BY p.certificado`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	counts := map[int64]mentions{}
	for rows.Next() {
		var company, id int64
		if err := rows.Scan(&company, &id); err != nil {
			return nil, err
		}
		if n := counts[company]; n.certificates == 0 || n.last != id {
			counts[company] = mentions{n.certificates + 1, id}
		}
	}
	return counts, rows.Err()
}
