package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
)

// maxWeight is the most that a first visit may fetch, in bytes on the wire.
const maxWeight = 150_000

// pageRows measures the pages for people: how fast they come, how much they weigh.
func (b *bench) pageRows(ctx context.Context, name string, s *server, m mix, bare searched, seconds float64) (err error) {
	paths := make([]string, len(m.Queries))
	for i, q := range m.Queries {
		paths[i] = "/?q=" + url.QueryEscape(q.Text)
	}
	one, many, err := askMix(ctx, s.addr, paths)
	if err != nil {
		return err
	}
	empty, err := emptyOnce(ctx, paths)
	if err != nil {
		return err
	}
	b.add(row{What: fmt.Sprintf("search page, HTTP, %d queries", len(paths)), Base: name, Target: "p99 ≤ 50 ms", Measured: milliseconds(one.P50, one.P99),
		Floor: fmt.Sprintf("%s bare FTS5; %s empty handler", milliseconds(bare.BareP50, bare.BareP99), milliseconds(empty.P50, empty.P99)),
		Ratio: ratio(one.P99 / bare.BareP99), Met: judge(one.P99 <= float64(maxSearch.Milliseconds())), Why: whySearchPage})
	b.add(row{What: fmt.Sprintf("search page, HTTP, %d connections", connections), Base: name, Met: noted,
		Measured: fmt.Sprintf("%s, %s/s, %d B each", milliseconds(many.P50, many.P99), grouped(int64(many.perSecond())), many.Bytes/many.Requests)})
	numbers := make([]string, len(m.Addresses))
	for i, address := range m.Addresses {
		numbers[i] = strings.TrimPrefix(address, "/api/v1")
	}
	a, f, err := besideEmpty(ctx, asking{Addr: s.addr, Paths: numbers, At: connections, Seconds: seconds, Gzip: true})
	if err != nil {
		return err
	}
	b.add(row{What: fmt.Sprintf("certificate page, HTTP, %d connections, %s numbers", connections, grouped(int64(len(numbers)))), Base: name, Met: noted,
		Measured: fmt.Sprintf("%s/s, %s, %d B each", grouped(int64(a.perSecond())), milliseconds(a.P50, a.P99), a.Bytes/a.Requests),
		Floor:    fmt.Sprintf("%s/s, %s, empty handler", grouped(int64(f.perSecond())), milliseconds(f.P50, f.P99)), Ratio: ratio(a.perSecond() / f.perSecond())})
	return b.weightRows(ctx, name, s)
}

// askMix asks every path after one pass that warms, over one connection and over several.
func askMix(ctx context.Context, addr string, paths []string) (one, many answered, err error) {
	gzip := !strings.HasPrefix(paths[0], "/api/") // pages, as browsers ask for them
	if _, err = call[answered](ctx, "client", asking{Addr: addr, Paths: paths, At: 1, Passes: 1, Gzip: gzip}); err != nil {
		return one, many, err
	}
	if one, err = call[answered](ctx, "client", asking{Addr: addr, Paths: paths, At: 1, Passes: passes, Gzip: gzip}); err != nil {
		return one, many, err
	}
	many, err = call[answered](ctx, "client", asking{Addr: addr, Paths: paths, At: connections, Passes: passes, Gzip: gzip})
	return one, many, err
}

// emptyOnce asks the empty handler for every path, over one connection.
func emptyOnce(ctx context.Context, paths []string) (a answered, err error) {
	empty, err := startEmpty(ctx)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, empty.stop()) }()
	return call[answered](ctx, "client", asking{Addr: empty.addr, Paths: paths, At: 1, Passes: passes})
}

// fullPage finds more certificates than a page shows: the Portaria of nearly every one.
const fullPage = "/?q=portaria"

// weightRows tells what a browser fetches that comes for the first time.
func (b *bench) weightRows(ctx context.Context, name string, s *server) error {
	for _, page := range []struct{ what, path string }{{"first visit, search page", "/"}, {"first visit, a full page of hits", fullPage}} {
		w, err := weigh(ctx, "http://"+s.addr, page.path)
		if err != nil {
			return err
		}
		swap := "`font-display: swap`"
		if !w.Swap {
			swap = "text waits for fonts"
		}
		b.add(row{What: page.what, Base: name, Target: "≤ 150 KB compressed, text before fonts", Met: judge(w.Total <= maxWeight && w.Swap), Why: whyWeight,
			Measured: fmt.Sprintf("%s: page %s, styles %s, scripts %s, pictures %s, headers %s; fonts %s, %s; %d requests", kilobytes(w.Total), kilobytes(w.Page),
				kilobytes(w.Styles), kilobytes(w.Scripts), kilobytes(w.Pictures), kilobytes(w.Headers), kilobytes(w.Fonts), swap, w.Requests)})
	}
	return nil
}

// weight is what a first visit fetches, in bytes on the wire.
type weight struct {
	Total                                    int64
	Page, Styles, Scripts, Pictures, Headers int64
	Fonts                                    int64 // all that the styles name, whether or not the page has text in them
	Requests                                 int
	Swap                                     bool // every font is swapped in when it comes: text does not wait
}

var (
	loads    = regexp.MustCompile(`<(?:link|script|img|source)\s[^>]*>`)
	address  = regexp.MustCompile(`\s(?:href|src)="([^"]+)"`)
	relation = regexp.MustCompile(`\srel="([^"]*)"`)
	named    = regexp.MustCompile(`url\(\s*["']?([^"')]+)["']?\s*\)`)
	fontFace = regexp.MustCompile(`@font-face\s*\{[^}]*\}`)
	swapped  = regexp.MustCompile(`font-display\s*:\s*swap`)
)

// weigh fetches a page and what a browser loads with it, taking gzip: styles,
// scripts, pictures, the icon, and what the styles name. Styles that a
// print-out alone needs would count too.
func weigh(ctx context.Context, site, path string) (w weight, err error) {
	text, err := w.fetch(ctx, site+path, &w.Page)
	if err != nil {
		return w, err
	}
	w.Swap = true
	seen := map[string]bool{}
	for _, tag := range loads.FindAllString(text, -1) {
		found := address.FindStringSubmatch(tag)
		if found == nil || seen[found[1]] {
			continue
		}
		into := &w.Pictures
		switch rel := relation.FindStringSubmatch(tag); {
		case strings.HasPrefix(tag, "<script"):
			into = &w.Scripts
		case !strings.HasPrefix(tag, "<link"), rel != nil && rel[1] == "icon":
		case rel != nil && rel[1] == "stylesheet":
			into = &w.Styles
		default: // a preload is fetched by what names it; others are not loaded
			continue
		}
		seen[found[1]] = true
		body, err := w.fetch(ctx, site+found[1], into)
		if err != nil {
			return w, err
		}
		if into == &w.Styles {
			if err := w.style(ctx, site, body, seen); err != nil {
				return w, err
			}
		}
	}
	w.Total = w.Page + w.Styles + w.Scripts + w.Pictures + w.Headers + w.Fonts
	return w, nil
}

// style fetches what a stylesheet names.
func (w *weight) style(ctx context.Context, site, sheet string, seen map[string]bool) error {
	for _, face := range fontFace.FindAllString(sheet, -1) {
		w.Swap = w.Swap && swapped.MatchString(face)
	}
	for _, found := range named.FindAllStringSubmatch(sheet, -1) {
		if seen[found[1]] || !strings.HasPrefix(found[1], "/") {
			continue // inside the sheet itself
		}
		seen[found[1]] = true
		into := &w.Pictures
		if strings.HasSuffix(found[1], ".woff2") {
			into = &w.Fonts
		}
		if _, err := w.fetch(ctx, site+found[1], into); err != nil {
			return err
		}
	}
	return nil
}

// fetch asks for one file, adds its bytes as they travel, and gives it unpacked.
func (w *weight) fetch(ctx context.Context, address string, into *int64) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("weigh %s: %w", address, err)
	}
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return "", fmt.Errorf("weigh %s: %w", address, err)
	}
	defer response.Body.Close()
	header, err := httputil.DumpResponse(response, false)
	if err != nil {
		return "", fmt.Errorf("weigh %s: %w", address, err)
	}
	packed, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	if err != nil {
		return "", fmt.Errorf("weigh %s: %w", address, err)
	}
	w.Requests, w.Headers, *into = w.Requests+1, w.Headers+int64(len(header)), *into+int64(len(packed))
	return unpacked(packed, response.Header.Get("Content-Encoding"))
}

// unpacked undoes a Content-Encoding.
func unpacked(packed []byte, encoding string) (string, error) {
	if encoding != "gzip" {
		return string(packed), nil
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", fmt.Errorf("unpack: %w", err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		return "", fmt.Errorf("unpack: %w", err)
	}
	return string(plain), nil
}
