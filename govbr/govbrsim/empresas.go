package govbrsim

import (
	"net/http"
	"strconv"

	"selo/brasil"
)

// linkedCompany is an element of Empresas v2 (Login Único manual).
type linkedCompany struct {
	CNPJ      brasil.CNPJ `json:"cnpj"`
	Name      string      `json:"razaoSocial"`
	CreatedAt string      `json:"dataCriacao"`
}

// getCompanies lists the companies that the account is linked to. A member whom
// only the Receita Federal knows does not appear.
func (s *Server) getCompanies(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	p, refusal := s.allowedFor(x, scopeCompany, q.Get("filtrar-por-participante"))
	if refusal != nil {
		return refusal, nil
	}
	list := []linkedCompany{}
	for _, c := range w.companiesOf(p.CPF) {
		list = append(list, linkedCompany{CNPJ: c.CNPJ, Name: c.Name, CreatedAt: stamp(c.CreatedAt)})
	}
	return Wire{Body: list}, nil
}

// memberAnswer is the body of …/participantes/{cpf} (Login Único manual): cadastrador is text,
// atuacao is left out for a colaborador, cpfCadastrador for a registrar.
type memberAnswer struct {
	CPF       brasil.CPF `json:"cpf"`
	Acting    Acting     `json:"atuacao,omitempty"`
	Registrar string     `json:"cadastrador"`
	AddedBy   brasil.CPF `json:"cpfCadastrador,omitempty"`
	CreatedAt string     `json:"dataCriacao"`
	ExpiresAt string     `json:"dataExpiracao,omitempty"`
}

func (s *Server) getMember(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	c, m, refusal := s.member(x)
	if refusal != nil || c == nil {
		return refusal, nil
	}
	a := memberAnswer{CPF: m.CPF, Acting: m.Acting, Registrar: strconv.FormatBool(m.Registrar), CreatedAt: stamp(m.CreatedAt)}
	if !m.Registrar {
		a.AddedBy = m.AddedBy
	}
	if !m.ExpiresAt.IsZero() {
		a.ExpiresAt = stamp(m.ExpiresAt)
	}
	return Wire{Body: a}, nil
}

// member finds the company and member that the path names. The caller locks.
func (s *Server) member(x *Exchange) (*Company, *Member, Answer) {
	p, refusal := s.allowedFor(x, scopeCompany, x.Request.PathValue("cpf"))
	if refusal != nil {
		return nil, nil, refusal
	}
	c := x.World.companies[brasil.CNPJ(x.Request.PathValue("cnpj"))]
	if c != nil {
		if m := c.member(p.CPF); m != nil && m.Linked {
			return c, m, nil
		}
	}
	return nil, nil, refuseAPI(http.StatusNotFound, codeNotFound, "Participante não encontrado.")
}

// companiesV1 is the old list (Login Único manual).
type companiesV1 struct {
	CNPJs []companyV1 `json:"cnpjs"`
	CPF   brasil.CPF  `json:"cpf"`
}

type companyV1 struct {
	CNPJ brasil.CNPJ `json:"cnpj"`
	Name string      `json:"nome"`
}

func (s *Server) getCompaniesV1(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	p, refusal := s.allowedFor(x, scopeCompany, x.Request.PathValue("cpf"))
	if refusal != nil {
		return refusal, nil
	}
	a := companiesV1{CNPJs: []companyV1{}, CPF: p.CPF}
	for _, c := range w.companiesOf(p.CPF) {
		a.CNPJs = append(a.CNPJs, companyV1{CNPJ: c.CNPJ, Name: c.Name})
	}
	return Wire{Body: a}, nil
}

type memberV1 struct {
	CNPJ        brasil.CNPJ `json:"cnpj"`
	TradeName   string      `json:"nomeFantasia"`
	Acting      Acting      `json:"atuacao,omitempty"`
	Responsible brasil.CPF  `json:"cpfResponsavel"`
	Name        string      `json:"nomeResponsavel"`
}

func (s *Server) getMemberV1(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	c, m, refusal := s.member(x)
	if refusal != nil || c == nil {
		return refusal, nil
	}
	a := memberV1{CNPJ: c.CNPJ, TradeName: orElse(c.TradeName, c.Name), Acting: m.Acting, Responsible: m.CPF}
	for _, other := range c.Members {
		if !m.Registrar && other.CPF == m.AddedBy {
			a.Responsible = other.CPF
		}
	}
	if p := w.people[a.Responsible]; p != nil {
		a.Name = p.Name
	}
	return Wire{Body: a}, nil
}
