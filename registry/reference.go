package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"selo/audit"
	"selo/brasil"
	"selo/certificate"
	"selo/fault"
	"selo/locale"
	"selo/notify"
	"selo/remessa"
)

// ReferenceKind is one of the lists that make up the auxiliary tables.
type ReferenceKind string

// The lists.
const (
	RefClass        ReferenceKind = "classe"
	RefServiceClass ReferenceKind = "classe_servico"
	RefDocument     ReferenceKind = "documento"
	RefType         ReferenceKind = "tipo"
	RefRole         ReferenceKind = "papel"
	RefCountry      ReferenceKind = "pais"
)

// ReferenceRow is one entry of a list: Content is the JSON of the entry's type
// in package certificate, without the body's scopes.
type ReferenceRow struct {
	Kind    ReferenceKind
	Code    string
	Content []byte
}

// Scope is a body's accreditation for a class of product or of service (exactly one).
type Scope struct {
	Body         certificate.Sigla
	Class        certificate.ClassCode
	ServiceClass certificate.ServiceClassCode
	Period       certificate.Period
}

// Release is one numbered state of a body's auxiliary tables, signed.
type Release struct {
	Body   certificate.Sigla
	Number int
	At     time.Time
	Signed string // for remessa.OpenRelease
}

// PutReference adds or replaces entries of the lists. The área gestora calls
// it; nothing reaches a body before the next [Registry.Release].
func (r *Registry) PutReference(ctx context.Context, tx Tx, t certificate.Tables, actor string) error {
	rows, err := referenceRows(t)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Code == "" {
			return fault.New(fault.Invalid, "reference.code", "lista", string(row.Kind))
		}
		if err := tx.PutReference(ctx, row); err != nil {
			return err
		}
	}
	return tx.AppendAudit(ctx, audit.Event{Kind: "reference.changed", Subject: "tabelas", Actor: actor,
		Detail: map[string]string{"entradas": strconv.Itoa(len(rows))}})
}

func referenceRows(t certificate.Tables) ([]ReferenceRow, error) {
	var rows []ReferenceRow
	var failed error
	add := func(kind ReferenceKind, code string, entry any) {
		content, err := json.Marshal(entry)
		if err != nil && failed == nil {
			failed = fmt.Errorf("encode %s %s: %w", kind, code, err)
		}
		rows = append(rows, ReferenceRow{Kind: kind, Code: code, Content: content})
	}
	for _, e := range t.Classes {
		e.Scopes = nil
		add(RefClass, string(e.Code), e)
	}
	for _, e := range t.ServiceClasses {
		e.Scopes = nil
		add(RefServiceClass, string(e.Code), e)
	}
	for _, e := range t.Documents {
		add(RefDocument, string(e.Code), e)
	}
	for _, e := range t.Types {
		add(RefType, string(e.Code), e)
	}
	for _, e := range t.Roles {
		add(RefRole, string(e.Code), e)
	}
	for _, e := range t.Countries {
		add(RefCountry, string(e.Code), e)
	}
	return rows, failed
}

// Reference gives all lists, of no body in particular.
func Reference(ctx context.Context, tx Tx) (certificate.Tables, error) {
	rows, err := tx.ListReference(ctx)
	if err != nil {
		return certificate.Tables{}, err
	}
	var t certificate.Tables
	for _, row := range rows {
		if err := decodeRow(&t, row); err != nil {
			return t, fmt.Errorf("decode %s %s: %w", row.Kind, row.Code, err)
		}
	}
	return t, nil
}

func decodeRow(t *certificate.Tables, row ReferenceRow) error {
	switch row.Kind {
	case RefClass:
		return appendDecoded(&t.Classes, row.Content)
	case RefServiceClass:
		return appendDecoded(&t.ServiceClasses, row.Content)
	case RefDocument:
		return appendDecoded(&t.Documents, row.Content)
	case RefType:
		return appendDecoded(&t.Types, row.Content)
	case RefRole:
		return appendDecoded(&t.Roles, row.Content)
	case RefCountry:
		return appendDecoded(&t.Countries, row.Content)
	}
	return fmt.Errorf("unknown list")
}

func appendDecoded[T any](list *[]T, content []byte) error {
	var entry T
	if err := json.Unmarshal(content, &entry); err != nil {
		return err
	}
	*list = append(*list, entry)
	return nil
}

// PutScope records an accreditation (manual 1.5: the Cgcre tells, the área gestora links).
func (r *Registry) PutScope(ctx context.Context, tx Tx, s Scope, actor string) error {
	if (s.Class == "") == (s.ServiceClass == "") {
		return fault.New(fault.Invalid, "scope.class")
	}
	if _, err := tx.Body(ctx, s.Body); err != nil {
		return err
	}
	all, err := Reference(ctx, tx)
	if err != nil {
		return err
	}
	if !hasScopeClass(all, s) {
		return fault.New(fault.NotFound, "scope.unknown_class", "classe", string(s.Class)+string(s.ServiceClass))
	}
	if err := tx.PutScope(ctx, s); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, audit.Event{Kind: "scope.granted", Subject: "organismo:" + string(s.Body), Actor: actor,
		Detail: map[string]string{"classe": string(s.Class) + string(s.ServiceClass),
			"de": s.Period.From.String(), "ate": s.Period.To.String()}})
}

func hasScopeClass(t certificate.Tables, s Scope) bool {
	for _, c := range t.Classes {
		if s.Class != "" && c.Code == s.Class {
			return true
		}
	}
	for _, c := range t.ServiceClasses {
		if s.ServiceClass != "" && c.Code == s.ServiceClass {
			return true
		}
	}
	return false
}

// tablesOf composes what a body may see today: its classes with its scopes, and their documents.
func tablesOf(ctx context.Context, tx Tx, sigla certificate.Sigla) (*certificate.Tables, error) {
	all, err := Reference(ctx, tx)
	if err != nil {
		return nil, err
	}
	scopes, err := tx.ListScopes(ctx, sigla)
	if err != nil {
		return nil, err
	}
	classes := map[certificate.ClassCode][]certificate.Period{}
	services := map[certificate.ServiceClassCode][]certificate.Period{}
	for _, s := range scopes {
		if s.Class != "" {
			classes[s.Class] = append(classes[s.Class], s.Period)
		} else {
			services[s.ServiceClass] = append(services[s.ServiceClass], s.Period)
		}
	}
	own := &certificate.Tables{Body: sigla, Types: all.Types, Roles: all.Roles, Countries: all.Countries}
	for _, c := range all.ServiceClasses {
		if c.Scopes = services[c.Code]; len(c.Scopes) > 0 {
			own.ServiceClasses = append(own.ServiceClasses, c)
		}
	}
	for _, c := range all.Classes {
		if c.Scopes = classes[c.Code]; c.Service && len(own.ServiceClasses) > 0 && len(c.Scopes) == 0 {
			c.Scopes = []certificate.Period{{}} // accredited for a service is accredited for the class "Serviço"
		}
		if len(c.Scopes) > 0 {
			own.Classes = append(own.Classes, c)
		}
	}
	for _, d := range all.Documents {
		offers := d.Offers[:0:0]
		for _, o := range d.Offers {
			_, byService := services[o.ServiceClass]
			if _, byClass := classes[o.Class]; byClass || byService {
				offers = append(offers, o)
			}
		}
		if d.Offers = offers; len(offers) > 0 {
			own.Documents = append(own.Documents, d)
		}
	}
	return own, nil
}

// Release makes the body's next auxiliary-table release and mails it, unless
// nothing changed since the last. It returns the newest release and whether it is new.
func (r *Registry) Release(ctx context.Context, tx Tx, sigla certificate.Sigla, actor string) (Release, bool, error) {
	b, err := tx.LockBody(ctx, sigla)
	if err != nil {
		return Release{}, false, err
	}
	next, err := tablesOf(ctx, tx, sigla)
	if err != nil {
		return Release{}, false, err
	}
	last, found, err := tx.FindRelease(ctx, sigla)
	if err != nil {
		return Release{}, false, err
	}
	next.Number = last.Number + 1
	if found {
		same, err := r.sameTables(last, *next)
		if err != nil || same {
			return last, false, err
		}
	}
	signed, err := remessa.SignRelease(next, r.Keys)
	if err != nil {
		return Release{}, false, err
	}
	release := Release{Body: sigla, Number: next.Number, At: tx.Now(), Signed: signed}
	if err := tx.InsertRelease(ctx, release); err != nil {
		return Release{}, false, err
	}
	if err := r.mailRelease(ctx, tx, b, release); err != nil {
		return Release{}, false, err
	}
	return release, true, tx.AppendAudit(ctx, audit.Event{Kind: "release.made", Subject: "organismo:" + string(sigla),
		Actor: actor, Detail: map[string]string{"numero": strconv.Itoa(release.Number)}})
}

func (r *Registry) sameTables(last Release, next certificate.Tables) (bool, error) {
	old, err := remessa.OpenRelease(last.Signed, r.Keys.Public().Sign, last.Body)
	if err != nil {
		return false, fmt.Errorf("open release %s %d: %w", last.Body, last.Number, err)
	}
	next.Number = old.Number
	a, err := json.Marshal(old)
	if err != nil {
		return false, fmt.Errorf("encode release %s %d: %w", last.Body, last.Number, err)
	}
	c, err := json.Marshal(next)
	if err != nil {
		return false, fmt.Errorf("encode release %s: %w", last.Body, err)
	}
	return bytes.Equal(a, c), nil
}

func (r *Registry) mailRelease(ctx context.Context, tx Tx, b Body, release Release) error {
	args := fault.Pairs("organismo", string(b.Sigla), "numero", strconv.Itoa(release.Number),
		"data", brasil.Today(release.At).Brazilian(), "registro", r.Name)
	name := fmt.Sprintf("%s-tabelas-%06d.selo", b.Sigla, release.Number)
	return r.mail(ctx, tx, notify.Message{
		ID:      fmt.Sprintf("tabelas-%s-%d", b.Sigla, release.Number),
		To:      []string{b.Email},
		Subject: locale.Text(locale.PT, "mail.release.subject", args),
		Text:    locale.Text(locale.PT, "mail.release.text", args),
		Attachments: []notify.Attachment{
			{Name: name, Type: "application/octet-stream", Data: []byte(release.Signed)}},
	})
}
