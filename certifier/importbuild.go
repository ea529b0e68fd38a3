package certifier

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

// company finds the company a row names, in the table or among those of
// earlier rows, or makes it.
func (im *importing) company(ctx context.Context, row *importRow, p *parsedCompany) (*importedRecord, []fault.Problem, error) {
	c := p.company
	c.Clean()
	taxID := string(c.CNPJ) + string(c.CPF)
	if taxID == "" && c.Name == "" {
		return nil, []fault.Problem{row.problem(string(p.role)+"_razao_social", "import.company_name")}, nil
	}
	if taxID != "" {
		known, err := im.known(ctx, im.taxIDs, taxID, func(o *certificate.Company) bool {
			return string(o.CNPJ)+string(o.CPF) == taxID
		})
		if err != nil {
			return nil, nil, err
		}
		if len(known) > 0 {
			return chooseCompany(row, p.role, &c, known)
		}
		if c.Name == "" {
			return nil, []fault.Problem{row.problem(string(p.role)+"_cnpj", "import.company_unknown", "valor", taxID)}, nil
		}
		return im.newCompany(row, &c)
	}
	name := brasil.Fold(c.Name)
	known, err := im.known(ctx, im.names, name, func(o *certificate.Company) bool { return brasil.Fold(o.Name) == name })
	if err != nil {
		return nil, nil, err
	}
	known = slices.DeleteFunc(slices.Clone(known), func(k *importedRecord) bool {
		return c.Country != "" && k.rev.Company.Country != c.Country
	})
	if len(known) > 0 {
		return chooseCompany(row, p.role, &c, known)
	}
	return im.newCompany(row, &c)
}

func (im *importing) newCompany(row *importRow, c *certificate.Company) (*importedRecord, []fault.Problem, error) {
	rev := im.revision(&certificate.Revision{Company: c})
	if problems := im.rules.CheckDraft(rev, im.today); len(problems) > 0 {
		return nil, lineProblems(row, problems), nil
	}
	made := &importedRecord{rev: rev, isNew: true, line: row.src.line}
	im.order = append(im.order, made)
	if taxID := string(c.CNPJ) + string(c.CPF); taxID != "" {
		im.taxIDs[taxID] = append(im.taxIDs[taxID], made)
	}
	name := brasil.Fold(c.Name)
	im.names[name] = append(im.names[name], made)
	return made, nil, nil
}

// known lists the companies of that number or name, of the table and of
// earlier rows. There may be several, since a wrong name is corrected by
// registering again (FAQ 3.15). Each company is one record, however it is found.
func (im *importing) known(ctx context.Context, index map[string][]*importedRecord, id string, fits func(*certificate.Company) bool) ([]*importedRecord, error) {
	if im.looked[id] {
		return index[id], nil
	}
	im.looked[id] = true
	page, err := List(ctx, im.tx, Query{Kind: certificate.KindCompany, Text: id, Limit: maxLimit})
	if err != nil {
		return nil, err
	}
	for _, item := range page.Items {
		r, err := Find(ctx, im.tx, item.ID)
		if err != nil {
			return nil, err
		}
		c := r.Newest().Company
		if c == nil || !fits(c) {
			continue
		}
		if im.companies[r.ID] == nil {
			im.companies[r.ID] = &importedRecord{rev: r.Newest()}
		}
		index[id] = append(index[id], im.companies[r.ID])
	}
	return index[id], nil
}

// chooseCompany takes the one with the row's name, or the only one when the
// row gives no name. Another name under the same number is a question for people.
func chooseCompany(row *importRow, role certificate.RoleCode, c *certificate.Company, known []*importedRecord) (*importedRecord, []fault.Problem, error) {
	name := brasil.Fold(c.Name)
	var fit []*importedRecord
	for _, k := range known {
		if name == "" || brasil.Fold(k.rev.Company.Name) == name {
			fit = append(fit, k)
		}
	}
	if len(fit) == 1 {
		return fit[0], nil, nil
	}
	return nil, []fault.Problem{row.problem(string(role)+"_razao_social", "import.company_differs",
		"valor", cut(c.Name, maxArg), "existente", known[0].rev.Label())}, nil
}

// certificate finds or begins the certificate of a row and checks that the row
// says of it what it is.
func (im *importing) certificate(ctx context.Context, row *importRow) (*importedCertificate, []fault.Problem, error) {
	next := row.parsed.certificate
	next.Clean()
	cert := im.groups[row.src.group]
	if cert == nil {
		var err error
		if cert, err = im.begin(ctx, row, &next); err != nil {
			return nil, nil, err
		}
		if cert.group != row.src.group {
			return nil, []fault.Problem{row.problem("numero", "import.number_shared",
				"numero", next.Number, "primeira", strconv.Itoa(cert.line))}, nil
		}
	}
	return cert, agree(row, cert, &next), nil
}

func (im *importing) begin(ctx context.Context, row *importRow, next *certificate.Certificate) (*importedCertificate, error) {
	key := next.Key()
	if cert := im.byNumber[key]; cert != nil {
		return cert, nil // another group with the same number
	}
	cert := &importedCertificate{line: row.src.line, group: row.src.group, isNew: true,
		had: map[certificate.ID]bool{}, first: map[certificate.ID]*importRow{}}
	cert.rev = im.revision(&certificate.Revision{Certificate: next})
	found, err := FindByKey(ctx, im.tx, cert.rev)
	if err != nil {
		return nil, err
	}
	if found != "" {
		r, err := Find(ctx, im.tx, found)
		if err != nil {
			return nil, err
		}
		if cert.rev, err = clone(r.Newest()); err != nil {
			return nil, err
		}
		cert.isNew, cert.version = false, r.Version
		for _, l := range cert.rev.Certificate.Products {
			cert.had[l.Product] = true
		}
	}
	im.groups[row.src.group], im.byNumber[key] = cert, cert
	im.certs = append(im.certs, cert)
	return cert, nil
}

// agree takes from the row what the certificate does not say yet, and names
// what they say differently.
func agree(row *importRow, cert *importedCertificate, next *certificate.Certificate) []fault.Problem {
	c := cert.rev.Certificate
	var problems []fault.Problem
	where := strconv.Itoa(cert.line)
	if !cert.isNew {
		where = "base"
	}
	differs := func(field, have, got string) {
		problems = append(problems, row.problem(field, "import.differs",
			"campo", field, "valor", cut(got, maxArg), "primeiro", cut(have, maxArg), "onde", where))
	}
	text := func(field string, have *string, got string) {
		switch {
		case got == "" || got == *have:
		case *have == "" && cert.isNew:
			*have = got
		default:
			differs(field, *have, got)
		}
	}
	date := func(field string, have *brasil.Date, got brasil.Date) {
		switch {
		case got.IsZero() || got == *have:
		case have.IsZero() && cert.isNew:
			*have = got
		default:
			differs(field, have.String(), got.String())
		}
	}
	text("numero", &c.Number, next.Number)
	text("tipo", (*string)(&c.Type), string(next.Type))
	text("classe", (*string)(&c.Class), string(next.Class))
	text("modelo_certificacao", (*string)(&c.Model), string(next.Model))
	text("signatarios", &c.Signatories, next.Signatories)
	text("laboratorio", &c.Laboratory, next.Laboratory)
	text("numero_relatorio", &c.ReportNumber, next.ReportNumber)
	text("observacoes", &c.Remarks, next.Remarks)
	date("data_emissao", &c.IssuedOn, next.IssuedOn)
	date("data_validade", &c.ValidUntil, next.ValidUntil)
	for _, l := range next.Documents {
		if !slices.ContainsFunc(c.Documents, func(have certificate.DocumentLink) bool { return have.Document == l.Document }) {
			c.Documents = append(c.Documents, l)
		}
	}
	return problems
}

// checkCertificates fills in the links and refuses the rows of certificates
// that no draft may hold.
func (im *importing) checkCertificates() {
	for _, cert := range im.certs {
		if len(cert.rows) == 0 {
			continue
		}
		im.fill(cert)
		if problems := im.rules.CheckDraft(cert.rev, im.today); len(problems) > 0 {
			for _, row := range im.rows {
				if row.cert == cert && row.outcome != RowRefused {
					row.refuse(lineProblems(row, problems)...)
				}
			}
			cert.rows = nil
		}
	}
}

// fill enters the documents, companies and products of a certificate's rows.
func (im *importing) fill(cert *importedCertificate) {
	c := cert.rev.Certificate
	entered := c.IssuedOn
	if !cert.isNew || entered.IsZero() {
		entered = im.today // what joins an existing certificate joins today
	}
	for i := range c.Documents {
		if c.Documents[i].EnteredOn.IsZero() {
			c.Documents[i].EnteredOn = entered
		}
	}
	type place struct {
		company certificate.ID
		role    certificate.RoleCode
	}
	present := map[place]bool{}
	for _, l := range c.Companies {
		present[place{l.Company, l.Role}] = true
	}
	for _, row := range cert.rows {
		for _, rc := range row.companies {
			if p := (place{rc.company.rev.ID, rc.role}); !present[p] {
				present[p] = true
				c.Companies = append(c.Companies, certificate.CompanyLink{Company: p.company, Role: p.role,
					EnteredOn: entered, Situation: certificate.Active})
			}
		}
		link := row.parsed.link
		link.Product, link.Company = row.product.rev.ID, makerOf(row.companies)
		if link.EnteredOn.IsZero() {
			link.EnteredOn = entered
		}
		c.Products = append(c.Products, link)
	}
}

// makerOf is the company a product belongs to: who makes it, else who applied, else the first.
func makerOf(companies []rowCompany) certificate.ID {
	for _, role := range []certificate.RoleCode{certificate.Manufacturer, certificate.Applicant} {
		for _, c := range companies {
			if c.role == role {
				return c.company.rev.ID
			}
		}
	}
	return companies[0].company.rev.ID
}

// newOf lists the records of a kind to make, in the order of the file.
func (im *importing) newOf(kind certificate.Kind) []*certificate.Revision {
	var revs []*certificate.Revision
	for _, r := range im.order {
		if r.used && r.rev.Kind() == kind {
			revs = append(revs, r.rev)
		}
	}
	return revs
}

// write makes the drafts.
func (im *importing) write(ctx context.Context) error {
	for _, kind := range []certificate.Kind{certificate.KindCompany, certificate.KindProduct} {
		for page := range slices.Chunk(im.newOf(kind), pageSize) {
			if _, err := createAll(ctx, im.tx, im.actor, page); err != nil {
				return fmt.Errorf("import %s: %w", kind, err)
			}
		}
	}
	var fresh []*certificate.Revision
	for _, cert := range im.certs {
		switch {
		case len(cert.rows) == 0:
		case cert.isNew:
			fresh = append(fresh, cert.rev)
		default:
			_, err := SaveDraft(ctx, im.tx, im.actor, Edit{ID: cert.rev.ID, Version: cert.version, Content: cert.rev,
				Justification: im.why})
			if err != nil {
				return fmt.Errorf("import into %s: %w", cert.rev.Label(), err)
			}
		}
	}
	for page := range slices.Chunk(fresh, pageSize) {
		if _, err := createAll(ctx, im.tx, im.actor, page); err != nil {
			return fmt.Errorf("import certificates: %w", err)
		}
	}
	return nil
}
