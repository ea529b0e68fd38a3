package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"selo/brasil"
	"selo/certificate"
)

// summaryLimit is how long a summary may be counted; 200,000 certificates take
// well below a second.
const summaryLimit = time.Minute

// Tally counts certificates by their situation as shown on a day.
type Tally struct {
	Active    int
	Suspended int
	Cancelled int
	Expired   int
}

// Total is the number of certificates in every situation.
func (t Tally) Total() int { return t.Active + t.Suspended + t.Cancelled + t.Expired }

func (t *Tally) add(situation string, n int) {
	switch situation {
	case string(certificate.Active):
		t.Active += n
	case string(certificate.Suspended):
		t.Suspended += n
	case string(certificate.Cancelled):
		t.Cancelled += n
	case expired:
		t.Expired += n
	}
}

func (t *Tally) join(o Tally) {
	t.Active += o.Active
	t.Suspended += o.Suspended
	t.Cancelled += o.Cancelled
	t.Expired += o.Expired
}

// Tallied is the tally of one body, class or type of certificate.
type Tallied struct {
	Code string
	Name string
	Tally
}

// Month is the tally of the certificates issued in one month (data_emissao).
type Month struct {
	Year  int
	Month time.Month
	Tally
}

// Summary counts all certificates that the Web shows, as of a day. It is
// shared: callers only read it.
type Summary struct {
	On    brasil.Date // the day of situations
	Total Tally
	// Products counts the active products of certificates that are active and
	// unexpired; one that stands in two certificates counts twice.
	Products int64
	Bodies   []Tallied // all of the reference, by sigla
	Classes  []Tallied // all of the reference that are not off the Web, by name
	Types    []Tallied // all of the reference, by name
	Months   []Month   // those with certificates, in the order of time

	pairs map[pair]Tally
}

// pair is a body with a class that it has certificates of.
type pair struct {
	body  certificate.Sigla
	class certificate.ClassCode
}

// ClassesOf tallies the classes that a body has certificates of, the largest
// first.
func (s *Summary) ClassesOf(body certificate.Sigla) []Tallied {
	var list []Tallied
	for _, c := range s.Classes {
		if t, ok := s.pairs[pair{body, certificate.ClassCode(c.Code)}]; ok {
			list = append(list, Tallied{c.Code, c.Name, t})
		}
	}
	sortLargest(list)
	return list
}

// BodiesOf tallies the bodies that have certificates of a class, the largest
// first.
func (s *Summary) BodiesOf(class certificate.ClassCode) []Tallied {
	var list []Tallied
	for _, b := range s.Bodies {
		if t, ok := s.pairs[pair{certificate.Sigla(b.Code), class}]; ok {
			list = append(list, Tallied{b.Code, b.Name, t})
		}
	}
	sortLargest(list)
	return list
}

// sortLargest puts the most active certificates first; equal ones stay in order.
func sortLargest(list []Tallied) {
	slices.SortStableFunc(list, func(a, b Tallied) int {
		return cmp.Or(cmp.Compare(b.Active, a.Active), cmp.Compare(b.Total(), a.Total()))
	})
}

// summaries keeps the summary of a snapshot's day. The zero value is ready.
type summaries struct {
	mu     sync.Mutex
	latest *counting // guarded by mu; of the last day asked for, under way or done
}

// counting is one summary being made; the rest is set when done is closed.
type counting struct {
	on      brasil.Date
	done    chan struct{}
	summary *Summary
	err     error
}

// Summary counts the certificates as of today. It is counted at the first
// question of a day and kept; who asks meanwhile waits for the same count, and
// one who goes away does not stop it for the others.
func (c *Catalog) Summary(ctx context.Context) (*Summary, error) {
	n := c.countOf(ctx, c.today())
	select {
	case <-n.done:
		return n.summary, n.err
	case <-ctx.Done():
		return nil, fmt.Errorf("summarize: %w", ctx.Err())
	}
}

// countOf returns the count of a day, which it begins when nobody has.
func (c *Catalog) countOf(ctx context.Context, day brasil.Date) *counting {
	s := &c.summaries
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.latest != nil && s.latest.on == day {
		return s.latest
	}
	n := &counting{on: day, done: make(chan struct{})}
	s.latest = n
	c.mu.Lock()
	c.readers++ // the count goes on when its askers are gone
	c.mu.Unlock()
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), summaryLimit)
	go func() {
		defer close(n.done)
		defer c.release()
		defer cancel()
		if n.summary, n.err = c.summarize(own, day); n.err != nil {
			s.forget(n) // the next one asks anew
		}
	}()
	return n
}

func (s *summaries) forget(n *counting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.latest == n {
		s.latest = nil
	}
}

// shownColumn is the number of the situation on a day: that of the row, 4 for
// an active certificate whose validity ended before the day.
const shownColumn = `CASE WHEN situacao = 1 AND validade <> 0 AND validade < ? THEN 4 ELSE situacao END`

const expiredNumber = 4

// The questions of a summary: a key, the situation, certificates, products.
const (
	summaryPairs = `SELECT organismo, classe, tipo, ` + shownColumn + ` AS s, count(*), sum(produtos)
		FROM certificado WHERE motivo = '' GROUP BY organismo, classe, tipo, s`
	summaryMonths = `SELECT emissao / 100, ` + shownColumn + ` AS s, count(*) FROM certificado WHERE motivo = '' GROUP BY emissao / 100, s`
)

func (c *Catalog) summarize(ctx context.Context, day brasil.Date) (*Summary, error) {
	s := &Summary{On: day, pairs: map[pair]Tally{}}
	if err := c.countPairs(ctx, s); err != nil {
		return nil, fmt.Errorf("summarize: %w", err)
	}
	if err := c.countMonths(ctx, s); err != nil {
		return nil, fmt.Errorf("summarize: %w", err)
	}
	return s, nil
}

// countPairs fills everything but the months.
func (c *Catalog) countPairs(ctx context.Context, s *Summary) error {
	rows, err := c.query(ctx, summaryPairs, dayNumber(s.On))
	if err != nil {
		return err
	}
	defer rows.Close()
	bodies, classes, types := map[string]Tally{}, map[string]Tally{}, map[string]Tally{}
	for rows.Next() {
		var body, class, kind string
		var number, products int64
		var count int
		if err := rows.Scan(&body, &class, &kind, &number, &count, &products); err != nil {
			return err
		}
		var t Tally
		t.add(numberedSituation(number), count)
		s.Total.join(t)
		joinTo(bodies, body, t)
		joinTo(classes, class, t)
		joinTo(types, kind, t)
		joinTo(s.pairs, pair{certificate.Sigla(body), certificate.ClassCode(class)}, t)
		if number == activeNumber {
			s.Products += products
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	n := c.names
	s.Bodies = tallied(bodies, keysOf(n.bodies), n.body)
	s.Classes = tallied(classes, c.shownClasses(), n.class)
	s.Types = tallied(types, keysOf(n.types), n.kind)
	slices.SortFunc(s.Bodies, func(a, b Tallied) int { return strings.Compare(a.Code, b.Code) })
	return nil
}

// countMonths fills the months; certificates without a day of issue are in none.
func (c *Catalog) countMonths(ctx context.Context, s *Summary) error {
	rows, err := c.query(ctx, summaryMonths, dayNumber(s.On))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var month, number int64
		var count int
		if err := rows.Scan(&month, &number, &count); err != nil {
			return err
		}
		if month == 0 {
			continue
		}
		year, of := int(month/100), time.Month(month%100)
		if last := len(s.Months) - 1; last < 0 || s.Months[last].Year != year || s.Months[last].Month != of {
			s.Months = append(s.Months, Month{Year: year, Month: of})
		}
		s.Months[len(s.Months)-1].add(numberedSituation(number), count)
	}
	return rows.Err()
}

// numberedSituation is the situation that shownColumn gives.
func numberedSituation(number int64) string {
	if number == expiredNumber {
		return expired
	}
	return shownSituation(number, 0, brasil.Date{})
}

func joinTo[K comparable](tallies map[K]Tally, key K, t Tally) {
	sum := tallies[key]
	sum.join(t)
	tallies[key] = sum
}

// shownClasses are the codes of the classes that are not off the Web.
func (c *Catalog) shownClasses() []certificate.ClassCode {
	var codes []certificate.ClassCode
	for code, class := range c.names.classes {
		if class.Disabled == "" {
			codes = append(codes, code)
		}
	}
	return codes
}

func keysOf[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// tallied lists the tallies with those of known that have none, by name.
func tallied[K ~string](tallies map[string]Tally, known []K, name func(K) string) []Tallied {
	for _, code := range known {
		joinTo(tallies, string(code), Tally{})
	}
	list := make([]Tallied, 0, len(tallies))
	for code, t := range tallies {
		list = append(list, Tallied{code, name(K(code)), t})
	}
	slices.SortFunc(list, func(a, b Tallied) int {
		return cmp.Or(strings.Compare(brasil.Fold(a.Name), brasil.Fold(b.Name)), strings.Compare(a.Code, b.Code))
	})
	return list
}
