package govbr

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"selo/brasil"
)

// CompanyLink is a company that is linked to a person's account (LU, Empresas).
type CompanyLink struct {
	CNPJ     brasil.CNPJ
	Name     string    // razão social of the Receita Federal
	LinkedAt time.Time // UTC; zero when gov.br gave none that can be read
}

// LogValue keeps the company out of logs: beside the time it would name a person.
func (l CompanyLink) LogValue() slog.Value { return slog.TimeValue(l.LinkedAt) }

// Companies lists the companies linked to the account of the person who signed
// in, however they signed in. That a sócio who never used an e-CNPJ stands in it
// is unverified. Scope: govbr_empresa.
//
// Faults: those of [Client].
func (c *Client) Companies(ctx context.Context, access AccessToken) ([]CompanyLink, error) {
	var raw []struct {
		CNPJ string `json:"cnpj"`
		Name string `json:"razaoSocial"`
		At   stamp  `json:"dataCriacao"`
	}
	address := c.cfg.Endpoints.API + "/empresas/v2/empresas?filtrar-por-participante=" + url.QueryEscape(string(access.CPF))
	if err := c.read(ctx, "empresas", address, access, ScopeCompanies, &raw); err != nil {
		return nil, err
	}
	list := make([]CompanyLink, 0, len(raw))
	for _, r := range raw {
		cnpj, err := brasil.ParseCNPJ(r.CNPJ)
		if err != nil {
			return nil, strange(serviceAPI, "empresas: a cnpj is none")
		}
		list = append(list, CompanyLink{CNPJ: cnpj, Name: brasil.Squeeze(printable(r.Name, 300)), LinkedAt: r.At.Time})
	}
	return list, nil
}

// Role is what the Receita Federal knows a person as in a company (atuacao). The
// list is open. The zero value is that of a colaborador.
type Role string

const (
	Partner             Role = "SOCIO"
	LegalRepresentative Role = "REPRESENTANTE_LEGAL"
	Accountant          Role = "CONTADOR"
	// NoRole has the company's certificate and no role at the Receita Federal.
	NoRole Role = "NAO_ATUANTE"
	// Collaborator was registered by a representative at gov.br; the field is absent.
	Collaborator Role = ""
)

// Participation is the link between a person and a company (LU, Empresas).
type Participation struct {
	CPF  brasil.CPF
	CNPJ brasil.CNPJ
	Role Role
	// Registrar may register colaboradores: a representative with the company's certificate.
	Registrar    bool
	RegisteredBy brasil.CPF // who registered a colaborador
	LinkedAt     time.Time  // UTC
	ExpiresAt    time.Time  // UTC, the moment itself no longer included; zero is without end
	// Doubtful is set when gov.br gave an end that cannot be read: then nobody may rely on it.
	Doubtful bool
}

// LogValue keeps personal data out of logs.
func (p Participation) LogValue() slog.Value {
	return slog.GroupValue(slog.String("role", string(p.Role)), slog.Bool("registrar", p.Registrar))
}

// Participation asks how the person who signed in is linked to a company. Scope:
// govbr_empresa.
//
// Faults: NotFound govbr.not_found when the company is not linked to the
// account; those of [Client].
func (c *Client) Participation(ctx context.Context, access AccessToken, cnpj brasil.CNPJ) (Participation, error) {
	cnpj, err := brasil.ParseCNPJ(string(cnpj))
	if err != nil {
		return Participation{}, err
	}
	var raw struct {
		CPF       string   `json:"cpf"`
		Role      string   `json:"atuacao"`
		Registrar flexible `json:"cadastrador"`
		By        string   `json:"cpfCadastrador"`
		At        stamp    `json:"dataCriacao"`
		Until     stamp    `json:"dataExpiracao"`
	}
	address := c.cfg.Endpoints.API + "/empresas/v2/empresas/" + url.PathEscape(string(cnpj)) + "/participantes/" + url.PathEscape(string(access.CPF))
	if err := c.read(ctx, "participante", address, access, ScopeCompanies, &raw); err != nil {
		return Participation{}, err
	}
	if cpf, ok := readCPF(raw.CPF); !ok || cpf != access.CPF {
		return Participation{}, strange(serviceAPI, "participante: it is another person's")
	}
	by, ok := readCPF(raw.By)
	if raw.By != "" && !ok {
		return Participation{}, strange(serviceAPI, "participante: cpfCadastrador is no CPF")
	}
	return Participation{CPF: access.CPF, CNPJ: cnpj, Role: Role(printable(raw.Role, 60)), Registrar: raw.Registrar == "true",
		RegisteredBy: by, LinkedAt: raw.At.Time, ExpiresAt: raw.Until.Time, Doubtful: raw.Until.Unreadable}, nil
}

// Standing is what a sign-in proves about a person and a company.
type Standing string

const (
	// Represents: sócio or representante legal, proven by e-CNPJ and Receita Federal.
	Represents Standing = "representa"
	// NeedsCertificate: known as such, but this sign-in was not with the company's e-CNPJ.
	NeedsCertificate Standing = "falta_certificado"
	// HoldsCertificate: has the company's certificate and no role.
	HoldsCertificate Standing = "so_certificado"
	// KeepsBooks: the company's accountant.
	KeepsBooks Standing = "contador"
	// Collaborates: registered by a representative, until Participation.ExpiresAt.
	Collaborates Standing = "colaborador"
	// Ended: the link has passed its end.
	Ended Standing = "encerrado"
	// Unproven: another person's, an agent's, an unknown role, an end that cannot be read.
	Unproven Standing = "nao_comprovado"
)

// evidence is what the rule looks at.
type evidence struct {
	role        Role
	certificate bool // this sign-in was with that company's e-CNPJ
}

// standings is the rule: who represents a company is known as such to the Receita
// Federal and signed in with its e-CNPJ. A pair that is missing proves nothing.
var standings = map[evidence]Standing{
	{Partner, true}:              Represents,
	{Partner, false}:             NeedsCertificate,
	{LegalRepresentative, true}:  Represents,
	{LegalRepresentative, false}: NeedsCertificate,
	{NoRole, true}:               HoldsCertificate,
	{NoRole, false}:              HoldsCertificate,
	{Accountant, true}:           KeepsBooks,
	{Accountant, false}:          KeepsBooks,
	{Collaborator, true}:         Collaborates,
	{Collaborator, false}:        Collaborates,
}

// StandingOf tells what this sign-in and a link prove, at that moment: the claim
// cnpj of the tokens, amr, and atuacao of the API together (LU, Empresas).
// It speaks for the person themselves: under a Procuração Eletrônica it proves nothing.
func StandingOf(s Session, p Participation, at time.Time) Standing {
	switch {
	case p.CPF == "" || p.CPF != s.Identity.CPF || p.CNPJ == "" || s.Access.Agent || p.Doubtful:
		return Unproven
	case !p.ExpiresAt.IsZero() && !at.Before(p.ExpiresAt):
		return Ended
	}
	standing, known := standings[evidence{p.Role, s.Identity.ByCompanyCertificate() && s.Identity.CNPJ == p.CNPJ}]
	if !known || standing == Collaborates && p.Registrar {
		// Who may register others and yet has no role is nothing the manual knows.
		return Unproven
	}
	return standing
}
