package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"selo/brasil"
	"selo/certificate"
)

// Limits of [Catalog.Facets].
const (
	maxCounted    = 4000 // matches that are looked at, the newest
	maxFacetLists = 12   // values of a list that may be long
)

// Facet is one value by which a search can be narrowed, and how many
// certificates it leaves.
type Facet struct {
	Value string // as [Search] takes it
	Name  string // as shown; empty where Value is a word of its own
	Count int
}

// Hidden is a class that is off the Web, with the reason as published, and how
// many certificates of it would match (FAQ 3.22 D).
type Hidden struct {
	Class  Named
	Reason string
	Count  int
	Named  []HiddenCertificate // whose number is the text asked for
}

// HiddenCertificate is one that only its exact address shows.
type HiddenCertificate struct {
	Body   certificate.Sigla
	Number string
	Path   string
}

// maxHiddenNamed is how many certificates off the Web are named.
const maxHiddenNamed = 5

// nameHidden adds the certificates off the Web whose number is the text asked for.
func (c *Catalog) nameHidden(ctx context.Context, q *question, list []Hidden) error {
	typed := compactNumber(orCode(q.Number, q.Text))
	if typed == "" || len(list) == 0 {
		return nil
	}
	rows, err := c.query(ctx, "SELECT organismo, numero, classe FROM certificado WHERE compacto = ? AND motivo <> '' ORDER BY organismo, id LIMIT ?", typed, maxHiddenNamed)
	if err != nil {
		return fmt.Errorf("look up number: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var body, number, class string
		if err := rows.Scan(&body, &number, &class); err != nil {
			return fmt.Errorf("look up number: %w", err)
		}
		for i := range list {
			if list[i].Class.Code == class {
				list[i].Named = append(list[i].Named, HiddenCertificate{certificate.Sigla(body), number, Path(certificate.Sigla(body), number)})
			}
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look up number: %w", err)
	}
	return nil
}

// Facets tells how the matches of a search divide, the largest part first.
// Counts are of the newest matches where there are more than were looked at.
type Facets struct {
	Total      int     // certificates that match
	More       bool    // there are more than were looked at
	Situations []Facet // of matches in every situation, in the order ativo, suspenso, cancelado, expirado
	Bodies     []Facet
	Classes    []Facet
	Types      []Facet
	Roles      []Facet // with CNPJ: those of that company
	Companies  []Facet // by CNPJ; with Role: those in that role
	UFs        []Facet
	Countries  []Facet
	Imported   []Facet
	Validities []Facet // in the order of time
	Hidden     []Hidden
}

// facetRow is what is counted of one certificate.
type facetRow struct {
	situation, valid                  int64
	body, class, kind, reason, facets string
}

const facetColumns = `c.situacao, c.validade, c.organismo, c.classe, c.tipo, c.motivo, c.facetas`

// Facets counts the matches of a search. Limit, Cursor and Order do not
// matter. That brand and model are of one product is not looked at. Faults are
// those of [Catalog.Search].
func (c *Catalog) Facets(ctx context.Context, s Search) (*Facets, error) {
	s.Limit, s.Cursor, s.Order = 0, "", ""
	q, err := c.question(ctx, s)
	if err != nil {
		return nil, err
	}
	asked := q.Situation
	q.Situation = AnySituation
	expression, err := c.expression(ctx, q)
	if err != nil {
		return nil, err
	}
	n := &counter{catalog: c, q: q, situation: asked, lists: map[string]map[string]int{}}
	if expression != "" {
		if err := c.countInto(ctx, n, expression); err != nil {
			return nil, err
		}
	}
	return n.facets(ctx)
}

// countInto reads at most maxCounted matches, the newest first.
func (c *Catalog) countInto(ctx context.Context, n *counter, expression string) error {
	query := `SELECT ` + facetColumns + ` FROM busca b CROSS JOIN certificado c ON c.id = b.rowid
		WHERE b.busca MATCH ? ORDER BY b.rowid DESC LIMIT ?`
	args := []any{expression, maxCounted + 1}
	if len(n.q.gtins) > 0 {
		query = `SELECT ` + facetColumns + ` FROM (SELECT DISTINCT v.certificado AS id FROM gtin g JOIN vinculo v ON v.produto = g.produto
			WHERE g.numero = ? AND v.situacao = 1 ORDER BY 1 DESC LIMIT 1000) k
			CROSS JOIN busca b ON b.rowid = k.id CROSS JOIN certificado c ON c.id = k.id WHERE b.busca MATCH ? LIMIT ?`
		args = []any{n.q.gtins[0], expression, maxCounted + 1}
	}
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	defer rows.Close()
	for seen := 0; rows.Next(); seen++ {
		if seen == maxCounted {
			n.more = true
			break
		}
		var r facetRow
		if err := rows.Scan(&r.situation, &r.valid, &r.body, &r.class, &r.kind, &r.reason, &r.facets); err != nil {
			return fmt.Errorf("count: %w", err)
		}
		n.add(&r)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return nil
}

// counter counts by list and value.
type counter struct {
	catalog   *Catalog
	q         *question
	situation string // asked for
	total     int
	more      bool
	lists     map[string]map[string]int
}

// The lists of a counter.
const (
	listSituation = "situacao"
	listBody      = "organismo"
	listClass     = "classe"
	listType      = "tipo"
	listRole      = "papel"
	listCompany   = "empresa"
	listUF        = "uf"
	listCountry   = "pais"
	listImported  = "importado"
	listValidity  = "validade"
	listHidden    = "oculto"
)

func (n *counter) count(list, value string) {
	if n.lists[list] == nil {
		n.lists[list] = map[string]int{}
	}
	n.lists[list][value]++
}

func (n *counter) add(r *facetRow) {
	row := certificateRow{body: r.body, class: r.class, valid: r.valid}
	if !n.q.admits(&row) {
		return
	}
	if r.reason != "" {
		n.count(listHidden, r.class)
		return
	}
	situation := shownSituation(r.situation, r.valid, n.q.today)
	n.count(listSituation, situation)
	if n.situation != AnySituation && n.situation != situation {
		return
	}
	n.total++
	n.count(listBody, r.body)
	n.count(listClass, r.class)
	n.count(listType, r.kind)
	n.count(listValidity, validityOf(r.valid, n.q.today))
	n.addMarks(r.facets)
}

// addMarks counts the marks of a row: each value once a certificate.
func (n *counter) addMarks(marks string) {
	cnpj := strings.ToLower(string(n.q.cnpj))
	role := brasil.Compact(n.q.Role)
	seen := ""
	for mark := range strings.SplitSeq(marks, " ") {
		switch {
		case strings.HasPrefix(mark, prefixUF):
			n.count(listUF, strings.ToUpper(mark[len(prefixUF):]))
		case strings.HasPrefix(mark, prefixCountry):
			n.count(listCountry, strings.ToUpper(mark[len(prefixCountry):]))
		case strings.HasPrefix(mark, prefixRole) && cnpj == "":
			n.count(listRole, mark[len(prefixRole):])
		case mark == markForeign:
			n.count(listImported, ImportedYes)
		case mark == markDomestic:
			n.count(listImported, ImportedNo)
		case strings.HasPrefix(mark, prefixCompany):
			company, as, ok := cutCompany(mark)
			if !ok {
				continue
			}
			if company == cnpj {
				n.count(listRole, as)
			}
			if (role == "" || role == as) && !strings.Contains(seen, company) {
				seen += company + " "
				n.count(listCompany, company)
			}
		}
	}
}

// cutCompany parts the mark of a company in its role.
func cutCompany(mark string) (cnpj, role string, ok bool) {
	const length = 14
	rest := mark[len(prefixCompany):]
	if len(rest) <= length || rest[length:length+1] != companyRoleSign {
		return "", "", false
	}
	return rest[:length], rest[length+1:], true
}

// validityOf is the first of Validities that a day falls into, so that each
// certificate counts once.
func validityOf(day int64, today brasil.Date) string {
	for _, v := range Validities {
		if days, ok := validDays(v, today); ok && days[0] <= day && day <= days[1] {
			return v
		}
	}
	return ValidOpen
}

// facets puts the counts in order, with names.
func (n *counter) facets(ctx context.Context) (*Facets, error) {
	names := n.catalog.names
	codes := map[string]string{}
	for code := range names.roles {
		codes[brasil.Compact(string(code))] = string(code)
	}
	f := &Facets{Total: n.total, More: n.more,
		Situations: n.inOrder(listSituation, string(certificate.Active), string(certificate.Suspended), string(certificate.Cancelled), expired),
		Bodies:     n.largest(listBody, func(v string) (string, string) { return v, names.body(certificate.Sigla(v)) }),
		Classes:    n.largest(listClass, func(v string) (string, string) { return v, names.class(certificate.ClassCode(v)) }),
		Types:      n.largest(listType, func(v string) (string, string) { return v, names.kind(certificate.TypeCode(v)) }),
		UFs:        n.largest(listUF, func(v string) (string, string) { return v, "" }),
		Countries:  n.largest(listCountry, func(v string) (string, string) { return v, names.country(certificate.CountryCode(v)) }),
		Imported:   n.inOrder(listImported, ImportedYes, ImportedNo),
		Validities: n.validities(),
		Roles: n.largest(listRole, func(v string) (string, string) {
			code := orCode(codes[v], v)
			return code, names.role(certificate.RoleCode(code))
		}),
		Companies: n.largest(listCompany, func(v string) (string, string) { return strings.ToUpper(v), "" }),
	}
	for code, count := range n.lists[listHidden] {
		class := names.classes[certificate.ClassCode(code)]
		f.Hidden = append(f.Hidden, Hidden{Class: Named{code, names.class(certificate.ClassCode(code))}, Reason: class.Disabled, Count: count})
	}
	slices.SortFunc(f.Hidden, func(a, b Hidden) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Class.Code, b.Class.Code)) })
	if err := n.catalog.nameHidden(ctx, n.q, f.Hidden); err != nil {
		return nil, err
	}
	for i := range f.Companies {
		name, err := n.catalog.companyName(ctx, f.Companies[i].Value)
		if err != nil {
			return nil, err
		}
		f.Companies[i].Name = name
	}
	return f, nil
}

// largest lists the values of a list, the most frequent first, up to a number.
func (n *counter) largest(list string, name func(value string) (code, name string)) []Facet {
	var facets []Facet
	for value, count := range n.lists[list] {
		code, shown := name(value)
		facets = append(facets, Facet{code, shown, count})
	}
	slices.SortFunc(facets, func(a, b Facet) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Value, b.Value)) })
	return facets[:min(len(facets), maxFacetLists)]
}

// inOrder lists the values that occur in the order given.
func (n *counter) inOrder(list string, values ...string) []Facet {
	var facets []Facet
	for _, v := range values {
		if count := n.lists[list][v]; count > 0 {
			facets = append(facets, Facet{Value: v, Count: count})
		}
	}
	return facets
}

// validities count what ends within a time, the shorter times included: "1
// year" holds "30 days", as the filter does.
func (n *counter) validities() []Facet {
	facets, sum := n.inOrder(listValidity, Validities...), 0
	for i, f := range facets {
		switch f.Value {
		case ValidMonth, ValidQuarter, ValidYear:
			sum += f.Count
			facets[i].Count = sum
		}
	}
	return facets
}

// companyName is the shown name of the newest company with a CNPJ.
func (c *Catalog) companyName(ctx context.Context, cnpj string) (string, error) {
	view, ok, err := c.companyByCNPJ(ctx, cnpj)
	if err != nil || !ok {
		return cnpj, err
	}
	return view.shownName(), nil
}
