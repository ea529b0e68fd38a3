package certifier

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"selo/brasil"
	"selo/certificate"
	"selo/certifier/sheet"
	"selo/fault"
)

// importing is one import on its way.
type importing struct {
	tx        Tx
	actor     Actor
	sheet     *Spreadsheet
	body      Body
	rules     *certificate.Rules
	today     brasil.Date
	rows      []*importRow
	products  map[certificate.Key]*importedRecord
	companies map[certificate.ID]*importedRecord // of the table
	looked    map[string]bool                    // numbers and names that the table was asked for
	byNumber  map[certificate.Key]*importedCertificate
	groups    map[string]*importedCertificate
	taxIDs    map[string][]*importedRecord // known companies by CNPJ or CPF
	names     map[string][]*importedRecord // known companies by name, folded
	why       string
	order     []*importedRecord // new ones, as they came
	certs     []*importedCertificate
}

// importRow is a row with what became of it.
type importRow struct {
	src       *sheetRow
	parsed    *parsedRow
	outcome   Outcome
	into      int
	problems  []fault.Problem
	cert      *importedCertificate
	product   *importedRecord
	companies []rowCompany
}

type rowCompany struct {
	role    certificate.RoleCode
	company *importedRecord
}

// importedRecord is a company or product that rows name.
type importedRecord struct {
	rev   *certificate.Revision
	isNew bool
	line  int  // of the row that named it first
	used  bool // by a row that was not refused
}

// importedCertificate is a certificate that rows make or extend.
type importedCertificate struct {
	rev     *certificate.Revision
	isNew   bool
	version int64
	line    int // of its first row
	group   string
	rows    []*importRow // created ones
	had     map[certificate.ID]bool
	first   map[certificate.ID]*importRow // by product
}

func newImport(tx Tx, actor Actor, s *Spreadsheet, body Body, rules *certificate.Rules, why string) *importing {
	return &importing{
		tx: tx, actor: actor, sheet: s, body: body, rules: rules, today: brasil.Today(tx.Now()),
		products: map[certificate.Key]*importedRecord{}, companies: map[certificate.ID]*importedRecord{}, looked: map[string]bool{},
		byNumber: map[certificate.Key]*importedCertificate{}, groups: map[string]*importedCertificate{},
		taxIDs: map[string][]*importedRecord{}, names: map[string][]*importedRecord{}, why: why,
	}
}

func (r *importRow) refuse(problems ...fault.Problem) {
	r.outcome, r.problems = RowRefused, append(r.problems, problems...)
}

func (r *importRow) line() string { return strconv.Itoa(r.src.line) }

func (r *importRow) problem(field, code string, args ...string) fault.Problem {
	args = append(args, "linha", r.line())
	return fault.Problem{Record: "linha " + r.line(), Field: field, Code: code, Args: fault.Pairs(args...)}
}

// plan decides about every row without writing.
func (im *importing) plan(ctx context.Context) error {
	parser := newRowParser(im.rules.Tables)
	var products []certificate.Key
	for i := range im.sheet.rows {
		src := &im.sheet.rows[i]
		row := &importRow{src: src, parsed: parser.parse(src)}
		im.rows = append(im.rows, row)
		if len(row.parsed.problems) > 0 {
			row.refuse(row.parsed.problems...)
			continue
		}
		row.parsed.product.Clean()
		products = append(products, row.parsed.product.Key())
	}
	if err := im.loadProducts(ctx, products); err != nil {
		return err
	}
	for _, row := range im.rows {
		if row.outcome == RowRefused {
			continue
		}
		if err := im.place(ctx, row); err != nil {
			return err
		}
	}
	im.checkCertificates()
	for _, row := range im.rows {
		if row.outcome != RowRefused {
			row.product.used = true
			for _, c := range row.companies {
				c.company.used = true
			}
		}
	}
	return nil
}

// loadProducts finds which products the table holds already.
func (im *importing) loadProducts(ctx context.Context, keys []certificate.Key) error {
	for page := range slices.Chunk(keys, pageSize) {
		found, err := im.tx.FindKeys(ctx, certificate.KindProduct, page)
		if err != nil {
			return err
		}
		ids := make([]certificate.ID, 0, len(found))
		for _, id := range found {
			ids = append(ids, id)
		}
		records, err := load(ctx, im.tx, ids)
		if err != nil {
			return err
		}
		for key, id := range found {
			if r := records[id]; r.Newest() != nil {
				im.products[key] = &importedRecord{rev: r.Newest()}
			}
		}
	}
	return nil
}

// place puts a row into its certificate, or refuses it.
func (im *importing) place(ctx context.Context, row *importRow) error {
	for i := range row.parsed.companies {
		c, problem, err := im.company(ctx, row, &row.parsed.companies[i])
		if err != nil {
			return err
		}
		if problem != nil {
			row.refuse(problem...)
			continue
		}
		row.companies = append(row.companies, rowCompany{role: row.parsed.companies[i].role, company: c})
	}
	cert, problems, err := im.certificate(ctx, row)
	if err != nil {
		return err
	}
	row.refuseAny(problems)
	if row.outcome == RowRefused {
		return nil
	}
	row.cert = cert
	im.product(row)
	return nil
}

func (r *importRow) refuseAny(problems []fault.Problem) {
	if len(problems) > 0 {
		r.refuse(problems...)
	}
}

// product puts the row's product into its certificate: new there, there
// already, or a repetition of an earlier row.
func (im *importing) product(row *importRow) {
	p := &row.parsed.product
	key := p.Key()
	known := im.products[key]
	fresh := &importedRecord{rev: im.revision(&certificate.Revision{Product: p}), isNew: true, line: row.src.line}
	if problems := im.rules.CheckDraft(fresh.rev, im.today); len(problems) > 0 {
		row.refuse(lineProblems(row, problems)...)
		return
	}
	if known == nil {
		im.products[key] = fresh
		im.order = append(im.order, fresh)
		im.enter(row, fresh, RowCreated)
		return
	}
	first, repeated := row.cert.first[known.rev.ID]
	same := !adds(known.rev.Product, p)
	switch {
	case repeated && !sameLink(row, first):
		row.refuse(row.problem("", "import.repeated_differs", "produto", known.rev.Label(), "primeira", first.line()))
	case repeated && im.sheet.Repeated == sheet.Merge:
		if known.isNew {
			join(known.rev.Product, p)
		} else if !same {
			row.refuse(row.problem("", "import.product_differs", "produto", known.rev.Label()))
			return
		}
		row.outcome, row.into, row.product = RowMerged, first.src.line, known
	case repeated:
		row.refuse(row.problem("", "import.repeated", "produto", known.rev.Label(), "primeira", first.line()))
	case !same && !known.isNew:
		row.refuse(row.problem("", "import.product_differs", "produto", known.rev.Label()))
	case !same && im.sheet.Repeated != sheet.Merge:
		row.refuse(row.problem("", "import.repeated", "produto", known.rev.Label(), "primeira", strconv.Itoa(known.line)))
	case row.cert.had[known.rev.ID]:
		im.enter(row, known, RowPresent)
	default:
		if !same {
			join(known.rev.Product, p)
		}
		im.enter(row, known, RowCreated)
	}
}

func (im *importing) enter(row *importRow, p *importedRecord, o Outcome) {
	row.outcome, row.product = o, p
	row.cert.first[p.rev.ID] = row
	if o == RowCreated {
		row.cert.rows = append(row.cert.rows, row)
	}
}

// sameLink tells whether a repeated row puts the product into the certificate
// just as the first one did: another lot or company is another fact.
func sameLink(row, first *importRow) bool {
	return first.parsed.link == row.parsed.link && slices.Equal(first.companies, row.companies)
}

// adds tells whether next knows something of the product that have does not say.
func adds(have, next *certificate.Product) bool {
	for _, g := range next.GTINs {
		if !slices.Contains(have.GTINs, g) {
			return true
		}
	}
	return !includes(have.Description, next.Description) || !includes(have.Family, next.Family) ||
		!includes(have.CommercialName, next.CommercialName)
}

func includes(have, next string) bool {
	return next == "" || have == next || slices.Contains(strings.Split(have, joint), next)
}

// joint stands between texts of merged rows.
const joint = " | "

// join adds what next knows of the product.
func join(have, next *certificate.Product) {
	for _, g := range next.GTINs {
		if !slices.Contains(have.GTINs, g) {
			have.GTINs = append(have.GTINs, g)
		}
	}
	joinText(&have.Description, next.Description)
	joinText(&have.Family, next.Family)
	joinText(&have.CommercialName, next.CommercialName)
}

func joinText(have *string, next string) {
	switch {
	case includes(*have, next):
	case *have == "":
		*have = next
	default:
		*have += joint + next
	}
}

// lineProblems names the line as the record, beside what the rule says of its field.
func lineProblems(row *importRow, problems []fault.Problem) []fault.Problem {
	list := slices.Clone(problems)
	for i := range list {
		list[i].Record = "linha " + row.line()
	}
	return list
}

// revision gives content an ID and the body's acronym.
func (im *importing) revision(r *certificate.Revision) *certificate.Revision {
	r.ID, r.Body = certificate.NewID(), im.body.Sigla
	return r
}
