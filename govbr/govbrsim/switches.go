package govbrsim

import (
	"slices"
	"time"
)

// Switches make the simulator do what the real service does rarely. Those of a
// person stand over those of a client, those over the world's; what is not set
// lets the next one decide. The zero value sets nothing.
type Switches struct {
	// Consent is when the consent screen comes; see [Consent].
	Consent *Consent `json:"consentimento,omitempty"`
	// Cancels makes every authorisation end as if the person had cancelled.
	Cancels *bool `json:"usuario_cancela,omitempty"`
	// RefusedScopes are refused as if the credential lacked them.
	RefusedScopes []string `json:"escopos_recusados,omitempty"`
	// Reset closes the connection without an answer on these paths: "/token".
	Reset []string `json:"conexao_interrompida,omitempty"`
	// Skew is added to iat and exp of tokens, and to auth_time.
	Skew *Duration `json:"desvio_relogio,omitempty"`
	// Flaws make wrong id_tokens; see [Flaw].
	Flaws []Flaw `json:"defeitos_id_token,omitempty"`
	// ExtraAMR are appended to amr.
	ExtraAMR []string `json:"amr_extra,omitempty"`
	// Picture is how the picture comes; see [PictureForm].
	Picture *PictureForm `json:"foto,omitempty"`
	// Pairwise makes sub a number that is not the CPF.
	Pairwise *bool `json:"sub_pareado,omitempty"`
	// UnknownLogout treats every logout address as not registered.
	UnknownLogout *bool `json:"logout_desconhecido,omitempty"`
	// EmptyUnauthorized answers 401 at /token without a body.
	EmptyUnauthorized *bool `json:"token_401_vazio,omitempty"`
	// X509List answers /api/x509/info with the object inside a list.
	X509List *bool `json:"x509_em_lista,omitempty"`
	// ManualShapes gives dates of the confiabilidades API as
	// "2006-01-02 15:04:05", and their ids with the name in brackets.
	ManualShapes *bool `json:"confiabilidades_como_no_manual,omitempty"`
	// PhoneNotAsked leaves out the screen that demands a verified phone when
	// the scope phone is asked for.
	PhoneNotAsked *bool `json:"telefone_dispensado,omitempty"`
	// SignatureFlaws make odd signatures and certificates; see [SignatureFlaw].
	SignatureFlaws []SignatureFlaw `json:"defeitos_assinatura,omitempty"`
	// ProofOfLife ends each new transaction of Prova de Vida at once.
	ProofOfLife *ProofOutcome `json:"prova_de_vida,omitempty"`
}

// Consent is when the screen "Autorização de uso de dados pessoais" comes.
type Consent string

// The ways of consent. ConsentOnce is the default: at the first entry, and when
// a client asks for a scope it did not ask for before.
const (
	ConsentOnce   Consent = "primeira_vez"
	ConsentAlways Consent = "sempre"
	ConsentNever  Consent = "nunca"
)

// PictureForm is how /userinfo/picture answers.
type PictureForm string

// The forms. PictureRaw is the default.
const (
	PictureRaw    PictureForm = "bruta"
	PictureBase64 PictureForm = "base64"
	PictureNone   PictureForm = "404"
)

// Flaw is one way in which an id_token is wrong.
type Flaw string

// The flaws.
const (
	FlawExpired   Flaw = "expirado"
	FlawFuture    Flaw = "futuro"
	FlawNonce     Flaw = "nonce"
	FlawAudience  Flaw = "aud"
	FlawIssuer    Flaw = "iss"
	FlawSignature Flaw = "assinatura"
	FlawNone      Flaw = "alg_none"
	FlawHS256     Flaw = "alg_hs256"    // signed with the public key as secret
	FlawHyphen    Flaw = "sub_hifen"    // as in the manual's sample: 123456789-00
	FlawLong      Flaw = "id_token_600" // lives 600 s, as the manual's sample
)

func flaws() []Flaw {
	return []Flaw{FlawExpired, FlawFuture, FlawNonce, FlawAudience, FlawIssuer, FlawSignature, FlawNone, FlawHS256, FlawHyphen, FlawLong}
}

// Duration is a time.Duration that JSON holds as text: "90s", "-5m", "24h".
type Duration time.Duration

// MarshalText writes "1m30s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// over is s with what other sets standing over it.
func (s Switches) over(other Switches) Switches {
	return Switches{
		Consent: over(s.Consent, other.Consent), Cancels: over(s.Cancels, other.Cancels),
		RefusedScopes: overList(s.RefusedScopes, other.RefusedScopes), Reset: overList(s.Reset, other.Reset),
		Skew: over(s.Skew, other.Skew), Flaws: overList(s.Flaws, other.Flaws), ExtraAMR: overList(s.ExtraAMR, other.ExtraAMR),
		Picture: over(s.Picture, other.Picture), Pairwise: over(s.Pairwise, other.Pairwise),
		UnknownLogout: over(s.UnknownLogout, other.UnknownLogout), EmptyUnauthorized: over(s.EmptyUnauthorized, other.EmptyUnauthorized),
		X509List: over(s.X509List, other.X509List), ManualShapes: over(s.ManualShapes, other.ManualShapes),
		PhoneNotAsked: over(s.PhoneNotAsked, other.PhoneNotAsked), SignatureFlaws: overList(s.SignatureFlaws, other.SignatureFlaws),
		ProofOfLife: over(s.ProofOfLife, other.ProofOfLife),
	}
}

func over[T any](low, high *T) *T {
	if high != nil {
		return high
	}
	return low
}

func overList[T any](low, high []T) []T {
	if high != nil {
		return high
	}
	return low
}

// is gives the value of a switch, or otherwise when it is not set.
func is[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

// clone shares nothing: JSON that is read onto a copy writes through pointers.
func (s Switches) clone() Switches {
	s.Consent, s.Cancels, s.Skew, s.Picture, s.Pairwise = own(s.Consent), own(s.Cancels), own(s.Skew), own(s.Picture), own(s.Pairwise)
	s.UnknownLogout, s.EmptyUnauthorized, s.X509List = own(s.UnknownLogout), own(s.EmptyUnauthorized), own(s.X509List)
	s.ManualShapes, s.PhoneNotAsked = own(s.ManualShapes), own(s.PhoneNotAsked)
	s.RefusedScopes, s.Reset = slices.Clone(s.RefusedScopes), slices.Clone(s.Reset)
	s.Flaws, s.ExtraAMR = slices.Clone(s.Flaws), slices.Clone(s.ExtraAMR)
	s.SignatureFlaws, s.ProofOfLife = slices.Clone(s.SignatureFlaws), own(s.ProofOfLife)
	return s
}

func own[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

func (s Switches) has(f Flaw) bool { return slices.Contains(s.Flaws, f) }
