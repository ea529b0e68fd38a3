package ledger

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"selo/fault"
)

// maxCheckpoint is the length in bytes above which a text is not looked at; a
// checkpoint with a hundred witnesses is a third of it.
const maxCheckpoint = 64 << 10

// VerifierKey writes the log's public key as a note verifier key
// ("origin+hash+key", https://c2sp.org/signed-note), the form that is
// published and that [OpenCheckpoint] takes. The origin names the log, by
// custom as an address without scheme ("selo.inmetro.gov.br/registro"), and
// holds neither spaces nor "+"; an error otherwise.
func VerifierKey(origin string, key ed25519.PublicKey) (string, error) {
	vkey, err := note.NewEd25519VerifierKey(origin, key)
	if err != nil {
		return "", fmt.Errorf("make verifier key of %q: %w", origin, err)
	}
	if _, err := note.NewVerifier(vkey); err != nil {
		return "", fmt.Errorf("make verifier key of %q: %w", origin, err)
	}
	return vkey, nil
}

// signer signs notes with a key held in memory; note.NewSigner would want it
// written out as text first.
type signer struct {
	note.Verifier
	key ed25519.PrivateKey
}

// Sign implements note.Signer.
func (s signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }

func newSigner(origin string, key ed25519.PrivateKey) (note.Signer, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("ledger signing key has %d bytes, want %d", len(key), ed25519.PrivateKeySize)
	}
	vkey, err := VerifierKey(origin, ed25519.PublicKey(key[ed25519.PrivateKeySize-ed25519.PublicKeySize:]))
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("read verifier key of %q: %w", origin, err)
	}
	return signer{Verifier: verifier, key: key}, nil
}

// SignCheckpoint returns the checkpoint of head: the lines origin, size and
// root in base64, signed as a note. Ed25519 is deterministic, so the same head
// always gives the same text. A log must never sign two heads of one size with
// different roots: sign only heads that came from the log itself.
func SignCheckpoint(head Head, origin string, key ed25519.PrivateKey) (string, error) {
	if err := head.check(); err != nil {
		return "", fmt.Errorf("sign checkpoint: %w", err)
	}
	s, err := newSigner(origin, key)
	if err != nil {
		return "", fmt.Errorf("sign checkpoint: %w", err)
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, head.Size, head.Root)
	signed, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		return "", fmt.Errorf("sign checkpoint of size %d: %w", head.Size, err)
	}
	return string(signed), nil
}

// OpenCheckpoint returns the head that a checkpoint states, after checking that
// the log with the verifier key vkey signed it. Signatures by others, such as
// witnesses, and extension lines are allowed and not looked at, as the format
// demands.
//
// It returns fault.Invalid: "ledger.key.format" when vkey is not a verifier
// key, "ledger.checkpoint.format" when the text is not a checkpoint, and
// "ledger.checkpoint.signature" when the log did not sign it.
func OpenCheckpoint(text, vkey string) (Head, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return Head{}, fault.New(fault.Invalid, "ledger.key.format").Because(err)
	}
	if len(text) > maxCheckpoint {
		return Head{}, malformed(fmt.Errorf("checkpoint has %d bytes", len(text)))
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified), errors.As(err, &invalid):
		return Head{}, fault.New(fault.Invalid, "ledger.checkpoint.signature", "origem", verifier.Name()).Because(err)
	case err != nil:
		return Head{}, malformed(err)
	}
	head, err := parseCheckpoint(opened.Text, verifier.Name())
	if err != nil {
		return Head{}, malformed(err)
	}
	return head, nil
}

func malformed(cause error) error {
	return fault.New(fault.Invalid, "ledger.checkpoint.format").Because(cause)
}

// parseCheckpoint reads the signed text; it ends in a newline.
func parseCheckpoint(text, origin string) (Head, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 3 {
		return Head{}, fmt.Errorf("checkpoint has %d lines, want 3", len(lines))
	}
	for _, line := range lines {
		if line == "" {
			return Head{}, errors.New("checkpoint has an empty line")
		}
	}
	if lines[0] != origin {
		return Head{}, fmt.Errorf("checkpoint is of %q, key of %q", lines[0], origin)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] {
		return Head{}, fmt.Errorf("checkpoint size %q is not a number", lines[1])
	}
	raw, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(raw) != tlog.HashSize || base64.StdEncoding.EncodeToString(raw) != lines[2] {
		return Head{}, fmt.Errorf("checkpoint root %q is not 32 bytes in base64", lines[2])
	}
	head := Head{Size: size, Root: tlog.Hash(raw)}
	return head, head.check()
}
