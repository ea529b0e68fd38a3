package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"selo/api"
	"selo/catalog"
	"selo/certificate"
	"selo/clock"
)

// lotsSource gives certificates of three products each, without a registry.
type lotsSource int

func (n lotsSource) Reference(context.Context) (catalog.Reference, error) {
	return catalog.Reference{Bodies: map[certificate.Sigla]string{"CCB": "Organismo"}, Tables: reference()}, nil
}

func (n lotsSource) size() int64 { return 2 + 4*int64(n) }

func (n lotsSource) EachRevision(_ context.Context, kind certificate.Kind, from, to int64, _ bool, fn func(catalog.Entry) error) error {
	for i := from; i < min(to, n.size()); i++ {
		r := n.revision(i)
		if kind != "" && r.Kind() != kind {
			continue
		}
		canonical, err := r.Encode()
		if err != nil {
			return err
		}
		if err := fn(catalog.Entry{Index: i, Hash: certificate.HashOf(canonical), Body: "CCB", AcceptedAt: benchDay, Canonical: canonical}); err != nil {
			return err
		}
	}
	return nil
}

var benchDay = time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)

func id(i int64) certificate.ID {
	return certificate.ID(fmt.Sprintf("01900000-0000-7000-8000-%012x", i))
}

func lotNumber(i int64) string { return fmt.Sprintf("FB-BRIN-%03d/%02d.%05d", i%900, i%27, i) }

func (n lotsSource) revision(i int64) *certificate.Revision {
	r := &certificate.Revision{ID: id(i), Body: "CCB", Number: 1, ApprovedAt: benchDay}
	switch k := (i - 2) % 4; {
	case i < 2:
		r.Company = first()[i].Company
	case k < 3:
		r.Product = &certificate.Product{Brand: "Marca", Model: fmt.Sprintf("M-%d", i), Description: "Capacete para condutores e passageiros de motocicletas"}
	default:
		c := helmets(lotNumber((i - 2) / 4))
		c.Companies, c.Products = c.Companies[:2], c.Products[:0]
		for j := range c.Companies {
			c.Companies[j].Company = id(int64(j))
		}
		for p := i - 3; p < i; p++ {
			c.Products = append(c.Products, certificate.ProductLink{Company: id(0), Modality: certificate.ByType, Product: id(p), Situation: certificate.Active, EnteredOn: c.IssuedOn})
		}
		r.Certificate = c
	}
	return r
}

// BenchmarkLookUp compares the exact look-up by number over HTTP with an empty
// handler: the first is to reach half the throughput of the second (DESIGN 8).
// Client and server share the machine in both.
func BenchmarkLookUp(b *testing.B) {
	const certificates = 10_000
	source := lotsSource(certificates)
	path := filepath.Join(b.TempDir(), "bench.selo")
	ctx := context.Background()
	if err := catalog.Build(ctx, source, catalog.Publication{Number: 1, At: benchDay, Size: source.size()}, path, catalog.Options{}); err != nil {
		b.Fatal(err)
	}
	stopped := clock.NewManual(benchDay)
	c, err := catalog.Open(ctx, path, catalog.OpenOptions{Clock: stopped})
	if err != nil {
		b.Fatal(err)
	}
	holder := &catalog.Holder{}
	holder.Swap(c)
	b.Cleanup(func() { holder.Swap(nil) })
	server := api.New(api.Deps{Catalog: holder, Clock: stopped})
	for _, run := range []struct {
		name    string
		query   string
		handler http.Handler
	}{{"empty", "", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}, {"certificate", "", server},
		{"certificate, page by parameter", "?limite=100", server}} {
		b.Run(run.name, func(b *testing.B) { hammer(b, run.handler, run.query, certificates) })
	}
}

func hammer(b *testing.B, handler http.Handler, query string, certificates int64) {
	server := httptest.NewServer(handler)
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	defer transport.CloseIdleConnections()
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for i := int64(1); pb.Next(); i += 7919 {
			req, err := http.NewRequest("GET", server.URL+"/api/v1/certificados/CCB/"+lotNumber(i%certificates)+query, nil)
			if err != nil {
				b.Error(err)
				return
			}
			res, err := transport.RoundTrip(req)
			if err != nil {
				b.Error(err)
				return
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != 200 {
				b.Errorf("%d %v", res.StatusCode, err)
			}
			res.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
