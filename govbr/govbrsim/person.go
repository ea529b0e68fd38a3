package govbrsim

import (
	"slices"
	"time"

	"selo/brasil"
)

// Level is the level of an account. The zero value is none: the level then
// follows from the selos.
type Level string

// The levels (Portaria SGD/MGI 11.229/2025).
const (
	Bronze Level = "bronze"
	Prata  Level = "prata"
	Ouro   Level = "ouro"
)

// levelRow is a level with the number of the API and the word of the id_token.
type levelRow struct {
	level     Level
	id, claim string
}

// levels are all there are, lowest first.
var levels = []levelRow{
	{Bronze, "1", "bronze"},
	{Prata, "2", "silver"},
	{Ouro, "3", "gold"},
}

// rank is 1 for bronze, 2 for prata, 3 for ouro and 0 for anything else.
func (l Level) rank() int {
	return 1 + slices.IndexFunc(levels, func(row levelRow) bool { return row.level == l })
}

// claim is the level as the id_token says it; what is no level is bronze.
func (l Level) claim() string { return levels[max(l.rank(), 1)-1].claim }

// id is the level as the API says it; what is no level is "1".
func (l Level) id() string { return levels[max(l.rank(), 1)-1].id }

// SecondFactor is how an account asks for a second factor. The zero value is
// an account without one.
type SecondFactor string

// The second factors, as amr names them.
const (
	OTP        SecondFactor = "otp"         // a code sent to the app
	OTPOffline SecondFactor = "otp_offline" // a code made in the linked app
)

// Situation is the CPF's at the Receita Federal. The zero value is regular.
type Situation string

// The situations; the last four stop the electronic signature (AE, 4.4).
const (
	Regular   Situation = "regular"
	Pending   Situation = "pendente"
	Suspended Situation = "suspensa"
	Deceased  Situation = "falecido"
	Multiple  Situation = "cancelada_multiplicidade"
	Void      Situation = "nula"
	ExOfficio Situation = "cancelada_oficio"
)

// Person is an account and what the Receita Federal knows of its holder.
type Person struct {
	CPF        brasil.CPF  `json:"cpf"`
	Name       string      `json:"nome"`
	SocialName string      `json:"nome_social,omitempty"`
	Mother     string      `json:"nome_mae,omitempty"`
	Born       brasil.Date `json:"nascimento,omitzero"`
	Situation  Situation   `json:"situacao_cpf,omitempty"`

	Email         string       `json:"email,omitempty"`
	EmailVerified bool         `json:"email_verificado"`
	Phone         string       `json:"telefone,omitempty"` // DDD and number, 10 or 11 digits
	PhoneVerified bool         `json:"telefone_verificado"`
	Password      string       `json:"senha"`
	SecondFactor  SecondFactor `json:"segundo_fator,omitempty"`

	// Level stands whatever the selos are; empty, it follows from them.
	Level Level  `json:"nivel,omitempty"`
	Selos []Selo `json:"selos"`

	Picture []byte `json:"foto,omitempty"`          // JPEG or PNG
	Drawn   bool   `json:"foto_desenhada,omitzero"` // a drawn picture when there is no other

	// Certificate is how the person's certificates come: "" for a device (A1,
	// A3), else a cloud provider of [CloudProviders].
	Certificate string `json:"certificado_nuvem,omitempty"`
	// ActsFor is the grantor whose power of attorney this person uses when
	// signing in ("agent" and "grantor_account" in the access_token).
	ActsFor brasil.CPF `json:"outorgante,omitempty"`

	Switches Switches `json:"interruptores,omitzero"`
	Note     string   `json:"descricao,omitempty"` // what the persona is for
}

// CloudProviders are the providers of certificates in the cloud, as amr names
// them behind "x509_".
func CloudProviders() []string {
	return []string{"neoid", "safeid", "birdid", "serasa", "vidaas", "remoteid"}
}

// Selo is one selo de confiabilidade of an account.
type Selo struct {
	ID        string    `json:"id"`
	UpdatedAt time.Time `json:"atualizado_em"`
}

// seloKind is what the manual says of a selo.
type seloKind struct {
	id, name, text string
	level          Level
}

// seloKinds are the selos of the manual (July 2026). The real list is open, and
// so is that of a person here.
var seloKinds = []seloKind{
	{"101", "kba_previdencia", "INSS", Bronze},
	{"201", "cadastro_basico", "Receita Federal", Bronze},
	{"301", "servidor_publico", "Base de servidores públicos", Prata},
	{"401", "biovalid_facial", "Biometria facial (Senatran)", Prata},
	{"501", "balcao_sat_previdencia", "Balcão do INSS", Bronze},
	{"502", "balcao_denatran", "Balcão do Detran", Bronze},
	{"503", "balcao_correios", "Balcão dos Correios", Bronze},
	{"504", "balcao", "Balcão presencial gov.br", Bronze},
	{"601", "balcao_nai_previdencia", "Internet Banking", Bronze},
	{"602", "bb_internet_banking", "Banco do Brasil", Prata},
	{"603", "banrisul_internet_banking", "Banrisul", Prata},
	{"604", "bradesco_internet_banking", "Bradesco", Prata},
	{"605", "cef_internet_banking", "Caixa", Prata},
	{"606", "brb_internet_banking", "BRB", Prata},
	{"607", "sicoob_internet_banking", "Sicoob", Prata},
	{"608", "santander_internet_banking", "Santander", Prata},
	{"609", "agibank_internet_banking", "Agibank", Prata},
	{"610", "itau_internet_banking", "Itaú", Prata},
	{"618", "mercantil_internet_banking", "Banco Mercantil", Prata},
	{"624", "sicred_internet_banking", "Sicredi", Prata},
	{"625", "picpay_internet_banking", "PicPay", Prata},
	{"626", "nubank_internet_banking", "Nubank", Prata},
	{"627", "btgpactual_internet_banking", "BTG Pactual", Prata},
	{"628", "inter_internet_banking", "Banco Inter", Prata},
	{"629", "c6_internet_banking", "C6 Bank", Prata},
	{"630", "bmg_internet_banking", "BMG", Prata},
	{"701", "tse_facial", "Biometria facial (TSE)", Ouro},
	{"702", "biometria_digital", "Biometria digital", Ouro},
	{"801", "certificado_digital", "Certificado digital", Ouro},
	{"901", "cin_facial", "Carteira de Identidade Nacional (CIN)", Ouro},
}

// seloKindOf returns what is known of a selo; an unknown one counts as bronze.
func seloKindOf(id string) seloKind {
	for _, k := range seloKinds {
		if k.id == id {
			return k
		}
	}
	return seloKind{id: id, text: "Selo " + id, level: Bronze}
}

// EffectiveLevel is the level the account has: Level, else the highest that a
// selo gives, else bronze.
func (p *Person) EffectiveLevel() Level {
	if p.Level != "" {
		return p.Level
	}
	best := Bronze
	for _, s := range p.Selos {
		if l := seloKindOf(s.ID).level; l.rank() > best.rank() {
			best = l
		}
	}
	return best
}

// levelSince is when the account reached its level: the newest of the selos
// that give it, else the newest selo, else the zero time.
func (p *Person) levelSince() time.Time {
	var since, newest time.Time
	level := p.EffectiveLevel()
	for _, s := range p.Selos {
		if s.UpdatedAt.After(newest) {
			newest = s.UpdatedAt
		}
		if seloKindOf(s.ID).level == level && s.UpdatedAt.After(since) {
			since = s.UpdatedAt
		}
	}
	if since.IsZero() {
		return newest
	}
	return since
}

// raise gives the person the selos that make level, and takes away a level
// that was fixed. Selos of a higher level go.
func (p *Person) raise(level Level, now time.Time) {
	p.Level = ""
	p.Selos = slices.DeleteFunc(p.Selos, func(s Selo) bool { return seloKindOf(s.ID).level.rank() > level.rank() })
	if p.EffectiveLevel() == level && len(p.Selos) > 0 {
		return
	}
	p.addSelo(map[Level]string{Bronze: "201", Prata: "602", Ouro: "701"}[level], now)
}

// addSelo adds or renews one selo.
func (p *Person) addSelo(id string, now time.Time) {
	for i := range p.Selos {
		if p.Selos[i].ID == id {
			p.Selos[i].UpdatedAt = now
			return
		}
	}
	p.Selos = append(p.Selos, Selo{ID: id, UpdatedAt: now})
	slices.SortFunc(p.Selos, func(a, b Selo) int { return cmpText(a.ID, b.ID) })
}

// displayName is what screens call the person: the social name, if there is one.
func (p *Person) displayName() string {
	if p.SocialName != "" {
		return p.SocialName
	}
	return p.Name
}

// clone is a copy that shares nothing with p.
func (p *Person) clone() *Person {
	c := *p
	c.Selos, c.Picture, c.Switches = slices.Clone(p.Selos), slices.Clone(p.Picture), p.Switches.clone()
	if c.Selos == nil {
		c.Selos = []Selo{}
	}
	return &c
}
