package govbrsim

import (
	"slices"
	"time"

	"selo/brasil"
)

// maxListed is how many entries of a kind a page shows.
const maxListed = 100

// getStart says what this is, who exists and where everything is.
func (s *Server) getStart(x *Exchange) (Answer, error) {
	names := s.worldNames()
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	v := startView{Base: w.base, Signature: sorted(w.signature.clients), Agencies: sorted(w.life.clients), World: w.name, People: sorted(w.people), Clients: sorted(w.clients), Companies: sorted(w.companies),
		Secrets: s.options.AdminToken == "", Now: brasiliaTime(w.now())}
	if w.name == DefaultWorld && v.Secrets {
		v.Worlds = names
	}
	if more := len(v.People) - maxListed; more > 0 {
		v.People, v.More = v.People[:maxListed], more
	}
	v.Companies = v.Companies[:min(len(v.Companies), maxListed)]
	v.Clients = v.Clients[:min(len(v.Clients), maxListed)]
	v.Signature, v.Agencies = v.Signature[:min(len(v.Signature), maxListed)], v.Agencies[:min(len(v.Agencies), maxListed)]
	return Page{View: v}, nil
}

func (s *Server) worldNames() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var names []string
	for name := range s.worlds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// getInboxPage shows what would have been sent, the newest first. Whoever signs
// in needs it for the codes, so it is open to all.
func (s *Server) getInboxPage(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	list := slices.Clone(w.inbox)
	slices.Reverse(list)
	return Page{View: inboxView{Messages: list[:min(len(list), maxListed)]}}, nil
}

// addresses are the services and where each is, below base.
func addresses(base string) [][2]string {
	return [][2]string{
		{"Emissor (iss)", base + "/"},
		{"Descoberta", base + "/.well-known/openid-configuration"},
		{"Autorização", base + "/authorize"},
		{"Token", base + "/token"},
		{"Chaves", base + "/jwk"},
		{"UserInfo", base + "/userinfo/"},
		{"Foto", base + "/userinfo/picture"},
		{"Certificado da entrada", base + "/api/x509/info"},
		{"Saída", base + "/logout"},
		{"APIs (api.acesso.gov.br)", base + "/sim/api"},
		{"Catálogo de confiabilidades", base + "/sim/confiabilidades/"},
		{"Assinatura (cas.iti.br)", base + "/sim/cas"},
		{"Assinatura (assinatura-api.iti.br)", base + "/sim/assinatura"},
		{"Cadeia dos certificados de assinatura", base + "/sim/assinatura/cadeia.pem"},
		{"Prova de Vida (meugov)", base + "/sim/meugov"},
		{"Celulares das pessoas", base + "/sim/celular"},
		{"Administração", base + "/sim/admin"},
	}
}

func messageKind(kind string) string {
	return map[string]string{"email": "E-mail", "sms": "SMS", "aplicativo": "Aviso no aplicativo"}[kind]
}

func brasiliaTime(t time.Time) string { return t.In(brasil.Location()).Format("02/01/2006 15:04:05") }
