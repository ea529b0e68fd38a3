package icpbrasil_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"selo/brasil"
	"selo/fault"
	"selo/icpbrasil"
	"selo/icpbrasil/testca"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var now = time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// ca and key are made once: making RSA keys is slow.
var ca = sync.OnceValue(func() *testca.Authority {
	a, err := testca.New(clock, "")
	if err != nil {
		panic(err)
	}
	return a
})

var key = sync.OnceValue(func() *testca.Issued {
	issued, err := ca().Issue(testca.Order{Person: maria()})
	if err != nil {
		panic(err)
	}
	return issued
})

func maria() icpbrasil.Person {
	birth, err := brasil.ParseISODate("1980-03-15")
	if err != nil {
		panic(err)
	}
	return icpbrasil.Person{
		CPF: "52998224725", Name: "MARIA DA SILVA", Birth: birth, NIS: "12056789012",
		RG: icpbrasil.RG{Number: "12345678X", Issuer: "SSP", UF: "SP"},
	}
}

func acme() *icpbrasil.Company {
	return &icpbrasil.Company{CNPJ: "12ABC34501DE35", Name: "INVERSORES DO SUL LTDA"}
}

// issue issues the order with the shared key.
func issue(t *testing.T, o testca.Order) []*x509.Certificate {
	t.Helper()
	o.Key = key().Key
	issued, err := ca().Issue(o)
	if err != nil {
		t.Fatal(err)
	}
	return issued.Chain
}

// TestParseGolden reads one certificate of every kind; what comes out is in testdata.
func TestParseGolden(t *testing.T) {
	t.Parallel()
	nobody := icpbrasil.Person{Name: "JOHN DOE"}
	noRG := maria()
	noRG.RG = icpbrasil.RG{}
	noUF := maria()
	noUF.RG = icpbrasil.RG{Number: "998877", Issuer: "DETRAN"}
	accents := maria()
	accents.Name = "JOSÉ  ANTÔNIO\u202e DE\tSÁ"
	var out bytes.Buffer
	for _, c := range []struct {
		name  string
		order testca.Order
	}{
		{"e-CPF A1", testca.Order{Person: maria(), Email: "maria@exemplo.invalid"}},
		{"e-CPF A3, no RG", testca.Order{Person: noRG, Type: "A3"}},
		{"e-CPF, issuer without UF", testca.Order{Person: noUF}},
		{"e-CPF, every value missing", testca.Order{Person: nobody}},
		{"e-CPF, six positions", testca.Order{Person: maria(), OldLength: true}},
		{"e-CPF, six positions, no RG", testca.Order{Person: noRG, OldLength: true}},
		{"e-CNPJ A1, letters", testca.Order{Person: maria(), Company: acme(), Email: "acme@exemplo.invalid"}},
		{"e-CNPJ A3, digits", testca.Order{Person: maria(), Company: &icpbrasil.Company{CNPJ: "11222333000181", Name: "A"}, Type: "A3"}},
		{"e-CNPJ, every value missing", testca.Order{Person: nobody, Company: &icpbrasil.Company{}}},
		{"e-CNPJ, accents", testca.Order{Person: accents, Company: acme(), StringTag: asn1.TagUTF8String}},
		{"e-CNPJ, name in Latin-1", testca.Order{Person: maria(), Company: acme(), Edit: set("2.16.76.1.3.2", "JOS\xc9 DE S\xc1")}},
		{"e-CNPJ, endless name", testca.Order{Person: maria(), Company: acme(), Edit: set("2.16.76.1.3.2", strings.Repeat("ANA ", 99))}},
		{"e-CPF, unknown names", testca.Order{Person: maria(), Edit: add(testca.Name{OID: "2.25.329800735698586629295641978511506172918", Tag: asn1.TagNull})}},
		{"equipment", testca.Order{Person: maria(), Company: acme(), Equipment: true}},
	} {
		id, err := icpbrasil.Parse(issue(t, c.order)[0])
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		content, err := json.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s: %s\n", c.name, content)
	}
	const file = "testdata/identities.golden"
	if *update {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("got:\n%s\nwant (-update rewrites it):\n%s", out.Bytes(), want)
	}
}

// TestParseOddities writes the same two identities in every way that is seen.
func TestParseOddities(t *testing.T) {
	t.Parallel()
	person := &icpbrasil.Identity{Kind: icpbrasil.Natural, Person: maria(), Policy: icpbrasil.Policy{OID: "2.16.76.1.2.1.999999", Type: "A1"}}
	person.Person.Name = "TESTE SEM VALOR MARIA DA SILVA" // of the common name
	company := &icpbrasil.Identity{Kind: icpbrasil.Legal, Person: maria(), Company: acme(), Policy: person.Policy}
	company.Company.Name = "TESTE SEM VALOR INVERSORES DO SUL LTDA"
	for _, tag := range []int{asn1.TagOctetString, asn1.TagPrintableString, asn1.TagUTF8String, asn1.TagIA5String} {
		for flags := range 16 {
			o := testca.Order{Person: maria(), StringTag: tag, Nested: flags&1 != 0, OldLength: flags&2 != 0, Reversed: flags&4 != 0}
			want := person
			if flags&8 != 0 {
				o.Company, want = acme(), company
			}
			got, err := icpbrasil.Parse(issue(t, o)[0])
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("tag %d, flags %04b: got %+v, %v", tag, flags, got, err)
			}
		}
	}
}

// TestParseByHand reads extensions written by hand, byte by byte, so that the
// parser and the test authority cannot be wrong in the same way.
func TestParseByHand(t *testing.T) {
	t.Parallel()
	const (
		value = "15031980" + "52998224725" + "12056789012" + "00000012345678X" + "SSPSP"
		head  = "\x30\x3f\xa0\x3d"             // GeneralNames, otherName [0]
		oid   = "\x06\x05\x60\x4c\x01\x03\x01" // 2.16.76.1.3.1
		text  = "\x04\x32" + value             // OCTET STRING
	)
	parse := func(extension string) (*icpbrasil.Identity, error) {
		return icpbrasil.Parse(&x509.Certificate{
			Subject:    pkix.Name{CommonName: "OUTRA PESSOA:11144477735"},
			Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: []byte(extension)}},
		})
	}
	id, err := parse(head + oid + "\xa0\x34" + text)
	if err != nil {
		t.Fatal(err)
	}
	want := maria()
	want.Name = "OUTRA PESSOA" // shown, and nothing more: the CPF is not that of the common name
	if !reflect.DeepEqual(id.Person, want) {
		t.Errorf("got %+v, want %+v", id.Person, want)
	}
	for extension, want := range map[string]string{
		head + oid + "\x80\x34" + text:                "2.16.76.1.3.1 icpbrasil.field.encoding", // [0] IMPLICIT
		head + oid + "\xa0\x34\x24" + text[1:]:        "2.16.76.1.3.1 icpbrasil.field.encoding", // in pieces, as BER allows
		head + oid + "\xa0\x34\x04\x31" + value:       "2.16.76.1.3.1 icpbrasil.field.encoding", // a byte behind it
		head + "\x0c" + oid[1:] + "\xa0\x34" + text:   "icpbrasil.san.malformed",                // a text for an OID
		head[:3] + "\x3e" + oid + "\xa0\x34" + text:   "icpbrasil.san.malformed",                // one byte short
		"\x31" + head[1:] + oid + "\xa0\x34" + text:   "icpbrasil.san.malformed",                // SET
		head + oid + "\xa0\x34" + text + "\x05\x00":   "icpbrasil.san.malformed",                // more behind it
		head + oid[:6] + "\x80" + "\xa0\x34" + text:   "icpbrasil.san.malformed",                // OID without end
		"\x30\x02\xa0\x00" + strings.Repeat("x", 200): "icpbrasil.san.malformed",
	} {
		if _, err := parse(extension); err == nil || err.Error() != "invalid: icpbrasil.certificate.invalid; "+want {
			t.Errorf("%x: got %v, want %s", extension, err, want)
		}
	}
}

// edit returns an Edit that changes the text of one name.
func edit(oid string, change func(string) string) func([]testca.Name) []testca.Name {
	return func(names []testca.Name) []testca.Name {
		for i := range names {
			if names[i].OID == oid {
				names[i].Text = change(names[i].Text)
			}
		}
		return names
	}
}

func set(oid, text string) func([]testca.Name) []testca.Name {
	return edit(oid, func(string) string { return text })
}

func without(oid string) func([]testca.Name) []testca.Name {
	return func(names []testca.Name) []testca.Name {
		return slices.DeleteFunc(names, func(n testca.Name) bool { return n.OID == oid })
	}
}

func add(extra ...testca.Name) func([]testca.Name) []testca.Name {
	return func(names []testca.Name) []testca.Name { return append(names, extra...) }
}

// TestParseRefuses breaks one rule at a time.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const (
		birth = "15031980"
		cpf   = "52998224725"
		nis   = "12056789012"
		rg    = "00000012345678X"
		p1    = "2.16.76.1.3.1"
		p3    = "2.16.76.1.3.3"
		p4    = "2.16.76.1.3.4"
	)
	for _, c := range []struct {
		name    string
		company bool
		edit    func([]testca.Name) []testca.Name
		want    string // field and code of every problem
	}{
		{"wrong check digits", false, set(p1, birth+"52998224724"+nis+rg), p1 + " icpbrasil.cpf"},
		{"one digit over and over", false, set(p1, birth+"77777777777"+nis+rg), p1 + " icpbrasil.cpf"},
		{"letter in the CPF", false, set(p1, birth+"5299822472A"+nis+rg), p1 + " icpbrasil.cpf"},
		{"no such day", false, set(p1, "31021980"+cpf+nis+rg), p1 + " icpbrasil.birth"},
		{"year first", false, set(p1, "19800315"+cpf+nis+rg), p1 + " icpbrasil.birth"},
		{"letter in the NIS", false, set(p1, birth+cpf+"1205678901X"+rg), p1 + " icpbrasil.nis"},
		{"three at once", false, set(p1, "99999999"+"52998224724"+"NIS        "+rg),
			p1 + " icpbrasil.birth; " + p1 + " icpbrasil.cpf; " + p1 + " icpbrasil.nis"},
		{"44 characters", false, set(p1, (birth + cpf + nis + rg)[:44]), p1 + ` icpbrasil.field.length maximo="55" minimo="45" tamanho="44"`},
		{"56 characters", false, set(p1, birth+cpf+nis+rg+"SSPSSPSSPSP"), p1 + ` icpbrasil.field.length maximo="55" minimo="45" tamanho="56"`},
		{"empty", false, set(p1, ""), p1 + ` icpbrasil.field.length maximo="55" minimo="45" tamanho="0"`},
		{"control character", false, set(p1, birth+cpf+nis+rg+"SS\x00SP"), p1 + " icpbrasil.field.characters"},
		{"accent among fixed positions", false, set(p1, birth+cpf+nis+rg+"SÉPR"), p1 + " icpbrasil.field.characters"},
		{"BMPString", false, func(n []testca.Name) []testca.Name { n[0].Tag = asn1.TagBMPString; return n }, p1 + " icpbrasil.field.encoding"},
		{"UTF8String that is none", false, func(n []testca.Name) []testca.Name {
			n[0].Tag, n[0].Text = asn1.TagUTF8String, "\xff"
			return n
		}, p1 + " icpbrasil.field.encoding"},
		{"the same twice", false, add(testca.Name{OID: p1, Text: birth + "11144477735" + nis + rg, Tag: asn1.TagOctetString}), p1 + " icpbrasil.field.repeated"},
		{"person and company", false, add(testca.Name{OID: p3, Text: "12ABC34501DE35", Tag: asn1.TagOctetString}), p1 + " icpbrasil.field.mixed"},
		{"wrong CNPJ", true, set(p3, "12ABC34501DE34"), p3 + " icpbrasil.cnpj"},
		{"numeric CNPJ with 13 positions", true, set(p3, "1222333000181"), p3 + ` icpbrasil.field.length maximo="14" minimo="14" tamanho="13"`},
		{"no CNPJ", true, without(p3), p3 + " icpbrasil.field.missing"},
		{"nobody responsible", true, without(p4), p4 + " icpbrasil.field.missing"},
		{"no name", true, without("2.16.76.1.3.2"), "2.16.76.1.3.2 icpbrasil.field.missing"},
		{"wrong CPF of the person responsible", true, set(p4, birth+"52998224724"+nis+rg), p4 + " icpbrasil.cpf"},
		{"too many names", false, add(slices.Repeat([]testca.Name{{OID: "1.2.3", Tag: asn1.TagOctetString}}, 64)...), "icpbrasil.san.malformed"},
		{"too much", false, add(testca.Name{OID: "1.2.3", Text: strings.Repeat("x", 16<<10), Tag: asn1.TagOctetString}), `icpbrasil.san.size limite="16384"`},
	} {
		o := testca.Order{Person: maria(), Edit: c.edit}
		if c.company {
			o.Company = acme()
		}
		id, err := icpbrasil.Parse(issue(t, o)[0])
		want := "invalid: icpbrasil.certificate.invalid; " + c.want
		if id != nil || err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v, %v\nwant %s", c.name, id, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), cpf) || strings.Contains(err.Error(), "MARIA")) {
			t.Errorf("%s: the fault holds personal data: %v", c.name, err)
		}
	}
	for name, cert := range map[string]*x509.Certificate{
		"icpbrasil.certificate.absent":  nil,
		"icpbrasil.certificate.other":   ca().Intermediate,
		"icpbrasil.certificate.invalid": {Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: []byte{0x30, 5}}}},
	} {
		if id, err := icpbrasil.Parse(cert); id != nil || !fault.HasKey(err, name) {
			t.Errorf("got %v, %v, want %s", id, err, name)
		}
	}
}

func TestPolicyTypes(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"A1", "A2", "A3", "A4", "S1", "S2", "S3", "S4", "T3", "T4", "A CF-e-SAT", "OM-BR"} {
		id, err := icpbrasil.Parse(issue(t, testca.Order{Person: maria(), Type: typ})[0])
		if err != nil || id.Policy.Type != typ {
			t.Errorf("%s: got %+v, %v", typ, id, err)
		}
	}
	cert := *issue(t, testca.Order{Person: maria()})[0]
	for oid, want := range map[string]icpbrasil.Policy{
		"2.16.76.1.2.777.1": {OID: "2.16.76.1.2.777.1"}, // a type to come
		"2.16.76.3.2.1.1":   {},                         // of gov.br
		"2.16.76.1.2.1":     {},                         // an arc, not a policy
	} {
		var parts asn1.ObjectIdentifier
		for part := range strings.SplitSeq(oid, ".") {
			n, err := strconv.Atoi(part)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, n)
		}
		cert.PolicyIdentifiers = []asn1.ObjectIdentifier{{2, 23, 140, 1, 2, 2}, parts}
		if id, err := icpbrasil.Parse(&cert); err != nil || id.Policy != want {
			t.Errorf("%s: got %+v, %v", oid, id, err)
		}
	}
}

// TestWhoActs checks that nobody acts by a number that is missing, nor through a machine.
func TestWhoActs(t *testing.T) {
	t.Parallel()
	nobody := icpbrasil.Person{Name: "JOHN DOE"}
	for _, c := range []struct {
		order     testca.Order
		cpf, cnpj string // the number, or the key of the fault
	}{
		{testca.Order{Person: maria()}, "52998224725", "icpbrasil.cnpj.absent"},
		{testca.Order{Person: maria(), Company: acme()}, "52998224725", "12ABC34501DE35"},
		{testca.Order{Person: nobody}, "icpbrasil.cpf.absent", "icpbrasil.cnpj.absent"},
		{testca.Order{Person: nobody, Company: &icpbrasil.Company{}}, "icpbrasil.cpf.absent", "icpbrasil.cnpj.absent"},
		{testca.Order{Person: maria(), Company: acme(), Equipment: true}, "icpbrasil.equipment", "icpbrasil.equipment"},
	} {
		id, err := icpbrasil.Parse(issue(t, c.order)[0])
		if err != nil {
			t.Fatal(err)
		}
		cpf, err := id.ActingCPF()
		if string(cpf) != c.cpf && (cpf != "" || !fault.HasKey(err, c.cpf)) {
			t.Errorf("%v: CPF %q, %v, want %s", id, cpf, err, c.cpf)
		}
		cnpj, err := id.ActingCNPJ()
		if string(cnpj) != c.cnpj && (cnpj != "" || !fault.HasKey(err, c.cnpj)) {
			t.Errorf("%v: CNPJ %q, %v, want %s", id, cnpj, err, c.cnpj)
		}
	}
}

func TestLogsHoldNobody(t *testing.T) {
	t.Parallel()
	id, err := icpbrasil.Parse(issue(t, testca.Order{Person: maria(), Company: acme(), Email: "maria@exemplo.invalid"})[0])
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("entrada", "titular", id, "valor", *id)
	fmt.Fprintf(&log, "%v %+v %s", id, id, *id)
	if s := log.String(); !strings.Contains(s, "pj 12.ABC.345/01DE-35 ***.982.247-**") {
		t.Errorf("the company is not named: %s", s)
	}
	for _, secret := range []string{"52998224725", "MARIA", "1980", "12345678X", "maria@"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%s is in the log: %s", secret, log.String())
		}
	}
}

// FuzzParse reads whole certificates, and what is none as the extension alone.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			cert = &x509.Certificate{Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: der}}}
		}
		id, err := icpbrasil.Parse(cert)
		if err != nil {
			if id != nil || !fault.Is(err, fault.Invalid) {
				t.Fatalf("got %v, %v", id, err)
			}
			return
		}
		if cpf := id.Person.CPF; cpf != "" {
			if same, err := brasil.ParseCPF(string(cpf)); err != nil || same != cpf {
				t.Fatalf("CPF %q: %v", cpf, err)
			}
		}
		if (id.Kind == icpbrasil.Natural) != (id.Company == nil) {
			t.Fatalf("%s with company %v", id.Kind, id.Company)
		}
		if id.Company != nil && id.Company.CNPJ != "" {
			if same, err := brasil.ParseCNPJ(string(id.Company.CNPJ)); err != nil || same != id.Company.CNPJ {
				t.Fatalf("CNPJ %q: %v", id.Company.CNPJ, err)
			}
		}
		for _, shown := range []string{id.Person.Name, id.Email, id.Person.RG.Number, id.Person.RG.Issuer} {
			if len(shown) > 200 || !utf8.ValidString(shown) || strings.ContainsFunc(shown, unicode.IsControl) {
				t.Fatalf("%q cannot be shown", shown)
			}
		}
	})
}
