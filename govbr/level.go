package govbr

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"selo/fault"
)

// Level is how well gov.br knows a person (LU, níveis). The zero value is unknown: the
// token did not say, or said something new.
type Level int

const (
	UnknownLevel Level = iota
	Bronze             // simple signature only
	Silver             // simple and advanced signature
	Gold               // simple and advanced signature
)

var levelNames = [...]string{UnknownLevel: "desconhecido", Bronze: "bronze", Silver: "prata", Gold: "ouro"}

// String returns "bronze", "prata", "ouro" or "desconhecido".
func (l Level) String() string {
	if l < UnknownLevel || l > Gold {
		l = UnknownLevel
	}
	return levelNames[l]
}

// SignsAdvanced tells whether the level allows the advanced signature.
func (l Level) SignsAdvanced() bool { return l == Silver || l == Gold }

// parseLevel reads the token's English words and the API's numbers.
func parseLevel(s string) Level {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "bronze":
		return Bronze
	case "silver", "prata":
		return Silver
	case "gold", "ouro":
		return Gold
	}
	switch digitsOf(s) {
	case "1":
		return Bronze
	case "2":
		return Silver
	case "3":
		return Gold
	}
	return UnknownLevel
}

// Selo is one proof that an account has, a selo de confiabilidade. The list of
// what there is, is open: see [Selo.Name].
type Selo struct {
	ID        string    `json:"id"`                     // "801"
	UpdatedAt time.Time `json:"atualizado_em,omitzero"` // UTC; zero when gov.br gave none that can be read
}

// Name returns the technical name of a selo, "certificado_digital", or "" for one
// that is not in the manual of July 2026 (LU, selos). A level never follows from selos.
func (s Selo) Name() string { return seloNames[s.ID] }

var seloNames = map[string]string{
	"101": "kba_previdencia", "201": "cadastro_basico", "301": "servidor_publico", "401": "biovalid_facial",
	"501": "balcao_sat_previdencia", "502": "balcao_denatran", "503": "balcao_correios", "504": "balcao",
	"601": "balcao_nai_previdencia", "602": "bb_internet_banking", "603": "banrisul_internet_banking",
	"604": "bradesco_internet_banking", "605": "cef_internet_banking", "606": "brb_internet_banking",
	"607": "sicoob_internet_banking", "608": "santander_internet_banking", "609": "agibank_internet_banking",
	"610": "itau_internet_banking", "618": "mercantil_internet_banking", "624": "sicred_internet_banking",
	"625": "picpay_internet_banking", "626": "nubank_internet_banking", "627": "btgpactual_internet_banking",
	"628": "inter_internet_banking", "629": "c6_internet_banking", "630": "bmg_internet_banking",
	"701": "tse_facial", "702": "biometria_digital", "801": "certificado_digital", "901": "cin_facial",
}

// rawSelo is a selo as token and API write it.
type rawSelo struct {
	ID        flexible `json:"id"`
	UpdatedAt stamp    `json:"updatedAt"`
	Changed   stamp    `json:"dataAtualizacao"`
}

func readSelos(raw []rawSelo) ([]Selo, error) {
	if len(raw) > maxList {
		return nil, errors.New("too many selos")
	}
	var list []Selo
	for _, r := range raw {
		id := digitsOf(string(r.ID))
		if id == "" || len(id) > 12 {
			continue // an open list: what is no number is no selo that anyone could name
		}
		at := r.UpdatedAt.Time
		if at.IsZero() {
			at = r.Changed.Time
		}
		list = append(list, Selo{ID: id, UpdatedAt: at})
	}
	return list, nil
}

// Level asks the confiabilidades API v3 for the level of the person who signed
// in: the highest of those it names. The manual calls it obsolete; it is for
// credentials whose tokens do not say the level. Scope: govbr_confiabilidades.
//
// Faults: those of every API (see [Client]).
func (c *Client) Level(ctx context.Context, access AccessToken) (Level, error) {
	var list []struct {
		ID flexible `json:"id"`
	}
	if err := c.reliability(ctx, access, "niveis", &list); err != nil {
		return UnknownLevel, err
	}
	best := UnknownLevel
	for _, l := range list {
		best = max(best, parseLevel(string(l.ID)))
	}
	return best, nil
}

// Selos asks the confiabilidades API v3 for the selos of the person who signed
// in. Scope: govbr_confiabilidades.
func (c *Client) Selos(ctx context.Context, access AccessToken) ([]Selo, error) {
	var list []rawSelo
	if err := c.reliability(ctx, access, "confiabilidades", &list); err != nil {
		return nil, err
	}
	selos, err := readSelos(list)
	if err != nil {
		return nil, strange(serviceAPI, "confiabilidades: %v", err)
	}
	return selos, nil
}

func (c *Client) reliability(ctx context.Context, access AccessToken, what string, into any) error {
	address := c.cfg.Endpoints.API + "/confiabilidades/v3/contas/" + string(access.CPF) + "/" + what + "?response-type=ids"
	return c.read(ctx, what, address, access, ScopeReliability, into)
}

// read asks a resource API with the person's token.
func (c *Client) read(ctx context.Context, name, address string, access AccessToken, scope Scope, into any) error {
	if err := c.usable(access, scope); err != nil {
		return err
	}
	a, err := c.caller.do(ctx, request{service: serviceAPI, name: name, method: http.MethodGet, url: address,
		bearer: access.Token, accept: []string{jsonMedia}, limit: maxList * 4 << 10, repeat: true})
	if err != nil {
		return err
	}
	if !a.ok() {
		return refused(serviceAPI, a)
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return strange(serviceAPI, "%s: %v", name, plain(err))
	}
	return nil
}

// usable refuses a token that the API would refuse anyway. An empty scope asks for none.
func (c *Client) usable(access AccessToken, scope Scope) error {
	if access.Token.Empty() || !c.opts.Clock.Now().Before(access.ExpiresAt) {
		return fault.New(fault.Forbidden, "govbr.token_refused", "servico", string(serviceLogin))
	}
	if scope != "" && !access.Has(scope) {
		return fault.New(fault.Forbidden, "govbr.scope_missing", "servico", string(serviceAPI))
	}
	return nil
}

// Requirement is what the catálogo de confiabilidades must bring a person to.
// The zero value asks for nothing in particular.
type Requirement struct{ expression string }

// AllOf asks for every one of the levels.
func AllOf(levels ...Level) Requirement { return Requirement{joinLevels(levels, ",")} }

// AnyOf asks for one of the levels. The manual says a backslash and shows a slash.
func AnyOf(levels ...Level) Requirement { return Requirement{"(" + joinLevels(levels, "/") + ")"} }

func joinLevels(levels []Level, between string) string {
	var numbers []string
	for _, l := range levels {
		numbers = append(numbers, strconv.Itoa(int(l)))
	}
	return strings.Join(numbers, between)
}

// StepUpURL is where a person who is signed in at gov.br raises the level of
// their account (LU, catálogo). They come back to the redirect address; tokens do not
// change, so sign in once more.
func (c *Client) StepUpURL(r Requirement) string {
	address := c.cfg.Endpoints.Catalogue + "/?client_id=" + url.QueryEscape(c.cfg.Login.ID)
	if r.expression != "" && r.expression != "()" {
		address += "&niveis=" + r.expression // its signs stand as they are, as in the manual
	}
	return address + "&redirect_uri=" + url.QueryEscape(c.cfg.Redirect)
}

// CatalogueURL is the plain link that people of level bronze are shown (AE).
func (c Config) CatalogueURL() string { return c.Endpoints.Catalogue + "/" }

// LogValue keeps the dates of proofs, which are personal, out of logs.
func (s Selo) LogValue() slog.Value { return slog.StringValue(s.ID) }
