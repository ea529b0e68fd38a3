package govbrsim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"

	"selo/icpbrasil/testca"
)

// certificates are the server's certificates that are no authority's: the one
// of its own door, and those it gave to people who test.
type certificates struct {
	mu      sync.Mutex
	door    *tls.Certificate  // of the listener for certificates
	given   *bounded[[]byte]  // PEM by who and flaw
	foreign *testca.Authority // nobody trusts it
	fresh   bool              // the state file does not hold the door
}

// maxGiven is how many certificates are kept to be given again.
const maxGiven = 500

// savedDoor is the certificate of the listener as the state file keeps it.
type savedDoor struct {
	Cert []byte `json:"certificado"` // DER
	Key  []byte `json:"chave"`       // PKCS #8
}

// savedICP is the test authority of ICP-Brasil, and the door, as the state file
// keeps them. The zero value is none yet.
type savedICP struct {
	Authority json.RawMessage `json:"autoridade,omitempty"`
	Door      *savedDoor      `json:"porta,omitempty"`
}

// savedICP is what the state file holds, nil before anything was made, and
// whether that is new. What cannot be written is left out.
func (s *Server) savedICP() (out *savedICP, fresh bool) {
	s.caMu.Lock()
	icp := s.icp
	s.caMu.Unlock()
	s.certs.mu.Lock()
	defer s.certs.mu.Unlock()
	fresh, s.certs.fresh = s.certs.fresh, false
	if icp == nil && s.certs.door == nil {
		return nil, fresh
	}
	out = &savedICP{}
	if icp != nil {
		content, err := icp.Keep()
		if err != nil {
			s.log.Error("authority not kept", "error", err)
		}
		out.Authority = content
	}
	if s.certs.door != nil {
		key, err := x509.MarshalPKCS8PrivateKey(s.certs.door.PrivateKey)
		if err != nil {
			s.log.Error("certificate not kept", "error", err)
			return out, fresh
		}
		out.Door = &savedDoor{Cert: s.certs.door.Certificate[0], Key: key}
	}
	return out, fresh
}

// restoreICP reads what savedICP gave.
func (s *Server) restoreICP(in *savedICP) error {
	if in == nil {
		return nil
	}
	var err error
	if in.Authority != nil {
		if s.icp, err = testca.Restore(in.Authority, s.options.Clock.Now, s.icpBase()); err != nil {
			return err
		}
	}
	if in.Door == nil {
		return nil
	}
	leaf, err := x509.ParseCertificate(in.Door.Cert)
	if err != nil {
		return err
	}
	key, err := x509.ParsePKCS8PrivateKey(in.Door.Key)
	if err != nil {
		return err
	}
	if s.doorHosts(leaf) && s.options.Clock.Now().Before(leaf.NotAfter.Add(-24*time.Hour)) {
		s.certs.door = &tls.Certificate{Certificate: [][]byte{in.Door.Cert}, PrivateKey: key, Leaf: leaf}
	}
	return nil
}

// icpBase is where the test authority's lists are.
func (s *Server) icpBase() string { return s.base() + "/sim/icp" }

// doorName is the host of the listener for certificates.
func (s *Server) doorName() string {
	if u, err := url.Parse(s.options.CertificateURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return s.url.Hostname()
}

// doorHosts tells whether a certificate is good for the listener's host.
func (s *Server) doorHosts(leaf *x509.Certificate) bool {
	return leaf.VerifyHostname(s.doorName()) == nil
}

// door is the listener's certificate, made when it is first needed: it signs
// itself, and names this machine and the host of its address.
func (s *Server) door() (*tls.Certificate, error) {
	s.certs.mu.Lock()
	defer s.certs.mu.Unlock()
	if s.certs.door != nil {
		return s.certs.door, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	now := s.options.Clock.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{"Simulador govbr-sim " + mark}, CommonName: "Entrada com certificado " + mark},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(2, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if name := s.doorName(); net.ParseIP(name) != nil {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(name))
	} else if !slices.Contains(template.DNSNames, name) {
		template.DNSNames = append(template.DNSNames, name)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	s.certs.door = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: crypto.PrivateKey(key), Leaf: leaf}
	s.certs.fresh = true
	return s.certs.door, nil
}
