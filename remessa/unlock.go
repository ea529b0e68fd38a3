package remessa

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"selo/certificate"
	"selo/fault"
)

// Outcome is how the processing of a remessa ended; there is nothing in between (manual 2.2.5).
type Outcome string

// The outcomes.
const (
	Confirmed   Outcome = "confirmada"
	Invalidated Outcome = "invalidada"
)

// Result is what the registry answers to a remessa. Reasons are all broken
// rules up to a limit; Total counts those beyond it too. Code is the senha de
// desbloqueio of exactly this remessa and outcome.
type Result struct {
	Body        certificate.Sigla `json:"organismo"`
	Sequence    int64             `json:"sequencia"`
	Digest      Digest            `json:"digest"`
	Outcome     Outcome           `json:"resultado"`
	Reasons     []fault.Problem   `json:"motivos,omitempty"`
	Total       int64             `json:"total_motivos,omitempty"`
	Code        string            `json:"senha_desbloqueio"`
	ProcessedAt time.Time         `json:"processada_em"`
	FirstIndex  int64             `json:"primeiro_indice"` // in the ledger; of a confirmed one
}

// Code is a senha de desbloqueio: 20 Crockford base-32 characters, 100 bits.
type Code string

const (
	alphabet   = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	codeLength = 20
)

// SharedSecret is the secret under which both sides make unlock codes: the
// X25519 agreement of their keys, so that it never travels.
func SharedSecret(own *ecdh.PrivateKey, peer *ecdh.PublicKey) ([]byte, error) {
	agreed, err := own.ECDH(peer)
	if err != nil {
		return nil, fmt.Errorf("agree on secret: %w", err)
	}
	return hkdf.Key(sha256.New, agreed, nil, "selo senha de desbloqueio", 32)
}

// UnlockCode makes the code of one remessa and outcome.
func UnlockCode(secret []byte, body certificate.Sigla, sequence int64, digest Digest, outcome Outcome) Code {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "selo-senha-1\n%s\n%d\n%s\n%s\n", body, sequence, digest, outcome)
	sum := mac.Sum(nil)
	var code [codeLength]byte
	var bits, have uint
	next := 0
	for i := range code {
		for have < 5 {
			bits = bits<<8 | uint(sum[next])
			have += 8
			next++
		}
		have -= 5
		code[i] = alphabet[bits>>have&31]
	}
	return Code(code[:])
}

// ParseCode reads a code as people paste it: any case, spaces and hyphens
// ignored, O for 0, I and L for 1. Fault: Invalid "unlock.format".
func ParseCode(s string) (Code, error) {
	if len(s) > 200 {
		return "", fault.New(fault.Invalid, "unlock.format")
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(s) {
		switch {
		case r == '-' || r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0':
		case r == 'O':
			b.WriteByte('0')
		case r == 'I' || r == 'L':
			b.WriteByte('1')
		case strings.ContainsRune(alphabet, r):
			b.WriteRune(r)
		default:
			return "", fault.New(fault.Invalid, "unlock.format")
		}
	}
	if b.Len() != codeLength {
		return "", fault.New(fault.Invalid, "unlock.format")
	}
	return Code(b.String()), nil
}

// String groups the code by five, as mails and screens show it.
func (c Code) String() string {
	if len(c) != codeLength {
		return string(c)
	}
	return string(c[:5] + "-" + c[5:10] + "-" + c[10:15] + "-" + c[15:])
}

// CheckCode tells which outcome of which remessa the code proves; false when it proves neither.
func CheckCode(secret []byte, body certificate.Sigla, sequence int64, digest Digest, code Code) (Outcome, bool) {
	for _, outcome := range []Outcome{Confirmed, Invalidated} {
		want := UnlockCode(secret, body, sequence, digest, outcome)
		if hmac.Equal([]byte(want), []byte(code)) {
			return outcome, true
		}
	}
	return "", false
}
