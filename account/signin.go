package account

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"selo/brasil"
)

// Identity is what gov.br says of somebody who has just signed in there. CPF is
// needed; whatever else is empty was not told.
type Identity struct {
	CPF        brasil.CPF
	Name       string
	SocialName string
	// Email and Phone come from gov.br only when it has verified them, which it
	// says beside; an unverified one is kept as such.
	Email         string
	EmailVerified bool
	Phone         string
	PhoneVerified bool
	Level         Level
	Selos         []Selo
	TwoFactor     bool
	// Certificate is the company whose e-CNPJ was used; no CNPJ: none was.
	Certificate Company
	// Companies are those of gov.br's list; they count when CompaniesTold, because
	// an empty list says something and a list that could not be read says nothing.
	Companies     []Company
	CompaniesTold bool
}

// Bounds of what is kept of one identity, whatever gov.br sends.
const (
	maxText      = 200 // characters of a name, e-mail or phone
	maxSelos     = 200
	maxCompanies = 1000
)

// Entered is the outcome of a sign-in. Token goes to the browser and nowhere else.
type Entered struct {
	Current
	Token   Token
	Created bool // this was the person's first sign-in
}

// SignIn makes or updates the account of who has signed in and gives the
// browser a session with a new id. before is the token the browser held, if
// any: a session of the same person goes on in the list of sessions under the
// new id, one of somebody else ends; in neither case does the old token open
// anything again. So no id lives from before a sign-in, or from before a higher
// level, to after it.
//
// Account, session and their audit events commit together. Faults: those of Tx.
func SignIn(ctx context.Context, tx Tx, who Identity, before Token, device Device, l Limits) (Entered, error) {
	old, _, err := tx.OpenPerson(ctx, who.CPF, NewID())
	if err != nil {
		return Entered{}, err
	}
	out := Entered{Token: NewToken(), Created: old.SignedInAt.IsZero()}
	p := old.clone()
	p.told(who, tx.Now())
	p.SignedInAt = tx.Now()
	if err := tx.UpdatePerson(ctx, &p); err != nil {
		return Entered{}, err
	}
	if err := noteChanges(ctx, tx, &old, &p, out.Created); err != nil {
		return Entered{}, err
	}
	out.Person = p
	out.Session = Session{ID: newSessionID(), Person: p.ID, Token: out.Token.Hash(), State: SessionActive, CreatedAt: tx.Now(),
		SignedInAt: tx.Now(), UsedAt: tx.Now(), Device: device, Level: who.proved(), TwoFactor: who.TwoFactor, CNPJ: who.Certificate.CNPJ}
	if err := begin(ctx, tx, &out.Session, before, l); err != nil {
		return Entered{}, err
	}
	return out, note(ctx, tx, p.ID, "account.signed_in", "sessao", string(out.Session.ID), "nivel", string(out.Session.Level))
}

// proved is the level that this sign-in has shown; "" when gov.br did not tell
// it, whatever the account has kept from an earlier one.
func (who Identity) proved() Level {
	if who.Level.Known() {
		return who.Level
	}
	return ""
}

// begin writes the new session s in place of what the browser held.
func begin(ctx context.Context, tx Tx, s *Session, before Token, l Limits) error {
	old, ok, err := Session{}, false, error(nil)
	if before != "" {
		if old, ok, err = tx.FindSession(ctx, before.Hash()); err != nil {
			return err
		}
	}
	if ok && old.Person == s.Person && old.Alive(tx.Now(), l) {
		s.ID, s.CreatedAt = old.ID, old.CreatedAt
		return tx.RenewSession(ctx, before.Hash(), *s)
	}
	if ok {
		if _, err := end(ctx, tx, old, SessionReplaced); err != nil {
			return err
		}
	}
	if err := crowd(ctx, tx, s.Person, l); err != nil {
		return err
	}
	return tx.InsertSession(ctx, *s)
}

// told brings p up to what gov.br says now. What gov.br no longer says goes,
// but for the level and the list of companies, which may be unknown for a
// moment: they stay with the time at which they were told.
func (p *Person) told(who Identity, now time.Time) {
	facts := Facts{}
	for f, fact := range map[Field]Fact{
		Name: {who.Name, true, now}, SocialName: {who.SocialName, false, now},
		Email: {who.Email, who.EmailVerified, now}, Phone: {who.Phone, who.PhoneVerified, now},
	} {
		if fact.Value = line(fact.Value); fact.Value != "" {
			facts[f] = fact
		}
	}
	p.GovBR = facts
	if who.Level.Known() {
		p.Level, p.LevelAt = who.Level, now
		p.Selos = orderedSelos(who.Selos)
	}
	p.Companies = companiesTold(p.Companies, who, now)
}

func orderedSelos(list []Selo) []Selo {
	var out []Selo
	for _, s := range list[:min(len(list), maxSelos)] {
		if s.Number = line(s.Number); s.Number != "" {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b Selo) int { return cmp.Compare(a.Number, b.Number) })
	return slices.CompactFunc(out, func(a, b Selo) bool { return a.Number == b.Number })
}

// companiesTold joins what was known with what gov.br says now: its list
// replaces the list, and an e-CNPJ is added to those seen before.
func companiesTold(known []Company, who Identity, now time.Time) []Company {
	type key struct {
		cnpj brasil.CNPJ
		how  How
	}
	all := map[key]Company{}
	for _, c := range known {
		if c.How == ByCertificate || !who.CompaniesTold {
			all[key{c.CNPJ, c.How}] = c
		}
	}
	if who.CompaniesTold {
		for _, c := range who.Companies[:min(len(who.Companies), maxCompanies)] {
			c.How = ByCompanies
			all[key{c.CNPJ, c.How}] = c.seen(now)
		}
	}
	if c := who.Certificate; c.CNPJ != "" {
		c.How = ByCertificate
		all[key{c.CNPJ, c.How}] = c.seen(now)
	}
	return slices.SortedFunc(maps.Values(all), func(a, b Company) int {
		return cmp.Or(cmp.Compare(brasil.Fold(a.Name), brasil.Fold(b.Name)), cmp.Compare(a.CNPJ, b.CNPJ), cmp.Compare(a.How, b.How))
	})
}

func (c Company) seen(now time.Time) Company {
	c.Name, c.Role, c.At = line(c.Name), line(c.Role), now
	return c
}

// noteChanges tells the audit which parts of an account a sign-in has changed,
// never what stands in them.
func noteChanges(ctx context.Context, tx Tx, old, p *Person, created bool) error {
	if created {
		return note(ctx, tx, p.ID, "account.created", "fonte", string(FromGovBR))
	}
	var changed []string
	for _, f := range Fields() {
		if a, b := old.GovBR[f], p.GovBR[f]; a.Value != b.Value || a.Verified != b.Verified {
			changed = append(changed, string(f))
		}
	}
	if !slices.EqualFunc(old.Companies, p.Companies, func(a, b Company) bool {
		a.At, b.At = time.Time{}, time.Time{}
		return a.same(b)
	}) {
		changed = append(changed, "empresas")
	}
	if len(changed) > 0 {
		if err := note(ctx, tx, p.ID, "account.updated", "fonte", string(FromGovBR), "campos", strings.Join(changed, ",")); err != nil {
			return err
		}
	}
	if old.Level != p.Level {
		return note(ctx, tx, p.ID, "account.level_changed", "de", string(old.Level), "para", string(p.Level))
	}
	return nil
}

func (c Company) same(o Company) bool {
	return c.CNPJ == o.CNPJ && c.Name == o.Name && c.How == o.How && c.Role == o.Role && c.Until.Equal(o.Until)
}

// line makes one line of text fit to keep: valid UTF-8 without control
// characters or space around it, at most maxText characters.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s[:min(len(s), 8*maxText)])
	s = strings.TrimSpace(s)
	if runes := []rune(s); len(runes) > maxText {
		s = string(runes[:maxText])
	}
	return s
}
