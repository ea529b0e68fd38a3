package web

import (
	"io"
	"net/http"
	"time"

	"selo/clock"
)

// Answered is told how one answer went: the method as asked, the route's
// [Route.Path] in whatever language ("" where no route matched), the status (0
// when the connection ended instead) and the time it took. It must be quick and
// safe for concurrent use.
type Answered func(method, route string, status int, took time.Duration)

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status  int // 0 until the header is written
	started time.Time
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 { // 1xx are not the answer yet
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom keeps the kernel's way of sending files.
func (w *recorder) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return io.Copy(w.ResponseWriter, r)
}

// tell says how the answer went to whoever wants to know.
func (s *Server) tell(r *Request, rec *recorder) {
	if s.deps.Answered == nil {
		return
	}
	route := ""
	if r.route != nil {
		route = r.route.Path
	}
	s.deps.Answered(r.HTTP.Method, route, rec.status, networkNow().Sub(rec.started))
}

// networkNow is the machine's time for durations, which mean real time even
// where a test stops the clock of the domain.
func networkNow() time.Time { return clock.System{}.Now() }
