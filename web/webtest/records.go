package webtest

import (
	"fmt"
	"slices"

	"selo/brasil"
	"selo/certificate"
	"selo/demo"
)

// Body issued every certificate of the snapshot.
const Body certificate.Sigla = "DEMO"

// BodyName is its name.
const BodyName = "Organismo de Demonstração"

// The certificates of the snapshot, by what is special about them.
const (
	Toy       = "DEMO-BRIN-108/25.001" // active, a slash in the number, GTINs
	Suspended = "DEMO-CAP-3400"        // since its second revision, for [Reason]
	Cancelled = "DEMO-CAP-2900 A.1"
	Expired   = "DEMO-CAP-1000"
	Large     = "DEMO-BRIN-900"  // LargeProducts products
	Tricky    = "A//B ../ç+#?&%" // all that an address can choke on
)

// Reason is why [Suspended] was suspended.
const Reason = "Falha na avaliação de manutenção <da fábrica>"

// LargeProducts is how many products [Large] has: more than one page of them.
const LargeProducts = 250

// Brand is the brand of every product, Model and GTIN those of [Toy]'s.
const (
	Brand = "Fictoy"
	Model = "Trenzinho FT-10"
	GTIN  = "7891234567895"
)

const (
	toys    = "brinquedos"
	helmets = "capacetes-motociclistas"
)

// records are the revisions of the snapshot in the order of the ledger.
func records(today brasil.Date) ([]certificate.Revision, error) {
	companies, err := demo.Companies()
	if err != nil {
		return nil, err
	}
	var all []certificate.Revision
	for i := range companies {
		all = append(all, certificate.Revision{ID: id("c", i), Company: &companies[i]})
	}
	product := func(model string, gtins ...brasil.GTIN) certificate.ID {
		next := id("b", len(all))
		all = append(all, certificate.Revision{ID: next, Product: &certificate.Product{Brand: Brand, Model: model, GTINs: gtins, Description: "Produto inventado"}})
		return next
	}
	toy := product(Model, GTIN)
	helmet := product("Capacete FC-1")
	var many []certificate.ID
	for n := range LargeProducts {
		many = append(many, product(fmt.Sprintf("Modelo %03d", n+1)))
	}
	maker, applicant := id("c", 0), id("c", 1)
	issued := today.AddYears(-1)
	list := []certificate.Certificate{
		certified(Toy, toys, "portaria-302-2021", issued, applicant, maker, toy),
		certified(Suspended, helmets, "portaria-231-2021", issued, applicant, maker, helmet),
		certified(Cancelled, helmets, "portaria-231-2021", issued, applicant, maker, helmet),
		certified(Expired, helmets, "portaria-231-2021", today.AddYears(-5), applicant, maker, helmet),
		certified(Large, toys, "portaria-302-2021", issued, applicant, maker, many...),
		certified(Tricky, toys, "portaria-302-2021", issued, applicant, maker, toy),
	}
	list[2].Situation = certificate.Cancelled
	for i := range list {
		all = append(all, certificate.Revision{ID: id("a", i), Certificate: &list[i]})
	}
	suspended := list[1]
	suspended.Situation = certificate.Suspended
	all = append(all, certificate.Revision{ID: id("a", 1), Certificate: &suspended,
		Justifications: []certificate.Justification{{Fields: []string{"situacao"}, Text: Reason}}})
	return all, nil
}

// certified is a complete certificate of four years.
func certified(number string, class certificate.ClassCode, document certificate.DocumentCode, issued brasil.Date, applicant, maker certificate.ID, products ...certificate.ID) certificate.Certificate {
	active := certificate.Active
	c := certificate.Certificate{
		Number: number, Class: class, Type: certificate.TypeCompulsory, Model: "5", IssuedOn: issued, ValidUntil: issued.AddYears(4), Situation: active,
		Documents: []certificate.DocumentLink{{Document: document, EnteredOn: issued, Situation: active}},
		Companies: []certificate.CompanyLink{
			{Company: applicant, Role: certificate.Applicant, EnteredOn: issued, Situation: active},
			{Company: maker, Role: certificate.Manufacturer, EnteredOn: issued, Situation: active}},
	}
	slices.Sort(products)
	for _, p := range products {
		c.Products = append(c.Products, certificate.ProductLink{Product: p, Company: maker, Modality: certificate.ByType, EnteredOn: issued, Situation: active})
	}
	return c
}

// id is a readable UUID: a letter for the kind, and a number.
func id(kind string, n int) certificate.ID {
	return certificate.ID(fmt.Sprintf("01900000-0000-7000-8000-00000000%s%03x", kind, n))
}
