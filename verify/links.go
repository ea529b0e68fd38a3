package verify

import (
	"selo/store"
)

// maxWanted is how many links wait before their records are looked up together.
const maxWanted = 4000

// reference is one link of a certificate that must lead to a record.
type reference struct {
	from string // record that holds it
	name string // of that certificate
	body string
	kind string
	to   string
}

// certificate checks the newest revision of one certificate: every line once,
// every product and service under a company of the certificate, active ones
// under an active one (manual 2.2.1.4), every company and product a record.
func (p *chainPass) certificate(name string) {
	c := p.doc.Certificate
	p.links.Checked++
	label := excerpt(p.doc.name())
	seen := map[string]bool{}
	c.eachLink(func(identity, _ string) {
		if seen[identity] {
			p.links.find("verify.link.twice", name, "nome", label, "item", excerpt(identity))
		}
		seen[identity] = true
	})
	active := map[string]bool{} // by company; missing: not in the certificate
	for _, l := range c.Companies {
		if _, known := active[l.Company]; !known {
			p.want(name, label, kindCompany, l.Company)
		}
		active[l.Company] = active[l.Company] || l.Situation == situationActive
	}
	under := func(what string, l entry) {
		on, listed := active[l.Company]
		switch {
		case !listed:
			p.links.find("verify.link.company_absent", name, "nome", label, "item", excerpt(what), "empresa", excerpt(l.Company))
		case l.Situation == situationActive && !on:
			p.links.find("verify.link.company_inactive", name, "nome", label, "item", excerpt(what), "empresa", excerpt(l.Company))
		}
	}
	for _, l := range c.Products {
		under("produto "+l.Product, l)
		p.want(name, label, kindProduct, l.Product)
	}
	for _, l := range c.Services {
		under("servico "+l.ID, l)
	}
}

func (p *chainPass) want(from, name, kind, to string) {
	p.wanted = append(p.wanted, reference{from: from, name: name, body: p.doc.Body, kind: kind, to: to})
}

// lookUp finds the records of the waiting links when there are more than least.
func (p *chainPass) lookUp(least int) error {
	if len(p.wanted) == 0 || len(p.wanted) < least {
		return nil
	}
	for wanted := p.wanted; len(wanted) > 0; {
		n := min(len(wanted), maxWanted)
		if err := p.lookUpSome(wanted[:n]); err != nil {
			return err
		}
		wanted = wanted[n:]
	}
	p.wanted = p.wanted[:0]
	return nil
}

func (p *chainPass) lookUpSome(wanted []reference) error {
	type place struct{ body, kind string }
	found := make(map[string]place, len(wanted))
	ids := make([]string, 0, len(wanted))
	for _, w := range wanted {
		if _, asked := found[w.to]; !asked {
			found[w.to] = place{}
			ids = append(ids, w.to)
		}
	}
	err := store.InChunks(ids, func(in string, args []any) error {
		return p.each(func(row *store.Rows) error {
			var id string
			var at place
			if err := row.Scan(&id, &at.body, &at.kind); err != nil {
				return err
			}
			found[id] = at
			return nil
		}, `SELECT id, body, kind FROM record WHERE id IN (`+in+`)`, args...)
	})
	if err != nil {
		return err
	}
	for _, w := range wanted {
		if at := found[w.to]; at != (place{w.body, w.kind}) {
			p.links.find("verify.link.unknown", w.from, "nome", w.name, "item", w.kind+" "+excerpt(w.to))
		}
	}
	return nil
}
