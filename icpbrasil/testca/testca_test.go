package testca_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"selo/icpbrasil"
	"selo/icpbrasil/testca"
)

var now = time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)

func newAuthority(t *testing.T, base string) *testca.Authority {
	t.Helper()
	a, err := testca.New(func() time.Time { return now }, base)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t *testing.T, a *testca.Authority, o testca.Order) *testca.Issued {
	t.Helper()
	issued, err := a.Issue(o)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

// TestNobodyTakesItForReal looks at everything that a person or a trust store
// would tell an authority by.
func TestNobodyTakesItForReal(t *testing.T) {
	t.Parallel()
	a, b := newAuthority(t, ""), newAuthority(t, "https://simulador.exemplo.invalid/icp")
	long := icpbrasil.Person{CPF: "52998224725", Name: strings.Repeat("CONCEIÇÃO ", 9)}
	person := issue(t, a, testca.Order{Person: long})
	company := issue(t, b, testca.Order{Person: long, Company: &icpbrasil.Company{CNPJ: "12ABC34501DE35", Name: strings.Repeat("É", 70)}, Key: person.Key})
	for _, cert := range []*x509.Certificate{a.Root, a.Intermediate, person.Chain[0], company.Chain[0]} {
		if organisation := cert.Subject.Organization; len(organisation) != 1 || !strings.Contains(organisation[0], testca.Mark) {
			t.Errorf("organisation %q", organisation)
		}
		if cn := cert.Subject.CommonName; !strings.Contains(cn, testca.Mark) || len(cn) > 64 {
			t.Errorf("common name %q", cn)
		}
		for _, address := range slices.Concat(cert.CRLDistributionPoints, cert.IssuingCertificateURL) {
			if !strings.Contains(address, ".invalid/") {
				t.Errorf("%s names %s", cert.Subject, address)
			}
		}
	}
	if bytes.Equal(a.Root.RawSubjectPublicKeyInfo, b.Root.RawSubjectPublicKeyInfo) {
		t.Error("two authorities share a key")
	}
	if got := company.Chain[0].CRLDistributionPoints[0]; got != "https://simulador.exemplo.invalid/icp/lcr/ac.crl" {
		t.Errorf("list at %s", got)
	}
	if got, want := person.Chain[0].Subject.CommonName, "TESTE SEM VALOR CONCEIÇÃO CONCEIÇÃO CONCEIÇÃO:52998224725"; got != want {
		t.Errorf("common name %q, want %q", got, want)
	}
	for _, oid := range person.Chain[0].Policies {
		if !strings.HasSuffix(oid.String(), ".999999") {
			t.Errorf("policy %s", oid)
		}
	}
}

// TestSubject checks that the name has one element for each part, as ICP-Brasil writes it.
func TestSubject(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "")
	cert := issue(t, a, testca.Order{Person: icpbrasil.Person{CPF: "52998224725", Name: "MARIA \xff"}, Type: "A3"}).Chain[0]
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(cert.RawSubject, &name); err != nil || len(rest) > 0 {
		t.Fatal(err)
	}
	const want = "CN=TESTE SEM VALOR MARIA ?:52998224725,OU=RFB e-CPF A3,OU=videoconferencia," +
		"OU=11222333000181,OU=AC TESTE SEM VALOR,O=ICP-Brasil TESTE SEM VALOR,C=BR"
	if got := name.String(); got != want {
		t.Errorf("subject %s, want %s", got, want)
	}
}

func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "")
	bad := func([]testca.Name) []testca.Name { return []testca.Name{{OID: "no number"}} }
	for _, o := range []testca.Order{{Type: "A5"}, {Edit: bad}} {
		if issued, err := a.Issue(o); err == nil {
			t.Errorf("%+v: issued %v", o, issued)
		}
	}
}

// TestMutualTLS signs in as a browser does: with what PEM returns, against a
// server that trusts the test's root.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "")
	holder := issue(t, a, testca.Order{Person: icpbrasil.Person{CPF: "11144477735", Name: "JOÃO"}, Type: "A3"})
	chain, key, err := holder.PEM()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	client := tls.Client(near, &tls.Config{
		Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true,
		Time: func() time.Time { return now },
	})
	server := tls.Server(far, &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert,
		SessionTicketsDisabled: true, Time: func() time.Time { return now },
	})
	failed := make(chan error, 1)
	go func() { failed <- client.Handshake() }()
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	sent := server.ConnectionState().PeerCertificates
	if _, err := icpbrasil.Verify(sent, a.Roots(), now); err != nil {
		t.Fatal(err)
	}
	id, err := icpbrasil.Parse(sent[0])
	if err != nil {
		t.Fatal(err)
	}
	if cpf, err := id.ActingCPF(); cpf != "11144477735" || err != nil {
		t.Errorf("signed in as %q, %v", cpf, err)
	}
}

func TestPEMHoldsTheAuthorities(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "")
	rest := a.PEM()
	for _, want := range []*x509.Certificate{a.Root, a.Intermediate} {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || !slices.Equal(block.Bytes, want.Raw) {
			t.Errorf("%s is not there", want.Subject)
		}
	}
	if len(rest) > 0 {
		t.Errorf("%d bytes more", len(rest))
	}
}
