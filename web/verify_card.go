package web

import (
	"slices"
	"strings"

	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/fault"
	"selo/locale"
)

// verdict is the answer in one line: a mark, a colour and a sentence.
type verdict struct {
	kind, icon string
	title      string
}

// Marks of a verdict and of a level; each has its own shape.
const (
	markYes     = "check-circle"
	markNo      = "times-circle"
	markPart    = "exclamation-triangle"
	markUnknown = "question-circle"
	markUnasked = "minus-circle"
)

// verdict says whether what was asked for is covered.
func (v *verifyView) verdict(r *Request) verdict {
	switch {
	case v.result == nil && v.scan.kind == scannedPage:
		return verdict{messageInfo, markUnknown, r.Text("web.verify.qr.page")}
	case v.result == nil:
		return verdict{messageWarning, markPart, r.Text("web.verify.qr.nothing")}
	case !v.isFound():
		return verdict{messageInfo, markUnknown, v.nothing(r)}
	case v.result.Covered == catalog.Covered && v.isDoubtful():
		return verdict{messageWarning, markPart, r.Text("web.verify.doubtful")}
	case v.result.Covered == catalog.Covered && v.isOfSome():
		return verdict{messageWarning, markPart, r.Text("web.verify.some")}
	}
	kind, icon := messageDanger, markNo
	keys := [3]string{"web.verify.no.product", "web.verify.no.company", "web.verify.no.certificate"}
	switch v.result.Covered {
	case catalog.Covered:
		kind, icon = messageSuccess, markYes
		keys = [3]string{"web.verify.yes.product", "web.verify.yes.company", "web.verify.yes.certificate"}
	case catalog.PartCovers:
		kind, icon = messageWarning, markPart
		keys = [3]string{"web.verify.part.product", "web.verify.part.company", "web.verify.part.certificate"}
	}
	key := keys[2]
	switch {
	case v.aboutCompany():
		key = keys[1]
	case v.query.ofProduct():
		key = keys[0]
	}
	return verdict{kind, icon, r.Text(key)}
}

// isDoubtful tells whether a QR code that leads elsewhere was scanned.
func (v *verifyView) isDoubtful() bool { return v.scan != nil && v.scan.kind != scannedOurs }

// nothing says what no published certificate has: what was asked for, or, of
// several things, all at once.
func (v *verifyView) nothing(r *Request) string {
	switch q := v.query; {
	case v.scan != nil && v.scan.body != "":
		return r.Text("web.verify.none.body")
	case q.ofProduct() && (q[verifyNumber] != "" || q[verifyGTIN] != "" && (q[verifyBrand] != "" || q[verifyModel] != "")):
		return r.Text("web.verify.none.together")
	case q.ofProduct() && q[verifyGTIN] != "":
		return r.Text("web.verify.none.gtin")
	case q.ofProduct():
		return r.Text("web.verify.none.product")
	}
	return r.Text("web.verify.none.certificate")
}

// isOfSome tells whether all that covers a product covers but a lot or a unit of
// it: which one the visitor holds was not asked.
func (v *verifyView) isOfSome() bool {
	whole := slices.ContainsFunc(v.result.Certificates, func(c catalog.Verified) bool {
		return c.Covered && (c.Product == nil || c.Product.Modality != certificate.ByLot && c.Product.Modality != certificate.ByUnit)
	})
	return v.query.ofProduct() && !whole
}

// aboutCompany tells whether a company was asked for and makes the answer what it is.
func (v *verifyView) aboutCompany() bool {
	return v.query[verifyCNPJ] != "" && !slices.ContainsFunc(v.result.Reasons, func(x catalog.Reason) bool { return x.Level != catalog.LevelCompany })
}

// reasons are why not all is covered, each once, in words. That nothing was
// found is the answer itself.
func (v *verifyView) reasons(r *Request) []string {
	var list []string
	if !v.isFound() {
		return nil
	}
	for _, reason := range v.result.Reasons {
		list = append(list, because(r, reason))
	}
	return list
}

func because(r *Request, reason catalog.Reason) string {
	return locale.Problem(r.Lang, fault.Problem{Code: reason.Code, Args: reason.Args}).Message
}

// verifyCard is one certificate with what holds in it.
type verifyCard struct {
	catalog.Verified
	levels []verifyLevel
}

// verifyLevel is certificate, company or product, and whether it holds.
type verifyLevel struct {
	name  string
	mark  string // icon
	said  string // what the mark means
	lines []string
}

// holds marks a level: it holds, or the reasons say why not.
func (l *verifyLevel) holds(r *Request, card *catalog.Verified, levels ...string) bool {
	l.mark, l.said = markYes, r.Text("web.verify.mark.yes")
	for _, reason := range card.Reasons {
		if slices.Contains(levels, reason.Level) {
			l.mark, l.said = markNo, r.Text("web.verify.mark.no")
			l.lines = append(l.lines, because(r, reason))
		}
	}
	return l.mark == markYes
}

// card puts one certificate of the answer into words.
func (v *verifyView) card(r *Request, c *catalog.Verified) verifyCard {
	return verifyCard{*c, []verifyLevel{v.certificateLevel(r, c), v.companyLevel(r, c), v.productLevel(r, c)}}
}

func (v *verifyView) certificateLevel(r *Request, c *catalog.Verified) verifyLevel {
	l := verifyLevel{name: r.Text("web.verify.level.certificate")}
	if l.holds(r, c, catalog.LevelCertificate, catalog.LevelClass) {
		if c.ValidUntil.IsZero() {
			l.lines = append(l.lines, r.Text("web.verify.certificate.open"))
		} else {
			l.lines = append(l.lines, r.Text("web.verify.certificate.until", "data", r.Date(c.ValidUntil)))
		}
	}
	return l
}

// companyLevel is about the product's company and the one asked for.
func (v *verifyView) companyLevel(r *Request, c *catalog.Verified) verifyLevel {
	l := verifyLevel{name: r.Text("web.verify.level.company")}
	asked := ""
	if cnpj, err := brasil.ParseCNPJ(v.query[verifyCNPJ]); err == nil {
		asked = cnpj.Masked()
	}
	if c.Product != nil {
		name := c.Product.Company.Name
		if cnpj := c.Product.Company.CNPJ; cnpj != "" {
			name += " (CNPJ " + cnpj.Masked() + ")"
		}
		l.lines = append(l.lines, name)
	} else if c.Applicant != "" {
		l.lines = append(l.lines, r.Text("web.verify.company.applicant", "nome", c.Applicant))
	}
	if c.Product == nil && asked == "" {
		l.mark, l.said = markUnasked, r.Text("web.verify.mark.unasked")
		l.lines = append(l.lines, r.Text("web.verify.company.unasked"))
		return l
	}
	if asked != "" {
		l.lines = append(l.lines, r.Text("web.verify.company.asked", "cnpj", asked))
	}
	if l.holds(r, c, catalog.LevelCompany) {
		l.lines = append(l.lines, r.Text("web.verify.company.active"))
	}
	return l
}

// productLevel is about the product found. Of a certificate it tells how many
// products it has: whether the visitor's is among them was not asked.
func (v *verifyView) productLevel(r *Request, c *catalog.Verified) verifyLevel {
	l := verifyLevel{name: r.Text("web.verify.level.product")}
	if p := c.Product; p != nil {
		l.lines = append(l.lines, joined(" · ", p.Brand+" "+p.Model, origin(r, p)))
		if l.holds(r, c, catalog.LevelProduct) {
			l.lines = append(l.lines, r.Text("web.verify.product.active"))
		}
		switch p.Modality {
		case certificate.ByLot:
			l.lines = append(l.lines, r.Text("web.verify.product.lot", "lote", p.Lot))
		case certificate.ByUnit:
			l.lines = append(l.lines, r.Text("web.verify.product.unit", "serie", p.Serial))
		}
		return l
	}
	if l.holds(r, c, catalog.LevelProduct) {
		l.mark, l.said = markUnasked, r.Text("web.verify.mark.unasked")
		if c.Products == 0 {
			l.lines = append(l.lines, r.Text("web.verify.product.services"))
		} else {
			l.lines = append(l.lines, r.Text("web.verify.product.count", "numero", r.Number(int64(c.Products))))
		}
	}
	for _, reason := range v.result.Reasons {
		if len(v.result.Certificates) == 1 && reason.Code == "verification.product.some" {
			l.mark, l.said = markPart, r.Text("web.verify.mark.part")
			l.lines = append(l.lines, because(r, reason))
		}
	}
	return l
}

// shownCards is how many certificates are open to the eye.
const shownCards = 5

// cardsShown are the certificates that make the answer: those that cover where
// it is yes, else all, the newest first.
func (v *verifyView) cardsShown() []verifyCard { shown, _ := v.parted(); return shown }

// cardsFolded are the others.
func (v *verifyView) cardsFolded() []verifyCard { _, folded := v.parted(); return folded }

func (v *verifyView) parted() (shown, folded []verifyCard) {
	for _, c := range v.cards {
		if (c.Covered || v.result.Covered != catalog.Covered) && len(shown) < shownCards {
			shown = append(shown, c)
		} else {
			folded = append(folded, c)
		}
	}
	return shown, folded
}

// heading stands above the certificates of the answer.
func (v *verifyView) heading(r *Request) string {
	if len(v.cards) == 1 {
		return r.Text("web.verify.found.one")
	}
	return r.Text("web.verify.found")
}

// isCovered tells whether the answer is yes.
func (v *verifyView) isCovered() bool { return v.result != nil && v.result.Covered == catalog.Covered }

// asked lists what was asked for.
func (v *verifyView) asked(r *Request) []fact {
	var list []fact
	for _, name := range []string{verifyGTIN, verifyBrand, verifyModel, verifyNumber, verifyCNPJ} {
		if text := v.value(name); text != "" {
			list = append(list, fact{r.Text(verifyShort[name]), text})
		}
	}
	if v.query[verifyGTIN] != "" && v.isFound() {
		list = append(list, fact{r.Text("web.verify.level.product"), v.foundProducts()})
	}
	return list
}

// foundProducts names the products of a bar code.
func (v *verifyView) foundProducts() string {
	var names []string
	for _, c := range v.cards {
		if c.Product == nil {
			continue
		}
		if name := joined(" ", c.Product.Brand, c.Product.Model); !slices.Contains(names, name) && len(names) < shownCards {
			names = append(names, name)
		}
	}
	return strings.Join(names, "; ")
}

// verifyShort are the names of what was asked for.
var verifyShort = map[string]string{
	verifyGTIN: "web.verify.way.gtin", verifyBrand: "web.verify.brand", verifyModel: "web.verify.model",
	verifyNumber: "web.verify.number", verifyCNPJ: "field.cnpj",
}

// productDetails is what else the certificate says of a product.
func productDetails(r *Request, p *catalog.ProductView) []string {
	list := extra(r, p)
	if len(p.GTINs) > 0 {
		list = append(list, "EAN/UPC: "+joined(", ", p.GTINs...))
	}
	return list
}

// value is what a field of the form holds: what was typed, or read from a QR code.
func (v *verifyView) value(name string) string {
	if name == verifyNumber && v.scan != nil {
		return v.scan.number
	}
	return v.query[name]
}

// describedBy are the ids of a field's help and of what is wrong with it.
func (v *verifyView) describedBy(name, help string) string {
	text := ""
	if help != "" {
		text = name + "-ajuda"
	}
	if v.problemOf(name) != nil {
		text = joined(" ", text, name+"-erro")
	}
	return text
}
