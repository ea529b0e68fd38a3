package certifier_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"selo/certificate"
	"selo/certifier"
	"selo/remessa"
	"selo/store"
)

var errPulled = errors.New("the plug was pulled")

// TestEveryCrashPoint stops the program before each of its database calls, one
// after the other, on the way from drafts to a confirmed remessa; what is left
// must always be put right by Resume and by doing the same again.
func TestEveryCrashPoint(t *testing.T) {
	t.Parallel()
	for at := 1; ; at++ {
		calls := 0
		armed := false
		opts := store.Options{Intercept: func(context.Context, string) error {
			if !armed {
				return nil
			}
			if calls++; calls == at {
				return errPulled
			}
			return nil
		}}
		b := newBase(t, opts)
		id := b.new(toys("1", b.new(company(1)), b.new(product(1))))
		armed = true
		first := journey(b, id)
		armed = false
		if first == nil && calls < at {
			if at < 20 {
				t.Fatalf("only %d calls were seen", at)
			}
			return // it went through without meeting the crash point
		}
		if !errors.Is(first, errPulled) {
			t.Fatalf("crash point %d: %v", at, first)
		}
		b.consistent(at)
		if err := journey(b, id); err != nil {
			t.Fatalf("after crash point %d: %v", at, err)
		}
		got := b.find(id)
		if got.Accepted == nil || got.Draft != nil || got.Approved != nil || got.Travelling != nil || got.Accepted.Number != 1 {
			t.Fatalf("after crash point %d: %+v", at, got)
		}
	}
}

// journey takes a draft to its acceptance, from wherever it stands.
func journey(b *base, id certificate.ID) error {
	var r *certifier.Remessa
	steps := []func(tx certifier.Tx) error{
		func(tx certifier.Tx) error {
			_, err := certifier.Approve(b.ctx, tx, ana, []certificate.ID{id}, "")
			return err
		},
		func(tx certifier.Tx) error {
			_, err := certifier.Resume(b.ctx, tx, b.keys, b.out)
			return err
		},
		func(tx certifier.Tx) error {
			var err error
			if r, err = certifier.FindOutstanding(b.ctx, tx); err != nil || r != nil {
				return err
			}
			all, err := certifier.ListRemessas(b.ctx, tx, 0)
			if err != nil || len(all) > 0 {
				if len(all) > 0 {
					r = &all[0]
				}
				return err
			}
			r, err = certifier.Prepare(b.ctx, tx, ana, b.keys, b.out, remessa.Partial)
			return err
		},
		func(tx certifier.Tx) error {
			if !r.State.Outstanding() {
				return nil
			}
			_, err := certifier.MarkSent(b.ctx, tx, ana, certifier.ByHTTPS)
			return err
		},
		func(tx certifier.Tx) error {
			_, err := certifier.ApplyResult(b.ctx, tx, ana, b.keys, b.result(r, remessa.Confirmed))
			return err
		},
	}
	for _, step := range steps {
		if err := b.db.Write(b.ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// consistent wants the outbox to hold exactly the outstanding remessa after Resume.
func (b *base) consistent(at int) {
	b.t.Helper()
	b.write(func(tx certifier.Tx) error {
		_, err := certifier.Resume(b.ctx, tx, b.keys, b.out)
		return err
	})
	var r *certifier.Remessa
	b.write(func(tx certifier.Tx) error {
		var err error
		r, err = certifier.FindOutstanding(b.ctx, tx)
		return err
	})
	files, err := filepath.Glob(filepath.Join(b.out.Dir, "*"))
	if err != nil {
		b.t.Fatal(err)
	}
	switch {
	case r == nil && len(files) > 0:
		b.t.Errorf("crash point %d left files without a remessa: %v", at, files)
	case r != nil && len(files) != 1:
		b.t.Errorf("crash point %d: remessa %d outstanding, files %v", at, r.Sequence, files)
	case r != nil:
		b.read(r)
	}
}

func TestResumeRewritesALostFile(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	id := b.new(toys("1", b.new(company(1)), b.new(product(1))))
	b.approve(id)
	b.cycle()
	b.edit(id, "novo laudo", func(c *certificate.Certificate) { c.ReportNumber = "2" })
	b.approve(id)
	r := b.prepare(remessa.Full)
	before, err := os.ReadFile(b.out.Path(r.File))
	if err != nil {
		t.Fatal(err)
	}
	resume := func(keys remessa.Keys, want string) {
		t.Helper()
		b.write(func(tx certifier.Tx) error {
			repairs, err := certifier.Resume(b.ctx, tx, keys, b.out)
			if len(repairs) == 0 || repairs[0].Kind != want {
				t.Errorf("repairs %+v, want %s", repairs, want)
			}
			return err
		})
	}
	if err := os.WriteFile(b.out.Path(r.File), before[:len(before)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	resume(b.keys, "file.rewritten")
	after, err := os.ReadFile(b.out.Path(r.File))
	if err != nil || string(after) != string(before) {
		t.Fatalf("the rewritten file differs (%d and %d bytes): %v", len(before), len(after), err)
	}
	stray := b.out.Path("DEMO-000009.remessa")
	if err := os.WriteFile(stray, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	resume(b.keys, "file.removed")
	if _, err := os.Stat(stray); !os.IsNotExist(err) {
		t.Errorf("a stray bundle is still there: %v", err)
	}
}
