package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"selo/catalog"
	"selo/fault"

	"github.com/a-h/templ"
)

const apiPath = dataPath + "/api"

// apiView is the API's documentation.
type apiView struct {
	doc    *apiDocument
	sample apiSample
}

// getAPI explains the API out of its own document. Fault: web.apidoc.none on a
// server without one.
func (s *Server) getAPI(r *Request) (Answer, error) {
	doc, err := s.apiDoc()
	if err != nil {
		return nil, err
	}
	if doc == nil {
		return nil, fault.New(fault.NotFound, "web.apidoc.none")
	}
	return Page{View: &apiView{doc: doc, sample: s.sample(r)}}, nil
}

// Head implements [View].
func (v *apiView) Head(r *Request) Head {
	return Head{Title: r.Text("web.apidoc.title"), Description: r.Text("web.apidoc.lead"), Crumbs: []Crumb{{r.Text("web.data.title"), dataPath}}}
}

// Body implements [View].
func (v *apiView) Body(r *Request) templ.Component { return apiBody(r, v) }

// apiSample fills the parameters of examples with what this server has.
type apiSample map[string]string

// sample takes the newest certificate shown; before the first publication the
// document's own examples have to do.
func (s *Server) sample(r *Request) apiSample {
	current, release, ok := s.deps.Catalog.Acquire()
	if !ok {
		return apiSample{}
	}
	defer release()
	p := current.Publication()
	sample := apiSample{"publicacao": strconv.FormatInt(p.Number, 10), "de": "1", "ate": strconv.FormatInt(p.Size, 10), "limite": "5", "sequencia": "1"}
	hits, err := current.Search(r.HTTP.Context(), catalog.Search{Limit: 1})
	if err == nil && len(hits.Certificates) > 0 {
		sample["organismo"], sample["numero"] = string(hits.Certificates[0].Body.Sigla), hits.Certificates[0].Number
	}
	return sample
}

// exampleQueries are the query parameters of an operation's example.
var exampleQueries = map[string][]string{
	"buscarCertificados": {"organismo", "limite"}, "verificar": {"numero"}, "provarConsistencia": {"de", "ate"}, "listarPublicacoes": {"limite"},
}

// example is an address at which an operation answers on this server.
func (s apiSample) example(op *apiOperation) string {
	path := op.Path
	query := url.Values{}
	for _, p := range op.Parameters {
		value := cmp.Or(s[p.Name], p.Example)
		switch {
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(cmp.Or(value, "1")))
		case p.In == "query" && (p.Required || slices.Contains(exampleQueries[op.ID], p.Name)):
			query.Set(p.Name, cmp.Or(value, p.standard(), "5"))
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// curl is a command that asks for the example.
func (v *apiView) curl(r *Request, op *apiOperation) string {
	address := r.absolute(v.sample.example(op))
	switch {
	case op.Method == "POST":
		return "curl --data-binary @CCB-000042.remessa -H 'Content-Type: application/octet-stream' '" + address + "'"
	case op.NeedsToken:
		return "curl -OJ -H 'Authorization: Bearer TOKEN' '" + address + "'"
	case op.Download:
		return "curl -OJ '" + address + "'"
	}
	return "curl '" + address + "'"
}

// apiDocument is what the page shows of an OpenAPI document.
type apiDocument struct {
	Version string
	Tags    []apiTag
	Schemas []apiSchema
}

type apiTag struct {
	Name, Anchor string
	Operations   []*apiOperation
}

type apiOperation struct {
	ID, Method, Path, Summary, Description string
	Parameters                             []apiParameter
	TakesToken, NeedsToken, Download       bool
	Body                                   string // media type; empty: none
	Answers                                []apiAnswer
}

type apiParameter struct {
	Name, In, Description, Example string
	Required                       bool
	Schema                         apiType
}

// standard is the value that counts when none is given.
func (p *apiParameter) standard() string { return p.Schema.Default }

type apiAnswer struct {
	Status, Description, Media string
	Schema                     string // name; empty: bytes
	Fields                     []apiField
}

type apiSchema struct {
	Name   string
	Fields []apiField
}

type apiField struct {
	Name, Description, Example string
	Required                   bool
	Type                       apiType
}

// apiType is a type: a schema by name or a plain one, alone or a list.
type apiType struct {
	Schema, Plain, Format, Default string
	List                           bool
	Enum                           []string
	Minimum, Maximum               *float64
	MaxLength                      *int
}

// rawSchema is a schema as JSON has it.
type rawSchema struct {
	Ref         string               `json:"$ref"`
	Type        json.RawMessage      `json:"type"`
	Format      string               `json:"format"`
	Description string               `json:"description"`
	Examples    []any                `json:"examples"`
	Enum        []any                `json:"enum"`
	Default     any                  `json:"default"`
	Minimum     *float64             `json:"minimum"`
	Maximum     *float64             `json:"maximum"`
	MaxLength   *int                 `json:"maxLength"`
	Items       *rawSchema           `json:"items"`
	Properties  map[string]rawSchema `json:"properties"`
	Required    []string             `json:"required"`
}

type rawOperation struct {
	ID          string   `json:"operationId"`
	Summary     string   `json:"summary"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	Parameters  []struct {
		Name        string    `json:"name"`
		In          string    `json:"in"`
		Description string    `json:"description"`
		Required    bool      `json:"required"`
		Example     any       `json:"example"`
		Schema      rawSchema `json:"schema"`
	} `json:"parameters"`
	Security  []map[string][]string `json:"security"`
	Body      *rawContent           `json:"requestBody"`
	Responses map[string]rawContent `json:"responses"`
}

type rawContent struct {
	Description string `json:"description"`
	Content     map[string]struct {
		Schema rawSchema `json:"schema"`
	} `json:"content"`
}

// readAPIDocument reads what the page shows; nil for no document.
func readAPIDocument(data []byte) (*apiDocument, error) {
	if len(data) == 0 {
		return nil, nil //nolint:nilnil // a server without an API explains none
	}
	var raw struct {
		Info       struct{ Version string }
		Tags       []struct{ Name string }
		Paths      map[string]map[string]rawOperation
		Components struct{ Schemas map[string]rawSchema }
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	doc := &apiDocument{Version: raw.Info.Version}
	fields := map[string][]apiField{}
	for _, name := range slices.Sorted(maps.Keys(raw.Components.Schemas)) {
		schema := raw.Components.Schemas[name]
		fields[name] = schema.fields()
		doc.Schemas = append(doc.Schemas, apiSchema{name, fields[name]})
	}
	for i, t := range raw.Tags {
		tag := apiTag{Name: t.Name, Anchor: "grupo-" + strconv.Itoa(i+1)}
		for _, path := range slices.Sorted(maps.Keys(raw.Paths)) {
			for _, method := range []string{"get", "post"} {
				if op, ok := raw.Paths[path][method]; ok && slices.Contains(op.Tags, t.Name) {
					tag.Operations = append(tag.Operations, op.operation(strings.ToUpper(method), path, fields))
				}
			}
		}
		doc.Tags = append(doc.Tags, tag)
	}
	return doc, nil
}

func (op *rawOperation) operation(method, path string, fields map[string][]apiField) *apiOperation {
	out := &apiOperation{ID: op.ID, Method: method, Path: path, Summary: op.Summary, Description: op.Description,
		TakesToken: len(op.Security) > 0, NeedsToken: len(op.Security) == 1}
	for _, p := range op.Parameters {
		example := cmp.Or(valueText(p.Example), p.Schema.example())
		out.Parameters = append(out.Parameters, apiParameter{p.Name, p.In, cmp.Or(p.Description, p.Schema.Description), example, p.Required, p.Schema.typed()})
	}
	if op.Body != nil {
		out.Body = strings.Join(slices.Sorted(maps.Keys(op.Body.Content)), ", ")
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		response := op.Responses[status]
		answer := apiAnswer{Status: status, Description: response.Description}
		for _, media := range slices.Sorted(maps.Keys(response.Content)) {
			answer.Media = media
			schema := response.Content[media].Schema
			answer.Schema = schema.name()
			answer.Fields = fields[answer.Schema]
		}
		if status == "200" && answer.Schema == "" && answer.Media != "application/json" {
			out.Download = !strings.HasPrefix(answer.Media, "text/plain") || strings.HasSuffix(path, "SHA256SUMS")
		}
		out.Answers = append(out.Answers, answer)
	}
	return out
}

// name is the schema that is referred to.
func (s *rawSchema) name() string {
	return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
}

func (s *rawSchema) example() string {
	if len(s.Examples) == 0 {
		return ""
	}
	return valueText(s.Examples[0])
}

func (s *rawSchema) fields() []apiField {
	var list []apiField
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		list = append(list, apiField{name, p.Description, p.example(), slices.Contains(s.Required, name), p.typed()})
	}
	return list
}

func (s *rawSchema) typed() apiType {
	if s.Ref != "" {
		return apiType{Schema: s.name()}
	}
	kind := strings.Trim(string(s.Type), `"[]`)
	if kind == "array" && s.Items != nil {
		t := s.Items.typed()
		t.List = true
		return t
	}
	t := apiType{Plain: cmp.Or(kind, "object"), Format: s.Format, Default: valueText(s.Default), Minimum: s.Minimum, Maximum: s.Maximum, MaxLength: s.MaxLength}
	for _, e := range s.Enum {
		t.Enum = append(t.Enum, valueText(e))
	}
	return t
}

// valueText is a JSON value as people write it; "" for none.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
