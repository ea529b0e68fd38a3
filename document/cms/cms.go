// Package cms checks detached signatures in CMS, the format of .p7s files and of
// signatures inside PDFs (RFC 5652, once PKCS #7).
//
// Check promises that one person's certificate, leading to a root the caller
// gave, signed exactly this SHA-256 digest. It accepts one signer, signed
// attributes, SHA-256, and RSA of at least 2048 bits or ECDSA; whatever is else
// is refused, not ignored. It asks no network and reads no clock: whether a
// certificate was revoked is not looked at.
//
// Reading is smallstep/pkcs7's; only a digest is needed here, never the document.
package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/smallstep/pkcs7"

	"selo/fault"
)

// MaxSize is the largest signature, in bytes, that is looked at. One with four
// certificates has about 8 KiB.
const MaxSize = 128 << 10

const (
	maxCertificates = 16
	minRSABits      = 2048
)

// Signature is one that holds.
type Signature struct {
	Signer *x509.Certificate
	// Path leads from the signer to a root, both included.
	Path []*x509.Certificate
	// SignedAt is when the signer says to have signed, in UTC; nobody else has
	// confirmed it. Zero when the signature does not say.
	SignedAt time.Time
}

// Trust is whom a check believes.
type Trust struct {
	Roots         *x509.CertPool
	Intermediates []*x509.Certificate // for signatures that do not bring theirs
	At            time.Time           // when the certificates must be in force
}

// Check verifies that der is a detached signature over that digest.
//
// Faults, all Invalid but the last: cms.size, cms.malformed, cms.attached (it
// holds a document of its own), cms.signers (not exactly one, or without
// certificate), cms.algorithm, cms.digest (it signs something else),
// cms.signature (it does not verify), cms.usage (the certificate is not for
// signing), and Forbidden cms.untrusted. Without roots or time the error is no
// fault: the standard library would take the system's in their place.
func Check(der []byte, digest [32]byte, trust Trust) (sig Signature, err error) {
	if trust.Roots == nil || trust.At.IsZero() {
		return Signature{}, errors.New("check signature: no roots or no time")
	}
	p7, err := parse(der)
	if err != nil {
		return Signature{}, err
	}
	if len(p7.Content) > 0 {
		return Signature{}, fault.New(fault.Invalid, "cms.attached")
	}
	signer := p7.GetOnlySigner()
	if signer == nil || len(p7.Certificates) > maxCertificates {
		return Signature{}, fault.New(fault.Invalid, "cms.signers")
	}
	if err := checkAttributes(p7); err != nil {
		return Signature{}, err
	}
	if !strongKey(signer) {
		return Signature{}, fault.New(fault.Invalid, "cms.algorithm")
	}
	p7.Hasher = known(digest)
	if err := p7.VerifyWithChainAtTime(nil, trust.At); err != nil {
		var other *pkcs7.MessageDigestMismatchError
		var late *pkcs7.SigningTimeNotValidError
		switch {
		case errors.As(err, &other):
			return Signature{}, fault.New(fault.Invalid, "cms.digest")
		case errors.As(err, &late):
			return Signature{}, fault.New(fault.Forbidden, "cms.untrusted").Because(errors.New("it says to be made when the certificate was not in force"))
		}
		return Signature{}, fault.New(fault.Invalid, "cms.signature").Because(errors.New("the signature over the attributes does not verify"))
	}
	if signer.IsCA || signer.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return Signature{}, fault.New(fault.Invalid, "cms.usage")
	}
	sig = Signature{Signer: signer}
	if p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeSigningTime, &sig.SignedAt) != nil {
		sig.SignedAt = time.Time{}
	}
	sig.SignedAt = sig.SignedAt.UTC()
	sig.Path, err = path(signer, p7.Certificates, trust)
	return sig, err
}

// Certificates returns those that a signature brings, the signer's among them,
// without believing any of it. Faults: cms.size, cms.malformed.
func Certificates(der []byte) ([]*x509.Certificate, error) {
	p7, err := parse(der)
	if err != nil {
		return nil, err
	}
	return p7.Certificates, nil
}

// parse reads one whole DER element. The library also takes BER, and has bytes
// behind the end go by; neither is what a signature service gives.
func parse(der []byte) (p7 *pkcs7.PKCS7, err error) {
	if len(der) == 0 || len(der) > MaxSize {
		return nil, fault.New(fault.Invalid, "cms.size")
	}
	malformed := fault.New(fault.Invalid, "cms.malformed")
	var whole asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &whole); err != nil || len(rest) > 0 || !definite(der, 0) {
		return nil, malformed
	}
	// A library that reads strangers' bytes must not end the program.
	defer func() {
		if r := recover(); r != nil {
			p7, err = nil, malformed.Because(fmt.Errorf("parser panicked: %v", r))
		}
	}()
	p7, err = pkcs7.Parse(der)
	if err != nil {
		return nil, malformed.Because(err)
	}
	return p7, nil
}

const maxDepth = 24

// definite tells whether every element has a definite length, and none lies too deep.
func definite(der []byte, depth int) bool {
	if depth > maxDepth {
		return false
	}
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil || v.IsCompound && !definite(v.Bytes, depth+1) {
			return false
		}
		der = rest
	}
	return true
}

// checkAttributes demands what the signature then covers: contentType and
// messageDigest, each attribute once, and SHA-256.
func checkAttributes(p7 *pkcs7.PKCS7) error {
	s := p7.Signers[0]
	if !s.DigestAlgorithm.Algorithm.Equal(pkcs7.OIDDigestAlgorithmSHA256) {
		return fault.New(fault.Invalid, "cms.algorithm")
	}
	seen := map[string]bool{}
	for _, a := range s.AuthenticatedAttributes {
		name := a.Type.String()
		if seen[name] {
			return fault.New(fault.Invalid, "cms.malformed")
		}
		seen[name] = true
	}
	var content asn1.ObjectIdentifier
	var digest []byte
	if p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeContentType, &content) != nil || !content.Equal(pkcs7.OIDData) ||
		p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeMessageDigest, &digest) != nil {
		return fault.New(fault.Invalid, "cms.malformed")
	}
	return nil
}

func strongKey(cert *x509.Certificate) bool {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= minRSABits
	case *ecdsa.PublicKey:
		return key.Curve.Params().BitSize >= 256
	}
	return false
}

// known answers with the digest of a document that is elsewhere.
type known [32]byte

// Hash implements pkcs7.Hasher.
func (k known) Hash(h crypto.Hash, _ io.Reader) ([]byte, error) {
	if h != crypto.SHA256 {
		return nil, errors.New("not SHA-256")
	}
	return bytes.Clone(k[:]), nil
}

func path(signer *x509.Certificate, brought []*x509.Certificate, trust Trust) ([]*x509.Certificate, error) {
	between := x509.NewCertPool()
	for _, list := range [][]*x509.Certificate{brought, trust.Intermediates} {
		for _, c := range list {
			between.AddCert(c)
		}
	}
	paths, err := signer.Verify(x509.VerifyOptions{Roots: trust.Roots, Intermediates: between, CurrentTime: trust.At,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return nil, fault.New(fault.Forbidden, "cms.untrusted").Because(reason(err))
	}
	return paths[0], nil
}

// reason leaves the names out of an error: they are people's.
func reason(err error) error {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) {
		return fmt.Errorf("certificate invalid, reason %d", invalid.Reason)
	}
	return errors.New("no path to a trusted root")
}
