package remessa_test

import (
	"strings"
	"testing"
	"time"

	"crypto/ed25519"

	"selo/certificate"
	"selo/fault"
	"selo/remessa"

	"pgregory.net/rapid"
)

func TestBothSidesAgreeOnTheSecret(t *testing.T) {
	t.Parallel()
	body, registry := mustKeys(t), mustKeys(t)
	ours, err := remessa.SharedSecret(body.Agree, registry.Public().Agree)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := remessa.SharedSecret(registry.Agree, body.Public().Agree)
	if err != nil {
		t.Fatal(err)
	}
	other, err := remessa.SharedSecret(mustKeys(t).Agree, registry.Public().Agree)
	if err != nil {
		t.Fatal(err)
	}
	if string(ours) != string(theirs) || string(ours) == string(other) || len(ours) != 32 {
		t.Fatalf("secrets %x %x %x", ours, theirs, other)
	}
}

func TestUnlockCodeProvesOneOutcomeOfOneRemessa(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "secret")
		sequence := rapid.Int64Range(1, 1e9).Draw(t, "sequence")
		digest := remessa.Digest(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "digest"))
		outcome := rapid.SampledFrom([]remessa.Outcome{remessa.Confirmed, remessa.Invalidated}).Draw(t, "outcome")
		code := remessa.UnlockCode(secret, "CCB", sequence, digest, outcome)
		if got, ok := remessa.CheckCode(secret, "CCB", sequence, digest, code); !ok || got != outcome {
			t.Fatalf("own code: %s %t", got, ok)
		}
		digest[5]++
		for name, ok := range map[string]bool{
			"other digest":   second(remessa.CheckCode(secret, "CCB", sequence, digest, code)),
			"other sequence": second(remessa.CheckCode(secret, "CCB", sequence+1, remessa.Digest{}, code)),
			"other body":     second(remessa.CheckCode(secret, "WOS", sequence, digest, code)),
			"other secret":   second(remessa.CheckCode(append([]byte{1}, secret[1:]...), "CCBX", sequence, digest, code)),
		} {
			if ok {
				t.Fatalf("%s accepted", name)
			}
		}
		// As people paste it.
		for _, pasted := range []string{code.String(), strings.ToLower(code.String()), " " + strings.ReplaceAll(code.String(), "-", " ") + "\r\n",
			strings.ReplaceAll(strings.ReplaceAll(string(code), "0", "o"), "1", "l")} {
			if got, err := remessa.ParseCode(pasted); err != nil || got != code {
				t.Fatalf("%q read as %q, %v", pasted, got, err)
			}
		}
	})
}

func second(_ remessa.Outcome, ok bool) bool { return ok }

func TestWrongCodes(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "12345", "ABCDE-FGHJK-MNPQR-STVWXY", "ABCDE-FGHJK-MNPQR-STVW!", "UUUUU-UUUUU-UUUUU-UUUUU", strings.Repeat("A", 300)} {
		if _, err := remessa.ParseCode(s); !fault.HasKey(err, "unlock.format") {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	f.Add("7KQ2M-9XW4T-HJ3RD-0V6PZ")
	f.Add("o0iIlL")
	f.Fuzz(func(t *testing.T, s string) {
		code, err := remessa.ParseCode(s)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		again, err := remessa.ParseCode(code.String())
		if err != nil || again != code {
			t.Fatalf("%q → %q → %q, %v", s, code, again, err)
		}
	})
}

func TestTokenIsGoodForOneRequest(t *testing.T) {
	t.Parallel()
	keys, now := mustKeys(t), preparedAt
	const path = "/api/v1/remessas/CCB/42"
	signed, err := remessa.SignToken("CCB", "GET", path, now, keys)
	if err != nil {
		t.Fatal(err)
	}
	known := func(sigla certificate.Sigla) (ed25519.PublicKey, error) {
		if sigla != "CCB" {
			return nil, fault.New(fault.NotFound, "body.unknown")
		}
		return keys.Public().Sign, nil
	}
	stranger := func(certificate.Sigla) (ed25519.PublicKey, error) { return mustKeys(t).Public().Sign, nil }
	if body, err := remessa.CheckToken(signed, "GET", path, now.Add(4*time.Minute), known); err != nil || body != "CCB" {
		t.Fatalf("own token: %s %v", body, err)
	}
	for _, c := range []struct {
		name, signed, method, path string
		at                         time.Time
		keyOf                      func(certificate.Sigla) (ed25519.PublicKey, error)
		key                        string
	}{
		{"late", signed, "GET", path, now.Add(6 * time.Minute), known, "token.expired"},
		{"early", signed, "GET", path, now.Add(-6 * time.Minute), known, "token.expired"},
		{"other method", signed, "POST", path, now, known, "token.other_request"},
		{"other path", signed, "GET", path + "0", now, known, "token.other_request"},
		{"other key", signed, "GET", path, now, stranger, "token.signature"},
		{"garbage", "abc", "GET", path, now, known, "token.malformed"},
	} {
		if _, err := remessa.CheckToken(c.signed, c.method, c.path, c.at, c.keyOf); !fault.HasKey(err, c.key) || !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v, want %s", c.name, err, c.key)
		}
	}
}

func TestEnrolmentRoundTrip(t *testing.T) {
	t.Parallel()
	keys := mustKeys(t)
	signed, err := remessa.Enrolment{Body: "CCB", Name: "Organismo Fictício", Email: "a@ccb.example"}.Sign(keys)
	if err != nil {
		t.Fatal(err)
	}
	e, err := remessa.OpenEnrolment(signed)
	if err != nil || !e.Keys.Equal(keys.Public()) || e.Body != "CCB" {
		t.Fatalf("opened %+v, %v", e, err)
	}
	if _, err := remessa.OpenEnrolment(signed[:len(signed)-4] + "AAAA"); !fault.Is(err, fault.Invalid) {
		t.Errorf("forged: %v", err)
	}
	answer, err := remessa.Registry{Name: "Registro", Body: "CCB"}.Sign(keys)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := remessa.OpenRegistry(answer); err != nil || !r.Keys.Equal(keys.Public()) {
		t.Errorf("answer %+v, %v", r, err)
	}
}
