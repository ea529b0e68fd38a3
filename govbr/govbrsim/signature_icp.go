package govbrsim

import (
	"crypto/rsa"
	"fmt"
	"time"

	"selo/icpbrasil"
	"selo/icpbrasil/testca"
)

// qualified is the authority of ICP-Brasil's certificates: a test
// authority, made when it is first needed, and those who enter with certificate.
func (s *Server) qualified() (*testca.Authority, error) {
	s.caMu.Lock()
	defer s.caMu.Unlock()
	if s.icp == nil {
		made, err := testca.New(s.options.Clock.Now, s.icpBase())
		if err != nil {
			return nil, err
		}
		s.icp, s.caNew = made, true
	}
	return s.icp, nil
}

// issueQualified makes the e-CPF A3 that the person has at a provider.
func (s *Server) issueQualified(by *signer, key *rsa.PrivateKey) (*holder, error) {
	ca, err := s.qualified()
	if err != nil {
		return nil, err
	}
	p := by.person
	issued, err := ca.Issue(testca.Order{Person: icpbrasil.Person{Name: p.Name, CPF: p.CPF, Birth: p.Born}, Email: p.Email, Type: "A3", Key: key, From: by.now.Add(-time.Hour)})
	if err != nil {
		return nil, fmt.Errorf("issue certificate of ICP-Brasil: %w", err)
	}
	return &holder{cert: issued.Chain[0], chain: issued.Chain[1:], key: key}, nil
}

// getQualifiedChain is the test authority of ICP-Brasil, for verification.
func (s *Server) getQualifiedChain(*Exchange) (Answer, error) {
	ca, err := s.qualified()
	if err != nil {
		return nil, err
	}
	return Bytes{Type: "application/x-pem-file", Body: ca.PEM()}, nil
}
