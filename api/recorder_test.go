package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"selo/catalog"
	"selo/clock"
)

// TestFailuresInside makes a handler fail in every way there is.
func TestFailuresInside(t *testing.T) {
	t.Parallel()
	secret := errors.New("password=1234")
	for name, c := range map[string]struct {
		handle func(*call) error
		cut    bool // the connection ends instead of an answer
	}{
		"error":            {func(*call) error { return secret }, false},
		"panic":            {func(*call) error { panic(secret) }, false},
		"panic with text":  {func(*call) error { panic("password=1234") }, false},
		"abort":            {func(*call) error { panic(http.ErrAbortHandler) }, true},
		"error after half": {func(c *call) error { _, _ = io.WriteString(c.w, "half"); return secret }, true},
		"panic after half": {func(c *call) error { _, _ = io.WriteString(c.w, "half"); panic(secret) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			s := New(Deps{Catalog: &catalog.Holder{}, Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(&log, nil))})
			s.lookUp.handle, s.lookUp.fromCatalog = c.handle, false
			server := httptest.NewServer(s)
			defer server.Close()
			res, err := http.Get(server.URL + "/api/v1/certificados/CCB/1")
			if err == nil {
				defer res.Body.Close()
				var body []byte
				body, err = io.ReadAll(res.Body)
				var p Problem
				if !c.cut && (json.Unmarshal(body, &p) != nil || p.Status != 500 || strings.Contains(string(body), "1234") || !strings.Contains(p.Detail, strings.TrimPrefix(p.Instance, "urn:uuid:"))) {
					t.Errorf("got %d %s", res.StatusCode, body)
				}
				server.Close() // the log is whole
				if !c.cut && (!strings.Contains(log.String(), "1234") || !strings.Contains(log.String(), p.Instance)) {
					t.Errorf("the log says %s", &log)
				}
			}
			if (err != nil) != c.cut {
				t.Errorf("the connection ends with %v", err)
			}
		})
	}
}
