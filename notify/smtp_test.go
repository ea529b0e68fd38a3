package notify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"selo/clock"
	"selo/fault"
)

// postOffice is a mail server that keeps what it receives.
type postOffice struct {
	refuse   string // a recipient it does not know
	password string // sign-in is required when set

	mu   sync.Mutex
	mail []envelope
}

type envelope struct {
	from string
	to   []string
	data string
	tls  bool
}

func (p *postOffice) received() []envelope {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mail
}

func (p *postOffice) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{office: p, conn: c, known: p.password == ""}, nil
}

type session struct {
	office  *postOffice
	conn    *smtp.Conn
	known   bool
	current envelope
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "selo" || password != s.office.password {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *session) Reset()        { s.current = envelope{} }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	s.current.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to == s.office.refuse {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "caixa inexistente"}
	}
	s.current.to = append(s.current.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.current.data = string(data)
	_, s.current.tls = s.conn.TLSConnectionState()
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.office.mail = append(s.office.mail, s.current)
	return nil
}

// open starts the office on this machine and returns its port and certificate.
func (p *postOffice) open(t *testing.T, starttls, implicit bool) (hostport string, roots *x509.CertPool) {
	t.Helper()
	config, roots := certificateOf(t)
	s := smtp.NewServer(p)
	s.Domain = "correio.example"
	s.AllowInsecureAuth = true
	s.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are part of the tests
	if starttls {
		s.TLSConfig = config
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hostport = l.Addr().String()
	if implicit {
		l = tls.NewListener(l, config)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = l.Close() // Serve may not have begun, and then s does not know its listener
		_ = s.Close() // ends the connections; the listener is closed already
		if err := <-served; err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Errorf("mail server: %v", err)
		}
	})
	return hostport, roots
}

func certificateOf(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := clock.System{}.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "correio.example"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

func TestSMTPDelivers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		scheme, user, query string
		password            string
		starttls, implicit  bool
		wantTLS             bool
	}{
		"plain":                        {scheme: "smtp", query: "&tls=none"},
		"plain with sign-in":           {scheme: "smtp", user: "selo:a%40b@", password: "a@b", query: "&tls=none"},
		"STARTTLS mandatory":           {scheme: "smtp", starttls: true, wantTLS: true},
		"STARTTLS mandatory, sign-in":  {scheme: "smtp", user: "selo:s3nha@", password: "s3nha", starttls: true, wantTLS: true},
		"STARTTLS when there is":       {scheme: "smtp", query: "&tls=opportunistic", starttls: true, wantTLS: true},
		"STARTTLS when there is not":   {scheme: "smtp", query: "&tls=opportunistic"},
		"TLS from the start":           {scheme: "smtps", implicit: true, wantTLS: true},
		"TLS from the start, sign-in":  {scheme: "smtps", user: "selo:s3nha@", password: "s3nha", implicit: true, wantTLS: true},
		"opportunistic, local sign-in": {scheme: "smtp", user: "selo:x@", password: "x", query: "&tls=opportunistic"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			office := &postOffice{password: tt.password}
			hostport, roots := office.open(t, tt.starttls, tt.implicit)
			from := url.QueryEscape("Selo Ação <selo@inmetro.example>")
			s, err := Open(tt.scheme+"://"+tt.user+hostport+"?from="+from+tt.query, Options{RootCAs: roots, Clock: noon()})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // a job that runs again
				if err := s.Send(t.Context(), example()); err != nil {
					t.Fatal(err)
				}
			}
			got := office.received()
			if len(got) != 2 {
				t.Fatalf("%d messages received", len(got))
			}
			if got[0].from != "selo@inmetro.example" || strings.Join(got[0].to, " ") != "ana@ocp.example support@ocp.example" {
				t.Errorf("envelope from %q to %q", got[0].from, got[0].to)
			}
			if got[0].tls != tt.wantTLS {
				t.Errorf("over TLS: %v", got[0].tls)
			}
			checkExample(t, got[0].data, "Selo Ação")
			first, second := parseMail(t, got[0].data), parseMail(t, got[1].data)
			if id := first.Header.Get("Message-ID"); id == "" || id != second.Header.Get("Message-ID") {
				t.Errorf("message IDs %q and %q", id, second.Header.Get("Message-ID"))
			}
		})
	}
}

func TestSMTPRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		user, query        string
		password, refuse   string
		starttls           bool
		distrust, implicit bool
		key, reply         string
	}{
		"unknown recipient":   {refuse: "support@ocp.example", query: "&tls=none", key: "mail.refused", reply: "550 5.1.1 caixa inexistente"},
		"wrong password":      {user: "selo:errada@", password: "certa", starttls: true, key: "mail.refused", reply: "535 "},
		"no password":         {password: "certa", query: "&tls=none", key: "mail.refused", reply: "502 5.7.0"},
		"no STARTTLS":         {key: "mail.unsupported"},
		"distrusted":          {starttls: true, distrust: true, key: "mail.insecure"},
		"distrusted smtps":    {implicit: true, distrust: true, key: "mail.insecure"},
		"nobody listens":      {query: "&tls=none", key: "mail.unreachable"},
		"hangs up":            {query: "&tls=none", key: "mail.unreachable"},
		"smtps to plain port": {key: "mail.insecure"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			office := &postOffice{password: tt.password, refuse: tt.refuse}
			var hostport string
			var roots *x509.CertPool
			switch name {
			case "nobody listens":
				hostport = closedPort(t)
			case "hangs up":
				hostport = hangingUp(t)
			default:
				hostport, roots = office.open(t, tt.starttls, tt.implicit)
			}
			if tt.distrust {
				roots = x509.NewCertPool()
			}
			scheme := "smtp"
			if tt.implicit || strings.HasPrefix(name, "smtps") {
				scheme = "smtps"
			}
			s, err := Open(scheme+"://"+tt.user+hostport+"?timeout=10s"+tt.query, Options{RootCAs: roots, Clock: noon()})
			if err != nil {
				t.Fatal(err)
			}
			err = s.Send(t.Context(), example())
			if !fault.Is(err, fault.Unavailable) || !fault.HasKey(err, tt.key) {
				t.Fatalf("got %v, want %s", err, tt.key)
			}
			f := fault.Of(err)
			if f.Args["servidor"] != hostport || !strings.HasPrefix(f.Args["resposta"], tt.reply) {
				t.Errorf("args %v", f.Args)
			}
			if f.Cause == nil || strings.Contains(err.Error(), "errada") {
				t.Errorf("cause %v", f.Cause)
			}
			if n := len(office.received()); n != 0 {
				t.Errorf("%d messages received", n)
			}
		})
	}
}

// closedPort returns an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// hangingUp returns the address of a server that closes every connection.
func hangingUp(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close() // that is its whole service
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

func TestSMTPStopsWithItsContext(t *testing.T) {
	t.Parallel()
	office := &postOffice{}
	hostport, _ := office.open(t, false, false)
	s, err := Open("smtp://"+hostport+"?tls=none", Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Send(ctx, example()); !errors.Is(err, context.Canceled) || fault.Of(err) != nil {
		t.Errorf("got %v", err)
	}
}

func TestSMTPIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	office := &postOffice{password: "s3nha"}
	hostport, roots := office.open(t, true, false)
	s, err := Open("smtp://selo:s3nha@"+hostport, Options{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := s.Send(t.Context(), example()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(office.received()); n != 8 {
		t.Errorf("%d messages received", n)
	}
}
