package icpbrasil

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"slices"
	"strconv"
	"time"

	"selo/brasil"
	"selo/fault"
)

// maxCRL is the largest revocation list that is read, in bytes.
const maxCRL = 64 << 20

// ParseCRL reads a revocation list, LCR, in DER or PEM. Whether it is genuine and
// fresh is found when it is used.
//
// Faults: icpbrasil.crl.size, icpbrasil.crl.malformed.
func ParseCRL(data []byte) (*x509.RevocationList, error) {
	if len(data) > maxCRL {
		return nil, fault.New(fault.Invalid, "icpbrasil.crl.size", "limite", strconv.Itoa(maxCRL))
	}
	if block, _ := pem.Decode(data); block != nil && block.Type == "X509 CRL" {
		data = block.Bytes
	}
	crl, err := x509.ParseRevocationList(data)
	if err != nil {
		return nil, fault.New(fault.Invalid, "icpbrasil.crl.malformed").Because(err)
	}
	return crl, nil
}

// CheckRevocation looks every certificate of the path but the root up in the
// newest genuine list of its issuer. at is the present: who was revoked later than
// at counts as revoked all the same.
//
// A revoked certificate is fault icpbrasil.revoked, a revoked authority
// icpbrasil.chain.revoked, both of kind fault.Forbidden; they go before all others. When a list cannot tell, the fault is of kind
// fault.Unavailable, and the caller decides whether to wait for a newer list or
// to go on without: icpbrasil.crl.missing, icpbrasil.crl.forged,
// icpbrasil.crl.unsupported, icpbrasil.crl.future, icpbrasil.crl.expired.
func (p Path) CheckRevocation(crls []*x509.RevocationList, at time.Time) error {
	if len(p.certs) == 0 || at.IsZero() {
		return errors.New("check revocation: verified path or time is missing")
	}
	var unknown error
	for i, cert := range p.certs[:len(p.certs)-1] {
		err := checkRevoked(cert, p.certs[i+1], crls, at)
		if fault.Is(err, fault.Forbidden) {
			return err
		}
		if unknown == nil {
			unknown = err
		}
	}
	return unknown
}

func checkRevoked(cert, issuer *x509.Certificate, crls []*x509.RevocationList, at time.Time) error {
	name := display(issuer.Subject.CommonName)
	crl, err := newest(issuer, crls)
	if err != nil {
		return err
	}
	for _, entry := range crl.RevokedCertificateEntries {
		if entry.SerialNumber.Cmp(cert.SerialNumber) != 0 {
			continue
		}
		day := brasil.DateOf(entry.RevocationTime).Brazilian()
		if cert.IsCA {
			return forbidden("icpbrasil.chain.revoked", "autoridade", display(cert.Subject.CommonName), "data", day)
		}
		return forbidden("icpbrasil.revoked", "data", day)
	}
	switch {
	case unsupported(crl):
		return unavailable("icpbrasil.crl.unsupported", "autoridade", name)
	case at.Before(crl.ThisUpdate):
		return unavailable("icpbrasil.crl.future", "autoridade", name, "inicio", moment(crl.ThisUpdate))
	case !at.Before(crl.NextUpdate):
		return unavailable("icpbrasil.crl.expired", "autoridade", name, "fim", moment(crl.NextUpdate))
	}
	return nil
}

// newest returns the last list that the issuer signed.
func newest(issuer *x509.Certificate, crls []*x509.RevocationList) (*x509.RevocationList, error) {
	var found *x509.RevocationList
	var forged error
	for _, crl := range crls {
		if crl == nil || !bytes.Equal(crl.RawIssuer, issuer.RawSubject) {
			continue
		}
		if found != nil && !crl.ThisUpdate.After(found.ThisUpdate) {
			continue
		}
		if err := crl.CheckSignatureFrom(issuer); err != nil {
			forged = err
			continue
		}
		found = crl
	}
	name := display(issuer.Subject.CommonName)
	switch {
	case found != nil:
		return found, nil
	case forged != nil:
		return nil, unavailable("icpbrasil.crl.forged", "autoridade", name).Because(forged)
	}
	return nil, unavailable("icpbrasil.crl.missing", "autoridade", name)
}

// unsupported tells whether the silence of a list proves nothing: it has a critical
// extension, so it may hold some certificates only, or those of other issuers, or
// it does not say when the next one comes (RFC 5280, 5.1.2.5, 5.2 and 5.3). The
// lists of ICP-Brasil are whole and say it.
func unsupported(crl *x509.RevocationList) bool {
	critical := func(ext pkix.Extension) bool { return ext.Critical }
	return crl.NextUpdate.IsZero() || slices.ContainsFunc(crl.Extensions, critical) ||
		slices.ContainsFunc(crl.RevokedCertificateEntries, func(entry x509.RevocationListEntry) bool {
			return slices.ContainsFunc(entry.Extensions, critical)
		})
}

func unavailable(key string, args ...string) *fault.Fault {
	return fault.New(fault.Unavailable, key, args...)
}
