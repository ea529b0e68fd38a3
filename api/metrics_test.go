package api_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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

// What is answered beside the API is measured in the same series, under few names.
func TestOtherAnswersAreMeasured(t *testing.T) {
	t.Parallel()
	server := api.New(api.Deps{Catalog: &catalog.Holder{}, Clock: clock.NewManual(benchDay)})
	server.Observe("GET", "/sobre", 200, 3*time.Millisecond)
	server.Observe("GET", "/sobre", 200, 30*time.Millisecond)
	server.Observe("PURGE", "", 404, time.Millisecond)
	rec := httptest.NewRecorder()
	server.ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`selo_http_request_duration_seconds_count{method="GET",route="/sobre",status="200"} 2`,
		`selo_http_request_duration_seconds_bucket{method="GET",route="/sobre",status="200",le="0.005"} 1`,
		`selo_http_request_duration_seconds_count{method="outra",route="outra",status="404"} 1`,
	} {
		if !strings.Contains(rec.Body.String(), want+"\n") {
			t.Errorf("%q is not among\n%s", want, rec.Body)
		}
	}
}
