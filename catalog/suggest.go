package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"selo/brasil"
	"selo/certificate"
)

// Limits of [Catalog.Suggest].
const (
	MaxSuggestions   = 8
	minSuggested     = 2  // letters or digits
	perKind          = 3  // suggestions of one kind
	suggestedCNPJ    = 5  // letters or digits that may begin a CNPJ
	suggestedFrom    = 12 // certificates whose names are looked at
	suggestedProduct = 60 // products of each
)

// The kinds of suggestion.
const (
	SuggestNumber  = "numero"  // Text is the number; Body and Path are set
	SuggestCompany = "empresa" // Value is the CNPJ, or empty
	SuggestClass   = "classe"  // Value is the code
	SuggestBrand   = "marca"
	SuggestModel   = "modelo" // Text is brand and model
)

// Suggestion is one way to go on from what was typed so far.
type Suggestion struct {
	Kind  string
	Text  string
	Value string
	Body  certificate.Sigla
	Path  string
}

// Suggest proposes at most [MaxSuggestions] numbers, companies, classes, brands
// and models that what was typed so far may become. It looks at certificates in
// every situation that the Web shows.
func (c *Catalog) Suggest(ctx context.Context, typed string) ([]Suggestion, error) {
	q, err := c.question(ctx, Search{Text: typed, Situation: AnySituation, Limit: perKind})
	if err != nil {
		return nil, err
	}
	compact := strings.Join(q.words, "")
	if len(compact) < minSuggested || len(q.gtins) > 0 {
		return nil, nil
	}
	list, err := c.suggestNumbers(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, more := range []func(context.Context, []string) ([]Suggestion, error){c.suggestCNPJs, c.suggestClasses, c.suggestNames} {
		found, err := more(ctx, q.words)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			if !slices.ContainsFunc(list, func(have Suggestion) bool { return have.Kind == s.Kind && have.Value == s.Value && have.Text == s.Text }) {
				list = append(list, s)
			}
		}
	}
	return list[:min(len(list), MaxSuggestions)], nil
}

func (c *Catalog) suggestNumbers(ctx context.Context, q *question) ([]Suggestion, error) {
	rows, err := c.exact(ctx, q)
	if err != nil {
		return nil, err
	}
	var list []Suggestion
	for i := range rows {
		r := &rows[i]
		list = append(list, Suggestion{Kind: SuggestNumber, Text: r.number, Body: certificate.Sigla(r.body), Path: Path(certificate.Sigla(r.body), r.number)})
	}
	return list, nil
}

// suggestCNPJs finds companies by the beginning of their CNPJ.
func (c *Catalog) suggestCNPJs(ctx context.Context, typed []string) ([]Suggestion, error) {
	start := strings.ToUpper(strings.Join(typed, ""))
	if len(start) < suggestedCNPJ || len(start) > 14 || !strings.ContainsAny(start, "0123456789") {
		return nil, nil
	}
	found, err := c.companiesBetween(ctx, start, start+"\U0010FFFF", perKind)
	if err != nil {
		return nil, err
	}
	var list []Suggestion
	for i := range found {
		list = append(list, Suggestion{Kind: SuggestCompany, Text: found[i].shownName(), Value: string(found[i].CNPJ)})
	}
	return slices.CompactFunc(list, func(a, b Suggestion) bool { return a.Value == b.Value }), nil
}

// suggestClasses looks through the enabled classes' names.
func (c *Catalog) suggestClasses(_ context.Context, typed []string) ([]Suggestion, error) {
	var list []Suggestion
	for code, class := range c.names.classes {
		if class.Disabled == "" && hasWords(brasil.Fold(class.Name), typed) {
			list = append(list, Suggestion{Kind: SuggestClass, Text: class.Name, Value: string(code)})
		}
	}
	slices.SortFunc(list, func(a, b Suggestion) int { return strings.Compare(a.Text, b.Text) })
	return list[:min(len(list), perKind)], nil
}

// suggestNames finds brands, models and companies in the newest certificates
// that have the words as such.
func (c *Catalog) suggestNames(ctx context.Context, typed []string) ([]Suggestion, error) {
	m := &matcher{catalog: c, ctx: ctx}
	expression := "{marcas modelos empresas} : " + m.loose(typed) + ` AND filtros : (` + quoted(markPrefix+string(certificate.Active)) + " OR " +
		quoted(markPrefix+string(certificate.Suspended)) + " OR " + quoted(markPrefix+expired) + " OR " + quoted(markPrefix+string(certificate.Cancelled)) + ")"
	if m.err != nil {
		return nil, m.err
	}
	rows, err := c.query(ctx, `SELECT rowid FROM busca WHERE busca MATCH ? ORDER BY rowid DESC LIMIT ?`, expression, suggestedFrom)
	if err != nil {
		return nil, fmt.Errorf("suggest: %w", err)
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("suggest: %w", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("suggest: %w", err)
	}
	_ = rows.Close() // read to its end
	found := &suggested{typed: typed, seen: map[string]bool{}, lists: map[string][]Suggestion{}}
	for _, id := range ids {
		if err := c.suggestFrom(ctx, found, id); err != nil {
			return nil, err
		}
	}
	return slices.Concat(found.lists[SuggestBrand], found.lists[SuggestCompany], found.lists[SuggestModel]), nil
}

// suggested gathers names that hold what was typed.
type suggested struct {
	typed []string
	seen  map[string]bool
	lists map[string][]Suggestion
}

func (s *suggested) add(kind, shown, words, value string) {
	if key := kind + brasil.Compact(shown); !s.seen[key] && len(s.lists[kind]) < perKind && hasWords(words, s.typed) {
		s.seen[key] = true
		s.lists[kind] = append(s.lists[kind], Suggestion{Kind: kind, Text: shown, Value: value})
	}
}

// suggestFrom takes the names of one certificate.
func (c *Catalog) suggestFrom(ctx context.Context, found *suggested, id int64) error {
	rows, err := c.query(ctx, `SELECT p.marca, p.modelo, p.designacao, p.familia FROM vinculo v JOIN produto p ON p.id = v.produto
		WHERE v.certificado = ? AND v.situacao = 1 LIMIT ?`, id, suggestedProduct)
	if err != nil {
		return fmt.Errorf("suggest products: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var brand, model, commercial, family string
		if err := rows.Scan(&brand, &model, &commercial, &family); err != nil {
			return fmt.Errorf("suggest products: %w", err)
		}
		brands, models := productWords(brand, model, commercial, family)
		found.add(SuggestBrand, brand, brands, "")
		if !hasWords(brands, found.typed) { // what the brand says already needs no model
			found.add(SuggestModel, strings.TrimSpace(brand+" "+model), brands+" "+models, "")
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("suggest products: %w", err)
	}
	_ = rows.Close() // read to its end
	parties, err := c.suggestParties(ctx, id)
	if err != nil {
		return err
	}
	for i := range parties {
		found.add(SuggestCompany, parties[i].shownName(), companyWords(&parties[i]), string(parties[i].CNPJ))
	}
	return nil
}
