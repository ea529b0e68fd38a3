package govbrsim

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"selo/brasil"
	"selo/fault"
)

// Bounds of records and of a world. What is more is refused.
const (
	maxText     = 200       // characters of a name and the like
	maxURL      = 2000      // bytes of an address
	maxURLs     = 50        // addresses of one kind of a client
	maxSelos    = 100       // of a person
	maxMembers  = 500       // of a company
	maxPicture  = 512 << 10 // bytes
	maxPeople   = 20_000    // of a world
	maxClients  = 500       // of a world
	maxCompany  = 5_000     // of a world
	maxPowers   = 5_000     // of a world
	maxSwitches = 50        // values of one switch
)

// checker collects what is wrong with one record.
type checker struct {
	record   string
	problems []fault.Problem
}

func (c *checker) add(field, code string, args ...string) {
	c.problems = append(c.problems, fault.Problem{Record: c.record, Field: field, Code: code, Args: fault.Pairs(args...)})
}

// fault keeps the code and arguments of an error of package brasil.
func (c *checker) fault(field string, err error) {
	if f := fault.Of(err); f != nil {
		c.problems = append(c.problems, fault.Problem{Record: c.record, Field: field, Code: f.Key, Args: f.Args})
	}
}

func (c *checker) text(field, value string, required bool) {
	switch n := utf8.RuneCountInString(value); {
	case required && strings.TrimSpace(value) == "":
		c.add(field, "govbrsim.required")
	case n > maxText:
		c.add(field, "govbrsim.too_long", "limite", strconv.Itoa(maxText))
	case !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		c.add(field, "govbrsim.characters")
	}
}

func (c *checker) count(field string, n, limit int) {
	if n > limit {
		c.add(field, "govbrsim.too_many", "limite", strconv.Itoa(limit))
	}
}

// oneOf checks a value out of a closed list; empty is allowed if it is listed.
func oneOf[T ~string](c *checker, field string, value T, list ...T) {
	if slices.Contains(list, value) {
		return
	}
	names := make([]string, 0, len(list))
	for _, v := range list {
		if v != "" {
			names = append(names, string(v))
		}
	}
	c.add(field, "govbrsim.value", "valor", cut(string(value)), "aceitos", strings.Join(names, ", "))
}

// cut bounds what a message repeats.
func cut(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

func (c *checker) result() error { return fault.WithProblems("govbrsim.record", c.problems) }

var (
	phonePattern = regexp.MustCompile(`^[1-9][0-9]{9,10}$`)
	mailPattern  = regexp.MustCompile(`^[^\s@<>"']{1,64}@[^\s@<>"']{1,190}$`)
	seloPattern  = regexp.MustCompile(`^[0-9]{1,6}$`)
	amrPattern   = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,40}$`)
)

// check normalises a person and says what is wrong. Fault: Invalid
// "govbrsim.record" with a problem for each field.
func (p *Person) check() error {
	c := &checker{record: "pessoa " + cut(string(p.CPF))}
	cpf, err := brasil.ParseCPF(string(p.CPF))
	c.fault("cpf", err)
	if err == nil {
		p.CPF = cpf
	}
	c.text("nome", p.Name, true)
	c.text("nome_social", p.SocialName, false)
	c.text("nome_mae", p.Mother, false)
	c.text("senha", p.Password, true)
	c.text("descricao", p.Note, false)
	if p.Email != "" && !mailPattern.MatchString(p.Email) {
		c.add("email", "govbrsim.email", "valor", cut(p.Email))
	}
	if p.Phone != "" && !phonePattern.MatchString(p.Phone) {
		c.add("telefone", "govbrsim.phone", "valor", cut(p.Phone))
	}
	if p.EmailVerified && p.Email == "" {
		c.add("email_verificado", "govbrsim.verified_nothing")
	}
	if p.PhoneVerified && p.Phone == "" {
		c.add("telefone_verificado", "govbrsim.verified_nothing")
	}
	oneOf(c, "situacao_cpf", p.Situation, "", Regular, Pending, Suspended, Deceased, Multiple, Void, ExOfficio)
	oneOf(c, "segundo_fator", p.SecondFactor, "", OTP, OTPOffline)
	oneOf(c, "nivel", p.Level, "", Bronze, Prata, Ouro)
	oneOf(c, "certificado_nuvem", p.Certificate, append([]string{""}, CloudProviders()...)...)
	if p.ActsFor != "" {
		grantor, err := brasil.ParseCPF(string(p.ActsFor))
		c.fault("outorgante", err)
		p.ActsFor = grantor
	}
	c.count("selos", len(p.Selos), maxSelos)
	for i, s := range p.Selos {
		if !seloPattern.MatchString(s.ID) {
			c.add("selos["+strconv.Itoa(i)+"].id", "govbrsim.selo", "valor", cut(s.ID))
		}
	}
	if _, known := pictureType(p.Picture); len(p.Picture) > 0 && !known || len(p.Picture) > maxPicture {
		c.add("foto", "govbrsim.picture", "limite", strconv.Itoa(maxPicture))
	}
	p.Switches.check(c)
	return c.result()
}

func (c *Company) check() error {
	ch := &checker{record: "empresa " + cut(string(c.CNPJ))}
	cnpj, err := brasil.ParseCNPJ(string(c.CNPJ))
	ch.fault("cnpj", err)
	if err == nil {
		c.CNPJ = cnpj
	}
	ch.text("razao_social", c.Name, true)
	ch.text("nome_fantasia", c.TradeName, false)
	ch.count("participantes", len(c.Members), maxMembers)
	seen := map[brasil.CPF]bool{}
	for i := range c.Members {
		m, at := &c.Members[i], "participantes["+strconv.Itoa(i)+"]."
		m.check(ch, at)
		if seen[m.CPF] {
			ch.add(at+"cpf", "govbrsim.twice", "valor", string(m.CPF))
		}
		seen[m.CPF] = true
	}
	return ch.result()
}

func (m *Member) check(c *checker, at string) {
	cpf, err := brasil.ParseCPF(string(m.CPF))
	c.fault(at+"cpf", err)
	if err == nil {
		m.CPF = cpf
	}
	oneOf(c, at+"atuacao", m.Acting, "", Partner, Accountant, LegalRep, NotActing)
	if m.AddedBy != "" {
		by, err := brasil.ParseCPF(string(m.AddedBy))
		c.fault(at+"cpf_cadastrador", err)
		if err == nil {
			m.AddedBy = by
		}
	}
}

// check says what is wrong with a client by itself; that a logout address is
// nobody else's is the world's to know.
func (c *Client) check() error {
	ch := &checker{record: "cliente " + cut(c.ID)}
	ch.text("client_id", c.ID, true)
	ch.text("client_secret", c.Secret, true)
	for field, value := range map[string]string{"client_id": c.ID, "client_secret": c.Secret} {
		if strings.ContainsAny(value, " :") && field == "client_id" || value != strings.TrimSpace(value) {
			ch.add(field, "govbrsim.characters")
		}
	}
	ch.text("nome", c.Name, true)
	if utf8.RuneCountInString(c.Name) > 50 {
		ch.add("nome", "govbrsim.too_long", "limite", "50")
	}
	if c.Environment == "" {
		c.Environment = Homologacao
	}
	oneOf(ch, "ambiente", c.Environment, Homologacao, Producao)
	ch.count("urls_retorno", len(c.Redirects), maxURLs)
	ch.count("urls_logout", len(c.Logouts), maxURLs)
	ch.urls("urls_retorno", c.Redirects, c.Environment)
	ch.urls("urls_logout", c.Logouts, c.Environment)
	if c.Home != "" {
		ch.urls("url_inicial", []string{c.Home}, c.Environment)
	}
	if c.Scopes == nil {
		c.Scopes = DefaultScopes()
	}
	ch.count("escopos", len(c.Scopes), len(scopes))
	for i, s := range c.Scopes {
		if !knownScope(s) {
			ch.add("escopos["+strconv.Itoa(i)+"]", "govbrsim.scope", "valor", cut(s))
		}
	}
	c.Switches.check(ch)
	return ch.result()
}

func (c *checker) urls(field string, list []string, env Environment) {
	for i, text := range list {
		at := field + "[" + strconv.Itoa(i) + "]"
		switch {
		case slices.Index(list, text) < i:
			c.add(at, "govbrsim.twice", "valor", cut(text))
		case !returnable(text):
			c.add(at, "govbrsim.url", "valor", cut(text))
		case env == Producao && !strings.HasPrefix(text, "https://"):
			c.add(at, "govbrsim.url_https", "valor", cut(text))
		}
	}
}

// returnable tells whether a browser may be sent to an address: absolute, http
// or https, with a host, and without what browsers and servers read
// differently (user names, backslashes, fragments, white space, controls).
func returnable(text string) bool {
	if len(text) > maxURL || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' || r == '#' || r == '<' || r == '"' }) {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil && u.Opaque == ""
}

func (s *Switches) check(c *checker) {
	const at = "interruptores."
	oneOf(c, at+"consentimento", is(s.Consent, ConsentOnce), ConsentOnce, ConsentAlways, ConsentNever)
	oneOf(c, at+"foto", is(s.Picture, PictureRaw), PictureRaw, PictureBase64, PictureNone)
	oneOf(c, at+"prova_de_vida", is(s.ProofOfLife, OutcomePending), proofOutcomes()...)
	for _, f := range s.SignatureFlaws {
		oneOf(c, at+"defeitos_assinatura", f, signatureFlaws()...)
	}
	for _, f := range s.Flaws {
		oneOf(c, at+"defeitos_id_token", f, flaws()...)
	}
	for _, v := range s.ExtraAMR {
		if !amrPattern.MatchString(v) {
			c.add(at+"amr_extra", "govbrsim.characters")
		}
	}
	for _, v := range slices.Concat(s.RefusedScopes, s.Reset) {
		c.text(at+"escopos_recusados", v, true)
	}
	for field, n := range map[string]int{"escopos_recusados": len(s.RefusedScopes), "conexao_interrompida": len(s.Reset),
		"defeitos_id_token": len(s.Flaws), "defeitos_assinatura": len(s.SignatureFlaws), "amr_extra": len(s.ExtraAMR)} {
		c.count(at+field, n, maxSwitches)
	}
}

func (p *Power) check() error {
	c := &checker{record: "procuracao " + strconv.FormatInt(p.ID, 10)}
	for field, cpf := range map[string]*brasil.CPF{"outorgante": &p.Grantor, "procurador": &p.Agent} {
		parsed, err := brasil.ParseCPF(string(*cpf))
		c.fault(field, err)
		if err == nil {
			*cpf = parsed
		}
	}
	if p.Status == "" {
		p.Status = "ACTIVE"
	}
	oneOf(c, "situacao", p.Status, powerStatuses...)
	c.count("servicos", len(p.Services), maxURLs)
	for _, s := range p.Services {
		c.text("servicos", s.Name, true)
		c.text("servicos", s.ClientID, true)
	}
	return c.result()
}
