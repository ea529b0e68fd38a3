package catalog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

// Answers of a verification.
const (
	Covered    = "sim"
	NotCovered = "nao"
	PartCovers = "em_parte" // say, the imported product is covered and the national one is not
)

// Levels at which something keeps a product from being covered.
const (
	LevelCertificate = "certificado"
	LevelCompany     = "empresa"
	LevelProduct     = "produto"
	LevelClass       = "classe"
)

// maxVerified is the most certificates an answer lists, the newest first; of
// more, those that cover come before those that do not.
const maxVerified = 100

// coversFirst puts before all others what would cover: a certificate on the
// Web, active, unexpired and with the company asked for, if any. Its arguments
// are those of [verifier.order].
const coversFirst = `(c.motivo = '' AND c.situacao = 1 AND (c.validade = 0 OR c.validade >= ?) AND (? = '' OR EXISTS
	(SELECT 1 FROM participante q CROSS JOIN empresa x ON x.id = q.empresa WHERE q.certificado = c.id AND q.situacao = 1 AND x.cnpj = ?)) AND `

// Query asks whether something is covered now: a product by Brand and Model
// together or by GTIN, or a certificate by Number; a CNPJ besides asks whether
// that company is in the certificate, and a Body (its sigla) leaves out what
// others issued. Accents, case and punctuation do not count.
type Query struct {
	Brand, Model, GTIN, Number, CNPJ, Body string
}

// Reason says what stands in the way, or, with code verification.not_found, that nothing was found.
type Reason struct {
	Level string     `json:"nivel,omitempty"`
	Code  string     `json:"codigo"` // message key
	Args  fault.Args `json:"argumentos,omitempty"`
}

// Verified is one certificate concerned, with the product that was asked for.
type Verified struct {
	Hit
	Covered bool         `json:"coberto"`
	Reasons []Reason     `json:"motivos"` // none when covered
	Product *ProductView `json:"produto,omitempty"`
}

// Verification is the answer, as of the publication and the day.
type Verification struct {
	Covered      string      `json:"coberto"` // sim, nao, em_parte
	Reasons      []Reason    `json:"motivos"` // those of the certificates, each once; none when all is covered
	Certificates []Verified  `json:"certificados"`
	On           brasil.Date `json:"em"`
	Publication  int64       `json:"publicacao"`
}

// Verify answers whether a product or certificate is covered now: the
// certificate active, unexpired and of an enabled class, the company active in
// it, the product active in it. A product that is covered by one certificate is
// covered, whatever its other certificates say.
//
// Faults (Invalid): verification.incomplete, and those of brasil for CNPJ and GTIN.
func (c *Catalog) Verify(ctx context.Context, q Query) (*Verification, error) {
	v := &verifier{catalog: c, today: c.today(), body: q.Body}
	var err error
	if q.CNPJ != "" {
		if v.cnpj, err = brasil.ParseCNPJ(q.CNPJ); err != nil {
			return nil, err
		}
	}
	brand, model := compactNumber(q.Brand), compactNumber(q.Model)
	switch {
	case q.GTIN != "":
		g, err := brasil.ParseGTIN(q.GTIN)
		if err != nil {
			return nil, err
		}
		err = v.products(ctx, `gtin g CROSS JOIN produto p ON p.id = g.produto`, `g.numero = ?`, gtinNumber(g), brand, model, compactNumber(q.Number))
		if err != nil {
			return nil, err
		}
	case brand != "" && model != "":
		if err := v.products(ctx, `produto p`, `p.chave = ?`, productKey(q.Brand, q.Model), brand, model, compactNumber(q.Number)); err != nil {
			return nil, err
		}
	case brand == "" && model == "" && q.Number != "":
		if err := v.certificates(ctx, q.Number); err != nil {
			return nil, err
		}
	default:
		return nil, fault.New(fault.Invalid, "verification.incomplete")
	}
	if v.cnpj != "" {
		if err := v.checkCompany(ctx); err != nil {
			return nil, err
		}
	}
	return v.answer(), nil
}

// verifier gathers the certificates concerned.
type verifier struct {
	catalog *Catalog
	today   brasil.Date
	cnpj    brasil.CNPJ
	body    string // empty: any
	list    []candidate
}

// isOther tells whether a certificate is of a body that is not asked for.
func (v *verifier) isOther(r *certificateRow) bool {
	return v.body != "" && brasil.Compact(v.body) != brasil.Compact(r.body)
}

// candidate is a certificate with what was asked for; products that share a
// group are one thing, covered when one candidate is.
type candidate struct {
	Verified
	id    int64
	group string
}

// order are the arguments of coversFirst.
func (v *verifier) order() []any {
	return []any{dayNumber(v.today), string(v.cnpj), string(v.cnpj)}
}

// newestFirst ends a reading in the order of coversFirst.
func (v *verifier) newestFirst() {
	slices.SortStableFunc(v.list, func(a, b candidate) int { return cmp.Compare(b.id, a.id) })
}

// products finds links of products, active or not.
func (v *verifier) products(ctx context.Context, from, where string, key any, brand, model, num string) error {
	rows, err := v.catalog.query(ctx, `SELECT `+hitColumns+`, v.situacao, p.marca, p.modelo, p.importado, p.designacao, p.familia, p.descricao,
			p.gtins, v.modalidade, v.lote, v.quantidade, v.serie, v.licenca, v.entrada, e.dados,
			coalesce((SELECT min(a.situacao) FROM participante a WHERE a.certificado = v.certificado AND a.empresa = v.empresa), 0) AS presente
		FROM `+from+` CROSS JOIN vinculo v ON v.produto = p.id CROSS JOIN certificado c ON c.id = v.certificado
		CROSS JOIN empresa e ON e.id = v.empresa WHERE `+where+`
		ORDER BY `+coversFirst+`v.situacao = 1 AND presente = 1) DESC, c.id DESC, v.seq`, append([]any{key}, v.order()...)...)
	if err != nil {
		return fmt.Errorf("verify product: %w", err)
	}
	defer rows.Close()
	for rows.Next() && len(v.list) < maxVerified {
		var r certificateRow
		var p ProductView
		var linkSituation, imported, entered, companySituation int64
		var gtins, company string
		if err := rows.Scan(&r.id, &r.body, &r.number, &r.situation, &r.issued, &r.valid, &r.kind, &r.class, &r.reason, &r.applicant, &r.products,
			&linkSituation, &p.Brand, &p.Model, &imported, &p.CommercialName, &p.Family, &p.Description, &gtins, &p.Modality,
			&p.Lot, &p.Quantity, &p.Serial, &p.ImportLicence, &entered, &company, &companySituation); err != nil {
			return fmt.Errorf("verify product: %w", err)
		}
		// The key is a digest, and the other words of the question narrow it down.
		if v.isOther(&r) || brand != "" && brand != compactNumber(p.Brand) || model != "" && model != compactNumber(p.Model) || num != "" && num != compactNumber(r.number) {
			continue
		}
		p.Imported, p.EnteredOn = imported != 0, dayOf(entered)
		if gtins != "" {
			p.GTINs = strings.Split(gtins, ";")
		}
		var view CompanyView
		if err := json.Unmarshal([]byte(company), &view); err != nil {
			return fmt.Errorf("read company of product: %w", err)
		}
		p.Company = CompanyName{view.ID, view.CNPJ, view.shownName()}
		c := candidate{id: r.id, group: fmt.Sprintf("%s\x00%s\x00%t", compactNumber(p.Brand), compactNumber(p.Model), p.Imported)}
		c.Hit, c.Product, c.Reasons = v.catalog.hit(&r, v.today), &p, v.certificateReasons(&r)
		c.because(companySituation, LevelCompany)
		c.because(linkSituation, LevelProduct)
		v.list = append(v.list, c)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("verify product: %w", err)
	}
	v.newestFirst()
	return nil
}

// certificates finds certificates by number. One without any active product or
// service covers nothing; one with some inactive products covers in part.
func (v *verifier) certificates(ctx context.Context, num string) error {
	rows, err := v.catalog.query(ctx, `SELECT `+hitColumns+`, (SELECT count(*) FROM vinculo v WHERE v.certificado = c.id),
		json_array_length(f.dados, '$.servicos') FROM certificado c CROSS JOIN ficha f ON f.id = c.id WHERE c.compacto = ?
		ORDER BY `+coversFirst+`(c.produtos > 0 OR json_array_length(f.dados, '$.servicos') > 0)) DESC, c.id DESC`, append([]any{compactNumber(num)}, v.order()...)...)
	if err != nil {
		return fmt.Errorf("verify certificate: %w", err)
	}
	defer rows.Close()
	for rows.Next() && len(v.list) < maxVerified {
		var r certificateRow
		var links, services int64
		if err := rows.Scan(&r.id, &r.body, &r.number, &r.situation, &r.issued, &r.valid, &r.kind, &r.class, &r.reason, &r.applicant, &r.products,
			&links, &services); err != nil {
			return fmt.Errorf("verify certificate: %w", err)
		}
		if v.isOther(&r) {
			continue
		}
		c := candidate{id: r.id, group: fmt.Sprint(r.id)}
		c.Hit, c.Reasons = v.catalog.hit(&r, v.today), v.certificateReasons(&r)
		switch {
		case r.products == 0 && services == 0:
			c.Reasons = append(c.Reasons, Reason{Level: LevelProduct, Code: "verification.product.none"})
		case len(c.Reasons) == 0 && r.products < links:
			v.list = append(v.list, candidate{id: r.id, group: fmt.Sprint(r.id, " rest"), Verified: Verified{Hit: c.Hit,
				Reasons: []Reason{{Level: LevelProduct, Code: "verification.product.some", Args: fault.Pairs("inativos", fmt.Sprint(links-r.products))}}}})
		}
		v.list = append(v.list, c)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("verify certificate: %w", err)
	}
	v.newestFirst()
	return nil
}

// certificateReasons says why a certificate covers nothing today.
func (v *verifier) certificateReasons(r *certificateRow) []Reason {
	reasons := []Reason{}
	if r.reason != "" {
		reasons = append(reasons, Reason{Level: LevelClass, Code: "verification.class.disabled", Args: fault.Pairs("motivo", r.reason)})
	}
	switch shownSituation(r.situation, r.valid, v.today) {
	case string(certificate.Active):
	case expired:
		reasons = append(reasons, Reason{Level: LevelCertificate, Code: "verification.certificate.expired", Args: fault.Pairs("validade", dayOf(r.valid).Brazilian())})
	case string(certificate.Suspended):
		reasons = append(reasons, Reason{Level: LevelCertificate, Code: "verification.certificate.suspended"})
	default:
		reasons = append(reasons, Reason{Level: LevelCertificate, Code: "verification.certificate.cancelled"})
	}
	return reasons
}

// because adds the reason of an inactive link.
func (c *candidate) because(situation int64, level string) {
	code := map[string][4]string{
		LevelCompany: {"verification.company.absent", "", "verification.company.suspended", "verification.company.cancelled"},
		LevelProduct: {"verification.product.cancelled", "", "verification.product.suspended", "verification.product.cancelled"},
	}[level][situation&3]
	if code != "" {
		c.Reasons = append(c.Reasons, Reason{Level: level, Code: code})
	}
}

// checkCompany adds why the company asked for is not in each certificate.
func (v *verifier) checkCompany(ctx context.Context) error {
	for i := range v.list {
		situation, err := v.companySituation(ctx, v.list[i].id)
		if err != nil {
			return fmt.Errorf("verify company: %w", err)
		}
		v.list[i].because(situation, LevelCompany)
	}
	return nil
}

// companySituation is the best situation of the company asked for in a certificate, 0 when it is not there.
func (v *verifier) companySituation(ctx context.Context, id int64) (situation int64, err error) {
	rows, err := v.catalog.query(ctx, `SELECT p.situacao FROM participante p CROSS JOIN empresa e ON e.id = p.empresa
		WHERE p.certificado = ? AND e.cnpj = ? ORDER BY p.situacao LIMIT 1`, id, string(v.cnpj))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&situation); err != nil {
			return 0, err
		}
	}
	return situation, rows.Err()
}

// answer sums up: all groups covered, some, or none.
func (v *verifier) answer() *Verification {
	a := &Verification{Covered: NotCovered, Reasons: []Reason{}, Certificates: []Verified{}, On: v.today, Publication: v.catalog.seal.Publication.Number}
	if len(v.list) == 0 {
		a.Reasons = append(a.Reasons, Reason{Code: "verification.not_found"})
		return a
	}
	covered := map[string]bool{}
	for i := range v.list {
		c := &v.list[i]
		c.Covered = len(c.Reasons) == 0
		covered[c.group] = covered[c.group] || c.Covered
	}
	yes := 0
	for _, ok := range covered {
		if ok {
			yes++
		}
	}
	switch {
	case yes == len(covered):
		a.Covered = Covered
	case yes > 0:
		a.Covered = PartCovers
	}
	for i := range v.list {
		c := &v.list[i]
		slices.SortFunc(c.Reasons, func(x, y Reason) int { return strings.Compare(x.Code, y.Code) })
		c.Reasons = slices.CompactFunc(c.Reasons, func(x, y Reason) bool { return x.Code == y.Code })
		for _, r := range c.Reasons {
			if !covered[c.group] && !slices.ContainsFunc(a.Reasons, func(x Reason) bool { return x.Code == r.Code }) {
				a.Reasons = append(a.Reasons, r)
			}
		}
		if strings.HasSuffix(c.group, " rest") {
			continue // told by the reasons; the certificate itself follows
		}
		a.Certificates = append(a.Certificates, c.Verified)
	}
	return a
}
