package govbr

import (
	"context"
	"crypto/rsa"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

const (
	maxKeySet  = 64 << 10 // bytes
	maxKeys    = 32
	minKeyBits = 2048
	keyLife    = 12 * time.Hour // then the keys are fetched again, at leisure
)

// keySet holds the keys that sign tokens. It fetches them when a token names
// one that it does not know, but never more often than the floor: tokens made
// up by strangers cannot make it ask. It is safe for concurrent use.
//
// gov.br has only ever been seen to name its key "rsa1". A new key may well
// have the old name, so a signature that does not fit is a reason to look, too.
type keySet struct {
	url    string
	caller *caller
	floor  time.Duration

	turn chan struct{} // holds one: who has it may fetch

	mu      sync.Mutex
	keys    map[string]*rsa.PublicKey
	fetched time.Time // zero: never
	tried   time.Time // also in vain
}

func newKeySet(url string, c *caller) *keySet {
	return &keySet{url: url, caller: c, floor: c.opts.KeyFloor, turn: make(chan struct{}, 1)}
}

// key returns the key of that name. refused is one that did not fit, or nil.
// Without such a key it returns nil and no error.
func (s *keySet) key(ctx context.Context, kid string, refused *rsa.PublicKey) (*rsa.PublicKey, error) {
	key, stale := s.known(kid)
	if usable(key, refused) && !stale {
		return key, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	// Somebody else may have fetched them in the meantime.
	if key, stale = s.known(kid); usable(key, refused) && !stale || !s.mayFetch() {
		return key, nil
	}
	// Whoever gives up waiting must not spoil it for the others.
	err := s.fetch(context.WithoutCancel(ctx))
	key, _ = s.known(kid)
	if err != nil && key == nil {
		return nil, err
	}
	return key, nil // old keys go on when new ones cannot be had
}

func usable(key, refused *rsa.PublicKey) bool {
	return key != nil && (refused == nil || !key.Equal(refused))
}

func (s *keySet) known(kid string) (key *rsa.PublicKey, stale bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[kid], s.caller.opts.Clock.Now().Sub(s.fetched) > keyLife
}

// mayFetch holds the floor. As long as there is no key at all, it is the
// breaker that keeps the peace.
func (s *keySet) mayFetch() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.caller.opts.Clock.Now()
	if len(s.keys) > 0 && now.Sub(s.tried) < s.floor {
		return false
	}
	s.tried = now
	return true
}

func (s *keySet) fetch(ctx context.Context) error {
	a, err := s.caller.do(ctx, request{service: serviceLogin, name: "jwk", method: http.MethodGet, url: s.url, repeat: true,
		accept: []string{jsonMedia, "application/jwk-set+json"}, limit: maxKeySet})
	if err != nil {
		return err
	}
	if !a.ok() {
		return strange(serviceLogin, "jwk: status %d", a.status)
	}
	keys, err := parseKeys(a.body)
	if err != nil {
		return strange(serviceLogin, "jwk: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.fetched = keys, s.caller.opts.Clock.Now()
	return nil
}

// parseKeys takes the RSA keys that may verify RS256; others may stand beside
// them. gov.br gives no member "use" (LU, passo 7).
func parseKeys(data []byte) (map[string]*rsa.PublicKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("read key set: %w", plain(err))
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("%d keys, at most %d", len(set.Keys), maxKeys)
	}
	keys := map[string]*rsa.PublicKey{}
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) != nil {
			continue // of a kind that this program does not know
		}
		key, ok := k.Key.(*rsa.PublicKey)
		if !ok || k.KeyID == "" || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != string(jose.RS256) ||
			key.N.BitLen() < minKeyBits || key.N.BitLen() > 8192 || key.E < 3 {
			continue
		}
		if keys[k.KeyID] != nil {
			return nil, fmt.Errorf("two keys have one name")
		}
		keys[k.KeyID] = key
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("no key for RS256")
	}
	return maps.Clone(keys), nil
}
