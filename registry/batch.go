package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"selo/certificate"
	"selo/fault"
	"selo/remessa"
)

// batchSize is how many revisions are looked up and written together; fewer
// where they reach batchBytes, so that memory does not grow with their size.
const (
	batchSize  = 500
	batchBytes = 4 << 20
)

// maxCachedCompanies bounds the look-ups kept between batches.
const maxCachedCompanies = 20_000

// item is one revision on its way in.
type item struct {
	line      int64
	revision  *certificate.Revision // nil when broken
	broken    *fault.Problem
	kind      certificate.Kind
	canonical []byte
	hash      certificate.Hash
	key       certificate.Key
}

// readItems decodes the bundle's lines and sends them in batches.
func readItems(ctx context.Context, tx Tx, rem Remessa, limits remessa.Limits, out chan<- []item) error {
	kept := &pieces{ctx: ctx, tx: tx, id: rem.ID, size: rem.Size, n: -1}
	err := eachBatch(kept, limits, func(batch []item) error {
		select {
		case out <- batch:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	// What reads a bundle blames the bundle for every failed read.
	if kept.err != nil {
		return kept.err
	}
	return err
}

func eachBatch(kept *pieces, limits remessa.Limits, send func([]item) error) error {
	bundle, err := remessa.Open(kept, kept.size, limits)
	if err != nil {
		return err
	}
	batch, size := make([]item, 0, batchSize), 0
	err = bundle.Each(func(line int64, canonical []byte) error {
		batch, size = append(batch, decodeItem(line, slices.Clone(canonical))), size+len(canonical)
		if len(batch) < batchSize && size < batchBytes {
			return nil
		}
		full := batch
		batch, size = make([]item, 0, batchSize), 0
		return send(full)
	})
	if err != nil || len(batch) == 0 {
		return err
	}
	return send(batch)
}

func decodeItem(line int64, canonical []byte) item {
	it := item{line: line, canonical: canonical}
	revision, err := certificate.DecodeRevision(canonical)
	if err != nil {
		it.broken = &fault.Problem{Code: "revision.malformed"}
		if f := fault.Of(err); f != nil {
			it.broken.Code, it.broken.Args = f.Key, f.Args
		}
		return it
	}
	it.revision, it.kind = revision, revision.Kind()
	it.hash, it.key = certificate.HashOf(canonical), revision.Key()
	return it
}

// batch checks and applies some revisions.
func (a *applier) batch(ctx context.Context, items []item) error {
	v, err := a.look(ctx, items)
	if err != nil {
		return err
	}
	apply := make([]Applied, 0, len(items))
	for i := range items {
		it := &items[i]
		problems, unchanged, err := a.check(it, v)
		if err != nil {
			return err
		}
		if len(problems) > 0 {
			a.fail(it, problems)
			continue
		}
		if unchanged {
			continue
		}
		v.ids[it.revision.ID] = true
		v.newKeys[keyOf{it.kind, it.key}] = it.revision.ID
		apply = append(apply, Applied{Position: a.position, ID: it.revision.ID, Kind: it.kind, Key: it.key,
			Number: it.revision.Number, Hash: it.hash, Canonical: it.canonical,
			Imported: it.revision.Product != nil && it.revision.Product.Imported})
		a.position++
		v.accept(it)
	}
	if len(apply) == 0 {
		return nil
	}
	if err := a.tx.Apply(ctx, a.rem.Body, a.rem.ID, apply); err != nil {
		return fmt.Errorf("apply %d revisions of %s: %w", len(apply), subject(a.rem), err)
	}
	return nil
}

func (a *applier) fail(it *item, problems []fault.Problem) {
	a.refuse(problems...)
	switch it.kind {
	case certificate.KindCompany:
		a.failedCompanies[it.revision.ID] = it.revision.Company
	case certificate.KindProduct:
		a.failedProducts[it.revision.ID] = it.revision.Product.Imported
	}
}

type keyOf struct {
	kind certificate.Kind
	key  certificate.Key
}

// view is what the base holds around one batch.
type view struct {
	a        *applier
	current  map[certificate.ID]Record
	contents map[certificate.ID][]byte // of those that exist
	keys     map[keyOf]certificate.ID
	newKeys  map[keyOf]certificate.ID
	ids      map[certificate.ID]bool // applied in this batch
	products map[certificate.ID]bool // imported?
}

// look fetches all that checking the batch needs, in a handful of queries.
func (a *applier) look(ctx context.Context, items []item) (*view, error) {
	v := &view{a: a, keys: map[keyOf]certificate.ID{}, newKeys: map[keyOf]certificate.ID{},
		ids: map[certificate.ID]bool{}, products: map[certificate.ID]bool{}}
	var ids []certificate.ID
	keys := map[certificate.Kind][]certificate.Key{}
	for _, it := range items {
		if it.revision == nil {
			continue
		}
		if it.revision.ID.Valid() { // the rules name others; a base may refuse to be asked for them
			ids = append(ids, it.revision.ID)
		}
		keys[it.kind] = append(keys[it.kind], it.key)
	}
	var err error
	if v.current, err = a.tx.FindRecords(ctx, ids); err != nil {
		return nil, err
	}
	known := make([]certificate.ID, 0, len(v.current))
	for id := range v.current {
		known = append(known, id)
	}
	if v.contents, err = a.tx.FindContents(ctx, a.rem.Body, known); err != nil {
		return nil, err
	}
	for kind, some := range keys {
		found, err := a.tx.FindKeys(ctx, a.rem.Body, kind, some)
		if err != nil {
			return nil, err
		}
		for key, id := range found {
			v.keys[keyOf{kind, key}] = id
		}
	}
	return v, v.lookUpLinks(ctx, items)
}

// lookUpLinks fetches the companies and products that certificates of the batch refer to.
func (v *view) lookUpLinks(ctx context.Context, items []item) error {
	a := v.a
	if len(a.companies) > maxCachedCompanies {
		clear(a.companies) // before asking which are known, or the batch would miss what it counts on
	}
	companies, products := map[certificate.ID]bool{}, map[certificate.ID]bool{}
	for _, it := range items {
		if it.revision == nil || it.revision.Certificate == nil {
			continue
		}
		for _, l := range it.revision.Certificate.Companies {
			if _, known := a.companies[l.Company]; !known && l.Company.Valid() {
				companies[l.Company] = true
			}
		}
		for _, l := range it.revision.Certificate.Products {
			if l.Product.Valid() {
				products[l.Product] = true
			}
		}
	}
	contents, err := a.tx.FindContents(ctx, a.rem.Body, keysOf(companies))
	if err != nil {
		return err
	}
	for id, content := range contents {
		var revision certificate.Revision
		if err := json.Unmarshal(content, &revision); err != nil {
			return fmt.Errorf("decode company %s: %w", id, err)
		}
		if revision.Company != nil {
			a.companies[id] = revision.Company
		}
	}
	records, err := a.tx.FindRecords(ctx, keysOf(products))
	if err != nil {
		return err
	}
	for id, record := range records {
		if record.Kind == certificate.KindProduct && record.Body == a.rem.Body {
			v.products[id] = record.Imported
		}
	}
	return nil
}

func keysOf(set map[certificate.ID]bool) []certificate.ID {
	ids := make([]certificate.ID, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	return ids
}

// accept makes what was just applied visible to the rest of the batch.
func (v *view) accept(it *item) {
	if it.revision.Company != nil {
		v.a.companies[it.revision.ID] = it.revision.Company
	}
	if it.revision.Product != nil {
		v.products[it.revision.ID] = it.revision.Product.Imported
	}
}

// Company implements certificate.Refs.
func (v *view) Company(id certificate.ID) (*certificate.Company, bool) {
	if c, ok := v.a.companies[id]; ok {
		return c, true
	}
	c, ok := v.a.failedCompanies[id]
	return c, ok
}

// Product implements certificate.Refs.
func (v *view) Product(id certificate.ID) (imported, ok bool) {
	if imported, ok = v.products[id]; ok {
		return imported, true
	}
	imported, ok = v.a.failedProducts[id]
	return imported, ok
}

// check gives the broken rules of one revision; unchanged ones are neither wrong nor applied.
func (a *applier) check(it *item, v *view) (problems []fault.Problem, unchanged bool, err error) {
	if it.broken != nil {
		p := *it.broken
		p.Record = remessa.FileName(a.rem.Body, a.rem.Sequence) + ":" + strconv.FormatInt(it.line+1, 10)
		return []fault.Problem{p}, false, nil
	}
	record, exists := v.current[it.revision.ID]
	if exists && record.Hash == it.hash {
		return nil, true, nil
	}
	if problems := v.chain(it, record, exists); len(problems) > 0 {
		return problems, false, nil
	}
	var prev *certificate.Revision
	if exists {
		prev = &certificate.Revision{}
		if err := json.Unmarshal(v.contents[it.revision.ID], prev); err != nil {
			return nil, false, fmt.Errorf("decode revision %s: %w", it.revision.ID, err)
		}
	}
	problems = a.rules.Check(it.revision, prev, v, a.today)
	if other, taken := v.taken(it); taken && other != it.revision.ID {
		problems = append(problems, fault.Problem{Record: it.revision.Label(), Code: existsCode[it.kind],
			Args: fault.Pairs("registro", it.revision.Label())})
	}
	return problems, false, nil
}

var existsCode = map[certificate.Kind]string{
	certificate.KindCompany:     "company.exists",
	certificate.KindProduct:     "product.exists",
	certificate.KindCertificate: "certificate.exists",
}

func (v *view) taken(it *item) (certificate.ID, bool) {
	k := keyOf{it.kind, it.key}
	if id, ok := v.newKeys[k]; ok {
		return id, true
	}
	id, ok := v.keys[k]
	return id, ok
}

// chain checks that the revision continues exactly what the base holds.
func (v *view) chain(it *item, record Record, exists bool) []fault.Problem {
	a, r := v.a, it.revision
	wrong := func(field, code string, args ...string) []fault.Problem {
		return []fault.Problem{{Record: r.Label(), Field: field, Code: code, Args: fault.Pairs(args...)}}
	}
	if r.Body != a.rem.Body || exists && record.Body != a.rem.Body {
		return wrong("organismo", "revision.body", "organismo", fmt.Sprintf("%.8s", r.Body), "esperado", string(a.rem.Body))
	}
	if err := remessa.CheckOrder(a.lastKind, it.kind); err != nil {
		return wrong("", "bundle.order")
	}
	a.lastKind = it.kind
	if v.ids[r.ID] || exists && record.Remessa == a.rem.ID {
		return wrong("id", "revision.repeated")
	}
	if exists && record.Kind != it.kind {
		return wrong("id", "revision.kind", "tipo", string(it.kind), "esperado", string(record.Kind))
	}
	if !exists {
		return r.CheckChain(nil, certificate.Hash{})
	}
	return r.CheckChain(&certificate.Revision{Number: record.Number}, record.Hash)
}
