package certificate

import (
	"slices"
	"testing"
	"time"

	"selo/brasil"
)

// TestVisible is manual 1.2 and FAQ 3.22.
func TestVisible(t *testing.T) {
	t.Parallel()
	shown, off := &Class{Code: "a"}, &Class{Code: "b", Disabled: "portaria revogada"}
	for _, c := range []struct {
		name      string
		class     *Class
		situation Situation
		until     brasil.Date
		reason    string
	}{
		{"active", shown, Active, today.AddDays(1), ""},
		{"last day", shown, Active, today, ""},
		{"lot without date", shown, Active, brasil.Date{}, ""},
		{"expired", shown, Active, today.AddDays(-1), HiddenExpired},
		{"suspended", shown, Suspended, today, HiddenSuspended},
		{"suspended and expired", shown, Suspended, today.AddDays(-1), HiddenSuspended},
		{"cancelled", shown, Cancelled, today, HiddenCancelled},
		{"disabled class", off, Active, today, HiddenClass},
		{"disabled class, cancelled", off, Cancelled, today, HiddenClass},
		{"no class", nil, Active, today, HiddenClass},
	} {
		ok, reason := Visible(&Certificate{Situation: c.situation, ValidUntil: c.until}, c.class, today)
		if reason != c.reason || ok != (c.reason == "") {
			t.Errorf("%s: %v %q, want %q", c.name, ok, reason, c.reason)
		}
	}
}

func TestOfferedDocuments(t *testing.T) {
	t.Parallel()
	r := NewRules(fixtureTables())
	codes := func(list []Document) []DocumentCode {
		var out []DocumentCode
		for _, d := range list {
			out = append(out, d.Code)
		}
		return out
	}
	for _, c := range []struct {
		name string
		got  []Document
		want []DocumentCode
	}{
		{"both of the transition", r.Documents(TypeCompulsory, "capacetes", mustDate("2023-06-01")),
			[]DocumentCode{"portaria-231", "portaria-456"}},
		{"the new one", r.Documents(TypeCompulsory, "capacetes", mustDate("2023-06-02")), []DocumentCode{"portaria-231"}},
		{"the old one", r.Documents(TypeCompulsory, "capacetes", mustDate("2021-05-31")), []DocumentCode{"portaria-456"}},
		{"none", r.Documents(TypeVoluntary, "capacetes", today), nil},
		{"service", r.ServiceDocuments(TypeCompulsory, "extintores", today), []DocumentCode{"portaria-58"}},
		{"service too early", r.ServiceDocuments(TypeCompulsory, "extintores", mustDate("2022-02-28")), nil},
		{"service as class", r.Documents(TypeCompulsory, "extintores", today), nil},
	} {
		if got := codes(c.got); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	types := r.TypesFor("capacetes", today)
	if len(types) != 2 || types[0].Code != TypeStandard || types[1].Code != TypeCompulsory {
		t.Errorf("types with documents: %v", types)
	}
	if r.Class("capacetes") == nil || r.Class("x") != nil {
		t.Error("class look-up")
	}
}

// TestMessageArguments: the reason of FAQ 3.7 names the type to choose.
func TestMessageArguments(t *testing.T) {
	t.Parallel()
	s := certificateScene()
	s.next.Certificate.Documents[0].Document = "norma-1"
	args := s.check()[0].Args
	if args["documento"] != "ABNT NBR 1" || args["tipos"] != "Certificado de Conformidade à Norma" ||
		args["tipo"] != "Certificado de Conformidade à Portaria Inmetro Compulsório" {
		t.Errorf("arguments %v", args)
	}
	s = certificateScene()
	s.next.Certificate.Companies[1].Role = Importer
	if args := s.check()[0].Args; args["papel"] != "Solicitante" {
		t.Errorf("arguments %v", args)
	}
}

// TestPending is manual 2.4.2, without any record at hand.
func TestPending(t *testing.T) {
	t.Parallel()
	r := NewRules(fixtureTables())
	wantProblems(t, r.Pending(fixtureCertificate()), "", nil)
	wantProblems(t, r.Pending(&Certificate{}), "certificado", []string{
		"numero certificate.number.required", "data_emissao certificate.issued.required",
		"data_validade certificate.valid_until.required", "tipo certificate.type.required",
		"classe certificate.class.required", "situacao situation.required",
		"documentos certificate.documents.required", "empresas certificate.companies.required",
		"produtos certificate.content.required",
	})
	c := fixtureCertificate()
	c.Products = nil // the manual's own example of 2.4.1
	wantProblems(t, r.Pending(c), "certificado FB-BRIN-108/17.001", []string{"produtos certificate.content.required"})
}

// TestDraftMayBeIncomplete: what is only missing still, or not in the tables, does not stop an editor.
func TestDraftMayBeIncomplete(t *testing.T) {
	t.Parallel()
	r := NewRules(fixtureTables())
	for _, content := range []any{&Certificate{}, &Company{}, &Product{}, &Certificate{Class: "x", Type: "y",
		Products: []ProductLink{{}, {}}, Documents: []DocumentLink{{}, {Document: "z"}}}} {
		if got := r.CheckDraft(revisionOf(content), today); len(got) > 0 {
			t.Errorf("%T: %v", content, got)
		}
	}
	bad := revisionOf(&Certificate{Number: "a\x00", Products: []ProductLink{{Product: "x", Quantity: -1}}})
	wantProblems(t, r.CheckDraft(bad, today), bad.Label(), []string{"numero text.control",
		"produtos[0].produto revision.id", "produtos[0].quantidade product.quantity.range"})
	wantProblems(t, CheckCompany(&Company{}), "empresa", []string{"tipo_pessoa company.person.required",
		"pais company.country.required", "razao_social company.name.required"})
	wantProblems(t, CheckProduct(&Product{Brand: "A"}), "produto A", []string{"modelo product.model.required"})
}

func TestChain(t *testing.T) {
	t.Parallel()
	first := revisionOf(fixtureProduct())
	wantProblems(t, first.CheckChain(nil, Hash{}), "", nil)
	b, err := first.Encode()
	if err != nil {
		t.Fatal(err)
	}
	second := clone(first)
	second.Number, second.Previous = 2, HashOf(b)
	wantProblems(t, second.CheckChain(first, HashOf(b)), "", nil)
	wantProblems(t, second.CheckChain(nil, Hash{}), second.Label(),
		[]string{"revisao revision.number", "anterior revision.previous"})
	for _, at := range []time.Time{{}, first.ApprovedAt.Add(time.Millisecond),
		first.ApprovedAt.In(time.FixedZone("", -3*3600))} {
		first.ApprovedAt = at
		wantProblems(t, first.CheckChain(nil, Hash{}), first.Label(), []string{"aprovada_em revision.approved_at"})
	}
}
