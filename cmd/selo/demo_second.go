package main

import (
	"path/filepath"
	"strconv"

	"selo/certificate"
	"selo/certifier"
	"selo/demo"
	"selo/locale"
	"selo/registry"
	"selo/remessa"
	"selo/verify"
)

// invalidated shows a remessa that the registry refuses whole: a scope ended and
// the body has not updated its tables.
func (d *demoRun) invalidated() error {
	d.out.Section("demo.invalid")
	ended := d.today.AddDays(-20)
	err := d.node.write(d.ctx, func(tx registry.Tx) error {
		scope := registry.Scope{Body: demoBody, Class: "capacetes-motociclistas", Period: certificate.Period{To: ended}}
		if err := d.node.registry.PutScope(d.ctx, tx, scope, string(d.actor)); err != nil {
			return err
		}
		_, _, err := d.node.registry.Release(d.ctx, tx, demoBody, string(d.actor))
		return err
	})
	if err != nil {
		return err
	}
	d.out.Note("demo.scope_ended", "data", ended.String())
	err = d.desk.store.Write(d.ctx, func(tx certifier.Tx) error {
		company, err := d.find(tx, certificate.KindCompany, "capacete")
		if err != nil {
			return err
		}
		product, err := certifier.SaveDraft(d.ctx, tx, d.actor, certifier.Edit{Content: &certificate.Revision{
			Product: &certificate.Product{Brand: "Elmo Imaginário", Model: "EI-7", Description: "Capacete integral, tamanho 58"}}})
		if err != nil {
			return err
		}
		c := demo.Helmet(d.today.AddDays(-10), company, company, product.ID)
		record, err := certifier.SaveDraft(d.ctx, tx, d.actor, certifier.Edit{Content: &certificate.Revision{Certificate: &c}})
		if err != nil {
			return err
		}
		_, err = certifier.Approve(d.ctx, tx, d.actor, []certificate.ID{record.ID}, "")
		return err
	})
	if err != nil {
		return err
	}
	answer, err := d.exchange()
	if err != nil {
		return err
	}
	if err := d.expect(answer, remessa.Invalidated); err != nil {
		return err
	}
	d.out.Problems(rendered(d.lang, answer.Remessa.Reasons), "")
	return nil
}

// corrected updates the tables, corrects the mistake and sends the old changes
// together with a new one.
func (d *demoRun) corrected() error {
	d.out.Section("demo.corrected")
	applied, err := d.desk.fetchTables(d.ctx)
	if err != nil {
		return err
	}
	d.out.Done("demo.tables.applied", "numero", strconv.Itoa(applied.Tables.Number),
		"classes", strconv.Itoa(len(applied.Tables.Classes)+len(applied.Tables.ServiceClasses)))
	id, err := d.desk.findCertificate(d.ctx, "DEMO-CAP-3400")
	if err != nil {
		return err
	}
	err = d.desk.store.Write(d.ctx, func(tx certifier.Tx) error {
		if _, err := certifier.Reopen(d.ctx, tx, d.actor, id, "Data de emissão digitada errada"); err != nil {
			return err
		}
		right := d.today.AddDays(-25)
		_, err := certifier.ChangeCertificate(d.ctx, tx, d.actor, id, "Data de emissão digitada errada", func(c *certificate.Certificate) error {
			c.IssuedOn, c.ValidUntil = right, right.AddYears(4)
			c.Documents[0].EnteredOn, c.Products[0].EnteredOn = right, right
			for i := range c.Companies {
				c.Companies[i].EnteredOn = right
			}
			return nil
		})
		if err != nil {
			return err
		}
		if _, err := certifier.Approve(d.ctx, tx, d.actor, []certificate.ID{id}, ""); err != nil {
			return err
		}
		return d.suspendOne(tx)
	})
	if err != nil {
		return err
	}
	d.out.Done("demo.corrected.reopened")
	d.out.Done("demo.corrected.suspended")
	answer, err := d.exchange()
	if err != nil {
		return err
	}
	if err := d.expect(answer, remessa.Confirmed); err != nil {
		return err
	}
	d.out.Note("demo.corrected.carried", "registros", strconv.FormatInt(answer.Remessa.Count, 10))
	p, _, err := d.node.publish(d.app)
	if err == nil {
		d.out.Done("demo.published", "numero", strconv.FormatInt(p.Number, 10), "registros", strconv.FormatInt(p.Head.Size, 10))
	}
	return err
}

// suspendOne suspends a certificate, and one product of another, so that the
// next remessa carries something new too.
func (d *demoRun) suspendOne(tx certifier.Tx) error {
	id, err := certifier.FindByKey(d.ctx, tx, &certificate.Revision{Certificate: &certificate.Certificate{Number: "DEMO-PLUG-233/24"}})
	if err != nil {
		return err
	}
	if _, err := certifier.SetSituation(d.ctx, tx, d.actor, id, certificate.Suspended, "Falha na avaliação de manutenção"); err != nil {
		return err
	}
	partly, err := d.suspendProduct(tx, "DEMO-ADAP-012/24", "AM-2P")
	if err != nil {
		return err
	}
	_, err = certifier.Approve(d.ctx, tx, d.actor, []certificate.ID{id, partly}, "")
	return err
}

// suspendProduct suspends a product in a certificate that stays active.
func (d *demoRun) suspendProduct(tx certifier.Tx, number, model string) (certificate.ID, error) {
	id, err := certifier.FindByKey(d.ctx, tx, &certificate.Revision{Certificate: &certificate.Certificate{Number: number}})
	if err != nil {
		return "", err
	}
	product, err := d.find(tx, certificate.KindProduct, model)
	if err != nil {
		return "", err
	}
	_, err = certifier.ChangeCertificate(d.ctx, tx, d.actor, id, "Produto reprovado nos ensaios de manutenção", func(c *certificate.Certificate) error {
		for i := range c.Products {
			if c.Products[i].Product == product {
				c.Products[i].Situation = certificate.Suspended
			}
		}
		return nil
	})
	return id, err
}

// verified re-derives every invariant of both bases.
func (d *demoRun) verified() error {
	d.out.Section("demo.verify")
	if err := d.desk.close(); err != nil {
		return err
	}
	base := filepath.Join(d.desk.dir, deskFile)
	for _, check := range []struct {
		said string
		run  func() (verify.Report, error)
	}{
		{"demo.verified.registry", func() (verify.Report, error) {
			return verify.Registry(d.ctx, d.node.flags.database(), verify.Options{Key: d.node.publicKey()})
		}},
		{"demo.verified.certifier", func() (verify.Report, error) {
			return verify.Certifier(d.ctx, base, verify.Options{Outbox: d.desk.outbox.Dir})
		}},
		{"demo.verified.pair", func() (verify.Report, error) {
			return verify.Pair(d.ctx, d.node.flags.database(), base, verify.Options{})
		}},
	} {
		report, err := check.run()
		if err != nil {
			return err
		}
		if report.Total() > 0 {
			if err := showReport(d.app, report); err != nil {
				return err
			}
			return errSaid
		}
		d.out.Done(check.said, "itens", locale.Number(d.lang, report.Checked()))
	}
	return nil
}
