package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selo/api"
	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/clock"
	"selo/courier"
	"selo/registry"
	"selo/remessa"
	"selo/store"
	"selo/store/registrystore"
	"selo/store/storetest"
)

// IDs of the records of the scene.
const (
	maker   certificate.ID = "01900000-0000-7000-8000-000000000001"
	seller  certificate.ID = "01900000-0000-7000-8000-000000000002"
	person  certificate.ID = "01900000-0000-7000-8000-000000000003"
	helmet  certificate.ID = "01900000-0000-7000-8000-000000000011"
	visor   certificate.ID = "01900000-0000-7000-8000-000000000012"
	slashed certificate.ID = "01900000-0000-7000-8000-0000000000a1"
	plain   certificate.ID = "01900000-0000-7000-8000-0000000000a2"
	tricky  certificate.ID = "01900000-0000-7000-8000-0000000000a3"
)

const slashedNumber = "FB-BRIN-108/17.001"

// trickyNumber has all that a path can choke on.
const trickyNumber = "A//B ../ç+%2F#?&prova/prova"

// world is a registry, its bodies, its snapshot and its API over real HTTP.
type world struct {
	t        *testing.T
	ctx      context.Context
	clock    *clock.Manual
	store    registrystore.Store
	registry *registry.Registry
	holder   *catalog.Holder
	shelf    *catalog.Shelf
	server   *httptest.Server
	api      *api.Server
	log      *bytes.Buffer
	keys     map[certificate.Sigla]remessa.Keys
	sequence map[certificate.Sigla]int64
	digest   map[certificate.Sigla]remessa.Digest
	last     map[certificate.ID]*certificate.Revision
}

func newWorld(t *testing.T, e *storetest.Engine, change func(*api.Deps)) *world {
	t.Helper()
	w := &world{t: t, ctx: context.Background(), clock: clock.NewManual(time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)), log: &bytes.Buffer{},
		holder: &catalog.Holder{}, shelf: &catalog.Shelf{Dir: t.TempDir()}, keys: map[certificate.Sigla]remessa.Keys{}, sequence: map[certificate.Sigla]int64{},
		digest: map[certificate.Sigla]remessa.Digest{}, last: map[certificate.ID]*certificate.Revision{}}
	w.store = registrystore.Store{DB: e.OpenWith(t, store.Options{Clock: w.clock, Migrations: []store.MigrationSet{registrystore.Migrations()}})}
	keys, err := remessa.NewKeys()
	w.must(err)
	w.registry = &registry.Registry{Store: w.store, Keys: keys, Origin: "selo.example/registro", Name: "Registro de teste"}
	deps := api.Deps{Registry: w.registry, Catalog: w.holder, Clock: w.clock, Version: "1.2.3", Temp: t.TempDir(), Shelf: w.shelf,
		Log: slog.New(slog.NewTextHandler(w.log, nil))}
	if change != nil {
		change(&deps)
	}
	w.api = api.New(deps)
	w.server = httptest.NewServer(w.api)
	t.Cleanup(func() {
		w.server.Close()
		w.holder.Swap(nil)
	})
	w.enrol("CCB")
	w.enrol("WOS")
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// enrol makes a body known, accredited for helmets.
func (w *world) enrol(body certificate.Sigla) {
	w.t.Helper()
	keys, err := remessa.NewKeys()
	w.must(err)
	w.keys[body] = keys
	w.must(w.store.Write(w.ctx, func(tx registry.Tx) error {
		enrolment := remessa.Enrolment{Body: body, Name: "Organismo " + string(body), Email: "ocp@example.org", Keys: keys.Public()}
		if _, err := w.registry.Enrol(w.ctx, tx, enrolment, "", "teste"); err != nil {
			return err
		}
		if err := w.registry.PutReference(w.ctx, tx, reference(), "teste"); err != nil {
			return err
		}
		if err := w.registry.PutScope(w.ctx, tx, registry.Scope{Body: body, Class: "capacetes"}, "teste"); err != nil {
			return err
		}
		_, _, err := w.registry.Release(w.ctx, tx, body, "teste")
		return err
	}))
}

func day(s string) brasil.Date {
	d, err := brasil.ParseISODate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func reference() certificate.Tables {
	return certificate.Tables{
		Classes: []certificate.Class{{Code: "capacetes", Name: "Capacetes", Required: []certificate.RoleCode{certificate.Applicant, certificate.Manufacturer}}},
		Documents: []certificate.Document{{Code: "portaria-231", Title: "Portaria Inmetro nº 231/2021", Kind: "Portaria",
			Offers: []certificate.Offer{{Type: certificate.TypeCompulsory, Class: "capacetes", Period: certificate.Period{From: day("2021-06-01")}}}}},
		Countries: []certificate.Country{{Code: certificate.Brazil, Name: "Brasil"}},
		Roles: []certificate.Role{{Code: certificate.Applicant, Name: "Solicitante"}, {Code: certificate.Manufacturer, Name: "Fabricante"},
			{Code: certificate.Supplier, Name: "Fornecedor"}},
		Types: []certificate.CertificateType{{Code: certificate.TypeCompulsory, Name: "Certificado de conformidade à Portaria Inmetro Compulsório"}},
	}
}

// helmets is a complete certificate with two products and a natural person.
func helmets(number string) *certificate.Certificate {
	since := day("2024-05-06")
	return &certificate.Certificate{
		Class: "capacetes", IssuedOn: since, ValidUntil: day("2028-05-06"), Model: "5", Number: number,
		Situation: certificate.Active, Type: certificate.TypeCompulsory, Remarks: "Linha \"um\"\n,\"produtos\":9",
		Documents: []certificate.DocumentLink{{EnteredOn: since, Document: "portaria-231", Situation: certificate.Active}},
		Companies: []certificate.CompanyLink{
			{EnteredOn: since, Company: maker, Role: certificate.Manufacturer, Situation: certificate.Active},
			{EnteredOn: since, Company: seller, Role: certificate.Applicant, Situation: certificate.Active},
			{EnteredOn: since, Company: person, Role: certificate.Supplier, Situation: certificate.Active},
		},
		Products: []certificate.ProductLink{
			{EnteredOn: since, Company: maker, Modality: certificate.ByType, Product: helmet, Situation: certificate.Active},
			{EnteredOn: since, Company: maker, Modality: certificate.ByType, Product: visor, Situation: certificate.Active},
		},
	}
}

// first are the records of the first remessa, companies and products first.
func first() []*certificate.Revision {
	return []*certificate.Revision{
		{ID: maker, Company: &certificate.Company{CNPJ: "12ABC34501DE35", Country: certificate.Brazil, Name: "Fábrica Fictícia Ltda",
			Person: certificate.Legal, CEP: "20000000", UF: "RJ", City: "Rio de Janeiro", Email: "contato@fabrica.example.org", Phone: "21 5555-0000"}},
		{ID: seller, Company: &certificate.Company{CNPJ: "11222333000181", Country: certificate.Brazil, Name: "Loja Ltda", Person: certificate.Legal}},
		{ID: person, Company: &certificate.Company{CPF: "52998224725", Country: certificate.Brazil, Name: "Fulano de Tal", Person: certificate.Natural,
			Street: "Rua Secreta", Email: "fulano@example.org"}},
		{ID: helmet, Product: &certificate.Product{Brand: "Marca Ação", Model: "M-100", GTINs: []brasil.GTIN{"7891234567895"}, Description: "Capacete"}},
		{ID: visor, Product: &certificate.Product{Brand: "Marca Ação", Model: "M-200", Description: "Capacete com viseira"}},
		{ID: slashed, Certificate: helmets(slashedNumber)},
		{ID: plain, Certificate: helmets("2534")},
		{ID: tricky, Certificate: helmets(trickyNumber)},
	}
}

// bundle makes the next remessa of a body out of records; each goes on from its last revision.
func (w *world) bundle(body certificate.Sigla, records []*certificate.Revision) []byte {
	w.t.Helper()
	var out bytes.Buffer
	w.sequence[body]++
	writer := remessa.NewWriter(&out, remessa.Head{Body: body, Sequence: w.sequence[body], Scope: remessa.Partial,
		Previous: w.digest[body], PreparedAt: w.clock.Now()}, w.keys[body].Sign)
	for _, r := range records {
		r.Body, r.Number, r.ApprovedAt = body, 1, w.clock.Now().Truncate(time.Second)
		if last := w.last[r.ID]; last != nil {
			canonical, err := last.Encode()
			w.must(err)
			r.Number, r.Previous = last.Number+1, certificate.HashOf(canonical)
		}
		canonical, err := r.Encode()
		w.must(err)
		w.must(writer.Add(r.Kind(), canonical))
		w.last[r.ID] = r
	}
	_, digest, err := writer.Close()
	w.must(err)
	w.digest[body] = digest
	return out.Bytes()
}

// client is the body's side.
func (w *world) client(body certificate.Sigla) *courier.Client {
	w.t.Helper()
	c, err := courier.New(w.server.URL, body, w.keys[body], courier.Options{Clock: w.clock, Pause: time.Millisecond, Attempts: 1})
	w.must(err)
	return c
}

// send delivers over HTTP, processes and checks that the remessa was confirmed.
func (w *world) send(body certificate.Sigla, records []*certificate.Revision) {
	w.t.Helper()
	data := w.bundle(body, records)
	status, fresh, err := w.client(body).Deliver(w.ctx, bytes.NewReader(data), int64(len(data)), nil)
	w.must(err)
	if !fresh || status.State != registry.Received {
		w.t.Fatalf("delivery gives %+v, fresh %t", status, fresh)
	}
	w.process(body)
	result, err := w.client(body).Result(w.ctx, status.Sequence)
	w.must(err)
	if result.State != registry.Confirmed || result.Result == nil {
		w.t.Fatalf("remessa ended %+v, reasons %v", result, result.Result)
	}
}

func (w *world) process(body certificate.Sigla) {
	w.t.Helper()
	w.must(w.registry.Process(w.ctx, registry.ProcessArgs{Body: body, Sequence: w.sequence[body]}, func(registry.Tx) error { return nil }))
}

// publish publishes and shows the snapshot.
func (w *world) publish() registry.Publication {
	w.t.Helper()
	var p registry.Publication
	w.must(w.store.Write(w.ctx, func(tx registry.Tx) (err error) {
		p, _, err = w.registry.Publish(w.ctx, tx, "teste")
		return err
	}))
	source := registrystore.Source{Store: w.store, Publication: p}
	path := filepath.Join(w.shelf.Dir, fmt.Sprintf("publicação-%d.sqlite", p.Number))
	w.must(catalog.Build(w.ctx, source, source.Snapshot(), path, catalog.Options{}))
	c, err := catalog.Open(w.ctx, path, catalog.OpenOptions{Clock: w.clock})
	w.must(err)
	w.holder.Swap(c)
	return p
}

// filled is a world with the first remessa published.
func filled(t *testing.T, change func(*api.Deps)) *world {
	t.Helper()
	w := newWorld(t, storetest.NewSQLite(t), change)
	w.send("CCB", first())
	w.publish()
	return w
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
}

// ask sends a request as it is written: the path is not cleaned.
func (w *world) ask(method, target string, header ...string) answer {
	w.t.Helper()
	return w.askBody(method, target, nil, header...)
}

func (w *world) askBody(method, target string, body io.Reader, header ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.ctx, method, w.server.URL+target, body)
	w.must(err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req) // no redirects
	w.must(err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	w.must(err)
	return answer{res.StatusCode, res.Header, data}
}

// token signs a request of a body.
func (w *world) token(body certificate.Sigla, method, path string) string {
	w.t.Helper()
	signed, err := remessa.SignToken(body, method, path, w.clock.Now(), w.keys[body])
	w.must(err)
	return "Bearer " + signed
}

// problem checks that an answer is a problem with a status and a code, in words.
func (a answer) problem(t *testing.T, status int, code string) api.Problem {
	t.Helper()
	var p api.Problem
	if got := a.header.Get("Content-Type"); got != "application/problem+json" || a.status != status {
		t.Fatalf("got %d %s %s, want %d problem", a.status, got, a.body, status)
	}
	a.into(t, &p)
	if p.Status != status || p.Code != code || p.Type != "about:blank" || p.Title == "" || p.Detail == "" ||
		!strings.HasPrefix(p.Instance, "urn:uuid:") || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("problem is %s, want code %s", a.body, code)
	}
	return p
}

func newWorldSQLite(t *testing.T) *world {
	t.Helper()
	return newWorld(t, storetest.NewSQLite(t), nil)
}

// documentOf asks a handler for its document without a network.
func documentOf(t *testing.T, h http.Handler) []byte {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/api/openapi.json", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("the document gives %d", rec.Code)
	}
	return rec.Body.Bytes()
}
