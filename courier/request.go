package courier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"selo/fault"
	"selo/remessa"
)

// maxPause is the longest wait between two attempts, whatever the registry asks for.
const maxPause = time.Minute

// answerLimit is how long the registry may take to answer what has arrived
// whole: it reads a bundle through before it says yes.
const answerLimit = 3 * time.Minute

// request is one question, as often as it takes. All of them may be repeated.
type request struct {
	method, path string
	token        bool
	transfer     bool // bounded by standing still, not by its whole time
	contentType  string
	size         int64
	body         func() *meter // of one attempt; nil without a body
}

// final holds an error that trying again would not change.
type final struct{ error }

// Unwrap gives the error.
func (f final) Unwrap() error { return f.error }

// newTransport is http.DefaultTransport's like, with bounded waits.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		ExpectContinueTimeout:  time.Second,
		ResponseHeaderTimeout:  answerLimit,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// do asks until there is an answer that counts or the attempts are used up.
func (c *Client) do(ctx context.Context, q request, use func(*http.Response) error) error {
	for attempt := 1; ; attempt++ {
		wait, err := c.once(ctx, q, use)
		var end final
		switch {
		case err == nil:
			return nil
		case errors.As(err, &end):
			return end.error
		case ctx.Err() != nil:
			return fmt.Errorf("%s %s: %w", q.method, q.path, context.Cause(ctx))
		case attempt >= c.opts.Attempts:
			if fault.Of(err) != nil {
				return err
			}
			return unreachable(c.base, err)
		}
		if err := c.pause(ctx, attempt, wait); err != nil {
			return fmt.Errorf("%s %s: %w", q.method, q.path, err)
		}
	}
}

// pause waits before the next attempt: as long as the registry asked, else
// longer each time, never exactly so that many bodies do not come back at once.
func (c *Client) pause(ctx context.Context, attempt int, asked time.Duration) error {
	d := min(c.opts.Pause<<min(attempt-1, 16), maxPause)
	d = d/2 + rand.N(d) //nolint:gosec // spreads attempts, guards nothing
	if asked > 0 {
		d = min(asked, maxPause) + rand.N(c.opts.Pause) //nolint:gosec // as above
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// once makes one attempt. wait is how long the registry asks to wait; errors
// that are not final are worth another attempt.
func (c *Client) once(ctx context.Context, q request, use func(*http.Response) error) (wait time.Duration, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := c.opts.Timeout
	if q.transfer {
		limit = c.opts.Stall
	}
	watch := time.AfterFunc(limit, func() { cancel(errStalled) })
	defer watch.Stop()
	var body io.Reader
	if q.body != nil {
		m := q.body()
		defer m.stop()
		body = &kicker{r: m, watch: watch, limit: c.opts.Stall, answer: answerLimit}
	}
	req, err := c.newRequest(ctx, q, body)
	if err != nil {
		return 0, final{err}
	}
	res, err := c.http.Do(req)
	if err != nil {
		return 0, network(ctx, err)
	}
	defer func() { _ = res.Body.Close() }() // read only
	if q.transfer {
		watch.Reset(limit)
		res.Body = struct {
			io.Reader
			io.Closer
		}{&kicker{r: res.Body, watch: watch, limit: limit}, res.Body}
	}
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusAccepted {
		return refused(res)
	}
	if err := use(res); err != nil {
		return 0, network(ctx, err)
	}
	return 0, nil
}

var errStalled = errors.New("no progress in time")

func (c *Client) newRequest(ctx context.Context, q request, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, c.base+q.path, body)
	if err != nil {
		return nil, fmt.Errorf("make request for %s: %w", q.path, err)
	}
	if body != nil {
		req.ContentLength = q.size
		req.Header.Set("Content-Type", q.contentType)
		req.Header.Set("Expect", "100-continue") // a refusal then costs no gigabyte
	}
	req.Header.Set("Accept", "application/json, application/octet-stream, application/problem+json")
	req.Header.Set("Accept-Language", c.opts.Lang)
	req.Header.Set("User-Agent", c.opts.Agent)
	if q.token {
		signed, err := remessa.SignToken(c.body, q.method, req.URL.EscapedPath(), c.opts.Clock.Now(), c.keys)
		if err != nil {
			return nil, fmt.Errorf("sign token: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+signed)
	}
	return req, nil
}

// kicker keeps the watch from ending a transfer that moves. After its end the
// watch waits for the answer.
type kicker struct {
	r      io.Reader
	watch  *time.Timer
	limit  time.Duration
	answer time.Duration
}

// Read implements io.Reader.
func (k *kicker) Read(p []byte) (int, error) {
	n, err := k.r.Read(p)
	switch {
	case errors.Is(err, io.EOF) && k.answer > 0:
		k.watch.Reset(k.answer)
	case n > 0:
		k.watch.Reset(k.limit)
	}
	return n, err
}

// network tells apart what trying again may heal: all but wrong certificates,
// which somebody must look at.
func network(ctx context.Context, err error) error {
	var done final
	if errors.As(err, &done) {
		return err
	}
	if cause := context.Cause(ctx); errors.Is(cause, errStalled) {
		return errors.Join(errStalled, err)
	}
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	if errors.As(err, &unknown) || errors.As(err, &invalid) || errors.As(err, &name) {
		return final{fault.New(fault.Unavailable, "registry.certificate").Because(err)}
	}
	return err
}

// unreachable is the fault of a registry that gave no answer.
func unreachable(base string, cause error) error {
	host := base
	if u, err := url.Parse(base); err == nil {
		host = u.Host
	}
	return fault.New(fault.Unavailable, "registry.unreachable", "servidor", host).Because(cause)
}

// remoteProblem is what is read of an application/problem+json (RFC 9457).
type remoteProblem struct {
	Title    string `json:"title"`
	Detail   string `json:"detail"`
	Code     string `json:"codigo"`
	Action   string `json:"acao"`
	Instance string `json:"instance"`
	Errors   []struct {
		Record  string `json:"registro"`
		Field   string `json:"campo"`
		Code    string `json:"codigo"`
		Message string `json:"mensagem"`
		Action  string `json:"acao"`
	} `json:"erros"`
}

// kinds gives the kind of a refusal by its status.
var kinds = map[int]fault.Kind{
	http.StatusNotFound: fault.NotFound, http.StatusConflict: fault.Conflict,
	http.StatusUnauthorized: fault.Forbidden, http.StatusForbidden: fault.Forbidden,
	http.StatusBadRequest: fault.Invalid, http.StatusUnprocessableEntity: fault.Invalid,
	http.StatusRequestEntityTooLarge: fault.Invalid, http.StatusUnsupportedMediaType: fault.Invalid,
}

// refused turns a failed answer into a fault that keeps the registry's own
// words. 429 and 5xx are worth another attempt, an interrupted delivery too.
func refused(res *http.Response) (wait time.Duration, err error) {
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
		wait = time.Duration(min(seconds, 3600)) * time.Second
	}
	p, ok := readProblem(res)
	temporary := res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests ||
		res.StatusCode == http.StatusRequestTimeout || p.Code == "api.interrupted"
	if !ok {
		err = strange(fmt.Errorf("status %d without a problem", res.StatusCode))
		if temporary {
			return wait, err
		}
		return 0, final{err}
	}
	kind, known := kinds[res.StatusCode]
	if !known {
		kind = fault.Unavailable
	}
	f := fault.New(kind, "registry.refused", "titulo", p.Title, "detalhe", p.Detail, "codigo", p.Code, "acao", p.Action, "ocorrencia", p.Instance)
	for _, e := range p.Errors {
		f.Problems = append(f.Problems, fault.Problem{Record: e.Record, Field: e.Field, Code: "registry.reason",
			Args: fault.Pairs("mensagem", e.Message, "acao", e.Action, "codigo", e.Code)})
	}
	if temporary {
		return wait, f
	}
	return 0, final{f}
}

func readProblem(res *http.Response) (p remoteProblem, ok bool) {
	media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || media != "application/problem+json" {
		return p, false
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxProblem))
	if err != nil || json.Unmarshal(data, &p) != nil {
		return p, false
	}
	return p, p.Title != "" || p.Detail != ""
}
