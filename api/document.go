package api

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// glossaryFile says in Portuguese what each field is, by its name, or where the
// name means something else in one schema by "Schema.name"; of a parameter by
// "parametro.name".
//
//go:embed glossario.json
var glossaryFile []byte

// tokenScheme names the way a body proves who it is.
const tokenScheme = "tokenOrganismo"

// makeDocument finishes the OpenAPI document that huma and the table have filled.
func (s *Server) makeDocument() []byte {
	var words map[string]string
	if err := json.Unmarshal(glossaryFile, &words); err != nil {
		panic("api: glossario.json: " + err.Error()) // the file is part of the program
	}
	doc := s.huma.OpenAPI()
	doc.Info.Description = "Certificados de conformidade do Inmetro: consulta, verificação, provas, dados abertos e a troca com os organismos de certificação.\n\n" +
		"Erros vêm em `application/problem+json` (RFC 9457), em português, inglês ou espanhol conforme `Accept-Language`. " +
		"Listas têm `limite`, `cursor` e `proximo`. Horários são UTC; dias são de Brasília."
	if s.deps.URL != "" {
		doc.Servers = []*huma.Server{{URL: s.deps.URL}}
	}
	doc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{tokenScheme: {Type: "http", Scheme: "bearer", BearerFormat: "JWS",
		Description: "JWS (EdDSA) com a chave inscrita do organismo sobre organismo, método, caminho e hora; vale cinco minutos."}}
	for _, tag := range []string{tagCatalog, tagLedger, tagData, tagExchange, tagSystem} {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: tag})
	}
	for name, schema := range doc.Components.Schemas.Map() {
		describe(name, schema, words)
	}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op != nil {
				describeOperation(op, words)
			}
		}
	}
	data, err := json.Marshal(doc)
	if err != nil {
		panic("api: encode document: " + err.Error()) // it is made of the table only
	}
	return data
}

// describe gives the fields of a schema their words.
func describe(schemaName string, schema *huma.Schema, words map[string]string) {
	for name, property := range schema.Properties {
		if property.Ref != "" {
			continue // the schema it leads to has them
		}
		text, own := words[schemaName+"."+name]
		if !own {
			text = words[name]
		}
		property.Description = text
		if property.Type == huma.TypeString && (strings.HasPrefix(name, "data_") || schemaName == "Certificado" && name == "em") {
			property.Format = "date"
		}
	}
}

// statusWords are the descriptions of answers, which huma writes in English.
var statusWords = map[string]string{"OK": "Resposta", "Error": "Problema (RFC 9457)"}

func describeOperation(op *huma.Operation, words map[string]string) {
	for _, p := range op.Parameters {
		if p.Description == "" {
			p.Description = words["parametro."+p.Name]
		}
	}
	for _, response := range op.Responses {
		if text, ok := statusWords[response.Description]; ok {
			response.Description = text
		}
	}
}

// Document is the OpenAPI document, as JSON.
func (s *Server) Document() []byte { return s.document }

func (s *Server) getDocument(c *call) error {
	c.w.Header()["Cache-Control"] = cacheControl
	return c.writeBytes(http.StatusOK, s.document)
}
