package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"selo/fault"
)

// A file that is being fetched is "baixando-NUMBER-VALIDATOR.parte". The
// validator is the strong entity tag under which its bytes came; with another
// one they would not fit together.
const (
	partPrefix = "baixando-"
	partSuffix = ".parte"
)

var strongTag = regexp.MustCompile(`^"([0-9A-Za-z]{8,128})"$`)

// fetch brings a file onto the shelf's folder, whole, and gives its path. It
// goes on with what an earlier attempt left.
func (r *Remote) fetch(ctx context.Context, address string, o *offer) (string, error) {
	if err := os.MkdirAll(r.shelf.Dir, 0o750); err != nil {
		return "", fault.New(fault.Unavailable, "replica.disk", "pasta", r.shelf.Dir).Because(err)
	}
	stem := partPrefix + strconv.FormatInt(o.Number, 10) + "-"
	r.dropParts(stem)
	var last error
	for attempt := range attempts {
		if attempt > 0 {
			if err := pause(ctx, r.opts.Pause<<(attempt-1)); err != nil {
				return "", err
			}
		}
		path, err := r.attempt(ctx, address, stem)
		if err == nil {
			return path, nil
		}
		var end final
		if errors.As(err, &end) {
			return "", end.error
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		last = err
	}
	if fault.Of(last) != nil {
		return "", last
	}
	return "", r.unreachable(last)
}

// final holds an error that trying again at once would not change.
type final struct{ error }

// Unwrap gives the error.
func (f final) Unwrap() error { return f.error }

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d/2 + rand.N(d+1)) //nolint:gosec // spreads attempts, guards nothing
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// dropParts removes what was begun of other publications.
func (r *Remote) dropParts(stem string) {
	parts, err := filepath.Glob(filepath.Join(r.shelf.Dir, partPrefix+"*"+partSuffix))
	if err != nil {
		return // the pattern is fixed
	}
	for _, path := range parts {
		if !strings.HasPrefix(filepath.Base(path), stem) {
			_ = os.Remove(path) // tried again the next time
		}
	}
}

// begun is what an earlier attempt left: path, validator and length.
func (r *Remote) begun(stem string) (path, tag string, size int64) {
	parts, err := filepath.Glob(filepath.Join(r.shelf.Dir, stem+"*"+partSuffix))
	if err != nil {
		return "", "", 0 // the pattern is fixed
	}
	for _, p := range parts {
		tag := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(p), stem), partSuffix)
		info, err := os.Stat(p)
		if err != nil || tag == "" || info.Size() == 0 {
			_ = os.Remove(p) // nothing to go on with
			continue
		}
		return p, `"` + tag + `"`, info.Size()
	}
	return "", "", 0
}

// attempt asks for the rest, or for all, and writes what comes. The context is
// cancelled when nothing comes any more.
func (r *Remote) attempt(ctx context.Context, address, stem string) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := time.AfterFunc(stall, cancel)
	defer watch.Stop()
	req, err := r.request(ctx, address)
	if err != nil {
		return "", final{err}
	}
	req.Header.Set("Accept-Encoding", "identity")
	old, tag, have := r.begun(stem)
	if have > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
		req.Header.Set("If-Range", tag)
	}
	res, err := r.http.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }() // only read
	total := res.ContentLength
	switch res.StatusCode {
	case http.StatusPartialContent:
		if total, err = rest(res, have); err != nil || res.Header.Get("Etag") != tag {
			_ = os.Remove(old) // does not fit: from the start
			return "", r.strange(errors.Join(err, fmt.Errorf("range of %q", res.Header.Get("Etag"))))
		}
	case http.StatusOK:
		_ = os.Remove(old) // what was begun is of no use
		have = 0
	case http.StatusRequestedRangeNotSatisfiable:
		if _, whole, ok := strings.Cut(res.Header.Get("Content-Range"), "/"); ok && whole == strconv.FormatInt(have, 10) {
			return old, nil // all was there
		}
		_ = os.Remove(old) // longer than the file: from the start
		return "", r.strange(errors.New("range not satisfiable"))
	default:
		return "", r.strange(fmt.Errorf("status %d", res.StatusCode))
	}
	if total > r.opts.MaxBytes || total <= 0 {
		return "", final{fault.New(fault.Invalid, "replica.too_large", "bytes", strconv.FormatInt(total, 10),
			"limite", strconv.FormatInt(r.opts.MaxBytes, 10))}
	}
	return r.write(&moving{res.Body, watch}, filepath.Join(r.shelf.Dir, stem+validator(res)+partSuffix), have, total)
}

// validator is the strong entity tag of an answer; "" when it has none that can
// be part of a name, and then what comes cannot be gone on with.
func validator(res *http.Response) string {
	if m := strongTag.FindStringSubmatch(res.Header.Get("Etag")); m != nil {
		return m[1]
	}
	return ""
}

// rest reads the Content-Range of an answer that should begin at have.
func rest(res *http.Response, have int64) (total int64, err error) {
	var first, last int64
	header := res.Header.Get("Content-Range")
	if _, err := fmt.Sscanf(header, "bytes %d-%d/%d", &first, &last, &total); err != nil {
		return 0, fmt.Errorf("range %.100q: %w", header, err)
	}
	if first != have || last != total-1 || total <= have {
		return 0, fmt.Errorf("range %.100q after %d bytes", header, have)
	}
	return total, nil
}

// write puts what comes behind what is there and syncs it.
func (r *Remote) write(from io.Reader, path string, have, total int64) (string, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o640) //nolint:gosec // public data; the group may back it up
	if err != nil {
		return "", final{fault.New(fault.Unavailable, "replica.disk", "pasta", r.shelf.Dir).Because(err)}
	}
	if err := f.Truncate(have); err != nil {
		_ = f.Close() // the error that matters is err
		return "", final{fault.New(fault.Unavailable, "replica.disk", "pasta", r.shelf.Dir).Because(err)}
	}
	out := &disk{w: io.NewOffsetWriter(f, have)}
	n, err := io.Copy(out, io.LimitReader(from, total-have))
	if out.failed == nil {
		out.failed = f.Sync()
	}
	out.failed = errors.Join(out.failed, f.Close())
	switch {
	case out.failed != nil:
		return "", final{fault.New(fault.Unavailable, "replica.disk", "pasta", r.shelf.Dir).Because(out.failed)}
	case err == nil && have+n < total:
		err = io.ErrUnexpectedEOF
	}
	return path, err
}

// disk tells trouble with writing from trouble with reading.
type disk struct {
	w      io.Writer
	failed error
}

// Write implements io.Writer.
func (d *disk) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err != nil {
		d.failed = err
	}
	return n, err
}

// moving keeps the watch from ending a download that moves.
type moving struct {
	r     io.Reader
	watch *time.Timer
}

// Read implements io.Reader.
func (m *moving) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if n > 0 {
		m.watch.Reset(stall)
	}
	return n, err
}
