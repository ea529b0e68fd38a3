package certifier

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

// Record is one certificate, company or product with all it holds at once.
type Record struct {
	Row
	Draft      *Drafted
	Approved   *Frozen
	Travelling *Frozen
	Accepted   *Frozen
	Reasons    []fault.Problem // why the last remessa that carried it was invalidated, while that stands
}

// Drafted is a draft, read.
type Drafted struct {
	Draft
	Revision *certificate.Revision
}

// Frozen is a revision of the log, read.
type Frozen struct {
	Entry
	Revision *certificate.Revision
}

// Newest is the record's content as a person expects to see it: the draft,
// else the approved, the travelling, the accepted revision. Nil when retired.
func (r *Record) Newest() *certificate.Revision {
	if r.Draft != nil {
		return r.Draft.Revision
	}
	return r.newestFrozen()
}

func (r *Record) newestFrozen() *certificate.Revision {
	for _, f := range []*Frozen{r.Approved, r.Travelling, r.Accepted} {
		if f != nil {
			return f.Revision
		}
	}
	return nil
}

// Find returns a record with all it holds, or fault.NotFound "record.not_found".
func Find(ctx context.Context, tx Tx, id certificate.ID) (*Record, error) {
	records, err := load(ctx, tx, []certificate.ID{id})
	if err != nil {
		return nil, err
	}
	r := records[id]
	if r == nil {
		return nil, notFound(id)
	}
	if r.Kind != "" && r.Travelling == nil {
		if err := findReasons(ctx, tx, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// FindByKey returns the ID of the record of that identity (number, company or
// brand, model and origin), or "".
func FindByKey(ctx context.Context, tx Tx, content *certificate.Revision) (certificate.ID, error) {
	key := content.Key()
	found, err := tx.FindKeys(ctx, content.Kind(), []certificate.Key{key})
	if err != nil {
		return "", fmt.Errorf("find record by key: %w", err)
	}
	return found[key], nil
}

func notFound(id certificate.ID) error {
	return fault.New(fault.NotFound, "record.not_found", "id", fmt.Sprintf("%.80s", string(id)))
}

// load reads records with their drafts and live revisions; IDs without record are left out.
func load(ctx context.Context, tx Tx, ids []certificate.ID) (map[certificate.ID]*Record, error) {
	rows, err := tx.Rows(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	drafts, err := tx.Drafts(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read drafts: %w", err)
	}
	live, err := tx.Live(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read revisions: %w", err)
	}
	records := make(map[certificate.ID]*Record, len(rows))
	for id, row := range rows {
		records[id] = &Record{Row: row}
	}
	for id, d := range drafts {
		rev, err := decode(d.Content)
		if err != nil {
			return nil, fmt.Errorf("decode draft of %s: %w", id, err)
		}
		records[id].Draft = &Drafted{Draft: d, Revision: rev}
	}
	for _, e := range live {
		rev, err := decode(e.Content)
		if err != nil {
			return nil, fmt.Errorf("decode revision %d of %s: %w", e.Number, e.Record, err)
		}
		records[e.Record].put(&Frozen{Entry: e, Revision: rev})
	}
	return records, nil
}

func (r *Record) put(f *Frozen) {
	switch f.State {
	case Approved:
		r.Approved = f
	case Travelling:
		r.Travelling = f
	case Accepted:
		r.Accepted = f
	}
}

// decode reads what this base wrote itself; unlike certificate.DecodeRevision
// it does not prove that the bytes are canonical, which costs as much again.
func decode(content []byte) (*certificate.Revision, error) {
	var r certificate.Revision
	if err := json.Unmarshal(content, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// describe fills in what a row shows of its record's newest content.
func describe(row *Row, r *certificate.Revision) {
	row.Kind, row.Key, row.Label = r.Kind(), keyOf(r), r.Label()
	row.Situation, row.Class, row.Imported = "", "", false
	row.IssuedOn, row.ValidUntil = brasil.Date{}, brasil.Date{}
	switch {
	case r.Certificate != nil:
		c := r.Certificate
		row.Situation, row.Class, row.IssuedOn, row.ValidUntil = c.Situation, c.Class, c.IssuedOn, c.ValidUntil
		row.Folded = searchText(c.Number, c.Number, string(c.Class), c.ReportNumber)
	case r.Company != nil:
		c := r.Company
		row.Folded = searchText(string(c.CNPJ)+string(c.CPF), c.Name, c.TradeName, c.City, string(c.Country))
	case r.Product != nil:
		p := r.Product
		row.Imported = p.Imported
		texts := []string{p.Brand, p.Model, p.CommercialName, p.Family, p.Description}
		for _, g := range p.GTINs {
			texts = append(texts, string(g))
		}
		row.Folded = searchText(p.Model, texts...)
	}
}

// searchText folds the texts for the search, the first also without its
// punctuation, so that "brin108" finds FB-BRIN-108 too.
func searchText(compact string, texts ...string) string {
	for i, t := range texts {
		texts[i] = cut(t, maxSearchText)
	}
	return brasil.Fold(strings.Join(texts, " ")) + " " + brasil.Compact(cut(compact, maxSearchText))
}

// maxSearchText is how many bytes of each text the search sees.
const maxSearchText = 1000

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// keyOf is the content's key, or zero while nothing identifies it yet.
func keyOf(r *certificate.Revision) certificate.Key {
	switch {
	case r.Certificate != nil && brasil.Squeeze(r.Certificate.Number) == "",
		r.Company != nil && r.Company.CNPJ == "" && r.Company.CPF == "" && brasil.Squeeze(r.Company.Name) == "",
		r.Product != nil && brasil.Squeeze(r.Product.Brand+r.Product.Model) == "":
		return certificate.Key{}
	}
	return r.Key()
}

// subject names a record in audit events.
func subject(kind certificate.Kind, id certificate.ID) string { return string(kind) + ":" + string(id) }

func number(n int64) string { return strconv.FormatInt(n, 10) }

// linksOf lists the companies and products a certificate refers to, each once;
// nothing for another kind.
func linksOf(r *certificate.Revision) []certificate.ID {
	c := r.Certificate
	if c == nil {
		return nil
	}
	seen := make(map[certificate.ID]bool, len(c.Companies)+len(c.Products))
	ids := make([]certificate.ID, 0, len(c.Companies)+len(c.Products))
	add := func(id certificate.ID) {
		if id != "" && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for _, l := range c.Companies {
		add(l.Company)
	}
	for _, l := range c.Products {
		add(l.Company)
		add(l.Product)
	}
	for _, l := range c.Services {
		add(l.Company)
	}
	return ids
}
