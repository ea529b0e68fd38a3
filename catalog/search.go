package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

// Limits of a page of hits.
const (
	DefaultHits      = 30
	MaxHits          = 100
	maxExamined      = 20000 // index rows a search reads before it hands over a cursor
	maxProductChecks = 300   // certificates whose products a search looks at
	maxExact         = 10    // certificates shown first because their number is what was typed
)

// AnySituation asks for certificates in every situation.
const AnySituation = "todas"

// Search is a question to the catalog. The zero value asks for all active certificates.
type Search struct {
	Text      string // any words; accents, case and punctuation do not count
	Number    string // words of the number, the last one as a beginning
	Body      string // sigla
	Class     string // code of the product class
	CNPJ      string // of an active company, masked or not
	Brand     string // with Model: of one and the same active product
	Model     string
	GTIN      string // of an active product
	Situation string // ativo (also empty), suspenso, cancelado, expirado, todas
	UF        string // of an active company
	Country   string // of an active company, two letters
	Role      string // code of a role that an active company has; with CNPJ: that company
	Type      string // code of the type of certificate
	Imported  string // sim, nao: of an active product
	Validity  string // one of [Validities]
	Order     string // one of [Orders]; empty is OrderRecent
	Limit     int    // hits; 0 is DefaultHits, at most MaxHits
	Cursor    string // Next of the page before, for the same question
}

// Hit is a certificate in a list.
type Hit struct {
	Body       BodyView    `json:"organismo"`
	Number     string      `json:"numero"`
	Situation  string      `json:"situacao"` // ativo, suspenso, cancelado, expirado
	Type       Named       `json:"tipo"`
	Class      Named       `json:"classe"`
	IssuedOn   brasil.Date `json:"data_emissao,omitzero"`
	ValidUntil brasil.Date `json:"data_validade,omitzero"`
	Applicant  string      `json:"solicitante"`
	Products   int         `json:"produtos"` // active ones
	Path       string      `json:"endereco"`
}

// Hits is a page. A page may be short, even empty, and still have a Next: a
// search reads a bounded part of the index each time.
type Hits struct {
	Certificates []Hit  `json:"certificados"`
	Next         string `json:"proximo,omitempty"`
	Publication  int64  `json:"publicacao"`
	Partial      bool   `json:"-"` // too many to be put in order: only the newest were
}

// question is a search made ready.
type question struct {
	Search
	cnpj       brasil.CNPJ
	uf         brasil.UF
	gtins      []int64  // any of
	valid      [2]int64 // days YYYYMMDD that the validity lies between; see [question.readFilters]
	words      []string
	identity   string // what a cursor belongs to
	today      brasil.Date
	brandWords []string
	modelWords []string
}

// Search lists certificates: those whose number is what was typed, then the
// others as Order says. It never counts or ranks all matches.
//
// A cursor belongs to the whole question, its limit included.
//
// Faults (Invalid): search.situation, search.limit, search.cursor,
// search.imported, search.validity, search.order, and those of brasil for CNPJ,
// GTIN and UF.
func (c *Catalog) Search(ctx context.Context, s Search) (*Hits, error) {
	q, err := c.question(ctx, s)
	if err != nil {
		return nil, err
	}
	if q.isSorted() {
		return c.searchSorted(ctx, q)
	}
	place, err := readCursor(q.identity, s.Cursor, tierStart)
	if err != nil {
		return nil, err
	}
	page := &Hits{Certificates: []Hit{}, Publication: c.seal.Publication.Number}
	exact, err := c.exact(ctx, q)
	if err != nil {
		return nil, err
	}
	skip := map[int64]bool{}
	for i := range exact {
		skip[exact[i].id] = true
		if s.Cursor == "" {
			page.Certificates = append(page.Certificates, c.hit(&exact[i], q.today))
		}
	}
	tiers, err := c.tiers(ctx, q)
	if err != nil {
		return nil, err
	}
	next, err := c.scanTiers(ctx, q, tiers, place, skip, page)
	if err != nil {
		return nil, err
	}
	if next > 0 {
		page.Next = makeCursor(q.identity, next)
	}
	return page, nil
}

// question checks and folds what was asked.
func (c *Catalog) question(ctx context.Context, s Search) (*question, error) {
	if s.Limit == 0 {
		s.Limit = DefaultHits
	}
	if s.Limit < 1 || s.Limit > MaxHits {
		return nil, fault.New(fault.Invalid, "search.limit", "maximo", strconv.Itoa(MaxHits))
	}
	s.Situation = orCode(strings.ToLower(strings.TrimSpace(s.Situation)), string(certificate.Active))
	if situationNumber(certificate.Situation(s.Situation)) == 0 && s.Situation != expired && s.Situation != AnySituation {
		return nil, fault.New(fault.Invalid, "search.situation", "valor", fmt.Sprintf("%.40s", s.Situation))
	}
	q := &question{Search: s, today: c.today(), brandWords: queryWords(s.Brand), modelWords: queryWords(s.Model)}
	err := q.readFilters()
	if err != nil {
		return nil, err
	}
	if s.CNPJ != "" {
		if q.cnpj, err = brasil.ParseCNPJ(s.CNPJ); err != nil {
			return nil, err
		}
	}
	if s.UF != "" {
		if q.uf, err = brasil.ParseUF(s.UF); err != nil {
			return nil, err
		}
	}
	if s.GTIN != "" {
		g, err := brasil.ParseGTIN(s.GTIN)
		if err != nil {
			return nil, err
		}
		q.gtins = append(q.gtins, gtinNumber(g))
	}
	q.identity = strings.Join([]string{s.Text, s.Number, s.Body, s.Class, string(q.cnpj), s.Brand, s.Model, s.GTIN,
		s.Situation, string(q.uf), s.Country, s.Role, s.Type, s.Imported, s.Validity, q.Order, strconv.Itoa(s.Limit)}, "\x00")
	return q, c.readText(ctx, q)
}

// readText takes the words of the free text. A CNPJ in it counts as one word;
// a bar code that some product has is looked up as such.
func (c *Catalog) readText(ctx context.Context, q *question) error {
	var rest []string
	fields := strings.Fields(q.Text)
	if j := strings.Join(fields, ""); len(fields) > 1 && len(j) <= maxGTIN {
		known, err := c.knownGTIN(ctx, j) // as it is printed below the bars: in groups
		if err != nil {
			return err
		}
		if _, err := brasil.ParseGTIN(j); err == nil || known > 0 {
			fields = []string{j}
		}
	}
	for _, field := range fields {
		if cnpj, err := brasil.ParseCNPJ(field); err == nil {
			rest = append(rest, strings.ToLower(string(cnpj)))
			continue
		}
		if len(q.gtins) == 0 {
			known, err := c.knownGTIN(ctx, field)
			if err != nil {
				return err
			}
			if known > 0 {
				q.gtins = append(q.gtins, known)
				continue
			}
		}
		rest = append(rest, field)
	}
	q.words = queryWords(strings.Join(rest, " "))
	return nil
}

// maxGTIN is how many digits a bar code has at most, and minGTIN one that
// lost its check digit has at least.
const (
	minGTIN = 11 // of a UPC-A; seven digits may be many things
	maxGTIN = 14
)

// knownGTIN finds the bar code that some product has and that was typed whole,
// or without its check digit; 0 where there is none.
func (c *Catalog) knownGTIN(ctx context.Context, typed string) (int64, error) {
	var codes []brasil.GTIN
	if g, err := brasil.ParseGTIN(typed); err == nil {
		codes = append(codes, g)
	}
	if isDigits(typed) && minGTIN <= len(typed) && len(typed) < maxGTIN {
		for digit := '0'; digit <= '9'; digit++ {
			if g, err := brasil.ParseGTIN(typed + string(digit)); err == nil {
				codes = append(codes, g)
			}
		}
	}
	for _, g := range codes {
		n := gtinNumber(g)
		known, err := c.any(ctx, "SELECT 1 FROM gtin WHERE numero = ? LIMIT 1", n)
		if err != nil {
			return 0, fmt.Errorf("look up GTIN: %w", err)
		}
		if known {
			return n, nil
		}
	}
	return 0, nil
}

// gtinNumber is a GTIN as rows keep it: the same for every way of writing it.
func gtinNumber(g brasil.GTIN) int64 {
	n, err := strconv.ParseInt(string(g), 10, 64)
	if err != nil {
		return -1 // ParseGTIN gives digits only
	}
	return n
}

// expression makes the question one for the index; empty when nothing can match.
// The expressions of within, if any, stand for the free text.
func (c *Catalog) expression(ctx context.Context, q *question, within ...string) (string, error) {
	m := &matcher{catalog: c, ctx: ctx}
	if len(within) == 0 {
		m.anywhere(q.words)
	}
	m.parts = append(m.parts, within...)
	m.column("numero", q.Number)
	m.column("marcas", q.Brand)
	m.column("modelos", q.Model)
	for _, typed := range []struct{ text, kept string }{{q.Text, strings.Join(q.words, "")}, {q.Number, strings.Join(queryWords(q.Number), "")},
		{q.Brand, strings.Join(q.brandWords, "")}, {q.Model, strings.Join(q.modelWords, "")}} {
		if strings.TrimSpace(typed.text) != "" && typed.kept == "" && len(q.gtins) == 0 {
			return "", nil // only punctuation: nothing is called so
		}
	}
	if q.cnpj != "" {
		m.exactly("empresas", strings.ToLower(string(q.cnpj)))
	}
	if q.Body != "" {
		m.mark(markBody(q.Body))
	}
	if q.Class != "" {
		m.mark(markClass(q.Class))
	}
	q.narrow(m)
	switch {
	case q.Situation == expired:
		more, err := c.expiredSince(ctx, q.today)
		if err != nil {
			return "", err
		}
		if more {
			m.mark(markPrefix+expired, markPrefix+string(certificate.Active))
		} else {
			m.mark(markPrefix + expired)
		}
	case q.Situation != AnySituation:
		m.mark(markPrefix + q.Situation)
	case len(m.parts) == 0:
		m.mark(markPrefix+expired, markPrefix+string(certificate.Active), markPrefix+string(certificate.Suspended), markPrefix+string(certificate.Cancelled))
	}
	return m.expression(), m.err
}

// expiredSince tells whether a validity ended between the publication and today.
func (c *Catalog) expiredSince(ctx context.Context, today brasil.Date) (bool, error) {
	more, err := c.any(ctx, `SELECT 1 FROM certificado WHERE situacao = 1 AND validade > 0 AND validade >= ? AND validade < ? LIMIT 1`,
		dayNumber(brasil.Today(c.seal.Publication.At)), dayNumber(today))
	if err != nil {
		return false, fmt.Errorf("look for expired certificates: %w", err)
	}
	return more, nil
}

const hitColumns = `c.id, c.organismo, c.numero, c.situacao, c.emissao, c.validade, c.tipo, c.classe, c.motivo, c.solicitante, c.produtos`

func scanHit(rows *sql.Rows, r *certificateRow) error {
	return rows.Scan(&r.id, &r.body, &r.number, &r.situation, &r.issued, &r.valid, &r.kind, &r.class, &r.reason, &r.applicant, &r.products)
}

func (c *Catalog) hit(r *certificateRow, today brasil.Date) Hit {
	return Hit{Body: BodyView{certificate.Sigla(r.body), c.names.body(certificate.Sigla(r.body))}, Number: r.number,
		Situation: shownSituation(r.situation, r.valid, today),
		Type:      Named{r.kind, c.names.kind(certificate.TypeCode(r.kind))},
		Class:     Named{r.class, c.names.class(certificate.ClassCode(r.class))},
		IssuedOn:  dayOf(r.issued), ValidUntil: dayOf(r.valid), Applicant: r.applicant, Products: int(r.products),
		Path: Path(certificate.Sigla(r.body), r.number)}
}

// admits tells whether a row is of the class, body and situation asked for, as of today.
func (q *question) admits(r *certificateRow) bool {
	switch {
	case r.reason != "",
		q.Body != "" && brasil.Compact(q.Body) != brasil.Compact(r.body),
		q.Class != "" && q.Class != r.class,
		q.Validity != "" && !q.isValidWithin(r.valid):
		return false
	}
	return q.Situation == AnySituation || q.Situation == shownSituation(r.situation, r.valid, q.today)
}

// exact finds the certificates whose number is the text typed, or begins with
// it. Other filters than body, class and situation leave nothing to put first.
func (c *Catalog) exact(ctx context.Context, q *question) ([]certificateRow, error) {
	typed := compactNumber(orCode(q.Number, q.Text))
	if typed == "" || len(typed) > 2*maxWordBytes || q.isNarrowed() || len(q.gtins) > 0 || q.Brand != "" || q.Model != "" || (q.Number != "" && q.Text != "") {
		return nil, nil
	}
	end := typed
	if strings.ContainsAny(typed, "0123456789") {
		end = typed + "\U0010FFFF"
	}
	rows, err := c.query(ctx, `SELECT `+hitColumns+` FROM certificado c
		WHERE c.compacto >= ? AND c.compacto <= ? ORDER BY c.compacto, c.organismo, c.id DESC LIMIT ?`, typed, end, 4*maxExact)
	if err != nil {
		return nil, fmt.Errorf("look up number: %w", err)
	}
	defer rows.Close()
	var list []certificateRow
	for rows.Next() && len(list) < min(maxExact, q.Limit) {
		var r certificateRow
		if err := scanHit(rows, &r); err != nil {
			return nil, fmt.Errorf("look up number: %w", err)
		}
		if q.admits(&r) {
			list = append(list, r)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("look up number: %w", err)
	}
	return list, nil
}

// scan fills the page from place on and returns the place to go on from, 0 at the end.
func (c *Catalog) scan(ctx context.Context, q *question, expression string, place int64, skip map[int64]bool, page *Hits) (int64, error) {
	for checked := 0; checked < maxProductChecks; {
		if len(page.Certificates) == q.Limit {
			return place, nil
		}
		list, next, err := c.candidates(ctx, q, expression, place, q.Limit-len(page.Certificates)+len(skip))
		if err != nil {
			return 0, err
		}
		for i := range list {
			if len(page.Certificates) == q.Limit {
				return list[i-1].id, nil
			}
			if skip[list[i].id] {
				continue
			}
			checked++
			if ok, err := c.hasProduct(ctx, q, list[i].id); err != nil {
				return 0, err
			} else if ok {
				page.Certificates = append(page.Certificates, c.hit(&list[i], q.today))
			}
		}
		if place = next; next == 0 || len(list) == 0 {
			break // the end, or so much read for nothing that the caller shall say whether to go on
		}
	}
	return place, nil
}

// candidates reads the index downwards from place: at most so many rows that
// the question admits, and the place to go on from, 0 at the end. It is closed
// before products are looked at: a reader that waits for a second connection
// while it holds one could wait for ever.
func (c *Catalog) candidates(ctx context.Context, q *question, expression string, place int64, most int) ([]certificateRow, int64, error) {
	query := `SELECT ` + hitColumns + ` FROM busca b CROSS JOIN certificado c ON c.id = b.rowid
		WHERE b.busca MATCH ? AND b.rowid < ? ORDER BY b.rowid DESC`
	args := []any{expression, place}
	if len(q.gtins) > 0 {
		// Few certificates have the product: they are looked up and held against the index.
		query = `SELECT ` + hitColumns + ` FROM (SELECT DISTINCT v.certificado AS id FROM gtin g JOIN vinculo v ON v.produto = g.produto
			WHERE g.numero = ? AND v.situacao = 1 AND v.certificado < ? ORDER BY 1 DESC LIMIT 1000) k
			CROSS JOIN busca b ON b.rowid = k.id CROSS JOIN certificado c ON c.id = k.id WHERE b.busca MATCH ? ORDER BY k.id DESC`
		args = []any{q.gtins[0], place, expression}
	}
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return nil, 0, fmt.Errorf("search: %w", err)
	}
	defer rows.Close()
	var list []certificateRow
	last := place
	for examined := 0; rows.Next(); examined++ {
		if len(list) == most || examined == maxExamined {
			return list, last, nil
		}
		var r certificateRow
		if err := scanHit(rows, &r); err != nil {
			return nil, 0, fmt.Errorf("search: %w", err)
		}
		if last = r.id; q.admits(&r) {
			list = append(list, r)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("search: %w", err)
	}
	return list, 0, nil
}

// hasProduct tells whether one active product has both the brand and the model
// asked for; the index knows them only apart.
func (c *Catalog) hasProduct(ctx context.Context, q *question, id int64) (bool, error) {
	if len(q.brandWords) == 0 || len(q.modelWords) == 0 {
		return true, nil
	}
	rows, err := c.query(ctx, `SELECT p.marca, p.modelo, p.designacao, p.familia FROM vinculo v JOIN produto p ON p.id = v.produto
		WHERE v.certificado = ? AND v.situacao = 1 LIMIT ?`, id, maxExamined)
	if err != nil {
		return false, fmt.Errorf("search products: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var brand, model, commercial, family string
		if err := rows.Scan(&brand, &model, &commercial, &family); err != nil {
			return false, fmt.Errorf("search products: %w", err)
		}
		brands, models := productWords(brand, model, commercial, family)
		if hasWords(brands, q.brandWords) && hasWords(models, q.modelWords) {
			return true, rows.Err()
		}
	}
	return false, rows.Err()
}

// hasWords tells what matcher.column asks of the index: all words, the last as
// a beginning, or all of them in one word.
func hasWords(text string, asked []string) bool {
	have := strings.Fields(text)
	begins := func(word string) bool {
		return slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, word) })
	}
	for i, word := range asked {
		if i < len(asked)-1 && !slices.Contains(have, word) || i == len(asked)-1 && !begins(word) {
			return len(asked) > 1 && begins(strings.Join(asked, ""))
		}
	}
	return true
}
