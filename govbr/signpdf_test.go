package govbr

import (
	"bytes"
	"testing"

	"codeberg.org/go-pdf/fpdf"

	"selo/document/cms/cmstest"
	"selo/document/pdfsign"
	"selo/fault"
)

// TestSignPDF goes the whole way: a PDF is prepared, gov.br signs its digest, the
// signed PDF is read again and its signature checked; a later byte breaks it.
func TestSignPDF(t *testing.T) {
	t.Parallel()
	i := newITI(t, nil)
	i.switches = cmstest.Switches{SignedAt: now}
	s := i.signing()
	doc := fpdf.New("P", "mm", "A4", "")
	doc.AddPage()
	var pdf bytes.Buffer
	if err := doc.Output(&pdf); err != nil {
		t.Fatal(err)
	}
	room, err := pdfsign.Prepare(pdf.Bytes(), pdfsign.Options{Name: me.Name})
	if err != nil {
		t.Fatal(err)
	}
	sig, err := s.Sign(t.Context(), i.token(s, false), room.Digest(), me)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := room.Embed(sig.CMS)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pdfsign.Signatures(signed)
	if err != nil || len(found) != 1 || !found[0].Whole {
		t.Fatal(found, err)
	}
	again, err := s.Check(found[0].CMS, found[0].Digest, me)
	if err != nil || again.Person != MatchCPF || !again.SignedAt.Equal(now) {
		t.Errorf("%+v, %v", again, err)
	}
	signed[20] ^= 1
	if found, err = pdfsign.Signatures(signed); err != nil {
		t.Fatal(err)
	}
	if _, err = s.Check(found[0].CMS, found[0].Digest, me); !fault.HasKey(err, "cms.digest") {
		t.Errorf("a changed document: %v", err)
	}
}
