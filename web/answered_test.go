package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"selo/web"
	"selo/web/webtest"
)

// told keeps what a site said of its answers.
type told struct {
	mu   sync.Mutex
	list []string
}

func (k *told) answered(method, route string, status int, took time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = append(k.list, fmt.Sprint(method, " ", route, " ", status))
	if took <= 0 || took > time.Minute {
		k.list = append(k.list, took.String())
	}
}

// taken is what was said since it was last asked.
func (k *told) taken() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := k.list
	k.list = nil
	return list
}

// Every answer is told once, under the route it was given by.
func TestAnswersAreTold(t *testing.T) {
	t.Parallel()
	var kept told
	site := webtest.Start(t, func(d *web.Deps) { d.Answered = kept.answered })
	home := site.Get("/")
	if kept.taken(); home.Header.Get("Etag") == "" {
		t.Fatalf("the first page has no validator: %v", home.Header)
	}
	for _, tt := range []struct {
		method, path, want string
		header             []string
	}{
		{method: "GET", path: "/sobre", want: "GET /sobre 200"},
		{method: "GET", path: "/en/sobre?x=1", want: "GET /sobre 200"},
		{method: "HEAD", path: "/es/sobre", want: "HEAD /sobre 200"},
		{method: "GET", path: "/", header: []string{"If-None-Match", home.Header.Get("Etag")}, want: "GET / 304"},
		{method: "GET", path: "/certificados/DEMO/DEMO-BRIN-108/25.001", want: "GET /certificados/{organismo}/{numero} 200"},
		{method: "GET", path: "/certificados/DEMO/DEMO-BRIN-108%2F25.001/qr.svg", want: "GET /certificados/{organismo}/{numero}/qr.svg 200"},
		{method: "GET", path: "/certificados/DEMO/nenhum", want: "GET /certificados/{organismo}/{numero} 404"},
		{method: "POST", path: "/sobre", want: "POST  405"},
		{method: "GET", path: "/sobre/", want: "GET  308"},
		{method: "GET", path: "/nada/nenhuma", want: "GET  404"},
		{method: "GET", path: "//sobre", want: "GET  307"},
	} {
		site.Do(tt.method, tt.path, nil, tt.header...)
		if got := kept.taken(); !slices.Equal(got, []string{tt.want}) {
			t.Errorf("%s %s is told as %q, want %q", tt.method, tt.path, got, tt.want)
		}
	}
}

// However much is asked, answers are told under few names: each is a series of
// measures for good.
func TestAnswersAreToldUnderFewRoutes(t *testing.T) {
	t.Parallel()
	var kept told
	site := webtest.Start(t, func(d *web.Deps) { d.Answered = kept.answered })
	routes := map[string]bool{"": true}
	for _, rt := range site.Server.Routes() {
		routes[rt.Path] = true
	}
	for i := range 50 {
		for _, path := range []string{"/x%d", "/certificados/DEMO/x-%d", "/certificados/x%d/1", "/estatico/x%d.css", "/?q=x%d", "/en/%d"} {
			site.Get(fmt.Sprintf(path, i))
		}
	}
	seen := map[string]bool{}
	for _, line := range kept.taken() {
		var method, route string
		var status int
		if n, _ := fmt.Sscanf(line, "%s %s %d", &method, &route, &status); n < 3 {
			route = ""
		}
		if !routes[route] {
			t.Errorf("%q is told as %q", line, route)
		}
		seen[line] = true
	}
	if len(seen) > 8 {
		t.Errorf("series: %q", slices.Sorted(maps.Keys(seen)))
	}
}

// A refusal because of the rate is counted by the limiter and not told here: it
// took no work whose time could matter.
func TestTooManyIsNotTold(t *testing.T) {
	t.Parallel()
	var kept told
	site := webtest.Start(t, func(d *web.Deps) { d.Answered = kept.answered })
	rec, req := newAsk(t, http.MethodGet, "/sobre")
	site.Server.TooMany(rec, req, 3)
	if got := kept.taken(); len(got) > 0 || rec.Code != http.StatusTooManyRequests {
		t.Errorf("%d, told %q", rec.Code, got)
	}
}
