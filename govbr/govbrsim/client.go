package govbrsim

import (
	"slices"
	"strings"
)

// Environment says which rules of registration hold for a client.
type Environment string

// The environments. In homologação addresses may be http://, in produção not.
const (
	Homologacao Environment = "homologacao"
	Producao    Environment = "producao"
)

// The scopes of Login Único.
const (
	scopeOpenID      = "openid"
	scopeEmail       = "email"
	scopePhone       = "phone"
	scopeProfile     = "profile"
	scopeReliability = "govbr_confiabilidades"
	scopeInIDToken   = "govbr_confiabilidades_idtoken"
	scopeCompany     = "govbr_empresa"
	scopeX509        = "govbr_recupera_certificadox509"
	scopePowerUse    = "poav2_createPoaAccessHistory_agent"
	scopePowerList   = "poav2_retrievePoasByAgentAccountIdAndGrantorAccountIdAndClientIdAndIsActive_agent"
)

// scopes are all there are, with what the consent screen says of each; an
// empty text is not shown apart.
var scopes = []struct{ name, text string }{
	{scopeOpenID, "Identificar você pela sua conta gov.br (nome e CPF)"},
	{scopeProfile, "Nome, nome social e foto"},
	{scopeEmail, "Endereço de e-mail"},
	{scopePhone, "Número de telefone celular"},
	{scopeReliability, "Nível e selos de confiabilidade da sua conta"},
	{scopeInIDToken, "Nível e selos de confiabilidade no momento da entrada"},
	{scopeCompany, "Empresas vinculadas à sua conta"},
	{scopeX509, "Dados do certificado digital usado na entrada"},
	{scopePowerUse, "Registrar o uso de procurações eletrônicas que você recebeu"},
	{scopePowerList, "Consultar procurações eletrônicas que você recebeu"},
}

// DefaultScopes are those the manual tells every client to ask for.
func DefaultScopes() []string {
	return []string{scopeOpenID, scopeEmail, scopeProfile, scopeReliability, scopeInIDToken}
}

func knownScope(name string) bool { return scopeText(name) != "" }

func scopeText(name string) string {
	for _, s := range scopes {
		if s.name == name {
			return s.text
		}
	}
	return ""
}

// Client is a registered system: one credential of one environment.
type Client struct {
	ID          string      `json:"client_id"`
	Secret      string      `json:"client_secret"`
	Name        string      `json:"nome"` // shown on the consent screen, at most 50 characters
	Environment Environment `json:"ambiente"`
	Redirects   []string    `json:"urls_retorno"`           // exact
	Logouts     []string    `json:"urls_logout"`            // exact, each of one client only
	Home        string      `json:"url_inicial,omitempty"`  // at most one
	Scopes      []string    `json:"escopos"`                // that the credential may ask for
	Pairwise    bool        `json:"sub_pareado,omitzero"`   // the sub is not the CPF
	Switches    Switches    `json:"interruptores,omitzero"` // what is odd for this client
}

func (c *Client) clone() *Client {
	d := *c
	d.Redirects, d.Logouts, d.Scopes = filled(c.Redirects), filled(c.Logouts), filled(c.Scopes)
	d.Switches = c.Switches.clone()
	return &d
}

// refused are the scopes of asked that the client may not have.
func (c *Client) refused(asked []string) []string {
	var none []string
	for _, s := range asked {
		if !slices.Contains(c.Scopes, s) {
			none = append(none, s)
		}
	}
	return none
}

// filled is a copy that is never nil, so that JSON has a list.
func filled(list []string) []string { return append([]string{}, list...) }

func cmpText(a, b string) int { return strings.Compare(a, b) }
