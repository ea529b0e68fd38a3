package certificate

import (
	"strconv"

	"selo/fault"
)

// Transfer says what happens to the active products and services of a company
// that stops being active in a certificate (manual 2.2.1.4). The zero value
// decides nothing, which is enough only when there are none.
type Transfer struct {
	To        ID   // step 4: another company, active in the same certificate, receives them
	Propagate bool // step 5: they become suspended, whatever the company becomes
}

// SetSituation cancels, suspends or reactivates the certificate (manual 2.2.1.3).
// Its companies, products and services keep theirs, so that reactivating
// restores exactly what was there. Fault: Conflict "situation.move".
func SetSituation(c *Certificate, to Situation) error { return move(&c.Situation, to) }

// SetProductSituation moves one product of the certificate. Faults: NotFound
// "product.unlinked", Conflict "situation.move", Conflict
// "product.company.inactive" when it would become active under a company that is not.
func SetProductSituation(c *Certificate, product ID, to Situation) error {
	for i := range c.Products {
		l := &c.Products[i]
		if l.Product != product {
			continue
		}
		if to == Active && !c.hasActive(l.Company) {
			return fault.New(fault.Conflict, "product.company.inactive", "empresa", excerpt(string(l.Company)))
		}
		return move(&l.Situation, to)
	}
	return fault.New(fault.NotFound, "product.unlinked", "produto", excerpt(string(product)))
}

// SetServiceSituation moves one service of the certificate. Faults as
// [SetProductSituation], under "service.unlinked" and "service.company.inactive".
func SetServiceSituation(c *Certificate, service ID, to Situation) error {
	l := c.service(service)
	if l == nil {
		return fault.New(fault.NotFound, "service.unlinked", "servico", excerpt(string(service)))
	}
	if to == Active && !c.hasActive(l.Company) {
		return fault.New(fault.Conflict, "service.company.inactive", "empresa", excerpt(string(l.Company)))
	}
	return move(&l.Situation, to)
}

// SetDocumentSituation moves one normative document of the certificate.
// Faults: NotFound "document.unlinked", Conflict "situation.move".
func SetDocumentSituation(c *Certificate, document DocumentCode, to Situation) error {
	return moveDocument(c.Documents, document, to)
}

// SetServiceDocumentSituation moves one normative document of a service.
// Faults: NotFound "service.unlinked" or "document.unlinked", Conflict "situation.move".
func SetServiceDocumentSituation(c *Certificate, service ID, document DocumentCode, to Situation) error {
	l := c.service(service)
	if l == nil {
		return fault.New(fault.NotFound, "service.unlinked", "servico", excerpt(string(service)))
	}
	return moveDocument(l.Documents, document, to)
}

// SetCompanySituation moves a company of the certificate in one role, or with
// role "" in every role in which the move exists (at least one must).
//
// When that leaves active products or services under a company that is no
// longer active in any role, how decides about them: they pass to another
// company, and the suspended ones with them, each keeping its situation; or
// they become suspended. Cancelled ones stay where they are, as history.
//
// Faults: NotFound "company.unlinked", Conflict "situation.move", Invalid
// "company.dependants" (how decides nothing, or both at once), Invalid
// "company.transfer" (To is the same company or is not active here). On a
// fault the certificate is unchanged.
func SetCompanySituation(c *Certificate, company ID, role RoleCode, to Situation, how Transfer) error {
	rows, from, found := c.movableRows(company, role, to)
	switch {
	case !found:
		return fault.New(fault.NotFound, "company.unlinked", "empresa", excerpt(string(company)), "papel", excerpt(string(role)))
	case len(rows) == 0:
		return moveFault(from, to)
	}
	stays := to == Active
	for i := range c.Companies {
		l := &c.Companies[i]
		moved := role == "" || l.Role == role
		stays = stays || l.Company == company && l.Situation == Active && !moved
	}
	if !stays {
		if err := c.settle(company, how); err != nil {
			return err
		}
	}
	for _, i := range rows {
		c.Companies[i].Situation = to
	}
	return nil
}

// movableRows lists the rows of a company that can make the move; from is the
// situation of the last row that cannot.
func (c *Certificate) movableRows(company ID, role RoleCode, to Situation) (rows []int, from Situation, found bool) {
	for i := range c.Companies {
		l := &c.Companies[i]
		if l.Company != company || role != "" && l.Role != role {
			continue
		}
		found = true
		if CanMove(l.Situation, to) {
			rows = append(rows, i)
		} else {
			from = l.Situation
		}
	}
	return rows, from, found
}

// settle carries out how for what hangs on a company that stops being active.
func (c *Certificate) settle(company ID, how Transfer) error {
	active := 0
	c.eachDependant(company, func(_ *ID, s *Situation) {
		if *s == Active {
			active++
		}
	})
	if how.To != "" && !how.Propagate {
		if how.To == company || !c.hasActive(how.To) {
			return fault.New(fault.Invalid, "company.transfer", "empresa", excerpt(string(how.To)))
		}
	} else if how.To != "" || active > 0 && !how.Propagate {
		return fault.New(fault.Invalid, "company.dependants", "quantidade", strconv.Itoa(active))
	}
	c.eachDependant(company, func(owner *ID, s *Situation) {
		switch {
		case how.To != "" && *s != Cancelled:
			*owner = how.To
		case how.Propagate && *s == Active:
			*s = Suspended
		}
	})
	return nil
}

// eachDependant visits the products and services of a company, whatever their situation.
func (c *Certificate) eachDependant(company ID, visit func(owner *ID, s *Situation)) {
	for i := range c.Products {
		if l := &c.Products[i]; l.Company == company {
			visit(&l.Company, &l.Situation)
		}
	}
	for i := range c.Services {
		if l := &c.Services[i]; l.Company == company {
			visit(&l.Company, &l.Situation)
		}
	}
}

// hasActive tells whether the company is active in the certificate in any role.
func (c *Certificate) hasActive(company ID) bool {
	for i := range c.Companies {
		if l := &c.Companies[i]; l.Company == company && l.Situation == Active {
			return true
		}
	}
	return false
}

func (c *Certificate) service(id ID) *ServiceLink {
	for i := range c.Services {
		if c.Services[i].ID == id {
			return &c.Services[i]
		}
	}
	return nil
}

func moveDocument(links []DocumentLink, document DocumentCode, to Situation) error {
	for i := range links {
		if links[i].Document == document {
			return move(&links[i].Situation, to)
		}
	}
	return fault.New(fault.NotFound, "document.unlinked", "documento", excerpt(string(document)))
}

// move takes one step of the drawing in docs/situations.md.
func move(s *Situation, to Situation) error {
	if !CanMove(*s, to) {
		return moveFault(*s, to)
	}
	*s = to
	return nil
}

func moveFault(from, to Situation) error {
	return fault.New(fault.Conflict, "situation.move", "de", string(from), "para", string(to))
}
