package web

import (
	"context"
	"errors"
	"net/http"
	"os"

	"selo/fault"
	"selo/locale"
	"selo/refusal"

	"github.com/a-h/templ"
)

// retryAfter is what a 503 asks for, in seconds.
const retryAfter = "30"

// titleOf holds the titles of refusals; others have that of their fault's kind.
var titleOf = map[int]string{
	http.StatusMethodNotAllowed:      "web.title.method",
	http.StatusRequestEntityTooLarge: "web.title.too_large",
	http.StatusRequestURITooLong:     "web.title.too_large",
	http.StatusTooManyRequests:       "web.title.too_many",
}

// failure is the page of an error: what happened, what to do, the number of
// the request. Of an internal error it holds nothing but the number.
type failure struct {
	status int
	id     string
	locale.Failure
	header http.Header
}

// failureOf puts an error into words.
func failureOf(r *Request, err error) failure {
	f := failure{id: r.id, header: http.Header{}}
	known := fault.Of(err)
	var ref *refusal.Refusal
	switch {
	case errors.As(err, &ref):
		f.status, f.header = ref.Status, ref.Header
		f.Failure = locale.Fault(r.Lang, ref.Fault)
		if title, ok := titleOf[f.status]; ok {
			f.Title = r.Text(title)
		}
	case known != nil && refusal.StatusOf[known.Kind] != 0:
		f.status = refusal.StatusOf[known.Kind]
		f.Failure = locale.Fault(r.Lang, known)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		f.status = http.StatusServiceUnavailable
		f.Failure = locale.Fault(r.Lang, fault.New(fault.Unavailable, "web.timeout"))
	default:
		f.status = http.StatusInternalServerError
		f.Failure = locale.Fault(r.Lang, &fault.Fault{Key: "web.internal"})
	}
	if f.status == http.StatusServiceUnavailable {
		f.header.Set("Retry-After", retryAfter)
	}
	return f
}

// fail answers with the page of err and logs what people do not see: the
// inside of internal errors and the causes of faults.
func (s *Server) fail(r *Request, w http.ResponseWriter, err error) {
	f := failureOf(r, err)
	attrs := []any{"id", r.id, "method", r.HTTP.Method, "path", r.HTTP.URL.Path, "status", f.status, "error", err}
	switch known := fault.Of(err); {
	case errors.Is(err, context.Canceled):
		s.log.Debug("request abandoned", attrs...)
	case f.status >= http.StatusInternalServerError && (known == nil || known.Cause != nil):
		s.log.Error("request failed", attrs...)
	case known != nil && (known.Cause != nil || known.Kind == fault.Unavailable):
		s.log.Info("request refused", attrs...)
	}
	h := w.Header()
	for _, name := range []string{"Etag", "Last-Modified", "Content-Disposition"} {
		h.Del(name)
	}
	for name, values := range f.header {
		h[name] = values
	}
	h.Set("Cache-Control", noStore)
	// The page is drawn even when the visitor's time is up.
	r.HTTP = r.HTTP.WithContext(context.WithoutCancel(r.HTTP.Context()))
	if err := (Page{View: f, Status: f.status}).write(r, w); err != nil {
		s.log.Error("page of a failure not drawn", "id", r.id, "error", err)
		http.Error(w, f.Title+"\n"+r.id, f.status)
	}
}

// Head implements [View].
func (f failure) Head(*Request) Head { return Head{Title: f.Title, NoIndex: true} }

// Body implements [View].
func (f failure) Body(r *Request) templ.Component { return failureBody(r, f) }
