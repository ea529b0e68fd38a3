package sheet

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"selo/brasil"
	"selo/certificate"
)

// commonNames are the names that sheets give to columns, in Portuguese and
// English, as canonical writes them. The target's own name is one of them always.
var commonNames = map[Target][]string{
	Number:         {"certificado", "numero certificado", "certificate", "certificate numero", "cert numero"},
	Type:           {"tipo certificado", "certificate type", "type"},
	Class:          {"classe produto", "escopo", "product class", "class", "scope"},
	IssuedOn:       {"emissao", "emitido em", "issued on", "issue date", "date issue", "issued"},
	ValidUntil:     {"validade", "valido ate", "vencimento", "data vencimento", "valid until", "expiry date", "expiration date", "expires", "valid to"},
	Model:          {"sistema", "esquema", "certification model", "certification scheme"},
	Document:       {"documentos", "documento normativo", "documentos normativos", "portaria", "portarias", "norma", "normas", "standard", "standards", "regulation"},
	Signatories:    {"signatario", "assinatura", "signatory", "signatories"},
	Laboratory:     {"laboratorio ensaio", "laboratorios", "laboratory", "test laboratory", "lab"},
	ReportNumber:   {"relatorio", "relatorio ensaio", "numero relatorio ensaio", "report", "report numero", "test report"},
	Remarks:        {"observacao", "obs", "remarks", "notes", "comments"},
	Brand:          {"marca comercial", "brand", "trademark", "make"},
	ProductModel:   {"modelo produto", "model", "model numero", "referencia", "product model"},
	Description:    {"descricao produto", "description", "product description"},
	CommercialName: {"designacao", "nome comercial", "commercial name", "trade designation"},
	Family:         {"familia produto", "family", "product family"},
	Imported:       {"produto importado", "importado sim nao", "imported"},
	GTIN:           {"ean", "upc", "ean upc", "codigo ean", "codigo ean upc", "codigo barras", "codigos barras", "barcode", "bar code", "codigos gtin"},
	Modality:       {"modality"},
	Lot:            {"numero lote", "lot", "lot numero", "batch"},
	Quantity:       {"qtd", "qtde", "quant", "quantity", "qty"},
	ImportLicence:  {"li", "lpco", "li lpco", "numero li", "import licence", "import license"},
	Serial:         {"serie", "serial", "serial numero"},
	EnteredOn:      {"entrada", "entered on", "entry date"},
}

// roleNames are the words for a role; alone they mean the company's name.
var roleNames = map[certificate.RoleCode][]string{
	certificate.Applicant:    {"solicitante", "detentor", "requerente", "applicant", "holder"},
	certificate.Manufacturer: {"fabricante", "manufacturer", "maker"},
	certificate.Importer:     {"importador", "importadora", "importer"},
	certificate.Packer:       {"empacotador", "packer"},
	certificate.Supplier:     {"fornecedor", "supplier"},
}

// fieldNames are the words for a company's field before or after the word for its role.
var fieldNames = map[CompanyField][]string{
	CompanyCNPJ:       {"cnpj"},
	CompanyCPF:        {"cpf"},
	CompanyName:       {"", "razao social", "nome", "name", "company name"},
	CompanyTradeName:  {"nome fantasia", "fantasia", "trade name"},
	CompanyCountry:    {"pais", "country"},
	CompanyStreet:     {"endereco", "logradouro", "rua", "address", "street"},
	CompanyNumber:     {"numero"},
	CompanyComplement: {"complemento"},
	CompanyDistrict:   {"bairro", "district"},
	CompanyCity:       {"cidade", "municipio", "city"},
	CompanyUF:         {"uf", "estado", "state"},
	CompanyCEP:        {"cep", "zip", "postal code"},
	CompanyPhone:      {"telefone", "fone", "phone"},
	CompanyEmail:      {"email", "e mail", "mail"},
}

// words are the short forms in names of columns and what they stand for; "" is left out.
var words = map[string]string{
	"n": "numero", "no": "numero", "nr": "numero", "nro": "numero", "num": "numero", "number": "numero",
	"dt": "data", "cod": "codigo",
	"de": "", "do": "", "da": "", "dos": "", "das": "", "of": "", "the": "",
}

// canonical is a column's name for comparing: folded, short forms spelled out,
// "Nº do Certificado" is "numero certificado".
func canonical(name string) string {
	var kept []string
	for _, word := range strings.Fields(brasil.Fold(name)) {
		if full, ok := words[word]; ok {
			word = full
		}
		if word != "" {
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, " ")
}

// namesOf lists the canonical names that a column for each target may have.
func namesOf() map[string]Target {
	names := map[string]Target{}
	add := func(name string, t Target) {
		if _, taken := names[canonical(name)]; !taken {
			names[canonical(name)] = t
		}
	}
	for _, t := range targets {
		add(string(t), t)
	}
	for _, t := range targets {
		for _, name := range commonNames[t] {
			add(name, t)
		}
	}
	for _, role := range roles {
		for _, field := range companyFields {
			for _, r := range roleNames[role] {
				for _, f := range fieldNames[field] {
					add(r+" "+f, CompanyTarget(role, field))
					add(f+" "+r, CompanyTarget(role, field))
				}
			}
		}
	}
	return names
}

// Guess proposes a mapping for a sheet without one, by the names of its
// columns; of two columns for one target the first wins. A CNPJ column without
// a role is the applicant's. Rows make one certificate by its number. Targets
// that no column fits are missing: people add them in the file that
// [WriteMapping] prints.
//
// It returns fault.Invalid sheet.no_guess when no name is known.
func Guess(header []string) (*Mapping, error) {
	names := namesOf()
	names["cnpj"] = CompanyTarget(certificate.Applicant, CompanyCNPJ)
	names["razao social"] = CompanyTarget(certificate.Applicant, CompanyName)
	m := &Mapping{Repeated: Refuse, Columns: map[Target]Source{}}
	for _, column := range header {
		target, known := names[canonical(column)]
		if _, taken := m.Columns[target]; known && !taken {
			m.Columns[target] = Source{Column: brasil.Squeeze(column)}
		}
	}
	if len(m.Columns) == 0 {
		return nil, invalid("sheet.no_guess", "existentes", quoteList(named(header)))
	}
	if source, ok := m.Columns[Number]; ok {
		m.CertificateBy = []string{source.Column}
	}
	return m, nil
}

// WriteMapping prints a mapping file for people to edit, its targets in the
// order of [Targets]. [LoadMapping] reads the same mapping back.
func WriteMapping(w io.Writer, m *Mapping) error {
	var b bytes.Buffer
	b.WriteString("{\n")
	for _, member := range []struct {
		key, value string
		shown      bool
	}{
		{"planilha", quote(m.Sheet), m.Sheet != ""},
		{"cabecalho", number(m.HeaderLine), m.HeaderLine > 0},
		{"separador", quote(string(rune(m.Separator))), m.Separator != 0},
		{"codificacao", quote(string(m.Encoding)), m.Encoding != ""},
		{"repetidos", quote(string(m.Repeated)), m.Repeated != ""},
	} {
		if member.shown {
			b.WriteString("  " + quote(member.key) + ": " + member.value + ",\n")
		}
	}
	var lines []string
	for _, t := range targets {
		if source, ok := m.Columns[t]; ok {
			lines = append(lines, "    "+quote(string(t))+": "+source.json())
		}
	}
	b.WriteString("  \"colunas\": {\n" + strings.Join(lines, ",\n") + "\n  }")
	if len(m.CertificateBy) > 0 {
		var names []string
		for _, name := range m.CertificateBy {
			names = append(names, quote(name))
		}
		b.WriteString(",\n  \"certificado_por\": [" + strings.Join(names, ", ") + "]")
	}
	b.WriteString("\n}\n")
	_, err := w.Write(b.Bytes())
	return err // the writer is the caller's
}

func (s Source) json() string {
	switch {
	case s.Column != "":
		return `{"coluna": ` + quote(s.Column) + "}"
	case s.Template != "":
		return `{"modelo": ` + quote(s.Template) + "}"
	default:
		return `{"valor": ` + quote(s.Value) + "}"
	}
}

// quote is s as a JSON string, with <, > and & as they are.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return strings.TrimSpace(b.String())
}
