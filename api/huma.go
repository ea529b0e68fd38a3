package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"selo/fault"
	"selo/locale"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// callKey finds the call in a context that went through huma.
type callKey struct{}

// binder is the huma adapter that keeps each operation's handler for the route
// table, instead of putting it on a mux by itself.
type binder map[string]http.HandlerFunc

// Handle implements huma.Adapter.
func (b binder) Handle(op *huma.Operation, handler func(huma.Context)) {
	b[op.OperationID] = func(w http.ResponseWriter, r *http.Request) { handler(humago.NewContext(op, r, w)) }
}

// ServeHTTP implements huma.Adapter; requests come through the route table.
func (b binder) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "", http.StatusNotFound)
}

// newHuma makes huma's part of the API: reading and checking parameters,
// writing JSON, and the document's schemas.
func newHuma(d Deps, bound binder) huma.API {
	setHuma()
	config := huma.DefaultConfig("Selo: registro nacional da conformidade", d.Version)
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	config.CreateHooks = nil // no "$schema" in answers
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.RejectUnknownQueryParameters = true // a mistyped filter must not look like an empty one
	config.AllowAdditionalPropertiesByDefault = true
	return huma.NewAPI(config, bound)
}

// setHuma makes huma's own refusals problems in the caller's language.
// huma keeps these settings for the whole process.
var setHuma = sync.OnceFunc(func() {
	huma.DefaultArrayNullable = false // lists are never null here
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
		lang := locale.PT
		if ctx != nil {
			lang = pickLang(ctx.Header("Accept-Language"))
		}
		return parameterProblem(lang, status, errs)
	}
	huma.NewError = func(status int, _ string, errs ...error) huma.StatusError {
		return parameterProblem(locale.PT, status, errs)
	}
})

// parameterProblem tells which parameters huma could not read. The words are
// ours: huma's are English and name Go's parsers.
func parameterProblem(lang locale.Lang, status int, errs []error) *Problem {
	f := fault.New(fault.Invalid, "api.parameters")
	for _, err := range errs {
		var detail *huma.ErrorDetail
		if !errors.As(err, &detail) {
			continue
		}
		_, field, _ := strings.Cut(detail.Location, ".")
		code := "api.parameter.value"
		switch {
		case strings.HasPrefix(detail.Message, "unknown query"):
			code = "api.parameter.unknown"
		case strings.HasPrefix(detail.Message, "required "):
			code = "api.parameter.missing"
		}
		f.Problems = append(f.Problems, fault.Problem{Field: field, Code: code, Args: fault.Pairs("parametro", excerpt(field))})
	}
	p := problemOf(lang, f)
	if status >= 400 && status != http.StatusUnprocessableEntity {
		p.Status = status
	}
	return p
}

// excerpt keeps what a caller sent from filling an answer.
func excerpt(s string) string {
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:59]) + "…"
	}
	return s
}

// typed makes a route that huma reads: parameters into I, the body of O out as JSON.
func typed[I, O any](s *Server, rt route, h func(ctx context.Context, c *call, in *I) (*O, error)) *route {
	rt.registered = true
	huma.Register(s.huma, rt.op, func(ctx context.Context, in *I) (*O, error) {
		c := ctx.Value(callKey{}).(*call) // handle below has put it there
		out, err := h(ctx, c, in)
		if err != nil {
			return nil, s.problem(c.r, err)
		}
		return out, nil
	})
	serve := s.bound[rt.op.OperationID]
	rt.handle = func(c *call) error {
		serve(c.w, c.r.WithContext(context.WithValue(c.r.Context(), callKey{}, c)))
		return nil
	}
	return &rt
}
