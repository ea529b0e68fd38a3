package account_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"selo/account"
	"selo/audit"
	"selo/brasil"
	"selo/clock"
	"selo/store"
	"selo/store/accountstore"
	"selo/store/storetest"
)

var start = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

var device = account.DeviceOf("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", netip.MustParseAddr("203.0.113.77"))

// bench is accounts on a fresh base, with a clock that stands still.
type bench struct {
	t     *testing.T
	store accountstore.Store
	clock *clock.Manual
}

// onBoth runs f on both engines.
func onBoth(t *testing.T, f func(b *bench)) {
	t.Helper()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) { f(open(t, e)) })
}

func open(t *testing.T, e *storetest.Engine) *bench {
	t.Helper()
	now := clock.NewManual(start)
	db := e.OpenWith(t, store.Options{Clock: now, Migrations: []store.MigrationSet{accountstore.Migrations()}})
	return &bench{t, accountstore.Store{DB: db}, now}
}

// write runs body in one transaction that must succeed.
func (b *bench) write(body func(context.Context, account.Tx) error) {
	b.t.Helper()
	if err := b.try(body); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) try(body func(context.Context, account.Tx) error) error {
	return b.store.Write(b.t.Context(), func(tx account.Tx) error { return body(b.t.Context(), tx) })
}

// signIn signs somebody in, in a browser that holds before.
func (b *bench) signIn(who account.Identity, before account.Token) account.Entered {
	b.t.Helper()
	var in account.Entered
	b.write(func(ctx context.Context, tx account.Tx) (err error) {
		in, err = account.SignIn(ctx, tx, who, before, device, account.Limits{})
		return err
	})
	return in
}

// current asks who holds a token.
func (b *bench) current(token account.Token) (c account.Current, ok bool) {
	b.t.Helper()
	b.write(func(ctx context.Context, tx account.Tx) (err error) {
		c, ok, err = account.FindCurrent(ctx, tx, token, account.Limits{})
		return err
	})
	return c, ok
}

func (b *bench) person(id account.ID) (p account.Person) {
	b.t.Helper()
	b.write(func(ctx context.Context, tx account.Tx) (err error) {
		p, err = tx.Person(ctx, id)
		return err
	})
	return p
}

// history is what the audit tells of a person, the oldest first.
func (b *bench) history(id account.ID) []audit.Event {
	b.t.Helper()
	var events []audit.Event
	b.write(func(ctx context.Context, tx account.Tx) (err error) {
		events, err = account.History(ctx, tx, id, 1000)
		return err
	})
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		events[i], events[j] = events[j], events[i]
	}
	return events
}

func (b *bench) kinds(id account.ID) []string {
	b.t.Helper()
	var kinds []string
	for _, e := range b.history(id) {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func cpf(t *testing.T, base string) brasil.CPF {
	t.Helper()
	c, err := brasil.MakeCPF(base)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ana is an invented person.
func ana(t *testing.T) account.Identity {
	t.Helper()
	return account.Identity{CPF: cpf(t, "900000001"), Name: "Ana Inventada", Email: "ana@exemplo.example", EmailVerified: true,
		Phone: "61999990000", PhoneVerified: true, Level: account.Silver, TwoFactor: true,
		Selos: []account.Selo{{Number: "602", At: start.AddDate(0, -1, 0)}, {Number: "201"}}}
}

func bruno(t *testing.T) account.Identity {
	t.Helper()
	return account.Identity{CPF: cpf(t, "900000002"), Name: "Bruno Fictício", Level: account.Bronze}
}
