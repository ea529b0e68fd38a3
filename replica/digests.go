package replica

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"selo/catalog"
)

// digestsSource is a source that also has what the registry states about the
// open data of its publications.
type digestsSource interface {
	Digests(ctx context.Context, publication int64) (*catalog.Digests, error)
}

const (
	maxDigests   = 64 << 10         // bytes of a statement
	digestsLimit = 10 * time.Second // a source may have to make the files first: then the next question finds them
	maxAsking    = time.Hour        // between questions for a statement that does not come
)

// asking is how a replica stands with the statement of the publication shown.
type asking struct {
	number int64 // that was asked for
	done   bool
	next   time.Time
	wait   time.Duration
}

// LookForDigests asks the source for the registry's signed digests of the
// publication that is shown, unless they lie beside its snapshot already, and
// keeps them there. They are good when the registry signed them and they name
// the very file that this node has. What does not come is asked for again,
// after twice as long each time. It tells whether there was something new.
func (r *Replica) LookForDigests(ctx context.Context) (bool, error) {
	source, ok := r.opts.Source.(digestsSource)
	if !ok || r.opts.Shelf == nil || r.opts.CheckDigests == nil {
		return false, nil
	}
	a, now := &r.asking, r.opts.Clock.Now()
	if shown := r.Status().Shown; a.number != shown {
		*a = asking{number: shown}
	}
	if a.number == 0 || a.done || now.Before(a.next) {
		return false, nil
	}
	it, err := r.opts.Shelf.Find(a.number)
	if err != nil {
		return false, err
	}
	if d := it.Digests(); d != nil && d.CheckSigned(r.opts.CheckDigests) == nil {
		a.done = true
		return false, nil
	}
	a.wait = min(max(2*a.wait, r.opts.Poll), maxAsking)
	a.next = now.Add(a.wait)
	d, err := source.Digests(ctx, a.number)
	if err == nil {
		err = d.CheckSigned(r.opts.CheckDigests)
	}
	if err == nil {
		err = r.fits(d)
	}
	if err == nil {
		err = r.opts.Shelf.KeepDigests(d)
	}
	a.done = err == nil
	return a.done, err
}

// fits tells whether digests name the file that this node has. Another node of
// the same registry may have other bytes for the same publication.
func (r *Replica) fits(d *catalog.Digests) error {
	file, _, err := r.opts.Shelf.Open(d.Publication)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	sum, size, err := catalog.DigestOf(file)
	if err != nil {
		return err
	}
	if said, _ := d.File(catalog.FormatSQLite); said.SHA256 != sum || said.Bytes != size {
		return fmt.Errorf("digests of publication %d are about another file: %s, here %s", d.Publication, said.SHA256, sum)
	}
	return nil
}

// Digests asks for the statement about a publication. What it says is not
// checked yet. Faults: Unavailable "replica.unreachable", "replica.strange";
// Invalid "digests.malformed".
func (r *Remote) Digests(ctx context.Context, publication int64) (*catalog.Digests, error) {
	ctx, cancel := context.WithTimeout(ctx, digestsLimit)
	defer cancel()
	req, err := r.request(ctx, fmt.Sprintf("%s/api/v1/dados/%d/resumos", r.base, publication))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := r.http.Do(req)
	if err != nil {
		return nil, r.unreachable(err)
	}
	defer func() { _ = res.Body.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(res.Body, maxDigests+1))
	if err != nil {
		return nil, r.unreachable(err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, r.strange(fmt.Errorf("status %d for digests", res.StatusCode))
	}
	return catalog.ReadDigests(data)
}
