package api_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"selo/api"
	"selo/catalog"
	"selo/clock"
	"selo/throttle"
)

// The requests that the limiter refuses are counted among the measures.
func TestRefusedRequestsAreMeasured(t *testing.T) {
	t.Parallel()
	stopped := clock.NewManual(benchDay)
	limiter := throttle.New(throttle.Options{Rate: 1, Burst: 1, Clock: stopped})
	server := api.New(api.Deps{Catalog: &catalog.Holder{}, Clock: stopped, Limiter: limiter})
	for range 3 {
		limiter.Allow(httptest.NewRequest("GET", "/api/v1/certificados", nil))
	}
	rec := httptest.NewRecorder()
	server.ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if !strings.Contains(rec.Body.String(), "selo_http_requests_refused_total 2\n") {
		t.Errorf("two refusals are not among\n%s", rec.Body)
	}
}
