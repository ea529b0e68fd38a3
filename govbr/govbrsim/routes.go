package govbrsim

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"selo/fault"
)

// Guard says who may come to a route, and in what form it refuses.
type Guard string

// The guards.
const (
	// Screen is a page, open to all browsers. Its forms come from pages of the
	// simulator only.
	Screen Guard = "tela"
	// Service is what clients and their browsers call: no origin is asked.
	Service Guard = "servico"
	// Admin is the administration: see Options.AdminToken.
	Admin Guard = "administracao"
)

// Route is one row of the table.
type Route struct {
	Method string // "" is GET and POST
	Path   string // a pattern of http.ServeMux, below the world's address
	Guard  Guard
	Handle func(*Exchange) (Answer, error)
}

// table is every address of a world. What a new part of the simulator has to
// offer is a function of its own that is named here.
func (s *Server) table() []Route {
	return slices.Concat(s.ssoRoutes(), s.loginRoutes(), s.apiRoutes(), s.pageRoutes(), s.adminRoutes(),
		s.signatureRoutes(), s.meugovRoutes(), s.serviceAdminRoutes(), s.registerRoutes(), s.x509Routes(), s.areaRoutes(), s.adminPageRoutes())
}

// ssoRoutes are Login Único, at the root as on its own host.
func (s *Server) ssoRoutes() []Route {
	return []Route{
		{http.MethodGet, "/.well-known/openid-configuration", Service, s.getDiscovery},
		{http.MethodGet, "/authorize", Service, s.getAuthorize},
		{http.MethodPost, "/token", Service, s.postToken},
		{"", "/jwk", Service, s.getKeys},
		{http.MethodGet, "/userinfo", Service, s.getUserInfo},
		{http.MethodGet, "/userinfo/{$}", Service, s.getUserInfo},
		{http.MethodGet, "/userinfo/picture", Service, s.getPicture},
		{http.MethodGet, "/api/x509/info", Service, s.getCertificateInfo},
		{"", "/logout", Service, s.logout},
	}
}

// loginRoutes are the screens of signing in.
func (s *Server) loginRoutes() []Route {
	return []Route{
		{http.MethodGet, "/login", Screen, s.getLogin},
		{http.MethodPost, "/login/cpf", Screen, s.postCPF},
		{http.MethodPost, "/login/senha", Screen, s.postPassword},
		{http.MethodPost, "/login/codigo", Screen, s.postCode},
		{http.MethodPost, "/login/telefone", Screen, s.postPhone},
		{http.MethodPost, "/login/telefone/codigo", Screen, s.postPhoneCode},
		{http.MethodPost, "/login/autorizacao", Screen, s.postConsent},
		{http.MethodPost, "/login/outro", Screen, s.postOther},
		{http.MethodPost, "/login/cancelar", Screen, s.postCancel},
	}
}

// apiRoutes are api.acesso.gov.br, below /sim/api, and the catálogo.
func (s *Server) apiRoutes() []Route {
	return []Route{
		{http.MethodGet, "/sim/api/confiabilidades/v3/contas/{cpf}/niveis", Service, s.getLevels},
		{http.MethodGet, "/sim/api/confiabilidades/v3/contas/{cpf}/confiabilidades", Service, s.getSelos},
		{http.MethodGet, "/sim/api/confiabilidades/v3/contas/{cpf}/categorias", Service, s.getCategories},
		{http.MethodGet, "/sim/api/empresas/v2/empresas", Service, s.getCompanies},
		{http.MethodGet, "/sim/api/empresas/v2/empresas/{cnpj}/participantes/{cpf}", Service, s.getMember},
		{http.MethodGet, "/sim/api/empresas/v1/representantes/{cpf}/empresas", Service, s.getCompaniesV1},
		{http.MethodGet, "/sim/api/empresas/v1/representantes/{cpf}/empresas/{cnpj}", Service, s.getMemberV1},
		{http.MethodGet, "/sim/api/procuracoes/v2/procuracoes", Service, s.getPowers},
		{http.MethodPost, "/sim/api/procuracoes/v2/procuracoes/{id}/historico-acessos", Service, s.postPowerUse},
		{"", "/sim/confiabilidades/{$}", Service, s.getCatalogue},
		{http.MethodPost, "/sim/confiabilidades/obter", Screen, s.postCatalogue},
	}
}

// pageRoutes are the simulator's own pages.
func (s *Server) pageRoutes() []Route {
	return []Route{
		{http.MethodGet, "/{$}", Screen, func(*Exchange) (Answer, error) { return Redirect{To: "/sim/"}, nil }},
		{http.MethodGet, "/sim", Screen, func(*Exchange) (Answer, error) { return Redirect{To: "/sim/"}, nil }},
		{http.MethodGet, "/sim/{$}", Screen, s.getStart},
		{http.MethodGet, "/sim/caixa", Screen, s.getInboxPage},
		{http.MethodGet, "/saude", Service, func(*Exchange) (Answer, error) { return Bytes{Type: "text/plain", Body: []byte("ok\n")}, nil }},
		{http.MethodGet, "/sim/estatico/{arquivo}", Screen, s.getAsset},
	}
}

// Routes lists the route table, for tests and documentation.
func (s *Server) Routes() []Route { return slices.Clone(s.routes) }

// mount makes the routes answer.
func (s *Server) mount() {
	paths := map[string][]Route{}
	for _, rt := range s.routes {
		paths[rt.Path] = append(paths[rt.Path], rt)
	}
	for path, list := range paths {
		s.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { s.serve(exchangeOf(r), list) })
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		exchangeOf(r).failPage(fault.New(fault.NotFound, "govbrsim.not_found"))
	})
}

// serve finds the route of the request's method and runs it.
func (s *Server) serve(x *Exchange, list []Route) {
	method := x.Request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var allowed []string
	for _, rt := range list {
		if rt.Method == method || rt.Method == "" && (method == http.MethodGet || method == http.MethodPost) {
			x.guard = rt.Guard
			s.run(x, rt)
			return
		}
		allowed = append(allowed, orElse(rt.Method, "GET, POST"))
	}
	x.guard = list[0].Guard
	x.writer.Header().Set("Allow", strings.Join(allowed, ", "))
	x.fail(fault.New(fault.Invalid, "govbrsim.method"), http.StatusMethodNotAllowed)
}

func (s *Server) run(x *Exchange, rt Route) {
	if rt.Guard != Service {
		if err := s.origin.Check(x.Request); err != nil {
			x.fail(fault.New(fault.Forbidden, "govbrsim.other_site").Because(err), 0)
			return
		}
	}
	if rt.Guard == Admin {
		if err := s.mayAdminister(x); err != nil {
			x.fail(err, 0)
			return
		}
	}
	answer, err := rt.Handle(x)
	if err == nil {
		err = answer.write(x)
	}
	if err != nil {
		status := 0
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			err, status = fault.New(fault.Invalid, "govbrsim.too_large").Because(err), http.StatusRequestEntityTooLarge
		}
		x.fail(err, status)
	}
}

// fail answers with an error in the form of the route; status 0 is that of the
// fault's kind.
func (x *Exchange) fail(err error, status int) {
	f := fault.Of(err)
	if f == nil {
		x.server.log.Error("request failed", "path", x.Request.URL.Path, "error", err)
	}
	if status == 0 {
		status = statusOf(f)
	}
	switch x.guard {
	case Admin:
		x.failAdmin(f, status)
	case Service:
		_ = Wire{Status: status, Body: generalError{itoa(status), http.StatusText(status)}}.write(x)
	default:
		x.failPageStatus(f, status)
	}
}

// generalError is the body of any other refusal of a service (LU, erroscomuns),
// with the manual's spelling of "erro".
type generalError struct {
	Error       string `json:"error"`
	Description string `json:"erro_description"`
}
