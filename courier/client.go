// Package courier is the certifier's side of the registry's API: it delivers
// remessas and fetches results, auxiliary tables and the body's base.
//
// It promises that what may be repeated is repeated: every question, and a
// delivery too, because the registry knows a bundle by its digest. A refusal by
// the registry comes back as the same kind of fault with the registry's own
// words; trouble on the way is fault.Unavailable "registry.unreachable", and
// the person can always carry the files by hand instead. Answers are bounded in
// size, whatever the other side sends.
//
// It decides nothing: package certifier says what is sent and when.
package courier

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"selo/certificate"
	"selo/clock"
	"selo/fault"
	"selo/registry"
	"selo/remessa"
)

const (
	maxAnswer  = 64 << 20 // bytes of a JSON answer; results name up to 1,000 reasons
	maxProblem = 4 << 20
	// DefaultMaxBase is the largest base, in bytes, that is fetched.
	DefaultMaxBase = 8 << 30
)

// Options may all be zero.
type Options struct {
	Clock clock.Clock       // signs tokens; nil is the machine's
	HTTP  http.RoundTripper // nil is a transport with timeouts of its own
	// Attempts is how often a request is tried; zero is 4.
	Attempts int
	// Pause is how long to wait before the second attempt; each later wait is
	// twice as long, give or take half, at most a minute. Zero is half a second.
	Pause time.Duration
	// Timeout bounds one attempt of all but transfers; zero is 30 s.
	Timeout time.Duration
	// Stall is how long a transfer may stand still; zero is a minute.
	Stall   time.Duration
	MaxBase int64  // bytes; zero is [DefaultMaxBase]
	Lang    string // Accept-Language of refusals; empty is Portuguese
	Agent   string // User-Agent; empty is "selo"
}

// Client talks to one registry on behalf of one body. It is safe for concurrent use.
type Client struct {
	base string // without a slash at the end
	body certificate.Sigla
	keys remessa.Keys
	opts Options
	http *http.Client
}

// New makes a client of the registry at baseURL, "https://selo.inmetro.example".
// Plain http is taken as well: a test or a network of its own may want it, and
// what counts is signed. Fault: Invalid "courier.url".
func New(baseURL string, body certificate.Sigla, keys remessa.Keys, opts Options) (*Client, error) {
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(baseURL), "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fault.New(fault.Invalid, "courier.url", "endereco", fmt.Sprintf("%.200s", baseURL)).Because(err)
	}
	fill(&opts)
	return &Client{base: u.String(), body: body, keys: keys, opts: opts, http: &http.Client{
		Transport: opts.HTTP,
		// A token is for one path, and a delivery must not wander off.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func fill(o *Options) {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.HTTP == nil {
		o.HTTP = newTransport()
	}
	if o.Attempts <= 0 {
		o.Attempts = 4
	}
	if o.Pause <= 0 {
		o.Pause = time.Second / 2
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Stall <= 0 {
		o.Stall = time.Minute
	}
	if o.MaxBase <= 0 {
		o.MaxBase = DefaultMaxBase
	}
	if o.Lang == "" {
		o.Lang = "pt-BR"
	}
	if o.Agent == "" {
		o.Agent = "selo"
	}
}

// Status is where a remessa stands at the registry. Result is nil until it is processed.
type Status struct {
	Body        certificate.Sigla `json:"organismo"`
	Sequence    int64             `json:"sequencia"`
	Digest      remessa.Digest    `json:"digest"`
	State       registry.State    `json:"estado"`
	ReceivedAt  time.Time         `json:"recebida_em"`
	ProcessedAt time.Time         `json:"processada_em"`
	Result      *remessa.Result   `json:"resultado"`
}

// Deliver hands a bundle of size bytes over. Delivering one that the registry
// has already changes nothing (fresh=false). Progress, when not nil, is told the
// bytes that have left, again from 0 when an attempt had to be repeated.
//
// Faults: those of registry.Deliver with the registry's words, and Unavailable
// "registry.unreachable".
func (c *Client) Deliver(ctx context.Context, file io.ReaderAt, size int64, progress func(sent, total int64)) (status Status, fresh bool, err error) {
	q := request{method: http.MethodPost, path: "/api/v1/remessas", token: true, transfer: true,
		contentType: "application/octet-stream", size: size,
		body: func() *meter { return &meter{r: io.NewSectionReader(file, 0, size), total: size, tell: progress} }}
	err = c.do(ctx, q, func(res *http.Response) error {
		fresh = res.StatusCode == http.StatusAccepted
		status = Status{}
		return decode(res, &status)
	})
	return status, fresh, err
}

// Result asks how a remessa stands. Once it is processed, Status.Result holds
// outcome, reasons and senha de desbloqueio. Fault: NotFound "registry.refused"
// when it never arrived.
func (c *Client) Result(ctx context.Context, sequence int64) (Status, error) {
	var status Status
	path := "/api/v1/remessas/" + url.PathEscape(string(c.body)) + "/" + strconv.FormatInt(sequence, 10)
	err := c.get(ctx, path, true, &status)
	if err == nil && (status.Body != c.body || status.Sequence != sequence) {
		return Status{}, strange(fmt.Errorf("answer is for %s %d", status.Body, status.Sequence))
	}
	return status, err
}

// Release fetches the body's newest auxiliary-table release, signed, for
// remessa.OpenRelease, and its number.
func (c *Client) Release(ctx context.Context) (signed string, number int, err error) {
	var release struct {
		Number int    `json:"numero"`
		Signed string `json:"assinada"`
	}
	err = c.get(ctx, "/api/v1/tabelas-auxiliares/"+url.PathEscape(string(c.body)), false, &release)
	return release.Signed, release.Number, err
}

// Info is what the registry says of itself.
type Info struct {
	Name        string             `json:"nome"`
	Origin      string             `json:"origem"`
	Keys        remessa.PublicKeys `json:"chaves"`
	VerifierKey string             `json:"chave_verificacao"`
	Publication *struct {
		Number     int64     `json:"numero"`
		At         time.Time `json:"em"`
		Size       int64     `json:"tamanho"`
		Root       string    `json:"raiz"`
		Checkpoint string    `json:"checkpoint"`
	} `json:"publicacao"`
}

// Registry asks the registry who it is. Its keys must be compared with the
// enrolled ones by whoever relies on them.
func (c *Client) Registry(ctx context.Context) (Info, error) {
	var info Info
	err := c.get(ctx, "/api/v1/registro", false, &info)
	return info, err
}

// Base writes all the registry holds of the body, one signed bundle, to w. It
// tries again only while nothing was written, so w needs no rewinding; what was
// written before an error is worthless.
func (c *Client) Base(ctx context.Context, w io.Writer) error {
	q := request{method: http.MethodGet, path: "/api/v1/organismos/" + url.PathEscape(string(c.body)) + "/base", token: true, transfer: true}
	return c.do(ctx, q, func(res *http.Response) error {
		out := &target{w: w}
		n, err := io.Copy(out, io.LimitReader(res.Body, c.opts.MaxBase+1))
		switch {
		case out.failed != nil:
			return final{fmt.Errorf("write base: %w", out.failed)}
		case n > c.opts.MaxBase:
			return final{fault.New(fault.Invalid, "courier.base_too_large", "limite", strconv.FormatInt(c.opts.MaxBase, 10))}
		case err == nil && res.ContentLength >= 0 && n != res.ContentLength:
			err = io.ErrUnexpectedEOF
		}
		if err != nil && n > 0 {
			return final{unreachable(c.base, err)}
		}
		return err
	})
}

// target tells trouble with writing from trouble with reading.
type target struct {
	w      io.Writer
	failed error
}

// Write implements io.Writer.
func (t *target) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	if err != nil {
		t.failed = err
	}
	return n, err
}

func (c *Client) get(ctx context.Context, path string, token bool, into any) error {
	return c.do(ctx, request{method: http.MethodGet, path: path, token: token}, func(res *http.Response) error { return decode(res, into) })
}

// decode reads a JSON answer of bounded size.
func decode(res *http.Response, into any) error {
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return err
	}
	if len(data) > maxAnswer {
		return final{strange(errors.New("answer is too large"))}
	}
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(into); err != nil {
		return final{strange(err)}
	}
	return nil
}

// strange is the fault of an answer that no registry gives: a proxy's page, another program.
func strange(cause error) error {
	return fault.New(fault.Unavailable, "registry.strange").Because(cause)
}

// meter counts the bytes that leave. The transport may go on reading for a
// moment after an attempt has ended; after stop nobody is told any more.
type meter struct {
	r     io.Reader
	total int64
	tell  func(sent, total int64)

	mu   sync.Mutex
	sent int64
	done bool
}

// Read implements io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent += int64(n)
	if m.tell != nil && n > 0 && !m.done {
		m.tell(m.sent, m.total)
	}
	return n, err
}

func (m *meter) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done = true
}
