package api_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"selo/api"
	"selo/certificate"
	"selo/ledger"
	"selo/store/storetest"
)

func TestCertificateByEveryFormOfAddress(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	for target, want := range map[string]string{
		"CCB/FB-BRIN-108%2F17.001":                       slashedNumber,
		"CCB/FB-BRIN-108%2f17%2E001":                     slashedNumber,
		"CCB/FB-BRIN-108/17.001":                         slashedNumber,
		"CCB/FB-BRIN-108/17.001/":                        slashedNumber,
		"ccb/fb-brin-108/17.001":                         slashedNumber,
		"CCB/2534":                                       "2534",
		"CCB/%32534":                                     "2534",
		"CCB/" + url.PathEscape(trickyNumber):            trickyNumber,
		"CCB/A//B%20../%C3%A7+%252F%23%3F&prova%2Fprova": trickyNumber,
	} {
		var got api.Certificate
		w.ask("GET", "/api/v1/certificados/"+target).into(t, &got)
		if got.Number != want || got.Body.Sigla != "CCB" {
			t.Errorf("%s gives %q", target, got.Number)
		}
	}
	for _, target := range []string{"CCB/9999", "WOS/2534", "CCB", "CCB/", "CCB/%FF", "CCB/" + strings.Repeat("x", 2001), "/2534"} {
		if a := w.ask("GET", "/api/v1/certificados/"+target); a.status != 404 {
			t.Errorf("%s gives %d %s", target, a.status, a.body)
		}
	}
}

func TestCertificateHoldsAllThatIsPublicAndNothingElse(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	a := w.ask("GET", "/api/v1/certificados/CCB/2534")
	var got api.Certificate
	a.into(t, &got)
	if got.Situation != "ativo" || got.Products != 2 || len(got.Listed) != 2 || got.Listed[0].Model != "M-100" ||
		got.Listed[0].GTINs[0] != "7891234567895" || len(got.Parties) != 3 || len(got.Documents) != 1 || got.Publication != 1 {
		t.Errorf("got %s", a.body)
	}
	var fields map[string]json.RawMessage
	a.into(t, &fields)
	if string(fields["total_produtos"]) != "2" || fields["produtos"][0] != '[' ||
		bytes.Count(a.body, []byte(`"produtos":`)) != 1 || bytes.Count(a.body, []byte(`"total_produtos":`)) != 1 {
		t.Errorf("got %s", a.body)
	}
	for _, secret := range []string{"529.982.247-25", "52998224725", "contato@", "fulano@", "Rua Secreta", "5555"} {
		if bytes.Contains(a.body, []byte(secret)) {
			t.Errorf("answer shows %s", secret)
		}
	}
	for target, want := range map[string]string{"?limite=1": "M-100", "?q=viseira": "M-200"} {
		var page api.Certificate
		w.ask("GET", "/api/v1/certificados/CCB/2534"+target).into(t, &page)
		if len(page.Listed) != 1 || page.Listed[0].Model != want || page.Products != 2 {
			t.Errorf("%s gives %+v", target, page.Listed)
		}
		if page.Next != "" {
			w.ask("GET", "/api/v1/certificados/CCB/2534"+target+"&cursor="+page.Next).into(t, &page)
			if page.Listed[0].Model != "M-200" {
				t.Errorf("next of %s gives %+v", target, page.Listed)
			}
		}
	}
	p := w.ask("GET", "/api/v1/certificados/CCB/2534?limite=0&x=1&em=ontem").problem(t, 422, "api.parameters")
	var named []string
	for _, e := range p.Errors {
		named = append(named, e.Field+" "+e.Code)
	}
	if want := []string{"em api.parameter.value", "limite api.parameter.value", "x api.parameter.unknown"}; !reflect.DeepEqual(named, want) {
		t.Errorf("got %q, want %q", named, want)
	}
}

func TestCertificateAsItStood(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		w := newWorld(t, e, nil)
		w.send("CCB", first()) // 10 March
		w.clock.Advance(48 * time.Hour)
		changed := helmets(slashedNumber)
		changed.Products[1].Situation = certificate.Cancelled
		w.send("CCB", []*certificate.Revision{ // 12 March
			{ID: helmet, Product: &certificate.Product{Brand: "Marca Ação", Model: "M-100", Description: "Outra descrição"},
				Justifications: []certificate.Justification{{Fields: []string{"descricao", "codigos_gtin"}, Text: "correção"}}},
			{ID: slashed, Certificate: changed, Justifications: []certificate.Justification{{Fields: []string{"produtos"}, Text: "cancelado"}}},
		})
		w.clock.Advance(24 * time.Hour)
		w.publish()
		at := func(day string) (c api.Certificate) {
			w.ask("GET", "/api/v1/certificados/CCB/FB-BRIN-108%2F17.001?em="+day).into(t, &c)
			return c
		}
		for _, day := range []string{"2026-03-10", "2026-03-11"} {
			if c := at(day); c.Revision.Number != 1 || c.Products != 2 || len(c.Listed) != 2 || c.Listed[0].Description != "Capacete" {
				t.Errorf("on %s it was %+v", day, c)
			}
		}
		var loose api.Certificate
		w.ask("GET", "/api/v1/certificados/ccb/fbbrin10817001?em=2026-03-10").into(t, &loose)
		if loose.Number != slashedNumber || loose.Revision.Number != 1 {
			t.Errorf("without punctuation it was %+v", loose)
		}
		then, now := at("2026-03-13"), api.Certificate{}
		w.ask("GET", "/api/v1/certificados/CCB/FB-BRIN-108%2F17.001").into(t, &now)
		if now.Revision.Number != 2 || now.Products != 1 || now.Listed[0].Description != "Outra descrição" {
			t.Errorf("now it is %+v", now)
		}
		then.At = now.At
		if !reflect.DeepEqual(then, now) {
			t.Errorf("the view of today through history is\n%+v\nand through the catalog\n%+v", then, now)
		}
		w.ask("GET", "/api/v1/certificados/CCB/FB-BRIN-108%2F17.001?em=2026-03-09").problem(t, 404, "certificate.not_then")
		w.ask("GET", "/api/v1/certificados/CCB/9999?em=2026-03-13").problem(t, 404, "certificate.not_found")
		w.ask("GET", "/api/v1/certificados/CCB/2534?em=2026-03-14").problem(t, 422, "api.future")
		w.ask("GET", "/api/v1/certificados/CCB/2534?em=2026-03-13&cursor=-1").problem(t, 422, "search.cursor")
		w.clock.Advance(time.Hour)
		w.send("CCB", []*certificate.Revision{{ID: plain, Certificate: func() *certificate.Certificate {
			c := helmets("2534")
			c.Situation = certificate.Suspended
			return c
		}(), Justifications: []certificate.Justification{{Fields: []string{"situacao"}, Text: "suspenso"}}}})
		var unpublished api.Certificate
		w.ask("GET", "/api/v1/certificados/CCB/2534?em=2026-03-13").into(t, &unpublished)
		if unpublished.Situation != "ativo" {
			t.Errorf("what is not published shows: %s", unpublished.Situation)
		}
	})
}

func TestPagesOfThePast(t *testing.T) {
	t.Parallel()
	w := filled(t, nil)
	var page api.Certificate
	w.ask("GET", "/api/v1/certificados/CCB/2534?em=2026-03-10&limite=1").into(t, &page)
	if len(page.Listed) != 1 || page.Listed[0].Model != "M-100" || page.Next == "" {
		t.Fatalf("got %+v", page)
	}
	next := page.Next
	page = api.Certificate{}
	w.ask("GET", "/api/v1/certificados/CCB/2534?em=2026-03-10&limite=1&cursor="+next).into(t, &page)
	if len(page.Listed) != 1 || page.Listed[0].Model != "M-200" || page.Next != "" {
		t.Errorf("got %+v", page)
	}
}

func TestProof(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		w := newWorld(t, e, nil)
		w.ask("GET", "/api/v1/certificados/CCB/2534/prova").problem(t, 503, "api.no_publication")
		w.send("CCB", first())
		w.publish()
		var info api.RegistryInfo
		w.ask("GET", "/api/v1/registro").into(t, &info)
		for target, number := range map[string]string{
			"CCB/FB-BRIN-108%2F17.001/prova":                 slashedNumber,
			"CCB/FB-BRIN-108/17.001/prova":                   slashedNumber,
			"ccb/fbbrin10817001/prova":                       slashedNumber,
			"CCB/2534/prova/":                                "2534",
			"CCB/" + url.PathEscape(trickyNumber) + "/prova": trickyNumber,
		} {
			a := w.ask("GET", "/api/v1/certificados/"+target)
			var proof api.Proof
			a.into(t, &proof)
			head, err := ledger.VerifyInclusion(proof.Inclusion, []byte(proof.Revision), info.VerifierKey)
			if err != nil || head.Size != info.Publication.Size || proof.Instructions == "" || proof.VerifierKey != info.VerifierKey {
				t.Errorf("%s: %v: %s", target, err, a.body)
			}
			revision, err := certificate.DecodeRevision([]byte(proof.Revision))
			if err != nil || revision.Certificate.Number != number {
				t.Errorf("%s proves %s: %v", target, proof.Revision, err)
			}
		}
		w.ask("GET", "/api/v1/certificados/CCB/9999/prova").problem(t, 404, "certificate.not_found")
		older := *info.Publication
		w.clock.Advance(time.Hour)
		w.send("CCB", []*certificate.Revision{{ID: helmet, Product: &certificate.Product{Brand: "Marca Ação", Model: "M-100", Description: "Nova"},
			Justifications: []certificate.Justification{{Fields: []string{"descricao", "codigos_gtin"}, Text: "correção"}}}})
		w.publish()
		w.ask("GET", "/api/v1/registro").into(t, &info)
		var consistency ledger.Consistency
		w.ask("GET", "/api/v1/consistencia?de=8").into(t, &consistency)
		from, err := ledger.OpenCheckpoint(older.Checkpoint, info.VerifierKey)
		w.must(err)
		to, err := ledger.OpenCheckpoint(info.Publication.Checkpoint, info.VerifierKey)
		w.must(err)
		if err := ledger.CheckConsistency(consistency, from, to); err != nil || to.Size != from.Size+1 {
			t.Errorf("consistency %+v: %v", consistency, err)
		}
		w.ask("GET", "/api/v1/consistencia?de=1&ate=10").problem(t, 404, "ledger.size.absent")
		w.ask("GET", "/api/v1/consistencia?de=5&ate=2").problem(t, 422, "ledger.size.order")
		w.ask("GET", "/api/v1/consistencia").problem(t, 422, "api.parameters")
	})
}
