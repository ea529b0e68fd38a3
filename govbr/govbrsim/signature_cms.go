package govbrsim

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Signatures are written here and not by a library: the digest comes from
// outside, the time is the world's, and tests want them wrong in known ways.

// SignatureFlaw is one way in which a signature or its certificate is odd.
type SignatureFlaw string

// The flaws.
const (
	FlawDigest      SignatureFlaw = "resumo"       // messageDigest of something else
	FlawBits        SignatureFlaw = "assinatura"   // the signature does not verify
	FlawAttached    SignatureFlaw = "anexada"      // holds a content of its own
	FlawNoChain     SignatureFlaw = "sem_cadeia"   // the signer's certificate only
	FlawOtherPerson SignatureFlaw = "outra_pessoa" // another person's certificate
	FlawOtherCA     SignatureFlaw = "outra_ac"     // does not lead to the root
	FlawExpiredCert SignatureFlaw = "vencido"      // a certificate that ended yesterday
	FlawCPFInName   SignatureFlaw = "cpf_no_cn"    // CPF behind the name only
	FlawNoCPF       SignatureFlaw = "sem_cpf"      // CPF nowhere in the certificate
)

func signatureFlaws() []SignatureFlaw {
	return []SignatureFlaw{FlawDigest, FlawBits, FlawAttached, FlawNoChain, FlawOtherPerson, FlawOtherCA, FlawExpiredCert, FlawCPFInName, FlawNoCPF}
}

var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
)

type cmsAlgorithm struct {
	Algorithm  asn1.ObjectIdentifier
	Parameters asn1.RawValue `asn1:"optional"`
}

type cmsAttribute struct {
	Type   asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

type cmsContent struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"optional"`
}

type cmsIssuer struct {
	Name   asn1.RawValue
	Serial *big.Int
}

type cmsSigner struct {
	Version    int
	Issuer     cmsIssuer
	Digest     cmsAlgorithm
	Attributes []cmsAttribute `asn1:"set,tag:0"`
	Algorithm  cmsAlgorithm
	Signature  []byte
}

type cmsSigned struct {
	Version int
	Digests []cmsAlgorithm `asn1:"set"`
	Content cmsContent
	Certs   asn1.RawValue
	Signers []cmsSigner `asn1:"set"`
}

// sign makes a detached CMS over a SHA-256 digest (RFC 5652; 4.5): one signer,
// with content type, message digest and signing time signed.
func (h *holder) sign(digest [32]byte, at time.Time, flaws []SignatureFlaw) ([]byte, error) {
	if slices.Contains(flaws, FlawDigest) {
		digest[0] ^= 1
	}
	var attributes []cmsAttribute
	for _, a := range []struct {
		id    asn1.ObjectIdentifier
		value any
	}{{oidContentType, oidData}, {oidMessageDigest, digest[:]}, {oidSigningTime, at.UTC().Truncate(time.Second)}} {
		der, err := asn1.Marshal(a.value)
		if err != nil {
			return nil, fmt.Errorf("write signed attribute: %w", err)
		}
		attributes = append(attributes, cmsAttribute{a.id, []asn1.RawValue{{FullBytes: der}}})
	}
	signed, err := asn1.MarshalWithParams(attributes, "set")
	if err != nil {
		return nil, fmt.Errorf("write signed attributes: %w", err)
	}
	sum := sha256.Sum256(signed)
	signature, err := rsa.SignPKCS1v15(nil, h.key, crypto.SHA256, sum[:])
	if err != nil {
		return nil, fmt.Errorf("sign attributes: %w", err)
	}
	if slices.Contains(flaws, FlawBits) {
		signature[len(signature)/2] ^= 1
	}
	null := asn1.RawValue{Tag: asn1.TagNull}
	sha := cmsAlgorithm{oidSHA256, null}
	data := cmsSigned{Version: 1, Digests: []cmsAlgorithm{sha}, Content: cmsContent{Type: oidData},
		Certs: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: slices.Clone(h.cert.Raw)},
		Signers: []cmsSigner{{Version: 1, Issuer: cmsIssuer{asn1.RawValue{FullBytes: h.cert.RawIssuer}, h.cert.SerialNumber},
			Digest: sha, Attributes: attributes, Algorithm: cmsAlgorithm{oidRSA, null}, Signature: signature}}}
	if !slices.Contains(flaws, FlawNoChain) {
		for _, cert := range h.chain {
			data.Certs.Bytes = append(data.Certs.Bytes, cert.Raw...)
		}
	}
	if slices.Contains(flaws, FlawAttached) {
		if data.Content.Content, err = inZero([]byte("conteúdo dentro da assinatura")); err != nil {
			return nil, err
		}
	}
	inner, err := inZero(data)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(cmsContent{oidSignedData, inner})
}

// inZero puts a value inside an explicit [0].
func inZero(v any) (asn1.RawValue, error) {
	der, err := asn1.Marshal(v)
	if err != nil {
		return asn1.RawValue{}, fmt.Errorf("write signature: %w", err)
	}
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: der}, nil
}
