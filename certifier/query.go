package certifier

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
)

// Query chooses records to list. The zero value lists all, 50 at a time.
type Query struct {
	Kind certificate.Kind // empty: all kinds
	// Text is what a person remembers of the record: every word of it must occur
	// in the record's number, names, CNPJ, brand, model, codes … Accents, letter
	// case and punctuation do not count: "BRIN 108" finds FB-BRIN-108/17.001.
	Text      string
	State     ListState
	Situation certificate.Situation
	Class     certificate.ClassCode
	// LinkedTo lists the certificates that link to this company or product.
	LinkedTo certificate.ID
	Limit    int    // rows, at most 500; 0 is 50
	Cursor   string // Next of the page before
	// Words and After are made of Text and Cursor by [List]; stores read them.
	Words []string
	After After
}

// After is the last row of the page before.
type After struct{ Label, ID string }

// ListState filters records by what they hold.
type ListState string

// The filters. A record may match several.
const (
	AnyState      ListState = ""
	HasDraft      ListState = "rascunho"
	HasPending    ListState = "incompleto" // a draft certificate with open items
	HasReady      ListState = "pronto"     // a draft certificate without open items
	HasApproved   ListState = "aprovado"
	HasTravelling ListState = "em_remessa"
	HasAccepted   ListState = "aceito"
)

// Item is one row of a list.
type Item struct {
	Row
	Draft, Approved, Travelling, Accepted bool
	Pending                               int
	DraftAt                               string // RFC 3339; empty without draft
}

// Page is a piece of a list; Next is empty on the last.
type Page struct {
	Items []Item
	Next  string
}

const (
	defaultLimit = 50
	maxLimit     = 500
	maxWords     = 16
)

// List searches the records, ordered by name. Faults: Invalid "list.cursor",
// "list.filter".
func List(ctx context.Context, tx Tx, q Query) (Page, error) {
	if !slices.Contains([]ListState{AnyState, HasDraft, HasPending, HasReady, HasApproved, HasTravelling, HasAccepted}, q.State) {
		return Page{}, fault.New(fault.Invalid, "list.filter", "valor", fmt.Sprintf("%.40s", string(q.State)))
	}
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	limit := min(q.Limit, maxLimit)
	q.Limit = limit + 1 // one more tells whether there is a next page
	q.Words = strings.Fields(brasil.Fold(q.Text))
	q.Words = q.Words[:min(len(q.Words), maxWords)]
	if q.Cursor != "" {
		var err error
		if q.After, err = parseCursor(q.Cursor); err != nil {
			return Page{}, err
		}
	}
	items, err := tx.ListRows(ctx, q)
	if err != nil {
		return Page{}, fmt.Errorf("list records: %w", err)
	}
	page := Page{Items: items}
	if len(items) > limit {
		page.Items = items[:limit]
		last := items[limit-1]
		page.Next = base64.RawURLEncoding.EncodeToString([]byte(last.Label + "\n" + string(last.ID)))
	}
	return page, nil
}

func parseCursor(s string) (After, error) {
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		if label, id, ok := strings.Cut(string(data), "\n"); ok && certificate.ID(id).Valid() {
			return After{Label: label, ID: id}, nil
		}
	}
	return After{}, fault.New(fault.Invalid, "list.cursor")
}
