package govbrsim

import (
	"slices"
	"time"

	"selo/brasil"
)

// Acting is what a person is to a company in the Receita Federal's base. The
// zero value is a colaborador, whom the base does not know.
type Acting string

// The roles (LU, Empresas v2).
const (
	Partner     Acting = "SOCIO"
	Accountant  Acting = "CONTADOR"
	LegalRep    Acting = "REPRESENTANTE_LEGAL"
	NotActing   Acting = "NAO_ATUANTE" // holds the e-CNPJ, but has no role
	Contributor Acting = ""
)

// Company is a legal entity and those who are linked to it in gov.br.
type Company struct {
	CNPJ      brasil.CNPJ `json:"cnpj"`
	Name      string      `json:"razao_social"`
	TradeName string      `json:"nome_fantasia,omitempty"`
	CreatedAt time.Time   `json:"criada_em,omitzero"` // when it was linked
	Members   []Member    `json:"participantes"`
}

// Member is one person's link to a company.
type Member struct {
	CPF brasil.CPF `json:"cpf"`
	// Acting is the role at the Receita Federal, also of a person who is not
	// linked yet: see Linked.
	Acting Acting `json:"atuacao,omitempty"`
	// Linked tells whether the account is linked in gov.br: by an entry with
	// e-CNPJ, or because a registrar added the person. The API shows no other.
	Linked    bool       `json:"vinculado"`
	Registrar bool       `json:"cadastrador"`               // may add colaboradores
	AddedBy   brasil.CPF `json:"cpf_cadastrador,omitempty"` // of a colaborador
	CreatedAt time.Time  `json:"criado_em,omitzero"`
	ExpiresAt time.Time  `json:"expira_em,omitzero"` // until when the person may act
}

func (c *Company) member(cpf brasil.CPF) *Member {
	for i := range c.Members {
		if c.Members[i].CPF == cpf {
			return &c.Members[i]
		}
	}
	return nil
}

// link notes that the person entered with the company's e-CNPJ. Whoever has no
// role in the base becomes NAO_ATUANTE.
func (c *Company) link(cpf brasil.CPF, now time.Time) {
	m := c.member(cpf)
	if m == nil {
		c.Members = append(c.Members, Member{CPF: cpf, Acting: NotActing})
		m = &c.Members[len(c.Members)-1]
	}
	if !m.Linked {
		m.Linked, m.CreatedAt = true, now
	}
	m.Registrar, m.AddedBy = true, ""
	if m.Acting == Contributor {
		m.Acting = NotActing
	}
	if c.CreatedAt.IsZero() {
		c.CreatedAt = now
	}
}

func (c *Company) clone() *Company {
	d := *c
	d.Members = slices.Clone(c.Members)
	if d.Members == nil {
		d.Members = []Member{}
	}
	return &d
}

// Power is a procuração eletrônica.
type Power struct {
	ID        int64          `json:"id"`
	Grantor   brasil.CPF     `json:"outorgante"`
	Agent     brasil.CPF     `json:"procurador"`
	Status    string         `json:"situacao"` // of [powerStatuses]; EXPIRED follows from ExpiresAt
	CreatedAt time.Time      `json:"criada_em"`
	ExpiresAt time.Time      `json:"expira_em"`
	EndedAt   time.Time      `json:"encerrada_em,omitzero"` // when it was revoked, renounced or cancelled
	Services  []PowerService `json:"servicos"`
}

// PowerService is one service that a procuração covers.
type PowerService struct {
	ClientID string `json:"client_id"`
	ID       int64  `json:"id"`
	Name     string `json:"nome"`
}

// powerStatuses are the situations of a procuração (LU, procuracaoeletronica).
var powerStatuses = []string{"ACTIVE", "CANCELED", "CANCELED_BY_ACCOUNT_LOCK", "CANCELED_BY_ACCOUNT_REMOVAL",
	"CANCELED_BY_ACCOUNT_REREGISTER", "EXPIRED", "RENOUNCED", "REVOKED"}

// status is the situation at now.
func (p *Power) status(now time.Time) string {
	if p.Status == "ACTIVE" && !p.ExpiresAt.IsZero() && !now.Before(p.ExpiresAt) {
		return "EXPIRED"
	}
	return p.Status
}

func (p *Power) clone() *Power {
	d := *p
	d.Services = slices.Clone(p.Services)
	return &d
}

// PowerUse is one registered use of a procuração.
type PowerUse struct {
	ID        int64     `json:"id"`
	Power     int64     `json:"procuracao"`
	ClientID  string    `json:"client_id"`
	ServiceID int64     `json:"servico"`
	At        time.Time `json:"instante"` // as the client says
	Received  time.Time `json:"recebido_em"`
}
