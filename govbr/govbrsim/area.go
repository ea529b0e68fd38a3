package govbrsim

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"selo/fault"
)

// areaPath is Minha área, servicos.acesso.gov.br: what "profile" names.
const areaPath = "/sim/servicos/"

// areaRoutes are Minha área.
func (s *Server) areaRoutes() []Route {
	return []Route{
		{http.MethodGet, "/sim/servicos/{$}", Screen, s.getArea},
		{http.MethodGet, "/sim/servicos/confiabilidade", Screen, s.getReliability},
		{http.MethodGet, "/sim/servicos/confiabilidade/{meio}", Screen, s.getMeans},
		{http.MethodPost, "/sim/servicos/confiabilidade/{meio}", Screen, s.postMeans},
		{http.MethodGet, "/sim/servicos/certificado", Screen, s.getAreaCertificate},
		{http.MethodPost, "/sim/servicos/segundo-fator", Screen, s.postSecondFactor},
		{http.MethodPost, "/sim/servicos/autorizacoes", Screen, s.postRevoke},
		{http.MethodGet, "/sim/servicos/empresas/{cnpj}", Screen, s.getAreaCompany},
		{http.MethodPost, "/sim/servicos/empresas/{cnpj}/colaboradores", Screen, s.postContributor},
		{http.MethodPost, "/sim/servicos/empresas/{cnpj}/remover", Screen, s.postRemoveContributor},
		{http.MethodPost, "/sim/servicos/sair", Screen, s.postLeave},
	}
}

// inArea runs do with the world locked for whoever is signed in; others sign in
// first, and come back to the page that they asked for.
func (s *Server) inArea(x *Exchange, do func(w *World, found *session, p *Person) (Answer, error)) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	found := x.session()
	if found == nil {
		next := areaPath
		if x.Request.Method == http.MethodGet {
			next = x.Request.URL.EscapedPath()
			if q := x.Request.URL.RawQuery; q != "" && len(q) < maxURL {
				next += "?" + q
			}
		}
		return s.signInAt(x, next), nil
	}
	return do(w, found, w.people[found.cpf])
}

// onArea is inArea with a posted form.
func (s *Server) onArea(x *Exchange, do func(form url.Values, w *World, found *session, p *Person) (Answer, error)) (Answer, error) {
	form, err := x.form()
	if err != nil {
		return nil, err
	}
	return s.inArea(x, func(w *World, found *session, p *Person) (Answer, error) { return do(form, w, found, p) })
}

// head is what the pages of Minha área share. The caller locks.
func (w *World) head(found *session, p *Person) areaHead {
	left := sessionLife - w.now().Sub(found.authTime)
	return areaHead{Name: p.displayName(), Level: p.EffectiveLevel(), Minutes: max(int(left.Minutes()), 0)}
}

// getArea is the first page.
func (s *Server) getArea(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	return s.inArea(x, func(w *World, found *session, p *Person) (Answer, error) {
		v := w.area(found, p)
		if id := q.Get("obtido"); p.hasSelo(id) {
			v.Notice = "Selo obtido: " + seloKindOf(id).text + ". O nível da sua conta é " + levelNames[p.EffectiveLevel()] + "."
		}
		v.Notice = orElse(areaNotices[q.Get("feito")], v.Notice)
		return Page{View: v}, nil
	})
}

// areaNotices tell that something was done.
var areaNotices = map[string]string{
	"segundo-fator": "A verificação em duas etapas foi alterada.",
	"autorizacao":   "A autorização foi revogada: o serviço vai pedi-la de novo.",
	"empresa":       "A empresa foi vinculada à sua conta.",
}

// area is the first page's data. The caller locks.
func (w *World) area(found *session, p *Person) areaView {
	v := areaView{areaHead: w.head(found, p), Person: p, SignedInAt: brasiliaTime(found.authTime), Methods: strings.Join(found.amr, ", ")}
	for _, s := range p.Selos {
		v.Selos = append(v.Selos, heldSelo{seloKindOf(s.ID), brasiliaTime(s.UpdatedAt)})
	}
	if found.cnpj != "" {
		v.Company = found.company + " (" + found.cnpj.Masked() + ")"
	}
	for _, c := range w.companiesOf(p.CPF) {
		v.Companies = append(v.Companies, w.tie(c, c.member(p.CPF)))
	}
	prefix := consentKey(p.CPF, "")
	for _, c := range sorted(w.clients) {
		if granted, ok := w.consents.get(prefix + c.ID); ok {
			v.Services = append(v.Services, authorisedService{ID: c.ID, Name: c.Name, Scopes: consentTexts(granted)})
		}
	}
	return v
}

// tie is one person's link to a company as the pages show it. The caller locks.
func (w *World) tie(c *Company, m *Member) companyTie {
	t := companyTie{CNPJ: c.CNPJ, Company: c.Name, CPF: m.CPF, Role: actingNames[m.Acting], Registrar: m.Registrar, Contributor: m.Acting == Contributor,
		Expired: !m.ExpiresAt.IsZero() && !w.now().Before(m.ExpiresAt)}
	if p := w.people[m.CPF]; p != nil {
		t.Name = p.displayName()
	}
	if !m.ExpiresAt.IsZero() {
		t.Until = brasiliaTime(m.ExpiresAt)
	}
	return t
}

var actingNames = map[Acting]string{Partner: "Sócio", Accountant: "Contador", LegalRep: "Representante legal", NotActing: "Não atuante", Contributor: "Colaborador"}

// postSecondFactor switches the second factor on or off; the password is asked.
func (s *Server) postSecondFactor(x *Exchange) (Answer, error) {
	return s.onArea(x, func(form url.Values, w *World, found *session, p *Person) (Answer, error) {
		v := w.area(found, p)
		v.Factor = SecondFactor(form.Get("fator"))
		text := w.locked(p.CPF)
		switch {
		case text != "":
			v.FactorWrong = text
		case !slices.Contains([]SecondFactor{"", OTP, OTPOffline}, v.Factor):
			v.Factor, v.FactorWrong = p.SecondFactor, "Escolha uma das opções."
		case subtle.ConstantTimeCompare([]byte(form.Get("senha")), []byte(p.Password)) != 1:
			v.FactorWrong = w.failed(p.CPF, "Senha incorreta.")
		default:
			delete(w.failures, p.CPF)
			return Redirect{To: areaPath + "?feito=segundo-fator"}, w.changePerson(p.CPF, func(p *Person) { p.SecondFactor = v.Factor })
		}
		v.FactorTried = true
		return Page{View: v, Status: http.StatusUnprocessableEntity}, nil
	})
}

// postRevoke takes back what the person authorised a service to know.
func (s *Server) postRevoke(x *Exchange) (Answer, error) {
	return s.onArea(x, func(form url.Values, w *World, _ *session, p *Person) (Answer, error) {
		key := consentKey(p.CPF, form.Get("client_id"))
		if _, there := w.consents.take(key); !there {
			return nil, fault.New(fault.NotFound, "govbrsim.client.none", "cliente", cut(form.Get("client_id")))
		}
		w.changed++
		return Redirect{To: areaPath + "?feito=autorizacao"}, nil
	})
}

// postLeave ends the session.
func (s *Server) postLeave(x *Exchange) (Answer, error) {
	return s.onArea(x, func(_ url.Values, w *World, found *session, _ *Person) (Answer, error) {
		w.sessions.take(found.id)
		x.setCookie("sessao", "")
		return Page{View: goodbyeView{}}, nil
	})
}

// getAreaCertificate begins showing a certificate for what ?para= names: with a
// device, or in the cloud when ?como=nuvem.
func (s *Server) getAreaCertificate(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	return s.inArea(x, func(w *World, found *session, _ *Person) (Answer, error) {
		a := &authorization{browser: s.browser(x), started: w.now(), cpf: found.cpf, session: found, step: stepCloud, cloud: cloudTry{cpf: found.cpf}}
		switch a.purpose = purpose(q.Get("para")); a.purpose {
		case forSelo:
			a.next = areaPath + "?obtido=" + seloCertificate
		case forCompany:
			a.next = areaPath + "?feito=empresa"
		default:
			return nil, fault.New(fault.NotFound, "govbrsim.not_found")
		}
		s.keep(w, a)
		v := loginView{Authorization: a.id}
		if q.Get("como") == "nuvem" {
			return Redirect{To: v.way("/login")}, nil
		}
		return Redirect{To: v.way("/login/certificado")}, nil
	})
}
