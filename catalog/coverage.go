package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"selo/certificate"
)

// Coverage says how much of a body the snapshot holds, and how fresh it is.
type Coverage struct {
	Body      BodyView
	Revisions int64     // accepted ones of companies, products and certificates
	First     time.Time // UTC; its first revision was accepted
	Last      time.Time // UTC; its newest was
}

// Coverage lists the bodies with accepted revisions, by sigla.
func (c *Catalog) Coverage(ctx context.Context) ([]Coverage, error) {
	list := []Coverage{}
	var body string
	var revisions, first, last int64
	err := c.scanAll(ctx, "SELECT organismo, revisoes, primeira, ultima FROM cobertura ORDER BY organismo", nil, func() error {
		sigla := certificate.Sigla(body)
		list = append(list, Coverage{Body: BodyView{sigla, c.names.body(sigla)}, Revisions: revisions,
			First: time.UnixMicro(first).UTC(), Last: time.UnixMicro(last).UTC()})
		return nil
	}, &body, &revisions, &first, &last)
	if err != nil {
		return nil, fmt.Errorf("read coverage: %w", err)
	}
	return list, nil
}

// covered counts the accepted revisions of one body.
type covered struct{ revisions, first, last int64 } // moments in Unix microseconds

// coverage counts by body. Each revision is added once.
type coverage map[certificate.Sigla]*covered

func (v coverage) add(e Entry) {
	at := e.AcceptedAt.UnixMicro()
	b := v[e.Body]
	if b == nil {
		b = &covered{first: at, last: at}
		v[e.Body] = b
	}
	b.revisions++
	b.first, b.last = min(b.first, at), max(b.last, at)
}

// join adds what an earlier snapshot counted: a row of the table cobertura.
func (b *covered) join(row []any) {
	b.revisions += number(row[1])
	b.first, b.last = min(b.first, number(row[2])), max(b.last, number(row[3]))
}

// putCoverage renders what was counted.
func (r *renderer) putCoverage() error {
	for _, body := range slices.Sorted(maps.Keys(r.covered)) {
		b := r.covered[body]
		if err := r.out.put(tableCoverage, []any{string(body), b.revisions, b.first, b.last}); err != nil {
			return err
		}
	}
	return nil
}
