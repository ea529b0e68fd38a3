package api

import (
	"net/http"
	"reflect"

	"selo/catalog"

	"github.com/danielgtaylor/huma/v2"
)

// Names of the operations that other code looks for.
const (
	opCertificate = "obterCertificado"
	opProof       = "obterProva"
)

// Tags of the document.
const (
	tagCatalog  = "Consulta pública"
	tagLedger   = "Livro de registro"
	tagData     = "Dados abertos"
	tagExchange = "Remessas e tabelas"
	tagSystem   = "Operação"
)

// table is the route table: every address the API answers, who may ask, and
// what answers.
func (s *Server) table() []*route {
	var all []*route
	all = append(all, s.catalogRoutes()...)
	all = append(all, s.dataRoutes()...)
	all = append(all, s.publicationRoutes()...)
	all = append(all, s.ledgerRoutes()...)
	all = append(all, s.exchangeRoutes()...)
	return append(all, s.systemRoutes()...)
}

func (s *Server) catalogRoutes() []*route {
	return []*route{
		typed(s, route{power: Public, fromCatalog: true, op: get("buscarCertificados", "/api/v1/certificados", tagCatalog,
			"Busca certificados",
			"Acentos, maiúsculas e pontuação não contam. Só os ativos e dentro da validade aparecem, a menos que `situacao` peça outros. "+
				"Uma página pode vir curta, até vazia, e ainda ter `proximo`.")}, s.search),
		{power: Public, fromCatalog: true, unbounded: true, handle: s.getCertificate,
			op: s.byHand(get(opCertificate, "/api/v1/certificados/{organismo}/{numero}", tagCatalog,
				"Um certificado",
				"O número vai codificado em um só segmento (`FB-BRIN-108%2F17.001`); com as barras como são também funciona. "+
					"Os produtos vêm em páginas: `q`, `limite` e `cursor` escolhem quais. "+
					"Com `em`, o certificado como estava no fim daquele dia em Brasília; aí `q` não se aplica."),
				reflect.TypeFor[Certificate](), certificatePath(), certificateQuery()...)},
		typed(s, route{power: Public, fromCatalog: true, op: get("verificar", "/api/v1/verificacao", tagCatalog,
			"Este modelo está coberto agora?",
			"Informe `marca` e `modelo`, ou `gtin`, ou `numero`; `cnpj` restringe à empresa. A resposta diz sim ou não, o motivo e os certificados.")}, s.verify),
	}
}

func (s *Server) ledgerRoutes() []*route {
	return []*route{
		{power: Public, unbounded: true, handle: s.getProof,
			op: s.byHand(get(opProof, "/api/v1/certificados/{organismo}/{numero}/prova", tagLedger,
				"Prova de inclusão",
				"Prova (RFC 6962) de que a última revisão publicada do certificado está no livro de registro, com o checkpoint assinado. "+
					"O certificado de número `X/prova` tem o endereço `X%2Fprova`."),
				reflect.TypeFor[Proof](), certificatePath())},
		typed(s, route{power: Public, op: get("provarConsistencia", "/api/v1/consistencia", tagLedger,
			"Prova de consistência",
			"Prova de que o livro de um tamanho começa com todo o livro de um tamanho anterior.")}, s.getConsistency),
		typed(s, route{power: Public, op: get("obterRegistro", "/api/v1/registro", tagLedger,
			"O registro: chaves e publicação atual",
			"O que qualquer pessoa precisa para conferir assinaturas e provas.")}, s.getRegistry),
	}
}

func (s *Server) exchangeRoutes() []*route {
	return []*route{
		{power: Either, unbounded: true, handle: s.postRemessa, op: s.deliveryOperation()},
		typed(s, route{power: Either, op: secured(get("obterRemessa", "/api/v1/remessas/{organismo}/{sequencia}", tagExchange,
			"Situação de uma remessa",
			"Sem token: estado, contagens e horários. Com o token do organismo: também os motivos e a senha de desbloqueio."), true)}, s.getResult),
		typed(s, route{power: Public, op: get("obterTabelasAuxiliares", "/api/v1/tabelas-auxiliares/{organismo}", tagExchange,
			"Tabelas auxiliares mais novas",
			"A versão mais nova das tabelas auxiliares do organismo, assinada pelo registro.")}, s.getRelease),
		{power: Own, unbounded: true, handle: s.getBase, op: secured(s.download(
			get("obterBase", "/api/v1/organismos/{organismo}/base", tagExchange,
				"Tudo o que o registro tem do organismo",
				"Um pacote assinado com todas as revisões aceitas mais novas, para restaurar ou conciliar a base do organismo."),
			"application/octet-stream", pathParameter("organismo", "CCB")), false)},
	}
}

func (s *Server) systemRoutes() []*route {
	return []*route{
		typed(s, route{power: Public, op: get("saude", "/saude", tagSystem, "O processo está vivo",
			"Não pergunta nada a ninguém.")}, s.getHealth),
		typed(s, route{power: Public, op: get("pronto", "/pronto", tagSystem, "O servidor pode responder",
			"Há publicação e a base responde.")}, s.getReady),
		{power: Public, handle: s.getMetrics, op: s.download(get("medidas", "/metrics", tagSystem, "Medidas para o Prometheus",
			"Formato de exposição do Prometheus."), "text/plain")},
		{power: Public, handle: s.getDocument, op: s.download(get("documento", "/api/openapi.json", tagSystem, "Este documento",
			"OpenAPI 3.1."), "application/json")},
	}
}

// get begins an operation.
func get(id, path, tag, summary, description string) huma.Operation {
	return huma.Operation{Method: http.MethodGet, OperationID: id, Path: path, Tags: []string{tag}, Summary: summary, Description: description}
}

// secured says that an operation takes a body's token; optional: that it does without, too.
func secured(op huma.Operation, optional bool) huma.Operation {
	op.Security = []map[string][]string{{tokenScheme: {}}}
	if optional {
		op.Security = append(op.Security, map[string][]string{})
	}
	return op
}

// byHand documents a JSON operation that huma does not serve.
func (s *Server) byHand(op huma.Operation, answer reflect.Type, path []*huma.Param, query ...*huma.Param) huma.Operation {
	op.Parameters = append(path, query...)
	op.Responses = map[string]*huma.Response{"200": {Description: "OK",
		Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(answer)}}}}
	return s.withProblems(op)
}

// download documents an operation that answers with bytes.
func (s *Server) download(op huma.Operation, mediaType string, path ...*huma.Param) huma.Operation {
	op.Parameters = path
	op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{mediaType: {}}}}
	return s.withProblems(op)
}

func (s *Server) withProblems(op huma.Operation) huma.Operation {
	op.Responses["default"] = &huma.Response{Description: "Error",
		Content: map[string]*huma.MediaType{problemType: {Schema: s.schema(reflect.TypeFor[Problem]())}}}
	return op
}

func (s *Server) schema(t reflect.Type) *huma.Schema {
	return s.huma.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
}

func (s *Server) deliveryOperation() huma.Operation {
	op := huma.Operation{Method: http.MethodPost, OperationID: "entregarRemessa", Path: "/api/v1/remessas", Tags: []string{tagExchange},
		Summary: "Entrega uma remessa",
		Description: "O corpo é o arquivo `.remessa`. A assinatura dentro dele prova de quem é; por isso o token é opcional e, " +
			"se vier, tem de ser do mesmo organismo. Entregar de novo o mesmo arquivo não muda nada.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {}}}}
	answer := map[string]*huma.MediaType{"application/json": {Schema: s.schema(reflect.TypeFor[Delivery]())}}
	location := map[string]*huma.Param{"Location": {Description: "Onde perguntar pelo resultado", Schema: &huma.Schema{Type: huma.TypeString}}}
	op.Responses = map[string]*huma.Response{
		"200": {Description: "Já era conhecida; nada mudou", Content: answer, Headers: location},
		"202": {Description: "Recebida; será processada", Content: answer, Headers: location},
	}
	return secured(s.withProblems(op), true)
}

func pathParameter(name string, example any) *huma.Param {
	return &huma.Param{Name: name, In: "path", Required: true, Example: example, Schema: &huma.Schema{Type: huma.TypeString}}
}

func queryParameter(name, kind string, example any) *huma.Param {
	return &huma.Param{Name: name, In: "query", Example: example, Schema: &huma.Schema{Type: kind}}
}

// limitParameter is "limite" with what bounds it.
func limitParameter(standard, most int) *huma.Param {
	p := queryParameter("limite", huma.TypeInteger, standard)
	lowest, highest := 1.0, float64(most)
	p.Schema.Minimum, p.Schema.Maximum, p.Schema.Default = &lowest, &highest, standard
	return p
}

func certificatePath() []*huma.Param {
	return []*huma.Param{pathParameter("organismo", "CCB"), pathParameter("numero", "FB-BRIN-108/17.001")}
}

func certificateQuery() []*huma.Param {
	day := queryParameter("em", huma.TypeString, "2025-03-01")
	day.Schema.Format = "date"
	return []*huma.Param{day, queryParameter("q", huma.TypeString, "tomada 10A"), limitParameter(catalog.DefaultProducts, catalog.MaxProducts),
		queryParameter("cursor", huma.TypeString, nil)}
}
