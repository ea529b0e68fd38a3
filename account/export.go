package account

import (
	"context"
	"fmt"
	"time"

	"selo/audit"
)

// maxListed bounds each list of an export and each list of a page.
const maxListed = 10_000

// Export is everything that Selo keeps of one person, for that person.
type Export struct {
	MadeAt    time.Time      `json:"gerado_em"`
	Person    ExportPerson   `json:"pessoa"`
	Facts     []ExportFact   `json:"dados"`
	Selos     []ExportSelo   `json:"selos"`
	Companies []ExportTie    `json:"empresas"`
	Photo     *ExportPhoto   `json:"foto,omitempty"`
	Consents  []ExportGiven  `json:"consentimentos"`
	Sessions  []ExportOpen   `json:"sessoes"`
	Accesses  []ExportLook   `json:"acessos_de_outros"`
	Events    []ExportEvent  `json:"historico"`
	Limits    map[string]int `json:"limites"` // of each list; the newest come first
}

// ExportPerson is the account itself.
type ExportPerson struct {
	ID         ID         `json:"id"`
	CPF        string     `json:"cpf"`
	Level      Level      `json:"nivel,omitempty"`
	LevelAt    *time.Time `json:"nivel_em,omitempty"`
	CreatedAt  time.Time  `json:"criada_em"`
	SignedInAt time.Time  `json:"ultima_entrada_em"`
}

// ExportFact is one fact of one source.
type ExportFact struct {
	Field    Field     `json:"campo"`
	Value    string    `json:"valor"`
	Source   Source    `json:"fonte"`
	Verified bool      `json:"verificado"`
	At       time.Time `json:"em"`
}

// ExportSelo is one proof that gov.br holds.
type ExportSelo struct {
	Number string     `json:"numero"`
	At     *time.Time `json:"em,omitempty"`
}

// ExportTie is one company.
type ExportTie struct {
	CNPJ  string     `json:"cnpj"`
	Name  string     `json:"nome"`
	How   How        `json:"como"`
	Role  string     `json:"atuacao,omitempty"`
	Until *time.Time `json:"ate,omitempty"`
	At    time.Time  `json:"em"`
}

// ExportPhoto is the photo; Data is base64 in JSON.
type ExportPhoto struct {
	Type string    `json:"tipo"`
	Data []byte    `json:"conteudo"`
	At   time.Time `json:"em"`
}

// ExportGiven is one consent.
type ExportGiven struct {
	What        ConsentKind `json:"o_que"`
	Text        string      `json:"texto"`
	GivenAt     time.Time   `json:"dado_em"`
	WithdrawnAt *time.Time  `json:"retirado_em,omitempty"`
}

// ExportOpen is one living session.
type ExportOpen struct {
	CreatedAt  time.Time `json:"criada_em"`
	SignedInAt time.Time `json:"entrada_em"`
	UsedAt     time.Time `json:"usada_em"`
	Agent      string    `json:"navegador,omitempty"`
	Network    string    `json:"rede,omitempty"`
}

// ExportLook is one look of somebody else.
type ExportLook struct {
	At      time.Time `json:"em"`
	Actor   string    `json:"quem"`
	Purpose string    `json:"finalidade"`
	What    string    `json:"o_que"`
}

// ExportEvent is one act on the account.
type ExportEvent struct {
	At     time.Time         `json:"em"`
	Kind   string            `json:"ato"`
	Actor  string            `json:"quem"`
	Detail map[string]string `json:"detalhes,omitempty"`
}

// ExportOf gathers everything about a person (Lei 13.709/2018) and notes that
// it was taken. Fault: NotFound "account.unknown".
func ExportOf(ctx context.Context, tx Tx, id ID, l Limits) (Export, error) {
	p, err := tx.Person(ctx, id)
	if err != nil {
		return Export{}, err
	}
	e := exportPerson(&p, tx.Now())
	if photo, ok, err := tx.FindPhoto(ctx, id); err != nil {
		return Export{}, err
	} else if ok {
		e.Photo = &ExportPhoto{photo.Type, photo.Data, photo.At}
	}
	consents, err := tx.ListConsents(ctx, id)
	if err != nil {
		return Export{}, err
	}
	for _, c := range consents {
		e.Consents = append(e.Consents, ExportGiven{c.What, c.Text, c.GivenAt, told(c.WithdrawnAt)})
	}
	sessions, err := Sessions(ctx, tx, id, l)
	if err != nil {
		return Export{}, err
	}
	for _, s := range sessions {
		e.Sessions = append(e.Sessions, ExportOpen{s.CreatedAt, s.SignedInAt, s.UsedAt, s.Device.Agent, s.Device.Network})
	}
	accesses, err := tx.ListAccesses(ctx, id, maxListed)
	if err != nil {
		return Export{}, err
	}
	for _, a := range accesses {
		e.Accesses = append(e.Accesses, ExportLook(a))
	}
	events, err := History(ctx, tx, id, maxListed)
	if err != nil {
		return Export{}, err
	}
	for _, v := range events {
		e.Events = append(e.Events, ExportEvent{v.At, v.Kind, v.Actor, v.Detail})
	}
	return e, note(ctx, tx, id, "account.exported")
}

func exportPerson(p *Person, now time.Time) Export {
	e := Export{MadeAt: now, Limits: map[string]int{"acessos_de_outros": maxListed, "historico": maxListed},
		Person: ExportPerson{p.ID, p.CPF.Masked(), p.Level, told(p.LevelAt), p.CreatedAt, p.SignedInAt},
		Facts:  []ExportFact{}, Selos: []ExportSelo{}, Companies: []ExportTie{}, Consents: []ExportGiven{},
		Sessions: []ExportOpen{}, Accesses: []ExportLook{}, Events: []ExportEvent{}}
	for _, f := range Fields() {
		for _, said := range []struct {
			from  Source
			facts Facts
		}{{FromGovBR, p.GovBR}, {FromPerson, p.Own}} {
			if fact, ok := said.facts[f]; ok {
				e.Facts = append(e.Facts, ExportFact{f, fact.Value, said.from, fact.Verified, fact.At})
			}
		}
	}
	for _, s := range p.Selos {
		e.Selos = append(e.Selos, ExportSelo{s.Number, told(s.At)})
	}
	for _, c := range p.Companies {
		e.Companies = append(e.Companies, ExportTie{c.CNPJ.Masked(), c.Name, c.How, c.Role, told(c.Until), c.At})
	}
	return e
}

// told is a moment that may be unknown, as JSON leaves it out.
func told(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// History gives the newest acts on an account.
func History(ctx context.Context, tx Tx, id ID, limit int) ([]audit.Event, error) {
	events, err := tx.ListAudit(ctx, id.subject(), min(limit, maxListed))
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", id, err)
	}
	return events, nil
}
