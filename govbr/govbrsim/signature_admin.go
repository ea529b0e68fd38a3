package govbrsim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"selo/brasil"
	"selo/fault"
)

// serviceAdminRoutes are the administration of Assinatura and Prova de Vida.
func (s *Server) serviceAdminRoutes() []Route {
	return []Route{
		{http.MethodGet, "/sim/admin/clientes-assinatura", Admin, s.getSignatureClients},
		{http.MethodPost, "/sim/admin/clientes-assinatura", Admin, s.postSignatureClient},
		{http.MethodPatch, "/sim/admin/clientes-assinatura/{id}", Admin, s.patchSignatureClient},
		{http.MethodDelete, "/sim/admin/clientes-assinatura/{id}", Admin, s.deleteSignatureClient},
		{http.MethodPost, "/sim/admin/assinatura/autorizacoes", Admin, s.postSignAuthorization},
		{http.MethodGet, "/sim/admin/assinatura/feitas", Admin, s.getSignaturesMade},

		{http.MethodGet, "/sim/admin/clientes-prova-de-vida", Admin, s.getAgencies},
		{http.MethodPost, "/sim/admin/clientes-prova-de-vida", Admin, s.postAgency},
		{http.MethodPatch, "/sim/admin/clientes-prova-de-vida/{id}", Admin, s.patchAgency},
		{http.MethodDelete, "/sim/admin/clientes-prova-de-vida/{id}", Admin, s.deleteAgency},
		{http.MethodGet, "/sim/admin/prova-de-vida/transacoes", Admin, s.getProofs},
		{http.MethodPost, "/sim/admin/prova-de-vida/transacoes", Admin, s.postSeedProof},
		{http.MethodPut, "/sim/admin/prova-de-vida/transacoes/{id}/resultado", Admin, s.putProofOutcome},
		{http.MethodPut, "/sim/admin/pessoas/{cpf}/validacao-facial", Admin, s.putFace},
	}
}

func (s *Server) getSignatureClients(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) {
		return map[string]any{"clientes_assinatura": sorted(w.signature.clients)}, nil
	})
}

// postSignatureClient makes a credential; one with that id is an error.
func (s *Server) postSignatureClient(x *Exchange) (Answer, error) {
	var in SignatureClient
	if err := x.body(&in); err != nil {
		return nil, err
	}
	return created(x.locked(func(w *World) (any, error) {
		if w.signature.clients[in.ID] != nil {
			return nil, fault.New(fault.Conflict, "govbrsim.client.taken", "cliente", cut(in.ID))
		}
		made := in.clone()
		return made, w.putSignatureClient(made)
	}))
}

// patchSignatureClient changes the names that are given, and leaves the others.
// The id stays.
func (s *Server) patchSignatureClient(x *Exchange) (Answer, error) {
	raw, err := x.patch()
	if err != nil {
		return nil, err
	}
	return x.locked(func(w *World) (any, error) {
		found, err := existing(w.signature.clients, x.Request.PathValue("id"))
		if err != nil {
			return nil, err
		}
		c := found.clone()
		if err := decodeOver(raw, c); err != nil {
			return nil, err
		}
		c.ID = found.ID
		return c, w.putSignatureClient(c)
	})
}

func (s *Server) deleteSignatureClient(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) {
		id := x.Request.PathValue("id")
		if _, err := existing(w.signature.clients, id); err != nil {
			return nil, err
		}
		delete(w.signature.clients, id)
		w.changed++
		return nil, nil //nolint:nilnil // nothing to say
	})
}

// existing finds a credential. Fault: NotFound "govbrsim.credential.none".
func existing[C any](clients map[string]*C, id string) (*C, error) {
	if c := clients[id]; c != nil {
		return c, nil
	}
	return nil, fault.New(fault.NotFound, "govbrsim.credential.none", "cliente", cut(id))
}

// directSigning asks for a code of the CAS without any screen.
type directSigning struct {
	CPF         brasil.CPF `json:"cpf"`
	ClientID    string     `json:"client_id"`
	RedirectURI string     `json:"redirect_uri"`
	Scope       string     `json:"scope"`
	State       string     `json:"state"`
	Provider    string     `json:"provedor"` // of ICP-Brasil; none: gov.br's certificate
}

// postSignAuthorization makes the code that the screens of the CAS would have
// made. It checks what they check, but for the person's code and provider.
func (s *Server) postSignAuthorization(x *Exchange) (Answer, error) {
	var in directSigning
	if err := x.body(&in); err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.person(in.CPF)
	if err != nil {
		return nil, err
	}
	client, err := existing(w.signature.clients, in.ClientID)
	if err != nil {
		return nil, err
	}
	c, r := &checker{}, &casRequest{}
	if !slices.Contains(client.Redirects, in.RedirectURI) {
		c.add("redirect_uri", "govbrsim.value", "valor", cut(in.RedirectURI), "aceitos", cutLong(strings.Join(client.Redirects, " ")))
	}
	if refused := r.read(url.Values{"response_type": {"code"}, "scope": {in.Scope}, "state": {in.State}}); refused != nil {
		c.add("scope", "govbrsim.scope", "valor", refused.description)
	}
	switch {
	case in.Provider == "" && !r.gov:
		oneOf(c, "provedor", in.Provider, CloudProviders()...)
	case in.Provider != "" && !r.icp:
		oneOf(c, "provedor", in.Provider, "")
	case in.Provider != "":
		oneOf(c, "provedor", in.Provider, CloudProviders()...)
	}
	if err := c.result(); err != nil {
		return nil, err
	}
	code := s.grantSigning(w, &casGrant{client: client.ID, redirect: in.RedirectURI, cpf: p.CPF, provider: in.Provider, batch: r.batch})
	to := toClient(in.RedirectURI, "code", code, "state", in.State).(Redirect) //nolint:forcetypeassert // it makes nothing else
	return Wire{Status: http.StatusCreated, Body: directAnswer{Code: code, Address: to.To}}, nil
}

// getSignaturesMade lists the signatures that were given, the oldest first.
func (s *Server) getSignaturesMade(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) {
		return map[string]any{"assinaturas": append([]SignatureMade{}, w.signature.made...)}, nil
	})
}
