package testca

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// kept is an authority as [Authority.Keep] writes it.
type kept struct {
	Root         []byte        `json:"root"`         // DER
	Intermediate []byte        `json:"intermediate"` // DER
	RootKey      []byte        `json:"root_key"`     // PKCS #8
	Key          []byte        `json:"key"`          // PKCS #8
	Lists        int64         `json:"lists"`
	Revoked      []keptRevoked `json:"revoked,omitempty"`
	Fallen       []keptRevoked `json:"fallen,omitempty"`
}

type keptRevoked struct {
	Serial *big.Int  `json:"serial"`
	At     time.Time `json:"at"`
}

// Keep writes the authority with its keys and what it revoked as JSON, for
// [Restore]. Whoever holds it can issue certificates of this authority.
func (a *Authority) Keep() ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := kept{Root: a.Root.Raw, Intermediate: a.Intermediate.Raw, Lists: a.lists, Revoked: keepRevoked(a.revoked), Fallen: keepRevoked(a.fallen)}
	var wrongRoot, wrongKey error
	out.RootKey, wrongRoot = x509.MarshalPKCS8PrivateKey(a.rootKey)
	out.Key, wrongKey = x509.MarshalPKCS8PrivateKey(a.key)
	if err := errors.Join(wrongRoot, wrongKey); err != nil {
		return nil, fmt.Errorf("keep authority: %w", err)
	}
	return json.Marshal(out)
}

// Restore reads what [Authority.Keep] wrote; now and base are as for [New].
// Certificates issued before keep the addresses that they name.
func Restore(content []byte, now func() time.Time, base string) (*Authority, error) {
	var in kept
	if err := json.Unmarshal(content, &in); err != nil {
		return nil, fmt.Errorf("restore authority: %w", err)
	}
	a := &Authority{now: now, base: base, lists: in.Lists, revoked: restoreRevoked(in.Revoked), fallen: restoreRevoked(in.Fallen)}
	if base == "" {
		a.base = defaultBase
	}
	var err error
	if a.Root, a.rootKey, err = restorePair(in.Root, in.RootKey); err != nil {
		return nil, fmt.Errorf("restore root: %w", err)
	}
	if a.Intermediate, a.key, err = restorePair(in.Intermediate, in.Key); err != nil {
		return nil, fmt.Errorf("restore intermediate: %w", err)
	}
	if err := a.Intermediate.CheckSignatureFrom(a.Root); err != nil {
		return nil, fmt.Errorf("restore authority: %w", err)
	}
	return a, nil
}

var errPair = errors.New("key and certificate do not belong together")

func restorePair(cert, key []byte) (*x509.Certificate, crypto.Signer, error) {
	parsed, err := x509.ParseCertificate(cert)
	if err != nil {
		return nil, nil, err
	}
	private, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	signer, ok := private.(*rsa.PrivateKey)
	if !ok || !signer.PublicKey.Equal(parsed.PublicKey) {
		return nil, nil, errPair
	}
	return parsed, signer, nil
}

func keepRevoked(list []x509.RevocationListEntry) []keptRevoked {
	out := make([]keptRevoked, len(list))
	for i, e := range list {
		out[i] = keptRevoked{e.SerialNumber, e.RevocationTime}
	}
	return out
}

func restoreRevoked(list []keptRevoked) []x509.RevocationListEntry {
	out := make([]x509.RevocationListEntry, 0, len(list))
	for _, e := range list {
		if e.Serial != nil {
			out = append(out, x509.RevocationListEntry{SerialNumber: e.Serial, RevocationTime: e.At, ReasonCode: 1}) // keyCompromise
		}
	}
	return out
}
