package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

// View is a certificate as the official base held it at a moment, with the
// companies it linked to as they stood then. Products are looked up in pages:
// see [View.Products].
type View struct {
	Accepted  Accepted
	Revision  *certificate.Revision
	Companies map[certificate.ID]*certificate.Company
	until     time.Time // what was accepted at or after it does not count
	below     int64
}

// CertificateAt gives a certificate as it stood when the day ended in Brasília,
// out of the revisions with a ledger index below the given one: that of the
// current publication, so that nothing shows before it is public.
//
// Faults: NotFound "certificate.not_found" when there is no such number, and
// "certificate.not_then" when it came later.
func CertificateAt(ctx context.Context, tx Tx, sigla certificate.Sigla, number string, day brasil.Date, below int64) (View, error) {
	history, err := certificateHistory(ctx, tx, sigla, number, below)
	if err != nil {
		return View{}, err
	}
	v := View{until: day.AddDays(1).Time(brasil.Location()), below: below}
	accepted, found := newestBefore(history, v.until)
	if !found {
		return View{}, fault.New(fault.NotFound, "certificate.not_then",
			"organismo", string(sigla), "numero", shorten(number), "data", day.Brazilian())
	}
	v.Accepted = accepted
	if v.Revision, err = decodeAccepted(accepted); err != nil {
		return View{}, err
	}
	v.Companies = map[certificate.ID]*certificate.Company{}
	for _, id := range companiesOf(v.Revision.Certificate) {
		r, err := v.linked(ctx, tx, id)
		if err != nil {
			return View{}, err
		}
		v.Companies[id] = r.Company
	}
	return v, nil
}

// Products gives the products of the links as they stood then. Each costs a
// look-up: ask for a page at a time.
func (v View) Products(ctx context.Context, tx Tx, links []certificate.ProductLink) (map[certificate.ID]*certificate.Product, error) {
	products := make(map[certificate.ID]*certificate.Product, len(links))
	for _, link := range links {
		r, err := v.linked(ctx, tx, link.Product)
		if err != nil {
			return nil, err
		}
		products[link.Product] = r.Product
	}
	return products, nil
}

// linked gives the state at that moment of a record that the certificate refers
// to. It was accepted before the certificate or with it, so it must be there.
func (v View) linked(ctx context.Context, tx Tx, id certificate.ID) (*certificate.Revision, error) {
	history, err := tx.History(ctx, v.Revision.Body, id, v.below)
	if err != nil {
		return nil, err
	}
	accepted, found := newestBefore(history, v.until)
	if !found {
		return nil, fmt.Errorf("certificate %s refers to %s, which has no revision at %s", v.Revision.ID, id, v.until.Format(time.RFC3339))
	}
	return decodeAccepted(accepted)
}

// NewestAccepted gives the newest revision of a certificate with a ledger index
// below the given one. Fault: NotFound "certificate.not_found".
func NewestAccepted(ctx context.Context, tx Tx, sigla certificate.Sigla, number string, below int64) (Accepted, error) {
	history, err := certificateHistory(ctx, tx, sigla, number, below)
	if err != nil {
		return Accepted{}, err
	}
	return history[len(history)-1], nil
}

// certificateHistory gives the revisions of a certificate, the oldest first and at least one.
func certificateHistory(ctx context.Context, tx Tx, sigla certificate.Sigla, number string, below int64) ([]Accepted, error) {
	key := (&certificate.Certificate{Number: number}).Key()
	ids, err := tx.FindKeys(ctx, sigla, certificate.KindCertificate, []certificate.Key{key})
	if err != nil {
		return nil, err
	}
	var history []Accepted
	if id, found := ids[key]; found {
		if history, err = tx.History(ctx, sigla, id, below); err != nil {
			return nil, err
		}
	}
	if len(history) == 0 {
		return nil, fault.New(fault.NotFound, "certificate.not_found", "organismo", string(sigla), "numero", shorten(number))
	}
	return history, nil
}

// newestBefore gives the last revision accepted before a moment; history is in ledger order.
func newestBefore(history []Accepted, until time.Time) (newest Accepted, found bool) {
	for _, a := range history {
		if a.AcceptedAt.Before(until) {
			newest, found = a, true
		}
	}
	return newest, found
}

func decodeAccepted(a Accepted) (*certificate.Revision, error) {
	var r certificate.Revision
	if err := json.Unmarshal(a.Canonical, &r); err != nil {
		return nil, fmt.Errorf("decode revision at ledger index %d: %w", a.Index, err)
	}
	return &r, nil
}

// companiesOf lists the companies a certificate refers to anywhere, each once.
func companiesOf(c *certificate.Certificate) []certificate.ID {
	var ids []certificate.ID
	seen := map[certificate.ID]bool{}
	add := func(id certificate.ID) {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for _, l := range c.Companies {
		add(l.Company)
	}
	for _, l := range c.Products {
		add(l.Company)
	}
	for _, l := range c.Services {
		add(l.Company)
	}
	return ids
}

// shorten keeps what an asker typed from filling a message.
func shorten(s string) string {
	runes := []rune(s)
	if len(runes) > 80 {
		return string(runes[:79]) + "…"
	}
	return s
}
