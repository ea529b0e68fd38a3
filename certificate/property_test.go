package certificate

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"selo/brasil"
	"selo/fault"

	"github.com/gowebpki/jcs"
	"pgregory.net/rapid"
)

// drawText leans towards what breaks encoders.
func drawText(rt *rapid.T) string {
	return rapid.OneOf(rapid.Just(""), rapid.String(),
		rapid.SampledFrom([]string{"<&>", "\u2028", "a\u2029\\u2028", "\"\\/\b\f\n\r\t\x01\x7f", "Não", "🪖", "\u0301e"})).Draw(rt, "text")
}

func drawID(n int) ID { return ID(fmt.Sprintf("01900000-0000-7000-8000-%012d", n)) }

func drawDate(rt *rapid.T) brasil.Date {
	return mustDate("2020-01-01").AddDays(rapid.IntRange(0, 2000).Draw(rt, "days"))
}

func drawDocuments(rt *rapid.T) []DocumentLink {
	var links []DocumentLink
	for i := range rapid.IntRange(0, 3).Draw(rt, "documents") {
		links = append(links, DocumentLink{EnteredOn: drawDate(rt), Document: DocumentCode(fmt.Sprint("d.", i)),
			Situation: rapid.SampledFrom(situations).Draw(rt, "situation")})
	}
	return links
}

// drawCertificate makes one whose active products and services are under active companies.
func drawCertificate(rt *rapid.T) *Certificate {
	c := &Certificate{
		Class: ClassCode(drawText(rt)), IssuedOn: drawDate(rt), ValidUntil: drawDate(rt), Number: drawText(rt),
		Remarks: drawText(rt), Signatories: drawText(rt), Type: TypeCode(drawText(rt)),
		Model:     rapid.SampledFrom(models).Draw(rt, "model"),
		Situation: rapid.SampledFrom(situations).Draw(rt, "situation"), Documents: drawDocuments(rt),
	}
	for i := range rapid.IntRange(1, 4).Draw(rt, "companies") {
		c.Companies = append(c.Companies, CompanyLink{EnteredOn: drawDate(rt), Company: drawID(i / 2),
			Role:      []RoleCode{Applicant, Manufacturer}[i%2],
			Situation: rapid.SampledFrom(situations).Draw(rt, "situation")})
	}
	under := func() (ID, Situation) {
		company := rapid.SampledFrom(c.Companies).Draw(rt, "company").Company
		s := rapid.SampledFrom(situations).Draw(rt, "situation")
		if s == Active && !c.hasActive(company) {
			s = Suspended
		}
		return company, s
	}
	for i := range rapid.IntRange(0, 4).Draw(rt, "products") {
		company, s := under()
		c.Products = append(c.Products, ProductLink{EnteredOn: drawDate(rt), Company: company, Product: drawID(100 + i),
			Modality: rapid.SampledFrom([]Modality{ByType, ByLot, ByUnit}).Draw(rt, "modality"), Lot: drawText(rt),
			Quantity: rapid.Int64Range(0, maxQuantity).Draw(rt, "quantity"), Situation: s})
	}
	for i := range rapid.IntRange(0, 2).Draw(rt, "services") {
		company, s := under()
		c.Services = append(c.Services, ServiceLink{Class: ServiceClassCode(drawText(rt)), EnteredOn: drawDate(rt),
			Company: company, ID: drawID(200 + i), Situation: s, Documents: drawDocuments(rt)})
	}
	return c
}

func drawRevision(rt *rapid.T) *Revision {
	r := &Revision{ID: ID(drawText(rt)), Body: "DEMO", Number: rapid.IntRange(1, 1<<40).Draw(rt, "number"),
		ApprovedAt: time.Unix(rapid.Int64Range(0, 4e9).Draw(rt, "time"), 0).UTC()}
	if rapid.Bool().Draw(rt, "linked") {
		r.Previous = HashOf([]byte(drawText(rt)))
	}
	if rapid.Bool().Draw(rt, "justified") {
		r.Justifications = []Justification{{Fields: []string{drawText(rt)}, Text: drawText(rt)}}
	}
	switch rapid.SampledFrom([]Kind{KindCertificate, KindCompany, KindProduct}).Draw(rt, "kind") {
	case KindCompany:
		r.Company = &Company{Name: drawText(rt), CNPJ: brasil.CNPJ(drawText(rt)), Country: Brazil, Email: drawText(rt)}
	case KindProduct:
		r.Product = &Product{Brand: drawText(rt), Model: drawText(rt), Imported: rapid.Bool().Draw(rt, "imported"),
			GTINs: []brasil.GTIN{brasil.GTIN(drawText(rt))}}
	default:
		r.Certificate = drawCertificate(rt)
	}
	return r
}

// TestCanonical: what Encode writes is RFC 8785, and Decode gives it back.
func TestCanonical(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRevision(rt)
		b, err := r.Encode()
		if err != nil {
			rt.Fatal(err)
		}
		want, err := jcs.Transform(b)
		if err != nil {
			rt.Fatal(err)
		}
		if string(b) != string(want) {
			rt.Fatalf("not canonical:\n got %s\nwant %s", b, want)
		}
		again, err := DecodeRevision(b)
		if err != nil {
			rt.Fatal(err)
		}
		if !reflect.DeepEqual(again, r) {
			rt.Fatalf("decoded %+v, want %+v", again, r)
		}
	})
}

// TestTagsAreSorted looks at every struct a revision reaches.
func TestTagsAreSorted(t *testing.T) {
	t.Parallel()
	seen := map[reflect.Type]bool{}
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			visit(typ.Elem())
		case reflect.Struct:
			if seen[typ] || !strings.HasSuffix(typ.PkgPath(), "/certificate") {
				return
			}
			seen[typ] = true
			var names []string
			for i := range typ.NumField() {
				name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
				names = append(names, name)
				visit(typ.Field(i).Type)
			}
			if !slices.IsSorted(names) || slices.Contains(names, "") {
				t.Errorf("%s: names out of order: %q", typ, names)
			}
		case reflect.Map, reflect.Interface, reflect.Float32, reflect.Float64:
			t.Errorf("%s has no place in a revision", typ)
		default:
		}
	}
	visit(reflect.TypeFor[Revision]())
	if len(seen) < 9 {
		t.Errorf("only %d structs seen", len(seen))
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	good, err := revisionOf(fixtureProduct()).Encode()
	if err != nil {
		t.Fatal(err)
	}
	text := string(good)
	for name, c := range map[string]struct{ in, key string }{
		"empty":            {"", "revision.malformed"},
		"space":            {" " + text, "revision.not_canonical"},
		"trailing":         {text + "\n", "revision.not_canonical"},
		"unknown field":    {strings.Replace(text, `{"aprovada`, `{"a":1,"aprovada`, 1), "revision.not_canonical"},
		"other case":       {strings.Replace(text, `"marca"`, `"Marca"`, 1), "revision.not_canonical"},
		"repeated field":   {strings.Replace(text, `"revisao":1`, `"revisao":1,"revisao":1`, 1), "revision.not_canonical"},
		"number form":      {strings.Replace(text, `"revisao":1`, `"revisao":1.0`, 1), "revision.malformed"},
		"escaped":          {strings.Replace(text, `"Marca"`, `"\u004darca"`, 1), "revision.not_canonical"},
		"broken UTF-8":     {strings.Replace(text, `"Marca"`, "\"Marc\xe3\"", 1), "revision.not_canonical"},
		"no content":       {strings.Replace(text, `"produto"`, `"produt"`, 1), "revision.not_canonical"},
		"offset of a zone": {strings.Replace(text, "12:00:00Z", "12:00:00+00:00", 1), "revision.not_canonical"},
	} {
		if _, err := DecodeRevision([]byte(c.in)); !fault.HasKey(err, c.key) {
			t.Errorf("%s: %v, want %s", name, err, c.key)
		}
	}
	if _, err := DecodeRevision([]byte(`{"aprovada_em":"2026-03-10T12:00:00Z","id":"x","organismo":"X","revisao":1}`)); !fault.HasKey(err, "revision.malformed") {
		t.Errorf("neither kind: %v", err)
	}
	var h Hash
	for _, bad := range []string{"", "00", strings.Repeat("0", 63), strings.Repeat("g", 64)} {
		if err := h.UnmarshalText([]byte(bad)); !fault.HasKey(err, "revision.hash") {
			t.Errorf("hash %q: %v", bad, err)
		}
	}
}

// TestDiffSeesEverything changes each leaf of a certificate in turn, found by
// reflection, so that a new field cannot be forgotten.
func TestDiffSeesEverything(t *testing.T) {
	t.Parallel()
	full := func() *Certificate {
		c := fixtureCertificate()
		c.Services = fixtureService().Services
		return c
	}
	identity := map[string]string{ // a changed identity is one out, one in
		"Documents.Document": "documentos", "Companies.Company": "empresas", "Products.Product": "produtos",
		"Services.ID": "servicos", "Services.Documents.Document": "documentos",
	}
	seen := 0
	var visit func(name string, v reflect.Value, c *Certificate)
	visit = func(name string, v reflect.Value, c *Certificate) {
		_, isDate := v.Interface().(brasil.Date)
		switch {
		case v.Kind() == reflect.Slice:
			visit(name, v.Index(0), c)
			return
		case v.Kind() == reflect.Struct && !isDate:
			for i := range v.NumField() {
				visit(strings.TrimPrefix(name+"."+v.Type().Field(i).Name, "."), v.Field(i), c)
			}
			return
		}
		kept := reflect.ValueOf(v.Interface())
		switch {
		case isDate:
			v.Set(reflect.ValueOf(mustDate("1999-12-31")))
		case v.Kind() == reflect.Int64:
			v.SetInt(77)
		default:
			v.SetString("changed")
		}
		seen++
		changes := Diff(full(), c)
		want := 1
		if identity[name] != "" {
			want = 2
		}
		if len(changes) != want {
			t.Errorf("%s: %d changes %+v, want %d", name, len(changes), changes, want)
		}
		v.Set(kept)
	}
	c := full()
	visit("", reflect.ValueOf(c).Elem(), c)
	if seen < 36 {
		t.Errorf("only %d fields visited", seen)
	}
}

func TestDiffNames(t *testing.T) {
	t.Parallel()
	prev, next := fixtureCertificate(), fixtureCertificate()
	prev.Services, next.Services = fixtureService().Services, fixtureService().Services
	next.ValidUntil = brasil.Date{}
	next.Companies[1].Role = Importer
	next.Products = append(next.Products, ProductLink{Company: maker, Product: spare, Quantity: 3})
	next.Products[0].Situation = Suspended
	next.Services[0].Documents[0].Situation = Cancelled
	next.Documents = nil
	want := []Change{
		{"data_validade", "2028-05-06", ""},
		{"documentos[portaria-231]", `{"data_entrada":"2024-05-06","documento":"portaria-231","situacao":"ativo"}`, ""},
		{"empresas[" + string(seller) + "/solicitante].papel", "solicitante", "importador"},
		{"produtos[" + string(helmet) + "].situacao", "ativo", "suspenso"},
		{"produtos[" + string(spare) + "]", "", `{"empresa":"` + string(maker) + `","modalidade":"","produto":"` +
			string(spare) + `","quantidade":3,"situacao":""}`},
		{"servicos[" + string(overhaul) + "].documentos[portaria-58].situacao", "ativo", "cancelado"},
	}
	if got := Diff(prev, next); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestDiffIgnoresOrder: empty if and only if both hold the same.
func TestDiffIgnoresOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		a, b := drawCertificate(rt), drawCertificate(rt)
		shuffled := clone(revisionOf(a)).Certificate
		random := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(rt, "seed")))
		random.Shuffle(len(shuffled.Products), func(i, j int) {
			shuffled.Products[i], shuffled.Products[j] = shuffled.Products[j], shuffled.Products[i]
		})
		random.Shuffle(len(shuffled.Companies), func(i, j int) {
			shuffled.Companies[i], shuffled.Companies[j] = shuffled.Companies[j], shuffled.Companies[i]
		})
		slices.Reverse(shuffled.Documents)
		slices.Reverse(shuffled.Services)
		if d := Diff(a, shuffled); len(d) > 0 {
			rt.Fatalf("order counts: %+v", d)
		}
		if equal := reflect.DeepEqual(a, b); equal != (len(Diff(a, b)) == 0) {
			rt.Fatalf("equal %v, but %+v", equal, Diff(a, b))
		}
		if len(Diff(a, b)) != len(Diff(b, a)) {
			rt.Fatalf("one way %+v, the other %+v", Diff(a, b), Diff(b, a))
		}
	})
}

// TestCheckStandsAnything: whatever comes in, Check answers, and what it
// accepts it accepts again unchanged, on a later day too.
func TestCheckStandsAnything(t *testing.T) {
	t.Parallel()
	rules := NewRules(fixtureTables())
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRevision(rt)
		if rapid.Bool().Draw(rt, "near") {
			scenes := fixtureScenes()
			names := slices.Sorted(func(yield func(string) bool) {
				for name := range scenes {
					if !yield(name) {
						return
					}
				}
			})
			r = scenes[rapid.SampledFrom(names).Draw(rt, "scene")].next
			if r.Certificate != nil && rapid.Bool().Draw(rt, "move") {
				operate(rt, r.Certificate)
			}
		}
		for _, p := range rules.Check(r, nil, nil, today) {
			if p.Code == "" || p.Record == "" {
				rt.Fatalf("problem without a name: %+v", p)
			}
		}
		if len(rules.Check(r, nil, fixtureRecords(), today)) == 0 {
			if again := rules.Check(clone(r), r, fixtureRecords(), today.AddDays(400)); len(again) > 0 {
				rt.Fatalf("accepted, then refused: %v", again)
			}
		}
	})
}

func FuzzDecodeRevision(f *testing.F) {
	for _, s := range fixtureScenes() {
		b, err := s.next.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"produto":{}}`))
	f.Add([]byte("null"))
	rules := NewRules(fixtureTables())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeRevision(b)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("not a fault: %v", err)
			}
			return
		}
		again, err := r.Encode()
		if err != nil || string(again) != string(b) {
			t.Fatalf("encoded again: %q, %v", again, err)
		}
		_, _, _ = r.Key(), r.Label(), rules.Check(r, r, fixtureRecords(), today)
		r.Clean()
	})
}
