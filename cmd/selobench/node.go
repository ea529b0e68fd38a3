package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// nodeRows measures `selo catalog serve`: a node that has the snapshot alone.
func (b *bench) nodeRows(ctx context.Context, at base) (err error) {
	name := "snapshot, " + grouped(int64(at.Products))
	b.step("%s: selo catalog serve", name)
	folder := at.file("publico")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := show(at, 1, folder); err != nil {
		return err
	}
	s, took, err := b.startNode(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	b.add(row{What: "`selo catalog serve` answers `/pronto`", Base: name, Target: "≤ 1 s", Measured: seconds(took.Seconds()), Met: judge(took <= maxStart), Why: whyNodeStart})
	b.add(residentRow("`selo catalog serve` in memory, started", name, s.memory()))
	if _, _, err := s.settle(ctx); err != nil {
		return err
	}
	m, err := call[mix](ctx, "queries", asked{Snapshot: at.snapshot(1), Numbers: numbersOf(at)})
	if err != nil {
		return err
	}
	if err := b.nodeAnswers(ctx, name, s, m, secondsOf(at)); err != nil {
		return fmt.Errorf("%w: the node said: %s", err, s.said)
	}
	if err := b.swapRow(ctx, name, at, folder, s, m); err != nil {
		return fmt.Errorf("%w: the node said: %s", err, s.said)
	}
	b.add(residentRow("`selo catalog serve` in memory, after that", name, s.memory()))
	return nil
}

// startNode starts the node three times; the last goes on. The time is the middle one.
func (b *bench) startNode(ctx context.Context, folder string) (s *server, took time.Duration, err error) {
	var starts []time.Duration
	for len(starts) < 3 {
		if s != nil {
			if err := s.kill(); err != nil {
				return nil, 0, err
			}
		}
		if s, err = startProgram(ctx, b.program, filepath.Dir(folder), "catalog", "serve", "--snapshot", folder, "--poll", "200ms"); err != nil {
			return nil, 0, err
		}
		starts = append(starts, s.ready)
	}
	slices.Sort(starts)
	return s, starts[1], nil
}

// nodeAnswers measures look-up and search beside a handler that does nothing.
func (b *bench) nodeAnswers(ctx context.Context, name string, s *server, m mix, long float64) error {
	a, f, err := besideEmpty(ctx, asking{Addr: s.addr, Paths: m.Addresses, At: connections, Seconds: long})
	if err != nil {
		return err
	}
	share := a.perSecond() / f.perSecond()
	b.add(row{What: "`selo catalog serve`: exact look-up", Base: name, Target: "≥ 0.5 of an empty handler",
		Measured: fmt.Sprintf("%s/s, %s", grouped(int64(a.perSecond())), milliseconds(a.P50, a.P99)), Floor: fmt.Sprintf("%s/s, p99 %.2f ms", grouped(int64(f.perSecond())), f.P99),
		Ratio: ratio(share), Met: judge(share >= minLookUp), Why: whyLookUp})
	one, many, err := askMix(ctx, s.addr, m.searches())
	if err != nil {
		return err
	}
	empty, err := emptyOnce(ctx, m.searches())
	if err != nil {
		return err
	}
	b.add(row{What: "`selo catalog serve`: text search", Base: name, Target: "p99 ≤ 50 ms", Measured: milliseconds(one.P50, one.P99),
		Floor: milliseconds(empty.P50, empty.P99) + " empty handler", Ratio: ratio(one.P99 / empty.P99), Met: judge(one.P99 <= float64(maxSearch.Milliseconds())), Why: whySearch})
	b.add(row{What: fmt.Sprintf("`selo catalog serve`: text search, %d connections", connections), Base: name, Met: noted,
		Measured: milliseconds(many.P50, many.P99) + ", " + grouped(int64(many.perSecond())) + "/s"})
	return nil
}

// swapRow puts a newer publication beside the one shown while clients ask for
// pages, certificates and searches, and counts what fails. Its floor is the same
// load while nothing is put.
func (b *bench) swapRow(ctx context.Context, name string, at base, folder string, s *server, m mix) error {
	load := asking{Addr: s.addr, Paths: m.everything(), At: connections, Seconds: 2, Gzip: true, Count: true}
	before, err := call[answered](ctx, "client", load)
	if err != nil {
		return err
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	var during answered
	var loadErr error
	go func() {
		defer close(ended)
		for enough := false; !enough && loadErr == nil; {
			select {
			case <-stop:
				enough = true // a last round meets the new publication alone
			default:
			}
			var a answered
			if a, loadErr = call[answered](ctx, "client", load); loadErr == nil {
				during = during.and(a)
			}
		}
	}()
	took, err := swapTime(ctx, at, folder, s)
	close(stop)
	<-ended
	if err := errors.Join(err, loadErr); err != nil {
		return err
	}
	measured := fmt.Sprintf("%d failed of %s; shown %.2f s after it lay there; p99 %.2f ms", during.Failed, grouped(during.Requests+during.Failed), took.Seconds(), during.P99)
	if during.Failure != "" {
		measured += "; " + during.Failure
	}
	b.add(row{What: "`selo catalog serve`: a newer publication under load", Base: name, Target: "no request fails", Measured: measured,
		Floor: fmt.Sprintf("p99 %.2f ms without", before.P99), Ratio: ratio(during.P99 / before.P99), Met: judge(during.Failed == 0 && before.Failed == 0), Why: "the node refused or dropped what it was asked"})
	return nil
}

// and joins rounds: the worst round's times.
func (a answered) and(other answered) answered {
	return answered{Requests: a.Requests + other.Requests, Failed: a.Failed + other.Failed, Failure: cmp.Or(a.Failure, other.Failure),
		Seconds: a.Seconds + other.Seconds, P50: max(a.P50, other.P50), P99: max(a.P99, other.P99), Bytes: a.Bytes + other.Bytes}
}

// swapTime shows publication 2 to a node that shows 1 and waits until it does.
func swapTime(ctx context.Context, at base, folder string, s *server) (time.Duration, error) {
	if n, err := shown(ctx, s.addr); err != nil || n != 1 {
		return 0, errors.Join(fmt.Errorf("the node shows publication %d before the second lies there", n), err)
	}
	start := time.Now()
	if err := show(at, 2, folder); err != nil {
		return 0, err
	}
	for {
		n, err := shown(ctx, s.addr)
		if err != nil {
			return 0, err
		}
		if n == 2 {
			return time.Since(start), nil
		}
		if time.Since(start) > patience {
			return 0, errors.New("the node does not show the second publication")
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// show puts a publication into a node's folder, whole at once.
func show(at base, number int, folder string) error {
	if err := os.Link(at.snapshot(number), filepath.Join(folder, filepath.Base(at.snapshot(number)))); err != nil {
		return fmt.Errorf("show publication %d: %w", number, err)
	}
	return nil
}

// shown is the number of the publication that a server answers with.
func shown(ctx context.Context, addr string) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/pronto", nil)
	if err != nil {
		return 0, fmt.Errorf("ask for the publication: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("ask for the publication: %w", err)
	}
	defer response.Body.Close()
	var ready struct {
		Publication int64 `json:"publicacao"`
	}
	if err := json.NewDecoder(response.Body).Decode(&ready); err != nil {
		return 0, fmt.Errorf("ask for the publication: %w", err)
	}
	return ready.Publication, nil
}

// everything is what visitors and programs ask together: two pages and two
// answers of the API by turns.
func (m *mix) everything() []string {
	var paths []string
	for i, search := range m.searches() {
		number := m.Addresses[i%len(m.Addresses)]
		paths = append(paths, number, strings.TrimPrefix(number, "/api/v1"), search, "/"+strings.TrimPrefix(search, "/api/v1/certificados"))
	}
	return paths
}
