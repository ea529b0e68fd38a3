package verify

import (
	"context"
	"database/sql"
	"strconv"
)

// Registry verifies the official base at url, as store.Open takes it. Faults
// are those of store.Open; whatever does not agree is a finding, not an error.
func Registry(ctx context.Context, url string, opts Options) (Report, error) {
	return open(ctx, url, opts, func(r *run) error {
		if err := r.measure(); err != nil {
			return err
		}
		steps := []func() error{r.remessas, r.ledger, r.chains, r.strays, r.bundles, r.traces, r.releases}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
}

// measure counts what the long steps will go through.
func (r *run) measure() error {
	revisions, err := r.count(`SELECT COUNT(*) FROM revision`)
	if err != nil {
		return err
	}
	lines, err := r.count(`SELECT COALESCE(SUM(certificates + companies + products), 0) FROM remessa`)
	r.total = 2*revisions + lines
	return err
}

// delivered is a row of table remessa.
type delivered struct {
	id        int64
	body      string
	sequence  int64
	digest    []byte
	previous  []byte
	scope     string
	counts    [4]int64 // by kindOrder; 0 is not used
	size      int64
	state     string
	received  int64
	processed sql.NullInt64
	applied   int64
	first     sql.NullInt64
}

const deliveredColumns = `m.id, m.body, m.sequence, m.digest, m.previous, m.scope, m.certificates, m.companies, m.products,
	m.size, m.state, m.received_at, m.processed_at, m.applied, m.first_index`

func (d *delivered) fields() []any {
	return []any{&d.id, &d.body, &d.sequence, &d.digest, &d.previous, &d.scope, &d.counts[kindOrder[kindCertificate]],
		&d.counts[kindOrder[kindCompany]], &d.counts[kindOrder[kindProduct]], &d.size, &d.state, &d.received, &d.processed,
		&d.applied, &d.first}
}

func (d *delivered) name() string { return remessaName(d.body, d.sequence) }

func (d *delivered) total() int64 { return d.counts[1] + d.counts[2] + d.counts[3] }

func remessaName(body string, sequence int64) string {
	return "remessa " + body + "/" + text(sequence)
}

func text(n int64) string { return strconv.FormatInt(n, 10) }

// The states of a remessa, as stored.
const (
	stateReceived    = "recebida"
	stateConfirmed   = "confirmada"
	stateInvalidated = "invalidada"
)
