// Package testca is a certification authority for tests: root, intermediate, and
// e-CPF and e-CNPJ as section 7.1 of DOC-ICP-04 v8.1 lays them out, with switches
// for everything odd that is seen in practice.
//
// Nobody can take its certificates for real ones: the organisation and the common
// name of each, the authorities' too, say TESTE SEM VALOR, every authority makes
// keys of its own that exist nowhere else, and addresses are under .invalid unless
// the caller has others. Policies lie in ICP-Brasil's arc, so that software finds
// the type where it looks for it, under the number [Issuer], which nobody has.
// Trust never comes from a name or a policy: whoever trusts such an authority put
// its root in a trust store by hand, and should do so in tests only.
//
// Certificates and keys come out in PEM; "openssl pkcs12 -export" makes of them
// what browsers import. Nothing is kept: an authority ends with the process.
package testca

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"
)

const (
	// Mark stands in the organisation and the common name of every certificate.
	Mark = "TESTE SEM VALOR"
	// Issuer is the last number of every policy: 2.16.76.1.2.1.999999 for an A1.
	Issuer = 999999

	organisation = "ICP-Brasil " + Mark
	defaultBase  = "http://icp-brasil.teste.invalid"

	rootLife     = 13 * 365 * 24 * time.Hour
	rootListLife = 90 * 24 * time.Hour
	listLife     = 6 * time.Hour // DOC-ICP-05: of an authority that issues to holders
	keyBits      = 2048
)

// Authority is a root and the intermediate that issues. It is safe for concurrent use.
type Authority struct {
	Root, Intermediate *x509.Certificate

	rootKey, key crypto.Signer
	now          func() time.Time
	base         string

	mu      sync.Mutex
	lists   int64 // how many revocation lists were made
	revoked []x509.RevocationListEntry
	fallen  []x509.RevocationListEntry // the intermediate, when it is revoked
}

// New makes an authority with keys of its own. It reads the time from now. The
// certificates name lists and issuer below base, "https://host/path"; empty, an
// address that never exists.
func New(now func() time.Time, base string) (*Authority, error) {
	a := &Authority{now: now, base: base}
	if base == "" {
		a.base = defaultBase
	}
	var err error
	if a.rootKey, err = NewKey(); err != nil {
		return nil, err
	}
	if a.key, err = NewKey(); err != nil {
		return nil, err
	}
	root := a.authority("Autoridade Certificadora Raiz "+Mark, 1)
	if a.Root, err = sign(root, root, a.rootKey.Public(), a.rootKey); err != nil {
		return nil, fmt.Errorf("make root: %w", err)
	}
	intermediate := a.authority("AC "+Mark, 0)
	a.pointTo(intermediate, "raiz")
	if a.Intermediate, err = sign(intermediate, a.Root, a.key.Public(), a.rootKey); err != nil {
		return nil, fmt.Errorf("make intermediate: %w", err)
	}
	return a, nil
}

// NewKey makes a key as those of ICP-Brasil's holders are: RSA of 2048 bits.
func NewKey() (crypto.Signer, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return key, nil
}

// authority describes a certificate of an authority with below more beneath it.
func (a *Authority) authority(name string, below int) *x509.Certificate {
	return &x509.Certificate{
		RawSubject: subject(name, "Autoridade de teste"),
		NotBefore:  a.now().Add(-time.Hour), NotAfter: a.now().Add(rootLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLen: below, MaxPathLenZero: below == 0,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// subject writes the name, an element each for country, organisation, units and
// common name, in this order; pkix.Name would put the units into one.
func subject(name string, units ...string) []byte {
	type attribute struct {
		last  int // of 2.5.4
		value string
	}
	list := []attribute{{6, "BR"}, {10, organisation}}
	for _, unit := range units {
		list = append(list, attribute{11, unit})
	}
	list = append(list, attribute{3, name})
	var sequence pkix.RDNSequence
	for _, at := range list {
		id := asn1.ObjectIdentifier{2, 5, 4, at.last}
		sequence = append(sequence, pkix.RelativeDistinguishedNameSET{{Type: id, Value: strings.ToValidUTF8(at.value, "?")}})
	}
	der, err := asn1.Marshal(sequence)
	if err != nil {
		panic("testca: write name: " + err.Error()) // valid UTF-8 is always written
	}
	return der
}

// pointTo names two places for the issuer's list and one for its certificate.
func (a *Authority) pointTo(cert *x509.Certificate, issuer string) {
	cert.CRLDistributionPoints = []string{a.base + "/lcr/" + issuer + ".crl", a.base + "/lcr2/" + issuer + ".crl"}
	cert.IssuingCertificateURL = []string{a.base + "/" + issuer + ".cer"}
}

// sign gives the certificate a random serial number and signs it.
func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// Roots is the trust store of a test.
func (a *Authority) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Root)
	return pool
}

// PEM returns the root and the intermediate, for the trust stores of other programs.
func (a *Authority) PEM() []byte { return encode(a.Root, a.Intermediate) }

func encode(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, cert := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	}
	return out
}

// Revoke puts a certificate of this authority, the intermediate too, on every
// list made from now on.
func (a *Authority) Revoke(cert *x509.Certificate) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry := x509.RevocationListEntry{SerialNumber: cert.SerialNumber, RevocationTime: a.now(), ReasonCode: 1} // keyCompromise
	if cert.Equal(a.Intermediate) {
		a.fallen = append(a.fallen, entry)
		return
	}
	a.revoked = append(a.revoked, entry)
}

// Lists makes the revocation lists of the root and of the intermediate, in DER, as
// of now. The root's holds for 90 days, the intermediate's for 6 hours.
func (a *Authority) Lists() (root, intermediate []byte, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if root, err = a.list(a.Root, a.rootKey, a.fallen, rootListLife); err != nil {
		return nil, nil, err
	}
	intermediate, err = a.list(a.Intermediate, a.key, a.revoked, listLife)
	return root, intermediate, err
}

func (a *Authority) list(issuer *x509.Certificate, key crypto.Signer, entries []x509.RevocationListEntry, life time.Duration) ([]byte, error) {
	a.lists++
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(a.lists), ThisUpdate: a.now(), NextUpdate: a.now().Add(life), RevokedCertificateEntries: entries,
	}, issuer, key)
	if err != nil {
		return nil, fmt.Errorf("make revocation list of %s: %w", issuer.Subject.CommonName, err)
	}
	return der, nil
}
