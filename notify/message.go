// Package notify sends mail.
//
// A room that wants to tell somebody something enqueues a job of [Kind] with
// the encoded [Message] in its own transaction; the job's [Handler] hands it to
// a [Sender]. There are two senders: an SMTP server, and a folder of .eml files
// for a computer without one.
//
// Promises: a message goes out at least once, and the same ID always carries
// the same Message-ID, so that receivers drop repeats (RFC 5322, 3.6.4); the
// folder keeps one file for each ID. No input can add a header or a recipient.
//
// It does not write the words of a message, draw HTML, or receive mail.
package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"

	"selo/fault"
)

// Kind is the job kind whose arguments are an encoded Message.
const Kind = "mail"

// Message is one mail, plain text in UTF-8. A server that refuses one of its
// recipients refuses the whole; send one message each to people who do not
// work together.
type Message struct {
	ID          string       `json:"id"`   // the same for every attempt: "remessa/CCB-000042/confirmada"
	To          []string     `json:"para"` // addresses, with or without a name: "Ana Luz <ana@ocp.example>"
	Subject     string       `json:"assunto"`
	Text        string       `json:"texto"` // lines end in "\n"
	Attachments []Attachment `json:"anexos,omitempty"`
}

// Attachment is a file that goes with a message.
type Attachment struct {
	Name string `json:"nome"` // file name without folders
	Type string `json:"tipo"` // media type; empty or malformed means application/octet-stream
	Data []byte `json:"dados"`
}

// Encode returns m as the arguments of a job.
func Encode(m Message) ([]byte, error) {
	args, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode mail %s: %w", m.ID, err)
	}
	return args, nil
}

// Decode reads what Encode wrote.
func Decode(args []byte) (Message, error) {
	d := json.NewDecoder(bytes.NewReader(args))
	d.DisallowUnknownFields()
	var m Message
	if err := d.Decode(&m); err != nil {
		return Message{}, fmt.Errorf("decode mail: %w", err)
	}
	return m, nil
}

// Handler returns the job handler of Kind. Its faults are those of Sender.
func Handler(s Sender) func(ctx context.Context, args []byte) error {
	return func(ctx context.Context, args []byte) error {
		m, err := Decode(args)
		if err != nil {
			return err
		}
		return s.Send(ctx, m)
	}
}

// Sender sends one message. It is safe for concurrent use.
//
// It returns fault.Invalid "mail.address" or "mail.no_recipient" for a message
// that can never go out, and fault.Unavailable "mail.unreachable",
// "mail.refused", "mail.insecure", "mail.unsupported" or "mail.folder" when it
// did not go out this time.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// digest names an ID in file names and message IDs: 32 hexadecimal digits.
func digest(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:16])
}

// compose turns m into a mail from the given address, dated now.
func compose(m Message, from *netmail.Address, now time.Time) (*mail.Msg, error) {
	if m.ID == "" {
		return nil, errors.New("compose mail: message has no ID")
	}
	to, err := recipients(m)
	if err != nil {
		return nil, err
	}
	domain := from.Address[strings.LastIndexByte(from.Address, '@')+1:]
	out := mail.NewMsg(mail.WithNoDefaultUserAgent())
	out.FromMailAddress(from)
	out.ToMailAddress(to...)
	out.Subject(oneLine(m.Subject))
	out.SetDateWithValue(now)
	out.SetMessageIDWithValue(digest(m.ID) + "@" + domain)
	out.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no holiday replies
	out.SetBodyString(mail.TypeTextPlain, m.Text)
	for _, a := range m.Attachments {
		if err := attach(out, a); err != nil {
			return nil, fmt.Errorf("compose mail %s: %w", m.ID, err)
		}
	}
	return out, nil
}

// recipients parses the addresses of m and drops repeats.
func recipients(m Message) ([]*netmail.Address, error) {
	var list []*netmail.Address
	seen := map[string]bool{}
	for _, to := range m.To {
		a, err := parseAddress(to)
		if err != nil {
			return nil, err
		}
		if key := strings.ToLower(a.Address); !seen[key] {
			seen[key] = true
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return nil, fault.New(fault.Invalid, "mail.no_recipient", "assunto", oneLine(m.Subject))
	}
	return list, nil
}

// parseAddress reads one address, with or without a name. Control characters
// never pass, not even inside quotes.
func parseAddress(s string) (*netmail.Address, error) {
	a, err := netmail.ParseAddress(s)
	if err == nil && strings.ContainsFunc(a.Address, unicode.IsControl) {
		err = errors.New("control character in address")
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "mail.address", "valor", oneLine(s)).Because(err)
	}
	a.Name = oneLine(a.Name)
	return a, nil
}

// oneLine turns every run of white space and control characters into one space,
// so that a value cannot end its header line.
func oneLine(s string) string {
	separator := func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	}
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), separator), " ")
}

// attach adds a file. Names outside ASCII are written as RFC 2231 says, which
// go-mail does not do by itself.
func attach(m *mail.Msg, a Attachment) error {
	name := oneLine(a.Name)
	name = strings.Trim(name[strings.LastIndexAny(name, `/\`)+1:], ". ")
	if name == "" {
		name = "anexo"
	}
	kind, params, err := mime.ParseMediaType(a.Type)
	if err != nil || !strings.Contains(kind, "/") || strings.HasPrefix(kind, "multipart/") {
		kind, params = "application/octet-stream", map[string]string{}
	}
	params["name"] = name
	headers := func(f *mail.File) {
		f.Header.Set("Content-Type", mime.FormatMediaType(kind, params))
		f.Header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	}
	return m.AttachReader(name, bytes.NewReader(a.Data), headers)
}
