package govbrsim

import (
	"selo/brasil"
	"selo/locale"

	"github.com/a-h/templ"
)

// loginView is what the screens of signing in share.
type loginView struct {
	Authorization string
	ClientID      string
	Service       string // name of the client; "" for pages of the simulator
	CPF           brasil.CPF
	Wrong         string // what was wrong with what was sent
}

type cpfView struct {
	loginView
	Typed string
}

type passwordView struct{ loginView }

type codeView struct {
	loginView
	Offline bool // the code is made in the app
}

type phoneView struct {
	loginView
	Phone string
}

type phoneCodeView struct {
	loginView
	Phone string // masked
}

type consentView struct {
	loginView
	Name   string
	Scopes []string // in words
}

// errorView is a page that refuses, with the code that developers know.
type errorView struct {
	Code string // "invalid_client"
	Text string
	Hint string // for developers
}

// failureView is any other error.
type failureView struct{ locale.Failure }

type goodbyeView struct{}

type catalogueView struct {
	Service string
	Name    string
	Level   Level
	Missing Level // "" when the level is enough
	Has     []seloKind
	Offers  []seloKind
	Query   string // of the catálogo, to come back to
}

// startView is the first page.
type startView struct {
	Base      string
	World     string
	Worlds    []string
	People    []*Person
	More      int
	Clients   []*Client
	Signature []*SignatureClient
	Agencies  []*AgencyClient
	Secrets   bool // of clients may be shown
	Companies []*Company
	Now       string
}

type inboxView struct{ Messages []Message }

// The titles.

func (cpfView) Title() string       { return "Identifique-se" }
func (passwordView) Title() string  { return "Digite sua senha" }
func (codeView) Title() string      { return "Verificação em duas etapas" }
func (phoneView) Title() string     { return "Confirme o seu celular" }
func (phoneCodeView) Title() string { return "Digite o código do SMS" }
func (consentView) Title() string   { return "Autorização de uso de dados pessoais" }
func (v errorView) Title() string   { return "Erro " + v.Code }
func (v failureView) Title() string { return v.Failure.Title }
func (goodbyeView) Title() string   { return "Você saiu" }
func (catalogueView) Title() string { return "Catálogo de confiabilidades" }
func (startView) Title() string     { return "Simulador da identidade digital" }
func (inboxView) Title() string     { return "Caixa de mensagens" }

// The bodies, drawn in the .templ files.

func (v cpfView) Body(x *Exchange) templ.Component       { return v.body(x) }
func (v passwordView) Body(x *Exchange) templ.Component  { return v.body(x) }
func (v codeView) Body(x *Exchange) templ.Component      { return v.body(x) }
func (v phoneView) Body(x *Exchange) templ.Component     { return v.body(x) }
func (v phoneCodeView) Body(x *Exchange) templ.Component { return v.body(x) }
func (v consentView) Body(x *Exchange) templ.Component   { return v.body(x) }
func (v errorView) Body(x *Exchange) templ.Component     { return v.body(x) }
func (v failureView) Body(x *Exchange) templ.Component   { return v.body(x) }
func (v goodbyeView) Body(x *Exchange) templ.Component   { return v.body(x) }
func (v catalogueView) Body(x *Exchange) templ.Component { return v.body(x) }
func (v startView) Body(x *Exchange) templ.Component     { return v.body(x) }
func (v inboxView) Body(x *Exchange) templ.Component     { return v.body(x) }

// describedBy names what explains a field: its help and what is wrong.
func describedBy(help, wrong string) string {
	switch {
	case wrong == "":
		return help
	case help == "":
		return "errado"
	}
	return help + " errado"
}

func invalid(wrong string) string {
	if wrong == "" {
		return "false"
	}
	return "true"
}

// offerLabel is a selo as the catálogo offers it.
func offerLabel(k seloKind) string { return k.text + " — " + levelNames[k.level] }
