package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"selo/certificate"
	"selo/certifier"
	"selo/certifier/sheet"
	"selo/cmd/selo/term"
	"selo/demo"
	"selo/locale"
	"selo/registry"
	"selo/remessa"
	"selo/store/storetest"
	"selo/verify"
)

const inverters = "../../testdata/pv-inverters/"

// exchangeTest is a registry that serves over HTTP and a body enrolled with it.
type exchangeTest struct {
	*testing.T
	app  *app
	node *node
	desk *desk
	url  string
}

// newExchange starts both sides; the body is accredited for the classes.
func newExchange(t *testing.T, database string, classes ...certificate.ClassCode) *exchangeTest {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "Açúcar & Cia (teste)")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &exchangeTest{T: t, url: "http://" + listener.Addr().String()}
	quiet := term.New(os.Stderr, term.Options{Lang: locale.PT})
	x.app = &app{ctx: ctx, lang: locale.PT, out: quiet, err: quiet, actor: "teste"}
	x.node, err = openNode(ctx, registryFlags{Data: filepath.Join(dir, "inmetro"), Database: database, URL: x.url,
		Name: "Registro de teste", Origin: "selo.example/teste", From: "selo@inmetro.example"})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- x.node.serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		if err := x.node.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	x.enrol(filepath.Join(dir, "organismo"), classes)
	return x
}

func (x *exchangeTest) enrol(dir string, classes []certificate.ClassCode) {
	x.Helper()
	ctx := x.app.ctx
	d, request, err := initDesk(ctx, x.app, dir, certifier.Body{Sigla: "FICT", Name: "Organismo Fictício", Email: "recebe@fict.example"})
	x.must(err)
	x.desk = d
	x.Cleanup(func() { x.must(d.close()) })
	enrolment, err := remessa.OpenEnrolment(request)
	x.must(err)
	lists, err := demo.Tables()
	x.must(err)
	var answer string
	x.must(x.node.write(ctx, func(tx registry.Tx) error {
		if answer, err = x.node.registry.Enrol(ctx, tx, enrolment, "", "teste"); err != nil {
			return err
		}
		if err := x.node.registry.PutReference(ctx, tx, lists, "teste"); err != nil {
			return err
		}
		for _, class := range classes {
			if err := x.node.registry.PutScope(ctx, tx, registry.Scope{Body: "FICT", Class: class}, "teste"); err != nil {
				return err
			}
		}
		_, _, err := x.node.registry.Release(ctx, tx, "FICT", "teste")
		return err
	}))
	x.must(d.store.Write(ctx, func(tx certifier.Tx) error {
		_, err := certifier.Enrol(ctx, tx, "teste", answer)
		return err
	}))
	_, err = d.fetchTables(ctx)
	x.must(err)
}

func (x *exchangeTest) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// exchange prepares, sends and waits for the result.
func (x *exchangeTest) exchange() certifier.Answer {
	x.Helper()
	_, err := x.desk.prepare(x.app.ctx, remessa.Partial)
	x.must(err)
	_, err = x.desk.send(x.app.ctx, nil)
	x.must(err)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for range 1200 {
		answer, ok, err := x.desk.fetchResult(x.app.ctx)
		x.must(err)
		if ok {
			return answer
		}
		<-ticker.C
	}
	x.Fatal("no result within a minute")
	return certifier.Answer{}
}

func (x *exchangeTest) ask(path string, into any) {
	x.Helper()
	request, err := http.NewRequestWithContext(x.app.ctx, http.MethodGet, x.url+path, nil)
	x.must(err)
	response, err := http.DefaultClient.Do(request)
	x.must(err)
	defer func() { _ = response.Body.Close() }() // read only
	if response.StatusCode != http.StatusOK {
		x.Fatalf("%s: %s", path, response.Status)
	}
	x.must(json.NewDecoder(response.Body).Decode(into))
}

// The real list of inverters goes through import, approval, remessa,
// publication and search, on both engines.
func TestInverterListGoesThrough(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		x := newExchange(t, e.ServerURL(t), "fotovoltaicos")
		report := x.importInverters()
		if len(report.Rows) != 3264 || report.NewCertificates != 177 || report.NewProducts != 2204 ||
			report.Created != 2204 || report.Merged != 3264-2204 || report.Refused != 0 {
			t.Errorf("import: %d rows, %d certificates, %d products, %d created, %d merged, %d refused", len(report.Rows),
				report.NewCertificates, report.NewProducts, report.Created, report.Merged, report.Refused)
		}
		var approval certifier.Approval
		var incomplete []certifier.Incomplete
		x.must(x.desk.store.Write(x.app.ctx, func(tx certifier.Tx) (err error) {
			approval, incomplete, err = certifier.ApproveReady(x.app.ctx, tx, "teste")
			return err
		}))
		if approval.Certificates != 177 || approval.Products != 2204 || approval.Companies != 178 || len(incomplete) != 0 {
			t.Errorf("approval: %+v, incomplete %d", approval, len(incomplete))
		}
		answer := x.exchange()
		if answer.Outcome != remessa.Confirmed {
			t.Fatalf("remessa: %s, %v", answer.Outcome, answer.Remessa.Reasons)
		}
		p, _, err := x.node.publish(x.app)
		x.must(err)
		if p.Head.Size != 177+2204+178 {
			t.Errorf("publication of %d revisions", p.Head.Size)
		}
		x.findInverters()
		for _, check := range []func() (verify.Report, error){
			func() (verify.Report, error) {
				return verify.Registry(x.app.ctx, x.node.flags.database(), verify.Options{})
			},
			func() (verify.Report, error) {
				return verify.Certifier(x.app.ctx, filepath.Join(x.desk.dir, deskFile), verify.Options{})
			},
		} {
			if report, err := check(); err != nil || report.Total() != 0 {
				t.Errorf("verify: %d findings, %v", report.Total(), err)
			}
		}
	})
}

func (x *exchangeTest) importInverters() *certifier.ImportReport {
	x.Helper()
	ctx := x.app.ctx
	file, err := os.Open(inverters + "mapping.json")
	x.must(err)
	mapping, err := sheet.LoadMapping(file)
	x.must(err)
	x.must(file.Close())
	reader, err := sheet.Open(ctx, inverters+"pv-inverters.csv", mapping.Options(sheet.Limits{}))
	x.must(err)
	spreadsheet, err := certifier.ReadSpreadsheet(ctx, reader, mapping, "pv-inverters.csv")
	x.must(err)
	x.must(reader.Close())
	var report *certifier.ImportReport
	x.must(x.desk.store.Write(ctx, func(tx certifier.Tx) error {
		report, err = certifier.Import(ctx, tx, "teste", spreadsheet, certifier.ImportOptions{})
		return err
	}))
	return report
}

func (x *exchangeTest) findInverters() {
	x.Helper()
	var hits struct {
		Certificates []struct {
			Number   string `json:"numero"`
			Products int    `json:"produtos"`
		} `json:"certificados"`
	}
	x.ask("/api/v1/certificados?q="+url.QueryEscape("perfect galaxy pvs250"), &hits)
	if len(hits.Certificates) != 1 || hits.Certificates[0].Number != "FICT-FV Perfect Galaxy" {
		x.Errorf("search: %+v", hits)
	}
	var verdict struct {
		Covered string `json:"coberto"`
	}
	x.ask("/api/v1/verificacao?"+url.Values{"marca": {"perfect galaxy"}, "modelo": {"PVS-250"}}.Encode(), &verdict)
	if verdict.Covered != "sim" {
		x.Errorf("verification: %+v", verdict)
	}
}
