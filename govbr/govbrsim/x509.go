package govbrsim

import (
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"selo/brasil"
	"selo/fault"
	"selo/icpbrasil"
	"selo/icpbrasil/testca"
	"selo/locale"
)

// certificateEntry is a person, and perhaps a company, whom a certificate proved.
type certificateEntry struct {
	identity *icpbrasil.Identity
	provider string // "token" for a device, else one of CloudProviders
}

// certificateTry is an authorization's way to the listener for certificates and
// back. Ticket goes there with the browser, proof comes back with it, so that
// nobody else's certificate can be put under an authorization.
type certificateTry struct {
	ticket, proof string
	entry         *certificateEntry
	wrong         error // in the place of entry
}

// purpose is what a certificate is shown for. The zero value is signing in.
type purpose string

const (
	forSelo    purpose = "selo"    // the selo 801 of Minha área
	forCompany purpose = "empresa" // linking a company in Minha área
)

// certificatePath is where the listener for certificates takes browsers.
const certificatePath = "/certificado"

// x509Routes are the entry with certificate, but for the listener itself.
func (s *Server) x509Routes() []Route {
	return []Route{
		{http.MethodGet, "/login/certificado", Screen, s.getCertificateWay},
		{http.MethodGet, "/login/certificado/volta", Screen, s.getCertificateBack},
		{http.MethodGet, "/login/nuvem", Screen, s.getCloud},
		{http.MethodPost, "/login/nuvem", Screen, s.postCloud},
		{http.MethodPost, "/login/nuvem/codigo", Screen, s.postCloudCode},
		{http.MethodPost, "/login/nuvem/voltar", Screen, s.postCloudBack},
		{http.MethodGet, "/sim/certificados", Screen, s.getCertificates},
		{http.MethodGet, "/sim/certificados/e-cpf/{cpf}", Service, s.getTestCertificate},
		{http.MethodGet, "/sim/certificados/e-cnpj/{cnpj}/{cpf}", Service, s.getTestCertificate},
		{http.MethodGet, "/sim/certificados/autoridade.pem", Service, s.getQualifiedChain},
		{http.MethodGet, "/sim/certificados/servidor.pem", Service, s.getDoorCertificate},
		{http.MethodGet, "/sim/icp/{pasta}/{arquivo}", Service, s.getQualifiedList},
		{http.MethodGet, "/sim/icp/{arquivo}", Service, s.getQualifiedIssuer},
	}
}

// CertificateTLS is the configuration of the listener for certificates: it asks
// for one, and leaves it to the handler to say what is wrong with it. Each
// connection proves the key anew.
func (s *Server) CertificateTLS() (*tls.Config, error) {
	door, err := s.door()
	if err != nil {
		return nil, err
	}
	ca, err := s.qualified()
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*door}, ClientAuth: tls.RequestClientCert,
		ClientCAs: ca.Roots(), SessionTicketsDisabled: true}, nil
}

// CertificateHandler answers on the listener for certificates, which
// Options.CertificateURL names. It takes the browser's certificate and sends the
// browser back to the screens, which say what came of it.
func (s *Server) CertificateHandler() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		for name, value := range secureHeaders {
			rw.Header().Set(name, value)
		}
		rw.Header().Set("Cache-Control", "no-store")
		name, path := splitWorld(r.URL.EscapedPath())
		w, err := s.World(name)
		if err != nil || path != certificatePath || r.Method != http.MethodGet || len(r.RequestURI) > maxURI {
			http.Redirect(rw, r, s.base()+"/sim/certificados", http.StatusSeeOther)
			return
		}
		http.Redirect(rw, r, w.base+"/login/certificado/volta?"+s.tryCertificate(w, r).Encode(), http.StatusSeeOther)
	})
}

// tryCertificate looks at the certificate of a connection for the authorization
// whose ticket the browser brings, and gives what the browser takes back.
func (s *Server) tryCertificate(w *World, r *http.Request) url.Values {
	q := r.URL.Query()
	back := url.Values{"authorization_id": {q.Get("authorization_id")}, "client_id": {q.Get("client_id")}}
	var chain []*x509.Certificate
	if r.TLS != nil {
		chain = r.TLS.PeerCertificates
	}
	entry, wrong := s.identify(chain, w.Now())
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.pending.get(q.Get("authorization_id"))
	if !ok || a.try.ticket == "" || subtle.ConstantTimeCompare([]byte(a.try.ticket), []byte(q.Get("bilhete"))) != 1 {
		return back // the screens say that it is over
	}
	a.try = certificateTry{proof: fmt.Sprintf("%x", s.bytes(16)), entry: entry, wrong: wrong}
	back.Set("prova", a.try.proof)
	return back
}

// identify tells whom a certificate names, when it holds at that moment of the
// world and is on no list of now. Faults: those of package icpbrasil.
func (s *Server) identify(chain []*x509.Certificate, at time.Time) (*certificateEntry, error) {
	if len(chain) == 0 {
		return nil, fault.New(fault.Forbidden, "govbrsim.certificate.none")
	}
	ca, err := s.qualified()
	if err != nil {
		return nil, err
	}
	// Tokens often send the holder's certificate alone.
	path, err := icpbrasil.Verify(append(chain[:len(chain):len(chain)], ca.Intermediate), ca.Roots(), at)
	if err != nil {
		return nil, err
	}
	lists, err := listsOf(ca)
	if err != nil {
		return nil, err
	}
	if err := path.CheckRevocation(lists, s.options.Clock.Now()); err != nil {
		return nil, err
	}
	id, err := icpbrasil.Parse(chain[0])
	if err != nil {
		return nil, err
	}
	if _, err := id.ActingCPF(); err != nil {
		return nil, err
	}
	if id.Kind == icpbrasil.Legal {
		if _, err := id.ActingCNPJ(); err != nil {
			return nil, err
		}
	}
	return &certificateEntry{identity: id, provider: "token"}, nil
}

func listsOf(ca *testca.Authority) ([]*x509.RevocationList, error) {
	root, intermediate, err := ca.Lists()
	if err != nil {
		return nil, err
	}
	lists := make([]*x509.RevocationList, 2)
	for i, der := range [][]byte{root, intermediate} {
		if lists[i], err = icpbrasil.ParseCRL(der); err != nil {
			return nil, err
		}
	}
	return lists, nil
}

// getCertificateWay sends the browser to the listener for certificates.
func (s *Server) getCertificateWay(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	a, err := x.authorizationOf(q)
	if err != nil {
		return nil, err
	}
	if s.options.CertificateURL == "" {
		return nil, fault.New(fault.Unavailable, "govbrsim.certificate.off")
	}
	a.try = certificateTry{ticket: fmt.Sprintf("%x", s.bytes(16))}
	to := url.Values{"authorization_id": {a.id}, "client_id": {a.client}, "bilhete": {a.try.ticket}}
	return Redirect{To: s.options.CertificateURL + w.prefix() + certificatePath + "?" + to.Encode()}, nil
}

// getCertificateBack goes on with what the certificate proved, or says plainly
// why it did not.
func (s *Server) getCertificateBack(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	a, err := x.authorizationOf(q)
	if err != nil {
		return nil, err
	}
	try := a.try
	if try.proof == "" || subtle.ConstantTimeCompare([]byte(try.proof), []byte(q.Get("prova"))) != 1 {
		return nil, fault.New(fault.NotFound, "govbrsim.login.gone")
	}
	if try.wrong != nil {
		return s.refusedCertificate(x, a, try.wrong), nil
	}
	a.try = certificateTry{}
	return s.enter(x, a, try.entry)
}

// refusedCertificate is the page for a certificate that does not do. It stays
// when the page is loaded again. The caller locks.
func (s *Server) refusedCertificate(x *Exchange, a *authorization, err error) Answer {
	v := certificateView{loginView: x.World.loginViewOf(a, ""), Failure: locale.Internal(locale.PT, "govbrsim"), Next: a.purpose.back(a)}
	f := fault.Of(err)
	if f != nil {
		v.Failure = locale.Fault(locale.PT, f)
	} else {
		x.server.log.Error("certificate not checked", "error", err)
	}
	return Page{View: v, Status: statusOf(f), Client: a.leadsOut()}
}

// back is where a page of Minha área goes on without a certificate; "" when
// somebody signs in.
func (p purpose) back(a *authorization) string {
	if p == "" {
		return ""
	}
	return a.next
}

// enter signs in whom a certificate proved, or does what Minha área asked for.
// An e-CPF of somebody without an account leads to the last step of making one.
// The caller locks.
func (s *Server) enter(x *Exchange, a *authorization, entry *certificateEntry) (Answer, error) {
	w, id := x.World, entry.identity
	cpf := id.Person.CPF
	if a.purpose != "" {
		return s.useCertificate(x, a, entry)
	}
	p := w.people[cpf]
	if p == nil {
		a.cpf, a.step = cpf, stepPassNew
		a.draft = &registration{name: plainName(id.Person.Name, string(cpf)), email: mailOf(id.Email), entry: entry}
		return loginPageAgain(a), nil
	}
	amr := []string{"x509", "x509_" + entry.provider}
	if err := w.proved(cpf, id); err != nil {
		return nil, err
	}
	a.cpf, a.session = cpf, s.signIn(x, cpf, amr)
	if id.Kind == icpbrasil.Legal {
		if err := w.knowCompany(id.Company); err != nil {
			return nil, err
		}
		if err := w.linkByCertificate(a.session, id.Company.CNPJ); err != nil {
			return nil, err
		}
	}
	return s.proceed(x, a), nil
}

// proved gives a person the selo of an e-CPF. The caller locks.
func (w *World) proved(cpf brasil.CPF, id *icpbrasil.Identity) error {
	if id.Kind != icpbrasil.Natural || w.people[cpf].hasSelo(seloCertificate) {
		return nil
	}
	now := w.now()
	return w.changePerson(cpf, func(p *Person) { p.addSelo(seloCertificate, now) })
}

// useCertificate gives the signed-in person the selo, or links the company.
// Faults: Forbidden "govbrsim.certificate.other", "govbrsim.certificate.person",
// "govbrsim.certificate.company", each as a page. The caller locks.
func (s *Server) useCertificate(x *Exchange, a *authorization, entry *certificateEntry) (Answer, error) {
	w, id := x.World, entry.identity
	found := x.session()
	switch {
	case found == nil || found.cpf != a.cpf:
		return nil, fault.New(fault.NotFound, "govbrsim.login.gone")
	case id.Person.CPF != found.cpf:
		return s.refusedCertificate(x, a, fault.New(fault.Forbidden, "govbrsim.certificate.other")), nil
	case a.purpose == forSelo && id.Kind != icpbrasil.Natural:
		return s.refusedCertificate(x, a, fault.New(fault.Forbidden, "govbrsim.certificate.person")), nil
	case a.purpose == forCompany && id.Kind != icpbrasil.Legal:
		return s.refusedCertificate(x, a, fault.New(fault.Forbidden, "govbrsim.certificate.company")), nil
	}
	w.pending.take(a.id)
	now := w.now()
	if a.purpose == forSelo {
		if err := w.changePerson(found.cpf, func(p *Person) { p.Level = ""; p.addSelo(seloCertificate, now) }); err != nil {
			return nil, err
		}
		return Redirect{To: a.next}, nil
	}
	if err := w.knowCompany(id.Company); err != nil {
		return nil, err
	}
	return Redirect{To: a.next}, w.changeCompany(id.Company.CNPJ, func(c *Company) { c.link(found.cpf, now) })
}

// knowCompany makes a company that the world does not know yet, as the
// certificate names it. The caller locks.
func (w *World) knowCompany(c *icpbrasil.Company) error {
	if w.companies[c.CNPJ] != nil {
		return nil
	}
	return w.putCompany(&Company{CNPJ: c.CNPJ, Name: orElse(plainName(c.Name, string(c.CNPJ)), "EMPRESA FICTÍCIA"), Members: []Member{}})
}

// plainName takes the number and the mark of test certificates out of a common name.
func plainName(name, number string) string {
	name = strings.TrimSuffix(name, ":"+number)
	return strings.TrimSpace(strings.TrimPrefix(name, testca.Mark))
}

// mailOf is an address that an account may have, or "".
func mailOf(address string) string {
	if !mailPattern.MatchString(address) {
		return ""
	}
	return address
}
