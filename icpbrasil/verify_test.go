package icpbrasil_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"selo/fault"
	"selo/icpbrasil"
	"selo/icpbrasil/testca"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	chain := issue(t, testca.Order{Person: maria(), Company: acme(), Type: "A3"})
	path, err := icpbrasil.Verify(chain, ca().Roots(), now)
	if err != nil {
		t.Fatal(err)
	}
	certs := path.Certificates()
	if len(certs) != 3 || certs[0] != chain[0] || !certs[1].Equal(ca().Intermediate) || !certs[2].Equal(ca().Root) {
		t.Errorf("path %v", certs)
	}
	stranger := issue(t, testca.Order{Person: maria()})[0]
	jumbled := []*x509.Certificate{chain[0], ca().Root, stranger, ca().Intermediate}
	if _, err := icpbrasil.Verify(jumbled, ca().Roots(), now); err != nil {
		t.Errorf("others in any order: %v", err)
	}
	for _, at := range []time.Time{chain[0].NotBefore, chain[0].NotAfter} {
		if _, err := icpbrasil.Verify(chain, ca().Roots(), at); err != nil {
			t.Errorf("at %v, an end of its period: %v", at, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	good := issue(t, testca.Order{Person: maria()})
	foreign, err := testca.New(clock, "") // another authority of the same names
	if err != nil {
		t.Fatal(err)
	}
	forged, err := foreign.Issue(testca.Order{Person: maria(), Key: key().Key})
	if err != nil {
		t.Fatal(err)
	}
	critical := *good[0]
	critical.UnhandledCriticalExtensions = []asn1.ObjectIdentifier{{1, 2, 3}}
	silent := *good[0]
	silent.ExtKeyUsage = nil
	for _, c := range []struct {
		name  string
		chain []*x509.Certificate
		at    time.Time
		want  string
	}{
		{"nothing", nil, now, "invalid: icpbrasil.certificate.absent"},
		{"nil", []*x509.Certificate{nil}, now, "invalid: icpbrasil.certificate.absent"},
		{"too soon", issue(t, testca.Order{Person: maria(), From: now.Add(time.Minute)}), now,
			`forbidden: icpbrasil.not_yet inicio="20/11/2026 12:01"`},
		{"expired", issue(t, testca.Order{Person: maria(), Expired: true}), now,
			`forbidden: icpbrasil.expired fim="20/11/2026 11:00"`},
		{"no clientAuth", issue(t, testca.Order{Person: maria(), NoClientAuth: true}), now, "forbidden: icpbrasil.usage.client"},
		{"no usage at all", []*x509.Certificate{&silent, good[1]}, now, "forbidden: icpbrasil.usage.client"},
		{"no signature", issue(t, testca.Order{Person: maria(), NoSignature: true}), now, "forbidden: icpbrasil.usage.signature"},
		{"the authority itself", good[1:], now, "forbidden: icpbrasil.authority"},
		{"intermediate left out", good[:1], now, "forbidden: icpbrasil.chain.untrusted"},
		{"same names, other keys", forged.Chain, now, "forbidden: icpbrasil.chain.untrusted"},
		{"unknown critical extension", []*x509.Certificate{&critical, good[1]}, now, "forbidden: icpbrasil.chain.invalid"},
		{"outlived its authority", issue(t, testca.Order{Person: maria(), Until: now.AddDate(20, 0, 0)}), now.AddDate(15, 0, 0),
			`forbidden: icpbrasil.chain.expired autoridade="AC TESTE SEM VALOR"`},
		{"too long", repeat(good, 11), now, `forbidden: icpbrasil.chain.long limite="10"`},
	} {
		path, err := icpbrasil.Verify(c.chain, ca().Roots(), c.at)
		check(t, c.name, err, c.want)
		if len(path.Certificates()) > 0 {
			t.Errorf("%s: a path in spite of the fault", c.name)
		}
	}
}

// check compares a fault, without its cause, with how it reads; "" is none.
func check(t *testing.T, name string, err error, want string) {
	t.Helper()
	got := ""
	if f := fault.Of(err); f != nil {
		whole := *f
		whole.Cause = nil
		got = whole.Error()
	} else if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("%s:\n got %s (%v)\nwant %s", name, got, err, want)
	}
}

func repeat(chain []*x509.Certificate, size int) []*x509.Certificate {
	long := chain[:1:1]
	for len(long) < size {
		long = append(long, chain[1])
	}
	return long
}

// TestNothingByDefault checks that nothing missing is taken from the system.
func TestNothingByDefault(t *testing.T) {
	t.Parallel()
	chain := issue(t, testca.Order{Person: maria()})
	_, noRoots := icpbrasil.Verify(chain, nil, now)
	_, noTime := icpbrasil.Verify(chain, ca().Roots(), time.Time{})
	path, err := icpbrasil.Verify(chain, ca().Roots(), now)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"roots": noRoots, "time": noTime,
		"path":         icpbrasil.Path{}.CheckRevocation(nil, now),
		"time of list": path.CheckRevocation(nil, time.Time{}),
	} {
		if err == nil || fault.Of(err) != nil {
			t.Errorf("without %s: got %v, want an internal error", name, err)
		}
	}
}

// revocation is an authority with one good and one revoked holder.
type revocation struct {
	ca            *testca.Authority
	at            *time.Time // where the authority's clock stands
	good, revoked icpbrasil.Path
}

func newRevocation(t *testing.T) revocation {
	t.Helper()
	at := now
	a, err := testca.New(func() time.Time { return at }, "")
	if err != nil {
		t.Fatal(err)
	}
	r := revocation{ca: a, at: &at}
	for _, path := range []*icpbrasil.Path{&r.good, &r.revoked} {
		issued, err := a.Issue(testca.Order{Person: maria(), Key: key().Key})
		if err != nil {
			t.Fatal(err)
		}
		if *path, err = icpbrasil.Verify(issued.Chain, a.Roots(), now); err != nil {
			t.Fatal(err)
		}
	}
	a.Revoke(r.revoked.Certificates()[0])
	return r
}

func lists(t *testing.T, a *testca.Authority) (root, intermediate *x509.RevocationList) {
	t.Helper()
	rootDER, interDER, err := a.Lists()
	if err != nil {
		t.Fatal(err)
	}
	if root, err = icpbrasil.ParseCRL(rootDER); err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: interDER})
	if intermediate, err = icpbrasil.ParseCRL(text); err != nil {
		t.Fatal(err)
	}
	return root, intermediate
}

func TestCheckRevocation(t *testing.T) {
	t.Parallel()
	r := newRevocation(t)
	root, inter := lists(t, r.ca)
	other := newRevocation(t)
	_, forged := lists(t, other.ca) // same name of issuer, other key
	extra := []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true}}
	partial, indirect := *inter, *inter // the signature is over what was read
	partial.Extensions = extra
	indirect.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(1), Extensions: extra}}
	endless := *inter
	endless.NextUpdate = time.Time{}
	later := now.Add(7 * time.Hour)
	type set = []*x509.RevocationList
	for _, c := range []struct {
		name string
		path icpbrasil.Path
		crls set
		at   time.Time
		want string
	}{
		{"good", r.good, set{root, inter}, now, ""},
		{"good, lists of others too", r.good, set{nil, forged, inter, root}, now, ""},
		{"good, to the last moment", r.good, set{root, inter}, now.Add(6*time.Hour - time.Second), ""},
		{"revoked", r.revoked, set{root, inter}, now, `forbidden: icpbrasil.revoked data="20/11/2026"`},
		{"revoked, list expired", r.revoked, set{root, inter}, later, `forbidden: icpbrasil.revoked data="20/11/2026"`},
		{"revoked, no list of the root", r.revoked, set{inter}, now, `forbidden: icpbrasil.revoked data="20/11/2026"`},
		{"no lists", r.good, nil, now, `unavailable: icpbrasil.crl.missing autoridade="AC TESTE SEM VALOR"`},
		{"no list of the root", r.good, set{inter}, now,
			`unavailable: icpbrasil.crl.missing autoridade="Autoridade Certificadora Raiz TESTE SEM VALOR"`},
		{"forged", r.good, set{root, forged}, now, `unavailable: icpbrasil.crl.forged autoridade="AC TESTE SEM VALOR"`},
		{"expired", r.good, set{root, inter}, later,
			`unavailable: icpbrasil.crl.expired autoridade="AC TESTE SEM VALOR" fim="20/11/2026 18:00"`},
		{"of the future", r.good, set{root, inter}, now.Add(-time.Minute),
			`unavailable: icpbrasil.crl.future autoridade="AC TESTE SEM VALOR" inicio="20/11/2026 12:00"`},
		{"part of a list", r.good, set{root, &partial}, now, `unavailable: icpbrasil.crl.unsupported autoridade="AC TESTE SEM VALOR"`},
		{"list of many issuers", r.good, set{root, &indirect}, now, `unavailable: icpbrasil.crl.unsupported autoridade="AC TESTE SEM VALOR"`},
		{"endless", r.good, set{root, &endless}, now, `unavailable: icpbrasil.crl.unsupported autoridade="AC TESTE SEM VALOR"`},
	} {
		check(t, c.name, c.path.CheckRevocation(c.crls, c.at), c.want)
	}
	*r.at = now.Add(time.Minute)
	r.ca.Revoke(r.ca.Intermediate)
	newer, _ := lists(t, r.ca) // the newest one counts, wherever it stands
	check(t, "authority revoked", r.good.CheckRevocation(set{newer, root, inter}, now),
		`forbidden: icpbrasil.chain.revoked autoridade="AC TESTE SEM VALOR" data="20/11/2026"`)
	check(t, "authority revoked, no list of its own", r.good.CheckRevocation(set{root, newer}, now),
		`forbidden: icpbrasil.chain.revoked autoridade="AC TESTE SEM VALOR" data="20/11/2026"`)
}

func TestParseCRLRefuses(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"nothing":       nil,
		"text":          []byte("<html>Not found</html>"),
		"a certificate": ca().Root.Raw,
		"another PEM":   ca().PEM(),
	} {
		if crl, err := icpbrasil.ParseCRL(data); crl != nil || !fault.HasKey(err, "icpbrasil.crl.malformed") {
			t.Errorf("%s: got %v, %v", name, crl, err)
		}
	}
	if crl, err := icpbrasil.ParseCRL(make([]byte, 64<<20+1)); crl != nil || !fault.HasKey(err, "icpbrasil.crl.size") {
		t.Errorf("too large: got %v, %v", crl, err)
	}
}
