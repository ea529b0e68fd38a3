package api

import (
	"crypto/ed25519"
	"net/http"
	"strings"

	"selo/certificate"
	"selo/fault"
	"selo/refusal"
	"selo/registry"
	"selo/remessa"

	"github.com/danielgtaylor/huma/v2"
)

// Power is what a route asks of its caller.
type Power string

// The powers. A token that comes with a request is checked in any case but on
// public routes, which do not look at it.
const (
	Public Power = "publico"             // anybody
	Either Power = "publico, organismo+" // anybody; the body sees or may more with its token
	Own    Power = "organismo"           // the body named in the path, with its token
)

// route is one row of the table: what is asked (op), who may, and who answers.
type route struct {
	op          huma.Operation
	power       Power
	handle      func(*call) error
	fromCatalog bool // answers from the snapshot: ETag, Last-Modified, 304
	unbounded   bool // has its own time limits
	registered  bool // its operation is in the document
}

// RouteInfo is a row of the route table, for tests and for documentation.
type RouteInfo struct {
	Method    string
	Path      string
	Power     Power
	Operation string
}

// Routes lists the route table: every address the API answers.
func (s *Server) Routes() []RouteInfo {
	list := make([]RouteInfo, 0, len(s.routes))
	for _, rt := range s.routes {
		list = append(list, RouteInfo{Method: rt.op.Method, Path: rt.op.Path, Power: rt.power, Operation: rt.op.OperationID})
	}
	return list
}

func (rt *route) pattern() string { return rt.op.Method + " " + rt.op.Path }

// takes tells whether the route answers a method; HEAD goes with GET.
func (rt *route) takes(method string) bool {
	return method == rt.op.Method || method == http.MethodHead && rt.op.Method == http.MethodGet
}

func (rt *route) methods() string {
	if rt.op.Method == http.MethodGet {
		return "GET, HEAD, OPTIONS"
	}
	return rt.op.Method + ", OPTIONS"
}

// mount makes the route answer.
func (s *Server) mount(rt *route) {
	switch rt.op.OperationID {
	case opCertificate:
		s.lookUp = rt // dispatch finds these two by itself
	case opProof:
		s.proof = rt
	default:
		s.mux.HandleFunc(rt.pattern(), func(w http.ResponseWriter, r *http.Request) {
			s.serve(rt, w.(*recorder), r) // ServeHTTP made it
		})
	}
	if !rt.registered {
		s.huma.OpenAPI().AddOperation(&rt.op)
	}
}

// authorise checks the token as the route's power asks and sets call.caller.
func (s *Server) authorise(c *call) error {
	if c.route.power == Public {
		return nil
	}
	signed, given := bearer(c.r)
	if !given {
		if c.route.power == Either {
			return nil
		}
		return refusal.New(http.StatusUnauthorized, "api.token.missing").With("WWW-Authenticate", `Bearer realm="selo"`)
	}
	if s.deps.Registry == nil {
		return fault.New(fault.NotFound, "api.not_here")
	}
	if len(signed) > maxAuth {
		return fault.New(fault.Forbidden, "token.malformed")
	}
	var keyErr error
	caller, err := remessa.CheckToken(signed, c.r.Method, c.r.URL.EscapedPath(), s.deps.Clock.Now(),
		func(sigla certificate.Sigla) (key ed25519.PublicKey, err error) {
			key, keyErr = s.bodyKey(c, sigla)
			return key, keyErr
		})
	switch {
	case keyErr != nil && !fault.Is(keyErr, fault.NotFound):
		return keyErr // the base failed, not the caller
	case err != nil:
		return err
	}
	if named := pathSigla(c.r); named != "" && named != caller {
		return fault.New(fault.Forbidden, "api.token.other_body", "organismo", string(named), "remetente", string(caller))
	}
	c.caller = caller
	return nil
}

func (s *Server) bodyKey(c *call, sigla certificate.Sigla) (key ed25519.PublicKey, err error) {
	err = s.read(c.r.Context(), func(tx registry.Tx) error {
		body, err := tx.Body(c.r.Context(), sigla)
		key = body.Keys.Sign
		return err
	})
	return key, err
}

// bearer gives the token of "Authorization: Bearer …"; given is true for any
// Authorization header, so that a strange one is refused and not overlooked.
func bearer(r *http.Request) (token string, given bool) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return "", true
	}
	return strings.TrimSpace(token), true
}

// pathSigla is the body that the path names, in the form the registry keeps.
func pathSigla(r *http.Request) certificate.Sigla {
	return sigla(r.PathValue("organismo"))
}

// sigla reads a body's acronym in any letter case; what is too long is no acronym and finds nothing.
func sigla(s string) certificate.Sigla {
	return certificate.Sigla(strings.ToUpper(s))
}
