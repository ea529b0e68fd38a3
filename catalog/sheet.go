package catalog

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

// lookupSQL reads a certificate by number: its row, its ready-made part and its active companies.
const lookupSQL = `SELECT c.id, c.numero, c.situacao, c.validade, c.motivo, f.dados, p.papel, p.entrada, e.dados
	FROM certificado c CROSS JOIN ficha f ON f.id = c.id
	LEFT JOIN participante p ON p.certificado = c.id AND p.situacao = 1
	LEFT JOIN empresa e ON e.id = p.empresa
	WHERE c.compacto = ? AND c.organismo = ? ORDER BY c.id, p.seq`

// Certificate finds one certificate by its exact address, whatever its
// situation and class. Fault: certificate.not_found.
func (c *Catalog) Certificate(ctx context.Context, body certificate.Sigla, num string) (*Certificate, error) {
	data, err := c.CertificateJSON(ctx, body, num)
	if err != nil {
		return nil, err
	}
	var view Certificate
	if err := json.Unmarshal(data, &view); err != nil {
		return nil, fmt.Errorf("read certificate %s %s: %w", body, num, err)
	}
	return &view, nil
}

// CertificateJSON is the JSON of [Catalog.Certificate], put together out of
// ready-made pieces: the way for those who only pass it on. Letter case,
// spaces and punctuation of the number do not count unless two certificates
// of the body differ in them only. Fault: certificate.not_found.
func (c *Catalog) CertificateJSON(ctx context.Context, body certificate.Sigla, num string) ([]byte, error) {
	rows, err := c.query(ctx, lookupSQL, compactNumber(num), strings.ToUpper(string(body)))
	if err != nil {
		return nil, fmt.Errorf("look up certificate: %w", err)
	}
	defer rows.Close()
	var best *found
	several := false
	for rows.Next() {
		f, err := c.readFound(rows, best)
		if err != nil {
			return nil, fmt.Errorf("look up certificate: %w", err)
		}
		switch {
		case f == best:
		case best == nil || sameNumber(f.number, num):
			several = several || best != nil
			best = f
		default:
			several = true
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("look up certificate: %w", err)
	}
	if best == nil || several && !sameNumber(best.number, num) {
		return nil, fault.New(fault.NotFound, "certificate.not_found", "organismo", string(body), "numero", num)
	}
	return c.assemble(best, c.today()), nil
}

// found is one certificate being read.
type found struct {
	id, situation, valid int64
	number, reason       string
	sheet                []byte
	parties              []byte // JSON elements
}

func sameNumber(a, b string) bool {
	return strings.EqualFold(brasil.Squeeze(a), brasil.Squeeze(b))
}

// readFound reads a row: a further company of the certificate in hand, or another certificate.
func (c *Catalog) readFound(rows *sql.Rows, in *found) (*found, error) {
	var f found
	var number, reason, sheet, role, company sql.RawBytes
	var entered sql.NullInt64
	if err := rows.Scan(&f.id, &number, &f.situation, &f.valid, &reason, &sheet, &role, &entered, &company); err != nil {
		return nil, err
	}
	to := in
	if in == nil || in.id != f.id {
		f.number, f.reason, f.sheet = string(number), string(reason), bytes.Clone(sheet)
		to = &f
	}
	if len(company) < 2 {
		return to, nil
	}
	if len(to.parties) > 0 {
		to.parties = append(to.parties, ',')
	}
	code := certificate.RoleCode(role)
	to.parties = append(to.parties, `{"papel":{"codigo":`...)
	to.parties = appendJSON(to.parties, string(code))
	to.parties = append(to.parties, `,"nome":`...)
	to.parties = appendJSON(to.parties, c.names.role(code))
	to.parties = append(to.parties, `},`...)
	if day := dayOf(entered.Int64); !day.IsZero() {
		to.parties = append(to.parties, `"data_entrada":"`+day.String()+`",`...)
	}
	to.parties = append(to.parties, company[1:]...)
	return to, nil
}

// assemble puts the pieces that depend on the day before the ready-made part.
func (c *Catalog) assemble(f *found, day brasil.Date) []byte {
	b := make([]byte, 0, len(f.sheet)+len(f.parties)+256)
	b = append(b, `{"situacao":"`+shownSituation(f.situation, f.valid, day)+`",`...)
	if f.reason != "" {
		b = append(b, `"motivo":`...)
		b = append(appendJSON(b, f.reason), ',')
	}
	b = append(b, `"publicacao":`...)
	b = strconv.AppendInt(b, c.seal.Publication.Number, 10)
	b = append(b, `,"empresas":[`...)
	b = append(b, f.parties...)
	b = append(b, `],`...)
	return append(b, f.sheet[1:]...)
}

// appendJSON appends a JSON string.
func appendJSON(b []byte, s string) []byte {
	quoted, err := encode(s)
	if err != nil { // strings always encode
		panic(err)
	}
	return append(b, quoted...)
}

// Limits of a page of products.
const (
	DefaultProducts = 100
	MaxProducts     = 1000
)

// ProductView is an active product of a certificate.
type ProductView struct {
	Brand          string               `json:"marca"`
	Model          string               `json:"modelo"`
	Imported       bool                 `json:"importado"`
	CommercialName string               `json:"designacao_comercial,omitempty"`
	Family         string               `json:"familia,omitempty"`
	Description    string               `json:"descricao,omitempty"`
	GTINs          []string             `json:"codigos_gtin,omitempty"`
	Modality       certificate.Modality `json:"modalidade"`
	Lot            string               `json:"lote,omitempty"`
	Quantity       int64                `json:"quantidade,omitempty"` // pieces
	Serial         string               `json:"numero_serie,omitempty"`
	ImportLicence  string               `json:"licenca_importacao,omitempty"`
	EnteredOn      brasil.Date          `json:"data_entrada,omitzero"`
	Company        CompanyName          `json:"empresa"`
}

// CompanyName names the company of a product.
type CompanyName struct {
	ID   certificate.ID `json:"id"`
	CNPJ brasil.CNPJ    `json:"cnpj,omitempty"`
	Name string         `json:"razao_social"`
}

// ProductsPage is a part of a certificate's products, in the certificate's order.
type ProductsPage struct {
	Products []ProductView `json:"produtos"`
	Next     string        `json:"proximo,omitempty"`
	Examined int           `json:"-"` // rows that were read for it
}

// ProductQuery chooses a page of products; the zero value is the first page of all.
type ProductQuery struct {
	Text    string // all words, anywhere inside brand, model, names, description or GTIN
	Limit   int    // 0 is DefaultProducts, at most MaxProducts
	Examine int    // rows to read at most; 0, or more than 20,000: 20,000
	Cursor  string
}

// pageSQL reads the active products of a certificate after a place.
const pageSQL = `SELECT v.seq, p.marca, p.modelo, p.importado, p.designacao, p.familia, p.descricao, p.gtins, v.modalidade, v.lote,
	v.quantidade, v.serie, v.licenca, v.entrada, e.dados
	FROM vinculo v CROSS JOIN produto p ON p.id = v.produto CROSS JOIN empresa e ON e.id = v.empresa
	WHERE v.certificado = ? AND v.seq > ? AND v.situacao = 1 ORDER BY v.seq`

// Products lists the active products of a certificate. A page may be short and
// still have a Next, when few of many match.
//
// Faults: certificate.not_found, search.limit, search.cursor.
func (c *Catalog) Products(ctx context.Context, body certificate.Sigla, num string, q ProductQuery) (*ProductsPage, error) {
	if q.Limit == 0 {
		q.Limit = DefaultProducts
	}
	if q.Limit < 1 || q.Limit > MaxProducts {
		return nil, fault.New(fault.Invalid, "search.limit", "maximo", strconv.Itoa(MaxProducts))
	}
	view, err := c.Certificate(ctx, body, num)
	if err != nil {
		return nil, err
	}
	identity := pageQuestion(view.ID, q.Text)
	place, err := readCursor(identity, q.Cursor, -1)
	if err != nil {
		return nil, err
	}
	page := &ProductsPage{Products: []ProductView{}}
	asked, most := queryWords(q.Text), maxExamined
	if q.Examine > 0 {
		most = min(q.Examine, maxExamined)
	}
	err = c.eachProduct(ctx, view.Revision.Index, place, func(seq int64, p *ProductView) (bool, error) {
		if len(page.Products) == q.Limit || page.Examined == most {
			page.Next = makeCursor(identity, place)
			return false, nil
		}
		page.Examined++
		place = seq
		if p.matches(asked) {
			page.Products = append(page.Products, *p)
		}
		return true, nil
	})
	return page, err
}

// pageQuestion describes a list of products for its cursors.
func pageQuestion(id certificate.ID, text string) string {
	return "produtos\x00" + string(id) + "\x00" + text
}

func (p *ProductView) matches(asked []string) bool {
	if len(asked) == 0 {
		return true
	}
	text := brasil.Fold(strings.Join(append([]string{p.Brand, p.Model, p.CommercialName, p.Family, p.Description}, p.GTINs...), " "))
	whole := strings.ReplaceAll(text, " ", "")
	for _, word := range asked {
		if !strings.Contains(text, word) && !strings.Contains(whole, word) {
			return false
		}
	}
	return true
}

// eachProduct calls fn with the active products of a certificate after a place until it says false.
func (c *Catalog) eachProduct(ctx context.Context, id, after int64, fn func(seq int64, p *ProductView) (bool, error)) error {
	rows, err := c.query(ctx, pageSQL, id, after)
	if err != nil {
		return fmt.Errorf("read products: %w", err)
	}
	defer rows.Close()
	companies := map[string]CompanyName{}
	for rows.Next() {
		var p ProductView
		var seq, imported, entered int64
		var gtins, company string
		if err := rows.Scan(&seq, &p.Brand, &p.Model, &imported, &p.CommercialName, &p.Family, &p.Description, &gtins, &p.Modality,
			&p.Lot, &p.Quantity, &p.Serial, &p.ImportLicence, &entered, &company); err != nil {
			return fmt.Errorf("read products: %w", err)
		}
		p.Imported, p.EnteredOn = imported != 0, dayOf(entered)
		if gtins != "" {
			p.GTINs = strings.Split(gtins, ";")
		}
		name, ok := companies[company]
		if !ok {
			var view CompanyView
			if err := json.Unmarshal([]byte(company), &view); err != nil {
				return fmt.Errorf("read company of product: %w", err)
			}
			name = view.companyName()
			companies[company] = name
		}
		p.Company = name
		more, err := fn(seq, &p)
		if err != nil || !more {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read products: %w", err)
	}
	return nil
}
