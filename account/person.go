package account

import (
	"maps"
	"time"

	"selo/brasil"

	"github.com/google/uuid"
)

// ID names a person in Selo for ever. It says nothing about who it is.
type ID string

// NewID makes the id of a new person.
func NewID() ID { return ID(uuid.Must(uuid.NewV7()).String()) }

// subject is how audit events name a person.
func (id ID) subject() string { return "pessoa:" + string(id) }

// Level is how sure gov.br is of a person: Portaria SGD/MGI 11.229/2025 has
// three. The zero value is a level that is not known.
type Level string

// The levels.
const (
	Bronze Level = "bronze"
	Silver Level = "prata"
	Gold   Level = "ouro"
)

var ranks = map[Level]int{Bronze: 1, Silver: 2, Gold: 3}

// Known tells whether l is one of the three.
func (l Level) Known() bool { return ranks[l] > 0 }

// AtLeast tells whether l is as sure as other or surer; what is not known is
// less than everything.
func (l Level) AtLeast(other Level) bool { return ranks[l] >= ranks[other] }

// Field is one thing that may be said about a person.
type Field string

// The fields. Only those of [Correctable] may be corrected in Selo.
const (
	Name       Field = "nome"
	SocialName Field = "nome_social"
	Email      Field = "email"
	Phone      Field = "telefone"
)

// Fields lists the fields in the order in which people read them.
func Fields() []Field { return []Field{Name, SocialName, Email, Phone} }

// Correctable lists what a person may correct in Selo. The name is the
// Receita's, and is corrected there.
func Correctable() []Field { return []Field{SocialName, Email, Phone} }

// Source is where a fact comes from.
type Source string

// The sources.
const (
	FromGovBR  Source = "govbr"  // said by gov.br at a sign-in
	FromPerson Source = "pessoa" // written by the person in Selo
)

// Fact is one thing said about a person, and when it was last said so.
// Verified is true only where the source itself has checked it.
type Fact struct {
	Value    string
	Verified bool
	At       time.Time
}

// Facts are what one source says.
type Facts map[Field]Fact

// Selo is one proof that gov.br holds of a person: the number of its table of
// confiabilidades, an open list, and when it was won or renewed.
type Selo struct {
	Number string
	At     time.Time // zero: not told
}

// How is the way a company became known.
type How string

// The ways.
const (
	ByCertificate How = "certificado" // the sign-in was made with the company's e-CNPJ
	ByCompanies   How = "empresas"    // gov.br's list of companies names the person
)

// RoleCollaborator is the role of whom a company's representative has registered
// at gov.br, which has no word for it.
const RoleCollaborator = "COLABORADOR"

// Company is a company that gov.br ties to a person, as last seen. It gives no
// power by itself: who may act for a company is decided elsewhere.
type Company struct {
	CNPJ  brasil.CNPJ
	Name  string
	How   How
	Role  string    // gov.br's word: SOCIO, CONTADOR, REPRESENTANTE_LEGAL, NAO_ATUANTE; [RoleCollaborator]; empty: not told
	Until time.Time // when the tie ends; zero: not told
	At    time.Time // when it was last seen
}

// Person is one account.
type Person struct {
	ID       ID
	CPF      brasil.CPF
	Revision int64 // grows with each change; guards against two at once
	GovBR    Facts // as gov.br says
	Own      Facts // as the person has corrected
	Level    Level
	LevelAt  time.Time // when gov.br last told it
	Selos    []Selo    // by number
	// Companies are in the order of name and CNPJ.
	Companies  []Company
	CreatedAt  time.Time
	SignedInAt time.Time // the last sign-in
}

// Fact is what holds for a field: the person's own word, else gov.br's; ok is
// false when nobody says anything.
func (p *Person) Fact(f Field) (fact Fact, from Source, ok bool) {
	if fact, ok = p.Own[f]; ok {
		return fact, FromPerson, true
	}
	fact, ok = p.GovBR[f]
	return fact, FromGovBR, ok
}

// Called is how to address the person: the social name where there is one.
func (p *Person) Called() string {
	for _, f := range []Field{SocialName, Name} {
		if fact, _, ok := p.Fact(f); ok {
			return fact.Value
		}
	}
	return p.CPF.Hidden()
}

// clone is a copy that shares no map with p.
func (p *Person) clone() Person {
	c := *p
	c.GovBR, c.Own = maps.Clone(p.GovBR), maps.Clone(p.Own)
	return c
}
