package account_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"selo/account"
	"selo/fault"
	"selo/store"
	"selo/store/accountstore"
	"selo/store/storetest"
)

func TestAccountFollowsGovBR(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		in := b.signIn(ana(b.t), "")
		p := b.person(in.Person.ID)
		if !in.Created || p.Level != account.Silver || !p.LevelAt.Equal(start) || len(p.Selos) != 2 || p.Selos[0].Number != "201" || !p.Selos[1].At.Equal(start.AddDate(0, -1, 0)) {
			b.t.Errorf("%+v", p)
		}
		if f := p.GovBR[account.Email]; f.Value != "ana@exemplo.example" || !f.Verified || !f.At.Equal(start) {
			b.t.Errorf("e-mail %+v", f)
		}

		b.clock.Advance(time.Hour)
		who := ana(b.t)
		who.SocialName, who.Phone, who.Level, who.Selos = "Aninha", "", "", nil
		again := b.signIn(who, "")
		p = b.person(in.Person.ID)
		switch {
		case again.Created || again.Person.ID != in.Person.ID:
			b.t.Error("a second account")
		case p.Called() != "Aninha":
			b.t.Errorf("called %q", p.Called())
		case p.Level != account.Silver || !p.LevelAt.Equal(start) || len(p.Selos) != 2:
			b.t.Errorf("a level that was not told changed: %+v", p)
		case !p.SignedInAt.Equal(b.clock.Now()) || !p.CreatedAt.Equal(start):
			b.t.Errorf("times %v %v", p.CreatedAt, p.SignedInAt)
		case in.Session.Level != account.Silver || again.Session.Level != "":
			b.t.Errorf("the sign-ins proved %q and %q", in.Session.Level, again.Session.Level)
		}
		if c, ok := b.current(again.Token); !ok || c.Session.Level != "" {
			b.t.Errorf("a session has the level %q of an earlier sign-in", c.Session.Level)
		}
		if _, ok := p.GovBR[account.Phone]; ok {
			b.t.Error("a phone that gov.br no longer tells is kept")
		}
		who.Level = account.Gold
		b.signIn(who, "")
		events := b.history(in.Person.ID)
		var told []string
		for _, e := range events {
			told = append(told, e.Kind+" "+e.Detail["campos"]+e.Detail["nivel"]+e.Detail["de"]+">"+e.Detail["para"])
		}
		want := []string{"account.created >", "account.signed_in prata>", "account.updated nome_social,telefone>", "account.signed_in >",
			"account.level_changed prata>ouro", "account.signed_in ouro>"}
		if !slices.Equal(told, want) {
			b.t.Errorf("the audit tells %q", told)
		}
	})
}

func TestCompaniesAsLastSeen(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		who := ana(b.t)
		who.CompaniesTold = true
		who.Companies = []account.Company{{CNPJ: "99900010000140", Name: "Zeta Fictícia", Role: "SOCIO"}, {CNPJ: "12ABC34501DE35", Name: "Água Inventada"}}
		who.Certificate = account.Company{CNPJ: "99900010000140", Name: "ZETA FICTICIA LTDA"}
		in := b.signIn(who, "")
		names := func() (list []string) {
			for _, c := range b.person(in.Person.ID).Companies {
				list = append(list, string(c.CNPJ)+" "+string(c.How)+" "+c.Role+" "+fmt.Sprint(c.At.Sub(start)))
			}
			return list
		}
		want := []string{"12ABC34501DE35 empresas  0s", "99900010000140 empresas SOCIO 0s", "99900010000140 certificado  0s"}
		if got := names(); !slices.Equal(got, want) {
			b.t.Errorf("%q", got)
		}
		if c, ok := b.current(in.Token); !ok || c.Session.CNPJ != "99900010000140" {
			b.t.Errorf("the session does not know the e-CNPJ: %+v", c.Session)
		}
		// The list could not be read: what was known stays with its time.
		b.clock.Advance(time.Hour)
		who = ana(b.t)
		in = b.signIn(who, "")
		if got := names(); !slices.Equal(got, want) || in.Session.CNPJ != "" {
			b.t.Errorf("%q, session %q", got, in.Session.CNPJ)
		}
		// The list is empty now: what the certificate has shown stays, as seen then.
		who.CompaniesTold = true
		b.signIn(who, "")
		if got := names(); !slices.Equal(got, want[2:]) {
			b.t.Errorf("%q", got)
		}
	})
}

func TestHostileIdentityIsTamed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		who := ana(b.t)
		who.Name = "A\x00na\u202e\r\n" + strings.Repeat("é", 5000) + "\xff"
		who.Email = "\x00"
		who.Level = "diamond"
		who.CompaniesTold = true
		for i := range 3000 {
			who.Selos = append(who.Selos, account.Selo{Number: fmt.Sprint(i % 7)})
			if i < 1200 {
				who.Companies = append(who.Companies, account.Company{CNPJ: "99900010000140", Name: fmt.Sprint(i)})
			}
		}
		p := b.person(b.signIn(who, "").Person.ID)
		if name := p.Called(); strings.ContainsAny(name, "\x00\r\n") || len([]rune(name)) > 200 || !strings.HasPrefix(name, "Ana") {
			b.t.Errorf("%d runes: %.40q", len([]rune(name)), name)
		}
		if _, ok := p.GovBR[account.Email]; ok || p.Level != "" || len(p.Selos) != 0 || len(p.Companies) != 1 {
			b.t.Errorf("%+v", p)
		}
	})
}

func TestCorrectionStandsBesideGovBR(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		p := b.signIn(ana(b.t), "").Person
		correct := func(revision int64, email, phone, social string) (q account.Person, err error) {
			err = b.try(func(ctx context.Context, tx account.Tx) (err error) {
				q, err = account.Correct(ctx, tx, p.ID, revision, map[account.Field]string{account.Email: email, account.Phone: phone, account.SocialName: social})
				return err
			})
			return q, err
		}
		if _, err := correct(p.Revision+1, "outra@exemplo.example", "", ""); !fault.HasKey(err, "account.changed") {
			b.t.Errorf("over another revision: %v", err)
		}
		q, err := correct(p.Revision, " outra@exemplo.example ", "(61) 3333-4444", "")
		if err != nil {
			b.t.Fatal(err)
		}
		q = b.person(q.ID)
		fact, from, _ := q.Fact(account.Email)
		if fact.Value != "outra@exemplo.example" || fact.Verified || from != account.FromPerson || q.GovBR[account.Email].Value != "ana@exemplo.example" {
			b.t.Errorf("%+v from %s; gov.br says %+v", fact, from, q.GovBR)
		}
		// A later sign-in changes gov.br's word only.
		q = b.signIn(ana(b.t), "").Person
		if fact, from, _ := q.Fact(account.Phone); fact.Value != "(61) 3333-4444" || from != account.FromPerson {
			b.t.Errorf("%+v from %s", fact, from)
		}
		if q, err = correct(q.Revision, "", "", ""); err != nil || len(q.Own) != 0 {
			b.t.Errorf("%+v, %v", q.Own, err)
		}
		if fact, from, _ := q.Fact(account.Email); fact.Value != "ana@exemplo.example" || from != account.FromGovBR {
			b.t.Errorf("%+v from %s", fact, from)
		}
		revision := q.Revision
		if q, err = correct(q.Revision, "", "", ""); err != nil || q.Revision != revision {
			b.t.Errorf("a correction of nothing: revision %d, %v", q.Revision, err)
		}
	})
}

func TestCorrectionsThatAreNone(t *testing.T) {
	t.Parallel()
	b := open(t, storetest.NewSQLite(t))
	p := b.signIn(ana(t), "").Person
	for value, code := range map[string]string{
		"email sem arroba": "account.correction.email", "email Ana <ana@exemplo.example>": "account.correction.email", "email ana@host": "account.correction.email",
		"email a@b.example, c@d.example": "account.correction.email", "email a@b.example\r\nBcc: c@d.example": "account.correction.characters",
		"telefone 123": "account.correction.phone", "telefone 61 99999-000x": "account.correction.phone", "telefone 1234567890123456": "account.correction.phone",
		"nome_social \x00": "account.correction.characters", "nome_social \xff": "account.correction.characters",
		"nome_social " + strings.Repeat("é", 201): "account.correction.length", "nome Outra": "account.correction.field", "cpf 1": "account.correction.field",
	} {
		field, text, _ := strings.Cut(value, " ")
		err := b.try(func(ctx context.Context, tx account.Tx) error {
			_, err := account.Correct(ctx, tx, p.ID, p.Revision, map[account.Field]string{account.Field(field): text})
			return err
		})
		f := fault.Of(err)
		if f == nil || f.Key != "account.correction" || len(f.Problems) != 1 || f.Problems[0].Code != code || f.Problems[0].Field != field {
			t.Errorf("%.60q: %v, want %s", value, err, code)
		}
	}
}

func TestPhotoOnlyByConsent(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		id := b.signIn(ana(b.t), "").Person.ID
		picture := account.Photo{Type: "image/png", Data: []byte("png")}
		keep := func(p account.Photo) error {
			return b.try(func(ctx context.Context, tx account.Tx) error { return account.KeepPhoto(ctx, tx, id, p) })
		}
		give := func(text string) error {
			return b.try(func(ctx context.Context, tx account.Tx) error {
				return account.GiveConsent(ctx, tx, id, account.ConsentPhoto, text)
			})
		}
		withdraw := func() error {
			return b.try(func(ctx context.Context, tx account.Tx) error {
				return account.WithdrawConsent(ctx, tx, id, account.ConsentPhoto)
			})
		}
		has := func() (ok bool) {
			b.write(func(ctx context.Context, tx account.Tx) (err error) {
				_, ok, err = tx.FindPhoto(ctx, id)
				return err
			})
			return ok
		}
		text := account.ConsentText(account.ConsentPhoto)
		for step, got := range []struct {
			err error
			key string
		}{
			{keep(picture), "account.photo.consent"}, {withdraw(), "account.consent.none"}, {give("foto_0"), "account.consent.text"},
			{give(text), ""}, {give(text), "account.consent.given"}, {keep(picture), ""}, {keep(picture), ""},
			{keep(account.Photo{Type: "image/svg+xml", Data: []byte("x")}), "account.photo.form"},
			{keep(account.Photo{Type: "image/png", Data: make([]byte, account.MaxPhoto+1)}), "account.photo.form"},
			{keep(account.Photo{Type: "image/png"}), "account.photo.form"},
		} {
			if got.key == "" && got.err != nil || got.key != "" && !fault.HasKey(got.err, got.key) {
				b.t.Errorf("step %d: %v, want %q", step, got.err, got.key)
			}
		}
		if !has() {
			b.t.Error("the photo was not kept")
		}
		b.clock.Advance(time.Minute)
		if err := withdraw(); err != nil || has() {
			b.t.Errorf("the photo outlived its consent: %v", err)
		}
		if err := keep(picture); !fault.HasKey(err, "account.photo.consent") {
			b.t.Errorf("kept after the withdrawal: %v", err)
		}
		b.write(func(ctx context.Context, tx account.Tx) error {
			list, err := tx.ListConsents(ctx, id)
			if len(list) != 1 || list[0].Holds() || !list[0].GivenAt.Equal(start) || !list[0].WithdrawnAt.Equal(b.clock.Now()) {
				b.t.Errorf("%+v", list)
			}
			return err
		})
		if err := give(text); err != nil {
			b.t.Errorf("given again: %v", err)
		}
	})
}

func TestWhoLookedIsWrittenDown(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		p := b.signIn(ana(b.t), "").Person
		look := func(purpose string) error {
			return b.try(func(ctx context.Context, tx account.Tx) error {
				seen, err := account.Look(ctx, tx, account.Viewer{Actor: "Ctinf", Purpose: purpose}, p.CPF)
				if err == nil && seen.ID != p.ID {
					b.t.Errorf("saw %+v", seen)
				}
				return err
			})
		}
		for _, purpose := range []string{"", "curto", "semnenhumespaço", " \n  \t       "} {
			if err := look(purpose); !fault.HasKey(err, "account.look.purpose") {
				b.t.Errorf("purpose %q: %v", purpose, err)
			}
		}
		if err := look("Chamado 123: não consegue entrar"); err != nil {
			b.t.Fatal(err)
		}
		var e account.Export
		b.write(func(ctx context.Context, tx account.Tx) (err error) {
			e, err = account.ExportOf(ctx, tx, p.ID, account.Limits{})
			return err
		})
		if len(e.Accesses) != 1 || e.Accesses[0].Actor != "Ctinf" || e.Accesses[0].Purpose != "Chamado 123: não consegue entrar" {
			b.t.Errorf("%+v", e.Accesses)
		}
		data, err := json.Marshal(e)
		for _, want := range []string{`"cpf":"` + p.CPF.Masked(), `"valor":"ana@exemplo.example","fonte":"govbr","verificado":true`, `"numero":"602"`, `"navegador":"Firefox · Linux","rede":"203.0.113.0/24"`, `"ato":"account.looked_at"`, `"empresas":[]`} {
			if err != nil || !strings.Contains(string(data), want) {
				b.t.Errorf("the export lacks %s\n%s %v", want, data, err)
			}
		}
		if kinds := b.kinds(p.ID); kinds[len(kinds)-1] != "account.exported" {
			b.t.Errorf("the audit tells %v", kinds)
		}
	})
}

func TestPendingIsUsedOnceByItsBrowser(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		mine, other := account.NewToken(), account.NewToken()
		begin := func(state string, browser account.Token) {
			b.write(func(ctx context.Context, tx account.Tx) error {
				return account.Begin(ctx, tx, account.Pending{State: account.HashOf(state), Browser: browser.Hash(), Nonce: "n-" + state, Verifier: "v", Return: "/x", Network: "n"}, account.Limits{})
			})
		}
		claim := func(state string, browser account.Token) (p account.Pending, err error) {
			err = b.try(func(ctx context.Context, tx account.Tx) (err error) {
				p, err = account.Claim(ctx, tx, state, browser)
				return err
			})
			return p, err
		}
		begin("a", mine)
		begin("b", other)
		for _, wrong := range []struct {
			state   string
			browser account.Token
		}{{"a", other}, {"b", mine}, {"c", mine}, {"", mine}, {"a", ""}} {
			if _, err := claim(wrong.state, wrong.browser); !fault.HasKey(err, "account.signin.gone") {
				b.t.Errorf("state %q by the wrong browser: %v", wrong.state, err)
			}
		}
		p, err := claim("a", mine)
		if err != nil || p.Nonce != "n-a" || p.Verifier != "v" || p.Return != "/x" {
			b.t.Errorf("%+v, %v", p, err)
		}
		if _, err := claim("a", mine); !fault.HasKey(err, "account.signin.gone") {
			b.t.Errorf("used twice: %v", err)
		}
		b.clock.Advance(time.Hour)
		if _, err := claim("b", other); !fault.HasKey(err, "account.signin.gone") {
			b.t.Errorf("after its time: %v", err)
		}
	})
}

func TestOnePendingOfManyClaims(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		browser := account.NewToken()
		b.write(func(ctx context.Context, tx account.Tx) error {
			return account.Begin(ctx, tx, account.Pending{State: account.HashOf("s"), Browser: browser.Hash()}, account.Limits{})
		})
		var group sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 8 {
			group.Go(func() {
				err := b.store.Write(b.t.Context(), func(tx account.Tx) error {
					_, err := account.Claim(b.t.Context(), tx, "s", browser)
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if !fault.HasKey(err, "account.signin.gone") {
					b.t.Error(err)
				}
			})
		}
		group.Wait()
		if won != 1 {
			b.t.Errorf("%d of 8 claims won", won)
		}
	})
}

func TestFloodOfPendingIsBoundedAndFair(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		limits := account.Limits{PendingAll: 50, PendingNetwork: 20}
		victim := account.NewToken()
		begin := func(state, network string, browser account.Token) {
			b.clock.Advance(time.Millisecond)
			b.write(func(ctx context.Context, tx account.Tx) error {
				return account.Begin(ctx, tx, account.Pending{State: account.HashOf(state), Browser: browser.Hash(), Network: network}, limits)
			})
		}
		begin("victim", "198.51.100.0/24", victim)
		for i := range 200 {
			begin(fmt.Sprint(i), "203.0.113.0/24", account.NewToken())
		}
		b.write(func(ctx context.Context, tx account.Tx) error {
			waiting, err := account.Awaited(ctx, tx, victim)
			if !waiting {
				b.t.Error("a flood of one network threw out the sign-in of another")
			}
			return err
		})
		for i := range 100 {
			begin(fmt.Sprint("n", i), fmt.Sprintf("192.0.%d.0/24", i), account.NewToken())
		}
		raw := 0
		err := b.store.DB.Read(b.t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(b.t.Context(), `SELECT COUNT(*) FROM sign_in`).Scan(&raw)
		})
		if err != nil || raw != 50 {
			b.t.Errorf("%d sign-ins are kept, %v", raw, err)
		}
	})
}

// TestSignInFailsWhole breaks each call of a sign-in: there is never an account
// without its audit event, nor a session without its account's last word.
func TestSignInFailsWhole(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		failer := storetest.FailAt(0)
		e := storetest.NewSQLite(t)
		db := e.OpenWith(t, store.Options{Migrations: []store.MigrationSet{accountstore.Migrations()}, Intercept: failer.Intercept})
		accounts := accountstore.Store{DB: db}
		failer.Reset(n)
		err := accounts.Write(t.Context(), func(tx account.Tx) error {
			_, err := account.SignIn(t.Context(), tx, ana(t), "", device, account.Limits{})
			return err
		})
		failer.Reset(0)
		if err == nil {
			if n < 10 {
				t.Fatalf("only %d calls", n)
			}
			return
		}
		if !errors.Is(err, storetest.ErrInjected) {
			t.Fatal(err)
		}
		for _, table := range []string{"person", "person_fact", "session", "audit_event"} {
			count := -1
			if err := db.Read(t.Context(), func(tx *store.Tx) error {
				return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&count)
			}); err != nil || count != 0 {
				t.Errorf("call %d failed and left %d rows in %s (%v)", n, count, table, err)
			}
		}
	}
}

func TestDevices(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"": "", "curl/8.5": "", strings.Repeat("x", 5000) + "Firefox/1": "",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0": "Edge · Windows",
		"Mozilla/5.0 (Linux; Android 15; Pixel) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36":       "Chrome · Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1":   "Safari · iPhone",
		"<script>alert(1)</script> Firefox/1": "Firefox",
	} {
		if got := account.DeviceOf(agent, netip.Addr{}); got.Agent != want || got.Network != "" {
			t.Errorf("%.50q is %+v", agent, got)
		}
	}
	for addr, want := range map[string]string{"203.0.113.77": "203.0.113.0/24", "::ffff:203.0.113.77": "203.0.113.0/24", "2001:db8:1:2:3::4": "2001:db8:1::/48", "fe80::1%eth0": "fe80::/48"} {
		if got := account.DeviceOf("", netip.MustParseAddr(addr)).Network; got != want {
			t.Errorf("%s is in %s", addr, got)
		}
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	order := []account.Level{"", account.Bronze, account.Silver, account.Gold}
	for i, a := range order {
		for j, b := range order {
			if a.AtLeast(b) != (i >= j) {
				t.Errorf("%q at least %q: %v", a, b, a.AtLeast(b))
			}
		}
	}
}
