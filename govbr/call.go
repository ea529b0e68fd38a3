package govbr

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"selo/fault"
)

// service is one of gov.br's, by the name that people know.
type service string

const (
	serviceLogin       service = "Login Único"
	serviceAPI         service = "API gov.br"
	serviceSigning     service = "Assinatura gov.br"
	serviceProofOfLife service = "Prova de Vida gov.br"
)

const (
	maxPause  = 5 * time.Second
	maxError  = 64 << 10 // bytes of a refusal
	jsonMedia = "application/json"
)

// request is one question. Its URL comes from the configuration.
type request struct {
	service service
	name    string // for logs: "token"
	method  string
	url     string
	basic   *Credential
	bearer  Secret
	form    url.Values
	json    any
	accept  []string // media types that are taken; none: whatever is no page
	limit   int64    // bytes of an answer
	repeat  bool     // it changes nothing, and may be tried again after it was sent
}

// answer is what came back: bounded, and of an expected type when its status is 2xx.
type answer struct {
	status int
	media  string
	body   []byte
	retry  time.Duration // Retry-After
}

func (a *answer) ok() bool { return a.status >= 200 && a.status < 300 }

// caller sends requests to one or more services. It is safe for concurrent use.
type caller struct {
	http     *http.Client
	opts     Options
	timeout  time.Duration
	breakers map[service]*breaker
}

func newCaller(cfg Config, opts Options, services ...service) *caller {
	c := &caller{opts: opts, timeout: time.Duration(cfg.Timeout), breakers: map[service]*breaker{}, http: &http.Client{
		Transport: opts.HTTP,
		// Nothing of gov.br's redirects a program; a token must not wander off.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, s := range services {
		c.breakers[s] = &breaker{clock: opts.Clock, trip: opts.Trip, rest: opts.Rest}
	}
	return c
}

// newTransport is http.DefaultTransport's like, with bounded waits, and refuses
// addresses that no service has.
func newTransport(local bool) *http.Transport {
	check := guard(local)
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second,
		Control: func(network, address string, _ syscall.RawConn) error { return check(network, address) }}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    5 * time.Second,
		IdleConnTimeout:        60 * time.Second,
		MaxIdleConnsPerHost:    16,
		MaxResponseHeaderBytes: 64 << 10,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// do asks until there is an answer or the attempts are used up. An answer of
// any status but 429, 3xx and 5xx is the caller's to judge.
//
// Faults, all Unavailable: govbr.unreachable, govbr.timeout, govbr.tls,
// govbr.paused, govbr.busy, govbr.down, govbr.strange.
func (c *caller) do(ctx context.Context, q request) (*answer, error) {
	for attempt := 1; ; attempt++ {
		started := c.opts.Clock.Now()
		a, again, err := c.once(ctx, q)
		level := slog.LevelDebug
		if err != nil {
			level = slog.LevelWarn
		}
		status := 0
		if a != nil {
			status = a.status
		}
		c.opts.Log.LogAttrs(ctx, level, "gov.br", slog.String("service", string(q.service)), slog.String("request", q.name),
			slog.Int("attempt", attempt), slog.Int("status", status), slog.Duration("took", c.opts.Clock.Now().Sub(started)),
			slog.Any("error", err))
		if err == nil || !again || attempt >= c.opts.Attempts || ctx.Err() != nil {
			return a, err
		}
		var asked time.Duration
		if a != nil {
			asked = a.retry
		}
		if c.pause(ctx, attempt, asked) != nil {
			return a, err
		}
	}
}

// pause waits before the next attempt, never exactly, so that many clients do
// not come back at once.
func (c *caller) pause(ctx context.Context, attempt int, asked time.Duration) error {
	d := min(c.opts.Pause<<min(attempt-1, 8), maxPause)
	d = max(d/2+rand.N(d), min(asked, maxPause)) //nolint:gosec // spreads attempts, guards nothing
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// once makes one attempt; again tells whether another may heal it.
func (c *caller) once(ctx context.Context, q request) (a *answer, again bool, err error) {
	b := c.breakers[q.service]
	if wait, ok := b.enter(); !ok {
		seconds := strconv.Itoa(int(wait/time.Second) + 1)
		return nil, false, fault.New(fault.Unavailable, "govbr.paused", "servico", string(q.service), "segundos", seconds)
	}
	o := unknown
	defer func() {
		if b.leave(o) {
			c.opts.Log.ErrorContext(ctx, "gov.br: left alone for a while", "service", string(q.service))
		}
	}()
	inner, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := c.newRequest(inner, q)
	if err != nil {
		return nil, false, err
	}
	a, err = c.exchange(req, q)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, false, fmt.Errorf("ask %s for %s: %w", q.service, q.name, context.Cause(ctx))
	case err != nil:
		o = sick
		return nil, q.repeat || neverSent(err), c.trouble(q, err)
	case a.status >= 500:
		o = sick
		return a, q.repeat, fault.New(fault.Unavailable, "govbr.down", "servico", string(q.service)).Because(refusalCause(a))
	}
	o = healthy
	switch {
	case a.status == http.StatusTooManyRequests:
		return a, q.repeat, fault.New(fault.Unavailable, "govbr.busy", "servico", string(q.service)).Because(refusalCause(a))
	case a.status >= 300 && a.status < 400:
		return nil, false, strange(q.service, "it redirects, status %d", a.status)
	case a.ok() && !q.takes(a.media):
		return nil, false, strange(q.service, "content type %.60q", a.media)
	}
	return a, false, nil
}

// errTooLarge ends an answer that is larger than any should be.
var errTooLarge = errors.New("answer is too large")

func (c *caller) exchange(req *http.Request, q request) (*answer, error) {
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // read only
	a := &answer{status: res.StatusCode}
	if media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil {
		a.media = media
	}
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s > 0 {
		a.retry = time.Duration(min(s, 60)) * time.Second
	}
	limit := q.limit
	if !a.ok() {
		limit = min(limit, maxError)
	}
	a.body, err = io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err == nil && int64(len(a.body)) > limit {
		if a.ok() {
			return nil, errTooLarge
		}
		a.body = a.body[:limit]
	}
	return a, err
}

func (q request) takes(media string) bool {
	if len(q.accept) == 0 {
		return media != "text/html" && media != "application/xhtml+xml"
	}
	return slices.Contains(q.accept, media)
}

func (c *caller) newRequest(ctx context.Context, q request) (*http.Request, error) {
	var body io.Reader
	media := ""
	switch {
	case q.form != nil:
		body, media = strings.NewReader(q.form.Encode()), "application/x-www-form-urlencoded"
	case q.json != nil:
		data, err := json.Marshal(q.json)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", q.name, err)
		}
		body, media = bytes.NewReader(data), jsonMedia
	}
	req, err := http.NewRequestWithContext(ctx, q.method, q.url, body)
	if err != nil {
		return nil, fmt.Errorf("make request %s: %w", q.name, plain(err))
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	if len(q.accept) > 0 {
		req.Header.Set("Accept", strings.Join(q.accept, ", "))
	}
	req.Header.Set("User-Agent", c.opts.Agent)
	if q.basic != nil {
		req.SetBasicAuth(q.basic.ID, q.basic.Secret.Reveal())
	}
	if !q.bearer.Empty() {
		req.Header.Set("Authorization", "Bearer "+q.bearer.Reveal())
	}
	return req, nil
}

// neverSent tells that no connection came about, so that nothing can have happened.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// trouble names what kept an answer from coming.
func (c *caller) trouble(q request, err error) error {
	var unknownCA x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var timeout net.Error
	key := "govbr.unreachable"
	switch {
	case errors.Is(err, errTooLarge):
		key = "govbr.strange"
	case errors.As(err, &unknownCA), errors.As(err, &invalid), errors.As(err, &name):
		key = "govbr.tls"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		key = "govbr.timeout"
	}
	return fault.New(fault.Unavailable, key, "servico", string(q.service)).Because(fmt.Errorf("%s: %w", q.name, plain(err)))
}

// strange is the fault of an answer that the service never gives.
func strange(s service, format string, args ...any) error {
	return fault.New(fault.Unavailable, "govbr.strange", "servico", string(s)).Because(fmt.Errorf(format, args...))
}

// plain takes out of an error what may name a person: the address that was
// asked, the value that was refused.
func plain(err error) error {
	var address *url.Error
	if errors.As(err, &address) {
		return plain(address.Err)
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("json: field %.80q cannot hold what stands there", kind.Field)
	}
	var number *strconv.NumError
	var moment *time.ParseError
	if errors.As(err, &number) || errors.As(err, &moment) {
		return errors.New("a value cannot be read")
	}
	if fault.Of(err) != nil {
		return errors.New(fault.Of(err).Key)
	}
	return err
}
