package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"

	"selo/fault"
	"selo/locale"
	"selo/refusal"

	"github.com/google/uuid"
)

// retryAfter is what a 503 asks for, in seconds.
const retryAfter = "30"

// Problem is the body of every failed answer (RFC 9457).
type Problem struct {
	Type     string            `json:"type" example:"about:blank"`
	Title    string            `json:"title" example:"Há dados a corrigir"`
	Status   int               `json:"status" example:"422"`
	Detail   string            `json:"detail" example:"Há parâmetros que não podem ser lidos."`
	Instance string            `json:"instance" example:"urn:uuid:0199b2c4-7f3e-7d11-a1c5-2f6de1a0c001"`
	Code     string            `json:"codigo" example:"api.parameters"`
	Rule     string            `json:"regra,omitempty" example:"manual 2.2.4"`
	Action   string            `json:"acao,omitempty" example:"Corrija os parâmetros e repita o pedido."`
	Errors   []locale.Rendered `json:"erros,omitempty"`

	header http.Header
}

// Error implements error; it is for logs.
func (p *Problem) Error() string { return strconv.Itoa(p.Status) + " " + p.Code }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// titleOf holds the titles of refusals; others have that of invalid input.
var titleOf = map[int]string{
	http.StatusUnauthorized:          "api.title.unauthorized",
	http.StatusMethodNotAllowed:      "api.title.method",
	http.StatusRequestEntityTooLarge: "api.title.too_large",
	http.StatusRequestURITooLong:     "api.title.too_large",
	http.StatusUnsupportedMediaType:  "api.title.media_type",
	http.StatusTooManyRequests:       "api.title.too_many",
}

// problemOf puts an error into words. An internal error shows its id only;
// logging it is the caller's part.
func problemOf(lang locale.Lang, err error) *Problem {
	id := uuid.Must(uuid.NewV7()).String()
	var words locale.Failure
	header := http.Header{}
	status := http.StatusInternalServerError
	var ref *refusal.Refusal
	f := fault.Of(err)
	switch {
	case errors.As(err, &ref):
		status, header = ref.Status, ref.Header
		words = locale.Fault(lang, ref.Fault)
		if title, ok := titleOf[status]; ok {
			words.Title = locale.Text(lang, title, nil)
		}
	case f != nil && refusal.StatusOf[f.Kind] != 0:
		status = refusal.StatusOf[f.Kind]
		words = locale.Fault(lang, f)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		status = http.StatusServiceUnavailable
		words = locale.Fault(lang, fault.New(fault.Unavailable, "api.timeout"))
	default:
		words = locale.Internal(lang, id)
	}
	if status == http.StatusServiceUnavailable && header.Get("Retry-After") == "" {
		header.Set("Retry-After", retryAfter)
	}
	header.Set("Content-Language", languageTag[lang])
	header.Set("Vary", "Accept-Language")
	return &Problem{Type: "about:blank", Title: words.Title, Status: status, Detail: words.Detail, Instance: "urn:uuid:" + id,
		Code: words.Code, Rule: words.Rule, Action: words.Action, Errors: words.Problems, header: header}
}

var languageTag = map[locale.Lang]string{locale.PT: "pt-BR", locale.EN: "en", locale.ES: "es"}

// problem makes the answer to err and logs what people do not see: the inside
// of internal errors and the causes of faults.
func (s *Server) problem(r *http.Request, err error) *Problem {
	p := problemOf(langOf(r), err)
	attrs := []any{"id", p.Instance, "method", r.Method, "path", r.URL.Path, "status", p.Status, "error", err}
	switch f := fault.Of(err); {
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		s.log.Debug("request abandoned", attrs...)
	case p.Status >= http.StatusInternalServerError && (f == nil || f.Cause != nil):
		s.log.Error("request failed", attrs...)
	case f != nil && (f.Cause != nil || f.Kind == fault.Unavailable):
		s.log.Info("request refused", attrs...)
	}
	return p
}

// fail answers with the problem of err, unless the answer has begun: then the
// connection is cut, so that nobody takes half an answer for a whole one.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problem(r, err)
	if rec, ok := w.(*recorder); ok && rec.status != 0 {
		s.log.Error("answer cut short", slog.String("id", p.Instance), slog.String("path", r.URL.Path))
		panic(http.ErrAbortHandler)
	}
	body, err := json.Marshal(p)
	if err != nil { // a Problem holds strings only
		panic(err)
	}
	h := w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	h.Set("Content-Type", problemType)
	h.Del("Content-Disposition")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a caller that has gone reads nothing
	}
}

// langOf reads Accept-Language: the best of Portuguese, English and Spanish, else Portuguese.
func langOf(r *http.Request) locale.Lang {
	return pickLang(r.Header.Get("Accept-Language"))
}

func pickLang(header string) locale.Lang {
	best, bestQ := locale.PT, 0.0
	if len(header) > 500 {
		return best
	}
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(part, ";")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			parsed, err := strconv.ParseFloat(value, 64)
			if err != nil {
				continue
			}
			q = parsed
		}
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		for _, lang := range locale.Langs() {
			if primary == string(lang) && q > bestQ && q <= 1 {
				best, bestQ = lang, q
			}
		}
	}
	return best
}
