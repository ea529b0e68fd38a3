package ledger_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"selo/fault"
	"selo/ledger"
	"selo/ledger/ledgertest"
)

const origin = "selo.inmetro.gov.br/registro"

// keyOf returns a key that is the same in every run.
func keyOf(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func mustVerifierKey(t testing.TB, name string, key ed25519.PrivateKey) string {
	t.Helper()
	vkey, err := ledger.VerifierKey(name, key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return vkey
}

func mustSign(t testing.TB, head ledger.Head) string {
	t.Helper()
	text, err := ledger.SignCheckpoint(head, origin, keyOf(1))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func threeEntries() ledger.Head {
	return ledger.Head{Size: 3, Root: ledgertest.Root(ledgertest.Leaves(3))}
}

func TestCheckpoint(t *testing.T) {
	t.Parallel()
	vkey := mustVerifierKey(t, origin, keyOf(1))
	for _, head := range []ledger.Head{ledger.Empty(), threeEntries(), {Size: ledger.MaxSize, Root: ledgertest.Leaf(1)}} {
		text := mustSign(t, head)
		start := fmt.Sprintf("%s\n%d\n%s\n\n— %s ", origin, head.Size, head.Root, origin)
		if !strings.HasPrefix(text, start) || strings.Count(text, "\n") != 5 {
			t.Errorf("checkpoint is %q", text)
		}
		if got, err := ledger.OpenCheckpoint(text, vkey); err != nil || got != head {
			t.Errorf("opened %s, %v, want %s", got, err, head)
		}
		if again := mustSign(t, head); again != text {
			t.Error("the same head was signed in two ways")
		}
	}
}

// TestCheckpointIsANote opens ours with the note package alone, and ours opens
// one that it signed with a generated key.
func TestCheckpointIsANote(t *testing.T) {
	t.Parallel()
	verifier, err := note.NewVerifier(mustVerifierKey(t, origin, keyOf(1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open([]byte(mustSign(t, threeEntries())), note.VerifierList(verifier)); err != nil {
		t.Error(err)
	}
	skey, vkey, err := note.GenerateKey(bytes.NewReader(make([]byte, 64)), "log.example")
	if err != nil {
		t.Fatal(err)
	}
	text := mustNote(t, fmt.Sprintf("log.example\n0\n%s\n", ledger.Empty().Root), skey)
	if head, err := ledger.OpenCheckpoint(text, vkey); err != nil || head != ledger.Empty() {
		t.Errorf("opened %s, %v", head, err)
	}
}

func mustNote(t testing.TB, text, skey string) string {
	t.Helper()
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

// TestTamperedCheckpoint changes every byte. What still opens, because two
// bits of the signature's base64 carry nothing, states the same head.
func TestTamperedCheckpoint(t *testing.T) {
	t.Parallel()
	vkey, text := mustVerifierKey(t, origin, keyOf(1)), mustSign(t, threeEntries())
	for i := range len(text) {
		for flip := 1; flip < 256; flip++ {
			b := []byte(text)
			b[i] ^= byte(flip)
			head, err := ledger.OpenCheckpoint(string(b), vkey)
			if err == nil && head == threeEntries() && i == len(text)-3 {
				continue
			}
			if !fault.HasKey(err, "ledger.checkpoint.signature") && !fault.HasKey(err, "ledger.checkpoint.format") {
				t.Fatalf("byte %d changed by %#x: %v", i, flip, err)
			}
		}
	}
	for i := range len(text) {
		if _, err := ledger.OpenCheckpoint(text[:i], vkey); !fault.Is(err, fault.Invalid) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
}

func TestCheckpointOfAnother(t *testing.T) {
	t.Parallel()
	text := mustSign(t, threeEntries())
	for name, vkey := range map[string]string{
		"other key":    mustVerifierKey(t, origin, keyOf(2)),
		"other origin": mustVerifierKey(t, "log.example", keyOf(1)),
	} {
		if _, err := ledger.OpenCheckpoint(text, vkey); !fault.HasKey(err, "ledger.checkpoint.signature") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, vkey := range []string{"", "x", origin, strings.Replace(mustVerifierKey(t, origin, keyOf(1)), "selo", "solo", 1)} {
		if _, err := ledger.OpenCheckpoint(text, vkey); !fault.HasKey(err, "ledger.key.format") {
			t.Errorf("key %q: %v", vkey, err)
		}
	}
}

// TestCheckpointFormat signs texts that are not checkpoints: a good signature
// does not make them one.
func TestCheckpointFormat(t *testing.T) {
	t.Parallel()
	skey, vkey, err := note.GenerateKey(bytes.NewReader(make([]byte, 64)), "log.example")
	if err != nil {
		t.Fatal(err)
	}
	root, empty := threeEntries().Root.String(), ledger.Empty().Root.String()
	for _, text := range []string{
		"log.example\n3\n",
		"log.other\n3\n" + root + "\n",
		"log.example\n03\n" + root + "\n",
		"log.example\n+3\n" + root + "\n",
		"log.example\n-3\n" + root + "\n",
		"log.example\n3.0\n" + root + "\n",
		"log.example\n\n" + root + "\n",
		"log.example\n9223372036854775807\n" + root + "\n",
		"log.example\n9223372036854775808\n" + root + "\n",
		"log.example\n3\n" + root[:40] + "\n",
		"log.example\n3\n" + strings.TrimRight(root, "=") + "\n",
		"log.example\n3\n" + root + " \n",
		"log.example\n3\n" + root + "\n\nmore\n",
		"log.example\n3\n" + root + "\n\n",
		"log.example\n0\n" + root + "\n",
		"\nlog.example\n3\n" + root + "\n",
		"log.example\n3\n" + root + "\n" + strings.Repeat("long\n", 20_000),
	} {
		if _, err := ledger.OpenCheckpoint(mustNote(t, text, skey), vkey); !fault.HasKey(err, "ledger.checkpoint.format") {
			t.Errorf("%.80q: %v", text, err)
		}
	}
	for _, text := range []string{
		"log.example\n3\n" + root + "\nan extension\nanother\n",
		"log.example\n0\n" + empty + "\n",
	} {
		if _, err := ledger.OpenCheckpoint(mustNote(t, text, skey), vkey); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestWitnesses: signatures by others may stand beside the log's own.
func TestWitnesses(t *testing.T) {
	t.Parallel()
	text := mustSign(t, threeEntries())
	witness, err := ledger.SignCheckpoint(threeEntries(), "witness.example", keyOf(9))
	if err != nil {
		t.Fatal(err)
	}
	line := witness[strings.LastIndex(witness, "— "):]
	head, err := ledger.OpenCheckpoint(text+line, mustVerifierKey(t, origin, keyOf(1)))
	if err != nil || head != threeEntries() {
		t.Errorf("opened %s, %v", head, err)
	}
}

func TestCannotSign(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		head   ledger.Head
		origin string
		key    ed25519.PrivateKey
	}{
		"no origin":         {threeEntries(), "", keyOf(1)},
		"space in origin":   {threeEntries(), "selo registro", keyOf(1)},
		"newline in origin": {threeEntries(), "selo\nregistro", keyOf(1)},
		"plus in origin":    {threeEntries(), "selo+registro", keyOf(1)},
		"no key":            {threeEntries(), origin, nil},
		"negative size":     {ledger.Head{Size: -1}, origin, keyOf(1)},
		"zero head":         {ledger.Head{}, origin, keyOf(1)},
		"too large":         {ledger.Head{Size: ledger.MaxSize + 1}, origin, keyOf(1)},
	} {
		if text, err := ledger.SignCheckpoint(c.head, c.origin, c.key); err == nil {
			t.Errorf("%s: signed %q", name, text)
		}
	}
	if vkey, err := ledger.VerifierKey(origin, nil); err == nil {
		t.Errorf("no public key: %q", vkey)
	}
}

// TestVerifyInclusion is what a buyer does with a downloaded proof.
func TestVerifyInclusion(t *testing.T) {
	t.Parallel()
	data := []byte(`{"numero":"FB-BRIN-108/17.001"}`)
	m := newMemory()
	head := ledgertest.MustAppend(t, m.db(), append(ledgertest.Leaves(9), tlog.RecordHash(data)))
	p := mustInclusion(t, m, 9, 10)
	p.Checkpoint = mustSign(t, head)
	vkey := mustVerifierKey(t, origin, keyOf(1))
	if got, err := ledger.VerifyInclusion(p, data, vkey); err != nil || got != head {
		t.Errorf("verified %s, %v", got, err)
	}
	if _, err := ledger.VerifyInclusion(p, append(data, ' '), vkey); !fault.HasKey(err, "ledger.proof.invalid") {
		t.Errorf("other data: %v", err)
	}
	if _, err := ledger.VerifyInclusion(p, data, mustVerifierKey(t, origin, keyOf(2))); !fault.HasKey(err, "ledger.checkpoint.signature") {
		t.Errorf("other key: %v", err)
	}
	p.Checkpoint = mustSign(t, ledger.Head{Size: 10, Root: ledgertest.Leaf(5)})
	if _, err := ledger.VerifyInclusion(p, data, vkey); !fault.HasKey(err, "ledger.proof.invalid") {
		t.Errorf("checkpoint of another tree: %v", err)
	}
	p.Checkpoint = ""
	if _, err := ledger.VerifyInclusion(p, data, vkey); !fault.HasKey(err, "ledger.checkpoint.format") {
		t.Errorf("no checkpoint: %v", err)
	}
}

// FuzzOpenCheckpoint: what opens is a head that, signed again, gives a text
// beginning with the same three lines; all else is one of the two faults.
func FuzzOpenCheckpoint(f *testing.F) {
	vkey := mustVerifierKey(f, origin, keyOf(1))
	f.Add(mustSign(f, threeEntries()))
	f.Add(mustSign(f, ledger.Empty()))
	f.Add("")
	f.Add(origin + "\n3\n\n— " + origin + " AAAAAAAA\n")
	f.Fuzz(func(t *testing.T, text string) {
		head, err := ledger.OpenCheckpoint(text, vkey)
		if err != nil {
			if !fault.HasKey(err, "ledger.checkpoint.signature") && !fault.HasKey(err, "ledger.checkpoint.format") {
				t.Fatalf("unexpected error %v", err)
			}
			return
		}
		lines, _, _ := strings.Cut(mustSign(t, head), "\n\n")
		if !strings.HasPrefix(text, lines+"\n") {
			t.Fatalf("%q opened as %s", text, head)
		}
	})
}
