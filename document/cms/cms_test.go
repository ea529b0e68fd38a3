package cms_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selo/document/cms"
	"selo/document/cms/cmstest"
	"selo/fault"
)

var (
	at       = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	document = []byte("o documento que alguém assinou\n")
	digest   = sha256.Sum256(document)
)

func trust(c *cmstest.Chain) cms.Trust { return cms.Trust{Roots: c.Roots(), At: at} }

func TestCheck(t *testing.T) {
	t.Parallel()
	chain := cmstest.NewChain("A", at)
	person := chain.Person("FULANA DE TAL", at, nil)
	der := person.Sign(digest, cmstest.Switches{SignedAt: at})
	sig, err := cms.Check(der, digest, trust(chain))
	if err != nil {
		t.Fatal(err)
	}
	if !sig.Signer.Equal(person.Cert) || len(sig.Path) != 4 || !sig.Path[3].Equal(chain.Authorities[0]) || !sig.SignedAt.Equal(at) {
		t.Errorf("%v %d %v", sig.Signer.Subject, len(sig.Path), sig.SignedAt)
	}
	certs, err := cms.Certificates(der)
	if err != nil || len(certs) != 3 {
		t.Errorf("%d certificates, %v", len(certs), err)
	}
	alone := person.Sign(digest, cmstest.Switches{Without: true})
	withHelp := trust(chain)
	withHelp.Intermediates = chain.Authorities[1:]
	if sig, err = cms.Check(alone, digest, withHelp); err != nil || !sig.SignedAt.IsZero() {
		t.Errorf("authorities given by the caller: %v", err)
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	chain, other := cmstest.NewChain("A", at), cmstest.NewChain("B", at)
	person := chain.Person("FULANA DE TAL", at, nil)
	plain := person.Sign(digest, cmstest.Switches{})
	edited := func(edit func(*x509.Certificate)) []byte {
		return chain.Person("FULANA DE TAL", at, edit).Sign(digest, cmstest.Switches{})
	}
	broken := func(at int) []byte { b := append([]byte{}, plain...); b[at] ^= 1; return b }
	for name, tc := range map[string]struct {
		der  []byte
		kind fault.Kind
		key  string
	}{
		"empty":                {nil, fault.Invalid, "cms.size"},
		"huge":                 {make([]byte, cms.MaxSize+1), fault.Invalid, "cms.size"},
		"text":                 {[]byte("não é CMS"), fault.Invalid, "cms.malformed"},
		"cut":                  {plain[:len(plain)-1], fault.Invalid, "cms.malformed"},
		"bytes behind":         {append(append([]byte{}, plain...), 0), fault.Invalid, "cms.malformed"},
		"indefinite length":    {[]byte{0x30, 0x80, 0, 0}, fault.Invalid, "cms.malformed"},
		"attached":             {person.Sign(digest, cmstest.Switches{Content: document}), fault.Invalid, "cms.attached"},
		"two signers":          {person.Sign(digest, cmstest.Switches{Signers: 2}), fault.Invalid, "cms.signers"},
		"no certificate":       {person.Sign(digest, cmstest.Switches{Anonymous: true}), fault.Invalid, "cms.signers"},
		"no attributes":        {person.Sign(digest, cmstest.Switches{NoAttrs: true}), fault.Invalid, "cms.malformed"},
		"no digest":            {person.Sign(digest, cmstest.Switches{NoDigest: true}), fault.Invalid, "cms.malformed"},
		"digest twice":         {person.Sign(digest, cmstest.Switches{Twice: true}), fault.Invalid, "cms.malformed"},
		"of signed data":       {person.Sign(digest, cmstest.Switches{ContentIs: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}}), fault.Invalid, "cms.malformed"},
		"SHA-1":                {person.Sign(digest, cmstest.Switches{SHA1: true}), fault.Invalid, "cms.algorithm"},
		"another document":     {person.Sign(sha256.Sum256([]byte("outro")), cmstest.Switches{}), fault.Invalid, "cms.digest"},
		"another key":          {person.Sign(digest, cmstest.Switches{OtherKey: true}), fault.Invalid, "cms.signature"},
		"a bit of it":          {broken(len(plain) - 10), fault.Invalid, "cms.signature"},
		"not for signing":      {edited(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), fault.Invalid, "cms.usage"},
		"an authority's":       {edited(func(c *x509.Certificate) { c.IsCA = true }), fault.Invalid, "cms.usage"},
		"another root":         {other.Person("FULANA DE TAL", at, nil).Sign(digest, cmstest.Switches{}), fault.Forbidden, "cms.untrusted"},
		"certificate ended":    {edited(func(c *x509.Certificate) { c.NotAfter = at.Add(-time.Minute) }), fault.Forbidden, "cms.untrusted"},
		"certificate not yet":  {edited(func(c *x509.Certificate) { c.NotBefore = at.Add(time.Minute) }), fault.Forbidden, "cms.untrusted"},
		"authorities missing":  {person.Sign(digest, cmstest.Switches{Without: true}), fault.Forbidden, "cms.untrusted"},
		"signed after its end": {person.Sign(digest, cmstest.Switches{SignedAt: at.AddDate(2, 0, 0)}), fault.Forbidden, "cms.untrusted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := cms.Check(tc.der, digest, trust(chain))
			if !fault.HasKey(err, tc.key) || !fault.Is(err, tc.kind) {
				t.Errorf("%v, want %s", err, tc.key)
			}
			if err != nil && strings.Contains(err.Error(), "FULANA") {
				t.Errorf("a name in %v", err)
			}
		})
	}
	if _, err := cms.Check(plain, digest, cms.Trust{At: at}); err == nil || fault.Of(err) != nil {
		t.Errorf("without roots: %v", err)
	}
	if _, err := cms.Check(plain, digest, cms.Trust{Roots: chain.Roots()}); err == nil || fault.Of(err) != nil {
		t.Errorf("without a time: %v", err)
	}
}

// TestOpenSSLAgrees has another program verify what the tests sign, so that what
// Check accepts is CMS and not what this folder takes for it.
func TestOpenSSLAgrees(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("openssl is needed: see scripts/setup.sh")
	}
	now := time.Now() // openssl reads the machine's clock
	chain := cmstest.NewChain("A", now)
	dir := t.TempDir()
	for name, content := range map[string][]byte{"doc": document, "root.pem": chain.RootPEM(), "other": []byte("outro"),
		"doc.p7s": chain.Person("FULANA DE TAL", now, nil).Sign(digest, cmstest.Switches{SignedAt: now})} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify := func(content string) (string, error) {
		cmd := exec.CommandContext(t.Context(), openssl, "cms", "-verify", "-binary", "-inform", "DER", "-in", "doc.p7s",
			"-content", content, "-CAfile", "root.pem", "-out", "out")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := verify("doc"); err != nil {
		t.Errorf("openssl: %v\n%s", err, out)
	}
	if out, err := verify("other"); err == nil {
		t.Errorf("openssl accepts another document: %s", out)
	}
}

func FuzzCheck(f *testing.F) {
	chain := cmstest.NewChain("A", at)
	person := chain.Person("FULANA DE TAL", at, nil)
	good := person.Sign(digest, cmstest.Switches{SignedAt: at})
	for _, s := range []cmstest.Switches{{}, {Without: true}, {NoAttrs: true}, {Content: document}, {Signers: 2}} {
		f.Add(person.Sign(digest, s))
	}
	f.Add(good)
	tr := trust(chain)
	f.Fuzz(func(t *testing.T, der []byte) {
		sig, err := cms.Check(der, digest, tr)
		if err == nil && !sig.Signer.Equal(person.Cert) {
			t.Error("somebody else signed")
		}
		if err != nil && fault.Of(err) == nil {
			t.Errorf("no fault: %v", err)
		}
	})
}
