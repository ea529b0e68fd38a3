package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"

	"github.com/google/uuid"
)

// maxSteps is the longest history that is shown; older revisions stay in the
// file and can still be asked for by day.
const maxSteps = 200

// Step is one revision of a certificate: when it came and what it changed.
type Step struct {
	RevisionView
	Changes []certificate.Change        `json:"mudancas"`       // at most 100; none of the first revision
	Total   int                         `json:"total_mudancas"` // all of them
	Reasons []certificate.Justification `json:"justificativas"`
}

// History is what changed in a certificate, the newest revision first.
type History struct {
	Steps []Step            `json:"revisoes"`
	More  bool              `json:"ha_mais"` // there are older ones than those listed
	Names map[string]string `json:"nomes"`   // of the products and companies in the changes, by ID
}

// History tells what the revisions of a certificate changed, out of the
// snapshot alone. Fault: certificate.not_found.
func (c *Catalog) History(ctx context.Context, body certificate.Sigla, num string) (*History, error) {
	view, err := c.Certificate(ctx, body, num)
	if err != nil {
		return nil, err
	}
	out := &History{Names: map[string]string{}}
	step := Step{RevisionView: view.Revision}
	err = c.eachPast(ctx, view, func(p *pastCertificate) (bool, error) {
		step.Changes, step.Total, step.Reasons = p.Step.Changes, p.Step.Total, p.Step.Reasons
		out.Steps = append(out.Steps, step)
		step = Step{RevisionView: p.Revision}
		out.More = len(out.Steps) == maxSteps
		return !out.More, nil
	})
	if err != nil {
		return nil, err
	}
	if !out.More {
		out.Steps = append(out.Steps, step)
	}
	return out, c.nameChanged(ctx, view.Body.Sigla, out)
}

// eachPast calls fn with the superseded revisions of a certificate, the newest
// first, until it says false.
func (c *Catalog) eachPast(ctx context.Context, view *Certificate, fn func(*pastCertificate) (bool, error)) error {
	rows, err := c.query(ctx, "SELECT dados FROM passado WHERE uuid = ? AND organismo = ? ORDER BY id DESC",
		idBytes(view.ID), string(view.Body.Sigla))
	if err != nil {
		return fmt.Errorf("read past of %s: %w", view.ID, err)
	}
	defer rows.Close()
	for rows.Next() {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return fmt.Errorf("read past of %s: %w", view.ID, err)
		}
		var p pastCertificate
		if err := json.Unmarshal(data, &p); err != nil {
			return fmt.Errorf("read past of %s: %w", view.ID, err)
		}
		if more, err := fn(&p); err != nil || !more {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read past of %s: %w", view.ID, err)
	}
	return nil
}

// nameChanged finds what to call the products and companies that changes name by ID.
func (c *Catalog) nameChanged(ctx context.Context, body certificate.Sigla, h *History) error {
	for i := range h.Steps {
		for _, change := range h.Steps[i].Changes {
			list, rest, ok := strings.Cut(change.Field, "[")
			id, _, closed := strings.Cut(rest, "]")
			id, _, _ = strings.Cut(id, "/") // a company's role
			if !ok || !closed || h.Names[id] != "" {
				continue
			}
			name, err := "", error(nil)
			switch list {
			case "produtos":
				name, err = c.nameOf(ctx, "SELECT marca || ' ' || modelo FROM produto WHERE uuid = ? AND organismo = ?", body, certificate.ID(id))
			case "empresas":
				name, err = c.nameOf(ctx, `SELECT coalesce(nullif(json_extract(dados, '$.razao_social'), ''), json_extract(dados, '$.nome_fantasia'), '')
					FROM empresa WHERE uuid = ? AND organismo = ?`, body, certificate.ID(id))
			}
			if err != nil {
				return err
			}
			if name != "" {
				h.Names[id] = strings.TrimSpace(name)
			}
		}
	}
	return nil
}

func (c *Catalog) nameOf(ctx context.Context, query string, body certificate.Sigla, id certificate.ID) (name string, err error) {
	rows, err := c.query(ctx, query, idBytes(id), string(body))
	if err != nil {
		return "", fmt.Errorf("name %s: %w", id, err)
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&name)
	}
	if err == nil {
		err = rows.Err()
	}
	return name, err
}

// Past is a certificate as it stood when a day ended in Brasília, with a page
// of its products as of then. Words for codes are today's.
type Past struct {
	Certificate
	ProductsPage
	On brasil.Date `json:"em"`
}

// At gives a certificate as it stood when the day ended in Brasília, in the
// form and with the omissions of [Catalog.Certificate]: companies and products
// as they were then, active ones only. Of q the text does not count.
//
// Faults: certificate.not_found, certificate.not_then when it came later,
// search.limit, search.cursor.
func (c *Catalog) At(ctx context.Context, body certificate.Sigla, num string, day brasil.Date, q ProductQuery) (*Past, error) {
	if q.Limit == 0 {
		q.Limit = DefaultProducts
	}
	if q.Limit < 1 || q.Limit > MaxProducts {
		return nil, fault.New(fault.Invalid, "search.limit", "maximo", strconv.Itoa(MaxProducts))
	}
	view, err := c.Certificate(ctx, body, num)
	if err != nil {
		return nil, err
	}
	identity := "em\x00" + string(view.ID) + "\x00" + day.String()
	place, err := readCursor(identity, q.Cursor, 0)
	if err != nil {
		return nil, err
	}
	until := day.AddDays(1).Time(brasil.Location())
	cert, revision, err := c.certificateAt(ctx, view, until)
	if err != nil {
		return nil, err
	}
	if cert == nil {
		return nil, fault.New(fault.NotFound, "certificate.not_then",
			"organismo", string(view.Body.Sigla), "numero", view.Number, "data", day.Brazilian())
	}
	return c.renderPast(ctx, view, cert, revision, day, until, pastPage{identity, int(place), q.Limit})
}

type pastPage struct {
	identity     string
	place, limit int
}

// certificateAt goes back to the last revision accepted before until; nil when there is none.
func (c *Catalog) certificateAt(ctx context.Context, view *Certificate, until time.Time) (*certificate.Certificate, RevisionView, error) {
	current, err := c.rebuild(ctx, view)
	if err != nil {
		return nil, RevisionView{}, err
	}
	if view.Revision.AcceptedAt.Before(until) {
		return current, view.Revision, nil
	}
	head, err := headOf(current)
	if err != nil {
		return nil, RevisionView{}, err
	}
	products, found := current.Products, (*pastCertificate)(nil)
	err = c.eachPast(ctx, view, func(p *pastCertificate) (bool, error) {
		for name, value := range p.Head {
			if string(value) == "null" {
				delete(head, name)
				continue
			}
			head[name] = value
		}
		var ok bool
		if products, ok = p.links(products); !ok {
			return false, fmt.Errorf("past of %s does not fit what followed", view.ID)
		}
		if p.Revision.AcceptedAt.Before(until) {
			found = p
		}
		return found == nil, nil
	})
	if err != nil || found == nil {
		return nil, RevisionView{}, err
	}
	data, err := json.Marshal(head)
	if err != nil {
		return nil, RevisionView{}, fmt.Errorf("put certificate together: %w", err)
	}
	var then certificate.Certificate
	if err := json.Unmarshal(data, &then); err != nil {
		return nil, RevisionView{}, fmt.Errorf("read past of %s: %w", view.ID, err)
	}
	then.Products = products
	return &then, found.Revision, nil
}

// rebuild gives the newest revision's public part out of the rows.
func (c *Catalog) rebuild(ctx context.Context, view *Certificate) (*certificate.Certificate, error) {
	cert := &certificate.Certificate{Class: certificate.ClassCode(view.Class.Code), IssuedOn: view.IssuedOn, ValidUntil: view.ValidUntil,
		Laboratory: view.Laboratory, Model: view.Model, Number: view.Number, ReportNumber: view.ReportNumber, Remarks: view.Remarks,
		Signatories: view.Signatories, Type: certificate.TypeCode(view.Type.Code), Documents: linksOf(view.Documents)}
	for i := range view.Services {
		s := &view.Services[i]
		cert.Services = append(cert.Services, certificate.ServiceLink{Class: certificate.ServiceClassCode(s.Class.Code), EnteredOn: s.EnteredOn,
			Description: s.Description, Company: s.Company, Situation: certificate.Active, Documents: linksOf(s.Documents)})
	}
	id := view.Revision.Index
	var situation int64
	if err := c.scanAll(ctx, "SELECT situacao FROM certificado WHERE id = ?", []any{id}, func() error {
		cert.Situation = situationOf(situation)
		return nil
	}, &situation); err != nil {
		return nil, err
	}
	var company []byte
	var role string
	var entered int64
	if err := c.scanAll(ctx, `SELECT e.uuid, p.papel, p.situacao, p.entrada FROM participante p CROSS JOIN empresa e ON e.id = p.empresa
		WHERE p.certificado = ? ORDER BY p.seq`, []any{id}, func() error {
		cert.Companies = append(cert.Companies, certificate.CompanyLink{EnteredOn: dayOf(entered), Company: idText(company),
			Role: certificate.RoleCode(role), Situation: situationOf(situation)})
		return nil
	}, &company, &role, &situation, &entered); err != nil {
		return nil, err
	}
	var product []byte
	var l certificate.ProductLink
	if err := c.scanAll(ctx, `SELECT p.uuid, e.uuid, v.situacao, v.modalidade, v.lote, v.quantidade, v.serie, v.licenca, v.entrada
		FROM vinculo v CROSS JOIN produto p ON p.id = v.produto CROSS JOIN empresa e ON e.id = v.empresa
		WHERE v.certificado = ? ORDER BY v.seq`, []any{id}, func() error {
		l.Product, l.Company, l.Situation, l.EnteredOn = idText(product), idText(company), situationOf(situation), dayOf(entered)
		cert.Products = append(cert.Products, l)
		return nil
	}, &product, &company, &situation, &l.Modality, &l.Lot, &l.Quantity, &l.Serial, &l.ImportLicence, &entered); err != nil {
		return nil, err
	}
	return cert, nil
}

// scanAll calls fn after each row is read into places.
func (c *Catalog) scanAll(ctx context.Context, query string, args []any, fn func() error, places ...any) error {
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return fmt.Errorf("read certificate: %w", err)
		}
		if err := fn(); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	return nil
}

func linksOf(views []DocumentView) []certificate.DocumentLink {
	var links []certificate.DocumentLink
	for _, d := range views {
		links = append(links, certificate.DocumentLink{EnteredOn: d.EnteredOn, Document: d.Code, Situation: d.Situation})
	}
	return links
}

func situationOf(n int64) certificate.Situation {
	if n < 0 || n >= int64(len(situations)) {
		return ""
	}
	return situations[n]
}

// idText is the inverse of idBytes for UUIDs; other IDs are not in the rows.
func idText(b []byte) certificate.ID {
	u, err := uuid.FromBytes(b)
	if err != nil {
		return ""
	}
	return certificate.ID(u.String())
}
