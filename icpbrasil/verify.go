package icpbrasil

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"selo/brasil"
	"selo/fault"
)

// maxChain is the longest chain that is looked at; those of ICP-Brasil have four.
const maxChain = 10

// Path leads from a certificate to a root of the trust store, both included. Only
// [Verify] makes one; the zero value proves nothing.
type Path struct{ certs []*x509.Certificate }

// Certificates returns the path, the holder's certificate first, the root last.
func (p Path) Certificates() []*x509.Certificate { return slices.Clone(p.certs) }

// Verify checks that the first certificate of chain was in force at that moment,
// may be used to sign in (key usage digitalSignature, extended key usage clientAuth,
// which must be written in it, no authority's own certificate), and leads through
// the others, in any order, to one of roots. It does not ask whether a certificate
// was revoked: see [Path.CheckRevocation].
//
// Faults, all of kind fault.Forbidden: icpbrasil.chain.long, icpbrasil.not_yet,
// icpbrasil.expired, icpbrasil.authority, icpbrasil.usage.signature,
// icpbrasil.usage.client, icpbrasil.chain.untrusted, icpbrasil.chain.expired,
// icpbrasil.chain.invalid; of kind fault.Invalid: icpbrasil.certificate.absent.
//
// Without roots or without a time the error is no fault: the standard library
// would take the system's roots and the system's clock in their place.
func Verify(chain []*x509.Certificate, roots *x509.CertPool, at time.Time) (Path, error) {
	if roots == nil || at.IsZero() {
		return Path{}, errors.New("verify certificate: trust store or time is missing")
	}
	if err := checkHolder(chain, at); err != nil {
		return Path{}, err
	}
	others := x509.NewCertPool()
	for _, cert := range chain[1:] {
		others.AddCert(cert)
	}
	paths, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: others, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return Path{}, chainFault(err)
	}
	return Path{paths[0]}, nil
}

// checkHolder checks what the holder's own certificate says.
func checkHolder(chain []*x509.Certificate, at time.Time) error {
	if len(chain) == 0 || slices.Contains(chain, nil) {
		return absent()
	}
	cert := chain[0]
	switch {
	case len(chain) > maxChain:
		return forbidden("icpbrasil.chain.long", "limite", fmt.Sprint(maxChain))
	case at.Before(cert.NotBefore):
		return forbidden("icpbrasil.not_yet", "inicio", moment(cert.NotBefore))
	case at.After(cert.NotAfter):
		return forbidden("icpbrasil.expired", "fim", moment(cert.NotAfter))
	case cert.IsCA:
		return forbidden("icpbrasil.authority")
	case cert.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return forbidden("icpbrasil.usage.signature")
	case !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth):
		return forbidden("icpbrasil.usage.client")
	}
	return nil
}

// chainFault says what a person can do about a chain that does not hold.
func chainFault(err error) error {
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return forbidden("icpbrasil.chain.untrusted").Because(err)
	}
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil {
		return forbidden("icpbrasil.chain.expired", "autoridade", display(invalid.Cert.Subject.CommonName)).Because(err)
	}
	return forbidden("icpbrasil.chain.invalid").Because(err)
}

func forbidden(key string, args ...string) *fault.Fault {
	return fault.New(fault.Forbidden, key, args...)
}

// moment is a time as people in Brasília read it.
func moment(t time.Time) string { return t.In(brasil.Location()).Format("02/01/2006 15:04") }
