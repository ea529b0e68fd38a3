// Package load makes a realistic base of any size, for measuring: invented
// bodies whose remessas are made by the real bundle writer and processed by the
// real registry. The same seed gives the same certificates and products.
package load

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/remessa"
)

// Size is how much to make.
type Size struct {
	Products       int
	PerCertificate int // products of one certificate; 0 is 5, as in a base of 1 M on 200 k
}

// Body is an invented certification body that makes bundles.
type Body struct {
	Sigla  certificate.Sigla
	Keys   remessa.Keys
	Tables *certificate.Tables
	Today  brasil.Date

	sequence int64
	digest   remessa.Digest
	products []made // what was sent, to be changed later
	random   *rand.Rand
	serial   int
}

type made struct {
	id      certificate.ID
	hash    certificate.Hash
	number  int
	product certificate.Product
}

// NewBody makes a body; seed makes its content.
func NewBody(sigla certificate.Sigla, keys remessa.Keys, tables *certificate.Tables, today brasil.Date, seed uint64) *Body {
	return &Body{Sigla: sigla, Keys: keys, Tables: tables, Today: today, random: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // repeatable content, no secret
}

// Write writes the body's next remessa with fresh certificates and their products.
func (b *Body) Write(w io.Writer, size Size) (remessa.Manifest, error) {
	per := size.PerCertificate
	if per <= 0 {
		per = 5
	}
	certificates := max((size.Products+per-1)/per, 1)
	out := b.begin(w)
	companies, err := b.writeCompanies(out, max(certificates/50, 2))
	if err != nil {
		return remessa.Manifest{}, err
	}
	links := make([][]certificate.ProductLink, certificates)
	for i := range size.Products {
		link, err := b.writeProduct(out, companies[i/per%len(companies)])
		if err != nil {
			return remessa.Manifest{}, err
		}
		links[i/per] = append(links[i/per], link)
	}
	for i := range certificates {
		if err := b.writeCertificate(out, companies[i%len(companies)], companies[(i+1)%len(companies)], links[i]); err != nil {
			return remessa.Manifest{}, err
		}
	}
	return b.end(out)
}

// WriteChanges writes a remessa that changes the description of n products sent
// before (FAQ 3.17: product-only changes travel by themselves).
func (b *Body) WriteChanges(w io.Writer, n int) (remessa.Manifest, error) {
	out := b.begin(w)
	for i := range min(n, len(b.products)) {
		m := &b.products[i]
		m.number++
		m.product.Description = fmt.Sprintf("Descrição corrigida na revisão %d", m.number)
		hash, err := b.add(out, &certificate.Revision{ID: m.id, Number: m.number, Previous: m.hash, Product: &m.product})
		if err != nil {
			return remessa.Manifest{}, err
		}
		m.hash = hash
	}
	return b.end(out)
}

func (b *Body) begin(w io.Writer) *remessa.Writer {
	return remessa.NewWriter(w, remessa.Head{Body: b.Sigla, Sequence: b.sequence + 1, Scope: remessa.Partial,
		Previous: b.digest, PreparedAt: b.noon()}, b.Keys.Sign)
}

func (b *Body) end(out *remessa.Writer) (remessa.Manifest, error) {
	m, digest, err := out.Close()
	if err == nil {
		b.sequence, b.digest = m.Sequence, digest
	}
	return m, err
}

func (b *Body) noon() time.Time { return b.Today.Time(time.UTC).Add(12 * time.Hour) }

func (b *Body) add(out *remessa.Writer, r *certificate.Revision) (certificate.Hash, error) {
	r.Body, r.ApprovedAt = b.Sigla, b.noon()
	canonical, err := r.Encode()
	if err != nil {
		return certificate.Hash{}, err
	}
	return certificate.HashOf(canonical), out.Add(r.Kind(), canonical)
}

var (
	brands  = []string{"Fictoy", "Exemplar", "Imaginária", "Modelar", "Invenção", "Quimera", "Utopia", "Faz-de-Conta", "Simulacro", "Hipótese"}
	things  = []string{"Linha Básica", "Série Ouro", "Compacto", "Industrial", "Portátil", "Reforçado", "Ecológico", "Digital"}
	cities  = []string{"Campinas", "Joinville", "Caxias do Sul", "Manaus", "Recife", "Goiânia"}
	regions = []brasil.UF{"SP", "SC", "RS", "AM", "PE", "GO"}
	sounds  = []string{"ba", "ce", "di", "fo", "gu", "ja", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "xa", "ze", "bri", "cla", "dre", "plu"}
)

// name makes a trade name: some are on everybody's lips, most are rare.
func (b *Body) name() string {
	known := brands[b.random.IntN(len(brands))]
	if b.random.IntN(4) == 0 {
		return known
	}
	rare := ""
	for range 2 + b.random.IntN(2) {
		rare += sounds[b.random.IntN(len(sounds))]
	}
	return known + " " + strings.ToUpper(rare[:1]) + rare[1:]
}

func (b *Body) writeCompanies(out *remessa.Writer, n int) ([]certificate.ID, error) {
	ids := make([]certificate.ID, n)
	for i := range ids {
		b.serial++
		cnpj, err := brasil.MakeCNPJ(fmt.Sprintf("%s%06d%s", "FC", b.serial%1_000_000, fmt.Sprintf("%04d", 1+b.serial/1_000_000)))
		if err != nil {
			return nil, err
		}
		place := i % len(cities)
		c := certificate.Company{City: cities[place], CNPJ: cnpj, Country: certificate.Brazil, UF: regions[place],
			Name:   fmt.Sprintf("Companhia Fictícia %s %d Ltda", b.name(), b.serial),
			Street: "Rua dos Exemplos", Number: fmt.Sprint(b.serial), Person: certificate.Legal}
		ids[i] = certificate.NewID()
		if _, err := b.add(out, &certificate.Revision{ID: ids[i], Number: 1, Company: &c}); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func (b *Body) writeProduct(out *remessa.Writer, company certificate.ID) (certificate.ProductLink, error) {
	b.serial++
	p := certificate.Product{
		Brand:       b.name(),
		Model:       fmt.Sprintf("%s-%d/%c%d", string(b.Sigla)[:2], b.serial, 'A'+rune(b.random.IntN(26)), b.random.IntN(100)),
		Description: fmt.Sprintf("%s, %d W", things[b.random.IntN(len(things))], 10*b.random.IntN(500)),
		Imported:    b.random.IntN(3) == 0,
	}
	if b.random.IntN(2) == 0 {
		p.GTINs = []brasil.GTIN{gtin(b.serial)}
	}
	id := certificate.NewID()
	hash, err := b.add(out, &certificate.Revision{ID: id, Number: 1, Product: &p})
	if err != nil {
		return certificate.ProductLink{}, err
	}
	if len(b.products) < 100_000 { // enough to change later; the rest is forgotten
		b.products = append(b.products, made{id: id, hash: hash, number: 1, product: p})
	}
	return certificate.ProductLink{EnteredOn: b.Today.AddDays(-30), Company: company, Modality: certificate.ByType,
		Product: id, Situation: certificate.Active}, nil
}

// gtin makes a number of the prefix 299, kept by GS1 for use inside a company.
func gtin(serial int) brasil.GTIN {
	base := fmt.Sprintf("299%09d", serial%1_000_000_000)
	sum := 0
	for i, d := range base {
		sum += int(d-'0') * (1 + 2*(i%2))
	}
	return brasil.GTIN(fmt.Sprintf("%s%d", base, (10-sum%10)%10))
}

func (b *Body) writeCertificate(out *remessa.Writer, applicant, maker certificate.ID, products []certificate.ProductLink) error {
	b.serial++
	issued := b.Today.AddDays(-30 - b.random.IntN(700))
	class, document, kind := b.pick(b.serial)
	entered := b.Today.AddDays(-30)
	c := certificate.Certificate{Class: class, IssuedOn: issued, ValidUntil: issued.AddYears(4), Model: "5",
		Number:    fmt.Sprintf("%s-%03d/%02d.%06d", b.Sigla, b.serial%1000, issued.Year()%100, b.serial),
		Situation: certificate.Active, Type: kind, Products: products,
		Documents: []certificate.DocumentLink{{Document: document, EnteredOn: entered, Situation: certificate.Active}}}
	for i := range c.Products {
		c.Products[i].Company = applicant
	}
	for _, l := range []struct {
		company certificate.ID
		role    certificate.RoleCode
	}{{applicant, certificate.Applicant}, {maker, certificate.Manufacturer}} {
		c.Companies = append(c.Companies, certificate.CompanyLink{Company: l.company, Role: l.role, EnteredOn: entered, Situation: certificate.Active})
	}
	_, err := b.add(out, &certificate.Revision{ID: certificate.NewID(), Number: 1, Certificate: &c})
	return err
}

// pick gives a class with a document of it, in turn.
func (b *Body) pick(n int) (certificate.ClassCode, certificate.DocumentCode, certificate.TypeCode) {
	for i := range b.Tables.Documents {
		d := &b.Tables.Documents[(n+i)%len(b.Tables.Documents)]
		for _, o := range d.Offers {
			if o.Class != "" && o.Class != "cestas-alimentos" {
				return o.Class, d.Code, o.Type
			}
		}
	}
	return "", "", ""
}
