package certificate

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkProduct(b *testing.B) {
	prev, next := fixtureProduct(), fixtureProduct()
	next.Description = "Capacete integral – edição 2026"
	b.Run("Check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if CheckProduct(next) != nil {
				b.Fatal("refused")
			}
		}
	})
	b.Run("CheckChange", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if CheckProductChange(prev, next) != nil {
				b.Fatal("refused")
			}
		}
	})
	b.Run("Key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = next.Key()
		}
	})
	b.Run("Revision", func(b *testing.B) {
		rules, r, refs := NewRules(fixtureTables()), revisionOf(next), fixtureRecords()
		b.ReportAllocs()
		for b.Loop() {
			if rules.Check(r, nil, refs, today) != nil {
				b.Fatal("refused")
			}
		}
	})
}

func BenchmarkDecodeRevision(b *testing.B) {
	canonical, err := revisionOf(fixtureProduct()).Encode()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeRevision(canonical); err != nil {
			b.Fatal(err)
		}
	}
}

// wide makes an approved certificate of n products and its successor, in which
// one product is suspended and one is new, in reverse order.
func wide(n int) *scene {
	s := certificateScene()
	c := s.next.Certificate
	template := c.Products[0]
	c.Products = nil
	for i := range n {
		template.Product = ID(fmt.Sprintf("01900000-0000-7000-9000-%012d", i))
		s.refs.products[template.Product] = false
		c.Products = append(c.Products, template)
	}
	s.prev = clone(s.next)
	for i := range n / 2 {
		c.Products[i], c.Products[n-1-i] = c.Products[n-1-i], c.Products[i]
	}
	c.Products[0].Situation = Suspended
	c.Products = append(c.Products, fixtureCertificate().Products[0])
	s.next.Justifications = []Justification{{Fields: []string{"produtos"}, Text: "Extensão do escopo"}}
	return s
}

// TestWideCertificate: 100,000 products, and nothing quadratic. The limit is
// far above what it takes (tens of milliseconds) and far below n².
func TestWideCertificate(t *testing.T) {
	s := wide(100_000)
	rules := NewRules(s.tables)
	start := time.Now()
	got := rules.Check(s.next, s.prev, s.refs, s.today)
	changes := Diff(s.prev.Certificate, s.next.Certificate)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("100,000 products took %v", took)
	}
	if len(got) > 0 || len(changes) != 2 {
		t.Errorf("problems %v, %d changes", got, len(changes))
	}
}

func BenchmarkCertificate100kProducts(b *testing.B) {
	s := wide(100_000)
	rules := NewRules(s.tables)
	b.ReportAllocs()
	for b.Loop() {
		if got := rules.Check(s.next, s.prev, s.refs, s.today); got != nil {
			b.Fatal(got)
		}
	}
}
