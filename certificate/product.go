package certificate

import (
	"strings"

	"selo/brasil"
	"selo/fault"
)

// CheckProduct names everything that keeps a product out of a certificate.
// Brand and model are required, and "não aplicável" is a legal model (FAQ
// 3.8); both are unlimited in practice (FAQ 3.12).
func CheckProduct(product *Product) []fault.Problem {
	var p problems
	p.productMissing(product)
	p.product(product)
	return p.named(product.label)
}

func (p *problems) productMissing(product *Product) {
	if blank(product.Brand) {
		p.add("marca", "product.brand.required")
	}
	if blank(product.Model) {
		p.add("modelo", "product.model.required")
	}
}

// product names what even a draft may not hold.
func (p *problems) product(product *Product) {
	p.text("marca", product.Brand, maxText)
	p.text("modelo", product.Model, maxText)
	p.text("descricao", product.Description, maxText)
	p.text("designacao_comercial", product.CommercialName, maxText)
	p.text("familia", product.Family, maxText)
	const list = "codigos_gtin"
	if p.most(list, len(product.GTINs), maxGTINs); len(product.GTINs) > maxGTINs {
		return
	}
	for i, g := range product.GTINs {
		n, err := brasil.ParseGTIN(string(g))
		if err != nil || n != g {
			field := element(list, i)
			p.parsed(field, err)
			p.unmasked(field, string(g), string(n), err)
		} else if repeatsGTIN(product.GTINs[:i], g) {
			p.add(element(list, i), "product.gtin.repeated", "valor", string(g))
		}
	}
}

// repeatsGTIN tells whether g is among earlier, in whatever length it is
// written. The list is short, and looking through it allocates nothing.
func repeatsGTIN(earlier []brasil.GTIN, g brasil.GTIN) bool {
	bare := strings.TrimLeft(string(g), "0")
	for _, e := range earlier {
		if strings.TrimLeft(string(e), "0") == bare {
			return true
		}
	}
	return false
}
