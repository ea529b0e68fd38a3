package web

import (
	"selo/catalog"

	"github.com/a-h/templ"
)

// dictionaryView explains the fields of the open data.
type dictionaryView struct {
	lines []apiField       // of JSON Lines
	doc   *apiDocument     // their schemas; nil: not known here
	base  []catalog.Layout // tables of SQLite
}

func (s *Server) getDictionary(*Request) (Answer, error) {
	doc, err := s.apiDoc()
	if err != nil {
		return nil, err
	}
	v := &dictionaryView{doc: doc, base: catalog.Layouts()}
	if doc != nil {
		v.lines = doc.fieldsOf(lineSchema)
	}
	return Page{View: v}, nil
}

// lineSchema is the schema of a line of JSON Lines.
const lineSchema = "Certificado"

// answerOnly are the fields of that schema that only an answer of the API has.
var answerOnly = map[string]bool{"proximo": true, "em": true, "motivo": true}

func (d *apiDocument) fieldsOf(schema string) []apiField {
	var list []apiField
	for _, s := range d.Schemas {
		for _, f := range s.Fields {
			if s.Name == schema && (schema != lineSchema || !answerOnly[f.Name]) {
				list = append(list, f)
			}
		}
	}
	return list
}

// nested are the schemas that the lines refer to, each once, in their order.
func (v *dictionaryView) nested() []apiSchema {
	var list []apiSchema
	seen := map[string]bool{}
	var walk func(fields []apiField)
	walk = func(fields []apiField) {
		for _, f := range fields {
			name := f.Type.Schema
			if name == "" || seen[name] {
				continue
			}
			seen[name] = true
			inner := v.doc.fieldsOf(name)
			list = append(list, apiSchema{name, inner})
			walk(inner)
		}
	}
	walk(v.lines)
	return list
}

// Head implements [View].
func (v *dictionaryView) Head(r *Request) Head {
	return Head{Title: r.Text("web.dictionary.title"), Description: r.Text("web.dictionary.lead"), Crumbs: []Crumb{{r.Text("web.data.title"), dataPath}}}
}

// Body implements [View].
func (v *dictionaryView) Body(r *Request) templ.Component { return dictionaryBody(r, v) }

// columnMeaning is the meaning of a column in the request's language.
func columnMeaning(r *Request, c *catalog.Column) string {
	return r.Text("web.dictionary.column." + c.Name)
}

// layoutColumn gives the words of a table's column of SQLite: those of the table
// itself where it has its own.
func layoutColumn(r *Request, table, column string) string {
	if own, ok := ownColumns[table+"."+column]; ok {
		column = own
	}
	return r.Text("web.dictionary.base." + column)
}

// ownColumns are columns that mean something else than their name does in
// other tables.
var ownColumns = map[string]string{
	"meta.chave": "chave_meta", "meta.valor": "valor_meta", "ficha.id": "id_ficha", "ficha.dados": "dados_ficha", "passado.dados": "dados_passado",
	"gtin.numero": "numero_gtin", "participante.situacao": "situacao_vinculo", "vinculo.situacao": "situacao_vinculo",
	"evento.id": "id_evento", "evento.tipo": "tipo_evento",
}
