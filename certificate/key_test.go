package certificate

import (
	"strings"
	"testing"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	cert := func(number string) Key { return (&Certificate{Number: number}).Key() }
	comp := func(country CountryCode, name string) Key { return (&Company{Country: country, Name: name}).Key() }
	prod := func(brand, model string, imported bool) Key {
		return (&Product{Brand: brand, Model: model, Imported: imported}).Key()
	}
	long := strings.Repeat("Marca ", 20_000)
	for name, pair := range map[string][2]Key{
		"spaces of a number":   {cert("FB 108/17"), cert("  FB  108/17 ")},
		"case of a number":     {cert("fb-á"), cert("FB-Á")},
		"composed or not":      {prod("Café", "M", false), prod("Cafe\u0301", "M", false)},
		"spaces of a model":    {prod("A", "M 1", false), prod("A", " M  1 ", false)},
		"case of a company":    {comp(Brazil, "Fábrica"), comp(Brazil, "FÁBRICA")},
		"other fields are not": {(&Product{Brand: "A", Model: "B"}).Key(), (&Product{Brand: "A", Model: "B", Family: "C"}).Key()},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: keys differ", name)
		}
	}
	for name, pair := range map[string][2]Key{
		"punctuation of a number": {cert("FB-108"), cert("FB 108")},
		"case of a model":         {prod("A", "M1", false), prod("A", "m1", false)},
		"imported":                {prod("A", "M", false), prod("A", "M", true)},
		"border of brand, model":  {prod("AB", "C", false), prod("A", "BC", false)},
		"end of a long brand":     {prod(long+"a", "M", false), prod(long+"b", "M", false)},
		"country":                 {comp(Brazil, "A"), comp("CN", "A")},
		"corrected name":          {comp(Brazil, "A"), comp(Brazil, "B")},
		"CNPJ":                    {comp(Brazil, "A"), (&Company{Country: Brazil, Name: "A", CNPJ: "12ABC34501DE35"}).Key()},
		"CNPJ or CPF":             {(&Company{CPF: "1"}).Key(), (&Company{CNPJ: "1"}).Key()},
		"kind":                    {cert(""), (&Company{}).Key()},
	} {
		if pair[0] == pair[1] {
			t.Errorf("%s: one key for two", name)
		}
	}
	for name, s := range fixtureScenes() {
		want := map[Kind]func() Key{
			KindCertificate: func() Key { return s.next.Certificate.Key() },
			KindCompany:     func() Key { return s.next.Company.Key() },
			KindProduct:     func() Key { return s.next.Product.Key() },
		}[s.next.Kind()]()
		if got := s.next.Key(); got != want || len(got.String()) != 64 {
			t.Errorf("%s: key %s, want %s", name, got, want)
		}
	}
	if (&Revision{}).Key() != (Key{}) {
		t.Error("a malformed revision has a key")
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	for want, content := range map[string]any{
		"certificado 2534":                             &Certificate{Number: "2534"},
		"certificado " + string(record):                &Certificate{},
		"empresa 12.ABC.345/01DE-35 / Fábrica":         &Company{CNPJ: "12ABC34501DE35", Name: "Fábrica"},
		"empresa ***.982.247-** / Fulano":              &Company{CPF: "52998224725", Name: "Fulano"},
		"empresa Helmets Co.":                          &Company{Country: "CN", Name: "Helmets Co."},
		"empresa Fantasia":                             &Company{TradeName: "Fantasia"},
		"empresa " + string(record):                    &Company{},
		"produto Marca / M-1":                          &Product{Brand: "Marca", Model: "M-1"},
		"produto Marca / M-1 (importado)":              &Product{Brand: "Marca", Model: "M-1", Imported: true},
		"produto M-1":                                  &Product{Model: "M-1"},
		"produto " + string(record):                    &Product{},
		"produto " + strings.Repeat("é", 79) + "… / M": &Product{Brand: strings.Repeat("é", 200), Model: "M"},
		"produto a\ufffdb\ufffd / \ufffdM":             &Product{Brand: "a\x1bb\xff", Model: "\u202eM"},
	} {
		if got := revisionOf(content).Label(); got != want {
			t.Errorf("label %q, want %q", got, want)
		}
	}
	if got := (&Revision{ID: record}).Label(); got != string(record) {
		t.Errorf("label of a malformed revision %q", got)
	}
	if got := excerpt(strings.Repeat("x", 80)); len(got) != 80 {
		t.Errorf("80 characters were cut to %d", len(got))
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	if id := NewID(); !id.Valid() {
		t.Errorf("new ID %q is not valid", id)
	}
	for _, bad := range []ID{"", "42", ID(strings.ToUpper(string(record))), record + "0", record[:35] + "g",
		"{1900000-0000-7000-8000-0000000000a1", ID(strings.ReplaceAll(string(record), "-", "_"))} {
		if bad.Valid() {
			t.Errorf("%q is valid", bad)
		}
	}
}
