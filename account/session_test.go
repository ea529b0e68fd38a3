package account_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"selo/account"
	"selo/fault"
	"selo/store/storetest"
)

func TestSessionLivesWithinItsLimits(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		in := b.signIn(ana(b.t), "")
		use := func() bool {
			c, ok := b.current(in.Token)
			if ok && c.Session.Due(b.clock.Now(), account.Limits{}) {
				b.write(func(ctx context.Context, tx account.Tx) error {
					return account.Touch(ctx, tx, c.Session.ID, account.Limits{})
				})
			}
			return ok
		}
		for range 24 {
			b.clock.Advance(29 * time.Minute)
			if !use() {
				b.t.Fatalf("a session in use ended after %v", b.clock.Now().Sub(start))
			}
		}
		b.clock.Advance(24 * time.Minute) // 12 hours
		if use() {
			b.t.Error("a session in use outlived its absolute limit")
		}
		in = b.signIn(ana(b.t), in.Token)
		b.clock.Advance(30 * time.Minute)
		if use() {
			b.t.Error("an idle session did not end")
		}
		b.write(func(ctx context.Context, tx account.Tx) error {
			return account.Touch(ctx, tx, in.Session.ID, account.Limits{})
		})
		if use() {
			b.t.Error("a late touch revived an idle session")
		}
		b.write(func(ctx context.Context, tx account.Tx) error { return account.Clean(ctx, tx, account.Limits{}) })
		b.clock.Advance(31 * 24 * time.Hour)
		b.write(func(ctx context.Context, tx account.Tx) error { return account.Clean(ctx, tx, account.Limits{}) })
		b.write(func(ctx context.Context, tx account.Tx) error {
			if _, found, err := tx.FindSession(ctx, in.Token.Hash()); err != nil || found {
				b.t.Errorf("a session unused for a month is still there: %v", err)
			}
			return nil
		})
	})
}

func TestSignInRotatesTheSession(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		first := b.signIn(ana(b.t), "")
		who := ana(b.t)
		who.Level = account.Gold
		b.clock.Advance(time.Minute)
		second := b.signIn(who, first.Token)
		if second.Token == first.Token || second.Session.ID != first.Session.ID || !second.Session.CreatedAt.Equal(first.Session.CreatedAt) {
			b.t.Errorf("session %+v became %+v", first.Session, second.Session)
		}
		if _, ok := b.current(first.Token); ok {
			b.t.Error("the id from before a higher level still opens the session")
		}
		c, ok := b.current(second.Token)
		if !ok || c.Session.Level != account.Gold || c.Person.Level != account.Gold {
			b.t.Errorf("the new id gives %+v, %v", c, ok)
		}
		// Somebody else signs in, in the same browser: a token planted before does not carry over.
		third := b.signIn(bruno(b.t), second.Token)
		if _, ok := b.current(second.Token); ok || third.Session.ID == second.Session.ID {
			b.t.Error("a session outlived that somebody else signed in over it")
		}
		if events := b.history(first.Person.ID); events[len(events)-1].Kind != "account.session_replaced" || events[len(events)-1].Actor != "system" {
			b.t.Errorf("the audit ends with %+v", events[len(events)-1])
		}
		if c, ok := b.current(third.Token); !ok || c.Person.Called() != "Bruno Fictício" {
			b.t.Errorf("%+v, %v", c.Person, ok)
		}
	})
}

func TestSessionsEndOneOthersAll(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		here, phone, work := b.signIn(ana(b.t), ""), b.signIn(ana(b.t), ""), b.signIn(ana(b.t), "")
		stranger := b.signIn(bruno(b.t), "")
		alive := func() (names []string) {
			for name, in := range map[string]account.Entered{"here": here, "phone": phone, "work": work, "stranger": stranger} {
				if _, ok := b.current(in.Token); ok {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			return names
		}
		err := b.try(func(ctx context.Context, tx account.Tx) error {
			return account.Revoke(ctx, tx, here.Person.ID, stranger.Session.ID)
		})
		if !fault.HasKey(err, "account.session.unknown") {
			b.t.Errorf("a session of somebody else: %v", err)
		}
		b.write(func(ctx context.Context, tx account.Tx) error {
			return account.Revoke(ctx, tx, here.Person.ID, phone.Session.ID)
		})
		if got := alive(); !slices.Equal(got, []string{"here", "stranger", "work"}) {
			b.t.Errorf("after ending one: %v", got)
		}
		err = b.try(func(ctx context.Context, tx account.Tx) error {
			return account.Revoke(ctx, tx, here.Person.ID, phone.Session.ID)
		})
		if !fault.HasKey(err, "account.session.unknown") {
			b.t.Errorf("ending twice: %v", err)
		}
		b.write(func(ctx context.Context, tx account.Tx) error {
			n, err := account.RevokeAll(ctx, tx, here.Person.ID, here.Session.ID)
			if n != 1 {
				b.t.Errorf("%d others ended", n)
			}
			return err
		})
		if got := alive(); !slices.Equal(got, []string{"here", "stranger"}) {
			b.t.Errorf("after ending the others: %v", got)
		}
		b.write(func(ctx context.Context, tx account.Tx) error { return account.SignOut(ctx, tx, here.Token) })
		b.write(func(ctx context.Context, tx account.Tx) error { return account.SignOut(ctx, tx, here.Token) })
		if got := alive(); !slices.Equal(got, []string{"stranger"}) {
			b.t.Errorf("after signing out: %v", got)
		}
		want := []string{"account.created", "account.signed_in", "account.signed_in", "account.signed_in",
			"account.session_revoked", "account.session_revoked", "account.signed_out"}
		if got := b.kinds(here.Person.ID); !slices.Equal(got, want) {
			b.t.Errorf("the audit tells %v", got)
		}
	})
}

// TestEndingAllEndsTheIdleToo: what one server's limits or clock call expired may
// be alive on another.
func TestEndingAllEndsTheIdleToo(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		old := b.signIn(ana(b.t), "")
		b.clock.Advance(31 * time.Minute)
		in := b.signIn(ana(b.t), "")
		b.write(func(ctx context.Context, tx account.Tx) error {
			n, err := account.RevokeAll(ctx, tx, in.Person.ID, in.Session.ID)
			if n != 1 {
				b.t.Errorf("%d others ended", n)
			}
			return err
		})
		b.write(func(ctx context.Context, tx account.Tx) error {
			s, _, err := tx.FindSession(ctx, old.Token.Hash())
			if s.State != account.SessionRevoked || !s.EndedAt.Equal(b.clock.Now()) {
				b.t.Errorf("the idle session is %q, ended %v", s.State, s.EndedAt)
			}
			return err
		})
		if c, ok := b.current(in.Token); !ok || !c.Session.EndedAt.IsZero() {
			b.t.Errorf("the session that ends the others: %+v", c.Session)
		}
	})
}

func TestSessionsOfOnePersonAreBounded(t *testing.T) {
	t.Parallel()
	b := open(t, storetest.NewSQLite(t))
	var first account.Entered
	for i := range 25 {
		in := b.signIn(ana(t), "")
		if i == 0 {
			first = in
		}
		b.clock.Advance(time.Second)
	}
	b.write(func(ctx context.Context, tx account.Tx) error {
		list, err := account.Sessions(ctx, tx, first.Person.ID, account.Limits{})
		if len(list) != 20 {
			t.Errorf("%d sessions", len(list))
		}
		return err
	})
	if _, ok := b.current(first.Token); ok {
		t.Error("the session used longest ago did not give way")
	}
}

// A second server's clock may be behind that of the one that signed somebody in.
func TestSessionOnAServerWhoseClockIsBehind(t *testing.T) {
	t.Parallel()
	s := account.Session{State: account.SessionActive, SignedInAt: start, UsedAt: start}
	if early := start.Add(-time.Second); !s.Alive(early, account.Limits{}) || s.Due(early, account.Limits{}) {
		t.Error("a session is dead on a server whose clock is a second behind")
	}
}

// TestSessionMoves walks every pair of states.
func TestSessionMoves(t *testing.T) {
	t.Parallel()
	states := []account.SessionState{account.SessionActive, account.SessionOut, account.SessionRevoked, account.SessionReplaced}
	onBoth(t, func(b *bench) {
		for _, from := range states {
			for _, to := range states[1:] {
				in := b.signIn(ana(b.t), "")
				end := func(from, to account.SessionState) (moved bool) {
					b.write(func(ctx context.Context, tx account.Tx) (err error) {
						moved, err = tx.EndSession(ctx, in.Person.ID, in.Session.ID, from, to)
						return err
					})
					return moved
				}
				if from != account.SessionActive {
					end(account.SessionActive, from)
				}
				legal := slices.Contains(account.SessionMoves[from], to)
				if moved := end(account.SessionActive, to); moved != legal {
					b.t.Errorf("%s to %s: moved %v, legal %v", from, to, moved, legal)
				}
			}
		}
	})
}

// TestOneAccountOfManySignInsAtOnce signs one person in from many browsers at the
// same moment, also for the first time.
func TestOneAccountOfManySignInsAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *bench) {
		var group sync.WaitGroup
		results := make([]account.Entered, 8)
		for i := range results {
			group.Go(func() {
				err := b.store.Write(b.t.Context(), func(tx account.Tx) (err error) {
					results[i], err = account.SignIn(b.t.Context(), tx, ana(b.t), "", device, account.Limits{})
					return err
				})
				if err != nil {
					b.t.Error(err)
				}
			})
		}
		group.Wait()
		created := 0
		for _, in := range results {
			if in.Person.ID != results[0].Person.ID {
				b.t.Error("one CPF has two accounts")
			}
			if in.Created {
				created++
			}
		}
		if created != 1 {
			b.t.Errorf("the account was created %d times", created)
		}
	})
}

func TestNoSecretIsKept(t *testing.T) {
	t.Parallel()
	e := storetest.NewSQLite(t)
	b := open(t, e)
	in := b.signIn(ana(t), "")
	browser := account.NewToken()
	b.write(func(ctx context.Context, tx account.Tx) error {
		return account.Begin(ctx, tx, account.Pending{State: account.HashOf("estado-secreto"), Browser: browser.Hash(), Return: "/"}, account.Limits{})
	})
	raw := e.Raw(t)
	for table, columns := range map[string]string{"session": "hex(token_hash)||id||agent||network", "sign_in": "hex(state_hash)||hex(browser_hash)||return_path", "audit_event": "detail||subject||actor"} {
		rows, err := raw.QueryContext(t.Context(), "SELECT "+columns+" FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{string(in.Token), string(browser), "estado-secreto", string(ana(t).CPF), ana(t).Email, ana(t).Name} {
				if strings.Contains(text, secret) {
					t.Errorf("%s holds %q", table, secret)
				}
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	token := account.NewToken()
	if got, ok := account.ParseToken(string(token)); !ok || got != token || len(token) != 43 {
		t.Errorf("%q reads as %q, %v", token, got, ok)
	}
	for _, bad := range []string{"", "a", string(token[:42]), string(token) + "A", strings.Repeat("é", 22), strings.Repeat("+", 43), string(token[:42]) + "\n", strings.Repeat("A", 42) + "B"} {
		if _, ok := account.ParseToken(bad); ok {
			t.Errorf("%q is taken for a token", bad)
		}
	}
}
