package govbrsim

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"selo/brasil"
)

// mark stands in the organisation of every certificate that is made here.
const mark = "TESTE SEM VALOR"

// The names of the three authorities. They are not the real ones' (observed): nobody
// shall take the one for the other in a trust store.
var authorityNames = [3]string{"raiz", "intermediaria", "final"}

// govCA is the authority of the simulated Assinatura gov.br: root, intermediate,
// and the final one that issues to people. It is never changed.
type govCA struct {
	certs [3]*x509.Certificate // the root first
	keys  [3]*rsa.PrivateKey
}

// The authorities are in force for as long as any world's clock may reasonably show.
var (
	authorityFrom  = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)
	authorityUntil = time.Date(2070, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// newGovCA makes an authority with keys of its own. base is where its lists are.
func newGovCA(base string, newKey func() (*rsa.PrivateKey, error)) (*govCA, error) {
	ca := &govCA{}
	for i, name := range authorityNames {
		key, err := newKey()
		if err != nil {
			return nil, fmt.Errorf("make key of authority: %w", err)
		}
		ca.keys[i] = key
		template := &x509.Certificate{
			Subject: pkix.Name{Country: []string{"BR"}, Organization: []string{"Simulador govbr-sim " + mark},
				CommonName: "AC " + name + " do simulador " + mark},
			NotBefore: authorityFrom, NotAfter: authorityUntil, IsCA: true, BasicConstraintsValid: true,
			MaxPathLen: 2 - i, MaxPathLenZero: i == 2, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
		parent, signer := template, key
		if i > 0 {
			parent, signer = ca.certs[i-1], ca.keys[i-1]
			pointTo(template, base, authorityNames[i-1])
		}
		if ca.certs[i], err = signCertificate(template, parent, key, signer); err != nil {
			return nil, fmt.Errorf("make authority %s: %w", name, err)
		}
	}
	return ca, nil
}

// pointTo names the list and the chain of the authority that issues.
func pointTo(cert *x509.Certificate, base, issuer string) {
	cert.CRLDistributionPoints = []string{base + "/sim/assinatura/lcr/" + issuer + ".crl"}
	cert.IssuingCertificateURL = []string{base + "/sim/assinatura/cadeia.p7b"}
}

// signCertificate gives a certificate a random serial number and signs it.
func signCertificate(template, parent *x509.Certificate, holder, signer *rsa.PrivateKey) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &holder.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func newRSAKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, keyBits) }

// pem is the chain for the trust stores of other programs, the root first.
func (ca *govCA) pem() []byte { return certificatePEM(ca.certs[:]...) }

func certificatePEM(certs ...*x509.Certificate) []byte {
	var out bytes.Buffer
	for _, cert := range certs {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	}
	return out.Bytes()
}

// list is the revocation list of one authority as of now. Nothing is revoked.
func (ca *govCA) list(name string, now time.Time) ([]byte, error) {
	for i, known := range authorityNames {
		if name == known+".crl" {
			return x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(now.Unix()),
				ThisUpdate: now, NextUpdate: now.Add(24 * time.Hour)}, ca.certs[i], ca.keys[i])
		}
	}
	return nil, nil
}

// profile is all that a person's certificate depends on; it is a map key.
type profile struct {
	cpf     brasil.CPF
	name    string
	email   string
	born    brasil.Date
	place   cpfPlace
	foreign bool // names the final authority, but is not signed by it
	expired bool
}

// cpfPlace is where a certificate has the CPF: public code contradicts itself
// about the real ones (observed). The zero value is the otherName 2.16.76.1.3.1.
type cpfPlace string

const (
	cpfInName  cpfPlace = "cn"
	cpfNowhere cpfPlace = "nenhum"
)

// holder is a person who can sign. It is never changed.
type holder struct {
	cert  *x509.Certificate
	chain []*x509.Certificate // of those who issued, nearest first, without the root
	key   *rsa.PrivateKey
}

// inForce tells whether the certificate holds at that moment.
func (h *holder) inForce(at time.Time) bool {
	return !at.Before(h.cert.NotBefore) && at.Before(h.cert.NotAfter)
}

// certificateLife is about a year, as observed.
const certificateLife = 365 * 24 * time.Hour

// issue makes a person's certificate: key usage, extended key usage and names as
// observed, in the profile's odd form if there is one. base is that of the world.
func (ca *govCA) issue(p profile, key *rsa.PrivateKey, base string, now time.Time) (*holder, error) {
	san, err := p.names()
	if err != nil {
		return nil, err
	}
	// The arc of gov.br's policies, and a last number that nobody has.
	policy, err := x509.OIDFromInts([]uint64{2, 16, 76, 3, 2, 1, 999999})
	if err != nil {
		return nil, err
	}
	name := p.name
	if p.place == cpfInName {
		name = cutBytes(p.name, 52) + ":" + string(p.cpf)
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{Country: []string{"BR"}, Organization: []string{"Simulador govbr-sim " + mark}, CommonName: cutBytes(name, 64)},
		NotBefore: now.Add(-time.Hour).UTC(), NotAfter: now.Add(certificateLife).UTC(), BasicConstraintsValid: true,
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtKeyUsage:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection},
		Policies:        []x509.OID{policy},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: san}},
	}
	if p.expired {
		template.NotBefore, template.NotAfter = now.Add(-certificateLife).UTC(), now.Add(-24*time.Hour).UTC()
	}
	pointTo(template, base, authorityNames[2])
	parent, signer := ca.certs[2], ca.keys[2]
	if p.foreign { // a parent of the same name, with another key
		parent, signer = &x509.Certificate{RawSubject: parent.RawSubject, SubjectKeyId: parent.SubjectKeyId}, key
	}
	cert, err := signCertificate(template, parent, key, signer)
	if err != nil {
		return nil, fmt.Errorf("issue certificate: %w", err)
	}
	return &holder{cert: cert, chain: []*x509.Certificate{ca.certs[2], ca.certs[1]}, key: key}, nil
}

// names is the subject alternative name: three otherName and the e-mail.
func (p profile) names() ([]byte, error) {
	born := "00000000"
	if !p.born.IsZero() {
		born = strings.ReplaceAll(p.born.Brazilian(), "/", "")
	}
	cpf := string(p.cpf)
	if p.place != "" {
		cpf = strings.Repeat("0", 11) // not known, as ICP-Brasil writes it
	}
	var list []asn1.RawValue
	for _, field := range []struct {
		last int // of 2.16.76.1.3
		text string
	}{{1, born + cpf + strings.Repeat("0", 11+15)}, {6, strings.Repeat("0", 12)}, {5, strings.Repeat("0", 19)}} {
		value, err := asn1.Marshal([]byte(field.text))
		if err != nil {
			return nil, err
		}
		der, err := asn1.MarshalWithParams(struct {
			ID    asn1.ObjectIdentifier
			Value asn1.RawValue
		}{asn1.ObjectIdentifier{2, 16, 76, 1, 3, field.last}, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: value}}, "tag:0")
		if err != nil {
			return nil, err
		}
		list = append(list, asn1.RawValue{FullBytes: der})
	}
	if p.email != "" {
		list = append(list, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, Bytes: []byte(p.email)})
	}
	return asn1.Marshal(list)
}

// cutBytes shortens s to at most limit characters (RFC 5280, ub-common-name).
func cutBytes(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:limit]))
}

// savedAuthority is the authority as the state file keeps it: signatures of
// before a restart still lead to a known root.
type savedAuthority struct {
	Certs [][]byte `json:"certificados"` // DER, the root first
	Keys  [][]byte `json:"chaves"`       // PKCS #1
}

func (ca *govCA) saved() *savedAuthority {
	if ca == nil {
		return nil
	}
	out := &savedAuthority{}
	for i := range ca.certs {
		out.Certs = append(out.Certs, ca.certs[i].Raw)
		out.Keys = append(out.Keys, x509.MarshalPKCS1PrivateKey(ca.keys[i]))
	}
	return out
}

var errAuthority = errors.New("three certificates and their keys are needed")

// restored reads an authority; nil is none yet.
func (a *savedAuthority) restored() (*govCA, error) {
	if a == nil {
		return nil, nil //nolint:nilnil // it is made when it is needed
	}
	ca := &govCA{}
	if len(a.Certs) != len(ca.certs) || len(a.Keys) != len(ca.keys) {
		return nil, errAuthority
	}
	for i := range ca.certs {
		var wrongCert, wrongKey error
		ca.certs[i], wrongCert = x509.ParseCertificate(a.Certs[i])
		ca.keys[i], wrongKey = x509.ParsePKCS1PrivateKey(a.Keys[i])
		if err := cmp.Or(wrongCert, wrongKey); err != nil {
			return nil, err
		}
		if !ca.keys[i].PublicKey.Equal(ca.certs[i].PublicKey) {
			return nil, errAuthority
		}
	}
	return ca, nil
}

// authority makes the authority when it is first needed.
func (s *Server) authority() (*govCA, error) {
	s.caMu.Lock()
	defer s.caMu.Unlock()
	if s.ca == nil {
		made, err := newGovCA(s.base(), s.newKey)
		if err != nil {
			return nil, err
		}
		s.ca, s.caNew = made, true
	}
	return s.ca, nil
}
