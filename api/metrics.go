package api

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"selo/registry"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// collectLimit bounds the questions to the base for one scrape.
const collectLimit = 3 * time.Second

type metrics struct {
	requests *prometheus.HistogramVec
	handler  http.Handler
	series   sync.Map // seriesKey to prometheus.Observer: finding them by labels costs more
}

// newMetrics makes the measures in a registry of their own.
func newMetrics(s *Server) *metrics {
	m := &metrics{requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "selo_http_request_duration_seconds",
		Help:    "Time to answer, by method, route and status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60},
	}, []string{"method", "route", "status"})}
	own := prometheus.NewRegistry()
	own.MustRegister(m.requests, baseCollector{s}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(own, promhttp.HandlerOpts{})
	return m
}

// seriesKey names one series of the requests. Methods, routes and statuses are few.
type seriesKey struct {
	method, route string
	status        int
}

// Observe measures an answer that was given beside the API, as its own are
// measured. The route is a pattern, "" for what none matched: each is a series
// for good, so it must be one of few. It is safe for concurrent use.
func (s *Server) Observe(method, route string, status int, took time.Duration) {
	if route == "" {
		route = otherRoute
	}
	s.metrics.observe(method, route, status, took)
}

// observe measures one answer.
func (m *metrics) observe(method, route string, status int, took time.Duration) {
	key := seriesKey{methodLabel(method), route, status}
	series, known := m.series.Load(key)
	if !known {
		series, _ = m.series.LoadOrStore(key, m.requests.WithLabelValues(key.method, key.route, strconv.Itoa(key.status)))
	}
	if observer, is := series.(prometheus.Observer); is {
		observer.Observe(took.Seconds())
	}
}

var (
	ledgerSize      = measure("selo_ledger_size", "Revisions in the ledger.")
	publicationAge  = measure("selo_publication_age_seconds", "Time since the newest publication of the base.")
	publicationNum  = measure("selo_publication_number", "Number of the newest publication of the base.")
	snapshotNum     = measure("selo_snapshot_publication_number", "Number of the publication that this node shows.")
	snapshotAge     = measure("selo_snapshot_age_seconds", "Time since the publication that this node shows.")
	remessasByState = measure("selo_remessas", "Remessas by state.", "state")
	jobsWaiting     = measure("selo_jobs_waiting", "Jobs that are not finished.")
	refusedRequests = measure("selo_http_requests_refused_total", "Requests refused because their client asked too often.")
	replicaLooked   = measure("selo_replica_looked_seconds", "Time since the source of publications last said what it has.")
	replicaRefusals = measure("selo_replica_refusals", "Snapshots refused since the start.")
	replicaTrouble  = measure("selo_replica_trouble", "Whether the newest look at the source failed, and why.", "reason")
	baseUp          = measure("selo_base_up", "Whether the official base answered this scrape.")
)

func measure(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// baseCollector asks the base when it is scraped, so that every replica tells the same.
type baseCollector struct{ s *Server }

// Describe implements prometheus.Collector.
func (c baseCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{ledgerSize, publicationAge, publicationNum, snapshotNum, snapshotAge,
		remessasByState, jobsWaiting, refusedRequests, replicaLooked, replicaRefusals, replicaTrouble, baseUp} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. A base that does not answer is
// itself a measure; the others are then missing rather than wrong.
func (c baseCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	now := c.s.deps.Clock.Now()
	if limiter := c.s.deps.Limiter; limiter != nil {
		ch <- prometheus.MustNewConstMetric(refusedRequests, prometheus.CounterValue, float64(limiter.Refused()))
	}
	if current, release, err := c.s.currentCatalog(); err == nil {
		gauge(snapshotNum, float64(current.Publication().Number))
		gauge(snapshotAge, now.Sub(current.Publication().At).Seconds())
		release()
	}
	c.collectReplica(now, gauge)
	if c.s.deps.Registry == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), collectLimit)
	defer cancel()
	up := 1.0
	if err := c.collectBase(ctx, now, gauge); err != nil {
		c.s.log.Error("measures of the base are missing", "error", err)
		up = 0
	}
	gauge(baseUp, up)
}

func (c baseCollector) collectReplica(now time.Time, gauge func(*prometheus.Desc, float64, ...string)) {
	if c.s.deps.Replica == nil {
		return
	}
	status := c.s.deps.Replica.Status()
	gauge(replicaRefusals, float64(status.Refusals))
	if !status.Looked.IsZero() {
		gauge(replicaLooked, now.Sub(status.Looked).Seconds())
	}
	if status.Trouble != nil {
		gauge(replicaTrouble, 1, status.Trouble.Key)
		return
	}
	gauge(replicaTrouble, 0, "")
}

func (c baseCollector) collectBase(ctx context.Context, now time.Time, gauge func(*prometheus.Desc, float64, ...string)) error {
	return c.s.read(ctx, func(tx registry.Tx) error {
		head, err := tx.LedgerHead(ctx)
		if err != nil {
			return err
		}
		p, found, err := tx.FindPublication(ctx)
		if err != nil {
			return err
		}
		remessas, err := tx.CountRemessas(ctx)
		if err != nil {
			return err
		}
		jobs, err := tx.CountJobs(ctx)
		if err != nil {
			return err
		}
		// Nothing below fails, so that a transaction that is run twice does not tell anything twice.
		gauge(ledgerSize, float64(head.Size))
		if found {
			gauge(publicationNum, float64(p.Number))
			gauge(publicationAge, now.Sub(p.At).Seconds())
		}
		for _, state := range []registry.State{registry.Received, registry.Confirmed, registry.Invalidated} {
			gauge(remessasByState, float64(remessas[state]), string(state))
		}
		gauge(jobsWaiting, float64(jobs))
		return nil
	})
}

func (s *Server) getMetrics(c *call) error {
	s.metrics.handler.ServeHTTP(c.w, c.r)
	return nil
}
