// Package webtest starts the site over a small real snapshot, for tests of its
// pages. The companies, classes and documents are the demonstration's; the
// certificates are those of records.go, one for each thing that a page must
// cope with.
//
// The snapshot is built by catalog.Build from revisions in memory; the ledger
// has no checkpoint that could be proved.
package webtest

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"selo/api"
	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/clock"
	"selo/demo"
	"selo/web"
)

// Moment is when the site's clock stands: 10 March 2026, 12:00 in Brasília.
var Moment = time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)

// When the records came into the ledger: all of them, and what changed later.
var (
	Accepted  = Moment.AddDate(0, 0, -20)
	Revisited = Moment.AddDate(0, 0, -5)
)

// Site is a running site.
type Site struct {
	URL    string
	Server *web.Server
	Clock  *clock.Manual
	Holder *catalog.Holder
	Log    *Log

	t testing.TB
}

// Log is what the site has logged. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is everything so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Start runs the site with a snapshot until the test ends; change may alter
// what it stands on before it starts.
func Start(t testing.TB, change ...func(*web.Deps)) *Site {
	t.Helper()
	s := StartEmpty(t, change...)
	s.Publish()
	return s
}

// StartEmpty is [Start] before the first publication.
func StartEmpty(t testing.TB, change ...func(*web.Deps)) *Site {
	t.Helper()
	s := &Site{Clock: clock.NewManual(Moment), Holder: &catalog.Holder{}, Log: &Log{}, t: t}
	deps := web.Deps{Catalog: s.Holder, Clock: s.Clock, Version: "1.2.3", URL: "https://selo.example",
		Log: slog.New(slog.NewTextHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	api := api.New(api.Deps{Catalog: s.Holder, Clock: s.Clock, Version: deps.Version, URL: deps.URL, Log: deps.Log, Temp: t.TempDir()})
	deps.OpenData, deps.Document = api.OpenData, api.Document()
	for _, c := range change {
		c(&deps)
	}
	s.Server = web.New(deps)
	server := httptest.NewServer(s.Server)
	s.URL = server.URL
	t.Cleanup(func() {
		server.Close()
		s.Holder.Swap(nil)
	})
	return s
}

// Publish shows a fresh snapshot of all records.
func (s *Site) Publish() {
	s.t.Helper()
	s.PublishAlso(nil, nil)
}

// PublishAlso shows more revisions after all records, under a reference that
// change, if any, alters. A revision without a body is of [Body].
func (s *Site) PublishAlso(more []certificate.Revision, change func(*catalog.Reference)) {
	s.t.Helper()
	src, err := newSource(more)
	s.must(err)
	src.change = change
	path := filepath.Join(s.t.TempDir(), "retrato.sqlite")
	publication := catalog.Publication{Number: 7, At: Moment.Add(-14 * time.Hour), Size: int64(len(src.entries)),
		Root: certificate.Hash(sha256.Sum256([]byte("webtest"))), Checkpoint: "selo.example/webtest\n"}
	s.must(catalog.Build(s.t.Context(), src, publication, path, catalog.Options{}))
	c, err := catalog.Open(s.t.Context(), path, catalog.OpenOptions{Clock: s.Clock})
	s.must(err)
	s.Holder.Swap(c)
}

func (s *Site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Get asks for a path as it is written: it is not cleaned, and redirects are
// not followed. header holds names and values by turns.
func (s *Site) Get(path string, header ...string) Answer {
	s.t.Helper()
	return s.Do(http.MethodGet, path, nil, header...)
}

// Post sends a form.
func (s *Site) Post(path string, form url.Values, header ...string) Answer {
	s.t.Helper()
	return s.Do(http.MethodPost, path, form, header...)
}

// Do sends a request; form may be nil.
func (s *Site) Do(method, path string, form url.Values, header ...string) Answer {
	s.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, body)
	s.must(err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	s.must(err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	s.must(err)
	return Answer{res.StatusCode, res.Header, string(data)}
}

// source is a ledger in memory.
type source struct {
	entries []entry
	change  func(*catalog.Reference)
}

type entry struct {
	catalog.Entry
	kind       certificate.Kind
	superseded bool // a later revision of the record follows
}

func newSource(more []certificate.Revision) (*source, error) {
	all, err := records(brasil.Today(Moment))
	if err != nil {
		return nil, err
	}
	all = append(all, more...)
	s := &source{}
	newest := map[certificate.ID]int{}
	for i := range all {
		r := &all[i]
		accepted := Accepted
		if before, again := newest[r.ID]; again {
			r.Number, r.Previous, accepted = all[before].Number, s.entries[before].Hash, Revisited
			s.entries[before].superseded = true
		}
		newest[r.ID] = i
		r.Number++
		if r.ApprovedAt = Moment.AddDate(0, -1, 0); r.Body == "" {
			r.Body = Body
		}
		canonical, err := r.Encode()
		if err != nil {
			return nil, err
		}
		s.entries = append(s.entries, entry{kind: r.Kind(), Entry: catalog.Entry{Index: int64(i), Hash: certificate.HashOf(canonical),
			Body: r.Body, AcceptedAt: accepted, Canonical: canonical}})
	}
	return s, nil
}

// EachRevision implements catalog.Source; publications show every revision.
func (s *source) EachRevision(ctx context.Context, kind certificate.Kind, from, to int64, newest bool, fn func(catalog.Entry) error) error {
	for _, e := range s.entries[from:to] {
		if kind != "" && kind != e.kind || newest && e.superseded {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(e.Entry); err != nil {
			return err
		}
	}
	return nil
}

// Reference implements catalog.Source.
func (s *source) Reference(context.Context) (catalog.Reference, error) {
	tables, err := demo.Tables()
	ref := catalog.Reference{Bodies: map[certificate.Sigla]string{Body: BodyName}, Tables: tables}
	if s.change != nil {
		s.change(&ref)
	}
	return ref, err
}
