package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"selo/brasil"
	"selo/catalog"
	"selo/fault"
)

// currentCatalog gives the snapshot being served. Fault: Unavailable
// "api.no_publication" before the first one.
func (s *Server) currentCatalog() (*catalog.Catalog, func(), error) {
	current, release, ok := s.deps.Catalog.Acquire()
	if !ok {
		return nil, nil, fault.New(fault.Unavailable, "api.no_publication")
	}
	return current, release, nil
}

// edition is what every answer out of one snapshot shares on one day. The day
// belongs to it because certificates expire without a new publication.
type edition struct {
	catalog      *catalog.Catalog
	day          brasil.Date
	etag         string
	modified     time.Time
	etagHeader   []string
	modifiedText []string
}

// cacheControl lets caches keep an answer for a minute without asking.
var cacheControl = []string{"public, max-age=60"}

// editionOf gives the current edition; it is made once for each snapshot and day.
func (s *Server) editionOf(current *catalog.Catalog) *edition {
	day := brasil.Today(s.deps.Clock.Now())
	if e := s.edition.Load(); e != nil && e.catalog == current && e.day == day {
		return e
	}
	p := current.Publication()
	sum := sha256.Sum256([]byte(current.Seal().Content + "\n" + day.String() + "\n" + s.deps.Version + "\n" + p.At.Format(time.RFC3339Nano)))
	e := &edition{catalog: current, day: day, etag: `"` + hex.EncodeToString(sum[:12]) + `"`, modified: p.At}
	if midnight := day.Time(brasil.Location()); midnight.After(e.modified) {
		e.modified = midnight
	}
	e.modified = e.modified.UTC().Truncate(time.Second)
	e.etagHeader, e.modifiedText = []string{e.etag}, []string{e.modified.Format(http.TimeFormat)}
	s.edition.Store(e)
	return e
}

// notModified sets the validators of the answer and tells whether the caller
// has it already (RFC 9110, 13.1: If-None-Match before If-Modified-Since).
func (s *Server) notModified(c *call) bool {
	e := s.editionOf(c.catalog)
	h := c.w.Header()
	h["Etag"], h["Last-Modified"], h["Cache-Control"] = e.etagHeader, e.modifiedText, cacheControl
	if match := c.r.Header["If-None-Match"]; len(match) > 0 {
		return holdsTag(match, e.etag)
	}
	if since := c.r.Header.Get("If-Modified-Since"); since != "" {
		t, err := http.ParseTime(since)
		return err == nil && !e.modified.After(t)
	}
	return false
}

// holdsTag compares weakly: "W/" does not count.
func holdsTag(headers []string, etag string) bool {
	for _, header := range headers {
		for tag := range strings.SplitSeq(header, ",") {
			tag = strings.TrimSpace(tag)
			if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
				return true
			}
		}
	}
	return false
}
