package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"selo/clock"
)

// recorder remembers how an answer went, for metrics and for failing halfway.
type recorder struct {
	http.ResponseWriter
	route   *route // nil until one matched
	status  int    // 0 until the header is written
	started time.Time
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter. A failed answer is never kept by caches.
func (w *recorder) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	if status >= 200 { // 1xx are not the answer yet
		w.status = status
	}
	if status >= 400 {
		h := w.Header()
		delete(h, "Etag")
		delete(h, "Last-Modified")
		h["Cache-Control"] = noStore
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom keeps the kernel's way of sending files.
func (w *recorder) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return io.Copy(w.ResponseWriter, r)
}

var (
	noStore   = []string{"no-store"}
	anyOrigin = []string{"*"}
	jsonType  = []string{"application/json; charset=utf-8"}
)

// secure are the headers of every answer; the slices are shared and never written to.
var secure = http.Header{
	"X-Content-Type-Options":       {"nosniff"},
	"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
	"Referrer-Policy":              {"no-referrer"},
	"Cross-Origin-Resource-Policy": {"cross-origin"},
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w, started: networkNow()}
	h := w.Header()
	for name, values := range secure {
		h[name] = values
	}
	defer s.end(rec, r)
	s.dispatch(rec, r)
}

// end turns a panic into a problem and measures the answer.
func (s *Server) end(rec *recorder, r *http.Request) {
	caught := recover()
	if failure, is := caught.(error); caught != nil && (!is || !errors.Is(failure, http.ErrAbortHandler)) {
		s.log.Error("panic", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(caught), "stack", string(debug.Stack()))
		if rec.status != 0 {
			caught = http.ErrAbortHandler
		} else {
			s.fail(rec, r, fmt.Errorf("panic: %v", caught))
			caught = nil
		}
	}
	pattern := otherRoute
	if rec.route != nil {
		pattern = rec.route.op.Path
	}
	s.metrics.observe(r.Method, pattern, rec.status, networkNow().Sub(rec.started))
	if caught != nil {
		panic(caught)
	}
}

// methodLabel keeps invented methods out of the metrics.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions, http.MethodPut, http.MethodDelete, http.MethodPatch:
		return method
	}
	return otherRoute
}

const otherRoute = "outra"

// networkNow is the machine's time for durations and connection deadlines,
// which mean real time even where a test stops the clock of the domain.
func networkNow() time.Time { return clock.System{}.Now() }
