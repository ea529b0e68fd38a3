package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// Token is a secret that only one browser holds: 256 random bits as 43
// characters of base64url. The base keeps its [TokenHash].
type Token string

// TokenHash is the SHA-256 of a token. With 256 random bits there is nothing to
// guess, so it needs neither salt nor work.
type TokenHash [sha256.Size]byte

const tokenBytes = 32

// NewToken makes a token.
func NewToken() Token {
	var b [tokenBytes]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return Token(base64.RawURLEncoding.EncodeToString(b[:]))
}

// ParseToken reads what a browser sent; ok is false for what [NewToken] cannot
// have made.
func ParseToken(s string) (t Token, ok bool) {
	if len(s) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return "", false
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(s); err != nil {
		return "", false
	}
	return Token(s), true
}

// Hash is what the base keeps of a token.
func (t Token) Hash() TokenHash { return HashOf(string(t)) }

// HashOf is the hash of a secret that somebody else has made, such as a state.
func HashOf(secret string) TokenHash { return sha256.Sum256([]byte(secret)) }
