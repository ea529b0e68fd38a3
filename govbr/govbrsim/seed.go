package govbrsim

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"selo/fault"
)

// seeds are the invented people, companies and clients of every new world.
//
//go:embed seed/*.json
var seeds embed.FS

// People is what a file of personas holds.
type People struct {
	People    []*Person  `json:"pessoas"`
	Companies []*Company `json:"empresas"`
	Powers    []*Power   `json:"procuracoes"`
}

// ClientList is what a file of clients holds.
type ClientList struct {
	Clients   []*Client          `json:"clientes"`
	Signature []*SignatureClient `json:"clientes_assinatura,omitempty"`    // another credential than Login Único's
	Agencies  []*AgencyClient    `json:"clientes_prova_de_vida,omitempty"` // and another again
}

// ReadPeople reads a file of personas. Faults: Invalid "govbrsim.json" for what
// is not such a file, "govbrsim.record" with a problem for each wrong field.
func ReadPeople(r io.Reader) (*People, error) {
	var p People
	if err := decodeStrict(r, &p); err != nil {
		return nil, err
	}
	return &p, p.Check()
}

// Check brings all records into their form, CPF without mask and the like. Faults
// as [ReadPeople].
func (p *People) Check() error {
	var problems []fault.Problem
	for i, person := range p.People {
		if person == nil {
			return emptyEntry("pessoas", i)
		}
		problems = append(problems, problemsOf(person.check())...)
	}
	for i, company := range p.Companies {
		if company == nil {
			return emptyEntry("empresas", i)
		}
		problems = append(problems, problemsOf(company.check())...)
	}
	for i, power := range p.Powers {
		if power == nil {
			return emptyEntry("procuracoes", i)
		}
		problems = append(problems, problemsOf(power.check())...)
	}
	return fault.WithProblems("govbrsim.record", problems)
}

// ReadClients reads a file of clients. Faults as [ReadPeople].
func ReadClients(r io.Reader) (*ClientList, error) {
	var list ClientList
	if err := decodeStrict(r, &list); err != nil {
		return nil, err
	}
	return &list, list.Check()
}

// Check brings all records into their form. Faults as [ReadClients]; that no two
// have one log-out address is among what it checks.
func (l *ClientList) Check() error {
	var problems []fault.Problem
	logouts := map[string]string{}
	for i, client := range l.Clients {
		if client == nil {
			return emptyEntry("clientes", i)
		}
		problems = append(problems, problemsOf(client.check())...)
		c := &checker{record: "cliente " + cut(client.ID)}
		for n, address := range client.Logouts {
			if other := logouts[address]; other != "" && other != client.ID {
				c.add("urls_logout["+strconv.Itoa(n)+"]", "govbrsim.logout_taken", "valor", cut(address), "cliente", other)
			}
			logouts[address] = client.ID
		}
		problems = append(problems, c.problems...)
	}
	others, err := l.checkCredentials()
	if err != nil {
		return err
	}
	problems = append(problems, others...)
	return fault.WithProblems("govbrsim.record", problems)
}

func emptyEntry(list string, i int) error {
	return fault.New(fault.Invalid, "govbrsim.json", "motivo", list+"["+strconv.Itoa(i)+"] = null")
}

func problemsOf(err error) []fault.Problem {
	if f := fault.Of(err); f != nil {
		return f.Problems
	}
	return nil
}

// maxFile bounds what is read of a file of personas, clients or state, in bytes;
// a full state is far smaller. Requests have bounds of their own.
const maxFile = 1 << 30

// decodeStrict reads one JSON value without unknown names and nothing behind it.
func decodeStrict(r io.Reader, into any) error {
	d := json.NewDecoder(io.LimitReader(r, maxFile))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fault.New(fault.Invalid, "govbrsim.json", "motivo", cutLong(err.Error())).Because(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "govbrsim.json.more")
	}
	return nil
}

func cutLong(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}

// defaultPeople and defaultClients are the embedded ones; that they are right is
// a matter of the program.
func defaultPeople() *People {
	return mustRead("seed/pessoas.json", ReadPeople)
}

func defaultClients() *ClientList {
	return mustRead("seed/clientes.json", ReadClients)
}

func mustRead[T any](name string, read func(io.Reader) (*T, error)) *T {
	content, err := seeds.ReadFile(name)
	if err != nil {
		panic("govbrsim: " + err.Error())
	}
	list, err := read(bytes.NewReader(content))
	if err != nil {
		panic("govbrsim: " + name + ": " + err.Error())
	}
	return list
}
