package registry_test

import (
	"context"
	"testing"

	"selo/fault"
	"selo/registry"
	"selo/remessa"
	"selo/store/storetest"
)

// Anybody can sign a request in any body's name: other keys need a second word.
func TestEnrolNeverReplacesKeysByItself(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx := context.Background()
		r, _ := newRegistry(t, e, nil)
		s := newSender(t, r, "TEST")
		thief, err := remessa.NewKeys()
		if err != nil {
			t.Fatal(err)
		}
		request := remessa.Enrolment{Body: "TEST", Name: "Organismo", Email: "a@teste.example", Keys: thief.Public()}
		err = r.Store.Write(ctx, func(tx registry.Tx) error {
			_, err := r.Enrol(ctx, tx, request, "", "test")
			return err
		})
		if !fault.HasKey(err, "body.other_keys") {
			t.Fatalf("err = %v", err)
		}
		if rem := s.send(s.chained(newSet("1"))...); rem.State != registry.Confirmed {
			t.Errorf("the body's own key after that: %s %v", rem.State, rem.Reasons)
		}
		err = r.Store.Write(ctx, func(tx registry.Tx) error {
			_, err := r.ReplaceKeys(ctx, tx, request, "", "test")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		s.keys = thief
		if rem := s.send(s.chained(newSet("2"))...); rem.State != registry.Confirmed {
			t.Errorf("with the new keys: %s %v", rem.State, rem.Reasons)
		}
	})
}
