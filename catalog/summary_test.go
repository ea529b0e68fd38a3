package catalog

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"selo/clock"
)

func TestSummary(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt) // 10 March 2026 in Brasília
	s, err := c.Summary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// "2537" is of a class off the Web and "S-2" of a service class off the Web.
	if want := (Tally{Active: 3, Suspended: 1, Cancelled: 1, Expired: 1}); s.Total != want || s.Total.Total() != 6 {
		t.Errorf("total = %+v", s.Total)
	}
	if s.Products != 3 { // two of the first certificate, one of "2536"; a service has none
		t.Errorf("products = %d", s.Products)
	}
	if want := []Tallied{{"CCB", "Centro Cerâmico do Brasil", s.Total}, {Code: "UL", Name: "UL do Brasil"}}; !slices.Equal(s.Bodies, want) {
		t.Errorf("bodies = %+v", s.Bodies)
	}
	stove, pipe, service := Tallied{"fogao", "Fogões e fornos a gás", Tally{Active: 2, Expired: 1}},
		Tallied{"tubo", "Tubo cerâmico para canalização", Tally{Suspended: 1, Cancelled: 1}}, Tallied{"servico", "Serviço", Tally{Active: 1}}
	if want := []Tallied{stove, service, pipe}; !slices.Equal(s.Classes, want) {
		t.Errorf("classes = %+v", s.Classes)
	}
	if want := []Tallied{stove, service, pipe}; !slices.Equal(s.ClassesOf("CCB"), want) {
		t.Errorf("classes of CCB = %+v", s.ClassesOf("CCB"))
	}
	if list := s.ClassesOf("UL"); len(list) != 0 {
		t.Errorf("classes of UL = %+v", list)
	}
	if want := []Tallied{{"CCB", "Centro Cerâmico do Brasil", stove.Tally}}; !slices.Equal(s.BodiesOf("fogao"), want) {
		t.Errorf("bodies of fogao = %+v", s.BodiesOf("fogao"))
	}
	if list := s.BodiesOf("velha"); len(list) != 0 {
		t.Errorf("bodies of a class off the Web = %+v", list)
	}
	if want := []Month{{2020, time.January, Tally{Active: 2, Suspended: 1, Cancelled: 1, Expired: 1}}}; !slices.Equal(s.Months, want) {
		t.Errorf("months = %+v", s.Months) // "S-1" has no day of issue
	}
}

// TestSummaryDay counts anew when a day ends, and not before.
func TestSummaryDay(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	now := clock.NewManual(publishedAt)
	c.clock = now
	first, err := c.Summary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now.Advance(time.Hour)
	if again, err := c.Summary(t.Context()); err != nil || again != first {
		t.Errorf("counted again on the same day: %v", err)
	}
	now.Advance(23 * time.Hour) // "2536" ended on 10 March
	next, err := c.Summary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if next.Total.Active != first.Total.Active-1 || next.Total.Expired != first.Total.Expired+1 || next.On == first.On {
		t.Errorf("the next day: %+v", next.Total)
	}
}

// TestSummaryAskers lets many ask at once, some of them gone already: all who
// stay get the one summary, and a retired catalog closes after the count.
func TestSummaryAskers(t *testing.T) {
	t.Parallel()
	src := shop(t)
	var holder Holder
	holder.Swap(openBuilt(t, src, src.publication(1, publishedAt), publishedAt))
	c, release, _ := holder.Acquire()
	gone, leave := context.WithCancel(t.Context())
	leave()
	var all sync.WaitGroup
	answers := make([]*Summary, 16)
	for i := range answers {
		all.Go(func() {
			ctx := t.Context()
			if i%2 == 1 {
				ctx = gone
			}
			s, err := c.Summary(ctx)
			if err != nil && (ctx != gone || !errors.Is(err, context.Canceled)) {
				t.Errorf("asker %d: %v", i, err)
			}
			answers[i] = s
		})
	}
	all.Wait()
	for i, s := range answers {
		if s != answers[0] && (s != nil || i%2 == 0) {
			t.Errorf("asker %d has another summary", i)
		}
	}
	release()
	holder.Swap(nil)
	if _, err := c.Search(t.Context(), Search{}); err == nil {
		t.Error("the retired catalog is still open")
	}
}

func BenchmarkSummary(b *testing.B) {
	c, _ := benchCatalog(b)
	for b.Loop() {
		if _, err := c.summarize(b.Context(), c.today()); err != nil {
			b.Fatal(err)
		}
	}
}
