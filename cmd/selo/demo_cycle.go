package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"selo/certificate"
	"selo/certifier"
	"selo/certifier/sheet"
	"selo/cmd/selo/term"
	"selo/demo"
	"selo/demo/data"
	"selo/fault"
	"selo/ledger"
	"selo/locale"
	"selo/registry"
	"selo/remessa"
)

const demoBody = certificate.Sigla("DEMO")

// cycle goes once through everything a body and Inmetro do together.
func (d *demoRun) cycle() error {
	d.out.Heading("demo.title")
	d.out.Paragraph("demo.intro")
	for _, step := range []func() error{d.enrol, d.tables, d.importSheet, d.complete, d.firstRemessa, d.publishAndFind,
		d.prove, d.invalidated, d.corrected, d.verified} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// demoBodies enrols the invented bodies that have no desk here, and gives DEMO's data.
func (d *demoRun) demoBody() (data.Body, error) {
	bodies, err := data.Bodies()
	if err != nil {
		return data.Body{}, err
	}
	for _, b := range bodies {
		if b.Sigla == string(demoBody) {
			return b, nil
		}
	}
	return data.Body{}, errors.New("demo data lacks body DEMO")
}

// enrol makes the body's keys and base, and the registry know each other.
func (d *demoRun) enrol() error {
	d.out.Section("demo.enrol")
	b, err := d.demoBody()
	if err != nil {
		return err
	}
	var request, answer string
	d.desk, request, err = initDesk(d.ctx, d.app, filepath.Join(d.dir, "organismo DEMO"),
		certifier.Body{Sigla: demoBody, Name: b.Name, Email: b.Email})
	if err != nil {
		return err
	}
	enrolment, err := remessa.OpenEnrolment(request)
	if err != nil {
		return err
	}
	err = d.node.write(d.ctx, func(tx registry.Tx) error {
		answer, err = d.node.registry.Enrol(d.ctx, tx, enrolment, b.Number, string(d.actor))
		return err
	})
	if err != nil {
		return err
	}
	err = d.desk.store.Write(d.ctx, func(tx certifier.Tx) error {
		_, err := certifier.Enrol(d.ctx, tx, d.actor, answer)
		return err
	})
	if err == nil {
		d.out.Done("demo.enrolled", "organismo", b.Name, "sigla", b.Sigla)
		d.out.Note("demo.enrolled.keys")
	}
	return err
}

// tables fills the registry's lists, links the body to its scopes and carries the release over.
func (d *demoRun) tables() error {
	d.out.Section("demo.tables")
	lists, err := demo.Tables()
	if err != nil {
		return err
	}
	b, err := d.demoBody()
	if err != nil {
		return err
	}
	scopes, err := demo.Scopes(b)
	if err != nil {
		return err
	}
	err = d.node.write(d.ctx, func(tx registry.Tx) error {
		if err := d.node.registry.PutReference(d.ctx, tx, lists, string(d.actor)); err != nil {
			return err
		}
		for _, s := range scopes {
			if err := d.node.registry.PutScope(d.ctx, tx, s, string(d.actor)); err != nil {
				return err
			}
		}
		_, _, err := d.node.registry.Release(d.ctx, tx, demoBody, string(d.actor))
		return err
	})
	if err != nil {
		return err
	}
	d.out.Done("demo.tables.registry", "classes", strconv.Itoa(len(lists.Classes)+len(lists.ServiceClasses)), "documentos", strconv.Itoa(len(lists.Documents)))
	applied, err := d.desk.fetchTables(d.ctx)
	if err == nil {
		d.out.Done("demo.tables.applied", "numero", strconv.Itoa(applied.Tables.Number),
			"classes", strconv.Itoa(len(applied.Tables.Classes)+len(applied.Tables.ServiceClasses)))
	}
	return err
}

// importSheet fills the Tabela de Empresas and imports the spreadsheet.
func (d *demoRun) importSheet() error {
	d.out.Section("demo.import")
	companies, err := demo.Companies()
	if err != nil {
		return err
	}
	mapping, err := sheet.LoadMapping(bytes.NewReader(data.MappingJSON))
	if err != nil {
		return err
	}
	reader, err := sheet.OpenAt(d.ctx, bytes.NewReader(data.CertificatesCSV), int64(len(data.CertificatesCSV)), "certificados.csv", mapping.Options(sheet.Limits{}))
	if err != nil {
		return err
	}
	spreadsheet, err := certifier.ReadSpreadsheet(d.ctx, reader, mapping, "certificados.csv")
	if err = errors.Join(err, reader.Close()); err != nil {
		return err
	}
	var report *certifier.ImportReport
	err = d.desk.store.Write(d.ctx, func(tx certifier.Tx) error {
		for i := range companies {
			_, err := certifier.SaveDraft(d.ctx, tx, d.actor, certifier.Edit{Content: &certificate.Revision{Company: &companies[i]}})
			if err != nil {
				return err
			}
		}
		report, err = certifier.Import(d.ctx, tx, d.actor, spreadsheet, certifier.ImportOptions{})
		return err
	})
	if err != nil {
		return err
	}
	d.out.Done("demo.import.companies", "empresas", strconv.Itoa(len(companies)))
	d.out.Done("demo.import.done", "linhas", strconv.Itoa(len(report.Rows)), "certificados", strconv.Itoa(report.NewCertificates),
		"produtos", strconv.Itoa(report.NewProducts), "mescladas", strconv.Itoa(report.Merged), "recusadas", strconv.Itoa(report.Refused))
	var refused []fault.Problem
	for _, row := range report.Rows {
		refused = append(refused, row.Problems...)
	}
	if len(refused) > 0 {
		d.out.Problems(rendered(d.lang, refused), "")
	}
	return nil
}

// find gives the ID of the company whose name begins with text.
func (d *demoRun) find(tx certifier.Tx, kind certificate.Kind, text string) (certificate.ID, error) {
	page, err := certifier.List(d.ctx, tx, certifier.Query{Kind: kind, Text: text, Limit: 1})
	if err != nil {
		return "", err
	}
	if len(page.Items) == 0 {
		return "", errors.New("demo data lacks " + string(kind) + " " + text)
	}
	return page.Items[0].ID, nil
}

// complete shows what is pending in a new certificate, fills it and approves all.
func (d *demoRun) complete() error {
	d.out.Section("demo.pending")
	var id, maker, product certificate.ID
	err := d.desk.store.Write(d.ctx, func(tx certifier.Tx) error {
		applicant, err := d.find(tx, certificate.KindCompany, "Companhia Fictícia de Brinquedos")
		if err != nil {
			return err
		}
		maker = applicant
		c := demo.Incomplete(d.today, applicant)
		if _, err := certifier.SaveDraft(d.ctx, tx, d.actor, certifier.Edit{Content: &certificate.Revision{Certificate: &c}}); err != nil {
			return err
		}
		id, err = certifier.FindByKey(d.ctx, tx, &certificate.Revision{Certificate: &c})
		if err != nil {
			return err
		}
		record, err := certifier.SaveDraft(d.ctx, tx, d.actor, certifier.Edit{Content: &certificate.Revision{
			Product: &certificate.Product{Brand: "Fictoy", Model: "Pião FP-1", Description: "Pião de madeira, a partir de 3 anos"}}})
		if err == nil {
			product = record.ID
		}
		return err
	})
	if err != nil {
		return err
	}
	var incomplete []certifier.Incomplete
	err = d.desk.store.Read(d.ctx, func(tx certifier.Tx) error {
		incomplete, err = certifier.ListIncomplete(d.ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, i := range incomplete {
		d.out.Failed("demo.pending.certificate", "certificado", i.Label)
		d.out.Problems(rendered(d.lang, i.Problems), "")
	}
	var approval certifier.Approval
	err = d.desk.store.Write(d.ctx, func(tx certifier.Tx) error {
		_, err := certifier.ChangeCertificate(d.ctx, tx, d.actor, id, "", func(c *certificate.Certificate) error {
			demo.Completion(c, maker, product)
			return nil
		})
		if err == nil {
			err = d.addPacker(tx)
		}
		if err != nil {
			return err
		}
		approval, _, err = certifier.ApproveReady(d.ctx, tx, d.actor)
		return err
	})
	if err == nil {
		d.out.Done("demo.approved", "certificados", strconv.Itoa(approval.Certificates), "empresas", strconv.Itoa(approval.Companies),
			"produtos", strconv.Itoa(approval.Products))
	}
	return err
}

// addPacker gives the food-basket process its Empacotador, which a spreadsheet
// made for products has no column for (FAQ 3.8).
func (d *demoRun) addPacker(tx certifier.Tx) error {
	id, err := d.find(tx, certificate.KindCertificate, "CESTA")
	if err != nil {
		return err
	}
	_, err = certifier.ChangeCertificate(d.ctx, tx, d.actor, id, "", func(c *certificate.Certificate) error {
		packer := c.Companies[0]
		packer.Role = certificate.Packer
		c.Companies = append(c.Companies, packer)
		return nil
	})
	return err
}

// exchange prepares, sends and waits for the result of one remessa.
func (d *demoRun) exchange() (certifier.Answer, error) {
	r, err := d.desk.prepare(d.ctx, remessa.Partial)
	if err != nil {
		return certifier.Answer{}, err
	}
	d.out.Done("demo.prepared", "arquivo", r.File, "registros", strconv.FormatInt(r.Count, 10))
	if _, err := d.desk.send(d.ctx, nil); err != nil {
		return certifier.Answer{}, err
	}
	d.out.Done("demo.sent", "sequencia", strconv.FormatInt(r.Sequence, 10))
	answer, ok, err := d.desk.fetchResult(d.ctx)
	for tries := 0; err == nil && !ok && tries < 300; tries++ { // the server works on it meanwhile: half a minute at most
		select {
		case <-d.ctx.Done():
			return answer, d.ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
		answer, ok, err = d.desk.fetchResult(d.ctx)
	}
	if err == nil && !ok {
		err = fault.New(fault.Unavailable, "demo.no_result", "sequencia", strconv.FormatInt(r.Sequence, 10))
	}
	return answer, err
}

func (d *demoRun) firstRemessa() error {
	d.out.Section("demo.remessa")
	answer, err := d.exchange()
	if err != nil {
		return err
	}
	return d.expect(answer, remessa.Confirmed)
}

// expect says how a remessa ended, and refuses any other end.
func (d *demoRun) expect(answer certifier.Answer, want remessa.Outcome) error {
	if answer.Outcome != want {
		d.out.Problems(rendered(d.lang, answer.Remessa.Reasons), "")
		return fault.New(fault.Conflict, "demo.other_outcome", "resultado", string(answer.Outcome), "esperado", string(want))
	}
	code, err := remessa.ParseCode(answer.Remessa.Code)
	if err != nil {
		return err
	}
	d.out.Done("demo.result."+string(want), "sequencia", strconv.FormatInt(answer.Remessa.Sequence, 10))
	d.out.Pairs(term.Pair{Key: "cli.label.unlock_code", Value: code.String()})
	return nil
}

// publishAndFind publishes and asks the public API as anybody would.
func (d *demoRun) publishAndFind() error {
	d.out.Section("demo.publish")
	p, _, err := d.node.publish(d.app)
	if err != nil {
		return err
	}
	d.out.Done("demo.published", "numero", strconv.FormatInt(p.Number, 10), "registros", strconv.FormatInt(p.Head.Size, 10))
	var hits struct {
		Certificates []struct {
			Number string `json:"numero"`
			Class  struct {
				Name string `json:"nome"`
			} `json:"classe"`
			Applicant string `json:"solicitante"`
		} `json:"certificados"`
	}
	const text = "brin 108"
	if err := d.ask("/api/v1/certificados?q="+url.QueryEscape(text), &hits); err != nil {
		return err
	}
	d.out.Done("demo.searched", "texto", text, "achados", strconv.Itoa(len(hits.Certificates)))
	rows := [][]string{}
	for _, h := range hits.Certificates {
		rows = append(rows, []string{h.Number, h.Class.Name, h.Applicant})
	}
	d.out.Table([]term.Column{{Key: "cli.column.number"}, {Key: "cli.column.class"}, {Key: "cli.column.applicant"}}, rows)
	var verdict struct {
		Answer string `json:"coberto"`
	}
	if err := d.ask("/api/v1/verificacao?"+url.Values{"marca": {"FICTOY"}, "modelo": {"trenzinho ft10"}}.Encode(), &verdict); err != nil {
		return err
	}
	d.out.Done("demo.checked", "produto", "FICTOY trenzinho ft10", "resposta", verdict.Answer)
	return nil
}

// ask questions the public API over HTTP.
func (d *demoRun) ask(path string, into any) error {
	request, err := http.NewRequestWithContext(d.ctx, http.MethodGet, d.url+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // read only
	if response.StatusCode != http.StatusOK {
		return errors.New(path + ": " + response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// prove fetches the ledger's proof of a certificate and checks it with the
// registry's public key alone.
func (d *demoRun) prove() error {
	d.out.Section("demo.proof")
	var proof struct {
		ledger.Inclusion
		Revision string `json:"revisao"`
	}
	if err := d.ask("/api/v1/certificados/DEMO/"+url.PathEscape("DEMO-BRIN-108/25.001")+"/prova", &proof); err != nil {
		return err
	}
	vkey, err := ledger.VerifierKey(d.node.registry.Origin, d.node.publicKey())
	if err != nil {
		return err
	}
	head, err := ledger.VerifyInclusion(proof.Inclusion, []byte(proof.Revision), vkey)
	if err != nil {
		return err
	}
	d.out.Done("demo.proved", "indice", locale.Number(d.lang, proof.Indice), "tamanho", locale.Number(d.lang, head.Size), "hashes", strconv.Itoa(len(proof.Caminho)))
	if _, err := ledger.VerifyInclusion(proof.Inclusion, []byte(strings.Replace(proof.Revision, "108", "109", 1)), vkey); err == nil {
		return errors.New("a changed revision passed the proof")
	}
	d.out.Done("demo.proof.forged")
	return nil
}
