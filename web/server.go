package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"selo/account"
	"selo/catalog"
	"selo/clock"
	"selo/fault"
	"selo/govbr"
	"selo/locale"
	"selo/refusal"
	"selo/registry"

	"github.com/google/uuid"
)

const (
	maxURI      = 8 << 10  // bytes of path and query
	maxForm     = 64 << 10 // bytes of a form
	answerLimit = 15 * time.Second
)

// Deps are what the pages stand on. Clock and Catalog are needed; the zero
// value of the others is usable.
type Deps struct {
	// Registry is the official base; nil on a node that only serves a snapshot.
	Registry *registry.Registry
	Catalog  *catalog.Holder
	Clock    clock.Clock
	Log      *slog.Logger
	Version  string // of the program
	URL      string // public address, without a slash at the end; for links that others keep
	// Accounts are the people who sign in; nil on a node without the base, which
	// has none of their pages.
	Accounts account.Store
	// GovBR signs people in; nil: the pages say that sign-in is not configured.
	GovBR *govbr.Client
	// Sessions bound sessions and sign-ins under way.
	Sessions account.Limits
	// Client tells the address of who asks; nil: the connection's.
	Client func(*http.Request) netip.Addr
	// Answered is told how every answer went but those of [Server.TooMany]; nil:
	// nobody is. See [Answered].
	Answered Answered
	// OpenData tells what this server has of the open data; nil: only what is shown.
	OpenData func() []catalog.OpenData
	// Document is the OpenAPI document of the API, as JSON; nil: it is not explained.
	Document []byte
	// Rate and Burst are the requests a second, and at once, that one client may
	// make; zero: no limit.
	Rate  float64
	Burst int
}

// Server serves the pages. It is safe for concurrent use.
type Server struct {
	deps         Deps
	log          *slog.Logger
	routes       []Route
	mux          *http.ServeMux
	certificates map[string]resource // below a certificate's address, by tail
	tails        []string            // the keys of certificates but ""
	origin       *http.CrossOriginProtection
	edition      atomic.Pointer[edition]
	policy       []string                     // Content-Security-Policy of pages that are not public
	apiDoc       func() (*apiDocument, error) // read at the first question
}

// resource is what stands at one path: its route for each method.
type resource map[string]*Route

// New makes the site. It serves every path that api.Owns does not claim; hand
// it requests before any http.ServeMux sees them, because a mux would clean the
// slashes of certificate numbers.
func New(d Deps) *Server {
	s := bare(d)
	s.routes = s.table()
	s.mount()
	return s
}

// bare is a server without routes.
func bare(d Deps) *Server {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	d.URL = strings.TrimSuffix(d.URL, "/")
	s := &Server{deps: d, log: d.Log, mux: http.NewServeMux(), certificates: map[string]resource{}, origin: http.NewCrossOriginProtection(),
		apiDoc: sync.OnceValues(func() (*apiDocument, error) { return readAPIDocument(d.Document) })}
	s.policy = policyWith()
	if d.GovBR != nil {
		_, start := d.GovBR.Start(govbr.StartOptions{})
		s.policy = policyWith(start, d.GovBR.LogoutURL())
	}
	if d.URL != "" {
		if err := s.origin.AddTrustedOrigin(d.URL); err != nil {
			d.Log.Warn("public address is not an origin: forms are taken from the requested host only", "url", d.URL, "error", err)
		}
	}
	return s
}

// mount makes the routes answer, each in every language.
func (s *Server) mount() {
	paths := map[string]resource{}
	for i := range s.routes {
		rt := &s.routes[i]
		if tail, below := strings.CutPrefix(rt.Path, certificatePattern); below {
			tail = strings.TrimPrefix(tail, "/")
			if s.certificates[tail] == nil {
				s.certificates[tail] = resource{}
				if tail != "" {
					s.tails = append(s.tails, tail)
				}
			}
			s.certificates[tail][rt.Method] = rt
			continue
		}
		if paths[rt.Path] == nil {
			paths[rt.Path] = resource{}
		}
		paths[rt.Path][rt.Method] = rt
	}
	for path, res := range paths {
		for _, lang := range locale.Langs() {
			if lang != locale.PT && res.plain() {
				continue
			}
			s.mux.HandleFunc(prefixes[lang]+muxPattern(path), func(w http.ResponseWriter, r *http.Request) {
				s.serve(res, requestOf(r), w)
			})
		}
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.noRoute(requestOf(r), w) })
}

// muxPattern keeps the first page from being everything below it.
func muxPattern(path string) string {
	if path == "/" {
		return "/{$}"
	}
	return path
}

// requestKey is where a request carries its [Request] through the mux.
type requestKey struct{}

func requestOf(r *http.Request) *Request {
	req := r.Context().Value(requestKey{}).(*Request) //nolint:forcetypeassert // ServeHTTP put it there
	req.HTTP = r                                      // the mux filled its path values
	return req
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for name, value := range secure {
		h[name] = value
	}
	if strings.HasPrefix(s.deps.URL, "https://") {
		h["Strict-Transport-Security"] = transport
	}
	lang, path := splitLanguage(r.URL.EscapedPath())
	req := &Request{server: s, Lang: lang, path: path, id: uuid.Must(uuid.NewV7()).String()}
	ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), requestKey{}, req), answerLimit)
	defer cancel()
	req.HTTP = r.WithContext(ctx)
	rec := &recorder{ResponseWriter: w, started: networkNow()}
	defer s.tell(req, rec)
	defer s.caught(req, rec)
	s.dispatch(req, rec)
}

// caught turns a panic into a page.
func (s *Server) caught(r *Request, w http.ResponseWriter) {
	switch cause := recover(); cause {
	case nil:
	case http.ErrAbortHandler:
		panic(cause)
	default:
		s.log.Error("panic", "id", r.id, "method", r.HTTP.Method, "path", r.HTTP.URL.Path, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		s.fail(r, w, fmt.Errorf("panic: %v", cause))
	}
}

// dispatch finds the route. Addresses of certificates are read here, because
// ServeMux would redirect those that hold "//".
func (s *Server) dispatch(r *Request, w http.ResponseWriter) {
	if len(r.HTTP.RequestURI) > maxURI {
		s.fail(r, w, refusal.New(http.StatusRequestURITooLong, "web.uri_too_long"))
		return
	}
	rest, below := strings.CutPrefix(r.path, certificatesPath)
	if !below || rest == "" || len(s.certificates) == 0 {
		s.mux.ServeHTTP(w, r.HTTP)
		return
	}
	a, ok := catalog.ParseAddress(rest, s.tails...)
	if !ok {
		s.fail(r, w, fault.New(fault.NotFound, "web.not_found"))
		return
	}
	res := s.certificates[a.Tail]
	if r.Lang != locale.PT && res.plain() {
		s.fail(r, w, fault.New(fault.NotFound, "web.not_found"))
		return
	}
	r.HTTP.SetPathValue("organismo", a.Body)
	r.HTTP.SetPathValue("numero", a.Number)
	s.serve(res, r, w)
}

// serve runs one route: method, origin, catalog and its conditions, handler.
func (s *Server) serve(res resource, r *Request, w http.ResponseWriter) {
	method := r.HTTP.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	rt := res[method]
	if rt == nil {
		allowed := res.methods()
		s.fail(r, w, refusal.New(http.StatusMethodNotAllowed, "web.method").With("Allow", allowed))
		return
	}
	r.route = rt
	if err := s.run(r, w); err != nil {
		s.fail(r, w, err)
	}
}

func (s *Server) run(r *Request, w http.ResponseWriter) error {
	if err := s.origin.Check(r.HTTP); err != nil {
		return fault.New(fault.Forbidden, "web.other_site").Because(err)
	}
	r.HTTP.Body = http.MaxBytesReader(w, r.HTTP.Body, maxForm)
	if r.route.Camera {
		w.Header()["Permissions-Policy"] = camera
	}
	if answer, err := s.admit(r, w); err != nil {
		return err
	} else if answer != nil {
		return answer.write(r, w)
	}
	if r.route.FromCatalog {
		current, release, ok := s.deps.Catalog.Acquire()
		if !ok {
			return fault.New(fault.Unavailable, "web.no_publication")
		}
		defer release()
		r.Catalog = current
		if s.notModified(r, w) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	answer, err := r.route.Handle(r)
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return refusal.New(http.StatusRequestEntityTooLarge, "web.form_too_large")
		}
		return err
	}
	return answer.write(r, w)
}

// noRoute answers what no route matches.
func (s *Server) noRoute(r *Request, w http.ResponseWriter) {
	w.Header().Set("Cache-Control", noStore)
	if trimmed := strings.TrimRight(r.path, "/"); trimmed != "" && trimmed != r.path && strings.HasPrefix(trimmed, "/") && !strings.HasPrefix(trimmed, "//") {
		http.Redirect(w, r.HTTP, r.relative(trimmed), http.StatusPermanentRedirect) //nolint:gosec // a path: it begins with one slash
		return
	}
	s.fail(r, w, fault.New(fault.NotFound, "web.not_found"))
}
