package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"selo/catalog"
	"selo/fault"
	"selo/locale"
)

// verifyRequest is a request to a site at selo.example.
func verifyRequest() *Request {
	s := bare(Deps{URL: "https://selo.example"})
	s.routes = s.table()
	s.mount()
	return &Request{HTTP: httptest.NewRequest(http.MethodGet, "/verificar", nil), Lang: locale.PT, server: s}
}

// reason is one that stands in the way at a level.
func reason(level, code string) catalog.Reason { return catalog.Reason{Level: level, Code: code} }

// TestVerdict goes through what an answer can be.
func TestVerdict(t *testing.T) {
	t.Parallel()
	r := verifyRequest()
	one := []catalog.Verified{{Covered: true, Product: &catalog.ProductView{}}}
	absent := reason(catalog.LevelCompany, "verification.company.absent")
	for name, test := range map[string]struct {
		query      verifyQuery
		covered    string
		reasons    []catalog.Reason
		scan       *scanned
		none       bool
		kind, says string
	}{
		"product":               {query: verifyQuery{verifyGTIN: "1"}, covered: catalog.Covered, kind: messageSuccess, says: "Sim, este produto"},
		"certificate":           {query: verifyQuery{verifyNumber: "1"}, covered: catalog.Covered, kind: messageSuccess, says: "Sim, este certificado"},
		"with company":          {query: verifyQuery{verifyNumber: "1", verifyCNPJ: "1"}, covered: catalog.Covered, kind: messageSuccess, says: "a empresa informada está no certificado"},
		"product not":           {query: verifyQuery{verifyBrand: "a", verifyModel: "b"}, covered: catalog.NotCovered, kind: messageDanger, says: "Não, este produto"},
		"product in part":       {query: verifyQuery{verifyBrand: "a", verifyModel: "b"}, covered: catalog.PartCovers, kind: messageWarning, says: "nem todas as versões"},
		"certificate, part":     {query: verifyQuery{verifyNumber: "1"}, covered: catalog.PartCovers, kind: messageWarning, says: "nem tudo está em vigor"},
		"company absent":        {query: verifyQuery{verifyGTIN: "1", verifyCNPJ: "1"}, covered: catalog.NotCovered, reasons: []catalog.Reason{absent}, kind: messageDanger, says: "a empresa não confere"},
		"company and more":      {query: verifyQuery{verifyGTIN: "1", verifyCNPJ: "1"}, covered: catalog.NotCovered, reasons: []catalog.Reason{absent, reason(catalog.LevelProduct, "verification.product.suspended")}, kind: messageDanger, says: "Não, este produto"},
		"company in part":       {query: verifyQuery{verifyGTIN: "1", verifyCNPJ: "1"}, covered: catalog.PartCovers, reasons: []catalog.Reason{absent}, kind: messageWarning, says: "a empresa confere só"},
		"product unknown":       {query: verifyQuery{verifyBrand: "a", verifyModel: "b"}, covered: catalog.NotCovered, none: true, kind: messageInfo, says: "nenhum certificado publicado cobre este produto"},
		"bar code unknown":      {query: verifyQuery{verifyGTIN: "1"}, covered: catalog.NotCovered, none: true, kind: messageInfo, says: "nenhum certificado publicado traz este código de barras"},
		"bar code with company": {query: verifyQuery{verifyGTIN: "1", verifyCNPJ: "1"}, covered: catalog.NotCovered, none: true, kind: messageInfo, says: "nenhum certificado publicado traz este código de barras"},
		"bar code and brand":    {query: verifyQuery{verifyGTIN: "1", verifyBrand: "a"}, covered: catalog.NotCovered, none: true, kind: messageInfo, says: "com estes dados juntos não há certificado"},
		"bar code and number":   {query: verifyQuery{verifyGTIN: "1", verifyNumber: "1"}, covered: catalog.NotCovered, none: true, kind: messageInfo, says: "com estes dados juntos não há certificado"},
		"product and number":    {query: verifyQuery{verifyBrand: "a", verifyModel: "b", verifyNumber: "1"}, covered: catalog.NotCovered, none: true, kind: messageInfo, says: "com estes dados juntos não há certificado"},
		"QR of a body":          {query: verifyQuery{verifyQR: "x"}, covered: catalog.NotCovered, none: true, scan: &scanned{kind: scannedOurs, body: "DEMO", number: "1"}, kind: messageInfo, says: "este organismo não tem certificado publicado com este número"},
		"number unknown":        {query: verifyQuery{verifyNumber: "1"}, covered: catalog.NotCovered, none: true, kind: messageInfo, says: "nenhum certificado publicado tem este número"},
		"QR of ours":            {query: verifyQuery{verifyQR: "x"}, covered: catalog.Covered, scan: &scanned{kind: scannedOurs}, kind: messageSuccess, says: "Sim, este certificado"},
		"QR of another":         {query: verifyQuery{verifyQR: "x"}, covered: catalog.Covered, scan: &scanned{kind: scannedOther}, kind: messageWarning, says: "o QR não leva ao registro"},
		"QR of another, not":    {query: verifyQuery{verifyQR: "x"}, covered: catalog.NotCovered, scan: &scanned{kind: scannedOther}, kind: messageDanger, says: "Não, este certificado"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := &verifyView{query: test.query, scan: test.scan, result: &catalog.Verification{Covered: test.covered, Reasons: test.reasons, Certificates: one}}
			if test.none {
				v.result.Certificates = nil
			}
			if got := v.verdict(r); got.kind != test.kind || !strings.Contains(got.title, test.says) {
				t.Errorf("%s %q, want %s %q", got.kind, got.title, test.kind, test.says)
			}
		})
	}
}

// TestSomeProductsOfACertificate marks the level of the products as holding in part.
func TestSomeProductsOfACertificate(t *testing.T) {
	t.Parallel()
	r := verifyRequest()
	c := catalog.Verified{Hit: catalog.Hit{Products: 3}, Covered: true}
	v := &verifyView{query: verifyQuery{verifyNumber: "1"}, result: &catalog.Verification{Covered: catalog.PartCovers, Certificates: []catalog.Verified{c},
		Reasons: []catalog.Reason{{Level: catalog.LevelProduct, Code: "verification.product.some", Args: fault.Pairs("inativos", "2")}}}}
	level := v.card(r, &c).levels[2]
	if level.mark != markPart || !strings.Contains(strings.Join(level.lines, "\n"), "não está ativa: 2") {
		t.Errorf("%+v", level)
	}
}

// TestLotsAndUnits are covered one by one, which must be said.
func TestLotsAndUnits(t *testing.T) {
	t.Parallel()
	r := verifyRequest()
	for want, p := range map[string]catalog.ProductView{
		"Só o lote SZ-1":                    {Modality: "lote", Lot: "SZ-1"},
		"Só a unidade de número de série 7": {Modality: "unidade", Serial: "7"},
	} {
		c := catalog.Verified{Covered: true, Product: &p}
		v := &verifyView{query: verifyQuery{verifyGTIN: "1"}, result: &catalog.Verification{Covered: catalog.Covered, Certificates: []catalog.Verified{c}}}
		if got := v.verdict(r); got.kind != messageWarning || !strings.Contains(got.title, "Só o lote (ou a unidade) indicado está coberto") {
			t.Errorf("%s %q for %q", got.kind, got.title, want)
		}
		whole := c
		whole.Product = &catalog.ProductView{Modality: "tipo"}
		of := func(all ...catalog.Verified) string {
			v := *v
			v.result = &catalog.Verification{Covered: catalog.Covered, Certificates: all}
			return v.verdict(r).kind
		}
		if of(c, whole) != messageSuccess {
			t.Errorf("%q beside a certificate of all is no plain yes", want)
		}
		if whole.Covered = false; of(c, whole) != messageWarning {
			t.Errorf("%q beside a certificate that does not cover is a plain yes", want)
		}
		if level := v.card(r, &c).levels[2]; level.mark != markYes || !strings.Contains(strings.Join(level.lines, "\n"), want) {
			t.Errorf("%+v, want %q", level, want)
		}
	}
}

func TestVerifyMarksAreInTheSprite(t *testing.T) {
	t.Parallel()
	known := names(symbol, string(assets().plain["icones.svg"]))
	for _, name := range []string{markYes, markNo, markPart, markUnknown, markUnasked, "camera", "image", "lightbulb", "times"} {
		if !known[name] {
			t.Errorf("no icon %s", name)
		}
	}
}

// FuzzScanned reads any text; only an address of this site is the register's.
func FuzzScanned(f *testing.F) {
	for _, text := range []string{"https://selo.example/certificados/DEMO/A%2F1", "https://selo.example@x/certificados/DEMO/A", "//selo.example/certificados/D/1",
		"https://selo.example:443/en/certificados/D/1/qr.svg", "x", "", "\x00", "https://selo.example/certificados/%ff/%zz"} {
		f.Add(text)
	}
	r := verifyRequest()
	f.Fuzz(func(t *testing.T, text string) {
		s := r.scanned(text)
		ours := strings.HasPrefix(strings.ToLower(text), "https://selo.example") || strings.HasPrefix(strings.ToLower(text), "http://selo.example")
		if (s.kind == scannedOurs || s.kind == scannedPage) && !ours {
			t.Errorf("%q is taken for an address of this site", text)
		}
		if s.kind == scannedOurs && (s.number == "" || s.body == "") {
			t.Errorf("%q names nothing", text)
		}
	})
}
