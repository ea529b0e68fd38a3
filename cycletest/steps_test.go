package cycletest_test

import (
	"fmt"
	"slices"

	"selo/brasil"
	"selo/certificate"
	"selo/certifier"
	"selo/fault"

	"pgregory.net/rapid"
)

const why = "pedido do solicitante"

func keyOf(err error) string {
	if f := fault.Of(err); f != nil {
		return f.Key
	}
	return ""
}

// newCertificate makes a certificate over new and known companies and products.
func (s *teller) newCertificate() {
	b := s.b
	next := *b.state
	name := func() int { next.names++; return next.names }
	var made []*certificate.Revision
	record := func(kind certificate.Kind, fresh func(n int) *certificate.Revision) certificate.ID {
		if known := b.ids(kind, func(r *record) bool { return r.newest() != "" }); len(known) > 0 && rapid.Bool().Draw(s.T, "known") {
			return s.pick(known, string(kind))
		}
		rev := fresh(name())
		rev.ID = certificate.NewID()
		made = append(made, rev)
		return rev.ID
	}
	applicant := record(certificate.KindCompany, company)
	maker := record(certificate.KindCompany, company)
	var products []certificate.ID
	for range draw(s.T, 1, 3, "products") {
		if id := record(certificate.KindProduct, product); !slices.Contains(products, id) {
			products = append(products, id)
		}
	}
	class := one(s.T, []certificate.ClassCode{classAlways, classAlways, classSometimes}, "class")
	rev := sheetOf(fmt.Sprintf("%s-%s/%d", b.sigla, "26.001", name()), class, applicant, maker, products)
	rev.ID = certificate.NewID()
	made = append(made, rev)
	ids := map[certificate.ID]certificate.ID{}
	if !s.write("", "new certificate", func(tx certifier.Tx) error {
		clear(ids)
		for _, rev := range made {
			content := *rev
			if rev.Certificate != nil {
				c := *rev.Certificate
				content.Certificate = renamed(&c, ids)
			}
			r, err := certifier.SaveDraft(b.ctx, tx, ana, certifier.Edit{Content: &content, Justification: why})
			if err != nil {
				if len(ids) > 0 && fault.Of(err) != nil {
					b.Fatalf("made %d of %d records of one transaction: %v", len(ids), len(made), err)
				}
				return err
			}
			ids[rev.ID] = r.ID
		}
		return nil
	}, "company.exists", "product.exists", "certificate.exists") {
		return
	}
	s.adopt(made, ids)
	b.names, b.given = next.names, max(b.given, next.names)
}

// adopt writes new drafts into the model. When the act was repeated after a
// crash the program answered with a fault, and the base knows the IDs.
func (s *teller) adopt(made []*certificate.Revision, ids map[certificate.ID]certificate.ID) {
	b := s.b
	b.must(b.db.Read(b.ctx, func(tx certifier.Tx) error {
		for _, rev := range made {
			id, err := certifier.FindByKey(b.ctx, tx, rev)
			if err != nil {
				return err
			}
			if id == "" {
				b.Fatalf("%s: %s was saved and is not there", b.sigla, rev.Label())
			}
			ids[rev.ID] = id
		}
		return nil
	}))
	for _, rev := range made {
		if rev.Certificate != nil {
			rev.Certificate = renamed(rev.Certificate, ids)
		}
		b.records[ids[rev.ID]] = &record{kind: rev.Kind(), draft: contentOf(rev)}
	}
}

// renamed gives the links of a certificate the IDs that the base gave.
func renamed(c *certificate.Certificate, ids map[certificate.ID]certificate.ID) *certificate.Certificate {
	swap := func(id *certificate.ID) {
		if to, ok := ids[*id]; ok {
			*id = to
		}
	}
	c.Companies, c.Products = slices.Clone(c.Companies), slices.Clone(c.Products)
	for i := range c.Companies {
		swap(&c.Companies[i].Company)
	}
	for i := range c.Products {
		swap(&c.Products[i].Product)
		swap(&c.Products[i].Company)
	}
	return c
}

func company(n int) *certificate.Revision {
	cnpj, err := brasil.MakeCNPJ(fmt.Sprintf("FC%06d0001", n))
	if err != nil {
		panic(err)
	}
	return &certificate.Revision{Company: &certificate.Company{City: "Santo André", CNPJ: cnpj, Country: certificate.Brazil, UF: "SP",
		Name: fmt.Sprintf("Companhia Fictícia %d Ltda", n), Person: certificate.Legal}}
}

func product(n int) *certificate.Revision {
	return &certificate.Revision{Product: &certificate.Product{Brand: "Imaginária", Model: fmt.Sprintf("Utopia \"%d\"/ç", n),
		Description: "bola de plástico", Imported: n%4 == 0}}
}

func sheetOf(number string, class certificate.ClassCode, applicant, maker certificate.ID, products []certificate.ID) *certificate.Revision {
	on := day("2026-03-01")
	c := &certificate.Certificate{Number: number, Class: class, IssuedOn: on, ValidUntil: day("2030-03-01"), Type: certificate.TypeCompulsory,
		Model: "5", Situation: certificate.Active,
		Documents: []certificate.DocumentLink{{Document: "portaria", EnteredOn: on, Situation: certificate.Active}},
		Companies: []certificate.CompanyLink{
			{Company: applicant, Role: certificate.Applicant, EnteredOn: on, Situation: certificate.Active},
			{Company: maker, Role: certificate.Manufacturer, EnteredOn: on, Situation: certificate.Active}}}
	for _, p := range products {
		c.Products = append(c.Products, certificate.ProductLink{Product: p, Company: applicant, EnteredOn: on,
			Modality: certificate.ByType, Situation: certificate.Active})
	}
	return &certificate.Revision{Certificate: c}
}

// save makes content the newest of a record, through the program and in the model.
func (s *teller) save(id certificate.ID, rev *certificate.Revision) {
	b, r := s.b, s.b.records[id]
	if s.write("", "save draft", func(tx certifier.Tx) error {
		_, err := certifier.SaveDraft(b.ctx, tx, ana, certifier.Edit{ID: id, Content: rev, Justification: why})
		return err
	}) && contentOf(rev) != r.newest() {
		r.draft = contentOf(rev)
	}
}

func live(r *record) bool { return r.newest() != "" }

func (s *teller) pickCertificate() (certificate.ID, *certificate.Certificate) {
	id := s.pick(s.b.ids(certificate.KindCertificate, live), "certificate")
	return id, s.b.records[id].certificate()
}

func (s *teller) edit() {
	id, c := s.pickCertificate()
	c.ReportNumber = fmt.Sprint("L", draw(s.T, 0, 50, "report"))
	s.save(id, &certificate.Revision{Certificate: c})
}

func (s *teller) addProduct() {
	b := s.b
	id, c := s.pickCertificate()
	p := s.pick(b.ids(certificate.KindProduct, live), "product")
	owner := c.Companies[0]
	if slices.ContainsFunc(c.Products, func(l certificate.ProductLink) bool { return l.Product == p }) || owner.Situation != certificate.Active {
		s.notNow()
	}
	c.Products = append(c.Products, certificate.ProductLink{Product: p, Company: owner.Company, EnteredOn: day("2026-03-02"),
		Modality: certificate.ByType, Situation: certificate.Active})
	s.save(id, &certificate.Revision{Certificate: c})
}

// describe changes a product or a company alone (FAQ 3.14, 3.17).
func (s *teller) describe() {
	b := s.b
	kind := one(s.T, []certificate.Kind{certificate.KindProduct, certificate.KindCompany}, "kind")
	id := s.pick(b.ids(kind, live), string(kind))
	rev := b.records[id].revision()
	text := fmt.Sprint("mudança ", draw(s.T, 0, 50, "text"))
	if rev.Product != nil {
		rev.Product.Description = text
	} else {
		rev.Company.District = text
	}
	s.save(id, rev)
}

var situations = []certificate.Situation{certificate.Active, certificate.Suspended, certificate.Cancelled}

// situation moves a certificate or one of its products (manual 2.2.1.3).
func (s *teller) situation() {
	b := s.b
	id, c := s.pickCertificate()
	to := one(s.T, situations, "to")
	at := &c.Situation
	var of certificate.ID
	allowed := true
	if i := draw(s.T, -1, len(c.Products)-1, "product"); i >= 0 {
		at, of = &c.Products[i].Situation, c.Products[i].Product
		allowed = to != certificate.Active || activeIn(c, c.Products[i].Company)
	}
	key := ""
	switch {
	case !allowed:
		key = "product.company.inactive"
	case *at == to || *at == certificate.Cancelled && to == certificate.Suspended:
		key = "situation.move"
	}
	*at = to
	if s.write(key, "situation", func(tx certifier.Tx) (err error) {
		if of == "" {
			_, err = certifier.SetSituation(b.ctx, tx, ana, id, to, why)
		} else {
			_, err = certifier.SetProductSituation(b.ctx, tx, ana, id, of, to, why)
		}
		return err
	}, "situation.move") {
		b.records[id].draft = contentOf(&certificate.Revision{Certificate: c})
	}
}

func activeIn(c *certificate.Certificate, company certificate.ID) bool {
	return slices.ContainsFunc(c.Companies, func(l certificate.CompanyLink) bool {
		return l.Company == company && l.Situation == certificate.Active
	})
}

// companySituation moves a company of a certificate with what depends on it:
// to the other company, or suspended along (manual 2.2.1.4).
func (s *teller) companySituation() {
	b := s.b
	id, c := s.pickCertificate()
	of := c.Companies[draw(s.T, 0, 1, "company")].Company
	other := c.Companies[0].Company
	if other == of {
		other = c.Companies[1].Company
	}
	to := one(s.T, situations, "to")
	how := certificate.Transfer{Propagate: true}
	if rapid.Bool().Draw(s.T, "transfer") && other != of && activeIn(c, other) {
		how = certificate.Transfer{To: other}
	}
	moved := 0
	for i := range c.Companies {
		l := &c.Companies[i]
		if l.Company == of && l.Situation != to && (l.Situation != certificate.Cancelled || to == certificate.Active) {
			l.Situation = to
			moved++
		}
	}
	for i := range c.Products {
		l := &c.Products[i]
		switch {
		case l.Company != of || to == certificate.Active || moved == 0:
		case how.To != "" && l.Situation != certificate.Cancelled:
			l.Company = how.To
		case how.Propagate && l.Situation == certificate.Active:
			l.Situation = certificate.Suspended
		}
	}
	key := ""
	if moved == 0 {
		key = "situation.move"
	}
	if s.write(key, "company situation", func(tx certifier.Tx) error {
		_, err := certifier.SetCompanySituation(b.ctx, tx, ana, id, of, "", to, how, why)
		return err
	}, "situation.move") {
		b.records[id].draft = contentOf(&certificate.Revision{Certificate: c})
	}
}

// approve freezes one record with what it links to.
func (s *teller) approve() {
	b := s.b
	id := s.pick(b.ids("", func(r *record) bool { return r.draft != "" }), "draft")
	r := b.records[id]
	key := ""
	if !b.approvable(r) {
		key = "approve.problems"
	}
	op := func(tx certifier.Tx) error {
		_, err := certifier.Approve(b.ctx, tx, ana, []certificate.ID{id}, why)
		return err
	}
	if b.unsure[id] {
		err := b.act(op)
		if key = keyOf(err); err != nil && key != "approve.problems" {
			b.Fatalf("%s: approve: %v", b.sigla, err)
		}
		if err != nil {
			return
		}
	}
	if b.unsure[id] || s.write(key, "approve", op) {
		for _, linked := range b.drafted(r) {
			b.state.approve(linked)
		}
		b.state.approve(id)
	}
}

// approveReady freezes all that is complete.
func (s *teller) approveReady() {
	b := s.b
	if !s.write("", "approve all", func(tx certifier.Tx) error {
		_, _, err := certifier.ApproveReady(b.ctx, tx, ana)
		return err
	}) {
		return
	}
	var ready []certificate.ID
	found, _ := b.read()
	for _, id := range b.ids("", func(r *record) bool { return r.draft != "" }) {
		r := b.records[id]
		if r.kind == certificate.KindCertificate && (b.approvable(r) && !b.unsure[id] || b.unsure[id] && found[id].draft == "") {
			ready = append(append(ready, id), b.drafted(r)...)
		} else if r.kind != certificate.KindCertificate && r.frozen() {
			ready = append(ready, id)
		}
	}
	for _, id := range ready {
		b.state.approve(id)
	}
}

// reopenOne gives a waiting record back to the draft, and with a new company or
// product the certificates that wait for it.
func (s *teller) reopenOne() {
	b := s.b
	id := s.pick(b.ids("", live), "record")
	r := b.records[id]
	key := ""
	if r.approved == "" {
		key = "record.not_approved"
		if r.travelling != "" {
			key = "record.travelling"
		}
	}
	if !s.write(key, "reopen", func(tx certifier.Tx) error {
		_, err := certifier.Reopen(b.ctx, tx, ana, id, why)
		return err
	}, "record.not_approved", "record.travelling") {
		return
	}
	r.reopen()
	if r.kind == certificate.KindCertificate || r.accepted+r.travelling != "" {
		return
	}
	for _, other := range b.ids(certificate.KindCertificate, func(r *record) bool { return r.approved != "" }) {
		u := b.records[other]
		needs := slices.Contains(linksOf(u.certificate()), id) ||
			slices.Contains(linksOf(revisionOf(u.kind, u.approved).Certificate), id)
		if needs {
			u.reopen()
		}
	}
}

// discard undoes a draft; a certificate that was never approved vanishes.
func (s *teller) discard() {
	b := s.b
	id := s.pick(b.ids("", func(r *record) bool {
		return r.draft != "" && (r.frozen() || r.kind == certificate.KindCertificate)
	}), "draft")
	if s.write("", "discard", func(tx certifier.Tx) error { return certifier.DiscardDraft(b.ctx, tx, ana, id, 0) },
		"draft.none", "record.not_found") {
		if b.records[id].draft = ""; !b.records[id].frozen() {
			delete(b.records, id)
		}
	}
}
