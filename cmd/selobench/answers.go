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

// passes is how often each question of the mix is asked.
const passes = 5

// secondsOf is how long a measure of throughput goes on.
func secondsOf(at base) float64 {
	if at.Products < large {
		return 1.5
	}
	return 3
}

// numbersOf is how many certificates are looked up.
func numbersOf(at base) int {
	if at.Products < large {
		return 2_000
	}
	return 20_000
}

// answerRows measures what the server answers from its snapshot.
func (b *bench) answerRows(ctx context.Context, at base, s *server) error {
	if !b.wants("lookup", "search", "page") {
		return nil
	}
	name := "snapshot, " + grouped(int64(at.Products))
	m, err := call[mix](ctx, "queries", asked{Snapshot: at.snapshot(2), Numbers: numbersOf(at)})
	if err != nil {
		return err
	}
	if b.wants("lookup") {
		b.step("%s: look-up", name)
		if err := b.lookUpRow(ctx, name, s, m, secondsOf(at)); err != nil {
			return fmt.Errorf("%w: the server said: %s", err, s.said)
		}
	}
	if b.wants("search", "page") {
		b.step("%s: search in the process", name)
		in, err := call[searched](ctx, "search", asked{Snapshot: at.snapshot(2), Queries: m.Queries, Passes: passes})
		if err != nil {
			return err
		}
		if b.wants("search") {
			b.step("%s: search", name)
			err = b.searchRows(ctx, name, s, m, in)
		}
		if err == nil && b.wants("page") {
			b.step("%s: pages", name)
			err = b.pageRows(ctx, name, s, m, in, secondsOf(at))
		}
		if err != nil {
			return fmt.Errorf("%w: the server said: %s", err, s.said)
		}
	}
	if r := s.memory(); r.Now > 0 {
		b.add(row{What: "`selo serve` in memory, after that", Base: name, Met: noted,
			Measured: fmt.Sprintf("%s, %s its own, %s of files; %s at its worst", megabytes(r.Now), megabytes(r.Own), megabytes(r.Shared), megabytes(r.Peak))})
	}
	return nil
}

// lookUpRow compares the exact look-up by number with a handler that does nothing.
func (b *bench) lookUpRow(ctx context.Context, name string, s *server, m mix, seconds float64) error {
	a, f, err := besideEmpty(ctx, asking{Addr: s.addr, Paths: m.Addresses, At: connections, Seconds: seconds})
	if err != nil {
		return err
	}
	share := a.perSecond() / f.perSecond()
	b.add(row{What: fmt.Sprintf("exact look-up by number, HTTP, %d connections, %s numbers", connections, grouped(int64(len(m.Addresses)))), Base: name,
		Target: "≥ 0.5 of an empty handler", Measured: fmt.Sprintf("%s/s, p99 %.2f ms, %d B each", grouped(int64(a.perSecond())), a.P99, a.Bytes/a.Requests),
		Floor: fmt.Sprintf("%s/s, p99 %.2f ms", grouped(int64(f.perSecond())), f.P99), Ratio: ratio(share), Met: judge(share >= minLookUp), Why: whyLookUp})
	return nil
}

// besideEmpty asks a server and one whose handler does nothing for the same, in
// turn, and gives the middle round of each.
func besideEmpty(ctx context.Context, what asking) (ours, floor answered, err error) {
	empty, err := startEmpty(ctx)
	if err != nil {
		return ours, floor, err
	}
	defer func() { err = errors.Join(err, empty.stop()) }()
	ask := func(addr string, seconds float64) (answered, error) {
		now := what
		now.Addr, now.Seconds = addr, seconds
		return call[answered](ctx, "client", now)
	}
	for _, addr := range []string{what.Addr, empty.addr} { // warm both
		if _, err := ask(addr, 1); err != nil {
			return ours, floor, err
		}
	}
	var all, floors []answered
	for range rounds {
		a, err := ask(what.Addr, what.Seconds)
		if err != nil {
			return ours, floor, err
		}
		f, err := ask(empty.addr, what.Seconds)
		if err != nil {
			return ours, floor, err
		}
		all, floors = append(all, a), append(floors, f)
	}
	return middle(all), middle(floors), nil
}

// middle is the round of median throughput.
func middle(list []answered) answered {
	sort.Slice(list, func(i, j int) bool { return list[i].perSecond() < list[j].perSecond() })
	return list[len(list)/2]
}

// searches are the addresses of the API for the questions of the mix.
func (m *mix) searches() []string {
	paths := make([]string, len(m.Queries))
	for i, q := range m.Queries {
		paths[i] = "/api/v1/certificados?q=" + url.QueryEscape(q.Text)
	}
	return paths
}

func (b *bench) searchRows(ctx context.Context, name string, s *server, m mix, in searched) error {
	paths := m.searches()
	over, many, err := askMix(ctx, s.addr, paths)
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
