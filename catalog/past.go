package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"selo/certificate"
)

// The past of a record is kept for those with more than one revision, so that
// a snapshot alone can say what changed and show what was. A row stands for one
// revision and never changes:
//
//   - "passado" holds revisions that another one followed: of companies and
//     products the public view as of then, of certificates what it takes to go
//     back to it from the one that followed, see [pastCertificate];
//   - "desde" holds when each revision but the first was accepted.
//
// It grows with what changes: a certificate of thousands of products costs no
// more at each revision than one with a single product.

// maxChanges is how many changes of one revision are kept; all are counted.
const maxChanges = 100

// pastCertificate is a superseded revision of a certificate. Its head (all but
// the products) and its products are those of the next revision, but for what
// is named here.
type pastCertificate struct {
	Revision RevisionView               `json:"r"`
	Head     map[string]json.RawMessage `json:"h,omitempty"` // members that differ; null: absent
	Changed  bool                       `json:"x,omitempty"` // the products differ
	Products []linkRun                  `json:"p,omitempty"` // where Changed
	Step     pastStep                   `json:"s"`
}

// pastStep is what the next revision changed.
type pastStep struct {
	Changes []certificate.Change        `json:"m,omitempty"` // at most maxChanges
	Total   int                         `json:"n"`
	Reasons []certificate.Justification `json:"j,omitempty"`
}

// linkRun is a part of a list of products: Count links of the next revision
// from From on, or one link of its own.
type linkRun struct {
	From  int                      `json:"d,omitempty"`
	Count int                      `json:"n,omitempty"`
	Own   *certificate.ProductLink `json:"l,omitempty"`
}

// publicPart is what is kept of a certificate: without services that are not
// shown. It shares the lists.
func (r *renderer) publicPart(c *certificate.Certificate) *certificate.Certificate {
	public := *c
	public.Services = nil
	for _, link := range c.Services {
		if link.Situation == certificate.Active && r.names.services[link.Class].Disabled == "" {
			public.Services = append(public.Services, link)
		}
	}
	return &public
}

// headOf is a certificate's JSON by members, without the products.
func headOf(c *certificate.Certificate) (map[string]json.RawMessage, error) {
	bare := *c
	bare.Products = nil
	data, err := encode(&bare)
	if err != nil {
		return nil, err
	}
	var head map[string]json.RawMessage
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("take certificate apart: %w", err)
	}
	return head, nil
}

// backwards says how to come from next to prev.
func (r *renderer) backwards(e Entry, prev, next *certificate.Revision) (*pastCertificate, error) {
	before, after := r.publicPart(prev.Certificate), r.publicPart(next.Certificate)
	old, err := headOf(before)
	if err != nil {
		return nil, err
	}
	current, err := headOf(after)
	if err != nil {
		return nil, err
	}
	p := &pastCertificate{Revision: RevisionView{prev.Number, prev.ApprovedAt, e.AcceptedAt.UTC(), e.Index, e.Hash}, Head: map[string]json.RawMessage{}}
	for name, value := range old {
		if !bytes.Equal(current[name], value) {
			p.Head[name] = value
		}
	}
	for name := range current {
		if old[name] == nil {
			p.Head[name] = json.RawMessage("null")
		}
	}
	p.Products, p.Changed = runsOf(before.Products, after.Products)
	changes := certificate.Diff(before, after)
	p.Step = pastStep{Changes: changes[:min(len(changes), maxChanges)], Total: len(changes), Reasons: next.Justifications}
	return p, nil
}

// runsOf writes a list in terms of another one; differ is false when they are the same.
func runsOf(list, base []certificate.ProductLink) (runs []linkRun, differ bool) {
	places := make(map[certificate.ID]int, len(base))
	for i := range base {
		places[base[i].Product] = i
	}
	for i := range list {
		at, known := places[list[i].Product]
		if !known || base[at] != list[i] {
			runs = append(runs, linkRun{Own: &list[i]})
			continue
		}
		if n := len(runs); n > 0 && runs[n-1].Own == nil && runs[n-1].From+runs[n-1].Count == at {
			runs[n-1].Count++
			continue
		}
		runs = append(runs, linkRun{From: at, Count: 1})
	}
	same := len(list) == len(base) && (len(list) == 0 || len(runs) == 1 && runs[0].Own == nil && runs[0].From == 0)
	if same {
		return nil, false
	}
	return runs, true
}

// links is the inverse of runsOf; ok is false for runs that base does not have.
func (p *pastCertificate) links(base []certificate.ProductLink) (list []certificate.ProductLink, ok bool) {
	if !p.Changed {
		return base, true
	}
	for _, run := range p.Products {
		switch {
		case run.Own != nil:
			list = append(list, *run.Own)
		case run.From < 0 || run.Count < 0 || run.From > len(base) || run.Count > len(base)-run.From:
			return nil, false
		default:
			list = append(list, base[run.From:run.From+run.Count]...)
		}
	}
	return list, true
}

// putSince keeps when a revision that follows another one was accepted.
func (r *renderer) putSince(e Entry, rev *certificate.Revision) error {
	if rev.Number < 2 {
		return nil
	}
	return r.out.put(tableSince, []any{e.Index, idBytes(rev.ID), string(e.Body), e.AcceptedAt.UTC().UnixMicro()})
}

// putPast keeps the data of a superseded revision.
func (r *renderer) putPast(index int64, id []byte, body certificate.Sigla, data []byte) error {
	return r.out.put(tablePast, []any{index, id, string(body), string(data)})
}

// pastProduct is a product's own part as the past keeps it.
type pastProduct struct {
	Brand          string `json:"m"`
	Model          string `json:"o"`
	Imported       bool   `json:"i,omitempty"`
	CommercialName string `json:"d,omitempty"`
	Family         string `json:"f,omitempty"`
	Description    string `json:"t,omitempty"`
	GTINs          string `json:"g,omitempty"` // separated by semicolons
}

// putPastProduct keeps a superseded product out of its row in the table produto.
func (r *renderer) putPastProduct(row []any) error {
	data, err := encode(pastProduct{Brand: text(row[3]), Model: text(row[4]), Imported: number(row[5]) != 0, CommercialName: text(row[6]),
		Family: text(row[7]), Description: text(row[8]), GTINs: text(row[9])})
	if err != nil {
		return err
	}
	id, _ := row[1].([]byte)
	return r.putPast(number(row[0]), id, certificate.Sigla(text(row[2])), data)
}

// recordID finds the ID in a revision's canonical JSON without reading it all:
// the last member "id" is the revision's own, because what stands behind it in
// the order of names has none, and inside texts quotes are escaped.
func recordID(canonical []byte) certificate.ID {
	const key = `"id":"`
	at := bytes.LastIndex(canonical, []byte(key))
	if at < 0 {
		return ""
	}
	rest := canonical[at+len(key):]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return ""
	}
	return certificate.ID(rest[:end])
}

// revisionSet remembers ledger indexes of a range, a bit each.
type revisionSet struct {
	from  int64
	bits  []uint64
	count int64
}

func newRevisionSet(from, to int64) *revisionSet {
	return &revisionSet{from: from, bits: make([]uint64, (max(to-from, 0)+63)/64)}
}

func (s *revisionSet) add(index int64) {
	s.count++
	s.bits[(index-s.from)/64] |= 1 << ((index - s.from) % 64)
}

func (s *revisionSet) has(index int64) bool {
	return s.bits[(index-s.from)/64]&(1<<((index-s.from)%64)) != 0
}

// putPasts keeps what the ledger's range from–to holds of the past: every
// revision that newest, which knows those that none followed, does not have.
// Of records that were there before, earlier gives the certificates' revision
// then; their companies and products are kept by who replaces their rows.
func (r *renderer) putPasts(ctx context.Context, src Source, from, to int64, newest *revisionSet, earlier map[string]int64) error {
	if newest.count == to-from && len(earlier) == 0 {
		return nil // each record has one revision only
	}
	if newest.count != to-from {
		for _, kind := range []certificate.Kind{certificate.KindCompany, certificate.KindProduct} {
			err := src.EachRevision(ctx, kind, from, to, false, func(e Entry) error {
				if newest.has(e.Index) {
					return nil
				}
				r.covered.add(e)
				return r.putPastRecord(e)
			})
			if err != nil {
				return err
			}
		}
	}
	return r.putPastCertificates(ctx, src, from, to, newest, earlier)
}

// putPastRecord keeps a superseded company or product.
func (r *renderer) putPastRecord(e Entry) error {
	rev, err := decode(e)
	if err != nil {
		return err
	}
	if err := r.putSince(e, rev); err != nil {
		return err
	}
	switch {
	case rev.Company != nil:
		data, err := encode(r.companyView(rev.ID, rev.Company))
		if err != nil {
			return err
		}
		return r.putPast(e.Index, idBytes(rev.ID), e.Body, data)
	case rev.Product != nil:
		return r.putPastProduct(productRow(e, rev))
	}
	return fmt.Errorf("revision %d is neither of a company nor of a product", e.Index)
}

// putPastCertificates goes along the revisions of each certificate that has several.
func (r *renderer) putPastCertificates(ctx context.Context, src Source, from, to int64, newest *revisionSet, earlier map[string]int64) error {
	superseded := newest.count != to-from
	chains := map[string][]int64{}
	for key, index := range earlier {
		chains[key] = []int64{index}
	}
	last := map[string]int64{}
	err := src.EachRevision(ctx, certificate.KindCertificate, from, to, false, func(e Entry) error {
		if !newest.has(e.Index) {
			r.covered.add(e)
		}
		key := spoolKey(certificate.KindCertificate, e.Body, recordID(e.Canonical))
		if chain := chains[key]; chain != nil {
			chains[key] = append(chain, e.Index)
		} else if before, again := last[key]; again && superseded {
			chains[key] = []int64{before, e.Index}
		}
		last[key] = e.Index
		return nil
	})
	if err != nil {
		return err
	}
	for _, chain := range chains {
		if err := r.putChain(ctx, src, chain, from); err != nil {
			return err
		}
	}
	return nil
}

// putChain keeps all revisions of a certificate but the newest, and the events
// of those from a ledger index on: the one before has its event already.
func (r *renderer) putChain(ctx context.Context, src Source, chain []int64, from int64) error {
	var before Entry
	var prev *certificate.Revision
	for i, index := range chain {
		var at Entry
		var rev *certificate.Revision
		err := src.EachRevision(ctx, certificate.KindCertificate, index, index+1, false, func(e Entry) (err error) {
			at = e
			rev, err = decode(e)
			return err
		})
		if err != nil {
			return err
		}
		if rev == nil || rev.Certificate == nil {
			return fmt.Errorf("ledger has no certificate at %d", index)
		}
		if i == 0 && index >= from {
			if err := r.putEvent(at, eventOf(nil, rev.Certificate), rev.Certificate); err != nil {
				return err
			}
		}
		if i > 0 {
			if err := r.putEvent(at, eventOf(prev.Certificate, rev.Certificate), rev.Certificate); err != nil {
				return err
			}
			past, err := r.backwards(before, prev, rev)
			if err != nil {
				return err
			}
			data, err := encode(past)
			if err != nil {
				return err
			}
			if err := r.putPast(before.Index, idBytes(rev.ID), at.Body, data); err != nil {
				return err
			}
		}
		before, prev = at, rev
	}
	return nil
}
