package replica

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"selo/catalog"
	"selo/clock"
	"selo/fault"
)

const (
	// DefaultMaxBytes is the largest snapshot that is fetched.
	DefaultMaxBytes = 32 << 30

	maxList   = 4 << 20 // bytes of the list of publications
	attempts  = 4       // at one download in one look; the next look goes on with it
	listLimit = 30 * time.Second
	stall     = time.Minute // how long a download may stand still
	// A snapshot that was fetched whole and refused is not fetched again before
	// this, and then after twice as long each time, up to maxRefused.
	minRefused = 5 * time.Minute
	maxRefused = 6 * time.Hour
)

// Remote fetches snapshots from a registry or from another node over HTTP.
// Plain http is taken as well: what counts is signed.
type Remote struct {
	base  *url.URL
	shelf *catalog.Shelf
	opts  RemoteOptions
	http  *http.Client

	// The last snapshot that was fetched and refused.
	refused      *Refusal
	refusedFile  string // its digest
	refusedUntil time.Time
	refusedWait  time.Duration
}

// RemoteOptions may be zero but for Check: a snapshot from a network is worth
// what its signature is.
type RemoteOptions struct {
	Check    func(text []byte, signature string) error // of a seal
	Clock    clock.Clock                               // nil is the machine's
	HTTP     http.RoundTripper                         // nil is a transport with timeouts of its own
	MaxBytes int64                                     // of a snapshot; zero is [DefaultMaxBytes]
	Pause    time.Duration                             // before the second attempt; zero is half a second
	Agent    string                                    // User-Agent; empty is "selo"
}

// NewRemote makes a source of what is at address, "https://selo.inmetro.example";
// snapshots come onto the shelf. Fault: Invalid "courier.url".
func NewRemote(address string, shelf *catalog.Shelf, o RemoteOptions) (*Remote, error) {
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(address), "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fault.New(fault.Invalid, "courier.url", "endereco", fmt.Sprintf("%.200s", address)).Because(err)
	}
	if o.Check == nil {
		return nil, errors.New("a remote source needs a key")
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.HTTP == nil {
		o.HTTP = newTransport()
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Pause <= 0 {
		o.Pause = time.Second / 2
	}
	if o.Agent == "" {
		o.Agent = "selo"
	}
	return &Remote{base: u, shelf: shelf, opts: o, http: &http.Client{Transport: o.HTTP, CheckRedirect: sameServer}}, nil
}

// sameServer follows redirects within one server only.
func sameServer(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > 3 || r.URL.Host != first.Host || r.URL.Scheme != first.Scheme {
		return http.ErrUseLastResponse
	}
	return nil
}

// newTransport is http.DefaultTransport's like, with bounded waits.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  time.Minute,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		DisableCompression:     true,
	}
}

// offer is one publication as the other side lists it, with its file if it has it.
type offer struct {
	Number int64 `json:"numero"`
	File   *struct {
		Address string       `json:"endereco"`
		Bytes   int64        `json:"bytes"`
		Seal    catalog.Seal `json:"selo"`
	} `json:"arquivo"`
}

// Newest implements [Source]. Faults: Unavailable "replica.unreachable",
// "replica.strange"; refusals are the faults of catalog.Open and Invalid
// "replica.too_large".
func (r *Remote) Newest(ctx context.Context, after int64) (string, error) {
	o, err := r.newest(ctx)
	if err != nil || o == nil || o.Number <= after {
		return "", err
	}
	seal := &o.File.Seal
	if r.refused != nil && r.refusedFile == seal.Digest && r.opts.Clock.Now().Before(r.refusedUntil) {
		return "", r.refused
	}
	if err := r.believe(o); err != nil {
		return "", &Refusal{Publication: o.Number, Fault: err}
	}
	address, err := r.address(o.File.Address)
	if err != nil {
		return "", err
	}
	part, err := r.fetch(ctx, address, o)
	if f := fault.Of(err); f != nil && f.Kind == fault.Invalid {
		return "", r.refuse(o, f)
	}
	if err != nil {
		return "", err
	}
	if err := r.checked(ctx, part, o); err != nil {
		if f := fault.Of(err); f != nil && f.Kind == fault.Invalid {
			_ = os.Remove(part) // it will never be right
			return "", r.refuse(o, f)
		}
		return "", err
	}
	path := filepath.Join(r.shelf.Dir, catalog.FileName(o.Number))
	if err := os.Rename(part, path); err != nil {
		return "", fault.New(fault.Unavailable, "replica.disk", "pasta", r.shelf.Dir).Because(err)
	}
	r.refused, r.refusedWait = nil, 0
	return path, nil
}

// newest asks for the publications and gives the newest whose file is there;
// nil for none.
func (r *Remote) newest(ctx context.Context) (*offer, error) {
	ctx, cancel := context.WithTimeout(ctx, listLimit)
	defer cancel()
	req, err := r.request(ctx, r.base.String()+"/api/v1/publicacoes?limite=10")
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := r.http.Do(req)
	if err != nil {
		return nil, r.unreachable(err)
	}
	defer func() { _ = res.Body.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(res.Body, maxList+1))
	if err != nil {
		return nil, r.unreachable(err)
	}
	if res.StatusCode != http.StatusOK || len(data) > maxList {
		return nil, r.strange(fmt.Errorf("status %d, %d bytes", res.StatusCode, len(data)))
	}
	var list struct {
		Publications *[]offer `json:"publicacoes"`
	}
	if err := json.Unmarshal(data, &list); err != nil || list.Publications == nil {
		return nil, r.strange(errors.Join(err, errors.New("no list of publications")))
	}
	var best *offer
	for i := range *list.Publications {
		o := &(*list.Publications)[i]
		if o.File != nil && (best == nil || o.Number > best.Number) {
			best = o
		}
	}
	return best, nil
}

// believe checks what can be known before anything is fetched.
func (r *Remote) believe(o *offer) *fault.Fault {
	seal := &o.File.Seal
	name := r.base.Host
	switch {
	case seal.Format != catalog.Format:
		return fault.New(fault.Invalid, "snapshot.version", "arquivo", name,
			"versao", strconv.Itoa(seal.Format), "esperada", strconv.Itoa(catalog.Format))
	case seal.Publication.Number != o.Number, seal.Bytes <= 0, o.File.Bytes <= seal.Bytes:
		return fault.New(fault.Invalid, "snapshot.tampered", "arquivo", name)
	case o.File.Bytes > r.opts.MaxBytes:
		return fault.New(fault.Invalid, "replica.too_large", "bytes", strconv.FormatInt(o.File.Bytes, 10),
			"limite", strconv.FormatInt(r.opts.MaxBytes, 10))
	}
	if err := r.opts.Check(seal.Text(), seal.Signature); err != nil {
		return fault.New(fault.Invalid, "snapshot.signature", "arquivo", name).Because(err)
	}
	return nil
}

// checked reads what was fetched whole and compares it with what was offered.
// The bytes may be those of another node of the same registry, which are signed
// too; what they show must be the same.
func (r *Remote) checked(ctx context.Context, part string, o *offer) error {
	seal, err := catalog.CheckBytes(ctx, part, r.opts.Check)
	if err != nil {
		return err
	}
	if seal.Publication.Number != o.Number || seal.Content != o.File.Seal.Content {
		return fault.New(fault.Invalid, "snapshot.tampered", "arquivo", r.base.Host)
	}
	return nil
}

// refuse remembers a snapshot that was fetched for nothing.
func (r *Remote) refuse(o *offer, f *fault.Fault) *Refusal {
	if r.refusedFile != o.File.Seal.Digest {
		r.refusedWait = 0
	}
	r.refusedWait = min(max(2*r.refusedWait, minRefused), maxRefused)
	r.refusedFile, r.refusedUntil = o.File.Seal.Digest, r.opts.Clock.Now().Add(r.refusedWait)
	r.refused = &Refusal{Publication: o.Number, Fault: f}
	return r.refused
}

// address is where a file lies: on the same server, whatever the list says.
func (r *Remote) address(ref string) (string, error) {
	if strings.HasPrefix(ref, "/") {
		return r.base.String() + ref, nil
	}
	u, err := r.base.Parse(ref)
	if err != nil || u.Host != r.base.Host || u.Scheme != r.base.Scheme || u.User != nil {
		return "", r.strange(fmt.Errorf("the file lies at %.200q", ref))
	}
	return u.String(), nil
}

func (r *Remote) request(ctx context.Context, address string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("User-Agent", r.opts.Agent)
	return req, nil
}

func (r *Remote) unreachable(cause error) error {
	return fault.New(fault.Unavailable, "replica.unreachable", "servidor", r.base.Host).Because(cause)
}

// strange is the fault of an answer that no node gives: a proxy's page, another program.
func (r *Remote) strange(cause error) error {
	return fault.New(fault.Unavailable, "replica.strange", "servidor", r.base.Host).Because(cause)
}
