package catalog

import (
	"time"

	"selo/brasil"
	"selo/certificate"
)

// Named is a code of an auxiliary table with its name.
type Named struct {
	Code string `json:"codigo"`
	Name string `json:"nome"`
}

// BodyView is the certification body.
type BodyView struct {
	Sigla certificate.Sigla `json:"sigla"`
	Name  string            `json:"nome"`
}

// CompanyView is what the public sees of a company. Of a natural person only
// name, hidden CPF, city, UF and country are there (Lei 13.709/2018).
type CompanyView struct {
	ID         certificate.ID         `json:"id"`
	Person     certificate.PersonKind `json:"tipo_pessoa,omitempty"`
	CNPJ       brasil.CNPJ            `json:"cnpj,omitempty"` // bare
	CPF        string                 `json:"cpf,omitempty"`  // "***.982.247-**"
	Name       string                 `json:"razao_social,omitempty"`
	TradeName  string                 `json:"nome_fantasia,omitempty"`
	Street     string                 `json:"endereco,omitempty"`
	Number     string                 `json:"numero,omitempty"`
	Complement string                 `json:"complemento,omitempty"`
	District   string                 `json:"bairro,omitempty"`
	CEP        brasil.CEP             `json:"cep,omitempty"`
	City       string                 `json:"cidade,omitempty"`
	UF         brasil.UF              `json:"uf,omitempty"`
	Country    Named                  `json:"pais"`
}

// shownName is the name people look for: the company's, else its trade name.
func (c *CompanyView) shownName() string { return orCode(c.Name, c.TradeName) }

func (c *CompanyView) companyName() CompanyName { return CompanyName{c.ID, c.CNPJ, c.shownName()} }

// PartyView is a company in its role; only active ones are shown.
type PartyView struct {
	Role      Named       `json:"papel"`
	EnteredOn brasil.Date `json:"data_entrada,omitzero"`
	CompanyView
}

// DocumentView is a normative document of a certificate or service.
type DocumentView struct {
	Code      certificate.DocumentCode `json:"codigo"`
	Title     string                   `json:"titulo"`
	Kind      string                   `json:"tipo_documento,omitempty"`
	Situation certificate.Situation    `json:"situacao"`
	EnteredOn brasil.Date              `json:"data_entrada,omitzero"`
}

// ServiceView is an active service; Company is the ID of one of the parties.
type ServiceView struct {
	Class       Named          `json:"classe"`
	Description string         `json:"descricao,omitempty"`
	EnteredOn   brasil.Date    `json:"data_entrada,omitzero"`
	Company     certificate.ID `json:"empresa"`
	Documents   []DocumentView `json:"documentos"`
}

// RevisionView says which revision is shown, and where it stands in the ledger.
type RevisionView struct {
	Number     int              `json:"numero"`
	ApprovedAt time.Time        `json:"aprovada_em"`
	AcceptedAt time.Time        `json:"aceita_em"`
	Index      int64            `json:"indice"`
	Hash       certificate.Hash `json:"hash"`
}

// Sheet is the part of a certificate that depends on its revision and the
// reference only; it is kept ready-made in the snapshot.
type Sheet struct {
	ID           certificate.ID    `json:"id"`
	Body         BodyView          `json:"organismo"`
	Number       string            `json:"numero"`
	Type         Named             `json:"tipo"`
	Class        Named             `json:"classe"`
	Model        certificate.Model `json:"modelo_certificacao,omitempty"`
	IssuedOn     brasil.Date       `json:"data_emissao,omitzero"`
	ValidUntil   brasil.Date       `json:"data_validade,omitzero"`
	Signatories  string            `json:"signatarios,omitempty"`
	Laboratory   string            `json:"laboratorio,omitempty"`
	ReportNumber string            `json:"numero_relatorio,omitempty"`
	Remarks      string            `json:"observacoes,omitempty"`
	Documents    []DocumentView    `json:"documentos"`
	Services     []ServiceView     `json:"servicos"`
	Products     int               `json:"total_produtos" example:"12"` // active ones
	Revision     RevisionView      `json:"revisao"`
	Path         string            `json:"endereco"` // of the page, percent-encoded
}

// Certificate is the whole public view of one certificate but its products,
// which come in pages. The pieces that depend on the day come first.
type Certificate struct {
	Situation   string      `json:"situacao"`         // ativo, suspenso, cancelado, expirado
	Hidden      string      `json:"motivo,omitempty"` // why its class is off the Web; empty: shown in searches
	Publication int64       `json:"publicacao"`       // number
	Parties     []PartyView `json:"empresas"`         // active ones
	Sheet
}

// The situations as shown: those of a certificate, and the one that follows from the date.
const expired = "expirado"

// situations by number, as rows keep them; 0 is none.
var situations = [...]certificate.Situation{"", certificate.Active, certificate.Suspended, certificate.Cancelled}

// situationNumber is 1 active, 2 suspended, 3 cancelled, 0 anything else.
func situationNumber(s certificate.Situation) int64 {
	for i, known := range situations {
		if s == known {
			return int64(i)
		}
	}
	return 0
}

const activeNumber = 1

// shownSituation is the situation of a certificate on a day: an active one
// whose validity ended is "expirado".
func shownSituation(number, validUntil int64, today brasil.Date) string {
	if number < 0 || number >= int64(len(situations)) {
		return ""
	}
	if number == activeNumber && validUntil != 0 && validUntil < dayNumber(today) {
		return expired
	}
	return string(situations[number])
}

// dayNumber is the day as YYYYMMDD, 0 for none.
func dayNumber(d brasil.Date) int64 {
	if d.IsZero() {
		return 0
	}
	return int64(d.Year())*10000 + int64(d.Month())*100 + int64(d.Day())
}

// dayOf is the inverse of dayNumber.
func dayOf(n int64) brasil.Date {
	d, err := brasil.NewDate(int(n/10000), time.Month(n/100%100), int(n%100))
	if err != nil {
		return brasil.Date{} // 0, or a row that Check refuses
	}
	return d
}
