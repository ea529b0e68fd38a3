package govbrsim

import (
	"context"
	"encoding/json"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"selo/fault"
)

// Exchange is one request in its world. Handlers get nothing else.
type Exchange struct {
	// Request has the path without the world's prefix.
	Request *http.Request
	World   *World

	server *Server
	writer http.ResponseWriter
	guard  Guard
}

// exchangeKey is where a request carries its [Exchange] through the mux.
type exchangeKey struct{}

func exchangeOf(r *http.Request) *Exchange {
	x := r.Context().Value(exchangeKey{}).(*Exchange) //nolint:forcetypeassert // ServeHTTP put it there
	x.Request = r                                     // the mux filled its path values
	return x
}

// Answer is what a handler gives back. It is written when the world's lock is free.
type Answer interface {
	write(*Exchange) error
}

// Redirect sends the browser on. To is a whole address, or a path of this world.
type Redirect struct {
	To     string
	Status int // zero: 303
}

func (d Redirect) write(x *Exchange) error {
	to := d.To
	if strings.HasPrefix(to, "/") {
		to = x.World.base + to
	}
	h := x.writer.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Location", to)
	x.writer.WriteHeader(orElse(d.Status, http.StatusSeeOther))
	return nil
}

// Wire is a JSON answer of a service. Nothing is added to it, no line end either.
type Wire struct {
	Status  int // zero: 200
	Body    any // nil: empty
	Headers map[string]string
}

func (a Wire) write(x *Exchange) error {
	var body []byte
	if a.Body != nil {
		var err error
		if body, err = encode(a.Body); err != nil {
			return err
		}
	}
	h := x.writer.Header()
	for name, value := range a.Headers {
		h.Set(name, value)
	}
	if body != nil && h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json;charset=UTF-8")
	}
	h.Set("Cache-Control", "no-store")
	x.send(orElse(a.Status, http.StatusOK), body)
	return nil
}

// Bytes is an answer of any kind.
type Bytes struct {
	Type   string
	Body   []byte
	Keep   bool // browsers may keep it
	Status int  // zero: 200
}

func (a Bytes) write(x *Exchange) error {
	h := x.writer.Header()
	h.Set("Content-Type", a.Type)
	if a.Keep {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-store")
	}
	x.send(orElse(a.Status, http.StatusOK), a.Body)
	return nil
}

// send writes status and body; a visitor that has gone reads nothing.
func (x *Exchange) send(status int, body []byte) {
	x.writer.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.writer.WriteHeader(status)
	if x.Request.Method != http.MethodHead {
		_, _ = x.writer.Write(body)
	}
}

// encode writes JSON as it is, "<" and "&" too, without a line end.
func encode(v any) ([]byte, error) {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(out.String(), "\n")), nil
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func itoa(n int) string { return strconv.Itoa(n) }

// query reads the parameters of the address. Fault: Invalid "govbrsim.query"
// when it cannot be read.
func (x *Exchange) query() (url.Values, error) {
	q, err := url.ParseQuery(x.Request.URL.RawQuery)
	if err != nil {
		return nil, fault.New(fault.Invalid, "govbrsim.query").Because(err)
	}
	return q, nil
}

// form reads a posted form. Fault: Invalid "govbrsim.form" when there is none.
func (x *Exchange) form() (url.Values, error) {
	media, _, err := mime.ParseMediaType(x.Request.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, fault.New(fault.Invalid, "govbrsim.form").Because(err)
	}
	if err := x.Request.ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "govbrsim.form").Because(err)
	}
	return x.Request.PostForm, nil
}

// repeated is the first parameter that comes more than once, or "".
func repeated(q url.Values) string {
	for name, values := range q {
		if len(values) > 1 {
			return name
		}
	}
	return ""
}

// cookieValue is a cookie of this world.
func (x *Exchange) cookieValue(name string) string {
	c, err := x.Request.Cookie(x.World.cookie(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie leaves a cookie of this world that ends with the browser; an empty
// value removes it.
func (x *Exchange) setCookie(name, value string) {
	c := &http.Cookie{Name: x.World.cookie(name), Value: value, Path: x.World.prefix() + "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: x.server.url.Scheme == "https"}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(x.writer, c)
}

// broken closes the connection without an answer when a switch asks for it.
func (s *Server) broken(x *Exchange, path string) bool {
	w := x.World
	w.mu.Lock()
	id, _, _ := x.Request.BasicAuth()
	if id == "" {
		if q, err := x.query(); err == nil {
			id = q.Get("client_id")
		}
	}
	reset := w.switchesFor(w.clients[id], nil).Reset
	w.mu.Unlock()
	for _, p := range reset {
		if p != path {
			continue
		}
		if hijacker, ok := x.writer.(http.Hijacker); ok {
			if conn, _, err := hijacker.Hijack(); err == nil {
				if tcp, ok := conn.(*net.TCPConn); ok {
					_ = tcp.SetLinger(0) // a reset, not an orderly end
				}
				_ = conn.Close()
				return true
			}
		}
		panic(http.ErrAbortHandler)
	}
	return false
}

// context is the request's.
func (x *Exchange) context() context.Context { return x.Request.Context() }
