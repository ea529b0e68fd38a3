package certifier

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"selo/audit"
	"selo/brasil"
	"selo/certificate"
	"selo/fault"
	"selo/remessa"
)

// Names of settings.
const (
	settingBody     = "organismo"
	settingRegistry = "inscricao"
)

// Body is whose base this is.
type Body struct {
	Sigla certificate.Sigla `json:"sigla"`
	Name  string            `json:"nome"`
	Email string            `json:"email,omitempty"`
}

// SetBody writes whose base this is. The acronym cannot be changed once a
// record exists, because revisions carry it: fault.Conflict "body.fixed".
// A wrong acronym is fault.Invalid "body.sigla".
func SetBody(ctx context.Context, tx Tx, actor Actor, b Body) error {
	b.Sigla = certificate.Sigla(strings.ToUpper(brasil.Squeeze(string(b.Sigla))))
	b.Name = brasil.Squeeze(b.Name)
	if !validSigla(b.Sigla) {
		return fault.New(fault.Invalid, "body.sigla", "valor", fmt.Sprintf("%.20s", b.Sigla))
	}
	if old, err := findBody(ctx, tx); err != nil {
		return err
	} else if old != nil && old.Sigla != b.Sigla {
		used, err := tx.ListRows(ctx, Query{Limit: 1})
		if err != nil {
			return fmt.Errorf("look for records: %w", err)
		}
		if len(used) > 0 {
			return fault.New(fault.Conflict, "body.fixed", "sigla", string(old.Sigla))
		}
	}
	if err := setJSON(ctx, tx, settingBody, b); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, audit.Event{Kind: "body.set", Subject: "organismo", Actor: string(actor),
		Detail: map[string]string{"sigla": string(b.Sigla), "nome": b.Name}})
}

// validSigla tells whether s is 1 to 8 capital letters, digits or hyphens: it
// is part of file names and addresses.
func validSigla(s certificate.Sigla) bool {
	for _, r := range s {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 8 && s[0] != '-'
}

// CurrentBody returns whose base this is; fault.Conflict "body.missing" before [SetBody].
func CurrentBody(ctx context.Context, tx Tx) (Body, error) {
	b, err := findBody(ctx, tx)
	if err != nil {
		return Body{}, err
	}
	if b == nil {
		return Body{}, fault.New(fault.Conflict, "body.missing")
	}
	return *b, nil
}

func findBody(ctx context.Context, tx Tx) (*Body, error) {
	var b Body
	found, err := findJSON(ctx, tx, settingBody, &b)
	if err != nil || !found {
		return nil, err //nolint:nilnil // a Find function: none is an answer
	}
	return &b, nil
}

// Enrol writes down the registry's answer to the body's enrolment: its keys and
// address. signed is the file that Inmetro hands over. Faults: those of
// [remessa.OpenRegistry], Conflict "enrolment.other_body" when it is for
// another body, and Conflict "enrolment.awaiting_result" when the keys would
// change while a remessa waits for a result made under the old ones.
func Enrol(ctx context.Context, tx Tx, actor Actor, signed string) (remessa.Registry, error) {
	reg, err := remessa.OpenRegistry(strings.TrimSpace(signed))
	if err != nil {
		return remessa.Registry{}, err
	}
	body, err := CurrentBody(ctx, tx)
	if err != nil {
		return remessa.Registry{}, err
	}
	if reg.Body != body.Sigla {
		return remessa.Registry{}, fault.New(fault.Conflict, "enrolment.other_body",
			"organismo", string(reg.Body), "esperado", string(body.Sigla))
	}
	var old remessa.Registry
	if found, err := findJSON(ctx, tx, settingRegistry, &old); err != nil {
		return remessa.Registry{}, err
	} else if found && !old.Keys.Equal(reg.Keys) {
		out, err := FindOutstanding(ctx, tx)
		if err != nil {
			return remessa.Registry{}, err
		}
		if out != nil && out.State == Sent {
			return remessa.Registry{}, fault.New(fault.Conflict, "enrolment.awaiting_result", "numero", number(out.Sequence))
		}
	}
	if err := setJSON(ctx, tx, settingRegistry, reg); err != nil {
		return remessa.Registry{}, err
	}
	return reg, tx.AppendAudit(ctx, audit.Event{Kind: "body.enrolled", Subject: "organismo", Actor: string(actor),
		Detail: map[string]string{"registro": reg.Name, "endereco": reg.URL}})
}

// CurrentRegistry returns what is known of the registry; fault.Conflict
// "enrolment.missing" before [Enrol].
func CurrentRegistry(ctx context.Context, tx Tx) (remessa.Registry, error) {
	var reg remessa.Registry
	found, err := findJSON(ctx, tx, settingRegistry, &reg)
	if err != nil {
		return reg, err
	}
	if !found {
		return reg, fault.New(fault.Conflict, "enrolment.missing")
	}
	return reg, nil
}

func findJSON(ctx context.Context, tx Tx, name string, v any) (bool, error) {
	data, err := tx.FindSetting(ctx, name)
	if err != nil {
		return false, fmt.Errorf("read setting %s: %w", name, err)
	}
	if data == nil {
		return false, nil
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("decode setting %s: %w", name, err)
	}
	return true, nil
}

func setJSON(ctx context.Context, tx Tx, name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode setting %s: %w", name, err)
	}
	if err := tx.SetSetting(ctx, name, data); err != nil {
		return fmt.Errorf("write setting %s: %w", name, err)
	}
	return nil
}
