package govbrsim

import (
	"slices"
	"time"

	"selo/brasil"
	"selo/fault"
	"selo/icpbrasil"
	"selo/icpbrasil/testca"
)

// certificateFlaw is how a test certificate is wrong.
type certificateFlaw string

// The flaws of test certificates, with what each is.
var certificateFlaws = []struct {
	flaw certificateFlaw
	text string
}{
	{"vencido", "a validade terminou há uma hora"},
	{"revogado", "está na lista de certificados revogados"},
	{"outra-ac", "de uma autoridade em que ninguém confia"},
	{"sem-cpf", "sem o CPF do titular ou do responsável"},
	{"sem-uso", "não serve para entrar: só para e-mail"},
	{"equipamento", "de um equipamento da empresa (só com e-cnpj)"},
}

// certificateBefore is how long before now a test certificate begins.
const certificateBefore = time.Hour

// seloCertificate is the selo of an entry with e-CPF.
const seloCertificate = "801"

func (p *Person) hasSelo(id string) bool {
	return slices.ContainsFunc(p.Selos, func(s Selo) bool { return s.ID == id })
}

// getTestCertificate gives a certificate of a person, or of a company through a
// person, and its key, as one PEM. The same one is given again for as long as
// it is remembered. ?defeito= asks for one that is wrong. Faults: NotFound
// "govbrsim.person.none", "govbrsim.company.none"; Invalid
// "govbrsim.certificate.flaw".
func (s *Server) getTestCertificate(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	now := w.now()
	p, err := w.person(brasil.CPF(x.Request.PathValue("cpf")))
	var c *Company
	if cnpj := x.Request.PathValue("cnpj"); err == nil && cnpj != "" {
		if c = w.companies[brasil.CNPJ(cnpj)]; c == nil {
			err = fault.New(fault.NotFound, "govbrsim.company.none", "cnpj", cut(cnpj))
		}
	}
	w.mu.Unlock()
	if err != nil {
		return nil, err
	}
	flaw := certificateFlaw(q.Get("defeito"))
	order := testca.Order{Person: icpbrasil.Person{Name: p.Name, CPF: p.CPF, Birth: p.Born}, Email: p.Email}
	order.From = now.Add(-certificateBefore)
	name := "e-cpf-" + string(p.CPF)
	if c != nil {
		order.Company, name = &icpbrasil.Company{CNPJ: c.CNPJ, Name: c.Name}, "e-cnpj-"+string(c.CNPJ)+"-"+string(p.CPF)
	}
	if err := flaw.spoil(&order); err != nil {
		return nil, err
	}
	if flaw != "" {
		name += "-" + string(flaw)
	}
	content, err := s.testCertificate(w.name+" "+now.Format("2006-01-02")+" "+name+" "+p.Name, flaw, order)
	if err != nil {
		return nil, err
	}
	x.writer.Header().Set("Content-Disposition", `attachment; filename="`+name+`.pem"`)
	return Bytes{Type: "application/x-pem-file", Body: content}, nil
}

// spoil makes an order wrong. Fault: Invalid "govbrsim.certificate.flaw".
func (f certificateFlaw) spoil(o *testca.Order) error {
	switch f {
	case "", "revogado", "outra-ac":
	case "vencido":
		o.Until, o.From = o.From, o.From.AddDate(-1, 0, 0)
	case "sem-cpf":
		o.Person.CPF = ""
	case "sem-uso":
		o.NoClientAuth = true
	case "equipamento":
		if o.Company == nil {
			return fault.New(fault.Invalid, "govbrsim.certificate.flaw", "valor", cut(string(f)))
		}
		o.Equipment = true
	default:
		return fault.New(fault.Invalid, "govbrsim.certificate.flaw", "valor", cut(string(f)))
	}
	return nil
}

// testCertificate issues a certificate, or gives the one that was issued for key.
func (s *Server) testCertificate(key string, flaw certificateFlaw, order testca.Order) ([]byte, error) {
	s.certs.mu.Lock()
	defer s.certs.mu.Unlock()
	if s.certs.given == nil {
		s.certs.given = newBounded[[]byte](maxGiven)
	}
	if content, ok := s.certs.given.get(key); ok {
		return content, nil
	}
	ca, err := s.issuerFor(flaw)
	if err != nil {
		return nil, err
	}
	if order.Key, err = s.newKey(); err != nil {
		return nil, err
	}
	issued, err := ca.Issue(order)
	if err != nil {
		return nil, err
	}
	if flaw == "revogado" {
		ca.Revoke(issued.Chain[0])
		s.certs.fresh = true
	}
	chain, private, err := issued.PEM()
	if err != nil {
		return nil, err
	}
	content := append(chain, private...)
	s.certs.given.put(key, content)
	return content, nil
}

// issuerFor is the authority that issues; the caller holds certs.mu.
func (s *Server) issuerFor(flaw certificateFlaw) (*testca.Authority, error) {
	if flaw != "outra-ac" {
		return s.qualified()
	}
	if s.certs.foreign == nil {
		made, err := testca.New(s.options.Clock.Now, "")
		if err != nil {
			return nil, err
		}
		s.certs.foreign = made
	}
	return s.certs.foreign, nil
}

// getDoorCertificate is the certificate of the listener, for trust stores.
func (s *Server) getDoorCertificate(*Exchange) (Answer, error) {
	door, err := s.door()
	if err != nil {
		return nil, err
	}
	return Bytes{Type: "application/x-pem-file", Body: certificatePEM(door.Leaf)}, nil
}

// getQualifiedList is a revocation list of the test authority, as of now.
func (s *Server) getQualifiedList(x *Exchange) (Answer, error) {
	folder, file := x.Request.PathValue("pasta"), x.Request.PathValue("arquivo")
	if folder != "lcr" && folder != "lcr2" || file != "raiz.crl" && file != "ac.crl" {
		return nil, fault.New(fault.NotFound, "govbrsim.not_found")
	}
	ca, err := s.qualified()
	if err != nil {
		return nil, err
	}
	root, intermediate, err := ca.Lists()
	if err != nil {
		return nil, err
	}
	if file == "raiz.crl" {
		intermediate = root
	}
	return Bytes{Type: "application/pkix-crl", Body: intermediate}, nil
}

// getQualifiedIssuer is a certificate of the test authority.
func (s *Server) getQualifiedIssuer(x *Exchange) (Answer, error) {
	ca, err := s.qualified()
	if err != nil {
		return nil, err
	}
	switch x.Request.PathValue("arquivo") {
	case "raiz.cer":
		return Bytes{Type: "application/pkix-cert", Body: ca.Root.Raw}, nil
	case "ac.cer":
		return Bytes{Type: "application/pkix-cert", Body: ca.Intermediate.Raw}, nil
	}
	return nil, fault.New(fault.NotFound, "govbrsim.not_found")
}

// getCertificates lists the test certificates and says how to use them.
func (s *Server) getCertificates(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	v := certificatesView{Base: w.base, Door: s.options.CertificateURL, People: sorted(w.people)}
	v.People = v.People[:min(len(v.People), maxListed)]
	for _, c := range sorted(w.companies) {
		for _, m := range c.Members {
			if p := w.people[m.CPF]; p != nil && m.Acting != Contributor && len(v.Companies) < maxListed {
				v.Companies = append(v.Companies, companyCertificate{Company: c, Person: p})
			}
		}
	}
	return Page{View: v}, nil
}
