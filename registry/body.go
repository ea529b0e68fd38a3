package registry

import (
	"context"
	"regexp"
	"strings"
	"time"

	"selo/audit"
	"selo/certificate"
	"selo/fault"
	"selo/remessa"
)

// Body is an accredited certification body (OCP).
type Body struct {
	Sigla         certificate.Sigla
	Name          string
	Email         string // where results and releases go
	Accreditation string // number of the accreditation, "OCP-0000"; may be empty
	Keys          remessa.PublicKeys
	Active        bool
	EnrolledAt    time.Time
	Sequence      int64          // of the last processed remessa; 0 before the first
	Digest        remessa.Digest // of that remessa
}

var (
	siglaForm = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{0,7}$`)
	emailForm = regexp.MustCompile(`^[^@\s<>",;]+@[^@\s<>",;]+\.[^@\s<>",;]+$`)
)

// Enrol makes a body known, or takes over name and mail of a known one, and
// returns the signed answer that the body's certifier needs. Anybody can sign a
// request in any body's name, so other keys than the known ones are refused: see
// [Registry.ReplaceKeys]. Faults: Invalid "body.…", Conflict "body.other_keys".
func (r *Registry) Enrol(ctx context.Context, tx Tx, e remessa.Enrolment, accreditation, actor string) (string, error) {
	return r.enrol(ctx, tx, e, accreditation, actor, false)
}

// ReplaceKeys is Enrol for a body that has made new keys: the área gestora has
// compared their fingerprint with the body by another way.
func (r *Registry) ReplaceKeys(ctx context.Context, tx Tx, e remessa.Enrolment, accreditation, actor string) (string, error) {
	return r.enrol(ctx, tx, e, accreditation, actor, true)
}

func (r *Registry) enrol(ctx context.Context, tx Tx, e remessa.Enrolment, accreditation, actor string, replace bool) (string, error) {
	e.Name, e.Email = strings.TrimSpace(e.Name), strings.TrimSpace(e.Email)
	if err := checkBody(e); err != nil {
		return "", err
	}
	kind := "body.enrolled"
	b, err := tx.LockBody(ctx, e.Body)
	switch {
	case fault.Is(err, fault.NotFound):
		b = Body{Sigla: e.Body, Active: true, EnrolledAt: tx.Now()}
	case err != nil:
		return "", err
	case !b.Keys.Equal(e.Keys) && !replace:
		return "", fault.New(fault.Conflict, "body.other_keys", "organismo", string(e.Body),
			"conhecida", b.Keys.Fingerprint(), "recebida", e.Keys.Fingerprint())
	default:
		kind = "body.changed"
	}
	b.Name, b.Email, b.Keys = e.Name, e.Email, e.Keys
	if accreditation != "" {
		b.Accreditation = accreditation
	}
	if err := tx.PutBody(ctx, b); err != nil {
		return "", err
	}
	if err := tx.AppendAudit(ctx, audit.Event{Kind: kind, Subject: "organismo:" + string(b.Sigla), Actor: actor,
		Detail: map[string]string{"nome": b.Name, "email": b.Email, "chaves": b.Keys.Fingerprint()}}); err != nil {
		return "", err
	}
	return remessa.Registry{Name: r.Name, URL: r.URL, Body: b.Sigla}.Sign(r.Keys)
}

func checkBody(e remessa.Enrolment) error {
	var problems []fault.Problem
	if !siglaForm.MatchString(string(e.Body)) {
		problems = append(problems, fault.Problem{Field: "organismo", Code: "body.sigla", Args: fault.Pairs("valor", string(e.Body))})
	}
	if e.Name == "" || len(e.Name) > 200 {
		problems = append(problems, fault.Problem{Field: "nome", Code: "body.name"})
	}
	if !emailForm.MatchString(e.Email) || len(e.Email) > 254 {
		problems = append(problems, fault.Problem{Field: "email", Code: "body.email", Args: fault.Pairs("valor", e.Email)})
	}
	return fault.WithProblems("body.invalid", problems)
}

// SetBodyActive stops or lets a body deliver; its certificates stay.
func (r *Registry) SetBodyActive(ctx context.Context, tx Tx, sigla certificate.Sigla, active bool, actor string) error {
	b, err := tx.LockBody(ctx, sigla)
	if err != nil {
		return err
	}
	if b.Active == active {
		return nil
	}
	b.Active = active
	if err := tx.PutBody(ctx, b); err != nil {
		return err
	}
	kind := "body.deactivated"
	if active {
		kind = "body.activated"
	}
	return tx.AppendAudit(ctx, audit.Event{Kind: kind, Subject: "organismo:" + string(sigla), Actor: actor})
}

// secret is the one shared with the body for unlock codes.
func (r *Registry) secret(b Body) ([]byte, error) {
	return remessa.SharedSecret(r.Keys.Agree, b.Keys.Agree)
}
