package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"sort"
	"strings"
)

// connections is how many requests are under way at a time in measures of throughput.
const connections = 8

// rounds of the two servers in turn, so that a busy moment meets both.
const rounds = 3

// answerRows measures what the server answers from its snapshot.
func (b *bench) answerRows(ctx context.Context, at base, s *server) error {
	name := "snapshot, " + grouped(int64(at.Products))
	seconds := 3.0
	numbers := 20_000
	if at.Products < large {
		seconds, numbers = 1.5, 2_000
	}
	m, err := call[mix](ctx, "queries", asked{Snapshot: at.snapshot(2), Numbers: numbers})
	if err != nil {
		return err
	}
	if b.wants("lookup") {
		b.step("%s: look-up", name)
		if err := b.lookUpRow(ctx, name, s, m, seconds); err != nil {
			return fmt.Errorf("%w: the server said: %s", err, s.said)
		}
	}
	if b.wants("search") {
		b.step("%s: search", name)
		if err := b.searchRows(ctx, name, at, s, m); err != nil {
			return fmt.Errorf("%w: the server said: %s", err, s.said)
		}
	}
	if r := s.memory(); r.Now > 0 && b.wants("lookup", "search") {
		b.add(row{What: "`selo serve` in memory, after that", Base: name, Met: noted,
			Measured: fmt.Sprintf("%s, %s its own, %s of files; %s at its worst", megabytes(r.Now), megabytes(r.Own), megabytes(r.Shared), megabytes(r.Peak))})
	}
	return nil
}

// lookUpRow compares the exact look-up by number with a handler that does nothing.
func (b *bench) lookUpRow(ctx context.Context, name string, s *server, m mix, seconds float64) (err error) {
	empty, err := startEmpty(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, empty.stop()) }()
	ask := func(addr string, seconds float64) (answered, error) {
		return call[answered](ctx, "client", asking{Addr: addr, Paths: m.Addresses, At: connections, Seconds: seconds})
	}
	for _, addr := range []string{s.addr, empty.addr} { // warm both
		if _, err := ask(addr, 1); err != nil {
			return err
		}
	}
	var ours, floor []answered
	for range rounds {
		a, err := ask(s.addr, seconds)
		if err != nil {
			return err
		}
		f, err := ask(empty.addr, seconds)
		if err != nil {
			return err
		}
		ours, floor = append(ours, a), append(floor, f)
	}
	a, f := middle(ours), middle(floor)
	share := a.perSecond() / f.perSecond()
	b.add(row{What: fmt.Sprintf("exact look-up by number, HTTP, %d connections, %s numbers", connections, grouped(int64(len(m.Addresses)))), Base: name,
		Target: "≥ 0.5 of an empty handler", Measured: fmt.Sprintf("%s/s, p99 %.2f ms, %d B each", grouped(int64(a.perSecond())), a.P99, a.Bytes/a.Requests),
		Floor: fmt.Sprintf("%s/s, p99 %.2f ms", grouped(int64(f.perSecond())), f.P99), Ratio: ratio(share), Met: judge(share >= minLookUp), Why: whyLookUp})
	return nil
}

// middle is the round of median throughput.
func middle(list []answered) answered {
	sort.Slice(list, func(i, j int) bool { return list[i].perSecond() < list[j].perSecond() })
	return list[len(list)/2]
}

func (b *bench) searchRows(ctx context.Context, name string, at base, s *server, m mix) error {
	paths := make([]string, len(m.Queries))
	for i, q := range m.Queries {
		paths[i] = "/api/v1/certificados?q=" + url.QueryEscape(q.Text)
	}
	if _, err := call[answered](ctx, "client", asking{Addr: s.addr, Paths: paths, At: 1, Passes: 1}); err != nil { // warm
		return err
	}
	const passes = 5
	over, err := call[answered](ctx, "client", asking{Addr: s.addr, Paths: paths, At: 1, Passes: passes})
	if err != nil {
		return err
	}
	many, err := call[answered](ctx, "client", asking{Addr: s.addr, Paths: paths, At: connections, Passes: passes})
	if err != nil {
		return err
	}
	in, err := call[searched](ctx, "search", asked{Snapshot: at.snapshot(2), Queries: m.Queries, Passes: passes})
	if err != nil {
		return err
	}
	limit := float64(maxSearch.Milliseconds())
	b.add(row{What: fmt.Sprintf("text search, HTTP, %d queries", len(paths)), Base: name, Target: "p99 ≤ 50 ms",
		Measured: milliseconds(over.P50, over.P99), Met: judge(over.P99 <= limit), Why: whySearch})
	b.add(row{What: fmt.Sprintf("text search, HTTP, %d connections", connections), Base: name, Met: noted,
		Measured: milliseconds(many.P50, many.P99) + ", " + grouped(int64(many.perSecond())) + "/s"})
	share := in.TextP99 / in.BareP99
	b.add(row{What: "text search, in the process", Base: name, Target: "p99 ≤ 2 × the bare FTS5 query", Measured: milliseconds(in.TextP50, in.TextP99),
		Floor: milliseconds(in.BareP50, in.BareP99), Ratio: ratio(share), Met: judge(share <= maxSearchRatio), Why: whySearchRatio})
	if b.profile != "" {
		kinds := make([]string, 0, len(in.Kinds))
		for kind, took := range in.Kinds {
			kinds = append(kinds, fmt.Sprintf("%-22s %s", kind, milliseconds(took[0], took[1])))
		}
		slices.Sort(kinds)
		fmt.Fprintln(os.Stderr, strings.Join(kinds, "\n"))
	}
	return nil
}
