package catalog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"

	"github.com/google/uuid"
)

// Limits of [Catalog.Company].
const (
	maxOfCompany = 4000 // certificates looked at of each body, the newest; a second role counts as one more
	newestOf     = 6    // certificates that are shown
	brandsFrom   = 30   // active certificates whose brands are looked at, the newest
	brandsOfEach = 100  // products of each
	maxBrands    = 24
	maxPlaces    = 12
	rootLength   = 8 // of a CNPJ: what the places of one company share
)

// Company is a company with what the certificates on the Web say of it. Only
// certificates in which it is active count.
type Company struct {
	CompanyView               // as the newest revision of any body has it
	Tally       Tally         // each certificate once
	Roles       []Tallied     // each certificate in every role, the largest first
	Bodies      []Tallied     // the largest first
	Classes     []Tallied     // the largest first
	Brands      []string      // of active products in the newest active certificates
	Newest      []Hit         // in every situation
	Places      []CompanyView // the other ones of the same company, by CNPJ
	More        bool          // there are more certificates than were counted
}

// Company finds a company by its CNPJ, masked or not, or by its ID.
//
// Faults: company.unpublished; company.private for a natural person, of whom
// nothing is shown beside the certificates (Lei 13.709/2018).
func (c *Catalog) Company(ctx context.Context, key string) (*Company, error) {
	list, err := c.companyRows(ctx, key)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fault.New(fault.NotFound, "company.unpublished")
	}
	if list[0].view.Person == certificate.Natural {
		return nil, fault.New(fault.NotFound, "company.private")
	}
	out := &Company{CompanyView: list[0].view}
	n := &companyTally{roles: map[string]Tally{}, bodies: map[string]Tally{}, classes: map[string]Tally{}}
	for i := range list {
		if err := c.tallyRow(ctx, n, list[i].id); err != nil {
			return nil, err
		}
	}
	n.fill(c, out)
	if out.Brands, err = c.brandsOf(ctx, n.newest); err != nil {
		return nil, err
	}
	out.Places, err = c.Places(ctx, out.CNPJ)
	return out, err
}

// companyRow is a company as one body recorded it.
type companyRow struct {
	id   int64
	view CompanyView
}

// companyRows finds the rows of a company, the newest first.
func (c *Catalog) companyRows(ctx context.Context, key string) ([]companyRow, error) {
	query, value := "SELECT id, dados FROM empresa WHERE cnpj <> '' AND cnpj = ? ORDER BY id DESC", any(nil)
	if cnpj, err := brasil.ParseCNPJ(key); err == nil {
		value = string(cnpj)
	} else if id, err := uuid.Parse(key); err == nil {
		query, value = "SELECT id, dados FROM empresa WHERE uuid = ? ORDER BY id DESC", id[:]
	} else {
		return nil, nil
	}
	rows, err := c.query(ctx, query, value)
	if err != nil {
		return nil, fmt.Errorf("find company: %w", err)
	}
	defer rows.Close()
	var list []companyRow
	for rows.Next() {
		var row companyRow
		var data string
		if err := rows.Scan(&row.id, &data); err != nil {
			return nil, fmt.Errorf("find company: %w", err)
		}
		if err := json.Unmarshal([]byte(data), &row.view); err != nil {
			return nil, fmt.Errorf("read company %d: %w", row.id, err)
		}
		list = append(list, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("find company: %w", err)
	}
	return list, nil
}

// companyTally counts the certificates of a company.
type companyTally struct {
	total                  Tally
	roles, bodies, classes map[string]Tally
	newest                 []certificateRow // each certificate once
	more                   bool
}

const companyTallySQL = `SELECT ` + hitColumns + `, p.papel FROM participante p CROSS JOIN certificado c ON c.id = p.certificado
	WHERE p.empresa = ? AND p.situacao = 1 AND c.motivo = '' ORDER BY p.certificado DESC LIMIT ?`

// tallyRow counts the certificates of one body that name a company's row.
func (c *Catalog) tallyRow(ctx context.Context, n *companyTally, id int64) error {
	rows, err := c.query(ctx, companyTallySQL, id, maxOfCompany+1)
	if err != nil {
		return fmt.Errorf("count certificates of company: %w", err)
	}
	defer rows.Close()
	last := int64(-1)
	var roles []string // of the last certificate
	for seen := 0; rows.Next(); seen++ {
		if seen == maxOfCompany {
			n.more = true
			break
		}
		var r certificateRow
		var role string
		if err := rows.Scan(&r.id, &r.body, &r.number, &r.situation, &r.issued, &r.valid, &r.kind, &r.class, &r.reason, &r.applicant, &r.products, &role); err != nil {
			return fmt.Errorf("count certificates of company: %w", err)
		}
		var one Tally
		one.add(shownSituation(r.situation, r.valid, c.today()))
		if r.id != last {
			last, roles = r.id, roles[:0]
			n.total.join(one)
			joinTo(n.bodies, r.body, one)
			joinTo(n.classes, r.class, one)
			n.newest = append(n.newest, r)
		}
		if !slices.Contains(roles, role) {
			roles = append(roles, role)
			joinTo(n.roles, role, one)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("count certificates of company: %w", err)
	}
	return nil
}

// fill puts the counts in order, with names.
func (n *companyTally) fill(c *Catalog, out *Company) {
	out.Tally, out.More = n.total, n.more
	out.Roles = tallied(n.roles, nil, c.names.role)
	out.Bodies = tallied(n.bodies, nil, c.names.body)
	out.Classes = tallied(n.classes, nil, c.names.class)
	for _, list := range [][]Tallied{out.Roles, out.Bodies, out.Classes} {
		sortLargest(list)
	}
	slices.SortFunc(n.newest, func(a, b certificateRow) int { return cmp.Compare(b.id, a.id) })
	for i := range n.newest[:min(len(n.newest), newestOf)] {
		out.Newest = append(out.Newest, c.hit(&n.newest[i], c.today()))
	}
}

// brandsOf lists brands of active products in the first active certificates.
func (c *Catalog) brandsOf(ctx context.Context, list []certificateRow) ([]string, error) {
	var brands []string
	seen, looked := map[string]bool{}, 0
	for i := range list {
		r := &list[i]
		if shownSituation(r.situation, r.valid, c.today()) != string(certificate.Active) {
			continue
		}
		if looked++; looked > brandsFrom || len(brands) == maxBrands {
			break
		}
		names, err := c.readTexts(ctx, `SELECT DISTINCT marca FROM (SELECT p.marca FROM vinculo v CROSS JOIN produto p ON p.id = v.produto
			WHERE v.certificado = ? AND v.situacao = 1 ORDER BY v.seq LIMIT ?)`, r.id, brandsOfEach)
		if err != nil {
			return nil, fmt.Errorf("find brands: %w", err)
		}
		for _, name := range names {
			if key := brasil.Compact(name); key != "" && !seen[key] && len(brands) < maxBrands {
				seen[key] = true
				brands = append(brands, name)
			}
		}
	}
	return brands, nil
}

// readTexts reads the texts that a query gives.
func (c *Catalog) readTexts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

const placesSQL = `SELECT e.dados FROM empresa e WHERE e.cnpj <> '' AND e.cnpj >= ? AND e.cnpj <= ?
	AND EXISTS (SELECT 1 FROM participante p CROSS JOIN certificado c ON c.id = p.certificado WHERE p.empresa = e.id AND p.situacao = 1 AND c.motivo = '')
	ORDER BY e.cnpj, e.id DESC LIMIT ?`

// Places lists the companies in certificates whose CNPJ has the same root, but
// for the one itself: headquarters and branches have a CNPJ each.
func (c *Catalog) Places(ctx context.Context, cnpj brasil.CNPJ) ([]CompanyView, error) {
	if len(cnpj) <= rootLength {
		return nil, nil
	}
	root := string(cnpj[:rootLength])
	found, err := c.readCompanies(ctx, placesSQL, root, root+"\U0010FFFF", 8*maxPlaces)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(v CompanyView) bool { return v.CNPJ == cnpj })
	found = slices.CompactFunc(found, func(a, b CompanyView) bool { return a.CNPJ == b.CNPJ })
	return found[:min(len(found), maxPlaces)], nil
}
