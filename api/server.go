package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"selo/catalog"
	"selo/certificate"
	"selo/clock"
	"selo/fault"
	"selo/refusal"
	"selo/registry"
	"selo/remessa"
	"selo/replica"
	"selo/throttle"

	"github.com/danielgtaylor/huma/v2"
)

const (
	// DefaultMaxBundle is the largest delivery, in bytes.
	DefaultMaxBundle = 2 << 30
	// DefaultHeavy is how many deliveries, and how many exports, run at the same time.
	DefaultHeavy = 8

	maxURI      = 8 << 10          // bytes of path and query
	maxAuth     = 4 << 10          // bytes of a token
	answerLimit = 15 * time.Second // for all but deliveries and downloads
)

// Deps are what the API stands on. Clock and Catalog are needed; the zero value
// of the others is usable.
type Deps struct {
	// Registry is the official base; nil on a node that only serves a snapshot.
	Registry *registry.Registry
	Catalog  *catalog.Holder
	Clock    clock.Clock
	Log      *slog.Logger
	Version  string // of the program
	URL      string // public address, without a slash at the end; for the OpenAPI document
	Temp     string // folder for deliveries and downloads in progress; empty: the system's
	// Shelf is where this node keeps the snapshots that others may copy; nil: none may.
	Shelf *catalog.Shelf
	// Replica is how this node follows others; nil on a node that has the base.
	Replica *replica.Replica
	// CheckDigests refuses digests of open data that the registry has not signed;
	// nil accepts none on a node without the base.
	CheckDigests func(text []byte, signature string) error
	// Limiter refuses requests before they come here; only its count is read.
	Limiter *throttle.Limiter
	// MaxBundle is the largest delivery in bytes; zero is [DefaultMaxBundle].
	MaxBundle int64
	// Heavy bounds the deliveries, and apart from them the exports, at work at
	// the same time; zero is [DefaultHeavy]. A quarter as many deliveries without
	// a token have places of their own.
	Heavy int
}

// Server serves the API. It is safe for concurrent use.
type Server struct {
	deps       Deps
	log        *slog.Logger
	routes     []*route
	mux        *http.ServeMux
	huma       huma.API
	bound      binder // of the routes that huma reads
	document   []byte
	lookUp     *route
	proof      *route
	metrics    *metrics
	deliveries chan struct{} // one token for each delivery at work
	carried    chan struct{} // the same for those by nobody in particular, which keep no body from delivering
	exports    chan struct{}
	edition    atomic.Pointer[edition]
	names      atomic.Pointer[names]
	buffers    sync.Pool // of *[]byte, for answers about single certificates
	files      dataFiles
	known      knownDigests
}

// New makes the API. It serves "/api/", "/saude", "/pronto" and "/metrics"
// (see [Owns]); everything else is its 404. Hand it those requests before any
// http.ServeMux sees them: a mux would clean the slashes of certificate numbers.
func New(d Deps) *Server {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.MaxBundle == 0 {
		d.MaxBundle = DefaultMaxBundle
	}
	if d.Heavy == 0 {
		d.Heavy = DefaultHeavy
	}
	if d.Version == "" {
		d.Version = "dev"
	}
	if d.Registry != nil && d.CheckDigests == nil {
		key := d.Registry.Keys.Public().Sign
		d.CheckDigests = func(text []byte, signature string) error { return remessa.CheckDigests(text, signature, key) }
	}
	s := &Server{deps: d, log: d.Log, mux: http.NewServeMux(), bound: binder{},
		deliveries: make(chan struct{}, d.Heavy), carried: make(chan struct{}, max(1, d.Heavy/4)), exports: make(chan struct{}, d.Heavy)}
	s.metrics = newMetrics(s)
	s.huma = newHuma(d, s.bound)
	s.routes = s.table()
	for _, rt := range s.routes {
		s.mount(rt)
	}
	s.mux.HandleFunc("/", s.noRoute)
	s.document = s.makeDocument()
	return s
}

// Owns tells whether a path belongs to the API.
func Owns(path string) bool {
	return strings.HasPrefix(path, "/api/") || path == "/saude" || path == "/pronto" || path == "/metrics"
}

// call is one request on its way.
type call struct {
	w       *recorder
	r       *http.Request
	route   *route
	caller  certificate.Sigla // of a checked token; empty without
	catalog *catalog.Catalog  // of a route that asks the catalog
}

// dispatch finds the route. Addresses of certificates are read here, because
// ServeMux would redirect those that hold "//".
func (s *Server) dispatch(w *recorder, r *http.Request) {
	if len(r.RequestURI) > maxURI {
		s.fail(w, r, refusal.New(http.StatusRequestURITooLong, "api.uri_too_long"))
		return
	}
	escaped := r.URL.EscapedPath()
	rest, found := strings.CutPrefix(escaped, certificatesPath)
	if !found || rest == "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	a, ok := parseAddress(rest)
	if !ok {
		s.fail(w, r, fault.New(fault.NotFound, "api.route"))
		return
	}
	r.SetPathValue("organismo", a.Body)
	r.SetPathValue("numero", a.Number)
	rt := s.lookUp
	if a.Proof {
		rt = s.proof
	}
	s.serve(rt, w, r)
}

// serve runs one route: method, power, catalog and its conditions, handler.
func (s *Server) serve(rt *route, w *recorder, r *http.Request) {
	w.route = rt
	if rt.power == Public && rt.op.Method == http.MethodGet {
		w.Header()["Access-Control-Allow-Origin"] = anyOrigin
	}
	if !rt.takes(r.Method) {
		s.wrongMethod(w, r, rt.methods())
		return
	}
	if err := s.run(&call{w: w, r: r, route: rt}); err != nil {
		s.fail(w, r, err)
	}
}

func (s *Server) run(c *call) error {
	if err := s.authorise(c); err != nil {
		return err
	}
	if c.route.fromCatalog {
		current, release, err := s.currentCatalog()
		if err != nil {
			return err
		}
		defer release()
		c.catalog = current
		if s.notModified(c) {
			c.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	} else {
		c.w.Header()["Cache-Control"] = noStore
	}
	if !c.route.unbounded {
		ctx, cancel := context.WithTimeout(c.r.Context(), answerLimit)
		defer cancel()
		c.r = c.r.WithContext(ctx)
	}
	return c.route.handle(c)
}

// noRoute answers what no route matches: 405 with the methods that would, or 404.
func (s *Server) noRoute(w http.ResponseWriter, r *http.Request) {
	rec := w.(*recorder) // ServeHTTP made it
	for _, rt := range s.routes {
		probe := r.Clone(r.Context())
		probe.Method = rt.op.Method
		if _, pattern := s.mux.Handler(probe); pattern == rt.pattern() {
			rec.route = rt
			s.wrongMethod(rec, r, rt.methods())
			return
		}
	}
	s.fail(rec, r, fault.New(fault.NotFound, "api.route"))
}

// wrongMethod answers OPTIONS, which browsers ask before some requests of other
// sites, and refuses the rest.
func (s *Server) wrongMethod(w *recorder, r *http.Request, allowed string) {
	w.Header().Set("Allow", allowed)
	if r.Method == http.MethodOptions {
		if rt := w.route; rt.power == Public && rt.op.Method == http.MethodGet {
			w.Header()["Access-Control-Allow-Origin"] = anyOrigin
			w.Header().Set("Access-Control-Allow-Methods", allowed)
			w.Header().Set("Access-Control-Allow-Headers", "If-None-Match, If-Modified-Since")
			w.Header().Set("Access-Control-Max-Age", "86400")
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.fail(w, r, refusal.New(http.StatusMethodNotAllowed, "api.method", "metodo", methodLabel(r.Method), "permitidos", allowed))
}

// read runs body on the official base.
func (s *Server) read(ctx context.Context, body func(registry.Tx) error) error {
	if s.deps.Registry == nil {
		return fault.New(fault.NotFound, "api.not_here")
	}
	return s.deps.Registry.Store.Read(ctx, body)
}

// enter takes a place among the heavy requests; leave gives it back.
func enter(places chan struct{}) (leave func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	default:
		return nil, fault.New(fault.Unavailable, "api.busy")
	}
}

// gone tells whether err only says that the caller has left.
func gone(c *call, err error) bool {
	return errors.Is(err, context.Canceled) && c.r.Context().Err() != nil
}
