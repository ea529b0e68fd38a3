package catalog

import (
	"context"
	"fmt"
	"time"

	"selo/brasil"
)

// Changes counts what the registry accepted in one month of Brasília: new
// certificates and changes of situation.
type Changes struct {
	Year  int
	Month time.Month

	New, Suspended, Cancelled, Reactivated int
}

// Changes counts the events of every month from the first with one to that of
// the publication, months without any among them. Certificates off the Web are
// left out. It is counted at the first question and kept; callers only read it.
func (c *Catalog) Changes(ctx context.Context) ([]Changes, error) {
	list, err := c.changes.get(ctx, c, struct{}{}, c.countChanges)
	if err != nil {
		return nil, fmt.Errorf("count changes: %w", err)
	}
	return list, nil
}

// monthOf counts months from the year 0.
func monthOf(t time.Time) int {
	t = t.In(brasil.Location())
	return 12*t.Year() + int(t.Month()) - 1
}

func (c *Catalog) countChanges(ctx context.Context) ([]Changes, error) {
	hidden, err := c.hidden(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := c.query(ctx, "SELECT organismo, numero, tipo, aceita FROM evento")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	months, first, last := map[int]*Changes{}, 0, monthOf(c.seal.Publication.At)
	for rows.Next() {
		var body, number, kind string
		var at int64
		if err := rows.Scan(&body, &number, &kind, &at); err != nil {
			return nil, err
		}
		if hidden[[2]string{body, number}] {
			continue
		}
		n := monthOf(time.UnixMicro(at))
		if months[n] == nil {
			months[n] = &Changes{}
		}
		if first == 0 || n < first {
			first = n
		}
		last = max(last, n)
		months[n].add(kind)
	}
	if err := rows.Err(); err != nil || first == 0 {
		return nil, err
	}
	list := make([]Changes, 0, last-first+1)
	for n := first; n <= last; n++ {
		month := Changes{}
		if months[n] != nil {
			month = *months[n]
		}
		month.Year, month.Month = n/12, time.Month(n%12+1)
		list = append(list, month)
	}
	return list, nil
}

// hidden are the certificates off the Web, by body and number.
func (c *Catalog) hidden(ctx context.Context) (map[[2]string]bool, error) {
	rows, err := c.query(ctx, "SELECT organismo, numero FROM certificado WHERE motivo <> ''")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[[2]string]bool{}
	for rows.Next() {
		var body, number string
		if err := rows.Scan(&body, &number); err != nil {
			return nil, err
		}
		found[[2]string{body, number}] = true
	}
	return found, rows.Err()
}

func (m *Changes) add(kind string) {
	switch kind {
	case EventNew:
		m.New++
	case EventSuspended:
		m.Suspended++
	case EventCancelled:
		m.Cancelled++
	case EventReactivated:
		m.Reactivated++
	}
}
