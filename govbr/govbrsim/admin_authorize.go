package govbrsim

import (
	"net/http"
	"slices"
	"strings"

	"selo/brasil"
	"selo/fault"
)

// directRequest asks for a code without any screen.
type directRequest struct {
	CPF         brasil.CPF  `json:"cpf"`
	ClientID    string      `json:"client_id"`
	RedirectURI string      `json:"redirect_uri"`
	Scopes      []string    `json:"escopos"`
	State       string      `json:"state"`
	Nonce       string      `json:"nonce"`
	Challenge   string      `json:"code_challenge"`
	AMR         []string    `json:"amr"`  // none: as the person's account has it
	CNPJ        brasil.CNPJ `json:"cnpj"` // an entry with this company's e-CNPJ
}

// directAnswer is the code, and the address the browser would be sent to.
type directAnswer struct {
	Code    string `json:"code"`
	Address string `json:"endereco"`
}

// postAuthorization makes the code that the screens would have made, so that a
// test of a client needs no browser. It checks what /authorize checks, and
// knows nothing of consent or locks. An entry with e-CNPJ links the person to
// the company, as the real one does.
func (s *Server) postAuthorization(x *Exchange) (Answer, error) {
	var in directRequest
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
	client := w.clients[in.ClientID]
	if client == nil {
		return nil, fault.New(fault.NotFound, "govbrsim.client.none", "cliente", cut(in.ClientID))
	}
	if in.Scopes == nil {
		in.Scopes = DefaultScopes()
	}
	c := &checker{}
	if !slices.Contains(client.Redirects, in.RedirectURI) {
		c.add("redirect_uri", "govbrsim.value", "valor", cut(in.RedirectURI), "aceitos", cutLong(strings.Join(client.Redirects, " ")))
	}
	if refused := checkScopes(client, in.Scopes, w.switchesFor(client, p).RefusedScopes); refused != nil {
		c.add("escopos", "govbrsim.scope", "valor", refused.description)
	}
	if !challengePattern.MatchString(in.Challenge) {
		c.add("code_challenge", "govbrsim.challenge")
	}
	if in.Nonce == "" || len(in.Nonce) > maxParameter {
		c.add("nonce", "govbrsim.required")
	}
	for _, m := range in.AMR {
		if !amrPattern.MatchString(m) || len(in.AMR) > maxSwitches {
			c.add("amr", "govbrsim.characters")
		}
	}
	if err := c.result(); err != nil {
		return nil, err
	}
	made := &session{cpf: p.CPF, authTime: w.now(), amr: orAMR(in.AMR, p, in.CNPJ != "")}
	if in.CNPJ != "" {
		if err := w.linkByCertificate(made, in.CNPJ); err != nil {
			return nil, err
		}
	}
	code := s.grantCode(w, &grant{client: client.ID, redirect: in.RedirectURI, nonce: in.Nonce, challenge: in.Challenge, scopes: in.Scopes, session: made})
	to := toClient(in.RedirectURI, "code", code, "state", in.State).(Redirect) //nolint:forcetypeassert // it makes nothing else
	return Wire{Status: http.StatusCreated, Body: directAnswer{Code: code, Address: to.To}}, nil
}

// orAMR is how the person would have signed in.
func orAMR(given []string, p *Person, certificate bool) []string {
	switch {
	case given != nil:
		return given
	case certificate:
		return []string{"x509", "x509_" + orElse(p.Certificate, "token")}
	case p.SecondFactor != "":
		return []string{"passwd", "captcha", "mfa", string(p.SecondFactor)}
	}
	return []string{"passwd", "captcha"}
}

// linkByCertificate makes a session one of an entry with the company's e-CNPJ.
// Fault: NotFound "govbrsim.company.none". The caller locks.
func (w *World) linkByCertificate(made *session, cnpj brasil.CNPJ) error {
	now := w.now()
	if err := w.changeCompany(cnpj, func(c *Company) { c.link(made.cpf, now) }); err != nil {
		return err
	}
	c := w.companies[cnpj]
	made.cnpj, made.company = c.CNPJ, c.Name
	return nil
}
