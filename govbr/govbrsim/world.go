package govbrsim

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"selo/brasil"
	"selo/clock"
	"selo/fault"
)

// DefaultWorld is the name of the world at the root of the address.
const DefaultWorld = "padrao"

// worldPath is what the addresses of the other worlds begin with.
const worldPath = "/mundo/"

var worldName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// Bounds of what a world remembers; older entries are forgotten.
const (
	maxPending  = 2000
	maxCodes    = 2000
	maxSessions = 2000
	maxInbox    = 500
	maxUses     = 2000
	maxConsents = 20_000
)

// World is one isolated state. Its fields are guarded by mu; records inside the
// maps are replaced, never changed, so that a record once read may be used
// without the lock.
type World struct {
	name string
	base string // address without a slash at the end
	real clock.Clock

	mu        sync.Mutex
	shift     time.Duration
	frozen    time.Time // zero: the clock runs
	people    map[brasil.CPF]*Person
	companies map[brasil.CNPJ]*Company
	clients   map[string]*Client
	powers    map[int64]*Power
	uses      []PowerUse
	switches  Switches
	inbox     []Message
	lastMail  int64
	resetAt   time.Time // tokens older than this are not taken

	consents *bounded[[]string]       // CPF + client → scopes granted
	pending  *bounded[*authorization] // by authorization_id
	codes    *bounded[*grant]         // by code
	sessions *bounded[*session]       // by cookie
	failures map[brasil.CPF]*failures

	signature signatures
	life      life

	changed uint64 // counts what a saved state holds
}

// newWorld makes a world with the given people and clients, which it copies.
func newWorld(name, base string, now clock.Clock, people *People, clients *ClientList) *World {
	w := &World{name: name, base: base, real: now}
	w.fill(people, clients)
	return w
}

// fill makes the world anew; the caller locks, if others know it already.
func (w *World) fill(people *People, clients *ClientList) {
	w.shift, w.frozen, w.switches, w.inbox, w.uses = 0, time.Time{}, Switches{}, nil, nil
	w.people, w.companies = map[brasil.CPF]*Person{}, map[brasil.CNPJ]*Company{}
	w.clients, w.powers = map[string]*Client{}, map[int64]*Power{}
	for _, p := range people.People {
		w.people[p.CPF] = p.clone()
	}
	for _, c := range people.Companies {
		w.companies[c.CNPJ] = c.clone()
	}
	for _, p := range people.Powers {
		w.powers[p.ID] = p.clone()
	}
	for _, c := range clients.Clients {
		w.clients[c.ID] = c.clone()
	}
	w.signature, w.life = newSignatures(clients.Signature), newLife(clients.Agencies)
	w.forget()
	w.changed++
}

// forget drops what browsers and clients have under way.
func (w *World) forget() {
	w.consents, w.pending = newBounded[[]string](maxConsents), newBounded[*authorization](maxPending)
	w.codes, w.sessions = newBounded[*grant](maxCodes), newBounded[*session](maxSessions)
	w.failures = map[brasil.CPF]*failures{}
}

// reset puts the world back to its seeds. Access tokens of before are not taken
// any more, but for those of the same second.
func (w *World) reset(people *People, clients *ClientList) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fill(people, clients)
	w.resetAt = w.now().Truncate(time.Second)
}

// now is the world's time, UTC; the caller locks.
func (w *World) now() time.Time {
	if !w.frozen.IsZero() {
		return w.frozen
	}
	return w.real.Now().Add(w.shift)
}

// Now is the world's time, UTC.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now()
}

// Advance moves the world's clock.
func (w *World) Advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(d)
}

func (w *World) advance(d time.Duration) {
	if !w.frozen.IsZero() {
		w.frozen = w.frozen.Add(d)
	} else {
		w.shift += d
	}
	w.changed++
}

// setClock makes the clock show t, standing still or running on.
func (w *World) setClock(t time.Time, still bool) {
	if still {
		w.frozen, w.shift = t.UTC(), 0
	} else {
		w.frozen, w.shift = time.Time{}, t.Sub(w.real.Now())
	}
	w.changed++
}

// Name is the world's name.
func (w *World) Name() string { return w.name }

// URL is the world's address, without a slash at the end.
func (w *World) URL() string { return w.base }

// issuer is the iss of the world's tokens: with a slash at the end.
func (w *World) issuer() string { return w.base + "/" }

// switchesFor is what holds for one person at one client; either may be nil.
// The caller locks.
func (w *World) switchesFor(c *Client, p *Person) Switches {
	s := w.switches
	if c != nil {
		s = s.over(c.Switches)
		if c.Pairwise && s.Pairwise == nil {
			s.Pairwise = &c.Pairwise
		}
	}
	if p != nil {
		s = s.over(p.Switches)
	}
	return s
}

// person returns a person for reading. The caller locks.
func (w *World) person(cpf brasil.CPF) (*Person, error) {
	p := w.people[cpf]
	if p == nil {
		return nil, fault.New(fault.NotFound, "govbrsim.person.none", "cpf", cut(string(cpf)))
	}
	return p, nil
}

// changePerson changes a copy of a person and keeps it. The caller locks.
func (w *World) changePerson(cpf brasil.CPF, change func(*Person)) error {
	p, err := w.person(cpf)
	if err != nil {
		return err
	}
	c := p.clone()
	change(c)
	return w.putPerson(c)
}

func (w *World) putPerson(p *Person) error {
	if err := p.check(); err != nil {
		return err
	}
	if err := room(w.people, p.CPF, maxPeople); err != nil {
		return err
	}
	w.people[p.CPF] = p
	w.changed++
	return nil
}

// room refuses a new entry of a map that is full. Fault: Conflict "govbrsim.full".
func room[K comparable, V any](m map[K]V, key K, limit int) error {
	if _, there := m[key]; !there && len(m) >= limit {
		return fault.New(fault.Conflict, "govbrsim.full", "limite", itoa(limit))
	}
	return nil
}

func (w *World) putCompany(c *Company) error {
	if err := c.check(); err != nil {
		return err
	}
	if err := room(w.companies, c.CNPJ, maxCompany); err != nil {
		return err
	}
	w.companies[c.CNPJ] = c
	w.changed++
	return nil
}

// changeCompany changes a copy of a company and keeps it. The caller locks.
func (w *World) changeCompany(cnpj brasil.CNPJ, change func(*Company)) error {
	c := w.companies[cnpj]
	if c == nil {
		return fault.New(fault.NotFound, "govbrsim.company.none", "cnpj", cut(string(cnpj)))
	}
	d := c.clone()
	change(d)
	return w.putCompany(d)
}

// putClient keeps a client. A logout address belongs to one client only: it is
// how the service finds the client (PI42).
func (w *World) putClient(c *Client) error {
	if err := c.check(); err != nil {
		return err
	}
	ch := &checker{record: "cliente " + cut(c.ID)}
	for i, u := range c.Logouts {
		if other := w.clientOfLogout(u); other != nil && other.ID != c.ID {
			ch.add("urls_logout["+itoa(i)+"]", "govbrsim.logout_taken", "valor", cut(u), "cliente", other.ID)
		}
	}
	if err := ch.result(); err != nil {
		return err
	}
	if err := room(w.clients, c.ID, maxClients); err != nil {
		return err
	}
	w.clients[c.ID] = c
	w.changed++
	return nil
}

func (w *World) clientOfLogout(address string) *Client {
	for _, c := range w.clients {
		if slices.Contains(c.Logouts, address) {
			return c
		}
	}
	return nil
}

// putPower keeps a procuração; one without an id gets the next.
func (w *World) putPower(p *Power) error {
	if p.ID == 0 {
		p.ID = 1
		for id := range w.powers {
			p.ID = max(p.ID, id+1)
		}
	}
	if err := p.check(); err != nil {
		return err
	}
	if err := room(w.powers, p.ID, maxPowers); err != nil {
		return err
	}
	w.powers[p.ID] = p
	w.changed++
	return nil
}

// Message is a mail or SMS that nobody sent.
type Message struct {
	ID   int64      `json:"id"`
	At   time.Time  `json:"em"`
	Kind string     `json:"tipo"` // "email", "sms" or "aplicativo"
	CPF  brasil.CPF `json:"cpf"`
	To   string     `json:"para"`
	Text string     `json:"texto"`
	Code string     `json:"codigo,omitempty"` // that the text tells
	Link string     `json:"link,omitempty"`   // that the text tells
}

// send leaves a message in the inbox. The caller locks.
func (w *World) send(m Message) {
	w.lastMail++
	m.ID, m.At = w.lastMail, w.now()
	w.inbox = append(w.inbox, m)
	if len(w.inbox) > maxInbox {
		w.inbox = slices.Clone(w.inbox[len(w.inbox)-maxInbox:])
	}
	w.changed++
}

// companiesOf lists the companies that a person is linked to, by CNPJ. The
// caller locks.
func (w *World) companiesOf(cpf brasil.CPF) []*Company {
	var list []*Company
	for _, c := range w.companies {
		if m := c.member(cpf); m != nil && m.Linked {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *Company) int { return cmp.Compare(a.CNPJ, b.CNPJ) })
	return list
}

// sorted lists the values of a map by key.
func sorted[K cmp.Ordered, V any](m map[K]V) []V {
	list := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[k])
	}
	return list
}

// prefix is what the world's paths begin with: "" or "/mundo/nome".
func (w *World) prefix() string {
	if w.name == DefaultWorld {
		return ""
	}
	return worldPath + w.name
}

// cookie names a cookie of this world only: the root's cookies reach every path.
func (w *World) cookie(name string) string {
	return "govbrsim_" + name + "_" + strings.ReplaceAll(w.name, "-", "_")
}
