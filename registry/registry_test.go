package registry_test

import (
	"context"
	"io"
	"testing"

	"selo/load"
	"selo/registry"
	"selo/remessa"
	"selo/store/registrystore"
	"selo/store/storetest"
)

func openRegistry(tb testing.TB, e *storetest.Engine) *registry.Registry {
	tb.Helper()
	db := e.Open(tb, registrystore.Migrations())
	keys, err := remessa.NewKeys()
	if err != nil {
		tb.Fatal(err)
	}
	return &registry.Registry{Store: registrystore.Store{DB: db}, Keys: keys, Origin: "selo.example/registro", Name: "Registro de teste"}
}

func TestRemessaIsAcceptedAndPublished(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx := context.Background()
		r := openRegistry(t, e)
		body, err := load.Enrol(ctx, r, "TEST", 1)
		if err != nil {
			t.Fatal(err)
		}
		rem, err := body.Send(ctx, r, func(w io.Writer) (remessa.Manifest, error) { return body.Write(w, load.Size{Products: 1234}) })
		if err != nil {
			t.Fatal(err)
		}
		if rem.FirstIndex != 0 || rem.Applied != rem.Counts.Total() || rem.Counts.Products != 1234 {
			t.Fatalf("remessa = %+v", rem)
		}
	})
}

func BenchmarkProcess(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func(testing.TB) *storetest.Engine
	}{{"sqlite", storetest.NewSQLite}, {"postgres", storetest.NewPostgres}} {
		b.Run(engine.name, func(b *testing.B) {
			ctx := context.Background()
			r := openRegistry(b, engine.open(b))
			body, err := load.Enrol(ctx, r, "TEST", 1)
			if err != nil {
				b.Fatal(err)
			}
			const products = 20_000
			for b.Loop() {
				b.StopTimer()
				rem, err := body.Deliver(ctx, r, func(w io.Writer) (remessa.Manifest, error) { return body.Write(w, load.Size{Products: products}) })
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				err = r.Process(ctx, registry.ProcessArgs{Body: rem.Body, Sequence: rem.Sequence}, func(registry.Tx) error { return nil })
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(products*float64(b.N)/b.Elapsed().Seconds(), "products/s")
		})
	}
}
