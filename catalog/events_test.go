package catalog

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/clock"
	"selo/fault"

	"pgregory.net/rapid"
)

// checkNews derives events and coverage from the ledger by themselves and
// compares them with a snapshot's.
func checkNews(rt *rapid.T, tb testing.TB, src *memSource, path string) {
	tb.Helper()
	before := map[certificate.ID]certificate.Situation{}
	var want []string
	bodies := map[certificate.Sigla][]int64{}
	for _, e := range src.entries {
		bodies[e.Body] = append(bodies[e.Body], e.AcceptedAt.UnixMicro())
		var r certificate.Revision
		if err := json.Unmarshal(e.Canonical, &r); err != nil {
			rt.Fatal(err)
		}
		if r.Certificate == nil {
			continue
		}
		now, was := r.Certificate.Situation, before[r.ID]
		before[r.ID] = now
		kind := map[certificate.Situation]string{"ativo": "reativado", "suspenso": "suspenso", "cancelado": "cancelado"}[now]
		if was == "" {
			kind = "novo"
		}
		if was != now {
			want = append(want, fmt.Sprint("evento", []any{e.Index, string(e.Body), r.Certificate.Number, string(r.Certificate.Class), kind,
				map[certificate.Situation]int{"ativo": 1, "suspenso": 2, "cancelado": 3}[now], e.AcceptedAt.UnixMicro()}))
		}
	}
	for body, times := range bodies {
		want = append(want, fmt.Sprint("cobertura", []any{string(body), len(times), slices.Min(times), slices.Max(times)}))
	}
	got := slices.DeleteFunc(dump(tb, path), func(line string) bool {
		return !strings.HasPrefix(line, "evento[") && !strings.HasPrefix(line, "cobertura[")
	})
	slices.Sort(want)
	if !slices.Equal(got, want) {
		rt.Fatalf("news differ\nonly in the snapshot: %s\nonly in the ledger: %s", strings.Join(without(got, want), "\n"), strings.Join(without(want, got), "\n"))
	}
}

// news is a ledger of two bodies in which certificates come and move, a day apart.
func news(tb testing.TB) *memSource {
	tb.Helper()
	src := &memSource{ref: testReference()}
	date := 0
	tick := func() { date++; src.at = time.Date(2026, 2, date, 12, 0, 0, 0, time.UTC) }
	tick()
	cpf, err := brasil.MakeCPF("529982247")
	if err != nil {
		tb.Fatal(err)
	}
	maker := certificate.Company{Name: "Fogões São João Ltda", CNPJ: mustCNPJ(tb, "123456780001"), Country: "BR", UF: "SP", Person: certificate.Legal}
	src.accept(tb, "CCB", testID('e', 1), maker)
	src.accept(tb, "UL", testID('e', 2), maker)
	src.accept(tb, "CCB", testID('e', 3), certificate.Company{Name: "Maria da Silva", CPF: cpf, Country: "BR", UF: "RJ", Person: certificate.Natural})
	src.accept(tb, "CCB", testID('e', 4), certificate.Company{Name: "Foreign Works", Country: "CN", Person: certificate.Legal})
	put := func(body certificate.Sigla, n int, number string, class certificate.ClassCode, s certificate.Situation, parties ...int) {
		tick()
		c := certificate.Certificate{Number: number, Class: class, Situation: s, Type: certificate.TypeCompulsory, IssuedOn: day(tb, "2026-01-01"), ValidUntil: day(tb, "2026-03-09")}
		for i, e := range parties {
			role := []certificate.RoleCode{certificate.Applicant, certificate.Manufacturer, certificate.Importer}[i]
			c.Companies = append(c.Companies, certificate.CompanyLink{Company: testID('e', e), Role: role, Situation: certificate.Active})
		}
		src.accept(tb, body, testID('c', n), c)
		src.reasons = nil
	}
	put("CCB", 1, "A/1", "fogao", certificate.Active, 1, 1, 3) // the maker in two roles
	put("UL", 2, "A/1", "fogao", certificate.Suspended, 2)
	put("CCB", 3, "B-1", "velha", certificate.Active, 1) // off the Web
	put("CCB", 4, "T.1", "tubo", certificate.Active, 4)
	src.reasons = []certificate.Justification{{Fields: []string{"laboratorio"}, Text: "outro laboratório"}, {Fields: []string{"situacao"}, Text: "ensaio <reprovado>"}}
	put("CCB", 1, "A/1", "fogao", certificate.Suspended, 1, 1, 3)
	put("CCB", 1, "A/1", "fogao", certificate.Suspended, 1, 3) // no move
	put("CCB", 3, "B-1", "velha", certificate.Cancelled, 1)
	src.reasons = []certificate.Justification{{Fields: []string{"situacao", "observacoes"}, Text: "corrigido"}}
	put("CCB", 1, "A/1", "fogao", certificate.Active, 1, 3)
	put("CCB", 4, "T.1", "tubo", certificate.Cancelled, 4)
	return src
}

// told writes events on one line each.
func told(tb testing.TB, c *Catalog, q EventQuery) (lines []string, next int64) {
	tb.Helper()
	page, err := c.Events(tb.Context(), q)
	if err != nil {
		tb.Fatalf("%+v: %v", q, err)
	}
	for _, e := range page.List {
		lines = append(lines, fmt.Sprint(e.At.Day(), " ", e.Body.Sigla, " ", e.Number, " ", e.Kind))
	}
	return lines, page.Next
}

func TestEvents(t *testing.T) {
	t.Parallel()
	src := news(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	all := []string{"10 CCB T.1 cancelado", "9 CCB A/1 reativado", "6 CCB A/1 suspenso", "5 CCB T.1 novo", "3 UL A/1 novo", "2 CCB A/1 novo"}
	for name, test := range map[string]struct {
		ask  EventQuery
		want []string
	}{
		"all":                      {EventQuery{}, all},
		"a body":                   {EventQuery{Body: "UL"}, all[4:5]},
		"a class":                  {EventQuery{Class: "tubo"}, []string{all[0], all[3]}},
		"a class of a body":        {EventQuery{Class: "fogao", Body: "CCB"}, []string{all[1], all[2], all[5]}},
		"a class off the Web":      {EventQuery{Class: "velha"}, nil},
		"an unknown class":         {EventQuery{Class: "' OR 1=1 --"}, nil},
		"a kind":                   {EventQuery{Kinds: []string{EventNew}}, all[3:]},
		"kinds":                    {EventQuery{Kinds: []string{EventCancelled, EventReactivated, EventCancelled}}, all[:2]},
		"a kind of a class":        {EventQuery{Kinds: []string{EventSuspended}, Class: "fogao"}, all[2:3]},
		"a CNPJ in all bodies":     {EventQuery{CNPJ: mustCNPJ(t, "123456780001").Masked()}, []string{all[1], all[2], all[4], all[5]}},
		"a CNPJ in one body":       {EventQuery{CNPJ: string(mustCNPJ(t, "123456780001")), Body: "UL", Class: "fogao"}, all[4:5]},
		"an unknown CNPJ":          {EventQuery{CNPJ: string(mustCNPJ(t, "999999990001"))}, nil},
		"a company without a CNPJ": {EventQuery{Company: string(testID('e', 4)), Kinds: []string{EventNew}}, all[3:4]},
		"a natural person":         {EventQuery{Company: string(testID('e', 3))}, nil},
		"no company":               {EventQuery{Company: "x\x00'"}, nil},
	} {
		if got, next := told(t, c, test.ask); !slices.Equal(got, test.want) || next != 0 {
			t.Errorf("%s: %q, next %d", name, got, next)
		}
	}
	var paged []string
	for before := int64(0); ; {
		lines, next := told(t, c, EventQuery{Limit: 1, Before: before})
		paged = append(paged, lines...)
		if before = next; next == 0 {
			break
		}
	}
	if !slices.Equal(paged, all) {
		t.Errorf("by pages: %q", paged)
	}
	for key, q := range map[string]EventQuery{"search.limit": {Limit: 201}, "events.kind": {Kinds: []string{"expirado"}}, "cnpj.invalid": {CNPJ: "1"}} {
		_, err := c.Events(t.Context(), q)
		if known := fault.Of(err); known == nil || known.Kind != fault.Invalid || key != "cnpj.invalid" && known.Key != key {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func TestEventSaysWhatIsPublic(t *testing.T) {
	t.Parallel()
	src := news(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	page, err := c.Events(t.Context(), EventQuery{Class: "fogao"})
	if err != nil {
		t.Fatal(err)
	}
	back, off, strange := page.List[0], page.List[1], page.List[2]
	if off.Body.Name != "Centro Cerâmico do Brasil" || off.Class.Name != "Fogões e fornos a gás" || off.Path != "/certificados/CCB/A%2F1" ||
		off.Applicant != "Fogões São João Ltda" || off.Became != "suspenso" || off.Situation != "expirado" || off.ValidUntil.String() != "2026-03-09" ||
		!off.At.Equal(time.Date(2026, 2, 6, 12, 0, 0, 0, time.UTC)) || off.Index != src.entries[8].Index {
		t.Errorf("suspended: %+v", off)
	}
	if len(off.Reasons) != 1 || off.Reasons[0].Text != "ensaio <reprovado>" {
		t.Errorf("reasons of the move only: %+v", off.Reasons)
	}
	if len(back.Reasons) != 1 || back.Reasons[0].Text != "corrigido" || back.Became != "ativo" {
		t.Errorf("reactivated: %+v", back)
	}
	if strange.Kind != EventNew || strange.Became != "suspenso" || len(strange.Reasons) != 0 {
		t.Errorf("new, but suspended from its first revision: %+v", strange)
	}
}

// What is off the Web between what is shown is passed over, a bounded number
// of times a question.
func TestEventsPassOverWhatIsOffTheWeb(t *testing.T) {
	t.Parallel()
	src := &memSource{ref: testReference()}
	maker := mustCNPJ(t, "123456780001")
	src.accept(t, "CCB", testID('e', 1), certificate.Company{Name: "Fogões São João Ltda", CNPJ: maker, Country: "BR", UF: "SP", Person: certificate.Legal})
	put := func(n int, class certificate.ClassCode) {
		src.accept(t, "CCB", testID('c', n), certificate.Certificate{Number: fmt.Sprint("N-", n), Class: class, Situation: certificate.Active,
			Type: certificate.TypeCompulsory, Companies: []certificate.CompanyLink{{Company: testID('e', 1), Role: certificate.Applicant, Situation: certificate.Active}}})
	}
	put(0, "fogao")
	for n := range 3 * maxEventPages {
		put(n+1, "velha")
	}
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	lines, next := told(t, c, EventQuery{Limit: 1})
	if len(lines) != 0 || next == 0 {
		t.Fatalf("the first page has %q, next %d", lines, next)
	}
	if lines, next := told(t, c, EventQuery{CNPJ: string(maker), Limit: 1}); !slices.Equal(lines, []string{"5 CCB N-0 novo"}) || next != 0 {
		t.Errorf("of the company %q, next %d", lines, next)
	}
	for len(lines) == 0 && next != 0 {
		lines, next = told(t, c, EventQuery{Limit: 1, Before: next})
	}
	if !slices.Equal(lines, []string{"5 CCB N-0 novo"}) || next != 0 {
		t.Errorf("at the end %q, next %d", lines, next)
	}
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	src := news(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	list, err := c.Coverage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := func(d int) time.Time { return time.Date(2026, 2, d, 12, 0, 0, 0, time.UTC) }
	want := []Coverage{{BodyView{"CCB", "Centro Cerâmico do Brasil"}, 11, at(1), at(10)}, {BodyView{"UL", "UL do Brasil"}, 2, at(1), at(3)}}
	if !slices.Equal(list, want) {
		t.Errorf("coverage = %+v", list)
	}
}

// Offers of documents change without a word of the certificates: the rows stay
// and the content digest tells.
func TestDocumentsInForce(t *testing.T) {
	t.Parallel()
	src := news(t)
	path := filepath.Join(t.TempDir(), FileName(1))
	if err := Build(t.Context(), src, src.publication(1, publishedAt), path, Options{}); err != nil {
		t.Fatal(err)
	}
	first, err := sealOf(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := dump(t, path)
	offers := []certificate.Offer{
		{Class: "fogao", Type: certificate.TypeCompulsory, Period: certificate.Period{From: day(t, "2021-08-01")}},
		{ServiceClass: "gnv", Type: certificate.TypeCompulsory},
		{Class: "fogao", Type: certificate.TypeCompulsory, Period: certificate.Period{From: day(t, "2012-08-01"), To: day(t, "2021-07-31")}},
		{Class: "tubo", Type: certificate.TypeCompulsory},
	}
	src.ref = testReference()
	src.ref.Tables.Documents[0].Offers = offers
	n, err := newNames(src.ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := updateRows(t.Context(), src, path, src.publication(2, publishedAt), n, path, Options{}); err != nil {
		t.Fatal(err)
	}
	second, err := sealOf(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if second.Content == first.Content || !slices.Equal(dump(t, path), rows) {
		t.Error("new offers leave the digest or change rows")
	}
	if err := CheckFile(t.Context(), path, nil); err != nil {
		t.Error(err)
	}
	slices.Reverse(src.ref.Tables.Documents[0].Offers)
	if again, err := newNames(src.ref); err != nil || again.text != n.text {
		t.Errorf("the order of offers counts: %v", err)
	}
	c, err := Open(t.Context(), path, OpenOptions{Clock: clock.NewManual(publishedAt)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	kind := Named{string(certificate.TypeCompulsory), "Compulsório"}
	want := []InForce{{"p400", "Portaria Inmetro nº 400/2012", "Portaria", kind, certificate.Period{From: day(t, "2012-08-01"), To: day(t, "2021-07-31")}},
		{"p400", "Portaria Inmetro nº 400/2012", "Portaria", kind, certificate.Period{From: day(t, "2021-08-01")}}}
	if got := c.DocumentsOf("fogao"); !slices.Equal(got, want) {
		t.Errorf("documents = %+v", got)
	}
	if got := append(c.DocumentsOf(""), c.DocumentsOf("gnv")...); len(got) != 0 {
		t.Errorf("of no class: %+v", got)
	}
}

// BenchmarkEvents asks for a page of news; the base has a single body, one
// event a certificate and 300 classes.
func BenchmarkEvents(b *testing.B) {
	c, src := benchCatalog(b)
	cnpj := string(mustCNPJ(b, fmt.Sprintf("%08d0001", src.companies()/2+1)))
	for name, q := range map[string]EventQuery{
		"all": {}, "kind": {Kinds: []string{EventCancelled}}, "body": {Body: "CCB"}, "class": {Class: "c150"}, "class of body": {Class: "c150", Body: "CCB"},
		"no such body": {Class: "c150", Body: "UL"}, "company": {CNPJ: cnpj}, "most": {Limit: MaxEvents},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.Events(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
