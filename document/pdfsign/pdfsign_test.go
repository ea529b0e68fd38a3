package pdfsign

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"selo/document/cms"
	"selo/document/cms/cmstest"
	"selo/fault"
)

// The programs that look at the files read the machine's clock.
var at = time.Now()

// signWith prepares, signs and embeds.
func signWith(t testing.TB, pdf []byte, who *cmstest.Holder, o Options) []byte {
	t.Helper()
	p, err := Prepare(pdf, o)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := p.Embed(who.Sign(p.Digest(), cmstest.Switches{SignedAt: at}))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// forms are PDFs whose form, page and cross-reference stand in every way there is.
func forms(t testing.TB) map[string][]byte {
	text := map[int]string{6: "<</FT/Tx/T(Nome)/V(x)/Type/Annot/Subtype/Widget/Rect[0 0 9 9]/P 3 0 R>>"}
	page := "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>/Annots "
	direct := change(plainObjects(), map[int]string{1: "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]/DA(/Helv 0 Tf)>>>>", 6: text[6], 3: page + "[6 0 R]>>"})
	indirect := change(plainObjects(), map[int]string{1: "<</Type/Catalog/Pages 2 0 R/AcroForm 7 0 R>>", 6: text[6], 7: "<</Fields[6 0 R]>>", 3: page + "8 0 R>>", 8: "[6 0 R]"})
	far := change(plainObjects(), map[int]string{1: "<</Type/Catalog/Pages 2 0 R/AcroForm 7 0 R>>", 6: text[6], 7: "9 0 R", 9: "<</Fields 8 0 R>>", 3: page + "8 0 R>>", 8: "[6 0 R]"})
	inside := change(plainObjects(), map[int]string{1: "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields 8 0 R>>>>", 6: text[6], 8: "[6 0 R]", 3: page + "[]>>"})
	deep := change(plainObjects(), map[int]string{2: "<</Type/Pages/Kids[10 0 R 11 0 R]/Count 1>>", 10: "<</Type/Pages/Parent 2 0 R/Kids[]/Count 0>>", 11: "<</Type/Pages/Parent 2 0 R/Kids[3 0 R]/Count 1>>"})
	odd := change(plainObjects(), map[int]string{1: "<< /Type /Cata#6cog %comment\r\n/Pages 2 0 R /Lang (pt\\)-BR) /X <</Y [true null -1.5 (a(b)c) <0a> /A#20B]>> >>"})
	// A file of another time's, updated with a table whose subsection is long.
	updated := withTable(plainObjects(), "/ID[<AA><BB>]/Info 5 0 R")
	list := map[string][]byte{"drawn": drawn(t), "plain": withTable(plainObjects(), ""), "updated": updated}
	for name, objects := range map[string]map[int]string{"form in the catalogue": direct, "form apart": indirect, "far apart": far, "fields apart": inside, "deep pages": deep, "odd writing": odd} {
		list[name] = withTable(objects, "")
		list[name+", packed"] = withStreams(objects, 2)
	}
	for kind := range byte(5) {
		list[fmt.Sprint("predicted ", kind)] = withStreams(plainObjects(), kind)
	}
	list["hybrid"] = hybrid()
	return list
}

// hybrid has a table for old readers, and beside it a stream with more.
func hybrid() []byte {
	packed := withStreams(plainObjects(), 2)
	_, after, _ := bytes.Cut(packed[bytes.LastIndex(packed, []byte("startxref")):], []byte("\n"))
	stream, _, _ := bytes.Cut(after, []byte("\n"))
	start := len(packed)
	return append(packed, fmt.Sprintf("xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 17/Root 1 0 R/XRefStm %s>>\nstartxref\n%d\n%%%%EOF\n", stream, start)...)
}

// TestSign signs PDFs of every structure, and reads the signature back.
func TestSign(t *testing.T) {
	t.Parallel()
	chain := cmstest.NewChain("GOV.BR", at)
	who := chain.Person("FULANA DE TAL", at, nil)
	for name, pdf := range forms(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signed := signWith(t, pdf, who, Options{Name: "Fulana de Tal", Reason: "Aprovação (final)"})
			if !bytes.HasPrefix(signed, pdf) {
				t.Error("the document itself was changed")
			}
			found, err := Signatures(signed)
			if err != nil || len(found) != 1 {
				t.Fatal(found, err)
			}
			if !found[0].Whole || found[0].SubFilter != "adbe.pkcs7.detached" || found[0].Field != "Assinatura1" {
				t.Errorf("%+v", found[0])
			}
			if _, err := cms.Check(found[0].CMS, found[0].Digest, cms.Trust{Roots: chain.Roots(), At: at}); err != nil {
				t.Error(err)
			}
			again := signWith(t, signed, who, Options{})
			found, err = Signatures(again)
			if err != nil || len(found) != 2 || found[0].Whole || !found[1].Whole || found[1].Field != "Assinatura2" {
				t.Fatalf("%+v %v", found, err)
			}
			if n := bytes.Count(again, []byte("/DocMDP")); n != 1 {
				t.Errorf("DocMDP stands %d times", n)
			}
			for _, s := range found {
				if _, err := cms.Check(s.CMS, s.Digest, cms.Trust{Roots: chain.Roots(), At: at}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// need finds a program, without which the tests prove nothing.
func need(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%s is needed: see scripts/setup.sh", program)
	}
	return path
}

// TestOthersAgree has poppler and OpenSSL verify what was signed, once and twice,
// and refuse what was changed.
func TestOthersAgree(t *testing.T) {
	t.Parallel()
	pdfsig, openssl, pdfinfo := need(t, "pdfsig"), need(t, "openssl"), need(t, "pdfinfo")
	chain := cmstest.NewChain("GOV.BR", at)
	who := chain.Person("FULANA DE TAL", at, nil)
	for name, pdf := range forms(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			run := func(program string, args ...string) (string, error) {
				cmd := exec.CommandContext(t.Context(), program, args...)
				cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir, "LC_ALL=C")
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			save := func(file string, data []byte) {
				if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			once := signWith(t, pdf, who, Options{Name: "Fulana", Reason: "Aprovação"})
			twice := signWith(t, once, who, Options{})
			changed := bytes.Clone(once)
			changed[bytes.Index(changed, []byte("/MediaBox"))+1] = 'm'
			save("once.pdf", once)
			save("twice.pdf", twice)
			save("changed.pdf", changed)
			out, err := run(pdfsig, "-nocert", "once.pdf")
			if err != nil || !strings.Contains(out, "Signature Validation: Signature is Valid.") || !strings.Contains(out, "Total document signed") ||
				!strings.Contains(out, "Signer Certificate Common Name: FULANA DE TAL") {
				t.Errorf("pdfsig: %v\n%s", err, out)
			}
			out, err = run(pdfsig, "-nocert", "twice.pdf")
			if err != nil || strings.Count(out, "Signature is Valid.") != 2 {
				t.Errorf("pdfsig, two signatures: %v\n%s", err, out)
			}
			if out, _ = run(pdfsig, "-nocert", "changed.pdf"); strings.Contains(out, "Signature is Valid.") {
				t.Errorf("pdfsig takes a changed document: %s", out)
			}
			if out, err = run(pdfinfo, "twice.pdf"); err != nil || strings.Contains(out, "rror") {
				t.Errorf("pdfinfo: %v\n%s", err, out)
			}
			found, err := Signatures(once)
			if err != nil {
				t.Fatal(err)
			}
			p, err := Prepare(pdf, Options{Name: "Fulana", Reason: "Aprovação"})
			if err != nil {
				t.Fatal(err)
			}
			r := p.ByteRange()
			save("covered", append(bytes.Clone(once[:r[1]]), once[r[2]:]...))
			save("sig.der", found[0].CMS)
			save("root.pem", chain.RootPEM())
			if out, err = run(openssl, "cms", "-verify", "-binary", "-inform", "DER", "-in", "sig.der", "-content", "covered",
				"-CAfile", "root.pem", "-out", "out"); err != nil {
				t.Errorf("openssl: %v\n%s", err, out)
			}
		})
	}
}

// TestDictionary has the bytes that the gov.br manual asks for, and the
// same bytes each time.
func TestDictionary(t *testing.T) {
	t.Parallel()
	pdf := drawn(t)
	one, err := Prepare(pdf, Options{Name: "João", Reason: "a(b)\\", Place: "Brasília"})
	if err != nil {
		t.Fatal(err)
	}
	two, err := Prepare(pdf, Options{Name: "João", Reason: "a(b)\\", Place: "Brasília"})
	if err != nil || !bytes.Equal(one.pdf, two.pdf) || one.Digest() != two.Digest() {
		t.Error("it is not the same twice")
	}
	added := string(one.pdf[len(pdf):])
	for _, want := range []string{"/Filter /Adobe.PPKLite/SubFilter /adbe.pkcs7.detached", "/Name <FEFF004A006F00E3006F>", `/Reason (a\(b\)\\)`,
		"/TransformMethod /DocMDP/TransformParams <</Type /TransformParams/P 2/V /1.2>>", "<" + strings.Repeat("0", 18944) + ">", "/SigFlags 3"} {
		if !strings.Contains(added, want) {
			t.Errorf("%.60s is missing", want)
		}
	}
	for _, not := range []string{"/M ", "/Perms"} {
		if strings.Contains(added, not) {
			t.Errorf("%s stands there", not)
		}
	}
	r := one.ByteRange()
	if !strings.Contains(added, fmt.Sprintf("/ByteRange [%d %d %d %d] ", r[0], r[1], r[2], r[3])) || r[3] != len(one.pdf)-r[2] || r[2]-r[1] != 18946 {
		t.Errorf("byte range %v", r)
	}
	h := sha256.New()
	h.Write(one.pdf[:r[1]])
	h.Write(one.pdf[r[2]:])
	if d := one.Digest(); !bytes.Equal(h.Sum(nil), d[:]) {
		t.Error("digest")
	}
	_, err = one.Embed(make([]byte, Reserve+1))
	if !fault.HasKey(err, "pdfsign.space") {
		t.Error(err)
	}
	if full, err := one.Embed(bytes.Repeat([]byte{0xab}, Reserve)); err != nil || len(full) != len(one.pdf) || hex.EncodeToString([]byte{0xab}) != string(full[r[2]-3:r[2]-1]) {
		t.Error(err)
	}
	if _, err = one.Embed(nil); !fault.HasKey(err, "pdfsign.space") {
		t.Error(err)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	good := withTable(plainObjects(), "")
	replaced := func(old, with string) []byte { return bytes.Replace(good, []byte(old), []byte(with), 1) }
	secret := fpdf.New("P", "mm", "A4", "")
	secret.SetProtection(fpdf.CnProtectPrint, "x", "y")
	secret.AddPage()
	var encrypted bytes.Buffer
	if err := secret.Output(&encrypted); err != nil {
		t.Fatal(err)
	}
	chain := cmstest.NewChain("GOV.BR", at)
	locked := signWith(t, good, chain.Person("X", at, nil), Options{Allow: 1})
	for name, tc := range map[string]struct {
		pdf []byte
		o   Options
		key string
	}{
		"nothing":              {nil, Options{}, "pdfsign.not_pdf"},
		"text":                 {[]byte("não é PDF"), Options{}, "pdfsign.not_pdf"},
		"huge":                 {make([]byte, MaxSize+1), Options{}, "pdfsign.size"},
		"encrypted":            {encrypted.Bytes(), Options{}, "pdfsign.encrypted"},
		"encrypted by name":    {withTable(plainObjects(), "/Encrypt 5 0 R"), Options{}, "pdfsign.encrypted"},
		"locked":               {locked, Options{}, "pdfsign.locked"},
		"half":                 {good[:len(good)/2], Options{}, "pdfsign.damaged"},
		"startxref elsewhere":  {replaced("startxref\n", "startxref\n9"), Options{}, "pdfsign.damaged"},
		"goes round":           {withTable(plainObjects(), "/Prev 0"), Options{}, "pdfsign.damaged"},
		"no root":              {replaced("/Root 1 0 R", "/Root 99 0 R"), Options{}, "pdfsign.damaged"},
		"root a number":        {replaced("/Root 1 0 R", "/Root 1"), Options{}, "pdfsign.damaged"},
		"no size":              {replaced("/Size 6", "/Sise 6"), Options{}, "pdfsign.damaged"},
		"no page":              {replaced("/Kids[3 0 R]", "/Kids[2 0 R]"), Options{}, "pdfsign.damaged"},
		"page another object":  {replaced("3 0 obj", "9 0 obj"), Options{}, "pdfsign.damaged"},
		"catalogue cut":        {replaced("/Pages 2 0 R>>", "/Pages 2 0 R> "), Options{}, "pdfsign.damaged"},
		"catalogue of no kind": {replaced("/Type/Catalog", "/Type/Katalog"), Options{}, "pdfsign.damaged"},
		"deep":                 {replaced("/Type/Catalog", "/X"+strings.Repeat("[", 100)), Options{}, "pdfsign.damaged"},
		"room":                 {good, Options{Reserve: maxReserve + 1}, "pdfsign.options"},
		"less than nothing":    {good, Options{Reserve: -1}, "pdfsign.options"},
		"permission":           {good, Options{Allow: 4}, "pdfsign.options"},
		"references round":     {withTable(change(plainObjects(), map[int]string{1: "<</Type/Catalog/Pages 2 0 R/AcroForm 6 0 R>>", 6: "7 0 R", 7: "6 0 R"}), ""), Options{}, "pdfsign.damaged"},
		"fields round":         {withTable(change(plainObjects(), map[int]string{1: "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>", 6: "<</Kids[6 0 R 6 0 R]>>"}), ""), Options{}, "pdfsign.damaged"},
		"bomb":                 {bomb(), Options{}, "pdfsign.damaged"},
		"a list without end":   {replaced("/Type/Catalog", "/X["+strings.Repeat("0 ", maxValues+1)+"]/Type/Catalog"), Options{}, "pdfsign.damaged"},
		"one large object, often": {withTable(change(plainObjects(), map[int]string{
			1: "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[" + strings.Repeat("6 0 R ", maxFields) + "]>>>>",
			6: "<</X(" + strings.Repeat("x", 64<<10) + ")>>"}), ""), Options{}, "pdfsign.damaged"},
		"too many fields": {withTable(change(plainObjects(), map[int]string{
			1: "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[" + strings.Repeat("6 0 R ", maxFields+1) + "]>>>>", 6: "<<>>"}), ""), Options{}, "pdfsign.damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Prepare(tc.pdf, tc.o)
			if !fault.HasKey(err, tc.key) {
				t.Errorf("%v, want %s", err, tc.key)
			}
		})
	}
}

// bomb is a small file whose section unpacks to more than is taken.
func bomb() []byte {
	data := deflate(make([]byte, maxInflated+1))
	head := "%PDF-1.7\n"
	return fmt.Appendf(nil, "%s1 0 obj\n<</Type/XRef/Size 1/W[1 3 1]/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n", head, len(data), data, len(head))
}

// TestRangeTricks are signatures that leave out more than their own room.
func TestRangeTricks(t *testing.T) {
	t.Parallel()
	chain := cmstest.NewChain("GOV.BR", at)
	signed := signWith(t, withTable(plainObjects(), ""), chain.Person("X", at, nil), Options{})
	p, err := Prepare(withTable(plainObjects(), ""), Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := p.ByteRange()
	own := fmt.Sprintf("[%d %d %d %d]", r[0], r[1], r[2], r[3])
	for name, other := range map[string]string{
		"from later":    fmt.Sprintf("[1 %d %d %d]", r[1], r[2], r[3]),
		"earlier gap":   fmt.Sprintf("[0 %d %d %d]", r[1]-9, r[2], r[3]),
		"longer gap":    fmt.Sprintf("[0 %d %d %d]", r[1], r[2]+9, r[3]-9),
		"shorter gap":   fmt.Sprintf("[0 %d %d %d]", r[1], r[2]-2, r[3]),
		"no gap":        fmt.Sprintf("[0 %d %d %d]", r[1], r[1], r[3]),
		"beyond":        fmt.Sprintf("[0 %d %d %d]", r[1], r[2], r[3]+1),
		"far beyond":    fmt.Sprintf("[0 %d %d 999999999999]", r[1], r[2]),
		"negative":      fmt.Sprintf("[0 %d %d -1]", r[1], r[2]),
		"three numbers": fmt.Sprintf("[0 %d %d]", r[1], r[2]),
		"no numbers":    "[/a /b /c /d]",
	} {
		changed := bytes.Replace(signed, []byte(own+strings.Repeat(" ", rangeRoom-len(own))), []byte(other+strings.Repeat(" ", rangeRoom-len(other))), 1)
		if bytes.Equal(changed, signed) {
			t.Fatal("nothing was changed")
		}
		if found, err := Signatures(changed); !fault.HasKey(err, "pdfsign.range") {
			t.Errorf("%s: %v %v", name, found, err)
		}
	}
	if later, err := Signatures(append(bytes.Clone(signed), "%depois\n"...)); err != nil || later[0].Whole {
		t.Errorf("something was appended: %v", err)
	}
	if none, err := Signatures(drawn(t)); err != nil || len(none) != 0 {
		t.Errorf("%v %v", none, err)
	}
}

func FuzzPrepare(f *testing.F) {
	for _, pdf := range forms(f) {
		if len(pdf) < 8<<10 {
			f.Add(pdf)
		}
	}
	chain := cmstest.NewChain("GOV.BR", at)
	f.Add(signWith(f, withTable(plainObjects(), ""), chain.Person("X", at, nil), Options{}))
	der := []byte{0x30, 3, 2, 1, 5}
	f.Fuzz(func(t *testing.T, pdf []byte) {
		before, err := Signatures(pdf)
		if err != nil {
			if fault.Of(err) == nil {
				t.Errorf("no fault: %v", err)
			}
			return
		}
		p, err := Prepare(pdf, Options{Reserve: 64})
		if err != nil {
			if fault.Of(err) == nil {
				t.Errorf("no fault: %v", err)
			}
			return
		}
		signed, err := p.Embed(der)
		if err != nil || !bytes.HasPrefix(signed, pdf) {
			t.Fatal("the document was changed", err)
		}
		after, err := Signatures(signed)
		if err != nil || len(after) != len(before)+1 {
			t.Fatalf("%d signatures, then %d, %v", len(before), len(after), err)
		}
		own := after[len(after)-1]
		if !own.Whole || !bytes.Equal(own.CMS, der) || own.Digest != p.Digest() {
			t.Errorf("%+v", own)
		}
	})
}

func TestText(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]literal{"Fulana": "(Fulana)", `a(b)\`: `(a\(b\)\\)`, "João": "<FEFF004A006F00E3006F>", "": "()", "😀": "<FEFFD83DDE00>"} {
		if got := text(s); got != want || readText(got) != s {
			t.Errorf("%q is written %s and read %q", s, got, readText(got))
		}
	}
	for l, want := range map[literal]string{`(a\
b\101\7\n)`: "abA", "<4a6F 7>": "Jop", "(\xe3)": "ã", "(\xef\xbb\xbfã)": "ã", "<zz>": "", "12": "", "(": "", "(\\)": "\\"} {
		if got := readText(l); got != want {
			t.Errorf("%q is read %q, want %q", l, got, want)
		}
	}
	named := withTable(change(plainObjects(), map[int]string{1: "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>", 6: "<</FT/Tx/T<417373696e617475726131>>>"}), "")
	chain := cmstest.NewChain("GOV.BR", at)
	found, err := Signatures(signWith(t, named, chain.Person("X", at, nil), Options{}))
	if err != nil || found[0].Field != "Assinatura2" {
		t.Errorf("%v: the name was taken, %v", found, err)
	}
}
