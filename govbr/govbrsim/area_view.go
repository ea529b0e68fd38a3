package govbrsim

import (
	"selo/brasil"

	"github.com/a-h/templ"
)

// areaHead is what the pages of Minha área share.
type areaHead struct {
	Name    string
	Level   Level
	Minutes int // that the session still lasts
}

// left is how long the session still lasts, in words.
func (h areaHead) left() string { return itoa(h.Minutes/60) + " h " + itoa(h.Minutes%60) + " min" }

// areaView is the first page of Minha área.
type areaView struct {
	areaHead
	Notice     string // that something was done; "" for nothing
	Person     *Person
	SignedInAt string
	Methods    string // amr
	Company    string // of an entry with e-CNPJ
	Selos      []heldSelo
	Companies  []companyTie
	Services   []authorisedService

	Factor      SecondFactor // as sent
	FactorTried bool
	FactorWrong string
}

// factor is what the form of the second factor shows.
func (v areaView) factor() SecondFactor {
	if v.FactorTried {
		return v.Factor
	}
	return v.Person.SecondFactor
}

// heldSelo is a selo of the account.
type heldSelo struct {
	seloKind
	Since string
}

// companyTie is one person's link to one company.
type companyTie struct {
	CNPJ        brasil.CNPJ
	Company     string
	CPF         brasil.CPF
	Name        string // "" of somebody without an account
	Role        string
	Registrar   bool
	Contributor bool
	Until       string // "" for ever
	Expired     bool
}

// role is the role in words, and whether the person may register others.
func (t companyTie) role() string {
	if t.Registrar {
		return t.Role + ", cadastrador"
	}
	return t.Role
}

// authorisedService is a client and what it may know.
type authorisedService struct {
	ID, Name string
	Scopes   []string
}

// reliabilityView is "Obter confiabilidade".
type reliabilityView struct {
	areaHead
	Means []means
}

// meansView is one way to a selo: which one, while Selo is empty, then its outcome.
type meansView struct {
	areaHead
	Means *means
	Selo  string
	Wrong string
}

// areaCompanyView is a company and who is linked to it.
type areaCompanyView struct {
	areaHead
	Company      *Company
	Own          companyTie
	MayRegister  bool
	Members      []companyTie
	Typed, Until string
	Problems     map[string]string // by field
}

func (areaView) Title() string          { return "Minha área" }
func (reliabilityView) Title() string   { return "Obter confiabilidade" }
func (v meansView) Title() string       { return v.Means.Title }
func (v areaCompanyView) Title() string { return v.Company.Name }

func (v areaView) Body(x *Exchange) templ.Component        { return v.body(x) }
func (v reliabilityView) Body(x *Exchange) templ.Component { return v.body(x) }
func (v meansView) Body(x *Exchange) templ.Component       { return v.body(x) }
func (v areaCompanyView) Body(x *Exchange) templ.Component { return v.body(x) }

// nextLevel is what the next level takes, in words.
func nextLevel(l Level) string {
	switch l {
	case Bronze:
		return "Para o nível Prata: banco credenciado, rosto na base da CNH ou base de servidores. Para o nível Ouro: rosto na Justiça Eleitoral, CIN ou certificado digital."
	case Prata:
		return "Para o nível Ouro: rosto na Justiça Eleitoral, Carteira de Identidade Nacional ou certificado digital."
	case Ouro:
		return "É o nível mais alto: dá acesso a todos os serviços."
	}
	return ""
}

// levelTone is the colour of a level's tag.
func levelTone(l Level) string {
	return map[Level]string{Ouro: "br-tag warning", Prata: "br-tag", Bronze: "br-tag quiet"}[l]
}

func yesNo(yes bool) string {
	if yes {
		return "sim"
	}
	return "não"
}
