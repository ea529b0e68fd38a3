package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"

	"selo/clock"
	"selo/fault"
)

// SMTP sends through a mail server, with one connection for each message.
type SMTP struct {
	host    string
	address string // host:port, for messages to people
	from    *netmail.Address
	clock   clock.Clock
	tls     *tls.Config
	options []mail.Option
}

// client returns a new client: it keeps the state of its sign-in, and it
// writes to its TLS configuration, so each delivery has its own.
func (s *SMTP) client() (*mail.Client, error) {
	return mail.NewClient(s.host, append(slices.Clone(s.options), mail.WithTLSConfig(s.tls.Clone()))...)
}

// Send delivers m to the server. See Sender for its faults.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	out, err := compose(m, s.from, s.clock.Now())
	if err != nil {
		return err
	}
	client, err := s.client()
	if err != nil {
		return fmt.Errorf("send mail %s: %w", m.ID, err)
	}
	if err := client.DialAndSendWithContext(ctx, out); err != nil {
		if out.IsDelivered() {
			return nil // the server took it; only the farewell failed
		}
		return s.explain(ctx, err)
	}
	return nil
}

// explain turns a delivery error into what a person can act on.
func (s *SMTP) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("send mail to %s: %w", s.address, ctx.Err())
	}
	unavailable := func(key string) error {
		return fault.New(fault.Unavailable, key, "servidor", s.address).Because(err)
	}
	if reply, ok := replyOf(err); ok {
		return fault.New(fault.Unavailable, "mail.refused", "servidor", s.address, "resposta", reply).Because(err)
	}
	var unverified *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	var alert tls.AlertError
	if errors.As(err, &unverified) || errors.As(err, &notTLS) || errors.As(err, &alert) {
		return unavailable("mail.insecure")
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded) {
		return unavailable("mail.unreachable")
	}
	var delivery *mail.SendError
	if errors.As(err, &delivery) {
		return unavailable("mail.unreachable") // the connection broke on the way
	}
	// What is left is refused by our side before anything is sent: a server
	// without STARTTLS or without a safe way to sign in.
	return unavailable("mail.unsupported")
}

// replyOf finds the server's own answer: "550 5.1.1 no such user".
func replyOf(err error) (string, bool) {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return oneLine(fmt.Sprintf("%d %s", reply.Code, reply.Msg)), true
	}
	var delivery *mail.SendError
	if !errors.As(err, &delivery) || delivery.ErrorCode() == 0 {
		return "", false
	}
	// The library keeps the server's words, quoted, inside its own sentence.
	code := strconv.Itoa(delivery.ErrorCode())
	_, words, _ := strings.Cut(delivery.Error(), ": "+code+" ")
	quoted, err := strconv.QuotedPrefix(words)
	if err != nil {
		return code, true
	}
	words, err = strconv.Unquote(quoted)
	if err != nil {
		return code, true
	}
	return oneLine(code + " " + words), true
}

// isLoopback tells whether host is this machine.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
