package govbrsim

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// TestAClientNobodyHereWrote signs in with golang.org/x/oauth2 and checks the
// id_token with go-oidc, over plain HTTP and through the forms of the screens,
// at the root and in a world.
func TestAClientNobodyHereWrote(t *testing.T) {
	t.Parallel()
	root := start(t)
	for _, s := range []*sim{root, root.inWorld("cliente-de-fora")} {
		ctx := oidc.ClientContext(t.Context(), &http.Client{})
		provider, err := oidc.NewProvider(ctx, s.url+"/")
		if err != nil {
			t.Fatal(err)
		}
		config := oauth2.Config{ClientID: exampleID, ClientSecret: exampleSecret, Endpoint: provider.Endpoint(), RedirectURL: exampleBack, Scopes: DefaultScopes()}
		secret := oauth2.GenerateVerifier()
		address := config.AuthCodeURL("estado", oidc.Nonce("uma-vez"), oauth2.S256ChallengeOption(secret))
		q := s.returned(s.fill(s.signIn(s.get(address), clara), "/login/autorizacao", "decisao", "autorizar"))
		if q.Get("state") != "estado" {
			t.Fatalf("state %q", q.Get("state"))
		}
		for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
			config.Endpoint.AuthStyle = style
			token, err := config.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(secret))
			if err != nil {
				t.Fatal(err)
			}
			checkByLibrary(ctx, t, s, provider, config, token)
			if _, err := config.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(secret)); err == nil {
				t.Fatal("a code was redeemed twice")
			}
			q = s.returned(s.get(address)) // the session is there: a new code at once
		}
	}
}

func checkByLibrary(ctx context.Context, t *testing.T, s *sim, provider *oidc.Provider, config oauth2.Config, token *oauth2.Token) {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	checked, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID, Now: s.clock.Now}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	var told struct {
		Name        string          `json:"name"`
		Verified    string          `json:"email_verified"`
		Reliability reliabilityInfo `json:"reliability_info"`
	}
	if err := checked.Claims(&told); err != nil {
		t.Fatal(err)
	}
	if checked.Subject != string(clara) || checked.Nonce != "uma-vez" || told.Reliability.Level != "gold" || told.Verified != "true" || told.Name == "" {
		t.Errorf("%+v %+v", checked, told)
	}
	if _, err := provider.Verifier(&oidc.Config{ClientID: "outro", Now: s.clock.Now}).Verify(ctx, raw); err == nil {
		t.Error("the token is good for another client")
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != string(clara) || !info.EmailVerified {
		t.Errorf("userinfo %+v: %v", info, err)
	}
	if token.RefreshToken != "" || token.Type() != "Bearer" || !strings.Contains(token.Extra("scope").(string), "openid email profile") {
		t.Errorf("%+v", token)
	}
}

// TestLibrariesSeeTheErrors: what clients written elsewhere make of refusals.
func TestLibrariesSeeTheErrors(t *testing.T) {
	t.Parallel()
	s := start(t)
	config := oauth2.Config{ClientID: exampleID, ClientSecret: "errado", RedirectURL: exampleBack,
		Endpoint: oauth2.Endpoint{TokenURL: s.url + "/token", AuthStyle: oauth2.AuthStyleInHeader}}
	_, err := config.Exchange(t.Context(), "x")
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response.StatusCode != http.StatusUnauthorized || refused.ErrorCode != "unauthorized" || refused.ErrorDescription != "Bad credentials" {
		t.Errorf("%v", err)
	}
	config.ClientSecret = exampleSecret
	_, err = config.Exchange(t.Context(), "x")
	if !errors.As(err, &refused) || refused.ErrorCode != "invalid_grant" {
		t.Errorf("%v", err)
	}
	for _, flaw := range []Flaw{FlawExpired, FlawAudience, FlawIssuer, FlawSignature, FlawNone, FlawHS256} {
		s.set(map[string]any{"defeitos_id_token": []Flaw{flaw}})
		ctx := oidc.ClientContext(t.Context(), &http.Client{})
		provider, err := oidc.NewProvider(ctx, s.url+"/")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := provider.Verifier(&oidc.Config{ClientID: exampleID, Now: s.clock.Now}).Verify(ctx, s.tokens(clara, nil).IDToken); err == nil {
			t.Errorf("%s is taken by go-oidc", flaw)
		}
	}
	if _, err := url.Parse(s.authorize("scope", "openid nada").Header.Get("Location")); err != nil {
		t.Error(err)
	}
}
