package catalog

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"selo/brasil"
	"selo/certificate"
)

// Tally counts certificates by their situation as shown on a day.
type Tally struct {
	Active    int
	Suspended int
	Cancelled int
	Expired   int
}

// Total is the number of certificates in every situation.
func (t Tally) Total() int { return t.Active + t.Suspended + t.Cancelled + t.Expired }

// add counts one certificate.
func (t *Tally) add(situation string) {
	switch situation {
	case string(certificate.Active):
		t.Active++
	case string(certificate.Suspended):
		t.Suspended++
	case string(certificate.Cancelled):
		t.Cancelled++
	case expired:
		t.Expired++
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

// Summary counts the certificates as of today. It is counted at the first
// question of a day and kept; who asks meanwhile waits for the same count.
func (c *Catalog) Summary(ctx context.Context) (*Summary, error) {
	day := c.today()
	s, err := c.summaries.get(ctx, c, day, func(ctx context.Context) (*Summary, error) { return c.summarize(ctx, day) })
	if err != nil {
		return nil, fmt.Errorf("summarize: %w", err)
	}
	return s, nil
}

// summaryRows are all certificates that the Web shows. They are counted here:
// SQLite would sort them for each GROUP BY, which takes twice as long.
const summaryRows = `SELECT organismo, classe, tipo, situacao, validade, emissao / 100, produtos FROM certificado WHERE motivo = ''`

func (c *Catalog) summarize(ctx context.Context, day brasil.Date) (*Summary, error) {
	rows, err := c.query(ctx, summaryRows)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	n := &tallies{on: day, pairs: map[pair]Tally{}, types: map[string]Tally{}, months: map[int64]Tally{}}
	for rows.Next() {
		var body, class, kind string
		var situation, valid, month, products int64
		if err := rows.Scan(&body, &class, &kind, &situation, &valid, &month, &products); err != nil {
			return nil, err
		}
		shown := shownSituation(situation, valid, day)
		n.add(pair{certificate.Sigla(body), certificate.ClassCode(class)}, kind, shown, month)
		if shown == string(certificate.Active) {
			n.products += products
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return n.summary(c.names), nil
}

// tallies are a summary in the making.
type tallies struct {
	on       brasil.Date
	pairs    map[pair]Tally
	types    map[string]Tally
	months   map[int64]Tally // by YYYYMM, 0 for none
	products int64
}

func (n *tallies) add(p pair, kind, situation string, month int64) {
	var one Tally
	one.add(situation)
	joinTo(n.pairs, p, one)
	joinTo(n.types, kind, one)
	joinTo(n.months, month, one)
}

// summary puts the tallies in order, with names.
func (n *tallies) summary(names *names) *Summary {
	s := &Summary{On: n.on, Products: n.products, pairs: n.pairs, Types: tallied(n.types, slices.Collect(maps.Keys(names.types)), names.kind)}
	bodies, classes := map[string]Tally{}, map[string]Tally{}
	for p, t := range n.pairs {
		s.Total.join(t)
		joinTo(bodies, string(p.body), t)
		joinTo(classes, string(p.class), t)
	}
	s.Bodies = tallied(bodies, slices.Collect(maps.Keys(names.bodies)), names.body)
	slices.SortFunc(s.Bodies, func(a, b Tallied) int { return strings.Compare(a.Code, b.Code) })
	s.Classes = tallied(classes, names.shownClasses(), names.class)
	for _, month := range slices.Sorted(maps.Keys(n.months)) {
		if month != 0 {
			s.Months = append(s.Months, Month{int(month / 100), time.Month(month % 100), n.months[month]})
		}
	}
	return s
}

func joinTo[K comparable](tallies map[K]Tally, key K, t Tally) {
	sum := tallies[key]
	sum.join(t)
	tallies[key] = sum
}

// shownClasses are the codes of the classes that are not off the Web.
func (n *names) shownClasses() []certificate.ClassCode {
	var codes []certificate.ClassCode
	for code, class := range n.classes {
		if class.Disabled == "" {
			codes = append(codes, code)
		}
	}
	return codes
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
