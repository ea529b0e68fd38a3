package govbr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"selo/fault"
)

// Environment says which gov.br the endpoints belong to.
type Environment string

const (
	Staging    Environment = "homologacao"
	Production Environment = "producao"
	Simulated  Environment = "simulacao" // a simulator: the rules of homologação
)

// Endpoints are the addresses of the services, each without a slash at the end;
// a path is allowed. The paths that the manuals name are added to them.
type Endpoints struct {
	SSO string `json:"sso"` // /authorize, /token, /jwk, /userinfo/, /logout, /api/x509/info
	// Issuer is the exact iss of the tokens; empty is SSO with a slash at its end.
	Issuer string `json:"emissor,omitempty"`
	// CertificateSSO is where a sign-in with a certificate may begin; empty: at SSO.
	CertificateSSO string `json:"sso_certificado,omitempty"`
	API            string `json:"api"`             // /confiabilidades, /empresas, /procuracoes
	Catalogue      string `json:"confiabilidades"` // where people raise the level of their account

	CAS         string `json:"cas,omitempty"`           // /oauth2.0/authorize, /oauth2.0/token
	Signature   string `json:"assinatura,omitempty"`    // /externo/v2/...
	ProofOfLife string `json:"prova_de_vida,omitempty"` // /auth/oauth/token, /api/...
}

// StagingEndpoints are those of homologação. All are [D].
func StagingEndpoints() Endpoints {
	return Endpoints{
		SSO:         "https://sso.staging.acesso.gov.br",
		API:         "https://api.staging.acesso.gov.br",
		Catalogue:   "https://confiabilidades.staging.acesso.gov.br",
		CAS:         "https://cas.staging.iti.br",
		Signature:   "https://assinatura-api.staging.iti.br",
		ProofOfLife: "https://h.meugov.np.estaleiro.serpro.gov.br", // since 31/12/2025 without the older host
	}
}

// ProductionEndpoints are those of production that a manual states. The hosts
// of Assinatura and of Prova de Vida come with the credentials and must be given
// explicitly: cas.iti.br, assinatura-api.iti.br and meugov.estaleiro.serpro.gov.br
// are only observed in other programs [O], and certificado.sso.acesso.gov.br too.
func ProductionEndpoints() Endpoints {
	return Endpoints{
		SSO:       "https://sso.acesso.gov.br",             // [D]
		API:       "https://api.acesso.gov.br",             // [D]
		Catalogue: "https://confiabilidades.acesso.gov.br", // [D]
	}
}

// Credential is what the Secretaria de Governo Digital, ITI or Serpro gives for
// one product and one environment.
type Credential struct {
	ID     string `json:"id"`
	Secret Secret `json:"segredo"`
}

// Scope is a permission that a sign-in asks for.
type Scope string

const (
	ScopeOpenID           Scope = "openid"
	ScopeEmail            Scope = "email"
	ScopePhone            Scope = "phone" // makes gov.br demand a verified telephone [O]
	ScopeProfile          Scope = "profile"
	ScopeReliability      Scope = "govbr_confiabilidades"
	ScopeReliabilityToken Scope = "govbr_confiabilidades_idtoken" //nolint:gosec // a scope's name, no credential
	ScopeCompanies        Scope = "govbr_empresa"
	ScopeX509             Scope = "govbr_recupera_certificadox509"
	// ScopePOARegister and ScopePOAList belong to Procuração Eletrônica.
	ScopePOARegister Scope = "poav2_createPoaAccessHistory_agent"
	ScopePOAList     Scope = "poav2_retrievePoasByAgentAccountIdAndGrantorAccountIdAndClientIdAndIsActive_agent"
)

// DefaultScopes are those that the manual recommends (Passo 3).
func DefaultScopes() []Scope {
	return []Scope{ScopeOpenID, ScopeEmail, ScopeProfile, ScopeReliability, ScopeReliabilityToken}
}

// Duration is a time.Duration that configuration files write as "30s".
type Duration time.Duration

// UnmarshalText reads "30s".
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// MarshalText writes "30s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// Config says whom to ask and as whom. Endpoints that are empty leave their
// service out.
type Config struct {
	Environment Environment `json:"ambiente"`
	Endpoints   Endpoints   `json:"enderecos"`

	Login          Credential `json:"login"`
	Redirect       string     `json:"retorno"`                 // exactly as registered
	LogoutRedirect string     `json:"retorno_saida,omitempty"` // of "URL de Log Out"; no other client_id may have it
	Scopes         []Scope    `json:"escopos,omitempty"`       // empty: [DefaultScopes]
	Signing        Credential `json:"assinatura,omitzero"`     // of ITI's CAS: other than Login's
	SignRedirect   string     `json:"retorno_assinatura,omitempty"`
	ProofOfLife    Credential `json:"prova_de_vida,omitzero"`

	Leeway  Duration `json:"folga,omitempty"`  // between both clocks; zero is 30 s, at most 5 min
	Timeout Duration `json:"espera,omitempty"` // of one attempt; zero is 10 s, at most 2 min

	// Local allows plain http to this very machine, for a simulator or a test.
	Local bool `json:"local,omitempty"`
}

// ParseConfig reads a configuration file. An endpoint that it does not name is
// that of its environment; variables of the environment (SELO_GOVBR_…) go
// before the file, so that secrets need not stand in it. getenv may be nil.
//
// Fault: Invalid "govbr.config" with every mistake.
func ParseConfig(data []byte, getenv func(string) string) (Config, error) {
	var cfg Config
	if len(bytes.TrimSpace(data)) > 0 {
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(&cfg); err != nil || d.More() {
			return Config{}, fault.New(fault.Invalid, "govbr.config.file").Because(plain(err))
		}
	}
	if getenv != nil {
		cfg.override(getenv)
	}
	cfg = cfg.filled()
	return cfg, cfg.Check()
}

// override takes what the environment sets.
func (c *Config) override(getenv func(string) string) {
	take := func(name string, set func(string)) {
		if v := strings.TrimSpace(getenv("SELO_GOVBR_" + name)); v != "" {
			set(v)
		}
	}
	text := func(to *string) func(string) { return func(v string) { *to = v } }
	secret := func(to *Secret) func(string) { return func(v string) { *to = NewSecret(v) } }
	take("AMBIENTE", func(v string) { c.Environment = Environment(v) })
	take("SSO", text(&c.Endpoints.SSO))
	take("API", text(&c.Endpoints.API))
	take("CONFIABILIDADES", text(&c.Endpoints.Catalogue))
	take("CAS", text(&c.Endpoints.CAS))
	take("ASSINATURA", text(&c.Endpoints.Signature))
	take("PROVA_DE_VIDA", text(&c.Endpoints.ProofOfLife))
	take("LOGIN_ID", text(&c.Login.ID))
	take("LOGIN_SEGREDO", secret(&c.Login.Secret))
	take("ASSINATURA_ID", text(&c.Signing.ID))
	take("ASSINATURA_SEGREDO", secret(&c.Signing.Secret))
	take("PROVA_DE_VIDA_ID", text(&c.ProofOfLife.ID))
	take("PROVA_DE_VIDA_SEGREDO", secret(&c.ProofOfLife.Secret))
	take("RETORNO", text(&c.Redirect))
	take("RETORNO_SAIDA", text(&c.LogoutRedirect))
	take("RETORNO_ASSINATURA", text(&c.SignRedirect))
}

// filled puts the usual values where there are none. White space around
// credentials is the manual's first cause of invalid_client: it goes.
func (c Config) filled() Config {
	usual := Endpoints{}
	switch c.Environment {
	case Staging:
		usual = StagingEndpoints()
	case Production:
		usual = ProductionEndpoints()
	case Simulated:
	}
	e := &c.Endpoints
	for _, p := range []struct {
		at    *string
		usual string
	}{{&e.SSO, usual.SSO}, {&e.API, usual.API}, {&e.Catalogue, usual.Catalogue}, {&e.CAS, usual.CAS},
		{&e.Signature, usual.Signature}, {&e.ProofOfLife, usual.ProofOfLife}, {&e.CertificateSSO, ""}} {
		*p.at = strings.TrimRight(strings.TrimSpace(*p.at), "/")
		if *p.at == "" {
			*p.at = p.usual
		}
	}
	if e.Issuer == "" && e.SSO != "" {
		e.Issuer = e.SSO + "/"
	}
	if len(c.Scopes) == 0 {
		c.Scopes = DefaultScopes()
	}
	for _, k := range []*Credential{&c.Login, &c.Signing, &c.ProofOfLife} {
		k.ID, k.Secret = strings.TrimSpace(k.ID), NewSecret(strings.TrimSpace(k.Secret.Reveal()))
	}
	if c.Leeway == 0 {
		c.Leeway = Duration(30 * time.Second)
	}
	if c.Timeout == 0 {
		c.Timeout = Duration(10 * time.Second)
	}
	return c
}

// Check finds the mistakes in a configuration, all of them at once.
//
// Fault: Invalid "govbr.config"; the problems say field and remedy.
func (c Config) Check() error {
	var problems []fault.Problem
	add := func(field, code string, args ...string) {
		problems = append(problems, fault.Problem{Record: "gov.br", Field: field, Code: code, Args: fault.Pairs(args...)})
	}
	if !slices.Contains([]Environment{Staging, Production, Simulated}, c.Environment) {
		add("ambiente", "govbr.config.environment")
	}
	e := c.Endpoints
	for _, p := range []struct{ field, url string }{{"enderecos.sso", e.SSO}, {"enderecos.api", e.API},
		{"enderecos.confiabilidades", e.Catalogue}, {"enderecos.cas", e.CAS}, {"enderecos.assinatura", e.Signature},
		{"enderecos.prova_de_vida", e.ProofOfLife}, {"enderecos.sso_certificado", e.CertificateSSO}} {
		if p.url != "" {
			c.checkEndpoint(p.field, p.url, add)
		}
	}
	for _, p := range []struct{ field, url string }{{"retorno", c.Redirect}, {"retorno_saida", c.LogoutRedirect},
		{"retorno_assinatura", c.SignRedirect}} {
		if p.url != "" && !c.goodRedirect(p.url) {
			add(p.field, "govbr.config.redirect")
		}
	}
	if len(c.Scopes) > 0 && !slices.Contains(c.Scopes, ScopeOpenID) {
		add("escopos", "govbr.config.openid")
	}
	for _, s := range c.Scopes {
		if s == "" || strings.ContainsFunc(string(s), func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			add("escopos", "govbr.config.scope")
		}
	}
	if c.Leeway < 0 || c.Leeway > Duration(5*time.Minute) {
		add("folga", "govbr.config.duration", "maximo", "5m")
	}
	if c.Timeout < 0 || c.Timeout > Duration(2*time.Minute) {
		add("espera", "govbr.config.duration", "maximo", "2m")
	}
	return fault.WithProblems("govbr.config", problems)
}

func (c Config) checkEndpoint(field, raw string, add func(field, code string, args ...string)) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" ||
		u.Scheme != "http" && u.Scheme != "https" || strings.ContainsFunc(raw, unsafeInURL):
		add(field, "govbr.config.url")
	case u.Scheme == "http" && (!c.Local || !loopback(u.Hostname())):
		add(field, "govbr.config.https")
	case u.Scheme == "https" && !c.Local && loopback(u.Hostname()), forbiddenHost(u.Hostname()):
		add(field, "govbr.config.host")
	}
}

func unsafeInURL(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }

// goodRedirect tells whether gov.br could have registered the address:
// homologação takes http, production https only.
func (c Config) goodRedirect(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || strings.ContainsFunc(raw, unsafeInURL) {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && c.Environment != Production
}

func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// forbiddenHost finds addresses at which no service of gov.br is, and some
// cloud's metadata may be.
func forbiddenHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && forbiddenIP(ip)
}

func forbiddenIP(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast()
}

// guard refuses to connect to an address that a name should never lead to.
func guard(local bool) func(network, address string) error {
	return func(_, address string) error {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		ip, err := netip.ParseAddr(host)
		if err != nil {
			return err
		}
		if forbiddenIP(ip) || ip.Unmap().IsLoopback() && !local {
			return fmt.Errorf("address %s is not one of a service", ip)
		}
		return nil
	}
}

// printable keeps what a server says fit for a message: short, one line.
func printable(s string, most int) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= most {
			break
		}
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}

// need adds what a client cannot do without to the mistakes of a configuration.
func (c Config) need(fields map[string]string) error {
	var problems []fault.Problem
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if fields[field] == "" {
			problems = append(problems, fault.Problem{Record: "gov.br", Field: field, Code: "govbr.config.missing"})
		}
	}
	if f := fault.Of(c.Check()); f != nil {
		problems = append(problems, f.Problems...)
	}
	return fault.WithProblems("govbr.config", problems)
}
