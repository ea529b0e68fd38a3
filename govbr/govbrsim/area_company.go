package govbrsim

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"selo/brasil"
	"selo/fault"
)

// maxTerm is for how long a colaborador may be registered at most.
const maxTerm = 5 // years

// areaCompany finds the company of the address, which the person must be linked
// to. Fault: NotFound "govbrsim.company.none". The caller locks.
func (x *Exchange) areaCompany(p *Person) (*Company, *Member, error) {
	cnpj := x.Request.PathValue("cnpj")
	if c := x.World.companies[brasil.CNPJ(cnpj)]; c != nil {
		if m := c.member(p.CPF); m != nil && m.Linked {
			return c, m, nil
		}
	}
	return nil, nil, fault.New(fault.NotFound, "govbrsim.company.none", "cnpj", cut(cnpj))
}

// mayRegister tells whether a member may change the colaboradores now. The
// caller locks.
func (w *World) mayRegister(m *Member) bool {
	return m.Registrar && (m.ExpiresAt.IsZero() || w.now().Before(m.ExpiresAt))
}

// companyPage is a company's page. The caller locks.
func (w *World) companyPage(found *session, p *Person, c *Company, m *Member) areaCompanyView {
	v := areaCompanyView{areaHead: w.head(found, p), Company: c, Own: w.tie(c, m), MayRegister: w.mayRegister(m), Problems: map[string]string{}}
	for i := range c.Members {
		if c.Members[i].Linked {
			v.Members = append(v.Members, w.tie(c, &c.Members[i]))
		}
	}
	return v
}

// getAreaCompany shows a company and who is linked to it.
func (s *Server) getAreaCompany(x *Exchange) (Answer, error) {
	return s.inArea(x, func(w *World, found *session, p *Person) (Answer, error) {
		c, m, err := x.areaCompany(p)
		if err != nil {
			return nil, err
		}
		return Page{View: w.companyPage(found, p, c, m)}, nil
	})
}

// postContributor registers a colaborador until a day, that day included. Fault:
// Forbidden "govbrsim.registrar".
func (s *Server) postContributor(x *Exchange) (Answer, error) {
	return s.onArea(x, func(form url.Values, w *World, found *session, p *Person) (Answer, error) {
		c, m, err := x.areaCompany(p)
		if err != nil {
			return nil, err
		}
		if !w.mayRegister(m) {
			return nil, fault.New(fault.Forbidden, "govbrsim.registrar")
		}
		v := w.companyPage(found, p, c, m)
		v.Typed, v.Until = cut(form.Get("cpf")), cut(form.Get("expira"))
		cpf, err := brasil.ParseCPF(form.Get("cpf"))
		switch {
		case err != nil:
			v.Problems["cpf"] = "CPF inválido. Confira os 11 números."
		case w.people[cpf] == nil:
			v.Problems["cpf"] = "Não há conta gov.br com este CPF. O colaborador precisa criar a conta antes."
		case c.member(cpf) != nil && c.member(cpf).Acting != Contributor:
			v.Problems["cpf"] = "Esta pessoa já está ligada à empresa de outra forma."
		}
		expires, problem := w.term(form.Get("expira"))
		if problem != "" {
			v.Problems["expira"] = problem
		}
		if len(v.Problems) > 0 {
			return Page{View: v, Status: http.StatusUnprocessableEntity}, nil
		}
		made := Member{CPF: cpf, Linked: true, Registrar: form.Get("cadastrador") == "sim", AddedBy: p.CPF, CreatedAt: w.now(), ExpiresAt: expires}
		return Redirect{To: areaPath + "empresas/" + string(c.CNPJ)}, w.changeCompany(c.CNPJ, func(c *Company) {
			c.Members = append(slices.DeleteFunc(c.Members, func(m Member) bool { return m.CPF == cpf }), made)
		})
	})
}

// term reads the last day of a colaborador: from today to five years on. It
// ends with the day, in Brasília. The caller locks.
func (w *World) term(text string) (ends time.Time, problem string) {
	day, err := brasil.ParseISODate(text)
	if err != nil {
		if day, err = brasil.ParseDate(text); err != nil {
			return ends, "Informe o último dia como 31/12/2027."
		}
	}
	today := brasil.DateOf(w.now())
	if day.Before(today) || day.After(today.AddYears(maxTerm)) {
		return ends, "O último dia tem de ser de hoje até daqui a " + itoa(maxTerm) + " anos."
	}
	return day.AddDays(1).Time(brasil.Location()).UTC(), ""
}

// postRemoveContributor ends the link of a colaborador. Faults: Forbidden
// "govbrsim.registrar"; NotFound "govbrsim.person.none".
func (s *Server) postRemoveContributor(x *Exchange) (Answer, error) {
	return s.onArea(x, func(form url.Values, w *World, _ *session, p *Person) (Answer, error) {
		c, m, err := x.areaCompany(p)
		if err != nil {
			return nil, err
		}
		if !w.mayRegister(m) {
			return nil, fault.New(fault.Forbidden, "govbrsim.registrar")
		}
		cpf := brasil.CPF(form.Get("cpf"))
		if gone := c.member(cpf); gone == nil || gone.Acting != Contributor {
			return nil, fault.New(fault.NotFound, "govbrsim.person.none", "cpf", cut(string(cpf)))
		}
		return Redirect{To: areaPath + "empresas/" + string(c.CNPJ)}, w.changeCompany(c.CNPJ, func(c *Company) {
			c.Members = slices.DeleteFunc(c.Members, func(m Member) bool { return m.CPF == cpf })
		})
	})
}
