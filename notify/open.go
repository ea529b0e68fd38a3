package notify

import (
	"crypto/tls"
	"crypto/x509"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"selo/clock"
	"selo/fault"
)

// Options are what the address of a sender does not say.
type Options struct {
	From    string         // sender: "Selo <selo@inmetro.example>"; the address's from= wins; empty means selo@localhost
	Clock   clock.Clock    // dates the messages; nil means the machine's
	RootCAs *x509.CertPool // trusted authorities; nil means the machine's
}

// defaultTimeout bounds one whole delivery.
const defaultTimeout = 30 * time.Second

// Open returns the sender that address describes:
//
//	folder:DIR                                       a folder of .eml files, made when missing
//	smtp://user:password@host:587?from=A&tls=T       STARTTLS: T is mandatory (default), opportunistic or none
//	smtps://user:password@host:465?from=A            TLS from the first byte
//
// Both SMTP forms take timeout=30s; user, password and port may be left out.
// It connects to nothing yet. It returns fault.Invalid "mail.url" naming the
// part that is wrong; the password never shows.
func Open(address string, o Options) (Sender, error) {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if dir, ok := strings.CutPrefix(address, "folder:"); ok {
		return openFolder(dir, o)
	}
	u, err := url.Parse(address)
	if err != nil {
		scheme, _, _ := strings.Cut(address, ":") // what follows may hold the password
		return nil, fault.New(fault.Invalid, "mail.url", "valor", scheme+":…", "parte", "URL")
	}
	return openSMTP(u, o)
}

func openFolder(dir string, o Options) (Sender, error) {
	if strings.TrimSpace(dir) == "" {
		return nil, fault.New(fault.Invalid, "mail.url", "valor", "folder:", "parte", "DIR")
	}
	from, err := sender(o.From)
	if err != nil {
		return nil, err
	}
	return &Folder{dir: dir, from: from, clock: o.Clock}, nil
}

// sender parses the address messages come from.
func sender(from string) (*netmail.Address, error) {
	if from == "" {
		from = "Selo <selo@localhost>"
	}
	return parseAddress(from)
}

func openSMTP(u *url.URL, o Options) (Sender, error) {
	wrong := func(part string) error {
		return fault.New(fault.Invalid, "mail.url", "valor", u.Redacted(), "parte", part)
	}
	if u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, wrong("smtp:// smtps:// folder:")
	}
	if u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return nil, wrong("host")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, wrong("?")
	}
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]" // IPv6
	}
	s := &SMTP{host: host, clock: o.Clock, tls: &tls.Config{
		ServerName: u.Hostname(), RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12,
	}}
	options, part := smtpOptions(u, query)
	if part != "" {
		return nil, wrong(part)
	}
	s.options = options
	from := o.From
	if query.Has("from") {
		from = query.Get("from")
	}
	if s.from, err = sender(from); err != nil {
		return nil, wrong("from")
	}
	client, err := s.client()
	if err != nil {
		return nil, wrong("host")
	}
	s.address = client.ServerAddr()
	return s, nil
}

// smtpOptions turns the address into options of the mail library, or names the part that is wrong.
func smtpOptions(u *url.URL, query url.Values) (options []mail.Option, wrong string) {
	for name := range query {
		if name != "from" && name != "tls" && name != "timeout" {
			return nil, name
		}
	}
	timeout := defaultTimeout
	if text := query.Get("timeout"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return nil, "timeout"
		}
		timeout = d
	}
	options = append(options, mail.WithTimeout(timeout))

	port, encrypted := 587, true
	policy := query.Get("tls")
	switch {
	case u.Scheme == "smtps" && policy == "":
		port = 465
		options = append(options, mail.WithSSL())
	case u.Scheme == "smtps":
		return nil, "tls" // smtps is TLS already
	case policy == "" || policy == "mandatory":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case policy == "opportunistic":
		encrypted = false
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	case policy == "none":
		encrypted = false
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, "tls"
	}

	if text := u.Port(); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 65535 {
			return nil, "port"
		}
		port = n
	}
	options = append(options, mail.WithPort(port))
	return append(options, authOptions(u, encrypted)...), ""
}

// authOptions signs in when the address names a user. Over a connection that
// may be plain the password is sent readable to this very machine only.
func authOptions(u *url.URL, encrypted bool) []mail.Option {
	if u.User == nil || u.User.Username() == "" {
		return nil
	}
	method := mail.SMTPAuthAutoDiscover
	if !encrypted && isLoopback(u.Hostname()) {
		method = mail.SMTPAuthPlainNoEnc
	}
	password, _ := u.User.Password()
	return []mail.Option{
		mail.WithSMTPAuth(method), mail.WithUsername(u.User.Username()), mail.WithPassword(password),
	}
}
