package certificate

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"selo/fault"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the files that tests generate")

var situations = []Situation{Active, Suspended, Cancelled}

// legal is the manual's text (2.2.1.3) once more, apart from transitions.
var legal = map[[2]Situation]bool{
	{Active, Suspended}: true, {Active, Cancelled}: true, {Suspended, Active}: true,
	{Suspended, Cancelled}: true, {Cancelled, Active}: true,
}

// TestEverySituationPair walks each operation over each pair.
func TestEverySituationPair(t *testing.T) {
	t.Parallel()
	operations := map[string]struct {
		put func(*Certificate, Situation)
		get func(*Certificate) Situation
		set func(*Certificate, Situation) error
	}{
		"certificate": {
			func(c *Certificate, s Situation) { c.Situation = s },
			func(c *Certificate) Situation { return c.Situation },
			SetSituation,
		},
		"product": {
			func(c *Certificate, s Situation) { c.Products[0].Situation = s },
			func(c *Certificate) Situation { return c.Products[0].Situation },
			func(c *Certificate, to Situation) error { return SetProductSituation(c, helmet, to) },
		},
		"document": {
			func(c *Certificate, s Situation) { c.Documents[0].Situation = s },
			func(c *Certificate) Situation { return c.Documents[0].Situation },
			func(c *Certificate, to Situation) error { return SetDocumentSituation(c, "portaria-231", to) },
		},
		"company": {
			func(c *Certificate, s Situation) { c.Companies[1].Situation = s },
			func(c *Certificate) Situation { return c.Companies[1].Situation },
			func(c *Certificate, to Situation) error {
				return SetCompanySituation(c, seller, Applicant, to, Transfer{})
			},
		},
		"service": {
			func(c *Certificate, s Situation) { c.Services[0].Situation = s },
			func(c *Certificate) Situation { return c.Services[0].Situation },
			func(c *Certificate, to Situation) error { return SetServiceSituation(c, overhaul, to) },
		},
		"service document": {
			func(c *Certificate, s Situation) { c.Services[0].Documents[0].Situation = s },
			func(c *Certificate) Situation { return c.Services[0].Documents[0].Situation },
			func(c *Certificate, to Situation) error {
				return SetServiceDocumentSituation(c, overhaul, "portaria-58", to)
			},
		},
	}
	for name, op := range operations {
		for _, from := range append(situations, "", "expirado") {
			for _, to := range append(situations, "", "expirado") {
				c := fixtureCertificate()
				c.Services = fixtureService().Services
				c.Services[0].Company = maker
				op.put(c, from)
				err := op.set(c, to)
				want := from
				if legal[[2]Situation{from, to}] {
					want = to
				}
				if got := op.get(c); got != want {
					t.Errorf("%s %q to %q: became %q", name, from, to, got)
				}
				if (err == nil) != legal[[2]Situation{from, to}] {
					t.Errorf("%s %q to %q: %v", name, from, to, err)
				}
				if err != nil && (!fault.HasKey(err, "situation.move") || !fault.Is(err, fault.Conflict)) {
					t.Errorf("%s %q to %q: fault %v", name, from, to, err)
				}
			}
		}
	}
}

func TestUnlinked(t *testing.T) {
	t.Parallel()
	for key, set := range map[string]func(*Certificate) error{
		"product.unlinked": func(c *Certificate) error { return SetProductSituation(c, nobody, Cancelled) },
		"service.unlinked": func(c *Certificate) error { return SetServiceSituation(c, nobody, Cancelled) },
		"company.unlinked": func(c *Certificate) error {
			return SetCompanySituation(c, seller, Manufacturer, Cancelled, Transfer{})
		},
		"document.unlinked": func(c *Certificate) error { return SetDocumentSituation(c, "x", Cancelled) },
	} {
		c := fixtureService()
		if err := set(c); !fault.HasKey(err, key) || !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: got %v", key, err)
		}
	}
	if err := SetServiceDocumentSituation(fixtureService(), nobody, "portaria-58", Cancelled); !fault.HasKey(err, "service.unlinked") {
		t.Errorf("document of no service: %v", err)
	}
	if err := SetServiceDocumentSituation(fixtureService(), overhaul, "x", Cancelled); !fault.HasKey(err, "document.unlinked") {
		t.Errorf("no document of a service: %v", err)
	}
}

// TestReactivateUnderInactiveCompany: what is active hangs on what is active.
func TestReactivateUnderInactiveCompany(t *testing.T) {
	t.Parallel()
	c := fixtureCertificate()
	if err := SetCompanySituation(c, maker, "", Cancelled, Transfer{Propagate: true}); err != nil {
		t.Fatal(err)
	}
	if err := SetProductSituation(c, helmet, Active); !fault.HasKey(err, "product.company.inactive") {
		t.Errorf("product: %v", err)
	}
	s := fixtureService()
	if err := SetCompanySituation(s, seller, "", Suspended, Transfer{Propagate: true}); err != nil {
		t.Fatal(err)
	}
	if err := SetServiceSituation(s, overhaul, Active); !fault.HasKey(err, "service.company.inactive") {
		t.Errorf("service: %v", err)
	}
	if err := SetCompanySituation(s, seller, "", Active, Transfer{}); err != nil {
		t.Fatal(err)
	}
	if err := SetServiceSituation(s, overhaul, Active); err != nil {
		t.Errorf("service after the company: %v", err)
	}
}

// TestReplaceCompany is FAQ 3.15 and manual 2.2.1.4.
func TestReplaceCompany(t *testing.T) {
	t.Parallel()
	scene := func() *Certificate {
		c := fixtureCertificate()
		c.Companies = append(c.Companies, CompanyLink{EnteredOn: today, Company: maker, Role: Importer, Situation: Active})
		c.Products = append(c.Products,
			ProductLink{Company: maker, Product: imported, Situation: Suspended},
			ProductLink{Company: maker, Product: spare, Situation: Cancelled})
		c.Services = []ServiceLink{{Company: maker, ID: overhaul, Situation: Active}}
		return c
	}
	c := scene()
	err := SetCompanySituation(c, maker, "", Cancelled, Transfer{})
	if f := fault.Of(err); f == nil || f.Key != "company.dependants" || f.Args["quantidade"] != "2" {
		t.Errorf("nothing decided: %v", err)
	}
	for name, how := range map[string]Transfer{"to itself": {To: maker}, "to a stranger": {To: third}} {
		if err := SetCompanySituation(c, maker, "", Cancelled, how); !fault.HasKey(err, "company.transfer") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := SetCompanySituation(c, maker, "", Cancelled, Transfer{To: seller, Propagate: true}); !fault.HasKey(err, "company.dependants") {
		t.Errorf("both: %v", err)
	}
	if d := Diff(scene(), c); len(d) > 0 {
		t.Fatalf("a fault left its mark: %v", d)
	}
	if err := SetCompanySituation(c, maker, Manufacturer, Cancelled, Transfer{}); err != nil {
		t.Errorf("one role of two: %v", err)
	}

	c = scene()
	if err := SetCompanySituation(c, maker, "", Cancelled, Transfer{To: seller}); err != nil {
		t.Fatal(err)
	}
	owners := []ID{c.Products[0].Company, c.Products[1].Company, c.Products[2].Company, c.Services[0].Company}
	if want := []ID{seller, seller, maker, seller}; !slices.Equal(owners, want) {
		t.Errorf("transferred to %v, want %v", owners, want)
	}
	if c.Products[0].Situation != Active || c.Products[1].Situation != Suspended || c.Companies[2].Situation != Cancelled {
		t.Errorf("situations after the transfer: %+v %+v", c.Products, c.Companies)
	}

	c = scene()
	if err := SetCompanySituation(c, maker, "", Cancelled, Transfer{Propagate: true}); err != nil {
		t.Fatal(err)
	}
	got := []Situation{c.Products[0].Situation, c.Products[1].Situation, c.Products[2].Situation, c.Services[0].Situation}
	if want := []Situation{Suspended, Suspended, Cancelled, Suspended}; !slices.Equal(got, want) {
		t.Errorf("propagated %v, want %v", got, want)
	}
}

// TestOperationsKeepTheRules drives a certificate through random operations:
// frozen fields stay, nothing disappears, nothing active hangs on something
// that is not.
func TestOperationsKeepTheRules(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		before := drawCertificate(rt)
		c := clone(revisionOf(before)).Certificate
		for range rapid.IntRange(1, 8).Draw(rt, "operations") {
			operate(rt, c)
		}
		if c.Number != before.Number || c.IssuedOn != before.IssuedOn || c.Type != before.Type || c.Class != before.Class {
			rt.Fatalf("a frozen field moved: %+v", Diff(before, c))
		}
		for _, change := range Diff(before, c) {
			if change.From == "" || change.To == "" {
				rt.Fatalf("%+v appeared or disappeared", change)
			}
		}
		for i := range c.Products {
			if l := &c.Products[i]; l.Situation == Active && !c.hasActive(l.Company) {
				rt.Fatalf("active product %s under an inactive company", l.Product)
			}
		}
		for i := range c.Services {
			if l := &c.Services[i]; l.Situation == Active && !c.hasActive(l.Company) {
				rt.Fatalf("active service %s under an inactive company", l.ID)
			}
		}
	})
}

func operate(rt *rapid.T, c *Certificate) {
	to := rapid.SampledFrom(situations).Draw(rt, "to")
	company := rapid.SampledFrom(c.Companies).Draw(rt, "company")
	other := rapid.SampledFrom(c.Companies).Draw(rt, "other")
	before := clone(revisionOf(c)).Certificate
	var err error
	switch rapid.IntRange(0, 4).Draw(rt, "operation") {
	case 0:
		err = SetSituation(c, to)
	case 1:
		if len(c.Products) > 0 {
			err = SetProductSituation(c, rapid.SampledFrom(c.Products).Draw(rt, "product").Product, to)
		}
	case 2:
		if len(c.Services) > 0 {
			err = SetServiceSituation(c, rapid.SampledFrom(c.Services).Draw(rt, "service").ID, to)
		}
	case 3:
		err = SetCompanySituation(c, company.Company, "", to, Transfer{To: other.Company})
	default:
		err = SetCompanySituation(c, company.Company, company.Role, to, Transfer{Propagate: true})
	}
	if err != nil && len(Diff(before, c)) > 0 {
		rt.Fatalf("%v, and yet %+v", err, Diff(before, c))
	}
}

// TestSituationsDrawing keeps docs/situations.md equal to transitions.
func TestSituationsDrawing(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Situations\n\n" +
		"Of a certificate, and of each company, product, service and document inside it\n" +
		"(manual 2.2.1.3). Drawn from `transitions` in `certificate/situation.go` by\n" +
		"`go test ./certificate -update`; a move that is not here does not exist.\n\n" +
		"```mermaid\nstateDiagram-v2\n    [*] --> ativo\n")
	for _, from := range situations {
		for _, to := range transitions[from] {
			fmt.Fprintf(&b, "    %s --> %s\n", from, to)
		}
	}
	b.WriteString("```\n\n\"Expirado\" is no situation: it follows from the date of validity.\n")
	name := filepath.Join("..", "docs", "situations.md")
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != b.String() {
		t.Errorf("%s is not what transitions say; run go test ./certificate -update", name)
	}
}
