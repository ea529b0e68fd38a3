package testca_test

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"selo/fault"
	"selo/icpbrasil"
	"selo/icpbrasil/testca"
)

// TestAnAuthorityIsKept: what it issued and revoked before still counts, and it
// goes on issuing.
func TestAnAuthorityIsKept(t *testing.T) {
	t.Parallel()
	first := newAuthority(t, "")
	before := issue(t, first, testca.Order{Person: icpbrasil.Person{CPF: "11144477735", Name: "JOÃO"}})
	gone := issue(t, first, testca.Order{Person: icpbrasil.Person{CPF: "52998224725", Name: "ANA"}})
	first.Revoke(gone.Chain[0])
	content, err := first.Keep()
	if err != nil {
		t.Fatal(err)
	}
	again, err := testca.Restore(content, func() time.Time { return now }, "")
	if err != nil {
		t.Fatal(err)
	}
	after := issue(t, again, testca.Order{Person: icpbrasil.Person{CPF: "12345678909", Name: "CLARA"}})
	root, list, err := again.Lists()
	if err != nil {
		t.Fatal(err)
	}
	var lists []*x509.RevocationList
	for _, der := range [][]byte{root, list} {
		crl, err := icpbrasil.ParseCRL(der)
		if err != nil {
			t.Fatal(err)
		}
		lists = append(lists, crl)
	}
	for name, issued := range map[string]*testca.Issued{"before": before, "after": after, "revoked": gone} {
		path, err := icpbrasil.Verify(issued.Chain, first.Roots(), now)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		err = path.CheckRevocation(lists, now)
		if f := fault.Of(err); name == "revoked" && (f == nil || f.Key != "icpbrasil.revoked") || name != "revoked" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, wrong := range []string{"", "{}", strings.Replace(string(content), `"root_key":"`, `"root_key":"AAAA`, 1)} {
		if _, err := testca.Restore([]byte(wrong), func() time.Time { return now }, ""); err == nil {
			t.Errorf("restored %.40q", wrong)
		}
	}
}
