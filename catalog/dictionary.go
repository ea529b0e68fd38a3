package catalog

import (
	"strconv"
	"strings"

	"selo/brasil"
)

// Column is one column of the open data: a row is an active product of a
// certificate, or a certificate without any. Names, order and meaning are
// stable: new columns are added at the end.
type Column struct {
	Name    string // in the files' first row
	Type    string // texto, data (AAAA-MM-DD), inteiro, sim/nao
	Meaning string // Portuguese, for the dictionary published with the data
	Example string // invented
	Source  string // where the meaning is laid down, Portuguese; empty: made by Selo

	value func(*exportRow) string
}

// exportRow is what a row is made of; product is nil for a certificate without products.
type exportRow struct {
	cert    *Certificate
	product *ProductView
}

// Columns is the data dictionary of the CSV and XLSX files. The JSONL file holds
// the same facts under the names of the API, the SQLite file is the snapshot.
//
// Which certificates: all that are public, in every situation; "situacao" is
// that of the publication's day, so that a publication has one content for ever.
var Columns = []Column{
	{"organismo", "texto", "Sigla do organismo de certificação", "CCB", "manual 2.2.1.1", func(r *exportRow) string { return string(r.cert.Body.Sigla) }},
	{"organismo_nome", "texto", "Nome do organismo de certificação", "Organismo de Exemplo", "", func(r *exportRow) string { return r.cert.Body.Name }},
	{"numero", "texto", "Número do certificado, como o organismo o escreve", "FB-BRIN-108/17.001", "manual 2.2.1.1", func(r *exportRow) string { return r.cert.Number }},
	{"situacao", "texto", "ativo, suspenso, cancelado ou expirado, no dia da publicação", "ativo", "manual 2.2.1.3", func(r *exportRow) string { return r.cert.Situation }},
	{"tipo", "texto", "Código do tipo de certificado", "portaria-compulsorio", "manual 2.2.1.1", func(r *exportRow) string { return r.cert.Type.Code }},
	{"tipo_nome", "texto", "Tipo de certificado", "Certificado de Conformidade à Portaria Inmetro Compulsório", "manual 2.2.1.1", func(r *exportRow) string { return r.cert.Type.Name }},
	{"classe", "texto", "Código da classe de produto", "brinquedos", "manual 2.2.1.1", func(r *exportRow) string { return r.cert.Class.Code }},
	{"classe_nome", "texto", "Classe de produto", "Brinquedos", "manual 2.2.1.1", func(r *exportRow) string { return r.cert.Class.Name }},
	{"modelo_certificacao", "texto", "Modelo de certificação do RGCP: 1a, 1b, 2 … 6", "5", "RGCP (Portaria Inmetro 200/2021)", func(r *exportRow) string { return string(r.cert.Model) }},
	{"data_emissao", "data", "Data de emissão", "2025-03-01", "manual 2.2.1.1", func(r *exportRow) string { return r.cert.IssuedOn.String() }},
	{"data_validade", "data", "Último dia de validade; vazia quando não há", "2029-03-01", "manual 2.2.1.1", func(r *exportRow) string { return r.cert.ValidUntil.String() }},
	{"documentos", "texto", "Documentos normativos, separados por ponto e vírgula", "Portaria Inmetro nº 302/2021", "manual 2.2.1.1, passo 5", func(r *exportRow) string { return r.documents() }},
	{"empresas", "texto", "Empresas ativas no certificado, cada uma como papel: nome (CNPJ ou CPF oculto), separadas por ponto e vírgula", "Fabricante: Fábrica Fictícia Ltda (12ABC34501DE35); Solicitante: Loja Fictícia Ltda (11222333000181)", "manual 2.2.1.1, passo 6", func(r *exportRow) string { return r.parties() }},
	{"servicos", "texto", "Serviços ativos, separados por ponto e vírgula", "Manutenção de extintores: cargas de até 50 kg", "manual 2.2.1.1, passo 8", func(r *exportRow) string { return r.services() }},
	{"empresa_cnpj", "texto", "CNPJ da empresa do produto, sem máscara; vazio para estrangeiras e pessoas físicas", "12ABC34501DE35", "manual 2.2.1.1, passo 6.6", productField(func(p *ProductView) string { return string(p.Company.CNPJ) })},
	{"empresa_nome", "texto", "Razão social da empresa do produto", "Fábrica Fictícia Ltda", "manual 2.2.1.1, passo 6.6", productField(func(p *ProductView) string { return p.Company.Name })},
	{"marca", "texto", "Marca do produto", "Fictoy", "manual 2.2.1.1, passo 7", productField(func(p *ProductView) string { return p.Brand })},
	{"modelo", "texto", "Modelo do produto", "Trenzinho FT-10", "manual 2.2.1.1, passo 7", productField(func(p *ProductView) string { return p.Model })},
	{"importado", "sim/nao", "Produto importado", "nao", "manual 2.2.1.1, passo 7.3.4", productField(func(p *ProductView) string { return yesNo(p.Imported) })},
	{"designacao_comercial", "texto", "Designação comercial do produto", "Trenzinho Feliz", "RGCP (Portaria Inmetro 200/2021)", productField(func(p *ProductView) string { return p.CommercialName })},
	{"familia", "texto", "Família do produto", "Trens de plástico", "RGCP (Portaria Inmetro 200/2021)", productField(func(p *ProductView) string { return p.Family })},
	{"descricao", "texto", "Descrição do produto", "Trem de brinquedo com três vagões", "manual 2.2.1.1, passo 7.3", productField(func(p *ProductView) string { return p.Description })},
	{"codigos_gtin", "texto", "Códigos de barras (EAN/UPC), separados por ponto e vírgula", "7891234567895", "manual 2.2.1.1, passo 7.3.3", productField(func(p *ProductView) string { return strings.Join(p.GTINs, ";") })},
	{"modalidade", "texto", "tipo, lote ou unidade", "tipo", "manual 2.2.1.1, passo 7", productField(func(p *ProductView) string { return string(p.Modality) })},
	{"lote", "texto", "Número do lote", "L-2025-07", "manual 2.2.1.1, passo 7.4.2", productField(func(p *ProductView) string { return p.Lot })},
	{"quantidade", "inteiro", "Peças do lote", "500", "manual 2.2.1.1, passo 7.4.2", productField(func(p *ProductView) string { return positive(p.Quantity) })},
	{"numero_serie", "texto", "Número de série da unidade", "SN-000123", "manual 2.2.1.1, passo 7.4.3", productField(func(p *ProductView) string { return p.Serial })},
	{"licenca_importacao", "texto", "Número da LI ou LPCO do lote importado", "25/1234567-8", "RGCP (Portaria Inmetro 200/2021)", productField(func(p *ProductView) string { return p.ImportLicence })},
	{"data_entrada", "data", "Data de entrada do produto no certificado", "2025-03-01", "manual 2.2.1.1, passo 7.4", productField(func(p *ProductView) string { return p.EnteredOn.String() })},
	{"endereco", "texto", "Caminho da página do certificado", "/certificados/CCB/FB-BRIN-108%2F17.001", "", func(r *exportRow) string { return r.cert.Path }},
}

func productField(field func(*ProductView) string) func(*exportRow) string {
	return func(r *exportRow) string {
		if r.product == nil {
			return ""
		}
		return field(r.product)
	}
}

func (r *exportRow) documents() string {
	var list []string
	for i := range r.cert.Documents {
		list = append(list, r.cert.Documents[i].Title)
	}
	return strings.Join(list, "; ")
}

func (r *exportRow) parties() string {
	var list []string
	for i := range r.cert.Parties {
		p := &r.cert.Parties[i]
		text := p.Role.Name + ": " + p.shownName()
		if id := orCode(string(p.CNPJ), p.CPF); id != "" {
			text += " (" + id + ")"
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}

func (r *exportRow) services() string {
	var list []string
	for i := range r.cert.Services {
		s := &r.cert.Services[i]
		text := s.Class.Name
		if s.Description != "" {
			text += ": " + brasil.Squeeze(s.Description)
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}

func yesNo(b bool) string {
	if b {
		return "sim"
	}
	return "nao"
}

func positive(n int64) string {
	if n <= 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
