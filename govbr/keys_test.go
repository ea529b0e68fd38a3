package govbr

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"selo/fault"
)

// finish signs in with a token under that name and key.
func finish(f *fake, c *Client, header string, fresh map[string]any) error {
	f.t.Helper()
	at := map[string]any{"iat": f.clock.Now().Unix(), "exp": f.clock.Now().Unix() + 60}
	for k, v := range fresh {
		at[k] = v
	}
	f.on("POST /token", tokens(sign(header, changed(f.t, "id_token.json", at), signingKey()),
		sign(goodHeader, changed(f.t, "access_token.json", at), signingKey())))
	p := pending()
	p.StartedAt = f.clock.Now()
	_, err := c.Finish(f.t.Context(), p, goodReturn())
	return err
}

// TestStrangersCannotMakeItAsk sends many tokens that name unknown keys: the
// keys are fetched once per floor.
func TestStrangersCannotMakeItAsk(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client()
	if err := finish(f, c, goodHeader, nil); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		wantFault(t, finish(f, c, fmt.Sprintf(`{"kid":"novo%d","alg":"RS256"}`, i), nil), fault.Forbidden, "govbr.login.token")
	}
	if n := f.count("GET /jwk"); n != 1 {
		t.Errorf("keys fetched %d times within a minute", n)
	}
	f.clock.Advance(61 * time.Second)
	wantFault(t, finish(f, c, `{"kid":"novo","alg":"RS256"}`, nil), fault.Forbidden, "govbr.login.token")
	wantFault(t, finish(f, c, `{"kid":"novo","alg":"RS256"}`, nil), fault.Forbidden, "govbr.login.token")
	if n := f.count("GET /jwk"); n != 2 {
		t.Errorf("keys fetched %d times in two minutes", n)
	}
}

// TestNewKey follows a key that changes, under a new name and under the old one.
func TestNewKey(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	old := newKey()
	f.on("GET /jwk", answerJSON(200, jwkSet("rsa1", &old.PublicKey)))
	c := f.client()
	wantFault(t, finish(f, c, goodHeader, nil), fault.Forbidden, "govbr.login.token")
	f.on("GET /jwk", answerJSON(200, jwkSet("rsa1", &signingKey().PublicKey)))
	wantFault(t, finish(f, c, goodHeader, nil), fault.Forbidden, "govbr.login.token") // not before the floor
	f.clock.Advance(61 * time.Second)
	if err := finish(f, c, goodHeader, nil); err != nil {
		t.Errorf("the same name has a new key: %v", err)
	}
	two := strings.Replace(jwkSet("rsa1", &signingKey().PublicKey), `]}`, `,`+strings.TrimPrefix(jwkSet("rsa2", &signingKey().PublicKey), `{"keys":[`), 1)
	f.on("GET /jwk", answerJSON(200, two))
	f.clock.Advance(61 * time.Second)
	if err := finish(f, c, `{"kid":"rsa2","alg":"RS256"}`, nil); err != nil {
		t.Errorf("a new name: %v", err)
	}
	if n := f.count("GET /jwk"); n != 3 {
		t.Errorf("fetched %d times", n)
	}
}

// TestOldKeysServeOn while new ones cannot be had.
func TestOldKeysServeOn(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client()
	if err := finish(f, c, goodHeader, nil); err != nil {
		t.Fatal(err)
	}
	f.on("GET /jwk", answerJSON(500, "{}"))
	f.clock.Advance(keyLife + time.Minute)
	if err := finish(f, c, goodHeader, nil); err != nil {
		t.Errorf("with old keys: %v", err)
	}
	if n := f.count("GET /jwk"); n != 4 {
		t.Errorf("asked %d times, want one and three in vain", n)
	}
}

func TestManyAtOnceFetchOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client()
	f.goodTokens(nil, nil)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.Finish(t.Context(), pending(), goodReturn()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := f.count("GET /jwk"); n != 1 {
		t.Errorf("fetched %d times", n)
	}
}

// TestKeySets refuses sets without a usable key.
func TestKeySets(t *testing.T) {
	t.Parallel()
	good := jwkSet("rsa1", &signingKey().PublicKey)
	inner := strings.TrimSuffix(strings.TrimPrefix(good, `{"keys":[`), `]}`)
	for name, set := range map[string]string{
		"empty": `{"keys":[]}`, "none": `{}`, "no JSON": `keys`, "symmetric": `{"keys":[{"kty":"oct","kid":"rsa1","k":"c2VncmVkbw"}]}`,
		"for encryption": strings.Replace(good, `"kid"`, `"use":"enc","kid"`, 1), "other alg": strings.Replace(good, "RS256", "RS512", 1),
		"no name": strings.Replace(good, `"kid":"rsa1",`, "", 1), "twice": `{"keys":[` + inner + `,` + inner + `]}`,
		"weak": `{"keys":[{"kty":"RSA","kid":"rsa1","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4"}]}`,
		"many": `{"keys":[` + strings.Repeat(inner+",", maxKeys) + inner + `]}`,
	} {
		if _, err := parseKeys([]byte(set)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	keys, err := parseKeys([]byte(`{"keys":[{"kty":"EC","kid":"x"},` + inner + `]}`))
	if err != nil || len(keys) != 1 || !keys["rsa1"].Equal(&signingKey().PublicKey) {
		t.Errorf("%v %v", keys, err)
	}
	f := newFake(t)
	f.on("GET /jwk", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(make([]byte, maxKeySet+1))
	})
	wantFault(t, finish(f, f.client(), goodHeader, nil), fault.Unavailable, "govbr.strange")
}
