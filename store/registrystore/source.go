package registrystore

import (
	"context"
	"encoding/json"
	"fmt"

	"selo/catalog"
	"selo/certificate"
	"selo/registry"
	"selo/store"
)

// Source gives the catalog what one publication shows.
type Source struct {
	Store       Store
	Publication registry.Publication
}

var _ catalog.Source = Source{}

// SourceOf finds a publication by its number, with all that its snapshot is
// made of; found is false when there is none.
func SourceOf(ctx context.Context, base Store, number int64) (src Source, found bool, err error) {
	src.Store = base
	err = base.DB.Read(ctx, func(tx *store.Tx) error {
		p, root := &src.Publication, []byte(nil)
		err := tx.QueryRow(ctx, `SELECT `+publicationColumns+` FROM publication WHERE number = ?`, number).
			Scan(&p.Number, store.ScanTime(&p.At), &p.Head.Size, &root, &p.Checkpoint, &p.Reference)
		copy(p.Head.Root[:], root)
		found = err == nil
		return absent(err, "find publication")
	})
	return src, found, err
}

// Snapshot is the publication as the catalog names it.
func (s Source) Snapshot() catalog.Publication {
	p := s.Publication
	return catalog.Publication{Number: p.Number, At: p.At, Size: p.Head.Size, Root: certificate.Hash(p.Head.Root), Checkpoint: p.Checkpoint}
}

// Reference implements catalog.Source: the names as they were when it was published.
func (s Source) Reference(context.Context) (catalog.Reference, error) {
	var ref catalog.Reference
	if err := json.Unmarshal(s.Publication.Reference, &ref); err != nil {
		return ref, fmt.Errorf("decode reference of publication %d: %w", s.Publication.Number, err)
	}
	return ref, nil
}

// span is the part of a remessa that lies in the asked range.
type span struct {
	remessa  int64
	body     certificate.Sigla
	accepted store.Time
	first    int64 // ledger index of position 0
	from, to int64 // positions
}

// EachRevision implements catalog.Source. Each page is a short transaction of
// its own: what lies below a publication's size never changes.
func (s Source) EachRevision(ctx context.Context, kind certificate.Kind, from, to int64, newest bool, fn func(catalog.Entry) error) error {
	spans, err := s.spans(ctx, from, to)
	if err != nil {
		return err
	}
	for _, sp := range spans {
		if err := s.eachOf(ctx, sp, kind, to, newest, fn); err != nil {
			return err
		}
	}
	return nil
}

func (s Source) spans(ctx context.Context, from, to int64) ([]span, error) {
	var spans []span
	err := s.Store.DB.Read(ctx, func(tx *store.Tx) error {
		spans = nil
		rows, err := tx.Query(ctx, `
			SELECT id, body, processed_at, first_index, applied FROM remessa
			WHERE applied > 0 AND first_index < ? AND first_index + applied > ? ORDER BY first_index`, to, from)
		return each(rows, err, func() error {
			var sp span
			var applied int64
			if err := rows.Scan(&sp.remessa, &sp.body, &sp.accepted, &sp.first, &applied); err != nil {
				return err
			}
			sp.from, sp.to = max(from-sp.first, 0), min(to-sp.first, applied)
			spans = append(spans, sp)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list remessas of the ledger: %w", err)
	}
	return spans, nil
}

func (s Source) eachOf(ctx context.Context, sp span, kind certificate.Kind, below int64, newest bool, fn func(catalog.Entry) error) error {
	query := `SELECT v.position, v.hash, v.content FROM revision v
		WHERE v.remessa_id = ? AND v.position >= ? AND v.position < ?`
	var tail []any
	if kind != "" {
		query += ` AND v.kind = ?`
		tail = append(tail, string(kind))
	}
	if newest {
		query += ` AND NOT EXISTS (SELECT 1 FROM revision n JOIN remessa m ON m.id = n.remessa_id
			WHERE n.record_id = v.record_id AND n.number = v.number + 1 AND m.first_index + n.position < ?)`
		tail = append(tail, below)
	}
	query += ` ORDER BY v.position`
	for at := sp.from; at < sp.to; at += pageSize {
		var page []catalog.Entry
		err := s.Store.DB.Read(ctx, func(tx *store.Tx) error {
			page = make([]catalog.Entry, 0, pageSize)
			rows, err := tx.Query(ctx, query, append([]any{sp.remessa, at, min(at+pageSize, sp.to)}, tail...)...)
			return each(rows, err, func() error {
				e := catalog.Entry{Body: sp.body, AcceptedAt: sp.accepted.Time}
				var hash []byte
				if err := rows.Scan(&e.Index, &hash, &e.Canonical); err != nil {
					return err
				}
				copy(e.Hash[:], hash)
				e.Index += sp.first
				page = append(page, e)
				return nil
			})
		})
		if err != nil {
			return fmt.Errorf("read revisions of remessa %d: %w", sp.remessa, err)
		}
		for _, e := range page {
			if err := fn(e); err != nil {
				return err
			}
		}
	}
	return nil
}
