package notify

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"selo/clock"
	"selo/fault"
)

func noon() *clock.Manual {
	return clock.NewManual(time.Date(2025, 3, 1, 15, 0, 0, 0, time.UTC))
}

func example() Message {
	return Message{
		ID:      "remessa/CCB-000042/confirmada",
		To:      []string{`"Ana Luz, Certificação" <ana@ocp.example>`, "support@ocp.example", "ANA@ocp.example"},
		Subject: "Remessa CCB-000042 confirmada: certificação de brinquedos, extintores e colchões — situação",
		Text:    "Olá, Ana.\n\nA remessa foi confirmada.\n.\nCódigo: 7K3M\n",
		Attachments: []Attachment{
			{Name: "relatório de não conformidade.pdf", Type: "application/pdf", Data: []byte{0, 255, 13, 10, 46, 10}},
			{Name: "dados.csv", Type: "text/csv; charset=utf-8", Data: []byte("a;b\n1;2\n")},
		},
	}
}

func parseMail(t *testing.T, data string) *mail.Message {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	return m
}

// checkExample reads a mail with the standard library and compares it with example.
func checkExample(t *testing.T, data, fromName string) {
	t.Helper()
	want := example()
	m := parseMail(t, data)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != want.Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	from, err := m.Header.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Name != fromName {
		t.Errorf("from %v, %v", from, err)
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 2 || to[0].Name != "Ana Luz, Certificação" || to[0].Address != "ana@ocp.example" || to[1].Address != "support@ocp.example" {
		t.Errorf("to %v, %v", to, err)
	}
	date, err := m.Header.Date()
	if err != nil || !date.Equal(noon().Now()) {
		t.Errorf("date %v, %v", date, err)
	}
	if m.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Error("not marked as automatic")
	}
	parts := readParts(t, m)
	if len(parts) != 1+len(want.Attachments) {
		t.Fatalf("%d parts", len(parts))
	}
	if text := strings.ReplaceAll(string(parts[0].data), "\r\n", "\n"); text != want.Text {
		t.Errorf("text %q", text)
	}
	for i, a := range want.Attachments {
		got := parts[i+1]
		if got.name != a.Name || !bytes.Equal(got.data, a.Data) || got.kind != strings.Split(a.Type, ";")[0] {
			t.Errorf("attachment %q %s: %q", got.name, got.kind, got.data)
		}
	}
}

type part struct {
	name, kind string
	data       []byte
}

func readParts(t *testing.T, m *mail.Message) []part {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var parts []part
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = p
		switch enc := p.Header.Get("Content-Transfer-Encoding"); enc {
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, p)
		case "quoted-printable":
			body = quotedprintable.NewReader(p)
		default:
			t.Errorf("encoding %q", enc)
		}
		data, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err != nil {
			t.Error(err)
		}
		parts = append(parts, part{p.FileName(), kind, data})
	}
}

func openFolderIn(t *testing.T, dir string, c clock.Clock) Sender {
	t.Helper()
	s, err := Open("folder:"+dir, Options{From: "Selo Ação <selo@inmetro.example>", Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFolderKeepsOneFileForAnID(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "saída (correio) [1]", "a?b#c")
	c := noon()
	s := openFolderIn(t, dir, c)
	for range 3 {
		if err := s.Send(t.Context(), example()); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Minute)
	}
	other := example()
	other.ID = "remessa/CCB-000043/confirmada"
	if err := s.Send(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	if !strings.HasPrefix(entries[0].Name(), "20250301T150000.000000Z-") || !strings.HasPrefix(entries[1].Name(), "20250301T150300") {
		t.Errorf("names %v", entries)
	}
	data, err := os.ReadFile(filepath.Join(dir, entries[0].Name()))
	if err != nil {
		t.Fatal(err)
	}
	checkExample(t, string(data), "Selo Ação")
}

func TestFolderFromManySendersAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 16 {
		c := noon()
		c.Advance(time.Duration(i*7%16) * time.Second)
		s := openFolderIn(t, dir, c)
		wg.Go(func() {
			if err := s.Send(t.Context(), example()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "arquivo")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := openFolderIn(t, file, noon()).Send(t.Context(), example())
	if !fault.Is(err, fault.Unavailable) || !fault.HasKey(err, "mail.folder") || fault.Of(err).Args["pasta"] != file {
		t.Errorf("got %v", err)
	}
}

func TestNoInputAddsAHeaderOrARecipient(t *testing.T) {
	t.Parallel()
	attack := "x\r\nBcc: eve@evil.example\r\n\r\nbody\u2028\u0085\x00y"
	m := example()
	m.ID = attack
	m.Subject = attack
	m.To = []string{`"a b" <ana@ocp.example>`}
	m.Attachments = []Attachment{
		{Name: "../../" + attack + `".pdf`, Type: "text/plain; x=\"\r\nBcc: eve@evil.example\"", Data: []byte("1")},
		{Name: "..", Type: attack, Data: []byte("2")},
		{Name: `C:\pasta\plano.txt`, Type: "multipart/mixed; boundary=x", Data: []byte("3")},
	}
	dir := t.TempDir()
	if err := openFolderIn(t, dir, noon()).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	data, err := os.ReadFile(filepath.Join(dir, entries[0].Name()))
	if err != nil {
		t.Fatal(err)
	}
	got := parseMail(t, string(data))
	if got.Header.Get("Bcc") != "" {
		t.Error("a header was added")
	}
	wantHeaders := map[string]bool{
		"Date": true, "From": true, "To": true, "Subject": true, "Message-Id": true,
		"Mime-Version": true, "Content-Type": true, "Auto-Submitted": true,
	}
	for name := range got.Header {
		if !wantHeaders[name] {
			t.Errorf("header %s", name)
		}
	}
	parts := readParts(t, got)
	if len(parts) != 4 {
		t.Fatalf("%d parts", len(parts))
	}
	names := []string{parts[1].name, parts[2].name, parts[3].name}
	if !reflect.DeepEqual(names[1:], []string{"anexo", "plano.txt"}) || strings.ContainsAny(names[0], "/\\\r\n\x00") {
		t.Errorf("names %q", names)
	}
	if parts[2].kind != "application/octet-stream" || parts[3].kind != "application/octet-stream" {
		t.Errorf("kinds %q %q", parts[2].kind, parts[3].kind)
	}
}

func TestBadRecipients(t *testing.T) {
	t.Parallel()
	s := openFolderIn(t, t.TempDir(), noon())
	for _, to := range []string{
		"", "ana", "ana@", "a@b.example, c@d.example", "ana@ocp.example\r\nBcc: eve@evil.example",
		"\"a\r\nb\"@ocp.example", "\"a\\\nb\"@ocp.example", "undisclosed:;",
	} {
		m := example()
		m.To = []string{to}
		if err := s.Send(t.Context(), m); !fault.Is(err, fault.Invalid) || !fault.HasKey(err, "mail.address") {
			t.Errorf("%q: %v", to, err)
		}
	}
	m := example()
	m.To = nil
	if err := s.Send(t.Context(), m); !fault.HasKey(err, "mail.no_recipient") {
		t.Errorf("nobody: %v", err)
	}
	m = example()
	m.ID = ""
	if err := s.Send(t.Context(), m); err == nil || fault.Of(err) != nil {
		t.Errorf("no ID: %v", err)
	}
}

func TestJobArguments(t *testing.T) {
	t.Parallel()
	args, err := Encode(example())
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(args)
	if err != nil || !reflect.DeepEqual(got, example()) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := Decode([]byte(`{"to":"x"}`)); err == nil {
		t.Error("unknown members were read")
	}
	dir := t.TempDir()
	handle := Handler(openFolderIn(t, dir, noon()))
	for range 2 {
		if err := handle(t.Context(), args); err != nil {
			t.Fatal(err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if err := handle(t.Context(), []byte("{")); err == nil {
		t.Error("half a message was sent")
	}
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for address, part := range map[string]string{
		"":                                        "smtp:// smtps:// folder:",
		"ftp://a.example":                         "smtp:// smtps:// folder:",
		"folder:":                                 "DIR",
		"smtp://":                                 "host",
		"smtp://a.example/caixa":                  "host",
		"smtp://a.example?tls=talvez":             "tls",
		"smtps://a.example?tls=none":              "tls",
		"smtp://a.example?timeout=-1s":            "timeout",
		"smtp://a.example?timeout=logo":           "timeout",
		"smtp://a.example:0":                      "port",
		"smtp://a.example:99999":                  "port",
		"smtp://a.example?de=x":                   "de",
		"smtp://a.example?from=ninguem":           "from",
		"smtp://selo:segredo@a.example?x=1":       "x",
		"smtp://selo:segredo%zz@a.example":        "URL",
		"smtp://selo:segredo@a.example?from=%zz;": "?",
	} {
		_, err := Open(address, Options{})
		if !fault.Is(err, fault.Invalid) || !fault.HasKey(err, "mail.url") || fault.Of(err).Args["parte"] != part {
			t.Errorf("%q: %v", address, err)
			continue
		}
		if strings.Contains(err.Error(), "segredo") {
			t.Errorf("the password shows: %v", err)
		}
	}
	if _, err := Open("folder:x", Options{From: "ninguem"}); !fault.HasKey(err, "mail.address") {
		t.Errorf("bad sender: %v", err)
	}
}

func TestDefaultPorts(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"smtp://a.example": "a.example:587", "smtps://a.example": "a.example:465", "smtp://[::1]:25": "[::1]:25",
	} {
		s, err := Open(address, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.(*SMTP).address; got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add("assunto", "a@b.example", "a.pdf", "text/plain")
	f.Add("é\r\nBcc: x@y.example", `"é" <a@b.example>`, "\n.pdf", "text/plain; a=\"\n\"")
	from := &mail.Address{Address: "selo@inmetro.example"}
	f.Fuzz(func(t *testing.T, subject, to, name, kind string) {
		m, err := compose(Message{
			ID: "x", To: []string{to}, Subject: subject, Text: "t",
			Attachments: []Attachment{{Name: name, Type: kind}},
		}, from, noon().Now())
		if err != nil {
			return
		}
		var b bytes.Buffer
		if _, err := m.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		got, err := mail.ReadMessage(&b)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Header) != 8 {
			t.Errorf("%d headers: %v", len(got.Header), got.Header)
		}
		if list, err := got.Header.AddressList("To"); err != nil || len(list) != 1 {
			t.Errorf("recipients %v, %v", list, err)
		}
		if parts := readParts(t, got); len(parts) != 2 {
			t.Errorf("%d parts", len(parts))
		}
	})
}
