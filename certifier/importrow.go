package certifier

import (
	"slices"
	"strconv"
	"strings"

	"selo/brasil"
	"selo/certificate"
	"selo/certifier/sheet"
	"selo/fault"
)

// parsedRow is a row whose texts have been understood.
type parsedRow struct {
	src         *sheetRow
	certificate certificate.Certificate // fields of the tab Dados Gerais and documents; what the row leaves out is zero
	companies   []parsedCompany
	product     certificate.Product
	link        certificate.ProductLink
	problems    []fault.Problem
}

type parsedCompany struct {
	role    certificate.RoleCode
	company certificate.Company
}

// rowParser understands texts with the names of the auxiliary tables.
type rowParser struct {
	types     map[string]string
	classes   map[string]string
	documents map[string]string
	countries map[string]string
}

func newRowParser(t *certificate.Tables) *rowParser {
	p := &rowParser{types: map[string]string{}, classes: map[string]string{}, documents: map[string]string{}, countries: map[string]string{}}
	for _, v := range t.Types {
		addName(p.types, string(v.Code), v.Name)
	}
	for _, v := range t.Classes {
		addName(p.classes, string(v.Code), v.Name)
	}
	for _, v := range t.Documents {
		addName(p.documents, string(v.Code), v.Title)
	}
	for _, v := range t.Countries {
		addName(p.countries, string(v.Code), v.Name)
	}
	return p
}

// addName lets a code be found by itself and by its name; what two codes are called finds neither.
func addName(m map[string]string, code, name string) {
	for _, key := range []string{brasil.Fold(code), brasil.Fold(name)} {
		if other, taken := m[key]; taken && other != code {
			m[key] = ""
			continue
		}
		m[key] = code
	}
}

func (p *rowParser) parse(src *sheetRow) *parsedRow {
	r := &parsedRow{src: src, problems: slices.Clone(src.problems)}
	p.general(r)
	r.readProduct()
	for _, role := range sheet.Roles() {
		if c, given := p.company(r, role); given {
			r.companies = append(r.companies, parsedCompany{role: role, company: c})
		}
	}
	if len(r.companies) == 0 {
		r.refuse("", "import.no_company")
	}
	if src.group == "" {
		r.refuse("", "import.no_group")
	} else if r.certificate.Number == "" {
		r.refuse(string(sheet.Number), "import.no_number")
	}
	return r
}

func (r *parsedRow) text(t sheet.Target) string { return r.src.record[t] }

// refuse adds a problem that names the line.
func (r *parsedRow) refuse(field, code string, args ...string) {
	args = append(args, "linha", strconv.Itoa(r.src.line))
	r.problems = append(r.problems, fault.Problem{
		Record: "linha " + strconv.Itoa(r.src.line), Field: field, Code: code, Args: fault.Pairs(args...),
	})
}

// parsed passes on what a parser of package brasil says.
func (r *parsedRow) parsed(t sheet.Target, err error) {
	if f := fault.Of(err); f != nil {
		r.problems = append(r.problems, fault.Problem{
			Record: "linha " + strconv.Itoa(r.src.line), Field: string(t), Code: f.Key, Args: f.Args})
	}
}

// lookUp finds a code by code or name. A blank text is no code and no problem.
func (r *parsedRow) lookUp(t sheet.Target, text string, table map[string]string) string {
	if text == "" {
		return ""
	}
	code := table[brasil.Fold(text)]
	if code == "" {
		r.refuse(string(t), "import.unknown_name", "campo", string(t), "valor", cut(text, maxArg))
	}
	return code
}

// maxArg is how many bytes of a cell a problem repeats.
const maxArg = 120

func (r *parsedRow) date(t sheet.Target) brasil.Date {
	text := r.text(t)
	if text == "" {
		return brasil.Date{}
	}
	text, _, _ = strings.Cut(text, "T") // a date of a workbook may carry an hour
	d, err := brasil.ParseDate(text)
	r.parsed(t, err)
	return d
}

func (p *rowParser) general(r *parsedRow) {
	c := &r.certificate
	c.Number = r.text(sheet.Number)
	c.Type = certificate.TypeCode(r.lookUp(sheet.Type, r.text(sheet.Type), p.types))
	c.Class = certificate.ClassCode(r.lookUp(sheet.Class, r.text(sheet.Class), p.classes))
	c.IssuedOn, c.ValidUntil = r.date(sheet.IssuedOn), r.date(sheet.ValidUntil)
	c.Model = certificate.Model(strings.ToLower(r.text(sheet.Model)))
	c.Signatories, c.Laboratory = r.text(sheet.Signatories), r.text(sheet.Laboratory)
	c.ReportNumber, c.Remarks = r.text(sheet.ReportNumber), r.text(sheet.Remarks)
	for part := range strings.SplitSeq(r.text(sheet.Document), ";") {
		part = brasil.Squeeze(part)
		code := certificate.DocumentCode(r.lookUp(sheet.Document, part, p.documents))
		known := slices.ContainsFunc(c.Documents, func(l certificate.DocumentLink) bool { return l.Document == code })
		if code != "" && !known {
			c.Documents = append(c.Documents, certificate.DocumentLink{Document: code, Situation: certificate.Active})
		}
	}
}

func (r *parsedRow) readProduct() {
	var err error
	r.product = certificate.Product{
		Brand: r.text(sheet.Brand), Model: r.text(sheet.ProductModel), Description: r.text(sheet.Description),
		CommercialName: r.text(sheet.CommercialName), Family: r.text(sheet.Family), Imported: r.yes(sheet.Imported),
	}
	for _, required := range []sheet.Target{sheet.Brand, sheet.ProductModel} {
		if r.text(required) == "" {
			r.refuse(string(required), "import.required", "campo", string(required))
		}
	}
	if text := r.text(sheet.GTIN); text != "" {
		r.product.GTINs, err = brasil.ParseGTINList(text)
		r.parsed(sheet.GTIN, err)
	}
	r.link = certificate.ProductLink{
		EnteredOn: r.date(sheet.EnteredOn), Lot: r.text(sheet.Lot), Serial: r.text(sheet.Serial),
		ImportLicence: r.text(sheet.ImportLicence), Situation: certificate.Active,
	}
	if text := r.text(sheet.Quantity); text != "" {
		// People write 1.200 for twelve hundred; a true fraction has other than three digits after the point.
		plain := strings.ReplaceAll(text, " ", "")
		if i := strings.LastIndexByte(plain, '.'); i > 0 && len(plain)-i == 4 {
			plain = strings.ReplaceAll(plain, ".", "")
		}
		r.link.Quantity, err = strconv.ParseInt(plain, 10, 64)
		if err != nil || r.link.Quantity < 0 {
			r.refuse(string(sheet.Quantity), "import.quantity", "valor", cut(text, maxArg))
		}
	}
	r.link.Modality = r.modality()
}

func (r *parsedRow) modality() certificate.Modality {
	text := brasil.Fold(r.text(sheet.Modality))
	for _, m := range []certificate.Modality{certificate.ByType, certificate.ByLot, certificate.ByUnit} {
		if text == string(m) || text == "por "+string(m) {
			return m
		}
	}
	switch {
	case text != "":
		r.refuse(string(sheet.Modality), "import.modality", "valor", cut(r.text(sheet.Modality), maxArg))
	case r.link.Lot != "" || r.link.Quantity > 0:
		return certificate.ByLot
	case r.link.Serial != "":
		return certificate.ByUnit
	}
	return certificate.ByType
}

// yes understands an answer; blank is no.
func (r *parsedRow) yes(t sheet.Target) bool {
	switch brasil.Fold(r.text(t)) {
	case "sim", "s", "yes", "y", "true", "verdadeiro", "1", "x", "importado", "imported":
		return true
	case "", "nao", "n", "no", "false", "falso", "0", "nacional":
		return false
	}
	r.refuse(string(t), "import.yes_no", "valor", cut(r.text(t), maxArg))
	return false
}

// company reads the company in a role; given is false when the row has none.
func (p *rowParser) company(r *parsedRow, role certificate.RoleCode) (c certificate.Company, given bool) {
	text := func(f sheet.CompanyField) string {
		s := r.text(sheet.CompanyTarget(role, f))
		given = given || s != "" && f != sheet.CompanyCountry // a constant country alone is no company
		return s
	}
	cnpj, cpf := text(sheet.CompanyCNPJ), text(sheet.CompanyCPF)
	c = certificate.Company{
		Name: text(sheet.CompanyName), TradeName: text(sheet.CompanyTradeName), Street: text(sheet.CompanyStreet),
		Number: text(sheet.CompanyNumber), Complement: text(sheet.CompanyComplement), District: text(sheet.CompanyDistrict),
		City: text(sheet.CompanyCity), UF: brasil.UF(text(sheet.CompanyUF)), CEP: brasil.CEP(text(sheet.CompanyCEP)),
		Phone: text(sheet.CompanyPhone), Email: text(sheet.CompanyEmail), Person: certificate.Legal,
	}
	country := text(sheet.CompanyCountry)
	if !given {
		return c, false
	}
	var err error
	if cnpj != "" {
		c.CNPJ, err = brasil.ParseCNPJ(cnpj)
		r.parsed(sheet.CompanyTarget(role, sheet.CompanyCNPJ), err)
	}
	if cpf != "" {
		c.Person = certificate.Natural
		c.CPF, err = brasil.ParseCPF(cpf)
		r.parsed(sheet.CompanyTarget(role, sheet.CompanyCPF), err)
	}
	c.Country = certificate.CountryCode(r.lookUp(sheet.CompanyTarget(role, sheet.CompanyCountry), country, p.countries))
	if country == "" && cnpj+cpf != "" {
		c.Country = certificate.Brazil
	}
	return c, true
}
