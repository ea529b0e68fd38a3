package govbrsim

import (
	"slices"
	"strings"
	"unicode/utf8"

	"selo/brasil"
	"selo/fault"
)

// SignatureClient is a credential of Assinatura Eletrônica. It is another one
// than Login Único's, also for the same system (Assinatura manual).
type SignatureClient struct {
	ID          string      `json:"client_id"`
	Secret      string      `json:"client_secret"`
	Name        string      `json:"nome"` // shown on the screen, at most 50 characters
	Environment Environment `json:"ambiente"`
	Redirects   []string    `json:"urls_retorno"`           // exact
	Switches    Switches    `json:"interruptores,omitzero"` // what is odd for this client
}

func (c *SignatureClient) clone() *SignatureClient {
	d := *c
	d.Redirects, d.Switches = filled(c.Redirects), c.Switches.clone()
	return &d
}

// check normalises a credential and says what is wrong. Fault: Invalid
// "govbrsim.record" with a problem for each field.
func (c *SignatureClient) check() error {
	ch := &checker{record: "cliente de assinatura " + cut(c.ID)}
	ch.credential(c.ID, c.Secret, c.Name)
	if c.Environment == "" {
		c.Environment = Homologacao
	}
	oneOf(ch, "ambiente", c.Environment, Homologacao, Producao)
	ch.count("urls_retorno", len(c.Redirects), maxURLs)
	ch.urls("urls_retorno", c.Redirects, c.Environment)
	c.Switches.check(ch)
	return ch.result()
}

// AgencyClient is a credential of Prova de Vida: that of an agency.
type AgencyClient struct {
	ID       string      `json:"client_id"`
	Secret   string      `json:"client_secret"`
	Name     string      `json:"nome"` // of the agency
	CNPJ     brasil.CNPJ `json:"cnpj"`
	Switches Switches    `json:"interruptores,omitzero"` // what is odd for this client
}

func (c *AgencyClient) clone() *AgencyClient {
	d := *c
	d.Switches = c.Switches.clone()
	return &d
}

// check is as [SignatureClient.check].
func (c *AgencyClient) check() error {
	ch := &checker{record: "cliente de prova de vida " + cut(c.ID)}
	ch.credential(c.ID, c.Secret, c.Name)
	cnpj, err := brasil.ParseCNPJ(string(c.CNPJ))
	ch.fault("cnpj", err)
	if err == nil {
		c.CNPJ = cnpj
	}
	c.Switches.check(ch)
	return ch.result()
}

// credential checks what every credential has.
func (c *checker) credential(id, secret, name string) {
	c.text("client_id", id, true)
	c.text("client_secret", secret, true)
	if strings.ContainsAny(id, " :") {
		c.add("client_id", "govbrsim.characters")
	}
	if secret != strings.TrimSpace(secret) {
		c.add("client_secret", "govbrsim.characters")
	}
	c.text("nome", name, true)
	if utf8.RuneCountInString(name) > 50 {
		c.add("nome", "govbrsim.too_long", "limite", "50")
	}
}

// checkCredentials checks those of a file that are not Login Único's.
func (l *ClientList) checkCredentials() (problems []fault.Problem, err error) {
	for i, c := range l.Signature {
		if c == nil {
			return nil, emptyEntry("clientes_assinatura", i)
		}
		problems = append(problems, problemsOf(c.check())...)
	}
	for i, c := range l.Agencies {
		if c == nil {
			return nil, emptyEntry("clientes_prova_de_vida", i)
		}
		problems = append(problems, problemsOf(c.check())...)
	}
	return problems, nil
}

// putSignatureClient keeps a credential. The caller locks.
func (w *World) putSignatureClient(c *SignatureClient) error {
	if err := c.check(); err != nil {
		return err
	}
	if err := room(w.signature.clients, c.ID, maxClients); err != nil {
		return err
	}
	w.signature.clients[c.ID] = c
	w.changed++
	return nil
}

// putAgency keeps a credential. The caller locks.
func (w *World) putAgency(c *AgencyClient) error {
	if err := c.check(); err != nil {
		return err
	}
	if err := room(w.life.clients, c.ID, maxClients); err != nil {
		return err
	}
	w.life.clients[c.ID] = c
	w.changed++
	return nil
}

// signatureFlawsFor are those that hold for one person at one client. The caller locks.
func (w *World) signatureFlawsFor(c *SignatureClient, p *Person) []SignatureFlaw {
	return slices.Clone(w.switches.over(c.Switches).over(p.Switches).SignatureFlaws)
}
