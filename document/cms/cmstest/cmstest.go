// Package cmstest makes signatures for tests: a chain of three authorities and
// detached CMS over a digest, as gov.br's signature service gives them (SHA-256
// with RSA, one signer, contentType and messageDigest signed), with switches for
// what must be refused.
//
// Its certificates say TESTE SEM VALOR and its keys exist nowhere else.
package cmstest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"slices"
	"sync"
	"time"
)

// Chain is root, intermediate and issuing authority.
type Chain struct {
	Authorities []*x509.Certificate // the root first
	keys        []*ecdsa.PrivateKey

	mu     sync.Mutex
	serial int64
}

// The keys of a process: the authorities', quick to make, and two people's.
var (
	authorities = sync.OnceValue(func() []*ecdsa.PrivateKey {
		var list []*ecdsa.PrivateKey
		for range 3 {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				panic(err)
			}
			list = append(list, key)
		}
		return list
	})
	holder   = sync.OnceValue(newKey)
	stranger = sync.OnceValue(newKey)
)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// NewChain makes authorities that are in force for ten years around at. Chains
// of other names do not trust each other, though their keys are the same.
func NewChain(name string, at time.Time) *Chain {
	c := &Chain{keys: authorities()}
	parent, key := (*x509.Certificate)(nil), c.keys[0]
	for i, rank := range []string{"Raiz", "Intermediaria", "Final"} {
		t := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: "AC " + rank + " " + name + " TESTE SEM VALOR", Organization: []string{"TESTE SEM VALOR"}},
			NotBefore: at.AddDate(-5, 0, 0), NotAfter: at.AddDate(5, 0, 0), IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
		if parent == nil {
			parent = t
		}
		made := c.make(t, parent, c.keys[i].Public(), key)
		c.Authorities = append(c.Authorities, made)
		parent, key = made, c.keys[i]
	}
	c.serial = 100
	return c
}

func (c *Chain) make(t, parent *x509.Certificate, public crypto.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, public, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cert
}

// Roots trusts the root.
func (c *Chain) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(c.Authorities[0])
	return pool
}

// RootPEM is for programs that are not Go.
func (c *Chain) RootPEM() []byte { return PEM(c.Authorities[0]) }

// PEM encodes certificates.
func PEM(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, cert := range certs {
		if err := pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

// Holder is a person who can sign.
type Holder struct {
	Cert  *x509.Certificate
	chain *Chain
	key   *rsa.PrivateKey
}

// Person issues a certificate to a person; edit, which may be nil, changes it first.
func (c *Chain) Person(name string, from time.Time, edit func(*x509.Certificate)) *Holder {
	c.mu.Lock()
	c.serial++
	serial := c.serial
	c.mu.Unlock()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name, Organization: []string{"TESTE SEM VALOR"}},
		NotBefore: from.Add(-time.Hour), NotAfter: from.AddDate(1, 0, 0), BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection},
	}
	if edit != nil {
		edit(t)
	}
	key := holder()
	return &Holder{Cert: c.make(t, c.Authorities[2], key.Public(), c.keys[2]), chain: c, key: key}
}

// Named makes the extension that holds otherName values of ICP-Brasil's kind.
func Named(values map[string]string) pkix.Extension {
	type otherName struct {
		ID    asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	var names []asn1.RawValue
	for dotted, text := range values {
		var id asn1.ObjectIdentifier
		for _, part := range bytes.Split([]byte(dotted), []byte(".")) {
			n, ok := new(big.Int).SetString(string(part), 10)
			if !ok {
				panic(dotted)
			}
			id = append(id, int(n.Int64()))
		}
		der := must(asn1.MarshalWithParams(otherName{id, wrap(asn1.ClassContextSpecific, 0, must(asn1.Marshal([]byte(text))))}, "tag:0"))
		names = append(names, asn1.RawValue{FullBytes: der})
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: must(asn1.Marshal(names))}
}

// Switches make a signature odd; the zero value makes a good one.
type Switches struct {
	Without   bool                  // the authorities' certificates
	Anonymous bool                  // no certificate at all
	Content   []byte                // inside the signature
	NoDigest  bool                  // no messageDigest
	NoAttrs   bool                  // no signed attributes: the digest's own signature
	Twice     bool                  // messageDigest twice
	Signers   int                   // how many; zero is one
	SHA1      bool                  // as the digest's algorithm
	OtherKey  bool                  // signed by a key that is not the certificate's
	ContentIs asn1.ObjectIdentifier // instead of data
	SignedAt  time.Time             // zero: no signingTime
}

var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidType       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidDigest     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidTime       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidSHA256     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA1       = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidRSA        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
)

type algorithm struct {
	Algorithm  asn1.ObjectIdentifier
	Parameters asn1.RawValue `asn1:"optional"`
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

type signerInfo struct {
	Version   int
	Issuer    issuer
	Digest    algorithm
	Attrs     asn1.RawValue `asn1:"optional"`
	Algorithm algorithm
	Signature []byte
}

type issuer struct {
	Name   asn1.RawValue
	Serial *big.Int
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"optional"`
}

type signedData struct {
	Version int
	Digests []algorithm `asn1:"set"`
	Content contentInfo
	Certs   asn1.RawValue `asn1:"optional"`
	Signers []signerInfo  `asn1:"set"`
}

func must(der []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return der
}

// wrap makes an element of a class and tag around content.
func wrap(class, tag int, content []byte) asn1.RawValue {
	return asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: content}
}

// Sign makes a detached CMS over a digest.
func (h *Holder) Sign(digest [32]byte, s Switches) []byte {
	digestID, hash := oidSHA256, crypto.SHA256
	if s.SHA1 {
		digestID = oidSHA1
	}
	null := asn1.RawValue{Tag: asn1.TagNull}
	info := signerInfo{Version: 1, Issuer: issuer{asn1.RawValue{FullBytes: h.Cert.RawIssuer}, h.Cert.SerialNumber},
		Digest: algorithm{digestID, null}, Algorithm: algorithm{oidRSA, null}}
	toSign := digest[:]
	if !s.NoAttrs {
		attrs := h.attributes(digest, s)
		info.Attrs = wrap(asn1.ClassContextSpecific, 0, attrs)
		sum := sha256.Sum256(must(asn1.Marshal(wrap(asn1.ClassUniversal, asn1.TagSet, attrs))))
		toSign = sum[:]
	}
	key := h.key
	if s.OtherKey {
		key = stranger()
	}
	var err error
	if info.Signature, err = rsa.SignPKCS1v15(rand.Reader, key, hash, toSign); err != nil {
		panic(err)
	}
	data := signedData{Version: 1, Digests: []algorithm{{digestID, null}}, Content: contentInfo{Type: oidData},
		Signers: slices.Repeat([]signerInfo{info}, max(s.Signers, 1))}
	if s.Content != nil {
		data.Content.Content = wrap(asn1.ClassContextSpecific, 0, must(asn1.Marshal(s.Content)))
	}
	if !s.Anonymous {
		certs := slices.Clone(h.Cert.Raw)
		if !s.Without {
			certs = append(append(certs, h.chain.Authorities[2].Raw...), h.chain.Authorities[1].Raw...)
		}
		data.Certs = wrap(asn1.ClassContextSpecific, 0, certs)
	}
	return must(asn1.Marshal(contentInfo{oidSignedData, wrap(asn1.ClassContextSpecific, 0, must(asn1.Marshal(data)))}))
}

// attributes returns the content of the SET of signed attributes, in DER order.
func (h *Holder) attributes(digest [32]byte, s Switches) []byte {
	content := oidData
	if s.ContentIs != nil {
		content = s.ContentIs
	}
	value := func(v any) []asn1.RawValue { return []asn1.RawValue{{FullBytes: must(asn1.Marshal(v))}} }
	list := [][]byte{must(asn1.Marshal(attribute{oidType, value(content)}))}
	if !s.NoDigest {
		list = append(list, must(asn1.Marshal(attribute{oidDigest, value(digest[:])})))
	}
	if s.Twice {
		list = append(list, must(asn1.Marshal(attribute{oidDigest, value(make([]byte, 32))})))
	}
	if !s.SignedAt.IsZero() {
		list = append(list, must(asn1.Marshal(attribute{oidTime, value(s.SignedAt.UTC())})))
	}
	slices.SortFunc(list, bytes.Compare)
	return slices.Concat(list...)
}
