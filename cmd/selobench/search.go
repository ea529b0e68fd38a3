package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/clock"
)

// query is one search of the mix.
type query struct {
	Kind string
	Text string
	Bare string // the FTS5 expression that asks the same; empty when the index alone cannot
}

// asked names the snapshot and, for searchInProcess, what to search in it.
type asked struct {
	Snapshot string
	Queries  []query
	Passes   int
	Numbers  int // certificates that makeQueries names
}

// mix is what people type: texts, and the addresses of certificates to look up.
type mix struct {
	Queries   []query
	Addresses []string // paths of the API, percent-encoded
}

// sampled is a certificate that queries are made of.
type sampled struct{ body, number, class, applicant, brand, model, cnpj, gtin string }

// makeQueries draws a mix from a snapshot, always the same for the same snapshot.
func makeQueries(ctx context.Context, a asked) (m mix, err error) {
	db, err := openSnapshot(a.Snapshot)
	if err != nil {
		return m, err
	}
	defer func() { _ = db.Close() }() // read only
	list, err := sample(ctx, db, max(a.Numbers, 400))
	if err != nil {
		return m, err
	}
	for _, s := range list {
		m.Addresses = append(m.Addresses, "/api/v1"+catalog.Path(certificate.Sigla(s.body), s.number))
	}
	random := rand.New(rand.NewPCG(2, 3)) //nolint:gosec // repeatable, no secret
	random.Shuffle(len(m.Addresses), func(i, j int) { m.Addresses[i], m.Addresses[j] = m.Addresses[j], m.Addresses[i] })
	take := func(kind string, n int, text func(s sampled, i int) string) {
		for i := range n {
			s := list[random.IntN(len(list))]
			if t := text(s, i); t != "" {
				m.Queries = append(m.Queries, query{Kind: kind, Text: t, Bare: bareExpression(t)})
			}
		}
	}
	part := func(text string, from, to int) string {
		words := strings.Fields(brasil.Fold(text))
		return strings.Join(words[min(from, len(words)):min(to, len(words))], " ")
	}
	take("number", 40, func(s sampled, _ int) string { return s.number })
	take("part of a number", 30, func(s sampled, i int) string { return part(s.number, i%2, 2+i%2) })
	take("brand and model", 40, func(s sampled, _ int) string { return s.brand + " " + s.model })
	take("brand", 20, func(s sampled, _ int) string { return s.brand })
	take("beginning of a model", 20, func(s sampled, _ int) string { return s.model[:min(len(s.model), 6)] })
	take("company", 20, func(s sampled, i int) string { return part(s.applicant, i%2, 4) })
	take("class", 20, func(s sampled, i int) string { return part(s.class, 0, 1+i%3) })
	take("brand and class", 15, func(s sampled, _ int) string { return s.brand + " " + part(s.class, 0, 1) })
	take("nothing", 20, func(s sampled, i int) string { return []string{"zzyzx", s.brand + " zzyzx", "portaria 99999"}[i%3] })
	take("one letter", 20, func(_ sampled, i int) string { return string(rune('a' + i)) })
	take("two letters", 15, func(s sampled, i int) string { return (part(s.applicant, 2+i%2, 3+i%2) + "xx")[:2] })
	take("CNPJ", 15, func(s sampled, _ int) string { return s.cnpj })
	take("GTIN", 15, func(s sampled, _ int) string { return s.gtin })
	for i := range m.Queries {
		switch q := &m.Queries[i]; q.Kind {
		case "CNPJ": // one word in the index
			q.Bare = `"` + strings.ToLower(brasil.Compact(q.Text)) + `"`
		case "GTIN": // not in the text index
			q.Bare = ""
		}
	}
	return m, nil
}

// bareExpression asks for all words, the last one as a beginning, as a search
// does; of one letter all that begins so is never asked for.
func bareExpression(text string) string {
	words := strings.Fields(brasil.Fold(text))
	for i, w := range words {
		words[i] = `"` + w + `"`
	}
	if last := len(words) - 1; last >= 0 && len(words[last]) > 3 {
		words[last] += " *"
	}
	return strings.Join(words, " AND ")
}

// sample draws n certificates spread over the whole snapshot, with a product and a company of each.
func sample(ctx context.Context, db *sql.DB, n int) ([]sampled, error) {
	var count int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM certificado").Scan(&count); err != nil {
		return nil, fmt.Errorf("count certificates: %w", err)
	}
	rows, err := db.QueryContext(ctx, `
		SELECT c.organismo, c.numero, c.classe, c.solicitante, p.marca, p.modelo, e.cnpj,
			coalesce((SELECT g.numero FROM vinculo w JOIN gtin g ON g.produto = w.produto WHERE w.certificado = c.id LIMIT 1), 0)
		FROM (SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM certificado) WHERE n % ? = 0 LIMIT ?) k
		JOIN certificado c ON c.id = k.id JOIN vinculo v ON v.certificado = c.id AND v.seq = 0 JOIN produto p ON p.id = v.produto
		JOIN participante t ON t.certificado = c.id AND t.seq = 0 JOIN empresa e ON e.id = t.empresa`, max(count/n, 1), n)
	if err != nil {
		return nil, fmt.Errorf("sample certificates: %w", err)
	}
	defer rows.Close()
	var list []sampled
	for rows.Next() {
		var s sampled
		var gtin int64
		if err := rows.Scan(&s.body, &s.number, &s.class, &s.applicant, &s.brand, &s.model, &s.cnpj, &gtin); err != nil {
			return nil, fmt.Errorf("sample certificates: %w", err)
		}
		if gtin > 0 {
			s.gtin = fmt.Sprintf("%013s", strconv.FormatInt(gtin, 10))
		}
		list = append(list, s)
	}
	if len(list) == 0 && rows.Err() == nil {
		return nil, fmt.Errorf("the snapshot shows none of its %d certificates", count)
	}
	return list, rows.Err()
}

// openSnapshot opens a snapshot below the catalog, with the catalog's own settings.
func openSnapshot(path string) (*sql.DB, error) {
	source := plainFile(path, "query_only(1)", "cache_size(-8192)", "mmap_size(268435456)") + "&mode=ro&immutable=1"
	db, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, fmt.Errorf("open snapshot: %w", err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// searched compares searching with the bare query on the same snapshot.
type searched struct {
	P50, P99         float64 // milliseconds, all queries
	TextP50, TextP99 float64 // those that the index alone can answer
	BareP50, BareP99 float64 // the same, bare
	Queries          int
	Hits             int64 // certificates found, all passes
	Kinds            map[string][2]float64
}

// searchInProcess runs the mix through the catalog and, where the index alone
// can answer, as bare FTS5 queries, in turn, after one pass that warms both.
func searchInProcess(ctx context.Context, a asked) (r searched, err error) {
	c, err := catalog.Open(ctx, a.Snapshot, catalog.OpenOptions{Clock: clock.System{}, Connections: 1})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	db, err := openSnapshot(a.Snapshot)
	if err != nil {
		return r, err
	}
	defer func() { _ = db.Close() }() // read only
	bareQuery, err := db.PrepareContext(ctx, "SELECT rowid FROM busca WHERE busca MATCH ? ORDER BY rowid DESC LIMIT 30")
	if err != nil {
		return r, fmt.Errorf("prepare bare query: %w", err)
	}
	defer bareQuery.Close()
	p := &pair{catalog: c, bare: bareQuery, kinds: map[string][]time.Duration{}}
	err = profiled(fmt.Sprintf("search-%d", os.Getpid()), func() error {
		for pass := range a.Passes + 1 {
			for _, q := range a.Queries {
				if err := p.measure(ctx, q, pass > 0); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	return p.result(len(a.Queries))
}

// pair is the two ways of searching, with the times they took.
type pair struct {
	catalog             *catalog.Catalog
	bare                *sql.Stmt
	all, text, bareText []time.Duration
	kinds               map[string][]time.Duration
	hits                int64
}

// measure asks one question both ways; a question that only warms does not count.
func (p *pair) measure(ctx context.Context, q query, counts bool) error {
	start := time.Now()
	hits, err := p.catalog.Search(ctx, catalog.Search{Text: q.Text})
	took := time.Since(start)
	if err != nil {
		return fmt.Errorf("search %q: %w", q.Text, err)
	}
	if counts {
		p.hits += int64(len(hits.Certificates))
		p.all, p.kinds[q.Kind] = append(p.all, took), append(p.kinds[q.Kind], took)
	}
	if q.Bare == "" {
		return nil
	}
	start = time.Now()
	if err := readIDs(ctx, p.bare, q.Bare); err != nil {
		return fmt.Errorf("bare query %s: %w", q.Bare, err)
	}
	if counts {
		p.text, p.bareText = append(p.text, took), append(p.bareText, time.Since(start))
	}
	return nil
}

func (p *pair) result(queries int) (r searched, err error) {
	if len(p.text) == 0 || p.hits == 0 {
		return r, errors.New("the mix holds no question that finds anything")
	}
	r = searched{Queries: queries, Hits: p.hits, Kinds: map[string][2]float64{}}
	r.P50, r.P99 = quantiles(p.all)
	r.TextP50, r.TextP99 = quantiles(p.text)
	r.BareP50, r.BareP99 = quantiles(p.bareText)
	for kind, took := range p.kinds {
		p50, p99 := quantiles(took)
		r.Kinds[kind] = [2]float64{p50, p99}
	}
	return r, nil
}

func readIDs(ctx context.Context, query *sql.Stmt, expression string) error {
	rows, err := query.QueryContext(ctx, expression)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
	}
	return rows.Err()
}
